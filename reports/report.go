// Package reports is what a run found: the report, its outcome, and the forms in
// which people and machines read it (text, JSON, JUnit XML, HTML, Markdown, CSV, annotations,
// a badge, an attestation). [Compare], [Matrix] and [History] set several beside each other.
//
// A report is plain data. Whoever judged fills in the results and the exchanges,
// already redacted, and calls [Report.Tally]; [Write] and [WriteFiles] do the rest:
//
//	r := &reports.Report{Subject: "server", Evidence: ev, Results: results}
//	r.Tally()
//	err := reports.Write(os.Stdout, r, "text", reports.Options{})
//
// Everything a server or a client sent is hostile until shown otherwise. The JSON
// keeps it whole; every other form shows what cannot be printed as an escape (\x1b)
// and never as what it does.
package reports

import (
	"strings"
	"time"
)

// SchemaID names the JSON contract. It changes when a reader of the old one would
// be misled, and only then.
const SchemaID = "conform.report/v1"

// Report is one run: what was judged, on which evidence, and what came of it.
type Report struct {
	Schema    string     `json:"schema"` // always SchemaID once written
	Tool      Tool       `json:"tool"`
	Name      string     `json:"name,omitempty"` // what the user calls the target; pseudonyms of hosts differ from run to run
	Outcome   Outcome    `json:"outcome"`
	Subject   string     `json:"subject"`            // what was certified: "server", "client" or "both"
	Strict    bool       `json:"strict,omitempty"`   // a broken should counts as a broken must
	CutShort  bool       `json:"cutShort,omitempty"` // the run was interrupted, or its time over, before all was asked: never conformant
	Evidence  Evidence   `json:"evidence"`
	Counts    Counts     `json:"counts"`
	Tasks     []Task     `json:"tasks,omitempty"` // titles, for people
	Steps     []Step     `json:"steps,omitempty"` // titles and main exchanges, for people
	Results   []Result   `json:"results"`
	Exchanges []Exchange `json:"exchanges"`          // redacted by the caller: writers print what they are given
	Notes     []string   `json:"notes,omitempty"`    // what a reader must know, such as "--insecure" or a repaired erratum
	Cause     string     `json:"cause,omitempty"`    // of a live run that could not start or go on: why, and what to do
	Baseline  *Applied   `json:"baseline,omitempty"` // the known failures that were expected, if any were
}

// Tool is the program that judged.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
}

// Evidence says where the exchanges came from. A verdict holds for that and no more.
type Evidence struct {
	Kind       string    `json:"kind"`   // "live", "reference", "documentation" or "capture"
	Source     string    `json:"source"` // an address, a cassette or a file
	RecordedAt time.Time `json:"recordedAt,omitzero"`
	SHA256     string    `json:"sha256,omitempty"`
	Server     string    `json:"server,omitempty"` // how the server named itself
}

// Task gives a documented task its title.
type Task struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Revision int    `json:"revision,omitempty"` // of its ledger
}

// Step gives a step of a task its title and the exchange that carries it out.
type Step struct {
	Task     string   `json:"task"`
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Exchange int      `json:"exchange,omitempty"` // 0: the evidence holds none
	Shares   []string `json:"shares,omitempty"`   // requirements of other tasks that are those of this step, too: each is judged once
}

// Result is the verdict on one requirement, with its proof.
type Result struct {
	Requirement string    `json:"requirement"`
	Task        string    `json:"task"`
	Step        string    `json:"step"`
	Subject     string    `json:"subject"` // "server" or "client"
	Level       string    `json:"level"`   // "must", "should" or "may"
	Verdict     Verdict   `json:"verdict"`
	Statement   string    `json:"statement"`
	Source      Source    `json:"source"`
	Expected    string    `json:"expected"`
	Observed    string    `json:"observed"`
	Reason      string    `json:"reason,omitempty"` // why there is no pass or fail
	Said        string    `json:"said,omitempty"`   // how the server refused, where the verdict rests on that: status, codes, diagnostics
	Known       *Known    `json:"known,omitempty"`  // a failure that a baseline knows, and why it is borne
	Evidence    []Pointer `json:"evidence"`
	DurationMs  float64   `json:"durationMs"`
	How         string    `json:"how,omitempty"`      // where the requirement is looked for
	Breaks      string    `json:"breaks,omitempty"`   // what commonly breaks it
	ProvedBy    []string  `json:"provedBy,omitempty"` // the faults that show that the check can fail
	Repeat      *Repeat   `json:"repeat,omitempty"`   // of a failure: how to send its request again; written into JSON, never read from it
}

// Named returns a copy of the report in which every text about the evidence, and every request, has passed through name. It is for the terminal of the
// person who ran conform; responses stay as they are.
func (r *Report) Named(name func(string) string) *Report {
	out := *r
	out.Evidence.Source, out.Cause, out.Notes = name(r.Evidence.Source), name(r.Cause), each(r.Notes, name)
	out.Results = each(r.Results, func(x Result) Result {
		x.Expected, x.Observed, x.Reason, x.Said = name(x.Expected), name(x.Observed), name(x.Reason), name(x.Said)
		return x
	})
	out.Exchanges = each(r.Exchanges, func(x Exchange) Exchange {
		headers := make(map[string][]string, len(x.Request.Headers))
		for field, values := range x.Request.Headers {
			headers[field] = each(values, name)
		}
		x.Request.URL, x.Request.Headers, x.Request.Body, x.Error = name(x.Request.URL), headers, name(x.Request.Body), name(x.Error)
		return x
	})
	return &out
}

// because is the reason with what the server said.
func (r Result) because() string {
	if r.Said == "" {
		return r.Reason
	}
	return strings.TrimPrefix(r.Reason+"; the server said: "+r.Said, "; ")
}

// Source is the sentence of the documentation behind a requirement.
type Source struct {
	Document string `json:"document"`
	Clause   string `json:"clause"`
}

// Pointer points at what was looked at: a field of an exchange.
type Pointer struct {
	Exchange int    `json:"exchange"` // 0: the evidence as a whole
	Field    string `json:"field"`
}

// Exchange is one request and its response. Exchanges are numbered from 1.
type Exchange struct {
	Number     int       `json:"number"`
	Step       string    `json:"step,omitempty"`  // its role, "" if it plays none
	Aside      string    `json:"aside,omitempty"` // why it plays none, whatever it asks for
	Request    Request   `json:"request"`
	Response   *Response `json:"response,omitempty"` // nil: none came
	Error      string    `json:"error,omitempty"`
	StartedAt  time.Time `json:"startedAt,omitzero"` // recordings need not know it
	DurationMs float64   `json:"durationMs"`
}

// Request is what the client sent.
type Request struct {
	Method  string              `json:"method"`
	URL     string              `json:"url"`
	Headers map[string][]string `json:"headers,omitempty"`
	Body    string              `json:"body,omitempty"`
}

// Response is what the server answered.
type Response struct {
	Status  int                 `json:"status"`
	Headers map[string][]string `json:"headers,omitempty"`
	Body    string              `json:"body,omitempty"`
}

// Tally counts the verdicts and draws the outcome from them.
func (r *Report) Tally() {
	r.Counts = Counts{}
	for _, result := range r.Results {
		r.Counts.add(result.Verdict)
	}
	r.Outcome = r.drawn()
}

// drawn is the outcome of the results, which of a run that was cut short is never conformant.
func (r *Report) drawn() Outcome {
	outcome := OutcomeOf(r.Results, r.Strict)
	if r.CutShort {
		outcome = worse(outcome, Incomplete)
	}
	return outcome
}
