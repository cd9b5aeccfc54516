package suite_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestContested holds that a server is not condemned for what another application of the user set between a POST and the GET after
// it. That one is which stores nothing, or late, faults hold.
func TestContested(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{})
	token := server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com"})
	application := func(endpoint string) string {
		href, err := server.CreateApplication(token, "conform", "en-US", endpoint)
		if err != nil {
			t.Fatal(err)
		}
		return href
	}
	ours, theirs := application("3fa85f64-5717-4562-b3fc-2c963f66afa6"), application("3fa85f64-5717-4562-b3fc-2c963f66afa7")
	post := func(path, body string) {
		r := httptest.NewRequest(http.MethodPost, "http://pool.example"+theirs+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		if server.ServeHTTP(w, r); w.Code != http.StatusNoContent {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	post("/me/makeMeAvailable", `{"supportedModalities":["Messaging"]}`)
	set := ""
	running, err := ucwatest.Start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/me/presence") {
			body, _ := io.ReadAll(r.Body)
			if r.Body = io.NopCloser(strings.NewReader(string(body))); r.Method == http.MethodGet && strings.Contains(set, "BeRightBack") {
				post("/me/presence", `{"availability":"Busy"}`)
			}
			set = string(body)
		}
		server.ServeHTTP(w, r)
	}), ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	e := suite.Gather(t.Context(), suite.Target{Application: running.URL + ours, Token: token, Kind: "reference", Tasks: []string{"set-presence"}, EventWait: 3 * time.Second})[0]
	results, err := suite.Examine(e)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(results, func(r reports.Result) bool { return r.Requirement == "set-presence.6.received" })
	if r := results[i]; r.Verdict != reports.Error || !strings.Contains(r.Reason, "another client changed this user's presence") || r.Observed != "Busy" {
		t.Errorf("%s: expected %s, observed %s; %s", r.Verdict, r.Expected, r.Observed, r.Reason)
	}
	for _, r := range results {
		if r.Verdict == reports.Fail || r.Verdict == reports.Warn {
			t.Errorf("%s: %s", r.Requirement, r.Observed)
		}
	}
}

// TestStarve holds that an event which did not come while this machine was too slow is an error, and at any other time a failure of the server.
func TestStarve(t *testing.T) {
	fault, err := prove.FaultNamed("presence-event-missing")
	if err != nil {
		t.Fatal(err)
	}
	const id = "set-presence.event.presence"
	for name, test := range map[string]struct {
		slow func(set, now time.Time) (from, to time.Time)
		want reports.Verdict
	}{
		"never":           {func(_, now time.Time) (time.Time, time.Time) { return now.Add(time.Hour), now.Add(2 * time.Hour) }, reports.Fail},
		"all the time":    {func(set, now time.Time) (time.Time, time.Time) { return set.Add(-time.Hour), now }, reports.Error},
		"before it asked": {func(set, now time.Time) (time.Time, time.Time) { return set.Add(-time.Hour), set.Add(-time.Nanosecond) }, reports.Fail},
	} {
		server := ucwatest.New(ucwatest.Config{})
		token := server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com"})
		href, err := server.CreateApplication(token, "conform", "en-US", "3fa85f64-5717-4562-b3fc-2c963f66afa6")
		if err != nil {
			t.Fatal(err)
		}
		running, err := ucwatest.Start(fault.Handler(server), ucwatest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(running.Close)
		e := suite.Gather(t.Context(), suite.Target{Application: running.URL + href, Token: token, Tasks: []string{"set-presence"}, EventWait: 300 * time.Millisecond})[0]
		var set time.Time
		for _, x := range e.Exchanges {
			if set.IsZero() && x.Request.Method == http.MethodPost && strings.HasSuffix(x.Request.URL, "/me/presence") && x.Response.Code == http.StatusNoContent {
				set = x.Began
			}
		}
		from, to := test.slow(set, time.Now())
		e.Starve(func(began, ended time.Time) string {
			if began.Before(to) && (ended.IsZero() || ended.After(from)) {
				return "this machine was too slow"
			}
			return ""
		})
		results, err := suite.Examine(e)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(results, func(r reports.Result) bool { return r.Requirement == id })
		if r := results[i]; r.Verdict != test.want || (r.Verdict == reports.Error) != (r.Reason == "this machine was too slow") {
			t.Errorf("%s: %s, %s; expected %s", name, r.Verdict, r.Reason, test.want)
		}
	}
}
