package suite

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// Fault is one misbehaviour that follows from a check: what is put where the check looks, and nothing else. What is wrong
// there comes from the API reference and from the kind of what is expected, not from what the check accepts.
type Fault struct {
	Name        string // such as "set-presence.2.status/200"
	Requirement string
	Subject     string // server, client
	Field       string // at which the requirement must see it
	Roles       []string

	put func(x *cassettes.Interaction, v any)
	sample
}

// Does says in a sentence what is wrong.
func (f Fault) Does() string {
	role := roleOf(f.Roles[0])
	asked := "the " + role.title
	if role.title == "" {
		asked = "what must be refused (" + role.name + ")"
	}
	switch {
	case role.name == partEvents:
		return f.Field + " of an answer on the event channel " + f.does
	case strings.HasPrefix(f.Field, "request "):
		return f.Field + " of " + asked + " " + f.does
	}
	return f.Field + " of the answer to " + asked + " " + f.does
}

// Edit puts the fault on an exchange that plays one of its roles.
func (f Fault) Edit(x *cassettes.Interaction) {
	v := f.v
	if of, ok := v.(func(*cassettes.Interaction) any); ok {
		v = of(x)
	}
	f.put(x, v)
}

// Touches reports whether what stands at a field is changed with the fault.
func (f Fault) Touches(field string) bool {
	return field == f.Field || strings.HasPrefix(field, f.Field) && field[len(f.Field)] == '.' || f.Field == atStatus && field == atBody
}

// Derived returns the faults that follow from the checks, in the order of the requirements.
func Derived() []Fault {
	list := make([]Fault, 0, 1000)
	for _, l := range Ledgers() {
		for i := range l.Requirements {
			switch k := l.Requirements[i].kind.(type) {
			case fields:
				list = k.breaks(&l.Requirements[i], list)
			case trace:
				list = k.breaks(&l.Requirements[i], list)
			}
		}
	}
	return list
}

// touched are the roles of the answers that a check looks at.
func (f fields) touched() []string {
	if f.from == nil {
		return []string{f.role}
	}
	return f.on
}

// breaks adds what breaks a check on fields.
func (f fields) breaks(r *Requirement, list []Fault) []Fault {
	roles := f.touched()
	if len(roles) == 0 {
		return list
	}
	first := len(list)
	for i := range f.list {
		at := &f.list[i]
		if at.put == nil || slices.ContainsFunc(f.list[:i], func(before fieldAt) bool { return before.name == at.name }) {
			continue
		}
		of := r.ID + "/"
		if i > 0 {
			of += at.name[strings.LastIndexAny(at.name, ". ")+1:] + "-"
		}
		for _, s := range at.bad(roles[0]) {
			name := of + s.slug
			if f.optional && s.slug == "missing" || slices.ContainsFunc(list[first:], func(before Fault) bool { return before.Name == name }) {
				continue
			}
			list = append(list, Fault{Name: name, Requirement: r.ID, Subject: r.Subject, Field: at.name, Roles: roles, put: at.put, sample: s})
		}
	}
	return list
}

// breaks adds what breaks a trace.
func (k trace) breaks(r *Requirement, list []Fault) []Fault {
	for _, f := range k.fault {
		for _, s := range f.wrong {
			list = append(list, Fault{Name: r.ID + "/" + s.slug, Requirement: r.ID, Subject: r.Subject, Field: f.name, Roles: []string{f.role}, put: f.put, sample: s})
		}
	}
	return list
}

// sample is a value that is wrong somewhere, or right.
type sample struct {
	slug, does string
	v          any // what is put there; nothing takes away what is there; a function of the exchange returns it
}

// nothing takes away what is there.
var nothing = new(int)

// The ways in which anything can be wrong.
var (
	missing = sample{"missing", "is missing", nothing}
	isNull  = sample{"null", "is null", nil}
	asEmpty = sample{"empty", "is empty", ""}
	asText  = sample{"text", "is a text", "conform"}
	asNone  = sample{"number", "is a number", 42}
	asList  = sample{"list", "is a list", []any{}}
)

// brokenBodies are bodies that are not one JSON object.
var brokenBodies = []sample{
	{"empty", "is empty", ""},
	{"page", "is a page", "<!DOCTYPE html><title>conform</title>"},
	{"cut", "is cut in the middle", func(body string) string { return body[:len(body)/2] }},
	{"listed", "is in a list", func(body string) string { return "[" + body + "]" }},
	{"comma", "has a comma too many", func(body string) string { return strings.TrimSuffix(body, "}") + ",}" }},
	{"twice", "is there twice", func(body string) string { return body + body }},
}

