// Package cassettes keeps evidence: recorded exchanges of HTTP, in files that stock go-vcr v3 loads and replays.
//
// A [Recorder] makes exchanges, [Cassette.Save] writes them, [Open] and [Read] load them, and a [Replayer] answers from
// them. Recordings that come with the package are found by name ([Names]).
//
// # The file
//
// A cassette is a YAML mapping with three keys, in this order: conform (the [Provenance], which go-vcr ignores), version
// (always 2) and interactions (go-vcr's own list). The provenance holds a checksum of the whole file but the line that the
// checksum stands on, with line ends as LF; this recomputes it:
//
//	sed '/^  sha256: /d' FILE | sha256sum
//
// A file says so by "covers: file". Without it, as in files of before, the checksum covers only what follows from the line
// "interactions:" on, and anything can have been written into the head since.
//
// # What of go-vcr is used
//
// The file is go-vcr's (format version 2), so that stock go-vcr v3 loads and replays it, and its types are: an exchange holds
// a cassette.Interaction. Its recorder works as the transport of a run, and what it wrote is read here. Its own reading,
// writing and replaying are not used, since with v3.2.0 (measured):
//
//   - a body can come back changed: of 200,000 texts of line feeds, tabs and spaces a tenth did, and 2 % could not be loaded;
//   - a recording that fails replaces the file of before by an empty list, and Stop returns nil;
//   - transport errors, long polls that were given up, and times are not kept;
//   - a form is stored twice, so that redaction has to find a password in both places;
//   - a miss says that nothing was found, and not what is like it; the order of requests is not looked at;
//   - to find an interaction takes the longer the more there are: 17 ms at 50,000, against 7 µs by an index;
//   - to load 50,000 takes 5 s and 1 GiB, to save them 20 s and 4 GiB.
//
// Exchanges that failed have no place in go-vcr's list, so they stand under conform, and go-vcr does not see them. The numbers
// of all exchanges together, answered and failed, have no gaps where a driver recorded them; see [Cassette.Gaps].
package cassettes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// Interaction is go-vcr's record of a request and its response.
type Interaction = cassette.Interaction

// Exchange is one request and its response. ID is its number, from 1, in the order in which the answers came.
type Exchange struct {
	*Interaction

	// Failure says why no answer came, or why it did not come whole; it is empty if one did. A failed exchange has
	// a zero Response, or the part of it that came.
	Failure string

	// Began is when the request was sent, zero if that is not known. go-vcr's format has no place for it: it is lost when
	// the exchange is saved.
	Began time.Time
}

// Cassette is a list of exchanges and where they come from.
type Cassette struct {
	// Name is the path of the file, or the name of an embedded recording.
	Name string

	// Provenance is zero if the file says nothing of it, as those that go-vcr writes.
	Provenance Provenance

	// SHA256 is the checksum, in hexadecimal, of the file that was read: of all of it but its checksum, or, if the file has one
	// that covers no more, of what follows from the line "interactions:" on. It is empty if the cassette was not read from a file.
	SHA256 string

	// Exchanges stand in the order in which their answers came.
	Exchanges []Exchange
}

// Provenance says where a recording comes from. In a file its fields have the names given here in lower camel case,
// and those that are empty are left out.
type Provenance struct {
	Kind       string    // live, reference, documentation or capture
	RecordedAt time.Time // when the recording began
	Tool       string    // what recorded it, as in "conform 0.1.0"
	Server     string    // what the server is, or called itself
	Source     string    // what was recorded: the target's address, or a document's title and address
	Task       string    // the task whose driver recorded it; empty for traffic that others made
	Ledger     string    // the revision of the ledger at that time
	Absent     []string  // capabilities that the target is declared not to offer
	Repairs    []string  // each repair made to the printed text of a document
	Redaction  Redaction // how secrets were taken out
	Covers     string    // "file", if SHA256 is of all of it and not of the interactions alone; set when it is written
	SHA256     string    // the checksum that the file claims; computed anew when it is written
}

// kinds are those of a [Provenance].
var kinds = []string{"live", "reference", "documentation", "capture"}

// Redaction says how the secrets were taken out of a recording. It is zero if they were not.
type Redaction struct {
	Version int      // grows when a rule changes
	Rules   []string // names of the rules that were applied
}

// clone returns a deep copy. Nil maps and lists come out empty, so that two exchanges that a file cannot tell apart are
// deeply equal.
func (x Exchange) clone() Exchange {
	if x.Interaction == nil {
		return x
	}
	copied := *x.Interaction
	request, response := &copied.Request, &copied.Response
	request.TransferEncoding = cloneList(request.TransferEncoding)
	request.Trailer = cloneValues(request.Trailer)
	request.Form = cloneValues(request.Form)
	request.Headers = cloneValues(request.Headers)
	response.TransferEncoding = cloneList(response.TransferEncoding)
	response.Trailer = cloneValues(response.Trailer)
	response.Headers = cloneValues(response.Headers)
	return Exchange{Interaction: &copied, Failure: x.Failure, Began: x.Began}
}

func (p Provenance) clone() Provenance {
	p.Absent = slices.Clone(p.Absent)
	p.Repairs = slices.Clone(p.Repairs)
	p.Redaction.Rules = slices.Clone(p.Redaction.Rules)
	return p
}

func cloneList(list []string) []string { return append(make([]string, 0, len(list)), list...) }

func cloneValues[M ~map[string][]string](values M) M {
	copied := make(M, len(values))
	for name, list := range values {
		copied[name] = cloneList(list)
	}
	return copied
}

// number gives the exchanges their numbers: the IDs they have if those ascend from 1 or more, else their positions.
// (go-vcr numbers from 0 and does not look at the numbers.)
func number(exchanges []Exchange) []int {
	numbers := make([]int, len(exchanges))
	ascending := true
	last := 0
	for i, x := range exchanges {
		numbers[i] = x.ID
		ascending = ascending && x.ID > last
		last = x.ID
	}
	if !ascending {
		for i := range numbers {
			numbers[i] = i + 1
		}
	}
	return numbers
}

// Gaps returns the numbers below the last that no exchange has, as in "3, 7-9", empty if there are none: then the cassette is
// a part of a longer recording, such as what one of several clients did, or was cut.
func (c *Cassette) Gaps() string {
	var gaps []string
	next := 1
	for _, x := range c.Exchanges {
		switch x.ID - next {
		case 0:
		case 1:
			gaps = append(gaps, strconv.Itoa(next))
		default:
			gaps = append(gaps, fmt.Sprintf("%d-%d", next, x.ID-1))
		}
		next = x.ID + 1
	}
	return strings.Join(gaps, ", ")
}
