package suite

import (
	"cmp"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// availability are the roles of steps 1 to 4 of "Set my presence information", with which seven pages begin.
func availability() []role {
	makes := func(name string) func(*state, *Exchange) bool { return by((*state).makeMeAvailable, name) }
	return []role{
		{name: partEnd, title: "DELETE on the application", rel: "application", method: http.MethodDelete, after: partCreate, ready: sound,
			then: func(s *state, x *Exchange) { s.ended = x.succeeded() }},
		{name: partAfter, title: "GET on the application after makeMeAvailable", rel: "application", method: http.MethodGet, is: (*state).isAfter,
			after: partMake, ready: accepted,
			then: func(s *state, _ *Exchange) { s.seen, s.available = true, true }},
		{name: partBefore, title: "GET on the application before makeMeAvailable", rel: "application", method: http.MethodGet, after: partCreate, ready: sound,
			then: func(s *state, x *Exchange) { s.seen = s.seen || x.Failure == "" }},
		{name: partMake, title: "POST on makeMeAvailable", rel: "makeMeAvailable", method: http.MethodPost, is: makes(partMake), once: true,
			paths: []string{"/me/makemeavailable", "/communication/makemeavailable"}, after: partBefore, lead: "_embedded.me._links.makeMeAvailable",
			then: func(s *state, x *Exchange) {
				// 409 says that the user is available already, and many clients go on.
				s.seen, s.asked = true, true
				s.available = s.available || x.succeeded() || x.Failure == "" && x.Response.Code == http.StatusConflict
			}},
		{name: "makeMeAvailable refused", rel: "makeMeAvailable", method: http.MethodPost, is: makes("makeMeAvailable refused")},
	}
}

// preamble are the clauses of a page that begins with steps 1 to 4 of which it tests nothing itself: what it is about, and, in the
// words of "Set my presence information" or in its own, what is judged there.
func preamble(title, does, way string, quotes ...string) []Clause {
	return []Clause{
		{ID: "title", Quotes: []string{title, does, "Applies to: Skype for Business 2015"},
			Excluded: "names the page and the product; says nothing that a server or a client does"},
		{ID: "see-create", Quotes: []string{"For more information, see Create an application."},
			Excluded: "points to another document, which is a task of its own"},
		{ID: "available", Excluded: "is judged once, under Set my presence information", Quotes: append([]string{way,
			"The steps here assume that you have already created an application and have received a response that contains the href for an application resource.",
			"Send a POST request on the makeMeAvailable resource.",
			"Process the response from the request in the previous step.", "The response you receive should be 204 No content, as shown here.",
			"Send a GET request on the application resource.", "A sample request is shown here.",
			"Process the response from the previous request."}, quotes...)},
	}
}

// hrefOf is how most pages say where the link to makeMeAvailable is.
const hrefOf = "One of the hypermedia links that are served in the response for the application resource is the href for the makeMeAvailable resource."

// framing is why fields of HTTP and of the web server are not looked at.
const framing = "written by HTTP, IIS and ASP.NET, not by UCWA; the framing is checked by the HTTP client"

// alsoAvailable are steps 1 to 4 of a page that begins like "Set my presence information", where they are judged.
func alsoAvailable(last ...string) []step {
	const first = "set-presence."
	return []step{
		{ID: "1", Title: "Send a POST request on the makeMeAvailable resource", role: partMake, shares: []string{first + "pre.", first + "1.", first + "nav.links",
			first + "request.authorization", first + "request.token-origin", first + "request.content-type", first + "request.content-length", first + "request.host",
			first + "request.accept", first + "request.x-ms-origin", first + "request.x-requested-with", first + "request.referer"}},
		{ID: "2", Title: "Process the response to makeMeAvailable", role: partMake, shares: []string{first + "2."}},
		{ID: "3", Title: "Send a GET request on the application resource", role: partAfter, shares: []string{first + "3.request.body", first + "3.request.content-type"}},
		{ID: "4", Title: "Process the response with the application", role: partAfter, shares: append([]string{first + "4.status", first + "4.media", first + "4.json",
			first + "4.rel", first + "4.culture", first + "4.userAgent", first + "4.links.", first + "4.embedded.", first + "4.me.", first + "4.cookie.", first + "4.headers."}, last...)},
	}
}

// madeAvailable is what servers and clients must do in these steps.
func madeAvailable() []step {
	return []step{
		{ID: "pre", Title: "An application exists", role: partBefore, clauses: []clause{
			{Clause: Clause{ID: "pre", Quotes: []string{
				"The steps here assume that you have already created an application and have received a " +
					"response that contains the href for an application resource.",
			}}, Checks: []Check{
				server("pre.self", must,
					all(status(http.StatusOK), object(), link("_links.self")).unless((*check).admitted),
					"The application answers GET with 200, a JSON object, and a self link on the server's own "+
						"origin, and not below another application.",
					"An application that ended (15 minutes without a pending GET), a token of another user, or "+
						"a proxy that answers with a page of its own."),
			}},
		}},
		{ID: "1", Title: "Send a POST request on the makeMeAvailable resource", role: partMake, clauses: []clause{
			{Clause: Clause{ID: "1.link", Quotes: []string{
				"One of the hypermedia links that are served in the response for the application resource is " +
					"the href for the makeMeAvailable resource.",
				"Search for the me embedded resource, and then locate the href of the makeMeAvailable link.",
			}}, Checks: []Check{
				server("1.link.present", must,
					untilUsed(value("_embedded.me._links.makeMeAvailable", beLink())),
					"Until it was used, makeMeAvailable is a link of the embedded resource me.",
					"An implementation that serves the link under communication only, or only when me is "+
						"fetched by itself."),
				server("1.link.href", must,
					untilUsed(link("_embedded.me._links.makeMeAvailable")),
					"The href of makeMeAvailable resolves to a URL on the server's own origin, and not below "+
						"another application.",
					"A front end behind a reverse proxy that writes its internal host name into links."),
			}},
			{Clause: Clause{ID: "unavailable", Reference: "UCWA 2.0 API reference: makeMeAvailable, presence, note, location, reportMyActivity (what a " +
				"user has before and after makeMeAvailable)"}, Checks: []Check{
				server("1.absent.presence", must,
					untilUsed(value("_embedded.me._links.presence", beAbsent())),
					"Until makeMeAvailable was used, me has no presence link.",
					"Serving one fixed list of links whatever the state of the user."),
				server("1.absent.note", must,
					untilUsed(value("_embedded.me._links.note", beAbsent())),
					"Until makeMeAvailable was used, me has no note link.",
					"Serving one fixed list of links whatever the state of the user."),
				server("1.absent.location", must,
					untilUsed(value("_embedded.me._links.location", beAbsent())),
					"Until makeMeAvailable was used, me has no location link.",
					"Serving one fixed list of links whatever the state of the user."),
				server("1.absent.reportMyActivity", must,
					untilUsed(value("_embedded.me._links.reportMyActivity", beAbsent())),
					"Until makeMeAvailable was used, me has no reportMyActivity link.",
					"Serving one fixed list of links whatever the state of the user."),
			}},
			navigation(),
			clientRequests(),
			{Clause: Clause{ID: "1.body", Shows: []string{"SupportedModalities"}}, Checks: []Check{
				client("1.body.json", must,
					tracing("Read the body of every POST on makeMeAvailable.", makesObject),
					"The body of makeMeAvailable is a JSON object, with no name twice in whatever casing.",
					"A body sent as a form, or encoded twice so that it is a JSON string."),
				client("1.body.modalities", must, tracing(
					"Find supportedModalities in any casing and compare its items with the enumeration.", namesModalities),
					"The supported modalities, if given, are a list of ModalityType names.",
					"Misspelt names, such as Message or IM."),
			}},
		}},
		{ID: "2", Title: "Process the response to makeMeAvailable", role: partMake, clauses: []clause{
			{Clause: Clause{ID: "2.status", Quotes: []string{
				"Process the response from the request in the previous step.",
				"The response you receive should be 204 No content, as shown here.",
			}}, Checks: []Check{
				server("2.status", must, status(http.StatusNoContent),
					"makeMeAvailable is answered with 204 No Content.",
					"A framework that answers 200 with an empty body, or 202 since it works on."),
			}},
			{Clause: Clause{ID: "2.body", Quotes: []string{"The response you receive should be 204 No content, as shown here."}}, Checks: []Check{
				server("2.body", must, noContent().unless(unsuccessful),
					"The answer to makeMeAvailable has no content.",
					"A framework that writes {} or null after the header."),
			}},
			{Clause: Clause{ID: "2.headers", Shows: []string{
				"Connection", "Date", "Server", "Cache-Control", "X-AspNet-Version", "X-MS-Server-Fqdn",
				"X-Powered-By",
			}}, Checks: []Check{
				server("2.headers.cache", should, noCaching(),
					"The answer to makeMeAvailable forbids caching.",
					"A reverse proxy with a caching policy of its own."),
				server("2.headers.date", may, header("Date", stringThat("an HTTP date", isHTTPDate).but(asGarbage)).ifSent(),
					"Date, if sent, is an HTTP date.",
					"A local time or a numeric time zone."),
				server("2.headers.fqdn", may,
					header("X-MS-Server-Fqdn", stringThat("a host name", hostName.MatchString).but(asGarbage)).ifSent(),
					"X-MS-Server-Fqdn, if sent, is a host name.",
					"An IP address with a port, or an empty value."),
			}},
		}},
		{ID: "3", Title: "Send a GET request on the application resource", role: partAfter, clauses: []clause{
			{Clause: Clause{ID: "3.request", Quotes: []string{
				"Send a GET request on the application resource.", "A sample request is shown here.",
			}, Shows: []string{
				"Authorization", "Accept", "X-Ms-Origin", "X-Requested-With", "Referer", "Accept-Language",
				"Accept-Encoding", "User-Agent", "Host", "Connection",
			}}, Checks: []Check{
				client("3.request.get", should, tracing(
					"Look for a GET on the application after makeMeAvailable was accepted and before the "+
						"first POST on presence.", readsAgain),
					"Between makeMeAvailable and presence the client gets the application again.",
					"A client that reads me instead, or relies on links that it knew before."),
				client("3.request.body", must,
					look(place{name: "request body", get: answer.RequestBody}, beEmpty()).
						of("each GET of the client", (*check).gets),
					"The GET on the application has no body, nor have those on the presence and the event "+
						"channel.",
					"A wrapper that sends an empty JSON object with every verb."),
				client("3.request.content-type", should,
					requestHeader("Content-Type", beAbsent()).of("each GET of the client", (*check).gets),
					"The GET on the application carries no Content-Type, since it has no content, nor do those "+
						"on the presence and the event channel.",
					"A client that sets its default header fields on every verb."),
			}},
		}},
		{ID: "4", Title: "Process the response with the application", role: partAfter, clauses: []clause{
			{Clause: Clause{ID: "4.status", Quotes: []string{
				"Process the response from the previous request.",
				"You should receive a response code of 200 OK.",
			}, Shows: []string{"Content-Type"}}, Checks: []Check{
				server("4.status", must, status(http.StatusOK),
					"The application is answered with 200 OK.",
					"304 or 203 from a cache in between."),
				server("4.media", must,
					header("Content-Type", stringThat(jsonMedia, func(s string) bool { return s != "" && isJSONMedia(s) }).but(asPage, asGarbage)).unless(noneSent).
						unless(inXML),
					"The application is served with a JSON media type of UCWA.",
					"text/html or text/plain from a framework's default."),
				server("4.json", must, object().unless(noneSent),
					"The body of the application is one sound JSON object.",
					"JSON assembled from strings, as the document's own sample shows."),
			}},
			{Clause: Clause{ID: "4.app", Quotes: []string{"The following is a typical response to the previous GET request."}, Shows: []string{"culture", "userAgent", "rel"}}, Checks: []Check{
				server("4.rel", must, value("rel", beOneOf("application")),
					"The application's rel is application.",
					"A generic serializer that writes the class name."),
				server("4.culture", must,
					value("culture", asCreated("culture", stringThat("a language tag", languageTag.MatchString))).
						but(isNull, being("de-DE")),
					"The application's culture is the one that it was created with, where the evidence holds "+
						"the creation, and in any case the one of before makeMeAvailable.",
					"The server's own locale in its place."),
				server("4.userAgent", must, value("userAgent", asCreated("userAgent", beText())).but(isNull, asEmpty, being("Mozilla/5.0")),
					"The application's userAgent is the one that it was created with, where the evidence holds "+
						"the creation, and in any case the one of before makeMeAvailable.",
					"The User-Agent field of the current request in its place."),
			}},
			{Clause: Clause{ID: "4.links", Shows: []string{"_links.self", "_links.policies", "_links.batch", "_links.events"}}, Checks: []Check{
				server("4.links.self", must, value("_links.self", toItself("application")),
					"The application's self link leads to the application that was asked for.",
					"A link to another front end's name for the same application."),
				server("4.links.policies", must, link("_links.policies"),
					"The application has a policies link on the server's own origin, and not below another "+
						"application.",
					"Links left out for resources that are not implemented."),
				server("4.links.batch", must, link("_links.batch"),
					"The application has a batch link on the server's own origin, and not below another "+
						"application.",
					"Links left out for resources that are not implemented."),
				server("4.links.events", must, link("_links.events"),
					"The application has an events link on the server's own origin, and not below another "+
						"application.",
					"Serving the event channel from another host."),
				server("4.links.events-ack", must, value("_links.events", withAck()),
					"The events link carries ack, a whole number.",
					"A bare path to which clients are expected to add ack."),
			}},
			{Clause: Clause{ID: "4.embedded", Shows: []string{
				"_embedded.me", "_embedded.people", "_embedded.onlineMeetings", "_embedded.communication",
			}}, Checks: []Check{
				server("4.embedded.me", must, value("_embedded.me", beObject()),
					"The application embeds me, a resource.",
					"A link in place of the embedded resource."),
				server("4.embedded.people", must,
					all(value("_embedded.people", beObject()), value("_embedded.people.rel", beOneOf("people"))),
					"The application embeds people, a resource of that rel.",
					"null or an empty list for what is not implemented."),
				server("4.embedded.onlineMeetings", must,
					all(value("_embedded.onlineMeetings", beObject()), value("_embedded.onlineMeetings.rel", beOneOf("onlineMeetings"))),
					"The application embeds onlineMeetings, a resource of that rel.",
					"null or an empty list for what is not implemented."),
				server("4.embedded.communication", must,
					all(value("_embedded.communication", beObject()), value("_embedded.communication.rel", beOneOf("communication"))),
					"The application embeds communication, a resource of that rel.",
					"null or an empty list for what is not implemented."),
			}},
			{Clause: Clause{ID: "4.me", Shows: []string{"me.name", "me.uri", "me.emailAddresses", "me.rel"}}, Checks: []Check{
				server("4.me.name", must, value("_embedded.me.name", beText()),
					"me has the name of the user.",
					"A directory entry without a display name served as null."),
				server("4.me.uri", must,
					value("_embedded.me.uri", stringThat("a SIP URI, sip:user@domain", sipURI.MatchString), wants(asBefore)),
					"The uri of me is the SIP URI of the user.",
					"The bare address without its scheme."),
				server("4.me.emailAddresses", may,
					value("_embedded.me.emailAddresses", satisfy("a list of e-mail addresses", isAddressList).but(asText)).ifSent(),
					"The emailAddresses of me, if served, are a list of addresses.",
					"A single string in place of the list."),
				server("4.me.rel", must, value("_embedded.me.rel", beOneOf("me")),
					"The rel of me is me.",
					"An embedded resource serialized without its rel."),
			}},
			{Clause: Clause{ID: "4.me.links", Quotes: []string{
				"The link that will be used later is that for presence, which is a link in the me embedded " +
					"resource.",
			}, Shows: []string{
				"me.self", "me.note", "me.presence", "me.location", "me.reportMyActivity",
				"me.callForwardingSettings", "me.phones", "me.photo",
			}}, Checks: []Check{
				server("4.me.links.self", may, link("_embedded.me._links.self").ifSent(),
					"The self link of me, if served, is on the server's own origin, and not below another "+
						"application.",
					"A link to another front end."),
				server("4.me.links.presence", must, link("_embedded.me._links.presence"),
					"After makeMeAvailable me has a presence link, on the server's own origin, and not below "+
						"another application.",
					"A cached application, or one whose links appear only some time after the 204."),
				server("4.me.links.note", must,
					value("_embedded.me._links.note", leadToOrigin(), toItsOwn("note")),
					"After makeMeAvailable me has a note link on the server's own origin, not below another "+
						"application, and to a resource of its own.",
					"Links left out for resources that are not implemented."),
				server("4.me.links.location", must,
					value("_embedded.me._links.location", leadToOrigin(), toItsOwn("location")),
					"After makeMeAvailable me has a location link on the server's own origin, not below "+
						"another application, and to a resource of its own.",
					"Links left out for resources that are not implemented."),
				server("4.me.links.reportMyActivity", must,
					value("_embedded.me._links.reportMyActivity", leadToOrigin(), toItsOwn("reportMyActivity")),
					"After makeMeAvailable me has a reportMyActivity link on the server's own origin, not "+
						"below another application, and to a resource of its own.",
					"The link served under the application, as another page of the documentation shows."),
				server("4.me.links.callForwardingSettings", may,
					link("_embedded.me._links.callForwardingSettings").ifSent(),
					"The callForwardingSettings link of me, if served, is on the server's own origin, and not "+
						"below another application.",
					"A link to another front end."),
				server("4.me.links.phones", may, link("_embedded.me._links.phones").ifSent(),
					"The phones link of me, if served, is on the server's own origin, and not below another "+
						"application.",
					"A link to another front end."),
				server("4.me.links.photo", may, value("_embedded.me._links.photo", leadAnywhere()).ifSent(),
					"The photo link of me, if served, has an href that is a URL.",
					"A path that is not escaped."),
				server("4.me.links.makeMeAvailable", must,
					value("_embedded.me._links.makeMeAvailable", beAbsent()),
					"After makeMeAvailable me offers it no longer.",
					"Serving one fixed list of links whatever the state of the user."),
			}},
			{Clause: Clause{ID: "4.cookie", Shows: []string{"Set-Cookie"}}, Checks: []Check{
				server("4.cookie.secure", must, cookie(partAfter, secureCookie),
					"The cookie cwt_ucwa, if set, is Secure.",
					"A proxy that ends TLS and rewrites cookies."),
				server("4.cookie.httpOnly", must, cookie(partAfter, httpOnlyCookie),
					"The cookie cwt_ucwa, if set, is HttpOnly.",
					"A framework whose cookies are open to scripts by default."),
				server("4.cookie.path", must, cookie(partAfter, photoCookie),
					"The cookie cwt_ucwa, if set, is scoped to the photos of this application on this host.",
					"The default path /, which sends the token with every request."),
			}},
			{Clause: Clause{ID: "4.headers", Shows: []string{"Cache-Control"}}, Checks: []Check{
				server("4.headers.cache", should, noCaching(),
					"The answer with the application forbids caching.",
					"A reverse proxy with a caching policy of its own."),
			}},
			{Clause: Clause{ID: "4.cache", Quotes: []string{
				"Some links in the response will be used in subsequent steps, so it is important to cache " +
					"portions of the response body.",
			}}, Checks: []Check{
				client("4.cache", must, followsLast(myPresence, "POST"),
					"The client uses the presence link that the latest application served.",
					"A link kept from an application that has ended."),
			}},
		}},
	}
}

func makesObject(c *check) {
	judged := false
	for _, r := range c.requests("POST", "makeMeAvailable") {
		if r.onlyInQuery("supportedModalities") {
			continue
		}
		judged = true
		c.Expect(r.RequestDocument()).To(beProperties())
	}
	if !judged {
		c.notApplicable("the input of makeMeAvailable is in the query")
	}

}

func namesModalities(c *check) {
	given := false
	for _, r := range c.requests("POST", "makeMeAvailable") {
		if r.bodyLost() && !c.Driven {
			c.unkept = cmp.Or(c.unkept, r.Exchange)
			continue
		}
		if r.onlyInQuery("supportedModalities") {
			continue
		}
		object, err := r.requestObject()
		if err != nil {
			c.blocked("set-presence.1.body.json", r.Exchange)
		}
		value, ok := member(object, "supportedModalities")
		if !ok || value == nil {
			continue
		}
		given = true
		f := r.field("request body.supportedModalities", value, true)
		c.Expect(f).To(satisfy("a list", func(v any) bool { _, ok := v.([]any); return ok }))
		for i, item := range value.([]any) {
			c.Expect(f.within(fmt.Sprint(i), item, true)).To(beOneOfNames(ucwa.ModalityTypes()))
		}
	}
	if !given && c.unkept == nil {
		c.notApplicable("no makeMeAvailable names modalities; none is required")
	}

}

func readsAgain(c *check) {
	post := c.requests("POST", "presence")[0]
	available := c.optional(partMake)
	if len(available) == 0 || available[0].ID > post.ID {
		c.notExercised("the evidence does not show makeMeAvailable before presence")
	}
	between := post.field("requests before it", "no GET on the application since makeMeAvailable", true)
	for _, x := range c.Exchanges { // also one whose answer nobody kept
		if x.Probe == "" && x.is("application") && x.Request.Method == "GET" && x.ID >= available[0].ID && x.ID < post.ID {
			between = answer{x, c}.field("request", "GET on the application", true)
		}
	}
	if between.x == post.Exchange && !c.isAfter(post.Exchange, available[0].Exchange) {
		c.notExercised("the capture does not tell in which order makeMeAvailable and presence were asked for")
	}
	c.Expect(between).To(beOneOf("GET on the application"))

}

// admitted ends the spec where the application that the run was given cannot be
// had: nobody can tell then whether the server or what it was given is wrong.
func (c *check) admitted(a answer) {
	if why := inadmissible[a.Response.Code]; why != "" {
		c.look("200 OK", a.Status())
		c.stop(reports.Error, fmt.Sprintf("the application of this run cannot be had, so nothing follows (%d in exchange %d): %s", a.Response.Code, a.ID, why))
	}
}

// untilUsed looks at the applications that show makeMeAvailable unused.
func untilUsed(f fields) fields {
	return f.of("the application before makeMeAvailable, and as it was created", (*check).unused, partBefore)
}

// withAck is an events link, which says from where events are told.
func withAck() matcher {
	m := leadTo("a link with ack=, a whole number", func(u *url.URL) bool { _, ok := ackOf(u); return ok })
	return m.butOnly(withQuery("no-ack", "has no ack", "/events", ""), withQuery("ack-text", "has an ack that is no number", "/events", "?ack=first"),
		withQuery("two-acks", "has two acks", "/events", "?ack=1&ack=2"))
}

// asBefore is the user before makeMeAvailable, where that is known.
func asBefore(c *check, _ answer) matcher {
	before, ok := c.before("_embedded", "me", "uri")
	if !ok {
		return matcher{}
	}
	return stringThat(fmt.Sprintf("%v, as before makeMeAvailable", before), func(s string) bool { return strings.EqualFold(s, fmt.Sprint(before)) })
}

// toItsOwn is a link of me that leads to no resource to which another of its links leads.
func toItsOwn(rel string) wants {
	return func(_ *check, a answer) matcher {
		return matcher{expected: "a link to a resource of its own", matches: func(f Field) bool {
			u, _ := resolveOwn(f.Value, a.url)
			return !a.taken(u, rel)
		}}
	}
}

// taken reports whether me has the link to u under another rel than the given one, of
// those that makeMeAvailable brings; the first of them keeps it.
func (a answer) taken(u *url.URL, rel string) bool {
	for _, other := range []string{"presence", "note", "location", "reportMyActivity"} {
		if other == rel {
			return false
		}
		v, err := resolveOwn(a.JSON("_embedded", "me", "_links", other).Value, a.url)
		if err == nil && linkKey(u) == linkKey(v) && u.RawQuery == v.RawQuery {
			return true
		}
	}
	return false
}

// unused returns the applications that show makeMeAvailable unused: those before
// it, and what the creation answered.
func (c *check) unused() []answer {
	created := slices.DeleteFunc(c.optional(partCreate), func(a answer) bool {
		object, err := a.object()
		return err != nil || !a.succeeded() || object["rel"] != "application" || hasLink(a.Exchange, "presence") && !hasLink(a.Exchange, "makeMeAvailable")
	})
	if len(created) > 0 {
		return append(created, c.optional(partBefore)...)
	}
	return c.all(partBefore)
}

// before returns what the application held before makeMeAvailable.
func (c *check) before(path ...string) (any, bool) {
	for _, x := range c.parts[partBefore] {
		if object, err := x.object(); err == nil && x.succeeded() {
			return dig(object, path...)
		}
	}
	return nil, false
}

// asCreated expects what the POST that created the application asked for, or what
// the application held before, where it is known. Culture names have no casing.
func asCreated(name string, otherwise matcher) wants {
	return func(c *check, _ answer) matcher {
		for _, x := range c.parts[partCreate] {
			if object, err := x.requestObject(); err == nil && x.Response.Code == http.StatusCreated {
				if value, ok := member(object, name); ok {
					if text, isText := value.(string); isText && name == "culture" {
						return stringThat(text, func(s string) bool { return strings.EqualFold(s, text) })
					}
					return beOneOf(value)
				}
			}
		}
		if value, ok := c.before(name); ok && otherwise.matches(Field{Value: value}) {
			return beOneOf(value)
		}
		return otherwise
	}
}

// cookie is the cookie that opens the photos, where answers that play a role bring the application.
func cookie(role string, want func(answer) matcher) items {
	return items{"each Set-Cookie", role, func(c *check) []Field { return c.cookies(role) }, func(f Field) matcher {
		return want(answer{f.x, f.check})
	}}
}

func secureCookie(answer) matcher {
	return setCookieThat("a cookie with Secure", func(k *http.Cookie) bool { return k.Secure })
}

func httpOnlyCookie(answer) matcher {
	return setCookieThat("a cookie with HttpOnly", func(k *http.Cookie) bool { return k.HttpOnly })
}

func photoCookie(a answer) matcher {
	photos, fits := "…/applications/…/photos", photosPath.MatchString
	if a.Part != partCreate { // where the documentation prints the cookie of another application
		photos = strings.TrimRight(a.url.Path, "/") + "/photos"
		fits = func(s string) bool { return strings.EqualFold(strings.TrimSuffix(s, "/"), photos) }
	}
	return setCookieThat("a cookie with path="+photos+" and no Domain", func(k *http.Cookie) bool {
		path, err := url.PathUnescape(k.Path) // = and %3d are one
		return err == nil && fits(path) && k.Domain == ""
	})
}

var photosPath = regexp.MustCompile(`(?i)/applications/[^/]+/photos/?$`)

// cookies returns each cwt_ucwa cookie that came with the application in answers of a part.
func (c *check) cookies(part string) []Field {
	var list []Field
	for _, a := range c.all(part) {
		for _, line := range cassettes.HeaderValues(a.Response.Headers, "Set-Cookie") {
			if strings.HasPrefix(strings.TrimSpace(line), "cwt_ucwa=") {
				list = append(list, a.field("header Set-Cookie", line, true))
			}
		}
	}
	if len(list) == 0 {
		c.notApplicable("the server sets no cookie cwt_ucwa")
	}
	return list
}

func setCookieThat(expected string, fulfils func(*http.Cookie) bool) matcher {
	return stringThat(expected, func(line string) bool {
		cookie, err := http.ParseSetCookie(line)
		return err == nil && fulfils(cookie)
	})
}

func isAddressList(v any) bool {
	list, ok := v.([]any)
	if !ok {
		return false
	}
	for _, item := range list {
		text, _ := item.(string)
		if _, err := mail.ParseAddress(text); err != nil {
			return false
		}
	}
	return true
}

var (
	hostName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	languageTag = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)
	sipURI      = regexp.MustCompile(`^(?i:sips?):[^@\s]+@[^@\s]+$`)
)

