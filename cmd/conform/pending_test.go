package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/capture"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestPendingAtEnd holds that a pending GET which is answered 404 because the application is being deleted is held
// against nobody: not whichever answer comes first, nor in whichever form it was captured.
func TestPendingAtEnd(t *testing.T) {
	verdicts := map[string]map[string]reports.Verdict{}
	for _, order := range []string{"before the DELETE", "after the DELETE"} {
		c, err := cassettes.Open(browserRecording)
		if err != nil {
			t.Fatal(err)
		}
		c = c.Redacted()
		c.Provenance = cassettes.Provenance{}
		end := slices.IndexFunc(c.Exchanges, func(x cassettes.Exchange) bool { return x.Request.Method == "DELETE" && x.Response.Code == 204 })
		asked := slices.IndexFunc(c.Exchanges, func(x cassettes.Exchange) bool {
			return x.Request.Method == "GET" && strings.Contains(x.Request.URL, "/events?") && x.Response.Code == 200
		})
		if end < 0 || asked < 0 {
			t.Fatalf("the recording has no DELETE (%d) or no pending GET (%d)", end, asked)
		}
		pending := (&cassettes.Cassette{Exchanges: c.Exchanges[asked : asked+1]}).Redacted().Exchanges[0]
		pending.Response.Code, pending.Response.Status = 404, "404 Not Found"
		pending.Response.Body = `{"code":"NotFound","subcode":"ApplicationNotFound","message":"It does not exist."}`
		for name := range pending.Response.Headers {
			if strings.EqualFold(name, "Content-Length") {
				delete(pending.Response.Headers, name)
			}
		}
		kept := c.Exchanges[:end+1]
		if order == "before the DELETE" {
			kept = slices.Concat(c.Exchanges[:end], []cassettes.Exchange{pending}, c.Exchanges[end:end+1])
		} else {
			kept = append(slices.Clone(kept), pending)
		}
		// The events link leads on from answer to answer: it asks what the last one served.
		for _, x := range kept {
			if _, next, found := strings.Cut(x.Response.Body, `"next":{"href":"`); found && x.Response.Code == 200 {
				path, _, _ := strings.Cut(next, `"`)
				host, _, _ := strings.Cut(strings.TrimPrefix(pending.Request.URL, "https://"), "/")
				pending.Request.URL = "https://" + host + path
			}
		}
		c.Exchanges = kept
		for i := range kept {
			kept[i].ID = i + 1
		}
		har, err := capture.Read("x", bytes.NewReader(asHAR(c)))
		if err != nil {
			t.Fatal(err)
		}
		saz, err := capture.Read("x", bytes.NewReader(asSAZ(c)))
		if err != nil {
			t.Fatal(err)
		}
		verdicts["cassette, "+order], verdicts["HAR, "+order], verdicts["SAZ, "+order] = verdictsOf(t, c), verdictsOf(t, har.Cassette), verdictsOf(t, saz.Cassette)
	}
	want := verdicts["cassette, after the DELETE"]
	if v := want["client 1, set-presence.refusal.gone"]; v != reports.Pass {
		t.Errorf("the request behind the end: %s", v)
	}
	for name, got := range verdicts {
		for id, v := range got {
			if v == reports.Fail || v == reports.Warn || v == reports.Blocked || v != want[id] {
				t.Errorf("%s: %s: %s, otherwise %s", name, id, v, want[id])
			}
		}
	}
}
