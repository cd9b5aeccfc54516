package ucwatest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// An invitation is the operation by which somebody comes into a conversation: it is started,
// perhaps updated, and completed. Who invites has one, and so has each application that is
// rung. Source: API reference, messagingInvitation, participantInvitation and
// onlineMeetingInvitation, and "Operation resource".

const (
	// patience is how long an application rings. Source: API reference, messagingInvitation.
	patience = 30 * time.Second

	// afterwards is how long something that has ended can still be looked at by those who are
	// told of it. Source: API reference, message, which has to be fetched in this time.
	afterwards = 30 * time.Second
)

// invitation is the operation as one application sees it.
type invitation struct {
	rel          string
	app          *application
	conversation *conversation
	id           string
	operation    string // the id that the client gave it
	direction    string // Outgoing or Incoming
	state        string // an InvitationState
	from         *conversation
	to           string // a URI
	message      string // a data URI
	accepted     *conversation
	uri          string        // of the meeting
	out          *invitation   // of the one who invites
	rung         []*invitation // those that ring because of this one
	stop         func()
}

func (i *invitation) path() string { return "/communication/" + i.rel + "s/" + i.id }

// invite begins an operation of an application.
func (v *conversation) invite(rel string, f *fields) *invitation {
	i := &invitation{rel: rel, app: v.app, conversation: v, id: v.user().next("invitation"), operation: f.text("operationId"),
		direction: "Outgoing", state: "Connecting", from: v, to: f.text("to"), stop: func() {}}
	v.app.invitations = append(v.app.invitations, i)
	return i
}

// started answers an operation that was begun.
func (i *invitation) started() (answer, error) {
	return answer{status: http.StatusCreated, header: http.Header{"Location": {i.app.href(i.path())}}}, nil
}

func (i *invitation) tell(kind, status string, reason object) {
	i.app.queue(event{rel: i.rel, path: i.path(), kind: kind, show: i.resource(), status: status, reason: reason, text: len(i.message)})
}

// resource is the invitation. Who is invited sees who invites him whole.
func (i *invitation) resource() object {
	v := i.conversation
	o := object{{"direction", i.direction}, {"importance", v.importance}, {"threadId", v.thread}, {"state", i.state}}
	if i.operation != "" {
		o = append(o, member{"operationId", i.operation})
	}
	o = append(o, member{"subject", v.subject})
	links := object{{"self", i.app.link(i.path())}}
	if !v.left {
		links = append(links, member{"conversation", i.app.link(v.path())})
	}
	open := i.state == "Connecting"
	inside := object{}
	if i.direction == "Outgoing" {
		if i.app.user.server.contact(i.to) != nil && !i.app.user.Anonymous {
			links = append(links, member{"to", i.app.link(contactPath(i.to))})
		}
		if !v.left {
			links = append(links, member{"from", titled(i.app.link(v.participantPath(i.from)), i.from.user().Name)})
		}
		if open && i.rel != "onlineMeetingInvitation" {
			links = append(links, member{"cancel", i.app.link(i.path() + "/cancel")})
		}
	} else {
		links = append(links, member{"to", i.app.link(contactPath(i.to))})
		if open {
			links = append(links, member{"accept", i.app.link(i.path() + "/accept")}, member{"decline", i.app.link(i.path() + "/decline")})
		}
		if !v.left && v.sees(i.from) {
			inside = append(inside, member{"from", v.participant(i.from)})
		}
	}
	switch i.rel {
	case "messagingInvitation":
		if !v.left {
			links = append(links, member{"messaging", i.app.link(v.path() + "/messaging")})
		}
		if i.message != "" {
			links = append(links, member{"message", href(i.message)})
		}
	case "onlineMeetingInvitation":
		o = append(o, member{"onlineMeetingUri", i.uri}, member{"availableModalities", []string{"Messaging"}})
	case "participantInvitation":
		if i.accepted != nil && !v.left && v.sees(i.accepted) {
			links = append(links, member{"participant", i.app.link(v.participantPath(i.accepted))})
		}
	}
	if i.accepted != nil && i.direction == "Outgoing" && i.rel != "onlineMeetingInvitation" && !v.left && v.sees(i.accepted) {
		inside = append(inside, member{"acceptedByParticipant", []object{v.participant(i.accepted)}})
		if i.rel == "messagingInvitation" {
			links = append(links, member{"acceptedByContact", i.app.link(contactPath(i.accepted.user().URI))})
		}
	}
	return resource(i.rel, o, links, inside)
}

// ring asks somebody in, at every application of his that takes messages. An invitation that
// cannot be brought to anybody ends at once.
func (i *invitation) ring(rel string) {
	u := i.app.server.contact(i.to)
	switch {
	case u == nil:
		i.fail("Failed", "NotFound", "DestinationNotFound")
		return
	case u.shared.availability == "DoNotDisturb":
		i.fail("Failed", "RemoteFailure", "DoNotDisturb")
		return
	case u != i.app.user:
		for _, a := range u.applications {
			if a.available != nil && slices.Contains(a.available.modalities, "Messaging") && a.hasRoom() == nil && a.side(i.conversation.session) == nil {
				i.ringAt(a, rel)
			}
		}
	}
	if len(i.rung) == 0 {
		i.fail("Failed", "RemoteFailure", "Unavailable")
		return
	}
	i.stop = i.app.server.later(patience, i.unanswered)
	u.answerByScript(i)
}

