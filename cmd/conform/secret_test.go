package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

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

// TestDecodeSecret holds that the file of a secret is read as people write it, on Windows too, and that what cannot be the
// secret is refused and not sent.
func TestDecodeSecret(t *testing.T) {
	utf16In := func(order binary.AppendByteOrder, text string) string {
		var b []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, unit)
		}
		return string(b)
	}
	little, big := utf16In(binary.LittleEndian, "\ufeffPä$s 1\U0001f600\r\n"), utf16In(binary.BigEndian, "\ufeffPä$s 1\U0001f600\r\n")
	for _, test := range []struct{ name, content, want, problem string }{
		{"UTF-8", "Pä$s 1", "Pä$s 1", ""},
		{"a byte order mark", "\ufeffPä$s 1\r\n", "Pä$s 1", ""},
		{"line ends", "Pä$s 1\n\r\n", "Pä$s 1", ""},
		{"blanks belong to it", " a \n", " a ", ""},
		{"UTF-16 of PowerShell", little, "Pä$s 1\U0001f600", ""},
		{"UTF-16, the other order", big, "Pä$s 1\U0001f600", ""},
		{"UTF-16, cut", little[:len(little)-1], "", "ends within a character"},
		{"UTF-16, half a character", utf16In(binary.LittleEndian, "\ufeffa") + "\x00\xd8", "", "no character"},
		{"UTF-16 without a mark", utf16In(binary.LittleEndian, "Passwd\n"), "", "UTF-16 without a byte order mark"},
		{"UTF-32", "\xff\xfe\x00\x00P\x00\x00\x00", "", "control characters"},
		{"Windows-1252", "P\xe4ss", "", "neither UTF-8 nor UTF-16"},
		{"nothing", "", "", "is empty"},
		{"a mark alone", "\ufeff\r\n", "", "is empty"},
		{"a mark of UTF-16 alone", "\xff\xfe", "", "is empty"},
		{"two lines", "a\nb\n", "", "several lines"},
		{"two lines in UTF-16", utf16In(binary.BigEndian, "\ufeffa\r\nb"), "", "several lines"},
		{"a picture", "\x89PNG\r\n\x1a\n", "", "neither UTF-8"},
	} {
		file := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		value, err := secret{what: "password", flag: "--password-file", file: file}.fromFile(io.Discard)
		if value != test.want || (err == nil) != (test.problem == "") {
			t.Errorf("%s: read as %q, %v", test.name, value, err)
		}
		if e := (exit{}); err != nil && (!errors.As(err, &e) || e.code != exitUsage || !strings.Contains(err.Error(), test.problem) ||
			!strings.Contains(err.Error(), "--password-file "+file) || !strings.Contains(err.Error(), "save it as UTF-8") || !strings.Contains(err.Error(), "nothing was sent")) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestLongSecret holds that no part of a file is taken for the secret: a wrong one would be sent.
func TestLongSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	for size, ok := range map[int]bool{maxSecret: true, maxSecret + 1: false} {
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
