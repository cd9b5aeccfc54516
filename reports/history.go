package reports

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// History is the reports of a directory in the order of their evidence, by target.
type History struct {
	Targets []*Trend
	Skipped []string // files that are no reports, or none that can be read, and why
	Foreign int      // files that do not look like reports at all
}

// Trend is what became of one target.
type Trend struct {
	Target, Kind string
	Runs         []*Run
}

// Run is one report of a target.
type Run struct {
	File    string
	At      time.Time
	Guessed bool // the evidence has no date: that of the file stands in
	Outcome Outcome
	Counts  Counts
	Broken  []string // since the run before
	Fixed   []string

	report *Report
}

// A directory with more files than this is none of reports.
const maxHistory = 10_000

// ReadHistory reads all reports below a directory. Files that are no reports are passed
// over, and those that claim to be and cannot be read are told.
func ReadHistory(dir string) (*History, error) {
	h := &History{}
	trends := map[[2]string]*Trend{}
	files := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && path == dir:
			return err
		case err != nil:
			h.Skipped = append(h.Skipped, err.Error())
			return nil
		case entry.IsDir():
			return nil
		}
		if files++; files > maxHistory {
			return fmt.Errorf("%s holds more than %d files: give a directory of reports", dir, maxHistory)
		}
		if !entry.Type().IsRegular() || !strings.EqualFold(filepath.Ext(path), ".json") {
			h.Foreign++
			return nil
		}
		r, err := ReadResults(path)
		if err != nil {
			if looksLikeReport(path) {
				h.Skipped = append(h.Skipped, err.Error())
			} else {
				h.Foreign++
			}
			return nil
		}
		run := &Run{File: path, At: r.Evidence.RecordedAt.UTC(), Outcome: r.Outcome, Counts: r.Counts, report: r}
		if run.At.IsZero() {
			info, err := entry.Info()
			if err != nil {
				h.Skipped = append(h.Skipped, err.Error())
				return nil
			}
			run.At, run.Guessed = info.ModTime().UTC(), true
		}
		key := [2]string{r.Evidence.Kind, r.target()}
		if trends[key] == nil {
			trends[key] = &Trend{Target: r.target(), Kind: r.Evidence.Kind}
			h.Targets = append(h.Targets, trends[key])
		}
		trends[key].Runs = append(trends[key].Runs, run)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read the history: %w", err)
	}
	for _, t := range h.Targets {
		t.order()
	}
	slices.SortFunc(h.Targets, func(a, b *Trend) int { return strings.Compare(a.Target+"\x00"+a.Kind, b.Target+"\x00"+b.Kind) })
	return h, nil
}

// looksLikeReport tells whether a file that could not be read claims to be a report.
func looksLikeReport(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return true // it must be told that it was not read
	}
	defer file.Close()
	start := make([]byte, 4096)
	n, err := io.ReadFull(file, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return true
	}
	return strings.Contains(string(start[:n]), `"conform.report/`)
}

// page is the page of the report, from where the history is written, as a URL; "" if there is none beside the report.
func (r *Run) page(dir string) string {
	page := pageOf(dir, []string{r.File})
	if page == "" {
		return ""
	}
	if _, err := os.Stat(strings.TrimSuffix(r.File, FileName("json")) + FileName("html")); err != nil {
		return ""
	}
	return page
}

// order sorts the runs by date, and finds what broke and was fixed from each to the next.
func (t *Trend) order() {
	slices.SortFunc(t.Runs, func(a, b *Run) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.File, b.File)
	})
	for i, run := range t.Runs {
		if i > 0 {
			c := Compare(t.Runs[i-1].report, run.report)
			id := func(c Change) string { return c.Requirement }
			run.Broken, run.Fixed = each(c.Of(Broken), id), each(c.Of(Fixed), id)
		}
	}
	for _, run := range t.Runs {
		run.report = nil
	}
}

// Last is the latest run.
func (t *Trend) Last() *Run { return t.Runs[len(t.Runs)-1] }

// WriteHistory writes the history in one of the [HistoryFormats].
func WriteHistory(w io.Writer, h *History, format string, opts Options) error {
	return write(w, h, format, opts, historyForms())
}

// HistoryFormats is the names that [WriteHistory] knows.
func HistoryFormats() []string { return namesOf(historyForms()) }

func historyForms() []form[*History] {
	return []form[*History]{{"text", "", whole(historyText)}, {"html", "", whole(historyHTML)}}
}

// WriteIndex writes a page with the latest report of each target, the worst first, and links to their pages from the directory of the options.
func WriteIndex(w io.Writer, h *History, opts Options) error {
	return write(w, h, "index", opts, []form[*History]{{"index", "", whole(indexHTML)}})
}

// legible is a copy that is safe to show; see [legible].
func (h *History) legible() *History {
	return &History{Foreign: h.Foreign, Skipped: each(h.Skipped, visible), Targets: each(h.Targets, func(t *Trend) *Trend {
		return &Trend{visible(t.Target), visible(t.Kind), each(t.Runs, func(r *Run) *Run {
			out := *r
			out.File, out.Outcome, out.Broken, out.Fixed = visible(r.File), visible(r.Outcome), each(r.Broken, visible), each(r.Fixed, visible)
			return &out
		})}
	})}
}

// ignored says what was not taken for a report, or is "".
func (h *History) ignored() string {
	if h.Foreign == 0 {
		return ""
	}
	return "ignored: " + count(h.Foreign, "other file")
}

func historyText(h *History, opts Options) ([]byte, error) {
	h = h.legible()
	p := newPrinter(opts)
	for _, t := range h.Targets {
		p.item(0, "", plain, shorten(t.Target, shownRunes)+"  ("+Evidence{Kind: t.Kind}.provenance()+")", bold)
		for _, r := range t.Runs {
			p.item(2, r.when()+"  "+height(r)+"  ", plain, fmt.Sprintf("%s: %s", r.Outcome.words(), r.Counts), outcomeTone(r.Outcome))
			if len(r.Broken) > 0 {
				p.item(23, "broken: ", red, idList(r.Broken, opts.Verbose), plain)
			}
			if len(r.Fixed) > 0 {
				p.item(23, "fixed:  ", green, idList(r.Fixed, opts.Verbose), plain)
			}
		}
		p.blank()
	}
	if len(h.Targets) == 0 {
		p.item(0, "", plain, "no report was found", plain)
	}
	for _, s := range h.Skipped {
		p.item(0, "not read: ", yellow, shorten(s, shownRunes), plain)
	}
	if other := h.ignored(); other != "" {
		p.item(0, "", plain, other, dim)
	}
	return p.text(), nil
}

// when is the date in UTC; a ~ says that it is the file's.
func (r *Run) when() string {
	mark := " "
	if r.Guessed {
		mark = "~"
	}
	return mark + r.At.Format("2006-01-02 15:04")
}

// height is the passes among all that could have passed, for a terminal.
func height(r *Run) string {
	levels := []rune("▁▂▃▄▅▆▇█")
	all := r.Counts.Total() - r.Counts.NotApplicable - r.Counts.NotTested
	if r.Counts.Tested() == 0 {
		return "·"
	}
	return string(levels[r.Counts.Pass*(len(levels)-1)/all]) // full only where all passed
}

func idList(ids []string, all bool) string { return (&alike{IDs: ids}).list(6, all) }
