package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestMemoryLimit reads the limit of a container, of either version of control groups.
func TestMemoryLimit(t *testing.T) {
	for name, test := range map[string]struct {
		file, content string
		want          int64
	}{
		"version 2": {"memory.max", "536870912\n", 512 << 20}, "version 2, none": {"memory.max", "max\n", 0},
		"version 1": {"memory/memory.limit_in_bytes", "1073741824\n", 1 << 30}, "version 1, none": {"memory/memory.limit_in_bytes", "9223372036854771712\n", 0},
		"odd": {"memory.max", "-1\n", 0}, "elsewhere": {"nothing", "", 0},
	} {
		root := t.TempDir()
		path := filepath.Join(root, test.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := memoryLimit(root); got != test.want {
			t.Errorf("%s: %d, expected %d", name, got, test.want)
		}
	}
}

// TestLastWord holds that a pod leaves one line in its termination log, and that elsewhere nothing is written.
func TestLastWord(t *testing.T) {
	terminationLog = filepath.Join(t.TempDir(), "termination-log")
	t.Cleanup(func() { terminationLog = "/dev/termination-log" })
	left := func() string {
		content, err := os.ReadFile(terminationLog)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	if err := os.WriteFile(terminationLog, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ host, want string }{{"", ""}, {"10.0.0.1", "conformant: 233 pass, 5 not applicable\n"}} {
		t.Setenv("KUBERNETES_SERVICE_HOST", test.host)
		lastWord("conformant: 233 pass, 5 not applicable")
		if got := left(); got != test.want {
			t.Errorf("it holds %q, expected %q", got, test.want)
		}
	}
	if code := run(t.Context(), []string{"report", "merge", "none"}, io.Discard, io.Discard); code != exitUsage || left() != "ended with 2, a flag, the list, or a file that it names is wrong: see the log\n" {
		t.Errorf("after a mistake it holds %q", left())
	}
	if err := os.Remove(terminationLog); err != nil {
		t.Fatal(err)
	}
	lastWord("x")
	if _, err := os.Stat(terminationLog); err == nil {
		t.Error("it makes the file")
	}
}
