package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
)

//go:embed report.html.tmpl
var pageTemplate string

//go:embed report.css
var pageStyle string

// A page that cannot be scrolled helps nobody; JSON has the whole.
const (
	htmlValueRunes = 2000
	htmlBodyRunes  = 20000
)

// page is what the template sees.
type page struct {
	*Report
	Style     template.CSS
	StyleHash string
	About     string
	Sentence  string
	Next      string
	Subjects  []share
	Verdicts  []Verdict
	Steps     []*htmlStep
	Several   bool // tasks: steps need the name of theirs
}

// htmlStep is a step with its results divided by how much of the page they deserve.
type htmlStep struct {
	*stepResults
	Problems []htmlResult
	Passes   []htmlResult
	Quiet    []*alike
}

// htmlResult is a result that can be linked to.
type htmlResult struct {
	Result
	Anchor string
	Places []place
}

// place is a pointer that is a link if the page has the exchange.
type place struct {
	Pointer
	Linked bool
}

// renderHTML is one file, without scripts and without anything from elsewhere. The
// content security policy allows its one style sheet, by hash, and nothing else: even
// a value that escaped the template could not run.
func renderHTML(r *Report, _ Options) ([]byte, error) {
	r = legible(r)
	hash := sha256.Sum256([]byte(pageStyle))
	p := page{
		Report:    r,
		Style:     template.CSS(pageStyle),
		StyleHash: "sha256-" + base64.StdEncoding.EncodeToString(hash[:]),
		About:     r.about(),
		Sentence:  r.Evidence.sentence(),
		Next:      next(r),
		Subjects:  append(bySubject(r.Results), share{"total", r.Counts}),
		Verdicts:  verdicts,
		Several:   r.severalTasks(),
	}
	known := map[int]bool{}
	for _, x := range r.Exchanges {
		known[x.Number] = true
	}
	n := 0
	for _, s := range byStep(r) {
		step := &htmlStep{stepResults: s}
		var quiet []Result
		for _, result := range s.Results {
			n++
			linked := htmlResult{Result: result, Anchor: fmt.Sprintf("result-%d", n)}
			for _, at := range result.Evidence {
				linked.Places = append(linked.Places, place{at, known[at.Exchange]})
			}
			switch {
			case result.Verdict == Pass:
				step.Passes = append(step.Passes, linked)
			case result.speaks():
				step.Problems = append(step.Problems, linked)
			default:
				quiet = append(quiet, result)
			}
		}
		step.Quiet = gather(quiet)
		p.Steps = append(p.Steps, step)
	}
	tmpl, err := template.New("report").Funcs(template.FuncMap{
		"symbol":    symbol,
		"outcome":   outcomeSymbol,
		"class":     class,
		"value":     func(s string) string { return shorten(s, htmlValueRunes) },
		"body":      func(s string) string { return shorten(s, htmlBodyRunes) },
		"path":      path,
		"taskTitle": r.taskTitle,
		"answer":    func(x Exchange) string { return x.answer() },
	}).Parse(pageTemplate)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// AllProblems is the list at the top of the page.
func (p page) AllProblems() []htmlResult {
	var all []htmlResult
	for _, v := range []Verdict{Fail, Error, Warn} {
		for _, s := range p.Steps {
			for _, result := range s.Problems {
				if result.Verdict == v {
					all = append(all, result)
				}
			}
		}
	}
	return all
}

// class is the style of a verdict; what is not known gets that of an error.
func class(v Verdict) string {
	switch v {
	case Pass:
		return "good"
	case Warn, Blocked:
		return "care"
	case NotExercised, NotApplicable:
		return "calm"
	}
	return "bad"
}
