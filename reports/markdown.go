package reports

import (
	"fmt"
	"strings"
	"sync"
)

// A CI job summary may have 1 MiB; the rest of it belongs to others.
const markdownBytes = 900 << 10

// renderMarkdown is for the summary of a CI job: what failed first, the rest folded away.
func renderMarkdown(r *Report, opts Options) ([]byte, error) {
	repeat := r.repeats()
	r = legible(r)
	m := &markdown{}
	m.head(r)
	for _, section := range []struct {
		title   string
		verdict Verdict
		known   bool
	}{{"Failures", Fail, false}, {"Errors", Error, false}, {"Warnings", Warn, false}, {"Known failures", Fail, true}, {"Known warnings", Warn, true}} {
		var of []Result
		for _, result := range r.Results {
			if result.Verdict == section.verdict && result.speaks() && (result.Known != nil) == section.known {
				of = append(of, result)
			}
		}
		if len(of) == 0 {
			continue
		}
		m.b.WriteString("### " + section.title + "\n\n")
		for i, result := range of {
			if !m.fits(problemMarkdown(result, repeat.line(result))) {
				m.cut(len(of) - i)
				break
			}
		}
		m.b.WriteByte('\n')
	}
	m.quiet(r)
	m.all(r)
	m.b.WriteString("Next: " + mdText(next(r, opts.Dir)) + "\n")
	return []byte(m.b.String()), nil
}

type markdown struct{ b strings.Builder }

// fits writes a piece unless the page would grow too long.
func (m *markdown) fits(piece string) bool {
	if m.b.Len()+len(piece) > markdownBytes {
		return false
	}
	m.b.WriteString(piece)
	return true
}

func (m *markdown) cut(n int) {
	fmt.Fprintf(&m.b, "\n… and %d more, left out to keep this page short: `report.json` has them all.\n", n)
}

func (m *markdown) head(r *Report) {
	fmt.Fprintf(&m.b, "## %s %s\n\n", outcomeSymbol(r.Outcome), mdText(r.Headline()))
	fmt.Fprintf(&m.b, "Judged by %s: %s\n\n", mdText(strings.TrimSpace(r.Tool.Name+" "+r.Tool.Version)), mdText(r.about()))
	fmt.Fprintf(&m.b, "**%s.** %s\n\n", r.Counts, markup().Replace(r.Evidence.sentence()))
	for _, s := range r.stale() {
		m.fits("> **baseline** " + mdCode(s.Requirement) + ": " + mdText(s.Problem) + "\n>\n")
	}
	for _, note := range r.Notes {
		m.fits("> note: " + markup().Replace(shorten(note, noteRunes)) + "\n>\n")
	}
	if len(r.Notes)+len(r.stale()) > 0 {
		m.b.WriteByte('\n')
	}
	if len(r.Results) == 0 {
		return
	}
	m.b.WriteString("| |")
	given := r.given()
	for _, v := range given {
		m.b.WriteString(" " + string(v) + " |")
	}
	m.b.WriteString("\n|---|" + strings.Repeat("--:|", len(given)) + "\n")
	for _, s := range append(bySubject(r.Results), share{"total", r.Counts}) {
		row := "| " + mdText(s.Name) + " |"
		for _, v := range given {
			row += fmt.Sprintf(" %d |", s.Counts.Of(v))
		}
		m.fits(row + "\n")
	}
	m.b.WriteByte('\n')
}

func problemMarkdown(r Result, repeat string) string {
	about := mdText(r.Level) + ", " + mdText(r.Subject)
	if where := r.where(); where != "" {
		about += "; " + mdText(where)
	}
	b := fmt.Sprintf("- **%s %s** %s (%s)<br>%s\n", symbol(r.Verdict), r.Verdict, mdCode(r.Requirement), about, mdText(r.Statement))
	for _, f := range [][2]string{{"expected", r.Expected}, {"observed", r.Observed}} {
		if f[1] != "" {
			b += fmt.Sprintf("  - %s %s\n", f[0], mdCode(f[1]))
		}
	}
	if r.Known != nil {
		b += "  - known: " + mdText(r.Known.String()) + "\n"
	}
	if r.Reason != "" {
		b += "  - reason: " + mdText(r.Reason) + "\n"
	}
	if r.Said != "" {
		b += "  - the server said " + mdCode(r.Said) + "\n"
	}
	if source := r.Source.String(); source != "" {
		b += "  - source: " + mdText(source) + "\n"
	}
	if repeat != "" {
		fence := fenceOf(repeat, 3)
		b += "  - repeat:\n\n    " + fence + "sh\n    " + repeat + "\n    " + fence + "\n"
	}
	return b
}

