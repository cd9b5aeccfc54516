package suite

import (
	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
)

// tree declares the specs of one task over one evidence to Ginkgo: the task is
// an ordered container, a step a container in it, a requirement an It.
type tree struct {
	ledger   *Ledger
	evidence *Evidence
	selected map[string]Requirement
	visit    func(id string) // instead of declaring: tells which ids the specs have
}

// tasks are the specs and the driver of every certified document.
var tasks = map[string]struct {
	specs func(*tree)
	drive func(*session)
}{
	"set-presence": {setPresence, driveSetPresence},
}

// declare adds the specs of the evidence's task to Ginkgo's tree.
func declare(ledger *Ledger, evidence *Evidence, selected []Requirement) {
	t := &tree{ledger: ledger, evidence: evidence, selected: map[string]Requirement{}}
	for _, r := range selected {
		t.selected[r.ID] = r
	}
	ginkgo.Describe(ledger.Title, ginkgo.Ordered, ginkgo.ContinueOnFailure, func() { tasks[ledger.Task].specs(t) })
}

func (t *tree) step(id string, body func()) {
	if t.visit != nil {
		body()
		return
	}
	for _, s := range t.ledger.Steps {
		if s.ID == id {
			ginkgo.Context(s.Title, body)
		}
	}
}

// requirement declares the spec of one requirement. Its id is Ginkgo's label.
func (t *tree) requirement(id string, body func(*check)) {
	if t.visit != nil {
		t.visit(id)
		return
	}
	r, ok := t.selected[id]
	if !ok {
		return
	}
	ginkgo.It(r.Says, ginkgo.Label(id), func() {
		c := &check{Evidence: t.evidence, requirement: r, gomega: gomega.NewGomega(ginkgo.Fail)}
		ginkgo.AddReportEntry(id, c, ginkgo.ReportEntryVisibilityNever)
		body(c)
	})
}
