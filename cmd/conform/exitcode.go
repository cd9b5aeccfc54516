package main

import (
	"cmp"
	"errors"
	"slices"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// codeOf is the exit code of what was judged: failed says that nothing could be, stale is the error of a baseline that is out of date.
func codeOf(o reports.Outcome, failed bool, stale error) error {
	if failed {
		return exit{code: exitFailed}
	}
	return cmp.Or(outcomeCode(o), stale)
}

// outcomeCode is the exit code of an outcome that was drawn before.
func outcomeCode(o reports.Outcome) error {
	switch o {
	case reports.Conformant, reports.Excused:
		return nil
	case reports.Nonconformant:
		return exit{code: exitNonconformant}
	}
	return exit{code: exitIncomplete}
}

// matrixCode is the exit code of a matrix: that of the worst target, as one run on them all would have it. A target that is missing
// makes it incomplete; that a file could not be read is a failure.
func matrixCode(m *reports.Matrix) error {
	var worst error
	if len(m.Missing) > 0 {
		worst = exit{code: exitIncomplete}
	}
	if len(m.Unread) > 0 {
		worst = exit{code: exitFailed}
	}
	for _, c := range m.Targets {
		var stale error
		if c.Stale {
			stale = usage("the baseline of %s is out of date", c.Target)
		}
		worst = worse(worst, codeOf(c.Outcome, c.Failed(), stale))
	}
	return worst
}

// staleCode is the exit code of a run that would be conformant, but whose baseline is
// out of date: that is for the user to correct, like any other mistake in a configuration.
func staleCode(r *reports.Report) error {
	if r.Baseline == nil || len(r.Baseline.Stale) == 0 {
		return nil
	}
	return exit{exitUsage, errors.New("the baseline is out of date, see above: correct " + r.Baseline.File)}
}

// severity orders the exit codes of targets, the worst first: that a must is broken was seen
// and stays true, whatever became of the others; then what could not be reached, what
// is incomplete, and a baseline that is out of date.
var severity = []int{exitInterrupted, exitNonconformant, exitFailed, exitIncomplete, exitUsage}

// worse returns the worse of two results of targets; nil is the best.
func worse(a, b error) error {
	if rankOf(b) < rankOf(a) {
		return b
	}
	return a
}

// rankOf is lowest for the worst result.
func rankOf(err error) int {
	if e := (exit{}); errors.As(err, &e) {
		return slices.Index(severity, e.code)
	}
	return len(severity)
}
