package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestServeHostile: while somebody does one of these, others are served as if nobody
// did; the memory stays bounded, and at the end nothing is left running.
func TestServeHostile(t *testing.T) {
	slow(t)
	const some = 1000
	dial := func(t *testing.T, h *testHost) net.Conn {
		c, err := tls.Dial("tcp", h.address, &tls.Config{RootCAs: h.trusted, ServerName: poolHost, MinVersion: tls.VersionTLS12})
		if err != nil {
			t.Error(err)
			return nil
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	says := func(text string) func(*testing.T, *testHost) {
		return func(t *testing.T, h *testHost) {
			if c := dial(t, h); c != nil {
				_, _ = io.WriteString(c, text)
			}
		}
	}
	request := "GET /ucwa/oauth/v1/applications HTTP/1.1\r\nHost: " + poolHost + "\r\n\r\n"
	for name, attack := range map[string]func(*testing.T, *testHost){
		"idle connections": func(t *testing.T, h *testHost) {
			for range some {
				c, err := net.Dial("tcp", h.address)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = c.Close() })
			}
		},
		"a gigabyte": func(t *testing.T, h *testHost) {
			transport := h.transport(t)
			for _, length := range []int64{1 << 30, -1} {
				r, err := http.NewRequest(http.MethodPost, "https://"+poolHost+"/WebTicket/oauthtoken", io.LimitReader(endless{}, 1<<30))
				if err != nil {
					t.Fatal(err)
				}
				r.ContentLength = length
				if res, err := transport.RoundTrip(r); err == nil {
					if res.StatusCode != 413 && res.StatusCode != 400 {
						t.Errorf("a body of 1 GiB: %s", res.Status)
					}
					res.Body.Close()
				}
			}
		},
		"a header without end": says("GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 1<<20)),
		"garbage in a row":     says(request + strings.Repeat("\x00\xff\x1b[2J\r\n", 1000)),
		"a body that crawls":   says("POST /WebTicket/oauthtoken HTTP/1.1\r\nHost: " + poolHost + "\r\nContent-Length: 1000\r\n\r\ng"),
		"a header that crawls": says("GET / HT"),
		"requests without reading": func(t *testing.T, h *testHost) {
			if c := dial(t, h); c != nil {
				_ = c.SetWriteDeadline(time.Now().Add(2 * time.Second))
				_, _ = io.WriteString(c, strings.Repeat(request, 5000))
			}
		},
		"a flood": func(t *testing.T, h *testHost) {
			c := dial(t, h)
			if c == nil {
				return
			}
			answers := bufio.NewReader(c)
			for i := range 3000 {
				fmt.Fprintf(c, "GET /ucwa/oauth/v1/applications/%d/me HTTP/1.1\r\nHost: x%d\r\nUser-Agent: flood/%d <script>\r\nAuthorization: Bearer cwt=%d\r\n\r\n", i, i, i, i)
				res, err := http.ReadResponse(answers, nil)
				if err != nil || res.StatusCode != http.StatusUnauthorized {
					t.Fatalf("request %d: %v", i, err)
				}
				_, _ = io.Copy(io.Discard, res.Body)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			h := startHost(t, wayOf)
			attack(t, h)
			for range 3 {
				p := plainClient{transport: h.transport(t), user: builtIn, agent: "Plain/1.0"}
				if err := p.work(t.Context()); err != nil {
					t.Errorf("another client: %v", err)
				}
			}
			for _, g := range h.gradesOf(t) {
				if failed := failedIn(g.results); len(failed) > 0 && g.state.Agent == "Plain/1.0" {
					t.Errorf("another client was blamed: %v", failed)
				}
			}
			if n := len(h.journal.list()); n != 3 && name != "a gigabyte" {
				t.Errorf("%d clients, expected 3", n)
			}
			var memory runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&memory)
			if memory.HeapAlloc > 300<<20 {
				t.Errorf("%d MiB are in use", memory.HeapAlloc>>20)
			}
			goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
		})
	}
}

// endless is a body without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestServeBounded: of a client that goes on for ever the first exchanges are kept, and
// the report says how many more there were.
func TestServeBounded(t *testing.T) {
	h := startHost(t, func(config *hostConfig) {
		config.limits = usualLimits
		config.limits.exchanges, config.limits.clients = 20, 2
	})
	for range 3 {
		p := plainClient{transport: h.transport(t), user: builtIn, agent: "Plain/1.0"}
		h.given(t, &p)
		for range 5 {
			_ = p.work(t.Context()) // after the first time there is no application any more
		}
	}
	grades := h.gradesOf(t)
	if len(grades) != 2 || h.journal.refused == 0 {
		t.Fatalf("%d clients, expected 2; refused: %d", len(grades), h.journal.refused)
	}
	if n := len(grades[0].state.exchanges); n > 20 {
		t.Errorf("%d exchanges were kept, expected at most 20", n)
	}
}
