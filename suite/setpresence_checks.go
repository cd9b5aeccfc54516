package suite

import (
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// inadmissible says what it means that the application cannot be had.
var inadmissible = map[int]string{
	http.StatusUnauthorized: "the token was refused: it may have expired, or belong to another host",
	http.StatusForbidden:    "access was refused: the token may belong to another host, or the origin not be allowed",
	http.StatusNotFound:     "there is no such application: it may have ended, or its URL be mistyped",
}

// admitted ends the spec where the application that the run was given cannot be
// had: nobody can tell then whether the server or what it was given is wrong.
func (c *check) admitted(a answer) {
	if why := inadmissible[a.Response.Code]; why != "" {
		c.look("200 OK", a.Status())
		c.stop(reports.Error, fmt.Sprintf("the application of this run cannot be had, so nothing follows (%d in exchange %d): %s", a.Response.Code, a.ID, why))
	}
}

// me returns the applications after makeMeAvailable; a spec that asks for a member
// of me is blocked where me is not embedded.
func (c *check) me() []answer {
	list := c.all(partAfter)
	for _, a := range list {
		me := a.JSON("_embedded", "me")
		if _, ok := me.Value.(map[string]any); !ok {
			c.blocked("set-presence.4.embedded.me", a.Exchange)
		}
	}
	return list
}

// taken reports whether me has the link to u under another rel than the given one, of
// those that makeMeAvailable brings; the first of them keeps it.
func (a answer) taken(u *url.URL, rel string) bool {
	for _, other := range []string{"presence", "note", "location", "reportMyActivity"} {
		if other == rel {
			return false
		}
		v, err := resolveOwn(a.JSON("_embedded", "me", "_links", other).Value, a.url)
		if err == nil && linkKey(u) == linkKey(v) && u.RawQuery == v.RawQuery {
			return true
		}
	}
	return false
}

// expectNoContent expects that an answer has none, nor announces any: clients
// do not read what follows a 204.
func (c *check) expectNoContent(a answer) {
	c.Expect(a.Body()).To(beEmpty())
	if length := a.Header("Content-Length"); !length.Absent {
		c.Expect(length).To(beOneOf("0"))
	}
	if coding := strings.Join(a.Response.TransferEncoding, ", "); coding != "" {
		c.Expect(a.field("header Transfer-Encoding", coding, true)).To(beAbsent())
	}
}

// expectJSONMedia expects a media type of JSON, where the evidence kept it.
func (c *check) expectJSONMedia(a answer) {
	if media := a.Header("Content-Type"); !media.Absent {
		c.Expect(media).To(stringThat("application/json or application/vnd.microsoft.com.ucwa+json", isJSONMedia))
	}
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

// ifSent judges a field that may be left out.
func (c *check) ifSent(f Field, m matcher) {
	if f.Absent {
		c.notApplicable(fmt.Sprintf("not sent: %s in exchange %d", f.Name, f.x.ID))
	}
	c.Expect(f).To(m)
}

// unused returns the applications that show makeMeAvailable unused: those before
// it, and what the creation answered.
func (c *check) unused() []answer {
	created := slices.DeleteFunc(c.optional(partCreate), func(a answer) bool {
		object, err := a.object()
		return err != nil || !a.succeeded() || object["rel"] != "application" || hasLink(a.Exchange, "presence") && !hasLink(a.Exchange, "makeMeAvailable")
	})
	if len(created) > 0 {
		return append(created, c.optional(partBefore)...)
	}
	return c.all(partBefore)
}

// before returns what the application held before makeMeAvailable.
func (c *check) before(path ...string) (any, bool) {
	for _, x := range c.parts[partBefore] {
		if object, err := x.object(); err == nil && x.succeeded() {
			return dig(object, path...)
		}
	}
	return nil, false
}

// asCreated expects what the POST that created the application asked for, or what
// the application held before, where it is known. Culture names have no casing.
func (c *check) asCreated(name string, otherwise matcher) matcher {
	for _, x := range c.parts[partCreate] {
		if object, err := x.requestObject(); err == nil && x.Response.Code == http.StatusCreated {
			if value, ok := member(object, name); ok {
				if text, isText := value.(string); isText && name == "culture" {
					return stringThat(text, func(s string) bool { return strings.EqualFold(s, text) })
				}
				return beOneOf(value)
			}
		}
	}
	if value, ok := c.before(name); ok && otherwise.matches(Field{Value: value}) {
		return beOneOf(value)
	}
	return otherwise
}

// cookieSpecs certify the cookie that opens the photos, where answers of that part bring the application.
func cookieSpecs(t *tree, prefix, part string) {
	t.requirement(prefix+"secure", func(c *check) {
		for _, cookie := range c.cookies(part) {
			c.Expect(cookie).To(setCookieThat("a cookie with Secure", func(k *http.Cookie) bool { return k.Secure }))
		}
	})
	t.requirement(prefix+"httpOnly", func(c *check) {
		for _, cookie := range c.cookies(part) {
			c.Expect(cookie).To(setCookieThat("a cookie with HttpOnly", func(k *http.Cookie) bool { return k.HttpOnly }))
		}
	})
	t.requirement(prefix+"path", func(c *check) {
		for _, cookie := range c.cookies(part) {
			photos, fits := "…/applications/…/photos", photosPath.MatchString
			if part != partCreate { // where the documentation prints the cookie of another application
				photos = strings.TrimRight(cookie.x.url.Path, "/") + "/photos"
				fits = func(s string) bool { return strings.EqualFold(strings.TrimSuffix(s, "/"), photos) }
			}
			c.Expect(cookie).To(setCookieThat("a cookie with path="+photos+" and no Domain",
				func(k *http.Cookie) bool {
					path, err := url.PathUnescape(k.Path) // = and %3d are one
					return err == nil && fits(path) && k.Domain == ""
				}))
		}
	})
}

var photosPath = regexp.MustCompile(`(?i)/applications/[^/]+/photos/?$`)

// cookies returns each cwt_ucwa cookie that came with the application in answers of a part.
func (c *check) cookies(part string) []Field {
	var list []Field
	for _, a := range c.all(part) {
		for _, line := range cassettes.HeaderValues(a.Response.Headers, "Set-Cookie") {
			if strings.HasPrefix(strings.TrimSpace(line), "cwt_ucwa=") {
				list = append(list, a.field("header Set-Cookie", line, true))
			}
		}
	}
	if len(list) == 0 {
		c.notApplicable("the server sets no cookie cwt_ucwa")
	}
	return list
}

func setCookieThat(expected string, fulfils func(*http.Cookie) bool) matcher {
	return stringThat(expected, func(line string) bool {
		cookie, err := http.ParseSetCookie(line)
		return err == nil && fulfils(cookie)
	})
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
	})
}

