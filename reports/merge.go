package reports

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// MergeOptions say what is merged.
type MergeOptions struct {
	Mixed bool      // also what is of several runs, lists or versions
	Since time.Time // leave out matrices of runs that began before; zero: none. Reports of single targets are always read

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
		return nil, fmt.Errorf("%w: %s began before %s", ErrNothing, count(older, "run"), o.Since.UTC().Format(time.RFC3339))
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

// maxCells bounds what one matrix takes, to some GiB: 100,000 targets of 238 requirements are half of it.
const maxCells = 50_000_000

// addFile adds what is in a file, and returns how many matrices it left out as older, and what it could not read.
func (m *Matrix) addFile(path string, o MergeOptions) (older int, problems []error) {
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
	for i := range part.Runs {
		if began, _ := part.Runs[i].span(); began.Before(o.Since) {
			return errOlder
		}
	}
	for i := range part.Targets {
		part.Targets[i].Reports = each(part.Targets[i].Reports, func(name string) string { return fromHere(filepath.Dir(path), name) })
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

// Of a target a matrix names the files of its reports from where itself lies, so that a directory can be moved with all in it. What
// does not end in .json is no file: the name of a target whose report was not kept.

// fromHere is the name by which this process finds a file that a matrix in that directory names.
func fromHere(dir, name string) string {
	if filepath.Ext(name) != ".json" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// fromThere is the name by which a matrix in that directory names a file that this process finds so; "" is no directory.
func fromThere(dir, path string) string {
	if dir == "" || filepath.Ext(path) != ".json" {
		return path
	}
	if near, err := filepath.Rel(dir, path); err == nil {
		return filepath.ToSlash(near)
	}
	return path
}
