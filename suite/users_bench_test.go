package suite

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"runtime"
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

// BenchmarkUsers gathers evidence of 1,000 users of 200 pools at once, and judges each. With -short it is of 50.
func BenchmarkUsers(b *testing.B) {
	count := 200
	if testing.Short() {
		count = 10
	}
	for b.Loop() {
		b.StopTimer()
		targets := pools(b, count)
		before := heap()
		b.StartTimer()
		began := time.Now()
		list := Gather(b.Context(), targets...)
		gathered := time.Since(began)
		kept := heap() - before
		judging := time.Now()
		for _, e := range list {
			results, err := Examine(e)
			if err != nil {
				b.Fatal(err)
			}
			for _, r := range results {
				if r.Verdict == "fail" || r.Verdict == "error" {
					b.Fatalf("%s: %s %s", e.Source, r.Requirement, r.Reason)
				}
			}
		}
		users := float64(len(targets))
		b.ReportMetric(gathered.Seconds()*1000/users, "gather-ms/user")
		b.ReportMetric(time.Since(judging).Seconds()*1000/users, "judge-ms/user")
		b.ReportMetric(float64(kept)/(1<<20)/users, "MiB/user")
		runtime.KeepAlive(list)
	}
}

// heap returns how many bytes are in use once all is collected that can be.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
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
