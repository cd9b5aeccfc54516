package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// night is a run on a list, in shards of two targets each.
type night struct {
	name   string
	list   string
	shards int
	began  time.Time
	tool   string
}

func (n night) run(shard int) ListRun {
	r := ListRun{Name: n.name, Tool: Tool{Name: "conform", Version: n.tool}, Asked: "all requirements", SHA256: n.list, Targets: 2 * n.shards}
	for i := range n.shards {
		r.Shards = append(r.Shards, Names{fmt.Sprintf("a%d", i+1), fmt.Sprintf("b%d", i+1)})
	}
	began := n.began.Add(time.Duration(shard) * time.Second)
	r.Done = []Shard{{shard, began, began.Add(time.Minute)}}
	return r
}

// shard is what one of them leaves; change says what was found of its second target.
func (n night) shard(i int, change func(*Report)) *Matrix {
	m := &Matrix{Runs: []ListRun{n.run(i)}}
	for j, name := range m.Runs[0].Shards[i-1] {
		r := conformant()
		r.Name, r.Evidence.Kind = name, "live"
		r.Exchanges = []Exchange{{Number: 1, Response: &Response{Status: 200}}}
		if j == 1 && change != nil {
			change(r)
		}
		r.Tally()
		m.Add(name+"/report.json", r)
	}
	m.Finish()
	return m
}

func fails(r *Report) { r.Results[0].Verdict = Fail }
func isCut(r *Report) { r.CutShort, r.Results[0].Verdict = true, Error }

