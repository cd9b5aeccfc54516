package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnwritten holds that the verdict is not lost with files that cannot be written: it stands
// on standard output, the reason on standard error, and the exit code tells of it.
func TestUnwritten(t *testing.T) {
	for _, test := range []struct {
		name  string
		there string // a folder where a file would be written
		args  []string
		says  string // standard output
	}{
		{"the first file", "report.json", nil, "conformant: "},
		{"a later file", "report.html", []string{"--format", "json"}, `"outcome": "conformant"`},
		{"the evidence", "evidence.yaml", nil, "conformant: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			block(t, filepath.Join(dir, test.there))
			cmd := exec.Command("conform", append([]string{"run", "--out", dir}, test.args...)...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(stderr.String(), test.there) || strings.Contains(stderr.String(), "written: report") {
				t.Errorf("exit code %d, expected %d: %s", code, exitFailed, stderr.String())
			}
			if !strings.Contains(stdout.String(), test.says) {
				t.Errorf("standard output does not say %q: %s", test.says, stdout.String())
			}
			if strings.Contains(stdout.String(), "run --cassette "+filepath.ToSlash(dir)) {
				t.Error("standard output tells of evidence that may not be there")
			}
		})
	}
	for _, there := range []string{"a/report.json", "merge.html"} {
		t.Run(there, func(t *testing.T) {
			p := &pools{t: t}
			p.add("a", nil)
			p.add("b", nil)
			out := filepath.Join(t.TempDir(), "out")
			block(t, filepath.Join(out, there))
			code, stdout, stderr, _ := p.run(t.TempDir(), "", "--out", out)
			if code != exitFailed || !strings.Contains(stderr, filepath.Base(there)) {
				t.Errorf("exit code %d, expected %d: %s", code, exitFailed, stderr)
			}
			if !strings.Contains(stdout, "conformant: 2 targets, 2 reports") {
				t.Errorf("standard output does not tell of both: %s", stdout)
			}
		})
	}
}

// block makes a folder with something in it, whose place no file can take.
func block(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
}
