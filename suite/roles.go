package suite

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// role is what an exchange can be in a task: a request that the page has, or one that a server must refuse. Pages declare the
// roles that they need. Which one an exchange plays follows from what came before it and from itself: the first role of
// what it asks for that fits.
type role struct {
	name, title string                           // the title is for people
	rel, method string                           // what is asked for, and how; any method where it is ""
	paths       []string                         // where samples have that below an application, in lower case
	mine        bool                             // that is what a user sets of himself
	is          func(s *state, x *Exchange) bool // whether such a request plays it; nil: it does

	after, lead string                                // the role before it, and the place there at which its link stands
	ready       func(e *Evidence, x *Exchange) string // where no link leads here: the requirement which what comes before breaks, "" if none

	mistake  func(s *state, x *Exchange) bool // of a refusal: whether a request that is marked as it makes that mistake
	too      string                           // another resource that is asked for the same refusal
	needs    string                           // how a run is given the user who meets it
	status   int                              // the documented one, where it is not that of an operation of the API reference
	subcodes []string                         // that the API reference lists for it

	holds string                      // the resource in the answer, if it is not the one that is asked for
	once  bool                        // what is asked again is something else
	then  func(s *state, x *Exchange) // notes what it did to the application
}

// The roles of requests without which nothing else of an application can be told: what is asked for on the way to it, the application
// itself before and after makeMeAvailable, its event channel and its end. All other roles are known to the pages alone.
const (
	partRoot   = "autodiscover"
	partToken  = "token"
	partUser   = "user"
	partCreate = "create"
	partBefore = "application before"
	partMake   = "makeMeAvailable"
	partAfter  = "application"
	partEvents = "events" // a pending GET
	partEnd    = "end"
)

// The refusals that the engine knows, since a client can meet them by chance wherever it is, or a run must be given who meets them.
const (
	partOrigin         = "origin"
	partNoToken        = "no-token"
	partBadToken       = "bad-token"
	partGone           = "gone"
	partCreateNoToken  = "create-no-token"
	partCreateBadToken = "create-bad-token"
	partElsewhere      = "create-elsewhere"
	partMadeAgain      = "make-again"
	partAnonymous      = "anonymous"
	partModality       = "modality"
)

// roleTable is the roles of all pages: the one list by which recordings are located, and by which a proxy follows what passes.
type roleTable struct {
	byName map[string]role
	byRel  map[string][]role
	rels   []string          // in the order in which a client comes to them
	mine   map[string]bool   // rels
	paths  map[string]string // the rels, by documented path
}

var roles = sync.OnceValue(func() roleTable {
	t := roleTable{byName: map[string]role{}, byRel: map[string][]role{}, mine: map[string]bool{}, paths: map[string]string{"/me": "me"}}
	for _, of := range literals {
		for _, r := range of().Roles {
			if _, known := t.byName[r.name]; known {
				panic("two pages declare the role " + r.name)
			}
			t.byName[r.name] = r
			if t.byRel[r.rel] == nil {
				t.rels = append(t.rels, r.rel)
			}
			t.byRel[r.rel] = append(t.byRel[r.rel], r)
			t.mine[r.rel] = t.mine[r.rel] || r.mine
			for _, path := range r.paths {
				t.paths[path] = r.rel
			}
		}
	}
	return t
})

// isMine reports whether a rel is that of something that a user sets of himself.
func isMine(rel string) bool { return roles().mine[rel] }

// refusals are the roles of which the API reference lists subcodes, in the order of the pages.
func (t roleTable) refusals() []role {
	var list []role
	for _, rel := range t.rels {
		for _, r := range t.byRel[rel] {
			if len(r.subcodes) > 0 {
				list = append(list, r)
			}
		}
	}
	return list
}

// roleOf returns a role of that name.
func roleOf(name string) role {
	if r, known := roles().byName[name]; known {
		return r
	}
	return role{name: name}
}

// describe names it for people.
func (r role) describe() string {
	if r.title == "" {
		return "such invalid request"
	}
	return r.title
}

// resource is the resource that is in the answer, "" where the API reference has none.
func (r role) resource() string {
	switch {
	case r.holds != "":
		return r.holds
	case r.status != 0:
		return ""
	}
	return r.rel
}

// documented is the status with which it is answered, 0 if that is not documented.
func (r role) documented() int {
	if r.status != 0 || r.mistake != nil {
		return r.status
	}
	if resource, ok := api.ResourceOf(r.rel); ok {
		if operation, ok := resource.Operation(r.method); ok {
			return operation.Status
		}
	}
	return 0
}

