package suite

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

const (
	pass          = reports.Pass
	fail          = reports.Fail
	blocked       = reports.Blocked
	failed        = reports.Error
	notExercised  = reports.NotExercised
	notApplicable = reports.NotApplicable
)

// insert puts a changed copy of an exchange behind another.
func (r *recording) insert(behind, like cassettes.Exchange, edit func(x cassettes.Exchange)) {
	x := r.clone(like)
	edit(x)
	r.after(behind, x)
}

// readNote lets the note be read after the first presence.
func (r *recording) readNote(message string) {
	first := r.parts[partRead][0]
	r.insert(first, first, func(x cassettes.Exchange) {
		x.Request.URL = strings.Replace(x.Request.URL, "/presence", "/note", 1)
		setBody(x, fmt.Sprintf(`{"message":%q,"_links":{"self":{"href":"/ucwa/oauth/v1/applications/10100000001/me/note"}},"rel":"note"}`, message))
	})
}

// lose lets an exchange have no answer.
func lose(x *cassettes.Exchange, failure string) {
	x.Response = cassettes.Interaction{}.Response
	x.Failure = failure
}

// broken lets one exchange of a part have no answer.
func (r *recording) broken(part string, n int, failure string) {
	for i := range r.cassette.Exchanges {
		if x := &r.cassette.Exchanges[i]; x.Interaction == r.parts[part][n].Interaction {
			lose(x, failure)
		}
	}
}

// until drops what follows an exchange, but for the end of the application.
func (r *recording) until(last cassettes.Exchange) {
	for i, x := range r.cassette.Exchanges {
		if x.Interaction == last.Interaction {
			r.cassette.Exchanges = append(r.cassette.Exchanges[:i+1:i+1], r.parts[partEnd][0])
			return
		}
	}
}

const app = "/ucwa/oauth/v1/applications/10100000001"

