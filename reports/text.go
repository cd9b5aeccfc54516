package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Values longer than this are cut for people; JSON has the whole.
const shownRunes = 300

// A note says at its end what to do, behind hosts whose pseudonyms are long.
const noteRunes = 1000

// renderText is what a person reads in a terminal: a line a step, what could not be judged by its reasons, and at the end, where the terminal stands
// still, the failures and the outcome.
func renderText(r *Report, opts Options) ([]byte, error) {
	repeat := r.repeats()
	r = legible(r)
	p := newPrinter(opts)
	if list := r.stopped(); len(list) > 0 && !opts.Verbose {
		p.stop(r, list)
		return p.text(), nil
	}
	p.header(r)
	task, several := "", r.severalTasks()
	steps := byStep(r)
	if !opts.Verbose {
		steps = together(steps)
	}
	columns := p.columns(steps)
	for _, s := range steps {
		if s.Task != task {
			p.blank()
			if several {
				p.item(0, "", bold, r.taskTitle(s.Task), bold)
			}
		}
		task = s.Task
		p.step(s, columns)
		if opts.Verbose {
			for _, result := range s.Results {
				if result.Verdict == Pass {
					p.item(4, "✓ pass  ", tone(Pass), result.Requirement+"  "+shorten(result.Statement, shownRunes), plain)
				}
			}
		}
	}
	p.blank()
	roots := r.roots()
	p.unjudged(r, roots, opts.Verbose)
	p.failures(r, roots, repeat, opts.Verbose)
	p.footer(r, opts)
	return p.text(), nil
}

func (p *printer) header(r *Report) {
	p.item(0, strings.TrimSpace(r.Tool.Name+" "+r.Tool.Version)+" · ", bold, r.about(), plain)
	_, limit := r.Evidence.words()
	p.item(0, "evidence: ", plain, r.Evidence.provenance()+"; "+limit, plain)
}

// columns are how wide the parts of a step's line are, in runes.
type columns struct{ id, title, counts int }

// columns returns what the steps need, as far as the terminal has room.
func (p *printer) columns(steps []*stepResults) columns {
	var c columns
	for _, s := range steps {
		c.id = max(c.id, utf8.RuneCountInString(cut(s.ID, 14)))
		c.title = max(c.title, utf8.RuneCountInString(s.Title))
		c.counts = max(c.counts, utf8.RuneCountInString(s.checks()))
	}
	c.counts = min(c.counts, len("100 checks"))                               // what is longer takes the place of the request
	c.title = min(c.title, max(10, min(p.width-54, p.width-c.id-c.counts-7))) // which leaves room for the request
	return c
}

// step prints a step: what came of it, its title, how many checks it had, and the request, where there is room for that.
func (p *printer) step(s *stepResults, c columns) {
	counts := s.Counts
	for _, result := range s.Elsewhere {
		counts.add(result.Verdict)
	}
	worst := counts.worst()
	line := fmt.Sprintf("%-*s  %-*s  %-*s", c.id, cut(s.ID, 14), c.title, cut(s.Title, c.title), c.counts, s.checks())
	if room := p.width - 6 - utf8.RuneCountInString(line); room > 16 && s.Exchange != nil {
		line += "  " + cut(s.Exchange.short(), room)
	}
	p.b.WriteString(p.paint(symbol(worst), tone(worst)) + " " + uncommanded(strings.TrimRight(cut(line, p.width-2), " ")) + "\n")
}

// unjudged prints what was neither met nor broken: its reasons, each once. What only follows from a failure is counted there.
func (p *printer) unjudged(r *Report, roots map[string]int, verbose bool) {
	var quiet []Result
	for _, result := range r.Results {
		switch {
		case result.Verdict == Pass, result.broken(), result.Verdict == NotApplicable && !verbose, roots[result.root()] > 0 && !verbose:
		default:
			quiet = append(quiet, result)
		}
	}
	groups := gather(quiet)
	for i, g := range groups {
		if i == shownCauses && !verbose {
			p.item(0, "  ", plain, "and "+count(len(groups)-i, "more reason")+"; --verbose shows each", plain)
			break
		}
		lead := symbol(g.Verdict) + " " + string(g.Verdict) + "  "
		text := count(len(g.IDs), "requirement") + ": " + g.list(3, verbose)
		if len(g.IDs) == 1 {
			text = g.IDs[0]
		}
		if g.Reason != "" {
			text += " (" + shorten(g.Reason, noteRunes) + ")"
		}
		p.item(0, lead, tone(g.Verdict), text, plain)
	}
	if len(groups) > 0 {
		p.blank()
	}
}

const (
	shownCauses   = 12 // reasons, and
	shownFailures = 25 // failures that the text has without --verbose
)

