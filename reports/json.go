package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// renderJSON keeps every value whole. What a terminal would act on is written as
// \uXXXX, which JSON readers take for the same character.
func renderJSON(r *Report, _ Options) ([]byte, error) {
	out := *r
	out.Schema = SchemaID
	out.Exchanges = append([]Exchange{}, r.Exchanges...) // [] and not null, also when empty
	out.Results = each(r.Results, func(result Result) Result {
		result.Evidence = append([]Pointer{}, result.Evidence...)
		return result
	})
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return nil, err
	}
	return escapeUnprintable(b.Bytes()), nil
}

// escapeUnprintable escapes what encoding/json leaves as it is: C1 controls and
// format characters. They stand only in strings, as all else in JSON is ASCII.
func escapeUnprintable(data []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(data))
	for len(data) > 0 {
		// Most of it is plain ASCII, of which encoding/json escapes the controls.
		if plain := bytes.IndexFunc(data, func(r rune) bool { return r >= 0x7f }); plain != 0 {
			if plain < 0 {
				plain = len(data)
			}
			b.Write(data[:plain])
			data = data[plain:]
			continue
		}
		r, size := utf8.DecodeRune(data)
		switch {
		case printable(r) || r == utf8.RuneError:
			b.Write(data[:size])
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
		data = data[size:]
	}
	return b.Bytes()
}
