package suite

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// eventRoles are the roles of the event channel.
func eventRoles() []role {
	return []role{
		{name: "events refused", rel: "events", method: http.MethodGet, is: func(s *state, x *Exchange) bool {
			return !s.e.Driven && x.Response.Code == http.StatusBadRequest && mistakenOptions(x.url.Query())
		}},
		{name: partEvents, title: "answer on the event channel", rel: "events", method: http.MethodGet, paths: []string{"/events"}, after: partAfter, lead: "_links.events"},
	}
}

// eventChannel are the requirements on the channel, for the pages that share it.
var eventChannel = []string{"set-presence.event.status", "set-presence.event.self", "set-presence.event.next", "set-presence.event.ack", "set-presence.event.sender",
	"set-presence.event.shape", "set-presence.event.once", "set-presence.event.follow", "set-presence.event.options"}

// eventSteps is the event that confirms, and the channel that brings it.
func eventSteps() step {
	return step{ID: "event", Title: "An event confirms the presence", role: partEvents, clauses: []clause{
		{Clause: Clause{ID: "6.event", Quotes: []string{
			"An event will confirm that your application is the most active and this presence is now being " +
				"shared with other contacts.",
		}}, Checks: []Check{
			server("event.status", must,
				all(status(http.StatusOK), resourceBody()).
					of("each answer on the event channel", (*check).packages, partEvents),
				"A pending GET on the events link is answered with 200 and a JSON object.",
				"A gateway that ends long requests with 502 or 504."),
			server("event.self", must,
				link("_links.self").of("each answer on the event channel", (*check).packages, partEvents),
				"An event package has a self link.",
				"A self link without its query."),
			server("event.next", must, tracing(
				"Resolve _links.next, resync or resume of every event package, which has one of them.", leadsOnward),
				"An event package says how to go on, by one link next, resync or resume on the server's "+
					"own origin, and not below another application.",
				"A package without next, after which the client hears nothing more."),
			server("event.ack", must, tracing(
				"Compare ack in next with ack in the request; by how much it grows is the server's "+
					"choice.", countsOnward),
				"The ack of next is a whole number that never goes back, and grows when events were told.",
				"Two front ends that count by themselves."),
			server("event.sender", must,
				tracing("Look at each item of sender; a package after a time-out has none.", namesSenders),
				"Every sender in an event package has rel and href, and its events as a list.",
				"A sender named by its rel alone."),
			server("event.shape", must, tracing(
				"Look at each event for link.rel, link.href and type (added, updated, deleted, "+
					"started, completed).", shapesEvents),
				"Every event has a link with rel and href, and a documented type.",
				"An event that embeds the resource and leaves the link out."),
			server("event.presence", must, tracing(
				"Look for a presence event, added or updated, that embeds no other value, among the "+
					"answers after each accepted POST that set a value other than the one before.", func(c *check) { c.confirmed(myPresence, partPresence) }),
				"After a POST that changes the presence the event channel has an event of presence.",
				"Storing the value without telling the publisher's own application."),
			server("event.me", must,
				sentBy(myPresence),
				"The sender of the user's own presence event is me.",
				"The event sent as if it were about a contact, from people."),
			server("event.application", must, tracing(
				"Compare link.href of every presence event from me with the presence link of the "+
					"application.", tellsOwnPresence),
				"The presence event links to the presence of this application.",
				"A broadcast to all of a user's applications with the links of one of them."),
			server("event.once", must, tracing(
				"Between two packages of which the later acknowledges the earlier, a resource reported "+
					"as added must not be added again unless it was deleted or the channel was resynced. "+
					"Within a package no event stands twice, one of presence, note or location no more "+
					"often than these were changed since the package before.", tellsOnce),
				"Each event comes once, also within one package.",
				"A queue that is cut only when the next events come, or two publishers of one change."),
			client("event.follow", must, tracing(
				"Compare the ack of each pending GET with the link of the last package. What was not "+
					"answered may be asked again, and a client may begin anew with the events link of the "+
					"application, but not again and again.", followsEvents),
				"The client's next pending GET goes to the link of the package before, ack unchanged.",
				"A client that counts ack by itself."),
			client("event.options", should, tracing(
				"Look at the query of every pending GET: low and medium 5 to 1800, timeout 180 to 1800 "+
					"seconds.", asksWithinBounds),
				"What the client asks of the event channel lies within the documented bounds.",
				"Milliseconds in place of seconds."),
		}},
	}}
}

