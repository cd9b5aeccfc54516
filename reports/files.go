package reports

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/ucwa-conform/ucwa-conform/reports/atomicfile"
)

// WriteFiles writes report.json, junit.xml, report.html and report.md into a
// directory, which is made if need be, and returns their paths. All are written
// under other names before the first is touched, and each takes its place in one move: a reader never
// meets half a report. Only the owner may read them, as they hold what servers said.
func WriteFiles(dir string, r *Report) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the report directory %s: %w", dir, err)
	}
	var ready []*atomicfile.File
	var paths, written []string
	defer func() {
		for _, f := range ready {
			f.Discard()
		}
	}()
	for _, f := range formats() {
		if !slices.Contains([]string{"json", "junit", "html", "markdown"}, f.name) {
			continue // made from report.json by whoever wants it
		}
		path := filepath.Join(dir, f.file)
		file, err := atomicfile.Create(path, 0o600, func(w io.Writer) error { return f.render(w, r, Options{Dir: "."}) })
		if err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", path, err)
		}
		ready, paths = append(ready, file), append(paths, path)
	}
	for i, f := range ready {
		if err := f.Place(); err != nil {
			return written, fmt.Errorf("cannot put %s in its place: %w", paths[i], err)
		}
		written = append(written, paths[i])
	}
	return written, nil
}

// WriteFile puts data into a file in one move, for its owner only: a reader never
// meets half of it.
func WriteFile(path string, data []byte) error {
	return WriteTo(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteTo puts what write writes into a file in one move, for its owner only. On an error the old file stays.
func WriteTo(path string, write func(io.Writer) error) error {
	f, err := atomicfile.Create(path, 0o600, write)
	if err == nil {
		defer f.Discard()
		err = f.Place()
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}
