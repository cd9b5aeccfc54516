package reports

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The formats are read back, and must tell the same numbers.
func TestFormatsAgree(t *testing.T) {
	reports := samples()
	strict := everything()
	strict.Strict = true
	strict.Tally()
	reports["strict"] = strict
	outdated := conformant()
	apply(outdated, "known:\n- {requirement: set-presence.1.status, reason: tracked as UC-17}\n")
	reports["conformant, with a baseline that is out of date"] = outdated
	for name, r := range reports {
		t.Run(name, func(t *testing.T) {
			read, err := Read(strings.NewReader(string(render(t, r, "json", Options{}))))
			if err != nil {
				t.Fatal(err)
			}
			if read.Counts != r.Counts || read.Outcome != r.Outcome || len(read.Results) != r.Counts.Total() {
				t.Errorf("JSON has %s with %s", read.Outcome, read.Counts)
			}
			headline := fmt.Sprintf("%s: %s", r.Headline(), r.Counts)
			if text := string(render(t, r, "text", Options{Width: 1000})); !strings.Contains(text, "\n"+headline) {
				t.Errorf("text has no line %q:\n%.2000s", headline, text)
			}
			agreeMarkdown(t, r, string(render(t, r, "markdown", Options{})))
			agreeHTML(t, r, string(render(t, r, "html", Options{})))
			agreeJUnit(t, r, render(t, r, "junit", Options{}))
			agreeCSV(t, r, render(t, r, "csv", Options{}))
			agreeGitHub(t, r, string(render(t, r, "github", Options{})))
			agreeBadge(t, r, render(t, r, "badge", Options{}))
			agreeInToto(t, r, render(t, r, "intoto", Options{}))
		})
	}
}

func agreeMarkdown(t *testing.T, r *Report, md string) {
	if !strings.HasPrefix(md, fmt.Sprintf("## %s %s\n", outcomeSymbol(r.Outcome), r.Headline())) {
		t.Errorf("Markdown does not begin with the outcome: %.80s", md)
	}
	if len(r.Results) == 0 {
		return
	}
	row := "| total |"
	for _, v := range r.given() {
		row += fmt.Sprintf(" %d |", r.Counts.Of(v))
	}
	if !strings.Contains(md, row) {
		t.Errorf("Markdown has no row %q", row)
	}
	if rows := len(regexp.MustCompile(`(?m)^\| [✓✗!–] `).FindAllString(md, -1)); rows != len(r.Results) {
		t.Errorf("Markdown lists %d results of %d", rows, len(r.Results))
	}
}

func agreeHTML(t *testing.T, r *Report, page string) {
	if !strings.Contains(page, fmt.Sprintf("<p>%s</p>", r.Counts)) {
		t.Errorf("HTML does not say %q", r.Counts)
	}
	if !strings.Contains(page, `<span class="word">`+r.Headline()+"</span>") {
		t.Errorf("HTML does not say %q", r.Headline())
	}
	knowns := 0
	for _, result := range r.Results {
		if result.Known != nil {
			knowns++
		}
	}
	if n := strings.Count(page, "<dt>known</dt>"); n != knowns {
		t.Errorf("HTML marks %d failures as known, of %d", n, knowns)
	}
	if n := strings.Count(page, "<strong>Baseline:</strong>"); n != len(r.stale()) {
		t.Errorf("HTML tells of %d entries of the baseline that are out of date, of %d", n, len(r.stale()))
	}
	if len(r.Results) == 0 {
		return
	}
	row := `<tr><th scope="row">total</th>`
	for _, v := range r.given() {
		zero := ""
		if r.Counts.Of(v) == 0 {
			zero = ` class="zero"`
		}
		row += fmt.Sprintf("<td%s>%d</td>", zero, r.Counts.Of(v))
	}
	if !strings.Contains(page, row) {
		t.Errorf("HTML has no row %q", row)
	}
}

