package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// ComparisonSchemaID names the JSON contract of a comparison.
const ComparisonSchemaID = "conform.comparison/v1"

// ChangeKind is what became of a requirement between two reports.
type ChangeKind string

// The kinds of change, in the order in which people read them.
const (
	Broken             ChangeKind = "broken"              // it fails or warns, and did not before
	Fixed              ChangeKind = "fixed"               // it failed or warned, and passes
	NoLongerExercised  ChangeKind = "no longer exercised" // it was checked before, and is not
	NewlyExercised     ChangeKind = "newly exercised"     // it is checked and passes, and was not before
	ChangedRequirement ChangeKind = "changed requirement" // the ledger says it differently
	ChangedEvidence    ChangeKind = "changed evidence"    // the verdict is like before, what was seen is not
	Added              ChangeKind = "added"               // only in the later report
	Removed            ChangeKind = "removed"             // only in the earlier one
)

var changeKinds = []ChangeKind{Broken, Fixed, NoLongerExercised, NewlyExercised, ChangedRequirement, ChangedEvidence, Added, Removed}

// Comparison is what lies between two reports, requirement by requirement.
type Comparison struct {
	Schema    string   `json:"schema"`
	Before    Side     `json:"before"`
	After     Side     `json:"after"`
	Notes     []string `json:"notes"`     // what else differs: target, tool, ledger; what a change may come from
	Unchanged int      `json:"unchanged"` // requirements of which there is nothing to say
	Changes   []Change `json:"changes"`
}

// Side is one of the two reports.
type Side struct {
	Name     string   `json:"name,omitempty"`
	Tool     Tool     `json:"tool"`
	Outcome  Outcome  `json:"outcome"`
	Subject  string   `json:"subject"`
	Strict   bool     `json:"strict,omitempty"`
	Evidence Evidence `json:"evidence"`
	Counts   Counts   `json:"counts"`
}

// Change is one thing that became of a requirement; it may be one of two, since the
// sentence and the verdict can both be others.
type Change struct {
	Requirement string     `json:"requirement"`
	Kind        ChangeKind `json:"kind"`
	Level       string     `json:"level"`
	Subject     string     `json:"subject"`
	Before      *Finding   `json:"before,omitempty"`
	After       *Finding   `json:"after,omitempty"`
	Fields      []string   `json:"fields,omitempty"` // what differs, in a changed requirement or in changed evidence
}

// Finding is what a report says of a requirement.
type Finding struct {
	Verdict   Verdict `json:"verdict"`
	Level     string  `json:"level"`
	Statement string  `json:"statement"`
	Expected  string  `json:"expected"`
	Observed  string  `json:"observed"`
	Reason    string  `json:"reason,omitempty"`
	Evidence  string  `json:"evidence,omitempty"`
	Source    string  `json:"source,omitempty"`
}

// Compare sets two reports beside each other. A requirement that fails and was not
// checked before is broken too: whoever watches a server wants to hear of it.
func Compare(before, after *Report) *Comparison {
	c := &Comparison{Schema: ComparisonSchemaID, Before: sideOf(before), After: sideOf(after), Notes: differences(before, after), Changes: []Change{}}
	type key struct {
		id string
		n  int // a report that was read from a file may have an id twice
	}
	keys := func(r *Report) ([]key, map[key]*Result) {
		var order []key
		found, times := map[key]*Result{}, map[string]int{}
		for i := range r.Results {
			k := key{r.Results[i].Requirement, times[r.Results[i].Requirement]}
			times[k.id]++
			order = append(order, k)
			found[k] = &r.Results[i]
		}
		return order, found
	}
	earlier, was := keys(before)
	later, is := keys(after)
	for _, k := range later {
		if was[k] == nil {
			c.Changes = append(c.Changes, change(Added, nil, is[k]))
			continue
		}
		list := changes(was[k], is[k])
		if len(list) == 0 {
			c.Unchanged++
		}
		c.Changes = append(c.Changes, list...)
	}
	for _, k := range earlier {
		if is[k] == nil {
			c.Changes = append(c.Changes, change(Removed, was[k], nil))
		}
	}
	slices.SortStableFunc(c.Changes, func(a, b Change) int { return slices.Index(changeKinds, a.Kind) - slices.Index(changeKinds, b.Kind) })
	return c
}

