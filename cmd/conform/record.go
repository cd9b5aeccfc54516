package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cmd/conform/internal/network"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// recordFlags are the flags of `conform record`.
type recordFlags struct {
	tasks []string
	live  liveFlags
	out   string
	quiet bool
}

func newRecord() *cobra.Command {
	var f recordFlags
	cmd := &cobra.Command{
		Use:   "record",
		Short: "Record a live server, to be judged at any time",
		Long: `record does the steps of a documented task on a live server, as run does, and keeps
the recording, without the secrets, in one file: a cassette, which run judges, today or
next year. It judges nothing itself.

A recording that is there is replaced by a whole one only, and all at once: one that
failed, was cut short or shows nothing but a refusal leaves it as it is.

Exit codes: 0 recorded, 2 usage, 3 the recording is cut short or shows nothing of the
task, 4 nothing was answered or the file could not be written, 130 interrupted.

` + precedence,
		Example: `  conform record --sip sip:dana@contoso.com --out pool.yaml
  CONFORM_TOKEN=cwt=... conform record --application https://pool.example/ucwa/oauth/v1/applications/101 --out pool.yaml
  conform record --config pool.yaml --out recordings/pool-2026-01.yaml
  conform run --cassette pool.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.record(cmd) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.tasks, "task", nil, "only these documented tasks: "+strings.Join(suite.Tasks(), ", "))
	complete(cmd, "task", suite.Tasks)
	f.live.add(cmd)
	flags.StringVar(&f.out, "out", "", "the file to record into")
	if err := cmd.MarkFlagFilename("out", "yaml", "yml"); err != nil {
		panic(err) // the flag is defined above
	}
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write no progress and no notes to standard error")
	configurable(cmd)
	return cmd
}

func (f *recordFlags) record(cmd *cobra.Command) error {
	switch {
	case f.out == "":
		return usage("nowhere to record: add --out FILE")
	case !f.live.given():
		return usage("nothing to record: add --sip ADDRESS, or --application URL")
	}
	if err := f.live.consistent(cmd); err != nil {
		return err
	}
	if _, err := selected(f.tasks, suite.Selection{}); err != nil {
		return err
	}
	if info, err := os.Stat(f.out); err == nil && info.IsDir() {
		return usage("--out %s is a directory: give the file to record into, such as %s", f.out, filepath.Join(f.out, "recording.yaml"))
	}
	if info, err := os.Stat(f.out); err == nil && !info.Mode().IsRegular() {
		return usage("--out %s is no ordinary file, and the recording would take its place: give another name", f.out)
	}
	if err := writable(filepath.Dir(f.out)); err != nil { // before the server is asked anything
		return exit{exitFailed, err}
	}
	evidence, err := f.live.drive(cmd, f.tasks, f.quiet)
	if err != nil {
		return err
	}
	said, kept := f.keep(cmd.Context(), evidence) // before anything is written, which may end this process: nobody may read it
	if _, err := io.WriteString(cmd.OutOrStdout(), summary(evidence)+said); err != nil {
		return cmp.Or(kept, error(exit{exitFailed, fmt.Errorf("writing to standard output: %w", err)}))
	}
	return kept
}

// keep saves the recording, unless it is worth less than the one that is there, and says where.
func (f *recordFlags) keep(ctx context.Context, e *suite.Evidence) (said string, err error) {
	if why := inferior(ctx, e, f.out); why != "" {
		return "", exit{incompleteCode(ctx, e), fmt.Errorf("%s is kept as it was: %s", f.out, why)}
	}
	switch err := e.Recording.Save(f.out); {
	case errors.Is(err, cassettes.ErrFailed):
		return "", exit{incompleteCode(ctx, e), err}
	case errors.Is(err, cassettes.ErrEmpty) && ctx.Err() == nil:
		if advice := network.Advice(failures(e)...); advice != "" {
			err = fmt.Errorf("%w; %s", err, advice)
		}
		return "", exit{exitFailed, err}
	case err != nil:
		return "", exit{incompleteOr(ctx, exitFailed), err}
	}
	if short := shortcoming(ctx, e); short != "" {
		return "", exit{incompleteCode(ctx, e), fmt.Errorf("the recording is not whole, and %s shows only what came before the end: %s", f.out, short)}
	}
	return fmt.Sprintf("recorded: %s, sha256 %.12s\nnext: conform run --cassette %s\n", reports.Legible(f.out), e.SHA256, reports.Legible(f.out)), nil
}

// inferior says why what was gathered must not take the place of the recording at
// path, "" if it may: it is not whole, and a recording is there.
func inferior(ctx context.Context, e *suite.Evidence, path string) string {
	why := shortcoming(ctx, e)
	if why == "" {
		return ""
	}
	if _, err := cassettes.Open(path); err != nil {
		return ""
	}
	return why
}

func incompleteOr(ctx context.Context, code int) int {
	if ctx.Err() != nil {
		return exitInterrupted
	}
	return code
}

func incompleteCode(ctx context.Context, e *suite.Evidence) int {
	for _, x := range e.Exchanges {
		if x.Failure == "" {
			return incompleteOr(ctx, exitIncomplete)
		}
	}
	return incompleteOr(ctx, exitFailed)
}

// shortcoming says why a recording is not whole, "" if it is.
func shortcoming(ctx context.Context, e *suite.Evidence) string {
	if e.CutShort() && ctx.Err() != nil {
		return "the run was interrupted before all was asked"
	}
	if why := e.Unfinished(); why != "" {
		if advice := network.Advice(failures(e)...); advice != "" {
			why += "; " + advice
		}
		return why
	}
	return ""
}

func failures(e *suite.Evidence) []string {
	var list []string
	for _, x := range e.Exchanges {
		list = append(list, telling(x.Part, x.Failure))
	}
	return list
}

// summary lists the exchanges, a line each.
func summary(e *suite.Evidence) string {
	var b strings.Builder
	for _, x := range e.Exchanges {
		what := cmp.Or(x.Part, "-")
		if x.Probe != "" {
			what = "(" + x.Probe + ")"
		}
		address, answer := x.Request.URL, fmt.Sprint(x.Response.Code)
		if u, err := url.Parse(address); err == nil {
			address = u.Path
		}
		if x.Failure != "" {
			answer = "error: " + x.Failure
		}
		fmt.Fprintf(&b, "%4d  %-24s %s %s → %s\n", x.ID, what, x.Request.Method, reports.Legible(address), reports.Legible(answer))
	}
	fmt.Fprintf(&b, "\n%s with %s", number(len(e.Exchanges), "exchanges"), reports.Legible(e.Source))
	if e.Server != "" {
		b.WriteString(", server " + reports.Legible(e.Server))
	}
	b.WriteByte('\n')
	for _, note := range e.Notes {
		b.WriteString("note: " + reports.Legible(note) + "\n")
	}
	return b.String()
}
