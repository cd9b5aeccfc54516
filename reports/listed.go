package reports

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
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

	file string // that says so
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

// Missing is a target of the list of which nothing was found, since its shard left nothing.
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

// aloof is how long after all others of a run without a name a shard may begin. More of it, and they are of two runs; clocks of
// machines differ by less.
const aloof = 6 * time.Hour

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

// apart says of a run without a name which of its shards ran so long before the others that they are of another run, "" if none.
func (r *ListRun) apart() string {
	if r.Name != "" || len(r.Done) == 0 {
		return ""
	}
	list := slices.SortedFunc(slices.Values(r.Done), func(a, b Shard) int { return a.Began.Compare(b.Began) })
	ended := list[0].Ended
	for i, s := range list {
		if idle := s.Began.Sub(ended); idle > aloof {
			return fmt.Sprintf("%s ended %s before %s began, and nothing says that they are of one run: give the shards of each run one name, with --run",
				count(i, "shard"), idle.Round(time.Minute), count(len(list)-i, "other"))
		}
		if s.Ended.After(ended) {
			ended = s.Ended
		}
	}
	return ""
}

// consistent checks what a schema cannot say.
func (r *ListRun) consistent() error {
	all := 0
	seen := map[string]bool{}
	for i, names := range r.Shards {
		all += len(names)
		for _, name := range names {
			if name == "" || seen[name] {
				return fmt.Errorf("target %q of shard %d has no name, or one that stands in the list twice", visible(name), i+1)
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

// take adds what another matrix knows of runs. A shard that is told of twice in the same words is one.
func (m *Matrix) take(runs []ListRun, file string) {
	for _, run := range runs {
		run.file = file
		i := slices.IndexFunc(m.Runs, func(r ListRun) bool { return r.differs(&run) == "" })
		if i < 0 {
			run.Done = slices.Clone(run.Done)
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

// oneRun says why what was merged is not of one run, nil if it is, or of none.
func (m *Matrix) oneRun() error {
	for i := range m.Runs {
		if i > 0 {
			return fmt.Errorf("%s is not of the run of %s: %s", m.Runs[i].file, m.Runs[0].file, m.Runs[i].differs(&m.Runs[0]))
		}
	}
	for i := range m.Runs {
		if problem := m.Runs[i].apart(); problem != "" {
			return errors.New(problem)
		}
	}
	return nil
}

// missing are the targets of the lists that have no column. A shard that has just run does not look for those of the others.
func (m *Matrix) missing() []Missing {
	list := []Missing{}
	there := map[string]bool{}
	for _, c := range m.Targets {
		there[c.Target] = true
	}
	for _, r := range m.Runs {
		for i, names := range r.Shards {
			for _, name := range names {
				if !there[name] {
					there[name] = true
					list = append(list, Missing{Target: name, Run: r.Name, Shard: i + 1})
				}
			}
		}
	}
	return list
}

// remarks are what is to be known of the matrix as a whole: what is missing, what was not read, of which runs it is.
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
		grave = append(grave, fmt.Sprintf("missing: %s, with %s: %s", where, count(n, "target"), strings.Join(names, ", ")))
	}
	for _, u := range m.Unread {
		grave = append(grave, "not read: "+shorten(u.File, shownRunes)+": "+shorten(u.Problem, 2*shownRunes))
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

// MergeOptions say what is merged.
type MergeOptions struct {
	Mixed bool      // also what is of several runs, lists or versions
	Since time.Time // leave out what began before; zero: nothing

	// Of what lies in a directory, leave out this file: the matrix that an earlier merge left there. "" leaves out none.
	Except string
}

// ErrNothing is what [Merge] returns where there is nothing to merge.
var ErrNothing = errors.New("there is nothing to merge")

// filesIn returns the files to merge: of a directory each merge.json in it and below.
func filesIn(paths []string, except string) (files []string, err error) {
	seen := map[string]bool{}
	add := func(path string) {
		if path = filepath.Clean(path); !seen[path] {
			seen[path] = true
			files = append(files, path)
		}
	}
	for _, path := range paths {
		before := len(files)
		err := filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
			switch {
			case at == path && (err != nil || !d.IsDir()):
				add(path) // to be read, or to be told that it cannot be
				return fs.SkipAll
			case err != nil:
				return err
			case !d.IsDir() && d.Name() == MatrixFile && filepath.Clean(at) != filepath.Clean(except):
				add(at)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(files) == before && !seen[filepath.Clean(path)] {
			return nil, fmt.Errorf("%w: %s holds no %s", ErrNothing, path, MatrixFile)
		}
	}
	return files, nil
}

// MatrixFile is the name of a matrix in JSON, as a run on a list leaves it.
const MatrixFile = "merge.json"

// Merge reads reports and matrices from files, one at a time and without their exchanges, into a matrix. Of a directory it
// reads each merge.json below it. A file can also be the log of a pod that wrote a matrix to standard output, or several of those.
// What cannot be read is named in the matrix, which then is never conformant; if nothing can be read there is none.
// It fails on what is of several runs, unless that is wanted.
func Merge(o MergeOptions, paths ...string) (*Matrix, error) {
	files, err := filesIn(paths, o.Except)
	if err != nil {
		return nil, err
	}
	m := &Matrix{}
	m.begin()
	var problems []error
	older := 0
	for _, path := range files {
		err := m.addFile(path, o)
		switch {
		case errors.Is(err, errOlder):
			older++
		case err != nil:
			problems = append(problems, err)
			m.Unread = append(m.Unread, Unread{File: path, Problem: strings.TrimPrefix(err.Error(), path+": ")})
		}
		if len(m.Targets)*len(m.Rows) > maxCells {
			return nil, fmt.Errorf("%s: with it there are %d targets and %d requirements, more than the %d million verdicts that are merged: merge fewer at a time",
				path, len(m.Targets), len(m.Rows), maxCells/1_000_000)
		}
	}
	switch n := len(problems) - shownProblems; {
	case len(m.Targets) > 0:
		problems = nil
	case n > 0:
		problems = append(problems[:shownProblems], fmt.Errorf("and %d more", n))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if len(m.Targets) == 0 {
		return nil, fmt.Errorf("%w: %s began before %s", ErrNothing, count(older, "file"), o.Since.UTC().Format(time.RFC3339))
	}
	if err := m.oneRun(); err != nil && !o.Mixed {
		return nil, &mixedError{err}
	}
	m.Missing = m.missing()
	m.Finish()
	return m, nil
}

// mixedError is that of files which are of several runs.
type mixedError struct{ error }

// IsMixed tells whether [Merge] refused files that are of several runs.
func IsMixed(err error) bool { return errors.As(err, new(*mixedError)) }

var errOlder = errors.New("it is older")

const shownProblems = 10

// maxCells bounds what one matrix takes, to some GiB: 100,000 targets of 238 requirements are half of it.
const maxCells = 50_000_000

func (m *Matrix) addFile(path string, o MergeOptions) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	parts := objectsIn(data)
	left := 0
	for i, part := range parts {
		err := m.addPart(path, part, o)
		switch {
		case errors.Is(err, errOlder):
			left++
		case err != nil && len(parts) > 1:
			return fmt.Errorf("%s: of the %d in it, number %d: %w", path, len(parts), i+1, err)
		case err != nil:
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if left == len(parts) {
		return errOlder
	}
	return nil
}

func (m *Matrix) addPart(path string, data []byte, o MergeOptions) error {
	if schemaOf(data) != MatrixSchemaID {
		r, answered, err := decodeResults(data)
		if err != nil {
			return err
		}
		m.add(path, r, r.Evidence.Kind == "live" && !answered)
		return nil
	}
	part, err := decodeMatrix(data)
	if err != nil {
		return err
	}
	for i := range part.Runs {
		if began, _ := part.Runs[i].span(); began.Before(o.Since) {
			return errOlder
		}
	}
	for i := range part.Targets {
		for j, report := range part.Targets[i].Reports {
			if filepath.Ext(report) == ".json" && !filepath.IsAbs(report) { // it is named from where the matrix is
				part.Targets[i].Reports[j] = filepath.Join(filepath.Dir(path), filepath.FromSlash(report))
			}
		}
	}
	m.join(part, path)
	return nil
}

// objectsIn finds the reports in a file: one, or in the log of a pod those that stand between other lines. In what conform writes, an
// object begins with a line that is {, and ends with the next that is }.
func objectsIn(data []byte) (list [][]byte) {
	begin := -1
	for at := 0; at < len(data); {
		end := at + cmp.Or(bytes.IndexByte(data[at:], '\n')+1, len(data)-at)
		switch line := bytes.TrimRight(data[at:end], "\r\n"); {
		case string(line) == "{":
			if begin >= 0 { // one that was cut
				list = append(list, data[begin:at])
			}
			begin = at
		case string(line) == "}" && begin >= 0:
			list = append(list, data[begin:end])
			begin = -1
		}
		at = end
	}
	if begin >= 0 {
		list = append(list, data[begin:])
	}
	if list == nil {
		return [][]byte{data}
	}
	return list
}
