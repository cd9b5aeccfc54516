package ucwatest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestTwoEndpointsInAMeeting: a user who is there with two applications is one participant, and what is
// done with him is done with both.
func TestTwoEndpointsInAMeeting(t *testing.T) {
	w, dana, lene := pair(t)
	second := w.create(lene.token, 7)
	dana.post("/communication/startOnlineMeeting", `{}`).wants(201)
	join := `{"onlineMeetingUri":"` + dana.get(dana.in("/onlineMeeting")).at("onlineMeetingUri") + `"}`
	for _, one := range []*app{lene, second} {
		one.post("/communication/joinOnlineMeeting", join).wants(201)
		one.post("/communication/joinOnlineMeeting", join).wants(409, "Conflict", "AlreadyExists")
		one.post(one.in("/messaging/addMessaging"), "").wants(201)
	}
	told := dana.told()
	if n := len(slices.DeleteFunc(told, func(line string) bool { return !strings.Contains(line, "participant added in attendees") })); n != 1 {
		t.Errorf("told %d times of one participant: %q", n, told)
	}
	if n := dana.get(dana.in("")).json()["participantCount"]; n != 2.0 {
		t.Errorf("%v participants", n)
	}
	him := dana.in("/participants/lene@contoso.com")
	dana.post(him+"/promote", "").wants(204)
	if got := dana.get(dana.in("/attendees")).Body.String(); strings.Contains(got, "lene") {
		t.Errorf("a leader is an attendee, too: %s", got)
	}
	// One endpoint that leaves is not the user who leaves.
	second.do("DELETE", second.in(""), "").wants(204)
	dana.told()
	dana.get(him).wants(200)
	second.post("/communication/joinOnlineMeeting", join).wants(201)
	dana.told()
	dana.post(him+"/eject", "").wants(204)
	dana.wantsTold("conversation: participant deleted in leaders")
	for _, one := range []*app{lene, second} {
		if got := one.get("/communication/conversations").json()["_links"].(map[string]any)["conversation"]; got != nil {
			t.Errorf("an endpoint is left in the meeting: %v", got)
		}
	}
	// Who is asked, and has not come, is not in.
	dana.post("/communication/addParticipant?conversation="+dana.conversation(), `{"to":"sip:lene@contoso.com"}`).wants(201)
	lene.post(lene.in("/disableAudienceMessaging"), "").wants(409)
	lene.get(lene.in("/leaders")).wants(404)
}

// TestJoinedMessaging: who is in a meeting without messaging is told who has it.
func TestJoinedMessaging(t *testing.T) {
	_, dana, lene := pair(t)
	dana.post("/communication/startOnlineMeeting", `{}`).wants(201)
	dana.post(dana.in("/messaging/addMessaging"), "").wants(201)
	lene.joins(dana)
	if told := lene.told(); !slices.Contains(told, "conversation: participantMessaging added in participant") {
		t.Errorf("who comes later is told %q", told)
	}
	dana.told()
	lene.post(lene.in("/messaging/addMessaging"), "").wants(201)
	dana.post(dana.in("/participants/lene@contoso.com/promote"), "").wants(204) // before that was told
	dana.wantsTold("conversation: participantMessaging added in participant", "conversation: participant deleted in attendees", "conversation: participant added in leaders")
}

