package cassettes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// seen is all that a client can see of an answer.
type seen struct {
	Status           string
	Proto            string
	Header           http.Header
	Trailer          http.Header
	TransferEncoding []string
	ContentLength    int64
	Uncompressed     bool
	TLS              bool
	NoBody           bool
	Body             string
	BodyError        string
	AfterCloseFails  bool
	Error            string
}

func look(req *http.Request, transport http.RoundTripper, most int64) seen {
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return seen{Error: fmt.Sprintf("%T %v", err, err)}
	}
	s := seen{
		Status: resp.Status, Proto: resp.Proto, Header: resp.Header, TransferEncoding: resp.TransferEncoding, ContentLength: resp.ContentLength,
		Uncompressed: resp.Uncompressed, TLS: resp.TLS != nil, NoBody: resp.Body == http.NoBody,
	}
	s.Header.Del("Date")
	body, err := io.ReadAll(io.LimitReader(resp.Body, most))
	s.Body, s.BodyError = string(body), fmt.Sprint(err)
	resp.Body.Close()
	_, err = resp.Body.Read(make([]byte, 1))
	s.AfterCloseFails = err != nil && err != io.EOF
	s.Trailer = resp.Trailer
	return s
}

var dialects = map[string]func(*httptest.Server){
	"HTTP/1.1":          (*httptest.Server).Start,
	"HTTP/1.1 over TLS": (*httptest.Server).StartTLS,
	"HTTP/2":            func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() },
}

func TestTheClientSeesNoDifference(t *testing.T) {
	for dialect, start := range dialects {
		t.Run(dialect, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(zoo))
			server.Config.ErrorLog = nil
			start(server)
			defer server.Close()
			bare := server.Client().Transport
			for _, test := range []struct {
				name, path, body string
				most             int64
			}{
				{"json", "/a", "", 1 << 30},
				{"gzip", "/gzip", "", 1 << 30},
				{"chunked", "/chunked", "", 1 << 30},
				{"trailer", "/trailer", "", 1 << 30},
				{"no content", "/nothing", "", 1 << 30},
				{"echo", "/echo", "hello", 1 << 30},
				{"closed early", "/chunked", "", 2},
				{"closed at once", "/chunked", "", 0},
				{"cut off", "/cut", "", 1 << 30},
				{"cut off, closed early", "/cut", "", 3},
				{"longer than is recorded", "/huge", "", 1 << 30},
				{"longer than is recorded, closed early", "/huge", "", MaxBody + 100},
				{"query that does not parse", "/?a=1;b=2&%zz", "", 1 << 30},
			} {
				t.Run(test.name, func(t *testing.T) {
					fresh := func() *http.Request {
						method := "GET"
						if test.body != "" {
							method = "POST"
						}
						req := request(t, method, server.URL, test.body)
						req.URL.Path, req.URL.RawQuery, _ = strings.Cut(test.path, "?")
						return req
					}
					want := look(fresh(), bare, test.most)
					var r Recorder
					r.Transport = bare
					got := look(fresh(), &r, test.most)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("(-without +with the recorder):\n%.2000s", diff)
					}
					if n := len(r.Exchanges()); n != 1 {
						t.Errorf("%d exchanges were recorded, want 1", n)
					}
				})
			}
			bare.(*http.Transport).CloseIdleConnections()
		})
	}
}

