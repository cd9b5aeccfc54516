package suite

import "net/http"

// resetPresence is "Reset my presence information".
func resetPresence() *page {
	return &page{
		Task: "reset-presence", Title: "Reset my presence information", Revision: 1, about: partReset, sets: myPresence,
		Document: Document{"Reset my presence information (UCWA 2.0)",
			"https://learn.microsoft.com/en-us/skype-sdk/ucwa/resetmypresenceinformation"},
		Clauses: preamble("Reset my presence information", "Reset the presence of the me user.",
			"Resetting a me user's presence involves finding the embedded resource in the returned application "+
				"resource, and then finding the link to the presence resource.", hrefOf,
			"Search for the me resource embedded in your application, and then locate the href of the "+
				"makeMeAvailable link.",
			"The response from the previous GET request should be 200 OK.",
			"The link that is of interest here is the presence link in the embedded me resource."),
		Errata: []string{
			"The sample of step 5 is two requests run together: a POST whose last header field runs into the request " +
				"line of a GET.",
			"Its Content-Length of 25 is left from Set my presence; the page says that the body is empty.",
			"The request line of step 5 names contoso.com, its Host field lyncweb.contoso.com; the application ids " +
				"are 101, 104, 102 and 103.",
			"The printed application is not JSON, and has a body without Content-Type.",
			"X-Ms-Origin is http://app.fabrikam.com in step 1, and http://app.contoso.com elsewhere.",
		},
		Steps: append(alsoAvailable("set-presence.4.cache"),
			step{ID: "5", Title: "Send a POST request on the presence resource, with an empty body", role: partReset,
				shares: []string{"set-presence.nav.order", "set-presence.request.dnt"},
				clauses: []clause{
					{Clause: Clause{ID: "5.request", Quotes: []string{
						"Send a POST request on the presence resource.", "A sample request is shown here.",
						"Resetting one's presence amounts to sending a POST request on the presence link, with an " +
							"empty body."},
						Shows: []string{"Accept", "Content-Type", "Authorization", "X-Ms-Origin", "X-Requested-With",
							"Referer", "Accept-Language", "Accept-Encoding",
							"User-Agent", "Host", "Content-Length", "DNT", "Connection", "Cache-Control"}},
						Checks: []Check{
							client("5.body", must, resetsEmpty(myPresence),
								"The body of a POST that sets no presence is empty; {} and an availability of null say "+
									"the same.",
								"The text null, or an empty text for the availability."),
						}},
				}},
			step{ID: "6", Title: "Process the response to the reset", role: partReset,
				shares: []string{"set-presence.reset.status", "set-presence.6.read"},
				clauses: []clause{
					{Clause: Clause{ID: "6.status", Quotes: []string{
						"Process the response from the previous POST request.",
						"The response you receive should be 204 No Content.",
						"This means that your presence request has been received by the server."},
						Shows: []string{"Cache-Control"}}, Checks: []Check{
						server("6.no-type", must, status(http.StatusNoContent).of("each POST on presence without a "+
							"body and without Content-Type", untyped(partReset), partReset),
							"A POST without a body needs no Content-Type.",
							"A framework that answers 415 where none is sent."),
						server("6.headers.cache", should, noCaching(),
							"The answer to the reset forbids caching.",
							"A reverse proxy with a caching policy of its own."),
					}},
					{Clause: Clause{ID: "6.transport", Shows: []string{"Connection", "Date", "Server",
						"X-AspNet-Version", "X-MS-Server-Fqdn", "X-Powered-By"},
						Excluded: framing}},
				}},
			step{ID: "event", Title: "An event confirms the presence", role: partEvents, shares: eventChannel,
				clauses: []clause{
					{Clause: Clause{ID: "6.event", Quotes: []string{
						"An event will confirm that your application is the most active and this presence is now " +
							"being shared with other contacts.",
					}}, Checks: []Check{
						server("event.presence", must, tellsChange(myPresence, partReset),
							"After a reset that changes the presence the event channel has an event of presence.",
							"Events only for what is set, and none for what is computed."),
					}},
				}},
			step{ID: "refusal", Title: "What the server computes, and what it must refuse",
				shares: []string{"set-presence.reset.value", "set-presence.refusal.presence-post-before",
					"set-presence.refusal.no-token"},
				clauses: []clause{
					{Clause: Clause{ID: "5.computed", Quotes: []string{
						"This allows the system to set presence to the value that is appropriate based on your " +
							"current activity, availability, and calendar information."},
						Excluded: "which value that is, is the server's choice; that it is another than was set, is " +
							"judged under Set my presence information"}},
					{Clause: Clause{ID: "refusals", Reference: "UCWA 2.0 API reference: presence; Web links and " +
						"errors"}, Checks: []Check{
						server("refusal.null-body", should, status(http.StatusBadRequest,
							http.StatusNoContent).plays("null-body").asked("POST the JSON text null to presence."),
							"A body that is null, which is JSON and no object, is refused with 400, or taken for an "+
								"empty one.",
							"500 from the deserializer."),
					}},
				}}),
	}
}
