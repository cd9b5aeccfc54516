package reports

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// matrixFile writes a matrix as a shard leaves it, and returns its path.
func matrixFile(t testing.TB, m *Matrix) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "merge.json")
	if err := os.WriteFile(path, []byte(matrixIn(t, m, "json")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// unplaced takes away where the matrix lay from which a report is named.
func unplaced(text string) string {
	return regexp.MustCompile(`"/[^"]*/(\d+\.json)"`).ReplaceAllString(text, `"$1"`)
}

// tried are reports on two targets that agree, contradict each other, are strict, known, cut short, or of a part.
func tried() []*Report {
	verdict := func(r *Report, v Verdict) *Report {
		r.Results[0].Verdict = v
		r.Tally()
		return r
	}
	strict, cut, part, other := conformant(), conformant(), everything(), everything()
	strict.Strict, cut.CutShort, other.Name, other.Evidence.Server = true, true, "another", "IIS"
	for _, r := range []*Report{strict, cut, other} {
		r.Tally()
	}
	part.Results = part.Results[:3]
	part.Tally()
	cutPart, worse := conformant(), conformant() // and an outcome that is worse than all that is told
	cutPart.CutShort, cutPart.Results[0].Verdict = true, NotExercised
	cutPart.Tally()
	worse.Outcome = Incomplete
	list := []*Report{conformant(), everything(), known(), strict, cut, part, other, cutPart, worse}
	for _, v := range verdicts {
		list = append(list, verdict(conformant(), v))
	}
	return list
}

// TestJoin holds that matrices merge to what the reports in them merge to, in whatever way these were divided.
func TestJoin(t *testing.T) {
	list := tried()
	for i, a := range list {
		for j, b := range list {
			first, second := &Matrix{}, &Matrix{}
			first.Add("1.json", a)
			first.Finish()
			second.Add("2.json", b)
			second.Finish()
			want := matrixIn(t, mergeOf(a, b), "json")
			if m, err := Merge(MergeOptions{}, matrixFile(t, first), matrixFile(t, second)); err != nil {
				t.Errorf("reports %d and %d: %v", i, j, err)
			} else if got := unplaced(matrixIn(t, m, "json")); got != want {
				t.Errorf("reports %d and %d: the matrices make\n%s\nthe reports\n%s", i, j, got, want)
			}
		}
	}
	all := mergeOf(list...)
	m, err := Merge(MergeOptions{}, matrixFile(t, all))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := unplaced(matrixIn(t, m, "json")), matrixIn(t, all, "json"); got != want {
		t.Errorf("a matrix alone becomes another:\n%s\nit was\n%s", got, want)
	}
	if n := len(m.Conflicts); n < 5 {
		t.Errorf("only %d conflicts are kept", n)
	}
}

// TestJoinWhatever does the same with reports of all kinds, four at a time: with levels that differ, and with outcomes that are
// worse than their results.
func TestJoinWhatever(t *testing.T) {
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 0))
		var list []*Report
		for range 4 {
			report := &Report{Schema: SchemaID, Name: fmt.Sprint("target-", r.IntN(2)), Strict: r.IntN(3) == 0, CutShort: r.IntN(6) == 0, Evidence: Evidence{Kind: "live"}}
			for q := range 3 {
				result := Result{Requirement: fmt.Sprint("requirement-", q), Level: levels[q], Subject: "server", Verdict: verdicts[r.IntN(len(verdicts))]}
				if seed%2 == 0 {
					result.Level = levels[r.IntN(len(levels))]
				}
				if r.IntN(2) == 0 {
					result.Verdict = Pass
				}
				if result.broken() && r.IntN(2) == 0 {
					result.Known = &Known{}
				}
				if r.IntN(5) > 0 {
					report.Results = append(report.Results, result)
				}
			}
			if report.Tally(); r.IntN(8) == 0 && report.Outcome != Nonconformant {
				report.Outcome = Incomplete
			}
			list = append(list, report)
		}
		direct, joined := mergeOf(list...), &Matrix{}
		for _, half := range [][]*Report{list[:2], list[2:]} {
			part, err := decodeMatrix([]byte(matrixIn(t, mergeOf(half...), "json")))
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for i := range part.Targets { // of the second half the names count on
				for j := range part.Targets[i].Reports {
					part.Targets[i].Reports[j] = ""
				}
			}
			joined.join(part, "")
		}
		joined.Finish()
		for i := range direct.Targets {
			for j := range direct.Targets[i].Reports {
				direct.Targets[i].Reports[j] = ""
			}
		}
		direct.Conflicts, joined.Conflicts = nil, nil // which a matrix tells less exactly
		if got, want := matrixIn(t, joined, "json"), matrixIn(t, direct, "json"); got != want {
			t.Fatalf("seed %d: the matrices make\n%s\nthe reports\n%s", seed, got, want)
		}
	}
}

