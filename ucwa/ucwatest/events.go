package ucwatest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// channel is an application's event channel, the pending GET. Source:
// "Events" and the API reference, events.
//
// A position, the ack of its href, is one response. Asking for a position
// acknowledges the one before it. The position asked for once more is told
// again what it was told before, in case that was lost.
type channel struct {
	ack      int    // the position the client is at
	answered bool   // it has been told a next position
	told     object // what it was told, if that were events

	waiting []*event         // not told yet
	taken   int              // of them, that are not to be told any more
	latest  map[about]*event // the last of them about each resource
	due     time.Time        // when they are to be told
	text    int              // bytes of messages in what waits or was told last
	lost    bool             // there were too many

	held      *held // the pending GET
	heard     time.Time
	opened    bool // there has been a GET
	stopAlarm func()

	// What the client asked for, zero if it did not.
	low, medium, timeout time.Duration
}

// What one client that stays away can make the server keep for it.
const (
	maxWaiting     = 20_000
	maxWaitingText = 16 << 20 // bytes
)

// event is what there is to tell of a resource. Source: "Events in UCWA".
type event struct {
	rel, path string     // of the resource that it is about
	title     string     // of the link to that
	kind      string     // added, updated or deleted; of an operation started, updated or completed
	in        *eventLink // the collection in which it is that
	show      object     // the resource, embedded; nil: it is to be fetched
	status    string     // of what is completed: Success or Failure
	reason    object     // why
	text      int        // bytes of a message in it
}

type eventLink struct{ rel, path, title string }

// linkTo is a link to a resource of the application, for events.
func linkTo(rel, path string) *eventLink { return &eventLink{rel: rel, path: path} }

// taken is the kind of an event that is not to be told any more.
const taken = ""

// about is what events that can become one have in common: the resource, and the collection.
type about struct{ rel, path, in string }

func (e *event) about() about {
	if e.in == nil {
		return about{e.rel, e.path, ""}
	}
	return about{e.rel, e.path, e.in.rel + e.in.path}
}

// sender is the path of the resource that tells, and its rel: a conversation tells of what is in it, and
// of all else the resource that the application embeds.
func (e *event) sender() (path, rel string) {
	parts := strings.SplitAfterN(e.path, "/", 5)
	if len(parts) == 5 && parts[2] == "conversations/" {
		return strings.TrimSuffix(strings.Join(parts[:4], ""), "/"), "conversation"
	}
	rel = strings.TrimSuffix(parts[1], "/")
	return "/" + rel, rel
}

// priority is that of the reference, which has it by the collection where there is one, and
// High for what is told within conversations and is not in it.
func (e *event) priority() string {
	if e.in != nil {
		if page, known := api.ResourceOf(e.in.rel); known {
			for _, told := range page.Events {
				if told.Resource == e.rel && told.Type == e.kind {
					return told.Priority
				}
			}
		}
	}
	_, sender := e.sender()
	if told, known := api.EventOf(sender, e.rel, e.kind); known {
		return told.Priority
	}
	return "High"
}

// held is a GET that is pending: the request waits for what comes, the
// application for a reason to let it go.
type held struct {
	came        chan outcome // of capacity one: whoever lets go does not wait
	priority    float64      // of this GET: one of a lower does not take its place
	stopTimeout func()
	stopGather  func() // nil unless events are waiting for company
}

type outcome struct {
	answer answer
	err    error
}

// getEvents answers at once if there is a reason to, and else holds the GET.
func getEvents(c *call) (answer, error) {
	a := c.app
	query := parameters(c.request.URL.Query())
	if err := a.channel.remember(query); err != nil {
		return answer{}, err
	}
	priority, _ := strconv.ParseFloat(query.Get("priority"), 64) // none is 0
	if h := a.channel.held; h != nil {
		replaced := refuse(http.StatusConflict, "PGetReplaced", "Another GET has taken the place of this one.")
		if priority < h.priority {
			return answer{}, replaced
		}
		a.release(outcome{err: replaced})
	}
	silent := a.silent()
	a.channel.opened = true
	a.hear()

	self := a.channel.ack
	switch {
	case !a.channel.move(query["ack"]):
		return ok(a.events(self, "resync", self, nil)), nil // to the first package not acknowledged; nothing is lost
	case silent || a.channel.lost:
		a.forget()
		self = a.channel.ack
		return ok(a.restart(self, "resume", self+1)), nil
	case a.channel.told != nil:
		return ok(a.channel.told), nil
	}
	return a.hold(priority), nil
}

