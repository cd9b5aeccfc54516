package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"gopkg.in/dnaeon/go-vcr.v3/recorder"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"conform": main, "faultyclient": faultyClient})
}

// TestScripts runs the command as a user does: testdata/script holds a file for
// each thing that users do.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("GORACE", "atexit_sleep_ms=10") // else each command with the race detector sleeps for a second
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":      serve,
			"exitcode":   exitCode,
			"conforms":   validates,
			"tallies":    tallies,
			"larger":     larger,
			"aliasbomb":  aliasBomb,
			"recordwith": recordStock,

			"capturedas":   capturedAs,
			"loadstock":    loadStock,
			"sameverdicts": sameVerdicts,
			"expand":       expand,
			"samehash":     sameHash,
			"append":       appendTo,
			"halve":        halve,

			"for-each-format": forEachFormat,
			"conforms-to":     conformsTo,
			"attests":         attests,
		},
	})
}

// exitcode N command...: runs a command and expects that exit code.
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	want := args[0]
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != want {
		ts.Fatalf("exit code %s, expected %s", got, want)
	}
}

// serve [plain|tls|MISBEHAVIOUR]: starts a server with an application, and sets
// APPLICATION, TARGET, CACERT and the tokens.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	var config ucwatest.Config
	options := ucwatest.Options{ErrorLog: log.New(io.Discard, "", 0)}
	if args[0] == "deployment" { // Autodiscover leads to a second host, and that to the pool
		config.Host = "lyncweb.contoso.com"
		config.SignIn = &ucwatest.SignIn{Redirect: "https://webdir.contoso.com", Pool: "https://lyncweb.contoso.com"}
		options.Hosts = []string{"lyncdiscoverinternal.contoso.com", "webdir.contoso.com", "lyncweb.contoso.com"}
	}
	server := ucwatest.New(config)
	var handler http.Handler = server
	start := ucwatest.Start
	done := make(chan struct{})
	switch args[0] {
	case "plain":
	case "tls", "deployment":
		start = ucwatest.StartTLS
	case "500":
		handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "broken", 500) })
	case "html":
		handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html><title>\x1b[31mhello</title></html>")
		})
	case "closing":
		handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	case "silent":
		handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done })
	default:
		fault, err := prove.FaultNamed(args[0])
		if err != nil {
			ts.Fatalf("serve: %v", err)
		}
		handler = fault.Handler(server)
	}
	running, err := start(handler, options)
	ts.Check(err)
	ts.Defer(func() { close(done); running.Close() })
	party := func(u ucwatest.User, endpoint, application, token string) {
		secret := server.AddUser(u)
		href, err := server.CreateApplication(secret, "conform", "en-US", endpoint)
		ts.Check(err)
		ts.Setenv(application, running.URL+href)
		ts.Setenv(token, secret)
	}
	party(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Password: "Passw0rd-of-Dana"}, "3fa85f64-5717-4562-b3fc-2c963f66afa6", "APPLICATION", "CONFORM_TOKEN")
	server.AddUser(ucwatest.User{Name: "Robin", URI: "sip:robin@contoso.com", Password: "Passw0rd-of-Dana"})
	party(ucwatest.User{Name: "Guest", URI: "sip:guest@contoso.com", Anonymous: true}, "3fa85f64-5717-4562-b3fc-2c963f66afa7", "GUEST", "CONFORM_ANONYMOUS_TOKEN")
	party(ucwatest.User{Name: "Lee", URI: "sip:lee@contoso.com", Modalities: []string{"Messaging"}}, "3fa85f64-5717-4562-b3fc-2c963f66afa8", "LEE", "CONFORM_RESTRICTED_TOKEN")
	ts.Setenv("TARGET", running.URL)
	at, err := url.Parse(ts.Getenv("APPLICATION"))
	ts.Check(err)
	ts.Setenv("PORT", at.Port())
	ts.Setenv("APPLICATIONPATH", at.Path)
	ts.Setenv("CACERT", ts.MkAbs("ca.pem"))
	ts.Check(os.WriteFile(ts.MkAbs("ca.pem"), running.Certificate, 0o600))
}

