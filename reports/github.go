package reports

import (
	"fmt"
	"strings"
	"sync"
)

// GitHub shows so many annotations of a kind for a step, and drops the rest unsaid.
const annotations = 10

// renderGitHub is workflow commands: what GitHub shows beside a run and a change. The
// worst comes first. Where there are more than GitHub shows, the last says how many.
func renderGitHub(r *Report, _ Options) ([]byte, error) {
	r = legible(r)
	var errors, warnings []annotation
	var quiet []Result
	for _, v := range []Verdict{Fail, Warn, Error} {
		for _, result := range r.Results {
			switch {
			case result.Verdict != v:
			case result.excused():
				a := annotate(result)
				a.title, a.message = "known failure "+result.Requirement, "known: "+result.Known.Reason+"\n"+a.message
				warnings = append(warnings, a)
			case result.broken() && result.binding(r.Strict):
				errors = append(errors, annotate(result))
			case result.broken():
				warnings = append(warnings, annotate(result))
			default:
				quiet = append(quiet, result)
			}
		}
	}
	if list := r.stopped(); len(list) > 0 {
		quiet, errors = nil, append(errors, annotation{"not tested", shorten(list[0].failure(), shownRunes) + "\n" + shorten(r.Cause, noteRunes)})
	}
	for _, g := range gather(quiet) { // a dead connection is one error, not a hundred
		errors = append(errors, annotation{string(g.Verdict), strings.TrimPrefix(g.Reason+"\n"+g.list(6, false), "\n")})
	}
	if r.Outcome == Incomplete && len(r.stopped()) == 0 {
		errors = append(errors, annotation{r.Headline(), missing(r)})
	}
	if r.Outcome == Nonconformant && len(errors) == 0 { // a file may claim worse than it shows
		errors = append(errors, annotation{r.Headline(), r.Counts.String()})
	}
	for _, s := range r.stale() {
		errors = append(errors, annotation{"baseline " + s.Requirement, s.Problem})
	}
	var b strings.Builder
	command(&b, "error", r.Name, errors)
	command(&b, "warning", r.Name, warnings)
	command(&b, "notice", r.Name, []annotation{{r.Headline(), r.Counts.String() + "\n" + r.Evidence.sentence()}})
	return []byte(b.String()), nil
}

type annotation struct{ title, message string }

// annotate tells of a result what a reader of a change needs.
func annotate(r Result) annotation {
	message := []string{shorten(r.Statement, shownRunes)}
	for _, f := range [][2]string{{"expected: ", r.Expected}, {"observed: ", r.Observed}, {"the server said: ", r.Said}, {"evidence: ", r.where()}, {"source: ", r.Source.String()}} {
		if f[1] != "" {
			message = append(message, f[0]+shorten(f[1], shownRunes))
		}
	}
	return annotation{r.Level + " " + r.Requirement, strings.Join(message, "\n")}
}

// command writes workflow commands, each with the name of the target if it has one.
func command(b *strings.Builder, name, target string, list []annotation) {
	for i, a := range list {
		if rest := len(list) - i; i == annotations-1 && rest > 1 {
			a = annotation{fmt.Sprintf("and %d more", rest), "The report has them all; GitHub shows no more annotations of a step."}
		}
		title := shorten(a.title, shownRunes)
		if target != "" {
			title += " · " + shorten(target, shownRunes)
		}
		fmt.Fprintf(b, "::%s title=%s::%s\n", name, commandProperty().Replace(title), commandData().Replace(a.message))
		if i == annotations-1 {
			break
		}
	}
}

// The escapes of workflow commands, as the runner undoes them.
var (
	commandData     = sync.OnceValue(func() *strings.Replacer { return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A") })
	commandProperty = sync.OnceValue(func() *strings.Replacer {
		return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	})
)
