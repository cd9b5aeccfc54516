package main

import (
	"strings"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// telling returns a failure that tells something: that nothing came on the event channel
// while the driver listened is none.
func telling(part, failure string) string {
	if part == "events" && strings.Contains(failure, "no answer in the time") {
		return ""
	}
	return failure
}

func errorsOf(r *reports.Report) []string {
	var list []string
	if r.Outcome == reports.Conformant {
		return nil // what was skipped needs no advice
	}
	found := 0        // the Autodiscover root that led on
	answered := false // one of them did: that another could not be reached is not the cause
	for _, x := range r.Exchanges {
		if x.Step == "autodiscover" && x.Response != nil && x.Response.Status == 200 {
			found = x.Number
		}
		answered = answered || x.Step == "autodiscover" && x.Response != nil
	}
	for _, x := range r.Exchanges {
		if x.Number < found || answered && x.Step == "autodiscover" {
			continue
		}
		list = append(list, telling(x.Step, x.Error))
	}
	for _, note := range r.Notes {
		if strings.HasPrefix(note, "the sign-in ended here: ") || strings.HasPrefix(note, "https://") {
			list = append(list, note) // where it tried to, stands in notes of their own
		}
	}
	return list
}
