package prove

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"slices"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// TestTableOfFaults holds that the table from which reports are explained is that of the catalogue. With -update it writes it.
func TestTableOfFaults(t *testing.T) {
	const file = "explain_table.go"
	var b bytes.Buffer
	b.WriteString("// Code generated from the catalogue of faults by go generate ./suite/prove; DO NOT EDIT.\n\npackage prove\n\nvar proofs = []proof{\n")
	for _, l := range suite.Ledgers() {
		for _, r := range l.Requirements {
			var by []string
			for _, f := range FaultsFor(r.ID) {
				by = append(by, f.Name+": "+f.Breaks)
			}
			if by != nil {
				fmt.Fprintf(&b, "{%q, %#v},\n", r.ID, by)
			}
		}
	}
	b.WriteString("}\n")
	want, err := format.Source(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
		t.Errorf("%s is not what the catalogue of faults says: run go generate ./suite/prove", file)
	}
}

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
