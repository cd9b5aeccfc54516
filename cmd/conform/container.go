package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// terminationLog is the file from which Kubernetes shows why a pod ended.
var terminationLog = "/dev/termination-log"

// inPod tells whether this is a pod of Kubernetes, which sets that variable in each.
func inPod() bool { return os.Getenv("KUBERNETES_SERVICE_HOST") != "" }

// ended says briefly how a run ended with an error. The error itself is in the log only: it can name accounts and hosts, and more people
// can see the status of a pod.
func ended(code int) string {
	what := map[int]string{exitUsage: "a flag, the list, or a file that it names is wrong", exitIncomplete: "there was nothing to judge", exitInterrupted: "interrupted"}
	return fmt.Sprintf("ended with %d, %s: see the log", code, cmp.Or(what[code], "the harness, the network or a file failed"))
}

// lastWord leaves one line where Kubernetes shows it: what came of a run. Elsewhere, and where that cannot be written, it does nothing.
func lastWord(text string) {
	if !inPod() {
		return
	}
	file, err := os.OpenFile(terminationLog, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return
	}
	defer file.Close()
	_, _ = file.WriteString(line(text) + "\n")
}

// memoryLimit returns how much memory the control group of this process may have, in bytes, as a container sees it; 0 if that is not
// known, or unlimited. Sources: cgroups(7); memory.max of version 2, memory.limit_in_bytes of version 1.
func memoryLimit(root string) int64 {
	for _, name := range []string{"memory.max", "memory/memory.limit_in_bytes"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			continue
		}
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64); err == nil && limit > 0 && limit < 1<<60 { // version 1 has a large number for none
			return limit
		}
	}
	return 0
}

// spent is what the process used, and for how long its control group was throttled; 0 where that is not known.
type spent struct{ cpu, throttled time.Duration }

func used() spent {
	u := spent{cpu: cpuTime()}
	for _, group := range []struct {
		file, key string
		unit      time.Duration
	}{{"/sys/fs/cgroup/cpu.stat", "throttled_usec", time.Microsecond}, {"/sys/fs/cgroup/cpu/cpu.stat", "throttled_time", time.Nanosecond}} {
		content, err := os.ReadFile(group.file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(content)) {
			if key, value, _ := strings.Cut(strings.TrimSpace(line), " "); key == group.key {
				n, _ := strconv.ParseInt(value, 10, 64)
				u.throttled = time.Duration(n) * group.unit
			}
		}
	}
	return u
}
