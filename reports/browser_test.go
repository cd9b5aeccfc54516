package reports_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
)

// patience is for one thing done in the page, such as a click on what never appears.
const patience = 30 * time.Second

// browser starts Chromium, or skips the test where there is none, and with -short. With
// CONFORM_PEERS=required a missing browser fails it.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("it needs a browser, and seconds")
	}
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		absent(t, "no Chromium in the PATH: install the package chromium")
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU)
	for _, flag := range []string{"disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"} {
		flags = append(flags, chromedp.Flag(flag, true))
	}
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewExecAllocator(ctx, flags...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("%s does not start: %v", program, err)
	}
	return ctx
}

func absent(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CONFORM_PEERS") == "required" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// view is a report in a tab of its own. What the page complains of is collected.
type view struct {
	t   *testing.T
	ctx context.Context
	url string

	mu         sync.Mutex
	complaints []string
}

func open(t *testing.T, ctx context.Context, r *reports.Report) *view {
	t.Helper()
	var b bytes.Buffer
	if err := reports.Write(&b, r, "html", reports.Options{}); err != nil {
		t.Fatal(err)
	}
	return openPage(t, ctx, b.Bytes())
}

// openPage opens a page in a tab of its own.
func openPage(t *testing.T, ctx context.Context, html []byte) *view {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, html, 0o600); err != nil {
		t.Fatal(err)
	}
	tab, stop := chromedp.NewContext(ctx)
	t.Cleanup(stop)
	v := &view{t: t, ctx: tab, url: (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()}
	if err := chromedp.Listen(tab, func(event any) {
		text := ""
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			text = fmt.Sprintf("an exception: %+v", *e.ExceptionDetails)
		case *runtime.EventConsoleAPICalled:
			text = fmt.Sprintf("console.%s", e.Type)
		case *log.EventEntryAdded:
			text = e.Entry.Text
		case *page.EventJavascriptDialogOpening:
			text = "a dialog: " + e.Message
		}
		if text != "" {
			v.mu.Lock()
			v.complaints = append(v.complaints, text)
			v.mu.Unlock()
		}
	}); err != nil {
		t.Fatal(err)
	}
	v.do(send(log.Enable, cdp.Empty{}), size(1200, 900), chromedp.Navigate(v.url))
	t.Cleanup(func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, text := range v.complaints {
			t.Errorf("the page complains: %s", text)
		}
	})
	return v
}

// send is a command of the browser's protocol.
func send[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// size makes the page so wide; what is narrow is a phone.
func size(width, height int64) chromedp.Action[chromedp.Void] {
	return send(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500})
}

// media is "screen" or "print", in a light or a dark scheme.
func media(kind, scheme string) chromedp.Action[chromedp.Void] {
	return send(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: kind, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// script does something in the page.
func script(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](expression)
}

func (v *view) do(actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, stop := context.WithTimeout(v.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, actions...); err != nil {
		v.t.Fatal(err)
	}
}

// ask evaluates an expression in the page.
func ask[T any](v *view, expression string) T {
	v.t.Helper()
	ctx, stop := context.WithTimeout(v.ctx, patience)
	defer stop()
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		v.t.Fatalf("%s: %v", expression, err)
	}
	return answer
}

// is fails the test unless the expression has the value.
func is[T comparable](v *view, expression string, want T) {
	v.t.Helper()
	if got := ask[T](v, expression); got != want {
		v.t.Errorf("%s is %v, want %v", expression, got, want)
	}
}

// goTo follows a link within the page, and waits until the script has seen it.
func (v *view) goTo(fragment string) {
	v.t.Helper()
	ask[bool](v, fmt.Sprintf(`new Promise(done => {
		if (location.hash === %[1]q) return done(true);
		addEventListener('hashchange', () => setTimeout(() => done(true)), {once: true});
		location.hash = %[1]q;
	})`, fragment))
}

const (
	visibleResults = `document.querySelectorAll('details.result:not([hidden])').length`
	tallyText      = `document.getElementById('shown').textContent`
	hashNow        = `decodeURIComponent(location.hash)`
)

