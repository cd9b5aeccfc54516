//go:build unix

package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// start runs the command, and kills it if it does not end in time.
func start(t *testing.T, stdout io.Writer, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "conform", args...)
	cmd.Env = append(os.Environ(), "NO_COLOR=1")
	cmd.Stdout = stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(20*time.Second, func() {
		t.Error("it did not end")
		cmd.Process.Kill()
	})
	t.Cleanup(func() { hung.Stop() })
	return cmd
}

// TestInterruptReading holds that an interrupt ends a run that waits for a file,
// which may be a pipe into which nobody writes.
func TestInterruptReading(t *testing.T) {
	for _, flags := range [][]string{
		{"--cassette"},
		{"--application", "https://pool.example/applications/1", "--token-file"},
		{"--application", "https://pool.example/applications/1", "--cacert"},
	} {
		t.Run(flags[len(flags)-1], func(t *testing.T) {
			t.Setenv("CONFORM_TOKEN", "cwt=AAEB")
			pipe := filepath.Join(t.TempDir(), "pipe")
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := start(t, nil, append(append([]string{"run"}, flags...), pipe)...)
			var writer *os.File
			for writer == nil { // until the command reads
				var err error
				writer, err = os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
				if errors.Is(err, syscall.ENXIO) && !t.Failed() {
					time.Sleep(time.Millisecond)
				} else if err != nil {
					t.Fatal(err)
				}
			}
			defer writer.Close()
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
				t.Errorf("exit code %d, expected %d", code, exitInterrupted)
			}
		})
	}
}

// TestSecondInterrupt holds that a run which an interrupt does not end, since
// nobody reads what it writes, ends with the next.
func TestSecondInterrupt(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	cmd := start(t, writer, "run", "--format", "json")
	writer.Close()
	if _, err := reader.Read(make([]byte, 1)); err != nil { // the report is longer than what a pipe holds
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cmd.Wait()
	}()
	interrupts := 0
	for waiting := true; waiting; interrupts++ {
		if err := cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case <-ended:
			waiting = false
		case <-time.After(100 * time.Millisecond):
		}
	}
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || interrupts < 2 {
		t.Errorf("it ended with %s after %d interrupts, expected exit code %d after the second", cmd.ProcessState, interrupts, exitInterrupted)
	}
}

// TestNobodyReads holds that what was asked of a server is kept also where nobody reads what the
// command says of it, as behind "| head -1".
func TestNobodyReads(t *testing.T) {
	for _, test := range []struct{ command, out, kept string }{
		{"record", "tape.yaml", "tape.yaml"},
		{"run", "report", filepath.Join("report", "evidence.yaml")},
	} {
		t.Run(test.command, func(t *testing.T) {
			p := newPool(t)
			p.serve(p.server)
			t.Setenv("CONFORM_TOKEN", p.token)
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			reader.Close()
			dir := t.TempDir()
			cmd := start(t, writer, append([]string{test.command, "--application", p.url + p.application(), "--out", filepath.Join(dir, test.out)}, quick...)...)
			writer.Close()
			if err := cmd.Wait(); err == nil {
				t.Error("that nobody reads it goes unnoticed")
			}
			if _, err := cassettes.Open(filepath.Join(dir, test.kept)); err != nil {
				t.Errorf("the recording: %v", err)
			}
			p.untouched()
		})
	}
}
