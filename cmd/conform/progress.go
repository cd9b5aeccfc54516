package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"golang.org/x/term"
)

// progress shows what a command waits for: on a terminal in lines that are drawn anew and
// gone at the end; in the log of a CI job, and on a terminal that cannot be drawn on, as a
// line for each step, or each target. Elsewhere, in a pipe or a file, it is a line every ten seconds.
type progress struct {
	sync.Mutex
	w       io.Writer
	live    bool
	plain   bool
	sparing bool // a line every ten seconds is all
	size    func() (columns, rows int)
	began   time.Time
	all     int // targets; 0: the command has but one thing to do
	done    int
	running []*work
	drawn   int // lines on the terminal
	over    chan struct{}
	ended   sync.WaitGroup
}

// work is one of the things that are being done.
type work struct {
	p     *progress
	name  string // of a target, "" if there is but one
	what  suite.Waiting
	tried [2]int    // of how many things of one kind, so many are done, as far as that is known
	verb  string    // and what was done with them
	since time.Time // it waits for that
	began time.Time
}

// redraw is how often the lines of a terminal are drawn; the first come after as long, so
// that what is done by then shows nothing.
const redraw = 500 * time.Millisecond

// showProgress begins to show what becomes of so many targets, 0 for a command that has none.
func showProgress(w io.Writer, quiet bool, all int) *progress {
	p := &progress{w: w, all: all, began: time.Now(), over: make(chan struct{})}
	terminal := isTerminal(w)
	p.live, p.plain = showing(quiet, terminal, os.Getenv)
	if p.live && !drawable(w) {
		p.live, p.plain = false, true
	}
	p.sparing = !p.live && !p.plain && !quiet
	if p.sparing {
		p.ended.Go(func() { p.sayNowAndThen(time.Tick(sparingly)) })
	}
	if !p.live {
		return p
	}
	p.size = func() (int, int) {
		columns, rows, err := term.GetSize(int(w.(*os.File).Fd()))
		if err != nil || columns < 1 || rows < 1 {
			return 80, 24
		}
		return columns, rows
	}
	p.ended.Go(func() {
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		for {
			select {
			case <-p.over:
				p.draw(nil)
				return
			case <-tick.C:
				p.Lock()
				columns, rows := p.size()
				lines := p.lines(time.Now(), min(rows-1, 10))
				p.Unlock()
				for i := range lines {
					lines[i] = fit(lines[i], columns-1)
				}
				p.draw(lines)
			}
		}
	})
	return p
}

// sparingly is how often a line is written where nothing can be drawn.
const sparingly = 10 * time.Second

// sayNowAndThen writes a line at each tick. It names no host and no person: a log outlives the run, and others read it.
func (p *progress) sayNowAndThen(ticks <-chan time.Time) {
	for {
		select {
		case <-p.over:
			return
		case now := <-ticks:
			p.Lock()
			fmt.Fprintln(p.w, p.summary(now))
			p.Unlock()
		}
	}
}

// summary is how far the command is, in a line.
func (p *progress) summary(now time.Time) string {
	elapsed := now.Sub(p.began)
	switch {
	case p.all > 0:
		return fmt.Sprintf("%s  %d of %d targets done, %d running%s", seconds(elapsed), p.done, p.all, len(p.running), remaining(elapsed, p.done, p.all))
	case len(p.running) == 0:
		return seconds(elapsed)
	}
	w := p.running[0]
	if all := w.tried[1]; all > 0 {
		return seconds(elapsed) + "  " + w.counted() + remaining(elapsed, w.tried[0], all)
	}
	return strings.TrimSuffix(seconds(elapsed)+"  "+cmp.Or(stepOf(w.what), "at work"), ": ")
}

// remaining estimates how long the rest takes, from what is done; it says nothing of the first seconds, or of the last of many.
func remaining(elapsed time.Duration, done, all int) string {
	if done == 0 || done >= all || elapsed < 2*time.Second {
		return ""
	}
	return ", about " + seconds(time.Duration(float64(elapsed)/float64(done)*float64(all-done))) + " left"
}

// counted says how many are done.
func (w *work) counted() string { return fmt.Sprintf("%d of %d %s", w.tried[0], w.tried[1], w.verb) }

// count says how many of the things to do are done.
func (w *work) count(done, all int, verb string) {
	w.p.Lock()
	defer w.p.Unlock()
	w.tried, w.verb = [2]int{done, all}, verb
}

// showing decides how progress is shown: drawn, or a line a step, or neither of them: sparingly, unless it is to be quiet.
func showing(quiet, terminal bool, getenv func(string) string) (live, plain bool) {
	ci := getenv("GITHUB_ACTIONS") != "" || slices.Contains([]string{"true", "1"}, strings.ToLower(getenv("CI")))
	switch {
	case quiet:
		return false, false
	case terminal:
		dumb := getenv("TERM") == "dumb"
		return !dumb, dumb
	}
	return false, ci
}

