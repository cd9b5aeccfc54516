package ucwatest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

const (
	xmlType     = "application/xml"
	ucwaXMLType = "application/vnd.microsoft.com.ucwa+xml"
)

func isXML(mediaType string) bool { return strings.HasSuffix(mediaType, "xml") }

// inXML writes a resource, or an error, in UCWA's XML. It says what the JSON says:
// properties and lists of them, links and embedded resources, all as elements, but the
// rel and the link to itself, which are attributes of the resource. Source: API
// reference, whose examples are in both.
//
// An event is an element of its type, in one of its sender.
func inXML(o object) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	x := &xmlWriter{&b}
	if o.object("_links") != nil {
		x.resource(o, o.text("rel"), `xmlns="`+ucwa.XMLNamespace+`"`)
	} else {
		x.reason(o, ` xmlns="`+ucwa.XMLNamespace+`"`)
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

// resource writes a resource under the rel that it has where it is embedded, or a package of
// events, whose element is its own. Source: "Payload format", "XML representation", and Event
// channel details, sample XML event response.
func (x *xmlWriter) resource(o object, rel, attributes string) {
	element := "resource"
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
		if link.name == "self" {
			continue // it is the href
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
			x.resource(inner, m.name, "")
		}
	}
	x.WriteString("</" + element + ">")
}

// link begins an element that leads somewhere.
func (x *xmlWriter) link(element, rel string, to object) {
	x.WriteString("<" + element)
	x.attribute("rel", rel)
	x.attribute("href", to.text("href"))
	for _, name := range []string{"title", "revision"} {
		if value := to.text(name); value != "" {
			x.attribute(name, value)
		}
	}
}

func (x *xmlWriter) sender(o object) {
	x.link("sender", o.text("rel"), o)
	x.WriteByte('>')
	for _, e := range objects(o.get("events")) {
		x.event(e)
	}
	x.WriteString("</sender>")
}

// event writes an event as an element of its type. What the reference does not show is
// written as what it shows: a status is an attribute, the collection a link of its own name.
func (x *xmlWriter) event(e object) {
	to := e.object("link")
	x.link(e.text("type"), to.text("rel"), to)
	if status := e.text("status"); status != "" {
		x.attribute("status", status)
	}
	if e.object("in") == nil && e.object("reason") == nil && e.object("_embedded") == nil {
		x.WriteString("/>")
		return
	}
	x.WriteByte('>')
	if in := e.object("in"); in != nil {
		x.link("in", in.text("rel"), in)
		x.WriteString("/>")
	}
	if reason := e.object("reason"); reason != nil {
		x.reason(reason, "")
	}
	for _, m := range e.object("_embedded") {
		for _, inner := range objects(m.value) {
			x.resource(inner, m.name, "")
		}
	}
	x.WriteString("</" + e.text("type") + ">")
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
func (x *xmlWriter) reason(o object, attributes string) {
	x.WriteString("<reason" + attributes + ">")
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

// inputs is how a request begins, and not what a server sends besides.
var inputs = regexp.MustCompile(`^\s*(?:<\?[^>]*\?>)?\s*(?:<!--[\s\S]*?-->\s*)*<(?:[\w.-]+:)?(?:input|resource)\b`)

// parseXML reads a body in XML: an input, or a resource as it was served. All values are
// text; what else one is, whoever asks for it knows.
func parseXML(body []byte) (*fields, error) {
	f := &fields{values: map[string]json.RawMessage{}, loose: map[string]bool{}}
	if len(bytes.TrimSpace(body)) == 0 {
		return f, nil
	}
	value, err := ucwa.DecodeXML(body)
	input, _ := value.(map[string]any)
	if err != nil || !inputs.Match(body) {
		return nil, notParsed("The body is not the XML of a request.")
	}
	for name, v := range input {
		key := strings.ToLower(name)
		if f.values[key] != nil {
			return nil, notParsed("A property of the body occurs twice.")
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, notParsed("A property of the body cannot be read.")
		}
		f.values[key], f.loose[key] = raw, true
	}
	return f, nil
}
