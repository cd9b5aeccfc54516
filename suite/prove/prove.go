//go:generate go test -count=1 -run=^(TestProof)$ . -update

// Package prove shows what the verdicts of package suite are worth: that every
// requirement fails for a fault which breaks it and little else, and names the
// place; that a change of a recording, wherever it is made, is seen or known to be
// of no account; and that the differences which correct servers show fail nothing.
package prove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// Proof is what was tried on the suite, and what came of it.
type Proof struct {
	Schema       string        `json:"schema"`                // SchemaID
	Task         string        `json:"task"`                  // or tasks, separated by commas
	Server       string        `json:"server"`                // on which the faults were tried
	Live         bool          `json:"live,omitempty"`        // that server is somebody's own
	Interrupted  bool          `json:"interrupted,omitempty"` // what was not tried by then is skipped
	Names        []string      `json:"names,omitempty"`       // which trials were asked for; none: all
	Unsound      []string      `json:"unsound,omitempty"`     // what that server does not pass without any fault
	Seed         uint64        `json:"seed"`                  // of the combinations
	Requirements []Requirement `json:"requirements"`
	Trials       []Trial       `json:"trials"`
}

// SchemaID names the form of a Proof as JSON.
const SchemaID = "conform.proof/v1"

// Requirement is one of the ledger, with the names of the faults that prove it.
type Requirement struct {
	ID      string   `json:"id"`
	Level   string   `json:"level"`
	Subject string   `json:"subject"`
	Says    string   `json:"says"`
	By      []string `json:"by"`
}

// Trial is one thing that was tried.
type Trial struct {
	Kind        string   `json:"kind"` // one of Kinds
	Name        string   `json:"name"`
	Does        string   `json:"does"`                  // in a sentence
	Requirement string   `json:"requirement,omitempty"` // of a fault: the one that must catch it
	Field       string   `json:"field,omitempty"`       // at which
	Failed      []string `json:"failed,omitempty"`      // the ids that failed or warned
	Tolerated   string   `json:"tolerated,omitempty"`   // of a mutant that nothing caught: why that is right
	Skipped     string   `json:"skipped,omitempty"`     // why it was not tried, or could not be, on that server
	Problem     string   `json:"problem,omitempty"`     // why it is not as it should be, "" if it is
}

// Kinds are the kinds of trials: faults of servers and of clients, which must be
// caught; mutants of a recording, which must be caught or reviewed; variations and
// their combinations, which must not be.
var Kinds = []string{"server", "client", "recording", "variation", "combination"}

// Options say what is tried. Zero: everything once, with 200 combinations.
type Options struct {
	Names        []string            // of the trials; all that have one of these in their names
	Seed         uint64              // of the combinations
	Combinations int                 // how many; 200 if zero, none if negative
	Runs         int                 // how often each fault is tried, to find what is unstable; 1 if zero
	Live         *Live               // try the faults of servers on this server, and nothing else
	Progress     func(done, all int) // told after each trial; may be nil

	sockets bool // leave out what needs none
}

// Run tries everything and returns what came of it, in an order that is always the
// same. It fails if a server cannot be started, if nothing has one of the names, or
// with the error of ctx.
func Run(ctx context.Context, o Options) (_ *Proof, err error) {
	ledgers := suite.Ledgers()
	if o.Live != nil { // which begins with an application
		ledgers = slices.DeleteFunc(ledgers, func(l *suite.Ledger) bool { return l.Task == strings.TrimSuffix(signInTask, ".") })
	}
	var requirements []suite.Requirement
	var names []string
	for _, l := range ledgers {
		names = append(names, l.Task)
		requirements = append(requirements, l.Requirements...)
	}
	p := &Proof{Schema: SchemaID, Task: strings.Join(names, ", "), Server: "conform's own reference server", Seed: o.Seed}
	p.Names = o.Names
	var planned []experiment
	if o.Live != nil {
		p.Live, p.Server, p.Seed = true, o.Live.source(), 0
		defer func() {
			if problem := o.Live.restore(ctx); problem != nil {
				err = errors.Join(err, problem)
			}
		}()
		planned, p.Unsound, err = o.Live.experiments(ctx)
	} else {
		planned, err = o.plan()
	}
	if err = cmp.Or(ctx.Err(), err); err != nil {
		return nil, err
	}
	planned = slices.DeleteFunc(planned, func(e experiment) bool {
		return len(o.Names) > 0 && !slices.ContainsFunc(o.Names, e.isNamed)
	})
	if len(planned) == 0 {
		return nil, fmt.Errorf("nothing is tried: no fault, mutant or variation has %s in its name", strings.Join(o.Names, " or "))
	}
	p.Trials, err = try(ctx, planned, o.Progress)
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	p.Interrupted = ctx.Err() != nil
	for _, r := range requirements {
		proved := Requirement{ID: r.ID, Level: r.Level, Subject: r.Subject, Says: r.Says, By: []string{}}
		for _, t := range p.Trials {
			if t.Requirement == r.ID && t.Problem == "" && t.Skipped == "" {
				proved.By = append(proved.By, t.Name)
			}
		}
		p.Requirements = append(p.Requirements, proved)
	}
	return p, ctx.Err()
}

