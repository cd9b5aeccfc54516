package reports

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func matrixIn(t testing.TB, m *Matrix, format string) string {
	t.Helper()
	var b strings.Builder
	if err := WriteMatrix(&b, m, format, Options{Width: 1000}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// shownForms are the formats that list requirements; the others have counts only.
var shownForms = []string{"text", "json", "html", "markdown"}

func mergeOf(list ...*Report) *Matrix {
	m := &Matrix{}
	for i, r := range list {
		m.Add(fmt.Sprintf("%d.json", i+1), r)
	}
	m.Finish()
	return m
}

// Two shards say something of one requirement: what is kept, and whether it is a conflict.
func TestMergeUnites(t *testing.T) {
	all := append([]Verdict{}, verdicts...)
	kept := map[[2]Verdict]Verdict{}
	for i, worse := range []Verdict{Fail, Error, Warn, Blocked, NotApplicable, Pass} {
		for _, better := range []Verdict{Fail, Error, Warn, Blocked, NotApplicable, Pass}[i:] {
			kept[[2]Verdict{worse, better}], kept[[2]Verdict{better, worse}] = worse, worse
		}
	}
	for _, v := range all { // what one did not exercise, or was not given the means for, another may have
		kept[[2]Verdict{v, NotTested}], kept[[2]Verdict{NotTested, v}] = v, v
		kept[[2]Verdict{v, NotExercised}], kept[[2]Verdict{NotExercised, v}] = v, v
	}
	kept[[2]Verdict{NotTested, NotExercised}], kept[[2]Verdict{NotExercised, NotTested}] = NotExercised, NotExercised
	for _, a := range all {
		for _, b := range all {
			first, second := conformant(), conformant()
			first.Results[0].Verdict, second.Results[0].Verdict = a, b
			first.Tally()
			second.Tally()
			m := mergeOf(first, second)
			if got := m.Rows[0].Verdicts[0]; got != kept[[2]Verdict{a, b}] {
				t.Errorf("%s and %s make %s", a, b, got)
			}
			gap := func(v Verdict) bool { return v == NotExercised || v == NotTested }
			conflict := a != b && !gap(a) && !gap(b)
			if (len(m.Conflicts) == 1) != conflict {
				t.Errorf("%s and %s: conflicts %v", a, b, m.Conflicts)
			}
			if conflict && (m.Conflicts[0].Requirement != "set-presence.1.status" || m.Conflicts[0].Reports != [2]string{"1.json", "2.json"}) {
				t.Errorf("%s and %s: %+v", a, b, m.Conflicts[0])
			}
			want := conformant()
			want.Results[0].Verdict = kept[[2]Verdict{a, b}]
			want.Tally()
			if m.Outcome != want.Outcome || m.Targets[0].Counts != want.Counts {
				t.Errorf("%s and %s: %s with %s, want %s with %s", a, b, m.Outcome, m.Targets[0].Counts, want.Outcome, want.Counts)
			}
		}
	}
}

func TestMergeSaysContradictions(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Report)
		want   string
	}{
		"hash":   {func(r *Report) { r.Evidence.SHA256 = strings.Repeat("f", 64) }, "the evidence is another: sha256 0123456789ab, then ffffffffffff"},
		"server": {func(r *Report) { r.Evidence.Server = "other" }, "the server names itself ucwatest/1, then other"},
		"strict": {func(r *Report) { r.Strict = true }, "one was strict and the other was not"},
	} {
		second := conformant()
		test.change(second)
		m := mergeOf(conformant(), second)
		if len(m.Conflicts) != 1 || !strings.Contains(m.Conflicts[0].Problem, test.want) {
			t.Errorf("%s: %v", name, m.Conflicts)
		}
		for _, format := range shownForms {
			if out := matrixIn(t, m, format); !strings.Contains(out, test.want) {
				t.Errorf("%s: %s does not say it:\n%s", name, format, out)
			}
		}
		other := conformant()
		test.change(other)
		other.Evidence.Source = "another target"
		if m := mergeOf(conformant(), other); len(m.Conflicts) != 0 || len(m.Targets) != 2 {
			t.Errorf("%s, of another target: %v", name, m.Conflicts)
		}
	}
}

