package ucwa

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxHops bounds the redirects from host to host, of HTTP and of Autodiscover together.
const maxHops = 5

// discoveryPatience bounds one request to an Autodiscover host, by default.
const discoveryPatience = 15 * time.Second

// Discovery is what Autodiscover found.
type Discovery struct {
	Root  *Resource // with the links self, user and xframe
	User  Link      // to the user resource; it may be on another host than Root
	Trail []Attempt // every request on the way, the last of which brought Root
}

// Attempt is one request to an Autodiscover host.
type Attempt struct {
	URL    string
	Status int    // 0 if there was no answer
	To     string // where a redirect led next, if it was followed
	Err    error  // why it was of no use; nil if it was
}

func (a Attempt) String() string {
	switch {
	case a.Err != nil:
		return fmt.Sprintf("%s: %v", a.URL, a.Err)
	case a.To != "":
		return fmt.Sprintf("%s: %d, leads to %s", a.URL, a.Status, a.To)
	}
	return fmt.Sprintf("%s: %d", a.URL, a.Status)
}

// DiscoveryError is the error when no Autodiscover host led to a user link.
type DiscoveryError struct {
	Of    string // the domain, or the URL given by hand
	Trail []Attempt
}

// Error names each host that was tried, what happened, and what can be done.
func (e *DiscoveryError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Autodiscover of %s found no server:", e.Of)
	for _, a := range e.Trail {
		fmt.Fprintf(&b, "\n  %v", a)
		if a.Err != nil {
			if advice := advice(a.Err); advice != "" {
				fmt.Fprintf(&b, " (%s)", advice)
			}
		}
	}
	b.WriteString("\nIf the server is elsewhere, give the URL of its Autodiscover service, which ends in /Autodiscover/AutodiscoverService.svc/root")
	return b.String()
}

// Unwrap returns what went wrong on the way, in order.
func (e *DiscoveryError) Unwrap() []error {
	var all []error
	for _, a := range e.Trail {
		if a.Err != nil {
			all = append(all, a.Err)
		}
	}
	return all
}

// advice says what to do about a host that could not be reached.
func advice(err error) string {
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		other       x509.HostnameError
		invalid     x509.CertificateInvalidError
		crossing    *crossingError
		network     net.Error
	)
	switch {
	case errors.As(err, &name) && name.IsNotFound && strings.HasPrefix(name.Name, "lyncdiscoverinternal."):
		return "this network's DNS has no such name; it exists inside the company only"
	case errors.As(err, &name) && name.IsNotFound:
		return "this network's DNS has no such name"
	case errors.As(err, &other):
		return "its certificate is for another name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not yet valid: renew it, or set the clock of this machine"
	case errors.As(err, &certificate):
		return "its certificate is not trusted here: add the authority that issued it"
	case errors.As(err, &crossing):
		return "" // says it itself
	case errors.As(err, &network) && network.Timeout():
		return "no answer in time: is a firewall or a proxy in between?"
	case errors.As(err, new(*net.OpError)):
		return "nothing listens there, or a firewall is in between"
	}
	return ""
}

// Discover finds the Autodiscover service of Address and gets its root resource,
// without credentials: from lyncdiscoverinternal.D, then lyncdiscover.D, each over
// https and, as a last resort, http. With Start that URL alone is asked. Links of
// rel redirect and HTTP redirects are followed, 5 in all, as [SignIn.Cross] allows.
// Errors: a *DiscoveryError, that of ctx, and an Address or Start that is none.
func (s *SignIn) Discover(ctx context.Context) (*Discovery, error) {
	starts, of, err := s.starts()
	if err != nil {
		return nil, err
	}
	var trail []Attempt
	for _, start := range starts {
		found := s.discoverFrom(ctx, start, &trail)
		if found != nil {
			found.Trail = trail
			return found, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("Autodiscover of %s: %w", of, err) //nolint:staticcheck // a name
		}
	}
	return nil, &DiscoveryError{Of: of, Trail: trail}
}

