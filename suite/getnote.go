package suite

import (
	"regexp"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// getNote is "Get my note information".
func getNote() *page {
	return &page{
		Task: "get-note", Title: "Get my note information", Revision: 1, about: "note read", sets: myNote,
		Document: Document{"Get my note information (UCWA 2.0)",
			"https://learn.microsoft.com/en-us/skype-sdk/ucwa/getmynoteinformation"},
		Clauses: preamble("Get my note information", "Get the me user's note information.",
			"Getting a user's note involves resource navigation from application to me to note.", hrefOf,
			"Search for the me resource embedded in your application, and then locate the href of the "+
				"makeMeAvailable link.",
			"You should receive a response code of 200 OK.", "The following is a typical response to the previous "+
				"GET request.",
			"Some links in the response will be used in subsequent steps, so it is important to cache portions of "+
				"the response body.",
			"The link that will be used later is that for the note resource, which is in the embedded me resource.",
			"For brevity, some parts of the response body are omitted, and IDs and tokens are shortened."),
		Errata: []string{
			"The application id is 101 in steps 1 to 4, and 101970941658 in steps 5 and 6.",
			"The Date of step 2 is no HTTP date, the printed application no JSON, and the note of step 6 has 147 " +
				"bytes, not 141.",
			"\"The body of the request contains an entry named message\": it is the body of the response.",
		},
		Steps: append(alsoAvailable(),
			step{ID: "5", Title: "Send a GET request on the note resource", role: "note read", clauses: []clause{
				{Clause: Clause{ID: "5.request", Quotes: []string{"Send a GET request on the note resource."},
					Shows: []string{
						"Authorization", "Accept", "X-Ms-Origin", "X-Requested-With", "Referer", "Accept-Language",
						"Accept-Encoding", "User-Agent", "Host", "DNT",
						"Connection"}}, Checks: []Check{
					client("5.link", must, followsLast(myNote, "GET"),
						"The client gets the note at the link that the latest application served.",
						"A link kept from an application that has ended, or one that the client puts together."),
				}},
			}},
			step{ID: "6", Title: "Process the response with the note", role: "note read", clauses: []clause{
				{Clause: Clause{ID: "6.answer", Quotes: []string{
					"Process the response from the previous GET request.", "The response you receive should be 200 OK.",
					"The body of the request contains an entry named message that contains your note text as well as " +
						"a link to the note resource."},
					Shows: []string{"Content-Type", "Cache-Control", "message", "type", "_links.self", "rel"}},
					Checks: append(read("6", "note"),
						server("6.message", must, value("message", textOrNull()),
							"The message of a note is a text; where there is no note it may be left out.",
							"A list of notes."),
						server("6.type", must, value("type", wants(typeOfNote)),
							"The type of a note that has a message is Personal or OutOfOffice.",
							"Lower case, or a number."))},
				{Clause: Clause{ID: "6.roundtrip", Reference: "UCWA 2.0 API reference: note (one displayable string)"},
					Checks: []Check{
						server("6.roundtrip", must, readsBack(myNote, "with other characters than letters and digits",
							func(s setting) bool { return !s.onlyInQuery("message") && !isPlain(s) }),
							"A note with quotes, markup, line breaks and letters of any script is read as it was set.",
							"A note that is escaped for HTML when it is stored, and once more when it is shown."),
					}},
				{Clause: Clause{ID: "6.transport", Shows: []string{"Connection", "Content-Length", "Date", "Server",
					"X-AspNet-Version", "X-MS-Server-Fqdn", "X-Powered-By"},
					Excluded: framing}},
			}},
			step{ID: "refusal", Title: "What the server must refuse",
				shares: []string{"set-presence.refusal.note-get-before", "set-presence.refusal.no-token"}}),
	}
}

// textOrNull is a text, where there is one.
func textOrNull() matcher {
	return matcher{expected: "a string, null or none", matches: func(f Field) bool {
		_, isText := f.Value.(string)
		return f.Absent || f.Value == nil || isText
	}}.butOnly(asNone, asList)
}

// typeOfNote is the type of a note, which it can do without where it has no message.
func typeOfNote(_ *check, a answer) matcher {
	m := beOneOfNames(api.Values("NoteType"))
	if text, _ := a.JSON("message").Value.(string); text == "" {
		return matcher{expected: m.expected + ", null or none",
			matches: func(f Field) bool { return f.Absent || f.Value == nil || m.matches(f) }}
	}
	return m
}

var plain = regexp.MustCompile(`^[A-Za-z0-9 -]*$`) // pseudonyms have hyphens

func isPlain(s setting) bool { return plain.MatchString(s.value) }
