package ucwatest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// operation is one method of one resource. It runs alone and must not wait; an answer
// that comes later says so with held.
type operation func(*call) (answer, error)

// methods are the operations of one resource, by method.
type methods map[string]operation

// row is a resource: the page of the reference that has it, and what can be done with it.
type row struct {
	page string
	methods
}

var applications = &row{"applications", methods{http.MethodPost: createApplication}}

// resources are those of an application, by path below it, which is taken in any casing; * is one
// segment that names something, such as a contact. What is in no row is not there, and what is not
// in the row is not allowed. The last segment is the rel of the link that leads there, so that a
// resource need only say which children it links to, and its page, where no other is said.
var resources = sync.OnceValue(func() map[string]row {
	get, post := func(op operation) row { return row{"", methods{http.MethodGet: op}} }, func(op operation) row { return row{"", methods{http.MethodPost: op}} }
	return map[string]row{
		"":                 {"application", methods{http.MethodGet: getApplication, http.MethodDelete: deleteApplication}},
		"/policies":        get(getPolicies),
		"/batch":           post(postBatch),
		"/events":          get(getEvents),
		"/reportMyNetwork": post(postReportMyNetwork),
		photoPath:          {"photo", methods{http.MethodGet: getPhoto}},

		"/me":                           get(getMe),
		"/me/makeMeAvailable":           post(postMakeMeAvailable),
		"/me/presence":                  {"", methods{http.MethodGet: getPresence, http.MethodPost: postPresence}},
		"/me/note":                      {"", methods{http.MethodGet: getNote, http.MethodPost: postNote}},
		"/me/location":                  {"", methods{http.MethodGet: getLocation, http.MethodPost: postLocation}},
		"/me/reportMyActivity":          post(postReportMyActivity),
		"/me/phones":                    get(getPhones),
		"/me/phones/*":                  {"phone", methods{http.MethodGet: getPhone}},
		"/me/phones/*/changeNumber":     post(changeNumber),
		"/me/phones/*/changeVisibility": post(changeVisibility),
		forwardingPath:                  {"", methods{http.MethodGet: getForwarding, http.MethodPut: putForwarding}},
		forwardingPath + "/turnOffCallForwarding":                                post(turnOffForwarding),
		forwardingPath + "/immediateForwardSettings":                             get(getImmediate),
		forwardingPath + "/immediateForwardSettings/immediateForwardToContact":   post(forwardTo("ImmediateForward", "Contact")),
		forwardingPath + "/immediateForwardSettings/immediateForwardToDelegates": post(refuses(noDelegates)),
		forwardingPath + "/immediateForwardSettings/immediateForwardToVoicemail": post(forwardTo("ImmediateForward", "Voicemail")),
		forwardingPath + "/simultaneousRingSettings":                             {"", methods{http.MethodGet: getSimultaneous, http.MethodPut: putSimultaneous}},
		forwardingPath + "/simultaneousRingSettings/simultaneousRingToContact":   post(forwardTo("SimultaneousRing", "Contact")),
		forwardingPath + "/simultaneousRingSettings/simultaneousRingToDelegates": post(refuses(noDelegates)),
		forwardingPath + "/simultaneousRingSettings/simultaneousRingToTeam":      post(refuses(noTeam)),
		forwardingPath + "/unansweredCallSettings":                               {"", methods{http.MethodGet: getUnanswered, http.MethodPut: putUnanswered}},
		forwardingPath + "/unansweredCallSettings/resetUnansweredCallSettings":   post(resetUnanswered),
		forwardingPath + "/unansweredCallSettings/unansweredCallToContact":       post(unansweredTo("Contact")),
		forwardingPath + "/unansweredCallSettings/unansweredCallToVoicemail":     post(unansweredTo("Voicemail")),

		"/people":                                       get(getPeople),
		"/people/search":                                {"", methods{http.MethodGet: getSearch}},
		"/people/contacts/*":                            {"contact", methods{http.MethodGet: getContact}},
		"/people/contacts/*/contactLocation":            get(getContactLocation),
		"/people/contacts/*/contactNote":                get(getContactNote),
		"/people/contacts/*/contactPresence":            get(getContactPresence),
		"/people/contacts/*/contactPrivacyRelationship": {"", methods{http.MethodGet: getPrivacy, http.MethodPut: putPrivacy}},
		"/people/contacts/*/contactPrivacyRelationship/resetContactPrivacyRelationship": post(resetPrivacy),
		"/people/contacts/*/contactSupportedModalities":                                 get(getContactSupportedModalities),
		"/people/myContacts":                      get(getMyContacts),
		"/people/myContactsAndGroupsSubscription": get(getContactsSubscription),
		"/people/myContactsAndGroupsSubscription/startOrRefreshSubscriptionToContactsAndGroups": post(startContactsSubscription),
		"/people/myContactsAndGroupsSubscription/stopSubscriptionToContactsAndGroups":           post(stopContactsSubscription),
		"/people/myGroups":                                     {"", methods{http.MethodGet: getMyGroups, http.MethodPost: postMyGroups}},
		"/people/myGroups/defaultGroup":                        get(getGroup),
		"/people/myGroups/myOrganizationGroup":                 get(getGroup),
		"/people/myGroups/pinnedGroup":                         get(getGroup),
		"/people/groups/*":                                     {"group", methods{http.MethodGet: getGroup, http.MethodPut: putGroup, http.MethodDelete: deleteGroup}},
		"/people/groupContacts":                                get(getGroupContacts),
		"/people/subscribeToGroupPresence":                     post(subscribeToGroupPresence),
		"/people/distributionGroups/*":                         {"distributionGroup", methods{http.MethodGet: getDistributionGroup}},
		"/people/distributionGroups/*/expandDistributionGroup": get(getDistributionGroup),
		"/people/distributionGroups/*/addToContactList":        post(addToContactList),
		"/people/distributionGroups/*/removeFromContactList":   post(removeFromContactList),
		"/people/myGroupMemberships":                           {"", methods{http.MethodGet: getMemberships, http.MethodPost: postMemberships}},
		"/people/myGroupMemberships/*":                         {"myGroupMembership", methods{http.MethodGet: getMembership, http.MethodDelete: deleteMembership}},
		"/people/removeContactFromAllGroups":                   {"", methods{http.MethodPost: removeContactFromAllGroups}},
		"/people/myPrivacyRelationships":                       get(getMyPrivacyRelationships),
		"/people/myPrivacyRelationships/*":                     {"myPrivacyRelationship", methods{http.MethodGet: getMyPrivacyRelationship}},
		"/people/presenceSubscriptions":                        {"", methods{http.MethodGet: getSubscriptions, http.MethodPost: postSubscriptions}},
		"/people/presenceSubscriptions/*":                      {"presenceSubscription", methods{http.MethodGet: getSubscription, http.MethodPost: extendSubscription, http.MethodDelete: deleteSubscription}},
		"/people/presenceSubscriptionMemberships":              {"", methods{http.MethodGet: (*call).subscriptionMemberships, http.MethodPost: addToSubscription}},
		"/people/presenceSubscriptionMemberships/*/*":          {"presenceSubscriptionMembership", methods{http.MethodGet: getSubscriptionMembership, http.MethodDelete: deleteSubscriptionMembership}},
		"/people/addToPresenceSubscription":                    post(addToSubscription),
		"/people/memberships":                                  {"", methods{http.MethodGet: (*call).subscriptionMemberships, http.MethodPost: addToSubscription}},
		"/people/subscribedContacts":                           get(getSubscribedContacts),

		"/onlineMeetings":                                      get(getOnlineMeetings),
		"/onlineMeetings/myOnlineMeetings":                     {"", methods{http.MethodGet: getMyOnlineMeetings, http.MethodPost: postMyOnlineMeetings}},
		meetingPath:                                            {"myOnlineMeeting", methods{http.MethodGet: getMyOnlineMeeting, http.MethodPut: putMyOnlineMeeting, http.MethodDelete: deleteMyOnlineMeeting}},
		meetingPath + "/onlineMeetingExtensions":               {"", methods{http.MethodGet: getExtensions, http.MethodPost: postExtensions}},
		meetingPath + "/onlineMeetingExtensions/*":             {"onlineMeetingExtension", methods{http.MethodGet: getExtension, http.MethodPut: putExtension, http.MethodDelete: deleteExtension}},
		assignedPath:                                           {"", methods{http.MethodGet: getMyOnlineMeeting, http.MethodPut: putMyOnlineMeeting, http.MethodDelete: deleteMyOnlineMeeting}},
		assignedPath + "/onlineMeetingExtensions":              {"", methods{http.MethodGet: getExtensions, http.MethodPost: postExtensions}},
		assignedPath + "/onlineMeetingExtensions/*":            {"onlineMeetingExtension", methods{http.MethodGet: getExtension, http.MethodPut: putExtension, http.MethodDelete: deleteExtension}},
		"/onlineMeetings/onlineMeetingDefaultValues":           get(getOnlineMeetingDefaultValues),
		"/onlineMeetings/onlineMeetingEligibleValues":          get(getOnlineMeetingEligibleValues),
		"/onlineMeetings/onlineMeetingInvitationCustomization": get(getOnlineMeetingInvitationCustomization),
		"/onlineMeetings/onlineMeetingPolicies":                get(getOnlineMeetingPolicies),
		"/onlineMeetings/phoneDialInInformation":               get(getPhoneDialInInformation),
		"/onlineMeetings/phoneDialInInformation/dialInRegion":  get(getDialInRegion),

		"/communication":                                    {"", methods{http.MethodGet: getCommunication, http.MethodPut: putCommunication}},
		"/communication/conversations":                      get(getConversations),
		"/communication/conversationLogs":                   get(getBare),
		"/communication/mediaPolicies":                      get(getBare),
		"/communication/mediaRelayAccessToken":              get(getRelayToken),
		"/communication/mediaRelayAccessToken/mediaRelay":   get(getRelay),
		"/communication/missedItems":                        get(getMissedItems),
		"/communication/startMessaging":                     post(startMessaging),
		"/communication/startOnlineMeeting":                 post(startOnlineMeeting),
		"/communication/joinOnlineMeeting":                  post(joinOnlineMeeting),
		"/communication/startPhoneAudio":                    post(refuses(notSupported)),
		"/communication/addParticipant":                     post(addParticipant),
		"/communication/messagingInvitations/*":             {"messagingInvitation", methods{http.MethodGet: getInvitation}},
		"/communication/participantInvitations/*":           {"participantInvitation", methods{http.MethodGet: getInvitation}},
		"/communication/onlineMeetingInvitations/*":         {"onlineMeetingInvitation", methods{http.MethodGet: getInvitation}},
		"/communication/messagingInvitations/*/accept":      post(accept),
		"/communication/messagingInvitations/*/decline":     post(decline),
		"/communication/messagingInvitations/*/cancel":      post(cancel),
		"/communication/onlineMeetingInvitations/*/accept":  post(accept),
		"/communication/onlineMeetingInvitations/*/decline": post(decline),
		"/communication/participantInvitations/*/cancel":    post(cancel),

		conversationPath:                                   {"conversation", methods{http.MethodGet: getConversation, http.MethodDelete: deleteConversation}},
		conversationPath + "/messaging":                    get(getMessaging),
		conversationPath + "/messaging/addMessaging":       post(addMessaging),
		conversationPath + "/messaging/sendMessage":        post(sendMessage),
		conversationPath + "/messaging/setIsTyping":        post(setIsTyping),
		conversationPath + "/messaging/stopMessaging":      post(stopMessaging),
		conversationPath + "/messaging/typingParticipants": get(getTyping),
		conversationPath + "/messaging/messages/*":         {"message", methods{http.MethodGet: getMessage}},
		conversationPath + "/participants":                 get(getParticipants),
		participantPath:                                    {"participant", methods{http.MethodGet: getParticipant}},
		participantPath + "/participantMessaging":          get(getParticipantMessaging),
		participantPath + "/eject":                         post(leads(eject)),
		participantPath + "/promote":                       post(leads(toRole("Leader"))),
		participantPath + "/demote":                        post(leads(toRole("Attendee"))),
		participantPath + "/admit":                         post(leads(admitFromLobby)),
		participantPath + "/reject":                        post(leads(eject)),
		conversationPath + "/onlineMeeting":                get(getOnlineMeeting),
		conversationPath + "/attendees":                    get(roster("attendees", in("attendees"))),
		conversationPath + "/leaders":                      get(roster("leaders", in("leaders"))),
		conversationPath + "/lobby":                        get(getLobby),
		conversationPath + "/disableAudienceMessaging":     post(audience(func(m *meeting) { m.silent = true })),
		conversationPath + "/enableAudienceMessaging":      post(audience(func(m *meeting) { m.silent = false })),
		conversationPath + "/disableAudienceMuteLock":      post(audience(func(m *meeting) { m.muted = false })),
		conversationPath + "/enableAudienceMuteLock":       post(audience(func(m *meeting) { m.muted = true })),
	}
})

