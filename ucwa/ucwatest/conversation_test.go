package ucwatest_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// told is what the application was told since it last asked, an event a line: who tells, of
// what, and what of it.
func (a *app) told() (lines []string) {
	a.Helper()
	for _, e := range a.happened() {
		line := e.sender + ": " + e.rel + " " + e.kind
		if in, is := e.event["in"].(map[string]any); is {
			line += " in " + in["rel"].(string)
		}
		for name, r := range embedded(e.event) {
			for _, property := range []string{"state", "direction"} {
				if v, is := r[property].(string); is {
					line += ", " + v
				}
			}
			if name != e.rel {
				a.Errorf("%s embeds %s", line, name)
			}
		}
		if status, is := e.event["status"].(string); is {
			line += ", " + status
		}
		if reason, is := e.event["reason"].(map[string]any); is {
			line += fmt.Sprint(", ", reason["code"], " ", reason["subcode"])
		}
		lines = append(lines, line)
	}
	return lines
}

// wantsTold holds that those events came, in that order, and no others.
func (a *app) wantsTold(want ...string) {
	a.Helper()
	if d := cmp.Diff(want, a.told()); d != "" {
		a.Errorf("events: %s", d)
	}
}

// pair is two users who have been told all that there was so far, and for a day do not become
// idle, or silent.
func pair(t *testing.T) (w *world, dana, lene *app) {
	t.Helper()
	w = newWorld(t, func(c *ucwatest.Config) { c.Expiry = 48 * time.Hour })
	dana, lene = w.dana(false), w.lene("Online")
	dana.post("/me/makeMeAvailable", `{"supportedModalities":["Messaging"],"inactiveTimeout":"PT24H"}`).wants(204)
	dana.told()
	lene.told()
	return w, dana, lene
}

// in is the path of the application's first conversation, and what follows.
func (a *app) in(path string) string {
	a.Helper()
	return "/communication/conversations/" + a.conversation() + path
}

