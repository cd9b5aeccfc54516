package suite

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/onsi/gomega"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// Options say how to judge.
type Options struct {
	Selection Selection    // which requirements; zero: all
	Skip      []Skip       // what is not to be judged
	Strict    bool         // treat failed SHOULD requirements as failures
	Tool      reports.Tool // who judges, for the report
}

// Skip leaves requirements out of the judgement, for a reason that the report shows: their verdict is "not tested".
type Skip struct {
	Requirement string // an id; one that ends in "." or ".*" stands for all that begin so
	Reason      string
}

// Judgement is a set of evidence declared to Ginkgo. Its reports are there after
// Ginkgo has run.
type Judgement struct {
	options  Options
	evidence []*Evidence
	selected map[*Evidence][]Requirement
	byTask   map[string][]*Evidence
	outcomes map[*Evidence]map[string]*outcome
}

// ending is how a spec ended.
type ending string

const (
	hasPassed   ending = "passed"
	hasFailed   ending = "failed"
	wasSkipped  ending = "skipped"
	hasPanicked ending = "panicked"
)

// outcome is how the spec of one check ended.
type outcome struct {
	check   *check // nil once the result is drawn: a thousand users are looked at many times
	result  reports.Result
	state   ending
	message string // why it failed, or was skipped
	at      string // the line of the spec that says so, or where it panicked, on lines of their own
}

func prepare(options Options, evidence []*Evidence) (*Judgement, error) {
	j := &Judgement{options: options, evidence: evidence, selected: map[*Evidence][]Requirement{}, outcomes: map[*Evidence]map[string]*outcome{}}
	if len(evidence) == 0 {
		return nil, errors.New("nothing to judge: there is no evidence")
	}
	chosen := map[string][]Requirement{} // by tasks: a run can have a thousand evidences
	for i, e := range evidence {
		if e == nil {
			return nil, fmt.Errorf("evidence %d of %d is nil: was an error of Locate or Replay ignored?", i+1, len(evidence))
		}
		if j.outcomes[e] != nil {
			return nil, fmt.Errorf("evidence %d of %d was given before: each has one report", i+1, len(evidence))
		}
		j.outcomes[e] = map[string]*outcome{}
		key := strings.Join(e.Tasks, ", ")
		if chosen[key] == nil {
			ledgers, err := ledgersOf(e.Tasks)
			if err != nil {
				return nil, err
			}
			if chosen[key], err = options.Selection.Apply(ledgers...); err != nil {
				return nil, err
			}
		}
		j.selected[e] = chosen[key]
	}
	return j, nil
}

// release lets go of all that Ginkgo's tree, which stays as long as the process, holds of the evidence, and of bodies that
// were decoded: whoever looks at one again has it decoded again.
func (j *Judgement) release() {
	clear(j.outcomes)
	for _, list := range j.byTask {
		clear(list)
	}
	for _, e := range j.evidence {
		for _, of := range []*Evidence{e, e.received} {
			if of == nil {
				continue
			}
			for _, x := range of.Exchanges {
				x.request, x.response = document{}, document{}
			}
		}
	}
}

// Reports returns a report for each evidence, in the order given.
func (j *Judgement) Reports() []*reports.Report {
	list := make([]*reports.Report, len(j.evidence))
	for i, e := range j.evidence {
		list[i] = j.report(e)
	}
	return list
}

