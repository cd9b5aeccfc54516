package cassettes

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// MaxBody is the largest body, of a request or a response, that is recorded, in bytes.
const MaxBody = 4 << 20

// Recorder is an http.RoundTripper that keeps every exchange as it was on the wire: with the headers that the transport
// adds, and also if it fails. The client sees what it would see without it, but an answer only when it is complete or longer
// than MaxBody. The zero value is ready; the fields must not change while it is in use.
//
// A request's body is read to its end before it is sent. One longer than MaxBody is refused, and nothing is sent. A longer
// body of a response reaches the client whole, and is recorded cut, as a failure.
type Recorder struct {
	Transport http.RoundTripper // nil means http.DefaultTransport
	Now       func() time.Time  // nil means time.Now; called from all goroutines that send

	mu        sync.Mutex
	exchanges []Exchange
}

// RoundTrip sends the request by the Transport. It returns what the Transport returns, and an error if the request's body
// cannot be read or is too long.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil {
		return r.transport().RoundTrip(req) // which refuses it
	}
	body, err := readRequest(req)
	if err != nil {
		return nil, err
	}
	now := r.Now
	if now == nil {
		now = time.Now
	}
	var wire wire
	sent := resendable(req, body, &wire)
	begin := now()
	resp, err := r.transport().RoundTrip(sent)
	x := Exchange{Interaction: new(Interaction), Began: begin}
	if err != nil {
		x.Failure = failureText(err)
	} else {
		resp.Request = req
		x.Response, x.Failure = recordResponse(resp)
		x.Response.Duration = now().Sub(begin)
	}
	if x.Failure != "" && req.Context().Err() != nil {
		x.Failure = failureText(context.Cause(req.Context())) // the client gave up; the cause says why
	}
	x.Request = recordRequest(req, body, wire.fields(), x.Response.ProtoMajor)
	r.add(x)
	return resp, err
}

func (r *Recorder) transport() http.RoundTripper {
	if r.Transport == nil {
		return http.DefaultTransport
	}
	return r.Transport
}

// CloseIdleConnections closes those of the Transport; http.Client calls it.
func (r *Recorder) CloseIdleConnections() {
	if t, ok := r.transport().(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

func (r *Recorder) add(x Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x.ID = len(r.exchanges) + 1
	r.exchanges = append(r.exchanges, x)
}

// Exchanges returns copies of the exchanges that are over so far, in the order in which they ended.
func (r *Recorder) Exchanges() []Exchange {
	r.mu.Lock()
	recorded := slices.Clone(r.exchanges)
	r.mu.Unlock()
	for i, x := range recorded {
		recorded[i] = x.clone()
	}
	return recorded
}

// readRequest reads the body of a request and closes it.
func readRequest(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	defer req.Body.Close()
	body, err := io.ReadAll(io.LimitReader(req.Body, MaxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > MaxBody {
		return nil, fmt.Errorf("%s %s is not sent: its body is longer than %d bytes, the most that is recorded", req.Method, show(req.URL), MaxBody)
	}
	return body, nil
}

// resendable returns a copy of the request that sends the same bytes and notes its headers on the wire. It has a GetBody only
// if the original has one, since the transport tries again only what it can rewind.
func resendable(req *http.Request, body []byte, wire *wire) *http.Request {
	sent := req.Clone(httptrace.WithClientTrace(req.Context(), wire.trace()))
	if req.Body == nil || req.Body == http.NoBody {
		return sent
	}
	copyOfBody := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	sent.Body, _ = copyOfBody()
	if req.GetBody != nil {
		sent.GetBody = copyOfBody
	}
	return sent
}

func recordRequest(req *http.Request, body []byte, header http.Header, protoMajor int) cassette.Request {
	recorded := cassette.Request{
		Proto:            "HTTP/1.1",
		ProtoMajor:       1,
		ProtoMinor:       1,
		ContentLength:    req.ContentLength,
		TransferEncoding: req.TransferEncoding,
		Trailer:          req.Trailer,
		Host:             req.Host,
		Body:             string(body),
		Headers:          header,
		URL:              req.URL.String(),
		Method:           req.Method,
	}
	if protoMajor == 2 {
		recorded.Proto, recorded.ProtoMajor, recorded.ProtoMinor = "HTTP/2.0", 2, 0
	}
	if recorded.Method == "" {
		recorded.Method = http.MethodGet
	}
	if header == nil {
		// Nothing was written, or not by a transport that tells: then the request is all that is known.
		recorded.Headers = req.Header
	} else {
		recorded.Host = header.Get("Host")
		recorded.TransferEncoding = header["Transfer-Encoding"]
	}
	if recorded.Host == "" {
		recorded.Host = req.URL.Host
	}
	switch length, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); {
	case err == nil:
		recorded.ContentLength = length
	case len(body) == 0:
		recorded.ContentLength = 0
	case req.ContentLength == 0: // of a body: unknown
		recorded.ContentLength = -1
	}
	if mediaType, _, err := mime.ParseMediaType(recorded.Headers.Get("Content-Type")); err == nil && mediaType == "application/x-www-form-urlencoded" {
		if form, err := url.ParseQuery(recorded.Body); err == nil {
			recorded.Form = form
		}
	}
	return Exchange{Interaction: &Interaction{Request: recorded}}.clone().Request
}

// recordResponse reads the body of a response ahead and puts it back. It says why the record is not whole, if it is not.
func recordResponse(resp *http.Response) (cassette.Response, string) {
	var body []byte
	failure := ""
	// The body of a switch of protocols is a connection, which has no end to wait for.
	if resp.Body != nil && resp.Body != http.NoBody && resp.StatusCode != http.StatusSwitchingProtocols {
		var err error
		body, err = io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
		rest := io.Reader(resp.Body)
		if err != nil {
			failure = failureText(err)
			rest = broken{err}
		}
		if len(body) > MaxBody {
			failure = fmt.Sprintf("the body is longer than %d bytes, the most that is recorded", MaxBody)
		}
		resp.Body = &readAhead{Reader: io.MultiReader(bytes.NewReader(body), rest), source: resp.Body}
	}
	recorded := cassette.Response{
		Proto:            resp.Proto,
		ProtoMajor:       resp.ProtoMajor,
		ProtoMinor:       resp.ProtoMinor,
		TransferEncoding: resp.TransferEncoding,
		Trailer:          resp.Trailer,
		ContentLength:    resp.ContentLength,
		Uncompressed:     resp.Uncompressed,
		Body:             string(body[:min(len(body), MaxBody)]),
		Headers:          asSent(resp.Header),
		Status:           resp.Status,
		Code:             resp.StatusCode,
	}
	return Exchange{Interaction: &Interaction{Response: recorded}}.clone().Response, failure
}

// failureText returns the text of an error, which must not be empty: that would mean an answer.
func failureText(err error) string {
	if text := err.Error(); text != "" {
		return text
	}
	return fmt.Sprintf("%T", err)
}

// readAhead is a body that was read in advance. Once closed, it reads as its source does then.
type readAhead struct {
	io.Reader
	source io.ReadCloser

	mu     sync.Mutex
	closed bool
}

func (b *readAhead) Read(p []byte) (int, error) {
	b.mu.Lock()
	closed := b.closed
	b.mu.Unlock()
	if closed {
		return b.source.Read(p)
	}
	return b.Reader.Read(p)
}

func (b *readAhead) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	return b.source.Close()
}

// broken is the place in a body where reading fails.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }
