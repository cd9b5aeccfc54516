package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// maxReport bounds what Read takes into memory.
const maxReport = 256 << 20

// Read reads a JSON report. It refuses what is not a conform.report/v1, and a report
// that does not bear out its own counts or claims to be conformant when its results
// say otherwise: such a file was edited, and its outcome is worth nothing.
func Read(r io.Reader) (*Report, error) {
	data, err := bounded(r, maxReport)
	if err != nil {
		return nil, err
	}
	report := &Report{}
	if err := report.decode(data, report); err != nil {
		return nil, err
	}
	return report, nil
}

// ReadFile reads a report from a file, and returns the SHA-256 of the file with it.
func ReadFile(path string) (*Report, string, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, "", err
	}
	report := &Report{}
	if err := report.decode(data, report); err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return report, digest(data), nil
}

// ReadResults reads a report from a file without its exchanges, which are most of it:
// hundreds of reports are merged by what they found.
func ReadResults(path string) (*Report, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	report, _, err := decodeResults(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return report, nil
}

// decodeResults also tells whether an exchange was answered.
func decodeResults(data []byte) (r *Report, answered bool, err error) {
	into := struct {
		*Report
		Exchanges unreadExchanges `json:"exchanges"` // nearer than the report's own
	}{Report: &Report{}}
	err = into.decode(data, &into)
	return into.Report, into.Exchanges.answered, err
}

// unreadExchanges are exchanges that are not read, but for whether one was answered: no text in JSON holds the name of a member in quotes.
type unreadExchanges struct{ answered bool }

func (u *unreadExchanges) UnmarshalJSON(data []byte) error {
	u.answered = bytes.Contains(data, []byte(`"response":`))
	return nil
}

// readFile looks at the size first: nobody waits for a gigabyte to be refused.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the report: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the report: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory: give the report.json in it", path)
	case info.Size() > maxReport:
		return nil, fmt.Errorf("%s: %w", path, tooLarge(maxReport))
	}
	data, err := bounded(file, maxReport)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// digest is the SHA-256 of data, in hex.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func bounded(r io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the report: %w", err)
	}
	if int64(len(data)) > most {
		return nil, tooLarge(most)
	}
	return data, nil
}

func tooLarge(most int64) error {
	return fmt.Errorf("the report is larger than %d MiB, the most that is read", most>>20)
}

// decode decodes and checks.
func (r *Report) decode(data []byte, into any) error {
	if err := decode(data, into, &r.Schema, SchemaID); err != nil {
		return err
	}
	for i := range r.Results {
		r.Results[i].Repeat = nil // which is made from the request, and never taken from a file
	}
	if err := r.consistent(); err != nil {
		return fmt.Errorf("the report contradicts itself: %w", err)
	}
	return nil
}

// decode decodes what has a schema, which it finds at is. What is wrong is looked for only if something is.
func decode(data []byte, into any, is *string, expected string) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields() // v1 is closed: what is not known would be lost on the way out
	err := dec.Decode(into)
	if err == nil && len(bytes.TrimSpace(data[dec.InputOffset():])) > 0 {
		err = errors.New("something stands behind its end")
	}
	if err == nil && *is == expected {
		return nil
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("it is empty: it was not written to its end, or is no report")
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) && wrong.Field == "" {
			return fmt.Errorf("not a JSON report: expected an object, found a JSON %s", wrong.Value)
		}
		return fmt.Errorf("not a JSON report: %w", err)
	}
	switch head.Schema {
	case expected:
		return fmt.Errorf("not a %s report: %w", expected, err)
	case MatrixSchemaID:
		return errors.New("it is a matrix of reports, which only merge reads: give the report.json of a target")
	case "":
		return fmt.Errorf("it names no schema, so it is no report of conform: those have %q, and matrices %q", SchemaID, MatrixSchemaID)
	}
	return fmt.Errorf("the report's schema is %q, and this conform reads %q, and merges %q: read it with the conform that wrote it, or write it anew",
		shorten(head.Schema, 80), SchemaID, MatrixSchemaID)
}

// schemaOf finds the schema that JSON names, which stands first in what conform writes; "" if it
// names none.
func schemaOf(data []byte) (schema string) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return ""
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return ""
		}
		if key == "schema" {
			_ = dec.Decode(&schema) // what is no text is no schema
			return schema
		}
		if dec.Decode(new(json.RawMessage)) != nil {
			return ""
		}
	}
	return ""
}

func decodeMatrix(data []byte) (*Matrix, error) {
	m := &Matrix{}
	if err := decode(data, m, &m.Schema, MatrixSchemaID); err != nil {
		return nil, err
	}
	if err := m.consistent(); err != nil {
		return nil, fmt.Errorf("the matrix contradicts itself: %w", err)
	}
	return m, nil
}

// consistent checks what a schema cannot say.
func (r *Report) consistent() error {
	for i, result := range r.Results {
		if err := sound(result.Verdict, result.Level, result.Known != nil); err != nil {
			return fmt.Errorf("result %d (%s) %w", i+1, visible(result.Requirement), err)
		}
	}
	told := *r
	told.Tally()
	if told.Counts != r.Counts {
		return fmt.Errorf("it counts %s, and its results are %s", r.Counts, told.Counts)
	}
	return borneOut(r.Outcome, told.Outcome, r.CutShort)
}

