package main

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/suite"
)

// clientSelection is what clients are graded by.
var clientSelection = suite.Selection{Subjects: []string{"client"}}

// testAuthorityPEM makes an authority.
func testAuthorityPEM() []byte {
	dir, err := os.MkdirTemp("", "authority-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	content, err := makeAuthority(dir, filepath.Join(dir, authorityFile), []string{"lyncweb.contoso.com", "elsewhere.example", "pool.fabrikam.com"})
	if err != nil {
		panic(err)
	}
	return content
}

// TestAuthority: it is made once, also by many at once, its key can be read by its owner
// alone, and what it signs is valid for the names that were asked for and for no others.
func TestAuthority(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "conform")
	var all [8]*authority
	var work sync.WaitGroup
	for i := range all {
		work.Go(func() {
			a, err := openAuthority(dir, []string{"localhost", "127.0.0.1", "lyncweb.contoso.com"})
			if err != nil {
				t.Error(err)
			}
			all[i] = a
		})
	}
	work.Wait()
	if t.Failed() {
		return
	}
	for _, a := range all {
		if !a.certificate.Equal(all[0].certificate) {
			t.Fatal("two authorities were made")
		}
	}
	info, err := os.Stat(filepath.Join(dir, authorityFile))
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("the file with the key has mode %04o, expected 0600", mode)
	}
	public, err := os.ReadFile(all[0].path)
	if err != nil || strings.Contains(string(public), "KEY") {
		t.Errorf("the file for clients: %v\n%s", err, public)
	}
	certificate, err := all[0].certificateFor([]string{"lyncweb.contoso.com", "127.0.0.1", "lyncweb.contoso.com"})
	if err != nil {
		t.Fatal(err)
	}
	if years := all[0].certificate.NotAfter.Sub(all[0].certificate.NotBefore).Hours() / 24 / 365; years > 1.1 {
		t.Errorf("the authority lasts for %.1f years", years)
	}
	if _, err := openAuthority(dir, []string{"lyncweb.contoso.com.example"}); err == nil || !strings.Contains(err.Error(), "localhost, contoso.com, and not for") {
		t.Errorf("for the host of another domain: %v", err)
	}
	foreign, err := all[0].certificateFor([]string{"lyncweb.fabrikam.com"})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(public)
	if leaf, err := x509.ParseCertificate(foreign.Certificate[0]); err != nil {
		t.Fatal(err)
	} else if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "lyncweb.fabrikam.com"}); err == nil {
		t.Error("it vouches for the host of another domain")
	}
	for name, valid := range map[string]bool{"lyncweb.contoso.com": true, "127.0.0.1": true, "example.com": false} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); (err == nil) != valid {
			t.Errorf("%s: %v, expected valid: %t", name, err, valid)
		}
	}
}

// TestAuthorityOfOthers: what others can read or write, or is a link, is refused.
func TestAuthorityOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has no modes")
	}
	content := testAuthorityPEM()
	for name, put := range map[string]func(path string) error{
		"written by others": func(path string) error {
			return errors.Join(os.WriteFile(path, content, 0o600), os.Chmod(path, 0o622))
		},
		"read by others": func(path string) error {
			return errors.Join(os.WriteFile(path, content, 0o600), os.Chmod(path, 0o640))
		},
		"a link": func(path string) error {
			elsewhere := filepath.Join(t.TempDir(), "x.pem")
			return errors.Join(os.WriteFile(elsewhere, content, 0o600), os.Symlink(elsewhere, path))
		},
	} {
		dir := t.TempDir()
		if err := put(filepath.Join(dir, authorityFile)); err != nil {
			t.Fatal(err)
		}
		if _, err := openAuthority(dir, nil); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAuthorityBroken: a file that is none is refused and stays as it is.
func TestAuthorityBroken(t *testing.T) {
	good := string(testAuthorityPEM())
	other := string(testAuthorityPEM())
	_, otherKey, _ := strings.Cut(other, "-----BEGIN EC")
	certificate, _, _ := strings.Cut(good, "-----BEGIN EC")
	for name, content := range map[string]string{"empty": "", "no key": certificate, "another's key": certificate + "-----BEGIN EC" + otherKey, "cut": good[:len(good)/3]} {
		dir := t.TempDir()
		path := filepath.Join(dir, authorityFile)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openAuthority(dir, nil); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, expected an error that names the file", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != content {
			t.Errorf("%s: the file was changed", name)
		}
	}
}
