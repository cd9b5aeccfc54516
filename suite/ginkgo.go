//go:build !js

package suite

// The door to Ginkgo. Nothing else of this package needs it, so that all else builds for a browser, where Ginkgo does not.

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/formatter"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// Specs adds the requirements of every page to Ginkgo's tree, for test binaries that run Ginkgo themselves: a Describe a
// page, a Context a step, an It a requirement, at its line of the page, with its id, task, subject and level as labels. The
// tree stands without evidence: of is asked for it when the first spec runs, and once. What fails for one evidence fails;
// what could not be judged in a run of conform's own driver, such as for a token that was refused, fails too; what is not
// exercised, not applicable or blocked everywhere is skipped with its reason. Each It has a report entry for
// each evidence, with the verdict, the exchange and the field that it rests on, what was expected and what was observed.
func Specs(of func() []*Evidence) {
	evidence := sync.OnceValue(of)
	at := locations()
	for _, l := range Ledgers() {
		ginkgo.Describe(l.Title, func() {
			for _, s := range l.Steps {
				ginkgo.Context(s.Title, func() {
					for _, r := range l.Requirements {
						if r.Step == s.ID {
							ginkgo.It(r.Says, types.CodeLocation{FileName: at[r.ID].file, LineNumber: at[r.ID].line}, ginkgo.Label(r.ID, l.Task, r.Subject, r.Level), func() { r.spec(evidence()) })
						}
					}
				})
			}
		})
	}
}

// spec judges evidence by one requirement, in an It.
func (r Requirement) spec(evidence []*Evidence) {
	outcomes := map[*Evidence]*outcome{}
	var of []*Evidence
	for _, e := range evidence {
		if !e.asks(r) {
			continue
		}
		o := judged(e, r)
		outcomes[e], of = o, append(of, e)
		ginkgo.AddReportEntry(e.Source, entryOf(o.result), ginkgo.ReportEntryVisibilityFailureOrVerbose)
	}
	if len(of) == 0 {
		ginkgo.Skip("no evidence is of this task")
	}
	end(of, func(e *Evidence) *outcome { return outcomes[e] })
}

// asks reports whether a requirement is one of the tasks by which an evidence is judged, or one that these share.
func (e *Evidence) asks(r Requirement) bool {
	ledgers, _ := ledgersOf(e.Tasks)
	return slices.ContainsFunc(ledgers, func(l *Ledger) bool {
		asked, _ := l.asks()
		return asked[r.ID]
	})
}

// entry is what a spec found, as Ginkgo's reports have it.
type entry struct {
	Verdict                           reports.Verdict
	Exchange                          int
	Field, Expected, Observed, Reason string
}

func entryOf(r reports.Result) entry {
	e := entry{Verdict: r.Verdict, Expected: r.Expected, Observed: r.Observed, Reason: r.Reason}
	if len(r.Evidence) > 0 {
		e.Exchange, e.Field = r.Evidence[0].Exchange, r.Evidence[0].Field
	}
	return e
}

// String is how Ginkgo prints an entry.
func (e entry) String() string {
	var lines []string
	if e.Exchange > 0 {
		lines = append(lines, fmt.Sprintf("exchange %d, %s", e.Exchange, e.Field))
	}
	for _, l := range []struct{ name, value string }{{"expected", e.Expected}, {"observed", e.Observed}, {"reason", e.Reason}} {
		if l.value != "" {
			lines = append(lines, l.name+" "+reports.Legible(l.value))
		}
	}
	return string(e.Verdict) + ": " + strings.Join(lines, "\n")
}

