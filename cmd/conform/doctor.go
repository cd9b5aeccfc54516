package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/cmd/conform/internal/doctor"
	"github.com/ucwa-conform/ucwa-conform/cmd/conform/internal/network"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// doctorFlags are the flags of `conform doctor`.
type doctorFlags struct {
	live    liveFlags
	hold    time.Duration
	format  string
	quiet   bool
	noColor bool
}

var doctorFormats = []string{"text", "json"}

func newDoctor() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong between this machine and a deployment",
		Long: `doctor goes the way of a client, from a SIP address to the event channel, and says of
each thing on the way whether it is well, and if not what is wrong, where, and what to
do next: DNS, TCP, TLS and its certificate, Autodiscover, the grants that are offered,
the sign-in, the user resource, the host of the applications, an application, the event
channel, and the clocks. It judges no requirement: that is for run.

It signs in once at each host that asks, and never again with a password that was
refused. The application that it creates is deleted at the end. With --application it
looks at that one and leaves it there; a client that waits on its event channel is sent
away from it (409), and has to ask again.

What it writes names your hosts and addresses: it is for you, not for handing on.
It holds no password and no token. docs/doctor.md tells what each check means.

Exit codes: 0 all is well (there may be warnings), 1 a problem was found, 2 usage,
4 no host could be reached at all, 130 interrupted (what was found is written).

` + precedence,
		Example: `  conform doctor --sip sip:dana@contoso.com
  conform doctor --sip sip:dana@contoso.com --resolve lyncweb.contoso.com:443:10.0.0.7
  conform doctor --domain contoso.com --username 'CONTOSO\dana' --format json
  CONFORM_TOKEN=cwt=... conform doctor --application https://pool.example/ucwa/oauth/v1/applications/101`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	f.live.signIn.add(cmd)
	flags.Lookup("sip").Usage = "look at the deployment of this SIP address (sip:dana@contoso.com)"
	flags.StringVar(&f.live.application, "application", "", "look at this application resource (URL, or a path with --target), with its token")
	flags.StringVar(&f.live.server, "target", "", "base URL of the live server, for a relative --application")
	flags.StringVar(&f.live.tokenFile, "token-file", "", "file with the user's token (cwt=...); else CONFORM_TOKEN, the system's keyring, or a prompt")
	flags.DurationVar(&f.live.timeout, "timeout", 2*time.Minute, "for all")
	flags.DurationVar(&f.hold, "hold", 5*time.Second, "how long to see that a pending GET is held; more finds a load balancer that cuts it")
	f.live.connection.add(cmd)
	flags.StringVar(&f.format, "format", "text", "of standard output: "+strings.Join(doctorFormats, ", "))
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "write no progress and no notes to standard error")
	flags.BoolVar(&f.noColor, "no-color", false, "no colour; so do the environment variables NO_COLOR and TERM=dumb")
	complete(cmd, "format", func() []string { return doctorFormats })
	for _, name := range []string{"application", "target", "timeout", "hold"} {
		complete(cmd, name, func() []string { return nil })
	}
	configurable(cmd)
	return cmd
}

func (f *doctorFlags) run(cmd *cobra.Command) error {
	if err := f.consistent(cmd); err != nil {
		return err
	}
	ctx, stderr := cmd.Context(), cmd.ErrOrStderr()
	f.live.eventWait = f.hold
	target, err := begin(f.live.target)(ctx)
	if err != nil {
		return err
	}
	book, err := network.ParseResolve(f.live.connection.resolve)
	if err != nil {
		return exit{exitUsage, err}
	}
	if err := f.live.secrets(ctx, terminalOf(cmd), &target); err != nil {
		return err
	}
	transport := target.Transport.(*http.Transport)
	defer transport.CloseIdleConnections()
	if f.live.connection.insecure {
		fmt.Fprintln(stderr, "warning: "+insecureNote)
	}
	shown := showProgress(stderr, f.quiet, 0)
	looking := shown.begin("")
	limited, cancel := context.WithTimeout(ctx, f.live.timeout)
	defer cancel()
	w := &doctor.Walk{Transport: transport, Book: book, Limiter: target.Limiter, Patience: f.live.connection.perRequest, Hold: f.hold,
		Progress: func(what string) { looking.set(suite.Waiting{For: what}) }}
	if target.SignIn != nil {
		w.Deployment(limited, target.SignIn)
	} else {
		w.Application(limited, target.Application, target.Token)
	}
	shown.stop()
	if limited.Err() != nil && ctx.Err() == nil {
		w.Add(doctor.Finding{Check: "doctor", Target: "--timeout", Status: doctor.Problem, Detail: fmt.Sprintf("%s was over before all was looked at", f.live.timeout),
			Advice: "give it more time, or look at what took so long"})
	}
	if err := f.write(cmd, cmp.Or(f.live.signIn.sip, f.live.signIn.domain, f.live.signIn.autodiscover, target.Application), &w.Sheet); err != nil {
		return exit{exitFailed, err}
	}
	switch {
	case ctx.Err() != nil:
		return exit{code: exitInterrupted}
	case !w.Reached:
		return exit{code: exitFailed}
	case w.Count(doctor.Problem)+w.Count(doctor.Skipped) > 0:
		return exit{code: exitNonconformant}
	}
	return nil
}

func (f *doctorFlags) consistent(cmd *cobra.Command) error {
	if !slices.Contains(doctorFormats, f.format) {
		return usage("unknown format %q%s; the formats are: %s", f.format, suite.Nearest(f.format, doctorFormats), strings.Join(doctorFormats, ", "))
	}
	for _, name := range []string{"application", "target", "token-file", "cacert", "client-cert", "client-key", "sip", "domain", "autodiscover", "username", "password-file", "grant", "meeting"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			return usage("--%s is empty: give it a value, or leave it out", name)
		}
	}
	switch {
	case f.hold <= 0:
		return notPositive("--hold", f.hold)
	case !f.live.given():
		return usage("nothing to look at: add --sip ADDRESS, or --application URL")
	}
	return f.live.consistent(cmd)
}

func (f *doctorFlags) write(cmd *cobra.Command, of string, s *doctor.Sheet) error {
	stdout := cmd.OutOrStdout()
	var text bytes.Buffer // so that it is written whole or not at all
	if f.format == "json" {
		if err := s.JSON(&text); err != nil {
			return err
		}
	} else {
		s.Text(&text, tool().Version, of, colourful(f.noColor, stdout))
	}
	if _, err := stdout.Write(text.Bytes()); err != nil {
		return fmt.Errorf("writing to standard output: %w", err)
	}
	return nil
}
