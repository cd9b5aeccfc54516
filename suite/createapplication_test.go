package suite

import (
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestCreateApplicationAllows holds what correct servers and clients may do otherwise than the page shows, and where that ends.
func TestCreateApplicationAllows(t *testing.T) {
	const prefix, issuer = "create-application.", "https://lyncweb.contoso.com/WebTicket/oauthtoken"
	answer := func(n int, pairs ...string) func([]cassettes.Exchange) {
		return func(list []cassettes.Exchange) {
			list[n-1].Response.Body = strings.NewReplacer(pairs...).Replace(list[n-1].Response.Body)
		}
	}
	request := func(n int, pairs ...string) func([]cassettes.Exchange) {
		return func(list []cassettes.Exchange) {
			list[n-1].Request.Body = strings.NewReplacer(pairs...).Replace(list[n-1].Request.Body)
		}
	}
	field := func(n int, name, value string) func([]cassettes.Exchange) {
		return func(list []cassettes.Exchange) { setField(list[n-1].Request.Headers, name, value) }
	}
	again := func(list []cassettes.Exchange) { list[4].Response.Code, list[4].Response.Status = 200, "200 OK" }
	guest := func(list []cassettes.Exchange) {
		list[2].Request.URL = issuer
		list[2].Request.Body = "grant_type=urn:microsoft.rtc:anonmeeting&password=x&ms_rtc_conferenceuri=sip:x"
	}
	const selfRoot = `"https://lyncweb.contoso.com/Autodiscover/AutodiscoverService.svc/root?originalDomain=contoso.com"`
	for _, test := range []struct {
		name  string
		edits []func([]cassettes.Exchange)
		want  map[string]reports.Verdict
	}{
		{"as printed", nil, map[string]reports.Verdict{"1.link.self": "pass", "2.referer": "pass", "2.html": "pass", "4.link.self": "pass", "5.status": "pass", "5.people.more": "pass"}},
		{"an application that was there when the page was loaded again", []func([]cassettes.Exchange){again, request(5, "UCWA Samples", "Another version")},
			map[string]reports.Verdict{"5.status": "pass", "5.json": "pass", "5.userAgent": "not applicable", "5.culture": "not applicable", "5.embedded.people": "pass"}},
		{"200 with something else", []func([]cassettes.Exchange){again, answer(5, `"rel":"application"`, `"rel":"applications"`)}, map[string]reports.Verdict{"5.status": "fail"}},
		{"a name for an endpoint", []func([]cassettes.Exchange){request(5, "a917c6f4-976c-4cf3-847d-cdfffa28ccdf", "node")}, map[string]reports.Verdict{"5.body.endpointId": "pass"}},
		{"a blank endpoint", []func([]cassettes.Exchange){request(5, "a917c6f4-976c-4cf3-847d-cdfffa28ccdf", " ")}, map[string]reports.Verdict{"5.body.endpointId": "fail"}},
		{"a culture of 101 characters", []func([]cassettes.Exchange){request(5, "en-US", "en"+strings.Repeat("-a", 49)+"b")}, map[string]reports.Verdict{"5.body.culture": "fail"}},
		{"a root that calls itself by a path", []func([]cassettes.Exchange){answer(1, selfRoot, `"/"`)}, map[string]reports.Verdict{"1.link.self": "pass"}},
		{"a root whose self link is plain http", []func([]cassettes.Exchange){answer(1, selfRoot, `"http://lyncweb.contoso.com/"`)}, map[string]reports.Verdict{"1.link.self": "fail"}},
		{"a frame of another name, as it was served", []func([]cassettes.Exchange){answer(1, "XFrame/XFrame.html", "frames/ours"), field(2, "Referer", "https://lyncweb.contoso.com/Autodiscover/frames/ours")},
			map[string]reports.Verdict{"2.referer": "pass"}},
		{"the frame of the host before", []func([]cassettes.Exchange){field(2, "Referer", "https://lyncdiscover.contoso.com/xframe")}, map[string]reports.Verdict{"2.referer": "fail"}},
		{"no browser", []func([]cassettes.Exchange){field(2, "Referer", ""), field(2, "X-Ms-Origin", ""), field(4, "Referer", ""), field(4, "X-Ms-Origin", "")},
			map[string]reports.Verdict{"2.referer": "not applicable"}},
		{"a challenge without a page", []func([]cassettes.Exchange){func(list []cassettes.Exchange) { list[1].Response.Body = "" }}, map[string]reports.Verdict{"2.html": "not applicable"}},
		{"a challenge with an error of UCWA", []func([]cassettes.Exchange){func(list []cassettes.Exchange) {
			list[1].Response.Body = `{"code":"Unauthorized"}`
			setField(list[1].Response.Headers, "Content-Type", "application/json")
		}}, map[string]reports.Verdict{"2.html": "pass"}},
		{"a resource in place of its link", []func([]cassettes.Exchange){answer(5, `"myGroups":{"href":"/ucwa/oauth/v1/applications/105/people/groups"},`, "",
			`"rel":"people"`, `"rel":"people","_embedded":{"myGroups":{"_links":{"self":{"href":"/ucwa/oauth/v1/applications/105/people/groups"}},"rel":"myGroups"}}`)},
			map[string]reports.Verdict{"5.people.links": "pass"}},
		{"no link where one is due", []func([]cassettes.Exchange){answer(5, `"myGroups":{"href":"/ucwa/oauth/v1/applications/105/people/groups"},`, "")},
			map[string]reports.Verdict{"5.people.links": "fail", "5.people.more": "pass"}},
		{"a guest, who has no people and meetings", []func([]cassettes.Exchange){guest, answer(5, `"people":{`, `"nobody":{`, `"onlineMeetings":{`, `"none":{`)},
			map[string]reports.Verdict{"5.embedded.people": "not applicable", "5.people.links": "not applicable", "5.onlineMeetings.links": "not applicable", "5.me.name": "pass"}},
		{"the cookie of another application, as it is printed", []func([]cassettes.Exchange){func(list []cassettes.Exchange) {
			setField(list[4].Response.Headers, "Set-Cookie", "cwt_ucwa=x; path=/ucwa/oauth/v1/applications/104082042405/photos; secure; HttpOnly")
		}}, map[string]reports.Verdict{"5.cookie.path": "pass"}},
		{"a cookie for more than photos", []func([]cassettes.Exchange){func(list []cassettes.Exchange) {
			setField(list[4].Response.Headers, "Set-Cookie", "cwt_ucwa=x; path=/ucwa/oauth/v1/applications/105; secure; HttpOnly")
		}}, map[string]reports.Verdict{"5.cookie.path": "fail", "5.cookie.secure": "pass"}},
	} {
		c := open(t, "documentation/create-application")
		for _, edit := range test.edits {
			edit(c.Exchanges)
		}
		list, err := Locate(c, "create-application")
		if err != nil {
			t.Fatal(err)
		}
		verdicts := verdictsOn(t, list[0])
		for id, want := range test.want {
			if v := verdicts[prefix+id]; v != want {
				t.Errorf("%s: %s: %s, want %s", test.name, id, v, want)
			}
		}
	}
}
