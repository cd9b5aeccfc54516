package suite

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// kind is a kind of check: where a requirement looks, what it accepts there, and how that is explained.
type kind interface {
	judge(c *check)
	how() string // where it looks, for people
}

// trace is the kind of what concerns the exchanges as a whole, which is code.
type trace struct {
	look  func(*check)
	says  string
	fault []traceFault
}

// traceFault is what breaks a trace: wrong values at one place of the exchanges that play a role.
type traceFault struct {
	role string
	fieldAt
}

func (k trace) judge(c *check) { k.look(c) }
func (k trace) how() string    { return k.says }

// tracing makes a trace. In words it says how the trace is read.
func tracing(how string, look func(*check)) trace { return trace{look: look, says: how} }

// broken adds what breaks a trace: samples that are wrong at a place of what plays a role.
func (k trace) broken(role string, at place, wrong ...sample) trace {
	k.fault = append(slices.Clip(k.fault), traceFault{role, fieldAt{place: at, wrong: wrong}})
	return k
}

// items is the kind of what stands somewhere several times, such as cookies: each must be as it must.
type items struct {
	says string
	role string // of which they are, if all are of one
	find func(*check) []Field
	want func(Field) matcher
}

func (k items) judge(c *check) {
	for _, f := range k.find(c) {
		c.Expect(f).To(k.want(f))
	}
}

func (k items) how() string {
	if k.role != "" {
		return "Look at " + k.says + " of " + roleOf(k.role).describe() + "."
	}
	return "Look at " + k.says + "."
}

// fields is the ordinary kind: places of the answers that play a role, and what must stand there.
type fields struct {
	role     string                // the role of the step, unless the check names another
	from     func(*check) []answer // the answers, where they are not all that play the role
	whose    string                // what these are, for people
	on       []string              // their roles
	does     string                // what a driver does for it, for people
	list     []fieldAt             // looked at one after another
	optional bool                  // not applicable where it is not sent
	first    func(*check)          // what ends the check before there is an answer
	guards   []func(*check, answer)
}

// fieldAt is a place with what must stand there, and the requirements on which the place rests.
type fieldAt struct {
	place
	want
	wrong   []sample // what is wrong there
	spare   bool     // looked at only where it is sent
	spoken  bool     // a check before speaks of the place
	answers string   // which it is a place of
	rests   []rest
}

// rest is a requirement that speaks of a place, or of what is around it: where that is broken, a check that looks there
// is blocked.
type rest struct {
	id     string
	around bool // it speaks of the place first of all, and so of all that is in it
	fieldAt
}

// want is what must stand at a place.
type want interface {
	of(c *check, a answer) matcher // what is expected of an answer; the zero matcher expects nothing
}

func (m matcher) of(*check, answer) matcher { return m }

// wants is a want that depends on the evidence.
type wants func(c *check, a answer) matcher

func (w wants) of(c *check, a answer) matcher { return w(c, a) }

// place is where a check looks in an exchange.
type place struct {
	name  string
	path  []string // of a member of the JSON in the answer, nil for another place
	get   func(a answer) Field
	whole bool                                  // the whole body, as JSON
	put   func(x *cassettes.Interaction, v any) // puts something else there
}

const (
	atStatus = "status"
	atBody   = "body"
)

func memberPlace(path string) place {
	names := strings.Split(path, ".")
	return place{name: path, path: names, get: func(a answer) Field { return a.JSON(names...) }, put: putMember(names...)}
}

// The kinds of fields that pages use.

// status is the status of an answer.
func status(codes ...any) fields {
	return look(place{name: atStatus, get: answer.Status, put: putStatus}, beOneOf(codes...))
}

// value is the member of the JSON in an answer at a path, such as "_embedded.me.name".
func value(path string, w ...want) fields { return look(memberPlace(path), w...) }

// link is a link that leads to the server's own origin, and not below another application.
func link(path string) fields { return value(path, leadToOrigin()) }

// errorMember is a member of the error in an answer.
func errorMember(name string, w want) fields {
	return look(place{name: name, get: func(a answer) Field { return a.Error(name) }, put: putMember(name)}, w)
}

// header is a header field of an answer.
func header(name string, w want) fields {
	return look(place{name: "header " + name, get: func(a answer) Field { return a.Header(name) }, put: putHeader(name)}, w)
}

// requestHeader is a header field of a request.
func requestHeader(name string, w want) fields {
	return look(place{name: "request header " + name, get: func(a answer) Field { return a.RequestHeader(name) }, put: putRequestHeader(name)}, w)
}

// object is the body of an answer, one JSON object; resource is one that is served as JSON, where it has a media type.
func object() fields {
	w := beObject()
	w.bad = brokenBodies
	return look(place{name: atBody, get: answer.Document, whole: true, put: putBody}, w)
}
func resourceBody() fields { return all(object(), asJSON()) }

// asJSON is a media type of JSON, where the answer has one, or of XML where the client asked for that.
func asJSON() fields {
	return header("Content-Type", stringThat(jsonMedia, isJSONMedia).but(asPage)).
		except(func(at Field, a answer) bool { return at.Absent || a.inXMLAsAsked() })
}

// inXMLAsAsked tells whether the answer is in UCWA's other representation, and the client asked for it.
func (a answer) inXMLAsAsked() bool {
	return isXMLMedia(strings.Join(cassettes.HeaderValues(a.Response.Headers, "Content-Type"), "")) && strings.Contains(strings.Join(a.requestHeader("Accept"), ","), "xml")
}

const jsonMedia = "application/json or application/vnd.microsoft.com.ucwa+json"

