package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
	"golang.org/x/term"
)

// runFlags are the flags of `conform run`.
type runFlags struct {
	judging
	cassette    string
	live        liveFlags
	targets     string
	concurrency int
	passwords   string
	keeps       string
	shards      shardFlags
	format      string
	out         string
	verbose     bool
	quiet       bool
	noColor     bool
	showAnswers bool
	took        time.Duration // for a live server
}

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Certify: judge a recording, or a live server",
		Long: `run judges a live server or a recording by the requirements of the documented tasks. Without either
it judges the recording of the reference server that comes with conform.

A live run makes the user available, sets presence and note, gives back what was there, and deletes
its application: use an account made for it. Hosts and people have pseudonyms in all files.

Exit codes: 0 conformant, 1 nonconformant, 2 usage, 3 incomplete, 4 not judged, 130 interrupted.

` + precedence,
		Example: `  conform run --sip sip:dana@contoso.com --out report/
  conform run --cassette recording.yaml --expect known.yaml
  conform run --targets pools.yaml --out report/
  CONFORM_TOKEN=cwt=... conform run --application https://pool.example/ucwa/oauth/v1/applications/101
  conform run --format json | jq .outcome`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	f.reporting(cmd)
	flags.StringVar(&f.cassette, "cassette", "", "judge this recording: a go-vcr v3 file, or documentation/set-presence and others")
	f.live.add(cmd)
	f.addTargets(cmd)
	configurable(cmd)
	err := cmd.RegisterFlagCompletionFunc("cassette", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return cassettes.Names(), cobra.ShellCompDirectiveDefault
	})
	if err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

// reporting adds the flags that say what is judged and how it is reported.
func (f *runFlags) reporting(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.judgingFlags(cmd)
	flags.StringVar(&f.format, "format", "text", "of standard output: "+strings.Join(reports.Formats(), ", "))
	flags.StringVar(&f.out, "out", "", "write JSON, JUnit, HTML, Markdown and the evidence into this directory")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "show every requirement in the text")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write no progress and no notes to standard error")
	flags.BoolVar(&f.noColor, "no-color", false, "no colour; so do the environment variables NO_COLOR and TERM=dumb")
	flags.BoolVar(&f.showAnswers, "show-answers", false, "behind the report, print the exchanges that failed as they were, unmasked: on a terminal only")
	complete(cmd, "format", reports.Formats)
	outDirectory(cmd)
}

// answers prints, unmasked except for credentials, the exchanges on which failures rest.
func (f *runFlags) answers(w io.Writer, r *reports.Report, e *suite.Evidence) {
	failed := map[int]bool{}
	for _, result := range r.Results {
		if result.Verdict == reports.Fail && len(result.Evidence) > 0 {
			failed[result.Evidence[0].Exchange] = true
		}
	}
	for _, x := range e.Received() {
		if !failed[x.ID] {
			continue
		}
		c := (&cassettes.Cassette{Exchanges: []cassettes.Exchange{x.Exchange}}).Redacted()
		shown := c.Exchanges[0]
		fmt.Fprintf(w, "\nexchange %d, as it was\n%s %s\n", x.ID, reports.Legible(shown.Request.Method), reports.Legible(shown.Request.URL))
		part := func(h http.Header, body string) {
			for _, name := range slices.Sorted(maps.Keys(h)) {
				for _, value := range h[name] {
					fmt.Fprintf(w, "  %s: %s\n", reports.Legible(name), reports.Legible(value))
				}
			}
			if body != "" {
				fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(reports.Legible(body), "\n", "\n  "))
			}
		}
		part(shown.Request.Headers, shown.Request.Body)
		fmt.Fprintf(w, "%s %s\n", reports.Legible(shown.Response.Status), reports.Legible(shown.Failure))
		part(shown.Response.Headers, shown.Response.Body)
	}
}

func (f *runFlags) run(cmd *cobra.Command) error {
	if err := f.knownFormat(); err != nil {
		return err
	}
	if err := f.consistent(cmd); err != nil {
		return err
	}
	if f.targets != "" {
		return f.runTargets(cmd)
	}
	recording := f.open()
	if _, err := f.chosen(); err != nil {
		return err
	}
	if err := f.known.read(cmd); err != nil {
		return err
	}
	if f.out != "" { // before a live server is asked anything
		if err := writable(f.out); err != nil {
			return exit{exitFailed, err}
		}
	}
	began := time.Now()
	evidence, err := f.gather(cmd, recording)
	if f.live.given() {
		f.took = time.Since(began)
	}
	if err != nil {
		return err
	}
	list, err := f.judge(evidence)
	if err != nil {
		return err
	}
	report := list[0]
	complement(report)
	if recording != nil && cmd.Context().Err() != nil { // of a live run its driver knows whether it ended early
		report.Notes = append(report.Notes, "interrupted: the run ended before all was judged")
		report.CutShort = true
		report.Tally()
	}
	f.known.hold(list, func(int) []string { return f.live.names() })
	f.accept(list)
	if err := f.write(cmd, report, evidence); err != nil {
		return exit{exitFailed, err}
	}
	return f.code(cmd.Context(), report)
}

