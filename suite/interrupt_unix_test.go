//go:build unix

package suite

import (
	"strings"
	"syscall"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestInterrupted holds that an interrupt ends the judging of many evidences, after which
// nothing of it goes on, and that the reports say what was not judged.
func TestInterrupted(t *testing.T) {
	if ownProcess(t) {
		return
	}
	e := located(t, "reference/set-presence")
	var many []*Evidence
	for range 2000 {
		another := *e
		many = append(many, &another)
	}
	j, err := Declare(Options{}, many...)
	if err != nil {
		t.Fatal(err)
	}
	ginkgo.BeforeEach(func() {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGINT); err != nil {
			t.Error(err)
		}
	})
	ginkgo.RunSpecs(verdictsCount{}, "conform")
	for i, r := range j.Reports() { // which would race with a spec that goes on
		last := r.Results[len(r.Results)-1]
		if last.Verdict != reports.Error || !strings.Contains(last.Reason, "interrupted") {
			t.Fatalf("evidence %d: %s is %s: %s", i, last.Requirement, last.Verdict, last.Reason)
		}
	}
}
