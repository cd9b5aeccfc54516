package mask

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// Body masks a body according to its form: JSON, UCWA's XML, a form, several parts, HTML or text. The media type counts only where the body does not show
// the form.
func (m *Masker) Body(contentType, s string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.body(contentType, s, 0)
}

// deepest is how many levels of nested content are looked into.
const deepest = 4

func (m *Masker) body(contentType, s string, depth int) string {
	const mark = "\ufeff"
	rest := strings.TrimPrefix(s, mark)
	begin := s[:len(s)-len(rest)]
	trimmed := strings.TrimSpace(rest)
	if trimmed == "" {
		return s
	}
	medium, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	medium = strings.TrimSpace(medium)
	if boundary := boundaryOf(contentType); boundary != "" && depth < deepest {
		return begin + m.parts(boundary, rest, depth)
	}
	switch c := trimmed[0]; {
	case c == '{' || c == '[' || c == '"':
		return begin + m.json(rest, depth)
	case trimmed == "null" || trimmed == "true" || trimmed == "false":
		return s
	case medium == "application/x-www-form-urlencoded" || looksLikeForm.MatchString(trimmed):
		return begin + m.query(rest)
	case c == '<' && strings.Contains(trimmed[:min(len(trimmed), 4096)], api.XMLNamespace):
		if masked, is := m.xml(rest, depth); is {
			return begin + masked
		}
	}
	switch {
	case m.keeps == AllButSecret:
		return m.tickets(m.inMarkup(s))
	case markup.MatchString(trimmed[:min(len(trimmed), 1024)]):
		return begin + m.page(rest)
	}
	return begin + m.text(rest)
}

var (
	looksLikeForm = regexp.MustCompile(`^[\w.-]+=[^\s<>{}"]*(?:&[\w.-]+=[^\s<>{}"]*)*$`)
	markup        = regexp.MustCompile(`(?i)^<(?:!doctype html|html|head|body)\b`)
	maskedPage    = regexp.MustCompile(`^<html>text-\d{1,6}x*: ([\w ./]+), \d{1,9} bytes</html>$`)
	elements      = regexp.MustCompile(`(?is)<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>([^<]+)`)
)

// inMarkup masks the secrets in elements of XML.
func (m *Masker) inMarkup(s string) string {
	return elements.ReplaceAllStringFunc(s, func(element string) string {
		g := elements.FindStringSubmatchIndex(element)
		if vocabulary().kindOf(element[g[2]:g[3]]).credential() {
			return element[:g[4]] + m.password(element[g[4]:])
		}
		return element
	})
}

// page masks a page of HTML. It keeps what made the page, if that is known, and how long it is: see [Signature].
func (m *Masker) page(s string) string {
	if g := maskedPage.FindStringSubmatch(s); g != nil && (g[1] == unknownPage || signed(g[1])) {
		return s
	}
	signature := Signature(s)
	if signature == "" {
		signature = unknownPage
	}
	stands := strings.TrimRight(m.opaque(s), "xé.")
	return fmt.Sprintf("<html>%s: %s, %d bytes</html>", stands, signature, len(s))
}

const unknownPage = "a page"

// Signature tells what made a page of HTML, as in "IIS 404.0", "" if that is not known. It says so of a page that was masked, too.
func Signature(s string) string {
	if g := maskedPage.FindStringSubmatch(s); g != nil {
		if !signed(g[1]) {
			return ""
		}
		return g[1]
	}
	head := s[:min(len(s), 8<<10)]
	for _, sign := range signatures() {
		if g := sign.sign.FindStringSubmatch(head); g != nil {
			if len(g) > 1 && signed(sign.says+" "+g[1]) {
				return sign.says + " " + g[1]
			}
			return sign.says
		}
	}
	return ""
}

// signature is what shows what made a page.
type signature struct {
	sign *regexp.Regexp
	says string
}

// signatures are those of the pages with which front ends answer.
var signatures = sync.OnceValue(func() []signature {
	return []signature{
		{regexp.MustCompile(`(?i)HTTP Error (\d{3}(?:\.\d{1,2})?)[ -]`), "IIS"},
		{regexp.MustCompile(`(?i)<title>\s*(\d{3}) - [^<]*</title>[\s\S]*server error|internet information services`), "IIS"},
		{regexp.MustCompile(`(?i)<hr><p>HTTP Error (\d{3})\.|<h2>[^<]*</h2>\s*<hr>\s*<p>HTTP Error`), "HTTP.sys"},
		{regexp.MustCompile(`(?i)Server Error in '|ASP\.NET is configured|aspnet_client`), "ASP.NET error page"},
		{regexp.MustCompile(`(?i)Application Request Routing|502 - Web server received an invalid response`), "ARR"},
		{regexp.MustCompile(`(?i)<center>nginx`), "nginx"},
		{regexp.MustCompile(`(?i)type\s?=\s?["']?password`), "a sign-in page"},
	}
})

// signed tells whether a text is one of the signatures, with a status of HTTP or one of IIS behind it or without.
func signed(text string) bool {
	for _, s := range signatures() {
		if rest, ok := strings.CutPrefix(text, s.says); ok && (rest == "" || statusBehind.MatchString(rest)) {
			return true
		}
	}
	return false
}

