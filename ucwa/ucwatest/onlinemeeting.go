package ucwatest

import (
	"net/http"
	"slices"
	"strings"
)

// An online meeting is held for as long as somebody is in it: its organizer, those who were
// asked, and those who have its URI. Source: API reference, startOnlineMeeting,
// joinOnlineMeeting, onlineMeeting and what a conversation in one links to.

// startOnlineMeeting begins a meeting that nobody has planned.
func startOnlineMeeting(c *call) (answer, error) {
	m := &meeting{plan: defaultMeeting, id: c.user.next("meeting"), organizer: c.user}
	m.subject = c.fields.text("subject")
	return c.join(m)
}

// joinOnlineMeeting comes to one by its URI.
func joinOnlineMeeting(c *call) (answer, error) {
	uri := c.fields.text("onlineMeetingUri")
	if uri == "" {
		c.fields.reject("onlineMeetingUri", "is missing")
		return answer{}, c.fields.err()
	}
	m := c.server.meeting(uri)
	if m == nil {
		return answer{}, refuse(http.StatusNotFound, "DestinationNotFound", "There is no meeting of that URI.")
	}
	return c.join(m)
}

// uri is the conference URI. Source: "Root URL".
func (m *meeting) uri() string {
	return "sip:" + m.organizer.URI[len("sip:"):] + ";gruu;opaque=app:conf:focus:id:" + m.id
}

// meeting finds a meeting that was planned, or is being held; nil if there is none.
func (s *Server) meeting(uri string) *meeting {
	address, _, _ := strings.Cut(uri, ";")
	u := s.contact(address)
	if u == nil {
		return nil
	}
	all := slices.Clone(u.meetings)
	if u.assigned != nil {
		all = append(all, u.assigned)
	}
	all = append(all, u.held...)
	return first(all, func(m *meeting) bool { return strings.EqualFold(m.uri(), uri) })
}

// roleOf is what somebody is in the meeting: the organizer and those whom he made one lead.
func (m *meeting) roleOf(u *user) string {
	everybody := m.leaderAssignment == "Everyone" || m.leaderAssignment == "SameEnterprise" && !u.Anonymous
	if u == m.organizer || everybody || slices.ContainsFunc(m.leaders, sameAddress(u.URI)) {
		return "Leader"
	}
	return "Attendee"
}

// admits tells whether somebody comes in without having waited in the lobby.
func (m *meeting) admits(u *user) bool {
	switch {
	case m.roleOf(u) == "Leader" || m.access == "Everyone":
		return true
	case m.access == "SameEnterprise":
		return !u.Anonymous
	case m.access == "Invited":
		return slices.ContainsFunc(m.attendees, sameAddress(u.URI))
	}
	return false
}

// join brings an application into a meeting.
func (c *call) join(m *meeting) (answer, error) {
	if err := c.app.hasRoom(); err != nil {
		return answer{}, err
	}
	if m.session != nil && c.app.side(m.session) != nil {
		return answer{}, refuse(http.StatusConflict, "AlreadyExists", "The application is in the meeting, or is asked to come.")
	}
	if m.session == nil {
		m.session = c.app.converse(c.fields)
		m.session.meeting, m.session.subject = m, orElse(m.subject, c.fields.text("subject"))
		m.organizer.held = append(m.organizer.held, m)
	}
	v := c.app.enter(m.session, "Conferencing", "Disconnected")
	v.role = m.roleOf(c.user)
	i := v.invite("onlineMeetingInvitation", c.fields)
	i.to, i.uri = m.organizer.URI, m.uri()
	i.tell("started", "", nil)
	v.tellSelf("added", nil)
	v.come()
	v.cameByItself()
	i.complete("Connected", "Success", nil)
	return i.started()
}

// cameByItself ends invitations to the meeting of a user who has come without them.
func (v *conversation) cameByItself() {
	for _, o := range v.in {
		for _, i := range slices.Clone(o.app.invitations) {
			if i.conversation == o && slices.ContainsFunc(i.rung, func(r *invitation) bool { return r.app.user == v.user() && r.state == "Connecting" }) {
				i.endRung(nil, "Cancelled", "Informational", "ConnectedElsewhere")
				i.accepted = v
				i.complete("Connected", "Success", nil)
			}
		}
	}
}