// TestNothingIsLeftBehind has things added and taken away that nobody has been told of.
func TestNothingIsLeftBehind(t *testing.T) {
	_, dana, lene := pair(t)
	for range 21_000 { // more than are kept for a client that stays away
		id := dana.post(subscriptions, `{"duration":10,"uris":["sip:lene@contoso.com"]}`).wants(201).at("id")
		dana.do("DELETE", subscriptions+"/"+id, "").wants(204)
	}
	dana.wantsTold()
	for range 30 { // invitations with a megabyte each
		location := dana.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com","message":"data:,`+strings.Repeat("x", 900_000)+`"}`).wants(201).Header().Get("Location")
		dana.send(request("POST", location+"/cancel", dana.token, "")).wants(204)
		dana.told()
	}
	size := 0
	for _, e := range lene.happened() {
		size += len(fmt.Sprint(e.event))
	}
	if size > 20<<20 {
		t.Errorf("%d bytes of events were kept", size)
	}
	// A group that everybody has stays as it is, and no two have one name.
	for _, name := range []string{"a", "b"} {
		dana.post("/people/myGroups", `{"displayName":"`+name+`"}`).wants(204)
	}
	group := "/people/groups/" + dana.get("/people/myGroups").id("group")
	dana.put(group, `{"name":"B"}`, "*").wants(409, "Conflict", "AlreadyExists")
	dana.do("PUT", "/people/groups/defaultGroup", `{"name":"mine"}`, "If-Match", "*").wants(404)
	// The relationship to a contact has no casing.
	const path = "/people/contacts/"
	dana.put(path+"sip:lene@contoso.com/contactPrivacyRelationship", `{"relationshipLevel":"Workgroup"}`, "*").wants(200)
	dana.put(path+"sip:LENE@contoso.com/contactPrivacyRelationship", `{"relationshipLevel":"Blocked"}`, "*").wants(200)
	if got := dana.get(path + "sip:lene@contoso.com/contactPrivacyRelationship").at("relationshipLevel"); got != "Blocked" {
		t.Errorf("level %s", got)
	}
}

// TestInputThatCannotBe is sent by nobody who means well.
func TestInputThatCannotBe(t *testing.T) {
	_, dana, _ := pair(t)
	xml := func(body string) *reply {
		return dana.do("POST", "/me/note", body, "Content-Type", "application/xml")
	}
	for _, number := range []string{"true", "{}", "1e999", "--1"} {
		xml(`<resource xmlns="` + namespace + `" rel="simultaneousRingSettings"><property name="ringDelay">` + number + `</property></resource>`).wants(204)
	}
	xml(`<reason xmlns="`+namespace+`"><message>x</message></reason>`).wants(400, "BadRequest", "DeserializationFailure")
	xml(`<events xmlns="`+namespace+`"/>`).wants(400, "BadRequest", "DeserializationFailure")
	var many strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&many, `"%x",`, i)
	}
	dana.post(subscriptions, `{"duration":10,"uris":[`+strings.TrimSuffix(many.String(), ",")+`]}`).wants(400, "BadRequest", "ParameterValidationFailure")
	// What could not be part of a URL.
	dana.post("/people/myGroupMemberships", `{"contactUri":"sip:a/b@contoso.com"}`).wants(400, "BadRequest", "ParameterValidationFailure")
	dana.post("/onlineMeetings/myAssignedOnlineMeeting/onlineMeetingExtensions", `{"id":"a/b"}`).wants(400, "BadRequest", "ParameterValidationFailure")
	// An id of one sort of invitation is none of another.
	location := dana.post("/communication/startMessaging", `{"to":"sip:nobody@contoso.com"}`).wants(201).Header().Get("Location")
	dana.send(request("GET", strings.Replace(location, "messagingInvitations", "participantInvitations", 1), dana.token, "")).wants(404)
}

// TestSecondRevision: who asks for it with each request is held to what it requires, and to what the first does.
func TestSecondRevision(t *testing.T) {
	_, dana, _ := pair(t)
	ask := func(path, body string) *reply {
		return dana.send(request("POST", path, dana.token, body, "X-MS-RequiresMinResourceVersion", "2.0"))
	}
	ask(root, `{"userAgent":"x"}`).wants(400, "BadRequest", "ParameterValidationFailure")
	ask(dana.href+"/communication/startMessaging", `{"to":"sip:lene@contoso.com"}`).wants(400, "BadRequest", "ParameterValidationFailure")
	ask(dana.href+"/communication/startMessaging", `{"to":"sip:lene@contoso.com","operationId":"1"}`).wants(201)
	ask(dana.href+"/me/presence", `{"availability":"Away"}`).wants(204)
}

