package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// What a finding can be. Skipped is what could not be looked at, for a problem before it.
const (
	OK      = "ok"
	Warning = "warning"
	Problem = "problem"
	Skipped = "skipped"
)

// Finding is one thing that doctor looked at. docs/doctor.md publishes its form.
type Finding struct {
	Check      string `json:"check"`
	Target     string `json:"target"`
	Status     string `json:"status"`
	Detail     string `json:"detail"`
	Advice     string `json:"advice"`
	DurationMS int64  `json:"durationMs"`

	missing bool // the name is not in DNS
}

func (f *Finding) took(d time.Duration) { f.DurationMS = d.Milliseconds() }

// Sheet is what was found, in the order of the way.
type Sheet struct {
	Findings []Finding
	secrets  []string // as given; in no finding
	masker   *mask.Masker
}

// Add takes a finding without what nobody may see, and without what a terminal would
// obey: nearly all of it is what servers say.
func (s *Sheet) Add(f Finding) {
	for _, text := range []*string{&f.Target, &f.Detail, &f.Advice} {
		*text = s.clean(*text)
	}
	s.Findings = append(s.Findings, f)
}

// hide keeps a secret out of all findings, in every encoding, also out of those that
// are there.
func (s *Sheet) hide(secret string) {
	s.secrets = append(s.secrets, secret)
	s.masker = nil
	for i := range s.Findings {
		f := &s.Findings[i]
		f.Target, f.Detail, f.Advice = s.clean(f.Target), s.clean(f.Detail), s.clean(f.Advice)
	}
}

func (s *Sheet) clean(text string) string {
	if s.masker == nil {
		s.masker = mask.New(mask.Options{Keeps: mask.AllButSecret, Secrets: s.secrets})
	}
	return strings.ReplaceAll(reports.Legible(s.masker.Message(text)), "\n", " ") // a line of its own could pass for a finding
}

// Count returns how many findings have a status.
func (s *Sheet) Count(status string) int {
	n := 0
	for _, f := range s.Findings {
		if f.Status == status {
			n++
		}
	}
	return n
}

// JSON writes the findings as docs/doctor.md publishes them.
func (s *Sheet) JSON(w io.Writer) error {
	list := s.Findings
	if list == nil {
		list = []Finding{}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(list)
}

var statusColors = map[string]string{OK: "\x1b[32m", Warning: "\x1b[33m", Problem: "\x1b[31m", Skipped: "\x1b[2m"}

// Text writes them for people.
func (s *Sheet) Text(w io.Writer, version, of string, color bool) {
	fmt.Fprintf(w, "conform %s · doctor · %s\n\n", version, s.clean(of))
	for _, f := range s.Findings {
		status := fmt.Sprintf("%-7s", f.Status)
		if color {
			status = statusColors[f.Status] + status + "\x1b[0m"
		}
		fmt.Fprintf(w, "%s  %-12s  %s: %s\n", status, f.Check, f.Target, f.Detail)
		if f.Advice != "" {
			fmt.Fprintf(w, "%*s→ %s\n", 7+2+12+2, "", f.Advice)
		}
	}
	fmt.Fprintf(w, "\n%s\n", s.summary())
}

func (s *Sheet) summary() string {
	problems, warnings, skipped := s.Count(Problem), s.Count(Warning), s.Count(Skipped)
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{problems, "problem"}, {warnings, "warning"}, {s.Count(OK), "ok"}, {skipped, "skipped"}} {
		if part.n == 0 {
			continue
		}
		if part.n > 1 && (part.what == "problem" || part.what == "warning") {
			part.what += "s"
		}
		parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
	}
	verdict := "all is well"
	switch {
	case problems > 0:
		verdict = "begin with the first problem"
	case skipped > 0:
		verdict = "not all was looked at"
	case warnings > 0:
		verdict = "it works; see the warnings"
	}
	return strings.Join(parts, ", ") + ": " + verdict
}
