package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports/atomicfile"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
)

// proveFlags are the flags of `conform prove`.
type proveFlags struct {
	options      prove.Options
	applications string
	live         liveFlags
	otherUsers   []string
	format       string
	out          string
	quiet        bool
}

func newProve() *cobra.Command {
	var f proveFlags
	cmd := &cobra.Command{
		Use:   "prove [NAME...]",
		Short: "Prove the suite: every requirement fails for its own fault, and correct servers pass",
		Long: `prove tries the suite itself. Each fault of a catalogue is put on the answers of the
reference server, or on the requests of a client. The requirement that it breaks must
detect it, at the right field, and no other requirement may fail unless the fault names it.
Every small change of the reference recording must be detected, or be in a reviewed
list. The variations of correct servers, alone and together, must fail nothing.

A NAME selects the faults, changes and variations whose names contain it, or, if it ends
in a dot, begin with it. docs/proof.md is the published result of all.

With --applications the faults of servers are put on the answers of your own server, by
a proxy on this machine. Each fault makes an application of the user whose token it is
given, changes the presence and the note, and deletes the application; at the end the
user has those of before. A server that gathers events for seconds makes this slow: give a
NAME. Faults of a requirement that the server fails without any fault are not tried; the
report lists them, and the exit code is 3.

` + precedence,
		Example: `  conform prove
  conform prove makeMeAvailable cookie
  conform prove --out proof/ --runs 3
  CONFORM_TOKEN=cwt=... conform prove --applications https://pool.example/ucwa/oauth/v1/applications presence
  conform prove --format json | jq '.trials[] | select(.problem)'`,
		RunE: func(cmd *cobra.Command, names []string) error {
			f.options.Names = names
			return f.prove(cmd)
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&f.options.Seed, "seed", 0, "of the random combinations of variations")
	flags.IntVar(&f.options.Combinations, "combinations", 200, "number of random combinations of variations")
	flags.IntVar(&f.options.Runs, "runs", 1, "how often each fault is tried; what comes out differently is unstable")
	flags.StringVar(&f.applications, "applications", "", "try the faults on the live server with this applications resource (URL, or a path with --target)")
	f.live.addServer(cmd, "--applications")
	flags.StringArrayVar(&f.otherUsers, "other-token-file", nil, "file with the token of another user, to try faults side by side; can be repeated")
	flags.StringVar(&f.format, "format", "text", "of standard output: "+strings.Join(prove.Formats(), ", "))
	flags.StringVar(&f.out, "out", "", "also write proof.json, proof.html and proof.md into this directory")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write no progress and no notes to standard error")
	complete(cmd, "format", prove.Formats)
	outDirectory(cmd)
	configurable(cmd)
	return cmd
}

func (f *proveFlags) prove(cmd *cobra.Command) error {
	o := f.options
	switch {
	case !slices.Contains(prove.Formats(), f.format):
		return usage("unknown format %q%s; the formats are: %s", f.format, suite.Nearest(f.format, prove.Formats()), strings.Join(prove.Formats(), ", "))
	case o.Combinations < 0 || o.Combinations > 100_000:
		return usage("--combinations %d: expected 0 to 100000", o.Combinations)
	case o.Runs < 1 || o.Runs > 1000:
		return usage("--runs %d: expected 1 to 1000", o.Runs)
	case cmd.Flags().Changed("out") && f.out == "":
		return usage("--out is empty: give it a value, or leave it out")
	}
	if o.Combinations == 0 {
		o.Combinations = -1
	}
	if err := f.target(cmd, &o); err != nil {
		return err
	}
	if f.out != "" {
		if err := writable(f.out, proofFiles...); err != nil {
			return exit{exitFailed, err}
		}
	}
	shown := showProgress(cmd.ErrOrStderr(), f.quiet, 0)
	trying := shown.begin("")
	o.Progress = func(done, all int) { trying.count(done, all, "tried") }
	p, err := prove.Run(cmd.Context(), o)
	shown.stop()
	switch {
	case errors.Is(err, context.Canceled) && p != nil:
		if err := f.write(cmd, p); err != nil {
			return exit{exitFailed, err}
		}
		text := fmt.Sprintf("interrupted after %d of %d trials", p.Tried(), len(p.Trials))
		if err.Error() != context.Canceled.Error() { // what the user had could not be given back
			text += ": " + err.Error()
		}
		return exit{exitInterrupted, errors.New(text)}
	case errors.Is(err, context.Canceled):
		return exit{exitInterrupted, errors.New("interrupted before anything was tried")}
	case err != nil && p == nil && len(o.Names) > 0 && strings.HasPrefix(err.Error(), "nothing is tried"):
		return usage("%w; docs/proof.md lists them", err)
	case err != nil:
		return exit{exitFailed, err}
	}
	if err := f.write(cmd, p); err != nil {
		return exit{exitFailed, err}
	}
	switch {
	case len(p.Problems()) > 0 || len(o.Names) == 0 && o.Live == nil && len(p.Unproved()) > 0:
		return exit{code: exitNonconformant}
	case p.Tried() == 0 || len(p.Unsound) > 0:
		return exit{code: exitIncomplete}
	}
	return nil
}

// proveLive are the flags that mean something on a live server only.
var proveLive = append([]string{"target", "token-file", "other-token-file", "event-wait"}, connectionOnly...)

// target reads the flags of a live server, if one is given.
func (f *proveFlags) target(cmd *cobra.Command, o *prove.Options) error {
	if f.applications == "" {
		for _, name := range append([]string{"applications"}, proveLive...) {
			if cmd.Flags().Changed(name) {
				return usage("--%s is for a live server: add --applications URL", name)
			}
		}
		return nil
	}
	for _, name := range []string{"seed", "combinations", "runs"} {
		if cmd.Flags().Changed(name) {
			return usage("--%s is not for a live server, on which each fault is tried once", name)
		}
	}
	f.live.timeout = time.Hour // of no account here
	applications, err := f.live.absolute("--applications", f.applications)
	if err != nil {
		return err
	}
	if err := f.live.limits(); err != nil {
		return err
	}
	transport, err := f.live.connection.transport()
	if err != nil {
		return err
	}
	token, err := f.live.token(cmd.Context(), terminalOf(cmd), applications)
	if err != nil {
		return err
	}
	for _, note := range f.live.connection.notes(applications) {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning: "+note)
	}
	others, err := f.otherTokens(cmd)
	if err != nil {
		return err
	}
	o.Live = &prove.Live{Applications: applications, Token: token, Others: others, Transport: transport, EventWait: f.live.eventWait,
		RequestTimeout: f.live.connection.perRequest, Limiter: f.live.connection.limiter()}
	return nil
}

// otherTokens reads the tokens of the other users.
func (f *proveFlags) otherTokens(cmd *cobra.Command) ([]string, error) {
	var tokens []string
	for _, file := range f.otherUsers {
		token, err := secret{what: "token", flag: "--other-token-file", file: file, variable: "CONFORM_TOKEN"}.fromFile(terminalOf(cmd).said)
		if err == nil {
			token, err = cleanToken(file, token)
		}
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

var proofFiles = []string{"proof.json", "proof.html", "proof.md"}

// write writes the proof to standard output, and the files if they are asked for.
func (f *proveFlags) write(cmd *cobra.Command, p *prove.Proof) error {
	files := map[string]string{"json": "proof.json", "html": "proof.html", "markdown": "proof.md"}
	var written []string
	for _, format := range prove.Formats() {
		if format != f.format && (f.out == "" || files[format] == "") {
			continue
		}
		var b bytes.Buffer // so that it is written whole or not at all
		if err := prove.Write(&b, p, format); err != nil {
			return err
		}
		if format == f.format {
			if _, err := cmd.OutOrStdout().Write(b.Bytes()); err != nil {
				return fmt.Errorf("writing the proof to standard output: %w", err)
			}
		}
		if f.out != "" && files[format] != "" {
			name := filepath.Join(f.out, files[format])
			if err := atomicfile.Write(name, 0o644, b.Bytes()); err != nil {
				return err
			}
			written = append(written, name)
		}
	}
	if !f.quiet && len(written) > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "written: "+strings.Join(written, ", "))
	}
	return nil
}
