//go:build unix

package main

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// twoUsers have each other in their lists.
const twoUsers = `
- name: Dana Birkby
  sip: sip:dana@contoso.com
  email: dana@contoso.com
  password: Passw0rd-of-Dana
  contacts: [sip:lene@contoso.com]
- name: Lene Aaling
  sip: sip:lene@contoso.com
  password: Passw0rd-of-Lene
  contacts: [sip:dana@contoso.com]
`

// taskPages are those that the two clients go through, and a meeting of two.
var taskPages = strings.Fields(`create-application get-presence set-presence reset-presence get-note set-note reset-note get-photo
	get-contacts get-contact get-contact-presence search-contact subscribe-group subscribe-contacts extend-subscription delete-subscription
	send-message receive-message schedule-meeting update-meeting batch event-channel meeting`)

// TestTaskPages has two clients that were written from the documentation alone, by somebody
// who had not seen the server, go through every task page with two users, from the sign-in to
// the last step: one in JSON, one in XML.
func TestTaskPages(t *testing.T) {
	slow(t)
	for name, program := range map[string][]string{"JSON": {"python3", "tasks.py"}, "XML": {"node", "tasks.mjs"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			interpreter := peer(t, program[0])
			dir := t.TempDir()
			users := filepath.Join(dir, "users.yaml")
			if err := os.WriteFile(users, []byte(twoUsers), 0o600); err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(dir, "out")
			s := startServing(t, "--users", users, "--out", out)
			_, port, err := net.SplitHostPort(s.address)
			if err != nil {
				t.Fatal(err)
			}
			client := exec.CommandContext(t.Context(), interpreter, "testdata/clients/"+program[1])
			client.Env = append(os.Environ(), "ROOT=https://localhost:"+port+"/", "CACERT="+s.ca,
				"USER1=sip:dana@contoso.com", "PASSWORD1=Passw0rd-of-Dana", "USER2=sip:lene@contoso.com", "PASSWORD2=Passw0rd-of-Lene")
			var problem strings.Builder
			client.Stderr = &problem
			output, err := client.Output()
			if err != nil {
				t.Errorf("%v: %s", err, problem.String())
			}
			for _, page := range taskPages {
				if !strings.Contains(string(output), "ok "+page+"\n") {
					t.Errorf("%s was not passed", page)
				}
			}
			_, log := s.end(t)
			bodiesJudged(t, out)
			if t.Failed() {
				t.Log(log)
			}
		})
	}
}

// bodiesJudged holds that of both clients was judged what only their bodies can show.
func bodiesJudged(t *testing.T, out string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(out, "*", "report.json"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r reports.Report
		if err := json.Unmarshal(content, &r); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"create-application.5.body.culture", "set-presence.1.body.modalities", "set-presence.nav.links", "set-presence.nav.order"} {
			if i := slices.IndexFunc(r.Results, func(x reports.Result) bool { return x.Requirement == id }); i < 0 || r.Results[i].Verdict != reports.Pass {
				t.Errorf("%s: %s did not pass", file, id)
			}
		}
	}
}
