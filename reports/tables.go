package reports

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"time"
)

//go:embed tables.html.tmpl
var tablesTemplate string

//go:embed tables.css
var tablesStyle string

// tablePage renders a page over several reports. Like the report it has no script and
// nothing from elsewhere, and its policy allows its one style sheet alone.
func tablePage(name, title string, content any) ([]byte, error) {
	tmpl, err := template.New("tables").Funcs(template.FuncMap{
		"brief":        func(s string) string { return cut(s, 48) },
		"value":        func(s string) string { return shorten(s, shownRunes) },
		"count":        count,
		"ids":          func(ids []string) string { return shorten(idList(ids, false), 2*shownRunes) },
		"outcome":      outcomeSymbol,
		"words":        Outcome.words,
		"outcomeClass": outcomeClass,
		"provenance":   func(kind string) string { return Evidence{Kind: kind}.provenance() },
		"cell":         func(r Row, at int) string { return r.cell(at) },
		"tally":        Row.tally,
		"minute":       func(r *Run) string { return r.At.Format("2006-01-02 15:04") },
		"class": func(v Verdict) string {
			if v == "" {
				return "calm"
			}
			return class(v)
		},
	}).Parse(tablesTemplate)
	if err != nil {
		return nil, err
	}
	style, source := Style(tablesStyle)
	var b bytes.Buffer
	err = tmpl.ExecuteTemplate(&b, name, struct {
		Title, StyleSource string
		Style              template.CSS
		Content            any
	}{title, source, style, content})
	return b.Bytes(), err
}

func outcomeClass(o Outcome) string {
	switch o {
	case Conformant:
		return "good"
	case Nonconformant:
		return "bad"
	}
	return "care"
}

// matrixTable is a part of the matrix: what needs a look comes first.
type matrixTable struct {
	Caption string
	Rows    []Row
}

func matrixHTML(m *Matrix, opts Options) ([]byte, error) {
	pages := each(m.Targets, func(c Column) string { return pageOf(opts.Dir, c.Reports) })
	m = m.legible()
	first := m.telling()
	var rest []Row
	seen := map[string]bool{}
	for _, r := range first {
		seen[r.Requirement] = true
	}
	for _, r := range m.Rows {
		if !seen[r.Requirement] {
			rest = append(rest, r)
		}
	}
	content := struct {
		*Matrix
		Headline string
		Shown    []int
		Others   string
		Said     []string
		Tables   []matrixTable
		Left     string
		Pages    []string
		Grave    []string
		Quiet    []string
	}{Matrix: m, Headline: m.Headline(), Pages: pages}
	content.Grave, content.Quiet = m.remarks()
	content.Shown, content.Others = m.shown()
	for i, c := range m.Conflicts {
		if i == shownConflicts {
			content.Said = append(content.Said, fmt.Sprintf("and %d more", len(m.Conflicts)-i))
			break
		}
		content.Said = append(content.Said, c.String())
	}
	// A page of a million cells opens nowhere.
	room := max(20, 100_000/max(1, len(content.Shown)))
	for _, t := range []matrixTable{{"Failed or not judged somewhere", first}, {"Passed, or not applicable or not tested, everywhere", rest}} {
		shown := t.Rows[:min(len(t.Rows), room)]
		room -= len(shown)
		if len(shown) > 0 {
			content.Tables = append(content.Tables, matrixTable{fmt.Sprintf("%s: %d", t.Caption, len(t.Rows)), shown})
		}
	}
	shown := 0
	for _, t := range content.Tables {
		shown += len(t.Rows)
	}
	if left := len(m.Rows) - shown; left > 0 {
		content.Left = "Left out to keep this page short: " + count(left, "requirement") + ". The JSON has them all."
	}
	return tablePage("matrix", m.Headline(), content)
}

// sparkBar is one run in a sparkline: its height is what passed, its red part, on top,
// what failed. Its title says it in words.
type sparkBar struct {
	Title, Class   string
	X, Top, Height int
	FailingTop     int
	Page           string // of its report; "" if there is none
	Failing, Width int
}

