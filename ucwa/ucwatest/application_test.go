package ucwatest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

func TestCreate(t *testing.T) {
	w := newWorld(t)
	token := w.server.AddUser(dana)
	post := func(token, endpoint string) *reply {
		return w.send(request("POST", root, token, `{"UserAgent":"UCWA Samples","CULTURE":"en-US","endpointID":"`+endpoint+`","extra":null}`))
	}
	first := post(token, endpoint).wants(201)
	if got := first.Header().Get("Location"); got != root+"/101" || first.link("self") != got {
		t.Errorf("Location %q, self %q", got, first.link("self"))
	}
	again := post(token, strings.ToUpper(endpoint)).wants(200)
	if first.Body.String() != again.Body.String() {
		t.Errorf("not the same application: %s", again.Body)
	}
	if got := post(token, guidOf(1)).wants(201).link("self"); got != root+"/102" {
		t.Errorf("another endpoint got %s", got)
	}
	// An endpoint is one of a user.
	lene := w.server.AddUser(ucwatest.User{URI: "lene@contoso.com"})
	if got := post(lene, endpoint).wants(201).link("self"); got != root+"/103" {
		t.Errorf("another user got %s", got)
	}
	// A second token is for the same account, whatever the casing.
	second := w.server.AddUser(ucwatest.User{URI: "SIP:dana@CONTOSO.com", Name: "Someone else"})
	if got := post(second, endpoint).wants(200); got.at("_embedded", "me", "name") != dana.Name {
		t.Errorf("me: %s", got.Body)
	}
	if href, err := w.server.CreateApplication(second, "x", "de", endpoint); err != nil || href != root+"/101" {
		t.Errorf("CreateApplication: %s, %v", href, err)
	}
	if _, err := w.server.CreateApplication(second, "x", "de", ""); err == nil || !strings.Contains(err.Error(), "400 BadRequest ParameterValidationFailure") {
		t.Errorf("CreateApplication: %v", err)
	}
	if n := w.server.Applications(); n != 3 {
		t.Errorf("%d applications", n)
	}
	w.send(request("GET", root, token, "")).wants(405)
	// An endpoint is called anything, in any casing.
	node := post(token, "node").wants(201).link("self")
	for _, name := range []string{"NODE", "123", strings.Repeat("é", 100)} {
		if got := post(token, name).link("self"); got == "" || (got == node) != (name == "NODE") {
			t.Errorf("%s got %s", name, got)
		}
	}
	options := w.send(request("OPTIONS", root, token, "")).wants(200)
	if options.Header().Get("Allow") != "POST" || options.at("rel") != "applications" {
		t.Errorf("%v %s", options.Header(), options.Body)
	}
}

