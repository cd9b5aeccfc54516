package reports

import (
	"fmt"
	"slices"
	"time"
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
	Runs      []ListRun  `json:"runs,omitempty"`    // on lists of targets, of which it is; none if it is of single reports
	Missing   []Missing  `json:"missing,omitempty"` // with one it is never conformant
	Unread    []Unread   `json:"unread,omitempty"`  // with one it is never conformant either

	columns map[[2]string]int // by kind and target
	rows    map[[2]string]int // by requirement and level
	told    map[Conflict]bool
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
	CutShort   bool `json:"cutShort,omitempty"`
	Strict     bool `json:"strict,omitempty"`     // a should is held to be a must
	Unanswered bool `json:"unanswered,omitempty"` // a live server, and no request was answered
	Stale      bool `json:"stale,omitempty"`      // its baseline is out of date
	// The worst that a report of it claims beyond its results, as one that was cut short does; "" if none does.
	Claimed Outcome `json:"claimed,omitempty"`

	from  []string // what was added, for conflicts
	run   int      // one more than the place of its run; 0: none, or several
	began time.Time
	cells []merged // by row; what is beyond the last was not asked for
}

// Row is one requirement. One that has two levels, in reports by different ledgers, has two rows.
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

// merged is the verdict on a requirement of a target, and where it comes from. There are as
// many as targets times requirements, so it is small.
type merged struct {
	verdict uint8  // one more than the place in verdicts; 0: not asked for
	known   bool   // by a baseline
	from    uint32 // the place in what was added to the target
}

// levels are all that there are.
var levels = []string{"must", "should", "may"}

func mergedOf(v Verdict, known bool) merged {
	if !slices.Contains(verdicts, v) {
		v = Error // what nobody knows is no pass
	}
	return merged{verdict: uint8(slices.Index(verdicts, v) + 1), known: known}
}

// result is what the outcome of a target is drawn from.
func (r Row) result(at int) Result {
	result := Result{Verdict: r.Verdicts[at], Level: r.Level}
	if r.Known[at] {
		result.Known = &Known{}
	}
	return result
}

// Add merges a report under a name, that of its file. Verdicts on the same requirement
// of the same target are united: what one shard did not exercise another may have. Where
// two contradict each other, that is said, and the worse one stays.
func (m *Matrix) Add(name string, r *Report) { m.add(name, r, r.unanswered()) }

func (m *Matrix) add(name string, r *Report, unanswered bool) {
	c := Column{Target: r.target(), Kind: r.Evidence.Kind, Server: r.Evidence.Server, Reports: []string{name}, CutShort: r.CutShort, Strict: r.Strict,
		Unanswered: unanswered, Stale: r.Baseline != nil && len(r.Baseline.Stale) > 0}
	if r.Evidence.SHA256 != "" {
		c.SHA256 = []string{r.Evidence.SHA256}
	}
	if r.CutShort || OutcomeOf(r.Results, r.Strict) != r.Outcome {
		c.Claimed = r.Outcome
	}
	at, from, _ := m.column(c, name)
	for _, result := range r.Results {
		m.place(at, m.row(Row{Requirement: result.Requirement, Level: result.Level, Subject: result.Subject, Statement: result.Statement}),
			from, mergedOf(result.Verdict, result.Known != nil))
	}
}

// join merges what another matrix says, which stood in a file, as if its reports had been added to this one. Only a conflict is told
// less exactly: of a target with several reports, the matrix does not say from which of them a verdict is.
func (m *Matrix) join(other *Matrix, file string) {
	m.begin()
	m.take(other.Runs, file)
	m.Unread = append(m.Unread, other.Unread...)
	run, began := 0, map[string]time.Time{}
	if len(other.Runs) == 1 {
		run, began = 1+m.runLike(&other.Runs[0]), other.Runs[0].began()
	}
	for _, c := range other.Conflicts {
		m.conflict(c)
	}
	rows := make([]int, len(other.Rows))
	for i, r := range other.Rows {
		rows[i] = m.row(r)
	}
	for i, c := range other.Targets {
		name := c.Reports[0]
		if n := len(c.Reports) - 1; n > 0 {
			name += ", or another of " + count(n+1, "report")
		}
		c.run, c.began = run, began[c.Target]
		at, from, partly := m.column(c, name)
		for j, r := range other.Rows {
			if v := r.Verdicts[i]; v != "" && (!partly || v == Fail || v == Warn) {
				m.place(at, rows[j], from, mergedOf(r.Verdicts[i], r.Known[i]))
			}
		}
	}
}

