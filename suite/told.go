package suite

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

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

// of returns the events that tell of it, as the user's.
func (p *personal) of(list []event) []event {
	return slices.DeleteFunc(list, func(e event) bool { return !e.of(p) })
}

// of: it tells of what the user sets, and not of a contact's.
func (e event) of(p *personal) bool { return e.about(p.rel) && !e.ofAnother(p.rel) }

// about reports whether the event tells of what is there now of a resource of that rel.
func (e event) about(rel string) bool {
	of, _ := dig(e.Value, "link", "rel")
	kind, _ := dig(e.Value, "type")
	return of == rel && (kind == "added" || kind == "updated")
}

// ofAnother reports whether it is a contact's, and not the user's own, that the event tells of: neither
// the sender nor the link is the user's.
func (e event) ofAnother(rel string) bool {
	link, _ := dig(e.Value, "link")
	u, err := resolveLink(link, e.x.url)
	if err != nil || e.sender.Value == "me" {
		return false
	}
	if served := e.check.lastServed(rel, answer{e.x, e.check}); served != nil {
		return linkKey(u) != linkKey(served)
	}
	return !strings.HasSuffix(lowerPath(u.Path), "/me/"+strings.ToLower(rel))
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

// waysOn are the links by which a client goes on after a package, which has one of them.
var waysOn = []string{"next", "resync", "resume"}
