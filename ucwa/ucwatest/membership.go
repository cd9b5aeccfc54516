package ucwatest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A membership is a contact in a group. Source: API reference, myGroupMemberships and myGroupMembership,
// of which the second revisions can change them.

func (c *call) membership(g *group, uri string) object {
	path := "/people/myGroupMemberships/" + url.PathEscape(g.id+" "+uri)
	return resource("myGroupMembership", nil, object{{"self", c.app.link(path)}, {"contact", c.app.link(contactPath(uri))}, {g.rel, c.app.link(g.path())}}, nil)
}

// member is what the path names: a group and who is in it.
func (c *call) member() (g *group, uri string, there bool) {
	id, uri, _ := strings.Cut(c.name(), " ")
	g = c.user.group(id)
	return g, uri, g != nil && g.has(uri)
}

func getMemberships(c *call) (answer, error) {
	var list []object
	id := c.fields.text("groupId")
	for _, g := range c.user.groups {
		if id == "" || strings.EqualFold(g.id, id) {
			for _, uri := range g.members {
				list = append(list, c.membership(g, uri))
			}
		}
	}
	return ok(resource("myGroupMemberships", nil, object{{"self", c.app.link(c.path)}}, many("myGroupMembership", list))), nil
}

func postMemberships(c *call) (answer, error) {
	uri := c.fields.text("contactUri")
	g := c.user.group(orElse(c.fields.text("groupId"), "defaultGroup"))
	if !isAddress(uri) {
		c.fields.reject("contactUri", "is no sip: or tel: URI")
	}
	if g == nil {
		c.fields.reject("groupId", "is none of the user's groups")
	}
	if err := c.fields.err(); err != nil {
		return answer{}, err
	}
	if u := c.server.contact(uri); u != nil {
		uri = u.URI
	}
	switch {
	case g.has(uri):
		return answer{}, refuse(http.StatusConflict, "AlreadyExists", "The contact is in the group.")
	case len(c.user.contacts()) >= maxContacts:
		return answer{}, full(http.StatusForbidden, "LimitExceeded", maxContacts, "contacts of a user")
	}
	isNew := !slices.ContainsFunc(c.user.contacts(), sameAddress(uri))
	g.members = append(g.members, uri)
	c.user.tellMember(g, uri, "added", isNew)
	return created(c.membership(g, uri)), nil
}

func getMembership(c *call) (answer, error) {
	g, uri, there := c.member()
	if !there {
		return answer{}, notFound()
	}
	return ok(c.membership(g, uri)), nil
}

func deleteMembership(c *call) (answer, error) {
	g, uri, there := c.member()
	if !there {
		return answer{}, notFound()
	}
	c.user.remove(g, uri)
	return noContent(), nil
}

func removeContactFromAllGroups(c *call) (answer, error) {
	uri := c.fields.text("contactUri")
	if !slices.ContainsFunc(c.user.contacts(), sameAddress(uri)) {
		return answer{}, notFound()
	}
	for _, g := range c.user.groups {
		if g.has(uri) {
			c.user.remove(g, uri)
		}
	}
	return noContent(), nil
}

// remove takes a contact out of a group.
func (u *user) remove(g *group, uri string) {
	g.members = slices.DeleteFunc(g.members, sameAddress(uri))
	u.tellMember(g, uri, "deleted", !slices.ContainsFunc(u.contacts(), sameAddress(uri)))
}

// tellMember tells of a contact who came into a group or left it; inAll, also of the whole list.
func (u *user) tellMember(g *group, uri, kind string, inAll bool) {
	u.tellContacts(event{rel: "contact", path: contactPath(uri), kind: kind, in: linkTo(g.rel, g.path())})
	if inAll {
		u.tellContacts(event{rel: "contact", path: contactPath(uri), kind: kind, in: linkTo("myContacts", "/people/myContacts")})
	}
}
