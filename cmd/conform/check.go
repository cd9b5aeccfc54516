package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/cassettes/capture"
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// checkFlags are the flags of `conform check`.
type checkFlags struct {
	runFlags
	choice    choice
	words     []string
	keepNames bool
}

func newCheck() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check CAPTURE...",
		Short: "Judge traffic that a browser or a proxy captured",
		Long: `check judges captured traffic, server and client: HAR, as Chrome, Firefox, Fiddler, mitmproxy and
Charles save it, Fiddler's archives (SAZ), and cassettes of go-vcr v1 to v4; - is standard input.

Each application in a capture has a report of its own: --user and --application choose one. With
several, --out DIR has a directory for each, and the exit code is the worst. What a capture does not
show is not exercised. Hosts and people have pseudonyms in all that is written.

Exit codes: 0 conformant, 1 nonconformant, 2 usage, 3 incomplete, or the capture holds no
exchange of UCWA; 4 a file cannot be read, 130 interrupted.`,
		Example: `  conform check session.har
  conform check session.saz --subject client --out report/
  conform check monday.har tuesday.har --user sip:dana@contoso.com
  conform check session.har --user 2 --keep-names --verbose
  mitmdump -nr flows --set hardump=- | conform check - --format json | jq .outcome`,
		Args: needsCapture,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.reporting(cmd)
	f.choice.add(cmd)
	hidingFlags(cmd, &f.words, &f.keepNames)
	completeCaptures(cmd)
	return cmd
}

func needsCapture(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage("%s needs a capture: %s", cmd.Name(), cmd.UseLine())
	}
	return nil
}

// completeCaptures has the shell complete arguments with the files that captures are in.
func completeCaptures(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"har", "saz", "yaml", "json"}, cobra.ShellCompDirectiveFilterFileExt
	}
}

// hidingFlags are those that say what the outcome may show.
func hidingFlags(cmd *cobra.Command, words *[]string, keepNames *bool) {
	cmd.Flags().StringArrayVar(words, "redact", nil, "hide this word too, of 3 characters or more; can be repeated")
	cmd.Flags().BoolVar(keepNames, "keep-names", false, "keep hosts, people and addresses where the protocol has them")
}

func (f *checkFlags) run(cmd *cobra.Command, files []string) error {
	if err := f.knownFormat(); err != nil {
		return err
	}
	for _, name := range []string{"out", "user", "application"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			return usage("--%s is empty: give it a value, or leave it out", name)
		}
	}
	if err := wordsToHide(f.words, f.keepNames); err != nil {
		return err
	}
	if _, err := f.chosen(); err != nil {
		return err
	}
	if err := f.known.read(cmd); err != nil {
		return err
	}
	if f.out != "" {
		if err := writable(f.out); err != nil {
			return exit{exitFailed, err}
		}
	}
	evidence, none, err := f.gather(cmd, files)
	if err != nil {
		return err
	}
	if evidence, err = f.choice.of(evidence); err != nil {
		return err
	}
	if len(evidence) > 1 && !slices.Contains(reports.Repeatable(), f.format) {
		return usage("--format %s holds one report, and there are %d: choose one by --user or --application, or give --out DIR without --format\n%s",
			f.format, len(evidence), listOf(evidence))
	}
	if err := cmd.Context().Err(); err != nil {
		return exit{exitInterrupted, errors.New("interrupted: no report is written")}
	}
	list, err := f.judge(evidence...)
	if err != nil {
		return err
	}
	f.known.hold(list, func(i int) []string { return []string{evidence[i].Application(), evidence[i].User()} })
	f.accept(list)
	if err := f.writeAll(cmd, list, evidence); err != nil {
		return failed(err)
	}
	return f.worst(cmd.Context(), list, none)
}

