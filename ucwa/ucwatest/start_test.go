package ucwatest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestSession is the documented session as one browser application has it:
// sign in, read the application, set the presence, hear of it, leave. Every URL
// but the first was served by the server.
func TestSession(t *testing.T) {
	quiet := ucwatest.Options{ErrorLog: log.New(io.Discard, "", 0)}
	for _, c := range []struct {
		name, base string
		start      func(http.Handler, ucwatest.Options) (*ucwatest.Running, error)
		options    ucwatest.Options
		proto      string
	}{
		{"plain", "http://lyncweb.contoso.com", ucwatest.Start, ucwatest.Options{HTTP2: true}, "HTTP/1.1"},
		{"TLS", "https://lyncweb.contoso.com", ucwatest.StartTLS, quiet, "HTTP/1.1"},
		{"HTTP/2", "https://lyncweb.contoso.com:4443", ucwatest.StartTLS, ucwatest.Options{HTTP2: true}, "HTTP/2.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			server := ucwatest.New(ucwatest.Config{Host: "lyncweb.contoso.com", Origins: []string{origin}})
			running, err := c.start(server, c.options)
			if err != nil {
				t.Fatal(err)
			}
			defer running.Close()
			token := server.AddUser(dana)

			do := func(status int, method, to, body string) (*http.Response, map[string]any) {
				t.Helper()
				base, err := url.Parse(c.base)
				if err != nil {
					t.Fatal(err)
				}
				target, err := base.Parse(to)
				if err != nil {
					t.Fatal(err)
				}
				q, err := http.NewRequest(method, target.String(), strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				q.Header = http.Header{
					"Accept":           {"application/json"},
					"Content-Type":     {"application/json"},
					"Authorization":    {"Bearer " + token},
					"X-Ms-Origin":      {origin},
					"X-Requested-With": {"XMLHttpRequest"},
					"Referer":          {"https://lyncweb.contoso.com/Autodiscover/XFrame/XFrame.html"},
					"Accept-Language":  {"en-us"},
					"User-Agent":       {"Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; WOW64; Trident/5.0)"},
					"Cache-Control":    {"no-cache"},
				}
				p, err := running.Client().Do(q)
				if err != nil {
					t.Fatal(err)
				}
				defer p.Body.Close()
				content, err := io.ReadAll(p.Body)
				if err != nil {
					t.Fatal(err)
				}
				if p.StatusCode != status || p.Proto != c.proto || p.Header.Get("X-MS-Server-Fqdn") != "lyncweb.contoso.com" || p.Header.Get("Server") != "ucwatest" {
					t.Fatalf("%s %s: %s %v %s", method, to, p.Status, p.Header, content)
				}
				if status == 204 {
					if len(content) > 0 || p.Header.Get("Content-Type") != "" || p.Header.Get("Content-Length") != "" {
						t.Errorf("%s %s: content on 204: %v %q", method, to, p.Header, content)
					}
					return p, nil
				}
				var v map[string]any
				if err := json.Unmarshal(content, &v); err != nil {
					t.Fatalf("%s %s: %v", method, to, err)
				}
				return p, v
			}
			link := func(r map[string]any, rel string) string {
				t.Helper()
				l, _ := r["_links"].(map[string]any)[rel].(map[string]any)
				to, _ := l["href"].(string)
				if to == "" {
					t.Fatalf("no link %s in %v", rel, r["_links"])
				}
				return to
			}
			me := func(r map[string]any) map[string]any { return r["_embedded"].(map[string]any)["me"].(map[string]any) }

			p, app := do(201, "POST", root, `{"userAgent":"UCWA Samples","endpointId":"`+endpoint+`","culture":"en-US"}`)
			if p.Header.Get("Location") != link(app, "self") {
				t.Errorf("Location %q", p.Header.Get("Location"))
			}
			do(204, "POST", link(me(app), "makeMeAvailable"), `{"SupportedModalities": ["Messaging"]}`)
			_, events := do(200, "GET", link(app, "events"), "")
			p, app = do(200, "GET", link(app, "self"), "")
			if len(p.Cookies()) != 1 || !p.Cookies()[0].Secure || !p.Cookies()[0].HttpOnly {
				t.Errorf("cookies %v", p.Cookies())
			}
			if !p.Uncompressed {
				t.Error("gzip was asked for")
			}
			presence := link(me(app), "presence")
			do(204, "POST", presence, `{"availability":"Busy"}`)
			_, events = do(200, "GET", link(events, "next"), "")
			sender := events["sender"].([]any)[0].(map[string]any)
			told := sender["events"].([]any)[0].(map[string]any)["link"].(map[string]any)
			if sender["rel"] != "me" || told["rel"] != "presence" || told["href"] != presence {
				t.Errorf("told %v", events)
			}
			if _, now := do(200, "GET", presence, ""); now["availability"] != "Busy" {
				t.Errorf("presence %v", now)
			}
			do(204, "DELETE", link(app, "self"), "")
			do(404, "GET", link(app, "self"), "")
			if n := server.Applications(); n != 0 {
				t.Errorf("%d applications are left", n)
			}
		})
	}
}

