package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// look is what the results looked at in one exchange: the fields, each with the verdict
// that hangs on it, and the worst of these.
type look struct {
	fields map[string]Verdict
	Counts Counts
	Worst  Verdict // "" if no verdict rests on the exchange
}

// looksAt gathers by exchange what was looked at. A problem is that of the first field
// that a result names; what else it names was looked at on the way.
func looksAt(r *Report) map[int]*look {
	looks := map[int]*look{}
	for _, result := range r.Results {
		counted := map[int]bool{}
		for i, at := range result.Evidence {
			x := looks[at.Exchange]
			if x == nil {
				x = &look{fields: map[string]Verdict{}}
				looks[at.Exchange] = x
			}
			verdict := result.shownAs()
			if i > 0 && verdict != Pass {
				verdict = ""
			}
			x.fields[at.Field] = worseVerdict(x.fields[at.Field], verdict)
			if verdict != "" && !counted[at.Exchange] {
				counted[at.Exchange] = true
				x.Counts.add(result.Verdict)
				x.Worst = worseVerdict(x.Worst, verdict)
			}
		}
	}
	return looks
}

// worseVerdict is the worse of two verdicts; none is better than any.
func worseVerdict(a, b Verdict) Verdict {
	badness := []Verdict{"", NotApplicable, NotTested, NotExercised, Pass, Blocked, Warn, Error, Fail}
	if slices.Index(badness, b) > slices.Index(badness, a) {
		return b
	}
	return a
}

// htmlExchange is an exchange as the page shows it.
type htmlExchange struct {
	*Exchange
	*look
	Request, Response []run
	Brief             bool // the messages were left out
}

// About is what stands beside the exchange: its part, its time, and what rests on it.
func (x *htmlExchange) About() string {
	var parts []string
	if x.Step != "" {
		parts = append(parts, cut(x.Step, 40))
	}
	if x.Aside != "" {
		parts = append(parts, "not judged: "+cut(x.Aside, 120))
	}
	if x.DurationMs > 0 {
		parts = append(parts, fmt.Sprintf("%.1f ms", x.DurationMs))
	}
	if x.Worst != "" {
		parts = append(parts, x.Counts.String())
	}
	return strings.Join(parts, " · ")
}

// offset is when the exchange began, after another.
func (x *htmlExchange) offset(first time.Time) float64 {
	return float64(x.StartedAt.Sub(first).Microseconds()) / 1000
}

// link is where the page shows a field, and the lines around it.
type link struct {
	href    string
	excerpt *excerpt
}

// excerpt is the part of a message that a verdict hangs on.
type excerpt struct {
	Exchange int
	Response bool
	Runs     []run
}