// plan lists all that can be tried.
func (o Options) plan() ([]experiment, error) {
	var planned []experiment
	r, err := openRecording()
	if err != nil {
		return nil, err
	}
	for _, f := range faults(r) {
		if o.sockets && f.still {
			continue
		}
		planned = append(planned, onFault(f, max(o.Runs, 1), f.examine))
	}
	if !o.sockets {
		planned = append(planned, onMutants(r)...)
	}
	return append(planned, onVariations(o)...), nil
}

// Problems returns the trials that are not as they should be.
func (p *Proof) Problems() []Trial {
	return slices.DeleteFunc(slices.Clone(p.Trials), func(t Trial) bool { return t.Problem == "" })
}

// Tried counts the trials that could be made.
func (p *Proof) Tried() int {
	n := 0
	for _, t := range p.Trials {
		if t.Skipped == "" {
			n++
		}
	}
	return n
}

// Unproved returns the must and should requirements that no fault proves. A proof of
// some faults only has such.
func (p *Proof) Unproved() []Requirement {
	return slices.DeleteFunc(slices.Clone(p.Requirements), func(r Requirement) bool { return r.Level == "may" || len(r.By) > 0 })
}

// isNamed reports whether a name asks for the trial: by a part of its name or, if it ends in a dot, by how that begins.
func (t Trial) isNamed(name string) bool {
	if strings.HasSuffix(name, ".") {
		return strings.HasPrefix(t.Name, name)
	}
	return strings.Contains(t.Name, name)
}

// experiment is a trial that is still to be made.
type experiment struct {
	Trial
	waits bool // for the network: more of them than there are processors can go on at once
	run   func(ctx context.Context, t *Trial) error
}

// interrupted is why a trial was not made, or not to its end.
const interrupted = "the run ended before it was tried"

// try makes the trials, as many at once as makes sense. What was not tried when the context ended is skipped.
func try(ctx context.Context, planned []experiment, progress func(done, all int)) ([]Trial, error) {
	trials := make([]Trial, len(planned))
	var mu sync.Mutex
	var failed error
	done := 0
	processors := min(runtime.GOMAXPROCS(0), runtime.NumCPU()) // the first can be set to anything
	ctx, cancel := context.WithCancel(ctx)                     // at the first error: what follows would only ask a server in vain
	defer cancel()
	few, many := make(chan struct{}, processors), make(chan struct{}, 4*processors)
	var wait sync.WaitGroup
	for i, e := range planned {
		trials[i] = e.Trial
		slot := few
		if e.waits {
			slot = many
		}
		wait.Go(func() {
			slot <- struct{}{}
			defer func() { <-slot }()
			err := ctx.Err()
			if err == nil {
				err = e.run(ctx, &trials[i])
			}
			mu.Lock()
			defer mu.Unlock()
			if ctx.Err() != nil {
				trials[i].Skipped, trials[i].Problem, trials[i].Failed = interrupted, "", nil
				err = nil
			}
			if err != nil && failed == nil {
				failed = fmt.Errorf("%s: %w", e.Name, err)
				cancel()
			}
			if done++; progress != nil {
				progress(done, len(planned))
			}
		})
	}
	wait.Wait()
	return trials, failed
}

