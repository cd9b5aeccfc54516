package main

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// TestInspect holds that a report is rid of a credential that should have been masked, and says that it was there.
func TestInspect(t *testing.T) {
	c, err := cassettes.Open("documentation/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	const token = "AAEBthe-token-of-Dana"
	for _, x := range c.Exchanges {
		x.Request.Headers.Set("Authorization", "Bearer cwt="+token)
	}
	list, err := suite.LocateMasked(c, masker(nil, true))
	if err != nil {
		t.Fatal(err)
	}
	clean := &reports.Report{Notes: []string{"nothing"}}
	if inspect(clean, list[0]); len(clean.Notes) != 1 {
		t.Errorf("of a clean report it says %q", clean.Notes)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte("for " + token))
	r := &reports.Report{Notes: []string{"of " + token}, Evidence: reports.Evidence{Source: token + ".har"}, Results: []reports.Result{
		{Statement: "stays", Expected: token, Observed: encoded, Reason: strings.ReplaceAll(token, "-", "%2d"), Said: strings.ToUpper(token)},
	}}
	inspect(r, list[0])
	shown := fmt.Sprint(r.Notes, r.Results, r.Evidence)
	if strings.Contains(strings.ToUpper(shown), "AAEB") || strings.Contains(shown, encoded[8:20]) || !strings.Contains(shown, "stays") {
		t.Errorf("the report shows %s", shown)
	}
	if !strings.Contains(shown, "6 values that should have been masked") {
		t.Errorf("it says %q", r.Notes)
	}
	other := &reports.Report{Notes: []string{"nothing"}}
	if inspect(other, list[0]); len(other.Notes) != 1 {
		t.Errorf("of another report with the same Masker it says %q", other.Notes)
	}
}

// TestShowAnswers holds that the exchanges that failed are shown as they were, without what is a credential, and no others; and nothing of
// them where there is no terminal.
func TestShowAnswers(t *testing.T) {
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(c.Exchanges, func(x cassettes.Exchange) bool {
		return strings.HasSuffix(x.Request.URL, "/makeMeAvailable") && x.Response.Code == 204
	})
	x := c.Exchanges[at]
	x.Response.Code, x.Response.Body = 500, `{"message":"Dana's pool is full","password":"hunter22"}`
	x.Request.Headers.Set("Authorization", "Bearer cwt=AAEBsecret")
	list, err := suite.LocateMasked(c, masker(nil, false))
	if err != nil {
		t.Fatal(err)
	}
	results, err := suite.Examine(list[0])
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	r := &reports.Report{Results: results}
	(&runFlags{}).answers(&b, r, list[0])
	shown := b.String()
	if !strings.Contains(shown, fmt.Sprintf("exchange %d, as it was", x.ID)) || !strings.Contains(shown, "Dana's pool is full") || !strings.Contains(shown, "lyncweb.contoso.com") {
		t.Errorf("it shows\n%s", shown)
	}
	if strings.Contains(shown, "AAEB") || strings.Contains(shown, "hunter22") || strings.Count(shown, "as it was") > 3 {
		t.Errorf("it shows too much:\n%s", shown)
	}
	if said := fmt.Sprint(results); strings.Contains(said, "Dana's") || strings.Contains(said, "contoso") {
		t.Error("the verdicts show it too")
	}
}
