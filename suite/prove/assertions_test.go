package prove

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var assertions = flag.Bool("assertions", false, "remove each assertion of the suite in turn, and see that the proof or a test of the suite notices (some 15 minutes)")

// an assertion, where it is made or where a function that makes it is called
var assertion = regexp.MustCompile(`\bc\.(Expect|expectNamedLink)\(`)

// idle are the same functions without their assertion.
const idle = `
func (c *check) idleExpect(f Field) types.Assertion {
	return gomega.NewGomega(func(string, ...int) {}).Expect(f)
}
func (c *check) idleexpectNamedLink(f Field) {}
`

// TestAssertions removes each assertion of the suite in turn, by an overlay on its
// source, and holds that conform prove or a test of the suite then fails.
func TestAssertions(t *testing.T) {
	if !*assertions {
		t.Skip("it takes some 15 minutes: go test ./suite/prove -run TestAssertions -assertions -timeout 1h -v")
	}
	check, err := os.ReadFile("../check.go")
	if err != nil {
		t.Fatal(err)
	}
	withIdle := strings.Replace(string(check), "import (\n", "import (\n\t\"github.com/onsi/gomega\"\n", 1) + idle
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tried, byProof, byTest := 0, 0, 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, at := range assertion.FindAllSubmatchIndex(source, -1) {
			tried++
			where := fmt.Sprintf("%s:%d", filepath.Base(file), 1+strings.Count(string(source[:at[0]]), "\n"))
			changed := slices.Concat(source[:at[2]], []byte("idle"), source[at[2]:])
			overlay := overlay(t, dir, map[string]string{file: string(changed), "../check.go": withIdle})
			switch {
			case !passes(t, "run", "-overlay", overlay, "../../cmd/conform", "prove", "--combinations", "0"):
				byProof++
			case !passes(t, "test", "-overlay", overlay, ".."):
				byTest++
			default:
				t.Errorf("%s: nothing notices that this assertion is gone", where)
			}
		}
	}
	t.Logf("%d assertions: the proof notices the loss of %d, a test that of %d", tried, byProof, byTest)
	if tried < 40 {
		t.Errorf("only %d assertions were found", tried)
	}
}

// overlay writes an overlay for the go command, and returns its name.
func overlay(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	replace := map[string]string{}
	for name, content := range files {
		from, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(to, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[from] = to
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// passes runs the go command, which must at least build.
func passes(t *testing.T, args ...string) bool {
	t.Helper()
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil && (strings.Contains(string(out), "build failed") || strings.Contains(string(out), "# github.com/")) {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return err == nil
}
