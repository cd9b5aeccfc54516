package ucwatest_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// tag is the etag of a resource as If-Match wants it.
func (r *reply) tag() string { r.Helper(); return strconv.Quote(r.at("etag")) }

// TestMeetings plans one, changes it, is too late, and gives it up.
func TestMeetings(t *testing.T) {
	w := newWorld(t)
	a := w.dana(false)
	other := w.create(a.token, 1)
	const all = "/onlineMeetings/myOnlineMeetings"
	created := a.post(all, `{"Subject":"<plans>","attendees":["sip:lene@contoso.com"],"accessLevel":"Invited","expirationTime":"2013-02-01T01:00:00+01:00"}`).wants(200)
	path := created.link("self")[len(a.href):]
	if created.Header().Get("ETag") != created.tag() || !strings.Contains(created.Body.String(), `"expirationTime":"\/Date(1359676800000)\/"`) {
		t.Errorf("%v %s", created.Header(), created.Body)
	}
	if got := a.get(path).wants(200); got.Body.String() != created.Body.String() {
		t.Errorf("%s", got.Body)
	}
	list := other.get(all).wants(200).json()["_embedded"].(map[string]any)["myOnlineMeeting"]
	if d := cmp.Diff([]any{other.get(path).json()}, list); d != "" {
		t.Error(d)
	}

	// The other application changes it first. It reads the etag of its own
	// representation, as each has hrefs of its own.
	first := a.get(path).tag()
	other.put(path, `{"subject":"changed"}`, other.get(path).tag()).wants(200)
	late := a.put(path, `{"subject":"late"}`, first).wants(412, "PreconditionFailed")
	if late.Header().Get("ETag") != a.get(path).tag() {
		t.Errorf("ETag %s", late.Header().Get("ETag"))
	}
	now := a.get(path).wants(200)
	if now.at("subject") != "changed" || now.at("accessLevel") != "SameEnterprise" || now.at("onlineMeetingId") != created.at("onlineMeetingId") {
		t.Errorf("%s", now.Body)
	}
	a.put(path, `{"accessLevel":"Nobody"}`, now.tag()).wants(400)
	a.do("PUT", path, `{"subject":"without the property"}`, "If-Match", now.tag()).wants(400, "BadRequest", "ParameterValidationFailure")
	// All that was read may be sent back: what is no property is passed over.
	a.do("PUT", path, now.Body.String(), "If-Match", now.tag()).wants(200)
	a.put(path, `{}`, `"1", `+now.tag()).wants(200)
	a.do("DELETE", path, "").wants(204)
	a.do("DELETE", path, "").wants(404)
	a.put(path, `{}`, "*").wants(404)
	lene := w.create(w.server.AddUser(ucwatest.User{URI: "lene@contoso.com"}), 2)
	lene.get(path).wants(404)

	// The assigned one is there, and another once it is deleted.
	const assigned = "/onlineMeetings/myAssignedOnlineMeeting"
	before := a.get(assigned).wants(200)
	if before.at("onlineMeetingId") != other.get(assigned).at("onlineMeetingId") {
		t.Error("each application has an assigned meeting of its own")
	}
	a.put(assigned, `{"subject":"mine"}`, before.tag()).wants(200)
	if got := other.get(assigned).at("subject"); got != "mine" {
		t.Errorf("subject %q", got)
	}
	a.do("DELETE", assigned, "").wants(204)
	if after := a.get(assigned).wants(200); after.at("subject") != "" || after.at("onlineMeetingId") == before.at("onlineMeetingId") {
		t.Errorf("%s", after.Body)
	}
}

func TestTooManyMeetings(t *testing.T) {
	a := newWorld(t).dana(false)
	const all = "/onlineMeetings/myOnlineMeetings"
	for range 49 {
		a.post(all, `{}`).wants(200)
	}
	last := a.post(all, `{}`).wants(200)
	a.post(all, `{}`).wants(409, "Conflict", "TooManyOnlineMeetings")
	a.do("DELETE", last.link("self")[len(a.href):], "").wants(204)
	if again := a.post(all, `{}`).wants(200); again.link("self") == last.link("self") {
		t.Error("a name is used twice")
	}
}

