//go:build !js

package suite

import (
	"context"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// Certify gathers evidence from live targets and judges it against every
// requirement, and fails t, with the report as text, where a target is not
// conformant. Ginkgo runs once in a process, so a test binary calls Certify once,
// with all its targets; one that runs Ginkgo itself uses [Gather] and [Declare].
func Certify(t testing.TB, targets ...Target) {
	t.Helper()
	for i, target := range targets {
		if _, err := ucwa.Begin(target.Application); err != nil {
			t.Fatalf("target %d: %v", i+1, err)
		}
	}
	list, err := Judge(Options{}, Gather(context.Background(), targets...)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Outcome == reports.Conformant {
			continue
		}
		var text strings.Builder
		if err := reports.Write(&text, r, "text", reports.Options{}); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s is %s\n%s", r.Evidence.Source, r.Outcome, text.String())
	}
}
