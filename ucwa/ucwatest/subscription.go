package ucwatest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A presence subscription has an application told of the presence, notes and places of
// contacts, for some minutes. Source: API reference, presenceSubscription, and the tasks
// "Subscribe to the presence of selected contacts" and "… of a group of contacts", "Extend a
// presence subscription" and "Delete a presence subscription".

const (
	// maxSubscriptions and maxWatched bound what one application can make the server keep. The
	// documentation has the subcode, LimitExceeded, but no number.
	maxSubscriptions = 100
	maxWatched       = 10_000

	// expiryWarning is how long before its end a subscription is told to expire.
	expiryWarning = time.Minute

	longestSubscription = 30 * time.Minute // that a subscription lasts from now, however often it is extended
)

// subscription is a presence subscription of an application.
type subscription struct {
	id       string
	group    string // the id of the group that it is to; empty: to members that can be added to
	members  []string
	has      map[string]bool // the members in lower case
	expires  time.Time
	stopWarn func()
	stopEnd  func()
}

func subscriptionPath(id string) string { return "/people/presenceSubscriptions/" + id }

func contactLink(uri string) *eventLink { return linkTo("contact", contactPath(uri)) }

var subscribed = linkTo("subscribedContacts", "/people/subscribedContacts")

// subscription is the resource.
func (a *application) subscription(s *subscription) object {
	query := "?presenceSubscriptionId=" + s.id
	links := object{{"self", a.link(subscriptionPath(s.id))}, {"memberships", a.link("/people/memberships" + query)}}
	if s.group == "" {
		links = append(links, member{"addToPresenceSubscription", a.link("/people/addToPresenceSubscription" + query)})
	}
	return resource("presenceSubscription", object{{"id", s.id}}, links, nil)
}

// subscriptionOf finds a subscription by its id; nil if there is none.
func (a *application) subscriptionOf(id string) *subscription {
	return first(a.subscriptions, func(s *subscription) bool { return s.id == id })
}

// subscribedTo tells whether some subscription of the application has a contact.
func (a *application) subscribedTo(uri string) bool {
	return slices.ContainsFunc(a.subscriptions, func(s *subscription) bool { return s.has[strings.ToLower(uri)] })
}

func getSubscriptions(c *call) (answer, error) {
	var list []object
	for _, s := range c.app.subscriptions {
		list = append(list, c.app.subscription(s))
	}
	return ok(resource("presenceSubscriptions", nil, object{{"self", c.app.link(c.path)}}, many("presenceSubscription", list))), nil
}

func postSubscriptions(c *call) (answer, error) {
	if err := c.addresses("uris"); err != nil {
		return answer{}, err
	}
	return c.subscribe("", c.fields.list("uris"))
}

// subscribeToGroupPresence subscribes to those who are in a group now, or shows the
// subscription to it that there is.
func subscribeToGroupPresence(c *call) (answer, error) {
	id := c.fields.text("groupId")
	var members []string
	if g := c.user.group(id); g != nil {
		members = g.members
	} else if g := c.server.distributionGroup(id); g != nil {
		members = g.Members
	} else {
		c.fields.reject("groupId", "is none of the user's groups, and no distribution group")
		return answer{}, c.fields.err()
	}
	if s := first(c.app.subscriptions, func(s *subscription) bool { return s.group == id }); s != nil {
		c.app.extend(s, c.minutes())
		return ok(c.app.subscription(s)), nil
	}
	return c.subscribe(id, members)
}

func (c *call) minutes() time.Duration {
	return time.Duration(c.fields.number("duration")) * time.Minute
}

// addresses rejects a list that holds something that is no address.
func (c *call) addresses(name string) error {
	if slices.ContainsFunc(c.fields.list(name), func(uri string) bool { return !isAddress(uri) }) {
		c.fields.reject(name, "has a member that is no sip: or tel: URI")
	}
	return c.fields.err()
}

func (c *call) subscribe(group string, members []string) (answer, error) {
	a := c.app
	switch {
	case len(a.subscriptions) >= maxSubscriptions:
		return answer{}, full(http.StatusForbidden, "LimitExceeded", maxSubscriptions, "subscriptions of an application")
	case a.watched()+len(members) > maxWatched:
		return answer{}, full(http.StatusForbidden, "LimitExceeded", maxWatched, "contacts in the subscriptions of an application")
	}
	s := &subscription{id: c.user.next("subscription"), group: group, has: map[string]bool{}}
	a.subscriptions = append(a.subscriptions, s)
	a.extend(s, c.minutes())
	a.queue(event{rel: "presenceSubscription", path: subscriptionPath(s.id), kind: "added"})
	a.watch(s, members)
	return created(a.subscription(s)), nil
}

