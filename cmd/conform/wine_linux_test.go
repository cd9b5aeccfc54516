package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestWine runs the program for Windows by Wine: paths with backslashes and drive letters, lines that end in CRLF, and secrets in files as Notepad and
// Windows PowerShell write them. What Wine does not show is in docs/powershell.md.
func TestWine(t *testing.T) {
	if testing.Short() || raced || runtime.GOARCH != "amd64" {
		t.Skip("builds the program for Windows")
	}
	wine := peer(t, "wine")
	dir := t.TempDir()
	exe := filepath.Join(dir, "conform.exe")
	build := exec.Command("go", "build", "-o", exe, ".")
	build.Env = append(os.Environ(), "GOOS=windows", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	prefix := filepath.Join(dir, "prefix")
	windows := func(env []string, args ...string) (stdout, stderr string, code int) {
		cmd := exec.CommandContext(t.Context(), wine, append([]string{exe}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(append(os.Environ(), "WINEPREFIX="+prefix, "WINEDEBUG=-all", "HOME="+dir, "DISPLAY="), env...)
		var out, said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &said
		_ = cmd.Run()
		return strings.ReplaceAll(out.String(), "\r\n", "\n"), said.String(), cmd.ProcessState.ExitCode()
	}
	t.Cleanup(func() { // what it started would write into a directory that is gone
		cmd := exec.Command("wineserver", "-k", "-w")
		cmd.Env = append(os.Environ(), "WINEPREFIX="+prefix)
		_ = cmd.Run()
	})
	windows(nil, "version") // which makes the prefix
	if err := os.WriteFile(filepath.Join(prefix, "drive_c/windows/system32/bcryptprimitives.dll"), forwarder("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036"), 0o600); err != nil {
		t.Fatal(err)
	}
	runs := func(want int, env []string, args ...string) string {
		t.Helper()
		stdout, stderr, code := windows(env, args...)
		if code != want {
			t.Fatalf("%q: exit code %d, expected %d: %s%s", args, code, want, stdout, stderr)
		}
		return stdout
	}
	drive := func(path string) string { return "Z:" + strings.ReplaceAll(path, "/", `\`) }

	if out := runs(exitConformant, nil, "run", "--out", `reports\first`); !strings.Contains(out, "conformant: ") || strings.Contains(out, "\x1b") {
		t.Errorf("run: %s", out)
	}
	if out := runs(exitConformant, nil, "report", "convert", drive(filepath.Join(dir, "reports/first/report.json")), "--format", "badge"); !strings.Contains(out, `"conformant 2`) {
		t.Errorf("convert: %s", out)
	}
	capture, err := filepath.Abs("testdata/captures/event-after-post.har")
	if err != nil {
		t.Fatal(err)
	}
	runs(exitConformant, nil, "check", drive(capture), "--subject", "server", "--allow-incomplete")

	const password = "Pässw0rd-of-Dana"
	server := ucwatest.New(ucwatest.Config{SignIn: &ucwatest.SignIn{}})
	server.AddUser(ucwatest.User{URI: "sip:dana@contoso.com", Password: password})
	running, err := ucwatest.StartTLS(server, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ca.pem", bytes.ReplaceAll(running.Certificate, []byte("\n"), []byte("\r\n")))
	write("pool.yaml", []byte("sip: sip:dana@contoso.com\r\ncacert: ca.pem\r\nrequirement: [create-application.3.status]\r\nautodiscover: "+running.URL+"/Autodiscover/AutodiscoverService.svc/root\r\n"))
	wide := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(password + "\r\n")) {
		wide = binary.LittleEndian.AppendUint16(wide, unit)
	}
	for name, data := range map[string][]byte{"Notepad": []byte("\xef\xbb\xbf" + password + "\r\n"), "PowerShell": wide} {
		write("password.txt", data)
		var r reports.Report
		if err := json.Unmarshal([]byte(runs(exitConformant, nil, "run", "--config", `.\pool.yaml`, "--password-file", drive(filepath.Join(dir, "password.txt")), "--format", "json")), &r); err != nil || r.Counts.Pass != 1 {
			t.Errorf("a password of %s: %v, %s", name, err, r.Counts)
		}
	}
}

// forwarder is a DLL with one function, which is that of another: Go needs one that Wine 8 does not have.
func forwarder(dll, function, to string) []byte {
	const at, size = 0x1000, 0x200
	table := make([]byte, size)
	for offset, value := range map[int]uint32{12: at + 0x60, 16: 1, 20: 1, 24: 1, 28: at + 40, 32: at + 44, 36: at + 48, 40: at + 0xa0, 44: at + 0x80} {
		binary.LittleEndian.PutUint32(table[offset:], value)
	}
	copy(table[0x60:], dll)
	copy(table[0x80:], function)
	copy(table[0xa0:], to)
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.LittleEndian, v) // into memory
		}
	}
	put([]byte("MZ"), [58]byte{}, uint32(64))
	put([]byte("PE\x00\x00"), uint16(0x8664), uint16(1), [12]byte{}, uint16(240), uint16(0x2022))
	put(uint16(0x20b), [6]byte{}, uint32(size), [12]byte{}, uint64(0x180000000), uint32(at), uint32(size), uint16(6), [6]byte{}, uint16(6), [6]byte{},
		uint32(0x2000), uint32(size), uint32(0), uint16(2), uint16(0x160), uint64(1<<20), uint64(at), uint64(1<<20), uint64(at), uint32(0), uint32(16))
	put(uint32(at), uint32(size), [120]byte{})
	put([]byte(".rdata\x00\x00"), uint32(size), uint32(at), uint32(size), uint32(size), [12]byte{}, uint32(0x40000040))
	put(make([]byte, size-b.Len()), table)
	return b.Bytes()
}
