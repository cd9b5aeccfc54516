package reports

import (
	"fmt"
	"os"
	"path/filepath"
)

// WriteFiles writes report.json, junit.xml, report.html and report.md into a
// directory, which is made if need be, and returns their paths. All are rendered
// before the first is touched, and each takes its place in one move: a reader never
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
		if f.name == "text" {
			continue // for the terminal
		}
		path := filepath.Join(dir, f.file)
		data, err := f.render(r, Options{})
		if err != nil {
			return nil, fmt.Errorf("cannot render %s: %w", path, err)
		}
		temporary, err := writeTemporary(dir, data)
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

// writeTemporary returns the name even with an error, so that the caller can clear it away.
func writeTemporary(dir string, data []byte) (name string, err error) {
	f, err := os.CreateTemp(dir, ".report-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return f.Name(), err
}
