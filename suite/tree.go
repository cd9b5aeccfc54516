package suite

import (
	"fmt"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/onsi/gomega"
)

// tree takes the specs of one task: its steps, and in them the requirements by id.
type tree struct {
	step        func(id string, body func())
	requirement func(id string, spec func(*check))
}

// declare adds the specs of the evidence's task to Ginkgo's tree: the task is an
// ordered container, a step a container in it, a requirement an It whose label is
// its id.
func declare(t *task, evidence *Evidence, selected []Requirement) {
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
				ginkgo.It(r.Says, ginkgo.Label(id), func() {
					c := newCheck(evidence, r, func(message string, skip ...int) { ginkgo.Fail(message, skip...) }, func(reason string) { ginkgo.Skip(reason, 2) })
					ginkgo.AddReportEntry(id, c, ginkgo.ReportEntryVisibilityNever)
					spec(c)
					c.end()
				})
			},
		})
	})
}

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
					outcomes[id] = run(evidence, r, spec)
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
	o.check = newCheck(evidence, r, func(message string, _ ...int) { end(types.SpecStateFailed, message) },
		func(reason string) { end(types.SpecStateSkipped, reason) })
	defer func() {
		switch p := recover().(type) {
		case nil, ended:
		default:
			o.state, o.message = types.SpecStatePanicked, fmt.Sprint(p)
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

func newCheck(evidence *Evidence, r Requirement, fail func(string, ...int), skip func(string)) *check {
	return &check{Evidence: evidence, requirement: r, gomega: gomega.NewGomega(fail), skip: skip}
}
