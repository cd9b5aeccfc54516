package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestHelp holds that the help of each command fits a screen, and that no flag is left out of it.
func TestHelp(t *testing.T) {
	met := map[string]bool{}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		help, flags := helpOf(cmd, false), helpOf(cmd, true)
		if n := strings.Count(help, "\n"); n > 50 {
			t.Errorf("%s --help has %d lines", cmd.CommandPath(), n)
		}
		for _, text := range []string{help, flags} {
			for line := range strings.Lines(text) {
				if len([]rune(line)) > helpWidth+1 && !strings.Contains(line, "conform "+cmd.Name()+" -") && !strings.Contains(line, "conform run ") {
					t.Errorf("%s --help is wider than %d columns: %s", cmd.CommandPath(), helpWidth, line)
				}
			}
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			met[f.Name] = true
			if f.Name == "help" || f.Hidden {
				return
			}
			if name := regexp.MustCompile(`--` + f.Name + `[ \n]`); !name.MatchString(help) || len(name.FindAllString(flags, -1)) < 1 || !strings.Contains(strings.Join(strings.Fields(flags), " "), f.Usage[:min(10, len(f.Usage))]) {
				t.Errorf("%s --%s is left out", cmd.CommandPath(), f.Name)
			}
		})
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newRoot())
	under := map[string]string{}
	for _, h := range headings {
		for _, name := range h.flags {
			if under[name] != "" {
				t.Errorf("--%s is under %s and under %s", name, under[name], h.title)
			}
			under[name] = h.title
			if !met[name] {
				t.Errorf("there is no flag --%s, which stands under %s", name, h.title)
			}
		}
	}
}
