//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestRecordKilled holds that a recording is the old one or the new one, whole, at
// whatever moment the command is killed, and that little is left behind.
func TestRecordKilled(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{})
	running, err := ucwatest.Start(server, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	dir := t.TempDir()
	path := filepath.Join(dir, "pool.yaml")
	n := 0
	record := func() *exec.Cmd {
		n++ // who was killed has left an application behind
		token := server.AddUser(ucwatest.User{Name: "Dana", URI: fmt.Sprintf("sip:dana%d@contoso.com", n)})
		href, err := server.CreateApplication(token, "conform", "en-US", "3fa85f64-5717-4562-b3fc-2c963f66afa6")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("conform", "record", "--quiet", "--application", running.URL+href, "--out", path)
		cmd.Env = append(os.Environ(), "CONFORM_TOKEN="+token)
		return cmd
	}
	began := time.Now()
	if out, err := record().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	whole := time.Since(began)
	good, err := cassettes.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	times := 100
	if testing.Short() {
		times = 20
	}
	replaced := 0
	content, _ := os.ReadFile(path)
	for i := range times {
		cmd := record()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Most of it is over when the file is written: that is where it is killed most.
		moment := time.Duration(rand.Float64() * float64(whole))
		if i%2 == 0 {
			moment = whole/2 + moment*3/4
		}
		time.Sleep(moment)
		cmd.Process.Kill()
		cmd.Wait()
		c, err := cassettes.Open(path)
		if err != nil {
			t.Fatalf("after kill %d at %s: %v", i+1, moment, err)
		}
		if len(c.Exchanges) != len(good.Exchanges) || c.SHA256 != c.Provenance.SHA256 {
			t.Fatalf("after kill %d at %s the recording has %d exchanges, sha256 %s", i+1, moment, len(c.Exchanges), c.SHA256)
		}
		now, _ := os.ReadFile(path)
		if !bytes.Equal(now, content) {
			replaced++
			content = now
		}
		if litter := litterIn(t, dir, "pool.yaml"); len(litter) > 2 { // a try and a temporary file
			t.Fatalf("after kill %d these are left: %q", i+1, litter)
		}
	}
	t.Logf("%d kills within %s, %d after the file was replaced", times, whole, replaced)
	if out, err := record().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if litter := litterIn(t, dir, "pool.yaml"); len(litter) > 0 {
		t.Errorf("a run that was not killed left %q", litter)
	}
}

func litterIn(t *testing.T, dir, except string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, entry := range entries {
		if entry.Name() != except {
			list = append(list, entry.Name())
		}
	}
	return list
}

// TestRecordOnFullDisk holds that a disk without room for the new recording keeps the old.
func TestRecordOnFullDisk(t *testing.T) {
	dir := smallDisk(t)
	path := filepath.Join(dir, "pool.yaml")
	c, err := cassettes.Open("documentation/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	fill, err := os.Create(filepath.Join(dir, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = fill.Write(make([]byte, 4096))
	}
	fill.Close()
	os.Truncate(fill.Name(), 1) // room for a try, not for a recording
	os.WriteFile(filepath.Join(dir, "fill2"), make([]byte, 200<<10), 0o600)
	server := ucwatest.New(ucwatest.Config{})
	running, err := ucwatest.Start(server, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	token := server.AddUser(ucwatest.User{Name: "Dana", URI: "sip:dana@contoso.com"})
	href, err := server.CreateApplication(token, "conform", "en-US", "3fa85f64-5717-4562-b3fc-2c963f66afa6")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CONFORM_TOKEN", token)
	var stderr bytes.Buffer
	cmd := exec.Command("conform", "record", "--application", running.URL+href, "--out", path)
	cmd.Stderr = &stderr
	cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(stderr.String(), "is not written: ") || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("exit code %d, expected %d: %s", code, exitFailed, stderr.String())
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the old recording is gone")
	}
	if litter := litterIn(t, dir, "pool.yaml"); len(litter) != 2 {
		t.Errorf("there is %q, expected what filled the disk", litter)
	}
	if n := server.Applications(); n != 0 {
		t.Errorf("%d applications left on the server", n)
	}
}
