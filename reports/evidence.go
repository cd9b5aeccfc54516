package reports

import (
	"fmt"
	"strings"
)

// provenance says in clear words what the verdicts rest on.
func (e Evidence) provenance() string {
	name, _ := e.words()
	parts := []string{name}
	if source := shorten(e.Source, 200); e.Kind == "live" && source != "" {
		parts[0] += " " + source
	} else if source != "" {
		parts = append(parts, source)
	}
	if e.Server != "" {
		parts = append(parts, "server "+shorten(e.Server, 200))
	}
	if !e.RecordedAt.IsZero() {
		parts = append(parts, e.RecordedAt.UTC().Format("2006-01-02"))
	}
	if e.SHA256 != "" {
		parts = append(parts, fmt.Sprintf("sha256 %.12s", e.SHA256))
	}
	return strings.Join(parts, ", ")
}

// sentence goes with every outcome, so that none is read as saying more than it does.
func (e Evidence) sentence() string {
	_, limit := e.words()
	article := "a "
	if e.Kind == "capture" {
		article = ""
	}
	return "Judged from " + article + e.provenance() + ". It " + limit + "."
}

// words names the kind of evidence, and the limit of what it shows.
func (e Evidence) words() (name, limit string) {
	switch e.Kind {
	case "live":
		return "live server", "applies to that server at the time of the run"
	case "reference":
		return "recording of conform's own reference server", "says nothing about a Skype for Business Server"
	case "documentation":
		return "transcript of the documentation (errata repaired)", "says nothing about a running server"
	case "capture":
		return "captured traffic", "says nothing about what was not captured"
	}
	return "source of unknown kind", "proves nothing about a server"
}
