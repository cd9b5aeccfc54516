package cassettes

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Decompressed returns the cassette if nothing in it is compressed, else a copy in which the bodies of answers are plain that say to be in gzip and that a recorder kept so: as
// net/http gives them. One that cannot be read stays as it is. It returns an error if they hold more than 256 MiB together.
func (c *Cassette) Decompressed() (*Cassette, error) { return c.decompressed(false) }

// decompressed undoes gzip also in requests, and where nothing says that it is there, if all is asked for.
func (c *Cassette) decompressed(all bool) (*Cassette, error) {
	if !slices.ContainsFunc(c.Exchanges, func(x Exchange) bool {
		return strings.HasPrefix(x.Response.Body, gzipMagic) || strings.HasPrefix(x.Request.Body, gzipMagic)
	}) {
		return c, nil
	}
	copied := c.clone()
	left := maxDecompressed
	for i := range copied.Exchanges {
		x := &copied.Exchanges[i]
		for _, m := range x.messages() {
			says := strings.EqualFold(strings.Join(m.encodings(), ", "), "gzip")
			if !strings.HasPrefix(*m.body, gzipMagic) || !all && (!says || m.body != &x.Response.Body) {
				continue
			}
			body, err := inflated(*m.body, left)
			if errors.Is(err, errTooLong) {
				return nil, fmt.Errorf("exchange %d: up to it, the bodies that are compressed hold more than %d MiB, the most that is decoded: record fewer exchanges into one file",
					x.ID, maxDecompressed>>20)
			}
			if err != nil || body == "" {
				continue
			}
			left -= len(body)
			changeBody(m.body, m.length, m.header, func(_, _ string) string { return body })
			maps.DeleteFunc(m.header, func(name string, _ []string) bool { return strings.EqualFold(name, "Content-Encoding") })
			if m.body == &x.Response.Body {
				x.Response.Uncompressed = true
			}
		}
	}
	return copied, nil
}

// maxDecompressed bounds the bodies of a recording together, in bytes.
const maxDecompressed = 256 << 20

const gzipMagic = "\x1f\x8b"

// readable refuses a recording with a body that nobody can look into.
func (c *Cassette) readable() error {
	for i := range c.Exchanges {
		for _, m := range c.Exchanges[i].messages() {
			if strings.HasPrefix(*m.body, gzipMagic) {
				return fmt.Errorf("exchange %d: a compressed body cannot be read, so nobody can see what it shows: record without compression, or leave the exchange out", c.Exchanges[i].ID)
			}
			if encodings := m.encodings(); len(encodings) > 0 && *m.body != "" && !utf8.ValidString(*m.body) {
				return fmt.Errorf("exchange %d: a body is compressed%s and nobody can see what it shows: record without compression, or leave the exchange out",
					c.Exchanges[i].ID, named(encodings))
			}
		}
	}
	return nil
}

// named says the encodings that have a name: anything else that a server writes there may be a secret.
func named(encodings []string) string {
	for _, encoding := range encodings {
		if slices.Contains([]string{"br", "zstd", "deflate", "compress"}, strings.ToLower(encoding)) {
			return " (" + strings.ToLower(encoding) + ")"
		}
	}
	return ""
}

func (m message) encodings() []string {
	var list []string
	for name, values := range m.header {
		if strings.EqualFold(name, "Content-Encoding") {
			list = append(list, values...)
		}
	}
	return list
}

// errTooLong is of what holds more than anybody looks through.
var errTooLong = errors.New("it holds more than is looked through")

// inflated returns what was compressed by gzip or zlib, "" if nothing was. It returns errTooLong if it is longer than most.
func inflated(text string, most int) (string, error) {
	var r io.Reader
	var err error
	switch {
	case strings.HasPrefix(text, gzipMagic):
		r, err = gzip.NewReader(strings.NewReader(text))
	case len(text) > 2 && text[0] == 0x78 && (int(text[0])<<8|int(text[1]))%31 == 0:
		r, err = zlib.NewReader(strings.NewReader(text))
	default:
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(r, int64(most)+1))
	if b.Len() > most {
		return "", errTooLong
	}
	return b.String(), err
}
