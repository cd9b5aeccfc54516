package capture

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// unknownLength stands for the length of a body of which nothing is known but that the capture lost it.
const unknownLength = 1

const bodyNotKept = "the capture does not hold the body of the answer"

// setBody gives an answer its body, decoded. What the answer says of its encoding goes then, as net/http does it: most tools
// decode the body and leave the fields, and of Content-Length nobody knows afterwards which it tells. size is how many bytes
// the tool knows of. Where the capture lost the body, or a part of it, ContentLength is more than the body has, and setBody
// returns the reason.
func setBody(x *cassettes.Exchange, body string, size int64) (lost string) {
	r := &x.Response
	coding := strings.ToLower(strings.TrimSpace(strings.Join(cassettes.HeaderValues(r.Headers, "Content-Encoding"), ",")))
	announced, err := strconv.ParseInt(strings.TrimSpace(strings.Join(cassettes.HeaderValues(r.Headers, "Content-Length"), ",")), 10, 64)
	if err == nil {
		size = max(size, announced)
	}
	if len(cassettes.HeaderValues(r.Headers, "Transfer-Encoding")) > 0 && announced == 0 && body == "" && size == 0 && coding != "" {
		size = unknownLength // nothing is not worth to be encoded
	}
	plain, err := decode(coding, body)
	r.ContentLength = -1
	switch {
	case !hasBody(x.Request.Method, r.Code):
		// Content-Length tells of a body that is not there.
	case err != nil:
		lost = "the body of the answer cannot be read: " + err.Error()
		plain, size = "", max(size, int64(len(body)), unknownLength)
	case len(plain) > cassettes.MaxBody:
		lost = fmt.Sprintf("the body of the answer is longer than %d MiB, the most that is read", cassettes.MaxBody>>20)
		plain, size = "", int64(len(plain))
	case plain == "" && size > 0:
		lost = bodyNotKept
	case int64(len(plain)) < size && isJSON(x) && !json.Valid([]byte(plain)):
		lost = fmt.Sprintf("the capture holds %d bytes of a body of %d", len(plain), size) // Firefox cuts long ones
	}
	if coding != "" && coding != "identity" {
		r.Uncompressed = true
		drop(r.Headers, "Content-Encoding", "Content-Length")
	}
	if len(cassettes.HeaderValues(r.Headers, "Transfer-Encoding")) > 0 {
		drop(r.Headers, "Transfer-Encoding", "Content-Length")
	}
	r.Body = plain
	switch length := strings.Join(cassettes.HeaderValues(r.Headers, "Content-Length"), ", "); {
	case lost != "":
		r.ContentLength = size
	case length == fmt.Sprint(len(plain)):
		r.ContentLength = int64(len(plain))
	case !hasBody(x.Request.Method, r.Code):
	case length != "":
		drop(r.Headers, "Content-Length") // of the body as it was on the wire
	}
	return lost
}

func isJSON(x *cassettes.Exchange) bool {
	return strings.Contains(strings.ToLower(strings.Join(cassettes.HeaderValues(x.Response.Headers, "Content-Type"), "")), "json")
}

// decode undoes the content codings of a body that still has them.
func decode(coding, body string) (string, error) {
	for _, name := range reversed(strings.Split(coding, ",")) {
		var r io.Reader
		var err error
		switch name = strings.TrimSpace(name); {
		case body == "" || name == "" || name == "identity":
			continue
		case name == "gzip" || name == "x-gzip":
			if !strings.HasPrefix(body, "\x1f\x8b") {
				continue // decoded already
			}
			r, err = gzip.NewReader(strings.NewReader(body))
		case name == "deflate":
			if looksPlain(body) {
				continue
			}
			if r, err = zlib.NewReader(strings.NewReader(body)); err != nil { // as some servers send it: without the wrapping
				r, err = flate.NewReader(strings.NewReader(body)), nil
			}
		case looksPlain(body):
			continue
		default:
			return "", fmt.Errorf("it is compressed by %s, which is not read here: capture without it, or let the tool decode", name)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		plain, err := io.ReadAll(io.LimitReader(r, cassettes.MaxBody+1))
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		if len(plain) > cassettes.MaxBody {
			return "", fmt.Errorf("decompressed it is longer than %d MiB", cassettes.MaxBody>>20)
		}
		body = string(plain)
	}
	return body, nil
}

func reversed(list []string) []string {
	var back []string
	for _, item := range list {
		back = append([]string{item}, back...)
	}
	return back
}

// looksPlain tells a text from what a compression made: that has controls in its first bytes.
func looksPlain(body string) bool {
	head := body[:min(len(body), 64)]
	for range utf8.UTFMax { // it may end within a character
		if r, size := utf8.DecodeLastRuneInString(head); r == utf8.RuneError && size == 1 && len(body) > len(head) {
			head = head[:len(head)-1]
		}
	}
	return !bytes.ContainsFunc([]byte(head), func(r rune) bool { return r == '\ufffd' || r < ' ' && r != '\t' && r != '\r' && r != '\n' })
}

// hasBody tells whether an answer has a body.
func hasBody(method string, code int) bool {
	return method != http.MethodHead && method != http.MethodConnect && code/100 != 1 && code != http.StatusNoContent && code != http.StatusNotModified
}

// drop removes header fields.
func drop(h http.Header, names ...string) {
	maps.DeleteFunc(h, func(name string, _ []string) bool {
		for _, n := range names {
			if strings.EqualFold(n, name) {
				return true
			}
		}
		return false
	})
}

// dechunked returns the body of a message as it was before the transfer, and whether it is whole. A tool may have undone the
// transfer, and left the field.
func dechunked(h http.Header, body []byte) (plain []byte, whole bool) {
	if !strings.Contains(strings.ToLower(strings.Join(cassettes.HeaderValues(h, "Transfer-Encoding"), ",")), "chunked") {
		return body, true
	}
	plain, err := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(bytes.NewReader(body)), maxMember))
	if err != nil && len(plain) == 0 {
		return body, len(body) > 0 && !errors.Is(err, io.ErrUnexpectedEOF)
	}
	return plain, err == nil
}
