package suite

import (
	"net/url"
	"strings"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// Follower says of exchanges that pass by which role each plays: what [Locate] says of them, as far as the past and the
// exchange itself tell. It is for a proxy that changes what plays a role, and follows any number of applications. A
// request that a driver marks as a probe is taken for one. Its zero value is ready; it can be used by several goroutines.
type Follower struct {
	mu     sync.Mutex
	e      *Evidence
	noted  map[servedLink]bool
	states map[string]*state // by application
	order  []string          // of the applications, the one that was served first first
	served map[string]int    // links, by application
}

// A proxy can stand for weeks: what is remembered is bounded. The application that was served first is forgotten first; by
// then it is long gone.
const (
	maxFollowed      = 1000 // applications
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
	return s.situation(seen)
}

// Learn takes note of an exchange that was answered, whose role is known.
func (f *Follower) Learn(x cassettes.Exchange, role string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen(x)
	s := f.keep(seen)
	seen.Part = role
	if role == partCreate {
		s.e.parts[partCreate] = []*Exchange{seen} // which the next one with its endpoint asks for again
	}
	if seen.succeeded() {
		f.e.index.add(f.e, seen)
		if app := applicationKey(seen); f.served[app] < maxFollowedLinks {
			before := len(f.noted)
			f.e.collectLinks(0, seen, f.noted)
			f.served[app] += len(f.noted) - before
		}
	}
	for rel, u := range seen.leadsOn(f.e.signIn[linkKey(seen.url)]) {
		f.e.signIn[linkKey(u)] = rel
	}
	if issuer := issuerOf(seen); issuer != nil {
		f.e.signIn[linkKey(issuer.url)] = relToken
	}
	s.after(seen)
}

// seen reads an exchange.
func (f *Follower) seen(x cassettes.Exchange) *Exchange {
	if f.e == nil {
		f.e = &Evidence{Driven: true, signIn: map[string]string{}, served: map[string][]serving{}, relsAt: map[string][]string{}, relsServed: map[string]bool{},
			parts: map[string][]*Exchange{}, declined: map[string][]declined{}}
		f.e.index = indexOf(f.e)
		f.noted, f.states, f.served = map[servedLink]bool{}, map[string]*state{}, map[string]int{}
	}
	seen := exchanges([]cassettes.Exchange{x}, true)[0]
	if key := linkKey(seen.url); f.e.signIn[key] == "" && seen.Request.Method == "GET" && isRoot(seen.url) {
		f.e.signIn[key] = relRoot
	} else if f.e.signIn[key] == "" && seen.asksForToken() {
		f.e.signIn[key] = relToken
	}
	seen.rels = f.e.relsOf(seen)
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
	s := f.states[applicationKey(x)]
	if s == nil {
		s = &state{e: f.e}
	}
	s.root, s.rooted = x, true // whatever root is asked may be the one that leads on
	return s
}

// keep keeps what the application of an exchange has come to, and returns it. One that never served anything is not
// followed: anyone can make up its path.
func (f *Follower) keep(x *Exchange) *state {
	key := applicationKey(x)
	if s := f.states[key]; s != nil || !x.succeeded() {
		return f.stateOf(x)
	}
	if len(f.order) == maxFollowed {
		f.forget(f.order[0])
	}
	f.states[key], f.order = &state{e: f.e}, append(f.order, key)
	return f.states[key]
}

// forget forgets an application, and the links that lead below it.
func (f *Follower) forget(app string) {
	delete(f.states, app)
	delete(f.served, app)
	f.order = f.order[1:]
	below := func(text string) bool {
		u, err := url.Parse(text)
		return err == nil && (lowerPath(u.Path) == app || strings.HasPrefix(lowerPath(u.Path), app+"/"))
	}
	for key := range f.e.relsAt {
		if below(key) {
			delete(f.e.relsAt, key)
			delete(f.e.served, key)
		}
	}
	for link := range f.noted {
		if below(link.url) {
			delete(f.noted, link)
		}
	}
}
