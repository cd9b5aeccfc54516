package reports

import (
	"fmt"
	"strings"
	"time"
)

// conformant is a small run against the reference server in which all is well.
func conformant() *Report {
	r := &Report{
		Schema:  SchemaID,
		Tool:    Tool{Name: "conform", Version: "0.1.0", Commit: "abc1234"},
		Subject: "both",
		Evidence: Evidence{
			Kind: "reference", Source: "reference/set-presence", Server: "ucwatest/1",
			RecordedAt: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
			SHA256:     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		},
		Tasks: []Task{{ID: "set-presence", Title: "Set my presence information"}},
		Steps: []Step{
			{"set-presence", "1", "Send a POST request on the makeMeAvailable resource", 9, nil},
			{"set-presence", "2", "Send a GET request on the presence resource", 10, nil},
		},
		Results: []Result{
			result("1", "status", "server", "must", Pass, "The answer to makeMeAvailable is 204 No Content.", "204", "204", 9),
			result("1", "link", "client", "must", Pass, "The client posts to the link that the me resource gave.", "/ucwa/oauth/v1/applications/101/me/makeMeAvailable", "/ucwa/oauth/v1/applications/101/me/makeMeAvailable", 9),
			result("1", "modalities", "client", "may", Pass, "The client names the modalities that it supports.", "a list", "Messaging, PhoneAudio", 9),
			result("2", "status", "server", "must", Pass, "The presence is answered with 200 OK.", "200", "200", 10),
			result("2", "etag", "server", "should", Pass, "The presence carries an ETag.", "an ETag", `"3141592"`, 10),
			result("2", "phone", "server", "may", NotApplicable, "A phone number may be offered.", "", "", 0),
		},
		Exchanges: []Exchange{
			{
				Number: 9, Step: "set-presence.1", DurationMs: 12.5,
				Request: Request{
					Method: "POST", URL: "https://pool.example/ucwa/oauth/v1/applications/101/me/makeMeAvailable",
					Headers: map[string][]string{"Authorization": {"REDACTED"}, "Content-Type": {"application/json"}},
					Body:    `{"SupportedModalities":["Messaging","PhoneAudio"]}`,
				},
				Response: &Response{Status: 204, Headers: map[string][]string{"Cache-Control": {"no-cache"}}},
			},
			{
				Number: 10, Step: "set-presence.2", DurationMs: 3.25,
				Request: Request{Method: "GET", URL: "https://pool.example/ucwa/oauth/v1/applications/101/me/presence", Headers: map[string][]string{"Accept": {"application/json"}}},
				Response: &Response{
					Status: 200, Headers: map[string][]string{"Content-Type": {"application/json; charset=utf-8"}, "Etag": {`"3141592"`}},
					Body: "{\n  \"availability\": \"Online\",\n  \"_links\": {\"self\": {\"href\": \"/ucwa/oauth/v1/applications/101/me/presence\"}},\n  \"rel\": \"presence\"\n}",
				},
			},
		},
	}
	r.Results[5].Reason = "the server does not offer it"
	r.Tally()
	return r
}

func result(step, name, subject, level string, v Verdict, statement, expected, observed string, exchange int) Result {
	r := Result{
		Requirement: "set-presence." + step + "." + name, Task: "set-presence", Step: step,
		Subject: subject, Level: level, Verdict: v, Statement: statement,
		Source:   Source{"Set my presence information", "step " + step},
		Expected: expected, Observed: observed, DurationMs: 0.25,
	}
	if exchange > 0 {
		r.Evidence = []Pointer{{exchange, name}}
	}
	return r
}

