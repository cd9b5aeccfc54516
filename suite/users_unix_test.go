//go:build unix

package suite

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports"
)

// BenchmarkUsers gathers evidence of 1,000 users of 200 pools at once, whose servers are
// in the same process, and judges all in one run of Ginkgo; with -short it is 50 users.
// Ginkgo runs once in a process, so it wants -benchtime=1x -count=1. Besides times it tells
// the evidence and the peak of the process, which does nothing else then, in MiB a user, and the wall time of all as a
// part of what it may be: 1.5 times that of the longest single run, and the CPU time.
func BenchmarkUsers(b *testing.B) {
	if b.N > 1 || ran.Load() {
		b.Skip("it runs once in a process: -benchtime=1x -count=1")
	}
	pooled := 200
	if testing.Short() {
		pooled = 10
	}
	targets := pools(b, pooled)
	before := heap()
	b.ResetTimer()
	began := time.Now()
	cpu := used(b).cpu
	list := Gather(b.Context(), targets...)
	gathered, gatheredCPU := time.Since(began), used(b).cpu-cpu
	b.StopTimer()
	kept := heap() - before
	b.StartTimer()
	judging, judgingCPU := time.Now(), used(b).cpu
	judged, err := Judge(Options{}, list...)
	took, tookCPU := time.Since(judging), used(b).cpu-judgingCPU
	b.StopTimer()
	if err != nil {
		b.Fatal(err)
	}
	longest := time.Duration(0)
	for i, e := range list {
		if judged[i].Outcome != reports.Conformant {
			b.Errorf("%s: %s\n%s", e.Source, judged[i].Outcome, complaints(judged[i]))
		}
		x := e.Recording.Exchanges
		last := x[len(x)-1]
		longest = max(longest, last.Began.Add(last.Response.Duration).Sub(x[0].Began))
	}
	users := float64(len(targets))
	ms := func(d time.Duration) float64 { return d.Seconds() * 1000 / users }
	b.ReportMetric(ms(gathered), "gather-ms/user")
	b.ReportMetric(ms(gatheredCPU), "gather-cpu-ms/user")
	b.ReportMetric(ms(took), "judge-ms/user")
	b.ReportMetric(ms(tookCPU), "judge-cpu-ms/user")
	b.ReportMetric(float64(kept)/(1<<20)/users, "evidence-MiB/user")
	b.ReportMetric(used(b).peak/users, "peak-MiB/user")
	b.ReportMetric((gathered+took).Seconds()/(longest*3/2+gatheredCPU+tookCPU).Seconds(), "of-bound")
	runtime.KeepAlive(list)
}

type usage struct {
	cpu  time.Duration
	peak float64 // MiB
}

// used returns what the process used so far.
func used(b *testing.B) usage {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	unit := 1024. // bytes
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return usage{time.Duration(u.Utime.Nano() + u.Stime.Nano()), float64(u.Maxrss) * unit / (1 << 20)}
}

// heap returns how many bytes are in use once all is collected that can be.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
