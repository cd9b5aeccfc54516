package reports

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// legible is a copy of the report that is safe to show: in every string, what cannot
// be printed (control characters, escape sequences, bidirectional overrides, broken
// UTF-8) is an escape. Writers for people work on this copy, so that none can forget.
// Only bodies keep their line breaks.
func legible(r *Report) *Report {
	out := *r
	out.Schema, out.Name, out.Subject, out.Outcome = visible(r.Schema), visible(r.Name), visible(r.Subject), visible(r.Outcome)
	out.Tool = r.Tool.legible()
	out.Evidence.Kind, out.Evidence.Source = visible(r.Evidence.Kind), visible(r.Evidence.Source)
	out.Evidence.SHA256, out.Evidence.Server = visible(r.Evidence.SHA256), visible(r.Evidence.Server)
	out.Notes, out.Cause = each(r.Notes, visible), visible(r.Cause)
	out.Tasks = each(r.Tasks, func(t Task) Task { return Task{visible(t.ID), visible(t.Title), t.Revision} })
	out.Steps = each(r.Steps, func(s Step) Step {
		return Step{visible(s.Task), visible(s.ID), visible(s.Title), s.Exchange, each(s.Shares, visible)}
	})
	out.Results = each(r.Results, func(r Result) Result {
		r.Requirement, r.Task, r.Step = visible(r.Requirement), visible(r.Task), visible(r.Step)
		r.Subject, r.Level, r.Verdict = visible(r.Subject), visible(r.Level), visible(r.Verdict)
		r.Statement, r.Reason, r.Said = visible(r.Statement), visible(r.Reason), visible(r.Said)
		r.Expected, r.Observed = visible(r.Expected), visible(r.Observed)
		if r.Known != nil {
			r.Known = &Known{visible(r.Known.Reason), visible(r.Known.Until)}
		}
		r.Source = Source{visible(r.Source.Document), visible(r.Source.Clause)}
		r.How, r.Breaks, r.ProvedBy = visible(r.How), visible(r.Breaks), each(r.ProvedBy, visible)
		r.Evidence = each(r.Evidence, func(p Pointer) Pointer { return Pointer{p.Exchange, visible(p.Field)} })
		return r
	})
	if r.Baseline != nil {
		out.Baseline = &Applied{visible(r.Baseline.File), visible(r.Baseline.SHA256), each(r.Baseline.Stale, func(s Stale) Stale {
			return Stale{visible(s.Requirement), visible(s.Problem), visible(s.Reason)}
		})}
	}
	out.Exchanges = each(r.Exchanges, func(x Exchange) Exchange {
		x.Step, x.Aside, x.Error = visible(x.Step), visible(x.Aside), visible(x.Error)
		x.Request = Request{visible(x.Request.Method), visible(x.Request.URL), visibleHeaders(x.Request.Headers), visibleLines(x.Request.Body)}
		if x.Response != nil {
			x.Response = &Response{x.Response.Status, visibleHeaders(x.Response.Headers), visibleLines(x.Response.Body)}
		}
		return x
	})
	return &out
}

func (t Tool) legible() Tool { return Tool{visible(t.Name), visible(t.Version), visible(t.Commit)} }

func each[T, U any](in []T, f func(T) U) []U {
	out := make([]U, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}

func visibleHeaders(in map[string][]string) map[string][]string {
	out := make(map[string][]string, len(in))
	for name, values := range in {
		out[visible(name)] = append(out[visible(name)], each(values, visible)...)
	}
	return out
}

// Legible returns text that is safe for a terminal: what cannot be printed is an
// escape, but for line breaks.
func Legible(text string) string { return visibleLines(text) }

func visibleLines(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	return strings.Join(each(lines, func(line string) string { return uncommanded(visible(line)) }), "\n")
}

// uncommanded is a line that is no command to GitHub, which takes "::" at the beginning of one for that.
func uncommanded(line string) string {
	if rest := strings.TrimLeft(line, " "); strings.HasPrefix(rest, "::") {
		return line[:len(line)-len(rest)] + `\x3a` + rest[1:]
	}
	return line
}

// commands are what GitHub and Azure take for commands anywhere in a line.
var commands = regexp.MustCompile(`(?i)#(#(?:vso)?\[)`)

// visible is the string on one line, with what cannot be printed written as in Go.
// A backslash stays one: values are quoted from JSON often enough.
func visible[S ~string](s S) S {
	if strings.Contains(string(s), "##") {
		s = S(commands.ReplaceAllString(string(s), `\x23$1`))
	}
	if strings.IndexFunc(string(s), func(r rune) bool { return !printable(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(string(s[i:]))
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case printable(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return S(b.String())
}

// printable is Go's notion, which leaves out controls, format characters such as the
// bidirectional ones, and odd spaces. U+FFFD is left out here as it is what broken
// UTF-8 reads as.
func printable(r rune) bool { return r != utf8.RuneError && strconv.IsPrint(r) }

// shorten keeps the first runes of a long value and says how long it was.
func shorten(s string, runes int) string {
	if len(s) <= runes {
		return s
	}
	n := utf8.RuneCountInString(s)
	if n <= runes {
		return s
	}
	end := 0
	for range runes {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return fmt.Sprintf("%s… (%d characters)", s[:end], n)
}
