package ucwatest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	xmlType     = "application/xml"
	ucwaXMLType = "application/vnd.microsoft.com.ucwa+xml"

	namespace = "http://schemas.microsoft.com/rtc/2012/03/ucwa"

	maxDepth = 100 // of elements in a request; what is read has two levels
)

func isXML(mediaType string) bool { return strings.HasSuffix(mediaType, "xml") }

// inXML writes a resource, or an error, in UCWA's XML. It says what the JSON says:
// properties and lists of them, links and embedded resources, all as elements, the
// rel and the link to itself also as attributes of the resource. Source: API
// reference, whose examples are in both.
//
// How events look in XML the reference does not show: here a sender is an element
// that holds one for each event, which is named for its type.
func inXML(o object) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	x := &xmlWriter{&b}
	if o.object("_links") != nil {
		x.resource(o, `xmlns="`+namespace+`"`)
	} else {
		x.reason(o)
	}
	return b.Bytes()
}

// discoverXML writes links as Autodiscover does in its own XML.
func discoverXML(element string, links object) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	x := &xmlWriter{&b}
	x.WriteString(`<AutodiscoverResponse AccessLocation="External"><` + element + ">")
	for _, link := range links {
		x.WriteString("<Link")
		x.attribute("token", tokens[link.name])
		x.attribute("href", links.object(link.name).text("href"))
		x.WriteString("/>")
	}
	x.WriteString("</" + element + "></AutodiscoverResponse>")
	return b.Bytes()
}

type xmlWriter struct{ *bytes.Buffer }

// attribute writes name="value".
func (x *xmlWriter) attribute(name, value string) {
	x.WriteString(" " + name + `="`)
	x.text(value)
	x.WriteByte('"')
}

// text writes characters; those that XML cannot have become U+FFFD.
func (x *xmlWriter) text(s string) { _ = xml.EscapeText(x, []byte(s)) } // a buffer takes everything

// resource writes a resource, or a package of events, whose element is its own and which
// does not repeat its href as a link. Source: Event channel details, sample XML event response.
func (x *xmlWriter) resource(o object, attributes string) {
	element, rel := "resource", o.text("rel")
	if rel == "events" {
		element, rel = rel, ""
	}
	x.WriteString("<" + element)
	if rel != "" { // what Autodiscover serves has none
		x.attribute("rel", rel)
	}
	x.attribute("href", o.object("_links").object("self").text("href"))
	if attributes != "" {
		x.WriteString(" " + attributes)
	}
	x.WriteByte('>')
	for _, link := range o.object("_links") {
		if element == "events" && link.name == "self" {
			continue
		}
		for _, one := range objects(link.value) {
			x.link("link", link.name, one)
			x.WriteString("/>")
		}
	}
	for _, m := range o {
		switch m.name {
		case "_links", "_embedded", "rel":
		case "sender":
			for _, sender := range objects(m.value) {
				x.sender(sender)
			}
		default:
			x.property(m)
		}
	}
	for _, m := range o.object("_embedded") {
		for _, inner := range objects(m.value) {
			x.resource(inner, "")
		}
	}
	x.WriteString("</" + element + ">")
}

// link begins an element that leads somewhere.
func (x *xmlWriter) link(element, rel string, to object) {
	x.WriteString("<" + element)
	x.attribute("rel", rel)
	x.attribute("href", to.text("href"))
	if revision := to.text("revision"); revision != "" {
		x.attribute("revision", revision)
	}
}

func (x *xmlWriter) sender(o object) {
	x.link("sender", o.text("rel"), o)
	x.WriteByte('>')
	events, _ := o.get("events").([]object)
	for _, e := range events {
		to := e.object("link")
		x.link(e.text("type"), to.text("rel"), to)
		x.WriteString("/>")
	}
	x.WriteString("</sender>")
}

