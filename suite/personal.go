package suite

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// personal is what a user sets of himself, and reads: a member of a resource that me has a link to, such as the presence.
type personal struct {
	rel, member string
	takes       func(text string) bool  // whether it can be set
	readAs      func(text string) []any // the values by which it can be read once it is set; none: it cannot be told
	blank       bool                    // an empty text resets it, too
	query       bool                    // it can be set in the query
	signInAs    string                  // the property of makeMeAvailable that sets it, "" if none does

	set, read, reset string // the roles of requests on it
	unread           string // of one that sets or resets it, which nobody can tell
	wrong, notJSON   string // of those that must be refused: for the value, or for a body that is not JSON
	media, method    string // for the media type, or for the method; "" if that is not looked at
	received         string // the requirement that it is read back
}

// refusals are the requests of an available user that must leave it as it is.
func (p *personal) refusals() []string {
	return []string{"make-again", p.wrong, p.notJSON, p.media, p.method}
}

// roles are the roles of exchanges on it.
func (p *personal) roles() []role {
	lead := "_embedded.me._links." + p.rel
	plays := func(name, method, title string) role {
		return role{name: name, title: title, rel: p.rel, method: method, is: by(p.plays, name), after: partAfter, lead: lead}
	}
	refused := func(name, method string, status int, subcodes ...string) role {
		r := plays(name, method, "")
		r.mistake, r.status, r.subcodes = bySituation, status, subcodes
		return r
	}
	list := []role{
		plays(p.read, http.MethodGet, "GET on "+p.rel+" after makeMeAvailable"),
		plays(p.set, http.MethodPost, "POST on "+p.rel),
		plays(p.reset, http.MethodPost, "POST on "+p.rel+" with an empty body"),
		plays(p.unread, http.MethodPost, "POST on "+p.rel+" whose body is not known"),
		refused(p.wrong, http.MethodPost, http.StatusBadRequest, ucwa.SubcodeParameterValidationFailure, ucwa.SubcodeDeserializationFailure),
		refused(p.notJSON, http.MethodPost, http.StatusBadRequest, ucwa.SubcodeDeserializationFailure, ucwa.SubcodeParameterValidationFailure),
		refused(p.media, http.MethodPost, http.StatusUnsupportedMediaType),
	}
	if p.method != "" {
		list = append(list, refused(p.method, "", http.StatusMethodNotAllowed))
	}
	return append(beforehand(p.rel), list...)
}

// beforehand are the roles of what is refused of a resource of me until makeMeAvailable.
func beforehand(rel string) []role {
	var list []role
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		list = append(list, role{name: rel + "-" + strings.ToLower(method) + "-before", rel: rel, method: method, mistake: tooEarly(method),
			is: func(s *state, x *Exchange) bool {
				return s.early(x) && (s.seen || x.Response.Code == http.StatusConflict)
			},
			after: partBefore, ready: sound, status: http.StatusConflict, subcodes: []string{ucwa.SubcodeMakeMeAvailableRequired}})
	}
	return list
}

// plays says what a request on it is that does not come before makeMeAvailable.
func (p *personal) plays(s *state, x *Exchange) string {
	_, inQuery := x.inQuery(p.member)
	switch method := x.Request.Method; {
	case method == http.MethodGet:
		return p.read
	case method != http.MethodPost:
		return otherMethod(method, http.MethodDelete, p.method)
	case x.bodyLost() && !s.e.Driven:
		return p.unread
	case strings.TrimSpace(x.Request.Body) != "":
		return p.playsBody(x)
	case inQuery && !p.query:
		return p.unread // where input may stand, and the reference lists none
	}
	if text, _ := p.given(x, p.member); text != "" {
		return p.set
	}
	return p.reset
}

// playsBody says what a POST with a body is.
func (p *personal) playsBody(x *Exchange) string {
	media := strings.Join(x.requestHeader("Content-Type"), "")
	switch {
	case isXMLMedia(media):
		return p.set
	case !isJSONMedia(media), media == "" && x.Response.Code == http.StatusUnsupportedMediaType:
		return p.media
	}
	object, err := x.requestObject()
	if err != nil {
		if json.Valid([]byte(x.Request.Body)) && strings.HasPrefix(strings.TrimSpace(x.Request.Body), "{") {
			return "" // a name stands there twice: what that means is up to the server
		}
		return p.notJSON
	}
	if twice(object) != "" {
		return "" // what that means is up to the server, too
	}
	value, _ := member(object, p.member)
	text, isText := value.(string)
	switch {
	case value == nil || p.blank && isText && text == "":
		return p.reset
	case !isText || !p.takes(text):
		return p.wrong
	}
	return p.set
}

// given returns a property of a request, in its body or its query, and whether it is there as a text.
func (p *personal) given(x *Exchange, name string) (text string, ok bool) {
	if p.query && x.onlyInQuery(name) {
		return x.inQuery(name)
	}
	object, err := x.requestObject()
	if err != nil {
		return "", false
	}
	value, _ := member(object, name)
	text, ok = value.(string)
	return text, ok
}

// early reports whether the user is not available yet, as far as is known. In the traffic of
// others makeMeAvailable may be what the capture lost: then what the server granted was not too
// early, unless a makeMeAvailable after it was the first.
func (s *state) early(x *Exchange) bool {
	return !s.available && (s.e.Driven || !x.succeeded() || s.e.acceptsLater(x))
}

// setting is an accepted change of what a user sets and what was known around it.
type setting struct {
	answer
	value   string
	before  string // what was read or set last before it, "" if unknown
	changed bool   // it differs from before, or before is unknown
}

