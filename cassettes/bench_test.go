package cassettes

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// BenchmarkReplay shows that the cost of an exchange does not grow with the cassette, in contrast to go-vcr's own, whatever
// the order in which 50 applications ask.
func BenchmarkReplay(b *testing.B) {
	for _, size := range []int{10, 100, 1000, 10_000, 100_000} {
		var list []Exchange
		var inOrder []*http.Request
		for n := range size {
			url := fmt.Sprintf("%s/%d/people/contact%d", app, n*50/size, n)
			list = append(list, get(url, `{"rel":"contact"}`))
			inOrder = append(inOrder, httptest.NewRequest("GET", url, nil))
		}
		reversed := slices.Clone(inOrder)
		slices.Reverse(reversed)
		var interleaved []*http.Request
		part := (size + 49) / 50
		for n := range part {
			for at := n; at < size; at += part {
				interleaved = append(interleaved, inOrder[at])
			}
		}
		c, content := tape(list...), []byte(nil)
		for _, order := range []struct {
			name     string
			requests []*http.Request
			stock    int // how many are measured of go-vcr, which is quadratic in these orders
		}{{"in-order", inOrder, size}, {"reversed", reversed, min(size, 200)}, {"interleaved", interleaved, min(size, 200)}} {
			b.Run(fmt.Sprintf("%d/%s/ours", size, order.name), func(b *testing.B) {
				replay(b, order.requests, func() http.RoundTripper { return NewReplayer(c) }, size)
			})
			if size > 10_000 {
				continue // which go-vcr loads for seconds, and answers in milliseconds each
			}
			b.Run(fmt.Sprintf("%d/%s/go-vcr", size, order.name), func(b *testing.B) {
				if content == nil {
					content = encode(b, c)
				}
				replay(b, order.requests, func() http.RoundTripper { return stockReplayer(b, content) }, order.stock)
			})
		}
	}
}

// enough is how long replaying is measured: a cassette plays once, and go-vcr takes long to load the next.
const enough = 30 * time.Millisecond

// replay measures the first so many requests, in whole passes.
func replay(b *testing.B, requests []*http.Request, open func() http.RoundTripper, most int) {
	played, took := 0, time.Duration(0)
	for b.Loop() {
		if took > enough {
			continue // b.Loop goes on until its own time is over
		}
		b.StopTimer()
		transport := open()
		runtime.GC() // of what loading left behind
		b.StartTimer()
		began := time.Now()
		for _, req := range requests[:most] {
			resp, err := transport.RoundTrip(req)
			if err != nil {
				b.Fatal(err)
			}
			resp.Body.Close()
		}
		took += time.Since(began)
		played += most
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(played), "ns/exchange")
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

// large returns a recording of 50,000 exchanges, which is 100 MB as a file: nearly the largest that is read. With -short it is
// of 1,000.
func large() *Cassette {
	size := 50_000
	if testing.Short() {
		size = 1000
	}
	var list []Exchange
	body := `{"_links":{"self":{"href":"/ucwa/oauth/v1/applications/101/people/1"}},"note":"` + strings.Repeat("lorem ipsum ", 102) + `"}`
	for n := range size {
		list = append(list, get(fmt.Sprintf("%s/people/contact%d", app, n), body))
	}
	return tape(list...)
}

func BenchmarkLoadLarge(b *testing.B) {
	path := stockFile(b, encode(b, large()))
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Open(path + ".yaml"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("go-vcr", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := cassette.Load(path); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSaveLarge(b *testing.B) {
	c := large()
	path := filepath.Join(b.TempDir(), "tape")
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := c.Save(path + ".yaml"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("go-vcr", func(b *testing.B) {
		stock := cassette.New(path)
		for _, x := range c.Exchanges {
			stock.AddInteraction(x.Interaction)
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := stock.Save(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
