package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
)

func newExplain() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "explain ID",
		Short: "Explain a requirement, a fault, or the document of a task",
		Example: `  conform explain set-presence.2.status
  conform explain set-presence.2.status/200
  conform explain set-presence --format json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("explain takes the id of one requirement, a fault, or a task: `conform list` shows them")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return slices.Concat(suite.Tasks(), requirementIDs(), faultNames()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var text string
			var value any
			if ledger, err := suite.LedgerOf(args[0]); err == nil {
				text, value = explainDocument(ledger), ledger
			} else if r, ledger, err := suite.RequirementOf(args[0]); err == nil {
				x := explanationOf(r, ledger)
				text, value = x.text(), x
			} else if f, unknown := prove.FaultNamed(args[0]); unknown == nil {
				x := faultOf(f)
				text, value = x.text(), x
			} else if n := beginning(args[0]); n > 0 {
				return usage("%q is the beginning of %d requirements: `conform list --requirement %s.` shows them", args[0], n, strings.TrimSuffix(args[0], "."))
			} else if strings.Contains(args[0], "/") || errors.Is(unknown, prove.ErrAmbiguous) {
				return usage("%w", unknown)
			} else {
				return usage("%w; `conform list --faults` shows the faults, and docs/changelog.md those that were renamed", err)
			}
			switch format {
			case "text":
				return say(cmd, text)
			case "json":
				return sayJSON(cmd, value)
			}
			return usage("unknown format %q%s; explain writes text or json", format, suite.Nearest(format, []string{"text", "json"}))
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	complete(cmd, "format", func() []string { return []string{"text", "json"} })
	return cmd
}

// sayJSON writes a value as JSON for people, too.
func sayJSON(cmd *cobra.Command, value any) error {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return exit{exitFailed, err}
	}
	return say(cmd, b.String())
}

// faultText is a fault as `conform explain` and `conform list --faults` show it.
type faultText struct {
	Name        string `json:"name"`
	Subject     string `json:"subject"`
	Breaks      string `json:"breaks"`
	Requirement string `json:"requirement"`
	Field       string `json:"field"`
}

func faultOf(f prove.Fault) faultText {
	return faultText{f.Name, f.Subject, f.Breaks, f.Requirement, f.Field}
}

func faultNames() []string {
	var names []string
	for _, f := range prove.FaultsFor(requirementIDs()...) {
		names = append(names, f.Name)
	}
	return names
}

func (f faultText) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  (a fault of the %s)\n\n", f.Name, f.Subject)
	paragraph(&b, "does", f.Breaks)
	paragraph(&b, "caught by", f.Requirement+", at "+f.Field)
	if f.Subject == "server" {
		fmt.Fprintf(&b, "\nnext: conform serve --fault %s\n", f.Name)
	}
	return b.String()
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

// explanation is all that is known of a requirement.
type explanation struct {
	suite.Requirement
	Document string      `json:"document"` // or whatever says it
	URL      string      `json:"url"`
	Title    string      `json:"stepTitle"`
	Quotes   []string    `json:"quotes,omitempty"`
	Shows    []string    `json:"shows,omitempty"`
	Location string      `json:"location"`
	Faults   []faultText `json:"faults"`
	Beside   []string    `json:"beside,omitempty"` // the other requirements of the clause
}

func explanationOf(r *suite.Requirement, ledger *suite.Ledger) explanation {
	x := explanation{Requirement: *r, Title: stepTitle(*r), Location: r.Location(), Faults: []faultText{}}
	x.Document, x.URL = r.Source()
	clause := ledger.Clause(r.Clause)
	x.Quotes, x.Shows = clause.Quotes, clause.Shows
	for _, f := range prove.FaultsFor(r.ID) {
		x.Faults = append(x.Faults, faultOf(f))
	}
	for _, other := range ledger.Requirements {
		if other.Clause == r.Clause && other.ID != r.ID {
			x.Beside = append(x.Beside, other.ID)
		}
	}
	return x
}

func (x explanation) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  (%s, of the %s)\n\n", x.ID, x.Level, x.Subject)
	paragraph(&b, "says", x.Says)
	where := fmt.Sprintf("step %s (%s), clause %s", x.Step, x.Title, x.Clause)
	if _, ledger, _ := suite.RequirementOf(x.ID); ledger != nil && ledger.Document.Title != x.Document {
		where = "asked for here in " + ledger.Title + ", " + where
	}
	paragraph(&b, "stands", x.Document+", "+where)
	for _, quote := range x.Quotes {
		paragraph(&b, "", "“"+quote+"”")
	}
	if len(x.Shows) > 0 {
		paragraph(&b, "", "the sample shows: "+strings.Join(x.Shows, ", "))
	}
	paragraph(&b, "", x.URL)
	paragraph(&b, "tested", x.How)
	paragraph(&b, "", x.Location)
	paragraph(&b, "breaks", x.Breaks)
	label := "proved by"
	for _, f := range x.Faults {
		paragraph(&b, label, strings.TrimPrefix(f.Name, x.ID+"/")+": "+f.Breaks)
		label = ""
	}
	if len(x.Beside) > 0 {
		paragraph(&b, "beside", strings.Join(x.Beside, ", "))
	}
	fmt.Fprintf(&b, "\nnext: conform run --requirement %s\n", x.ID)
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
	fmt.Fprintf(&b, "%d requirements: %d of the server, %d of the client (ledger revision %d)\n",
		len(l.Requirements), count["server"], count["client"], l.Revision)
	if shared := l.Shares(); len(shared) > 0 {
		fmt.Fprintf(&b, "and %d that it shares with other pages and that are judged there: conform list --task %s\n", len(shared), l.Task)
	}
	b.WriteString("\nclauses, each with the number of its requirements\n")
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
