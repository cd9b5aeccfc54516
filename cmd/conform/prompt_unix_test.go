//go:build unix && !aix && !solaris

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// screen is what a terminal showed.
type screen struct {
	sync.Mutex
	bytes.Buffer
}

func (s *screen) follow(r io.Reader) {
	buffer := make([]byte, 1024)
	for {
		n, err := r.Read(buffer)
		s.Lock()
		s.Write(buffer[:n])
		s.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *screen) shows(text string) bool {
	s.Lock()
	defer s.Unlock()
	return strings.Contains(s.String(), text)
}

// TestPrompt holds that a token is asked for on a terminal, and not shown; and that
// Ctrl-C at the prompt leaves the terminal as it was.
func TestPrompt(t *testing.T) {
	for _, test := range []struct {
		name, typed string
		code        int
	}{
		{"answered", "cwt=AAEBsecret\r", exitFailed}, // nobody listens there
		{"nothing", "\r", exitUsage},
		{"Ctrl-C", "\x03", exitInterrupted},
	} {
		t.Run(test.name, func(t *testing.T) {
			master, slave, err := pty.Open()
			if err != nil {
				t.Skip("no terminal can be made here: ", err)
			}
			defer master.Close()
			defer slave.Close()
			before, err := term.GetState(int(slave.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("conform", "run", "--application", "https://127.0.0.1:1/ucwa/oauth/v1/applications/1", "--format", "json")
			cmd.Env = append(os.Environ(), "CONFORM_TOKEN=", "DBUS_SESSION_BUS_ADDRESS=", "XDG_RUNTIME_DIR="+t.TempDir())
			cmd.Stdin, cmd.Stderr = slave, slave
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			hung := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
			defer hung.Stop()
			var shown screen
			go shown.follow(master)
			silent := func() bool { // the prompt is written before the echo is off
				now, err := term.GetState(int(slave.Fd()))
				return err == nil && *now != *before
			}
			for deadline := time.Now().Add(10 * time.Second); !shown.shows("token (is not shown): ") || !silent(); {
				if time.Now().After(deadline) {
					t.Fatal("it did not ask")
				}
				time.Sleep(5 * time.Millisecond)
			}
			if _, err := master.WriteString(test.typed); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d, expected %d: %s", code, test.code, shown.String())
			}
			if shown.shows("AAEBsecret") {
				t.Error("the token is shown")
			}
			if after, err := term.GetState(int(slave.Fd())); err != nil || *after != *before {
				t.Errorf("the terminal is not as it was (%v)", err)
			}
		})
	}
}
