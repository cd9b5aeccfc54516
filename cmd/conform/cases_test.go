package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestCaptures judges captures in which something is missing, odd, or as real deployments have it. Each says which
// requirements fail; none fails that is not named, and those that are named as due have that verdict.
func TestCaptures(t *testing.T) {
	for _, test := range []struct {
		file  string
		fails []string
		due   map[string]reports.Verdict
		says  string // in the reason of a verdict
	}{
		{"body-lost-empty-text.har", nil, map[string]reports.Verdict{"set-presence.4.status": reports.Pass, "set-presence.4.json": reports.Error}, "the capture does not hold the body of exchange 4"},
		{"body-lost-mimetype-only.har", nil, map[string]reports.Verdict{"set-presence.4.json": reports.Error, "set-presence.nav.links": reports.Pass}, "the capture does not hold the body of exchange 2"},
		{"body-lost-with-links.har", nil, map[string]reports.Verdict{"set-presence.4.json": reports.Error}, "the capture does not hold the body of exchange"},
		{"request-bodies-not-kept.har", nil, map[string]reports.Verdict{"create-application.5.body.json": reports.Error, "create-application.5.culture": reports.Error, "create-application.5.status": reports.Pass},
			"the capture does not hold the body of the request of exchange 1"},
		{"json-as-a-parameter.har", nil, map[string]reports.Verdict{"create-application.5.body.json": reports.Pass, "set-presence.5.body.availability": reports.Pass}, ""},
		{"culture-not-sent.har", []string{"create-application.5.body.culture"}, map[string]reports.Verdict{"create-application.5.culture": reports.NotApplicable}, "the client does not tell its culture"},
		{"home-pool.har", nil, map[string]reports.Verdict{"create-application.4.link.applications": reports.Pass}, ""},
		{"bearer-in-lower-case.har", nil, map[string]reports.Verdict{"create-application.4.authorization": reports.Pass, "create-application.3.endpoint": reports.Pass}, ""},
		{"forbidden-by-policy.har", nil, map[string]reports.Verdict{"set-presence.2.status": reports.NotExercised}, "the user may not do this: look at the user's policies"},
		{"origin-not-allowed.har", nil, map[string]reports.Verdict{"create-application.1.status": reports.NotExercised, "set-presence.refusal.origin": reports.Pass}, "is not on the server's list; the administrator can allow it"},
		{"proxy-502-repeated.har", nil, map[string]reports.Verdict{"set-presence.6.status": reports.Pass}, ""},
		{"event-after-post.har", nil, map[string]reports.Verdict{"set-presence.event.presence": reports.Pass}, ""},
		{"whole-seconds.har", nil, map[string]reports.Verdict{"create-application.3.endpoint": reports.Pass, "set-presence.nav.links": reports.Pass}, ""},
		{"playwright.har.zip", nil, map[string]reports.Verdict{"set-presence.4.json": reports.Pass}, ""},
		{"har-in-a-zip.zip", nil, map[string]reports.Verdict{"set-presence.4.json": reports.Pass}, ""},
		{"chat.har", nil, map[string]reports.Verdict{"set-presence.4.json": reports.Pass}, ""},
		{"pool.redacted.yaml", nil, map[string]reports.Verdict{"set-presence.2.status": reports.Pass}, ""},
		{"mitmproxy-two-connections.har", nil, map[string]reports.Verdict{"set-presence.nav.links": reports.Pass, "set-presence.4.cache": reports.Pass}, ""},
		{"token-path-in-lower-case.har", nil, map[string]reports.Verdict{"create-application.3.endpoint": reports.Pass, "create-application.5.body.endpointId": reports.Pass, "create-application.1.link.self": reports.Pass}, ""},
		{"event-package-lost.har", nil, map[string]reports.Verdict{"set-presence.event.status": reports.Error}, "the capture does not hold the body of exchange"},
		{"last-refusal-lost.har", nil, map[string]reports.Verdict{"set-presence.event.status": reports.Pass}, ""},
		{"reload-body-lost.har", nil, map[string]reports.Verdict{"create-application.5.status": reports.Pass}, "the capture does not hold the body of exchange"},
		{"trailing-slash.har", nil, map[string]reports.Verdict{"set-presence.refusal.gone": reports.Pass, "set-presence.4.cookie.path": reports.Pass}, ""},
		{"reversed-one-time.har", nil, map[string]reports.Verdict{"set-presence.nav.links": reports.Pass}, ""},
		{"provisional-headers.har", nil, map[string]reports.Verdict{"set-presence.4.json": reports.Pass}, ""},
		{"request-bodies-lost-v1.yaml", nil, map[string]reports.Verdict{"set-presence.1.body.json": reports.Error}, "the capture does not hold the body of the request of exchange"},
		{"no-request-headers.yaml", nil, map[string]reports.Verdict{"set-presence.2.status": reports.Pass}, ""},
		// What such a capture lacks hides no fault.
		{"made-up-link.har", []string{"set-presence.nav.links"}, nil, ""},
		{"forbidden-without-error.har", []string{"set-presence.2.status"}, nil, ""},
		{"delete-conflict.har", []string{"create-application.6.status"}, nil, ""},
	} {
		t.Run(test.file, func(t *testing.T) {
			args := []string{"check", "testdata/captures/" + test.file, "--format", "json"}
			if strings.HasSuffix(test.file, ".yaml") { // as it was handed over by `conform redact`
				args = []string{"run", "--cassette", "testdata/captures/" + test.file, "--format", "json"}
			}
			cmd := exec.Command("conform", args...)
			output, err := cmd.Output()
			var report reports.Report
			if failed := json.Unmarshal(output, &report); failed != nil {
				t.Fatalf("one report is expected, for one client: %v (%v)", failed, err)
			}
			code := exitIncomplete
			if test.fails != nil {
				code = exitNonconformant
			}
			if got := cmd.ProcessState.ExitCode(); got != code {
				t.Errorf("exit code %d, expected %d", got, code)
			}
			said, judged := test.says == "", map[string]bool{}
			for _, r := range report.Results {
				if failed := r.Verdict == reports.Fail; failed != slices.Contains(test.fails, r.Requirement) {
					t.Errorf("%s: %s: expected %s; observed %.200s; %v", r.Requirement, r.Verdict, r.Expected, r.Observed, r.Evidence)
				}
				if want := test.due[r.Requirement]; want != "" && r.Verdict != want {
					t.Errorf("%s: %s, expected %s: %s", r.Requirement, r.Verdict, want, r.Reason)
				}
				said, judged[r.Requirement] = said || strings.Contains(r.Reason, test.says), true
			}
			for _, id := range slices.Concat(test.fails, slices.Collect(maps.Keys(test.due))) {
				if !judged[id] {
					t.Errorf("%s was not judged", id)
				}
			}
			if !said {
				t.Errorf("no verdict says %q", test.says)
			}
		})
	}
}

// TestHomePool certifies and diagnoses a user who is homed on another pool than the one that Autodiscover leads to: the user
// resource there redirects to the Autodiscover root of the home pool.
func TestHomePool(t *testing.T) {
	d := newDeployment(t, nil, func(s *ucwatest.SignIn) {
		*s = ucwatest.SignIn{Users: "https://" + webHost, Pool: "https://" + poolHost, Home: "https://" + poolHost}
	})
	if r := d.certify(); r.code != exitConformant {
		t.Errorf("exit code %d, expected %d: %s", r.code, exitConformant, r.stderr)
	}
	d.untouched()
	cmd := exec.Command("conform", append([]string{"doctor", "--hold", "1s"}, d.args()...)...)
	cmd.Env = append(os.Environ(), "CONFORM_PASSWORD="+danasPassword)
	output, err := cmd.Output()
	if err != nil {
		t.Errorf("doctor: %v\n%s", err, output)
	}
	for _, want := range []string{"a token for " + webHost, "a token for " + poolHost, "https://" + poolHost + "/ucwa/oauth/v1/applications: 201, created"} {
		if !strings.Contains(string(output), want) {
			t.Errorf("doctor does not say %q:\n%s", want, output)
		}
	}
}
