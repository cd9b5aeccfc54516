package reports

import (
	"fmt"
	"io"
	"strings"
)

// Options is how a report is shown to people. The zero value suits a file.
type Options struct {
	Color   bool // ANSI colours, in text only
	Width   int  // where lines of text are wrapped; 0 is 100
	Verbose bool // text shows every pass as well
}

// format is one form of a report.
type format struct {
	name, file string
	render     func(*Report, Options) ([]byte, error)
}

// formats is a function and not a variable so that nothing is built before it is asked for.
func formats() []format {
	return []format{
		{"text", "report.txt", renderText},
		{"json", "report.json", renderJSON},
		{"junit", "junit.xml", renderJUnit},
		{"html", "report.html", renderHTML},
		{"markdown", "report.md", renderMarkdown},
	}
}

// Formats is the names that [Write] knows.
func Formats() []string {
	return each(formats(), func(f format) string { return f.name })
}

// FileName is the name of a report's file in this format, or "" if there is no such format.
func FileName(name string) string {
	for _, f := range formats() {
		if f.name == name {
			return f.file
		}
	}
	return ""
}

// Write writes the report in one of the [Formats]. Nothing is written unless all of it can be rendered.
func Write(w io.Writer, r *Report, format string, opts Options) error {
	for _, f := range formats() {
		if f.name != format {
			continue
		}
		data, err := f.render(r, opts)
		if err != nil {
			return fmt.Errorf("report as %s: %w", format, err)
		}
		_, err = w.Write(data)
		return err
	}
	return fmt.Errorf("unknown report format %q; there are %s", format, strings.Join(Formats(), ", "))
}
