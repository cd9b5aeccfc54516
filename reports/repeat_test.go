package reports

import (
	"os/exec"
	"strings"
	"testing"
)

// failing is a report with one failure, whose request is given.
func failing(request Request) *Report {
	r := &Report{Results: []Result{{Requirement: "set-presence.6.status", Level: "must", Verdict: Fail, Evidence: []Pointer{{Exchange: 7, Field: "status"}}}},
		Exchanges: []Exchange{{Number: 7, Request: request}}}
	r.Tally()
	return r
}

// hostileBodies are bodies that a shell, an editor or a terminal could take for something else.
var hostileBodies = []string{
	``, `{"availability":"Online"}`, `it's`, `"$HOME" $(reboot) ` + "`reboot`" + ` \ ! % ^ & | ; < > * ?`, "‘curly’ ‚low‛", `$env:CONFORM_TOKEN; exit`, "会議 \u05e9\u05dc\u05d5\u05dd Привет",
	`a'b''c'\''d`, "-d @/etc/passwd", "@/etc/passwd", `--`, "{{CONFORM_TOKEN}}",
}

// TestRepeatInAShell has a shell read the line for curl, and expects the words that were meant.
func TestRepeatInAShell(t *testing.T) {
	for _, body := range hostileBodies {
		r := failing(Request{Method: "POST", URL: "https://pool.example/ucwa/a'b/[1]/../x?y=$z", Body: body,
			Headers: map[string][]string{"Authorization": {"Bearer cwt=REDACTED-1"}, "X-Quote": {body}, "Content-Type": {"application/json"}, "Host": {"pool.example"}}})
		script := `curl() { for word in "$@"; do printf '%s\0' "$word"; done; }; ` + r.repeats().line(r.Results[0])
		cmd := exec.Command("sh", "-c", script)
		cmd.Env = []string{"CONFORM_TOKEN=cwt=of-dana", "PATH="}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v: %s\n%s", body, err, out, script)
		}
		want := []string{"-sS", "-i", "-g", "--path-as-is", "--data-raw", body, "-X", "POST", "-H", "Authorization: Bearer cwt=of-dana", "-H", "X-Quote: " + body,
			"-H", "Content-Type: application/json", "https://pool.example/ucwa/a'b/[1]/../x?y=$z", ""}
		if got := strings.Split(string(out), "\x00"); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%q: the shell reads\n%q\nexpected\n%q", body, got, want)
		}
	}
}

// TestRepeatInPowerShell reads the strings of the line as PowerShell does: a quote, of which there are five, is written twice.
func TestRepeatInPowerShell(t *testing.T) {
	for _, body := range hostileBodies[1:] {
		r := failing(Request{Method: "POST", URL: "https://pool.example/", Body: body, Headers: map[string][]string{"Authorization": {"Bearer cwt=REDACTED-1"}}})
		line := r.repeats().of(r.Results[0]).PowerShell
		if !strings.Contains(line, `'Authorization' = ('Bearer ' + $env:CONFORM_TOKEN)`) {
			t.Errorf("no token: %s", line)
		}
		_, rest, _ := strings.Cut(line, " -Body '")
		got, quote := "", func(r rune) bool { return strings.ContainsRune("'\u2018\u2019\u201a\u201b", r) }
		runes := []rune(rest)
		for i := 0; i < len(runes); i++ {
			if quote(runes[i]) {
				if i+1 == len(runes) || !quote(runes[i+1]) {
					runes = runes[i+1:]
					break
				}
				i++
			}
			got += string(runes[i])
		}
		if got != body || len(runes) != 0 {
			t.Errorf("PowerShell reads %q and then %q, expected %q: %s", got, string(runes), body, line)
		}
	}
}

