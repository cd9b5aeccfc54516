package ucwa_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "cwt=AAEBbuHc"

// quiet is the log of servers with which a client breaks off while they shake hands.
var quiet = log.New(io.Discard, "", 0)

// serve starts a server, over TLS, and returns it with a client for it.
func serve(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *ucwa.Client) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, &ucwa.Client{Token: token, HTTP: server.Client()}
}

// from returns the link that server serves with this href.
func from(t *testing.T, server *httptest.Server, href string) ucwa.Link {
	t.Helper()
	return served(t, parseURL(server.URL), href)
}

// answer answers with a resource.
func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, body)
	}
}

// receive receives from a channel. The time in it only bounds how long a broken
// client takes to fail.
func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("waited in vain for %s", what)
		panic("not reached")
	}
}

// request is a request as a server sees it.
type request struct {
	method, target, host, body string
	header                     http.Header
}

func see(r *http.Request) request {
	body, _ := io.ReadAll(r.Body)
	return request{r.Method, r.RequestURI, r.Host, string(body), r.Header}
}

func TestRequestHeaders(t *testing.T) {
	const body = `{"availability":"Online"}`
	for scheme, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		seen := make(chan request, 1)
		server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen <- see(r) }))
		defer server.Close()
		for _, test := range []struct {
			name   string
			client ucwa.Client
			method string
			body   any
			want   http.Header // all of them
		}{
			{"GET", ucwa.Client{}, "GET", nil, http.Header{
				"Accept":          {"application/json"},
				"Accept-Encoding": {"gzip"},
				"Accept-Language": {"en-US"},
				"Authorization":   {"Bearer " + token},
				"User-Agent":      {"ucwa-go"},
			}},
			{"POST with a body", ucwa.Client{}, "POST", map[string]string{"availability": "Online"}, http.Header{
				"Accept":          {"application/json"},
				"Accept-Encoding": {"gzip"},
				"Accept-Language": {"en-US"},
				"Authorization":   {"Bearer " + token},
				"Cache-Control":   {"no-cache"},
				"Content-Length":  {"25"},
				"Content-Type":    {"application/json"},
				"User-Agent":      {"ucwa-go"},
			}},
			{"POST without a body", ucwa.Client{}, "POST", nil, http.Header{
				"Accept":          {"application/json"},
				"Accept-Encoding": {"gzip"},
				"Accept-Language": {"en-US"},
				"Authorization":   {"Bearer " + token},
				"Cache-Control":   {"no-cache"},
				"Content-Length":  {"0"},
				"User-Agent":      {"ucwa-go"},
			}},
			{"DELETE", ucwa.Client{}, "DELETE", nil, http.Header{
				"Accept":          {"application/json"},
				"Accept-Encoding": {"gzip"},
				"Accept-Language": {"en-US"},
				"Authorization":   {"Bearer " + token},
				"Cache-Control":   {"no-cache"},
				"User-Agent":      {"ucwa-go"},
			}},
			{"POST of a browser application", ucwa.Client{WebOrigin: "http://app.contoso.com"}, "POST", []byte(body), http.Header{
				"Accept":           {"application/json"},
				"Accept-Encoding":  {"gzip"},
				"Accept-Language":  {"en-US"},
				"Authorization":    {"Bearer " + token},
				"Cache-Control":    {"no-cache"},
				"Content-Length":   {"25"},
				"Content-Type":     {"application/json"},
				"Referer":          {server.URL + "/Autodiscover/XFrame/XFrame.html"},
				"User-Agent":       {"ucwa-go"},
				"X-Ms-Origin":      {"http://app.contoso.com"},
				"X-Requested-With": {"XMLHttpRequest"},
			}},
			{"GET of a browser application with a frame, language and name of its own",
				ucwa.Client{WebOrigin: "http://app.contoso.com", Frame: "https://frame.contoso.com/xframe", Language: "de-CH", UserAgent: "Samples/1.0"}, "GET", nil, http.Header{
					"Accept":           {"application/json"},
					"Accept-Encoding":  {"gzip"},
					"Accept-Language":  {"de-CH"},
					"Authorization":    {"Bearer " + token},
					"Referer":          {"https://frame.contoso.com/xframe"},
					"User-Agent":       {"Samples/1.0"},
					"X-Ms-Origin":      {"http://app.contoso.com"},
					"X-Requested-With": {"XMLHttpRequest"},
				}},
			{"a frame without a WebOrigin", ucwa.Client{Frame: "https://frame.contoso.com/xframe"}, "GET", nil, http.Header{
				"Accept":          {"application/json"},
				"Accept-Encoding": {"gzip"},
				"Accept-Language": {"en-US"},
				"Authorization":   {"Bearer " + token},
				"User-Agent":      {"ucwa-go"},
			}},
			{"Before has the last word", ucwa.Client{Before: func(r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer "+token {
					t.Errorf("Before sees %v", r.Header)
				}
				r.Header.Del("Authorization")
				r.Header.Set("Accept", "application/xml")
				r.Header.Set("Dnt", "1")
			}}, "GET", nil, http.Header{
				"Accept":          {"application/xml"},
				"Accept-Encoding": {"gzip"},
				"Accept-Language": {"en-US"},
				"Dnt":             {"1"},
				"User-Agent":      {"ucwa-go"},
			}},
		} {
			t.Run(scheme+" "+test.name, func(t *testing.T) {
				client := test.client
				client.Token, client.HTTP = token, server.Client()
				res, err := client.Do(t.Context(), test.method, from(t, server, "/ucwa/a%3db?c=%3d"), test.body)
				if err != nil {
					t.Fatal(err)
				}
				if got := res.URL.String(); res.Status != 200 || got != server.URL+"/ucwa/a%3db?c=%3d" {
					t.Errorf("%d from %s", res.Status, got)
				}
				want := request{test.method, "/ucwa/a%3db?c=%3d", strings.TrimPrefix(server.URL, scheme+"://"), "", test.want}
				if test.body != nil {
					want.body = body
				}
				if got := receive(t, seen, "the request"); !reflect.DeepEqual(got, want) {
					t.Errorf("got\n%+v\nwant\n%+v", got, want)
				}
			})
		}
	}
}

