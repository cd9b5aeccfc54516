package suite

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/capture"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// cleanSession records a clean client, of no kind that this project drives, at the reference server behind change: it signs
// in, is available, sets presences and hears of them, reads, and ends. Its clock ticks by 100 to 300 ms an exchange.
func cleanSession(t *testing.T, change func(http.Handler) http.Handler) []cassettes.Exchange {
	t.Helper()
	server := ucwatest.New(ucwatest.Config{Host: "lyncweb.contoso.com", EventTimeout: time.Millisecond,
		SignIn: &ucwatest.SignIn{Users: "https://lyncweb.contoso.com", Pool: "https://lyncweb.contoso.com"}})
	user := ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Email: "dana@contoso.com", Password: "Passw0rd-of-Dana"}
	server.AddUser(user)
	var handler http.Handler = server
	if change != nil {
		handler = change(server)
	}
	running, err := ucwatest.StartTLS(handler, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	dice, clock := rand.New(rand.NewPCG(1, 1)), time.Date(2026, 3, 2, 9, 15, 0, 0, time.UTC)
	recorder := &cassettes.Recorder{Transport: running.Client().Transport, Now: func() time.Time {
		clock = clock.Add(time.Duration(50+dice.IntN(100))*time.Millisecond + time.Duration(dice.IntN(999))*time.Microsecond)
		return clock
	}}
	ctx := context.Background()
	sign := &ucwa.SignIn{Address: user.URI, Credentials: ucwa.Credentials{Username: user.URI, Password: user.Password},
		Client: ucwa.Client{UserAgent: "clean/1.0", HTTP: &http.Client{Transport: recorder}}}
	must := func(err error) {
		t.Helper()
		if err != nil && change == nil {
			t.Fatal(err)
		} else if err != nil {
			t.Log(err) // the fault may be why
		}
	}
	client, applications, err := sign.Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	app, err := client.Create(ctx, applications, ucwa.NewApplication{UserAgent: "clean"})
	must(err)
	self, _ := app.Link("self").URL()
	begin, err := ucwa.Begin(self.String())
	must(err)
	must(client.MakeMeAvailable(ctx, app.Embed("me"), ucwa.ModalityMessaging))
	if again, err := client.Get(ctx, begin); err == nil {
		app = again
	}
	me, events := app.Embed("me"), app.Link("events")
	hear := func() {
		if p, err := client.Pending(ctx, events, ucwa.EventOptions{}); err == nil {
			events = p.Continue
		}
	}
	hear()
	for _, value := range []ucwa.PreferredAvailability{ucwa.PreferBusy, ucwa.PreferDoNotDisturb} {
		must(client.SetPresence(ctx, me, value))
		hear()
		_, err = client.Presence(ctx, me)
		must(err)
	}
	must(client.ResetPresence(ctx, me))
	hear()
	must(client.End(ctx, app))
	_, _ = client.Get(ctx, begin)
	return recorder.Exchanges()
}

// har is an exchange as an entry of a HAR, for variations to spoil.
type har map[string]any

func harOf(x cassettes.Exchange) har {
	fields := func(h http.Header) []any {
		list := []any{}
		for _, name := range slices.Sorted(maps.Keys(h)) {
			for _, value := range h[name] {
				list = append(list, map[string]any{"name": name, "value": value})
			}
		}
		return list
	}
	request := map[string]any{"method": x.Request.Method, "url": x.Request.URL, "httpVersion": "HTTP/1.1", "headers": fields(x.Request.Headers), "bodySize": len(x.Request.Body)}
	if x.Request.Body != "" {
		request["postData"] = map[string]any{"mimeType": x.Request.Headers.Get("Content-Type"), "text": x.Request.Body}
	}
	return har{"startedDateTime": x.Began.Format("2006-01-02T15:04:05.000000Z07:00"), "time": x.Response.Duration.Seconds() * 1000, "connection": "1", "request": request,
		"response": map[string]any{"status": x.Response.Code, "statusText": "", "httpVersion": "HTTP/1.1", "headers": fields(x.Response.Headers), "bodySize": len(x.Response.Body),
			"content": map[string]any{"size": len(x.Response.Body), "mimeType": x.Response.Headers.Get("Content-Type"), "text": x.Response.Body}}}
}

// spoiled is a capture of a session with what its tool did to it, and which of its exchanges lost something.
type spoiled struct {
	dice    *rand.Rand
	entries []har
	lost    map[int]bool // by the place in the session
	at      []int        // of each entry
	how     []string
}

func (s *spoiled) some(share int, do func(i int, e har)) {
	for i, e := range s.entries {
		if s.dice.IntN(100) < share {
			do(i, e)
		}
	}
}

