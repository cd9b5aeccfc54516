package suite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// Target is a live server to gather evidence from: one application of one user.
// The driver makes the user available, changes and resets the presence, and ends
// the application.
type Target struct {
	Tasks       []string // "set-presence" if empty
	Application string   // absolute URL of the application resource
	Token       string   // the bearer token, such as "cwt=AAEB…"

	// Anonymous and Restricted are applications of two other users, for the
	// refusals that only they meet: a meeting guest, and a user whose policy
	// forbids a modality. Without them those refusals are not applicable.
	Anonymous, Restricted *Party

	Kind      string            // "live" if empty; "reference" for our own server
	Transport http.RoundTripper // http.DefaultTransport if nil
	WebOrigin string            // speak as a cross-domain browser application of this origin

	RequestTimeout time.Duration    // for one answer; 10 s if zero
	EventWait      time.Duration    // for the event that confirms; 30 s if zero
	Keep           bool             // leave the application alone at the end; its end is then not exercised
	Now            func() time.Time // the recording's clock; time.Now if nil
	Progress       func(string)     // told of each request before it is sent; may be nil
}

// Party is another user's application.
type Party struct{ Application, Token string }

// Gather drives every target at once and returns what was seen of each, in the
// order given. It does not fail: what went wrong is in the evidence, and of a task
// that there is none [Judge] says so. Presence belongs to the user, so applications
// of one user take turns where they set it.
func Gather(ctx context.Context, targets ...Target) []*Evidence {
	list := make([]*Evidence, len(targets))
	turns := newTurns()
	slots := make(chan struct{}, mostAtOnce)
	var wait sync.WaitGroup
	for i, t := range targets {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			list[i] = gather(ctx, t, turns)
		})
	}
	wait.Wait()
	return list
}

func gather(ctx context.Context, t Target, turns *turns) *Evidence {
	c, failed := drive(ctx, t, turns)
	e, err := locateDriven(c)
	if err != nil {
		return &Evidence{Tasks: tasksOf(c), Kind: c.Provenance.Kind, Source: c.Name, Notes: []string{err.Error()}, Recording: c}
	}
	e.Kind, e.Source = c.Provenance.Kind, c.Name
	if len(e.Exchanges) == 0 && failed != nil {
		e.note("nothing was asked: " + failed.Error())
	}
	return e
}

// mostAtOnce bounds the connections that one Gather holds open.
const mostAtOnce = 256

// turns lets the applications of one user set its presence one after another.
type turns struct {
	sync.Mutex
	users map[string]chan struct{}
}

func newTurns() *turns { return &turns{users: map[string]chan struct{}{}} }

// take waits for the user's turn, or for the end of ctx, and returns what ends the turn.
func (t *turns) take(ctx context.Context, user string) func() {
	t.Lock()
	turn := t.users[user]
	if turn == nil {
		turn = make(chan struct{}, 1)
		t.users[user] = turn
	}
	t.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }
	case <-ctx.Done():
		return func() {}
	}
}

// Record drives a target and returns the recording itself, secrets and all.
func Record(ctx context.Context, t Target) *cassettes.Cassette {
	c, _ := drive(ctx, t, newTurns())
	return c
}

