package cassettes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var (
	// ErrEmpty marks the refusal to write a recording in which no exchange was answered.
	ErrEmpty = errors.New("no exchange was answered, so there is nothing to keep: see why the target does not answer and record again")

	// ErrFailed marks the refusal to let a recording with failed exchanges replace one without.
	ErrFailed = errors.New("the new recording has failed exchanges and the file has none, so the file is kept: " +
		"record again, or save under another name to look at the failures")
)

// Encode returns the bytes of the cassette's file. Exchanges are numbered anew, from 1, unless their IDs ascend; those marked
// DiscardOnSave are left out, as in go-vcr. The bytes are read back and compared before they are returned.
//
// It returns an error that is [ErrEmpty] if no exchange was answered, and a *[FileError] if an exchange is one that [Read]
// would refuse, for example without a method.
func (c *Cassette) Encode() ([]byte, error) {
	kept := &Cassette{Name: c.Name, Provenance: c.Provenance.clone()}
	answered := 0
	for i, x := range c.Exchanges {
		if x.Interaction == nil {
			return nil, fmt.Errorf("%s: exchange %d of the list has no interaction: it cannot be saved", c.Name, i+1)
		}
		if x.DiscardOnSave {
			continue
		}
		x = x.clone()
		x.Began = time.Time{} // of which the format does not know
		kept.Exchanges = append(kept.Exchanges, x)
		if !x.failed() {
			answered++
		}
	}
	if answered == 0 {
		return nil, fmt.Errorf("%s: %w", c.Name, ErrEmpty)
	}
	for i, n := range number(kept.Exchanges) {
		kept.Exchanges[i].ID = n
	}

	var list, file emitter
	list.interactions(kept.Exchanges)
	kept.Provenance.SHA256 = checksum(list.yaml)
	file.provenance(kept.Provenance, kept.Exchanges)
	file.number(0, "version", 2)
	file.yaml = append(file.yaml, list.yaml...)
	if err := kept.readsBack(file.yaml); err != nil {
		return nil, err
	}
	return file.yaml, nil
}

// readsBack says how the content differs from the cassette when it is read.
func (c *Cassette) readsBack(content []byte) error {
	l := &loader{file: c.Name}
	read, err := l.load(content)
	if err != nil {
		return fmt.Errorf("the recording would not load again: %w", err)
	}
	was, is := c.Provenance, read.Provenance
	same := was.RecordedAt.Equal(is.RecordedAt) && slices.Equal(was.Absent, is.Absent) &&
		slices.Equal(was.Repairs, is.Repairs) && slices.Equal(was.Redaction.Rules, is.Redaction.Rules)
	for _, p := range []*Provenance{&was, &is} {
		p.RecordedAt, p.Absent, p.Repairs, p.Redaction.Rules = read.Provenance.RecordedAt, nil, nil, nil
	}
	if !same || !reflect.DeepEqual(was, is) {
		return fmt.Errorf("%s: the provenance would not read back as it is: it cannot be saved", c.Name)
	}
	if len(read.Exchanges) != len(c.Exchanges) {
		return fmt.Errorf("%s: %d exchanges would read back as %d: it cannot be saved", c.Name, len(c.Exchanges), len(read.Exchanges))
	}
	for i, x := range c.Exchanges {
		if !reflect.DeepEqual(x, read.Exchanges[i]) {
			return fmt.Errorf("%s: exchange %d would not read back as it was recorded: it cannot be saved", c.Name, x.ID)
		}
	}
	return nil
}

// Save writes the cassette to a file, with mode 0600, and makes the directories that are missing. The file is complete or
// untouched: it is written under another name in the same directory, flushed to the disk and renamed.
//
// Besides the errors of [Cassette.Encode], it returns one that is [ErrFailed] if the cassette has failed exchanges and the
// file there loads and has none.
func (c *Cassette) Save(path string) error {
	content, err := c.Encode()
	if err != nil {
		return fmt.Errorf("%s is not written: %w", path, err)
	}
	if slices.ContainsFunc(c.Exchanges, Exchange.failed) {
		if old, err := openFile(path); err == nil && !slices.ContainsFunc(old.Exchanges, Exchange.failed) {
			return fmt.Errorf("%s is not written: %w", path, ErrFailed)
		}
	}
	if err := replace(path, content); err != nil {
		return fmt.Errorf("%s is not written: %w", path, err)
	}
	return nil
}

func replace(path string, content []byte) (err error) {
	// A rename replaces a symbolic link, not the file it leads to.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return errors.New("what is there is no ordinary file, and a recording would take its place: give another name")
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	removeLeftovers(dir, filepath.Base(path))
	temporary, err := os.CreateTemp(dir, fmt.Sprintf(".%s.%d-*", filepath.Base(path), os.Getpid()))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			temporary.Close()
			os.Remove(temporary.Name())
		}
	}()
	if _, err := temporary.Write(content); err != nil {
		return err
	}
	if err := temporary.Sync(); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// removeLeftovers removes the temporary files for base of processes that are gone: they
// were killed while they wrote. What cannot be removed is in nobody's way.
func removeLeftovers(dir, base string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		rest, ours := strings.CutPrefix(entry.Name(), "."+base+".")
		number, random, marked := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(number)
		if _, notRandom := strconv.ParseUint(random, 10, 64); !ours || !marked || err != nil || notRandom != nil || !entry.Type().IsRegular() {
			continue
		}
		if pid != os.Getpid() && gone(pid) {
			os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}

// gone reports whether there is no process of that number on this machine.
func gone(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	defer func() { _ = process.Release() }()
	return errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
