// Package atomicfile writes files atomically: a reader sees the old file or the new one, never a part. Each is written under another name
// in the same directory, and takes its place in one move. A symbolic link that lies there is replaced, and not followed. What processes that were killed have left is
// removed by the next that writes the same file.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// File is a file that is written and not yet in its place.
type File struct{ temporary, path string }

// Create writes a file for path, whose directory must be there. Where it returns an error it has left nothing.
func Create(path string, mode fs.FileMode, write func(io.Writer) error) (_ *File, err error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0 {
		if info.IsDir() {
			return nil, errors.New("it is a directory: give a file in it")
		}
		return nil, errors.New("what is there is no ordinary file, and this would take its place: give another name")
	}
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	removeLeftovers(dir, base)
	f, err := os.CreateTemp(dir, fmt.Sprintf(".%s.%d-*", base, os.Getpid())) // mode 0600
	if err != nil {
		return nil, plain(err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = plain(err)
		}
	}()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	if mode != 0o600 {
		if err := f.Chmod(mode); err != nil {
			return nil, err
		}
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return &File{f.Name(), path}, nil
}

// Place puts the file into its place.
func (f *File) Place() error {
	if err := os.Rename(f.temporary, f.path); err != nil {
		f.Discard()
		return plain(err)
	}
	return nil
}

// Discard removes a file that is not to be placed. After Place it does nothing.
func (f *File) Discard() { os.Remove(f.temporary) }

// Write is Create and Place.
func Write(path string, mode fs.FileMode, data []byte) error {
	f, err := Create(path, mode, func(w io.Writer) error { _, err := w.Write(data); return err })
	if err != nil {
		return err
	}
	return f.Place()
}

// plain is an error without the name of the temporary file, which the user does not know.
func plain(err error) error {
	if of := (*fs.PathError)(nil); errors.As(err, &of) {
		return of.Err
	}
	if of := (*os.LinkError)(nil); errors.As(err, &of) {
		return of.Err
	}
	return err
}

// removeLeftovers removes the temporary files for base of processes that are gone: they were killed while they wrote. Failures to remove are
// ignored.
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
