package reports

import (
	"strings"
	"testing"
)

// A run that ended early says so in a screen or two, and not in one for each step that it left undone.
func TestStepsThatWereNotJudgedStandTogether(t *testing.T) {
	r := conformant()
	r.Results[0].Verdict, r.Results[0].Reason = Error, "the credentials of this run were refused"
	for _, step := range []string{"3", "4", "5"} {
		for _, name := range []string{"a", "b", "c", "d"} {
			x := result(step, name, "server", "must", Blocked, "s", "", "", 0)
			x.Reason = "step 1 was refused"
			r.Results = append(r.Results, x)
		}
	}
	r.Results = append(r.Results, result("6", "a", "server", "must", Pass, "s", "", "", 0))
	r.Tally()
	text := string(render(t, r, "text", Options{}))
	for _, want := range []string{"3 steps of which nothing was judged: 3, 4, 5\n    – 12 blocked\n", "set-presence.4.b and 6 more", "\n  6  Step 6\n", "\n  1  Send a POST"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "  4  Step 4") {
		t.Errorf("a step that was not judged stands alone:\n%s", text)
	}
	verbose := string(render(t, r, "text", Options{Verbose: true}))
	if !strings.Contains(verbose, "  4  Step 4") || !strings.Contains(verbose, "set-presence.5.d") {
		t.Errorf("--verbose leaves steps out:\n%s", verbose)
	}
}
