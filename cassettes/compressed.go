package cassettes

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Decompressed returns the cassette if nothing in it is compressed, else a copy in which the bodies of answers are plain that say to be
// in gzip and that a recorder kept so: as net/http gives them. One that cannot be read, or holds more than [MaxBody], stays as it is;
// so do the rest once they hold 256 MiB together.
func (c *Cassette) Decompressed() *Cassette {
	if !slices.ContainsFunc(c.Exchanges, func(x Exchange) bool { return x.Interaction != nil && strings.HasPrefix(x.Response.Body, gzipMagic) }) {
		return c
	}
	copied := c.Clone()
	left := maxDecompressed
	for _, x := range copied.Exchanges {
		if x.Interaction == nil {
			continue
		}
		a := &x.Response
		if !strings.HasPrefix(a.Body, gzipMagic) || !strings.EqualFold(strings.Join(HeaderValues(a.Headers, "Content-Encoding"), ", "), "gzip") {
			continue
		}
		body, ok := inflated(a.Body, min(left, MaxBody))
		if !ok {
			continue
		}
		left -= len(body)
		was := len(a.Body)
		if a.ContentLength == int64(was) {
			a.ContentLength = int64(len(body))
		}
		for name, values := range a.Headers {
			for i, value := range values {
				if strings.EqualFold(name, "Content-Length") && value == strconv.Itoa(was) {
					values[i] = strconv.Itoa(len(body))
				}
			}
		}
		maps.DeleteFunc(a.Headers, func(name string, _ []string) bool { return strings.EqualFold(name, "Content-Encoding") })
		a.Body, a.Uncompressed = body, true
	}
	return copied
}

// maxDecompressed bounds the bodies of a recording together, in bytes.
const maxDecompressed = 256 << 20

const gzipMagic = "\x1f\x8b"

// inflated returns what was compressed by gzip, if it can be read and has at most that many bytes.
func inflated(text string, most int) (string, bool) {
	r, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		return "", false
	}
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(r, int64(most)+1))
	return b.String(), err == nil && b.Len() <= most
}
