package cassettes

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// redactionVersion grows with each change of what Redacted replaces.
const redactionVersion = 2

// redactionRules names what Redacted replaces.
var redactionRules = []string{"authorization", "cookies", "passwords", "tokens"}

// Redacted returns a deep copy without its secrets: the credentials of Authorization and Proxy-Authorization, the values of
// cookies, the passwords in URLs, what is named as a token, ticket or password in JSON, XML, forms, queries and headers, and
// UCWA's own tokens, "cwt=…", wherever they stand. Where a secret is found it becomes REDACTED-1, REDACTED-2 and so on, the
// same wherever it occurs; "cwt=" before a token stays. Secrets of 3 characters or more are then replaced everywhere else, in
// every encoding. Lengths that were true stay true.
//
// To redact again changes nothing. Names, addresses and identifiers are kept.
//
// They are for [Cassette.Anonymized] to hide.
func (c *Cassette) Redacted() *Cassette {
	copied, _, _ := c.redact(nil)
	return copied
}

// Redact returns what [Cassette.Redacted] returns, and what hides and finds the same secrets in any other text, such as a report
// that is about to be written: nil if there are none.
func (c *Cassette) Redact() (*Cassette, *Anonymizer) {
	copied, s, h := c.redact(nil)
	if h == nil {
		return copied, nil
	}
	s.plain = nil // all is looked at
	return copied, &Anonymizer{hider: h, secrets: s, keepNames: true}
}

// redact returns the copy, and the secrets that it has no more: those that it finds, and those that are known; and what looks for
// them, nil if there are none.
func (c *Cassette) redact(known []string) (*Cassette, *secrets, *hider) {
	copied := c.clone()
	if c.Provenance.Redaction.Version < redactionVersion { // what an Anonymizer did stays done
		copied.Provenance.Redaction = Redaction{Version: redactionVersion, Rules: slices.Clone(redactionRules)}
	}
	s := &secrets{names: make(map[string]string), plain: make(map[labelled]bool)}
	copied.change(s.survey)
	for _, secret := range known {
		s.add(secret)
	}
	copied.change(func(name, text string) string {
		if s.plain[labelled{name, text}] {
			return text
		}
		s.collect(name, text)
		return inField(name, text, s.name)
	})
	if len(s.names) == 0 {
		return copied, s, nil // nothing was found that could stand elsewhere too
	}
	h := newHider(pseudonyms{})
	s.putInto(h)
	copied.change(remembered(h.hide))
	return copied, s, h
}

// placeholder is what stands for a secret.
var placeholder = regexp.MustCompile(`^REDACTED-(\d+)$`)

// secrets are those found in a recording, with the placeholders that stand for them.
type secrets struct {
	names map[string]string
	taken int               // the highest number of a placeholder
	plain map[labelled]bool // texts in which nothing can be a secret
}

// maxPlain bounds the texts that are remembered as plain, each with the name of its field.
const maxPlain = 10_000

// survey notes the placeholders of an earlier redaction, and the texts that are plain, and changes nothing that is a secret. Most
// texts are plain, and many occur in each exchange: those are looked at once.
func (s *secrets) survey(name, text string) string {
	if s.plain[labelled{name, text}] {
		return text
	}
	found := false
	changed := inField(name, text, func(secret string) string {
		found = true
		return s.reserve(secret)
	})
	if !found && changed == text && len(s.plain) < maxPlain && !mayShow(strings.ToLower(text)) {
		s.plain[labelled{name, text}] = true
	}
	return changed
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
	if placeholder.MatchString(secret) {
		return secret
	}
	if s.names[secret] == "" {
		s.taken++
		s.names[secret] = "REDACTED-" + strconv.Itoa(s.taken)
	}
	return s.names[secret]
}

// add notes a secret that is known.
func (s *secrets) add(secret string) {
	if secret = strings.TrimSpace(secret); isCWT(secret) {
		secret = secret[len(kind):]
	}
	if secret != "" && !isPseudonym(secret) {
		s.name(secret)
	}
}

// collect notes the secrets that show themselves in a text without a name of their own beside them: the password of Basic, JSON
// web tokens, and what stands in the header of a part of a batch.
func (s *secrets) collect(field, text string) {
	lower := strings.ToLower(text)
	if strings.HasPrefix(lower, "basic ") && strings.HasSuffix(strings.ToLower(field), "authorization") {
		if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text[len("basic "):])); err == nil {
			_, password, _ := strings.Cut(string(raw), ":")
			s.add(password)
		}
	}
	if !mayShow(lower) {
		return
	}
	e := expressions()
	for _, v := range bareView(text).layers() {
		for _, m := range e.headerLine.FindAllStringSubmatch(v.text, -1) {
			for _, secret := range m[1:] {
				if len(secret) >= 4 {
					s.add(secret)
				}
			}
			s.collect("authorization", strings.TrimSpace(m[0][strings.Index(m[0], ":")+1:]))
		}
		for _, token := range e.jwt.FindAllString(v.text, -1) {
			s.add(token)
		}
	}
}