// TestKeptMessages sends megabytes that nobody receives: what can still be looked at is bounded.
func TestKeptMessages(t *testing.T) {
	w, dana, _ := pair(t)
	dana.post("/communication/startOnlineMeeting", `{}`).wants(201)
	dana.post(dana.in("/messaging/addMessaging"), "").wants(201)
	first := ""
	for range 100 {
		sent := dana.do("POST", dana.in("/messaging/sendMessage"), strings.Repeat("&", 1<<20), "Content-Type", "text/plain").wants(201)
		if first == "" {
			first = sent.Header().Get("Location")
		}
	}
	if kept := ucwatest.KeptText(w.server); kept > 17<<20 {
		t.Errorf("%d bytes are kept", kept)
	}
	dana.send(request("GET", first, dana.token, "")).wants(200)
	w.clock.Advance(30 * time.Second)
	if kept := ucwatest.KeptText(w.server); kept != 0 {
		t.Errorf("%d bytes are kept after their time", kept)
	}
}

// endpoint is another application of a user, available for messages, who has been told all that there was so far.
func (w *world) endpoint(u ucwatest.User, n int) *app {
	w.Helper()
	a := w.create(w.server.AddUser(u), n)
	a.post("/me/makeMeAvailable", `{"supportedModalities":["Messaging"],"inactiveTimeout":"PT24H"}`).wants(204)
	a.told()
	return a
}

// joins has the application join the meeting in which another is.
func (a *app) joins(host *app) *reply {
	a.Helper()
	return a.post("/communication/joinOnlineMeeting", `{"onlineMeetingUri":"`+host.get(host.in("/onlineMeeting")).at("onlineMeetingUri")+`"}`).wants(201)
}

// TestLobbyOfSeveral: what a leader does in the lobby holds for all of a user's applications, and who
// becomes a leader learns who waits there.
func TestLobbyOfSeveral(t *testing.T) {
	w, dana, lene := pair(t)
	second := w.endpoint(ucwatest.User{URI: "sip:dana@contoso.com"}, 7)
	lee := w.endpoint(ucwatest.User{Name: "Lee", URI: "sip:lee@contoso.com"}, 8)
	planned := lene.post("/onlineMeetings/myOnlineMeetings", `{"accessLevel":"Locked"}`).wants(200)
	lene.post("/communication/joinOnlineMeeting", `{"onlineMeetingUri":"`+planned.at("onlineMeetingUri")+`"}`).wants(201)
	dana.joins(lene)
	lene.post(lene.in("/participants/Dana@contoso.com/admit"), "").wants(204)
	second.joins(lene)
	if got := second.get(second.in("")).at("state"); got != "Conferenced" {
		t.Errorf("the second application of who is in is %s", got)
	}
	lee.joins(lene)
	for _, one := range []*app{dana, second, lene} {
		one.told()
	}
	lene.post(lene.in("/participants/Dana@contoso.com/promote"), "").wants(204)
	for _, one := range []*app{dana, second} {
		if told := one.told(); !slices.Contains(told, "conversation: participant added in lobby") {
			t.Errorf("a new leader is told %q", told)
		}
	}
	lene.post(lene.in("/participants/Dana@contoso.com/demote"), "").wants(204)
	if told := dana.told(); !slices.Contains(told, "conversation: participant deleted in lobby") {
		t.Errorf("who leads no more is told %q", told)
	}
	// Who is asked, and comes by himself, has not missed anything.
	lene.post("/communication/addParticipant?conversation="+lene.conversation(), `{"to":"sip:lene@contoso.com"}`).wants(201)
	other := w.endpoint(ucwatest.User{URI: "sip:kim@contoso.com"}, 9)
	third := w.endpoint(ucwatest.User{URI: "sip:kim@contoso.com"}, 10)
	lene.post("/communication/addParticipant?conversation="+lene.conversation(), `{"to":"sip:kim@contoso.com"}`).wants(201)
	lene.told()
	silent := w.create(other.token, 11)
	silent.joins(lene)
	if told := lene.told(); !slices.Contains(told, "communication: participantInvitation completed, Connected, Outgoing, Success") {
		t.Errorf("%q", told)
	}
	w.clock.Advance(time.Minute)
	if got := third.get("/communication/missedItems").json()["missedConversationsCount"]; got != 0.0 {
		t.Errorf("%v missed", got)
	}
}

