package cassettes

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// Observed is the twin of a [Recorder] at the other end: a handler that serves as next does, and tells keep of every exchange,
// as the server saw it. keep is called from all goroutines that serve, before the client has the answer: so whatever a client
// asks because of an answer is kept after it. The numbers of exchanges are for keep to give.
//
// The URL is put together from what the client said: the scheme and the host name of its connection (TLS tells the name that
// the client meant to reach, whatever its Host field says), and the Host field where there is none.
//
// A body of a request that is longer than MaxBody, or of which next left much unread, is left out of the record, which then has
// its length alone. An answer of more than MaxBody reaches the client whole, and is recorded cut, as a failure. So is one
// that the client did not wait for.
func Observed(next http.Handler, keep func(Exchange)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		o := &observer{ResponseWriter: w, request: r}
		body := &readBody{ReadCloser: r.Body}
		header := asSent(r.Header).Clone() // before a handler changes it
		sent := *r
		sent.Body = body
		ended := false
		defer func() {
			failure := o.failure
			if cause := context.Cause(r.Context()); cause != nil && failure == "" {
				failure = failureText(cause) // the client hung up, or the server was closed
			}
			if !ended && failure == "" {
				failure = "the server broke the connection off"
			}
			x := Exchange{Interaction: &Interaction{Request: observedRequest(r, header, body)}, Failure: failure, Began: began}
			if o.status != 0 {
				x.Response = o.response(r)
			}
			x.Response.Duration = time.Since(began)
			keep(x.clone())
			if ended {
				o.send()
			}
		}()
		next.ServeHTTP(o, &sent)
		ended = true
		if o.failure == "" { // a refusal comes before the body is read, which belongs to the record all the same
			_, _ = io.Copy(io.Discard, io.LimitReader(body, maxUnread))
		}
		if o.status == 0 && o.failure == "" {
			o.WriteHeader(http.StatusOK)
		}
	})
}

// maxUnread is how much of a body is read, for the record, that the handler did not want.
const maxUnread = 256 << 10

// observer holds an answer back until it is whole.
type observer struct {
	http.ResponseWriter
	request *http.Request
	status  int
	header  http.Header // as it was when the status was written
	body    bytes.Buffer
	passing bool // longer than what is held back: it goes on as it comes
	failure string
}

func (o *observer) WriteHeader(status int) {
	switch {
	case o.status != 0:
	case status < 200 && status != http.StatusSwitchingProtocols: // there is another to come
		o.ResponseWriter.WriteHeader(status)
	default:
		o.status, o.header = status, o.Header().Clone()
	}
}

func (o *observer) Write(p []byte) (int, error) {
	o.WriteHeader(http.StatusOK)
	if o.passing {
		return o.ResponseWriter.Write(p)
	}
	if o.body.Len()+len(p) <= MaxBody {
		return o.body.Write(p)
	}
	o.failure = fmt.Sprintf("the body is longer than %d bytes, the most that is recorded", MaxBody)
	o.passing = true
	o.ResponseWriter.WriteHeader(o.status)
	if _, err := o.ResponseWriter.Write(o.body.Bytes()); err != nil {
		return 0, err
	}
	return o.ResponseWriter.Write(p)
}

// Hijack implements [http.Hijacker]. What is then written nobody sees.
func (o *observer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	connection, buffer, err := http.NewResponseController(o.ResponseWriter).Hijack()
	if err == nil {
		o.failure = "the answer was written to the connection itself, where it is not recorded"
	}
	return connection, buffer, err
}

// Unwrap is for [http.ResponseController].
func (o *observer) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// send sends the answer that was held back.
func (o *observer) send() {
	if o.passing || o.status == 0 {
		return
	}
	o.ResponseWriter.WriteHeader(o.status)
	_, _ = o.ResponseWriter.Write(o.body.Bytes()) // that the client has gone is no concern of ours
}

func (o *observer) response(r *http.Request) cassette.Response {
	body := o.body.String()
	recorded := cassette.Response{Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor, ContentLength: int64(len(body)),
		Body: body, Headers: o.header, Code: o.status, Status: fmt.Sprintf("%d %s", o.status, http.StatusText(o.status))}
	if length, err := strconv.ParseInt(o.header.Get("Content-Length"), 10, 64); err == nil {
		recorded.ContentLength = length
	}
	return recorded
}

// readBody keeps what is read of a body.
type readBody struct {
	io.ReadCloser
	kept  bytes.Buffer
	whole bool
	long  bool
}

func (b *readBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.long = b.long || b.kept.Len()+n > MaxBody; !b.long {
		b.kept.Write(p[:n])
		b.whole = errors.Is(err, io.EOF)
	}
	return n, err
}

func observedRequest(r *http.Request, header http.Header, body *readBody) cassette.Request {
	recorded := cassette.Request{Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor, ContentLength: r.ContentLength,
		TransferEncoding: r.TransferEncoding, Trailer: r.Trailer, Host: r.Host, RemoteAddr: r.RemoteAddr, RequestURI: r.RequestURI,
		Headers: header, Method: r.Method, URL: observedURL(r)}
	if body.whole {
		recorded.Body = body.kept.String()
	}
	media, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err == nil && media == "application/x-www-form-urlencoded" {
		if form, err := url.ParseQuery(recorded.Body); err == nil {
			recorded.Form = form
		}
	}
	return recorded
}

// observedURL is the URL that the client asked.
func observedURL(r *http.Request) string {
	u := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	if r.TLS != nil {
		u.Scheme = "https"
		if name := r.TLS.ServerName; name != "" && r.ProtoMajor == 1 { // HTTP/2 may speak of several hosts on one connection
			u.Host = name
			if at := (&url.URL{Host: r.Host}).Port(); at != "" {
				u.Host = net.JoinHostPort(name, at)
			}
		}
	}
	if _, err := url.Parse(u.String()); err != nil || u.Host == "" {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		u.Host = "localhost"
		if local != nil {
			u.Host = local.String()
		}
	}
	return cmp.Or(u.String(), "/")
}
