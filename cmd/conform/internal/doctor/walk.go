// Package doctor goes the way of a client between this machine and a deployment, and says of each thing on it whether it is well.
package doctor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cmd/conform/internal/network"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"golang.org/x/time/rate"
)

// Walk goes the way of a client and writes down what it sees. It is the transport of
// the very sign-in that clients have, so that nothing is diagnosed which they do not do:
// each origin that a request leads to is looked at before the first request goes there.
// It is good for one [Walk.Deployment] or [Walk.Application].
type Walk struct {
	Sheet
	Transport *http.Transport
	Book      network.AddressBook
	Progress  func(string) // told what is looked at
	Limiter   *rate.Limiter
	Patience  time.Duration // for one answer
	Hold      time.Duration // for the pending GET
	Reached   bool          // some host took a connection

	ctx       context.Context   // of all: what is looked at on the way has no other
	names     map[string]*names // by host
	named     map[string]bool   // hosts whose address is known
	places    map[string]*place // by origin
	exchanges []exchange
	skews     map[string]bool // hosts whose clock was looked at
	clocks    []Finding
	gathering bool // findings of places wait for the trail of Autodiscover
	told      int  // exchanges that are turned into findings
}

// exchange is one request that was sent, and what came.
type exchange struct {
	url    *url.URL
	method string
	bearer bool // it carried a token
	form   bool // it asked for one
	status int  // 0: no answer
	header http.Header
	took   time.Duration
}

// begin makes it ready.
func (w *Walk) begin(ctx context.Context) {
	w.ctx, w.names, w.named, w.places, w.skews = ctx, map[string]*names{}, map[string]bool{}, map[string]*place{}, map[string]bool{}
}

// RoundTrip implements http.RoundTripper.
func (w *Walk) RoundTrip(req *http.Request) (*http.Response, error) {
	origin := ucwa.Origin(req.URL)
	p := w.places[origin]
	if p == nil {
		p = w.look(req.URL)
		w.places[origin] = p
		if !w.gathering {
			w.tell(origin)
		}
	}
	x := exchange{url: req.URL, method: req.Method, bearer: strings.HasPrefix(req.Header.Get("Authorization"), "Bearer "),
		form: strings.HasPrefix(req.Header.Get("Content-Type"), "application/x-www-form-urlencoded")}
	if p.err != nil {
		w.exchanges = append(w.exchanges, x)
		return nil, p.err
	}
	if w.Limiter != nil {
		if err := w.Limiter.Wait(req.Context()); err != nil {
			return nil, err
		}
	}
	w.Progress(w.clean(req.Method + " " + req.URL.Redacted()))
	began := time.Now()
	res, err := w.send(req)
	x.took = time.Since(began)
	if err == nil {
		x.status, x.header, w.Reached = res.StatusCode, res.Header, true
		w.clock(x, began)
	}
	w.exchanges = append(w.exchanges, x)
	return res, err
}

// errSlow has the words of a run that waited in vain, so that the advice is the same.
var errSlow = errors.New("no answer in the time that was given for one")

// send reads the whole answer, so that one time bounds it all.
func (w *Walk) send(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(req.Context(), w.Patience, errSlow)
	defer cancel()
	res, err := w.Transport.RoundTrip(req.WithContext(ctx))
	if err == nil {
		var body []byte
		body, err = io.ReadAll(io.LimitReader(res.Body, ucwa.MaxBody+1))
		res.Body.Close()
		res.Body = io.NopCloser(bytes.NewReader(body))
		var answer struct {
			Token string `json:"access_token"`
		}
		if json.Unmarshal(body, &answer) == nil && answer.Token != "" {
			w.hide(answer.Token)
		}
	}
	switch {
	case err == nil:
		return res, nil
	case errors.Is(context.Cause(ctx), errSlow):
		return nil, fmt.Errorf("%w (%s)", errSlow, w.Patience)
	}
	return nil, err
}

// tell adds what was found on the way to an origin, once.
func (w *Walk) tell(origin string) {
	p := w.places[origin]
	if p == nil {
		return
	}
	for _, f := range p.findings {
		w.Add(f)
	}
	p.findings = nil
}