// Every filter narrows the list to what it says, tells how many are left, and stands in the address.
func TestFilter(t *testing.T) {
	r := reports.Everything()
	v := open(t, browser(t), r)
	of := map[string]func(reports.Result) string{
		"verdict": func(x reports.Result) string { return string(x.Verdict) },
		"level":   func(x reports.Result) string { return x.Level },
		"subject": func(x reports.Result) string { return x.Subject },
		"task":    func(x reports.Result) string { return x.Task },
	}
	boxes := ask[[][]string](v, `[...document.querySelectorAll('#filter input[type=checkbox]')].map(box => [box.name, box.value])`)
	if len(boxes) < 14 {
		t.Fatalf("%d boxes: %v", len(boxes), boxes)
	}
	for _, box := range boxes {
		want := 0
		for _, x := range r.Results {
			if of[box[0]](x) == box[1] {
				want++
			}
		}
		selector := fmt.Sprintf("#filter input[name=%q][value=%q]", box[0], box[1])
		v.do(chromedp.Click(chromedp.CSS(selector)))
		is(v, visibleResults, want)
		is(v, tallyText, fmt.Sprintf("%d of %d requirements", want, len(r.Results)))
		is(v, fmt.Sprintf("[...document.querySelectorAll('details.result:not([hidden])')].every(x => x.dataset[%q] === %q && x.closest('.step').open)", box[0], box[1]), true)
		is(v, `new URLSearchParams(location.hash.slice(2)).get('`+box[0]+`')`, box[1])
		v.do(chromedp.Click(chromedp.CSS(selector)))
		is(v, visibleResults, len(r.Results))
		is(v, "location.hash", "")
	}
	v.do(chromedp.SendKeys(chromedp.CSS("#text"), "ETag among"))
	is(v, visibleResults, 1)
	is(v, hashNow, "#?text=ETag+among")
	v.do(chromedp.Click(chromedp.CSS("#filter button[type=reset]")))
	is(v, visibleResults, len(r.Results))
	is(v, `document.getElementById('text').value`, "")

	v.goTo("#?verdict=pass&subject=client") // a link that somebody was sent
	is(v, visibleResults, 2)
	is(v, `document.querySelector('input[value=client]').checked`, true)
	v.goTo("#set-presence.1.status") // to what the filter hides
	is(v, visibleResults, len(r.Results))
	is(v, `document.activeElement.parentElement.id`, "set-presence.1.status")

	// The numbers of the tally are links to what they count.
	n := ask[int](v, `document.querySelectorAll('.counts a').length`)
	if n < 20 {
		t.Errorf("%d numbers of the tally are links", n)
	}
	for i := range n {
		hash := ask[string](v, fmt.Sprintf(`document.querySelectorAll('.counts a')[%d].hash`, i))
		count := ask[string](v, fmt.Sprintf(`document.querySelectorAll('.counts a')[%d].textContent`, i))
		v.goTo(hash)
		is(v, visibleResults+".toString()", count)
	}
}

// All that can be done with a mouse can be done from the keyboard.
func TestKeyboard(t *testing.T) {
	v := open(t, browser(t), reports.Everything())
	v.do(chromedp.KeyEvent("/"))
	is(v, `document.activeElement.id`, "text")
	v.do(script(`document.getElementById('text').value = ''`), chromedp.KeyEvent("blocked")) // a key sent this way is typed all the same
	is(v, visibleResults, 2)
	v.do(chromedp.KeyEvent("\x1b"))
	is(v, visibleResults, 11)
	v.do(chromedp.KeyEvent("\t"))
	is(v, `document.activeElement.type`, "checkbox")
	v.do(chromedp.KeyEvent(" "))
	is(v, `document.activeElement.checked && document.activeElement.value`, "pass")
	is(v, visibleResults, 3)
	v.do(chromedp.Focus(chromedp.CSS(".exchange summary")), chromedp.KeyEvent("\r"))
	is(v, `document.querySelector('.exchange').open`, true)
	v.do(chromedp.Focus(chromedp.CSS(".skip")))
	is(v, `document.querySelector('.skip').getBoundingClientRect().left >= 0`, true)
	v.do(chromedp.Focus(chromedp.CSS("#theme")), chromedp.KeyEvent("\r"), chromedp.KeyEvent("\r"))
	is(v, `document.documentElement.dataset.theme`, "dark")
	is(v, `getComputedStyle(document.body).backgroundColor`, "rgb(19, 21, 23)")
	v.do(chromedp.Reload())
	is(v, `document.documentElement.dataset.theme`, "dark")
}

