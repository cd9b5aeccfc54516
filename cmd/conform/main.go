// Command conform certifies UCWA 2.0 servers and clients against Microsoft's
// documentation, live or from recorded evidence.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// Exit codes, a contract with those who run conform in scripts.
const (
	exitConformant    = 0
	exitNonconformant = 1
	exitUsage         = 2   // a flag, an argument or the configuration is wrong, or a file that they name is not there
	exitIncomplete    = 3   // no must failed, but not every must could be judged; or nothing was
	exitFailed        = 4   // the harness, the network or a file failed before anything could be judged
	exitInterrupted   = 130 // the partial report is still written
)

// exit is an error with its exit code. Its text may be empty: then all is said.
type exit struct {
	code int
	error
}

func usage(format string, args ...any) error { return exit{exitUsage, fmt.Errorf(format, args...)} }

func main() {
	collectLate()
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		ends = append(ends, syscall.SIGHUP) // the terminal was closed: a server must be left as it was then too
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	context.AfterFunc(ctx, func() { // to stop listening would not do: Ginkgo listens too, and stays
		second := make(chan os.Signal, 1)
		signal.Notify(second, os.Interrupt, syscall.SIGTERM)
		<-second
		os.Exit(exitInterrupted)
	})
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process, so that tests can call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitConformant
	}
	code := exitUsage // cobra's own errors are about arguments
	if e := (exit{}); errors.As(err, &e) {
		code = e.code
		if e.error == nil {
			return code
		}
	}
	fmt.Fprintln(stderr, "conform: "+reports.Legible(err.Error()))
	lastWord(ended(code))
	return code
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "conform",
		Short: "Certify UCWA 2.0 servers and clients against the documentation",
		Long: `conform certifies UCWA 2.0, the web API of Skype for Business Server, against
Microsoft's documentation: server and client, live or from recorded evidence.

Exit codes: 0 conformant, 1 nonconformant, 2 usage, 3 incomplete,
4 the harness, the network or a file failed, 130 interrupted.`,
		Example: `  conform run                                    judge the embedded recording
  conform run --cassette documentation/set-presence
  CONFORM_TOKEN=cwt=... conform run --application https://pool.example/ucwa/oauth/v1/applications/101
  conform check session.har                      judge what a browser or a proxy captured
  conform record --application https://pool.example/ucwa/oauth/v1/applications/101 --out pool.yaml
  conform doctor --sip sip:dana@contoso.com      what is wrong between here and the server
  conform list --level must --subject server
  conform explain set-presence.2.status`,
		Version:       tool().Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return fmt.Errorf("unknown command %q%s; `conform --help` lists the commands", args[0], suite.Nearest(args[0], commandNames(cmd)))
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if invalid := (*pflag.InvalidValueError)(nil); errors.As(err, &invalid) { // whose value may be a secret
			err = fmt.Errorf("--%s: expected %s", invalid.GetFlag().Name, kindOf(invalid.GetFlag()))
		}
		if unknown := (*pflag.NotExistError)(nil); errors.As(err, &unknown) {
			err = unknownFlag(cmd, unknown)
		}
		return usage("%w; `%s --help` lists the flags", err, cmd.CommandPath())
	})
	root.AddCommand(newRun(), newCheck(), newRecord(), newImport(), newRedact(), newServe(), newClient(), newProve(), newReport(), newDoctor(), newList(), newExplain(), newVersion())
	setHelp(root)
	return root
}

// unknownFlag says which flag was meant, and where secrets come from. What stands behind the flag it does not repeat.
func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	name := e.GetSpecifiedName()
	if e.GetSpecifiedShortnames() != "" {
		return fmt.Errorf("unknown shorthand flag: -%.1s", name)
	}
	for _, secret := range []string{"password", "token"} {
		file := cmd.Flags().Lookup(secret + "-file")
		if file == nil || name != secret && (secret != "password" || name != "pass" && name != "passwd" && name != "pwd") {
			continue
		}
		return fmt.Errorf("there is no --%s, since everybody on a machine can see the flags of a command: put the %s into the environment as CONFORM_%s, "+
			"into a file that only you can read and give --%s-file FILE, or into the keyring of the system (service %s); else the terminal asks for it",
			name, secret, strings.ToUpper(secret), secret, keyringService)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return fmt.Errorf("unknown flag: --%s%s", name, strings.Replace(suite.Nearest(name, names), `"`, `"--`, 1))
}

// say writes to standard output what a command is there to tell.
func say(cmd *cobra.Command, text string) error {
	if _, err := io.WriteString(cmd.OutOrStdout(), text); err != nil {
		return exit{exitFailed, fmt.Errorf("writing to standard output: %w", err)}
	}
	return nil
}

// noArguments refuses them without a word of them: what follows the flags may be the
// value of one, such as a password.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("%s takes no arguments, found %d: each value belongs behind its flag", cmd.Name(), len(args))
	}
	return nil
}

func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return names
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := tool()
			line := t.Name + " " + t.Version
			if t.Commit != "" {
				line += " (" + t.Commit + ")"
			}
			return say(cmd, line+"\n")
		},
	}
}

// version is that of the next release, until a release sets it.
var version = "0.1.0-dev"

// tool names this program in reports.
func tool() reports.Tool {
	t := reports.Tool{Name: "conform", Version: version}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				t.Commit = s.Value
			}
		}
	}
	return t
}
