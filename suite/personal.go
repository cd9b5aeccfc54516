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
	rel, member     string
	takes           func(text string) bool  // whether it can be set
	readAs          func(text string) []any // the values by which it can be read once it is set; none: it cannot be told
	blank           bool                    // an empty text resets it, too
	query           bool                    // it can be set in the query
	mark, as, other string                  // the property that tells whose it is, its value where the user set it, and where something else is shown in its place; "" if none tells
	why             string                  // that is shown
	signInAs        string                  // the property of makeMeAvailable that sets it, "" if none does

	set, read, reset string // the roles of requests on it
	unread           string // of one that sets or resets it, which nobody can tell
	wrong, notJSON   string // of those that must be refused: for the value, or for a body that is not JSON
	null             string // of a body that is null, which may say that nothing is set; "" if that is not looked at
	media, method    string // for the media type, or for the method; "" if that is not looked at
	received         string // the requirement that it is read back

	task    string                                  // whose step it is to set it
	early   string                                  // what a driver sets before it is allowed
	witness *personal                               // what is read besides, where that is there: it shows whether it is stored, if others can have set it; nil: nobody has it
	doubt   string                                  // what it means that it is there
	drive   func(p *personal, now string) []posting // what a driver sends, where that is there
	restore func(before string) posting             // what gives back what was there
	lost    string                                  // what it means that a reset which should give it back fails
}

// posting is a request by which a driver sets or resets it, or asks for what must be refused.
type posting struct {
	body, query string // "{now}" in the body stands for what is there
	value       string // what it sets, "" for a reset
	edit        func(*http.Request)
	probe       string // the refusal that it is for
	method      string // of a probe: POST if empty
	made        bool   // a probe that goes to makeMeAvailable
	read        bool   // it is only read, to see what the probes did
}

// typed gives a request a media type.
func typed(media string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Content-Type", media) }
}

// refusals are the requests of an available user that must leave it as it is.
func (p *personal) refusals() []string {
	list := []string{partMadeAgain, p.wrong, p.notJSON, p.media}
	if p.method != "" {
		list = append(list, p.method)
	}
	return list
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
	if p.null != "" {
		list = append(list, refused(p.null, http.MethodPost, 0))
	}
	return append(beforehand(p.rel), list...)
}

