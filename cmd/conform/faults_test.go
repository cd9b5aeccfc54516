package main

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// on does something in place of the server at paths with that ending, the first times
// that the client itself asks.
func on(ending string, times int64, do http.HandlerFunc) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		faulty := from(1, times, do)(h)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, ending) && !strings.Contains(r.UserAgent(), "probe") {
				faulty.ServeHTTP(w, r)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
}

func late(pause time.Duration) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(pause)
			h.ServeHTTP(w, r)
		})
	}
}

// shortLived lets each token be renewed a second later, though it is good for longer, and takes so long that it is.
func shortLived(h http.Handler) http.Handler {
	lifetime := regexp.MustCompile(`"expires_in":\d+`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/oauthtoken") {
			h.ServeHTTP(w, r)
			time.Sleep(20 * time.Millisecond) // of a run of some 70 requests
			return
		}
		r.Header.Del("Accept-Encoding")
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = io.WriteString(w, lifetime.ReplaceAllString(answer.Body.String(), `"expires_in":1`))
	})
}

// endingTokens takes no token any more once an application was deleted.
func endingTokens(h http.Handler) http.Handler {
	var over atomic.Bool
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if over.Load() {
			r.Header.Set("Authorization", "Bearer cwt=one-that-has-expired")
		}
		h.ServeHTTP(w, r)
		if r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/applications/") && !strings.Contains(r.URL.Path, "/me/") {
			over.Store(true)
		}
	})
}

// posted keeps a fault to POSTs.
func posted(middle func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		faulty := middle(h)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				faulty.ServeHTTP(w, r)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
}

// revoked refuses, from the nth request on, the tokens that came with those before.
func revoked(n int64) func(http.Handler) http.Handler {
	var seen atomic.Int64
	var known sync.Map
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token := r.Header.Get("Authorization")
			if seen.Add(1) < n {
				known.Store(token, true)
			} else if _, old := known.Load(token); old && token != "" {
				r.Header.Set("Authorization", "Bearer cwt=revoked")
			}
			h.ServeHTTP(w, r)
		})
	}
}

