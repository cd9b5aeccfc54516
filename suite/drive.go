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

	"golang.org/x/time/rate"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// Target is a live server to gather evidence from: one application of one user.
// The driver makes the user available, changes and resets the presence and the note, and ends
// the application.
type Target struct {
	Tasks       []string // to judge; all if empty, but the one that signs in only with SignIn
	Application string   // absolute URL of the application resource
	Token       string   // the bearer token, such as "cwt=AAEB…"

	// SignIn, in place of Application and Token, makes the run begin with the way
	// from a SIP address to an application of its own. Its Client is not used.
	SignIn       *ucwa.SignIn
	EndpointID   string // GUID of the endpoint that creates the application; a fresh one if empty
	ForeignToken bool   // where another host than the pool issues tokens: send one of those to the pool, to see it refused

	// Anonymous and Restricted are applications of two other users, for the
	// refusals that only they meet: a meeting guest, and a user whose policy
	// forbids a modality. Without them those refusals are not applicable.
	Anonymous, Restricted *Party

	Kind      string            // "live" if empty; "reference" for our own server
	Transport http.RoundTripper // http.DefaultTransport if nil
	WebOrigin string            // speak as a cross-domain browser application of this origin

	// Unless KeepNames is set, what was gathered live is anonymized before it is
	// located and judged: no report shows whose server it was. Words are hidden besides.
	KeepNames bool
	Words     []string

	RequestTimeout time.Duration    // for one answer; 10 s if zero
	EventWait      time.Duration    // for the event that confirms; 30 s if zero
	RetryWait      time.Duration    // in all, where answers 429 and 503 say when to ask again; 30 s if zero, none if negative
	Limiter        *rate.Limiter    // waited for before each request; targets may share one; nil: none
	Keep           bool             // leave the application alone at the end; its end is then not exercised
	Now            func() time.Time // the recording's clock; time.Now if nil
	Progress       func(Waiting)    // told of each request before it is sent; may be nil
	Turns          *Turns           // taken with the targets of other calls of Gather; nil: with those of this one alone
}

// driven are the tasks that are done: who signs in always creates an application.
func (t Target) driven() []string {
	if t.SignIn == nil || signInAmong(t.Tasks) != nil {
		return t.Tasks
	}
	return append(tasksThat(signs), t.Tasks...)
}

// entrance is how a driver signs in, from an address to an application; and how it does so again, to replay a recording: nil if
// that cannot be repeated, else with a user whom nobody has.
type entrance struct {
	drive  func(*session)
	replay func(*cassettes.Cassette, *Target) (sign *ucwa.SignIn, nobody string)
}

func signs(p *page) bool { return p.signsIn != nil }

// signInAmong returns how one of these tasks signs in, nil if none does.
func signInAmong(tasks []string) *entrance {
	for _, l := range Ledgers() {
		if signs(l.page) && slices.Contains(tasks, l.Task) {
			return l.page.signsIn
		}
	}
	return nil
}

// secrets are the target's credentials.
func (t Target) secrets() []string {
	list := []string{t.Token}
	if t.SignIn != nil {
		list = append(list, t.SignIn.Credentials.Password, t.SignIn.Token.Value)
	}
	for _, party := range []*Party{t.Anonymous, t.Restricted} {
		if party != nil {
			list = append(list, party.Token)
		}
	}
	return list
}

// Party is another user's application.
type Party struct{ Application, Token string }

// Gather drives every target at once and returns what was seen of each, in the
// order given. It does not fail: what went wrong is in the evidence, and of a task
// that there is none [Judge] says so. What is set belongs to the user, so applications
// of one user take turns there.
func Gather(ctx context.Context, targets ...Target) []*Evidence {
	list := make([]*Evidence, len(targets))
	turns := NewTurns()
	slots := make(chan struct{}, maxAtOnce)
	var wait sync.WaitGroup
	for i, t := range targets {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			list[i] = gather(ctx, t, cmp.Or(t.Turns, turns))
		})
	}
	wait.Wait()
	return list
}

