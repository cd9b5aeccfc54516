package suite

// getPresence is "Get my presence information".
func getPresence() *page {
	return &page{
		Task: "get-presence", Title: "Get my presence information", Revision: 1, about: partRead, sets: myPresence,
		Document: Document{"Get my presence information (UCWA 2.0)",
			"https://learn.microsoft.com/en-us/skype-sdk/ucwa/getmypresenceinformation"},
		Clauses: preamble("Get my presence information", "Get the presence of the me user.",
			"Getting a user's presence involves resource navigation from application to me to presence.", hrefOf,
			"Search for the me resource embedded in your application, and then locate the href of the "+
				"makeMeAvailable link.",
			"The response from the previous GET request should be 200 OK."),
		Errata: []string{
			"The application id is 101 in steps 1 to 4, and 103 in steps 5 and 6.",
			"The printed application is not JSON, and its Content-Length is that of the whole body; the presence of " +
				"step 6 has 123 bytes, not 127.",
			"\"The body of the request contains an entry named availability\": it is the body of the response.",
			"The page on me names Inactive among the availabilities; the enumeration, IdleOnline and IdleBusy. Side " +
				"taken: the enumeration.",
		},
		Steps: append(alsoAvailable("set-presence.4.cache"),
			step{ID: "5", Title: "Send a GET request on the presence resource", role: partRead,
				shares: []string{"set-presence.nav.order", "set-presence.request.dnt"},
				clauses: []clause{
					{Clause: Clause{ID: "5.request", Quotes: []string{"Send a GET request on the presence resource."},
						Shows: []string{
							"Authorization", "Accept", "X-Ms-Origin", "X-Requested-With", "Referer", "Accept-Language",
							"Accept-Encoding", "User-Agent", "Host", "DNT",
							"Connection"}}, Checks: []Check{
						client("5.link", must, followsLast(myPresence, "GET"),
							"The client gets the presence at the link that the latest application served.",
							"A link kept from an application that has ended, or one that the client puts together."),
					}},
					{Clause: Clause{ID: "5.link", Quotes: []string{
						"Look for the me embedded resource, which has a presence link.",
						"The href associated with the presence link is used in the next step."},
						Excluded: "the link is judged under Set my presence information, its use in 5.link"}},
				}},
			step{ID: "6", Title: "Process the response with the presence", role: partRead,
				shares: []string{"set-presence.6.read", "set-presence.6.rel", "set-presence.6.availability",
					"set-presence.6.received"},
				clauses: []clause{
					{Clause: Clause{ID: "6.answer", Quotes: []string{
						"Process the response from the previous GET request.",
						"The response you receive should be 200 OK.",
						"The body of the request contains an entry named availability that contains your presence, " +
							"as well as a link to the presence resource."},
						Shows: []string{"Content-Type", "Cache-Control", "availability", "_links.self", "rel"}},
						Checks: served("6", "presence")},
					{Clause: Clause{ID: "6.activity", Reference: "UCWA 2.0 API reference: presence"}, Checks: []Check{
						server("6.activity", may, value("activity", beText()).ifSent(),
							"The activity of the presence, if served, is a text.",
							"A number from the presence service's own enumeration."),
					}},
					{Clause: Clause{ID: "6.transport", Shows: []string{"Connection", "Content-Length", "Date", "Server",
						"X-AspNet-Version", "X-MS-Server-Fqdn", "X-Powered-By"},
						Excluded: framing}},
				}},
			step{ID: "refusal", Title: "What the server must refuse",
				shares: []string{"set-presence.refusal.presence-get-before", "set-presence.refusal.method-presence",
					"set-presence.refusal.no-token"}}),
	}
}
