package prove

import (
	"slices"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// A report names the faults that FaultsFor does, for every requirement that there is.
func TestExplain(t *testing.T) {
	r := &reports.Report{Results: []reports.Result{{Requirement: "unknown", ProvedBy: []string{"of another conform"}}}}
	for _, l := range suite.Ledgers() {
		for _, requirement := range l.Requirements {
			r.Results = append(r.Results, reports.Result{Requirement: requirement.ID})
		}
	}
	Explain(r)
	for i, result := range r.Results {
		var want []string
		for _, f := range FaultsFor(result.Requirement) {
			want = append(want, f.Name+": "+f.Breaks)
		}
		if !slices.Equal(want, result.ProvedBy) || (want == nil) != (i == 0) {
			t.Errorf("%s is proved by %q, want %q", result.Requirement, result.ProvedBy, want)
		}
	}
}