// capabilities are what a run can do without, by the refusal that needs it: how it is given.
var capabilities = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for name, r := range roles().byName {
		if r.needs != "" {
			m[name] = r.needs
		}
	}
	return m
})

func capabilityNames() []string { return slices.Sorted(maps.Keys(capabilities())) }

// state is what is known of the application while its exchanges pass by.
type state struct {
	e         *Evidence
	seen      bool // the application, before or after
	asked     bool // makeMeAvailable, whatever came of it
	available bool
	ended     bool
	rooted    bool      // whether root is found
	root      *Exchange // see findRoot
}

// part says what x is, given all that came before it: a role, or "" where it plays none, or is put aside.
func (s *state) part(x *Exchange) string {
	if x.aside = s.putAside(x, false); x.aside != "" {
		return ""
	}
	if x.Probe != "" {
		return s.probed(x)
	}
	part := ""
	if !s.e.Driven { // a driver marks what it does wrong on purpose; others meet refusals by chance
		if x.aside = s.putAside(x, true); x.aside == "" {
			part = s.refused(x)
		}
	}
	if part == "" && x.aside == "" {
		part = s.situation(x)
	}
	if why := s.e.declines(x, part); why != "" {
		of := s.situation(x)
		if of == partAnonymous || of == partModality {
			of = partMake
		}
		s.e.declined[of] = append(s.e.declined[of], declined{x, why})
		const most = 10 // for people to read
		if len(s.e.declined[of]) <= most && !s.e.Driven {
			s.e.note(fmt.Sprintf("exchange %d, %s %s, was answered with %d, as the documentation allows, and does not fail the server: %s", x.ID, x.Request.Method, x.Request.URL, x.Response.Code, why))
		}
		if part == of && x.aside == "" {
			x.aside = "an error that the documentation allows: " + why
			return ""
		}
	}
	return part
}

// situation says what x is by what it asks for, and when.
func (s *state) situation(x *Exchange) string {
	t := roles()
	for _, rel := range t.rels {
		if !x.is(rel) {
			continue
		}
		for _, r := range t.byRel[rel] {
			if (r.method == "" || r.method == x.Request.Method) && (r.is == nil || r.is(s, x)) {
				return r.name
			}
		}
		return ""
	}
	return ""
}

// notByItself is of refusals that no ordinary request meets by what it asks for alone: see (*state).refused.
func notByItself(*state, *Exchange) bool { return false }

// by is of roles of which one function says which a request plays.
func by(which func(*state, *Exchange) string, name string) func(*state, *Exchange) bool {
	return func(s *state, x *Exchange) bool { return which(s, x) == name }
}

// after notes what x did to the application.
func (s *state) after(x *Exchange) {
	if then := roleOf(x.Part).then; then != nil {
		then(s, x)
	}
}

// createdBy returns the URL of the application that x created, nil if it tells none. A
// load balancer can have its own idea of the host in Location; the link has not.
func createdBy(x *Exchange) *url.URL {
	object, _ := x.object()
	self := selfOf(object, x.url)
	if location := cassettes.HeaderValues(x.Response.Headers, "Location"); len(location) > 0 {
		if u, err := ucwa.Resolve(x.url, location[0]); err == nil && (self == nil || ucwa.Origin(u) == ucwa.Origin(x.url)) {
			return u
		}
	}
	return self
}

// refused finds the refusals that any resource can meet.
func (s *state) refused(x *Exchange) string {
	authorization := x.requestHeader("Authorization")
	own := s.e.own(x.url)
	switch {
	case x.Response.Code == 406 && !acceptsUCWA(strings.Join(x.requestHeader("Accept"), ",")):
		return "not acceptable"
	case s.e.refusesOrigin(x):
		return partOrigin
	case x.Response.Code == 404 && own && subcodeOf(x) == ucwa.SubcodeApplicationNotFound && (s.ended || s.seen && !s.e.livesAfter(x)):
		return partGone // deleted, or ended by silence
	case s.ended && x.is("events") && x.succeeded():
		return "pending when the application ended"
	case s.ended && own && x.Response.Code == http.StatusUnauthorized:
		return partBadToken // which may have expired meanwhile
	case s.ended && own && x.isPhoto():
		return "" // a picture that was loading, as a browser has it
	case s.ended && own:
		return partGone
	case (x.Response.Code == 403 || x.Response.Code == 500) && s.e.tokenFromElsewhere(x):
		return "token of another host"
	case x.is(relToken) || x.is(relUser) || x.is(relRoot):
		return "" // before there is an application
	case len(authorization) == 0 && !x.isPhoto() && (x.Response.Code/100 == 3 || x.Response.Code == 403) && (own || x.is("applications")) && s.e.index.carries:
		return partNoToken // refused in a way of its own
	case x.Response.Code == 401 && (own || x.is("applications")):
		switch {
		case len(authorization) == 0:
			return partNoToken
		case s.e.index.lastWith[x.authorization()] <= x.ID:
			return partBadToken // or one that has expired
		}
	}
	return ""
}

