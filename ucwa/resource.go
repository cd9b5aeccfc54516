package ucwa

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
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
// base. Hrefs stay as served and are resolved against base when followed.
// Errors name the member at fault by its JSON Pointer; they are *JSONError.
func ParseResource(base *url.URL, body []byte) (*Resource, error) {
	value, err := DecodeJSON(body)
	if err != nil {
		return nil, err
	}
	return parseResource(base, value, nil)
}

func shapeError(path []string, want string, got any) error {
	return &JSONError{Pointer: pointer(path), Offset: -1, Problem: fmt.Sprintf("expected %s, found %s", want, JSONType(got))}
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

func parseResource(base *url.URL, value any, path []string) (*Resource, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, shapeError(path, "a resource (object)", value)
	}
	r := &Resource{Properties: make(map[string]any, len(object))}
	for _, name := range slices.Sorted(maps.Keys(object)) { // of several faults, always the same one is told
		v := object[name]
		at := append(path[:len(path):len(path)], name)
		var err error
		switch name {
		case "rel":
			r.Rel, ok = v.(string)
		case "etag":
			r.Etag, ok = v.(string)
		case "_links":
			r.Links, err = parseLinks(base, v, at)
		case "_embedded":
			r.Embedded, err = parseEmbedded(base, v, at)
		default:
			r.Properties[name] = v
		}
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, shapeError(at, "a string", v)
		}
	}
	return r, nil
}

// members calls each with every value that stands under each name: HAL allows
// one object or a list of them.
func members(value any, path []string, each func(name string, v any, at []string) error) error {
	object, ok := value.(map[string]any)
	if !ok {
		return shapeError(path, "an object", value)
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		v := object[name]
		at := append(path[:len(path):len(path)], name)
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for i, v := range list {
			where := at
			if isList {
				where = append(at[:len(at):len(at)], fmt.Sprint(i))
			}
			if err := each(name, v, where); err != nil {
				return err
			}
		}
	}
	return nil
}

func parseLinks(base *url.URL, value any, path []string) (map[string][]Link, error) {
	links := map[string][]Link{}
	return links, members(value, path, func(rel string, v any, at []string) error {
		link, err := parseLink(base, rel, v, at)
		links[rel] = append(links[rel], link)
		return err
	})
}

func parseLink(base *url.URL, rel string, value any, path []string) (Link, error) {
	link := Link{Rel: rel, base: base}
	object, ok := value.(map[string]any)
	if !ok {
		return link, shapeError(path, "a link (object with href)", value)
	}
	for name, v := range object {
		if name != "href" {
			if link.Attributes == nil {
				link.Attributes = map[string]any{}
			}
			link.Attributes[name] = v
			continue
		}
		if link.Href, ok = v.(string); !ok {
			return link, shapeError(append(path[:len(path):len(path)], name), "a string", v)
		}
	}
	return link, nil
}

func parseEmbedded(base *url.URL, value any, path []string) (map[string][]*Resource, error) {
	embedded := map[string][]*Resource{}
	return embedded, members(value, path, func(rel string, v any, at []string) error {
		r, err := parseResource(base, v, at)
		embedded[rel] = append(embedded[rel], r)
		return err
	})
}

// Link returns the first link served under rel; one that was not served leads
// nowhere: following it fails with ErrNotServed. Link may be called on nil.
func (r *Resource) Link(rel string) Link {
	if r == nil || len(r.Links[rel]) == 0 {
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
// On nil it fails.
func (r *Resource) Decode(v any) error {
	if r == nil {
		return errors.New("there is no resource to decode: it was not served")
	}
	data, err := json.Marshal(r.Properties)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}
