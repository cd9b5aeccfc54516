package prove

import (
	"net/http"
	"slices"
	"strings"
)

// Fault is one documented misbehaviour: a way in which a server or a client
// departs from one sentence of the documentation, and from nothing else that it
// need not. The catalogue is [Faults].
type Fault struct {
	Name        string   // as in "makeMeAvailable-200"
	Subject     string   // who misbehaves: server, client
	Breaks      string   // what it does, in a sentence
	Requirement string   // the id of the requirement that must catch it
	Field       string   // of an exchange, at which that requirement must see it
	Also        []string // the ids of others, which cannot but fail with it

	on   []string // the roles of what it touches; none: all
	ask  func(*exchange)
	edit func(*exchange)
}

// Faults returns the catalogue, in the order of the task.
func Faults() []Fault {
	return slices.Concat(signInServerFaults(), serverFaults(), signInClientFaults(), clientFaults())
}

// FaultNamed returns the fault of that name, and whether there is one.
func FaultNamed(name string) (Fault, bool) {
	for _, f := range Faults() {
		if f.Name == name {
			return f, true
		}
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

// under returns a function that completes faults of one subject and task. Of what else
// fails with one, the ids of the other task stand whole.
func under(subject, task string, list *[]Fault) func(requirement, field string, on []string, faults ...Fault) {
	return func(requirement, field string, on []string, faults ...Fault) {
		for _, f := range faults {
			f.Subject, f.Requirement, f.Field, f.on = subject, task+"."+requirement, field, on
			for i, id := range f.Also {
				if !strings.HasPrefix(id, "set-presence.") {
					f.Also[i] = task + "." + id
				}
			}
			*list = append(*list, f)
		}
	}
}