// beforehand are the roles of what is refused of a resource of me until makeMeAvailable.
func beforehand(rel string) []role {
	var list []role
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		list = append(list, role{name: rel + "-" + strings.ToLower(method) + "-before", rel: rel, method: method, mistake: tooEarly(method),
			paths: []string{"/me/" + strings.ToLower(rel)}, mine: true,
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
	case x.bodyLost() && !s.e.Driven, x.split:
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
	case !isJSONMedia(media) && !isXMLMedia(media), media == "" && x.Response.Code == http.StatusUnsupportedMediaType:
		return p.media
	}
	object, err := x.requestObject()
	if err != nil && isXMLMedia(media) {
		return p.set // in XML that is not read here
	}
	if err != nil && p.null != "" && strings.TrimSpace(x.Request.Body) == "null" {
		return p.null
	}
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
	if err != nil || name == "" {
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

// setting is an accepted change of what a user sets, and what was known around it.
type setting struct {
	answer
	value   string // of a reset: what was read after it, "" if nothing was
	before  string // what was read or set last before it, "" if unknown
	changed bool   // it is known to differ from what was there
}

// settings lists every accepted POST that set it.
func (c *check) settings(p *personal) []setting {
	sets, _ := c.changes(p)
	return sets
}

// changes lists every accepted POST that set it, and that reset it. What a reset came to, the next read tells.
func (c *check) changes(p *personal) (sets, resets []setting) {
	var known *string // nil: nobody knows what is there
	var reset *setting
	displaced := false // something else was shown: of that no event need tell
	note := func(text string, is bool) {
		if known = nil; is {
			known = &text
		}
	}
	for _, x := range c.Exchanges {
		if !x.succeeded() {
			continue
		}
		switch x.Part {
		case partMake:
			note(p.given(x, p.signInAs))
		case p.read:
			if x.mixed {
				known = nil
				continue
			}
			object, err := x.object()
			if err != nil {
				continue
			}
			if p.isDisplaced(object) {
				displaced, known, reset = true, nil, nil
				continue
			}
			text, isText := object[p.member].(string)
			note(text, isText || p.blank && object[p.member] == nil)
			if reset != nil && known != nil {
				reset.changed = reset.changed && !p.repeats(reset.before, text) && !p.repeats(text, reset.before) && !muchLater(reset.Exchange, x)
				reset.value, reset = text, nil
			}
		case p.set, p.reset, p.unread:
			at := setting{answer: answer{x, c}}
			if reset = nil; known != nil {
				at.before, at.changed = *known, true
			}
			if x.Part == p.reset {
				resets = append(resets, at)
				reset = &resets[len(resets)-1]
			}
			text, readable := p.given(x, p.member)
			if known = nil; x.Part != p.set || !readable {
				continue
			}
			at.value, at.changed = text, at.changed && !p.repeats(at.before, text)
			sets = append(sets, at)
			known = &text
		}
	}
	for i := range resets {
		resets[i].changed = resets[i].changed && !displaced && (resets[i].value != "" || p.blank && resets[i].before != "")
	}
	for i := range sets {
		sets[i].changed = sets[i].changed && !displaced
	}
	return sets, resets
}

// isDisplaced reports whether what is served is something else, which is shown in the place of what the user set.
func (p *personal) isDisplaced(object map[string]any) bool {
	return p.mark != "" && object[p.mark] == p.other
}

// repeats reports whether a value is set that is there already, though the user may be idle: that may raise no event.
func (p *personal) repeats(known, value string) bool {
	return value == known || slices.Contains(p.readAs(value), any(known))
}

// readBack compares every value that is read with the one set before it, of such settings (nil: of all): the
// reads before any refused request, or those after one.
func (c *check) readBack(p *personal, which string, such func(setting) bool, afterRefusals bool) {
	settings := c.settings(p)
	displaced := ""
	if len(settings) == 0 {
		first := c.all(p.set)[0]
		c.success(first, owners()[first.Part].status)
	}
	judged := false
	reads := c.reads(p)
	for i, s := range settings {
		if len(p.readAs(s.value)) == 0 || such != nil && !such(s) {
			continue
		}
		for len(reads) > 0 && reads[0].ID <= s.ID {
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
			if object, _ := a.object(); p.isDisplaced(object) {
				if !slices.Contains(p.readAs(s.value), read.Value) {
					displaced = fmt.Sprintf("%s (exchange %d)", p.why, a.ID)
					continue
				}
				c.Expect(a.JSON(p.mark)).To(beOneOf(p.as))
			}
			if afterRefusals && c.misread(p, s, a.ID) {
				c.stop(reports.Blocked, fmt.Sprintf("%s: what exchange %d set was not read back before the refusals either", p.received, s.ID))
			}
			if c.inDoubt(p, s.answer, a) {
				continue
			}
			judged = true
			c.Expect(read).To(beOneOf(p.readAs(s.value)...))
			if !c.Driven {
				break
			}
		}
	}
	if !judged && displaced != "" {
		c.notApplicable(displaced)
	}
	if !judged {
		when := "a POST of a value " + which
		if which == "" {
			when = "the POST"
		}
		if afterRefusals {
			when = "a refusal that followed an accepted POST"
		}
		c.notExercised("the evidence holds no GET on " + p.rel + " after " + when)
	}
}

// reads returns what was read of it, but for what stands in one batch with a change.
func (c *check) reads(p *personal) []answer {
	return slices.DeleteFunc(c.optional(p.read), func(a answer) bool { return a.mixed })
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
	return slices.ContainsFunc(within(c.index.unsettled, from, to), func(x *Exchange) bool { return x.partial || x.is(p.rel) || x.is(roleOf(partMake).rel) })
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

// inDoubt reports whether what was read after a change need not be what came of it: somebody else, or time, may have changed it
// since, or it was read before.
func (c *check) inDoubt(p *personal, changed, read answer) bool {
	return !c.Driven && (c.changedUnseen(p, changed.ID, read.ID) || len(c.toldBetween(p, changed.ID, read.ID)) > 1 || muchLater(changed.Exchange, read.Exchange) ||
		!c.isRead(p, read.Exchange, changed.Exchange))
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

// The kinds of checks on what the user sets.

// displaced ends the spec of what a driver leaves alone: something else is shown in the place of what the user set, which nobody
// could give back.
func (c *check) displaced(rel string) {
	ledgers := Ledgers()
	i := slices.IndexFunc(ledgers, func(l *Ledger) bool { return l.page.sets != nil && l.page.sets.rel == rel })
	if i < 0 || !c.Driven {
		return
	}
	p := ledgers[i].page.sets
	for _, x := range c.parts[p.read] {
		if object, _ := x.object(); p.isDisplaced(object) {
			c.notApplicable(fmt.Sprintf("%s (exchange %d)", p.why, x.ID))
		}
	}
}

// readsBack is the kind of a value that is read as it was set, by such settings; in words it says which.
func readsBack(p *personal, which string, such func(setting) bool) trace {
	return tracing("GET "+p.rel+" after an accepted POST of a value "+which+", and compare "+p.member+".",
		func(c *check) { c.readBack(p, which, such, false) }).
		broken(p.read, memberPlace(p.member), sample{"other", "is another text", "conform reads another text"})
}

// keepsWhatWasSet is the kind of a value that is read as before, after what must be refused.
func keepsWhatWasSet(p *personal) trace {
	return tracing("GET "+p.rel+" after the refusals of an available user, and compare "+p.member+" with the value set before them.",
		func(c *check) { c.readBack(p, "", nil, true) })
}

// followsLast is the kind of requests that go where the link led which was served last.
func followsLast(p *personal, method string) trace {
	return tracing(fmt.Sprintf("Compare the URL of each %s on %s with the %s link served last before it.", method, p.rel, p.rel), func(c *check) {
		judged := false
		for _, r := range c.requests(method, p.rel) {
			if served := c.lastServed(p.rel, r); served != nil && (follows(r.url, served) || !c.isOffered(r, p.rel)) {
				if x := c.mayHaveServed(r.Exchange); x != nil && !follows(r.url, served) {
					continue // it may have been served anew
				}
				judged = true
				c.Expect(r.URL()).To(stringThat("the "+p.rel+" link served last, "+served.String(),
					func(string) bool { return follows(r.url, served) }))
			}
		}
		if !judged {
			c.notExercised(fmt.Sprintf("the evidence shows no %s link served before the %s on %s", p.rel, method, p.rel))
		}
	})
}

// isOffered reports whether r follows a link of me of another rel: then the server calls two resources by one name.
func (c *check) isOffered(r answer, besides string) bool {
	for rel := range c.offers {
		if u := c.lastServed(rel, r); rel != besides && u != nil && follows(r.url, u) {
			return true
		}
	}
	return false
}

// sendsObject is the kind of requests whose body, if there is one, is a JSON object.
func sendsObject(p *personal) trace {
	k := tracing("Read the body of every POST on "+p.rel+".", func(c *check) {
		for _, r := range c.requests(http.MethodPost, p.rel) {
			if strings.TrimSpace(r.Request.Body) == "" {
				c.Expect(r.RequestBody()).To(beEmpty())
				continue
			}
			c.Expect(r.RequestDocument()).To(beProperties())
		}
	})
	return k.broken(p.set, place{name: "request body", put: putRequestBody}, sample{"bare", "is a bare text", `"conform"`}, sample{"listed", "is in a list", `[{}]`},
		sample{"form", "is a form", p.member + "=conform"})
}

// sendsText is the kind of requests whose value, if there is one, is a text.
func sendsText(p *personal) trace {
	return tracing("Find "+p.member+" in any casing; null is a reset.", func(c *check) {
		judged := false
		for _, r := range c.requests(http.MethodPost, p.rel) {
			if r.onlyInQuery(p.member) {
				continue // a text always
			}
			object, err := r.requestObject()
			if value, ok := member(object, p.member); err == nil && ok && value != nil {
				judged = true
				c.Expect(r.field("request body."+p.member, value, true)).To(satisfy("a text", func(v any) bool { _, ok := v.(string); return ok }))
			}
		}
		if !judged {
			c.notExercised("no POST on " + p.rel + " has " + p.member + " in its body")
		}
	}).broken(p.set, place{name: "request body." + p.member, put: putRequestBody}, sample{"number", "is a number", `{"` + p.member + `":42}`},
		sample{"lines", "is a list", `{"` + p.member + `":["conform"]}`})
}

// resetsEmpty is the kind of requests that set nothing: they have no body, or one that says so.
func resetsEmpty(p *personal) trace {
	return tracing("Read the body of every POST on "+p.rel+" that sets nothing.", func(c *check) {
		judged := false
		for _, r := range c.requests(http.MethodPost, p.rel) {
			value, err := r.request.decode(r.Request.Body)
			empty := strings.TrimSpace(r.Request.Body) == ""
			if _, inQuery := r.inQuery(p.member); empty && inQuery || !empty && err != nil {
				continue // it sets something, or says nothing that can be read
			}
			object, isObject := value.(map[string]any)
			list, isList := value.([]any)
			given, _ := member(object, p.member)
			switch {
			case isObject && given == "":
				judged = true
				c.Expect(r.field("request body."+p.member, given, true)).To(matcher{expected: "a value, null, or none at all", matches: func(Field) bool { return p.blank }})
			case empty || isObject && given == nil || value == nil || value == "" || isList && len(list) == 0:
				judged = true
				c.Expect(r.RequestBody()).To(matcher{expected: "no content, or an object", matches: func(Field) bool { return empty || isObject }})
			}
		}
		if !judged {
			c.notExercised("no POST on " + p.rel + " sets nothing")
		}
	}).broken(p.reset, place{name: "request body", put: putRequestBody}, sample{"null", "is null", "null"}, sample{"listed", "is an empty list", "[]"})
}

// untyped returns the answers to the requests of a role that have neither a body nor a media type.
func untyped(role string) func(*check) []answer {
	return func(c *check) []answer {
		list := slices.DeleteFunc(c.all(role), func(a answer) bool {
			return a.Request.Body != "" || a.url.RawQuery != "" || !a.RequestHeader("Content-Type").Absent || a.headersLost()
		})
		if len(list) == 0 {
			c.notExercised("the evidence contains no " + roleOf(role).describe() + " that has no Content-Type")
		}
		return list
	}
}
