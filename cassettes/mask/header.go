package mask

import (
	"mime"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
)

// form is how the value of a header field is written.
type form uint8

const (
	unlisted form = iota // a text
	media
	listed // words and bounded numbers
	length
	httpDate
	tag // an identifier
	address
	server
	credentials
	challenge
	cookie
	setCookie
	program
	diagnostics
	via
)

// headerName returns the name of a header field, or what stands for it if it is not known.
func (m *Masker) headerName(s string) string {
	v := vocabulary()
	if m.keeps == AllButSecret || v.headers[strings.ToLower(s)] != unlisted {
		return s
	}
	lower := strings.ToLower(s)
	if in(strings.Split(lower, "-"), v.listed, beginnings) {
		return s
	}
	if !isPseudonym(lower) {
		s = lower
	}
	return textproto.CanonicalMIMEHeaderKey(m.word("header", s))
}

// beginnings are those of the names of header fields that are no standard.
var beginnings = setOf("x ms")

// header masks the value of a header field.
func (m *Masker) header(name, s string) string {
	v := vocabulary()
	f := v.headers[strings.ToLower(name)]
	if strings.TrimSpace(s) == "" {
		return s
	}
	switch f {
	case credentials:
		return m.credentials(s)
	case cookie:
		return m.cookies(s)
	case setCookie:
		first, attributes, more := strings.Cut(s, ";")
		first = m.cookies(first)
		if !more {
			return first
		}
		return first + ";" + m.attributes(attributes)
	case challenge:
		return m.challenge(s)
	}
	if f == unlisted && v.kindOf(name).credential() {
		return m.ticket(s)
	}
	if f == address && m.keeps == AllButSecret {
		return m.url(s)
	}
	if m.keeps != Nothing {
		if s = m.tickets(s); m.keeps == AllButSecret {
			return s
		}
	}
	if len(s) > longest {
		return m.text(s)
	}
	switch f {
	case media:
		return m.media(s)
	case listed:
		if strings.HasSuffix(strings.ToLower(name), "version") && aVersion.MatchString(s) {
			return s
		}
		return onlyListed(s)
	case length:
		if n := strings.TrimSpace(s); digits(n) && len(n) <= 9 || isDate(n) {
			return s
		}
		return crossed(s)
	case httpDate:
		if isDate(s) {
			return s
		}
		return crossed(s)
	case tag:
		return m.id(s)
	case address:
		if s == "*" || s == "null" {
			return s
		}
		return m.url(s)
	case server:
		return m.host(s)
	case program:
		return m.agent(s)
	case diagnostics:
		return m.diagnostics(s)
	case via:
		version, rest, ok := strings.Cut(s, " ")
		if !ok {
			return onlyListed(s)
		}
		by, comment, _ := strings.Cut(rest, " ")
		if !aVersion.MatchString(version) {
			version = onlyListed(version)
		}
		return strings.TrimSpace(version + " " + m.host(by) + " " + onlyListed(comment))
	}
	return m.text(s)
}

var aVersion = regexp.MustCompile(`^(?:HTTP/)?\d{1,2}(?:\.\d{1,5}){0,2}$`)

// media masks a media type; its boundary is an identifier, the same as in the body.
func (m *Masker) media(s string) string {
	const key = "boundary="
	i := strings.Index(asciiLower(s), key)
	if i < 0 {
		return onlyListed(s)
	}
	boundary, rest, more := strings.Cut(s[i+len(key):], ";")
	masked := onlyListed(s[:i]) + s[i:i+len(key)] + m.id(boundary)
	if more {
		masked += ";" + onlyListed(rest)
	}
	return masked
}

// boundaryOf returns the boundary of a multipart body, "" if there is none.
func boundaryOf(contentType string) string {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return ""
	}
	return parameters["boundary"]
}

// onlyListed keeps the words that are known, and numbers only as the value of a parameter, as the version of a word that stays, or alone if
// they are 0 or 1.
func onlyListed(s string) string {
	v := vocabulary()
	last, versions := "", 0 // the word before, in lower case, if it stayed; and the numbers behind it
	end := 0
	return words(s, func(word string) string {
		lower := strings.ToLower(word)
		at := strings.Index(s[end:min(len(s), end+2*len(word)+64)], word) // it is the next word, if it is not in percent codes
		sign := byte(' ')
		if at >= 0 {
			if end += at; end > 0 {
				sign = s[end-1]
			}
			end += len(word)
		}
		switch {
		case v.listed[lower] || v.methods[lower] || v.named(word) && len(word) > 3 && sign == ' ':
			last, versions = lower, 0
			return word
		case digits(word):
			kept := (word == "0" || word == "1") && sign != '.' || v.numeric[last] && sign == '=' && len(word) <= 9 ||
				last != "" && (sign == '/' || sign == '.') && len(word) <= 5 && versions < 3
			if sign != '.' && sign != '/' {
				last = ""
			}
			if kept {
				versions++
				return word
			}
		default:
			if i := strings.LastIndexByte(lower, '-'); i > 0 && v.listed[lower[:i]] && v.listed[lower[i+1:]] {
				return word
			}
			last = ""
		}
		return crossed(word)
	})
}

