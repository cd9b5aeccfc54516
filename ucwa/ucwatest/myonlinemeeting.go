package ucwatest

import (
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// Meetings that a user has planned. All of his applications see the same ones. What happens while
// one is held is in onlinemeeting.go.
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
	defaultMeeting = plan{access: "SameEnterprise", leaderAssignment: "Disabled", announcement: "Disabled", bypass: "Disabled", phones: "Disabled"}
	meetingsLinks  = []string{"myOnlineMeetings", "myAssignedOnlineMeeting", "onlineMeetingDefaultValues", "onlineMeetingEligibleValues",
		"onlineMeetingInvitationCustomization", "onlineMeetingPolicies", "phoneDialInInformation"}
)

// meeting is one that a user has planned, or holds.
type meeting struct {
	plan
	id            string
	organizer     *user
	extensions    []*extension
	session       *session // nil: nobody is there
	silent, muted bool     // the audience may not write, not speak
}

// plan is what can be said of a meeting beforehand.
type plan struct {
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
	var list []object
	for _, m := range c.user.meetings {
		list = append(list, c.showMeeting(m))
	}
	return ok(resource("myOnlineMeetings", nil, object{{"self", c.app.link(c.path)}},
		append(many("myOnlineMeeting", list), member{"myAssignedOnlineMeeting", []object{c.showMeeting(c.user.assignedMeeting())}}))), nil
}

// postMyOnlineMeetings plans a meeting: 200, as "Schedule an online meeting" has it, where the
// reference has 201.
func postMyOnlineMeetings(c *call) (answer, error) {
	p, err := c.plan()
	if err != nil {
		return answer{}, err
	}
	if len(c.user.meetings) >= maxMeetings {
		return answer{}, full(http.StatusConflict, "TooManyOnlineMeetings", maxMeetings, "meetings of a user")
	}
	m := &meeting{plan: p, id: c.user.next("meeting"), organizer: c.user}
	c.user.meetings = append(c.user.meetings, m)
	created := ok(c.showMeeting(m))
	created.header = http.Header{"Etag": {quoted(created.content)}}
	return created, nil
}

// ofMeeting is an operation on a meeting of the user's: the one that the path names, or the
// assigned one.
func ofMeeting(do func(*call, *meeting) (answer, error)) operation {
	return func(c *call) (answer, error) {
		if strings.HasPrefix(c.path, assignedPath) {
			return do(c, c.user.assignedMeeting())
		}
		m := first(c.user.meetings, func(m *meeting) bool { return strings.EqualFold(m.id, c.name()) })
		if m == nil {
			return answer{}, notFound()
		}
		return do(c, m)
	}
}

var (
	getMyOnlineMeeting = ofMeeting(func(c *call, m *meeting) (answer, error) { return ok(c.showMeeting(m)), nil })

	putMyOnlineMeeting = ofMeeting(func(c *call, m *meeting) (answer, error) {
		if err := c.matches(c.showMeeting(m)); err != nil {
			return answer{}, err
		}
		p, err := c.plan()
		if err != nil {
			return answer{}, err
		}
		m.plan = p
		return ok(c.showMeeting(m)), nil
	})

	// The assigned meeting is one that the user need not plan: it is there, and again
	// under another name when it was deleted.
	deleteMyOnlineMeeting = ofMeeting(func(c *call, m *meeting) (answer, error) {
		if m == c.user.assigned {
			c.user.assigned = nil
		}
		c.user.meetings = without(c.user.meetings, m)
		return noContent(), nil
	})
)

func (u *user) assignedMeeting() *meeting {
	if u.assigned == nil {
		u.assigned = &meeting{plan: defaultMeeting, id: u.next("meeting"), organizer: u}
	}
	return u.assigned
}

// path is where a meeting of the user's own is.
func (m *meeting) path() string {
	if m == m.organizer.assigned {
		return assignedPath
	}
	return "/onlineMeetings/myOnlineMeetings/" + m.id
}

