package prove

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/suite"
)

// Fault is one documented misbehaviour: a way in which a server or a client
// departs from one sentence of the documentation, and from nothing else that it
// need not. The catalogue is [Faults].
type Fault struct {
	Name        string   // the requirement that must catch it, and what is wrong: "set-presence.2.status/200"
	Subject     string   // who misbehaves: server, client
	Breaks      string   // what it does, in a sentence
	Requirement string   // the id of the requirement that must catch it
	Field       string   // of an exchange, at which that requirement must see it
	Also        []string // the ids of others, which cannot but fail with it

	derived *suite.Fault // of one that follows from a check: what else fails with it must look at the same field

	on   []string // the roles of what it touches; none: all
	ask  func(*exchange)
	edit func(*exchange)
}

// Faults returns the catalogue, in the order of the requirements: what follows from the checks, and for each what does not.
func Faults() []Fault {
	var list []Fault
	for _, f := range suite.Derived() {
		list = append(list, fromDerived(f))
	}
	return inOrder(append(list, particular()...))
}

// inOrder puts faults into the order of their requirements.
func inOrder(list []Fault) []Fault {
	order := map[string]int{}
	for _, l := range suite.Ledgers() {
		for _, r := range l.Requirements {
			order[r.ID] = len(order)
		}
	}
	slices.SortStableFunc(list, func(a, b Fault) int { return order[a.Requirement] - order[b.Requirement] })
	return list
}

// particular are the faults that follow from no check.
func particular() []Fault {
	return slices.Concat(signInServerFaults(), serverFaults(), signInClientFaults(), clientFaults())
}

// FaultsFor returns the faults that prove some requirements, in their order. Those of clients that can only be put into a
// recording are among them.
func FaultsFor(requirements ...string) []Fault {
	all := inOrder(append(Faults(), fixed(recordedFaults())...))
	return slices.DeleteFunc(all, func(f Fault) bool { return !slices.Contains(requirements, f.Requirement) })
}

// ErrAmbiguous is the error of a name with which several faults end.
var ErrAmbiguous = errors.New("write the whole name")

// FaultNamed returns the fault of that name in any case, or the only one, of those that a person wrote if there are others,
// whose name ends so behind the requirement. Its error names the nearest, or is an ErrAmbiguous.
func FaultNamed(name string) (Fault, error) {
	var names []string
	var ending, written []Fault
	for _, f := range append(Faults(), fixed(recordedFaults())...) {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
		if _, short, _ := strings.Cut(f.Name, "/"); strings.EqualFold(short, name) {
			if ending = append(ending, f); f.derived == nil {
				written = append(written, f)
			}
		}
		names = append(names, f.Name)
	}
	switch {
	case len(written) == 1:
		return written[0], nil
	case len(ending) == 1:
		return ending[0], nil
	case len(ending) > 1:
		return Fault{}, fmt.Errorf("%d faults end in /%s: %w, such as %s", len(ending), name, ErrAmbiguous, ending[0].Name)
	}
	return Fault{}, fmt.Errorf("there is no fault %q%s; `conform list --faults` shows them, and docs/changelog.md those that were renamed", name, suite.Nearest(name, names))
}

// Handler returns h with a server's fault. What h serves may be any UCWA server, a
// [ucwatest.Server] or a proxy in front of one. A handler remembers what its applications
// did, so each begins anew.
func (f Fault) Handler(h http.Handler) http.Handler {
	return &proxy{next: h, rules: []rule{{f.on, f.ask, f.edit}}}
}

// Transport returns a RoundTripper that makes the client's mistake in what it
// sends by next. Requests that are marked as probes pass as they are: those are
// mistakes already.
func (f Fault) Transport(next http.RoundTripper) http.RoundTripper {
	return &mistaken{next: next, rule: rule{f.on, f.ask, f.edit}}
}

// under returns a function that completes faults of one subject.
func under(subject string, list *[]Fault) func(requirement, field string, on []string, faults ...Fault) {
	return func(requirement, field string, on []string, faults ...Fault) {
		for _, f := range faults {
			f.Name, f.Subject, f.Requirement, f.Field, f.on = requirement+"/"+f.Name, subject, requirement, field, on
			*list = append(*list, f)
		}
	}
}

// edited and asking make faults of a change of an answer, and of a request.
func edited(name, breaks string, edit func(*exchange), also ...string) Fault {
	return Fault{Name: name, Breaks: breaks, edit: edit, Also: also}
}

func asking(name, breaks string, ask func(*exchange), also ...string) Fault {
	return Fault{Name: name, Breaks: breaks, ask: ask, Also: also}
}
