package cassettes

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/dnaeon/go-vcr.v3/recorder"
)

// playAll sends each recorded request, and compares what comes back with what is recorded.
func playAll(t *testing.T, transport http.RoundTripper, exchanges []Exchange) {
	t.Helper()
	for _, x := range exchanges {
		if x.failed() {
			continue
		}
		resp, err := transport.RoundTrip(request(t, x.Request.Method, x.Request.URL, x.Request.Body))
		if err != nil {
			t.Fatalf("exchange %d: %v", x.ID, err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != x.Response.Body || resp.StatusCode != x.Response.Code {
			t.Errorf("exchange %d: got %d %q (%v), recorded %d %q", x.ID, resp.StatusCode, body, err, x.Response.Code, x.Response.Body)
		}
		if diff := cmp.Diff(x.Response.Headers, resp.Header); diff != "" {
			t.Errorf("exchange %d: header (-recorded +played):\n%s", x.ID, diff)
		}
	}
}

func TestStockReplaysWhatIsWrittenHere(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(zoo))
	defer server.Close()
	var r Recorder
	visitZoo(t, &r, server.URL)
	live := &Cassette{Name: "live", Exchanges: append(r.Exchanges(), failed(get("http://nobody.example/", ""), "refused"))}
	for name, c := range map[string]*Cassette{
		"live":     live,
		"redacted": live.Redacted(),
		"gaps":     {Name: "gaps", Exchanges: []Exchange{tape(failed(get("http://a.example/", ""), "refused"), get("http://a.example/", "2")).Exchanges[1]}},
	} {
		t.Run(name, func(t *testing.T) {
			content := encode(t, c)
			stock := stockReplayer(t, content)
			playAll(t, stock, c.Exchanges)
			playAll(t, NewReplayer(read(t, string(content))), c.Exchanges)
		})
	}
}

func TestStockReplaysTheEmbeddedRecordings(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			c, err := Open(name)
			if err != nil {
				t.Fatal(err)
			}
			content, err := embedded.ReadFile(name + ".yaml")
			if err != nil {
				t.Fatal(err)
			}
			playAll(t, stockReplayer(t, content), c.Exchanges)
		})
	}
}

func TestReplaysWhatStockRecords(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(zoo))
	defer server.Close()
	name := filepath.Join(t.TempDir(), "stock")
	stock, err := recorder.NewWithOptions(&recorder.Options{CassetteName: name, Mode: recorder.ModeRecordOnly})
	if err != nil {
		t.Fatal(err)
	}
	visitZoo(t, stock, server.URL)
	if err := stock.Stop(); err != nil {
		t.Fatal(err)
	}
	c, err := Open(name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Exchanges[0].ID; got != 1 {
		t.Errorf("first exchange has number %d, want 1: go-vcr's own numbers begin at 0", got)
	}
	if diff := cmp.Diff(Provenance{}, c.Provenance); diff != "" {
		t.Errorf("provenance of a file without any (-want +got):\n%s", diff)
	}
	playAll(t, NewReplayer(c), c.Exchanges)
	if err := c.Save(name + ".yaml"); err != nil {
		t.Errorf("a file by go-vcr cannot be saved here: %v", err)
	}
	if content, err := os.ReadFile(name + ".yaml"); err != nil || !strings.HasPrefix(string(content), "conform:\n  covers: \"file\"\n  sha256: \"") {
		t.Errorf("saved as %.60q (%v), want a provenance with the checksum alone", content, err)
	}
}

// zoo answers in the ways that matter to a recorder.
func zoo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Sent-User-Agent", r.UserAgent())
	switch r.URL.Path {
	case "/echo":
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusCreated)
		w.Write(body)
	case "/chunked":
		io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		io.WriteString(w, "two")
	case "/gzip":
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, `{"zipped":true}`)
		z.Close()
	case "/nothing":
		w.WriteHeader(http.StatusNoContent)
	case "/trailer":
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "4")
	case "/cut":
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "only this")
	case "/huge":
		chunk := strings.Repeat("x", 1<<16)
		for range MaxBody/len(chunk) + 1 {
			io.WriteString(w, chunk)
		}
	case "/early": // answers before the request's body is read
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	default:
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"path":"`+r.URL.Path+`"}`)
	}
}

func visitZoo(t *testing.T, transport http.RoundTripper, base string) {
	t.Helper()
	for _, visit := range [][3]string{
		{"GET", "/"}, {"GET", "/a%3db?x=1&y=2"}, {"GET", "/nothing"}, {"GET", "/gzip"}, {"GET", "/chunked"}, {"GET", "/trailer"},
		{"POST", "/echo", "\n\tfirst\r\n\x00last"}, {"POST", "/echo", `{"availability":"Online"}`},
	} {
		resp, err := transport.RoundTrip(request(t, visit[0], base+visit[1], visit[2]))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if closer, ok := transport.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