// due are recordings, and the verdicts that are due to them: what is wrong must not
// hide behind what is not there, and the other way round.
var due = []variation{
	// A request without a token is refused for that, however it is answered.
	{"a request without a token that is redirected", func(r *recording) {
		r.insert(r.parts[partRead][0], r.parts[partPresence][0], func(x cassettes.Exchange) {
			setField(x.Request.Headers, "Authorization", "")
			x.Response.Code, x.Response.Headers["Location"] = 302, []string{"/signin"}
		})
		r.client()
	}, map[string]reports.Verdict{"set-presence.6.status": reports.Pass, "set-presence.refusal.no-token": reports.Fail}},
	{"a redirect where all tokens were taken out", func(r *recording) {
		r.insert(r.parts[partRead][0], r.parts[partPresence][0], func(x cassettes.Exchange) {
			x.Response.Code, x.Response.Headers["Location"] = 302, []string{"/signin"}
		})
		r.client()
		r.all(func(x cassettes.Exchange) { setField(x.Request.Headers, "Authorization", "") })
	}, map[string]reports.Verdict{"set-presence.refusal.no-token": notExercised}},

	// What was refused too early is not there later.
	{"an early presence that was refused and stored, as was the note", func(r *recording) {
		r.nth(partRead, 0, "availability", "BeRightBack")
		r.readNote("conform")
	}, map[string]reports.Verdict{"set-presence.refusal.unchanged": reports.Warn}},
	{"an early presence that the user had, and no note", func(r *recording) {
		r.nth(partRead, 0, "availability", "BeRightBack")
		r.readNote("")
	}, map[string]reports.Verdict{"set-presence.refusal.unchanged": reports.Pass}},
	{"an early presence that the user may have had", func(r *recording) { r.nth(partRead, 0, "availability", "BeRightBack") },
		map[string]reports.Verdict{"set-presence.refusal.unchanged": reports.Pass}},

	// A probe counts only if it is the mistake that it is marked as.
	{"a probe on another resource", func(r *recording) { r.url("availability", "/me/presence", "/me/other") },
		map[string]reports.Verdict{"set-presence.refusal.availability": notExercised}},
	{"a probe whose body is JSON", func(r *recording) { r.requestBody("not-json", `{"availability":"Away"}`) },
		map[string]reports.Verdict{"set-presence.refusal.not-json": notExercised}},
	{"a probe with a media type that is supported", func(r *recording) { r.requestHeader("media-type", "Content-Type", "application/json") },
		map[string]reports.Verdict{"set-presence.refusal.media-type": notExercised}},
	{"a probe with an availability that there is", func(r *recording) { r.requestBody("availability", `{"availability":"Away"}`) },
		map[string]reports.Verdict{"set-presence.refusal.availability": notExercised}},
	{"a probe without a token that has one", func(r *recording) { r.requestHeader("no-token", "Authorization", "Bearer cwt=x") },
		map[string]reports.Verdict{"set-presence.refusal.no-token": notExercised}},
	{"a probe with a bad token that has the good one", func(r *recording) {
		r.requestHeader("bad-token", "Authorization", r.parts[partBefore][0].Request.Headers["Authorization"][0])
	}, map[string]reports.Verdict{"set-presence.refusal.bad-token": notExercised}},
	{"a probe of an origin that is allowed", func(r *recording) {
		r.requestHeader("origin", "X-Ms-Origin", r.parts[partBefore][0].Request.Headers["X-Ms-Origin"][0])
	}, map[string]reports.Verdict{"set-presence.refusal.origin": notExercised}},
	{"a probe of a method that there is", func(r *recording) {
		r.each("method-presence", func(x cassettes.Exchange) { x.Request.Method = "GET" })
	}, map[string]reports.Verdict{"set-presence.refusal.method-presence": notExercised}},
	{"a probe of makeMeAvailable again that comes first", func(r *recording) {
		r.insert(r.parts[partBefore][0], r.parts["make-again"][0], func(cassettes.Exchange) {})
		r.each("make-again", func(x cassettes.Exchange) { x.Request.Headers["User-Agent"] = []string{"conform (probe nothing)"} })
	}, map[string]reports.Verdict{"set-presence.refusal.make-again": notExercised}},
	{"a probe of the application's end while it lives", func(r *recording) {
		r.insert(r.parts[partRead][0], r.parts["gone"][0], func(cassettes.Exchange) {})
		r.requestHeader("gone", "User-Agent", "conform (probe nothing)")
	}, map[string]reports.Verdict{"set-presence.refusal.gone": notExercised}},
	{"another user's probe on the own application", func(r *recording) { r.url("anonymous", "10100000002", "10100000001") },
		map[string]reports.Verdict{"set-presence.refusal.anonymous": notExercised}},
	{"another user whose application cannot be had", func(r *recording) {
		r.all(func(x cassettes.Exchange) {
			if strings.Contains(x.Request.Headers["User-Agent"][0], "setup") {
				x.Response.Code = 404
			}
		})
		r.requestHeader("anonymous", "User-Agent", "conform (probe nothing)")
	}, map[string]reports.Verdict{"set-presence.refusal.anonymous": blocked}},
	{"the note in another form of its path, and refused where it is asked", func(r *recording) {
		r.all(func(x cassettes.Exchange) {
			x.Response.Body = strings.ReplaceAll(x.Response.Body, "/me/note", "/me/Note")
		})
	}, map[string]reports.Verdict{"set-presence.refusal.note-get-before": pass}},
	{"the note in another form of its path, and granted where it is asked", func(r *recording) {
		r.all(func(x cassettes.Exchange) {
			x.Response.Body = strings.ReplaceAll(x.Response.Body, "/me/note", "/me/Note")
		})
		r.status("note-get-before", 200)
	}, map[string]reports.Verdict{"set-presence.refusal.note-get-before": fail, "set-presence.refusal.note-post-before": pass}},
	{"the note kept elsewhere, and forbidden where it is not", func(r *recording) {
		r.all(func(x cassettes.Exchange) {
			x.Response.Body = strings.ReplaceAll(x.Response.Body, "/me/note", "/my/note")
		})
		r.status("note-get-before", 403)
	}, map[string]reports.Verdict{"set-presence.refusal.note-get-before": notExercised}},
	{"the note kept elsewhere, and not found where it is not", func(r *recording) {
		r.all(func(x cassettes.Exchange) {
			x.Response.Body = strings.ReplaceAll(x.Response.Body, "/me/note", "/my/note")
		})
		r.status("note-get-before", 404)
	}, map[string]reports.Verdict{"set-presence.refusal.note-get-before": reports.NotTested, "set-presence.refusal.presence-get-before": pass}},

	// A failure of the network hides nothing of what was answered, and is not hidden.
	{"one read fails, another is wrong", func(r *recording) {
		r.broken(partRead, 0, "connection reset by peer")
		r.parts[partRead][1].Response.Code = 500
	}, map[string]reports.Verdict{"set-presence.6.read": fail}},
	{"one read fails, the others are right", func(r *recording) { r.broken(partRead, 0, "connection reset by peer") },
		map[string]reports.Verdict{"set-presence.6.read": failed, "set-presence.6.received": failed}},
	{"a pending GET fails, the others confirm", func(r *recording) { r.broken(partEvents, 0, "connection reset by peer") },
		map[string]reports.Verdict{"set-presence.event.status": failed, "set-presence.event.presence": pass}},
	{"the run breaks off at a probe", func(r *recording) {
		r.broken("method-presence", 0, errPatience.Error())
		r.until(r.parts["method-presence"][0])
	}, map[string]reports.Verdict{"set-presence.reset.status": failed, "set-presence.6.status": pass}},

	// Only a server that was waited for is silent.
	{"nothing comes in the time there is", func(r *recording) { r.broken(partEvents, 1, errPatience.Error()) },
		map[string]reports.Verdict{"set-presence.event.presence": fail}},
	{"interrupted while the event was waited for", func(r *recording) {
		r.broken(partEvents, 1, "context canceled")
		r.until(r.parts[partEvents][1])
	}, map[string]reports.Verdict{"set-presence.event.presence": notExercised}},
	{"no time left while the event was waited for", func(r *recording) {
		r.broken(partEvents, 1, "context deadline exceeded")
		r.until(r.parts[partEvents][1])
	}, map[string]reports.Verdict{"set-presence.event.presence": notExercised}},
	{"no way on after the first package", func(r *recording) {
		r.nth(partEvents, 1, "sender", []any{})
		r.nth(partEvents, 1, "_links/next", gone)
	}, map[string]reports.Verdict{"set-presence.event.presence": blocked, "set-presence.event.next": fail}},
	{"one event for two settings", func(r *recording) { r.nth(partEvents, 2, "sender", []any{}) },
		map[string]reports.Verdict{"set-presence.event.presence": fail}},

	// Excuses of a capture must be true.
	{"404 of an application that lives", func(r *recording) {
		r.parts[partRead][1].Response.Code, r.parts[partRead][1].Response.Body = 404, `{"code":"NotFound","subcode":"ApplicationNotFound"}`
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.6.read": fail}},
	{"an application that ended by silence", func(r *recording) {
		read := r.parts[partRead][1]
		r.until(read)
		r.cassette.Exchanges = r.cassette.Exchanges[:len(r.cassette.Exchanges)-1]
		read.Response.Code, read.Response.Body = 404, `{"code":"NotFound","subcode":"ApplicationNotFound"}`
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.6.read": pass, "set-presence.refusal.gone": pass}},
	{"403 to a token that nobody issued", func(r *recording) {
		r.parts[partRead][1].Response.Code = 403
		r.parts[partRead][1].Request.Headers["Authorization"] = []string{"Bearer cwt=nobodys"}
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.6.read": fail}},
	{"403 to the token of another host", func(r *recording) {
		r.parts[partRead][1].Response.Code = 403
		r.parts[partRead][1].Request.Headers["Authorization"] = []string{"Bearer cwt=of-another-host"}
		r.insert(r.parts[partBefore][0], r.parts[partBefore][0], func(x cassettes.Exchange) {
			x.Request.Method, x.Request.URL = "POST", "https://pool2.contoso.com/WebTicket/oauthtoken"
			x.Request.Headers = map[string][]string{}
			x.Response.Headers = map[string][]string{"Content-Type": {"application/json"}}
			x.Response.Body = `{"access_token":"cwt=of-another-host"}`
		})
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.6.read": pass}},
	{"401 to a token that goes on to work", func(r *recording) {
		r.parts[partRead][1].Response.Code = 401
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.6.read": fail}},
	{"the token's host asks for NTLM", func(r *recording) {
		for _, token := range []string{"", "Negotiate TlRMTVNTUAAB"} {
			r.insert(r.parts[partBefore][0], r.parts["no-token"][0], func(x cassettes.Exchange) {
				x.Request.Method, x.Request.URL = "POST", "https://lyncweb.contoso.com/WebTicket/oauthtoken"
				setField(x.Request.Headers, "Authorization", token)
				x.Response.Headers = map[string][]string{"Www-Authenticate": {"Negotiate", "NTLM"}}
			})
		}
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.refusal.no-token": pass, "set-presence.refusal.challenge": pass}},
	{"busy first, then served", func(r *recording) {
		r.insert(r.parts[partRead][0], r.parts[partPresence][0], func(x cassettes.Exchange) {
			x.Response.Code, x.Response.Body = 503, "busy"
			x.Response.Headers["Retry-After"] = []string{"1"}
		})
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.6.status": pass}},
	{"busy, and never served", func(r *recording) {
		r.each(partPresence, func(x cassettes.Exchange) {
			x.Response.Code, x.Response.Headers["Retry-After"] = 503, []string{"1"}
		})
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.6.status": notExercised}},
	{"the read after two changes", func(r *recording) {
		r.parts[partRead][1].Response.Body = strings.Replace(r.parts[partRead][1].Response.Body, "DoNotDisturb", "Away", 1)
		for range 2 {
			r.insert(r.parts[partEvents][1], r.parts[partEvents][1], func(x cassettes.Exchange) {})
		}
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.6.received": pass}},
	{"the event overtakes the answer", func(r *recording) {
		r.keep(partBefore, partMake, partAfter, partPresence, partRead, partEvents)
		var list []cassettes.Exchange
		for _, x := range r.cassette.Exchanges {
			later := func(y cassettes.Exchange) bool { return y.Interaction == x.Interaction }
			switch {
			case x.Interaction == r.parts[partPresence][1].Interaction:
				list = append(list, r.parts[partEvents][1], x)
			case x.Interaction == r.parts[partEvents][1].Interaction, slices.ContainsFunc(slices.Concat(r.parts[partPresence][:1], r.parts[partPresence][2:], r.parts[partEvents][3:]), later):
			case x.Interaction == r.parts[partEvents][2].Interaction:
				x.Response.Body = `{"_links":{"self":{"href":"events?ack=3"},"next":{"href":"events?ack=3"}}}`
				list = append(list, x)
			default:
				list = append(list, x)
			}
		}
		for i := range list {
			list[i].ID = i + 1
		}
		r.cassette.Exchanges = list
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.event.presence": notExercised}},

	// What recorders and clients do.
	{"a capture without makeMeAvailable", func(r *recording) {
		r.keep(partBefore, partAfter, partPresence)
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.4.status": pass, "set-presence.1.absent.presence": pass}},
	{"409 to the first makeMeAvailable seen, and the client goes on", func(r *recording) {
		r.status(partMake, 409)
		r.body(partMake, `{"code":"Conflict","subcode":"AlreadyExists"}`)
		r.json(partAfter, "_embedded/me/_links/presence", gone)
	}, map[string]reports.Verdict{"set-presence.4.me.links.presence": fail, "set-presence.6.read": pass}},
	{"made available again, where nobody saw the first time", func(r *recording) {
		r.keep("make-again", partRead, "availability")
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.refusal.make-again": pass, "set-presence.6.read": pass, "set-presence.nav.order": pass}},
	{"presence set in XML", func(r *recording) {
		r.each(partPresence, func(x cassettes.Exchange) {
			x.Request.Headers["Content-Type"] = []string{"application/xml"}
			x.Request.Body = `<input xmlns="` + ucwa.XMLNamespace + `"><property name="availability">` + strings.Split(x.Request.Body, `"`)[3] + `</property></input>`
		})
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.6.received": pass, "set-presence.6.status": pass, "set-presence.refusal.not-json": pass}},
	{"a body that the recorder lost", func(r *recording) {
		r.each(partPresence, func(x cassettes.Exchange) { x.Request.Body = "" })
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.6.status": notExercised, "set-presence.reset.status": pass}},
	{"a name twice in a request", func(r *recording) {
		r.requestBody(partPresence, `{"availability":"Away","availability":"Busy"}`)
		r.foreign()
	}, map[string]reports.Verdict{"set-presence.refusal.not-json": pass}},
	{"a body that its recorder kept compressed", func(r *recording) {
		r.each(partAfter, func(x cassettes.Exchange) {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write([]byte(x.Response.Body))
			_ = z.Close()
			x.Response.Body = b.String()
			x.Response.Headers["Content-Encoding"] = []string{"gzip"}
			x.Response.Headers["Content-Length"] = []string{fmt.Sprint(b.Len())}
		})
	}, map[string]reports.Verdict{"set-presence.4.json": pass, "set-presence.4.media": pass}},
	{"an application created again", func(r *recording) {
		r.insert(r.parts[partBefore][0], r.parts[partBefore][0], func(x cassettes.Exchange) {
			x.Request.Method, x.Request.URL, x.Request.Body = "POST", "https://lyncweb.contoso.com/ucwa/oauth/v1/applications", `{"culture":"de-DE"}`
		})
	}, map[string]reports.Verdict{"set-presence.4.culture": pass}},
	{"an application created with a culture in other casing", func(r *recording) {
		r.insert(r.parts[partBefore][0], r.parts[partBefore][0], func(x cassettes.Exchange) {
			x.Request.Method, x.Request.URL, x.Request.Body = "POST", "https://lyncweb.contoso.com/ucwa/oauth/v1/applications", `{"culture":"en-us"}`
			x.Response.Code = 201
		})
	}, map[string]reports.Verdict{"set-presence.4.culture": pass}},
	{"a redirect before the application", func(r *recording) {
		r.insert(r.parts[partBefore][0], r.parts[partBefore][0], func(x cassettes.Exchange) {
			x.Request.URL = strings.Replace(x.Request.URL, "/ucwa/oauth/v1/", "/ucwa/v1/", 1)
			x.Request.Headers = map[string][]string{"User-Agent": {"conform"}}
			x.Response.Code = 307
		})
	}, map[string]reports.Verdict{"set-presence.request.authorization": pass, "set-presence.nav.links": pass}},
	{"a contact's presence beside the user's", func(r *recording) {
		r.json(partAfter, "_embedded/people/_embedded", map[string]any{"contact": []any{map[string]any{
			"rel": "contact", "_links": map[string]any{"presence": map[string]any{"href": app + "/people/a/presence"}}}}})
	}, map[string]reports.Verdict{"set-presence.4.cache": pass}},
	{"one resource in two collections", func(r *recording) {
		added := func(in string) map[string]any {
			return map[string]any{"type": "added", "link": map[string]any{"rel": "contact", "href": app + "/people/a"},
				"in": map[string]any{"rel": "group", "href": app + "/groups/" + in}}
		}
		r.nth(partEvents, 0, "sender/0/events", []any{added("1"), added("2")})
	}, map[string]reports.Verdict{"set-presence.event.once": pass}},
	{"one resource twice in one collection", func(r *recording) {
		added := map[string]any{"type": "added", "link": map[string]any{"rel": "contact", "href": app + "/people/a"},
			"in": map[string]any{"rel": "group", "href": app + "/groups/1"}}
		r.nth(partEvents, 0, "sender/0/events", []any{added})
		r.nth(partEvents, 1, "sender/0/events", []any{added})
	}, map[string]reports.Verdict{"set-presence.event.once": fail}},
	{"the last pending GET is cancelled, as a client ends", func(r *recording) {
		x := r.clone(r.parts[partEvents][2])
		x.Request.URL = strings.Replace(x.Request.URL, "ack=3", "ack=4", 1)
		lose(&x, "context canceled")
		r.after(r.parts[partRead][4], x)
	}, map[string]reports.Verdict{"set-presence.event.status": pass, "set-presence.event.presence": pass}},
	{"a misread before the refusals", func(r *recording) { r.nth(partRead, 7, "availability", "Away") },
		map[string]reports.Verdict{"set-presence.6.received": fail, "set-presence.refusal.unchanged": blocked}},
	{"no events link where its ack is asked", func(r *recording) { r.json(partAfter, "_links/events", gone) },
		map[string]reports.Verdict{"set-presence.4.links.events-ack": blocked}},
	{"the server sends values that no verdict can compare", func(r *recording) {
		r.json(partAfter, "culture", map[string]any{})
		r.json(partAfter, "rel", []any{})
		r.json(partRead, "availability", map[string]any{})
	}, map[string]reports.Verdict{"set-presence.4.culture": fail, "set-presence.4.rel": fail, "set-presence.6.availability": fail}},
	{"a pending GET goes back to an ack that was acknowledged", func(r *recording) {
		r.parts[partEvents][2].Request.URL = strings.Replace(r.parts[partEvents][2].Request.URL, "ack=3", "ack=2", 1)
	}, map[string]reports.Verdict{"set-presence.event.follow": fail}},
	{"the token goes to another host", func(r *recording) {
		r.insert(r.parts[partRead][0], r.parts[partRead][0], func(x cassettes.Exchange) { x.Request.URL = "https://evil.example/x" })
	}, map[string]reports.Verdict{"set-presence.request.token-origin": fail, "set-presence.nav.links": fail}},
	{"a path that no link served", func(r *recording) {
		r.insert(r.parts[partRead][0], r.parts[partRead][0], func(x cassettes.Exchange) {
			x.Request.URL = "https://lyncweb.contoso.com/ucwa/oauth/v1/presence"
		})
	}, map[string]reports.Verdict{"set-presence.nav.links": fail, "set-presence.request.token-origin": pass}},
}

func TestDue(t *testing.T) {
	if ownProcess(t) {
		return
	}
	judgeAll(t, due)
}

// variation is a recording made from the reference recording, and verdicts that
// are due to it.
type variation struct {
	name string
	edit func(*recording)
	due  map[string]reports.Verdict
}

// judgeAll judges variations and expects what is due. It returns their reports and evidence.
func judgeAll(t *testing.T, list []variation) ([]*reports.Report, []*Evidence) {
	t.Helper()
	var evidence []*Evidence
	for _, v := range list {
		r := reference(t)
		v.edit(r)
		evidence = append(evidence, r.evidence())
	}
	judged := judge(t, Options{}, evidence...)
	for i, r := range judged {
		for _, x := range r.Results {
			if want := list[i].due[x.Requirement]; want != "" && want != x.Verdict {
				t.Errorf("%s: %s is %q, expected %q: expected %s; observed %s; %s %v",
					list[i].name, x.Requirement, x.Verdict, want, x.Expected, x.Observed, x.Reason, x.Evidence)
			}
		}
	}
	return judged, evidence
}

// TestRefused holds what cannot be evidence, and that it is refused with a reason
// instead of a panic.
func TestRefused(t *testing.T) {
	absent := open(t, "reference/set-presence")
	absent.Provenance.Absent = []string{"presence"}
	empty := &cassettes.Cassette{Name: "empty", Provenance: cassettes.Provenance{Task: "set-presence"}}
	hollow := &cassettes.Cassette{Name: "hollow", Exchanges: make([]cassettes.Exchange, 1)}
	for _, test := range []struct {
		name   string
		refuse func() error
		says   string
	}{
		{"a capability that there is not", func() error { _, err := Locate(absent); return err }, `conform.absent: "presence"`},
		{"an empty exchange", func() error { _, err := Locate(hollow); return err }, "exchange 1 of 1 is empty"},
		{"an unknown task", func() error { _, err := Locate(absent, "presence"); return err }, `did you mean "set-presence"`},
		{"replay of a stock recording", func() error { _, err := Replay(t.Context(), &cassettes.Cassette{Name: "stock"}); return err }, "Locate"},
		{"replay of nothing", func() error { _, err := Replay(t.Context(), empty); return err }, "empty"},
		{"no evidence", func() error { _, err := Judge(Options{}); return err }, "no evidence"},
		{"nil evidence", func() error { _, err := Judge(Options{}, nil); return err }, "is nil"},
		{"gathering for an unknown task", func() error {
			list := Gather(t.Context(), Target{Tasks: []string{"presence"}, Application: "https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101"})
			_, err := Judge(Options{}, list...)
			return err
		}, "unknown task"},
		{"gathering from no URL", func() error {
			list := Gather(t.Context(), Target{Application: "lyncweb"})
			return errors.New(strings.Join(list[0].Notes, "\n"))
		}, "absolute http or https URL"},
	} {
		if err := test.refuse(); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, expected an error that says %q", test.name, err, test.says)
		}
	}
}
