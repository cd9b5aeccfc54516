package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// ListRun is a run on a list of targets. A matrix holds what one of its shards found, or several: all of them know the whole
// list, so that what is missing can be named whichever of them is missing.
type ListRun struct {
	Name    string  `json:"name,omitempty"` // by which the shards of one run know each other; "" if it was given none
	Tool    Tool    `json:"tool"`
	Asked   string  `json:"asked"`  // which requirements, in words
	SHA256  string  `json:"sha256"` // of the list
	Targets int     `json:"targets"`
	Shards  []Names `json:"shards"` // the targets of each
	Done    []Shard `json:"done"`   // the shards that came to an end, and when

	file string // the first that names this run
}

// Shard is one that came to an end.
type Shard struct {
	Shard int       `json:"shard"` // from 1
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
}

// Names are names of targets, which hold no comma. In JSON they are one text: of 100,000 targets each of 400 shards has them all.
type Names []string

// MarshalText joins the names.
func (n Names) MarshalText() ([]byte, error) { return []byte(strings.Join(n, ", ")), nil }

// UnmarshalText separates them.
func (n *Names) UnmarshalText(text []byte) error {
	if *n = nil; len(text) > 0 {
		*n = strings.Split(string(text), ", ")
	}
	return nil
}

// Missing is a target of the list without a result: its shard left none.
type Missing struct {
	Target string `json:"target"`
	Run    string `json:"run,omitempty"`
	Shard  int    `json:"shard"`
}

// Unread is a file that was to be merged, and why it could not be read.
type Unread struct {
	File    string `json:"file"`
	Problem string `json:"problem"`
}

// maxIdle is how long after the end of all others a shard of one run may begin. After more they are held to be of two runs, also
// where both were given one name; clocks of machines differ by less.
const maxIdle = 6 * time.Hour

// differs says in which respect two runs are not one, "" if they are.
func (r *ListRun) differs(from *ListRun) string {
	var list []string
	note := func(what, is, was string) {
		if is != was {
			list = append(list, fmt.Sprintf("%s %s, and not %s", what, orNone(is), orNone(was)))
		}
	}
	note("run", r.Name, from.Name)
	note("list", r.list(), from.list())
	note("by", r.Tool.String(), from.Tool.String())
	note("in", count(len(r.Shards), "shard"), count(len(from.Shards), "shard"))
	note("asked for", r.Asked, from.Asked)
	if list == nil && !slices.EqualFunc(r.Shards, from.Shards, slices.Equal) {
		return "the same list dealt out differently"
	}
	return strings.Join(list, "; ")
}

func (r *ListRun) list() string {
	return fmt.Sprintf("%.12s of %s", r.SHA256, count(r.Targets, "target"))
}

// String is the program with its version, and the commit if it is known.
func (t Tool) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %.12s", t.Name, t.Version, t.Commit))
}

// span is from when to when its shards ran, as the clocks of their machines said.
func (r *ListRun) span() (began, ended time.Time) {
	for i, s := range r.Done {
		if i == 0 || s.Began.Before(began) {
			began = s.Began
		}
		if s.Ended.After(ended) {
			ended = s.Ended
		}
	}
	return began, ended
}

// apart says why shards that call themselves one run look like two, "" if they do not.
func (r *ListRun) apart() string {
	if len(r.Done) == 0 {
		return ""
	}
	list := slices.SortedFunc(slices.Values(r.Done), func(a, b Shard) int { return a.Began.Compare(b.Began) })
	ended := list[0].Ended
	seen := map[int]bool{}
	for i, s := range list {
		if idle := s.Began.Sub(ended); idle > maxIdle {
			return fmt.Sprintf("%s ended %s before %s began, so they look like two runs: take away the shards of the earlier one, or give each run a name of its own with --run",
				count(i, "shard"), idle.Round(time.Minute), count(len(list)-i, "other"))
		}
		if r.Name == "" && seen[s.Shard] {
			return fmt.Sprintf("shard %d ended twice, and nothing says whether that was in one run: give each run a name of its own with --run", s.Shard)
		}
		seen[s.Shard] = true
		if s.Ended.After(ended) {
			ended = s.Ended
		}
	}
	return ""
}

// began is when the shards that ended began, the last time, by target.
func (r *ListRun) began() map[string]time.Time {
	began := map[string]time.Time{}
	for _, s := range r.Done {
		for _, name := range r.Shards[s.Shard-1] {
			if s.Began.After(began[name]) {
				began[name] = s.Began
			}
		}
	}
	return began
}

// consistent checks what a schema cannot say.
func (r *ListRun) consistent() error {
	all := 0
	seen := map[string]bool{}
	for i, names := range r.Shards {
		all += len(names)
		for _, name := range names {
			if name == "" || seen[name] {
				return fmt.Errorf("target %q of shard %d has no name, or one that is in the list twice", visible(name), i+1)
			}
			seen[name] = true
		}
	}
	if all != r.Targets {
		return fmt.Errorf("its shards have %s, and its list has %d", count(all, "target"), r.Targets)
	}
	for _, s := range r.Done {
		if s.Shard < 1 || s.Shard > len(r.Shards) {
			return fmt.Errorf("shard %d has ended, of %d", s.Shard, len(r.Shards))
		}
	}
	return nil
}

