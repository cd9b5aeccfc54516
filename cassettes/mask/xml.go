package mask

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// Elements of UCWA's XML, and attributes of them. Source: "Payload format" and "Event channel details".
var (
	elementsOfUCWA = strings.Fields("resource input events sender reason link in property propertyList item parameters debugInfo code subcode message " +
		"started updated completed added deleted")
	attributesOfUCWA = strings.Fields("rel href title revision status name")
)

// xml masks a body in UCWA's XML as its JSON would be: by the names of properties, links and members of errors. It tells whether it was
// that; anything else in XML is a text.
func (m *Masker) xml(s string, depth int) (masked string, is bool) {
	d := xml.NewDecoder(strings.NewReader(s))
	var b strings.Builder
	type level struct{ element, name string }
	var stack []level
	seen := false                                                         // the element of the body
	escaped := func(text string) { _ = xml.EscapeText(&b, []byte(text)) } // a Builder takes everything
	for {
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return b.String(), len(stack) == 0 && b.Len() > 0
		case err != nil:
			return "", false
		}
		switch t := t.(type) {
		case xml.ProcInst:
			b.WriteString(`<?xml version="1.0" encoding="utf-8"?>`)
		case xml.StartElement:
			if len(stack) == 0 && seen || t.Name.Space != api.XMLNamespace || !slices.Contains(elementsOfUCWA, t.Name.Local) || len(stack) > 100 {
				return "", false
			}
			seen = true
			inner := level{t.Name.Local, ""}
			if len(stack) > 0 && t.Name.Local == "item" {
				inner.name = stack[len(stack)-1].name
			}
			b.WriteString("<" + t.Name.Local)
			if len(stack) == 0 {
				b.WriteString(` xmlns="` + api.XMLNamespace + `"`)
			}
			for _, a := range t.Attr {
				if a.Name.Local == "xmlns" || a.Name.Space == "xmlns" {
					continue
				}
				if a.Name.Space != "" || !slices.Contains(attributesOfUCWA, a.Name.Local) {
					return "", false
				}
				b.WriteString(" " + a.Name.Local + `="`)
				if a.Name.Local == "name" {
					inner.name = a.Value
					escaped(m.memberName(a.Value, a.Value))
				} else {
					escaped(m.inJSON(a.Name.Local, a.Value, depth))
				}
				b.WriteString(`"`)
			}
			b.WriteString(">")
			if stack = append(stack, inner); inner.element == "property" && len(stack) > 1 && stack[len(stack)-2].element == "parameters" {
				stack[len(stack)-1].name = "reason" // why a parameter was refused
			}
		case xml.EndElement:
			b.WriteString("</" + t.Name.Local + ">")
			stack = stack[:len(stack)-1]
		case xml.CharData:
			text := string(t)
			if strings.TrimSpace(text) == "" {
				b.WriteString(text)
				continue
			}
			if len(stack) == 0 {
				return "", false // outside of the body's one element
			}
			switch top := stack[len(stack)-1]; {
			case text == "true" || text == "false":
				escaped(text)
			case top.name != "":
				escaped(m.inJSON(top.name, text, depth))
			default:
				escaped(m.inJSON(top.element, text, depth))
			}
		case xml.Directive:
			return "", false
		}
	}
}
