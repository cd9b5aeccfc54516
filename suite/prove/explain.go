package prove

import (
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// proof is what proves a requirement: faults, each with what it does.
type proof struct {
	requirement string
	by          []string
}

// Explain names in every result of a report the faults that prove its requirement. It has them from a table, which
// `go generate ./suite/prove` writes: to make the catalogue of faults itself takes as long as to judge some users.
func Explain(r *reports.Report) {
	by := make(map[string][]string, len(proofs))
	for _, p := range proofs {
		by[p.requirement] = p.by
	}
	for i := range r.Results {
		r.Results[i].ProvedBy = by[r.Results[i].Requirement]
	}
}
