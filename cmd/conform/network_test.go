package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cmd/conform/internal/network"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"go.uber.org/goleak"
)

// pool is a server with a user who is busy, as another application of theirs has set it.
type pool struct {
	t      *testing.T
	server *ucwatest.Server
	host   string // what it calls itself
	url    string // where the server is, "http://127.0.0.1:port"
	token  string
	other  string // the application that is there before the run and after it
	made   int
}

// newPool makes a server that others put on a socket.
func newPool(t *testing.T) *pool {
	t.Helper()
	return newPoolOf(t, ucwatest.Config{})
}

func newPoolOf(t *testing.T, config ucwatest.Config) *pool {
	t.Helper()
	p := &pool{t: t, server: ucwatest.New(config)}
	p.token = p.server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Password: danasPassword})
	p.other = p.application()
	own, err := ucwatest.Start(p.server, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	client := &ucwa.Client{Token: p.token, HTTP: own.Client()}
	p.host = cmp.Or(config.Host, "pool.example")
	app, err := client.Application(t.Context(), "http://"+p.host+p.other)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.MakeMeAvailable(t.Context(), app.Embed("me")); err != nil {
		t.Fatal(err)
	}
	if app, err = client.Get(t.Context(), app.Link("self")); err != nil {
		t.Fatal(err)
	}
	if err := client.SetPresence(t.Context(), app.Embed("me"), ucwa.PreferBusy); err != nil {
		t.Fatal(err)
	}
	if res, err := client.Do(t.Context(), http.MethodPost, app.Embed("me").Link("note"), map[string]string{"message": "Back at noon"}); err != nil || res.Err() != nil {
		t.Fatal(err, res.Err())
	}
	return p
}

// application makes one and returns its path.
func (p *pool) application() string {
	p.t.Helper()
	p.made++
	href, err := p.server.CreateApplication(p.token, "conform", "en-US", fmt.Sprintf("3fa85f64-5717-4562-b3fc-%012d", p.made))
	if err != nil {
		p.t.Fatal(err)
	}
	return href
}

// read reads a property of a resource of me as the other application does, past whatever is before the server.
func (p *pool) read(rel, property string) string {
	p.t.Helper()
	r := httptest.NewRequest("GET", p.other+"/me/"+rel, nil)
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("Accept", "application/json")
	r.Host = p.host
	w := httptest.NewRecorder()
	p.server.ServeHTTP(w, r)
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		p.t.Fatal(w.Code, err)
	}
	text, _ := body[property].(string)
	return text
}

// untouched holds that nothing of the run is left on the server.
func (p *pool) untouched() {
	p.t.Helper()
	if n := p.server.Applications(); n != 1 {
		p.t.Errorf("%d applications on the server, expected the one that was there before", n)
	}
	if now := p.read("presence", "availability"); now != "Busy" {
		p.t.Errorf("the user is %s, was Busy before", now)
	}
	if now := p.read("note", "message"); now != "Back at noon" {
		p.t.Errorf("the note is %q, was %q before", now, "Back at noon")
	}
}

// serve puts a handler on a socket.
func (p *pool) serve(h http.Handler) {
	running, err := ucwatest.Start(h, ucwatest.Options{ErrorLog: log.New(io.Discard, "", 0)})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(running.Close)
	p.url = running.URL
}

// ran is what the command did.
type ran struct {
	code           int
	report         reports.Report
	stderr, stdout string
	took           time.Duration
}

// quick are the limits of a run that is to meet them.
var quick = []string{"--request-timeout", "2s", "--event-wait", "700ms", "--timeout", "8s"}

// certify runs the command on an application.
func (p *pool) certify(environment []string, application string, args ...string) ran {
	p.t.Helper()
	environment = append([]string{"CONFORM_TOKEN=" + p.token}, environment...)
	return certify(p.t, environment, []string{p.token}, append([]string{"--application", application}, args...)...)
}

