package ucwa

import "net/url"

// EventPackage is what one pending GET on the event channel yields: events by
// sender, and the link with which to go on.
type EventPackage struct {
	// Continue is the link for the next pending GET. Its Rel says how the server
	// sees the channel: "next" as usual; "resync" after an ack that it does not
	// know, and "resume" after a long silence: state read before is then stale.
	Continue Link
	Self     Link
	Events   []Event // in the order served; empty after a time-out
}

// Event tells that a resource was added, updated or deleted, or that an
// operation started, was updated or completed.
type Event struct {
	Sender   Link      // rel and href of the resource that speaks
	Link     Link      // rel and href of the resource that it speaks of
	In       Link      // the collection concerned, if any
	Type     string    // added, updated, deleted; started, updated, completed
	Resource *Resource // embedded with the event, nil if it is bare
	Reason   any       // why an operation ended, as DecodeJSON gives it
}

// ParseEvents reads an event package from the body of a response that came from
// base. A body that is no JSON object, or has no link to go on with, is a
// *JSONError; what is no sender or no event in it is left out, as in [ParseResource].
func ParseEvents(base *url.URL, body []byte) (*EventPackage, error) {
	r, err := ParseResource(base, body)
	if err != nil {
		return nil, err
	}
	p := &EventPackage{Self: r.Link("self")}
	for _, rel := range []string{"next", "resync", "resume"} {
		if r.HasLink(rel) {
			p.Continue = r.Link(rel)
			break
		}
	}
	if p.Continue.Href == "" {
		return nil, &JSONError{Pointer: "/_links", Offset: -1, Problem: "expected a link next, resync or resume with an href, found none"}
	}
	each(map[string]any{"sender": r.Properties["sender"]}, func(_ string, sender map[string]any) {
		from, _ := linkOf(base, sender)
		each(map[string]any{"events": sender["events"]}, func(_ string, object map[string]any) {
			event := eventOf(base, object)
			event.Sender = from
			p.Events = append(p.Events, event)
		})
	})
	return p, nil
}

func eventOf(base *url.URL, object map[string]any) Event {
	event := Event{Link: named(base, object["link"]), In: named(base, object["in"]), Reason: object["reason"]}
	event.Type, _ = object["type"].(string)
	each(object["_embedded"], func(rel string, inner map[string]any) {
		if rel == event.Link.Rel && event.Resource == nil {
			event.Resource = resourceOf(base, inner)
		}
	})
	return event
}

// named reads a link that carries its rel; what is none leads nowhere.
func named(base *url.URL, value any) Link {
	object, _ := value.(map[string]any)
	link, _ := linkOf(base, object)
	return link
}