// consistent checks what a schema cannot say, and what others rest on that it says.
func (m *Matrix) consistent() error {
	seen := map[[2]string]bool{}
	for _, r := range m.Rows {
		key := [2]string{r.Requirement, r.Level}
		if seen[key] {
			return fmt.Errorf("requirement %s is in it twice", visible(r.Requirement))
		}
		seen[key] = true
		switch {
		case len(r.Verdicts) != len(m.Targets):
			return fmt.Errorf("requirement %s has %s, and there are %s", visible(r.Requirement), count(len(r.Verdicts), "verdict"), count(len(m.Targets), "target"))
		case len(r.Known) != len(m.Targets):
			return fmt.Errorf("requirement %s says of %d verdicts whether they are known, and there are %s", visible(r.Requirement), len(r.Known), count(len(m.Targets), "target"))
		case !slices.Contains(levels, r.Level):
			return fmt.Errorf("requirement %s has the level %q, which there is not", visible(r.Requirement), r.Level)
		case r.Subject != "server" && r.Subject != "client":
			return fmt.Errorf("requirement %s is of the subject %q, which there is not", visible(r.Requirement), r.Subject)
		}
		for at, v := range r.Verdicts {
			if v == "" && !r.Known[at] {
				continue // it was not asked for
			}
			if err := sound(v, r.Level, r.Known[at]); err != nil {
				return fmt.Errorf("requirement %s of target %d (%s) %w", visible(r.Requirement), at+1, visible(m.Targets[at].Target), err)
			}
		}
	}
	all, results := Outcome(""), []Result(nil)
	named := map[[2]string]int{}
	for at, c := range m.Targets {
		key := [2]string{c.Kind, c.Target}
		if other := named[key]; other > 0 {
			return fmt.Errorf("targets %d and %d have one name (%s), and would be one", other, at+1, visible(c.Target))
		}
		named[key] = at + 1
		results = m.results(results[:0], at)
		counts, told := c.told(results)
		var err error
		switch {
		case counts != c.Counts:
			err = fmt.Errorf("it counts %s, and its verdicts are %s", c.Counts, counts)
		case len(c.Reports) == 0:
			err = errors.New("no report is named")
		case c.Claimed != "" && c.Claimed != Incomplete && c.Claimed != Nonconformant:
			err = fmt.Errorf("it has the claimed outcome %q, which is no worse than its verdicts", c.Claimed)
		case c.CutShort && c.Claimed == "":
			err = errors.New("it was cut short, and no report claims the outcome of that")
		case told != c.Outcome:
			err = fmt.Errorf("it claims to be %s, and its verdicts make it %s", visible(c.Outcome), told)
		}
		if err != nil {
			return fmt.Errorf("target %d (%s): %w", at+1, visible(c.Target), err)
		}
		all = worse(all, told)
	}
	for i := range m.Runs {
		if err := m.Runs[i].consistent(); err != nil {
			return fmt.Errorf("run %d: %w", i+1, err)
		}
	}
	alone := len(m.Missing) == 0 && len(m.Runs) == 1 && len(m.Runs[0].Done) == 1 // as a shard leaves it, which does not look for what the others have
	if missing := m.missing(); !alone && !slices.Equal(missing, append([]Missing{}, m.Missing...)) {
		return fmt.Errorf("it names %s as missing, and there are %d", count(len(m.Missing), "target"), len(missing))
	}
	if len(m.Missing)+len(m.Unread) > 0 {
		all = worse(all, Incomplete)
	}
	switch {
	case len(m.Targets) == 0:
		return errors.New("no target is in it")
	case all != m.Outcome:
		return fmt.Errorf("it claims to be %s, and its targets make it %s", visible(m.Outcome), all)
	}
	return nil
}

// sound tells what is wrong with a verdict.
func sound(v Verdict, level string, known bool) error {
	switch {
	case !slices.Contains(verdicts, v):
		return fmt.Errorf("has the verdict %q, which there is not", v)
	case known && v != Fail && v != Warn:
		return fmt.Errorf("is a known failure, and its verdict is %s", v)
	case !slices.Contains(levels, level):
		return fmt.Errorf("has the level %q, which there is not", level)
	}
	return nil
}

// borneOut tells what is wrong with an outcome. It may be worse than what the verdicts make of it, as
// that of an interrupted run is, but never better.
func borneOut(claimed, told Outcome, cutShort bool) error {
	switch claimed {
	case Incomplete, Nonconformant:
	case Conformant, Excused:
		if told != claimed {
			return fmt.Errorf("it claims to be %s, and its results make it %s", claimed, told)
		}
		if cutShort {
			return fmt.Errorf("it claims to be %s, and was cut short", claimed)
		}
	case "":
		return errors.New("it has no outcome")
	default:
		return fmt.Errorf("its outcome is %q, which there is not", claimed)
	}
	return nil
}