func (j *Judgement) report(e *Evidence) *reports.Report {
	r := &reports.Report{
		Schema: reports.SchemaID, Tool: j.options.Tool, Strict: j.options.Strict, Subject: subjectOf(j.selected[e]),
		Evidence:  reports.Evidence{Kind: e.Kind, Source: e.Source, RecordedAt: e.RecordedAt, SHA256: e.SHA256, Server: e.Server},
		Exchanges: []reports.Exchange{}, Notes: slices.Clone(e.Notes), CutShort: e.cut,
	}
	all := 0
	ledgers, _ := ledgersOf(e.Tasks) // which prepare has seen
	every := requirementsOf(ledgers)
	for _, requirement := range every {
		if subjects := j.options.Selection.Subjects; len(subjects) == 0 || slices.Contains(subjects, requirement.Subject) {
			all++ // that a report is about one of the two, it says itself
		}
	}
	asked := pagesOf(every)
	for _, l := range Ledgers() {
		if !slices.Contains(asked, l) {
			continue
		}
		r.Tasks = append(r.Tasks, reports.Task{ID: l.Task, Title: l.Title, Revision: l.Revision})
		for _, s := range l.Steps {
			step := reports.Step{Task: l.Task, ID: s.ID, Title: s.Title, Exchange: e.mainExchange(l, s.role)}
			if slices.Contains(ledgers, l) {
				_, shared := l.asks()
				step.Shares = shared[s.ID]
			}
			r.Steps = append(r.Steps, step)
		}
	}
	if n := len(j.selected[e]); n < all {
		r.Notes = append(r.Notes, fmt.Sprintf("only %d of the %d requirements were asked for", n, all))
	}
	if e.Driven && r.Subject != "server" {
		r.Notes = append(r.Notes, "the client that was judged is conform's own driver")
	}
	r.Results = results(j.selected[e], j.outcomes[e])
	for _, skip := range j.options.Skip {
		for i, result := range r.Results {
			if matchID(skip.Requirement, result.Requirement) {
				result.Verdict, result.Reason, result.Expected, result.Observed, result.Said = reports.NotTested, "skipped: "+skip.Reason, "", "", ""
				result.Evidence, result.DurationMs = []reports.Pointer{}, 0
				r.Results[i] = result
			}
		}
	}
	for _, x := range folded(e.Exchanges) {
		r.Exchanges = append(r.Exchanges, x.report())
	}
	r.Tally()
	return r
}

// Examine judges an evidence by every requirement of its tasks without Ginkgo, any
// number of times in a process, and of several at once, and returns the
// results in the ledger's order. It fails on an unknown task. The specs are those
// that [Judge] runs; a report of a run is Judge's.
func Examine(e *Evidence) ([]reports.Result, error) {
	ledgers, err := ledgersOf(e.Tasks)
	if err != nil {
		return nil, err
	}
	all := requirementsOf(ledgers)
	return results(all, examine(e, all)), nil
}

func results(selected []Requirement, outcomes map[string]*outcome) []reports.Result {
	list := make([]reports.Result, 0, len(selected))
	for _, r := range selected {
		if o := outcomes[r.ID]; o != nil {
			list = append(list, o.result)
			continue
		}
		list = append(list, resultOf(r, nil))
	}
	return list
}

// judged runs the spec of a requirement, and draws the result.
func judged(e *Evidence, r Requirement) *outcome {
	o := run(e, r)
	o.result = resultOf(r, o)
	if e.received != nil {
		e.vote(o, judged(e.received, r))
	}
	o.check = nil
	return o
}

// vote compares the verdict on masked evidence with that on what was received. If they differ, the verdict on what was received stands, and
// the result says so: a server cannot undo a failure by sending text that masking removes.
func (e *Evidence) vote(o, received *outcome) {
	is, was := &o.result, received.result
	if is.Verdict == was.Verdict {
		return
	}
	o.state = received.state
	o.message, o.at = "judged by what was received; the evidence that shows it is masked", received.at
	*is = reports.Result{Requirement: was.Requirement, Task: was.Task, Step: was.Step, Subject: was.Subject, Level: was.Level, Statement: was.Statement,
		Verdict: was.Verdict, Reason: o.message, Source: was.Source, How: was.How, Breaks: was.Breaks, DurationMs: was.DurationMs}
	if was.Verdict == reports.Pass {
		is.Reason, is.Observed = "", o.message
	}
	is.Evidence = []reports.Pointer{}
	for _, p := range was.Evidence {
		is.Evidence = append(is.Evidence, reports.Pointer{Exchange: p.Exchange, Field: e.masker.Field(p.Field)})
	}
}

func resultOf(r Requirement, o *outcome) reports.Result {
	document, _ := r.Source()
	result := reports.Result{Requirement: r.ID, Task: r.ledger.Task, Step: r.Step, Subject: r.Subject,
		Level: r.Level, Statement: r.Says, Evidence: []reports.Pointer{},
		Source: reports.Source{Document: document, Clause: r.Clause}, How: r.How, Breaks: r.Breaks}
	conclude(&result, o)
	if o != nil && result.Verdict != reports.Pass {
		result.Said = o.check.said(result)
	}
	return result
}

