package capture

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// readZip reads the one capture that an archive holds: the sessions of a SAZ in whatever folder, a HAR, as Playwright packs it
// with the bodies beside it, or a SAZ or zip that was packed again. Nothing of it is unpacked onto a disk, and no name in it
// leads anywhere.
func readZip(name string, in *bufio.Reader, whole io.Reader) (*Capture, error) {
	archive, err := openArchive(name, in, whole)
	if err != nil {
		return nil, err
	}
	c, err := (&bundle{archive: archive, left: maxUnpacked}).read(name, true)
	if err != nil && !strings.HasPrefix(err.Error(), name+": ") {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return c, err
}

// bundle is an archive in which a capture is looked for.
type bundle struct {
	archive *zip.Reader
	left    int64                // bytes that may still be unpacked
	beside  map[string]*zip.File // what is in the folder of its HAR
}

// read reads what the archive holds, also if it is packed once more.
func (z *bundle) read(name string, again bool) (*Capture, error) {
	sessions, err := sessionsIn(z.archive)
	if err != nil {
		return nil, err
	}
	hars, packed := z.named(".har"), z.named(".saz")
	if len(sessions)+len(hars)+len(packed) == 0 {
		packed = z.named(".zip")
	}
	var found []string
	for _, folder := range slices.Sorted(maps.Keys(sessions)) {
		found = append(found, "Fiddler's sessions in "+path.Join(folder, "/"))
	}
	for _, file := range slices.Concat(hars, packed) {
		found = append(found, file.Name)
	}
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("is an archive (zip) without a capture: expected a HAR, Fiddler's sessions, with files such as raw/1_c.txt, or a SAZ; "+
			"it holds %s: give the capture itself", z.holds())
	case len(found) > 1:
		return nil, fmt.Errorf("is an archive (zip) with several captures, and one is read: unpack it, and give those that you mean; they are %s", shortened(found))
	}
	for _, list := range sessions {
		return z.sessions(name, list)
	}
	file := slices.Concat(hars, packed)[0]
	if file.Flags&1 != 0 {
		return nil, fmt.Errorf("%s in it is encrypted: unpack it first", shortName(file.Name))
	}
	if len(packed) > 0 && !again {
		return nil, fmt.Errorf("is an archive in an archive in an archive: unpack it, and give %s", shortName(file.Name))
	}
	content, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("%s in it cannot be read (%w): unpack it first", shortName(file.Name), err)
	}
	defer content.Close()
	if len(hars) > 0 {
		z.beside = map[string]*zip.File{}
		for _, other := range z.archive.File {
			if path.Dir(other.Name) == path.Dir(file.Name) {
				z.beside[path.Base(other.Name)] = other
			}
		}
		return readHAR(name, bufio.NewReaderSize(&unpacking{content, z}, 64<<10), z)
	}
	inner, err := io.ReadAll(io.LimitReader(content, maxArchive+1))
	if err == nil && len(inner) > maxArchive {
		err = fmt.Errorf("is longer than %d MiB", maxArchive>>20)
	}
	if err == nil {
		z.archive, err = zip.NewReader(bytes.NewReader(inner), int64(len(inner)))
	}
	if err != nil {
		return nil, fmt.Errorf("%s in it cannot be read (%w): unpack it, and give that file", shortName(file.Name), err)
	}
	if z.left -= int64(len(inner)); z.left < 0 {
		return nil, errUnpacked
	}
	c, err := z.read(name, false)
	if err != nil {
		return nil, fmt.Errorf("%s in it: %w", shortName(file.Name), err)
	}
	return c, nil
}

// named returns the files whose names end so, in any casing, but for what macOS packs beside each.
func (z *bundle) named(ending string) []*zip.File {
	var list []*zip.File
	for _, file := range z.archive.File {
		name := strings.ToLower(strings.ReplaceAll(file.Name, `\`, "/"))
		if strings.HasSuffix(name, ending) && !strings.HasPrefix(name, "__macosx/") && !strings.HasPrefix(path.Base(name), "._") {
			list = append(list, file)
		}
	}
	return list
}

// holds tells what is in an archive that holds no capture.
func (z *bundle) holds() string {
	var names []string
	for _, file := range z.archive.File {
		names = append(names, file.Name)
	}
	if names == nil {
		return "nothing"
	}
	return shortened(names)
}

// shortened lists names from an archive.
func shortened(names []string) string {
	const shown = 5
	var list []string
	for _, name := range names[:min(len(names), shown)] {
		list = append(list, shortName(name))
	}
	if more := len(names) - shown; more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ", ")
}

func shortName(name string) string {
	const longest = 80
	if name = strings.ToValidUTF8(name, "?"); len(name) > longest {
		name = strings.ToValidUTF8(name[:longest], "") + "…"
	}
	return name
}

// unpack reads a file of the archive; nil is one that there is not.
func (z *bundle) unpack(file *zip.File) ([]byte, error) {
	if file == nil {
		return nil, nil
	}
	r, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, min(maxMember, z.left)+1))
	if z.left -= int64(len(content)); z.left < 0 {
		return nil, errUnpacked
	}
	if err == nil && len(content) > maxMember {
		err = fmt.Errorf("a file of it is longer than %d MiB", maxMember>>20)
	}
	return content, err
}

// Read makes an archive an [io.Reader], by which [readHAR] knows it; it is never read.
func (z *bundle) Read([]byte) (int, error) { return 0, io.EOF }

// attached returns a body that stands in a file of its own beside the HAR, as Playwright writes them.
func (z *bundle) attached(name string) (string, error) {
	file := z.beside[name]
	if file == nil {
		return "", fs.ErrNotExist
	}
	content, err := z.unpack(file)
	return string(content), err
}

// unpacking reads a file of an archive up to what may be unpacked.
type unpacking struct {
	io.Reader
	of *bundle
}

func (u *unpacking) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if u.of.left -= int64(n); u.of.left < 0 {
		return 0, errUnpacked
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	return n, fmt.Errorf("the archive is damaged (%w): save it again", err)
}
