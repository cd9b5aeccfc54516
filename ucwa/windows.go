package ucwa

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/Azure/go-ntlmssp"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/krberror"
	"github.com/jcmturner/gokrb5/v8/spnego"
)

// Kerberos is how the windows grant gets its ticket: with a credential cache, a
// keytab, or else the password of [Credentials]. All may stay empty.
type Kerberos struct {
	Config  string // path of krb5.conf; by default $KRB5_CONFIG, else /etc/krb5.conf
	Realm   string // of the user; by default what follows the @ of the user name, else the default realm
	Keytab  string // path of a keytab with the user's key
	Cache   string // path of a credential cache, as kinit makes it; the user name is in it
	Service string // principal of the server; by default "HTTP/" and the host
}

// windows sends a request with the body to a server that knows users by NTLM or
// Negotiate. A password is put to the test once at most.
func (s *SignIn) windows(req *http.Request, body []byte) (*Response, error) {
	if s.Credentials.Kerberos == nil && s.Credentials.Username != "" {
		return s.ntlm(req, body)
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	first, err := s.Client.alone(req)
	if err != nil || first.Status != http.StatusUnauthorized {
		return first, err
	}
	offers := schemes(first.Header)
	switch {
	case s.Credentials.Kerberos == nil: // nothing to sign in with
	case slices.Contains(offers, "negotiate"):
		// Where Kerberos fails, NTLM is not tried: the same password would be sent twice.
		return s.kerberos(req, body)
	case slices.Contains(offers, "ntlm") && s.Credentials.Password != "":
		return s.ntlm(req, body)
	}
	return first, nil
}

func schemes(h http.Header) []string {
	var names []string
	for _, c := range ParseChallenges(h.Values("WWW-Authenticate")) {
		names = append(names, strings.ToLower(c.Scheme))
	}
	return names
}

// kerberos sends the request again, with a ticket for the server.
func (s *SignIn) kerberos(req *http.Request, body []byte) (*Response, error) {
	k := s.Credentials.Kerberos
	user, err := s.Credentials.kerberosClient()
	if err != nil {
		return nil, fmt.Errorf("kerberos: %w", err)
	}
	defer user.Destroy()
	again := req.Clone(req.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	service := cmp.Or(k.Service, "HTTP/"+strings.ToLower(again.URL.Hostname()))
	if err := user.AffirmLogin(); err != nil {
		e := krberror.Krberror{}
		if errors.As(err, &e) && e.RootCause == krberror.NetworkingError {
			return nil, fmt.Errorf("kerberos: %w", err)
		}
		return nil, &TokenError{URL: req.URL.Redacted(), Grant: GrantWindows, Problem: "Kerberos: " + err.Error(), refused: true}
	}
	if err := spnego.SetSPNEGOHeader(user, again, service); err != nil {
		return nil, fmt.Errorf("kerberos: no ticket for %s: %w; is the server known to the domain by this name?", service, err)
	}
	return s.Client.alone(again)
}

// kerberosClient makes a client that has not yet asked for anything.
func (c Credentials) kerberosClient() (*client.Client, error) {
	k := c.Kerberos
	cfg, err := config.Load(cmp.Or(k.Config, os.Getenv("KRB5_CONFIG"), "/etc/krb5.conf"))
	if err != nil {
		return nil, err
	}
	// Active Directory does not know what this would negotiate.
	plain := client.DisablePAFXFAST(true)
	if k.Cache != "" {
		cache, err := credentials.LoadCCache(k.Cache)
		if err != nil {
			return nil, err
		}
		return client.NewFromCCache(cache, cfg, plain)
	}
	name, realm, _ := strings.Cut(c.Username, "@")
	if _, after, found := strings.Cut(name, `\`); found {
		name = after
	}
	realm = cmp.Or(k.Realm, strings.ToUpper(realm), cfg.LibDefaults.DefaultRealm)
	switch {
	case name == "" || realm == "":
		return nil, fmt.Errorf("a user name and a realm are needed, found %q and %q", name, realm)
	case k.Keytab != "":
		keys, err := keytab.Load(k.Keytab)
		if err != nil {
			return nil, err
		}
		return client.NewWithKeytab(name, realm, keys, cfg, plain), nil
	case c.Password == "":
		return nil, errors.New("a password, a keytab or a credential cache is needed")
	}
	return client.NewWithPassword(name, realm, c.Password, cfg, plain), nil
}

// ntlm sends the request and goes through the handshake.
func (s *SignIn) ntlm(req *http.Request, body []byte) (*Response, error) {
	client := http.DefaultClient
	if s.Client.HTTP != nil {
		client = s.Client.HTTP
	}
	l := &legs{next: client.Transport}
	if l.next == nil {
		l.next = http.DefaultTransport
	}
	// NTLM signs in a connection, not a request. So it gets connections of its own
	// where that can be arranged, of HTTP/1.1, which alone has such connections.
	if t, ok := l.next.(*http.Transport); ok {
		t = t.Clone()
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(true)
		t.ForceAttemptHTTP2 = false
		defer t.CloseIdleConnections()
		l.next = t
	}
	inner := *client
	inner.Transport = ntlmssp.Negotiator{RoundTripper: l}
	asking := s.Client
	asking.HTTP = &inner

	req = req.Clone(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(body))
	// This is how the negotiator is told; it never sends it so.
	req.SetBasicAuth(s.Credentials.Username, s.Credentials.Password)
	res, err := asking.alone(req)
	switch {
	case err != nil:
		return nil, err
	case l.err != nil: // the negotiator then returns the answer before, as if it were the last
		return nil, fmt.Errorf("%s %s: NTLM: %w", req.Method, req.URL.Redacted(), l.err)
	case res.Status == http.StatusUnauthorized && !l.tried:
		return nil, fmt.Errorf("%s %s: 401, and the server did not go through with NTLM; it offers %q", req.Method, req.URL.Redacted(), schemes(res.Header))
	}
	return res, nil
}

// authenticate is the third message, whose base64 begins like this.
var authenticate = regexp.MustCompile(`^(NTLM|Negotiate) TlRMTVNTUAAD`)

// legs is the transport of a handshake.
type legs struct {
	next  http.RoundTripper
	err   error // of a leg
	tried bool  // the password was put to the test
}

// RoundTrip implements http.RoundTripper.
func (l *legs) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasPrefix(req.Header.Get("Authorization"), "Basic ") {
		return nil, errors.New("a password was about to be sent in clear")
	}
	if authenticate.MatchString(req.Header.Get("Authorization")) {
		// The connection is the user's from here on; nobody else may be given it.
		req.Close, l.tried = true, true
	}
	res, err := l.next.RoundTrip(req)
	if err != nil {
		l.err = err
		return nil, err
	}
	// The negotiator reads to the end what it does not need.
	res.Body = &bounded{res.Body, MaxBody + 1}
	return res, nil
}

// bounded is a body of which only so much is read. Unlike io.LimitReader it closes.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
