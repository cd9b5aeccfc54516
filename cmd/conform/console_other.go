//go:build !windows

package main

import "os"

// enableEscapes reports whether a terminal knows escape sequences.
func enableEscapes(*os.File) bool { return true }
