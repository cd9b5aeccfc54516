//go:build unix

package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	ossignal "os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/suite"
)

// TestLeavesNoTrace holds that the server is as it was, however a run ends.
func TestLeavesNoTrace(t *testing.T) {
	slow(t)
	silent := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, test := range []struct {
		name   string
		middle func(http.Handler) http.Handler
		args   []string
		code   int
	}{
		{"success", from(forever, 1, nil), nil, exitConformant},
		{"500s in the middle", from(12, 8, refuse(500, "", "", "")), nil, exitNonconformant},
		{"connections that break", from(17, 2, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), nil, exitIncomplete},
		{"time-out", from(19, 1, silent), []string{"--timeout", "1500ms", "--request-timeout", "5s"}, exitIncomplete},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPool(t)
			p.serve(test.middle(p.server))
			if r := p.certify(nil, p.url+p.application(), test.args...); r.code != test.code {
				t.Errorf("exit code %d, expected %d: %s %q", r.code, test.code, r.stderr, r.report.Notes)
			}
			p.untouched()
		})
	}
	// At every second moment of a sign-in, the creation of the application among them.
	for at := int64(1); at < 24; at += 2 {
		t.Run("sign-in", func(t *testing.T) { interruptSignIn(t, at) })
	}
	// At every fourth moment of a run, from its first request on, and later where the note is set.
	for _, at := range []int64{1, 5, 9, 13, 17, 21, 25, 29, 61, 66, 73, 78} {
		for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
			t.Run(signal.String(), func(t *testing.T) {
				if ossignal.Ignored(signal) {
					t.Skip("these tests were started by nohup, under which a run goes on")
				}
				interruptAt(t, at, signal)
			})
		}
		t.Run("panic", func(t *testing.T) { panicAt(t, at) })
	}
}

// interruptAt signals the command while the server works on a request.
func interruptAt(t *testing.T, at int64, signal os.Signal) {
	p := newPool(t)
	asked, goOn := make(chan struct{}), make(chan struct{})
	var seen atomic.Int64
	p.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if seen.Add(1) == at {
			close(asked)
			<-goOn
		}
		p.server.ServeHTTP(w, r)
	}))
	p.interrupted(signal, asked, goOn, "--application", p.url+p.application())
}

// interruptSignIn does the same to a run that signs in first.
func interruptSignIn(t *testing.T, at int64) {
	asked, goOn := make(chan struct{}), make(chan struct{})
	var seen atomic.Int64
	d := newDeployment(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if seen.Add(1) == at {
				close(asked)
				<-goOn
			}
			h.ServeHTTP(w, r)
		})
	}, nil)
	d.interrupted(os.Interrupt, asked, goOn, d.args()...)
}

// interrupted runs the command, and signals it when the server was asked.
func (p *pool) interrupted(signal os.Signal, asked, goOn chan struct{}, args ...string) {
	p.t.Helper()
	t, out := p.t, p.t.TempDir()
	cmd := exec.Command("conform", append(append([]string{"run", "--out", out, "--format", "json"}, quick...), args...)...)
	cmd.Env = append(os.Environ(), "CONFORM_TOKEN="+p.token, "CONFORM_PASSWORD="+danasPassword)
	var stdout bytes.Buffer
	stderr := &saying{words: "interrupted: leaving", said: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &stdout, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer hung.Stop()
	select {
	case <-asked:
	case <-time.After(10 * time.Second):
		t.Fatal("the request did not come")
	}
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	select {
	case <-stderr.said: // it has heeded the signal
	case <-time.After(10 * time.Second):
		t.Error("the command does not say that it was interrupted")
	}
	close(goOn)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, expected %d: %s", code, exitInterrupted, stderr.String())
	}
	if err := validReport(stdout.Bytes()); err != nil {
		t.Errorf("the report is not valid: %v", err)
	}
	if report, _ := os.ReadFile(filepath.Join(out, "report.json")); !strings.Contains(string(report), "interrupted: the run ended before all was asked") {
		t.Error("the report does not say that the run was interrupted")
	}
	p.untouched()
}

// saying keeps what is written, and closes said once that has the words.
type saying struct {
	words string
	text  strings.Builder
	said  chan struct{}
}

func (s *saying) Write(p []byte) (int, error) {
	before := strings.Contains(s.String(), s.words)
	s.text.Write(p)
	if !before && strings.Contains(s.String(), s.words) {
		close(s.said)
	}
	return len(p), nil
}

func (s *saying) String() string { return s.text.String() }

// panicAt has the driver panic before a request.
func panicAt(t *testing.T, at int64) {
	p := newPool(t)
	p.serve(p.server)
	n := int64(0)
	e := suite.Gather(context.Background(), suite.Target{Application: p.url + p.application(), Token: p.token, EventWait: time.Second, Progress: func(suite.Waiting) {
		if n++; n >= at {
			panic("injected")
		}
	}})[0]
	if n >= at && !strings.Contains(strings.Join(e.Notes, "\n"), "the driver panicked") {
		t.Errorf("the notes do not tell of the panic: %q", e.Notes)
	}
	p.untouched()
}
