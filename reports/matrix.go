package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// MatrixSchemaID names the JSON contract of a matrix.
const MatrixSchemaID = "conform.matrix/v1"

// Matrix is many reports in one: targets beside each other, requirements below each
// other. Reports on the same target (the shards of a run, say) share a column.
type Matrix struct {
	Schema    string     `json:"schema"`
	Outcome   Outcome    `json:"outcome"` // the worst of all targets
	Targets   []Column   `json:"targets"`
	Rows      []Row      `json:"requirements"`
	Conflicts []Conflict `json:"conflicts"`

	columns map[[2]string]int
	rows    map[string]int
	cells   []map[int]*merged // by target, then row
}

// Column is one target.
type Column struct {
	Target  string   `json:"target"`
	Kind    string   `json:"kind"`
	Server  string   `json:"server,omitempty"`
	Outcome Outcome  `json:"outcome"`
	Counts  Counts   `json:"counts"`
	SHA256  []string `json:"sha256"`  // of its evidence
	Reports []string `json:"reports"` // the files
	// A report of it was cut short, and nothing that others tell makes up for it.
	CutShort bool `json:"cutShort,omitempty"`

	strict bool
	worst  Outcome // of reports that are worse than their results, as interrupted ones are
}

// Row is one requirement.
type Row struct {
	Requirement string    `json:"requirement"`
	Level       string    `json:"level"`
	Subject     string    `json:"subject"`
	Statement   string    `json:"statement"`
	Verdicts    []Verdict `json:"verdicts"` // in the order of the targets; "" where it was not asked for
	Known       []bool    `json:"known"`    // a failure that a baseline knows
}

// Conflict is what two reports on the same target say differently.
type Conflict struct {
	Target      string    `json:"target"`
	Requirement string    `json:"requirement,omitempty"`
	Problem     string    `json:"problem"`
	Reports     [2]string `json:"reports"`
}

// merged is the verdict on a requirement of a target, and where it comes from.
type merged struct {
	verdict Verdict
	level   string
	known   *Known
	from    string
}

// Add merges a report under a name, that of its file. Verdicts on the same requirement
// of the same target are united: what one shard did not exercise another may have. Where
// two contradict each other, that is said, and the worse one stays.
func (m *Matrix) Add(name string, r *Report) {
	if m.columns == nil {
		m.columns, m.rows, m.Schema = map[[2]string]int{}, map[string]int{}, MatrixSchemaID
		m.Targets, m.Rows, m.Conflicts = []Column{}, []Row{}, []Conflict{}
	}
	key := [2]string{r.Evidence.Kind, r.target()}
	at, there := m.columns[key]
	if !there {
		at = len(m.Targets)
		m.columns[key] = at
		m.Targets = append(m.Targets, Column{Target: r.target(), Kind: r.Evidence.Kind, Server: r.Evidence.Server, SHA256: []string{}})
		m.cells = append(m.cells, map[int]*merged{})
	}
	c := &m.Targets[at]
	if len(c.Reports) > 0 {
		m.contradictions(c, name, r)
	}
	c.Reports = append(c.Reports, name)
	c.strict = c.strict || r.Strict
	if r.Evidence.SHA256 != "" && !slices.Contains(c.SHA256, r.Evidence.SHA256) {
		c.SHA256 = append(c.SHA256, r.Evidence.SHA256)
	}
	c.CutShort = c.CutShort || r.CutShort
	if r.CutShort || OutcomeOf(r.Results, r.Strict) != r.Outcome {
		c.worst = worse(c.worst, r.Outcome)
	}
	for i := range r.Results {
		m.place(at, name, &r.Results[i])
	}
}

// Basis is how many reports there are, and recordings behind them.
func (c Column) Basis() string {
	if len(c.SHA256) == 0 {
		return count(len(c.Reports), "report")
	}
	return count(len(c.Reports), "report") + " on " + count(len(c.SHA256), "recording")
}

