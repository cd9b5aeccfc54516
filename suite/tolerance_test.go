package suite

import (
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// clone returns a copy of an exchange to be put elsewhere.
func (r *recording) clone(x cassettes.Exchange) cassettes.Exchange {
	single := &cassettes.Cassette{Exchanges: []cassettes.Exchange{x}}
	return single.Redacted().Exchanges[0]
}

// after puts an exchange behind another and numbers all anew.
func (r *recording) after(x, added cassettes.Exchange) {
	for i, y := range r.cassette.Exchanges {
		if y.Interaction == x.Interaction {
			rest := append([]cassettes.Exchange{added}, r.cassette.Exchanges[i+1:]...)
			r.cassette.Exchanges = append(r.cassette.Exchanges[:i+1:i+1], rest...)
			break
		}
	}
	for i, y := range r.cassette.Exchanges {
		y.ID = i + 1
	}
}

// foreign takes off what shows that conform made the recording.
func (r *recording) foreign() {
	r.cassette.Provenance = cassettes.Provenance{}
	for _, x := range r.cassette.Exchanges {
		setField(x.Request.Headers, "User-Agent", "somebody/1.0")
	}
}

// keep drops all exchanges but those of some parts.
func (r *recording) keep(parts ...string) {
	kept := map[*cassettes.Interaction]bool{}
	for _, part := range parts {
		for _, x := range r.parts[part] {
			kept[x.Interaction] = true
		}
	}
	var list []cassettes.Exchange
	for _, x := range r.cassette.Exchanges {
		if kept[x.Interaction] {
			list = append(list, x)
		}
	}
	r.cassette.Exchanges = list
}

func (r *recording) all(edit func(x cassettes.Exchange)) {
	for _, x := range r.cassette.Exchanges {
		edit(x)
	}
}

func lower(h map[string][]string) {
	for name, values := range h {
		delete(h, name)
		h[strings.ToLower(name)] = values
	}
}

// addedContact is an event about a resource of somebody else.
var addedContact = map[string]any{"type": "added", "link": map[string]any{"rel": "contact", "href": app + "/people/a"}}

// client leaves what a client does by itself, and what was put in, and takes off what
// shows that it was conform's.
func (r *recording) client() {
	probe := map[*cassettes.Interaction]bool{}
	for part, list := range r.parts {
		for _, x := range list {
			probe[x.Interaction] = !slices.Contains(own, part)
		}
	}
	r.cassette.Exchanges = slices.DeleteFunc(r.cassette.Exchanges, func(x cassettes.Exchange) bool { return probe[x.Interaction] })
	r.foreign()
}

// inQuery leaves the steps of a client which has the input of a part in the query.
func (r *recording) inQuery(part, query string) {
	r.keep(partBefore, partMake, partAfter, partPresence, partRead, partEvents)
	r.requestBody(part, "")
	r.each(part, func(x cassettes.Exchange) { x.Request.URL += "?" + query })
	r.foreign()
}

// confirmNothing leaves one POST that sets Online, and a time-out of the channel after it.
func (r *recording) confirmNothing() {
	r.requestBody(partPresence, `{"availability":"Online"}`)
	r.nth(partEvents, 1, "sender", []any{})
	list := []cassettes.Exchange{r.parts[partBefore][0], r.parts[partMake][0], r.parts[partAfter][0], r.parts[partEvents][0],
		r.parts[partPresence][0], r.parts[partEvents][1]}
	r.cassette.Exchanges = list
	r.foreign()
}

// tolerated are differences that correct servers, clients and recorders show: none
// may fail or warn. Where verdicts are named, they are what is due.
var tolerated = []variation{
	{"presences set in the query, its name in another casing", func(r *recording) {
		r.inQuery(partPresence, "Availability=Busy")
	}, map[string]reports.Verdict{"set-presence.5.body.json": reports.Pass, "set-presence.5.body.availability": reports.Pass}},
	{"modalities in the query", func(r *recording) {
		r.inQuery(partMake, "supportedModalities=Messaging")
	}, map[string]reports.Verdict{"set-presence.1.body.json": reports.NotApplicable, "set-presence.1.body.modalities": reports.NotApplicable}},
	{"every body in chunks", func(r *recording) {
		r.keep(partBefore, partMake, partAfter, partPresence, partRead, partEvents)
		r.foreign()
		r.all(func(x cassettes.Exchange) {
			setField(x.Request.Headers, "Content-Length", "")
			if x.Request.Body != "" {
				setField(x.Request.Headers, "Transfer-Encoding", "chunked")
				x.Request.ContentLength = -1
			}
		})
	}, map[string]reports.Verdict{"set-presence.request.content-length": reports.NotApplicable}},
	{"header fields in lower case", func(r *recording) {
		r.all(func(x cassettes.Exchange) { lower(x.Request.Headers); lower(x.Response.Headers) })
	}, map[string]reports.Verdict{"set-presence.4.cookie.path": reports.Pass, "set-presence.request.referer": reports.Pass}},
	{"credentials taken out", func(r *recording) {
		r.all(func(x cassettes.Exchange) { setField(x.Request.Headers, "Authorization", "") })
	}, map[string]reports.Verdict{"set-presence.request.authorization": reports.NotExercised}},
	{"credentials masked", func(r *recording) {
		r.all(func(x cassettes.Exchange) { setField(x.Request.Headers, "Authorization", "Bearer ***") })
	}, map[string]reports.Verdict{"set-presence.request.authorization": reports.NotExercised}},
	{"Host kept beside the header only", func(r *recording) {
		r.all(func(x cassettes.Exchange) { setField(x.Request.Headers, "Host", "") })
	}, map[string]reports.Verdict{"set-presence.request.host": reports.Pass}},
	{"another cookie", func(r *recording) {
		r.each(partAfter, func(x cassettes.Exchange) {
			x.Response.Headers["Set-Cookie"] = append(x.Response.Headers["Set-Cookie"], "lb=1; path=/")
		})
	}, nil},
	{"no cookie", func(r *recording) { r.header(partAfter, "Set-Cookie", "") },
		map[string]reports.Verdict{"set-presence.4.cookie.secure": reports.NotApplicable}},
	{"two challenges in one line, href unquoted", func(r *recording) {
		for _, part := range []string{"no-token", "bad-token"} {
			r.header(part, "Www-Authenticate", `Bearer trusted_issuers="", client_id="x", MsRtcOAuth href=https://lyncweb.contoso.com/WebTicket/oauthtoken,grant_type="password"`)
		}
	}, nil},
	{"subcode null where it is optional", func(r *recording) { r.json("availability", "subcode", nil) }, nil},
	{"XML asked for", func(r *recording) { r.everyRequest("Accept", "application/vnd.microsoft.com.ucwa+xml") }, nil},
	{"links as lists of one", func(r *recording) {
		r.json(partBefore, "_embedded/me/_links/makeMeAvailable", []any{map[string]any{"href": "/ucwa/oauth/v1/applications/10100000001/me/makeMeAvailable"}})
	}, nil},
	{"a percent-encoded path", func(r *recording) { r.url(partPresence, "/me/", "/%6De/") }, nil},
	{"sender null after a time-out", func(r *recording) { r.nth(partEvents, 0, "sender", nil) }, nil},
	{"Offwork reads back as Away", func(r *recording) {
		r.requestBody(partPresence, `{"availability":"Offwork"}`)
		r.nth(partRead, 1, "availability", "Away")
		r.nth(partRead, 2, "availability", "Away")
	}, map[string]reports.Verdict{"set-presence.6.received": reports.NotExercised}},
	{"a pending GET replaced by another", func(r *recording) {
		x := r.clone(r.parts[partEvents][0])
		x.Response.Code, x.Response.Body = 409, `{"code":"Conflict","subcode":"PGetReplaced"}`
		r.after(r.parts[partRead][0], x)
	}, nil},
	{"a pending GET given up", func(r *recording) {
		x := r.clone(r.parts[partEvents][1])
		x.Response = cassettes.Interaction{}.Response
		x.Failure = "context deadline exceeded"
		r.after(r.parts[partEvents][0], x)
	}, nil},
	{"a package repeated, since its ack was not sent", func(r *recording) {
		r.nth(partEvents, 0, "sender/0/events", []any{addedContact})
		r.after(r.parts[partEvents][0], r.clone(r.parts[partEvents][0]))
		r.foreign() // the client did not see that it was answered
	}, map[string]reports.Verdict{"set-presence.event.once": reports.Pass}},
	{"all told again after a resync", func(r *recording) {
		r.tellAgain()
		x := r.parts[partEvents][0]
		x.Response.Body = strings.Replace(x.Response.Body, `"next"`, `"resync"`, 1)
		y := r.parts[partEvents][1]
		y.Response.Body = strings.Replace(y.Response.Body, `"next"`, `"resume"`, 1)
	}, nil},
	{"the same presence again, which raises no event", func(r *recording) {
		again := r.clone(r.parts[partPresence][1])
		r.after(r.parts[partRead][2], again)
		silence := r.clone(r.parts[partEvents][1])
		silence.Request.URL = strings.Replace(silence.Request.URL, "ack=2", "ack=3", 1)
		silence.Response.Body = `{"_links":{"self":{"href":"/ucwa/oauth/v1/applications/10100000001/events?ack=3"},"next":{"href":"/ucwa/oauth/v1/applications/10100000001/events?ack=3"}}}`
		r.after(again, silence)
	}, map[string]reports.Verdict{"set-presence.event.presence": reports.Pass}},
	{"presence kept elsewhere than documented", func(r *recording) {
		for _, part := range []string{"presence-get-before", "presence-post-before"} {
			r.status(part, 404)
		}
		move := func(s string) string { return strings.ReplaceAll(s, "/me/presence", "/self/presence") }
		r.all(func(x cassettes.Exchange) {
			x.Response.Body = move(x.Response.Body)
			if x.Response.Code != 404 || !strings.Contains(x.Request.URL, "presence") {
				x.Request.URL = move(x.Request.URL)
			}
		})
	}, map[string]reports.Verdict{"set-presence.refusal.presence-get-before": reports.NotTested, "set-presence.6.status": reports.Pass}},
	{"no user for two refusals", func(r *recording) {
		for _, part := range []string{"anonymous", "modality"} {
			r.requestHeader(part, "User-Agent", "conform (probe nothing)")
		}
		r.cassette.Provenance.Absent = []string{"anonymous", "modality"}
	}, map[string]reports.Verdict{"set-presence.refusal.anonymous": reports.NotTested}},

	// Captures of other clients.
	{"a capture that begins at makeMeAvailable", func(r *recording) {
		r.keep(partMake, partAfter, partPresence)
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.1.link.present": reports.NotExercised, "set-presence.6.status": reports.Pass}},
	{"a capture that begins when the user is available", func(r *recording) {
		r.status(partMake, 409)
		r.body(partMake, `{"code":"Conflict","subcode":"AlreadyExists"}`)
		r.keep(partMake, partAfter, partPresence)
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.2.status": reports.NotExercised, "set-presence.refusal.make-again": reports.Pass, "set-presence.6.status": reports.Pass}},
	{"the presence of contacts among the events", func(r *recording) {
		contact := map[string]any{"rel": "people", "href": app + "/people", "events": []any{map[string]any{"type": "updated",
			"link": map[string]any{"rel": "presence", "href": app + "/people/lene@contoso.com/presence"}, "in": map[string]any{"rel": "contact", "href": app + "/people/lene@contoso.com"}}}}
		r.nth(partEvents, 0, "sender", []any{contact})
		r.client()
	}, map[string]reports.Verdict{"set-presence.event.me": reports.Pass, "set-presence.event.application": reports.Pass}},
	{"the presence of contacts alone", func(r *recording) {
		r.each(partEvents, func(x cassettes.Exchange) {
			x.Response.Body = setMember(r.t, x.Response.Body, "sender", []any{map[string]any{"rel": "people", "href": app + "/people", "events": []any{
				map[string]any{"type": "updated", "link": map[string]any{"rel": "presence", "href": app + "/people/lene@contoso.com/presence"}}}}})
		})
		r.client()
	}, map[string]reports.Verdict{"set-presence.event.me": reports.NotExercised, "set-presence.event.application": reports.NotExercised}},
	{"a capture that ends before the event", func(r *recording) {
		r.keep(partBefore, partMake, partAfter, partPresence, partEvents)
		r.confirming("sender/0/events/0/link/rel", "note")
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.event.presence": reports.NotExercised}},
	{"an application that was deleted while a GET pended", func(r *recording) {
		x := r.clone(r.parts[partEvents][1])
		x.Response.Code, x.Response.Body = 404, `{"code":"NotFound","subcode":"ApplicationNotFound"}`
		r.after(r.parts[partEnd][0], x)
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.event.status": reports.Pass, "set-presence.refusal.gone": reports.Pass}},
	{"a token that expired", func(r *recording) {
		x := r.clone(r.parts[partRead][1])
		x.Response.Code, x.Response.Body = 401, "<html>"
		x.Response.Headers = r.clone(r.parts["no-token"][0]).Response.Headers
		x.Request.Headers["Authorization"] = []string{"Bearer cwt=an-old-token"}
		r.after(r.parts[partRead][1], x)
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.6.read": reports.Pass}},
	{"modalities refused first, then fewer asked for", func(r *recording) {
		x := r.clone(r.parts[partMake][0])
		x.Response.Code, x.Response.Body = 403, `{"code":"Forbidden"}`
		r.after(r.parts[partBefore][0], x)
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.2.status": reports.Pass, "set-presence.refusal.modality": reports.Pass}},
	{"an error of something else", func(r *recording) {
		x := r.clone(r.parts[partBefore][0])
		x.Request.URL, x.Response.Code, x.Response.Body = "https://lyncweb.contoso.com/favicon.ico", 404, "<html>"
		x.Response.Headers = map[string][]string{"Content-Type": {"text/html"}}
		r.after(r.parts[partBefore][0], x)
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.refusal.json": reports.Pass}},
	{"what browsers and caches ask beside", func(r *recording) {
		for _, method := range []string{"OPTIONS", "HEAD"} {
			for _, code := range []int{204, 405} {
				r.insert(r.parts[partRead][0], r.parts[partPresence][0], func(x cassettes.Exchange) {
					x.Request.Method, x.Request.Body, x.Request.ContentLength = method, "", 0
					x.Request.Headers = map[string][]string{"Origin": {"http://app.contoso.com"}, "Accept": {"*/*"}}
					x.Response.Code = code
				})
			}
		}
		r.client()
	}, map[string]reports.Verdict{"set-presence.refusal.method-presence": reports.NotExercised, "set-presence.request.authorization": reports.Pass,
		"set-presence.request.x-ms-origin": reports.Pass, "set-presence.request.referer": reports.Pass, "set-presence.request.x-requested-with": reports.Pass}},
	{"the application as it was, by its etag", func(r *recording) {
		r.insert(r.parts[partAfter][0], r.parts[partAfter][0], func(x cassettes.Exchange) {
			x.Request.Headers["If-None-Match"] = []string{`"1"`}
			x.Response.Code, x.Response.Body = 304, ""
		})
		r.client()
	}, map[string]reports.Verdict{"set-presence.4.status": reports.Pass}},
	{"too many requests, and then another value", func(r *recording) {
		r.insert(r.parts[partRead][0], r.parts[partPresence][0], func(x cassettes.Exchange) {
			x.Request.Body = `{"availability":"Busy"}`
			x.Response.Code, x.Response.Headers["Retry-After"] = 429, []string{"60"}
		})
		r.client()
	}, map[string]reports.Verdict{"set-presence.6.status": reports.Pass}},
	{"a pending GET that a proxy ended", func(r *recording) {
		r.insert(r.parts[partRead][0], r.parts[partEvents][0], func(x cassettes.Exchange) {
			x.Response.Code, x.Response.Body = 504, "<html>"
			x.Response.Headers = map[string][]string{"Content-Type": {"text/html"}}
		})
		r.client()
	}, map[string]reports.Verdict{"set-presence.event.status": reports.Pass, "set-presence.event.follow": reports.Pass}},
	{"the Location of what was created, and a link in a batch", func(r *recording) {
		read := r.parts[partRead][0]
		ask := func(path string) {
			r.insert(read, read, func(x cassettes.Exchange) {
				x.Request.URL = strings.Replace(x.Request.URL, "/me/presence", path, 1)
			})
		}
		ask("/people/a")
		ask("/communication/invitations/12")
		r.insert(read, r.parts[partPresence][0], func(x cassettes.Exchange) {
			x.Request.URL = strings.Replace(x.Request.URL, "/me/presence", "/me/phones", 1)
			x.Response.Code, x.Response.Headers["Location"] = 201, []string{app + "/communication/invitations/12"}
		})
		r.insert(read, r.parts[partPresence][0], func(x cassettes.Exchange) {
			x.Request.URL = strings.Replace(x.Request.URL, "/me/presence", "/batch", 1)
			x.Response.Code, x.Response.Headers["Content-Type"] = 200, []string{"multipart/batching; boundary=y"}
			x.Response.Body = "--y\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + `{"_links":{"contact":{"href":"\/ucwa\/oauth\/v1\/applications\/10100000001\/people\/a"}}}` + "\r\n--y--"
		})
		r.client()
	}, map[string]reports.Verdict{"set-presence.nav.links": reports.Pass}},
	{"a message as text", func(r *recording) {
		r.insert(r.parts[partRead][0], r.parts[partPresence][0], func(x cassettes.Exchange) {
			x.Request.URL = strings.Replace(x.Request.URL, "/me/presence", "/communication", 1)
			x.Request.Headers["Content-Type"] = []string{"text/plain"}
		})
		r.client()
	}, map[string]reports.Verdict{"set-presence.request.content-type": reports.Pass}},
	{"Online again after a sign-in as Online, which raises no event", func(r *recording) {
		r.requestBody(partMake, `{"signInAs":"Online"}`)
		r.confirmNothing()
	}, map[string]reports.Verdict{"set-presence.event.presence": reports.NotExercised}},
	{"Online where nobody knows what was there, which raises no event", func(r *recording) { r.confirmNothing() },
		map[string]reports.Verdict{"set-presence.event.presence": reports.NotExercised}},
	{"idle by the time of the read", func(r *recording) {
		r.requestBody(partPresence, `{"availability":"Busy"}`)
		r.json(partRead, "availability", "IdleBusy")
		r.client()
	}, map[string]reports.Verdict{"set-presence.6.received": reports.Pass}},
	{"away twenty minutes later", func(r *recording) {
		r.requestBody(partPresence, `{"availability":"Online"}`)
		r.json(partRead, "availability", "Away")
		r.header(partRead, "Date", "Thu, 01 Jan 2026 00:20:00 GMT")
		r.client()
	}, map[string]reports.Verdict{"set-presence.6.received": reports.NotExercised}},
	{"a note changed twice, and told as added", func(r *recording) {
		note := map[string]any{"type": "added", "link": map[string]any{"rel": "note", "href": app + "/me/note"}}
		r.nth(partEvents, 0, "sender/0/events", []any{note, addedContact})
		r.nth(partEvents, 1, "sender/0/events", []any{note})
		r.client()
	}, map[string]reports.Verdict{"set-presence.event.once": reports.Pass}},
	{"an application created and never used", func(r *recording) {
		x := r.clone(r.parts[partBefore][0])
		x.Request.Method, x.Request.URL, x.Request.Body = "POST", "https://lyncweb.contoso.com/ucwa/oauth/v1/applications", `{"culture":"de-DE"}`
		x.Response.Code = 201
		x.Response.Headers["Location"] = []string{"/ucwa/oauth/v1/applications/10199999999"}
		x.Response.Body = strings.ReplaceAll(x.Response.Body, "10100000001", "10199999999")
		r.keep(partBefore, partMake, partAfter, partPresence, partRead, partEvents)
		r.after(r.cassette.Exchanges[0], x)
		r.foreign()
	}, nil},
}

func TestTolerated(t *testing.T) {
	if ownProcess(t) {
		return
	}
	judged, evidence := judgeAll(t, tolerated)
	for i, r := range judged {
		for _, x := range r.Results {
			if !evidence[i].Driven && x.Subject == "client" {
				continue // without their marks the probes are mistakes of the client
			}
			if x.Verdict == reports.Fail || x.Verdict == reports.Warn || x.Verdict == reports.Error {
				t.Errorf("%s: %s %s: expected %s; observed %s; %s", tolerated[i].name, x.Verdict, x.Requirement, x.Expected, x.Observed, x.Reason)
			}
		}
	}
}

// TestConclude holds how Ginkgo's states become verdicts, and that a spec which
// looked at nothing is no pass.
func TestConclude(t *testing.T) {
	looked := []observation{{"204", Field{Name: "status", Value: "200", x: &Exchange{Exchange: cassettes.Exchange{Interaction: &cassettes.Interaction{ID: 1}}}}}}
	for _, test := range []struct {
		name  string
		level string
		o     *outcome
		want  reports.Verdict
	}{
		{"passed", "must", &outcome{check: &check{looks: looked}, state: hasPassed}, reports.Pass},
		{"passed, but looked at nothing", "must", &outcome{check: &check{}, state: hasPassed}, reports.Error},
		{"a must failed", "must", &outcome{check: &check{looks: looked}, state: hasFailed}, reports.Fail},
		{"a should failed", "should", &outcome{check: &check{looks: looked}, state: hasFailed}, reports.Warn},
		{"skipped with a verdict", "must", &outcome{check: &check{verdict: reports.Blocked}, state: wasSkipped}, reports.Blocked},
		{"skipped by Ginkgo", "must", &outcome{check: &check{}, state: wasSkipped}, reports.Error},
		{"panicked", "must", &outcome{check: &check{looks: looked}, state: hasPanicked}, reports.Error},
		{"did not run", "must", nil, reports.Error},
	} {
		result := reports.Result{Level: test.level}
		if conclude(&result, test.o); result.Verdict != test.want {
			t.Errorf("%s: %q, expected %q", test.name, result.Verdict, test.want)
		}
	}
}

// TestReport holds what a report says beyond its verdicts.
func TestReport(t *testing.T) {
	if ownProcess(t) {
		return
	}
	warned, undeleted, extra, swapped, conflict := reference(t), reference(t), reference(t), reference(t), reference(t)
	warned.header(partMake, "Cache-Control", "")
	undeleted.status(partEnd, 500)
	undeleted.status("gone", 200)
	conflict.status(partMake, 409)
	extra.after(extra.parts[partEnd][0], extra.clone(extra.parts[partBefore][0]))
	a, b := swapped.parts["method-presence"][0], swapped.parts["method-makeMeAvailable"][0]
	*a.Interaction, *b.Interaction = *b.Interaction, *a.Interaction
	a.ID, b.ID = b.ID, a.ID

	replayed := []*Evidence{replay(t, extra.cassette), replay(t, swapped.cassette)}
	for i, e := range replayed {
		if len(e.Notes) != 1 || !strings.Contains(e.Notes[0], "not what today's driver would make of it") {
			t.Errorf("recording %d does not fit the driver, and the notes are %q", i, e.Notes)
		}
	}
	list := judge(t, Options{Strict: true}, warned.evidence(), undeleted.evidence(), conflict.evidence())
	if r := list[0]; !r.Strict || r.Outcome != reports.Nonconformant {
		t.Errorf("a should is broken in a strict run: %v, %s", r.Strict, r.Outcome)
	}
	if got := verdicts(list[1])["set-presence.refusal.gone"]; got != reports.Blocked {
		t.Errorf("the DELETE was refused: gone is %q", got)
	}
	if got := verdicts(list[2]); got["set-presence.2.status"] != reports.Fail || got["set-presence.4.status"] != reports.Pass || got["set-presence.6.status"] != reports.Pass {
		t.Errorf("409 on the first makeMeAvailable, and the user is available: %v", got)
	}
	for _, s := range list[0].Steps {
		if s.ID == "event" && s.Exchange <= warned.parts[partPresence][0].ID {
			t.Errorf("the event that confirms is shown in exchange %d, before the presence was set", s.Exchange)
		}
	}
}
