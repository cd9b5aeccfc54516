package prove

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// Formats are the names that Write knows.
func Formats() []string { return []string{"text", "json", "html", "markdown"} }

// Write writes a proof in one of the Formats: as text in short, in the others in
// full. It fails on an unknown format and where w fails.
func Write(w io.Writer, p *Proof, format string) error {
	switch format {
	case "text":
		return writeText(w, p)
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(p)
	case "html":
		return page().Execute(w, p)
	case "markdown":
		return writeMarkdown(w, p)
	}
	return fmt.Errorf("unknown format %q; the formats are: %s", format, strings.Join(Formats(), ", "))
}

// Sum is how a kind of trials came out.
type Sum struct {
	Kind, Does            string
	All, Tolerated, Wrong int // All that was tried
	Skipped               int // what was not
}

// Sums returns the sum of each kind that was tried.
func (p *Proof) Sums() []Sum {
	var list []Sum
	for i, kind := range Kinds {
		s := Sum{Kind: kind, Does: []string{
			"injected server faults: each detected by the intended requirement, at the right field, and by no undeclared one",
			"injected client faults: the same",
			"small changes of the reference recording: detected, or reviewed with a reason",
			"variations of correct servers: each passes",
			"combinations of these: each passes",
		}[i]}
		for _, t := range p.Trials {
			if t.Kind != kind {
				continue
			}
			if t.Skipped != "" {
				s.Skipped++
				continue
			}
			s.All++
			if t.Tolerated != "" {
				s.Tolerated++
			}
			if t.Problem != "" {
				s.Wrong++
			}
		}
		if s.All+s.Skipped > 0 {
			list = append(list, s)
		}
	}
	return list
}

// Right is how many came out as they should without a review: a fault or a change was caught, a variation passed.
func (s Sum) Right() int { return s.All - s.Tolerated - s.Wrong }

// Proved counts the requirements that a fault proves, and all of them.
func (p *Proof) Proved() (proved, all int) {
	for _, r := range p.Requirements {
		if len(r.By) > 0 {
			proved++
		}
	}
	return proved, len(p.Requirements)
}

