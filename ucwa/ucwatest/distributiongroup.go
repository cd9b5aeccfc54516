package ucwatest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A distribution group is the deployment's. A user can have it in his list. Source: API reference,
// distributionGroup and what it links to.

func (s *Server) distributionGroup(uri string) *Group {
	i := slices.IndexFunc(s.groups, func(g Group) bool { return strings.EqualFold(g.URI, uri) })
	if i < 0 {
		return nil
	}
	return &s.groups[i]
}

func (c *call) distributionGroup(g *Group, expanded bool) object {
	path := "/people/distributionGroups/" + url.PathEscape(g.URI)
	links := object{{"self", c.app.link(path)}}
	if expanded {
		links[0].value = c.app.link(path + "/expandDistributionGroup")
		var list []object
		for _, uri := range g.Members {
			list = append(list, c.app.contact(uri))
		}
		return resource("distributionGroup", nil, links, many("contact", list))
	}
	links = append(links, member{"expandDistributionGroup", c.app.link(path + "/expandDistributionGroup")},
		member{"subscribeToGroupPresence", c.app.link("/people/subscribeToGroupPresence?groupId=" + url.QueryEscape(g.URI))})
	change := "addToContactList"
	if slices.Contains(c.user.distribution, g) {
		change = "removeFromContactList"
	}
	links = append(links, member{change, c.app.link(path + "/" + change)})
	return resource("distributionGroup", object{{"id", g.URI}, {"name", g.Name}, {"uri", g.URI}}, links, nil)
}

func getDistributionGroup(c *call) (answer, error) {
	g := c.server.distributionGroup(c.name())
	if g == nil {
		return answer{}, notFound()
	}
	return ok(c.distributionGroup(g, c.row.page == "expandDistributionGroup")), nil
}

func addToContactList(c *call) (answer, error) { return c.list("added") }

func removeFromContactList(c *call) (answer, error) { return c.list("deleted") }

// list adds a distribution group to the user's list, or takes it away.
func (c *call) list(kind string) (answer, error) {
	g := c.server.distributionGroup(c.name())
	in := slices.Contains(c.user.distribution, g)
	switch {
	case g == nil, kind == "deleted" && !in:
		return answer{}, notFound()
	case kind == "deleted":
		c.user.distribution = without(c.user.distribution, g)
	case in:
		return answer{}, refuse(http.StatusConflict, "AlreadyExists", "The group is in the list.")
	default:
		c.user.distribution = append(c.user.distribution, g)
	}
	c.user.tellContacts(event{rel: "distributionGroup", path: "/people/distributionGroups/" + url.PathEscape(g.URI), kind: kind, in: linkTo("myGroups", "/people/myGroups")})
	return noContent(), nil
}