func isHTTPDate(s string) bool { _, err := http.ParseTime(s); return err == nil }

func isAddressList(v any) bool {
	list, ok := v.([]any)
	if !ok {
		return false
	}
	for _, item := range list {
		text, _ := item.(string)
		if _, err := mail.ParseAddress(text); err != nil {
			return false
		}
	}
	return true
}

var (
	hostName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	languageTag = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)
	sipURI      = regexp.MustCompile(`^(?i:sips?):[^@\s]+@[^@\s]+$`)
)

// belongsElsewhere reports whether u lies below another application than that at app.
func belongsElsewhere(u, app *url.URL) bool {
	owner := applicationOf(u)
	return owner != nil && applicationOf(app) != nil && linkKey(owner) != linkKey(applicationOf(app))
}

// ackOf reads the ack of an events link.
func ackOf(u *url.URL) (int, bool) {
	values := u.Query()["ack"]
	if len(values) != 1 || strings.Trim(values[0], "0123456789") != "" {
		return 0, false
	}
	ack, err := strconv.Atoi(values[0])
	return ack, err == nil
}

// setting is an accepted change of presence and what was known around it.
type setting struct {
	answer
	value   string
	before  string // what was read or set last before it, "" if unknown
	changed bool   // it differs from before, or before is unknown
}

// settings lists every accepted POST that set a presence.
func (c *check) settings() []setting {
	var list []setting
	known := ""
	for _, x := range c.Exchanges {
		switch {
		case x.Part == partMake && x.succeeded():
			if object, err := x.requestObject(); err == nil {
				as, _ := member(object, "signInAs")
				known, _ = as.(string)
			}
		case x.Part == partRead && x.succeeded():
			if object, err := x.object(); err == nil {
				known, _ = object["availability"].(string)
			}
		case (x.Part == partReset || x.Part == partUnread) && x.succeeded():
			known = ""
		case x.Part == partPresence && x.succeeded():
			object, _ := x.requestObject()
			value, _ := member(object, "availability")
			text, readable := value.(string)
			if !readable { // XML
				known = ""
				continue
			}
			list = append(list, setting{answer: answer{x, c}, value: text, before: known,
				changed: known != "" && !isRepeated(known, text)}) // else nobody knows what was there
			known = text
		}
	}
	return list
}

// isRepeated reports whether a value is set that is there already, though the user may be idle: that may raise no event.
func isRepeated(known, value string) bool { return value == known || "Idle"+value == known }

