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
	join := `{"onlineMeetingUri":"` + dana.get(dana.in("/onlineMeeting")).at("onlineMeetingUri") + `"}`
	dana.post(dana.in("/messaging/addMessaging"), "").wants(201)
	lene.post("/communication/joinOnlineMeeting", join).wants(201)
	if told := lene.told(); !slices.Contains(told, "conversation: participantMessaging added in participant") {
		t.Errorf("who comes later is told %q", told)
	}
	dana.told()
	lene.post(lene.in("/messaging/addMessaging"), "").wants(201)
	dana.wantsTold("conversation: participantMessaging added in participant")
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
