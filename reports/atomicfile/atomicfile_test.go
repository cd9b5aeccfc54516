package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// TestWrite holds that a file is whole and alone, that a link is replaced and not followed, and that what cannot be written leaves what was
// there.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path, elsewhere := filepath.Join(dir, "a.txt"), filepath.Join(t.TempDir(), "b.txt")
	if err := os.WriteFile(elsewhere, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, path); err != nil {
		t.Skip(err)
	}
	if err := Write(path, 0o600, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "new" {
		t.Errorf("it is %q, %v", content, err)
	}
	if content, err := os.ReadFile(elsewhere); err != nil || string(content) != "old" {
		t.Errorf("what the link led to is %q, %v", content, err)
	}
	failed := errors.New("no more")
	if _, err := Create(path, 0o600, func(w io.Writer) error { fmt.Fprint(w, "half"); return failed }); !errors.Is(err, failed) {
		t.Errorf("error is %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "new" {
		t.Errorf("after a failure it is %q, %v", content, err)
	}
	if list := names(t, dir); len(list) != 1 {
		t.Errorf("the directory has %v", list)
	}
	for _, bad := range []string{dir, filepath.Join(dir, "nowhere", "x")} {
		if err := Write(bad, 0o600, nil); err == nil {
			t.Errorf("%s was written", bad)
		}
	}
}

// TestLeftovers holds that what a killed process left for the same file is removed, and nothing else.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	done := exec.Command("true")
	if err := done.Run(); err != nil {
		t.Skip(err)
	}
	gone := done.Process.Pid
	stay := []string{"a.txt", ".a.txt.notes", fmt.Sprintf(".a.txt.%d-77", os.Getpid()), fmt.Sprintf(".b.txt.%d-77", gone), fmt.Sprintf(".a.txt.%d-x", gone)}
	for _, name := range append(stay, fmt.Sprintf(".a.txt.%d-77", gone)) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(filepath.Join(dir, "a.txt"), 0o600, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if list := names(t, dir); len(list) != len(stay) {
		t.Errorf("the directory has %v, expected %v", list, stay)
	}
}