// TestRepeatWithoutSecrets looks at the three forms of requests that hold credentials, or what fits into no line.
func TestRepeatWithoutSecrets(t *testing.T) {
	form := map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}}
	for _, row := range []struct {
		name    string
		request Request
		curl    string
		others  string // in both others
	}{
		{"another token", Request{Method: "GET", URL: "https://pool.example/", Headers: map[string][]string{"Authorization": {"Bearer cwt=REDACTED-2"}}},
			`"$CONFORM_TOKEN"`, "CONFORM_TOKEN"},
		{"only a placeholder", Request{Method: "GET", URL: "https://pool.example/", Headers: map[string][]string{"Authorization": {"REDACTED"}}},
			`-H 'Authorization: Bearer '"$CONFORM_TOKEN"`, "CONFORM_TOKEN"},
		{"a password", Request{Method: "POST", URL: "https://pool.example/", Headers: form, Body: "grant_type=password&password=REDACTED&username=dana"},
			`--data-raw 'grant_type=password' --data-urlencode 'password='"$CONFORM_PASSWORD" --data-raw 'username=dana'`, "CONFORM_PASSWORD"},
		{"a token that was not masked", Request{Method: "GET", URL: "https://pool.example/", Headers: map[string][]string{"Authorization": {"bearer cwt=AAEBsecret"}}},
			`-H 'Authorization: Bearer '"$CONFORM_TOKEN"`, "CONFORM_TOKEN"},
		{"a cookie", Request{Method: "GET", URL: "https://pool.example/", Headers: map[string][]string{"Cookie": {"cwt_ucwa=REDACTED-3"}, "X-A": {"b"}}}, `-H 'X-A: b' 'https://pool.example/'`, "X-A"},
		{"Windows", Request{Method: "GET", URL: "https://pool.example/", Headers: map[string][]string{"Authorization": {"Negotiate abc"}}}, `--anyauth -u :`, ""},
		{"a megabyte", Request{Method: "POST", URL: "https://pool.example/", Body: strings.Repeat("x", 1<<20)}, `jq -j '.exchanges[]|select(.number==7).request.body' report.json | curl`, "report.json"},
		{"binary", Request{Method: "POST", URL: "https://pool.example/", Body: "a\x00b"}, `--data-binary @-`, "report.json"},
		{"lines", Request{Method: "POST", URL: "https://pool.example/\r\nX: y", Body: "a\nb"}, "", ""},
		{"a header of two lines", Request{Method: "GET", URL: "https://pool.example/", Headers: map[string][]string{"X-A": {"b\r\n'; reboot"}}}, `curl -sS -i -g --path-as-is 'https://pool.example/'`, ""},
		{"a method", Request{Method: "GET;reboot", URL: "https://pool.example/"}, "", ""},
		{"a scheme", Request{Method: "GET", URL: "file:///etc/passwd"}, "", ""},
		{"an option", Request{Method: "GET", URL: "-K/etc/passwd"}, "", ""},
	} {
		r := failing(row.request)
		again := r.repeats().of(r.Results[0])
		if row.curl == "" {
			if again != nil {
				t.Errorf("%s: %s", row.name, again.Curl)
			}
			continue
		}
		if again == nil || !strings.Contains(again.Curl, row.curl) || !strings.Contains(again.HTTP, row.others) || !strings.Contains(again.PowerShell, row.others) {
			t.Errorf("%s: %+v", row.name, again)
			continue
		}
		for _, line := range []string{again.Curl, again.HTTP, again.PowerShell} {
			if strings.Contains(line, "REDACTED") || strings.Contains(line, "AAEB") || len(line) > 3*maxLine || strings.ContainsAny(again.Curl+again.PowerShell, "\n\r\x00") {
				t.Errorf("%s: %q", row.name, line)
			}
		}
	}
}

// TestRepeatIsNotRead holds that a line in a file is not shown, as it could do anything.
func TestRepeatIsNotRead(t *testing.T) {
	r := failing(Request{Method: "GET", URL: "https://pool.example/"})
	written := string(render(t, r, "json", Options{}))
	if !strings.Contains(written, `"curl": "curl `) {
		t.Fatal(written)
	}
	read, err := Read(strings.NewReader(strings.Replace(written, `"curl": "curl `, `"curl": "reboot; curl `, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "html", "markdown", "json"} {
		if strings.Contains(string(render(t, read, format, Options{})), "reboot") {
			t.Errorf("%s shows a line from the file", format)
		}
	}
}

// TestRepeatOfOthers holds that another token than that of the run has another variable, and that no line is written that would send something else.
func TestRepeatOfOthers(t *testing.T) {
	r := failing(Request{Method: "POST", URL: "https://pool.example/", Headers: map[string][]string{"authorization": {"Bearer cwt=REDACTED-2"}, "Accept": {"a", "b"}}})
	for i := range 3 {
		r.Exchanges = append(r.Exchanges, Exchange{Number: 10 + i, Request: Request{Method: "GET", URL: "https://pool.example/", Headers: map[string][]string{"authorization": {"Bearer cwt=REDACTED-1"}}}})
	}
	again := r.repeats().of(r.Results[0])
	for _, line := range []string{again.Curl, again.HTTP, again.PowerShell} {
		if !strings.Contains(line, "CONFORM_OTHER_TOKEN") || strings.Contains(line, "CONFORM_TOKEN") {
			t.Errorf("the token is another: %s", line)
		}
	}
	if !strings.Contains(again.PowerShell, `'Accept' = 'a, b'`) || strings.Count(again.PowerShell, "'Accept'") != 1 {
		t.Errorf("a name twice in a table: %s", again.PowerShell)
	}
	for _, braces := range []Request{
		{Method: "GET", URL: "https://pool.example/?x={{$env.HOME}}"},
		{Method: "GET", URL: "https://pool.example/", Headers: map[string][]string{"If-Match": {`"{{CONFORM_PASSWORD}}"`}}},
		{Method: "POST", URL: "https://pool.example/", Body: "{{CONFORM_PASSWORD}}"},
	} {
		r := failing(braces)
		if again := r.repeats().of(r.Results[0]); strings.Contains(again.HTTP, "{{") {
			t.Errorf("an editor would put a value there: %s", again.HTTP)
		}
	}
	for name, request := range map[string]Request{
		"a blank in the URL":          {Method: "GET", URL: "https://pool.example/a b"},
		"a long URL":                  {Method: "GET", URL: "https://pool.example/" + strings.Repeat("x", 9<<10)},
		"a placeholder in a megabyte": {Method: "POST", URL: "https://pool.example/", Body: "REDACTED" + strings.Repeat("x", 1<<20)},
	} {
		r := failing(request)
		if again := r.repeats().of(r.Results[0]); again != nil {
			t.Errorf("%s: %.200s", name, again.Curl)
		}
	}
	command := failing(Request{Method: "POST", URL: "https://pool.example/", Body: "##vso[task.complete result=Succeeded;]"})
	for _, format := range []string{"text", "markdown"} {
		if text := string(render(t, command, format, Options{})); strings.Contains(text, "##vso[") {
			t.Errorf("%s has a command: %s", format, text)
		}
	}
	if text := string(render(t, failing(Request{Method: "POST", URL: "https://pool.example/", Body: "ü"}), "text", Options{ASCII: true})); strings.Contains(text, "curl") {
		t.Errorf("a line that sends something else: %s", text)
	}
}
