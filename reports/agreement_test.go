package reports

import (
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
	for name, r := range reports {
		t.Run(name, func(t *testing.T) {
			read, err := Read(strings.NewReader(string(render(t, r, "json", Options{}))))
			if err != nil {
				t.Fatal(err)
			}
			if read.Counts != r.Counts || read.Outcome != r.Outcome || len(read.Results) != r.Counts.Total() {
				t.Errorf("JSON has %s with %s", read.Outcome, read.Counts)
			}
			headline := fmt.Sprintf("%s: %s", r.Outcome, r.Counts)
			if text := string(render(t, r, "text", Options{Width: 1000})); !strings.Contains(text, "\n"+headline) {
				t.Errorf("text has no line %q:\n%.2000s", headline, text)
			}
			agreeMarkdown(t, r, string(render(t, r, "markdown", Options{})))
			agreeHTML(t, r, string(render(t, r, "html", Options{})))
			agreeJUnit(t, r, render(t, r, "junit", Options{}))
		})
	}
}

func agreeMarkdown(t *testing.T, r *Report, md string) {
	if !strings.HasPrefix(md, fmt.Sprintf("## %s %s\n", outcomeSymbol(r.Outcome), r.Outcome)) {
		t.Errorf("Markdown does not begin with the outcome: %.80s", md)
	}
	if len(r.Results) == 0 {
		return
	}
	row := "| total |"
	for _, v := range verdicts {
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
	if len(r.Results) == 0 {
		return
	}
	row := `<tr><th scope="row">total</th>`
	for _, v := range verdicts {
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
	want := counts{Tests: len(r.Results), Failures: r.Counts.Fail, Errors: r.Counts.Error, Skipped: r.Counts.NotApplicable + r.Counts.NotExercised}
	warned := r.Counts.Warn
	for _, result := range r.Results {
		switch {
		case result.Verdict == Blocked && result.binding(r.Strict):
			want.Errors++
		case result.Verdict == Blocked:
			want.Skipped++
		case result.Verdict == Warn && result.binding(r.Strict):
			want.Failures++
			warned--
		}
	}
	if r.Outcome != Conformant && want.Failures+want.Errors == 0 {
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
