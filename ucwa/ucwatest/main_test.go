package ucwatest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	root     = "/ucwa/oauth/v1/applications"
	endpoint = "22222222-2222-2222-2222-000000000000"
	origin   = "http://app.contoso.com"
)

var (
	start = time.Date(2013, 1, 17, 0, 0, 0, 0, time.UTC)
	dana  = ucwatest.User{Name: "Dana Birkby", URI: "sip:Dana@contoso.com", Email: "Dana@contoso.com"}
)

// counter names applications 101, 102 and so on.
func counter() func() string {
	n := 100
	return func() string { n++; return strconv.Itoa(n) }
}

// world is a server with a clock that the test moves.
type world struct {
	*testing.T
	server *ucwatest.Server
	clock  *ucwatest.ManualClock
}

func newWorld(t *testing.T, change ...func(*ucwatest.Config)) *world {
	t.Helper()
	clock := ucwatest.NewManualClock(start)
	cfg := ucwatest.Config{Host: "lyncweb.contoso.com", Origins: []string{origin}, Clock: clock, IDs: counter(),
		Groups: []ucwatest.Group{{Name: "Sales", URI: "sip:sales@contoso.com", Members: []string{"sip:lene@contoso.com"}}}}
	for _, f := range change {
		f(&cfg)
	}
	return &world{t, ucwatest.New(cfg), clock}
}

// app is one application of one user as its client sees it.
type app struct {
	*world
	token, href string
}

// create creates the n-th application of a user.
func (w *world) create(token string, n int) *app {
	w.Helper()
	href, err := w.server.CreateApplication(token, "UCWA Samples", "en-US", guidOf(n))
	if err != nil {
		w.Fatal(err)
	}
	return &app{w, token, href}
}

func guidOf(n int) string { return endpoint[:len(endpoint)-6] + strconv.Itoa(100000+n) }

// dana returns an application of hers, and if available one that has used
// makeMeAvailable and told so.
func (w *world) dana(available bool) *app {
	w.Helper()
	a := w.create(w.server.AddUser(dana), 0)
	if available {
		a.makeAvailable("")
		a.post("/me/presence", "").wants(204)
	}
	return a
}

// lene returns an available application of somebody else.
func (w *world) lene(signInAs string) *app {
	w.Helper()
	a := w.create(w.server.AddUser(ucwatest.User{Name: "Lene <Aaling>", URI: "sip:lene@contoso.com", Title: "R&D"}), 1)
	a.post("/me/makeMeAvailable", `{"signInAs":"`+signInAs+`","supportedModalities":["Messaging"],"inactiveTimeout":"PT24H"}`).wants(204)
	return a
}

// inside is what a resource embeds, or links to, under a rel: the first of them.
func (r *reply) inside(rel string) map[string]any {
	r.Helper()
	for _, where := range []string{"_embedded", "_links"} {
		members, _ := r.json()[where].(map[string]any)
		switch v := members[rel].(type) {
		case map[string]any:
			return v
		case []any:
			return v[0].(map[string]any)
		}
	}
	r.Fatalf("%s: no %s in %s", r.asked, rel, r.Body)
	return nil
}

// id is that of what a resource has first under a rel.
func (r *reply) id(rel string) string { return r.inside(rel)["id"].(string) }

// conversation is the id of the application's first one.
func (a *app) conversation() string {
	a.Helper()
	href := a.get("/communication/conversations").wants(200).inside("conversation")["href"].(string)
	return href[strings.LastIndex(href, "/")+1:]
}

// answer does something with the invitation that the events, told from the beginning, have.
func (a *app) answer(do string) {
	a.Helper()
	for href := a.get("").link("events"); ; {
		told := a.send(request("GET", href, a.token, "")).wants(200)
		if link := regexp.MustCompile(`"` + do + `":\{"href":"([^"]+)"`).FindStringSubmatch(told.Body.String()); link != nil {
			a.send(request("POST", link[1], a.token, "")).wants(204)
			return
		}
		href = told.link("next")
	}
}

// say sends a message in the application's first conversation.
func (a *app) say(text string) *reply {
	a.Helper()
	return a.do("POST", "/communication/conversations/"+a.conversation()+"/messaging/sendMessage", text, "Content-Type", "text/plain").wants(201)
}