// Reports share a column by name, else by source; a live run has an application of its own,
// and evidence.
func TestMergeByTarget(t *testing.T) {
	live := func(name, source, hash string) *Report {
		r := conformant()
		r.Name, r.Evidence = name, Evidence{Kind: "live", Source: source, SHA256: hash, Server: "s"}
		return r
	}
	m := mergeOf(
		live("Vienna", "https://host-1.example.invalid/ucwa/oauth/v1/applications/101", "a"),
		live("Vienna", "https://host-2.example.invalid/ucwa/oauth/v1/applications/102", "b"),
		live("", "https://pool.example/ucwa/oauth/v1/applications/103", "c"),
		live("", "https://pool.example/ucwa/oauth/v1/applications/104", "d"),
		live("", "sip:dana@contoso.com", "e"),
		conformant(),
	)
	var got []string
	for _, c := range m.Targets {
		got = append(got, c.Target+": "+c.Basis())
	}
	want := []string{"Vienna: 2 reports on 2 recordings", "https://pool.example/ucwa/oauth/v1: 2 reports on 2 recordings",
		"sip:dana@contoso.com: 1 report on 1 recording", "reference/set-presence: 1 report on 1 recording"}
	if !slices.Equal(got, want) || len(m.Conflicts) != 0 {
		t.Errorf("%q, conflicts %v, want %q", got, m.Conflicts, want)
	}
}

// The outcome of all is the worst, and no better than what a report claims of itself.
func TestMergeOutcome(t *testing.T) {
	at := func(r *Report, source string) *Report { r.Name, r.Evidence.Source = "", source; return r }
	failing := known()
	failing.Results[0].Known = nil
	failing.Tally()
	interrupted := conformant()
	interrupted.Outcome = Incomplete
	cut := conformant()
	cut.CutShort, cut.Results[0].Verdict = true, NotExercised
	cut.Tally()
	gap := conformant()
	gap.Results[0].Verdict = NotExercised
	gap.Tally()
	for name, test := range map[string]struct {
		reports []*Report
		want    Outcome
	}{
		"one":                     {[]*Report{conformant()}, Conformant},
		"none":                    {nil, Incomplete},
		"known":                   {[]*Report{conformant(), at(known(), "b")}, Excused},
		"incomplete beside known": {[]*Report{at(known(), "b"), at(gap, "c"), conformant()}, Incomplete},
		"the worst":               {[]*Report{conformant(), at(failing, "b"), at(gap, "c")}, Nonconformant},
		"a shard fills the gap":   {[]*Report{at(gap, "c"), at(conformant(), "c")}, Conformant},
		"interrupted":             {[]*Report{conformant(), interrupted}, Incomplete},
		"no shard fills what a run cut short left": {[]*Report{at(cut, "c"), at(conformant(), "c")}, Incomplete},
		"unknown here, known there":                {[]*Report{at(failing, "d"), at(known(), "d")}, Nonconformant},
		"known here, unknown there":                {[]*Report{at(known(), "d"), at(failing, "d")}, Nonconformant},
	} {
		if m := mergeOf(test.reports...); m.Outcome != test.want {
			t.Errorf("%s: %s, want %s", name, m.Outcome, test.want)
		}
	}
}

// A report that is not asked for all leaves holes, which are no verdicts.
func TestMatrixForms(t *testing.T) {
	part := everything()
	part.Results = part.Results[:3]
	part.Tally()
	m := mergeOf(conformant(), part, known())
	var read Matrix
	if err := json.Unmarshal([]byte(matrixIn(t, m, "json")), &read); err != nil {
		t.Fatal(err)
	}
	for at, c := range read.Targets {
		var counts Counts
		for _, row := range read.Rows {
			if len(row.Verdicts) != len(read.Targets) || len(row.Known) != len(read.Targets) {
				t.Fatalf("%s has %d verdicts of %d targets", row.Requirement, len(row.Verdicts), len(read.Targets))
			}
			if row.Verdicts[at] != "" {
				counts.add(row.Verdicts[at])
			}
		}
		if counts != c.Counts {
			t.Errorf("%s counts %s, and its column holds %s", c.Target, c.Counts, counts)
		}
		for _, format := range []string{"text", "html", "markdown"} {
			if out := matrixIn(t, m, format); !strings.Contains(out, c.Counts.String()) || !strings.Contains(out, m.Headline()) {
				t.Errorf("%s does not say %q of %s and %q", format, c.Counts, c.Target, m.Headline())
			}
		}
	}
	if holes := strings.Count(matrixIn(t, m, "json"), `""`); holes == 0 {
		t.Error("there are no holes")
	}
	page := matrixIn(t, m, "html")
	if rows := strings.Count(page, `<tr><th scope="row"><span class="id">`); rows != len(m.Rows) {
		t.Errorf("the page has %d of %d requirements", rows, len(m.Rows))
	}
	for _, row := range m.telling() {
		for _, format := range shownForms {
			if !strings.Contains(matrixIn(t, m, format), row.Requirement) {
				t.Errorf("%s leaves out %s", format, row.Requirement)
			}
		}
	}
}

