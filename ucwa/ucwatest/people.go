package ucwatest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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
	o := a.node("/people", "people", nil, "myContacts", "myContactsAndGroupsSubscription", "myGroups", "myGroupMemberships", "myPrivacyRelationships",
		"presenceSubscriptions", "presenceSubscriptionMemberships", "subscribedContacts")
	search := append(a.link("/people/search"), member{"revision", strconv.Itoa(newest)}) // it takes mail
	return resource("people", nil, append(o.object("_links"), member{"search", search}), nil)
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
	return c.ofContact(func(u *user, _ *public) (answer, error) { return ok(c.app.contact(u)), nil })
}

// contact is an account as others see it.
func (a *application) contact(u *user) object {
	o := a.node(contactPath(u.URI), "contact", nil, "contactLocation", "contactNote", "contactPresence", "contactPrivacyRelationship", "contactSupportedModalities")
	links := append(o.object("_links"), member{"contactPhoto", a.link(photosPath + url.PathEscape(u.address()))})
	return resource("contact", append(u.card(), object{{"type", "User"}, {"sourceNetwork", "SameEnterprise"}}...), links, nil)
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

// getSearch finds accounts by a part of name, URI or e-mail address, or by the whole of an
// address. Source: API reference, search, of which revision 2 has mail: one of the two is
// required, limit is not.
func getSearch(c *call) (answer, error) {
	asked, err := url.ParseQuery(c.request.URL.RawQuery)
	if err != nil {
		return answer{}, refuse(http.StatusBadRequest, "", "The query cannot be read.")
	}
	asked = parameters(asked)
	f := &fields{}
	query, mail := strings.ToLower(strings.TrimSpace(asked.Get("query"))), strings.ToLower(strings.TrimSpace(asked.Get("mail")))
	for _, name := range []string{"query", "mail"} {
		if most := documented("search2", name).Max; utf8.RuneCountInString(asked.Get(name)) > most {
			f.reject(name, fmt.Sprintf("has more than %d characters", most))
		}
	}
	if query == "" && mail == "" {
		f.reject("query", "is missing")
	}
	bounds := documented("search2", "limit")
	limit := bounds.Max
	if given := asked.Get("limit"); given != "" {
		if limit, err = strconv.Atoi(given); err != nil || limit < bounds.Min || limit > bounds.Max {
			f.reject("limit", fmt.Sprintf("is no number from %d to %d", bounds.Min, bounds.Max))
		}
	}
	if err := f.err(); err != nil {
		return answer{}, err
	}
	found := c.server.search(func(u *user) bool {
		return strings.Contains(strings.ToLower(u.Name+"\n"+u.URI+"\n"+u.Email), query) && (mail == "" || strings.EqualFold(u.address(), mail))
	})
	more := len(found) > limit
	var embedded object
	var contacts []object
	for _, u := range found[:min(limit, len(found))] {
		contacts = append(contacts, c.app.contact(u))
	}
	if contacts != nil {
		embedded = object{{"contact", contacts}}
	}
	links := object{{"self", c.app.link("/people/search?" + asked.Encode())}}
	return ok(resource("search", object{{"moreResultsAvailable", more}}, links, embedded)), nil
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
