package ucwatest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// Online meetings are planned here and never held: they can be made, read, changed
// and deleted. They are the user's; all of the user's applications see the same.
// Source: API reference, myOnlineMeeting and myAssignedOnlineMeeting.

const (
	// maxMeetings and maxInvited bound what one user can make the server keep. The
	// documentation has the subcode, TooManyOnlineMeetings, but no number.
	maxMeetings = 50
	maxInvited  = 250
	maxURI      = 255

	defaultLength = 8 * time.Hour // until a meeting expires of which nothing else was said
)

var (
	defaultMeeting = meeting{access: "SameEnterprise", leaderAssignment: "Disabled", announcement: "Disabled", bypass: "Disabled", phones: "Disabled"}
	meetingsLinks  = []string{"myOnlineMeetings", "myAssignedOnlineMeeting", "onlineMeetingDefaultValues", "onlineMeetingEligibleValues",
		"onlineMeetingInvitationCustomization", "onlineMeetingPolicies", "phoneDialInInformation"}
)

// meeting is one that a user has planned.
type meeting struct {
	id                                     string
	subject, description                   string
	access, leaderAssignment, announcement string
	bypass, phones                         string // of those who dial in
	attendees, leaders                     []string
	expires                                time.Time // zero: never
}

func getOnlineMeetings(c *call) (answer, error) { return ok(c.app.onlineMeetings()), nil }

// onlineMeetings links to nothing for an anonymous user, who has none.
func (a *application) onlineMeetings() object {
	if a.user.Anonymous {
		return a.node("/onlineMeetings", "onlineMeetings", nil)
	}
	return a.node("/onlineMeetings", "onlineMeetings", nil, meetingsLinks...)
}

func getOnlineMeetingDefaultValues(c *call) (answer, error) {
	d := &defaultMeeting
	return ok(c.app.node(c.path, "onlineMeetingDefaultValues", object{
		{"accessLevel", d.access},
		{"automaticLeaderAssignment", d.leaderAssignment},
		{"defaultOnlineMeetingRel", "myOnlineMeetings"},
		{"entryExitAnnouncement", d.announcement},
		{"lobbyBypassForPhoneUsers", d.bypass},
		{"participantsWarningThreshold", maxInvited},
	})), nil
}

// getOnlineMeetingEligibleValues says what a meeting may be planned with: all that there is.
func getOnlineMeetingEligibleValues(c *call) (answer, error) {
	return ok(c.app.node(c.path, "onlineMeetingEligibleValues", object{
		{"accessLevels", api.Accepted("myOnlineMeetings", "accessLevel")},
		{"automaticLeaderAssignments", api.Accepted("myOnlineMeetings", "automaticLeaderAssignment")},
		{"eligibleOnlineMeetingRels", []string{"myOnlineMeetings", "myAssignedOnlineMeeting"}},
		{"entryExitAnnouncements", api.Accepted("myOnlineMeetings", "entryExitAnnouncement")},
		{"lobbyBypassForPhoneUsersSettings", api.Accepted("myOnlineMeetings", "lobbyBypassForPhoneUsers")},
	})), nil
}

func getOnlineMeetingPolicies(c *call) (answer, error) {
	return ok(c.app.node(c.path, "onlineMeetingPolicies", object{
		{"entryExitAnnouncement", "Enabled"},
		{"externalUserMeetingRecording", "Disabled"},
		{"meetingRecording", "Disabled"},
		{"meetingSize", maxInvited},
		{"phoneUserAdmission", "Enabled"},
		{"voipAudio", "Disabled"},
	})), nil
}

func getMyOnlineMeetings(c *call) (answer, error) {
	links := object{{"self", c.app.link(c.path)}, {"myAssignedOnlineMeeting", c.app.link("/onlineMeetings/myAssignedOnlineMeeting")}}
	var list []object
	for _, m := range c.user.meetings {
		list = append(list, c.app.link(c.path+"/"+m.id))
	}
	if list != nil {
		links = append(links, member{"myOnlineMeeting", list})
	}
	return ok(resource("myOnlineMeetings", nil, links, nil)), nil
}

// postMyOnlineMeetings plans a meeting: 200, as "Schedule an online meeting" has it, where the
// reference has 201.
func postMyOnlineMeetings(c *call) (answer, error) {
	m, err := c.meeting()
	if err != nil {
		return answer{}, err
	}
	if len(c.user.meetings) >= maxMeetings {
		return answer{}, refuse(http.StatusConflict, "TooManyOnlineMeetings", "The user has planned 50 meetings; delete one first.")
	}
	m.id = c.user.meetingID()
	c.user.meetings = append(c.user.meetings, m)
	created := ok(c.showMeeting(m, c.path+"/"+m.id))
	created.header = http.Header{"Etag": {quoted(created.content)}}
	return created, nil
}

func getMyOnlineMeeting(c *call) (answer, error) {
	m := c.planned()
	if m == nil {
		return answer{}, notFound()
	}
	return ok(c.showMeeting(m, c.path)), nil
}

func putMyOnlineMeeting(c *call) (answer, error) {
	m := c.planned()
	if m == nil {
		return answer{}, notFound()
	}
	return c.putMeeting(m)
}

func deleteMyOnlineMeeting(c *call) (answer, error) {
	m := c.planned()
	if m == nil {
		return answer{}, notFound()
	}
	c.user.meetings = slices.DeleteFunc(c.user.meetings, func(other *meeting) bool { return other == m })
	return noContent(), nil
}

