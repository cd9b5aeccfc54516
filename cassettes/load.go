package cassettes

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"

	"go.yaml.in/yaml/v3"
	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

const (
	// MaxFile is the largest cassette file that is read or written, in bytes.
	MaxFile = 128 << 20

	// maxDepth bounds the nesting of a file; go-vcr's own goes 6 deep.
	maxDepth = 32
)

// FileError says why the content of a cassette cannot be used, and what to do.
type FileError struct {
	File     string // path or name
	Line     int    // from 1; 0 if unknown
	Exchange int    // position in the list, from 1; 0 if the problem lies outside
	Field    string // as in "response.code"; empty if it is no single field
	Problem  string
}

// Error returns one line with all that is known.
func (e *FileError) Error() string {
	where := e.File
	if e.Line > 0 {
		where += ":" + strconv.Itoa(e.Line)
	}
	if e.Exchange > 0 {
		where += ": exchange " + strconv.Itoa(e.Exchange)
	}
	if e.Field != "" {
		where += ": " + e.Field
	}
	return where + ": " + e.Problem
}

// Read loads a cassette written by this package or by go-vcr, v1 to v4; name is for messages and Cassette.Name. It reads at most
// MaxFile bytes. What it cannot use it refuses with a *[FileError].
//
// The exchanges keep the numbers they have in the file if those ascend from 1 or more, as here; else they are numbered by
// position. Header names stay as they are recorded; a [Replayer] serves them in canonical form.
func Read(name string, r io.Reader) (*Cassette, error) { return readSized(name, r, 0) }

// readSized does what [Read] does. It is told how many bytes to expect, so that those of a long file are not copied again and again.
func readSized(name string, r io.Reader, size int64) (*Cassette, error) {
	var content bytes.Buffer
	content.Grow(int(min(size, MaxFile)) + bytes.MinRead)
	if _, err := content.ReadFrom(io.LimitReader(r, MaxFile+1)); err != nil {
		return nil, fmt.Errorf("%s: cannot read the cassette: %w", name, err)
	}
	return parse(name, content.Bytes())
}

// parse does what [Read] does.
func parse(name string, content []byte) (*Cassette, error) {
	return (&loader{file: name}).load(content)
}

// loader decodes go-vcr's schema from YAML nodes by hand: so each message has its line, keys are not compared pairwise, and
// nothing is expanded.
type loader struct {
	file     string
	old      bool   // format 1: it keeps neither protocols nor lengths
	exchange int    // position of the exchange in hand, 0 outside
	list     string // the key of the list it stands in
}

func (l *loader) fail(node *yaml.Node, field, format string, args ...any) error {
	e := &FileError{File: l.file, Exchange: l.exchange, Field: field, Problem: mask.Secrets(fmt.Sprintf(format, args...))}
	if node != nil {
		e.Line = node.Line
	}
	if l.exchange > 0 && l.list != "interactions" {
		e.Field = strings.TrimSuffix(l.list+"."+field, ".")
	}
	return e
}

func (l *loader) load(content []byte) (*Cassette, error) {
	if len(content) > MaxFile {
		return nil, l.fail(nil, "", "is larger than %d MiB, the most that is read: record fewer exchanges into one file", MaxFile>>20)
	}
	if len(bytes.TrimSpace(content)) == 0 {
		return nil, l.fail(nil, "", "is empty: record it again")
	}
	if what := captured(content); what != "" {
		return nil, l.fail(nil, "", "is %s", strings.ReplaceAll(what, "FILE", l.file))
	}
	head, list := ownFile(content)
	if exchanges := ownExchanges(list); exchanges != nil {
		if top, err := l.parse(head); err == nil {
			return l.cassette(checksums(content), top, exchanges)
		}
	}
	c, err := l.loadYAML(content)
	if what := Foreign(content); err != nil && what != "" {
		return nil, l.fail(nil, "", "is %s", what)
	}
	return c, err
}

// loadYAML reads a file in any form that YAML has.
func (l *loader) loadYAML(content []byte) (*Cassette, error) {
	top, err := l.parse(content)
	if err != nil {
		return nil, err
	}
	return l.cassette(checksums(content), top, nil)
}

