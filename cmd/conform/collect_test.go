package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// TestCollectLate holds that little is collected, and more while much is in use.
func TestCollectLate(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	percent := func() int { p := debug.SetGCPercent(100); debug.SetGCPercent(p); return p }
	collectLate()
	if got := percent(); got != 800 {
		t.Errorf("at the start the heap grows by %d%% before it is collected, want 800%%", got)
	}
	become := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); percent() != want; runtime.GC() {
			if time.Now().After(deadline) {
				t.Fatalf("the heap grows by %d%% before it is collected, want %d%%", percent(), want)
			}
		}
	}
	much := make([]byte, lateUntil)
	become(50)
	runtime.KeepAlive(much)
	become(800)
}
