package suite

import (
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"
)

// tree takes the specs of one task: its steps, and in them the requirements by id.
type tree struct {
	step        func(id string, body func())
	requirement func(id string, spec func(*check))
}

// declare adds the specs of a task to Ginkgo's tree: the task is an ordered container, a
// step a container in it, a requirement an It with its id, task, subject and level as
// labels. One It judges all evidence, and notes in outcomes how it ended for each: the
// tree does not grow with the evidence.
func declare(t *task, selected []Requirement, evidence []*Evidence, outcomes map[*Evidence]map[string]*outcome) {
	ledger := t.ledger()
	requirements := byID(selected)
	titles := map[string]string{}
	for _, s := range ledger.Steps {
		titles[s.ID] = s.Title
	}
	ginkgo.Describe(ledger.Title, ginkgo.Ordered, ginkgo.ContinueOnFailure, func() {
		t.specs(&tree{
			step: func(id string, body func()) { ginkgo.Context(titles[id], body) },
			requirement: func(id string, spec func(*check)) {
				r, ok := requirements[id]
				if !ok {
					return
				}
				ginkgo.It(r.Says, ginkgo.Label(id, ledger.Task, r.Subject, r.Level), func(ctx ginkgo.SpecContext) {
					for _, e := range evidence {
						if ctx.Err() != nil {
							return // interrupted: the reports are asked for next
						}
						outcomes[e][id] = judged(e, r, spec)
					}
					tell(id, evidence, outcomes)
				})
			},
		})
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
	requirements := byID(selected)
	outcomes := map[string]*outcome{}
	for _, name := range evidence.Tasks {
		tasks[name].specs(&tree{
			step: func(_ string, body func()) { body() },
			requirement: func(id string, spec func(*check)) {
				if r, ok := requirements[id]; ok {
					outcomes[id] = judged(evidence, r, spec)
				}
			},
		})
	}
	return outcomes
}

// run runs one spec as Ginkgo would.
func run(evidence *Evidence, r Requirement, spec func(*check)) (o *outcome) {
	type ended struct{}
	o = &outcome{state: types.SpecStatePassed}
	end := func(state types.SpecState, message string) {
		o.state, o.message = state, message
		panic(ended{})
	}
	fail := func(message string, skip ...int) {
		caller := 1
		if len(skip) > 0 {
			caller += skip[0]
		}
		o.at = "\n" + types.NewCodeLocation(caller).String()
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
	spec(o.check)
	o.check.end()
	return o
}

func byID(list []Requirement) map[string]Requirement {
	m := make(map[string]Requirement, len(list))
	for _, r := range list {
		m[r.ID] = r
	}
	return m
}
