package reports

import (
	"fmt"
	"slices"
	"strings"
)

// Verdict is what was found about one requirement.
type Verdict string

// The verdicts. Only the first three say that something was checked.
const (
	Pass          Verdict = "pass"
	Fail          Verdict = "fail"           // a must is broken
	Warn          Verdict = "warn"           // a should is broken
	Blocked       Verdict = "blocked"        // a step it needs failed
	NotExercised  Verdict = "not exercised"  // the evidence does not contain it
	NotTested     Verdict = "not tested"     // the run was not given what it takes, such as a second user, or was told to skip it
	NotApplicable Verdict = "not applicable" // an optional capability that the server does not offer
	Error         Verdict = "error"          // the harness or the network failed
)

// verdicts is the order in which people read them.
var verdicts = []Verdict{Pass, Fail, Warn, Error, Blocked, NotExercised, NotTested, NotApplicable}

// worstFirst is the verdicts, and worstOutcomes the outcomes, in the order of what they say against a target.
var (
	worstFirst    = []Verdict{Fail, Error, Warn, Blocked, NotExercised, NotTested, NotApplicable, Pass}
	worstOutcomes = []Outcome{Nonconformant, Incomplete, Excused, Conformant}
)

// aside reports whether the outcome leaves the requirement out of account.
func (v Verdict) aside() bool { return v == NotApplicable || v == NotTested }

// Outcome is what the verdicts come to.
type Outcome string

// The outcomes.
const (
	Conformant    Outcome = "conformant"
	Nonconformant Outcome = "nonconformant"
	Incomplete    Outcome = "incomplete" // nothing failed, but not all was checked, or the run was cut short
	Excused       Outcome = "excused"    // conformant but for failures that a baseline knows
)

// given returns the verdicts that were given, at least that of a pass.
func (r *Report) given() []Verdict {
	return slices.DeleteFunc(slices.Clone(verdicts), func(v Verdict) bool { return v != Pass && r.Counts.Of(v) == 0 })
}

// OutcomeOf draws the outcome from the results. It fails closed: an unknown level
// is held to be a must, an unknown verdict to be no pass, and results of which none
// was checked are incomplete. With strict, a should is held to be a must. A failure
// that a baseline knows does not make nonconformant, but never conformant either.
func OutcomeOf(results []Result, strict bool) Outcome {
	checked, missing, known := false, false, false
	for _, r := range results {
		if r.Verdict == Pass || r.Verdict == Fail || r.Verdict == Warn {
			checked = true
		}
		if !r.binding(strict) {
			continue
		}
		switch {
		case r.Verdict == Pass, r.Verdict.aside():
		case r.excused():
			known = true
		case r.broken():
			return Nonconformant
		default:
			missing = true
		}
	}
	switch {
	case missing || !checked:
		return Incomplete
	case known:
		return Excused
	}
	return Conformant
}

// Failed tells whether the harness, the network or a file failed before anything could be judged.
func (r *Report) Failed() bool { return failedFirst(r.Outcome, r.Counts, r.unanswered()) }

// Failed reports whether nothing of the target could be judged, for such a reason.
func (c Column) Failed() bool { return failedFirst(c.Outcome, c.Counts, c.Unanswered) }

// failedFirst: of a server that answers nothing, requirements on our own requests may be met all the same.
func failedFirst(o Outcome, counts Counts, unanswered bool) bool {
	return o == Incomplete && (unanswered || counts.Error > 0 && counts.Pass+counts.Fail+counts.Warn == 0)
}

// Tolerable reports whether a report that is incomplete is so for want of evidence alone: something passed, nothing failed or was blocked by a failure,
// and the network and the run did not fail. That a capture lost what was to be looked at is want of evidence, too.
func (r *Report) Tolerable() bool {
	lost := r.Evidence.Kind == "capture" && !slices.ContainsFunc(r.Exchanges, func(x Exchange) bool { return x.Error != "" })
	return r.Outcome == Incomplete && r.Counts.Pass > 0 && r.Counts.Blocked == 0 && (r.Counts.Error == 0 || lost) && !r.CutShort && !r.Failed()
}

// unanswered tells whether a live server answered no request.
func (r *Report) unanswered() bool {
	return r.Evidence.Kind == "live" && !slices.ContainsFunc(r.Exchanges, func(x Exchange) bool { return x.Response != nil })
}