// mayShow tells whether a text, in lower case, can have what collect notes.
func mayShow(lower string) bool {
	return strings.Contains(lower, "basic ") || strings.Contains(lower, "eyj") || strings.Contains(lower, "authorization") || strings.Contains(lower, "cookie")
}

// putInto has all secrets looked for everywhere.
func (s *secrets) putInto(h *hider) {
	for _, secret := range slices.Sorted(maps.Keys(s.names)) {
		h.putSecret(secret, s.names[secret])
	}
}

// inField replaces the secrets in a text until there are none: what one hides can be seen once it is gone. The text
// may be the value of a field with that name, in a header or a form.
func inField(name, text string, replace func(string) string) string {
	for {
		replaced := inFieldOnce(name, text, replace)
		if replaced == text {
			return text
		}
		text = replaced
	}
}

func inFieldOnce(name, value string, replace func(string) string) string {
	switch http.CanonicalHeaderKey(name) {
	case "Authorization", "Proxy-Authorization":
		if scheme, credentials, ok := strings.Cut(value, " "); ok {
			value = scheme + " " + token(credentials, replace)
		} else {
			value = token(value, replace)
		}
	case "Cookie":
		pairs := strings.Split(value, ";")
		for i, pair := range pairs {
			pairs[i] = cookie(pair, replace)
		}
		value = strings.Join(pairs, ";")
	case "Set-Cookie":
		pair, _, _ := strings.Cut(value, ";")
		value = cookie(pair, replace) + value[len(pair):]
	default:
		if secretName(name) {
			value = token(value, replace)
		}
	}
	return inText(value, replace)
}

func cookie(pair string, replace func(string) string) string {
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		return token(pair, replace)
	}
	return name + "=" + encoded(value, decodePath, replace)
}

// kind is how UCWA's own tokens, compact web tickets, begin.
const kind = "cwt="

// token replaces a token, but for the "cwt=" that shows its kind.
func token(value string, replace func(string) string) string {
	secret, prefix := strings.TrimSpace(value), ""
	if isCWT(secret) {
		prefix, secret = secret[:len(kind)], secret[len(kind):]
	}
	if secret == "" {
		return value
	}
	if replaced := replace(secret); replaced != secret {
		return prefix + replaced
	}
	return value
}

// isCWT tells whether a text is such a token.
func isCWT(text string) bool {
	return len(text) > len(kind) && strings.EqualFold(text[:len(kind)], kind)
}

// encoded replaces a token that stands in an encoding. So it gets the name that it has elsewhere.
func encoded(value string, decode func(string) string, replace func(string) string) string {
	raw := decode(value)
	if replaced := token(raw, replace); replaced != raw {
		return replaced
	}
	return value
}

// secretWords end the names of what is secret: of fields in headers and forms, of members in JSON, of elements in XML.
// ms_rtc_renew is UCWA's; wresult and SAMLResponse carry what a sign-on on a web page gives.
var secretWords = []string{"token", "ticket", "secret", "assertion", "password", "passwd", "pwd", "ms_rtc_renew", "wresult", "samlresponse"}

// secretName tells whether the value of a header, form field, query parameter or JSON member of this name is a secret.
func secretName(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.HasSuffix(name, word) })
}

// signs are what a text must have for the patterns that look for it: most texts have none, and the patterns are slow.
type signs struct {
	word     bool // a secret word
	member   bool // one that ends the name of a JSON member with a text
	assigned bool // one before "="
	kind     bool // "cwt"
}

func (s signs) none() bool { return !s.word && !s.kind }

// signsIn returns the signs in a text, in any casing.
func signsIn(text string) (s signs) {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf { // some other letters are, in another casing, ASCII
			lower := strings.ToLower(text)
			some := strings.Contains(lower, "cwt") || slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(lower, word) })
			return signs{some, some, some, some}
		}
	}
	for i := 0; i+2 < len(text); i++ {
		for _, word := range wordsFrom[text[i]|' '] {
			end := i + len(word)
			if text[i+1]|' ' != word[1] || end > len(text) || !strings.EqualFold(text[i:end], word) {
				continue
			}
			if word == "cwt" {
				s.kind = true
				continue
			}
			s.word = true
			s.member = s.member || textFollows(text[end:])
			s.assigned = s.assigned || end < len(text) && text[end] == '='
		}
	}
	return s
}

// textFollows tells whether a JSON member whose name ends here has a text as its value.
func textFollows(rest string) bool {
	const space = "\t\n\f\r "
	rest, named := strings.CutPrefix(rest, `"`)
	rest, valued := strings.CutPrefix(strings.TrimLeft(rest, space), ":")
	return named && valued && strings.HasPrefix(strings.TrimLeft(rest, space), `"`)
}

// wordsFrom are the words that are signs, by their first letter.
var wordsFrom = func() (from [256][]string) {
	for _, word := range append([]string{"cwt"}, secretWords...) {
		from[word[0]] = append(from[word[0]], word)
	}
	return from
}()

// pattern finds secrets in a text: each is the first group of a match, in an encoding that is that of its surroundings.
type pattern struct {
	*regexp.Regexp
	decode func(string) string
}

