package ucwa

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Token is the right to speak for a user at one origin. Printed it shows no secret.
type Token struct {
	Value   string    // as requests carry it, such as "cwt=AAEB…"
	Type    string    // "Bearer"
	Scope   string    // ms_rtc_identityscope, such as "local"
	Origin  string    // the only one that takes it, as [Origin] writes it
	Issued  time.Time // when the answer came
	Expires time.Time // zero if the server did not say
}

func (t Token) String() string {
	if t.Value == "" {
		return "no token"
	}
	return fmt.Sprintf("token for %s until %s", t.Origin, t.Expires.UTC().Format(time.RFC3339))
}

// GoString keeps the secret from %#v.
func (t Token) GoString() string { return t.String() }

// Valid reports whether the token is there and has not expired.
func (t Token) Valid() bool {
	return t.Value != "" && (t.Expires.IsZero() || time.Now().Before(t.Expires))
}

// stale tells whether it is time for a fresh token: when a tenth of the life is
// left, or five minutes if that is less.
func (t Token) stale() bool {
	if t.Value == "" || t.Expires.IsZero() {
		return t.Value == ""
	}
	return time.Until(t.Expires) < min(t.Expires.Sub(t.Issued)/10, 5*time.Minute)
}

// Diagnostics is what the header X-Ms-diagnostics says.
type Diagnostics struct{ Code, Source, Reason string }

var diagnosticsForm = regexp.MustCompile(`^\s*(\d+)\s*(?:;|$)`)

// Meaning says in our own words what the code means, "" if that is not known. Source: what deployments answer with it.
func (d Diagnostics) Meaning() string {
	return map[string]string{
		"1": "homed elsewhere", "28000": "credentials or licence refused", "28020": "no valid security token", "28029": "authentication type not allowed",
		"28032": "web ticket invalid", "28033": "web ticket expired", "28055": "OAuth token invalid", "28056": "OAuth token expired",
		"28070": "cross-domain request from this origin not allowed", "28072": "ticket could not be verified",
		"28077": "audience of the web ticket invalid", "28081": "no user principal name in the token",
	}[d.Code]
}

// ParseDiagnostics reads `28055;source="lync.contoso.com";reason="…"`. What cannot
// be read stays empty.
func ParseDiagnostics(value string) Diagnostics {
	var d Diagnostics
	m := diagnosticsForm.FindStringSubmatch(value)
	if m == nil {
		return d
	}
	d.Code = m[1]
	s := scanner{value[len(m[0]):]}
	for s.skip(" \t;,"); s.rest != ""; s.skip(" \t;,") {
		name := s.token()
		if !strings.HasPrefix(s.rest, "=") {
			s.rest = s.rest[min(1, len(s.rest)):]
			continue
		}
		s.rest = s.rest[1:]
		text := s.rest
		var v string
		if strings.HasPrefix(text, `"`) {
			v = s.value()
		} else {
			v, s.rest, _ = strings.Cut(text, ";")
		}
		switch strings.ToLower(name) {
		case "source":
			d.Source = v
		case "reason":
			d.Reason = v
		}
	}
	return d
}

// TokenError is an answer of a token endpoint that is no token.
type TokenError struct {
	URL         string // of the endpoint
	Grant       string // that was asked for
	Status      int    // 0 if a Kerberos server refused the user before the endpoint was asked
	Code        string // error: invalid_request, invalid_grant, unsupported_grant_type, invalid_scope, server_error; empty if the answer is no such JSON
	Description string // error_description, if any
	Diagnostics Diagnostics
	Problem     string // what is wrong with an answer that is not the documented JSON
	refused     bool   // by somebody else than the endpoint
}

func (e *TokenError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "POST %s (grant_type %s)", e.URL, e.Grant)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": %d", e.Status)
	}
	if e.Code != "" {
		b.WriteString(": " + said(e.Code))
	}
	if e.Description != "" {
		fmt.Fprintf(&b, ": %q", e.Description)
	}
	if e.Problem != "" {
		b.WriteString(": " + e.Problem)
	}
	if d := e.Diagnostics; d.Code != "" {
		fmt.Fprintf(&b, "; X-Ms-diagnostics %s: %q", d.Code, d.Reason)
	}
	if advice := e.advice(); advice != "" {
		b.WriteString("; " + advice)
	}
	return b.String()
}

// Refused reports whether the credentials were not taken. Repeating them would bring
// an account nearer to being locked.
func (e *TokenError) Refused() bool {
	return e.refused || e.Code == "invalid_grant" || e.Code == "" && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)
}

