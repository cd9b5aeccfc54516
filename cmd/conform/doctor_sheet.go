package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// What a finding can be. Skipped is what could not be looked at, for a problem before it.
const (
	statusOK      = "ok"
	statusWarning = "warning"
	statusProblem = "problem"
	statusSkipped = "skipped"
)

// finding is one thing that doctor looked at. docs/doctor.md publishes its form.
type finding struct {
	Check      string `json:"check"`
	Target     string `json:"target"`
	Status     string `json:"status"`
	Detail     string `json:"detail"`
	Advice     string `json:"advice"`
	DurationMS int64  `json:"durationMs"`

	missing bool // the name is not in DNS
}

func (f *finding) took(d time.Duration) { f.DurationMS = d.Milliseconds() }

// sheet is what was found, in the order of the way.
type sheet struct {
	findings []finding
	secrets  []string // as given; in no finding
	hider    *cassettes.Anonymizer
}

// add takes a finding without what nobody may see, and without what a terminal would
// obey: nearly all of it is what servers say.
func (s *sheet) add(f finding) {
	for _, text := range []*string{&f.Target, &f.Detail, &f.Advice} {
		*text = s.clean(*text)
	}
	s.findings = append(s.findings, f)
}

// hide keeps a secret out of all findings, in every encoding, also out of those that
// are there.
func (s *sheet) hide(secret string) {
	s.secrets = append(s.secrets, secret)
	s.hider = nil
	for i := range s.findings {
		f := &s.findings[i]
		f.Target, f.Detail, f.Advice = s.clean(f.Target), s.clean(f.Detail), s.clean(f.Advice)
	}
}

func (s *sheet) clean(text string) string {
	if s.hider == nil {
		hider, err := cassettes.NewAnonymizer(&cassettes.Cassette{}, cassettes.AnonymizeOptions{Secrets: s.secrets, KeepNames: true})
		if err != nil {
			return "not shown: " + err.Error() // an empty recording gives none
		}
		s.hider = hider
	}
	return strings.ReplaceAll(reports.Legible(s.hider.Hide(text)), "\n", " ") // a line of its own could pass for a finding
}

func (s *sheet) count(status string) int {
	n := 0
	for _, f := range s.findings {
		if f.Status == status {
			n++
		}
	}
	return n
}

func (s *sheet) json(w io.Writer) error {
	list := s.findings
	if list == nil {
		list = []finding{}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(list)
}

var statusColors = map[string]string{statusOK: "\x1b[32m", statusWarning: "\x1b[33m", statusProblem: "\x1b[31m", statusSkipped: "\x1b[2m"}

func (s *sheet) text(w io.Writer, of string, color bool) {
	fmt.Fprintf(w, "conform %s · doctor · %s\n\n", tool().Version, s.clean(of))
	for _, f := range s.findings {
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

func (s *sheet) summary() string {
	problems, warnings, skipped := s.count(statusProblem), s.count(statusWarning), s.count(statusSkipped)
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{problems, "problem"}, {warnings, "warning"}, {s.count(statusOK), "ok"}, {skipped, "skipped"}} {
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
