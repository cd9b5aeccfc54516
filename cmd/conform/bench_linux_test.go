package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// BenchmarkCommand is what people wait for: a whole process, from its start to its end.
func BenchmarkCommand(b *testing.B) {
	conform := filepath.Join(b.TempDir(), "conform")
	if out, err := exec.Command("go", "build", "-o", conform, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for _, line := range []string{"version", "--help", "list", "run --format json", "prove"} {
		b.Run(strings.ReplaceAll(strings.ReplaceAll(line, " ", "_"), "--", ""), func(b *testing.B) {
			most, cpu := int64(0), 0.0
			for b.Loop() {
				cmd := exec.Command(conform, strings.Fields(line)...)
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
				most = max(most, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
				cpu += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
			}
			b.ReportMetric(cpu*1000/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(most)/1024, "peak-MiB")
		})
	}
}
