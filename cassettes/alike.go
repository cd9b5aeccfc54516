package cassettes

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// alike makes texts equal that differ only in what encodings and people take to be equal: the casing, the kinds of blanks,
// an "ü" in one character or in two, in UTF-8 or in the one byte of Latin-1 and Windows-1252. Characters that cannot be
// seen, such as soft hyphens, go. Each byte still knows where it comes from.
func alike(v view) view {
	first := 0
	clean := true
	for ; first < len(v.text) && v.text[first] < utf8.RuneSelf; first++ {
		clean = clean && foldedByte(v.text[first]) == v.text[first]
	}
	if first == len(v.text) { // nearly always
		if !clean {
			var b strings.Builder
			b.Grow(len(v.text))
			for i := range len(v.text) {
				b.WriteByte(foldedByte(v.text[i]))
			}
			v.text = b.String()
		}
		return v
	}
	out := view{bare: v.bare}
	if !out.bare {
		out.from = make([]int, 0, len(v.text)+1)
	}
	b := make([]byte, 0, len(v.text))
	add := func(r rune, at int) {
		was := len(b)
		if r = foldedRune(r); r >= 0 {
			b = utf8.AppendRune(b, r)
		}
		out.came(v.start(at), len(b)-was)
	}
	for i := 0; i < len(v.text); {
		c := v.text[i]
		if c < utf8.RuneSelf && (i+1 == len(v.text) || v.text[i+1] < utf8.RuneSelf) {
			b = append(b, foldedByte(c))
			out.came(v.start(i), 1)
			i++
			continue
		}
		if r, size := utf8.DecodeRuneInString(v.text[i:]); r == utf8.RuneError && size == 1 {
			out.broken = append(out.broken, len(b))
			add(charmap.Windows1252.DecodeByte(c), i)
			i++
			continue
		}
		n := max(1, norm.NFC.NextBoundaryInString(v.text[i:], true))
		for _, r := range norm.NFC.String(v.text[i : i+n]) {
			add(r, i)
		}
		i += n
	}
	return out.ended(b, v.start(len(v.text)))
}

// folded is the canonical form of a text.
func folded(text string) string { return alike(bareView(text)).text }

func foldedByte(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case c == '+' || c == '\t' || c == '\r' || c == '\n':
		return ' '
	}
	return c
}

// foldedRune returns the one that stands for all that are taken to be equal, -1 if nobody sees it.
func foldedRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return rune(foldedByte(byte(r)))
	case 0x80 <= r && r < 0xa0: // what is none in Latin-1 was meant in Windows-1252
		r = charmap.Windows1252.DecodeByte(byte(r))
	}
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.Is(unicode.Cf, r):
		return -1
	}
	return unicode.ToLower(unicode.ToUpper(r))
}

// misread is a text in UTF-8 that somebody took for Latin-1: "Ã¼" where there was "ü".
func misread(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(rune(text[i]))
	}
	return b.String()
}

func ascii(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
