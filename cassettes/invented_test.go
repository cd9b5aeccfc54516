package cassettes_test

import (
	"bufio"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// cacheFields are header fields as they are sent, and what the record then has of Cache-Control.
var cacheFields = []struct {
	sent string
	want []string
}{
	{"Pragma: no-cache\r\n", nil},
	{"pragma: no-cache\r\nPragma: x\r\n", nil},
	{"Pragma: no-cache\r\nCache-Control: no-cache\r\n", []string{"no-cache"}},
	{"cache-control:no-cache\r\nPRAGMA: no-cache\r\n", []string{"no-cache"}},
	{"Cache-Control: no-cache\r\n", []string{"no-cache"}},
	{"Cache-Control: no-cache\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n", []string{"no-cache", "no-cache"}},
	{"Cache-Control: \r\nPragma: no-cache\r\n", []string{""}},
	{"Pragma: x\r\n", nil},
}

// TestObservedAsSent sends raw requests: the record has the fields that were sent, and none that net/http made up.
func TestObservedAsSent(t *testing.T) {
	kept := make(chan cassettes.Exchange, 1)
	running, err := ucwatest.Start(cassettes.Observed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }),
		func(x cassettes.Exchange) { kept <- x }), ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	connection, err := net.Dial("tcp", strings.TrimPrefix(running.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	answers := bufio.NewReader(connection)
	send := func(raw string) cassettes.Exchange {
		t.Helper()
		if _, err := io.WriteString(connection, raw); err != nil {
			t.Fatal(err)
		}
		if answer, err := http.ReadResponse(answers, nil); err != nil || answer.StatusCode != 204 {
			t.Fatalf("%q: answer %v, %v", raw, answer, err)
		}
		return <-kept
	}
	for _, test := range cacheFields {
		x := send("GET / HTTP/1.1\r\nHost: a.example\r\n" + test.sent + "\r\n")
		if got := x.Request.Headers["Cache-Control"]; !slices.Equal(got, test.want) {
			t.Errorf("of %q the record has Cache-Control %q, want %q", test.sent, got, test.want)
		}
	}
	x := send("POST /a HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\nTRAILER: X-Sum\r\nx-ms-origin:  http://o.example \r\n\r\n1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n")
	r := x.Request
	names := slices.Sorted(maps.Keys(r.Headers))
	if !slices.Equal(names, []string{"X-Ms-Origin"}) || r.Host != "a.example" || !slices.Equal(r.TransferEncoding, []string{"chunked"}) ||
		!slices.Equal(r.Trailer["X-Sum"], []string{"7"}) || r.Body != "x" || r.ContentLength != -1 || r.Headers.Get("X-Ms-Origin") != "http://o.example" {
		t.Errorf("the record has fields %q, and beside them host %q, transfer encoding %q, trailer %q, length %d, body %q",
			names, r.Host, r.TransferEncoding, r.Trailer, r.ContentLength, r.Body)
	}
}

// TestRecorderAsSent is the same of answers, over a raw socket.
func TestRecorderAsSent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for _, test := range cacheFields {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(connection)); err == nil {
				_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nConnection: close\r\n"+test.sent+"\r\n")
			}
			_ = connection.Close()
		}
	}()
	transport := &http.Transport{DisableKeepAlives: true}
	recorder := &cassettes.Recorder{Transport: transport}
	for i, test := range cacheFields {
		r, err := http.NewRequest(http.MethodGet, "http://"+listener.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := recorder.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if got := recorder.Exchanges()[i].Response.Headers["Cache-Control"]; !slices.Equal(got, test.want) {
			t.Errorf("of %q the record has Cache-Control %q, want %q", test.sent, got, test.want)
		}
	}
}