func leadsOnward(c *check) {
	for _, p := range c.packages() {
		link := p.JSON("_links", "next")
		served := []string{}
		for _, rel := range waysOn {
			if f := p.JSON("_links", rel); !f.Absent {
				link = f
				served = append(served, rel)
			}
		}
		c.Expect(link).To(leadToOrigin())
		c.Expect(p.field("_links", strings.Join(served, ", "), true)).To(beOneOf("next", "resync", "resume"))
	}

}

func countsOnward(c *check) {
	judged := false
	for _, p := range c.packages() {
		asked, ok := ackOf(p.url)
		link := p.JSON("_links", "next")
		if !ok || link.Absent {
			continue
		}
		c.needs(link, "set-presence.event.next")
		judged = true
		least, words := asked, fmt.Sprintf("a link with ack=%d or more", asked)
		if len(p.events()) > 0 {
			least, words = asked+1, fmt.Sprintf("a link with ack of more than %d, since events were told", asked)
		}
		c.Expect(link).To(leadTo(words, func(u *url.URL) bool { ack, ok := ackOf(u); return ok && ack >= least }))
	}
	if !judged {
		c.notExercised("no event package has a next link")
	}

}

func namesSenders(c *check) {
	judged := false
	for _, p := range c.packages() {
		senders := p.JSON("sender")
		if senders.Absent || senders.Value == nil {
			continue // nothing to tell: a time-out
		}
		judged = true
		c.Expect(senders).To(satisfy("a list", func(v any) bool { _, ok := v.([]any); return ok }))
		for i, sender := range senders.Value.([]any) {
			f := senders.within(strconv.Itoa(i), sender, true)
			c.expectNamedLink(f)
			if events, ok := dig(sender, "events"); ok && events != nil {
				c.Expect(f.within("events", events, true)).To(satisfy("a list", func(v any) bool { _, ok := v.([]any); return ok }))
			}
		}
	}
	if !judged {
		c.notExercised("no event package has a sender")
	}

}

func shapesEvents(c *check) {
	for _, e := range c.told() {
		link, ok := dig(e.Value, "link")
		c.expectNamedLink(e.within("link", link, ok))
		kind, ok := dig(e.Value, "type")
		c.Expect(e.within("type", kind, ok)).To(beOneOf("added", "updated", "deleted", "started", "completed"))
	}

}

// sentBy is the trace of who is said to have changed what the user sets.
func sentBy(p *personal) trace {
	return tracing("Look at the rel of the sender of every "+p.rel+" event.", func(c *check) {
		for _, e := range c.toldOf(p) {
			c.Expect(e.sender).To(beOneOf("me"))
		}
	})
}

func tellsOwnPresence(c *check) {
	for _, e := range c.toldOf(myPresence) {
		link, ok := dig(e.Value, "link")
		if _, err := resolveLink(link, e.x.url); err != nil {
			c.blocked("set-presence.event.shape", e.x)
		}
		served := c.lastServed("presence", answer{e.x, c})
		c.Expect(e.within("link", link, ok)).To(leadTo("a link to the presence of this application", func(u *url.URL) bool {
			return served == nil || linkKey(u) == linkKey(served)
		}))
	}

}

