package ucwatest

import (
	"net/url"
	"slices"
	"strings"
)

// Participants are those who are in a conversation, as one application sees them. Source: API reference,
// participant, localParticipant, participants and typingParticipants.

// others are those whom the user sees in the conversation besides himself: those in the lobby
// are seen by leaders alone, and see nobody.
func (v *conversation) others() (list []*conversation) {
	if v.state == "InLobby" {
		return nil
	}
	for _, o := range v.in {
		if o.user() != v.user() && (o.state != "InLobby" || v.role == "Leader") {
			list = append(list, o)
		}
	}
	return list
}

// people are the others, each once, whatever applications he is there with.
func (v *conversation) people() (list []*conversation) {
	for _, o := range v.others() {
		if !slices.ContainsFunc(list, func(p *conversation) bool { return p.user() == o.user() }) {
			list = append(list, o)
		}
	}
	return list
}

// any tells whether something holds of the user with any of his applications.
func (v *conversation) any(is func(*conversation) bool) bool { return is(v) || v.again(is) }

// sees tells whether the user sees somebody in the conversation, now.
func (v *conversation) sees(o *conversation) bool {
	return o == v || slices.ContainsFunc(v.others(), func(p *conversation) bool { return p.user() == o.user() })
}

// again tells whether the user is in the session with another application, of which something holds.
func (v *conversation) again(is func(*conversation) bool) bool {
	return slices.ContainsFunc(v.in, func(o *conversation) bool { return o != v && o.user() == v.user() && is(o) })
}

// participantPath is where somebody is in the user's conversation.
func (v *conversation) participantPath(o *conversation) string {
	return v.path() + "/participants/" + url.PathEscape(o.user().URI[len("sip:"):])
}

// participantLink leads to somebody in the user's conversation, for events.
func (v *conversation) participantLink(o *conversation) *eventLink {
	rel := "participant"
	if o == v {
		rel = "localParticipant"
	}
	return &eventLink{rel, v.participantPath(o), o.user().Name}
}

// roll is the collection in which a participant of a meeting is; nil between two people.
func (v *conversation) roll(o *conversation) *eventLink {
	if v.meeting == nil {
		return nil
	}
	return linkTo(o.collection(), v.path()+"/"+o.collection())
}

// tellLocal queues an event about the user in the conversation.
func (v *conversation) tellLocal(kind string) {
	v.app.queue(event{rel: "localParticipant", path: v.participantPath(v), title: v.user().Name, kind: kind, show: v.participant(v)})
}

// tellParticipant queues an event about somebody else.
func (v *conversation) tellParticipant(o *conversation, kind string) {
	if v.state != "InLobby" && (o.state != "InLobby" || v.role == "Leader") {
		v.app.queue(event{rel: "participant", path: v.participantPath(o), title: o.user().Name, kind: kind, in: v.roll(o)})
	}
}

// participant is somebody as the user sees him in the conversation.
func (v *conversation) participant(o *conversation) object {
	u, path := o.user(), v.participantPath(o)
	network := "SameEnterprise"
	if u.Anonymous {
		network = "Everyone"
	}
	p := object{{"sourceNetwork", network}, {"anonymous", u.Anonymous}, {"name", u.Name}, {"uri", u.URI}, {"local", o == v}}
	links := object{{"self", v.app.link(path)}, {"conversation", v.app.link(v.path())}}
	switch {
	case o == v:
		links = append(links, member{"me", v.app.link("/me")})
	case !u.Anonymous && !v.user().Anonymous:
		links = append(links, member{"contact", v.app.link(contactPath(u.URI))}, member{"contactPresence", v.app.link(contactPath(u.URI) + "/contactPresence")})
		if !u.NoPhoto {
			links = append(links, member{"contactPhoto", v.app.link(photosPath + url.PathEscape(u.address()))})
		}
	}
	if o.any(connected) {
		links = append(links, member{"participantMessaging", v.app.link(path + "/participantMessaging")})
	}
	if v.meeting != nil {
		p = append(p, object{{"role", o.role}, {"organizer", u == v.meeting.organizer}, {"inLobby", o.state == "InLobby"}}...)
		for _, can := range v.powers(o) {
			links = append(links, member{can, v.app.link(path + "/" + can)})
		}
	}
	return resource("participant", p, links, nil)
}

// getParticipants links to all who are in the conversation, and getTyping to those who are typing. The
// reference links to both, and has no operation for them; clients read them all the same.
var (
	getParticipants = roster("participants", func(o *conversation) bool { return o.state != "InLobby" })
	getTyping       = roster("typingParticipants", func(o *conversation) bool { return o.any(typing) })
)

// roster is the GET of those in a conversation of whom something holds.
func roster(rel string, is func(*conversation) bool) operation {
	return ofConversation(func(c *call, v *conversation) (answer, error) {
		if (rel == "attendees" || rel == "leaders") && v.state != "Conferenced" {
			return answer{}, notFound() // they are of a meeting, and of those who are in
		}
		var list []object
		for _, o := range append([]*conversation{v}, v.people()...) {
			if is(o) {
				list = append(list, titled(v.app.link(v.participantPath(o)), o.user().Name))
			}
		}
		return ok(resource(rel, nil, append(object{{"self", c.app.link(c.path)}}, many("participant", list)...), nil)), nil
	})
}

// ofParticipant is an operation on somebody in the conversation, both named by the path.
func ofParticipant(do func(c *call, v, o *conversation) (answer, error)) operation {
	return ofConversation(func(c *call, v *conversation) (answer, error) {
		all := append([]*conversation{v}, v.people()...)
		o := first(all, func(o *conversation) bool { return strings.EqualFold("sip:"+c.names[1], o.user().URI) })
		if o == nil {
			return answer{}, notFound()
		}
		return do(c, v, o)
	})
}

var (
	getParticipant = ofParticipant(func(_ *call, v, o *conversation) (answer, error) { return ok(v.participant(o)), nil })

	getParticipantMessaging = ofParticipant(func(_ *call, v, o *conversation) (answer, error) {
		if !o.any(connected) {
			return answer{}, notFound()
		}
		return ok(v.participantMessaging(o)), nil
	})
)

func (v *conversation) participantMessaging(o *conversation) object {
	path := v.participantPath(o)
	return resource("participantMessaging", nil, object{{"self", v.app.link(path + "/participantMessaging")}, {"participant", titled(v.app.link(path), o.user().Name)}}, nil)
}