// put adds a finding of now.
func (w *Walk) put(f Finding) { w.Add(w.ended(f)) }

// ended is the finding, unless it is a problem since the whole walk has ended: then it is
// none of the server.
func (w *Walk) ended(f Finding) Finding {
	if f.Status == Problem && w.ctx.Err() != nil {
		f.Status, f.Detail, f.Advice, f.missing = Skipped, "the walk ended here", "", false
	}
	return f
}

// skip names what could not be looked at.
func (w *Walk) skip(why string, checks ...string) {
	if w.ctx.Err() != nil {
		why = "the walk ended before"
	}
	for _, check := range checks {
		w.Add(Finding{Check: check, Target: "-", Status: Skipped, Detail: why})
	}
}

func (w *Walk) last() exchange {
	if len(w.exchanges) == 0 {
		return exchange{url: &url.URL{}}
	}
	return w.exchanges[len(w.exchanges)-1]
}

// unreachable tells whether the last request could not even be sent, which the findings
// of its host say.
func (w *Walk) unreachable() bool {
	p := w.places[ucwa.Origin(w.last().url)]
	return p != nil && p.err != nil
}

// skewNotice is how far clocks may be apart: Kerberos has the same bound.
const skewNotice = 5 * time.Minute

// clock compares the clock of each host with this machine's.
func (w *Walk) clock(x exchange, began time.Time) {
	host := x.url.Host
	if w.skews[host] || x.header.Get("Age") != "" { // the answer is of some time ago
		return
	}
	w.skews[host] = true
	f := Finding{Check: "clock", Target: host, Status: OK}
	date, err := http.ParseTime(x.header.Get("Date"))
	if err != nil {
		f.Status, f.Detail, f.Advice = Warning, "the answer has no Date that can be read", "look at the load balancer or proxy before the server: servers send one"
		w.clocks = append(w.clocks, f)
		return
	}
	skew := date.Sub(began.Add(x.took / 2)).Round(time.Second)
	switch {
	case skew.Abs() > skewNotice:
		f.Status, f.Detail = Warning, fmt.Sprintf("%s the clock of this machine, which says %s", apart(skew), began.UTC().Format(time.RFC3339))
		f.Advice = "set the clock that is wrong: tokens, certificates and Kerberos go by it"
	case skew.Abs() <= 2*time.Second: // a Date has seconds, and the answer was on its way
		f.Detail = "as the clock of this machine"
	default:
		f.Detail = apart(skew) + " the clock of this machine"
	}
	w.clocks = append(w.clocks, f)
}

func apart(skew time.Duration) string {
	if skew < 0 {
		return skew.Abs().String() + " behind"
	}
	return skew.String() + " ahead of"
}

func (w *Walk) tellClocks() {
	for _, f := range w.clocks {
		w.Add(f)
	}
}

// Deployment goes from an address to the event channel.
func (w *Walk) Deployment(ctx context.Context, sign *ucwa.SignIn) {
	w.begin(ctx)
	defer w.tellClocks()
	w.hide(sign.Credentials.Password)
	sign.Client.HTTP = &http.Client{Transport: w}
	sign.Client.UserAgent = userAgent
	found := w.discover(sign)
	if found == nil {
		w.skip("Autodiscover led nowhere", "grants", "sign-in", "user", "application", "events")
		return
	}
	user, err := sign.User(w.ctx, found.User)
	if err != nil {
		w.refused(sign, err, "grants", "sign-in", "user", "application", "events")
		return
	}
	w.signedIn(sign, len(w.exchanges))
	applications := user.Link("applications")
	entrance := w.userFinding(sign, applications)
	w.put(entrance)
	if entrance.Status != OK {
		w.skip("it needs what failed before", "grants", "sign-in", "application", "events")
		return
	}
	client, applications, err := sign.Enter(w.ctx, applications)
	if err != nil {
		w.refused(sign, err, "grants", "sign-in", "application", "events")
		return
	}
	w.signedIn(sign, len(w.exchanges))
	w.create(client, applications)
}

