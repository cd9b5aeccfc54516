package prove

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// ResourceFaults returns what can be wrong with a resource of the API reference, whatever it is: its status, media type, JSON, rel and self
// link; each of its links and properties, missing or of another type; its events, lost or reported twice. They are for people who write
// clients (`conform serve --fault contact/self`): no requirement is held to them yet, so nothing proves by them. What is sent in XML, or in a
// batch, they leave alone.
//
// Each is named by the resource, a slash and what is wrong: "contact/self", "conversation/links.messaging", "message/event-lost".
func ResourceFaults() []Fault {
	told, embedded := map[string]bool{}, map[string]bool{}
	for _, page := range api.Resources() {
		for _, e := range page.Events {
			told[e.Resource] = true
		}
		for _, l := range page.Links {
			embedded[l.Rel] = embedded[l.Rel] || l.Embedded != api.None
		}
	}
	var list []Fault
	for _, page := range api.Resources() {
		rel := page.Rel
		_, reads := page.Operation(http.MethodGet)
		if page.Name != rel || !reads && !told[rel] && !embedded[rel] { // a role or a revision of another, or something that is only done
			continue
		}
		add := func(name, breaks string, edit func(*exchange)) {
			list = append(list, Fault{Name: rel + "/" + name, Subject: "server", Breaks: breaks, edit: edit})
		}
		if reads {
			whole := func(edit func(*exchange)) func(*exchange) {
				return func(x *exchange) {
					if root, is := x.object(); is && root["rel"] == rel && x.request.Method == http.MethodGet && x.status/100 == 2 {
						edit(x)
					}
				}
			}
			add("status", "answers 500 with "+rel, whole(content(http.StatusInternalServerError, `{"code":"ServiceFailure"}`)))
			add("media", "answers a page of HTML with "+rel, whole(html))
			add("json", "cuts the JSON of "+rel, whole(func(x *exchange) { x.body = x.body[:len(x.body)/2] }))
		}
		add("rel", "gives "+rel+" the rel resource", wherever(rel, func(o map[string]any) { o["rel"] = "resource" }))
		add("self", "serves "+rel+" without a link to itself", wherever(rel, func(o map[string]any) { delete(links(o), "self") }))
		for _, l := range page.Links {
			if l.Rel != "self" {
				add("links."+l.Rel, "serves "+rel+" without "+l.Rel, wherever(rel, func(o map[string]any) {
					delete(links(o), l.Rel)
					if inside, is := o["_embedded"].(map[string]any); is {
						delete(inside, l.Rel)
					}
				}))
			}
		}
		for _, p := range page.Properties {
			add("properties."+p.Name, "serves "+rel+" without "+p.Name, wherever(rel, func(o map[string]any) { delete(o, p.Name) }))
			add("properties."+p.Name+"-type", "serves "+p.Name+" of "+rel+" as another type", wherever(rel, func(o map[string]any) {
				if v, there := o[p.Name]; there {
					o[p.Name] = retyped(v)
				}
			}))
		}
		if told[rel] {
			add("event-lost", "does not report events of "+rel, asObject(func(root map[string]any) { report(root, rel, 0) }))
			add("event-again", "reports each event of "+rel+" twice", asObject(func(root map[string]any) { report(root, rel, 2) }))
		}
	}
	return list
}

// ResourceFaultNamed returns the resource fault of that name in any case. Where there is none, others are those of the same resource, if it
// has any.
func ResourceFaultNamed(name string) (fault Fault, others []string, found bool) {
	rel, _, _ := strings.Cut(name, "/")
	for _, f := range ResourceFaults() {
		if strings.EqualFold(f.Name, name) {
			return f, nil, true
		}
		if of, what, _ := strings.Cut(f.Name, "/"); strings.EqualFold(of, rel) {
			others = append(others, what)
		}
	}
	return Fault{}, others, false
}

// report reports each event about a resource so many times.
func report(root map[string]any, rel string, times int) {
	senders, _ := root["sender"].([]any)
	for _, s := range senders {
		sender, _ := s.(map[string]any)
		list, _ := sender["events"].([]any)
		all := []any{}
		for _, e := range list {
			event, _ := e.(map[string]any)
			link, _ := event["link"].(map[string]any)
			n := 1
			if link["rel"] == rel {
				n = times
			}
			all = append(all, slices.Repeat([]any{e}, n)...)
		}
		if sender != nil {
			sender["events"] = all
		}
	}
}

// wherever changes each resource of a rel in an answer: on its own, embedded, or in an event.
func wherever(rel string, edit func(map[string]any)) func(*exchange) {
	return func(x *exchange) {
		root, is := x.object()
		if !is || x.status/100 != 2 {
			return
		}
		found := false
		var walk func(any)
		walk = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				for _, inner := range v {
					walk(inner)
				}
				if _, resource := v["_links"].(map[string]any); resource && v["rel"] == rel {
					edit(v)
					found = true
				}
			case []any:
				for _, inner := range v {
					walk(inner)
				}
			}
		}
		walk(root)
		if data, err := json.Marshal(root); err == nil && found {
			x.body = data
		}
	}
}

// links are those of a resource that wherever found.
func links(o map[string]any) map[string]any { return o["_links"].(map[string]any) }
