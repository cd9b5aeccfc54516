package reports

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// telling is the rows in which not every target passes: first what is broken somewhere, then what could not be judged, last what was not exercised.
func (m *Matrix) telling() []Row {
	var rows []Row
	for _, r := range m.Rows {
		if slices.ContainsFunc(r.Verdicts, func(v Verdict) bool { return v != Pass && !v.aside() && v != "" }) {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return a.urgency() - b.urgency() })
	return rows
}

// urgency is lowest for the row with the worst verdict; what a baseline knows can wait.
func (r Row) urgency() int {
	least := len(worstFirst)
	for at, v := range r.Verdicts {
		rank := slices.Index(worstFirst, v)
		if r.Known[at] {
			rank = slices.Index(worstFirst, Blocked)
		}
		if rank >= 0 {
			least = min(least, rank)
		}
	}
	return least
}

// cell is a verdict in the matrix, in words.
func (r Row) cell(at int) string { return cellWords(r.Verdicts[at], r.Known[at]) }

func cellWords(v Verdict, known bool) string {
	switch {
	case v == "":
		return ""
	case known:
		return symbol(v) + " known " + string(v)
	}
	return symbol(v) + " " + string(v)
}

// Beyond so many targets a matrix shows those alone that need a look, and no more of them. JSON has all.
const shownTargets = 200

// shown returns which targets are shown, the worst first, and says in words what the others are; "" if there
// are none.
func (m *Matrix) shown() (at []int, others string) {
	left := map[Outcome]int{}
	for _, o := range worstOutcomes {
		for i, c := range m.Targets {
			switch {
			case c.Outcome != o:
			case o == Conformant && len(m.Targets) > shownTargets, len(at) == shownTargets:
				left[o]++
			default:
				at = append(at, i)
			}
		}
	}
	if len(at) == len(m.Targets) {
		return at, ""
	}
	var words []string
	for _, o := range worstOutcomes {
		if left[o] > 0 {
			words = append(words, fmt.Sprintf("%d %s", left[o], o.words()))
		}
	}
	return at, "not shown: " + count(len(m.Targets)-len(at), "target") + ", " + strings.Join(words, ", ") + "; --format json has them all"
}

// WriteMatrix writes the matrix in one of the [MatrixFormats].
func WriteMatrix(w io.Writer, m *Matrix, format string, opts Options) error {
	return write(w, m, format, opts, matrixForms())
}

// MatrixFormats is the names that [WriteMatrix] knows.
func MatrixFormats() []string { return namesOf(matrixForms()) }

func matrixForms() []form[*Matrix] {
	return []form[*Matrix]{
		{"text", "", whole(matrixText)},
		{"json", "", matrixJSON},
		{"html", "", whole(matrixHTML)},
		{"markdown", "", whole(matrixMarkdown)},
		{"prometheus", "", whole(matrixPrometheus)},
	}
}

// matrixJSON writes a target, and a requirement, at a time: of 100,000 targets there are millions of verdicts.
func matrixJSON(w io.Writer, m *Matrix, opts Options) error {
	out := *m
	out.Targets, out.Rows, out.Conflicts = []Column{}, []Row{}, []Conflict{}
	frame, err := indentedJSON(out)
	if err != nil {
		return err
	}
	e := newEntries(w)
	rest := writeList(e, frame, "targets", func(yield func(Column) bool) {
		for _, c := range m.Targets {
			c.Reports = each(c.Reports, func(path string) string { return fromThere(opts.Dir, path) })
			if !yield(c) {
				return
			}
		}
	})
	rest = writeList(e, rest, "requirements", slices.Values(m.Rows))
	rest = writeList(e, rest, "conflicts", slices.Values(m.Conflicts))
	e.write(rest)
	return e.err
}

// pageOf is the page that stands beside the first of the reports to have one, from a directory, as a URL; "" if there is none.
func pageOf(dir string, list []string) string {
	for _, path := range list {
		if near := fromThere(dir, path); dir != "" && filepath.Base(path) == FileName("json") && !filepath.IsAbs(near) {
			var parts []string
			for part := range strings.SplitSeq(strings.TrimSuffix(near, FileName("json"))+FileName("html"), "/") {
				parts = append(parts, url.PathEscape(part))
			}
			return "./" + strings.Join(parts, "/")
		}
	}
	return ""
}

