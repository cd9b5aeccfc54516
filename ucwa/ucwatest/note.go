package ucwatest

// The note and the location are the user's, like the presence: all
// applications see the same, and all are told when it changes. A property that
// is absent clears them. Source: API reference, note and location.

func getNote(c *call) (answer, error) {
	if c.app.available == nil {
		return answer{}, makeMeAvailableRequired()
	}
	return ok(resource("note",
		object{{"message", c.user.message}, {"type", "Personal"}},
		object{{"self", c.app.link("/me/note")}}, nil)), nil
}

func postNote(c *call) (answer, error) {
	return c.setText("note", "message", &c.user.message)
}

func getLocation(c *call) (answer, error) {
	if c.app.available == nil {
		return answer{}, makeMeAvailableRequired()
	}
	return ok(resource("location",
		object{{"location", c.user.location}},
		object{{"self", c.app.link("/me/location")}}, nil)), nil
}

func postLocation(c *call) (answer, error) {
	return c.setText("location", "location", &c.user.location)
}

// setText sets a text of the user's to a property of the body. As with
// presence, the value that is there already raises no event.
func (c *call) setText(rel, property string, text *string) (answer, error) {
	if c.app.available == nil {
		return answer{}, makeMeAvailableRequired()
	}
	if value := c.fields.text(property); value != *text {
		*text = value
		c.user.announce(rel)
		c.user.tellWatchers(map[string]string{"note": "contactNote", "location": "contactLocation"}[rel])
	}
	return noContent(), nil
}
