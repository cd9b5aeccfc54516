package suite

import (
	"math"
	"net/http"
)

// resetNote is "Reset my note information".
func resetNote() *page {
	return &page{
		Task: "reset-note", Title: "Reset my note information", Revision: 1, about: "note reset", sets: myNote,
		Document: Document{"Reset my note information (UCWA 2.0)",
			"https://learn.microsoft.com/en-us/skype-sdk/ucwa/resetmynoteinfo"},
		Clauses: preamble("Reset my note information", "Reset the me user's note information.",
			"Resetting a me user's note involves resource navigation from application to me to note.",
			"One of the hypermedia links that are served in the response for the application resource is the HREF "+
				"for the makeMeAvailable resource, which can be found in the embedded me resource.",
			"You should receive a response code of 200 OK.", "The following is a typical response to the previous "+
				"GET request.",
			"Some links in the response will be used in subsequent steps, so it is important to cache portions of "+
				"the response body.",
			"The link that will be used later is that for the note resource.",
			"For brevity, some parts of the response body are omitted, and IDs and tokens are shortened."),
		Errata: []string{
			"The application ids are 101 and 101808602891; the request line of step 5 has a path only.",
			"The printed application is not JSON.",
			"\"An event will confirm that this note is now being shared\": what is shared is that there is none.",
		},
		Steps: append(alsoAvailable(),
			step{ID: "5", Title: "Send a POST request on the note resource, without a message", role: "note reset",
				clauses: []clause{
					{Clause: Clause{ID: "5.request", Quotes: []string{
						"Send a POST request on the note resource.", "A sample request is shown here.",
						"Because the note is being reset (or cleared), no message property is sent with the request."},
						Shows: []string{"Authorization", "Accept", "X-Ms-Origin", "X-Requested-With", "Referer",
							"Accept-Language", "Accept-Encoding", "User-Agent", "Host",
							"Content-Length", "DNT", "Connection", "Cache-Control"}}, Checks: []Check{
						client("5.body", must, resetsEmpty(myNote),
							"A POST that sets no note has an empty body; {} and a message that is null or empty say "+
								"the "+
								"same.",
							"The text null, or a list without an item."),
					}},
				}},
			step{ID: "6", Title: "Process the response to the reset", role: "note reset", clauses: []clause{
				{Clause: Clause{ID: "6.status", Quotes: []string{
					"Process the response from the previous POST request.",
					"The response you receive should be 204 No content.",
					"This means that your note request has been received by the server."},
					Shows: []string{"Cache-Control"}}, Checks: append(taken("6",
					"A POST on note without a message"),
					server("6.no-type", must, status(http.StatusNoContent).of("each POST on note without a body and "+
						"without Content-Type", untyped("note reset"), "note reset"),
						"A POST on note without a body needs no Content-Type.",
						"A framework that answers 415 where none is sent."),
					server("6.read", must, cleared("after a POST without a message",
						func(x *Exchange) bool { _, given := myNote.given(x, "message"); return !given }),
						"After a reset there is no note of the user's.",
						"A reset that is accepted and does nothing."))},
				{Clause: Clause{ID: "6.blank", Reference: "UCWA 2.0 API reference: note (If blank, the note will be " +
					"reset.)"}, Checks: []Check{
					server("6.blank", must, cleared("after a POST with an empty message",
						func(x *Exchange) bool { _, given := myNote.given(x, "message"); return given }),
						"An empty message, in the body or in the query, resets the note.",
						"A note that is left as it is since no message was found."),
				}},
				{Clause: Clause{ID: "6.transport", Shows: []string{"Connection", "Date", "Server", "X-AspNet-Version",
					"X-MS-Server-Fqdn", "X-Powered-By"},
					Excluded: framing}},
			}},
			step{ID: "event", Title: "An event confirms the note", role: partEvents, shares: eventChannel,
				clauses: []clause{
					{Clause: Clause{ID: "6.event", Quotes: []string{"An event will confirm that this note is now " +
						"being " +
						"shared with other contacts."}}, Checks: []Check{
						server("event.note", must, tellsChange(myNote, "note reset"),
							"After a reset of a note that was there the event channel has an event of note.",
							"Events only for what is set, and none for what is cleared."),
					}},
				}},
			step{ID: "refusal", Title: "What the server must refuse",
				shares: []string{"set-presence.refusal.note-post-before", "set-presence.refusal.no-token"}}),
	}
}

// cleared is the message of the notes that are read after such a reset, and before anything else is asked of the note.
func cleared(when string, such func(*Exchange) bool) fields {
	empty := matcher{expected: "no message, null or an empty one",
		matches: func(f Field) bool { return f.Absent || f.Value == nil || f.Value == "" },
		bad:     []sample{{"kept", "is what was set", "conform sets this note"}}, only: true}
	return value("message", empty).of("the note that is read "+when, func(c *check) []answer {
		var list []answer
		for _, reset := range c.all(myNote.reset) {
			for _, x := range within(c.Exchanges, reset.ID, math.MaxInt) {
				a := answer{x, c}
				object, _ := x.object()
				if !x.is("note") || x.Part == "" && x.Request.Method == http.MethodGet {
					continue
				}
				if such(reset.Exchange) && reset.succeeded() && x.Part == myNote.read && !x.mixed && !myNote.isDisplaced(object) && !c.inDoubt(myNote, reset, a) {
					list = append(list, a)
				}
				break
			}
		}
		if len(list) == 0 {
			c.notExercised("the evidence contains no GET on note " + when)
		}
		return list
	}, myNote.read)
}
