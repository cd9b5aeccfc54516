package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// report judges the clients of a host that was closed, and writes a report for each. What
// failed besides, if anything, keeps all from being well: a client may be conformant that
// broke down.
func (f *serverFlags) report(cmd *cobra.Command, h *host, failed error) error {
	stderr := cmd.ErrOrStderr()
	if f.quiet {
		stderr = io.Discard
	}
	clients := h.journal.list()
	for who, n := range h.journal.strangers() {
		fmt.Fprintf(stderr, "not graded: %s at %s, which never asked for a token (%s)\n", reports.Legible(product(who.agent)), who.address, number(n, "exchanges"))
	}
	if h.journal.refused > 0 {
		fmt.Fprintf(stderr, "not graded: %d clients more than the %d that are kept\n", h.journal.refused, h.config.limits.clients)
	}
	if len(clients) == 0 {
		return exit{exitIncomplete, errors.Join(errNobody, failed)}
	}
	var evidence []*suite.Evidence
	for _, c := range clients {
		e, err := h.evidence(h.journal.state(c))
		if err != nil {
			return exit{exitFailed, fmt.Errorf("%s: %w", c.label(), err)}
		}
		sum(e)
		evidence = append(evidence, e)
	}
	list, err := f.judge(evidence...)
	if err != nil {
		return err
	}
	if failed != nil {
		for _, r := range list {
			r.Notes = append(r.Notes, failed.Error())
		}
	}
	f.known.hold(list, func(i int) []string { return []string{clients[i].User, clients[i].ID, clients[i].label()} })
	f.accept(list)
	stdout, brief := cmd.OutOrStdout(), f.brief && f.format == "text" && !f.verbose
	if brief {
		cmd.SetOut(io.Discard)
	}
	problem := f.writeAll(cmd, clients, list, evidence)
	cmd.SetOut(stdout)
	if f.format == "text" && (brief || len(list) > 1) {
		if err := summarize(stdout, clients, list); problem == nil {
			problem = err
		}
	}
	if brief && f.out == "" {
		fmt.Fprintln(stderr, "--verbose shows each report, --out DIR keeps them")
	}
	var of exit
	switch unwell := errors.As(f.worst(context.Background(), list, nil), &of); { // Ctrl-C is how a server ends
	case problem != nil:
		return exit{exitFailed, problem}
	case unwell && (of.code != exitUsage || failed == nil):
		return exit{of.code, errors.Join(of.error, failed)}
	case failed != nil:
		return exit{exitFailed, failed}
	}
	return nil
}

// writeAll writes every report that can be written, and returns what went wrong.
func (f *serverFlags) writeAll(cmd *cobra.Command, clients []*client, list []*reports.Report, evidence []*suite.Evidence) error {
	var problems error
	for i, r := range list {
		one := runFlags{format: f.format, verbose: f.verbose, quiet: f.quiet || len(list) > 1, noColor: f.noColor}
		if f.out != "" {
			one.out = filepath.Join(f.out, folder(clients[i]))
		}
		if f.format == "text" && len(list) > 1 {
			fmt.Fprintf(cmd.OutOrStdout(), "client %d of %d\n", i+1, len(list))
		}
		if err := one.write(cmd, r, evidence[i]); err != nil {
			problems = errors.Join(problems, fmt.Errorf("%s: %w", clients[i].label(), err))
		}
		if f.format == "text" && len(list) > 1 {
			fmt.Fprintln(cmd.OutOrStdout())
		}
	}
	if f.out != "" && !f.quiet && len(list) > 1 {
		fmt.Fprintf(cmd.ErrOrStderr(), "written: %d directories in %s\n", len(list), f.out)
	}
	return problems
}

// folder is the name of a client's directory.
func folder(c *client) string {
	unsafe := regexp.MustCompile(`[^A-Za-z0-9-]+`)
	name, _, _ := strings.Cut(strings.TrimPrefix(c.User, "sip:"), "@")
	parts := []string{fmt.Sprintf("%03d", c.Number), cut(unsafe.ReplaceAllString(name, ""), 40)}
	if c.ID != "" {
		parts = append(parts, cut(unsafe.ReplaceAllString(c.ID, ""), 40))
	}
	return strings.Trim(strings.ReplaceAll(strings.Join(parts, "-"), "…", ""), "-")
}

// summarize writes a line a client, and another of what it failed first.
func summarize(w io.Writer, clients []*client, list []*reports.Report) error {
	const most = 3
	var b bytes.Buffer
	fmt.Fprintln(&b, number(len(list), "clients"))
	for i, r := range list {
		fmt.Fprintf(&b, "  %3d  %-28s  %-13s  %s\n", clients[i].Number, reports.Legible(cut(clients[i].label(), 28)), r.Outcome, r.Counts)
		var failed []string
		for _, result := range r.Results {
			if result.Verdict == reports.Fail {
				failed = append(failed, result.Requirement)
			}
		}
		if more := len(failed) - most; more > 0 {
			failed = append(failed[:most], fmt.Sprintf("and %d more", more))
		}
		if len(failed) > 0 {
			fmt.Fprintf(&b, "       ✗ %s\n", strings.Join(failed, ", "))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