// userAgent is what doctor calls itself.
const userAgent = "conform doctor"

func (w *Walk) userFinding(sign *ucwa.SignIn, applications ucwa.Link) Finding {
	last := w.last()
	f := Finding{Check: "user", Target: last.url.Redacted(), Status: OK}
	f.took(last.took)
	to, err := sign.Cross(applications)
	if err != nil {
		f.Status, f.Detail, f.Advice = Problem, err.Error(), answerAdvice(err)
		return f
	}
	f.Detail = fmt.Sprintf("%d, the applications are at %s", last.status, to.Href)
	if u, err := to.URL(); err == nil && ucwa.Origin(u) != ucwa.Origin(last.url) {
		f.Detail += ", another host, which wants a token of its own"
	}
	return f
}

// signedIn tells of each host that handed out a token, and of its offer before, up to
// that exchange.
func (w *Walk) signedIn(sign *ucwa.SignIn, end int) {
	for ; w.told < end; w.told++ {
		x := w.exchanges[w.told]
		switch {
		case x.method == http.MethodGet && !x.bearer && x.status == http.StatusUnauthorized:
			w.put(offer(x, sign.Credentials))
		case x.form && x.status == http.StatusOK:
			f := Finding{Check: "sign-in", Target: x.url.Redacted(), Status: OK, Detail: "200, a token for " + x.url.Host}
			f.took(x.took)
			w.put(f)
		}
	}
}

// offer says what a host offers to those who have no token, and what is of use here.
func offer(x exchange, c ucwa.Credentials) Finding {
	f := Finding{Check: "grants", Target: x.url.Redacted(), Status: OK}
	f.took(x.took)
	issuer, err := (&ucwa.Response{Status: x.status, Header: x.header, URL: x.url}).Issuer()
	if err != nil {
		f.Status, f.Detail, f.Advice = Problem, detailOf(err), challengeAdvice(err)
		return f
	}
	var offers []string
	for _, grant := range issuer.Grants {
		try := c
		if try.Grant == "" {
			try.Grant = grant
		}
		use := "cannot be used with what was given"
		if _, err := try.Form(issuer); err == nil && strings.EqualFold(try.Grant, grant) {
			use = "can be used"
			if grant == ucwa.GrantPassive {
				use = "by a person with a browser"
			}
		}
		offers = append(offers, strings.TrimPrefix(grant, "urn:microsoft.rtc:")+" ("+use+")")
	}
	f.Detail = "401, offers " + strings.Join(offers, ", ")
	if len(offers) == 0 {
		f.Detail = "401, offers no grant"
	}
	return f
}

// refused says at what a sign-in ended: the last request tells how far it came. The
// checks are those of this sign-in, in order; what comes after the one that failed is
// skipped.
func (w *Walk) refused(sign *ucwa.SignIn, err error, checks ...string) {
	last := w.last()
	challenged := !last.form && !last.bearer && last.status == http.StatusUnauthorized
	_, unreadable := (&ucwa.Response{Status: last.status, Header: last.header, URL: last.url}).Issuer()
	f := Finding{Target: last.url.Redacted(), Status: Problem, Detail: detailOf(err)}
	f.took(last.took)
	switch {
	case last.form:
		f.Check, f.Detail, f.Advice = "sign-in", tokenDetail(err), tokenAdvice(err)
	case last.bearer:
		f.Check, f.Advice = "user", answerAdvice(err)
	case challenged && unreadable == nil:
		f.Check = "sign-in"
		f.Advice = "give what one of the offered grants needs (--username, --password-file, --kerberos, --meeting), or have the server offer another"
	default:
		f.Check, f.Advice = "grants", challengeAdvice(err)
	}
	end := len(w.exchanges)
	if last.form || f.Check == "grants" { // the error says more than the answer
		end--
	}
	w.signedIn(sign, end)
	rest := checks[slices.Index(checks, f.Check)+1:]
	if w.unreachable() { // and said
		rest = checks[max(0, slices.Index(checks, f.Check)):]
	} else {
		w.put(f)
	}
	w.skip("it needs what failed before", rest...)
}

