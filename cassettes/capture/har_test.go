package capture

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

const (
	harHead = `{"log":{"version":"1.2","creator":{"name":"x","version":"1"},"entries":[`
	harTail = `]}}`
	// entry is a GET on the application, with what a test puts in.
	entry = `{"startedDateTime":"2026-03-02T09:15:0%d.000Z","time":10,"request":{"method":"GET","url":"https://pool.example/ucwa/oauth/v1/applications/101","headers":[]},"response":{"status":200,"headers":[],"content":%s}}`
)

func entryWith(second int, content string) string { return fmt.Sprintf(entry, second, content) }

func readString(t *testing.T, s string) *Capture {
	t.Helper()
	c, err := Read("x.har", strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestHARBodies reads a body in the forms in which tools keep it.
func TestHARBodies(t *testing.T) {
	wide := func(s string) string {
		text, err := json.Marshal(strings.Join(strings.Split(s, ""), "\x00") + "\x00")
		if err != nil {
			t.Fatal(err)
		}
		return `{"text":` + string(text) + `}`
	}
	for name, test := range map[string]struct{ content, body, lost string }{
		"plain":             {`{"text":"{\"rel\":\"x\"}"}`, `{"rel":"x"}`, ""},
		"base64":            {`{"text":"eyJyZWwiOiJ4In0=","encoding":"base64"}`, `{"rel":"x"}`, ""},
		"base64 on lines":   {`{"text":"eyJyZWwi\r\nOiJ4In0=","encoding":"BASE64"}`, `{"rel":"x"}`, ""},
		"base64 of the web": {`{"text":"Pz8_","encoding":"base64"}`, `???`, ""},
		"no base64":         {`{"text":"{\"rel\":\"x\"}","encoding":"base64"}`, `{"rel":"x"}`, ""},
		"UTF-16":            {wide(`{"rel":"x"}`), `{"rel":"x"}`, ""},
		"not UTF-16":        {`{"text":"a\u0000b\u0000\u0000\u0000"}`, "a\x00b\x00\x00\x00", ""},
		"missing":           {`{"size":100}`, "", "the capture does not hold the body of the answer"},
		"cut by the tool":   {`{"size":100,"mimeType":"application/json","text":"{\"rel\":"}`, `{"rel":`, "the capture holds 7 bytes of a body of 100"},
		"no JSON":           {`{"size":7,"mimeType":"application/json","text":"{\"rel\":"}`, `{"rel":`, ""},
		"null":              {`{"size":100,"text":null}`, "", "the capture does not hold the body of the answer"},
		"empty":             {`{"size":0}`, "", ""},
		"unmarked base64":   {`{"mimeType":"application/json","text":"eyJyZWwiOiJ4In0="}`, `{"rel":"x"}`, ""},
		"empty text":        {`{"size":0,"text":""}`, "", ""},
		"evicted":           {`{"size":100,"text":""}`, "", "the capture does not hold the body of the answer"},
		"nothing":           {`{}`, "", "the capture does not hold the body of the answer"},
		"null content":      {`null`, "", "the capture does not hold the body of the answer"},
		"a number":          {`{"text":7}`, "7", ""},
		"a NUL":             {`{"text":"{\"note\":\"\u0000\"}"}`, "{\"note\":\"\x00\"}", ""},
		"too long":          {`{"text":"` + strings.Repeat("x", maxText+1) + `"}`, "", "the capture does not hold the body of the answer"},
		"escapes":           {`{"text":"` + strings.Repeat(`\\`, 300_000) + `\""}`, strings.Repeat(`\`, 300_000) + `"`, ""},
	} {
		x := readString(t, harHead+entryWith(1, test.content)+harTail).Exchanges[0]
		if lost := x.Response.ContentLength > int64(len(x.Response.Body)); x.Response.Body != test.body || x.Failure != "" || lost != (test.lost != "") {
			t.Errorf("%s: %.100q, failure %q, length %d", name, x.Response.Body, x.Failure, x.Response.ContentLength)
		}
	}
}

// TestHAREntries reads what stands in a file beside the ordinary.
func TestHAREntries(t *testing.T) {
	one, two := entryWith(1, `{"text":"1"}`), entryWith(2, `{"text":"2"}`)
	for name, test := range map[string]struct {
		file, bodies string
		notes        []string
	}{
		"in order":       {harHead + one + "," + two + harTail, "1 2", nil},
		"pending":        {harHead + strings.Replace(strings.Replace(two, `"time":10`, `"time":9000`, 1), `applications/101"`, `applications/101/events?ack=1"`, 1) + "," + entryWith(5, `{"text":"5"}`) + harTail, "5 2", nil},
		"out of order":   {harHead + two + "," + one + harTail, "1 2", nil},
		"spread":         {"\ufeff \n{ \"_x\" : [ {} , 1.5e3 , true ] , \"log\" : { \"_y\":{\"entries\":[]}, \"entries\" : [ " + one + " \n , " + two + " ] , \"version\":\"1.1\" } , \"comment\":\"\" } ", "1 2", nil},
		"cut off":        {harHead + one + "," + two[:len(two)-20], "1", []string{"the HAR is cut off after entry 1: what came behind it is not judged"}},
		"cut off behind": {harHead + one + "," + two, "1 2", []string{"the HAR is cut off after entry 2: what came behind it is not judged"}},
		"NUL at the end": {harHead + one + "," + two[:50] + strings.Repeat("\x00", 4096), "1", []string{"the HAR is cut off after entry 1: what came behind it is not judged"}},
		"broken":         {harHead + one + ",, " + two + harTail, "1", []string{"the HAR is broken after entry 1 (expected a value, found ,): what stands behind it is not judged"}},
		"nested": {harHead + one + "," + `{"request":` + strings.Repeat("[", 300), "1",
			[]string{"the HAR is broken after entry 1 (is nested deeper than 200): what stands behind it is not judged"}},
		"an entry of another kind": {harHead + one + `,7,` + two + harTail, "1 2", []string{"entry 2 cannot be read (json: cannot unmarshal number into Go value of type capture.harEntry): it is not judged"}},
		"an entry without":         {harHead + one + `,{},` + two + harTail, "1 2", []string{"entry 2 has no request: it is not judged"}},
		"UTF-16":                   {utf16LE(harHead + one + "," + two + harTail), "1 2", nil},
	} {
		c := readString(t, test.file)
		var bodies []string
		for _, x := range c.Exchanges {
			bodies = append(bodies, x.Response.Body)
		}
		if strings.Join(bodies, " ") != test.bodies {
			t.Errorf("%s: %q", name, bodies)
		}
		if d := cmp.Diff(test.notes, c.Notes); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func utf16LE(s string) string {
	var b bytes.Buffer
	for _, unit := range append([]uint16{0xfeff}, utf16.Encode([]rune(s))...) {
		b.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return b.String()
}

func TestRefused(t *testing.T) {
	for name, test := range map[string]struct{ content, want string }{
		"nothing":     {"", "x: is empty: capture again, and save when the capture is over"},
		"other JSON":  {`{"openapi":"3.0"}`, `x: is JSON, but no HAR: expected an object "log" with a list "entries"`},
		"no entries":  {`{"log":{"entries":{}}}`, `x: is JSON, but no HAR: expected an object "log" with a list "entries"`},
		"no JSON":     {`{"log":{"entries":[hello]}}x`, "entries"},
		"cut early":   {harHead + entry[:100], "x: is a HAR that is cut off before the end of its first entry: save it again"},
		"cut in head": {`{"log":{"ver`, "x: is a HAR that is cut off before the end of its first entry: save it again"},
		"gzip":        {"\x1f\x8b\x08\x00", "x: is compressed by gzip: unpack it first, for example by `gzip -d`"},
		"pcap":        {"\xd4\xc3\xb2\xa1\x02\x00", "x: is a capture of packets (pcap), which shows no HTTP below TLS: capture with a proxy or in the browser, and save as HAR"},
		"flows":       {"3851:9:websocket;0:~", "x: is a flow file of mitmproxy: make a HAR of it by `mitmdump -nr FILE --set hardump=FILE.har`, and with -s har_dump.py before version 10"},
		"XML":         {"<?xml version='1.0'?>", "x: is XML or HTML: expected HAR, Fiddler's archive (SAZ) or a cassette of go-vcr; export as HAR"},
		"NULs":        {"\x00\x00\x00\x00", "x: is of no known format: expected HAR, Fiddler's archive (SAZ) or a cassette of go-vcr; a session of Charles can be exported as HAR"},
		"words":       {"hello", "x: is of no known format: expected HAR, Fiddler's archive (SAZ) or a cassette of go-vcr"},
		"a cassette":  {"version: 3\ninteractions: []\n", "x:1: version: is 3: expected 2, the format of go-vcr v3; record it again"},
	} {
		if name == "no JSON" {
			if c, err := Read("x", strings.NewReader(test.content)); err != nil || len(c.Exchanges) > 0 || len(c.Notes) != 1 {
				t.Errorf("%s: %v %v", name, c, err)
			}
			continue
		}
		if _, err := Read("x", strings.NewReader(test.content)); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := errors.New("the disk is gone")
	if _, err := Read("x", io.MultiReader(strings.NewReader(harHead+strings.Repeat(" ", 1<<20)), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("a failure to read became %v", err)
	}
}

// TestSieve keeps what is UCWA's, wherever it stands in the file, and what carries a token.
func TestSieve(t *testing.T) {
	at := func(url, more string) string {
		return fmt.Sprintf(`{"startedDateTime":"2026-03-02T09:15:00Z","request":{"method":"GET","url":%q,"headers":[]},"response":{"status":200,"headers":[{"name":"Content-Type","value":"application/json"}],"content":{"text":"{}"}}%s}`, url, more)
	}
	with := func(url, body string) string {
		return strings.Replace(at(url, ""), `"text":"{}"`, `"text":`+fmt.Sprintf("%q", body), 1)
	}
	c := readString(t, harHead+strings.Join([]string{
		at("https://pool.example/odd/path", ""), // before the host is known
		strings.Replace(at("https://pool.example/logo", ""), "application/json", "image/png", 1),
		at("https://other.example/odd/path", ""),     // never known
		at("https://elsewhere.example/", ""),         // the link stands behind it
		at("https://cdn.example/x?t=cwt%3dAAEB", ""), // carries a token
		at("https://pool.example/ucwa/oauth/v1/applications/1", ""),
		at("https://pool.example/more", ""),
		with("https://pool.example/ucwa/x", `{"_links":{"applications":{"href":"https:\/\/elsewhere.example\/a"}}}`),
		at("https://pool.example/", `,"_fromCache":"memory"`),
		at("https://pool.example/ucwa/socket", `,"_webSocketMessages":[{"data":"x"}]`),
	}, ",")+harTail)
	var urls []string
	for _, x := range c.Exchanges {
		urls = append(urls, strings.TrimPrefix(x.Request.URL, "https://"))
	}
	want := []string{"pool.example/odd/path", "elsewhere.example/", "cdn.example/x?t=cwt%3dAAEB", "pool.example/ucwa/oauth/v1/applications/1", "pool.example/more", "pool.example/ucwa/x", "pool.example/"}
	if d := cmp.Diff(want, urls); d != "" {
		t.Error(d)
	}
	if c.Seen != 9 || len(c.Hosts) != 4 || c.Hosts[0] != "pool.example" {
		t.Errorf("%d seen, hosts %q", c.Seen, c.Hosts)
	}
	none := readString(t, harHead+at("https://other.example/", "")+harTail)
	if len(none.Exchanges) != 0 || none.Seen != 1 || none.Hosts[0] != "other.example" {
		t.Errorf("of a capture without UCWA: %+v", none)
	}
	if empty := readString(t, harHead+harTail); empty.Seen != 0 || len(empty.Exchanges) != 0 {
		t.Errorf("of an empty capture: %+v", empty)
	}
}

// TestBounds refuses more than is kept, and says what found no room while it waited.
func TestBounds(t *testing.T) {
	other := strings.ReplaceAll(entryWith(1, `{"text":"`+strings.Repeat("x", 3<<20)+`"}`), "/ucwa/", "/odd/")
	c := readString(t, harHead+strings.Repeat(other+",", 7)+entryWith(2, `{"size":0,"text":""}`)+harTail)
	if want := "2 exchanges on pool.example are not judged: they stand before the first that shows UCWA there, and were too many to wait for it"; len(c.Exchanges) != 6 || len(c.Notes) != 1 || c.Notes[0] != want {
		t.Errorf("%d exchanges, %q", len(c.Exchanges), c.Notes)
	}
	for name, repeated := range map[string]string{"bytes": entryWith(1, `{"text":"`+strings.Repeat("x", 4<<20)+`"}`), "exchanges": entryWith(1, `{"size":0}`)} {
		source := &endless{left: 70 << 20, parts: []string{repeated + ","}}
		if _, err := Read("x", io.MultiReader(strings.NewReader(harHead), source)); err == nil || !strings.Contains(err.Error(), "more than 20000 exchanges of UCWA in it, or more than 64 MiB") {
			t.Errorf("too many %s: %v", name, err)
		}
	}
}

// endless is a HAR of a given size that stands nowhere: films, fonts and pages, and UCWA now and then.
type endless struct {
	left  int
	parts []string
	n     int
	rest  string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		switch {
		case e.n < 0:
			return 0, io.EOF
		case e.left <= 0:
			e.rest, e.n = entryWith(9, `{"text":"last"}`)+harTail, -1
		default:
			e.rest = e.parts[e.n%len(e.parts)]
			e.left -= len(e.rest)
			e.n++
		}
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// TestMemory reads a HAR of 100 MB, or as large as HAR_MEGABYTES says, and holds the heap below 300 MiB.
func TestMemory(t *testing.T) {
	megabytes := 100
	if text := os.Getenv("HAR_MEGABYTES"); text != "" {
		if _, err := fmt.Sscan(text, &megabytes); err != nil {
			t.Fatalf("HAR_MEGABYTES: %v", err)
		}
	}
	c, peak := readEndless(t, megabytes)
	if peak > 300<<20 {
		t.Errorf("the heap took %d MiB", peak>>20)
	}
	t.Logf("%d MB: %d exchanges of %d, the heap took up to %d MiB", megabytes, len(c.Exchanges), c.Seen, peak>>20)
}

// BenchmarkHAR reads a HAR of 500 MB.
func BenchmarkHAR(b *testing.B) {
	most := uint64(0)
	for b.Loop() {
		_, peak := readEndless(b, 500)
		most = max(most, peak)
	}
	b.ReportMetric(float64(most)/(1<<20), "peak-MiB")
}

// readEndless reads a HAR of so many MB, most of it of others, and returns the peak of the heap, in bytes.
func readEndless(t testing.TB, megabytes int) (c *Capture, peak uint64) {
	t.Helper()
	other := strings.ReplaceAll(entryWith(1, `{"mimeType":"video/mp4","encoding":"base64","text":"%s"}`), "pool.example/ucwa", "cdn.example/films")
	page := strings.Repeat(`<p class=\"x\">\u00e9\n</p>`, 40_000)
	source := &endless{left: megabytes << 20, parts: []string{
		fmt.Sprintf(other, strings.Repeat("QUFB", 10<<20/4)) + ",",
		fmt.Sprintf(strings.ReplaceAll(other, "video/mp4", "text/html"), page) + ",",
		entryWith(2, `{"text":"{}"}`) + ",",
	}}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(200 << 20)) // as the command does
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	probe := readerFunc(func(p []byte) (int, error) {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		peak = max(peak, stats.HeapSys-stats.HeapReleased)
		return source.Read(p)
	})
	c, err := Read("endless.har", io.MultiReader(strings.NewReader(harHead), probe))
	if err != nil {
		t.Fatal(err)
	}
	if last := c.Exchanges[len(c.Exchanges)-1]; last.Response.Body != "last" || len(c.Notes) > 0 {
		t.Errorf("not read to the end: %+v, %q", last, c.Notes)
	}
	return c, peak
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// FuzzRead holds that no content makes a reader panic, or a cassette that cannot be kept.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"chrome.har", "firefox.har", "charles.har", "gopkg-v1.yaml", "gopkg-v4.yaml"} {
		content, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add(archiveOf("raw/1_c.txt", "GET https://lyncdiscover.contoso.com/ HTTP/1.1\r\nHost: x\r\n\r\n", "raw/1_s.txt", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "raw/1_m.xml", times(1, 2)))
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := Read("fuzz", bytes.NewReader(content))
		if err != nil {
			return
		}
		if len(c.Exchanges) > c.Seen {
			t.Errorf("%d exchanges of %d", len(c.Exchanges), c.Seen)
		}
		kept(t, c)
	})
}

// FuzzMessage reads what stands in the files of an archive.
func FuzzMessage(f *testing.F) {
	f.Add("GET /ucwa/x HTTP/1.1\r\nHost: a.example\r\n b\r\n\r\nbody", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, deflate\r\n\r\n"+zipped("x"), times(1, 2))
	f.Fuzz(func(t *testing.T, request, response, about string) {
		c, err := Read("fuzz", bytes.NewReader(archiveOf("raw/1_c.txt", request, "raw/1_s.txt", response, "raw/1_m.xml", about)))
		if err != nil {
			t.Fatal(err)
		}
		kept(t, c)
	})
}

// kept: what was read can be written, unless nothing was answered.
func kept(t *testing.T, c *Capture) {
	t.Helper()
	if _, err := c.Encode(); err != nil && !strings.Contains(err.Error(), "no exchange was answered") {
		t.Errorf("it cannot be kept: %v", err)
	}
}
