package ucwatest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The people that a user can find are the other accounts of the server, and whoever else is
// in his list of contacts or a distribution group, or has been subscribed to. Source: API reference, people, contact and what they link to.

func getPeople(c *call) (answer, error) { return ok(c.app.people()), nil }

// people links to nothing for an anonymous user, who may ask for nothing there.
func (a *application) people() object {
	if a.user.Anonymous {
		return a.node("/people", "people", nil)
	}
	return a.node("/people", "people", nil, "myContacts", "myContactsAndGroupsSubscription", "myGroups", "myGroupMemberships", "myPrivacyRelationships",
		"presenceSubscriptions", "presenceSubscriptionMemberships", "subscribedContacts", "search")
}

// sameAddress tells whether two URIs are of the same person.
func sameAddress(a string) func(string) bool {
	return func(b string) bool { return strings.EqualFold(a, b) }
}

// contact finds an account of the server, nil if there is none of that URI.
func (s *Server) contact(uri string) *user {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if u := s.users[strings.ToLower(uri)]; u != nil && !u.Anonymous {
		return u
	}
	return nil
}

// knows tells whether there is a contact of that URI for the user: an account of the server,
// or somebody in his list, who can be of any other place.
func (u *user) knows(uri string) bool {
	return u.server.contact(uri) != nil || slices.ContainsFunc(u.groups, func(g *group) bool { return g.has(uri) }) ||
		slices.ContainsFunc(u.applications, func(a *application) bool { return a.subscribedTo(uri) }) ||
		slices.ContainsFunc(u.server.groups, func(g Group) bool { return slices.ContainsFunc(g.Members, sameAddress(uri)) })
}

func contactPath(uri string) string { return "/people/contacts/" + url.PathEscape(uri) }

// contact is somebody as the user sees him.
func (a *application) contact(uri string) object {
	u := a.server.contact(uri)
	card := object{{"name", uri[strings.Index(uri, ":")+1:]}, {"uri", uri}}
	kind, network, photo := "User", "Federated", false
	if u != nil {
		card, network, photo = append(u.card(), u.numbers(true)...), "SameEnterprise", !u.NoPhoto
		uri = u.URI
	}
	if strings.HasPrefix(strings.ToLower(uri), "tel:") {
		kind, network = "Phone", "Unknown"
	}
	path := contactPath(uri)
	links := a.links(path, "contactLocation", "contactNote", "contactPresence", "contactPrivacyRelationship", "contactSupportedModalities")
	if photo {
		links = append(links, member{"contactPhoto", a.link(photosPath + url.PathEscape(u.address()))})
	}
	return resource("contact", append(card, object{{"type", kind}, {"sourceNetwork", network}}...), links, nil)
}

// ofContact is the GET of a contact, or of something that a contact links to.
func ofContact(show func(c *call, uri string, u *user) object) operation {
	return func(c *call) (answer, error) {
		if !c.user.knows(c.name()) {
			return answer{}, notFound()
		}
		u, uri := c.server.contact(c.name()), c.name()
		if u != nil {
			uri = u.URI
		} else {
			u = &user{shared: offline} // as little is known of a stranger as of one who was never here
		}
		return ok(show(c, uri, u)), nil
	}
}

// contactPart is the GET of one part of a contact.
func contactPart(rel string, properties func(*user) object) operation {
	return ofContact(func(c *call, uri string, u *user) object {
		return c.app.node(contactPath(uri)+"/"+rel, rel, properties(u))
	})
}

var (
	getContact = ofContact(func(c *call, uri string, _ *user) object { return c.app.contact(uri) })

	getContactPresence = contactPart("contactPresence", func(u *user) object {
		p := object{{"availability", u.shared.availability}, {"activity", u.shared.activity}, {"deviceType", "PC"}}
		if u.shared == offline {
			p[2].value = "Unknown"
		}
		if active := u.lastActive(); !active.IsZero() && u.shared.availability != "Online" {
			p = append(p, member{"lastActive", moment{active}})
		}
		return p
	})
	getContactNote     = contactPart("contactNote", func(u *user) object { return object{{"message", u.message}, {"type", "Personal"}} })
	getContactLocation = contactPart("contactLocation", func(u *user) object { return object{{"location", u.location}} })

	getContactSupportedModalities = contactPart("contactSupportedModalities", func(u *user) object { return object{{"modalities", u.modalities()}} })
)