// Of is the changes of a kind.
func (c *Comparison) Of(kind ChangeKind) []Change {
	var list []Change
	for _, change := range c.Changes {
		if change.Kind == kind {
			list = append(list, change)
		}
	}
	return list
}

// Common is the number of requirements that both reports have: with none, there was
// nothing to compare.
func (c *Comparison) Common() int { return c.After.Counts.Total() - len(c.Of(Added)) }

// String is the number of changes of each kind.
func (c *Comparison) String() string {
	var words []string
	for _, kind := range changeKinds {
		if n := len(c.Of(kind)); n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, kind))
		}
	}
	return strings.Join(append(words, fmt.Sprintf("%d unchanged", c.Unchanged)), ", ")
}

func sideOf(r *Report) Side {
	return Side{Name: r.Name, Tool: r.Tool, Outcome: r.Outcome, Subject: r.Subject, Strict: r.Strict, Evidence: r.Evidence, Counts: r.Counts}
}

// checked tells whether the requirement was found to be met or not met.
func (r *Result) checked() bool { return r.Verdict == Pass || r.broken() }

// changes is what lies between two results on one requirement.
func changes(was, is *Result) []Change {
	var list []Change
	if fields := unlike([][3]string{
		{"level", was.Level, is.Level}, {"subject", was.Subject, is.Subject}, {"statement", was.Statement, is.Statement},
		{"source", was.Source.String(), is.Source.String()}, {"step", was.Task + "." + was.Step, is.Task + "." + is.Step},
	}); fields != nil {
		list = append(list, change(ChangedRequirement, was, is, fields...))
	}
	fields := unlike([][3]string{{"verdict", string(was.Verdict), string(is.Verdict)}})
	if was.Expected != is.Expected || was.Observed != is.Observed || was.Reason != is.Reason {
		before, after := folded(was.Expected, was.Observed, was.Reason), folded(is.Expected, is.Observed, is.Reason)
		fields = append(fields, unlike([][3]string{{"expected", before[0], after[0]}, {"observed", before[1], after[1]}, {"reason", before[2], after[2]}})...)
	}
	fields = append(fields, unlike([][3]string{{"evidence", was.fields(), is.fields()}})...)
	switch {
	case is.broken() && !was.broken(), is.Verdict == Fail && was.Verdict == Warn:
		list = append(list, change(Broken, was, is))
	case is.Verdict == Pass && was.broken():
		list = append(list, change(Fixed, was, is))
	case is.Verdict == Pass && !was.checked():
		list = append(list, change(NewlyExercised, was, is))
	case was.checked() && !is.checked():
		list = append(list, change(NoLongerExercised, was, is))
	case fields != nil:
		list = append(list, change(ChangedEvidence, was, is, fields...))
	}
	return list
}

// fields is what was looked at, wherever: exchanges have other numbers as soon as a run
// makes one more.
func (r *Result) fields() string {
	return strings.Join(each(r.Evidence, func(p Pointer) string { return p.Field }), "\n")
}

// unlike is the names of the pairs that differ.
func unlike(pairs [][3]string) []string {
	var names []string
	for _, p := range pairs {
		if p[1] != p[2] {
			names = append(names, p[0])
		}
	}
	return names
}

func change(kind ChangeKind, was, is *Result, fields ...string) Change {
	c := Change{Kind: kind, Before: findingOf(was), After: findingOf(is), Fields: fields}
	about := is
	if is == nil {
		about = was
	}
	c.Requirement, c.Level, c.Subject = about.Requirement, about.Level, about.Subject
	return c
}

func findingOf(r *Result) *Finding {
	if r == nil {
		return nil
	}
	return &Finding{r.Verdict, r.Level, r.Statement, r.Expected, r.Observed, r.Reason, r.where(), r.Source.String()}
}

