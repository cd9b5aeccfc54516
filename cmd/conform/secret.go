package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/zalando/go-keyring"
	"golang.org/x/term"
)

// secret is something that a run needs to know and nobody may see: where it is looked
// for, in this order, and how it is asked for.
type secret struct {
	what     string // "token", for messages
	flag     string // "--token-file"
	file     string // its value
	variable string // "CONFORM_TOKEN"
	account  string // in the keyring; "" if it is not looked for there
	need     string // why it is needed and how it is given, where it is nowhere
}

// keyringService is under what the system's keyring has conform's secrets.
const keyringService = "conform"

// terminal is where a secret may be asked for.
type terminal struct {
	input *os.File  // standard input; nil where nobody is to be asked
	said  io.Writer // standard error
}

// read finds the secret: in its file, in the environment, in the keyring of the
// system, or by asking. What clean refuses is a usage error which says where it was.
func (s secret) read(ctx context.Context, from terminal, clean func(where, value string) (string, error)) (string, error) {
	if s.file != "" {
		value, err := begin(func() (string, error) { return s.fromFile(from.said) })(ctx)
		if err != nil {
			return "", err
		}
		return clean(s.flag+" "+s.file, value)
	}
	if value := os.Getenv(s.variable); value != "" {
		return clean(s.variable, value)
	}
	if value := fromKeyring(ctx, s.account); value != "" {
		return clean(fmt.Sprintf("the keyring's %s of %s", keyringService, s.account), value)
	}
	if from.input == nil || !term.IsTerminal(int(from.input.Fd())) {
		return "", usage("%s", s.need)
	}
	value, err := ask(ctx, from, s.what)
	if err != nil {
		return "", err
	}
	return clean("the "+s.what, value)
}

// maxSecret bounds the file of a secret, in bytes.
const maxSecret = 64 << 10

func (s secret) fromFile(warnings io.Writer) (string, error) {
	file, err := os.Open(s.file)
	switch problem := (*fs.PathError)(nil); {
	case errors.Is(err, fs.ErrPermission):
		return "", usage("%s: %w", s.flag, err) // a file it is
	case errors.As(err, &problem): // what is no file may be the secret itself, which no message must show
		return "", usage("%s names a file, and there is none of that name: %w; is it the %s itself? Then set %s to it", s.flag, problem.Err, s.what, s.variable)
	case err != nil:
		return "", usage("%s: %w", s.flag, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", usage("%s: %w", s.flag, err)
	}
	switch mode := othersMay(info); {
	case mode&0o022 != 0: // who can write it can have the run sign in as somebody else
		return "", usage("%s %s can be written by %s (mode %04o), so it may hold what they put there: chmod %s it, or 600, and see that it is right",
			s.flag, s.file, writers(mode), info.Mode().Perm(), unwritable(mode))
	case mode&0o004 != 0, mode&0o040 != 0 && !inPod(): // a secret that is mounted belongs to root, and to the group of the pod
		fmt.Fprintf(warnings, "warning: %s %s can be read by others on this machine (mode %04o): chmod 600 it\n", s.flag, s.file, info.Mode().Perm())
	}
	data, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	switch {
	case err != nil:
		return "", usage("%s: %w", s.flag, err)
	case len(data) > maxSecret: // a part of it would be a wrong one, and be sent
		return "", usage("%s %s: is larger than %d KiB, so it is no %s", s.flag, s.file, maxSecret>>10, s.what)
	}
	value, problem := decodeSecret(data)
	if problem != "" {
		return "", usage("%s %s: %s; nothing was sent", s.flag, s.file, problem)
	}
	return value, nil
}

// decodeSecret reads the text of a file as editors and shells write it, on Windows too: in UTF-8, with a byte order mark or
// without, or in UTF-16 with one. What it cannot read, or is no text, it tells the problem of, and what to do: sent as it is, it
// would be a wrong password, and count as an attempt.
func decodeSecret(data []byte) (value, problem string) {
	const remedy = ": save it as UTF-8, with nothing but the secret on its one line"
	order := binary.ByteOrder(nil)
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		order = binary.BigEndian
	}
	if order == nil {
		value = strings.TrimPrefix(string(data), "\ufeff")
		if !utf8.ValidString(value) {
			return "", "is neither UTF-8 nor UTF-16 with a byte order mark" + remedy
		}
	} else {
		if len(data)%2 != 0 {
			return "", "begins as UTF-16, and ends within a character" + remedy
		}
		units := make([]uint16, 0, len(data)/2)
		for at := 2; at < len(data); at += 2 {
			units = append(units, order.Uint16(data[at:]))
		}
		value = string(utf16.Decode(units))
		if strings.ContainsRune(value, utf8.RuneError) {
			return "", "begins as UTF-16, and holds what is no character" + remedy
		}
	}
	value = strings.TrimRight(value, "\r\n")
	switch {
	case strings.TrimSpace(value) == "":
		return "", "is empty" + remedy
	case strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) }):
		return "", "holds control characters, as a file does that is no text, or is in UTF-16 without a byte order mark" + remedy
	case strings.ContainsAny(value, "\r\n"):
		return "", "holds several lines" + remedy
	}
	return value, ""
}

