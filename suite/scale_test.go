package suite

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
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

// crowd returns what many clients do who sign in at the same time, each of it the same: its user, tokens, application and
// identifiers are its own and, if homes is given, so are its hosts.
func crowd(tb testing.TB, clients int, homes bool) *cassettes.Cassette {
	tb.Helper()
	c := &cassettes.Cassette{Name: "crowd"}
	var sessions [][]cassettes.Exchange
	for n := range clients {
		session := (&cassettes.Cassette{Exchanges: someone(tb)}).Redacted().Exchanges
		secret := func(found string) string {
			sum := sha256.Sum256(fmt.Append(nil, found, n))
			return base64.RawURLEncoding.EncodeToString(bytes.Repeat(sum[:], 4))
		}
		who, home := fmt.Sprintf("user%04d", n), "contoso.com"
		if homes {
			home = fmt.Sprintf("home%04d.com", n)
		}
		names := strings.NewReplacer("10100000001", fmt.Sprintf("2020000%04d", n), "3fa85f64", fmt.Sprintf("3fa8%04x", n), "dana@", who+"@", "dana%40", who+"%40",
			"Dana Birkby", fmt.Sprintf("Given%04d Family%04d", n, n), "Dana", fmt.Sprintf("Given%04d", n), "contoso.com", home)
		for _, x := range session {
			anew(x, func(s string) string { return names.Replace(tokenIn.ReplaceAllStringFunc(s, secret)) })
		}
		sessions = append(sessions, session)
	}
	for i := range sessions[0] {
		for _, session := range sessions {
			x := session[i]
			x.ID = len(c.Exchanges) + 1
			c.Exchanges = append(c.Exchanges, x)
		}
	}
	return c
}

// TestCrowd holds that of many who sign in at the same time each gets all that shows a token of its own, and nothing that
// shows another's. Of what shows none nobody can tell.
func TestCrowd(t *testing.T) {
	const clients = 30
	shows := func(x cassettes.Exchange) bool {
		return x.Request.Headers.Get("Authorization") != "" || strings.Contains(x.Response.Body, "access_token")
	}
	for _, homes := range []bool{false, true} {
		c := crowd(t, clients, homes)
		want := make([][]int, clients)
		for i, x := range c.Exchanges {
			if shows(x) {
				want[i%clients] = append(want[i%clients], x.ID)
			}
		}
		list, err := Locate(c, Tasks()...)
		if err != nil || len(list) != clients {
			t.Fatalf("homes=%t: %d clients were found of %d: %v", homes, len(list), clients, err)
		}
		for n, e := range list {
			if who := fmt.Sprintf("sip:user%04d@", n); !strings.HasPrefix(e.User(), who) {
				t.Errorf("homes=%t: client %d is %s, expected %s...", homes, n+1, e.User(), who)
			}
			var got []int
			for _, x := range e.Exchanges {
				if shows(x.Exchange) {
					got = append(got, x.ID)
				}
			}
			if !slices.Equal(got, want[n]) {
				t.Errorf("homes=%t: client %d has the exchanges %v, expected %v", homes, n+1, got, want[n])
			}
		}
	}
}

// BenchmarkClients shows how judging grows with the number of clients, each of which does the same.
func BenchmarkClients(b *testing.B) {
	for _, homes := range []bool{false, true} {
		for _, clients := range []int{20, 40, 80, 160} {
			b.Run(fmt.Sprintf("homes=%t/%d clients", homes, clients), func(b *testing.B) {
				c := crowd(b, clients, homes)
				b.ResetTimer()
				for b.Loop() {
					began := time.Now()
					list, err := LocateMasked(c, mask.New(mask.Options{}), Tasks()...)
					if err != nil || len(list) != clients {
						b.Fatal(len(list), err)
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