// expand FILE: puts the values of the environment into a file, anew each time.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	if _, err := os.Stat(name + ".tmpl"); err != nil {
		ts.Check(os.Rename(name, name+".tmpl"))
	}
	ts.Check(os.WriteFile(name, []byte(os.Expand(ts.ReadFile(name+".tmpl"), ts.Getenv)), 0o600))
}

// append FILE FROM...: puts what other files hold behind what it holds, or a line of words if there is none of that name.
func appendTo(ts *testscript.TestScript, _ bool, args []string) {
	content, _ := os.ReadFile(ts.MkAbs(args[0]))
	for _, from := range args[1:] {
		more, err := os.ReadFile(ts.MkAbs(from))
		if err != nil {
			more = []byte(from + "\n")
		}
		content = append(content, more...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o600))
}

// halve FROM TO: writes the first half of a file.
func halve(ts *testscript.TestScript, _ bool, args []string) {
	content := ts.ReadFile(args[0])
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(content[:len(content)/2]), 0o600))
}

// samehash REPORT EVIDENCE: holds that the report is bound to the evidence beside it.
func sameHash(ts *testscript.TestScript, _ bool, args []string) {
	var r reports.Report
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &r))
	c, err := cassettes.Open(ts.MkAbs(args[1]))
	ts.Check(err)
	if r.Evidence.SHA256 == "" || r.Evidence.SHA256 != c.SHA256 || r.Evidence.SHA256 != c.Provenance.SHA256 {
		ts.Fatalf("the report names %q, the file says %q and is %q", r.Evidence.SHA256, c.Provenance.SHA256, c.SHA256)
	}
}

// meets holds that a file meets a schema.
func meets(ts *testscript.TestScript, file string, published []byte) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(ts.ReadFile(file)))
	ts.Check(err)
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(published))
	ts.Check(err)
	compiler := jsonschema.NewCompiler()
	ts.Check(compiler.AddResource("schema.json", schema))
	compiled, err := compiler.Compile("schema.json")
	ts.Check(err)
	ts.Check(compiled.Validate(document))
}

// conforms FILE: validates a report against the published schema, and its counts
// against its results.
func validates(ts *testscript.TestScript, _ bool, args []string) {
	meets(ts, args[0], reports.Schema())
	var r reports.Report
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &r))
	counts, outcome := r.Counts, r.Outcome
	r.Tally()
	if counts != r.Counts || outcome != r.Outcome || len(r.Results) == 0 {
		ts.Fatalf("%s: counts %+v, outcome %s; its %d results make %+v, %s", args[0], counts, outcome, len(r.Results), r.Counts, r.Outcome)
	}
}

// tallies FILE: holds that the counts in a JUnit file are those of its elements.
func tallies(ts *testscript.TestScript, _ bool, args []string) {
	type counts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	var file struct {
		counts
		Suites []struct {
			counts
			Cases []struct {
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	ts.Check(xml.Unmarshal([]byte(ts.ReadFile(args[0])), &file))
	var all counts
	for _, s := range file.Suites {
		var own counts
		for _, c := range s.Cases {
			own.Tests++
			if c.Failure != nil {
				own.Failures++
			}
			if c.Error != nil {
				own.Errors++
			}
			if c.Skipped != nil {
				own.Skipped++
			}
		}
		if own != s.counts {
			ts.Fatalf("%s: a suite says %+v and holds %+v", args[0], s.counts, own)
		}
		all.Tests, all.Failures, all.Errors, all.Skipped = all.Tests+own.Tests, all.Failures+own.Failures, all.Errors+own.Errors, all.Skipped+own.Skipped
	}
	if all != file.counts || all.Tests == 0 || all.Failures+all.Errors == 0 {
		ts.Fatalf("%s says %+v and holds %+v; a run that is not conformant must not look green", args[0], file.counts, all)
	}
}

// sameverdicts FILE FILE: holds that two reports have the same verdicts.
func sameVerdicts(ts *testscript.TestScript, _ bool, args []string) {
	var verdicts [2]map[string]reports.Verdict
	for i := range verdicts {
		var r reports.Report
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[i])), &r))
		verdicts[i] = map[string]reports.Verdict{}
		for _, result := range r.Results {
			verdicts[i][result.Requirement] = result.Verdict
		}
	}
	if len(verdicts[0]) == 0 || !maps.Equal(verdicts[0], verdicts[1]) {
		ts.Fatalf("%s and %s have other verdicts:\n%v\n%v", args[0], args[1], verdicts[0], verdicts[1])
	}
}

