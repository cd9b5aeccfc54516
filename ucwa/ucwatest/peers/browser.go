//go:build unix

package peers

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Chromium returns the path of the browser.
func Chromium(t testing.TB) string {
	t.Helper()
	return program(t, "chromium")
}

// PublicKey names the key of a certificate in PEM as Chromium's --ignore-certificate-errors-spki-list does.
func PublicKey(t testing.TB, certificate []byte) string {
	t.Helper()
	block, _ := pem.Decode(certificate)
	if block == nil {
		t.Fatalf("no certificate: %q", certificate)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Mitmproxy is a proxy that reads what a browser says over TLS.
type Mitmproxy struct {
	Server string   // host:port, where the proxy goes whatever host it is asked for
	Trust  []byte   // the server's certificate, in PEM
	Addon  string   // name of a Python file
	Set    []string // the addon's options, as name=value; it is always told backend

	Certificate []byte // of the proxy's own authority, in PEM, once it is started

	end func()
}

// Start starts it on loopback, and returns its host and port. It ends with the test, if not before.
func (m *Mitmproxy) Start(t testing.TB) (address string) {
	t.Helper()
	proxy := program(t, "mitmdump")
	d := directory(t)
	address = freeAddress(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	trusted := filepath.Join(d, "trusted.pem")
	write(t, trusted, string(m.Trust))
	args := []string{"--listen-host", host, "--listen-port", port, "--scripts", m.Addon,
		"--set", "confdir=" + d, "--set", "ssl_verify_upstream_trusted_ca=" + trusted, "--set", "backend=" + m.Server}
	for _, option := range m.Set {
		args = append(args, "--set", option)
	}
	m.end = daemon(t, address, exec.Command(proxy, args...))
	if m.Certificate, err = os.ReadFile(filepath.Join(d, "mitmproxy-ca-cert.pem")); err != nil {
		t.Fatal(err)
	}
	return address
}

// End ends it, so that the addon is done and has written what it writes.
func (m *Mitmproxy) End() { m.end() }
