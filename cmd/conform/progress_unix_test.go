//go:build unix && !aix && !solaris

package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestProgressOnTerminal holds that what is waited for is drawn on a terminal while
// targets are gathered, no wider than that is, and gone at the end; and that a
// dumb terminal, and one with --quiet, is not drawn on.
func TestProgressOnTerminal(t *testing.T) {
	for _, test := range []struct {
		name, term string
		args       []string
		want       string // seen before the held answer is let go; "" waits for the end only
		drawn      bool
	}{
		{"drawn", "xterm", nil, "1 of 2 targets done, 1 running", true},
		{"dumb", "dumb", nil, "1 of 2  quick: gathered ", false},
		{"quiet", "xterm", []string{"--quiet"}, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			release := make(chan struct{})
			held := func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-release:
					case <-r.Context().Done():
					}
					h.ServeHTTP(w, r)
				})
			}
			p := &pools{t: t}
			p.add("quick", nil)
			p.add("a-name-that-is-longer-than-a-narrow-terminal-is-wide", held)
			path := filepath.Join(t.TempDir(), "pools.yaml")
			if err := os.WriteFile(path, []byte("request-timeout: 30s\ntargets:\n"+p.list.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			master, slave, err := pty.Open()
			if err != nil {
				t.Skip("no terminal can be made here: ", err)
			}
			defer master.Close()
			if err := pty.Setsize(master, &pty.Winsize{Rows: 10, Cols: 50}); err != nil {
				t.Fatal(err)
			}
			var shown screen
			ended := make(chan struct{})
			go func() { shown.follow(master); close(ended) }()
			cmd := exec.Command("conform", append([]string{"run", "--targets", path, "--format", "json"}, test.args...)...)
			cmd.Env = append(os.Environ(), "TERM="+test.term, "CI=", "GITHUB_ACTIONS=", "NO_PROXY=", "HTTPS_PROXY=", p.secrets[0], p.secrets[1])
			var stdout bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, slave
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			hung := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
			defer hung.Stop()
			for deadline := time.Now().Add(20 * time.Second); test.want != "" && !shown.shows(test.want); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("nothing of %q is shown: %q", test.want, shown.String())
				}
			}
			close(release)
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v: %s%s", err, stdout.String(), shown.String())
			}
			slave.Close()
			<-ended
			text := shown.String()
			if drawn := strings.Contains(text, "\x1b["); drawn != test.drawn {
				t.Errorf("drawn: %v, expected %v: %q", drawn, test.drawn, text)
			}
			if !test.drawn {
				if test.want == "" && text != "" {
					t.Errorf("--quiet shows %q", text)
				}
				return
			}
			if !strings.Contains(text, "set-presence, before: GET") && !strings.Contains(text, "…") {
				t.Errorf("nothing says for what is waited, or is cut: %q", text)
			}
			progress, after, _ := strings.Cut(text, "the evidence of this run") // the note that ends it
			if !strings.HasSuffix(progress, "\x1b[J") || strings.Contains(after, "\x1b") {
				t.Errorf("the lines are not taken away: %q", text)
			}
			for drawing := range strings.SplitSeq(regexp.MustCompile(`\x1b\[[0-9]*[AJ]`).ReplaceAllString(progress, "\n"), "\n") {
				if n := len([]rune(strings.Trim(drawing, "\r"))); n >= 50 {
					t.Errorf("%q is %d wide, of 50 columns", drawing, n)
				}
			}
		})
	}
}

// TestProgressOfFiles holds that a terminal shows which file is read while that takes long, that
// an interrupt ends it with nothing written, and that the line is taken away first.
func TestProgressOfFiles(t *testing.T) {
	for _, args := range [][]string{{"check"}, {"import", "--out", "made.yaml"}, {"redact", "--out", "made.yaml"}, {"check", "--quiet"},
		{"report", "merge", "--out", "made.txt"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			dir := t.TempDir()
			if err := syscall.Mkfifo(filepath.Join(dir, "capture"), 0o600); err != nil {
				t.Skip("no pipe can be made here: ", err)
			}
			master, slave, err := pty.Open()
			if err != nil {
				t.Skip("no terminal can be made here: ", err)
			}
			defer master.Close()
			var shown screen
			ended := make(chan struct{})
			go func() { shown.follow(master); close(ended) }()
			cmd := exec.Command("conform", append(args, "capture")...)
			cmd.Env = append(os.Environ(), "TERM=xterm", "CI=", "GITHUB_ACTIONS=")
			cmd.Stderr, cmd.Dir = slave, dir
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			hung := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
			defer hung.Stop()
			quiet := args[len(args)-1] == "--quiet"
			pipe, err := os.OpenFile(filepath.Join(dir, "capture"), os.O_WRONLY, 0) // as soon as it is read, so signals are heeded by then
			if err != nil {
				t.Fatal(err)
			}
			defer pipe.Close()
			for deadline := time.Now().Add(20 * time.Second); !quiet && !shown.shows("1 s  reading capture"); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("nothing says what is done: %q", shown.String())
				}
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
				t.Errorf("exit code %d, expected %d", code, exitInterrupted)
			}
			slave.Close()
			<-ended
			progress, after, told := strings.Cut(shown.String(), "conform: interrupted while reading capture: nothing is written")
			if !told || strings.Contains(after, "\x1b") || !quiet && !strings.HasSuffix(progress, "\x1b[J") || quiet && progress != "" {
				t.Errorf("shown: %q", shown.String())
			}
			if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
				t.Errorf("%d files are there, expected only the pipe; %v", len(files), err)
			}
		})
	}
}

// Colour is for terminals that have it.
func TestColourOnATerminal(t *testing.T) {
	for _, test := range []struct {
		environment []string
		args        []string
		want        bool
	}{
		{[]string{"TERM=xterm"}, nil, true},
		{[]string{"TERM=dumb"}, nil, false},
		{[]string{"TERM=xterm", "NO_COLOR=1"}, nil, false},
		{[]string{"TERM=xterm"}, []string{"--no-color"}, false},
	} {
		master, slave, err := pty.Open()
		if err != nil {
			t.Skip("no terminal can be made here: ", err)
		}
		var shown screen
		ended := make(chan struct{})
		go func() { shown.follow(master); close(ended) }()
		cmd := exec.Command("conform", append([]string{"run"}, test.args...)...)
		cmd.Env = append(append(os.Environ(), "NO_COLOR="), test.environment...)
		cmd.Stdout = slave
		if err := cmd.Run(); err != nil {
			t.Error(err)
		}
		slave.Close()
		<-ended
		master.Close()
		if text := shown.String(); strings.Contains(text, "\x1b[") != test.want || !strings.Contains(text, "conformant") {
			t.Errorf("%v %v: colours are not as expected (%v): %.200q", test.environment, test.args, test.want, text)
		}
	}
}
