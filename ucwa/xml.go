package ucwa

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// XMLNamespace is that of UCWA's XML.
const XMLNamespace = api.XMLNamespace

// DecodeXML reads a body in UCWA's XML, and returns what [DecodeJSON] returns for the same
// body in JSON: a resource, a package of events, the input of a request or an error. The
// reference says which properties are numbers or true or false, which links are lists and
// which values are dates; XML does not. What it does not know is text. At most [MaxBody] bytes
// and [MaxDepth] levels are read.
//
// Source: "Payload format", "Event channel details" and the examples of the API reference.
func DecodeXML(body []byte) (any, error) {
	if len(body) > MaxBody {
		return nil, fmt.Errorf("%d bytes of XML, at most %d are read", len(body), MaxBody)
	}
	d := &xmlDecoder{Decoder: xml.NewDecoder(bytes.NewReader(body))}
	root, err := d.next()
	if err != nil {
		return nil, fmt.Errorf("not XML: %w", err)
	}
	if root == nil || root.Name.Local == "" {
		return nil, errors.New("not the XML of UCWA: its element is not of the namespace " + XMLNamespace)
	}
	var value map[string]any
	switch root.Name.Local {
	case "resource":
		value, err = d.resource(root)
	case "input":
		value = map[string]any{}
		err = d.members(value, nil)
	case "events":
		value, err = d.events(root)
	case "reason":
		value, err = d.reason()
	default:
		err = errors.New("its element is " + root.Name.Local)
	}
	if err == nil {
		if _, err = d.next(); errors.Is(err, io.EOF) {
			return value, nil
		} else if err == nil {
			err = errors.New("something comes after its element")
		}
	}
	return nil, fmt.Errorf("not the XML of UCWA: %w", err)
}

type xmlDecoder struct {
	*xml.Decoder
	depth int
}

// next returns the next element inside the one that is open, nil at its end. Text between
// elements may be space only.
func (d *xmlDecoder) next() (*xml.StartElement, error) {
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if d.depth++; d.depth > MaxDepth {
				return nil, errors.New("it is too deep")
			}
			if t.Name.Space != XMLNamespace {
				t.Name = xml.Name{} // of somebody else: passed over
			}
			return &t, nil
		case xml.EndElement:
			d.depth--
			return nil, nil
		case xml.Directive:
			return nil, errors.New("there is a document type")
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, errors.New("there is text between elements")
			}
		}
	}
}

// each does something with each element inside the one that is open.
func (d *xmlDecoder) each(do func(*xml.StartElement) error) error {
	for {
		e, err := d.next()
		if err != nil || e == nil {
			return err
		}
		if err := do(e); err != nil {
			return err
		}
	}
}

// skip passes over the element that is open.
func (d *xmlDecoder) skip() error {
	for end := d.depth - 1; d.depth > end; {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t.(type) {
		case xml.StartElement:
			d.depth++
		case xml.EndElement:
			d.depth--
		}
		if d.depth > MaxDepth {
			return errors.New("it is too deep")
		}
	}
	return nil
}

// text reads the text of the element that is open, which may hold no other.
func (d *xmlDecoder) text() (string, error) {
	var s strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.EndElement:
			d.depth--
			return s.String(), nil
		case xml.CharData:
			s.Write(t)
		case xml.Comment:
		default:
			return "", errors.New("a value holds elements")
		}
	}
}