// Every link leads to something that can be seen when it was followed, and every fold unfolds.
func TestLinksAndFolds(t *testing.T) {
	v := open(t, browser(t), reports.Everything())
	links := ask[[]string](v, `[...new Set([...document.querySelectorAll('a[href]:not(.counts a)')].map(a => a.getAttribute('href')))]`)
	if len(links) < 20 {
		t.Fatalf("%d links", len(links))
	}
	for _, link := range links {
		v.goTo(link)
		is(v, `document.getElementById(decodeURIComponent(location.hash.slice(1))).checkVisibility({contentVisibilityAuto: false})`, true)
	}
	v.do(chromedp.Reload())
	is(v, `[...document.querySelectorAll('summary')].every(s => { const d = s.parentElement, before = d.open; s.click(); const turned = d.open !== before; d.open = true; return turned; })`, true)
	v.do(chromedp.Click(chromedp.CSS("#unfold")))
	is(v, `document.querySelectorAll('.result:not([open])').length`, 0)
	v.do(chromedp.Click(chromedp.CSS("#unfold")))
	is(v, `document.querySelectorAll('.result[open], .step[open]').length`, 0)

	// Where the browser does not unfold what an address names, the script does.
	is(v, `(() => { location.hash = '#x9a0'; const fold = document.getElementById('exchange-9'); fold.open = false;
		dispatchEvent(new HashChangeEvent('hashchange')); return fold.open; })()`, true)

	// The mark that a requirement leads to is the field.
	v.goTo("#set-presence.1.status")
	v.goTo(ask[string](v, `document.querySelector('[id="set-presence.1.status"] dd a').hash`))
	is(v, `document.querySelector(':target').textContent`, "HTTP 403")
	is(v, `document.querySelector(':target').className`, "bad")
	v.do(script(`document.querySelector('.exchange a.self').click()`))
	is(v, `new Promise(done => { const see = () => document.querySelector('.exchange a.self').textContent.includes('copied') ||
		document.querySelector('.exchange a.self').textContent.includes('address bar') ? done(true) : requestAnimationFrame(see); see(); })`, true)
}

// Without a script all of it can be read.
func TestWithoutScript(t *testing.T) {
	v := open(t, browser(t), reports.Everything())
	v.do(send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}), chromedp.Navigate("about:blank"), chromedp.Navigate(v.url+"#x9a0"))
	is(v, `document.getElementById('exchange-9').open`, true) // by the browser itself
	is(v, `document.getElementById('filter').checkVisibility() || document.getElementById('theme').checkVisibility()`, false)
	is(v, `document.querySelectorAll('[data-verdict]:not(th)').length`, 11)
}

// Printed, everything is unfolded and the controls are gone.
func TestPrint(t *testing.T) {
	v := open(t, browser(t), reports.Everything())
	v.do(media("print", "light"))
	is(v, `[...document.querySelectorAll('.proof, .exchange pre')].every(x => x.checkVisibility())`, true)
	is(v, `[...document.querySelectorAll('#filter, #theme, nav, .self')].some(x => x.checkVisibility())`, false)
}

// On a phone nothing makes the page wider than it is, whatever was sent.
func TestPhone(t *testing.T) {
	ctx := browser(t)
	for name, r := range map[string]*reports.Report{"everything": reports.Everything(), "hostile": reports.Hostile()} {
		t.Run(name, func(t *testing.T) {
			v := open(t, ctx, r)
			v.do(size(360, 740), chromedp.Reload())
			v.do(script(`document.querySelectorAll('details').forEach(d => d.open = true)`))
			is(v, `document.documentElement.scrollWidth`, 360)
			if wide := ask[[]string](v, `[...document.querySelectorAll('main *')].filter(x => !x.closest('.wide, pre') &&
				x.checkVisibility() && x.getBoundingClientRect().right > 361).map(x => x.tagName + '.' + x.className)`); len(wide) > 0 {
				t.Errorf("wider than the page: %.500v", wide)
			}
		})
	}
}

