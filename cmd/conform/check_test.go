package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/capture"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// foreignReference returns the reference recording as somebody else's client: nothing
// marks it as conform's.
func foreignReference() (*cassettes.Cassette, error) {
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		return nil, err
	}
	c = c.Redacted()
	c.Provenance = cassettes.Provenance{}
	for _, x := range c.Exchanges {
		if slices.ContainsFunc(x.Request.Headers["User-Agent"], func(v string) bool { return strings.HasPrefix(v, "conform") }) {
			x.Request.Headers["User-Agent"] = []string{"somebody/1.0"}
		}
	}
	return c, nil
}

// asHAR writes a recording as a browser saves it, with an entry of another site after each.
func asHAR(c *cassettes.Cassette) []byte {
	type pair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	fields := func(h http.Header) []pair {
		list := []pair{}
		for _, name := range slices.Sorted(maps.Keys(h)) {
			for _, value := range h[name] {
				list = append(list, pair{name, value})
			}
		}
		return list
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var entries []any
	add := func(x cassettes.Exchange) {
		request := map[string]any{"method": x.Request.Method, "url": x.Request.URL, "httpVersion": x.Request.Proto, "headers": fields(x.Request.Headers),
			"queryString": []any{}, "cookies": []any{}, "headersSize": -1, "bodySize": len(x.Request.Body)}
		if x.Request.Body != "" {
			request["postData"] = map[string]any{"mimeType": strings.Join(x.Request.Headers["Content-Type"], ""), "text": x.Request.Body}
		}
		content := map[string]any{"size": len(x.Response.Body), "mimeType": strings.Join(x.Response.Headers["Content-Type"], ""), "encoding": "base64",
			"text": base64.StdEncoding.EncodeToString([]byte(x.Response.Body))}
		if x.Failure != "" { // the body was lost
			content = map[string]any{"size": 100}
		}
		entries = append(entries, map[string]any{"startedDateTime": at.Format(time.RFC3339Nano), "time": float64(x.Response.Duration) / 1e6, "request": request,
			"response": map[string]any{"status": x.Response.Code, "statusText": strings.TrimPrefix(x.Response.Status, fmt.Sprint(x.Response.Code, " ")), "httpVersion": x.Response.Proto,
				"headers": fields(x.Response.Headers), "redirectURL": "", "headersSize": -1, "bodySize": -1, "cookies": []any{},
				"content": content},
			"cache": map[string]any{}, "timings": map[string]any{}, "_resourceType": "xhr"})
		at = at.Add(x.Response.Duration + time.Millisecond)
	}
	other := cassettes.Exchange{Interaction: new(cassettes.Interaction)}
	other.Request.Method, other.Request.URL, other.Response.Code = "GET", "https://metrics.example/beat.gif", 200
	for _, x := range c.Exchanges {
		add(x)
		add(other)
	}
	slices.Reverse(entries) // the order in a file is no order
	content, err := json.Marshal(map[string]any{"log": map[string]any{"version": "1.2", "creator": map[string]any{"name": "WebInspector", "version": "537.36"}, "pages": []any{}, "entries": entries}})
	if err != nil {
		panic(err) // of plain values: impossible
	}
	return content
}

// asSAZ writes a recording as Fiddler saves it: the bodies of answers chunked and in gzip, as they were on the wire.
func asSAZ(c *cassettes.Cassette) []byte {
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	add := func(name, content string) {
		w, err := archive.Create(name)
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			panic(err) // into memory: impossible
		}
	}
	fields := func(b *strings.Builder, h http.Header, but ...string) {
		for _, name := range slices.Sorted(maps.Keys(h)) {
			for _, value := range h[name] {
				if !slices.Contains(but, name) {
					fmt.Fprintf(b, "%s: %s\r\n", name, value)
				}
			}
		}
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const layout = "2006-01-02T15:04:05.0000000Z07:00"
	add("[Content_Types].xml", `<?xml version="1.0" encoding="utf-8" ?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"></Types>`)
	for i, x := range c.Exchanges {
		var request, response strings.Builder
		fmt.Fprintf(&request, "%s %s HTTP/1.1\r\n", x.Request.Method, x.Request.URL)
		fields(&request, x.Request.Headers)
		request.WriteString("\r\n" + x.Request.Body)
		fmt.Fprintf(&response, "HTTP/1.1 %s\r\n", x.Response.Status)
		var zipped bytes.Buffer
		if x.Response.Uncompressed && x.Response.Body != "" {
			fields(&response, x.Response.Headers)
			response.WriteString("Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
			w := gzip.NewWriter(&zipped)
			_, _ = w.Write([]byte(x.Response.Body))
			_ = w.Close()
			fmt.Fprintf(&response, "%x\r\n%s\r\n0\r\n\r\n", zipped.Len(), zipped.String())
		} else {
			fields(&response, x.Response.Headers)
			response.WriteString("\r\n" + x.Response.Body)
		}
		n := fmt.Sprintf("raw/%02d_", i+1)
		add(n+"c.txt", request.String())
		add(n+"m.xml", fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?><Session SID="%d" BitFlags="59"><SessionTimers ClientConnected="%[2]s" ClientBeginRequest="%[2]s" ServerDoneResponse="%[3]s" ClientDoneResponse="%[3]s" /><SessionFlags><SessionFlag N="x-processinfo" V="chrome:1234" /></SessionFlags></Session>`,
			i+1, at.Format(layout), at.Add(x.Response.Duration).Format(layout)))
		add(n+"s.txt", response.String())
		at = at.Add(x.Response.Duration + time.Millisecond)
	}
	if err := archive.Close(); err != nil {
		panic(err)
	}
	return file.Bytes()
}

// capturedas har|saz FILE [EMBEDDED]: writes a recording, or the reference one, in the form of another tool.
func capturedAs(ts *testscript.TestScript, _ bool, args []string) {
	c, err := foreignReference()
	if len(args) > 2 {
		c, err = cassettes.Open(args[2])
	}
	ts.Check(err)
	write := map[string]func(*cassettes.Cassette) []byte{"har": asHAR, "saz": asSAZ}[args[0]]
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), write(c), 0o600))
}

// loadstock FILE: holds that stock go-vcr v3 loads a cassette.
func loadStock(ts *testscript.TestScript, _ bool, args []string) {
	c, err := cassette.Load(strings.TrimSuffix(ts.MkAbs(args[0]), ".yaml"))
	ts.Check(err)
	if len(c.Interactions) == 0 {
		ts.Fatalf("%s has no interaction", args[0])
	}
}

// TestSameVerdicts holds that a recording has the verdicts that it has as a cassette when it was captured by another tool.
func TestSameVerdicts(t *testing.T) {
	c, err := foreignReference()
	if err != nil {
		t.Fatal(err)
	}
	want := verdictsOf(t, c)
	passes := 0
	for _, v := range want {
		if v == reports.Pass {
			passes++
		}
	}
	if passes < 100 {
		t.Fatalf("only %d passes: the reference recording is not recognised", passes)
	}
	for name, write := range map[string]func(*cassettes.Cassette) []byte{"har": asHAR, "saz": asSAZ} {
		read, err := capture.Read("x", bytes.NewReader(write(c)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(read.Exchanges) != len(c.Exchanges) || len(read.Notes) > 0 {
			t.Errorf("%s: %d exchanges of %d; %q", name, len(read.Exchanges), len(c.Exchanges), read.Notes)
		}
		got := verdictsOf(t, read.Cassette)
		if len(got) != len(want) {
			t.Errorf("%s: %d verdicts, %d of the cassette", name, len(got), len(want))
		}
		for id, v := range want {
			if got[id] != v {
				t.Errorf("%s: %s: %s, and %s in the cassette", name, id, got[id], v)
			}
		}
	}
}

// verdictsOf returns the verdicts on each client in a recording, by its number and the requirement.
func verdictsOf(t *testing.T, c *cassettes.Cassette) map[string]reports.Verdict {
	t.Helper()
	list, err := suite.Locate(c, suite.Tasks()...)
	if err != nil {
		t.Fatal(err)
	}
	verdicts := map[string]reports.Verdict{}
	for i, e := range list {
		results, err := suite.Examine(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			verdicts[fmt.Sprintf("client %d, %s", i+1, r.Requirement)] = r.Verdict
		}
	}
	return verdicts
}

// TestLossy holds that what a capture does not keep fails nobody: what passes in the whole recording passes without it, or
// is not judged.
func TestLossy(t *testing.T) {
	drop := func(h http.Header, names ...string) {
		maps.DeleteFunc(h, func(name string, _ []string) bool { return slices.Contains(names, name) })
	}
	for name, lose := range map[string]func(x *cassettes.Exchange){
		"sanitized, as Chrome does it": func(x *cassettes.Exchange) {
			drop(x.Request.Headers, "Authorization", "Cookie")
			drop(x.Response.Headers, "Set-Cookie")
		},
		"no Host, no Content-Length": func(x *cassettes.Exchange) { drop(x.Request.Headers, "Host", "Content-Length") },
		"provisional headers":        func(x *cassettes.Exchange) { clear(x.Request.Headers) },
		"no bodies of requests": func(x *cassettes.Exchange) {
			if x.Request.Body != "" {
				x.Request.Headers["Content-Length"] = []string{fmt.Sprint(len(x.Request.Body))}
			}
			x.Request.Body = ""
		},
		"no bodies of answers": func(x *cassettes.Exchange) {
			if x.Response.Body != "" {
				x.Response.Body, x.Failure = "", "lost" // asHAR leaves the text out
			}
		},
		"HTTP/2": func(x *cassettes.Exchange) {
			x.Request.Proto, x.Response.Proto = "HTTP/2.0", "HTTP/2.0"
			for _, h := range []http.Header{x.Request.Headers, x.Response.Headers} {
				for name, values := range maps.Clone(h) {
					delete(h, name)
					h[strings.ToLower(name)] = values
				}
			}
			x.Request.Headers[":authority"] = x.Request.Headers["host"]
			delete(x.Request.Headers, "host")
			delete(x.Request.Headers, "connection")
		},
	} {
		c, err := foreignReference()
		if err != nil {
			t.Fatal(err)
		}
		want := verdictsOf(t, c)
		for i := range c.Exchanges {
			lose(&c.Exchanges[i])
		}
		read, err := capture.Read("x", bytes.NewReader(asHAR(c)))
		if err != nil || len(read.Exchanges) != len(c.Exchanges) {
			t.Fatalf("%s: %v", name, err)
		}
		worse := 0
		for id, v := range verdictsOf(t, read.Cassette) {
			if (v == reports.Fail || v == reports.Warn) && want[id] != v {
				t.Errorf("%s: %s: %s, and %s in the whole", name, id, v, want[id])
			}
			if want[id] == reports.Pass && v != reports.Pass {
				worse++
			}
		}
		t.Logf("%s: %d that passed are not judged", name, worse)
	}
}

// TestStarts holds that a report knows when each exchange began, where the capture tells it.
func TestStarts(t *testing.T) {
	c, err := foreignReference()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"HAR": asHAR(c), "SAZ": asSAZ(c)} {
		read, err := capture.Read("x", bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		list, err := suite.Locate(read.Cassette, suite.Tasks()...)
		if err != nil {
			t.Fatal(err)
		}
		last := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(-1)
		for _, e := range list[:1] {
			for _, x := range e.Exchanges {
				if !x.Began.After(last) {
					t.Errorf("%s: exchange %d began at %s, and the one before it at %s", name, x.ID, x.Began, last)
				}
				last = x.Began
			}
		}
	}
}
