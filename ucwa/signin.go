package ucwa

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// SignIn leads from a SIP address to the host of a user's applications. [SignIn.Open]
// goes all the way; [SignIn.Discover], [SignIn.User] and [SignIn.Enter] are its steps,
// and [Response.Issuer], [Credentials.Form], [SignIn.Post] and [ParseToken] those of a
// token. Address or Start is required, the rest may stay zero.
//
// Credentials that a host refused are not sent to it again by the same SignIn:
// another attempt with a wrong password could lock the account. A SignIn is safe for
// use by several goroutines; its fields stay as they are once it is used.
type SignIn struct {
	Address string // SIP address or domain: "sip:dana@contoso.com", "contoso.com"
	Start   string // URL of the Autodiscover service, in place of Address

	Credentials Credentials

	// Token is a token that is at hand already. It is used for its Origin, and
	// needs no Credentials there until it expires.
	Token Token

	// Trust lists domains, beyond that of Address, to which Autodiscover and the
	// user resource may lead, and where the credentials then may go: see Cross.
	Trust []string

	// Patience bounds one request to an Autodiscover host, that the next may have its
	// turn where a network swallows packets; 15 s if zero. A Client.HTTP that waits
	// before it sends needs more.
	Patience time.Duration

	// Plain allows http where https is demanded, credentials included. It is for
	// tests and closed networks. On loopback http is allowed without it.
	Plain bool

	// Client is how requests are sent: its HTTP, UserAgent, Language, WebOrigin
	// and Before count, its tokens do not. Every exchange goes through
	// Client.HTTP, so a recorder there sees all, the legs of NTLM included. NTLM
	// needs HTTP/1.1: a transport that is no *http.Transport must not speak HTTP/2.
	Client Client

	mu    sync.Mutex
	hosts map[string]*host // by origin
}

// host is what is known of the sign-in at one origin.
type host struct {
	mu      sync.Mutex // held while a token is fetched, so that one is
	issuer  *Issuer    // nil until the host has challenged
	token   Token
	refused error     // what the credentials were refused with, for good
	waiting time.Time // after a failure, when a fresh token is asked for again
}

// Open goes from the address to where applications are created: it discovers the
// server, signs in, and returns a client for the host of the applications link, and
// the link. The client's tokens renew themselves.
func (s *SignIn) Open(ctx context.Context) (*Client, Link, error) {
	found, err := s.Discover(ctx)
	if err != nil {
		return nil, Link{}, err
	}
	user, err := s.User(ctx, found.User)
	if err != nil {
		return nil, Link{}, err
	}
	return s.Enter(ctx, user.Link("applications"))
}

// User gets the user resource behind a user link, as Discover returns it: without a
// token, which brings the challenge; then with the token that the challenge led to.
// A user resource that redirects is followed, with another token at every host.
func (s *SignIn) User(ctx context.Context, link Link) (*Resource, error) {
	u, err := s.crossed(link)
	if err != nil {
		return nil, err
	}
	for range maxHops + 1 {
		token, res, err := s.token(ctx, u)
		if err != nil {
			return nil, err
		}
		if res == nil { // else it was redirected before any token was needed
			if res, err = s.get(ctx, u, token.Value); err != nil {
				return nil, err
			}
		}
		next, err := s.redirected(res)
		if err != nil {
			return nil, fmt.Errorf("GET %s: %w", u.Redacted(), err)
		}
		if next == nil {
			user, err := res.Resource()
			if err != nil {
				return nil, err
			}
			if user.HasLink("applications") {
				return user, nil
			}
			if !user.HasLink("redirect") {
				return nil, fmt.Errorf("GET %s: %d, but the resource has neither an applications nor a redirect link: is the user enabled for UCWA?", u.Redacted(), res.Status)
			}
			root, err := s.crossed(user.Link("redirect"))
			if err == nil {
				next, err = s.atHome(ctx, root)
			}
			if err != nil {
				return nil, fmt.Errorf("GET %s: %w", u.Redacted(), err)
			}
		}
		u = next
	}
	return nil, fmt.Errorf("the user resource redirects more than %d times, at last to %s", maxHops, u.Redacted())
}

// atHome returns the user resource to which the redirect link of another one leads: that link leads to the
// Autodiscover root of the user's home pool ([MS-OCDISCWS] 2.2.5.5), or, in some deployments, to the user resource itself.
func (s *SignIn) atHome(ctx context.Context, root *url.URL) (*url.URL, error) {
	var trail []Attempt
	if found := s.discoverFrom(ctx, root, &trail); found != nil {
		return found.User.URL()
	}
	last := trail[len(trail)-1]
	if e := (*Error)(nil); errors.As(last.Err, &e) && e.Status == http.StatusUnauthorized {
		return url.Parse(last.URL)
	}
	return nil, fmt.Errorf("its redirect leads to no Autodiscover root of a home pool: %v", last)
}

// Enter signs in on the host of the applications link, unless that was done, and
// returns a client for it, and the link as one on that host. The client always has a
// token: shortly before one expires, a fresh one is fetched.
func (s *SignIn) Enter(ctx context.Context, applications Link) (*Client, Link, error) {
	link, err := s.Cross(applications)
	if err != nil {
		return nil, Link{}, err
	}
	if _, err := s.TokenFor(ctx, link); err != nil {
		return nil, Link{}, err
	}
	client := s.Client
	client.Token = ""
	client.TokenSource = func(ctx context.Context) (string, error) {
		t, err := s.TokenFor(ctx, link)
		return t.Value, err
	}
	return &client, link, nil
}

