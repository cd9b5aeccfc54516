package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// thief is a server at every name and port that is not the deployment's. It keeps what
// it is told, and would take credentials as a good server does.
type thief struct {
	mu     sync.Mutex
	loot   []string
	honest http.Handler
}

func (f *thief) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.mu.Lock()
	f.loot = append(f.loot, fmt.Sprintf("%s %s%s %v %s", r.Method, r.Host, r.RequestURI, r.Header, body))
	f.mu.Unlock()
	f.honest.ServeHTTP(w, r)
}

// take returns what he has got, and leaves him nothing.
func (f *thief) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	loot := f.loot
	f.loot = nil
	return loot
}

// elsewhere is where a hostile deployment leads: to the thief, each by another trick.
var elsewhere = map[string]string{
	"another host":       "https://evil.example/x",
	"a longer name":      "https://lyncweb.contoso.com.evil.example/x",
	"no scheme":          "//evil.example/x",
	"user information":   "https://lyncweb.contoso.com@evil.example/x",
	"port before the @":  "https://lyncweb.contoso.com:443@evil.example/x",
	"another port":       "https://lyncweb.contoso.com:4443/x",
	"http":               "http://lyncweb.contoso.com/x",
	"http on the port":   "http://lyncweb.contoso.com:443/x",
	"a dot more":         "https://lyncweb.contoso.com./x",
	"IPv6":               "https://[::1]/x",
	"IPv4 in IPv6":       "https://[::ffff:127.0.0.1]/x",
	"a number":           "https://2130706433/x",
	"a hexadecimal one":  "https://0x7f000001/x",
	"a backslash":        `https://evil.example\\@lyncweb.contoso.com/x`,
	"capitals in a name": "https://EVIL.example/x",
}

// TestHostileDeployment holds that neither a password nor a token reaches a server that
// it is not for, wherever a deployment leads.
func TestHostileDeployment(t *testing.T) {
	slow(t)
	f := &thief{honest: ucwatest.New(ucwatest.Config{SignIn: &ucwatest.SignIn{}})}
	f.honest.(*ucwatest.Server).AddUser(ucwatest.User{Name: "Dana", URI: "sip:dana@contoso.com", Password: danasPassword})
	quiet := log.New(io.Discard, "", 0)
	secure := httptest.NewUnstartedServer(f)
	secure.Config.ErrorLog = quiet
	secure.TLS = &tls.Config{}
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(f)
	defer plain.Close()
	at := func(s *httptest.Server) string { u, _ := url.Parse(s.URL); return u.Host }

	var laid atomic.Bool // the trap, where the client could step into it
	link := func(rel string) func(target string, h http.Handler) http.Handler {
		href := regexp.MustCompile(`("` + rel + `":\{"href":)"[^"]*"`)
		return func(target string, h http.Handler) http.Handler {
			return rewritten(h, func(_ *http.Request, w *httptest.ResponseRecorder) {
				laid.CompareAndSwap(false, href.Match(w.Body.Bytes()))
				w.Body = bytes.NewBuffer(href.ReplaceAll(w.Body.Bytes(), []byte(`${1}"`+strings.ReplaceAll(target, "$", "$$")+`"`)))
			})
		}
	}
	redirect := func(status int, path string) func(target string, h http.Handler) http.Handler {
		return func(target string, h http.Handler) http.Handler {
			return rewritten(h, func(r *http.Request, w *httptest.ResponseRecorder) {
				if strings.HasSuffix(r.URL.Path, path) && w.Code < 300 {
					w.Code, w.Body = status, new(bytes.Buffer)
					laid.Store(true)
					w.Header().Set("Location", strings.ReplaceAll(target, `\\`, `\`))
				}
			})
		}
	}
	for _, trap := range []struct {
		name string
		set  func(target string, h http.Handler) http.Handler
	}{
		{"redirect link", link("redirect")},
		{"user link", link("user")},
		{"applications link", link("applications")},
		{"self link", link("self")},
		{"events link", link("events")},
		{"makeMeAvailable link", link("makeMeAvailable")},
		{"presence link", link("presence")},
		{"redirect of the root", redirect(302, "/")},
		{"redirect of the user resource", redirect(302, "/oauth/user")},
		{"redirect of the token endpoint", redirect(307, "/oauthtoken")},
		{"redirect of the applications", redirect(307, "/applications")},
		{"redirect of the presence", redirect(308, "/presence")},
		{"MsRtcOAuth href", func(target string, h http.Handler) http.Handler {
			href := regexp.MustCompile(`href="[^"]*"`)
			return rewritten(h, func(_ *http.Request, w *httptest.ResponseRecorder) {
				for i, line := range w.Header()["Www-Authenticate"] {
					laid.Store(true)
					w.Header()["Www-Authenticate"][i] = href.ReplaceAllLiteralString(line, `href="`+target+`"`)
				}
			})
		}},
	} {
		for trick, target := range elsewhere {
			t.Run(trap.name+" "+trick, func(t *testing.T) {
				f.take()
				laid.Store(false)
				set := func(h http.Handler) http.Handler {
					h = trap.set(target, h)
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if !slices.Contains([]string{discoverHost, externalHost, webHost, poolHost}, r.Host) {
							t.Errorf("%s %s%s was asked, by another name", r.Method, r.Host, r.RequestURI)
						}
						h.ServeHTTP(w, r)
					})
				}
				d := newDeployment(t, set, nil)
				e := d.drive(func(flags *liveFlags) {
					flags.connection.insecure = true // the thief has any certificate
					book := []string{"*:443:" + at(secure), "*:4443:" + at(secure), "*:80:" + at(plain)}
					for _, host := range []string{discoverHost, externalHost, webHost, poolHost} {
						book = append(book, host+":443:"+d.address)
					}
					flags.connection.resolve = book
					flags.keepNames = true
				})
				for _, request := range f.take() {
					// The documentation has http as a last resort. What comes of it is checked.
					last := strings.HasPrefix(request, "GET "+discoverHost+"/ ") || strings.HasPrefix(request, "GET "+externalHost+"/ ")
					if !last || strings.Contains(request, "Authorization") || strings.Contains(request, danasPassword) {
						t.Errorf("the thief was asked: %s", request)
					}
				}
				if !laid.Load() || len(e.Exchanges) < 2 {
					t.Errorf("it never came that far: %q", e.Notes)
				}
			})
		}
	}
}

// rewritten changes the answers of a handler.
func rewritten(h http.Handler, change func(*http.Request, *httptest.ResponseRecorder)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding") // so that there is something to read
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		change(r, answer)
		header := w.Header()
		for name, values := range answer.Header() {
			header[name] = values
		}
		header.Del("Content-Length")
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}