func page(status int, mediaType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// TestSignInFaults holds what a run says of a network, and of servers, that fail on the
// way to an application; that it ends in time; and that it leaves nothing behind.
func TestSignInFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for hosts that stall")
	}
	const (
		root, token, user, apps = "/", "/oauthtoken", "/oauth/user", "/applications"
		head                    = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		halfAToken              = `{"access_token":"cwt=AAEBhalf`
	)
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for _, test := range []struct {
		name   string
		middle func(http.Handler) http.Handler
		life   time.Duration // of tokens
		args   []string
		code   int
		words  []string
	}{
		{"all is well", nil, 0, nil, exitConformant, nil},
		{"slow", late(20 * time.Millisecond), 0, nil, exitConformant, nil},
		{"nothing listens", nil, 0, []string{"--resolve", discoverHost + ":443:127.0.0.1:1", "--resolve", externalHost + ":443:127.0.0.1:1"}, exitFailed,
			[]string{"Autodiscover of", "found no server", "connection refused", "nothing listens at that address"}},
		{"Autodiscover stalls", on(root, forever, silent), 0, nil, exitFailed, []string{"found no server", "no answer in the time"}},
		{"Autodiscover stalls beyond --timeout", on(root, forever, silent), 0, []string{"--timeout", "1s", "--request-timeout", "30s"}, exitFailed,
			[]string{"the run was over after --timeout 1s"}},
		{"Autodiscover hangs up", on(root, forever, hangUp), 0, nil, exitFailed, []string{"found no server", "EOF"}},
		{"the first answer of Autodiscover is late", on(root, 1, silent), 0, nil, exitConformant, nil},
		{"503 of Autodiscover", on(root, 1, refuse(503, "", "Retry-After", "1")), 0, nil, exitConformant, nil},
		{"503 of Autodiscover for too long", on(root, forever, refuse(503, "", "Retry-After", "900")), 0, nil, exitFailed, []string{"Retry-After: 15m0s, longer than", "503"}},
		{"HTML of Autodiscover", on(root, forever, page(200, "text/html", "<title>IIS Windows Server</title>")), 0, nil, exitNonconformant, []string{"found no server", "the body is no resource"}},
		{"the user resource stalls", on(user, forever, silent), 0, nil, exitIncomplete, []string{"the sign-in ended here", "no answer in the time"}},
		{"the token endpoint stalls", on(token, forever, silent), 0, nil, exitIncomplete, []string{"the sign-in ended here", "no answer in the time"}},
		{"the token endpoint hangs up", on(token, forever, hangUp), 0, nil, exitIncomplete, []string{"EOF", "closed the connection without an answer"}},
		{"a token that is cut off", on(token, forever, raw(head+"Content-Length: 500\r\n\r\n"+halfAToken)), 0, nil, exitIncomplete, []string{"unexpected EOF", "ended in the middle"}},
		{"a token that is no JSON", on(token, forever, page(200, "application/json", halfAToken)), 0, nil, exitNonconformant, []string{"is no token"}},
		{"HTML and 500 of the token endpoint", on(token, forever, page(500, "text/html", "<title>Runtime Error</title>")), 0, nil, exitNonconformant,
			[]string{"500: not the documented JSON but", "the server failed: try again later"}},
		{"429 of the token endpoint", on(token, 2, refuse(429, "", "Retry-After", "0")), 0, nil, exitIncomplete, []string{"asked to come again later", "a password is sent once"}},
		{"503 of the token endpoint for too long", on(token, forever, refuse(503, "", "Retry-After", "900")), 0, nil, exitIncomplete, []string{"asked to come again later"}},
		{"503 of the creation", on(apps, 1, refuse(503, "", "Retry-After", "0")), 0, nil, exitConformant, nil},
		{"the creation stalls", posted(on(apps, forever, silent)), 0, nil, exitIncomplete, []string{"no answer in the time", "an application may have been created"}},
		{"tokens are said to live for a second", shortLived, 0, nil, exitConformant, nil},
		{"the token ends with the application", endingTokens, 0, nil, exitIncomplete, []string{"the token was refused after the end of the application"}},
		{"the token is revoked in the middle", revoked(30), 0, nil, exitIncomplete, []string{"the token was refused from exchange"}},
		{"no more than so many", nil, 0, []string{"--rate", "20"}, exitConformant, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDeployment(t, test.middle, func(s *ucwatest.SignIn) { s.TokenLife = test.life })
			r := d.certify(append([]string{"--resolve", "*:443:" + d.address}, test.args...)...)
			if r.code != test.code {
				t.Errorf("exit code %d, expected %d: %s", r.code, test.code, r.stderr)
				r.says(t, "another")
			}
			r.says(t, test.words...)
			d.untouched()
			t.Logf("took %s", r.took)
		})
	}
}

// TestSignInLeaksNothing holds that no goroutine outlasts a sign-in that fails.
func TestSignInLeaksNothing(t *testing.T) {
	for name, middle := range map[string]func(http.Handler) http.Handler{
		"all is well":                   nil,
		"Autodiscover stalls":           on("/", forever, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
		"the token endpoint hangs up":   on("/oauthtoken", forever, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		"the creation is never told":    posted(on("/applications", forever, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })),
		"the token endpoint says later": on("/oauthtoken", 1, refuse(503, "", "Retry-After", "1")),
	} {
		t.Run(name, func(t *testing.T) {
			d := newDeployment(t, middle, nil)
			d.drive(nil)
			d.untouched()
		})
	}
}

// TestTrust holds that a deployment of two domains is certified when both are named, and
// that otherwise the report says what to do.
func TestTrust(t *testing.T) {
	d := newDeployment(t, nil, func(s *ucwatest.SignIn) { s.Pool = "https://" + partnerHost })
	r := d.certify()
	if r.code == exitConformant {
		t.Error("the password was shown to a domain that nobody had named")
	}
	r.says(t, "outside the user's domain", "--trust DOMAIN")
	if r = d.certify("--trust", "fabrikam.com"); r.code != exitConformant {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
		r.says(t, "another")
	}
	d.untouched()
}