// ringAt rings one application.
func (i *invitation) ringAt(a *application, rel string) {
	v := a.enter(i.conversation.session, "Incoming", "Connecting")
	if v.meeting != nil {
		v.messaging, v.role = "Disconnected", v.meeting.roleOf(a.user)
	}
	r := &invitation{rel: rel, app: a, conversation: v, id: a.user.next("invitation"), direction: "Incoming", state: "Connecting", from: i.from, to: a.user.URI,
		message: i.message, uri: i.uri, out: i, stop: func() {}}
	if a.channel.text+2*len(i.message) > maxWaitingText {
		r.message = "" // a client that does not fetch is spared it
	}
	a.invitations = append(a.invitations, r)
	i.rung = append(i.rung, r)
	r.tell("started", "", nil)
	if v.meeting != nil {
		v.tellSelf("added", nil) // who is there, he is told when he comes
	} else {
		v.appear()
	}
}

// complete ends the operation, once.
func (i *invitation) complete(state, status string, reason object) {
	if i.state != "Connecting" {
		return
	}
	i.state = state
	i.stop()
	i.tell("completed", status, reason)
	i.stop = i.app.server.later(afterwards, func() {
		i.app.invitations = without(i.app.invitations, i)
	})
}

// fail ends the operation without anybody having come, and the conversation that it began.
func (i *invitation) fail(state, code, subcode string) {
	i.complete(state, "Failure", because(code, subcode))
	if i.direction == "Incoming" || i.rel == "messagingInvitation" && i.conversation.meeting == nil {
		i.conversation.leave(subcode)
	}
}

// endRung ends those that ring, but for one.
func (i *invitation) endRung(but *invitation, state, code, subcode string) {
	for _, r := range i.rung {
		if r != but && r.state == "Connecting" {
			r.fail(state, code, subcode)
		}
	}
}

// unanswered ends an invitation that nobody took.
func (i *invitation) unanswered() {
	missed := i.rung[0].app.user
	i.endRung(nil, "Failed", "LocalFailure", "Missed")
	missed.missed++
	for _, a := range missed.applications {
		a.queue(event{rel: "missedItems", path: "/communication/missedItems", kind: "updated"})
	}
	i.fail("Failed", "RemoteFailure", "Timeout")
}

// withdraw ends the operation from this side: the client cancels it, or its conversation has ended.
func (i *invitation) withdraw() {
	switch {
	case i.state != "Connecting":
	case i.direction == "Incoming":
		i.refuse("Local")
	default:
		i.endRung(nil, "Cancelled", "RemoteFailure", "Canceled")
		i.fail("Cancelled", "LocalFailure", "Canceled")
	}
}

// refuse is what one who is invited does: Local is for this application, and the others of
// the user ring on.
func (i *invitation) refuse(reason string) {
	i.fail("Declined", "LocalFailure", "Declined")
	if reason != "Local" {
		i.out.endRung(i, "Declined", "LocalFailure", "Declined")
	}
	if !slices.ContainsFunc(i.out.rung, func(r *invitation) bool { return r.state == "Connecting" }) {
		i.out.fail("Declined", "RemoteFailure", "Declined")
	}
}

// accept brings the one who is invited into the conversation, at this application.
func (i *invitation) accept() {
	out, v := i.out, i.conversation
	i.out.endRung(i, "Cancelled", "Informational", "ConnectedElsewhere")
	out.accepted, i.accepted = v, v
	if v.meeting != nil {
		v.come()
	} else {
		v.meet(out)
	}
	i.complete("Connected", "Success", nil)
	out.complete("Connected", "Success", nil)
	if out.message != "" && v.meeting == nil {
		out.conversation.say(out.message, "")
	}
}

// meet makes a conversation of two of what one began and the other has accepted.
func (v *conversation) meet(out *invitation) {
	o := out.conversation
	v.in = append(v.in, v)
	v.state, o.state = "Connected", "Connected"
	o.tellParticipant(v, "added")
	v.connect()
	o.connect()
	v.tellParticipant(o, "updated")
}

func getInvitation(c *call) (answer, error) {
	return c.ofInvitation(func(i *invitation) (answer, error) { return ok(i.resource()), nil })
}

// ofInvitation is an operation on the invitation that the path names.
func (c *call) ofInvitation(do func(*invitation) (answer, error)) (answer, error) {
	i := first(c.app.invitations, func(i *invitation) bool { return i.id == c.name() })
	if i == nil || !strings.HasPrefix(c.path, i.path()) { // an id is of one sort of invitation
		return answer{}, notFound()
	}
	return do(i)
}

// toOpen is a POST on an invitation of a direction, which must not have ended.
func (c *call) toOpen(direction string, do func(*invitation)) (answer, error) {
	return c.ofInvitation(func(i *invitation) (answer, error) {
		switch {
		case i.direction != direction:
			return answer{}, notFound()
		case i.state != "Connecting":
			return answer{}, refuse(http.StatusConflict, "", "The invitation is not open any more: it is "+i.state+".")
		}
		do(i)
		return noContent(), nil
	})
}

func accept(c *call) (answer, error) { return c.toOpen("Incoming", (*invitation).accept) }

func decline(c *call) (answer, error) {
	return c.toOpen("Incoming", func(i *invitation) { i.refuse(c.fields.text("reason")) })
}

func cancel(c *call) (answer, error) { return c.toOpen("Outgoing", (*invitation).withdraw) }