// differences says what else is another than before: a change may come from there.
func differences(before, after *Report) []string {
	notes := []string{}
	say := func(what, was, is string) {
		if was != is {
			notes = append(notes, fmt.Sprintf("%s: %s, then %s", what, orNone(was), orNone(is)))
		}
	}
	say("other kinds of evidence", before.Evidence.Kind, after.Evidence.Kind)
	if was, is := before.target(), after.target(); was != is && folded(was)[0] == folded(is)[0] {
		notes = append(notes, "the targets have pseudonyms, which each run numbers anew: they may be the same, or not; --name would tell")
	} else {
		say("other targets", was, is)
	}
	say("other versions of the server", before.Evidence.Server, after.Evidence.Server)
	say("other versions of "+after.Tool.Name, strings.TrimSpace(before.Tool.Version+" "+before.Tool.Commit), strings.TrimSpace(after.Tool.Version+" "+after.Tool.Commit))
	say("other subjects", before.Subject, after.Subject)
	say("strict", fmt.Sprint(before.Strict), fmt.Sprint(after.Strict))
	revisions := map[string]int{}
	for _, t := range before.Tasks {
		revisions[t.ID] = t.Revision
	}
	for _, t := range after.Tasks {
		if was, there := revisions[t.ID]; there && was != t.Revision {
			say("other revisions of the ledger of "+t.ID, fmt.Sprint(was), fmt.Sprint(t.Revision))
		}
	}
	if before.Evidence.SHA256 != "" && before.Evidence.SHA256 == after.Evidence.SHA256 {
		notes = append(notes, "the evidence is the same, by its hash: what changed is how it is judged")
	}
	return notes
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return shorten(s, shownRunes)
}

// WriteComparison writes the comparison in one of the [ComparisonFormats].
func WriteComparison(w io.Writer, c *Comparison, format string, opts Options) error {
	return write(w, c, format, opts, comparisonForms())
}

// ComparisonFormats is the names that [WriteComparison] knows.
func ComparisonFormats() []string { return namesOf(comparisonForms()) }

func comparisonForms() []form[*Comparison] {
	return []form[*Comparison]{
		{"text", "", whole(comparisonText)},
		{"json", "", whole(func(c *Comparison, _ Options) ([]byte, error) { return indentedJSON(c) })},
		{"markdown", "", whole(comparisonMarkdown)},
	}
}

// most changes of a kind that are shown with their values when they are harmless.
const fewChanges = 10

// detailed tells whether the values of a change are shown, and not only its id.
func (c Change) detailed(of int, verbose bool) bool {
	switch c.Kind {
	case Broken, Fixed, ChangedRequirement:
		return true
	}
	return verbose || of <= fewChanges
}

// said is the lines that show a change: what it was, and what it is.
func (c Change) said() [][2]string {
	verdicts := func(f *Finding) string { return symbol(f.Verdict) + " " + string(f.Verdict) }
	switch {
	case c.Before == nil:
		return [][2]string{{"verdict", verdicts(c.After)}, {"says", c.After.Statement}}
	case c.After == nil:
		return [][2]string{{"verdict", "was " + verdicts(c.Before)}, {"said", c.Before.Statement}}
	}
	var lines [][2]string
	pair := func(name, was, is string) {
		if was != is {
			was, is = apart(was, is)
			lines = append(lines, [2]string{name, orNone(was) + " → " + orNone(is)})
		}
	}
	if c.Kind == ChangedRequirement {
		pair("level", c.Before.Level, c.After.Level)
		pair("says", c.Before.Statement, c.After.Statement)
		pair("source", c.Before.Source, c.After.Source)
		if len(lines) == 0 {
			lines = append(lines, [2]string{"other", strings.Join(c.Fields, ", ")})
		}
		return lines
	}
	pair("verdict", verdicts(c.Before), verdicts(c.After))
	if c.Kind == Broken {
		lines = append(lines, [2]string{"says", c.After.Statement})
	}
	was := folded(c.Before.Expected, c.Before.Observed, c.Before.Reason)
	is := folded(c.After.Expected, c.After.Observed, c.After.Reason)
	pair("expected", was[0], is[0])
	pair("observed", was[1], is[1])
	pair("reason", was[2], is[2])
	pair("evidence", c.Before.Evidence, c.After.Evidence)
	return lines
}

// legible is a copy that is safe to show; see [legible].
func (c *Comparison) legible() *Comparison {
	out := *c
	out.Before, out.After = c.Before.legible(), c.After.legible()
	out.Notes = each(c.Notes, visible)
	out.Changes = each(c.Changes, func(x Change) Change {
		x.Requirement, x.Level, x.Subject = visible(x.Requirement), visible(x.Level), visible(x.Subject)
		x.Before, x.After = x.Before.legible(), x.After.legible()
		x.Fields = each(x.Fields, visible)
		return x
	})
	return &out
}