// cassette reads what stands under the top of a file, but for its exchanges if they are read already. sum tells the checksum
// of the file by what that covers.
func (l *loader) cassette(sum func(covers string) string, top *yaml.Node, exchanges []Exchange) (_ *Cassette, err error) {
	s := l.section("", top)
	if err := s.version(); err != nil {
		return nil, err
	}
	c := &Cassette{Name: l.file}
	if exchanges == nil {
		if exchanges, err = l.exchanges("interactions", s.fields["interactions"]); err != nil {
			return nil, err
		}
	}
	if len(exchanges) == 0 {
		return nil, l.fail(cmp.Or(s.fields["interactions"], top), "interactions", "has no exchange, so there is nothing to replay or to judge: record it again")
	}
	for i, n := range number(exchanges) {
		if exchanges[i].ID != n { // they are the caller's where a recording is read back
			exchanges[i].ID = n
		}
	}
	c.Exchanges = exchanges
	if null(s.fields["conform"]) {
		c.SHA256 = sum(coversFile)
		return c, nil
	}
	if err := l.conform(c, s.fields["conform"], sum); err != nil {
		return nil, err
	}
	return c, nil
}

// coversFile is what a provenance says if its checksum covers the whole file.
const coversFile = "file"

// checksums returns what tells the SHA-256 of content: of all of it but the lines that begin as that of the checksum does, or of
// what follows from the line that begins with "interactions:" on. Line ends count as LF, so that a checkout on Windows has the
// same sum.
func checksums(content []byte) func(covers string) string {
	return func(covers string) string {
		if bytes.Contains(content, []byte("\r\n")) {
			content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
		}
		hash := sha256.New()
		rest := content
		if covers == coversFile {
			for at := lineWith("  sha256: ", rest); at >= 0; at = lineWith("  sha256: ", rest) {
				hash.Write(rest[:at])
				_, rest, _ = bytes.Cut(rest[at:], []byte("\n"))
			}
		} else if at := lineWith("interactions:", rest); at >= 0 {
			rest = rest[at:]
		}
		hash.Write(rest)
		return hex.EncodeToString(hash.Sum(nil))
	}
}

// lineWith returns where the first line is that begins so, -1 if there is none.
func lineWith(beginning string, content []byte) int {
	if bytes.HasPrefix(content, []byte(beginning)) {
		return 0
	}
	if at := bytes.Index(content, []byte("\n"+beginning)); at >= 0 {
		return at + 1
	}
	return -1
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// parse returns the top node of the only YAML document in content. The nodes are not expanded: an alias stays an alias.
func (l *loader) parse(content []byte) (top *yaml.Node, err error) {
	defer func() {
		// The parser panics on some malformed input instead of returning an error.
		if p := recover(); p != nil {
			top, err = nil, l.fail(nil, "", "is not YAML (%v): restore it or record it again", p)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, l.fail(nil, "", "has no content but comments: record it again")
	case err != nil:
		problem := strings.TrimPrefix(err.Error(), "yaml: ")
		line := 0
		if m := yamlLine.FindStringSubmatch(problem); m != nil {
			line, _ = strconv.Atoi(m[1])
			problem = problem[len(m[0]):]
		}
		return nil, l.fail(&yaml.Node{Line: line}, "", "is not YAML (%s), as if cut off or edited by hand: restore it or record it again", problem)
	}
	top = document.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, l.fail(top, "", "is no cassette: expected a mapping with version and interactions")
	}
	var more yaml.Node
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, l.fail(&more, "", "goes on after the end of its YAML document: a cassette is one document, remove the rest")
	}
	return top, l.plainData(top, maxDepth)
}