// come is to be in a meeting, or in its lobby.
func (v *conversation) come() {
	known := v.again(func(o *conversation) bool { v.role = o.role; return true })
	if v.state = "Conferenced"; !v.meeting.admits(v.user()) && !v.again(conferenced) {
		v.state = "InLobby"
	}
	waits := first(v.in, func(o *conversation) bool { return o.user() == v.user() && o.state == "InLobby" })
	if waits != nil && v.state == "Conferenced" { // one endpoint is in, so they all are
		admitFromLobby(nil, waits)
	}
	v.in = append(v.in, v)
	v.tellSelf("updated", nil)
	v.seeMeeting()
	if !known {
		v.tellAll(func(o *conversation) { o.tellParticipant(v, "added") })
	}
}

func conferenced(v *conversation) bool { return v.state == "Conferenced" }

// tellAll does something for all others in the session.
func (v *conversation) tellAll(tell func(o *conversation)) {
	for _, o := range v.in {
		if o.user() != v.user() {
			tell(o)
		}
	}
}

// seeMeeting tells an application of the meeting that it is in, and of who is there.
func (v *conversation) seeMeeting() {
	v.tellLocal("added")
	v.app.queue(event{rel: "onlineMeeting", path: v.path() + "/onlineMeeting", kind: "added", show: v.onlineMeeting()})
	v.seeOthers()
}

// collection is where the participant is in the roster.
func (v *conversation) collection() string {
	switch {
	case v.state == "InLobby":
		return "lobby"
	case v.role == "Leader":
		return "leaders"
	}
	return "attendees"
}

// meetingPart is what a conversation in a meeting has besides.
func (v *conversation) meetingPart() (properties, links object) {
	state := func(disabled bool) string {
		if disabled {
			return "Disabled"
		}
		return "Enabled"
	}
	change := func(disabled bool) string { return map[bool]string{true: "enable", false: "disable"}[disabled] }
	properties = object{{"audienceMessaging", state(v.meeting.silent)}, {"audienceMute", state(!v.meeting.muted)}}
	rels := []string{"onlineMeeting"}
	if v.state == "Conferenced" {
		rels = append(rels, "attendees", "leaders")
		if v.role == "Leader" {
			rels = append(rels, "lobby", change(v.meeting.silent)+"AudienceMessaging", change(!v.meeting.muted)+"AudienceMuteLock")
		}
	}
	for _, rel := range rels {
		links = append(links, member{rel, v.app.link(v.path() + "/" + rel)})
	}
	return properties, links
}

var getOnlineMeeting = ofConversation(func(_ *call, v *conversation) (answer, error) {
	if v.meeting == nil {
		return answer{}, notFound()
	}
	return ok(v.onlineMeeting()), nil
})

func (v *conversation) onlineMeeting() object {
	path := v.path() + "/onlineMeeting"
	links := object{{"self", v.app.link(path)}, {"conversation", v.app.link(v.path())}}
	if !v.user().Anonymous {
		links = append(links, member{"organizer", v.app.link(contactPath(v.meeting.organizer.URI))}, member{"phoneDialInInformation", v.app.link("/onlineMeetings/phoneDialInInformation")})
	}
	properties := append(v.meeting.properties(), member{"organizerName", v.meeting.organizer.Name}, member{"largeMeeting", "Disabled"}, member{"hostingNetwork", "SameEnterprise"})
	return resource("onlineMeeting", properties, links, nil)
}

// in tells whether somebody is in a collection of the roster of a meeting.
func in(collection string) func(*conversation) bool {
	return func(o *conversation) bool { return o.collection() == collection }
}

// getLobby shows leaders who waits in the lobby. The reference has them whole.
var getLobby = ofConversation(func(c *call, v *conversation) (answer, error) {
	if v.meeting == nil || v.role != "Leader" || v.state != "Conferenced" {
		return answer{}, notFound()
	}
	var list []object
	for _, o := range v.others() {
		if o.state == "InLobby" {
			list = append(list, v.participant(o))
		}
	}
	return ok(resource("lobby", nil, object{{"self", c.app.link(c.path)}}, many("participant", list))), nil
})

