package cassettes

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/reports/atomicfile"
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
	kept := &Cassette{Name: c.Name, Provenance: c.Provenance, Exchanges: make([]Exchange, 0, len(c.Exchanges))}
	for i, x := range c.Exchanges {
		if x.Interaction == nil {
			return nil, fmt.Errorf("%s: exchange %d of the list has no interaction: it cannot be saved", c.Name, i+1)
		}
		if x.DiscardOnSave {
			continue
		}
		kept.Exchanges = append(kept.Exchanges, Exchange{Interaction: x.Interaction, Failure: x.Failure})
	}
	for i, n := range number(kept.Exchanges) {
		if x := &kept.Exchanges[i]; x.ID != n {
			numbered := *x.Interaction
			numbered.ID = n
			x.Interaction = &numbered
		}
	}

	answers := slices.DeleteFunc(slices.Clone(kept.Exchanges), Exchange.failed)
	if len(answers) == 0 {
		return nil, fmt.Errorf("%s: %w", c.Name, ErrEmpty)
	}
	content, proven := kept.file(answers)
	if !proven {
		answers = nil
	}
	if err := kept.readsBack(content, answers); err != nil {
		return nil, err
	}
	return content, nil
}

// file returns what is written, with the exchanges that were answered, and notes its checksum in the provenance. While it is written
// it is read back: proven tells whether those exchanges are read as they are.
func (c *Cassette) file(answered []Exchange) (content []byte, proven bool) {
	const none = "0000000000000000000000000000000000000000000000000000000000000000"
	c.Provenance.Covers, c.Provenance.SHA256 = coversFile, none // until it is known: it stands before what it is made of
	e := emitter{yaml: make([]byte, 0, roughly(c.Exchanges))}
	e.provenance(c.Provenance, c.Exchanges)
	at := bytes.LastIndex(e.yaml, []byte(none))
	line := bytes.LastIndexByte(e.yaml[:at], '\n') + 1
	rest := len(e.yaml)
	e.number(0, "version", 2)
	e.mapping(0, "interactions")

	type part struct {
		exchanges []Exchange
		content   []byte
	}
	parts := make(chan part, 16)
	reader := newOwnReader(nil)
	reader.compare = true
	sum := sha256.New() // of what has no CR: each text stands on one line
	sum.Write(e.yaml[:line])
	sum.Write(e.yaml[rest:])
	var reading sync.WaitGroup
	reading.Go(func() {
		for p := range parts {
			sum.Write(p.content)
			reader.rest = p.content
			for _, x := range p.exchanges {
				reader.exchange(x)
			}
			reader.end()
		}
	})
	for exchanges := range slices.Chunk(answered, 256) {
		begin := len(e.yaml)
		for _, x := range exchanges {
			e.exchange(x)
		}
		parts <- part{exchanges, e.yaml[begin:]} // which stays as it is, also if the rest moves on
	}
	close(parts)
	reading.Wait()

	c.Provenance.SHA256 = hex.EncodeToString(sum.Sum(nil))
	copy(e.yaml[at:], c.Provenance.SHA256)
	return e.yaml, !reader.odd
}

// roughly estimates how long the file of these exchanges is, so that a long one is not copied again and again as it grows.
func roughly(exchanges []Exchange) int {
	const keys, more = 800, 1 << 10
	length := more
	for _, x := range exchanges {
		length += keys + (len(x.Request.Body)+len(x.Response.Body))*9/8
		for _, header := range []http.Header{x.Request.Headers, x.Response.Headers} {
			for name, values := range header {
				length += len(name) + len(values)*40
			}
		}
	}
	return length
}

// readsBack says how the content differs from the cassette when it is read. The exchanges that are proven are not read again.
func (c *Cassette) readsBack(content []byte, proven []Exchange) error {
	l := &loader{file: c.Name}
	var read *Cassette
	var err error
	if head, _ := ownFile(content); proven == nil || len(content) > MaxFile {
		read, err = l.load(content) // some text has a form that only a reader of YAML knows, or it is refused
	} else if top, headErr := l.parse(head); headErr != nil {
		err = headErr
	} else {
		read, err = l.cassette(func(string) string { return c.Provenance.SHA256 }, top, proven)
	}
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
		if x.Interaction != read.Exchanges[i].Interaction && !x.equal(read.Exchanges[i]) {
			return fmt.Errorf("%s: exchange %d would not read back as it was recorded: it cannot be saved", c.Name, x.ID)
		}
	}
	return nil
}

// equal tells whether two exchanges are the same in all that a file keeps. To it, no list and an empty one are the same.
func (x Exchange) equal(y Exchange) bool {
	a, b := *x.Interaction, *y.Interaction
	same := x.Failure == y.Failure &&
		slices.Equal(a.Request.TransferEncoding, b.Request.TransferEncoding) &&
		slices.Equal(a.Response.TransferEncoding, b.Response.TransferEncoding) &&
		maps.EqualFunc(a.Request.Trailer, b.Request.Trailer, slices.Equal) &&
		maps.EqualFunc(a.Request.Form, b.Request.Form, slices.Equal) &&
		maps.EqualFunc(a.Request.Headers, b.Request.Headers, slices.Equal) &&
		maps.EqualFunc(a.Response.Trailer, b.Response.Trailer, slices.Equal) &&
		maps.EqualFunc(a.Response.Headers, b.Response.Headers, slices.Equal)
	for _, i := range []*Interaction{&a, &b} { // the rest has no lists
		i.Request.TransferEncoding, i.Response.TransferEncoding = nil, nil
		i.Request.Trailer, i.Request.Form, i.Request.Headers = nil, nil, nil
		i.Response.Trailer, i.Response.Headers = nil, nil
	}
	return same && reflect.DeepEqual(a, b)
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
	err = os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = atomicfile.Write(path, 0o600, content)
	}
	if err != nil {
		return fmt.Errorf("%s is not written: %w", path, err)
	}
	return nil
}