// plainData refuses what go-vcr never writes and what can make a small file huge.
func (l *loader) plainData(node *yaml.Node, depth int) error {
	switch {
	case node.Kind == yaml.AliasNode || node.Anchor != "":
		return l.fail(node, "", "has a YAML anchor or alias, which go-vcr never writes: write the value out")
	case depth == 0:
		return l.fail(node, "", "is nested deeper than %d, which no cassette is: restore it or record it again", maxDepth)
	}
	for _, child := range node.Content {
		if err := l.plainData(child, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// version accepts the format of go-vcr v3 and v4, and that of v1 and v2, which has fewer fields, on the top level of a file.
func (s *section) version() error {
	var version int
	s.decode("version", &version, "2, the format of go-vcr v3")
	switch {
	case s.err != nil:
		return s.err
	case null(s.fields["version"]):
		return s.fail("version", "is missing: expected 2, the format of go-vcr v3; is this a cassette?")
	case version != cassette.CassetteFormatV1 && version != cassette.CassetteFormatV2:
		return s.fail("version", "is %d: expected 2, the format of go-vcr v3; record it again", version)
	}
	s.loader.old = version == cassette.CassetteFormatV1
	return nil
}

func (l *loader) exchanges(list string, node *yaml.Node) ([]Exchange, error) {
	if null(node) {
		return nil, nil
	}
	if node.Kind != yaml.SequenceNode {
		return nil, l.fail(node, list, "expected a list of exchanges, found %s", found(node))
	}
	defer func() { l.list, l.exchange = "", 0 }()
	l.list = list
	exchanges := make([]Exchange, 0, len(node.Content))
	for i, item := range node.Content {
		l.exchange = i + 1
		if item.Kind != yaml.MappingNode {
			return nil, l.fail(item, "", "expected a mapping with request and response, found %s: remove it or record again", found(item))
		}
		x, err := l.interaction(item)
		if err != nil {
			return nil, err
		}
		exchanges = append(exchanges, x)
	}
	return exchanges, nil
}

// conform reads the provenance and the failed exchanges, and holds the checksum against the file.
func (l *loader) conform(c *Cassette, node *yaml.Node, sum func(covers string) string) error {
	s := l.section("conform", node)
	p := &c.Provenance
	s.text("kind", &p.Kind)
	s.time("recordedAt", &p.RecordedAt)
	s.text("tool", &p.Tool)
	s.text("server", &p.Server)
	s.text("source", &p.Source)
	s.text("task", &p.Task)
	s.text("ledger", &p.Ledger)
	s.list("absent", &p.Absent)
	s.list("repairs", &p.Repairs)
	if redaction := s.fields["redaction"]; !null(redaction) {
		r := l.section("conform.redaction", redaction)
		r.integer("version", &p.Redaction.Version)
		r.list("rules", &p.Redaction.Rules)
		s.err = cmp.Or(s.err, r.err)
	}
	s.text("covers", &p.Covers)
	s.text("sha256", &p.SHA256)
	if s.err != nil {
		return s.err
	}
	if p.Covers != "" && p.Covers != coversFile {
		return s.fail("covers", "is %q: expected %s, which the checksum of a file covers; restore the recording or record it again", shorten(p.Covers), coversFile)
	}
	if p.Covers == "" && p.SHA256 != "" {
		c.SHA256 = sum("")
	} else {
		c.SHA256 = sum(coversFile)
	}
	if p.Kind != "" && !slices.Contains(kinds, p.Kind) {
		return s.fail("kind", "is %q: expected one of %s; say where the recording comes from, or record it again", shorten(p.Kind), strings.Join(kinds, ", "))
	}
	if p.SHA256 != "" && !strings.EqualFold(p.SHA256, c.SHA256) {
		return l.fail(s.fields["sha256"], "conform.sha256", "the recording was changed after it was made: the file says %s, it has %s; "+
			"restore it or record it again, or remove this line if the change was meant", shorten(p.SHA256), c.SHA256)
	}
	failures, err := l.exchanges("conform.failures", s.fields["failures"])
	if err != nil {
		return err
	}
	c.Exchanges = append(c.Exchanges, failures...)
	slices.SortStableFunc(c.Exchanges, func(a, b Exchange) int { return cmp.Compare(a.ID, b.ID) })
	for i, x := range c.Exchanges {
		if x.ID < 1 || i > 0 && x.ID == c.Exchanges[i-1].ID {
			return l.fail(s.fields["failures"], "conform.failures", "the number %d is taken or below 1: each exchange, answered or failed, has a number of its own", x.ID)
		}
	}
	if gaps := c.Gaps(); gaps != "" && p.Covers == coversFile && p.Task != "" {
		return l.fail(nil, "", "the exchanges %s are missing, and a recording of a task has no gaps: it was cut; restore it or record it again", gaps)
	}
	return nil
}
