package ucwa

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// domainOf returns the domain of a SIP address ("sip:dana@contoso.com", the scheme
// may be left out) or of a domain, in ASCII and lower case.
func domainOf(address string) (string, error) {
	rest := strings.TrimSpace(address)
	if scheme, after, found := strings.Cut(rest, ":"); found {
		if !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") {
			return "", fmt.Errorf("address %q: expected a SIP address such as sip:dana@contoso.com, or a domain", address)
		}
		rest = after
	}
	rest, _, _ = strings.Cut(rest, ";") // parameters such as gruu
	if user, domain, found := strings.Cut(rest, "@"); found {
		if user == "" {
			return "", fmt.Errorf("address %q: nothing stands before the @", address)
		}
		rest = domain
	}
	// What is no host name must not become part of a URL.
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(rest, "."))
	if err != nil || !strings.Contains(domain, ".") || strings.ContainsAny(domain, "/\\@:?#%[]_ ") {
		return "", fmt.Errorf("address %q: %q is no domain: expected an address such as sip:dana@contoso.com, or a domain such as contoso.com", address, rest)
	}
	return domain, nil
}
