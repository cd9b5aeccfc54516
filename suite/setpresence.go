package suite

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// setPresence is "Set my presence information".
func setPresence() *page {
	return &page{
		Task: "set-presence", Title: "Set my presence information", Revision: 4, about: partPresence, sets: myPresence, begin: makeAvailable, always: true,
		Document: Document{"Set my presence information (UCWA 2.0)", "https://learn.microsoft.com/en-us/skype-sdk/ucwa/setmypresenceinformation"},
		Clauses: []Clause{
			{ID: "title", Quotes: []string{
				"Set my presence information", "Set the presence of the me user.",
				"Applies to: Skype for Business 2015",
			},
				Excluded: "names the page and the product; says nothing that a server or a client does"},
			{ID: "chrome", Quotes: []string{"Editar", "Compartilhar via"},
				Excluded: "buttons of the documentation site"},
			{ID: "see-create", Quotes: []string{"For more information, see Create an application."},
				Excluded: "points to another document, which is a task of its own"},
			{ID: "4.transport", Shows: []string{
				"Connection", "Content-Length", "Date", "Server", "P3P", "X-AspNet-Version",
				"X-MS-Server-Fqdn", "X-Powered-By",
			},
				Excluded: "written by HTTP, IIS and ASP.NET, not by UCWA; the framing is checked by the HTTP client, and " +
					"the fields of step 2 stand for the rest"},
			{ID: "4.brevity", Quotes: []string{
				"For brevity, some parts of the response body are omitted, and IDs and tokens are shortened.",
			},
				Excluded: "speaks of the printed sample; what it cost the sample stands under errata"},
			{ID: "6.transport", Shows: []string{"Connection", "Date", "Server", "X-AspNet-Version", "X-MS-Server-Fqdn", "X-Powered-By"},
				Excluded: "as 4.transport"},
		},
		Errata: []string{
			"The application id changes between the steps (101 in requests, 104 in the response, 102 for " +
				"presence). In one session it is one id.",
			"Content-Length: 37 is that of the minified makeMeAvailable body; the body as printed has 38 bytes.",
			"The printed application is not JSON: a comma too many after communication, one missing before " +
				"rel, and {...} for people, onlineMeetings and communication.",
			"The request line of step 5 names contoso.com, its Host field lyncweb.contoso.com.",
			"X-Ms-Origin is http://app.contoso.com in one step and http://myServer in another.",
			"The body says SupportedModalities, the API reference supportedModalities: names of request " +
				"properties are matched in any casing.",
			"The operations of the API reference list subcodes, and the page on errors says that code alone is " +
				"required and that new subcodes can be introduced at any time. Side taken: a subcode is a should, " +
				"and an unknown one is right.",
			"Other pages serve makeMeAvailable under communication, reportMyActivity under the application, " +
				"and paths under /ucwa/v1/. Only links decide.",
		},
		Roles: slices.Concat(availability(), myPresence.roles(), beforehand("location"), eventRoles(), refusalRoles()),
		Steps: slices.Concat(madeAvailable(), []step{
			{ID: "5", Title: "Send a POST request on the presence resource", role: partPresence, clauses: []clause{
				{Clause: Clause{ID: "5.request", Quotes: []string{"Send a POST request on the presence resource.", "A sample request is shown here."}, Shows: []string{
					"Accept", "Content-Type", "Authorization", "X-Ms-Origin", "X-Requested-With", "Referer",
					"Accept-Language", "Accept-Encoding", "User-Agent", "Host", "Content-Length", "DNT",
					"Connection", "Cache-Control",
				}}, Checks: []Check{
					client("request.dnt", may, mayHave("DNT", "0 or 1", zeroOrOne),
						"DNT, if sent, is 0 or 1.",
						"The word null, as some browsers once sent."),
				}},
				{Clause: Clause{ID: "5.body", Quotes: []string{"Note the availability property at the bottom of the request."}, Shows: []string{"availability"}}, Checks: []Check{
					client("5.body.json", must, sendsObject(myPresence),
						"The body of a POST on presence is a JSON object, with no name twice in whatever casing, "+
							"or empty for a reset.",
						"The bare word Online, or a form."),
					client("5.body.availability", must, tracing(
						"Find availability in any casing and compare it with the enumeration; null is a reset.", setsAvailability),
						"The availability that the client sets is a PreferredAvailability.",
						"Setting what can only be read, such as Offline or IdleOnline."),
				}},
			}},
			{ID: "6", Title: "Process the response to presence", role: partPresence, clauses: []clause{
				{Clause: Clause{ID: "6.status", Quotes: []string{
					"Process the response from the previous POST request.",
					"The response you receive should be 204 No Content.",
				}}, Checks: []Check{
					server("6.status", must, status(http.StatusNoContent),
						"A POST on presence is answered with 204 No Content.",
						"A framework that answers 200 with an empty body, or 202 since it works on."),
					server("6.body", must, noContent().unless(unsuccessful),
						"The answer to a POST on presence has no content.",
						"An answer with the new resource in it."),
				}},
				{Clause: Clause{ID: "6.headers", Shows: []string{"Cache-Control"}}, Checks: []Check{
					server("6.headers.cache", should, noCaching(),
						"The answer to a POST on presence forbids caching.",
						"A reverse proxy with a caching policy of its own."),
				}},
				{Clause: Clause{ID: "6.received", Quotes: []string{"This means that your presence request has been received by the server."}}, Checks: []Check{
					server("6.received", must, tracing(
						"GET presence after an accepted POST and compare availability; Offwork, which cannot "+
							"be read, is left out.", func(c *check) { c.readBack(myPresence, "", nil, false) }),
						"A presence that the server has taken is read back.",
						"Validation without storing, or a read from a replica that lags."),
					server("6.read", must, all(status(http.StatusOK), resourceBody()).plays(partRead),
						"GET presence is answered with 200 and a JSON object.",
						"A resource that can be posted to but not read."),
					server("6.rel", must, value("rel", beOneOf("presence")).plays(partRead),
						"The rel of the presence resource is presence.",
						"A generic serializer that writes the class name."),
					server("6.availability", must,
						value("availability", beOneOfNames(ucwa.Availabilities())).plays(partRead),
						"The availability that is read is an Availability.",
						"Numbers, lower case, or a value that can only be set, such as Offwork."),
				}},
			}},
			eventSteps(),
			refusalSteps(),
		}),
	}
}