// larger FILE MEGABYTES: writes a cassette with one body of that size.
func larger(ts *testscript.TestScript, _ bool, args []string) {
	var megabytes int
	_, err := fmt.Sscan(args[1], &megabytes)
	ts.Check(err)
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer file.Close()
	fmt.Fprint(file, "version: 2\ninteractions:\n- id: 0\n  request:\n    url: https://pool.example/applications/1\n    method: GET\n  response:\n    code: 200\n    body: \"")
	line := strings.Repeat("x", 1<<20)
	for range megabytes {
		fmt.Fprint(file, line)
	}
	fmt.Fprintln(file, `"`)
}

// aliasbomb FILE: writes YAML that grows to billions of nodes.
func aliasBomb(ts *testscript.TestScript, _ bool, args []string) {
	var b strings.Builder
	b.WriteString("version: 2\na: &a [x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c <= 'l'; c++ {
		fmt.Fprintf(&b, "%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	b.WriteString("interactions: *l\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// recordwith FILE: records a session of a client of somebody else's with stock go-vcr v3.
func recordStock(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(stockSession(strings.TrimSuffix(ts.MkAbs(args[0]), ".yaml"), ts.Getenv("APPLICATION"), ts.Getenv("CONFORM_TOKEN")))
}

// TestInterrupt holds that an interrupted live run still writes its report, and
// does not replace the good recording of an earlier run.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Save(filepath.Join(dir, "evidence.yaml")); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(dir, "evidence.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := ucwatest.New(ucwatest.Config{})
	asked := make(chan struct{}, 1000)
	running, err := ucwatest.Start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/events") {
			asked <- struct{}{}
			<-r.Context().Done() // an event channel that never has anything to say
			return
		}
		server.ServeHTTP(w, r)
	}), ucwatest.Options{})
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
	go func() { <-asked; cancel() }()
	var stdout, stderr strings.Builder
	began := time.Now()
	code := run(ctx, []string{"run", "--application", running.URL + href, "--out", dir, "--format", "json"}, &stdout, &stderr)
	if code != exitInterrupted || time.Since(began) > 20*time.Second {
		t.Errorf("exit code %d after %s, expected %d: %s", code, time.Since(began), exitInterrupted, stderr.String())
	}
	for _, name := range []string{"report.json", "junit.xml", "report.html", "report.md", "evidence-failed.yaml"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		if strings.Contains(string(data), token) {
			t.Errorf("%s holds the token", name)
		}
	}
	if report, _ := os.ReadFile(filepath.Join(dir, "report.json")); !strings.Contains(string(report), "interrupted: ") || strings.Contains(string(report), "--timeout") {
		t.Error("the report does not say that the run was interrupted, or blames --timeout")
	}
	if kept, _ := os.ReadFile(filepath.Join(dir, "evidence.yaml")); !bytes.Equal(kept, good) {
		t.Error("the good recording of an earlier run was replaced")
	}
	if n := server.Applications(); n != 0 {
		t.Errorf("%d applications left on the server", n)
	}
}