// starts are the URLs to ask in turn, and what they belong to.
func (s *SignIn) starts() (starts []*url.URL, of string, err error) {
	if s.Start != "" {
		u, err := url.Parse(s.Start)
		problem := ""
		switch {
		case err == nil && u.User != nil:
			problem = "it holds user information"
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Contains(s.Start, "#"):
			problem = "expected one such as https://lyncweb.contoso.com/Autodiscover/AutodiscoverService.svc/root"
		case u.Scheme == "http" && !s.Plain && !loopback(u):
			problem = "https is needed, or anyone on the way could answer"
		}
		if problem != "" { // which does not show it: in one that is odd, a password can stand anywhere
			return nil, "", errors.New("Autodiscover URL: " + problem)
		}
		return []*url.URL{u}, u.String(), nil
	}
	domain, err := domainOf(s.Address)
	if err != nil {
		return nil, "", err
	}
	for _, name := range []string{"lyncdiscoverinternal.", "lyncdiscover."} {
		for _, scheme := range []string{"https", "http"} {
			starts = append(starts, &url.URL{Scheme: scheme, Host: name + domain, Path: "/"})
		}
	}
	return starts, domain, nil
}

// discoverFrom follows redirects from u until a resource with a user link comes.
// It adds what it did to trail, and returns nil where that came to nothing.
func (s *SignIn) discoverFrom(ctx context.Context, u *url.URL, trail *[]Attempt) *Discovery {
	been := map[string]bool{}
	for {
		been[u.String()] = true
		found, next, attempt := s.attempt(ctx, u)
		if attempt.Err == nil && next != nil {
			switch {
			case been[next.String()]:
				attempt.Err = fmt.Errorf("%d, leads back to %s: a loop", attempt.Status, next)
			case len(been) > maxHops:
				attempt.Err = fmt.Errorf("%d, leads on to %s: more than %d redirects", attempt.Status, next, maxHops)
			default:
				attempt.To = next.String()
			}
		}
		*trail = append(*trail, attempt)
		if attempt.Err != nil || found != nil {
			return found
		}
		u = next
	}
}

// attempt asks one host once; it returns what it found, or where to go on, or why
// neither.
func (s *SignIn) attempt(ctx context.Context, u *url.URL) (found *Discovery, next *url.URL, a Attempt) {
	a.URL = u.Redacted()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Patience, discoveryPatience))
	defer cancel()
	res, err := s.get(ctx, u, "")
	if err != nil {
		a.Err = cause(err)
		return nil, nil, a
	}
	a.Status = res.Status
	if next, a.Err = s.redirected(res); next != nil || a.Err != nil {
		return nil, next, a
	}
	root, err := res.Resource()
	switch {
	case err != nil:
		a.Err = cause(err)
	case root.HasLink("user"):
		user, err := s.Cross(root.Link("user"))
		if err != nil {
			a.Err = err
			return nil, nil, a
		}
		return &Discovery{Root: root, User: user}, nil, a
	case root.HasLink("redirect"):
		next, a.Err = s.crossed(root.Link("redirect"))
	default:
		a.Err = fmt.Errorf("%d, but the resource has neither a user nor a redirect link", res.Status)
	}
	return nil, next, a
}

// cause is an error without the request, which the trail names already.
func cause(err error) error {
	if fault := (*url.Error)(nil); errors.As(err, &fault) {
		return fault.Err
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		e.Method, e.URL = "", ""
		return e
	}
	return err
}

// get sends one GET, with the token if there is one, and follows no redirect.
func (s *SignIn) get(ctx context.Context, u *url.URL, token string) (*Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	s.Client.setHeader(req.Header, u, req.Method, false)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if s.Client.Before != nil {
		s.Client.Before(req)
	}
	return s.Client.alone(req)
}

// redirected returns where an answer redirects to, nil if it does not.
func (s *SignIn) redirected(res *Response) (*url.URL, error) {
	if res.Status < 300 || res.Status > 399 {
		return nil, nil
	}
	to, err := Resolve(res.URL, res.Header.Get("Location"))
	if err != nil {
		return nil, fmt.Errorf("%d, and the Location is of no use: %w", res.Status, err)
	}
	if err := s.check(res.URL, to); err != nil {
		return nil, err
	}
	return to, nil
}

// Check returns what is wrong with Address, Start and Trust, before anything is asked.
func (s *SignIn) Check() error {
	if _, _, err := s.starts(); err != nil {
		return err
	}
	for _, domain := range s.Trust {
		if err := trustworthy(domain); err != nil {
			return fmt.Errorf("a domain to trust: %w", err)
		}
	}
	return nil
}
