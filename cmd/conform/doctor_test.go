package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cmd/conform/internal/doctor"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"
)

const userPath = "/Autodiscover/AutodiscoverService.svc/root/oauth/user"

// ward is where a patient lies: a deployment, and the flags that lead there.
type ward struct {
	t       *testing.T
	config  ucwatest.Config
	server  *ucwatest.Server
	token   string // of the user
	resolve []string
	trusted []byte // PEM
	keeps   int    // applications that are not the command's
	tokens  atomic.Int32
}

// deserted is where nobody listens. A port that was given back would do, were there no other program that can be given it.
const deserted = "127.0.0.1:1"

// fastClock is an hour ahead.
type fastClock struct{}

func (fastClock) Now() time.Time { return time.Now().Add(time.Hour) }

func (fastClock) AfterFunc(d time.Duration, f func()) (stop func()) {
	timer := time.AfterFunc(d, f)
	return func() { timer.Stop() }
}

// emptyDNS has every name that this process asks for answered with NXDOMAIN.
func emptyDNS(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil {
				continue
			}
			m.Response, m.RCode, m.Additionals = true, dnsmessage.RCodeNameError, nil
			if answer, err := m.Pack(); err == nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		conn.Close()
		<-done
	})
}

func newWard(t *testing.T) *ward {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // the last of all
	emptyDNS(t)
	w := &ward{t: t, config: ucwatest.Config{Host: poolHost, SignIn: &ucwatest.SignIn{Pool: "https://" + poolHost}}}
	w.restart()
	return w
}

func (w *ward) restart() {
	w.server = ucwatest.New(w.config)
	w.token = w.server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Password: danasPassword, Windows: `CONTOSO\dana`})
}

func (w *ward) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/WebTicket/oauthtoken" {
		w.tokens.Add(1)
	}
	w.server.ServeHTTP(rw, r)
}

// paper says what is odd about a certificate.
type paper struct {
	hosts    []string
	ends     time.Duration // from now; 0 is a year
	stranger bool          // its authority is not given to the command
}

// opened serves h for the hosts, with a certificate of that kind.
func (w *ward) opened(h http.Handler, p paper, hosts ...string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	if p.hosts == nil {
		p.hosts = hosts
	}
	if p.ends == 0 {
		p.ends = 365 * 24 * time.Hour
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "doctors"}, DNSNames: p.hosts, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-1000 * time.Hour), NotAfter: time.Now().Add(p.ends), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		w.t.Fatal(err)
	}
	if !p.stranger {
		w.trusted = append(w.trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.StartTLS()
	w.t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	w.at(s.Listener.Addr().String(), hosts...)
}

func (w *ward) at(address string, hosts ...string) {
	for _, host := range hosts {
		w.resolve = append(w.resolve, host+":443:"+address)
	}
}

// visit runs the command, and checks what holds of every visit.
func (w *ward) visit(ctx context.Context, args ...string) (code int, findings []doctor.Finding, stderr string) {
	t := w.t
	ca := filepath.Join(t.TempDir(), "ca.pem")
	args = append([]string{"doctor", "--format", "json", "--hold", "200ms"}, args...)
	if w.trusted != nil {
		if err := os.WriteFile(ca, w.trusted, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--cacert", ca)
	}
	for _, r := range w.resolve {
		args = append(args, "--resolve", r)
	}
	var out, said strings.Builder
	code = run(ctx, args, &out, &said)
	if err := json.Unmarshal([]byte(out.String()), &findings); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), said.String())
	}
	t.Logf("exit code %d\n%s", code, inShort(findings))
	for _, bad := range []string{danasPassword, "AAEB", "\x1b", `\u001b`, "wrong-password"} {
		if strings.Contains(out.String()+said.String(), bad) {
			t.Errorf("%q stands in the output", bad)
		}
	}
	if n := w.server.Applications(); n != w.keeps {
		t.Errorf("%d applications are left, expected %d", n, w.keeps)
	}
	documented, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	looked := map[string]bool{}
	for _, f := range findings {
		if f.Check == "dns" && looked[f.Target] && !slices.ContainsFunc(w.resolve, func(r string) bool { return strings.Contains(r, ":80:") }) {
			t.Errorf("DNS is told of twice: %+v", f)
		}
		looked[f.Target] = looked[f.Target] || f.Check == "dns"
		if !bytes.Contains(documented, []byte("| `"+f.Check+"` |")) {
			t.Errorf("docs/doctor.md does not tell of %s", f.Check)
		}
		if f.Target == "" || f.Detail == "" || f.Status == doctor.Problem && f.Advice == "" || f.Status == doctor.OK && f.Advice != "" {
			t.Errorf("unfit: %+v", f)
		}
	}
	return code, findings, said.String()
}