type sparkTrend struct {
	*Trend
	Label         string
	Width         int
	Most          int    // the requirements that the height of the chart is
	First, Latest string // the days at its ends
	pages         map[*Run]string
	Bars          []sparkBar
}

// Runs beyond these are too thin to see.
const shownRuns = 120

// Page is the page of the report of a run, "" if there is none.
func (t sparkTrend) Page(r *Run) string { return t.pages[r] }

// Newest is the runs of the table, the newest first.
func (t sparkTrend) Newest() []*Run {
	runs := slices.Clone(t.Runs)
	slices.Reverse(runs)
	return runs[:min(len(runs), 1000)]
}

// indexRow is a target, by its latest report.
type indexRow struct {
	*Run
	Target, Kind, Page string
	Reports            int
}

func indexHTML(h *History, opts Options) ([]byte, error) {
	content := struct {
		Rows    []indexRow
		Skipped []string
		Ignored string
	}{Skipped: each(h.Skipped, visible), Ignored: h.ignored()}
	shown := h.legible()
	for i, t := range shown.Targets {
		content.Rows = append(content.Rows, indexRow{t.Last(), t.Target, t.Kind, h.Targets[i].Last().page(opts.Dir), len(t.Runs)})
	}
	slices.SortStableFunc(content.Rows, func(a, b indexRow) int {
		return slices.Index(worstOutcomes, a.Outcome) - slices.Index(worstOutcomes, b.Outcome)
	})
	return tablePage("index", "Reports on "+count(len(h.Targets), "target"), content)
}

func day(at time.Time) string { return at.Format("2006-01-02") }

func historyHTML(h *History, opts Options) ([]byte, error) {
	pages := map[*Run]string{}
	raw := h
	h = h.legible()
	for i, t := range raw.Targets {
		for j, run := range t.Runs {
			shown := h.Targets[i].Runs[j]
			pages[shown], shown.File = run.page(opts.Dir), visible(fromThere(opts.Dir, run.File))
		}
	}
	content := struct {
		Skipped []string
		Ignored string
		Targets []sparkTrend
	}{Skipped: h.Skipped, Ignored: h.ignored()}
	for _, t := range h.Targets {
		content.Targets = append(content.Targets, sparkline(t, pages))
	}
	return tablePage("history", "History of "+count(len(h.Targets), "target"), content)
}

// sparkline draws the latest runs side by side. The failing part is never too thin to
// see: one failure of 168 must not look like none.
func sparkline(t *Trend, pages map[*Run]string) sparkTrend {
	runs := t.Runs[max(0, len(t.Runs)-shownRuns):]
	const height, gap = 64, 2
	wide := max(8, min(28, 480/max(1, len(runs)))) // a few runs are wide enough to be hit by a finger
	s := sparkTrend{Trend: t, Width: max(1, len(runs))*(wide+gap) - gap, pages: pages, First: day(runs[0].At), Latest: day(t.Last().At)}
	last := t.Last()
	s.Label = fmt.Sprintf("%s, the last %s: %s", count(len(t.Runs), "run"), last.At.Format("2006-01-02"), last.Outcome.words())
	most := 1
	for _, r := range runs {
		most = max(most, r.Counts.Total())
	}
	s.Most = most
	for i, r := range runs {
		failing, pass := r.Counts.Fail+r.Counts.Warn, r.Counts.Pass
		bar := sparkBar{Title: fmt.Sprintf("%s: %s, %s", r.At.Format("2006-01-02"), r.Outcome.words(), r.Counts), Class: "rest", X: i * (wide + gap), Width: wide, Page: pages[r]}
		bar.Height = pass * height / most
		if failing > 0 {
			bar.Failing = max(4, failing*height/most)
			bar.Height = min(bar.Height, height-bar.Failing)
		}
		if failing+pass == 0 {
			bar.Class, bar.Height = "nothing", height
		}
		bar.Top = height - bar.Height
		bar.FailingTop = bar.Top - bar.Failing
		s.Bars = append(s.Bars, bar)
	}
	return s
}
