package ucwa

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds on what a server may make a client read.
const (
	MaxBody  = 4 << 20 // bytes of one response body
	MaxDepth = 64      // nested objects and arrays in it
)

// JSONError says why a body is not one sound JSON text, and where.
type JSONError struct {
	Pointer string // JSON Pointer (RFC 6901) of the nearest member, "" for the whole text
	Offset  int64  // byte at which reading stopped, from 0; -1 where it means nothing
	Problem string
}

func (e *JSONError) Error() string {
	where := ""
	if e.Pointer != "" {
		where = " at " + e.Pointer
	}
	if e.Offset >= 0 {
		where += fmt.Sprintf(" (byte %d)", e.Offset)
	}
	return e.Problem + where
}

// DecodeJSON reads one JSON text into map[string]any, []any, string,
// json.Number, bool and nil. It is stricter than encoding/json where leniency
// would hide a server's mistake or let one message mean two things: a name that
// occurs twice in an object, bytes after the text, invalid UTF-8, more than
// [MaxBody] bytes and more than [MaxDepth] levels are errors, of type *JSONError.
// A byte order mark before the text is passed over, as RFC 8259 allows.
func DecodeJSON(data []byte) (any, error) {
	if len(data) > MaxBody {
		return nil, &JSONError{Offset: -1, Problem: fmt.Sprintf("%d bytes of JSON, at most %d are read", len(data), MaxBody)}
	}
	if mark := []byte("\xef\xbb\xbf"); bytes.HasPrefix(data, mark) {
		data = append([]byte("   "), data[len(mark):]...) // blanks in its place keep the offsets in errors true
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, &JSONError{Offset: -1, Problem: "no JSON: the body is empty"}
	}
	if !utf8.Valid(data) {
		return nil, &JSONError{Offset: invalidUTF8(data), Problem: "not UTF-8"}
	}
	d := decoder{json.NewDecoder(bytes.NewReader(data)), data}
	d.UseNumber()
	value, err := d.value(nil)
	if err != nil {
		return nil, err
	}
	if rest := bytes.TrimLeft(data[d.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return nil, &JSONError{Offset: int64(len(data) - len(rest)), Problem: "something follows the JSON text"}
	}
	return value, nil
}

func invalidUTF8(data []byte) int64 {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return int64(i)
		}
		i += size
	}
	return -1
}

type decoder struct {
	*json.Decoder
	data []byte // what it reads
}

func (d decoder) fail(path []string, problem string) error {
	return &JSONError{Pointer: pointer(path), Offset: d.InputOffset(), Problem: problem}
}

func (d decoder) token(path []string) (json.Token, error) {
	t, err := d.Token()
	if err == nil {
		return t, nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, &JSONError{Pointer: pointer(path), Offset: int64(len(d.data)), Problem: "not JSON: the text ends too early"}
	}
	offset := d.InputOffset()
	// The errors of Decoder.Token count bytes from here and there. Reading the
	// text as a whole stops at the same byte, and tells which.
	if syntax := (*json.SyntaxError)(nil); errors.As(json.Unmarshal(d.data, new(json.RawMessage)), &syntax) {
		err, offset = syntax, syntax.Offset-1
	}
	return nil, &JSONError{Pointer: pointer(path), Offset: offset, Problem: "not JSON: " + err.Error()}
}

func (d decoder) value(path []string) (any, error) {
	t, err := d.token(path)
	if err != nil {
		return nil, err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if len(path) >= MaxDepth {
		return nil, &JSONError{Offset: d.InputOffset(), Problem: fmt.Sprintf("JSON nested more than %d levels deep", MaxDepth)}
	}
	if delim == '[' {
		list := []any{}
		for d.More() {
			v, err := d.value(append(path, strconv.Itoa(len(list))))
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.token(path)
		return list, err
	}
	object := map[string]any{}
	for d.More() {
		t, err := d.token(path)
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, d.fail(path, "not JSON: a member's name is no string")
		}
		inner := append(path, name)
		if _, twice := object[name]; twice {
			return nil, d.fail(inner, fmt.Sprintf("the member %q occurs twice", name))
		}
		if object[name], err = d.value(inner); err != nil {
			return nil, err
		}
	}
	_, err = d.token(path)
	return object, err
}

// pointer writes path as a JSON Pointer.
func pointer(path []string) string {
	var b strings.Builder
	for _, name := range path {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return b.String()
}