// contradictions says what the evidence of one target must not differ in.
func (m *Matrix) contradictions(c *Column, name string, r *Report) {
	say := func(format string, args ...any) {
		m.Conflicts = append(m.Conflicts, Conflict{Target: c.Target, Problem: fmt.Sprintf(format, args...), Reports: [2]string{c.Reports[0], name}})
	}
	// Each live run makes evidence of its own.
	if r.Evidence.Kind != "live" && r.Evidence.SHA256 != "" && len(c.SHA256) > 0 && !slices.Contains(c.SHA256, r.Evidence.SHA256) {
		say("the evidence is another: sha256 %.12s, then %.12s", c.SHA256[0], r.Evidence.SHA256)
	}
	if r.Evidence.Server != c.Server {
		say("the server names itself %s, then %s", orNone(c.Server), orNone(r.Evidence.Server))
	}
	if r.Strict != c.strict {
		say("one was strict and the other was not: both are held to be strict")
	}
}

// place puts a result into its cell.
func (m *Matrix) place(at int, name string, r *Result) {
	row, there := m.rows[r.Requirement]
	if !there {
		row = len(m.Rows)
		m.rows[r.Requirement] = row
		m.Rows = append(m.Rows, Row{Requirement: r.Requirement, Level: r.Level, Subject: r.Subject, Statement: r.Statement})
	}
	is := &merged{r.Verdict, r.Level, r.Known, name}
	was := m.cells[at][row]
	switch {
	case was == nil:
	case was.verdict == NotExercised:
	case is.verdict == NotExercised:
		is = was
	default:
		if was.verdict != is.verdict || (was.known == nil) != (is.known == nil) {
			m.Conflicts = append(m.Conflicts, Conflict{m.Targets[at].Target, r.Requirement,
				fmt.Sprintf("%s, then %s: the worse is kept", was.words(), is.words()), [2]string{was.from, name}})
		}
		if was.rank() < is.rank() {
			is = was
		}
	}
	m.cells[at][row] = is
}

func (c *merged) words() string {
	if c.known != nil {
		return "known " + string(c.verdict)
	}
	return string(c.verdict)
}

// rank is lowest for the worst. A failure that is not known is worse than one that is.
func (c *merged) rank() int {
	order := []Verdict{Fail, Error, Warn, Blocked, NotExercised, NotApplicable, Pass}
	rank := 2 * slices.Index(order, c.verdict)
	if c.known != nil {
		rank++
	}
	return rank
}

// Finish draws the outcomes, when all reports are added.
func (m *Matrix) Finish() {
	m.Outcome = Incomplete
	for i := range m.Rows {
		m.Rows[i].Verdicts = make([]Verdict, len(m.Targets))
		m.Rows[i].Known = make([]bool, len(m.Targets))
	}
	for at := range m.Targets {
		c := &m.Targets[at]
		results := make([]Result, 0, len(m.cells[at]))
		c.Counts = Counts{}
		for row := range m.Rows {
			if cell := m.cells[at][row]; cell != nil {
				m.Rows[row].Verdicts[at], m.Rows[row].Known[at] = cell.verdict, cell.known != nil
				results = append(results, Result{Level: cell.level, Verdict: cell.verdict, Known: cell.known})
				c.Counts.add(cell.verdict)
			}
		}
		c.Outcome = worse(OutcomeOf(results, c.strict), c.worst)
		if at == 0 {
			m.Outcome = c.Outcome
		}
		m.Outcome = worse(m.Outcome, c.Outcome)
	}
}

