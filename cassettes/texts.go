package cassettes

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// clone returns a deep copy.
func (c *Cassette) clone() *Cassette {
	copied := *c
	copied.Provenance = c.Provenance.clone()
	copied.Exchanges = make([]Exchange, 0, len(c.Exchanges))
	for _, x := range c.Exchanges {
		copied.Exchanges = append(copied.Exchanges, x.clone())
	}
	return &copied
}

// change changes every text of a cassette that can hold a secret. It is told the name of the field where there is one.
func (c *Cassette) change(change func(name, text string) string) {
	for i := range c.Exchanges {
		x := &c.Exchanges[i]
		changeBody(&x.Request.Body, &x.Request.ContentLength, x.Request.Headers, change)
		changeBody(&x.Response.Body, &x.Response.ContentLength, x.Response.Headers, change)
		for _, text := range []*string{&x.Request.URL, &x.Request.RequestURI, &x.Request.Host, &x.Response.Status, &x.Failure} {
			*text = change("", *text)
		}
		changeNames(x.Request.Form, change)
		for _, values := range []map[string][]string{x.Request.Form, x.Request.Headers, x.Request.Trailer, x.Response.Headers, x.Response.Trailer} {
			for _, name := range slices.Sorted(maps.Keys(values)) {
				for i, value := range values[name] {
					values[name][i] = change(name, value)
				}
			}
		}
	}
	p := &c.Provenance
	for _, text := range []*string{&p.Tool, &p.Server, &p.Source, &p.Task, &p.Ledger} {
		*text = change("", *text)
	}
	for _, list := range [][]string{p.Absent, p.Repairs} {
		for i := range list {
			list[i] = change("", list[i])
		}
	}
}

// changeBody changes a body, and with it the lengths that were true.
func changeBody(body *string, length *int64, header http.Header, change func(name, text string) string) {
	was := len(*body)
	if *body = change("", *body); len(*body) == was {
		return
	}
	if *length == int64(was) {
		*length = int64(len(*body))
	}
	for name, values := range header {
		if http.CanonicalHeaderKey(name) != "Content-Length" {
			continue
		}
		for i, value := range values {
			if value == strconv.Itoa(was) {
				values[i] = strconv.Itoa(len(*body))
			}
		}
	}
}

// changeNames changes the names in a form: where a body was no form, they hold pieces of it.
func changeNames(form url.Values, change func(name, text string) string) {
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if changed := change("", name); changed != name {
			form[changed] = append(form[changed], form[name]...)
			delete(form, name)
		}
	}
}

// message is a request or a response of an exchange.
type message struct {
	header http.Header
	body   *string
	length *int64
}

func (x *Exchange) messages() []message {
	return []message{{x.Request.Headers, &x.Request.Body, &x.Request.ContentLength}, {x.Response.Headers, &x.Response.Body, &x.Response.ContentLength}}
}

// image tells whether the body is a picture.
func (m message) image() bool {
	if *m.body == "" || isPseudonym(*m.body) {
		return false
	}
	for name, values := range m.header {
		if strings.EqualFold(name, "Content-Type") && slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(strings.ToLower(strings.TrimSpace(v)), "image/") }) {
			return true
		}
	}
	return false
}

// chat tells whether the body is what people wrote to each other, as sendMessage sends it: a text, below a conversation.
func (m message) chat(x *Exchange) bool {
	path := strings.ToLower(x.Request.URL)
	if *m.body == "" || isPseudonym(*m.body) || !strings.Contains(path, "/messaging/") && !strings.Contains(path, "/conversations/") && !strings.Contains(path, "/messages") {
		return false
	}
	for name, values := range m.header {
		if strings.EqualFold(name, "Content-Type") && slices.ContainsFunc(values, func(v string) bool {
			media, _, _ := strings.Cut(strings.ToLower(v), ";")
			return strings.TrimSpace(media) == "text/plain" || strings.TrimSpace(media) == "text/html"
		}) {
			return m.body == &x.Request.Body || x.Response.Code/100 == 2
		}
	}
	return false
}

type field struct {
	where, field string
	values       []string
}

// fields returns all the texts of an exchange, with their names.
func (x *Exchange) fields() []field {
	list := []field{
		{"the URL", "", []string{x.Request.URL, x.Request.RequestURI}},
		{"the host", "Host", []string{x.Request.Host, x.Request.RemoteAddr}},
		{"the request's body", "", []string{x.Request.Body}},
		{"the response's body", "", []string{x.Response.Body}},
		{"the status", "", []string{x.Response.Status}},
		{"the failure", "", []string{x.Failure}},
	}
	for _, values := range []struct {
		where  string
		values map[string][]string
	}{{"the form", x.Request.Form}, {"the request's header", x.Request.Headers}, {"the request's trailer", x.Request.Trailer},
		{"the response's header", x.Response.Headers}, {"the response's trailer", x.Response.Trailer}} {
		for _, name := range slices.Sorted(maps.Keys(values.values)) {
			list = append(list, field{values.where + " " + name, name, values.values[name]}, field{values.where + ", a name", "", []string{name}})
		}
	}
	return list
}

// maxRemembered bounds the texts that are remembered as done: short ones occur again and again.
const maxRemembered = 512

// remembered has a change done once for texts that occur again.
func remembered(change func(text string) string) func(name, text string) string {
	done := map[string]string{}
	return func(_, text string) string {
		changed, ok := done[text]
		if !ok {
			if changed = change(text); len(text) <= maxRemembered {
				done[text] = changed
			}
		}
		return changed
	}
}
