package ucwatest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// operation is one method of one resource. It runs with the lock of the user
// held and must not wait; an answer that comes later says so with held.
type operation func(*call) (answer, error)

// methods are the operations of one resource, by method.
type methods map[string]operation

var applications = methods{http.MethodPost: createApplication}

// resources are those of an application, by path below it, taken in any casing; * is one segment that
// names something, such as a contact. What is in no row is not there, and what is
// not in the row is not allowed. Most paths end in the rel of the link that leads
// there, so that a resource need only say which children it links to.
var resources = sync.OnceValue(func() map[string]methods {
	return map[string]methods{
		"":          {http.MethodGet: getApplication, http.MethodDelete: deleteApplication},
		"/policies": {http.MethodGet: getPolicies},
		"/batch":    {http.MethodPost: postBatch},
		"/events":   {http.MethodGet: getEvents},
		photoPath:   {http.MethodGet: getPhoto},

		"/me":                           {http.MethodGet: getMe},
		"/me/makeMeAvailable":           {http.MethodPost: postMakeMeAvailable},
		"/me/presence":                  {http.MethodGet: getPresence, http.MethodPost: postPresence},
		"/me/note":                      {http.MethodGet: getNote, http.MethodPost: postNote},
		"/me/location":                  {http.MethodGet: getLocation, http.MethodPost: postLocation},
		"/me/reportMyActivity":          {http.MethodPost: postReportMyActivity},
		"/me/phones":                    {http.MethodGet: getPhones},
		"/me/phones/*":                  {http.MethodGet: getPhone},
		"/me/phones/*/changeNumber":     {http.MethodPost: changeNumber},
		"/me/phones/*/changeVisibility": {http.MethodPost: changeVisibility},
		"/me/callForwardingSettings":    {http.MethodGet: getForwarding, http.MethodPut: putForwarding},
		"/me/callForwardingSettings/turnOffCallForwarding":                                {http.MethodPost: turnOffForwarding},
		"/me/callForwardingSettings/immediateForwardSettings":                             {http.MethodGet: getImmediate},
		"/me/callForwardingSettings/immediateForwardSettings/immediateForwardToContact":   {http.MethodPost: forwardTo("ImmediateForward", "Contact")},
		"/me/callForwardingSettings/immediateForwardSettings/immediateForwardToDelegates": {http.MethodPost: refuses(noDelegates)},
		"/me/callForwardingSettings/immediateForwardSettings/immediateForwardToVoicemail": {http.MethodPost: forwardTo("ImmediateForward", "Voicemail")},
		"/me/callForwardingSettings/simultaneousRingSettings":                             {http.MethodGet: getSimultaneous, http.MethodPut: putSimultaneous},
		"/me/callForwardingSettings/simultaneousRingSettings/simultaneousRingToContact":   {http.MethodPost: forwardTo("SimultaneousRing", "Contact")},
		"/me/callForwardingSettings/simultaneousRingSettings/simultaneousRingToDelegates": {http.MethodPost: refuses(noDelegates)},
		"/me/callForwardingSettings/simultaneousRingSettings/simultaneousRingToTeam":      {http.MethodPost: refuses(noTeam)},
		"/me/callForwardingSettings/unansweredCallSettings":                               {http.MethodGet: getUnanswered, http.MethodPut: putUnanswered},
		"/me/callForwardingSettings/unansweredCallSettings/resetUnansweredCallSettings":   {http.MethodPost: resetUnanswered},
		"/me/callForwardingSettings/unansweredCallSettings/unansweredCallToContact":       {http.MethodPost: unansweredTo("Contact")},
		"/me/callForwardingSettings/unansweredCallSettings/unansweredCallToVoicemail":     {http.MethodPost: unansweredTo("Voicemail")},

		"/people":            {http.MethodGet: getPeople},
		"/people/myContacts": {http.MethodGet: shows("myContacts")},
		"/people/myContactsAndGroupsSubscription":                                               {http.MethodGet: getContactsSubscription},
		"/people/myContactsAndGroupsSubscription/startOrRefreshSubscriptionToContactsAndGroups": {http.MethodPost: refuses(conflict)},
		"/people/myContactsAndGroupsSubscription/stopSubscriptionToContactsAndGroups":           {http.MethodPost: refuses(conflict)},
		"/people/myGroups":                                       {http.MethodGet: shows("myGroups", "defaultGroup", "pinnedGroup")},
		"/people/myGroups/defaultGroup":                          {http.MethodGet: getGroup("defaultGroup", "Other Contacts")},
		"/people/myGroups/pinnedGroup":                           {http.MethodGet: getGroup("pinnedGroup", "Pinned Contacts")},
		"/people/myGroups/defaultGroup/groupContacts":            {http.MethodGet: shows("groupContacts")},
		"/people/myGroups/defaultGroup/subscribeToGroupPresence": {http.MethodPost: refuses(conflict)},
		"/people/myGroups/pinnedGroup/groupContacts":             {http.MethodGet: shows("groupContacts")},
		"/people/myGroups/pinnedGroup/subscribeToGroupPresence":  {http.MethodPost: refuses(conflict)},
		"/people/myGroupMemberships":                             {http.MethodGet: shows("myGroupMemberships")},
		"/people/myPrivacyRelationships":                         {http.MethodGet: shows("myPrivacyRelationships")},
		"/people/presenceSubscriptions":                          {http.MethodGet: shows("presenceSubscriptions"), http.MethodPost: refuses(notSupported)},
		"/people/presenceSubscriptionMemberships":                {http.MethodGet: shows("presenceSubscriptionMemberships"), http.MethodPost: refuses(notSupported)},
		"/people/subscribedContacts":                             {http.MethodGet: shows("subscribedContacts")},
		"/people/search":                                         {http.MethodGet: getSearch},
		"/people/contacts/*":                                     {http.MethodGet: getContact},
		"/people/contacts/*/contactLocation":                     {http.MethodGet: getContactLocation},
		"/people/contacts/*/contactNote":                         {http.MethodGet: getContactNote},
		"/people/contacts/*/contactPresence":                     {http.MethodGet: getContactPresence},
		"/people/contacts/*/contactPrivacyRelationship":          {http.MethodGet: getContactPrivacyRelationship},
		"/people/contacts/*/contactSupportedModalities":          {http.MethodGet: getContactSupportedModalities},

		"/onlineMeetings":                                      {http.MethodGet: getOnlineMeetings},
		"/onlineMeetings/myOnlineMeetings":                     {http.MethodGet: getMyOnlineMeetings, http.MethodPost: postMyOnlineMeetings},
		"/onlineMeetings/myOnlineMeetings/*":                   {http.MethodGet: getMyOnlineMeeting, http.MethodPut: putMyOnlineMeeting, http.MethodDelete: deleteMyOnlineMeeting},
		"/onlineMeetings/myAssignedOnlineMeeting":              {http.MethodGet: getAssigned, http.MethodPut: putAssigned, http.MethodDelete: deleteAssigned},
		"/onlineMeetings/onlineMeetingDefaultValues":           {http.MethodGet: getOnlineMeetingDefaultValues},
		"/onlineMeetings/onlineMeetingEligibleValues":          {http.MethodGet: getOnlineMeetingEligibleValues},
		"/onlineMeetings/onlineMeetingInvitationCustomization": {http.MethodGet: shows("onlineMeetingInvitationCustomization")},
		"/onlineMeetings/onlineMeetingPolicies":                {http.MethodGet: getOnlineMeetingPolicies},
		"/onlineMeetings/phoneDialInInformation":               {http.MethodGet: shows("phoneDialInInformation")},

		"/communication":                       {http.MethodGet: getCommunication, http.MethodPut: putCommunication},
		"/communication/conversations":         {http.MethodGet: shows("conversations")},
		"/communication/conversationLogs":      {http.MethodGet: shows("conversationLogs")},
		"/communication/mediaPolicies":         {http.MethodGet: shows("mediaPolicies")},
		"/communication/mediaRelayAccessToken": {http.MethodGet: shows("mediaRelayAccessToken")},
		"/communication/missedItems":           {http.MethodGet: shows("missedItems")},
		"/communication/joinOnlineMeeting":     {http.MethodPost: starts(notSupported)},
		"/communication/startMessaging":        {http.MethodPost: starts(notSupported, "to")},
		"/communication/startOnlineMeeting":    {http.MethodPost: starts(conflict)},
		"/communication/startPhoneAudio":       {http.MethodPost: starts(notSupported, "to")},
	}
})