// The token must not leave the origin, nor any request: links and redirects
// that lead away are refused before a byte is sent.
func TestTokenStaysOnItsOrigin(t *testing.T) {
	arrived := func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("a request arrived elsewhere, with Authorization %q: %s %s", r.Header.Get("Authorization"), r.Method, r.URL)
	}
	other, plain := httptest.NewTLSServer(http.HandlerFunc(arrived)), httptest.NewServer(http.HandlerFunc(arrived))
	defer other.Close()
	defer plain.Close()
	host := strings.TrimPrefix(other.URL, "https:")

	elsewhere := []string{
		"/308/1", // to itself, then away
		other.URL + "/",
		plain.URL + "/",
		host + "/",
		strings.Replace(other.URL, "127.0.0.1", "localhost", 1),
		"https://dana:s3cret@" + host[2:],
	}
	server, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var status, to int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d/%d", &status, &to); err != nil {
			t.Errorf("a request for %s", r.URL)
		}
		w.Header().Set("Location", elsewhere[to])
		w.WriteHeader(status)
	})

	elsewhere = append(elsewhere, strings.Replace(server.URL, "https:", "http:", 1))

	type attempt struct{ name, method, href string }
	attempts := []attempt{
		{"link to another port", "GET", other.URL + "/"},
		{"link to http", "POST", plain.URL + "/"},
		{"protocol-relative link", "POST", host + "/"},
		{"link to another name of the host", "GET", strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/"},
	}
	redirects := len(attempts)
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			for to, url := range elsewhere {
				if to == 0 && (status < 307 && method != "GET") {
					continue // not followed at all
				}
				attempts = append(attempts, attempt{fmt.Sprintf("%s, %d to %s", method, status, url), method, fmt.Sprintf("/%d/%d", status, to)})
			}
		}
	}

	for i, test := range attempts {
		t.Run(test.name, func(t *testing.T) {
			res, err := client.Do(t.Context(), test.method, from(t, server, test.href), map[string]string{"a": "b"})
			var left *ucwa.OriginError
			if !errors.As(err, &left) {
				t.Fatalf("got %v and the error %v, want an *OriginError", res, err)
			}
			if left.Expected != server.URL {
				t.Errorf("got %+v, expected is %s", left, server.URL)
			}
			if i >= redirects && !strings.Contains(err.Error(), server.URL+test.href) {
				t.Errorf("the error does not tell which request was redirected: %v", err)
			}
			if strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

func TestRedirectsWithinTheOrigin(t *testing.T) {
	arrived := make(chan request, 1)
	server, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var status, hops int
		if n, _ := fmt.Sscanf(r.URL.Path, "/%d/%d", &status, &hops); n != 2 || hops == 0 {
			arrived <- see(r)
			return
		}
		w.Header().Set("Location", fmt.Sprintf("/%d/%d", status, hops-1))
		w.WriteHeader(status)
	})
	asked := false
	client.HTTP.CheckRedirect = func(*http.Request, []*http.Request) error { asked = true; return nil }

	for _, test := range []struct {
		method  string
		status  int
		hops    int
		problem string
	}{
		{"GET", 301, 1, ""},
		{"GET", 302, 1, ""},
		{"GET", 303, 1, ""},
		{"GET", 307, 5, ""},
		{"GET", 308, 6, "more than 5 redirects"},
		{"GET", 308, 1000, "more than 5 redirects"},
		{"POST", 307, 1, ""},
		{"POST", 308, 5, ""},
		{"DELETE", 308, 1, ""},
		// net/http goes on with a GET here: SetPresence would report what nobody did.
		{"POST", 301, 1, "the redirect turns the POST into a GET"},
		{"POST", 302, 1, "the redirect turns the POST into a GET"},
		{"POST", 303, 1, "the redirect turns the POST into a GET"},
		{"DELETE", 302, 1, "the redirect turns the DELETE into a GET"},
	} {
		t.Run(fmt.Sprintf("%s, %d times %d", test.method, test.hops, test.status), func(t *testing.T) {
			var body any
			if test.method == "POST" {
				body = []byte(`{"a":1}`)
			}
			res, err := client.Do(t.Context(), test.method, from(t, server, fmt.Sprintf("/%d/%d", test.status, test.hops)), body)
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) {
					t.Errorf("got the error %v, want %s", err, test.problem)
				}
				if len(arrived) > 0 {
					t.Errorf("yet this arrived: %+v", <-arrived)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("%s/%d/0", server.URL, test.status); res.URL.String() != want {
				t.Errorf("the answer came from %s, want %s", res.URL, want)
			}
			got := receive(t, arrived, "the request")
			if got.method != test.method || got.header.Get("Authorization") != "Bearer "+token || body != nil && got.body != `{"a":1}` {
				t.Errorf("this arrived: %+v", got)
			}
		})
	}
	if asked {
		t.Error("CheckRedirect of the caller's client was asked")
	}
}

func TestRedirectThatLeadsNowhereIsNoSuccess(t *testing.T) {
	server, client := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(302) })
	me := resource(t, server, `{"_links":{"presence":{"href":"/presence"}}}`)
	if got, want := message(client.SetPresence(t.Context(), me, ucwa.PreferBusy)), "POST "+server.URL+"/presence: 302, expected 204"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// resource returns a resource as if server had served it.
