package suite

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestSetPresence runs the specs over the embedded recordings as an ordinary
// Ginkgo suite: `ginkgo -v ./suite` and its filters work as anywhere.
func TestSetPresence(t *testing.T) {
	j, err := Declare(Options{}, replay(t, open(t, "reference/set-presence")), located(t, "documentation/set-presence"))
	if err != nil {
		t.Fatal(err)
	}
	if !ginkgo.RunSpecs(t, "conform") {
		return
	}
	for i, want := range []reports.Outcome{reports.Conformant, reports.Incomplete} {
		if r := j.Reports()[i]; r.Outcome != want {
			t.Errorf("%s: %s, expected %s", r.Evidence.Source, r.Outcome, want)
		}
	}
}

// ownProcess runs the test in a process of its own, since Ginkgo runs only once
// in one. It returns true in the parent, where all is done.
func ownProcess(t *testing.T) bool {
	t.Helper()
	const variable = "CONFORM_TEST_PROCESS"
	if os.Getenv(variable) == t.Name() {
		return false
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	child.Env = append(os.Environ(), variable+"="+t.Name())
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS") {
		t.Errorf("%v\n%s", err, out)
	}
	return true
}

func open(t testing.TB, name string) *cassettes.Cassette {
	t.Helper()
	c, err := cassettes.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func located(t testing.TB, name string) *Evidence {
	t.Helper()
	list, err := Locate(open(t, name))
	if err != nil || len(list) != 1 {
		t.Fatalf("%d applications, %v", len(list), err)
	}
	return list[0]
}

func replay(t testing.TB, c *cassettes.Cassette) *Evidence {
	t.Helper()
	e, err := Replay(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func judge(t testing.TB, options Options, evidence ...*Evidence) []*reports.Report {
	t.Helper()
	list, err := Judge(options, evidence...)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range evidence { // without Ginkgo the specs say the same
		examined, err := Examine(e)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(list[i].Results, examined); d != "" {
			t.Errorf("%s: in Ginkgo (-) and without (+):\n%s", e.Source, d)
		}
	}
	return list
}

// verdicts are those of a report by requirement.
func verdicts(r *reports.Report) map[string]reports.Verdict {
	m := map[string]reports.Verdict{}
	for _, result := range r.Results {
		m[result.Requirement] = result.Verdict
	}
	return m
}

// complaints are the results that are no pass, for messages.
func complaints(r *reports.Report) string {
	var b strings.Builder
	for _, x := range r.Results {
		if x.Verdict != reports.Pass && x.Verdict != reports.NotApplicable {
			fmt.Fprintf(&b, "%s %s: expected %s; observed %s; %s %v\n", x.Verdict, x.Requirement, x.Expected, x.Observed, x.Reason, x.Evidence)
		}
	}
	return b.String()
}

// live starts a reference server of contoso.com and returns a target on it.
func live(t testing.TB, tls bool, middle func(http.Handler) http.Handler) Target {
	t.Helper()
	server := ucwatest.New(ucwatest.Config{Origins: []string{"http://app.contoso.com"}})
	var handler http.Handler = server
	if middle != nil {
		handler = middle(server)
	}
	start := ucwatest.Start
	if tls {
		start = ucwatest.StartTLS
	}
	running, err := start(handler, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	target := partiesOf(t, server, running.URL, ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Email: "dana@contoso.com"})
	target.Transport, target.WebOrigin = running.Client().Transport, "http://app.contoso.com"
	return target
}

// TestThreeWaysIn holds that evidence gathered live, by replaying the recording of
// that run, and by locating the steps in it as if others had made it,
// without the marks of the probes, gets the same verdicts. What a replay judges is
// the recording; that it is what the driver sees shows in that it has no note: every
// exchange was asked for, in its order, and nothing else.
func TestThreeWaysIn(t *testing.T) {
	if ownProcess(t) {
		return
	}
	recording := Record(context.Background(), live(t, true, nil))
	driven := locatedFrom(t, recording)

	replayed := replay(t, recording)
	if len(replayed.Notes) > 0 {
		t.Errorf("the driver does not fit its own recording: %v", replayed.Notes)
	}
	unmarked := recording.Redacted()
	unmarked.Provenance = cassettes.Provenance{}
	for _, x := range unmarked.Exchanges {
		x.Request.Headers["User-Agent"] = []string{"somebody"}
	}
	without, err := Locate(unmarked, driven.Tasks...)
	if err != nil {
		t.Fatal(err)
	}

	list := judge(t, Options{}, driven, replayed, without[0])
	if list[0].Outcome != reports.Conformant {
		t.Errorf("live: %s\n%s", list[0].Outcome, complaints(list[0]))
	}
	if d := cmp.Diff(verdicts(list[0]), verdicts(list[1])); d != "" {
		t.Errorf("live (-) and replayed (+) differ:\n%s", d)
	}
	// Without the marks the probes are the client's own mistakes, and what only
	// other users meet lies in other applications. And others may change the note, of
	// which some servers tell each change as added.
	server := func(r *reports.Report) map[string]reports.Verdict {
		m := map[string]reports.Verdict{}
		for _, x := range r.Results {
			if x.Subject == "server" && x.Requirement != "set-presence.refusal.anonymous" && x.Requirement != "set-presence.refusal.modality" && x.Requirement != "set-presence.event.once" {
				m[x.Requirement] = x.Verdict
			}
		}
		return m
	}
	if d := cmp.Diff(server(list[0]), server(list[2])); d != "" {
		t.Errorf("live (-) and located without marks (+) differ:\n%s", d)
	}
}

// TestLive certifies the reference server over plain and TLS sockets.
func TestLive(t *testing.T) {
	if ownProcess(t) {
		return
	}
	for _, r := range judge(t, Options{Strict: true}, Gather(context.Background(), live(t, false, nil), live(t, true, nil))...) {
		if r.Outcome != reports.Conformant {
			t.Errorf("%s is %s\n%s", r.Evidence.Source, r.Outcome, complaints(r))
		}
		if r.Counts.Pass < 105 {
			t.Errorf("%s: only %d pass", r.Evidence.Source, r.Counts.Pass)
		}
	}
}

// TestManyAtOnce gathers 200 applications of 50 users from one server at once
// and judges them in one run.
func TestManyAtOnce(t *testing.T) {
	slow(t)
	if ownProcess(t) {
		return
	}
	server := ucwatest.New(ucwatest.Config{})
	running, err := ucwatest.StartTLS(server, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	var targets []Target
	const users = 15 // with four applications each, which take turns
	for u := range users {
		token := server.AddUser(ucwatest.User{Name: fmt.Sprint("User ", u), URI: fmt.Sprintf("sip:user%d@contoso.com", u)})
		for a := range 4 {
			href, err := server.CreateApplication(token, "conform", "en-US", fmt.Sprintf("3fa85f64-5717-4562-b3fc-%06d%06d", u, a))
			if err != nil {
				t.Fatal(err)
			}
			targets = append(targets, Target{Application: running.URL + href, Token: token, Transport: running.Client().Transport, RequestTimeout: time.Minute})
		}
	}
	list := judge(t, Options{Strict: true}, Gather(context.Background(), targets...)...)
	for _, r := range list {
		if r.Outcome != reports.Conformant {
			t.Errorf("%s is %s\n%s", r.Evidence.Source, r.Outcome, complaints(r))
		}
	}
	if n := server.Applications(); len(list) != 4*users || n != 0 {
		t.Errorf("%d reports, expected %d; %d applications left on the server, expected none", len(list), 4*users, n)
	}
}

// TestBrokenServers holds that a server which is no UCWA server at all gets a
// report in time, and is never called conformant.
func TestBrokenServers(t *testing.T) {
	if ownProcess(t) {
		return
	}
	html := func(status int) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(status)
				fmt.Fprint(w, "<html><title>IIS</title></html>")
			})
		}
	}
	done := make(chan struct{})
	defer close(done)
	servers := []struct {
		name     string
		middle   func(http.Handler) http.Handler
		outcome  reports.Outcome
		expected map[string]reports.Verdict
	}{
		{"500 to everything", html(500), reports.Nonconformant, map[string]reports.Verdict{
			"set-presence.pre.self": reports.Fail, "set-presence.2.status": reports.Blocked, "set-presence.event.presence": reports.Blocked,
			"set-presence.refusal.no-token": reports.Blocked}},
		{"200 with HTML", html(200), reports.Nonconformant, map[string]reports.Verdict{
			"set-presence.pre.self": reports.Fail, "set-presence.4.json": reports.Blocked}},
		{"closes the connection", func(http.Handler) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		}, reports.Incomplete, map[string]reports.Verdict{"set-presence.pre.self": reports.Error, "set-presence.2.status": reports.Blocked}},
		{"never answers", func(http.Handler) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done })
		}, reports.Incomplete, map[string]reports.Verdict{"set-presence.pre.self": reports.Error, "set-presence.2.status": reports.Blocked}},
	}
	var targets []Target
	for _, s := range servers {
		target := live(t, true, s.middle)
		target.RequestTimeout, target.EventWait = 300*time.Millisecond, 300*time.Millisecond
		targets = append(targets, target)
	}
	began := time.Now()
	list := judge(t, Options{}, Gather(context.Background(), targets...)...)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
	for i, r := range list {
		if r.Outcome != servers[i].outcome {
			t.Errorf("%s: %s, expected %s\n%s", servers[i].name, r.Outcome, servers[i].outcome, complaints(r))
		}
		got := verdicts(r)
		for id, want := range servers[i].expected {
			if got[id] != want {
				t.Errorf("%s: %s is %q, expected %q", servers[i].name, id, got[id], want)
			}
		}
	}
}

