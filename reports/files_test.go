package reports

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func names(t *testing.T, dir string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		found = append(found, e.Name())
	}
	return found
}

func TestWriteFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "out")
	for range 2 { // the second time over the first
		paths, err := WriteFiles(dir, everything())
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, name := range []string{"report.json", "junit.xml", "report.html", "report.md"} {
			want = append(want, filepath.Join(dir, name))
		}
		if diff := cmp.Diff(want, paths); diff != "" {
			t.Errorf("paths:\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"junit.xml", "report.html", "report.json", "report.md"}, names(t, dir)); diff != "" {
		t.Errorf("files:\n%s", diff)
	}
	for _, name := range append(names(t, dir), ".") {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v: others may read it", name, info.Mode())
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != string(render(t, everything(), "json", Options{})) {
		t.Error("report.json is not what Write writes")
	}
}

func TestWriteFilesLeavesNoPartialFiles(t *testing.T) {
	t.Run("cannot be rendered", func(t *testing.T) {
		dir := t.TempDir()
		r := conformant()
		r.Results[0].DurationMs = math.NaN() // JSON has no such number
		paths, err := WriteFiles(dir, r)
		if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "report.json")) || len(paths) > 0 {
			t.Errorf("error is %v, with %v", err, paths)
		}
		if left := names(t, dir); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	t.Run("cannot be put in its place", func(t *testing.T) {
		dir := t.TempDir()
		blocked := filepath.Join(dir, "junit.xml", "not empty")
		if err := os.MkdirAll(blocked, 0o700); err != nil {
			t.Fatal(err)
		}
		paths, err := WriteFiles(dir, conformant())
		if err == nil || !strings.Contains(err.Error(), filepath.Dir(blocked)) {
			t.Errorf("error is %v", err)
		}
		if len(paths) > 0 {
			t.Errorf("paths: %v", paths)
		}
		if diff := cmp.Diff([]string{"junit.xml"}, names(t, dir)); diff != "" {
			t.Errorf("files:\n%s", diff)
		}
	})
	t.Run("no directory", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := WriteFiles(file, conformant()); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	for _, data := range []string{"one", "another"} { // the second time over the first
		if err := WriteFile(path, []byte(data)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != data {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(path+".d", "not empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path+".d", []byte("x")); err == nil || !strings.Contains(err.Error(), path+".d") {
		t.Errorf("over a directory: %v", err)
	}
	if diff := cmp.Diff([]string{"a.csv", "a.csv.d"}, names(t, filepath.Dir(path))); diff != "" {
		t.Errorf("files:\n%s", diff)
	}
}
