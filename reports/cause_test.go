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

// TestOneOfEachCause holds that of several causes each is said once, and that what follows from a failure is no error of its own.
func TestOneOfEachCause(t *testing.T) {
	r := down()
	r.Cause = ""
	for i := range r.Results {
		result := &r.Results[i]
		switch {
		case i == 0:
			result.Verdict, result.Reason = Fail, ""
		case i < 50:
			result.Verdict, result.Reason = Blocked, r.Results[0].Requirement+": see exchange 7"
		case i < 100:
			result.Verdict, result.Reason = Error, "connection reset"
		default:
			result.Verdict, result.Reason = Error, "the token has expired"
		}
	}
	r.Tally()
	suites := struct {
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}{}
	if err := xml.Unmarshal(render(t, r, "junit", Options{}), &suites); err != nil || suites.Failures != 1 || suites.Errors != 2 || suites.Skipped != 147 {
		t.Errorf("JUnit: %+v, %v", suites, err)
	}
	for format, most := range map[string]int{"text": 1, "github": 1, "markdown": 1} {
		text := string(render(t, r, format, Options{}))
		if strings.Count(text, "connection reset") != most || strings.Count(text, "the token has expired") > most+1 || !strings.Contains(text, "50") {
			t.Errorf("%s:\n%.3000s", format, text)
		}
	}
	p := newPage(r)
	if len(p.Causes) != 2 || p.Problems[0].Follow != "49 requirements could not be judged after this" {
		t.Errorf("the page has %d causes, and after the failure: %q", len(p.Causes), p.Problems[0].Follow)
	}
}

// TestThousandCauses holds that a report of a thousand reasons, in ten scripts, can still be read: the first of them, and how many there are besides.
func TestThousandCauses(t *testing.T) {
	scripts := []string{"Latin", "кириллица", "ελληνικά", "עברית", "العربية", "हिन्दी", "ไทย", "한국어", "日本語", "中文"}
	r := down()
	r.Cause = ""
	for i := range 1000 {
		r.Results = append(r.Results, Result{Requirement: fmt.Sprintf("set-presence.9.n%d", i), Task: "set-presence", Step: "9", Subject: "server", Level: "must",
			Verdict: Error, Reason: fmt.Sprintf("%s %d", scripts[i%10], i)})
	}
	r.Tally()
	for _, width := range []int{40, 100} {
		text := string(render(t, r, "text", Options{Width: width}))
		if n := strings.Count(text, "\n"); n > 90 || !strings.Contains(strings.Join(strings.Fields(text), " "), "more reasons; --verbose shows each") {
			t.Errorf("%d lines at %d columns", n, width)
		}
	}
	if p := newPage(r); len(p.Causes) != htmlCauses || !strings.Contains(p.MoreCauses, "more reasons") {
		t.Errorf("the page has %d reasons, and says %q", len(p.Causes), p.MoreCauses)
	}
	if verbose := string(render(t, r, "text", Options{Verbose: true})); !strings.Contains(verbose, "中文 999") || !strings.Contains(verbose, "עברית 993") {
		t.Error("--verbose does not show each")
	}
}
