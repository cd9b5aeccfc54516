package ucwa

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
	"strings"
	"time"
)

// Client talks to one UCWA server on behalf of one user. Without Token or
// TokenSource a server refuses nearly everything; the rest may stay zero. A Client
// is safe for use by several goroutines.
type Client struct {
	// Token is sent as "Authorization: Bearer …", such as "cwt=AAEB…". If it is
	// empty, requests carry no Authorization.
	Token string

	// TokenSource, if set, is asked for the token before every request, in place
	// of Token: tokens expire, and a client may live longer. [SignIn.Enter] sets it.
	TokenSource func(context.Context) (string, error)

	// HTTP sends the requests; http.DefaultClient if nil. Its CheckRedirect is
	// not asked: redirects are followed as Do says.
	HTTP *http.Client

	// WebOrigin makes the client speak as a cross-domain browser application
	// would through the server's frame: it is sent as X-Ms-Origin (such as
	// "http://app.contoso.com"), with X-Requested-With and Referer. The server
	// refuses origins that its administrator did not allow.
	WebOrigin string

	// Frame is the URL of the cross-domain frame, sent as Referer when
	// WebOrigin is set. By default the documented one of the server that is
	// asked: /Autodiscover/XFrame/XFrame.html.
	Frame string

	Language  string // Accept-Language; "en-US" if empty
	UserAgent string // "ucwa-go" if empty

	// Before, if set, sees every request right before it is sent and may change
	// it: to add a header, or to send on purpose what a server must refuse.
	Before func(*http.Request)
}

// Response is an answer as it came, errors included.
type Response struct {
	Status int
	Header http.Header
	Body   []byte   // after decoding; at most MaxBody bytes
	URL    *url.URL // of the request that was answered
	method string
}

// Err returns an *Error for a status of 400 or above, else nil.
func (r *Response) Err() error {
	e := ParseError(r.Status, r.Header, r.Body)
	if e == nil {
		return nil
	}
	e.Method, e.URL = r.method, r.URL.Redacted()
	return e
}

// Resource returns the resource that was served, or the reason why there is none.
func (r *Response) Resource() (*Resource, error) {
	if err := r.Err(); err != nil {
		return nil, err
	}
	resource, err := ParseResource(r.URL, r.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %d, but the body is no resource: %w", r.method, r.URL.Redacted(), r.Status, err)
	}
	return resource, nil
}