// TestSendAndReceive goes through "Send an IM" and "Receive an IM" with both sides.
func TestSendAndReceive(t *testing.T) {
	_, dana, lene := pair(t)
	started := dana.post("/communication/startMessaging", `{"importance":"Normal","sessionContext":"33dc0ef6","subject":"Task Sample","telemetryId":null,"to":"sip:lene@contoso.com","operationId":"5028e824"}`).wants(201)
	invitation := dana.send(request("GET", started.Header().Get("Location"), dana.token, "")).wants(200)
	if invitation.at("operationId") != "5028e824" || invitation.at("state") != "Connecting" || invitation.at("direction") != "Outgoing" {
		t.Errorf("%s", invitation.Body)
	}
	dana.wantsTold("communication: messagingInvitation started, Connecting, Outgoing", "communication: conversation added, Connecting",
		"conversation: localParticipant added", "conversation: messaging updated, Connecting")
	if r := dana.get(dana.in("/messaging")).wants(200).json()["_links"].(map[string]any); r["sendMessage"] != nil || r["stopMessaging"] == nil {
		t.Errorf("messaging that is connecting links to %v", r)
	}
	dana.do("POST", dana.in("/messaging/sendMessage"), "too early", "Content-Type", "text/plain").wants(409)

	events := lene.happened()
	offered := events[0].event["_embedded"].(map[string]any)["messagingInvitation"].(map[string]any)
	if from := offered["_embedded"].(map[string]any)["from"].(map[string]any); from["uri"] != "sip:Dana@contoso.com" || from["rel"] != "participant" {
		t.Errorf("from %v", from)
	}
	var lines []string
	for _, e := range events {
		lines = append(lines, e.rel+" "+e.kind)
	}
	if d := cmp.Diff([]string{"messagingInvitation started", "conversation added", "localParticipant added", "participant added"}, lines); d != "" {
		t.Error(d)
	}
	if state := lene.get(lene.in("")).wants(200).at("state"); state != "Incoming" {
		t.Errorf("state %s", state)
	}
	accept := offered["_links"].(map[string]any)["accept"].(map[string]any)["href"].(string)
	lene.send(request("POST", accept+"?sessionContext=2687ba8f", lene.token, `{}`)).wants(204)
	lene.send(request("POST", accept, lene.token, "")).wants(409)
	lene.wantsTold("communication: conversation updated, Connected", "conversation: participantMessaging added in localParticipant", "conversation: messaging updated, Connected",
		"conversation: participantMessaging added in participant", "conversation: participant updated", "communication: messagingInvitation completed, Connected, Incoming, Success")
	dana.wantsTold("conversation: participant added", "conversation: participantMessaging added in participant", "communication: conversation updated, Connected",
		"conversation: participantMessaging added in localParticipant", "conversation: messaging updated, Connected", "communication: messagingInvitation completed, Connected, Outgoing, Success")
	accepted := dana.send(request("GET", started.Header().Get("Location"), dana.token, "")).wants(200).inside("acceptedByParticipant")
	if accepted["uri"] != "sip:lene@contoso.com" {
		t.Errorf("accepted by %v", accepted)
	}

	sent := dana.do("POST", dana.in("/messaging/sendMessage?operationContext=1"), "What's up?", "Content-Type", "text/plain").wants(201)
	dana.send(request("GET", sent.Header().Get("Location"), dana.token, "")).wants(200)
	dana.wantsTold("conversation: message completed, Outgoing, Success")
	lene.wantsTold("conversation: message completed, Incoming, Success")
	lene.post(lene.in("/messaging/setIsTyping"), "").wants(204)
	dana.wantsTold("conversation: participant added in typingParticipants")
	lene.say("Not much")
	dana.wantsTold("conversation: participant deleted in typingParticipants", "conversation: message completed, Incoming, Success")
	lene.wantsTold("conversation: message completed, Outgoing, Success")

	path := dana.in("")
	dana.post(path+"/messaging/stopMessaging", "").wants(204)
	for _, one := range []*app{dana, lene} {
		one.wantsTold("conversation: messaging updated, Disconnected, Informational Ended", "communication: conversation deleted, Informational Ended")
	}
	for _, op := range []struct{ method, path, body string }{{"POST", "/messaging/sendMessage", "x"}, {"POST", "/messaging/setIsTyping", ""}, {"POST", "/messaging/stopMessaging", ""},
		{"GET", "", ""}, {"DELETE", "", ""}, {"GET", "/messaging", ""}, {"GET", "/participants/lene@contoso.com", ""}} {
		dana.do(op.method, path+op.path, op.body, "Content-Type", "text/plain").wants(404, "NotFound", "ConversationNotFound")
	}
	dana.wantsTold()
	lene.wantsTold()
}

