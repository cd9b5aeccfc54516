//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest/peers"
)

// The pages: an application whose origin the server lists, and one of somebody else's.
const (
	appOrigin  = "https://app.contoso.com"
	evilOrigin = "https://evil.example"
)

// pages are those of other origins, and a server that they speak to through its frames.
type pages struct {
	*testing.T
	server  *ucwatest.Running
	web     *ucwatest.Running
	trusted [][]byte // certificates, in PEM
	token   string   // of Dana's

	mu   sync.Mutex
	seen []string // the URLs that the server was asked for
}

func newPages(t *testing.T) *pages {
	t.Helper()
	p := &pages{T: t}
	names := 10120000000
	server := ucwatest.New(ucwatest.Config{
		Host:        poolHost,
		Origins:     []string{appOrigin},
		Aggregation: 20 * time.Millisecond, // the answer to the POST comes before the event
		SignIn:      &ucwatest.SignIn{Pool: "https://" + poolHost},
		IDs:         func() string { names++; return fmt.Sprint(names) },
	})
	p.token = server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Email: "dana@contoso.com", Password: danasPassword})
	quiet := log.New(io.Discard, "", 0)
	mux := http.NewServeMux()
	released, answered := make(chan struct{}), make(chan struct{})
	mux.HandleFunc("/held", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-released:
			fmt.Fprint(w, "secret")
			_ = http.NewResponseController(w).Flush()
			close(answered)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/release", func(http.ResponseWriter, *http.Request) { close(released); <-answered })
	mux.HandleFunc("/broken", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+webHost+"/elsewhere", http.StatusTemporaryRedirect)
	})
	mux.Handle("/", server)
	var err error
	p.server, err = ucwatest.StartTLS(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.seen = append(p.seen, "https://"+r.Host+r.URL.RequestURI())
		p.mu.Unlock()
		mux.ServeHTTP(&chunking{ResponseWriter: w}, r)
	}), ucwatest.Options{Hosts: []string{externalHost, poolHost, webHost}, ErrorLog: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.server.Close)
	p.web, err = ucwatest.StartTLS(http.FileServer(http.Dir("testdata/browser")), ucwatest.Options{Hosts: []string{"app.contoso.com", "evil.example"}, ErrorLog: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.web.Close)
	p.trusted = [][]byte{p.server.Certificate, p.web.Certificate}
	return p
}

// asked tells whether the server was asked for a URL, if only whether it may be.
func (p *pages) asked(url string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.seen, url)
}

// chunking sends what is compressed in chunks, as IIS does.
type chunking struct{ http.ResponseWriter }

func (w *chunking) WriteHeader(status int) {
	compressed := w.Header().Get("Content-Encoding") != ""
	if compressed {
		w.Header().Del("Content-Length")
	}
	w.ResponseWriter.WriteHeader(status)
	if compressed {
		_ = http.NewResponseController(w.ResponseWriter).Flush() // or the length would be told after all
	}
}

func (w *chunking) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func hostPort(running *ucwatest.Running) string { return strings.TrimPrefix(running.URL, "https://") }

// browse starts Chromium, which knows the hosts of the test and the keys of its certificates, and no others: what these
// flags do not name is refused as in any browser. It ends with the test.
func (p *pages) browse(t *testing.T, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	rules := fmt.Sprintf("MAP app.contoso.com:443 %[1]s, MAP evil.example:443 %[1]s, MAP %[3]s:443 %[2]s, MAP %[4]s:443 %[2]s, MAP %[5]s:443 %[2]s, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		hostPort(p.web), hostPort(p.server), externalHost, poolHost, webHost)
	var keys []string
	for _, certificate := range p.trusted {
		keys = append(keys, peers.PublicKey(t, certificate))
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(peers.Chromium(t)),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("lang", "en-US"),
		chromedp.Flag("host-resolver-rules", rules),
		chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(keys, ",")),
	}
	allocator, end := chromedp.NewExecAllocator(t.Context(), append(options, flags...)...)
	t.Cleanup(end)
	browser, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	ctx, end := context.WithTimeout(browser, time.Minute)
	t.Cleanup(end)
	if err := chromedp.Do(browser); err != nil { // without a deadline: that would be the browser's own
		t.Fatal(err)
	}
	return ctx
}

