package capture

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"strings"
	"unicode/utf8"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// setBody gives an answer its body, decoded. What the answer says of its encoding goes then, as net/http does it: most tools
// decode the body and leave the fields, and of Content-Length nobody knows afterwards which it tells.
func setBody(x *cassettes.Exchange, body string) {
	r := &x.Response
	coding := strings.ToLower(strings.TrimSpace(strings.Join(values(r.Headers, "Content-Encoding"), ",")))
	plain, err := decode(coding, body)
	if err != nil {
		x.Failure = "the body cannot be read: " + err.Error()
		plain = ""
	}
	if coding != "" && coding != "identity" {
		r.Uncompressed = true
		drop(r.Headers, "Content-Encoding", "Content-Length")
	}
	if len(values(r.Headers, "Transfer-Encoding")) > 0 {
		drop(r.Headers, "Transfer-Encoding", "Content-Length")
	}
	r.Body, r.ContentLength = plain, -1
	switch length := strings.Join(values(r.Headers, "Content-Length"), ", "); {
	case length == fmt.Sprint(len(plain)):
		r.ContentLength = int64(len(plain))
	case x.Failure != "" || !hasBody(x.Request.Method, r.Code):
		// It tells of a body that is not there.
	case length != "":
		drop(r.Headers, "Content-Length") // of the body as it was on the wire
	}
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

// dechunked returns the body of a message as it was before the transfer. A tool may have done that, and left the field.
func dechunked(h http.Header, body []byte) []byte {
	if !strings.Contains(strings.ToLower(strings.Join(values(h, "Transfer-Encoding"), ",")), "chunked") {
		return body
	}
	whole, err := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(bytes.NewReader(body)), mostMember))
	if err != nil && len(whole) == 0 {
		return body
	}
	return whole
}