var statusBehind = regexp.MustCompile(`^ [45]\d\d(?:\.\d{1,2})?$`)

// parts masks a multipart body. Each part is an HTTP message, or header fields followed by a body.
func (m *Masker) parts(boundary, s string, depth int) string {
	list := strings.Split(s, "--"+boundary)
	stands := m.id(boundary)
	for i, part := range list {
		if i == 0 {
			list[i] = m.malformed(part)
			continue
		}
		if strings.HasPrefix(part, "--") { // the end
			list[i] = "--" + m.malformed(part[2:])
			continue
		}
		list[i] = m.part(part, depth)
	}
	return strings.Join(list, "--"+stands)
}

// part masks one part: its header, then the message or the body in it.
func (m *Masker) part(s string, depth int) string {
	rest := strings.TrimLeft(s, "\r\n")
	b := strings.Builder{}
	b.WriteString(s[:len(s)-len(rest)])
	header, body := rest, ""
	if at := emptyLine.FindStringIndex(rest); at != nil {
		header, body = rest[:at[1]], rest[at[1]:]
	}
	contentType := ""
	shift := -1 // where the length stands in what was written
	length := ""
	first := true
	for line := range strings.Lines(header) {
		bare := strings.TrimRight(line, "\r\n")
		end := line[len(bare):]
		key, value, ok := strings.Cut(bare, ":")
		switch {
		case strings.TrimSpace(bare) == "":
			b.WriteString(bare)
		case first && !headerLine.MatchString(bare):
			b.WriteString(m.startLine(bare))
		case !ok:
			b.WriteString(crossed(bare))
		default:
			if strings.EqualFold(strings.TrimSpace(key), "content-type") {
				contentType = strings.TrimSpace(value)
			}
			lead := value[:len(value)-len(strings.TrimLeft(value, " \t"))]
			value = value[len(lead):]
			b.WriteString(m.headerName(key) + ":" + lead)
			if strings.EqualFold(key, "content-length") && digits(value) {
				length, shift = value, b.Len()
			} else {
				b.WriteString(m.header(strings.TrimSpace(key), value))
			}
		}
		b.WriteString(end)
		first = false
	}
	var masked string
	switch inner := strings.TrimLeft(body, "\r\n"); {
	case startLine.MatchString(inner) && depth < deepest:
		masked = m.part(body, depth+1)
	default:
		tail := strings.TrimRight(body, "\r\n")
		masked = m.body(contentType, tail, depth+1) + body[len(tail):]
	}
	head := b.String()
	if shift >= 0 {
		head = head[:shift] + shifted(length, len(masked)-len(body)) + head[shift:]
	}
	return head + masked
}

var (
	emptyLine  = regexp.MustCompile(`\r?\n\r?\n`)
	headerLine = regexp.MustCompile(`^[!#$%&'*+.^_|~0-9A-Za-z-]+:`)
	startLine  = regexp.MustCompile(`^(?:HTTP/\d|[A-Za-z]{3,10} [^\r\n]* HTTP/\d)`)
)

// startLine masks the first line of a message.
func (m *Masker) startLine(s string) string {
	fields := strings.SplitN(s, " ", 3)
	if strings.HasPrefix(s, "HTTP/") {
		if !protocol.MatchString(fields[0]) {
			fields[0] = crossed(fields[0])
		}
		if len(fields) > 1 && (!digits(fields[1]) || len(fields[1]) != 3) {
			fields[1] = crossed(fields[1])
		}
		if len(fields) > 2 && !isPhrase(fields[1], fields[2]) {
			fields[2] = crossed(fields[2])
		}
		return strings.Join(fields, " ")
	}
	fields[0] = m.method(fields[0])
	if len(fields) > 1 {
		fields[1] = m.url(fields[1])
	}
	if len(fields) > 2 && !protocol.MatchString(fields[2]) {
		fields[2] = crossed(fields[2])
	}
	return strings.Join(fields, " ")
}

var protocol = regexp.MustCompile(`^HTTP/\d(?:\.\d)?$`)

