//go:build unix && !aix && !solaris

package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// job is a step of a workflow, without GitHub: the files that the runner gives it.
type job struct {
	t                          *testing.T
	workspace, summary, output string
	environment                []string
}

func newJob(t *testing.T) *job {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash here")
	}
	dir := t.TempDir()
	j := &job{t: t, workspace: filepath.Join(dir, "work"), summary: filepath.Join(dir, "summary.md"), output: filepath.Join(dir, "output")}
	if err := os.Mkdir(j.workspace, 0o700); err != nil {
		t.Fatal(err)
	}
	return j
}

// run runs the action's script with these inputs, and returns what GitHub would know of it.
func (j *job) run(inputs ...string) (code int, log, summary string, outputs map[string]string) {
	j.t.Helper()
	for _, file := range []string{j.summary, j.output} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			j.t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "../../.github/actions/conform/run.sh")
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + j.workspace, "TMPDIR=" + filepath.Dir(j.workspace), "GORACE=atexit_sleep_ms=10", "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE=" + j.workspace,
		"GITHUB_STEP_SUMMARY=" + j.summary, "GITHUB_OUTPUT=" + j.output, "INPUT_BINARY=conform"}, append(j.environment, inputs...)...)
	var all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &all, &all
	_ = cmd.Run()
	outputs = map[string]string{}
	for line := range strings.Lines(j.read(j.output)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		outputs[key] = value
	}
	return cmd.ProcessState.ExitCode(), all.String(), j.read(j.summary), outputs
}

func (j *job) read(path string) string {
	j.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		j.t.Fatal(err)
	}
	return string(content)
}

// holds looks for words in what a job left.
func holds(t *testing.T, what, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("the %s does not say %q: %s", what, w, text)
		}
	}
}