// asPage and asGarbage are what header fields can be.
var (
	asPage    = sample{"page", "is text/html", "text/html"}
	asGarbage = sample{"garbled", "is ?", "?"}
)

// being is another value than the one that is right.
func being(value any) sample { return sample{"other", fmt.Sprintf("is %v", value), value} }

// linkTo is a link that leads where it should not.
func linkTo(slug, does, href string) sample {
	return sample{slug, does, map[string]any{"href": href}}
}

// elsewhere are the ways in which a link can be wrong.
var (
	noHref             = sample{"no-href", "has no href", map[string]any{}}
	emptyHref          = linkTo("empty", "has an empty href", "")
	anotherHost        = linkTo("another-host", "leads to another host", "https://frontend.example/ucwa/oauth/v1/applications/101?ack=1")
	anotherApplication = linkTo("another-application", "leads to another application", "/ucwa/oauth/v1/applications/99999999999?ack=1")
	plainHTTP          = linkTo("http", "leads to plain http", "http://lyncweb.contoso.com/conform")
	noURL              = linkTo("no-url", "has an href that is no URL", "photos/100%@contoso.com")
)

// withQuery is a link to the same place with another query.
func withQuery(slug, does, path, query string) sample {
	return sample{slug, does, func(x *cassettes.Interaction) any {
		u, err := url.Parse(x.Request.URL)
		if err != nil {
			return nil
		}
		return map[string]any{"href": u.Path + path + query}
	}}
}

// bad returns what is wrong at a place of what plays a role: what the facts say of the place, and what the page adds.
func (a *fieldAt) bad(role string) []sample {
	if a.name == atStatus {
		return wrongStatuses(role, a)
	}
	m, _ := a.want.(matcher)
	if m.only {
		return m.bad
	}
	var list []sample
	if !a.spare && !a.whole && a.name != atBody && !a.spoken {
		list = append(list, missing)
	}
	for _, s := range append(wrongAt(role, a.path), a.wrong...) {
		text, isText := s.v.(string)
		switch {
		case strings.Contains(a.name, "header ") && (!isText || text == ""): // which a field cannot be, or is not sent
		case a.spoken && (isText || s.v == nil || s.slug == "list"): // of that the check before speaks
		default:
			list = append(list, s)
		}
	}
	return list
}

// wrongAt returns what is wrong at a member of the JSON in an answer, whatever a check accepts there. Sources: "Web links" and the
// samples of the pages for links, the API reference for properties and their types.
func wrongAt(role string, path []string) []sample {
	if len(path) == 0 {
		return nil
	}
	name, holder := path[len(path)-1], ""
	if len(path) > 1 {
		holder = path[len(path)-2]
	}
	switch {
	case holder == "_links" && (name == "photo" || name == "xframe"): // which may lie anywhere
		return []sample{isNull, noHref, emptyHref, noURL}
	case holder == "_links" && (role == partRoot || role == partUser): // which lead on to other hosts
		return []sample{isNull, noHref, emptyHref, plainHTTP}
	case holder == "_links" && role == partCreate: // below no application yet
		return []sample{isNull, asText, noHref, emptyHref, anotherHost}
	case holder == "_links":
		return []sample{isNull, asText, noHref, emptyHref, anotherHost, anotherApplication}
	case holder == "_embedded":
		return []sample{isNull, asList, asText}
	case name == "rel":
		another := "people"
		if holder == another {
			another = "me"
		}
		return []sample{isNull, asEmpty, {"other", "is another value", "conform"}, {"another-resource", "is that of another resource", another}}
	}
	of := roleOf(role).resource()
	if len(path) > 2 && path[len(path)-3] == "_embedded" {
		of = holder
	}
	resource, ok := api.ResourceOf(of)
	if !ok {
		return nil
	}
	property, ok := resource.Property(name)
	switch {
	case !ok:
		return nil
	case property.Type == "array":
		return []sample{isNull, asText}
	case property.Enum != "" || property.URI != "":
		return []sample{isNull, asNone, {"other", "is another value", "conform"}}
	case property.Type == "string":
		return []sample{isNull, asNone}
	}
	return nil
}

// statuses are those that servers answer with in place of others.
var statuses = []sample{
	{"200", "is 200 OK", 200}, {"201", "is 201 Created", 201}, {"202", "is 202 Accepted", 202}, {"203", "is 203 Non-Authoritative Information", 203},
	{"204", "is 204 No Content", 204}, {"404", "is 404 Not Found", 404}, {"500", "is 500 Internal Server Error", 500},
}

