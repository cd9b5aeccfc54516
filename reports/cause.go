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

// once leaves the first of the results that have the one cause of a stopped run as it is, and gives the others a verdict that says that
// they follow from it. In the first it says the cause.
func (r *Report) once(as Verdict) {
	list := r.stopped()
	if len(list) == 0 {
		return
	}
	first := list[0].Requirement
	r.Results = slices.Clone(r.Results)
	for i := range r.Results {
		switch result := &r.Results[i]; {
		case result.Verdict != Error && result.Verdict != Blocked:
		case result.Requirement == first:
			result.Reason = strings.TrimPrefix(result.Reason+"; "+r.Cause, "; ")
		default:
			result.Verdict, result.Reason, result.Observed, result.Said = as, "for the same cause as "+first, "", ""
		}
	}
}

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
