package ucwatest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The people that a user can find are the other accounts of the server, and they are
// as their applications last told. Nobody has a list of contacts, groups of his own
// or subscriptions: those collections are there, and empty.

// public is what others see of a user. It is a copy, so that they need not wait for
// the user's lock.
type public struct {
	presence   presence
	message    string // of the note
	location   string
	modalities []string
}

func getPeople(c *call) (answer, error) { return ok(c.app.people()), nil }

// people links to nothing for an anonymous user, who may ask for nothing there.
func (a *application) people() object {
	if a.user.Anonymous {
		return a.node("/people", "people", nil)
	}
	return a.node("/people", "people", nil, "myContacts", "myContactsAndGroupsSubscription", "myGroups", "myGroupMemberships", "myPrivacyRelationships",
		"presenceSubscriptions", "presenceSubscriptionMemberships", "search", "subscribedContacts")
}

// getContactsSubscription shows that nobody is told of changes of contacts and groups: there are none.
func getContactsSubscription(c *call) (answer, error) {
	return ok(c.app.node(c.path, "myContactsAndGroupsSubscription", object{{"state", "Disconnected"}},
		"startOrRefreshSubscriptionToContactsAndGroups", "stopSubscriptionToContactsAndGroups")), nil
}

func getGroup(rel, name string) operation {
	return func(c *call) (answer, error) {
		return ok(c.app.node(c.path, rel, object{{"id", rel}, {"name", name}}, "groupContacts", "subscribeToGroupPresence")), nil
	}
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

func contactPath(uri string) string { return "/people/contacts/" + url.PathEscape(uri) }

func getContact(c *call) (answer, error) {
	return c.ofContact(func(u *user, _ *public) (answer, error) {
		path := contactPath(u.URI)
		o := c.app.node(path, "contact", nil, "contactLocation", "contactNote", "contactPresence", "contactPrivacyRelationship", "contactSupportedModalities")
		links := append(o.object("_links"), member{"contactPhoto", c.app.link(photosPath + url.PathEscape(u.address()))})
		return ok(resource("contact", append(u.card(), object{{"type", "User"}, {"sourceNetwork", "SameEnterprise"}}...), links, nil)), nil
	})
}

// ofContact answers with something of the contact that the path names.
func (c *call) ofContact(show func(*user, *public) (answer, error)) (answer, error) {
	u := c.server.contact(c.name)
	if u == nil {
		return answer{}, notFound()
	}
	p := u.public.Load()
	if p == nil {
		p = &public{presence: offline}
	}
	return show(u, p)
}

// contactPart is the GET of what a contact links to.
func contactPart(rel string, properties func(*public) object) operation {
	return func(c *call) (answer, error) {
		return c.ofContact(func(u *user, p *public) (answer, error) {
			return ok(c.app.node(contactPath(u.URI)+"/"+rel, rel, properties(p))), nil
		})
	}
}

var (
	getContactPresence = contactPart("contactPresence", func(p *public) object {
		return object{{"availability", p.presence.availability}, {"activity", p.presence.activity}}
	})
	getContactNote     = contactPart("contactNote", func(p *public) object { return object{{"message", p.message}, {"type", "Personal"}} })
	getContactLocation = contactPart("contactLocation", func(p *public) object { return object{{"location", p.location}} })

	getContactSupportedModalities = contactPart("contactSupportedModalities", func(p *public) object {
		return object{{"modalities", append([]string{}, p.modalities...)}}
	})
	// All are colleagues here: what an enterprise has when nobody sets anything.
	getContactPrivacyRelationship = contactPart("contactPrivacyRelationship", func(*public) object {
		return object{{"relationshipLevel", "Colleagues"}}
	})
)

// getSearch finds accounts by a part of name, URI or e-mail address. Source: API
// reference, search: query is required, limit is not.
func getSearch(c *call) (answer, error) {
	const most = 100
	asked, err := url.ParseQuery(c.request.URL.RawQuery)
	if err != nil {
		return answer{}, refuse(http.StatusBadRequest, "", "The query cannot be read.")
	}
	f := &fields{}
	text := strings.ToLower(strings.TrimSpace(asked.Get("query")))
	if text == "" || len(text) > maxText {
		f.reject("query", "is missing, or too long")
	}
	limit := most
	if given := asked.Get("limit"); given != "" {
		if limit, err = strconv.Atoi(given); err != nil || limit < 1 || limit > most {
			f.reject("limit", "is no number from 1 to 100")
		}
	}
	if err := f.err(); err != nil {
		return answer{}, err
	}
	uris := c.server.search(text)
	more := len(uris) > limit
	links := object{{"self", c.app.link("/people/search?" + asked.Encode())}}
	var contacts []object
	for _, uri := range uris[:min(limit, len(uris))] {
		contacts = append(contacts, c.app.link(contactPath(uri)))
	}
	if contacts != nil {
		links = append(links, member{"contact", contacts})
	}
	return ok(resource("search", object{{"moreResultsAvailable", more}}, links, nil)), nil
}

// search returns the URIs of those who have the text in name or address, in order.
func (s *Server) search(text string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var uris []string
	for _, u := range s.users {
		if !u.Anonymous && strings.Contains(strings.ToLower(u.Name+"\n"+u.URI+"\n"+u.Email), text) {
			uris = append(uris, u.URI)
		}
	}
	slices.Sort(uris)
	return uris
}
