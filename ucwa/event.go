package ucwa

import (
	"fmt"
	"net/url"
)

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
// base. Errors name the member at fault; they are *JSONError.
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
	senders, err := list(r.Properties["sender"], []string{"sender"})
	if err != nil {
		return nil, err
	}
	for i, sender := range senders {
		at := []string{"sender", fmt.Sprint(i)}
		from, err := parseNamedLink(base, sender, at)
		if err != nil {
			return nil, err
		}
		at = append(at, "events")
		events, err := list(sender.(map[string]any)["events"], at)
		if err != nil {
			return nil, err
		}
		for j, v := range events {
			event, err := parseEvent(base, v, append(at[:len(at):len(at)], fmt.Sprint(j)))
			if err != nil {
				return nil, err
			}
			event.Sender = from
			p.Events = append(p.Events, event)
		}
	}
	return p, nil
}

// list accepts an absent list as an empty one.
func list(value any, path []string) ([]any, error) {
	if value == nil {
		return nil, nil
	}
	l, ok := value.([]any)
	if !ok {
		return nil, shapeError(path, "an array", value)
	}
	return l, nil
}

// parseNamedLink reads a link that carries its rel as a member.
func parseNamedLink(base *url.URL, value any, path []string) (Link, error) {
	link, err := parseLink(base, "", value, path)
	if err != nil {
		return link, err
	}
	rel, ok := link.Attributes["rel"].(string)
	if !ok {
		return link, shapeError(append(path[:len(path):len(path)], "rel"), "a string", link.Attributes["rel"])
	}
	link.Rel = rel
	return link, nil
}

func parseEvent(base *url.URL, value any, path []string) (Event, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return Event{}, shapeError(path, "an event (object)", value)
	}
	at := func(name string) []string { return append(path[:len(path):len(path)], name) }
	var event Event
	var err error
	if event.Link, err = parseNamedLink(base, object["link"], at("link")); err != nil {
		return Event{}, err
	}
	if event.Type, ok = object["type"].(string); !ok {
		return Event{}, shapeError(at("type"), "a string", object["type"])
	}
	if in, has := object["in"]; has {
		if event.In, err = parseNamedLink(base, in, at("in")); err != nil {
			return Event{}, err
		}
	}
	event.Reason = object["reason"]
	if embedded, has := object["_embedded"]; has {
		resources, err := parseEmbedded(base, embedded, at("_embedded"))
		if err != nil {
			return Event{}, err
		}
		if list := resources[event.Link.Rel]; len(list) > 0 {
			event.Resource = list[0]
		}
	}
	return event, nil
}