// Do follows link with the given method and returns the answer, whatever its
// status. A body that is not nil is sent as JSON; one of type []byte is taken to
// be JSON already. Errors: those of [Link.URL], of the transport, and an answer
// longer than MaxBody. A redirect is followed only within the origin, and only
// with the same method.
func (c *Client) Do(ctx context.Context, method string, link Link, body any) (*Response, error) {
	u, err := link.URL()
	if err != nil {
		return nil, err
	}
	data, raw := body.([]byte)
	if body != nil && !raw {
		if data, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("body for %s %s: %w", method, u.Redacted(), err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	token := c.Token
	if c.TokenSource != nil {
		if token, err = c.TokenSource(ctx); err != nil {
			return nil, fmt.Errorf("%s %s: the token: %w", method, u.Redacted(), err)
		}
	}
	c.setHeader(req.Header, u, method, data != nil)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if c.Before != nil {
		c.Before(req)
	}
	return c.send(req)
}

// setHeader sets the headers that the document shows, as far as the transport
// does not.
func (c *Client) setHeader(h http.Header, u *url.URL, method string, hasBody bool) {
	h.Set("Accept", "application/json")
	h.Set("Accept-Language", cmp.Or(c.Language, "en-US"))
	h.Set("User-Agent", cmp.Or(c.UserAgent, "ucwa-go"))
	if method != http.MethodGet {
		h.Set("Cache-Control", "no-cache")
	}
	if hasBody {
		h.Set("Content-Type", "application/json")
	}
	if c.WebOrigin != "" {
		h.Set("X-Ms-Origin", c.WebOrigin)
		h.Set("X-Requested-With", "XMLHttpRequest")
		h.Set("Referer", cmp.Or(c.Frame, Origin(u)+"/Autodiscover/XFrame/XFrame.html"))
	}
}

// send sends a request that only its own origin may redirect.
func (c *Client) send(req *http.Request) (*Response, error) {
	return c.exchange(req, func(next *http.Request, via []*http.Request) error {
		if Origin(next.URL) != Origin(req.URL) {
			return &OriginError{Rel: "redirect", URL: next.URL.Redacted(), Expected: Origin(req.URL)}
		}
		if next.Method != req.Method {
			return fmt.Errorf("the redirect turns the %s into a %s: not followed, since what was asked for would not be done", req.Method, next.Method)
		}
		if len(via) > 5 {
			return errors.New("more than 5 redirects")
		}
		return nil
	})
}

// alone sends a request and returns a redirect as it comes, like any other answer.
func (c *Client) alone(req *http.Request) (*Response, error) {
	return c.exchange(req, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse })
}

func (c *Client) exchange(req *http.Request, checkRedirect func(*http.Request, []*http.Request) error) (*Response, error) {
	client := *http.DefaultClient
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = checkRedirect
	res, err := client.Do(req)
	if err != nil {
		// Of a redirect that is not followed net/http names the target, password
		// and all; the request that was redirected says more.
		if fault := (*url.Error)(nil); errors.As(err, &fault) {
			fault.URL = req.URL.Redacted()
		}
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxBody+1))
	// A server that sees a request given up may end it with nothing, or with what
	// it has so far. That can still arrive; it must not pass for an answer.
	if ended := req.Context().Err(); ended != nil {
		return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.Redacted(), ended)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: reading the body of the answer: %w", req.Method, req.URL.Redacted(), err)
	}
	if len(body) > MaxBody {
		return nil, fmt.Errorf("%s %s: the body of the answer is longer than %d bytes", req.Method, req.URL.Redacted(), MaxBody)
	}
	return &Response{Status: res.StatusCode, Header: res.Header, Body: body, URL: res.Request.URL, method: req.Method}, nil
}

// Begin returns the link to an application, given the absolute URL of its
// resource: the one URL that a client is handed (by the answer to the POST that
// created the application). All others are links that a response serves.
func Begin(application string) (Link, error) {
	u, err := url.Parse(application)
	if err != nil {
		return Link{}, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return Link{}, fmt.Errorf("application %q: expected an absolute http or https URL", application)
	}
	return Link{Rel: "application", Href: application, base: u}, nil
}

// Application gets the application resource at an absolute URL, as [Begin] takes it.
func (c *Client) Application(ctx context.Context, application string) (*Resource, error) {
	link, err := Begin(application)
	if err != nil {
		return nil, err
	}
	return c.Get(ctx, link)
}

// Get gets the resource behind link.
func (c *Client) Get(ctx context.Context, link Link) (*Resource, error) {
	res, err := c.Do(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, err
	}
	return res.Resource()
}

// order tells the server to do something and wants no content back.
func (c *Client) order(ctx context.Context, method string, link Link, body any) error {
	res, err := c.Do(ctx, method, link, body)
	if err != nil {
		return err
	}
	if res.Status >= 300 && res.Status < 400 { // a redirect that leads nowhere: nothing was done
		return fmt.Errorf("%s %s: %d, expected 204", method, res.URL.Redacted(), res.Status)
	}
	return res.Err()
}

// MakeMeAvailable makes the user of resource me available for the given
// modalities (step 1 of the document). The server answers a second call with
// SubcodeAlreadyExists, which many clients take for success. Afterwards get the
// application, or me, again: it has the links presence, note, location and
// reportMyActivity now.
func (c *Client) MakeMeAvailable(ctx context.Context, me *Resource, modalities ...ModalityType) error {
	body := map[string]any{}
	if len(modalities) > 0 {
		body["supportedModalities"] = modalities
	}
	return c.order(ctx, http.MethodPost, me.Link("makeMeAvailable"), body)
}

