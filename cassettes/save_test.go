package cassettes

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestSave(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "deep")
	path := filepath.Join(dir, "tape.yaml")
	for _, body := range []string{"first", "second"} {
		if err := tape(get("https://ucwa.example/", body)).Save(path); err != nil {
			t.Fatal(err)
		}
		c, err := Open(path)
		if err != nil || c.Exchanges[0].Response.Body != body || c.Name != path {
			t.Errorf("opened as %+v (%v), want the body %q", c, err, body)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v (%v), want 0600: a recording may hold secrets", info.Mode(), err)
	}
	onlyFile(t, path)
}

func onlyFile(t *testing.T, path string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 || files[0].Name() != filepath.Base(path) {
		t.Errorf("the directory has %v (%v), want %s alone", files, err, filepath.Base(path))
	}
}

// TestSaveFollowsNoLink holds that a recording takes the place of a symbolic link, and what that leads to stays as it is.
func TestSaveFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "tape.yaml"), filepath.Join(t.TempDir(), "link.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	if err := tape(get("https://ucwa.example/", "")).Save(link); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(link); err != nil {
		t.Errorf("the recording: %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || len(content) > 0 {
		t.Errorf("the file that the link led to: %v, %q", err, content)
	}
}

func TestSaveRefuses(t *testing.T) {
	good := tape(get("https://ucwa.example/", "good"))
	partly := tape(get("https://ucwa.example/", "x"), failed(get("https://ucwa.example/", ""), "connection refused"))
	noMethod := tape(get("https://ucwa.example/", ""))
	noMethod.Exchanges[0].Request.Method = ""
	discarded := tape(get("https://ucwa.example/", ""))
	discarded.Exchanges[0].DiscardOnSave = true
	for _, test := range []struct {
		name     string
		cassette *Cassette
		is       error
		want     string
	}{
		{"nothing", tape(), ErrEmpty, "is not written: tape: no exchange was answered, so there is nothing to keep: see why the target does not answer and record again"},
		{"only failures", tape(failed(get("https://ucwa.example/", ""), "connection refused")), ErrEmpty, "no exchange was answered"},
		{"only discarded", discarded, ErrEmpty, "no exchange was answered"},
		{"a failure over a good file", partly, ErrFailed, "the new recording has failed exchanges and the file has none, so the file is kept: record again, or save under another name"},
		{"what does not load", noMethod, nil, "the recording would not load again: tape:"},
		{"no interaction", tape(Exchange{Interaction: &Interaction{}}), nil, "request.method: is missing"},
		{"nil interaction", &Cassette{Name: "tape", Exchanges: []Exchange{{}}}, nil, "tape: exchange 1 of the list has no interaction: it cannot be saved"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tape.yaml")
			if err := good.Save(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(path)
			err := test.cassette.Save(path)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("got  %v\nwant the path and %s", err, test.want)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v is not %v", err, test.is)
			}
			if after, _ := os.ReadFile(path); !reflect.DeepEqual(before, after) {
				t.Errorf("the good file was changed:\n%s", after)
			}
			onlyFile(t, path)
		})
	}
}

// TestSaveReplacesFilesOnly holds that nothing but a file is replaced, as the devices of a system whose administrator records.
func TestSaveReplacesFilesOnly(t *testing.T) {
	dir, err := os.MkdirTemp("", "s") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := tape(get("https://ucwa.example/", "x")).Save(path); err == nil || !strings.Contains(err.Error(), "no ordinary file") {
		t.Errorf("a socket: %v", err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().IsRegular() {
		t.Errorf("the socket was replaced: %v, %v", info, err)
	}
}

func TestFailuresMayReplace(t *testing.T) {
	partly := tape(get("https://ucwa.example/", "x"), failed(get("https://ucwa.example/", ""), "connection refused"))
	for name, old := range map[string][]byte{"failures": encode(t, partly), "what does not load": []byte("---\n"), "nothing": nil} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tape.yaml")
			if old != nil {
				if err := os.WriteFile(path, old, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := partly.Save(path); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSaveLeavesNothingBehind(t *testing.T) {
	c := tape(get("https://ucwa.example/", "x"))
	t.Run("onto a directory", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "tape.yaml")
		if err := os.MkdirAll(filepath.Join(path, "inside"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := c.Save(path); err == nil {
			t.Error("a directory was replaced")
		}
		onlyFile(t, path)
	})
	t.Run("below a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.Save(filepath.Join(file, "tape.yaml")); err == nil {
			t.Error("a file was made below a file")
		}
		onlyFile(t, file)
	})
	t.Run("in a directory that is not writable", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root may write everywhere")
		}
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		if err := c.Save(filepath.Join(dir, "tape.yaml")); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %v, want fs.ErrPermission", err)
		}
	})
}

func TestEncodeChangesNothing(t *testing.T) {
	c := tape(get("https://ucwa.example/", "x"), get("https://ucwa.example/", "y"))
	c.Exchanges[0].ID, c.Exchanges[1].ID = 0, 0
	c.Exchanges[0].Request.Headers = nil
	encode(t, c)
	if c.Exchanges[1].ID != 0 || c.Exchanges[0].Request.Headers != nil || c.Provenance.SHA256 != "" || c.SHA256 != "" {
		t.Errorf("encoding changed the cassette: %+v", c)
	}
}

// The package documentation promises that this command gives the checksum.
func TestChecksumCommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tape.yaml")
	c := tape(everywhere("interactions:\n  sha256: x\n"), failed(everywhere("\n  sha256: x\n"), "refused\n  sha256: x"))
	c.Provenance.Server = "x\n  sha256: x"
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	c, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `sed '/^  sha256: /d' "$0" | sha256sum`, path).Output()
	if err != nil {
		t.Skip("no sed or sha256sum here:", err)
	}
	if sum, _, _ := strings.Cut(string(out), " "); sum != c.Provenance.SHA256 || sum != c.SHA256 {
		t.Errorf("the command gives %s, the file %s", sum, c.Provenance.SHA256)
	}
}

// TestSaveRemovesLeftovers holds that a save removes the temporary file of a process
// that was killed while it wrote, and no other.
func TestSaveRemovesLeftovers(t *testing.T) {
	dir := t.TempDir()
	killed := exec.Command(os.Args[0], "-test.run=^$")
	if err := killed.Run(); err != nil {
		t.Fatal(err)
	}
	litter := fmt.Sprintf(".a.yaml.%d-123", killed.Process.Pid)
	kept := []string{
		fmt.Sprintf(".a.yaml.%d-123", os.Getppid()), // at work
		fmt.Sprintf(".b.yaml.%d-123", killed.Process.Pid),
		".a.yaml.notes-1", ".a.yaml.12", fmt.Sprintf(".a.yaml.%d-x", killed.Process.Pid),
	}
	for _, name := range append(kept, litter) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Open("reference/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Save(filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, name := range kept {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, litter)); err == nil {
		t.Errorf("%s is still there", litter)
	}
}

// TestEncodeTooLarge holds that nothing is saved that is too large to be read.
func TestEncodeTooLarge(t *testing.T) {
	c := tape(get("https://ucwa.example/", strings.Repeat("a", MaxFile)))
	if content, err := c.Encode(); err == nil || !strings.Contains(err.Error(), "larger than 128 MiB") {
		t.Errorf("%d bytes, error %v", len(content), err)
	}
}
