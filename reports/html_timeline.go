package reports

import (
	"cmp"
	"slices"
	"time"
)

// timeline is how long the exchanges took, and when each began if that is known.
type timeline struct {
	Rows  []timeRow
	Known bool    // the times of start
	Whole float64 // milliseconds that the width stands for
	Alike bool    // all took as long, and nothing else is known: there is nothing to draw
	Of    int
}

// timeRow is an exchange with its bar, in thousandths of the width.
type timeRow struct {
	*htmlExchange
	Offset   float64
	X, Width float64
	Label    string
}

// Style keeps colour for what is wrong.
func (r timeRow) Style() string {
	if r.Worst == "" || r.Worst == Pass {
		return "calm"
	}
	return class(r.Worst)
}

// timelineOf is nil where the evidence knows no times at all.
func timelineOf(all []*htmlExchange) *timeline {
	t := &timeline{Known: true, Of: len(all)}
	timed := false
	var first time.Time
	for _, x := range all {
		t.Known = t.Known && !x.StartedAt.IsZero()
		timed = timed || x.DurationMs > 0
		if first.IsZero() || x.StartedAt.Before(first) {
			first = x.StartedAt
		}
	}
	t.Alike = !t.Known && len(all) > 1 && !slices.ContainsFunc(all, func(x *htmlExchange) bool { return x.DurationMs != all[0].DurationMs })
	if !timed && (!t.Known || len(all) == 0) {
		return nil
	}
	longest := slices.Clone(all) // where there are too many rows to read, the slow ones tell most
	if len(longest) > htmlRows {
		slices.SortStableFunc(longest, func(a, b *htmlExchange) int { return cmp.Compare(b.DurationMs, a.DurationMs) })
		longest = longest[:htmlRows]
		slices.SortFunc(longest, func(a, b *htmlExchange) int { return a.Number - b.Number })
	}
	for _, x := range longest {
		row := timeRow{htmlExchange: x, Label: x.Exchange.Request.Method + " " + shortPath(x.Exchange.Request.URL, 48)}
		if t.Known {
			row.Offset = x.offset(first)
		}
		t.Whole = max(t.Whole, row.Offset+x.DurationMs)
		t.Rows = append(t.Rows, row)
	}
	for i := range t.Rows {
		row := &t.Rows[i]
		if t.Whole > 0 {
			row.X, row.Width = row.Offset/t.Whole*1000, row.DurationMs/t.Whole*1000
		}
		row.Width = max(row.Width, 3) // a short one can still be seen
		row.X = min(row.X, 1000-row.Width)
	}
	return t
}