// exceptions fails the test for each that a page, or a frame in it, does not catch.
func exceptions(t *testing.T, ctx context.Context) {
	t.Helper()
	err := chromedp.Listen(ctx, func(event any) {
		if thrown, is := event.(*runtime.EventExceptionThrown); is {
			t.Errorf("thrown: %v", thrown.ExceptionDetails)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// in opens a page, unless it is "", and returns what a script in it comes to, which may be a promise.
func in[T any](t *testing.T, ctx context.Context, page, script string) (result T) {
	t.Helper()
	var err error
	if page != "" {
		err = chromedp.Do(ctx, chromedp.Navigate(page))
	}
	if err == nil {
		result, err = chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, script)
	}
	return result
}

// answer is what a frame posts.
type answer struct {
	Status       int    `json:"status"`
	StatusText   string `json:"statusText"`
	ResponseText string `json:"responseText"`
	Headers      string `json:"headers"`
}

// TestBrowser tries the frame of the reference server in a browser.
func TestBrowser(t *testing.T) {
	slow(t)
	p := newPages(t)
	ctx := p.browse(t)
	exceptions(t, ctx)

	t.Run("sets presence", func(t *testing.T) {
		told := in[[]string](t, ctx, appOrigin+"/app.html", `setPresence("contoso.com", "dana@contoso.com", "`+danasPassword+`", "Busy")`)
		if s := strings.Join(told, ", "); !strings.Contains(s, "me: presence updated") || !strings.Contains(s, "availability: Busy") {
			t.Errorf("told %s", s)
		}
	})
	t.Run("answers", func(t *testing.T) {
		// What each message is answered with: status, name, and a part of the text.
		const pool = "https://" + poolHost
		const root = pool + "/Autodiscover/AutodiscoverService.svc/root"
		in[bool](t, ctx, appOrigin+"/app.html", `frameAt("`+pool+`/Autodiscover/XFrame/XFrame.html").then(ask => { globalThis.ask = ask; return true; })`)
		for _, tt := range []struct{ name, message, want string }{
			{"a resource", `{type: "GET", url: "` + root + `", headers: {Accept: "application/json"}}`, `200 success {"_links":`},
			{"the frame itself", `{type: "GET", url: "` + pool + `/xframe", headers: {Accept: "text/html"}}`, "200 success <!DOCTYPE html>"},
			{"a refusal", `{type: "POST", url: "` + pool + `/ucwa/oauth/v1/applications"}`, `401 Unauthorized <!DOCTYPE html>`},
			{"accepts", `{type: "GET", url: "` + root + `", accepts: "text/html"}`, `406 Not Acceptable {"code"`},
			{"Accept before accepts", `{type: "GET", url: "` + root + `", accepts: "text/html", headers: {accept: "*/*"}}`, `200 success {"_links":`},
			{"contentType", `{type: "POST", url: "` + pool + `/WebTicket/oauthtoken", data: "grant_type=x", contentType: "application/x-www-form-urlencoded"}`, `400 Bad Request {"error":"unsupported_grant_type"`},
			{"no contentType", `{type: "POST", url: "` + pool + `/WebTicket/oauthtoken", data: "grant_type=x"}`, `400 Bad Request {"error":"invalid_request"`},
			{"all that may be said", `{type: "GET", url: "` + root + `", headers: {}, data: null, accepts: "*/*", contentType: "text/plain", cache: true, processData: false, xhrFields: {withCredentials: true, responseType: "blob"}}`, `200 success {"_links":`},
			{"another origin in the headers", `{type: "GET", url: "` + root + `", headers: {"x-MS-origin": "` + evilOrigin + `", "X-Ms-Origin": "x"}}`, `200 success {"_links":`},
			{"a connection that breaks", `{type: "GET", url: "` + pool + `/broken"}`, "0 error "},
			{"an impatient page", `{type: "GET", url: "` + pool + `/held", xhrFields: {timeout: 1}}`, "0 error "},
			{"another host", `{type: "GET", url: "https://` + webHost + `/elsewhere"}`, "0 error "},
			{"a redirect to another host", `{type: "GET", url: "` + pool + `/redirect"}`, "0 error "},
			{"plain http", `{type: "GET", url: "http://` + poolHost + `/elsewhere"}`, "0 error "},
			{"another port", `{type: "GET", url: "https://` + poolHost + `:8443/elsewhere"}`, "0 error "},
			{"a user in the URL", `{type: "GET", url: "https://dana:x@` + poolHost + `/elsewhere"}`, "0 error "},
			{"a path", `{type: "GET", url: "/elsewhere"}`, "0 error "},
			{"a script", `{type: "GET", url: "javascript:alert(1)"}`, "0 error "},
			{"no URL", `{type: "GET"}`, "0 error "},
			{"a URL that is a number", `{type: "GET", url: 7}`, "0 error "},
			{"no method", `{url: "` + root + `"}`, "0 error "},
			{"a method that is none", `{type: "GET /", url: "` + root + `"}`, "0 error "},
			{"a method that pages may not use", `{type: "TRACE", url: "` + root + `"}`, "0 error "},
			{"headers that are a list", `{type: "GET", url: "` + root + `", headers: ["Accept"]}`, "0 error "},
			{"a header that is none", `{type: "GET", url: "` + root + `", headers: {"A b": "c"}}`, "0 error "},
			{"a header of two lines", `{type: "GET", url: "` + root + `", headers: {Accept: "a\r\nX-Ms-Origin: b"}}`, "0 error "},
			{"a body that is an object", `{type: "POST", url: "` + root + `", data: {a: 1}}`, "0 error "},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a := in[answer](t, ctx, "", "ask("+tt.message+")")
				if got := fmt.Sprintf("%d %s %s", a.Status, a.StatusText, a.ResponseText); !strings.HasPrefix(got, tt.want) || strings.HasPrefix(tt.want, "0") && got != tt.want {
					t.Errorf("answered %.200q, expected %q", got, tt.want)
				}
				if (a.Headers == "") != (a.Status == 0) {
					t.Errorf("headers %q", a.Headers)
				}
			})
		}
		for _, host := range []string{webHost, poolHost} {
			if p.asked("https://" + host + "/elsewhere") {
				t.Errorf("%s was asked by the frame of another origin", host)
			}
		}
	})
	t.Run("headers", func(t *testing.T) {
		a := in[answer](t, ctx, appOrigin+"/app.html", `frameAt("https://`+poolHost+`/xframe").then(ask => ask({type: "GET", url: "https://`+poolHost+`/"}))`)
		for line := range strings.SplitSeq(strings.TrimSuffix(a.Headers, "\r\n"), "\r\n") {
			if name, value, found := strings.Cut(line, ": "); !found || name != strings.ToLower(name) || value == "" {
				t.Errorf("a line of headers is %q", line)
			}
		}
		if !strings.Contains(a.Headers, "x-ms-server-fqdn: "+poolHost+"\r\n") {
			t.Errorf("headers %q", a.Headers)
		}
	})
	t.Run("messageId", func(t *testing.T) {
		got := in[[]any](t, ctx, appOrigin+"/app.html", `frameAt("https://`+poolHost+`/xframe").then(ask => new Promise(resolve => {
			const ids = [0, -1.5, "", "é\u2028", null, true, false, [1, [2]], {a: {b: null}}, {__proto__: null, x: 1}];
			const got = [];
			addEventListener("message", ({data}) => {
				got.push(JSON.parse(data).messageId);
				if (got.length === ids.length) {
					resolve(ids.map(id => got.some(other => JSON.stringify(other) === JSON.stringify(id))));
				}
			});
			ids.forEach(messageId => ask.window.postMessage(JSON.stringify({type: "GET", url: "https://`+poolHost+`/", messageId}), "*"));
		}))`)
		if d := cmp.Diff([]any{true, true, true, true, true, true, true, true, true, true}, got); d != "" {
			t.Errorf("not all came back: %s", d)
		}
		got = in[[]any](t, ctx, appOrigin+"/app.html", `frameAt("https://`+poolHost+`/xframe").then(ask => new Promise(resolve => {
			addEventListener("message", ({data}) => resolve(["messageId" in JSON.parse(data)]));
			ask.window.postMessage(JSON.stringify({type: "GET", url: "https://`+poolHost+`/"}), "*");
		}))`)
		if d := cmp.Diff([]any{false}, got); d != "" {
			t.Errorf("none was sent, and one came back")
		}
	})
	t.Run("garbage", func(t *testing.T) {
		// No answer comes to any of these, and one to what is asked after them. A messageId nested deeply may come
		// back, and must not throw.
		got := in[[]string](t, ctx, appOrigin+"/app.html", `frameAt("https://`+poolHost+`/xframe").then(async ask => {
			const came = [];
			addEventListener("message", ({data}) => came.push(data));
			const deep = "[".repeat(200000) + "]".repeat(200000);
			for (const garbage of ["", "{", "null", "7", "[]", '"GET"', "\u0000", "[".repeat(500000), "undefined", undefined, null, 7, {type: "GET"}, [], ['{"type":"GET"}'], new Blob(["x"]),
				'{"messageId":' + deep + "}", '{"type":"GET","url":"https://`+poolHost+`/","messageId":' + deep + "}"]) {
				ask.window.postMessage(garbage, "*");
			}
			await ask({type: "GET", url: "https://`+poolHost+`/"});
			return came.filter(data => data.length < 100000 && !data.includes('"messageId":2'));
		})`)
		if len(got) > 0 {
			t.Errorf("answered %.500q", got)
		}
	})
	t.Run("foreign origin", func(t *testing.T) {
		in[bool](t, ctx, evilOrigin+"/app.html", `frameAt("https://`+poolHost+`/xframe").then(ask => { globalThis.ask = ask; return true; })`)
		for _, headers := range []string{"", `"X-Ms-Origin": "` + appOrigin + `"`, `"x-ms-origin": "` + appOrigin + `", Origin: "` + appOrigin + `", Referer: "` + appOrigin + `"`} {
			for _, path := range []string{"/", "/xframe", "/Autodiscover/AutodiscoverService.svc/root/oauth/user", "/ucwa/oauth/v1/applications", "/WebTicket/oauthtoken"} {
				a := in[answer](t, ctx, "", `ask({type: "POST", url: "https://`+poolHost+path+`",
					headers: {Authorization: "Bearer `+p.token+`", `+headers+`}, data: "grant_type=password&username=dana%40contoso.com&password=`+danasPassword+`", contentType: "application/x-www-form-urlencoded"})`)
				const nothing = `{"code":"Forbidden","message":"The origin is not on the allow list."}`
				if a.Status != 403 || a.StatusText != "Forbidden" || a.ResponseText != nothing ||
					!strings.Contains(strings.ToLower(a.Headers), `x-ms-diagnostics: 28070;source="`+poolHost+`";reason="service does not allow a cross domain request from this origin."`) {
					t.Errorf("%s %s: %+v", path, headers, a)
				}
			}
		}
	})
	t.Run("sandbox", func(t *testing.T) {
		// A page without an origin cannot be answered but at *, which is to answer anybody.
		got := in[[]string](t, ctx, appOrigin+"/app.html", `frameAt("https://`+poolHost+`/xframe").then(async ask => {
			const box = document.createElement("iframe");
			box.sandbox = "allow-scripts";
			const came = [];
			addEventListener("message", ({data, source}) => { if (source === box.contentWindow) came.push(data); });
			box.srcdoc = '<script>addEventListener("message", ({data}) => parent.postMessage("told " + data, "*"));' +
				'parent.frames[0].postMessage(JSON.stringify({type: "GET", url: "https://`+poolHost+`/sandbox"}), "*"); parent.postMessage("asked", "*")</scr' + 'ipt>';
			document.body.append(box);
			while (came.length === 0) { await ask({type: "GET", url: "https://`+poolHost+`/"}); }
			await ask({type: "GET", url: "https://`+poolHost+`/"});
			return came;
		})`)
		if d := cmp.Diff([]string{"asked"}, got); d != "" || p.asked("https://"+poolHost+"/sandbox") {
			t.Errorf("in the sandbox: %s", d)
		}
	})
	t.Run("another window", func(t *testing.T) {
		// While a window waits for its answer, somebody else's page comes to be in it: that is told nothing, and nor
		// is the page around it.
		got := in[[]string](t, ctx, appOrigin+"/app.html", `frameAt("https://`+poolHost+`/xframe").then(async ask => {
			const came = [];
			const inner = document.createElement("iframe");
			addEventListener("message", ({data, source}) => { if (source === inner.contentWindow || data.includes("secret")) came.push(data); });
			inner.src = "inner.html";
			await new Promise(loaded => { inner.onload = loaded; document.body.append(inner); });
			inner.contentWindow.ask(ask.window, "https://`+poolHost+`/held");
			await new Promise(loaded => { inner.onload = loaded; inner.src = "`+evilOrigin+`/inner.html"; });
			inner.contentWindow.postMessage("hello", "*");
			while (came.length === 0) { await ask({type: "GET", url: "https://`+poolHost+`/"}); }
			await ask({type: "GET", url: "https://`+poolHost+`/release"});
			await ask({type: "GET", url: "https://`+poolHost+`/"});
			return came;
		})`)
		if d := cmp.Diff([]string{"told hello"}, got); d != "" {
			t.Errorf("in the window: %s", d)
		}
	})
}

// TestBrowserDistrusts holds that a certificate which the test does not name is refused: no warning was switched off.
func TestBrowserDistrusts(t *testing.T) {
	slow(t)
	p := newPages(t)
	var err error
	if p.server, err = ucwatest.StartTLS(http.NotFoundHandler(), ucwatest.Options{Hosts: []string{poolHost}, ErrorLog: log.New(io.Discard, "", 0)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.server.Close)
	err = chromedp.Do(p.browse(t), chromedp.Navigate("https://"+poolHost+"/"))
	if err == nil || !strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
}