// TestInvitationsEnd has a row for each way in which an invitation ends without a conversation.
func TestInvitationsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		to         string // by default Lene
		do         func(w *world, dana, lene *app, location string)
		dana, lene string // how the invitation ends for both; "" for one who had none
	}{
		"declined":            {"", func(_ *world, _, lene *app, _ string) { lene.answer("decline") }, "Declined, Outgoing, Failure, RemoteFailure Declined", "Declined, Incoming, Failure, LocalFailure Declined"},
		"conversation closed": {"", func(_ *world, _, lene *app, _ string) { lene.do("DELETE", lene.in(""), "").wants(204) }, "Declined, Outgoing, Failure, RemoteFailure Declined", "Declined, Incoming, Failure, LocalFailure Declined"},
		"cancelled": {"", func(_ *world, dana, _ *app, location string) {
			dana.send(request("POST", location+"/cancel", dana.token, "")).wants(204)
			dana.send(request("POST", location+"/cancel", dana.token, "")).wants(409)
		}, "Cancelled, Outgoing, Failure, LocalFailure Canceled", "Cancelled, Incoming, Failure, RemoteFailure Canceled"},
		"stopped":             {"", func(_ *world, dana, _ *app, _ string) { dana.post(dana.in("/messaging/stopMessaging"), "").wants(204) }, "Cancelled, Outgoing, Failure, LocalFailure Canceled", "Cancelled, Incoming, Failure, RemoteFailure Canceled"},
		"silence":             {"", func(w *world, _, _ *app, _ string) { w.clock.Advance(30 * time.Second) }, "Failed, Outgoing, Failure, RemoteFailure Timeout", "Failed, Incoming, Failure, LocalFailure Missed"},
		"the callee goes":     {"", func(_ *world, _, lene *app, _ string) { lene.do("DELETE", "", "").wants(204) }, "Declined, Outgoing, Failure, RemoteFailure Declined", ""},
		"nobody":              {"sip:nobody@contoso.com", nil, "Failed, Outgoing, Failure, NotFound DestinationNotFound", ""},
		"a telephone":         {"tel:+14255550123", nil, "Failed, Outgoing, Failure, NotFound DestinationNotFound", ""},
		"herself":             {"sip:dana@contoso.com", nil, "Failed, Outgoing, Failure, RemoteFailure Unavailable", ""},
		"one who is away":     {"sip:offline@contoso.com", nil, "Failed, Outgoing, Failure, RemoteFailure Unavailable", ""},
		"not to be disturbed": {"sip:busy@contoso.com", nil, "Failed, Outgoing, Failure, RemoteFailure DoNotDisturb", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, dana, lene := pair(t)
			w.server.AddUser(ucwatest.User{URI: "sip:offline@contoso.com"})
			w.create(w.server.AddUser(ucwatest.User{URI: "sip:busy@contoso.com"}), 5).post("/me/makeMeAvailable", `{"signInAs":"DoNotDisturb","supportedModalities":["Messaging"]}`).wants(204)
			to := c.to
			if to == "" {
				to = "sip:LENE@contoso.com"
			}
			location := dana.post("/communication/startMessaging", `{"to":"`+to+`"}`).wants(201).Header().Get("Location")
			if c.do != nil {
				c.do(w, dana, lene, location)
			}
			for one, want := range map[*app]string{dana: c.dana, lene: c.lene} {
				if want == "" {
					continue
				}
				told := one.told()
				if !slices.Contains(told, "communication: messagingInvitation completed, "+want) {
					t.Errorf("told %q, want completed, %s", told, want)
				}
				if n := len(slices.DeleteFunc(told, func(line string) bool { return !strings.Contains(line, "completed") })); n != 1 {
					t.Errorf("%d completed", n)
				}
				if got := one.get("/communication/conversations").wants(200).json()["_links"].(map[string]any)["conversation"]; got != nil {
					t.Errorf("conversations are left: %v", got)
				}
			}
			// Who is told of an end can look at it, for half a minute.
			dana.send(request("GET", location, dana.token, "")).wants(200)
			w.clock.Advance(30 * time.Second)
			dana.send(request("GET", location, dana.token, "")).wants(404)
		})
	}
}

// TestPriorities: what is not urgent waits for company; an invitation lets it go at once, with all that
// waited before it, and in that order. Source: "Events in UCWA", "Aggregation".
func TestPriorities(t *testing.T) {
	w := newWorld(t, func(c *ucwatest.Config) { c.Aggregation, c.Expiry = 5*time.Second, time.Hour })
	lene := w.lene("Online")
	dana := w.create(w.server.AddUser(dana), 0)
	dana.post("/me/makeMeAvailable", `{"supportedModalities":["Messaging"],"inactiveTimeout":"PT24H"}`).wants(204)
	dana.post(subscriptions, `{"duration":10,"uris":["sip:lene@contoso.com"]}`).wants(201)
	came := dana.pending("/events?ack=1", 6) // two applications, two ends of the subscription, the GET and its company
	w.clock.Advance(5 * time.Second)
	(<-came).wants(200)
	came = dana.pending("/events?ack=2", 5)
	lene.post("/me/presence", `{"availability":"Busy"}`).wants(204)
	w.clock.Advance(4 * time.Second)
	select {
	case r := <-came:
		t.Fatalf("presence is told before its time: %s", r.Body)
	default:
	}
	lene.post("/communication/startMessaging", `{"to":"sip:dana@contoso.com"}`).wants(201)
	told := (<-came).wants(200).events() // without the clock having moved
	if !strings.HasPrefix(told, "people: contactPresence updated, communication: messagingInvitation started, communication: conversation added, ") {
		t.Errorf("told %q", told)
	}
}

