package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// peer finds a program that a test needs. Without it the test is skipped, unless the
// environment says that all peers are there.
func peer(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CONFORM_PEERS") == "required" {
		t.Fatalf("%v: not found, and CONFORM_PEERS=required says that it is there", names)
	}
	t.Skipf("%v: not found", names)
	return ""
}

// TestClients: clients in other languages, with libraries of other people, get the
// verdicts that they deserve.
func TestClients(t *testing.T) {
	for _, c := range []struct {
		program []string
		script  string
		code    int
		failed  []string
	}{
		{[]string{"python3"}, "client.py", exitConformant, nil},
		{[]string{"node"}, "client.mjs", exitNonconformant, []string{"set-presence.nav.links"}},
		{[]string{"sh"}, "client.sh", exitNonconformant, []string{"create-application.4.token-host", "set-presence.request.token-origin"}},
	} {
		t.Run(c.script, func(t *testing.T) {
			program := peer(t, c.program...)
			if c.script == "client.sh" {
				peer(t, "curl")
			}
			cmd := exec.CommandContext(t.Context(), "conform", "client", "--format", "json", "--", program, "testdata/clients/"+c.script)
			output, _ := cmd.Output()
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("exit code %d, expected %d", code, c.code)
			}
			var r reports.Report
			if err := json.Unmarshal(output, &r); err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			if got := failedIn(r.Results); !slices.Equal(got, c.failed) {
				t.Errorf("failed: %v, expected %v", got, c.failed)
			}
		})
	}
}
