package suite

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// serving is one occasion on which a link was served.
type serving struct {
	rel  string
	by   int // index of the exchange in Evidence.Exchanges
	url  *url.URL
	self bool // a resource's link to itself
}

// linkKey identifies a resource by origin and path, without the query: clients
// add parameters to links. Paths are compared decoded, since = and %3d are one.
func linkKey(u *url.URL) string {
	return ucwa.Origin(u) + strings.TrimSuffix(path.Clean("/"+u.Path), "/")
}

// collectLinks notes every link that the answer of an exchange served: those of
// resources, embedded or not, and the named links of events and senders.
func (e *Evidence) collectLinks(by int, x *Exchange) {
	note := func(rel, href string, self bool) {
		if u, err := ucwa.Resolve(x.url, href); err == nil {
			e.served[linkKey(u)] = append(e.served[linkKey(u)], serving{rel, by, u, self})
		}
	}
	if location := header(x.Response.Headers, "Location"); len(location) > 0 && x.Response.Code == 201 {
		note("application", location[0], false)
	}
	object, err := x.object()
	if err != nil {
		return
	}
	var walk func(value any)
	walk = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			rel, _ := v["rel"].(string)
			if href, ok := v["href"].(string); ok && rel != "" {
				note(rel, href, false)
			}
			links, _ := v["_links"].(map[string]any)
			for name, link := range links {
				self := name == "self"
				if self && rel != "" {
					name = rel
				}
				if name == "next" || name == "resync" || name == "resume" {
					name = "events"
				}
				list, ok := link.([]any)
				if !ok {
					list = []any{link}
				}
				for _, item := range list {
					l, _ := item.(map[string]any)
					if href, ok := l["href"].(string); ok {
						note(name, href, self)
					}
				}
			}
			for name, inner := range v {
				if name != "_links" {
					walk(inner)
				}
			}
		}
	}
	walk(object)
}

// documentedEndings are the paths below an application that the documentation shows.
var documentedEndings = map[string]string{
	"/me/makeMeAvailable":            "makeMeAvailable",
	"/communication/makeMeAvailable": "makeMeAvailable",
	"/me/presence":                   "presence",
	"/me/note":                       "note",
	"/me/location":                   "location",
	"/me":                            "me",
	"/events":                        "events",
}

// relsOf returns the rels under which x's URL was served, before it was asked or
// later. A path is judged by its ending only if no link of that rel is known.
func (e *Evidence) relsOf(x *Exchange) []string {
	key := linkKey(x.url)
	if e.application != nil && key == linkKey(e.application) {
		return []string{"application"}
	}
	var rels []string
	for _, s := range e.served[key] {
		if !slices.Contains(rels, s.rel) {
			rels = append(rels, s.rel)
		}
	}
	if len(rels) > 0 {
		return rels
	}
	if strings.HasSuffix(x.url.Path, "/applications") {
		return []string{"applications"}
	}
	app := applicationOf(x.url)
	if app == nil {
		return nil
	}
	rest := strings.TrimPrefix(x.url.Path, app.Path)
	if rest == "" || rest == "/" {
		return []string{"application"}
	}
	rel := documentedEndings[rest]
	if rel == "" || e.serves(rel) {
		return nil // a path that this server does not use, or keeps elsewhere
	}
	return []string{rel}
}

// serves reports whether any answer served a link of that rel.
func (e *Evidence) serves(rel string) bool {
	for _, list := range e.served {
		if slices.ContainsFunc(list, func(s serving) bool { return s.rel == rel }) {
			return true
		}
	}
	return false
}