// drive runs the task's driver on a target. It returns the recording and the
// failure that ended it, if one did.
func drive(ctx context.Context, t Target, turns *turns) (*cassettes.Cassette, error) {
	if len(t.Tasks) == 0 {
		t.Tasks = []string{"set-presence"}
	}
	now := t.Now
	if now == nil {
		now = time.Now
	}
	began := now()
	recorder := &cassettes.Recorder{Transport: patient{t.Transport}, Now: now}
	s := &session{Context: ctx, target: t, transport: recorder, turns: turns}
	source := sourceOf(t.Application)
	c := &cassettes.Cassette{Name: source}
	c.Provenance = cassettes.Provenance{Kind: cmp.Or(t.Kind, "live"), RecordedAt: began.UTC(), Tool: userAgent, Source: source, Task: strings.Join(t.Tasks, ", ")}
	ledgers, err := ledgersOf(t.Tasks)
	if err != nil {
		return c, err
	}
	var revisions []string
	for _, l := range ledgers {
		revisions = append(revisions, fmt.Sprint(l.Revision))
	}
	c.Provenance.Ledger = strings.Join(revisions, ", ")
	for _, name := range t.Tasks {
		tasks[name].drive(s)
	}
	c.Exchanges = recorder.Exchanges()
	for _, x := range c.Exchanges {
		if name := header(x.Response.Headers, "Server"); len(name) > 0 {
			c.Provenance.Server = name[0]
			break
		}
	}
	if t.Anonymous == nil {
		c.Provenance.Absent = append(c.Provenance.Absent, "anonymous")
	}
	if t.Restricted == nil {
		c.Provenance.Absent = append(c.Provenance.Absent, "modality")
	}
	return c, s.err
}