// everything is a live run with every verdict, two tasks and a dead exchange.
func everything() *Report {
	r := conformant()
	r.Evidence = Evidence{Kind: "live", Source: "https://pool.example", RecordedAt: r.Evidence.RecordedAt, SHA256: r.Evidence.SHA256}
	r.Notes = []string{"--insecure: the certificate of the server was not checked"}
	r.Results[0].Verdict, r.Results[0].Observed = Fail, "403"
	r.Results[0].How, r.Results[0].Breaks = "Look at the status.", "A framework that answers 200."
	r.Results[0].Said = `403 Forbidden, code Forbidden, subcode ServiceNotAllowed, X-Ms-diagnostics 2; source="pool.example";reason="See response code and reason phrase."`
	r.Results[0].ProvedBy = []string{"makeMeAvailable-200: makeMeAvailable is answered with 200"}
	r.Exchanges[0].Response.Status = 403
	r.Results[4].Verdict, r.Results[4].Observed = Warn, "no ETag among the headers Cache-Control, Content-Type, Date, Server, Transfer-Encoding, X-Content-Type-Options, X-MS-Server-Fqdn"
	blocked := result("3", "note", "server", "must", Blocked, "The note can be read back.", "the note", "", 0)
	blocked.Reason = "step 1 failed"
	again := result("3", "type", "server", "must", Blocked, "The note has a type.", "a type", "", 0)
	again.Reason = "step 1 failed"
	unseen := result("3", "refusal", "server", "should", NotExercised, "A note that is too long is refused.", "400", "", 0)
	unseen.Reason = "the evidence holds no such request"
	broken := result("1", "events", "server", "must", Error, "An event tells of the change.", "an event", "", 11)
	broken.Task, broken.Requirement = "events", "events.1.updated"
	broken.Reason = "exchange 11 got no response: connection reset by peer"
	odd := result("1", "order", "client", "must", Error, "The client waits for the answer.", "one request at a time", "two clocks", 11)
	odd.Task, odd.Requirement, odd.Reason = "events", "events.1.order", "the times of the exchanges contradict each other"
	blocked.Said = "503 Service Unavailable, Server Microsoft-HTTPAPI/2.0"
	again.Said = blocked.Said
	r.Results = append(r.Results, blocked, again, unseen, broken, odd)
	r.Steps = append(r.Steps, Step{"set-presence", "3", "Send a POST request on the note resource", 0, nil}, Step{"events", "1", "Ask for events", 11, nil})
	r.Tasks = append(r.Tasks, Task{ID: "events", Title: "Receive events"})
	r.Exchanges = append(r.Exchanges, Exchange{Number: 11, Request: Request{Method: "GET", URL: "https://pool.example/ucwa/oauth/v1/applications/101/events?ack=1"}, Error: "connection reset by peer", DurationMs: 30000})
	r.Tally()
	return r
}

// empty is a run that found nothing to judge.
func empty() *Report {
	r := &Report{
		Tool: Tool{Name: "conform", Version: "0.1.0"}, Subject: "server",
		Evidence: Evidence{Kind: "capture", Source: "traffic.har"},
	}
	r.Tally()
	return r
}

// known is a run with one failure, which a baseline knows.
func known() *Report {
	r := conformant()
	r.Name = "the pool in Vienna"
	r.Results[0].Verdict, r.Results[0].Observed = Fail, "200"
	r.Tally()
	apply(r, "known:\n- requirement: set-presence.1.status\n  reason: tracked as UC-17\n  until: 2026-06-30\n")
	return r
}

// stale is a run with two failures, of which a baseline knows one, and is wrong about others.
func stale() *Report {
	r := everything()
	r.Results[1].Verdict = Fail
	r.Tally()
	apply(r, `known:
- {requirement: set-presence.1.status, reason: tracked as UC-17, until: 2026-01-31}
- {requirement: set-presence.1.link, reason: tracked as UC-18}
- {requirement: set-presence.2.status, reason: tracked as UC-19}
- {requirement: set-presence.3.note, reason: tracked as UC-20}
- {requirement: another.1.status, reason: not asked for}
`)
	return r
}

