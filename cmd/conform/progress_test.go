package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// TestShowing holds where progress is drawn, where it is told in plain lines, and where
// nothing is shown.
func TestShowing(t *testing.T) {
	for _, test := range []struct {
		name            string
		quiet, terminal bool
		environment     map[string]string
		live, plain     bool
	}{
		{"a terminal", false, true, nil, true, false},
		{"a terminal without colour", false, true, map[string]string{"NO_COLOR": "1"}, true, false},
		{"a dumb terminal", false, true, map[string]string{"TERM": "dumb"}, false, true},
		{"a quiet terminal", true, true, nil, false, false},
		{"a pipe", false, false, nil, false, false},
		{"a pipe of a dumb shell", false, false, map[string]string{"TERM": "dumb"}, false, false},
		{"CI", false, false, map[string]string{"CI": "true"}, false, true},
		{"GitHub", false, false, map[string]string{"GITHUB_ACTIONS": "true"}, false, true},
		{"quiet CI", true, false, map[string]string{"CI": "true"}, false, false},
		{"no CI", false, false, map[string]string{"CI": "false"}, false, false},
		{"a terminal in CI", false, true, map[string]string{"CI": "true"}, true, false},
	} {
		live, plain := showing(test.quiet, test.terminal, func(name string) string { return test.environment[name] })
		if live != test.live || plain != test.plain {
			t.Errorf("%s: live %v, plain %v", test.name, live, plain)
		}
	}
}

// TestProgressLines holds what stands on a terminal: how many are done, and for what each
// of the others waits, the longest first.
func TestProgressLines(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now := began.Add(83 * time.Second)
	p := &progress{all: 50, done: 37, began: began}
	work := func(name string, since, waits int, what suite.Waiting) {
		p.running = append(p.running, &work{p: p, name: name, began: now.Add(-time.Duration(since) * time.Second), since: now.Add(-time.Duration(waits) * time.Second), what: what})
	}
	work("graz", 2, 0, suite.Waiting{Task: "create-application", Step: "3", For: "POST https://a/\x1b[31m\n", Most: 10 * time.Second})
	work("vienna", 20, 3, suite.Waiting{Task: "set-presence", Step: "event", For: "event channel", Most: 30 * time.Second})
	work("linz", 1, 1, suite.Waiting{})
	want := []string{
		"1m23s  37 of 50 targets done, 3 running, about 29 s left",
		"  vienna  20 s  set-presence, event: event channel, 3 s of at most 30 s",
		`  graz  2 s  create-application, step 3: POST https://a/\x1b[31m\n, at most 10 s`,
		"  linz  1 s  beginning",
	}
	if diff := cmp.Diff(want, p.lines(now, 10)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(append(want[:2:2], "  and 2 more"), p.lines(now, 3)); diff != "" {
		t.Error(diff)
	}
	one := &progress{began: began, running: p.running[1:2]}
	if diff := cmp.Diff([]string{"1m23s  set-presence, event: event channel, 3 s of at most 30 s"}, one.lines(now, 10)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1m23s"}, (&progress{began: began}).lines(now, 10)); diff != "" {
		t.Error(diff)
	}
}

// TestFit holds that no line is wider than its terminal, which would break the drawing.
func TestFit(t *testing.T) {
	for _, test := range []struct {
		line    string
		columns int
		want    string
	}{
		{"abcdef", 6, "abcdef"}, {"abcdef", 5, "abcd…"}, {"abcdef", 1, "…"}, {"abcdef", 0, ""}, {"", 0, ""},
		{"東京東京", 8, "東京東京"}, {"東京東京", 7, "東京…"}, {"köln", 4, "köln"},
	} {
		if got := fit(test.line, test.columns); got != test.want {
			t.Errorf("%q in %d columns is %q, expected %q", test.line, test.columns, got, test.want)
		}
	}
}

// TestDraw holds that what was drawn is taken back whole, and that nothing is written
// where nothing was.
func TestDraw(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b}
	p.draw(nil)
	if b.Len() > 0 {
		t.Errorf("%q is written though nothing was drawn", b.String())
	}
	p.draw([]string{"a", "b", "c"})
	p.draw([]string{"d"})
	p.draw(nil)
	if want := "\r\x1b[Ja\r\nb\r\nc" + "\r\x1b[2A\x1b[Jd" + "\r\x1b[J"; b.String() != want {
		t.Errorf("drawn: %q, expected %q", b.String(), want)
	}
}

// TestPlainProgress holds that a log has a line for each step, and none for each request.
func TestPlainProgress(t *testing.T) {
	var b bytes.Buffer
	p := &progress{w: &b, plain: true, began: time.Now()}
	w := p.begin("")
	for _, what := range []suite.Waiting{{For: "something else"}, {Task: "set-presence", Step: "5", For: "GET presence"}, {Task: "set-presence", Step: "5", For: "POST presence"},
		{Task: "set-presence", Step: "event", For: "event\nchannel"}} {
		w.set(what)
	}
	w.end("done")
	if got, want := b.String(), "0 s  set-presence, step 5\n0 s  set-presence, event\n"; got != want {
		t.Errorf("told: %q, expected %q", got, want)
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("a log is drawn on")
	}
}

// TestDuring holds that an interrupt ends the waiting for what is done, whatever came of that.
func TestDuring(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	cmd := newRoot()
	cmd.SetContext(ctx)
	cmd.SetErr(new(bytes.Buffer))
	if n, err := during(cmd, true, "counting", func() (int, error) { return 7, nil }); n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := during(cmd, true, "counting", func() (int, error) { return 0, errors.New("lost count") }); err == nil || err.Error() != "lost count" {
		t.Errorf("%v", err)
	}
	never := make(chan struct{})
	defer close(never)
	_, err := during(cmd, true, "counting", func() (int, error) { interrupt(); <-never; return 0, nil })
	if own := (exit{}); !errors.As(err, &own) || own.code != exitInterrupted || err.Error() != "interrupted while counting: nothing is written" {
		t.Errorf("%v", err)
	}
}

// TestSummary holds what stands in a log: where the command is and how long it may take, and no host.
func TestSummary(t *testing.T) {
	p := &progress{began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	w := p.begin("")
	for _, test := range []struct {
		after int // seconds
		set   func()
		want  string
	}{
		{10, func() {}, "10 s  at work"},
		{20, func() {
			w.set(suite.Waiting{Task: "set-presence", Step: "event", For: "POST https://pool.contoso.com/", Most: 30 * time.Second})
		}, "20 s  set-presence, event"},
		{30, func() { w.count(30, 90, "tried") }, "30 s  30 of 90 tried, about 1m0s left"},
		{90, func() { w.count(90, 90, "tried") }, "1m30s  90 of 90 tried"},
	} {
		test.set()
		if got := p.summary(p.began.Add(time.Duration(test.after) * time.Second)); got != test.want {
			t.Errorf("got %q, expected %q", got, test.want)
		}
	}
}
