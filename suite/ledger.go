package suite

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Ledger is the closed list of what one document asks: every clause is the
// source of requirements, or excluded with its reason.
type Ledger struct {
	Task         string        `json:"task,omitempty"` // "set-presence"
	Title        string        `json:"title,omitempty"`
	Revision     int           `json:"revision,omitempty"` // grows when a requirement changes its meaning
	Document     Document      `json:"document,omitempty"`
	Steps        []Step        `json:"steps,omitempty"`
	Clauses      []Clause      `json:"clauses,omitempty"`
	Errata       []string      `json:"errata,omitempty"` // where the document contradicts itself
	Requirements []Requirement `json:"requirements"`
	once         sync.Once
	asked        map[string]bool // see asks
	shared       map[string][]string
	page         *page
}

// Document is what a ledger certifies against.
type Document struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Step is one documented step of a task.
type Step struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	role   string // that carries it out
	shares []string
}

// asks returns the ids of the requirements of a page, those that it shares with others too; shared are these, by step.
func (l *Ledger) asks() (ids map[string]bool, shared map[string][]string) {
	l.once.Do(func() {
		l.asked, l.shared = map[string]bool{}, map[string][]string{}
		for i := range l.Requirements {
			l.asked[l.Requirements[i].ID] = true
		}
		for _, s := range l.Steps {
			for _, pattern := range s.shares {
				task, _, _ := strings.Cut(pattern, ".")
				of, _ := LedgerOf(task)
				for i := range of.Requirements {
					if id := of.Requirements[i].ID; matchID(pattern, id) {
						l.asked[id] = true
						l.shared[s.ID] = append(l.shared[s.ID], id)
					}
				}
			}
		}
	})
	return l.asked, l.shared
}

// Shares returns the ids of the requirements of other pages that are those of this one, too.
func (l *Ledger) Shares() []string {
	asked, _ := l.asks()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(asked)), func(id string) bool { return strings.HasPrefix(id, l.Task+".") })
}

// requirementsOf returns the requirements of pages, those that they share with others too, in the order of the pages.
func requirementsOf(ledgers []*Ledger) []Requirement {
	all := make([]map[string]bool, len(ledgers))
	for i, l := range ledgers {
		all[i], _ = l.asks()
	}
	var list []Requirement
	for _, l := range Ledgers() {
		for i := range l.Requirements {
			if slices.ContainsFunc(all, func(asked map[string]bool) bool { return asked[l.Requirements[i].ID] }) {
				list = append(list, l.Requirements[i])
			}
		}
	}
	return list
}

// Clause is one passage of the document.
type Clause struct {
	ID        string   `json:"id"`
	Quotes    []string `json:"quotes,omitempty"`    // the document's own sentences
	Shows     []string `json:"shows,omitempty"`     // header fields and JSON members of its samples
	Excluded  string   `json:"excluded,omitempty"`  // why nothing is tested, "" if something is
	Reference string   `json:"reference,omitempty"` // where it stands if not in the document itself
}

// sources are the addresses of what clauses refer to, by how a reference begins.
var sources = []struct{ begins, url string }{
	{"UCWA 2.0 API reference", "https://learn.microsoft.com/en-us/skype-sdk/ucwa/resourcesinucwa"},
	{"UCWA 2.0: Root URL", "https://learn.microsoft.com/en-us/skype-sdk/ucwa/rooturl"},
	{"UCWA 2.0: Query parameters", "https://learn.microsoft.com/en-us/skype-sdk/ucwa/queryparameters"},
	{"UCWA 2.0: Multi-tab support", "https://learn.microsoft.com/en-us/skype-sdk/ucwa/multitabsupport"},
	{"UCWA 2.0, authentication", "https://learn.microsoft.com/en-us/skype-sdk/ucwa/authenticationinucwa"},
	{"RFC 9110", "https://www.rfc-editor.org/rfc/rfc9110"},
}

// Source returns where a requirement stands: the title of what says it, and the address of that.
func (r Requirement) Source() (title, url string) {
	clause := r.ledger.Clause(r.Clause)
	if clause.Reference == "" {
		return r.ledger.Document.Title, r.ledger.Document.URL
	}
	for _, s := range sources {
		if strings.HasPrefix(clause.Reference, s.begins) {
			return clause.Reference, s.url
		}
	}
	return clause.Reference, ""
}

// Location returns the line of the page that has the requirement, such as "suite/setpresence.go:128".
func (r Requirement) Location() string {
	at := locations()[r.ID]
	return fmt.Sprintf("suite/%s:%d", filepath.Base(at.file), at.line)
}

// Requirement is one testable sentence of a document.
type Requirement struct {
	ID      string `json:"id"`      // stable: the label in Ginkgo and the key in reports
	Level   string `json:"level"`   // must, should, may
	Subject string `json:"subject"` // server, client
	Step    string `json:"step"`
	Clause  string `json:"clause"`
	Says    string `json:"says"`   // the statement, in our words
	How     string `json:"how"`    // how it is tested
	Breaks  string `json:"breaks"` // what commonly breaks it

	ledger *Ledger
	kind   kind
}

