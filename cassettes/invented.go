package cassettes

import (
	"bufio"
	"net/http"
	"strings"
	"sync"
	"unsafe"
)

// invented is the value of Cache-Control that net/http puts into a message of HTTP/1 in which Pragma is no-cache and that
// field is absent. It is a text of the program: one that was read from a connection stands at another place in memory, even
// where it is the same.
var invented = sync.OnceValue(func() string {
	r, err := http.ReadResponse(bufio.NewReader(strings.NewReader("HTTP/1.1 204 No Content\r\nPragma: no-cache\r\n\r\n")), nil)
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	return r.Header.Get("Cache-Control")
})

// asSent returns the header without what net/http invented, as it was on the wire. What it takes out of a header, Host and
// Transfer-Encoding and Trailer, stands beside it, and in a record too.
func asSent(header http.Header) http.Header {
	values := header["Cache-Control"]
	if len(values) != 1 || values[0] != invented() || unsafe.StringData(values[0]) != unsafe.StringData(invented()) {
		return header
	}
	sent := header.Clone()
	delete(sent, "Cache-Control")
	return sent
}