// TestApplication compares with the document, whose response this is but for
// what it leaves out.
func TestApplication(t *testing.T) {
	a := newWorld(t).dana(false)
	links := func(paths ...string) map[string]any {
		m := map[string]any{}
		for _, path := range paths {
			name, _, _ := strings.Cut(path[strings.LastIndex(path, "/")+1:], "?")
			switch path {
			case "", "/me":
				name = "self"
			case "/photos/Dana@contoso.com":
				name = "photo"
			}
			m[name] = map[string]any{"href": root + "/101" + path}
		}
		return m
	}
	check := func(me map[string]any) {
		t.Helper()
		got := a.get("").wants(200).json()
		embedded := got["_embedded"].(map[string]any)
		for _, c := range []struct{ want, got any }{
			{"en-US", got["culture"]}, {"UCWA Samples", got["userAgent"]}, {"application", got["rel"]},
			{links("", "/policies", "/batch", "/events?ack=1", "/reportMyNetwork"), got["_links"]},
			{"Dana Birkby", embedded["me"].(map[string]any)["name"]},
			{"sip:Dana@contoso.com", embedded["me"].(map[string]any)["uri"]},
			{[]any{"Dana@contoso.com"}, embedded["me"].(map[string]any)["emailAddresses"]},
			{me, embedded["me"].(map[string]any)["_links"]},
			{embedded["me"], any(a.get("/me").wants(200).json())},
			{embedded["people"], any(a.get("/people").wants(200).json())},
			{embedded["onlineMeetings"], any(a.get("/onlineMeetings").wants(200).json())},
			{embedded["communication"], any(a.get("/communication").wants(200).json())},
		} {
			if d := cmp.Diff(c.want, c.got); d != "" {
				t.Error(d)
			}
		}
		for _, name := range []string{"me", "people", "onlineMeetings", "communication"} {
			if got := embedded[name].(map[string]any)["rel"]; got != name {
				t.Errorf("rel of %s: %v", name, got)
			}
		}
	}
	check(links("/me", "/me/makeMeAvailable", "/me/callForwardingSettings", "/me/phones", "/photos/Dana@contoso.com"))
	before := a.get("").at("etag")
	a.makeAvailable("")
	check(links("/me", "/me/note", "/me/presence", "/me/location", "/me/reportMyActivity",
		"/me/callForwardingSettings", "/me/phones", "/photos/Dana@contoso.com"))
	if a.get("").at("etag") == before {
		t.Error("the etag has not changed")
	}
	a.post("/me/reportMyActivity", "").wants(204)
	a.post("/me/reportMyActivity", "{}").wants(204)
	a.post("/me/reportMyActivity", "{").wants(400)
}

func TestMakeMeAvailable(t *testing.T) {
	w := newWorld(t)
	token := w.server.AddUser(dana)
	for i, body := range []string{
		``, `{}`, `{"supportedModalities":null,"signInAs":null}`, `{"supportedModalities":[]}`,
		`{"SUPPORTEDMODALITIES":["Audio","Video","PhoneAudio","ApplicationSharing","Messaging","DataCollaboration","PanoramicVideo","Audio"],"supportedMessageFormats":["Plain","Html"],"audioPreference":"PhoneAudio","phoneNumber":"tel:+14255551234","inactiveTimeout":"PT5M","voipFallbackToPhoneAudioTimeOut":"PT10S","unknown":{"x":1}}`,
	} {
		w.create(token, i).post("/me/makeMeAvailable", body).wants(204)
	}
	said := (&app{w, token, root + "/105"}).get("/communication").json()
	if d := cmp.Diff([]any{"Audio", "Video", "PhoneAudio", "ApplicationSharing", "Messaging", "DataCollaboration", "PanoramicVideo"}, said["supportedModalities"]); d != "" {
		t.Error(d)
	}
	if said["audioPreference"] != "PhoneAudio" || said["phoneNumber"] != "tel:+14255551234" {
		t.Errorf("%v", said)
	}
	none := w.create(w.server.AddUser(ucwatest.User{URI: "none@contoso.com", Modalities: []string{}}), 0)
	none.post("/me/makeMeAvailable", `{"supportedModalities":["Messaging"]}`).wants(403, "Forbidden", "")
	none.post("/me/makeMeAvailable", `{}`).wants(204)
}

func TestDeleteEndsAllBelow(t *testing.T) {
	w := newWorld(t)
	a := w.dana(true)
	a.do("DELETE", "", "").wants(204)
	for _, path := range []string{"", "/me", "/me/presence", "/events?ack=1", "/nothing", "/photos/" + dana.Email} {
		a.get(path).wants(404, "NotFound", "ApplicationNotFound")
	}
	a.do("DELETE", "", "").wants(404, "NotFound", "ApplicationNotFound")
	if n := w.server.Applications(); n != 0 {
		t.Errorf("%d applications", n)
	}
	// The endpoint begins anew.
	if href := w.create(a.token, 0).href; href == a.href {
		t.Errorf("%s has come back", href)
	}
}

