package cassettes

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// edge is what may stand beside an identity for it to be one.
type edge int

const (
	anything  edge = iota
	wordEdge       // nothing that belongs to a word
	hexEdge        // no letter, digit or hyphen: for GUIDs
	valueEdge      // the bounds of a value: quotes, tags, separators
	hostEdge       // the end of a host name; to the left the whole host name belongs to it
)

// identity is a text to look for, and what stands for it.
type identity struct {
	kind      string
	text      string              // as folded makes it
	skip      int                 // so many bytes at its beginning are context, and stay
	tail      int                 // so many at its end
	edge      edge                //
	pseudonym func(string) string // of what was found
}

// index finds many texts in one pass: the time depends on the text searched, not on how many are looked for.
type index struct {
	pairs   bits             // the first two bytes of the texts
	short   bits             // the same, of those shorter than a head
	heads   bits             // the first four bytes of the others, as sum makes them: thousands of secrets begin with every pair there is
	lengths map[string][]int // by the first shortestSought bytes: the lengths of the texts, the longest first
	texts   map[string][]*identity
	secrets []*identity
	foreign bool // some have characters beyond ASCII
	wide    bool // some have characters beyond Latin-1
	fewest  int  // how many characters the shortest of the texts has
}

// shortestSought is how long what is looked for must be, context included.
const shortestSought = 2

func newIndex() *index {
	return &index{lengths: map[string][]int{}, texts: map[string][]*identity{}}
}

func (x *index) add(id *identity) {
	if len(id.text) < shortestSought || slices.ContainsFunc(x.texts[id.text], func(other *identity) bool {
		return other.kind == id.kind && other.edge == id.edge && other.skip == id.skip && other.tail == id.tail
	}) {
		return
	}
	x.texts[id.text] = append(x.texts[id.text], id)
	if id.kind == "secrets" {
		x.secrets = append(x.secrets, id)
	}
	if n := utf8.RuneCountInString(id.text); x.fewest == 0 || n < x.fewest {
		x.fewest = n
	}
	x.foreign = x.foreign || !ascii(id.text)
	x.wide = x.wide || strings.ContainsFunc(id.text, func(r rune) bool { return r > 0xff })
	x.pairs.set(pair(id.text))
	head := id.text[:min(4, len(id.text))]
	if len(head) == 4 {
		x.heads.set(sum(head))
	} else {
		x.short.set(pair(id.text))
	}
	if at, found := slices.BinarySearchFunc(x.lengths[head], len(id.text), func(a, b int) int { return cmp.Compare(b, a) }); !found {
		x.lengths[head] = slices.Insert(x.lengths[head], at, len(id.text))
	}
}

// bits is a set of short numbers.
type bits [1 << 10]uint64

func (b *bits) set(n uint16)      { b[n>>6] |= 1 << (n & 63) }
func (b *bits) has(n uint16) bool { return b[n>>6]&(1<<(n&63)) != 0 }

// pair makes a number of the first two bytes of a text.
func pair(text string) uint16 { return uint16(text[0])<<8 | uint16(text[1]) }

// sum makes a short number of the first four bytes of a text.
func sum(text string) uint16 {
	n := uint32(text[0]) | uint32(text[1])<<8 | uint32(text[2])<<16 | uint32(text[3])<<24
	return uint16(n * 2654435769 >> 16)
}

// canStandIn tells whether a text has as many characters as the shortest that is looked for. No view needs less than a byte for one:
// only what is compressed does. Of what decodes to nothing, as most words that may be base64 do, few bytes are characters of ASCII.
func (x *index) canStandIn(text string) bool {
	if len(text) < x.fewest || x.foreign {
		return len(text) >= x.fewest
	}
	characters := 0
	for i := range len(text) {
		if c := text[i]; c < utf8.RuneSelf || strings.IndexByte(foldedToASCII, c) >= 0 {
			characters++
		}
	}
	return characters >= x.fewest
}

// foldedToASCII are the bytes that begin a character beyond ASCII which [alike] makes one of ASCII: blanks, "ı", "ſ", "K" (Kelvin) and
// some signs of Greek.
const foldedToASCII = "\xa0\xc2\xc4\xc5\xcd\xe1\xe2\xe3"

// hit is a place in a view made alike where an identity stands.
type hit struct {
	start, end int
	*identity
}

// find returns the places that must be replaced, from left to right. Those that overlap are one, by the name of the longest.
func (x *index) find(v view) []hit {
	var hits []hit
	text := v.text
	found := func(h hit) {
		if n := len(hits); n > 0 && h.start < hits[n-1].end {
			last := &hits[n-1]
			if h.end-h.start > last.end-last.start {
				last.identity = h.identity
			}
			last.start, last.end = min(last.start, h.start), max(last.end, h.end)
			return
		}
		hits = append(hits, h)
	}
	for i := 0; i+1 < len(text); i++ {
		if i == 0 || !alphanumeric(text[i-1]) {
			if n := pseudonymAt(text[i:]); n > 0 {
				i += n - 1
				continue
			}
		}
		if !x.pairs.has(pair(text[i:])) {
			continue
		}
	heads:
		for _, head := range [...]int{4, 3, 2} {
			if i+head > len(text) || head == 4 && !x.heads.has(sum(text[i:])) || head < 4 && !x.short.has(pair(text[i:])) {
				continue
			}
			for _, length := range x.lengths[text[i:i+head]] {
				if i+length > len(text) {
					continue
				}
				for _, id := range x.texts[text[i:i+length]] {
					if h, ok := id.at(v, i); ok {
						found(h)
						break heads
					}
				}
			}
		}
	}
	return hits
}

// at tells whether what stands at a place is the identity, and nothing longer.
func (id *identity) at(v view, start int) (hit, bool) {
	text, end := v.text, start+len(id.text)
	var before, after byte
	if start > 0 {
		before = text[start-1]
	}
	if end < len(text) {
		after = text[end]
	}
	ok := true
	switch id.edge {
	case wordEdge:
		// Bytes that are no character end a word too: in binary data anything can stand beside a name.
		left, size := utf8.DecodeLastRuneInString(text[:start])
		right, _ := utf8.DecodeRuneInString(text[end:])
		ok = (!inWord(left) || v.isBroken(start-size) || !alphanumeric(text[start])) && (!inWord(right) || v.isBroken(end))
	case hexEdge:
		ok = (start == 0 || !alphanumeric(before) && before != '-') && (end == len(text) || !alphanumeric(after) && after != '-')
	case valueEdge:
		ok = (start == 0 || strings.IndexByte(`"'>=`, before) >= 0) && (end == len(text) || strings.IndexByte(`"'<&`, after) >= 0)
	case hostEdge:
		ok = end == len(text) || !alphanumeric(after) && after != '-' && after != '_'
		for start > 0 && (alphanumeric(text[start-1]) || strings.IndexByte("-_.", text[start-1]) >= 0) {
			start--
		}
		for start < end && strings.IndexByte("-.", text[start]) >= 0 {
			start++
		}
		if ok && start > 0 && (end-start) > len(id.text) && text[end-len(id.text)-1] != '.' {
			ok = false // "mycontoso.com" is another domain than "contoso.com"
		}
	}
	return hit{start + id.skip, end - id.tail, id}, ok
}

func (v view) isBroken(at int) bool {
	_, found := slices.BinarySearch(v.broken, at)
	return found
}

// inWord tells whether a character goes on a word. Scripts without spaces do not: a name can stand anywhere in them, and so
// does what begins at an odd place of something in UTF-16.
func inWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}
