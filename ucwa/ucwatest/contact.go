package ucwatest

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// Contacts are whom a user can find: the other accounts of the server, and whoever else is in his list or a
// distribution group, or has been subscribed to. Source: API reference, contact and what it links to.

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
	_, set := u.privacy[strings.ToLower(uri)]
	return set || u.server.contact(uri) != nil || slices.ContainsFunc(u.groups, func(g *group) bool { return g.has(uri) }) ||
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
