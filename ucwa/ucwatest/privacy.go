package ucwatest

import (
	"net/http"
	"net/url"
	"strings"
)

// The relationship to a contact says how much he may see. Here it is kept, and without effect. Source: API
// reference, contactPrivacyRelationship in its second revision, and myPrivacyRelationships.

func (c *call) privacy(uri string) object {
	level := orElse(c.user.privacy[strings.ToLower(uri)], "Colleagues") // what an enterprise has when nobody sets anything
	path := contactPath(uri) + "/contactPrivacyRelationship"
	return c.app.node(path, "contactPrivacyRelationship", object{c.app.putProperty(path), {"relationshipLevel", level}}, "resetContactPrivacyRelationship")
}

var getPrivacy = ofContact(func(c *call, uri string, _ *user) object { return c.privacy(uri) })

func putPrivacy(c *call) (answer, error) {
	now, err := getPrivacy(c)
	if err != nil {
		return answer{}, err
	}
	if err := c.matches(now.content); err != nil {
		return answer{}, err
	}
	if err := c.setPrivacy(c.fields.text("relationshipLevel")); err != nil {
		return answer{}, err
	}
	return getPrivacy(c)
}

func resetPrivacy(c *call) (answer, error) {
	if !c.user.knows(c.name()) {
		return answer{}, notFound()
	}
	return noContent(), c.setPrivacy("")
}

// setPrivacy sets the level for the contact that the path names, or none.
func (c *call) setPrivacy(level string) error {
	uri := strings.ToLower(c.name())
	switch {
	case level == c.user.privacy[uri]:
		return nil
	case level != "" && len(c.user.privacy) >= maxContacts:
		return full(http.StatusForbidden, "LimitExceeded", maxContacts, "contacts with a relationship of their own")
	case level == "":
		delete(c.user.privacy, uri)
	case c.user.privacy == nil:
		c.user.privacy = map[string]string{uri: level}
	default:
		c.user.privacy[uri] = level
	}
	for _, a := range c.user.applications {
		if a.subscribedTo(uri) {
			a.queue(event{rel: "contactPrivacyRelationship", path: contactPath(uri) + "/contactPrivacyRelationship", kind: "updated", in: contactLink(uri)})
		}
	}
	return nil
}

func getMyPrivacyRelationships(c *call) (answer, error) {
	levels := map[string]bool{}
	for _, level := range c.user.privacy {
		levels[level] = true
	}
	var list []object
	for _, level := range sorted(levels) {
		list = append(list, c.relationship(level))
	}
	return ok(resource("myPrivacyRelationships", nil, object{{"self", c.app.link(c.path)}}, many("myPrivacyRelationship", list))), nil
}

func getMyPrivacyRelationship(c *call) (answer, error) {
	o := c.relationship(c.name())
	if o.object("_links").get("contact") == nil {
		return answer{}, notFound()
	}
	return ok(o), nil
}

// relationship is a level and those who have it.
func (c *call) relationship(level string) object {
	have := map[string]bool{}
	for uri, l := range c.user.privacy {
		if l == level {
			have[uri] = true
		}
	}
	links := object{{"self", c.app.link("/people/myPrivacyRelationships/" + url.PathEscape(level))}}
	return resource("myPrivacyRelationship", object{{"relationshipLevel", level}}, append(links, c.app.contactLinks(sorted(have))...), nil)
}