// certify runs the command and holds what is true of every run: it ends in time, its
// report is valid, and no secret is shown.
func certify(t *testing.T, environment, secrets []string, args ...string) ran {
	t.Helper()
	args = append(append([]string{"run", "--format", "json"}, quick...), args...)
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "conform", args...)
	cmd.Env = append(append(os.Environ(), "NO_PROXY=", "HTTPS_PROXY="), environment...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	_ = cmd.Run()
	r := ran{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String(), took: time.Since(began)}
	if r.took > 20*time.Second {
		t.Errorf("it took %s", r.took)
	}
	for _, secret := range secrets {
		if strings.Contains(r.stdout+r.stderr, secret) {
			t.Errorf("%q is shown: %s%s", secret, r.stdout, r.stderr)
		}
	}
	if err := validReport(stdout.Bytes()); err != nil {
		t.Fatalf("the report is not valid: %v\n%s%s", err, r.stdout, r.stderr)
	}
	if err := json.Unmarshal(stdout.Bytes(), &r.report); err != nil {
		t.Fatal(err)
	}
	return r
}

var reportSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(reports.Schema()))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("report.json", schema); err != nil {
		return nil, err
	}
	return compiler.Compile("report.json")
})

func validReport(content []byte) error {
	schema, err := reportSchema()
	if err != nil {
		return err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		return err
	}
	return schema.Validate(document)
}

// leaksNothing drives the application in this process, and holds that no goroutine is left.
func (p *pool) leaksNothing(application string, change func(*liveFlags)) {
	p.t.Helper()
	f := liveFlags{application: application, timeout: 8 * time.Second, eventWait: 300 * time.Millisecond, retryWait: time.Second}
	f.connection.perRequest = 700 * time.Millisecond
	if change != nil {
		change(&f)
	}
	p.t.Setenv("CONFORM_TOKEN", p.token)
	driveHere(p.t, &f)
}

// driveHere drives in this process, and holds that no goroutine is left.
func driveHere(t *testing.T, f *liveFlags) *suite.Evidence {
	t.Helper()
	before := goleak.IgnoreCurrent()
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	cmd.SetErr(io.Discard)
	e, err := f.drive(cmd, nil, true)
	if err != nil {
		t.Error(err)
	}
	// Those of the server, which ends its connections when it likes.
	server := []goleak.Option{before, goleak.IgnoreAnyFunction("net/http.(*conn).serve"), goleak.IgnoreAnyFunction("net/http.(*connReader).backgroundRead"),
		goleak.IgnoreAnyFunction("github.com/ucwa-conform/ucwa-conform/cmd/conform.(*relay).pass"),
		goleak.IgnoreAnyFunction("net/http.(*http2serverConn).serve")}
	if err := goleak.Find(server...); err != nil {
		t.Error(err)
	}
	return e
}

// says holds that somewhere in the notes and reasons of the report these words stand.
func (r ran) says(t *testing.T, words ...string) {
	t.Helper()
	var told strings.Builder
	for _, note := range r.report.Notes {
		fmt.Fprintln(&told, "note:", note)
	}
	seen := map[string]bool{}
	for _, result := range r.report.Results {
		if text := string(result.Verdict) + ": " + result.Reason; result.Reason != "" && !seen[text] {
			seen[text] = true
			fmt.Fprintln(&told, text)
		}
		if result.Verdict == reports.Fail {
			fmt.Fprintf(&told, "fail: %s: expected %s, observed %s\n", result.Requirement, result.Expected, result.Observed)
		}
	}
	for _, w := range words {
		if !strings.Contains(told.String(), w) {
			t.Errorf("nowhere is said %q:\n%s", w, told.String())
		}
	}
}

// relay passes connections on, and resets each after so many bytes of answers.
type relay struct {
	listener net.Listener
	to       string
	bytes    int64
}

func newRelay(t *testing.T, to string, bytes int64) *relay {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener, to, bytes}
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			passing.Go(func() { r.pass(conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() { listener.Close(); passing.Wait() })
	return r
}

func (r *relay) pass(conn *net.TCPConn) {
	defer conn.Close()
	server, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer server.Close()
	var asking sync.WaitGroup
	asking.Go(func() { _, _ = io.Copy(server, conn); server.Close() })
	_, _ = io.CopyN(conn, server, r.bytes)
	time.Sleep(20 * time.Millisecond) // so that what was sent arrives before the reset
	_ = conn.SetLinger(0)
	conn.Close()
	asking.Wait()
}

// TestReset holds what a run says of connections that are reset at some byte.
func TestReset(t *testing.T) {
	for _, at := range []int64{0, 1, 17, 200, 1000, 3000, 10_000} {
		t.Run(strconv.FormatInt(at, 10), func(t *testing.T) {
			p := newPool(t)
			p.serve(p.server)
			p.url = "http://" + newRelay(t, strings.TrimPrefix(p.url, "http://"), at).listener.Addr().String()
			r := p.certify(nil, p.url+p.application())
			if r.code != exitFailed && r.code != exitIncomplete || at < 100 && r.code != exitFailed {
				t.Errorf("exit code %d", r.code)
			}
			r.says(t, "got no whole answer")
			if !slices.ContainsFunc(r.report.Notes, func(note string) bool { return note == network.Advice(errorsOf(&r.report)...) }) {
				t.Errorf("no advice in the notes: %q %q", r.report.Notes, errorsOf(&r.report))
			}
			p.leaksNothing(p.url+p.application(), nil)
		})
	}
}

// from does something in place of the server from the nth request of a run on, for so
// many requests.
func from(n, many int64, do http.HandlerFunc) func(http.Handler) http.Handler {
	var seen atomic.Int64
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if i := seen.Add(1); i >= n && i < n+many {
				if do != nil {
					do(w, r)
					return
				}
				if r.Header.Get("Authorization") != "" {
					r.Header.Set("Authorization", "Bearer cwt=expired") // as the server takes it from now on
				}
			}
			h.ServeHTTP(w, r)
		})
	}
}