// isAfter reports whether a GET on the application shows what makeMeAvailable brought: after that, or, where nobody recorded
// it, or in spite of an error, by its links.
func (s *state) isAfter(x *Exchange) bool {
	return s.available || (!s.e.Driven || !s.seen || s.asked) && hasLink(x, "presence") && !hasLink(x, "makeMeAvailable")
}

// makeMeAvailable says what a POST on makeMeAvailable is.
func (s *state) makeMeAvailable(x *Exchange) string {
	switch {
	case s.available, x.Response.Code == 409 && !s.seen:
		return partMadeAgain
	case x.Response.Code == 403 && subcodeOf(x) == ucwa.SubcodeAnonymousNotAllowed:
		return partAnonymous
	case x.Response.Code == 403 && s.e.acceptsLater(x):
		return partModality
	case !s.e.Driven && (x.Response.Code == 400 || x.Response.Code == 415) && (s.e.acceptsLater(x) || mistakenMake(x)):
		return "makeMeAvailable refused" // for what the client did wrong
	}
	return partMake
}

// mistakenMake reports whether the body of a makeMeAvailable, or what the request
// says of it, is none that a server has to take.
func mistakenMake(x *Exchange) bool {
	media := strings.Join(x.requestHeader("Content-Type"), "")
	if strings.TrimSpace(x.Request.Body) == "" {
		return false
	}
	object, err := x.requestObject()
	if err != nil && isXMLMedia(media) {
		return false // nobody knows
	}
	if media == "" || !isJSONMedia(media) && !isXMLMedia(media) || err != nil || twice(object) != "" {
		return true
	}
	given, ok := member(object, "supportedModalities")
	names, isList := given.([]any)
	return ok && given != nil && (!isList || slices.ContainsFunc(names, func(name any) bool {
		text, _ := name.(string)
		return !ucwa.ModalityType(text).Valid()
	}))
}

