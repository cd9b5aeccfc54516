package cassettes

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// redactionVersion grows with each change of what Redacted replaces.
const redactionVersion = 1

// redactionRules names what Redacted replaces.
var redactionRules = []string{"authorization", "cookies", "passwords", "tokens"}

// Redacted returns a deep copy without its secrets: the credentials of Authorization and Proxy-Authorization, the values of
// cookies, the passwords in URLs, and tokens and passwords in JSON, forms and queries. Where a secret is found it becomes
// REDACTED-1, REDACTED-2 and so on, the same wherever it occurs; "cwt=" before a token stays. Secrets of 6 bytes or more
// are then replaced everywhere else, also URL-encoded or escaped as in JSON. Lengths that were true stay true.
//
// To redact again changes nothing. Names, addresses and identifiers are kept.
func (c *Cassette) Redacted() *Cassette {
	copied := *c
	copied.Provenance = c.Provenance.clone()
	copied.Provenance.Redaction = Redaction{Version: redactionVersion, Rules: slices.Clone(redactionRules)}
	copied.Exchanges = nil
	s := &secrets{names: make(map[string]string)}
	for _, x := range c.Exchanges {
		x = x.clone()
		copied.Exchanges = append(copied.Exchanges, x)
		s.each(x.Interaction, s.reserve)
	}
	for _, x := range copied.Exchanges {
		s.each(x.Interaction, s.name)
	}
	if len(s.names) == 0 {
		return &copied // nothing was found that could stand elsewhere too
	}
	everywhere := s.everywhere()
	for i := range copied.Exchanges {
		x := &copied.Exchanges[i]
		x.Failure = everywhere(x.Failure)
		s.everyText(x.Interaction, everywhere)
	}
	p := &copied.Provenance
	for _, text := range []*string{&p.Server, &p.Source, &p.Task} {
		*text = everywhere(*text)
	}
	return &copied
}

// placeholder is what stands for a secret.
var placeholder = regexp.MustCompile(`^REDACTED-(\d+)$`)

// secrets are those found in a recording, with the placeholders that stand for them.
type secrets struct {
	names map[string]string
	taken int // the highest number of a placeholder
}

// reserve notes the placeholders of an earlier redaction, and changes nothing.
func (s *secrets) reserve(secret string) string {
	if m := placeholder.FindStringSubmatch(secret); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			s.taken = max(s.taken, n)
		}
	}
	return secret
}

// name returns the placeholder of a secret.
func (s *secrets) name(secret string) string {
	if secret == "" || placeholder.MatchString(secret) {
		return secret
	}
	if s.names[secret] == "" {
		s.taken++
		s.names[secret] = "REDACTED-" + strconv.Itoa(s.taken)
	}
	return s.names[secret]
}

// each replaces the secrets of an exchange where they stand.
func (s *secrets) each(x *Interaction, replace func(string) string) {
	s.everyBody(x, func(text string) string { return inText(text, replace) })
	x.Request.URL = inText(x.Request.URL, replace)
	x.Request.RequestURI = inText(x.Request.RequestURI, replace)
	for _, name := range slices.Sorted(maps.Keys(x.Request.Form)) {
		if secretName(name) {
			for i, value := range x.Request.Form[name] {
				x.Request.Form[name][i] = token(value, replace)
			}
		}
	}
	for _, header := range []http.Header{x.Request.Headers, x.Request.Trailer, x.Response.Headers, x.Response.Trailer} {
		for _, name := range slices.Sorted(maps.Keys(header)) {
			for i, value := range header[name] {
				header[name][i] = inField(name, value, replace)
			}
		}
	}
}

// inField replaces the secrets in a header field.
func inField(name, value string, replace func(string) string) string {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Proxy-Authorization":
		scheme, credentials, ok := strings.Cut(value, " ")
		if !ok {
			return token(value, replace)
		}
		return scheme + " " + token(credentials, replace)
	case "Cookie":
		pairs := strings.Split(value, ";")
		for i, pair := range pairs {
			pairs[i] = cookie(pair, replace)
		}
		return strings.Join(pairs, ";")
	case "Set-Cookie":
		pair, attributes, ok := strings.Cut(value, ";")
		if ok {
			attributes = ";" + attributes
		}
		return cookie(pair, replace) + attributes
	}
	return inText(value, replace)
}

func cookie(pair string, replace func(string) string) string {
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		return pair
	}
	return name + "=" + token(value, replace)
}

// token replaces a token, but for the space around it and the "cwt=" that shows its kind.
func token(value string, replace func(string) string) string {
	secret := strings.TrimPrefix(strings.TrimSpace(value), "cwt=")
	if secret == "" {
		return value
	}
	before, after, _ := strings.Cut(value, secret)
	return before + replace(secret) + after
}

const secretNames = `access_token|refresh_token|id_token|assertion|client_secret|password|passwd`