func gather(ctx context.Context, t Target, turns *Turns) *Evidence {
	c, s := drive(ctx, t, turns)
	m := t.masker()
	list, err := LocateMasked(c, m, t.Tasks...)
	if err != nil {
		e := &Evidence{cut: s.cut, Tasks: tasksOf(c), Kind: c.Provenance.Kind, masker: m}
		e.Recording = &cassettes.Cassette{Provenance: cassettes.Provenance{Kind: e.Kind, Task: c.Provenance.Task}}
		for _, note := range append(s.notes, err.Error()) {
			e.note(e.Hide(note))
		}
		return e
	}
	e := list[0]
	e.Kind, e.Source = c.Provenance.Kind, e.Recording.Name
	if len(e.Exchanges) == 0 && s.err != nil {
		e.note("nothing was asked: " + e.Hide(s.err.Error()))
	}
	for _, note := range s.notes {
		e.note(e.Hide(note))
	}
	e.unfinished, e.cut = e.Hide(s.unfinished()), s.cut
	if r := e.received; r != nil {
		r.Kind, r.Source, r.unfinished, r.cut = e.Kind, e.Source, e.unfinished, e.cut
	}
	switch {
	case e.masker != nil && !t.KeepNames:
		e.note(Pseudonyms)
	case c.Provenance.Kind == "live":
		e.note("--keep-names: this report and its evidence name hosts, people and addresses")
	}
	return e
}

// Pseudonyms is what the report of masked evidence says of it.
const Pseudonyms = "hosts, people, addresses and identifiers have pseudonyms here, and texts are masked; --keep-names shows names"

// masker returns what masks a live recording: the reference server and documents contain no personal data.
func (t Target) masker() *mask.Masker {
	if cmp.Or(t.Kind, "live") != "live" {
		return nil
	}
	o := mask.Options{Words: t.Words, Secrets: t.secrets()}
	if t.KeepNames {
		o.Keeps = mask.Names
	}
	return mask.New(o)
}

// maxAtOnce bounds the connections that one Gather holds open.
const maxAtOnce = 256

// Turns lets the applications of one user set what is theirs one after another. Its zero
// value is of no use: [NewTurns] makes one.
type Turns struct {
	sync.Mutex
	users map[string]chan struct{}
}

// NewTurns returns turns that nobody has taken.
func NewTurns() *Turns { return &Turns{users: map[string]chan struct{}{}} }

// take waits for the user's turn, or for the end of ctx, and returns what ends the turn.
func (t *Turns) take(ctx context.Context, user string) func() {
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
	c, _ := drive(ctx, t, NewTurns())
	return c
}

// drive runs the task's driver on a target. It returns the recording, and the
// session with the failure that ended it, if one did.
func drive(ctx context.Context, t Target, turns *Turns) (*cassettes.Cassette, *session) {
	if len(t.Tasks) == 0 {
		t.Tasks = tasksThat(func(p *page) bool { return t.SignIn != nil || !signs(p) }) // else an application is there
	}
	now := t.Now
	if now == nil {
		now = time.Now
	}
	began := now()
	recorder := &cassettes.Recorder{Transport: patient{t.Transport}, Now: now}
	s := &session{Context: ctx, target: t, transport: recorder, turns: turns, patience: patienceOf(t.RetryWait)}
	source := sourceOf(t)
	c := &cassettes.Cassette{Name: source}
	c.Provenance = cassettes.Provenance{Kind: cmp.Or(t.Kind, "live"), RecordedAt: began.UTC(), Tool: userAgent, Source: source, Task: strings.Join(t.driven(), ", ")}
	ledgers, err := ledgersOf(t.driven())
	if err != nil {
		s.err = err
		return c, s
	}
	var revisions []string
	for _, l := range ledgers {
		revisions = append(revisions, fmt.Sprint(l.Revision))
	}
	c.Provenance.Ledger = strings.Join(revisions, ", ")
	s.run()
	c.Exchanges = recorder.Exchanges()
	for _, x := range c.Exchanges {
		if name := cassettes.HeaderValues(x.Response.Headers, "Server"); len(name) > 0 {
			c.Provenance.Server = name[0]
			break
		}
	}
	if t.Anonymous == nil {
		c.Provenance.Absent = append(c.Provenance.Absent, partAnonymous)
	}
	if t.Restricted == nil {
		c.Provenance.Absent = append(c.Provenance.Absent, partModality)
	}
	if t.SignIn != nil && !t.ForeignToken {
		c.Provenance.Absent = append(c.Provenance.Absent, partElsewhere)
	}
	return c, s
}