// Paths that other paths begin with.
const (
	forwardingPath   = "/me/callForwardingSettings"
	meetingPath      = "/onlineMeetings/myOnlineMeetings/*"
	assignedPath     = "/onlineMeetings/myAssignedOnlineMeeting"
	conversationPath = "/communication/conversations/*"
	participantPath  = conversationPath + "/participants/*"
)

// branch is a place among the paths of resources: what is there, and what is below it, by
// segments in lower case.
type branch struct {
	row   *row
	name  string // as the server writes it
	below map[string]*branch
}

var tree = sync.OnceValue(func() *branch {
	top := &branch{}
	for path, r := range resources() {
		at := top
		for _, name := range strings.Split(path, "/")[1:] {
			key := strings.ToLower(name)
			if at.below[key] == nil {
				if at.below == nil {
					at.below = map[string]*branch{}
				}
				at.below[key] = &branch{name: name}
			}
			at = at.below[key]
		}
		if r.page == "" {
			r.page = path[strings.LastIndex(path, "/")+1:]
		}
		at.row = &r
	}
	return top
})

// find returns the resource at a path, which has no casing, the path as the server writes it,
// and what the path names.
func find(segments []string) (there *row, path string, names []string, found bool) {
	at := tree()
	for _, segment := range segments {
		next := at.below[strings.ToLower(segment)]
		switch {
		case next != nil && segment != "*":
			path += "/" + next.name
		case at.below["*"] != nil:
			next = at.below["*"]
			path += "/" + url.PathEscape(segment)
			names = append(names, segment)
		default:
			return nil, "", nil, false
		}
		at = next
	}
	return at.row, path, names, at.row != nil
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
	return slices.ContainsFunc([]string{"/me/makeMeAvailable", "/me/reportMyActivity", "/me/phones", forwardingPath, "/people/", "/onlineMeetings/",
		"/communication/startMessaging", "/communication/startOnlineMeeting", "/communication/addParticipant"},
		func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// getBare is the GET of a resource of which the server has nothing to tell but where it is.
func getBare(c *call) (answer, error) { return ok(c.app.node(c.path, c.row.page, nil)), nil }

// refuses is a POST of which this deployment has not what it needs. What is sent must
// be well formed all the same.
func refuses(no *refusal) operation {
	return func(*call) (answer, error) { return answer{}, no }
}

// The ways in which it is refused.
var (
	notSupported = refuse(http.StatusForbidden, "OperationNotSupported", "This deployment does without the operation.")
	noDelegates  = refuse(http.StatusConflict, "NoDelegatesConfigured", "The user has no delegates.")
	noTeam       = refuse(http.StatusConflict, "NoTeamMembersConfigured", "The user has no team.")
)

// node is the resource at a path below the application, and its links: to itself
// and to children, which are named for the rel of the link.
func (a *application) node(path, rel string, properties object, children ...string) object {
	return resource(rel, properties, a.links(path, children...), nil)
}

// links are those of a resource: to itself and to children. To the second revision of a resource the link
// says so.
func (a *application) links(path string, children ...string) object {
	links := object{{"self", a.link(path)}}
	for _, child := range children {
		to := a.link(path + "/" + child)
		if slices.Contains(revised, child) {
			to = append(to, member{"revision", strconv.Itoa(newest)})
		}
		links = append(links, member{child, to})
	}
	return links
}

// revised are the rels of the resources that are served in their second revision.
var revised = []string{"contactPrivacyRelationship", "group", "myGroupMembership", "myGroupMemberships", "myGroups", "removeContactFromAllGroups", "search"}

// getPolicies says what this deployment has: nothing that needs another server.
func getPolicies(c *call) (answer, error) {
	photos := "Enabled"
	if c.user.NoPhoto {
		photos = "Disabled"
	}
	return ok(c.app.node("/policies", "policies", object{
		{"emoticons", "Enabled"},
		{"exchangeUnifiedMessaging", "Disabled"},
		{"htmlMessaging", "Enabled"},
		{"messageArchiving", "Disabled"},
		{"messagingUrls", "Enabled"},
		{"photos", photos},
		{"saveMessagingHistory", "Disabled"},
	})), nil
}
