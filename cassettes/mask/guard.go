package mask

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

// guard is the second line: it searches all output for known secrets and for values that have pseudonyms. It encodes each of these in
// advance, and goes through a text once.
type guard struct {
	list     []pattern
	prepared int                // how many of them are in the next three
	begin    []bool             // by the hash of the first bytes
	from     map[string][]int   // by the first bytes in lower case: the lengths of what begins so, longest first
	forms    map[string]pattern // in lower case
	known    map[string]bool    // what is looked for already
	found    int

	identities, secrets int // how many are looked for that were met
}

// pattern is a text that is looked for.
type pattern struct {
	text, stands string
	byCaller     bool // who wants it hidden: to find it is no mistake
	identity     bool // it has a pseudonym
}

const (
	shortest  = 4     // characters of what is looked for, and the bytes by which it is found
	mostKnown = 1_000 // texts that are looked for, besides those that the caller names
	longText  = 64    // bytes of an identity
)

// secret has a credential looked for, unless it is a word of the protocol: that is masked where the protocol has it.
func (g *guard) secret(s string) {
	s = strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(s, "cwt="); ok {
		s = rest
	}
	if len(s) < shortest || isPseudonym(asciiLower(s)) || ordinary(s) {
		return
	}
	g.add(pattern{text: s[:min(len(s), 4<<10)], stands: secretStands})
}

// met is a secret that stood in what was masked.
func (g *guard) met(s string) {
	if g.secrets < mostKnown {
		g.secrets++
		g.secret(s)
	}
}

// basic has the password of Basic looked for.
func (g *guard) basic(s string) {
	if plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s)); err == nil {
		_, password, _ := strings.Cut(string(plain), ":")
		g.met(password)
	}
}

// identity has a word looked for that was given a pseudonym, if it can be nothing else: a host with a domain, a GUID, a number of seven
// digits and more.
func (g *guard) identity(s, stands string) {
	if isPseudonym(strings.ToLower(s)) || strings.HasPrefix(strings.ReplaceAll(s, "-", ""), ownGUIDs) {
		return // a placeholder that another masking may have made, too
	}
	if strings.Trim(s, "0") == "" || strings.Trim(s, "0") == "1" && s[0] == '1' {
		return // as numbers become that are not shown
	}
	if g.identities < mostKnown && len(s) < longText && (strings.Contains(s, ".") && len(s) >= 6 || isGUID(s) || digits(strings.TrimLeft(s, "+")) && len(s) >= 7) {
		g.identities++
		g.add(pattern{text: s, stands: stands, identity: true})
	}
}

// Ordinary tells whether a text is a word of the protocol, of dates or of pseudonyms: to replace it wherever it stands would change what
// recordings say.
func Ordinary(s string) bool {
	v, lower := vocabulary(), strings.ToLower(s)
	return v.isWord(s) || v.parts[lower] || ordinaryWords[lower]
}

// ordinary tells whether a text consists of words of the protocol, of dates and of our own texts: it would be found where it is none.
func ordinary(s string) bool {
	v := vocabulary()
	if v.isWord(s) {
		return true
	}
	parts := strings.FieldsFunc(asciiLower(s), func(r rune) bool { return r < utf8.RuneSelf && !alphanumeric(byte(r)) })
	parts = slices.DeleteFunc(parts, func(part string) bool { return digits(part) && len(part) <= 5 })
	return in(parts, v.words, v.parts, v.listed, v.challenge, v.languages, v.failures, ordinaryWords)
}

var ordinaryWords = setOf("mon tue wed thu fri sat sun jan feb mar apr may jun jul aug sep oct nov dec gmt http https example invalid redacted " +
	"host user name text member header word")

func (g *guard) add(p pattern) {
	key := fmt.Sprint(p.identity, p.text)
	if g.known[key] {
		return
	}
	if g.known == nil {
		g.known = map[string]bool{}
	}
	g.known[key] = true
	g.list = append(g.list, p)
}

// prepare encodes what came to be looked for. Of texts that begin alike the longer come first; secrets are known before identities.
func (g *guard) prepare() {
	if g.forms == nil {
		g.begin, g.from, g.forms = make([]bool, 1<<16), map[string][]int{}, map[string]pattern{}
	}
	for ; g.prepared < len(g.list); g.prepared++ {
		p := g.list[g.prepared]
		for _, form := range encodings(p.text) {
			form = asciiLower(form)
			if was := g.forms[form]; len(form) < shortest || was.stands != "" && (!was.identity || p.identity) {
				continue
			}
			g.forms[form] = p
			begin := form[:shortest]
			g.begin[hashOf(begin)] = true
			if at, found := slices.BinarySearchFunc(g.from[begin], len(form), func(n, length int) int { return cmp.Compare(length, n) }); !found {
				g.from[begin] = slices.Insert(g.from[begin], at, len(form))
			}
		}
	}
}

