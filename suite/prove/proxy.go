package prove

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// proxy is a handler whose requests and answers are changed by rules.
type proxy struct {
	next    http.Handler
	rules   []rule
	applied atomic.Bool
	memory
}

// Applied reports whether a rule changed anything yet.
func (rw *proxy) Applied() bool { return rw.applied.Load() }

// watch lets f change x, and notes whether it did.
func (rw *proxy) watch(x *exchange, f func(*exchange)) {
	before := x.state()
	f(x)
	if x.state() != before {
		rw.applied.Store(true)
	}
}

// rule says which exchanges are changed, and how: before the request is passed
// on, and after it was answered.
type rule struct {
	on   []string // roles; none: all
	ask  func(*exchange)
	edit func(*exchange)
}

func (r rule) concerns(x *exchange) bool { return len(r.on) == 0 || slices.Contains(r.on, x.part) }

// exchange is a request and its answer, while they pass through.
type exchange struct {
	part    string // its role
	nth     int    // of its role, from 1
	request *http.Request
	sent    []byte // the request's body
	status  int    // of the answer, 0 while there is none
	header  http.Header
	body    []byte
	hidden  bool // the body is written behind a 204, where there must be none
	chunked bool // in chunks
	task    *memory
	again   func(edit func(*http.Request)) // ask once more, with another request
}

// state is all of x that a rule can change, as text.
func (x *exchange) state() string {
	return fmt.Sprint(x.request.Method, x.request.URL, x.request.Header, string(x.sent), x.status, x.header, string(x.body), x.hidden)
}

// ServeHTTP implements http.Handler.
func (rw *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r = r.Clone(r.Context())
	r.Header.Del("Accept-Encoding") // what is compressed cannot be changed
	x := &exchange{request: r, sent: sent, task: &rw.memory}
	asked := recorded(r, sent)
	rw.follow(x, asked)
	pass := func() {
		x.request.Body = io.NopCloser(bytes.NewReader(x.sent))
		x.request.ContentLength = int64(len(x.sent))
		answer := httptest.NewRecorder()
		rw.next.ServeHTTP(answer, x.request)
		x.status, x.header, x.body = answer.Code, answer.Header(), answer.Body.Bytes()
	}
	x.again = func(edit func(*http.Request)) {
		original, body := x.request, x.sent
		x.request = original.Clone(original.Context())
		x.request.Body = io.NopCloser(bytes.NewReader(nil))
		x.sent = nil
		edit(x.request)
		rw.applied.Store(true)
		if x.request.Body != nil {
			x.sent, _ = io.ReadAll(x.request.Body)
		}
		pass()
		x.request, x.sent = original, body
	}
	for _, rule := range rw.rules {
		if rule.ask != nil && rule.concerns(x) {
			rw.watch(x, rule.ask)
		}
	}
	if x.status == 0 {
		pass()
	}
	rw.learn(x, asked)
	for _, rule := range rw.rules {
		if rule.edit != nil && rule.concerns(x) {
			rw.watch(x, rule.edit)
		}
	}
	x.write(w)
}

// write sends the answer.
func (x *exchange) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), x.header)
	x.header.Del("Content-Length")
	w.Header().Del("Content-Length")
	if x.hidden {
		if hijacker, ok := w.(http.Hijacker); ok {
			x.writeHidden(hijacker)
			return
		}
	}
	if len(x.body) > 0 && x.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(x.body)))
	}
	w.WriteHeader(x.status)
	_, _ = w.Write(x.body)
}

// writeHidden writes what net/http does not let a server write.
func (x *exchange) writeHidden(h http.Hijacker) {
	connection, _, err := h.Hijack()
	if err != nil {
		return
	}
	defer func() { _ = connection.Close() }()
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 " + strconv.Itoa(x.status) + " " + http.StatusText(x.status) + "\r\n")
	_ = x.header.Write(&b)
	if x.chunked {
		fmt.Fprintf(&b, "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(x.body), x.body)
	} else {
		fmt.Fprintf(&b, "Content-Length: %d\r\nConnection: close\r\n\r\n%s", len(x.body), x.body)
	}
	_, _ = connection.Write(b.Bytes())
}

// mistaken is a RoundTripper that changes what a client sends.
type mistaken struct {
	next http.RoundTripper
	rule rule
	memory
}

// RoundTrip implements http.RoundTripper.
func (m *mistaken) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.UserAgent(), "(probe ") {
		return m.next.RoundTrip(r)
	}
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(io.LimitReader(r.Body, maxBody)); err != nil {
			return nil, err
		}
		r.Body.Close()
	}
	x := &exchange{request: r.Clone(r.Context()), sent: sent, task: &m.memory}
	asked := recorded(r, sent)
	m.follow(x, asked)
	var extra error
	x.again = func(edit func(*http.Request)) {
		more := r.Clone(r.Context())
		more.Body, more.ContentLength = http.NoBody, 0
		edit(more)
		res, err := m.next.RoundTrip(more)
		if err != nil {
			extra = err
			return
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxBody))
		res.Body.Close()
	}
	if m.rule.ask != nil && m.rule.concerns(x) {
		m.rule.ask(x)
	}
	if extra != nil {
		return nil, extra
	}
	x.request.Body = http.NoBody
	if len(x.sent) > 0 {
		x.request.Body = io.NopCloser(bytes.NewReader(x.sent))
		x.request.GetBody = nil
	}
	x.request.ContentLength = int64(len(x.sent))
	res, err := m.next.RoundTrip(x.request)
	if err != nil {
		return nil, err
	}
	x.status, x.header = res.StatusCode, res.Header
	if x.body, err = io.ReadAll(io.LimitReader(res.Body, ucwa.MaxBody)); err != nil {
		return nil, err
	}
	res.Body.Close()
	m.learn(x, asked)
	res.Body = io.NopCloser(bytes.NewReader(x.body))
	return res, nil
}
