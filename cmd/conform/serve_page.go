package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// pagePath is where people look: no path of UCWA.
const pagePath = "/conform/"

// The page works without a script, by asking for itself anew; with it, it is replaced
// where something has changed.
//
//go:embed page
var pageFiles embed.FS

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page.html.tmpl").Funcs(template.FuncMap{"legible": legibleLine, "short": func(text string) string { return cut(text, 300) }}).
		ParseFS(pageFiles, "page/page.html.tmpl"))
})

// legibleLine is a text that can be shown on one line: what clients send is hostile.
func legibleLine(text string) string {
	return strings.ReplaceAll(reports.Legible(text), "\n", `\n`)
}

// pagePolicy lets the page load its own two files and nothing else, and be shown in no other.
const pagePolicy = "default-src 'none'; img-src data:; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// withPage answers for the page. A browser that is sent to the server itself is led
// there: only the navigation of a person says so in Sec-Fetch-Mode, no UCWA client.
func (h *host) withPage(next http.Handler) http.Handler {
	if h.config.page == "off" || h.config.page == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		person := r.URL.Path == "/" && r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" &&
			r.Header.Get("Sec-Fetch-Dest") == "document" && r.Header.Get("Authorization") == ""
		switch {
		case person && h.mayLook(r):
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, pagePath, http.StatusFound)
		case !strings.HasPrefix(r.URL.Path, pagePath):
			next.ServeHTTP(w, r)
		case !h.mayLook(r):
			http.Error(w, "This page is for people at the machine of the server itself, by one of its names: conform serve --page any opens it to all.", http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "This page can only be looked at.", http.StatusMethodNotAllowed)
		default:
			h.servePage(w, r)
		}
	})
}

// mayLook: a person at this machine, who asked for this server and not for a name that
// somebody let lead here.
func (h *host) mayLook(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	if r.Host == "" || r.Header.Get("X-Ms-Origin") != "" || site != "" && site != "same-origin" && site != "none" {
		return false // it came through the cross-domain frame, or another page made it
	}
	if h.config.page == "any" {
		return true
	}
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	name := r.Host
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	return err == nil && isLoopback(from) && (isLoopback(name) || slices.Contains(h.config.names, name))
}

func (h *host) servePage(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-cache")
	name, kind := strings.TrimPrefix(r.URL.Path, pagePath), ""
	switch name {
	case "":
		name, kind = "page", "text/html; charset=utf-8"
	case "page.css":
		kind = "text/css; charset=utf-8"
	case "page.js":
		kind = "text/javascript; charset=utf-8"
	default:
		http.Error(w, "There is no such page.", http.StatusNotFound)
		return
	}
	var content []byte
	if name == "page" {
		var b bytes.Buffer
		if err := pageTemplate().Execute(&b, h.view()); err != nil {
			http.Error(w, "The page could not be made.", http.StatusInternalServerError)
			return
		}
		content = []byte(h.secrets.Clean(b.String())) // a client can call itself what it wants
	} else {
		content, _ = pageFiles.ReadFile("page/" + name) // it is embedded
		if name == "page.css" {
			style, _ := reports.Style(string(content))
			content = []byte(style)
		}
	}
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(content))
	header.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", kind)
	_, _ = w.Write(content)
}

// view is what the page shows.
type view struct {
	Since     string
	Exchanges int
	Clients   []clientView // the latest first
	Earlier   int          // clients that are not shown
	Users     []ucwatest.Person
	More      int // users that are not shown
	Talks     []ucwatest.Conversation
	MoreTalks int
	Special   []string // faults and differences
}

type clientView struct {
	Number              int
	Label, User, Agent  string
	ID, Standing, Class string
	Pass                int
	Broken              []reports.Result
	Left                []reports.Result // what it has yet to show
	Steps               []exchangeView   // the latest first
	Dropped             int
}

type exchangeView struct {
	Number       int
	Method, Path string
	Status       string
	Part         string
	Broken       []string // the requirements that were broken there
}

// How much the page shows.
const (
	maxClients = 20
	maxSteps   = 12
	maxShown   = 30 // people, and conversations
)

func (h *host) view() view {
	v := view{Since: h.began.Format("2006-01-02 15:04"), Exchanges: h.journal.count()}
	v.Users, v.Talks = h.server.Standing()
	slices.SortStableFunc(v.Users, func(a, b ucwatest.Person) int { return cmp.Compare(rank(a), rank(b)) })
	v.Users, v.More = shownFirst(v.Users)
	slices.Reverse(v.Talks) // the latest first
	v.Talks, v.MoreTalks = shownFirst(v.Talks)
	for _, f := range h.config.faults {
		v.Special = append(v.Special, "fault "+f.Name+": "+f.Breaks)
	}
	for _, x := range h.config.variations {
		v.Special = append(v.Special, x.Name+": "+x.Allows)
	}
	clients := h.journal.list()
	slices.Reverse(clients)
	if len(clients) > maxClients {
		v.Earlier, clients = len(clients)-maxClients, clients[:maxClients]
	}
	for _, c := range clients {
		h.grader.mu.Lock()
		g := h.grader.grades[c.Number]
		h.grader.mu.Unlock()
		if g != nil {
			v.Clients = append(v.Clients, g.view())
		}
	}
	return v
}

// rank puts people who are offline after the others.
func rank(p ucwatest.Person) int {
	if p.Availability == "Offline" {
		return 1
	}
	return 0
}

// shownFirst returns as many of a list as the page shows, and how many are left.
func shownFirst[T any](list []T) (shown []T, more int) {
	shown = list[:min(len(list), maxShown)]
	return shown, len(list) - len(shown)
}

// within shortens a path in the client's own application.
func (c *client) within(path string) string {
	if at := strings.Index(path, "/applications/"+c.ID); at >= 0 && c.ID != "" {
		return "…" + path[at:]
	}
	return path
}

func (g *grade) view() clientView {
	s := g.state
	v := clientView{Number: s.Number, Label: s.label(), User: s.User, Agent: s.Agent, ID: s.ID, Dropped: s.dropped,
		Pass: len(g.with(reports.Pass)), Broken: g.broken()}
	for _, r := range g.with(reports.NotExercised, reports.Blocked) {
		if r.Level == "must" {
			v.Left = append(v.Left, r)
		}
	}
	switch {
	case len(g.with(reports.Fail)) > 0:
		v.Standing, v.Class = fmt.Sprintf("%d broken", len(v.Broken)), "bad"
	case len(v.Broken) > 0:
		v.Standing, v.Class = fmt.Sprintf("%d broken", len(v.Broken)), "care"
	case len(v.Left) > 0:
		v.Standing, v.Class = fmt.Sprintf("no violations, %d checks pending", len(v.Left)), "calm"
	default:
		v.Standing, v.Class = "conformant so far", "good"
	}
	where := map[int][]string{}
	for _, r := range v.Broken {
		if len(r.Evidence) > 0 {
			where[r.Evidence[0].Exchange] = append(where[r.Evidence[0].Exchange], r.Requirement)
		}
	}
	for _, x := range slices.Backward(s.exchanges) {
		if len(v.Steps) == maxSteps {
			break
		}
		e := exchangeView{Number: x.ID, Method: x.Request.Method, Path: s.within(shownPath(x.Request.URL)), Part: g.parts[x.ID], Broken: where[x.ID]}
		if e.Status = fmt.Sprint(x.Response.Code); x.Failure != "" {
			e.Status = "no answer"
		}
		v.Steps = append(v.Steps, e)
	}
	return v
}
