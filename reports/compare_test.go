package reports

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every change of one result, and what it is called.
func TestCompareKinds(t *testing.T) {
	set := func(v Verdict) func(*Result) { return func(r *Result) { r.Verdict = v } }
	same := func(*Result) {}
	for _, test := range []struct {
		name          string
		before, after func(*Result)
		want          []ChangeKind
	}{
		{"nothing", same, same, nil},
		{"another duration", same, func(r *Result) { r.DurationMs = 99 }, nil},
		{"pass, fail", set(Pass), set(Fail), []ChangeKind{Broken}},
		{"pass, warn", set(Pass), set(Warn), []ChangeKind{Broken}},
		{"warn, fail", set(Warn), set(Fail), []ChangeKind{Broken}},
		{"not exercised, fail", set(NotExercised), set(Fail), []ChangeKind{Broken}},
		{"error, fail", set(Error), set(Fail), []ChangeKind{Broken}},
		{"fail, pass", set(Fail), set(Pass), []ChangeKind{Fixed}},
		{"warn, pass", set(Warn), set(Pass), []ChangeKind{Fixed}},
		{"not exercised, pass", set(NotExercised), set(Pass), []ChangeKind{NewlyExercised}},
		{"not applicable, pass", set(NotApplicable), set(Pass), []ChangeKind{NewlyExercised}},
		{"blocked, pass", set(Blocked), set(Pass), []ChangeKind{NewlyExercised}},
		{"pass, not exercised", set(Pass), set(NotExercised), []ChangeKind{NoLongerExercised}},
		{"pass, error", set(Pass), set(Error), []ChangeKind{NoLongerExercised}},
		{"fail, blocked", set(Fail), set(Blocked), []ChangeKind{NoLongerExercised}},
		{"blocked, not exercised", set(Blocked), set(NotExercised), []ChangeKind{ChangedEvidence}},
		{"observed", same, func(r *Result) { r.Observed = "another" }, []ChangeKind{ChangedEvidence}},
		{"expected", same, func(r *Result) { r.Expected = "another" }, []ChangeKind{ChangedEvidence}},
		{"reason", same, func(r *Result) { r.Reason = "another" }, []ChangeKind{ChangedEvidence}},
		{"evidence", same, func(r *Result) { r.Evidence = []Pointer{{9, "header Etag"}} }, []ChangeKind{ChangedEvidence}},
		{"another number of the exchange", same, func(r *Result) { r.Evidence = []Pointer{{3, "status"}} }, nil},
		{"statement", same, func(r *Result) { r.Statement = "Another." }, []ChangeKind{ChangedRequirement}},
		{"level", same, func(r *Result) { r.Level = "should" }, []ChangeKind{ChangedRequirement}},
		{"subject", same, func(r *Result) { r.Subject = "client" }, []ChangeKind{ChangedRequirement}},
		{"source", same, func(r *Result) { r.Source.Clause = "9" }, []ChangeKind{ChangedRequirement}},
		{"step", same, func(r *Result) { r.Step = "9" }, []ChangeKind{ChangedRequirement}},
		{"level and verdict", set(Fail), func(r *Result) { r.Level, r.Verdict = "should", Warn }, []ChangeKind{ChangedRequirement, ChangedEvidence}},
		{"statement and verdict", same, func(r *Result) { r.Statement, r.Verdict = "Another.", Fail }, []ChangeKind{Broken, ChangedRequirement}},
		{"another id", same, func(r *Result) { r.Requirement = "other" }, []ChangeKind{Added, Removed}},
	} {
		before, after := conformant(), conformant()
		test.before(&before.Results[0])
		test.after(&after.Results[0])
		before.Tally()
		after.Tally()
		c := Compare(before, after)
		var got []ChangeKind
		for _, change := range c.Changes {
			got = append(got, change.Kind)
			if change.Kind == Added != (change.Before == nil) || change.Kind == Removed != (change.After == nil) {
				t.Errorf("%s: %s with %v, %v", test.name, change.Kind, change.Before, change.After)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
		// A requirement counts once: as changed, or not; one that was removed is of the other report.
		changed := map[string]bool{}
		for _, change := range c.Changes {
			if change.Kind != Removed {
				changed[change.Requirement] = true
			}
		}
		if c.Unchanged+len(changed) != len(after.Results) {
			t.Errorf("%s: %d unchanged and %d changed of %d", test.name, c.Unchanged, len(changed), len(after.Results))
		}
		text := comparisonIn(t, c, "text")
		for _, kind := range test.want {
			if !strings.Contains(text, "\n"+string(kind)+" (1)\n") {
				t.Errorf("%s: the text does not say %s:\n%s", test.name, kind, text)
			}
		}
	}
}

func comparisonIn(t testing.TB, c *Comparison, format string) string {
	t.Helper()
	var b strings.Builder
	if err := WriteComparison(&b, c, format, Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What differs beside the verdicts is said: a change may come from there.
func TestCompareNotes(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Report)
		want   string
	}{
		"target":   {func(r *Report) { r.Evidence.Source = "https://other.example" }, "other targets: reference/set-presence, then https://other.example"},
		"kind":     {func(r *Report) { r.Evidence.Kind = "live" }, "other kinds of evidence: reference, then live"},
		"server":   {func(r *Report) { r.Evidence.Server = "" }, "other versions of the server: ucwatest/1, then (none)"},
		"tool":     {func(r *Report) { r.Tool.Version = "0.2.0" }, "other versions of conform: 0.1.0 abc1234, then 0.2.0 abc1234"},
		"subject":  {func(r *Report) { r.Subject = "server" }, "other subjects: both, then server"},
		"strict":   {func(r *Report) { r.Strict = true }, "strict: false, then true"},
		"ledger":   {func(r *Report) { r.Tasks[0].Revision = 3 }, "other revisions of the ledger of set-presence: 0, then 3"},
		"judgment": {func(*Report) {}, "the evidence is the same, by its hash"},
	} {
		after := conformant()
		test.change(after)
		c := Compare(conformant(), after)
		for _, format := range []string{"text", "markdown", "json"} {
			out := comparisonIn(t, c, format)
			if !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(out, "<!-- -->", "")), " "), test.want) {
				t.Errorf("%s: %s does not say %q:\n%s", name, format, test.want, out)
			}
		}
	}
}

