package prove

import (
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
	list = append(list, particular()...)
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

// FaultNamed returns the fault of that name, or of the name that ends so behind the requirement, and whether there is one.
func FaultNamed(name string) (Fault, bool) {
	var found []Fault
	for _, f := range Faults() {
		if f.Name == name {
			return f, true
		}
		if _, short, _ := strings.Cut(f.Name, "/"); short == name {
			found = append(found, f)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return Fault{}, false
}

// Handler returns h with a server's fault. What h serves may be any UCWA server, a
// [Server] or a proxy in front of one. A handler remembers what its applications
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
