package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// renderJSON keeps every value whole. What is not ASCII is written as \uXXXX, which
// JSON readers take for the same character.
//
// The two long lists are written an entry at a time, so that a report of any length
// takes no more memory than it does already.
func renderJSON(w io.Writer, r *Report, _ Options) error {
	out := *r
	out.Schema, out.Results, out.Exchanges = SchemaID, []Result{}, []Exchange{}
	frame, err := indentedJSON(out)
	if err != nil {
		return err
	}
	e := newEntries(w)
	repeat := r.repeats()
	rest := writeList(e, frame, "results", func(yield func(Result) bool) {
		for _, result := range r.Results {
			result.Evidence = append([]Pointer{}, result.Evidence...) // [] and not null, also when empty
			result.Repeat = repeat.of(result)
			if !yield(result) {
				return
			}
		}
	})
	rest = writeList(e, rest, "exchanges", slices.Values(r.Exchanges))
	e.write(rest)
	return e.err
}

// writeList writes what stands in the frame before a list that is empty there, and the list in place of that. It returns
// the rest of the frame. No value can look like the line of the list: in JSON, a string holds no line break.
func writeList[T any](e *entries, frame []byte, key string, list iter.Seq[T]) (rest []byte) {
	head, rest, _ := bytes.Cut(frame, []byte("\n  \""+key+"\": []"))
	e.write(head, []byte("\n  \""+key+"\": "))
	for entry := range list {
		e.add(entry)
	}
	e.end()
	return rest
}

// entries writes lists, an entry at a time, and keeps the first error.
type entries struct {
	w   io.Writer
	n   int
	b   bytes.Buffer
	enc *json.Encoder // of b: one for all, since it keeps the room that it needs
	err error
}

func newEntries(w io.Writer) *entries {
	e := &entries{w: w}
	e.enc = json.NewEncoder(&e.b)
	e.enc.SetEscapeHTML(false)
	e.enc.SetIndent("    ", "  ")
	return e
}

func (e *entries) write(parts ...[]byte) {
	for _, p := range parts {
		if e.err == nil {
			_, e.err = e.w.Write(p)
		}
	}
}

func (e *entries) add(v any) {
	if e.err != nil {
		return
	}
	e.b.Reset()
	if e.err = e.enc.Encode(v); e.err != nil {
		return
	}
	separator := ",\n    "
	if e.n == 0 {
		separator = "[\n    "
	}
	e.n++
	e.write([]byte(separator), inASCII(bytes.TrimSuffix(e.b.Bytes(), []byte("\n"))))
}

func (e *entries) end() {
	if e.n == 0 {
		e.write([]byte("[]"))
	} else {
		e.write([]byte("\n  ]"))
	}
	e.n = 0
}

// indentedJSON is JSON for people as well as for machines.
func indentedJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return inASCII(b.Bytes()), nil
}

// inASCII escapes all that is not ASCII, which stands only in strings: Windows PowerShell 5.1 takes what a program prints for another encoding,
// and a terminal would act on some of it.
func inASCII(data []byte) []byte {
	if ascii(data) == len(data) {
		return data
	}
	var b bytes.Buffer
	b.Grow(len(data))
	for len(data) > 0 {
		// Most of it is plain ASCII, of which encoding/json escapes the controls.
		if n := ascii(data); n != 0 {
			b.Write(data[:n])
			data = data[n:]
			continue
		}
		r, size := utf8.DecodeRune(data)
		if r <= 0xffff {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
		data = data[size:]
	}
	return b.Bytes()
}

// ascii returns how many bytes of the data are plain ASCII, up to the first that is not.
func ascii(data []byte) int {
	n := 0
	for n < len(data) && data[n] < 0x7f {
		n++
	}
	return n
}