// left writes what shards left, each into a folder of its own, and returns the folder of all.
func left(t testing.TB, shards ...*Matrix) string {
	t.Helper()
	dir := t.TempDir()
	for i, m := range shards {
		if err := os.Mkdir(filepath.Join(dir, fmt.Sprint(i)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i), MatrixFile), []byte(matrixIn(t, m, "json")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestMergeOfShards holds what becomes of the shards of a run, with each fault that they can have.
func TestMergeOfShards(t *testing.T) {
	at := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	tonight := night{"tonight", "list-1", 3, at, "1"}
	unnamed, other, changed, halves, newer := tonight, tonight, tonight, tonight, tonight
	unnamed.name, other.name, changed.list, halves.shards, newer.tool = "", "yesterday", "list-2", 2, "2"
	yesterday, fast, again := unnamed, unnamed, tonight
	again.began = at.Add(-24 * time.Hour)
	later, earlier, soon := tonight, tonight, unnamed
	later.began, earlier.began, soon.began = at.Add(10*time.Minute), at.Add(-10*time.Minute), at.Add(5*time.Hour)
	runless := tonight.shard(2, nil)
	runless.Runs = nil
	yesterday.began, fast.began = at.Add(-24*time.Hour), at.Add(90*time.Minute)
	for _, test := range []struct {
		name    string
		shards  []*Matrix
		refused string
		outcome Outcome
		said    string
	}{
		{"all", []*Matrix{tonight.shard(1, nil), tonight.shard(2, nil), tonight.shard(3, nil)}, "", Conformant, "conformant: 6 targets"},
		{"all, in any order", []*Matrix{tonight.shard(3, nil), tonight.shard(1, nil), tonight.shard(2, nil)}, "", Conformant, "3 of 3 shards"},
		{"one fails", []*Matrix{tonight.shard(1, nil), tonight.shard(2, fails), tonight.shard(3, nil)}, "", Nonconformant, "nonconformant: 6 targets"},
		{"the first is missing", []*Matrix{tonight.shard(2, nil), tonight.shard(3, nil)}, "", Incomplete, "missing: shard 1 of 3, with 2 targets: a1, b1\n"},
		{"all but one are missing", []*Matrix{tonight.shard(2, nil)}, "", Incomplete, "incomplete: 2 of 6 targets"},
		{"one is missing and one fails", []*Matrix{tonight.shard(1, fails), tonight.shard(3, nil)}, "", Nonconformant, "missing: shard 2 of 3"},
		{"one of another run", []*Matrix{tonight.shard(1, nil), tonight.shard(2, nil), other.shard(3, nil)}, "run yesterday, and not tonight", "", ""},
		{"of another list", []*Matrix{tonight.shard(1, nil), tonight.shard(2, nil), changed.shard(3, nil)}, "list list-2 of 6 targets, and not list-1", "", ""},
		{"dealt out otherwise", []*Matrix{tonight.shard(1, nil), halves.shard(2, nil)}, "in 2 shards, and not 3 shards", "", ""},
		{"of another version", []*Matrix{tonight.shard(1, nil), newer.shard(2, nil)}, "by conform 2, and not conform 1", "", ""},
		{"without a name", []*Matrix{unnamed.shard(1, nil), unnamed.shard(2, nil), unnamed.shard(3, nil)}, "", Conformant, ""},
		{"without a name, clocks that differ", []*Matrix{unnamed.shard(1, nil), fast.shard(2, nil), unnamed.shard(3, nil)}, "", Conformant, ""},
		{"without a name, one of yesterday", []*Matrix{unnamed.shard(1, nil), yesterday.shard(2, nil), unnamed.shard(3, nil)}, "1 shard ended 23h59m0s before 2 others began", "", ""},
		{"one name for two nights", []*Matrix{tonight.shard(1, nil), again.shard(2, nil), tonight.shard(3, nil)}, "1 shard ended 23h59m0s before 2 others began", "", ""},
		{"one twice", []*Matrix{tonight.shard(1, nil), tonight.shard(2, nil), tonight.shard(3, nil), tonight.shard(2, nil)}, "", Conformant, "conformant: 6 targets, 8 reports"},
		{"one twice, and it failed once", []*Matrix{tonight.shard(1, nil), tonight.shard(2, fails), tonight.shard(3, nil), tonight.shard(2, nil)}, "", Nonconformant, "conflict: b2"},
		{"evicted, and again", []*Matrix{tonight.shard(1, nil), tonight.shard(2, isCut), tonight.shard(3, nil), later.shard(2, nil)}, "", Conformant, ""},
		{"again, and the evicted one behind it", []*Matrix{tonight.shard(1, nil), later.shard(2, nil), tonight.shard(3, nil), tonight.shard(2, isCut)}, "", Conformant, ""},
		{"evicted after an earlier one had ended", []*Matrix{tonight.shard(1, nil), earlier.shard(2, nil), tonight.shard(3, nil), tonight.shard(2, isCut)}, "", Incomplete, "5 of 6 finished"},
		{"without a name, one twice", []*Matrix{unnamed.shard(1, nil), unnamed.shard(2, nil), unnamed.shard(3, nil), soon.shard(1, nil), soon.shard(3, nil)}, "shard 1 ended twice", "", ""},
		{"one that knows no run in place of a shard", []*Matrix{tonight.shard(1, nil), runless, tonight.shard(3, nil)}, "", Incomplete, "missing: shard 2 of 3"},
		{"evicted, and not again", []*Matrix{tonight.shard(1, nil), tonight.shard(2, isCut), tonight.shard(3, nil)}, "", Incomplete, "5 of 6 finished"},
		{"evicted after it had failed, and again", []*Matrix{tonight.shard(1, nil), tonight.shard(2, func(r *Report) { fails(r); r.CutShort = true }), tonight.shard(3, nil), later.shard(2, nil)},
			"", Nonconformant, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := left(t, test.shards...)
			m, err := Merge(MergeOptions{}, dir)
			if test.refused != "" {
				if !errors.Is(err, ErrMixed) || !strings.Contains(err.Error(), test.refused) {
					t.Errorf("%v, expected %q", err, test.refused)
				}
				if m, err = Merge(MergeOptions{Mixed: true}, dir); err != nil || m.Outcome == Nonconformant || len(m.Runs) > 1 && m.Outcome != Incomplete {
					t.Errorf("mixed: %v, %s", err, m.Headline())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if text := matrixIn(t, m, "text"); m.Outcome != test.outcome || !strings.Contains(text, test.said) {
				t.Errorf("%s, expected %s, and %q in\n%s", m.Outcome, test.outcome, test.said, text)
			}
			for _, format := range []string{"html", "markdown"} {
				if out := matrixIn(t, m, format); strings.Contains(out, "missing: shard") != (len(m.Missing) > 0) {
					t.Errorf("%s does not say what is missing, or says so", format)
				}
			}
			// What was merged can be merged again, alone or with what was merged.
			again := left(t, m)
			for _, paths := range [][]string{{again}, {dir, again}, {again, dir}} {
				n, err := Merge(MergeOptions{}, paths...)
				if err != nil || n.Outcome != m.Outcome || !slices.Equal(n.Missing, m.Missing) || len(n.Runs) != 1 || len(n.Runs[0].Done) != len(m.Runs[0].Done) {
					t.Errorf("again: %v, %+v", err, n)
				}
			}
		})
	}
}

// TestMergeSince: of 400 shards 399 are green and one is of yesterday, which is left out, and missing then.
func TestMergeSince(t *testing.T) {
	const all = 400
	tonight := night{"", "list", all, time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC), "1"}
	yesterday := tonight
	yesterday.began = tonight.began.Add(-24 * time.Hour)
	var shards []*Matrix
	for i := 1; i <= all; i++ {
		of := tonight
		if i == 137 {
			of = yesterday
		}
		shards = append(shards, of.shard(i, nil))
	}
	dir := left(t, shards...)
	if _, err := Merge(MergeOptions{}, dir); !errors.Is(err, ErrMixed) {
		t.Errorf("one of yesterday: %v", err)
	}
	m, err := Merge(MergeOptions{Since: tonight.began}, dir)
	if err != nil || m.Outcome != Incomplete || len(m.Missing) != 2 || m.Missing[0] != (Missing{Target: "a137", Shard: 137}) {
		t.Errorf("without that of yesterday: %v, %+v", err, m)
	}
	if _, err := Merge(MergeOptions{Since: tonight.began.Add(time.Hour)}, dir); !errors.Is(err, ErrNothing) {
		t.Errorf("without all: %v", err)
	}
}

// TestMergeReadsLogs holds that what conform wrote is found between other lines, and that what was cut does not hide what follows it.
func TestMergeReadsLogs(t *testing.T) {
	n := night{"tonight", "list", 3, time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC), "1"}
	one, two, three := matrixIn(t, n.shard(1, nil), "json"), matrixIn(t, n.shard(2, nil), "json"), matrixIn(t, n.shard(3, nil), "json")
	half := two[:len(two)/2] + "\n"
	for _, test := range []struct {
		name, log       string
		targets, unread int
	}{
		{"one", one, 2, 0}, {"behind other lines", "1 of 2  a1\n" + one + "done\n", 2, 0}, {"three", one + two + three, 6, 0},
		{"with line ends of Windows", strings.ReplaceAll(one, "\n", "\r\n"), 2, 0}, {"one that was cut first", half + one + three, 4, 1},
		{"between", one + half + three, 4, 1}, {"and last", one + three + half, 4, 1}, {"one whose head is lost", one + two[len(two)/2:] + three, 4, 1},
		{"one with times before the lines", one + strings.ReplaceAll(two, "\n", "\n2026-11-30T03:00:00Z ") + "\n" + three, 4, 1}, {"one that begins behind other text", one + "warning: " + two + three, 4, 2},
		{"on one line each", "x\n" + onOneLine(t, one) + "y\n" + onOneLine(t, two), 4, 0},
	} {
		path := filepath.Join(t.TempDir(), "pod.log")
		if err := os.WriteFile(path, []byte(test.log), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Merge(MergeOptions{}, path)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if len(m.Targets) != test.targets || len(m.Unread) != test.unread || len(m.Missing) != 6-test.targets {
			t.Errorf("%s: %s", test.name, m.Headline())
		}
	}
}

func onOneLine(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String() + "\n"
}

// TestMergeDirectories holds which files of directories are merged: through links, each once, but for what an earlier merge left; and
// that of an earlier night none is read.
func TestMergeDirectories(t *testing.T) {
	n := night{"tonight", "list", 2, time.Now(), "1"}
	dir := left(t, n.shard(1, nil), n.shard(2, nil))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip("there are no links here: ", err)
	}
	merges := func(want string, o MergeOptions, paths ...string) {
		t.Helper()
		if m, err := Merge(o, paths...); err != nil || m.Headline() != want {
			t.Errorf("%v: %v, %v; expected %s", paths, err, m, want)
		}
	}
	const green = "conformant: 4 targets, 4 reports, 6 requirements"
	merges(green, MergeOptions{}, link)
	merges(green, MergeOptions{}, dir, dir, filepath.Join(dir, "1"))
	merges("incomplete: 4 targets, 4 reports, 6 requirements; 1 file not read", MergeOptions{}, dir, t.TempDir())
	earlier := filepath.Join(dir, MatrixFile)
	if err := os.WriteFile(earlier, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	merges("incomplete: 4 targets, 4 reports, 6 requirements; 1 file not read", MergeOptions{}, dir)
	merges(green, MergeOptions{Except: earlier}, dir)
	merges(green, MergeOptions{Except: earlier}, link)
	merges(green, MergeOptions{Except: filepath.Join(link, MatrixFile)}, dir)
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(earlier, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	merges(green, MergeOptions{Since: time.Now().Add(-2 * time.Hour)}, dir)
}

// TestRunIsConsistent holds that a matrix whose run was edited is refused.
func TestRunIsConsistent(t *testing.T) {
	n := night{"tonight", "list", 2, time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC), "1"}
	merged, err := Merge(MergeOptions{}, left(t, n.shard(1, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, text, old, new, want string
	}{
		{"a name twice", matrixIn(t, n.shard(1, nil), "json"), `"a2, b2"`, `"a2, a2"`, "is in the list twice"},
		{"no name", matrixIn(t, n.shard(1, nil), "json"), `"a2, b2"`, `"a2, "`, "has no name"},
		{"a target less", matrixIn(t, n.shard(1, nil), "json"), `"a2, b2"`, `"a2"`, "its shards have 3 targets, and its list has 4"},
		{"a shard too many", matrixIn(t, n.shard(1, nil), "json"), `"shard": 1`, `"shard": 3`, "shard 3 has ended, of 2"},
		{"nothing is missing", matrixIn(t, merged, "json"), `"target": "b2"`, `"target": "b1"`, "names 2 targets as missing, and there are 2"},
		{"conformant all the same", matrixIn(t, merged, "json"), `"outcome": "incomplete"`, `"outcome": "conformant"`, "claims to be conformant"},
	} {
		edited := strings.Replace(test.text, test.old, test.new, 1)
		if edited == test.text {
			t.Fatalf("%s: there is no %q", test.name, test.old)
		}
		if _, err := decodeMatrix([]byte(edited)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, expected %q", test.name, err, test.want)
		}
	}
}

// TestFailed holds which targets failed before anything could be judged, as their reports say and as a matrix does, also when it
// was made of files.
func TestFailed(t *testing.T) {
	report := func(kind string, answered bool, verdicts ...Verdict) *Report {
		r := conformant()
		r.Evidence.Kind, r.Exchanges = kind, []Exchange{{Number: 1, Error: `no "response": here`}}
		if answered {
			r.Exchanges = append(r.Exchanges, Exchange{Number: 2, Response: &Response{Status: 204}})
		}
		for i := range r.Results {
			r.Results[i].Verdict = verdicts[min(i, len(verdicts)-1)]
		}
		r.Tally()
		return r
	}
	for i, test := range []struct {
		r    *Report
		want bool
	}{
		{report("live", true, Pass), false}, {report("live", false, Pass, Error), true}, {report("live", true, Pass, Error), false},
		{report("live", true, Error), true}, {report("capture", false, Pass, Error), false}, {report("capture", false, Error), true},
		{report("live", false, Fail), false}, {report("live", false, NotExercised), true}, {report("live", true, NotExercised), false},
	} {
		if got := test.r.Failed(); got != test.want {
			t.Errorf("%d: the report: %v", i, got)
		}
		path := filepath.Join(t.TempDir(), "report.json")
		if err := os.WriteFile(path, render(t, test.r, "json", Options{}), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Merge(MergeOptions{}, path)
		if err != nil || m.Targets[0].Failed() != test.want {
			t.Errorf("%d: from its file: %v", i, err)
		}
		if m, err = Merge(MergeOptions{}, left(t, m)); err != nil || m.Targets[0].Failed() != test.want {
			t.Errorf("%d: from a matrix: %v", i, err)
		}
	}
}

func relative(t *testing.T, dir, to string) string {
	t.Helper()
	from, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	near, err := filepath.Rel(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return near
}

// TestPages holds that the page of a matrix links those of its targets from where it is written, and nothing else.
func TestPages(t *testing.T) {
	for _, test := range []struct{ dir, report, want string }{
		{"out", "out/vienna/report.json", "./vienna/report.html"}, {"out", "out/shard 1/küh#1?/report.json", "./shard%201/k%C3%BCh%231%3F/report.html"},
		{"out/merged", "out/vienna/report.json", "./../vienna/report.html"}, {"", "out/vienna/report.json", ""}, {"out", "vienna", ""}, {"out", "out/other.json", ""},
		{"out", "javascript:alert(1)/report.json", "./../javascript:alert%281%29/report.html"}, {"out", "/etc/report.json", filepath.ToSlash("./"+relative(t, "out", "/etc")) + "/report.html"},
	} {
		if got := pageOf(test.dir, []string{test.report}); got != test.want {
			t.Errorf("%s from %s is %q, expected %q", test.report, test.dir, got, test.want)
		}
	}
}