func tellsOnce(c *check) {
	judged := false
	type place struct{ link, in string } // one resource can be in several collections
	standing := map[place]int{}          // what was told as added, and the exchange that told it
	last := 0
	for _, p := range inOrderOf(c.packages()) {
		object, _ := p.object()
		if _, goesOn := dig(object, "_links", "next"); !goesOn {
			clear(standing) // resync and resume: the server begins anew; or the capture lost what it told
		}
		told := map[string]int{} // events of this package
		for _, e := range p.events() {
			link, _ := dig(e.Value, "link")
			u, err := resolveLink(link, p.url)
			rel, _ := dig(e.Value, "link", "rel")
			if err != nil {
				continue
			}
			if key, one := e.onceEach(); one {
				judged = true
				told[key]++
				observed := "told once"
				if n := told[key]; n > 1 && n > c.changesOf(u, last, p.ID) {
					observed = fmt.Sprintf("told %d times in one package", n)
				}
				c.Expect(e.within("type", observed, true)).To(beOneOf("told once"))
			}
			at := place{link: linkKey(u)}
			in, _ := dig(e.Value, "in")
			if u, err := resolveLink(in, p.url); err == nil {
				at.in = linkKey(u)
			}
			if rel == "presence" || isMine(fmt.Sprint(rel)) && (!c.Driven || c.changesOf(u, standing[at], p.ID) > 0) {
				continue // some servers tell each change as added
			}
			switch kind, _ := dig(e.Value, "type"); kind {
			case "deleted":
				delete(standing, at)
			case "added":
				judged = true
				observed := "told for the first time"
				if by, told := standing[at]; told && !c.repeated(p, by) {
					observed = fmt.Sprintf("added again: exchange %d told it already, and its ack was sent", by)
				}
				c.Expect(e.within("type", observed, true)).To(beOneOf("told for the first time"))
				standing[at] = p.ID
			}
		}
		last = p.ID
	}
	if !judged {
		c.notApplicable("there is no event of a resource whose events must come exactly once")
	}

}

func followsEvents(c *check) {
	judged := false
	asked := map[*Exchange]answer{}
	for _, r := range c.requests("GET", "events") {
		asked[r.Exchange] = r
	}
	var onward, entries []any // the acks with which a client may go on, and begin
	known := map[any]bool{}   // every ack that was served
	doubt := false            // the evidence does not show where the last answer led
	restarted := false        // the last pending GET began anew
	var before *Exchange      // the last package
	for _, x := range c.Exchanges {
		links := []string{"events"}
		r, own := asked[x]
		if own {
			ack := r.field("request URL.ack", r.url.Query().Get("ack"), true)
			allowed := onward
			if !restarted { // a client may begin anew with the link of the application, but not go on so
				allowed = slices.Concat(onward, entries)
			}
			unordered := before != nil && known[ack.Value] && !c.isAfter(x, before)
			if len(onward) > 0 && (!doubt && !unordered && !c.missesPackage(r, known) || slices.Contains(allowed, ack.Value)) {
				judged = true
				c.Expect(ack).To(beOneOf(allowed...))
			}
			restarted = len(onward) > 0 && !slices.Contains(onward, ack.Value)
			links = waysOn
		}
		doubt = doubt || (c.mayServe(x) || x.is("events") && !c.Driven && x.Failure != "") && (x.Failure == "" || c.index.lastAnswer[x.asks()] <= x.ID)
		object, err := x.object()
		if err != nil || !x.succeeded() || x.Probe != "" {
			continue // not answered: the same may be asked again
		}
		served := acksServed(x, object, links...)
		if own && len(served) > 0 {
			onward, doubt, before = nil, false, x // what led to this package is done with
		}
		for _, ack := range served { // the same is served again and again
			known[ack] = true
			if !slices.Contains(onward, ack) {
				onward = append(onward, ack)
			}
			if !own && !slices.Contains(entries, ack) {
				entries = append(entries, ack)
			}
		}
	}
	if !judged {
		c.notExercised("the evidence shows no pending GET after an answer with an events link")
	}

}

func asksWithinBounds(c *check) {
	judged := false
	for _, r := range c.requests("GET", "events") {
		for _, option := range eventOptions {
			if value := r.url.Query().Get(option.name); value != "" {
				judged = true
				c.Expect(r.field("request URL."+option.name, value, true)).To(stringThat(
					fmt.Sprintf("%d to 1800 seconds", option.least), option.allows))
			}
		}
	}
	if !judged {
		c.notApplicable("the client asks for no low, medium or timeout")
	}

}

// missesPackage reports whether the evidence of others lacks the package that led to r: nobody served its ack, and yet the
// server did not mind. One that a client made up is answered with resync.
func (c *check) missesPackage(r answer, known map[any]bool) bool {
	if c.Driven || known[r.url.Query().Get("ack")] {
		return false
	}
	object, _ := r.object()
	_, goesOn := dig(object, "_links", "next")
	return r.succeeded() && (goesOn || r.lost) || r.Response.Code == http.StatusNotFound || r.Response.Code == http.StatusConflict
}

