package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// targetsOnly are the flags that mean nothing without --targets.
var targetsOnly = []string{"concurrency", "shard"}

// addTargets adds the flags of a run on many targets.
func (f *runFlags) addTargets(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.targets, "targets", "", "YAML file with a list of targets, certified side by side: see docs/targets.md")
	flags.IntVar(&f.concurrency, "concurrency", 32, "with --targets: so many at once")
	flags.StringVar(&f.shard, "shard", "", "with --targets: run shard I of N, as in 2/4")
	if err := cmd.MarkFlagFilename("targets", "yaml", "yml"); err != nil {
		panic(err) // the flag is defined above
	}
	for _, name := range targetsOnly {
		complete(cmd, name, func() []string { return nil })
	}
}

// consistentTargets refuses what --targets makes no sense of.
func (f *runFlags) consistentTargets(cmd *cobra.Command) error {
	if f.targets == "" {
		for _, name := range targetsOnly {
			if cmd.Flags().Changed(name) {
				return usage("--%s is for many targets: add --targets FILE", name)
			}
		}
		return nil
	}
	for _, name := range []string{"cassette", "application", "target", "sip", "domain", "autodiscover", "name"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed {
			return usage("--targets excludes --%s: what is certified, and its name, stands in the list", name)
		}
	}
	if f.concurrency < 1 || f.concurrency > maxTargets {
		return usage("--concurrency %d: expected 1 to %d", f.concurrency, maxTargets)
	}
	if !slices.Contains(reports.MatrixFormats(), f.format) {
		return usage("--format %s is about one report: with --targets there are %s; --out DIR keeps a folder for each target, with its report.json for conform report convert",
			f.format, strings.Join(reports.MatrixFormats(), ", "))
	}
	return nil
}

// shardOf returns each nth entry from the ith on, for I/N. None is a mistake: a machine
// that checks nothing must not be green.
func shardOf(entries []*entry, shard string) ([]*entry, error) {
	if shard == "" {
		return entries, nil
	}
	first, all, ok := strings.Cut(shard, "/")
	i, err := strconv.Atoi(first)
	n, err2 := strconv.Atoi(all)
	if !ok || err != nil || err2 != nil || i < 1 || n < 1 || i > n {
		return nil, usage("--shard %s: expected I/N with I from 1 to N, such as 2/5", shard)
	}
	if i > len(entries) {
		return nil, usage("--shard %s is empty: there are only %d targets, so use at most as many shards", shard, len(entries))
	}
	var mine []*entry
	for at := i - 1; at < len(entries); at += n {
		mine = append(mine, entries[at])
	}
	return mine, nil
}

// runTargets certifies all targets of a list: it gathers them side by side and judges them
// in one run. What one of them does or fails to do is in its own report, and nowhere else.
func (f *runFlags) runTargets(cmd *cobra.Command) error {
	ctx := cmd.Context()
	if _, err := selected(f.tasks, f.selection); err != nil {
		return err
	}
	entries, err := f.entries(cmd)
	if err != nil {
		wrong, others := mistakes{}, *f
		others.out = "" // no folder is made
		wrong.add(err)
		wrong.add(others.prepare(ctx, cmd, entries))
		return wrong.err()
	}
	if entries, err = shardOf(entries, f.shard); err != nil {
		return err
	}
	if err := f.known.read(cmd); err != nil {
		return err
	}
	if err := f.prepare(ctx, cmd, entries); err != nil {
		return err
	}
	evidence := f.gatherAll(cmd, entries)
	list, err := suite.Judge(suite.Options{Selection: f.selection, Strict: f.strict, Tool: tool()}, evidence...)
	if err != nil {
		return exit{exitFailed, err}
	}
	for i, e := range entries {
		list[i].Name = e.name
		complement(list[i])
	}
	f.known.hold(list, func(i int) []string { return entries[i].live.names() })
	return f.writeTargets(cmd, entries, list, evidence)
}

// prepare makes ready all targets, before any is asked anything: a mistake in one of them is a
// mistake in the list, and better known now. Nobody is asked for a secret.
func (f *runFlags) prepare(ctx context.Context, cmd *cobra.Command, entries []*entry) error {
	var wrong mistakes
	for _, e := range entries {
		err := e.ready(ctx, terminal{said: cmd.ErrOrStderr()})
		if err == nil {
			e.target.Tasks = f.tasks
			_, err = selected(e.tasks(), f.selection)
		}
		if err == nil && f.out != "" {
			if err = writable(e.folder(f.out)); err != nil {
				err = exit{exitFailed, err}
			}
		}
		if err == nil && e.live.connection.insecure {
			fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s: %s\n", e.name, insecureNote)
		}
		if own := (exit{}); errors.As(err, &own) && own.code == exitInterrupted {
			return e.told(err)
		}
		wrong.add(e.told(err))
	}
	return wrong.err()
}

// tasks are those that the target is judged by.
func (e *entry) tasks() []string {
	if len(e.target.Tasks) == 0 && e.target.SignIn == nil {
		return suite.Tasks()[1:] // an application is there
	}
	return e.target.Tasks
}

// gatherAll gathers evidence from all targets, so many at once.
func (f *runFlags) gatherAll(cmd *cobra.Command, entries []*entry) []*suite.Evidence {
	evidence := make([]*suite.Evidence, len(entries))
	shown := showProgress(cmd.ErrOrStderr(), f.quiet, len(entries))
	defer shown.stop()
	turns := suite.NewTurns()
	slots := make(chan struct{}, f.concurrency)
	var wait sync.WaitGroup
	for i, e := range entries {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			work := shown.begin(e.name)
			e.target.Turns = turns
			evidence[i] = e.live.gather(cmd.Context(), e.target, work)
			work.end(cmp.Or(evidence[i].Unfinished(), fmt.Sprintf("gathered %d exchanges", len(evidence[i].Exchanges))))
		})
	}
	wait.Wait()
	return evidence
}