// operation is what a method does. HEAD is a GET, as in all of HTTP, but for the
// event channel: to ask for nothing but the headers would take events away unseen.
func (m methods) operation(method, path string) (operation, bool) {
	if method == http.MethodHead && path != "/events" {
		method = http.MethodGet
	}
	run, allowed := m[method]
	return run, allowed
}

func methodNotAllowed(m methods) *refusal {
	return refuse(http.StatusMethodNotAllowed, "", "The resource has no such method.").with("Allow", m.allow())
}

// options answers OPTIONS: which methods there are.
func options(m methods) answer {
	return answer{status: http.StatusNoContent, header: http.Header{"Allow": {m.allow()}}}
}

// allow lists the methods that the resource has of its own; HEAD and OPTIONS are HTTP's.
func (m methods) allow() string { return strings.Join(slices.Sorted(maps.Keys(m)), ", ") }

// personal tells whether what is at a path is there only for those with an account.
func personal(path string) bool {
	return slices.ContainsFunc([]string{"/me/phones", "/me/callForwardingSettings", "/people/", "/onlineMeetings/"},
		func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// patterns are the paths of resources by themselves in lower case.
var patterns = sync.OnceValue(func() map[string]string {
	p := map[string]string{}
	for path := range resources() {
		p[strings.ToLower(path)] = path
	}
	return p
})

// find returns the row of a path, which has no casing, and the path as the server writes it.
// Where the row has a *, name is what stands there.
func find(segments []string) (row methods, path, name string, found bool) {
	if pattern, found := patterns()[strings.ToLower(join(segments))]; found && !slices.Contains(segments, "*") {
		return resources()[pattern], pattern, "", true
	}
	for i := range segments {
		wild := slices.Clone(segments)
		wild[i] = "*"
		if pattern, found := patterns()[strings.ToLower(join(wild))]; found {
			return resources()[pattern], strings.Replace(pattern, "*", segments[i], 1), segments[i], true
		}
	}
	return nil, strings.ToLower(join(segments)), "", false
}

func join(segments []string) string {
	if len(segments) == 0 {
		return ""
	}
	return "/" + strings.Join(segments, "/")
}

// shows is the GET of a resource that has nothing but links: to itself and to
// some of its children. Where the reference gives a resource more, the server has
// none of it to tell.
func shows(rel string, children ...string) operation {
	return func(c *call) (answer, error) { return ok(c.app.node(c.path, rel, nil, children...)), nil }
}

// refuses is a POST of which this deployment has not what it needs. What is sent must
// be well formed all the same.
func refuses(no *refusal) operation {
	return func(*call) (answer, error) { return answer{}, no }
}

// The ways in which it is refused: where the reference has no 403 for an operation,
// as a conflict.
var (
	notSupported = refuse(http.StatusForbidden, "OperationNotSupported", "This deployment does without the operation.")
	conflict     = refuse(http.StatusConflict, "", "This deployment does without the operation.")
	noDelegates  = refuse(http.StatusConflict, "NoDelegatesConfigured", "The user has no delegates.")
	noTeam       = refuse(http.StatusConflict, "NoTeamMembersConfigured", "The user has no team.")
)

// node is the resource at a path below the application, and its links: to itself
// and to children, which are named for the rel of the link.
func (a *application) node(path, rel string, properties object, children ...string) object {
	links := object{{"self", a.link(path)}}
	for _, child := range children {
		links = append(links, member{child, a.link(path + "/" + child)})
	}
	return resource(rel, properties, links, nil)
}

// getPolicies says what this deployment has: nothing that needs another server.
func getPolicies(c *call) (answer, error) {
	return ok(c.app.node("/policies", "policies", object{
		{"emoticons", "Enabled"},
		{"exchangeUnifiedMessaging", "Disabled"},
		{"htmlMessaging", "Enabled"},
		{"messageArchiving", "Disabled"},
		{"messagingUrls", "Enabled"},
		{"photos", "Enabled"},
		{"saveMessagingHistory", "Disabled"},
	})), nil
}
