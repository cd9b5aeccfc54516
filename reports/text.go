package reports

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Values longer than this are cut for people; JSON has the whole.
const shownRunes = 300

// A note says at its end what to do, behind hosts whose pseudonyms are long.
const noteRunes = 1000

// renderText is what a person reads in a terminal.
func renderText(r *Report, opts Options) ([]byte, error) {
	r = legible(r)
	p := newPrinter(opts)
	if list := r.stopped(); len(list) > 0 && !opts.Verbose {
		p.stop(r, list)
		return []byte(p.b.String()), nil
	}
	p.header(r)
	task, several := "", r.severalTasks()
	steps := byStep(r)
	if !opts.Verbose {
		steps = together(steps)
	}
	for _, s := range steps {
		if s.Task != task && several {
			p.item(0, "", bold, r.taskTitle(s.Task), bold)
			p.blank()
		}
		task = s.Task
		p.step(s, opts.Verbose)
		p.blank()
	}
	p.footer(r, opts.Dir)
	return []byte(p.b.String()), nil
}

func (p *printer) header(r *Report) {
	p.item(0, strings.TrimSpace(r.Tool.Name+" "+r.Tool.Version)+" · ", bold, r.about(), plain)
	p.item(0, "evidence: ", plain, r.Evidence.provenance(), plain)
	_, limit := r.Evidence.words()
	p.item(10, "", plain, "("+limit+")", dim)
	p.blank()
}

func (p *printer) step(s *stepResults, verbose bool) {
	lead := ""
	if s.ID != "" {
		lead = shorten(s.ID, 40) + "  "
	}
	p.item(2, lead, bold, shorten(s.Title, shownRunes), bold)
	indent := 4 + min(4, utf8.RuneCountInString(s.ID))
	if request := s.Request(); request != "" {
		p.item(indent, "", plain, shorten(request, shownRunes), dim)
	}
	worst := s.Counts.worst()
	if s.Counts.Total() > 0 {
		p.item(indent, symbol(worst)+" ", tone(worst), s.Counts.String(), plain)
	}
	if s.Under != "" {
		under := ""
		if s.Counts.Total() > 0 {
			under = ", judged under " + s.Under
		}
		shared := s.Shared()
		p.item(indent, symbol(shared.worst())+" ", tone(shared.worst()), shared.String()+under, plain)
	}
	var quiet []Result
	alike := map[string]int{} // errors by their reason: a dead connection has dozens
	for _, result := range s.Results {
		if result.Verdict == Error && result.Reason != "" {
			alike[result.Reason]++
		}
	}
	for _, result := range s.Results {
		switch {
		case result.Verdict == Error && alike[result.Reason] > 2:
			quiet = append(quiet, result)
		case result.speaks():
			p.result(indent, result)
		case result.Verdict == Pass && verbose:
			p.item(indent, "✓ pass  ", tone(Pass), result.Requirement+"  "+shorten(result.Statement, shownRunes), plain)
		case result.Verdict != Pass:
			quiet = append(quiet, result)
		}
	}
	for _, g := range gather(quiet) {
		text := g.list(6, verbose)
		if g.Reason != "" {
			text += " (" + shorten(g.Reason, noteRunes) + ")"
		}
		p.item(indent, symbol(g.Verdict)+" "+string(g.Verdict)+"  ", tone(g.Verdict), text, plain)
	}
}

// result shows a verdict that has something to show, with its proof.
func (p *printer) result(indent int, r Result) {
	place := r.Level
	if where := r.where(); where != "" {
		place += ", " + where
	}
	verdict, colour := symbol(r.Verdict)+" "+string(r.Verdict)+"  ", tone(r.Verdict)
	if r.Known != nil {
		verdict, colour = symbol(r.Verdict)+" "+string(r.Verdict)+", known  ", yellow
	}
	p.item(indent, verdict, colour, shorten(r.Requirement, shownRunes)+"  ("+shorten(place, shownRunes)+")", plain)
	if r.Statement != "" {
		p.item(indent+2, "", plain, shorten(r.Statement, shownRunes), plain)
	}
	for _, f := range [][2]string{{"expected  ", r.Expected}, {"observed  ", r.Observed}, {"reason    ", r.Reason}, {"said      ", r.Said}, {"source    ", r.Source.String()}, {"known     ", r.Known.String()}} {
		if f[1] != "" {
			p.item(indent+2, f[0], dim, shorten(f[1], shownRunes), plain)
		}
	}
}