// TestJoinNamesWhoContradicts holds that a conflict with a matrix says that it does not know from which report a verdict is, and
// that the same conflict is told once.
func TestJoinNamesWhoContradicts(t *testing.T) {
	fail := conformant()
	fail.Results[0].Verdict = Fail
	fail.Tally()
	both := mergeOf(conformant(), fail)
	if len(both.Conflicts) != 1 {
		t.Fatalf("conflicts: %v", both.Conflicts)
	}
	m := &Matrix{}
	m.join(both, "")
	m.join(both, "")
	m.Add("3.json", conformant())
	m.Finish()
	want := [][2]string{{"1.json", "2.json"}, {"1.json, or another of 2 reports", "3.json"}}
	if got := each(m.Conflicts, func(c Conflict) [2]string { return c.Reports }); !slices.Equal(got, want) {
		t.Errorf("conflicts between %q, expected %q", got, want)
	}
}

// TestMergeIsBounded holds that small files do not make a matrix that no memory holds.
func TestMergeIsBounded(t *testing.T) {
	wide, long := &Matrix{}, &Matrix{}
	for i := range 8000 {
		r := conformant()
		r.Name, r.Results = fmt.Sprint("target-", i), r.Results[:1]
		r.Tally()
		wide.Add("r.json", r)
	}
	r := conformant()
	for i := range 8000 {
		one := r.Results[0]
		one.Requirement = fmt.Sprint("requirement-", i)
		r.Results = append(r.Results, one)
	}
	r.Tally()
	long.Add("r.json", r)
	wide.Finish()
	long.Finish()
	first, second := matrixFile(t, wide), matrixFile(t, long)
	if _, err := Merge(MergeOptions{}, first, second); err == nil || !strings.Contains(err.Error(), second+": with it there are") {
		t.Errorf("%v", err)
	}
	if _, err := Merge(MergeOptions{}, second); err != nil {
		t.Errorf("one of them alone: %v", err)
	}
}

