package cassettes

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// The recordings that come with the package: a directory for each kind. They are parsed when they are opened.
//
//go:embed */*.yaml
var embedded embed.FS

// Names returns the names of the embedded recordings, as in "documentation/set-presence", sorted.
func Names() []string {
	var names []string
	files, err := fs.Glob(embedded, "*/*.yaml")
	if err != nil {
		panic(err) // the pattern is malformed: impossible
	}
	for _, file := range files {
		names = append(names, strings.TrimSuffix(file, ".yaml"))
	}
	return names
}

// Open loads an embedded recording by its name or, if none has it, the file at that path. The error is a *[FileError]
// if the content cannot be used; errors.Is finds fs.ErrNotExist if there is no such recording.
func Open(nameOrPath string) (*Cassette, error) {
	if content, err := embedded.ReadFile(nameOrPath + ".yaml"); err == nil {
		return parse(nameOrPath, content)
	}
	c, err := openFile(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no file and no embedded recording is named %q; embedded are %s: %w",
			nameOrPath, strings.Join(Names(), ", "), fs.ErrNotExist)
	}
	return c, err
}

func openFile(path string) (*Cassette, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open the cassette: %w", err)
	}
	defer file.Close()
	size := int64(0) // of what is no ordinary file, it is not known
	if info, err := file.Stat(); err == nil {
		size = info.Size()
	}
	return readSized(path, file, size)
}