// onFault plans to try a fault, and to expect what it says of itself.
func onFault(f fault, runs int, examine func(context.Context) ([]reports.Result, error)) experiment {
	e := experiment{Trial: Trial{Kind: f.Subject, Name: f.Name, Does: f.Breaks, Requirement: f.Requirement, Field: f.Field}, waits: !f.still}
	e.run = func(ctx context.Context, t *Trial) error {
		for n := range runs {
			results, err := examine(ctx)
			if errors.Is(err, errUntouched) {
				t.Skipped = err.Error()
				return nil
			}
			if err != nil {
				return err
			}
			before := t.Failed
			t.Failed = broken(results)
			if n > 0 && !slices.Equal(before, t.Failed) {
				t.Problem = fmt.Sprintf("unstable: it makes %s fail, and another time %s", listed(before), listed(t.Failed))
				return nil
			}
			if t.Problem = f.problem(results, t.Failed); t.Problem != "" {
				return nil
			}
		}
		return nil
	}
	return e
}

// problem says in what the results depart from what the fault says of itself.
func (f fault) problem(results []reports.Result, failed []string) string {
	i := slices.IndexFunc(results, func(r reports.Result) bool { return r.Requirement == f.Requirement })
	if i < 0 {
		return "there is no requirement " + f.Requirement
	}
	primary := results[i]
	if !slices.Contains(failed, f.Requirement) {
		return strings.TrimSpace(fmt.Sprintf("survives: %s is %q %s", f.Requirement, primary.Verdict, primary.Reason))
	}
	if len(primary.Evidence) == 0 || primary.Evidence[0].Field != f.Field {
		return fmt.Sprintf("%s fails for another reason: %v, expected the field %s", f.Requirement, primary.Evidence, f.Field)
	}
	declared := append([]string{f.Requirement}, f.Also...)
	if f.derived != nil {
		for _, r := range results {
			if slices.Contains(failed, r.Requirement) && (r.Subject != f.Subject || len(r.Evidence) > 0 && f.derived.Touches(r.Evidence[0].Field)) {
				declared = append(declared, r.Requirement) // the client went on as if nothing had been changed
			}
		}
		if more := besides(failed, declared); len(more) > 0 && !f.live { // there a driver goes another way than without it
			return "also makes fail what did not look at " + f.Field + ": " + listed(more)
		}
		return ""
	}
	if more := besides(failed, declared); len(more) > 0 {
		return "also makes fail, undeclared: " + listed(more)
	}
	if less := besides(declared, failed); len(less) > 0 && !f.live { // there it depends on what the user had set
		return "is declared to make fail, and does not: " + listed(less)
	}
	return ""
}

// broken returns the ids of the requirements that failed or warned, or could not be
// judged for a failure of the network.
func broken(results []reports.Result) []string {
	ids := []string{}
	for _, r := range results {
		if r.Verdict == reports.Fail || r.Verdict == reports.Warn || r.Verdict == reports.Error {
			ids = append(ids, r.Requirement)
		}
	}
	return ids
}

func besides(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(others, s) })
}

func listed(ids []string) string {
	if len(ids) == 0 {
		return "nothing"
	}
	return strings.Join(ids, ", ")
}

// onVariations plans to try every variation, and combinations of them.
func onVariations(o Options) []experiment {
	variations := Variations()
	var planned []experiment
	add := func(kind, name, does string, list []Variation) {
		planned = append(planned, experiment{Trial: Trial{Kind: kind, Name: name, Does: does}, waits: true, run: func(ctx context.Context, t *Trial) error {
			results, err := onServer(ctx, true, func(h http.Handler) http.Handler { return Vary(h, list...) }, list)
			if err != nil {
				return err
			}
			if t.Failed = broken(results); len(t.Failed) > 0 {
				t.Problem = "a correct server is held wrong: " + listed(t.Failed)
			}
			return nil
		}})
	}
	for _, v := range variations {
		add("variation", v.Name, v.Allows, []Variation{v})
	}
	count := o.Combinations
	if count == 0 {
		count = 200
	}
	random := rand.New(rand.NewPCG(o.Seed, 0))
	for n := range count {
		random.Shuffle(len(variations), func(i, j int) { variations[i], variations[j] = variations[j], variations[i] })
		list := slices.Clone(variations[:2+random.IntN(8)])
		var names []string
		for _, v := range list {
			names = append(names, v.Name)
		}
		add("combination", fmt.Sprintf("combination-%03d", n+1), strings.Join(names, ", "), list)
	}
	return planned
}
