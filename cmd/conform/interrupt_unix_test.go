//go:build unix

package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestInterruptedTargets holds that an interrupt costs only those targets something that had
// not finished: these are not conformant, though all that is judged of them passes, nor is the
// matrix, now or when their reports are merged.
func TestInterruptedTargets(t *testing.T) {
	p := &pools{t: t}
	var both sync.WaitGroup // until one has done all, and the other waits for an event
	both.Add(2)
	p.add("done", func(h http.Handler) http.Handler {
		var gone sync.Once
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r)
			if strings.Contains(r.UserAgent(), "(probe gone)") {
				gone.Do(both.Done)
			}
		})
	})
	p.add("cut", func(h http.Handler) http.Handler {
		var waits sync.Once
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/events") {
				waits.Do(both.Done)
				<-r.Context().Done()
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	earlier := map[string][]byte{}
	for _, name := range []string{"done", "cut"} {
		path := filepath.Join(out, name, "evidence.yaml")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := c.Save(path); err != nil {
			t.Fatal(err)
		}
		earlier[name], _ = os.ReadFile(path)
	}
	list := filepath.Join(dir, "pools.yaml")
	if err := os.WriteFile(list, []byte("targets:\n"+p.list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, secret := range p.secrets {
		name, token, _ := strings.Cut(secret, "=")
		t.Setenv(name, token)
	}
	var stdout bytes.Buffer
	cmd := start(t, &stdout, "run", "--targets", list, "--out", out, "--requirement", "set-presence.2.status", "--event-wait", "1m")
	both.Wait()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, expected %d", code, exitInterrupted)
	}
	for _, want := range []string{"cut is incomplete\n  why       interrupted: ", "incomplete: 2 targets, 2 reports, 1 requirement; 1 of 2 finished"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("standard output does not say %q: %s", want, stdout.String())
		}
	}
	for name, want := range map[string]reports.Outcome{"done": reports.Conformant, "cut": reports.Incomplete} {
		path := filepath.Join(out, name, "report.json")
		r, _, err := reports.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cut := name == "cut"
		if notes := strings.Join(r.Notes, "\n"); r.Outcome != want || r.CutShort != cut || strings.Contains(notes, "interrupted: ") != cut {
			t.Errorf("%s is %s, cut short: %t, expected %s; its notes: %s", name, r.Outcome, r.CutShort, want, notes)
		}
		if r.Counts.Pass != 1 {
			t.Errorf("of %s there is judged: %s", name, r.Counts)
		}
		if m, err := reports.Merge(reports.MergeOptions{}, path); err != nil || m.Outcome != want {
			t.Errorf("merged, %s is %s, expected %s; %v", name, m.Outcome, want, err)
		}
		if kept, _ := os.ReadFile(filepath.Join(out, name, "evidence.yaml")); bytes.Equal(kept, earlier[name]) != cut {
			t.Errorf("the evidence of an earlier run on %s is kept: %t", name, !cut)
		}
		if _, err := os.Stat(filepath.Join(out, name, "evidence-failed.yaml")); (err == nil) != cut {
			t.Errorf("evidence-failed.yaml of %s: %v", name, err)
		}
	}
}
