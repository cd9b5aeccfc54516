package reports

import (
	"cmp"
	"fmt"
	"slices"
)

// htmlTask is a task with its steps.
type htmlTask struct {
	ID, Title string
	Counts    Counts
	Steps     []*htmlStep
}

// htmlStep is a step with its requirements.
type htmlStep struct {
	*stepResults
	Results []*htmlResult
}

// Number is the step's number, if it has one: "event" and "refusal" are no numbers.
func (s *htmlStep) Number() string {
	if s.ID != "" && s.ID[0] >= '0' && s.ID[0] <= '9' {
		return s.ID
	}
	return ""
}

// Open tells whether the step is unfolded from the beginning.
func (s *htmlStep) Open() bool {
	return slices.ContainsFunc(s.Results, (*htmlResult).Open)
}

// Chips is the counts of the step that are not zero.
func (s *htmlStep) Chips() []barPart { return bar(s.stepResults.Results) }

// htmlResult is a result that can be linked to, and that shows its proof.
type htmlResult struct {
	Result
	Anchor   string
	Places   []place
	Expected []run // with the difference marked, if anything is wrong
	Observed []run
	Excerpt  *excerpt
	Repeat   *Repeat // how to send its request again, of a failure
	Follow   string  // how many requirements could not be judged after it
}

// Brief is what was expected and what was there, in a line.
func (r *htmlResult) Brief() string {
	if r.Result.Expected == "" && r.Result.Observed == "" {
		return shorten(r.because(), 160)
	}
	return "expected " + shorten(cmp.Or(r.Result.Expected, "nothing"), 100) + ", observed " + shorten(cmp.Or(r.Result.Observed, "nothing"), 100)
}

// htmlCause is a reason for which requirements were not judged.
type htmlCause struct {
	Verdict Verdict
	Reason  string
	Number  string
	Links   []htmlLink
}

type htmlLink struct{ Href, Name string }

// causesOf gathers what was not judged by its reason; what follows from a failure stands there. The rest is how many reasons are left out.
func causesOf(r *Report, tasks []*htmlTask, roots map[string]int) (list []htmlCause, rest string) {
	anchors := map[string]string{}
	for _, task := range tasks {
		for _, step := range task.Steps {
			for _, result := range step.Results {
				anchors[result.Requirement] = result.Anchor
			}
		}
	}
	var quiet []Result
	for _, result := range r.Results {
		if result.Verdict != Pass && result.Verdict != NotApplicable && !result.speaks() && roots[result.root()] == 0 {
			quiet = append(quiet, result)
		}
	}
	groups := gather(quiet)
	for _, g := range groups[:min(htmlCauses, len(groups))] {
		list = append(list, htmlCause{g.Verdict, g.Reason, count(len(g.IDs), "requirement"), each(g.IDs, func(id string) htmlLink { return htmlLink{anchors[id], id} })})
	}
	if n := len(groups) - len(list); n > 0 {
		rest = "and " + count(n, "more reason") + ", which the JSON has"
	}
	return list, rest
}

// urgency is lowest for what is to be looked at first; what is known already can wait.
func (r *htmlResult) urgency() int {
	if r.excused() {
		return len(verdicts)
	}
	return slices.Index([]Verdict{Fail, Error, Warn}, r.Verdict)
}

// Open tells whether the result is unfolded from the beginning.
func (r *htmlResult) Open() bool { return r.speaks() }

// place is a pointer, with a link to where the page shows what was looked at.
type place struct {
	Pointer
	Href string // "" if the page does not have the exchange
}

// tasksOf divides the results into tasks and steps, and lists the problems, the worst first.
func tasksOf(r *Report, links map[Pointer]link) (tasks []*htmlTask, problems []*htmlResult) {
	anchors := map[string]bool{}
	n := 0
	found := map[string]*htmlTask{}
	for _, s := range byStep(r) {
		task := found[s.Task]
		if task == nil {
			task = &htmlTask{ID: s.Task, Title: r.taskTitle(s.Task)}
			found[s.Task] = task
			tasks = append(tasks, task)
		}
		step := &htmlStep{stepResults: s}
		task.Steps = append(task.Steps, step)
		for _, result := range s.Results {
			n++
			task.Counts.add(result.Verdict)
			step.Results = append(step.Results, htmlResultOf(result, anchorOf(result.Requirement, n, anchors), links))
		}
	}
	for _, task := range tasks {
		for _, step := range task.Steps {
			problems = append(problems, slices.DeleteFunc(slices.Clone(step.Results), func(x *htmlResult) bool { return !x.speaks() })...)
		}
	}
	slices.SortStableFunc(problems, func(a, b *htmlResult) int { return a.urgency() - b.urgency() })
	return tasks, problems
}