func inShort(list []doctor.Finding) string {
	s := doctor.Sheet{Findings: list}
	var b bytes.Buffer
	s.Text(&b, "", "", false)
	return b.String()
}

// instead answers some requests otherwise than the server does.
func instead(h http.Handler, is func(*http.Request) bool, f http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if is(r) {
			f(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func always(*http.Request) bool { return true }

func path(ending string) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, ending) }
}

func bearer(path string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.URL.Path == path && r.Header.Get("Authorization") != "" }
}

func answering(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// creating is a POST on the applications.
func creating(r *http.Request) bool {
	return r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/applications")
}

var asHTML = map[string]string{"Content-Type": "text/html; charset=utf-8"}

// TestDoctorFindsTheCause breaks a deployment in one way, and expects that cause to be
// named, with the place and the remedy, and no other problem.
func TestDoctorFindsTheCause(t *testing.T) {
	both := []string{externalHost, poolHost}
	for _, test := range []struct {
		name   string
		harm   func(w *ward)
		code   int
		status string // problem unless given
		check  string
		target string
		detail string
		advice string
	}{
		{"no DNS name", func(*ward) {},
			4, "", "dns", externalHost, "DNS knows no such name", "--resolve"},
		{"nothing listens", func(w *ward) { w.at(deserted, both...) },
			4, "", "tcp", externalHost + ":443", "refused", "nothing listens"},
		{"http on the port of https", func(w *ward) {
			s := httptest.NewServer(w)
			w.t.Cleanup(s.Close)
			w.at(s.Listener.Addr().String(), both...)
		}, 1, "", "tls", externalHost + ":443", "handshake failed", "speaks http at that port"},
		{"a port that cuts the handshake", func(w *ward) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				w.t.Fatal(err)
			}
			go func() {
				for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
					conn.Close()
				}
			}()
			w.t.Cleanup(func() { l.Close() })
			w.at(l.Addr().String(), both...)
		}, 1, "", "tls", externalHost + ":443", "handshake failed", "closed|cut"},
		{"a certificate for another name", func(w *ward) { w.opened(w, paper{hosts: []string{"www.contoso.com"}}, both...) },
			1, "", "tls", externalHost, "it is for www.contoso.com, not " + externalHost, "SAN"},
		{"an expired certificate", func(w *ward) { w.opened(w, paper{ends: -49 * time.Hour}, both...) },
			1, "", "tls", externalHost, "expired at .*, 2 days ago", "renew"},
		{"an authority that is not trusted", func(w *ward) { w.opened(w, paper{stranger: true}, both...) },
			1, "", "tls", externalHost, "not trusted here", "--cacert"},
		{"a certificate that is about to end", func(w *ward) { w.opened(w, paper{ends: 20*24*time.Hour + time.Hour}, both...) },
			0, doctor.Warning, "tls", externalHost, "ends in 20 days", "renew"},
		{"TLS that fails, and a page over http", func(w *ward) {
			w.opened(w, paper{stranger: true}, both...)
			s := httptest.NewServer(answering(200, asHTML, "<html></html>"))
			w.t.Cleanup(s.Close)
			w.resolve = append(w.resolve, externalHost+":80:"+s.Listener.Addr().String())
		}, 1, "", "tls", externalHost + ":443", "not trusted here", "--cacert"},
		{"Autodiscover answers a web page", func(w *ward) {
			w.opened(answering(200, asHTML, "<html><title>Welcome \x1b[31m</title></html>"), paper{}, both...)
		}, 1, "", "autodiscover", "https://" + externalHost + "/", "web page .text/html", "something else than Autodiscover"},
		{"Autodiscover redirects in a circle", func(w *ward) {
			w.opened(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				http.Redirect(rw, r, "https://"+map[bool]string{true: poolHost, false: externalHost}[r.Host == externalHost]+"/", http.StatusFound)
			}), paper{}, both...)
		}, 1, "", "autodiscover", "https://" + poolHost + "/", "leads back to https://" + externalHost, "circle"},
		{"Autodiscover wants a sign-in", func(w *ward) {
			w.opened(instead(w, path("/"), answering(401, map[string]string{"WWW-Authenticate": "Basic realm=x"}, "")), paper{}, both...)
		}, 1, "", "autodiscover", "https://" + externalHost + "/", "401", "answers anyone"},
		{"401 without MsRtcOAuth", func(w *ward) {
			w.opened(instead(w, path(userPath), answering(401, map[string]string{"WWW-Authenticate": `Bearer authorization_uri="https://login.example/"`}, "")), paper{}, both...)
		}, 1, "", "grants", "https://" + externalHost + userPath, "no MsRtcOAuth challenge", "modern authentication"},
		{"a front end that signs in itself", func(w *ward) {
			w.opened(instead(w, path(userPath), answering(401, map[string]string{"WWW-Authenticate": "Negotiate"}, "")), paper{}, both...)
		}, 1, "", "grants", "https://" + externalHost + userPath, "no MsRtcOAuth challenge", "reverse proxy"},
		{"no challenge at all", func(w *ward) {
			w.opened(instead(w, path(userPath), answering(404, asHTML, "<title>Not \x1b[2Jfound</title>")), paper{}, both...)
		}, 1, "", "grants", "https://" + externalHost + userPath, "404", "challenged with 401"},
		{"a wrong password", func(w *ward) {
			w.t.Setenv("CONFORM_PASSWORD", "wrong-password")
			w.opened(w, paper{}, both...)
		}, 1, "", "sign-in", "https://" + externalHost + "/WebTicket/oauthtoken", "400: invalid_grant; X-Ms-diagnostics 28020", "sent once"},
		{"a token endpoint that echoes the password", func(w *ward) {
			w.opened(instead(w, path("/oauthtoken"), func(rw http.ResponseWriter, r *http.Request) {
				r.ParseForm()
				rw.Header().Set("X-Ms-Diagnostics", `28000;reason="`+r.Form.Get("password")+`"`)
				rw.WriteHeader(400)
				fmt.Fprintf(rw, `{"error":"server_error","error_description":"%s cwt=AAEBsecret \u001b[31m"}`, r.Form.Get("password"))
			}), paper{}, both...)
		}, 1, "", "sign-in", "oauthtoken", "server_error: REDACTED cwt=REDACTED-1", "token endpoint"},
		{"a pool that echoes the token", func(w *ward) {
			w.opened(instead(w, creating, func(rw http.ResponseWriter, r *http.Request) {
				rw.Header().Set("X-Ms-Diagnostics", `1;reason="`+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer cwt=")+`"`)
				rw.WriteHeader(500)
			}), paper{}, both...)
		}, 1, "", "application", "https://" + poolHost, "reason=.REDACTED", "event log"},
		{"a grant that nobody can use", func(w *ward) {
			w.opened(instead(w, path(userPath), answering(401, map[string]string{"WWW-Authenticate": `MsRtcOAuth href="/WebTicket/oauthtoken", grant_type="urn:microsoft.rtc:anonmeeting"`}, "")), paper{}, both...)
		}, 1, "", "sign-in", "https://" + externalHost, "anonmeeting", "--username"},
		{"a user who is not enabled", func(w *ward) {
			w.opened(instead(w, bearer(userPath), answering(200, map[string]string{"Content-Type": "application/json"}, `{"_links":{"self":{"href":"`+userPath+`"}}}`)), paper{}, both...)
		}, 1, "", "user", "https://" + externalHost + userPath, "neither an applications nor a redirect link", "Enable-CsUser"},
		{"a pool that refuses the token", func(w *ward) {
			w.opened(instead(w, creating, answering(403, map[string]string{"X-Ms-Diagnostics": `28055;source="lyncweb.contoso.com";reason="The OAuth token is not valid"`}, "")), paper{}, both...)
		}, 1, "", "application", "https://" + poolHost + "/ucwa", "403 .*28055", "Host header"},
		{"a pool whose TLS is broken", func(w *ward) {
			w.opened(w, paper{}, externalHost)
			w.opened(w, paper{stranger: true}, poolHost)
		}, 1, "", "tls", poolHost + ":443", "not trusted here", "--cacert"},
		{"a pool that DNS does not know", func(w *ward) { w.opened(w, paper{}, externalHost) },
			1, "", "dns", poolHost, "no such name", "--resolve"},
		{"a pool on another port", func(w *ward) {
			w.config.SignIn.Pool = "https://" + poolHost + ":8443"
			w.restart()
			w.opened(w, paper{}, both...)
		}, 1, "", "user", "https://" + externalHost + userPath, "only to port 443", "https, on the usual port"},
		{"a pool of another domain", func(w *ward) {
			w.config.SignIn.Pool = "https://lyncweb.fabrikam.com"
			w.restart()
			w.opened(w, paper{}, both...)
		}, 1, "", "user", "https://" + externalHost + userPath, "outside the user's domain", "--trust DOMAIN"},
		{"a clock that is an hour ahead", func(w *ward) {
			w.config.Clock = fastClock{} // and runs: this machine may be slow
			w.restart()
			w.opened(w, paper{}, both...)
		}, 0, doctor.Warning, "clock", externalHost, `(1h0m[0-9]s|59m5[0-9]s) ahead of the clock`, "set the clock"},
		{"an application without an event channel", func(w *ward) {
			w.opened(instead(w, creating, func(rw http.ResponseWriter, r *http.Request) {
				kept := httptest.NewRecorder()
				r.Header.Del("Accept-Encoding")
				w.ServeHTTP(kept, r)
				rw.Header().Set("Content-Type", "application/json")
				rw.WriteHeader(kept.Code)
				rw.Write(bytes.Replace(kept.Body.Bytes(), []byte(`"events":`), []byte(`"evnets":`), 1))
			}), paper{}, both...)
		}, 1, "", "events", "https://" + poolHost, "no link events", "look at the server"},
		{"an event channel that answers 500", func(w *ward) {
			w.opened(instead(w, path("/events"), answering(500, asHTML, "<title>500</title>")), paper{}, both...)
		}, 1, "", "events", "https://" + poolHost, "500 Internal Server Error", "event log"},
		{"an event channel that is cut", func(w *ward) {
			w.opened(instead(w, path("/events"), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), paper{}, both...)
		}, 1, "", "events", "https://" + poolHost, "EOF", "idle connection"},
		{"an internal Autodiscover that is broken", func(w *ward) {
			w.opened(w, paper{}, both...)
			w.opened(answering(200, asHTML, "<html></html>"), paper{}, discoverHost)
		}, 0, doctor.Warning, "autodiscover", discoverHost, "web page", "something else"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("CONFORM_PASSWORD", danasPassword)
			w := newWard(t)
			test.harm(w)
			code, findings, _ := w.visit(t.Context(), "--sip", "sip:dana@contoso.com")
			if code != test.code {
				t.Errorf("exit code %d, expected %d", code, test.code)
			}
			status := test.status
			if status == "" {
				status = doctor.Problem
			}
			var found *doctor.Finding
			for i, f := range findings {
				if f.Status == status && (status == doctor.Problem || f.Check == test.check) && found == nil {
					found = &findings[i]
				} else if f.Status == doctor.Problem {
					t.Errorf("another problem: %+v", f)
				}
			}
			if found == nil {
				t.Fatalf("no %s was found", status)
			}
			if found.Check != test.check || !strings.Contains(found.Target, test.target) || !matches(test.detail, found.Detail) || !matches(test.advice, found.Advice) {
				t.Errorf("%+v, expected %s of %s: %s → %s", *found, test.check, test.target, test.detail, test.advice)
			}
			if n := w.tokens.Load(); test.check == "sign-in" && n > 1 {
				t.Errorf("the password was sent %d times", n)
			}
		})
	}
}

func matches(pattern, text string) bool { return regexp.MustCompile(pattern).MatchString(text) }

// TestDoctorInterrupted holds that what was found until then is written, and that the
// application does not stay.
func TestDoctorInterrupted(t *testing.T) {
	t.Setenv("CONFORM_PASSWORD", danasPassword)
	w := newWard(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.opened(instead(w, path("/events"), func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}), paper{}, externalHost, poolHost)
	began := time.Now()
	code, findings, _ := w.visit(ctx, "--sip", "dana@contoso.com", "--hold", "1h")
	if code != exitInterrupted || time.Since(began) > 10*time.Second {
		t.Errorf("exit code %d after %s", code, time.Since(began))
	}
	held := map[string]string{}
	for _, f := range findings {
		held[f.Check] = f.Status
	}
	if held["application"] != doctor.OK || held["events"] != doctor.Skipped || held["deletion"] != doctor.OK {
		t.Errorf("found %v", held)
	}
}

// TestDoctorInterruptedEarly does so while a host says nothing.
func TestDoctorInterruptedEarly(t *testing.T) {
	t.Setenv("CONFORM_PASSWORD", danasPassword)
	w := newWard(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.opened(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}), paper{}, externalHost)
	code, findings, _ := w.visit(ctx, "--sip", "dana@contoso.com")
	found := inShort(findings)
	if code != exitInterrupted || !strings.Contains(found, "tls           "+externalHost+":443: TLS 1.3") || strings.Contains(found, "problem") ||
		!strings.Contains(found, "ok       dns           "+discoverHost) {
		t.Errorf("exit code %d", code)
	}
}

// TestDoctorTime holds that what is slow is a problem, and ends in time.
func TestDoctorTime(t *testing.T) {
	silent := func(w *ward) { // takes connections, and says nothing
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		w.t.Cleanup(func() { l.Close() })
		w.at(l.Addr().String(), externalHost)
	}
	for name, test := range map[string]struct {
		open  func(*ward)
		flags []string
		want  string
	}{
		"a handshake": {silent, []string{"--request-timeout", "200ms"}, "problem  tls           " + externalHost},
		"an answer": {func(w *ward) {
			w.opened(instead(w, path(userPath), func(_ http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				panic(http.ErrAbortHandler) // else there is a 200, which at times comes before the client has given up
			}), paper{}, externalHost)
		}, []string{"--request-timeout", "300ms"}, "problem  grants  .*no answer in the time that was given for one \\(300ms\\)\\n +→ the server takes longer"},
		"the channel": {func(w *ward) { w.opened(w, paper{}, externalHost, poolHost) }, []string{"--hold", "1h", "--timeout", "700ms"}, "skipped  events  (.|\n)*problem  doctor"},
		"all":         {silent, []string{"--timeout", "200ms"}, "problem  doctor        --timeout: 200ms was over"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("CONFORM_PASSWORD", danasPassword)
			w := newWard(t)
			test.open(w)
			began := time.Now()
			code, findings, _ := w.visit(t.Context(), append(test.flags, "--sip", "dana@contoso.com")...)
			if found := inShort(findings); code != exitNonconformant || time.Since(began) > 5*time.Second || !matches(test.want, found) {
				t.Errorf("exit code %d after %s, expected %s", code, time.Since(began), test.want)
			}
		})
	}
}

// TestDoctorApplication holds that an application which is given is looked at, and stays.
func TestDoctorApplication(t *testing.T) {
	for _, test := range []struct {
		name string
		harm func(*ward) http.Handler
		code int
		want string
	}{
		{"well", func(w *ward) http.Handler { return w }, 0, "ok       events .* held for"},
		{"expired token", func(w *ward) http.Handler { w.token = "cwt=AAEBold"; return w }, 1, "problem  application .* 401 Unauthorized.*\n.*has expired"},
		{"of another host", func(w *ward) http.Handler {
			return instead(w, always, answering(500, map[string]string{"Content-Type": "text/html", "X-Ms-Diagnostics": `28032;reason="invalid"`}, ""))
		}, 1, "problem  application .*28032.*\n.*Host header"},
		{"ended", func(w *ward) http.Handler {
			return instead(w, always, answering(404, nil, `{"code":"NotFound","subcode":"ApplicationNotFound"}`))
		}, 1, "problem  application .*\n.*create another"},
		{"another client waits", func(w *ward) http.Handler {
			return instead(w, path("/events"), answering(409, nil, `{"code":"Conflict","subcode":"PGetReplaced"}`))
		}, 1, "problem  events .*\n.*another client"},
		{"unreachable", nil, 4, "problem  dns "},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWard(t)
			href, err := w.server.CreateApplication(w.token, "conform", "en-US", "3fa85f64-5717-4562-b3fc-2c963f66afa6")
			if err != nil {
				t.Fatal(err)
			}
			if test.harm != nil {
				w.opened(test.harm(w), paper{}, poolHost)
			}
			w.keeps = 1
			t.Setenv("CONFORM_TOKEN", w.token)
			code, findings, _ := w.visit(t.Context(), "--application", "https://"+poolHost+href)
			if found := inShort(findings); code != test.code || !matches(test.want, found) {
				t.Errorf("exit code %d, expected %d and %s", code, test.code, test.want)
			}
		})
	}
}

// TestDoctorInsecure holds that what --insecure lets pass is told.
func TestDoctorInsecure(t *testing.T) {
	t.Setenv("CONFORM_PASSWORD", danasPassword)
	w := newWard(t)
	w.opened(w, paper{hosts: []string{"www.contoso.com"}, ends: -time.Hour, stranger: true}, externalHost, poolHost)
	code, findings, stderr := w.visit(t.Context(), "--sip", "dana@contoso.com", "--insecure")
	if found := inShort(findings); code != 0 || !matches("warning  tls .*expired.*another name.*not trusted here.*--insecure", found) || !strings.Contains(stderr, "warning: --insecure") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// TestDoctorProxy holds that a host behind a proxy is looked at through it.
func TestDoctorProxy(t *testing.T) {
	t.Setenv("CONFORM_PASSWORD", danasPassword)
	w := newWard(t)
	w.opened(w, paper{}, externalHost, poolHost)
	_, behind, _ := strings.Cut(w.resolve[0], ":443:")
	w.resolve = nil
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.URL.Hostname() == discoverHost {
			http.Error(rw, "no such host", http.StatusBadGateway)
			return
		}
		far, err := net.Dial("tcp", behind)
		if err != nil {
			http.Error(rw, "no", http.StatusBadGateway)
			return
		}
		defer far.Close()
		near, _, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			return
		}
		defer near.Close()
		io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(far, near)
		io.Copy(near, far)
	}))
	t.Cleanup(proxy.Close)
	t.Setenv("HTTPS_PROXY", "http://dana:Secret-of-proxy@"+proxy.Listener.Addr().String())
	code, findings, _ := w.visit(t.Context(), "--sip", "dana@contoso.com")
	found := inShort(findings)
	if code != 0 || !matches("proxy         "+poolHost+":443: asked through http://127.0.0.1.*\nok       tls           "+poolHost+":443: TLS 1.3", found) || strings.Contains(found, "Secret-of-proxy") {
		t.Errorf("exit code %d", code)
	}
}

// TestDoctorPool holds that one dead address among several is a warning.
func TestDoctorPool(t *testing.T) {
	t.Setenv("CONFORM_PASSWORD", danasPassword)
	w := newWard(t)
	w.opened(w, paper{}, externalHost, poolHost)
	_, live, _ := strings.Cut(w.resolve[1], ":443:")
	w.resolve[1] = poolHost + ":443:" + deserted + "," + live
	code, findings, _ := w.visit(t.Context(), "--sip", "dana@contoso.com")
	if code != 0 || !matches("warning  tcp           "+poolHost+":443: .* answers, but not "+deserted, inShort(findings)) {
		t.Errorf("exit code %d", code)
	}
}

// TestDoctorWindows holds that a handshake of NTLM is one sign-in.
func TestDoctorWindows(t *testing.T) {
	t.Setenv("CONFORM_PASSWORD", danasPassword)
	challenge := "NTLM " + base64.StdEncoding.EncodeToString(slices.Concat([]byte("NTLMSSP\x00\x02\x00\x00\x00"),
		[]byte{0, 0, 0, 0, 48, 0, 0, 0}, []byte{0x01, 0x02, 0x88, 0x00}, []byte("12345678"), make([]byte, 8), // no name; Unicode, NTLM, its second session security, information
		[]byte{4, 0, 4, 0, 48, 0, 0, 0}, make([]byte, 4))) // information: that it ends
	for _, test := range []struct {
		name  string
		taken bool
		code  int
		tests int // of the password: one a host
		want  string
	}{
		{"taken", true, 0, 2, "ok       sign-in       https://" + poolHost + "/WebTicket/oauthtoken: 200"},
		{"refused", false, 1, 1, "problem  sign-in       https://" + externalHost + "/WebTicket/oauthtoken: 401.*grant windows.*\n.*sent once"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWard(t)
			w.config.SignIn.FrontEndUser = "X-Front-End-User"
			w.restart()
			answers := 0
			w.opened(instead(w, path("/oauthtoken"), func(rw http.ResponseWriter, r *http.Request) {
				message, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "NTLM "))
				next := "NTLM"
				switch {
				case len(message) > 8 && message[8] == 1:
					next = challenge
				case len(message) > 8 && message[8] == 3:
					answers++
					if test.taken {
						r.Header.Del("Authorization")
						r.Header.Set("X-Front-End-User", `CONTOSO\dana`)
						w.ServeHTTP(rw, r)
						return
					}
				}
				rw.Header().Set("WWW-Authenticate", next)
				rw.WriteHeader(http.StatusUnauthorized)
			}), paper{}, externalHost, poolHost)
			code, findings, _ := w.visit(t.Context(), "--sip", "dana@contoso.com", "--grant", "windows")
			found := inShort(findings)
			if code != test.code || !matches(test.want, found) || !matches(`offers windows .can be used., password .cannot be used`, found) {
				t.Errorf("exit code %d", code)
			}
			if answers != test.tests {
				t.Errorf("the password was put to the test %d times", answers)
			}
		})
	}
}

// TestDoctorHold holds that a pending GET may be held for longer than an answer takes.
func TestDoctorHold(t *testing.T) {
	t.Setenv("CONFORM_PASSWORD", danasPassword)
	w := newWard(t)
	w.opened(w, paper{}, externalHost, poolHost)
	code, findings, _ := w.visit(t.Context(), "--sip", "dana@contoso.com", "--hold", "1s", "--request-timeout", "500ms")
	if code != 0 || !matches("ok       events .* held for 1s", inShort(findings)) {
		t.Errorf("exit code %d", code)
	}
}

// TestDoctorProxyAlone holds that a proxy which answers in place of hosts was reached.
func TestDoctorProxyAlone(t *testing.T) {
	t.Setenv("CONFORM_PASSWORD", danasPassword)
	w := newWard(t)
	proxy := httptest.NewServer(answering(403, asHTML, "<title>Blocked</title>"))
	t.Cleanup(proxy.Close)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("HTTP_PROXY", proxy.URL)
	code, findings, _ := w.visit(t.Context(), "--sip", "dana@contoso.com")
	if code != exitNonconformant || !matches("problem  proxy         "+externalHost+":443: "+proxy.URL+" does not connect to it: Forbidden\n.*NO_PROXY="+externalHost, inShort(findings)) {
		t.Errorf("exit code %d", code)
	}
}
