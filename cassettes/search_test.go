package cassettes

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestFoldedToASCII holds that no character, and no byte that is none, becomes one of ASCII unseen.
func TestFoldedToASCII(t *testing.T) {
	becomes := func(text string) bool {
		return strings.ContainsFunc(folded(text), func(r rune) bool { return r < utf8.RuneSelf })
	}
	begins := map[byte]bool{}
	for r := rune(utf8.RuneSelf); r <= utf8.MaxRune; r++ {
		if text := string(r); becomes(text) {
			begins[text[0]] = true
		}
	}
	for c := byte(utf8.RuneSelf); c != 0; c++ {
		if becomes(string([]byte{c})) {
			begins[c] = true
		}
		if begins[c] != (strings.IndexByte(foldedToASCII, c) >= 0) {
			t.Errorf("%#x: begins a character that becomes ASCII: %v", c, begins[c])
		}
	}
}