func (f *runFlags) knownFormat() error {
	if !slices.Contains(reports.Formats(), f.format) {
		return usage("unknown format %q%s; the formats are: %s", f.format, suite.Nearest(f.format, reports.Formats()), strings.Join(reports.Formats(), ", "))
	}
	return nil
}

// consistent refuses flags that contradict each other, or that would be ignored:
// a script whose variable is empty must not get a verdict about something else.
func (f *runFlags) consistent(cmd *cobra.Command) error {
	for _, name := range []string{"application", "target", "cassette", "out", "token-file", "cacert", "client-cert", "client-key", "origin", "sip", "domain", "autodiscover", "username", "password-file", "grant", "meeting", "targets", "passwords", "shard", "run"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			return usage("--%s is empty: give it a value, or leave it out", name)
		}
	}
	if err := f.consistentTargets(cmd); err != nil || f.targets != "" {
		return err
	}
	if f.live.given() && f.cassette != "" {
		return usage("--cassette excludes --application and --sip: a recording or a live server")
	}
	if f.live.given() {
		return f.live.consistent(cmd)
	}
	for _, name := range liveOnly {
		if cmd.Flags().Changed(name) {
			return usage("--%s is for a live run: add --sip ADDRESS, or --application URL", name)
		}
	}
	return nil
}

// outDirectory has the shell complete --out with directories.
func outDirectory(cmd *cobra.Command) {
	if err := cmd.MarkFlagDirname("out"); err != nil {
		panic(err) // the flag was not defined: a mistake in this program
	}
}

// writable makes the directory and tries it. The name is always the same, so that a
// run which is killed here leaves nothing that the next does not take away.
func writable(dir string, names ...string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("--out: cannot make the directory %s: %w", dir, err)
	}
	name := filepath.Join(dir, ".conform-try")
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("--out: cannot write into %s: %w", dir, err)
	}
	file.Close()
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--out: cannot write into %s: %w", dir, err)
	}
	for _, name := range names {
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("--out: cannot write anew: %w", err)
		}
		file.Close()
	}
	return nil
}

// open begins to read the recording, if one is to be judged, while the ledger is
// read: both take some milliseconds.
func (f *runFlags) open() func(context.Context) (*cassettes.Cassette, error) {
	if f.live.given() {
		return nil
	}
	return begin(func() (*cassettes.Cassette, error) {
		c, err := cassettes.Open(cmp.Or(f.cassette, "reference/set-presence"))
		if err != nil {
			return nil, unread(err)
		}
		return c, nil
	})
}

// begin begins to read, and returns what waits for the end of it. An interrupt
// ends the waiting: a file can be a pipe into which nobody writes.
func begin[T any](read func() (T, error)) func(context.Context) (T, error) {
	var value T
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		value, err = read()
	}()
	return func(ctx context.Context) (T, error) {
		select {
		case <-done:
			return value, err
		case <-ctx.Done():
			var none T
			return none, exit{exitInterrupted, errors.New("interrupted while a file was read")}
		}
	}
}

// gather makes the evidence: by driving a live server, by replaying a recording
// of ours, or by locating the steps in one that others made.
func (f *runFlags) gather(cmd *cobra.Command, recording func(context.Context) (*cassettes.Cassette, error)) (*suite.Evidence, error) {
	ctx := cmd.Context()
	if recording == nil {
		return f.live.drive(cmd, f.tasks, f.quiet)
	}
	c, err := recording(ctx)
	if err != nil {
		return nil, err
	}
	m := masker(nil, true)
	if slices.Contains(cassettes.Names(), c.Name) { // which come with the program
		m = nil
	}
	if c.Provenance.Task != "" {
		e, err := suite.ReplayMasked(ctx, c, m, f.tasks...)
		if err != nil {
			return nil, exit{exitFailed, err}
		}
		return e, nil
	}
	tasks := f.tasks
	if c.Provenance.Kind != "documentation" || len(f.selection.Requirements) > 0 { // a transcript is of the task that its page tells of
		tasks = shownIn(tasks, f.selection)
	}
	list, err := suite.LocateMasked(c, m, tasks...)
	if err != nil {
		return nil, exit{exitFailed, err}
	}
	return one(c.Name, list)
}

// one refuses traffic of several applications, of which a report would show only one.
func one(name string, list []*suite.Evidence) (*suite.Evidence, error) {
	if len(list) == 1 {
		return list[0], nil
	}
	var urls []string
	for _, e := range list {
		urls = append(urls, e.Application())
	}
	return nil, exit{exitFailed, fmt.Errorf("%s holds the traffic of %d applications; `conform check` judges each, or the one that it is told to. They are:\n  %s", name, len(list), strings.Join(urls, "\n  "))}
}