// settings lists every accepted POST that set it.
func (c *check) settings(p *personal) []setting {
	var list []setting
	known := ""
	for _, x := range c.Exchanges {
		switch {
		case x.Part == partMake && x.succeeded():
			known, _ = p.given(x, p.signInAs)
		case x.Part == p.read && x.succeeded():
			if object, err := x.object(); err == nil {
				known, _ = object[p.member].(string)
			}
		case (x.Part == p.reset || x.Part == p.unread) && x.succeeded():
			known = ""
		case x.Part == p.set && x.succeeded():
			text, readable := p.given(x, p.member)
			if !readable { // XML
				known = ""
				continue
			}
			list = append(list, setting{answer: answer{x, c}, value: text, before: known,
				changed: known != "" && !p.repeats(known, text)}) // else nobody knows what was there
			known = text
		}
	}
	return list
}

// repeats reports whether a value is set that is there already, though the user may be idle: that may raise no event.
func (p *personal) repeats(known, value string) bool {
	return value == known || slices.Contains(p.readAs(value), any(known))
}

// readBack compares every value that is read with the one set before it: the
// reads before any refused request, or those after one.
func (c *check) readBack(p *personal, afterRefusals bool) {
	settings := c.settings(p)
	if len(settings) == 0 {
		first := c.all(p.set)[0]
		c.success(first, owners()[first.Part].status)
	}
	judged := false
	reads := c.optional(p.read)
	for i, s := range settings {
		if len(p.readAs(s.value)) == 0 {
			continue
		}
		for len(reads) > 0 && reads[0].ID < s.ID {
			reads = reads[1:]
		}
		for _, a := range reads {
			if i+1 < len(settings) && a.ID > settings[i+1].ID {
				break
			}
			if c.between(s.ID, a.ID, p.reset, p.unread) || !c.Driven && c.changedUnseen(p, s.ID, a.ID) ||
				c.between(s.ID, a.ID, p.refusals()...) != afterRefusals {
				continue
			}
			read := a.JSON(p.member)
			if afterRefusals && c.misread(p, s, a.ID) {
				c.stop(reports.Blocked, fmt.Sprintf("%s: what exchange %d set was not read back before the refusals either", p.received, s.ID))
			}
			if !c.Driven && (len(c.toldBetween(p, s.ID, a.ID)) > 1 || muchLater(s.Exchange, a.Exchange) || !c.isRead(p, a.Exchange, s.Exchange)) {
				continue // somebody else, or time, may have changed it since, or it was read before
			}
			judged = true
			c.Expect(read).To(beOneOf(p.readAs(s.value)...))
			if !c.Driven {
				break
			}
		}
	}
	if !judged {
		when := "the POST"
		if afterRefusals {
			when = "a refusal that followed an accepted POST"
		}
		c.notExercised("the evidence holds no GET on " + p.rel + " after " + when)
	}
}

// isAfter reports whether x was sent after y, as far as the evidence tells. A driver's order is known, and so is that of
// a recording without times. In a capture what was sent within one second, where it tells whole seconds, has no order,
// nor has what is without a time among others.
func (e *Evidence) isAfter(x, y *Exchange) bool {
	if e.Driven || !e.index.timed {
		return x.ID > y.ID
	}
	return !x.Began.IsZero() && !y.Began.IsZero() && x.Began.After(y.Began)
}

// isRead reports whether a is known to have been read after one change of it, and before or after each other.
func (c *check) isRead(p *personal, a, after *Exchange) bool {
	if c.Driven || !c.index.timed {
		return true
	}
	if !c.isAfter(a, after) {
		return false
	}
	for _, part := range []string{p.set, p.reset, p.unread, partMake} {
		for _, x := range c.parts[part] {
			if x.Began.IsZero() || x.Began.Equal(a.Began) {
				return false
			}
		}
	}
	return true
}

// changedUnseen reports whether between two exchanges something may have set it of which
// the evidence does not show the answer.
func (c *check) changedUnseen(p *personal, from, to int) bool {
	return slices.ContainsFunc(within(c.index.unsettled, from, to), func(x *Exchange) bool { return x.is(p.rel) || x.is("makeMeAvailable") })
}

// muchLater reports whether the dates of two answers lie minutes apart: a server
// changes the presence of a user who does nothing.
func muchLater(x, y *Exchange) bool {
	first, err1 := http.ParseTime(strings.Join(cassettes.HeaderValues(x.Response.Headers, "Date"), ""))
	then, err2 := http.ParseTime(strings.Join(cassettes.HeaderValues(y.Response.Headers, "Date"), ""))
	return err1 == nil && err2 == nil && then.Sub(first).Abs() > time.Minute // clocks of front ends differ
}

// toldBetween returns the events of it told by the exchanges between two others.
func (c *check) toldBetween(p *personal, from, to int) []event {
	var list []event
	for _, x := range c.span(partEvents, from, to) {
		list = append(list, p.of((answer{x, c}).events())...)
	}
	return list
}

// misread reports whether a read before any refusal missed what s set.
func (c *check) misread(p *personal, s setting, before int) bool {
	for _, x := range c.span(p.read, s.ID, before) {
		if !c.between(s.ID, x.ID, p.refusals()...) {
			object, err := x.object()
			return err != nil || !slices.Contains(p.readAs(s.value), object[p.member])
		}
	}
	return false
}

// between reports whether an exchange of one of these parts lies between two others.
func (c *check) between(from, to int, parts ...string) bool {
	for _, part := range parts {
		if len(c.span(part, from, to)) > 0 {
			return true
		}
	}
	return false
}