// sourceOf names an application without its query, in which a secret may stand.
func sourceOf(application string) string {
	u, err := url.Parse(application)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// locateDriven finds the steps in a driver's recording, which is evidence for one application.
func locateDriven(c *cassettes.Cassette, names ...string) (*Evidence, error) {
	list, err := Locate(c, names...)
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// Replay drives a recording that the task's own driver made, through its
// replayer, so that client code and recording are held together, and returns the
// recording as evidence. If the driver asks anything that the recording does not
// answer, or leaves anything unasked, it is judged by where its steps are found
// alone, and the evidence says so. The named tasks are judged, or without a name those
// for which it was made. It fails on a recording without an exchange, of which no
// driver of this package is the author (that is for [Locate]), or which Locate refuses.
func Replay(ctx context.Context, c *cassettes.Cassette, names ...string) (*Evidence, error) {
	switch {
	case c.Provenance.Task == "":
		return nil, fmt.Errorf("%s was not recorded by a driver of this suite, so none can replay it: Locate finds the steps in it", c.Name)
	case len(c.Exchanges) == 0:
		return nil, fmt.Errorf("%s: %w", c.Name, cassettes.ErrEmpty)
	}
	e, err := locateDriven(c, names...)
	if err != nil {
		return nil, err
	}
	if difference := rehearse(ctx, c); difference != "" {
		e.note("this recording is not what today's driver would make of it: " + difference)
	}
	return e, nil
}

// rehearse drives the recording and returns the first difference, "" if there is none.
func rehearse(ctx context.Context, c *cassettes.Cassette) string {
	t := Target{Tasks: tasksOf(c), Application: c.Exchanges[0].Request.URL}
	replayer := cassettes.NewReplayer(c)
	t.Token = bearerOf(c.Exchanges[0])
	t.WebOrigin = strings.Join(header(c.Exchanges[0].Request.Headers, "X-Ms-Origin"), "")
	t.Keep = true
	var setup *Party
	for _, x := range exchanges(c.Exchanges, true) {
		switch {
		case x.Probe == "setup":
			setup = &Party{x.Request.URL, bearerOf(x.Exchange)}
		case x.Probe == "anonymous":
			t.Anonymous = setup
		case x.Probe == "modality":
			t.Restricted = setup
		case x.Probe == "" && x.Request.Method == http.MethodDelete:
			t.Keep = false
		}
	}
	s := &session{Context: ctx, target: t, transport: replayer, turns: newTurns()}
	for _, name := range t.Tasks {
		tasks[name].drive(s)
	}
	if miss := (*cassettes.Miss)(nil); errors.As(s.err, &miss) {
		return miss.Error()
	}
	if left := replayer.Unplayed(); len(left) > 0 {
		return fmt.Sprintf("exchange %d, %s %s, was not asked for", left[0].ID, left[0].Request.Method, left[0].Request.URL)
	}
	if !slices.IsSorted(replayer.Played()) {
		return fmt.Sprintf("the exchanges were asked for in another order: %v", replayer.Played())
	}
	return ""
}

func bearerOf(x cassettes.Exchange) string {
	return strings.TrimPrefix(strings.Join(header(x.Request.Headers, "Authorization"), ""), "Bearer ")
}

// userAgent is how a driver names itself. It has no version: a recording made
// again is then the same.
const userAgent = "conform"

// session is one driver at work: it sends, and remembers the first failure of
// the transport, after which nothing more is sent but what cleans up.
type session struct {
	context.Context
	target    Target
	transport http.RoundTripper
	turns     *turns
	home      *url.URL  // the application whose links are followed
	presence  ucwa.Link // of it, once it was served
	received  int       // bytes of bodies
	err       error
}

// mostReceived bounds what one driver takes from a server, in bytes.
const mostReceived = 64 << 20

// client returns the client with which the driver speaks for itself.
func (s *session) client() *ucwa.Client {
	return &ucwa.Client{Token: s.target.Token, WebOrigin: s.target.WebOrigin, UserAgent: userAgent, HTTP: &http.Client{Transport: s.transport}}
}

// probe returns a client whose requests are marked as a probe and changed by edit.
func (s *session) probe(name string, edit func(*http.Request)) *ucwa.Client {
	c := s.client()
	c.UserAgent = userAgent + " (probe " + name + ")"
	c.Before = edit
	return c
}

// do sends one request, waits for the target's RequestTimeout, and returns the
// answer. It returns nil where none came, and where the link cannot be followed:
// that is a fact about the server, on which the driver goes on. So is a connection
// that breaks on a probe.
func (s *session) do(c *ucwa.Client, method string, link ucwa.Link, body any) *ucwa.Response {
	res, err := s.within(cmp.Or(s.target.RequestTimeout, 10*time.Second), c, method, link, body)
	if err != nil && (c.UserAgent == userAgent || isTimeout(err)) {
		s.err = errors.Join(s.err, err)
	}
	return res
}

// within does the same with a limit of its own, and returns the transport's error.
func (s *session) within(limit time.Duration, c *ucwa.Client, method string, link ucwa.Link, body any) (*ucwa.Response, error) {
	if s.err != nil || s.Err() != nil {
		return nil, s.Err()
	}
	if s.target.Progress != nil {
		s.target.Progress(fmt.Sprintf("%s %s (at most %s)", method, link.Rel, limit.Round(time.Second)))
	}
	u, err := link.URL()
	if err != nil || s.home != nil && belongsElsewhere(u, s.home) {
		return nil, nil // somebody else's: not even to show that the server is wrong
	}
	ctx, cancel := withPatience(s.Context, limit) // not s, whose context is exchanged while a timer may still look at it
	defer cancel()
	res, err := c.Do(ctx, method, link, body)
	if err != nil && errors.Is(context.Cause(ctx), errPatience) {
		err = fmt.Errorf("%s %s: %w", method, u.Redacted(), errPatience)
	}
	if res != nil {
		if s.received += len(res.Body); s.received > mostReceived {
			return res, fmt.Errorf("the server has sent more than %d MiB: it is asked no more", mostReceived>>20)
		}
	}
	return res, err
}

// afterwards does what must be done also after a failure or an interrupt, then
// with a limit for each request.
func (s *session) afterwards(do func(limit time.Duration)) {
	failed, ctx := s.err, s.Context
	limit := cmp.Or(s.target.RequestTimeout, 10*time.Second)
	if failed != nil || ctx.Err() != nil {
		s.Context, limit = context.WithoutCancel(ctx), min(limit, 2*time.Second)
	}
	s.err = nil
	do(limit)
	s.err, s.Context = errors.Join(failed, s.err), ctx
}

// resource returns the resource in an answer, nil if there is none.
func resource(res *ucwa.Response) *ucwa.Resource {
	if res == nil {
		return nil
	}
	r, err := res.Resource()
	if err != nil {
		return nil
	}
	return r
}