// results appends what the rows tell of a target.
func (m *Matrix) results(list []Result, at int) []Result {
	for _, r := range m.Rows {
		if r.Verdicts[at] != "" {
			list = append(list, r.result(at))
		}
	}
	return list
}

// conflict notes a conflict, once.
func (m *Matrix) conflict(c Conflict) {
	if !m.told[c] {
		m.told[c] = true
		m.Conflicts = append(m.Conflicts, c)
	}
}

// Basis is how many reports there are, and recordings behind them.
func (c Column) Basis() string {
	if len(c.SHA256) == 0 {
		return count(len(c.Reports), "report")
	}
	return count(len(c.Reports), "report") + " on " + count(len(c.SHA256), "recording")
}

func (m *Matrix) begin() {
	if m.columns == nil {
		m.columns, m.rows, m.told, m.Schema = map[[2]string]int{}, map[[2]string]int{}, map[Conflict]bool{}, MatrixSchemaID
		m.Targets, m.Rows, m.Conflicts = []Column{}, []Row{}, []Conflict{}
	}
}

// column returns the place of a target, to which it adds what the head of a report, or another
// column, says, and the place of what is added there. A shard that was cut short and then ran to its end has two columns of one
// run: what the later one found counts, and of the one that was cut short only what it saw to be broken. If that is added, partly is true.
func (m *Matrix) column(add Column, name string) (at int, from uint32, partly bool) {
	m.begin()
	key := [2]string{add.Kind, add.Target}
	at, there := m.columns[key]
	if !there {
		at = len(m.Targets)
		m.columns[key] = at
		add.SHA256 = append([]string{}, add.SHA256...)
		add.Reports, add.from, add.cells = slices.Clone(add.Reports), []string{name}, nil
		m.Targets = append(m.Targets, add)
		return at, 0, false
	}
	c := &m.Targets[at]
	from = uint32(len(c.from))
	c.Reports, c.from = append(c.Reports, add.Reports...), append(c.from, name)
	contradicts := func(format string, args ...any) {
		m.conflict(Conflict{Target: c.Target, Problem: fmt.Sprintf(format, args...), Reports: [2]string{c.from[0], name}})
	}
	// Each live run makes evidence of its own.
	if c.Kind != "live" && len(add.SHA256) > 0 && len(c.SHA256) > 0 && !slices.ContainsFunc(add.SHA256, func(sum string) bool { return slices.Contains(c.SHA256, sum) }) {
		contradicts("the evidence is another: sha256 %.12s, then %.12s", c.SHA256[0], add.SHA256[0])
	}
	if add.Server != c.Server {
		contradicts("the server names itself %s, then %s", orNone(c.Server), orNone(add.Server))
	}
	if add.Strict != c.Strict {
		contradicts("one was strict and the other was not: both are held to be strict")
	}
	for _, sum := range add.SHA256 {
		if !slices.Contains(c.SHA256, sum) {
			c.SHA256 = append(c.SHA256, sum)
		}
	}
	c.Strict, c.Stale, c.Unanswered = c.Strict || add.Strict, c.Stale || add.Stale, c.Unanswered && add.Unanswered
	again := c.run > 0 && c.run == add.run && c.CutShort != add.CutShort
	switch {
	case again && c.CutShort && add.began.After(c.began):
		c.CutShort, c.Claimed, c.began = false, add.Claimed, add.began
		for i, cell := range c.cells {
			if cell.verdict > 0 && !cell.is(Fail) && !cell.is(Warn) {
				c.cells[i] = merged{}
			}
		}
	case again && add.CutShort && c.began.After(add.began):
		partly = true
	default:
		c.CutShort, c.Claimed = c.CutShort || add.CutShort, worse(c.Claimed, add.Claimed)
	}
	return at, from, partly
}

