package ucwa_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

const (
	password   = "S3cret!&=ü"
	meeting    = "sip:dana@contoso.com;gruu;opaque=app:conf:focus:id:4V7XYDQL"
	userPath   = "/Autodiscover/AutodiscoverService.svc/root/oauth/user"
	tokenPath  = "/WebTicket/oauthtoken"
	appsPath   = "/ucwa/oauth/v1/applications"
	external   = "lyncdiscover.contoso.com"
	internal   = "lyncdiscoverinternal.contoso.com"
	discoverer = "https://" + external
	web        = "https://lyncweb.contoso.com"
	apps       = "https://pool.fabrikam.com"
)

var dana = ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Password: password, Windows: `CONTOSO\dana`}

// network is what a test's hosts are behind: a resolver of its own, which knows no
// name but those given, and a log of all requests that a recorder would see.
type network struct {
	t       *testing.T
	roots   *x509.CertPool
	address map[string]string // by host and port
	real    bool              // what is not there is dialled as it is

	mu  sync.Mutex
	log []string
	all strings.Builder // every request, whole
}

func newNetwork(t *testing.T) *network {
	return &network{t: t, roots: x509.NewCertPool(), address: map[string]string{}}
}

// serve puts a handler on a TLS socket, for these names at port 443.
func (n *network) serve(h http.Handler, names ...string) {
	n.t.Helper()
	running, err := ucwatest.StartTLS(h, ucwatest.Options{Hosts: names, ErrorLog: quiet})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(running.Close)
	n.roots.AppendCertsFromPEM(running.Certificate)
	for _, name := range names {
		n.address[name+":443"] = strings.TrimPrefix(running.URL, "https://")
	}
}

// servePlain puts a handler on a plain socket, for these names at port 80.
func (n *network) servePlain(h http.Handler, names ...string) {
	n.t.Helper()
	running, err := ucwatest.Start(h, ucwatest.Options{})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(running.Close)
	for _, name := range names {
		n.address[name+":80"] = strings.TrimPrefix(running.URL, "http://")
	}
}

// client sends through the network and its log.
func (n *network) client() ucwa.Client {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, kind, address string) (net.Conn, error) {
			to, known := n.address[address]
			if n.real && !known {
				to, known = address, true
			}
			if !known {
				host, _, _ := net.SplitHostPort(address)
				return nil, &net.OpError{Op: "dial", Net: kind, Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
			}
			return new(net.Dialer).DialContext(ctx, kind, to)
		},
		TLSClientConfig: &tls.Config{RootCAs: n.roots},
	}
	n.t.Cleanup(transport.CloseIdleConnections)
	return ucwa.Client{HTTP: &http.Client{Transport: &recorder{n, transport}}}
}

type recorder struct {
	*network
	next http.RoundTripper
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		req.Body.Close()
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	res, err := r.next.RoundTrip(req)
	line := req.Method + " " + req.URL.String()
	if form, _ := url.ParseQuery(string(body)); form.Get("grant_type") != "" {
		line += " " + form.Get("grant_type")
	}
	if req.Header.Get("Authorization") != "" {
		line += " +token"
	}
	if err != nil {
		line += " failed"
	} else {
		line += fmt.Sprintf(" %d", res.StatusCode)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, line)
	fmt.Fprintln(&r.all, req.Method, req.URL, req.Header, string(body))
	return res, err
}

func (n *network) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = nil
	n.all.Reset()
}

// wants fails the test unless exactly these requests were sent.
func (n *network) wants(lines ...string) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.log, lines) {
		n.t.Errorf("sent\n  %s\nwant\n  %s", strings.Join(n.log, "\n  "), strings.Join(lines, "\n  "))
	}
	n.log = nil
}

// threeHosts is a deployment: Autodiscover, the users' web services and the pool.
func threeHosts(t *testing.T, change ...func(*ucwatest.SignIn)) (*network, *ucwatest.Server) {
	t.Helper()
	signIn := &ucwatest.SignIn{Users: web, Pool: apps, SecureOnly: true, Meetings: map[string]string{meeting: "K3Y"}}
	for _, f := range change {
		f(signIn)
	}
	server := ucwatest.New(ucwatest.Config{SignIn: signIn})
	server.AddUser(dana)
	n := newNetwork(t)
	n.serve(server, external, "lyncweb.contoso.com", "pool.fabrikam.com", "lyncdiscover.fabrikam.com")
	n.servePlain(server, external)
	return n, server
}

