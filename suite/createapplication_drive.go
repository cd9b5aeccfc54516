package suite

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// taskSignIn is the task whose steps these are.
const taskSignIn = "create-application"

// driveCreateApplication goes from Autodiscover to an application, and asks for the
// refusals on the way: no token is asked for by the user's credentials more than once
// at a host.
func driveCreateApplication(s *session) {
	sign := s.signIn(userAgent)
	s.at(taskSignIn, "1")
	found, err := sign.Discover(s.Context)
	if err != nil {
		s.stuck(err)
		return
	}
	s.at(taskSignIn, "2")
	user, err := sign.User(s.Context, found.User)
	if err != nil {
		s.stuck(err)
		return
	}
	s.probeIssuer(found.User)
	client, applications, err := sign.Enter(s.Context, user.Link("applications"))
	if err != nil {
		s.stuck(err)
		return
	}
	s.tokens = client.TokenSource
	s.renew = func(probe string) (string, error) {
		t, err := s.signIn(userAgent+" (probe "+probe+")").TokenFor(s.Context, applications)
		return t.Value, err
	}
	s.at(taskSignIn, "5")
	endpoint := cmp.Or(s.target.EndpointID, ucwa.NewEndpointID())
	// As the page prints it, and as the API reference does: names of properties have no case.
	body := []byte(fmt.Sprintf(`{"UserAgent":%q,"EndpointId":%q,"Culture":"en-US"}`, userAgent, endpoint))
	other := []byte(fmt.Sprintf(`{"userAgent":%q,"endpointId":%q,"culture":"en-US"}`, userAgent, endpoint))
	s.probeCreation(applications, other)
	if s.target.ForeignToken {
		s.probeElsewhere(sign, found.User, applications, other)
	}
	if s.begin = s.create(s.client(), applications, body); s.begin.Href == "" {
		return
	}
	s.home, _ = s.begin.URL()
	s.open = true
	s.create(s.probe(partAgain, nil), applications, other)
}

// stuck notes why there is no way on to an application.
func (s *session) stuck(err error) {
	s.err = errors.Join(s.err, err)
	if s.Err() == nil {
		text, tried, _ := strings.Cut(err.Error(), "\n")
		s.note("the sign-in ended here: " + text)
		for line := range strings.SplitSeq(tried, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				s.note(line)
			}
		}
	}
}

// signIn returns the target's way to sign in, through the session's transport.
func (s *session) signIn(agent string) *ucwa.SignIn {
	t := s.target.SignIn
	return &ucwa.SignIn{Patience: never, Address: t.Address, Start: t.Start, Credentials: t.Credentials, Token: t.Token, Trust: t.Trust, Plain: t.Plain,
		Client: ucwa.Client{WebOrigin: s.target.WebOrigin, UserAgent: agent, HTTP: &http.Client{Transport: signing{s}}}}
}

// never is when nobody but the transport loses patience, which knows how long it has waited to send.
const never = 1000 * time.Hour

// probeIssuer asks the token endpoint for what it must refuse. Nothing of it can lock
// an account.
func (s *session) probeIssuer(user ucwa.Link) {
	res := s.do(&ucwa.Client{UserAgent: userAgent + " (probe issuer)", WebOrigin: s.target.WebOrigin, HTTP: &http.Client{Transport: s.transport}},
		http.MethodGet, user, nil)
	if res == nil {
		return
	}
	issuer, err := res.Issuer()
	if err != nil {
		return
	}
	ask := func(name string, form url.Values) {
		if s.err == nil && s.Err() == nil {
			_, _ = s.signIn(userAgent+" (probe "+name+")").Post(s.Context, issuer, form) // what came of it is recorded
		}
	}
	ask("grant-unsupported", url.Values{"grant_type": {"urn:microsoft.rtc:conform"}})
	ask("grant-missing", url.Values{"username": {cmp.Or(s.nobody, nobody(s.target.SignIn.Address))}})
	if slices.ContainsFunc(issuer.Grants, func(g string) bool { return strings.EqualFold(g, ucwa.GrantPassword) }) {
		ask("grant-invalid", url.Values{"grant_type": {ucwa.GrantPassword}, "username": {cmp.Or(s.nobody, nobody(s.target.SignIn.Address))}, "password": {nobodysPassword}})
	}
}

// nobodysPassword looks like what redaction puts in the place of a password, so that it
// stays, and a replay can send the same.
const nobodysPassword = "REDACTED-0"

// nobody returns a user whom nobody has.
func nobody(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return "conform-nobody@" + cmp.Or(domain, "conform.invalid")
}

// probeCreation asks for applications without a token that is good for them.
func (s *session) probeCreation(applications ucwa.Link, body any) {
	s.create(s.probe(partCreateNoToken, func(r *http.Request) { r.Header.Del("Authorization") }), applications, body)
	s.create(s.probe(partCreateBadToken, func(r *http.Request) { r.Header.Set("Authorization", "Bearer cwt=nobody-handed-out-this-token") }), applications, body)
}

// probeElsewhere sends the token of one host to another, which an administrator has
// to ask for: it shows a token to a host that it is not for.
func (s *session) probeElsewhere(sign *ucwa.SignIn, user, applications ucwa.Link, body any) {
	there, err := user.URL()
	here, err2 := applications.URL()
	if err != nil || err2 != nil || ucwa.Origin(there) == ucwa.Origin(here) {
		return
	}
	token, err := sign.TokenFor(s.Context, user)
	if err != nil {
		return
	}
	s.create(s.probe(partElsewhere, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.Value) }), applications, body)
}

// signInOf returns the sign-in that a recording begins with, nil if it cannot be
// repeated, and gives the target what else belongs to it. It also returns the user
// whom nobody has.
func signInOf(c *cassettes.Cassette, t *Target) (sign *ucwa.SignIn, address string) {
	sign = &ucwa.SignIn{Plain: true, Start: c.Exchanges[0].Request.URL}
	for _, x := range exchanges(c.Exchanges, true) {
		sign.Trust = append(sign.Trust, x.url.Hostname()) // whom the run went to
		form, _ := x.form()
		switch {
		case x.Probe == "grant-missing":
			address = form.Get("username")
		case x.Probe == partElsewhere:
			t.ForeignToken = true
		case x.Probe != "":
		case form.Get("grant_type") == ucwa.GrantWindows:
			return nil, ""
		case form.Get("grant_type") != "":
			sign.Credentials = ucwa.Credentials{Grant: form.Get("grant_type"), Username: form.Get("username"), Password: form.Get("password"),
				Conference: form.Get("ms_rtc_conferenceuri")}
		case endpointOf(x) != "":
			t.EndpointID = endpointOf(x)
		}
	}
	_, domain, _ := strings.Cut(address, "@")
	if u, err := url.Parse(sign.Start); err == nil && domain != "" && u.Host == "lyncdiscoverinternal."+domain {
		sign.Address, sign.Start = address, ""
	}
	return sign, address
}

// stepOfSignIn moves on to the step of a request of the sign-in: the library that signs in
// asks for the token on its way to the user resource.
func (s *session) stepOfSignIn(method string) {
	switch step := s.waiting.Step; {
	case step == "1", step == "5":
	case method == http.MethodPost:
		s.at(taskSignIn, "3")
	case step == "3":
		s.at(taskSignIn, "4")
	}
}
