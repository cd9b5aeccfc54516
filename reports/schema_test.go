package reports

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
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
	s := compiled(t)
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
	s := compiled(t)
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