// watched is how many contacts all subscriptions of the application have.
func (a *application) watched() (n int) {
	for _, s := range a.subscriptions {
		n += len(s.members)
	}
	return n
}

// watch adds contacts to a subscription. Of each the application is told at once; of a URI of
// nobody there is nothing to tell.
func (a *application) watch(s *subscription, uris []string) {
	for _, uri := range uris {
		u := a.server.contact(uri)
		if u != nil {
			uri = u.URI
		}
		if s.has[strings.ToLower(uri)] {
			continue
		}
		isNew := !a.subscribedTo(uri)
		s.members, s.has[strings.ToLower(uri)] = append(s.members, uri), true
		if u != nil && isNew {
			u.watchedBy(a)
		}
	}
}

// watchedBy has an application told of the user, from now on.
func (u *user) watchedBy(a *application) {
	if u.watchers == nil {
		u.watchers = map[*application]bool{}
	}
	u.watchers[a] = true
	a.queue(event{rel: "contact", path: contactPath(u.URI), kind: "added", in: subscribed})
	a.queue(event{rel: "contactPresence", path: contactPath(u.URI) + "/contactPresence", kind: "updated", in: contactLink(u.URI)})
}

// awaited has those told of a new account who have subscribed to it before there was one.
func (u *user) awaited() {
	u.server.mu.RLock()
	all := slices.Collect(maps.Values(u.server.applications))
	u.server.mu.RUnlock()
	for _, a := range all {
		if !u.Anonymous && !u.watchers[a] && a.subscribedTo(u.URI) {
			u.watchedBy(a)
		}
	}
}

// unwatch tells of a contact whom no subscription of the application has any more.
func (a *application) unwatch(uri string) {
	u := a.server.contact(uri)
	if u == nil || !u.watchers[a] || a.subscribedTo(uri) {
		return
	}
	delete(u.watchers, a)
	for _, part := range []string{"contactPresence", "contactNote", "contactLocation", "contactSupportedModalities"} {
		a.channel.take(&event{rel: part, path: contactPath(uri) + "/" + part, in: contactLink(uri)})
	}
	a.queue(event{rel: "contact", path: contactPath(uri), kind: "deleted", in: subscribed})
}

// tellWatchers tells those who have subscribed to the user that a part of him has changed.
func (u *user) tellWatchers(part string) {
	for a := range u.watchers {
		a.queue(event{rel: part, path: contactPath(u.URI) + "/" + part, kind: "updated", in: contactLink(u.URI)})
	}
}

// extend adds to the time that a subscription has left, and sees to it that it ends.
func (a *application) extend(s *subscription, by time.Duration) {
	now := a.server.clock.Now()
	if s.stopEnd != nil {
		s.stopWarn()
		s.stopEnd()
	}
	if s.expires.Before(now) {
		s.expires = now
	}
	s.expires = s.expires.Add(by)
	if s.expires.Sub(now) > longestSubscription {
		s.expires = now.Add(longestSubscription)
	}
	s.stopWarn = a.server.later(s.expires.Sub(now)-expiryWarning, func() {
		a.queue(event{rel: "presenceSubscription", path: subscriptionPath(s.id), kind: "updated", show: a.subscription(s)})
	})
	s.stopEnd = a.server.later(s.expires.Sub(now), func() { a.unsubscribe(s) })
}

// unsubscribe ends a subscription.
func (a *application) unsubscribe(s *subscription) {
	s.stopWarn()
	s.stopEnd()
	a.subscriptions = without(a.subscriptions, s)
	for _, uri := range s.members {
		a.unwatch(uri)
	}
	a.queue(event{rel: "presenceSubscription", path: subscriptionPath(s.id), kind: "deleted"})
}

// ofSubscription is an operation on the subscription that the path names, or the query.
func (c *call) ofSubscription(do func(*subscription) (answer, error)) (answer, error) {
	id := c.fields.text("presenceSubscriptionId")
	if len(c.names) > 0 {
		id = c.name()
	} else if id == "" {
		c.fields.reject("presenceSubscriptionId", "is missing: follow a link that has it")
		return answer{}, c.fields.err()
	}
	s := c.app.subscriptionOf(id)
	if s == nil {
		return answer{}, notFound()
	}
	return do(s)
}

