package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// short is a transport that opens a connection for each request, as some programs do.
func (h *testHost) short(t *testing.T) *http.Transport {
	transport := h.transport(t)
	transport.DisableKeepAlives = true
	return transport
}

// TestJournalRuns: runs of one program, one after the other as the same user, are clients
// each for itself. What one does wrong is not held against the next.
func TestJournalRuns(t *testing.T) {
	wrong, err := prove.FaultNamed("token-put")
	if err != nil {
		t.Fatal(err)
	}
	for name, transport := range map[string]func(*testHost) http.RoundTripper{
		"kept connections":  func(h *testHost) http.RoundTripper { return h.transport(t) },
		"short connections": func(h *testHost) http.RoundTripper { return h.short(t) },
	} {
		h := startHost(t, wayOf)
		for i := range 5 {
			p := plainClient{transport: transport(h), user: builtIn, agent: "Plain/1.0"}
			if i == 1 {
				p.user.Password = "wrong" // it comes no further
			} else if i == 2 {
				p.transport = wrong.Transport(p.transport)
			} else if i == 4 {
				p.transport = otherCasing{p.transport}
			}
			if err := p.work(t.Context()); (err == nil) != (i != 1) {
				t.Errorf("%s, run %d: %v", name, i, err)
			}
		}
		var got []string
		for _, g := range h.gradesOf(t) {
			got = append(got, fmt.Sprint(g.state.ID != "", failedIn(g.results)))
		}
		want := "true [], false [], true [create-application.3.form], true [], true []"
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %s, expected %s", name, strings.Join(got, ", "), want)
		}
	}
}

// otherCasing asks the token endpoint by a path in another casing than it is served in, as paths have none.
type otherCasing struct{ http.RoundTripper }

func (o otherCasing) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/oauthtoken") {
		r = r.Clone(r.Context())
		r.URL.Path = strings.ToLower(r.URL.Path)
	}
	return o.RoundTripper.RoundTrip(r)
}

// TestJournalLeftApplication: a program that broke down and comes again with its
// endpointId gets the application that it left, and is another client all the same.
func TestJournalLeftApplication(t *testing.T) {
	h := startHost(t, wayOf)
	for run := range 2 {
		sign := &ucwa.SignIn{Address: builtIn.URI, Credentials: ucwa.Credentials{Username: builtIn.URI, Password: builtIn.Password},
			Client: ucwa.Client{HTTP: &http.Client{Transport: h.transport(t)}, UserAgent: "Plain/1.0", WebOrigin: "http://app.contoso.com"}}
		client, applications, err := sign.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		app, err := client.Create(t.Context(), applications, ucwa.NewApplication{UserAgent: "Plain", EndpointID: "a917c6f4-976c-4cf3-847d-cdfffa28ccdf"})
		if err != nil {
			t.Fatal(err)
		}
		if run == 0 { // it guesses a URL, and breaks down
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+poolHost+app.Link("self").Href+"/makeMeAvailable", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+client.Token)
			r.Header.Set("User-Agent", "Plain/1.0")
			res, err := h.transport(t).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			continue
		}
		if err := client.End(t.Context(), app); err != nil {
			t.Fatal(err)
		}
	}
	grades := h.gradesOf(t)
	if len(grades) != 2 || grades[0].state.ID == "" || grades[0].state.ID != grades[1].state.ID || !grades[1].state.Ended {
		t.Fatalf("%d clients, expected 2 of one application", len(grades))
	}
	if first, second := failedIn(grades[0].results), failedIn(grades[1].results); !slices.Contains(first, "set-presence.nav.links") || len(second) > 0 {
		t.Errorf("the first failed in %v, the second in %v", first, second)
	}
}