// makeAvailable does the documented steps on an application: it makes the user available, sets and resets what the user sets of himself,
// and asks for the refusals before, between and after. It follows links; where a probe must ask for a resource
// that is not served yet, it is marked as a probe.
func makeAvailable(s *session, list []*personal) {
	client := s.client()
	begin := s.begin
	s.at(myPresence.task, "pre")
	first := s.do(client, http.MethodGet, begin, nil)
	if first != nil && (first.Status == http.StatusUnauthorized || first.Status == http.StatusForbidden || first.Status == http.StatusNotFound) {
		if s.tokens == nil { // what was given is no application of ours: nothing to ask, and nothing to clean up
			s.open, s.refused = false, first.Status
		}
		return
	}
	app := resource(first)
	s.probeBefore(app.Embed("me"))

	// Step 1, and 3: the application again.
	s.at(myPresence.task, "1")
	makeMeAvailable := app.Embed("me").Link("makeMeAvailable")
	s.do(client, http.MethodPost, makeMeAvailable, []byte(`{"SupportedModalities": ["Messaging"]}`)) // as the page prints it
	s.at(myPresence.task, "3")
	if again := resource(s.do(client, http.MethodGet, begin, nil)); again != nil {
		app = again
	}

	me := app.Embed("me")
	s.made = makeMeAvailable
	s.beyond = func() *ucwa.Response {
		return s.do(s.probe(partGone, nil), http.MethodPost, me.Link(myPresence.rel), []byte(`{"availability":"Away"}`))
	}
	s.exercise(list, myPresence, me, app.Link("events"))

	s.probeAnywhere(begin)
	s.probeParty(partAnonymous, s.target.Anonymous)
	s.probeParty(partModality, s.target.Restricted)
}