func setsAvailability(c *check) {
	judged := false
	for _, r := range c.requests("POST", "presence") {
		if value, ok := r.inQuery("availability"); ok {
			judged = true
			c.Expect(r.field("request URL.availability", value, true)).To(beOneOfNames(ucwa.PreferredAvailabilities()))
		}
		object, err := r.requestObject()
		if err != nil {
			continue // set-presence.5.body.json speaks of it
		}
		if value, ok := member(object, "availability"); ok && value != nil {
			judged = true
			c.Expect(r.field("request body.availability", value, true)).To(beOneOfNames(ucwa.PreferredAvailabilities()))
		}
	}
	if !judged {
		c.notExercised("no POST on presence sets an availability")
	}

}

// storedEarly looks whether a presence that was refused before makeMeAvailable is there
// after it. Only a driver asks for one that the user is not likely to have; where it was
// had all the same, nothing is held against the server unless the note is there too, which
// was refused then and nobody has.
func (c *check) storedEarly() {
	var asked *Exchange
	for _, x := range c.parts["presence-post-before"] {
		if c.Driven && x.Failure == "" && x.Response.Code/100 == 4 {
			asked = x
		}
	}
	if asked == nil || len(c.parts[partRead]) == 0 {
		return
	}
	first := answer{c.parts[partRead][0], c}
	object, err := first.object()
	sent, err2 := asked.requestObject()
	value, _ := member(sent, "availability")
	if err != nil || err2 != nil || !first.succeeded() || value != string(early) || c.between(asked.ID, first.ID, partPresence, partReset) {
		return
	}
	read, ok := object["availability"]
	if !ok || read == value && !c.notedEarly() {
		return // set-presence.6.availability speaks of what is not there
	}
	c.Expect(first.field("availability", read, true)).To(satisfy(fmt.Sprintf("another value than %s, which exchange %d asked for and was refused, as was the note that is there", value, asked.ID),
		func(v any) bool { return v != value }))
}

// notedEarly reports whether the note is there that was refused before makeMeAvailable.
func (c *check) notedEarly() bool {
	refused := false
	for _, x := range c.Exchanges {
		if x.Part == "note-post-before" {
			refused = x.Failure == "" && x.Response.Code/100 == 4
		}
		if refused && x.is("note") && x.Request.Method == http.MethodGet && x.succeeded() && x.Probe == "" {
			object, _ := x.object()
			return object["message"] == earlyNote
		}
	}
	return false
}
