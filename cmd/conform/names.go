package main

import (
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// named returns the report with the names of the hosts and people in the evidence, for the terminal of the person who ran conform. Credentials stay
// masked. Failures of the network are shown as they were.
func named(r *reports.Report, e *suite.Evidence) *reports.Report {
	m := e.Masker()
	if m == nil {
		return r
	}
	was := map[int]string{}
	for _, x := range e.Received() {
		was[x.ID] = x.Failure
	}
	var failures []string // as they are masked, and as they were
	for _, x := range r.Exchanges {
		if x.Error != "" && was[x.Number] != "" {
			failures = append(failures, x.Error, m.WithoutSecrets(was[x.Number]))
		}
	}
	unmasked := strings.NewReplacer(failures...)
	out := r.Named(func(text string) string { return m.Reveal(unmasked.Replace(text)) })
	out.Notes = slices.DeleteFunc(out.Notes, func(note string) bool { return note == suite.Pseudonyms })
	return out
}
