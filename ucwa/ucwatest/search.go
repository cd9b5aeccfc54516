package ucwatest

import (
	"slices"
	"strings"
)

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
