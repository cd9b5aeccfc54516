package suite

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// whole leaves what a client does by itself from the first exchange on, as if
// somebody else's client had done it.
func (r *recording) whole() {
	r.cassette.Exchanges = slices.DeleteFunc(r.cassette.Exchanges, func(x cassettes.Exchange) bool {
		return strings.Contains(strings.Join(x.Request.Headers["User-Agent"], ""), "probe")
	})
	r.foreign()
	r.tasks = Tasks()
}

var anyToken = regexp.MustCompile(`cwt=[^"\s]+`)

// tokensMasked puts the same in the place of every token.
func (r *recording) tokensMasked(mask string) {
	r.whole()
	r.all(func(x cassettes.Exchange) {
		for _, values := range x.Request.Headers {
			for i, v := range values {
				values[i] = anyToken.ReplaceAllLiteralString(v, mask)
			}
		}
		x.Response.Body = anyToken.ReplaceAllLiteralString(x.Response.Body, mask)
	})
}

// masked are what recorders and people take out of their captures before they show
// them: nothing of it may be held against anybody, and what it hides is not exercised.
var maskedCaptures = []variation{
	{"nothing masked", (*recording).whole, map[string]reports.Verdict{"create-application.4.token-host": reports.Pass, "create-application.3.grant": reports.Pass,
		"create-application.3.fields": reports.Pass, "create-application.3.access_token": reports.Pass, "create-application.3.json": reports.Pass,
		"create-application.2.no-token": reports.Pass}},
	{"one placeholder for all tokens", func(r *recording) { r.tokensMasked("cwt=REDACTED") },
		map[string]reports.Verdict{"create-application.4.token-host": reports.NotExercised}},
	{"one placeholder that is no token", func(r *recording) { r.tokensMasked("***") },
		map[string]reports.Verdict{"create-application.4.token-host": reports.NotExercised, "create-application.3.access_token": reports.NotExercised,
			"create-application.3.token_type": reports.Pass, "create-application.3.expires_in": reports.Pass}},
	{"one placeholder, and one of the two token answers", func(r *recording) {
		r.tokensMasked("cwt=REDACTED")
		second := r.parts[partToken][1].Interaction
		r.cassette.Exchanges = slices.DeleteFunc(r.cassette.Exchanges, func(x cassettes.Exchange) bool { return x.Interaction == second })
	}, map[string]reports.Verdict{"create-application.4.token-host": reports.NotExercised}},
	{"tokens masked in the answers alone", func(r *recording) {
		r.whole()
		r.each(partToken, func(x cassettes.Exchange) {
			x.Response.Body = anyToken.ReplaceAllLiteralString(x.Response.Body, "[hidden]")
		})
	}, map[string]reports.Verdict{"create-application.3.access_token": reports.NotExercised}},
	{"answers with tokens dropped", func(r *recording) { r.whole(); r.body(partToken, "") },
		map[string]reports.Verdict{"create-application.3.access_token": reports.NotExercised, "create-application.3.json": reports.NotExercised,
			"create-application.3.token_type": reports.NotExercised, "create-application.3.expires_in": reports.NotExercised, "create-application.3.status": reports.Pass}},
	{"answers with tokens masked", func(r *recording) { r.whole(); r.body(partToken, "***") },
		map[string]reports.Verdict{"create-application.3.access_token": reports.NotExercised, "create-application.3.json": reports.NotExercised}},
	{"requests with passwords dropped", func(r *recording) {
		r.whole()
		r.each(partToken, func(x cassettes.Exchange) { x.Request.Body = "" })
	}, map[string]reports.Verdict{"create-application.3.grant": reports.NotExercised, "create-application.3.fields": reports.NotExercised}},
	{"requests with passwords masked", func(r *recording) { r.whole(); r.requestBody(partToken, "***") },
		map[string]reports.Verdict{"create-application.3.grant": reports.NotExercised, "create-application.3.fields": reports.NotExercised,
			"create-application.refusal.grant-missing": reports.NotExercised}},
	{"every field of those masked", func(r *recording) {
		r.whole()
		r.requestBody(partToken, url.Values{"grant_type": {"***"}, "username": {"***"}, "password": {"***"}}.Encode())
	}, map[string]reports.Verdict{"create-application.3.grant": reports.NotExercised, "create-application.refusal.grant-unsupported": reports.NotExercised}},
	{"the fields alone dropped", func(r *recording) { r.whole(); r.requestBody(partToken, "grant_type=password") },
		map[string]reports.Verdict{"create-application.3.grant": reports.Pass, "create-application.3.fields": reports.NotExercised}},
	{"a challenge learnt at applications", func(r *recording) {
		r.whole()
		first := slices.IndexFunc(r.cassette.Exchanges, func(x cassettes.Exchange) bool { return strings.HasSuffix(x.Request.URL, "/applications") })
		r.cassette.Exchanges = r.cassette.Exchanges[first:]
	}, map[string]reports.Verdict{"create-application.2.no-token": reports.Pass}},
}

func TestMaskedCaptures(t *testing.T) {
	if ownProcess(t) {
		return
	}
	var list []variation
	for _, v := range maskedCaptures {
		edit := v.edit
		v.edit = func(r *recording) { // of several hosts, each of which has tokens of its own
			*r = *recordingOfAll(t, recordReference(t, "https://webdir.contoso.com").Redacted())
			edit(r)
		}
		list = append(list, v)
	}
	judged, _ := judgeAll(t, list)
	for i, r := range judged {
		for _, x := range r.Results {
			if x.Verdict == reports.Fail || x.Verdict == reports.Warn || x.Verdict == reports.Error {
				t.Errorf("%s: %s %s: expected %s; observed %s; %s", maskedCaptures[i].name, x.Verdict, x.Requirement, x.Expected, x.Observed, x.Reason)
			}
			if x.Verdict == reports.NotExercised && strings.TrimSpace(x.Reason) == "" {
				t.Errorf("%s: %s has no reason", maskedCaptures[i].name, x.Requirement)
			}
		}
	}
}

// TestServerNamesItself holds that a report says what the server called itself in its answers, whatever the head of the
// recording says.
func TestServerNamesItself(t *testing.T) {
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	c.Provenance.Server = "Microsoft-IIS/10.0"
	list, err := Locate(c)
	if err != nil {
		t.Fatal(err)
	}
	if got := list[0].Server; got != "ucwatest" {
		t.Errorf("the server is called %q, expected ucwatest", got)
	}
}

// TestNotesOfAnOldChecksum holds that a report says what the checksum of its recording does not cover.
func TestNotesOfAnOldChecksum(t *testing.T) {
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	for covers, want := range map[string]bool{"file": false, "": true} {
		c.Provenance.Covers = covers
		list, err := Locate(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(list[0].Notes, "\n"), "does not cover its head"); got != want {
			t.Errorf("covers %q: told %v, want %v", covers, got, want)
		}
	}
}