// TestMergeHeads holds what becomes of what several reports on a target say of themselves, in any order.
func TestMergeHeads(t *testing.T) {
	strict, cut, lax, odd := conformant(), conformant(), conformant(), conformant()
	strict.Strict, cut.CutShort = true, true
	lax.Results[0].Level, lax.Results[0].Verdict, lax.Results[0].Requirement = "should", Warn, "set-presence.0.should"
	odd.Results[0].Verdict = "passed"
	for _, r := range []*Report{strict, cut, lax} {
		r.Tally()
	}
	for _, order := range [][]*Report{{strict, lax}, {lax, strict}} {
		if c := mergeOf(order...).Targets[0]; !c.Strict || c.Outcome != Nonconformant {
			t.Errorf("one strict, and a should that is broken: strict %v, %s", c.Strict, c.Outcome)
		}
	}
	for _, order := range [][]*Report{{cut, conformant()}, {conformant(), cut}} {
		if c := mergeOf(order...).Targets[0]; !c.CutShort || c.Outcome != Incomplete {
			t.Errorf("one cut short: %v, %s", c.CutShort, c.Outcome)
		}
	}
	if m := mergeOf(odd); m.Outcome != Incomplete || m.Rows[0].Verdicts[0] != Error {
		t.Errorf("a verdict that there is not is %s, and makes %s", m.Rows[0].Verdicts[0], m.Outcome)
	}
	first, third := conformant(), conformant()
	first.Results[0].Verdict, third.Results[0].Verdict = NotExercised, Fail
	for _, r := range []*Report{first, third} {
		r.Tally()
	}
	m := mergeOf(first, conformant(), third)
	if len(m.Conflicts) != 1 || m.Conflicts[0].Reports != [2]string{"2.json", "3.json"} {
		t.Errorf("conflicts: %v", m.Conflicts)
	}
	if n := len(m.Targets[0].SHA256); n != 1 {
		t.Errorf("one recording is counted %d times", n)
	}
}

// TestMatrixIsConsistent holds that a matrix which was edited is refused.
func TestMatrixIsConsistent(t *testing.T) {
	m := mergeOf(everything(), known())
	whole := matrixIn(t, m, "json")
	head := func(c Column) string { return fmt.Sprintf("\"target\": %q,\n      \"kind\": %q", c.Target, c.Kind) }
	for _, test := range []struct{ name, old, new, want string }{
		{"the outcome of all", `"outcome": "nonconformant"`, `"outcome": "conformant"`, "claims to be conformant"},
		{"of a target", "      \"outcome\": \"nonconformant\"", "      \"outcome\": \"conformant\"", "claims to be conformant, and its verdicts make it nonconformant"},
		{"a verdict", "        \"fail\",\n", "        \"pass\",\n", "it counts"},
		{"no verdict", "        \"fail\",\n", "        \"passed\",\n", "which there is not"},
		{"a level", `"level": "must"`, `"level": "maybe"`, "which there is not"},
		{"a column less", `"verdicts": [`, `"verdicts": ["pass",`, "has 3 verdicts, and there are 2 targets"},
		{"no reports", `"1.json"`, ``, "no report is named"},
		{"an unknown key", `"schema"`, `"more": 1, "schema"`, "unknown field"},
		{"known, and passed", "\"pass\"\n      ],\n      \"known\": [\n        false,\n        false", "\"pass\"\n      ],\n      \"known\": [\n        false,\n        true", "is a known failure, and its verdict is"},
		{"known, and not asked for", "\"pass\"\n      ],\n      \"known\": [\n        false,\n        false", "\"\"\n      ],\n      \"known\": [\n        false,\n        true", "has the verdict"},
		{"cut short", "      \"outcome\": \"excused\"", "      \"cutShort\": true,\n      \"outcome\": \"excused\"", "it was cut short, and no report claims"},
		{"twice", `"requirement": "set-presence.1.status"`, `"requirement": "set-presence.2.status"`, "is in it twice"},
		{"one name twice", head(m.Targets[0]), head(m.Targets[1]), "have one name"},
		{"something behind", "\n}", "\n} {}", "after top-level value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			edited := strings.Replace(whole, test.old, test.new, 1)
			if edited == whole {
				t.Fatalf("there is no %q in\n%s", test.old, whole)
			}
			path := filepath.Join(t.TempDir(), "merge.json")
			if err := os.WriteFile(path, []byte(edited), 0o600); err != nil {
				t.Fatal(err)
			}
			if m, err := Merge(MergeOptions{}, path); err == nil || m != nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v, expected %q", err, test.want)
			}
		})
	}
	empty := &Matrix{}
	empty.begin()
	empty.Finish()
	if _, err := Merge(MergeOptions{}, matrixFile(t, empty)); err == nil || !strings.Contains(err.Error(), "no target") {
		t.Errorf("a matrix of nothing: %v", err)
	}
	if _, _, err := ReadFile(matrixFile(t, mergeOf(known()))); err == nil || !strings.Contains(err.Error(), "only merge reads") {
		t.Errorf("a matrix as a report: %v", err)
	}
}