// eventOptions are what a client may ask of the event channel: how long at least,
// in seconds.
var eventOptions = []eventOption{{"low", 5}, {"medium", 5}, {"timeout", 180}}

type eventOption struct {
	name  string
	least int
}

func (o eventOption) allows(seconds string) bool {
	n, err := strconv.Atoi(seconds)
	return err == nil && n >= o.least && n <= 1800
}

// packages returns the answers on the event channel. A pending GET that another
// replaced (409), that nobody answered in time, or that the client gave up is none.
func (c *check) packages() []answer {
	var list []answer
	for _, x := range c.parts[partEvents] {
		switch {
		case x.timedOut() || x.givenUp() || x.replaced() || x.Failure != "" && !c.Driven && c.index.lastAnswer[x.asks()] > x.ID:
		case x.Failure == "" && !x.later():
			list = append(list, answer{x, c})
		case c.unanswered == nil:
			c.unanswered = x
		}
	}
	if len(list) == 0 {
		if len(c.parts[partEvents]) == 0 {
			c.missing(partEvents)
		}
		c.notExercised(fmt.Sprintf("no pending GET was answered in time, or another took its place: see exchange %d", c.parts[partEvents][0].ID))
	}
	return lostLast(list)
}

// inOrderOf returns answers in the order of their numbers.
func inOrderOf(list []answer) []answer {
	return slices.SortedFunc(slices.Values(list), func(a, b answer) int { return a.ID - b.ID })
}

// replaced reports whether another pending GET released this one.
func (x *Exchange) replaced() bool {
	object, err := x.object()
	return x.Response.Code == http.StatusConflict && err == nil && object["subcode"] == ucwa.SubcodePGetReplaced
}

// told returns every event of every package.
func (c *check) told() []event {
	var list []event
	for _, p := range c.packages() {
		list = append(list, p.events()...)
	}
	if len(list) == 0 {
		c.notExercised("no event package tells an event")
	}
	return list
}

// onceEach reports whether an event like this one may stand in a package once only, but for what
// changed meanwhile, and returns what makes it that event. Of what others change, such as the presence
// of contacts, nobody else knows how often that was.
func (e event) onceEach() (key string, one bool) {
	kind, _ := dig(e.Value, "type")
	rel, _ := dig(e.Value, "link", "rel")
	if kind == "updated" && (e.sender.Value != "me" || !isMine(fmt.Sprint(rel))) || kind == "deleted" {
		return "", false
	}
	text, err := json.Marshal(e.Value) // keys in order
	return string(text), err == nil
}

// changesOf counts the requests between two exchanges that changed a resource.
func (c *check) changesOf(u *url.URL, from, to int) int {
	changes := 0
	for _, x := range within(c.Exchanges, from, to) {
		if x.Request.Method != http.MethodGet && (x.succeeded() || x.Failure != "") && linkKey(x.url) == linkKey(u) {
			changes++
		}
	}
	return changes
}

// confirms reports whether an event of it can tell of that value: it is bare, or
// what it embeds is not another.
func (e event) confirms(p *personal, value string) bool {
	shown, _ := dig(e.Value, "_embedded", p.rel)
	embedded, told := dig(shown, p.member)
	read := p.readAs(value)
	if object, isObject := shown.(map[string]any); isObject && p.isDisplaced(object) {
		return true // which is shown in its place
	}
	return !told || embedded == nil && p.blank && value == "" || len(read) == 0 || slices.Contains(read, embedded)
}

// toldOf returns every event that tells of what the user sets.
func (c *check) toldOf(p *personal) []event {
	list := p.of(c.told())
	if len(list) == 0 {
		c.notExercised("there is no event of " + p.rel)
	}
	return list
}

// expectNamedLink expects a link that carries its rel.
func (c *check) expectNamedLink(f Field) {
	rel, ok := dig(f.Value, "rel")
	c.Expect(f.within("rel", rel, ok)).To(beText())
	c.Expect(f).To(leadSomewhere())
}

