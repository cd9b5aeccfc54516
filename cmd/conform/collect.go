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
// ends, and collecting them costs a third of its time. While much is in use, as with a
// thousand users or a recording of a hundred megabytes, the heap may not grow to nine
// times that.
func collectLate() {
	if os.Getenv("GOGC") != "" {
		return
	}
	const late, usual = 800, 100
	percent := late
	debug.SetGCPercent(percent)
	atEachCollection(func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		wanted := late
		if live[0].Value.Uint64() >= manyInUse {
			wanted = usual
		}
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
