package mask

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// megabytes are bodies of a megabyte, of what servers send and of what costs most.
func megabytes() map[string]string {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 3<<18)
	for i := range random {
		random[i] = byte(r.IntN(256))
	}
	fill := func(begin, end string, next func(i int) string) string {
		var b strings.Builder
		b.WriteString(begin)
		for i := 0; b.Len() < 1<<20; i++ {
			b.WriteString(next(i))
		}
		return b.String() + end
	}
	return map[string]string{
		"base64":  base64.StdEncoding.EncodeToString(random),
		"in JSON": `{"message":"` + base64.StdEncoding.EncodeToString(random) + `"}`,
		"binary":  string(random) + strings.Repeat("\x80", 1<<18),
		"zeros":   strings.Repeat("\x00", 1<<20),
		"address": fill("", "", func(int) string { return "a@b.c " }),
		"uris":    fill(`[{"uri":"`, `"}]`, func(i int) string { return fmt.Sprintf(`sip:u%d@h%d.example"},{"uri":"`, i, i%50) }),
		"names":   fill(`[{"name":"`, `"}]`, func(i int) string { return fmt.Sprintf(`Given%d Family%d"},{"name":"`, i, i) }),
		"texts":   fill(`[{"message":"`, `"}]`, func(i int) string { return fmt.Sprintf(`t%d"},{"message":"`, i) }),
		"GUIDs":   fill(`[{"id":"`, `"}]`, func(i int) string { return fmt.Sprintf(`%08x-1234-1234-1234-123456789abc"},{"id":"`, i) }),
		"links": fill(`[{"href":"`, `"}]`, func(i int) string {
			return fmt.Sprintf(`https://h%d.example/ucwa/oauth/v1/applications/%d/me"},{"href":"`, i%100, i)
		}),
		"hosts":    fill(`[{"href":"https://`, `"}]`, func(i int) string { return fmt.Sprintf(`h%d.d%d.example/"},{"href":"https://`, i, i) }),
		"members":  fill(`{"a":1`, `}`, func(i int) string { return fmt.Sprintf(`,"m%d":1`, i) }),
		"brackets": strings.Repeat("[", 1<<20),
		"quotes":   strings.Repeat(`"`, 1<<20),
		"escapes":  `"` + strings.Repeat(`\u0041`, 1<<20/6) + `"`,
		"nested":   nested(),
		"percent":  "a=" + strings.Repeat("%2525", 1<<20/5),
		"tokens":   fill("[", `""]`, func(i int) string { return fmt.Sprintf(`"cwt=AAEB%d",`, i) }),
		"parts":    fill("--b", "--b--", func(i int) string { return fmt.Sprintf("\r\n\r\nHTTP/1.1 200 OK\r\nX: %d\r\n\r\n{}\r\n--b", i) }),
	}
}

func nested() string {
	s := "x"
	for len(s) < 1<<19 {
		s = `{"message":` + fmt.Sprintf("%q", s) + `}`
	}
	return s
}

// BenchmarkMegabyte shows what a megabyte costs, whatever stands in it.
func BenchmarkMegabyte(b *testing.B) {
	for name, body := range megabytes() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				m := New(Options{Secrets: []string{"Passw0rd!"}})
				m.Body("multipart/batching; boundary=b", body)
				is := m.Body("", body)
				m.Clean(is)
			}
		})
	}
}

// BenchmarkHeaders shows the same of a megabyte in a header.
func BenchmarkHeaders(b *testing.B) {
	for _, name := range []string{"X-Unknown", "Cache-Control", "Set-Cookie", "Www-Authenticate", "X-Ms-Diagnostics", "Location", "User-Agent"} {
		for what, value := range map[string]string{"commas": strings.Repeat(",", 1<<20), "words": strings.Repeat("a=b; ", 1<<20/5), "quotes": strings.Repeat(`"`, 1<<20)} {
			b.Run(name+"/"+what, func(b *testing.B) {
				b.SetBytes(int64(len(value)))
				b.ReportAllocs()
				for b.Loop() {
					New(Options{}).Header(name, value)
				}
			})
		}
	}
}

// BenchmarkExchanges shows that what an exchange costs does not grow with those before it, though each has new values.
func BenchmarkExchanges(b *testing.B) {
	for _, n := range []int{200, 800, 3200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				m := New(Options{})
				for i := range n {
					x := cassette.Interaction{}
					x.Response.Headers = map[string][]string{"X-Ms-Correlation-Id": {fmt.Sprintf("%08x-1111-2222-3333-444444444444", i)}, "Set-Cookie": {fmt.Sprintf("a=%0100d", i)}}
					m.Interaction(&x, "")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "us/exchange")
		})
	}
}