// create creates an application, looks at it, and deletes it, whatever happens.
func (w *Walk) create(client *ucwa.Client, applications ucwa.Link) {
	app, err := client.Create(w.ctx, applications, ucwa.NewApplication{UserAgent: userAgent})
	last := w.last()
	f := Finding{Check: "application", Target: applications.Href, Status: OK}
	f.took(last.took)
	if err != nil {
		if !w.unreachable() {
			f.Status, f.Detail, f.Advice = Problem, detailOf(err), answerAdvice(err)
			if last.status < http.StatusMultipleChoices {
				f.Advice += "; if one was created all the same, it cannot be deleted, and the server ends it after 15 minutes"
			}
			w.put(f)
		}
		w.skip("there is no application", "events")
		return
	}
	f.Detail = fmt.Sprintf("%d, created", last.status)
	w.put(f)
	defer w.end(client, app)
	w.events(client, app)
}

// end deletes the application, also when the walk was interrupted.
func (w *Walk) end(client *ucwa.Client, app *ucwa.Resource) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), min(w.Patience, 10*time.Second))
	defer cancel()
	w.Limiter = nil
	err := client.End(ctx, app)
	f := Finding{Check: "deletion", Target: w.last().url.Redacted(), Status: OK, Detail: fmt.Sprintf("%d, the application is deleted", w.last().status)}
	f.took(w.last().took)
	if err != nil {
		f.Status, f.Detail = Problem, "the application was not deleted: "+detailOf(err)
		f.Advice = "nothing has to be done: the server ends it after 15 minutes; but clients will leave theirs behind too"
	}
	w.Add(f)
}

// Application looks at one that is there, and leaves it.
func (w *Walk) Application(ctx context.Context, application, token string) {
	w.begin(ctx)
	defer w.tellClocks()
	w.hide(token)
	client := &ucwa.Client{Token: token, UserAgent: userAgent, HTTP: &http.Client{Transport: w}}
	app, err := client.Application(w.ctx, application)
	f := Finding{Check: "application", Target: application, Status: OK}
	f.took(w.last().took)
	if err != nil {
		if w.unreachable() {
			w.skip("its host cannot be reached", "application")
		} else {
			f.Status, f.Detail, f.Advice = Problem, detailOf(err), answerAdvice(err)
			w.put(f)
		}
		w.skip("there is no application", "events")
		return
	}
	f.Detail = fmt.Sprintf("%d, the application is there", w.last().status)
	w.put(f)
	w.events(client, app)
}

// events sends one pending GET and sees whether it is held: what stands before a
// server often cuts a request that waits.
func (w *Walk) events(client *ucwa.Client, app *ucwa.Resource) {
	f := Finding{Check: "events", Target: addressOf(app.Link("events")), Status: Problem}
	if !app.HasLink("events") {
		f.Target = addressOf(app.Link("self"))
		f.Detail = "the application has no link events: there is no event channel"
		f.Advice = "look at the server: no client hears of anything without it"
		w.put(f)
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, w.Hold)
	defer cancel()
	patience := w.Patience
	w.Patience = w.Hold + time.Minute // which ctx ends first
	defer func() { w.Patience = patience }()
	began := time.Now()
	p, err := client.Pending(ctx, app.Link("events"), ucwa.EventOptions{})
	f.took(time.Since(began))
	switch {
	case err == nil:
		f.Status, f.Detail = OK, fmt.Sprintf("200, %d events and a link %s", len(p.Events), p.Continue.Rel)
	case w.ctx.Err() == nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		f.Status, f.Detail = OK, fmt.Sprintf("the pending GET was held for %s, as it should be", w.Hold)
	default:
		f.Detail, f.Advice = detailOf(err), eventsAdvice(err, w.last())
	}
	w.put(f)
}

// addressOf is where a link leads, or what was served in place of that.
func addressOf(link ucwa.Link) string {
	if u, err := link.URL(); err == nil {
		return u.Redacted()
	}
	return cmp.Or(link.Href, "-")
}
