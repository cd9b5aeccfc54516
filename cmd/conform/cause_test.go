package main

import (
	"bytes"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestOneCauseForEach holds that a run that cannot start says so in twelve lines, once in the page and once in JUnit, with the exit code of a run in
// which nothing could be judged, or of one that judged a little.
func TestOneCauseForEach(t *testing.T) {
	slow(t)
	old, oldFile := certificate(t, time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour), "localhost")
	expired := newPool(t)
	expired.secure(&tls.Config{Certificates: []tls.Certificate{old}}, false)
	d := newDeployment(t, nil, nil)
	deployment := func(address string) []string {
		return []string{"--sip", "sip:dana@contoso.com", "--resolve", "*:443:" + address, "--resolve", "*:80:127.0.0.1:1"}
	}
	for _, test := range []struct {
		name        string
		environment string
		args        []string
		code        int
		says        string
	}{
		{"server down", "", deployment("127.0.0.1:1"), exitFailed, "nothing listens at that address"},
		{"untrusted certificate", "", deployment(d.address), exitFailed, "--cacert FILE"},
		{"expired certificate", "", []string{"--sip", "sip:dana@contoso.com", "--autodiscover", expired.url + "/Autodiscover/AutodiscoverService.svc/root", "--cacert", oldFile}, exitFailed, "renew it, or set the clock"},
		{"wrong password", "CONFORM_PASSWORD=wrong-Passw0rd", append(deployment(d.address), "--cacert", d.cacert), exitIncomplete, "check the user name and"},
		{"dead proxy", "HTTPS_PROXY=http://127.0.0.1:1", []string{"--sip", "sip:dana@contoso.com", "--autodiscover", "https://lyncdiscover.contoso.com/"}, exitFailed, "the proxy of HTTPS_PROXY"},
		{"unknown name", "", []string{"--sip", "sip:dana@nosuch.invalid"}, exitFailed, "the host name is not known here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "unknown name" {
				var unknown *net.DNSError
				if _, err := net.DefaultResolver.LookupHost(t.Context(), "nosuch.invalid"); !errors.As(err, &unknown) || !unknown.IsNotFound {
					t.Skip("no name server says here that a name is unknown: ", err)
				}
			}
			out := t.TempDir()
			cmd := exec.CommandContext(t.Context(), "conform", append(append([]string{"run", "--out", out}, quick...), test.args...)...)
			cmd.Env = append(os.Environ(), "CONFORM_PASSWORD="+danasPassword, "NO_PROXY=", "HTTPS_PROXY=", test.environment)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run()
			text := stdout.String()
			if code := cmd.ProcessState.ExitCode(); code != test.code {
				t.Errorf("exit code %d, expected %d: %s", code, test.code, stderr.String())
			}
			if n := strings.Count(text, "\n"); n > 12 || !strings.Contains(text, "✗ Not tested: ") || !strings.Contains(strings.Join(strings.Fields(text), " "), test.says) {
				t.Errorf("%d lines, expected twelve or fewer with %q:\n%s", n, test.says, text)
			}
			page, err := os.ReadFile(filepath.Join(out, reports.FileName("html")))
			if err != nil {
				t.Fatal(err)
			}
			open := 0
			for _, tag := range strings.Split(string(page), "<details class=\"result")[1:] {
				if head, _, _ := strings.Cut(tag, ">"); strings.HasSuffix(head, " open") {
					open++
				}
			}
			if open != 1 {
				t.Errorf("%d rows of the page are open", open)
			}
			var suites struct {
				Errors   int `xml:"errors,attr"`
				Failures int `xml:"failures,attr"`
			}
			data, err := os.ReadFile(filepath.Join(out, reports.FileName("junit")))
			if err != nil {
				t.Fatal(err)
			}
			if err := xml.Unmarshal(data, &suites); err != nil || suites.Errors != 1 || suites.Failures != 0 {
				t.Errorf("JUnit has %+v, %v", suites, err)
			}
		})
	}
}
