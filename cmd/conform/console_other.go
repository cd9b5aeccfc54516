//go:build !windows

package main

import "os"

// obeysEscapes reports whether a terminal knows escape sequences.
func obeysEscapes(*os.File) bool { return true }