// writers says who may write a file that not only its owner may.
func writers(mode fs.FileMode) string {
	if mode&0o022 == 0o020 {
		return "all members of its group, now or later"
	}
	return "others on this machine"
}

// unwritable is what chmod is told to take that away.
func unwritable(mode fs.FileMode) string {
	return map[fs.FileMode]string{0o020: "g-w", 0o002: "o-w", 0o022: "go-w"}[mode&0o022]
}

// othersMay returns what group and others may do with an ordinary file. Windows has no
// mode to look at.
func othersMay(info fs.FileInfo) fs.FileMode {
	if runtime.GOOS == "windows" || !info.Mode().IsRegular() {
		return 0
	}
	return info.Mode().Perm() & 0o077
}

// keyringPatience bounds the wait for a keyring, which may have to be unlocked.
var keyringPatience = 3 * time.Second

// keyringGet is the system's keyring; tests have their own.
var keyringGet = keyring.Get

// fromKeyring asks the keyring of the system, and takes none for an empty one.
func fromKeyring(ctx context.Context, account string) string {
	if account == "" || !keyringThere() {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, keyringPatience)
	defer cancel()
	found, get := make(chan string, 1), keyringGet
	go func() {
		value, _ := get(keyringService, account)
		found <- value
	}()
	select {
	case value := <-found:
		return value
	case <-ctx.Done():
		return ""
	}
}

// keyringThere tells whether asking could find anything. Elsewhere than on macOS and
// Windows the keyring is reached by the session's bus, and where there is none the
// library would start one and leave it running.
var keyringThere = func() bool {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" || os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	_, err := os.Stat(cmp.Or(os.Getenv("XDG_RUNTIME_DIR"), fmt.Sprintf("/run/user/%d", os.Getuid())) + "/bus")
	return err == nil
}

// ask asks on the terminal, which shows nothing of the answer. Whatever ends the
// wait, the terminal is as it was.
func ask(ctx context.Context, from terminal, what string) (string, error) {
	fd := int(from.input.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", exit{exitFailed, fmt.Errorf("asking for the %s on the terminal: %w", what, err)}
	}
	type answer struct {
		text []byte
		err  error
	}
	answered := make(chan answer, 1)
	fmt.Fprintf(from.said, "%s (is not shown): ", what)
	go func() {
		text, err := term.ReadPassword(fd)
		answered <- answer{text, err}
	}()
	defer fmt.Fprintln(from.said)
	select {
	case a := <-answered:
		if a.err != nil {
			return "", exit{exitFailed, fmt.Errorf("asking for the %s on the terminal: %w", what, a.err)}
		}
		return string(a.text), nil
	case <-ctx.Done():
		_ = term.Restore(fd, before)
		return "", exit{exitInterrupted, fmt.Errorf("interrupted while the %s was asked for", what)}
	}
}
