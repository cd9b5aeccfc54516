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

// TestStarved holds when a run is known to have stood still too long.
func TestStarved(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Unix(1000, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	for _, test := range []struct {
		name   string
		stalls [][2]float64
		want   bool
	}{
		{"none", nil, false},
		{"one of half the time", [][2]float64{{3, 8}}, true},
		{"one of less", [][2]float64{{3, 7.9}}, false},
		{"many, as of a tenth of a processor", [][2]float64{{1, 1.9}, {2, 2.9}, {3, 3.9}, {4, 4.9}, {5, 5.9}, {6, 6.9}}, true},
		{"the same far apart", [][2]float64{{1, 1.9}, {20, 20.9}, {40, 40.9}, {60, 60.9}, {80, 80.9}, {100, 100.9}}, false},
		{"before it began", [][2]float64{{-20, -1}}, false},
		{"longer than it waits", [][2]float64{{1, 60}}, true},
	} {
		p := &pace{}
		for _, s := range test.stalls {
			p.note(at(s[0]), at(s[1]))
		}
		if got := p.starved(at(0), 10*time.Second); (got != "") != test.want {
			t.Errorf("%s: %q", test.name, got)
		}
	}
	p := &pace{}
	p.note(at(1), at(1).Add(tardy/2))
	if len(p.stalls) > 0 {
		t.Error("a beat that is hardly late is a stall")
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
			cmd := p.command(t.TempDir(), "request-timeout: 500ms\n", "--out", out)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-asked
			if stops {
				stopFor(t, cmd, time.Second)
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