func (m *Masker) credentials(s string) string {
	scheme, rest, ok := strings.Cut(s, " ")
	if !ok || !vocabulary().challenge[strings.ToLower(scheme)] {
		if m.keeps != AllButSecret && !ok && vocabulary().challenge[strings.ToLower(s)] {
			return s
		}
		return m.ticket(s)
	}
	if strings.EqualFold(scheme, "Basic") {
		m.guard.basic(rest)
	}
	return scheme + " " + m.ticket(rest)
}

func (m *Masker) cookies(s string) string {
	pairs := strings.Split(s, ";")
	for i, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			pairs[i] = strings.Replace(pair, strings.TrimSpace(pair), m.credential(strings.TrimSpace(pair)), 1)
			continue
		}
		pairs[i] = m.cookieName(key) + "=" + m.credential(value)
	}
	return strings.Join(pairs, ";")
}

func (m *Masker) cookieName(s string) string {
	return m.keeping(s, "id", func(word string) bool { return vocabulary().cookie[strings.ToLower(word)] })
}

// attributes masks those of a Set-Cookie.
func (m *Masker) attributes(s string) string {
	if m.keeps == AllButSecret {
		return s
	}
	list := strings.Split(s, ";")
	for i, attribute := range list {
		key, value, ok := strings.Cut(attribute, "=")
		if list[i] = m.cookieName(key); !ok {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "path":
			value = m.path(value)
		case "domain":
			value = m.host(value)
		case "expires":
			if !isDate(strings.ReplaceAll(value, "-", " ")) && !isDate(value) {
				value = crossed(value)
			}
		case "max-age":
			if !digits(value) || len(value) > 9 {
				value = crossed(value)
			}
		default:
			value = m.cookieName(value)
		}
		list[i] += "=" + value
	}
	return strings.Join(list, ";")
}

// challenge masks the value of a WWW-Authenticate: schemes and names of parameters stay, and values by their names.
func (m *Masker) challenge(s string) string {
	v := vocabulary()
	var b strings.Builder
	parameter := ""
	for i := 0; i < len(s); {
		if s[i] == '"' {
			end := strings.IndexByte(s[i+1:], '"')
			if end < 0 {
				end = len(s) - i - 1
			}
			b.WriteString(`"` + m.parameter(parameter, s[i+1:i+1+end]))
			if i += 1 + end; i < len(s) {
				b.WriteByte('"')
				i++
			}
			continue
		}
		if strings.IndexByte(" \t,=;", s[i]) >= 0 {
			b.WriteByte(s[i])
			i++
			continue
		}
		end := i
		for end < len(s) && strings.IndexByte(" \t,=;\"", s[end]) < 0 {
			end++
		}
		word := s[i:end]
		after := strings.TrimLeft(s[end:], "=")
		value := i > 0 && s[i-1] == '='
		switch {
		case v.challenge[strings.ToLower(word)] && !value:
			parameter = strings.ToLower(word)
			b.WriteString(word)
		case value:
			b.WriteString(m.parameter(parameter, word))
		case len(word) >= 16 || redacted.MatchString(word): // what NTLM and Kerberos send
			end = len(s) - len(after)
			b.WriteString(m.credential(s[i:end]))
		case m.keeps == AllButSecret:
			parameter = strings.ToLower(word)
			b.WriteString(word)
		default:
			parameter = ""
			b.WriteString(crossed(word))
		}
		i = end
	}
	return b.String()
}

// parameter masks the value of a parameter of a challenge.
func (m *Masker) parameter(key, s string) string {
	if m.keeps == AllButSecret {
		return m.tickets(s)
	}
	switch key {
	case "href", "authorization_uri", "resource":
		return m.url(s)
	case "grant_type", "error", "scope":
		parts := strings.Split(s, ",")
		for i, part := range parts {
			parts[i] = m.text(part)
		}
		return strings.Join(parts, ",")
	case "trusted_issuers", "realm":
		if m.keeps == Names {
			return s
		}
		return words(s, m.label)
	case "client_id":
		return m.id(s)
	case "charset":
		return onlyListed(s)
	}
	return m.text(s)
}

// diagnostics masks an X-Ms-diagnostics: 28020;source="host";reason="sentence". The number tells the meaning.
func (m *Masker) diagnostics(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(s, ";") {
		if i > 0 {
			b.WriteByte(';')
		}
		key, value, ok := strings.Cut(part, "=")
		bare := strings.Trim(value, `" `)
		switch trimmed := strings.TrimSpace(part); {
		case digits(trimmed) && len(trimmed) <= 5:
			b.WriteString(part)
		case !ok || bare == "":
			b.WriteString(crossed(part))
		case strings.EqualFold(strings.TrimSpace(key), "source"):
			b.WriteString(key + "=" + strings.Replace(value, bare, m.host(bare), 1))
		case strings.EqualFold(strings.TrimSpace(key), "reason"):
			if !slices.Contains(reasons, bare) {
				value = strings.Replace(value, bare, m.text(bare), 1)
			}
			b.WriteString(key + "=" + value)
		default:
			b.WriteString(crossed(part))
		}
	}
	return b.String()
}
