package ucwatest

// Resources that an application must have, so that its links resolve, and that
// can only be read here. They link to nothing but themselves: what a real
// server has behind them is not served.

func getPeople(c *call) (answer, error)         { return ok(c.app.people()), nil }
func getOnlineMeetings(c *call) (answer, error) { return ok(c.app.onlineMeetings()), nil }
func getCommunication(c *call) (answer, error)  { return ok(c.app.communication()), nil }

func (a *application) people() object {
	return resource("people", nil, object{{"self", a.link("/people")}}, nil)
}

func (a *application) onlineMeetings() object {
	return resource("onlineMeetings", nil, object{{"self", a.link("/onlineMeetings")}}, nil)
}

// communication shows what makeMeAvailable said; until then it supports
// nothing.
func (a *application) communication() object {
	said := a.available
	if said == nil {
		said = &availability{}
	}
	properties := object{
		{"supportedModalities", append([]string{}, said.modalities...)},
		{"supportedMessageFormats", append([]string{}, said.messageFormats...)},
		{"conversationHistory", "Disabled"},
	}
	if said.audioRoute != "" {
		properties = append(properties, member{"audioPreference", said.audioRoute})
	}
	if said.phoneNumber != "" {
		properties = append(properties, member{"phoneNumber", said.phoneNumber})
	}
	return resource("communication", properties, object{{"self", a.link("/communication")}}, nil)
}

// getPolicies says what this deployment has: nothing that needs another server.
func getPolicies(c *call) (answer, error) {
	return ok(resource("policies",
		object{
			{"emoticons", "Enabled"},
			{"exchangeUnifiedMessaging", "Disabled"},
			{"htmlMessaging", "Enabled"},
			{"messageArchiving", "Disabled"},
			{"messagingUrls", "Enabled"},
			{"photos", "Enabled"},
			{"saveMessagingHistory", "Disabled"},
		},
		object{{"self", c.app.link("/policies")}}, nil)), nil
}
