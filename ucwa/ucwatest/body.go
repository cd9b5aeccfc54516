package ucwatest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

const (
	maxBody = 1 << 20 // bytes of a request body
	maxText = 4096    // bytes of one text in it; the documentation gives no bound
)

// readBody reads the whole body whatever the method: only then does net/http
// watch the connection and notice that a client has hung up.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "", "The body could not be read.")
	}
	if len(body) > maxBody {
		return nil, refuse(http.StatusRequestEntityTooLarge, "", "The body is larger than 1 MiB.")
	}
	return body, nil
}

// supported tells whether the body is of a media type, and in a coding, that
// the server reads. A body of no stated type is of no supported type.
func supported(h http.Header) bool {
	coding := h.Get("Content-Encoding")
	if coding != "" && !strings.EqualFold(coding, "identity") {
		return false
	}
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	return slices.Contains(resourceTypes, mediaType)
}

// parse reads a body of a type that is supported.
func parse(h http.Header, body []byte) (*fields, error) {
	mediaType, _, _ := mime.ParseMediaType(h.Get("Content-Type")) // if there is no body, none is needed
	if isXML(mediaType) {
		return parseXML(body)
	}
	return parseFields(body)
}

// fields are the properties of a request body. Names match in any casing (the
// documentation itself varies), unknown ones are ignored, null counts as
// absent. What is wrong with the values gathers in bad.
type fields struct {
	values map[string]json.RawMessage
	loose  map[string]bool // those that came as text, whatever they are
	bad    []badParameter
}

// parseFields reads a body; an empty one has no properties.
func parseFields(body []byte) (*fields, error) {
	f := &fields{values: map[string]json.RawMessage{}}
	if len(bytes.TrimSpace(body)) == 0 {
		return f, nil
	}
	// json.Valid allows one value only: nothing may trail it. Nor is there a comma after the
	// last property, as "Create an application" prints it: what a real server makes of that
	// nobody has written down.
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, notParsed("The body is not JSON.")
	}
	if !distinct(json.NewDecoder(bytes.NewReader(body))) {
		return nil, notParsed("A name occurs twice in an object of the body.")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, notParsed("The body is not a JSON object.")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, notParsed("The body is not JSON.")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, notParsed("The body is not JSON.")
		}
		key := strings.ToLower(name.(string))
		if _, twice := f.values[key]; twice {
			return nil, notParsed("A name occurs twice in the body, in different casing.")
		}
		f.values[key] = value
	}
	return f, nil
}

// distinct tells whether no object in the next value has a name twice: readers
// differ in which of the two they believe.
func distinct(d *json.Decoder) bool {
	t, err := d.Token()
	if err != nil {
		return false
	}
	delim, nested := t.(json.Delim)
	if !nested {
		return true
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			name, err := d.Token()
			if err != nil || seen[name.(string)] {
				return false
			}
			seen[name.(string)] = true
		}
		if !distinct(d) {
			return false
		}
	}
	_, err = d.Token()
	return err == nil
}

// value decodes a property into v, and tells whether it was there.
func (f *fields) value(name string, v any, kind string) bool {
	raw, ok := f.values[strings.ToLower(name)]
	if !ok || string(raw) == "null" {
		return false
	}
	if json.Unmarshal(raw, v) == nil {
		return true
	}
	var text string
	if !f.loose[strings.ToLower(name)] || json.Unmarshal(raw, &text) != nil || json.Unmarshal([]byte(text), v) != nil {
		f.reject(name, "is not "+kind)
		return false
	}
	return true
}

func (f *fields) reject(name, reason string) {
	f.bad = append(f.bad, badParameter{name, reason})
}

// query adds the parameters of the request's query that the body does not have:
// the reference lets some operations take theirs from either.
func (c *call) query(names ...string) {
	f, query := c.fields, parameters(c.request.URL.Query())
	for _, name := range names {
		key := strings.ToLower(name)
		given := query[key]
		if _, sent := f.values[key]; sent || len(given) == 0 {
			continue
		}
		if len(given) > 1 {
			f.reject(name, "occurs twice in the query")
			continue
		}
		raw, err := json.Marshal(given[0])
		if err != nil {
			panic(err) // a string can be marshalled
		}
		if f.loose == nil {
			f.loose = map[string]bool{}
		}
		f.values[key], f.loose[key] = raw, true
	}
}

// parameters are those of a query by name in lower case: like those of properties, their
// names match in any casing.
func parameters(query url.Values) url.Values {
	p := url.Values{}
	for name, values := range query {
		name = strings.ToLower(name)
		p[name] = append(p[name], values...)
	}
	return p
}

// text is the value of an optional string.
func (f *fields) text(name string) string {
	var s string
	if f.value(name, &s, "a string") && len(s) > maxText {
		f.reject(name, "is too long")
	}
	return s
}

// documented is what the page of a resource says of a parameter of its operations.
func documented(resource, name string) *api.Parameter {
	r, _ := api.ResourceOf(resource)
	p, _ := r.Parameter(name)
	return p
}

// required is the value of a string that must be there, of as many characters as the page
// of a resource allows.
func (f *fields) required(resource, name string) string {
	most := documented(resource, name).Max
	before := len(f.bad)
	s := f.text(name)
	switch {
	case len(f.bad) > before:
	case strings.TrimSpace(s) == "":
		f.reject(name, "is missing")
	case most > 0 && utf8.RuneCountInString(s) > most:
		f.reject(name, "has more than "+strconv.Itoa(most)+" characters")
	}
	return s
}

// oneOf is the value of an optional property of which the page of a resource lists
// the values, in the documented casing.
func (f *fields) oneOf(resource, name string) string {
	allowed := documented(resource, name).Values
	var s string
	if f.value(name, &s, "a string") && !slices.Contains(allowed, s) {
		f.reject(name, "is none of "+strings.Join(allowed, ", "))
	}
	return s
}

// someOf is the value of an optional array of such values.
func (f *fields) someOf(resource, name string) []string {
	allowed := documented(resource, name).Values
	var list []*string // a null in an array is no member
	if !f.value(name, &list, "an array of strings") {
		return nil
	}
	var some []string
	for _, s := range list {
		if s == nil || !slices.Contains(allowed, *s) {
			f.reject(name, "has a member that is none of "+strings.Join(allowed, ", "))
			return nil
		}
		if !slices.Contains(some, *s) {
			some = append(some, *s)
		}
	}
	return some
}

// err is what the fields read so far are refused with, if anything.
func (f *fields) err() error {
	if len(f.bad) > 0 {
		return invalid(f.bad)
	}
	return nil
}
