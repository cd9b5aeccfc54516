package reports

import (
	"fmt"
	"strings"
	"testing"
)

// Values cannot end a workflow command, or begin one.
func TestAnnotationsAreEscaped(t *testing.T) {
	var b strings.Builder
	command(&b, "error", "", []annotation{{"a:b,c%\n", "100%, a: b\r\n::set-env name=X::y"}})
	if want := "::error title=a%3Ab%2Cc%25%0A::100%25, a: b%0D%0A::set-env name=X::y\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	r := hostile()
	r.Results[0].Observed = "\n::stop-commands::x\n::add-mask::y"
	for _, line := range strings.Split(strings.TrimSuffix(string(render(t, r, "github", Options{})), "\n"), "\n") {
		known := strings.HasPrefix(line, "::error title=") || strings.HasPrefix(line, "::warning title=") || strings.HasPrefix(line, "::notice title=")
		if title, _, _ := strings.Cut(strings.TrimPrefix(line, "::"), "::"); !known || strings.Count(title, ":") > 0 || strings.Contains(title, ",") {
			t.Errorf("an odd line: %.200s", line)
		}
	}
}

// In the log of a workflow a line that begins with :: is a command, whoever wrote it.
func TestTextHoldsNoCommands(t *testing.T) {
	r := conformant()
	r.Results[0].Verdict = Fail
	r.Results[0].Observed = strings.Repeat("::error::you have been had ", 20)
	r.Notes = []string{"::add-mask::a", strings.Repeat("x", 92) + " ::stop-commands::y"}
	r.Tally()
	for width := 40; width < 120; width++ {
		for _, line := range strings.Split(string(render(t, r, "text", Options{Width: width})), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "::") {
				t.Errorf("at width %d: %s", width, line)
			}
		}
	}
}

// GitHub drops what is more than ten of a kind: the last says how many more there are,
// and the worst is not among them.
func TestAnnotationsAreBounded(t *testing.T) {
	for _, n := range []int{9, 10, 11, 500} {
		r := conformant()
		r.Results = nil
		for i := range n {
			r.Results = append(r.Results, result("1", fmt.Sprint("w", i), "server", "should", Warn, "s", "a", "b", 9))
		}
		for i := range n {
			r.Results = append(r.Results, result("1", fmt.Sprint("f", i), "server", "must", Fail, "s", "a", "b", 9))
		}
		r.Tally()
		out := string(render(t, r, "github", Options{}))
		for _, kind := range []string{"error", "warning"} {
			if got := strings.Count(out, "::"+kind+" "); got != min(n, 10) {
				t.Errorf("%d of %d %ss", got, n, kind)
			}
		}
		if more := fmt.Sprintf("::error title=and %d more::", n-9); strings.Contains(out, more) != (n > 10) {
			t.Errorf("%d failures, and %q is there: %t", n, more, n <= 10)
		}
		if !strings.HasPrefix(out, "::error title=must set-presence.1.f0::") {
			t.Errorf("the first is %.100s", out)
		}
	}
}