// TestJournalStrangers: who never asks for a token is no client, and no part of one.
func TestJournalStrangers(t *testing.T) {
	h := startHost(t, wayOf)
	transport := h.transport(t)
	check := func() {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://"+discoverHost+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("User-Agent", "health/1")
		res, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	check()
	if err := (plainClient{transport: h.short(t), user: builtIn, agent: "Plain/1.0"}).work(t.Context()); err != nil {
		t.Fatal(err)
	}
	check()
	grades := h.gradesOf(t)
	if len(grades) != 1 {
		t.Fatalf("%d clients, expected 1", len(grades))
	}
	for _, x := range grades[0].state.exchanges {
		if strings.HasPrefix(x.Request.Headers.Get("User-Agent"), "health") {
			t.Errorf("exchange %d is the stranger's", x.ID)
		}
	}
	if strangers := h.journal.strangers(); len(strangers) != 1 {
		t.Errorf("%v, expected one stranger", strangers)
	}
}

// TestJournalAnothers: who asks for an application of somebody else has followed no link; the other has no part in it.
func TestJournalAnothers(t *testing.T) {
	lee := ucwatest.User{Name: "Lee Gu", URI: "sip:lee@contoso.com", Password: "Passw0rd-of-Lee"}
	h := startHost(t, func(config *hostConfig) { config.users = append(config.users, lee) })
	dana := plainClient{transport: h.transport(t), user: builtIn, agent: "Plain/1.0"}
	h.given(t, &dana)
	other := plainClient{transport: h.transport(t), user: lee, agent: "Plain/1.0"}
	h.given(t, &other)
	if err := dana.work(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := other.work(t.Context()); err != nil {
		t.Fatal(err)
	}
	prying := other
	prying.href = dana.href
	if err := prying.work(t.Context()); err == nil {
		t.Fatal("Lee was given the application of Dana")
	}
	for _, g := range h.gradesOf(t) {
		var want []string
		if g.state.User == lee.URI {
			want = []string{"set-presence.nav.links"}
		}
		if failed := failedIn(g.results); !slices.Equal(failed, want) {
			t.Errorf("%s: failed %v, expected %v", g.state.User, failed, want)
		}
	}
}

// TestJournalAtOnce: of several clients of one program at once, each finds what it asked on
// its own connection, although another client may have been lent it; and what is kept of
// those without a token is bounded.
func TestJournalAtOnce(t *testing.T) {
	j := newJournal(usualLimits)
	ask := func(connection, method, address string, status int, request, response string) *client {
		x := cassettes.Exchange{Interaction: &cassettes.Interaction{}}
		x.Request.Method, x.Request.URL, x.Request.Body, x.Request.RemoteAddr = method, address, request, "127.0.0.1:"+connection
		x.Request.Headers = http.Header{"User-Agent": {"Plain/1.0"}}
		if connection == "4" {
			x.Request.Headers.Set("Authorization", "Bearer cwt=a")
		}
		x.Response.Code, x.Response.Body = status, response
		_, c := j.keep(x, func(form url.Values) string { return form.Get("username") })
		return c
	}
	const discover, pool = "https://lyncdiscover.contoso.com", "https://lyncweb.contoso.com"
	for _, connection := range []string{"1", "2"} {
		ask(connection, "GET", discover+"/", 200, "", "{}")
		ask(connection, "GET", discover+"/user", 401, "", "")
	}
	ask("2", "POST", discover+"/token", 200, "grant_type=password&username=b", `{"access_token":"cwt=b"}`)
	ask("3", "GET", pool+"/ucwa/oauth/v1/applications", 401, "", "") // the second, on its way to another host
	ask("1", "POST", discover+"/token", 200, "grant_type=password&username=a", `{"access_token":"cwt=a"}`)
	ask("4", "POST", pool+"/ucwa/oauth/v1/applications", 201, "{}", `{"rel":"application","_links":{"self":{"href":"/ucwa/oauth/v1/applications/101"}}}`)
	second := ask("3", "POST", pool+"/token", 200, "grant_type=password&username=b", `{"access_token":"cwt=c"}`)
	if second == nil || second.User != "b" {
		t.Fatalf("the token at the pool is filed under %+v", second)
	}
	if !slices.ContainsFunc(j.state(second).exchanges, func(x cassettes.Exchange) bool { return x.Request.URL == pool+"/ucwa/oauth/v1/applications" }) {
		t.Error("the second client has lost the challenge that it got on its own connection")
	}
	for i := range 3 * usualLimits.lobby {
		ask(fmt.Sprint(i), "GET", fmt.Sprintf("%s/%d/%s", discover, i, strings.Repeat("x", 4000)), 404, "", "")
	}
	waiting := 0
	for _, l := range j.visitors {
		for _, k := range l.waiting {
			waiting += size(k.Exchange)
		}
	}
	if waiting != j.waiting || waiting > usualLimits.waiting || waiting == 0 {
		t.Errorf("%d bytes wait, %d are counted, at most %d may", waiting, j.waiting, usualLimits.waiting)
	}
}
