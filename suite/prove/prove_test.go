package prove

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

var update = flag.Bool("update", false, "write docs/proof.md anew")

const published = "../../docs/proof.md"

// TestProof holds the whole proof, and that the published page, which was made on another day, is what it gives today.
func TestProof(t *testing.T) {
	if race {
		p, err := Run(context.Background(), Options{sockets: true, Combinations: 20})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range p.Problems() {
			t.Errorf("%s %s (%s): %s", x.Kind, x.Name, x.Does, x.Problem)
		}
		return
	}
	if testing.Short() {
		t.Skip("the whole proof takes half a minute")
	}
	p, err := whole()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range p.Problems() {
		t.Errorf("%s %s (%s): %s", x.Kind, x.Name, x.Does, x.Problem)
	}
	for _, r := range p.Unproved() {
		t.Errorf("%s: no fault proves it", r.ID)
	}
	var page bytes.Buffer
	if err := Write(&page, p, "markdown"); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(published, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, page.Bytes()) {
		t.Error("docs/proof.md is not what the proof gives today; look at the difference after\n\tgo generate ./suite/prove")
	}
}

// whole is the whole proof, which two tests look at.
var whole = sync.OnceValues(func() (*Proof, error) { return Run(context.Background(), Options{}) })

// TestProofIsTheSame holds that what is tried twice gives the same bytes.
func TestProofIsTheSame(t *testing.T) {
	var texts [2]bytes.Buffer
	for i := range texts {
		p, err := Run(context.Background(), Options{Names: []string{"set-presence.2.", "set-presence.event.", "create-application.3.", "set-note.", "hrefs-absolute"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(&texts[i], p, "json"); err != nil {
			t.Fatal(err)
		}
		if len(p.Trials) < 100 {
			t.Errorf("only %d trials", len(p.Trials))
		}
	}
	if !bytes.Equal(texts[0].Bytes(), texts[1].Bytes()) {
		t.Error("run twice, the proof is not the same bytes")
	}
}

// TestReviewedIsNeeded holds that every entry of the reviewed list has a mutant
// which only it explains.
func TestReviewedIsNeeded(t *testing.T) {
	if race || testing.Short() {
		t.Skip("nothing in it runs at once, and it looks at the whole proof")
	}
	p, err := whole()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reviewed() {
		if !slices.ContainsFunc(p.Trials, func(x Trial) bool { return x.Tolerated == r.why }) {
			t.Errorf("nothing is tolerated for the reason %q", r.why)
		}
	}
}

// TestExplain holds that a report names faults that FaultsFor does, and how many more there are, for every requirement that there is.
func TestExplain(t *testing.T) {
	r := &reports.Report{Results: []reports.Result{{Requirement: "unknown", ProvedBy: []string{"of another conform"}}}}
	for _, l := range suite.Ledgers() {
		for _, requirement := range l.Requirements {
			r.Results = append(r.Results, reports.Result{Requirement: requirement.ID})
		}
	}
	Explain(r)
	for i, result := range r.Results {
		faults := FaultsFor(result.Requirement)
		for n, by := range result.ProvedBy {
			more := n > 0 && by == fmt.Sprintf("and %d more: conform explain %s", len(faults)-n, result.Requirement)
			if !more && !slices.ContainsFunc(faults, func(f Fault) bool { return by == f.Name+": "+f.Breaks }) {
				t.Errorf("%s is proved by %q", result.Requirement, by)
			}
		}
		if n := len(result.ProvedBy); n < min(len(faults), maxNamed) || (n == 0) != (i == 0) {
			t.Errorf("%s is proved by %q, of %d faults", result.Requirement, result.ProvedBy, len(faults))
		}
	}
}

// TestCatalogue holds the form of the catalogue: names that are unique, and ids
// that there are.
func TestCatalogue(t *testing.T) {
	names := map[string]bool{}
	r, err := openRecording()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults(r) {
		if names[f.Name] {
			t.Errorf("two faults are named %s", f.Name)
		}
		names[f.Name] = true
		for _, id := range append([]string{f.Requirement}, f.Also...) {
			if _, _, err := suite.RequirementOf(id); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
		if f.Breaks == "" || f.Field == "" {
			t.Errorf("%s does not say what it breaks, or where", f.Name)
		}
	}
	for _, v := range Variations() {
		if names[v.Name] {
			t.Errorf("two are named %s", v.Name)
		}
		names[v.Name] = true
	}
}

// TestProblems holds that what is not as it should be is called a problem.
func TestProblems(t *testing.T) {
	result := func(id string, v reports.Verdict, field string) reports.Result {
		return reports.Result{Requirement: id, Verdict: v, Evidence: []reports.Pointer{{Exchange: 1, Field: field}}}
	}
	f := fault{Fault: Fault{Name: "x", Requirement: "a", Field: "status", Also: []string{"b"}}}
	for _, test := range []struct {
		name    string
		results []reports.Result
		says    string
	}{
		{"as it should be", []reports.Result{result("a", reports.Fail, "status"), result("b", reports.Warn, "body")}, ""},
		{"survives", []reports.Result{result("a", reports.Pass, "status"), result("b", reports.Fail, "body")}, "survives"},
		{"blocked is not caught", []reports.Result{result("a", reports.Blocked, "status"), result("b", reports.Fail, "body")}, "survives"},
		{"another field", []reports.Result{result("a", reports.Fail, "body"), result("b", reports.Fail, "body")}, "another reason"},
		{"undeclared", []reports.Result{result("a", reports.Fail, "status"), result("b", reports.Fail, ""), result("c", reports.Warn, "")}, "undeclared: c"},
		{"an error is undeclared", []reports.Result{result("a", reports.Fail, "status"), result("b", reports.Fail, ""), result("c", reports.Error, "")}, "undeclared: c"},
		{"declared and not so", []reports.Result{result("a", reports.Fail, "status"), result("b", reports.Pass, "")}, "does not: b"},
		{"no such requirement", []reports.Result{result("b", reports.Fail, "")}, "no requirement a"},
	} {
		got := f.problem(test.results, broken(test.results))
		if (got == "") != (test.says == "") || !strings.Contains(got, test.says) {
			t.Errorf("%s: %q, expected %q", test.name, got, test.says)
		}
	}
	derived := fault{Fault: Fault{Name: "a/x", Subject: "server", Requirement: "a", Field: "_links", derived: &suite.Fault{Field: "_links"}}}
	for field, says := range map[string]string{"_links.self": "", "_links": "", "_embedded": "did not look at", "_linkss": "did not look at"} {
		results := []reports.Result{result("a", reports.Fail, "_links"), result("b", reports.Fail, field)}
		results[1].Subject = "server"
		if got := derived.problem(results, broken(results)); (got == "") != (says == "") || !strings.Contains(got, says) {
			t.Errorf("derived, and %s: %q, expected %q", field, got, says)
		}
	}
	n := 0
	e := onFault(f, 2, func(context.Context) ([]reports.Result, error) {
		n++
		return []reports.Result{result("a", reports.Fail, "status"), result("b", []reports.Verdict{reports.Fail, reports.Pass}[n-1], "")}, nil
	})
	if err := e.run(context.Background(), &e.Trial); err != nil || !strings.HasPrefix(e.Problem, "unstable") {
		t.Errorf("another time it is different, and the problem is %q, %v", e.Problem, err)
	}
}

// TestWrite holds that every format shows a problem, and that what a server said
// stays text.
func TestWrite(t *testing.T) {
	p := &Proof{Schema: SchemaID, Task: "set-presence", Server: "https://<b>x</b>|\x1b[31m/", Requirements: []Requirement{{ID: "set-presence.a", Level: "must", By: []string{}}},
		Trials: []Trial{{Kind: "server", Name: "x", Does: "does it", Requirement: "set-presence.a", Problem: "survives <script>"}}}
	for _, format := range Formats() {
		var b bytes.Buffer
		if err := Write(&b, p, format); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if !strings.Contains(text, "survives") || format != "json" && strings.Contains(text, "\x1b") {
			t.Errorf("%s: the problem is not shown, or a control character is: %q", format, text)
		}
		if (format == "html" || format == "markdown") && (strings.Contains(text, "<script>") || strings.Contains(text, "<b>")) {
			t.Errorf("%s holds what a server said as it is: %q", format, text)
		}
		if format == "json" && !json.Valid(b.Bytes()) {
			t.Errorf("no JSON: %q", text)
		}
	}
	if err := Write(&bytes.Buffer{}, p, "pdf"); err == nil {
		t.Error("an unknown format was written")
	}
}

// TestNothingTried holds that a name which is none is an error, and so is a run
// that was ended.
func TestNothingTried(t *testing.T) {
	if _, err := Run(context.Background(), Options{Names: []string{"no such fault"}}); err == nil || !strings.Contains(err.Error(), "no such fault") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Options{Names: []string{"set-presence.2.status/200"}}); err == nil {
		t.Error("an ended run gave a proof")
	}
}
