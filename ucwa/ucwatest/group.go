package ucwatest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A user's contacts are in groups: two that everybody has, and those that the user made. Source: API
// reference, myGroups, group and the second revisions of them.

// Group is a list of people with a name: one that a user has made, or a distribution group.
type Group struct {
	Name    string
	URI     string   // of a distribution group alone, such as "sip:sales@contoso.com"
	Members []string // their SIP URIs
}

// maxGroups and maxContacts bound what one user can make the server keep. The documentation
// has the subcodes, TooManyGroups and LimitExceeded, but no numbers.
const (
	maxGroups   = 100
	maxContacts = 10_000
)

// group is one of a user's groups.
type group struct {
	id, rel, name string
	members       []string
}

// newGroups are the groups of a new user: those whom no group has are in the default one.
func newGroups(u *User) []*group {
	all := []*group{{id: "pinnedGroup", rel: "pinnedGroup", name: "Pinned Contacts"}, {id: "defaultGroup", rel: "defaultGroup", name: "Other Contacts", members: once(u.Contacts)}}
	for _, g := range u.Groups {
		all = append(all, &group{id: digest(u.URI + " " + g.Name)[:12], rel: "group", name: g.Name, members: once(g.Members)})
	}
	return all
}

// once is a list of addresses without those that it has already.
func once(uris []string) (list []string) {
	seen := map[string]bool{}
	for _, uri := range uris {
		if key := strings.ToLower(uri); !seen[key] {
			seen[key] = true
			list = append(list, uri)
		}
	}
	return list
}

func (g *group) path() string {
	if g.rel == "group" {
		return "/people/groups/" + g.id
	}
	return "/people/myGroups/" + g.rel
}

func (g *group) has(uri string) bool { return slices.ContainsFunc(g.members, sameAddress(uri)) }

// contacts are the members of all of the user's groups, each once.
func (u *user) contacts() []string {
	var all []string
	for _, g := range u.groups {
		all = append(all, g.members...)
	}
	return once(all)
}

// group finds one of the user's groups by its id; nil if there is none.
func (u *user) group(id string) *group {
	if own := u.organization(); own != nil && strings.EqualFold(own.id, id) {
		return own
	}
	return first(u.groups, func(g *group) bool { return strings.EqualFold(g.id, id) })
}

// organization is the group of those in the user's department, which nobody can change; nil if he has none.
func (u *user) organization() *group {
	if u.Department == "" {
		return nil
	}
	g := &group{id: "myOrganizationGroup", rel: "myOrganizationGroup", name: u.Department}
	for _, o := range u.server.search(func(o *user) bool { return o != u && o.Department == u.Department }) {
		g.members = append(g.members, o.URI)
	}
	return g
}

// groupNamed finds one of the user's groups by its name; nil if there is none.
func (u *user) groupNamed(name string) *group {
	return first(u.groups, func(g *group) bool { return strings.EqualFold(g.name, name) })
}

func groupExists() *refusal {
	return refuse(http.StatusConflict, "AlreadyExists", "The user has a group of that name.")
}

// group is the resource. Its collections name it in their query, as the pages print it.
func (a *application) group(g *group) object {
	properties := object{{"id", g.id}, {"name", g.name}}
	if g.rel == "group" {
		properties = append(properties, a.putProperty(g.path()))
	}
	query := "?groupId=" + url.QueryEscape(g.id)
	return resource(g.rel, properties, object{{"self", a.link(g.path())}, {"groupContacts", a.link("/people/groupContacts" + query)},
		{"subscribeToGroupPresence", a.link("/people/subscribeToGroupPresence" + query)}}, nil)
}

// asked is the group of the path, or one of those that everybody has.
func (c *call) asked() *group {
	id := c.row.page
	if len(c.names) > 0 {
		id = c.name()
	}
	return c.user.group(id)
}

func getMyGroups(c *call) (answer, error) {
	byRel := map[string][]object{}
	bare := strings.EqualFold(c.fields.text("expand"), "false")
	show := func(rel string, o object) {
		if bare {
			o = o.object("_links").object("self")
		}
		byRel[rel] = append(byRel[rel], o)
	}
	for _, g := range c.user.groups {
		show(g.rel, c.app.group(g))
	}
	for _, g := range c.user.distribution {
		show("distributionGroup", c.distributionGroup(g, false))
	}
	inside := object{{"pinnedGroup", byRel["pinnedGroup"][0]}, {"defaultGroup", byRel["defaultGroup"][0]}}
	if own := c.user.organization(); own != nil {
		show(own.rel, c.app.group(own))
		inside = append(inside, member{own.rel, byRel[own.rel][0]})
	}
	inside = append(inside, append(many("group", byRel["group"]), many("distributionGroup", byRel["distributionGroup"])...)...)
	links := object{{"self", c.app.link(c.path)}}
	if bare {
		return ok(resource("myGroups", nil, append(links, inside...), nil)), nil
	}
	return ok(resource("myGroups", nil, links, inside)), nil
}

func postMyGroups(c *call) (answer, error) {
	name := c.fields.text("displayName")
	switch {
	case c.user.groupNamed(name) != nil:
		return answer{}, groupExists()
	case len(c.user.groups) >= maxGroups:
		return answer{}, full(http.StatusConflict, "TooManyGroups", maxGroups, "groups of a user")
	}
	g := &group{id: c.user.next("group"), rel: "group", name: name}
	c.user.groups = append(c.user.groups, g)
	c.user.tellContacts(event{rel: "group", path: g.path(), kind: "added", in: linkTo("myGroups", "/people/myGroups")})
	return noContent(), nil
}

func getGroup(c *call) (answer, error) {
	g := c.asked()
	if g == nil {
		return answer{}, notFound()
	}
	return ok(c.app.group(g)), nil
}

func putGroup(c *call) (answer, error) {
	g := c.asked()
	if g == nil || g.rel != "group" {
		return answer{}, notFound()
	}
	if err := c.matches(c.app.group(g)); err != nil {
		return answer{}, err
	}
	if other := c.user.groupNamed(c.fields.text("name")); other != nil && other != g {
		return answer{}, groupExists()
	}
	if g.name != c.fields.text("name") {
		g.name = c.fields.text("name")
		c.user.tellContacts(event{rel: "group", path: g.path(), kind: "updated"})
	}
	return ok(c.app.group(g)), nil
}

// deleteGroup takes a group away. Who was in no other is in the default one then.
func deleteGroup(c *call) (answer, error) {
	g := c.asked()
	if g == nil || g.rel != "group" {
		return answer{}, notFound()
	}
	c.user.groups = without(c.user.groups, g)
	for _, a := range c.user.applications {
		a.channel.takeIn("group", g.path())
	}
	c.user.tellContacts(event{rel: "group", path: g.path(), kind: "deleted", in: linkTo("myGroups", "/people/myGroups")})
	others := c.user.group("defaultGroup")
	elsewhere := map[string]bool{}
	for _, uri := range c.user.contacts() {
		elsewhere[strings.ToLower(uri)] = true
	}
	for _, uri := range g.members {
		if !elsewhere[strings.ToLower(uri)] {
			others.members = append(others.members, uri)
			c.user.tellMember(others, uri, "added", false)
		}
	}
	return noContent(), nil
}

func getGroupContacts(c *call) (answer, error) {
	g := c.user.group(c.fields.text("groupId"))
	if g == nil {
		return answer{}, notFound()
	}
	return c.listed("groupContacts", c.path+"?groupId="+url.QueryEscape(g.id), g.members), nil
}
