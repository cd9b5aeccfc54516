package ucwatest

// people leads to all that has to do with others. Source: API reference, people.

func getPeople(c *call) (answer, error) { return ok(c.app.people()), nil }

// people links to nothing for an anonymous user, who may ask for nothing there.
func (a *application) people() object {
	if a.user.Anonymous {
		return a.node("/people", "people", nil)
	}
	return a.node("/people", "people", nil, "myContacts", "myContactsAndGroupsSubscription", "myGroups", "myGroupMemberships", "myPrivacyRelationships",
		"presenceSubscriptions", "presenceSubscriptionMemberships", "subscribedContacts", "search")
}
