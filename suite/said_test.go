package suite

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestSaid holds what a report repeats of a refusal, by whomever.
func TestSaid(t *testing.T) {
	for _, test := range []struct {
		code   int
		header http.Header
		body   string
		want   string
	}{
		{204, http.Header{"X-Ms-Diagnostics": {"1"}}, "", ""},
		{403, http.Header{"x-ms-diagnostics": {`28070;source="a";reason="b"`}, "Server": {"IIS"}}, "", `403 Forbidden, X-Ms-diagnostics 28070;source="a";reason="b" (cross-domain request from this origin not allowed)`},
		{409, http.Header{"Server": {"IIS"}}, `{"Code":"Conflict","subCode":"TooManyApplications","message":"m"}`, "409 Conflict, code Conflict, subcode TooManyApplications"},
		{400, nil, `{"error":"invalid_grant","ms_diagnostics":"x"}`, "400 Bad Request, error invalid_grant"},
		{403, nil, `<html>"code":"Forbidden"</html>`, "403 Forbidden"},
		{403, nil, `{"code":7}`, "403 Forbidden"},
		{503, http.Header{"SERVER": {"Microsoft-HTTPAPI/2.0"}, "Via": {"1.1 a", "1.1 b"}, "Retry-After": {"9"}}, "<html>", "503 Service Unavailable, Retry-After 9, Server Microsoft-HTTPAPI/2.0, Via 1.1 a, 1.1 b"},
		{599, http.Header{"Via": {strings.Repeat("é", 1000)}}, "", "599, Via " + strings.Repeat("é", 250) + "…"},
		{403, nil, `{"code":"Forbidden","x":"` + strings.Repeat("x", maxRefusal) + `"}`, "403 Forbidden"},
	} {
		x := &Exchange{Exchange: cassettes.Exchange{Interaction: new(cassettes.Interaction)}}
		x.Response.Code, x.Response.Headers, x.Response.Body = test.code, test.header, test.body
		if got := x.said(); got != test.want {
			t.Errorf("%d %v %.80q: said %q, want %q", test.code, test.header, test.body, got, test.want)
		}
	}
}

// TestSaidOfVerdicts holds that what fails because of a refusal tells it, as does what cannot be judged for that, and nothing that
// passes.
func TestSaidOfVerdicts(t *testing.T) {
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Exchanges {
		x := &c.Exchanges[i]
		if strings.HasSuffix(x.Request.URL, "/makeMeAvailable") && x.Response.Code == 204 {
			x.Response.Code, x.Response.Body = 403, `{"code":"Forbidden","subcode":"ServiceNotAllowed"}`
			x.Response.Headers["Content-Type"] = []string{"application/json"}
		}
	}
	list, err := Locate(c)
	if err != nil {
		t.Fatal(err)
	}
	results, err := Examine(list[0])
	if err != nil {
		t.Fatal(err)
	}
	const want = "403 Forbidden, code Forbidden, subcode ServiceNotAllowed"
	told := map[reports.Verdict]int{}
	for _, r := range results {
		if r.Said == want {
			told[r.Verdict]++
		}
		if r.Requirement == "set-presence.2.status" && r.Said != want || r.Verdict == reports.Pass && r.Said != "" {
			t.Errorf("%s, %s: said %q", r.Requirement, r.Verdict, r.Said)
		}
	}
	if told[reports.Blocked]+told[reports.NotExercised] == 0 {
		t.Errorf("no verdict that follows from it tells the refusal: %v", told)
	}
}