func (s *spoiled) lose(i int) { s.lost[s.at[i]] = true }

func part(e har, name string) map[string]any { return e[name].(map[string]any) }

// spoils are what tools and people do to captures.
var spoils = []struct {
	name string
	do   func(s *spoiled)
}{
	{"bodies lost", func(s *spoiled) {
		s.some(25, func(i int, e har) {
			response := part(e, "response")
			content := response["content"].(map[string]any)
			if content["size"] == 0 {
				return
			}
			s.lose(i)
			response["bodySize"] = -1
			switch s.dice.IntN(5) {
			case 0:
				content["text"] = ""
			case 1:
				delete(content, "text")
			case 2:
				response["content"] = map[string]any{"mimeType": content["mimeType"]}
			case 3:
				response["bodySize"], content["size"], content["text"] = content["size"], 0, ""
			case 4:
				text := content["text"].(string)
				content["text"] = text[:len(text)/2]
			}
		})
	}},
	{"bodies in base64", func(s *spoiled) {
		s.some(50, func(_ int, e har) {
			content := part(e, "response")["content"].(map[string]any)
			if text, ok := content["text"].(string); ok && text != "" {
				content["text"], content["encoding"] = base64.StdEncoding.EncodeToString([]byte(text)), "base64"
			}
		})
	}},
	{"request bodies lost", func(s *spoiled) {
		s.some(50, func(i int, e har) {
			request := part(e, "request")
			post, ok := request["postData"].(map[string]any)
			if !ok {
				return
			}
			s.lose(i)
			switch s.dice.IntN(3) {
			case 0:
				delete(request, "postData")
				request["bodySize"] = -1
				request["headers"] = slices.DeleteFunc(request["headers"].([]any), func(f any) bool { return f.(map[string]any)["name"] == "Content-Length" })
			case 1:
				post["text"] = ""
			case 2:
				post["params"] = []any{map[string]any{"name": post["text"], "value": ""}}
				delete(post, "text")
			}
		})
	}},
	{"an answer lost", func(s *spoiled) {
		i := s.dice.IntN(len(s.entries))
		s.lose(i)
		s.entries[i]["response"] = map[string]any{"status": 0, "headers": []any{}, "content": map[string]any{"size": 0}, "_error": []any{"", "net::ERR_FAILED", "net::ERR_ABORTED"}[s.dice.IntN(3)]}
	}},
	{"an answer from the cache", func(s *spoiled) {
		i := s.dice.IntN(len(s.entries))
		if part(s.entries[i], "request")["method"] == "GET" {
			s.lose(i)
			s.entries[i]["_fromCache"] = "disk"
		}
	}},
	{"headers lost", func(s *spoiled) {
		s.some(15, func(i int, e har) {
			s.lose(i)
			part(e, []string{"request", "response"}[s.dice.IntN(2)])["headers"] = []any{}
		})
	}},
	{"sanitized", func(s *spoiled) {
		for _, e := range s.entries {
			for _, side := range []string{"request", "response"} {
				part(e, side)["headers"] = slices.DeleteFunc(part(e, side)["headers"].([]any), func(f any) bool {
					return slices.Contains([]string{"Authorization", "Cookie", "Set-Cookie"}, f.(map[string]any)["name"].(string))
				})
			}
		}
	}},
	{"times in whole seconds", func(s *spoiled) {
		for _, e := range s.entries {
			e["startedDateTime"] = e["startedDateTime"].(string)[:19] + "Z"
		}
	}},
	{"times shifted", func(s *spoiled) {
		for _, e := range s.entries {
			at, _ := time.Parse(time.RFC3339Nano, e["startedDateTime"].(string))
			e["startedDateTime"] = at.Add(1000 * time.Hour).In(time.FixedZone("", 2*60*60)).Format("2006-01-02T15:04:05.000000-0700")
		}
	}},
	{"times removed", func(s *spoiled) {
		for _, e := range s.entries {
			delete(e, "startedDateTime")
		}
	}},
	{"times equal", func(s *spoiled) {
		for _, e := range s.entries {
			e["startedDateTime"] = "2026-03-02T09:15:00.000Z"
		}
	}},
	{"times of the year 1, of 1970, or of the future", func(s *spoiled) {
		wrong := []string{"0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"}[s.dice.IntN(3)]
		s.some(20, func(_ int, e har) { e["startedDateTime"] = wrong })
	}},
	{"durations that count a handshake in", func(s *spoiled) {
		s.some(40, func(_ int, e har) { e["time"] = 400 })
	}},
	{"shuffled within a second", func(s *spoiled) {
		second := func(i int) string {
			text, _ := s.entries[i]["startedDateTime"].(string)
			return text[:min(19, len(text))]
		}
		for from := 0; from < len(s.entries); {
			to := from
			for to < len(s.entries) && second(to) == second(from) {
				to++
			}
			if second(from) != "" && second(from) != "2026-03-02T09:15:00" || to-from < len(s.entries) { // all in one second are no longer in any order
				s.dice.Shuffle(to-from, func(i, j int) {
					i, j = i+from, j+from
					s.entries[i], s.entries[j], s.at[i], s.at[j] = s.entries[j], s.entries[i], s.at[j], s.at[i]
				})
			}
			from = to
		}
	}},
	{"schemes and names of fields in any case", func(s *spoiled) {
		for _, e := range s.entries {
			for _, side := range []string{"request", "response"} {
				for _, f := range part(e, side)["headers"].([]any) {
					field := f.(map[string]any)
					if value := field["value"].(string); strings.HasPrefix(value, "Bearer cwt") {
						field["value"] = []string{"bearer", "BEARER", "Bearer"}[s.dice.IntN(3)] + strings.TrimPrefix(value, "Bearer")
					}
					field["name"] = []string{strings.ToLower(field["name"].(string)), strings.ToUpper(field["name"].(string)), field["name"].(string)}[s.dice.IntN(3)]
				}
			}
		}
	}},
	{"connections mixed", func(s *spoiled) {
		s.some(50, func(_ int, e har) { e["connection"] = "2" })
	}},
}

