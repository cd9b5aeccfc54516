package ucwa

import (
	"errors"
	"strings"

	"golang.org/x/net/idna"
)

// domainOf returns the domain of a SIP address ("sip:dana@contoso.com", the scheme
// may be left out) or of a domain, in ASCII and lower case. Its errors do not show what
// is odd: people type passwords in the wrong place.
func domainOf(address string) (string, error) {
	rest := strings.TrimSpace(address)
	if scheme, after, found := strings.Cut(rest, ":"); found {
		if !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") {
			return "", errors.New("the address has a scheme or port: expected a SIP address such as sip:dana@contoso.com, or a domain such as contoso.com")
		}
		rest = after
	}
	rest, _, _ = strings.Cut(rest, ";") // parameters such as gruu
	if user, domain, found := strings.Cut(rest, "@"); found {
		switch {
		case user == "":
			return "", errors.New("the address has nothing before the @: expected one such as sip:dana@contoso.com")
		case strings.Contains(user, ":"):
			return "", errors.New("the address contains a password: expected one such as sip:dana@contoso.com")
		}
		rest = domain
	}
	// What is no host name must not become part of a URL.
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(rest, "."))
	if err != nil || !strings.Contains(domain, ".") || strings.Contains("."+domain, "..") || strings.ContainsAny(domain, "/\\@:?#%[]_ ") {
		return "", errors.New("the address has no domain: expected one such as sip:dana@contoso.com, or a domain such as contoso.com")
	}
	return domain, nil
}
