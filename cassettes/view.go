package cassettes

import (
	"encoding/binary"
	"encoding/hex"
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// view is a text with layers of its encodings taken off. Each byte of it knows where in the original it comes from.
type view struct {
	text string
	from []int // where each byte begins, and the end of the last; nil if the view is the original

	// Nobody will ask where its bytes come from, so that from is not made: it takes eight times as much as the text.
	bare bool

	broken []int // in a view made alike: where there was a byte that is no character
}

// bareView is a text of which it is asked what stands in it, and not where.
func bareView(text string) view { return view{text: text, bare: true} }

// layers returns the views of a text, itself first, each with one layer less than the one before. What is encoded
// twice, as a URL in a query in a JSON string, is plain in the last.
func (v view) layers() []view {
	views := []view{v}
	for len(views) < maxLayers {
		next, ok := views[len(views)-1].peel()
		if !ok {
			break
		}
		views = append(views, next)
	}
	return views
}

// otherwise returns the views of a text that is read in another way: as quoted-printable, in which "=AB" is no beginning
// of a value, and, if wide characters are looked for, as UTF-16.
func (v view) otherwise(wide bool) []view {
	var views []view
	if strings.Contains(v.text, "=") {
		if plain, ok := v.decode('=', quotedPrintable); ok {
			views = append(views, plain)
		}
	}
	if wide && notText(v.text) {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			for start := range 2 {
				views = append(views, v.inUTF16(start, order))
			}
		}
	}
	return views
}

// isQuotedPrintable tells whether a text says so, or breaks its lines as quoted-printable does.
func isQuotedPrintable(text string) bool {
	return strings.Contains(text, "=\n") || strings.Contains(text, "=\r\n") || strings.Contains(strings.ToLower(text), "quoted-printable")
}

// notText tells whether a text may be none: it has broken characters, or control characters.
func notText(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' })
}

// inUTF16 reads a text as UTF-16, from a place on. Of Latin letters it is enough that the zero bytes go: see peel.
func (v view) inUTF16(start int, order binary.ByteOrder) view {
	var b []byte
	out := view{bare: v.bare}
	text := v.text
	for i := start; i+1 < len(text); i += 2 {
		n := 2
		r := rune(order.Uint16([]byte(text[i:])))
		if utf16.IsSurrogate(r) && i+3 < len(text) {
			if pair := utf16.DecodeRune(r, rune(order.Uint16([]byte(text[i+2:])))); pair != utf8.RuneError {
				r, n = pair, 4
			}
		}
		was := len(b)
		b = utf8.AppendRune(b, r)
		out.came(v.start(i), len(b)-was)
		i += n - 2
	}
	return out.ended(b, v.start(len(text)))
}

// came notes, unless nobody will ask, that the next bytes of a view that is made came from there.
func (v *view) came(from, bytes int) {
	if v.bare {
		return
	}
	for range bytes {
		v.from = append(v.from, from)
	}
}

// ended completes a view that is made: its text, and where that ends in the original.
func (v view) ended(text []byte, end int) view {
	v.text = string(text)
	v.came(end, 1)
	return v
}

const maxLayers = 6

// peel takes off one layer: percent codes, escapes of JSON and YAML, character references of HTML, and the zero bytes of
// UTF-16.
func (v view) peel() (view, bool) {
	if !strings.ContainsAny(v.text, "%\\&\x00") {
		return v, false
	}
	return v.decode(0, func(rest string) (string, int) {
		switch rest[0] {
		case '%':
			return percent(rest)
		case '\\':
			return escape(rest)
		case '&':
			return reference(rest)
		case 0:
			return "", 1
		}
		return "", 0
	})
}

// decode makes a view in which each place where a decoder finds a code has what the code stands for. The decoder is told the
// rest of the text, and returns what it stands for and the length of the code, 0 if there is none.
func (v view) decode(only byte, decoder func(rest string) (string, int)) (view, bool) {
	var text []byte // made at the first code: most texts that could have one have none
	out := view{bare: v.bare}
	for i := 0; i < len(v.text); {
		c := v.text[i]
		if only == 0 && (c == '%' || c == '\\' || c == '&' || c == 0) || only != 0 && c == only {
			if plain, n := decoder(v.text[i:]); n > 0 {
				if text == nil {
					text = append(make([]byte, 0, len(v.text)), v.text[:i]...)
					if !out.bare {
						out.from = make([]int, 0, len(v.text)+1)
					}
					for at := range i {
						out.came(v.start(at), 1)
					}
				}
				out.came(v.start(i), len(plain))
				text = append(text, plain...)
				i += n
				continue
			}
		}
		if text != nil {
			text = append(text, c)
			out.came(v.start(i), 1)
		}
		i++
	}
	if text == nil {
		return v, false
	}
	return out.ended(text, v.start(len(v.text))), true
}

func (v view) start(i int) int {
	if v.from == nil {
		return i
	}
	return v.from[i]
}

// original returns the place of a part of the view in the original.
func (v view) original(start, end int) (int, int) {
	if v.from == nil {
		return start, end
	}
	// A code may stand for several bytes: it is taken whole.
	first, last := v.from[start], v.from[end]
	for e := end; last <= v.from[max(end-1, start)] && e+1 < len(v.from); {
		e++
		last = v.from[e]
	}
	return first, last
}

func percent(rest string) (string, int) {
	if len(rest) < 3 {
		return "", 0
	}
	plain, err := hex.DecodeString(rest[1:3])
	if err != nil {
		return "", 0
	}
	return string(plain), 3
}

func quotedPrintable(rest string) (string, int) {
	switch {
	case strings.HasPrefix(rest, "=\r\n"):
		return "", 3
	case strings.HasPrefix(rest, "=\n"):
		return "", 2
	}
	return percent(rest)
}

func reference(rest string) (string, int) {
	end := strings.IndexByte(rest[:min(len(rest), 12)], ';')
	if end < 0 || strings.Contains(rest[1:end], "&") {
		return "", 0
	}
	if plain := html.UnescapeString(rest[:end+1]); plain != rest[:end+1] {
		return plain, end + 1
	}
	return "", 0
}

func escape(rest string) (string, int) {
	if len(rest) < 2 {
		return "", 0
	}
	number := func(digits int) (rune, bool) {
		if len(rest) < 2+digits {
			return 0, false
		}
		n, err := strconv.ParseUint(rest[2:2+digits], 16, 32)
		return rune(n), err == nil && n <= utf8.MaxRune
	}
	switch rest[1] {
	case '/', '"', '\'', '\\':
		return rest[1:2], 2
	case 'n', 'r', 't', 'b', 'f':
		return " ", 2
	case 'x':
		if r, ok := number(2); ok {
			return string([]byte{byte(r)}), 4
		}
	case 'U':
		if r, ok := number(8); ok {
			return string(r), 10
		}
	case 'u':
		r, ok := number(4)
		if !ok {
			return "", 0
		}
		if utf16.IsSurrogate(r) && len(rest) >= 12 && rest[6:8] == `\u` {
			if low, err := strconv.ParseUint(rest[8:12], 16, 32); err == nil {
				return string(utf16.DecodeRune(r, rune(low))), 12
			}
		}
		return string(r), 6
	}
	return "", 0
}