// TestMatrixOfMany holds that of more targets than anybody reads those are shown that need a look, by name, the worst first, and
// that what the others are is said.
func TestMatrixOfMany(t *testing.T) {
	m := &Matrix{}
	for i := range 5 * shownTargets {
		r := conformant()
		if i%200 == 7 {
			r = everything()
		}
		r.Name = fmt.Sprintf("pool-%d.", i)
		m.Add(fmt.Sprint(i), r)
	}
	m.Finish()
	for _, format := range []string{"text", "html", "markdown"} {
		out := matrixIn(t, m, format)
		for i, c := range m.Targets {
			if shown := strings.Contains(out, c.Target); shown != (c.Outcome == Nonconformant) {
				t.Errorf("%s: target %d, %s, is shown: %v", format, i+1, c.Outcome, shown)
			}
		}
		if tallied := strings.Contains(out, "5 ✗ fail, 995 ✓ pass"); tallied != (format != "text") {
			t.Errorf("%s counts all: %v", format, tallied)
		}
		for _, want := range []string{"not shown: 995 targets, 995 conformant", m.Headline()} {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not say %q", format, want)
			}
		}
	}
	if text := matrixIn(t, m, "text"); !strings.Contains(text, "✗ fail            pool-7., pool-207., pool-407., pool-607., pool-807.\n") || !strings.Contains(text, "✓ pass            995 targets") {
		t.Errorf("the text does not tell which targets fail, or lists all others:\n%.3000s", text)
	}
	page := matrixIn(t, m, "html")
	if heads, cells := strings.Count(page, `<th scope="col" class="target">pool-207.</th>`), strings.Count(page, `<td class="verdict bad">`); heads != 2 || cells < 5 {
		t.Errorf("%d columns of pool-207, %d red cells", heads, cells)
	}

	m.Targets[0].Outcome = Incomplete
	if at, _ := m.shown(); !slices.Equal(at, []int{7, 207, 407, 607, 807, 0}) {
		t.Errorf("shown: %v", at)
	}
	for i := range m.Targets { // and where more need a look than are shown, the worst
		m.Targets[i].Outcome = map[bool]Outcome{true: Nonconformant, false: Incomplete}[i%2 == 1]
	}
	at, others := m.shown()
	if len(at) != shownTargets || at[0] != 1 || at[shownTargets-1] != 2*shownTargets-1 || !strings.Contains(others, "800 targets, 300 nonconformant, 500 incomplete") {
		t.Errorf("%d are shown, %s", len(at), others)
	}
}

// FuzzMatrix holds that what is read as a matrix can be shown in all forms, and merges to itself.
func FuzzMatrix(f *testing.F) {
	list := tried()
	for _, r := range list { // a long seed is tried seldom
		r.Results = r.Results[:min(len(r.Results), 3)]
		r.Tally()
	}
	for _, m := range []*Matrix{mergeOf(list[0]), mergeOf(list[:6]...)} {
		f.Add([]byte(matrixIn(f, m, "json")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if schemaOf(data) != MatrixSchemaID {
			return
		}
		read, err := decodeMatrix(data)
		if err != nil {
			return
		}
		m := &Matrix{}
		m.join(read, "")
		m.Finish()
		for _, format := range MatrixFormats() {
			matrixIn(t, m, format)
		}
		once := []byte(matrixIn(t, m, "json"))
		again, err := decodeMatrix(once)
		if err != nil {
			t.Fatal(err)
		}
		m = &Matrix{}
		m.join(again, "")
		m.Finish()
		if twice := []byte(matrixIn(t, m, "json")); !bytes.Equal(once, twice) {
			t.Errorf("%s became %s", once, twice)
		}
	})
}