// powers are what the user can do with a participant.
func (v *conversation) powers(o *conversation) []string {
	switch {
	case v.role != "Leader" || v.state != "Conferenced" || o == v:
		return nil
	case o.state == "InLobby":
		return []string{"admit", "reject"}
	case o.user() == v.meeting.organizer:
		return nil
	case o.role == "Leader":
		return []string{"eject", "demote"}
	}
	return []string{"eject", "promote"}
}

// leads is a POST by which a leader does something with a participant, as the link says.
func leads(do func(v, o *conversation)) operation {
	return ofParticipant(func(c *call, v, o *conversation) (answer, error) {
		if v.meeting == nil || !slices.Contains(v.powers(o), c.row.page) {
			return answer{}, refuse(http.StatusConflict, "", "That cannot be done with this participant, or not by this user.")
		}
		do(v, o)
		return noContent(), nil
	})
}

// eject takes somebody out of the meeting, or refuses him in the lobby.
func eject(_, o *conversation) {
	why := "Ejected"
	if o.state == "InLobby" {
		why = "Denied"
	}
	for _, side := range o.sides() {
		side.leave(why)
	}
}

// sides are those that the user has in the session, with all of his applications.
func (v *conversation) sides() (list []*conversation) {
	for _, o := range v.in {
		if o.user() == v.user() {
			list = append(list, o)
		}
	}
	return list
}

// toRole makes a participant a leader, or no leader. The roster is told as two changes.
func toRole(role string) func(v, o *conversation) {
	return func(_, o *conversation) {
		lobby := func(kind string) {
			for _, side := range o.sides() {
				for _, p := range o.in {
					if p.state == "InLobby" {
						side.tellParticipant(p, kind) // to leaders alone
					}
				}
			}
		}
		if role != "Leader" {
			lobby("deleted")
		}
		o.change(func(side *conversation) { side.role = role })
		lobby("added")
	}
}

func admitFromLobby(_, o *conversation) {
	o.change(func(side *conversation) { side.state = "Conferenced" })
	for _, side := range o.sides() {
		side.seeOthers()
	}
}

// change has a participant go from one collection of the roster to another.
func (o *conversation) change(how func(*conversation)) {
	o.tellAll(func(v *conversation) { v.tellParticipant(o, "deleted") })
	for _, side := range o.sides() {
		how(side)
	}
	o.tellAll(func(v *conversation) { v.tellParticipant(o, "added") })
	for _, side := range o.sides() {
		side.tellLocal("updated")
		side.tellSelf("updated", nil)
	}
}

// audience is a POST by which a leader says what the audience may do.
func audience(set func(*meeting)) operation {
	return ofConversation(func(c *call, v *conversation) (answer, error) {
		if v.meeting == nil || v.role != "Leader" || v.state != "Conferenced" {
			return answer{}, refuse(http.StatusConflict, "", "Only a leader of a meeting can say what its audience may do.")
		}
		set(v.meeting)
		for _, o := range v.in {
			o.tellSelf("updated", nil)
		}
		return noContent(), nil
	})
}

// addParticipant asks somebody into the conversation that the query names. One between two
// people becomes a meeting by that.
func addParticipant(c *call) (answer, error) {
	v := c.app.conversation(c.fields.text("conversation"))
	if !isAddress(c.fields.text("to")) {
		c.fields.reject("to", "is no sip: or tel: URI")
	}
	switch err := c.fields.err(); {
	case err != nil:
		return answer{}, err
	case v == nil:
		return answer{}, conversationNotFound()
	}
	switch {
	case v.state != "Connected" && v.state != "Conferenced":
		return answer{}, notConnected()
	case v.meeting == nil:
		v.escalate()
	}
	i := v.invite("participantInvitation", c.fields)
	i.uri = v.meeting.uri()
	i.tell("started", "", nil)
	i.ring("onlineMeetingInvitation")
	return i.started()
}

// escalate makes a meeting of a conversation between two, of which the user is the organizer.
func (v *conversation) escalate() {
	m := &meeting{plan: defaultMeeting, id: v.user().next("meeting"), organizer: v.user(), session: v.session}
	m.subject, v.meeting = v.subject, m
	v.user().held = append(v.user().held, m)
	for _, o := range v.in {
		o.state, o.role = "Conferenced", m.roleOf(o.user())
		o.tellSelf("updated", nil)
		o.app.queue(event{rel: "onlineMeeting", path: o.path() + "/onlineMeeting", kind: "added", show: o.onlineMeeting()})
	}
}
