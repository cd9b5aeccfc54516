package ucwa

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// Error is an answer with a status of 400 or above. Where UCWA itself answered,
// the body is JSON and Code is set; where IIS or an intermediary answered (usual
// on 401, 403, 500 and 503) Code is empty and Excerpt tells what the body began with.
type Error struct {
	Method, URL string // the request; ParseError leaves them empty
	Status      int
	Code        string // required by UCWA; names the status
	Subcode     string // optional
	Message     string
	DebugInfo   any         // optional: as DecodeJSON gives it
	Parameters  []Parameter // only with status 400
	Diagnostics string      // the header X-Ms-diagnostics: `NNNNN;source="…";reason="…"`
	Excerpt     string      // text of a body that is no UCWA error, at most 200 bytes
}

// Parameter is one parameter that a request got wrong.
type Parameter struct{ Name, Reason string }

func (e *Error) Error() string {
	var b strings.Builder
	if e.Method != "" {
		fmt.Fprintf(&b, "%s %s: ", e.Method, e.URL)
	}
	b.WriteString(strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))))
	if e.Code != "" {
		fmt.Fprintf(&b, ": %s", said(e.Code))
	}
	if e.Subcode != "" {
		fmt.Fprintf(&b, "/%s", said(e.Subcode))
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %q", e.Message)
	}
	for _, p := range e.Parameters {
		fmt.Fprintf(&b, "; parameter %q: %q", p.Name, p.Reason)
	}
	if e.Diagnostics != "" {
		diagnostics := e.Diagnostics
		if !plainDiagnostics.MatchString(diagnostics) {
			diagnostics = strconv.Quote(diagnostics)
		}
		b.WriteString("; X-Ms-diagnostics: " + diagnostics)
	}
	if e.Excerpt != "" {
		fmt.Fprintf(&b, "; not a UCWA error: %q", e.Excerpt)
	}
	return b.String()
}

// plainDiagnostics is the form of X-Ms-diagnostics in which what a server says stands in quotes.
var plainDiagnostics = regexp.MustCompile(`^\d{1,6}(?:; ?\w+="[^"]*")*;?$`)

// said is a code of UCWA or OAuth, or quoted what a server sent in its place: so a message shows which words are the server's.
func said(code string) string {
	if HasCode(CodeStatus(code)) && CodeStatus(code) != 0 || slices.Contains(api.Values("ErrorSubcode"), code) || oauthCodes[code] {
		return code
	}
	return strconv.Quote(code)
}

// oauthCodes are those with which token endpoints refuse (RFC 6749, 5.2, and what the documentation of UCWA has).
var oauthCodes = map[string]bool{"invalid_request": true, "invalid_client": true, "invalid_grant": true, "unauthorized_client": true, "unsupported_grant_type": true,
	"invalid_scope": true, "access_denied": true, "server_error": true, "temporarily_unavailable": true}

// HasSubcode reports whether err is, or wraps, an *Error with that subcode.
func HasSubcode(err error, subcode string) bool {
	e := (*Error)(nil)
	return errors.As(err, &e) && e.Subcode == subcode
}

// ParseError reads the error in a response: a UCWA error, or what else the body
// is. It returns nil for a status below 400.
func ParseError(status int, header http.Header, body []byte) *Error {
	if status < 400 {
		return nil
	}
	e := &Error{Status: status, Diagnostics: header.Get("X-Ms-Diagnostics")}
	value, err := DecodeJSON(body)
	object, _ := value.(map[string]any)
	e.Code, _ = object["code"].(string)
	if err != nil || e.Code == "" {
		e.Excerpt = excerpt(body)
		return e
	}
	e.Subcode, _ = object["subcode"].(string)
	e.Message, _ = object["message"].(string)
	e.DebugInfo = object["debugInfo"]
	list, _ := object["parameters"].([]any)
	for _, v := range list {
		p, _ := v.(map[string]any)
		name, _ := p["name"].(string)
		reason, _ := p["reason"].(string)
		e.Parameters = append(e.Parameters, Parameter{name, reason})
	}
	return e
}

// excerpt returns the title of an HTML page, else the text it begins with.
func excerpt(body []byte) string {
	s := strings.ToValidUTF8(string(body[:min(len(body), 4096)]), "")
	if m := regexp.MustCompile(`(?is)<title[^>]*>(.*?\S.*?)</title>`).FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200-len("…")], "") + "…"
	}
	return s
}
