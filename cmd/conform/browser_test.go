package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

const browserRecording = "browser/set-presence"

// judged runs the command, expects its exit code, and returns the verdict on every requirement.
func judged(t *testing.T, code int, args ...string) map[string]reports.Verdict {
	t.Helper()
	cmd := exec.Command("conform", append(args, "--format", "json")...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	content, _ := cmd.Output()
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("%s: exit code %d, expected %d: %s", cmd, got, code, &stderr)
	}
	var r reports.Report
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatalf("%s: %v: %s", cmd, err, &stderr)
	}
	verdicts := map[string]reports.Verdict{}
	for _, result := range r.Results {
		verdicts[result.Requirement] = result.Verdict
	}
	return verdicts
}

// TestBrowserEvidence holds what the embedded recording of a browser shows of the client: that it is a cross-domain one,
// and does all that is asked of such.
func TestBrowserEvidence(t *testing.T) {
	got := judged(t, exitConformant, "run", "--cassette", browserRecording, "--task", "create-application", "--task", "set-presence", "--subject", "client")
	want := map[string]reports.Verdict{
		"create-application.1.order":         reports.NotApplicable, // it asks one address of Autodiscover
		"set-presence.event.options":         reports.NotApplicable, // and none for the channel
		"set-presence.request.cache-control": reports.NotApplicable,
		"set-presence.request.dnt":           reports.NotApplicable,
	}
	for id := range got {
		if want[id] == "" {
			want[id] = reports.Pass
		}
	}
	for _, id := range []string{"x-ms-origin", "x-requested-with", "referer"} {
		want["set-presence.request."+id] = reports.Pass
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("expected (-), got (+):\n%s", d)
	}
}
