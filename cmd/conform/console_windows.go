package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// enableEscapes switches the console to escape sequences, and reports whether it takes them: those before Windows 10 do not.
func enableEscapes(file *os.File) bool {
	var mode uint32
	console := windows.Handle(file.Fd())
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
