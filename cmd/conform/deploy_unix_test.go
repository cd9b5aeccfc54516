//go:build unix && !aix && !solaris

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// documents reads the YAML documents of a file of this repository.
func documents(t *testing.T, path string) []map[string]any {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	for part := range strings.SplitSeq(string(content), "\n---\n") { // each by itself, as kubectl reads them: no anchor is known in the next
		var document map[string]any
		if err := yaml.Unmarshal([]byte(part), &document); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		list = append(list, document)
	}
	return list
}

// at follows keys and indices into a document.
func at(t *testing.T, value any, path ...any) any {
	t.Helper()
	for i, step := range path {
		var next any
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			next = object[step]
		case int:
			if list, _ := value.([]any); step < len(list) {
				next = list[step]
			}
		}
		if next == nil {
			t.Fatalf("there is no %v", path[:i+1])
		}
		value = next
	}
	return value
}

// TestRelease holds that the release has what its users are told, by the names that GoReleaser
// knows. What GoReleaser itself makes of the file is not tried here.
func TestRelease(t *testing.T) {
	release := documents(t, ".goreleaser.yaml")[0]
	if at(t, release, "version") != 2 {
		t.Error("expected the second version of GoReleaser's format")
	}
	build := at(t, release, "builds", 0)
	for key, want := range map[string][]any{"goos": {"linux", "darwin", "windows"}, "goarch": {"amd64", "arm64"}, "env": {"CGO_ENABLED=0"}} {
		if got := at(t, build, key).([]any); !slices.Equal(got, want) {
			t.Errorf("%s is %v, expected %v", key, got, want)
		}
	}
	for _, path := range [][]any{{"checksum", "name_template"}, {"sboms", 0, "artifacts"}, {"archives", 0, "format_overrides", 0, "formats", 0}, {"dockers_v2", 0, "dockerfile"}} {
		at(t, release, path...)
	}
	if !strings.Contains(at(t, build, "ldflags", 0).(string), "-X main.version=") || version == "" {
		t.Error("a release does not know its version")
	}
	dockerfile, err := os.ReadFile("../../.github/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nUSER 65532:65532\n", "\nENTRYPOINT [\"/usr/local/bin/conform\"]\n", "COPY ${TARGETPLATFORM}/conform "} {
		if !strings.Contains(string(dockerfile), want) {
			t.Errorf("the Dockerfile does not hold %q", want)
		}
	}
	for _, file := range []string{"LICENSE", "NOTICE"} {
		if !strings.Contains(string(dockerfile), file) {
			t.Errorf("the image does not hold %s", file)
		}
		if _, err := os.Stat("../../" + file); err != nil {
			t.Error(err)
		}
	}
}

// TestExamples holds that the examples in YAML are YAML, and the list of targets one that
// conform takes.
func TestExamples(t *testing.T) {
	found := 0
	for _, page := range []string{"docs/targets.md", "docs/ci.md"} {
		content, err := os.ReadFile("../../" + page)
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range strings.Split(string(content), "```yaml\n")[1:] {
			example, _, _ := strings.Cut(part, "```")
			var value any
			if err := yaml.Unmarshal([]byte(example), &value); err != nil {
				t.Errorf("%s, example %d: %v", page, i+1, err)
			}
			found++
			if page == "docs/targets.md" {
				if err := newTargetList(page, newRun(), newDealer(1, 1)).read([]byte(example)); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if found < 3 {
		t.Errorf("only %d examples are found", found)
	}
}