// Every form of a comparison tells the same numbers.
func TestComparisonFormsAgree(t *testing.T) {
	c := Compare(conformant(), everything())
	var read Comparison
	if err := json.Unmarshal([]byte(comparisonIn(t, c, "json")), &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, &read); diff != "" {
		t.Errorf("read again, it is another:\n%s", diff)
	}
	if len(c.Changes) == 0 || c.Common() != len(conformant().Results) {
		t.Errorf("%d changes, %d in common", len(c.Changes), c.Common())
	}
	for _, format := range []string{"text", "markdown"} {
		out := comparisonIn(t, c, format)
		if !strings.Contains(out, c.String()) {
			t.Errorf("%s does not say %q", format, c.String())
		}
		for _, change := range c.Changes {
			if !strings.Contains(out, change.Requirement) {
				t.Errorf("%s leaves out %s", format, change.Requirement)
			}
		}
	}
}

// A report may hold an id twice: each is compared with its like.
func TestCompareTwins(t *testing.T) {
	before, after := conformant(), conformant()
	before.Results = append(before.Results, before.Results[0])
	after.Results = append(after.Results, after.Results[0])
	after.Results[len(after.Results)-1].Verdict = Fail
	before.Tally()
	after.Tally()
	if c := Compare(before, after); len(c.Of(Broken)) != 1 || len(c.Changes) != 1 || c.Unchanged != len(before.Results)-1 {
		t.Errorf("%s", c)
	}
}
