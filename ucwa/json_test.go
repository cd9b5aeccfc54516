package ucwa_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

func TestDecodeJSON(t *testing.T) {
	for _, test := range []struct {
		name string
		text string
		want any
	}{
		{"object", `{"rel":"me","_links":{"self":{"href":"/me"}}}`,
			map[string]any{"rel": "me", "_links": map[string]any{"self": map[string]any{"href": "/me"}}}},
		{"array", `[1, "a", true, false, null, {}, []]`,
			[]any{json.Number("1"), "a", true, false, nil, map[string]any{}, []any{}}},
		{"string", `"Online"`, "Online"},
		{"boolean", `true`, true},
		{"null", `null`, nil},
		{"blanks around it", " \t\r\n{} \t\r\n", map[string]any{}},
		{"byte order mark", "\xef\xbb\xbf{}", map[string]any{}},
		{"byte order mark inside a string", "\"\ufeff\"", "\ufeff"},
		{"number beyond float64", `12345678901234567890.123456789e999`, json.Number("12345678901234567890.123456789e999")},
		{"number keeps its spelling", `-0.10`, json.Number("-0.10")},
		{"escapes", `"\u00e9\ud83d\ude00\/\n"`, "é😀/\n"},
		{"UTF-8", `"é😀"`, "é😀"},
		{"one name on two levels", `{"a":{"a":1},"b":{"a":2}}`,
			map[string]any{"a": map[string]any{"a": json.Number("1")}, "b": map[string]any{"a": json.Number("2")}}},
		{"one name in two cases", `{"a":1,"A":2}`, map[string]any{"a": json.Number("1"), "A": json.Number("2")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ucwa.DecodeJSON([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
		})
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		text string
		want ucwa.JSONError
	}{
		{"nothing", "", ucwa.JSONError{Offset: -1, Problem: "no JSON: the body is empty"}},
		{"blanks", " \r\n", ucwa.JSONError{Offset: -1, Problem: "no JSON: the body is empty"}},
		{"byte order mark alone", "\xef\xbb\xbf", ucwa.JSONError{Offset: -1, Problem: "no JSON: the body is empty"}},
		{"two byte order marks", "\xef\xbb\xbf\xef\xbb\xbf{}",
			ucwa.JSONError{Offset: 3, Problem: `not JSON: invalid character 'ï' looking for beginning of value`}},
		{"HTML", "\r\n<html>",
			ucwa.JSONError{Offset: 2, Problem: `not JSON: invalid character '<' looking for beginning of value`}},

		{"a name twice", `{"a":1,"a":2}`, ucwa.JSONError{Pointer: "/a", Offset: 10, Problem: `the member "a" occurs twice`}},
		{"a name twice, once escaped", `{"rel":1,"\u0072el":2}`, ucwa.JSONError{Pointer: "/rel", Offset: 19, Problem: `the member "rel" occurs twice`}},
		{"a name twice, further in", `{"sender":[{},{"events":[{"type":"a","type":"a"}]}]}`,
			ucwa.JSONError{Pointer: "/sender/1/events/0/type", Offset: 43, Problem: `the member "type" occurs twice`}},
		{"an empty name twice", `{"":1,"":2}`, ucwa.JSONError{Pointer: "/", Offset: 8, Problem: `the member "" occurs twice`}},
		{"a name that a pointer escapes", `{"a/b~c":{"d":1,"d":1}}`,
			ucwa.JSONError{Pointer: "/a~1b~0c/d", Offset: 19, Problem: `the member "d" occurs twice`}},

		{"a second text", `{} {}`, ucwa.JSONError{Offset: 3, Problem: "something follows the JSON text"}},
		{"a second text without a blank", `{}{}`, ucwa.JSONError{Offset: 2, Problem: "something follows the JSON text"}},
		{"a comma after the text", `{},`, ucwa.JSONError{Offset: 2, Problem: "something follows the JSON text"}},
		{"a bracket too many", "{\"a\":[]}\n]", ucwa.JSONError{Offset: 9, Problem: "something follows the JSON text"}},
		{"a NUL after the text", "{}\x00", ucwa.JSONError{Offset: 2, Problem: "something follows the JSON text"}},
		{"a blank that JSON has not", "{}\u00a0", ucwa.JSONError{Offset: 2, Problem: "something follows the JSON text"}},
		{"a leading zero", `01`, ucwa.JSONError{Offset: 1, Problem: "something follows the JSON text"}},

		{"a comma before }", `{"a":1,}`,
			ucwa.JSONError{Offset: 7, Problem: `not JSON: invalid character '}' looking for beginning of object key string`}},
		{"a comma before ]", `{"a":[1,]}`,
			ucwa.JSONError{Pointer: "/a/1", Offset: 8, Problem: `not JSON: invalid character ']' looking for beginning of value`}},
		{"a comma missing", `{"me":{"name":"Dana" "rel":"me"}}`,
			ucwa.JSONError{Pointer: "/me", Offset: 21, Problem: `not JSON: invalid character '"' after object key:value pair`}},
		{"a colon missing", `{"a" 1}`,
			ucwa.JSONError{Pointer: "/a", Offset: 5, Problem: `not JSON: invalid character '1' after object key`}},
		{"parts left out, as the document prints them", `{"people":{...}}`,
			ucwa.JSONError{Pointer: "/people", Offset: 11, Problem: `not JSON: invalid character '.' looking for beginning of object key string`}},
		{"a number for a name", `{1:2}`,
			ucwa.JSONError{Offset: 1, Problem: `not JSON: invalid character '1' looking for beginning of object key string`}},
		{"] for }", `{"a":1]`, ucwa.JSONError{Offset: 6, Problem: `not JSON: invalid character ']' after object key:value pair`}},
		{"a broken literal, after blanks", "  {\"a\":\n tru}",
			ucwa.JSONError{Pointer: "/a", Offset: 12, Problem: `not JSON: invalid character '}' in literal true (expecting 'e')`}},
		{"a line end in a string", "[\"a\nb\"]",
			ucwa.JSONError{Pointer: "/0", Offset: 3, Problem: `not JSON: invalid character '\n' in string literal`}},
		{"after a byte order mark", "\xef\xbb\xbf{\"a\":x}",
			ucwa.JSONError{Pointer: "/a", Offset: 8, Problem: `not JSON: invalid character 'x' looking for beginning of value`}},

		{"cut off in an object", `{"a":{"b":1`, ucwa.JSONError{Pointer: "/a", Offset: 11, Problem: "not JSON: the text ends too early"}},
		{"cut off in an array", `{"a":[1,`, ucwa.JSONError{Pointer: "/a/1", Offset: 8, Problem: "not JSON: the text ends too early"}},
		{"cut off in a string", `{"a":"On`, ucwa.JSONError{Pointer: "/a", Offset: 8, Problem: "not JSON: the text ends too early"}},
		{"cut off in a name", `{"a`, ucwa.JSONError{Offset: 3, Problem: "not JSON: the text ends too early"}},

		{"Latin-1", "{\"name\":\"Ren\xe9\"}", ucwa.JSONError{Offset: 12, Problem: "not UTF-8"}},
		{"UTF-8 of a surrogate", "\"\xed\xa0\x80\"", ucwa.JSONError{Offset: 1, Problem: "not UTF-8"}},
		{"UTF-8 cut off, after a byte order mark", "\xef\xbb\xbf\"\xc3", ucwa.JSONError{Offset: 4, Problem: "not UTF-8"}},
		{"UTF-16", "\xff\xfe{\x00}\x00", ucwa.JSONError{Offset: 0, Problem: "not UTF-8"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			value, err := ucwa.DecodeJSON([]byte(test.text))
			var got *ucwa.JSONError
			if !errors.As(err, &got) {
				t.Fatalf("got %v and the error %v, want a *JSONError", value, err)
			}
			if *got != test.want {
				t.Errorf("got  %+v\nwant %+v", *got, test.want)
			}
			if value != nil {
				t.Errorf("got %v beside the error", value)
			}
		})
	}
}

func TestDecodeJSONBounds(t *testing.T) {
	nested := func(levels int) string { return strings.Repeat(`{"a":[`, levels/2) + strings.Repeat(`]}`, levels/2) }
	padded := func(size int) string { return `{}` + strings.Repeat(" ", size-2) }
	for _, test := range []struct {
		name string
		text string
		want string
	}{
		{"as deep as may be", nested(ucwa.MaxDepth), ""},
		{"too deep", nested(ucwa.MaxDepth + 2), "JSON nested more than 64 levels deep (byte 193)"},
		{"deep enough to exhaust a stack", strings.Repeat("[", ucwa.MaxBody), "JSON nested more than 64 levels deep (byte 65)"},
		{"as long as may be", padded(ucwa.MaxBody), ""},
		{"too long", padded(ucwa.MaxBody + 1), "4194305 bytes of JSON, at most 4194304 are read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ucwa.DecodeJSON([]byte(test.text))
			if got := message(err); got != test.want {
				t.Errorf("got the error %q, want %q", got, test.want)
			}
		})
	}
}

func TestDecodeJSONLeavesItsInputAlone(t *testing.T) {
	text := []byte("\xef\xbb\xbf{\"a\":[1]}")
	before := bytes.Clone(text)
	if _, err := ucwa.DecodeJSON(text); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, before) {
		t.Errorf("now it is %q", text)
	}
}