func (a *app) makeAvailable(signInAs string) {
	a.Helper()
	body := `{"SupportedModalities": ["Messaging"]}`
	if signInAs != "" {
		body = `{"signInAs":"` + signInAs + `"}`
	}
	a.post("/me/makeMeAvailable", body).wants(204)
}

type reply struct {
	*testing.T
	*httptest.ResponseRecorder
	asked string
	told  map[string]any // instead, a resource in an event
}

// send gives a request up, with 503, that a test did not mean to be held.
func (w *world) send(r *http.Request) *reply {
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	r = r.WithContext(ctx)
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	return &reply{w.T, rec, r.Method + " " + r.URL.String(), nil}
}

// request is a well-formed one; headers come in pairs, an empty value removes.
func request(method, target, token, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return r
}

func (a *app) do(method, path, body string, headers ...string) *reply {
	return a.send(request(method, a.href+path, a.token, body, headers...))
}

func (a *app) get(path string) *reply        { return a.do("GET", path, "") }
func (a *app) post(path, body string) *reply { return a.do("POST", path, body) }

const putValue = "please pass this in a PUT request"

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// putName is the name of the property that a PUT of the resource needs.
func putName(r map[string]any) string {
	for name, v := range r {
		if v == putValue {
			return name
		}
	}
	return ""
}

// put replaces a resource, which has the etag, by a body, and sends what a PUT needs besides.
func (a *app) put(path, body, etag string) *reply {
	a.Helper()
	if got := a.get(path); got.Code == 200 {
		body = strings.Replace(`{"`+putName(got.json())+`":"`+putValue+`",`+strings.TrimPrefix(body, "{"), ",}", "}", 1)
	}
	return a.do("PUT", path, body, "If-Match", etag)
}

func (a *app) availability() string {
	a.Helper()
	return a.get("/me/presence").wants(200).at("availability")
}

// wants fails the test unless the status is this one, and what follows: the
// code, the subcode.
func (r *reply) wants(status int, names ...string) *reply {
	r.Helper()
	if r.Code != status {
		r.Fatalf("%s: status %d, want %d\n%s", r.asked, r.Code, status, r.Body)
	}
	for i, key := range []string{"code", "subcode"} {
		if i < len(names) && r.at(key) != names[i] {
			r.Fatalf("%s: %s %q, want %q\n%s", r.asked, key, r.at(key), names[i], r.Body)
		}
	}
	return r
}

func (r *reply) json() map[string]any {
	r.Helper()
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(r.Body.Bytes()))
	if err := d.Decode(&v); err != nil {
		r.Fatalf("%s: %v\n%s", r.asked, err, r.Body)
	}
	return v
}

// at is the string at a path of names, empty if there is none.
func (r *reply) at(path ...string) string {
	r.Helper()
	var v any = r.json()
	for _, name := range path {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	s, _ := v.(string)
	return s
}

func (r *reply) link(rel string) string { r.Helper(); return r.at("_links", rel, "href") }

// events is what a response of the channel tells, as "sender: rel type".
func (r *reply) events() string {
	r.Helper()
	var told []string
	senders, _ := r.json()["sender"].([]any)
	for _, s := range senders {
		sender := s.(map[string]any)
		for _, e := range sender["events"].([]any) {
			event := e.(map[string]any)
			link := event["link"].(map[string]any)
			told = append(told, sender["rel"].(string)+": "+link["rel"].(string)+" "+event["type"].(string))
		}
	}
	return strings.Join(told, ", ")
}

// pending sends a GET on the event channel that is not answered at once; the
// server then has n alarms set.
func (a *app) pending(path string, n int) <-chan *reply {
	return a.pendingWith(context.Background(), path, n)
}

func (a *app) pendingWith(ctx context.Context, path string, n int) <-chan *reply {
	came := make(chan *reply, 1)
	go func() { came <- a.send(request("GET", a.href+path, a.token, "").WithContext(ctx)) }()
	a.clock.BlockUntil(n)
	select {
	case r := <-came:
		a.Fatalf("GET %s was not held: %d %s", path, r.Code, r.Body)
	default:
	}
	return came
}