func resource(t *testing.T, server *httptest.Server, body string) *ucwa.Resource {
	t.Helper()
	r, err := ucwa.ParseResource(parseURL(server.URL), []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDefaultHTTPClient(t *testing.T) {
	server := httptest.NewServer(answer(`{"rel":"me"}`))
	defer server.Close()
	me, err := (&ucwa.Client{Token: token}).Application(t.Context(), server.URL+"/me")
	if err != nil || me.Rel != "me" {
		t.Errorf("got %+v, %v", me, err)
	}
	if http.DefaultClient.CheckRedirect != nil {
		t.Error("http.DefaultClient was changed")
	}

	// It knows nothing of the certificate of a test server.
	secure := httptest.NewUnstartedServer(answer(`{"rel":"me"}`))
	secure.Config.ErrorLog = quiet
	secure.StartTLS()
	defer secure.Close()
	if _, err := (&ucwa.Client{Token: token}).Application(t.Context(), secure.URL); err == nil {
		t.Error("any certificate will do")
	}
}

func TestMaxBody(t *testing.T) {
	write := func(w io.Writer, size int) { io.WriteString(w, `"`+strings.Repeat("a", size-2)+`"`) }
	server, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		size := ucwa.MaxBody
		if strings.Contains(r.URL.Path, "more") {
			size++
		}
		if strings.Contains(r.URL.Path, "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			defer packed.Close()
			write(packed, size)
			return
		}
		write(w, size)
	})
	for _, path := range []string{"/plain", "/gzip"} {
		res, err := client.Do(t.Context(), "GET", from(t, server, path), nil)
		if err != nil || len(res.Body) != ucwa.MaxBody {
			t.Errorf("%s: %v", path, err)
		}
		_, err = client.Do(t.Context(), "GET", from(t, server, path+"/more"), nil)
		want := "GET " + server.URL + path + "/more: the body of the answer is longer than 4194304 bytes"
		if got := message(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestBodyThatEndsEarly(t *testing.T) {
	server, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `{"rel":`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	_, err := client.Get(t.Context(), from(t, server, "/me"))
	want := "GET " + server.URL + "/me: reading the body of the answer: unexpected EOF"
	if got := message(err); got != want || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, want %q", got, want)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestContextEnds(t *testing.T) {
	arrived := make(chan string, 1)
	server, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"rel":`)
			w.(http.Flusher).Flush()
		}
		arrived <- r.URL.Path
		<-r.Context().Done()
	})
	t.Run("before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := client.Get(ctx, from(t, server, "/before")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if len(arrived) > 0 {
			t.Errorf("yet %s arrived", <-arrived)
		}
	})
	t.Run("answered as it is given up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := &ucwa.Client{Token: token, HTTP: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			cancel()
			return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
		})}}
		_, err := client.Get(ctx, from(t, server, "/x"))
		if got, want := message(err), "GET "+server.URL+"/x: context canceled"; got != want || !errors.Is(err, context.Canceled) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	for _, path := range []string{"/held", "/half"} {
		t.Run(path, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				_, err := client.Get(ctx, from(t, server, path))
				ended <- err
			}()
			receive(t, arrived, "the request")
			cancel()
			if err := receive(t, ended, "Get"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestApplicationWantsAnAbsoluteURL(t *testing.T) {
	for _, test := range []struct{ href, want string }{
		{"", `application "": expected an absolute http or https URL`},
		{"/ucwa/oauth/v1/applications/101", `application "/ucwa/oauth/v1/applications/101": expected an absolute http or https URL`},
		{"lyncweb.contoso.com/ucwa", `application "lyncweb.contoso.com/ucwa": expected an absolute http or https URL`},
		{"ftp://lyncweb.contoso.com/", `application "ftp://lyncweb.contoso.com/": expected an absolute http or https URL`},
		{"https://", `application "https://": expected an absolute http or https URL`},
		{"https://%zz", `parse "https://%zz": invalid URL escape "%zz"`},
		{"https://dana:s3cret@lyncweb.contoso.com/", `link "application": its href "https://dana:xxxxx@lyncweb.contoso.com/" holds user information`},
	} {
		_, err := (&ucwa.Client{Token: token}).Application(t.Context(), test.href)
		if got := message(err); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestRequestsOfTheTask(t *testing.T) {
	seen := make(chan request, 1)
	server, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- see(r)
		if r.Method == "GET" {
			answer(`{"rel":"presence","availability":"IdleBusy","activity":"x"}`)(w, r)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	me := resource(t, server, `{"_links":{"self":{"href":"/me"},"makeMeAvailable":{"href":"/me/makeMeAvailable"},"presence":{"href":"/me/presence"}}}`)
	for _, test := range []struct {
		name                      string
		do                        func(context.Context) error
		method, target, body, typ string
	}{
		{"MakeMeAvailable", func(ctx context.Context) error {
			return client.MakeMeAvailable(ctx, me, ucwa.ModalityMessaging, ucwa.ModalityPhoneAudio)
		}, "POST", "/me/makeMeAvailable", `{"supportedModalities":["Messaging","PhoneAudio"]}`, "application/json"},
		{"MakeMeAvailable without modalities", func(ctx context.Context) error {
			return client.MakeMeAvailable(ctx, me)
		}, "POST", "/me/makeMeAvailable", `{}`, "application/json"},
		{"Presence", func(ctx context.Context) error {
			p, err := client.Presence(ctx, me)
			if p != ucwa.IdleBusy {
				t.Errorf("got %q", p)
			}
			return err
		}, "GET", "/me/presence", "", ""},
		{"SetPresence", func(ctx context.Context) error {
			return client.SetPresence(ctx, me, ucwa.PreferDoNotDisturb)
		}, "POST", "/me/presence", `{"availability":"DoNotDisturb"}`, "application/json"},
		{"ResetPresence", func(ctx context.Context) error {
			return client.ResetPresence(ctx, me)
		}, "POST", "/me/presence", "", ""},
		{"End", func(ctx context.Context) error {
			return client.End(ctx, me)
		}, "DELETE", "/me", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := test.do(t.Context()); err != nil {
				t.Error(err)
			}
			got := receive(t, seen, "the request")
			if got.method != test.method || got.target != test.target || got.body != test.body || got.header.Get("Content-Type") != test.typ {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Every call reports a refusal, and a link that is not there, as what it is.
func TestRefusals(t *testing.T) {
	server, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Ms-Diagnostics", `1;reason="x"`)
		w.WriteHeader(http.StatusConflict)
		io.WriteString(w, `{"code":"Conflict","subcode":"AlreadyExists"}`)
	})
	all := resource(t, server, `{"_links":{"self":{"href":"/x"},"makeMeAvailable":{"href":"/x"},"presence":{"href":"/x"}}}`)
	for _, test := range []struct {
		name, method, rel string
		do                func(context.Context, *ucwa.Resource) error
	}{
		{"Get", "GET", "self", func(ctx context.Context, r *ucwa.Resource) error {
			_, err := client.Get(ctx, r.Link("self"))
			return err
		}},
		{"MakeMeAvailable", "POST", "makeMeAvailable", func(ctx context.Context, r *ucwa.Resource) error { return client.MakeMeAvailable(ctx, r) }},
		{"Presence", "GET", "presence", func(ctx context.Context, r *ucwa.Resource) error {
			p, err := client.Presence(ctx, r)
			if p != "" {
				t.Errorf("got %q beside the error", p)
			}
			return err
		}},
		{"SetPresence", "POST", "presence", func(ctx context.Context, r *ucwa.Resource) error {
			return client.SetPresence(ctx, r, ucwa.PreferAway)
		}},
		{"ResetPresence", "POST", "presence", client.ResetPresence},
		{"End", "DELETE", "self", client.End},
		{"Pending", "GET", "self", func(ctx context.Context, r *ucwa.Resource) error {
			_, err := client.Pending(ctx, r.Link("self"), ucwa.EventOptions{})
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.do(t.Context(), all)
			want := test.method + " " + server.URL + `/x: 409 Conflict: Conflict/AlreadyExists; X-Ms-diagnostics: 1;reason="x"`
			if !ucwa.HasSubcode(err, ucwa.SubcodeAlreadyExists) || message(err) != want {
				t.Errorf("got %v, want %s", err, want)
			}
			for _, without := range []*ucwa.Resource{{}, nil} {
				err := test.do(t.Context(), without)
				if !errors.Is(err, ucwa.ErrNotServed) || !strings.Contains(message(err), fmt.Sprintf("%q", test.rel)) {
					t.Errorf("without a link: got %v", err)
				}
			}
		})
	}
}

func TestAnswersThatAreNoResource(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   string // %s: the server's URL
	}{
		{"HTML", 200, "<html>", `GET %s/x: 200, but the body is no %s: not JSON: invalid character '<' looking for beginning of value (byte 0)`},
		{"nothing", 204, "", "GET %s/x: 204, but the body is no %s: no JSON: the body is empty"},
		{"a list", 200, "[]", "GET %s/x: 200, but the body is no %s: expected a resource (object), found array"},
		{"an error", 404, "gone", `GET %s/x: 404 Not Found; not a UCWA error: "gone"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			})
			expect := func(got error, what string) {
				t.Helper()
				want := strings.Replace(strings.Replace(test.want, "%s", server.URL, 1), "%s", what, 1)
				if message(got) != want {
					t.Errorf("got %v, want %s", got, want)
				}
			}
			_, err := client.Get(t.Context(), from(t, server, "/x"))
			expect(err, "resource")
			_, err = client.Pending(t.Context(), from(t, server, "/x"), ucwa.EventOptions{})
			expect(err, "event package")
		})
	}
}

