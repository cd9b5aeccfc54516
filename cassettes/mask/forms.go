package mask

import (
	"net"
	neturl "net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

// identity returns what stands for a word of a name, an address or an id.
func (m *Masker) identity(prefix string) func(word string) string {
	if m.keeps != Nothing {
		return func(word string) string { return word }
	}
	return func(word string) string {
		if isGUID(word) {
			return m.guid(word)
		}
		return m.word(prefix, word)
	}
}

// keeping replaces the words of a text but those that are known.
func (m *Masker) keeping(s, prefix string, known func(word string) bool) string {
	stand := m.identity(prefix)
	return words(s, func(word string) string {
		if known(word) {
			return word
		}
		return stand(word)
	})
}

// longest bounds the value of an identity that is looked into, in bytes. A longer one is masked whole.
const longest = 8 << 10

// longWord is how long an id or a name may be that gets a pseudonym. The bounds of the API reference are longer, or as long.
const longWord = 50

// member masks the text of a member, a parameter or an element of a form.
func (m *Masker) member(name, s string) string {
	return m.value(vocabulary().kindOf(name), vocabulary().mixed[strings.ToLower(name)], s)
}

// malformed masks what cannot be read: its letters go, what is wrong with it stays.
func (m *Masker) malformed(s string) string {
	if m.keeps == AllButSecret {
		return m.tickets(s)
	}
	return crossed(s)
}

// value masks a text of a kind; mixed tells whether it may be a word of the protocol all the same.
func (m *Masker) value(k kind, mixed bool, s string) string {
	if m.keeps != Nothing && k != free && !k.credential() {
		s = m.tickets(s)
	}
	switch {
	case strings.TrimSpace(s) == "":
		return s
	case k == secret:
		return m.password(s)
	case k == token:
		return m.ticket(s)
	case isMask(s): // of what was too long
		return m.text(s)
	case len(s) > longest || utf8.RuneCountInString(s) > longWord && (k == id || k == name || k == phone) && m.keeps == Nothing && !ofPseudonyms(s): // too long for the bounds of the API reference
		return m.text(s)
	case mixed && vocabulary().isWord(s):
		return s
	}
	switch k {
	case number:
		if n := strings.TrimPrefix(s, "-"); digits(n) && len(n) <= 7 {
			return s
		}
	case date, span: // expirationTime is either
		if isDate(s) || isSpan(s) {
			return s
		}
	case culture:
		if isCulture(strings.ReplaceAll(s, "_", "-")) {
			return s
		}
		if !aTag.MatchString(s) { // which is wrong with it
			return crossed(s)
		}
	case link:
		return m.url(s)
	case host:
		return m.host(s)
	case account:
		return m.account(s)
	case phone:
		return m.phone(s)
	case name:
		return m.name(s)
	case id:
		return m.id(s)
	case agent:
		return m.agent(s)
	}
	return m.text(s)
}

// text masks a text of which nothing is known. A word of the protocol stays, and what stands in a text that is JSON itself.
func (m *Masker) text(s string) string {
	v := vocabulary()
	trimmed := strings.TrimSpace(s)
	switch {
	case trimmed == "" || v.isWord(trimmed):
		return s
	case redacted.MatchString(trimmed): // what another name showed to be one
		return m.ticket(s)
	case isGUID(trimmed) && m.keeps == Nothing:
		return strings.Replace(s, trimmed, m.guid(trimmed), 1)
	case isNested(s):
		return m.json(s, 1)
	case m.keeps == AllButSecret:
		return m.tickets(s)
	}
	return m.opaque(s)
}

// ofPseudonyms tells whether every word of a text is a pseudonym; such a text may be longer than longWord.
func ofPseudonyms(s string) bool {
	all := true
	words(s, func(word string) string {
		lower := strings.ToLower(word)
		all = all && (isPseudonym(unsuffixed(lower)) || strings.HasPrefix(strings.ReplaceAll(lower, "-", ""), ownGUIDs))
		return word
	})
	return all
}

// redacted matches a placeholder that stands for a secret.
var redacted = regexp.MustCompile(`^(?:cwt=)?REDACTED(?:-\d{1,6})?$`)

func (m *Masker) user(s string) string { return words(s, m.identity("user")) }

func (m *Masker) name(s string) string { return words(s, m.identity("name")) }

func (m *Masker) id(s string) string { return words(s, m.identity("id")) }

func (m *Masker) phone(s string) string {
	scheme, rest := schemeOf(s)
	if scheme != "tel" {
		rest = s
	}
	return s[:len(s)-len(rest)] + m.keeping(rest, "phone", ofSIP)
}

// ofSIP tells whether a word belongs to the parameters of SIP URIs.
func ofSIP(word string) bool { return vocabulary().sip[strings.ToLower(word)] }

// schemeOf splits a URI. The scheme is in lower case, empty if there is none.
func schemeOf(s string) (scheme, rest string) {
	before, rest, ok := strings.Cut(s, ":")
	if !ok || before == "" || strings.ContainsFunc(before, func(r rune) bool {
		return r >= utf8.RuneSelf || !alphanumeric(byte(r)) && !strings.ContainsRune("+-.", r)
	}) {
		return "", s
	}
	return strings.ToLower(before), rest
}

// account masks the address of a user: sip:user@host;parameters, user@host, DOMAIN\user, user.
func (m *Masker) account(s string) string {
	scheme, rest := schemeOf(s)
	begin := s[:len(s)-len(rest)]
	switch scheme {
	case "sip", "sips", "mailto", "":
	case "tel":
		return m.phone(s)
	case "http", "https", "data":
		return m.url(s)
	default:
		begin, rest = "", s
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		if coded := strings.LastIndex(rest, "%40"); coded >= 0 {
			return begin + m.user(rest[:coded]) + rest[coded:coded+3] + m.authority(rest[coded+3:])
		}
		return begin + m.user(rest)
	}
	return begin + m.user(rest[:at]) + "@" + m.authority(rest[at+1:])
}

// authority masks a host and what stands behind it in the URI of a user.
func (m *Masker) authority(s string) string {
	end := strings.IndexAny(s, ";?,> ")
	if end < 0 {
		return m.host(s)
	}
	return m.host(s[:end]) + m.keeping(s[end:], "id", ofSIP)
}

// url masks a URL or a reference to one.
func (m *Masker) url(s string) string {
	if m.keeps != AllButSecret && (len(s) > longest || len(s) == longest && isMask(s)) {
		return m.text(s)
	}
	if m.keeps != Nothing {
		s = m.tickets(s)
	}
	scheme, rest := schemeOf(s)
	begin := s[:len(s)-len(rest)]
	switch scheme {
	case "http", "https", "":
	case "sip", "sips", "mailto", "tel":
		return m.account(s)
	case "data":
		return begin + m.text(rest)
	case "urn":
		return m.id(s)
	default: // an unknown scheme, or host:port
		begin = words(s[:len(scheme)], m.identity("id")) + ":"
	}
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		end := strings.IndexAny(after, `/?#\`)
		if end < 0 {
			end = len(after)
		}
		authority := after[:end]
		begin += "//"
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			user, password, ok := strings.Cut(authority[:at], ":")
			begin += m.user(user)
			if ok {
				begin += ":" + m.password(password)
			}
			begin += "@"
			authority = authority[at+1:]
		}
		begin, rest = begin+m.host(authority), after[end:]
	}
	rest, fragment, fragmented := strings.Cut(rest, "#")
	path, query, queried := strings.Cut(rest, "?")
	begin += m.path(path)
	if queried {
		begin += "?" + m.query(query)
	}
	if fragmented {
		if strings.Contains(fragment, "=") { // what a sign-in on a web page gives
			fragment = m.query(fragment)
		} else {
			fragment = m.segment(fragment)
		}
		begin += "#" + fragment
	}
	return begin
}

// path masks the path of a URL: words of the protocol stay.
func (m *Masker) path(s string) string {
	segments := strings.Split(s, "/")
	for i, segment := range segments {
		before, parameter, ok := strings.Cut(segment, ";")
		switch {
		case ok && strings.Contains(parameter, "=") && !strings.Contains(before, ":"):
			segments[i] = m.segment(before) + ";" + m.query(parameter)
		case strings.Contains(segment, "@") || strings.Contains(segment, "%40"):
			segments[i] = m.account(segment)
		default:
			segments[i] = m.segment(segment)
		}
	}
	return strings.Join(segments, "/")
}

func (m *Masker) segment(s string) string { return m.keeping(s, "id", vocabulary().isWord) }

// query masks the query of a URL, or a form: names of the protocol stay, and values by their names. What cannot be decoded
// keeps only its signs.
func (m *Masker) query(s string) string {
	var b strings.Builder
	for i, pair := range strings.Split(s, "&") {
		if i > 0 {
			b.WriteByte('&')
		}
		key, value, ok := strings.Cut(pair, "=")
		plain, _ := unescaped(key)
		b.WriteString(m.memberName(plain, key))
		if !ok {
			continue
		}
		b.WriteByte('=')
		decoded, valid := unescaped(value)
		if !valid && !vocabulary().kindOf(plain).credential() {
			b.WriteString(m.malformed(value))
			continue
		}
		if masked := m.member(plain, decoded); masked == decoded {
			b.WriteString(value)
		} else {
			b.WriteString(neturl.QueryEscape(masked))
		}
	}
	return b.String()
}

// unescaped decodes a value of a query, and tells whether all its codes are valid.
func unescaped(s string) (string, bool) {
	if !strings.ContainsAny(s, "%+") {
		return s, true
	}
	b := make([]byte, 0, len(s))
	valid := true
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+' && !strings.HasPrefix(s, "cwt="):
			b = append(b, ' ')
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			valid = valid && s[i] != '%'
			b = append(b, s[i])
		}
	}
	return string(b), valid
}

// memberName returns the name of a member or a parameter if the protocol knows it, or its words, as it is written; else what
// stands for it.
func (m *Masker) memberName(plain, written string) string {
	if m.keeps == AllButSecret || strings.TrimSpace(plain) == "" || vocabulary().isName(plain) {
		return written
	}
	if len(plain) > longest {
		return m.opaque(plain)
	}
	return words(plain, func(word string) string {
		if vocabulary().isName(word) {
			return word
		}
		return m.word("member", word)
	})
}

// reserved ends the names of masked hosts: no real host can have it (RFC 2606).
const reserved = ".example.invalid"

// host masks the name of a host, with or without a port: label by label, so that a domain is still that of its hosts. What is no
// name keeps its signs.
func (m *Masker) host(s string) string {
	if m.keeps != Nothing || s == "" {
		return s
	}
	if len(s) > longest {
		return m.text(s)
	}
	if dot := s[:len(s)-len(strings.TrimLeft(s, "."))]; dot != "" { // of the domain of a cookie
		return dot + m.host(s[len(dot):])
	}
	name, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && (strings.Count(s, ":") == 1 || strings.HasPrefix(s, "[")) && !strings.HasSuffix(s, "]") {
		if name, port = s[:i], s[i:]; len(port) > 1 && (len(port) > 6 || !digits(port[1:])) {
			port = ":" + words(port[1:], m.identity("host"))
		}
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if ip := net.ParseIP(bare); ip != nil {
		if ip.IsLoopback() {
			return s
		}
		return m.word("host", bare) + reserved + port
	}
	whole := name
	name = strings.TrimSuffix(name, ".")
	port = whole[len(name):] + port
	lower := asciiLower(name)
	if bare, ok := strings.CutSuffix(lower, reserved); ok {
		return words(name[:len(bare)], m.label) + name[len(bare):] + port
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(lower); err == nil && strings.Contains(domain, ".") && isHostName(lower) {
		at := len(name) - len(domain)
		return words(name[:at], m.label) + m.word("host", name[at:]) + reserved + port
	}
	return words(name, m.label) + port
}

// label masks a label of a host.
func (m *Masker) label(word string) string {
	if vocabulary().hosts[strings.ToLower(word)] {
		return word
	}
	return m.word("host", word)
}

func isHostName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool { return r < utf8.RuneSelf && !inWord(byte(r)) }) {
			return false
		}
	}
	return len(s) < 254
}

// agent keeps what this suite calls itself, and programs of which all words are known.
func (m *Masker) agent(s string) string {
	v := vocabulary()
	if g := ownAgent.FindStringSubmatch(s); g != nil && (g[1] == "" || v.isMark(g[1])) {
		return s
	}
	if m.keeps != Nothing || isMask(s) {
		return s
	}
	if len(s) < 200 && onlyListed(s) == s && strings.ContainsFunc(s, unicode.IsLetter) {
		return s
	}
	if !alphanumeric(s[0]) { // which no product is
		return crossed(s)
	}
	return m.opaque(s)
}

var ownAgent = regexp.MustCompile(`^conform(?:/\d{1,4}(?:\.\d{1,4}){0,2})?(?: \(probe ([A-Za-z-]+)\))?$`)

// These are kept only where a date, a culture or a duration is expected.
var (
	jsonDate = regexp.MustCompile(`^/Date\((?:12[6-9]|1[3-9]\d|[23]\d\d)\d{10}\)/$`)
	isoDate  = regexp.MustCompile(`^20\d\d-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?(?:Z|[+-]\d\d:?\d\d)?$|^20\d\d-\d\d-\d\d$`)
	aTag     = regexp.MustCompile(`^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$`)
	isoSpan  = regexp.MustCompile(`^P(?:\d{1,3}D)?(?:T(?:\d{1,3}H)?(?:\d{1,3}M)?(?:\d{1,3}(?:\.\d{1,3})?S)?)?$|^(?:\d{1,3}\.)?\d\d:\d\d:\d\d$`)
)

func isDate(s string) bool {
	if jsonDate.MatchString(s) || isoDate.MatchString(s) {
		return true
	}
	for _, layout := range []string{"Mon, 02 Jan 2006 15:04:05 GMT", time.RFC850, time.ANSIC} {
		if t, err := time.Parse(layout, s); err == nil && t.Format(layout) == s {
			return true
		}
	}
	return s == "0" || s == "-1"
}

func isSpan(s string) bool { return len(s) > 1 && isoSpan.MatchString(s) }

// isCulture tells whether a text is a language, with a script and a region or without.
func isCulture(s string) bool {
	v := vocabulary()
	parts := strings.Split(strings.ToLower(s), "-")
	if !v.languages[parts[0]] || len(parts) > 3 {
		return false
	}
	rest := parts[1:]
	if len(rest) > 0 && v.scripts[rest[0]] {
		rest = rest[1:]
	}
	return len(rest) == 0 || len(rest) == 1 && v.regions[rest[0]]
}

// ticket masks a token, but for the "cwt=" that shows its kind.
func (m *Masker) ticket(s string) string {
	plain := strings.TrimSpace(s)
	const kind = "cwt="
	if len(plain) > len(kind) && strings.EqualFold(plain[:len(kind)], kind) {
		return strings.Replace(s, plain, plain[:len(kind)]+m.credential(plain[len(kind):]), 1)
	}
	return strings.Replace(s, plain, m.credential(plain), 1)
}

// tickets masks the tokens that show themselves in a text.
func (m *Masker) tickets(s string) string {
	return inText.ReplaceAllStringFunc(s, func(found string) string {
		lower := strings.ToLower(found)
		switch {
		case strings.HasPrefix(lower, "cwt%"):
			return found[:len("cwt%3d")] + m.credential(found[len("cwt%3d"):])
		case strings.HasPrefix(lower, "bearer "):
			return found[:len("bearer ")] + m.ticket(found[len("bearer "):])
		}
		return m.ticket(found)
	})
}

// inText finds tokens, but for those that were masked.
var inText = regexp.MustCompile(`(?i)cwt(?:=|%3d)[\w+/=.~%-]+|\bbearer [\w+/=.~-]{8,}|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*`)