func TestHeadersAreThoseOnTheWire(t *testing.T) {
	for dialect, start := range dialects {
		t.Run(dialect, func(t *testing.T) {
			var got http.Header
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				got = r.Header.Clone()
				got.Set("Host", r.Host)
				if len(r.TransferEncoding) > 0 {
					got["Transfer-Encoding"] = r.TransferEncoding
				}
			}))
			start(server)
			defer server.Close()
			r := &Recorder{Transport: server.Client().Transport}
			for _, test := range []struct {
				name   string
				change func(*http.Request)
				length int64
			}{
				{"as given", func(r *http.Request) { r.Header["X-Two"] = []string{"1", "2"} }, 4},
				{"no user agent", func(r *http.Request) { r.Header.Set("User-Agent", "") }, 4},
				{"own host", func(r *http.Request) { r.Host = "pool.example" }, 4},
				{"length unknown", func(r *http.Request) { r.ContentLength = -1; r.Body = struct{ io.ReadCloser }{r.Body} }, -1},
				{"length not given", func(r *http.Request) { r.ContentLength = 0; r.Body = struct{ io.ReadCloser }{r.Body} }, -1},
				{"no body", func(r *http.Request) { r.Method, r.Body, r.ContentLength = "GET", nil, 0 }, 0},
				{"body without bytes", func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("")), 0 }, 0},
				{"own encoding", func(r *http.Request) { r.Header.Set("Accept-Encoding", "br") }, 4},
			} {
				t.Run(test.name, func(t *testing.T) {
					req := request(t, "POST", server.URL+"/", "body")
					test.change(req)
					resp, err := r.RoundTrip(req)
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
					x := lastOf(r)
					if diff := cmp.Diff(got, x.Request.Headers); diff != "" {
						t.Errorf("(-received by the server +recorded):\n%s", diff)
					}
					if x.Request.ContentLength != test.length || x.Request.Host != got.Get("Host") {
						t.Errorf("content_length %d, host %q, want %d and %q", x.Request.ContentLength, x.Request.Host, test.length, got.Get("Host"))
					}
					if want := strings.SplitN(dialect, " ", 2)[0]; x.Request.Proto[:len(want)] != want || x.Response.Proto[:len(want)] != want {
						t.Errorf("proto %s and %s, want %s", x.Request.Proto, x.Response.Proto, want)
					}
				})
			}
			r.CloseIdleConnections()
		})
	}
}

func lastOf(r *Recorder) Exchange {
	all := r.Exchanges()
	return all[len(all)-1]
}

// A connection that the server closed while it was kept is found out by the next request, which is then sent again.
func TestHeadersOfTheLastTry(t *testing.T) {
	r := &Recorder{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(req.Context())
		for range 2 {
			trace.GotConn(httptrace.GotConnInfo{})
			trace.WroteHeaderField("x-try", []string{"1"})
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: req}, nil
	})}
	if _, err := r.RoundTrip(request(t, "GET", "http://ucwa.example/", "")); err != nil {
		t.Fatal(err)
	}
	if got := lastOf(r).Request.Headers; !cmp.Equal(got, http.Header{"X-Try": {"1"}}) {
		t.Errorf("recorded %v, want one X-Try: a connection begins the headers anew", got)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRecordsFailures(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(zoo))
	defer server.Close()
	r := &Recorder{Transport: server.Client().Transport}
	defer r.CloseIdleConnections()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name    string
		req     *http.Request
		failure string
		body    int
	}{
		{"refused", request(t, "POST", "http://127.0.0.1:1/", "sent"), "connection refused", 0},
		{"cancelled", request(t, "GET", server.URL, "").WithContext(cancelled), "context canceled", 0},
		{"cut off", request(t, "GET", server.URL+"/cut", ""), "unexpected EOF", len("only this")},
		{"too long", request(t, "GET", server.URL+"/huge", ""), "the body is longer than 4194304 bytes, the most that is recorded", MaxBody},
		{"malformed", &http.Request{Method: "G T", URL: &url.URL{Scheme: "http", Host: "x"}, Header: http.Header{}}, `invalid method "G T"`, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp, err := r.RoundTrip(test.req)
			if err == nil {
				resp.Body.Close()
			}
			x := lastOf(r)
			if !strings.Contains(x.Failure, test.failure) || len(x.Response.Body) != test.body {
				t.Errorf("recorded the failure %q with %d bytes, want %q with %d", x.Failure, len(x.Response.Body), test.failure, test.body)
			}
			if err != nil && x.Failure != err.Error() {
				t.Errorf("recorded %q, the client saw %q", x.Failure, err)
			}
			if x.Request.URL != test.req.URL.String() {
				t.Errorf("recorded URL %q, want %q", x.Request.URL, test.req.URL)
			}
		})
	}
}

