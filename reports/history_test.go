package reports

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// archive writes a directory of reports among other files: one target that broke and
// was mended, another, and what is no report.
func archive(t *testing.T) string {
	dir := t.TempDir()
	put := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report := func(source string, day int, broken ...int) []byte {
		r := conformant()
		r.Evidence = Evidence{Kind: "live", Source: source, RecordedAt: time.Date(2026, 3, day, 23, 30, 0, 0, time.FixedZone("", -3600))}
		for _, i := range broken {
			r.Results[i].Verdict = Fail
		}
		r.Tally()
		return render(t, r, "json", Options{})
	}
	put("c/report.json", report("https://a.example", 1))
	put("b/report.json", report("https://a.example", 2, 0, 1))
	put("a/report.json", report("https://a.example", 3, 1))
	put("d/report.json", report("https://b.example", 2))
	put("a/evidence.yaml", []byte("version: 2\n"))
	put("package.json", []byte(`{"name": "other"}`))
	put("broken.json", []byte(`{`))
	put("later.json", []byte(`{"schema": "conform.report/v2"}`))
	put("half.json", report("https://a.example", 4)[:2000])
	undated := empty()
	put("undated.json", render(t, undated, "json", Options{}))
	if err := os.Chtimes(filepath.Join(dir, "undated.json"), time.Time{}, time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func historyIn(t *testing.T, h *History, format string) string {
	t.Helper()
	var b strings.Builder
	if err := WriteHistory(&b, h, format, Options{Width: 1000}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestHistory(t *testing.T) {
	h, err := ReadHistory(archive(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Targets) != 3 || h.Foreign != 3 || len(h.Skipped) != 2 {
		t.Fatalf("%d targets, %d foreign, skipped %q", len(h.Targets), h.Foreign, h.Skipped)
	}
	type run struct {
		Day           string
		Outcome       Outcome
		Broken, Fixed []string
	}
	var got []run
	for _, r := range h.Targets[0].Runs {
		got = append(got, run{r.At.Format(time.DateOnly), r.Outcome, r.Broken, r.Fixed})
	}
	want := []run{
		{"2026-03-02", Conformant, nil, nil}, // 23:30 west of Greenwich is the next day in UTC
		{"2026-03-03", Nonconformant, []string{"set-presence.1.status", "set-presence.1.link"}, []string{}},
		{"2026-03-04", Nonconformant, []string{}, []string{"set-presence.1.status"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the history of %s:\n%s", h.Targets[0].Target, diff)
	}
	if last := h.Targets[2].Last(); h.Targets[2].Target != "traffic.har" || !last.Guessed || last.At.Format(time.DateOnly) != "2026-03-09" {
		t.Errorf("evidence without a date is of %v", last.At)
	}
	text := historyIn(t, h, "text")
	for _, want := range []string{
		"https://a.example  (live server)\n   2026-03-02 00:30  █  conformant: 5 pass, 1 not applicable\n   2026-03-03 00:30  ▅  nonconformant: 3 pass, 2 fail, 1 not applicable\n",
		"broken: set-presence.1.status, set-presence.1.link\n", "fixed:  set-presence.1.status\n",
		"~2026-03-09 00:00  ·  incomplete: nothing was checked", "ignored: 3 other files", "not read: ", "later.json: the report's schema is", "half.json: not a JSON report",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not say %q:\n%s", want, text)
		}
	}
	page := historyIn(t, h, "html")
	for _, want := range []string{
		`aria-label="3 runs, the last 2026-03-04: nonconformant"`, `<title>2026-03-03: nonconformant, 3 pass, 2 fail, 1 not applicable</title>`,
		`class="failing"`, `✗ 2 broken</span> <span class="id">set-presence.1.status, set-presence.1.link`, `✓ 1 fixed</span> <span class="id">set-presence.1.status`, "(of the file)",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// One failure of very many is seen, and bars stay within the picture.
func TestSparkline(t *testing.T) {
	var trend Trend
	for _, c := range []Counts{{Pass: 9999, Fail: 1}, {Pass: 10000}, {Fail: 3}, {Error: 5}, {Pass: 1, Fail: 9999}, {}} {
		trend.Runs = append(trend.Runs, &Run{Counts: c})
	}
	for i := range 500 {
		trend.Runs = append([]*Run{{Counts: Counts{Pass: i}}}, trend.Runs...)
	}
	s := sparkline(&trend, nil)
	if len(s.Bars) != shownRuns || s.Width > 2000 {
		t.Fatalf("%d bars, %d wide", len(s.Bars), s.Width)
	}
	for i, b := range s.Bars {
		c := trend.Runs[len(trend.Runs)-shownRuns+i].Counts
		if (b.Failing >= 4) != (c.Fail > 0) || b.FailingTop < 0 || b.Top+b.Height != 64 || b.FailingTop+b.Failing != b.Top || b.X+b.Width > s.Width {
			t.Errorf("%s: %+v", c, b)
		}
		if (b.Class == "nothing") != (c.Pass+c.Fail+c.Warn == 0) {
			t.Errorf("%s: %s", c, b.Class)
		}
	}
}

func TestHistoryOfNothing(t *testing.T) {
	dir := t.TempDir()
	h, err := ReadHistory(dir)
	if err != nil || len(h.Targets) != 0 || !strings.Contains(historyIn(t, h, "text"), "no report was found") {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := ReadHistory(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a directory that is not there has a history")
	}
}
