package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports/atomicfile"
	"golang.org/x/net/publicsuffix"
)

// authority vouches for the certificates of `conform serve`. It is made once, so that a
// client has to be told to trust it once, and its key never leaves its file.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	path        string // of the certificate alone, for clients
}

// The files of an authority. The first holds the key as well, so that the two cannot
// come apart; the second is for clients.
const (
	authorityFile = "authority.pem"
	authorityCert = "ca.pem"
)

// authorityDir is where the authority of this user for the domains of these hosts is kept.
func authorityDir(hosts []string) (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("no directory for the certificate authority: %w; name one with --ca-dir, or use --plain", err)
	}
	dir = filepath.Join(dir, "conform")
	if name := strings.Join(domainsOf(hosts)[1:], "+"); name != "" {
		dir = filepath.Join(dir, cut(name, 100))
	}
	return dir, nil
}

// domainsOf are the domains of hosts, sorted, behind localhost.
func domainsOf(hosts []string) []string {
	var domains []string
	for _, host := range hosts {
		host = strings.ToLower(host)
		if net.ParseIP(host) != nil || host == "localhost" {
			continue
		}
		if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			host = domain // else a name without a domain
		}
		domains = append(domains, host)
	}
	slices.Sort(domains)
	return append([]string{"localhost"}, slices.Compact(domains)...)
}

// openAuthority reads the authority in a directory, or makes one there. It vouches for the hosts and those of their domains alone: who
// trusts it trusts no more than that.
func openAuthority(dir string, hosts []string) (*authority, error) {
	path := filepath.Join(dir, authorityFile)
	if info, err := os.Lstat(path); err == nil {
		switch mode := othersMay(info); {
		case !info.Mode().IsRegular():
			return nil, fmt.Errorf("the certificate authority %s is no ordinary file: remove it, and one is made", path)
		case mode != 0: // its key vouches for whatever it is used for
			return nil, fmt.Errorf("the certificate authority %s can be read or written by others on this machine (mode %04o): remove it, and have clients trust the one that is made then", path, info.Mode().Perm())
		}
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if content, err = makeAuthority(dir, path, hosts); err != nil {
			return nil, fmt.Errorf("the certificate authority cannot be made: %w", err)
		}
	} else if err != nil {
		return nil, fmt.Errorf("the certificate authority cannot be read: %w", err)
	}
	a, err := parseAuthority(content)
	if err != nil {
		return nil, fmt.Errorf("%s is no certificate authority of conform: %w; remove it, and another is made", path, err)
	}
	if time.Now().After(a.certificate.NotAfter.AddDate(0, -1, 0)) {
		return nil, fmt.Errorf("the certificate authority in %s ends on %s: remove it, and another is made", path, a.certificate.NotAfter.Format(time.DateOnly))
	}
	a.path = filepath.Join(dir, authorityCert)
	if err := atomicfile.Write(a.path, 0o644, a.pem()); err != nil {
		return nil, fmt.Errorf("%s: %w", a.path, err)
	}
	for _, host := range hosts {
		if !a.permits(host) {
			return nil, fmt.Errorf("the certificate authority in %s vouches for %s, and not for %s: remove it, or give another directory with --ca-dir, and have clients trust the one that is made then",
				path, strings.Join(a.certificate.PermittedDNSDomains, ", "), host)
		}
	}
	return a, nil
}

// makeAuthority makes an authority. Where two processes do so at once the first wins.
func makeAuthority(dir, path string, hosts []string) ([]byte, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	host, _ := os.Hostname()
	template := &x509.Certificate{
		SerialNumber:          serialNumber(),
		Subject:               pkix.Name{CommonName: "conform test authority of " + host, Organization: []string{"conform serve, for tests only"}},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,

		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         domainsOf(hosts),
		PermittedIPRanges:           []*net.IPNet{{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)}},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil && !ip.IsLoopback() {
			if four := ip.To4(); four != nil {
				ip = four
			}
			template.PermittedIPRanges = append(template.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))})
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	content = append(content, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})...)
	temporary, err := os.CreateTemp(dir, ".authority-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(content)
	if closeErr := temporary.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	if err := os.Link(temporary.Name(), path); errors.Is(err, fs.ErrExist) {
		return os.ReadFile(path)
	} else if err != nil { // some file systems have no links
		return content, os.Rename(temporary.Name(), path)
	}
	return content, nil
}

func parseAuthority(content []byte) (*authority, error) {
	a := &authority{}
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		var err error
		switch block.Type {
		case "CERTIFICATE":
			a.certificate, err = x509.ParseCertificate(block.Bytes)
		case "EC PRIVATE KEY":
			a.key, err = x509.ParseECPrivateKey(block.Bytes)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case a.certificate == nil || a.key == nil:
		return nil, errors.New("a certificate or a key is missing")
	case len(a.certificate.PermittedDNSDomains) == 0:
		return nil, errors.New("it vouches for every host, as those of earlier versions did")
	case !a.certificate.IsCA || !a.key.PublicKey.Equal(a.certificate.PublicKey):
		return nil, errors.New("its key is not that of its certificate")
	}
	return a, nil
}

// permits tells whether the authority may vouch for a host.
func (a *authority) permits(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return slices.ContainsFunc(a.certificate.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip) })
	}
	return slices.ContainsFunc(a.certificate.PermittedDNSDomains, func(domain string) bool {
		return strings.EqualFold(host, domain) || strings.HasSuffix(strings.ToLower(host), "."+domain)
	})
}

// pem is the certificate, for clients to trust.
func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// certificateFor makes a certificate for hosts, good for three months: it lives as long
// as the process.
func (a *authority) certificateFor(hosts []string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serialNumber(),
		Subject:               pkix.Name{CommonName: "conform serve"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(0, 3, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if template.NotAfter.After(a.certificate.NotAfter) {
		template.NotAfter = a.certificate.NotAfter
	}
	slices.Sort(hosts)
	for _, host := range slices.Compact(hosts) {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key}, nil
}

func serialNumber() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return n
}

// trustBundle returns the authority together with what this machine trusts already: the
// variables that name a bundle replace the system's own.
func trustBundle(own []byte) []byte {
	for _, name := range []string{os.Getenv("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"} {
		if name == "" {
			continue
		}
		if content, err := os.ReadFile(name); err == nil && len(content) > 0 {
			return append(append(content, '\n'), own...)
		}
	}
	return own
}
