package reports

import (
	"encoding/json"
	"strings"
	"testing"

	testresult "github.com/in-toto/attestation/go/predicates/test_result/v0"
	intoto "github.com/in-toto/attestation/go/v1"
	"github.com/joshdk/go-junit"
	"google.golang.org/protobuf/encoding/protojson"
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
		for _, result := range r.Results {
			c, there := found[result.Requirement]
			want := junit.StatusPassed
			switch {
			case result.excused(), result.Verdict == NotApplicable, result.Verdict == NotExercised, result.Verdict == Blocked && !result.binding(r.Strict):
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

// Our attestation is what in-toto's own types say a test result is, with no field beside.
func TestAttestationAsInTotoReadsIt(t *testing.T) {
	for name, r := range samples() {
		var s intoto.Statement
		if err := protojson.Unmarshal(render(t, r, "intoto", Options{}), &s); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		predicate, err := protojson.Marshal(s.Predicate)
		if err != nil {
			t.Fatal(err)
		}
		var p testresult.TestResult
		if err := protojson.Unmarshal(predicate, &p); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(p.Configuration) == 0 {
			t.Errorf("%s: no configuration", name)
		}
		for _, c := range append(p.Configuration, s.Subject...) {
			if err := c.Validate(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(p.PassedTests) != r.Counts.Pass || (p.Result == "PASSED") != (r.Outcome == Conformant && r.Counts.Warn == 0) {
			t.Errorf("%s: %s with %d passed; the report is %s with %s", name, p.Result, len(p.PassedTests), r.Outcome, r.Counts)
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
