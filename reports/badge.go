package reports

import (
	"encoding/json"
	"fmt"
)

// renderBadge is what shields.io makes a badge of (its endpoint format, version 1). The
// label says what the evidence was unless a live server answered: a badge without it
// would claim more. The second number is of what was tested.
func renderBadge(r *Report, _ Options) ([]byte, error) {
	r = legible(r)
	badge := struct {
		SchemaVersion int    `json:"schemaVersion"`
		Label         string `json:"label"`
		Message       string `json:"message"`
		Color         string `json:"color"`
	}{1, "UCWA", fmt.Sprintf("%s %d/%d", r.Headline(), r.Counts.Pass, r.Counts.Tested()), "lightgrey"}
	if r.Evidence.Kind != "live" {
		badge.Label += " (" + shorten(r.Evidence.Kind, 20) + ")"
	}
	switch r.Outcome {
	case Conformant:
		badge.Color = "brightgreen"
	case Excused:
		badge.Color = "yellow"
	case Nonconformant:
		badge.Color = "red"
	}
	data, err := json.Marshal(badge)
	return append(data, '\n'), err
}
