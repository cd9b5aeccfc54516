package suite

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// recording is a copy of the reference recording to be made wrong.
type recording struct {
	t        *testing.T
	cassette *cassettes.Cassette
	parts    map[string][]cassettes.Exchange
	tasks    []string // to judge it by; as recorded if empty
}

func reference(t *testing.T) *recording {
	t.Helper()
	return recordingOfAll(t, open(t, "reference/set-presence").Redacted())
}

// recordingOfAll finds the parts in a driver's recording.
func recordingOfAll(t *testing.T, c *cassettes.Cassette) *recording {
	t.Helper()
	list, err := Locate(c)
	if err != nil {
		t.Fatal(err)
	}
	r := &recording{t: t, cassette: c, parts: map[string][]cassettes.Exchange{}}
	for i, x := range list[0].Exchanges {
		r.parts[x.Part] = append(r.parts[x.Part], c.Exchanges[i])
	}
	return r
}

// each edits every exchange of a part.
func (r *recording) each(part string, edit func(x cassettes.Exchange)) {
	if len(r.parts[part]) == 0 {
		r.t.Fatalf("the recording has no %q", part)
	}
	for _, x := range r.parts[part] {
		edit(x)
	}
}

func (r *recording) status(part string, code int) {
	r.each(part, func(x cassettes.Exchange) { x.Response.Code = code })
}
func (r *recording) body(part, body string) {
	r.each(part, func(x cassettes.Exchange) { x.Response.Body = body })
}
func (r *recording) requestBody(part, body string) {
	r.each(part, func(x cassettes.Exchange) {
		x.Request.Body = body
		x.Request.ContentLength = int64(len(body))
		x.Request.Headers["Content-Length"] = []string{fmt.Sprint(len(body))}
	})
}

// header sets a response header field; "" removes it.
func (r *recording) header(part, name, value string) {
	r.each(part, func(x cassettes.Exchange) { setField(x.Response.Headers, name, value) })
}
func (r *recording) requestHeader(part, name, value string) {
	r.each(part, func(x cassettes.Exchange) { setField(x.Request.Headers, name, value) })
}

func setField(h map[string][]string, name, value string) {
	maps.DeleteFunc(h, func(key string, _ []string) bool { return strings.EqualFold(key, name) })
	if value != "" {
		h[name] = []string{value}
	}
}

// gone is the value that removes a member.
var gone = new(int)

// json sets the member at a path of names (and indices) of the response's body.
func (r *recording) json(part, path string, value any) {
	r.each(part, func(x cassettes.Exchange) { x.Response.Body = setMember(r.t, x.Response.Body, path, value) })
}

