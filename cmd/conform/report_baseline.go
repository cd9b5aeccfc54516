package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

func newBaseline() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "baseline REPORT",
		Short: "Write the failures of a report as a baseline of known ones",
		Long: `baseline writes the failures of a report for run --expect. Each gets the reason TODO,
which --expect refuses: write why a failure is accepted, or where it is tracked. Reasons
of a baseline that the report was compared with are kept.

A file that is there is not replaced: it may hold reasons.`,
		Example: `  conform run --out report/
  conform report baseline report/report.json --out known.yaml
  conform run --expect known.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("out") && out == "" {
				return usage("--out is empty: give it a value, or leave it out")
			}
			r, err := reports.ReadResults(args[0])
			if err != nil {
				return unread(err)
			}
			var b bytes.Buffer
			n, err := reports.WriteBaseline(&b, r)
			if err != nil {
				return exit{exitFailed, err}
			}
			if out == "" {
				_, err = cmd.OutOrStdout().Write(b.Bytes())
			} else {
				err = create(out, b.Bytes())
			}
			if err != nil {
				return exit{exitFailed, fmt.Errorf("the baseline is not written: %w", err)}
			}
			if n == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "the report has no failure: the baseline is empty")
			} else {
				fmt.Fprintf(cmd.ErrOrStderr(), "failures: %d; give each a reason in place of TODO\n", n)
			}
			return nil
		},
	}
	reportFiles(cmd, 1, 1, "one report.json")
	cmd.Flags().StringVar(&out, "out", "", "write into this file, which is not there yet, instead of to standard output")
	return cmd
}

// create writes a file that is not there yet.
func create(path string, data []byte) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists and may contain reviewed reasons: remove it, or choose another file", path)
	}
	return reports.WriteFile(path, data)
}

// expectation reads the baseline of --expect. Nil, if there is none.
func expectation(path string) (*reports.Baseline, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, usage("--expect: %w", err)
	}
	defer file.Close()
	b, err := reports.ReadBaseline(path, file)
	if err != nil {
		return nil, usage("--expect %w", err)
	}
	for _, k := range b.Known {
		if _, _, err := suite.RequirementOf(k.Requirement); err != nil {
			return nil, usage("--expect %s: %w", path, err)
		}
	}
	return b, nil
}

// knownFlags say which failures are known, and what the target is called.
type knownFlags struct {
	expect, name string
	baseline     *reports.Baseline // nil if there is none
}

func (f *knownFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.expect, "expect", "", "YAML file of known failures, with which a run may pass (docs/reports.md)")
	cmd.Flags().StringVar(&f.name, "name", "", "what to call the target in the report; merge and history go by it")
	complete(cmd, "name", func() []string { return nil })
	if err := cmd.MarkFlagFilename("expect", "yaml", "yml"); err != nil {
		panic(err) // the flag is defined above
	}
}

// read reads the baseline, if one is named, before anything is judged.
func (f *knownFlags) read(cmd *cobra.Command) (err error) {
	for _, name := range []string{"expect", "name"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			return usage("--%s is empty: give it a value, or leave it out", name)
		}
	}
	f.baseline, err = expectation(f.expect)
	return err
}

// hold gives the reports of a run their names, and applies the baseline to them. names
// are what the user may call the target of each, beside what its report calls it. What is
// known of one of several is no mistake of the baseline where another does well.
func (f *knownFlags) hold(list []*reports.Report, names func(i int) []string) {
	for i, r := range list {
		switch {
		case f.name == "": // it may have one
		case len(list) > 1:
			r.Name = fmt.Sprintf("%s, client %d", f.name, i+1)
		default:
			r.Name = f.name
		}
		if f.baseline != nil {
			f.baseline.Apply(r, time.Now(), append(names(i), f.name)...)
		}
	}
	for _, r := range list {
		if r.Baseline == nil {
			continue
		}
		r.Baseline.Stale = slices.DeleteFunc(r.Baseline.Stale, func(s reports.Stale) bool {
			return slices.ContainsFunc(list, func(other *reports.Report) bool {
				return slices.ContainsFunc(other.Results, func(result reports.Result) bool {
					return result.Requirement == s.Requirement && result.Known != nil && result.Known.Reason == s.Reason
				})
			})
		})
	}
}
