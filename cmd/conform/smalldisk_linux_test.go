package main

import (
	"syscall"
	"testing"
)

// smallDisk mounts a disk of a quarter of a megabyte, where the system allows it.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("no small disk can be mounted here (that takes root): ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, 0) })
	return dir
}