func setMember(t *testing.T, body, path string, value any) string {
	var root any
	if err := json.Unmarshal([]byte(body), &root); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	names := strings.Split(path, "/")
	at := root
	for _, name := range names[:len(names)-1] {
		at = change(at, name)
	}
	last := names[len(names)-1]
	switch holder := at.(type) {
	case map[string]any:
		if value == gone {
			delete(holder, last)
		} else {
			holder[last] = value
		}
	case []any:
		holder[int(last[0]-'0')] = value
	default:
		t.Fatalf("no %s in %s", path, body)
	}
	out, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func change(at any, name string) any {
	if list, ok := at.([]any); ok {
		return list[int(name[0]-'0')]
	}
	return at.(map[string]any)[name]
}

// url moves the requests of a part to another path.
func (r *recording) url(part, old, new string) {
	r.each(part, func(x cassettes.Exchange) { x.Request.URL = strings.Replace(x.Request.URL, old, new, 1) })
}

// probeless takes the marks off: the requests are the client's own then.
func (r *recording) probeless(part string) { r.requestHeader(part, "User-Agent", "somebody/1.0") }

func (r *recording) evidence() *Evidence {
	list, err := Locate(r.cassette, r.tasks...)
	if err != nil {
		r.t.Fatal(err)
	}
	return list[0]
}

// own are the parts of the client's own requests.
var own = []string{partBefore, partMake, partAfter, partPresence, partRead, partEvents, partReset, partEnd}

func (r *recording) everyRequest(name, value string) {
	for _, part := range own {
		r.requestHeader(part, name, value)
	}
}

const elsewhere = "https://elsewhere.example/x"

// mutations name, for every requirement, something wrong that it must catch.
var mutations = []struct {
	id   string
	edit func(*recording)
}{
	{"set-presence.pre.self", func(r *recording) { r.json(partBefore, "_links/self", gone) }},
	{"set-presence.pre.self", func(r *recording) { r.json(partBefore, "_links/self/href", elsewhere) }},
	{"set-presence.pre.self", func(r *recording) { r.status(partBefore, 500) }},
	{"set-presence.pre.self", func(r *recording) { r.body(partBefore, "<html>") }},
	{"set-presence.1.link.present", func(r *recording) { r.json(partBefore, "_embedded/me/_links/makeMeAvailable", gone) }},
	{"set-presence.1.link.href", func(r *recording) { r.json(partBefore, "_embedded/me/_links/makeMeAvailable/href", elsewhere) }},
	{"set-presence.1.link.href", func(r *recording) { r.json(partBefore, "_embedded/me/_links/makeMeAvailable/href", "") }},
	{"set-presence.1.absent.presence", func(r *recording) { r.json(partBefore, "_embedded/me/_links/presence", map[string]any{"href": "/x"}) }},
	{"set-presence.1.absent.note", func(r *recording) { r.json(partBefore, "_embedded/me/_links/note", map[string]any{"href": "/x"}) }},
	{"set-presence.1.absent.location", func(r *recording) { r.json(partBefore, "_embedded/me/_links/location", map[string]any{"href": "/x"}) }},
	{"set-presence.1.absent.reportMyActivity", func(r *recording) {
		r.json(partBefore, "_embedded/me/_links/reportMyActivity", map[string]any{"href": "/x"})
	}},

	{"set-presence.nav.links", func(r *recording) {
		for _, part := range []string{partCreate, partAgain, partBefore, partAfter} {
			r.json(part, "_links/events", gone)
		}
	}},
	{"set-presence.nav.links", func(r *recording) { r.url(partMake, "/me/", "/communication/") }},
	{"set-presence.nav.order", func(r *recording) { r.probeless("presence-get-before") }},
	{"set-presence.request.authorization", func(r *recording) { r.requestHeader(partPresence, "Authorization", "") }},
	{"set-presence.request.authorization", func(r *recording) { r.requestHeader(partAfter, "Authorization", "Basic ZGFuYQ==") }},
	{"set-presence.request.token-origin", func(r *recording) { r.url(partPresence, "lyncweb.contoso.com", "elsewhere.example") }},
	{"set-presence.request.content-type", func(r *recording) { r.requestHeader(partPresence, "Content-Type", "") }},
	{"set-presence.request.content-type", func(r *recording) { r.requestHeader(partMake, "Content-Type", "text/plain") }},
	{"set-presence.request.content-length", func(r *recording) { r.requestHeader(partMake, "Content-Length", "39") }},
	{"set-presence.request.host", func(r *recording) { r.requestHeader(partMake, "Host", "elsewhere.example") }},
	{"set-presence.request.accept", func(r *recording) { r.requestHeader(partMake, "Accept", "text/html") }},
	{"set-presence.request.accept", func(r *recording) { r.requestHeader(partAfter, "Accept", "") }},
	{"set-presence.request.x-ms-origin", func(r *recording) { r.requestHeader(partPresence, "X-Ms-Origin", "") }},
	{"set-presence.request.x-ms-origin", func(r *recording) { r.requestHeader(partPresence, "X-Ms-Origin", "http://app.contoso.com/page") }},
	{"set-presence.request.x-requested-with", func(r *recording) { r.everyRequest("X-Requested-With", "") }},
	{"set-presence.request.referer", func(r *recording) { r.requestHeader(partAfter, "Referer", "https://lyncweb.contoso.com/") }},
	{"set-presence.request.referer", func(r *recording) {
		r.requestHeader(partAfter, "Referer", "https://elsewhere.example/Autodiscover/XFrame/XFrame.html")
	}},
	{"set-presence.request.accept-language", func(r *recording) { r.requestHeader(partAfter, "Accept-Language", "en_US") }},
	{"set-presence.request.accept-encoding", func(r *recording) { r.requestHeader(partAfter, "Accept-Encoding", "gzip deflate") }},
	{"set-presence.request.user-agent", func(r *recording) { r.requestHeader(partAfter, "User-Agent", "(nobody)") }},
	{"set-presence.request.connection", func(r *recording) { r.requestHeader(partAfter, "Connection", "keep alive") }},
	{"set-presence.request.cache-control", func(r *recording) { r.requestHeader(partMake, "Cache-Control", "\"no-cache\"") }},
	{"set-presence.request.dnt", func(r *recording) { r.requestHeader(partPresence, "DNT", "null") }},
	{"set-presence.1.body.json", func(r *recording) { r.requestBody(partMake, "supportedModalities=Messaging") }},
	{"set-presence.1.body.json", func(r *recording) { r.requestBody(partMake, `["Messaging"]`) }},
	{"set-presence.1.body.modalities", func(r *recording) { r.requestBody(partMake, `{"SupportedModalities":["Message"]}`) }},
	{"set-presence.1.body.modalities", func(r *recording) { r.requestBody(partMake, `{"supportedModalities":"Messaging"}`) }},

	{"set-presence.2.status", func(r *recording) { r.status(partMake, 200) }},
	{"set-presence.2.status", func(r *recording) { r.status(partMake, 409) }},
	{"set-presence.2.body", func(r *recording) { r.body(partMake, "{}") }},
	{"set-presence.2.headers.cache", func(r *recording) { r.header(partMake, "Cache-Control", "") }},
	{"set-presence.2.headers.cache", func(r *recording) { r.header(partMake, "Cache-Control", "public, max-age=60") }},
	{"set-presence.2.headers.date", func(r *recording) { r.header(partMake, "Date", "2013-01-17 00:00") }},
	{"set-presence.2.headers.fqdn", func(r *recording) { r.header(partMake, "X-Ms-Server-Fqdn", "https://host:1/") }},

	{"set-presence.3.request.get", func(r *recording) { r.requestHeader(partAfter, "User-Agent", "conform (probe nothing)") }},
	{"set-presence.3.request.body", func(r *recording) { r.requestBody(partAfter, "{}") }},
	{"set-presence.3.request.content-type", func(r *recording) { r.requestHeader(partAfter, "Content-Type", "application/json") }},

	{"set-presence.4.status", func(r *recording) { r.status(partAfter, 203) }},
	{"set-presence.4.status", func(r *recording) { r.status(partAfter, 500) }},
	{"set-presence.4.media", func(r *recording) { r.header(partAfter, "Content-Type", "text/html") }},
	{"set-presence.4.media", func(r *recording) { r.header(partAfter, "Content-Type", "") }},
	{"set-presence.4.json", func(r *recording) { r.body(partAfter, `{"rel":"application",}`) }},
	{"set-presence.4.json", func(r *recording) { r.body(partAfter, `{"rel":"application"} x`) }},
	{"set-presence.4.json", func(r *recording) { r.body(partAfter, `{"rel":"application","rel":"application"}`) }},
	{"set-presence.4.json", func(r *recording) { r.body(partAfter, strings.Repeat("[", 100000)) }},
	{"set-presence.4.json", func(r *recording) { r.body(partAfter, `"`+strings.Repeat("x", 10<<20)+`"`) }},
	{"set-presence.4.json", func(r *recording) { r.body(partAfter, `[]`) }},
	{"set-presence.4.json", func(r *recording) { r.body(partAfter, "<html><title>IIS</title></html>") }},
	{"set-presence.4.rel", func(r *recording) { r.json(partAfter, "rel", "app") }},
	{"set-presence.4.culture", func(r *recording) { r.json(partAfter, "culture", gone) }},
	{"set-presence.4.userAgent", func(r *recording) { r.json(partAfter, "userAgent", "") }},
	{"set-presence.4.links.self", func(r *recording) { r.json(partAfter, "_links/self/href", "/ucwa/oauth/v1/applications/999") }},
	{"set-presence.4.links.policies", func(r *recording) { r.json(partAfter, "_links/policies", gone) }},
	{"set-presence.4.links.batch", func(r *recording) { r.json(partAfter, "_links/batch/href", elsewhere) }},
	{"set-presence.4.links.events", func(r *recording) { r.json(partAfter, "_links/events", map[string]any{}) }},
	{"set-presence.4.links.events-ack", func(r *recording) {
		r.json(partAfter, "_links/events/href", "/ucwa/oauth/v1/applications/10100000001/events")
	}},
	{"set-presence.4.embedded.me", func(r *recording) { r.json(partAfter, "_embedded/me", nil) }},
	{"set-presence.4.embedded.people", func(r *recording) { r.json(partAfter, "_embedded/people", []any{}) }},
	{"set-presence.4.embedded.people", func(r *recording) { r.json(partAfter, "_embedded/people/rel", gone) }},
	{"set-presence.4.embedded.onlineMeetings", func(r *recording) { r.json(partAfter, "_embedded/onlineMeetings", gone) }},
	{"set-presence.4.embedded.communication", func(r *recording) { r.json(partAfter, "_embedded/communication/rel", "people") }},
	{"set-presence.4.me.name", func(r *recording) { r.json(partAfter, "_embedded/me/name", nil) }},
	{"set-presence.4.me.uri", func(r *recording) { r.json(partAfter, "_embedded/me/uri", "dana@contoso.com") }},
	{"set-presence.4.me.emailAddresses", func(r *recording) { r.json(partAfter, "_embedded/me/emailAddresses", "dana@contoso.com") }},
	{"set-presence.4.me.rel", func(r *recording) { r.json(partAfter, "_embedded/me/rel", gone) }},
	{"set-presence.4.me.links.self", func(r *recording) { r.json(partAfter, "_embedded/me/_links/self/href", elsewhere) }},
	{"set-presence.4.me.links.presence", func(r *recording) { r.json(partAfter, "_embedded/me/_links/presence", gone) }},
	{"set-presence.4.me.links.presence", func(r *recording) {
		r.json(partAfter, "_embedded/me/_links/presence/href", "/ucwa/oauth/v1/applications/999/me/presence")
	}},
	{"set-presence.4.me.links.note", func(r *recording) { r.json(partAfter, "_embedded/me/_links/note", gone) }},
	{"set-presence.4.me.links.location", func(r *recording) { r.json(partAfter, "_embedded/me/_links/location/href", 1) }},
	{"set-presence.4.me.links.reportMyActivity", func(r *recording) { r.json(partAfter, "_embedded/me/_links/reportMyActivity/href", "") }},
	{"set-presence.4.me.links.callForwardingSettings", func(r *recording) { r.json(partAfter, "_embedded/me/_links/callForwardingSettings/href", elsewhere) }},
	{"set-presence.4.me.links.phones", func(r *recording) { r.json(partAfter, "_embedded/me/_links/phones", "/phones") }},
	{"set-presence.4.me.links.photo", func(r *recording) { r.json(partAfter, "_embedded/me/_links/photo/href", "%zz") }},
	{"set-presence.4.me.links.makeMeAvailable", func(r *recording) {
		r.json(partAfter, "_embedded/me/_links/makeMeAvailable", map[string]any{"href": "/x"})
	}},
	{"set-presence.4.cookie.secure", func(r *recording) { r.cookie("; secure", "") }},
	{"set-presence.4.cookie.httpOnly", func(r *recording) { r.cookie("; HttpOnly", "") }},
	{"set-presence.4.cookie.path", func(r *recording) { r.cookie("/photos", "/") }},
	{"set-presence.4.headers.cache", func(r *recording) { r.header(partAfter, "Cache-Control", "private") }},
	{"set-presence.4.cache", func(r *recording) {
		r.json(partAfter, "_embedded/me/_links/presence/href", "/ucwa/oauth/v1/applications/10100000001/me/presence2")
	}},
	{"set-presence.5.body.json", func(r *recording) { r.requestBody(partPresence, "Online") }},
	{"set-presence.5.body.availability", func(r *recording) { r.requestBody(partPresence, `{"availability":"IdleOnline"}`) }},
	{"set-presence.5.body.availability", func(r *recording) {
		r.requestBody(partPresence, "")
		r.each(partPresence, func(x cassettes.Exchange) { x.Request.URL += "?availability=IdleOnline" })
	}},
	{"set-presence.6.status", func(r *recording) { r.status(partPresence, 202) }},
	{"set-presence.6.status", func(r *recording) { r.status(partPresence, 500) }},
	{"set-presence.6.body", func(r *recording) { r.body(partPresence, "null") }},
	{"set-presence.6.headers.cache", func(r *recording) { r.header(partPresence, "Cache-Control", "") }},
	{"set-presence.6.received", func(r *recording) { r.requestBody(partPresence, `{"availability":"Away"}`) }},
	{"set-presence.6.read", func(r *recording) { r.status(partRead, 204); r.body(partRead, "") }},
	{"set-presence.6.read", func(r *recording) { r.body(partRead, "[]") }},
	{"set-presence.6.rel", func(r *recording) { r.json(partRead, "rel", gone) }},
	{"set-presence.6.availability", func(r *recording) { r.json(partRead, "availability", "online") }},

	{"set-presence.event.status", func(r *recording) { r.status(partEvents, 502) }},
	{"set-presence.event.status", func(r *recording) { r.body(partEvents, "") }},
	{"set-presence.event.self", func(r *recording) { r.json(partEvents, "_links/self", gone) }},
	{"set-presence.event.next", func(r *recording) { r.json(partEvents, "_links/next", gone) }},
	{"set-presence.event.next", func(r *recording) { r.json(partEvents, "_links/next/href", elsewhere) }},
	{"set-presence.event.next", func(r *recording) {
		r.json(partEvents, "_links/resync", map[string]any{"href": "/ucwa/oauth/v1/applications/10100000001/events?ack=1"})
	}},
	{"set-presence.event.ack", func(r *recording) {
		r.json(partEvents, "_links/next/href", "/ucwa/oauth/v1/applications/10100000001/events?ack=0")
	}},
	{"set-presence.event.ack", func(r *recording) {
		r.json(partEvents, "_links/next/href", "/ucwa/oauth/v1/applications/10100000001/events?ack=1")
	}},
	{"set-presence.event.ack", func(r *recording) {
		r.json(partEvents, "_links/next/href", "/ucwa/oauth/v1/applications/10100000001/events?ack=x")
	}},
	{"set-presence.event.ack", func(r *recording) {
		r.nth(partEvents, 0, "_links/next/href", "/ucwa/oauth/v1/applications/10100000001/events?ack=1")
	}},
	{"set-presence.4.culture", func(r *recording) {
		x := r.parts[partCreate][0]
		x.Request.Body = strings.Replace(x.Request.Body, "en-US", "de-DE", 1)
	}},
	{"set-presence.event.sender", func(r *recording) { r.json(partEvents, "sender/0/rel", gone) }},
	{"set-presence.event.sender", func(r *recording) { r.json(partEvents, "sender/0/href", gone) }},
	{"set-presence.event.sender", func(r *recording) { r.json(partEvents, "sender", map[string]any{}) }},
	{"set-presence.event.shape", func(r *recording) { r.json(partEvents, "sender/0/events/0/type", "changed") }},
	{"set-presence.event.shape", func(r *recording) { r.json(partEvents, "sender/0/events/0/link/href", gone) }},
	{"set-presence.event.shape", func(r *recording) { r.json(partEvents, "sender/0/events/0/link/rel", gone) }},
	{"set-presence.event.presence", func(r *recording) { r.json(partEvents, "sender", []any{}) }},
	{"set-presence.event.presence", func(r *recording) { r.confirming("sender/0/events/0/type", "deleted") }},
	{"set-presence.event.me", func(r *recording) { r.confirming("sender/0/rel", "people") }},
	{"set-presence.event.application", func(r *recording) {
		r.confirming("sender/0/events/0/link/href", "/ucwa/oauth/v1/applications/999/me/presence")
	}},
	{"set-presence.event.once", func(r *recording) { r.tellAgain() }},
	{"set-presence.event.follow", func(r *recording) { r.url(partEvents, "ack=2", "ack=3") }},
	{"set-presence.event.follow", func(r *recording) { r.url(partEvents, "?ack=2", "") }},
	{"set-presence.event.options", func(r *recording) { r.url(partEvents, "ack=2", "ack=2&timeout=5000") }},

	{"set-presence.refusal.presence-get-before", func(r *recording) { r.status("presence-get-before", 404) }},
	{"set-presence.refusal.subcode", func(r *recording) { r.json("presence-get-before", "subcode", gone) }},
	{"set-presence.refusal.presence-post-before", func(r *recording) { r.status("presence-post-before", 204) }},
	{"set-presence.refusal.note-get-before", func(r *recording) { r.status("note-get-before", 200) }},
	{"set-presence.refusal.subcode", func(r *recording) { r.json("note-post-before", "subcode", "AlreadyExists") }},
	{"set-presence.refusal.note-post-before", func(r *recording) { r.status("note-post-before", 204) }},
	{"set-presence.refusal.location-get-before", func(r *recording) { r.status("location-get-before", 200) }},
	{"set-presence.refusal.location-post-before", func(r *recording) { r.status("location-post-before", 204) }},
	{"set-presence.refusal.make-again", func(r *recording) { r.status("make-again", 204) }},
	{"set-presence.refusal.subcode", func(r *recording) { r.json("make-again", "subcode", gone) }},
	{"set-presence.refusal.modality", func(r *recording) { r.status("modality", 204) }},
	{"set-presence.refusal.anonymous", func(r *recording) { r.status("anonymous", 204) }},
	{"set-presence.refusal.subcode", func(r *recording) { r.json("anonymous", "subcode", gone) }},
	{"set-presence.refusal.availability", func(r *recording) { r.status("availability", 204) }},
	{"set-presence.refusal.subcode", func(r *recording) { r.json("availability", "subcode", "AlreadyExists") }},
	{"set-presence.refusal.not-json", func(r *recording) { r.status("not-json", 500) }},
	{"set-presence.refusal.media-type", func(r *recording) { r.status("media-type", 400) }},
	{"set-presence.refusal.method-makeMeAvailable", func(r *recording) { r.status("method-makeMeAvailable", 404) }},
	{"set-presence.refusal.method-presence", func(r *recording) { r.status("method-presence", 204) }},
	{"set-presence.refusal.gone", func(r *recording) { r.status("gone", 200) }},
	{"set-presence.refusal.subcode", func(r *recording) { r.json("gone", "subcode", gone) }},
	{"set-presence.refusal.no-token", func(r *recording) { r.status("no-token", 302) }},
	{"set-presence.refusal.bad-token", func(r *recording) { r.status("bad-token", 403) }},
	{"set-presence.refusal.challenge", func(r *recording) { r.header("bad-token", "WWW-Authenticate", "Negotiate") }},
	{"set-presence.refusal.challenge", func(r *recording) { r.header("no-token", "WWW-Authenticate", `MsRtcOAuth href=""`) }},
	{"set-presence.refusal.origin", func(r *recording) { r.status("origin", 200) }},
	{"set-presence.refusal.origin-diagnostics", func(r *recording) { r.header("origin", "X-Ms-Diagnostics", "") }},
	{"set-presence.refusal.json", func(r *recording) { r.body("make-again", "<html>") }},
	{"set-presence.refusal.json", func(r *recording) { r.json("gone", "code", gone) }},
	{"set-presence.refusal.code", func(r *recording) { r.json("make-again", "code", "ServiceFailure") }},
	{"set-presence.refusal.parameters", func(r *recording) { r.json("make-again", "parameters", []any{map[string]any{"name": "x"}}) }},
	{"set-presence.refusal.unchanged", func(r *recording) { r.nth(partRead, 8, "availability", "Online") }},
	{"set-presence.2.body", func(r *recording) { r.header(partMake, "Content-Length", "2") }},
	{"set-presence.4.me.links.note", func(r *recording) {
		r.json(partAfter, "_embedded/me/_links/note/href", "/ucwa/oauth/v1/applications/999/me/note")
	}},
	{"set-presence.4.links.events", func(r *recording) {
		r.json(partAfter, "_links/events/href", "/ucwa/oauth/v1/applications/999/events?ack=1")
	}},
	{"set-presence.4.links.events-ack", func(r *recording) {
		r.json(partAfter, "_links/events/href", "/ucwa/oauth/v1/applications/10100000001/events?ack=1&ack=2")
	}},
	{"set-presence.4.culture", func(r *recording) { r.json(partAfter, "culture", "de-DE") }},
	{"set-presence.4.userAgent", func(r *recording) { r.json(partAfter, "userAgent", "another") }},
	{"set-presence.4.me.name", func(r *recording) { r.json(partAfter, "_embedded/me/name", " ") }},
	{"set-presence.4.me.uri", func(r *recording) { r.json(partAfter, "_embedded/me/uri", "sip:lee@contoso.com") }},
	{"set-presence.4.cookie.path", func(r *recording) { r.cookie("; secure", "; domain=contoso.com; secure") }},
	{"set-presence.6.read", func(r *recording) { r.header(partRead, "Content-Type", "text/html") }},
	{"set-presence.event.status", func(r *recording) { r.header(partEvents, "Content-Type", "text/html") }},
	{"set-presence.event.status", func(r *recording) {
		r.status(partEvents, 409)
		r.body(partEvents, `{"code":"Conflict","subcode":"AlreadyExists"}`)
	}},
	{"set-presence.event.sender", func(r *recording) { r.json(partEvents, "sender/0/events", map[string]any{}) }},
	{"set-presence.refusal.json", func(r *recording) { r.header("make-again", "Content-Type", "text/html") }},
	{"set-presence.refusal.challenge", func(r *recording) {
		r.header("no-token", "WWW-Authenticate", `MsRtcOAuth href="http://lyncweb.contoso.com/WebTicket/oauthtoken",grant_type="password"`)
	}},
	{"set-presence.reset.status", func(r *recording) { r.status(partReset, 400) }},
	{"set-presence.reset.status", func(r *recording) { r.body(partReset, "{}") }},
	{"set-presence.reset.value", func(r *recording) {
		n := slices.IndexFunc(r.parts[partRead], func(x cassettes.Exchange) bool { return x.ID > r.parts[partReset][0].ID })
		r.nth(partRead, n, "availability", "DoNotDisturb")
	}},
}

func (r *recording) cookie(old, new string) {
	r.each(partAfter, func(x cassettes.Exchange) {
		line := x.Response.Headers["Set-Cookie"][0]
		if !strings.Contains(line, old) {
			r.t.Fatalf("no %q in %s", old, line)
		}
		x.Response.Headers["Set-Cookie"][0] = strings.Replace(line, old, new, 1)
	})
}

// confirming edits the event packages that tell of the presences that were set.
func (r *recording) confirming(path string, value any) {
	for _, x := range r.parts[partEvents][1:] {
		x.Response.Body = setMember(r.t, x.Response.Body, path, value)
	}
}

// nth edits one exchange of a part, counted from 0.
func (r *recording) nth(part string, n int, path string, value any) {
	x := r.parts[part][n]
	x.Response.Body = setMember(r.t, x.Response.Body, path, value)
}

// tellAgain lets the second event package tell once more what the first told.
func (r *recording) tellAgain() {
	var first map[string]any
	if err := json.Unmarshal([]byte(r.parts[partEvents][0].Response.Body), &first); err != nil {
		r.t.Fatal(err)
	}
	x := r.parts[partEvents][1]
	x.Response.Body = setMember(r.t, x.Response.Body, "sender", first["sender"])
}

// TestEveryRequirementCatches holds that every requirement fails, at the field
// that is wrong, on a recording in which what it says is not so.
func TestEveryRequirementCatches(t *testing.T) {
	slow(t)
	if ownProcess(t) {
		return
	}
	l, _ := LedgerOf("set-presence")
	for _, r := range l.Requirements {
		if !slices.ContainsFunc(mutations, func(m struct {
			id   string
			edit func(*recording)
		}) bool {
			return m.id == r.ID
		}) {
			t.Errorf("%s: nothing shows that it can fail", r.ID)
		}
	}
	var evidence []*Evidence
	for _, m := range mutations {
		r := reference(t)
		m.edit(r)
		evidence = append(evidence, r.evidence())
	}
	for i, r := range judge(t, Options{}, evidence...) {
		id := mutations[i].id
		want := reports.Fail
		for _, x := range r.Results {
			if x.Requirement == id && x.Level != "must" {
				want = reports.Warn
			}
		}
		if got := verdicts(r)[id]; got != want {
			t.Errorf("mutation %d for %s: %s, expected %s; it has\n%s", i, id, got, want, complaints(r))
		}
		if want == reports.Fail && r.Outcome != reports.Nonconformant {
			t.Errorf("mutation %d for %s: outcome %s", i, id, r.Outcome)
		}
	}
}
