package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"slices"
	"sync"
)

//go:embed report.html.tmpl
var pageTemplate string

//go:embed base.css
var baseStyle string

//go:embed report.css
var reportStyle string

//go:embed report.js
var pageScript string

// A page that cannot be scrolled helps nobody; JSON has the whole.
const (
	htmlValueRunes = 2000
	htmlBodyRunes  = 20_000
	htmlExchanges  = 5000
	htmlMessages   = 5 << 20 // bytes of headers and bodies
	htmlRows       = 120     // of the sequence and of the timeline
	htmlRepeats    = 200     // failures that show how to repeat them
	htmlCauses     = 50      // reasons of what was not judged
)

// page is what the template sees.
type page struct {
	*Report
	Style      template.CSS
	Script     template.JS
	Policy     string
	About      string
	Sentence   string
	Next       string
	Verdicts   []Verdict
	Tallies    []tally
	Bar        []barPart
	Problems   []*htmlResult
	Causes     []htmlCause
	MoreCauses string // how many there are besides
	Tasks      []*htmlTask
	Filters    []tally
	Sequence   *sequence
	Timeline   *timeline
	Shown      []*htmlExchange
	Left       int // exchanges that the page leaves out
}

// pageOnce is parsed when the first page is asked for.
var pageOnce = sync.OnceValues(func() (*template.Template, error) {
	return template.New("report").Funcs(template.FuncMap{
		"symbol":  symbol,
		"outcome": outcomeSymbol,
		"class":   class,
		"answer":  func(x *Exchange) string { return shorten(x.answer(), 160) },
		"value":   func(s string) string { return shorten(s, htmlValueRunes) },
		"label":   func(s string) string { return shorten(s, 160) },
		"path":    path,
		"runs":    runsHTML,
		"scrolls": scrolls,
		"verdict": verdictHTML,
	}).Parse(pageTemplate)
})

// maxNotes is how many notes stand open: a wall of them is read by nobody.
const maxNotes = 3

// FirstNotes is the notes that stand open.
func (p *page) FirstNotes() []string { return p.Notes[:min(maxNotes, len(p.Notes))] }

// MoreNotes is the others.
func (p *page) MoreNotes() []string { return p.Notes[len(p.FirstNotes()):] }

// renderHTML is one file that needs nothing from elsewhere, and can be read without its
// script. The content security policy allows the one style sheet and the one script, by
// hash, and nothing else: even a value that escaped the template could not run.
func renderHTML(r *Report, opts Options) ([]byte, error) {
	tmpl, err := pageOnce()
	if err != nil {
		return nil, err
	}
	p := newPage(r)
	p.Next = next(p.Report, opts.Dir)
	var b bytes.Buffer
	b.Grow(1 << 19)
	if err := tmpl.Execute(&b, p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func newPage(raw *Report) *page {
	r := legible(raw)
	style, styleSource := Style(reportStyle)
	p := &page{
		Report:   r,
		Style:    style,
		Script:   template.JS(pageScript),
		Policy:   "default-src 'none'; style-src " + styleSource + "; script-src '" + hashOf(pageScript) + "'; base-uri 'none'; form-action 'none'",
		About:    r.about(),
		Sentence: r.Evidence.sentence(),
		Verdicts: r.given(),
		Bar:      bar(r.Results),
	}
	looked := looksAt(r)
	var links map[Pointer]link
	p.Shown, links = exchangesOf(raw, r, looked)
	p.Left = len(r.Exchanges) - len(p.Shown)
	if r.Cause != "" { // which the first line says
		r.Notes = slices.DeleteFunc(r.Notes, func(note string) bool { return note == r.Cause })
	}
	shown := *r
	shown.once() // one row is open for one cause
	p.Tasks, p.Problems = tasksOf(&shown, links)
	roots, repeat := shown.roots(), raw.repeats()
	for i, problem := range p.Problems {
		if n := roots[problem.Requirement]; n > 0 {
			problem.Follow = count(n, "requirement") + " could not be judged after this"
		}
		if i < htmlRepeats {
			problem.Repeat = repeat.of(problem.Result)
		}
	}
	p.Causes, p.MoreCauses = causesOf(r, p.Tasks, roots)
	p.Tallies, p.Filters = tallies(r), filters(r)
	p.Sequence, p.Timeline = sequenceOf(r, p.Shown), timelineOf(p.Shown)
	return p
}

// Style returns the style sheet that all pages have in common, followed by what one of them has besides, and what a content security policy calls it.
func Style(own string) (css template.CSS, source string) {
	style := baseStyle + own
	return template.CSS(style), "'" + hashOf(style) + "'"
}

func hashOf(text string) string {
	hash := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(hash[:])
}

// class is the style of a verdict; what is not known gets that of an error.
func class(v Verdict) string {
	switch v {
	case Pass:
		return "good"
	case Warn, Blocked:
		return "care"
	case NotExercised, NotTested, NotApplicable:
		return "calm"
	}
	return "bad"
}