// Nothing that was sent runs, loads, or becomes an element, on opening the page and on using it.
func TestHostileReportInABrowser(t *testing.T) {
	r := reports.Hostile()
	for i := range r.Results { // values that break out of what the script makes of them
		r.Results[i].Requirement = []string{`"><img src=x onerror=alert(1)>`, `javascript:alert(1)`, "__proto__", "</script><script>alert(1)</script>", "constructor"}[i%5]
	}
	r.Exchanges[0].Response.Body = `{"a":"</pre></script><script>alert(1)</script><img src=x onerror=alert(1)>","__proto__":{"x":1}}`
	r.Exchanges[1].Response.Body = strings.Repeat("<b onload=alert(1)>", 60_000)
	v := open(t, browser(t), r)
	v.do(script(`document.querySelectorAll('summary, #filter input, #filter button').forEach(x => x.click())`))
	v.do(chromedp.SendKeys(chromedp.CSS("#text"), "<img src=x onerror=alert(1)>"))
	v.goTo(`#?verdict=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&task=__proto__`)
	v.goTo(`#%22%3E%3Cimg%20src%3Dx%3E`)
	v.goTo(`#%E0%A4%A`)
	is(v, `document.querySelectorAll('img, b, iframe, object, embed, link, base, audio, video, [onerror], [onload], [style]').length`, 0)
	is(v, `document.scripts.length`, 1)
	is(v, `performance.getEntriesByType('resource').length`, 0)
	is(v, `[...document.querySelectorAll('[href]')].every(a => a.getAttribute('href').startsWith('#'))`, true)
}

// Five thousand exchanges open at once, in a file that can still be sent by mail.
func TestManyExchanges(t *testing.T) {
	r := reports.Many(5000)
	v := open(t, browser(t), r)
	bytes := ask[int](v, `document.documentElement.outerHTML.length`)
	took := ask[float64](v, `performance.getEntriesByType('navigation')[0].loadEventEnd`)
	nodes := ask[int](v, `document.querySelectorAll('*').length`)
	t.Logf("%d exchanges: %d bytes, %d elements, loaded in %.0f ms", len(r.Exchanges), bytes, nodes, took)
	if bytes > 10_000_000 || nodes > 100_000 { // a second or so on a machine that is not busy
		t.Errorf("the page has %d bytes and %d elements", bytes, nodes)
	}
	is(v, `document.querySelectorAll('.exchange').length`, len(r.Exchanges))
	is(v, `document.querySelectorAll('.sequence a').length`, 120)
	v.goTo("#exchange-4999")
	is(v, `document.getElementById('exchange-4999').open`, true)
	v.do(chromedp.SendKeys(chromedp.CSS("#text"), "again.4990"))
	is(v, visibleResults, 1)
}

// axe-core, of which CONFORM_AXE is the path, finds nothing serious.
func TestAccessibility(t *testing.T) {
	path := os.Getenv("CONFORM_AXE")
	if path == "" {
		absent(t, "CONFORM_AXE does not name axe.min.js: npm pack axe-core")
	}
	axe, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	all := otherPages(t)
	for name, r := range pictured(t) {
		var b bytes.Buffer
		if err := reports.Write(&b, r, "html", reports.Options{}); err != nil {
			t.Fatal(err)
		}
		all[name] = b.Bytes()
	}
	for name, html := range all {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(name+"/"+scheme, func(t *testing.T) {
				v := openPage(t, ctx, html)
				v.do(media("screen", scheme))
				v.do(script(`document.querySelectorAll('.step, .exchange:nth-of-type(-n+12), #timeline details').forEach(d => d.open = true);
					document.querySelectorAll('.result').forEach((d, i) => { if (i % 8 === 0) d.open = true; })`))
				v.do(script(string(axe)))
				found := ask[string](v, `axe.run(document, {resultTypes: ['violations']}).then(all => JSON.stringify(all.violations.map(v =>
					({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.length, first: v.nodes.slice(0, 3).map(n => n.html.slice(0, 300) + ' ' + n.failureSummary)}))))`)
				var violations []struct {
					ID, Impact, Help string
					Nodes            int
					First            []string
				}
				if err := json.Unmarshal([]byte(found), &violations); err != nil {
					t.Fatal(err)
				}
				for _, x := range violations {
					t.Errorf("%s (%s): %s, %d times:\n  %s", x.ID, x.Impact, x.Help, x.Nodes, strings.Join(x.First, "\n  "))
				}
			})
		}
	}
}