// legible is a copy that is safe to show; see [legible].
func (m *Matrix) legible() *Matrix {
	out := *m
	out.Outcome = visible(m.Outcome)
	out.Targets = each(m.Targets, func(c Column) Column {
		c.Target, c.Kind, c.Server, c.Outcome = visible(c.Target), visible(c.Kind), visible(c.Server), visible(c.Outcome)
		c.SHA256, c.Reports = each(c.SHA256, visible), each(c.Reports, visible)
		return c
	})
	out.Rows = each(m.Rows, func(r Row) Row {
		r.Requirement, r.Level, r.Subject, r.Statement = visible(r.Requirement), visible(r.Level), visible(r.Subject), visible(r.Statement)
		return r // whose verdicts are of those that there are
	})
	out.Conflicts = each(m.Conflicts, func(c Conflict) Conflict {
		return Conflict{visible(c.Target), visible(c.Requirement), visible(c.Problem), [2]string{visible(c.Reports[0]), visible(c.Reports[1])}}
	})
	out.Missing = each(m.Missing, func(t Missing) Missing { return Missing{visible(t.Target), visible(t.Run), t.Shard} })
	out.Unread = each(m.Unread, func(u Unread) Unread { return Unread{visible(u.File), visible(u.Problem)} })
	out.Runs = each(m.Runs, func(r ListRun) ListRun {
		r.Name, r.Asked, r.SHA256, r.Tool = visible(r.Name), visible(r.Asked), visible(r.SHA256), r.Tool.legible()
		return r // whose targets are shown where they are missing
	})
	return &out
}

// String is the conflict in a sentence.
func (c Conflict) String() string {
	about := shorten(c.Target, shownRunes)
	if c.Requirement != "" {
		about += ", " + shorten(c.Requirement, shownRunes)
	}
	return fmt.Sprintf("%s: %s (%s, %s)", about, shorten(c.Problem, 2*shownRunes), shorten(c.Reports[0], shownRunes), shorten(c.Reports[1], shownRunes))
}

// Conflicts and rows beyond these are left to JSON.
const shownConflicts, shownRows = 50, 2000

func matrixText(m *Matrix, opts Options) ([]byte, error) {
	m = m.legible()
	p := newPrinter(opts)
	at, others := m.shown()
	for _, i := range at {
		c := m.Targets[i]
		p.item(0, outcomeSymbol(c.Outcome)+" ", outcomeTone(c.Outcome), shorten(c.Target, shownRunes)+"  ("+Evidence{Kind: c.Kind}.provenance()+")", bold)
		p.item(2, c.Outcome.words()+": ", outcomeTone(c.Outcome), c.Counts.String()+"; "+c.Basis(), plain)
	}
	if others != "" {
		p.item(2, "", plain, others, dim)
	}
	rows := m.telling()
	if opts.Verbose {
		rows = m.Rows
	}
	type alike struct {
		rows  []string
		first Row
	}
	unjudged := map[string]*alike{} // by what the targets say
	var order []*alike
	for i, r := range rows {
		if i == 0 {
			p.blank()
		}
		if i == shownRows {
			p.item(0, "", plain, fmt.Sprintf("and %d more; --format json has them all", len(rows)-i), dim)
			break
		}
		if same := r.unjudged(); same != "" && !opts.Verbose {
			if unjudged[same] == nil {
				unjudged[same] = &alike{first: r}
				order = append(order, unjudged[same])
			}
			unjudged[same].rows = append(unjudged[same].rows, shorten(r.Requirement, shownRunes))
			continue
		}
		p.item(0, "", plain, fmt.Sprintf("%s  (%s, %s)", shorten(r.Requirement, shownRunes), r.Level, r.Subject), plain)
		p.groups(m, r)
	}
	for _, a := range order {
		first, rest := a.rows[:min(len(a.rows), 3)], ""
		if n := len(a.rows) - len(first); n > 0 {
			rest = fmt.Sprintf(" and %d more", n)
		}
		p.item(0, "", plain, strings.Join(first, ", ")+rest, plain)
		p.groups(m, a.first)
	}
	if hidden := len(m.Rows) - len(rows); hidden > 0 {
		p.blank()
		on := "on all targets"
		if len(m.Missing) > 0 {
			on += " that were found"
		}
		p.item(0, "", plain, count(hidden, "requirement")+" passed, or not applicable or not tested, "+on, plain)
	}
	for i, c := range m.Conflicts {
		if i == 0 {
			p.blank()
		}
		if i == shownConflicts {
			p.item(0, "conflict: ", yellow, fmt.Sprintf("and %d more; --format json has them all", len(m.Conflicts)-i), plain)
			break
		}
		p.item(0, "conflict: ", yellow, c.String(), plain)
	}
	p.blank()
	grave, quiet := m.remarks()
	for _, text := range grave {
		p.item(0, "", plain, text, yellow)
	}
	for _, text := range quiet {
		p.item(0, "", plain, text, dim)
	}
	p.item(0, "", plain, m.Headline(), outcomeTone(m.Outcome))
	return p.text(), nil
}

// unjudged is a key of what the targets say of a requirement that none of them breaks, and some do
// not judge; "" of all others. A target that is dead says the same of many.
func (r Row) unjudged() string {
	if slices.Contains(r.Verdicts, Fail) || slices.Contains(r.Verdicts, Warn) {
		return ""
	}
	key := make([]byte, len(r.Verdicts))
	for at, v := range r.Verdicts {
		key[at] = byte(slices.Index(verdicts, v) + 1)
	}
	return string(key)
}

