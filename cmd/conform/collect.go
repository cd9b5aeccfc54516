package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// lateUntil is how far the heap may grow before it is collected, in bytes, if less than half of that is in use.
const lateUntil = 250 << 20

// collectLate has little collected: an ordinary run allocates some ten megabytes and
// ends, and collecting them costs a third of its time. While much is in use, as with a
// thousand users or a recording of a hundred megabytes, the heap may become half as large
// again: as usual, twice that, a thousand users would take 1.5 GiB and not 1, and a tenth
// less time.
func collectLate() {
	if limit := memoryLimit("/sys/fs/cgroup"); limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit / 10 * 8) // what lies beyond is no heap: a container is killed where its limit is passed
	}
	if os.Getenv("GOGC") != "" {
		return
	}
	const most, least = 800, 50 // percent of what is in use
	percent := most
	debug.SetGCPercent(percent)
	var look func()
	look = func() { // a cleanup would come when its span is swept, often much later
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}} // as the last collection found it
		metrics.Read(live)
		inUse := max(1, int64(live[0].Value.Uint64()))
		wanted := int(min(most, max(least, lateUntil*100/inUse-100)) / 50 * 50)
		if wanted != percent { // to set it stops everything for a moment
			percent = wanted
			debug.SetGCPercent(percent)
		}
		time.AfterFunc(10*time.Millisecond, look)
	}
	time.AfterFunc(100*time.Millisecond, look) // which an ordinary run does not live to see
}
