package ucwatest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestFrame holds how the page is served; what it does, cmd/conform tries in a browser.
func TestFrame(t *testing.T) {
	frames := []string{"/Autodiscover/XFrame/XFrame.html", "/autodiscover/xframe/xframe.html", "/xframe", "/XFrame"}
	for _, w := range []*world{newWorld(t), signInWorld(t, ucwatest.SignIn{Pool: pool})} {
		for _, path := range frames {
			r := w.get(web+path, "", "Accept", "text/html").wants(200)
			script, _, _ := strings.Cut(after(r.Body.String(), "<script>"), "</script>")
			sum := sha256.Sum256([]byte(script))
			for name, want := range map[string]string{
				"Content-Type":           "text/html; charset=utf-8",
				"Cache-Control":          "public, max-age=3600",
				"X-Content-Type-Options": "nosniff",
				"Referrer-Policy":        "same-origin",
				"Content-Security-Policy": "default-src 'none'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
					"'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *",
			} {
				if got := r.Header().Get(name); got != want {
					t.Errorf("%s: %s %q, want %q", path, name, got, want)
				}
			}
			if strings.Contains(r.Body.String(), "contoso") || !strings.Contains(script, "addEventListener") {
				t.Errorf("%s: %s", path, r.Body)
			}
			if r := w.send(request("POST", web+path, "", "")).wants(405); r.Header().Get("Allow") != "GET" {
				t.Errorf("%s: Allow %q", path, r.Header().Get("Allow"))
			}
			w.get(web+path, "", "X-Ms-Origin", origin).wants(200)
			w.get(web+path, "", "X-Ms-Origin", "http://evil.example").wants(403)
		}
		w.get(web+"/xframe/", "").wants(404)
	}
}

// TestForeignPage holds that a page which is not listed is told nothing, least of all a token: a browser could sign in
// to Windows for it, unasked. Without a token it gets no further than a challenge.
func TestForeignPage(t *testing.T) {
	w := signInWorld(t, ucwatest.SignIn{FrontEndUser: "X-Front-End-User"})
	foreign := []string{"X-Ms-Origin", "http://evil.example", "X-Front-End-User", `CONTOSO\dana`}
	for _, r := range []*reply{
		w.form(web, url.Values{"grant_type": {"urn:microsoft.rtc:windows"}}, foreign...),
		w.form(web, url.Values{"grant_type": {"password"}, "username": {"dana@contoso.com"}, "password": {"pass"}}, foreign...),
		w.get(web+userPath, "", foreign...),
		w.get(web+rootPath, "", foreign...),
		w.get(web+root, w.signIn(web), foreign...),
	} {
		r.wants(403, "Forbidden")
		if said := r.Header().Get("X-Ms-Diagnostics"); !strings.HasSuffix(said, `;reason="Service does not allow a cross domain request from this origin."`) {
			t.Errorf("%s: X-Ms-Diagnostics %q", r.asked, said)
		}
		if strings.Contains(r.Body.String(), "cwt") || r.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %s %s", r.asked, r.Header(), r.Body)
		}
	}
	w.get(web+root, "", foreign...).wants(401)
}

func after(s, separator string) string { _, rest, _ := strings.Cut(s, separator); return rest }