func find(expression string, decode func(string) string) pattern {
	return pattern{regexp.MustCompile(strings.ReplaceAll(expression, "NAME", `[\w.-]*(?:`+strings.Join(secretWords, "|")+`)`)), decode}
}

var (
	inMember = find(`(?i)"NAME"\s*:\s*"((?:[^"\\]|\\.)*)`, unquote)
	inLogin  = find(`://[^/?#@:\s"<>]*:([^/?#\s"<>]*)@`, decodeQuery)
	inMarkup = []pattern{ // those that know a secret by its surroundings first: they know where it ends
		find(`(?is)<(?:[\w.-]+:)?assertion(?:\s(?:[^<>]*[^<>/])?)?>(.*?)</(?:[\w.-]+:)?assertion\s*>`, html.UnescapeString),
		find(`(?i)<(?:[\w.-]+:)?NAME(?:\s(?:[^<>]*[^<>/])?)?>([^<]+)`, html.UnescapeString),
		find(`(?i)<property\s[^<>]*\bname\s*=\s*["']NAME["'][^<>]*>([^<]+)`, html.UnescapeString),
		find(`(?i)<input\s[^<>]*\bname\s*=\s*["']NAME["'][^<>]*\bvalue\s*=\s*["']([^<>"']*)`, html.UnescapeString),
	}
	inPair     = find(`(?i)(?:^|[?&#;,\s])NAME=((?:[^&#\s"<>]*[^&#\s"<>',;.)])?)`, decodeValue)
	inTicket   = find(`(?i)cwt(?:_\w+)?(?:=|%(?:25){0,2}3d)((?:[\w+/=~.-]|\\/|%(?:25){0,2}(?:2[bdef]|3d|5f|7e))*(?:[\w+/=~-]|%(?:25){0,2}(?:2[bdf]|3d|5f|7e)))`, decodeToken)
	withEscape = regexp.MustCompile(`"(?:[^"\\]*\\.)+[^"\\]*"`)
)

// inText replaces the secrets in a body, a URL or any other text.
func inText(text string, replace func(string) string) string {
	s := signsIn(text)
	if s.none() && !strings.Contains(text, "@") {
		return text
	}
	if s.member {
		text = inMember.replace(text, replace)
	}
	if !strings.Contains(text, `\`) {
		return inPlain(text, replace)
	}
	// Behind the escapes of a JSON string there can be another JSON text, or a URL with \/ and \u0026.
	var b strings.Builder
	end := 0
	for _, at := range withEscape.FindAllStringIndex(text, -1) {
		quoted := text[at[0]+1 : at[1]-1]
		raw := unquote(quoted)
		if raw == quoted {
			continue // not JSON after all
		}
		if replaced := inText(raw, replace); replaced != raw {
			quoted = quote(replaced)
		}
		b.WriteString(inPlain(text[end:at[0]], replace) + `"` + quoted + `"`)
		end = at[1]
	}
	return b.String() + inPlain(text[end:], replace)
}

// inPlain replaces the secrets in a text without escapes.
func inPlain(text string, replace func(string) string) string {
	s := signsIn(text)
	if s.word {
		for _, p := range inMarkup {
			text = p.replace(text, replace)
		}
	}
	if s.assigned {
		text = inPair.replace(text, replace)
	}
	text = inLogin.replace(text, replace)
	if s.kind {
		text = inTicket.replace(text, replace)
	}
	return text
}

// replace replaces what the pattern finds.
func (p pattern) replace(text string, replace func(string) string) string {
	found := p.FindAllStringSubmatchIndex(text, -1)
	if found == nil {
		return text
	}
	var b strings.Builder
	end := 0
	for _, m := range found {
		b.WriteString(text[end:m[2]])
		b.WriteString(encoded(text[m[2]:m[3]], p.decode, replace))
		end = m[3]
	}
	return b.String() + text[end:]
}

func quote(s string) string {
	quoted, _ := json.Marshal(s) // a string always has a JSON form
	return string(quoted[1 : len(quoted)-1])
}

func unquote(quoted string) string {
	var raw string
	if json.Unmarshal([]byte(`"`+quoted+`"`), &raw) != nil {
		return quoted
	}
	return raw
}

func decodePath(s string) string {
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	return s
}

// decodeValue decodes a value of a query or a form. Of a token that was put there as it is, a "+" is no space.
func decodeValue(s string) string {
	if token := decodePath(s); isCWT(token) {
		return token
	}
	return decodeQuery(s)
}

// decodeToken undoes also what was encoded up to three times, as in a URL within a URL. A token has neither "%" nor "\".
func decodeToken(s string) string {
	s = strings.ReplaceAll(s, `\/`, "/")
	for range 3 {
		s = decodePath(s)
	}
	return s
}

// hideSecrets is for messages: it shows that there is a secret, and not which.
func hideSecrets(text string) string {
	return inText(text, func(secret string) string {
		if isPseudonym(secret) {
			return secret
		}
		return "REDACTED"
	})
}
