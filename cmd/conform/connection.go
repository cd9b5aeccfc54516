package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/cmd/conform/internal/network"
	"golang.org/x/net/http/httpproxy"
	"golang.org/x/time/rate"
)

// connectionFlags say how to reach a server: every command that speaks to one has them.
type connectionFlags struct {
	resolve    []string
	cacert     string
	clientCert string
	clientKey  string
	insecure   bool
	rate       float64
	perRequest time.Duration
}

// connectionOnly are their names: they mean nothing for a recording.
var connectionOnly = []string{"resolve", "cacert", "client-cert", "client-key", "insecure", "rate", "request-timeout"}

func (f *connectionFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.resolve, "resolve", nil, "HOST:PORT:ADDRESS[:PORT]: ask that host at that address, without DNS and without a proxy; * is any host; may be repeated")
	flags.StringVar(&f.cacert, "cacert", "", "PEM file with certificate authorities to trust, besides the system's")
	flags.StringVar(&f.clientCert, "client-cert", "", "PEM file with the certificate to show to the server")
	flags.StringVar(&f.clientKey, "client-key", "", "PEM file with its private key, if that is not in the file of --client-cert")
	flags.BoolVar(&f.insecure, "insecure", false, "trust any certificate: others on the network path can read the token")
	flags.Float64Var(&f.rate, "rate", 0, "at most so many requests a second, such as 2 or 0.5; 0 is no limit")
	flags.DurationVar(&f.perRequest, "request-timeout", 10*time.Second, "timeout per request")
	for _, name := range []string{"resolve", "rate", "request-timeout"} {
		complete(cmd, name, func() []string { return nil })
	}
}

// insecureNote stands on standard error and in every report.
const insecureNote = "--insecure: no certificate was checked, so nothing shows which server this was, and others on the network path could read the token"

// plainNote is about a URL with http.
const plainNote = "with plain http, others on the way can read the token"

// notes are what a report must say of the connection.
func (f *connectionFlags) notes(server string) []string {
	var notes []string
	if f.insecure {
		notes = append(notes, insecureNote)
	}
	if strings.HasPrefix(server, "http:") {
		notes = append(notes, plainNote)
	}
	return notes
}

// limiter returns what --rate says, nil if that is no limit.
func (f *connectionFlags) limiter() *rate.Limiter {
	if f.rate == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(f.rate), 1)
}

// transport reads the flags and the files that they name.
func (f *connectionFlags) transport() (*http.Transport, error) {
	if f.perRequest <= 0 {
		return nil, notPositive("--request-timeout", f.perRequest)
	}
	if !(f.rate >= 0 && f.rate <= 10000) || f.rate > 0 && f.rate < 0.001 {
		return nil, usage("--rate %v: expected requests a second, 0.001 to 10000, or 0 for no limit", f.rate)
	}
	book, err := network.ParseResolve(f.resolve)
	if err != nil {
		return nil, exit{exitUsage, err}
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: f.insecure}
	if config.RootCAs, err = f.authorities(); err != nil {
		return nil, err
	}
	if config.Certificates, err = f.certificate(); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() // which offers HTTP/2
	transport.TLSClientConfig = config
	transport.DialContext = book.Dial
	// Read now and not once in a process; and what --resolve says is where the server
	// is, which a proxy would not follow.
	proxy := httpproxy.FromEnvironment().ProxyFunc()
	transport.Proxy = func(r *http.Request) (*url.URL, error) {
		if book.Knows(r.URL) {
			return nil, nil
		}
		return proxy(r.URL)
	}
	return transport, nil
}

func notPositive(flag string, d time.Duration) error {
	return usage("%s %s: expected a time of more than zero, such as 10s", flag, d)
}

// maxPEM bounds a file of certificates or of a key, in bytes: all authorities of a system are less.
const maxPEM = 4 << 20

func readPEM(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxPEM+1))
	if err == nil && len(content) > maxPEM {
		err = fmt.Errorf("%s is larger than %d MiB, so it is no certificate and no key", path, maxPEM>>20)
	}
	return content, err
}

// authorities returns those of the system and of --cacert, nil for the system's alone.
func (f *connectionFlags) authorities() (*x509.CertPool, error) {
	if f.cacert == "" {
		return nil, nil
	}
	content, err := readPEM(f.cacert)
	if err != nil {
		return nil, usage("--cacert: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(content) {
		return nil, usage("--cacert %s: expected PEM certificates, found none", f.cacert)
	}
	return pool, nil
}

// certificate returns the one to show to the server, if one is given.
func (f *connectionFlags) certificate() ([]tls.Certificate, error) {
	switch {
	case f.clientCert == "" && f.clientKey == "":
		return nil, nil
	case f.clientCert == "":
		return nil, usage("--client-key without --client-cert: give the certificate that belongs to the key")
	}
	certificate, err := readPEM(f.clientCert)
	if err != nil {
		return nil, usage("--client-cert: %w", err)
	}
	flag, file, key := "--client-cert", f.clientCert, certificate
	if f.clientKey != "" {
		flag, file = "--client-key", f.clientKey
		if key, err = readPEM(file); err != nil {
			return nil, usage("--client-key: %w", err)
		}
	}
	if err := readableKey(key); err != nil {
		return nil, usage("%s %s: %w", flag, file, err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, usage("--client-cert %s: %w", f.clientCert, err)
	}
	return []tls.Certificate{pair}, nil
}

// readableKey says why the PEM holds no private key that can be used.
func readableKey(content []byte) error {
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY", strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return errors.New("the private key is encrypted, and conform asks for no passphrase: decrypt it into a file that only you can read, " +
				"`openssl pkey -in FILE -out PLAIN`, and give that")
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil
		}
	}
	return errors.New("expected a private key in PEM, found none (a PFX or DER file is converted by openssl)")
}
