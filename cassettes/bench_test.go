package cassettes

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

// BenchmarkReplay shows that the cost of an exchange does not grow with the cassette, in contrast to go-vcr's own. Run it with
// -benchtime 1x: go-vcr takes seconds to load 50,000 exchanges.
func BenchmarkReplay(b *testing.B) {
	for _, size := range []int{10, 100, 1000, 10_000, 50_000} {
		var list []Exchange
		var requests []*http.Request
		for n := range size {
			url := fmt.Sprintf("%s/people/contact%d", app, n)
			list = append(list, get(url, `{"rel":"contact"}`))
			requests = append(requests, httptest.NewRequest("GET", url, nil))
		}
		content := encode(b, tape(list...))
		backwards := slices.Clone(requests)
		slices.Reverse(backwards)
		for _, order := range []struct {
			name     string
			requests []*http.Request
			stock    int // how many are measured of go-vcr, which is quadratic in this order
		}{{"in order", requests, size}, {"reversed", backwards, min(size, 200)}} {
			b.Run(fmt.Sprintf("%d/%s/ours", size, order.name), func(b *testing.B) {
				c := read(b, string(content))
				replay(b, order.requests, func() http.RoundTripper { return NewReplayer(c) }, size)
			})
			b.Run(fmt.Sprintf("%d/%s/go-vcr", size, order.name), func(b *testing.B) {
				replay(b, order.requests, func() http.RoundTripper { return stockReplayer(b, content) }, order.stock)
			})
		}
	}
}

// replay measures the first so many requests.
func replay(b *testing.B, requests []*http.Request, open func() http.RoundTripper, most int) {
	played := 0
	for b.Loop() {
		b.StopTimer()
		transport := open()
		b.StartTimer()
		for _, req := range requests[:most] {
			resp, err := transport.RoundTrip(req)
			if err != nil {
				b.Fatal(err)
			}
			resp.Body.Close()
		}
		played += most
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(played), "ns/exchange")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkOpen reads a recording of 30 exchanges, as long as those that are embedded.
func BenchmarkOpen(b *testing.B) {
	c, err := Open("documentation/set-presence")
	if err != nil {
		b.Fatal(err)
	}
	var list []Exchange
	for range 10 {
		for _, x := range c.Exchanges {
			list = append(list, x.clone())
		}
	}
	content := string(encode(b, tape(list...)))
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		read(b, content)
	}
}

func BenchmarkEncode(b *testing.B) {
	c, err := Open("documentation/set-presence")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		encode(b, c)
	}
}