// TestJudgeLetsGo holds that Ginkgo's tree, which stays as long as the process, keeps no evidence once its report is there.
func TestJudgeLetsGo(t *testing.T) {
	if ownProcess(t) {
		return
	}
	e := located(t, "documentation/set-presence")
	watched := weak.Make(e)
	list := judge(t, Options{}, e)
	if runtime.GC(); watched.Value() != nil {
		t.Error("the evidence is still held")
	}
	runtime.KeepAlive(list)
}

// TestJudgeOnce holds that a second Judge in a process is refused, not fatal.
func TestJudgeOnce(t *testing.T) {
	if ownProcess(t) {
		return
	}
	judge(t, Options{}, located(t, "documentation/set-presence"))
	if _, err := Judge(Options{}, located(t, "documentation/set-presence")); err == nil {
		t.Error("the second Judge was not refused")
	}
}

// TestManyInOneSpec holds how Ginkgo tells of several evidences: a requirement fails if it fails for one, is passed if it
// is for one and fails for none, and is skipped where there was nothing to judge in any.
func TestManyInOneSpec(t *testing.T) {
	if ownProcess(t) {
		return
	}
	broken := open(t, "reference/set-presence")
	broken.Name = "broken"
	for _, x := range broken.Exchanges {
		if x.Request.Method == http.MethodPost && strings.HasSuffix(x.Request.URL, "/presence") && x.Response.Code == http.StatusNoContent {
			x.Response.Code = http.StatusOK
		}
	}
	if _, err := Declare(Options{}, located(t, "documentation/set-presence"), replay(t, open(t, "reference/set-presence")), replay(t, broken)); err != nil {
		t.Fatal(err)
	}
	ended := map[string]types.SpecReport{}
	ginkgo.ReportAfterSuite("of the test", func(r ginkgo.Report) {
		for _, spec := range r.SpecReports {
			if len(spec.LeafNodeLabels) == 4 {
				ended[spec.LeafNodeLabels[0]] = spec
			}
		}
	})
	ginkgo.RunSpecs(verdictsCount{}, "conform")
	for id, want := range map[string]types.SpecState{
		"set-presence.6.status":          types.SpecStateFailed,
		"set-presence.refusal.anonymous": types.SpecStatePassed, // which the documentation does not exercise
		"create-application.1.order":     types.SpecStateSkipped,
	} {
		if ended[id].State != want {
			t.Errorf("%s: %s, want %s", id, ended[id].State, want)
		}
	}
	const says = "broken, exchange"
	if message := ended["set-presence.6.status"].Failure.Message; !strings.HasPrefix(message, says) || !strings.Contains(message, "setpresence.go:") {
		t.Errorf("the failure does not tell whose it is, or which line says so:\\n%s", message)
	}
}

// slow leaves a test out of go test -short.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes seconds")
	}
}
