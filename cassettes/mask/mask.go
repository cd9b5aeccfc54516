// Package mask replaces everything in messages of UCWA 2.0 that is not part of the protocol.
//
// conform certifies a known protocol, so its evidence needs what the protocol knows and nothing else. A [Masker] keeps names,
// values, numbers and dates that stand in the table and where the protocol has them; gives numbered pseudonyms to names, addresses,
// ids and hosts, so that links still lead where they led; and replaces every other text by a numbered mask. Equal values stay
// equal, different ones different. What is malformed stays malformed. Nothing is refused, and the work is linear.
package mask

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Version grows with each change of what a [Masker] replaces.
const Version = 9

// Keeps says what a [Masker] keeps besides the protocol.
type Keeps int

// The values of Keeps.
const (
	Nothing      Keeps = iota
	Names              // identities in the places where the protocol has them, but no other text
	AllButSecret       // everything but credentials
)

// Options say how to mask. Their zero value keeps the protocol and hides nothing besides.
type Options struct {
	Keeps   Keeps
	Words   []string // more texts to hide wherever they stand, in any casing: a project, a site, a nickname
	Secrets []string // credentials that are known: looked for in all that is written, too
}

// Masker masks messages. What was masked once is masked so again, in any message, so one Masker is for all that belongs
// together. It is safe for concurrent use.
type Masker struct {
	keeps Keeps

	mu         sync.Mutex
	guard      guard
	stands     map[string]*pseudonym // by word in lower case
	taken      map[string]bool       // the pseudonyms there are, in lower case
	revealed   map[string]string     // by pseudonym: the word
	revealedOf int                   // the words that it is made of
	next       map[string]int        // by prefix: the last number
	texts      map[[16]byte]int      // by checksum: the number of a mask
	settled    bool                  // the input is masked already: what looks like a pseudonym is one
}

// Rules names what is replaced, and may have been before: credentials, texts that are not of the protocol, and identities.
func (m *Masker) Rules(before ...string) []string {
	all := []string{"credentials", "texts", "identities"}
	n := len(all) - int(m.keeps)
	if len(before) <= len(all) && slices.Equal(before, all[:len(before)]) {
		n = max(n, len(before))
	}
	return all[:n]
}

// Counts tells how many values of each kind have been replaced so far.
func (m *Masker) Counts() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := map[string]int{}
	for prefix, n := range m.next {
		counts[map[string]string{"host": "hosts", "user": "users", "name": "names", "number": "numbers", "phone": "numbers", "id": "identifiers", "guid": "identifiers",
			"member": "member names", "header": "header names", "redacted": "secrets", "text": "texts"}[prefix]] += n
	}
	return counts
}

// pseudonym is what stands for a word, and the casings in which that occurred.
type pseudonym struct {
	text     string
	first    string            // the word, in the casing in which it occurred first
	casings  map[string]string // those that are neither all upper nor all lower case, nor begin alone with a capital
	original bool              // it was one already, and stands for itself
}

// most bounds the pseudonyms, and the masks, that are told apart.
const most = 20_000

// New returns a Masker.
func New(o Options) *Masker {
	m := &Masker{keeps: o.Keeps, stands: map[string]*pseudonym{}, taken: map[string]bool{}, next: map[string]int{}, texts: map[[16]byte]int{}}
	for i, word := range o.Words {
		if word = strings.TrimSpace(word); word != "" {
			stands := fmt.Sprintf("word-%d", i+1)
			m.taken[stands] = true
			m.guard.add(pattern{text: word, stands: stands, byCaller: true})
		}
	}
	for _, s := range o.Secrets {
		m.guard.secret(s)
	}
	return m
}

// numeral is the kind of the pseudonyms of decimal numbers, which are such themselves: 9000000001.
const numeral = "number"

// number returns the next pseudonym of a prefix.
func (m *Masker) number(prefix string) string {
	for {
		m.next[prefix]++
		text := fmt.Sprintf("%s-%d", prefix, m.next[prefix])
		switch prefix {
		case numeral:
			text = fmt.Sprintf("9%09d", m.next[prefix])
		case "guid":
			text = ownGUIDs + fmt.Sprintf("%012d", m.next[prefix])
		}
		if !m.taken[text] {
			m.taken[text] = true
			return text
		}
	}
}

