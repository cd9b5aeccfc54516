package suite

import (
	"net/http"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestUsersLeaveNothing holds that of 200 users who were gathered at once, and judged, no
// goroutine remains. A timer that somebody waits for would keep one; one that nobody
// waits for would keep the evidence, so that it is held to be given back, too.
func TestUsersLeaveNothing(t *testing.T) {
	slow(t)
	targets := pools(t, 40)
	before := goleak.IgnoreCurrent()
	list := Gather(t.Context(), targets...)
	given := make(chan struct{}, len(list))
	for _, e := range list {
		if _, err := Examine(e); err != nil {
			t.Fatal(err)
		}
		if e.Unfinished() != "" {
			t.Errorf("%s: %s", e.Source, e.Unfinished())
		}
		runtime.AddCleanup(e, func(done chan struct{}) { done <- struct{}{} }, given)
	}
	for _, target := range targets { // connections that are kept for later are the caller's
		target.Transport.(*http.Transport).CloseIdleConnections()
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	count := len(list) // the last use of it
	for deadline := time.Now().Add(30 * time.Second); len(given) < count; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d evidences are still held", count-len(given), count)
		}
	}
}
