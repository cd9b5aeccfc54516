package suite

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestCompiledLedgers holds that the ledgers of the program are those of the YAML files, which are what people read and
// edit. `go generate ./suite` writes them anew.
func TestCompiledLedgers(t *testing.T) {
	for name, variable := range map[string]string{"createapplication": "createApplicationLedger", "setpresence": "setPresenceLedger"} {
		source, err := os.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var l Ledger
		decoder := yaml.NewDecoder(bytes.NewReader(source))
		decoder.KnownFields(true)
		if err := decoder.Decode(&l); err != nil {
			t.Fatal(err)
		}
		file := name + "_ledger.go"
		want := compiled(t, name, variable, &l)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
			t.Errorf("%s is not what %s.yaml says: run go generate ./suite", file, name)
		}
	}
}

// compiled returns a ledger as Go source of constants alone, which the linker lays out: there is nothing left to do at
// start-up.
func compiled(t *testing.T, name, variable string, l *Ledger) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Code generated from %s.yaml by go generate ./suite; DO NOT EDIT.\n\npackage suite\n\nvar %s = Ledger{\n", name, variable)
	fmt.Fprintf(&b, "Task: %q, Title: %q, Revision: %d,\nDocument: Document{%q, %q},\n", l.Task, l.Title, l.Revision, l.Document.Title, l.Document.URL)
	b.WriteString("Steps: []Step{\n")
	for _, s := range l.Steps {
		fmt.Fprintf(&b, "{%q, %q},\n", s.ID, s.Title)
	}
	b.WriteString("},\nClauses: []Clause{\n")
	for _, c := range l.Clauses {
		fmt.Fprintf(&b, "{%q, %#v, %#v, %q, %q},\n", c.ID, c.Quotes, c.Shows, c.Excluded, c.Reference)
	}
	fmt.Fprintf(&b, "},\nErrata: %#v,\nRequirements: []Requirement{\n", l.Errata)
	for _, r := range l.Requirements {
		fmt.Fprintf(&b, "{%q, %q, %q, %q, %q,\n%q,\n%q,\n%q, nil},\n", r.ID, r.Level, r.Subject, r.Step, r.Clause, r.Says, r.How, r.Breaks)
	}
	b.WriteString("},\n}\n")
	source, err := format.Source(bytes.ReplaceAll(b.Bytes(), []byte("[]string(nil)"), []byte("nil")))
	if err != nil {
		t.Fatal(err)
	}
	return source
}
