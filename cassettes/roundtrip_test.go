package cassettes

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// nasty are strings that YAML loses or refuses if they are written carelessly.
var nasty = []string{
	"", " ", "\n", "\n{\"a\":1}", "\tfoo\nbar\n", "a\r\nb\rc", "trailing \n ", "  leading", "<<", "~", "null", "yes", "0x1F", "1_000",
	"---", "...", "- item", "? key", "key: value", "# comment", "&anchor", "*alias", "!!binary", "%YAML", "'", `"`, `\`, `\n`, `\u0041`,
	"\x00", "\x01\x1f\x7f", "\u0080\u0085\u009f", "\u00a0", "\u2028\u2029", "\ufeff", "\ufffd", "\ufffe\uffff", "\U0010ffff", "\ue000",
	"\xff\xfe", "half \xe2\x82", "\xed\xa0\x80", "👩‍👩‍👧 emoji", "日本語", strings.Repeat("long ", 5000), strings.Repeat("\x00\xff", 3000),
	"2013-01-17T00:00:00Z", "{}", "[]", "{{", "]", "interactions:\n- id: 9",
}

// everywhere returns an exchange that has s in every place for a string that can hold it.
func everywhere(s string) Exchange {
	values := map[string][]string{"k": {s}}
	if s != "" {
		values[s] = []string{s, ""}
		values["empty"] = nil
	}
	return Exchange{Interaction: &Interaction{
		Request: cassette.Request{
			Proto: s, ContentLength: -1, TransferEncoding: []string{s}, Trailer: values, Host: s, RemoteAddr: s, RequestURI: s,
			Body: s, Form: url.Values(values), Headers: http.Header(values), URL: "https://ucwa.example/", Method: "GET" + s,
		},
		Response: cassette.Response{
			Proto: s, ProtoMajor: 2, TransferEncoding: []string{s, s}, Trailer: values, ContentLength: -1, Uncompressed: true,
			Body: s, Headers: values, Status: s, Code: 200, Duration: 1234567 * time.Microsecond,
		},
	}}
}

func checkRoundTrip(t *testing.T, c *Cassette) {
	t.Helper()
	content := encode(t, c)
	ours := read(t, string(content))
	stock, err := cassette.Load(stockFile(t, content))
	if err != nil {
		t.Fatalf("go-vcr cannot load it: %v\n%.2000s", err, content)
	}
	if len(stock.Interactions) != len(c.Exchanges) || len(ours.Exchanges) != len(c.Exchanges) {
		t.Fatalf("%d exchanges became %d here and %d in go-vcr", len(c.Exchanges), len(ours.Exchanges), len(stock.Interactions))
	}
	for i, x := range c.Exchanges {
		want := x.clone()
		if !reflect.DeepEqual(want, ours.Exchanges[i]) {
			t.Errorf("read here: %.300q, want %.300q", ours.Exchanges[i].Response.Body, x.Response.Body)
		}
		if loaded := (Exchange{Interaction: stock.Interactions[i]}).clone(); !reflect.DeepEqual(want, loaded) {
			t.Errorf("loaded by go-vcr: %.300q, want %.300q", loaded.Response.Body, want.Response.Body)
		}
	}
}

func TestNastyStringsRoundTrip(t *testing.T) {
	for _, s := range nasty {
		checkRoundTrip(t, tape(everywhere(s)))
	}
}

func TestProvenanceRoundTrip(t *testing.T) {
	c := tape(get("https://ucwa.example/1", "{}"), failed(exchange("POST", "https://ucwa.example/2", "x", 0, ""), "connection refused"), get("https://ucwa.example/3", ""))
	cut := get("https://ucwa.example/4", "half")
	cut.ID, cut.Failure = 4, "unexpected EOF"
	c.Exchanges = append(c.Exchanges, cut)
	c.Provenance = Provenance{
		Kind: "live", RecordedAt: time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600)), Tool: "conform 0.1.0", Server: "\n\t<<",
		Source: "https://ucwa.example", Task: "set-presence", Ledger: "7", Absent: []string{"photo", ""}, Repairs: []string{"one: two"},
		Redaction: Redaction{Version: 1, Rules: []string{"cookies"}},
	}
	got := read(t, string(encode(t, c)))
	want := c.Provenance
	if !got.Provenance.RecordedAt.Equal(want.RecordedAt) {
		t.Errorf("recordedAt %v, want %v", got.Provenance.RecordedAt, want.RecordedAt)
	}
	want.RecordedAt, want.SHA256, want.Covers = got.Provenance.RecordedAt, got.SHA256, "file"
	if !reflect.DeepEqual(want, got.Provenance) || len(got.SHA256) != 64 {
		t.Errorf("provenance %+v, want %+v", got.Provenance, want)
	}
	for i, x := range c.Exchanges {
		if !reflect.DeepEqual(x.clone(), got.Exchanges[i]) {
			t.Errorf("exchange %d: read %+v, want %+v", i+1, got.Exchanges[i], x)
		}
	}
}

func TestSameCassetteSameBytes(t *testing.T) {
	c := tape(everywhere("k1"), everywhere("k2"))
	first := encode(t, c)
	for range 20 {
		if string(encode(t, c)) != string(first) {
			t.Fatal("two encodings of one cassette differ")
		}
	}
	if again := encode(t, read(t, string(first))); string(again) != string(first) {
		t.Errorf("encoded, read and encoded again:\n%s\nwant:\n%s", again, first)
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, s := range nasty {
		if len(s) < 1000 {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) { checkRoundTrip(t, tape(everywhere(s))) })
}

func FuzzRead(f *testing.F) {
	c := tape(everywhere("seed"), failed(get("https://ucwa.example/", ""), "refused"))
	c.Provenance = Provenance{Kind: "live", RecordedAt: time.Unix(0, 0), Repairs: []string{"a"}, Redaction: Redaction{Version: 1, Rules: []string{"r"}}}
	f.Add(encode(f, c))
	for _, bad := range badFiles {
		f.Add([]byte(bad.content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := Read("fuzzed", strings.NewReader(string(content)))
		if err != nil {
			if err.Error() == "" || c != nil {
				t.Fatalf("refused with %v and %v", err, c)
			}
			return
		}
		again, err := c.Encode()
		if err != nil {
			t.Fatalf("what loads cannot be encoded: %v\n%s", err, content)
		}
		if _, err := Read("again", strings.NewReader(string(again))); err != nil {
			t.Fatal(err)
		}
		NewReplayer(c.Redacted())
	})
}
