package suite

import (
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"
)

// declare adds the specs of a task to Ginkgo's tree: the task is an ordered container, a
// step a container in it, a requirement an It with its id, task, subject and level as
// labels, at its line of the page where that is known. One It judges all evidence, and notes in outcomes how it ended for each: the
// tree does not grow with the evidence.
func declare(l *Ledger, selected []Requirement, evidence []*Evidence, outcomes map[*Evidence]map[string]*outcome, at map[string]types.CodeLocation) {
	ginkgo.Describe(l.Title, ginkgo.Ordered, ginkgo.ContinueOnFailure, func() {
		for _, s := range l.Steps {
			ginkgo.Context(s.Title, func() {
				for _, r := range selected {
					if r.ledger != l || r.Step != s.ID {
						continue
					}
					ginkgo.It(r.Says, at[r.ID], ginkgo.Label(r.ID, l.Task, r.Subject, r.Level), func(ctx ginkgo.SpecContext) {
						for _, e := range evidence {
							if ctx.Err() != nil {
								return // interrupted: the reports are asked for next
							}
							outcomes[e][r.ID] = judged(e, r)
						}
						tell(r.ID, evidence, outcomes)
					})
				}
			})
		}
	})
}

// tell ends the It of a requirement as the worst of its outcomes: what fails for one
// evidence fails, and what passes for none is skipped.
func tell(id string, evidence []*Evidence, outcomes map[*Evidence]map[string]*outcome) {
	var failed []string
	passed := false
	for _, e := range evidence {
		switch o := outcomes[e][id]; o.state {
		case types.SpecStatePassed:
			passed = true
		case types.SpecStateFailed, types.SpecStatePanicked:
			failed = append(failed, fmt.Sprintf("%s, %s%s\n", e.Source, o.message, o.at))
		}
	}
	if len(failed) > 0 {
		more := ""
		if n := len(failed) - mostTold; n > 0 {
			failed, more = failed[:mostTold], fmt.Sprintf("and %d more", n)
		}
		ginkgo.Fail(strings.Join(failed, "")+more, 1)
	}
	if !passed {
		ginkgo.Skip(outcomes[evidence[0]][id].message, 1)
	}
}

// mostTold bounds what an It repeats of a requirement that fails for a thousand users.
const mostTold = 5

// examine runs the same specs without Ginkgo, as often as a process likes: for
// those who judge thousands of evidences, such as the proof of the suite itself.
func examine(evidence *Evidence, selected []Requirement) map[string]*outcome {
	outcomes := make(map[string]*outcome, len(selected))
	for _, r := range selected {
		outcomes[r.ID] = judged(evidence, r)
	}
	return outcomes
}

// run runs one spec as Ginkgo would.
func run(evidence *Evidence, r Requirement) (o *outcome) {
	type ended struct{}
	o = &outcome{state: types.SpecStatePassed}
	end := func(state types.SpecState, message string) {
		o.state, o.message = state, message
		panic(ended{})
	}
	fail := func(message string, _ ...int) {
		o.at = "\n" + locations()[r.ID].String()
		end(types.SpecStateFailed, message)
	}
	o.check = &check{Evidence: evidence, requirement: r, gomega: gomega.NewGomega(fail), skip: func(reason string) { end(types.SpecStateSkipped, reason) }}
	defer func() {
		switch p := recover().(type) {
		case nil, ended:
		default:
			o.state, o.message = types.SpecStatePanicked, fmt.Sprint(p)
			o.at = "\n" + types.NewCodeLocationWithStackTrace(1).FullStackTrace
		}
	}()
	r.kind.judge(o.check)
	o.check.end()
	return o
}
