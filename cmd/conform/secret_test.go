package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"
)

// TestSecretOrder holds where a secret is looked for first.
func TestSecretOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("Bearer cwt=file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	was, wasThere := keyringGet, keyringThere
	defer func() { keyringGet, keyringThere = was, wasThere }()
	keyringThere = func() bool { return true }
	keyringGet = func(service, account string) (string, error) {
		if service != "conform" || account != "pool.example" {
			return "", keyring.ErrNotFound
		}
		return "cwt=keyring", nil
	}
	for _, test := range []struct{ name, file, variable, account, want string }{
		{"file", file, "cwt=variable", "pool.example", "cwt=file"},
		{"environment", "", "cwt=variable", "pool.example", "cwt=variable"},
		{"keyring", "", "", "pool.example", "cwt=keyring"},
		{"nowhere", "", "", "other.example", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("CONFORM_TOKEN", test.variable)
			var said strings.Builder
			s := secret{what: "token", flag: "--token-file", file: test.file, variable: "CONFORM_TOKEN", account: test.account, need: "give it"}
			got, err := s.read(context.Background(), terminal{said: &said}, cleanToken)
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("it is %q (%v), expected %q", got, err, test.want)
			}
			if e := (exit{}); err != nil && (!errors.As(err, &e) || e.code != exitUsage) {
				t.Errorf("the error is %v, expected one of usage", err)
			}
			if said.Len() > 0 {
				t.Errorf("it said %q", said.String())
			}
		})
	}
}

// TestKeyringHangs holds that a keyring which does not answer is passed over.
func TestKeyringHangs(t *testing.T) {
	was, wasThere := keyringGet, keyringThere
	patience, release := keyringPatience, make(chan struct{})
	defer func() { close(release); keyringGet, keyringThere, keyringPatience = was, wasThere, patience }()
	keyringPatience = 50 * time.Millisecond
	keyringThere = func() bool { return true }
	keyringGet = func(string, string) (string, error) { <-release; return "late", nil }
	began := time.Now()
	if got := fromKeyring(context.Background(), "pool.example"); got != "" || time.Since(began) > keyringPatience+2*time.Second {
		t.Errorf("it returned %q after %s", got, time.Since(began))
	}
}

// TestLongSecret holds that no part of a file is taken for the secret: a wrong one would be sent.
func TestLongSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	for size, ok := range map[int]bool{mostSecret: true, mostSecret + 1: false} {
		if err := os.WriteFile(file, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		value, err := secret{what: "password", flag: "--password-file", file: file}.fromFile(io.Discard)
		if (err == nil) != ok || ok && len(value) != size {
			t.Errorf("%d bytes: %d are read, and %v", size, len(value), err)
		}
		if !ok && err != nil && !strings.Contains(err.Error(), "is larger than 64 KiB, so it is no password") {
			t.Error(err)
		}
	}
}