// TestExpirationTime takes times in both forms, and no others than the reference has.
func TestExpirationTime(t *testing.T) {
	a := newWorld(t).dana(false)
	const all = "/onlineMeetings/myOnlineMeetings"
	for sent, want := range map[string]string{
		`{}`: "/Date(1358409600000)/", // eight hours from now
		`{"expirationTime":"2013-02-07T01:17:18.000Z"}`:    "/Date(1360199838000)/",
		`{"expirationTime":"\/Date(1360199838000)\/"}`:     "/Date(1360199838000)/",
		`{"expirationTime":"/Date(1360199838000)/"}`:       "/Date(1360199838000)/",
		`{"expirationTime":"2012-01-17T00:00:00Z"}`:        "/Date(1326758400000)/",
		`{"expirationTime":"2023-01-17T01:00:00+01:00"}`:   "/Date(1673913600000)/",
		`{"expirationTime":"2012-01-16T23:59:59Z"}`:        "",
		`{"expirationTime":"2023-01-17T00:00:01Z"}`:        "",
		`{"expirationTime":"/Date(1360199838000)"}`:        "",
		`{"expirationTime":"/Date(9999999999999999999)/"}`: "",
		`{"expirationTime":"tomorrow"}`:                    "",
	} {
		r := a.post(all, sent)
		if want == "" {
			r.wants(400, "BadRequest", "ParameterValidationFailure")
		} else if got := r.wants(200).at("expirationTime"); got != want {
			t.Errorf("%s: %s, want %s", sent, got, want)
		}
	}
}

// TestCommunication says anew what makeMeAvailable said, and is told so.
func TestCommunication(t *testing.T) {
	w := newWorld(t)
	a := w.dana(true)
	next := a.get("/events?ack=1").wants(200).link("next")[len(a.href):]
	a.put("/communication", `{"supportedModalities":["Messaging","PhoneAudio"],"supportedMessageFormats":["Html"],"conversationHistory":"Enabled","audioPreference":"PhoneAudio","phoneNumber":"tel:+14255550123"}`, a.get("/communication").tag()).wants(200)
	told := a.get(next).wants(200)
	if got := told.events(); got != "communication: communication updated" {
		t.Errorf("told %q", got)
	}
	now := a.get("/communication").wants(200)
	if now.at("phoneNumber") != "tel:+14255550123" || now.at("audioPreference") != "PhoneAudio" || now.at("conversationHistory") != "Enabled" ||
		now.link("startMessaging") == "" || now.link("startPhoneAudio") == "" || now.link("conversationLogs") == "" {
		t.Errorf("%s", now.Body)
	}
	// The same again is no news.
	came := a.pending(told.link("next")[len(a.href):], 2)
	a.put("/communication", `{"supportedModalities":["Messaging","PhoneAudio"],"supportedMessageFormats":["Html"],"conversationHistory":"Enabled","audioPreference":"PhoneAudio","phoneNumber":"tel:+14255550123"}`, now.tag()).wants(200)
	a.put("/communication", `{}`, now.tag()).wants(200)
	if got := (<-came).wants(200).events(); got != "communication: communication updated" {
		t.Errorf("told %q", got)
	}
	if left := a.get("/communication"); left.link("startPhoneAudio") != "" || a.availability() != "Online" {
		t.Errorf("%s", left.Body)
	}
}

// TestCommunicationRefused: what a PUT is refused for besides its form.
func TestCommunicationRefused(t *testing.T) {
	w := newWorld(t)
	a := w.create(w.server.AddUser(ucwatest.User{URI: "lean@contoso.com", Modalities: []string{"Messaging"}}), 0)
	a.put("/communication", `{}`, "*").wants(409, "Conflict", "MakeMeAvailableRequired")
	a.makeAvailable("")
	a.put("/communication", `{"supportedModalities":["Video"]}`, "*").wants(403, "Forbidden", "")
}

// TestPhones changes a number, which me shows, and tells all applications.
func TestPhones(t *testing.T) {
	w := newWorld(t)
	a := w.dana(true)
	other := w.create(a.token, 1)
	other.makeAvailable("")
	next := other.get("/events?ack=1").wants(200).link("next")[len(other.href):]
	a.post("/me/phones/mobile/changeNumber", `{"number":"+1 (425) 555-0123"}`).wants(204)
	if got := other.get(next).wants(200).events(); got != "me: me updated" {
		t.Errorf("told %q", got)
	}
	if got := other.get("/me").at("mobilePhoneNumber"); got != "+14255550123" {
		t.Errorf("me has %q", got)
	}
	a.post("/me/phones/mobile/changeNumber?number=tel:%2B4512345678&includeInContactCard=true", "").wants(204)
	phone := a.get("/me/phones/mobile").wants(200)
	if phone.at("number") != "tel:+4512345678" || phone.json()["includeInContactCard"] != true {
		t.Errorf("%s", phone.Body)
	}
	for _, number := range []string{"+", "+12", "4255550123", "+1234567890123456", "+1425x", "+1+2345", "tel:4255550123"} {
		a.post("/me/phones/mobile/changeNumber", `{"number":"`+number+`"}`).wants(400, "BadRequest", "NormalizationFailed")
	}
	a.post("/me/phones/mobile/changeNumber", `{}`).wants(204)
	if got := a.get("/me").at("mobilePhoneNumber"); got != "" {
		t.Errorf("me has %q", got)
	}
}