// noContent is an answer that has none, nor announces any: clients do not read what follows a 204.
func noContent() fields {
	return all(
		look(place{name: atBody, get: answer.Body}, beEmpty()),
		header("Content-Length", matcher{expected: "0", matches: beOneOf("0").matches, bad: []sample{{"announced", "announces content", "2"}}}).whereSent(),
		look(place{name: "header Transfer-Encoding", get: func(a answer) Field {
			coding := strings.Join(a.Response.TransferEncoding, ", ")
			return a.field("header Transfer-Encoding", coding, coding != "")
		}}, beAbsent()).whereSent(),
	)
}

// noCaching is a success that forbids caching.
func noCaching() fields { return header("Cache-Control", forbidCaching()).unless(unsuccessful) }

func look(p place, w ...want) fields {
	var f fields
	for _, w := range w {
		at := fieldAt{place: p, want: w}
		if m, ok := w.(matcher); ok {
			at.wrong = m.bad
		}
		f.list = append(f.list, at)
	}
	return f
}

// but adds what is wrong at the last place.
func (f fields) but(wrong ...sample) fields {
	f.list = slices.Clone(f.list)
	last := &f.list[len(f.list)-1]
	last.wrong = append(slices.Clip(last.wrong), wrong...)
	return f
}

// all looks at several fields, one after another.
func all(list ...fields) fields {
	f := list[0]
	for _, more := range list[1:] {
		f.list = slices.Concat(f.list, more.list)
	}
	return f
}

// whereSent expects something only of a field that is there.
func (f fields) whereSent() fields {
	return f.except(func(at Field, _ answer) bool { return at.Absent })
}

// except expects nothing of a field of which something holds.
func (f fields) except(of func(Field, answer) bool) fields {
	for i := range f.list {
		want, get := f.list[i].want, f.list[i].get
		f.list[i].spare = true
		f.list[i].want = wants(func(c *check, a answer) matcher {
			if of(get(a), a) {
				return matcher{}
			}
			return want.of(c, a)
		})
	}
	return f
}

// ifSent makes a check that is not applicable where the field is left out.
func (f fields) ifSent() fields { f.optional = true; return f }

// plays names another role than that of the step.
func (f fields) plays(role string) fields { f.role = role; return f }

// of names the answers that are looked at, in words and in code, and the roles that a fault must touch for it.
func (f fields) of(whose string, from func(*check) []answer, roles ...string) fields {
	f.whose, f.from, f.on = whose, from, roles
	return f
}

// asked says in words what a driver does, where that tells more than the places.
func (f fields) asked(how string) fields { f.does = how; return f }

// after adds what ends the check before it looks for an answer.
func (f fields) after(end func(*check)) fields { f.first = end; return f }

// unless adds what ends the check before it looks at an answer.
func (f fields) unless(end func(*check, answer)) fields {
	f.guards = append(slices.Clip(f.guards), end)
	return f
}

// The guards that pages share: the requirement on the status of an answer speaks of one that is no success; of one that
// has no content; of one that has another status than is expected.
func unsuccessful(c *check, a answer) { c.success(a, owners()[a.Part].status) }
func noneSent(c *check, a answer)     { c.content(a, owners()[a.Part].status) }
func otherwise(c *check, a answer) {
	if o := owners()[a.Part]; !o.expected.of(c, a).matches(a.Status()) {
		c.blocked(o.status, a.Exchange)
	}
}

// judge implements kind.
func (f fields) judge(c *check) {
	if f.first != nil {
		f.first(c)
	}
	list := f.answers(c)
	for _, a := range list {
		f.surrounded(c, a)
	}
	for _, a := range list {
		for _, end := range f.guards {
			end(c, a)
		}
		for _, at := range f.list {
			field := at.get(a)
			if f.optional && field.Absent {
				c.notApplicable(fmt.Sprintf("not sent: %s in exchange %d", field.Name, a.ID))
			}
			for _, r := range at.rests {
				if r.name == at.name && !r.of(c, a).matches(field) {
					c.blocked(r.id, a.Exchange)
				}
			}
			if m := at.of(c, a); m.matches != nil {
				c.Expect(field).To(m)
			}
		}
	}
}

func (f fields) answers(c *check) []answer {
	if f.from != nil {
		return f.from(c)
	}
	list := c.all(f.role)
	if roleOf(f.role).once {
		return list[:1]
	}
	return list
}

// surrounded ends the check where what is around a place is not there: of that another requirement speaks.
func (f fields) surrounded(c *check, a answer) {
	for _, at := range f.list {
		for _, r := range at.rests {
			if r.name != at.name && !r.of(c, a).matches(r.get(a)) {
				c.blocked(r.id, a.Exchange)
			}
		}
	}
}

// how implements kind.
func (f fields) how() string {
	if f.does != "" {
		return f.does
	}
	var places []string
	for _, at := range f.list {
		if !slices.Contains(places, at.name) {
			places = append(places, at.name)
		}
	}
	whose := f.whose
	if whose == "" {
		whose = "the " + roleOf(f.role).describe()
	}
	return fmt.Sprintf("In %s, look at %s.", whose, joined(places))
}

// joined is a list as a sentence has it.
func joined(list []string) string {
	if n := len(list); n > 1 {
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
	}
	return strings.Join(list, "")
}

func forbidCaching() matcher {
	return stringThat("no-cache or no-store", func(s string) bool {
		for directive := range strings.SplitSeq(s, ",") {
			name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
			if name == "no-cache" || name == "no-store" {
				return true
			}
		}
		return false
	}).but(asGarbage, sample{"allowed", "allows caching", "public, max-age=60"})
}

func isHTTPDate(s string) bool { _, err := http.ParseTime(s); return err == nil }