// declare adds the requirements of a task to Ginkgo's tree for Judge, which has the evidence. One It judges all of it, and
// notes in outcomes how it ended for each: the tree does not grow with the evidence.
func declare(l *Ledger, selected []Requirement, evidence []*Evidence, outcomes map[*Evidence]map[string]*outcome) {
	ofStep := map[string][]Requirement{}
	for i := range selected {
		if r := &selected[i]; r.ledger == l {
			ofStep[r.Step] = append(ofStep[r.Step], *r)
		}
	}
	ginkgo.Describe(l.Title, ginkgo.Ordered, ginkgo.ContinueOnFailure, func() { // as one, which costs a third less
		for _, s := range l.Steps {
			if len(ofStep[s.ID]) == 0 {
				continue
			}
			ginkgo.Context(s.Title, func() {
				for _, r := range ofStep[s.ID] {
					ginkgo.It(r.Says, ginkgo.Label(r.ID, l.Task, r.Subject, r.Level), func(ctx ginkgo.SpecContext) {
						for _, e := range evidence {
							if ctx.Err() != nil {
								return // interrupted: the reports are asked for next
							}
							outcomes[e][r.ID] = judged(e, r)
						}
						end(evidence, func(e *Evidence) *outcome { return outcomes[e][r.ID] })
					})
				}
			})
		}
	})
}

// end ends the It of a requirement as the worst of its outcomes: what fails for one
// evidence fails, and what passes for none is skipped.
func end(evidence []*Evidence, of func(*Evidence) *outcome) {
	var failed []string
	passed := false
	for _, e := range evidence {
		o := of(e)
		switch {
		case o.state == hasPassed:
			passed = true
		case o.state != wasSkipped:
			failed = append(failed, fmt.Sprintf("%s, %s%s\n", e.Source, o.message, o.at))
		case o.result.Verdict == reports.Error && e.Driven: // such as a token that was refused: that is no green run
			failed = append(failed, fmt.Sprintf("%s, could not be judged: %s\n", e.Source, o.message))
		}
	}
	if len(failed) > 0 {
		more := ""
		if n := len(failed) - maxListed; n > 0 {
			failed, more = failed[:maxListed], fmt.Sprintf("and %d more", n)
		}
		ginkgo.Fail(strings.Join(failed, "")+more, 1)
	}
	if !passed {
		ginkgo.Skip(of(evidence[0]).message, 1)
	}
}

// maxListed bounds what an It repeats of a requirement that fails for a thousand users.
const maxListed = 5

// Declare adds the specs for every evidence to Ginkgo's tree, without running
// them. It is for test binaries that run Ginkgo themselves; others call [Judge]. Each
// spec has the id of its requirement, the task, the subject and the level as labels. That
// all pass does not mean that all was looked at: what the evidence does not show is
// skipped, and [Judgement.Reports] tell the outcome. Declare fails, and declares nothing, where there is no evidence, or one of a task that
// there is not, or where nothing is selected.
func Declare(options Options, evidence ...*Evidence) (*Judgement, error) {
	j, err := prepare(options, evidence)
	if err != nil {
		return nil, err
	}
	j.declare()
	return j, nil
}

func (j *Judgement) declare() {
	j.byTask = map[string][]*Evidence{}
	for _, e := range j.evidence {
		for _, l := range pagesOf(j.selected[e]) {
			j.byTask[l.Task] = append(j.byTask[l.Task], e)
		}
	}
	for _, l := range Ledgers() {
		if list := j.byTask[l.Task]; len(list) > 0 {
			declare(l, j.selected[list[0]], list, j.outcomes)
		}
	}
}

var ran atomic.Bool

// Judge runs the specs over every evidence in one run of Ginkgo, and returns a
// report for each. Ginkgo runs once in a process: judge all evidence in one call.
// Ginkgo's own output is suppressed; the reports hold all of it.
func Judge(options Options, evidence ...*Evidence) ([]*reports.Report, error) {
	j, err := prepare(options, evidence)
	if err != nil {
		return nil, err
	}
	if !ran.CompareAndSwap(false, true) {
		return nil, errors.New("Judge was called before in this process, and Ginkgo runs only once: give all evidence to one call")
	}
	j.declare()
	suiteConfig, reporterConfig := ginkgo.GinkgoConfiguration()
	out := formatter.ColorableStdOut
	formatter.ColorableStdOut = io.Discard
	defer func() { formatter.ColorableStdOut = out }()
	ginkgo.RunSpecs(verdictsCount{}, "conform", suiteConfig, reporterConfig)
	defer j.release()
	return j.Reports(), nil
}

// verdictsCount takes the place of *testing.T: a spec that fails is a verdict in
// the report, and not for Ginkgo to act on.
type verdictsCount struct{}

func (verdictsCount) Fail() {}
