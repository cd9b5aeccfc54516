package ucwatest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

const (
	maxBody = 1 << 20 // bytes of a request body
	maxText = 4096    // characters of one text in it; the documentation gives no bound
	maxList = 10_000  // members of one list in it; the same
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
	twice  []string        // those that the query has twice
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

// query adds the parameters of a request's query that its body does not have: input can be
// in either. Source: "Query parameters".
func (f *fields) query(r *http.Request) error {
	asked, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return refuse(http.StatusBadRequest, "", "The query cannot be read.")
	}
	for key, given := range parameters(asked) {
		if _, sent := f.values[key]; sent {
			continue
		}
		if f.loose == nil {
			f.loose = map[string]bool{}
		}
		raw, err := json.Marshal(given[0])
		if err != nil {
			panic(err) // a string can be marshalled
		}
		if f.values[key], f.loose[key] = raw, true; len(given) > 1 {
			f.twice = append(f.twice, key)
		}
	}
	return nil
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

// check holds what was sent to what the reference has of the operation: what is required,
// the types, the bounds and the enumerations. A client that asks for the second revision of
// a resource, which can require more, is held to that.
func (c *call) check() error {
	page, known := api.ResourceOf(c.row.page)
	switch {
	case !known, c.row.page == "events": // which has bounds of its own
		return nil
	case c.row.page == "sendMessage": // real servers do without its operationId
		return nil
	}
	op, there := page.Operation(c.method)
	if c.revision == newest || slices.Contains(revised, page.Rel) {
		second, _ := api.Newest(page.Rel)
		if more, has := second.Operation(c.method); has && len(more.Body)+len(more.Query) > 0 { // as that of applications has not
			op, there = more, true
		}
	}
	if !there {
		return nil
	}
	for i := range op.Body {
		c.fields.hold(&op.Body[i])
	}
	for i, p := range op.Query {
		if same, _ := op.Parameter(p.Name); same == &op.Query[i] { // and not of the body, too
			c.fields.hold(same)
		}
	}
	return c.fields.err()
}

// hold rejects what is sent for a parameter and is not what the reference has.
func (f *fields) hold(p *api.Parameter) {
	raw := f.values[strings.ToLower(p.Name)]
	missing := raw == nil || string(raw) == "null"
	switch {
	case slices.Contains(f.twice, strings.ToLower(p.Name)):
		f.reject(p.Name, "occurs twice in the query")
	case p.Array:
		var list []*string // a null in an array is no member
		if !missing && !f.into(p.Name, &list) {
			f.reject(p.Name, "is not an array of strings")
			return
		}
		if len(list) > maxList {
			f.reject(p.Name, fmt.Sprintf("has more than %d members", maxList))
			return
		}
		for _, s := range list {
			if s == nil || p.Values != nil && !slices.Contains(p.Values, *s) {
				f.reject(p.Name, "has a member that is none of "+strings.Join(p.Values, ", "))
				return
			}
		}
		missing = len(list) == 0
	case missing || p.Type == "ExternalResource":
	case p.Number():
		var n int
		if !f.into(p.Name, &n) || p.Max > 0 && (n < p.Min || n > p.Max) {
			f.reject(p.Name, fmt.Sprintf("is no number from %d to %d", p.Min, p.Max))
		}
	case p.Type == "Boolean":
		if !f.into(p.Name, new(bool)) {
			f.reject(p.Name, "is not true or false")
		}
	case p.Type == "" && p.Max == 0: // which the reference says nothing of
		missing = string(raw) == `""`
	default:
		var s string
		most := p.Max
		if most == 0 {
			most = maxText // of which the reference says nothing
		}
		switch {
		case json.Unmarshal(raw, &s) != nil:
			f.reject(p.Name, "is not a string")
		case p.Values != nil && !slices.Contains(p.Values, s):
			f.reject(p.Name, "is none of "+strings.Join(p.Values, ", "))
		case utf8.RuneCountInString(s) > most:
			f.reject(p.Name, fmt.Sprintf("has more than %d characters", most))
		}
		missing = strings.TrimSpace(s) == ""
	}
	if p.Required && missing && !slices.ContainsFunc(f.bad, func(b badParameter) bool { return b.Name == p.Name }) {
		f.reject(p.Name, "is missing")
	}
}

// into decodes a property into v, and tells whether it was there and could be.
func (f *fields) into(name string, v any) bool {
	raw, sent := f.values[strings.ToLower(name)]
	if !sent || string(raw) == "null" {
		return false
	}
	if json.Unmarshal(raw, v) == nil {
		return true
	}
	var text string
	return f.loose[strings.ToLower(name)] && json.Unmarshal(raw, &text) == nil && json.Unmarshal([]byte(text), v) == nil
}

func (f *fields) reject(name, reason string) {
	f.bad = append(f.bad, badParameter{name, reason})
}

// text is the value of a string, empty if it was not sent.
func (f *fields) text(name string) (s string) {
	f.into(name, &s)
	return s
}

// list is the value of an array of strings, each of them once.
func (f *fields) list(name string) (some []string) {
	var list []string
	f.into(name, &list)
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			some = append(some, s)
		}
	}
	return some
}

// number is the value of a number, 0 if it was not sent.
func (f *fields) number(name string) (n int) {
	f.into(name, &n)
	return n
}

// take takes over a property of which the reference has no type, if it was sent.
func (f *fields) take(name string, v any, kind string) {
	if raw := f.values[strings.ToLower(name)]; raw != nil && string(raw) != "null" && !f.into(name, v) {
		f.reject(name, "is not "+kind)
	}
}

// err is what the fields read so far are refused with, if anything.
func (f *fields) err() error {
	if len(f.bad) > 0 {
		return invalid(f.bad)
	}
	return nil
}
