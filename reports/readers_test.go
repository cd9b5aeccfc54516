package reports

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/joshdk/go-junit"
)

// What others wrote for reading JUnit reads ours: the same cases, with the same fate.
func TestJUnitAsOthersReadIt(t *testing.T) {
	for name, r := range samples() {
		suites, err := junit.Ingest(render(t, r, "junit", Options{}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		shown := legible(r)
		var totals junit.Totals
		found := map[string]junit.Test{}
		for _, s := range suites {
			totals.Tests += s.Totals.Tests
			totals.Passed += s.Totals.Passed
			totals.Skipped += s.Totals.Skipped
			totals.Failed += s.Totals.Failed
			totals.Error += s.Totals.Error
			if s.Properties["outcome"] != shown.Headline() || s.Properties["evidence.sha256"] != shown.Evidence.SHA256 {
				t.Errorf("%s: suite %.40q has the properties %v", name, s.Name, s.Properties)
			}
			for _, c := range s.Tests {
				found[c.Name] = c
			}
		}
		red := totals.Failed+totals.Error > 0
		if green := (r.Outcome == Conformant || r.Outcome == Excused) && len(r.stale()) == 0; green == red {
			t.Errorf("%s is %s, and others read %+v", name, r.Outcome, totals)
		}
		if name == "hostile" {
			continue // all have one name
		}
		once := legible(r)
		follow := once.once()
		for i, result := range r.Results {
			c, there := found[result.Requirement]
			want := junit.StatusPassed
			switch {
			case follow[once.Results[i].key()], result.excused(), result.Verdict == NotApplicable, result.Verdict == NotExercised, result.Verdict == Blocked && !result.binding(r.Strict):
				want = junit.StatusSkipped
			case result.Verdict == Fail:
				want = junit.StatusFailed
			case result.Verdict == Error, result.Verdict == Blocked:
				want = junit.StatusError
			}
			if name == "stale" && (c.Classname == "baseline") {
				continue // the entry of the baseline bears the same name
			}
			if !there || c.Status != want {
				t.Errorf("%s: %s is %s, and others read %q", name, result.Requirement, result.Verdict, c.Status)
			}
			if want == junit.StatusFailed && !strings.Contains(c.Error.Error(), result.Observed) {
				t.Errorf("%s: the failure does not say what was observed: %v", name, c.Error)
			}
		}
	}
}

// The subjects of an attestation are the report, and the evidence if that has a hash. (.ci/endtoend reads ours with in-toto's own types.)
func TestAttestationSubjects(t *testing.T) {
	for name, r := range samples() {
		var s statement
		if err := json.Unmarshal(render(t, r, "intoto", Options{}), &s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if hashed := len(s.Subject) == 2; hashed != isDigest(r.Evidence.SHA256, 32) {
			t.Errorf("%s: the subjects are %v", name, s.Subject)
		}
	}
}

// The hash of a report's own file goes before that of what would be written now.
func TestAttestationOfAFile(t *testing.T) {
	var s statement
	hash := strings.Repeat("ab", 32)
	if err := json.Unmarshal(render(t, conformant(), "intoto", Options{SHA256: hash}), &s); err != nil {
		t.Fatal(err)
	}
	if s.Subject[0].Digest["sha256"] != hash || s.Subject[1].Digest["sha256"] != conformant().Evidence.SHA256 {
		t.Errorf("the subjects are %v", s.Subject)
	}
}