// TestMissed counts what nobody took.
func TestMissed(t *testing.T) {
	w, dana, lene := pair(t)
	dana.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com"}`).wants(201)
	w.clock.Advance(30 * time.Second)
	if got := lene.get("/communication/missedItems").wants(200).json()["missedConversationsCount"]; got != 1.0 {
		t.Errorf("%v missed", got)
	}
	if !slices.Contains(lene.told(), "communication: missedItems updated") {
		t.Error("she is not told")
	}
}

// TestAnotherEndpoint rings all of a user's applications; the first that accepts has it.
func TestAnotherEndpoint(t *testing.T) {
	w, dana, lene := pair(t)
	second := w.create(lene.token, 7)
	second.post("/me/makeMeAvailable", `{"supportedModalities":["Messaging"]}`).wants(204)
	silent := w.create(lene.token, 8) // not available: it does not ring
	second.told()
	dana.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com"}`).wants(201)
	second.answer("accept")
	if told := lene.told(); !slices.Contains(told, "communication: messagingInvitation completed, Cancelled, Incoming, Failure, Informational ConnectedElsewhere") ||
		!slices.Contains(told, "communication: conversation deleted, Informational ConnectedElsewhere") {
		t.Errorf("%q", told)
	}
	if told := silent.told(); strings.Contains(fmt.Sprint(told), "Invitation") {
		t.Errorf("%q", told)
	}
	dana.say("Hi")
	if told := second.told(); told[len(told)-1] != "conversation: message completed, Incoming, Success" {
		t.Errorf("%q", told)
	}
	// Local declines at one endpoint alone.
	dana.post(dana.in("/messaging/stopMessaging"), "").wants(204)
	dana.told()
	lene.told()
	dana.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com"}`).wants(201)
	for _, e := range lene.happened() {
		if e.rel == "messagingInvitation" {
			lene.send(request("POST", e.href+"/decline", lene.token, `{"reason":"Local"}`)).wants(204)
		}
	}
	if got := fmt.Sprint(dana.told()); strings.Contains(got, "completed") {
		t.Errorf("%s", got)
	}
	second.answer("accept")
	if got := fmt.Sprint(dana.told()); !strings.Contains(got, "Success") {
		t.Errorf("%s", got)
	}
}

