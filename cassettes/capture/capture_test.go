package capture

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// lines tells what was read of each exchange: what it is, then what is known of both messages.
func lines(c *Capture) []string {
	var list []string
	for _, x := range c.Exchanges {
		line := fmt.Sprintf("%s %s → %d", x.Request.Method, x.Request.URL, x.Response.Code)
		if x.Failure != "" {
			line += " (" + x.Failure + ")"
		}
		list = append(list, line,
			message(x.Request.Proto, x.Request.Host, x.Request.Headers, x.Request.ContentLength, x.Request.Body),
			message(x.Response.Proto, x.Response.Duration.String(), x.Response.Headers, x.Response.ContentLength, x.Response.Body))
	}
	return list
}

func message(proto, more string, h map[string][]string, length int64, body string) string {
	text := fmt.Sprintf("  %s %s [", proto, more)
	for i, name := range slices.Sorted(maps.Keys(h)) {
		if i > 0 {
			text += "; "
		}
		text += name + ": " + strings.Join(h[name], " | ")
	}
	return text + fmt.Sprintf("] %d %s", length, body)
}

func TestRead(t *testing.T) {
	for _, test := range []struct {
		file, format, tool, recordedAt string
		seen                           int
		hosts                          []string
		lines                          []string
		notes                          []string
	}{
		{"charles.har", "HAR 1.2", "Charles Proxy 4.6.4", "2026-03-02T09:15:01Z", 2, []string{"lyncweb.contoso.com"}, []string{
			"GET https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/me → 200",
			"  HTTP/1.1 lyncweb.contoso.com [Host: lyncweb.contoso.com] 0 ",
			"  HTTP/1.1 11ms [Content-Type: application/json] -1 {\"rel\":\"me\"}",
			"POST https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/reportMyActivity → 0 (the capture holds no answer: it was broken off or blocked (context canceled))",
			"  HTTP/1.1 lyncweb.contoso.com [Content-Length: 17; Host: lyncweb.contoso.com] 17 ",
			"   0s [] 0 ",
		}, []string{"the times of 1 of 2 exchanges cannot be read: they stand behind the one before them in the file"}},
		{"chrome.har", "HAR 1.2", "WebInspector 537.36", "2026-03-02T09:15:00Z", 7, []string{"lyncweb.contoso.com", "fonts.example", "metrics.example"}, []string{
			"GET https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101 → 0 (the browser answered it from its cache (context canceled))",
			"  HTTP/2.0  [] 0 ",
			"   0s [] 0 ",
			"GET https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101 → 200",
			"  HTTP/2.0 lyncweb.contoso.com [accept: application/json; authorization: Bearer cwt=AAEBHEXAMPLE] 0 ",
			"  HTTP/2.0 42.75ms [content-type: application/json; charset=utf-8] -1 {\"rel\":\"application\"}",
			"POST https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/me/makeMeAvailable → 204",
			"  HTTP/2.0 lyncweb.contoso.com [authorization: Bearer cwt=AAEBHEXAMPLE; content-type: application/json] 37 {\"supportedModalities\":[\"Messaging\"]}",
			"  HTTP/2.0 30ms [cache-control: no-cache; content-length: 0; set-cookie: a=1; path=/ | b=2; secure] 0 ",
			"GET https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/events?ack=1 → 0 (broken off by the client: net::ERR_ABORTED (context canceled))",
			"  HTTP/2.0 lyncweb.contoso.com [accept: application/json; authorization: Bearer cwt=AAEBHEXAMPLE] 0 ",
			"   0s [] 0 ",
			"GET https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/people → 200",
			"  HTTP/2.0 lyncweb.contoso.com [] 0 ",
			"  HTTP/2.0 8ms [content-type: application/json] 4096 ",
			"POST https://metrics.example/collect?u=%2Fucwa%3Ftoken%3Dcwt%253DAAEBHEXAMPLE → 204",
			"  HTTP/1.1 metrics.example [Host: metrics.example] 0 ",
			"  HTTP/1.1 3ms [] -1 ",
		}, nil},
		{"fiddler.har", "HAR 1.2", "Fiddler 5.0.20245.10105", "2026-03-02T09:15:00Z", 1, []string{"lyncweb.contoso.com"}, []string{
			"POST https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/me/presence → 204",
			"  HTTP/1.1 lyncweb.contoso.com [Content-Length: 23; Content-Type: application/json; Host: lyncweb.contoso.com] 23 {\"availability\":\"Busy\"}",
			"  HTTP/1.1 15ms [Cache-Control: no-cache] -1 ",
		}, nil},
		{"firefox.har", "HAR 1.2", "Firefox 128.0", "2026-03-02T09:15:00Z", 2, []string{"lyncweb.contoso.com"}, []string{
			"POST https://lyncweb.contoso.com/WebTicket/oauthtoken → 200",
			"  HTTP/2.0 lyncweb.contoso.com [Content-Type: application/x-www-form-urlencoded; Host: lyncweb.contoso.com] 66 grant_type=password&username=dana%40contoso.com&password=Pass+word",
			"  HTTP/2.0 30ms [content-length: 44; content-type: application/json] 44 {\"access_token\":\"cwt=AAEB\",\"expires_in\":100}",
			"GET https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/me/note → 0 (the capture holds no answer: it was broken off or blocked (context canceled))",
			"  HTTP/1.1  [] 0 ",
			"   0s [] 0 ",
		}, nil},
		{"gopkg-v1.yaml", "a cassette of go-vcr", "go-vcr", "0001-01-01T00:00:00Z", 2, []string{"lyncweb.contoso.com", "metrics.example"}, []string{
			"POST https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/me/presence → 204",
			"  HTTP/1.1  [Authorization: Bearer cwt=AAEBHEXAMPLE; Content-Type: application/json] 23 {\"availability\":\"Busy\"}",
			"  HTTP/1.1 31.5ms [Cache-Control: no-cache] -1 ",
		}, nil},
		{"gopkg-v4.yaml", "a cassette of go-vcr", "go-vcr", "0001-01-01T00:00:00Z", 1, []string{"lyncweb.contoso.com"}, []string{
			"GET https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/me → 200",
			"  HTTP/1.1 lyncweb.contoso.com [Accept: application/json] 0 ",
			"  HTTP/2.0 31.5ms [Content-Type: application/json] 12 {\"rel\":\"me\"}",
		}, nil},
		{"mitmproxy.har", "HAR 1.2", "mitmproxy 10.4.2", "2026-03-02T09:15:00Z", 1, []string{"lyncdiscover.contoso.com"}, []string{
			"GET https://lyncdiscover.contoso.com/ → 200",
			"  HTTP/2.0  [accept: application/json] 0 ",
			"  HTTP/2.0 84.09ms [content-type: application/json] -1 {\"_links\":{}}",
		}, nil},
	} {
		t.Run(test.file, func(t *testing.T) {
			c, err := Open("testdata/" + test.file)
			if err != nil {
				t.Fatal(err)
			}
			if c.Format != test.format || c.Provenance.Tool != test.tool || c.Seen != test.seen || c.Provenance.RecordedAt.Format("2006-01-02T15:04:05Z07:00") != test.recordedAt {
				t.Errorf("read as %q by %q at %s, %d exchanges", c.Format, c.Provenance.Tool, c.Provenance.RecordedAt, c.Seen)
			}
			for _, d := range []string{cmp.Diff(test.lines, lines(c)), cmp.Diff(test.hosts, c.Hosts), cmp.Diff(test.notes, c.Notes)} {
				if d != "" {
					t.Error(d)
				}
			}
			content, err := c.Encode()
			if err != nil {
				t.Fatalf("it cannot be kept: %v", err)
			}
			if _, err := cassettes.Read("again", bytes.NewReader(content)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNumbers holds that exchanges keep the numbers that a cassette gives them, if all are kept.
func TestNumbers(t *testing.T) {
	content, err := os.ReadFile("testdata/gopkg-v4.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Read("x", bytes.NewReader(bytes.Replace(content, []byte("id: 0"), []byte("id: 7"), 1)))
	if err != nil || c.Exchanges[0].ID != 7 {
		t.Errorf("%v %v", c, err)
	}
}