func (e *TokenError) advice() string {
	switch {
	case e.Refused() && e.Grant == GrantAnonMeeting:
		return "check the meeting's URI and its conference key, and that the meeting takes guests"
	case e.Refused():
		return "check the user name and the password; they were sent once and are not sent again, since that could lock the account"
	case e.Code == "unsupported_grant_type":
		return "the server does not do this grant: choose one that its challenge lists"
	case e.Code == "invalid_request", e.Code == "invalid_scope":
		return "the server does not understand the request: a grant may need a parameter that was not given"
	case e.Status >= 500:
		return "the server failed: try again later, and look into its event log"
	}
	return ""
}

// PassiveError is the error when the person has to sign in with a browser first.
type PassiveError struct {
	URI string // where: ms_rtc_passiveauthuri
	Err *TokenError
}

func (e *PassiveError) Error() string {
	return fmt.Sprintf("the server wants a person to sign in with a browser at %s; do so, with the same cookies, and repeat", e.URI)
}

// Unwrap returns the *TokenError that said so.
func (e *PassiveError) Unwrap() error { return e.Err }

// tokenForm is what may stand after "Bearer " (RFC 6750, 2.1, and what servers send).
var tokenForm = regexp.MustCompile(`^[\x21-\x7e]+$`)

// ParseToken reads the answer of a token endpoint. The grant is the one asked for,
// for the errors: *TokenError, or *PassiveError where a person has to sign in.
func ParseToken(res *Response, grant string) (Token, error) {
	e := &TokenError{URL: res.URL.Redacted(), Grant: grant, Status: res.Status, Diagnostics: ParseDiagnostics(res.Header.Get("X-Ms-Diagnostics"))}
	fail := func(format string, args ...any) (Token, error) {
		e.Problem = fmt.Sprintf(format, args...)
		return Token{}, e
	}
	value, err := DecodeJSON(res.Body)
	object, isObject := value.(map[string]any)
	text := func(name string) string { s, _ := object[name].(string); return s }
	if res.Status != http.StatusOK {
		e.Code, e.Description = text("error"), text("error_description")
		if passive := text("ms_rtc_passiveauthuri"); passive != "" {
			if u, err := url.Parse(passive); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil {
				return Token{}, &PassiveError{URI: passive, Err: e}
			}
			return fail("ms_rtc_passiveauthuri %q is no URL to sign in at", passive)
		}
		if e.Code == "" {
			// Nothing of it is shown: an endpoint that fails may repeat the password.
			return fail("not the documented JSON but %d bytes of %q", len(res.Body), res.Header.Get("Content-Type"))
		}
		return Token{}, e
	}
	switch {
	case err != nil:
		// Nor is the body shown: it may be a token, cut off.
		return fail("the body (%q) is no token: %v", res.Header.Get("Content-Type"), err)
	case !isObject:
		return fail("the body is no token: expected an object, found %s", JSONType(value))
	case !tokenForm.MatchString(text("access_token")):
		// The value is not shown: it may be a secret, nearly.
		return fail("access_token: expected a string that a header can carry, found %s", JSONType(object["access_token"]))
	case object["token_type"] != nil && !strings.EqualFold(text("token_type"), "Bearer"):
		return fail("token_type: expected Bearer, found %q", fmt.Sprint(object["token_type"]))
	}
	now := time.Now()
	t := Token{Value: text("access_token"), Type: "Bearer", Scope: text("ms_rtc_identityscope"), Origin: Origin(res.URL), Issued: now}
	if given, ok := object["expires_in"]; ok {
		life, err := seconds(given)
		if err != nil {
			return fail("expires_in: %v", err)
		}
		t.Expires = now.Add(life)
	}
	return t, nil
}

// seconds reads a number of seconds, which some write as a string. More than ten
// years are taken for ten.
func seconds(v any) (time.Duration, error) {
	text, isString := v.(string)
	if number, ok := v.(json.Number); ok {
		text, isString = number.String(), true
	}
	n, err := strconv.ParseFloat(text, 64)
	if !isString || err != nil && !errors.Is(err, strconv.ErrRange) || !(n > 0) {
		return 0, fmt.Errorf("expected a number of seconds above 0, found %s", JSONType(v))
	}
	const most = 10 * 365 * 24 * time.Hour
	return time.Duration(min(n, most.Seconds()) * float64(time.Second)), nil
}