// encodings returns a text in each form in which it can stand somewhere.
func encodings(s string) []string {
	quoted, _ := json.Marshal(s) // a string always has a form
	once := url.QueryEscape(s)
	var percent, escaped, latin strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&percent, "%%%02x", s[i])
		latin.WriteRune(rune(s[i])) // what a reader takes UTF-8 for that thinks it is Latin-1
	}
	var little, big []byte
	for _, u := range utf16.Encode([]rune(s)) {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
		fmt.Fprintf(&escaped, `\u%04x`, u)
	}
	list := []string{s, once, url.QueryEscape(once), url.PathEscape(s), strings.ReplaceAll(once, "+", "%20"), percent.String(), strings.ReplaceAll(percent.String(), "%", "%25"),
		strings.NewReplacer("-", "%2d", ".", "%2e", "_", "%5f").Replace(once),
		string(quoted[1 : len(quoted)-1]), strings.ReplaceAll(s, "/", `\/`), html.EscapeString(s), escaped.String(), hex.EncodeToString([]byte(s))}
	for _, format := range []string{"&#%d;", "&#x%x;", "&#%d", "&#x%x"} {
		var references strings.Builder
		for _, r := range s {
			fmt.Fprintf(&references, format, r)
		}
		list = append(list, references.String())
	}
	list = append(list, string(little), string(big))
	for _, plain := range [][]byte{[]byte(s), little, big} {
		for shift := range 3 {
			list = append(list, inBase64(plain, shift))
		}
	}
	return append(list, latin.String())
}

// inBase64 returns what of a text in base64 does not depend on what stands around it, where that many bytes stand before it.
func inBase64(s []byte, shift int) string {
	padded := append(make([]byte, shift), s...)
	coded := base64.RawStdEncoding.EncodeToString(padded)
	from := (shift*8 + 5) / 6
	to := len(padded) * 8 / 6
	if to-from < 8 {
		return ""
	}
	return coded[from:to]
}

// asciiLower returns a text, which need not be valid UTF-8, with its ASCII letters in lower case.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func hashOf(s string) uint16 {
	h := uint32(0)
	for i := range shortest {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = h*31 + uint32(c)
	}
	return uint16(h ^ h>>16)
}

// clean replaces in a text what is looked for, and counts what should have been masked already.
func (g *guard) clean(s string, identities bool) string {
	if len(g.list) == 0 {
		return s
	}
	g.prepare()
	var b strings.Builder
	end := 0
next:
	for i := 0; i+shortest <= len(s); i++ {
		if !g.begin[hashOf(s[i:])] {
			continue
		}
		for _, n := range g.from[asciiLower(s[i:i+shortest])] {
			if i+n > len(s) {
				continue
			}
			form := asciiLower(s[i : i+n])
			p := g.forms[form]
			if p.stands == "" || p.identity && !identities || n < 8 && (i > 0 && alphanumeric(s[i-1]) || i+n < len(s) && alphanumeric(s[i+n])) {
				continue // a short one is a part of many words
			}
			b.WriteString(s[end:i] + p.stands)
			end = i + n
			i = end - 1
			if !p.byCaller {
				g.found++
			}
			continue next
		}
	}
	if end == 0 {
		return s
	}
	return b.String() + s[end:]
}

// Clean is the second line: it returns a text that was made from what is masked without the secrets and identities that should not be in
// it. [Masker.Found] counts what it finds.
func (m *Masker) Clean(s string) string {
	return m.locked(func(s string) string { return m.guard.clean(s, true) }, s)
}

// Found returns how many secrets and identities [Masker.Clean] found so far: each is a mistake of this package.
func (m *Masker) Found() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.guard.found
}

// Message masks a sentence of ours that may name URLs, hosts and addresses, or quote what somebody sent: the message of an error, a
// line of a log. Our own words stay.
func (m *Masker) Message(s string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settled = true
	defer func() { m.settled = false }()
	return m.message(s)
}