// json masks a text of JSON. It is no parser: what is malformed stays so, as do order, names that occur twice, and the casing of
// names.
func (m *Masker) json(s string, depth int) string {
	v := vocabulary()
	type level struct {
		array bool
		name  string // of the member at hand, or of the one whose array it is
		of    string // the member in whose array the object stands

		secret bool // it stands in a credential
		key    bool // a name comes next
	}
	stack := []level{{}}
	beyond := 0 // levels that are not told apart any more
	var b strings.Builder
	b.Grow(len(s))
	value := true  // the grammar has a value here
	named := false // a name was there, and nothing behind it yet
	for i := 0; i < len(s); {
		top := &stack[len(stack)-1]
		switch c := s[i]; {
		case c == '{' || c == '[':
			inner := level{array: c == '[', key: c == '{', of: top.name, secret: top.secret || v.kindOf(top.name).credential()}
			if inner.array {
				inner.name = top.name
			}
			if len(stack) < 1000 {
				stack = append(stack, inner)
			} else {
				beyond++
			}
			value = c == '['
		case c == '}' || c == ']':
			if beyond > 0 {
				beyond--
			} else if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
			value = false
		case c == ',':
			top.key = !top.array && len(stack) > 1
			value = top.array
		case c == ':':
			value = top.key && named
			top.key, named = false, false
		case c == '"':
			end, closed := endOfString(s, i)
			literal := s[i:end]
			if !closed {
				b.WriteString(m.malformed(literal))
				return b.String()
			}
			plain, ok := decoded(literal)
			switch {
			case !ok:
				b.WriteString(m.malformed(literal))
				if top.key {
					top.name = ""
				}
			case top.secret && !top.key:
				b.WriteString(rewritten(literal, plain, m.ticket(plain)))
			case top.key:
				if top.name = plain; plain == "name" && top.of == "parameters" { // the name of a parameter that was refused
					top.name = ""
				}
				b.WriteString(rewritten(literal, plain, m.memberName(plain, plain)))
			default:
				b.WriteString(rewritten(literal, plain, m.inJSON(top.name, plain, depth)))
			}
			value, named = false, top.key
			i = end
			continue
		case c == '-' || '0' <= c && c <= '9':
			end := i + 1
			for end < len(s) && strings.IndexByte("+-.eE0123456789", s[end]) >= 0 {
				end++
			}
			numeral := s[i:end]
			k := v.kindOf(top.name)
			kept := value && !top.array && (k == number || k == date) && len(strings.TrimPrefix(numeral, "-")) <= 7 && !strings.ContainsAny(numeral, "eE+")
			hidden := k.credential() || top.secret
			if !hidden && (kept || m.keeps == AllButSecret || value && numeral == ownNumber) {
				b.WriteString(numeral)
			} else {
				b.WriteString(rounded(numeral))
			}
			value = false
			i = end
			continue
		default:
			end := i
			for end < len(s) && (alphanumeric(s[end]) || s[end] >= utf8.RuneSelf || s[end] == '_') {
				end++
			}
			if end == i { // a blank, or a sign
				break
			}
			if word := s[i:end]; word == "true" || word == "false" || word == "null" || m.keeps == AllButSecret {
				b.WriteString(word)
			} else {
				b.WriteString(crossed(word))
			}
			value = false
			i = end
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// rounded keeps of a number its length: the first digit becomes 1, the others 0.
func rounded(s string) string {
	if s == "0" {
		return s
	}
	b := []byte(s)
	first := byte('1')
	for i, c := range b {
		if '0' <= c && c <= '9' {
			b[i], first = first, '0'
		}
	}
	return string(b)
}

// inJSON masks the text of a member in JSON, and what is JSON in it.
func (m *Masker) inJSON(name, s string, depth int) string {
	v := vocabulary()
	k := v.kindOf(name)
	kept := m.keeps == AllButSecret && !k.credential() && k != link
	switch {
	case (kept || k == free) && isNested(s) && depth < deepest:
		return m.json(s, depth+1)
	case kept:
		return m.tickets(s)
	case k == free && depth >= deepest && !v.isWord(s):
		return m.opaque(s)
	}
	return m.member(name, s)
}

// isNested tells whether a text is JSON itself, and not too long to be looked into.
func isNested(s string) bool {
	t := strings.TrimSpace(s)
	return t != "" && (t[0] == '{' || t[0] == '[') && len(s) <= 64<<10
}

// endOfString returns where a string ends that begins at i, and whether it does.
func endOfString(s string, i int) (end int, closed bool) {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1, true
		}
	}
	return len(s), false
}

// decoded returns the text of a string of JSON, and whether that is well formed.
func decoded(literal string) (string, bool) {
	inner := literal[1 : len(literal)-1]
	if !utf8.ValidString(inner) {
		return "", false
	}
	if !strings.Contains(inner, `\`) {
		return inner, !strings.ContainsFunc(inner, func(r rune) bool { return r < ' ' })
	}
	var text string
	return text, json.Unmarshal([]byte(literal), &text) == nil && !lone(inner)
}

// lone tells whether there is half of a surrogate pair: what stands for it is no text, and not the same in all readers.
func lone(s string) bool {
	for i := 0; i+6 <= len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		if s[i+1] != 'u' {
			i++
			continue
		}
		r := fourHex(s[i+2 : i+6])
		i += 5
		if !utf16.IsSurrogate(r) {
			continue
		}
		if i+7 > len(s) || s[i+1] != '\\' || s[i+2] != 'u' || utf16.DecodeRune(r, fourHex(s[i+3:i+7])) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

func fourHex(s string) rune {
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		return 0
	}
	return rune(n)
}

// rewritten returns the JSON literal of a masked text; it is unchanged if the text is.
func rewritten(literal, was, is string) string {
	if was == is {
		return literal
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(strings.ToValidUTF8(is, "é")) != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// shifted returns a length moved by a difference, so that one that was wrong stays as wrong.
func shifted(length string, by int) string {
	n, err := strconv.ParseInt(length, 10, 64)
	if err != nil || by == 0 || n+int64(by) < 0 {
		return length
	}
	return strconv.FormatInt(n+int64(by), 10)
}
