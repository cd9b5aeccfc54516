package prove

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// repeated is how many faults the lines must show at least. The others change what only the run as a whole shows: an event, an order, a state.
const repeated = 200

// TestRepeat takes the line for curl from the report on a server with a fault, runs it in a shell against that server, puts the answer in the place
// of the one that the run had, and expects the same requirement to fail. No line may hold the token.
func TestRepeat(t *testing.T) {
	if testing.Short() || race {
		t.Skip("starts hundreds of servers, and a curl for each")
	}
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("needs " + program)
		}
	}
	var faults []Fault
	for _, f := range Faults() {
		if f.Subject == "server" && !signsIn(f) && f.derived != nil {
			faults = append(faults, f)
		}
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	shown, tried := 0, 0
	slots := make(chan struct{}, 8)
	missed := map[string]int{}
	for i, f := range faults {
		if i%2 != 0 && os.Getenv("CONFORM_PROVE") != "all" {
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			why := repeatOnce(t, f)
			mu.Lock()
			defer mu.Unlock()
			tried++
			if missed[why]++; why == "" {
				shown++
			} else {
				t.Logf("%s: %s", f.Name, why)
			}
		})
	}
	wait.Wait()
	t.Logf("%d of %d shown; %v", shown, tried, missed)
	if shown < repeated {
		t.Errorf("%d of %d faults are shown by their lines, expected %d", shown, tried, repeated)
	}
}

// repeatOnce returns why the line does not show the fault, "" if it does.
func repeatOnce(t *testing.T, f Fault) string {
	server := ucwatest.New(ucwatest.Config{EventTimeout: eventTimeout})
	token := server.AddUser(ucwatest.User{URI: "sip:dana@contoso.com"})
	href, err := server.CreateApplication(token, "conform", "en-US", "3fa85f64-5717-4562-b3fc-2c963f66afa6")
	if err != nil {
		t.Fatal(err)
	}
	running, err := ucwatest.StartTLS(f.Handler(server), ucwatest.Options{ErrorLog: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	e := suite.Gather(t.Context(), suite.Target{Application: running.URL + href, Token: token, Transport: running.Client().Transport, EventWait: time.Second, Keep: true, KeepNames: true})[0]
	line, at := lineFor(t, e, f.Requirement)
	switch {
	case at == 0:
		return "it is not caught by a request in this run"
	case strings.Contains(line, token) || strings.Contains(line, strings.TrimPrefix(token, "cwt=")):
		t.Errorf("%s: the line holds the token: %s", f.Name, line)
	case strings.HasPrefix(line, "jq "):
		return "the body does not fit into a line"
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, running.Certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Env = append(os.Environ(), "CURL_CA_BUNDLE="+ca, "CONFORM_TOKEN="+token, "CONFORM_OTHER_TOKEN=cwt=of-nobody", "NO_PROXY=*")
	said, err := cmd.Output()
	if err != nil && len(said) == 0 {
		return "curl fails: " + err.Error()
	}
	again, err := answered(said)
	if err != nil {
		return err.Error()
	}
	c := *e.Recording
	c.Exchanges = slices.Clone(c.Exchanges)
	again.Duration = c.Exchanges[at-1].Response.Duration
	c.Exchanges[at-1].Response = again
	replayed, err := suite.Replay(t.Context(), &c)
	if err != nil {
		t.Fatal(err)
	}
	if _, now := lineFor(t, replayed, f.Requirement); now != at {
		return "the answer is right the second time"
	}
	return ""
}

// lineFor returns the line for curl of a failed requirement, and the number of the exchange that it repeats; 0 if there is none.
func lineFor(t *testing.T, e *suite.Evidence, requirement string) (line string, at int) {
	results, err := suite.Examine(e)
	if err != nil {
		t.Fatal(err)
	}
	r := &reports.Report{Results: slices.DeleteFunc(results, func(r reports.Result) bool { return r.Requirement != requirement })}
	for i, x := range e.Recording.Exchanges {
		r.Exchanges = append(r.Exchanges, reports.Exchange{Number: i + 1,
			Request: reports.Request{Method: x.Request.Method, URL: x.Request.URL, Headers: x.Request.Headers, Body: x.Request.Body}})
	}
	r.Tally()
	var b bytes.Buffer
	if err := reports.Write(&b, r, "json", reports.Options{}); err != nil {
		t.Fatal(err)
	}
	var written reports.Report
	if err := json.Unmarshal(b.Bytes(), &written); err != nil {
		t.Fatal(err)
	}
	if len(written.Results) == 0 || written.Results[0].Repeat == nil {
		return "", 0
	}
	return written.Results[0].Repeat.Curl, written.Results[0].Evidence[0].Exchange
}

// answered reads what curl -i prints.
func answered(printed []byte) (cassette.Response, error) {
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(printed)), nil)
	if err != nil {
		return cassette.Response{}, err
	}
	defer response.Body.Close()
	response.Header.Del("Transfer-Encoding")
	body, _ := io.ReadAll(response.Body) // one that is cut is part of the fault
	return cassette.Response{Code: response.StatusCode, Status: response.Status, Headers: response.Header, Body: string(body)}, nil
}
