package suite

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// careless is a server which takes every creation for one more application, whoever
// asks, if its middle says so; it counts as the server does.
func careless(t *testing.T, middle func(http.Handler) http.Handler) (Target, *ucwatest.Server) {
	t.Helper()
	server := ucwatest.New(ucwatest.Config{SignIn: &ucwatest.SignIn{}})
	server.AddUser(ucwatest.User{Name: "Dana", URI: "sip:dana@contoso.com", Password: "Passw0rd-of-Dana"})
	running, err := ucwatest.Start(middle(server), ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	return Target{EventWait: time.Second, RequestTimeout: 5 * time.Second,
		SignIn: &ucwa.SignIn{Start: running.URL, Credentials: ucwa.Credentials{Username: "dana@contoso.com", Password: "Passw0rd-of-Dana"}}}, server
}

// asOther has the creations of some probes taken for those of another endpoint, by
// somebody with a good token.
func asOther(probes ...string) func(http.Handler) http.Handler {
	guid := regexp.MustCompile(`[0-9a-f]{12}"`)
	var mu sync.Mutex
	token := ""
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if given := r.Header.Get("Authorization"); strings.HasPrefix(given, "Bearer cwt=") && !strings.Contains(given, "nobody") {
				token = given
			}
			probe := probeMark.FindStringSubmatch(r.UserAgent())
			if probe != nil && slices.Contains(probes, probe[1]) && r.Method == http.MethodPost {
				body, _ := io.ReadAll(r.Body)
				body = guid.ReplaceAll(body, []byte(`00000000000`+string('a'+rune(slices.Index(probes, probe[1])))+`"`))
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
				r.Header.Set("Authorization", token)
			}
			h.ServeHTTP(w, r)
		})
	}
}

func examined(t *testing.T, e *Evidence) []reports.Result {
	t.Helper()
	results, err := Examine(e)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// edited has the answers to creations edited.
func edited(from, to string, drop string) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return answers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r)
			if strings.HasSuffix(r.URL.Path, "/applications") {
				w.Header().Del(drop)
			}
		}), func(r *http.Request, body string) string {
			if strings.HasSuffix(r.URL.Path, "/applications") {
				body = strings.Replace(body, from, to, 1)
			}
			return body
		})
	}
}

// TestLeavesNoApplication holds that whatever the server lets the run create, probes
// included, is deleted at the end, however the run ends.
func TestLeavesNoApplication(t *testing.T) {
	both := asOther("create-no-token", "create-bad-token", partAgain)
	for _, test := range []struct {
		name   string
		middle func(http.Handler) http.Handler
	}{
		{"one that ignores endpointId", asOther(partAgain)},
		{"one that asks for no token", asOther("create-no-token", "create-bad-token")},
		{"both", both},
		{"both, the first without a way to itself", func(h http.Handler) http.Handler { return edited(`"self":`, `"itself":`, "")(both(h)) }},
		{"a Location and no self link", edited(`"self":`, `"itself":`, "")},
		{"a self link that leads astray", edited(`"self":{"href":"`, `"self":{"href":"/nowhere`, "")},
		{"a self link and no Location", edited("", "", "Location")},
	} {
		for _, ending := range []string{"success", "interrupt", "time-out", "panic", "no creation", "failure"} {
			t.Run(test.name+", "+ending, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				target, server := careless(t, func(h http.Handler) http.Handler {
					h = test.middle(h)
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						makes := strings.HasSuffix(r.URL.Path, "/makeMeAvailable") && r.Method == http.MethodPost
						switch {
						case ending == "failure" && makes:
							panic(http.ErrAbortHandler)
						case ending == "interrupt" && makes:
							cancel()
						case ending == "time-out" && makes:
							_, _ = io.Copy(io.Discard, r.Body) // so that the server notices when the client goes
							<-r.Context().Done()
							return
						case ending == "no creation" && strings.HasSuffix(r.URL.Path, "/applications") && r.UserAgent() == userAgent:
							http.Error(w, "no", http.StatusInternalServerError)
							return
						}
						h.ServeHTTP(w, r)
					})
				})
				if ending == "time-out" {
					target.RequestTimeout = 300 * time.Millisecond
				}
				target.Progress = func(w Waiting) {
					if ending == "panic" && strings.Contains(w.For, "makeMeAvailable") {
						panic("injected")
					}
				}
				e := Gather(ctx, target)[0]
				if left := server.Applications(); left != 0 {
					t.Errorf("%d applications are left: %q", left, e.Notes)
				}
				if notes := strings.Join(e.Notes, "\n"); strings.Contains(notes, "could not be deleted") {
					t.Errorf("all were deleted, and the notes say: %s", notes)
				}
				if ending == "success" {
					if difference := rehearse(context.Background(), e.Recording); difference != "" {
						t.Errorf("the recording is not what the driver makes of it: %s", difference)
					}
				}
			})
		}
	}
}

