// Package capture reads what other tools captured of HTTP into a [cassettes.Cassette]: HAR files, Fiddler's archives and the
// cassettes of go-vcr, told apart by their content and never by their name.
//
// A capture holds everything that a browser or a machine did: fonts, analytics, other sites. Of all that, only the exchanges
// of UCWA are kept: those whose address, media type or challenge is UCWA's, those on hosts that served such, and those that
// carry one of its tokens, wherever they were sent. A file is read once and from front to back, so that its size does not
// count, and a pipe will do; what is kept is bounded.
//
// A capture is no wire: a browser writes down what it knows. What such a file cannot keep is derived where that is safe (a
// Host from the URL), and is a failure of the exchange where it is not (a body that is not in the file): nobody is held to have
// sent what the capture lost.
package capture

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// Capture is the UCWA traffic of a capture, and what else is to be said of it.
type Capture struct {
	// Cassette holds the exchanges in the order in which their answers came; there may be none. Its Provenance names the
	// tool and the time, or is the file's own.
	*cassettes.Cassette

	Format string   // as what the file was recognised, as in "HAR 1.2"
	Seen   int      // how many exchanges the capture holds, UCWA or not
	Hosts  []string // the hosts that were asked, the most frequent first
	Notes  []string // what could not be read, and what was left out
}

// Open reads the capture in a file, or standard input if the name is "-"; see [Read].
func Open(path string) (*Capture, error) {
	if path == "-" {
		return Read("standard input", os.Stdin)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open the capture: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s: is a directory: give the capture in it; if it is a SAZ that was unpacked, pack it again as a zip", path)
	}
	return Read(path, file)
}

// Read reads a capture; name is for messages and the Cassette. It returns an error if the content is of no format that it
// knows, or if nothing of it can be read; a file that is cut off is read up to there, and Notes says so.
func Read(name string, r io.Reader) (*Capture, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(in.Size())
	if err != nil && len(head) == 0 {
		if !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: cannot read the capture: %w", name, err)
		}
		return nil, fmt.Errorf("%s: is empty: capture again, and save when the capture is over", name)
	}
	f, foreign := recognise(head), cassettes.Foreign(head)
	if f.read == nil {
		return nil, fmt.Errorf("%s: is %s", name, cmp.Or(foreign, f.name))
	}
	c, err := f.read(name, in, r)
	if err != nil && foreign != "" {
		return nil, fmt.Errorf("%s: is %s", name, foreign)
	}
	if err != nil {
		return nil, err
	}
	if c.Format == "" {
		c.Format = f.name
	}
	return c, nil
}

// format is what a file can be: one that is read, or one of which the name tells what to do.
type format struct {
	name string
	read func(name string, in *bufio.Reader, whole io.Reader) (*Capture, error)
}

// recognise tells the format from the first bytes of a file.
func recognise(head []byte) format {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	begins := func(prefixes ...string) bool {
		for _, prefix := range prefixes {
			if bytes.HasPrefix(head, []byte(prefix)) || bytes.HasPrefix(text, []byte(prefix)) {
				return true
			}
		}
		return false
	}
	switch {
	case begins("PK\x03\x04", "PK\x05\x06"):
		return format{"Fiddler's archive (SAZ)", readZip}
	case begins("{", "\xff\xfe", "\xfe\xff"):
		return format{"HAR", readHAR}
	case begins("\x1f\x8b"):
		return format{name: "compressed by gzip: unpack it first, for example by `gzip -d`"}
	case begins("\x0a\x0d\x0d\x0a", "\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d"):
		return format{name: "a capture of packets (pcap), which shows no HTTP below TLS: capture with a proxy or in the browser, and save as HAR"}
	case flows(head):
		return format{name: "a flow file of mitmproxy: make a HAR of it by `mitmdump -nr FILE --set hardump=FILE.har`, and with -s har_dump.py before version 10"}
	case begins("<"):
		return format{name: "XML or HTML: expected HAR, Fiddler's archive (SAZ) or a cassette of go-vcr; export as HAR"}
	case bytes.IndexByte(head, 0) >= 0:
		return format{name: "of no known format: expected HAR, Fiddler's archive (SAZ) or a cassette of go-vcr; a session of Charles can be exported as HAR"}
	case bytes.Contains(head, []byte("interactions:")) || bytes.Contains(head, []byte("version:")) || bytes.Contains(head, []byte("conform:")):
		return format{"a cassette of go-vcr", readCassette}
	}
	return format{name: "of no known format: expected HAR, Fiddler's archive (SAZ) or a cassette of go-vcr"}
}

// flows tells mitmproxy's own format: a netstring that holds a mapping, or the number of its version.
func flows(head []byte) bool {
	digits := 0
	for digits < len(head) && digits < 10 && head[digits] >= '0' && head[digits] <= '9' {
		digits++
	}
	return digits > 0 && digits < len(head) && head[digits] == ':'
}

// readCassette reads go-vcr's own format. What a driver recorded is about UCWA, all of it.
func readCassette(name string, in *bufio.Reader, _ io.Reader) (*Capture, error) {
	read, err := cassettes.Read(name, in)
	if err != nil {
		return nil, err
	}
	s := newSieve(name)
	for i, x := range read.Exchanges {
		if err := s.offer(found{Exchange: x, position: i}, read.Provenance.Task != ""); err != nil {
			return nil, err
		}
	}
	if read.Provenance.Kind == "" { // it is go-vcr's own
		read.Provenance.Kind, read.Provenance.Tool, read.SHA256 = "capture", "go-vcr", ""
	}
	c := s.capture(read)
	if len(c.Exchanges) != len(read.Exchanges) {
		c.SHA256, c.Provenance.SHA256 = "", "" // which were of the whole
	}
	return c, nil
}
