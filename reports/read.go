package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxReport bounds what Read takes into memory.
const maxReport = 256 << 20

// Read reads a JSON report. It refuses what is not a conform.report/v1, and a report
// that does not bear out its own counts or claims to be conformant when its results
// say otherwise: such a file was edited, and its outcome is worth nothing.
func Read(r io.Reader) (*Report, error) { return read(r, maxReport) }

func read(r io.Reader, most int64) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the report: %w", err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("the report is larger than %d MiB: it cannot be one of conform's", most>>20)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("not a JSON report: %w", err)
	}
	if head.Schema != SchemaID {
		return nil, fmt.Errorf("the report's schema is %q, and this conform reads %q: read it with the conform that wrote it, or write it anew",
			shorten(head.Schema, 80), SchemaID)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields() // v1 is closed: what is not known would be lost on the way out
	report := &Report{}
	if err := dec.Decode(report); err != nil {
		return nil, fmt.Errorf("not a %s report: %w", SchemaID, err)
	}
	if err := report.consistent(); err != nil {
		return nil, fmt.Errorf("the report contradicts itself: %w", err)
	}
	return report, nil
}

// consistent checks what a schema cannot say. An outcome may be worse than the
// results, as that of an interrupted run is, but never better.
func (r *Report) consistent() error {
	for i, result := range r.Results {
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
	case Conformant:
		if told.Outcome != Conformant {
			return fmt.Errorf("it claims to be %s, and its results make it %s", r.Outcome, told.Outcome)
		}
	case "":
		return errors.New("it has no outcome")
	default:
		return fmt.Errorf("its outcome is %q, which there is not", r.Outcome)
	}
	return nil
}