// row returns the place of a requirement.
func (m *Matrix) row(r Row) int {
	key := [2]string{r.Requirement, r.Level}
	at, there := m.rows[key]
	if !there {
		at = len(m.Rows)
		m.rows[key] = at
		r.Verdicts, r.Known = nil, nil
		m.Rows = append(m.Rows, r)
	}
	return at
}

// place puts a verdict into its cell.
func (m *Matrix) place(at, row int, from uint32, is merged) {
	c := &m.Targets[at]
	if missing := row + 1 - len(c.cells); missing > 0 {
		c.cells = append(c.cells, make([]merged, missing)...)
	}
	is.from = from
	was := c.cells[row]
	switch {
	case was.verdict == 0, was.gap() && (was.is(NotTested) || !is.gap()):
	case is.gap():
		is = was
	default:
		if was.verdict != is.verdict || was.known != is.known {
			m.conflict(Conflict{c.Target, m.Rows[row].Requirement,
				fmt.Sprintf("%s, then %s: the worse is kept", was.words(), is.words()), [2]string{c.from[was.from], c.from[from]}})
		}
		if was.rank() < is.rank() {
			is = was
		}
	}
	c.cells[row] = is
}

func (c merged) is(v Verdict) bool { return verdicts[c.verdict-1] == v }

// gap reports whether another report may have what this one has not.
func (c merged) gap() bool { return c.is(NotExercised) || c.is(NotTested) }

func (c merged) words() string {
	if c.known {
		return "known " + string(verdicts[c.verdict-1])
	}
	return string(verdicts[c.verdict-1])
}

// rank is lowest for the worst. A failure that is not known is worse than one that is.
func (c merged) rank() int {
	rank := 2 * slices.Index(worstFirst, verdicts[c.verdict-1])
	if c.known {
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
	var results []Result
	for at := range m.Targets {
		c := &m.Targets[at]
		for row, cell := range c.cells {
			if cell.verdict > 0 {
				m.Rows[row].Verdicts[at], m.Rows[row].Known[at] = verdicts[cell.verdict-1], cell.known
			}
		}
		results = m.results(results[:0], at)
		c.Counts, c.Outcome = c.told(results)
		if at == 0 {
			m.Outcome = c.Outcome
		}
		m.Outcome = worse(m.Outcome, c.Outcome)
		c.cells = nil
	}
	if len(m.Missing)+len(m.Unread) > 0 {
		m.Outcome = worse(m.Outcome, Incomplete)
	}
}

// told is what the results of a target, and what its reports claim beyond them, come to.
func (c Column) told(results []Result) (counts Counts, outcome Outcome) {
	for _, r := range results {
		counts.add(r.Verdict)
	}
	return counts, worse(OutcomeOf(results, c.Strict), c.Claimed)
}

// worse is the worse of two outcomes; "" is none.
func worse(a, b Outcome) Outcome {
	order := []Outcome{"", Conformant, Excused, Incomplete, Nonconformant}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// Headline is the outcome of all, in words.
func (m *Matrix) Headline() string {
	reports, finished := 0, 0
	for _, c := range m.Targets {
		reports += len(c.Reports)
		if !c.CutShort {
			finished++
		}
	}
	targets := count(len(m.Targets), "target")
	if len(m.Missing) > 0 {
		all := map[string]bool{}
		for _, c := range m.Targets {
			all[c.Target] = true
		}
		for _, t := range m.Missing {
			all[t.Target] = true
		}
		targets = fmt.Sprintf("%d of %s", len(m.Targets), count(len(all), "target"))
	}
	text := fmt.Sprintf("%s: %s, %s, %s", m.Outcome.words(), targets, count(reports, "report"), count(len(m.Rows), "requirement"))
	if finished < len(m.Targets) {
		text += fmt.Sprintf("; %d of %d finished", finished, len(m.Targets))
	}
	if n := len(m.Missing); n > 0 {
		text += "; " + count(n, "target") + " missing"
	}
	if n := len(m.Unread); n > 0 {
		text += "; " + count(n, "file") + " not read"
	}
	return text
}