// Not every body fails again when it is read again.
func TestBodyFailsWhereItFailed(t *testing.T) {
	broke := errors.New("broke")
	parts := []string{"half", "more"}
	r := &Recorder{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(readFunc(func(p []byte) (int, error) {
			n := copy(p, parts[0])
			parts = append(parts[1:], "")
			return n, broke
		}))}, nil
	})}
	resp, err := r.RoundTrip(request(t, "GET", "http://ucwa.example/", ""))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); string(body) != "half" || err != broke || lastOf(r).Failure != "broke" {
		t.Errorf("read %q and %v, recorded the failure %q", body, err, lastOf(r).Failure)
	}
}

func TestErrorsComeBackUnchanged(t *testing.T) {
	broke := errors.New("")
	r := &Recorder{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, broke })}
	if _, err := r.RoundTrip(request(t, "GET", "http://ucwa.example/", "")); err != broke {
		t.Errorf("got %v, want the transport's own error", err)
	}
	if x := lastOf(r); x.Failure == "" {
		t.Error("an error without a text was recorded as an answer")
	}
}

func TestRequestBody(t *testing.T) {
	long := strings.Repeat("long", 1<<18)
	server := httptest.NewServer(http.HandlerFunc(zoo))
	defer server.Close()
	r := &Recorder{Transport: server.Client().Transport}
	defer r.CloseIdleConnections()

	t.Run("whole though the answer comes early", func(t *testing.T) {
		req := request(t, "POST", server.URL+"/early", long)
		if resp, err := r.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
		if got := lastOf(r).Request.Body; got != long {
			t.Errorf("%d bytes were recorded, want %d", len(got), len(long))
		}
	})
	t.Run("closed, and the request left as it was", func(t *testing.T) {
		body := &closeCounter{Reader: strings.NewReader("x")}
		req := request(t, "POST", server.URL+"/echo", "x")
		req.Body = body
		header := req.Header.Clone()
		resp, err := r.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Request != req {
			t.Error("the response names another request than the caller's")
		}
		if body.closed == 0 || req.Body != body || !cmp.Equal(header, req.Header) {
			t.Errorf("closed %d times, body %v, header %v", body.closed, req.Body, req.Header)
		}
	})
	t.Run("too long", func(t *testing.T) {
		before := len(r.Exchanges())
		_, err := r.RoundTrip(request(t, "POST", server.URL+"/echo?password=hunter2", strings.Repeat("x", MaxBody+1)))
		want := "POST " + server.URL + "/echo?password=REDACTED is not sent: its body is longer than 4194304 bytes, the most that is recorded"
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if len(r.Exchanges()) != before {
			t.Error("what was not sent was recorded")
		}
	})
	t.Run("that cannot be read", func(t *testing.T) {
		broke := errors.New("disk on fire")
		req := request(t, "POST", server.URL+"/echo", "")
		req.Body = io.NopCloser(broken{broke})
		if _, err := r.RoundTrip(req); !errors.Is(err, broke) {
			t.Errorf("got %v, want the body's error", err)
		}
	})
	t.Run("sent again only if it can be rewound", func(t *testing.T) {
		var rewinds []bool
		r := &Recorder{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
			rewinds = append(rewinds, req.GetBody != nil)
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})}
		with := request(t, "POST", "http://ucwa.example/", "x")
		without := request(t, "POST", "http://ucwa.example/", "x")
		without.GetBody = nil
		for _, req := range []*http.Request{with, without} {
			if _, err := r.RoundTrip(req); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(rewinds, []bool{true, false}) {
			t.Errorf("GetBody present: %v, want as the caller gave it", rewinds)
		}
	})
}

type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return nil }