// The assigned meeting is one that the user need not plan: it is there, and again
// under another name when it was deleted.

func getAssigned(c *call) (answer, error) {
	return ok(c.showMeeting(c.user.assignedMeeting(), c.path)), nil
}
func putAssigned(c *call) (answer, error) { return c.putMeeting(c.user.assignedMeeting()) }

func deleteAssigned(c *call) (answer, error) {
	c.user.assigned = nil
	return noContent(), nil
}

func (u *user) assignedMeeting() *meeting {
	if u.assigned == nil {
		m := defaultMeeting
		m.id = u.meetingID()
		u.assigned = &m
	}
	return u.assigned
}

// planned is the meeting that the path names, nil if there is none.
func (c *call) planned() *meeting {
	i := slices.IndexFunc(c.user.meetings, func(m *meeting) bool { return strings.EqualFold(m.id, c.name) })
	if i < 0 {
		return nil
	}
	m := c.user.meetings[i]
	c.path = "/onlineMeetings/myOnlineMeetings/" + m.id
	return m
}

// meetingID names a meeting. As with all that is issued, names are the same again
// where a session is to be repeatable.
func (u *user) meetingID() string {
	u.planned++
	return digest(u.cookie + "meeting " + strconv.Itoa(u.planned))[:8]
}

// meeting reads what was sent; what is absent is as onlineMeetingDefaultValues says.
func (c *call) meeting() (*meeting, error) {
	f, d := c.fields, &defaultMeeting
	m := &meeting{
		subject:          f.text("subject"),
		description:      f.text("description"),
		access:           orElse(f.oneOf("myOnlineMeetings", "accessLevel"), d.access),
		leaderAssignment: orElse(f.oneOf("myOnlineMeetings", "automaticLeaderAssignment"), d.leaderAssignment),
		announcement:     orElse(f.oneOf("myOnlineMeetings", "entryExitAnnouncement"), d.announcement),
		bypass:           orElse(f.oneOf("myOnlineMeetings", "lobbyBypassForPhoneUsers"), d.bypass),
		phones:           orElse(f.oneOf("myOnlineMeetings", "phoneUserAdmission"), d.phones),
		attendees:        f.uris("attendees"),
		leaders:          f.uris("leaders"),
	}
	now := c.server.clock.Now()
	m.expires = now.Add(defaultLength)
	if given := f.text("expirationTime"); given != "" {
		var is bool
		if m.expires, is = parseMoment(given); !is || m.expires.Before(now.AddDate(-1, 0, 0)) || m.expires.After(now.AddDate(10, 0, 0)) {
			f.reject("expirationTime", "is no time from a year ago to ten years ahead, of the form 2013-01-17T00:00:00Z or /Date(1358380800000)/")
		}
	}
	return m, f.err()
}

// parseMoment reads a time in either of the forms that requests have.
func parseMoment(text string) (at time.Time, is bool) {
	if inner, found := strings.CutPrefix(text, "/Date("); found {
		n, err := strconv.ParseInt(strings.TrimSuffix(inner, ")/"), 10, 64)
		return time.UnixMilli(n), err == nil && strings.HasSuffix(inner, ")/")
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

// uris is the value of an optional array of addresses.
func (f *fields) uris(name string) []string {
	var list []string
	if !f.value(name, &list, "an array of strings") {
		return nil
	}
	if len(list) > maxInvited || slices.ContainsFunc(list, func(uri string) bool { return !isAddress(uri) }) {
		f.reject(name, "has more than 250 members, or one that is no sip: or tel: URI")
	}
	return list
}

func (c *call) putMeeting(m *meeting) (answer, error) {
	if err := c.matches(c.showMeeting(m, c.path)); err != nil {
		return answer{}, err
	}
	changed, err := c.meeting()
	if err != nil {
		return answer{}, err
	}
	changed.id = m.id
	*m = *changed
	return ok(c.showMeeting(m, c.path)), nil
}

func (c *call) showMeeting(m *meeting, path string) object {
	rel, collection := "myOnlineMeeting", "myOnlineMeetings"
	if m == c.user.assigned {
		rel, collection = "myAssignedOnlineMeeting", "myAssignedOnlineMeeting"
	}
	address := c.user.URI[len("sip:"):]
	properties := object{
		c.app.putProperty(path),
		{"accessLevel", m.access},
		{"attendees", append([]string{}, m.attendees...)},
		{"automaticLeaderAssignment", m.leaderAssignment},
		{"description", m.description},
		{"entryExitAnnouncement", m.announcement},
		{"joinUrl", "https://" + c.server.host + "/meet/" + url.PathEscape(address) + "/" + m.id},
		{"leaders", append([]string{}, m.leaders...)},
		{"lobbyBypassForPhoneUsers", m.bypass},
		{"onlineMeetingId", m.id},
		{"onlineMeetingRel", collection},
		{"onlineMeetingUri", "sip:" + address + ";gruu;opaque=app:conf:focus:id:" + m.id},
		{"organizerUri", c.user.URI},
		{"phoneUserAdmission", m.phones},
		{"subject", m.subject},
	}
	if !m.expires.IsZero() {
		properties = append(properties, member{"expirationTime", moment{m.expires}})
	}
	return c.app.node(path, rel, properties)
}
