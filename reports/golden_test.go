package reports

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func samples() map[string]*Report {
	return map[string]*Report{"conformant": conformant(), "everything": everything(), "empty": empty(), "hostile": hostile(), "known": known(), "stale": stale()}
}

func render(t testing.TB, r *Report, format string, opts Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r, format, opts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	for name, r := range samples() {
		if name == "hostile" {
			continue // has tests of its own; its files would be long and read by nobody
		}
		for _, format := range Formats() {
			if (name == "known" || name == "stale") && (format == "html" || format == "json" || format == "csv") {
				continue // they differ in little
			}
			t.Run(name+"/"+format, func(t *testing.T) {
				out := render(t, r, format, Options{})
				if format == "html" {
					out = structure(out)
				}
				golden(t, filepath.Join("testdata", name, FileName(format)), out)
			})
		}
	}
	t.Run("verbose, narrow, in colour", func(t *testing.T) {
		golden(t, "testdata/everything/verbose.txt", render(t, everything(), "text", Options{Color: true, Width: 60, Verbose: true}))
	})
}

// structure is the page without its style sheet and its script, which are files of their own, and their hashes.
func structure(page []byte) []byte {
	for _, part := range []string{`(?s)(<style>).*(</style>)`, `(?s)(<script>).*(</script>)`, `(http-equiv="Content-Security-Policy" content=").*?(")`} {
		page = regexp.MustCompile(part).ReplaceAll(page, []byte("${1}…${2}"))
	}
	return page
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (go test ./reports -update writes it anew):\n%s", path, diff)
	}
}