// modalities are those that some application of the user takes.
func (u *user) modalities() []string {
	all := []string{}
	for _, a := range u.applications {
		if a.available != nil {
			for _, m := range a.available.modalities {
				if !slices.Contains(all, m) {
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// lastActive is when the user last did something, in any application; zero if never.
func (u *user) lastActive() (last time.Time) {
	last = u.left
	for _, a := range u.applications {
		if a.available != nil && a.active.After(last) {
			last = a.active
		}
	}
	return last
}

// The relationship to a contact says how much he may see. Here it is kept, and without effect.

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

// contactLinks are links to contacts; none is no member.
func (a *application) contactLinks(uris []string) object {
	var list []object
	for _, uri := range uris {
		list = append(list, a.link(contactPath(uri)))
	}
	return many("contact", list)
}

// listed is a collection of contacts: whole, or as links where the client does not want them
// expanded. The reference has it so; the pages print them whole.
func (c *call) listed(rel, self string, uris []string) answer {
	links := object{{"self", href(c.app.href(self))}}
	if strings.EqualFold(c.fields.text("expand"), "false") {
		return ok(resource(rel, nil, append(links, c.app.contactLinks(uris)...), nil))
	}
	var list []object
	for _, uri := range uris {
		list = append(list, c.app.contact(uri))
	}
	return ok(resource(rel, nil, links, many("contact", list)))
}

func getMyContacts(c *call) (answer, error) {
	return c.listed("myContacts", c.path, c.user.contacts()), nil
}

// many is one member that holds a list, or none for an empty one.
func many(rel string, list []object) object {
	if len(list) == 0 {
		return nil
	}
	return object{{rel, list}}
}

// getSearch finds accounts by a part of name, URI or e-mail address, or by the whole of an
// address, and distribution groups by name. Source: API reference, search, of which revision 2
// has mail: one of the two is required, limit is not.
func getSearch(c *call) (answer, error) {
	query, mail := strings.ToLower(strings.TrimSpace(c.fields.text("query"))), strings.TrimSpace(c.fields.text("mail"))
	if query == "" && mail == "" {
		c.fields.reject("query", "is missing")
	}
	if err := c.fields.err(); err != nil {
		return answer{}, err
	}
	limit := c.fields.number("limit")
	if limit == 0 {
		limit = 100 // the most that there can be
	}
	found := c.server.search(func(u *user) bool {
		return strings.Contains(strings.ToLower(u.Name+"\n"+u.URI+"\n"+u.Email), query) && (mail == "" || strings.EqualFold(u.address(), mail))
	})
	var contacts, groups []object
	for _, u := range found[:min(limit, len(found))] {
		contacts = append(contacts, c.app.contact(u.URI))
	}
	for i := range c.server.groups {
		g := &c.server.groups[i]
		if mail == "" && strings.Contains(strings.ToLower(g.Name+"\n"+g.URI), query) {
			groups = append(groups, c.distributionGroup(g, false))
		}
	}
	links := object{{"self", c.app.link(c.path + "?" + c.request.URL.RawQuery)}}
	return ok(resource("search", object{{"moreResultsAvailable", len(found) > limit}}, links,
		append(many("contact", contacts), many("distributionGroup", groups)...))), nil
}

// search returns those with an account of whom something holds, by their URIs.
func (s *Server) search(is func(*user) bool) []*user {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []*user
	for _, u := range s.users {
		if !u.Anonymous && is(u) {
			found = append(found, u)
		}
	}
	slices.SortFunc(found, func(a, b *user) int { return strings.Compare(a.URI, b.URI) })
	return found
}

// postReportMyNetwork takes what a client says of its network, for which nothing here asks.
func postReportMyNetwork(*call) (answer, error) { return answer{status: http.StatusCreated}, nil }
