package cassettes

import (
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
)

// wire collects the header fields of a request as they are written to a connection. The transport may still be writing
// when the answer is there, so it is locked.
type wire struct {
	mu     sync.Mutex
	header http.Header
}

// trace returns the hooks that collect. Each new connection begins anew: the transport sends again if a kept connection
// turns out to be closed, and a wrapped one (NTLM) may send several times; the last is what was answered.
func (w *wire) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.header = nil
		},
		WroteHeaderField: func(name string, values []string) {
			// HTTP/2 writes names in lower case, and what was the request line as pseudo-header fields.
			if name == ":authority" {
				name = "Host"
			}
			if strings.HasPrefix(name, ":") {
				return
			}
			name = textproto.CanonicalMIMEHeaderKey(name)
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.header == nil {
				w.header = make(http.Header)
			}
			w.header[name] = append(w.header[name], values...)
		},
	}
}

// fields returns what was written, or nil if nothing was.
func (w *wire) fields() http.Header {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.header.Clone()
}
