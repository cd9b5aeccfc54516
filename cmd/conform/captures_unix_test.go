//go:build unix

package main

import (
	"flag"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest/peers"
)

var update = flag.Bool("update", false, "write the recording of a browser anew")

// session has the application set presence in a browser, and saves what DevTools saw of it.
func (p *pages) session(t *testing.T, flags ...chromedp.ExecAllocatorOption) (har string) {
	t.Helper()
	ctx := p.browse(t, flags...)
	d := record(t, ctx)
	in[[]string](t, ctx, appOrigin+"/app.html", `setPresence("contoso.com", "dana@contoso.com", "`+danasPassword+`", "Busy")`)
	har = filepath.Join(t.TempDir(), "devtools.har")
	d.save(t, ctx, har)
	return har
}

//go:generate go test -count=1 -run ^TestBrowserRecording$ . -update

// TestBrowserRecording holds that a session in a browser today is judged as the embedded recording of one. With -update
// it makes that anew: times, and what the browser calls itself, are then those of the day.
func TestBrowserRecording(t *testing.T) {
	slow(t)
	const recording = "../../cassettes/" + browserRecording + ".yaml"
	har := newPages(t).session(t)
	file := filepath.Join(t.TempDir(), "imported.yaml")
	if output, err := exec.Command("conform", "import", har, "--out", file, "--keep-names").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if *update {
		c, err := cassettes.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		c.Provenance.Kind, c.Provenance.Server = "reference", "ucwatest"
		c.Provenance.Source = "conform's own reference server, with a browser application in Chromium, by DevTools"
		if err := c.Save(recording); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(judged(t, exitIncomplete, "check", recording), judged(t, exitIncomplete, "check", file)); d != "" {
		t.Errorf("the embedded recording (-) and a browser today (+) are judged differently:\n%s\nlook at the difference after\n\tgo generate ./cmd/conform", d)
	}
}

// TestCapturedThreeWays holds that a session is judged the same by what the browser captured, by what a proxy captured,
// and by the bytes of the wire in Fiddler's archive.
func TestCapturedThreeWays(t *testing.T) {
	slow(t)
	p := newPages(t)
	dir := t.TempDir()
	har, saz := filepath.Join(dir, "proxy.har"), filepath.Join(dir, "session.saz")
	proxy := peers.Mitmproxy{Server: hostPort(p.server), Trust: p.server.Certificate, Addon: "testdata/browser/capture.py", Set: []string{"domain=.contoso.com", "har=" + har, "saz=" + saz}}
	address := proxy.Start(t)
	p.trusted = append(p.trusted, proxy.Certificate)
	devtools := p.session(t, chromedp.Flag("proxy-server", address), chromedp.Flag("proxy-bypass-list", "app.contoso.com"))
	proxy.End()

	want := judged(t, exitIncomplete, "check", devtools) // nobody asked for the refusals
	for _, id := range []string{"x-ms-origin", "x-requested-with", "referer", "authorization", "host", "content-length", "user-agent"} {
		if id = "set-presence.request." + id; want[id] != reports.Pass {
			t.Errorf("%s: %s, expected pass", id, want[id])
		}
	}
	for _, file := range []string{har, saz} {
		if d := cmp.Diff(want, judged(t, exitIncomplete, "check", file)); d != "" {
			t.Errorf("DevTools (-) and %s (+) are judged differently:\n%s", filepath.Base(file), d)
		}
	}
}