func TestPresenceWithoutAvailability(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{`{"rel":"presence"}`, "presence: expected a string, found null at /availability"},
		{`{"availability":1}`, "presence: expected a string, found number at /availability"},
	} {
		server, client := serve(t, answer(test.body))
		_, err := client.Presence(t.Context(), resource(t, server, `{"_links":{"presence":{"href":"/x"}}}`))
		if got := message(err); got != test.want {
			t.Errorf("%s: got %q, want %q", test.body, got, test.want)
		}
	}
}

func TestBodyThatJSONCannotHold(t *testing.T) {
	server, client := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	_, err := client.Do(t.Context(), "POST", from(t, server, "/x"), func() {})
	if got, want := message(err), "body for POST "+server.URL+"/x: json: unsupported type: func()"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestErrorsDoNotTellTheToken(t *testing.T) {
	server, client := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	client.Token = "cwt=s3cret\r\nX-Evil: 1"
	_, err := client.Get(t.Context(), from(t, server, "/x"))
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
}

func TestPendingKeepsTheAck(t *testing.T) {
	seen := make(chan string, 1)
	server, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.RequestURI
		answer(`{"_links":{"next":{"href":"?ack=2"}}}`)(w, r)
	})
	for _, test := range []struct {
		name    string
		options ucwa.EventOptions
		href    string
		want    string
	}{
		{"none", ucwa.EventOptions{}, "/events?ack=1", "/events?ack=1"},
		{"all", ucwa.EventOptions{Low: 60 * time.Second, Medium: 5 * time.Second, Timeout: 30 * time.Minute}, "/events?ack=1",
			"/events?ack=1&low=60&medium=5&timeout=1800"},
		{"one", ucwa.EventOptions{Timeout: 3 * time.Minute}, "/events?ack=1", "/events?ack=1&timeout=180"},
		{"whole seconds", ucwa.EventOptions{Low: 5900 * time.Millisecond}, "/events?ack=1", "/events?ack=1&low=5"},
		{"no query", ucwa.EventOptions{Low: 5 * time.Second}, "/events", "/events?low=5"},
		{"a query that a URL library would write anew", ucwa.EventOptions{Low: 5 * time.Second}, "/events?z=%3d+a&ack=0x01;b", "/events?z=%3d+a&ack=0x01;b&low=5"},
		{"a path that a URL library would write anew", ucwa.EventOptions{Low: 5 * time.Second}, "/a%3db/events?ack=1", "/a%3db/events?ack=1&low=5"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := client.Pending(t.Context(), from(t, server, test.href), test.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := receive(t, seen, "the request"); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if u, err := p.Continue.URL(); err != nil || u.RawQuery != "ack=2" {
				t.Errorf("the next pending GET goes to %v, %v", u, err)
			}
		})
	}
}

