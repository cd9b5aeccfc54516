package suite

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/onsi/gomega/types"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// check is one requirement being judged on one evidence. A spec asks it for the
// exchanges that it needs, and expects something of their fields; what was
// looked at stays behind, whether it was right or wrong.
type check struct {
	*Evidence
	requirement Requirement
	gomega      types.Gomega
	skip        func(reason string) // ends the spec without pass or fail; does not return
	looks       []observation
	unanswered  *Exchange       // the first one asked for that got no whole answer
	unkept      *Exchange       // the first one of which the evidence lacks what was to be looked at
	verdict     reports.Verdict // set where a spec ends without pass or fail
	reason      string
}

// observation is one look at one field: what was wanted and what was there.
type observation struct {
	expected string
	Field    // its text is made where a report needs it: most looks are right, and only one of them is shown
}

// maxLooks bounds what a check remembers of what was right in thousands of exchanges.
const maxLooks = 10 * maxPointers

// look remembers a look at a field: all of the first exchanges, and the last of all.
func (c *check) look(expected string, f Field) {
	if len(c.looks) == maxLooks {
		c.looks = c.looks[:maxLooks-1]
	}
	c.looks = append(c.looks, observation{expected, f})
}

// Field is one place in an exchange, what the matchers of this package look at.
type Field struct {
	Name   string // "status", "header Cache-Control", "_links.self.href", "request body"
	Value  any    // string, int, or as ucwa.DecodeJSON gives it
	Absent bool
	Why    string // why it could not be read, "" if it is just absent
	x      *Exchange
	check  *check
}

// Expect makes an assertion about a field, as gomega.Expect does.
func (c *check) Expect(f Field) types.Assertion { return c.gomega.Expect(f) }

// stop ends the spec without pass or fail. Where an exchange that it needed got no
// whole answer, nobody knows what is missing.
func (c *check) stop(verdict reports.Verdict, reason string) {
	if verdict != reports.Blocked && verdict != reports.Error {
		c.whole()
	}
	c.verdict, c.reason = verdict, reason
	c.skip(reason)
}

// whole ends the spec with an error if an exchange that it asked for got no whole
// answer. What was answered is judged first: a failure of the network must not hide
// one of the server.
func (c *check) whole() {
	if x := c.unanswered; x != nil && x == c.lost {
		c.look("an answer to the user of the run", answer{x, c}.Status())
		c.stop(reports.Error, c.lossNote())
	} else if x != nil && x.Failure == "" {
		c.look("an answer to what was asked", answer{x, c}.Status())
		c.stop(reports.Error, laterReason(x))
	} else if x != nil {
		c.look("an answer", Field{Name: "answer", Value: x.Failure, x: x})
		c.stop(reports.Error, fmt.Sprintf("exchange %d, %s %s, got no whole answer: %s", x.ID, x.Request.Method, x.Request.URL, x.Failure))
	}
}

// end ends the spec that expected all that it had to.
func (c *check) end() {
	c.whole()
	if x := c.unkept; x != nil && len(c.looks) == 0 {
		c.stop(reports.Error, fmt.Sprintf("the capture does not hold what is looked at of exchange %d, %s %s: a header or a body is missing", x.ID, x.Request.Method, x.Request.URL))
	}
}

func (c *check) notExercised(reason string) { c.stop(reports.NotExercised, reason) }

// notApplicable ends the spec of a requirement that asks nothing of this evidence.
func (c *check) notApplicable(reason string) { c.stop(reports.NotApplicable, reason) }

// blocked ends the spec where x breaks another requirement, so that this one
// cannot be judged.
func (c *check) blocked(id string, x *Exchange) {
	reason := reports.BlockedBy(id, x.ID)
	if !x.succeeded() {
		reason += fmt.Sprintf(", answered with %d", x.Response.Code)
	}
	c.stop(reports.Blocked, reason)
}

// all returns the exchanges that play a part. Where there is none the spec ends:
// blocked if a step before it went wrong, with an error if they were not answered,
// else not exercised.
func (c *check) all(part string) []answer {
	list := c.optional(part)
	if len(list) == 0 {
		c.missing(part)
	}
	return lostLast(list)
}