// otherPages are those that are made of several reports, and that of a proof.
func otherPages(t *testing.T) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	matrix := &reports.Matrix{}
	at := time.Date(2026, 1, 5, 3, 0, 0, 0, time.UTC)
	for name, r := range pictured(t) {
		for day := range 12 {
			one := *r
			one.Name, one.Evidence.RecordedAt = "pool-"+strings.ReplaceAll(name, " ", "-"), at.AddDate(0, 0, 7*day)
			if day == 11 {
				matrix.Add(name+".json", &one)
			}
			if _, err := reports.WriteFiles(filepath.Join(dir, one.Name, fmt.Sprint(day)), &one); err != nil {
				t.Fatal(err)
			}
		}
	}
	matrix.Finish()
	history, err := reports.ReadHistory(dir)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := prove.Run(t.Context(), prove.Options{Names: []string{"set-presence.6.status"}})
	if err != nil {
		t.Fatal(err)
	}
	options := reports.Options{Dir: dir}
	all := map[string][]byte{}
	for name, write := range map[string]func(io.Writer) error{
		"matrix":  func(w io.Writer) error { return reports.WriteMatrix(w, matrix, "html", options) },
		"history": func(w io.Writer) error { return reports.WriteHistory(w, history, "html", options) },
		"index":   func(w io.Writer) error { return reports.WriteIndex(w, history, options) },
		"proof":   func(w io.Writer) error { return prove.Write(w, proof, "html") },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		all[name] = b.Bytes()
	}
	return all
}

// TestPictures makes the pictures of the documents anew, in the directory CONFORM_PICTURES.
func TestPictures(t *testing.T) {
	dir := os.Getenv("CONFORM_PICTURES")
	if dir == "" {
		t.Skip("CONFORM_PICTURES names no directory")
	}
	ctx := browser(t)
	other := otherPages(t)
	failing := pictured(t)["failing"]
	if failing == nil {
		t.Fatal("there is no report with failures")
	}
	var report bytes.Buffer
	if err := reports.Write(&report, failing, "html", reports.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, picture := range []struct {
		name          string
		page          []byte
		scheme        string
		width, height int64
		at            string
	}{
		{"report.png", report.Bytes(), "light", 1280, 800, ""},
		{"report-dark.png", report.Bytes(), "dark", 1280, 800, "first"},
		{"report-phone.png", report.Bytes(), "light", 390, 844, ""},
		{"matrix.png", other["matrix"], "light", 1280, 800, ""},

		{"history.png", other["history"], "light", 1280, 800, ""},
	} {
		v := openPage(t, ctx, picture.page)
		v.do(size(picture.width, picture.height), media("screen", picture.scheme), chromedp.Reload())
		if picture.at == "first" {
			v.do(script(`document.querySelector('.problems a').click()`))
		}
		png, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, picture.name), png, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestScreenshots leaves pictures in the directory CONFORM_SCREENSHOTS for people to look at.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("CONFORM_SCREENSHOTS")
	if dir == "" {
		t.Skip("CONFORM_SCREENSHOTS names no directory")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	save := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Error(err)
		}
	}
	for name, r := range pictured(t) {
		v := open(t, ctx, r)
		for _, shot := range []struct {
			name, scheme, media string
			width               int64
		}{{"light", "light", "screen", 1200}, {"dark", "dark", "screen", 1200}, {"phone", "light", "screen", 360}, {"print", "light", "print", 800}} {
			v.do(size(shot.width, 4000), media(shot.media, shot.scheme))
			png, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				t.Fatal(err)
			}
			save(name+"-"+shot.name+".png", png)
		}
		v.do(size(1200, 900), media("screen", "light"))
		v.goTo("#timeline")
		v.goTo("#exchange-1")
		v.do(script(`document.querySelectorAll('#timeline details').forEach(d => d.open = true)`))
		for _, part := range []string{"sequence", "timeline", "exchange-1"} {
			png, err := chromedp.Run(v.ctx, chromedp.Screenshot(chromedp.CSS("#"+part)))
			if err != nil {
				t.Fatal(err)
			}
			save(name+"-"+part+".png", png)
		}
		v.do(media("", "light"))
		pdf, err := chromedp.Run(v.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPreferCSSPageSize()))
		if err != nil {
			t.Fatal(err)
		}
		save(name+".pdf", pdf)
		var html bytes.Buffer
		if err := reports.Write(&html, r, "html", reports.Options{}); err != nil {
			t.Fatal(err)
		}
		save(name+".html", html.Bytes())
	}
}

