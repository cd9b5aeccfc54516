package ucwa

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// crossing are the links that may lead to another host: by the documentation those
// of Autodiscover and of the user resource, and no other.
var crossing = []string{"redirect", "user", "applications"}

// crossingError is the error for a link or redirect to another host that must not
// be followed.
type crossingError struct{ from, to, problem string }

func (e *crossingError) Error() string {
	return fmt.Sprintf("it leads from %s to %s: not followed, %s", e.from, e.to, e.problem)
}

// Cross returns the link as one that begins on the host it leads to. Only the links
// redirect, user and applications may lead to another host at all: before an
// application exists, the hosts of a deployment hand a client on. No token goes with
// it: one is good for one host, and the next host is asked for its own.
//
// Where the link leads must be https, on the default port or on the one that
// served the link; user information and fragments are refused, as by [Resolve].
//
// And it must be within the domain of Address (or of Start, where there is none), or
// in one of Trust: on the next host the user's credentials are asked for, and whoever
// may write that link, in an Autodiscover service that was hosted elsewhere once and
// forgotten or in an answer over http, would otherwise choose who gets the password.
// The documentation lets deployments of several domains hand clients on, and says to
// check where to before one follows. Microsoft's own clients ask the person then;
// this one cannot, so the domain is to be named beforehand. Plain exempts answers over
// http, and loopback leads to loopback. A link that stays on its origin is held to https
// all the same.
func (s *SignIn) Cross(link Link) (Link, error) {
	u, err := s.crossed(link)
	if err != nil {
		return Link{}, err
	}
	link.Href, link.base = u.String(), u
	return link, nil
}

func (s *SignIn) crossed(link Link) (*url.URL, error) {
	if link.base == nil || !slices.Contains(crossing, link.Rel) {
		return link.URL() // which knows the origin that it must not leave
	}
	u, err := Resolve(link.base, link.Href)
	if err != nil {
		return nil, fmt.Errorf("link %q: %w", link.Rel, err)
	}
	if err := s.check(link.base, u); err != nil {
		return nil, fmt.Errorf("link %q: %w", link.Rel, err)
	}
	return u, nil
}

// check tells whether an answer that came from one URL may lead to another.
func (s *SignIn) check(from, to *url.URL) error {
	near := loopback(from) && loopback(to)
	fail := func(problem string) error {
		return &crossingError{Origin(from), to.Redacted(), problem}
	}
	switch {
	case to.Scheme != "https" && (from.Scheme == "https" || !s.Plain && !near):
		return fail("since only https keeps the credentials from others")
	case near || Origin(from) == Origin(to):
		return nil
	case port(to) != "443" && port(to) != port(from):
		if s.Plain && to.Scheme == "http" && port(to) == "80" {
			return nil
		}
		return fail("since credentials go only to port 443, or to the port of the first URL: if the link is right, give the URL by hand")
	case (from.Scheme != "http" || !s.Plain) && !s.trusts(to.Hostname()):
		return fail("since that host is outside the user's domain, and would ask for the password: trust the domain if it is right")
	}
	return nil
}

// trustworthy says why a domain is none that can be trusted: no host would ever be found
// in it, or anyone can have one there.
func trustworthy(domain string) error {
	name := strings.ToLower(strings.TrimSuffix(domain, "."))
	if net.ParseIP(name) != nil {
		return nil // an address is one host's
	}
	ascii, err := domainOf(name)
	ascii = cmp.Or(ascii, name)
	suffix, official := publicsuffix.PublicSuffix(ascii)
	switch {
	case suffix == ascii && (official || strings.Contains(suffix, ".")): // an unknown one is its last label
		return errors.New("it is a public suffix, in which anyone can have a domain: name the one that is meant, such as fabrikam.com")
	case err != nil || strings.ContainsAny(name, ":@;"):
		return errors.New("expected the name of a domain, such as fabrikam.com, without a scheme, user, port or *")
	}
	return nil
}

// trusts tells whether a host is in the domain of the address, or in a trusted one.
func (s *SignIn) trusts(host string) bool {
	own, err := domainOf(s.Address)
	if start, e := url.Parse(s.Start); err != nil && e == nil {
		if own, e = publicsuffix.EffectiveTLDPlusOne(start.Hostname()); e != nil {
			own = start.Hostname() // such as an IP address
		}
	}
	domains := []string{own}
	for _, domain := range s.Trust {
		if ascii, err := domainOf(domain); err == nil { // hosts in links are ASCII
			domain = ascii
		}
		domains = append(domains, domain)
	}
	return isHost(host) && slices.ContainsFunc(domains, func(domain string) bool {
		return domain != "" && (strings.EqualFold(host, domain) ||
			strings.HasSuffix(strings.ToLower(host), "."+strings.ToLower(domain)))
	})
}

// isHost tells whether a text can be a host: "evil.com,.contoso.com" ends as one of contoso.com does, and is none.
func isHost(name string) bool {
	if net.ParseIP(name) != nil {
		return true
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label == "" || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

func port(u *url.URL) string {
	return cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}

// loopback tells whether u leads to this machine, by its own words: no name is looked up.
func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
}
