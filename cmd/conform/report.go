package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

func newReport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Convert, compare, merge and follow reports",
		Long: `report works on the report.json that run --out writes; nothing is judged anew.
docs/reports.md has the formats, and baselines.`,
		Example: `  conform report convert report.json --format csv --out report.csv
  conform report diff yesterday/report.json today/report.json
  conform report baseline report.json --out known.yaml
  conform report merge pool-*/report.json --format html --out pools.html
  conform report history archive/ --format html --out history.html
  conform report index reports/`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usage("unknown command %q%s; `conform report --help` lists the commands", args[0], suite.Nearest(args[0], commandNames(cmd)))
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConvert(), newDiff(), newBaseline(), newMerge(), newHistory(), newIndex())
	return cmd
}

// output is where a command writes what it makes of reports, and in which form.
type output struct {
	format  string
	out     string
	verbose bool
	noColor bool
	formats []string
}

// add defines the flags. The first format is the default.
func (o *output) add(cmd *cobra.Command, formats []string) {
	o.formats = formats
	flags := cmd.Flags()
	flags.StringVar(&o.format, "format", formats[0], "of the output: "+strings.Join(formats, ", "))
	flags.StringVar(&o.out, "out", "", "write into this file instead of to standard output")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show everything in the text, not only what needs a look")
	flags.BoolVar(&o.noColor, "no-color", false, "no colour; so do the environment variables NO_COLOR and TERM=dumb")
	complete(cmd, "format", func() []string { return formats })
}

func (o *output) check(cmd *cobra.Command, inputs ...string) error {
	if !slices.Contains(o.formats, o.format) {
		return usage("unknown format %q%s; the formats are: %s", o.format, suite.Nearest(o.format, o.formats), strings.Join(o.formats, ", "))
	}
	if cmd.Flags().Changed("out") && o.out == "" {
		return usage("--out is empty: give it a value, or leave it out")
	}
	target, err := os.Stat(o.out)
	if err == nil && target.IsDir() {
		return nil // which some commands write into, and which is no file that they read
	}
	for _, input := range inputs {
		if info, missing := os.Stat(input); err == nil && missing == nil && os.SameFile(info, target) {
			return usage("--out %s is what is to be read: give another name", o.out)
		}
	}
	return nil
}

// write writes what render renders, into a file whole or not at all.
func (o *output) write(cmd *cobra.Command, render func(io.Writer, reports.Options) error) error {
	stdout := cmd.OutOrStdout()
	if o.out == "" {
		if err := render(stdout, reports.Options{Verbose: o.verbose, Color: colourful(o.noColor, stdout), Width: width(stdout), ASCII: onlyASCII(stdout)}); err != nil {
			return exit{exitFailed, err}
		}
		return nil
	}
	if err := reports.WriteTo(o.out, func(w io.Writer) error { return render(w, reports.Options{Verbose: o.verbose}) }); err != nil {
		return exit{exitFailed, err}
	}
	return nil
}

// reportFiles has the shell complete report files, and tells a wrong number of them.
func reportFiles(cmd *cobra.Command, least, most int, words string) {
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) < least || (most > 0 && len(args) > most) {
			return usage("%s takes %s; `conform report %s --help` shows examples", cmd.Name(), words, cmd.Name())
		}
		return nil
	}
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
	}
}

func newConvert() *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "convert REPORT",
		Short: "Show a report in another format",
		Long: `convert shows a report.json in any format of run. Its exit code says whether that
worked, and not what the report says.`,
		Example: `  conform report convert report.json
  conform report convert report.json --format github             annotations, in a GitHub workflow
  conform report convert report.json --format markdown >>"$GITHUB_STEP_SUMMARY"
  conform report convert report.json --format badge --out badge.json
  conform report convert report.json --format intoto --out statement.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, args...); err != nil {
				return err
			}
			r, sum, err := reports.ReadFile(args[0])
			if err != nil {
				return unread(err)
			}
			return o.write(cmd, func(w io.Writer, options reports.Options) error {
				options.SHA256 = sum
				return reports.Write(w, r, o.format, options)
			})
		},
	}
	reportFiles(cmd, 1, 1, "one report.json")
	o.add(cmd, reports.Formats())
	return cmd
}

func newDiff() *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "diff BEFORE AFTER",
		Short: "Compare two reports, requirement by requirement",
		Long: `diff tells what became of each requirement: broken, fixed, newly exercised, no longer