// TestOneOfTwoTypes: with two applications, what one of them has is what the user has.
func TestOneOfTwoTypes(t *testing.T) {
	w, dana, lene := pair(t)
	second := w.endpoint(ucwatest.User{URI: "sip:lene@contoso.com"}, 7)
	dana.post("/communication/startOnlineMeeting", `{}`).wants(201)
	dana.post(dana.in("/messaging/addMessaging"), "").wants(201)
	lene.joins(dana)
	second.joins(dana)
	dana.told()
	second.post(second.in("/messaging/addMessaging"), "").wants(201)
	second.post(second.in("/messaging/setIsTyping"), "").wants(204)
	dana.wantsTold("conversation: participantMessaging added in participant", "conversation: participant added in typingParticipants")
	dana.get(dana.in("/participants/lene@contoso.com/participantMessaging")).wants(200)
	if got := dana.get(dana.in("/messaging/typingParticipants")).inside("participant")["title"]; got != "Lene <Aaling>" {
		t.Errorf("%v is typing", got)
	}
	// What somebody said who has left can be looked at, and leads to nobody.
	said := second.say("bye").Header().Get("Location")
	second.do("DELETE", second.in(""), "").wants(204)
	if told := dana.told(); !slices.Contains(told, "conversation: participantMessaging deleted in participant") {
		t.Errorf("%q", told)
	}
	second.send(request("GET", said, second.token, "")).wants(404)
	lene.do("DELETE", lene.in(""), "").wants(204)
	dana.told()
	for n := range 3 {
		r := dana.get(dana.in(fmt.Sprint("/messaging/messages/", n+1)))
		if r.Code == 200 && strings.Contains(r.Body.String(), "participants/lene") {
			t.Errorf("a message leads to who has left: %s", r.Body)
		}
	}
}

// TestNeverHeardOf: of what came and went unseen nothing is told, and of what is there everything.
func TestNeverHeardOf(t *testing.T) {
	w, dana, lene := pair(t)
	dana.post("/communication/startOnlineMeeting", `{}`).wants(201)
	dana.told()
	lene.joins(dana)
	lene.post(lene.in("/messaging/addMessaging"), "").wants(201)
	lene.do("DELETE", lene.in(""), "").wants(204)
	dana.wantsTold()

	dana.post("/people/myContactsAndGroupsSubscription/startOrRefreshSubscriptionToContactsAndGroups?duration=10", "").wants(201)
	dana.told()
	dana.post("/people/myGroups", `{"displayName":"x"}`).wants(204)
	group := dana.get("/people/myGroups").id("group")
	dana.post("/people/myGroupMemberships", `{"contactUri":"sip:lene@contoso.com","groupId":"`+group+`"}`).wants(201)
	dana.put("/people/groups/"+group, `{"name":"y"}`, "*").wants(200)
	dana.do("DELETE", "/people/groups/"+group, "").wants(204)
	dana.wantsTold("people: contact added in myContacts", "people: contact added in defaultGroup")

	// Who is subscribed to before he has an account is told of when he has one.
	id := dana.post(subscriptions, `{"duration":10,"uris":["sip:late@contoso.com"]}`).wants(201).at("id")
	dana.wantsTold("people: presenceSubscription added")
	w.server.AddUser(ucwatest.User{URI: "sip:late@contoso.com"})
	dana.wantsTold("people: contact added in subscribedContacts", "people: contactPresence updated in contact")
	dana.do("DELETE", subscriptions+"/"+id, "").wants(204)
	dana.wantsTold("people: contact deleted in subscribedContacts", "people: presenceSubscription deleted")

	// A user without a client can be given one, which can go.
	echo := w.create(w.server.AddUser(ucwatest.User{URI: "sip:echo@contoso.com", Script: "echo"}), 4)
	echo.do("DELETE", "", "").wants(204)
	if got := w.server.Presence("sip:echo@contoso.com"); got != "Online" {
		t.Errorf("echo is %s", got)
	}
	// An inviter who does not fetch is refused.
	refused := false
	for range 30 {
		r := dana.post("/communication/startMessaging", `{"to":"sip:nobody@contoso.com","message":"data:,`+strings.Repeat("x", 900_000)+`"}`)
		refused = refused || r.Code == 429
	}
	if !refused {
		t.Error("nothing bounds what an inviter has waiting")
	}
}