func (s Side) legible() Side {
	return sideOf(legible(&Report{Name: s.Name, Tool: s.Tool, Outcome: s.Outcome, Subject: s.Subject, Strict: s.Strict, Evidence: s.Evidence, Counts: s.Counts}))
}

func (f *Finding) legible() *Finding {
	if f == nil {
		return nil
	}
	return &Finding{visible(f.Verdict), visible(f.Level), visible(f.Statement), visible(f.Expected), visible(f.Observed), visible(f.Reason), visible(f.Evidence), visible(f.Source)}
}

func comparisonText(c *Comparison, opts Options) ([]byte, error) {
	c = c.legible()
	p := newPrinter(opts)
	p.item(0, "before  ", bold, c.Before.Outcome.words()+": "+c.Before.Counts.String()+" · "+c.Before.Evidence.provenance(), plain)
	p.item(0, "after   ", bold, c.After.Outcome.words()+": "+c.After.Counts.String()+" · "+c.After.Evidence.provenance(), plain)
	for _, note := range c.Notes {
		p.item(0, "note    ", yellow, note, plain)
	}
	for _, kind := range changeKinds {
		list := c.Of(kind)
		if len(list) == 0 {
			continue
		}
		p.blank()
		p.item(0, fmt.Sprintf("%s (%d)", kind, len(list)), changeTone(kind), "", plain)
		for i, x := range list {
			if !x.detailed(len(list), opts.Verbose) && i >= fewChanges {
				p.item(2, "", plain, fmt.Sprintf("and %d more (--verbose shows them)", len(list)-i), dim)
				break
			}
			p.item(2, "", plain, fmt.Sprintf("%s  (%s, %s)", shorten(x.Requirement, shownRunes), x.Level, x.Subject), plain)
			if x.detailed(len(list), opts.Verbose) {
				for _, line := range x.said() {
					p.item(4, fmt.Sprintf("%-10s", line[0]), dim, shorten(line[1], 2*shownRunes), plain)
				}
			}
		}
	}
	p.blank()
	p.item(0, "", plain, c.String(), plain)
	return p.text(), nil
}

func changeTone(kind ChangeKind) colour {
	switch kind {
	case Broken:
		return red
	case Fixed, NewlyExercised:
		return green
	case NoLongerExercised, ChangedRequirement:
		return yellow
	}
	return bold
}

func comparisonMarkdown(c *Comparison, _ Options) ([]byte, error) {
	c = c.legible()
	m := &markdown{}
	verdict := "Nothing is broken"
	if n := len(c.Of(Broken)); n > 0 {
		verdict = fmt.Sprintf("%d broken", n)
	}
	fmt.Fprintf(&m.b, "## %s\n\n%s\n\n| | outcome | verdicts | evidence |\n|---|---|---|---|\n", verdict, mdText(c.String()))
	for _, side := range []struct {
		name string
		Side
	}{{"before", c.Before}, {"after", c.After}} {
		fmt.Fprintf(&m.b, "| %s | %s | %s | %s |\n", side.name, mdText(side.Outcome.words()), side.Counts, mdText(side.Evidence.provenance()))
	}
	m.b.WriteByte('\n')
	for _, note := range c.Notes {
		m.fits("> " + mdText(note) + "\n>\n")
	}
	for _, kind := range changeKinds {
		list := c.Of(kind)
		if len(list) == 0 {
			continue
		}
		fmt.Fprintf(&m.b, "\n### %s (%d)\n\n", kind, len(list))
		for i, x := range list {
			piece := fmt.Sprintf("- %s (%s, %s)\n", mdCode(x.Requirement), mdText(x.Level), mdText(x.Subject))
			if x.detailed(len(list), false) {
				for _, line := range x.said() {
					piece += "  - " + line[0] + ": " + mdText(line[1]) + "\n"
				}
			}
			if !m.fits(piece) {
				m.cut(len(list) - i)
				break
			}
		}
	}
	return []byte(m.b.String()), nil
}