func TestForm(t *testing.T) {
	r := &Recorder{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})}
	for _, test := range []struct {
		contentType, body string
		form              url.Values
	}{
		{"application/x-www-form-urlencoded", "a=1&b=%20", url.Values{"a": {"1"}, "b": {" "}}},
		{"Application/X-WWW-Form-Urlencoded; charset=utf-8", "a=1", url.Values{"a": {"1"}}},
		{"application/x-www-form-urlencoded", "a=1;b=2", url.Values{}},
		{"application/x-www-form-urlencoded", "%zz", url.Values{}},
		{"application/json", "a=1", url.Values{}},
		{"mal formed;;=", "a=1", url.Values{}},
	} {
		req := request(t, "POST", "http://ucwa.example/?a=1;b=2", test.body)
		req.Header.Set("Content-Type", test.contentType)
		if _, err := r.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		if x := lastOf(r); !cmp.Equal(x.Request.Form, test.form) || x.Request.Body != test.body {
			t.Errorf("%s %q: form %v, want %v", test.contentType, test.body, x.Request.Form, test.form)
		}
	}
}

func TestRecordsAreCopies(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(zoo))
	defer server.Close()
	r := &Recorder{Transport: server.Client().Transport}
	defer r.CloseIdleConnections()
	req := request(t, "POST", server.URL+"/echo", "x")
	req.Header.Set("X-Sent", "true")
	resp, err := r.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	before := lastOf(r)
	req.Header.Set("X-Sent", "false")
	resp.Header["Date"][0] = "never"
	lastOf(r).Response.Headers["Date"][0] = "never"
	lastOf(r).Request.Body = "changed"
	after := lastOf(r)
	if after.Request.Headers.Get("X-Sent") != "true" || after.Response.Headers.Get("Date") == "never" || after.Request.Body != "x" || !cmp.Equal(before.Response, after.Response) {
		t.Errorf("the record changed with what the client holds: %+v", after.Interaction)
	}
}

func TestDurationIsThatOfTheWholeAnswer(t *testing.T) {
	now := time.Unix(0, 0)
	r := &Recorder{Now: func() time.Time { return now }, Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		now = now.Add(time.Second)
		return &http.Response{StatusCode: 200, Body: &closeCounter{Reader: readFunc(func([]byte) (int, error) { now = now.Add(time.Minute); return 0, io.EOF })}}, nil
	})}
	if _, err := r.RoundTrip(request(t, "GET", "http://ucwa.example/", "")); err != nil {
		t.Fatal(err)
	}
	if got := lastOf(r).Response.Duration; got != time.Minute+time.Second {
		t.Errorf("duration %v, want from the sending to the end of the body", got)
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestTraceOfTheCallerStillRuns(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(zoo))
	defer server.Close()
	r := &Recorder{Transport: server.Client().Transport}
	defer r.CloseIdleConnections()
	var names sync.Map
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteHeaderField: func(name string, _ []string) { names.Store(name, true) }})
	resp, err := r.RoundTrip(request(t, "GET", server.URL, "").WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, ok := names.Load("Host"); !ok {
		t.Error("the caller's own trace was lost")
	}
}

func TestRecorderInUseByMany(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(zoo))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	r := &Recorder{Transport: server.Client().Transport}
	defer r.CloseIdleConnections()
	const users, each = 8, 20
	var group sync.WaitGroup
	for user := range users {
		group.Go(func() {
			for n := range each {
				body := fmt.Sprintf("%d/%d", user, n)
				resp, err := r.RoundTrip(request(t, "POST", server.URL+"/echo", body))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				r.Exchanges()
			}
		})
	}
	group.Wait()
	bodies := make(map[string]bool)
	for i, x := range r.Exchanges() {
		if x.ID != i+1 || x.Request.Body != x.Response.Body {
			t.Errorf("exchange %d has number %d, sent %q and received %q", i+1, x.ID, x.Request.Body, x.Response.Body)
		}
		bodies[x.Request.Body] = true
	}
	if len(bodies) != users*each {
		t.Errorf("%d exchanges were recorded, want %d", len(bodies), users*each)
	}
}

func TestSwitchOfProtocolsStaysOpen(t *testing.T) {
	connection := struct{ io.ReadWriteCloser }{}
	r := &Recorder{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: connection}, nil
	})}
	resp, err := r.RoundTrip(request(t, "GET", "http://ucwa.example/", ""))
	if _, ok := resp.Body.(io.ReadWriteCloser); err != nil || !ok {
		t.Errorf("the body is %T (%v), want the connection itself", resp.Body, err)
	}
}