// worse is the worse of two outcomes; "" is none.
func worse(a, b Outcome) Outcome {
	order := []Outcome{"", Conformant, Excused, Incomplete, Nonconformant}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// headline is the outcome of all, in words.
func (m *Matrix) headline() string {
	reports, finished := 0, 0
	for _, c := range m.Targets {
		reports += len(c.Reports)
		if !c.CutShort {
			finished++
		}
	}
	text := fmt.Sprintf("%s: %s, %s, %s", m.Outcome.words(), count(len(m.Targets), "target"), count(reports, "report"), count(len(m.Rows), "requirement"))
	if finished < len(m.Targets) {
		text += fmt.Sprintf("; %d of %d finished", finished, len(m.Targets))
	}
	return text
}

// telling is the rows in which not every target passes, or not all do the same.
func (m *Matrix) telling() []Row {
	var rows []Row
	for _, r := range m.Rows {
		if slices.ContainsFunc(r.Verdicts, func(v Verdict) bool { return v != Pass && v != NotApplicable && v != "" }) {
			rows = append(rows, r)
		}
	}
	return rows
}

// cell is a verdict in the matrix, in words.
func (r Row) cell(at int) string {
	switch {
	case r.Verdicts[at] == "":
		return ""
	case r.Known[at]:
		return symbol(r.Verdicts[at]) + " known " + string(r.Verdicts[at])
	}
	return symbol(r.Verdicts[at]) + " " + string(r.Verdicts[at])
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
		{"json", "", whole(func(m *Matrix, _ Options) ([]byte, error) { return indentedJSON(m) })},
		{"html", "", whole(matrixHTML)},
		{"markdown", "", whole(matrixMarkdown)},
	}
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
		return Row{visible(r.Requirement), visible(r.Level), visible(r.Subject), visible(r.Statement), each(r.Verdicts, visible), r.Known}
	})
	out.Conflicts = each(m.Conflicts, func(c Conflict) Conflict {
		return Conflict{visible(c.Target), visible(c.Requirement), visible(c.Problem), [2]string{visible(c.Reports[0]), visible(c.Reports[1])}}
	})
	return &out
}

// String is the conflict in a sentence.
func (c Conflict) String() string {
	about := shorten(c.Target, shownRunes)
	if c.Requirement != "" {
		about += ", " + shorten(c.Requirement, shownRunes)
	}
	return fmt.Sprintf("%s: %s (%s, %s)", about, c.Problem, shorten(c.Reports[0], shownRunes), shorten(c.Reports[1], shownRunes))
}

// Conflicts and rows beyond these are left to JSON.
const shownConflicts, shownRows = 50, 2000