// channel is an event channel. It answers a pending GET by its query; one for
// which it has no answer it holds until the client gives up.
type channel struct {
	*ucwa.Client
	link     ucwa.Link     // with ack=1
	asked    chan string   // the queries
	released chan struct{} // for each GET that was held and given up
	server   *httptest.Server
}

func openChannel(t *testing.T, answers map[string]string) channel {
	t.Helper()
	c := channel{asked: make(chan string, 100), released: make(chan struct{}, 100)}
	c.server, c.Client = serve(t, func(w http.ResponseWriter, r *http.Request) {
		c.asked <- r.URL.RawQuery
		body, ok := answers[r.URL.RawQuery]
		switch {
		case ok && strings.Contains(body, `"code"`):
			w.WriteHeader(http.StatusConflict)
			fallthrough
		case ok:
			io.WriteString(w, body)
		default:
			select {
			case <-r.Context().Done():
				c.released <- struct{}{}
			case <-t.Context().Done(): // so that a client that hangs on lets the test end
			}
		}
	})
	c.link = from(t, c.server, "/events?ack=1")
	return c
}

// events writes a package with the given events of me.
func events(rel, ack string, types ...string) string {
	var list []string
	for _, typ := range types {
		list = append(list, fmt.Sprintf(`{"link":{"rel":"presence","href":"/presence"},"type":%q}`, typ))
	}
	return fmt.Sprintf(`{"_links":{%q:{"href":"/events?%s"}},"sender":[{"rel":"me","href":"/me","events":[%s]}]}`, rel, ack, strings.Join(list, ","))
}