// plan reads what was sent; what is absent is as onlineMeetingDefaultValues says.
func (c *call) plan() (plan, error) {
	f, d := c.fields, &defaultMeeting
	now := c.server.clock.Now()
	p := plan{
		subject:          f.text("subject"),
		description:      f.text("description"),
		access:           orElse(f.text("accessLevel"), d.access),
		leaderAssignment: orElse(f.text("automaticLeaderAssignment"), d.leaderAssignment),
		announcement:     orElse(f.text("entryExitAnnouncement"), d.announcement),
		bypass:           orElse(f.text("lobbyBypassForPhoneUsers"), d.bypass),
		phones:           orElse(f.text("phoneUserAdmission"), d.phones),
		attendees:        f.uris("attendees"),
		leaders:          f.uris("leaders"),
		expires:          now.Add(defaultLength),
	}
	if given := f.text("expirationTime"); given != "" {
		var is bool
		if p.expires, is = parseMoment(given); !is || p.expires.Before(now.AddDate(-1, 0, 0)) || p.expires.After(now.AddDate(10, 0, 0)) {
			f.reject("expirationTime", "is no time from a year ago to ten years ahead, of the form 2013-01-17T00:00:00Z or /Date(1358380800000)/")
		}
	}
	return p, f.err()
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
	list := f.list(name)
	if len(list) > maxInvited || slices.ContainsFunc(list, func(uri string) bool { return !isAddress(uri) }) {
		f.reject(name, "has more than 250 members, or one that is no sip: or tel: URI")
	}
	return list
}

// showMeeting is the resource of a meeting of the user's own.
func (c *call) showMeeting(m *meeting) object {
	rel, path := "myOnlineMeeting", m.path()
	if m == c.user.assigned {
		rel = "myAssignedOnlineMeeting"
	}
	links := object{{"self", c.app.link(path)}, {"onlineMeetingExtensions", c.app.link(path + "/onlineMeetingExtensions")}}
	var list []object
	for _, x := range m.extensions {
		list = append(list, c.app.extension(m, x))
	}
	return resource(rel, append(object{c.app.putProperty(path)}, m.properties()...), links, many("onlineMeetingExtension", list))
}

// properties are those of a meeting, planned or held.
func (m *meeting) properties() object {
	address := m.organizer.URI[len("sip:"):]
	collection := "myOnlineMeetings"
	if m == m.organizer.assigned {
		collection = "myAssignedOnlineMeeting"
	}
	properties := object{
		{"accessLevel", m.access},
		{"attendees", append([]string{}, m.attendees...)},
		{"automaticLeaderAssignment", m.leaderAssignment},
		{"conferenceId", conferenceID(m.id)},
		{"description", m.description},
		{"entryExitAnnouncement", m.announcement},
		{"joinUrl", "https://" + m.organizer.server.host + "/meet/" + url.PathEscape(address) + "/" + m.id},
		{"leaders", append([]string{}, m.leaders...)},
		{"lobbyBypassForPhoneUsers", m.bypass},
		{"onlineMeetingId", m.id},
		{"onlineMeetingRel", collection},
		{"onlineMeetingUri", m.uri()},
		{"organizerUri", m.organizer.URI},
		{"phoneUserAdmission", m.phones},
		{"subject", m.subject},
	}
	if !m.expires.IsZero() {
		properties = append(properties, member{"expirationTime", moment{m.expires}})
	}
	return properties
}

// conferenceID is what people who dial in would say of which meeting they mean.
func conferenceID(of string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(of))
	return strconv.FormatUint(uint64(h.Sum32()), 10)
}

func getOnlineMeetingInvitationCustomization(c *call) (answer, error) {
	help := "https://" + c.server.host + "/meet/help"
	return ok(c.app.node(c.path, "onlineMeetingInvitationCustomization", object{{"enterpriseHelpUrl", help}, {"invitationFooterText", ""},
		{"invitationHelpUrl", help}, {"invitationLegalUrl", help}, {"invitationLogoUrl", help}})), nil
}

// Numbers to dial in by there are for one region, and nobody answers them.

const dialIn = "+14255550100"

func (a *application) dialInRegion() object {
	return a.node("/onlineMeetings/phoneDialInInformation/dialInRegion", "dialInRegion", object{{"languages", []string{"en-US"}}, {"name", "Redmond"}, {"number", "tel:" + dialIn}})
}

func getDialInRegion(c *call) (answer, error) { return ok(c.app.dialInRegion()), nil }

func getPhoneDialInInformation(c *call) (answer, error) {
	page := "https://" + c.server.host + "/dialin"
	return ok(resource("phoneDialInInformation", object{{"defaultRegion", "Redmond"}, {"externalDirectoryUri", page}, {"internalDirectoryUri", page},
		{"isAudioConferenceProviderEnabled", false}, {"tollFreeNumbers", []string{}}, {"tollNumber", dialIn}},
		object{{"self", c.app.link(c.path)}}, object{{"dialInRegion", []object{c.app.dialInRegion()}}})), nil
}
