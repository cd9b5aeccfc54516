//go:build unix

package main

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestTooSlowIn holds in which times a process is known to have stood still too long.
func TestTooSlowIn(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Unix(1000, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	for _, test := range []struct {
		name   string
		stalls [][2]float64
		want   bool // of the time from 10 s to 20 s
	}{
		{"none", nil, false},
		{"one of half the time", [][2]float64{{13, 18}}, true},
		{"one of less", [][2]float64{{13, 17.9}}, false},
		{"many, as of a tenth of a processor", [][2]float64{{11, 11.9}, {12, 12.9}, {13, 13.9}, {14, 14.9}, {15, 15.9}, {16, 16.9}}, true},
		{"two that reach into it", [][2]float64{{0, 12.4}, {17.6, 30}}, false},
		{"before it", [][2]float64{{1, 9}}, false},
		{"behind it", [][2]float64{{21, 29}}, false},
		{"all of it", [][2]float64{{1, 60}}, true},
	} {
		p := &pace{}
		for _, s := range test.stalls {
			p.note(at(s[0]), at(s[1]))
		}
		if got := p.tooSlowIn(at(10), at(20)); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	p := &pace{}
	if p.note(at(1), at(1).Add(tardy/2)); len(p.stalls) > 0 {
		t.Error("a beat that is hardly late is a stall")
	}
	for i := range 3 * maxStall {
		p.note(at(float64(i)), at(float64(i)+0.5))
	}
	if last := float64(3*maxStall - 1); len(p.stalls) > 2*maxStall || !p.tooSlowIn(at(last), at(last+1)) {
		t.Errorf("of many stalls %d are kept, and not the last", len(p.stalls))
	}
	if p.note(at(1e6), at(1e6).Add(60*time.Millisecond)); p.tooSlowIn(at(1e6), at(1e6).Add(100*time.Millisecond)) {
		t.Error("a short pause excuses a short time")
	}
}

// TestStopped holds that the answer which did not come in time while the process was stopped is no fault of the server, and that an
// answer that was late by itself is.
func TestStopped(t *testing.T) {
	for name, stops := range map[string]bool{"stopped": true, "not stopped": false} {
		t.Run(name, func(t *testing.T) {
			asked, resumed := make(chan struct{}), make(chan struct{})
			var once sync.Once
			p := &pools{t: t}
			p.add("vienna", func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/me/presence") {
						once.Do(func() {
							close(asked)
							<-resumed
							<-r.Context().Done() // the client gives up
						})
					}
					h.ServeHTTP(w, r)
				})
			})
			out := filepath.Join(t.TempDir(), "out")
			cmd := p.command(t.TempDir(), "request-timeout: 1s\n", "--out", out)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-asked
			if stops {
				stopFor(t, cmd, 1200*time.Millisecond)
			}
			close(resumed)
			_ = cmd.Wait()
			r, _, err := reports.ReadFile(filepath.Join(out, "vienna", "report.json"))
			if err != nil {
				t.Fatal(err)
			}
			if said := strings.Contains(strings.Join(r.Notes, "\n"), tooSlow); said != stops {
				t.Errorf("%s; the notes: %q", r.Outcome, r.Notes)
			}
			if said := strings.Contains(whyNot(r), "--request-timeout allows"); said == stops || r.Outcome != reports.Incomplete {
				t.Errorf("%s, since %s", r.Outcome, whyNot(r))
			}
		})
	}
}

// stopFor stops a process, as one is whose share of the processor is used up.
func stopFor(t *testing.T, cmd *exec.Cmd, d time.Duration) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	<-time.After(d)
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}