// exchangesOf lays out the exchanges. Where there are very many, those on which
// verdicts rest come first in what the page has room for.
func exchangesOf(raw, r *Report, looks map[int]*look) ([]*htmlExchange, map[Pointer]link) {
	order := make([]int, len(r.Exchanges))
	for i := range order {
		order[i] = i
	}
	none := &look{}
	at := func(i int) *look {
		if x := looks[r.Exchanges[i].Number]; x != nil {
			return x
		}
		return none
	}
	weight := func(i int) int {
		switch x := at(i); {
		case x.Worst != "" && x.Worst != Pass:
			return 0
		case x.Worst != "":
			return 1
		case x != none:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(order, func(a, b int) int { return weight(a) - weight(b) })
	order = order[:min(len(order), htmlExchanges)]
	shown := make([]*htmlExchange, 0, len(order))
	links := map[Pointer]link{}
	room := htmlMessages
	seen := map[string]int{}
	numbers := map[int]bool{} // a file could number two alike: the first has the anchor
	for _, i := range order {
		x := &htmlExchange{Exchange: &r.Exchanges[i], look: at(i)}
		if numbers[x.Number] {
			continue
		}
		numbers[x.Number] = true
		shown = append(shown, x)
		if room <= 0 {
			x.Brief = true
		} else {
			request, response := x.messages(&raw.Exchanges[i], seen)
			x.Request, x.Response = request.runs(), response.runs()
			room -= request.size + response.size
			for field := range x.fields {
				m := request.find(field)
				if m == nil {
					m = response.find(field)
				}
				if m != nil {
					links[Pointer{x.Number, field}] = *m
				}
			}
		}
		for field := range x.fields {
			if p := (Pointer{x.Number, field}); links[p].href == "" {
				links[p] = link{href: fmt.Sprintf("#exchange-%d", x.Number)}
			}
		}
	}
	slices.SortFunc(shown, func(a, b *htmlExchange) int { return a.Number - b.Number })
	return shown, links
}

// message is a request or a response, line by line.
type message struct {
	number   int
	response bool
	lines    []bodyLine     // path is the field, as a pointer names it, in lower case
	index    map[string]int // of the first line that is that field
	marks    map[int]Verdict
	size     int
}

// messages lays out both. The bodies are laid out as they came, and then made legible.
func (x *htmlExchange) messages(raw *Exchange, seen map[string]int) (request, response *message) {
	request = &message{number: x.Number, index: map[string]int{}, marks: map[int]Verdict{}}
	request.add(x.Exchange.Request.Method+" "+x.Exchange.Request.URL, "request")
	request.headers(x.Exchange.Request.Headers, "request header ")
	request.body(raw.Request.Body, "request body", x, seen)
	response = &message{number: x.Number, response: true, index: map[string]int{}, marks: map[int]Verdict{}}
	if x.Exchange.Response != nil {
		response.add(fmt.Sprintf("HTTP %d", x.Exchange.Response.Status), "status")
		response.headers(x.Exchange.Response.Headers, "header ")
		response.body(raw.Response.Body, "", x, seen)
	}
	for field, verdict := range x.fields {
		for _, m := range []*message{request, response} {
			if i := m.line(field); i >= 0 {
				for j := i; j <= m.last(i, verdict); j++ {
					m.marks[j] = worseVerdict(m.marks[j], verdict)
				}
				break
			}
		}
	}
	return request, response
}

// last is the last line of a member with something wrong in it, if it is small enough
// to be marked whole; else its first.
func (m *message) last(first int, v Verdict) int {
	const most = 8
	indent := func(i int) int { return len(m.lines[i].text) - len(strings.TrimLeft(m.lines[i].text, " ")) }
	if v == "" || v == Pass || !strings.HasSuffix(m.lines[first].text, "{") && !strings.HasSuffix(m.lines[first].text, "[") {
		return first
	}
	for i := first + 1; i < min(first+most, len(m.lines)); i++ {
		if indent(i) <= indent(first) {
			return i
		}
	}
	return first
}

func (m *message) add(text, field string) {
	text = shorten(text, htmlValueRunes)
	if _, known := m.index[field]; !known && field != "" {
		m.index[field] = len(m.lines)
	}
	m.lines = append(m.lines, bodyLine{text, field})
	m.size += len(text) + 1
}

func (m *message) headers(fields map[string][]string, prefix string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for _, v := range fields[name] {
			m.add(name+": "+v, prefix+strings.ToLower(name))
		}
	}
}

// body adds a body. One that stands in an exchange before, and into which nobody
// looked, is not shown again.
func (m *message) body(body, prefix string, x *htmlExchange, seen map[string]int) {
	if body == "" {
		return
	}
	m.add("", "")
	if len(body) > 500 {
		if before := seen[body]; before != 0 && !x.lookedInto(prefix) {
			m.add(fmt.Sprintf("(the same %d bytes as in exchange %d)", len(body), before), "")
			return
		} else if before == 0 {
			seen[body] = x.Number
		}
	}
	size := 0
	for i, line := range bodyLines(body) {
		field := prefix
		switch {
		case line.path != "":
			field = strings.TrimPrefix(prefix+"."+strings.ToLower(line.path), ".")
		case i > 0:
			field = ""
		case prefix == "":
			field = "body"
		}
		text := visible(line.text)
		if size += len(text); size > htmlBodyRunes*4 {
			m.add(fmt.Sprintf("… (cut here; the body has %d bytes)", len(body)), "")
			return
		}
		m.add(text, field)
	}
}

// lookedInto tells whether a member of the body was looked at.
func (x *htmlExchange) lookedInto(prefix string) bool {
	for field := range x.fields {
		if prefix != "" && strings.HasPrefix(field, prefix) {
			return true
		}
		if prefix == "" && field != "status" && !strings.HasPrefix(field, "header ") && !strings.HasPrefix(field, "request") {
			return true
		}
	}
	return false
}

// line is the index of the line where a field stands, -1 if it does not.
func (m *message) line(field string) int {
	field = strings.ToLower(field)
	if !m.response && (field == "request method" || field == "request url" || strings.HasPrefix(field, "request url.")) {
		field = "request"
	}
	if i, ok := m.index[field]; ok {
		return i
	}
	return -1
}

func (m *message) id(line int) string {
	side := 'q'
	if m.response {
		side = 'a'
	}
	return fmt.Sprintf("x%d%c%d", m.number, side, line)
}

// runs is the message as text, with the lines that were looked at marked.
func (m *message) runs() []run { return m.text(0, len(m.lines), m.id) }

// text is some lines of the message.
func (m *message) text(from, to int, id func(int) string) []run {
	var runs []run
	var text strings.Builder
	for i := from; i < to; i++ {
		line := m.lines[i].text
		verdict, marked := m.marks[i]
		if marked {
			inner := strings.TrimLeft(line, " ")
			text.WriteString(line[:len(line)-len(inner)])
			if text.Len() > 0 {
				runs = append(runs, run{Text: text.String()})
				text.Reset()
			}
			style := "seen"
			if verdict != "" && verdict != Pass {
				style = class(verdict)
			}
			runs = append(runs, run{inner, id(i), style})
		} else {
			text.WriteString(line)
		}
		text.WriteByte('\n')
	}
	return append(runs, run{Text: text.String()})
}

// find is where the page shows a field of this message, nil if it is not there.
func (m *message) find(field string) *link {
	i := m.line(field)
	if i < 0 {
		return nil
	}
	to := &link{href: "#" + m.id(i)}
	if v := m.marks[i]; v == "" || v == Pass {
		return to
	}
	noID := func(int) string { return "" }
	from := max(i-3, 0)
	around := m.text(from, min(i+4, len(m.lines)), noID)
	switch {
	case from == 2:
		around = append(m.text(0, 2, noID), around...)
	case from > 0:
		around = append(append(m.text(0, 1, noID), run{Text: "⋮\n"}), around...)
	}
	if i+4 < len(m.lines) {
		around = append(around, run{Text: "⋮\n"})
	}
	to.excerpt = &excerpt{m.number, m.response, around}
	return to
}
