package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadReturnsWhatWasWritten(t *testing.T) {
	for name, r := range map[string]*Report{"conformant": conformant(), "everything": everything()} {
		read, err := Read(bytes.NewReader(render(t, r, "json", Options{})))
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Results { // nil and empty are one in JSON
			r.Results[i].Evidence = append([]Pointer{}, r.Results[i].Evidence...)
		}
		if diff := cmp.Diff(r, read); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := string(render(t, everything(), "json", Options{}))
	fine := string(render(t, conformant(), "json", Options{}))
	for _, test := range []struct{ name, in, want string }{
		{"nothing", "", "it is empty"},
		{"no JSON", "<html>", "not a JSON report"},
		{"half a report", good[:len(good)/2], "not a JSON report"},
		{"two reports", good + good, "not a JSON report"},
		{"no schema", "{}", "names no schema"},
		{"another schema", strings.Replace(good, SchemaID, "conform.report/v2", 1), `schema is "conform.report/v2", and this conform reads "conform.report/v1"`},
		{"an unknown key", strings.Replace(good, `"tool"`, `"colour": 1, "tool"`, 1), `unknown field "colour"`},
		{"an unknown verdict", strings.Replace(good, `"verdict": "fail"`, `"verdict": "passed"`, 1), `verdict "passed"`},
		{"an unknown level", strings.Replace(good, `"level": "must"`, `"level": "shall"`, 1), `level "shall"`},
		{"an unknown outcome", strings.Replace(good, `"outcome": "nonconformant"`, `"outcome": "great"`, 1), `outcome is "great"`},
		{"no outcome", strings.Replace(good, `"outcome": "nonconformant"`, `"outcome": ""`, 1), "no outcome"},
		{"edited counts", strings.Replace(fine, `"pass": 5`, `"pass": 50`, 1), "counts 50 pass"},
		{"an edited outcome", strings.Replace(good, `"outcome": "nonconformant"`, `"outcome": "conformant"`, 1), "claims to be conformant, and its results make it nonconformant"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(test.in))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
}

// An interrupted run may have passed all it came to, and is incomplete all the same.
func TestReadAcceptsAWorseOutcome(t *testing.T) {
	r := conformant()
	r.Outcome = Incomplete
	if _, err := Read(bytes.NewReader(render(t, r, "json", Options{}))); err != nil {
		t.Error(err)
	}
}

func TestReadIsBounded(t *testing.T) {
	_, err := bounded(endless{}, 1<<20)
	if err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("error is %v", err)
	}
}

// A file is refused by its size, before it is read; a directory and a file that is not
// there are told by name.
func TestReadFileRefuses(t *testing.T) {
	dir := t.TempDir()
	huge := filepath.Join(dir, "huge.json")
	file, err := os.Create(huge)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(1 << 30); err != nil { // a hole: no gigabyte is written
		t.Fatal(err)
	}
	file.Close()
	for path, want := range map[string]string{
		huge:                          "huge.json: the report is larger than 256 MiB",
		dir:                           "is a directory: give the report.json in it",
		filepath.Join(dir, "nowhere"): "nowhere",
	} {
		if _, _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q", path, err, want)
		}
		if _, err := ReadResults(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s, for its results: error is %v, want %q", path, err, want)
		}
	}
}

// Without its exchanges, a report is held to the same: only those are not looked at.
func TestReadResults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	want := everything()
	data := render(t, want, "json", Options{})
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := ReadResults(path)
	if err != nil {
		t.Fatal(err)
	}
	full, sum, err := ReadFile(path)
	if err != nil || sum != digest(data) {
		t.Fatalf("%s, %v", sum, err)
	}
	if len(r.Exchanges) != 0 || len(full.Exchanges) != len(want.Exchanges) {
		t.Errorf("%d exchanges, and %d in full", len(r.Exchanges), len(full.Exchanges))
	}
	full.Exchanges = nil
	if diff := cmp.Diff(full, r); diff != "" {
		t.Error(diff)
	}
	if err := os.WriteFile(path, bytes.Replace(data, []byte(`"fail": 1`), []byte(`"fail": 0`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadResults(path); err == nil || !strings.Contains(err.Error(), "contradicts itself") {
		t.Errorf("edited: %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// What Read accepts can be shown in every format, and is read again as the same.
func FuzzRead(f *testing.F) {
	for _, r := range samples() {
		if len(r.Results) > 0 {
			r.Results[0].Observed = shorten(r.Results[0].Observed, 1000) // a long seed is tried seldom
		}
		f.Add(render(f, r, "json", Options{}))
	}
	f.Add([]byte(`{"schema":"conform.report/v1","outcome":"incomplete","results":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, format := range Formats() {
			render(t, r, format, Options{Width: 1})
		}
		once := render(t, r, "json", Options{})
		again, err := Read(bytes.NewReader(once))
		if err != nil {
			t.Fatal(err)
		}
		if twice := render(t, again, "json", Options{}); !bytes.Equal(once, twice) {
			t.Errorf("read again, it is another:\n%s", cmp.Diff(string(once), string(twice)))
		}
	})
}
