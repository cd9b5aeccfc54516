package suite

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// page is a documented task: what its document says, sentence by sentence, and what that asks of servers and clients.
type page struct {
	Task, Title string
	Revision    int // grows when a requirement changes its meaning
	Document    Document
	Clauses     []Clause                    // of no step: nothing is tested
	Errata      []string                    // where the document contradicts itself
	about       string                      // the role of the request that it is about
	sets        *personal                   // what its steps set, reset or read, if that is what the user sets of himself
	signsIn     *entrance                   // how a driver does it, if it leads to an application
	begin       func(*session, []*personal) // does what comes before anything can be set, and then sets these
	always      bool                        // traffic of others is judged by it, whatever they asked for
	Roles       []role
	Steps       []step
}

// step is one documented step of a task, and the role that carries it out.
type step struct {
	ID, Title string
	role      string
	clauses   []clause
	shares    []string // requirements of other pages that are those of this step, too; one that ends in "." stands for all that begin so
}

// clause is one passage of the document with the requirements that it is the source of.
type clause struct {
	Clause
	Checks []Check
}

// Check is one requirement of a page.
type Check struct {
	id, subject, level string
	kind
	says, breaks string
	at           location // where the page has it, if that was asked for
}

// The levels of requirements.
const (
	must   = "must"
	should = "should"
	may    = "may"
)

// server and client make the requirement on one of the two: its id in the page, its level, how it is checked, what it
// says, and what commonly breaks it.
func server(id, level string, k kind, says, breaks string) Check {
	return checkHere(id, "server", level, k, says, breaks)
}

func client(id, level string, k kind, says, breaks string) Check {
	return checkHere(id, "client", level, k, says, breaks)
}

func checkHere(id, subject, level string, k kind, says, breaks string) Check {
	c := Check{id: id, subject: subject, level: level, kind: k, says: says, breaks: breaks}
	if locating.Load() {
		c.at = caller(2)
	}
	return c
}

// template gives requirements the line of the page that calls the function which makes them.
func template(list ...Check) []Check {
	if locating.Load() {
		for i := range list {
			list[i].at = caller(2)
		}
	}
	return list
}

// location is a line of a page.
type location struct {
	file string
	line int
}

func (l location) String() string { return fmt.Sprintf("%s:%d", l.file, l.line) }

// caller returns the line of the function that many calls above the one that asks.
func caller(above int) location {
	_, file, line, _ := runtime.Caller(above + 1)
	return location{file, line}
}

// locating says that the lines of the requirements are asked for: to find them takes as long as all else of a page.
var locating atomic.Bool

// locations are the lines of the requirements in their pages, by id.
var locations = sync.OnceValue(func() map[string]location {
	locating.Store(true)
	defer locating.Store(false)
	m := map[string]location{}
	for _, of := range literals {
		p := of()
		for _, s := range p.Steps {
			for _, c := range s.clauses {
				for _, check := range c.Checks {
					m[p.Task+"."+check.id] = check.at
				}
			}
		}
	}
	return m
})

// Tasks returns the names of the certified tasks, in the order in which a client does them.
func Tasks() []string { return slices.Clone(taskNames) }

// literals are the pages, taskNames their names, and ledgers their ledgers, each made once, when it is asked for.
var (
	literals  []func() *page
	taskNames []string
	ledgers   []func() *Ledger
)

// register makes a page known under the name of its task.
func register(task string, literal func() *page) {
	literals, taskNames, ledgers = append(literals, literal), append(taskNames, task), append(ledgers, bound(literal))
}

// bound returns the ledger of a page: its requirements under their whole ids, each with what it rests on.
func bound(of func() *page) func() *Ledger {
	return sync.OnceValue(func() *Ledger {
		p := of()
		l := &Ledger{Task: p.Task, Title: p.Title, Revision: p.Revision, Document: p.Document, Clauses: p.Clauses, Errata: p.Errata, page: p}
		known := map[string][]rest{}
		for _, s := range p.Steps {
			l.Steps = append(l.Steps, Step{ID: s.ID, Title: s.Title, role: s.role, shares: s.shares})
			for _, c := range s.clauses {
				if l.Clause(c.ID) == nil {
					l.Clauses = append(l.Clauses, c.Clause)
				}
				for _, check := range c.Checks {
					id := p.Task + "." + check.id
					k := check.kind
					if f, ok := k.(fields); ok {
						k = f.bind(id, s.role, known)
					}
					l.Requirements = append(l.Requirements, Requirement{ID: id, Level: check.level, Subject: check.subject, Step: s.ID, Clause: c.ID,
						Says: check.says, How: k.how(), Breaks: check.breaks, ledger: l, kind: k})
				}
			}
		}
		return l
	})
}