// TestInterruptedRecord holds that what an interrupt left of a recording is not called
// one, and takes the place of none.
func TestInterruptedRecord(t *testing.T) {
	p := newPool(t)
	var interrupt context.CancelFunc
	running, err := ucwatest.Start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if interrupt != nil && strings.HasSuffix(r.URL.Path, "/makeMeAvailable") {
			interrupt()
		}
		p.server.ServeHTTP(w, r)
	}), ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	t.Setenv("CONFORM_TOKEN", p.token)
	record := func(ctx context.Context, file string) (int, string, string) {
		var stdout, stderr strings.Builder
		code := run(ctx, []string{"record", "--application", running.URL + p.application(), "--out", file}, &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
	whole, cut := filepath.Join(t.TempDir(), "whole.yaml"), filepath.Join(t.TempDir(), "cut.yaml")
	if code, said, failed := record(t.Context(), whole); code != 0 || !strings.Contains(said, "recorded: ") {
		t.Fatalf("exit code %d: %s%s", code, said, failed)
	}
	good, _ := os.ReadFile(whole)
	for file, want := range map[string]string{whole: "is kept as it was: the run was interrupted", cut: "the recording is not whole"} {
		ctx, cancel := context.WithCancel(t.Context())
		interrupt = cancel
		code, said, failed := record(ctx, file)
		if code != exitInterrupted || strings.Contains(said, "recorded: ") || !strings.Contains(failed, want) {
			t.Errorf("exit code %d: %s%s, expected %q", code, said, failed, want)
		}
		cancel()
	}
	if kept, _ := os.ReadFile(whole); !bytes.Equal(kept, good) {
		t.Error("the whole recording was replaced")
	}
	p.untouched()
}

// full is a standard output for which there is no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestFullOutput holds that what cannot be written is told as such, and not as a mistake in the
// arguments.
func TestFullOutput(t *testing.T) {
	for _, args := range [][]string{{"list"}, {"list", "--format", "json"}, {"version"}, {"explain", "set-presence"}, {"explain", "set-presence.2.status"}} {
		var said strings.Builder
		if code := run(t.Context(), args, full{}, &said); code != exitFailed || said.String() != "conform: writing to standard output: no space left on device\n" {
			t.Errorf("%q: exit code %d, expected %d: %s", args, code, exitFailed, said.String())
		}
	}
}

func TestCleanToken(t *testing.T) {
	for given, want := range map[string]string{
		"cwt=AAEB":                    "cwt=AAEB",
		" cwt=AAEB\r\n":               "cwt=AAEB",
		"\ufeffcwt=AAEB\n":            "cwt=AAEB",
		"\ufeffbearer  cwt=AAEB":      "cwt=AAEB",
		"":                            "",
		"\ufeff\n":                    "",
		"Bearer ":                     "",
		"cwt=one\ncwt=two":            "",
		"Authorization: Bearer cwt=A": "",
		"eyJhbGciOiJub25lIn0":         "", // of OAuth, elsewhere
		"wt=AAEB":                     "",
		"CWT=AAEB":                    "", // the specification of requests has small letters
		"cwt=":                        "",
	} {
		got, err := cleanToken("--token-file", given)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q became %q (%v), expected %q", given, got, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "cwt=one") || strings.Contains(err.Error(), "eyJ")) {
			t.Errorf("the error shows a token: %v", err)
		}
	}
}

// TestReadme holds that the figures and the hash in the README are today's.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, ledger := range suite.Ledgers() {
		for _, r := range ledger.Requirements {
			count[r.Subject]++
		}
	}
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("%d requirements of the server and %d of the client", count["server"], count["client"]),
		fmt.Sprintf("server %d · client %d", count["server"], count["client"]),
		"sha256 " + c.SHA256[:12],
	} {
		if !strings.Contains(string(readme), want) {
			t.Errorf("README.md does not say %q", want)
		}
	}
}

// stockSession does the documented steps with a client of its own, and records
// them with stock go-vcr v3.
func stockSession(name, application, token string) error {
	r, err := recorder.NewWithOptions(&recorder.Options{CassetteName: name, Mode: recorder.ModeRecordOnly})
	if err != nil {
		return err
	}
	ctx := context.Background()
	client := &ucwa.Client{Token: token, HTTP: &http.Client{Transport: r}}
	app, err := client.Application(ctx, application)
	if err != nil {
		return err
	}
	if err := client.MakeMeAvailable(ctx, app.Embed("me"), ucwa.ModalityMessaging); err != nil {
		return err
	}
	if app, err = client.Get(ctx, app.Link("self")); err != nil {
		return err
	}
	if err := client.SetPresence(ctx, app.Embed("me"), ucwa.PreferBusy); err != nil {
		return err
	}
	if _, err := client.Pending(ctx, app.Link("events"), ucwa.EventOptions{}); err != nil {
		return err
	}
	if _, err := client.Presence(ctx, app.Embed("me")); err != nil {
		return err
	}
	return r.Stop()
}

// slow leaves a test out of go test -short.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes seconds")
	}
}
