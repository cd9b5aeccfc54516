package cassettes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// Replayer is an http.RoundTripper that answers from a cassette, each exchange once, without waiting.
//
// A request is answered by the first exchange not yet played with its method and its URL in normal form. So each link gives
// its answers in the recorded order, whatever is asked elsewhere meanwhile. An event channel, that is the requests for one
// path with the parameter ack, is stricter: it is played in the recorded order throughout. A request whose body differs from
// the recorded one is not answered; JSON is compared by value. What is not answered is a *[Miss].
//
// An exchange that failed fails again with the recorded text: at once, or after the part of its response that is recorded.
type Replayer struct {
	cassette *Cassette
	numbers  []int

	mu       sync.Mutex
	links    map[string][]int // positions of the exchanges to be played, by key
	channels map[string][]int // the same for each event channel, by resource
	played   []int            // positions, in the order played
}

// NewReplayer returns a Replayer of c, which must not be changed while it is in use.
func NewReplayer(c *Cassette) *Replayer {
	r := &Replayer{
		cassette: c,
		numbers:  number(c.Exchanges),
		links:    make(map[string][]int, len(c.Exchanges)),
		channels: make(map[string][]int),
		played:   make([]int, 0, len(c.Exchanges)),
	}
	for i, x := range c.Exchanges {
		a := recordedAddress(&x.Request)
		key := a.key(x.Request.Method)
		r.links[key] = append(r.links[key], i)
		if _, ok := a.ack(); ok {
			r.channels[a.resource()] = append(r.channels[a.resource()], i)
		}
	}
	return r
}

func recordedAddress(r *cassette.Request) address {
	u, err := url.Parse(r.URL)
	if err != nil {
		u = &url.URL{Path: r.URL} // never loaded from a file: it can be asked for by nobody
	}
	return normal(u)
}

// RoundTrip returns the recorded response, a fresh copy with canonical header names, or the recorded failure. The error is a
// *[Miss] if nothing recorded answers the request, and the context's if that is done.
func (r *Replayer) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil {
		return nil, fmt.Errorf("%s: cannot replay a request without a URL", r.cassette.Name)
	}
	body, err := readRequest(req)
	if err != nil {
		return nil, err
	}
	if req.Context().Err() != nil {
		return nil, context.Cause(req.Context())
	}
	i, err := r.play(req, body)
	if err != nil {
		return nil, err
	}
	x := r.cassette.Exchanges[i]
	if x.failed() && x.Response.Code == 0 {
		return nil, r.failure(i)
	}
	resp := response(req, &x.Response)
	if x.failed() {
		rest := io.MultiReader(strings.NewReader(x.Response.Body), broken{r.failure(i)})
		resp.Body, resp.ContentLength = io.NopCloser(rest), x.Response.ContentLength
	}
	return resp, nil
}

// play finds the exchange that answers the request, and takes it out of the queues.
func (r *Replayer) play(req *http.Request, body []byte) (int, error) {
	a := normal(req.URL)
	key := a.key(req.Method)
	_, onChannel := a.ack()
	channel := ""
	if onChannel {
		channel = a.resource()
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	link := r.links[key]
	if len(link) == 0 {
		return 0, r.miss(req, a, body, r.nearest(req, a))
	}
	i := link[0]
	recorded := &r.cassette.Exchanges[i].Request
	if onChannel && r.channels[channel][0] != i || !sameBody(recorded, body) {
		return 0, r.miss(req, a, body, i)
	}
	r.links[key] = link[1:]
	if onChannel {
		r.channels[channel] = r.channels[channel][1:]
	}
	r.played = append(r.played, i)
	return i, nil
}

// failure returns the recorded failure of an exchange. That of a cancelled request is the context's error, as it was live.
func (r *Replayer) failure(i int) error {
	text := r.cassette.Exchanges[i].Failure
	cause := errors.New(text)
	for _, err := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF} {
		if text == err.Error() {
			cause = err
		}
	}
	return fmt.Errorf("%s: exchange %d failed when it was recorded: %w", r.cassette.Name, r.numbers[i], cause)
}

// Played returns the numbers of the exchanges played so far, in the order in which they were played.
func (r *Replayer) Played() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	numbers := make([]int, len(r.played))
	for n, i := range r.played {
		numbers[n] = r.numbers[i]
	}
	return numbers
}

// Unplayed returns copies of the exchanges not played so far, in recorded order.
func (r *Replayer) Unplayed() []Exchange {
	r.mu.Lock()
	done := make(map[int]bool, len(r.played))
	for _, i := range r.played {
		done[i] = true
	}
	r.mu.Unlock()
	var left []Exchange
	for i, x := range r.cassette.Exchanges {
		if !done[i] {
			x = x.clone()
			x.ID = r.numbers[i]
			left = append(left, x)
		}
	}
	return left
}

// response returns a copy of the recorded response as the answer to req.
func response(req *http.Request, recorded *cassette.Response) *http.Response {
	resp := &http.Response{
		Status:           recorded.Status,
		StatusCode:       recorded.Code,
		Proto:            recorded.Proto,
		ProtoMajor:       recorded.ProtoMajor,
		ProtoMinor:       recorded.ProtoMinor,
		Header:           canonical(recorded.Headers),
		Body:             http.NoBody,
		ContentLength:    recorded.ContentLength,
		TransferEncoding: slices.Clone(recorded.TransferEncoding),
		Uncompressed:     recorded.Uncompressed,
		Request:          req,
	}
	if len(recorded.Trailer) > 0 {
		resp.Trailer = canonical(recorded.Trailer)
	}
	if recorded.Body != "" {
		b := new(body)
		b.Reset(recorded.Body)
		resp.Body = b
	}
	// A length that was unknown stays so, and that of a HEAD is of the body that GET would have; else it must be true, since
	// clients read by it.
	if resp.ContentLength >= 0 && req.Method != http.MethodHead {
		resp.ContentLength = int64(len(recorded.Body))
	}
	if resp.Status == "" {
		resp.Status = strings.TrimSpace(strconv.Itoa(recorded.Code) + " " + http.StatusText(recorded.Code))
	}
	if resp.Proto == "" {
		resp.Proto, resp.ProtoMajor, resp.ProtoMinor = "HTTP/1.1", 1, 1
	}
	return resp
}

// body is a text that can be read as a body.
type body struct{ strings.Reader }

func (*body) Close() error { return nil }

// canonical returns a copy with names as http.Header.Get expects them. Files of other tools may have them in any case.
func canonical(recorded http.Header) http.Header {
	header := make(http.Header, len(recorded))
	for name, values := range recorded {
		if textproto.CanonicalMIMEHeaderKey(name) != name {
			return renamed(recorded)
		}
		header[name] = slices.Clone(values)
	}
	return header
}

func renamed(recorded http.Header) http.Header {
	header := make(http.Header, len(recorded))
	for _, name := range slices.Sorted(maps.Keys(recorded)) {
		key := textproto.CanonicalMIMEHeaderKey(name)
		header[key] = append(header[key], recorded[name]...)
	}
	return header
}

// sameBody tells whether the body sent is the recorded one. A record without a body says nothing unless it says that the
// length was 0: some recorders lose the body if the answer comes early.
func sameBody(recorded *cassette.Request, sent []byte) bool {
	switch {
	case recorded.Body == string(sent):
		return true
	case recorded.Body == "":
		return recorded.ContentLength != 0
	}
	was, wasJSON := parseJSON([]byte(recorded.Body))
	is, isJSON := parseJSON(sent)
	return wasJSON && isJSON && sameJSON(was, is)
}
