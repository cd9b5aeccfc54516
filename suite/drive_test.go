package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// busyUser starts a server with a user who is busy, as another application of
// theirs has set it, and returns a target on an application of their own and a
// function that reads the presence.
func busyUser(t *testing.T, middle func(http.Handler) http.Handler) (Target, func() ucwa.Availability) {
	t.Helper()
	server := ucwatest.New(ucwatest.Config{})
	running, err := ucwatest.Start(middle(server), ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	token := server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com"})
	var urls []string
	for i := range 2 {
		href, err := server.CreateApplication(token, "conform", "en-US", fmt.Sprintf("3fa85f64-5717-4562-b3fc-2c963f66afa%d", i))
		if err != nil {
			t.Fatal(err)
		}
		urls = append(urls, running.URL+href)
	}
	client := &ucwa.Client{Token: token, UserAgent: "other"}
	ctx := context.Background()
	me := func() *ucwa.Resource {
		a, err := client.Application(ctx, urls[1])
		if err != nil {
			t.Fatal(err)
		}
		return a.Embed("me")
	}
	if err := client.MakeMeAvailable(ctx, me()); err != nil {
		t.Fatal(err)
	}
	if err := client.SetPresence(ctx, me(), ucwa.PreferBusy); err != nil {
		t.Fatal(err)
	}
	return Target{Application: urls[0], Token: token, RequestTimeout: 5 * time.Second}, func() ucwa.Availability {
		p, err := client.Presence(ctx, me())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

func untouched(h http.Handler) http.Handler { return h }

// onSetting does something with the nth POST of the driver that sets a presence.
func onSetting(n int64, do func(h http.Handler, w http.ResponseWriter, r *http.Request)) func(http.Handler) http.Handler {
	var seen atomic.Int64
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/presence") && r.UserAgent() == userAgent && seen.Add(1) == n {
				do(h, w, r)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
}

// TestRestores holds that the presence which was there is there again, however
// the run ends.
func TestRestores(t *testing.T) {
	interrupted, interrupt := context.WithCancel(context.Background())
	for _, test := range []struct {
		name   string
		ctx    context.Context
		keep   bool
		middle func(http.Handler) http.Handler
	}{
		{"after an ordinary run", context.Background(), false, untouched},
		{"when the application stays", context.Background(), true, untouched},
		{"after a connection that breaks", context.Background(), false, onSetting(2, func(http.Handler, http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		})},
		{"after the answer was lost", context.Background(), false, onSetting(1, func(h http.Handler, _ http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		})},
		{"after an interrupt", interrupted, false, onSetting(1, func(h http.Handler, w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r)
			interrupt()
		})},
	} {
		t.Run(test.name, func(t *testing.T) {
			target, presence := busyUser(t, test.middle)
			target.Keep = test.keep
			Record(test.ctx, target)
			if p := presence(); p != ucwa.Availability(ucwa.PreferBusy) {
				t.Errorf("the user was Busy before the run and is %s after it", p)
			}
		})
	}
}

// TestInterruptedCleanUp holds that an interrupt which comes while the run cleans up
// ends nothing of that, however the server answers then.
func TestInterruptedCleanUp(t *testing.T) {
	restoring := func(r *http.Request) bool { return strings.Contains(r.UserAgent(), "(probe "+probeRestore+")") }
	deleting := func(r *http.Request) bool { return r.Method == http.MethodDelete && r.UserAgent() == userAgent }
	late := func(w http.ResponseWriter, _ *http.Request) bool { // the first time, and without doing it
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return false
	}
	silent := func(_ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server notices when the client goes
		<-r.Context().Done()
		return false
	}
	well := func(http.ResponseWriter, *http.Request) bool { return true }
	for _, test := range []struct {
		name    string
		when    func(*http.Request) bool
		answers func(http.ResponseWriter, *http.Request) bool
	}{
		{"while the application is deleted", deleting, well},
		{"while the application is deleted, to be asked again", deleting, late},
		{"while the application is deleted, without an answer", deleting, silent},
		{"while the presence is restored", restoring, well},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(context.Background())
			defer interrupt()
			var once atomic.Bool
			var own atomic.Value // the path of the application
			target, presence := busyUser(t, func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if test.when(r) && once.CompareAndSwap(false, true) {
						interrupt()
						if !test.answers(w, r) {
							return
						}
					}
					answer := &statusOf{ResponseWriter: w}
					if h.ServeHTTP(answer, r); r.Method == http.MethodDelete && answer.status/100 == 2 {
						own.Store(r.URL.Path)
					}
				})
			})
			target.EventWait, target.RequestTimeout = time.Second, time.Minute
			began := time.Now()
			e := Gather(ctx, target)[0]
			if ctx.Err() == nil {
				t.Fatal("the run was not interrupted")
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %s: it does not hurry", took)
			}
			if u, _ := url.Parse(target.Application); own.Load() != u.Path {
				t.Errorf("the application is left on the server; deleted: %v", own.Load())
			}
			if p := presence(); p != ucwa.Availability(ucwa.PreferBusy) {
				t.Errorf("the user was Busy before the run and is %s after it", p)
			}
			if notes := strings.Join(e.Notes, "\n"); strings.Contains(notes, "could not be") {
				t.Errorf("all was undone, and the notes say: %s", notes)
			}
			if e.Unfinished() != "the run ended before all was asked" {
				t.Errorf("it is unfinished since %q", e.Unfinished())
			}
		})
	}
}

// statusOf keeps the status of an answer.
type statusOf struct {
	http.ResponseWriter
	status int
}

func (s *statusOf) WriteHeader(code int) {
	s.status = code
	s.ResponseWriter.WriteHeader(code)
}

// asked lists what a recording asked, as "GET presence".
func asked(t *testing.T, target Target) []string {
	t.Helper()
	var list []string
	for _, x := range Record(context.Background(), target).Exchanges {
		_, rest, _ := strings.Cut(x.Request.URL, "/applications/")
		list = append(list, x.Request.Method+" "+rest)
	}
	return list
}

// TestDriverStops holds where the driver asks nothing more, and where it goes on.
func TestDriverStops(t *testing.T) {
	for _, status := range []int{401, 403, 404} {
		target := live(t, false, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		})
		if got := asked(t, target); len(got) != 1 {
			t.Errorf("the application answers %d, and this was asked: %q", status, got)
		}
	}

	target := live(t, false, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.UserAgent(), "media-type") {
				panic(http.ErrAbortHandler)
			}
			h.ServeHTTP(w, r)
		})
	})
	if got := asked(t, target); len(got) < 40 || !strings.HasPrefix(got[len(got)-3], "DELETE") {
		t.Errorf("a connection broke at a probe, and only this was asked: %q", got)
	}
}

// answers lets a handler's answers be edited.
func answers(h http.Handler, edit func(r *http.Request, body string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding")
		recorded := httptest.NewRecorder()
		h.ServeHTTP(recorded, r)
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(recorded.Code)
		_, _ = io.WriteString(w, edit(r, recorded.Body.String()))
	})
}

// TestDriverKeepsOut holds that a link which leads to another application is not followed.
func TestDriverKeepsOut(t *testing.T) {
	target := live(t, false, func(h http.Handler) http.Handler {
		return answers(h, func(_ *http.Request, body string) string {
			before, after, ok := strings.Cut(body, `"makeMeAvailable":{"href":"`)
			if !ok {
				return body
			}
			_, after, _ = strings.Cut(after, `"`)
			return before + `"makeMeAvailable":{"href":"/ucwa/oauth/v1/applications/99999999999/me/makeMeAvailable"` + after
		})
	})
	target.Anonymous, target.Restricted, target.EventWait = nil, nil, time.Millisecond
	for _, request := range asked(t, target) {
		if strings.Contains(request, "99999999999") {
			t.Errorf("the server led to another application, and the driver followed: %s", request)
		}
	}
}

// TestDriverEnds holds that a server which never stops talking is left.
func TestDriverEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		body string
		most int // pending GETs
	}{
		{"nothing to say, at once", `{"_links":{"self":{"href":"events"},"next":{"href":"events?ack=2"}}}`, 10 * maxPending}, // two waits for presence and note each are whole
		{"long packages", `{"_links":{"self":{"href":"events"},"next":{"href":"events?ack=2"}},"x":"` + strings.Repeat("x", 3<<20) + `"}`, maxReceived>>20/3 + 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			target := live(t, false, func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/events") {
						_, _ = io.WriteString(w, test.body)
						return
					}
					h.ServeHTTP(w, r)
				})
			})
			target.EventWait = time.Hour
			n := 0
			for _, request := range asked(t, target) {
				if strings.Contains(request, "/events") {
					n++
				}
			}
			if n == 0 || n > test.most {
				t.Errorf("%d pending GETs, expected at most %d", n, test.most)
			}
		})
	}
}

// TestTurns holds that users wait for themselves only, and not longer than the run lasts.
func TestTurns(t *testing.T) {
	turns := NewTurns()
	leave := turns.take(context.Background(), "https://a sip:dana@contoso.com")
	turns.take(context.Background(), "https://b sip:dana@contoso.com")()
	ended, end := context.WithCancel(context.Background())
	end()
	turns.take(ended, "https://a sip:dana@contoso.com")() // returns, though it is not free
	leave()
	turns.take(context.Background(), "https://a sip:dana@contoso.com")()
}

// TestSource holds that the name of a source shows no query.
func TestSource(t *testing.T) {
	if got := sourceOf(Target{Application: "https://dana:secret@pool.contoso.com/ucwa/101?token=cwt=AAEB#x"}); got != "https://pool.contoso.com/ucwa/101" {
		t.Errorf("the source is %q", got)
	}
}