// TestCloseReleases closes a server with GETs pending, a connection that has
// said nothing, and one amid a request.
func TestCloseReleases(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP/2 ", http2), func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			clock := ucwatest.NewManualClock(start)
			server := ucwatest.New(ucwatest.Config{Clock: clock})
			reading := make(chan struct{})
			running, err := ucwatest.StartTLS(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" {
					close(reading)
				}
				server.ServeHTTP(w, r)
			}), ucwatest.Options{HTTP2: http2, ErrorLog: log.New(io.Discard, "", 0)})
			if err != nil {
				t.Fatal(err)
			}
			w := &world{t, server, clock}
			token := server.AddUser(dana)
			const n = 5
			came := make(chan int, n)
			for i := range n {
				a := w.create(token, i)
				go func() {
					q, _ := http.NewRequest("GET", running.URL+a.href+"/events?ack=1", nil)
					q.Header.Set("Authorization", "Bearer "+token)
					p, err := running.Client().Do(q)
					if err != nil {
						t.Error(err)
						came <- 0
						return
					}
					p.Body.Close()
					came <- p.StatusCode
				}()
			}
			clock.BlockUntil(2 * n)
			address := strings.TrimPrefix(running.URL, "https://")
			mute, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer mute.Close()
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM(running.Certificate)
			slow, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool, ServerName: "localhost"})
			if err != nil {
				t.Fatal(err)
			}
			defer slow.Close()
			fmt.Fprintf(slow, "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", root, token)
			<-reading

			running.Close()
			for range n {
				if status := <-came; status != http.StatusServiceUnavailable {
					t.Errorf("a pending GET came back with %d", status)
				}
			}
			if _, err := net.Dial("tcp", address); err == nil {
				t.Error("the server still listens")
			}
			running.Close() // once more does no harm
		})
	}
}

// TestClientGone has a client hang up on a real connection: the GET is let go,
// though the clock stands still.
func TestClientGone(t *testing.T) {
	clock := ucwatest.NewManualClock(start)
	server := ucwatest.New(ucwatest.Config{Clock: clock})
	answered := make(chan struct{}, 1)
	running, err := ucwatest.Start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server.ServeHTTP(w, r)
		answered <- struct{}{}
	}), ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	a := (&world{t, server, clock}).create(server.AddUser(dana), 0)
	ctx, hangUp := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		q, _ := http.NewRequestWithContext(ctx, "GET", running.URL+a.href+"/events?ack=1", nil)
		q.Header.Set("Authorization", "Bearer "+a.token)
		_, err := running.Client().Do(q)
		gone <- err
	}()
	clock.BlockUntil(2)
	hangUp()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	<-answered
}

// TestNamesOnTheWire holds the names of header fields as IIS writes them, in the order of the document.
func TestNamesOnTheWire(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{Host: "lyncweb.contoso.com", Origins: []string{origin}, SignIn: &ucwatest.SignIn{}})
	running, err := ucwatest.Start(server, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	token := server.AddUser(dana)
	href, err := server.CreateApplication(token, "x", "en-US", endpoint)
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{
		"GET " + rootPath + "/user HTTP/1.1\r\n":                                             "WWW-Authenticate: Bearer ",
		"HEAD " + rootPath + "/oauth/user HTTP/1.1\r\n":                                      "WWW-Authenticate: MsRtcOAuth ",
		"GET / HTTP/1.1\r\nX-Ms-Origin: http://evil.example\r\n":                             "X-Ms-diagnostics: 28070",
		"GET / HTTP/1.1\r\n":                                                                 "X-MS-Server-Fqdn: lyncweb.contoso.com",
		"GET " + href + "/communication HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\n": "ETag: \"",
	} {
		c, err := net.Dial("tcp", strings.TrimPrefix(running.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, request+"Host: lyncweb.contoso.com\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if c.Close(); err != nil || !strings.Contains(string(got), "\r\n"+want) {
			t.Errorf("%s: %v\n%s\nwant %s", request, err, got, want)
		}
		bearer, other := strings.Index(string(got), "Bearer"), strings.Index(string(got), "MsRtcOAuth")
		if bearer > other {
			t.Errorf("%s: Bearer does not come first\n%s", request, got)
		}
	}
}

func TestCertificate(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{Host: "lyncweb.contoso.com"})
	var complaints bytes.Buffer
	running, err := ucwatest.StartTLS(server, ucwatest.Options{Hosts: []string{"lyncdiscover.contoso.com", "10.1.2.3"}, ErrorLog: log.New(&complaints, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(running.Certificate) {
		t.Fatalf("%s", running.Certificate)
	}
	address := strings.TrimPrefix(running.URL, "https://")
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "lyncweb.contoso.com", "lyncdiscover.contoso.com", "10.1.2.3"} {
		c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool, ServerName: host})
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		if got := c.ConnectionState().NegotiatedProtocol; got == "h2" {
			t.Errorf("HTTP/2 is offered unasked")
		}
		c.Close()
	}
	if _, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool, ServerName: "other.example"}); err == nil {
		t.Error("the certificate is valid for any host")
	}
	if _, err := new(http.Client).Get(running.URL); err == nil {
		t.Error("the certificate is trusted by all")
	}
	running.Close()
	if !strings.Contains(complaints.String(), "handshake") {
		t.Errorf("the log says %q", &complaints)
	}
}

func TestStartFails(t *testing.T) {
	for _, start := range []func(http.Handler, ucwatest.Options) (*ucwatest.Running, error){ucwatest.Start, ucwatest.StartTLS} {
		if _, err := start(http.NotFoundHandler(), ucwatest.Options{Address: "nowhere"}); err == nil {
			t.Error("an address that is none is listened on")
		}
	}
}