const forever = 1 << 40

// refuse answers as UCWA does.
func refuse(status int, subcode, header, value string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		if header != "" {
			w.Header().Set(header, value)
		}
		w.WriteHeader(status)
		code := strings.ReplaceAll(http.StatusText(status), " ", "")
		if subcode != "" {
			code += `","subcode":"` + subcode
		}
		fmt.Fprintf(w, `{"code":"%s","message":"no"}`, code)
	}
}

// gone answers as if the application had been ended.
func gone(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.UserAgent(), "-token") { // who asks is asked first
		w.Header().Set("WWW-Authenticate", `Bearer trusted_issuers="", client_id="00000004-0000-0ff1-ce00-000000000000"`)
		w.Header().Add("WWW-Authenticate", `MsRtcOAuth href="https://pool.example/WebTicket/oauthtoken",grant_type="urn:microsoft.rtc:windows,urn:microsoft.rtc:anonmeeting,password"`)
		http.Error(w, "who?", 401)
		return
	}
	refuse(404, "ApplicationNotFound", "", "")(w, r)
}

// raw writes an answer as it stands and closes the connection.
func raw(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, answer)
		conn.Close()
	}
}

// TestAnswers holds what a run says of answers that are broken, and of a server that
// changes its mind in the middle.
func TestAnswers(t *testing.T) {
	slow(t)
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for _, test := range []struct {
		name   string
		middle func(http.Handler) http.Handler
		code   int
		clean  bool // nothing of the run is left on the server
		words  []string
	}{
		{"truncated body", from(1, forever, raw(head+"Content-Length: 5000\r\n\r\n{\"rel\":")), exitFailed, false,
			[]string{"unexpected EOF", "wrong Content-Length"}},
		{"truncated body, once", from(9, 1, raw(head+"Content-Length: 5000\r\n\r\n{\"rel\":")), exitIncomplete, true, []string{"unexpected EOF", "wrong Content-Length"}},
		{"chunk that is none", from(1, forever, raw(head+"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}")), exitFailed, false, []string{"got no whole answer", "framed wrongly"}},
		{"Content-Length too small", from(1, forever, raw(head+"Content-Length: 2\r\n\r\n{}{}{}{}")), exitNonconformant, false, nil},
		{"Content-Length that is none", from(1, forever, raw(head+"Content-Length: many\r\n\r\n{}")), exitFailed, false, []string{"got no whole answer", "framed wrongly"}},
		{"no HTTP", from(1, forever, raw("220 mail.example ESMTP\r\n")), exitFailed, false, []string{"malformed HTTP", "does not speak HTTP"}},
		{"bad gzip", from(1, forever, raw(head+"Content-Encoding: gzip\r\nConnection: close\r\n\r\n{\"rel\":\"application\"}")), exitFailed, false,
			[]string{"gzip: invalid header", "says that it is compressed, and is not"}},
		{"gzip cut", from(1, forever, raw(head+"Content-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")), exitFailed, false,
			[]string{"unexpected EOF"}},
		{"closes at once", from(1, forever, raw("")), exitFailed, false, []string{"EOF", "closed the connection without an answer"}},
		{"429 with Retry-After", from(5, 2, refuse(429, "", "Retry-After", "0")), exitConformant, true, nil},
		{"503 with Retry-After", from(9, 1, refuse(503, "", "Retry-After", "1")), exitConformant, true, nil},
		{"503 with a date", from(9, 1, refuse(503, "", "Retry-After", time.Now().Add(time.Second).UTC().Format(http.TimeFormat))), exitConformant, true, nil},
		{"429 for too long", from(9, forever, refuse(429, "", "Retry-After", "900")), exitIncomplete, false, []string{"Retry-After: 15m0s, longer than what is left of the 30s", "(--retry-wait)"}},
		{"429 without Retry-After", from(9, 1, refuse(429, "", "", "")), exitNonconformant, true, []string{"429"}},
		{"503 without Retry-After", from(9, forever, refuse(503, "", "", "")), exitNonconformant, false, []string{"503", "the application could not be deleted (the server answered 503)"}},
		{"500 for a while", from(11, 6, refuse(500, "", "", "")), exitNonconformant, true, []string{"500"}},
		{"500 from the middle on", from(14, forever, refuse(500, "", "", "")), exitNonconformant, false,
			[]string{"the application could not be deleted (the server answered 500): delete http", "the presence could not be set back to Busy (the server answered 500)"}},
		{"token expires", from(14, forever, nil), exitIncomplete, false,
			[]string{"the token was refused from exchange 14 on, and accepted before: it has expired", "the application could not be deleted (the server answered 401)"}},
		{"application ended", from(14, forever, gone), exitIncomplete, false, []string{"the server did not know the application any more from exchange 14 on"}},
		{"another server", fqdn, exitConformant, true, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPool(t)
			p.serve(test.middle(p.server))
			r := p.certify(nil, p.url+p.application())
			if r.code != test.code {
				t.Errorf("exit code %d, expected %d: %s", r.code, test.code, r.stderr)
			}
			r.says(t, test.words...)
			if test.clean {
				p.untouched()
			} else if r.code == exitNonconformant && !strings.Contains(strings.Join(r.report.Notes, "\n"), "could not be") && test.name != "Content-Length too small" {
				t.Errorf("what is left is not said: %q", r.report.Notes)
			}
			p.leaksNothing(p.url+p.application(), nil)
		})
	}
}

