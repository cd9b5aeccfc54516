//go:build unix

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestServeInterrupted: serve with a certificate of its user, differing as correct servers
// do, with a page for anybody, serves a working client, ends at Ctrl-C, and its report is
// there then.
func TestServeInterrupted(t *testing.T) {
	dir := t.TempDir()
	certificate, trusted := testAuthority()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	private, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for file, blocks := range map[string][][]byte{cert: certificate.Certificate, key: {private}} {
		var content []byte
		for _, block := range blocks {
			content = append(content, pem.EncodeToMemory(&pem.Block{Type: map[string]string{cert: "CERTIFICATE", key: "PRIVATE KEY"}[file], Bytes: block})...)
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "out")
	cmd := exec.CommandContext(t.Context(), "conform", "serve", "--listen", "127.0.0.1:0", "--cert", cert, "--key", key, "--chaos", "7", "--page", "any",
		"--origin", "http://app.contoso.com", "--event-timeout", "10ms", "--out", out)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir)
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer hung.Stop()
	var said strings.Builder
	start := ""
	lines := bufio.NewScanner(stderr)
	for start == "" && lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if _, url, found := strings.Cut(lines.Text(), "Autodiscover  "); found {
			start = url
		}
	}
	rest := make(chan struct{})
	go func() { // what is not read stops the server's log
		defer close(rest)
		for lines.Scan() {
			said.WriteString(lines.Text() + "\n")
		}
	}()
	at, err := url.Parse(start)
	if err != nil || start == "" {
		t.Fatalf("no address: %s", said.String())
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	if err := (plainClient{transport: transport, user: builtIn, agent: "Plain/1.0", start: start}).work(t.Context()); err != nil {
		t.Error(err)
	}
	page, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+at.Host+pagePath, nil)
	if err != nil {
		t.Fatal(err)
	}
	page.Host = "elsewhere.example"
	if res, err := transport.RoundTrip(page); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("the page of --page any: %v, %v", res, err)
	} else {
		res.Body.Close()
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-rest
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitConformant {
		t.Errorf("exit code %d, expected %d\n%s", code, exitConformant, said.String())
	}
	// Its text is a line a client: the report is in the directory.
	if got := stdout.String(); !regexp.MustCompile(`^1 client\n +1  dana \S+ +conformant +\d+ pass, \d+ not applicable\n$`).MatchString(got) {
		t.Errorf("it says %s", got)
	}
	found, err := filepath.Glob(filepath.Join(out, "*", "report.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("reports: %v, %v", found, err)
	}
	r, err := reports.ReadResults(found[0])
	if err != nil || r.Outcome != reports.Conformant {
		t.Errorf("the report: %v, %v", r, err)
	}
	if !strings.Contains(said.String(), "--chaos 7: ") {
		t.Errorf("it does not tell how it differs:\n%s", said.String())
	}
}

// TestServeChaos: a working client works with each server that --chaos makes, and is found
// conformant: nothing in which correct servers differ is held against it.
func TestServeChaos(t *testing.T) {
	for seed := range uint64(12) {
		h := startHost(t, func(config *hostConfig) {
			wayOf(config)
			config.variations = variationsBy(seed)
		})
		err := plainClient{transport: h.transport(t), user: builtIn, agent: "Plain/1.0"}.work(t.Context())
		var failed []string
		grades := h.gradesOf(t)
		for _, g := range grades {
			failed = append(failed, failedIn(g.results)...)
		}
		if err != nil || len(failed) > 0 || len(grades) != 1 {
			t.Errorf("--chaos %d: %d clients, %v, failed %v", seed, len(grades), err, failed)
		}
	}
}