func (p *printer) footer(r *Report, dir string) {
	subjects := bySubject(r.Results)
	headline := r.Counts.String()
	var parts []string
	for _, s := range subjects {
		parts = append(parts, fmt.Sprintf("%s %d", s.Name, s.Counts.Total()))
	}
	if len(parts) > 0 {
		headline += "        " + strings.Join(parts, " · ")
	}
	p.item(0, r.Headline()+": ", outcomeTone(r.Outcome), headline, plain)
	for _, s := range subjects {
		var of []Result
		for _, result := range r.Results {
			if result.Subject == s.Name {
				of = append(of, result)
			}
		}
		var levels []string
		for _, l := range byLevel(of) {
			levels = append(levels, l.Name+": "+l.Counts.String())
		}
		p.item(2, fmt.Sprintf("%-8s", s.Name), plain, strings.Join(levels, " · "), plain)
	}
	p.item(0, "", plain, r.Evidence.sentence(), plain)
	for _, s := range r.stale() {
		p.item(0, "baseline: ", red, shorten(s.Requirement, shownRunes)+": "+s.Problem, plain)
	}
	for _, note := range r.Notes {
		p.item(0, "note: ", yellow, shorten(note, noteRunes), plain)
	}
	p.item(0, "next: ", bold, next(r, dir), plain)
}

// severalTasks tells whether steps need the name of their task.
func (r *Report) severalTasks() bool {
	for _, result := range r.Results {
		if result.Task != r.Results[0].Task {
			return true
		}
	}
	return false
}

// list is the ids, or the first of them.
func (g *alike) list(most int, all bool) string {
	if all || len(g.IDs) <= most {
		return strings.Join(g.IDs, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(g.IDs[:most], ", "), len(g.IDs)-most)
}

// symbol stands before the word of a verdict, never in its place.
func symbol(v Verdict) string {
	switch v {
	case Pass:
		return "✓"
	case Fail, Error:
		return "✗"
	case Warn:
		return "!"
	}
	return "–"
}

// colour is an ANSI escape sequence, or none.
type colour string

const (
	plain  colour = ""
	bold   colour = "\x1b[1m"
	dim    colour = "\x1b[2m"
	red    colour = "\x1b[31m"
	green  colour = "\x1b[32m"
	yellow colour = "\x1b[33m"
)

func tone(v Verdict) colour {
	switch v {
	case Pass:
		return green
	case Fail, Error:
		return red
	case Warn, Blocked:
		return yellow
	}
	return dim
}

func outcomeTone(o Outcome) colour {
	switch o {
	case Conformant:
		return green
	case Nonconformant:
		return red
	}
	return yellow
}

// printer lays out lines. What it is given is legible already; the only escape
// sequences in its output are its own colours.
type printer struct {
	b     strings.Builder
	width int
	color bool
}

func newPrinter(opts Options) *printer {
	width := opts.Width
	if width <= 0 {
		width = 100
	}
	return &printer{width: max(40, width), color: opts.Color}
}

func (p *printer) blank() { p.b.WriteByte('\n') }

// item prints a label and a text, wrapped, so that the text goes on below itself.
func (p *printer) item(indent int, label string, labelColour colour, text string, textColour colour) {
	hang := indent + utf8.RuneCountInString(label)
	if hang > p.width/2 { // no room beside such a label
		text, label, hang = label+text, "", indent
		labelColour = plain
	}
	lead := strings.Repeat(" ", indent) + p.paint(label, labelColour)
	for _, line := range wrap(text, max(20, p.width-hang)) {
		line = uncommanded(line)
		p.b.WriteString(strings.TrimRight(lead+p.paint(line, textColour), " ") + "\n")
		lead = strings.Repeat(" ", hang)
	}
}

func (p *printer) paint(s string, c colour) string {
	if !p.color || c == plain || s == "" {
		return s
	}
	return string(c) + s + "\x1b[0m"
}

// wrap breaks a line at spaces, or within a word that is longer than a line. Runs of
// spaces stay as they are: two values may differ in nothing else.
func wrap(s string, width int) []string {
	runes := []rune(s)
	var lines []string
	for len(runes) > width {
		end, skip := width, 0
		for i := width; i > 0; i-- {
			if runes[i] == ' ' {
				end, skip = i, 1
				break
			}
		}
		lines = append(lines, string(runes[:end]))
		runes = runes[end+skip:]
	}
	return append(lines, string(runes))
}
