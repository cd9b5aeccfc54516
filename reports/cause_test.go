package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
)

// down is the report of a server that is down: each requirement has an error, or is blocked.
func down() *Report {
	r := &Report{Schema: SchemaID, Tool: Tool{Name: "conform", Version: "1"}, Subject: "server", Evidence: Evidence{Kind: "live", Source: "https://pool.example"},
		Cause: "nothing listens at that address: is the server running, and is the port right?"}
	for i := range 150 {
		result := Result{Requirement: fmt.Sprintf("set-presence.%d.status", i), Task: "set-presence", Step: fmt.Sprint(i), Subject: "server", Level: "must", Verdict: Blocked,
			Reason: "exchange 1 got no answer: connection refused", Evidence: []Pointer{}}
		if i == 3 || i == 4 {
			result.Verdict, result.Reason, result.Observed = Error, "", "connection refused"
		}
		r.Results = append(r.Results, result)
	}
	r.Tally()
	return r
}

// TestOneCause holds that a run that could not start says why in a few lines, that JUnit has one error for it and GitHub one annotation, and that
// something that is broken besides is seen.
func TestOneCause(t *testing.T) {
	text := string(render(t, down(), "text", Options{}))
	if n := strings.Count(text, "\n"); n > 12 || strings.Count(text, "connection refused") != 1 || strings.Count(text, "nothing listens") != 1 || !strings.Contains(text, "✗ Not tested: connection refused") {
		t.Errorf("%d lines:\n%s", n, text)
	}
	if verbose := string(render(t, down(), "text", Options{Verbose: true})); !strings.Contains(verbose, "set-presence.149.status") {
		t.Errorf("with --verbose:\n%s", verbose)
	}
	suites := struct {
		Errors  int `xml:"errors,attr"`
		Skipped int `xml:"skipped,attr"`
		Tests   int `xml:"tests,attr"`
	}{}
	if err := xml.Unmarshal(render(t, down(), "junit", Options{}), &suites); err != nil || suites.Errors != 1 || suites.Skipped != 149 || suites.Tests != 150 {
		t.Errorf("JUnit: %+v, %v", suites, err)
	}
	page := string(render(t, down(), "html", Options{}))
	if n := strings.Count(page, "nothing listens at that address"); n < 1 || n > 3 {
		t.Errorf("the page says the cause %d times", n)
	}
	if p := newPage(down()); len(p.Problems) != 1 || !strings.Contains(p.Problems[0].Reason, "nothing listens") {
		t.Errorf("the page has %d problems", len(p.Problems))
	}
	if n := bytes.Count(render(t, down(), "github", Options{}), []byte("::error title=not tested::connection refused")); n != 1 {
		t.Errorf("GitHub: %d annotations", n)
	}
	broken := down()
	broken.Results[9].Verdict = Fail
	broken.Tally()
	if text := string(render(t, broken, "text", Options{})); !strings.Contains(text, "✗ fail  set-presence.9.status") {
		t.Errorf("what fails is not seen:\n%s", text)
	}
	other := down()
	other.Cause = ""
	if text := string(render(t, other, "text", Options{})); strings.Contains(text, "Not tested:") {
		t.Errorf("without a cause:\n%s", text)
	}
}
