package cassettes

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// interaction reads one item of a list of exchanges. In the list of failures an item says why it failed, and may have no
// response.
func (l *loader) interaction(node *yaml.Node) (Exchange, error) {
	x := Exchange{Interaction: new(Interaction)}
	failed := l.list != "interactions"
	s := l.section("", node)
	s.integer("id", &x.ID)
	if failed {
		s.text("failure", &x.Failure)
		s.need("failure", x.Failure != "", "why the exchange failed")
	}
	s.need("request", !null(s.fields["request"]), "the recorded request")
	if s.err == nil {
		s.err = l.request(s.fields["request"], &x.Request)
	}
	s.need("response", failed || !null(s.fields["response"]), "the recorded response")
	if s.err == nil && !null(s.fields["response"]) {
		s.err = l.response(s.fields["response"], &x.Response)
	}
	if l.old {
		x.Request.ContentLength, x.Response.ContentLength = oldLength(x.Request), -1
		for _, message := range []struct {
			proto        *string
			major, minor *int
		}{{&x.Request.Proto, &x.Request.ProtoMajor, &x.Request.ProtoMinor}, {&x.Response.Proto, &x.Response.ProtoMajor, &x.Response.ProtoMinor}} {
			*message.proto, *message.major, *message.minor = "HTTP/1.1", 1, 1
		}
	}
	return x.clone(), s.err
}

// oldLength is the length of a request's body in a format that does not tell it, -1 if the body may not have been kept.
func oldLength(r cassette.Request) int64 {
	if r.Body != "" || r.Method == http.MethodGet || r.Method == http.MethodDelete {
		return int64(len(r.Body))
	}
	if n, err := strconv.ParseInt(strings.Join(HeaderValues(r.Headers, "Content-Length"), ","), 10, 64); err == nil && n >= 0 {
		return n
	}
	return -1
}

func (l *loader) request(node *yaml.Node, r *cassette.Request) error {
	s := l.section("request", node)
	s.text("proto", &r.Proto)
	s.integer("proto_major", &r.ProtoMajor)
	s.integer("proto_minor", &r.ProtoMinor)
	s.decode("content_length", &r.ContentLength, "a whole number")
	s.list("transfer_encoding", &r.TransferEncoding)
	s.values("trailer", (*map[string][]string)(&r.Trailer))
	s.text("host", &r.Host)
	s.text("remote_addr", &r.RemoteAddr)
	s.text("request_uri", &r.RequestURI)
	s.text("body", &r.Body)
	s.values("form", (*map[string][]string)(&r.Form))
	s.values("headers", (*map[string][]string)(&r.Headers))
	s.text("url", &r.URL)
	s.text("method", &r.Method)
	s.need("method", r.Method != "", "the method of the request, such as GET")
	s.need("url", r.URL != "", "the absolute URL of the request")
	if s.err != nil {
		return s.err
	}
	switch u, err := url.Parse(r.URL); {
	case err != nil:
		// The error would show a piece of the URL, which can be one of a password.
		return s.fail("url", "is no URL: expected the absolute URL of the request")
	case u.Scheme == "" || u.Host == "":
		return s.fail("url", "is %q: expected an absolute URL, with scheme and host", shorten(r.URL))
	}
	return nil
}

func (l *loader) response(node *yaml.Node, r *cassette.Response) error {
	s := l.section("response", node)
	s.text("proto", &r.Proto)
	s.integer("proto_major", &r.ProtoMajor)
	s.integer("proto_minor", &r.ProtoMinor)
	s.list("transfer_encoding", &r.TransferEncoding)
	s.values("trailer", (*map[string][]string)(&r.Trailer))
	s.decode("content_length", &r.ContentLength, "a whole number")
	s.decode("uncompressed", &r.Uncompressed, "true or false")
	s.text("body", &r.Body)
	s.values("headers", (*map[string][]string)(&r.Headers))
	s.text("status", &r.Status)
	s.integer("code", &r.Code)
	if node := s.fields["duration"]; null(node) || node.Value != "" || node.Kind != yaml.ScalarNode { // go-vcr v1 leaves it empty
		s.decode("duration", &r.Duration, "a duration, such as 100ms")
	}
	s.need("code", !null(s.fields["code"]), "the status code of the response, such as 200")
	if s.err == nil && (r.Code < 100 || r.Code > 999) {
		return s.fail("code", "is %d: expected a status code of three digits, such as 200", r.Code)
	}
	if s.err == nil && r.Duration < 0 {
		return s.fail("duration", "is %s: expected how long the answer took, such as 100ms, which is not less than zero", r.Duration)
	}
	return s.err
}

