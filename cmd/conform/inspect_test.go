package main

import (
	"encoding/base64"
	"fmt"
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
}