// own reports whether u is the application or lies below it.
func (e *Evidence) own(u *url.URL) bool {
	if e.application == nil {
		return false
	}
	key, app := linkKey(u), linkKey(e.application)
	return key == app || strings.HasPrefix(key, app+"/")
}

func subcodeOf(x *Exchange) string {
	object, _ := x.object()
	subcode, _ := member(object, "subcode")
	text, _ := subcode.(string)
	return text
}

// probeRestore marks what a driver sends to give back what was there.
// It is no part of the task.
const probeRestore = "restore"

// probeEnd marks the second DELETE of the application, where the first came to
// nothing. It is no part of the task either.
const probeEnd = "end-again"

// probeToken marks the request by which a driver looks whether its token is still good, where
// it was refused once the application was gone. It is no part of the task.
const probeToken = "token"

// isGood reports whether the token of x was good after it: then x was refused for another reason.
func (e *Evidence) isGood(x *Exchange) bool {
	return slices.ContainsFunc(e.Exchanges, func(y *Exchange) bool {
		return y.ID > x.ID && y.Probe == probeToken && y.Failure == "" && y.Response.Code != http.StatusUnauthorized && y.authorization() == x.authorization()
	})
}

// cleaning are the probes that only clean up, whatever happened before, or look whether that went well.
var cleaning = []string{probeRestore, probeEnd, probeStray, probeToken}

func tooEarly(method string) func(*state, *Exchange) bool {
	return func(s *state, x *Exchange) bool { return x.Request.Method == method && !s.available }
}

// asAnother: the application is another user's.
func asAnother(s *state, x *Exchange) bool { return x.Request.Method == "POST" && !s.e.own(x.url) }

// bySituation: without its mark the request would play the same part.
func bySituation(s *state, x *Exchange) bool { return s.situation(x) == x.Probe }

// unaccepted: the header field has a value that no ordinary request succeeds with.
func unaccepted(name string) func(*state, *Exchange) bool {
	return func(s *state, x *Exchange) bool {
		values := x.requestHeader(name)
		if name == "Authorization" {
			values = []string{x.authorization()}
		}
		return strings.Join(values, "") != "" && !s.e.accepts(name, values)
	}
}

// probed returns the refusal that a marked request is for, if it is on the
// resource that it should be on, and the mistake that it should be.
func (s *state) probed(x *Exchange) string {
	r := roleOf(x.Probe)
	if r.mistake == nil || !r.mistake(s, x) || !x.is(r.rel) && !x.is(r.too) && !granted(x) {
		return ""
	}
	return x.Probe
}

// granted reports whether x, which came before its link was served, was answered as
// by the resource, though the link that is served later is another: a server may know
// a path in several forms.
func granted(x *Exchange) bool {
	return strings.HasSuffix(x.Probe, "-before") && (x.succeeded() || x.Response.Code == http.StatusConflict && subcodeOf(x) == ucwa.SubcodeMakeMeAvailableRequired)
}

// otherMethod returns the refusal that a method is for which the resource has not. Of
// OPTIONS and the like no document says that it is refused.
func otherMethod(method, documented, part string) string {
	if method == documented || method == http.MethodPut || method == http.MethodPatch || method == http.MethodDelete {
		return part
	}
	return ""
}

// unwanted is the parameter of a media type that a client cannot take.
var unwanted = regexp.MustCompile(`(?i)(?:^|;)\s*q=0(?:\.0*)?\s*(?:;|$)`)

func acceptsUCWA(s string) bool {
	for item := range strings.SplitSeq(s, ",") {
		media, parameters, _ := strings.Cut(item, ";")
		if unwanted.MatchString(parameters) {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(media)) {
		case "*/*", "application/*", "application/json", "application/xml",
			"application/vnd.microsoft.com.ucwa+json", "application/vnd.microsoft.com.ucwa+xml":
			return true
		}
	}
	return false
}
