package prove

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
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
	Transport      http.RoundTripper // http.DefaultTransport if nil
	EventWait      time.Duration     // for the event that confirms; 30 s if zero
	RequestTimeout time.Duration     // for one answer; 10 s if zero
	Limiter        *rate.Limiter     // waited for before each request; nil: none
}

// experiments plans to try each fault, after a run without one: what that does not
// pass no fault can prove there.
func (l *Live) experiments(ctx context.Context) ([]experiment, error) {
	base, err := url.Parse(l.Applications)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil {
		return nil, errors.New("the applications resource: expected an absolute http or https URL without user information")
	}
	sound, err := l.examine(ctx, base, func(h http.Handler) http.Handler { return h })
	if err != nil {
		return nil, err
	}
	passes := map[string]bool{}
	for _, r := range sound {
		passes[r.Requirement] = r.Verdict == reports.Pass
	}
	var planned []experiment
	for _, f := range ucwatest.Faults() {
		if f.Subject != "server" {
			continue
		}
		// What fails without a fault says nothing of this one.
		f.Also = slices.DeleteFunc(slices.Clone(f.Also), func(id string) bool { return !passes[id] })
		e := onFault(fault{Fault: f}, 1, func(ctx context.Context) ([]reports.Result, error) {
			results, err := l.examine(ctx, base, f.Handler)
			return slices.DeleteFunc(results, func(r reports.Result) bool { return !passes[r.Requirement] }), err
		})
		if !passes[f.Requirement] {
			e.Tolerated = "not tried: without a fault " + f.Requirement + " does not pass on this server"
			e.run = func(context.Context, *Trial) error { return nil }
		}
		e.alone = true
		planned = append(planned, e)
	}
	return planned, nil
}

// examine drives the server with one fault on its answers.
func (l *Live) examine(ctx context.Context, base *url.URL, change func(http.Handler) http.Handler) ([]reports.Result, error) {
	application, err := l.create(ctx)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{Transport: l.transport(), ErrorLog: log.New(io.Discard, "", 0)} // the evidence tells of it
	running, err := ucwatest.StartTLS(change(proxy), ucwatest.Options{})
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
		if err != nil || len(body) > ucwa.MaxBody {
			return fmt.Errorf("the answer is cut, or longer than %d bytes: %w", ucwa.MaxBody, err)
		}
		_ = res.Body.Close()
		body = bytes.ReplaceAll(body, []byte(there+"/"), []byte(here+"/"))
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		res.Header.Del("Content-Length")
		if location := res.Header.Get("Location"); location != "" {
			res.Header.Set("Location", strings.Replace(location, there, here, 1))
		}
		return nil
	}
	return suite.Examine(suite.Gather(ctx, suite.Target{
		Application: here + application.RequestURI(), Token: l.Token, Transport: running.Client().Transport,
		EventWait: l.EventWait, RequestTimeout: l.RequestTimeout, Limiter: l.Limiter, KeepNames: true, // nothing of it is shown
	})[0])
}

func (l *Live) transport() http.RoundTripper {
	if l.Transport == nil {
		return http.DefaultTransport
	}
	return l.Transport
}

// create makes an application and returns where it is.
func (l *Live) create(ctx context.Context) (*url.URL, error) {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // does not fail
	body, err := json.Marshal(map[string]string{"userAgent": "conform", "culture": "en-US",
		"endpointId": fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])})
	if err != nil {
		return nil, err
	}
	link, err := ucwa.Begin(l.Applications)
	if err != nil {
		return nil, err
	}
	if l.Limiter != nil {
		if err := l.Limiter.Wait(ctx); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, max(l.RequestTimeout, 10*time.Second))
	defer cancel()
	client := &ucwa.Client{Token: l.Token, UserAgent: "conform", HTTP: &http.Client{Transport: l.transport()}}
	res, err := client.Do(ctx, http.MethodPost, link, body)
	if err != nil {
		return nil, fmt.Errorf("creating an application: %w", err)
	}
	resource, err := res.Resource()
	if err != nil {
		return nil, fmt.Errorf("creating an application: %w", err)
	}
	application, err := resource.Link("self").URL()
	if err != nil {
		return nil, fmt.Errorf("creating an application: its answer has no self link to go on with: %w", err)
	}
	return application, nil
}
