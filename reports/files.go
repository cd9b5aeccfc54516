package reports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// WriteFiles writes report.json, junit.xml, report.html and report.md into a
// directory, which is made if need be, and returns their paths. All are written
// under other names before the first is touched, and each takes its place in one move: a reader never
// meets half a report. Only the owner may read them, as they hold what servers said.
func WriteFiles(dir string, r *Report) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the report directory %s: %w", dir, err)
	}
	type file struct{ temporary, final string }
	var ready []file
	defer func() {
		for _, f := range ready {
			os.Remove(f.temporary) // those that were moved are gone already
		}
	}()
	for _, f := range formats() {
		if !slices.Contains([]string{"json", "junit", "html", "markdown"}, f.name) {
			continue // made from report.json by whoever wants it
		}
		path := filepath.Join(dir, f.file)
		temporary, err := writeTemporary(dir, func(w io.Writer) error { return f.render(w, r, Options{Dir: "."}) })
		if temporary != "" {
			ready = append(ready, file{temporary, path})
		}
		if err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", path, err)
		}
	}
	var written []string
	for _, f := range ready {
		if err := os.Rename(f.temporary, f.final); err != nil {
			return written, fmt.Errorf("cannot put %s in its place: %w", f.final, err)
		}
		written = append(written, f.final)
	}
	return written, nil
}

// WriteFile puts data into a file in one move, for its owner only: a reader never
// meets half of it.
func WriteFile(path string, data []byte) error {
	temporary, err := writeTemporary(filepath.Dir(path), func(w io.Writer) error { _, err := w.Write(data); return err })
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		if temporary != "" {
			os.Remove(temporary)
		}
		if of := (*os.PathError)(nil); errors.As(err, &of) { // which names the temporary file
			err = of.Err
		}
		if of := (*os.LinkError)(nil); errors.As(err, &of) {
			err = of.Err
		}
		if found, is := os.Stat(path); is == nil && found.IsDir() {
			err = errors.New("it is a directory: give a file in it")
		}
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}

// writeTemporary returns the name even with an error, so that the caller can clear it away.
func writeTemporary(dir string, render func(io.Writer) error) (name string, err error) {
	f, err := os.CreateTemp(dir, ".report-*") // mode 0600
	if err != nil {
		return "", err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	if err = render(w); err == nil {
		err = w.Flush()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return f.Name(), err
}