func (x *xmlWriter) property(m member) {
	list, isList := m.value.([]string)
	element := "property"
	if isList {
		element = "propertyList"
	}
	x.WriteString("<" + element)
	x.attribute("name", m.name)
	x.WriteByte('>')
	if isList {
		for _, item := range list {
			x.element("item", item)
		}
	} else {
		x.text(fmt.Sprint(m.value))
	}
	x.WriteString("</" + element + ">")
}

func (x *xmlWriter) element(name, content string) {
	x.WriteString("<" + name + ">")
	x.text(content)
	x.WriteString("</" + name + ">")
}

// reason is an error: an element for each member.
func (x *xmlWriter) reason(o object) {
	x.WriteString(`<reason xmlns="` + namespace + `">`)
	for _, m := range o {
		bad, isList := m.value.([]badParameter)
		if !isList {
			x.element(m.name, fmt.Sprint(m.value))
			continue
		}
		x.WriteString("<parameters>")
		for _, p := range bad {
			x.property(member{p.Name, p.Reason})
		}
		x.WriteString("</parameters>")
	}
	x.WriteString("</reason>")
}

// objects are the objects of a value that may be one or several.
func objects(v any) []object {
	if one, is := v.(object); is {
		return []object{one}
	}
	list, _ := v.([]object)
	return list
}

// parseXML reads a body in XML: an input, or a resource as it was served, with the
// properties in it. Links and embedded resources in it are passed over. All values
// are text; what else one is, whoever asks for it knows.
func parseXML(body []byte) (*fields, error) {
	f := &fields{values: map[string]json.RawMessage{}, loose: map[string]bool{}}
	if len(bytes.TrimSpace(body)) == 0 {
		return f, nil
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	root, err := nextElement(d)
	if err == nil && (root == nil || root.Name.Space != namespace || root.Name.Local != "input" && root.Name.Local != "resource") {
		err = errors.New("its element is no input of the namespace " + namespace)
	}
	for err == nil {
		var e *xml.StartElement
		if e, err = nextElement(d); e == nil {
			break
		}
		switch e.Name.Local {
		case "property":
			var s string
			if s, err = textOf(d); err == nil {
				err = f.add(*e, s)
			}
		case "propertyList":
			var list []string
			if list, err = itemsOf(d); err == nil {
				err = f.add(*e, list)
			}
		default:
			err = skip(d)
		}
	}
	if err == nil {
		if _, err = nextElement(d); errors.Is(err, io.EOF) {
			return f, nil
		}
	}
	return nil, notParsed("The body is not the XML of a request.")
}

// nextElement returns the next element inside the one that is open, nil at its end.
// Text between elements may be space only.
func nextElement(d *xml.Decoder) (*xml.StartElement, error) {
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return &t, nil
		case xml.EndElement:
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

// textOf reads the text of the element that is open, which may hold no other.
func textOf(d *xml.Decoder) (string, error) {
	var s strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.EndElement:
			return s.String(), nil
		case xml.CharData:
			s.Write(t)
		case xml.Comment:
		default:
			return "", errors.New("a value holds elements")
		}
	}
}

func itemsOf(d *xml.Decoder) ([]string, error) {
	list := []string{}
	for {
		e, err := nextElement(d)
		if err != nil || e == nil {
			return list, err
		}
		if e.Name.Local != "item" {
			return nil, errors.New("a list holds something that is no item")
		}
		s, err := textOf(d)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
}

// skip passes over the element that is open.
func skip(d *xml.Decoder) error {
	for depth := 1; depth > 0; {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
		if depth > maxDepth {
			return errors.New("it is too deep")
		}
	}
	return nil
}

// add notes a property that the element names.
func (f *fields) add(e xml.StartElement, value any) error {
	for _, a := range e.Attr {
		key := strings.ToLower(a.Value)
		if a.Name.Local != "name" || f.values[key] != nil {
			continue
		}
		raw, err := json.Marshal(value)
		f.values[key], f.loose[key] = raw, true
		return err
	}
	return errors.New("a property has no name, or one that occurs twice")
}
