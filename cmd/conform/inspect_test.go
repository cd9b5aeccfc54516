package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// TestInspect holds that a credential which stands in a capture is in no report on it: the suite's own
// words are rid of it, and where it stands in what was recorded nothing is written.
func TestInspect(t *testing.T) {
	c, err := cassettes.Open("documentation/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	const token = "AAEBthe-token-of-Dana"
	for _, x := range c.Exchanges {
		x.Request.Headers.Set("Authorization", "Bearer cwt="+token)
	}
	list, err := suite.Locate(c)
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte("for " + token))
	r := &reports.Report{Notes: []string{"of " + token}, Results: []reports.Result{
		{Statement: "stays", Expected: token, Observed: encoded, Reason: strings.ReplaceAll(token, "-", "%2D")},
	}}
	if err := inspect(r, list[0]); err != nil {
		t.Errorf("a report that can be rid of it: %v", err)
	}
	if shown := fmt.Sprint(r.Notes, r.Results); strings.Contains(shown, "AAEB") || strings.Contains(shown, encoded) || !strings.Contains(shown, "stays") {
		t.Errorf("the report shows %s", shown)
	}
	for _, r := range []*reports.Report{
		{Evidence: reports.Evidence{Server: token}},
		{Exchanges: []reports.Exchange{{Error: encoded}}},
	} {
		if err := inspect(r, list[0]); !errors.Is(err, cassettes.ErrLeak) || strings.Contains(err.Error(), "AAEB") {
			t.Errorf("a report that shows it in what was recorded: %v", err)
		}
	}
}