func agreeJUnit(t *testing.T, r *Report, data []byte) {
	type counts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	var doc struct {
		counts
		Time   string `xml:"time,attr"`
		Suites []struct {
			counts
			Name  string `xml:"name,attr"`
			Time  string `xml:"time,attr"`
			Cases []struct {
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
				Skipped *struct{} `xml:"skipped"`
				Output  string    `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(data, &doc); err != nil {
		t.Fatalf("JUnit is not well-formed: %v", err)
	}
	var sum counts
	var time float64
	warnings := 0
	for _, s := range doc.Suites {
		var got counts
		for _, c := range s.Cases {
			got.Tests++
			switch {
			case c.Failure != nil:
				got.Failures++
			case c.Error != nil:
				got.Errors++
			case c.Skipped != nil:
				got.Skipped++
			case strings.HasPrefix(c.Output, "warn"):
				warnings++
			}
		}
		if got != s.counts {
			t.Errorf("JUnit suite %s says %+v and holds %+v", s.Name, s.counts, got)
		}
		sum.Tests += got.Tests
		sum.Failures += got.Failures
		sum.Errors += got.Errors
		sum.Skipped += got.Skipped
		seconds, err := strconv.ParseFloat(s.Time, 64)
		if err != nil {
			t.Errorf("JUnit suite %s: %v", s.Name, err)
		}
		time += seconds
	}
	if sum != doc.counts {
		t.Errorf("JUnit says %+v and holds %+v", doc.counts, sum)
	}
	var took float64
	for _, result := range r.Results {
		took += result.DurationMs / 1000
	}
	if fmt.Sprintf("%.6f", time) != doc.Time || fmt.Sprintf("%.6f", took) != doc.Time {
		t.Errorf("JUnit says %s s, its suites take %f s and the results %f s", doc.Time, time, took)
	}
	want := counts{Tests: len(r.Results), Failures: r.Counts.Fail, Skipped: r.Counts.NotApplicable + r.Counts.NotExercised + r.Counts.NotTested}
	said := map[string]bool{} // reasons, of which each is one error
	warned := r.Counts.Warn
	for _, result := range r.Results {
		switch {
		case result.excused():
			want.Skipped++
			if result.Verdict == Fail {
				want.Failures--
			} else {
				warned--
			}
		case result.Verdict == Error || result.Verdict == Blocked:
			reason := result.because()
			if said[reason] || result.Verdict == Blocked && !result.binding(r.Strict) {
				want.Skipped++
			} else {
				want.Errors++
			}
			said[reason] = reason != ""
		case result.Verdict == Warn && result.binding(r.Strict):
			want.Failures++
			warned--
		}
	}
	want.Tests += len(r.stale())
	want.Errors += len(r.stale())
	if r.Outcome != Conformant && r.Outcome != Excused && want.Failures+want.Errors == 0 {
		want.Tests++ // the case that says so
		want.Errors++
	}
	if sum != want {
		t.Errorf("JUnit holds %+v, and the report comes to %+v", sum, want)
	}
	if warnings != warned {
		t.Errorf("JUnit holds %d warnings of %d", warnings, warned)
	}
}

func agreeCSV(t *testing.T, r *Report, data []byte) {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatalf("CSV: %v", err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	var counts Counts
	known, took := 0, 0.0
	for _, row := range rows[1:] {
		counts.add(Verdict(row[column["verdict"]]))
		if row[column["known"]] != "" {
			known++
		}
		ms, err := strconv.ParseFloat(row[column["durationMs"]], 64)
		if err != nil {
			t.Error(err)
		}
		took += ms
	}
	want, marked := 0.0, 0
	for _, result := range r.Results {
		want += result.DurationMs
		if result.Known != nil {
			marked++
		}
	}
	if counts != r.Counts || known != marked || took != want {
		t.Errorf("CSV holds %s, %d known, %f ms; the report %s, %d, %f ms", counts, known, took, r.Counts, marked, want)
	}
}

func agreeGitHub(t *testing.T, r *Report, out string) {
	title := r.Headline()
	if r.Name != "" {
		title += " · " + commandProperty().Replace(shorten(visible(r.Name), shownRunes))
	}
	want := fmt.Sprintf("::notice title=%s::%s%%0A", title, r.Counts)
	if !strings.Contains("\n"+out, "\n"+want) {
		t.Errorf("the annotations have no line %q:\n%s", want, out)
	}
	red := strings.Contains("\n"+out, "\n::error ")
	if green := (r.Outcome == Conformant || r.Outcome == Excused) && len(r.stale()) == 0; green == red {
		t.Errorf("%s, and an error among the annotations is %t", r.Outcome, red)
	}
}

func agreeBadge(t *testing.T, r *Report, data []byte) {
	var badge struct {
		SchemaVersion         int
		Label, Message, Color string
	}
	if err := json.Unmarshal(data, &badge); err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%s %d/%d", r.Headline(), r.Counts.Pass, r.Counts.Pass+r.Counts.Fail+r.Counts.Warn); badge.SchemaVersion != 1 || badge.Message != want {
		t.Errorf("the badge is %+v, expected the message %q", badge, want)
	}
	if (badge.Color == "brightgreen") != (r.Outcome == Conformant) || (badge.Label == "UCWA") != (r.Evidence.Kind == "live") {
		t.Errorf("the badge of %s evidence that is %s is %+v", r.Evidence.Kind, r.Outcome, badge)
	}
}

func agreeInToto(t *testing.T, r *Report, data []byte) {
	var s statement
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	if want := digest(render(t, r, "json", Options{})); s.Subject[0].Digest["sha256"] != want {
		t.Errorf("the attestation is about sha256 %s, and the JSON has %s", s.Subject[0].Digest["sha256"], want)
	}
	warned, failed := 0, 0
	for _, result := range r.Results {
		switch {
		case result.Verdict == Pass, result.Verdict == NotApplicable:
		case result.Known != nil, result.Verdict == Warn && !result.binding(r.Strict):
			warned++
		case result.Verdict == Fail, result.Verdict == Error, result.binding(r.Strict):
			failed++
		}
	}
	p := s.Predicate
	if len(p.PassedTests) != r.Counts.Pass || len(p.WarnedTests) != warned || len(p.FailedTests) != failed {
		t.Errorf("the attestation has %d passed, %d warned, %d failed; the report %d, %d, %d",
			len(p.PassedTests), len(p.WarnedTests), len(p.FailedTests), r.Counts.Pass, warned, failed)
	}
	want := "PASSED"
	switch {
	case r.Outcome == Nonconformant, r.Outcome == Incomplete, len(r.stale()) > 0:
		want = "FAILED"
	case warned > 0:
		want = "WARNED"
	}
	if p.Result != want {
		t.Errorf("the attestation is %s, the report %s with %d warned", p.Result, r.Outcome, warned)
	}
}

// A run that is not conformant is red in CI, whatever it is made of.
func TestJUnitIsRedUnlessConformant(t *testing.T) {
	for _, strict := range []bool{false, true} {
		for _, level := range []string{"must", "should", "may"} {
			for _, v := range verdicts {
				r := &Report{Strict: strict, Results: []Result{{Level: "must", Verdict: Pass}, {Level: level, Verdict: v}}}
				r.Tally()
				junit := string(render(t, r, "junit", Options{}))
				red := strings.Contains(junit, "<failure") || strings.Contains(junit, "<error")
				if r.Outcome != Conformant && !red {
					t.Errorf("%s %s (strict %t) is %s and green:\n%s", level, v, strict, r.Outcome, junit)
				}
			}
		}
	}
}