// spoil makes a capture of a session, with one to three spoils.
func spoil(t *testing.T, exchanges []cassettes.Exchange, seed uint64) (*spoiled, []reports.Result) {
	t.Helper()
	s := &spoiled{dice: rand.New(rand.NewPCG(seed, 7)), lost: map[int]bool{}}
	for i, x := range exchanges {
		s.entries, s.at = append(s.entries, harOf(x)), append(s.at, i)
	}
	order := s.dice.Perm(len(spoils))[:1+s.dice.IntN(3)]
	slices.Sort(order)
	for _, i := range order {
		s.how = append(s.how, spoils[i].name)
		spoils[i].do(s)
	}
	text, err := json.Marshal(map[string]any{"log": map[string]any{"version": "1.2", "creator": map[string]any{"name": "spoiler", "version": "1"}, "entries": s.entries}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := capture.Read("spoiled.har", strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("%q: %v", s.how, err)
	}
	located, err := Locate(c.Cassette, Tasks()...)
	if err != nil {
		t.Fatalf("%q: %v", s.how, err)
	}
	if len(located) != 1 {
		t.Errorf("%q, seed %d: one client became %d", s.how, seed, len(located))
	}
	results, err := Examine(located[0])
	if err != nil {
		t.Fatal(err)
	}
	return s, results
}

func brokenIn(results []reports.Result) []reports.Result {
	return slices.DeleteFunc(slices.Clone(results), func(r reports.Result) bool { return r.Verdict != reports.Fail && r.Verdict != reports.Warn })
}

// TestSpoiledCaptures holds that no capture of a clean session fails anybody, whatever its tool did to it.
func TestSpoiledCaptures(t *testing.T) {
	slow(t)
	renewing := func(h http.Handler) http.Handler { // a fresh token for each request
		return editing(h, func(_ http.ResponseWriter, r *http.Request, _ *int, body *string) {
			if strings.HasSuffix(r.URL.Path, "/oauthtoken") {
				*body = lifetime.ReplaceAllString(*body, `"expires_in":0.000001`)
			}
		})
	}
	sessions := [][]cassettes.Exchange{cleanSession(t, nil), cleanSession(t, renewing)}
	if n, more := len(sessions[0]), len(sessions[1]); more < n+5 {
		t.Fatalf("%d exchanges with renewed tokens, %d without", more, n)
	}
	for seed := range uint64(400) {
		s, results := spoil(t, sessions[seed%2], seed)
		for _, r := range brokenIn(results) {
			t.Errorf("%q, seed %d: %s %s: expected %s; observed %.200s; %v", s.how, seed, r.Verdict, r.Requirement, r.Expected, r.Observed, r.Evidence)
		}
	}
}

// TestSpoiledFaults holds that a real fault of a server is found in a capture, and no other, where what shows it was not lost.
func TestSpoiledFaults(t *testing.T) {
	slow(t)
	edits := map[string]func(w http.ResponseWriter, r *http.Request, status *int, body *string){}
	edit := func(requirement, method, path string, do func(w http.ResponseWriter, status *int, body *string)) {
		edits[requirement] = func(w http.ResponseWriter, r *http.Request, status *int, body *string) {
			if r.Method == method && strings.HasSuffix(r.URL.Path, path) && r.Header.Get("Authorization") != "" {
				do(w, status, body)
			}
		}
	}
	replace := func(old, new string) func(http.ResponseWriter, *int, *string) {
		return func(_ http.ResponseWriter, _ *int, body *string) { *body = strings.Replace(*body, old, new, 1) }
	}
	edit("set-presence.2.status", "POST", "/makeMeAvailable", func(_ http.ResponseWriter, status *int, _ *string) { *status = 202 })
	edit("set-presence.6.rel", "GET", "/presence", replace(`"rel":"presence"`, `"rel":"me"`))
	edit("create-application.5.culture", "POST", "/applications", replace(`"culture":"en-US"`, `"culture":"de-DE"`))
	edit("create-application.5.rel", "POST", "/applications", replace(`"rel":"application"`, `"rel":"applications"`))
	edit("create-application.5.link.batch", "POST", "/applications", replace(`"batch":`, `"batching":`))
	edit("create-application.6.status", "DELETE", "", func(_ http.ResponseWriter, status *int, _ *string) { *status = 202 })
	edit("create-application.4.link.self", "GET", "/user", replace(`"self":{"href":"https`, `"self":{"href":"http`))
	edit("set-presence.event.sender", "GET", "/events", replace(`"rel":"me","href"`, `"rel":"me","url"`))
	edit("set-presence.4.headers.cache", "GET", "", func(w http.ResponseWriter, _ *int, body *string) {
		if strings.Contains(*body, `"rel":"application"`) {
			w.Header().Del("Cache-Control")
		}
	})
	for requirement, change := range edits {
		exchanges := cleanSession(t, func(h http.Handler) http.Handler {
			return editing(h, change)
		})
		shown := map[int]bool{} // the exchanges that show it
		_, clean := judgeExchanges(t, exchanges)
		for _, r := range brokenIn(clean) {
			if r.Requirement != requirement {
				continue
			}
			for _, p := range r.Evidence[:1] {
				shown[p.Exchange-1] = true
			}
		}
		alone := brokenIn(clean)
		if len(shown) == 0 || slices.ContainsFunc(alone, func(r reports.Result) bool { return r.Requirement != requirement }) {
			t.Errorf("%s: not spoiled, the session fails %v", requirement, alone)
			continue
		}
		visible, found := 0, 0
		for seed := range uint64(60) {
			s, results := spoil(t, exchanges, seed)
			var ids []string
			for _, r := range brokenIn(results) {
				ids = append(ids, r.Requirement)
				if r.Requirement != requirement {
					t.Errorf("%s, %q, seed %d: also %s %s: expected %s; observed %.200s; %v", requirement, s.how, seed, r.Verdict, r.Requirement, r.Expected, r.Observed, r.Evidence)
				}
			}
			if slices.ContainsFunc(slices.Collect(maps.Keys(shown)), func(i int) bool { return s.lost[i] }) {
				continue
			}
			if visible++; slices.Contains(ids, requirement) {
				found++
			} else if testing.Verbose() {
				i := slices.IndexFunc(results, func(r reports.Result) bool { return r.Requirement == requirement })
				t.Logf("%s is not found: %q, seed %d: %s %s", requirement, s.how, seed, results[i].Verdict, results[i].Reason)
			}
		}
		t.Logf("%s: found in %d of %d in which it is visible", requirement, found, visible)
		if found*100 < visible*95 || visible < 40 {
			t.Errorf("%s: found in %d of %d captures in which it is visible", requirement, found, visible)
		}
	}
}

var lifetime = regexp.MustCompile(`"expires_in":\d+`)

// editing lets a server's answers be edited.
func editing(h http.Handler, edit func(w http.ResponseWriter, r *http.Request, status *int, body *string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding")
		answer := &bufferedAnswer{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(answer, r)
		status, body := answer.status, answer.body.String()
		edit(w, r, &status, &body)
		w.Header().Del("Content-Length")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func judgeExchanges(t *testing.T, exchanges []cassettes.Exchange) (*Evidence, []reports.Result) {
	t.Helper()
	located, err := Locate(&cassettes.Cassette{Name: "session", Exchanges: exchanges}, Tasks()...)
	if err != nil {
		t.Fatal(err)
	}
	results, err := Examine(located[0])
	if err != nil {
		t.Fatal(err)
	}
	return located[0], results
}

// bufferedAnswer keeps an answer back.
type bufferedAnswer struct {
	http.ResponseWriter
	status int
	body   strings.Builder
}

func (b *bufferedAnswer) WriteHeader(status int)      { b.status = status }
func (b *bufferedAnswer) Write(p []byte) (int, error) { return b.body.Write(p) }
