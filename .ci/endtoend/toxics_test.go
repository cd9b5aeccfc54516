package endtoend

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// program is the command, built once.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "conform")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "conform")
	build := exec.Command("go", "build", "-o", program, "./cmd/conform")
	build.Dir, build.Stderr = "../..", os.Stderr
	code := 1
	if err := build.Run(); err == nil {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// pool is a server with one application, behind a toxiproxy with one toxic.
type pool struct {
	server             *ucwatest.Server
	token, application string
}

func newPool(t *testing.T, toxic string) *pool {
	t.Helper()
	p := &pool{server: ucwatest.New(ucwatest.Config{})}
	p.token = p.server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com"})
	path, err := p.server.CreateApplication(p.token, "conform", "en-US", "3fa85f64-5717-4562-b3fc-000000000001")
	if err != nil {
		t.Fatal(err)
	}
	running, err := ucwatest.Start(p.server, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(api, "pool", "127.0.0.1:0", strings.TrimPrefix(running.URL, "http://"))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Fatal(err)
	}
	p.application = "http://" + proxy.Listen + path
	return p
}

// TestToxics holds what a run says of a network that is slow, stalls or breaks, and that it leaves no goroutine there.
func TestToxics(t *testing.T) {
	const conformant, incomplete, failed = 0, 3, 4
	for _, test := range []struct {
		name, toxic string
		code        int
		words       []string // in the notes, and in the reasons of verdicts
	}{
		{"slow", `{"type":"latency","attributes":{"latency":20,"jitter":10}}`, conformant, nil},
		{"narrow", `{"type":"bandwidth","attributes":{"rate":200}}`, conformant, nil},
		{"in slices", `{"type":"slicer","attributes":{"average_size":64,"size_variation":32,"delay":100}}`, conformant, nil},
		{"too slow", `{"type":"latency","attributes":{"latency":3000}}`, failed, []string{"error: ", "no answer in the time", "longer than --request-timeout allows"}},
		{"stalls", `{"type":"timeout","attributes":{"timeout":0}}`, failed, []string{"no answer in the time", "longer than --request-timeout allows"}},
		{"hangs up", `{"type":"timeout","attributes":{"timeout":50}}`, failed, []string{"EOF", "closed the connection without an answer"}},
		{"reset", `{"type":"reset_peer","attributes":{"timeout":0}}`, failed, []string{"cut the connection"}},
		{"cut in the headers", `{"type":"limit_data","attributes":{"bytes":100}}`, failed, []string{"unexpected EOF", "ended in the middle of an answer"}},
		{"cut in a body", `{"type":"limit_data","attributes":{"bytes":1500}}`, incomplete, []string{"unexpected EOF", "ended in the middle of an answer"}},
		{"cut later", `{"type":"limit_data","attributes":{"bytes":9000}}`, incomplete, []string{"got no whole answer"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, test.toxic)
			code, said := p.certify(t)
			if code != test.code {
				t.Errorf("exit code %d, expected %d: %s", code, test.code, said)
			}
			for _, words := range test.words {
				if !strings.Contains(said, words) {
					t.Errorf("nowhere is said %q: %s", words, said)
				}
			}
		})
	}
}

// certify runs the command, and returns its exit code and what it says: the notes, and the reasons of verdicts.
func (p *pool) certify(t *testing.T) (code int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "run", "--format", "json", "--request-timeout", "2s", "--event-wait", "700ms", "--timeout", "8s",
		"--application", p.application)
	cmd.Env = append(os.Environ(), "CONFORM_TOKEN="+p.token)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	if strings.Contains(stdout.String()+stderr.String(), p.token) {
		t.Error("the token is shown")
	}
	var r reports.Report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("%v\n%s%s", err, &stdout, &stderr)
	}
	list := r.Notes
	for _, result := range r.Results {
		if result.Reason != "" {
			list = append(list, string(result.Verdict)+": "+result.Reason)
		}
	}
	return cmd.ProcessState.ExitCode(), strings.Join(list, "\n")
}

// TestToxicsLeak holds that a driver leaves no goroutine behind, whatever became of its connections.
func TestToxicsLeak(t *testing.T) {
	for name, toxic := range map[string]string{
		"stalls":     `{"type":"timeout","attributes":{"timeout":0}}`,
		"reset":      `{"type":"reset_peer","attributes":{"timeout":0}}`,
		"cut":        `{"type":"limit_data","attributes":{"bytes":9000}}`,
		"in slices":  `{"type":"slicer","attributes":{"average_size":64,"size_variation":32,"delay":100}}`,
		"hangs up":   `{"type":"timeout","attributes":{"timeout":50}}`,
		"much later": `{"type":"latency","attributes":{"latency":3000}}`,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, toxic)
			before := goleak.IgnoreCurrent()
			transport := http.DefaultTransport.(*http.Transport).Clone()
			suite.Gather(t.Context(), suite.Target{Application: p.application, Token: p.token, Transport: transport, EventWait: 300 * time.Millisecond,
				RetryWait: time.Second, RequestTimeout: 700 * time.Millisecond})
			transport.CloseIdleConnections()
			// Those of the server and of the proxy end when they like.
			if err := goleak.Find(before, goleak.IgnoreAnyFunction("net/http.(*conn).serve"), goleak.IgnoreAnyFunction("net/http.(*connReader).backgroundRead"),
				goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"), goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).write"),
				goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")); err != nil {
				t.Error(err)
			}
		})
	}
}
