package prove

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"golang.org/x/time/rate"
)

// Live is somebody's server, on whose answers the faults of servers are put by a
// proxy on this machine, so that they can see the suite catch them on their own
// product. Each fault has an application of its own, which is deleted at the end, and
// they are tried one after another, since presence is the user's.
type Live struct {
	Applications   string            // absolute URL of the user's applications resource
	Token          string            // such as "cwt=AAEB…"
	Others         []string          // the tokens of other users: a fault is tried with each at the same time
	Transport      http.RoundTripper // http.DefaultTransport if nil
	EventWait      time.Duration     // for the event that confirms; 30 s if zero
	RequestTimeout time.Duration     // for one answer; 10 s if zero
	Limiter        *rate.Limiter     // waited for before each request; nil: none

	before, note string // the presence and the note that the user had
	users        []*Live
}

// source names the server without the query of its URL, in which a secret may stand.
func (l *Live) source() string {
	u, err := url.Parse(l.Applications)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// errUntouched says of a fault that the server's answers do not have what it changes.
var errUntouched = errors.New("this server never answers what the fault changes")

// experiments plans to try each fault, after a run without one: what that does not
// pass no fault can prove there, and it is returned too, unless it does not apply.
func (l *Live) experiments(ctx context.Context) (planned []experiment, unsound []string, err error) {
	base, err := url.Parse(l.Applications)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil {
		return nil, nil, errors.New("the applications resource: expected an absolute http or https URL without user information")
	}
	l.users = []*Live{l}
	for i, token := range l.Others {
		if token == l.Token || slices.Contains(l.Others[:i], token) {
			return nil, nil, errors.New("two of the tokens are the same: faults that are tried at the same time need different users")
		}
		other := *l
		other.Token, other.Others = token, nil
		l.users = append(l.users, &other)
	}
	free := make(chan *Live, len(l.users))
	passes := map[string]bool{} // with each user
	for i, user := range l.users {
		if err := user.remember(ctx); err != nil {
			return nil, nil, err
		}
		sound, err := user.examine(ctx, base, func(h http.Handler) http.Handler { return h })
		if err != nil {
			return nil, nil, err
		}
		for _, r := range sound {
			passes[r.Requirement] = r.Verdict == reports.Pass && (i == 0 || passes[r.Requirement])
			if r.Subject == "server" && r.Verdict != reports.Pass && r.Verdict != reports.NotApplicable && r.Verdict != reports.NotTested && !slices.Contains(unsound, r.Requirement) {
				unsound = append(unsound, r.Requirement)
			}
		}
		free <- user
	}
	for _, f := range Faults() {
		if f.Subject != "server" || signsIn(f) {
			continue
		}
		// What fails without a fault says nothing of this one.
		f.Also = slices.DeleteFunc(slices.Clone(f.Also), func(id string) bool { return !passes[id] })
		e := onFault(fault{Fault: f, live: true}, 1, func(ctx context.Context) ([]reports.Result, error) {
			user := <-free
			defer func() { free <- user }()
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			results, err := user.examine(ctx, base, f.Handler)
			return slices.DeleteFunc(results, func(r reports.Result) bool { return !passes[r.Requirement] }), err
		})
		if !passes[f.Requirement] {
			e.Skipped = "without a fault " + f.Requirement + " does not pass on this server"
			e.run = func(context.Context, *Trial) error { return nil }
		}
		e.waits = true
		planned = append(planned, e)
	}
	return planned, unsound, nil
}

// examine drives the server with one fault on its answers.
func (l *Live) examine(ctx context.Context, base *url.URL, change func(http.Handler) http.Handler) ([]reports.Result, error) {
	application, err := l.create(ctx)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{Transport: l.transport(), ErrorLog: log.New(io.Discard, "", 0)} // the evidence tells of it
	changed := change(proxy)
	running, err := ucwatest.StartTLS(changed, ucwatest.Options{})
	if err != nil {
		return nil, err
	}
	defer running.Close()
	there, here := ucwa.Origin(base), running.URL
	proxy.Rewrite = func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: base.Scheme, Host: base.Host})
		r.Out.Header.Del("Accept-Encoding") // so that the transport decodes what it asked for itself
	}
	proxy.ModifyResponse = func(res *http.Response) error {
		body, err := io.ReadAll(io.LimitReader(res.Body, ucwa.MaxBody+1))
		if err != nil {
			return fmt.Errorf("the answer is cut: %w", err)
		}
		if len(body) > ucwa.MaxBody {
			return fmt.Errorf("the answer is longer than %d bytes", ucwa.MaxBody)
		}
		_ = res.Body.Close()
		body = moved(body, there, here)
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		res.Header.Del("Content-Length")
		if location := res.Header.Get("Location"); location != "" {
			res.Header.Set("Location", movedURL(location, there, here))
		}
		return nil
	}
	results, err := suite.Examine(suite.Gather(ctx, suite.Target{
		Application: here + application.RequestURI(), Token: l.Token, Transport: running.Client().Transport,
		EventWait: l.EventWait, RequestTimeout: l.RequestTimeout, Limiter: l.Limiter, KeepNames: true, // nothing of it is shown
	})[0])
	if f, isFault := changed.(interface{ Applied() bool }); isFault && !f.Applied() && err == nil {
		err = errUntouched
	}
	return results, err
}

