package suite

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// Follower says of exchanges that pass by which role each plays: what [Locate] says of them, as far as the past and the
// exchange itself tell. It is for a proxy that changes what plays a role, and follows any number of applications. A
// request that a driver marks as a probe is taken for one. Its zero value is ready; it can be used by several goroutines.
type Follower struct {
	mu    sync.Mutex
	e     *Evidence
	apps  map[string]*followed // by application; "" is what comes before there is one
	order []string             // of the applications, the one that was served last last
}

// followed is what is known of an application.
type followed struct {
	state *state
	noted map[servedLink]bool
	keys  []string // of the links that it served
}

// A proxy can stand for weeks, and meet clients that mean it harm: what is remembered is bounded. The application that was not
// served for the longest is forgotten first.
const (
	maxFollowed      = 1000 // applications, and places and values that come before there is one
	maxFollowedLinks = 1000 // links of one
)

// Role returns the role of a request, or of a whole exchange if it has an answer, "" if it plays none.
func (f *Follower) Role(x cassettes.Exchange) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen(x)
	s := f.stateOf(seen)
	if seen.Probe != "" {
		return s.probed(seen)
	}
	if role := s.turnedAway(seen); role != "" {
		return role
	}
	return s.situation(seen)
}

// turnedAway returns the refusal that an unmarked request met: a driver marks what it does wrong on purpose, and others do not.
func (s *state) turnedAway(x *Exchange) string {
	below, creates := applicationOf(x.url) != nil, x.is("applications") && x.Request.Method == http.MethodPost
	switch code := x.Response.Code; {
	case below && s.ended:
		return partGone
	case code == http.StatusUnauthorized && creates && len(x.requestHeader("Authorization")) == 0:
		return partCreateNoToken
	case code == http.StatusUnauthorized && creates:
		return partCreateBadToken
	case code == http.StatusUnauthorized && below && len(x.requestHeader("Authorization")) == 0:
		return partNoToken
	case code == http.StatusUnauthorized && below:
		return partBadToken
	case code == http.StatusForbidden && below && len(cassettes.HeaderValues(x.Response.Headers, "X-Ms-Diagnostics")) > 0:
		return partOrigin
	case code == http.StatusForbidden && x.is("makeMeAvailable") && subcodeOf(x) != ucwa.SubcodeAnonymousNotAllowed:
		return partModality
	}
	return ""
}

// Learn takes note of an exchange that was answered, whose role is known.
func (f *Follower) Learn(x cassettes.Exchange, role string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen(x)
	app := f.keep(seen)
	seen.Part = role
	if role == partCreate {
		f.e.parts[partCreate] = []*Exchange{seen} // which the next one with its endpoint asks for again
	}
	if seen.succeeded() {
		f.accept("Authorization", seen.authorization(), seen)
		f.accept("X-Ms-Origin", fieldKey(seen.requestHeader("X-Ms-Origin")), seen)
		if object, err := seen.object(); err == nil && seen.is(relToken) && len(f.e.index.issued) < maxFollowed {
			token, _ := object["access_token"].(string)
			f.e.index.issued[token] = ucwa.Origin(seen.url)
		}
	}
	if seen.succeeded() && len(app.noted) < maxFollowedLinks {
		seen.links = linksOf(seen)
		for i := range seen.links {
			seen.links[i].key = linkKey(seen.links[i].url)
			app.keys = append(app.keys, seen.links[i].key)
		}
		before := len(app.noted)
		if f.e.collectLinks(0, seen, app.noted); len(app.noted) == before {
			app.keys = app.keys[:len(app.keys)-len(seen.links)] // all were known
		}
		f.e.inMe = nil // of which nothing is asked here
	}
	if len(f.e.signIn) < maxFollowed {
		for _, at := range seen.rels {
			for rel, u := range seen.leadsOn(at) { // of a root or a user resource
				f.e.signIn[linkKey(u)] = rel
			}
		}
		if issuer := issuerOf(seen); issuer != nil {
			f.e.signIn[linkKey(issuer.url)] = relToken
		}
	}
	app.state.after(seen)
}

// accept notes a value of a request's field that was accepted, of an ordinary request.
func (f *Follower) accept(name, value string, x *Exchange) {
	const longest = 8 << 10
	if x.Probe == "" && len(f.e.index.accepted) < maxFollowed && len(value) < longest {
		f.e.index.accepted[name+": "+value] = true
	}
}

// seen reads an exchange.
func (f *Follower) seen(x cassettes.Exchange) *Exchange {
	if f.e == nil {
		f.e = &Evidence{Driven: true, signIn: map[string]string{}, served: map[string][]serving{}, relsAt: map[string][]string{}, relsServed: map[string]bool{},
			parts: map[string][]*Exchange{}, declined: map[string][]declined{}}
		f.e.index = indexOf(f.e)
		f.apps = map[string]*followed{"": {state: &state{e: f.e}, noted: map[servedLink]bool{}}}
	}
	seen := exchanges([]cassettes.Exchange{x}, true)[0]
	switch rels := f.e.relsOf(seen); {
	case f.e.signIn[linkKey(seen.url)] != "":
		seen.rels = rels
	case seen.Request.Method == http.MethodGet && isRoot(seen.url):
		seen.rels = []string{relRoot}
	case seen.asksForToken():
		seen.rels = []string{relToken}
	default:
		seen.rels = rels
	}
	return seen
}

// applicationKey identifies the application that an exchange is about, or created; "" is none.
func applicationKey(x *Exchange) string {
	app := applicationOf(x.url)
	if app == nil && x.is("applications") && x.succeeded() {
		if created := createdBy(x); created != nil {
			app = applicationOf(created)
		}
	}
	if app == nil {
		return ""
	}
	return lowerPath(app.Path)
}

// stateOf returns what the application of an exchange has come to.
func (f *Follower) stateOf(x *Exchange) *state {
	s := &state{e: f.e}
	if app := f.apps[applicationKey(x)]; app != nil {
		s = app.state
	}
	s.root, s.rooted = x, true // whatever root is asked may be the one that leads on
	return s
}

// keep keeps what the application of an exchange has come to, and returns it. One that never served anything is not
// followed: anyone can make up its path.
func (f *Follower) keep(x *Exchange) *followed {
	key := applicationKey(x)
	app := f.apps[key]
	switch {
	case app == nil && !x.succeeded():
		return &followed{state: &state{e: f.e}, noted: map[servedLink]bool{}}
	case app == nil:
		if len(f.order) == maxFollowed {
			f.forget(f.order[0])
		}
		app = &followed{state: &state{e: f.e}, noted: map[servedLink]bool{}}
		f.apps[key], f.order = app, append(f.order, key)
	case key != "" && x.succeeded() && f.order[len(f.order)-1] != key:
		i := slices.Index(f.order, key)
		f.order = append(slices.Delete(f.order, i, i+1), key)
	}
	return app
}

// forget forgets an application, and the links that it served.
func (f *Follower) forget(key string) {
	for _, link := range f.apps[key].keys {
		if strings.Contains(link, key) { // others may have served the rest
			delete(f.e.relsAt, link)
			delete(f.e.served, link)
		}
	}
	delete(f.apps, key)
	f.order = f.order[1:]
}