// unfinished says why the driver did not do all that it would have done.
func (s *session) unfinished() string {
	switch {
	case s.cut:
		return "the run ended before all was asked"
	case s.err != nil:
		return s.err.Error()
	case s.target.SignIn != nil && s.begin.Href == "":
		return fmt.Sprintf("no application was created: the server answered the POST on applications with %d", s.answer)
	case s.refused != 0:
		return inadmissible[s.refused]
	case s.lost != 0:
		return fmt.Sprintf("the server did not know the application or its token any more at the end (it answered the DELETE with %d)", s.lost)
	}
	return ""
}

// note keeps what a reader of the report must know, once.
func (s *session) note(text string) {
	if !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
}

// sourceOf names what is driven: an application without its query, in which a secret
// may stand, or what the sign-in begins with.
func sourceOf(t Target) string {
	where := t.Application
	if t.SignIn != nil {
		if where = t.SignIn.Start; where == "" {
			return t.SignIn.Address
		}
	}
	u, err := url.Parse(where)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Replay drives a recording that the task's own driver made, through its
// replayer, so that client code and recording are held together, and returns the
// recording as evidence. If the driver asks anything that the recording does not
// answer, or leaves anything unasked, it is judged by where its steps are found
// alone, and the evidence says so. The named tasks are judged, or without a name those
// for which it was made. It fails on a recording without an exchange, of which no
// driver of this package is the author (that is for [Locate]), or which Locate refuses.
func Replay(ctx context.Context, c *cassettes.Cassette, names ...string) (*Evidence, error) {
	return ReplayMasked(ctx, c, nil, names...)
}

// ReplayMasked does what [Replay] does, and masks what it returns as [LocateMasked] does.
func ReplayMasked(ctx context.Context, c *cassettes.Cassette, m *mask.Masker, names ...string) (*Evidence, error) {
	switch {
	case c.Provenance.Task == "":
		return nil, fmt.Errorf("%s was not recorded by a driver of this suite, so none can replay it: Locate finds the steps in it", c.Name)
	case len(c.Exchanges) == 0:
		return nil, fmt.Errorf("%s: %w", c.Name, cassettes.ErrEmpty)
	}
	rehearsed := make(chan string, 1)
	go func() { rehearsed <- rehearse(ctx, c) }() // both only read the recording, and take the same time
	list, err := LocateMasked(c, m, names...)
	difference := <-rehearsed
	if err != nil {
		return nil, err
	}
	if e := list[0]; difference != "" {
		e.note("this recording is not what today's driver would make of it: " + e.Hide(difference))
	}
	return list[0], nil
}

// rehearse drives the recording and returns the first difference, "" if there is none.
// A request that stands there twice was repeated since the server asked for it, or is
// the driver's next one: if the first does not fit, the second does.
func rehearse(ctx context.Context, c *cassettes.Cassette) string {
	difference := rehearseWith(ctx, c, func(r *cassettes.Replayer) patience { return &recordedPatience{r} })
	if difference != "" && rehearseWith(ctx, c, func(*cassettes.Replayer) patience { return patienceOf(-1) }) == "" {
		return ""
	}
	return difference
}

func rehearseWith(ctx context.Context, c *cassettes.Cassette, patient func(*cassettes.Replayer) patience) string {
	t := Target{Tasks: tasksOf(c), Application: c.Exchanges[0].Request.URL}
	replayer := cassettes.NewReplayer(c)
	t.Token = bearerOf(c.Exchanges[0])
	t.WebOrigin = strings.Join(cassettes.HeaderValues(c.Exchanges[0].Request.Headers, "X-Ms-Origin"), "")
	t.Keep = true
	var setup *Party
	for _, x := range exchanges(c.Exchanges, true) {
		switch {
		case x.Probe == "setup":
			setup = &Party{x.Request.URL, bearerOf(x.Exchange)}
		case x.Probe == partAnonymous:
			t.Anonymous = setup
		case x.Probe == partModality:
			t.Restricted = setup
		case x.Probe == "" && x.Request.Method == http.MethodDelete:
			t.Keep = false
		}
	}
	nobody := ""
	if way := signInAmong(t.Tasks); way != nil {
		if t.SignIn, nobody = way.replay(c, &t); t.SignIn == nil {
			return "" // nobody can repeat what a Windows sign-in says: it is another each time
		}
	}
	s := &session{nobody: nobody, Context: ctx, target: t, transport: replayer, turns: NewTurns(), patience: patient(replayer)}
	s.run()
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

// bearerOf returns the token that a request carries.
func bearerOf(x cassettes.Exchange) string {
	text := strings.Join(cassettes.HeaderValues(x.Request.Headers, "Authorization"), "")
	if token, ok := bearerIn(text); ok {
		return token
	}
	return text
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
	turns     *Turns
	waiting   Waiting // the task and the step that it is at
	begin     ucwa.Link
	open      bool   // there is an application to end
	nobody    string // a user whom nobody has, if a recording tells one
	tokens    func(context.Context) (string, error)
	renew     func(probe string) (token string, err error) // by signing in once more; nil if that cannot be done
	home      *url.URL                                     // the application whose links are followed
	beyond    func() *ucwa.Response                        // asks below it what is refused once it is gone; nil: nothing
	made      ucwa.Link                                    // by which makeMeAvailable was asked for
	earlier   string                                       // what was there of what is given back, if it could be read too early
	untold    int                                          // events that did not come
	surprises int                                          // values that were read and not set
	early     bool                                         // it was asked for before that is allowed
	strays    []stray                                      // what else was created
	answer    int                                          // to the last POST on applications, 0 if there was none
	received  int                                          // bytes of bodies
	patience  patience                                     // with a server that asks to come again later
	answered  bool                                         // at all
	unbroken  bool                                         // an interrupt does not end the request: what comes of it must be known
	over      context.Context                              // while it cleans up: the context whose end does not end that; else nil
	failed    bool                                         // before it began to clean up
	cut       bool                                         // it ended with its context, before all was asked
	notes     []string
	refused   int // the status, if the server said at once that this is no application of ours
	lost      int // the status of the DELETE, if the application was not ours any more
	err       error
}

// maxReceived bounds what one driver takes from a server, in bytes.
const maxReceived = 64 << 20

// run does what the target asks for, from the sign-in, if it has one, to the end of
// the application. A driver that panics cleans up on its way out, and what was seen
// until then is evidence: neither must be lost with it.
func (s *session) run() {
	defer func() {
		if panicked := recover(); panicked != nil {
			s.err = errors.Join(s.err, fmt.Errorf("the driver panicked: %v", panicked))
			s.note(fmt.Sprintf("the driver panicked, which is a mistake of conform's or of the program that called it, and the run ended there: %v", panicked))
		}
	}()
	defer s.endStrays()
	defer s.end()
	if s.target.SignIn != nil {
		if signInAmong(s.target.driven()).drive(s); s.begin.Href == "" {
			return
		}
	} else {
		if s.begin, s.err = ucwa.Begin(s.target.Application); s.err != nil {
			return
		}
		s.home, _ = s.begin.URL()
		s.open = true
	}
	var list []*personal
	var begin func(*session, []*personal)
	asked := false // for more than an application
	for _, l := range Ledgers() {
		if l.page.begin != nil {
			begin = l.page.begin
		}
		if !slices.Contains(s.target.Tasks, l.Task) || signs(l.page) {
			continue
		}
		asked = true
		if p := l.page.sets; p != nil && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	if asked {
		begin(s, list)
	}
}

// client returns the client with which the driver speaks for itself.
func (s *session) client() *ucwa.Client {
	return &ucwa.Client{Token: s.target.Token, TokenSource: s.tokens, WebOrigin: s.target.WebOrigin, UserAgent: userAgent, HTTP: &http.Client{Transport: s.transport}}
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
	res, err := s.patiently(cmp.Or(s.target.RequestTimeout, 10*time.Second), c, method, link, body)
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
	s.tell(c.UserAgent, s.requestTo(method, link), limit)
	u, err := link.URL()
	if err != nil || s.home != nil && belongsElsewhere(u, s.home) {
		return nil, nil // somebody else's: not even to show that the server is wrong
	}
	if c.TokenSource != nil { // which may take requests of its own, each with its own limit
		as := *c
		if as.Token, err = c.TokenSource(s.Context); err != nil {
			return nil, fmt.Errorf("%s %s: the token: %w", method, u.Redacted(), err)
		}
		as.TokenSource, c = nil, &as
	}
	if err := s.pace(); err != nil {
		return nil, s.Err()
	}
	parent := s.Context
	if s.unbroken {
		parent = outlasting(parent)
	}
	ctx, cancel := s.timed(parent, limit)
	defer cancel()
	res, err := c.Do(ctx, method, link, body)
	if err != nil && errors.Is(context.Cause(ctx), errPatience) {
		err = fmt.Errorf("%s %s: %w", method, u.Redacted(), errPatience)
	}
	if res != nil {
		s.answered = true
		if s.received += len(res.Body); s.received > maxReceived {
			return res, fmt.Errorf("the server has sent more than %d MiB: it is asked no more", maxReceived>>20)
		}
	}
	return res, err
}

// pace waits for the limiter.
func (s *session) pace() error {
	switch {
	case s.target.Limiter == nil || s.hurries():
		return nil
	case s.over != nil:
		_ = s.target.Limiter.Wait(s.over) // an interrupt ends the waiting, and not what is waited for
		return nil
	}
	return s.target.Limiter.Wait(s.Context)
}

// afterwards does what must be done also after a failure or an interrupt, with a limit
// for each request. Whether the interrupt comes before or meanwhile, it ends nothing of
// it: from then on it hurries.
func (s *session) afterwards(do func(limit time.Duration)) {
	failed, ctx := s.err, s.Context
	s.err, s.failed, s.over, s.Context = nil, failed != nil, ctx, context.WithoutCancel(ctx)
	limit := cmp.Or(s.target.RequestTimeout, 10*time.Second)
	if s.failed {
		limit = min(limit, hurry)
	}
	do(limit)
	s.err, s.failed, s.over, s.Context = errors.Join(failed, s.err), false, nil, ctx
}

// hurry is as long as one request may take when something failed, or somebody waits for the end.
const hurry = 2 * time.Second

// hurries tells whether it cleans up in a hurry.
func (s *session) hurries() bool { return s.failed || s.interrupted() }

// interrupted tells whether it cleans up while somebody waits for the end.
func (s *session) interrupted() bool { return s.over != nil && s.over.Err() != nil }

// timed returns a context for one request, which ends after the limit. Of one that
// cleans up, an interrupt leaves it little time.
func (s *session) timed(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := withPatience(ctx, limit)
	if s.over == nil {
		return ctx, cancel
	}
	stop := hasten(ctx, limit, s.over)
	return ctx, func() { stop(); cancel() }
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

// inadmissible says what it means that the application cannot be had.
var inadmissible = map[int]string{
	http.StatusUnauthorized: "the token was refused: it may have expired, or belong to another host",
	http.StatusForbidden:    "access was refused: the token may belong to another host, or the origin not be allowed",
	http.StatusNotFound:     "there is no such application: it may have ended, or its URL be mistyped",
}
