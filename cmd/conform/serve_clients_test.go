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
	slow(t)
	// The document's own applications come from three origins.
	pages := []string{"--origin", "http://app.fabrikam.com", "--origin", "http://app.contoso.com", "--origin", "http://myServer", "--event-timeout", "100ms"}
	twoPools := []string{"--pool-host", "localhost", "--home-host", "127.0.0.1"}
	for name, c := range map[string]struct {
		program []string
		script  string
		flags   []string
		code    int
		failed  []string
	}{
		"python":           {[]string{"python3"}, "client.py", nil, exitConformant, nil},
		"three hosts":      {[]string{"python3"}, "client.py", []string{"--pool-host", "127.0.0.1", "--user-host", "localhost"}, exitConformant, nil},
		"the pages":        {[]string{"python3"}, "pages.py", pages, exitConformant, nil},
		"pages, no TLS":    {[]string{"python3"}, "pages.py", append([]string{"--plain"}, pages...), exitConformant, nil},
		"pages, two pools": {[]string{"python3"}, "pages.py", append(twoPools, pages...), exitConformant, nil},
		"node":             {[]string{"node"}, "client.mjs", nil, exitNonconformant, []string{"set-presence.nav.links"}},
		"curl": {[]string{"sh"}, "client.sh", []string{"--pool-host", "127.0.0.1", "--user-host", "localhost"}, exitNonconformant,
			[]string{"create-application.4.token-host", "set-presence.request.token-origin"}},
	} {
		t.Run(name, func(t *testing.T) {
			program := peer(t, c.program...)
			if c.script == "client.sh" {
				peer(t, "curl")
			}
			arguments := append(append([]string{"client", "--format", "json"}, c.flags...), "--", program, "testdata/clients/"+c.script)
			cmd := exec.CommandContext(t.Context(), "conform", arguments...)
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