// Merging reads whole files only, and names those that it cannot read.
func TestMergeFiles(t *testing.T) {
	paths := shards(t, 20)
	m, err := Merge(MergeOptions{}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Targets) != 10 || len(m.Targets[0].Reports) != 2 || len(m.Rows) != 168 || m.Outcome != Nonconformant {
		t.Errorf("%s", m.Headline())
	}
	whole, _, err := ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	if m.Targets[0].Counts != whole.Counts || len(whole.Exchanges) != 60 {
		t.Errorf("%s, and the report itself %s with %d exchanges", m.Targets[0].Counts, whole.Counts, len(whole.Exchanges))
	}
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"schema":"conform.report/v1"`), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err = Merge(MergeOptions{}, append(paths, bad)...)
	if err != nil || len(m.Unread) != 1 || m.Unread[0].File != bad || !strings.Contains(m.Headline(), "10 targets, 20 reports, 168 requirements; 1 file not read") {
		t.Errorf("with half a report: %v, %v", err, m)
	}
	if m, err := Merge(MergeOptions{}, bad); err == nil || m != nil || !strings.Contains(err.Error(), bad) {
		t.Errorf("half a report alone: %v", err)
	}
}

// A matrix that is too large for a page says what it leaves out.
func TestMatrixIsBounded(t *testing.T) {
	m := &Matrix{}
	for i := range 200 {
		r := big(700)
		r.Exchanges = nil
		r.Evidence.Source = fmt.Sprintf("https://pool-%d.example", i)
		m.Add(fmt.Sprint(i), r)
	}
	m.Finish()
	for _, format := range []string{"html", "markdown"} {
		out := matrixIn(t, m, format)
		most := 16 << 20
		if format == "markdown" {
			most = 1 << 20
		}
		if len(out) > most || !strings.Contains(strings.ToLower(out), "left out to keep this page short") {
			t.Errorf("%s has %d bytes, and does not say that it leaves something out", format, len(out))
		}
	}
}

// TestCutShort holds that a run which was cut short is never conformant, whatever its results, a
// baseline or another report say, and that its matrix says how many finished.
func TestCutShort(t *testing.T) {
	r := conformant()
	r.CutShort = true
	if r.Tally(); r.Outcome != Incomplete {
		t.Errorf("all that was asked passes, and it is %s", r.Outcome)
	}
	if told := next(r, ""); !strings.Contains(told, "run again") {
		t.Errorf("what to do is %q", told)
	}
	borne := known()
	borne.CutShort, borne.Results[0].Known = true, nil
	if borne.Tally(); borne.Outcome != Nonconformant {
		t.Errorf("a must is broken, and it is %s", borne.Outcome)
	}
	baseline := &Baseline{Known: []KnownFailure{{Requirement: borne.Results[0].Requirement, Reason: "mended in May"}}}
	if baseline.Apply(borne, time.Now()); borne.Outcome != Incomplete {
		t.Errorf("what is broken is known, and it is %s", borne.Outcome)
	}
	r.Name, borne.Name = "a", "b"
	m := mergeOf(r, conformant(), borne)
	if m.Outcome != Incomplete || !strings.HasSuffix(m.Headline(), "; 1 of 3 finished") {
		t.Errorf("%s", m.Headline())
	}
	if m := mergeOf(conformant()); strings.Contains(m.Headline(), "finished") {
		t.Errorf("nothing was cut short: %s", m.Headline())
	}
	for _, view := range []struct {
		schema []byte
		out    string
	}{{Schema(), string(render(t, r, "json", Options{}))}, {MatrixSchema(), matrixIn(t, m, "json")}} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(view.out))
		if err == nil {
			err = compiled(t, view.schema).Validate(doc)
		}
		if err != nil || !strings.Contains(view.out, `"cutShort": true`) {
			t.Errorf("%v: %.300s", err, view.out)
		}
	}
}
