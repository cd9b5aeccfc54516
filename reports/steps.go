package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// stepResults is the results of one step, in order of appearance.
type stepResults struct {
	Task, ID  string
	Title     string
	Exchange  *Exchange // the one that carries the step out, if the evidence has it
	Counts    Counts
	Results   []Result
	Elsewhere []Result // what is judged under another task
	Under     string   // the title of that
	first     string   // the first of several steps
}

// Name is the step as machines name it: "set-presence.2".
func (s *stepResults) Name() string {
	if s.ID == "" {
		return s.Task
	}
	return s.Task + "." + s.ID
}

// checks is how many requirements the step has, and what came of those that did not pass.
func (s *stepResults) checks() string {
	total, shared := s.Counts, s.Shared()
	all := total.Total() - total.NotApplicable + shared.Total() - shared.NotApplicable
	parts := []string{count(all, "check")}
	for _, v := range worstFirst[:len(worstFirst)-2] { // what does not apply, and what passed, is not said
		if n := total.Of(v) + shared.Of(v); n > 0 {
			word := map[Verdict]string{Fail: "failed", Error: "not judged"}[v]
			if n == all {
				parts = parts[:0]
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, cmp.Or(word, string(v))))
		}
	}
	return strings.Join(parts, ", ")
}

// short is the exchange in a few words: the last part of its path alone.
func (x *Exchange) short() string {
	at, _, _ := strings.Cut(path(x.Request.URL), "?")
	if i := strings.LastIndexByte(strings.TrimRight(at, "/"), '/'); i > 0 {
		at = "…" + at[i:]
	}
	return x.Request.Method + " " + at + " → " + x.answer()
}

// BlockedBy is the reason of a blocked result, after the failure of another requirement in an exchange: reports count it there.
func BlockedBy(requirement string, exchange int) string {
	return fmt.Sprintf("%s%s%d", requirement, blockedBy, exchange)
}

const blockedBy = ": see exchange "

// root is the requirement after whose failure a result could not be judged, "" if there is none.
func (r Result) root() string {
	if r.Verdict != Blocked {
		return ""
	}
	id, _, _ := strings.Cut(r.Reason, blockedBy)
	return id
}

// roots counts, for each failure, what could not be judged for it.
func (r *Report) roots() map[string]int {
	follow := map[string]int{}
	broken := map[string]bool{}
	for _, result := range r.Results {
		broken[result.Requirement] = result.broken()
	}
	for _, result := range r.Results {
		if id := result.root(); broken[id] {
			follow[id]++
		}
	}
	return follow
}

// byStep gathers the results by task and step, in order of appearance, and counts with each step those that it shares.
func byStep(r *Report) []*stepResults {
	type key struct{ task, step string }
	titles := map[key]Step{}
	for _, s := range r.Steps {
		titles[key{s.Task, s.ID}] = s
	}
	exchanges := map[int]*Exchange{}
	for i := range r.Exchanges {
		exchanges[r.Exchanges[i].Number] = &r.Exchanges[i]
	}
	var steps []*stepResults
	found := map[key]*stepResults{}
	for _, result := range r.Results {
		k := key{result.Task, result.Step}
		s := found[k]
		if s == nil {
			s = &stepResults{Task: k.task, ID: k.step, Title: titles[k].Title, Exchange: exchanges[titles[k].Exchange]}
			if s.Title == "" {
				s.Title = "Step " + k.step
			}
			found[k] = s
			steps = append(steps, s)
		}
		s.Counts.add(result.Verdict)
		s.Results = append(s.Results, result)
	}
	return r.withShared(steps, func(s Step) *stepResults { return found[key{s.Task, s.ID}] })
}

// withShared adds to steps what was judged once for several tasks, under the first: to each its part, and where a task has nothing
// of its own in a row of steps, one for all of them.
func (r *Report) withShared(steps []*stepResults, own func(Step) *stepResults) []*stepResults {
	if !slices.ContainsFunc(r.Steps, func(s Step) bool { return len(s.Shares) > 0 }) {
		return steps
	}
	results := map[string]Result{}
	for _, result := range r.Results {
		results[result.Requirement] = result
	}
	var all []*stepResults
	var row *stepResults // of steps without anything of their own
	for _, s := range r.Steps {
		at := own(s)
		if at != nil {
			all, row = append(all, at), nil
		}
		for _, id := range s.Shares {
			result, judged := results[id]
			if !judged {
				continue
			}
			if at == nil {
				if row == nil || row.Task != s.Task {
					row = &stepResults{Task: s.Task, ID: s.ID, first: s.ID}
					all = append(all, row)
				}
				at = row
				if at.ID = s.ID; at.first != s.ID {
					at.ID = at.first + " to " + s.ID
				}
			}
			at.Under = r.taskTitle(result.Task)
			at.Elsewhere = append(at.Elsewhere, result)
		}
	}
	for _, s := range all {
		if s.Title == "" {
			s.Title = "As in " + s.Under
		}
	}
	return append(all, slices.DeleteFunc(steps, func(s *stepResults) bool { return slices.Contains(all, s) })...)
}

// taskTitle is the title of a task, or its id where no title was given.
func (r *Report) taskTitle(id string) string {
	for _, t := range r.Tasks {
		if t.ID == id && t.Title != "" {
			return t.Title
		}
	}
	return id
}