// early is what is set before that is allowed: a presence that no server computes, and
// that few people have when a run begins.
const early = ucwa.PreferBeRightBack

// earlyNote is set besides, and nobody has it.
const earlyNote = "conform"

// probeBefore asks for what is refused until makeMeAvailable. Nobody has served
// these links yet, so they are made from that of me; if it turns out later that
// the server keeps the resources elsewhere, the answers say nothing.
func (s *session) probeBefore(me *ucwa.Resource) {
	if me == nil || !me.HasLink("makeMeAvailable") {
		return // available already
	}
	// The siblings of makeMeAvailable, where me does not tell its own place.
	link, below := me.Link("makeMeAvailable"), path.Dir
	if me.HasLink("self") {
		link, below = me.Link("self"), path.Clean
	}
	for _, p := range []struct{ rel, body string }{
		{myPresence.rel, fmt.Sprintf(`{"availability":%q}`, early)}, // whether it is there later, is looked at
		{myNote.rel, fmt.Sprintf(`{"message":%q}`, earlyNote)},
		{"location", `{"location":"conform"}`},
	} {
		ask := func(r *http.Request) { r.URL.Path, r.URL.RawPath = below(r.URL.Path)+"/"+p.rel, "" }
		if r := resource(s.do(s.probe(p.rel+"-get-before", ask), http.MethodGet, link, nil)); r != nil && p.rel == myNote.rel {
			s.earlier = r.String(myNote.member)
		}
		s.do(s.probe(p.rel+"-post-before", ask), http.MethodPost, link, []byte(p.body))
		s.early = true
	}
}
