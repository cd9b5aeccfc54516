package suite

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// eventChannel certifies the event that confirms, and the channel that brings it.
func eventChannel(t *tree) {
	t.requirement("set-presence.event.status", func(c *check) {
		for _, p := range c.packages() {
			c.Expect(p.Status()).To(beOneOf(http.StatusOK))
			c.Expect(p.Document()).To(beObject())
			c.expectJSONMedia(p)
		}
	})
	t.requirement("set-presence.event.self", func(c *check) {
		for _, p := range c.packages() {
			c.Expect(p.JSON("_links", "self")).To(leadToOrigin())
		}
	})
	t.requirement("set-presence.event.next", func(c *check) {
		for _, p := range c.packages() {
			link := p.JSON("_links", "next")
			for _, rel := range []string{"resync", "resume"} {
				if f := p.JSON("_links", rel); link.Absent && !f.Absent {
					link = f
				}
			}
			c.Expect(link).To(leadToOrigin())
		}
	})
	t.requirement("set-presence.event.ack", func(c *check) {
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
	})
	t.requirement("set-presence.event.sender", func(c *check) {
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
	})
	t.requirement("set-presence.event.shape", func(c *check) {
		for _, e := range c.told() {
			link, ok := dig(e.Value, "link")
			c.expectNamedLink(e.within("link", link, ok))
			kind, ok := dig(e.Value, "type")
			c.Expect(e.within("type", kind, ok)).To(beOneOf("added", "updated", "deleted", "started", "completed"))
		}
	})
	t.requirement("set-presence.event.presence", func(c *check) { c.confirmed() })
	t.requirement("set-presence.event.me", func(c *check) {
		for _, e := range c.ofPresence() {
			c.Expect(e.sender).To(beOneOf("me"))
		}
	})
	t.requirement("set-presence.event.application", func(c *check) {
		for _, e := range c.ofPresence() {
			link, ok := dig(e.Value, "link")
			if _, err := resolveLink(link, e.x.url); err != nil {
				c.stop(reports.Blocked, fmt.Sprintf("set-presence.event.shape: see exchange %d", e.x.ID))
			}
			served := c.lastServed("presence", answer{e.x, c})
			c.Expect(e.within("link", link, ok)).To(leadTo("a link to the presence of this application", func(u *url.URL) bool {
				return served == nil || linkKey(u) == linkKey(served)
			}))
		}
	})
	t.requirement("set-presence.event.once", func(c *check) {
		judged := false
		standing := map[string]int{} // resources told as added, and the exchange that told it
		for _, p := range c.packages() {
			if p.JSON("_links", "next").Absent {
				clear(standing) // resync and resume: the server begins anew
			}
			for _, e := range p.events() {
				link, _ := dig(e.Value, "link")
				u, err := resolveLink(link, p.url)
				if err != nil || e.ofPresence() {
					continue // some servers tell each change of presence as added
				}
				switch kind, _ := dig(e.Value, "type"); kind {
				case "deleted":
					delete(standing, linkKey(u))
				case "added":
					judged = true
					observed := "told for the first time"
					if by, told := standing[linkKey(u)]; told && !c.repeated(p, by) {
						observed = fmt.Sprintf("added again: exchange %d told it already, and its ack was sent", by)
					}
					c.Expect(e.within("type", observed, true)).To(beOneOf("told for the first time"))
					standing[linkKey(u)] = p.ID
				}
			}
		}
		if !judged {
			c.notApplicable("no event tells of something other than presence as added")
		}
	})
	t.requirement("set-presence.event.follow", func(c *check) {
		judged := false
		for _, r := range c.requests("GET", "events") {
			served := c.acksServed(r)
			if len(served) == 0 {
				continue
			}
			judged = true
			acks := make([]any, len(served))
			for i, ack := range served {
				acks[i] = ack
			}
			ack := r.url.Query().Get("ack")
			c.Expect(r.field("request URL.ack", ack, true)).To(beOneOf(acks...))
		}
		if !judged {
			c.notExercised("the evidence shows no pending GET after an answer with an events link")
		}
	})
	t.requirement("set-presence.event.options", func(c *check) {
		judged := false
		for _, r := range c.requests("GET", "events") {
			for _, option := range []struct {
				name  string
				least int
			}{{"low", 5}, {"medium", 5}, {"timeout", 180}} {
				if value := r.url.Query().Get(option.name); value != "" {
					judged = true
					c.Expect(r.field("request URL."+option.name, value, true)).To(stringThat(
						fmt.Sprintf("%d to 1800 seconds", option.least),
						func(s string) bool { n, err := strconv.Atoi(s); return err == nil && n >= option.least && n <= 1800 }))
				}
			}
		}
		if !judged {
			c.notApplicable("the client asks for no low, medium or timeout")
		}
	})
}

// packages returns the answers on the event channel. A pending GET that another
// replaced (409) and one that nobody answered in time are none.
func (c *check) packages() []answer {
	var list []answer
	for _, x := range c.parts[partEvents] {
		if x.timedOut() || x.replaced() {
			continue
		}
		if x.Failure != "" {
			c.optional(partEvents) // ends the spec with the failure
		}
		list = append(list, answer{x, c})
	}
	if len(list) == 0 {
		for _, x := range c.parts[partEvents] {
			if x.timedOut() {
				c.notExercised(fmt.Sprintf("no pending GET was answered in time: see exchange %d", x.ID))
			}
		}
		c.all(partEvents)
		c.notExercised("every pending GET was replaced by another")
	}
	return list
}