func ledgersOf(names []string) ([]*Ledger, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("the evidence is of no task; the tasks are: %s", strings.Join(taskNames, ", "))
	}
	list := make([]*Ledger, len(names))
	for i, name := range names {
		l, err := LedgerOf(name)
		if err != nil {
			return nil, err
		}
		list[i] = l
	}
	return list, nil
}

// RequirementOf returns the requirement of that id, and its ledger; or an error
// that names the nearest one.
func RequirementOf(id string) (*Requirement, *Ledger, error) {
	var ids []string
	for _, l := range Ledgers() {
		for i := range l.Requirements {
			if l.Requirements[i].ID == id {
				return &l.Requirements[i], l, nil
			}
			ids = append(ids, l.Requirements[i].ID)
		}
	}
	return nil, nil, fmt.Errorf("unknown requirement %q%s; `conform list` shows them all", id, Nearest(id, append(slices.Clone(taskNames), ids...)))
}

// Clause returns the clause of that id, nil if there is none.
func (l *Ledger) Clause(id string) *Clause {
	if i := slices.IndexFunc(l.Clauses, func(c Clause) bool { return c.ID == id }); i >= 0 {
		return &l.Clauses[i]
	}
	return nil
}

// Selection says which requirements of a ledger are asked for. Zero: all.
type Selection struct {
	Requirements []string // ids; one that ends in "." or ".*" stands for all that begin so
	Levels       []string // must, should, may
	Subjects     []string // server, client
}

// Apply returns the selected requirements of the ledgers in their order. An id, level
// or subject that does not exist is an error, and so is a selection that selects nothing.
func (s Selection) Apply(ledgers ...*Ledger) ([]Requirement, error) {
	var ids, titles []string
	for _, l := range ledgers {
		titles = append(titles, l.Task)
	}
	all := requirementsOf(ledgers)
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	s.Requirements = slices.Clone(s.Requirements)
	for i, pattern := range s.Requirements {
		pattern = strings.TrimSpace(pattern)
		s.Requirements[i] = pattern
		if slices.ContainsFunc(ids, func(id string) bool { return matchID(pattern, id) }) {
			continue
		}
		if slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(id, pattern+".") }) {
			return nil, fmt.Errorf("unknown requirement %q; %q, with a dot, stands for all that begin so", pattern, pattern+".")
		}
		if _, l, err := RequirementOf(pattern); err == nil {
			return nil, fmt.Errorf("requirement %q is of the task %s, and asked for are %s: add --task %s", pattern, l.Task, strings.Join(titles, ", "), l.Task)
		}
		return nil, fmt.Errorf("unknown requirement %q in %s%s; `conform list` shows them all", pattern, strings.Join(titles, ", "), Nearest(pattern, ids))
	}
	if err := known("level", s.Levels, []string{"must", "should", "may"}); err != nil {
		return nil, err
	}
	if err := known("subject", s.Subjects, []string{"server", "client"}); err != nil {
		return nil, err
	}
	selected := all[:0]
	for _, r := range all {
		if (len(s.Requirements) == 0 || slices.ContainsFunc(s.Requirements, func(p string) bool { return matchID(p, r.ID) })) &&
			(len(s.Levels) == 0 || slices.Contains(s.Levels, r.Level)) &&
			(len(s.Subjects) == 0 || slices.Contains(s.Subjects, r.Subject)) {
			selected = append(selected, r)
		}
	}
	if len(selected) == 0 {
		return nil, fmt.Errorf("nothing is selected: no requirement of %s has all of these: requirement %s, level %s, subject %s",
			strings.Join(titles, " and "), orAny(s.Requirements), orAny(s.Levels), orAny(s.Subjects))
	}
	return selected, nil
}

func matchID(pattern, id string) bool {
	if prefix := strings.TrimSuffix(pattern, "*"); strings.HasSuffix(prefix, ".") {
		return strings.HasPrefix(id, prefix)
	}
	return pattern == id
}

// pagesOf returns the pages that have some requirements.
func pagesOf(list []Requirement) []*Ledger {
	var pages []*Ledger
	for i := range list {
		if !slices.Contains(pages, list[i].ledger) {
			pages = append(pages, list[i].ledger)
		}
	}
	return pages
}

func known(what string, given, names []string) error {
	for _, g := range given {
		if !slices.Contains(names, g) {
			return fmt.Errorf("unknown %s %q%s; the %ss are: %s", what, g, Nearest(g, names), what, strings.Join(names, ", "))
		}
	}
	return nil
}

func orAny(given []string) string {
	if len(given) == 0 {
		return "any"
	}
	return strings.Join(given, ", ")
}