func matrixText(m *Matrix, opts Options) ([]byte, error) {
	m = m.legible()
	p := newPrinter(opts)
	for i, c := range m.Targets {
		p.item(0, fmt.Sprintf("%3d  ", i+1), bold, shorten(c.Target, shownRunes)+"  ("+Evidence{Kind: c.Kind}.provenance()+")", bold)
		p.item(5, c.Outcome.words()+": ", outcomeTone(c.Outcome), c.Counts.String()+"; "+c.Basis(), plain)
	}
	rows := m.telling()
	if opts.Verbose {
		rows = m.Rows
	}
	alike := map[string][]string{} // by what the targets say, in the row of the first
	for i, r := range rows {
		if i == 0 {
			p.blank()
		}
		if i == shownRows {
			p.item(0, "", plain, fmt.Sprintf("and %d more; --format json has them all", len(rows)-i), dim)
			break
		}
		if same := r.unjudged(); same != "" && !opts.Verbose {
			alike[same] = append(alike[same], shorten(r.Requirement, shownRunes))
			continue
		}
		p.item(0, "", plain, fmt.Sprintf("%s  (%s, %s)", shorten(r.Requirement, shownRunes), r.Level, r.Subject), plain)
		p.groups(r)
	}
	for _, r := range rows {
		if list := alike[r.unjudged()]; len(list) > 0 && !opts.Verbose {
			delete(alike, r.unjudged())
			first, rest := list[:min(len(list), 3)], ""
			if n := len(list) - len(first); n > 0 {
				rest = fmt.Sprintf(" and %d more", n)
			}
			p.item(0, "", plain, strings.Join(first, ", ")+rest, plain)
			p.groups(r)
		}
	}
	if hidden := len(m.Rows) - len(rows); hidden > 0 {
		p.blank()
		p.item(0, "", plain, "met, or not applicable, wherever asked for: "+count(hidden, "requirement"), plain)
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
	p.item(0, "", plain, m.headline(), outcomeTone(m.Outcome))
	return []byte(p.b.String()), nil
}

// unjudged is what the targets say of a requirement that none of them breaks, and some do
// not judge; "" of all others. A target that is dead says the same of many.
func (r Row) unjudged() string {
	if slices.Contains(r.Verdicts, Fail) || slices.Contains(r.Verdicts, Warn) {
		return ""
	}
	return fmt.Sprint(r.groups())
}

// groups prints the verdicts of a row, and of which targets.
func (p *printer) groups(r Row) {
	for _, g := range r.groups() {
		p.item(2, fmt.Sprintf("%-18s", g.words), tone(g.verdict), "targets "+g.targets, plain)
	}
}

// rowGroup is the targets that share a verdict.
type rowGroup struct {
	words, targets string
	verdict        Verdict
}

// groups gathers the targets of a row by verdict, in the order in which verdicts are read.
func (r Row) groups() []rowGroup {
	var order []string
	by, verdict := map[string][]string{}, map[string]Verdict{}
	for _, v := range verdicts {
		for at := range r.Verdicts {
			if r.Verdicts[at] != v {
				continue
			}
			words := r.cell(at)
			if by[words] == nil {
				order = append(order, words)
			}
			by[words], verdict[words] = append(by[words], fmt.Sprint(at+1)), v
		}
	}
	return each(order, func(words string) rowGroup { return rowGroup{words, strings.Join(by[words], ", "), verdict[words]} })
}

func matrixMarkdown(m *Matrix, _ Options) ([]byte, error) {
	m = m.legible()
	out := &markdown{}
	fmt.Fprintf(&out.b, "## %s %s\n\n| | target | evidence | outcome | verdicts |\n|--:|---|---|---|---|\n", outcomeSymbol(m.Outcome), mdText(m.headline()))
	for i, c := range m.Targets {
		if !out.fits(fmt.Sprintf("| %d | %s | %s | %s %s | %s |\n", i+1, mdText(c.Target), mdText(c.Kind), outcomeSymbol(c.Outcome), mdText(c.Outcome.words()), c.Counts)) {
			out.cut(len(m.Targets) - i)
			break
		}
	}
	out.b.WriteByte('\n')
	for i, c := range m.Conflicts {
		if i == shownConflicts || !out.fits("> conflict: "+mdText(c.String())+"\n>\n") {
			fmt.Fprintf(&out.b, "> and %d more conflicts\n", len(m.Conflicts)-i)
			break
		}
	}
	rows := m.telling()
	if len(rows) == 0 {
		fmt.Fprintf(&out.b, "Met, or not applicable, wherever asked for: %s.\n", count(len(m.Rows), "requirement"))
		return []byte(out.b.String()), nil
	}
	fmt.Fprintf(&out.b, "\n| requirement | level |%s\n|---|---|%s\n", columnNumbers(len(m.Targets)), strings.Repeat("---|", len(m.Targets)))
	for i, r := range rows {
		row := "| " + mdCell(r.Requirement) + " | " + mdText(r.Level) + " |"
		for at := range r.Verdicts {
			row += " " + mdText(r.cell(at)) + " |"
		}
		if !out.fits(row + "\n") {
			out.cut(len(rows) - i)
			break
		}
	}
	fmt.Fprintf(&out.b, "\nMet, or not applicable, wherever asked for: %s.\n", count(len(m.Rows)-len(rows), "other requirement"))
	return []byte(out.b.String()), nil
}

func columnNumbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " %d |", i+1)
	}
	return b.String()
}

// Merge reads reports from files, one at a time and without their exchanges, into a matrix.
func Merge(paths ...string) (*Matrix, error) {
	m := &Matrix{}
	for _, path := range paths {
		r, err := ReadResults(path)
		if err != nil {
			return nil, err
		}
		m.Add(path, r)
	}
	m.Finish()
	return m, nil
}
