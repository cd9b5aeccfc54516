package ucwatest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
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

	changes []change  // not told yet; one for a resource, so there are only so many
	since   time.Time // when the first of them came

	held      *held // the pending GET
	heard     time.Time
	opened    bool // there has been a GET
	stopAlarm func()

	// What the client asked for, zero if it did not. All that is served here
	// has medium priority, so low is remembered to no effect.
	low, medium, timeout time.Duration
}

// change is an event before it is told.
type change struct{ sender, rel, kind string }

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
	query, err := url.ParseQuery(c.request.URL.RawQuery)
	if err != nil {
		return answer{}, refuse(http.StatusBadRequest, "", "The query cannot be read.")
	}
	query = parameters(query)
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
	case silent:
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
	ch.ack, ch.answered, ch.told, ch.changes = next, false, nil, nil
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
	h.stopTimeout = a.later(timeout, h, a.tell)
	return answer{held: h}
}

// later does something after d, if the same GET is pending then.
func (a *application) later(d time.Duration, h *held, do func()) (stop func()) {
	return a.server.clock.AfterFunc(d, func() {
		a.user.mu.Lock()
		defer a.user.mu.Unlock()
		if a.channel.held == h {
			do()
		}
	})
}

// wait waits, without any lock, for the pending GET to be let go. A client
// that hangs up, or a server that closes, lets it go as well.
func (c *call) wait(h *held) (answer, error) {
	select {
	case o := <-h.came:
		return o.answer, o.err
	case <-c.request.Context().Done():
	}
	c.user.mu.Lock()
	defer c.user.mu.Unlock()
	if c.app.channel.held == h {
		c.app.release(outcome{})
	}
	return answer{}, refuse(http.StatusServiceUnavailable, "", "The request was given up.")
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

// queue notes an event to be told. What is waiting to be told of a resource
// covers what happens to it meanwhile: something added and updated is, to one
// who has not heard of it, added.
func (a *application) queue(sender, rel, kind string) {
	ch := &a.channel
	if slices.ContainsFunc(ch.changes, func(c change) bool { return c.rel == rel }) {
		return
	}
	if len(ch.changes) == 0 {
		ch.since = a.server.clock.Now()
	}
	ch.changes = append(ch.changes, change{sender, rel, kind})
}

// flush tells what is waiting if a GET is pending and company has been waited
// for, and else sees to it that this happens in time.
func (a *application) flush() {
	ch := &a.channel
	if ch.held == nil || len(ch.changes) == 0 {
		return
	}
	window := a.server.aggregation
	if ch.medium > 0 {
		window = ch.medium
	}
	rest := ch.since.Add(window).Sub(a.server.clock.Now())
	switch {
	case rest <= 0:
		a.tell()
	case ch.held.stopGather == nil:
		ch.held.stopGather = a.later(rest, ch.held, a.tell)
	}
}

// tell lets the pending GET go with all that is waiting; if that is nothing,
// the client is to come again.
func (a *application) tell() {
	ch := &a.channel
	content := a.events(ch.ack, "next", ch.ack+1, ch.changes)
	ch.answered = true
	if len(ch.changes) > 0 {
		ch.told = content
	}
	ch.changes = nil
	a.release(outcome{answer: ok(content)})
}

// events is the resource: where it is, where to go on, and the changes by
// sender, each in the order in which they first came.
func (a *application) events(self int, rel string, next int, changes []change) object {
	content := object{{"_links", object{
		{"self", href(a.eventsHref(self))},
		{rel, href(a.eventsHref(next))},
	}}}
	senders := []object{} // there where nothing happened, too: clients index it
	for _, name := range []string{"me", "communication"} {
		var events []object
		for _, c := range changes {
			if c.sender == name {
				events = append(events, a.event(c))
			}
		}
		if events != nil {
			senders = append(senders, object{{"rel", name}, {"href", a.href("/" + name)}, {"events", events}})
		}
	}
	return append(content, member{"sender", senders}, member{"rel", "events"})
}

func (a *application) event(c change) object {
	path := "/" + c.rel
	if c.sender == "me" && c.rel != "me" {
		path = "/me" + path
	}
	return object{
		{"link", object{{"rel", c.rel}, {"href", a.href(path)}}},
		{"type", c.kind},
	}
}

func (a *application) eventsHref(ack int) string {
	return a.href("/events?ack=" + strconv.Itoa(ack))
}
