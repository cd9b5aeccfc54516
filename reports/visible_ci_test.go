package reports

import (
	"strings"
	"testing"
)

// TestNoCommands holds that no line that people are shown is a command to GitHub, Azure or GitLab.
func TestNoCommands(t *testing.T) {
	for is, become := range map[string]string{
		"::error::x":                     `\x3a:error::x`,
		"  ::set-output name=a::b":       `  \x3a:set-output name=a::b`,
		"a ::error::x":                   "a ::error::x",
		"x\n::stop-commands::y":          "x\n" + `\x3a:stop-commands::y`,
		"see ##[add-path]/tmp":           `see \x23#[add-path]/tmp`,
		"##vso[task.setvariable]x":       `\x23#vso[task.setvariable]x`,
		"####Vso[task.setvariable]":      `##\x23#Vso[task.setvariable]`,
		"section_start:1:a\r\x1b[0Kname": `section_start:1:a\r\x1b[0Kname`,
		"## title, C##":                  "## title, C##",
	} {
		if got := Legible(is); got != become {
			t.Errorf("%q became %q, expected %q", is, got, become)
		}
	}
	p := newPrinter(Options{Width: 40})
	p.item(2, "", plain, strings.Repeat("a", 37)+" ::error::x", plain)
	for line := range strings.Lines(p.b.String()) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") {
			t.Errorf("a wrapped line is %q", line)
		}
	}
}
