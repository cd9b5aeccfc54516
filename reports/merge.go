package reports

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// MergeOptions choose what [Merge] reads.
type MergeOptions struct {
	Mixed bool      // also what is of several runs, lists or versions
	Since time.Time // leave out matrices of runs that began before; zero: none. Reports of single targets are always read

	// Of what lies in a directory, leave out this file: the matrix that an earlier merge left there. "" leaves out none.
	Except string
}

// ErrNothing is what [Merge] returns where there is nothing to merge.
var ErrNothing = errors.New("there is nothing to merge")

// filesIn returns the files to merge, of a directory each merge.json in it and below, and the directories that have none.
func (o MergeOptions) filesIn(paths []string) (files []string, none []Unread, err error) {
	except, _ := os.Stat(o.Except)
	seen := map[string]bool{}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() { // to be read, or to be told that it cannot be
			if path = filepath.Clean(path); !seen[path] {
				seen[path] = true
				files = append(files, path)
			}
			continue
		}
		found := false
		err = filepath.WalkDir(path+string(filepath.Separator)+".", func(at string, d fs.DirEntry, err error) error { // with a dot, a link is followed
			if err != nil || d.IsDir() || d.Name() != MatrixFile {
				return err
			}
			if info, err := os.Stat(at); err == nil && except != nil && os.SameFile(info, except) {
				return nil
			}
			found = true
			if at = filepath.Clean(at); !seen[at] {
				seen[at] = true
				files = append(files, at)
			}
			return nil
		})
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		if !found {
			none = append(none, Unread{File: path, Problem: "the directory holds no " + MatrixFile + "; a single report is named by its file, report.json"})
		}
	}
	return files, none, nil
}

// MatrixFile is the name of a matrix in JSON, as a run on a list leaves it.
const MatrixFile = "merge.json"

// Merge reads reports and matrices from files, one at a time and without their exchanges, into a matrix. Of a directory it
// reads each merge.json below it. A file can also be the log of a pod that wrote a matrix to standard output, or several of those.
// What cannot be read is named in the matrix, which then is never conformant; if nothing can be read there is none.
// It fails on what is of several runs, unless that is wanted.
func Merge(o MergeOptions, paths ...string) (*Matrix, error) {
	files, none, err := o.filesIn(paths)
	if err != nil {
		return nil, err
	}
	m := &Matrix{Unread: none}
	m.begin()
	var problems []error
	older := 0
	for _, path := range files {
		left, failed := m.addFile(path, o)
		older += left
		for _, err := range failed {
			problems = append(problems, fmt.Errorf("%s: %w", path, err))
			m.Unread = append(m.Unread, Unread{File: path, Problem: err.Error()})
		}
		if len(m.Targets)*len(m.Rows) > maxCells {
			return nil, fmt.Errorf("%s: with it there are %d targets and %d requirements, more than the %d million verdicts that are merged: merge fewer at a time",
				path, len(m.Targets), len(m.Rows), maxCells/1_000_000)
		}
	}
	switch n := len(problems) - shownProblems; {
	case len(m.Targets) > 0:
	case len(problems) == 0:
		var why []string
		if older > 0 {
			why = append(why, count(older, "run")+" began before "+o.Since.UTC().Format(time.RFC3339))
		}
		for _, u := range none {
			why = append(why, u.File+": "+u.Problem)
		}
		return nil, fmt.Errorf("%w: %s", ErrNothing, strings.Join(why, "; "))
	case n > 0:
		return nil, errors.Join(append(problems[:shownProblems], fmt.Errorf("and %d more", n))...)
	default:
		return nil, errors.Join(problems...)
	}
	if problem := m.mixed(); problem != "" && !o.Mixed {
		return nil, fmt.Errorf("%w: %s", ErrMixed, problem)
	}
	m.Missing = m.missing()
	m.Finish()
	return m, nil
}

// ErrMixed is what [Merge] returns for files that are of several runs, unless that is wanted.
var ErrMixed = errors.New("these are not of one run")

var errOlder = errors.New("it is older")

const shownProblems = 10

// maxSkew is by how much the clocks of machines, and of their volumes, may differ.
const maxSkew = time.Hour

// maxCells bounds what one matrix takes, to some GiB: 100,000 targets of 238 requirements are half of it.
const maxCells = 50_000_000

// addFile adds what is in a file, and returns how many matrices it left out as older, and what it could not read.
func (m *Matrix) addFile(path string, o MergeOptions) (older int, problems []error) {
	if info, err := os.Stat(path); err == nil && info.ModTime().Before(o.Since.Add(-maxSkew)) {
		return 1, nil // what an earlier night left need not even be whole
	}
	data, err := readFile(path)
	if err != nil {
		return 0, []error{err}
	}
	parts := objectsIn(data)
	for i, part := range parts {
		switch err := m.addPart(path, part, o); {
		case errors.Is(err, errOlder):
			older++
		case err != nil && len(parts) > 1:
			problems = append(problems, fmt.Errorf("number %d of the %d in it: %w", i+1, len(parts), err))
		case err != nil:
			problems = append(problems, err)
		}
	}
	return older, problems
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
	if len(part.Runs) > 0 && !slices.ContainsFunc(part.Runs, func(r ListRun) bool { began, _ := r.span(); return !began.Before(o.Since) }) {
		return errOlder
	}
	for i := range part.Targets {
		part.Targets[i].Reports = each(part.Targets[i].Reports, func(name string) string { return fromHere(filepath.Dir(path), name) })
	}
	m.join(part, path)
	return nil
}

// objectsIn finds the reports in a file: one, or in the log of a pod those that stand between other lines. In what conform writes, an
// object begins with a line that is {, and ends with the next that is }. What stands elsewhere and looks like a part of one is returned,
// too: it cannot be read, or is an object on one line.
func objectsIn(data []byte) (list [][]byte) {
	begin, outside := -1, 0
	for at := 0; at < len(data); {
		end := at + cmp.Or(bytes.IndexByte(data[at:], '\n')+1, len(data)-at)
		line := bytes.TrimRight(data[at:end], "\r\n")
		switch whole := string(line); {
		case whole == "{":
			if begin >= 0 { // one that was cut
				list = append(list, data[begin:at])
			}
			begin = at
		case whole == "}" && begin >= 0:
			list = append(list, data[begin:end])
			begin, outside = -1, end
		case whole == "}": // one whose head is lost
			list = append(list, data[outside:end])
			outside = end
		case begin < 0 && (bytes.Contains(line, []byte("conform.matrix/")) || bytes.Contains(line, []byte("conform.report/"))):
			list = append(list, line)
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

// A matrix names the report files of a target relative to its own directory, so that a directory can be moved as a whole. A name that
// does not end in .json is no file: it is the name of a target whose report was not kept.

// fromHere returns the path, for this process, of a file that a matrix in dir names.
func fromHere(dir, name string) string {
	if filepath.Ext(name) != ".json" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// fromThere returns the name by which a matrix in dir names a file; if dir is "", the path as it is.
func fromThere(dir, path string) string {
	if dir == "" || filepath.Ext(path) != ".json" {
		return path
	}
	if filepath.IsAbs(path) != filepath.IsAbs(dir) {
		whole, err := filepath.Abs(path)
		from, err2 := filepath.Abs(dir)
		if err != nil || err2 != nil {
			return path
		}
		path, dir = whole, from
	}
	if near, err := filepath.Rel(dir, path); err == nil {
		return filepath.ToSlash(near)
	}
	return path
}
