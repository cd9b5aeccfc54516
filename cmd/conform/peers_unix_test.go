//go:build unix

package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest/peers"
	"gopkg.in/dnaeon/go-vcr.v3/recorder"
)

// TestWindows certifies a deployment whose token endpoints are behind servers that
// others wrote, by NTLM and by Kerberos, and holds that the recording is as good as the
// run, and shows nobody.
func TestWindows(t *testing.T) {
	slow(t)
	const password = danasPassword
	type way struct {
		name, password string
		args           []string
	}
	_, file := certificate(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), discoverHost, webHost, poolHost)
	certifies := func(t *testing.T, httpd peers.Httpd, windows string, ways ...way) {
		server := ucwatest.New(ucwatest.Config{Host: poolHost, SignIn: &ucwatest.SignIn{FrontEndUser: peers.UserHeader,
			Redirect: "https://" + webHost, Pool: "https://" + poolHost}})
		server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Windows: windows})
		behind, err := ucwatest.Start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.TLS = new(tls.ConnectionState) // which ends at the httpd
			server.ServeHTTP(w, r)
		}), ucwatest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(behind.Close)
		httpd.Behind, httpd.Certificate = behind.URL, file
		address := httpd.Start(t)
		t.Run("wrong password", func(t *testing.T) {
			args := append([]string{"--sip", "sip:dana@contoso.com", "--resolve", "*:443:" + address, "--cacert", file}, ways[0].args...)
			r := certify(t, []string{"CONFORM_PASSWORD=wrong-password"}, []string{"wrong-password"}, args...)
			if r.code != exitIncomplete {
				t.Errorf("exit code %d: %s", r.code, r.stderr)
			}
			r.says(t, "check the user name and the password; they were sent once", "the credentials of this run were refused")
		})
		for _, way := range ways {
			t.Run(way.name, func(t *testing.T) {
				out := t.TempDir()
				args := append([]string{"--sip", "sip:dana@contoso.com", "--resolve", "*:443:" + address, "--cacert", file, "--out", out}, way.args...)
				r := certify(t, []string{"CONFORM_PASSWORD=" + way.password}, []string{password}, args...)
				if r.code != exitConformant {
					t.Errorf("exit code %d: %s", r.code, r.stderr)
					r.says(t, "conformant")
				}
				if n := server.Applications(); n != 0 {
					t.Errorf("%d applications left on the server", n)
				}
				hidesAll(t, out, password, "TlRMTVNTU", "(NTLM|Negotiate) [A-Za-z0-9+/]{16}", "contoso", "Dana", "dana", "lyncweb", "webdir", "WORKSTATION")
				replays(t, out, r.report)
			})
		}
	}
	t.Run("NTLM", func(t *testing.T) {
		certifies(t, peers.Httpd{NTLM: "CONTOSO:dana:" + password}, `CONTOSO\dana`,
			way{"password", password, []string{"--grant", "windows", "--username", `CONTOSO\dana`}})
	})
	t.Run("Kerberos", func(t *testing.T) {
		kdc := peers.StartKDC(t, "dana", password, webHost, poolHost)
		user := []string{"--kerberos", "--krb5-config", kdc.Config, "--username", "dana@" + peers.Realm}
		certifies(t, peers.Httpd{Kerberos: kdc}, "dana@"+peers.Realm,
			way{"password", password, user},
			way{"keytab", "", append(user, "--keytab", kdc.Keytab)},
			way{"ccache", "", []string{"--krb5-config", kdc.Config, "--ccache", kdc.Cache(t)}})
	})
}

// hidesAll holds that none of these words stands in what a run has written.
func hidesAll(t *testing.T, out string, words ...string) {
	t.Helper()
	files, err := os.ReadDir(out)
	if err != nil || len(files) != 5 {
		t.Fatalf("%d files were written: %v", len(files), err)
	}
	hidden := regexp.MustCompile(`(?i)[^\n]*(` + strings.Join(words, "|") + `)[^\n]*`)
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(out, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if found := hidden.FindString(string(content)); found != "" {
			t.Errorf("%s shows %.300q", file.Name(), found)
		}
	}
}

// replays holds that the recording of a run has its verdicts, and that stock go-vcr
// plays it.
func replays(t *testing.T, out string, live reports.Report) {
	t.Helper()
	evidence := filepath.Join(out, "evidence.yaml")
	stdout, err := exec.Command("conform", "run", "--cassette", evidence, "--format", "json").Output()
	if err != nil {
		t.Errorf("the recording: %v", err)
	}
	var again reports.Report
	if err := json.Unmarshal(stdout, &again); err != nil {
		t.Fatal(err)
	}
	verdicts := func(r reports.Report) string {
		var b strings.Builder
		for _, result := range r.Results {
			fmt.Fprintln(&b, result.Requirement, result.Verdict)
		}
		return b.String()
	}
	if got, want := verdicts(again), verdicts(live); got != want || want == "" {
		t.Errorf("the recording has the verdicts\n%s, expected\n%s", got, want)
	}
	c, err := cassettes.Open(evidence)
	if err != nil {
		t.Fatal(err)
	}
	stock, err := recorder.NewWithOptions(&recorder.Options{CassetteName: strings.TrimSuffix(evidence, ".yaml"), Mode: recorder.ModeReplayOnly, SkipRequestLatency: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range c.Exchanges {
		if x.Failure != "" {
			continue
		}
		req, err := http.NewRequest(x.Request.Method, x.Request.URL, strings.NewReader(x.Request.Body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := stock.RoundTrip(req)
		if err != nil {
			t.Fatalf("exchange %d: %v", x.ID, err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != x.Response.Code || string(body) != x.Response.Body {
			t.Errorf("exchange %d: stock go-vcr answers %d %q (%v), recorded %d %q", x.ID, res.StatusCode, body, err, x.Response.Code, x.Response.Body)
		}
	}
}