// gather reads the captures and locates the clients in them. If some captures hold none
// of UCWA, none says so.
func (f *checkFlags) gather(cmd *cobra.Command, files []string) (evidence []*suite.Evidence, none, err error) {
	m := masker(f.words, f.keepNames)
	for _, file := range files {
		c, err := readCapture(cmd, f.quiet, file)
		if err != nil {
			return nil, nil, err
		}
		if len(c.Exchanges) == 0 {
			none = exit{exitIncomplete, nothingIn(file, c)}
			if len(files) > 1 {
				fmt.Fprintln(cmd.ErrOrStderr(), "conform: "+reports.Legible(none.Error()))
			}
			continue
		}
		list, err := during(cmd, f.quiet, "looking for the clients in "+file, func() ([]*suite.Evidence, error) {
			return f.locate(cmd.Context(), c, m)
		})
		if err != nil {
			return nil, nil, failedAt(file, err)
		}
		for _, e := range list {
			for _, note := range c.Notes {
				e.Notes = append(e.Notes, e.Hide(note))
			}
			if e.SHA256 == "" || len(list) > 1 {
				e.SHA256 = hashOf(e.Recording)
			}
		}
		evidence = append(evidence, list...)
	}
	if len(evidence) > 0 {
		return evidence, none, nil
	}
	if len(files) > 1 {
		none = exit{code: exitIncomplete} // all is said
	}
	return nil, nil, none
}

// locate finds the clients in a capture, or replays it where conform's own driver made it.
func (f *checkFlags) locate(ctx context.Context, c *capture.Capture, m *mask.Masker) (list []*suite.Evidence, err error) {
	if c.Provenance.Task != "" {
		var e *suite.Evidence
		if e, err = suite.ReplayMasked(ctx, c.Cassette, m, f.tasks...); err == nil {
			list = append(list, e)
		}
	} else {
		list, err = suite.LocateMasked(c.Cassette, m, shownIn(f.tasks, f.selection)...)
	}
	if !f.keepNames {
		for _, e := range list {
			e.Notes = append(e.Notes, suite.Pseudonyms)
		}
	}
	return list, err
}

// readCapture reads a capture of any format; an interrupt ends it.
func readCapture(cmd *cobra.Command, quiet bool, file string) (*capture.Capture, error) {
	if os.Getenv("GOMEMLIMIT") == "" { // a capture can be as large as a disk, while little of it is ever kept
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(maxMemory))
	}
	c, err := during(cmd, quiet, "reading "+file, func() (*capture.Capture, error) { return capture.Open(file) })
	if err != nil {
		return nil, unread(err)
	}
	c.Name = filepath.Base(c.Name) // a report names no directory of whoever made it
	return c, nil
}

// maxMemory is from where on the collector works hard, in bytes. What is done with what was kept may need more, and would
// take thrice as long.
const maxMemory = 200 << 20

// failed is an error that ends the command with 4; one that has its exit code, as an interrupt has, stays what it is.
func failed(err error) error {
	if errors.As(err, new(exit)) {
		return err
	}
	return exit{exitFailed, err}
}

// unread is an error of a file that was to be read. One that is not there was named wrongly, as a flag or an argument is.
func unread(err error) error {
	if errors.Is(err, fs.ErrNotExist) && !errors.As(err, new(exit)) {
		return exit{exitUsage, err}
	}
	return failed(err)
}

// failedAt is the same, with the file in which it happened.
func failedAt(file string, err error) error {
	if errors.As(err, new(exit)) {
		return err
	}
	return exit{exitFailed, fmt.Errorf("%s: %w", file, err)}
}

// nothingIn says that there is no exchange of UCWA in a capture, and what is there.
func nothingIn(file string, c *capture.Capture) error {
	text := fmt.Sprintf("%s: no exchange of UCWA is in it; it was read as %s, and has %s", file, c.Format, number(c.Seen, "exchanges"))
	if n := len(c.Hosts); n > 0 {
		shown := slices.Clone(c.Hosts[:min(n, 10)])
		for i, host := range shown {
			shown[i] = host[:min(len(host), 100)]
		}
		text += " with these hosts: " + strings.Join(shown, ", ")
		if n > len(shown) {
			text += fmt.Sprintf(" and %d more", n-len(shown))
		}
	}
	for _, note := range c.Notes {
		text += "\n  " + note
	}
	return errors.New(text + "\n  begin the capture before the client signs in, and let the tool decrypt TLS")
}

// choice is of one or more of the clients in captures.
type choice struct{ user, application string }