// apply holds a report against a baseline on the first of May 2026.
func apply(r *Report, baseline string) {
	b, err := ReadBaseline("known.yaml", strings.NewReader(baseline))
	if err != nil {
		panic(err)
	}
	b.Apply(r, time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
}

// nasty is what a hostile server may put into any value.
const nasty = "<script>alert(1)</script><img src=x onerror=alert(1)>]]>&amp;\"' onload='x' `` ``` | [x](javascript:x) @someone www.evil.example https://evil.example " +
	"\x1b[31m\x1b]0;title\x07\x00\x7f\u0085\u009b2J\u202eevil\u2066\u2029\ufeff\ufffe\xff\xc3( \r\n# heading\n</details>\n| a | b |\n\U000e0041"

// hostile is a report in which every value that is not ours is nasty, and one is very long.
func hostile() *Report {
	r := everything()
	r.Name, r.Tool = nasty, Tool{nasty, nasty, nasty}
	r.Evidence.Source, r.Evidence.Server, r.Evidence.SHA256 = nasty, nasty, nasty
	r.Notes = []string{nasty}
	for i := range r.Tasks {
		r.Tasks[i] = Task{ID: nasty, Title: nasty}
	}
	for i := range r.Steps {
		r.Steps[i].Task, r.Steps[i].ID, r.Steps[i].Title = nasty, nasty, nasty
	}
	for i := range r.Results {
		x := &r.Results[i]
		x.Requirement, x.Task, x.Step, x.Statement = nasty, nasty, nasty, nasty
		x.Source = Source{nasty, nasty}
		x.Expected, x.Observed, x.Reason, x.Said = nasty, nasty, nasty, nasty
		x.How, x.Breaks, x.ProvedBy = nasty, nasty, []string{nasty, nasty}
		x.Evidence = []Pointer{{9, nasty}, {0, nasty}, {99, nasty}}
	}
	r.Results[0].Observed = strings.Repeat(nasty, 1000)
	r.Results[0].Known = &Known{nasty, nasty}
	r.Cause = nasty
	r.Baseline = &Applied{nasty, nasty, []Stale{{nasty, nasty, nasty}}}
	for i := range r.Exchanges {
		x := &r.Exchanges[i]
		x.Step, x.Aside, x.Error = nasty, nasty, nasty
		x.Request = Request{nasty, nasty, map[string][]string{nasty: {nasty, nasty}}, nasty}
		if x.Response != nil {
			x.Response = &Response{x.Response.Status, map[string][]string{nasty: {nasty}}, strings.Repeat(nasty, 100)}
		}
	}
	r.Tally()
	return r
}

// many is a run of very many exchanges, of a size as servers send them.
func many(exchanges int) *Report {
	r := everything()
	template := r.Exchanges[1]
	for n := 12; n <= exchanges; n++ {
		x := template
		x.Number, x.Step, x.DurationMs = n, "presence read", float64(n%97)
		body := template.Response.Body
		if n%2 == 0 { // half of them tell the same
			body = fmt.Sprintf(`{"availability":"Online","number":%d,"links":[%s1]}`, n, strings.Repeat(`"/ucwa/oauth/v1/applications/101/me/presence",`, 30))
		}
		x.Response = &Response{Status: 200, Headers: map[string][]string{
			"Cache-Control": {"no-cache"}, "Content-Type": {"application/json; charset=utf-8"}, "Date": {"Thu, 01 Jan 2026 00:00:00 GMT"},
			"Server": {"Microsoft-IIS/8.5"}, "X-Ms-Server-Fqdn": {"pool.example"}, "Vary": {"Accept-Encoding"}, "X-Content-Type-Options": {"nosniff"},
		}, Body: body}
		r.Exchanges = append(r.Exchanges, x)
		if n%10 == 0 {
			r.Results = append(r.Results, result("2", fmt.Sprintf("again.%d", n), "server", "must", Pass, "The presence is answered with 200 OK.", "200", "200", n))
		}
	}
	r.Tally()
	return r
}
