package prove

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// TestNoVerdictNeedsAName judges the recording of every server with a fault, and every
// 25th mutant of the reference recording, with the names in it and without: what is
// wrong in one is wrong in the other, and nothing else.
func TestNoVerdictNeedsAName(t *testing.T) {
	if testing.Short() {
		t.Skip("it drives hundreds of faults")
	}
	var wait sync.WaitGroup
	slots := make(chan struct{}, 16)
	compare := func(name string, c *cassettes.Cassette) {
		hidden := c.Masked(mask.New(mask.Options{}))
		var verdicts [2]map[string]reports.Verdict
		for i, c := range []*cassettes.Cassette{c, hidden} {
			located, err := suite.Locate(c)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			results, err := suite.Examine(located[0])
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			verdicts[i] = map[string]reports.Verdict{}
			for _, r := range results {
				verdicts[i][r.Requirement] = r.Verdict
			}
		}
		if d := cmp.Diff(verdicts[0], verdicts[1]); d != "" {
			t.Errorf("%s: with names (-) and without (+):\n%s", name, d)
		}
	}
	later := func(do func()) {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			do()
		})
	}
	for i, f := range Faults() {
		if f.Subject == "client" || f.derived != nil && i%10 != 0 {
			continue // of those that follow from a check, each tenth: they differ in what stands at one field
		}
		later(func() {
			target, running, err := start(f.Handler, nil, signsIn(f))
			if err != nil {
				t.Error(err)
				return
			}
			defer running.Close()
			compare(f.Name, suite.Record(context.Background(), target))
		})
	}
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	located, err := suite.Locate(c)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range mutants(located[0]) {
		if i%25 != 0 || race {
			continue // all of them hold too, and take a minute
		}
		later(func() {
			mutated := *c
			mutated.Exchanges = m.edit(c.Exchanges)
			compare(fmt.Sprintf("mutant %d, %s", i, m.name()), &mutated)
		})
	}
	wait.Wait()
}
