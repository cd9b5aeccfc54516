package ucwatest

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// task follows what a client does with its applications, so that a rule can name
// the exchange that it is about. The parts are those of package suite.
type task struct {
	mu     sync.Mutex
	state  map[string]*progress // by application
	order  []string             // of the applications, the one that was served first first
	counts map[string]int       // of exchanges, by part
	notes  map[string]string    // what rules want to remember
}

type progress struct {
	available, ended bool
	token            string
	rels             map[string]string // of the links served, by path
}

// A server can stand for weeks: what is remembered of clients is bounded. The application
// that was served first is forgotten first; by then it is long gone.
const (
	mostFollowed = 1000 // applications
	mostRels     = 1000 // links of one
	mostCounts   = 1000 // parts, of which a client can name some
)

var applicationPath = regexp.MustCompile(`^.*/applications/[^/]+`)

// progress returns what an application has come to. One that never served anything is not
// followed: anybody can make up its path.
func (t *task) progress(r *http.Request) *progress {
	if t.state == nil {
		t.state, t.counts, t.notes = map[string]*progress{}, map[string]int{}, map[string]string{}
	}
	if p := t.state[applicationPath.FindString(r.URL.Path)]; p != nil {
		return p
	}
	return &progress{rels: map[string]string{}}
}

// follow keeps what the application at a path has come to, and returns it.
func (t *task) follow(path string, p *progress) *progress {
	app := applicationPath.FindString(path)
	if t.state[app] != nil {
		return t.state[app]
	}
	if len(t.order) == mostFollowed {
		delete(t.state, t.order[0])
		t.order = t.order[1:]
	}
	t.state[app], t.order = p, append(t.order, app)
	return p
}

// count counts an exchange of a part.
func (t *task) count(part string) int {
	if len(t.counts) >= mostCounts && t.counts[part] == 0 {
		return 1
	}
	t.counts[part]++
	return t.counts[part]
}

// rel returns the rel of the resource that is asked, "" if it is not known.
func (t *task) rel(u *url.URL) string {
	app := applicationPath.FindString(u.Path)
	if app == "" {
		return ""
	}
	if u.Path == app {
		return "application"
	}
	if p := t.state[app]; p != nil && p.rels[u.Path] != "" {
		return p.rels[u.Path]
	}
	return map[string]string{"/me/makeMeAvailable": "makeMeAvailable", "/me/presence": "presence", "/me/note": "note",
		"/me/location": "location", "/events": "events"}[strings.TrimPrefix(u.Path, app)]
}

// part says what a request is in the task, by what is asked and when.
func (t *task) part(r *http.Request, body []byte) (part string, nth int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.progress(r)
	if part = signInPart(r); part != "" {
		return part, t.count(part)
	}
	part = t.rel(r.URL)
	get, post := r.Method == http.MethodGet, r.Method == http.MethodPost
	before := func(yes string) string {
		if p.available {
			return yes
		}
		return part + "-" + strings.ToLower(r.Method) + "-before"
	}
	switch {
	case p.ended:
		part = "gone"
	case part == "application" && r.Method == http.MethodDelete:
		part = "end"
	case part == "application" && get && !p.available:
		part = "application before"
	case part == "makeMeAvailable" && !post:
		part = "method-makeMeAvailable"
	case part == "makeMeAvailable" && p.available:
		part = "make-again"
	case part == "presence" && get:
		part = before("presence read")
	case part == "presence" && post:
		part = before(setting(r, body))
	case part == "presence":
		part = "method-presence"
	case part == "note" || part == "location":
		part = before(part)
	}
	return part, t.count(part)
}

var probeMark = regexp.MustCompile(`\(probe ([A-Za-z-]+)\)`)

// signInPart says what a request is before there is an application, "" if it comes
// after. What asks for a refusal says so in User-Agent.
func signInPart(r *http.Request) string {
	var part string
	switch r.URL.Path {
	case discoverPath, rootPath:
		part = "autodiscover"
	case userPath:
		if part = "user"; r.Header.Get("Authorization") == "" {
			part = "challenge"
		}
	case tokenPath:
		part = "token"
	case root:
		if part = "create"; r.Method == http.MethodGet {
			part = "applications"
		}
	default:
		return ""
	}
	if m := probeMark.FindStringSubmatch(r.UserAgent()); m != nil {
		return m[1]
	}
	return part
}

// setting says what a POST on presence asks for.
func setting(r *http.Request, body []byte) string {
	switch {
	case len(bytes.TrimSpace(body)) == 0:
		return "reset"
	case !supported(r.Header):
		return "media-type"
	}
	f, err := parse(r.Header, body)
	if err != nil {
		return "not-json"
	}
	if f.oneOf("availability", preferredAvailabilities); f.err() != nil {
		return "availability"
	}
	return "presence"
}

// answered learns from an answer, and knows the refusals that only the server can
// tell.
func (t *task) answered(x *exchange) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, authorization := t.progress(x.request), x.request.Header.Get("Authorization")
	ok := x.status/100 == 2
	part := x.part
	switch {
	case signInPart(x.request) != "":
		// What is refused there has told so itself.
	case x.status == http.StatusUnauthorized && authorization == "":
		part = "no-token"
	case x.status == http.StatusUnauthorized:
		part = "bad-token"
	case x.status == http.StatusForbidden && x.header.Get("X-Ms-Diagnostics") != "":
		part = "origin"
	case x.status == http.StatusForbidden && part == "makeMeAvailable" && bytes.Contains(x.body, []byte("AnonymousNotAllowed")):
		part = "anonymous"
	case x.status == http.StatusForbidden && part == "makeMeAvailable":
		part = "modality"
	case part == "makeMeAvailable":
		p.available = p.available || ok
	case part == "end":
		p.ended = p.ended || ok
	}
	if ok {
		t.follow(x.request.URL.Path, p).token = authorization
		t.learn(x)
	}
	return part
}

// learn notes under which rels an answer serves links.
func (t *task) learn(x *exchange) {
	resource, err := ucwa.ParseResource(x.request.URL, x.body)
	if err != nil {
		return
	}
	var note func(r *ucwa.Resource)
	note = func(r *ucwa.Resource) {
		for rel, links := range r.Links {
			for _, link := range links {
				ref, err := url.Parse(link.Href)
				if err != nil || rel == "self" || rel == "next" {
					continue
				}
				path := x.request.URL.ResolveReference(ref).Path
				if p := t.follow(path, &progress{rels: map[string]string{}}); len(p.rels) < mostRels {
					p.rels[path] = rel
				}
			}
		}
		for _, list := range r.Embedded {
			for _, inner := range list {
				note(inner)
			}
		}
	}
	note(resource)
}

// remember notes a value under a name, unless one is noted there, and returns
// what is noted.
func (t *task) remember(name, value string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, noted := t.notes[name]; !noted {
		t.notes[name] = value
	}
	return t.notes[name]
}

// swap notes a value under a name and returns the one before, "" if there was none.
func (t *task) swap(name, value string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.notes[name]
	t.notes[name] = value
	return before
}

// tokenOf returns the Authorization with which the application was served last.
func (t *task) tokenOf(r *http.Request) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.progress(r).token
}