var (
	secretWord  = regexp.MustCompile(`(?i)^(?:` + secretNames + `)$`)
	secretJSON  = regexp.MustCompile(`(?i)"(?:` + secretNames + `)"\s*:\s*"((?:[^"\\]|\\.)*)"`)
	secretPair  = regexp.MustCompile(`(?i)(?:^|[?&#])(?:` + secretNames + `)=([^&#\s"]*)`)
	secretLogin = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@:]*:([^/?#@]*)@`)
)

// secretName tells whether the value of a form field, query parameter or JSON member of this name is a secret.
func secretName(name string) bool { return secretWord.MatchString(name) }

// suspicious tells whether a text can hold what the patterns look for. Most cannot, and the patterns are slow.
func suspicious(text string) bool {
	lower := strings.ToLower(text)
	return strings.Contains(lower, "token") || strings.Contains(lower, "passw") || strings.Contains(lower, "assertion") ||
		strings.Contains(lower, "client_secret") || strings.Contains(lower, "://") && strings.Contains(lower, "@")
}

// inText replaces the secrets in a body or a URL.
func inText(text string, replace func(string) string) string {
	if !suspicious(text) {
		return text
	}
	text = inGroup(secretJSON, text, func(escaped string) string {
		var raw string
		if json.Unmarshal([]byte(`"`+escaped+`"`), &raw) != nil {
			raw = escaped
		}
		if replaced := token(raw, replace); replaced != raw {
			return replaced
		}
		return escaped
	})
	for _, pattern := range []*regexp.Regexp{secretPair, secretLogin} {
		text = inGroup(pattern, text, func(encoded string) string {
			raw := decodeQuery(encoded)
			if replaced := token(raw, replace); replaced != raw {
				return url.QueryEscape(replaced)
			}
			return encoded
		})
	}
	return text
}

// inGroup replaces the first group of each match.
func inGroup(pattern *regexp.Regexp, text string, replace func(string) string) string {
	var b strings.Builder
	end := 0
	for _, m := range pattern.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(text[end:m[2]])
		b.WriteString(replace(text[m[2]:m[3]]))
		end = m[3]
	}
	return b.String() + text[end:]
}

// hideSecrets is for messages: it shows that there is a secret, and not which.
func hideSecrets(text string) string {
	return inText(text, func(string) string { return "REDACTED" })
}

// everywhere returns a function that replaces the secrets wherever they occur, in every encoding, the longest first. Short ones
// are left out, since they are parts of words.
func (s *secrets) everywhere() func(string) string {
	const shortest = 6
	forms := make(map[string]string)
	for secret, name := range s.names {
		if len(secret) >= shortest {
			for _, form := range encodings(secret) {
				forms[form] = name
			}
		}
	}
	sorted := slices.SortedFunc(maps.Keys(forms), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
	var pairs []string
	for _, form := range sorted {
		pairs = append(pairs, form, forms[form])
	}
	return strings.NewReplacer(pairs...).Replace
}

var percentCode = regexp.MustCompile(`%[0-9A-F]{2}`)

func encodings(secret string) []string {
	quoted, _ := json.Marshal(secret) // a string always has a JSON form
	forms := []string{
		secret,
		url.QueryEscape(secret),
		url.PathEscape(secret),
		string(quoted[1 : len(quoted)-1]),
		strings.ReplaceAll(secret, "/", `\/`),
		base64.StdEncoding.EncodeToString([]byte(secret)),
	}
	for _, form := range forms[1:3] {
		forms = append(forms, percentCode.ReplaceAllStringFunc(form, strings.ToLower))
	}
	return forms
}

// everyText changes every string of an exchange.
func (s *secrets) everyText(x *Interaction, change func(string) string) {
	s.everyBody(x, change)
	for _, text := range []*string{&x.Request.URL, &x.Request.RequestURI, &x.Request.Host, &x.Response.Status} {
		*text = change(*text)
	}
	for _, values := range []map[string][]string{x.Request.Headers, x.Request.Trailer, x.Request.Form, x.Response.Headers, x.Response.Trailer} {
		for _, list := range values {
			for i := range list {
				list[i] = change(list[i])
			}
		}
	}
}

// everyBody changes the bodies of an exchange, and with them the lengths that were true.
func (s *secrets) everyBody(x *Interaction, change func(string) string) {
	mend := func(body *string, length *int64, header http.Header) {
		was := len(*body)
		*body = change(*body)
		if *length == int64(was) {
			*length = int64(len(*body))
		}
		for name, values := range header {
			if http.CanonicalHeaderKey(name) != "Content-Length" {
				continue
			}
			for i, value := range values {
				if value == strconv.Itoa(was) {
					values[i] = strconv.Itoa(len(*body))
				}
			}
		}
	}
	mend(&x.Request.Body, &x.Request.ContentLength, x.Request.Headers)
	mend(&x.Response.Body, &x.Response.ContentLength, x.Response.Headers)
}
