package reports

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
)

// next is what to do now: the one command that brings the reader on. The directory is
// where the evidence is kept, "" if that is not known.
func next(r *Report, dir string) string {
	if list := r.stale(); len(list) > 0 && r.Outcome != Nonconformant {
		return "update the baseline, which is out of date on " + argument(list[0].Requirement) + ": until then no run with it passes"
	}
	switch r.Outcome {
	case Excused:
		for _, result := range r.knownFailures() {
			return "fix what is known, and remove it from the baseline: conform explain " + argument(result.Requirement)
		}
	case Nonconformant:
		for _, result := range r.Results {
			if result.binding(r.Strict) && result.broken() && !result.excused() {
				return "conform explain " + argument(result.Requirement)
			}
		}
	case Conformant:
		if r.Subject == "client" && r.Evidence.Kind == "reference" {
			return "conform client --chaos random -- COMMAND shows how a client takes what correct servers differ in"
		}
		switch r.Evidence.Kind {
		case "live":
			if dir == "" {
				return "the evidence, which --out DIR keeps, can be judged again at any time: conform run --cassette DIR/evidence.yaml"
			}
			path := filepath.ToSlash(filepath.Join(dir, "evidence.yaml"))
			if strings.Trim(path, plainLetters+"/") != "" || path[0] == '-' {
				path = "DIR/evidence.yaml"
			}
			return "the evidence can be judged again at any time: conform run --cassette " + path
		case "capture":
			if r.Counts.NotExercised == 0 {
				return "conform run --sip ADDRESS asks the server itself, as it is today"
			}
			return "conform run --sip ADDRESS, which also does the steps that the capture does not contain"
		}
		return "conform run --sip ADDRESS to certify your own server"
	}
	return missing(r)
}

// missing says what an incomplete run lacks.
func missing(r *Report) string {
	if list := r.stopped(); len(list) > 0 {
		return "run conform doctor to see where the way to the server ends; " + count(len(list), "requirement") + " could not be tested: " + r.Cause
	}
	for _, v := range []Verdict{Error, Blocked, NotExercised} {
		var first Result
		n := 0
		for _, result := range r.Results {
			if result.Verdict == v && result.binding(r.Strict) {
				if n == 0 {
					first = result
				}
				n++
			}
		}
		if n == 0 {
			continue
		}
		kind := "must"
		if r.Strict {
			kind = "must or should"
		}
		state := map[Verdict]string{Error: "with an error", Blocked: "blocked by an earlier failure", NotExercised: "not exercised"}[v]
		what := fmt.Sprintf("%d of the requirements (%s) %s, the first %s", n, kind, state, first.Requirement)
		if first.Reason != "" {
			what += " (" + shorten(first.Reason, 120) + ")"
		}
		switch v {
		case Error:
			if r.Evidence.Kind == "live" {
				what += "; run conform doctor to see where the connection fails"
			}
			return what
		case Blocked:
			return what + ": conform explain " + argument(cmp.Or(first.root(), first.Requirement))
		}
		switch {
		case r.Evidence.Kind == "live":
			return what + "; if the notes say that the run ended early, run again, or run conform doctor"
		case r.Subject == "client":
			return what + ": have the client do it, and grade it by conform client -- COMMAND"
		}
		return what + ": conform run --sip ADDRESS makes evidence that has it"
	}
	if r.CutShort {
		return "run again: this run ended before all was asked"
	}
	return "conform list shows what can be checked"
}

const plainLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

// argument is an id that may be pasted into a shell; ids of a report that was read
// from a file could be anything.
func argument(id string) string {
	odd := func(r rune) bool {
		return !strings.ContainsRune(plainLetters, r)
	}
	if id == "" || id[0] == '-' || strings.IndexFunc(id, odd) >= 0 {
		return "ID"
	}
	return id
}
