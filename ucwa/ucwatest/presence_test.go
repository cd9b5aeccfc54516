package ucwatest_test

import (
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

func TestPresenceReadsBack(t *testing.T) {
	a := newWorld(t).dana(true)
	for _, c := range []struct{ set, availability, activity string }{
		{"Busy", "Busy", "Busy"},
		{"DoNotDisturb", "DoNotDisturb", "Do not disturb"},
		{"BeRightBack", "BeRightBack", "Be right back"},
		{"Away", "Away", "Away"},
		{"Offwork", "Away", "Off work"},
		{"Online", "Online", "Available"},
	} {
		a.post("/me/presence", `{"availability":"`+c.set+`"}`).wants(204)
		r := a.get("/me/presence").wants(200)
		if r.at("availability") != c.availability || r.at("activity") != c.activity || r.at("rel") != "presence" {
			t.Errorf("%s reads back as %s", c.set, r.Body)
		}
	}
}

func TestPresenceResets(t *testing.T) {
	w := newWorld(t)
	a := w.create(w.server.AddUser(dana), 0)
	a.makeAvailable("BeRightBack")
	for _, reset := range []string{``, ` `, `{}`, `{"availability":null}`, `{"other":"Busy"}`} {
		a.post("/me/presence", `{"Availability":"DoNotDisturb"}`).wants(204)
		if got := a.availability(); got != "DoNotDisturb" {
			t.Errorf("set: %s", got)
		}
		a.post("/me/presence", reset).wants(204)
		if got := a.availability(); got != "BeRightBack" {
			t.Errorf("%q: %s", reset, got)
		}
	}
}

// TestPresenceIsTheUsers has applications come, sign in, set and go.
func TestPresenceIsTheUsers(t *testing.T) {
	w := newWorld(t)
	token := w.server.AddUser(dana)
	a, b, c := w.create(token, 0), w.create(token, 1), w.create(token, 2)
	want := func(availability string, from ...*app) {
		t.Helper()
		for _, a := range from {
			if got := a.availability(); got != availability {
				t.Errorf("%s sees %s, want %s", a.href, got, availability)
			}
		}
	}
	a.makeAvailable("Away")
	want("Away", a)
	b.makeAvailable("DoNotDisturb")
	want("DoNotDisturb", a, b) // the most available
	c.makeAvailable("Busy")
	want("Busy", a, b, c)
	a.post("/me/presence", `{"availability":"Away"}`).wants(204)
	want("Away", a, b, c) // what was set wins over what is computed
	b.post("/me/presence", `{"availability":"BeRightBack"}`).wants(204)
	want("BeRightBack", a, b, c) // and what was set last over what was before
	b.do("DELETE", "", "").wants(204)
	want("BeRightBack", a, c) // whoever set it
	c.post("/me/presence", ``).wants(204)
	want("Busy", a, c)
	c.do("DELETE", "", "").wants(204)
	want("Away", a)
	a.post("/me/presence", `{"availability":"Busy"}`).wants(204)
	a.do("DELETE", "", "").wants(204)

	d := w.create(token, 3)
	d.makeAvailable("")
	want("Online", d) // what was set is gone with the last application
}

func TestUsersDoNotShare(t *testing.T) {
	w := newWorld(t)
	a := w.dana(true)
	b := w.create(w.server.AddUser(ucwatest.User{URI: "lene@contoso.com"}), 0)
	b.makeAvailable("")
	a.post("/me/presence", `{"availability":"Busy"}`).wants(204)
	a.post("/me/note", `{"message":"mine"}`).wants(204)
	if b.availability() != "Online" || b.get("/me/note").at("message") != "" {
		t.Error("one user's presence is another's")
	}
}

// TestOthersAreTold is about who hears of a change, and of none.
func TestOthersAreTold(t *testing.T) {
	w := newWorld(t)
	token := w.server.AddUser(dana)
	a, b, c := w.create(token, 0), w.create(token, 1), w.create(token, 2)
	a.makeAvailable("Busy")
	b.makeAvailable("Away")
	a.get("/events?ack=1").wants(200)
	b.get("/events?ack=1").wants(200)
	// Three applications live; c has a channel but is not available.
	atA := a.pending("/events?ack=2", 4)
	atB := b.pending("/events?ack=2", 5)
	atC := c.pending("/events?ack=1", 6)

	a.post("/me/presence", `{"availability":"Busy"}`).wants(204) // as it is
	a.post("/me/note", `{"message":""}`).wants(204)
	select {
	case r := <-atA:
		t.Errorf("told of nothing new: %s", r.Body)
	case r := <-atB:
		t.Errorf("told of nothing new: %s", r.Body)
	default:
	}

	b.post("/me/presence", `{"availability":"Online"}`).wants(204)
	for _, came := range []<-chan *reply{atA, atB} {
		if got := (<-came).wants(200).events(); got != "me: presence updated" {
			t.Errorf("told %q", got)
		}
	}

	// Away and Offwork have the same availability, but not the same activity.
	a.post("/me/presence", `{"availability":"Away"}`).wants(204)
	a.get("/events?ack=3").wants(200)
	a.post("/me/presence", `{"availability":"Offwork"}`).wants(204)
	if got := a.get("/events?ack=4").wants(200).events(); got != "me: presence updated" {
		t.Errorf("told %q", got)
	}

	// An application that ends changes what is computed, and nothing else.
	b.post("/me/presence", "").wants(204)
	b.get("/events?ack=3").wants(200)
	atB = b.pending("/events?ack=4", 5)
	a.do("DELETE", "", "").wants(204)
	r := (<-atB).wants(200)
	if r.events() != "me: presence updated" || b.availability() != "Away" {
		t.Errorf("told %q", r.events())
	}
	select {
	case r := <-atC:
		t.Errorf("told one that is not available: %s", r.Body)
	default:
	}

	// So does one that expires.
	c.makeAvailable("Online")
	(<-atC).wants(200)
	b.get("/events?ack=5").wants(200)
	atB = b.pending("/events?ack=6&timeout=1800", 3)
	w.clock.Advance(15 * time.Minute)
	if got := (<-atB).wants(200).events(); got != "me: presence updated" || b.availability() != "Away" {
		t.Errorf("told %q", got)
	}
	if n := w.server.Applications(); n != 1 {
		t.Errorf("%d applications", n)
	}
}

func TestNoteAndLocation(t *testing.T) {
	w := newWorld(t)
	a := w.dana(true)
	b := w.create(a.token, 1)
	b.makeAvailable("")
	for _, c := range []struct{ path, property, rel string }{{"/me/note", "message", "note"}, {"/me/location", "location", "location"}} {
		a.post(c.path, `{"`+c.property+`":"Büro \"7\""}`).wants(204)
		r := b.get(c.path).wants(200)
		if r.at(c.property) != `Büro "7"` || r.at("rel") != c.rel {
			t.Errorf("%s", r.Body)
		}
		a.post(c.path, `{}`).wants(204)
		if got := b.get(c.path).at(c.property); got != "" {
			t.Errorf("%s is not cleared: %q", c.rel, got)
		}
	}
	a.post("/me/note?Message=by%20query", "").wants(204)
	if got := b.get("/me/note").at("message"); got != "by query" {
		t.Errorf("message %q", got)
	}
	a.post("/me/note", "").wants(204)
	if got := a.get("/me/note").at("type"); got != "Personal" {
		t.Errorf("type %q", got)
	}
	b.get("/events?ack=1").wants(200)
	a.post("/me/location", `{"location":"x"}`).wants(204)
	a.post("/me/note", `{"message":"x"}`).wants(204)
	if got := b.get("/events?ack=2").wants(200).events(); got != "me: location updated, me: note updated" {
		t.Errorf("told %q", got)
	}
}

func TestPresenceOfUser(t *testing.T) {
	s := ucwatest.New(ucwatest.Config{})
	s.AddUser(ucwatest.User{URI: "sip:dana@contoso.com"})
	for uri, want := range map[string]string{"sip:Dana@contoso.com": "Offline", "dana@contoso.com": "Offline", "lee@contoso.com": ""} {
		if got := s.Presence(uri); got != want {
			t.Errorf("presence of %s: %q, expected %q", uri, got, want)
		}
	}
}