// TestTwoInviteEachOther at once: both ring, and both can be accepted.
func TestTwoInviteEachOther(t *testing.T) {
	_, dana, lene := pair(t)
	dana.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com","operationId":"1"}`).wants(201)
	lene.post("/communication/startMessaging", `{"to":"sip:dana@contoso.com","operationId":"1"}`).wants(201)
	dana.answer("accept")
	lene.answer("accept")
	for _, one := range []*app{dana, lene} {
		n := 0
		for _, v := range one.get("/communication/conversations").json()["_links"].(map[string]any)["conversation"].([]any) {
			if one.send(request("GET", v.(map[string]any)["href"].(string), one.token, "")).wants(200).at("state") == "Connected" {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%d conversations are connected, want 2", n)
		}
	}
}

// TestTexts sends what people write: it arrives as it was sent.
func TestTexts(t *testing.T) {
	_, dana, lene := pair(t)
	dana.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com"}`).wants(201)
	lene.answer("accept")
	lene.told()
	for _, text := range []string{
		"Hi Tosh\r\n", `"quotes" & 'others' + a plus, 100 % <b>`, "line\nbreaks\r\n\ttabs", "日本語", "العربية", "עברית", "Ελληνικά", "हिन्दी", "русский", "ไทย", "한국어", "ქართული", "አማርኛ",
		"👩‍👩‍👧 \u0001 \u2028", "", strings.Repeat("x", 1_000_000), "a;b,c?d=e#f",
	} {
		dana.say(text)
		var got []string
		for _, e := range lene.happened() {
			href := (&reply{T: t, told: e.event["_embedded"].(map[string]any)["message"].(map[string]any)}).told["_links"].(map[string]any)["plainMessage"].(map[string]any)["href"].(string)
			head, body, _ := strings.Cut(href, ",")
			decoded, err := url.QueryUnescape(body)
			if err != nil || head != "data:text/plain;charset=utf-8" {
				t.Errorf("%s: %v", head, err)
			}
			got = append(got, decoded)
		}
		if len(got) != 1 || got[0] != text {
			t.Errorf("%.40q arrived as %.60q", text, got)
		}
	}
	dana.do("POST", dana.in("/messaging/sendMessage"), strings.Repeat("x", 1<<20+1), "Content-Type", "text/plain").wants(413, "EntityTooLarge")
	dana.do("POST", dana.in("/messaging/sendMessage"), "<b>", "Content-Type", "text/html").wants(415)
	dana.do("POST", dana.in("/messaging/sendMessage"), `{}`, "Content-Type", "application/json").wants(415)
	dana.do("POST", dana.in("/messaging/sendMessage"), "x", "Content-Type", "").wants(415)
	dana.do("POST", dana.in("/messaging/sendMessage"), "\xff", "Content-Type", "text/plain").wants(400)
	dana.do("POST", dana.in("/messaging/sendMessage"), "x", "Content-Type", "text/plain; charset=utf-16").wants(415)
	lene.wantsTold()
}

// TestFirstMessage is the one that goes with an invitation, in the forms in which it can.
func TestFirstMessage(t *testing.T) {
	html := base64.StdEncoding.EncodeToString([]byte("<b>Hi</b> & bye"))
	for _, body := range []string{
		`{"to":"sip:lene@contoso.com","message":"data:text/html;base64,` + html + `"}`,
		`{"to":"sip:lene@contoso.com","message":{"href":"data:text/html;charset=utf-8,%3Cb%3EHi%3C%2Fb%3E+%26+bye"}}`,
		`{"to":"sip:lene@contoso.com","_links":{"message":{"href":"data:text/html,%3Cb%3EHi%3C/b%3E%20%26%20bye"}}}`,
	} {
		_, dana, lene := pair(t)
		for _, one := range []*app{dana, lene} {
			one.put("/communication", `{"supportedModalities":["Messaging"],"supportedMessageFormats":["Plain","Html"]}`, "*").wants(200)
		}
		dana.post("/communication/startMessaging", body).wants(201)
		const want = `data:text/html;charset=utf-8,%3Cb%3EHi%3C%2Fb%3E+%26+bye`
		for _, e := range lene.happened() {
			if e.rel == "messagingInvitation" {
				if r := lene.send(request("GET", e.href, lene.token, "")).wants(200); r.link("message") != want {
					t.Errorf("%s: %s", body, r.link("message"))
				}
				lene.send(request("POST", e.href+"/accept", lene.token, "")).wants(204)
			}
		}
		all := lene.happened()
		message := all[len(all)-1].event["_embedded"].(map[string]any)["message"].(map[string]any)
		if got := message["_links"].(map[string]any)["htmlMessage"].(map[string]any)["href"]; got != want {
			t.Errorf("%s: %v", body, got)
		}
		if got := dana.get(dana.in("/messaging")).json()["negotiatedMessageFormats"]; fmt.Sprint(got) != "[Plain Html]" {
			t.Errorf("formats %v", got)
		}
	}
	_, dana, _ := pair(t)
	for _, message := range []string{"hi", "data:image/png;base64,AA==", "data:text/plain;base64,%", "data:text/plain", "data:text/plain,%zz"} {
		dana.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com","message":"`+message+`"}`).wants(400, "BadRequest", "ParameterValidationFailure")
	}
	dana.wantsTold()
}

// TestScripts talks to those who have no client.
func TestScripts(t *testing.T) {
	w, dana, _ := pair(t)
	for script, want := range map[string]string{
		"echo": "Connected, Outgoing, Success", "accept": "Connected, Outgoing, Success", "decline": "Declined, Outgoing, Failure, RemoteFailure Declined", "silent": "Failed, Outgoing, Failure, RemoteFailure Timeout",
	} {
		w.server.AddUser(ucwatest.User{URI: "sip:" + script + "@contoso.com", Script: script})
		if got := w.server.Presence("sip:" + script + "@contoso.com"); got != "Online" {
			t.Errorf("%s is %s", script, got)
		}
		dana.post("/communication/startMessaging", `{"to":"sip:`+script+`@contoso.com"}`).wants(201)
		w.clock.Advance(0)
		if script == "silent" {
			w.clock.Advance(30 * time.Second)
		}
		if told := dana.told(); !slices.Contains(told, "communication: messagingInvitation completed, "+want) {
			t.Errorf("%s: %q", script, told)
		}
		if strings.HasPrefix(want, "Connected") {
			dana.say("Hi")
			w.clock.Advance(0)
			told := dana.told()
			if echoed := slices.Contains(told, "conversation: message completed, Incoming, Success"); echoed != (script == "echo") {
				t.Errorf("%s: %q", script, told)
			}
			dana.post(dana.in("/messaging/stopMessaging"), "").wants(204)
			dana.told()
		}
	}
	w.clock.Advance(20 * time.Hour)
	if got := w.server.Presence("sip:echo@contoso.com"); got != "Online" {
		t.Errorf("echo is %s after twenty hours", got)
	}
}

// TestMeeting goes through a meeting of two: lobby, roles, audience, and the end.
func TestMeeting(t *testing.T) {
	_, dana, lene := pair(t)
	planned := dana.post("/onlineMeetings/myOnlineMeetings", `{"subject":"Plans","accessLevel":"Invited"}`).wants(200)
	join := `{"onlineMeetingUri":"` + planned.at("onlineMeetingUri") + `","operationId":"1"}`
	lene.post("/communication/joinOnlineMeeting", join).wants(201)
	lene.wantsTold("communication: onlineMeetingInvitation started, Connecting, Outgoing", "communication: conversation added, InLobby", "conversation: localParticipant added",
		"conversation: onlineMeeting added", "communication: onlineMeetingInvitation completed, Connected, Outgoing, Success")
	lene.get(lene.in("/participants/Dana@contoso.com")).wants(404)
	dana.post("/communication/joinOnlineMeeting", join).wants(201)
	if told := dana.told(); told[len(told)-2] != "conversation: participant added in lobby" {
		t.Errorf("%q", told)
	}
	guest := dana.in("/participants/lene@contoso.com")
	dana.post(guest+"/promote", "").wants(409)
	lene.post(lene.in("/disableAudienceMessaging"), "").wants(409)
	dana.post(guest+"/admit", "").wants(204)
	dana.wantsTold("conversation: participant deleted in lobby", "conversation: participant added in attendees")
	lene.wantsTold("conversation: localParticipant updated", "communication: conversation updated, Conferenced", "conversation: participant added in leaders")
	lene.post(lene.in("/participants/Dana@contoso.com/eject"), "").wants(409)

	for _, one := range []*app{dana, lene} {
		one.post(one.in("/messaging/addMessaging"), `{"operationId":"2","message":"data:,hello"}`).wants(201)
		one.post(one.in("/messaging/addMessaging"), `{"operationId":"2"}`).wants(409)
	}
	if told := dana.told(); told[len(told)-1] != "conversation: message completed, Incoming, Success" {
		t.Errorf("%q", told)
	}
	dana.post(dana.in("/disableAudienceMessaging"), "").wants(204)
	lene.do("POST", lene.in("/messaging/sendMessage"), "x", "Content-Type", "text/plain").wants(403, "Forbidden", "NotAllowed")
	dana.post(guest+"/promote", "").wants(204)
	lene.say("as a leader")
	dana.post(guest+"/demote", "").wants(204)
	lene.told()
	dana.told()
	lene.post(lene.in("/messaging/stopMessaging"), "").wants(204)
	dana.wantsTold("conversation: participantMessaging deleted in participant")
	dana.post(guest+"/eject", "").wants(204)
	if told := lene.told(); told[len(told)-1] != "communication: conversation deleted, Informational Ejected" {
		t.Errorf("%q", told)
	}
	dana.wantsTold("conversation: participant deleted in attendees")
	dana.do("DELETE", dana.in(""), "").wants(204)
	dana.told()
	dana.get("/communication/conversations").wants(200)
}

// TestEscalate asks a third into a conversation of two.
func TestEscalate(t *testing.T) {
	w, dana, lene := pair(t)
	third := w.create(w.server.AddUser(ucwatest.User{Name: "Lee", URI: "sip:lee@contoso.com"}), 9)
	third.makeAvailable("")
	third.told()
	dana.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com"}`).wants(201)
	lene.answer("accept")
	dana.told()
	lene.told()
	dana.post("/communication/addParticipant?conversation="+dana.conversation(), `{"to":"sip:lee@contoso.com"}`).wants(201)
	third.answer("accept")
	third.post(third.in("/messaging/addMessaging"), "").wants(201)
	third.told()
	lene.say("to all")
	for _, one := range []*app{dana, third} {
		if told := one.told(); told[len(told)-1] != "conversation: message completed, Incoming, Success" {
			t.Errorf("%q", told)
		}
	}
	if n := dana.get(dana.in("")).json()["participantCount"]; n != 3.0 {
		t.Errorf("%v participants", n)
	}
	dana.post("/communication/addParticipant?conversation="+dana.conversation(), `{"to":"sip:nobody@contoso.com"}`).wants(201)
	if told := dana.told(); !slices.Contains(told, "communication: participantInvitation completed, Failed, Outgoing, Failure, NotFound DestinationNotFound") {
		t.Errorf("%q", told)
	}
	third.do("DELETE", "", "").wants(204)
	dana.wantsTold("conversation: participant deleted in attendees")
}

// TestExactlyOnce has a thousand conversations go on at once, and both sides read their events
// all the while: none is lost, none told twice, and those of each conversation are in order.
func TestExactlyOnce(t *testing.T) {
	const conversations, messages, talkers = 1000, 3, 8
	server := ucwatest.New(ucwatest.Config{})
	w := &world{T: t, server: server}
	dana := w.create(server.AddUser(dana), 0)
	dana.makeAvailable("")
	server.AddUser(ucwatest.User{URI: "sip:echo@contoso.com", Script: "echo"})

	counts := map[string]map[string]int{} // of kinds of events, by conversation
	var order []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended := 0
		for href := dana.get("").link("events"); ended < conversations; {
			told := dana.send(request("GET", href, dana.token, ""))
			if told.Code != 200 {
				return
			}
			for _, sender := range told.json()["sender"].([]any) {
				for _, e := range sender.(map[string]any)["events"].([]any) {
					event := e.(map[string]any)
					link := event["link"].(map[string]any)
					id, what := link["href"].(string), fmt.Sprint(link["rel"], " ", event["type"])
					if _, after, found := strings.Cut(id, "/conversations/"); found {
						id, _, _ = strings.Cut(after, "/")
					}
					if counts[id] == nil {
						counts[id] = map[string]int{}
					}
					if what == "message completed" {
						for _, r := range embedded(event) {
							what = fmt.Sprint(r["direction"])
						}
						if counts[id]["conversation added"] == 0 || counts[id]["conversation deleted"] > 0 {
							order = append(order, id)
						}
					}
					if counts[id][what]++; what == "conversation deleted" {
						ended++
					}
				}
			}
			href = told.link("next")
		}
	}()
	var all sync.WaitGroup
	work := make(chan int)
	for range talkers {
		all.Go(func() {
			for range work {
				location := dana.post("/communication/startMessaging", `{"to":"sip:echo@contoso.com"}`).Header().Get("Location")
				var path string
				for state := ""; state != "Connected"; {
					i := dana.send(request("GET", location, dana.token, "")).json()
					state = i["state"].(string)
					path = i["_links"].(map[string]any)["conversation"].(map[string]any)["href"].(string)
				}
				for range messages {
					dana.send(request("POST", path+"/messaging/sendMessage", dana.token, "x", "Content-Type", "text/plain"))
				}
				dana.send(request("DELETE", path, dana.token, ""))
			}
		})
	}
	for i := range conversations {
		work <- i
	}
	close(work)
	all.Wait()
	<-done
	n := 0
	for id, c := range counts {
		if c["conversation deleted"] == 0 {
			continue // an invitation, or the sign-in
		}
		if n++; c["conversation added"] > 1 || c["conversation deleted"] != 1 || c["Outgoing"] != messages || c["Incoming"] > messages {
			t.Errorf("%s: %v", id, c)
		}
	}
	if n != conversations || len(order) > 0 {
		t.Errorf("%d conversations, %d messages outside of them", n, len(order))
	}
}
