//go:build unix && !aix && !solaris

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestNamesOnATerminal holds that the person who ran conform reads the names of hosts and people on the terminal, and no secret; and that a pipe and
// all files have pseudonyms.
func TestNamesOnATerminal(t *testing.T) {
	d := newDeployment(t, on("/me/presence", forever, refuse(500, "", "", "")), nil)
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("no terminal can be made here: ", err)
	}
	defer master.Close()
	var shown screen
	done := make(chan struct{})
	go func() { defer close(done); shown.follow(master) }()
	out := t.TempDir()
	run := func(stdout *os.File) []byte {
		cmd := exec.CommandContext(t.Context(), "conform", append(append([]string{"run", "--out", out, "--quiet"}, quick...), d.args()...)...)
		cmd.Env = append(os.Environ(), "CONFORM_PASSWORD="+danasPassword, "NO_COLOR=1", "HTTPS_PROXY=")
		if stdout != nil {
			cmd.Stdout = stdout
			_ = cmd.Run()
			return nil
		}
		text, _ := cmd.Output()
		return text
	}
	run(slave)
	slave.Close()
	<-done
	terminal := shown.String()
	for _, want := range []string{poolHost, "sip:dana@contoso.com", "curl ", "$CONFORM_TOKEN"} {
		if !strings.Contains(terminal, want) {
			t.Errorf("the terminal does not show %q:\n%s", want, terminal)
		}
	}
	if strings.Contains(terminal, "host-1") || strings.Contains(terminal, "AAEB") || strings.Contains(terminal, danasPassword) {
		t.Errorf("the terminal shows a pseudonym, or a secret:\n%s", terminal)
	}
	others := map[string][]byte{"a pipe": run(nil)}
	files, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if others[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range others {
		if text := strings.ToLower(string(data)); strings.Contains(text, "contoso") || strings.Contains(text, "aaeb") || !strings.Contains(text, "host-1") {
			t.Errorf("%s has a name, or no pseudonym", name)
		}
	}
}