// anchorOf is the requirement's own id, so that links from elsewhere hold from one
// report to the next; or a number where the id is no good. The page's other anchors
// have no dot.
func anchorOf(id string, n int, taken map[string]bool) string {
	if argument(id) != id || !slices.Contains([]byte(id), '.') || taken[id] {
		id = fmt.Sprintf("result-%d", n)
	}
	taken[id] = true
	return id
}

func htmlResultOf(result Result, anchor string, links map[Pointer]link) *htmlResult {
	out := &htmlResult{Result: result, Anchor: anchor}
	for i, at := range result.Evidence {
		to := links[at]
		out.Places = append(out.Places, place{at, to.href})
		if i == 0 && result.speaks() {
			out.Excerpt = to.excerpt
		}
	}
	expected, observed := shorten(result.Expected, htmlValueRunes), shorten(result.Observed, htmlValueRunes)
	if result.speaks() {
		out.Expected, out.Observed = difference(expected, observed)
		return out
	}
	out.Expected, out.Observed = unmarked(expected), unmarked(observed)
	return out
}

// unmarked is text without a mark.
func unmarked(text string) []run {
	if text == "" {
		return nil
	}
	return []run{{Text: text}}
}

// tally is how the verdicts divide by one property of the results.
type tally struct {
	By   string // "task", "level", "subject"; also the name of the filter
	Rows []tallyRow
}

// tallyRow is one value of the property.
type tallyRow struct {
	Value, Name string
	Count       int
	Counts      Counts
}

func tallies(r *Report) []tally {
	list := []tally{
		{"task", tallyRows(shares(r.Results, func(x Result) string { return x.Task }), r.taskTitle)},
		{"level", tallyRows(byLevel(r.Results), nil)},
		{"subject", tallyRows(bySubject(r.Results), nil)},
	}
	return list
}

func tallyRows(list []share, title func(string) string) []tallyRow {
	return each(list, func(s share) tallyRow {
		row := tallyRow{Value: s.Name, Name: s.Name, Count: s.Counts.Total(), Counts: s.Counts}
		if title != nil {
			row.Name = title(s.Name)
		}
		return row
	})
}

// filters are what the list of requirements can be narrowed by.
func filters(r *Report) []tally {
	var rows []tallyRow
	for _, v := range verdicts {
		if n := r.Counts.Of(v); n > 0 {
			rows = append(rows, tallyRow{Value: string(v), Name: symbol(v) + " " + string(v), Count: n})
		}
	}
	all := append([]tally{{"verdict", rows}}, tallies(r)...)
	return slices.DeleteFunc(all, func(t tally) bool { return len(t.Rows) < 2 })
}

// barPart is the part of the bar at the top that one verdict fills; failures that are
// known are a part of their own.
type barPart struct {
	Word     string
	Verdict  Verdict
	Class    string
	Count    int
	X, Width float64 // of 1000
}

func bar(results []Result) []barPart {
	var all, known Counts
	for _, r := range results {
		all.add(r.Verdict)
		if r.excused() {
			known.add(r.Verdict)
		}
	}
	var parts []barPart
	x, total := 0.0, float64(all.Total())
	add := func(part barPart) {
		if part.Count > 0 {
			// Two of a thousand stay visible beside nine hundred.
			part.X, part.Width = x, max(float64(part.Count)/total*1000, 8)
			parts = append(parts, part)
			x += part.Width
		}
	}
	for _, v := range verdicts {
		add(barPart{Word: string(v), Verdict: v, Class: class(v), Count: all.Of(v) - known.Of(v)})
		add(barPart{Word: string(v) + ", known", Verdict: v, Class: class(Warn), Count: known.Of(v)})
	}
	for i := range parts {
		parts[i].X, parts[i].Width = parts[i].X*1000/x, parts[i].Width*1000/x
	}
	return parts
}