// confirmed looks for the event that confirms each change of it, by requests of a role.
func (c *check) confirmed(p *personal, role string) {
	settings, resets := c.changes(p)
	if role == p.reset {
		settings = resets
	}
	if len(settings) == 0 {
		first := c.all(role)[0]
		c.success(first, owners()[first.Part].status)
	}
	judged := false
	var missed *Exchange
	doubtful := c.doubtfulEvents()
	heard := map[string]*silence{}
	for i, s := range settings {
		if heard[s.value] == nil {
			heard[s.value] = c.silenceOf(p, s.value)
		}
		until := math.MaxInt
		if c.Driven && i+1 < len(settings) {
			until = settings[i+1].ID // a driver waits for each before it goes on
		}
		last, found, conclusive := c.listened(s.ID, until, heard[s.value])
		if last.Exchange == nil || !found && !s.changed {
			continue // a value that stays the same may raise no event
		}
		if slow := c.tooSlow(s.Exchange, last.Exchange); !found && slow != "" {
			c.heard(last)
			c.stop(reports.Error, slow)
		}
		if !found {
			c.heard(last)
			if !c.Driven && i+1 < len(settings) && len(c.span(partEvents, s.ID, settings[i+1].ID)) == 0 {
				continue // the next change came before anybody listened: one event tells of both
			}
			if !conclusive || !c.Driven && c.toldJustBefore(p, s) {
				continue // recorders note what ends: the event may have overtaken the answer to the POST
			}
			if x := firstWithin(doubtful, c.listeningAt(s.ID), heard[s.value].provenAfter(s.ID)); x != nil {
				missed = x
				continue
			}
		}
		judged = true
		observed := fmt.Sprintf("a %s event, after exchange %d %s", p.rel, s.ID, s.does(p))
		if !found {
			observed = fmt.Sprintf("no %s event after exchange %d %s", p.rel, s.ID, s.does(p))
			if last.timedOut() {
				observed += "; the last pending GET was not answered in time"
			}
		}
		c.Expect(last.field("sender.events", observed, true)).To(matcher{expected: "a " + p.rel + " event, added or updated", matches: func(Field) bool { return found }})
	}
	if !judged {
		if missed != nil {
			c.unseen(missed)
		}
		if len(c.parts[partEvents]) == 0 {
			c.missing(partEvents)
		}
		c.notExercised("the evidence holds no answer on the event channel after a POST that changed the " + p.rel)
	}
}

// does says what a setting does.
func (s setting) does(p *personal) string {
	if s.Part == p.reset {
		return "reset it"
	}
	return "set " + s.value
}

// silence is where the event channel told of a value of presence, and where its telling
// nothing proves something: by number.
type silence struct{ confirmed, conclusive []int }

// provenAfter returns the first exchange from a number on whose telling nothing proves something.
func (s *silence) provenAfter(from int) int {
	return firstFrom(s.conclusive, from)
}

// firstFrom returns the first of ascending numbers that is not below another, or the largest int.
func firstFrom(numbers []int, from int) int {
	i, _ := slices.BinarySearch(numbers, from)
	if i == len(numbers) {
		return math.MaxInt
	}
	return numbers[i]
}

// doubtfulEvents returns the pending GETs that may have told what the evidence does not show: of which it
// lacks the body or the answer, and the same was not asked again, or the package that led to them.
func (c *check) doubtfulEvents() []*Exchange {
	if c.Driven {
		return nil // a driver's recording is whole
	}
	var list []*Exchange
	known := map[any]bool{}
	for _, x := range c.Exchanges {
		if x.is("events") && c.own(x.url) && x.Request.Method == http.MethodGet {
			if x.lost || x.Failure != "" && c.index.lastAnswer[x.asks()] <= x.ID || x.succeeded() && !known[x.url.Query().Get("ack")] {
				list = append(list, x)
			}
		}
		object, _ := x.object()
		for _, ack := range acksServed(x, object, slices.Concat([]string{"events"}, waysOn)...) {
			known[ack] = true
		}
	}
	return list
}

// acksServed returns the acks to which links of an answer lead on the event channel.
func acksServed(x *Exchange, object map[string]any, rels ...string) []any {
	var acks []any
	for _, rel := range rels {
		link, _ := dig(object, "_links", rel)
		if u, err := resolveOwn(link, x.url); err == nil {
			acks = append(acks, u.Query().Get("ack"))
		}
	}
	return acks
}

