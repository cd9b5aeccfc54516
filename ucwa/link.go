package ucwa

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Link is a hypermedia link that a response served. Its URL is known only
// together with that response, so a Link made by hand leads nowhere.
type Link struct {
	Rel        string         // the name under which it was served, "self" for a resource's own
	Href       string         // as served: relative or absolute
	Attributes map[string]any // what else stood in it, such as revision or type
	base       *url.URL       // of the response
}

// ErrNotServed is the error for a link that no response served.
var ErrNotServed = errors.New("no response served this link: UCWA clients follow links and never build them")

// OriginError is the error for a link or a redirect that leaves the origin
// which served it: following it would hand the token to somebody else.
type OriginError struct {
	Rel      string
	URL      string // where it leads
	Expected string // the only origin it may lead to
}

func (e *OriginError) Error() string {
	return fmt.Sprintf("the %s link leads to %s, which is not on %s: not followed, since the token is good for that origin only",
		e.Rel, e.URL, e.Expected)
}

// URL returns the absolute URL that the link leads to. It fails with
// ErrNotServed, with an *OriginError, or where the href is empty or no URL.
func (l Link) URL() (*url.URL, error) {
	if l.base == nil {
		return nil, fmt.Errorf("link %q: %w", l.Rel, ErrNotServed)
	}
	u, err := Resolve(l.base, l.Href)
	if err != nil {
		return nil, fmt.Errorf("link %q: %w", l.Rel, err)
	}
	if Origin(u) != Origin(l.base) {
		return nil, &OriginError{Rel: l.Rel, URL: u.Redacted(), Expected: Origin(l.base)}
	}
	return u, nil
}

// Resolve resolves an href of a response that came from base. An empty href, a
// fragment and user information are refused: no documented link has them, and
// what stands before an @ is how a link to another host is made to look harmless.
func Resolve(base *url.URL, href string) (*url.URL, error) {
	if href == "" {
		return nil, errors.New("its href is empty")
	}
	ref, err := url.Parse(href)
	if err != nil {
		return nil, fmt.Errorf("its href %q is no URL: %w", href, err)
	}
	u := base.ResolveReference(ref)
	switch {
	case u.User != nil:
		return nil, fmt.Errorf("its href %q holds user information", u.Redacted())
	case strings.Contains(href, "#"):
		return nil, fmt.Errorf("its href %q holds a fragment", href)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("its href %q leads to no http or https URL", href)
	}
	return u, nil
}

// Origin returns scheme, host and port of u (RFC 6454), in lower case and
// without the scheme's own port, such as "https://lyncweb.contoso.com".
func Origin(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := u.Port(); scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return scheme + "://" + strings.TrimSuffix(host, ":")
}