// TokenFor returns a token for the host that link leads to: the one at hand, or a
// fresh one if there is none or it is about to expire. If that fails while the old
// one is still good, the old one is returned, and a minute passes before the next try.
func (s *SignIn) TokenFor(ctx context.Context, link Link) (Token, error) {
	u, err := s.crossed(link)
	if err != nil {
		return Token{}, err
	}
	t, res, err := s.token(ctx, u)
	if err == nil && res != nil {
		return Token{}, fmt.Errorf("GET %s without a token: %d, expected 401", u.Redacted(), res.Status)
	}
	return t, err
}

// token is TokenFor for a URL. Where the request that was to bring the challenge is
// redirected instead, it returns that answer.
func (s *SignIn) token(ctx context.Context, u *url.URL) (Token, *Response, error) {
	h := s.host(u)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.token.stale() || h.token.Valid() && time.Now().Before(h.waiting) {
		return h.token, nil, nil
	}
	fresh, res, err := s.fresh(ctx, h, u)
	switch {
	case err == nil && res == nil:
		h.token = fresh
	case h.token.Valid():
		h.waiting = time.Now().Add(time.Minute)
		return h.token, nil, nil
	}
	return h.token, res, err
}

func (s *SignIn) fresh(ctx context.Context, h *host, u *url.URL) (Token, *Response, error) {
	if h.refused != nil {
		return Token{}, nil, h.refused
	}
	if h.issuer == nil {
		res, err := s.get(ctx, u, "")
		if err != nil {
			return Token{}, nil, err
		}
		if res.Status >= 300 && res.Status < 400 {
			return Token{}, res, nil
		}
		if h.issuer, err = res.Issuer(); err != nil {
			return Token{}, nil, err
		}
	}
	form, err := s.Credentials.Form(h.issuer)
	if err != nil {
		return Token{}, nil, err
	}
	grant := form.Get("grant_type")
	if grant == GrantAnonMeeting && h.token.Valid() {
		form.Set("ms_rtc_renew", h.token.Value)
	}
	t, err := s.ask(ctx, h.issuer, form)
	// A meeting's key locks nothing, and to sign in with a browser takes a second try.
	if e := (*TokenError)(nil); errors.As(err, &e) && e.Refused() && grant != GrantAnonMeeting && grant != GrantPassive {
		h.refused = err
	}
	return t, nil, err
}

func (s *SignIn) ask(ctx context.Context, issuer *Issuer, form url.Values) (Token, error) {
	res, err := s.Post(ctx, issuer, form)
	if err != nil {
		return Token{}, err
	}
	return ParseToken(res, form.Get("grant_type"))
}

func (s *SignIn) host(u *url.URL) *host {
	s.mu.Lock()
	defer s.mu.Unlock()
	origin := Origin(u)
	h := s.hosts[origin]
	if h == nil {
		h = &host{}
		if s.Token.Value != "" && s.Token.Origin == origin {
			h.token = s.Token
		}
		if s.hosts == nil {
			s.hosts = map[string]*host{}
		}
		s.hosts[origin] = h
	}
	return h
}

// Post posts a form to the issuer, once, and returns the answer whatever it is; a
// redirect is not followed. With grant type windows the credentials go through NTLM
// or Negotiate; otherwise nothing is sent but the form. An issuer on http is refused
// unless Plain or on loopback.
func (s *SignIn) Post(ctx context.Context, issuer *Issuer, form url.Values) (*Response, error) {
	u := issuer.URL
	if u.Scheme != "https" && !s.Plain && !loopback(u) {
		return nil, fmt.Errorf("POST %s: https is needed to send credentials", u.Redacted())
	}
	body := []byte(form.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.GetBody = nil // so that nothing sends it twice
	s.Client.setHeader(req.Header, u, req.Method, true)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	if s.Client.Before != nil {
		s.Client.Before(req)
	}
	if form.Get("grant_type") == GrantWindows {
		return s.windows(req, body)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return s.Client.alone(req)
}

// NewApplication is what a client says of itself when it creates an application.
type NewApplication struct {
	UserAgent  string // the program's name; required
	EndpointID string // GUID that stands for this client; a fresh one if empty
	Culture    string // "en-US" if empty
}

// Create creates an application by POST on the applications link. The server may
// give back the one that the endpoint has already.
func (c *Client) Create(ctx context.Context, applications Link, n NewApplication) (*Resource, error) {
	res, err := c.Do(ctx, http.MethodPost, applications, map[string]string{
		"userAgent":  n.UserAgent,
		"endpointId": cmp.Or(n.EndpointID, NewEndpointID()),
		"culture":    cmp.Or(n.Culture, "en-US"),
	})
	if err != nil {
		return nil, err
	}
	if res.Status >= 300 && res.Status < 400 {
		return nil, fmt.Errorf("POST %s: %d, expected 201", res.URL.Redacted(), res.Status)
	}
	return res.Resource()
}

// NewEndpointID returns a random GUID (RFC 9562, version 4).
func NewEndpointID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it does not fail
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
