//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// serving is `conform serve` in a process of its own.
type serving struct {
	address string
	cmd     *exec.Cmd
	stdout  bytes.Buffer
	log     chan string // all that it said on standard error, at its end
	trusted *x509.CertPool
	ca      string // file with its authority
}

func startServing(t *testing.T, args ...string) *serving {
	t.Helper()
	dir := t.TempDir()
	ca := filepath.Join(dir, "exported.pem")
	s := &serving{log: make(chan string, 1), trusted: x509.NewCertPool(), ca: ca}
	s.cmd = exec.CommandContext(t.Context(), "conform", append([]string{"serve", "--listen", "127.0.0.1:0", "--ca-dir", dir, "--export-ca", ca}, args...)...)
	s.cmd.Stdout = &s.stdout
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGKILL) }
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("it said %q and ended: %v", first, err)
	}
	s.address = strings.TrimSpace(strings.TrimPrefix(first, "conform serve listens on "))
	go func() {
		rest, _ := io.ReadAll(lines)
		s.log <- first + string(rest)
	}()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	s.trusted.AppendCertsFromPEM(pem)
	return s
}

func (s *serving) transport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.address)
		},
		TLSClientConfig: &tls.Config{RootCAs: s.trusted, MinVersion: tls.VersionTLS12},
	}
}

// end interrupts it, and returns its exit code and what it said on standard error.
func (s *serving) end(t *testing.T) (code int, log string) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	log = <-s.log
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode(), log
}

// TestServeFiveHundred: that many clients of one program sign in at once and do all that
// is documented; none gets a wrong answer, and each has a report that says conformant.
func TestServeFiveHundred(t *testing.T) {
	clients := 500
	if testing.Short() || raced { // the detector makes it ten times as slow
		clients = 50
	}
	var users strings.Builder
	list := make([]ucwatest.User, clients)
	for i := range list {
		list[i] = ucwatest.User{URI: fmt.Sprintf("sip:user%d@contoso.com", i), Password: fmt.Sprintf("Passw0rd-of-user-%d.", i)}
		fmt.Fprintf(&users, "- {sip: %s, password: %s}\n", list[i].URI, list[i].Password)
	}
	dir := t.TempDir()
	file, out := filepath.Join(dir, "users.yaml"), filepath.Join(dir, "out")
	if err := os.WriteFile(file, []byte(users.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startServing(t, "--users", file, "--out", out, "--origin", "http://app.contoso.com", "--event-timeout", "1ms",
		"--host", discoverHost, "--pool-host", poolHost+":443")
	var work sync.WaitGroup
	for _, u := range list {
		work.Go(func() {
			transport := s.transport()
			defer transport.CloseIdleConnections()
			if err := (plainClient{transport: transport, user: u, agent: "Plain/1.0"}).work(t.Context()); err != nil {
				t.Errorf("%s: %v", u.URI, err)
			}
		})
	}
	work.Wait()
	code, log := s.end(t)
	if code != exitConformant {
		t.Errorf("exit code %d, expected 0\n%s\n%s", code, last(s.stdout.String(), 3000), last(log, 2000))
	}
	found, err := filepath.Glob(filepath.Join(out, "*", "report.json"))
	if err != nil || len(found) != clients {
		t.Fatalf("%d reports, expected %d: %v", len(found), clients, err)
	}
	seen := map[string]bool{}
	for _, path := range found {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var r reports.Report
		if err := json.Unmarshal(content, &r); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if r.Outcome != reports.Conformant || r.Subject != "client" || r.Evidence.Kind != "reference" {
			t.Errorf("%s: %s, %s, %s: %v", path, r.Outcome, r.Subject, r.Evidence.Kind, failedIn(r.Results))
		}
		seen[r.Evidence.Source] = true
		if strings.Contains(string(content), "Passw0rd") || strings.Contains(string(content), "cwt=AAEB") {
			t.Errorf("%s shows a secret", path)
		}
	}
	if len(seen) != clients {
		t.Errorf("%d different clients, expected %d", len(seen), clients)
	}
}

func last(text string, most int) string { return text[max(0, len(text)-most):] }