func (c *choice) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.user, "user", "", "only this user: a SIP address, or a number as the summary shows it")
	cmd.Flags().StringVar(&c.application, "application", "", "only this application: its URL, or its id")
}

// of returns the chosen ones.
func (c *choice) of(all []*suite.Evidence) ([]*suite.Evidence, error) {
	var chosen []*suite.Evidence
	for i, e := range all {
		if (c.user == "" || c.user == strconv.Itoa(i+1) || c.isUser(e)) && (c.application == "" || c.isApplication(e)) {
			chosen = append(chosen, e)
		}
	}
	if len(chosen) > 0 {
		return chosen, nil
	}
	wanted := strings.TrimSpace(c.user + " " + c.application)
	return nil, usage("%q is none of the %d that were found (--keep-names shows the names):\n%s", wanted, len(all), listOf(all))
}

// isUser compares with what the evidence shows, which may be a pseudonym.
func (c *choice) isUser(e *suite.Evidence) bool {
	uri := "sip:" + strings.TrimPrefix(strings.ToLower(c.user), "sip:")
	is := strings.ToLower(e.User())
	return is != "" && (is == uri || e.Masker() != nil && is == strings.ToLower(e.Masker().Account(uri)))
}

func (c *choice) isApplication(e *suite.Evidence) bool {
	wanted := strings.TrimSuffix(c.application, "/")
	is := strings.TrimSuffix(e.Application(), "/")
	list := []string{wanted}
	if m := e.Masker(); m != nil {
		list = append(list, m.URL(wanted))
	}
	for _, w := range list {
		if is != "" && (is == w || strings.HasSuffix(is, "/"+w)) {
			return true
		}
	}
	return false
}

// listOf shows the clients that were found, by number.
func listOf(all []*suite.Evidence) string {
	var b strings.Builder
	for i, e := range all {
		fmt.Fprintf(&b, "  %d  %s\n", i+1, clientName(e))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// clientName names a client by its user and its application.
func clientName(e *suite.Evidence) string {
	user, application := e.User(), e.Application()
	if user == "" {
		user = "a user whom the capture does not name"
	}
	if application == "" {
		application = "no application"
	}
	return user + "  " + application
}

// writeAll writes the report of each client, and where there are several a summary. An interrupt ends it between two.
func (f *checkFlags) writeAll(cmd *cobra.Command, list []*reports.Report, evidence []*suite.Evidence) error {
	if len(list) == 1 {
		return f.write(cmd, list[0], evidence[0])
	}
	stdout := cmd.OutOrStdout()
	var problems error
	var summary strings.Builder
	for i, r := range list {
		if cmd.Context().Err() != nil {
			return exit{exitInterrupted, fmt.Errorf("interrupted: %d of %s are written", i, number(len(list), "reports"))}
		}
		one := f.runFlags
		if f.out != "" {
			one.out = filepath.Join(f.out, fmt.Sprintf("client-%d", i+1))
		}
		problems = errors.Join(problems, one.writeOne(cmd, r, evidence[i]))
		fmt.Fprintf(&summary, "  %d  %-13s  %s\n     %s\n", i+1, r.Outcome, clientName(evidence[i]), r.Counts)
		if f.format == "text" {
			fmt.Fprintln(stdout)
		}
	}
	if f.format != "text" {
		return problems
	}
	_, err := fmt.Fprintf(stdout, "%d clients\n%s", len(list), reports.Legible(summary.String()))
	return errors.Join(problems, err)
}

// writeOne writes one report of several: as JSON on one line.
func (f *runFlags) writeOne(cmd *cobra.Command, r *reports.Report, e *suite.Evidence) error {
	if f.format != "json" {
		return f.write(cmd, r, e)
	}
	stdout := cmd.OutOrStdout()
	var whole, line bytes.Buffer
	cmd.SetOut(&whole)
	unwritten := f.write(cmd, r, e)
	cmd.SetOut(stdout)
	if whole.Len() == 0 {
		return unwritten
	}
	if err := json.Compact(&line, whole.Bytes()); err != nil {
		return err
	}
	line.WriteByte('\n')
	_, err := stdout.Write(line.Bytes())
	return errors.Join(unwritten, err)
}