// word returns what stands for a word. Of two casings of one word the pseudonyms differ in their casing, too.
func (m *Masker) word(prefix, word string) string {
	suffix := ""
	if redacted.MatchString(word) {
		return word
	}
	if strings.ContainsFunc(word, func(r rune) bool { return r >= utf8.RuneSelf }) {
		if suffix = "é"; !utf8.ValidString(word) {
			suffix = "\xff"
		}
	}
	if digits(word) {
		prefix = numeral
	}
	folded := strings.ToLower(word)
	p := m.stands[folded]
	if p == nil {
		bare := unsuffixed(folded)
		switch {
		case isPseudonym(bare) && (m.settled || !m.taken[bare]):
			m.taken[bare] = true
			p = &pseudonym{original: true}
		case len(m.stands) >= most:
			return prefix + "-0" + suffix // numbers too: past this limit values are no longer told apart
		default:
			p = &pseudonym{text: m.number(prefix), first: word}
			if stands := p.text; strings.Contains(word, ".") { // a domain
				m.guard.identity(word, stands+reserved)
			} else {
				m.guard.identity(word, stands)
			}
		}
		m.stands[folded] = p
	}
	if p.original {
		return word
	}
	switch word {
	case folded:
		return p.text + suffix
	case strings.ToUpper(word):
		return strings.ToUpper(p.text) + suffix
	case strings.ToUpper(word[:1]) + folded[1:]:
		return strings.ToUpper(p.text[:1]) + p.text[1:] + suffix
	}
	if is := p.casings[word]; is != "" {
		return is + suffix
	}
	is := recased(p.text, len(p.casings))
	if is == "" { // there is none left
		if len(p.casings) >= most {
			return prefix + "-0" + suffix
		}
		is = m.number(prefix)
	}
	if p.casings == nil {
		p.casings = map[string]string{}
	}
	p.casings[word] = is
	return is + suffix
}

// unsuffixed is a word in lower case without what shows that it had a letter beyond ASCII, or was no text.
func unsuffixed(word string) string {
	for _, end := range []string{"é", "\ufffd", "\xff"} {
		word = strings.TrimSuffix(word, end)
	}
	return word
}