// TestLostToken holds what tells a token that was revoked from a server which refuses
// whatever it is shown: by a fresh one, for which the run signs in again.
func TestLostToken(t *testing.T) {
	for _, test := range []struct {
		name    string
		refuses func(token, first string) bool
		want    reports.Outcome
		note    string
		left    int
	}{
		{"revoked", func(token, first string) bool { return token == first }, reports.Incomplete, "it has expired or was revoked", 0},
		{"broken", func(string, string) bool { return true }, reports.Nonconformant, "and so was a fresh one", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var mu sync.Mutex
			first, over := "", false
			target, server := careless(t, func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					token := r.Header.Get("Authorization")
					own := strings.Contains(r.URL.Path, "/applications/") && strings.HasPrefix(token, "Bearer cwt=")
					if own && first == "" {
						first = token
					}
					refused := own && over && test.refuses(token, first)
					over = over || strings.HasSuffix(r.URL.Path, "/makeMeAvailable") && strings.Contains(r.UserAgent(), "make-again")
					mu.Unlock()
					if refused {
						w.Header().Set("WWW-Authenticate", `MsRtcOAuth href="http://`+r.Host+`/WebTicket/oauthtoken",grant_type="password"`)
						http.Error(w, "no", http.StatusUnauthorized)
						return
					}
					h.ServeHTTP(w, r)
				})
			})
			e := Gather(context.Background(), target)[0]
			results := examined(t, e)
			notes := strings.Join(e.Notes, "\n")
			if got := reports.OutcomeOf(results, false); got != test.want || !strings.Contains(notes, test.note) || server.Applications() != test.left {
				t.Errorf("it is %s, expected %s; %d applications are left; the notes are %s", got, test.want, server.Applications(), notes)
			}
		})
	}
}

// TestSaysWhatIsLeft holds that an application which cannot be deleted is named.
func TestSaysWhatIsLeft(t *testing.T) {
	for _, test := range []struct{ name, drop, want string }{
		{"refused", "", "(the server answered 403): delete http://"},
		{"not told", "Location", "may have been created, of which the answer does not tell"},
	} {
		t.Run(test.name, func(t *testing.T) {
			target, server := careless(t, func(h http.Handler) http.Handler {
				h = asOther("create-no-token")(h)
				hidden := edited(`"self":`, `"itself":`, test.drop)(h)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch {
					case strings.Contains(r.UserAgent(), "create-no-token"):
						hidden.ServeHTTP(w, r)
					case strings.Contains(r.UserAgent(), probeStray):
						http.Error(w, "no", http.StatusForbidden)
					default:
						h.ServeHTTP(w, r)
					}
				})
			})
			target.KeepNames = true
			e := Gather(context.Background(), target)[0]
			if notes := strings.Join(e.Notes, "\n"); server.Applications() != 1 || !strings.Contains(notes, test.want) {
				t.Errorf("%d applications are left, and the notes say: %s", server.Applications(), notes)
			}
		})
	}
}

// TestSaysOnlyWhatMayBe holds that an application is feared to be there only where a request for one
// was sent and nobody answered, and that of a probe, which should create none, no more is said.
func TestSaysOnlyWhatMayBe(t *testing.T) {
	const feared, probed = "an application may have been created", "no answer came to a request that should create no application"
	for _, test := range []struct {
		name, breaks, want string
	}{
		{"the creation breaks", userAgent, feared},
		{"a probe breaks", userAgent + " (probe create-no-token)", probed},
		{"nothing is sent", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			target, server := careless(t, func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/applications") && r.Method == http.MethodPost && r.UserAgent() == test.breaks {
						panic(http.ErrAbortHandler)
					}
					h.ServeHTTP(w, r)
				})
			})
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			target.Transport = transport
			if test.breaks == "" {
				target.Transport = closedDoor{transport}
			}
			notes := strings.Join(Gather(context.Background(), target)[0].Notes, "\n")
			for _, note := range []string{feared, probed} {
				if strings.Contains(notes, note) != (note == test.want) {
					t.Errorf("expected %q, and the notes say: %s", test.want, notes)
				}
			}
			if server.Applications() != 0 {
				t.Errorf("%d applications are left", server.Applications())
			}
		})
	}
}

// closedDoor reaches no server to create an application.
type closedDoor struct{ http.RoundTripper }

func (d closedDoor) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/applications") && r.Method == http.MethodPost {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	}
	return d.RoundTripper.RoundTrip(r)
}
