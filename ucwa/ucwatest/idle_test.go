package ucwatest_test

import (
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestIdle lets the time pass: a user who does nothing is idle after five minutes
// and away after ten, is told so, and is back by doing something.
func TestIdle(t *testing.T) {
	w := newWorld(t, func(c *ucwatest.Config) { c.EventTimeout = time.Hour })
	a := w.create(w.server.AddUser(dana), 0)
	a.makeAvailable("")
	next := a.get("/events?ack=1").wants(200).link("next")[len(a.href):]
	told := func(after time.Duration, want string) {
		t.Helper()
		came := a.pending(next, 2)
		w.clock.Advance(after - 1)
		select {
		case r := <-came:
			t.Fatalf("told too early: %s", r.events())
		default:
		}
		w.clock.Advance(1)
		r := (<-came).wants(200)
		if r.events() != "me: presence updated" || a.availability() != want {
			t.Errorf("told %q, is %s, want %s", r.events(), a.availability(), want)
		}
		next = r.link("next")[len(a.href):]
	}
	told(5*time.Minute, "IdleOnline")
	told(5*time.Minute, "Away")
	came := a.pending(next, 2)
	w.clock.Advance(50 * time.Minute) // there is no more to tell
	a.post("/me/reportMyActivity", "").wants(204)
	r := (<-came).wants(200)
	if r.events() != "me: presence updated" || a.availability() != "Online" {
		t.Errorf("told %q, is %s", r.events(), a.availability())
	}
	next = r.link("next")[len(a.href):]

	// Activity puts it off.
	came = a.pending(next, 2)
	for range 5 {
		w.clock.Advance(4 * time.Minute)
		a.post("/me/reportMyActivity", "").wants(204)
	}
	if got := a.availability(); got != "Online" {
		t.Errorf("availability %s", got)
	}
	// What was set shows through, and setting it is activity.
	a.post("/me/presence", `{"availability":"Busy"}`).wants(204)
	next = (<-came).wants(200).link("next")[len(a.href):]
	told(5*time.Minute, "IdleBusy")
	told(5*time.Minute, "Away")
	a.post("/me/presence", `{"availability":"DoNotDisturb"}`).wants(204)
	w.clock.Advance(10 * time.Minute)
	if got := a.availability(); got != "DoNotDisturb" {
		t.Errorf("availability %s", got)
	}
}

// TestIdleInOne holds that a user is idle only who is so in all applications, and
// after the time that each has said.
func TestIdleInOne(t *testing.T) {
	w := newWorld(t, func(c *ucwatest.Config) { c.Expiry = 24 * time.Hour })
	token := w.server.AddUser(dana)
	short, long := w.create(token, 0), w.create(token, 1)
	short.post("/me/makeMeAvailable", `{"inactiveTimeout":"PT1M"}`).wants(204)
	long.post("/me/makeMeAvailable", `{"inactiveTimeout":"01:00:00"}`).wants(204)
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{59 * time.Minute, "Online"},
		{time.Minute, "IdleOnline"},
		{59 * time.Minute, "IdleOnline"},
		{time.Minute, "Away"},
	} {
		w.clock.Advance(c.after)
		if got := short.availability(); got != c.want {
			t.Errorf("after %v: %s, want %s", c.after, got, c.want)
		}
	}
	short.post("/me/reportMyActivity", "").wants(204)
	if got := long.availability(); got != "Online" {
		t.Errorf("availability %s", got)
	}
	w.clock.Advance(time.Minute)
	if got := long.availability(); got != "IdleOnline" {
		t.Errorf("availability %s", got)
	}
	// The one who is not idle has gone: what is left decides.
	long.post("/me/reportMyActivity", "").wants(204)
	long.do("DELETE", "", "").wants(204)
	if got := short.availability(); got != "IdleOnline" {
		t.Errorf("availability %s", got)
	}
}

// TestOthersSee looks at a user with the eyes of another.
func TestOthersSee(t *testing.T) {
	w := newWorld(t)
	lene := w.create(w.server.AddUser(ucwatest.User{Name: "Lene Aaling", URI: "sip:Lene@contoso.com", Title: "Writer"}), 1)
	w.server.AddUser(ucwatest.User{Name: "Guest of Contoso", URI: "sip:guest@contoso.com", Anonymous: true})
	a := w.dana(true)
	find := func(query string) *reply { return a.get("/people/search?query=" + query).wants(200) }
	contacts := func(r *reply) int {
		inside, _ := r.json()["_embedded"].(map[string]any)
		whole, _ := inside["contact"].([]any)
		return len(whole)
	}
	if got := contacts(find("AALING")); got != 1 {
		t.Errorf("%d found", got)
	}
	if got := contacts(find("nobody")); got != 0 {
		t.Errorf("%d found", got)
	}
	both := find("contoso.com&limit=1")
	if both.json()["moreResultsAvailable"] != true || contacts(both) != 1 || contacts(find("contoso")) != 2 {
		t.Errorf("%s", both.Body)
	}
	if again := w.send(request("GET", both.link("self"), a.token, "")).wants(200); again.Body.String() != both.Body.String() {
		t.Errorf("the self link of a search finds %s", again.Body)
	}

	if got := contacts(a.get("/people/search?MAIL=lene@CONTOSO.com&Limit=3").wants(200)); got != 1 {
		t.Errorf("%d found by mail", got)
	}

	path := "/people/contacts/sip:lene@contoso.com"
	contact := a.get(path).wants(200)
	if contact.at("name") != "Lene Aaling" || contact.at("title") != "Writer" || contact.link("self") != a.href+"/people/contacts/sip:Lene@contoso.com" {
		t.Errorf("%s", contact.Body)
	}
	w.send(request("GET", contact.link("contactPhoto"), a.token, "")).wants(200)
	sees := func(availability, note, location string, modalities ...any) {
		t.Helper()
		got := []string{a.get(path + "/contactPresence").at("availability"), a.get(path + "/contactNote").at("message"), a.get(path + "/contactLocation").at("location")}
		if got[0] != availability || got[1] != note || got[2] != location {
			t.Errorf("seen is %q", got)
		}
		if list, _ := a.get(path + "/contactSupportedModalities").json()["modalities"].([]any); len(list) != len(modalities) {
			t.Errorf("modalities %v, want %v", list, modalities)
		}
	}
	sees("Offline", "", "")
	lene.makeAvailable("")
	sees("Online", "", "", "Messaging")
	lene.post("/me/note", `{"message":"at work"}`).wants(204)
	lene.post("/me/location", `{"location":"Copenhagen"}`).wants(204)
	lene.post("/me/presence", `{"availability":"Offwork"}`).wants(204)
	sees("Away", "at work", "Copenhagen", "Messaging")
	lene.post("/me/presence", ``).wants(204)
	w.clock.Advance(5 * time.Minute)
	sees("IdleOnline", "at work", "Copenhagen", "Messaging")
	lene.do("DELETE", "", "").wants(204)
	sees("Offline", "at work", "Copenhagen")
}
