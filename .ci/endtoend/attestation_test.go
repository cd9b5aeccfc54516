package endtoend

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	testresult "github.com/in-toto/attestation/go/predicates/test_result/v0"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestAttestationAsInTotoReadsIt holds that our attestation is what in-toto's own types say a test result is, with no field beside. What
// is read are the golden files of package reports, which its own tests compare with what it writes.
func TestAttestationAsInTotoReadsIt(t *testing.T) {
	files, err := filepath.Glob("../../reports/testdata/*/attestation.json")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p := read(t, file, text)
		content, err := os.ReadFile(filepath.Join(filepath.Dir(file), "report.json"))
		if os.IsNotExist(err) {
			continue // it differs in little from one that is there
		}
		r, err := reports.Read(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		compare(t, file, p, r)
		// The same in the words of a hostile server.
		for i := range r.Results {
			r.Results[i].Observed, r.Results[i].Reason = "\x1b[2J\u2028</script>\x00\"", "\xff\xfe"
		}
		r.Evidence.Source = "https://pool.example/\u202e\r\n"
		var b bytes.Buffer
		if err := reports.Write(&b, r, "intoto", reports.Options{}); err != nil {
			t.Fatal(err)
		}
		compare(t, file+", hostile", read(t, file, b.Bytes()), r)
	}
}

// read reads a statement with in-toto's types, and holds that it is valid.
func read(t *testing.T, name string, text []byte) *testresult.TestResult {
	t.Helper()
	var s intoto.Statement
	if err := protojson.Unmarshal(text, &s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := s.Validate(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	predicate, err := protojson.Marshal(s.Predicate)
	if err != nil {
		t.Fatal(err)
	}
	p := &testresult.TestResult{}
	if err := protojson.Unmarshal(predicate, p); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(p.Configuration) == 0 {
		t.Errorf("%s: no configuration", name)
	}
	for _, c := range append(p.Configuration, s.Subject...) {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return p
}

func compare(t *testing.T, name string, p *testresult.TestResult, r *reports.Report) {
	t.Helper()
	if len(p.PassedTests) != r.Counts.Pass || (p.Result == "PASSED") != (r.Outcome == reports.Conformant && r.Counts.Warn == 0) {
		t.Errorf("%s: %s with %d passed; the report is %s with %s", name, p.Result, len(p.PassedTests), r.Outcome, r.Counts)
	}
}