// fqdn names another server in each answer, as a pool does whose load balancer sends
// requests where it likes.
func fqdn(h http.Handler) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&renaming{ResponseWriter: w, name: fmt.Sprintf("fe%d.contoso.com", n.Add(1)%3)}, r)
	})
}

type renaming struct {
	http.ResponseWriter
	name string
}

func (w *renaming) WriteHeader(status int) {
	w.Header().Set("X-Ms-Server-Fqdn", w.name)
	w.ResponseWriter.WriteHeader(status)
}

// TestRefused holds what a run says where nobody listens.
func TestRefused(t *testing.T) {
	p := newPool(t)
	r := p.certify(nil, "http://127.0.0.1:1/ucwa/oauth/v1/applications/1")
	if r.code != exitFailed {
		t.Errorf("exit code %d, expected %d", r.code, exitFailed)
	}
	r.says(t, "refused", "nothing listens at that address")
	p.leaksNothing("http://127.0.0.1:1/ucwa/oauth/v1/applications/1", nil)
}

// TestRefusedSignIn holds that a way in where nobody answers is told with the same exit code, alone
// and as one of several: nothing was judged of a server, whatever is asked of it.
func TestRefusedSignIn(t *testing.T) {
	const password = "CONFORM_PASSWORD=Passw0rd-of-Dana"
	for _, args := range [][]string{
		{"--autodiscover", "http://127.0.0.1:1/"},
		{"--autodiscover", "https://127.0.0.1:1/"},
		{"--resolve", "*:443:127.0.0.1:1", "--resolve", "*:80:127.0.0.1:1", "--subject", "client"},
	} {
		r := certify(t, []string{password}, []string{"Passw0rd-of-Dana"}, append(args, "--sip", "sip:dana@contoso.com")...)
		if r.code != exitFailed || r.report.Outcome != reports.Incomplete {
			t.Errorf("%q: %s, exit code %d, expected %d", args, r.report.Outcome, r.code, exitFailed)
		}
	}
	p := &pools{t: t, secrets: []string{password}}
	p.list.WriteString("  - {name: dead, sip: 'sip:dana@contoso.com', autodiscover: 'http://127.0.0.1:1/'}\n")
	if code, stdout, stderr, _ := p.run(t.TempDir(), ""); code != exitFailed || !strings.Contains(stdout, "dead is not tested") {
		t.Errorf("exit code %d, expected %d: %s%s", code, exitFailed, stdout, stderr)
	}
}

