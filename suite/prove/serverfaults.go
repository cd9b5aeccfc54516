package prove

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// serverFaults are what servers get wrong that does not follow from a check on a field: what they do over several
// exchanges, what they tell in events, and what fields of a form of their own can hold.
func serverFaults() []Fault {
	var list []Fault
	server := under("server", &list)
	on := func(roles ...string) []string { return roles }

	const set = "set-presence."
	server(set+"2.status", "status", on("makeMeAvailable"),
		edited("makeMeAvailable-409-first", "the first makeMeAvailable is answered as if it were the second", content(409, `{"code":"Conflict","subcode":"AlreadyExists"}`)))
	server(set+"2.body", "header Transfer-Encoding", on("makeMeAvailable"),
		edited("makeMeAvailable-204-chunks", "content follows the 204 to makeMeAvailable in chunks", behindInChunks("{}")))
	server(set+"2.body", "body", on("makeMeAvailable"),
		edited("makeMeAvailable-200-body", "makeMeAvailable is answered with 200 and content", content(200, "{}"), set+"2.status"))
	server(set+"4.embedded.me", "_embedded.me", on("application"),
		edited("me-list", "the embedded me is a list", func(x *exchange) {
			if root, ok := x.object(); ok {
				embedded, _ := root["_embedded"].(map[string]any)
				put("_embedded.me", []any{embedded["me"]})(x)
			}
		}))
	cookies(server, set+"4", "application", "")
	server(set+"6.status", "status", on("presence"),
		asking("presence-online-500", "Online, as the page sends it, is answered with 500", sending(`"Online"`, func(x *exchange) {
			x.header = http.Header{}
			together(status(500), html)(x)
		})))
	server(set+"6.body", "header Transfer-Encoding", on("presence"),
		edited("presence-204-chunks", "content follows the 204 to a POST on presence in chunks", behindInChunks("{}")))
	server(set+"6.received", "availability", nil,
		asking("presence-not-stored", "a POST on presence is accepted, and nothing comes of it", func(x *exchange) {
			if x.part == "presence" {
				x.status, x.header = http.StatusNoContent, http.Header{"Cache-Control": {"no-cache"}}
			}
		}, set+"event.presence"),
		edited("presence-read-stale", "GET presence goes on to tell what it told first", func(x *exchange) {
			if x.part == "presence read" {
				x.body = []byte(x.task.remember("first read", string(x.body)))
			}
		}),
		edited("presence-stored-late", "what is set is read one change later", func(x *exchange) {
			if x.part == "presence read" {
				if late := x.task.swap("late", string(x.body)); late != "" {
					x.body = []byte(late)
				}
			}
		}, set+"reset.value"))
	server(set+"6.availability", "availability", nil,
		edited("read-availability-unknown", "the computed availability is one that there is not", func(x *exchange) {
			switch {
			case x.part == "reset":
				x.task.swap("reset", "yes")
			case x.part == "presence read" && x.task.swap("reset", "") == "yes":
				x.task.swap("reset", "yes")
				text(`"availability":"Online"`, `"availability":"Available"`)(x)
			}
		}))

	eventFaults(server, set+"event.")

	for _, role := range []string{"presence-get-before", "presence-post-before", "note-get-before", "note-post-before", "location-get-before", "location-post-before", "make-again", "anonymous", "gone"} {
		server(set+"refusal.subcode", "subcode", on(role),
			edited(role+"-subcode-missing", "the refusal of "+role+" does not say why", without("subcode")))
	}
	server(set+"refusal.subcode", "subcode", on("make-again"),
		edited("make-again-subcode-wrong", "the 409 to a second makeMeAvailable has the subcode of another", put("subcode", "MakeMeAvailableRequired")))
	server(set+"refusal.subcode", "subcode", on("availability"),
		edited("availability-subcode-wrong", "the 400 to an availability has the subcode of another refusal", put("subcode", "AlreadyExists")))
	for _, asked := range []string{"get", "post"} {
		elsewhere := edited("presence-"+asked+"-before-elsewhere", strings.ToUpper(asked)+" presence before makeMeAvailable is granted at a path that is not the one served later", func(x *exchange) {
			if x.part == "presence-"+asked+"-before" {
				if x.status, x.body = http.StatusNoContent, nil; asked == "get" {
					content(200, `{"rel":"presence","availability":"Online"}`)(x)
				}
			}
			x.body = bytes.ReplaceAll(x.body, []byte("/me/presence"), []byte("/me/presences"))
		})
		elsewhere.ask = func(x *exchange) {
			u := *x.request.URL
			u.Path = strings.Replace(u.Path, "/me/presences", "/me/presence", 1)
			x.request.URL = &u
		}
		server(set+"refusal.presence-"+asked+"-before", "status", nil, elsewhere)
	}
	for _, c := range []struct{ name, breaks, value string }{
		{"challenge-missing", "a 401 has no challenge", ""},
		{"challenge-negotiate", "a 401 asks for Negotiate", "Negotiate"},
		{"challenge-href-missing", "the challenge does not say where tokens are to be had", `MsRtcOAuth grant_type="password"`},
		{"challenge-grant-missing", "the challenge does not say how tokens are to be had", `MsRtcOAuth href="https://pool.contoso.com/WebTicket/oauthtoken"`},
		{"challenge-http", "the challenge sends passwords over plain http", `MsRtcOAuth href="http://pool.contoso.com/WebTicket/oauthtoken",grant_type="password"`},
	} {
		server(set+"refusal.challenge", "header WWW-Authenticate", on("no-token", "bad-token"), edited(c.name, c.breaks, field("WWW-Authenticate", c.value)))
	}
	conflict := on("make-again")
	server(set+"refusal.json", "body", on("method-presence"),
		edited("error-html", "an error of UCWA is a page", html),
		edited("error-empty", "an error of UCWA has no content", body("")))
	server(set+"refusal.json", "header Content-Type", conflict,
		edited("error-media", "an error of UCWA is served as text/html", field("Content-Type", "text/html")))
	server(set+"refusal.json", "code", conflict, edited("error-code-missing", "an error of UCWA has no code", without("code")))
	server(set+"refusal.code", "code", conflict,
		edited("error-code-wrong", "the code of an error names another status", put("code", "ServiceFailure")),
		edited("error-code-number", "the code of an error is the number of its status", put("code", 409), set+"refusal.json"))
	server(set+"refusal.parameters", "parameters", on("availability"),
		edited("error-parameters-text", "the parameters of a 400 are no list", put("parameters", "availability")))
	server(set+"refusal.parameters", "parameters", conflict,
		edited("error-parameters", "an error other than 400 names parameters", put("parameters", []any{map[string]any{"name": "x", "reason": "y"}})))
	server(set+"refusal.unchanged", "availability", nil,
		asking("availability-stored", "an availability that cannot be set is refused, and another is stored", func(x *exchange) {
			if x.part == "availability" {
				x.again(func(r *http.Request) { presenceBody(r, `{"availability":"Away"}`) })
				x.status = 0
			}
		}),
		storedBefore(),
		asking("delete-presence-done", "DELETE on presence is refused, and done", func(x *exchange) {
			if x.part == "method-presence" {
				x.again(func(r *http.Request) { presenceBody(r, "") })
				x.status = 0
			}
		}))
	server(set+"reset.value", "availability", on("reset"),
		asking("reset-ignored", "a reset is accepted, and nothing comes of it", func(x *exchange) {
			x.status, x.header = http.StatusNoContent, http.Header{"Cache-Control": {"no-cache"}}
		}),
		asking("reset-inverted", "a reset sets another presence", func(x *exchange) {
			x.sent = []byte(`{"availability":"DoNotDisturb"}`)
			x.request.Header.Set("Content-Type", jsonType)
		}))
	return list
}