// pictured is reports as people get them: of the reference recording as it is, of the same with a few things
// wrong, and of the documentation's own samples.
var pictured = func() func(t *testing.T) map[string]*reports.Report {
	var once sync.Once
	var list []*reports.Report
	var failed error
	return func(t *testing.T) map[string]*reports.Report {
		t.Helper()
		once.Do(func() { list, failed = judged(t.Context()) }) // Ginkgo runs once in a process
		if failed != nil {
			t.Fatal(failed)
		}
		return map[string]*reports.Report{"conformant": list[0], "failing": list[1], "incomplete": list[2], "known": borne(list[1])}
	}
}()

// borne is the report with all of its failures in a baseline, which is wrong about one thing more.
func borne(r *reports.Report) *reports.Report {
	out := *r
	out.Results = slices.Clone(r.Results)
	passing := out.Results[slices.IndexFunc(out.Results, func(x reports.Result) bool { return x.Verdict == reports.Pass })]
	baseline := &reports.Baseline{Known: []reports.KnownFailure{{Requirement: passing.Requirement, Reason: "tracked as UC-20"}}}
	for _, result := range out.Results {
		if result.Verdict == reports.Fail || result.Verdict == reports.Warn {
			baseline.Known = append(baseline.Known, reports.KnownFailure{Requirement: result.Requirement, Reason: "tracked as UC-17"})
		}
	}
	baseline.Apply(&out, out.Evidence.RecordedAt)
	return &out
}

func judged(ctx context.Context) ([]*reports.Report, error) {
	reference, err := cassettes.Open("reference/set-presence")
	if err != nil {
		return nil, err
	}
	wrong, err := cassettes.Open("reference/set-presence")
	if err != nil {
		return nil, err
	}
	for _, x := range wrong.Exchanges {
		switch {
		case strings.HasSuffix(x.Request.URL, "/makeMeAvailable") && x.Response.Code == 204:
			x.Response.Code = 200
		case strings.HasSuffix(x.Request.URL, "/oauthtoken") && x.Response.Code == 200:
			x.Response.Headers["Cache-Control"] = []string{"max-age=3600"}
		case x.Response.Code == 201:
			x.Response.Body = strings.Replace(x.Response.Body, `"culture":"en-US"`, `"culture":"en_US"`, 1)
			x.Response.Body = strings.Replace(x.Response.Body, `"events":{"href":"/ucwa`, `"events":{"href":"https://other.contoso.com/ucwa`, 1)
		}
		if x.Response.Headers.Get("Date") != "" {
			x.Response.Headers["Date"] = []string{"2026-01-01 00:00:00"}
		}
	}
	samples, err := cassettes.Open("documentation/set-presence")
	if err != nil {
		return nil, err
	}
	driven, err := suite.Replay(ctx, reference)
	if err != nil {
		return nil, err
	}
	evidence := []*suite.Evidence{driven}
	for _, c := range []*cassettes.Cassette{wrong, samples} {
		located, err := suite.Locate(c)
		if err != nil {
			return nil, err
		}
		evidence = append(evidence, located[0])
	}
	evidence[1].Source, evidence[1].SHA256 = "reference/set-presence, with five things wrong", ""
	list, err := suite.Judge(suite.Options{Tool: reports.Tool{Name: "conform", Version: "0.1.0", Commit: "abc1234"}}, evidence...)
	for _, r := range list {
		prove.Explain(r)
	}
	return list, err
}
