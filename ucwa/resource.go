package ucwa

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// Resource is a UCWA resource: HAL with a rel and an etag of its own. All that
// was served is kept; what has no field here stands in Properties.
type Resource struct {
	Rel        string
	Etag       string // decimal digits, unquoted; quotes belong only in If-Match
	Links      map[string][]Link
	Embedded   map[string][]*Resource
	Properties map[string]any // as DecodeJSON gives them, without _links, _embedded, rel and etag
}

// ParseResource reads a resource from the body of a response that came from
// base. Hrefs stay as served and are resolved against base when followed. A body
// that is no JSON object is a *JSONError. A link or an embedded resource inside it
// that is none, such as null, is left out: a client can do without what it does
// not need, and to judge the server is not its work.
func ParseResource(base *url.URL, body []byte) (*Resource, error) {
	value, err := DecodeJSON(body)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, &JSONError{Offset: -1, Problem: fmt.Sprintf("expected a resource (object), found %s", JSONType(value))}
	}
	return resourceOf(base, object), nil
}

// JSONType names the JSON type of a value that DecodeJSON returned: object,
// array, string, number, boolean or null.
func JSONType(v any) string {
	switch v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	}
	return "null"
}

func resourceOf(base *url.URL, object map[string]any) *Resource {
	r := &Resource{Links: map[string][]Link{}, Embedded: map[string][]*Resource{}, Properties: make(map[string]any, len(object))}
	for name, v := range object {
		switch name {
		case "rel":
			r.Rel, _ = v.(string)
		case "etag":
			r.Etag, _ = v.(string)
			if number, ok := v.(json.Number); ok {
				r.Etag = number.String()
			}
		case "_links":
			each(v, func(rel string, link map[string]any) {
				if l, ok := linkOf(base, link); ok {
					l.Rel = rel
					r.Links[rel] = append(r.Links[rel], l)
				}
			})
		case "_embedded":
			each(v, func(rel string, inner map[string]any) {
				r.Embedded[rel] = append(r.Embedded[rel], resourceOf(base, inner))
			})
		default:
			r.Properties[name] = v
		}
	}
	return r
}

// each calls f with every object that stands under each name: HAL allows one, or
// a list of them.
func each(value any, f func(name string, object map[string]any)) {
	members, _ := value.(map[string]any)
	for name, v := range members {
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, item := range list {
			if object, ok := item.(map[string]any); ok {
				f(name, object)
			}
		}
	}
}

// linkOf reads a link; one that carries its rel, as those in events do, has it.
func linkOf(base *url.URL, object map[string]any) (Link, bool) {
	rel, _ := object["rel"].(string)
	href, ok := object["href"].(string)
	if !ok {
		return Link{Rel: rel}, false // known by its name, but leads nowhere
	}
	link := Link{Rel: rel, Href: href, base: base}
	for name, v := range object {
		if name != "href" {
			if link.Attributes == nil {
				link.Attributes = map[string]any{}
			}
			link.Attributes[name] = v
		}
	}
	return link, true
}

// Link returns the first link served under rel; one that was not served leads
// nowhere: following it fails with ErrNotServed. Link may be called on nil.
func (r *Resource) Link(rel string) Link {
	if !r.HasLink(rel) {
		return Link{Rel: rel}
	}
	return r.Links[rel][0]
}

// HasLink reports whether a link was served under rel.
func (r *Resource) HasLink(rel string) bool { return r != nil && len(r.Links[rel]) > 0 }

// Embed returns the first resource embedded under rel, nil if there is none.
// Embed may be called on nil.
func (r *Resource) Embed(rel string) *Resource {
	if r == nil || len(r.Embedded[rel]) == 0 {
		return nil
	}
	return r.Embedded[rel][0]
}

// String returns the property name if it is a string, else "".
func (r *Resource) String(name string) string {
	if r == nil {
		return ""
	}
	s, _ := r.Properties[name].(string)
	return s
}

// Decode stores the properties in v, a pointer, by the rules of encoding/json.
// It fails on nil.
func (r *Resource) Decode(v any) error {
	if r == nil {
		return errors.New("there is no resource to decode")
	}
	data, err := json.Marshal(r.Properties)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}
