package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/cmd/conform/internal/network"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
)

// shownTargets are as many as are told of one by one; more are in the files.
const shownTargets = 10

// matrixFiles are what is written of all targets together.
var matrixFiles = map[string]string{"json": reports.MatrixFile, "html": "merge.html", "markdown": "merge.md"}

// writeTargets writes a folder for each target, the matrix of all, and standard output.
// The exit code is that of the worst target.
func (f *runFlags) writeTargets(cmd *cobra.Command, entries []*entry, listed reports.ListRun, list []*reports.Report, evidence []*suite.Evidence) error {
	ctx := cmd.Context()
	unwritten := make([]error, len(entries))
	var wait sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0)) // it is work for the processor
	for i, e := range entries {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			one := *f
			one.live, one.out = e.live, ""
			inspect(list[i], evidence[i])
			switch {
			case f.keepsFiles(list[i]):
				one.out = e.folder(f.out)
				unwritten[i] = one.writeTarget(cmd, list[i], evidence[i])
			case f.out != "": // what an earlier run found is not true any more
				unwritten[i] = removeFiles(e.folder(f.out), targetFiles())
				_ = os.Remove(e.folder(f.out)) // if nothing else is in it
			}
			evidence[i] = nil
			stripped(list[i].Exchanges)
		})
	}
	wait.Wait()
	matrix := &reports.Matrix{Runs: []reports.ListRun{listed}}
	var failed error
	folders := 0
	for i, e := range entries {
		name := e.name
		switch {
		case unwritten[i] != nil:
			failed = errors.Join(failed, fmt.Errorf("%s: %w", e.name, unwritten[i]))
		case f.keepsFiles(list[i]):
			folders++
			name = filepath.Join(e.folder(f.out), reports.FileName("json")) // as `conform report merge` is given it
		}
		matrix.Add(name, list[i])
	}
	matrix.Finish()
	if err := f.writeMatrix(cmd, matrix, list, folders); err != nil {
		failed = errors.Join(failed, err)
	}
	verdict := matrixCode(matrix)
	if ctx.Err() != nil {
		verdict = exit{code: exitInterrupted}
	}
	return orFailed(cmd, verdict, failed)
}

// orFailed returns the worse of a verdict and of what could not be written, which is told in any case.
func orFailed(cmd *cobra.Command, verdict, unwritten error) error {
	if unwritten == nil {
		return verdict
	}
	if failed := (exit{exitFailed, unwritten}); rankOf(failed) < rankOf(verdict) {
		return failed
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "conform: "+reports.Legible(unwritten.Error()))
	return verdict
}

// targetFiles are the names of all files that a target has.
func targetFiles() []string {
	names := []string{"evidence.yaml", "evidence-failed.yaml"}
	for _, format := range reports.Formats() {
		names = append(names, reports.FileName(format))
	}
	return names
}

// keepsFiles tells whether a target has a folder.
func (f *runFlags) keepsFiles(r *reports.Report) bool {
	return f.out != "" && (f.keeps == keepAll || outcomeCode(r.Outcome) != nil)
}

// stripped leaves of exchanges what says why a target is not conformant. Their headers and bodies, which are in its files,
// are most of what a thousand targets take.
func stripped(exchanges []reports.Exchange) {
	for i := range exchanges {
		x := &exchanges[i]
		x.Request.Headers, x.Request.Body = nil, ""
		if x.Response != nil {
			x.Response = &reports.Response{Status: x.Response.Status}
		}
	}
}

// writeTarget writes the files of one target.
func (f *runFlags) writeTarget(cmd *cobra.Command, r *reports.Report, e *suite.Evidence) error {
	prove.Explain(r)
	_, err := f.files(cmd, r, e)
	return err
}

// writeMatrix writes the files, if they are asked for, and the matrix to standard output.
func (f *runFlags) writeMatrix(cmd *cobra.Command, m *reports.Matrix, list []*reports.Report, folders int) error {
	var written []string
	var unwritten error
	if f.out != "" {
		written, unwritten = matrixInto(f.out, m)
	}
	lastWord(m.Headline())
	// After the files: standard output may end this process, if nobody reads it.
	stdout := cmd.OutOrStdout()
	options := f.options(stdout)
	options.Dir = "" // reports are named from where this runs
	if f.format == "text" {
		whatFailed(stdout, list)
	}
	if err := reports.WriteMatrix(stdout, m, f.format, options); err != nil {
		return errors.Join(unwritten, fmt.Errorf("writing the matrix to standard output: %w", err))
	}
	switch {
	case unwritten != nil:
		return unwritten
	case f.quiet:
	case written == nil:
		fmt.Fprintln(cmd.ErrOrStderr(), "the evidence of this run is not kept: --out DIR keeps it, with a report for each target")
	default:
		fmt.Fprintf(cmd.ErrOrStderr(), "written: %s, and folders for %s\n", strings.Join(written, ", "), number(folders, "targets"))
	}
	return nil
}