// TestAction runs the steps of the GitHub action, without GitHub.
func TestAction(t *testing.T) {
	slow(t)
	t.Run("conformant", func(t *testing.T) {
		j := newJob(t)
		code, log, summary, outputs := j.run("INPUT_STRICT=true")
		if code != 0 || outputs["outcome"] != "conformant" || outputs["exit-code"] != "0" || outputs["pass"] == "0" || outputs["fail"] != "0" || outputs["not-applicable"] != "5" {
			t.Errorf("exit code %d, outputs %v: %s", code, outputs, log)
		}
		holds(t, "summary", summary, "## ", "conformant")
		holds(t, "log", log, "::notice title=conformant::")
		if strings.Contains(log, "::error") {
			t.Errorf("an error is annotated: %s", log)
		}
		for _, file := range []string{"report.json", "report.html", "report.md", "junit.xml", "evidence.yaml"} {
			j.read(filepath.Join(j.workspace, outputs["directory"], file))
		}
	})
	t.Run("targets", func(t *testing.T) {
		j := newJob(t)
		p := &pools{t: t}
		p.add("vienna", nil)
		p.add("graz", faulty(t, "set-presence.2.status/200"))
		p.add("dead", func(http.Handler) http.Handler { return nil }).Close()
		if err := os.WriteFile(filepath.Join(j.workspace, "pools.yaml"), []byte("targets:\n"+p.list.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		j.environment = p.secrets
		code, log, summary, outputs := j.run("INPUT_TARGETS=pools.yaml", "INPUT_OUT=all the reports", "INPUT_FAIL=true")
		if code != exitNonconformant || outputs["outcome"] != "nonconformant" || outputs["fail"] != "1" || outputs["report"] != "all the reports/merge.json" {
			t.Errorf("exit code %d, outputs %v: %s", code, outputs, log)
		}
		holds(t, "summary", summary, "nonconformant: 3 targets", "| vienna |", "| graz |", "| dead |")
		holds(t, "log", log, "::error title=must set-presence.2.status · graz::", "::error title=not tested · dead::", "3 of 3  ")
		if strings.Contains(log, "· vienna") {
			t.Errorf("a conformant target is annotated: %s", log)
		}
		for _, secret := range p.secrets {
			if strings.Contains(log+summary, strings.SplitN(secret, "=", 2)[1]) {
				t.Errorf("a token is shown: %s%s", log, summary)
			}
		}
		// The application is gone with the first run.
		if code, _, _, outputs := j.run("INPUT_TARGETS=pools.yaml", "INPUT_FAIL=false", "INPUT_SHARD=2/3"); code != 0 || outputs["exit-code"] != "3" {
			t.Errorf("with fail: false the exit code is %d, outputs %v", code, outputs)
		}
	})
	t.Run("more annotations than GitHub shows", func(t *testing.T) {
		j := newJob(t)
		fake := filepath.Join(j.workspace, "fake") // what many targets leave, without them
		if err := os.WriteFile(fake, []byte(`#!/bin/sh
if [ "$1" = run ]; then
	for one in a-dead:incomplete b-bad:nonconformant c-known:excused d-good:conformant e-bad:nonconformant; do
		mkdir -p "conform-report/${one%%:*}"
		printf '{\n  "outcome": "%s",\n}\n' "${one##*:}" >"conform-report/${one%%:*}/report.json"
	done
	mkdir -p conform-report/f-stale
	printf '{\n  "outcome": "conformant",\n  "baseline": {\n    "stale": [\n' >conform-report/f-stale/report.json
	echo '{}' | tee conform-report/merge.json >conform-report/merge.md
	exit 1
fi
name=$(basename "$(dirname "$3")")
if [ "$name" = f-stale ]; then echo "::error title=baseline · $name::x"; fi
if [ "$name" != c-known ] && [ "$name" != f-stale ]; then for i in 1 2 3 4 5 6 7; do echo "::error title=$i · $name::x"; done; fi
echo "::warning title=borne · $name::x"
echo "::notice title=told · $name::x"
`), 0o700); err != nil {
			t.Fatal(err)
		}
		_, log, _, _ := j.run("INPUT_BINARY="+fake, "INPUT_TARGETS=x")
		var titles []string
		for _, found := range regexp.MustCompile(`(?m)^::error title=(.*?)::`).FindAllStringSubmatch(log, -1) {
			titles = append(titles, found[1])
		}
		want := []string{"1 · b-bad", "1 · e-bad", "1 · a-dead", "baseline · f-stale", "2 · b-bad", "2 · e-bad", "2 · a-dead", "3 · b-bad", "3 · e-bad", "and 13 more"}
		if !slices.Equal(titles, want) {
			t.Errorf("errors are annotated as %q, expected %q: %s", titles, want, log)
		}
		if strings.Count(log, "::warning ") != 5 || strings.Count(log, "::notice ") != 5 || strings.Contains(log, "d-good") {
			t.Errorf("not every target that is not conformant is told of: %s", log)
		}
	})
	t.Run("a mistake", func(t *testing.T) {
		j := newJob(t)
		if code, log, _, outputs := j.run(); code != 0 || outputs["outcome"] != "conformant" {
			t.Fatalf("exit code %d: %s", code, log)
		}
		code, log, summary, outputs := j.run("INPUT_TARGETS=missing.yaml") // the report of before must not pass for its own
		if code != exitUsage || outputs["outcome"] != "none" || outputs["report"] != "" || outputs["pass"] != "0" || outputs["exit-code"] != "2" {
			t.Errorf("exit code %d, outputs %v: %s", code, outputs, log)
		}
		holds(t, "log", log, "::error title=conform::", "missing.yaml")
		holds(t, "summary", summary, "No report was written (exit code 2)")
	})
	t.Run("what inputs must not do", func(t *testing.T) {
		j := newJob(t)
		code, log, _, outputs := j.run("INPUT_NAME=$(touch injected); `touch injected`", "INPUT_CASSETTE=--help")
		if code == 0 || outputs["outcome"] == "conformant" {
			t.Errorf("an input is taken for a flag: %d, %v, %s", code, outputs, log)
		}
		if _, err := os.Stat(filepath.Join(j.workspace, "injected")); err == nil {
			t.Error("an input is run")
		}
		if code, _, _, outputs := j.run("INPUT_OUT=x\noutcome=conformant"); code == 0 || len(outputs) > 0 {
			t.Errorf("a line break in an input makes outputs: %d, %v", code, outputs)
		}
	})
}

// TestActionInputs holds that the inputs which the action declares are those that its script
// reads, that flags of the command are called what they are called there, and that no
// expression stands in the text of a script.
func TestActionInputs(t *testing.T) {
	var action struct {
		Inputs  map[string]struct{ Description string }
		Outputs map[string]struct{ Value string }
		Runs    struct {
			Steps []struct {
				ID, Run string
				Env     map[string]string
			}
		}
	}
	content, err := os.ReadFile("../../.github/actions/conform/action.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(content, &action); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("../../.github/actions/conform/run.sh")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for _, step := range action.Runs.Steps {
		if strings.Contains(step.Run, "${{") {
			t.Errorf("an expression stands in a script: %s", step.Run)
		}
		if step.ID == "conform" {
			env = step.Env
		}
	}
	flags := regexp.MustCompile(`(?m)^for flag in (.*); do$`).FindStringSubmatch(string(script))
	if flags == nil {
		t.Fatal("the script has no list of flags")
	}
	run := newRun()
	known := strings.Fields(flags[1])
	for _, flag := range known {
		if run.Flags().Lookup(flag) == nil {
			t.Errorf("conform run has no flag --%s", flag)
		}
	}
	for name, input := range action.Inputs {
		if input.Description == "" {
			t.Errorf("the input %s is not described", name)
		}
		if name == "artifact" || name == "retention-days" {
			continue // of the step that keeps them
		}
		variable := "INPUT_" + strings.ToUpper(name)
		if env[variable] != "${{ inputs."+name+" }}" {
			t.Errorf("the input %s is not passed on: %q", name, env[variable])
		}
		if !strings.Contains(string(script), variable) && !strings.Contains(" "+flags[1]+" ", " "+name+" ") {
			t.Errorf("the script does not read the input %s", name)
		}
	}
	for _, flag := range known {
		if _, there := action.Inputs[flag]; !there {
			t.Errorf("the action has no input for --%s", flag)
		}
	}
	for name, output := range action.Outputs {
		if output.Value != "${{ steps.conform.outputs."+name+" }}" {
			t.Errorf("the output %s is %s", name, output.Value)
		}
	}
}
