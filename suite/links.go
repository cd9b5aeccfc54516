package suite

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// serving is the first occasion on which a link was served.
type serving struct {
	rel  string // "" where the answer does not tell it
	in   string // the rel of the resource that has it, "" if it has none
	by   int    // index of the exchange in Evidence.Exchanges
	url  *url.URL
	self bool // a resource's link to itself
}

// servedLink is a link that was noted before: with the next answer it is served again.
type servedLink struct {
	rel, in, url string
	self         bool
}

// foundLink is a link in an answer, wherever that stands.
type foundLink struct {
	serving
	text string // of its URL
	key  string // of its URL, if it was looked for before
}

// linkKey identifies a resource by origin and path, without the query: clients
// add parameters to links. Paths are compared as IIS compares them: decoded, since =
// and %3d are one, and without case; // is another path than /.
func linkKey(u *url.URL) string {
	place := lowerPath(u.Path)
	if !strings.HasPrefix(place, "/") {
		place = "/" + place
	}
	return ucwa.Origin(u) + strings.TrimSuffix(place, "/")
}

// lowerPath returns a path in lower case, and as long as it was.
func lowerPath(path string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, path)
}

// isApplications reports whether a path is that of the applications resource.
func isApplications(u *url.URL) bool { return strings.HasSuffix(lowerPath(u.Path), "/applications") }

// collectLinks notes the links that the answer of an exchange served.
func (e *Evidence) collectLinks(by int, x *Exchange, noted map[servedLink]bool) {
	links := x.links
	if links == nil {
		links = linksOf(x)
	}
	for _, link := range links {
		link.by = by
		if link.in == "me" && !link.self {
			e.inMe = append(e.inMe, link.serving)
		}
		seen := servedLink{link.rel, link.in, link.text, link.self}
		if noted[seen] {
			continue
		}
		noted[seen] = true
		key, rel := link.key, link.rel
		if key == "" {
			key = linkKey(link.url)
		}
		e.served[key] = append(e.served[key], link.serving)
		if rel != "" && !slices.Contains(e.relsAt[key], rel) {
			e.relsAt[key] = append(e.relsAt[key], rel)
		}
		e.relsServed[rel] = true
	}
}

// linksOf finds every link that the answer of an exchange served: those of resources,
// embedded or not, and the named links of events and senders.
func linksOf(x *Exchange) []foundLink {
	var list []foundLink
	note := func(rel, in, href string, self bool) {
		if u, err := ucwa.Resolve(x.url, href); err == nil {
			list = append(list, foundLink{serving: serving{rel: rel, in: in, url: u, self: self}, text: u.String()})
		}
	}
	if created := createdBy(x); created != nil && x.Response.Code == 201 && isApplications(x.url) {
		note("application", "", created.String(), false)
	}
	for _, location := range cassettes.HeaderValues(x.Response.Headers, "Location") {
		note("", "", location, false)
	}
	if strings.HasPrefix(strings.Join(cassettes.HeaderValues(x.Response.Headers, "Content-Type"), ""), "multipart/") {
		for _, m := range anyHref.FindAllStringSubmatch(x.Response.Body, -1) {
			if href, err := strconv.Unquote(strings.ReplaceAll(m[1], `\/`, "/")); err == nil {
				note("", "", href, false)
			}
		}
	}
	object, err := x.object()
	if err != nil {
		return list
	}
	var walk func(in string, value any)
	walk = func(in string, value any) {
		switch v := value.(type) {
		case []any:
			for _, item := range v {
				walk(in, item)
			}
		case map[string]any:
			rel, _ := v["rel"].(string)
			if href, ok := v["href"].(string); ok && rel != "" {
				note(rel, in, href, false)
			}
			in = cmp.Or(rel, in)
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
					if href, ok := dig(item, "href"); ok {
						text, _ := href.(string)
						note(name, in, text, self)
					}
				}
			}
			for name, inner := range v {
				if name == "_embedded" {
					resources, _ := inner.(map[string]any)
					for rel, resource := range resources {
						walk(rel, resource)
					}
				} else if name != "_links" {
					walk(in, inner)
				}
			}
		}
	}
	walk("", object)
	return list
}

// anyHref finds the links in the answers of a batch, whatever resources they are in.
var anyHref = regexp.MustCompile(`"href"\s*:\s*("(?:[^"\\]|\\.)*")`)

// relsOf returns the rels under which x's URL was served, before it was asked or
// later. A path is judged by its ending only if no link of that rel is known.
func (e *Evidence) relsOf(x *Exchange) []string {
	key := linkKey(x.url)
	if e.application != nil && key == linkKey(e.application) {
		return []string{"application"}
	}
	if rel := e.signIn[key]; rel != "" {
		return []string{rel}
	}
	if rels := e.relsAt[key]; len(rels) > 0 {
		return rels
	}
	if isApplications(x.url) {
		return []string{"applications"}
	}
	app := applicationOf(x.url)
	if app == nil {
		return nil
	}
	rest := lowerPath(strings.TrimPrefix(x.url.Path, app.Path))
	if rest == "" || rest == "/" {
		return []string{"application"}
	}
	rel := roles().paths[rest]
	if strings.HasPrefix(rest, "/photos/") {
		rel = "photo"
	}
	if rel == "" || e.serves(rel) {
		return nil // a path that this server does not use, or keeps elsewhere
	}
	return []string{rel}
}

// serves reports whether any answer served a link of that rel.
func (e *Evidence) serves(rel string) bool { return e.relsServed[rel] }

// belongsElsewhere reports whether u lies below another application than that at app.
func belongsElsewhere(u, app *url.URL) bool {
	owner := applicationOf(u)
	return owner != nil && applicationOf(app) != nil && linkKey(owner) != linkKey(applicationOf(app))
}

// follows reports whether u is a link that was served: a client may add parameters
// to its query, and leave out none.
func follows(u, served *url.URL) bool {
	query := u.Query()
	for name, values := range served.Query() {
		if !slices.Equal(query[name], values) {
			return false
		}
	}
	return linkKey(u) == linkKey(served)
}

// hasLink reports whether the answer has an application whose me has that link.
func hasLink(x *Exchange, rel string) bool {
	object, err := x.object()
	if err != nil {
		return false
	}
	_, ok := dig(object, "_embedded", "me", "_links", rel)
	return ok
}
