package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
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
	for _, want := range []string{"–    3 steps, not judged: 3, 4, 5 ", "12 requirements: set-presence.3.a, set-presence.3.b, set-presence.3.c and 9 more (step 1\n", "\n✓ 6  Step 6 ", "\n✗ 1  Send a POST"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "– 4  Step 4") {
		t.Errorf("a step that was not judged stands alone:\n%s", text)
	}
	verbose := string(render(t, r, "text", Options{Verbose: true}))
	if !strings.Contains(verbose, "– 4  Step 4") || !strings.Contains(verbose, "set-presence.5.d") {
		t.Errorf("--verbose leaves steps out:\n%s", verbose)
	}
}

// What two tasks share is judged once, and counted with both.
func TestSharedStepsAreCountedWithEach(t *testing.T) {
	r := conformant()
	own := result("3", "fresh", "server", "must", Pass, "s", "", "", 0)
	own.Task, own.Requirement = "get-presence", "get-presence.3.fresh"
	r.Results = append(r.Results, own)
	shared := []string{r.Results[0].Requirement}
	r.Tasks = append(r.Tasks, Task{ID: "get-presence", Title: "Get my presence information"})
	for _, id := range []string{"1", "2", "3"} {
		r.Steps = append(r.Steps, Step{"get-presence", id, "Step " + id + " of getting", 0, shared})
	}
	r.Tally()
	before := len(r.Results)
	text := string(render(t, r, "text", Options{}))
	for _, want := range []string{
		"\nGet my presence information\n✓ 1 to 2  As in Set my presence information               2 checks\n",
		"✓ 3       Step 3 of getting                               2 checks\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if total := r.Counts.Total(); total != before {
		t.Errorf("%d are counted, of %d results", total, before)
	}
	page := string(render(t, r, "html", Options{}))
	if link := `Judged under Set my presence information: ✓ <a href="#` + shared[0] + `">`; !strings.Contains(page, link) {
		t.Errorf("the page lacks %q", link)
	}
	if junit := string(render(t, r, "junit", Options{})); strings.Count(junit, "<testcase") != before {
		t.Errorf("%d cases of %d results", strings.Count(junit, "<testcase"), before)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(render(t, r, "json", Options{})))
	if err == nil {
		err = compiled(t, Schema()).Validate(doc)
	}
	if err != nil {
		t.Error(err)
	}
}
