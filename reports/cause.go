package reports

import (
	"cmp"
	"slices"
	"strings"
)

// stopped returns the results that have the one cause for which a live run could not start or go on, the first of them first.
// There are none if the report names no cause, or if something else is wrong as well, which must be seen.
func (r *Report) stopped() []Result {
	if r.Cause == "" {
		return nil
	}
	var list []Result
	for _, result := range r.Results {
		switch result.Verdict {
		case Fail, Warn:
			return nil
		case Error, Blocked:
			list = append(list, result)
		}
	}
	for i, result := range list { // what failed, before what that blocked
		if result.Verdict == Error {
			list[0], list[i] = list[i], list[0]
			break
		}
	}
	return list
}

// once leaves of the results that could not be judged for one reason the first as it is, and returns the others, which follow from it; also those
// that follow from a failure. In the first of a run that could not start or go on it says the cause.
func (r *Report) once() (follow map[[2]string]bool) {
	first := map[string]string{} // by reason: the requirement
	stopped, roots := r.stopped(), r.roots()
	follow = map[[2]string]bool{}
	r.Results = slices.Clone(r.Results)
	for i := range r.Results {
		result := &r.Results[i]
		if result.Verdict != Error && result.Verdict != Blocked {
			continue
		}
		reason := result.because()
		switch {
		case len(stopped) > 0 && result.Requirement == stopped[0].Requirement:
			result.Reason = strings.TrimPrefix(result.Reason+"; "+r.Cause, "; ")
		case len(stopped) > 0:
			result.Reason, result.Observed, result.Said = "for the same cause as "+stopped[0].Requirement, "", ""
			follow[result.key()] = true
		case roots[result.root()] > 0:
			follow[result.key()] = true
		case reason != "" && first[reason] != "":
			result.Reason, result.Observed, result.Said = "as "+first[reason]+": "+reason, "", ""
			follow[result.key()] = true
		default:
			first[reason] = result.Requirement
		}
	}
	return follow
}

// key tells a result from others of the same requirement, of which a report from a file may have several.
func (r Result) key() [2]string { return [2]string{r.Requirement, r.Reason} }

// failure is what the cause shows itself in: what was seen, or why that says nothing.
func (r Result) failure() string {
	if r.Reason != "" {
		return r.because()
	}
	return r.Observed
}

// stop prints a run that could not start or go on: the cause once, and not what follows from it.
func (p *printer) stop(r *Report, list []Result) {
	p.item(0, strings.TrimSpace(r.Tool.Name+" "+r.Tool.Version)+" · ", bold, r.about(), plain)
	p.item(0, "evidence: ", plain, r.Evidence.provenance(), plain)
	p.item(0, symbol(Error)+" Not tested: ", red, shorten(cmp.Or(list[0].Reason, list[0].Observed), shownRunes), plain)
	p.item(2, "", plain, shorten(r.Cause, noteRunes), bold)
	p.item(0, r.Headline()+": ", outcomeTone(r.Outcome), r.Counts.String(), plain)
	p.item(0, "next: ", bold, "run conform doctor to see where the way to the server ends; --verbose shows every requirement", plain)
}