// recased returns one of the casings of a pseudonym that are neither all upper nor all lower case, nor begin alone with a capital; "" if
// there are not so many.
func recased(text string, n int) string {
	b := []byte(text)
	letters := max(0, strings.IndexByte(text, '-'))
	if n += 2; n > 1<<letters-2 {
		return ""
	}
	for i := range letters {
		if n&(1<<i) != 0 {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

// prefixes begin pseudonyms.
var prefixes = []string{"host", "user", "name", "phone", "id", "member", "header", "redacted", "word"}

// isPseudonym tells whether a word in lower case is of the form of one.
func isPseudonym(word string) bool {
	if len(word) == 10 && strings.HasPrefix(word, "90000") && digits(word) {
		return true
	}
	prefix, n, ok := strings.Cut(word, "-")
	if !ok || len(n) > 6 || !digits(n) {
		return false
	}
	return slices.Contains(prefixes, prefix)
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// secretStands is what stands for a password.
const secretStands = "REDACTED"

// Reserve keeps the placeholders of secrets that stand in a text, which another tool may have put there, from being given again.
func (m *Masker) Reserve(text string) {
	if !strings.Contains(text, secretStands) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, found := range placeholders.FindAllString(text, -1) {
		m.taken[strings.ToLower(found)] = true
	}
}

var placeholders = regexp.MustCompile(`REDACTED-\d{1,6}`)

// credential returns what stands for a token or the value of a cookie: equal ones stay equal.
func (m *Masker) credential(s string) string {
	if s == "" || redacted.MatchString(s) { // already, by us or by another tool
		return s
	}
	const key = "redacted:" // no word has a colon
	p := m.stands[key+s]
	if p == nil {
		if len(m.stands) >= most {
			return secretStands
		}
		p = &pseudonym{text: strings.ToUpper(m.number("redacted"))}
		m.stands[key+s] = p
		m.guard.met(s)
	}
	return p.text
}

// password returns what stands for a secret of which nothing may be learned.
func (m *Masker) password(s string) string {
	if s == "" || redacted.MatchString(s) {
		return s
	}
	m.guard.met(s)
	return secretStands
}

// opaque returns the mask of a text: text-7, and x up to its length in characters, since some are bounded. A full stop stands at the end
// if there is more in it than letters, digits, blanks and hyphens, and a letter beyond ASCII if it has one.
func (m *Masker) opaque(s string) string {
	if isMask(s) && m.settled {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	key := [16]byte(sum[:])
	n := m.texts[key]
	if n == 0 && len(m.texts) < most {
		if n = maskNumber(s); n <= 0 || m.taken[fmt.Sprintf("text-%d", n)] {
			n = maskNumber(m.number("text"))
		}
		m.taken[fmt.Sprintf("text-%d", n)] = true
		m.texts[key] = n
	}
	stands, end := fmt.Sprintf("text-%d", n), ""
	if i := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || !alphanumeric(byte(r)) && r != ' ' && r != '-' }); i >= 0 {
		if end = "."; strings.ContainsFunc(s[i:], func(r rune) bool { return r >= utf8.RuneSelf }) { // what is beyond ASCII is read wrongly by some
			end = "é"
		}
	}
	return stands + strings.Repeat("x", max(0, min(utf8.RuneCountInString(s), longest)-len(stands)-min(len(end), 1))) + end
}

func isMask(s string) bool { return maskNumber(s) >= 0 }

// maskNumber returns the number of a mask, -1 if the text is none.
func maskNumber(s string) int {
	rest, ok := strings.CutPrefix(s, "text-")
	if rest = strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(rest, "é"), "."), "x"); !ok || len(rest) > 6 || !digits(rest) || rest[0] == '0' && rest != "0" {
		return -1
	}
	n, err := strconv.Atoi(rest)
	if err != nil {
		return -1
	}
	return n
}

// ownGUIDs begin those that are pseudonyms.
const ownGUIDs = "00000000000040008000"

// guid returns what stands for a GUID, which stays one. It takes the 32 digits with or without hyphens.
func (m *Masker) guid(s string) string {
	plain := s
	if len(s) == 36 {
		plain = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	}
	plain = strings.ToLower(plain)
	if vocabulary().guids[plain] {
		return s
	}
	stands := ownGUIDs + "000000000000" // past the limit
	if p := m.stands[plain]; p != nil {
		stands = p.text
	} else if own := strings.HasPrefix(plain, ownGUIDs) && digits(plain[20:]); own && (m.settled || !m.taken[plain]) {
		stands = plain
		m.taken[plain] = true
		m.stands[plain] = &pseudonym{text: stands}
	} else if len(m.stands) < most {
		stands = m.number("guid")
		m.stands[plain] = &pseudonym{text: stands}
		m.guard.identity(s, hyphened(stands))
	}
	if len(s) == 36 {
		return hyphened(stands)
	}
	return stands
}

func hyphened(g string) string {
	return g[:8] + "-" + g[8:12] + "-" + g[12:16] + "-" + g[16:20] + "-" + g[20:]
}

// isGUID tells whether a word is a GUID, with or without hyphens.
func isGUID(s string) bool {
	switch len(s) {
	case 32:
	case 36:
		if s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
			return false
		}
	default:
		return false
	}
	n := 0
	for i := range len(s) {
		if isHex(s[i]) {
			n++
		}
	}
	return n == 32
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// words replaces each word of a text by what stand returns for it; signs, blanks and the percent codes of such stay. A word is of
// letters, digits, hyphens, underscores and what is beyond ASCII, in percent codes or not.
func words(s string, stand func(word string) string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		word, n := nextWord(s[i:])
		if n == 0 {
			_, n = unit(s[i:])
			b.WriteString(s[i : i+n])
			i += n
			continue
		}
		if stands := stand(word); stands == word {
			b.WriteString(s[i : i+n]) // in the code in which it was
		} else {
			b.WriteString(stands)
		}
		i += n
	}
	return b.String()
}

// nextWord returns the word with which a text begins, decoded, and its length there; 0 if it begins with none.
func nextWord(s string) (word string, n int) {
	var b []byte
	letters := false
	for n < len(s) {
		c, size := unit(s[n:])
		if !inWord(c) {
			break
		}
		letters = letters || c != '-' && c != '_'
		b = append(b, c)
		n += size
	}
	if !letters {
		return "", 0
	}
	return string(b), n
}

func inWord(c byte) bool { return alphanumeric(c) || c >= utf8.RuneSelf || c == '-' || c == '_' }

// unit returns the byte with which a text begins, in percent codes of any depth, and its length there.
func unit(s string) (c byte, n int) {
	if s[0] != '%' {
		return s[0], 1
	}
	n = 1
	for strings.HasPrefix(s[n:], "25") && n < 64 {
		n += 2
	}
	if n+2 <= len(s) && isHex(s[n]) && isHex(s[n+1]) {
		return unhex(s[n])<<4 | unhex(s[n+1]), n + 2
	}
	return '%', 1
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

// crossed replaces letters by x and digits by 0. A letter beyond ASCII stays one, and a byte that is no character stays.
func crossed(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case '0' <= r && r <= '9':
			b.WriteByte('0')
		case r < utf8.RuneSelf && alphanumeric(byte(r)):
			b.WriteByte('x')
		case r == utf8.RuneError && s[i] != "\ufffd"[0]:
			b.WriteByte(0xff)
		case r >= utf8.RuneSelf:
			b.WriteRune('é')
		default:
			b.WriteByte(byte(r))
		}
	}
	return b.String()
}
