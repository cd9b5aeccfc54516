package ucwatest

// An application that wants to be told of changes to contacts and groups subscribes to them. Source: API
// reference, myContactsAndGroupsSubscription and what it links to.

func getContactsSubscription(c *call) (answer, error) { return ok(c.app.contactsSubscription()), nil }

func (a *application) contactsSubscription() object {
	state := "Disconnected"
	if a.stopContacts != nil {
		state = "Connected"
	}
	return a.node("/people/myContactsAndGroupsSubscription", "myContactsAndGroupsSubscription", object{{"state", state}},
		"startOrRefreshSubscriptionToContactsAndGroups", "stopSubscriptionToContactsAndGroups")
}

func startContactsSubscription(c *call) (answer, error) {
	a := c.app
	if a.stopContacts != nil {
		a.stopContacts()
	} else {
		defer a.tellContactsSubscription()
	}
	a.stopContacts = a.server.later(c.minutes(), a.endContacts)
	return created(a.contactsSubscription()), nil
}

func stopContactsSubscription(c *call) (answer, error) {
	c.app.endContacts()
	return noContent(), nil
}

// endContacts ends the subscription to contacts and groups, if there is one.
func (a *application) endContacts() {
	if a.stopContacts != nil {
		a.stopContacts()
		a.stopContacts = nil
		a.tellContactsSubscription()
	}
}

func (a *application) tellContactsSubscription() {
	a.queue(event{rel: "myContactsAndGroupsSubscription", path: "/people/myContactsAndGroupsSubscription", kind: "updated"})
}

// tellContacts tells the user's applications that have subscribed to contacts and groups.
func (u *user) tellContacts(e event) {
	for _, a := range u.applications {
		if a.stopContacts != nil {
			a.queue(e)
		}
	}
}