// said tells how the server refused what a verdict rests on, "" if it did not: in the exchange that the verdict looked at last,
// or that its reason points to.
func (c *check) said(result reports.Result) string {
	if n := len(c.looks); n > 0 && result.Verdict != reports.NotApplicable && result.Verdict != reports.NotExercised {
		if said := c.looks[n-1].x.said(); said != "" {
			return said
		}
	}
	if m := pointsTo.FindStringSubmatch(result.Reason); m != nil {
		for _, x := range c.Exchanges {
			if strconv.Itoa(x.ID) == m[1] {
				return x.said()
			}
		}
	}
	return ""
}

// pointsTo finds the number of the exchange in the reason of a verdict.
var pointsTo = regexp.MustCompile(`\bexchange (\d+)\b`)

// said tells how the server refused: the status, and what else of the answer says why. It is "" if the server did not refuse.
func (x *Exchange) said() string {
	if x.Response.Code < 400 {
		return ""
	}
	parts := []string{strings.TrimSpace(fmt.Sprintf("%d %s", x.Response.Code, http.StatusText(x.Response.Code)))}
	add := func(name, value string) {
		if value = strings.TrimSpace(value); value == "" {
			return
		}
		if len(value) > maxSaid {
			value = strings.ToValidUTF8(value[:maxSaid], "") + "…"
		}
		parts = append(parts, name+" "+value)
	}
	if len(x.Response.Body) <= maxRefusal {
		object, _ := x.object()
		for _, name := range []string{"code", "subcode", "error"} { // the last is that of OAuth
			value, _ := member(object, name)
			text, _ := value.(string)
			add(name, text)
		}
	}
	fields := []string{"X-Ms-diagnostics", "Retry-After"}
	if len(parts) == 1 && len(cassettes.HeaderValues(x.Response.Headers, fields[0])) == 0 { // it was a front end that refused, or a proxy
		fields = append(fields, "Server", "Via")
	}
	for _, name := range fields {
		value := strings.Join(cassettes.HeaderValues(x.Response.Headers, name), ", ")
		if add(name, value); name == fields[0] {
			if meaning := ucwa.ParseDiagnostics(value).Meaning(); meaning != "" {
				parts[len(parts)-1] += " (" + meaning + ")"
			}
		}
	}
	if page := mask.Signature(x.Response.Body); page != "" {
		parts = append(parts, "a page of "+page)
	}
	return strings.Join(parts, ", ")
}

const (
	maxSaid    = 500      // bytes of one value that tells why the server refused
	maxRefusal = 64 << 10 // bytes of a body in which a code is looked for: those that hold one are short
)

// conclude turns what Ginkgo found into a verdict with its proof.
func conclude(result *reports.Result, o *outcome) {
	if o == nil {
		result.Verdict, result.Reason = reports.Error, "its spec did not run: was it filtered out by a flag of Ginkgo, or interrupted?"
		return
	}
	looks := o.check.looks
	others := ""
	if o.state == hasFailed && len(looks) > 0 {
		others = o.check.contested(looks[len(looks)-1])
	}
	switch {
	case o.state == hasPassed && len(looks) == 0:
		result.Verdict, result.Reason = reports.Error, "internal error: the check made no assertion"
	case o.state == hasPassed:
		result.Verdict = reports.Pass
	case others != "":
		result.Verdict, result.Reason = reports.Error, others
	case o.state == hasFailed && result.Level == "must":
		result.Verdict = reports.Fail
	case o.state == hasFailed:
		result.Verdict = reports.Warn
	case o.state == wasSkipped && o.check.verdict != "":
		result.Verdict, result.Reason = o.check.verdict, o.check.reason
	default:
		result.Verdict = reports.Error
		result.Reason = "its spec did not end: " + string(o.state) + " " + o.message
	}
	if len(looks) == 0 {
		return
	}
	if x := looks[len(looks)-1].x; result.Verdict == reports.Error && x.timedOut() {
		result.Reason = cmp.Or(o.check.tooSlow(x, x), result.Reason)
	}
	decisive := looks[len(looks)-1:]
	if result.Verdict == reports.Pass {
		decisive = firstExchange(looks)
	}
	var expected, observed []string
	for _, look := range decisive {
		prefix := ""
		if len(decisive) > 1 {
			prefix = look.x.names(look.Name) + " "
		}
		expected = append(expected, prefix+look.expected)
		observed = append(observed, prefix+look.observed())
	}
	result.Expected, result.Observed = strings.Join(expected, "; "), strings.Join(observed, "; ")
	result.DurationMs = decisive[0].x.Response.Duration.Seconds() * 1000
	for _, list := range [][]observation{decisive, looks} {
		for _, look := range list {
			pointer := reports.Pointer{Exchange: look.x.ID, Field: look.x.names(look.Name)}
			if len(result.Evidence) < maxPointers && !slices.Contains(result.Evidence, pointer) {
				result.Evidence = append(result.Evidence, pointer)
			}
		}
	}
}

