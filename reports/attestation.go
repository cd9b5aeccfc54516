package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// statement is an in-toto Statement v1.
type statement struct {
	Type          string       `json:"_type"`
	Subject       []descriptor `json:"subject"`
	PredicateType string       `json:"predicateType"`
	Predicate     testResult   `json:"predicate"`
}

// descriptor is an in-toto ResourceDescriptor.
type descriptor struct {
	Name        string            `json:"name"`
	URI         string            `json:"uri,omitempty"`
	Digest      map[string]string `json:"digest,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// testResult is the predicate https://in-toto.io/attestation/test-result/v0.1.
type testResult struct {
	Result        string       `json:"result"`
	Configuration []descriptor `json:"configuration"`
	PassedTests   []string     `json:"passedTests"`
	WarnedTests   []string     `json:"warnedTests"`
	FailedTests   []string     `json:"failedTests"`
}

// renderInToto is an in-toto test result: it binds the outcome to the report and to the
// evidence by their hashes. It is not signed; whoever signs it says who vouches.
//
// What is not known to be met has failed here, as the predicate has no word for it: so an
// incomplete run is FAILED, with what it could not judge. One with warnings, or with
// failures that a baseline knows, is WARNED.
func renderInToto(r *Report, opts Options) ([]byte, error) {
	if opts.SHA256 == "" {
		hash := sha256.New()
		if err := renderJSON(hash, r, Options{}); err != nil {
			return nil, err
		}
		opts.SHA256 = hex.EncodeToString(hash.Sum(nil))
	}
	r = legible(r)
	s := statement{
		Type:          "https://in-toto.io/Statement/v1",
		PredicateType: "https://in-toto.io/attestation/test-result/v0.1",
		Subject:       []descriptor{{Name: "report.json", Digest: sha256Of(opts.SHA256)}},
		Predicate: testResult{
			Result: "PASSED", Configuration: r.configuration(),
			PassedTests: []string{}, WarnedTests: []string{}, FailedTests: []string{},
		},
	}
	if isDigest(r.Evidence.SHA256, sha256.Size) {
		s.Subject = append(s.Subject, descriptor{
			Name: "recording of " + shorten(r.Evidence.Source, shownRunes), Digest: sha256Of(r.Evidence.SHA256),
			Annotations: map[string]string{"kind": r.Evidence.Kind},
		})
	}
	p := &s.Predicate
	for _, result := range r.Results {
		switch {
		case result.Verdict == Pass:
			p.PassedTests = append(p.PassedTests, result.Requirement)
		case result.excused(), result.Verdict == Warn && !result.binding(r.Strict):
			p.WarnedTests = append(p.WarnedTests, result.Requirement)
		case result.Verdict == Fail, result.Verdict == Error, result.binding(r.Strict) && !result.Verdict.aside():
			p.FailedTests = append(p.FailedTests, result.Requirement)
		}
	}
	switch {
	case r.Outcome != Conformant && r.Outcome != Excused, len(r.stale()) > 0:
		p.Result = "FAILED"
	case len(p.WarnedTests) > 0:
		p.Result = "WARNED"
	}
	return indentedJSON(s)
}

// configuration is what judged, and by what.
func (r *Report) configuration() []descriptor {
	tool := descriptor{Name: shorten(r.Tool.Name+" "+r.Tool.Version, shownRunes), URI: "https://github.com/ucwa-conform/ucwa-conform"}
	if isDigest(r.Tool.Commit, 20) {
		tool.Digest = map[string]string{"gitCommit": r.Tool.Commit}
	}
	list := []descriptor{tool}
	for _, t := range r.Tasks {
		list = append(list, descriptor{Name: "ledger of " + shorten(t.ID, shownRunes), Annotations: map[string]string{"revision": fmt.Sprint(t.Revision)}})
	}
	if r.Baseline != nil {
		list = append(list, descriptor{Name: "baseline " + shorten(r.Baseline.File, shownRunes)})
		if isDigest(r.Baseline.SHA256, sha256.Size) {
			list[len(list)-1].Digest = sha256Of(r.Baseline.SHA256)
		}
	}
	how := map[string]string{"subject": r.Subject, "target": shorten(r.target(), shownRunes)}
	if r.Strict {
		how["strict"] = "true"
	}
	if n := r.Counts.NotTested; n > 0 {
		how["notTested"] = fmt.Sprint(n)
	}
	list[0].Annotations = how
	return list
}

func sha256Of(hash string) map[string]string { return map[string]string{"sha256": hash} }

func isDigest(s string, size int) bool {
	sum, err := hex.DecodeString(s)
	return err == nil && len(sum) == size
}
