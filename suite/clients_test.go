package suite

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// someone returns the exchanges of the reference recording, without its probes, as those
// of somebody else's client.
func someone(t testing.TB) []cassettes.Exchange {
	t.Helper()
	c, err := cassettes.Open("reference/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	c = c.Redacted()
	c.Provenance = cassettes.Provenance{}
	var list []cassettes.Exchange
	for _, x := range c.Exchanges {
		if probeMark.MatchString(x.Request.Headers.Get("User-Agent")) {
			continue
		}
		setField(x.Request.Headers, "User-Agent", "somebody/1.0")
		list = append(list, x)
	}
	return list
}

func locateAll(t *testing.T, c *cassettes.Cassette) []*Evidence {
	t.Helper()
	for i := range c.Exchanges {
		c.Exchanges[i].ID = i + 1
	}
	list, err := Locate(c, Tasks()...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// another returns the same exchanges as those of another application: of another user,
// with tokens of its own, or of the same.
func another(list []cassettes.Exchange, sameUser bool) []cassettes.Exchange {
	if sameUser {
		return renamed(list, 0)
	}
	return renamed(list, 1)
}

var (
	tokenIn = regexp.MustCompile(`REDACTED-(\d+)`)
	ackIn   = regexp.MustCompile(`ack=\d+`)
)

// renamed returns the same exchanges as those of another application, of the nth other
// user; of the same user, if n is 0.
func renamed(list []cassettes.Exchange, n int) []cassettes.Exchange {
	rename := func(s string) string {
		s = strings.ReplaceAll(s, "10100000001", fmt.Sprintf("202000000%02d", n+1))
		if n == 0 {
			return s
		}
		s = tokenIn.ReplaceAllStringFunc(s, func(found string) string {
			number, _ := strconv.Atoi(strings.TrimPrefix(found, "REDACTED-"))
			return fmt.Sprintf("REDACTED-%d", number+500*n)
		})
		who := strings.Repeat("lee", n)
		return strings.NewReplacer("dana@", who+"@", "dana%40", who+"%40", "Dana", "Lee").Replace(s)
	}
	renamed := (&cassettes.Cassette{Exchanges: list}).Redacted().Exchanges
	for _, x := range renamed {
		anew(x, rename)
	}
	return renamed
}

// anew changes every text of an exchange that may name somebody, and keeps its lengths true.
func anew(x cassettes.Exchange, rename func(string) string) {
	for _, text := range []*string{&x.Request.URL, &x.Request.Body, &x.Response.Body} {
		*text = rename(*text)
	}
	for _, h := range []map[string][]string{x.Request.Headers, x.Response.Headers} {
		for _, values := range h {
			for i := range values {
				values[i] = rename(values[i])
			}
		}
	}
	setField(x.Request.Headers, "Content-Length", fmt.Sprint(len(x.Request.Body)))
	if len(cassettes.HeaderValues(x.Request.Headers, "Content-Length")) > 0 && x.Request.Body == "" {
		delete(x.Request.Headers, "Content-Length")
	}
	x.Request.ContentLength = int64(len(x.Request.Body))
	delete(x.Response.Headers, "Content-Length")
}

// begins is the number of exchanges until the application is there.
func begins(list []cassettes.Exchange) int {
	for i, x := range list {
		if x.Response.Code == 201 {
			return i + 1
		}
	}
	return 0
}

func merged(a, b []cassettes.Exchange) *cassettes.Cassette {
	c := &cassettes.Cassette{Name: "merged"}
	for i := range max(len(a), len(b)) {
		if i < len(a) {
			c.Exchanges = append(c.Exchanges, a[i])
		}
		if i < len(b) {
			c.Exchanges = append(c.Exchanges, b[i])
		}
	}
	return c
}

func verdictsOn(t testing.TB, e *Evidence) map[string]reports.Verdict {
	t.Helper()
	results, err := Examine(e)
	if err != nil {
		t.Fatal(err)
	}
	verdicts := map[string]reports.Verdict{}
	for _, r := range results {
		verdicts[r.Requirement] = r.Verdict
	}
	return verdicts
}

// TestTwoUsers holds that two users in one capture, who do everything at the same time
// once they have signed in, have the verdicts that each has alone.
func TestTwoUsers(t *testing.T) {
	dana := someone(t)
	lee := another(dana, false)
	n := begins(dana)
	if n == 0 {
		t.Fatal("the recording creates no application")
	}
	c := merged(nil, nil)
	c.Exchanges = append(append(c.Exchanges, dana[:n]...), lee[:n]...)
	c.Exchanges = append(c.Exchanges, merged(dana[n:], lee[n:]).Exchanges...)
	alone := []map[string]reports.Verdict{verdictsOn(t, locateAll(t, merged(dana, nil))[0]), verdictsOn(t, locateAll(t, merged(lee, nil))[0])}
	list := locateAll(t, c)
	if len(list) != 2 || list[0].User() != "sip:dana@contoso.com" || list[1].User() != "sip:lee@contoso.com" {
		t.Fatalf("found %d: %q", len(list), list[0].User())
	}
	for i, e := range list {
		if len(e.Exchanges) != len(dana) || len(e.Recording.Exchanges) != len(dana) {
			t.Errorf("client %d has %d exchanges, expected %d", i+1, len(e.Exchanges), len(dana))
		}
		for id, v := range verdictsOn(t, e) {
			if v != alone[i][id] {
				t.Errorf("client %d: %s: %s, alone %s", i+1, id, v, alone[i][id])
			}
		}
	}
}

// TestTwoApplications holds that a second application of one user is another client,
// which has the sign-in too.
func TestTwoApplications(t *testing.T) {
	first := someone(t)
	second := another(first, true)
	n := begins(first)
	c := merged(nil, nil)
	c.Exchanges = append(append(c.Exchanges, first[:n]...), second[n-1])
	c.Exchanges = append(c.Exchanges, merged(first[n:], second[n:]).Exchanges...)
	list := locateAll(t, c)
	if len(list) != 2 || list[0].Application() == list[1].Application() {
		t.Fatalf("found %d", len(list))
	}
	for i, e := range list {
		if v := verdictsOn(t, e)["create-application.3.status"]; v != reports.Pass {
			t.Errorf("client %d: the sign-in: %s", i+1, v)
		}
		if v := verdictsOn(t, e)["set-presence.2.status"]; v != reports.Pass {
			t.Errorf("client %d: makeMeAvailable: %s", i+1, v)
		}
		if len(e.parts[partCreate]) != 1 {
			t.Errorf("client %d: created %d times", i+1, len(e.parts[partCreate]))
		}
	}
}

// TestTokenElsewhere holds that a token which goes to another origin is found wherever
// it stands, and held against the client to whom it belongs.
func TestTokenElsewhere(t *testing.T) {
	const id = "set-presence.request.token-origin"
	dana := someone(t)
	lee := another(dana, false)
	token := ""
	for _, x := range lee {
		if strings.HasSuffix(x.Request.URL, "/me/makeMeAvailable") && x.Response.Code == 204 {
			token = strings.TrimPrefix(x.Request.Headers.Get("Authorization"), "Bearer ")
		}
	}
	if token == "" {
		t.Fatal("the recording shows no token")
	}
	n := begins(dana)
	for name, leak := range map[string]func(x cassettes.Exchange){
		"URL":    func(x cassettes.Exchange) { x.Request.URL += "?t=" + strings.ReplaceAll(token, "=", "%253D") },
		"body":   func(x cassettes.Exchange) { x.Request.Body = `{"token":"` + token + `"}` },
		"header": func(x cassettes.Exchange) { x.Request.Headers.Set("X-Debug", token) },
		"Bearer": func(x cassettes.Exchange) { x.Request.Headers.Set("Authorization", "Bearer "+token) },
		"none":   func(cassettes.Exchange) {},
	} {
		x := cassettes.Exchange{Interaction: new(cassettes.Interaction)}
		x.Request.Method, x.Request.URL, x.Request.Headers, x.Response.Code = "POST", "https://metrics.example/collect", map[string][]string{}, 204
		leak(x)
		c := merged(nil, nil)
		c.Exchanges = append(append(c.Exchanges, dana[:n]...), lee[:n]...)
		c.Exchanges = append(c.Exchanges, merged(dana[n:], lee[n:]).Exchanges...)
		c.Exchanges = append(c.Exchanges, x)
		list := locateAll(t, c)
		if len(list) != 2 {
			t.Fatalf("found %d", len(list))
		}
		want := reports.Fail
		if name == "none" {
			want = reports.Pass
		}
		if v := verdictsOn(t, list[0])[id]; v != reports.Pass {
			t.Errorf("%s: the other client: %s", name, v)
		}
		if v := verdictsOn(t, list[1])[id]; v != want {
			t.Errorf("%s: the client that sent it: %s, expected %s", name, v, want)
		}
	}
}

// TestBrokenOff holds that what a client broke off, or asked again, is held against
// nobody.
func TestBrokenOff(t *testing.T) {
	dana := someone(t)
	want := verdictsOn(t, locateAll(t, merged(dana, nil))[0])
	for name, failure := range map[string]string{
		"broken off":  "broken off by the client: net::ERR_ABORTED (context canceled)",
		"asked again": "the capture holds no whole answer: net::ERR_CONNECTION_RESET",
	} {
		c := merged(nil, nil)
		for _, x := range dana {
			first := (&cassettes.Cassette{Exchanges: []cassettes.Exchange{x}}).Redacted().Exchanges[0]
			first.Response, first.Failure = cassettes.Interaction{}.Response, failure
			if name == "broken off" || !strings.Contains(x.Request.URL, "/events") {
				c.Exchanges = append(c.Exchanges, first)
			}
			c.Exchanges = append(c.Exchanges, x)
		}
		got := verdictsOn(t, locateAll(t, c)[0])
		for id, v := range want {
			if got[id] != v {
				t.Errorf("%s: %s: %s, without %s", name, id, got[id], v)
			}
		}
	}
}

// TestInterleavedSignIn holds that two users who sign in at the same time, request by
// request, have the verdicts that each has alone, and each its own name and password.
func TestInterleavedSignIn(t *testing.T) {
	dana := someone(t)
	lee := another(dana, false)
	want := verdictsOn(t, locateAll(t, merged(dana, nil))[0])
	list := locateAll(t, merged(dana, lee))
	if len(list) != 2 {
		t.Fatalf("found %d", len(list))
	}
	for i, e := range list {
		name := []string{"dana", "lee"}[i]
		if len(e.Exchanges) != len(dana) || e.User() != "sip:"+name+"@contoso.com" {
			t.Errorf("%s has %d exchanges, expected %d; user %s", name, len(e.Exchanges), len(dana), e.User())
		}
		for id, v := range verdictsOn(t, e) {
			if v != want[id] {
				t.Errorf("%s: %s: %s, alone %s", name, id, v, want[id])
			}
		}
		for _, x := range e.Exchanges {
			if user, _ := x.signsIn(); user != "" && user != "sip:"+name+"@contoso.com" {
				t.Errorf("%s has the sign-in of %s", name, user)
			}
		}
	}
}

// TestWithoutApplication holds that a user who signs in and creates no application has an
// evidence of their own, and leaves that of another as it is.
func TestWithoutApplication(t *testing.T) {
	dana := someone(t)
	lee := another(dana, false)
	want := verdictsOn(t, locateAll(t, merged(dana, nil))[0])
	lee = lee[:begins(lee)-1] // all but the creation
	for name, c := range map[string]*cassettes.Cassette{
		"before":      {Name: "x", Exchanges: append(append([]cassettes.Exchange{}, lee...), dana...)},
		"after":       {Name: "x", Exchanges: append(append([]cassettes.Exchange{}, dana...), lee...)},
		"interleaved": merged(dana, lee),
	} {
		list := locateAll(t, c)
		if len(list) != 2 || list[0].User() != "sip:dana@contoso.com" || list[1].User() != "sip:lee@contoso.com" || list[1].Application() != "" {
			t.Fatalf("%s: found %d", name, len(list))
		}
		if got := len(list[1].Exchanges); got != len(lee) {
			t.Errorf("%s: who has no application has %d exchanges, expected %d", name, got, len(lee))
		}
		for id, v := range verdictsOn(t, list[0]) {
			if v != want[id] {
				t.Errorf("%s: %s: %s, alone %s", name, id, v, want[id])
			}
		}
		for id, v := range verdictsOn(t, list[1]) {
			if strings.HasPrefix(id, "create-application.") && v != want[id] && v != reports.NotExercised && v != reports.NotApplicable {
				t.Errorf("%s: without an application: %s: %s, with it %s", name, id, v, want[id])
			}
		}
	}
}

// TestAsksAgain holds that a client which asks twice where to sign in keeps both requests,
// though another signs in after it and begins with its token.
func TestAsksAgain(t *testing.T) {
	dana := someone(t)
	first := 0
	for dana[first].Response.Code != 401 {
		first++
	}
	again := (&cassettes.Cassette{Exchanges: dana[first : first+1]}).Redacted().Exchanges[0]
	dana = append(append(append([]cassettes.Exchange{}, dana[:first+1]...), again), dana[first+1:]...)
	lee := another(someone(t), false)[first+1:]
	list := locateAll(t, &cassettes.Cassette{Name: "x", Exchanges: append(append([]cassettes.Exchange{}, dana...), lee...)})
	if len(list) != 2 || len(list[0].Exchanges) != len(dana) || len(list[1].Exchanges) != len(lee) {
		t.Fatalf("found %d clients; the first has %d exchanges, expected %d", len(list), len(list[0].Exchanges), len(dana))
	}
}
