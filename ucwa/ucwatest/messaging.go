package ucwatest

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Messaging is what can be done in a conversation here. Source: API reference, startMessaging,
// messaging and message, and the tasks "Send an IM" and "Receive an IM".

// typingFor is how long somebody is typing of whom no more is heard. The documentation has no
// number.
const typingFor = 10 * time.Second

// startMessaging needs no makeMeAvailable: only who wants to be invited does.
func startMessaging(c *call) (answer, error) {
	to := c.fields.text("to")
	if !isAddress(to) {
		c.fields.reject("to", "is no sip: or tel: URI")
	}
	message := c.fields.data("message")
	switch err := c.fields.err(); {
	case err != nil:
		return answer{}, err
	case !c.user.allows([]string{"Messaging"}):
		return answer{}, refuse(http.StatusForbidden, "", "The deployment does not allow the user messaging.")
	}
	if err := c.app.hasRoom(); err != nil {
		return answer{}, err
	}
	if c.app.channel.text+2*len(message) > maxWaitingText { // it is told when it is started, and when it ends
		return answer{}, refuse(http.StatusTooManyRequests, "", "Too much of messages waits for the application: let it fetch its events first.")
	}
	v := c.app.enter(c.app.converse(c.fields), "Connecting", "Connecting")
	v.in = []*conversation{v}
	i := v.invite("messagingInvitation", c.fields)
	i.message = message
	i.tell("started", "", nil)
	v.appear()
	i.ring("messagingInvitation")
	return i.started()
}

// addMessaging brings messaging into a conversation that goes on without: a meeting. Nobody
// is asked.
var addMessaging = ofConversation(func(c *call, v *conversation) (answer, error) {
	message := c.fields.data("message")
	switch err := c.fields.err(); {
	case err != nil:
		return answer{}, err
	case v.state != "Conferenced" || v.messaging != "Disconnected":
		return answer{}, refuse(http.StatusConflict, "", "The conversation has messaging, or is not of a kind that can be given it.")
	}
	i := v.invite("messagingInvitation", c.fields)
	i.tell("started", "", nil)
	v.connect()
	i.complete("Connected", "Success", nil)
	if message != "" {
		v.say(message, "")
	}
	return i.started()
})

// connect has messaging in the conversation, and tells all who are in it: they may want it, too.
func (v *conversation) connect() {
	v.messaging = "Connected"
	v.tellSelf("updated", nil)
	v.tellParticipantMessaging(v, "added")
	v.tellMessaging(nil)
	if v.again(connected) {
		return
	}
	for _, o := range v.others() {
		o.tellParticipantMessaging(v, "added")
	}
}

func (v *conversation) tellParticipantMessaging(o *conversation, kind string) {
	e := event{rel: "participantMessaging", path: v.participantPath(o) + "/participantMessaging", kind: kind, in: v.participantLink(o)}
	if o == v && kind == "added" {
		e.show = v.participantMessaging(v)
	}
	v.app.queue(e)
}

// stopMessaging ends a conversation of two, and takes messaging out of a meeting.
var stopMessaging = ofConversation(func(_ *call, v *conversation) (answer, error) {
	switch {
	case v.meeting == nil:
		v.leave("Ended")
	case !connected(v):
		return answer{}, notConnected()
	default:
		v.messaging = "Disconnected"
		v.stopsTyping()
		v.tellMessaging(because("Informational", "Removed"))
		v.tellSelf("updated", nil)
		v.tellParticipantMessaging(v, "deleted")
		if v.again(connected) {
			break
		}
		for _, o := range v.others() {
			o.tellParticipantMessaging(v, "deleted")
		}
	}
	return noContent(), nil
})

func typing(v *conversation) bool { return v.stopTyping != nil }

func connected(v *conversation) bool { return v.messaging == "Connected" }

func notConnected() *refusal {
	return refuse(http.StatusConflict, "", "Messaging is not connected in the conversation.")
}

func (v *conversation) tellMessaging(reason object) {
	v.app.queue(event{rel: "messaging", path: v.path() + "/messaging", kind: "updated", show: v.messagingResource(), reason: reason})
}