// TestForwarding sets where calls go, and turns it off.
func TestForwarding(t *testing.T) {
	w := newWorld(t)
	a := w.dana(false)
	w.server.AddUser(ucwatest.User{URI: "sip:lene@contoso.com"})
	const settings = "/me/callForwardingSettings"
	is := func(want string) {
		t.Helper()
		now := a.get(settings).wants(200)
		if got := now.at("activeSetting") + " " + now.at("activePeriod") + " " + now.at("unansweredCallHandling"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	goesTo := func(path, target, contact string, delay any) {
		t.Helper()
		now := a.get(settings + path).wants(200)
		if contact != "" {
			contact = a.href + "/people/contacts/" + contact
		}
		if now.at("target") != target || now.link("contact") != contact || now.json()["ringDelay"] != delay {
			t.Errorf("%s", now.Body)
		}
	}
	is("None Always Disabled")
	a.post(settings+"/immediateForwardSettings/immediateForwardToContact?target=sip:Lene@contoso.com", "").wants(204)
	is("ImmediateForward Always Disabled")
	goesTo("/immediateForwardSettings", "Contact", "sip:Lene@contoso.com", nil)
	a.post(settings+"/immediateForwardSettings/immediateForwardToContact", `{"target":"tel:+14255550123"}`).wants(204)
	goesTo("/immediateForwardSettings", "Contact", "", nil) // not a contact that the server knows
	a.post(settings+"/immediateForwardSettings/immediateForwardToVoicemail", "").wants(204)
	goesTo("/immediateForwardSettings", "Voicemail", "", nil)
	a.post(settings+"/simultaneousRingSettings/simultaneousRingToContact", `{"target":"sip:lene@contoso.com","ringDelay":60}`).wants(204)
	is("SimultaneousRing Always Disabled")
	goesTo("/simultaneousRingSettings", "Contact", "sip:lene@contoso.com", 60.0)
	a.post(settings+"/simultaneousRingSettings/simultaneousRingToTeam", "").wants(409, "Conflict", "NoTeamMembersConfigured")
	a.post(settings+"/simultaneousRingSettings/simultaneousRingToDelegates", "").wants(409, "Conflict", "NoDelegatesConfigured")
	ring := a.get(settings + "/simultaneousRingSettings").tag()
	a.put(settings+"/simultaneousRingSettings", `{"ringDelay":10,"target":"Contact"}`, ring).wants(200)
	a.put(settings+"/simultaneousRingSettings", `{"ringDelay":20,"target":"Contact"}`, ring).wants(412)
	goesTo("/simultaneousRingSettings", "Contact", "sip:lene@contoso.com", 10.0)
	a.put(settings+"/simultaneousRingSettings", `{"target":"Delegates"}`, "*").wants(409)
	a.post(settings+"/unansweredCallSettings/unansweredCallToContact", `{"target":"sip:lene@contoso.com"}`).wants(204)
	is("SimultaneousRing Always Enabled")
	a.put(settings+"/unansweredCallSettings", `{"target":"Voicemail","ringDelay":15}`, a.get(settings+"/unansweredCallSettings").tag()).wants(200)
	goesTo("/unansweredCallSettings", "Voicemail", "", 15.0)
	a.put(settings+"/unansweredCallSettings", `{"target":"Contact"}`, "*").wants(400)
	a.post(settings+"/unansweredCallSettings/resetUnansweredCallSettings", "").wants(204)
	goesTo("/unansweredCallSettings", "", "", 0.0)
	a.post(settings+"/turnOffCallForwarding", "").wants(204)
	is("None Always Disabled")
	a.put(settings, `{"activeSetting":"ImmediateForward","activePeriod":"Workhours","unansweredCallHandling":"Enabled"}`, a.get(settings).tag()).wants(200)
	is("ImmediateForward Workhours Enabled")
}
