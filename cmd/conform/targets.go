package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// targetsOnly are the flags that mean nothing without --targets.
var targetsOnly = append([]string{"concurrency", "passwords", "keep"}, shardOnly...)

// addTargets adds the flags of a run on many targets.
func (f *runFlags) addTargets(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.targets, "targets", "", "certify the targets of a YAML file, or of a folder of them (docs/targets.md)")
	flags.IntVar(&f.concurrency, "concurrency", 32, "with --targets: so many at once")
	flags.StringVar(&f.passwords, "passwords", "", "with --targets: folder that has the password of each target in a file of the target's name")
	flags.StringVar(&f.keeps, "keep", keepAll, "with --targets and --out: of which targets files are written, all or failed; the matrix has all")
	f.shards.add(cmd)
	if err := cmd.MarkFlagFilename("targets", "yaml", "yml"); err != nil {
		panic(err) // the flag is defined above
	}
	for _, name := range targetsOnly {
		complete(cmd, name, func() []string { return map[string][]string{"keep": {keepAll, keepFailed}}[name] })
	}
}

// Of which targets --out has files.
const keepAll, keepFailed = "all", "failed"

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
			return usage("--targets excludes --%s: targets and their names come from the list", name)
		}
	}
	if f.allowIncomplete {
		return usage("--targets excludes --allow-incomplete: the outcome of a list is that of its worst target; list what is never tested with --skip")
	}
	if f.passwords != "" {
		if info, err := os.Stat(f.passwords); err != nil || !info.IsDir() {
			return usage("--passwords %s: expected a folder, with a file for each target", f.passwords)
		}
	}
	if f.keeps != keepAll && f.keeps != keepFailed {
		return usage("--keep %s: expected %s or %s", f.keeps, keepAll, keepFailed)
	}
	if f.shards.run != "" && (len(f.shards.run) > 100 || strings.ContainsFunc(f.shards.run, func(r rune) bool { return !unicode.IsPrint(r) })) {
		return usage("--run: expected a name of at most 100 characters that can be printed, such as the number of a pipeline")
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

// runTargets certifies all targets of a list: it gathers them side by side and judges them
// in one run. What one of them does or fails to do is in its own report, and nowhere else.
func (f *runFlags) runTargets(cmd *cobra.Command) error {
	ctx := cmd.Context()
	if _, err := f.chosen(); err != nil {
		return err
	}
	began := time.Now()
	mine, all, err := f.shards.parse(cmd)
	if err != nil {
		return err
	}
	if f.out != "" { // whatever becomes of this run, what lies there is not its result
		if err := removeFiles(f.out, slices.Collect(maps.Values(matrixFiles))); err != nil {
			return exit{exitFailed, err}
		}
	}
	entries, listed, err := f.entries(cmd, mine, all)
	if err != nil {
		wrong, others := mistakes{}, *f
		others.out = "" // no folder is made
		wrong.add(err)
		wrong.add(others.prepare(ctx, cmd, entries))
		return wrong.err()
	}
	if err := f.known.read(cmd); err != nil {
		return err
	}
	if err := f.prepare(ctx, cmd, entries); err != nil {
		return err
	}
	evidence := f.gatherAll(cmd, entries)
	list, err := f.judge(evidence...)
	if err != nil {
		return err
	}
	for i, e := range entries {
		list[i].Name = e.name
		complement(list[i])
	}
	f.known.hold(list, func(i int) []string { return entries[i].live.names() })
	listed.Done = []reports.Shard{{Shard: mine, Began: began.UTC(), Ended: time.Now().UTC()}}
	listed.Name, listed.Tool, listed.Asked = f.shards.run, tool(), f.asked()
	return f.writeTargets(cmd, entries, listed, list, evidence)
}

// asked says which requirements are asked for, as flags.
func (f *runFlags) asked() string {
	var words []string
	for _, of := range []struct {
		flag   string
		values []string
	}{{"task", f.tasks}, {"requirement", f.selection.Requirements}, {"level", f.selection.Levels}, {"subject", f.ofServer().Subjects}, {"skip", f.skip}} {
		if len(of.values) > 0 {
			words = append(words, "--"+of.flag+" "+strings.Join(of.values, ","))
		}
	}
	if f.strict {
		words = append(words, "--strict")
	}
	return cmp.Or(strings.Join(words, " "), "all requirements")
}

// removeFiles removes what an earlier run left in a directory under these names, but for directories.
func removeFiles(dir string, names []string) error {
	for _, name := range names {
		path := filepath.Join(dir, name)
		if info, err := os.Lstat(path); err != nil || info.IsDir() {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--out: what an earlier run left: %w", err)
		}
	}
	return nil
}

// prepare makes ready all targets, before any is asked anything: a mistake in one of them is a
// mistake in the list, and better known now. Nobody is asked for a secret.
func (f *runFlags) prepare(ctx context.Context, cmd *cobra.Command, entries []*entry) error {
	var wrong mistakes
	if f.out != "" {
		if err := writable(f.out); err != nil {
			return exit{exitFailed, err}
		}
	}
	warnings := &fewLines{w: cmd.ErrOrStderr()}
	defer warnings.end()
	for _, e := range entries {
		err := e.ready(ctx, terminal{said: warnings})
		if err == nil {
			e.target.Tasks = f.tasks
			_, err = selected(e.tasks(), f.selection)
		}
		if err == nil && f.out != "" && f.keeps == keepAll {
			if err = writable(e.folder(f.out)); err != nil {
				err = exit{exitFailed, err}
			}
		}
		if err == nil && e.live.connection.insecure {
			fmt.Fprintf(warnings, "warning: %s: %s\n", e.name, insecureNote)
		}
		if own := (exit{}); errors.As(err, &own) && own.code == exitInterrupted {
			return e.told(err)
		}
		wrong.add(e.told(err))
	}
	return wrong.err()
}

// fewLines writes the first lines that it is given, and how many more there were: of 250 targets each may have one.
type fewLines struct {
	w   io.Writer
	all int
}

func (f *fewLines) Write(line []byte) (int, error) {
	if f.all++; f.all > shownTargets {
		return len(line), nil
	}
	return f.w.Write(line)
}

func (f *fewLines) end() {
	if n := f.all - shownTargets; n > 0 {
		fmt.Fprintf(f.w, "and %s\n", number(n, "more warnings"))
	}
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
	pace := keepPace()
	defer pace.stop()
	turns := suite.NewTurns()
	slots := make(chan struct{}, f.concurrency)
	var wait sync.WaitGroup
	for i, e := range entries {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			work := shown.begin(e.name)
			e.target.Turns = turns
			evidence[i] = e.live.gather(cmd.Context(), e.target, work, pace)
			work.end(cmp.Or(strings.ReplaceAll(evidence[i].Unfinished(), "\n", "; "), fmt.Sprintf("gathered %d exchanges", len(evidence[i].Exchanges))))
		})
	}
	wait.Wait()
	return evidence
}