exercised, seen with other evidence, changed in what it says, added or removed.
What fails and was not checked before is broken, too.

Exit codes: 0 nothing is broken, 1 something is, 2 usage, 3 the reports have no
requirement in common, 4 a report cannot be read.`,
		Example: `  conform report diff yesterday/report.json today/report.json
  conform report diff main.json branch.json --format markdown >>"$GITHUB_STEP_SUMMARY"
  conform report diff a.json b.json --format json | jq '.changes[] | select(.kind == "broken")'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, args...); err != nil {
				return err
			}
			before, err := reports.ReadResults(args[0])
			if err != nil {
				return unread(err)
			}
			after, err := reports.ReadResults(args[1])
			if err != nil {
				return unread(err)
			}
			c := reports.Compare(before, after)
			if err := o.write(cmd, func(w io.Writer, options reports.Options) error {
				return reports.WriteComparison(w, c, o.format, options)
			}); err != nil {
				return err
			}
			switch {
			case len(c.Of(reports.Broken)) > 0:
				return exit{code: exitNonconformant}
			case c.Common() == 0:
				return exit{exitIncomplete, errors.New("the reports have no requirement in common: nothing was compared")}
			}
			return nil
		},
	}
	reportFiles(cmd, 2, 2, "two report.json, the earlier first")
	o.add(cmd, reports.ComparisonFormats())
	return cmd
}

// mergeFlags are the flags of `conform report merge`.
type mergeFlags struct {
	output
	from  reports.MergeOptions
	since time.Duration
	into  bool // --out is a directory
}

func newMerge() *cobra.Command {
	var f mergeFlags
	cmd := &cobra.Command{
		Use:   "merge REPORT...",
		Short: "Merge shards and pools into a matrix of targets and requirements",
		Long: `merge sets targets beside each other. Reports on the same target are united: what one
did not exercise another may have. Where they contradict each other that is said, and
the worse verdict stays. The exit code is that of the worst target.

The JSON that it makes, and the merge.json of a run with --targets, can be merged again:
of a directory, each merge.json below it. A shard knows its run and the whole list: shards
and targets that are missing are named, and without them nothing is conformant. Shards of
different runs, lists or versions are refused, unless --mixed is given.

A file can be the log of a pod that wrote a matrix as JSON.

Exit codes: 0 conformant, 1 nonconformant, 2 usage, or a baseline is out of date, 3 incomplete,
or there is nothing to merge, 4 a report cannot be read, 130 interrupted.`,
		Example: `  conform report merge pool-*/report.json
  conform report merge /reports/$RUN --format html --out /reports/$RUN/merge.html
  conform report merge /reports --since 6h
  conform report merge shard-*/merge.json --format html --out pools.html
  conform report merge pool-*/report.json --format json | jq .outcome`,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := f.merge(cmd, args)
			if err != nil {
				return err
			}
			lastWord(m.Headline())
			return f.show(cmd, m)
		},
	}
	reportFiles(cmd, 1, 0, "one report.json or more, or merge.json, or directories")
	f.add(cmd, reports.MatrixFormats())
	flags := cmd.Flags()
	flags.Lookup("out").Usage = "write to this file instead of to standard output; an existing directory gets JSON, HTML and Markdown besides"
	flags.BoolVar(&f.from.Mixed, "mixed", false, "merge also what is of different runs, lists or versions")
	flags.DurationVar(&f.since, "since", 0, "leave out runs that began longer ago, such as 6h: what lies in a directory may be of yesterday")
	return cmd
}

// merge reads what is to be merged.
func (f *mergeFlags) merge(cmd *cobra.Command, args []string) (*reports.Matrix, error) {
	if err := f.check(cmd, args...); err != nil {
		return nil, err
	}
	if cmd.Flags().Changed("since") {
		if f.since <= 0 {
			return nil, notPositive("--since", f.since)
		}
		f.from.Since = time.Now().Add(-f.since)
	}
	left, dir := []string{filepath.Base(f.out)}, filepath.Dir(f.out)
	if info, err := os.Stat(f.out); err == nil && info.IsDir() {
		f.into, f.from.Except = true, filepath.Join(f.out, reports.MatrixFile)
		left, dir = slices.Collect(maps.Values(matrixFiles)), f.out
	}
	// If this merge refuses, what an earlier one left must not pass for its result.
	if named := func(path string) bool { return filepath.Clean(path) == f.from.Except }; f.out != "" && !slices.ContainsFunc(args, named) {
		if err := removeFiles(dir, left); err != nil {
			return nil, exit{exitFailed, err}
		}
	}
	what := number(len(args), "reports")
	if len(args) == 1 {
		what = args[0]
	}
	m, err := during(cmd, false, "reading "+what, func() (*reports.Matrix, error) { return reports.Merge(f.from, args...) })
	switch {
	case errors.Is(err, reports.ErrNothing):
		return nil, exit{exitIncomplete, err}
	case errors.Is(err, reports.ErrMixed):
		return nil, usage("%w; --mixed merges them all the same", err)
	case err != nil:
		return nil, unread(err)
	}
	return m, nil
}

