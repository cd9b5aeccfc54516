package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
)

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain ID",
		Short: "Explain a requirement, or the document of a task",
		Example: `  conform explain set-presence.2.status
  conform explain set-presence`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("explain takes the id of one requirement, or a task: `conform list` shows them")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return slices.Concat(suite.Tasks(), requirementIDs()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var text string
			if ledger, err := suite.LedgerOf(args[0]); err == nil {
				text = explainDocument(ledger)
			} else if r, ledger, err := suite.RequirementOf(args[0]); err == nil {
				text = explainRequirement(r, ledger)
			} else if n := beginning(args[0]); n > 0 {
				return usage("%q is the beginning of %d requirements: `conform list --requirement %s.` shows them", args[0], n, strings.TrimSuffix(args[0], "."))
			} else {
				return usage("%w", err)
			}
			return say(cmd, text)
		},
	}
}

// beginning counts the requirements of a step, or of another part of an id.
func beginning(part string) int {
	n := 0
	for _, id := range requirementIDs() {
		if strings.HasPrefix(id, strings.TrimSuffix(part, ".")+".") {
			n++
		}
	}
	return n
}

func explainRequirement(r *suite.Requirement, ledger *suite.Ledger) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  (%s, of the %s)\n\n", r.ID, r.Level, r.Subject)
	paragraph(&b, "says", r.Says)
	clause := ledger.Clause(r.Clause)
	where := cmp.Or(clause.Reference, ledger.Document.Title)
	for _, s := range ledger.Steps {
		if s.ID == r.Step {
			where += fmt.Sprintf(", step %s (%s), clause %s", s.ID, s.Title, r.Clause)
		}
	}
	paragraph(&b, "stands", where)
	for _, quote := range clause.Quotes {
		paragraph(&b, "", "“"+quote+"”")
	}
	if len(clause.Shows) > 0 {
		paragraph(&b, "", "the sample shows: "+strings.Join(clause.Shows, ", "))
	}
	if clause.Reference == "" {
		paragraph(&b, "", ledger.Document.URL)
	}
	paragraph(&b, "tested", r.How)
	paragraph(&b, "breaks", r.Breaks)
	label := "proved by"
	for _, f := range prove.FaultsFor(r.ID) {
		paragraph(&b, label, strings.TrimPrefix(f.Name, r.ID+"/")+": "+f.Breaks)
		label = ""
	}
	var others []string
	for _, other := range ledger.Requirements {
		if other.Clause == r.Clause && other.ID != r.ID {
			others = append(others, other.ID)
		}
	}
	if len(others) > 0 {
		paragraph(&b, "beside", strings.Join(others, ", "))
	}
	fmt.Fprintf(&b, "\nnext: conform run --requirement %s\n", r.ID)
	return b.String()
}

func explainDocument(l *suite.Ledger) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", l.Document.Title, l.Document.URL)
	count := map[string]int{}
	for _, r := range l.Requirements {
		count[r.Subject]++
		count[r.Clause]++
	}
	fmt.Fprintf(&b, "%d requirements: %d of the server, %d of the client (ledger revision %d)\n\nclauses, each with the number of its requirements\n",
		len(l.Requirements), count["server"], count["client"], l.Revision)
	for _, c := range l.Clauses {
		if c.Excluded != "" {
			paragraph(&b, c.ID, "excluded: "+c.Excluded)
		} else {
			source := strings.TrimSpace(strings.Join(c.Quotes, " ") + " " + c.Reference)
			if source == "" {
				source = "The sample shows: " + strings.Join(c.Shows, ", ")
			}
			paragraph(&b, c.ID, fmt.Sprintf("(%d) %s", count[c.ID], source))
		}
	}
	fmt.Fprintf(&b, "\nerrata: where the document contradicts itself\n")
	for i, erratum := range l.Errata {
		paragraph(&b, fmt.Sprint(i+1), erratum)
	}
	return b.String()
}

// paragraph writes a label and text wrapped at 100 columns beside it.
func paragraph(b *strings.Builder, label, text string) {
	line := fmt.Sprintf("  %-11s", label)
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 100 {
			fmt.Fprintln(b, line)
			line = fmt.Sprintf("  %-11s", "")
		}
		line += " " + word
	}
	fmt.Fprintln(b, line)
}
