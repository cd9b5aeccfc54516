package ucwatest

import (
	"net/http"
	"slices"
	"time"
)

// Conversations are between two people, or in an online meeting. What they have in common is a
// session; each application that takes part in it sees a conversation of its own. Source: API
// reference, conversation and participant, and the tasks "Send an IM" and "Receive an IM".

// maxConversations bounds what one application can make the server keep. The documentation has
// the subcode, TooManyConversations, but no number.
const maxConversations = 5000

// session is what those who talk with each other have in common.
type session struct {
	server                      *Server
	subject, importance, thread string
	created                     time.Time
	meeting                     *meeting        // nil between two people
	messages                    int             // ever sent
	in                          []*conversation // those who are in it, or in its lobby, by when they came
}

// conversation is a session as one application sees it.
type conversation struct {
	*session
	app        *application
	id         string
	state      string // a ConversationState
	messaging  string // Connecting, Connected or Disconnected
	role       string // in a meeting
	left       bool
	sent       int              // messages, both ways
	kept       map[int]*message // the latest, for as long as they can be looked at
	stopTyping func()           // nil: the user is not typing
}

// converse begins a session.
func (a *application) converse(f *fields) *session {
	return &session{server: a.server, created: a.server.clock.Now(), subject: f.text("subject"),
		importance: orElse(f.text("importance"), "Normal"), thread: orElse(f.text("threadId"), a.user.next("thread"))}
}

// enter gives the application a conversation of its own, of which it is yet to be told.
func (a *application) enter(s *session, state, messaging string) *conversation {
	v := &conversation{session: s, app: a, id: a.user.next("conversation"), state: state, messaging: messaging, kept: map[int]*message{}}
	a.conversations = append(a.conversations, v)
	return v
}

func (a *application) hasRoom() error {
	if len(a.conversations) >= maxConversations {
		return full(http.StatusConflict, "TooManyConversations", maxConversations, "conversations of an application")
	}
	return nil
}

func (v *conversation) path() string { return "/communication/conversations/" + v.id }

func (v *conversation) user() *user { return v.app.user }

// tellSelf queues an event about the conversation itself.
func (v *conversation) tellSelf(kind string, reason object) {
	e := event{rel: "conversation", path: v.path(), kind: kind, reason: reason}
	if kind != "deleted" {
		e.show = v.resource()
	}
	v.app.queue(e)
}

// appear tells the application of its conversation, of the user in it, and of whoever else is.
func (v *conversation) appear() {
	v.tellSelf("added", nil)
	v.tellLocal("added")
	if v.messaging == "Connecting" && v.state == "Connecting" {
		v.tellMessaging(nil)
	}
	v.seeOthers()
}

// seeOthers tells the application of those who are there.
func (v *conversation) seeOthers() {
	for _, o := range v.people() {
		v.tellParticipant(o, "added")
		if o.any(connected) {
			v.tellParticipantMessaging(o, "added")
		}
	}
}

// side is the application's part in a session, nil if it has none.
func (a *application) side(s *session) *conversation {
	return first(a.conversations, func(v *conversation) bool { return v.session == s })
}

// resource is the conversation.
func (v *conversation) resource() object {
	active := []string{}
	if v.messaging == "Connected" || v.state == "Incoming" {
		active = append(active, "Messaging")
	}
	o := object{{"state", v.state}, {"threadId", v.thread}, {"subject", v.subject}, {"activeModalities", active}, {"importance", v.importance},
		{"recording", false}, {"created", moment{v.created}}, {"participantCount", len(v.people()) + 1}}
	links := object{{"self", v.app.link(v.path())}}
	if v.state != "InLobby" {
		links = append(links, member{"messaging", v.app.link(v.path() + "/messaging")}, member{"participants", v.app.link(v.path() + "/participants")})
	}
	if v.state == "Connected" || v.state == "Conferenced" {
		links = append(links, member{"localParticipant", titled(v.app.link(v.participantPath(v)), v.user().Name)})
		if !v.user().Anonymous {
			links = append(links, member{"addParticipant", v.app.link("/communication/addParticipant?conversation=" + v.id)})
		}
	}
	if v.meeting != nil {
		properties, more := v.meetingPart()
		o, links = append(o, properties...), append(links, more...)
	}
	return resource("conversation", o, links, nil)
}

func titled(link object, title string) object { return append(link, member{"title", title}) }

// conversation is the one of an id; nil if there is none, or no more.
func (a *application) conversation(id string) *conversation {
	return first(a.conversations, func(v *conversation) bool { return v.id == id })
}

// ofConversation is an operation on the conversation that the path names.
func ofConversation(do func(*call, *conversation) (answer, error)) operation {
	return func(c *call) (answer, error) {
		v := c.app.conversation(c.name())
		if v == nil {
			return answer{}, conversationNotFound()
		}
		return do(c, v)
	}
}

// shown is the GET of a resource of a conversation.
func shown(of func(*conversation) object) operation {
	return ofConversation(func(_ *call, v *conversation) (answer, error) { return ok(of(v)), nil })
}

var getConversation = shown((*conversation).resource)

// getConversations links to those that there are.
func getConversations(c *call) (answer, error) {
	var list []object
	for _, v := range c.app.conversations {
		list = append(list, c.app.link(v.path()))
	}
	return ok(resource("conversations", nil, append(object{{"self", c.app.link(c.path)}}, many("conversation", list)...), nil)), nil
}

var deleteConversation = ofConversation(func(_ *call, v *conversation) (answer, error) {
	v.leave("Ended")
	return noContent(), nil
})

// leave ends the conversation for one application. Between two people that is the end of it; a
// meeting goes on without him.
func (v *conversation) leave(why string) {
	if v.left {
		return
	}
	v.left = true // before what follows, which comes here again
	was := slices.Contains(v.in, v)
	v.in = without(v.in, v)
	v.app.conversations = without(v.app.conversations, v)
	for _, i := range slices.Clone(v.app.invitations) {
		if i.conversation == v {
			i.withdraw()
		}
	}
	v.stopsTyping()
	had := connected(v)
	if v.messaging != "Disconnected" {
		v.messaging = "Disconnected"
		v.tellMessaging(because("Informational", why))
	}
	v.tellSelf("deleted", because("Informational", why))
	for _, o := range slices.Clone(v.in) {
		switch {
		case !was || o.user() == v.user():
		case v.meeting == nil:
			o.leave("Ended")
		case v.again(func(*conversation) bool { return true }):
			if had && !v.again(connected) {
				o.tellParticipantMessaging(v, "deleted")
			}
		default: // who has not been told of him need not be told of what he had
			o.app.channel.take(&event{rel: "participantMessaging", path: o.participantPath(v) + "/participantMessaging", in: o.participantLink(v)})
			o.tellParticipant(v, "deleted")
		}
	}
	if v.meeting != nil && len(v.in) == 0 {
		m := v.meeting
		m.session = nil
		m.organizer.held = without(m.organizer.held, m)
	}
}

// because is the reason of something in an event. Source: "Errors and informational messages".
func because(code, subcode string) object { return object{{"code", code}, {"subcode", subcode}} }
