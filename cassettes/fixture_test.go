package cassettes

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"gopkg.in/dnaeon/go-vcr.v3/cassette"
	"gopkg.in/dnaeon/go-vcr.v3/recorder"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// exchange returns an answered exchange with the fields that matter in most tests.
func exchange(method, url, sent string, code int, received string) Exchange {
	return Exchange{Interaction: &Interaction{
		Request: cassette.Request{
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "ucwa.example",
			ContentLength: int64(len(sent)), Body: sent, URL: url, Method: method,
			Headers: http.Header{"Accept": {"application/json"}},
		},
		Response: cassette.Response{
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Code: code, Status: http.StatusText(code),
			ContentLength: int64(len(received)), Body: received,
			Headers: http.Header{"Content-Type": {"application/json"}},
		},
	}}
}

func get(url, received string) Exchange { return exchange("GET", url, "", 200, received) }

func failed(x Exchange, why string) Exchange {
	x.Failure = why
	x.Response = cassette.Response{}
	return x
}

// tape returns a cassette named "tape" with exchanges numbered from 1.
func tape(exchanges ...Exchange) *Cassette {
	for i := range exchanges {
		exchanges[i].ID = i + 1
	}
	return &Cassette{Name: "tape", Exchanges: exchanges}
}

func encode(t testing.TB, c *Cassette) []byte {
	t.Helper()
	content, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func read(t testing.TB, content string) *Cassette {
	t.Helper()
	c, err := Read("tape.yaml", strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stockFile writes content where go-vcr finds it under the name returned: it adds ".yaml" itself.
func stockFile(t testing.TB, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "tape")
	if err := os.WriteFile(name+".yaml", content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// stockReplayer returns go-vcr's own transport over content.
func stockReplayer(t testing.TB, content []byte) *recorder.Recorder {
	t.Helper()
	r, err := recorder.NewWithOptions(&recorder.Options{
		CassetteName: stockFile(t, content), Mode: recorder.ModeReplayOnly, SkipRequestLatency: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func request(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return req
}
