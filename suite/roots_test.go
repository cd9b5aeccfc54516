package suite

import (
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestRootByAnswer holds that a root is known by what it serves where its host has a name
// of its own, and that a page of the host is none.
func TestRootByAnswer(t *testing.T) {
	session := someone(t)
	for _, x := range session[:begins(session)] {
		if strings.Contains(x.Response.Body, `"xframe"`) && strings.Contains(x.Response.Body, `"user"`) {
			x.Request.URL = "https://meet.contoso.com/"
			setField(x.Request.Headers, "Host", "meet.contoso.com")
			break
		}
	}
	verdicts := verdictsOn(t, locateAll(t, merged(session, nil))[0])
	for _, id := range []string{"create-application.1.status", "create-application.1.json", "create-application.1.link.user", "create-application.2.status"} {
		if verdicts[id] != reports.Pass {
			t.Errorf("%s: %s", id, verdicts[id])
		}
	}
	page := cassettes.Exchange{Interaction: new(cassettes.Interaction)}
	page.Request.Method, page.Request.URL, page.Request.Headers, page.Response.Code = "GET", "https://app.contoso.com/", map[string][]string{"Host": {"app.contoso.com"}}, 200
	page.Response.Body = `{"_links":{"self":{"href":"/"}}}`
	e := locateAll(t, merged(append([]cassettes.Exchange{page}, session...), nil))[0]
	if e.Exchanges[0].is(relRoot) {
		t.Error("a page that leads to no user was taken for a root")
	}
}

// TestChallengeAtApplications holds that a client may ask a host for the issuer of its
// tokens by a POST on applications, once; who then asks without a token has forgotten it.
func TestChallengeAtApplications(t *testing.T) {
	for name, test := range map[string]struct {
		behind bool // the request without a token comes behind that with it
		body   string
		want   reports.Verdict
	}{
		"before, as the creation":     {false, `{"userAgent":"bot","endpointId":"3fa85f64-5717-4562-b3fc-2c963f66afa6","culture":"en-US"}`, reports.Pass},
		"before, with nothing":        {false, ``, reports.Pass},
		"behind the one with a token": {true, `{"userAgent":"bot","endpointId":"3fa85f64-5717-4562-b3fc-2c963f66afa6","culture":"en-US"}`, reports.Fail},
	} {
		session := someone(t)
		n := begins(session) - 1 // the creation
		pool := session[n].Request.URL
		// The pool's own challenge was met at another resource, or not at all.
		first := slices.IndexFunc(session[:n], func(x cassettes.Exchange) bool {
			return x.Request.URL == pool && x.Response.Code == 401 || strings.HasPrefix(pool, "https://"+x.Request.Host+"/") && x.Response.Code == 401
		})
		if first < 0 {
			t.Fatalf("%s: the pool never challenged", name)
		}
		ask := (&cassettes.Cassette{Exchanges: session[first : first+1]}).Redacted().Exchanges[0]
		ask.Request.Method, ask.Request.URL, ask.Request.Body = "POST", pool, test.body
		setField(ask.Request.Headers, "Content-Length", "")
		if test.body != "" {
			setField(ask.Request.Headers, "Content-Type", "application/json")
		}
		ask.Request.ContentLength = int64(len(test.body))
		if test.behind {
			session = slices.Insert(session, n+1, ask)
		} else {
			session[first] = ask
		}
		for id, v := range verdictsOn(t, locateAll(t, merged(session, nil))[0]) {
			switch {
			case id == "create-application.4.authorization" && v != test.want:
				t.Errorf("%s: %s: %s, expected %s", name, id, v, test.want)
			case id != "create-application.4.authorization" && (v == reports.Fail || v == reports.Warn || v == reports.Error):
				t.Errorf("%s: %s: %s", name, id, v)
			}
		}
	}
}

// TestAnothersApplication holds that a client which asks for the application of another
// user with its own token is held to have followed a link, and that what the server
// answers there is held against nobody.
func TestAnothersApplication(t *testing.T) {
	dana := someone(t)
	n := begins(dana)
	for name, test := range map[string]struct {
		at   int
		path string
		want reports.Verdict
	}{
		"the application itself":                  {n + 2, "", reports.Fail},
		"a resource of it":                        {n + 2, "/me/presence", reports.Fail},
		"one of yesterday, before it has its own": {n - 1, "", reports.Pass},
	} {
		own := dana[n].Request.URL
		x := (&cassettes.Cassette{Exchanges: dana[n : n+1]}).Redacted().Exchanges[0]
		before, _, _ := strings.Cut(own, "/applications/")
		x.Request.Method, x.Request.Body, x.Request.URL = "GET", "", before+"/applications/999999"+test.path
		x.Request.Headers = cloneOf(dana[n+1].Request.Headers)
		setField(x.Request.Headers, "Content-Type", "")
		setField(x.Request.Headers, "Content-Length", "")
		x.Request.ContentLength = 0
		x.Response.Code, x.Response.Status, x.Response.Body = 404, "404 Not Found", applicationGone
		setField(x.Response.Headers, "Content-Length", "")
		list := locateAll(t, merged(slices.Insert(slices.Clone(dana), test.at, x), nil))
		if len(list) != 1 {
			t.Fatalf("%s: found %d clients", name, len(list))
		}
		for id, v := range verdictsOn(t, list[0]) {
			switch {
			case id == "set-presence.nav.links" && v != test.want:
				t.Errorf("%s: %s: %s, expected %s", name, id, v, test.want)
			case id != "set-presence.nav.links" && (v == reports.Fail || v == reports.Warn || v == reports.Error):
				t.Errorf("%s: %s: %s", name, id, v)
			}
		}
	}
}

func cloneOf(h map[string][]string) map[string][]string {
	clone := map[string][]string{}
	for name, values := range h {
		clone[name] = slices.Clone(values)
	}
	return clone
}

// TestWindowsLegs holds that a leg of NTLM without the form, as browsers send it, is held
// against nobody.
func TestWindowsLegs(t *testing.T) {
	session := someone(t)
	i := slices.IndexFunc(session, func(x cassettes.Exchange) bool { return strings.Contains(x.Request.Body, "grant_type=") })
	for n, header := range []string{"", "NTLM TlRMTVNTUAABAAAA"} {
		leg := (&cassettes.Cassette{Exchanges: session[i : i+1]}).Redacted().Exchanges[0]
		leg.Response.Code, leg.Response.Status, leg.Response.Body = 401, "401 Unauthorized", ""
		leg.Response.Headers = map[string][]string{"Www-Authenticate": {"NTLM"}}
		if setField(leg.Request.Headers, "Authorization", header); n == 1 {
			leg.Request.Body, leg.Request.ContentLength = "", 0
			setField(leg.Request.Headers, "Content-Type", "")
			setField(leg.Request.Headers, "Content-Length", "0")
		}
		session = slices.Insert(session, i+n, leg)
	}
	for id, v := range verdictsOn(t, locateAll(t, merged(session, nil))[0]) {
		if v == reports.Fail || v == reports.Warn || v == reports.Error {
			t.Errorf("%s: %s", id, v)
		}
	}
}
