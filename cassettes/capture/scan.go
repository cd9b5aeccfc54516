package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	maxText  = 8 << 20  // bytes of a string in JSON; a longer one is passed over
	maxValue = 32 << 20 // bytes of a value that is kept
	maxDepth = 200      // levels of nesting; a HAR goes some 8 deep
)

// tooLong stands for a string that was passed over.
const tooLong = "\x00too long"

// errTooLarge: the value was read to its end, and is larger than maxValue.
var errTooLarge = fmt.Errorf("is larger than %d MiB", maxValue>>20)

// malformed says why a text is no JSON.
type malformed struct{ problem string }

func (m malformed) Error() string { return m.problem }

// scanner reads JSON value by value and holds no more than one of them: encoding/json would take any string into memory
// before anybody can say that it is too long, and a HAR holds films.
type scanner struct {
	source io.Reader
	buffer []byte
	at, n  int
	err    error
	kept   []byte // the value in hand
}

func newScanner(r io.Reader) *scanner { return &scanner{source: r, buffer: make([]byte, 256<<10)} }

// fill reads on; it reports whether there is more.
func (s *scanner) fill() bool {
	for s.err == nil && s.at == s.n {
		s.at = 0
		s.n, s.err = s.source.Read(s.buffer)
	}
	return s.at < s.n
}

// end is why there is no more: the end of the file where none may be, or a failure to read.
func (s *scanner) end() error {
	if errors.Is(s.err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return s.err
}

// peek returns the next byte that is no white space.
func (s *scanner) peek() (byte, error) {
	for s.fill() {
		switch c := s.buffer[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c, nil
		}
	}
	return 0, s.end()
}

func (s *scanner) expect(want byte) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != want {
		return malformed{fmt.Sprintf("expected %q, found %q", want, c)}
	}
	s.at++
	return nil
}

// object calls member for each member, which must read its value.
func (s *scanner) object(member func(name string) error) error {
	return s.items('{', '}', func() error {
		s.kept = s.kept[:0]
		if c, err := s.peek(); err != nil || c != '"' {
			return orMalformed(err, "expected the name of a member")
		}
		if err := s.text(256); err != nil {
			return err
		}
		name := string(bytes.Trim(s.kept, `"`))
		if err := s.expect(':'); err != nil {
			return err
		}
		return member(name)
	})
}

func orMalformed(err error, problem string) error {
	if err != nil {
		return err
	}
	return malformed{problem}
}

// items calls item for each item of a list or an object.
func (s *scanner) items(open, closing byte, item func() error) error {
	if err := s.expect(open); err != nil {
		return err
	}
	for first := true; ; first = false {
		c, err := s.peek()
		if err != nil {
			return err
		}
		if c == closing {
			s.at++
			return nil
		}
		if !first {
			if err := s.expect(','); err != nil {
				return err
			}
		}
		if err := item(); err != nil {
			return err
		}
	}
}

// value reads one value and returns its text, which holds until the next call. A string that is longer than maxText is
// tooLong in it.
func (s *scanner) value() ([]byte, error) {
	s.kept = s.kept[:0]
	large := false
	for depth := 0; ; {
		c, err := s.peek()
		if err != nil {
			return nil, err
		}
		if len(s.kept) > maxValue {
			large, s.kept = true, s.kept[:0]
		}
		switch c {
		case '"':
			if err := s.text(maxText); err != nil {
				return nil, err
			}
		case '{', '[', '}', ']':
			if c == '{' || c == '[' {
				depth++
			} else {
				depth--
			}
			if depth > maxDepth {
				return nil, malformed{fmt.Sprintf("is nested deeper than %d", maxDepth)}
			}
			if depth < 0 {
				return nil, malformed{"expected a value, found " + string(c)}
			}
			s.kept = append(s.kept, c)
			s.at++
		default:
			if err := s.word(depth == 0); err != nil {
				return nil, err
			}
		}
		if depth == 0 {
			if large {
				return nil, errTooLarge
			}
			return s.kept, nil
		}
	}
}

// word reads up to what can begin or end a value. Whether it is a number or a name, encoding/json will tell.
func (s *scanner) word(alone bool) error {
	length := 0
	for s.fill() {
		switch c := s.buffer[s.at]; c {
		case ' ', '\t', '\r', '\n', '"', '{', '[', '}', ']':
			return nil
		case ',', ':':
			if !alone {
				s.kept = append(s.kept, c)
				s.at++
			} else if length == 0 {
				return malformed{"expected a value, found " + string(c)}
			}
			return nil
		default:
			if length++; length > 1000 {
				return malformed{"expected a value"}
			}
			s.kept = append(s.kept, c)
			s.at++
		}
	}
	if alone && errors.Is(s.err, io.EOF) {
		return nil
	}
	return s.end()
}

// text reads a string.
func (s *scanner) text(most int) error {
	start := len(s.kept)
	s.kept = append(s.kept, '"')
	s.at++
	long := false
	add := func(part []byte) {
		if long = long || len(s.kept)-start+len(part) > most; !long {
			s.kept = append(s.kept, part...)
		}
		s.at += len(part)
	}
	for s.fill() {
		part := s.buffer[s.at:s.n]
		quote := bytes.IndexByte(part, '"')
		if quote >= 0 {
			part = part[:quote]
		}
		for len(part) > 0 {
			escape := bytes.IndexByte(part, '\\')
			if escape < 0 {
				add(part)
				break
			}
			add(part[:escape+1])
			part = part[escape+1:]
			if len(part) == 0 { // what is escaped is the quote, or stands in what was not read yet
				if !s.fill() {
					return s.end()
				}
				add(s.buffer[s.at : s.at+1])
				quote = -1
				break
			}
			add(part[:1])
			part = part[1:]
		}
		if quote < 0 {
			continue
		}
		s.at++ // the quote
		if long {
			s.kept = append(s.kept[:start], "\"\\u0000too long\""...)
			return nil
		}
		s.kept = append(s.kept, '"')
		return nil
	}
	return s.end()
}
