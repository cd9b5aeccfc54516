package reports

import (
	"bytes"
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
		{"nothing", "", "not a JSON report"},
		{"no JSON", "<html>", "not a JSON report"},
		{"half a report", good[:len(good)/2], "not a JSON report"},
		{"two reports", good + good, "not a JSON report"},
		{"no schema", "{}", `schema is ""`},
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
	_, err := read(endless{}, 1<<20)
	if err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("error is %v", err)
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