// matrixInto writes the matrix into a directory.
func matrixInto(dir string, m *reports.Matrix) (written []string, err error) {
	for _, format := range reports.MatrixFormats() {
		if matrixFiles[format] == "" {
			continue
		}
		path := filepath.Join(dir, matrixFiles[format])
		if err := reports.WriteTo(path, func(w io.Writer) error { return reports.WriteMatrix(w, m, format, reports.Options{Dir: dir}) }); err != nil {
			return nil, err
		}
		written = append(written, path)
	}
	return written, nil
}

// urgency is lowest for a target that breaks a must: pools that are down are told of after it, however many.
func urgency(r *reports.Report) int {
	if r.Outcome == reports.Nonconformant {
		return 0
	}
	return 1
}

// whatFailed says of each target that is not conformant what is broken, or why it was not judged, the worst first.
func whatFailed(w io.Writer, list []*reports.Report) {
	told := 0
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *reports.Report) int { return urgency(a) - urgency(b) })
	for _, r := range list {
		if outcomeCode(r.Outcome) == nil {
			continue
		}
		if told++; told > shownTargets {
			continue
		}
		fmt.Fprintf(w, "%s is %s\n", line(r.Name), r.Headline())
		failures := 0
		for _, result := range r.Results {
			if result.Verdict != reports.Fail || result.Known != nil {
				continue
			}
			if failures++; failures <= shownTargets {
				fmt.Fprintf(w, "  ✗ %s\n    expected  %s\n    observed  %s\n", line(result.Requirement), line(result.Expected), line(result.Observed))
				if result.Said != "" {
					fmt.Fprintf(w, "    said      %s\n", line(result.Said))
				}
			}
		}
		if failures > shownTargets {
			fmt.Fprintf(w, "  and %d more\n", failures-shownTargets)
		}
		if failures == 0 {
			fmt.Fprintf(w, "  why       %s\n", line(whyNot(r))) // never a line that begins with what a server said: GitHub acts on some
		}
	}
	if told > shownTargets {
		fmt.Fprintf(w, "and %d more targets that are not conformant\n", told-shownTargets)
	}
	if told > 0 {
		fmt.Fprintln(w)
	}
}

// whyNot is why a report without a failure is not conformant, in a sentence.
func whyNot(r *reports.Report) string {
	if i := slices.IndexFunc(r.Notes, func(note string) bool { return strings.HasPrefix(note, tooSlow) }); i >= 0 {
		return r.Notes[i]
	}
	if i := slices.IndexFunc(r.Notes, cutNote); r.CutShort && i >= 0 {
		return r.Notes[i]
	}
	if reason := network.Advice(errorsOf(r)...); reason != "" {
		return reason
	}
	for _, note := range r.Notes {
		if strings.HasPrefix(note, "the sign-in ended here: ") || strings.HasPrefix(note, "nothing is judged") {
			return note
		}
	}
	for _, verdict := range []reports.Verdict{reports.Error, reports.Blocked, reports.NotExercised} {
		for _, result := range r.Results {
			if result.Verdict == verdict {
				why := fmt.Sprintf("%s: %s: %s", result.Requirement, verdict, cmp.Or(result.Reason, result.Observed))
				if result.Said != "" {
					why += "; the server said: " + result.Said
				}
				return why
			}
		}
	}
	return "see its report"
}

// cutNote knows the notes of a run that was cut short.
func cutNote(note string) bool {
	return strings.HasPrefix(note, interruptedNote) || strings.HasPrefix(note, "the run was over after --timeout ")
}

// line makes one line of what a server may have had a hand in, and not a long one.
func line(text string) string {
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:299]) + "…"
	}
	return oneLine(text)
}

// complement adds to a report what the command knows of its run.
func complement(r *reports.Report) {
	advise(r)
	if r.Evidence.Kind == "live" && r.Outcome == reports.Incomplete && r.Counts.Error > 0 && r.Counts.Error+r.Counts.Blocked > r.Counts.Pass {
		r.Cause = whyNot(r)
	}
}

// advise notes what to do about what failed, if it is known.
func advise(r *reports.Report) {
	for _, result := range r.Results {
		if result.Verdict == reports.Error && strings.HasPrefix(result.Reason, tooSlow) {
			if !slices.Contains(r.Notes, result.Reason) { // as where the run was cut short
				r.Notes = append(r.Notes, result.Reason)
			}
			return // what else failed may have this reason, too
		}
	}
	if advice := network.Advice(errorsOf(r)...); advice != "" {
		r.Notes = append(r.Notes, advice)
	}
}

// names are what the user calls the target.
func (f *liveFlags) names() []string {
	return []string{f.application, f.server, f.signIn.sip, f.signIn.domain}
}