// remember takes over the parameters that shape the channel, all or none.
func (ch *channel) remember(query url.Values) error {
	f := &fields{}
	seconds := func(name string, least int, old time.Duration) time.Duration {
		given, asked := query[name]
		if !asked {
			return old
		}
		n, err := strconv.Atoi(given[0])
		if err != nil || len(given) > 1 || n < least || n > 1800 {
			f.reject(name, "is no number of seconds from "+strconv.Itoa(least)+" to 1800")
		}
		return time.Duration(n) * time.Second
	}
	low := seconds("low", 5, ch.low)
	medium := seconds("medium", 5, ch.medium)
	timeout := seconds("timeout", 180, ch.timeout)
	if given, asked := query["priority"]; asked {
		if n, err := strconv.ParseFloat(given[0], 64); err != nil || n != n || len(given) > 1 {
			f.reject("priority", "is no number")
		}
	}
	if err := f.err(); err != nil {
		return err
	}
	ch.low, ch.medium, ch.timeout = low, medium, timeout
	return nil
}

// move goes to the position asked for: the one the client is at, or the next
// if it has been told of that. Any other is out of range.
func (ch *channel) move(asked []string) (inRange bool) {
	if len(asked) != 1 {
		return false
	}
	switch {
	case asked[0] == strconv.Itoa(ch.ack):
		return true
	case ch.answered && asked[0] == strconv.Itoa(ch.ack+1):
		ch.ack, ch.answered, ch.told = ch.ack+1, false, nil
		ch.text = 0
		for _, e := range ch.waiting {
			ch.text += e.text
		}
		return true
	}
	return false
}

// silent tells whether the client stayed away so long that what it was to be
// told is not worth keeping. The documentation says that there is such a time
// but not how long it is: here it is half the time after which the application
// would have ended.
func (a *application) silent() bool {
	ch := &a.channel
	return ch.opened && a.server.clock.Now().Sub(ch.heard) > a.server.expiry/2
}

// restart forgets all that was or was to be told. The client must look at the
// resources again, and continues, by the given link, at a fresh position.
func (a *application) restart(self int, rel string, next int) object {
	ch := &a.channel
	*ch = channel{ack: next, held: ch.held, heard: ch.heard, opened: ch.opened, stopAlarm: ch.stopAlarm, low: ch.low, medium: ch.medium, timeout: ch.timeout}
	return a.events(self, rel, next, nil)
}

// hold keeps the GET until events come, company for them has been waited for,
// or there was nothing for the time-out.
func (a *application) hold(priority float64) answer {
	ch := &a.channel
	h := &held{came: make(chan outcome, 1), priority: priority}
	ch.held = h
	a.flush()
	if ch.held != h {
		return answer{held: h} // it was answered, and nobody who waits for alarms was woken
	}
	timeout := a.server.timeout
	if ch.timeout > 0 {
		timeout = ch.timeout
	}
	h.stopTimeout = a.server.later(timeout, a.tell)
	return answer{held: h}
}

// wait waits, without any lock, for the pending GET to be let go. A client
// that hangs up, or a server that closes, lets it go as well.
func (c *call) wait(h *held) (answer, error) {
	select {
	case o := <-h.came:
		return o.answer, o.err
	case <-c.request.Context().Done():
	}
	c.server.do(func() {
		if c.app.channel.held == h {
			c.app.release(outcome{err: refuse(http.StatusServiceUnavailable, "", "The request was given up.")})
		}
	})
	o := <-h.came // what was told at the same moment, is told
	return o.answer, o.err
}

// release lets the pending GET go with an outcome.
func (a *application) release(o outcome) {
	h := a.channel.held
	a.channel.held = nil
	if h.stopTimeout != nil {
		h.stopTimeout()
	}
	if h.stopGather != nil {
		h.stopGather()
	}
	h.came <- o
	a.hear()
}