// write writes the report to standard output, and the files if they are asked for.
func (f *runFlags) write(cmd *cobra.Command, r *reports.Report, e *suite.Evidence) error {
	stdout := cmd.OutOrStdout()
	if f.format != "text" || f.out != "" { // which show it
		prove.Explain(r)
	}
	inspect(r, e)
	lastWord(r.Headline() + ": " + r.Counts.String())
	// The files first: standard output may end this process, if nobody reads it.
	// Where they cannot be written the verdict is not lost with them.
	written, unwritten := f.files(cmd, r, e)
	options := f.options(stdout)
	if unwritten != nil {
		options.Dir = ""
	}
	shown := r
	if f.format == "text" && isTerminal(stdout) {
		shown = named(r, e)
	}
	if err := reports.Write(stdout, shown, f.format, options); err != nil {
		return errors.Join(unwritten, fmt.Errorf("writing the report to standard output: %w", err))
	}
	if f.showAnswers && isTerminal(stdout) {
		f.answers(stdout, r, e)
	}
	switch {
	case unwritten != nil:
		return unwritten
	case f.quiet:
	case written != nil:
		fmt.Fprintln(cmd.ErrOrStderr(), "written: "+strings.Join(written, ", "))
	case f.live.given():
		fmt.Fprintln(cmd.ErrOrStderr(), "the evidence of this run is not kept: --out DIR keeps it beside the report, to be judged again")
	}
	return nil
}

// options are how standard output is written.
func (f *runFlags) options(stdout io.Writer) reports.Options {
	return reports.Options{Verbose: f.verbose, Color: colourful(f.noColor, stdout), Width: width(stdout), Dir: f.out, Took: f.took, ASCII: onlyASCII(stdout)}
}

// files writes the report and its evidence into the directory that is asked for, if one is.
func (f *runFlags) files(cmd *cobra.Command, r *reports.Report, e *suite.Evidence) (written []string, err error) {
	if f.out == "" {
		return nil, nil
	}
	if written, err = reports.WriteFiles(f.out, r); err != nil {
		return written, err
	}
	evidence, err := f.keep(cmd, e)
	switch {
	case err == nil:
		written = append(written, evidence)
	case !errors.Is(err, cassettes.ErrEmpty):
		return written, err
	case !f.quiet: // what lies there is of an earlier run
		fmt.Fprintf(cmd.ErrOrStderr(), "no evidence is written into %s: no exchange was answered\n", reports.Legible(f.out))
	}
	return written, nil
}

// inspect is the second line of what masks a report: it looks for known secrets and identities in what is said of the evidence. The
// evidence itself was looked through when it was masked.
func inspect(r *reports.Report, e *suite.Evidence) {
	m := e.Masker()
	if m == nil {
		return
	}
	before := m.Found()
	for i := range r.Results {
		result := &r.Results[i]
		for _, text := range []*string{&result.Expected, &result.Observed, &result.Reason, &result.Said} {
			*text = m.Clean(*text)
		}
	}
	for i := range r.Notes {
		r.Notes[i] = m.Clean(r.Notes[i])
	}
	r.Cause = m.Clean(r.Cause)
	r.Evidence.Source = m.Clean(r.Evidence.Source) // the name of a file can hold what was masked in it
	if n := e.Found() + m.Found() - before; n > 0 {
		r.Notes = append(r.Notes, removed(n))
	}
}

// keep writes the evidence beside the report, where a good recording of an earlier run
// stays: beside it then, under a name that anything may take again. A good run takes that away.
func (f *runFlags) keep(cmd *cobra.Command, e *suite.Evidence) (path string, err error) {
	path = filepath.Join(f.out, "evidence.yaml")
	why := ""
	if f.live.given() {
		why = inferior(cmd.Context(), e, path)
	}
	failed := filepath.Join(f.out, "evidence-failed.yaml")
	if why == "" {
		if err = e.Recording.Save(path); err == nil {
			if err := os.Remove(failed); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return path, fmt.Errorf("what an earlier run left: %w", err)
			}
		}
		if !errors.Is(err, cassettes.ErrFailed) {
			return path, err
		}
		why = "this run has failed exchanges"
	}
	if !f.quiet {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s is kept as it was: %s\n", reports.Legible(path), reports.Legible(why))
	}
	path = failed
	if err = e.Recording.Save(path); errors.Is(err, cassettes.ErrFailed) {
		if err = os.Remove(path); err == nil {
			err = e.Recording.Save(path)
		}
	}
	return path, err
}

// colourful reports whether colours are written: on a terminal that has them, unless they were refused.
func colourful(refused bool, w io.Writer) bool {
	return !refused && os.Getenv("NO_COLOR") == "" && drawable(w)
}

// drawable reports whether w is a terminal that obeys escape sequences.
func drawable(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && isTerminal(w) && enableEscapes(file)
}

// onlyASCII reports whether the terminal was said to have a character set that is not UTF-8.
func onlyASCII(w io.Writer) bool {
	set := strings.ToUpper(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG")))
	return set != "" && !strings.Contains(strings.ReplaceAll(set, "-", ""), "UTF8") && isTerminal(w)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// width returns the columns of a terminal, 0 where there is none.
func width(w io.Writer) int {
	file, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return min(columns, 120)
}
