package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"go.yaml.in/yaml/v3"
)

// pools are many servers, and the list that names them.
type pools struct {
	t       *testing.T
	list    strings.Builder
	secrets []string // NAME=token
}

// add puts a server on a socket, behind what middle makes of it, and into the list.
func (p *pools) add(name string, middle func(http.Handler) http.Handler) *ucwatest.Running {
	p.t.Helper()
	server := ucwatest.New(ucwatest.Config{})
	token := server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com"})
	href, err := server.CreateApplication(token, "conform", "en-US", "3fa85f64-5717-4562-b3fc-2c963f66afa6")
	if err != nil {
		p.t.Fatal(err)
	}
	var handler http.Handler = server
	if middle != nil {
		handler = middle(server)
	}
	running, err := ucwatest.Start(handler, ucwatest.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(running.Close)
	variable := fmt.Sprintf("TOKEN_%d", len(p.secrets))
	p.secrets = append(p.secrets, variable+"="+token)
	fmt.Fprintf(&p.list, "  - name: %s\n    application: %s%s\n    token-env: %s\n", name, running.URL, href, variable)
	return running
}

// command is the command on the list.
func (p *pools) command(dir, above string, args ...string) *exec.Cmd {
	p.t.Helper()
	path := filepath.Join(dir, "pools.yaml")
	if err := os.WriteFile(path, []byte(above+"targets:\n"+p.list.String()), 0o600); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Minute)
	p.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "conform", append([]string{"run", "--targets", path}, args...)...)
	cmd.Env = append(append(os.Environ(), "CI=", "GITHUB_ACTIONS=", "NO_PROXY=", "HTTPS_PROXY="), p.secrets...)
	return cmd
}