func TestJSONErrorTellsWhere(t *testing.T) {
	for _, test := range []struct {
		err  ucwa.JSONError
		want string
	}{
		{ucwa.JSONError{Problem: "wrong", Offset: -1}, "wrong"},
		{ucwa.JSONError{Problem: "wrong", Offset: 0}, "wrong (byte 0)"},
		{ucwa.JSONError{Problem: "wrong", Offset: -1, Pointer: "/a/0"}, "wrong at /a/0"},
		{ucwa.JSONError{Problem: "wrong", Offset: 7, Pointer: "/a/0"}, "wrong at /a/0 (byte 7)"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// FuzzDecodeJSON holds DecodeJSON against encoding/json: both read the same, and
// DecodeJSON refuses no valid text but for a name that occurs twice and for depth.
func FuzzDecodeJSON(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `[]`, `null`, `"a"`, `-0.1e+9`, `[1,2,{"a":[true,false,null]}]`, `{"a":1,"a":2}`, `{"a":1,}`, `[1 2]`, `{"a" 1}`,
		`{} {}`, `01`, "\xef\xbb\xbf{}", "\"\xff\"", `"\ud800"`, `{"\ud800":1,"\udbff":2}`, `"\u0000<>&\u2028"`, `{"a~/b":{"":{}}}`, `1e400`,
		strings.Repeat("[", 65) + strings.Repeat("]", 65), `{"a":tru`, `{1:2}`, `]`, `,`, `:`, " \t\r\n1 \v",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
		value, err := ucwa.DecodeJSON(data)
		if err != nil {
			var fault *ucwa.JSONError
			if !errors.As(err, &fault) || value != nil || fault.Offset < -1 || fault.Offset > int64(len(data)) {
				t.Fatalf("%v and the error %#v", value, err)
			}
			ours := strings.Contains(fault.Problem, "occurs twice") || strings.Contains(fault.Problem, "levels deep")
			if json.Valid(text) && utf8.Valid(text) && !ours {
				t.Fatalf("encoding/json finds it valid, DecodeJSON does not: %v", err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatalf("encoding/json finds it invalid, DecodeJSON reads %#v", value)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(value, want) {
			t.Fatalf("read as %#v, by encoding/json as %#v", value, want)
		}
		again, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := ucwa.DecodeJSON(again); err != nil || !reflect.DeepEqual(second, value) {
			t.Fatalf("read as %#v, written as %s, then read as %#v, %v", value, again, second, err)
		}
	})
}

// message returns the text of err, "" for none.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
