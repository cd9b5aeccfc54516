package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// TestCollectLate holds that little is collected until much is in use, and then as usual.
func TestCollectLate(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	percent := func() int { p := debug.SetGCPercent(100); debug.SetGCPercent(p); return p }
	collectLate()
	if got := percent(); got != 800 {
		t.Errorf("at the start the heap grows by %d%% before it is collected, want 800%%", got)
	}
	much := make([]byte, 2*manyInUse)
	for deadline := time.Now().Add(30 * time.Second); percent() != 100; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatalf("with %d bytes in use the heap still grows by %d%%", len(much), percent())
		}
	}
	runtime.KeepAlive(much)
}