var getMessaging = shown((*conversation).messagingResource)

func (v *conversation) messagingResource() object {
	o := object{{"state", v.messaging}}
	links := []string{"stopMessaging"}
	switch v.messaging {
	case "Connected":
		o = append(o, member{"negotiatedMessageFormats", v.formats()})
		links = append(links, "sendMessage", "setIsTyping", "typingParticipants")
	case "Disconnected":
		links = nil
		if v.state == "Conferenced" {
			links = []string{"addMessaging"}
		}
	}
	return resource("messaging", o, append(v.app.links(v.path()+"/messaging", links...), member{"conversation", v.app.link(v.path())}), nil)
}

// formats are those that all take.
func (v *conversation) formats() []string {
	if slices.ContainsFunc(v.in, func(o *conversation) bool { return !slices.Contains(o.app.formats(), "Html") }) {
		return []string{"Plain"}
	}
	return []string{"Plain", "Html"}
}

// formats are those of messages that the application takes.
func (a *application) formats() []string {
	if a.available == nil || len(a.available.messageFormats) == 0 {
		return []string{"Plain"}
	}
	return a.available.messageFormats
}

// message is a message as one application sees it.
type message struct {
	path      string
	operation string
	sent      time.Time
	data      string        // a data URI
	from      *conversation // nil: it is the user's own
	failed    []*conversation
}

// say sends what a data URI holds to all who have messaging, and returns the sender's message.
func (v *conversation) say(data, operation string) *message {
	v.stopsTyping()
	own := &message{operation: operation} // of which the sender is not shown the text
	v.keep(own)
	v.messages++
	for _, o := range v.others() {
		switch {
		case !connected(o):
		case o.app.channel.text+len(data) > maxWaitingText:
			own.failed = append(own.failed, o) // a client that does not fetch is spared no more of it
		default:
			m := &message{data: data, from: v}
			o.keep(m)
			o.app.queue(event{rel: "message", path: m.path, kind: "completed", status: "Success", show: o.message(m), text: len(data)})
			o.user().echo(o, data)
		}
	}
	done := event{rel: "message", path: own.path, kind: "completed", status: "Success", show: v.message(own)}
	if len(own.failed) > 0 {
		done.status, done.reason = "Failure", because("RemoteFailure", "Unreachable")
	}
	v.app.queue(done)
	return own
}

// keep keeps a message for as long as one who is told of it may take to look.
func (v *conversation) keep(m *message) {
	v.sent++
	n := v.sent
	m.sent, m.path = v.server.clock.Now(), v.path()+"/messaging/messages/"+strconv.Itoa(n)
	if v.app.keeps+len(m.data) > maxWaitingText {
		return // it is told, and cannot be looked at
	}
	v.kept[n] = m
	v.app.keeps += len(m.data)
	v.server.later(afterwards, func() {
		delete(v.kept, n)
		v.app.keeps -= len(m.data)
	})
}

func (v *conversation) message(m *message) object {
	o := object{{"direction", "Outgoing"}, {"timeStamp", moment{m.sent}}}
	if m.operation != "" {
		o = append(o, member{"operationId", m.operation})
	}
	links := object{{"self", v.app.link(m.path)}, {"messaging", v.app.link(v.path() + "/messaging")}}
	if m.from != nil {
		o[0].value = "Incoming"
		rel := "plainMessage"
		if strings.HasPrefix(m.data, "data:text/html") {
			rel = "htmlMessage"
		}
		if from := m.from.user(); !from.Anonymous && !v.user().Anonymous {
			links = append(links, member{"contact", v.app.link(contactPath(from.URI))})
		}
		if v.sees(m.from) { // and he has not left
			links = append(links, member{"participant", titled(v.app.link(v.participantPath(m.from)), m.from.user().Name)})
		}
		links = append(links, member{rel, href(m.data)})
	}
	var failed []object
	for _, to := range m.failed {
		if v.sees(to) {
			failed = append(failed, v.app.link(v.participantPath(to)))
		}
	}
	return resource("message", o, append(links, many("failedDeliveryParticipant", failed)...), nil)
}