// collect loops until n events came, or an error, and returns what came in short.
func (c channel) collect(ctx context.Context, n int, options ucwa.EventOptions) (types []string, err error) {
	for event, err := range c.Events(ctx, c.link, options) {
		if err != nil {
			return types, err
		}
		types = append(types, event.Type)
		if len(types) == n {
			break
		}
	}
	return types, nil
}

func TestEvents(t *testing.T) {
	const replaced = `{"code":"Conflict","subcode":"PGetReplaced"}`
	for _, test := range []struct {
		name    string
		answers map[string]string
		options ucwa.EventOptions
		types   []string
		asked   []string
		problem string // "" if the loop is left after the last event
	}{
		{name: "in the order served", answers: map[string]string{
			"ack=1": events("next", "ack=2", "a", "b", "c"),
			"ack=2": events("next", "ack=3", "d"),
		}, types: []string{"a", "b", "c", "d"}, asked: []string{"ack=1", "ack=2"}},
		{name: "time-outs are passed over", answers: map[string]string{
			"ack=1": events("next", "ack=2"),
			"ack=2": `{"_links":{"next":{"href":"/events?ack=3"}}}`,
			"ack=3": events("next", "ack=4", "a"),
		}, types: []string{"a"}, asked: []string{"ack=1", "ack=2", "ack=3"}},
		{name: "resync", answers: map[string]string{
			"ack=1": `{"_links":{"self":{"href":"/events?ack=1"},"resync":{"href":"/events?ack=7"}}}`,
			"ack=7": events("next", "ack=8", "a"),
		}, types: []string{"a"}, asked: []string{"ack=1", "ack=7"}},
		{name: "resume", answers: map[string]string{
			"ack=1": events("resume", "ack=5", "a"),
			"ack=5": events("next", "ack=6", "b"),
		}, types: []string{"a", "b"}, asked: []string{"ack=1", "ack=5"}},
		{name: "options are sent once", answers: map[string]string{
			"ack=1&low=5&timeout=180": events("next", "ack=2", "a"),
			"ack=2":                   events("next", "ack=3", "b"),
		}, options: ucwa.EventOptions{Low: 5 * time.Second, Timeout: 3 * time.Minute},
			types: []string{"a", "b"}, asked: []string{"ack=1&low=5&timeout=180", "ack=2"}},
		{name: "replaced by another pending GET", answers: map[string]string{
			"ack=1": events("next", "ack=2", "a", "b"),
			"ack=2": replaced,
		}, types: []string{"a", "b"}, asked: []string{"ack=1", "ack=2"}, problem: "/events?ack=2: 409 Conflict: Conflict/PGetReplaced"},
		{name: "replaced at once", answers: map[string]string{"ack=1": replaced},
			asked: []string{"ack=1"}, problem: "/events?ack=1: 409 Conflict: Conflict/PGetReplaced"},
		{name: "no event package", answers: map[string]string{
			"ack=1": events("next", "ack=2", "a"),
			"ack=2": "<html>",
		}, types: []string{"a"}, asked: []string{"ack=1", "ack=2"}, problem: "/events?ack=2: 200, but the body is no event package: not JSON"},
		{name: "the channel leads away", answers: map[string]string{
			"ack=1": `{"_links":{"next":{"href":"https://evil.com/events?ack=2"}}}`,
		}, asked: []string{"ack=1"}, problem: "the next link leads to https://evil.com/events?ack=2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := openChannel(t, test.answers)
			n := len(test.types)
			if test.problem != "" {
				n++ // what comes next must be the error
			}
			types, err := c.collect(t.Context(), n, test.options)
			if !slices.Equal(types, test.types) {
				t.Errorf("got the events %q, want %q", types, test.types)
			}
			if test.problem == "" && err != nil || !strings.Contains(message(err), test.problem) {
				t.Errorf("got the error %v, want %q", err, test.problem)
			}
			if strings.Contains(test.problem, ucwa.SubcodePGetReplaced) && !ucwa.HasSubcode(err, ucwa.SubcodePGetReplaced) {
				t.Errorf("%v has not the subcode", err)
			}
			for _, want := range test.asked {
				if got := receive(t, c.asked, "a pending GET"); got != want {
					t.Errorf("the server was asked %s, want %s", got, want)
				}
			}
			if test.problem != "" && len(c.asked) > 0 {
				t.Errorf("after the error the server was asked %s", <-c.asked)
			}
		})
	}
}