func TestExpiry(t *testing.T) {
	w := newWorld(t)
	a := w.dana(true)
	w.clock.Advance(15*time.Minute - 1)
	a.get("").wants(200) // is no sign of life
	w.clock.Advance(1)
	a.get("").wants(404, "NotFound", "ApplicationNotFound")
	if n := w.server.Applications(); n != 0 {
		t.Errorf("%d applications", n)
	}

	// While a GET is pending, and for 15 minutes after, the application lives.
	b := w.create(a.token, 1)
	w.clock.Advance(10 * time.Minute)
	came := b.pending("/events?ack=1&timeout=1800", 2)
	w.clock.Advance(30 * time.Minute)
	(<-came).wants(200)
	w.clock.Advance(15*time.Minute - 1)
	b.get("").wants(200)
	w.clock.Advance(1)
	b.get("").wants(404)
}

func TestTooManyApplications(t *testing.T) {
	w := newWorld(t)
	token := w.server.AddUser(dana)
	for n := range 1000 {
		w.create(token, n)
	}
	body := `{"userAgent":"x","culture":"en-US","endpointId":"` + guidOf(1000) + `"}`
	w.send(request("POST", root, token, body)).wants(410, "Gone", "TooManyApplications")
	w.create(token, 0) // is there
	(&app{w, token, root + "/101"}).do("DELETE", "", "").wants(204)
	w.create(token, 1000)
}

func TestNamesThatRunOut(t *testing.T) {
	w := newWorld(t, func(c *ucwatest.Config) { c.IDs = func() string { return "101" } })
	a := w.dana(false)
	body := `{"userAgent":"x","culture":"en-US","endpointId":"` + guidOf(1) + `"}`
	w.send(request("POST", root, a.token, body)).wants(500, "ServiceFailure", "")
}

// TestManyAtOnce has 50 users with 4 applications each do all that there is,
// at the same time.
func TestManyAtOnce(t *testing.T) {
	clock := ucwatest.NewManualClock(start)
	w := &world{t, ucwatest.New(ucwatest.Config{Clock: clock, EventTimeout: time.Hour}), clock}
	const users, each = 50, 4
	var all sync.WaitGroup
	var mu sync.Mutex
	var apps []*app
	for u := range users {
		token := w.server.AddUser(ucwatest.User{URI: fmt.Sprintf("u%d@contoso.com", u)})
		for n := range each {
			all.Go(func() {
				body := `{"userAgent":"x","culture":"en-US","endpointId":"` + guidOf(n) + `"}`
				created := w.send(request("POST", root, token, body))
				a := &app{w, token, created.Header().Get("Location")}
				ack := a.get("").link("events")
				a.post("/me/makeMeAvailable", `{}`)
				a.post("/me/note", fmt.Sprintf(`{"message":"%d"}`, n))
				a.post("/me/presence", `{"availability":"Busy"}`)
				events := w.send(request("GET", ack, token, ""))
				if !json.Valid(events.Body.Bytes()) || events.Code != 200 || !strings.Contains(events.Body.String(), `"presence"`) {
					t.Errorf("%d %s", events.Code, events.Body)
				}
				if got := a.get("/me/presence").at("availability"); got != "Busy" {
					t.Errorf("availability %q", got)
				}
				mu.Lock()
				defer mu.Unlock()
				apps = append(apps, a)
			})
		}
	}
	all.Wait()
	if n := w.server.Applications(); n != users*each {
		t.Errorf("%d applications", n)
	}

	// Now all listen, all speak at once, and all are told.
	for _, a := range apps {
		all.Go(func() {
			next := a.href + "/events?ack=2"
			for told := false; !told; {
				r := w.send(request("GET", next, a.token, "")).wants(200)
				told = strings.Contains(r.events(), "location updated")
				next = r.link("next")
			}
		})
	}
	clock.BlockUntil(2 * users * each)
	for _, a := range apps {
		all.Go(func() { a.post("/me/location", `{"location":"`+a.href+`"}`) })
	}
	all.Wait()

	clock.Advance(15 * time.Minute)
	if n := w.server.Applications(); n != 0 {
		t.Errorf("%d applications are left", n)
	}
}