// readBack compares every presence that is read with the one set before it: the
// reads before any refused request, or those after one.
func (c *check) readBack(afterRefusals bool) {
	if afterRefusals {
		c.storedEarly()
	}
	settings := c.settings()
	if len(settings) == 0 {
		c.success(c.all(partPresence)[0], "set-presence.6.status")
	}
	judged := false
	reads := c.optional(partRead)
	for i, s := range settings {
		if s.value == string(ucwa.PreferOffwork) {
			continue // it reads back as another value
		}
		for len(reads) > 0 && reads[0].ID < s.ID {
			reads = reads[1:]
		}
		for _, a := range reads {
			if i+1 < len(settings) && a.ID > settings[i+1].ID {
				break
			}
			if c.between(s.ID, a.ID, partReset, partUnread) || !c.Driven && c.changedUnseen(s.ID, a.ID) ||
				c.between(s.ID, a.ID, presenceRefusals...) != afterRefusals {
				continue
			}
			read := a.JSON("availability")
			if afterRefusals && c.misread(s, a.ID) {
				c.stop(reports.Blocked, fmt.Sprintf("set-presence.6.received: what exchange %d set was not read back before the refusals either", s.ID))
			}
			if !c.Driven && (len(c.toldBetween(s.ID, a.ID)) > 1 || muchLater(s.Exchange, a.Exchange) || !c.isRead(a.Exchange, s.Exchange)) {
				continue // somebody else, or time, may have changed it since, or it was read before
			}
			judged = true
			c.Expect(read).To(beOneOf(c.readAs(s)...))
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
		c.notExercised("the evidence holds no GET on presence after " + when)
	}
}

// storedEarly looks whether a presence that was refused before makeMeAvailable is there
// after it. Only a driver asks for one that the user is not likely to have; where it was
// had all the same, nothing is held against the server unless the note is there too, which
// was refused then and nobody has.
func (c *check) storedEarly() {
	var asked *Exchange
	for _, x := range c.parts["presence-post-before"] {
		if c.Driven && x.Failure == "" && x.Response.Code/100 == 4 {
			asked = x
		}
	}
	if asked == nil || len(c.parts[partRead]) == 0 {
		return
	}
	first := answer{c.parts[partRead][0], c}
	object, err := first.object()
	sent, err2 := asked.requestObject()
	value, _ := member(sent, "availability")
	if err != nil || err2 != nil || !first.succeeded() || value != string(early) || c.between(asked.ID, first.ID, partPresence, partReset) {
		return
	}
	read, ok := object["availability"]
	if !ok || read == value && !c.notedEarly() {
		return // set-presence.6.availability speaks of what is not there
	}
	c.Expect(first.field("availability", read, true)).To(satisfy(fmt.Sprintf("another value than %s, which exchange %d asked for and was refused, as was the note that is there", value, asked.ID),
		func(v any) bool { return v != value }))
}

// notedEarly reports whether the note is there that was refused before makeMeAvailable.
func (c *check) notedEarly() bool {
	refused := false
	for _, x := range c.Exchanges {
		if x.Part == "note-post-before" {
			refused = x.Failure == "" && x.Response.Code/100 == 4
		}
		if refused && x.is("note") && x.Request.Method == http.MethodGet && x.succeeded() && x.Probe == "" {
			object, _ := x.object()
			return object["message"] == earlyNote
		}
	}
	return false
}

// readAs returns the values by which a setting can be read back: the user may be idle.
func (c *check) readAs(s setting) []any {
	idle := string(ucwa.Availability("Idle" + s.value))
	if !ucwa.Availability(idle).Valid() {
		return []any{s.value}
	}
	return []any{s.value, idle}
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

// isRead reports whether a is known to have been read after one change of the presence, and before or after each other.
func (c *check) isRead(a, after *Exchange) bool {
	if c.Driven || !c.index.timed {
		return true
	}
	if !c.isAfter(a, after) {
		return false
	}
	for _, part := range []string{partPresence, partReset, partUnread, partMake} {
		for _, x := range c.parts[part] {
			if x.Began.IsZero() || x.Began.Equal(a.Began) {
				return false
			}
		}
	}
	return true
}

// changedUnseen reports whether between two exchanges something may have set the presence of which
// the evidence does not show the answer.
func (c *check) changedUnseen(from, to int) bool {
	return len(within(c.index.unsettled, from, to)) > 0
}

// muchLater reports whether the dates of two answers lie minutes apart: a server
// changes the presence of a user who does nothing.
func muchLater(x, y *Exchange) bool {
	first, err1 := http.ParseTime(strings.Join(cassettes.HeaderValues(x.Response.Headers, "Date"), ""))
	then, err2 := http.ParseTime(strings.Join(cassettes.HeaderValues(y.Response.Headers, "Date"), ""))
	return err1 == nil && err2 == nil && then.Sub(first).Abs() > time.Minute // clocks of front ends differ
}

// toldBetween returns the presence events told by the exchanges between two others.
func (c *check) toldBetween(from, to int) []event {
	var list []event
	for _, x := range c.span(partEvents, from, to) {
		list = append(list, ofPresence((answer{x, c}).events())...)
	}
	return list
}

// misread reports whether a read before any refusal missed what s set.
func (c *check) misread(s setting, before int) bool {
	for _, x := range c.span(partRead, s.ID, before) {
		if !c.between(s.ID, x.ID, presenceRefusals...) {
			object, err := x.object()
			return err != nil || !slices.Contains(c.readAs(s), object["availability"])
		}
	}
	return false
}

// presenceRefusals are the requests on an available user that must change nothing.
var presenceRefusals = []string{"make-again", "availability", "not-json", "media-type", "method-presence"}

// between reports whether an exchange of one of these parts lies between two others.
func (c *check) between(from, to int, parts ...string) bool {
	for _, part := range parts {
		if len(c.span(part, from, to)) > 0 {
			return true
		}
	}
	return false
}