func TestEventsYieldsAnErrorLast(t *testing.T) {
	c := openChannel(t, map[string]string{"ack=1": `{"code":"NotFound"}`})
	yields := 0
	for event, err := range c.Events(t.Context(), c.link, ucwa.EventOptions{}) {
		yields++
		if err == nil || !reflect.DeepEqual(event, ucwa.Event{}) {
			t.Errorf("got %+v, %v", event, err)
		}
	}
	if yields != 1 {
		t.Errorf("%d turns, want one", yields)
	}
}

// The loop's body waits for the next pending GET: were that sent after the
// events have been worked on only, it would wait in vain.
func TestEventsAsksBeforeEventsAreWorkedOn(t *testing.T) {
	c := openChannel(t, map[string]string{"ack=1": events("next", "ack=2", "a", "b")})
	for _, err := range c.Events(t.Context(), c.link, ucwa.EventOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got := receive(t, c.asked, "the first pending GET"); got != "ack=1" {
			t.Errorf("first %s", got)
		}
		if got := receive(t, c.asked, "the next pending GET"); got != "ack=2" {
			t.Errorf("then %s", got)
		}
		break
	}
}

// However a loop is left: the pending GET is given up and no goroutine stays.
func TestEventsLeavesNothingBehind(t *testing.T) {
	held := map[string]string{"ack=1": events("next", "ack=2", "a", "b")}
	waiting := map[string]string{"ack=1": events("next", "ack=2", "a"), "ack=2": events("next", "ack=3", "b")}
	for _, test := range []struct {
		name    string
		answers map[string]string
		leave   func(t *testing.T, c channel)
	}{
		{"break while the next GET is held", held, func(t *testing.T, c channel) {
			for range c.Events(t.Context(), c.link, ucwa.EventOptions{}) {
				for receive(t, c.asked, "a pending GET") != "ack=2" {
				}
				break
			}
			receive(t, c.released, "the end of the pending GET")
		}},
		{"break at once", held, func(t *testing.T, c channel) {
			for range c.Events(t.Context(), c.link, ucwa.EventOptions{}) {
				break
			}
		}},
		{"break while the next package waits", waiting, func(t *testing.T, c channel) {
			for range c.Events(t.Context(), c.link, ucwa.EventOptions{}) {
				for receive(t, c.asked, "a pending GET") != "ack=2" {
				}
				break
			}
		}},
		{"return", held, func(t *testing.T, c channel) { c.collect(t.Context(), 1, ucwa.EventOptions{}) }},
		{"panic", held, func(t *testing.T, c channel) {
			defer func() { recover() }()
			for range c.Events(t.Context(), c.link, ucwa.EventOptions{}) {
				panic("in the loop")
			}
		}},
		{"error", map[string]string{"ack=1": "<html>"}, func(t *testing.T, c channel) { c.collect(t.Context(), 1, ucwa.EventOptions{}) }},
		{"context ends while the GET is held", nil, func(t *testing.T, c channel) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				_, err := c.collect(ctx, 1, ucwa.EventOptions{})
				ended <- err
			}()
			receive(t, c.asked, "the pending GET")
			cancel()
			if err := receive(t, ended, "the loop"); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}},
		{"context ends in the loop", held, func(t *testing.T, c channel) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var last error
			turns := 0
			for _, err := range c.Events(ctx, c.link, ucwa.EventOptions{}) {
				cancel()
				last = err
				turns++
			}
			if turns != 3 || !errors.Is(last, context.Canceled) { // what had come is not lost
				t.Errorf("%d turns, at last %v; want 2 events and the error", turns, last)
			}
		}},
		{"context ended before", held, func(t *testing.T, c channel) {
			ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
			defer cancel()
			if _, err := c.collect(ctx, 1, ucwa.EventOptions{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if len(c.asked) > 0 {
				t.Error("the server was asked")
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			c := openChannel(t, test.answers)
			var under underWay
			under.RoundTripper, c.HTTP = c.HTTP.Transport, &http.Client{Transport: &under}
			test.leave(t, c)
			if n := under.Load(); n > 0 {
				t.Errorf("the loop was left with %d requests under way", n)
			}
			c.server.Close() // waits for every request, and ends the connections of both sides
			goleak.VerifyNone(t, before)
		})
	}
}

// underWay counts the requests that its transport is at work on.
type underWay struct {
	http.RoundTripper
	atomic.Int32
}

func (u *underWay) RoundTrip(r *http.Request) (*http.Response, error) {
	u.Add(1)
	defer u.Add(-1)
	return u.RoundTripper.RoundTrip(r)
}

func TestEventsBeginsAnewWithEachLoop(t *testing.T) {
	c := openChannel(t, map[string]string{"ack=1&low=5": events("next", "ack=2", "a")})
	sequence := c.Events(t.Context(), c.link, ucwa.EventOptions{Low: 5 * time.Second})
	for range 2 {
		for _, err := range sequence {
			if err != nil {
				t.Fatal(err)
			}
			if got := receive(t, c.asked, "the first pending GET"); got != "ack=1&low=5" {
				t.Errorf("the loop begins with %s", got)
			}
			if got := receive(t, c.asked, "the next pending GET"); got != "ack=2" {
				t.Errorf("it goes on with %s", got)
			}
			break
		}
	}
}

func TestClientIsSafeForSeveralGoroutines(t *testing.T) {
	server, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		answer(fmt.Sprintf(`{"path":%q}`, r.URL.Path))(w, r)
	})
	app := resource(t, server, `{"_links":{"0":{"href":"/0"},"1":{"href":"/1"},"2":{"href":"/2"},"3":{"href":"/3"}}}`)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			rel := fmt.Sprint(i % 4)
			r, err := client.Get(t.Context(), app.Link(rel))
			if err != nil || r.String("path") != "/"+rel {
				t.Errorf("%s: got %+v, %v", rel, r, err)
			}
		})
	}
	all.Wait()
}
