package prove

import "github.com/ucwa-conform/ucwa-conform/reports"

// Explain names in every result of a report the faults that prove its requirement.
func Explain(r *reports.Report) {
	by := map[string][]string{}
	for _, f := range faults() {
		by[f.Requirement] = append(by[f.Requirement], f.Name+": "+f.Breaks)
	}
	for i := range r.Results {
		r.Results[i].ProvedBy = by[r.Results[i].Requirement]
	}
}
