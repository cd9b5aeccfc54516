//go:build unix && !linux

package main

import "testing"

func smallDisk(t *testing.T) string {
	t.Skip("a small disk is made on Linux only")
	return ""
}