// queue notes an event to be told. Where the same resource has one that waits, both become
// what has to be known: something added and updated is, to one who has not heard of it, added;
// something added and deleted is nothing, unless it is a conversation. The end of an operation is told for itself.
func (a *application) queue(e event) {
	ch := &a.channel
	if a.ended || a.scripted {
		return
	}
	if old := ch.latest[e.about()]; old != nil {
		switch {
		case old.kind == "added" && e.kind == "deleted" && e.rel != "conversation": // in which something was said
			ch.take(&e)
			return
		case old.kind == "updated" && e.kind == "deleted":
			ch.take(&e)
		case e.kind == "updated" && old.kind != "deleted" && old.kind != "completed":
			old.show, old.reason = e.show, e.reason
			return
		case e.kind == old.kind:
			return
		}
	}
	if len(ch.waiting) >= maxWaiting {
		ch.empty()
		ch.lost = true
	}
	wait := a.server.aggregation
	switch e.priority() {
	case "High":
		wait = 0
	case "Medium":
		if ch.medium > 0 {
			wait = ch.medium
		}
	case "Low":
		if wait *= 3; ch.low > 0 { // as the documented defaults are, of 5 and 15 seconds
			wait = ch.low
		}
	}
	if at := a.server.clock.Now().Add(wait); len(ch.waiting) == 0 || at.Before(ch.due) {
		ch.due = at
	}
	ch.waiting = append(ch.waiting, &e)
	if ch.latest == nil {
		ch.latest = map[about]*event{}
	}
	ch.latest[e.about()] = &e
	ch.text += e.text
	a.server.touched = append(a.server.touched, a)
}

// take takes back what waits to be told of the same as e.
func (ch *channel) take(e *event) {
	old := ch.latest[e.about()]
	if old == nil {
		return
	}
	old.kind = taken
	delete(ch.latest, e.about())
	if ch.taken++; 2*ch.taken > len(ch.waiting) {
		ch.waiting = slices.DeleteFunc(ch.waiting, func(e *event) bool { return e.kind == taken })
		ch.taken = 0
	}
}

// takeIn takes back what waits to be told of a resource that is gone, and of what was in it.
func (ch *channel) takeIn(rel, path string) {
	for of, e := range ch.latest {
		if of.in == rel+path || of.rel == rel && of.path == path && e.kind == "updated" {
			ch.take(e)
		}
	}
}

// empty forgets what is waiting.
func (ch *channel) empty() { ch.waiting, ch.latest, ch.taken = nil, nil, 0 }

// flush tells what is waiting if a GET is pending and company has been waited
// for, and else sees to it that this happens in time.
func (a *application) flush() {
	ch := &a.channel
	if ch.held == nil || len(ch.waiting) == ch.taken {
		return
	}
	if ch.held.stopGather != nil {
		ch.held.stopGather()
		ch.held.stopGather = nil
	}
	if rest := ch.due.Sub(a.server.clock.Now()); rest > 0 {
		ch.held.stopGather = a.server.later(rest, a.tell)
		return
	}
	a.tell()
}

// tell lets the pending GET go with all that is waiting; if that is nothing,
// the client is to come again.
func (a *application) tell() {
	ch := &a.channel
	content := a.events(ch.ack, "next", ch.ack+1, ch.waiting)
	ch.answered = true
	if len(content.get("sender").([]object)) > 0 {
		ch.told = content
	}
	ch.empty()
	a.release(outcome{answer: ok(content)})
}

// events is the resource: where it is, where to go on, and what happened, in that order. A
// sender stands there again when another has told something in between.
func (a *application) events(self int, rel string, next int, told []*event) object {
	content := object{{"_links", object{
		{"self", href(a.eventsHref(self))},
		{rel, href(a.eventsHref(next))},
	}}}
	senders := []object{} // there where nothing happened, too: clients index it
	told = slices.DeleteFunc(slices.Clone(told), func(e *event) bool { return e.kind == taken })
	for i := 0; i < len(told); {
		var events []object
		sender, rel := told[i].sender()
		for ; i < len(told); i++ {
			if other, _ := told[i].sender(); other != sender {
				break
			}
			events = append(events, a.event(told[i]))
		}
		senders = append(senders, object{{"rel", rel}, {"href", a.href(sender)}, {"events", events}})
	}
	return append(content, member{"sender", senders}, member{"rel", "events"})
}

func (a *application) event(e *event) object {
	o := object{{"link", a.eventLink(&eventLink{e.rel, e.path, e.title})}}
	if e.in != nil {
		o = append(o, member{"in", a.eventLink(e.in)})
	}
	if e.status != "" {
		o = append(o, member{"status", e.status})
	}
	if e.reason != nil {
		o = append(o, member{"reason", e.reason})
	}
	if e.show != nil {
		o = append(o, member{"_embedded", object{{e.rel, e.show}}})
	}
	return append(o, member{"type", e.kind})
}

func (a *application) eventLink(l *eventLink) object {
	o := object{{"rel", l.rel}, {"href", a.href(l.path)}}
	if l.title != "" {
		o = append(o, member{"title", l.title})
	}
	return o
}

func (a *application) eventsHref(ack int) string {
	return a.href("/events?ack=" + strconv.Itoa(ack))
}