// section reads the fields of one mapping of the schema into Go values. It keeps the first error. A field that is absent or
// null leaves its value alone, as in go-vcr.
type section struct {
	loader *loader
	name   string
	node   *yaml.Node
	fields map[string]*yaml.Node
	err    error
}

func (l *loader) section(name string, node *yaml.Node) *section {
	fields, err := l.mapping(node, name)
	return &section{loader: l, name: name, node: node, fields: fields, err: err}
}

func (s *section) path(field string) string { return strings.Trim(s.name+"."+field, ".") }

func (s *section) fail(field, format string, args ...any) error {
	return s.loader.fail(cmp.Or(s.fields[field], s.node), s.path(field), format, args...)
}

func (s *section) need(field string, present bool, expected string) {
	if s.err == nil && !present {
		s.err = s.fail(field, "is missing: expected %s; restore it or record the exchange again", expected)
	}
}

func (s *section) decode(field string, value any, expected string) {
	node := s.fields[field]
	if s.err != nil || null(node) {
		return
	}
	// Only scalars: yaml compares the keys of a mapping pairwise before it sees that the type is wrong.
	if node.Kind != yaml.ScalarNode || node.Decode(value) != nil {
		s.err = s.fail(field, "expected %s, found %s", expected, found(node))
	}
}

func (s *section) integer(field string, value *int) { s.decode(field, value, "a whole number") }

func (s *section) text(field string, value *string) {
	if node := s.fields[field]; s.err == nil && !null(node) {
		*value, s.err = s.loader.text(node, s.path(field))
	}
}

func (s *section) time(field string, value *time.Time) {
	var text string
	s.text(field, &text)
	if s.err != nil || text == "" {
		return
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		s.err = s.fail(field, "expected a time as in 2013-01-17T00:00:00Z, found %q", shorten(text))
	}
	*value = t
}

func (s *section) list(field string, value *[]string) {
	if node := s.fields[field]; s.err == nil && !null(node) {
		*value, s.err = s.loader.texts(node, s.path(field))
	}
}

func (s *section) values(field string, value *map[string][]string) {
	node := s.fields[field]
	if s.err != nil || null(node) {
		return
	}
	fields, err := s.loader.mapping(node, s.path(field))
	*value = make(map[string][]string, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if err == nil {
			(*value)[name], err = s.loader.texts(fields[name], s.path(field)+"["+shorten(name)+"]")
		}
	}
	s.err = err
}

// mapping returns the values of a mapping by key.
func (l *loader) mapping(node *yaml.Node, field string) (map[string]*yaml.Node, error) {
	if node.Kind != yaml.MappingNode {
		return nil, l.fail(node, field, "expected a mapping, found %s", found(node))
	}
	fields := make(map[string]*yaml.Node, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if key.ShortTag() == "!!merge" {
			return nil, l.fail(key, field, `has a YAML merge key: if "<<" is data, put it in quotes`)
		}
		name, err := l.text(key, field)
		if err != nil {
			return nil, err
		}
		if fields[name] != nil {
			return nil, l.fail(key, field, "has the key %q a second time: remove one of them", shorten(name))
		}
		fields[name] = node.Content[i+1]
	}
	return fields, nil
}

// texts returns a list of strings.
func (l *loader) texts(node *yaml.Node, field string) ([]string, error) {
	if null(node) {
		return nil, nil
	}
	if node.Kind != yaml.SequenceNode {
		return nil, l.fail(node, field, "expected a list of strings, found %s", found(node))
	}
	list := make([]string, 0, len(node.Content))
	for _, item := range node.Content {
		text, err := l.text(item, field)
		if err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, nil
}

// text returns a scalar as go-vcr reads it into a string: as it is written, whatever its type.
func (l *loader) text(node *yaml.Node, field string) (string, error) {
	switch {
	case node.Kind != yaml.ScalarNode:
		return "", l.fail(node, field, "expected a string, found %s", found(node))
	case null(node):
		return "", nil
	case node.ShortTag() == "!!binary":
		decoded, err := base64.StdEncoding.DecodeString(node.Value)
		if err != nil {
			return "", l.fail(node, field, "is marked as !!binary but is not base64 (%v): restore it or record the exchange again", err)
		}
		return string(decoded), nil
	}
	return node.Value, nil
}

func null(node *yaml.Node) bool {
	return node == nil || node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// found describes a node in a message. A longer text is not shown: it may be a secret, which does not belong into a log.
func found(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case null(node):
		return "nothing"
	}
	if len(node.Value) > 20 {
		return "a text"
	}
	return `"` + node.Value + `"`
}

// shorten keeps a message readable whatever the file holds.
func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