// noteFaults are what servers get wrong about the note.
func noteFaults(server func(requirement, field string, on []string, faults ...Fault)) {
	read := func(name, breaks string, f func(text string) string, also ...string) Fault {
		return edited(name, breaks, func(x *exchange) {
			if root, ok := x.object(); ok && x.part == "note read" {
				if text, _ := root["message"].(string); text != "" {
					put("message", f(text))(x)
				}
			}
		}, also...)
	}
	ignored := func(name, breaks string, such func(x *exchange) bool, also ...string) Fault {
		return asking(name, breaks, func(x *exchange) {
			if such(x) {
				x.status, x.header = http.StatusNoContent, http.Header{"Cache-Control": {"no-cache"}}
			}
		}, also...)
	}
	server("get-note.6.roundtrip", "message", nil, read("escaped", "a note is escaped for HTML", strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&#34;").Replace),
		read("one-line", "the line breaks of a note are lost", func(text string) string { return strings.ReplaceAll(text, "\n", " ") }),
		read("ascii", "letters of other scripts are lost", func(text string) string {
			return strings.Map(func(r rune) rune {
				if r > unicode.MaxASCII {
					return '?'
				}
				return r
			}, text)
		}))
	server("set-note.6.received", "message", nil, ignored("not-stored", "a note is taken, and nothing comes of it", func(x *exchange) bool { return x.part == "note" },
		"get-note.6.roundtrip", "set-note.6.query", "set-note.event.note"))
	server("set-note.6.query", "message", nil, ignored("not-read", "a note in the query is taken, and nothing comes of it", func(x *exchange) bool {
		return x.part == "note" && len(x.sent) == 0
	}, "set-note.event.note"),
		asking("by-case", "the name of the parameter is compared by case, so that Message clears the note", func(x *exchange) {
			if x.part == "note" && strings.HasPrefix(x.request.URL.RawQuery, "Message=") {
				u := *x.request.URL
				u.RawQuery, x.request.URL = "", &u
			}
		}, "set-note.event.note"))
	server("set-note.event.me", "sender.0.rel", []string{"events"}, edited("people", "the event of the user's own note comes from people", senders(func(s map[string]any) {
		if text, _ := json.Marshal(s["events"]); s["rel"] == "me" && !bytes.Contains(text, []byte(`"rel":"presence"`)) {
			s["rel"] = "people"
		}
	})))
	server("set-note.refusal.unchanged", "message", []string{"note-type", "note-not-json", "note-media-type"}, edited("cleared", "a POST on note that is refused clears the note", func(x *exchange) {
		status, header, body := x.status, x.header, x.body
		x.again(func(r *http.Request) { r.Header.Del("Content-Type") })
		x.status, x.header, x.body = status, header, body
	}))
	server("reset-note.6.read", "message", nil, ignored("not-cleared", "a reset without a body is taken, and nothing comes of it", func(x *exchange) bool {
		return x.part == "note reset" && len(x.sent) == 0 && x.request.URL.RawQuery == ""
	}))
	server("reset-note.6.blank", "message", nil, ignored("not-cleared", "an empty message is taken, and nothing comes of it", func(x *exchange) bool {
		return x.part == "note reset" && len(x.sent)+len(x.request.URL.RawQuery) > 0
	}))
}

// storedBefore refuses a presence and a note before makeMeAvailable, and shows them after it.
func storedBefore() Fault {
	f := edited("presence-before-stored", "a presence and a note before makeMeAvailable are refused, and show after it", func(x *exchange) {
		asked, early := "", map[string]any{}
		switch {
		case x.part == "presence read" && x.nth == 1:
			asked = "presence-post-before"
		case x.part == "note read" && x.nth == 1:
			asked = "note-post-before"
		}
		if asked != "" && json.Unmarshal([]byte(x.task.remember(asked, "")), &early) == nil {
			for property, value := range early {
				put(property, value)(x) // it is but shown, so that the next run does not find it
			}
		}
	}, "set-presence.event.presence")
	f.ask = func(x *exchange) {
		if x.part == "presence-post-before" || x.part == "note-post-before" {
			x.task.remember(x.part, string(x.sent))
		}
	}
	return f
}

// eventFaults are what servers get wrong on the event channel.
func eventFaults(server func(requirement, field string, on []string, faults ...Fault), event string) {
	packages := []string{"events"}
	server(event+"next", "_links.next", packages,
		edited("next-missing", "an event package has no next link", without("_links.next")),
		edited("next-empty", "the href of next is empty", linkTo("_links.next", "")),
		edited("next-another-host", "next leads to another host", linkTo("_links.next", anotherHost+"/events?ack=2")),
		edited("next-another-application", "next leads to another application", linkTo("_links.next", anotherApplication+"/events?ack=2")))
	server(event+"next", "_links", packages,
		edited("next-and-resync", "an event package has next and resync", linkTo("_links.resync", "events?ack=1")))
	ack := func(name, breaks string, f func(asked, next int) string) Fault {
		return Fault{Name: name, Breaks: breaks, ask: askReal, edit: pretend(f)}
	}
	server(event+"ack", "_links.next", packages,
		ack("ack-back", "the ack of next goes back", func(asked, _ int) string { return strconv.Itoa(asked - 1) }),
		ack("ack-stays", "the ack of next stays, though events were told", func(asked, _ int) string { return strconv.Itoa(asked) }),
		ack("ack-text", "the ack of next is no number", func(_, next int) string { return "after" + strconv.Itoa(next) }))
	server(event+"sender", "sender.0.rel", packages,
		edited("sender-rel-missing", "a sender has no rel", senders(func(s map[string]any) { delete(s, "rel") }), event+"me", "set-note.event.me"))
	server(event+"sender", "sender.0", packages,
		edited("sender-href-missing", "a sender has no href", senders(func(s map[string]any) { delete(s, "href") })))
	server(event+"sender", "sender.1.events", packages, edited("events-object", "the events of a sender are no list", senders(func(s map[string]any) {
		if list, _ := s["events"].([]any); len(list) > 0 && s["rel"] == "communication" {
			s["events"] = list[0]
		}
	})))
	notes := []string{"set-note.event.note", "reset-note.event.note"}
	note := func(name, breaks string, f func(event, link map[string]any), also ...string) Fault {
		return edited(name, breaks, of("note", func(_, event map[string]any) map[string]any {
			link, _ := event["link"].(map[string]any)
			f(event, link)
			return event
		}), also...)
	}
	server(event+"shape", "sender.0.events.2.type", packages,
		note("event-type-changed", "an event is of the type changed", func(e, _ map[string]any) { e["type"] = "changed" }, notes...),
		note("event-type-missing", "an event has no type", func(e, _ map[string]any) { delete(e, "type") }, notes...))
	server(event+"shape", "sender.0.events.2.link.rel", packages,
		note("event-link-missing", "an event has no link", func(e, _ map[string]any) { delete(e, "link") }, notes...),
		note("event-rel-missing", "the link of an event has no rel", func(_, l map[string]any) { delete(l, "rel") }, notes...))
	server(event+"shape", "sender.0.events.2.link", packages,
		note("event-href-missing", "the link of an event has no href", func(_, l map[string]any) { delete(l, "href") }),
		note("event-another-host", "the link of an event leads to another host", func(_, l map[string]any) { l["href"] = anotherHost }))
	// changed edits the events that tell of a changed presence; one that f returns nil for is dropped.
	const reset = "reset-presence.event.presence"
	changed := func(name, breaks string, f func(x *exchange, event, link map[string]any) map[string]any, also ...string) Fault {
		return edited(name, breaks, events(func(x *exchange, _, e map[string]any) map[string]any {
			if link, _ := e["link"].(map[string]any); link["rel"] == "presence" && e["type"] == "updated" {
				return f(x, e, link)
			}
			return e
		}), also...)
	}
	server(event+"presence", "sender.events", packages,
		changed("presence-event-missing", "a changed presence is stored, and no event follows", func(*exchange, map[string]any, map[string]any) map[string]any { return nil }, reset),
		changed("presence-event-once", "only the first change of presence is told", func(x *exchange, e, _ map[string]any) map[string]any {
			if x.task.swap("told", "yes") == "yes" {
				return nil
			}
			return e
		}, reset),
		changed("presence-event-other", "the event embeds another presence than the one that was set", func(_ *exchange, e, _ map[string]any) map[string]any {
			e["_embedded"] = map[string]any{"presence": map[string]any{"rel": "presence", "availability": "Offline"}}
			return e
		}, reset),
		changed("presence-event-deleted", "a changed presence is told as deleted", func(_ *exchange, e, _ map[string]any) map[string]any {
			e["type"] = "deleted"
			return e
		}, reset),
		changed("presence-event-rel", "a changed presence is told as one of contactPresence", func(_ *exchange, e, link map[string]any) map[string]any {
			link["rel"] = "contactPresence"
			return e
		}, reset))
	server(event+"me", "sender.0.rel", packages,
		edited("presence-event-people", "the user's own presence event comes from people", senders(func(s map[string]any) {
			if s["rel"] == "me" {
				s["rel"] = "people"
			}
		}), "set-note.event.me"))
	noteFaults(server)
	server(event+"application", "sender.0.events.0.link", packages,
		changed("presence-event-another-application", "the presence event is about another application", func(_ *exchange, e, link map[string]any) map[string]any {
			link["href"] = anotherApplication + "/me/presence"
			return e
		}),
		changed("presence-event-contact", "the presence event is about a contact", func(_ *exchange, e, link map[string]any) map[string]any {
			link["href"] = strings.Replace(link["href"].(string), "/me/", "/people/lee/", 1)
			return e
		}))
	server(event+"once", "sender.0.events.1.type", packages,
		edited("presence-event-doubled", "a changed presence is told twice in one package", senders(func(s map[string]any) {
			if events, _ := s["events"].([]any); len(events) == 1 && s["rel"] == "me" {
				s["events"] = append(events, events[0])
			}
		})))
	server(event+"once", "sender.0.events.2.type", packages,
		edited("events-again", "what was told and acknowledged is told again", func(x *exchange) {
			root, ok := x.object()
			if !ok || root["sender"] == nil {
				return
			}
			data, _ := json.Marshal(root["sender"])
			if first := x.task.remember("first package", string(data)); first != string(data) {
				var senders []any
				if json.Unmarshal([]byte(first), &senders) == nil {
					root["sender"] = senders
					x.encode(root)
				}
			}
		}))
}

// cookies are what servers get wrong of the cookie for the photos.
func cookies(server func(requirement, field string, on []string, faults ...Fault), step, role, prefix string) {
	cookie := func(id string, faults ...Fault) {
		server(step+".cookie."+id, "header Set-Cookie", []string{role}, faults...)
	}
	cookie("secure", edited(prefix+"cookie-insecure", "the cookie may go over plain http", fieldReplaced("Set-Cookie", "; secure", "")))
	cookie("httpOnly", edited(prefix+"cookie-scripts", "scripts can read the cookie", fieldReplaced("Set-Cookie", "; HttpOnly", "")))
	cookie("path",
		edited(prefix+"cookie-path-root", "the cookie is good for the whole server", func(x *exchange) {
			for i, value := range x.header.Values("Set-Cookie") {
				before, _, _ := strings.Cut(value, "path=")
				x.header.Values("Set-Cookie")[i] = before + "path=/; secure; HttpOnly"
			}
		}),
		edited(prefix+"cookie-application", "the cookie is good for the whole application", fieldReplaced("Set-Cookie", "/photos", "")),
		edited(prefix+"cookie-domain", "the cookie goes to every host of the domain", fieldReplaced("Set-Cookie", "; secure", "; domain=contoso.com; secure")))
}

// senders changes every sender of an event package.
func senders(f func(map[string]any)) func(*exchange) {
	return asObject(func(root map[string]any) {
		list, _ := root["sender"].([]any)
		for _, s := range list {
			if sender, ok := s.(map[string]any); ok {
				f(sender)
			}
		}
	})
}

// pretend puts another ack into next, by the one that was asked for and the true
// one; askReal turns it back when the client asks for it.
func pretend(f func(asked, next int) string) func(*exchange) {
	return asObjectOf(func(x *exchange, root map[string]any) {
		links, _ := root["_links"].(map[string]any)
		next, _ := links["next"].(map[string]any)
		href, _ := next["href"].(string)
		u, err := url.Parse(href)
		before := x.task.swap("asked", "")
		if err != nil || next == nil || u.Query().Get("ack") == before {
			return // nothing was told: the client asks the same once more
		}
		real, _ := strconv.Atoi(u.Query().Get("ack"))
		asked, err := strconv.Atoi(before)
		if err != nil {
			asked = real - 1
		}
		fake := f(asked, real)
		x.task.swap("ack "+fake, strconv.Itoa(real))
		next["href"] = u.Path + "?ack=" + fake
	})
}

func askReal(x *exchange) {
	u := *x.request.URL
	asked := u.Query().Get("ack")
	x.task.swap("asked", asked)
	if real := x.task.remember("ack "+asked, ""); real != "" {
		u.RawQuery = "ack=" + real
		x.request.URL = &u
	}
}

// sending limits a change to requests whose body holds that text.
func sending(text string, edit func(*exchange)) func(*exchange) {
	return func(x *exchange) {
		if bytes.Contains(x.sent, []byte(text)) {
			edit(x)
		}
	}
}

func presenceBody(r *http.Request, body string) {
	r.Method = http.MethodPost
	r.Header.Set("Content-Type", jsonType)
	r.Body = newBody(body)
}
