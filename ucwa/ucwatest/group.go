package ucwatest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A user's contacts are in groups: two that everybody has, and those that the user made. To be
// told of changes, an application subscribes to contacts and groups. Source: API reference,
// myGroups, group, myGroupMemberships and the second revisions of them.

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
	all := []*group{{id: "pinnedGroup", rel: "pinnedGroup", name: "Pinned Contacts"}, {id: "defaultGroup", rel: "defaultGroup", name: "Other Contacts", members: slices.Clone(u.Contacts)}}
	for _, g := range u.Groups {
		all = append(all, &group{id: digest(u.URI + " " + g.Name)[:12], rel: "group", name: g.Name, members: slices.Clone(g.Members)})
	}
	return all
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
	seen := map[string]bool{}
	var all []string
	for _, g := range u.groups {
		for _, uri := range g.members {
			if key := strings.ToLower(uri); !seen[key] {
				seen[key] = true
				all = append(all, uri)
			}
		}
	}
	return all
}

// group finds one of the user's groups by its id; nil if there is none.
func (u *user) group(id string) *group {
	return first(u.groups, func(g *group) bool { return strings.EqualFold(g.id, id) })
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
	c.user.groups = slices.DeleteFunc(c.user.groups, func(other *group) bool { return other == g })
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

// A membership is a contact in a group.

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

// tellContacts tells the user's applications that have subscribed to contacts and groups.
func (u *user) tellContacts(e event) {
	for _, a := range u.applications {
		if a.stopContacts != nil {
			a.queue(e)
		}
	}
}

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
	a.stopContacts = a.server.later(time.Duration(c.fields.number("duration"))*time.Minute, a.endContacts)
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

// A distribution group is the deployment's. A user can have it in his list.

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
		c.user.distribution = slices.DeleteFunc(c.user.distribution, func(other *Group) bool { return other == g })
	case in:
		return answer{}, refuse(http.StatusConflict, "AlreadyExists", "The group is in the list.")
	default:
		c.user.distribution = append(c.user.distribution, g)
	}
	c.user.tellContacts(event{rel: "distributionGroup", path: "/people/distributionGroups/" + url.PathEscape(g.URI), kind: kind, in: linkTo("myGroups", "/people/myGroups")})
	return noContent(), nil
}

// sorted are the members of a set in their order.
func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
