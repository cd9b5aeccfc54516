package reports

import (
	"html/template"
	"strings"
)

// run is a piece of text that is shown in one way. ID and Class are ours.
type run struct{ Text, ID, Class string }

// scrolls reports whether runs may be higher than the box that holds them, on a phone too: then
// who has no mouse must be able to go there.
func scrolls(runs []run) bool {
	n := 0
	for _, r := range runs {
		n += len(r.Text)
	}
	return n > 300
}

// runsHTML is runs as HTML. It does by itself what the template would do for each piece:
// a page has thousands, and the template takes a millisecond for a thousand.
func runsHTML(runs []run) template.HTML {
	var b strings.Builder
	for _, r := range runs {
		if r.ID == "" && r.Class == "" {
			template.HTMLEscape(&b, []byte(r.Text))
			continue
		}
		b.WriteString("<mark")
		attribute(&b, "id", r.ID)
		attribute(&b, "class", r.Class)
		b.WriteByte('>')
		template.HTMLEscape(&b, []byte(r.Text))
		b.WriteString("</mark>")
	}
	return template.HTML(b.String())
}

func attribute(b *strings.Builder, name, value string) {
	if value != "" {
		b.WriteString(" " + name + `="`)
		template.HTMLEscape(b, []byte(value))
		b.WriteByte('"')
	}
}

// Class is the style of a result.
func (r *htmlResult) Class() string { return class(r.shownAs()) }

// verdictHTML is the verdict of a result by its colour, its symbol and its word.
func verdictHTML(r *htmlResult) template.HTML {
	word := string(r.Verdict)
	if r.excused() {
		word += ", known"
	}
	return template.HTML(`<span class="verdict ` + r.Class() + `"><span aria-hidden="true">` + symbol(r.Verdict) + `</span> ` +
		template.HTMLEscapeString(word) + `</span>`)
}