// wrongStatuses are statuses with which what plays a role is not answered, whatever a check accepts.
func wrongStatuses(role string, a *fieldAt) []sample {
	var list []sample
	right := roleOf(role).documented()
	m, _ := a.want.(matcher)
	for _, s := range statuses {
		code := s.v.(int)
		if role == partBefore && code == http.StatusNotFound || role == partRoot && code >= 400 {
			continue // then there is no application of the run; and a client goes on to another root
		}
		if right != 0 && right != code || right == 0 && m.matches != nil && !m.matches(Field{Name: atStatus, Value: code}) {
			list = append(list, s)
		}
	}
	return list
}

// How values are put where checks look.

func putStatus(x *cassettes.Interaction, v any) {
	x.Response.Code = v.(int)
	switch media := putHeader("Content-Type"); {
	case x.Response.Code == http.StatusNoContent:
		x.Response.Body = ""
		media(x, nothing)
	case x.Response.Code == http.StatusNotFound:
		x.Response.Body = `{"code":"NotFound","subcode":"conform"}`
		media(x, "application/json")
	case x.Response.Code/100 == 5:
		x.Response.Body = "<!DOCTYPE html><title>conform</title>"
		media(x, "text/html")
		putHeader("Cache-Control")(x, nothing) // a page of somebody who stands between
	}
}

func putHeader(name string) func(*cassettes.Interaction, any) {
	return func(x *cassettes.Interaction, v any) { x.Response.Headers = withField(x.Response.Headers, name, v) }
}

func putRequestHeader(name string) func(*cassettes.Interaction, any) {
	return func(x *cassettes.Interaction, v any) { x.Request.Headers = withField(x.Request.Headers, name, v) }
}

func withField(h http.Header, name string, v any) http.Header {
	h = maps.Clone(h)
	maps.DeleteFunc(h, func(key string, _ []string) bool { return strings.EqualFold(key, name) })
	if text, ok := v.(string); ok {
		h[http.CanonicalHeaderKey(name)] = []string{text}
	}
	return h
}

func putBody(x *cassettes.Interaction, v any) {
	switch v := v.(type) {
	case func(string) string:
		x.Response.Body = v(x.Response.Body)
	case string:
		x.Response.Body = v
	default:
		x.Response.Body = ""
	}
}

// putEvents takes the events about a rel out of a package.
func putEvents(x *cassettes.Interaction, v any) {
	var root map[string]any
	if json.Unmarshal([]byte(x.Response.Body), &root) != nil {
		return
	}
	senders, _ := root["sender"].([]any)
	for _, s := range senders {
		sender, _ := s.(map[string]any)
		events, _ := sender["events"].([]any)
		sender["events"] = slices.DeleteFunc(events, func(e any) bool { rel, _ := dig(e, "link", "rel"); return rel == v })
	}
	if data, err := json.Marshal(root); err == nil {
		x.Response.Body = string(data)
	}
}

// putRequestBody puts a body into a request, with its length.
func putRequestBody(x *cassettes.Interaction, v any) {
	text, _ := v.(string)
	x.Request.Body, x.Request.ContentLength = text, int64(len(text))
	if len(cassettes.HeaderValues(x.Request.Headers, "Content-Length")) > 0 {
		putRequestHeader("Content-Length")(x, strconv.Itoa(len(text)))
	}
	if len(cassettes.HeaderValues(x.Request.Headers, "Content-Type")) == 0 {
		putRequestHeader("Content-Type")(x, "application/json")
	}
}

// putMember puts the member at a path of the JSON in an answer.
func putMember(path ...string) func(*cassettes.Interaction, any) {
	return func(x *cassettes.Interaction, v any) {
		d := json.NewDecoder(strings.NewReader(x.Response.Body))
		d.UseNumber()
		var root map[string]any
		if d.Decode(&root) != nil || root == nil {
			return
		}
		var holder any = root
		for _, name := range path[:len(path)-1] {
			object, _ := holder.(map[string]any)
			holder = object[name]
		}
		object, ok := holder.(map[string]any)
		if !ok {
			return
		}
		if last := path[len(path)-1]; v == any(nothing) {
			delete(object, last)
		} else {
			object[last] = v
		}
		if data, err := json.Marshal(root); err == nil {
			x.Response.Body = string(data)
		}
	}
}