var getMessage = ofConversation(func(c *call, v *conversation) (answer, error) {
	n, err := strconv.Atoi(c.names[1])
	if err != nil || v.kept[n] == nil {
		return answer{}, notFound()
	}
	return ok(v.message(v.kept[n])), nil
})

// sendMessage sends the body, which is a text and no resource.
var sendMessage = ofConversation(func(c *call, v *conversation) (answer, error) {
	kind, parameters, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	formats := map[string]string{"text/plain": "Plain", "text/html": "Html"}
	charset := parameters["charset"]
	switch {
	case err != nil || !slices.Contains(v.formats(), formats[kind]) || charset != "" && !strings.EqualFold(charset, "utf-8"):
		return answer{}, refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "A message is text/plain, or text/html where that was negotiated, in UTF-8.")
	case !utf8.Valid(c.body):
		return answer{}, notParsed("The message is not UTF-8.")
	case !connected(v):
		return answer{}, notConnected()
	case v.meeting != nil && v.meeting.silent && v.role == "Attendee":
		return answer{}, refuse(http.StatusForbidden, "NotAllowed", "The audience may not write in this meeting.")
	}
	m := v.say(dataURI(kind, string(c.body)), c.fields.text("operationId"))
	return answer{status: http.StatusCreated, header: http.Header{"Location": {c.app.href(m.path)}}}, nil
})

// data is the value of an external resource, a data URI of a text: in JSON a string, or a link
// among the links as the reference prints it. It comes back in the form that messages have.
func (f *fields) data(name string) string {
	var link struct{ Href string }
	var links map[string]struct{ Href string }
	uri := f.text(name)
	if f.into(name, &link) {
		uri = link.Href
	} else if uri == "" && f.values["_links"] != nil && json.Unmarshal(f.values["_links"], &links) == nil {
		uri = links[name].Href
	}
	if uri == "" {
		return ""
	}
	kind, text, is := parseData(uri)
	if !is {
		f.reject(name, "is no data: URI of a text in UTF-8")
	}
	return dataURI(kind, text)
}

// dataURI is the form that messages have.
func dataURI(kind, text string) string {
	return "data:" + kind + ";charset=utf-8," + url.QueryEscape(text)
}

// parseData reads a data URI of a text. As in a form, + is a space. Source: "Payload format", "Data URI", which
// refers to RFC 2397 and departs from it in that.
func parseData(uri string) (kind, text string, is bool) {
	head, body, found := strings.Cut(uri, ",")
	head, isData := strings.CutPrefix(head, "data:")
	head, inBase64 := strings.CutSuffix(head, ";base64")
	kind, _, err := mime.ParseMediaType(orElse(head, "text/plain"))
	if !found || !isData || err != nil || kind != "text/plain" && kind != "text/html" {
		return "", "", false
	}
	if inBase64 {
		var b []byte
		if body, err = url.PathUnescape(body); err == nil {
			b, err = base64.StdEncoding.DecodeString(body)
		}
		text = string(b)
	} else {
		text, err = url.QueryUnescape(body)
	}
	return kind, text, err == nil && utf8.ValidString(text)
}

// setIsTyping has the others see for a while that the user is typing.
var setIsTyping = ofConversation(func(_ *call, v *conversation) (answer, error) {
	if !connected(v) {
		return answer{}, notConnected()
	}
	if typing(v) {
		v.stopTyping()
	} else {
		v.tellTyping("added")
	}
	v.stopTyping = v.server.later(typingFor, v.stopsTyping)
	return noContent(), nil
})

// stopsTyping is what follows when the user sends what he has typed, or does not.
func (v *conversation) stopsTyping() {
	if typing(v) {
		v.stopTyping()
		v.stopTyping = nil
		v.tellTyping("deleted")
	}
}

func (v *conversation) tellTyping(kind string) {
	if v.again(typing) {
		return
	}
	for _, o := range v.others() {
		o.app.queue(event{rel: "participant", path: o.participantPath(v), title: v.user().Name, kind: kind,
			in: linkTo("typingParticipants", o.path()+"/messaging/typingParticipants")})
	}
}
