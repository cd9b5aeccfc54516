package cassettes

import (
	"slices"
	"testing"
)

// readings are all texts that a view can be read as, folded too.
func readings(h *hider, v view) []string {
	var list []string
	for _, v := range h.views(v.layers()) {
		a := alike(v)
		list = append(list, v.text, a.text)
		for _, at := range a.broken {
			list = append(list, a.text[at:])
		}
	}
	return list
}

// FuzzBareViews holds that a text which is only searched is read in the same ways as one in which what is found is
// replaced, and that in the latter each byte knows where it comes from.
func FuzzBareViews(f *testing.F) {
	for _, text := range []string{"", "plain", "%41%C3%BC \\u00fc&uuml;", `{"a":"b\/c\\\"%2F"}`, "=C3=BC=\n", "D\x00a\x00n\x00a\x00", "\x00D\x00\xfc", "Bj\xf6rn u\u0308ber", "&amp;amp;lt;%25%32%35", "\xff\xfe\x00\xd8\x34\xdd"} {
		f.Add(text)
	}
	h := newHider(pseudonyms{})
	h.index.wide = true
	f.Fuzz(func(t *testing.T, text string) {
		if bare, placed := readings(h, bareView(text)), readings(h, view{text: text}); !slices.Equal(bare, placed) {
			t.Errorf("%q is read as %q, and where places are asked for as %q", text, bare, placed)
		}
		for _, v := range h.views(view{text: text}.layers()) {
			for _, v := range []view{v, alike(v)} {
				if v.from == nil {
					continue
				}
				if len(v.from) != len(v.text)+1 || !slices.IsSorted(v.from) || v.from[len(v.text)] != len(text) {
					t.Errorf("%q of %q has the places %v", v.text, text, v.from)
				}
			}
		}
	})
}
