package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// drive gathers evidence from the live server.
func (f *liveFlags) drive(cmd *cobra.Command, tasks []string, quiet bool) (*suite.Evidence, error) {
	ctx, stderr := cmd.Context(), cmd.ErrOrStderr()
	target, err := f.ready(ctx, terminalOf(cmd))
	if err != nil {
		return nil, err
	}
	if f.connection.insecure {
		fmt.Fprintln(stderr, "warning: "+insecureNote)
	}
	target.Tasks = tasks
	shown := showProgress(stderr, quiet, 0)
	defer shown.stop()
	defer sayInterrupted(ctx, stderr)()
	pace := keepPace()
	defer pace.stop()
	return f.gather(ctx, target, shown.begin(""), pace), nil
}

// ready makes a target of the flags, the files that they name, and the secrets.
func (f *liveFlags) ready(ctx context.Context, from terminal) (suite.Target, error) {
	target, err := begin(f.target)(ctx)
	if err == nil {
		err = f.secrets(ctx, from, &target)
	}
	return target, err
}

// gather gathers evidence from a target that is ready.
func (f *liveFlags) gather(ctx context.Context, target suite.Target, shown *work, pace *pace) *suite.Evidence {
	began := time.Now()
	defer target.Transport.(*http.Transport).CloseIdleConnections()
	target.Progress = shown.set
	limited, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	e := suite.Gather(limited, target)[0]
	switch {
	case !e.CutShort():
	case ctx.Err() != nil:
		e.Notes = append(e.Notes, interruptedNote)
	default:
		e.Notes = append(e.Notes, fmt.Sprintf("the run was over after --timeout %s, before all was asked", f.timeout))
	}
	e.Notes = append(e.Notes, f.connection.notes(target.Application)...)
	ended := time.Now()
	why := sync.OnceValue(func() string { return pace.why(began, ended) }) // one text for all verdicts, if any needs it
	starved := func(from, to time.Time) string {
		if to.IsZero() {
			to = ended
		}
		if !pace.tooSlowIn(from, to) {
			return ""
		}
		return why()
	}
	e.Starve(starved)
	if slow := starved(began, ended); e.CutShort() && ctx.Err() == nil && slow != "" {
		e.Notes = append(e.Notes, slow)
	}
	e.SHA256 = hashOf(e.Recording)
	return e
}

// sayInterrupted says, once ctx ends by a signal, what goes on and how to stop that. What it returns puts an end to that, and waits until a
// line that was begun is written.
func sayInterrupted(ctx context.Context, stderr io.Writer) (stop func()) {
	said := make(chan struct{})
	unsaid := context.AfterFunc(ctx, func() {
		defer close(said)
		fmt.Fprintln(stderr, "interrupted: leaving the server as it was found; a second Ctrl-C ends at once")
	})
	return func() {
		if !unsaid() {
			<-said
		}
	}
}

// interruptedNote is what a report says of a run that was interrupted.
const interruptedNote = "interrupted: the run ended before all was asked"

// hashOf returns the checksum that a recording has when it is kept, "" if it cannot be.
func hashOf(c *cassettes.Cassette) string {
	content, err := c.Encode()
	if err != nil {
		return ""
	}
	kept, err := cassettes.Read(c.Name, bytes.NewReader(content))
	if err != nil {
		return ""
	}
	return kept.SHA256
}

// secrets gives the target the token, or what it needs to get one.
func (f *liveFlags) secrets(ctx context.Context, from terminal, t *suite.Target) (err error) {
	if t.SignIn == nil {
		t.Token, err = f.token(ctx, from, t.Application)
		return err
	}
	if f.signIn.needsPassword() {
		c := &t.SignIn.Credentials
		c.Password, err = f.signIn.password(ctx, from, cmp.Or(c.Username, c.Conference), f.variable("CONFORM_PASSWORD"))
	}
	return err
}