func signInTo(n *network, c ucwa.Credentials) *ucwa.SignIn {
	return &ucwa.SignIn{Address: "sip:dana@contoso.com", Credentials: c, Client: n.client(), Trust: []string{"fabrikam.com"}}
}

var byPassword = ucwa.Credentials{Username: "dana@contoso.com", Password: password}

var internalFails = []string{"GET https://" + internal + "/ failed", "GET http://" + internal + "/ failed"}

func TestOpen(t *testing.T) {
	n, server := threeHosts(t)
	client, applications, err := signInTo(n, byPassword).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	app, err := client.Create(t.Context(), applications, ucwa.NewApplication{UserAgent: "UCWA Samples", EndpointID: "22222222-2222-2222-2222-222222222222"})
	if err != nil {
		t.Fatal(err)
	}
	n.wants(append(slices.Clone(internalFails),
		"GET "+discoverer+"/ 200",
		"GET "+web+userPath+" 401",
		"POST "+web+tokenPath+" password 200",
		"GET "+web+userPath+" +token 200",
		"GET "+apps+appsPath+" 401",
		"POST "+apps+tokenPath+" password 200",
		"POST "+apps+appsPath+" +token 201")...)
	again, err := client.Create(t.Context(), applications, ucwa.NewApplication{UserAgent: "UCWA Samples", EndpointID: "22222222-2222-2222-2222-222222222222"})
	if err != nil || again.Link("self").Href != app.Link("self").Href {
		t.Errorf("again: %v %v", again, err)
	}
	other, err := client.Create(t.Context(), applications, ucwa.NewApplication{UserAgent: "UCWA Samples"})
	if err != nil || other.Link("self").Href == app.Link("self").Href || server.Applications() != 2 {
		t.Errorf("another: %v %v", other, err)
	}
	if err := client.End(t.Context(), app); err != nil {
		t.Error(err)
	}
}

