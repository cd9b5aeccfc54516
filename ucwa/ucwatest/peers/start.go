//go:build unix

package peers

import (
	"bytes"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// missing skips the test, or fails it where every program must be there.
func missing(t testing.TB, name string) {
	t.Helper()
	if os.Getenv("CONFORM_PEERS") == "required" {
		t.Fatalf("%s is not installed, and CONFORM_PEERS=required", name)
	}
	t.Skipf("%s is not installed", name)
}

// program returns the path of a program, or skips the test.
func program(t testing.TB, name string) string {
	t.Helper()
	for _, directory := range []string{"", "/usr/sbin/", "/usr/bin/", "/sbin/"} {
		if path, err := exec.LookPath(directory + name); err == nil {
			return path
		}
	}
	missing(t, name)
	return ""
}

// installed skips the test unless a file exists.
func installed(t testing.TB, pattern string) {
	t.Helper()
	if found, _ := filepath.Glob(pattern); len(found) == 0 {
		missing(t, pattern)
	}
}

// directory is one that the httpd can read too, which is not root.
func directory(t testing.TB) string {
	t.Helper()
	d, err := os.MkdirTemp("", "ucwa-peer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(d) })
	if err := os.Chmod(d, 0o755); err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// freeAddress is one on loopback where nothing listens. Its port is beyond those that Linux gives to
// whoever asks for any, so that no connection of another test has it before the program that it is for.
func freeAddress(t testing.TB) string {
	t.Helper()
	const first, ports, tries = 61000, 4536, 100
	var problem error
	for range tries {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(ports))))
		if err == nil {
			defer l.Close() //nolint:errcheck // it listens no more
			return l.Addr().String()
		}
		problem = err
	}
	t.Fatal(problem)
	return ""
}

// daemon runs a program in the foreground until the test ends, and waits until it
// accepts connections. The function returned ends it before that.
func daemon(t testing.TB, address string, cmd *exec.Cmd) (end func()) {
	t.Helper()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an httpd that ends ends its whole group
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	end = func() { _ = cmd.Process.Signal(syscall.SIGTERM); <-ended }
	t.Cleanup(func() {
		end()
		if t.Failed() && output.Len() > 0 {
			t.Logf("%s says\n%s", cmd.Path, &output)
		}
	})
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return end
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", cmd.Path, &output)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen at %s", cmd.Path, address)
	return nil
}

func run(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", cmd, err, output)
	}
}