// failures prints what is broken: first what is not known, and a must before a should.
func (p *printer) failures(r *Report, roots map[string]int, repeat *repeats, verbose bool) {
	var list []Result
	for _, of := range []func(Result) bool{
		func(x Result) bool { return x.Verdict == Fail && !x.excused() },
		func(x Result) bool { return x.Verdict == Warn && !x.excused() },
		Result.excused,
	} {
		for _, result := range r.Results {
			if result.broken() && of(result) {
				list = append(list, result)
			}
		}
	}
	variables := false
	for i, result := range list {
		if i == shownFailures && !verbose {
			p.item(0, "", plain, "and "+count(len(list)-i, "more failure")+"; --verbose shows each", plain)
			p.blank()
			break
		}
		line := repeat.line(result)
		variables = variables || strings.Contains(line, "$CONFORM_")
		p.result(result, roots[result.Requirement], line)
		p.blank()
	}
	if variables {
		p.item(0, "repeat: ", bold, "the variables are for credentials of yours; if the run deleted its application, name another in the address", dim)
	}
}

// result shows a failure, with its proof and how to repeat it.
func (p *printer) result(r Result, follow int, repeat string) {
	place := r.Level
	if where := r.where(); where != "" {
		place += ", " + where
	}
	verdict, colour := symbol(r.Verdict)+" "+string(r.Verdict)+"  ", tone(r.Verdict)
	if r.Known != nil {
		verdict, colour = symbol(r.Verdict)+" "+string(r.Verdict)+", known  ", yellow
	}
	p.item(0, verdict, colour, shorten(r.Requirement, shownRunes)+"  ("+shorten(place, shownRunes)+")", bold)
	if r.Statement != "" {
		p.item(2, "", plain, shorten(r.Statement, shownRunes), plain)
	}
	follows := ""
	if follow > 0 {
		follows = count(follow, "requirement") + " could not be judged after this"
	}
	for _, f := range [][2]string{{"expected  ", r.Expected}, {"observed  ", r.Observed}, {"reason    ", r.Reason}, {"said      ", r.Said}, {"blocks    ", follows},
		{"source    ", r.Source.String()}, {"known     ", r.Known.String()}} {
		if f[1] != "" {
			p.item(2, f[0], dim, shorten(f[1], shownRunes), plain)
		}
	}
	p.b.WriteString("  " + p.paint("explain   ", dim) + "conform explain " + argument(r.Requirement) + "\n") // not wrapped, either
	if p.ascii && strings.ContainsFunc(repeat, func(r rune) bool { return r >= utf8.RuneSelf }) {
		repeat = "" // it would be another request
	}
	if repeat != "" { // on one line, to be copied
		p.b.WriteString("  " + p.paint("repeat    ", dim) + repeat + "\n")
	}
}

func (p *printer) footer(r *Report, opts Options) {
	subjects := bySubject(r.Results)
	headline := r.Counts.String()
	if len(subjects) > 1 {
		headline += " (" + strings.Join(each(subjects, func(s share) string { return fmt.Sprintf("%s %d", s.Name, s.Counts.Total()) }), " · ") + ")"
	}
	if opts.Took > 0 {
		headline += fmt.Sprintf(" in %.1f s", opts.Took.Seconds())
	}
	p.item(0, r.Headline()+": ", outcomeTone(r.Outcome), headline, plain)
	if opts.Verbose {
		for _, s := range subjects {
			of := slices.DeleteFunc(slices.Clone(r.Results), func(result Result) bool { return result.Subject != s.Name })
			p.item(2, fmt.Sprintf("%-8s", s.Name), plain, strings.Join(each(byLevel(of), func(l share) string { return l.Name + ": " + l.Counts.String() }), " · "), plain)
		}
	}
	for _, s := range r.stale() {
		p.item(0, "baseline: ", red, shorten(s.Requirement, shownRunes)+": "+s.Problem, plain)
	}
	for _, note := range r.Notes {
		p.item(0, "note: ", yellow, shorten(note, noteRunes), plain)
	}
	p.item(0, "next: ", bold, next(r, opts.Dir), plain)
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

// text is what was printed.
func (p *printer) text() []byte {
	if !p.ascii {
		return []byte(p.b.String())
	}
	return []byte(strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf:
			return r
		case r == '✗':
			return 'x'
		case r == '✓':
			return '+'
		case strings.ContainsRune("–·→…", r):
			return '-'
		}
		return '?'
	}, p.b.String()))
}

// printer lays out lines. What it is given is legible already; the only escape
// sequences in its output are its own colours.
type printer struct {
	b     strings.Builder
	width int
	color bool
	ascii bool
}

func newPrinter(opts Options) *printer {
	width := opts.Width
	if width <= 0 {
		width = 100
	}
	return &printer{width: max(40, width), color: opts.Color, ascii: opts.ASCII}
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