// show writes the matrix: into a directory, as a run has it, and to standard output; or to one of standard output and a file.
func (f *mergeFlags) show(cmd *cobra.Command, m *reports.Matrix) error {
	var unwritten error
	if f.into {
		_, unwritten = matrixInto(f.out, m)
		f.out = ""
	}
	if err := f.write(cmd, func(w io.Writer, options reports.Options) error {
		if f.out != "" {
			options.Dir = filepath.Dir(f.out)
		}
		return reports.WriteMatrix(w, m, f.format, options)
	}); err != nil {
		return err
	}
	if f.out != "" || f.format != "text" { // which would say so
		for _, u := range m.Unread[:min(len(m.Unread), shownTargets)] {
			fmt.Fprintf(cmd.ErrOrStderr(), "not read: %s: %s\n", line(u.File), line(u.Problem))
		}
		fmt.Fprintln(cmd.ErrOrStderr(), line(m.Headline()))
	}
	return orFailed(cmd, matrixCode(m), unwritten)
}

func newIndex() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "index DIR",
		Short: "Make a page that links the reports of a directory",
		Long: `index finds all reports below a directory, and writes a page with the latest of each target, the
worst first, which links the pages beside them.

Exit codes: 0 written, 2 usage, 3 there is no report, 4 the directory cannot be read or the page
cannot be written.`,
		Example: `  conform report index reports/
  conform report index reports/ --out public/index.html`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("index takes one directory of reports")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("out") && out == "" {
				return usage("--out is empty: give it a value, or leave it out")
			}
			h, err := during(cmd, false, "reading the reports in "+args[0], func() (*reports.History, error) { return reports.ReadHistory(args[0]) })
			if err != nil {
				return unread(err)
			}
			if len(h.Targets) == 0 {
				return exit{exitIncomplete, fmt.Errorf("%s holds no report", args[0])}
			}
			for _, problem := range h.Skipped {
				fmt.Fprintln(cmd.ErrOrStderr(), "not read: "+line(problem))
			}
			path := cmp.Or(out, filepath.Join(args[0], "index.html"))
			if old, err := os.ReadFile(path); err == nil && !bytes.Contains(old, []byte(`<meta name="generator" content="conform">`)) {
				return usage("%s exists, and is no page of conform: choose another file with --out", path)
			}
			if err := reports.WriteTo(path, func(w io.Writer) error { return reports.WriteIndex(w, h, reports.Options{Dir: filepath.Dir(path)}) }); err != nil {
				return exit{exitFailed, err}
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "written: "+line(path))
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write this file instead of index.html in the directory")
	return cmd
}

func newHistory() *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "history DIR",
		Short: "Show the reports of a directory over time",
		Long: `history finds all reports below a directory and shows, for each target, what became of
it from one to the next, by the date of the evidence. Other files are ignored;
reports that cannot be read are named.

Exit codes: 0 shown, 2 usage, 3 there is no report, 4 the directory cannot be read.`,
		Example: `  conform report history archive/
  conform report history archive/ --format html --out history.html`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("history takes one directory of reports")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, args...); err != nil {
				return err
			}
			h, err := during(cmd, false, "reading the reports in "+args[0], func() (*reports.History, error) { return reports.ReadHistory(args[0]) })
			if err != nil {
				return unread(err)
			}
			if err := o.write(cmd, func(w io.Writer, options reports.Options) error {
				if o.out != "" {
					options.Dir = filepath.Dir(o.out)
				}
				return reports.WriteHistory(w, h, o.format, options)
			}); err != nil {
				return err
			}
			if len(h.Targets) == 0 {
				return exit{exitIncomplete, fmt.Errorf("%s holds no report", args[0])}
			}
			return nil
		},
	}
	o.add(cmd, reports.HistoryFormats())
	return cmd
}