// bind gives a check the role of its step, and the requirements before it on which it rests: those on the same member of the
// JSON, and those that first speak of what is around it. It adds its own to those that are known, by the answers that they look
// at and the place.
func (f fields) bind(id, role string, known map[string][]rest) fields {
	if f.role == "" {
		f.role = role
	}
	f.list = slices.Clone(f.list)
	for i := range f.list {
		at := &f.list[i]
		at.answers = f.role + " " + f.whose
		key := at.answers + " " + at.name
		at.spoken = len(known[key]) > 0
		if at.path == nil {
			continue
		}
		at.rests = slices.DeleteFunc(slices.Clone(known[key]), func(r rest) bool { return r.path == nil })
		for end := strings.LastIndexByte(key, '.'); end > len(at.answers); end = strings.LastIndexByte(key[:end], '.') {
			for _, r := range known[key[:end]] {
				if r.around {
					at.rests = append(at.rests, r)
				}
			}
		}
	}
	for i, at := range f.list {
		key := at.answers + " " + at.name
		known[key] = append(known[key], rest{id: id, around: i == 0 && !at.spoken, fieldAt: at})
	}
	return f
}

// owner is the requirements that answer for the soundness of a role: whoever asks a broken answer for something else is
// blocked by them.
type owner struct {
	status, json string
	expected     want              // of the status
	places       map[string][]rest // the requirements on each place, in their order
}

// owners returns the requirements that look first at the status, and at the body as a whole, of what plays a role.
var owners = sync.OnceValue(findOwners)

func findOwners() map[string]owner {
	m := map[string]owner{}
	for _, l := range Ledgers() {
		for _, r := range l.Requirements {
			f, ok := r.kind.(fields)
			if !ok || f.role == "" {
				continue
			}
			o := m[f.role]
			for _, at := range f.list {
				switch {
				case at.name == atStatus && o.status == "":
					o.status, o.expected = r.ID, at.want
				case at.whole && o.json == "":
					o.json = r.ID
				}
			}
			m[f.role] = o
			for _, role := range f.touched() {
				o := m[role]
				if o.places == nil {
					o.places = map[string][]rest{}
				}
				for _, at := range f.list {
					o.places[at.name] = append(o.places[at.name], rest{id: r.ID, fieldAt: at})
				}
				m[role] = o
			}
		}
	}
	return m
}

// broken returns the requirement on a place of the answer of x that x breaks, or the first that speaks of it.
func (e *Evidence) broken(x *Exchange, place string) string {
	a, list := answer{x, &check{Evidence: e}}, owners()[x.Part].places[place]
	for _, r := range list {
		if !r.of(a.check, a).matches(r.get(a)) {
			return r.id
		}
	}
	return list[0].id
}

// tasksThat returns the names of the pages of which something holds.
func tasksThat(holds func(*page) bool) []string {
	var list []string
	for _, l := range Ledgers() {
		if holds(l.page) {
			list = append(list, l.Task)
		}
	}
	return list
}

// Ledgers returns the ledger of every certified document.
func Ledgers() []*Ledger {
	list := make([]*Ledger, len(ledgers))
	for i, of := range ledgers {
		list[i] = of()
	}
	return list
}

// LedgerOf returns the ledger of a task, or an error that names the tasks there are.
func LedgerOf(task string) (*Ledger, error) {
	if i := slices.Index(taskNames, task); i >= 0 {
		return ledgers[i](), nil
	}
	return nil, fmt.Errorf("unknown task %q%s; the tasks are: %s", task, Nearest(task, taskNames), strings.Join(taskNames, ", "))
}