var jsonString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// moved lets the URLs of one origin that stand in a body of JSON, however they are
// escaped there, lead to another, and leaves all else as it is, also what is wrong.
func moved(body []byte, there, here string) []byte {
	return jsonString.ReplaceAllFunc(body, func(literal []byte) []byte {
		var text string
		if json.Unmarshal(literal, &text) != nil {
			return literal
		}
		changed := movedURL(text, there, here)
		if changed == text {
			return literal
		}
		quoted, err := json.Marshal(changed)
		if err != nil {
			return literal
		}
		return quoted
	})
}

func movedURL(text, there, here string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || ucwa.Origin(u) != there {
		return text
	}
	return here + text[strings.Index(text, u.Host)+len(u.Host):]
}

func (l *Live) transport() http.RoundTripper {
	if l.Transport == nil {
		return http.DefaultTransport
	}
	return l.Transport
}

// Presence and note are the user's, and what a fault does to the answers must not decide what
// the user is left with: so they are read before all and given back after all, without
// any fault. Only an available application can do that; each time it is one of its own.

// remember reads what the user has.
func (l *Live) remember(ctx context.Context) error {
	return l.available(ctx, func(ask func(rel, method string, body any) *ucwa.Resource) {
		l.before, l.note = ask("presence", http.MethodGet, nil).String("availability"), ownNote(ask("note", http.MethodGet, nil))
	})
}

// restore gives it back, also after a failure or an interrupt.
func (l *Live) restore(ctx context.Context) error {
	var errs []error
	for _, user := range l.users {
		errs = append(errs, user.restoreOwn(ctx))
	}
	return errors.Join(errs...)
}

func (l *Live) restoreOwn(ctx context.Context) error {
	if l.before == "" {
		return nil
	}
	return l.available(context.WithoutCancel(ctx), func(ask func(rel, method string, body any) *ucwa.Resource) {
		if ownNote(ask("note", http.MethodGet, nil)) != l.note {
			ask("note", http.MethodPost, map[string]any{"message": l.note})
		}
		if ask("presence", http.MethodGet, nil).String("availability") == l.before {
			return
		}
		var body any // none: for the server to compute, as it must have been
		if p := ucwa.PreferredAvailability(l.before); p.Valid() {
			body = map[string]any{"availability": p}
		}
		ask("presence", http.MethodPost, body)
	})
}

// ownNote is the text of a note that a client can set: not that of an out-of-office message, which is set elsewhere.
func ownNote(note *ucwa.Resource) string {
	if note.String("type") == "OutOfOffice" {
		return ""
	}
	return note.String("message")
}

// available lets do ask the presence and the note of an application that was made for it, and
// ends that. A server that does not serve presence so is told of by the run.
func (l *Live) available(ctx context.Context, do func(ask func(rel, method string, body any) *ucwa.Resource)) error {
	application, err := l.create(ctx)
	if err != nil {
		return err
	}
	begin, err := ucwa.Begin(application.String())
	if err != nil {
		return err
	}
	client := &ucwa.Client{Token: l.Token, UserAgent: "conform", HTTP: &http.Client{Transport: l.transport()}}
	ask := func(method string, link ucwa.Link, body any) *ucwa.Resource {
		ctx, cancel := context.WithTimeout(ctx, l.limit())
		defer cancel()
		res, err := client.Do(ctx, method, link, body)
		if err != nil {
			return nil
		}
		resource, _ := res.Resource()
		return resource
	}
	ask(http.MethodPost, ask(http.MethodGet, begin, nil).Embed("me").Link("makeMeAvailable"), map[string]any{})
	me := ask(http.MethodGet, begin, nil).Embed("me")
	do(func(rel, method string, body any) *ucwa.Resource { return ask(method, me.Link(rel), body) })
	ctx = context.WithoutCancel(ctx)
	ask(http.MethodDelete, begin, nil)
	return nil
}

func (l *Live) limit() time.Duration { return cmp.Or(l.RequestTimeout, 10*time.Second) }

// create makes an application and returns where it is. Its errors do not show the
// query of the URL.
func (l *Live) create(ctx context.Context) (*url.URL, error) {
	application, err := l.post(ctx)
	if err != nil {
		text := err.Error()
		if _, query, found := strings.Cut(l.Applications, "?"); found && query != "" {
			text = strings.ReplaceAll(text, "?"+query, "")
		}
		return nil, fmt.Errorf("creating an application: %s", text)
	}
	return application, nil
}

func (l *Live) post(ctx context.Context) (*url.URL, error) {
	link, err := ucwa.Begin(l.Applications)
	if err != nil {
		return nil, err
	}
	if l.Limiter != nil {
		if err := l.Limiter.Wait(ctx); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.limit()) // what an interrupt cuts off here would be left on the server
	defer cancel()
	client := &ucwa.Client{Token: l.Token, UserAgent: "conform", HTTP: &http.Client{Transport: l.transport()}}
	resource, err := client.Create(ctx, link, ucwa.NewApplication{UserAgent: "conform"})
	if err != nil {
		return nil, err
	}
	application, err := resource.Link("self").URL()
	if err != nil {
		return nil, fmt.Errorf("its answer has no self link to go on with: %w", err)
	}
	return application, nil
}