// about is what was certified, in a few words: the tasks and the subject.
func (r *Report) about() string {
	var titles []string
	seen := map[string]bool{}
	for _, result := range r.Results {
		if !seen[result.Task] {
			seen[result.Task] = true
			titles = append(titles, r.taskTitle(result.Task))
		}
	}
	if len(titles) == 0 {
		for _, t := range r.Tasks {
			titles = append(titles, r.taskTitle(t.ID))
		}
	}
	tasks := strings.Join(titles, ", ")
	switch {
	case len(titles) == 0:
		tasks = "no task"
	case len(titles) > 3:
		tasks = fmt.Sprintf("%d tasks", len(titles))
	}
	subject := r.Subject
	if subject == "both" {
		subject = "server and client"
	}
	if r.Strict {
		subject += ", strict"
	}
	if r.Name != "" {
		tasks = shorten(r.Name, 100) + " · " + tasks
	}
	return tasks + " · " + subject
}

// target is what reports of one and the same have in common: its name if it was given
// one, else where the evidence is from, without the application that each run creates.
func (r *Report) target() string {
	if r.Name != "" {
		return r.Name
	}
	if r.Evidence.Kind != "live" {
		return r.Evidence.Source
	}
	source, _, _ := strings.Cut(r.Evidence.Source, "/applications/")
	return source
}

// Shared counts what is judged under another task.
func (s *stepResults) Shared() Counts {
	var counts Counts
	for _, result := range s.Elsewhere {
		counts.add(result.Verdict)
	}
	return counts
}

// Short is the requirement without its task.
func (r Result) Short() string {
	_, short, _ := strings.Cut(r.Requirement, ".")
	return short
}

// where says what a result looked at: "exchange 9: status".
func (r Result) where() string {
	var places []string
	for _, p := range r.Evidence {
		switch {
		case p.Exchange == 0:
			places = append(places, p.Field)
		case p.Field == "":
			places = append(places, fmt.Sprintf("exchange %d", p.Exchange))
		default:
			places = append(places, fmt.Sprintf("exchange %d: %s", p.Exchange, p.Field))
		}
	}
	return strings.Join(places, ", ")
}

// String is the document and the clause, as far as they are known.
func (s Source) String() string {
	if s.Document == "" || s.Clause == "" {
		return s.Document + s.Clause
	}
	return s.Document + ", " + s.Clause
}

// answer is the status, or what came in its place.
func (x *Exchange) answer() string {
	switch {
	case x.Response != nil:
		return fmt.Sprint(x.Response.Status)
	case x.Error != "":
		return "error: " + x.Error
	}
	return "no response"
}

// path is the address without the host, which is the same on every line.
func path(url string) string {
	if _, rest, ok := strings.Cut(url, "://"); ok {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return rest[i:]
		}
	}
	return url
}

// A step that was not judged has its place in the text; a row of more is one.
const maxUnjudged = 2

// together makes one of the steps of a task that follow each other and of which nothing was
// judged: what ended a run early is not to be looked for below all that it left undone.
func together(steps []*stepResults) []*stepResults {
	var out []*stepResults
	for i := 0; i < len(steps); {
		end := i
		for end < len(steps) && steps[end].Task == steps[i].Task && steps[end].unjudged() {
			end++
		}
		if end-i <= maxUnjudged {
			out = append(out, steps[i])
			i++
			continue
		}
		one := &stepResults{Task: steps[i].Task, Title: count(end-i, "step") + ", not judged: " +
			strings.Join(each(steps[i:end], func(s *stepResults) string { return shorten(s.ID, 40) }), ", ")}
		for ; i < end; i++ {
			one.Results = append(one.Results, steps[i].Results...)
		}
		for _, result := range one.Results {
			one.Counts.add(result.Verdict)
		}
		out = append(out, one)
	}
	return out
}

// unjudged tells whether nothing of the step was judged, though something could have been.
func (s *stepResults) unjudged() bool {
	return s.Counts.Blocked+s.Counts.NotExercised > 0 && s.Counts.Blocked+s.Counts.NotExercised+s.Counts.NotTested+s.Counts.NotApplicable == s.Counts.Total()
}

// alike is results that share a verdict and its reason.
type alike struct {
	Verdict Verdict
	Reason  string
	IDs     []string
}

// gather puts results of which there is nothing more to say than a reason together.
func gather(results []Result) []*alike {
	type key struct {
		verdict Verdict
		reason  string
	}
	var groups []*alike
	found := map[key]*alike{}
	for _, v := range verdicts {
		for _, r := range results {
			if r.Verdict != v {
				continue
			}
			k := key{v, r.because()}
			if found[k] == nil {
				found[k] = &alike{Verdict: v, Reason: k.reason}
				groups = append(groups, found[k])
			}
			found[k].IDs = append(found[k].IDs, r.Requirement)
		}
	}
	return groups
}

// speaks tells whether a result has values of its own to show. One that only has a
// reason is told with the others of that reason: a dead target is one sentence, not eighty.
func (r Result) speaks() bool {
	switch r.Verdict {
	case Fail, Warn:
		return true
	case Error:
		return r.Observed != ""
	}
	return false
}
