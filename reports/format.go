package reports

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Options is how a report is shown. The zero value suits a file.
type Options struct {
	Color   bool          // ANSI colours, in text only
	Width   int           // where lines of text are wrapped; 0 is 100
	ASCII   bool          // nothing else in text, for a terminal without UTF-8
	Verbose bool          // text shows every pass as well
	Dir     string        // where the evidence is kept, for what to do next, or where a matrix is written, for the names of its reports; "" if that is not known
	Took    time.Duration // how long the run took, which the text says; 0 is not known
	SHA256  string        // of the report's own file, for the attestation; "" is that of the JSON that Write writes
}

// form is one form of a report, or of something made of reports.
type form[T any] struct {
	name, file string
	render     func(io.Writer, T, Options) error
}

// whole is for forms that are short, or known only when all is: it writes them at once.
func whole[T any](render func(T, Options) ([]byte, error)) func(io.Writer, T, Options) error {
	return func(w io.Writer, what T, opts Options) error {
		data, err := render(what, opts)
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
}

// formats is a function and not a variable so that nothing is built before it is asked for.
func formats() []form[*Report] {
	return []form[*Report]{
		{"text", "report.txt", whole(renderText)},
		{"json", "report.json", renderJSON},
		{"junit", "junit.xml", renderJUnit},
		{"html", "report.html", whole(renderHTML)},
		{"markdown", "report.md", whole(renderMarkdown)},
		{"csv", "report.csv", renderCSV},
		{"github", "annotations.txt", whole(renderGitHub)},
		{"badge", "badge.json", whole(renderBadge)},
		{"intoto", "attestation.json", whole(renderInToto)},
		{"prometheus", "conform.prom", whole(renderPrometheus)},
	}
}

// Formats is the names that [Write] knows.
func Formats() []string { return namesOf(formats()) }

// Repeatable is the names of those in which several reports can follow each other; of the others a file holds one.
func Repeatable() []string { return []string{"text", "json", "markdown"} }

// FileName is the name of a report's file in this format, or "" if there is no such format.
func FileName(name string) string {
	for _, f := range formats() {
		if f.name == name {
			return f.file
		}
	}
	return ""
}

// Write writes the report in one of the [Formats]. Nothing is written unless all of it, or the first 64 KiB, can be rendered.
func Write(w io.Writer, r *Report, format string, opts Options) error {
	return write(w, r, format, opts, formats())
}

func namesOf[T any](forms []form[T]) []string {
	return each(forms, func(f form[T]) string { return f.name })
}

func write[T any](w io.Writer, what T, format string, opts Options, forms []form[T]) error {
	i := slices.IndexFunc(forms, func(f form[T]) bool { return f.name == format })
	if i < 0 {
		return fmt.Errorf("unknown report format %q; there are %s", format, strings.Join(namesOf(forms), ", "))
	}
	out := &outlet{w: w}
	b := bufio.NewWriterSize(out, heldBack)
	if err := forms[i].render(b, what, opts); out.err == nil && err != nil {
		return fmt.Errorf("report as %s: %w", format, err)
	}
	if out.err != nil {
		return out.err
	}
	return b.Flush()
}

// outlet keeps the error of writing, which is none of rendering.
type outlet struct {
	w   io.Writer
	err error
}

func (o *outlet) Write(b []byte) (n int, err error) {
	n, o.err = o.w.Write(b)
	return n, o.err
}

// heldBack is how much is rendered, in bytes, before any of it is written.
const heldBack = 64 << 10
