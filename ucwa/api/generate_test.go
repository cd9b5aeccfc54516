package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"go/format"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write data.go anew")

// TestData holds that data.go is what ucwa-api.json says. `go generate ./ucwa/api` writes it anew.
func TestData(t *testing.T) {
	want := generate(t)
	if *update {
		if err := os.WriteFile("data.go", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile("data.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
		t.Error("data.go is not what ucwa-api.json says: run go generate ./ucwa/api")
	}
}

// facts are what ucwa-api.json has.
type facts struct {
	Source, Corrections string
	Resources           map[string]struct {
		Rel                         string
		Properties, Links, Scopes   []string
		Events                      []Event
		Operations                  map[string]operationFacts
		Sample                      bool
		SampleLinks, SampleEmbedded map[string]string
		Types                       map[string]struct {
			JSON, Of, Enum, URI string
			EnumGuess           string // from the value of a sample, and often wrong: left out
			Date                bool
			MaxLength           int
		}
	}
	Enumerations map[string][]string
}

type operationFacts struct {
	Query, Body    []parameterFacts
	Response       []string // a resource, or words
	Status         int
	Location, ETag bool
	Errors         []struct {
		Error, Subcode string
		Status         int
	}
}

type parameterFacts struct {
	Name, Type       string // Nullable T, Array of T, where T is in parentheses if it is an enumeration
	Required         bool
	Minimum, Maximum int
	Values           []string
}

// generate returns the facts as Go source of constants alone, which the linker lays out: there is nothing left to do at
// start-up.
func generate(t *testing.T) []byte {
	source, err := os.ReadFile("ucwa-api.json")
	if err != nil {
		t.Fatal(err)
	}
	var f facts
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		t.Fatal(err)
	}
	var all []Resource
	for name, r := range f.Resources {
		of := Resource{Name: name, Rel: r.Rel, Scopes: r.Scopes, Sample: r.Sample, Events: unique(r.Events)}
		count := map[string]Cardinality{"one": One, "many": Many}
		for _, rel := range unique(r.Links, sorted(r.SampleLinks), sorted(r.SampleEmbedded)) {
			of.Links = append(of.Links, Link{rel, count[r.SampleLinks[rel]], count[r.SampleEmbedded[rel]], !slices.Contains(r.Links, rel)})
		}
		for _, name := range unique(r.Properties, sorted(r.Types)) {
			p := r.Types[name]
			of.Properties = append(of.Properties, Property{name, p.JSON, p.Of, p.Enum, p.URI, p.Date, p.MaxLength, !slices.Contains(r.Properties, name)})
		}
		for _, method := range sorted(r.Operations) {
			of.Operations = append(of.Operations, operationOf(&f, method, r.Operations[method]))
		}
		all = append(all, of)
	}
	slices.SortFunc(all, func(a, b Resource) int { return cmp.Compare(a.Name, b.Name) })
	var enums []Enumeration
	for _, name := range sorted(f.Enumerations) {
		enums = append(enums, Enumeration{name, f.Enumerations[name]})
	}
	var p printer
	code := fmt.Sprintf("// Code generated from ucwa-api.json by go generate ./ucwa/api; DO NOT EDIT.\n// %s.\n\npackage api\n\n"+
		"var resources = %s\n\nvar enumerations = %s\n", f.Source, p.literal(reflect.ValueOf(all)), p.literal(reflect.ValueOf(enums)))
	for i, errors := range p.errors { // each is that of many operations
		code += fmt.Sprintf("\nvar errors%d = []Error%s\n", i, errors)
	}
	formatted, err := format.Source([]byte(code))
	if err != nil {
		t.Fatal(err)
	}
	return formatted
}

func operationOf(f *facts, method string, has operationFacts) Operation {
	o := Operation{Method: method, Query: parametersOf(has.Query), Body: parametersOf(has.Body), Status: has.Status, Location: has.Location, ETag: has.ETag}
	for _, response := range has.Response {
		name, _, _ := strings.Cut(strings.TrimPrefix(response, "["), "]")
		if _, found := f.Resources[name]; found {
			o.Response = name
		}
	}
	for _, e := range has.Errors {
		o.Errors = append(o.Errors, Error{e.Error, e.Status, e.Subcode})
	}
	return o
}

func parametersOf(facts []parameterFacts) []Parameter {
	var list []Parameter
	for _, p := range facts {
		of, array := strings.CutPrefix(p.Type, "Array of ")
		of, nullable := strings.CutPrefix(of, "Nullable ")
		list = append(list, Parameter{p.Name, p.Required, strings.Trim(of, "()"), array, nullable, p.Minimum, p.Maximum, p.Values})
	}
	return list
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// unique returns the members of all lists, each where it comes first.
func unique[E comparable](lists ...[]E) []E {
	var once []E
	for _, e := range slices.Concat(lists...) {
		if !slices.Contains(once, e) {
			once = append(once, e)
		}
	}
	return once
}

// printer writes values as literals, and lists of errors, most of which are alike, as variables.
type printer struct{ errors []string }

func (p *printer) literal(v reflect.Value) string {
	var parts []string
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			parts = append(parts, p.literal(v.Index(i)))
		}
		if v.Type() == reflect.TypeFor[[]Error]() {
			p.errors = unique(p.errors, []string{braces(parts)})
			return fmt.Sprint("errors", slices.Index(p.errors, braces(parts)))
		}
		return strings.Replace(v.Type().String(), "api.", "", 1) + braces(parts)
	case reflect.Struct:
		for field, value := range v.Fields() {
			if !value.IsZero() && (value.Kind() != reflect.Slice || value.Len() > 0) {
				parts = append(parts, field.Name+": "+p.literal(value))
			}
		}
		return braces(parts)
	case reflect.Uint8:
		return []string{"None", "One", "Many"}[v.Uint()]
	}
	return fmt.Sprintf("%#v", v)
}

// braces puts parts on one line if they fit, else each on its own.
func braces(parts []string) string {
	if line := strings.Join(parts, ", "); len(line) < 84 && !strings.Contains(line, "\n") {
		return "{" + line + "}"
	}
	return "{\n" + strings.Join(parts, ",\n") + ",\n}"
}
