package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// manyInUse is the heap, in bytes, from which on it is collected as usual.
const manyInUse = 32 << 20

// collectLate has little collected: an ordinary run allocates some ten megabytes and
// ends, and collecting them costs a third of its time. Once much is in use, as with a
// thousand users or a recording of a hundred megabytes, the heap may no longer grow to
// nine times that.
func collectLate() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(800)
	atNextCollection(func() bool {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		if live[0].Value.Uint64() < manyInUse {
			return false
		}
		debug.SetGCPercent(100)
		return true
	})
}

// atNextCollection calls done after each collection until it returns true.
func atNextCollection(done func() bool) {
	runtime.AddCleanup(new([64]byte), func(done func() bool) {
		if !done() {
			atNextCollection(done)
		}
	}, done)
}