// Headline is the outcome in words. An excused one says how many failures it rests on, and one of a run that could not start or go on that it tested
// nothing.
func (r *Report) Headline() string {
	if len(r.stopped()) > 0 {
		return "not tested"
	}
	if r.Outcome != Excused {
		return string(r.Outcome)
	}
	return "conformant with " + count(len(r.knownFailures()), "known failure")
}

// count is a number of things, in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// words is the outcome where its report is not at hand to count known failures.
func (o Outcome) words() string {
	if o == Excused {
		return "conformant with known failures"
	}
	return string(o)
}

// knownFailures is the results that would make the report nonconformant, but for a baseline.
func (r *Report) knownFailures() []Result {
	var known []Result
	for _, result := range r.Results {
		if result.excused() && result.binding(r.Strict) {
			known = append(known, result)
		}
	}
	return known
}

// broken tells whether a requirement is not met: a must or a should.
func (r Result) broken() bool { return r.Verdict == Fail || r.Verdict == Warn }

// excused tells whether a baseline knows of the failure.
func (r Result) excused() bool { return r.Known != nil && r.broken() }

// shownAs is the verdict whose colour a result has: a failure that is borne is not red.
func (r Result) shownAs() Verdict {
	if r.excused() {
		return Warn
	}
	return r.Verdict
}

// binding tells whether the outcome hangs on this result.
func (r Result) binding(strict bool) bool {
	switch r.Level {
	case "may":
		return false
	case "should":
		return strict
	}
	return true
}

// Counts is how often each verdict was given.
type Counts struct {
	Pass          int `json:"pass"`
	Fail          int `json:"fail"`
	Warn          int `json:"warn"`
	Blocked       int `json:"blocked"`
	NotExercised  int `json:"notExercised"`
	NotTested     int `json:"notTested"`
	NotApplicable int `json:"notApplicable"`
	Error         int `json:"error"`
}

// Of is how often the verdict was given.
func (c Counts) Of(v Verdict) int { return *c.slot(v) }

// Tested is how many requirements were tested: the verdict says something of the subject.
func (c Counts) Tested() int { return c.Pass + c.Fail + c.Warn }

// Total is the number of results.
func (c Counts) Total() int {
	total := 0
	for _, v := range verdicts {
		total += c.Of(v)
	}
	return total
}

// String is the counts in words: "84 pass, 3 not applicable".
func (c Counts) String() string {
	var words []string
	for _, v := range verdicts {
		if n := c.Of(v); n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, v))
		}
	}
	if words == nil {
		return "nothing was checked"
	}
	return strings.Join(words, ", ")
}

func (c *Counts) add(v Verdict) { *c.slot(v)++ }

// worst is the verdict that a row of results is marked by.
func (c Counts) worst() Verdict {
	i := slices.IndexFunc(worstFirst, func(v Verdict) bool { return c.Of(v) > 0 })
	if i < 0 || worstFirst[i].aside() && c.Pass > 0 {
		return Pass
	}
	return worstFirst[i]
}

// slot is where a verdict is counted; a verdict that does not exist is an error of the harness.
func (c *Counts) slot(v Verdict) *int {
	switch v {
	case Pass:
		return &c.Pass
	case Fail:
		return &c.Fail
	case Warn:
		return &c.Warn
	case Blocked:
		return &c.Blocked
	case NotExercised:
		return &c.NotExercised
	case NotTested:
		return &c.NotTested
	case NotApplicable:
		return &c.NotApplicable
	}
	return &c.Error
}

// share is the counts of one part of the results, such as those about the client.
type share struct {
	Name   string
	Counts Counts
}

// shares divides results by a property; the known names come first, in their order.
func shares(results []Result, by func(Result) string, known ...string) []share {
	var found []share
	for _, name := range known {
		found = append(found, share{Name: name})
	}
	for _, r := range results {
		name := by(r)
		i := slices.IndexFunc(found, func(s share) bool { return s.Name == name })
		if i < 0 {
			i = len(found)
			found = append(found, share{Name: name})
		}
		found[i].Counts.add(r.Verdict)
	}
	return slices.DeleteFunc(found, func(s share) bool { return s.Counts.Total() == 0 })
}

func bySubject(results []Result) []share {
	return shares(results, func(r Result) string { return r.Subject }, "server", "client")
}

func byLevel(results []Result) []share {
	return shares(results, func(r Result) string { return r.Level }, "must", "should", "may")
}