// Presence reads the presence of the user of resource me. Before MakeMeAvailable
// there is no such link.
func (c *Client) Presence(ctx context.Context, me *Resource) (Availability, error) {
	r, err := c.Get(ctx, me.Link("presence"))
	if err != nil {
		return "", err
	}
	availability, ok := r.Properties["availability"].(string)
	if !ok {
		return "", fmt.Errorf("presence: %w", &JSONError{Pointer: "/availability", Offset: -1,
			Problem: "expected a string, found " + JSONType(r.Properties["availability"])})
	}
	return Availability(availability), nil
}

// SetPresence sets the presence of the user of resource me (step 5 of the
// document). The server has taken it when it returns nil; an event confirms that
// others see it.
func (c *Client) SetPresence(ctx context.Context, me *Resource, p PreferredAvailability) error {
	return c.order(ctx, http.MethodPost, me.Link("presence"), map[string]any{"availability": p})
}

// ResetPresence gives the presence back to the server, which computes it.
func (c *Client) ResetPresence(ctx context.Context, me *Resource) error {
	return c.order(ctx, http.MethodPost, me.Link("presence"), nil)
}

// End deletes the application.
func (c *Client) End(ctx context.Context, application *Resource) error {
	return c.order(ctx, http.MethodDelete, application.Link("self"), nil)
}

// EventOptions are what a client may ask of the event channel. Zero values are
// not sent: the server's own apply.
type EventOptions struct {
	Low     time.Duration // how long events of low priority may wait for company: 5 s to 1800 s
	Medium  time.Duration // the same for medium priority
	Timeout time.Duration // how long the server holds the GET: 180 s to 1800 s
}

// query adds the options to an events link; ack stays as served.
func (o EventOptions) query(link Link) (Link, error) {
	u, err := link.URL()
	if err != nil {
		return link, err
	}
	var extra []string
	for _, option := range []struct {
		name  string
		value time.Duration
	}{{"low", o.Low}, {"medium", o.Medium}, {"timeout", o.Timeout}} {
		if option.value > 0 {
			extra = append(extra, fmt.Sprintf("%s=%d", option.name, int(option.value.Seconds())))
		}
	}
	if len(extra) > 0 {
		query := strings.Join(extra, "&")
		if u.RawQuery != "" {
			query = u.RawQuery + "&" + query
		}
		u.RawQuery = query
		link.Href = u.String()
	}
	return link, nil
}

// Pending sends one pending GET on the event channel and waits until the server
// has something to say, its time-out passes, or ctx ends. The link is the
// application's events link, and after that Continue of the package before.
func (c *Client) Pending(ctx context.Context, link Link, options EventOptions) (*EventPackage, error) {
	link, err := options.query(link)
	if err != nil {
		return nil, err
	}
	res, err := c.Do(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, err
	}
	if err := res.Err(); err != nil {
		return nil, err
	}
	p, err := ParseEvents(res.URL, res.Body)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %d, but the body is no event package: %w", res.URL.Redacted(), res.Status, err)
	}
	return p, nil
}

// Events yields the events of the channel that link begins, one after another,
// until the loop ends, ctx does, or an error comes, which it yields last. As the
// documentation asks, the next pending GET is under way before the events of
// the one before are worked on. Options are sent once: the server remembers them.
func (c *Client) Events(ctx context.Context, link Link, options EventOptions) func(yield func(Event, error) bool) {
	return func(yield func(Event, error) bool) {
		link, options := link, options // each loop begins anew
		ctx, cancel := context.WithCancel(ctx)
		type answer struct {
			*EventPackage
			error
		}
		answers := make(chan answer)
		done := make(chan struct{})
		defer func() { cancel(); <-done }()
		go func() {
			defer close(done)
			for {
				p, err := c.Pending(ctx, link, options)
				select {
				case answers <- answer{p, err}:
				case <-ctx.Done():
					return
				}
				if err != nil {
					return
				}
				link, options = p.Continue, EventOptions{}
			}
		}()
		for {
			select {
			case a := <-answers:
				if a.error != nil {
					yield(Event{}, a.error)
					return
				}
				for _, event := range a.Events {
					if !yield(event, nil) {
						return
					}
				}
			case <-ctx.Done():
				yield(Event{}, ctx.Err())
				return
			}
		}
	}
}
