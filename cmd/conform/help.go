package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// headings are the flags that are seldom needed, by what they are about. The help of a command names them; `conform help COMMAND flags` explains each.
// All others stand in the help itself.
var headings = []struct {
	title string
	flags []string
}{
	{"Sign-in", []string{"username", "domain", "autodiscover", "token-file", "password-file", "grant", "meeting", "trust", "other-token-file", "kerberos", "keytab", "ccache", "krb5-config", "foreign-token"}},
	{"Connection", []string{"target", "cacert", "client-cert", "client-key", "insecure", "resolve", "origin", "rate", "timeout", "request-timeout", "retry-wait", "event-wait", "hold"}},
	{"Selection", []string{"requirement", "level", "subject"}},
	{"Other users", []string{"anonymous-application", "restricted-application", "keep-application"}},
	{"Many targets", []string{"concurrency", "passwords", "keep", "run", "shard", "shard-index", "shards"}},
	{"Server", []string{"host", "pool-host", "home-host", "user-host", "plain", "event-timeout", "aggregation", "ca-dir", "export-ca", "cert", "key", "page"}},
	{"Report", []string{"name", "keep-names", "redact", "show-answers", "no-color", "quiet", "log"}},
}

// helpWidth is how wide help is, in columns.
const helpWidth = 100

// setHelp gives all commands their help.
func setHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { _ = say(cmd, helpOf(cmd, false)) })
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND...] [flags]",
		Short: "Show the help of a command; with the word flags, all its flags",
		RunE: func(_ *cobra.Command, args []string) error {
			all := len(args) > 0 && args[len(args)-1] == "flags"
			if all {
				args = args[:len(args)-1]
			}
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return usage("unknown command %q%s; `conform --help` lists the commands", strings.Join(args, " "), suite.Nearest(strings.Join(args, " "), commandNames(root)))
			}
			cmd.InitDefaultHelpFlag()
			return say(root, helpOf(cmd, all))
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if cmd, _, err := root.Find(args); err == nil {
				return append(commandNames(cmd), "flags"), cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	})
}

// helpOf is the help of a command: what it does, how it is called, examples, and its flags. All has every flag explained, and nothing else.
func helpOf(cmd *cobra.Command, all bool) string {
	var b strings.Builder
	section := func(title, text string) {
		if text = strings.TrimRight(text, "\n"); text != "" {
			fmt.Fprintf(&b, "\n%s:\n%s\n", title, text)
		}
	}
	common := pflag.NewFlagSet("", pflag.ContinueOnError)
	rare := map[string]*pflag.FlagSet{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		for _, h := range headings {
			if slices.Contains(h.flags, f.Name) {
				if rare[h.title] == nil {
					rare[h.title] = pflag.NewFlagSet("", pflag.ContinueOnError)
				}
				rare[h.title].AddFlag(f)
				return
			}
		}
		if f.Name != "help" {
			common.AddFlag(f)
		}
	})
	if all && !common.HasAvailableFlags() {
		return cmd.CommandPath() + " has no flags of its own; `" + cmd.CommandPath() + " --help` lists its commands\n"
	}
	if all {
		fmt.Fprintf(&b, "The flags of %s\n", cmd.CommandPath())
		section("Common", flagLines(common))
		for _, h := range headings {
			if rare[h.title] != nil {
				section(h.title, flagLines(rare[h.title]))
			}
		}
		return b.String()
	}
	fmt.Fprintf(&b, "%s\n", strings.TrimSpace(cmp.Or(cmd.Long, cmd.Short)))
	usage := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		usage = fmt.Sprintf("%s COMMAND [flags]; %s COMMAND --help", cmd.CommandPath(), cmd.CommandPath())
	}
	fmt.Fprintf(&b, "\nUsage: %s\n", usage)
	commands := ""
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			commands += fmt.Sprintf("  %-11s %s\n", c.Name(), c.Short)
		}
	}
	section("Commands", commands)
	section("Examples", cmd.Example)
	section("Flags", flagLines(common))
	names := ""
	for _, h := range headings {
		if rare[h.title] == nil {
			continue
		}
		line := fmt.Sprintf("  %-13s", h.title)
		rare[h.title].VisitAll(func(f *pflag.Flag) {
			if len(line[strings.LastIndexByte(line, '\n')+1:])+len(f.Name)+3 > helpWidth {
				line += "\n" + strings.Repeat(" ", 15)
			}
			line += " --" + f.Name
		})
		names += line + "\n"
	}
	section(fmt.Sprintf("More flags, which `conform help %s flags` explains", strings.TrimPrefix(cmd.CommandPath(), "conform ")), names)
	return b.String()
}

// flagLines lists flags: name and kind of value, then what it is, wrapped.
func flagLines(flags *pflag.FlagSet) string {
	const column = 27
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		kind, text := pflag.UnquoteUsage(f)
		name := "  --" + f.Name
		if f.Shorthand != "" {
			name = "  -" + f.Shorthand + ", --" + f.Name
		}
		if f.Value.Type() != "bool" {
			name += " " + strings.TrimSuffix(strings.TrimSuffix(kind, "Array"), "s")
			if none := f.DefValue; none != "" && none != "[]" && none != "0" && none != "0s" {
				text += fmt.Sprintf(" (default %s)", none)
			}
		}
		if len(name) >= column {
			b.WriteString(name + "\n")
			name = ""
		}
		for _, word := range strings.Fields(text) {
			switch {
			case len(name) < column:
				name = fmt.Sprintf("%-*s", column, name) + word
			case len(name)+1+len(word) > helpWidth:
				b.WriteString(name + "\n")
				name = strings.Repeat(" ", column) + word
			default:
				name += " " + word
			}
		}
		b.WriteString(name + "\n")
	})
	return b.String()
}
