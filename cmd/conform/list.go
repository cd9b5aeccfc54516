package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
)

// selectionFlags adds the flags that choose requirements.
func selectionFlags(cmd *cobra.Command, tasks *[]string, s *suite.Selection) {
	flags := cmd.Flags()
	flags.StringSliceVar(tasks, "task", nil, "only these documented tasks, such as set-presence: conform list shows them")
	flags.StringSliceVar(&s.Requirements, "requirement", nil, "only these requirements; a trailing dot selects every id with that prefix")
	flags.StringSliceVar(&s.Levels, "level", nil, "only these levels: must, should, may")
	flags.StringSliceVar(&s.Subjects, "subject", nil, "only requirements on the server, or on the client; a live run judges the server")
	complete(cmd, "task", suite.Tasks)
	complete(cmd, "requirement", requirementIDs)
	complete(cmd, "level", func() []string { return []string{"must", "should", "may"} })
	complete(cmd, "subject", func() []string { return []string{"server", "client"} })
}

// complete offers values for a flag in the shell.
func complete(cmd *cobra.Command, flag string, values func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag was not defined: a mistake in this program
	}
}

func requirementIDs() []string {
	var ids []string
	for _, l := range suite.Ledgers() {
		for _, r := range l.Requirements {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// selected returns the requirements that a selection leaves of the named tasks, or of
// all there are.
func selected(tasks []string, s suite.Selection) ([]suite.Requirement, error) {
	var ledgers []*suite.Ledger
	for _, name := range tasks {
		ledger, err := suite.LedgerOf(name)
		if err != nil {
			return nil, usage("%w", err)
		}
		ledgers = append(ledgers, ledger)
	}
	if len(tasks) == 0 {
		ledgers = suite.Ledgers()
	}
	requirements, err := s.Apply(ledgers...)
	if err != nil {
		return nil, usage("%w", err)
	}
	return requirements, nil
}

// shownIn are the tasks by which the traffic of others is judged: the named ones; all, where requirements are named; else those
// that it shows.
func shownIn(tasks []string, s suite.Selection) []string {
	switch {
	case len(tasks) > 0:
		return tasks
	case len(s.Requirements) > 0:
		return suite.Tasks()
	}
	return []string{suite.Shown}
}

// stepTitle returns the title of the step that a requirement belongs to.
func stepTitle(r suite.Requirement) string {
	_, ledger, err := suite.RequirementOf(r.ID)
	if err != nil {
		return ""
	}
	for _, s := range ledger.Steps {
		if s.ID == r.Step {
			return s.Title
		}
	}
	return ""
}

func newList() *cobra.Command {
	var tasks []string
	var format string
	var faults bool
	var selection suite.Selection
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the requirements, or the faults that prove them",
		Example: `  conform list --level must --subject server
  conform list --faults --requirement set-presence.2.
  conform list --requirement set-presence.refusal. --format json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			requirements, err := selected(tasks, selection)
			if err != nil {
				return err
			}
			if faults {
				return listFaults(cmd, requirements, format)
			}
			var b strings.Builder
			switch format {
			case "json":
				return sayJSON(cmd, requirements)
			case "text":
				longest := 0
				for _, r := range requirements {
					longest = max(longest, len(r.ID))
				}
				task, title := "", ""
				for _, r := range requirements {
					if name, _, _ := strings.Cut(r.ID, "."); name != task {
						task = name
						fmt.Fprintf(&b, "\n%s\n", task)
					}
					if t := stepTitle(r); t != title {
						title = t
						fmt.Fprintf(&b, "\n%s  %s\n", r.Step, title)
					}
					fmt.Fprintf(&b, "  %-*s  %-6s %-6s  %s\n", longest, r.ID, r.Level, r.Subject, r.Says)
				}
				fmt.Fprintf(&b, "\n%d requirements; `conform explain ID` tells more of one\n", len(requirements))
				return say(cmd, strings.TrimPrefix(b.String(), "\n"))
			}
			return noListFormat(format)
		},
	}
	cmd.Flags().BoolVar(&faults, "faults", false, "list the faults that prove the requirements")
	selectionFlags(cmd, &tasks, &selection)
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	complete(cmd, "format", func() []string { return []string{"text", "json"} })
	return cmd
}

func noListFormat(format string) error {
	return usage("unknown format %q%s; list writes text or json", format, suite.Nearest(format, []string{"text", "json"}))
}

// listFaults lists the faults that prove some requirements.
func listFaults(cmd *cobra.Command, requirements []suite.Requirement, format string) error {
	var ids []string
	for _, r := range requirements {
		ids = append(ids, r.ID)
	}
	list := []faultText{}
	for _, f := range prove.FaultsFor(ids...) {
		list = append(list, faultOf(f))
	}
	switch format {
	case "json":
		return sayJSON(cmd, list)
	case "text":
		var b strings.Builder
		requirement := ""
		for _, f := range list {
			if f.Requirement != requirement {
				requirement = f.Requirement
				fmt.Fprintf(&b, "\n%s\n", requirement)
			}
			fmt.Fprintf(&b, "  %-40s %s\n", strings.TrimPrefix(f.Name, requirement+"/"), f.Breaks)
		}
		fmt.Fprintf(&b, "\n%d faults, each named by its requirement, a slash and the word above; `conform prove NAME` tries them\n", len(list))
		return say(cmd, strings.TrimPrefix(b.String(), "\n"))
	}
	return noListFormat(format)
}
