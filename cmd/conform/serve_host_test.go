package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// testHost is a host on a TLS socket, with clients that dial it whatever name they ask.
type testHost struct {
	*host
	address string
	trusted *x509.CertPool
	closing sync.Once
}

// testAuthority vouches for all hosts of these tests.
var testAuthority = sync.OnceValues(func() (*tls.Certificate, *x509.CertPool) {
	a, err := parseAuthority(testAuthorityPEM())
	if err != nil {
		panic(err)
	}
	certificate, err := a.certificateFor([]string{"localhost", "127.0.0.1", discoverHost, externalHost, webHost, poolHost, "elsewhere.example"})
	if err != nil {
		panic(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(a.certificate)
	return certificate, trusted
})

// startHost starts a host, by default of Dana alone, with everything where it is asked,
// and a pending GET that ends at once.
func startHost(t testing.TB, change func(*hostConfig)) *testHost {
	t.Helper()
	certificate, trusted := testAuthority()
	requirements, err := selected(nil, clientSelection)
	if err != nil {
		t.Fatal(err)
	}
	config := hostConfig{certificate: certificate, users: []ucwatest.User{builtIn}, page: "off", selected: map[string]bool{},
		server: ucwatest.Config{Origins: []string{"http://app.contoso.com"}, EventTimeout: time.Millisecond, SignIn: &ucwatest.SignIn{}}}
	for _, r := range requirements {
		config.selected[r.ID] = true
	}
	if change != nil {
		change(&config)
	}
	h := &testHost{host: newHost(config), trusted: trusted}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	running, err := h.listen(listener)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(running.URL)
	if err != nil {
		t.Fatal(err)
	}
	h.address = u.Host
	t.Cleanup(h.end)
	return h
}

// end closes the host, once.
func (h *testHost) end() { h.closing.Do(h.close) }

// transport dials the host for every name, and is trusting of its authority alone.
func (h *testHost) transport(t testing.TB) *http.Transport {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, h.address)
		},
		TLSClientConfig: &tls.Config{RootCAs: h.trusted, MinVersion: tls.VersionTLS12},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// grades ends the host and returns what came of its clients.
func (h *testHost) gradesOf(t testing.TB) []*grade {
	t.Helper()
	h.end()
	var list []*grade
	for _, c := range h.journal.list() {
		g := h.grader.grades[c.Number]
		if g == nil || g.parts == nil {
			t.Fatalf("client %d, %s, was not graded", c.Number, c.label())
		}
		list = append(list, g)
	}
	return list
}

// plainClient does the documented tasks, and nothing that it should be refused for.
type plainClient struct {
	transport http.RoundTripper
	user      ucwatest.User
	token     string // to begin without signing in,
	href      string // at an application that is there
	start     string // where Autodiscover begins, if not at the user's domain
	agent     string
}

// work returns the first error. It goes on after one, as far as it can: with a fault of
// its own it is refused now and then.
func (p plainClient) work(ctx context.Context) (first error) {
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	http := &http.Client{Transport: p.transport, Timeout: time.Minute}
	base := ucwa.Client{HTTP: http, UserAgent: p.agent, WebOrigin: "http://app.contoso.com"}
	client := &base
	var app *ucwa.Resource
	if p.token != "" {
		base.Token = p.token
		var err error
		if app, err = client.Application(ctx, "https://"+poolHost+p.href); err != nil {
			return err
		}
	} else {
		address := p.user.URI
		if p.start != "" {
			address = ""
		}
		sign := &ucwa.SignIn{Address: address, Start: p.start, Credentials: ucwa.Credentials{Username: p.user.URI, Password: p.user.Password}, Client: base}
		opened, applications, err := sign.Open(ctx)
		if err != nil {
			return err
		}
		client = opened
		if app, err = client.Create(ctx, applications, ucwa.NewApplication{UserAgent: "Plain"}); err != nil {
			return err
		}
	}
	defer func() { note(client.End(context.WithoutCancel(ctx), app)) }()
	_, err := client.Get(ctx, app.Link("self"))
	note(err)
	note(client.MakeMeAvailable(ctx, app.Embed("me"), ucwa.ModalityMessaging))
	again, err := client.Get(ctx, app.Link("self"))
	if err != nil {
		note(err)
		return first
	}
	events := again.Link("events")
	next := func() {
		if package_, err := client.Pending(ctx, events, ucwa.EventOptions{}); err != nil {
			note(err)
		} else {
			events = package_.Continue
		}
	}
	next()
	note(client.SetPresence(ctx, again.Embed("me"), ucwa.PreferBusy))
	_, err = client.Presence(ctx, again.Embed("me"))
	note(err)
	next()
	next()
	note(client.ResetPresence(ctx, again.Embed("me")))
	return first
}

func failedIn(list []reports.Result) []string {
	var ids []string
	for _, r := range list {
		if r.Verdict == reports.Fail || r.Verdict == reports.Warn {
			ids = append(ids, r.Requirement)
		}
	}
	return ids
}

// given gives a client its token and its application.
func (h *testHost) given(t *testing.T, p *plainClient) {
	p.token = h.server.AddUser(p.user)
	h.journal.users[p.token] = p.user.URI
	var err error
	if p.href, err = h.server.CreateApplication(p.token, "Plain", "en-US", ucwa.NewEndpointID()); err != nil {
		t.Fatal(err)
	}
}

// wayOf gives a host the hosts of a deployment.
func wayOf(config *hostConfig) {
	config.server.Host = poolHost
	config.server.SignIn = &ucwatest.SignIn{Users: "https://" + webHost, Pool: "https://" + poolHost}
}

// TestServePlainClient: a correct client is found conformant, by every way in.
func TestServePlainClient(t *testing.T) {
	for _, signsIn := range []bool{true, false} {
		h := startHost(t, nil)
		p := plainClient{transport: h.transport(t), user: builtIn, agent: "Plain/1.0"}
		if signsIn {
			h = startHost(t, wayOf)
			p.transport = h.transport(t)
		} else {
			h.given(t, &p)
		}
		if err := p.work(t.Context()); err != nil {
			t.Fatal(err)
		}
		grades := h.gradesOf(t)
		if len(grades) != 1 {
			t.Fatalf("%d clients, expected 1", len(grades))
		}
		for _, r := range grades[0].results {
			missing := r.Verdict == reports.NotExercised && !signsIn && strings.HasPrefix(r.Requirement, "create-application.")
			if r.Verdict != reports.Pass && r.Verdict != reports.NotApplicable && !missing {
				t.Errorf("signs in %t: %s: %s %s, expected %q, observed %q", signsIn, r.Requirement, r.Verdict, r.Reason, r.Expected, r.Observed)
			}
		}
	}
}

// TestServeClientFaults: every fault of a client in the catalogue is found by the server
// that the client uses, at its requirement.
func TestServeClientFaults(t *testing.T) {
	throughDoor(t, func(t *testing.T, f prove.Fault) (failed []string, ended string) {
		h, p := faultyAt(t, f, func(h *testHost) http.RoundTripper { return h.transport(t) })
		ended = fmt.Sprint(p.work(t.Context()))
		for _, g := range h.gradesOf(t) {
			failed = append(failed, failedIn(g.results)...)
		}
		return failed, ended
	})
}

// TestServePendingAtTheEnd: a pending GET is answered when the server is ended.
func TestServePendingAtTheEnd(t *testing.T) {
	clock := ucwatest.NewManualClock(time.Now())
	h := startHost(t, func(config *hostConfig) { config.server.Clock, config.server.EventTimeout = clock, 0 })
	p := plainClient{transport: h.transport(t), user: builtIn, agent: "Plain/1.0"}
	h.given(t, &p)
	done := make(chan error, 1)
	go func() { done <- p.work(t.Context()) }()
	clock.BlockUntil(2) // the application, and the GET that has nothing to tell
	h.end()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("the pending GET ended with %v, expected 503", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the pending GET was not answered")
	}
	if grades := h.gradesOf(t); len(grades) != 1 || len(failedIn(grades[0].results)) > 0 {
		t.Errorf("the end of the server was held against the client")
	}
}
