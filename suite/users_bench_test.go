package suite

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// pools starts so many reference servers, each with five users, and returns a target for each user.
func pools(b testing.TB, n int) []Target {
	b.Helper()
	var targets []Target
	for pool := range n {
		server := ucwatest.New(ucwatest.Config{EventTimeout: 2 * time.Second})
		running, err := ucwatest.StartTLS(server, ucwatest.Options{ErrorLog: log.New(io.Discard, "", 0)})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(running.Close)
		for user := range 5 {
			own := partyOf(b, server, running.URL, ucwatest.User{Name: "A user", URI: fmt.Sprintf("sip:user%d@pool%d.example", user, pool)}, "3fa85f64-5717-4562-b3fc-2c963f66afa6")
			targets = append(targets, Target{Application: own.Application, Token: own.Token, Kind: "reference",
				Transport: running.Client().Transport, RequestTimeout: time.Minute})
		}
	}
	return targets
}

// BenchmarkOverhead compares an exchange of net/http alone, over TLS on the loopback interface, with one that is recorded, and
// one that a driver asks for with its client, which is recorded, too.
func BenchmarkOverhead(b *testing.B) {
	for _, version := range []string{"HTTP1", "HTTP2"} {
		server := ucwatest.New(ucwatest.Config{})
		running, err := ucwatest.StartTLS(server, ucwatest.Options{HTTP2: version == "HTTP2", ErrorLog: log.New(io.Discard, "", 0)})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(running.Close)
		own := partyOf(b, server, running.URL, ucwatest.User{Name: "Dana", URI: "sip:dana@contoso.com"}, "3fa85f64-5717-4562-b3fc-2c963f66afa6")
		link, err := ucwa.Begin(own.Application)
		if err != nil {
			b.Fatal(err)
		}
		bare := running.Client().Transport
		ask := func(b *testing.B, transport http.RoundTripper) {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, own.Application, nil)
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+own.Token)
			req.Header.Set("Accept", "application/json")
			resp, err := transport.RoundTrip(req)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK || "HTTP"+strconv.Itoa(resp.ProtoMajor) != version {
				b.Fatal(resp.Proto, resp.Status, err)
			}
			resp.Body.Close()
		}
		b.Run(version+"/net/http", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ask(b, bare)
			}
		})
		recorded := func(name string, ask func(b *testing.B, transport http.RoundTripper)) {
			b.Run(version+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				var recorder *cassettes.Recorder
				for n := 0; b.Loop(); n++ {
					if n%100 == 0 { // as long as a run
						recorder = &cassettes.Recorder{Transport: bare}
					}
					ask(b, recorder)
				}
			})
		}
		recorded("recorded", ask)
		recorded("driver", func(b *testing.B, transport http.RoundTripper) {
			client := &ucwa.Client{Token: own.Token, HTTP: &http.Client{Transport: transport}}
			if res, err := client.Do(b.Context(), http.MethodGet, link, nil); err != nil || res.Status != http.StatusOK {
				b.Fatal(res, err)
			}
		})
	}
}