func attribute(e *xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// resource reads a resource. Its rel is the role that it has where it is embedded; in JSON
// the resource calls itself by what it is.
func (d *xmlDecoder) resource(e *xml.StartElement) (map[string]any, error) {
	rel := attribute(e, "rel")
	value := map[string]any{}
	page, known := api.ResourceOf(rel)
	if known {
		rel = page.Rel
	}
	if rel != "" {
		value["rel"] = rel
	}
	if href := attribute(e, "href"); href != "" {
		value["_links"] = map[string]any{"self": map[string]any{"href": href}}
	}
	return value, d.members(value, page)
}

// members reads what is inside a resource or an input.
func (d *xmlDecoder) members(value map[string]any, page *api.Resource) error {
	return d.each(func(e *xml.StartElement) error {
		switch e.Name.Local {
		case "property":
			text, err := d.text()
			if err != nil {
				return err
			}
			return set(value, attribute(e, "name"), typed(text, page, attribute(e, "name")))
		case "propertyList":
			list := []any{}
			err := d.each(func(item *xml.StartElement) error {
				text, err := d.text()
				if err == nil && item.Name.Local != "item" {
					err = errors.New("a list holds something that is no item")
				}
				list = append(list, text)
				return err
			})
			if err != nil {
				return err
			}
			return set(value, attribute(e, "name"), list)
		case "link":
			if attribute(e, "rel") == "self" {
				return d.skip() // which the element says itself
			}
			add(value, "_links", attribute(e, "rel"), link(e), listed(page, attribute(e, "rel"), func(l *api.Link) api.Cardinality { return l.Linked }))
			return d.skip()
		case "resource":
			role := attribute(e, "rel")
			inner, err := d.resource(e)
			add(value, "_embedded", role, inner, listed(page, role, func(l *api.Link) api.Cardinality { return l.Embedded }))
			return err
		}
		return d.skip()
	})
}

// listed tells whether the reference has a list under a rel.
func listed(page *api.Resource, rel string, how func(*api.Link) api.Cardinality) bool {
	if page == nil {
		return false
	}
	l, known := page.Link(rel)
	return known && how(l) == api.Many
}

// set sets a property, which must have a name and occur once.
func set(value map[string]any, name string, v any) error {
	if _, twice := value[name]; twice || name == "" || strings.HasPrefix(name, "_") {
		return errors.New("a property has no name, or one that occurs twice")
	}
	value[name] = v
	return nil
}

// add adds a link or an embedded resource: several under one rel are a list.
func add(value map[string]any, where, rel string, v any, many bool) {
	all, _ := value[where].(map[string]any)
	if all == nil {
		all = map[string]any{}
		value[where] = all
	}
	switch before := all[rel].(type) {
	case []any:
		all[rel] = append(before, v)
	case nil:
		if all[rel] = v; many {
			all[rel] = []any{v}
		}
	default:
		all[rel] = []any{before, v}
	}
}

// link is a link as JSON has it, without its rel.
func link(e *xml.StartElement) map[string]any {
	l := map[string]any{"href": attribute(e, "href")}
	for _, name := range []string{"title", "revision"} {
		if v := attribute(e, name); v != "" {
			l[name] = v
		}
	}
	return l
}

// aNumber is a number as JSON has it.
var aNumber = regexp.MustCompile(`^-?(?:0|[1-9]\d{0,17})(?:\.\d{1,17})?$`)

// typed is the value of a property as JSON has it.
func typed(text string, page *api.Resource, name string) any {
	if page == nil {
		return text
	}
	p, known := page.Property(name)
	if !known {
		return text
	}
	switch {
	case p.Type == "number" && aNumber.MatchString(strings.TrimSpace(text)):
		return json.Number(strings.TrimSpace(text))
	case p.Type == "boolean":
		if v, err := strconv.ParseBool(strings.TrimSpace(text)); err == nil {
			return v
		}
	case p.Date:
		if at, err := time.Parse(time.RFC3339, strings.TrimSpace(text)); err == nil {
			return fmt.Sprintf("/Date(%d)/", at.UnixMilli())
		}
	}
	return text
}

// events reads a package of events.
func (d *xmlDecoder) events(root *xml.StartElement) (map[string]any, error) {
	value := map[string]any{"rel": "events", "_links": map[string]any{"self": map[string]any{"href": attribute(root, "href")}}}
	senders := []any{}
	err := d.each(func(e *xml.StartElement) error {
		switch e.Name.Local {
		case "link":
			add(value, "_links", attribute(e, "rel"), link(e), false)
			return d.skip()
		case "sender":
			told := []any{}
			err := d.each(func(e *xml.StartElement) error {
				event, err := d.event(e)
				told = append(told, event)
				return err
			})
			senders = append(senders, map[string]any{"rel": attribute(e, "rel"), "href": attribute(e, "href"), "events": told})
			return err
		}
		return d.skip()
	})
	value["sender"] = senders
	return value, err
}

// event reads an event, whose element is its type.
func (d *xmlDecoder) event(e *xml.StartElement) (map[string]any, error) {
	to := link(e)
	to["rel"] = attribute(e, "rel")
	event := map[string]any{"type": e.Name.Local, "link": to}
	if status := attribute(e, "status"); status != "" {
		event["status"] = status
	}
	err := d.each(func(e *xml.StartElement) (err error) {
		switch e.Name.Local {
		case "in":
			in := link(e)
			in["rel"] = attribute(e, "rel")
			event["in"] = in
			return d.skip()
		case "reason":
			event["reason"], err = d.reason()
			return err
		case "resource":
			role := attribute(e, "rel")
			inner, err := d.resource(e)
			add(event, "_embedded", role, inner, false)
			return err
		}
		return d.skip()
	})
	return event, err
}

// reason reads an error: an element for each member, and one for each parameter.
func (d *xmlDecoder) reason() (map[string]any, error) {
	value := map[string]any{}
	err := d.each(func(e *xml.StartElement) error {
		if e.Name.Local != "parameters" && e.Name.Local != "debugInfo" {
			text, err := d.text()
			value[e.Name.Local] = text
			return err
		}
		list, bag := []any{}, map[string]any{}
		err := d.each(func(p *xml.StartElement) error {
			text, err := d.text()
			bag[attribute(p, "name")] = text
			list = append(list, map[string]any{"name": attribute(p, "name"), "reason": text})
			return err
		})
		if value[e.Name.Local] = list; e.Name.Local == "debugInfo" {
			value[e.Name.Local] = bag
		}
		return err
	})
	return value, err
}