// lostLast puts answers behind the others whose bodies the evidence does not keep: what can be judged is judged first.
func lostLast(list []answer) []answer {
	slices.SortStableFunc(list, func(a, b answer) int {
		switch {
		case a.lost == b.lost:
			return 0
		case a.lost:
			return 1
		}
		return -1
	})
	return list
}

// optional does the same, but may return nothing.
func (c *check) optional(part string) []answer {
	var list []answer
	for _, x := range c.parts[part] {
		if x.Failure == "" && (!x.later() || part == partToken) { // of a token, signedInBy tells more
			list = append(list, answer{x, c})
		} else if c.unanswered == nil {
			c.unanswered = x
		}
	}
	return list
}

// missing ends the spec that found no exchange of a part, and says why there is none.
func (c *check) missing(part string) {
	if slices.Contains(c.Absent, part) {
		c.stop(reports.NotTested, "pass "+roleOf(part).needs+" to run this check")
	}
	if verdict, reason := c.blockedBy(part); reason != "" {
		c.stop(verdict, reason)
	}
	c.displaced(roleOf(part).rel)
	c.declinedBefore(part)
	if part == partGone {
		c.staleAtTheEnd()
	}
	for _, x := range c.Exchanges {
		if roleOf(part).needs != "" && x.Probe == "setup" && !x.succeeded() {
			c.stop(reports.Blocked, fmt.Sprintf("the application of a user who meets it could not be had: exchange %d was answered with %d", x.ID, x.Response.Code))
		}
	}
	if c.Driven && strings.HasSuffix(part, "-before") && c.askedInVain(part) {
		c.stop(reports.NotTested, "the server has the resource at another address than documented: it cannot be requested before its link is served")
	}
	if c.unanswered == nil {
		c.unanswered = c.brokeOff()
	}
	c.notExercised("the evidence holds no " + roleOf(part).describe())
}

// staleAtTheEnd ends the spec where the token of the run was refused once the application was gone.
func (c *check) staleAtTheEnd() {
	for _, x := range c.Exchanges {
		if x.Probe == partGone && x.Response.Code == http.StatusUnauthorized {
			c.look("an answer to the user of the run", answer{x, c}.Status())
			c.stop(reports.Error, fmt.Sprintf("the token was refused after the end of the application (exchange %d), and nothing shows that it was good then: it may have expired meanwhile; run again with a new one", x.ID))
		}
	}
}

// askedInVain reports whether a driver asked for a resource before it was served,
// and it turned out to be served elsewhere.
func (c *check) askedInVain(part string) bool {
	return c.serves(roleOf(part).rel) && slices.ContainsFunc(c.Exchanges, func(x *Exchange) bool {
		return x.Probe == part && !x.is(roleOf(part).rel) && x.Response.Code == http.StatusNotFound
	})
}

// brokeOff returns the exchange at which a driver gave up, nil if it did not: all
// that it would have asked after it is missing.
func (c *check) brokeOff() *Exchange {
	if c.lost != nil {
		return c.lost
	}
	var resort *Exchange
	for _, x := range slices.Backward(c.Exchanges) {
		switch {
		case !c.Driven:
			return nil
		case x.is(relRoot) && x.url.Scheme == "http" && x.Failure != "":
			resort = x
			continue // the last resort: what failed before it tells more
		case x.Part == partEnd || x.Part == partGone || slices.Contains(cleaning, x.Probe):
			continue // asked whatever happened
		case x.Failure != "" && x.Part != partEvents:
			return x
		}
		return nil
	}
	return resort
}

// laterReason says of a server which puts off what it is asked, to the end, that this is
// neither right nor wrong.
func laterReason(x *Exchange) string {
	return fmt.Sprintf("the server asked to come again later (exchange %d: %d, Retry-After: %s), and longer than the run waits: run again then, or wait longer (--retry-wait)",
		x.ID, x.Response.Code, shown(strings.Join(cassettes.HeaderValues(x.Response.Headers, "Retry-After"), ", ")))
}

// answer is an exchange as a spec sees it.
type answer struct {
	*Exchange
	check *check
}

func (a answer) field(name string, value any, present bool) Field {
	return Field{Name: name, Value: value, Absent: !present, x: a.Exchange, check: a.check}
}

// Status is the status of the response.
func (a answer) Status() Field { return a.field("status", a.Response.Code, true) }

// whole ends the spec where the evidence does not keep the body of the answer.
func (a answer) whole() {
	if a.lost {
		a.check.look("the body of the answer", a.Status())
		a.check.stop(reports.Error, a.lostBody())
	}
}

