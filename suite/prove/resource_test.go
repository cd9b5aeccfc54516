package prove

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestResourceFaults puts one of each sort on resources that a server serves, and sees it there.
func TestResourceFaults(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{})
	token := server.AddUser(ucwatest.User{Name: "Dana", URI: "sip:dana@contoso.com", Contacts: []string{"sip:dana@contoso.com"}})
	href, err := server.CreateApplication(token, "x", "en-us", "1")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(f Fault, method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, href+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		f.Handler(server).ServeHTTP(rec, r)
		return rec
	}
	const contact = "/people/contacts/sip:dana@contoso.com"
	sound := ask(Fault{edit: func(*exchange) {}}, "GET", contact, "").Body.String()
	for name, shows := range map[string]func(*httptest.ResponseRecorder) bool{
		"contact/status":              func(r *httptest.ResponseRecorder) bool { return r.Code == 500 },
		"contact/media":               func(r *httptest.ResponseRecorder) bool { return r.Header().Get("Content-Type") == "text/html" },
		"contact/json":                func(r *httptest.ResponseRecorder) bool { return !json.Valid(r.Body.Bytes()) },
		"contact/rel":                 func(r *httptest.ResponseRecorder) bool { return strings.Contains(r.Body.String(), `"rel":"resource"`) },
		"contact/self":                func(r *httptest.ResponseRecorder) bool { return !strings.Contains(r.Body.String(), `"self"`) },
		"contact/links.contactNote":   func(r *httptest.ResponseRecorder) bool { return !strings.Contains(r.Body.String(), `"contactNote"`) },
		"contact/properties.uri":      func(r *httptest.ResponseRecorder) bool { return !strings.Contains(r.Body.String(), `"uri"`) },
		"Contact/Properties.Uri-type": func(r *httptest.ResponseRecorder) bool { return !strings.Contains(r.Body.String(), `"uri":"sip`) },
	} {
		f, _, found := ResourceFaultNamed(name)
		if !found {
			t.Fatal(name)
		}
		if r := ask(f, "GET", contact, ""); !shows(r) {
			t.Errorf("%s: %d %s", name, r.Code, r.Body)
		}
		if r := ask(f, "GET", "/me", ""); r.Code != 200 || !strings.Contains(r.Body.String(), `"rel":"me"`) {
			t.Errorf("%s touches me: %s", name, r.Body)
		}
		if strings.HasSuffix(strings.ToLower(name), "uri") {
			if r := ask(f, "GET", "/people/myContacts", ""); strings.Contains(r.Body.String(), `"uri"`) {
				t.Errorf("%s leaves embedded contacts alone", name)
			}
		}
	}
	if again := ask(Fault{edit: func(*exchange) {}}, "GET", contact, "").Body.String(); again != sound {
		t.Error("a fault has stayed")
	}
	// Events, which are not told, or twice.
	ask(Fault{edit: func(*exchange) {}}, "POST", "/me/makeMeAvailable", `{}`)
	for name, times := range map[string]int{"note/event-lost": 0, "note/event-again": 2} {
		f, _, found := ResourceFaultNamed(name)
		if !found {
			t.Fatal(name)
		}
		if got := strings.Count(ask(f, "GET", "/events?ack=1", "").Body.String(), `"rel":"note"`); got != times {
			t.Errorf("%s: told %d times", name, got)
		}
	}
	names := map[string]bool{}
	for _, f := range ResourceFaults() {
		if names[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		names[f.Name] = true
	}
	for _, f := range Faults() {
		if names[f.Name] {
			t.Errorf("%s has the name of another fault", f.Name)
		}
	}
	for _, name := range []string{"accept/self", "myContacts/event-lost", "contact/nothing", "nobody/self"} {
		if _, others, found := ResourceFaultNamed(name); found || slices.Contains(others, "properties.uri") != (name == "contact/nothing") {
			t.Errorf("%s: found %t, others %q", name, found, others)
		}
	}
	if _, _, found := ResourceFaultNamed("contact/event-lost"); !found {
		t.Error("events of contacts cannot be lost")
	}
}
