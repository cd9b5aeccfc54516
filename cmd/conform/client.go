package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/reports/atomicfile"
)

// clientFlags are the flags of `conform client`.
type clientFlags struct {
	server  serverFlags
	place   placeFlags
	timeout time.Duration
	log     bool
}

func newClient() *cobra.Command {
	var f clientFlags
	cmd := &cobra.Command{
		Use:   "client [flags] -- COMMAND [ARGUMENT...]",
		Short: "Certify a client: run it against the reference server, and grade it",
		Long: `client starts the reference server, runs a command with its addresses in the environment, waits for
its end, and grades what it asked. What the command writes goes to standard error. It finds:

  CONFORM_AUTODISCOVER_URL   the Autodiscover root
  CONFORM_APPLICATIONS_URL   the applications resource, for a client that begins there
  CONFORM_SIP                SIP address of the user; CONFORM_USERNAME is the same
  CONFORM_PASSWORD           the user's password
  CONFORM_CA_FILE            the certificate to trust; SSL_CERT_FILE, REQUESTS_CA_BUNDLE,
                             CURL_CA_BUNDLE and NODE_EXTRA_CA_CERTS name it for what reads those

Exit codes are those of run; 4 also where the command cannot be started, and in place of 0
where it fails or does not end in time: a client that breaks down is not certified.`,
		Example: `  conform client -- python3 client.py
  conform client --timeout 30s --out report/ -- npm test
  conform client --origin https://app.contoso.com --strict -- ./board --once
  conform client --task set-presence --log -- sh client.sh
  conform client --pool-host 127.0.0.1 --user-host localhost -- ./board
                                     a token of localhost is refused by the pool`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("client needs a command: conform client -- COMMAND")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.server.add(cmd)
	f.place.add(cmd, &f.server, "127.0.0.1:0")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 2*time.Minute, "for the command; then it is killed, and what it started")
	cmd.Flags().BoolVar(&f.log, "log", false, "log every exchange, not only what is wrong")
	cmd.Flags().SetInterspersed(false) // what follows the command is the command's
	complete(cmd, "timeout", func() []string { return nil })
	return cmd
}

func (f *clientFlags) run(cmd *cobra.Command, args []string) error {
	if f.timeout <= 0 {
		return usage("--timeout %s: expected a time, as in 2m", f.timeout)
	}
	if err := f.place.consistent(cmd); err != nil {
		return err
	}
	config, err := f.server.host(cmd)
	if err != nil {
		return err
	}
	program, err := exec.LookPath(args[0])
	if err != nil {
		return exit{exitFailed, fmt.Errorf("the command cannot be started: %w", err)}
	}
	shown := io.Discard
	if !f.server.quiet {
		shown = cmd.ErrOrStderr()
	}
	dir, err := os.MkdirTemp("", "conform-client-")
	if err != nil {
		return exit{exitFailed, err}
	}
	defer func() { _ = os.RemoveAll(dir) }()
	log := newLineLog(shown)
	config.tell, config.exchanges = log.tell, f.log
	h, environment, err := f.start(config, dir)
	if err != nil {
		log.close()
		return exit{exitFailed, err}
	}
	failed := f.command(cmd, program, args, environment)
	h.close()
	log.close()
	if cannot := (notStarted{}); errors.As(failed, &cannot) {
		return exit{exitFailed, failed}
	}
	err = f.server.report(cmd, h, failed)
	if cmd.Context().Err() != nil {
		return exit{exitInterrupted, errors.New("interrupted: the report is about what the command did so far")}
	}
	return err
}

// start starts the server, and returns what the command must know.
func (f *clientFlags) start(config hostConfig, dir string) (*host, []string, error) {
	var environment []string
	if !f.server.plain {
		a, err := openAuthority(dir, f.place.certified())
		if err != nil {
			return nil, nil, err
		}
		if config.certificate, err = a.certificateFor(f.place.certified()); err != nil {
			return nil, nil, err
		}
		if err := os.Remove(filepath.Join(dir, authorityFile)); err != nil { // its key is needed no more
			return nil, nil, err
		}
		bundle := filepath.Join(dir, "bundle.pem")
		if err := atomicfile.Write(bundle, 0o644, trustBundle(a.pem())); err != nil {
			return nil, nil, err
		}
		environment = append(environment, "CONFORM_CA_FILE="+filepath.Join(dir, authorityCert))
		for _, name := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} {
			environment = append(environment, name+"="+bundle)
		}
	}
	listeners, name, err := f.place.open()
	if err != nil {
		return nil, nil, fmt.Errorf("--listen: %w", err)
	}
	f.place.server(&config.server)
	config.page, config.names = "off", f.place.names()
	h := newHost(config)
	if err := h.listenAll(listeners); err != nil {
		return nil, nil, err
	}
	way, name := config.server.SignIn, f.place.first(name)
	applications := cmp.Or(way.Home, way.Pool, f.place.origin(cmp.Or(way.Aliases[name], name)))
	user := config.users[0]
	return h, append(environment, "CONFORM_AUTODISCOVER_URL="+f.place.begin(name), "CONFORM_APPLICATIONS_URL="+applications+"/ucwa/oauth/v1/applications",
		"CONFORM_SIP="+user.URI, "CONFORM_USERNAME="+user.URI, "CONFORM_PASSWORD="+user.Password), nil
}

// notStarted is the error of a command that never ran.
type notStarted struct{ error }

func (e notStarted) Error() string { return "the command cannot be started: " + e.error.Error() }

var errTooLong = errors.New("the time was over")

// command runs the command, and returns why it did not end well.
func (f *clientFlags) command(cmd *cobra.Command, program string, args, environment []string) error {
	ctx, cancel := context.WithTimeoutCause(cmd.Context(), f.timeout, errTooLong)
	defer cancel()
	run := exec.CommandContext(ctx, program, args[1:]...)
	run.Args[0] = args[0]
	run.Env = append(os.Environ(), environment...)
	run.Stdout, run.Stderr = cmd.ErrOrStderr(), cmd.ErrOrStderr()
	run.WaitDelay = 2 * time.Second // what it left behind may hold its output open
	killWhole(run)
	if err := run.Start(); err != nil {
		return notStarted{err}
	}
	err := run.Wait()
	endRest(run)
	switch {
	case errors.Is(context.Cause(ctx), errTooLong):
		return fmt.Errorf("the command did not end within --timeout %s, and was killed", f.timeout)
	case cmd.Context().Err() != nil:
		return errors.New("interrupted: the command was killed")
	case errors.Is(err, exec.ErrWaitDelay):
		return nil // it ended well itself
	case err != nil:
		return fmt.Errorf("the command failed: %w", err)
	}
	return nil
}