// run runs the command on the list.
func (p *pools) run(dir, above string, args ...string) (code int, stdout, stderr string, took time.Duration) {
	p.t.Helper()
	cmd := p.command(dir, above, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	began := time.Now()
	_ = cmd.Run()
	for _, secret := range p.secrets {
		if _, token, _ := strings.Cut(secret, "="); strings.Contains(out.String()+said.String(), token) {
			p.t.Errorf("a token is shown: %s%s", out.String(), said.String())
		}
	}
	return cmd.ProcessState.ExitCode(), out.String(), said.String(), time.Since(began)
}

func faulty(t *testing.T, name string) func(http.Handler) http.Handler {
	t.Helper()
	fault, err := prove.FaultNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return fault.Handler
}

// TestFiftyTargets holds that fifty pools are certified side by side, and that those which
// are faulty, dead or slow are told apart and hold up nobody.
func TestFiftyTargets(t *testing.T) {
	slow(t)
	all := 50
	if raced {
		all = 14 // the race detector makes each ten times as much work; it sees the same in fewer
	}
	const pause = 100 * time.Millisecond // before each answer of the slow one
	together := meeting(all - 4)         // of all that are well: the first answer of each waits for the others
	p := &pools{t: t}
	for i := range all {
		name := fmt.Sprintf("pool%02d", i)
		switch i {
		case 3:
			p.add(name, faulty(t, "set-presence.2.status/200"))
		case 5:
			p.add(name, faulty(t, "set-presence.6.status/200"))
		case 7:
			p.add(name, nil).Close()
		case 11:
			p.add(name, late(pause))
		default:
			p.add(name, together)
		}
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	code, stdout, stderr, took := p.run(dir, "event-wait: 5s\n", "--out", out, "--concurrency", "50")
	if code != exitNonconformant {
		t.Errorf("exit code %d, expected that of the worst: %s%s", code, stdout, stderr)
	}
	content, err := os.ReadFile(filepath.Join(out, "merge.json"))
	if err != nil {
		t.Fatal(err)
	}
	var matrix reports.Matrix
	if err := json.Unmarshal(content, &matrix); err != nil {
		t.Fatal(err)
	}
	if len(matrix.Targets) != all || len(matrix.Conflicts) > 0 {
		t.Fatalf("%d targets, conflicts %v", len(matrix.Targets), matrix.Conflicts)
	}
	for at, c := range matrix.Targets {
		want := reports.Conformant
		var fails []string
		switch at {
		case 3:
			want, fails = reports.Nonconformant, []string{"set-presence.2.status"}
		case 5:
			want, fails = reports.Nonconformant, []string{"set-presence.6.status"}
		case 7:
			want = reports.Incomplete
		}
		if c.Outcome != want || c.Target != fmt.Sprintf("pool%02d", at) {
			t.Errorf("target %d is %s, %s; expected %s", at, c.Target, c.Outcome, want)
		}
		var failed []string
		for _, row := range matrix.Rows {
			if row.Verdicts[at] == reports.Fail {
				failed = append(failed, row.Requirement)
			}
		}
		if !slices.Equal(failed, fails) {
			t.Errorf("%s fails %v, expected %v", c.Target, failed, fails)
		}
		report, err := os.ReadFile(filepath.Join(out, c.Target, "report.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := validReport(report); err != nil {
			t.Errorf("the report of %s: %v", c.Target, err)
		}
		if bytes.Contains(report, []byte("contoso")) {
			t.Errorf("the report of %s names the deployment", c.Target)
		}
		if _, err := os.Stat(filepath.Join(out, c.Target, "evidence.yaml")); (err != nil) != (at == 7) {
			t.Errorf("the evidence of %s: %v", c.Target, err)
		}
	}
	for _, want := range []string{"pool03 is nonconformant\n  ✗ set-presence.2.status\n    expected  ", "pool05 is nonconformant\n  ✗ set-presence.6.status",
		"pool07 is not tested\n  why       nothing listens at that address", fmt.Sprintf("nonconformant: %d targets, %d reports", all, all)} {
		if !strings.Contains(stdout, want) {
			t.Errorf("standard output does not say %q: %s", want, stdout)
		}
	}
	slow, _, err := reports.ReadFile(filepath.Join(out, "pool11", "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	alone := time.Duration(len(slow.Exchanges)) * pause
	// Besides, this machine serves, gathers, anonymizes, judges and writes all of them; at
	// work on other tests, it needs longer for that than the slow pool does for its answers.
	if most := alone + 30*time.Second; took < alone || took > most {
		t.Errorf("it took %s, expected %s, in which the slowest answers, to %s", took, alone, most)
	}
	t.Logf("%s in all, of which the slowest pool took %s", took, alone)
}

// meeting makes servers whose first answers wait until so many servers were asked.
func meeting(servers int) func(http.Handler) http.Handler {
	var asked sync.WaitGroup
	asked.Add(servers)
	return func(h http.Handler) http.Handler {
		var once sync.Once
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			once.Do(func() {
				asked.Done()
				asked.Wait()
			})
			h.ServeHTTP(w, r)
		})
	}
}

// TestShards holds that shards have each target once between them, a user's in one of them, and as many each as can be.
func TestShards(t *testing.T) {
	for n := 1; n <= 7; n++ {
		seen := map[string]int{}
		for i := 1; i <= n; i++ {
			d := newDealer(i, n)
			mine := 0
			for at := range 14 {
				if d.deal(fmt.Sprint(at), fmt.Sprint("user-", at%7)) { // each user has two
					seen[fmt.Sprint(at)]++
					mine++
				}
			}
			if most := 2 * ((7 + n - 1) / n); mine > most || mine == 0 || len(d.shards[i-1]) != mine {
				t.Errorf("shard %d/%d has %d, expected 1 to %d", i, n, mine, most)
			}
			for _, names := range d.shards {
				for at := range 7 {
					if slices.Contains(names, fmt.Sprint(at)) != slices.Contains(names, fmt.Sprint(at+7)) {
						t.Errorf("of %d shards, one has one of the two targets of user %d: %v", n, at, d.shards)
					}
				}
			}
		}
		if len(seen) != 14 || slices.Max(slices.Collect(maps.Values(seen))) != 1 {
			t.Errorf("%d shards: %v", n, seen)
		}
	}
}

// TestShardFlags holds what the flags of shards mean, together and apart.
func TestShardFlags(t *testing.T) {
	for _, test := range []struct {
		args string
		i, n int
		want string
	}{
		{"", 1, 1, ""}, {"--shard 2/5", 2, 5, ""}, {"--shard-index 0 --shards 4", 1, 4, ""}, {"--shard-index 3 --shards 4", 4, 4, ""},
		{"--shard 0/2", 0, 0, "expected I/N"}, {"--shard 3/2", 0, 0, "expected I/N"}, {"--shard 2", 0, 0, "expected I/N"}, {"--shard a/b", 0, 0, "expected I/N"},
		{"--shard 1/2/3", 0, 0, "expected I/N"}, {"--shard=-1/2", 0, 0, "expected I/N"}, {"--shard 1/10001", 0, 0, "expected I/N"},
		{"--shard-index 4 --shards 4", 0, 0, "an index from 0"}, {"--shard-index=-1 --shards 4", 0, 0, "an index from 0"}, {"--shard-index 0 --shards 0", 0, 0, "an index from 0"},
		{"--shard-index 1", 0, 0, "need each other"}, {"--shards 3", 0, 0, "need each other"}, {"--shard 1/3 --shards 3", 0, 0, "excludes"},
	} {
		var f shardFlags
		cmd := &cobra.Command{}
		f.add(cmd)
		if err := cmd.ParseFlags(strings.Fields(test.args)); err != nil {
			t.Fatal(err)
		}
		i, n, err := f.parse(cmd)
		if i != test.i || n != test.n || (err == nil) != (test.want == "") || err != nil && (!strings.Contains(err.Error(), test.want) || err.(exit).code != exitUsage) {
			t.Errorf("%s: %d of %d, %v", test.args, i, n, err)
		}
	}
}

// TestUserOf holds which targets of a list are known to be of one user.
func TestUserOf(t *testing.T) {
	const list = `
token-file: token.txt
targets:
  - {name: a, sip: "sip:Dana@contoso.com", password-env: A}
  - {name: b, sip: "dana@contoso.com;transport=tls", username: 'CONTOSO\dana', password-env: B}
  - {name: c, domain: contoso.com, username: dana@CONTOSO.com, password-env: C}
  - {name: d, sip: "sip:dana@fabrikam.com", password-env: D}
  - {name: e, domain: contoso.com, username: dana, password-env: E}
  - {name: f, domain: fabrikam.com, username: dana, password-env: E}
  - {name: g, application: "https://pool.contoso.com/ucwa/oauth/v1/applications/1", token-env: G}
  - {name: h, application: /ucwa/oauth/v1/applications/2, target: "https://POOL.contoso.com:443", token-env: G}
  - {name: i, application: "https://pool.contoso.com/ucwa/oauth/v1/applications/3", token-env: I}
  - {name: j, application: "https://other.contoso.com/ucwa/oauth/v1/applications/1", token-env: G}
`
	d := newDealer(1, 100)
	if err := newTargetList("list.yaml", newRun(), d).read([]byte(list)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, names := range d.shards {
		if len(names) > 0 {
			got = append(got, strings.Join(names, ""))
		}
	}
	if want := []string{"abc", "d", "e", "f", "gh", "i", "j"}; !slices.Equal(got, want) {
		t.Errorf("%q, expected %q", got, want)
	}
}

// longList writes a list of so many targets, each of a user of its own.
func longList(n int) []byte {
	var b bytes.Buffer
	b.WriteString("# users\ntimeout: 5m\npassword-file: p.txt\n\ntargets: # all of them\n")
	for i := range n {
		if i%1000 == 0 {
			b.WriteString("\n# a thousand\n")
		}
		fmt.Fprintf(&b, "  - name: user-%06d\n    sip: sip:user-%06d@contoso.com\n", i, i)
	}
	return b.Bytes()
}

// TestLongList holds that a list that is read in parts is what it is as a whole, with its lines, and that mistakes in it are placed.
func TestLongList(t *testing.T) {
	const n = 30_000
	content := longList(n)
	if len(content) <= maxConfig {
		t.Fatal("it is not long")
	}
	read := func(content []byte) (*targetList, error) {
		list := newTargetList("list.yaml", newRun(), newDealer(3, 100))
		return list, list.readAny(content)
	}
	list, err := read(content)
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, names := range list.deal.shards {
		all += len(names)
	}
	if all != n || len(list.entries) != n/100 {
		t.Fatalf("%d targets, %d in the shard", all, len(list.entries))
	}
	lines := strings.Split(string(content), "\n")
	for _, e := range list.entries {
		_, number, _ := strings.Cut(e.where, ":")
		at, err := strconv.Atoi(number)
		if err != nil || !strings.HasSuffix(lines[at-1], "name: "+e.name) || e.live.timeout != 5*time.Minute {
			t.Fatalf("%s is at %s, with a timeout of %s", e.name, e.where, e.live.timeout)
		}
	}
	target := func(name string) string { return "  - name: " + name + "\n    sip: sip:a@contoso.com\n" }
	for want, tail := range map[string]string{
		`:60066: name: "user-000007" is that of list.yaml:22 already`: target("user-000007"),
		`:60067: unknown key "sipp", did you mean "sip"?`:             "  - name: last\n    sipp: sip:a@contoso.com\n",
		`:60066: expected an entry of the list`:                       "rate: 2\n",
		`:60066: name: "a/b" names a folder too`:                      target("a/b"),
		`:60066: this entry is larger than 1024 KiB`:                  "  - name: last\n    sip: sip:" + strings.Repeat("a\n      ", 2*maxConfig/8) + "\n",
		`is no YAML: line 6006`:                                       "  - name: {last\n",
	} {
		if _, err := read(append(bytes.Clone(content), tail...)); err == nil || !strings.Contains(err.Error(), want) || err.(exit).code != exitUsage {
			t.Errorf("%v, expected %q", err, want)
		}
	}
	comment := append(append([]byte("targets:\n"), bytes.Repeat([]byte("# nothing but a comment\n"), 2*partSize/24)...), content[bytes.Index(content, []byte("  - ")):]...)
	if _, err := read(append([]byte("password-file: p.txt\n"), comment...)); err != nil {
		t.Errorf("with a long comment before the first entry: %v", err)
	}
	if _, err := read(append([]byte("ratee: 2\n"), content...)); err == nil || strings.Count(err.Error(), "ratee") != 1 {
		t.Errorf("a mistake above the list is told once: %v", err)
	}
	if _, err := read(bytes.Replace(content, []byte("targets:"), []byte("others:"), 1)); err == nil || !strings.Contains(err.Error(), "needs a line targets:") {
		t.Errorf("without the line: %v", err)
	}
}

// TestWorse holds the order of exit codes, in either order of targets.
func TestWorse(t *testing.T) {
	order := []int{exitInterrupted, exitNonconformant, exitFailed, exitIncomplete, exitUsage, exitConformant}
	result := func(code int) error {
		if code == exitConformant {
			return nil
		}
		return exit{code: code}
	}
	for i, worst := range order {
		for _, other := range order[i:] {
			for _, err := range []error{worse(result(worst), result(other)), worse(result(other), result(worst))} {
				e := exit{}
				errors.As(err, &e)
				if e.code != worst {
					t.Errorf("the worse of %d and %d is %d", worst, other, e.code)
				}
			}
		}
	}
}

// TestTargetName holds that a name is a folder everywhere, and no way out of it.
func TestTargetName(t *testing.T) {
	for name, good := range map[string]bool{
		"vienna": true, "Wien 2": true, "köln-süd_1.example+x@y": true, "東京": true,
		"..": false, ".": false, "a/b": false, `a\b`: false, "../x": false, ".hidden": false, "end.": false, " x": false, "a\nb": false, "a\x1b[31m": false,
		"nul": false, "CON.txt": false, "com1": false, "lpt9.x": false, "merge": false, "Merge.json": false, "a:b": false, "<b>": false, "a|b": false, "\u202eabc": false,
	} {
		got, problem := targetName(&yaml.Node{Kind: yaml.ScalarNode, Value: name})
		if (problem == "") != good || good && got != name {
			t.Errorf("%q: %q, %q", name, got, problem)
		}
	}
	if _, problem := targetName(&yaml.Node{Kind: yaml.ScalarNode, Value: strings.Repeat("x", 101)}); problem == "" {
		t.Error("a long name is taken")
	}
}

// FuzzTargets holds that no list makes the command panic, or be read without an entry.
func FuzzTargets(f *testing.F) {
	f.Add("targets:\n  - {name: a, sip: 'sip:dana@contoso.com', password-env: HOME}\n")
	f.Add("rate: 2\ntargets:\n  - name: a\n    application: https://a/b\n    resolve: ['*:443:127.0.0.1']\n")
	f.Add("targets: []")
	f.Add("a: &a [*a]")
	f.Add("- 1")
	f.Add("")
	run := newRun()
	f.Fuzz(func(t *testing.T, content string) {
		list := newTargetList("pools.yaml", run, newDealer(1, 1))
		err := list.read([]byte(content))
		if err == nil && len(list.entries) == 0 {
			t.Error("no entry, and no error")
		}
		if e := (exit{}); err != nil && (!errors.As(err, &e) || e.code != exitUsage) {
			t.Errorf("%v is no error of usage", err)
		}
		for _, e := range list.entries {
			if e.name == "" || cmp.Or(e.live.application, e.live.server, e.live.signIn.sip, e.live.signIn.domain, e.live.signIn.autodiscover) == "" {
				t.Errorf("an entry without a name or a target: %+v", e)
			}
		}
	})
}

// TestWorstTargetIsToldFirst: pools that are down do not push out of sight the one that breaks a must.
func TestWorstTargetIsToldFirst(t *testing.T) {
	var list []*reports.Report
	for i := range 2 * shownTargets {
		list = append(list, &reports.Report{Name: fmt.Sprint("down-", i), Outcome: reports.Incomplete})
	}
	list = append(list, &reports.Report{Name: "bad", Outcome: reports.Nonconformant, Results: []reports.Result{{Requirement: "set-presence.2.status", Verdict: reports.Fail}}})
	var told strings.Builder
	whatFailed(&told, list)
	if !strings.HasPrefix(told.String(), "bad is nonconformant\n  ✗ set-presence.2.status\n") || !strings.Contains(told.String(), "and 11 more targets") {
		t.Errorf("it tells:\n%s", told.String())
	}
	if list[0].Name != "down-0" {
		t.Error("the list of the caller is in another order")
	}
}