// quiet folds away what was not checked, grouped by its reason.
func (m *markdown) quiet(r *Report) {
	var quiet []Result
	for _, result := range r.Results {
		if result.Verdict != Pass && !result.speaks() {
			quiet = append(quiet, result)
		}
	}
	if len(quiet) == 0 {
		return
	}
	fmt.Fprintf(&m.b, "<details><summary>Not checked: %d</summary>\n\n", len(quiet))
	groups := gather(quiet)
	for i, g := range groups {
		piece := fmt.Sprintf("- **%s %s**", symbol(g.Verdict), mdText(string(g.Verdict)))
		if g.Reason != "" {
			piece += ": " + mdText(g.Reason)
		}
		piece += fmt.Sprintf(" (%d)<br>", len(g.IDs))
		for j, id := range g.IDs {
			if j == 100 {
				piece += fmt.Sprintf(" and %d more", len(g.IDs)-j)
				break
			}
			if j > 0 {
				piece += ", "
			}
			piece += mdCode(id)
		}
		if !m.fits(piece + "\n") {
			m.cut(len(groups) - i)
			break
		}
	}
	m.b.WriteString("\n</details>\n\n")
}

func (m *markdown) all(r *Report) {
	if len(r.Results) == 0 {
		return
	}
	fmt.Fprintf(&m.b, "<details><summary>All %d results</summary>\n\n", len(r.Results))
	m.b.WriteString("| verdict | requirement | level | subject | statement | exchange |\n|---|---|---|---|---|---|\n")
	for i, result := range r.Results {
		row := fmt.Sprintf("| %s %s | %s | %s | %s | %s | %s |\n", symbol(result.Verdict), mdText(string(result.Verdict)),
			mdCell(result.Requirement), mdText(result.Level), mdText(result.Subject), mdText(result.Statement), mdText(result.where()))
		if !m.fits(row) {
			m.cut(len(r.Results) - i)
			break
		}
	}
	m.b.WriteString("\n</details>\n\n")
}

func outcomeSymbol(o Outcome) string {
	switch o {
	case Conformant:
		return "✓"
	case Nonconformant:
		return "✗"
	}
	return "–"
}

// mdText is a value as running text. Markup is escaped; mentions, references and bare
// links, which are found in the rendered text, are broken by an empty comment.
func mdText(s string) string { return markup().Replace(shorten(s, shownRunes)) }

var markup = sync.OnceValue(func() *strings.Replacer {
	return strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;",
		`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "$", `\$`, "!", `\!`,
		"@", "@<!-- -->", "#", "#<!-- -->", "://", ":<!-- -->//", "www.", "www<!-- -->.", "WWW.", "WWW<!-- -->.",
	)
})

// mdCode is a value as inline code: its fence is longer than any run of backticks in it.
func mdCode(s string) string {
	s = shorten(s, shownRunes)
	fence := fenceOf(s, 1)
	if s == "" || strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || (strings.HasPrefix(s, " ") && strings.HasSuffix(s, " ")) {
		s = " " + s + " " // one space on each side is not part of the code
	}
	return fence + s + fence
}

// fenceOf returns at least so many backticks, and more than stand in a row in a text.
func fenceOf(s string, least int) string {
	longest, run := least-1, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return strings.Repeat("`", longest+1)
}

// mdCell is inline code in a table, where a bar would end the cell even within code.
func mdCell(s string) string { return strings.ReplaceAll(mdCode(s), "|", `\|`) }