func getSubscription(c *call) (answer, error) {
	return c.ofSubscription(func(s *subscription) (answer, error) { return ok(c.app.subscription(s)), nil })
}

// extendSubscription answers 200, as "Extend a presence subscription" has it, where the
// reference has 201.
func extendSubscription(c *call) (answer, error) {
	return c.ofSubscription(func(s *subscription) (answer, error) {
		c.app.extend(s, c.minutes())
		c.app.queue(event{rel: "presenceSubscription", path: subscriptionPath(s.id), kind: "updated", show: c.app.subscription(s)})
		return ok(c.app.subscription(s)), nil
	})
}

func deleteSubscription(c *call) (answer, error) {
	return c.ofSubscription(func(s *subscription) (answer, error) {
		c.app.unsubscribe(s)
		return noContent(), nil
	})
}

func (c *call) subscriptionMembership(s *subscription, uri string) object {
	return resource("presenceSubscriptionMembership", nil, object{{"self", c.app.link("/people/presenceSubscriptionMemberships/" + s.id + "/" + url.PathEscape(uri))},
		{"contact", c.app.link(contactPath(uri))}, {"presenceSubscription", c.app.link(subscriptionPath(s.id))}}, nil)
}

// subscriptionMemberships are those of one subscription, or of all: the rel of the collection
// of one is the same.
func (c *call) subscriptionMemberships() (answer, error) {
	id := c.fields.text("presenceSubscriptionId")
	self := "/people/presenceSubscriptionMemberships"
	if id != "" {
		self = "/people/memberships?presenceSubscriptionId=" + url.QueryEscape(id)
	}
	var list []object
	for _, s := range c.app.subscriptions {
		if id == "" || s.id == id {
			for _, uri := range s.members {
				list = append(list, c.subscriptionMembership(s, uri))
			}
		}
	}
	if id != "" && c.app.subscriptionOf(id) == nil {
		return answer{}, notFound()
	}
	return ok(resource("presenceSubscriptionMemberships", nil, object{{"self", c.app.link(self)}}, many("presenceSubscriptionMembership", list))), nil
}

// addToSubscription adds contacts to the subscription that the query names.
func addToSubscription(c *call) (answer, error) {
	if err := c.addresses("contactUris"); err != nil {
		return answer{}, err
	}
	return c.ofSubscription(func(s *subscription) (answer, error) {
		uris := c.fields.list("contactUris")
		if c.app.watched()+len(uris) > maxWatched {
			return answer{}, full(http.StatusForbidden, "LimitExceeded", maxWatched, "contacts in the subscriptions of an application")
		}
		c.app.watch(s, uris)
		r, err := c.subscriptionMemberships()
		r.status = http.StatusCreated
		return r, err
	})
}

// ofSubscriptionMember is an operation on a contact of a subscription, both named by the path.
func (c *call) ofSubscriptionMember(do func(s *subscription, uri string) (answer, error)) (answer, error) {
	return c.ofSubscription(func(s *subscription) (answer, error) {
		i := slices.IndexFunc(s.members, sameAddress(c.names[1]))
		if i < 0 {
			return answer{}, notFound()
		}
		return do(s, s.members[i])
	})
}

func getSubscriptionMembership(c *call) (answer, error) {
	return c.ofSubscriptionMember(func(s *subscription, uri string) (answer, error) { return ok(c.subscriptionMembership(s, uri)), nil })
}

func deleteSubscriptionMembership(c *call) (answer, error) {
	return c.ofSubscriptionMember(func(s *subscription, uri string) (answer, error) {
		s.members = without(s.members, uri)
		delete(s.has, strings.ToLower(uri))
		c.app.unwatch(uri)
		return noContent(), nil
	})
}

// getSubscribedContacts links to those whom some subscription has.
func getSubscribedContacts(c *call) (answer, error) {
	all := map[string]bool{}
	for _, s := range c.app.subscriptions {
		for _, uri := range s.members {
			all[uri] = true
		}
	}
	links := object{{"self", c.app.link(c.path)}}
	return ok(resource("subscribedContacts", nil, append(links, c.app.contactLinks(sorted(all))...), nil)), nil
}
