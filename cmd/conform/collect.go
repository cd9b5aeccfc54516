package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// lateUntil is how far the heap may grow before it is collected, in bytes, if less than half of that is in use.
const lateUntil = 250 << 20

// collectLate has little collected: an ordinary run allocates some ten megabytes and
// ends, and collecting them costs a third of its time. While much is in use, as with a
// thousand users or a recording of a hundred megabytes, the heap may become twice that,
// as usual.
func collectLate() {
	if os.Getenv("GOGC") != "" {
		return
	}
	const most, usual = 800, 100 // percent of what is in use
	percent := most
	debug.SetGCPercent(percent)
	atEachCollection(func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		inUse := max(1, int(live[0].Value.Uint64()))
		wanted := min(most, max(usual, lateUntil*100/inUse-100)) / 100 * 100
		if wanted != percent { // to set it stops everything for a moment
			percent = wanted
			debug.SetGCPercent(percent)
		}
	})
}

// atEachCollection calls do after each collection.
func atEachCollection(do func()) {
	runtime.AddCleanup(new([64]byte), func(do func()) {
		do()
		atEachCollection(do)
	}, do)
}