// certificate makes one of its own authority, and its files.
func certificate(t *testing.T, from, to time.Time, names ...string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: from, NotAfter: to, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "certificate.pem")
	content := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// secure puts the server on a TLS socket.
func (p *pool) secure(config *tls.Config, http2 bool) {
	p.t.Helper()
	server := httptest.NewUnstartedServer(p.server)
	server.TLS, server.EnableHTTP2 = config, http2
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	p.t.Cleanup(server.Close)
	p.url = server.URL
}

// TestTLS holds what a run says of certificates, of the server and of its own, and
// that it speaks HTTP/2 and HTTP/1.1.
func TestTLS(t *testing.T) {
	hour := time.Hour
	good, goodFile := certificate(t, time.Now().Add(-hour), time.Now().Add(hour), "pool.example")
	old, oldFile := certificate(t, time.Now().Add(-2*hour), time.Now().Add(-hour))
	clients := x509.NewCertPool()
	mine, mineFile := certificate(t, time.Now().Add(-hour), time.Now().Add(hour))
	parsed, err := x509.ParseCertificate(mine.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	clients.AddCert(parsed)
	wants := &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
	plain := &tls.Config{Certificates: []tls.Certificate{good}}
	for _, test := range []struct {
		name   string
		config *tls.Config
		http2  bool
		host   string // in place of the address
		args   []string
		code   int
		proto  string
		words  []string
	}{
		{"HTTP/1.1", plain, false, "", []string{"--cacert", goodFile}, exitConformant, "HTTP/1.1", nil},
		{"HTTP/2", plain, true, "", []string{"--cacert", goodFile}, exitConformant, "HTTP/2.0", nil},
		{"HTTP/2, insecure, by name", plain, true, "other.example", []string{"--insecure"}, exitConformant, "HTTP/2.0", []string{"--insecure: no certificate was checked"}},
		{"by its name", plain, false, "pool.example", []string{"--cacert", goodFile}, exitConformant, "HTTP/1.1", nil},
		{"another name", plain, false, "other.example", []string{"--cacert", goodFile}, exitFailed, "", []string{"certificate is valid for", "is for another name"}},
		{"unknown authority", plain, false, "", nil, exitFailed, "", []string{"unknown authority", "--cacert FILE"}},
		{"expired", &tls.Config{Certificates: []tls.Certificate{old}}, false, "", []string{"--cacert", oldFile}, exitFailed, "", []string{"certificate has expired", "renew it, or set the clock"}},
		{"without a client certificate", wants, false, "", []string{"--cacert", goodFile}, exitFailed, "", []string{"--client-cert FILE"}},
		{"with a client certificate", wants, false, "", []string{"--cacert", goodFile, "--client-cert", mineFile}, exitConformant, "HTTP/1.1", nil},
		{"with its key in another file", wants, true, "", []string{"--cacert", goodFile, "--client-cert", mineFile, "--client-key", mineFile}, exitConformant, "HTTP/2.0", nil},
		{"with one of another authority", wants, false, "", []string{"--cacert", goodFile, "--client-cert", goodFile}, exitFailed, "", []string{"another client certificate"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPool(t)
			p.secure(test.config, test.http2)
			u, err := url.Parse(p.url)
			if err != nil {
				t.Fatal(err)
			}
			out := t.TempDir()
			args := append([]string{"--out", out, "--keep-names"}, test.args...)
			if test.host != "" {
				args = append(args, "--resolve", test.host+":"+u.Port()+":127.0.0.1")
				u.Host = test.host + ":" + u.Port()
			}
			r := p.certify(nil, u.String()+p.application(), args...)
			if r.code != test.code {
				t.Errorf("exit code %d, expected %d: %s", r.code, test.code, r.stderr)
			}
			r.says(t, test.words...)
			if test.code != exitConformant {
				return
			}
			p.untouched()
			c, err := cassettes.Open(filepath.Join(out, "evidence.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Exchanges[0].Response.Proto; got != test.proto {
				t.Errorf("it spoke %s, expected %s", got, test.proto)
			}
			if r.report.Evidence.SHA256 != c.SHA256 {
				t.Errorf("the report is bound to %s, and beside it lies %s", r.report.Evidence.SHA256, c.SHA256)
			}
			p.leaksNothing(u.String()+p.application(), func(f *liveFlags) {
				f.connection.insecure, f.connection.resolve = true, []string{"*:" + u.Port() + ":127.0.0.1"}
				if test.config == wants {
					f.connection.clientCert = mineFile
				}
			})
		})
	}
}

// TestProxy holds that a proxy of the environment is asked, unless NO_PROXY or
// --resolve say otherwise.
func TestProxy(t *testing.T) {
	good, file := certificate(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "pool.example")
	for _, test := range []struct {
		name        string
		environment []string
		resolve     bool
		refuse      int
		proxied     bool
		code        int
		words       []string
	}{
		{"by the proxy", nil, false, 0, true, exitConformant, nil},
		{"with --resolve", nil, true, 0, false, exitConformant, nil},
		{"with NO_PROXY", []string{"NO_PROXY=pool.example"}, true, 0, false, exitConformant, nil},
		{"proxy wants a user", nil, false, 407, true, exitFailed, []string{"the proxy wants to know who asks"}},
		{"proxy is not there", []string{"HTTPS_PROXY=http://127.0.0.1:1"}, false, 0, false, exitFailed, []string{"the proxy of HTTPS_PROXY could not be used"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPool(t)
			p.secure(&tls.Config{Certificates: []tls.Certificate{good}}, true)
			u, err := url.Parse(p.url)
			if err != nil {
				t.Fatal(err)
			}
			var asked atomic.Int64
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if test.refuse != 0 {
					w.WriteHeader(test.refuse)
					return
				}
				server, err := net.Dial("tcp", u.Host)
				if err != nil {
					panic(err)
				}
				conn, buffered, err := w.(http.Hijacker).Hijack()
				if err != nil {
					panic(err)
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
				go func() { _, _ = io.Copy(server, buffered); server.Close() }() // what was read ahead comes first
				_, _ = io.Copy(conn, server)
				conn.Close()
			}))
			defer proxy.Close()
			args := []string{"--cacert", file}
			if test.resolve {
				args = append(args, "--resolve", "pool.example:"+u.Port()+":127.0.0.1")
			}
			r := p.certify(append([]string{"HTTPS_PROXY=" + proxy.URL}, test.environment...), "https://pool.example:"+u.Port()+p.application(), args...)
			if r.code != test.code || (asked.Load() > 0) != test.proxied {
				t.Errorf("exit code %d, expected %d; the proxy was asked %d times; %s", r.code, test.code, asked.Load(), r.stderr)
			}
			r.says(t, test.words...)
		})
	}
}

