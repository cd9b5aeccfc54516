package prove

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Paths in an application.
const (
	me      = "_embedded.me"
	meLinks = "_embedded.me._links."
)

// serverFaults are what servers get wrong.
func serverFaults() []Fault {
	var list []Fault
	server := under("server", "set-presence", &list)
	on := func(parts ...string) []string { return parts }
	fault := func(name, breaks string, edit func(*exchange), also ...string) Fault {
		return Fault{Name: name, Breaks: breaks, edit: edit, Also: also}
	}
	asking := func(name, breaks string, ask func(*exchange)) Fault {
		return Fault{Name: name, Breaks: breaks, ask: ask}
	}

	// An application exists.
	server("pre.self", "status", on("application before"),
		fault("application-500", "the application fails until makeMeAvailable was used", together(status(500), html)),
		fault("application-202", "the application is answered with 202", status(202)))
	server("pre.self", "body", on("application before"),
		fault("application-html", "a proxy answers for the application with a page of its own", html),
		fault("application-cut", "the application's body is cut in the middle", func(x *exchange) { x.body = x.body[:len(x.body)/2] }))
	server("pre.self", "_links.self", on("application before"),
		fault("self-missing", "the application has no self link", without("_links.self")),
		fault("self-null", "the application's self link is null", set("_links.self", nil)),
		fault("self-another-host", "the application's self link leads to another host", linkTo("_links.self", anotherHost)),
		fault("self-another-application", "the application's self link leads to another application", linkTo("_links.self", anotherApplication)))

	// 1. makeMeAvailable
	unused := on("application before")
	server("1.link.present", meLinks+"makeMeAvailable", unused,
		fault("makeMeAvailable-link-missing", "me does not offer makeMeAvailable", without(meLinks+"makeMeAvailable")),
		fault("makeMeAvailable-link-null", "the makeMeAvailable link of me is null", set(meLinks+"makeMeAvailable", nil)),
		fault("makeMeAvailable-link-text", "the makeMeAvailable link of me is its href alone", set(meLinks+"makeMeAvailable", "/makeMeAvailable")),
		fault("makeMeAvailable-link-elsewhere", "makeMeAvailable is offered by communication only", together(
			without(meLinks+"makeMeAvailable"), linkTo("_embedded.communication._links.makeMeAvailable", "/communication/makeMeAvailable"))))
	server("1.link.href", meLinks+"makeMeAvailable", unused,
		fault("makeMeAvailable-href-empty", "the href of makeMeAvailable is empty", linkTo(meLinks+"makeMeAvailable", "")),
		fault("makeMeAvailable-href-missing", "the makeMeAvailable link has no href", set(meLinks+"makeMeAvailable", map[string]any{})),
		fault("makeMeAvailable-another-host", "makeMeAvailable leads to another host", linkTo(meLinks+"makeMeAvailable", anotherHost+"/me/makeMeAvailable")),
		fault("makeMeAvailable-another-application", "makeMeAvailable leads to another application", linkTo(meLinks+"makeMeAvailable", anotherApplication+"/me/makeMeAvailable")))
	for _, rel := range []string{"presence", "note", "location", "reportMyActivity"} {
		server("1.absent."+rel, meLinks+rel, unused,
			fault(rel+"-too-early", "me has its "+rel+" link before makeMeAvailable was used", linkTo(meLinks+rel, "me/"+rel)))
	}

	// 2. Its answer
	made := on("makeMeAvailable")
	server("2.status", "status", made,
		fault("makeMeAvailable-200", "makeMeAvailable is answered with 200", status(200)),
		fault("makeMeAvailable-202", "makeMeAvailable is answered with 202", status(202)),
		fault("makeMeAvailable-409-first", "the first makeMeAvailable is answered as if it were the second", content(409, `{"code":"Conflict","subcode":"AlreadyExists"}`)),
		fault("makeMeAvailable-500", "makeMeAvailable works, and is answered with 500", together(status(500), html)))
	server("2.body", "header Content-Length", made,
		fault("makeMeAvailable-204-body", "content follows the 204 to makeMeAvailable", behind("{}")))
	server("2.body", "header Transfer-Encoding", made,
		fault("makeMeAvailable-204-chunks", "content follows the 204 to makeMeAvailable in chunks", behindInChunks("{}")))
	server("2.body", "body", made,
		fault("makeMeAvailable-200-body", "makeMeAvailable is answered with 200 and content", content(200, "{}"), "2.status"))
	server("2.headers.cache", "header Cache-Control", made,
		fault("makeMeAvailable-cache-missing", "the answer to makeMeAvailable does not forbid caching", field("Cache-Control", "")),
		fault("makeMeAvailable-cache-public", "the answer to makeMeAvailable allows caching", field("Cache-Control", "public, max-age=60")))
	server("2.headers.date", "header Date", made,
		fault("makeMeAvailable-date-local", "Date is a local time", field("Date", "2026-01-17 09:00:00")))
	server("2.headers.fqdn", "header X-MS-Server-Fqdn", made,
		fault("makeMeAvailable-fqdn-url", "X-MS-Server-Fqdn is a URL", field("X-MS-Server-Fqdn", "https://pool.contoso.com/")))

	// 4. The application
	application := on("application")
	server("4.status", "status", application,
		fault("application-203", "the application is answered with 203", status(203)),
		fault("application-201", "the application is answered with 201, as if it were created", status(201)),
		fault("application-204", "the application is answered with 204", status(204)),
		fault("application-304", "the application is answered with 304 to a request without a condition", status(304)),
		fault("application-503", "the application fails after makeMeAvailable", together(status(503), html)))
	server("4.media", "header Content-Type", application,
		fault("application-media-html", "the application is served as text/html", field("Content-Type", "text/html")),
		fault("application-media-text", "the application is served as text/plain", field("Content-Type", "text/plain; charset=utf-8")),
		fault("application-media-hal", "the application is served as another kind of HAL", field("Content-Type", "application/hal+json")),
		fault("application-media-missing", "the application has no media type", field("Content-Type", "")))
	server("4.json", "body", application,
		fault("application-comma", "a comma too many stands in the application", func(x *exchange) { x.body = append(slices.Clone(x.body[:len(x.body)-1]), ",}"...) }),
		fault("application-cut-later", "the body of the application is cut in the middle", func(x *exchange) { x.body = x.body[:len(x.body)/2] }),
		fault("application-list", "the application stands in a list", func(x *exchange) { x.body = []byte("[" + string(x.body) + "]") }),
		fault("application-twice", "the application is served twice in one body", func(x *exchange) { x.body = slices.Concat(x.body, x.body) }),
		fault("application-duplicate", "a name stands twice in the application", func(x *exchange) { x.body = append([]byte(`{"rel":"application",`), x.body[1:]...) }),
		fault("application-latin1", "the application is not in UTF-8", text(`"culture":"`, "\"title\":\"\xe9\",\"culture\":\"")),
		fault("application-empty", "the application has no content", body("")))
	values := func(requirement, path string, faults ...Fault) { server(requirement, path, application, faults...) }
	values("4.rel", "rel",
		fault("application-rel-missing", "the application has no rel", without("rel")),
		fault("application-rel-plural", "the application calls itself applications", set("rel", "applications")),
		fault("application-rel-null", "the application's rel is null", set("rel", nil)))
	values("4.culture", "culture",
		fault("culture-missing", "the application has no culture", without("culture")),
		fault("culture-other", "the application has another culture than it was created with", set("culture", "de-DE")),
		fault("culture-null", "the application's culture is null", set("culture", nil)))
	values("4.userAgent", "userAgent",
		fault("userAgent-missing", "the application has no userAgent", without("userAgent")),
		fault("userAgent-other", "the application's userAgent is that of the request", set("userAgent", "Mozilla/5.0")),
		fault("userAgent-empty", "the application's userAgent is empty", set("userAgent", "")))
	values("4.links.self", "_links.self",
		fault("self-lost", "the application loses its self link", without("_links.self")),
		fault("self-empty", "the href of the application's self link is empty", linkTo("_links.self", "")),
		fault("self-of-another", "the application's self link is that of another application", linkTo("_links.self", anotherApplication)),
		fault("self-of-another-host", "the application's self link is on another host", linkTo("_links.self", anotherHost)),
		fault("self-of-me", "the application's self link is that of me", func(x *exchange) { linkTo("_links.self", x.request.URL.Path+"/me")(x) }))
	for _, rel := range []string{"policies", "batch", "events"} {
		values("4.links."+rel, "_links."+rel,
			fault(rel+"-missing", "the application has no "+rel+" link", without("_links."+rel)),
			fault(rel+"-null", "the "+rel+" link of the application is null", set("_links."+rel, nil)),
			fault(rel+"-empty", "the href of "+rel+" is empty", linkTo("_links."+rel, "")),
			fault(rel+"-another-host", rel+" leads to another host", linkTo("_links."+rel, anotherHost+"/"+rel+"?ack=1")),
			fault(rel+"-another-application", rel+" leads to another application", linkTo("_links."+rel, anotherApplication+"/"+rel+"?ack=1")))
	}
	values("4.links.events-ack", "_links.events",
		fault("events-ack-missing", "the events link has no ack", func(x *exchange) { linkTo("_links.events", x.request.URL.Path+"/events")(x) }),
		fault("events-ack-text", "the ack of the events link is no number", func(x *exchange) { linkTo("_links.events", x.request.URL.Path+"/events?ack=first")(x) }),
		fault("events-ack-twice", "the events link has two acks", func(x *exchange) { linkTo("_links.events", x.request.URL.Path+"/events?ack=1&ack=2")(x) }))
	values("4.embedded.me", me,
		fault("me-missing", "the application does not embed me", without(me)),
		fault("me-null", "the embedded me is null", set(me, nil)),
		fault("me-list", "the embedded me is a list", func(x *exchange) {
			if root, ok := x.object(); ok {
				embedded, _ := root["_embedded"].(map[string]any)
				set(me, []any{embedded["me"]})(x)
			}
		}))
	for _, rel := range []string{"people", "onlineMeetings", "communication"} {
		path := "_embedded." + rel
		values("4.embedded."+rel, path,
			fault(rel+"-missing", "the application does not embed "+rel, without(path)),
			fault(rel+"-null", "the embedded "+rel+" is null", set(path, nil)),
			fault(rel+"-list", "the embedded "+rel+" is a list", set(path, []any{})))
		values("4.embedded."+rel, path+".rel",
			fault(rel+"-rel-missing", "the embedded "+rel+" has no rel", without(path+".rel")),
			fault(rel+"-rel-wrong", "the embedded "+rel+" has the rel of another resource", set(path+".rel", "resource")))
	}
	values("4.me.name", me+".name",
		fault("name-missing", "me has no name", without(me+".name")),
		fault("name-empty", "the name of me is empty", set(me+".name", "")),
		fault("name-number", "the name of me is a number", set(me+".name", 42)))
	values("4.me.uri", me+".uri",
		fault("uri-missing", "me has no uri", without(me+".uri")),
		fault("uri-other-user", "me is another user", set(me+".uri", "sip:lee@contoso.com")))
	server("4.me.uri", me+".uri", on("application before", "application"),
		fault("uri-mail", "the uri of me is an e-mail address, before and after", text(`"uri":"sip:`, `"uri":"`)))
	values("4.me.emailAddresses", me+".emailAddresses",
		fault("emailAddresses-text", "the emailAddresses of me are one text", set(me+".emailAddresses", "dana@contoso.com")))
	values("4.me.rel", me+".rel",
		fault("me-rel-missing", "me has no rel", without(me+".rel")),
		fault("me-rel-user", "me has the rel user", set(me+".rel", "user")))
	for _, rel := range []string{"presence", "note", "location", "reportMyActivity"} {
		values("4.me.links."+rel, meLinks+rel,
			fault(rel+"-withheld", "me has no "+rel+" link after makeMeAvailable", without(meLinks+rel)),
			fault(rel+"-href-empty", "the href of "+rel+" is empty", linkTo(meLinks+rel, "")),
			fault(rel+"-another-host", rel+" leads to another host", linkTo(meLinks+rel, anotherHost+"/me/"+rel)),
			fault(rel+"-another-application", rel+" leads to another application", linkTo(meLinks+rel, anotherApplication+"/me/"+rel)))
	}
	for _, rel := range []string{"note", "location", "reportMyActivity"} {
		values("4.me.links."+rel, meLinks+rel,
			fault(rel+"-is-presence", "the "+rel+" link of me leads to the presence", func(x *exchange) { linkTo(meLinks+rel, x.request.URL.Path+"/me/presence")(x) }))
	}
	for _, rel := range []string{"self", "callForwardingSettings", "phones"} {
		values("4.me.links."+rel, meLinks+rel,
			fault("me-"+rel+"-another-host", "the "+rel+" link of me leads to another host", linkTo(meLinks+rel, anotherHost+"/me")))
	}
	values("4.me.links.photo", meLinks+"photo",
		fault("photo-unescaped", "the href of the photo link is not escaped", linkTo(meLinks+"photo", "photos/100%@contoso.com")))
	values("4.me.links.makeMeAvailable", meLinks+"makeMeAvailable",
		fault("makeMeAvailable-still-offered", "me still offers makeMeAvailable", func(x *exchange) {
			linkTo(meLinks+"makeMeAvailable", x.request.URL.Path+"/me/makeMeAvailable")(x)
		}))
	cookie := func(requirement string, faults ...Fault) {
		server(requirement, "header Set-Cookie", application, faults...)
	}
	cookie("4.cookie.secure", fault("cookie-insecure", "the cookie may go over plain http", fieldReplaced("Set-Cookie", "; secure", "")))
	cookie("4.cookie.httpOnly", fault("cookie-scripts", "scripts can read the cookie", fieldReplaced("Set-Cookie", "; HttpOnly", "")))
	cookie("4.cookie.path",
		fault("cookie-path-root", "the cookie is good for the whole server", func(x *exchange) {
			fieldReplaced("Set-Cookie", "path="+x.request.URL.Path+"/photos", "path=/")(x)
		}),
		fault("cookie-path-application", "the cookie is good for the whole application", fieldReplaced("Set-Cookie", "/photos", "")),
		fault("cookie-domain", "the cookie goes to every host of the domain", fieldReplaced("Set-Cookie", "; secure", "; domain=contoso.com; secure")))
	server("4.headers.cache", "header Cache-Control", application,
		fault("application-cache-missing", "the answer with the application does not forbid caching", field("Cache-Control", "")),
		fault("application-cache-private", "the answer with the application may be cached by browsers", field("Cache-Control", "private, max-age=10")))

	// 6. The answer to presence
	presence := on("presence")
	server("6.status", "status", presence,
		fault("presence-200", "a POST on presence is answered with 200", status(200)),
		fault("presence-202", "a POST on presence is answered with 202", status(202)),
		fault("presence-201", "a POST on presence is answered with 201, as if something were created", status(201)),
		fault("presence-500", "a POST on presence is answered with 500", together(status(500), html)),
		asking("presence-online-500", "Online, as the page sends it, is answered with 500", sending(`"Online"`, func(x *exchange) {
			x.header = http.Header{}
			together(status(500), html)(x)
		})))
	server("6.body", "header Content-Length", presence,
		fault("presence-204-body", "content follows the 204 to a POST on presence", behind("{}")))
	server("6.body", "header Transfer-Encoding", presence,
		fault("presence-204-chunks", "content follows the 204 to a POST on presence in chunks", behindInChunks("{}")))
	server("6.headers.cache", "header Cache-Control", presence,
		fault("presence-cache-missing", "the answer to a POST on presence does not forbid caching", field("Cache-Control", "")))
	server("6.received", "availability", nil,
		Fault{Name: "presence-not-stored", Breaks: "a POST on presence is accepted, and nothing comes of it", Also: []string{"event.presence"}, ask: func(x *exchange) {
			if x.part == "presence" && !strings.Contains(x.request.UserAgent(), "(probe ") {
				x.status, x.header = http.StatusNoContent, http.Header{"Cache-Control": {"no-cache"}}
			}
		}},
		Fault{Name: "presence-read-stale", Breaks: "GET presence goes on to tell what it told first", edit: func(x *exchange) {
			if x.part == "presence read" {
				x.body = []byte(x.task.remember("first read", string(x.body)))
			}
		}},
		Fault{Name: "presence-stored-late", Breaks: "what is set is read one change later", Also: []string{"reset.value"}, edit: func(x *exchange) {
			if x.part == "presence read" {
				late := x.task.swap("late", string(x.body))
				if late != "" {
					x.body = []byte(late)
				}
			}
		}})
	read := on("presence read")
	server("6.read", "status", read,
		fault("read-203", "GET presence is answered with 203", status(203)),
		fault("read-404", "GET presence is answered with 404", content(404, `{"code":"NotFound"}`)))
	server("6.read", "body", read,
		fault("read-list", "the presence stands in a list", func(x *exchange) { x.body = []byte("[" + string(x.body) + "]") }),
		fault("read-cut", "the presence is cut in the middle", func(x *exchange) { x.body = x.body[:len(x.body)/2] }))
	server("6.read", "header Content-Type", read,
		fault("read-media", "the presence is served as text/html", field("Content-Type", "text/html")))
	server("6.rel", "rel", read,
		fault("read-rel-missing", "the presence resource has no rel", without("rel")),
		fault("read-rel-me", "the presence resource has the rel of me", set("rel", "me")))
	server("6.availability", "availability", read,
		fault("read-availability-missing", "the presence resource has no availability", without("availability"), "6.received"),
		fault("read-availability-lower", "the availability is written in lower case", func(x *exchange) {
			if root, ok := x.object(); ok {
				s, _ := root["availability"].(string)
				set("availability", strings.ToLower(s))(x)
			}
		}, "6.received", "event.presence"))
	server("6.availability", "availability", nil,
		Fault{Name: "read-availability-unknown", Breaks: "the computed availability is one that there is not", edit: func(x *exchange) {
			switch {
			case x.part == "reset":
				x.task.swap("reset", "yes")
			case x.part == "presence read" && x.task.swap("reset", "") == "yes":
				x.task.swap("reset", "yes")
				text(`"availability":"Online"`, `"availability":"Available"`)(x)
			}
		}})

	// The event that confirms
	packages := on("events")
	server("event.status", "status", packages,
		fault("events-202", "an event package is answered with 202", status(202)),
		fault("events-500", "the event channel fails", together(status(500), html)))
	server("event.status", "header Content-Type", packages,
		fault("events-media", "an event package is served as text/html", field("Content-Type", "text/html")))
	server("event.self", "_links.self", packages,
		fault("events-self-missing", "an event package has no self link", without("_links.self")),
		fault("events-self-another-host", "the self link of an event package leads to another host", linkTo("_links.self", anotherHost)))
	server("event.next", "_links.next", packages,
		fault("next-missing", "an event package has no next link", without("_links.next")),
		fault("next-empty", "the href of next is empty", linkTo("_links.next", "")),
		fault("next-another-host", "next leads to another host", linkTo("_links.next", anotherHost+"/events?ack=2")),
		fault("next-another-application", "next leads to another application", linkTo("_links.next", anotherApplication+"/events?ack=2")))
	server("event.next", "_links", packages,
		fault("next-and-resync", "an event package has next and resync", linkTo("_links.resync", "events?ack=1")))
	ack := func(name, breaks string, f func(asked, next int) string) Fault {
		return Fault{Name: name, Breaks: breaks, ask: askReal, edit: pretend(f)}
	}
	server("event.ack", "_links.next", packages,
		ack("ack-back", "the ack of next goes back", func(asked, _ int) string { return strconv.Itoa(asked - 1) }),
		ack("ack-stays", "the ack of next stays, though events were told", func(asked, _ int) string { return strconv.Itoa(asked) }),
		ack("ack-text", "the ack of next is no number", func(_, next int) string { return "after" + strconv.Itoa(next) }))
	server("event.sender", "sender.0.rel", packages, fault("sender-rel-missing", "a sender has no rel", senders(func(s map[string]any) { delete(s, "rel") }), "event.me"))
	server("event.sender", "sender.0", packages, fault("sender-href-missing", "a sender has no href", senders(func(s map[string]any) { delete(s, "href") })))
	server("event.sender", "sender.1.events", packages, fault("events-object", "the events of a sender are no list", senders(func(s map[string]any) {
		if list, _ := s["events"].([]any); len(list) > 0 && s["rel"] == "communication" {
			s["events"] = list[0]
		}
	})))
	note := func(f func(event, link map[string]any)) func(*exchange) {
		return of("note", func(_, event map[string]any) map[string]any {
			link, _ := event["link"].(map[string]any)
			f(event, link)
			return event
		})
	}
	server("event.shape", "sender.0.events.2.type", packages,
		fault("event-type-changed", "an event is of the type changed", note(func(e, _ map[string]any) { e["type"] = "changed" })),
		fault("event-type-missing", "an event has no type", note(func(e, _ map[string]any) { delete(e, "type") })))
	server("event.shape", "sender.0.events.2.link.rel", packages,
		fault("event-link-missing", "an event has no link", note(func(e, _ map[string]any) { delete(e, "link") })),
		fault("event-rel-missing", "the link of an event has no rel", note(func(_, l map[string]any) { delete(l, "rel") })))
	server("event.shape", "sender.0.events.2.link", packages,
		fault("event-href-missing", "the link of an event has no href", note(func(_, l map[string]any) { delete(l, "href") })),
		fault("event-another-host", "the link of an event leads to another host", note(func(_, l map[string]any) { l["href"] = anotherHost })))
	ofPresence := func(f func(sender, event map[string]any) map[string]any) func(*exchange) { return of("presence", f) }
	server("event.presence", "sender.events", packages,
		fault("presence-event-missing", "a changed presence is stored, and no event tells of it", ofPresence(func(_, e map[string]any) map[string]any {
			if e["type"] == "updated" {
				return nil
			}
			return e
		})),
		fault("presence-event-once", "only the first change of presence is told", events(func(x *exchange, _, e map[string]any) map[string]any {
			link, _ := e["link"].(map[string]any)
			if link["rel"] == "presence" && e["type"] == "updated" && x.task.swap("told", "yes") == "yes" {
				return nil
			}
			return e
		})),
		fault("presence-event-other", "the event embeds another presence than the one that was set", ofPresence(func(_, e map[string]any) map[string]any {
			if e["type"] == "updated" {
				e["_embedded"] = map[string]any{"presence": map[string]any{"rel": "presence", "availability": "Offline"}}
			}
			return e
		})),
		fault("presence-event-deleted", "a changed presence is told as deleted", ofPresence(func(_, e map[string]any) map[string]any {
			if e["type"] == "updated" {
				e["type"] = "deleted"
			}
			return e
		})),
		fault("presence-event-rel", "a changed presence is told as one of contactPresence", ofPresence(func(_, e map[string]any) map[string]any {
			if link, _ := e["link"].(map[string]any); e["type"] == "updated" {
				link["rel"] = "contactPresence"
			}
			return e
		})))
	server("event.me", "sender.0.rel", packages,
		fault("presence-event-people", "the user's own presence event comes from people", senders(func(s map[string]any) {
			if s["rel"] == "me" {
				s["rel"] = "people"
			}
		})))
	server("event.application", "sender.0.events.0.link", packages,
		fault("presence-event-another-application", "the presence event is about another application", ofPresence(func(_, e map[string]any) map[string]any {
			if link, _ := e["link"].(map[string]any); e["type"] == "updated" {
				link["href"] = anotherApplication + "/me/presence"
			}
			return e
		})),
		fault("presence-event-contact", "the presence event is about a contact", ofPresence(func(_, e map[string]any) map[string]any {
			if link, _ := e["link"].(map[string]any); e["type"] == "updated" {
				link["href"] = strings.Replace(link["href"].(string), "/me/", "/people/lee/", 1)
			}
			return e
		})))
	server("event.once", "sender.0.events.1.type", packages,
		fault("presence-event-doubled", "a changed presence is told twice in one package", asObject(func(root map[string]any) {
			list, _ := root["sender"].([]any)
			for _, s := range list {
				sender, _ := s.(map[string]any)
				if events, _ := sender["events"].([]any); len(events) == 1 && sender["rel"] == "me" {
					sender["events"] = append(events, events[0])
				}
			}
		})))
	server("event.once", "sender.0.events.2.type", packages,
		fault("events-again", "what was told and acknowledged is told again", func(x *exchange) {
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

	// Refusals
	for _, part := range []string{"presence-get-before", "presence-post-before", "note-get-before", "note-post-before", "location-get-before", "location-post-before"} {
		granted := content(200, `{"rel":"`+strings.Split(part, "-")[0]+`"}`)
		if strings.Contains(part, "post") {
			granted = status(204)
		}
		server("refusal."+part, "status", on(part),
			fault(part+"-granted", strings.Replace(part, "-", " ", 2)+" makeMeAvailable is granted", granted),
			fault(part+"-404", strings.Replace(part, "-", " ", 2)+" makeMeAvailable is answered with 404", content(404, `{"code":"NotFound"}`)))
		server("refusal.subcode", "subcode", on(part),
			fault(part+"-subcode-missing", "the 409 to "+part+" does not say what is required", without("subcode")))
	}
	for _, asked := range []string{"get", "post"} {
		elsewhere := fault("presence-"+asked+"-before-elsewhere", strings.ToUpper(asked)+" presence before makeMeAvailable is granted at a path that is not the one served later", func(x *exchange) {
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
		server("refusal.presence-"+asked+"-before", "status", nil, elsewhere)
	}
	refused := func(part string, faults ...Fault) { server("refusal."+part, "status", on(part), faults...) }
	subcode := func(part string, faults ...Fault) { server("refusal.subcode", "subcode", on(part), faults...) }
	refused("make-again",
		fault("make-again-204", "makeMeAvailable is granted a second time", status(204)),
		fault("make-again-400", "makeMeAvailable a second time is called a bad request", content(400, `{"code":"BadRequest","subcode":"AlreadyExists"}`)))
	subcode("make-again", fault("make-again-subcode-missing", "the 409 to a second makeMeAvailable does not say why", without("subcode")),
		fault("make-again-subcode-wrong", "the 409 to a second makeMeAvailable has the subcode of another", set("subcode", "MakeMeAvailableRequired")))
	refused("modality",
		fault("modality-204", "a modality that the deployment forbids is granted", status(204)),
		fault("modality-400", "a modality that the deployment forbids is called a bad request", content(400, `{"code":"BadRequest"}`)))
	refused("anonymous",
		fault("anonymous-204", "an anonymous user may make themselves available", status(204)),
		fault("anonymous-409", "an anonymous user meets a conflict", content(409, `{"code":"Conflict","subcode":"AnonymousNotAllowed"}`)))
	subcode("anonymous", fault("anonymous-subcode-missing", "the 403 to an anonymous user does not say why", without("subcode")))
	refused("availability",
		fault("availability-204", "an availability that cannot be set is taken silently", status(204)),
		fault("availability-500", "an availability that cannot be set breaks the server", together(status(500), html)),
		fault("availability-409", "an availability that cannot be set is called a conflict", content(409, `{"code":"Conflict"}`)))
	refused("availability",
		fault("availability-offline-204", "an availability that is only computed is refused, but not Offline", sending("Offline", status(204))),
		fault("availability-any-204", "an availability that there is not is taken silently", sending("conform", status(204))))
	refused("not-json", fault("not-json-form-204", "a form is taken for an empty body", sending("availability=", status(204))))
	refused("media-type", fault("media-type-form-204", "a form's media type is taken for JSON", func(x *exchange) {
		if strings.Contains(x.request.Header.Get("Content-Type"), "form") {
			status(204)(x)
		}
	}))
	subcode("availability", fault("availability-subcode-wrong", "the 400 to an availability has the subcode of another refusal", set("subcode", "AlreadyExists")))
	refused("not-json",
		fault("not-json-204", "a body that is not JSON is taken silently", status(204)),
		fault("not-json-500", "a body that is not JSON breaks the server", together(status(500), html)),
		fault("not-json-415", "a body that is not JSON is called an unsupported media type", content(415, `{"code":"UnsupportedMediaType"}`)))
	refused("media-type",
		fault("media-type-400", "400 is answered where 415 is due", content(400, `{"code":"BadRequest"}`)),
		fault("media-type-204", "any media type is taken for JSON", status(204)))
	refused("method-makeMeAvailable",
		fault("get-makeMeAvailable-200", "makeMeAvailable can be read", content(200, `{"rel":"makeMeAvailable"}`)),
		fault("get-makeMeAvailable-404", "makeMeAvailable is not found by GET", content(404, `{"code":"NotFound"}`)))
	refused("method-presence",
		fault("delete-presence-204", "presence can be deleted", status(204)),
		fault("delete-presence-403", "DELETE on presence is called forbidden", content(403, `{"code":"Forbidden"}`)),
		fault("delete-presence-501", "DELETE on presence is not implemented", together(status(501), html)))
	below := func(edit func(*exchange)) func(*exchange) {
		return func(x *exchange) {
			if x.request.Method == http.MethodPost {
				edit(x)
			}
		}
	}
	refused("gone", fault("gone-below-204", "presence can be set in a deleted application", below(status(204))))
	refused("no-token", fault("no-token-below", "a POST on presence needs no token", below(authorized)))
	refused("bad-token", fault("bad-token-below", "a POST on presence takes any token", below(authorized)))
	refused("origin", fault("origin-below", "a POST on presence takes any origin", below(allowed)))
	refused("gone",
		fault("gone-200", "a deleted application is still served", content(200, `{"rel":"application"}`)),
		fault("gone-410", "a deleted application is answered with 410", content(410, `{"code":"Gone","subcode":"ApplicationNotFound"}`)),
		fault("gone-401", "a deleted application is answered with 401", together(status(401), html, field("WWW-Authenticate", `MsRtcOAuth href="https://pool.contoso.com/WebTicket/oauthtoken",grant_type="password"`))))
	subcode("gone", fault("gone-subcode-missing", "the 404 to a deleted application does not say what is not found", without("subcode")))
	refused("no-token",
		fault("no-token-200", "a request without a token is served", authorized),
		fault("no-token-403", "a request without a token is answered with 403", status(403)),
		fault("no-token-302", "a request without a token is redirected to a page", together(status(302), field("Location", "/signin"))))
	refused("bad-token",
		fault("bad-token-200", "any token is taken", authorized),
		fault("bad-token-403", "a token that nobody handed out is answered with 403", status(403)),
		fault("bad-token-500", "a token that nobody handed out breaks the server", status(500)))
	challenge := func(name, breaks, value string) Fault {
		return fault(name, breaks, field("WWW-Authenticate", value))
	}
	server("refusal.challenge", "header WWW-Authenticate", on("no-token", "bad-token"),
		challenge("challenge-missing", "a 401 has no challenge", ""),
		challenge("challenge-negotiate", "a 401 asks for Negotiate", "Negotiate"),
		challenge("challenge-href-missing", "the challenge does not say where tokens are to be had", `MsRtcOAuth grant_type="password"`),
		challenge("challenge-grant-missing", "the challenge does not say how tokens are to be had", `MsRtcOAuth href="https://pool.contoso.com/WebTicket/oauthtoken"`),
		challenge("challenge-http", "the challenge sends passwords over plain http", `MsRtcOAuth href="http://pool.contoso.com/WebTicket/oauthtoken",grant_type="password"`))
	refused("origin",
		fault("origin-200", "any origin is allowed", allowed),
		fault("origin-401", "an origin that is not allowed is answered with 401", together(status(401), field("WWW-Authenticate", `MsRtcOAuth href="https://pool.contoso.com/WebTicket/oauthtoken",grant_type="password"`))))
	server("refusal.origin-diagnostics", "header X-Ms-Diagnostics", on("origin"),
		fault("origin-diagnostics-missing", "the 403 to an origin does not say why", field("X-Ms-Diagnostics", "")))
	conflict := on("make-again")
	server("refusal.json", "body", on("method-presence"),
		fault("error-html", "an error of UCWA is a page", html),
		fault("error-empty", "an error of UCWA has no content", body("")))
	server("refusal.json", "header Content-Type", conflict,
		fault("error-media", "an error of UCWA is served as text/html", field("Content-Type", "text/html")))
	server("refusal.json", "code", conflict,
		fault("error-code-missing", "an error of UCWA has no code", without("code")))
	server("refusal.code", "code", conflict,
		fault("error-code-wrong", "the code of an error names another status", set("code", "ServiceFailure")),
		fault("error-code-number", "the code of an error is the number of its status", set("code", 409), "refusal.json"))
	server("refusal.parameters", "parameters", on("availability"),
		fault("error-parameters-text", "the parameters of a 400 are no list", set("parameters", "availability")))
	server("refusal.parameters", "parameters", conflict,
		fault("error-parameters", "an error other than 400 names parameters", set("parameters", []any{map[string]any{"name": "x", "reason": "y"}})))
	server("refusal.unchanged", "availability", nil,
		asking("availability-stored", "an availability that cannot be set is refused, and another is stored", func(x *exchange) {
			if x.part == "availability" {
				x.again(func(r *http.Request) { presenceBody(r, `{"availability":"Away"}`) })
				x.status = 0
			}
		}),
		Fault{Name: "presence-before-stored", Also: []string{"event.presence"}, Breaks: "a presence and a note before makeMeAvailable are refused, and show after it",
			ask: func(x *exchange) {
				if x.part == "presence-post-before" || x.part == "note-post-before" {
					x.task.remember(x.part, string(x.sent))
				}
			},
			edit: func(x *exchange) {
				asked, early := "", map[string]any{}
				switch {
				case x.part == "presence read" && x.nth == 1:
					asked = "presence-post-before"
				case x.request.Method == http.MethodGet && x.status == http.StatusOK && strings.HasSuffix(x.request.URL.Path, "/me/note"):
					asked = "note-post-before"
				}
				if asked != "" && json.Unmarshal([]byte(x.task.remember(asked, "")), &early) == nil {
					for property, value := range early {
						set(property, value)(x) // it is but shown, so that the next run does not find it
					}
				}
			}},
		asking("delete-presence-done", "DELETE on presence is refused, and done", func(x *exchange) {
			if x.part == "method-presence" {
				x.again(func(r *http.Request) { presenceBody(r, "") })
				x.status = 0
			}
		}))
	server("reset.status", "status", on("reset"),
		fault("reset-400", "a reset works, and is called a bad request", content(400, `{"code":"BadRequest"}`)),
		fault("reset-200", "a reset is answered with 200", status(200)))
	server("reset.status", "header Content-Length", on("reset"),
		fault("reset-204-body", "content follows the 204 to a reset", behind("{}")))
	server("reset.value", "availability", on("reset"),
		asking("reset-ignored", "a reset is accepted, and nothing comes of it", func(x *exchange) {
			x.status, x.header = http.StatusNoContent, http.Header{"Cache-Control": {"no-cache"}}
		}),
		asking("reset-inverted", "a reset sets another presence", func(x *exchange) {
			x.sent = []byte(`{"availability":"DoNotDisturb"}`)
			x.request.Header.Set("Content-Type", jsonType)
		}))
	return list
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

// authorized serves what the token given before would have been served.
func authorized(x *exchange) {
	token, sent := x.task.tokenOf(x.request), string(x.sent)
	x.again(func(r *http.Request) { r.Header.Set("Authorization", token); r.Body = newBody(sent) })
}

// allowed serves what a client of no origin would have been served.
func allowed(x *exchange) {
	sent := string(x.sent)
	x.again(func(r *http.Request) { r.Header.Del("X-Ms-Origin"); r.Body = newBody(sent) })
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