// groups prints the verdicts of a row, and of which targets. Where there are too many to show all, who meets it is only counted.
func (p *printer) groups(m *Matrix, r Row) {
	many := len(r.Verdicts) > shownNames
	for _, g := range r.groups() {
		text := strings.Join(each(g.targets, func(at int) string { return shorten(m.Targets[at].Target, 100) }), ", ")
		switch more := g.all - len(g.targets); {
		case many && (g.verdict == Pass || g.verdict.aside()):
			text = count(g.all, "target")
		case more > 0:
			text += fmt.Sprintf(" and %d more", more)
		}
		p.item(2, fmt.Sprintf("%-18s", cellWords(g.verdict, g.known)), tone(g.verdict), text, plain)
	}
}

// tally says how many targets say what of a requirement.
func (r Row) tally() string {
	return strings.Join(each(r.groups(), func(g rowGroup) string { return fmt.Sprintf("%d %s", g.all, cellWords(g.verdict, g.known)) }), ", ")
}

// shownNames is how many targets are named that say the same of a requirement.
const shownNames = 10

// rowGroup is the targets that share a verdict.
type rowGroup struct {
	verdict Verdict
	known   bool
	all     int
	targets []int // the first of them
}

// groups gathers the targets of a row by verdict, the worst first.
func (r Row) groups() []rowGroup {
	var list []rowGroup
	for _, v := range worstFirst {
		for _, known := range []bool{false, true} {
			list = append(list, rowGroup{verdict: v, known: known})
		}
	}
	for at, v := range r.Verdicts {
		for i := range list {
			g := &list[i]
			if g.verdict != v || g.known != r.Known[at] {
				continue
			}
			if g.all++; g.all <= shownNames {
				g.targets = append(g.targets, at)
			}
			break
		}
	}
	return slices.DeleteFunc(list, func(g rowGroup) bool { return g.all == 0 })
}

func matrixMarkdown(m *Matrix, _ Options) ([]byte, error) {
	m = m.legible()
	out := &markdown{}
	fmt.Fprintf(&out.b, "## %s %s\n\n| target | outcome | verdicts | evidence |\n|---|---|---|---|\n", outcomeSymbol(m.Outcome), mdText(m.Headline()))
	shown, others := m.shown()
	for i, at := range shown {
		c := m.Targets[at]
		if !out.fits(fmt.Sprintf("| %s | %s %s | %s | %s |\n", mdText(c.Target), outcomeSymbol(c.Outcome), mdText(c.Outcome.words()), c.Counts, mdText(c.Kind))) {
			out.cut(len(shown) - i)
			break
		}
	}
	out.b.WriteByte('\n')
	if others != "" {
		fmt.Fprintf(&out.b, "%s\n\n", others)
	}
	grave, quiet := m.remarks()
	for _, text := range slices.Concat(grave, quiet) {
		out.fits("> " + mdText(text) + "\n>\n")
	}
	for i, c := range m.Conflicts {
		if i == shownConflicts || !out.fits("> conflict: "+mdText(c.String())+"\n>\n") {
			fmt.Fprintf(&out.b, "> and %d more conflicts\n", len(m.Conflicts)-i)
			break
		}
	}
	rows := m.telling()
	if len(rows) == 0 {
		fmt.Fprintf(&out.b, "Passed, or not applicable or not tested, wherever asked for: %s.\n", count(len(m.Rows), "requirement"))
		return []byte(out.b.String()), nil
	}
	all, dashes := "", ""
	if others != "" {
		all, dashes = " all |", "---|"
	}
	fmt.Fprintf(&out.b, "\n| requirement | level |%s%s\n|---|---|%s%s\n", all, m.columnNames(shown), dashes, strings.Repeat("---|", len(shown)))
	for i, r := range rows {
		row := "| " + mdCell(r.Requirement) + " | " + mdText(r.Level) + " |"
		if others != "" {
			row += " " + mdText(r.tally()) + " |"
		}
		for _, at := range shown {
			row += " " + mdText(r.cell(at)) + " |"
		}
		if !out.fits(row + "\n") {
			out.cut(len(rows) - i)
			break
		}
	}
	fmt.Fprintf(&out.b, "\nPassed, or not applicable or not tested, wherever asked for: %s.\n", count(len(m.Rows)-len(rows), "other requirement"))
	return []byte(out.b.String()), nil
}

func (m *Matrix) columnNames(shown []int) string {
	var b strings.Builder
	for _, at := range shown {
		fmt.Fprintf(&b, " %s |", mdText(shorten(m.Targets[at].Target, 60)))
	}
	return b.String()
}
