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
	report := &Report{}
	if err := report.decode(data, &struct {
		*Report
		Exchanges unread `json:"exchanges"` // nearer than the report's own
	}{Report: report}); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return report, nil
}

// unread is a value that is passed over.
type unread struct{}

func (*unread) UnmarshalJSON([]byte) error { return nil }

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
	return fmt.Errorf("the report is larger than %d MiB: it cannot be one of conform's", most>>20)
}

// decode decodes and checks. What is wrong is looked for only if something is.
func (r *Report) decode(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields() // v1 is closed: what is not known would be lost on the way out
	err := dec.Decode(into)
	if err == nil && len(bytes.TrimSpace(data[dec.InputOffset():])) > 0 {
		err = errors.New("something stands behind its end")
	}
	if err != nil || r.Schema != SchemaID {
		var head struct {
			Schema string `json:"schema"`
		}
		if err := json.Unmarshal(data, &head); err != nil {
			return fmt.Errorf("not a JSON report: %w", err)
		}
		if head.Schema != SchemaID {
			return fmt.Errorf("the report's schema is %q, and this conform reads %q: read it with the conform that wrote it, or write it anew",
				shorten(head.Schema, 80), SchemaID)
		}
		return fmt.Errorf("not a %s report: %w", SchemaID, err)
	}
	if err := r.consistent(); err != nil {
		return fmt.Errorf("the report contradicts itself: %w", err)
	}
	return nil
}

// consistent checks what a schema cannot say. An outcome may be worse than the
// results, as that of an interrupted run is, but never better.
func (r *Report) consistent() error {
	for i, result := range r.Results {
		if result.Known != nil && !result.broken() {
			return fmt.Errorf("result %d (%s) is a known failure, and its verdict is %s", i+1, visible(result.Requirement), visible(result.Verdict))
		}
		if !slices.Contains(verdicts, result.Verdict) {
			return fmt.Errorf("result %d (%s) has the verdict %q, which there is not", i+1, visible(result.Requirement), result.Verdict)
		}
		if !slices.Contains([]string{"must", "should", "may"}, result.Level) {
			return fmt.Errorf("result %d (%s) has the level %q, which there is not", i+1, visible(result.Requirement), result.Level)
		}
	}
	told := *r
	told.Tally()
	if told.Counts != r.Counts {
		return fmt.Errorf("it counts %s, and its results are %s", r.Counts, told.Counts)
	}
	switch r.Outcome {
	case Incomplete, Nonconformant:
	case Conformant, Excused:
		if told.Outcome != r.Outcome {
			return fmt.Errorf("it claims to be %s, and its results make it %s", r.Outcome, told.Outcome)
		}
	case "":
		return errors.New("it has no outcome")
	default:
		return fmt.Errorf("its outcome is %q, which there is not", r.Outcome)
	}
	return nil
}
