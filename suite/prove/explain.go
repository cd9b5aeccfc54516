package prove

import (
	"fmt"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// maxNamed bounds the faults that follow from the checks and that a report names for a requirement; `conform explain` names all.
const maxNamed = 2

// proofs are the faults that prove each requirement, each with what it does: first those that follow from no check, which
// tell most.
var proofs = sync.OnceValue(func() map[string][]string {
	by := map[string][]string{}
	for _, f := range append(particular(), fixed(recordedFaults())...) {
		by[f.Requirement] = append(by[f.Requirement], f.Name+": "+f.Breaks)
	}
	more := map[string]int{}
	for _, f := range suite.Derived() {
		if len(by[f.Requirement]) < maxNamed {
			by[f.Requirement] = append(by[f.Requirement], f.Name+": "+f.Does())
		} else {
			more[f.Requirement]++
		}
	}
	for id, n := range more {
		by[id] = append(by[id], fmt.Sprintf("and %d more: conform explain %s", n, id))
	}
	return by
})

// Explain names in every result of a report the faults that prove its requirement.
func Explain(r *reports.Report) {
	for i := range r.Results {
		r.Results[i].ProvedBy = proofs()[r.Results[i].Requirement]
	}
}