func (m *Masker) message(s string) string {
	return inMessage().ReplaceAllStringFunc(m.withoutSecrets(s), func(found string) string {
		end := strings.TrimRight(found, `.,;:)>`)
		rest := found[len(end):]
		scheme, value, pair := strings.Cut(end, " ")
		switch {
		case strings.HasPrefix(end, validFor):
			return m.certified(validFor, end[len(validFor):]) + rest
		case strings.HasPrefix(end, wanted):
			return m.certified(wanted, end[len(wanted):]) + rest
		case found[0] == '"':
			plain, ok := decoded(found)
			switch {
			case !ok:
				return m.malformed(found)
			case strings.Contains(plain, "://") || strings.HasPrefix(plain, "/"):
				return rewritten(found, plain, m.url(plain))
			case m.keeps == AllButSecret:
				return rewritten(found, plain, m.message(plain))
			}
			return rewritten(found, plain, m.quoted(plain))
		case pair && vocabulary().challenge[strings.ToLower(scheme)]:
			if strings.EqualFold(scheme, "Basic") {
				m.guard.basic(value)
			}
			return scheme + " " + m.ticket(value) + rest
		case strings.Contains(end, "://"):
			return m.url(end) + rest
		case strings.Contains(end, "=") && !strings.Contains(end, "@"):
			return m.query(end) + rest
		case m.keeps == AllButSecret:
			return found
		case strings.HasPrefix(end, "lookup "):
			return "lookup " + m.host(value) + rest
		case strings.Contains(end, "@") || strings.HasPrefix(end, "sip:") || strings.Contains(end, `\`):
			return m.account(end) + rest
		case isGUID(end):
			return m.guid(end) + rest
		case end[0] == '/':
			return m.path(end) + rest
		case end[0] == '+':
			return m.phone(end) + rest
		case end[0] == '[' || net.ParseIP(strings.Split(end, ":")[0]) != nil:
			return m.host(end) + rest
		}
		name, _, _ := strings.Cut(strings.ToLower(end), ":")
		if suffix, official := publicsuffix.PublicSuffix(name); official && suffix != name && !fileSuffixes[name[strings.LastIndexByte(name, '.')+1:]] ||
			localSuffixes[name[strings.LastIndexByte(name, '.')+1:]] {
			return m.host(end) + rest
		}
		return found
	})
}

// inMessage finds what is no word of ours: what is quoted, credentials, URLs, addresses, accounts, GUIDs, IP addresses, paths, telephone
// numbers and hosts.
var inMessage = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`certificate is valid for [^;:"]+|wanted to match [^\s;"]+|"(?:[^"\\]|\\.)*"|(?i:\b(?:basic|bearer|digest|ntlm|negotiate|kerberos) [\w+/=.~-]{6,})|\blookup [^\s:]+|[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"]+|sips?:[^\s"]+|` +
		`(?i:\b[\w.-]*(?:token|ticket|assertion|secret|password|passwd|pwd|cwt)=)[^\s"]+|[^\s"@,;(]+@[^\s",;)]+|[^\s"\\]+\\[^\s"]+|\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b|` +
		`\[[0-9a-fA-F:.]+\](?::\d+)?|\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b|/[^\s"/]+/[^\s"]+|\+\d[\d ()-]{6,}\d|\b[a-zA-Z0-9_-]+(?:\.[a-zA-Z0-9_-]+)*\.[a-zA-Z]{2,}(?::\d+)?\b`)
})

// What crypto/x509 says before names of hosts.
const validFor, wanted = "certificate is valid for ", "wanted to match "

// certified masks the names in what crypto/x509 says of a certificate, behind its own words.
func (m *Masker) certified(words, names string) string {
	if m.keeps != Nothing {
		return words + names
	}
	list := strings.Split(names, ", ")
	for i, name := range list {
		bare := strings.TrimPrefix(name, "not ")
		list[i] = name[:len(name)-len(bare)] + m.host(bare)
	}
	return words + strings.Join(list, ", ")
}

// fileSuffixes end the words in a message that are names of files or of fields, and hosts too; localSuffixes those of hosts that no
// registry knows.
var (
	fileSuffixes  = setOf("md zip sh py")
	localSuffixes = setOf("local loc lan intra corp internal priv home hq dom ad test example invalid")
)

// quoted masks what a sentence quotes.
func (m *Masker) quoted(s string) string {
	switch {
	case strings.Contains(s, "@"):
		return m.account(s)
	case digits(s) && len(s) <= 7 || vocabulary().isName(s) || vocabulary().listed[strings.ToLower(s)]:
		return s
	}
	return m.text(s)
}
