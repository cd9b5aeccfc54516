package ucwa

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Grants, the ways to get a token, as a challenge lists them.
const (
	GrantPassword    = "password"
	GrantWindows     = "urn:microsoft.rtc:windows"     // NTLM or Negotiate
	GrantAnonMeeting = "urn:microsoft.rtc:anonmeeting" // who joins a meeting without an account
	GrantPassive     = "urn:microsoft.rtc:passive"     // the person signs in with a browser
)

// Issuer is where a host hands out tokens, and by which grants.
type Issuer struct {
	URL    *url.URL
	Grants []string // as listed, each once
}

// Offers reports whether the challenge lists the grant.
func (i *Issuer) Offers(grant string) bool {
	return slices.ContainsFunc(i.Grants, func(g string) bool { return strings.EqualFold(g, grant) })
}

// ChallengeError is the error for an answer that does not say where tokens are to be
// had, or says what must not be believed.
type ChallengeError struct {
	URL     string // of the request
	Status  int
	Lines   []string // of WWW-Authenticate
	Problem string
}

func (e *ChallengeError) Error() string {
	return fmt.Sprintf("%s without a token: %d: %s; WWW-Authenticate: %q", e.URL, e.Status, e.Problem, e.Lines)
}

// Issuer reads the MsRtcOAuth challenge of a 401. The href must be on the origin
// that challenged: credentials go to the host that asked for them and to no other,
// and no deployment is known to have its tokens issued elsewhere. The error is a
// *ChallengeError.
func (r *Response) Issuer() (*Issuer, error) {
	lines := r.Header.Values("WWW-Authenticate")
	fail := func(format string, args ...any) error {
		return &ChallengeError{r.URL.Redacted(), r.Status, lines, fmt.Sprintf(format, args...)}
	}
	if r.Status != http.StatusUnauthorized {
		return nil, fail("expected 401 with a challenge")
	}
	var schemes []string
	var problem error
	for _, c := range ParseChallenges(lines) {
		schemes = append(schemes, c.Scheme)
		if !strings.EqualFold(c.Scheme, "MsRtcOAuth") {
			continue
		}
		u, err := Resolve(r.URL, c.Params["href"])
		switch {
		case err != nil:
			problem = fail("the challenge leads nowhere: %v", err)
		case Origin(u) != Origin(r.URL):
			problem = fail("the challenge sends the credentials to %s, which is not on %s, where they are asked for: refused", u.Redacted(), Origin(r.URL))
		default:
			return &Issuer{URL: u, Grants: splitGrants(c.Params["grant_type"])}, nil
		}
	}
	if problem != nil {
		return nil, problem
	}
	return nil, fail("no MsRtcOAuth challenge among %q: the server has no sign-in of its own that this client knows", schemes)
}

// splitGrants reads the list of grant types. Servers write commas, and some types
// more than once.
func splitGrants(list string) []string {
	var grants []string
	for grant := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' || r == ';' }) {
		if !slices.ContainsFunc(grants, func(g string) bool { return strings.EqualFold(g, grant) }) {
			grants = append(grants, grant)
		}
	}
	return grants
}