// maxPointers bounds the proof of a verdict that was found in every exchange.
const maxPointers = 10

// firstExchange returns the looks at the first exchange, one a field and at most
// three: what a reader needs to believe a pass.
func firstExchange(looks []observation) []observation {
	var list []observation
	for _, look := range looks {
		if look.x == looks[0].x && len(list) < 3 && !slices.ContainsFunc(list, func(o observation) bool { return o.Name == look.Name }) {
			list = append(list, look)
		}
	}
	return list
}

func subjectOf(selected []Requirement) string {
	subject := selected[0].Subject
	for _, r := range selected {
		if r.Subject != subject {
			return "both"
		}
	}
	return subject
}

// mainExchange returns the number of the exchange that carries a step of a page out, by playing
// that role; 0 if the evidence holds none. Of events it is the first after what the page is about.
func (e *Evidence) mainExchange(l *Ledger, role string) int {
	list := e.parts[role]
	if about := e.parts[l.page.about]; role == partEvents && len(about) > 0 {
		if x := firstWithin(list, about[0].ID, math.MaxInt); x != nil {
			return x.ID
		}
	}
	if role == "" || len(list) == 0 {
		return 0
	}
	return list[0].ID
}

// report returns x as a report shows it.
func (x *Exchange) report() reports.Exchange {
	aside := x.aside
	for _, part := range x.inside { // each reason once
		if part.aside != "" && !strings.Contains(aside, part.aside) {
			aside = strings.TrimPrefix(aside+"; "+part.names(part.aside), "; ")
		}
	}
	r := reports.Exchange{Number: x.ID, Step: x.Part, Aside: aside, Error: x.Failure, StartedAt: x.Began, DurationMs: x.Response.Duration.Seconds() * 1000,
		Request: reports.Request{Method: x.Request.Method, URL: x.Request.URL, Headers: x.Request.Headers, Body: x.Request.Body}}
	if x.Response.Code != 0 {
		r.Response = &reports.Response{Status: x.Response.Code, Headers: x.Response.Headers, Body: x.Response.Body}
	}
	return r
}

// examine runs the same specs without Ginkgo, as often as a process likes: for
// those who judge thousands of evidences, such as the proof of the suite itself.
func examine(evidence *Evidence, selected []Requirement) map[string]*outcome {
	outcomes := make(map[string]*outcome, len(selected))
	for _, r := range selected {
		outcomes[r.ID] = judged(evidence, r)
	}
	return outcomes
}

// run runs one spec as Ginkgo would.
func run(evidence *Evidence, r Requirement) (o *outcome) {
	type ended struct{}
	o = &outcome{state: hasPassed}
	end := func(how ending, message string) {
		o.state, o.message = how, message
		panic(ended{})
	}
	fail := func(message string, _ ...int) {
		o.at = "\n" + locations()[r.ID].String()
		end(hasFailed, message)
	}
	o.check = &check{Evidence: evidence, requirement: r, gomega: gomega.NewGomega(fail), skip: func(reason string) { end(wasSkipped, reason) }}
	defer func() {
		switch p := recover().(type) {
		case nil, ended:
		default:
			o.state, o.message = hasPanicked, fmt.Sprint(p)
			o.at = "\n" + string(debug.Stack())
		}
	}()
	r.kind.judge(o.check)
	o.check.end()
	return o
}