// TestSteps does one by one what Open does, and between the steps what a server
// must refuse, as a conformance driver would.
func TestSteps(t *testing.T) {
	ctx := t.Context()
	n, _ := threeHosts(t)
	s := signInTo(n, byPassword)
	s.Start = discoverer
	found, err := s.Discover(ctx)
	if err != nil {
		t.Fatal(err)
	}
	anyone := s.Client // no token: no Authorization
	res, err := anyone.Do(ctx, "GET", found.User, nil)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := res.Issuer()
	if err != nil || issuer.URL.String() != web+tokenPath || !issuer.Offers("Password") || issuer.Offers(ucwa.GrantWindows) {
		t.Fatalf("%+v, %v", issuer, err)
	}
	for _, test := range []struct {
		form url.Values
		code string
	}{
		{url.Values{"grant_type": {"urn:nobody"}}, "unsupported_grant_type"},
		{url.Values{"grant_type": {"password"}}, "invalid_request"},
		{url.Values{}, "invalid_request"},
		{url.Values{"grant_type": {"password"}, "username": {"dana@contoso.com"}, "password": {password}, "scope": {"x"}}, "invalid_scope"},
		{url.Values{"grant_type": {"password", "password"}}, "invalid_request"},
		{url.Values{"grant_type": {"password"}, "username": {"dana@contoso.com"}, "password": {"wrong"}}, "invalid_grant"},
		{url.Values{"grant_type": {"password"}, "username": {"nobody@contoso.com"}, "password": {password}}, "invalid_grant"},
		{url.Values{"grant_type": {ucwa.GrantWindows}}, "unsupported_grant_type"},
		{url.Values{"grant_type": {ucwa.GrantPassive}}, "unsupported_grant_type"},
		{url.Values{"grant_type": {ucwa.GrantAnonMeeting}, "ms_rtc_renew": {"cwt=none"}}, "invalid_grant"},
	} {
		res, err := s.Post(ctx, issuer, test.form)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ucwa.ParseToken(res, "x")
		e := (*ucwa.TokenError)(nil)
		if !errors.As(err, &e) || e.Code != test.code || e.Status != 400 || e.Diagnostics.Code == "" || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v: %d %v, %v", test.form, res.Status, res.Header, err)
		}
	}
	form, err := s.Credentials.Form(issuer)
	if err != nil {
		t.Fatal(err)
	}
	if res, err = s.Post(ctx, issuer, form); err != nil {
		t.Fatal(err)
	}
	token, err := ucwa.ParseToken(res, form.Get("grant_type"))
	if err != nil || token.Origin != web || !token.Valid() || token.Scope != "local" || strings.Contains(fmt.Sprintf("%v %+v %#v", token, token, token), token.Value) {
		t.Fatalf("%v, %v", token, err)
	}
	somebody := s.Client
	somebody.Token = token.Value
	user, err := somebody.Get(ctx, found.User)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := somebody.Do(ctx, "POST", user.Link("applications"), nil); !errors.As(err, new(*ucwa.OriginError)) {
		t.Errorf("a client took its token to another host: %v", err)
	}
	applications, err := s.Cross(user.Link("applications"))
	if err != nil {
		t.Fatal(err)
	}
	// On purpose: the token of another host.
	res, err = somebody.Do(ctx, "POST", applications, ucwa.NewApplication{})
	if err != nil || res.Status != 403 || ucwa.ParseDiagnostics(res.Header.Get("X-Ms-Diagnostics")).Code != "28055" {
		t.Errorf("%v, %v", res, err)
	}
	s.Token = token // what is at hand is used, at its host only
	n.wants("GET "+discoverer+" 200", "GET "+web+userPath+" 401",
		"POST "+web+tokenPath+" urn:nobody 400", "POST "+web+tokenPath+" password 400", "POST "+web+tokenPath+" 400",
		"POST "+web+tokenPath+" password 400", "POST "+web+tokenPath+" password 400", "POST "+web+tokenPath+" password 400",
		"POST "+web+tokenPath+" password 400", "POST "+web+tokenPath+" "+ucwa.GrantWindows+" 400", "POST "+web+tokenPath+" "+ucwa.GrantPassive+" 400",
		"POST "+web+tokenPath+" "+ucwa.GrantAnonMeeting+" 400", "POST "+web+tokenPath+" password 200",
		"GET "+web+userPath+" +token 200", "POST "+apps+appsPath+" +token 403")
	if user, err = s.User(ctx, found.User); err != nil {
		t.Fatal(err)
	}
	if _, _, err = s.Enter(ctx, user.Link("applications")); err != nil {
		t.Fatal(err)
	}
	n.wants("GET "+web+userPath+" +token 200", "GET "+apps+appsPath+" 401", "POST "+apps+tokenPath+" password 200")
	if strings.Count(n.all.String(), token.Value) != 3 { // the two to web, and the one on purpose
		t.Error("the token went elsewhere")
	}
}

func TestHybrid(t *testing.T) {
	const elsewhere = "https://lyncdiscover.fabrikam.com"
	n, _ := threeHosts(t, func(s *ucwatest.SignIn) { s.Redirect, s.Users, s.UsersRedirect = elsewhere, web, apps })
	n.address = map[string]string{external + ":80": n.address[external+":80"], external + ":443": n.address[external+":443"],
		"lyncdiscover.fabrikam.com:443": n.address[external+":443"], "lyncweb.contoso.com:443": n.address[external+":443"], "pool.fabrikam.com:443": n.address[external+":443"]}
	if _, _, err := signInTo(n, byPassword).Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.wants(append(slices.Clone(internalFails),
		"GET "+discoverer+"/ 200",
		"GET "+elsewhere+"/Autodiscover/AutodiscoverService.svc/root 200",
		"GET "+web+userPath+" 401",
		"POST "+web+tokenPath+" password 200",
		"GET "+web+userPath+" +token 302",
		"GET "+apps+userPath+" 401",
		"POST "+apps+tokenPath+" password 200",
		"GET "+apps+userPath+" +token 200")...)
}