// replaced reports whether another pending GET released this one.
func (x *Exchange) replaced() bool {
	object, err := x.object()
	return x.Response.Code == http.StatusConflict && err == nil && object["subcode"] == ucwa.SubcodePGetReplaced
}

// event is one event of a package, with its sender's rel.
type event struct {
	Field
	sender Field
}

// events returns what a package tells. What is no list of events holds none:
// set-presence.event.sender and set-presence.event.shape speak of that.
func (a answer) events() []event {
	object, _ := a.object()
	senders, _ := object["sender"].([]any)
	var list []event
	for i, s := range senders {
		at := a.field(fmt.Sprintf("sender.%d", i), s, true)
		rel, ok := dig(s, "rel")
		events, _ := dig(s, "events")
		items, _ := events.([]any)
		for j, item := range items {
			list = append(list, event{at.within(fmt.Sprintf("events.%d", j), item, true), at.within("rel", rel, ok)})
		}
	}
	return list
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

func (e event) ofPresence() bool {
	rel, _ := dig(e.Value, "link", "rel")
	kind, _ := dig(e.Value, "type")
	return rel == "presence" && (kind == "added" || kind == "updated")
}

// ofPresence returns every event that tells of the user's presence.
func (c *check) ofPresence() []event {
	var list []event
	for _, e := range c.told() {
		if e.ofPresence() {
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		c.notExercised("no event tells of presence")
	}
	return list
}

// expectNamedLink expects a link that carries its rel.
func (c *check) expectNamedLink(f Field) {
	rel, ok := dig(f.Value, "rel")
	c.Expect(f.within("rel", rel, ok)).To(beText())
	c.Expect(f).To(leadSomewhere())
}

// confirmed looks for the event that confirms each changed presence.
func (c *check) confirmed() {
	settings := c.settings()
	if len(settings) == 0 {
		c.success(c.all(partPresence)[0], "set-presence.6.status")
	}
	judged := false
	for _, s := range settings {
		if !s.changed {
			continue // a value that stays the same may raise no event
		}
		found, conclusive := false, false
		var last answer
		for _, x := range c.parts[partEvents] {
			if x.ID < s.ID || found {
				continue
			}
			last = answer{x, c}
			events := last.events()
			for _, e := range events {
				found = found || e.ofPresence()
			}
			// Silence proves something only where somebody listened long enough: until
			// the server's own time-out, or as long as a driver does.
			object, _ := x.object()
			_, goesOn := dig(object, "_links", "next") // resync and resume are no time-outs
			conclusive = conclusive || c.Driven || x.timedOut() || x.succeeded() && len(events) == 0 && goesOn
		}
		if last.Exchange == nil || !found && !conclusive {
			continue
		}
		if !found && !last.timedOut() && last.Failure != "" {
			c.optional(partEvents) // ends the spec with the failure
		}
		if !found && !last.timedOut() && !last.replaced() {
			if _, err := last.object(); err != nil || !last.succeeded() {
				c.stop(reports.Blocked, fmt.Sprintf("set-presence.event.status: see exchange %d", last.ID))
			}
		}
		if !found && !c.Driven && c.toldJustBefore(s) {
			continue // recorders note what ends: the event may have overtaken the answer to the POST
		}
		judged = true
		observed := fmt.Sprintf("a presence event, after exchange %d set %s", s.ID, s.value)
		if !found {
			observed = fmt.Sprintf("no presence event after exchange %d set %s", s.ID, s.value)
			if last.timedOut() {
				observed += "; the last pending GET was not answered in time"
			}
		}
		c.Expect(last.field("sender.events", observed, true)).To(matcher{"a presence event, added or updated", func(Field) bool { return found }})
	}
	if !judged {
		if len(c.parts[partEvents]) == 0 {
			c.all(partEvents)
		}
		c.notExercised("the evidence holds no answer on the event channel after a POST that changed the presence")
	}
}

// toldJustBefore reports whether the last package before a setting tells of a changed presence.
func (c *check) toldJustBefore(s setting) bool {
	told := false
	for _, x := range c.parts[partEvents] {
		if x.ID < s.ID {
			told = false
			for _, e := range (answer{x, c}).events() {
				kind, _ := dig(e.Value, "type")
				told = told || e.ofPresence() && kind == "updated"
			}
		}
	}
	return told
}

// repeated reports whether p answers the same ack as the exchange by: then the
// server repeats what was not acknowledged, as it should.
func (c *check) repeated(p answer, by int) bool {
	for _, x := range c.parts[partEvents] {
		if x.ID == by {
			asked, _ := ackOf(p.url)
			before, _ := ackOf(x.url)
			return asked == before
		}
	}
	return false
}

// acksServed returns the acks of all events links that were served before r.
func (c *check) acksServed(r answer) []string {
	var list []string
	for _, s := range c.served[linkKey(r.url)] {
		if s.rel == "events" && c.Exchanges[s.by].ID < r.ID {
			list = append(list, s.url.Query().Get("ack"))
		}
	}
	return list
}