// listeningAt returns the number of the pending GET before another exchange, whose answer it may have overtaken.
func (c *check) listeningAt(id int) int {
	if before := c.span(partEvents, 0, id); len(before) > 0 {
		return before[len(before)-1].ID
	}
	return id
}

func (c *check) silenceOf(p *personal, value string) *silence {
	s := &silence{}
	for _, x := range c.parts[partEvents] {
		events := answer{x, c}.events()
		if slices.ContainsFunc(events, func(e event) bool { return e.of(p) && e.confirms(p, value) }) {
			s.confirmed = append(s.confirmed, x.ID)
		}
		object, _ := x.object()
		_, goesOn := dig(object, "_links", "next") // resync and resume are no time-outs
		if x.timedOut() || x.succeeded() && len(events) == 0 && goesOn {
			s.conclusive = append(s.conclusive, x.ID)
		}
	}
	return s
}

// listened looks for a presence event between two exchanges. It returns the last
// pending GET looked at, and whether its silence proves something: somebody listened
// until the server's own time-out, or a driver until its patience ended, as it shows
// by going on.
func (c *check) listened(from, until int, s *silence) (last answer, found, conclusive bool) {
	first := func(numbers []int) int { // from that exchange on
		if n := firstFrom(numbers, from); n <= until {
			return n
		}
		return math.MaxInt
	}
	if confirmed := first(s.confirmed); confirmed < math.MaxInt {
		found, until = true, confirmed
	}
	if heard := c.span(partEvents, from-1, max(until, until+1)); len(heard) > 0 {
		last = answer{heard[len(heard)-1], c}
	}
	wentOn := c.Driven && last.Exchange != nil && slices.ContainsFunc(c.Exchanges, func(x *Exchange) bool {
		return x.ID > last.ID && x.Part != partEvents && x.Part != partEnd && x.Part != partGone && !slices.Contains(cleaning, x.Probe)
	})
	return last, found, first(s.conclusive) < math.MaxInt || wentOn && !last.givenUp()
}

// heard ends the spec where a pending GET that told no presence event is no answer
// that could have.
func (c *check) heard(last answer) {
	switch {
	case last.timedOut(), last.replaced(), last.givenUp():
		return
	case last.Failure != "":
		c.unanswered = last.Exchange
		c.whole()
	}
	if _, err := last.object(); err != nil || !last.succeeded() {
		c.blocked("set-presence.event.status", last.Exchange)
	}
	for _, rel := range waysOn {
		if !last.JSON("_links", rel).Absent {
			c.needs(last.JSON("_links", rel), "set-presence.event.next")
			return
		}
	}
	c.blocked("set-presence.event.next", last.Exchange)
}

// toldJustBefore reports whether the last package before a setting tells of a changed presence.
func (c *check) toldJustBefore(p *personal, s setting) bool {
	before := c.span(partEvents, 0, s.ID)
	if len(before) == 0 {
		return false
	}
	return slices.ContainsFunc(c.toldBetween(p, before[len(before)-1].ID-1, s.ID), func(e event) bool {
		kind, _ := dig(e.Value, "type")
		return kind == "updated"
	})
}

// repeated reports whether p answers the same ack as the exchange by: then the
// server repeats what was not acknowledged, as it should.
func (c *check) repeated(p answer, by int) bool {
	for _, x := range c.span(partEvents, by-1, by+1) {
		asked, _ := ackOf(p.url)
		before, _ := ackOf(x.url)
		return asked == before
	}
	return false
}

// mistakenOptions reports whether a pending GET asks for more, or less, than it may.
func mistakenOptions(query url.Values) bool {
	return slices.ContainsFunc(eventOptions, func(o eventOption) bool {
		value := query.Get(o.name)
		return value != "" && !o.allows(value)
	})
}

// tellsChange is the kind of an effect that an event must tell, after requests of a role that change what the user sets.
func tellsChange(p *personal, role string) trace {
	return tracing("Look for a "+p.rel+" event, added or updated, that embeds no other value, among the answers "+
		"after each such request that changed the "+p.rel+".",
		func(c *check) { c.confirmed(p, role) }).
		broken(partEvents, place{name: "sender.events", put: putEvents}, sample{"lost", "has no event about it", p.rel})
}