// TestOverHTTP: http redirects to https, and is asked last.
func TestOverHTTP(t *testing.T) {
	n, _ := threeHosts(t)
	delete(n.address, external+":443")
	if _, err := signInTo(n, byPassword).Discover(t.Context()); err == nil {
		t.Fatal("no error")
	} else if e := (*ucwa.DiscoveryError)(nil); !errors.As(err, &e) || len(e.Trail) != 5 ||
		!strings.Contains(err.Error(), internal) || !strings.Contains(err.Error(), "DNS has no such name") {
		t.Errorf("%v", err)
	}
	n.wants(append(slices.Clone(internalFails), "GET "+discoverer+"/ failed", "GET http://"+external+"/ 302", "GET "+discoverer+"/ failed")...)
}

// TestDiscoveryAdvice: what is said of a host that could not be reached is about that.
func TestDiscoveryAdvice(t *testing.T) {
	dns := func(host string) error { return &net.DNSError{Name: host, Err: "no such host", IsNotFound: true} }
	certificate := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	for _, test := range []struct {
		name         string
		err          error
		want, beside string
	}{
		{"internal name", dns(internal), "it exists inside the company only", ""},
		{"external name", dns(external), "has no such name", "inside the company"},
		{"expired", certificate(x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}), "renew it", "add the authority"},
		{"another name", certificate(x509.HostnameError{Certificate: &x509.Certificate{}, Host: external}), "for another name", "add the authority"},
		{"stranger", certificate(x509.UnknownAuthorityError{}), "add the authority", "another name"},
	} {
		e := &ucwa.DiscoveryError{Of: "contoso.com", Trail: []ucwa.Attempt{{URL: discoverer, Err: fmt.Errorf("get: %w", test.err)}}}
		_, advice, _ := strings.Cut(e.Error(), test.err.Error())
		if !strings.Contains(advice, test.want) || test.beside != "" && strings.Contains(advice, test.beside) {
			t.Errorf("%s: the advice is %q, want %q", test.name, advice, test.want)
		}
	}
}

func TestWrongPasswordOnce(t *testing.T) {
	n, _ := threeHosts(t)
	s := signInTo(n, ucwa.Credentials{Username: "dana@contoso.com", Password: "Wr0ng"})
	s.Start = web
	for range 3 {
		_, _, err := s.Open(t.Context())
		e := (*ucwa.TokenError)(nil)
		if !errors.As(err, &e) || !e.Refused() || e.Code != "invalid_grant" || !strings.Contains(err.Error(), "check the user name") || strings.Contains(err.Error(), "Wr0ng") {
			t.Fatal(err)
		}
	}
	if got := strings.Count(n.all.String(), "Wr0ng"); got != 1 {
		t.Errorf("the password was sent %d times", got)
	}
}

func TestGuest(t *testing.T) {
	n, _ := threeHosts(t)
	s := signInTo(n, ucwa.Credentials{Conference: meeting, Password: "K3Y"})
	s.Start = web
	client, applications, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	app, err := client.Create(t.Context(), applications, ucwa.NewApplication{UserAgent: "UCWA Samples"})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.MakeMeAvailable(t.Context(), app.Embed("me")); !ucwa.HasSubcode(err, "AnonymousNotAllowed") {
		t.Error(err)
	}
	n.wants("GET "+web+" 200", "GET "+web+userPath+" 401", "POST "+web+tokenPath+" "+ucwa.GrantAnonMeeting+" 200", "GET "+web+userPath+" +token 200",
		"GET "+apps+appsPath+" 401", "POST "+apps+tokenPath+" "+ucwa.GrantAnonMeeting+" 200", "POST "+apps+appsPath+" +token 201",
		"POST "+apps+app.Embed("me").Link("makeMeAvailable").Href+" +token 403")
}

func TestPassive(t *testing.T) {
	n, _ := threeHosts(t, func(s *ucwatest.SignIn) { s.Passive = "https://sts.contoso.com/adfs/ls" })
	s := signInTo(n, ucwa.Credentials{Grant: ucwa.GrantPassive})
	s.Start = web
	_, _, err := s.Open(t.Context())
	e := (*ucwa.PassiveError)(nil)
	if !errors.As(err, &e) || e.URI != "https://sts.contoso.com/adfs/ls" || !errors.As(err, new(*ucwa.TokenError)) {
		t.Error(err)
	}
}
