package ucwa

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/Azure/go-ntlmssp"
)

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
