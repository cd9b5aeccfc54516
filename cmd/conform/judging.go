package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// judging is how a command judges evidence, and what its exit code is: the flags that all such commands have.
type judging struct {
	tasks           []string
	selection       suite.Selection
	skip            []string
	strict          bool
	allowIncomplete bool
	known           knownFlags
}

func (j *judging) judgingFlags(cmd *cobra.Command) {
	selectionFlags(cmd, &j.tasks, &j.selection)
	j.known.add(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&j.skip, "skip", nil, "ID=REASON: do not judge this requirement; a trailing dot is a prefix; can be repeated")
	flags.BoolVar(&j.strict, "strict", false, "treat failed SHOULD requirements as failures")
	flags.BoolVar(&j.allowIncomplete, "allow-incomplete", false, "end with 0 where the run is incomplete for want of evidence, and nothing failed")
	complete(cmd, "skip", requirementIDs)
}

// judge judges evidence, and returns a report for each. Of a live server the client is our own driver, which is judged only where that is asked for.
func (j *judging) judge(evidence ...*suite.Evidence) ([]*reports.Report, error) {
	skips, err := j.skips()
	if err != nil {
		return nil, err
	}
	selection := j.selection
	if !slices.ContainsFunc(evidence, func(e *suite.Evidence) bool { return !e.Driven || e.Kind == "reference" }) {
		selection = j.ofServer()
	}
	list, err := suite.Judge(suite.Options{Selection: selection, Skip: skips, Strict: j.strict, Tool: tool()}, evidence...)
	if err != nil {
		return nil, exit{exitFailed, err}
	}
	return list, nil
}

// accept notes in reports that are incomplete that this was accepted.
func (j *judging) accept(list []*reports.Report) {
	for _, r := range list {
		if j.allowIncomplete && r.Tolerable() {
			r.Notes = append(r.Notes, "incomplete, and accepted by --allow-incomplete: nothing that was exercised failed")
		}
	}
}

// ofServer is the selection where conform's own driver was the client: requirements on the server, unless others are asked for.
func (j *judging) ofServer() suite.Selection {
	server := j.selection
	server.Subjects = []string{"server"}
	if len(j.selection.Subjects) > 0 {
		return j.selection
	}
	if _, err := selected(nil, server); err != nil { // those that are named are all on the client
		return j.selection
	}
	return server
}

// chosen returns the requirements that the flags choose, those to be skipped among them. Its error is about the flags.
func (j *judging) chosen() ([]suite.Requirement, error) {
	if _, err := j.skips(); err != nil {
		return nil, err
	}
	return selected(j.tasks, j.selection)
}

func (j *judging) skips() ([]suite.Skip, error) {
	var list []suite.Skip
	for _, value := range j.skip {
		id, reason, _ := strings.Cut(value, "=")
		if id, reason = strings.TrimSpace(id), strings.TrimSpace(reason); id == "" || reason == "" {
			return nil, usage("--skip %q: expected ID=REASON, as in --skip set-presence.event.sender='ticket 4711'", value)
		}
		if _, err := selected(nil, suite.Selection{Requirements: []string{id}}); err != nil {
			return nil, usage("--skip: %w", err)
		}
		list = append(list, suite.Skip{Requirement: id, Reason: reason})
	}
	return list, nil
}

// code turns the outcome of a report into the exit code.
func (j *judging) code(ctx context.Context, r *reports.Report) error {
	if ctx.Err() != nil {
		return exit{code: exitInterrupted}
	}
	outcome := r.Outcome
	if j.allowIncomplete && r.Tolerable() {
		outcome = reports.Conformant
	}
	return codeOf(outcome, r.Failed(), staleCode(r))
}

// worst is the exit code of several reports; none is the error of a file that holds nothing to judge, if there is one.
func (j *judging) worst(ctx context.Context, list []*reports.Report, none error) error {
	var most error
	if none != nil {
		most = exit{code: exitIncomplete}
	}
	for _, r := range list {
		most = worse(most, j.code(ctx, r))
	}
	return most
}
