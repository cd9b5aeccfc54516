package suite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// day returns what a client does in a working day, or many clients: about n exchanges of
// signing in, listening, changing the presence and looking at it, with links that the
// server serves anew each time.
func day(tb testing.TB, n, clients int) *cassettes.Cassette {
	tb.Helper()
	c := &cassettes.Cassette{Name: "day"}
	var sessions [][]cassettes.Exchange
	for i := range clients {
		session := someone(tb)
		body, end := session[:len(session)-1], session[len(session)-1]
		from := begins(body)
		ack := 100
		for len(body) < n/clients-1 {
			for _, x := range body[from:min(len(session)-1, from+n/clients-1-len(body)+1)] {
				again := (&cassettes.Cassette{Exchanges: []cassettes.Exchange{x}}).Redacted().Exchanges[0]
				if strings.Contains(again.Request.URL, "/events") && strings.Contains(again.Request.URL, "ack=") {
					before, _, _ := strings.Cut(again.Request.URL, "ack=")
					again.Request.URL = fmt.Sprintf("%sack=%d", before, ack)
					again.Response.Body = ackIn.ReplaceAllString(again.Response.Body, fmt.Sprintf("ack=%d", ack+1))
					ack++
				}
				body = append(body, again)
			}
		}
		body = append(body, end)
		if i > 0 {
			body = renamed(body, i)
		}
		sessions = append(sessions, body)
	}
	for i := range n {
		for _, s := range sessions {
			if i < len(s) {
				c.Exchanges = append(c.Exchanges, s[i])
			}
		}
	}
	for i := range c.Exchanges {
		c.Exchanges[i].ID = i + 1
	}
	return c
}

// BenchmarkScale shows how judging grows with the traffic.
func BenchmarkScale(b *testing.B) {
	for _, clients := range []int{1, 20} {
		for _, n := range []int{1000, 4000, 16000} {
			b.Run(fmt.Sprintf("%d clients/%d exchanges", clients, n), func(b *testing.B) {
				c := day(b, n, clients)
				b.ResetTimer()
				for b.Loop() {
					began := time.Now()
					list, err := Locate(c, Tasks()...)
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(time.Since(began).Seconds()*1000, "locate-ms")
					for _, e := range list {
						if _, err := Examine(e); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}