// draw takes back the lines that stand there, and writes these.
func (p *progress) draw(lines []string) {
	if p.drawn == 0 && len(lines) == 0 {
		return
	}
	var b strings.Builder
	b.WriteByte('\r')
	if p.drawn > 1 {
		fmt.Fprintf(&b, "\x1b[%dA", p.drawn-1)
	}
	b.WriteString("\x1b[J" + strings.Join(lines, "\r\n"))
	p.drawn = len(lines)
	fmt.Fprint(p.w, b.String())
}

// lines are what stands on the terminal, at most so many.
func (p *progress) lines(now time.Time, most int) []string {
	if p.all == 0 {
		if len(p.running) == 0 || p.running[0].tried[1] > 0 {
			return []string{p.summary(now)}
		}
		return []string{seconds(now.Sub(p.began)) + "  " + p.running[0].line(now)}
	}
	lines := []string{p.summary(now)}
	longest := slices.SortedStableFunc(slices.Values(p.running), func(a, b *work) int { return a.began.Compare(b.began) })
	for i, w := range longest {
		if len(lines) == most-1 && i < len(longest)-1 {
			return append(lines, fmt.Sprintf("  and %d more", len(longest)-i))
		}
		lines = append(lines, fmt.Sprintf("  %s  %s  %s", reports.Legible(w.name), seconds(now.Sub(w.began)), w.line(now)))
	}
	return lines
}

// line says what a work is at, and how long it has waited for it.
func (w *work) line(now time.Time) string {
	if w.what == (suite.Waiting{}) {
		return "beginning"
	}
	text := stepOf(w.what) + oneLine(w.what.For)
	switch waited := now.Sub(w.since); {
	case w.what.Most <= 0:
		return text
	case waited < time.Second:
		return text + ", at most " + seconds(w.what.Most)
	default:
		return text + ", " + seconds(waited) + " of at most " + seconds(w.what.Most)
	}
}

// stepOf is the task and the step, "" if what is waited for belongs to none.
func stepOf(w suite.Waiting) string {
	switch {
	case w.Task == "":
		return ""
	case w.Step == "":
		return w.Task + ": "
	}
	return w.Task + ", " + cmp.Or(map[string]string{"pre": "before", "event": "event", "refusal": "refusals"}[w.Step], "step "+w.Step) + ": "
}

// oneLine is what a server may have had a hand in, on one line.
func oneLine(text string) string { return strings.ReplaceAll(reports.Legible(text), "\n", `\n`) }

func seconds(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", max(0, d.Round(time.Second)/time.Second))
	}
	return d.Round(time.Second).String()
}

// fit cuts a line to so many columns. What may be as wide as two counts as two.
func fit(line string, columns int) string {
	used := 0
	for i, r := range line {
		wide := 1
		if r >= 0x1100 && (r < 0x2000 || r > 0x2bff) {
			wide = 2
		}
		if used += wide; used > columns {
			kept := []rune(line[:i])
			if len(kept) == 0 {
				return ""
			}
			return string(kept[:len(kept)-1]) + "…"
		}
	}
	return line
}

// begin says that a target is begun; its name is "" where there is but one thing to do.
func (p *progress) begin(name string) *work {
	w := &work{p: p, name: name, began: time.Now()}
	p.Lock()
	defer p.Unlock()
	p.running = append(p.running, w)
	return w
}

// set says what the work waits for now.
func (w *work) set(what suite.Waiting) {
	w.p.Lock()
	defer w.p.Unlock()
	if w.p.plain && w.p.all == 0 && what.Task != "" && stepOf(what) != stepOf(w.what) {
		// Without what is waited for, in which a host may stand: a log outlives the run, and others read it.
		fmt.Fprintf(w.p.w, "%s  %s\n", seconds(time.Since(w.p.began)), strings.TrimSuffix(stepOf(what), ": "))
	}
	w.what, w.since = what, time.Now()
}

// end says that the work is done, and with what.
func (w *work) end(result string) {
	w.p.Lock()
	defer w.p.Unlock()
	w.p.running = slices.DeleteFunc(w.p.running, func(other *work) bool { return other == w })
	w.p.done++
	if w.p.plain && w.p.all > 0 {
		fmt.Fprintf(w.p.w, "%d of %d  %s: %s in %s\n", w.p.done, w.p.all, reports.Legible(w.name), oneLine(result), seconds(time.Since(w.began)))
	}
}

// stop takes the lines away.
func (p *progress) stop() {
	close(p.over)
	p.ended.Wait()
}

// during does one thing, such as "reading session.har", while a terminal shows what. An interrupt ends
// the waiting for it, with nothing written.
func during[T any](cmd *cobra.Command, quiet bool, what string, do func() (T, error)) (T, error) {
	shown := showProgress(cmd.ErrOrStderr(), quiet, 0)
	defer shown.stop()
	shown.begin("").set(suite.Waiting{For: what})
	value, err := begin(do)(cmd.Context())
	if cmd.Context().Err() != nil {
		err = exit{exitInterrupted, fmt.Errorf("interrupted while %s: nothing is written", what)}
	}
	return value, err
}