// TestSharedTurns holds that calls of Gather which share turns have a user wait for
// itself; and that what is waited for is told with its task and step.
func TestSharedTurns(t *testing.T) {
	target, _ := busyUser(t, untouched)
	u, err := url.Parse(target.Application)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	target.Turns, target.Keep = NewTurns(), true
	target.Progress = func(w Waiting) { told = append(told, w.Step+" "+w.For) }
	leave := target.Turns.take(t.Context(), ucwa.Origin(u)+" sip:dana@contoso.com")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	Gather(ctx, target)
	for _, what := range told {
		if strings.HasPrefix(what, "5 ") {
			t.Fatalf("out of turn it does %q", what)
		}
	}
	leave()
	told = nil
	Gather(t.Context(), target)
	for _, want := range []string{"pre GET ", "1 POST makeMeAvailable", "5 POST presence", "event event channel", "refusal "} {
		if !slices.ContainsFunc(told, func(what string) bool { return strings.HasPrefix(what, want) }) {
			t.Errorf("nothing tells of %q: %q", want, told)
		}
	}
}

// TestOutOfOffice holds that a driver leaves the note of a user alone whose out-of-office note is shown in its place, and that
// this is held against nobody.
func TestOutOfOffice(t *testing.T) {
	posted := 0
	target := live(t, false, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Accept-Encoding") // what is compressed cannot be changed
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			body := answer.Body.String()
			if strings.HasSuffix(r.URL.Path, "/me/note") && answer.Code < 300 {
				body = strings.Replace(body, `"message":"","type":"Personal"`, `"message":"Back on Monday","type":"OutOfOffice"`, 1)
				if r.Method == http.MethodPost {
					posted++
				}
			}
			maps.Copy(w.Header(), answer.Header())
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.Code)
			_, _ = io.WriteString(w, body)
		})
	})
	e := Gather(t.Context(), target)[0]
	if posted > 0 {
		t.Errorf("the note was posted %d times", posted)
	}
	for id, v := range verdictsOn(t, e) {
		note := strings.HasPrefix(id, "set-note.") || strings.HasPrefix(id, "reset-note.")
		if want := reports.NotApplicable; note && v != want && id != "set-note.event.me" || v == reports.NotExercised || v == reports.Fail {
			t.Errorf("%s: %s", id, v)
		}
	}
	if !slices.ContainsFunc(e.Notes, func(note string) bool { return strings.Contains(note, "the note was not set") }) {
		t.Errorf("nothing says that the note was left alone: %q", e.Notes)
	}
}

// TestNoteIsGivenBack holds that a run leaves the note of a user as it was, whatever the server does with it meanwhile, or says that it
// could not.
func TestNoteIsGivenBack(t *testing.T) {
	const own = "Back at noon"
	for _, test := range []struct {
		name  string
		deny  func(nth int, r *http.Request) bool // answered with 500, of what is asked of the note
		want  string
		notes string
	}{
		{"all goes well", func(int, *http.Request) bool { return false }, own, ""},
		{"it is never read", func(_ int, r *http.Request) bool { return r.Method == http.MethodGet }, own, "the note was not set"},
		{"it is read before, and not after", func(nth int, r *http.Request) bool { return r.Method == http.MethodGet && nth > 1 }, own, ""},
		{"no reset is taken", func(nth int, r *http.Request) bool {
			return nth > 12 && r.ContentLength == 0 && r.UserAgent() == userAgent
		}, own, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			note := own // as the server has it
			n := 0
			target := live(t, false, func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					available := strings.HasSuffix(r.URL.Path, "/me/note") && !strings.Contains(r.UserAgent(), "-before")
					if available {
						n++
					}
					if available && test.deny(n, r) {
						http.Error(w, "no", http.StatusInternalServerError)
						return
					}
					r.Header.Del("Accept-Encoding") // what is compressed cannot be changed
					sent, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(bytes.NewReader(sent))
					answer := httptest.NewRecorder()
					h.ServeHTTP(answer, r)
					body := answer.Body.String()
					if available && r.Method == http.MethodGet && n == 1 {
						body = strings.Replace(body, `"message":""`, fmt.Sprintf(`"message":%q`, note), 1)
					}
					if available && answer.Code == http.StatusNoContent {
						var given struct{ Message string }
						_ = json.Unmarshal(sent, &given)
						note = given.Message + r.URL.Query().Get("Message")
					}
					maps.Copy(w.Header(), answer.Header())
					w.Header().Del("Content-Length")
					w.WriteHeader(answer.Code)
					_, _ = io.WriteString(w, body)
				})
			})
			e := Gather(t.Context(), target)[0]
			if note != test.want {
				t.Errorf("the note is %q, was %q: %q", note, test.want, e.Notes)
			}
			if !strings.Contains(strings.Join(e.Notes, "\n"), test.notes) {
				t.Errorf("expected a note of %q: %q", test.notes, e.Notes)
			}
		})
	}
}
