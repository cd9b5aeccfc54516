package reports

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// A spreadsheet's cell holds 32,767 characters.
const cellRunes = 30000

// renderCSV is for spreadsheets: a header and a row a result, as RFC 4180 says. It is
// UTF-8 without a byte order mark, which every reader but a double click in Excel
// takes, and which would be part of the first column's name for many.
func renderCSV(to io.Writer, r *Report, _ Options) error {
	r = legible(r)
	w := csv.NewWriter(to)
	w.UseCRLF = true
	if err := w.Write([]string{"target", "source", "kind", "recordedAt", "task", "step", "requirement", "subject", "level", "verdict", "known",
		"statement", "expected", "observed", "reason", "evidence", "document", "clause", "durationMs", "said"}); err != nil {
		return err
	}
	recorded := ""
	if !r.Evidence.RecordedAt.IsZero() {
		recorded = r.Evidence.RecordedAt.UTC().Format("2006-01-02T15:04:05Z")
	}
	for _, x := range r.Results {
		known := ""
		if x.Known != nil {
			known = x.Known.Reason
		}
		if err := w.Write(each([]string{r.target(), r.Evidence.Source, r.Evidence.Kind, recorded, x.Task, x.Step, x.Requirement, x.Subject, x.Level, string(x.Verdict), known,
			x.Statement, x.Expected, x.Observed, x.Reason, x.where(), x.Source.Document, x.Source.Clause,
			strconv.FormatFloat(x.DurationMs, 'f', -1, 64), x.Said}, cell)); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// cell is a value that no spreadsheet takes for a formula: what begins like one gets
// an apostrophe, which spreadsheets read as "this is text". So does what the log of a
// GitHub workflow would take for a command, as the first value of a line is the target's name.
func cell(s string) string {
	s = shorten(s, cellRunes)
	if strings.IndexAny(strings.TrimLeft(s, " "), "=+-@\t\r＝＋－＠") == 0 || strings.HasPrefix(s, "::") {
		return "'" + s
	}
	return s
}
