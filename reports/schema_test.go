package reports

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func compiled(t *testing.T, schema []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReportsMeetTheSchema(t *testing.T) {
	s := compiled(t, Schema())
	for name, r := range samples() {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(render(t, r, "json", Options{})))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	s := compiled(t, Schema())
	for name, spoil := range map[string]func(map[string]any){
		"another schema":         func(m map[string]any) { m["schema"] = "conform.report/v2" },
		"an unknown key":         func(m map[string]any) { m["colour"] = "blue" },
		"no counts":              func(m map[string]any) { delete(m, "counts") },
		"a count left out":       func(m map[string]any) { delete(m["counts"].(map[string]any), "blocked") },
		"no results":             func(m map[string]any) { m["results"] = nil },
		"an unknown outcome":     func(m map[string]any) { m["outcome"] = "passed" },
		"a date that is none":    func(m map[string]any) { m["evidence"].(map[string]any)["recordedAt"] = "yesterday" },
		"an unknown verdict":     func(m map[string]any) { first(m, "results")["verdict"] = "skipped" },
		"an unknown level":       func(m map[string]any) { first(m, "results")["level"] = "shall" },
		"a result without an id": func(m map[string]any) { delete(first(m, "results"), "requirement") },
		"an exchange number 0":   func(m map[string]any) { first(m, "exchanges")["number"] = 0 },
	} {
		var doc map[string]any
		if err := json.Unmarshal(render(t, everything(), "json", Options{}), &doc); err != nil {
			t.Fatal(err)
		}
		spoil(doc)
		if s.Validate(doc) == nil {
			t.Errorf("the schema accepts %s", name)
		}
	}
}

func first(m map[string]any, key string) map[string]any { return m[key].([]any)[0].(map[string]any) }

func TestViewsMeetTheirSchemas(t *testing.T) {
	tame := mergeOf(conformant(), everything(), known(), stale())
	views := []struct {
		schema []byte
		out    string
	}{
		{ComparisonSchema(), comparisonIn(t, Compare(conformant(), everything()), "json")},
		{ComparisonSchema(), comparisonIn(t, Compare(everything(), known()), "json")},
		{ComparisonSchema(), comparisonIn(t, Compare(empty(), hostile()), "json")},
		{ComparisonSchema(), comparisonIn(t, Compare(conformant(), conformant()), "json")},
		{MatrixSchema(), matrixIn(t, tame, "json")},
		{MatrixSchema(), matrixIn(t, mergeOf(hostile(), hostile(), empty()), "json")},
	}
	for i, v := range views {
		s := compiled(t, v.schema)
		var doc map[string]any
		if err := json.Unmarshal([]byte(v.out), &doc); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		doc["colour"] = "blue"
		if s.Validate(doc) == nil {
			t.Errorf("%d: the schema accepts an unknown key", i)
		}
	}
}

// The schema of a baseline, for editors, agrees with what is read.
func TestBaselineMeetsItsSchema(t *testing.T) {
	s := compiled(t, BaselineSchema())
	for in, good := range map[string]bool{
		"known: []\n": true,
		"known:\n- {requirement: a, reason: b, until: '2026-12-31', target: '*'}\n": true,
		"known:\n- {requirement: a}\n":                                              false,
		"known:\n- {requirement: a, reason: TODO}\n":                                false,
		"known:\n- {requirement: a, reason: b, until: 'soon'}\n":                    false,
		"known:\n- {requirement: a, reason: b, colour: blue}\n":                     false,
		"other: []\n": false,
	} {
		var doc any
		if err := yaml.Unmarshal([]byte(in), &doc); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); (err == nil) != good {
			t.Errorf("the schema of %q: %v", in, err)
		}
		if _, err := ReadBaseline("known.yaml", strings.NewReader(in)); (err == nil) != good {
			t.Errorf("reading %q: %v", in, err)
		}
	}
}
