package suite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
	"gopkg.in/dnaeon/go-vcr.v3/recorder"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// specs runs the specs of this binary with flags of Ginkgo, and returns Ginkgo's report.
func specs(t *testing.T, flags ...string) (list []types.SpecReport, succeeded bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	cmd := exec.Command(os.Args[0], append([]string{"-ginkgo.json-report=" + file}, flags...)...)
	out, _ := cmd.CombinedOutput()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var all []types.Report
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all[0].SpecReports {
		if r.LeafNodeType == types.NodeTypeIt {
			list = append(list, r)
		}
	}
	return list, all[0].SuiteSucceeded
}

// examined returns the results of a recording, without Ginkgo.
func examined(t *testing.T, recording string) []reports.Result {
	t.Helper()
	c, err := cassettes.Open(recording)
	if err != nil {
		t.Fatal(err)
	}
	located, err := suite.Locate(c)
	if err != nil {
		t.Fatal(err)
	}
	results, err := suite.Examine(located[0])
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// TestDoor holds that Ginkgo comes to the verdicts that Examine comes to, at the line of each requirement in its page, and
// says on what they rest; and that its filters leave out what they should, which is no failure.
func TestDoor(t *testing.T) {
	const recording = "documentation/set-presence"
	results := examined(t, recording)
	want := map[string]reports.Result{}
	for _, r := range results {
		want[r.Requirement] = r
	}
	list, succeeded := specs(t, "-cassette", recording)
	if !succeeded {
		t.Error("the documentation does not pass")
	}
	seen, line := 0, ""
	for _, s := range list {
		id := s.LeafNodeLabels[0]
		r, judged := want[id]
		state := map[reports.Verdict]types.SpecState{reports.Pass: types.SpecStatePassed}[r.Verdict]
		if state == types.SpecStateInvalid {
			state = types.SpecStateSkipped
		}
		if s.State != state || judged != (len(s.ReportEntries) == 1) {
			t.Errorf("%s: %s with %d entries, want %s", id, s.State, len(s.ReportEntries), state)
		}
		if judged {
			seen++
			entry := s.ReportEntries[0].StringRepresentation()
			if !strings.HasPrefix(entry, string(r.Verdict)) || r.Verdict == reports.Pass && !strings.Contains(entry, fmt.Sprintf("exchange %d, %s", r.Evidence[0].Exchange, r.Evidence[0].Field)) {
				t.Errorf("%s: the entry does not say on what it rests: %s", id, entry)
			}
		}
		source, err := os.ReadFile(s.LeafNodeLocation.FileName)
		if err != nil {
			t.Fatal(err)
		}
		_, short, _ := strings.Cut(id, ".")
		template := `("` + strings.Split(short, ".")[0] + `",` // which makes it
		if at := strings.Split(string(source), "\n")[s.LeafNodeLocation.LineNumber-1]; !strings.Contains(at, `"`+short+`"`) && !strings.Contains(at, template) {
			t.Errorf("%s stands at %s, where the page has %s", id, s.LeafNodeLocation, at)
		}
		if id == "set-presence.6.status" {
			line = fmt.Sprintf("setpresence.go:%d", s.LeafNodeLocation.LineNumber)
		}
	}
	if seen != len(results) {
		t.Errorf("%d requirements are judged, want %d", seen, len(results))
	}
	for _, test := range []struct {
		flag string
		ran  func(string) bool
	}{
		{"-ginkgo.label-filter=client && must", func(id string) bool { return want[id].Subject == "client" && want[id].Level == "must" }},
		{"-ginkgo.focus-file=" + line, func(id string) bool { return id == "set-presence.6.status" }},
		{"-ginkgo.focus=rel of the presence resource", func(id string) bool { return id == "set-presence.6.rel" }},
	} {
		list, succeeded := specs(t, "-cassette", recording, test.flag)
		if !succeeded {
			t.Errorf("%s: what is left out is a failure", test.flag)
		}
		for _, s := range list {
			id := s.LeafNodeLabels[0]
			if ran := len(s.ReportEntries) > 0; want[id].Requirement != "" && ran != test.ran(id) {
				t.Errorf("%s: %s ran: %v", test.flag, id, ran)
			}
		}
	}
}

// ExampleRecord_goVCR records a live run with the recorder of go-vcr itself as its transport, and judges what it wrote.
func ExampleRecord_goVCR() {
	server := ucwatest.New(ucwatest.Config{})
	running, err := ucwatest.StartTLS(server, ucwatest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer running.Close()
	token := server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com"})
	application, err := server.CreateApplication(token, "my tests", "en-US", "3fa85f64-5717-4562-b3fc-2c963f66afa6")
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "conform")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	name := filepath.Join(dir, "mine")

	vcr, err := recorder.NewWithOptions(&recorder.Options{CassetteName: name, Mode: recorder.ModeRecordOnly, RealTransport: running.Client().Transport})
	if err != nil {
		fmt.Println(err)
		return
	}
	suite.Gather(context.Background(), suite.Target{Application: running.URL + application, Token: token, Transport: vcr})
	if err := vcr.Stop(); err != nil {
		fmt.Println(err)
		return
	}

	recording, err := cassettes.Open(name + ".yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	evidence, err := suite.Locate(recording)
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := suite.Examine(evidence[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	count := map[reports.Verdict]int{}
	for _, r := range results {
		if r.Subject == "server" {
			count[r.Verdict]++
		}
	}
	fmt.Println(count[reports.Pass] > 50, count[reports.Fail], count[reports.Warn])
	// Output: true 0 0
}

var _ http.RoundTripper = (*recorder.Recorder)(nil)

// TestGinkgoIsImportedByTheDoor holds that nothing but the door needs Ginkgo, so that all else builds for a browser.
func TestGinkgoIsImportedByTheDoor(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range parsed.Imports {
			if strings.Contains(i.Path.Value, "onsi/ginkgo") && file != "ginkgo.go" && !strings.HasSuffix(file, "_test.go") {
				t.Errorf("%s imports %s: that is for ginkgo.go", file, i.Path.Value)
			}
		}
	}
}
