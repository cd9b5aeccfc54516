package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// startBrowser starts Chromium, with a script engine or without.
func startBrowser(t *testing.T, script bool) context.Context {
	t.Helper()
	program := peer(t, "chromium", "chromium-browser", "google-chrome", "chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.Flag("ignore-certificate-errors", true), chromedp.WindowSize(1000, 900))
	if !script {
		options = append(options, chromedp.Flag("blink-settings", "scriptEnabled=false"))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// hostile is the name of a client that wants more than to be shown.
const hostileAgent = `<script>document.title="owned"</script><img/src=x>`

// TestServePageInBrowser: a person sees clients come, with a script and without; what
// clients send is shown and does nothing; and the person is no client.
func TestServePageInBrowser(t *testing.T) {
	slow(t)
	for name, script := range map[string]bool{"script": true, "no script": false} {
		t.Run(name, func(t *testing.T) {
			ctx := startBrowser(t, script)
			h := startHost(t, func(config *hostConfig) { config.page = "local" })
			base := "https://" + strings.Replace(h.address, "127.0.0.1", "localhost", 1)
			if err := chromedp.Do(ctx, chromedp.Navigate(base+"/"), chromedp.WaitVisible(chromedp.CSS(".empty"))); err != nil {
				t.Fatal(err)
			}
			path, err := chromedp.Run(ctx, chromedp.Location())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(path, pagePath) {
				t.Errorf("the browser is at %s, expected %s", path, pagePath)
			}
			p := plainClient{transport: h.transport(t), user: builtIn, agent: hostileAgent}
			h.given(t, &p)
			if err := p.work(t.Context()); err != nil {
				t.Fatal(err)
			}
			// Nobody asks the page for it: it changes by itself.
			if err := chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#client-1"))); err != nil {
				t.Fatal(err)
			}
			title, err := chromedp.Run(ctx, chromedp.Title())
			if err != nil {
				t.Fatal(err)
			}
			text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("main")))
			if err != nil {
				t.Fatal(err)
			}
			if title != "conform serve" || !strings.Contains(text, "<script>document.title") || !strings.Contains(text, "Dana Birkby") {
				t.Errorf("title %q, text:\n%s", title, text)
			}
			if strings.Contains(text, p.token) || strings.Contains(text, "cwt=") {
				t.Error("the page shows a token")
			}
			if axe, err := os.ReadFile(os.Getenv("CONFORM_AXE")); err == nil && script {
				if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](string(axe))); err != nil {
					t.Fatal(err)
				}
				found, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ['violations']}).then(all => JSON.stringify(all.violations.map(v => [v.id, v.help, v.nodes[0].html])))`, chromedp.EvalAwaitPromise))
				if err != nil || found != "[]" {
					t.Errorf("axe-core finds %s, %v", found, err)
				}
			}
			h.end()
			if n := len(h.journal.list()); n != 1 || len(h.journal.strangers()) > 0 {
				t.Errorf("%d clients and %v, expected the one", n, h.journal.strangers())
			}
		})
	}
}

// TestServePicture makes the picture of docs/serve.md anew, in the directory CONFORM_PICTURES.
func TestServePicture(t *testing.T) {
	dir := os.Getenv("CONFORM_PICTURES")
	if dir == "" {
		t.Skip("CONFORM_PICTURES names no directory")
	}
	ctx := startBrowser(t, true)
	h := startHost(t, func(config *hostConfig) { config.page = "local" })
	p := plainClient{transport: h.transport(t), user: builtIn, agent: "Board/1.0"}
	h.given(t, &p)
	if err := p.work(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate("https://"+strings.Replace(h.address, "127.0.0.1", "localhost", 1)+pagePath))
	if err != nil {
		t.Fatal(err)
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "serve.png"), png, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestServePageApart: the page is at a path of its own, for those who may look, and no
// UCWA client gets it, whatever that accepts.
func TestServePageApart(t *testing.T) {
	h := startHost(t, func(config *hostConfig) { config.page = "local" })
	transport := h.transport(t)
	for _, c := range []struct {
		path, host string
		header     http.Header
		status     int
		contains   string
	}{
		{"/", "localhost", http.Header{"Accept": {"application/json"}}, 200, `"user"`},
		{"/", "localhost", http.Header{"Accept": {"text/html"}}, 406, "NotAcceptable"},
		{"/", "localhost", http.Header{"Accept": {"text/html"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}}, 406, "NotAcceptable"},
		{"/", "localhost", http.Header{"Accept": {"text/html"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}, 302, ""},
		{"/conform/", "localhost", nil, 200, "<h1>conform serve</h1>"},
		{"/conform/page.css", "127.0.0.1", nil, 200, ":root"},
		{"/conform/page.html.tmpl", "localhost", nil, 404, ""},
		{"/conform/", "elsewhere.example", nil, 403, "--page any"}, // a name that somebody let lead here
	} {
		r, err := http.NewRequest(http.MethodGet, "https://"+c.host+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.header != nil {
			r.Header = c.header
		}
		res, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != c.status || !strings.Contains(string(body), c.contains) {
			t.Errorf("%s on %s with %v: %s, expected %d with %q\n%s", c.path, c.host, c.header, res.Status, c.status, c.contains, body)
		}
		if res.StatusCode == 200 && strings.HasPrefix(c.path, pagePath) && !strings.HasPrefix(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s has the policy %q", c.path, res.Header.Get("Content-Security-Policy"))
		}
	}
}

// TestServePageTalks: who talks to whom is shown while it goes on, and what they call it does nothing.
func TestServePageTalks(t *testing.T) {
	h := startHost(t, func(config *hostConfig) {
		config.page = "local"
		config.users = append(config.users, scripted("silent", "contoso.com"))
	})
	p := plainClient{user: builtIn}
	h.given(t, &p)
	transport := h.transport(t)
	ask := func(method, path, body string, status int) string {
		t.Helper()
		r, err := http.NewRequest(method, "https://localhost"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+p.token)
		r.Header.Set("Content-Type", "application/json")
		res, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		content, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != status {
			t.Fatalf("%s %s: %s, %v", method, path, res.Status, err)
		}
		return string(content)
	}
	if page := ask("GET", pagePath, "", 200); strings.Contains(page, "Conversation") {
		t.Error("there is a conversation before anybody talks")
	}
	ask("POST", p.href+"/communication/startMessaging", `{"to":"sip:silent@contoso.com","subject":"<script>x</script>"}`, 201)
	ask("POST", p.href+"/communication/startOnlineMeeting", `{"subject":"Plans"}`, 201)
	page := ask("GET", pagePath, "", 200)
	for _, want := range []string{"Conversation “&lt;script&gt;x&lt;/script&gt;”", "Meeting “Plans”", "Silent <span class=\"quiet\">Incoming", "Dana Birkby <span class=\"quiet\">Conferenced, Leader"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
}