// Body is the body of the response, as text.
func (a answer) Body() Field { return a.field("body", a.Response.Body, a.Response.Body != "") }

// Header is a header field of the response; several lines are joined by ", ".
func (a answer) Header(name string) Field {
	values := cassettes.HeaderValues(a.Response.Headers, name)
	return a.field("header "+name, strings.Join(values, ", "), len(values) > 0)
}

// JSON is the value at a path of names in the response's body. If the answer is
// no success, or its body no JSON object, the spec ends as blocked by the
// requirement which says that it must be.
func (a answer) JSON(path ...string) Field {
	object, err := a.object()
	owner := owners()[a.Part]
	if !a.succeeded() && owner.status != "" {
		a.check.blocked(owner.status, a.Exchange)
	}
	a.whole()
	if err != nil && owner.json != "" {
		a.check.blocked(owner.json, a.Exchange)
	}
	value, ok := dig(object, path...)
	f := a.field(strings.Join(path, "."), value, ok)
	if err != nil {
		f.Why = err.Error()
	}
	return f
}

// Document is the response's body as one JSON value.
func (a answer) Document() Field {
	a.whole()
	value, err := a.response.decode(a.Response.Body)
	f := a.field("body", value, err == nil)
	if err != nil {
		f.Why = err.Error()
	}
	return f
}

// RequestHeader is a header field of the request.
func (a answer) RequestHeader(name string) Field {
	values := a.requestHeader(name)
	return a.field("request header "+name, strings.Join(values, ", "), len(values) > 0)
}

// RequestBody is the body of the request, as text.
func (a answer) RequestBody() Field {
	return a.field("request body", a.Request.Body, a.Request.Body != "")
}

// RequestDocument is the request's body as one JSON value.
func (a answer) RequestDocument() Field {
	value, err := a.request.decode(a.Request.Body)
	f := a.field("request body", value, err == nil)
	if err != nil {
		f.Why = err.Error()
	}
	return f
}

// URL is the URL that was asked.
func (a answer) URL() Field { return a.field("request URL", a.Request.URL, true) }

// within is a field inside the value of another, such as an item of a list.
func (f Field) within(name string, value any, present bool) Field {
	f.Name, f.Value, f.Absent, f.Why = f.Name+"."+name, value, !present, ""
	return f
}

// observed tells what stands in the field, for people.
func (f Field) observed() string {
	text := f.text()
	if len(text) > maxObserved {
		text = strings.ToValidUTF8(text[:maxObserved], "") + fmt.Sprintf("… (%d bytes)", len(text))
	}
	return text
}

// maxObserved bounds what a report repeats of a field, in bytes; the exchange has all of it.
const maxObserved = 4 << 10

func (f Field) text() string {
	switch v := f.Value.(type) {
	case nil:
		if !f.Absent {
			return "null"
		}
	case string:
		if !f.Absent {
			return v
		}
	case int:
		text := strconv.Itoa(v)
		if f.Name == "status" && http.StatusText(v) != "" {
			text += " " + http.StatusText(v)
		}
		return text
	default:
		if data, err := json.Marshal(v); err == nil && !f.Absent {
			return string(data)
		}
	}
	if f.Why != "" {
		return f.Why
	}
	return "absent"
}

// needs ends a spec about what a link leads to where another says that it must lead somewhere.
func (c *check) needs(f Field, id string) {
	if _, err := resolveOwn(f.Value, f.x.url); err != nil {
		c.blocked(id, f.x)
	}
}

// success ends a spec about an answer's content where the answer is an error, of
// which another requirement speaks.
func (c *check) success(a answer, id string) {
	if !a.succeeded() {
		c.blocked(id, a.Exchange)
	}
}

// content does the same, also where the answer is a success without content.
func (c *check) content(a answer, id string) {
	c.success(a, id)
	if a.Response.Code != http.StatusOK && a.Response.Body == "" {
		c.blocked(id, a.Exchange)
	}
}

// Error is a member of the response's body, wherever that stands in a UCWA error.
func (a answer) Error(name string) Field {
	a.whole()
	object, err := a.object()
	value, ok := object[name]
	f := a.field(name, value, ok)
	if err != nil {
		f.Why = "no UCWA error: " + err.Error()
	}
	return f
}
