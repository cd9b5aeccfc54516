package reports

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"
)

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	junitCounts
	Suites junitParts `xml:"testsuite"`
}

// junitParts makes suites when they are wanted, each time anew.
type junitParts []func() *junitSuite

// MarshalXML writes each suite as it is made.
func (parts junitParts) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	for _, part := range parts {
		if err := e.EncodeElement(part(), start); err != nil {
			return err
		}
	}
	return nil
}

type junitSuite struct {
	Name string `xml:"name,attr"`
	junitCounts
	Timestamp  string          `xml:"timestamp,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitCounts struct {
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Time     string `xml:"time,attr"`
	ms       float64
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Facts   *junitFacts   `xml:"properties"`
	Failure *junitProblem `xml:"failure"`
	Error   *junitProblem `xml:"error"`
	Skipped *junitSkip    `xml:"skipped"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitFacts struct {
	List []junitProperty `xml:"property"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type junitSkip struct {
	Message string `xml:"message,attr"`
}

// renderJUnit is for CI systems, which know red and green only. Red is what keeps a
// run from being conformant: were a run incomplete for nothing but skipped cases, one
// more case says so, since a file of skips, or an empty one, reads as green.
//
// A suite is written as soon as it is made; only their sums are made before.
func renderJUnit(w io.Writer, r *Report, _ Options) error {
	r = legible(r)
	properties := []junitProperty{
		{"outcome", r.Headline()},
		{"target", r.target()},
		{"evidence.kind", r.Evidence.Kind},
		{"evidence.source", r.Evidence.Source},
		{"evidence.sha256", r.Evidence.SHA256},
	}
	for _, note := range r.Notes {
		properties = append(properties, junitProperty{"note", note})
	}
	out := junitSuites{Name: r.Tool.Name}
	add := func(name string, counts junitCounts, cases func() []junitCase) {
		out.Tests += counts.Tests
		out.Failures += counts.Failures
		out.Errors += counts.Errors
		out.Skipped += counts.Skipped
		out.ms += counts.ms
		counts.Time = seconds(counts.ms)
		out.Suites = append(out.Suites, func() *junitSuite {
			s := &junitSuite{Name: name, junitCounts: counts, Properties: properties, Cases: cases()}
			if !r.Evidence.RecordedAt.IsZero() {
				s.Timestamp = r.Evidence.RecordedAt.UTC().Format("2006-01-02T15:04:05")
			}
			return s
		})
	}
	follow := r.once() // one case is red for one cause, and not a hundred
	stateOf := func(result Result) junitState { return junitStateOf(result, r.Strict, follow[result.key()]) }
	for _, step := range byStep(r) {
		var counts junitCounts
		if len(step.Results) == 0 {
			continue // judged under another task
		}
		for _, result := range step.Results {
			counts.add(stateOf(result), result.DurationMs)
		}
		add(step.Name(), counts, func() []junitCase {
			return each(step.Results, func(result Result) junitCase { return junitCaseOf(result, step.Name(), stateOf(result)) })
		})
	}
	if list := r.stale(); len(list) > 0 {
		add("baseline", junitCounts{Tests: len(list), Errors: len(list)}, func() []junitCase {
			return each(list, func(entry Stale) junitCase {
				return junitCase{
					Class: "baseline", Name: entry.Requirement, Time: seconds(0),
					Error: &junitProblem{Message: entry.Problem, Type: "stale", Text: shorten(entry.Reason, 2000)},
				}
			})
		})
	}
	if r.Outcome != Conformant && r.Outcome != Excused && out.Failures+out.Errors == 0 {
		add("outcome", junitCounts{Tests: 1, Errors: 1}, func() []junitCase {
			return []junitCase{{
				Class: "outcome", Name: string(r.Outcome), Time: seconds(0),
				Error: &junitProblem{Message: shorten(r.Counts.String(), shownRunes), Type: string(r.Outcome), Text: missing(r)},
			}}
		})
	}
	out.Time = seconds(out.ms)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junitState is what CI systems know of a case.
type junitState int

const (
	junitGreen junitState = iota
	junitFailed
	junitErred
	junitSkipped
)

// junitStateOf is red for what keeps the run from being conformant.
func junitStateOf(r Result, strict, follows bool) junitState {
	switch {
	case follows && (r.Verdict == Error || r.Verdict == Blocked):
		return junitSkipped
	case r.excused(), r.Verdict.aside(), r.Verdict == NotExercised, r.Verdict == Blocked && !r.binding(strict):
		return junitSkipped
	case r.Verdict == Pass, r.Verdict == Warn && !r.binding(strict):
		return junitGreen
	case r.broken():
		return junitFailed
	}
	return junitErred
}

func (c *junitCounts) add(state junitState, ms float64) {
	c.Tests++
	c.ms += ms
	switch state {
	case junitFailed:
		c.Failures++
	case junitErred:
		c.Errors++
	case junitSkipped:
		c.Skipped++
	}
}

func junitCaseOf(r Result, class string, state junitState) junitCase {
	c := junitCase{Class: class, Name: r.Requirement, Time: seconds(r.DurationMs), Facts: junitFactsOf(r)}
	problem := func(kind string) *junitProblem {
		message := r.Statement
		if !r.broken() && r.Reason != "" {
			message = r.because()
		}
		return &junitProblem{Message: shorten(message, shownRunes), Type: kind, Text: junitText(r)}
	}
	switch state {
	case junitFailed:
		c.Failure = problem(r.Level)
	case junitErred:
		kind := Error
		if r.Verdict == Blocked {
			kind = Blocked
		}
		c.Error = problem(string(kind))
	case junitSkipped:
		if r.excused() {
			c.Skipped, c.Output = &junitSkip{"known failure: " + shorten(r.Known.String(), shownRunes)}, junitText(r)
		} else {
			c.Skipped = &junitSkip{skipMessage(r)}
		}
	default:
		if r.Verdict == Warn {
			c.Output = "warn: " + junitText(r)
		}
	}
	return c
}

// junitFactsOf is what a reader may sort and search by.
func junitFactsOf(r Result) *junitFacts {
	facts := []junitProperty{{"verdict", string(r.Verdict)}, {"level", r.Level}, {"subject", r.Subject}}
	for _, f := range []junitProperty{{"evidence", r.where()}, {"source", r.Source.String()}, {"known", r.Known.String()}} {
		if f.Value != "" {
			facts = append(facts, junitProperty{f.Name, shorten(f.Value, 2000)})
		}
	}
	return &junitFacts{facts}
}

func skipMessage(r Result) string {
	if r.Reason == "" {
		return string(r.Verdict)
	}
	return string(r.Verdict) + ": " + shorten(r.because(), shownRunes)
}

// junitText is the proof, for the page that a CI system makes of a failed case.
func junitText(r Result) string {
	lines := []string{r.Level + ": " + shorten(r.Statement, 2000)}
	for _, f := range [][2]string{
		{"expected: ", r.Expected}, {"observed: ", r.Observed}, {"reason: ", r.Reason}, {"the server said: ", r.Said},
		{"evidence: ", r.where()}, {"source: ", r.Source.String()},
	} {
		if f[1] != "" {
			lines = append(lines, f[0]+shorten(f[1], 2000))
		}
	}
	return strings.Join(lines, "\n")
}

func seconds(ms float64) string { return strconv.FormatFloat(ms/1000, 'f', 6, 64) }
