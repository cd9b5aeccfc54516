package suite

import (
	"net/http"
)

// setNote is "Set my note information".
func setNote() *page {
	return &page{
		Task: "set-note", Title: "Set my note information", Revision: 1, about: "note", sets: myNote,
		Document: Document{"Set my note information (UCWA 2.0)",
			"https://learn.microsoft.com/en-us/skype-sdk/ucwa/setmynoteinformation"},
		Clauses: preamble("Set my note information", "Set the me user's note information.",
			"Setting a me user's note involves resource navigation from application to me to note.", hrefOf,
			"Search for the me embedded resource, and then locate the href of the makeMeAvailable link.",
			"You should receive a response code of 200 OK.", "The following is a typical response to the previous "+
				"GET request.",
			"Some links in the response will be used in subsequent steps, so it is important to cache portions of "+
				"the response body.",
			"The link that will be used later is that for the note resource, in the embedded me resource.",
			"For brevity, some parts of the response body are omitted, and IDs and tokens are shortened."),
		Errata: []string{
			"\"204 OK\" stands for 204 No Content, as the sample has it.",
			"The application ids are 101 and 103978389987; X-Ms-Origin changes between the steps; Content-Length: 37 " +
				"is that of the minified body.",
			"The printed application is not JSON, and has no communication.",
			"The page Query parameters prints a space after the question mark, and Message with a capital. Side " +
				"taken: names of parameters have no case.",
		},
		Roles: myNote.roles(),
		Steps: append(alsoAvailable(),
			step{ID: "5", Title: "Send a POST request on the note resource", role: "note", clauses: []clause{
				{Clause: Clause{ID: "5.request", Quotes: []string{
					"Send a POST request on the note resource.", "A sample request is shown here.",
					"Note that a message property is included in the request."},
					Shows: []string{"Accept", "Content-Type", "Authorization", "X-Ms-Origin", "X-Requested-With",
						"Referer", "Accept-Language", "Accept-Encoding",
						"User-Agent", "Host", "Content-Length", "DNT", "Connection", "Cache-Control", "message"}},
					Checks: []Check{
						client("5.body.json", must, sendsObject(myNote),
							"The body of a POST on note is a JSON object, with no name twice in whatever casing, or "+
								"empty.",
							"The bare text, or a form."),
						client("5.body.message", must, sendsText(myNote),
							"The message that the client sets is a text.",
							"A number, or a list of lines."),
						client("5.link", must, followsLast(myNote, "POST"),
							"The client posts the note to the link that the latest application served.",
							"A link kept from an application that has ended."),
					}},
			}},
			step{ID: "6", Title: "Process the response to the note", role: "note", clauses: []clause{
				{Clause: Clause{ID: "6.status", Quotes: []string{"Process the response from the previous POST request.",
					"The response you receive should be 204 OK."},
					Shows: []string{"Cache-Control"}}, Checks: taken("6", "A POST on note")},
				{Clause: Clause{ID: "6.received", Quotes: []string{"This means that your note request has been " +
					"received by the server."}}, Checks: []Check{
					server("6.received", must, readsBack(myNote, "in the body, with letters and digits",
						func(s setting) bool { return !s.onlyInQuery("message") && isPlain(s) }),
						"A note that the server has taken is read back.",
						"Validation without storing, or a read from a replica that lags."),
				}},
				{Clause: Clause{ID: "6.query", Reference: "UCWA 2.0: Query parameters (input can be specified in the " +
					"request body or as one or more query parameters)"}, Checks: []Check{
					server("6.query", must, readsBack(myNote, "in the query (Message, as the page on it has it)",
						func(s setting) bool { return s.onlyInQuery("message") }),
						"A note that is posted in the query, whatever the casing of the parameter's name, is read "+
							"back.",
						"A server that compares the names of parameters by case, and clears the note."),
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
						server("event.note", must, tellsChange(myNote, "note"),
							"After a POST that changes the note the event channel has an event of note.",
							"Storing the text without telling the publisher's own application."),
						server("event.me", must, sentBy(myNote),
							"The sender of the user's own note event is me.",
							"The event sent as if it were about a contact, from people."),
					}},
				}},
			step{ID: "refusal", Title: "What the server must refuse",
				shares: []string{"set-presence.refusal.note-post-before", "set-presence.refusal.no-token"},
				clauses: []clause{
					{Clause: Clause{ID: "refusals", Reference: "UCWA 2.0 API reference: note; Web links and errors"},
						Checks: []Check{
							server("refusal.type", must, refused("note-type", http.StatusBadRequest,
								"POST a number, and an object, for the message."),
								"A message that is no text is refused with 400.",
								"A server that stores it as the text that stands there."),
							server("refusal.not-json", must, refused("note-not-json", http.StatusBadRequest,
								"POST a cut-off JSON text, and a form, to note as JSON."),
								"A body that is not JSON is refused with 400.",
								"204 since the body is taken for empty, which clears the note."),
							server("refusal.media-type", must, refused("note-media-type",
								http.StatusUnsupportedMediaType,
								"POST sound JSON to note as text/plain, and as a form."),
								"A Content-Type that is not supported is refused with 415.",
								"A server that takes the whole body for the text."),
						}},
					{Clause: Clause{ID: "unchanged", Reference: "RFC 9110, sections 9.3.3 and 15.5: a status of 4xx " +
						"says " +
						"that the request was not fulfilled"}, Checks: []Check{
						server("refusal.unchanged", should, keepsWhatWasSet(myNote),
							"A POST on note that is refused leaves the note as it was.",
							"A note that is cleared before its successor is looked at."),
					}},
				}}),
	}
}