// TestResolve holds how --resolve is read.
func TestResolve(t *testing.T) {
	for _, test := range []struct {
		entry, ask string
		want       string // "" if it is refused or not known
	}{
		{"pool.example:443:10.0.0.7", "pool.example:443", "10.0.0.7:443"},
		{"Pool.Example:443:10.0.0.7", "pool.EXAMPLE.:443", "10.0.0.7:443"},
		{"pool.example:443:10.0.0.7", "pool.example:444", ""},
		{"pool.example:443:10.0.0.7,10.0.0.8", "pool.example:443", "10.0.0.7:443 10.0.0.8:443"},
		{"pool.example:443:[2001:db8::7]", "pool.example:443", "[2001:db8::7]:443"},
		{"pool.example:443:2001:db8::7", "pool.example:443", "[2001:db8::7]:443"},
		{"[2001:db8::1]:443:10.0.0.7", "[2001:db8::1]:443", "10.0.0.7:443"},
		{"*:443:10.0.0.7", "any.example:443", "10.0.0.7:443"},
		{"pool.example:443", "pool.example:443", ""},
		{"pool.example:443:", "pool.example:443", ""},
		{":443:10.0.0.7", ":443", ""},
		{"pool.example:0:10.0.0.7", "pool.example:0", ""},
		{"pool.example:https:10.0.0.7", "pool.example:443", ""},
		{"pool.example:443:other.example", "pool.example:443", ""},
		{"[pool.example]:443:10.0.0.7", "pool.example:443", ""},
		{"https://pool.example:443:10.0.0.7", "pool.example:443", ""},
	} {
		book, err := network.ParseResolve([]string{test.entry})
		if got := strings.Join(book.Of(test.ask), " "); got != test.want {
			t.Errorf("%s: %s is at %q (%v), expected %q", test.entry, test.ask, got, err, test.want)
		}
	}
}
