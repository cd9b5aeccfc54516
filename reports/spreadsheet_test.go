package reports

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
)

// No value is a formula in a spreadsheet, or leaves its cell.
func TestCSVIsInert(t *testing.T) {
	for in, want := range map[string]string{
		"204": "204", "": "", "a=b": "a=b", "3 + 4": "3 + 4",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1",
		"::1": "'::1", "::error::x": "'::error::x", "a::b": "a::b",
		" =1": "' =1", "＝1": "'＝1", `=HYPERLINK("https://evil.example")`: `'=HYPERLINK("https://evil.example")`,
	} {
		if got := cell(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	r := hostile()
	for _, value := range []string{"=cmd|' /C calc'!A0", "\"\r\n=1", "+\t1", "::stop-commands::x"} {
		r.Results[0].Requirement, r.Results[0].Observed, r.Results[0].Source.Clause = value, value, value
		r.Evidence.Source, r.Name = value, value
		r.Results[0].Expected = strings.Repeat("long", 100_000)
		data := render(t, r, "csv", Options{})
		rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil || len(rows) != len(r.Results)+1 {
			t.Fatalf("%d rows for %d results: %v", len(rows), len(r.Results), err)
		}
		for line := range bytes.Lines(data) {
			if bytes.HasPrefix(line, []byte("::")) {
				t.Errorf("a line is a command to GitHub: %.40q", line)
			}
		}
		for _, row := range rows {
			for i, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
					t.Errorf("column %s begins a formula: %.40q", rows[0][i], cell)
				}
				if n := len([]rune(cell)); n > 32767 {
					t.Errorf("column %s has %d characters", rows[0][i], n)
				}
			}
		}
	}
	data := render(t, conformant(), "csv", Options{})
	if n := bytes.Count(data, []byte("\r\n")); n != bytes.Count(data, []byte("\n")) || n != len(conformant().Results)+1 {
		t.Errorf("%d lines end as RFC 4180 says", n)
	}
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		t.Error("it begins with a byte order mark")
	}
}