func writeText(w io.Writer, p *Proof) error {
	var b strings.Builder
	fmt.Fprintf(&b, "conform prove · %s · on %s\n\n", p.Task, reports.Legible(p.Server))
	fmt.Fprintf(&b, "  caught  reviewed  not caught\n")
	for _, s := range p.Sums() {
		fmt.Fprintf(&b, "  %6d  %8d  %10d  %s%s\n", s.Right(), s.Tolerated, s.Wrong, s.Does, untried(s.Skipped))
	}
	b.WriteString("\n")
	for _, t := range p.Problems() {
		fmt.Fprintf(&b, "✗ %s %s: %s\n    %s\n", t.Kind, t.Name, reports.Legible(t.Problem), t.Does)
	}
	if p.Interrupted {
		fmt.Fprintf(&b, "interrupted after %d of %d trials: the others prove nothing\n", p.Tried(), len(p.Trials))
	}
	if len(p.Unsound) > 0 {
		fmt.Fprintf(&b, "without a fault, this server does not pass: %s\n", quoted(p.Unsound))
	}
	proved, all := p.Proved()
	if len(p.Names) > 0 && proved == 1 {
		fmt.Fprintf(&b, "1 requirement is proved by them\n")
	} else if len(p.Names) > 0 {
		fmt.Fprintf(&b, "%d requirements are proved by them\n", proved)
	} else {
		fmt.Fprintf(&b, "%d of %d requirements are proved by a fault\n", proved, all)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeMarkdown(w io.Writer, p *Proof) error {
	var b strings.Builder
	proved, all := p.Proved()
	fmt.Fprintf(&b, "# What the verdicts are worth\n\n%s\n\n%d of %d requirements are proved by a fault, on %s.\n\n",
		p.introduction(), proved, all, cell(p.Server))
	if len(p.Unsound) > 0 {
		fmt.Fprintf(&b, "Without a fault, this server does not pass: %s.\n\n", quoted(p.Unsound))
	}
	b.WriteString("| caught | reviewed | not caught | what was tried |\n|---:|---:|---:|---|\n")
	for _, s := range p.Sums() {
		fmt.Fprintf(&b, "| %d | %d | %d | %s%s |\n", s.Right(), s.Tolerated, s.Wrong, s.Does, untried(s.Skipped))
	}
	if problems := p.Problems(); len(problems) > 0 {
		b.WriteString("\n## Problems\n\n| | what it does | problem |\n|---|---|---|\n")
		for _, t := range problems {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", t.Name, cell(t.Does), cell(t.Problem))
		}
	}
	b.WriteString("\n## Requirements and the faults that prove them\n\n| requirement | level | faults |\n|---|---|---|\n")
	for _, r := range p.Requirements {
		fmt.Fprintf(&b, "| `%s` | %s %s | %s |\n", r.ID, r.Level, r.Subject, quoted(r.By))
	}
	b.WriteString("\n## Faults\n\n| fault | what it does | seen at | makes fail too |\n|---|---|---|---|\n")
	for _, t := range p.Trials {
		if t.Requirement != "" && t.Skipped == "" {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", t.Name, cell(t.Does), cell(t.Field), quoted(besides(t.Failed, []string{t.Requirement})))
		}
	}
	if p.Tried() < len(p.Trials) {
		b.WriteString("\n## Not tried\n\n| fault | why |\n|---|---|\n")
		for _, t := range p.Trials {
			if t.Skipped != "" {
				fmt.Fprintf(&b, "| `%s` | %s |\n", t.Name, cell(t.Skipped))
			}
		}
	}
	if p.Live {
		_, err := io.WriteString(w, b.String())
		return err
	}
	b.WriteString("\n## Differences of correct servers\n\nEach alone, and at random together: nothing fails.\n\n| variation | such a server |\n|---|---|\n")
	for _, t := range p.Trials {
		if t.Kind == "variation" {
			fmt.Fprintf(&b, "| `%s` | %s |\n", t.Name, cell(t.Does))
		}
	}
	b.WriteString("\n## Changes of a recording that nothing need catch\n\n| changes | why |\n|---:|---|\n")
	for _, r := range reviewed() {
		n := 0
		for _, t := range p.Trials {
			if t.Tolerated == r.why {
				n++
			}
		}
		fmt.Fprintf(&b, "| %d | %s |\n", n, cell(r.why))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// introduction says what was done, and how far it goes.
func (p *Proof) introduction() string {
	switch {
	case p.Live:
		return fmt.Sprintf(`Faults were put on the answers of a server, and the requirements of "%s" judged the result: does the one fail that the
fault breaks, at the place that is broken, and does nothing else? This page is about that server on that day; it is
no part of the published proof.`, p.Task)
	case len(p.Names) > 0:
		return fmt.Sprintf(`Of the proof of "%s" this is a part: what has %s in its name.`, p.Task, cell(strings.Join(p.Names, " or ")))
	}
	return fmt.Sprintf(`Every requirement of "%s" was put to the test: does it fail when what it says is broken, at the place that is
broken, and does nothing else? And do correct servers pass that differ in what no document settles? This page is written
by %s; the build fails where it no longer holds.`, p.Task, "`go generate ./suite/prove`")
}

func untried(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d not tried", n)
}

func quoted(names []string) string {
	var list []string
	for _, n := range names {
		list = append(list, "`"+n+"`")
	}
	return strings.Join(list, ", ")
}

// cell returns text for a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(reports.Legible(text))
}

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"also":    func(t Trial) []string { return besides(t.Failed, []string{t.Requirement}) },
		"isFault": func(t Trial) bool { return t.Requirement != "" },
		"legible": reports.Legible,
		"style": func() template.CSS {
			style, _ := reports.Style(pageCSS)
			return style
		},
		"policy": func() string {
			_, source := reports.Style(pageCSS)
			return "default-src 'none'; style-src " + source
		},
	}).Parse(pageHTML))
})