// words say what run it is, for people.
func (r *ListRun) words() string {
	began, ended := r.span()
	var done []string
	for i := range r.Shards {
		if slices.ContainsFunc(r.Done, func(s Shard) bool { return s.Shard == i+1 }) {
			done = append(done, fmt.Sprint(i+1))
		}
	}
	shards := ""
	switch {
	case len(r.Shards) > 1 && len(done) == 1:
		shards = fmt.Sprintf("; shard %s of %d", done[0], len(r.Shards))
	case len(r.Shards) > 1:
		shards = fmt.Sprintf("; %d of %s", len(done), count(len(r.Shards), "shard"))
	}
	return fmt.Sprintf("%s by %s on list %s%s; %s to %s", strings.TrimSpace("run "+r.Name), r.Tool, r.list(), shards,
		began.UTC().Format("2006-01-02 15:04:05"), ended.UTC().Format("15:04:05 MST"))
}

// runLike is the place of a run among those of the matrix, -1 if it is none of them.
func (m *Matrix) runLike(r *ListRun) int {
	return slices.IndexFunc(m.Runs, func(other ListRun) bool { return other.differs(r) == "" })
}

// take adds what another matrix knows of runs. A shard that both name with the same times is one.
func (m *Matrix) take(runs []ListRun, file string) {
	for _, run := range runs {
		i := m.runLike(&run)
		if i < 0 {
			run.file, run.Done = file, slices.Clone(run.Done)
			m.Runs = append(m.Runs, run)
			continue
		}
		for _, s := range run.Done {
			if !slices.ContainsFunc(m.Runs[i].Done, func(o Shard) bool { return o.Shard == s.Shard && o.Began.Equal(s.Began) && o.Ended.Equal(s.Ended) }) {
				m.Runs[i].Done = append(m.Runs[i].Done, s)
			}
		}
	}
}

// mixed says why what was merged is not of one run, "" if it is.
func (m *Matrix) mixed() string {
	switch {
	case len(m.Runs) > 1:
		return fmt.Sprintf("%s is not of the run of %s: %s", m.Runs[1].file, m.Runs[0].file, m.Runs[1].differs(&m.Runs[0]))
	case len(m.Runs) == 1:
		return m.Runs[0].apart()
	}
	return ""
}

// missing are the targets of the lists whose shard did not end, or that have no column though it did. What is of another run, or of none,
// does not stand for them.
func (m *Matrix) missing() []Missing {
	list := []Missing{}
	there := map[string]bool{}
	for _, c := range m.Targets {
		there[c.Target] = true
	}
	for _, r := range m.Runs {
		for i, names := range r.Shards {
			done := slices.ContainsFunc(r.Done, func(s Shard) bool { return s.Shard == i+1 })
			for _, name := range names {
				if !done || !there[name] {
					list = append(list, Missing{Target: name, Run: r.Name, Shard: i + 1})
				}
			}
		}
	}
	return list
}

// remarks say what a reader must know of the matrix as a whole: what is missing, what could not be read, and which runs it is made of.
func (m *Matrix) remarks() (grave, plain []string) {
	for i := 0; i < len(m.Missing); {
		of, n := m.Missing[i], 0
		var names []string
		for ; i < len(m.Missing) && m.Missing[i].Shard == of.Shard && m.Missing[i].Run == of.Run; i++ {
			if n++; n <= shownMissing {
				names = append(names, shorten(m.Missing[i].Target, shownRunes))
			}
		}
		if n > shownMissing {
			names = append(names, fmt.Sprintf("and %d more", n-shownMissing))
		}
		where := fmt.Sprintf("shard %d", of.Shard)
		for _, r := range m.Runs {
			if r.Name == of.Run && of.Shard <= len(r.Shards) {
				where = fmt.Sprintf("shard %d of %d", of.Shard, len(r.Shards))
			}
		}
		if len(m.Runs) > 1 {
			where = strings.TrimSpace("run "+of.Run) + ", " + where
		}
		grave = append(grave, fmt.Sprintf("missing: %s, with %s: %s", where, count(n, "target"), strings.Join(names, ", ")))
	}
	for _, u := range m.Unread {
		grave = append(grave, "not read: "+shorten(u.File, shownRunes)+": "+shorten(u.Problem, 2*shownRunes))
	}
	for _, c := range m.Targets {
		if c.Stale {
			grave = append(grave, "the baseline of "+shorten(c.Target, shownRunes)+" is out of date: its report says why")
		}
	}
	if n := len(grave) - shownRemarks; n > 0 {
		grave = append(grave[:shownRemarks], fmt.Sprintf("and %d more; --format json has them all", n))
	}
	for i := range m.Runs {
		plain = append(plain, m.Runs[i].words())
	}
	return grave, plain
}

// Remarks, and names in one of them, beyond these are left to JSON.
const shownRemarks, shownMissing = 50, 10
