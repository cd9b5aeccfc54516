package ucwatest_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

const subscriptions = "/people/presenceSubscriptions"

// TestSubscription goes through the four pages about subscriptions to presence.
func TestSubscription(t *testing.T) {
	w, dana, lene := pair(t)
	created := dana.post(subscriptions, `{"duration":11,"Uris":["sip:LENE@contoso.com","sip:lene@contoso.com","sip:nobody@contoso.com"]}`).wants(201)
	self := created.link("self")[len(dana.href):]
	dana.wantsTold("people: presenceSubscription added", "people: contact added in subscribedContacts", "people: contactPresence updated in contact")
	if got := dana.get(subscriptions).wants(200).id("presenceSubscription"); got != created.at("id") {
		t.Errorf("id %s", got)
	}
	members := dana.send(request("GET", created.link("memberships"), dana.token, "")).wants(200).json()["_embedded"].(map[string]any)["presenceSubscriptionMembership"].([]any)
	if len(members) != 2 {
		t.Errorf("%v", members)
	}
	lene.post("/me/presence", `{"availability":"Busy"}`).wants(204)
	lene.post("/me/presence", `{"availability":"Away"}`).wants(204) // is merged with what was not told
	lene.post("/me/note", `{"message":"x"}`).wants(204)
	lene.post("/me/location", `{"location":"x"}`).wants(204)
	dana.wantsTold("people: contactPresence updated in contact", "people: contactNote updated in contact", "people: contactLocation updated in contact")
	if got := dana.get("/people/contacts/sip:lene@contoso.com/contactPresence").wants(200).at("availability"); got != "Away" {
		t.Errorf("availability %s", got)
	}
	// A second subscription to the same contact adds nobody.
	second := dana.post(subscriptions+"?duration=10", `{"uris":["sip:lene@contoso.com"]}`).wants(201)
	dana.wantsTold("people: presenceSubscription added")
	dana.send(request("POST", second.link("addToPresenceSubscription"), dana.token, `{"contactUris":["sip:dana@contoso.com"]}`)).wants(201)
	dana.wantsTold("people: contact added in subscribedContacts", "people: contactPresence updated in contact")

	// It is told to expire a minute before; extended, it lives on.
	w.clock.Advance(9 * time.Minute)
	dana.wantsTold("people: presenceSubscription updated")
	dana.send(request("POST", second.link("self")+"?duration=10", dana.token, "")).wants(200)
	dana.post(self, `{"duration":30}`).wants(200)
	dana.wantsTold("people: presenceSubscription updated", "people: presenceSubscription updated")
	w.clock.Advance(7 * time.Minute)
	dana.get("/me").wants(200)
	dana.told()
	dana.get(self).wants(200)
	dana.do("DELETE", second.link("self")[len(dana.href):], "").wants(204)
	dana.wantsTold("people: contact deleted in subscribedContacts", "people: presenceSubscription deleted")
	w.clock.Advance(23 * time.Minute) // it has been extended to thirty minutes, seven minutes ago
	dana.told()
	for method, status := range map[string]int{"GET": 404, "POST": 400, "DELETE": 404} { // the duration is missing
		dana.do(method, self, "").wants(status)
	}
	dana.post(self, `{"duration":10}`).wants(404, "NotFound")
	lene.post("/me/presence", `{"availability":"Busy"}`).wants(204)
	dana.wantsTold()

	for _, body := range []string{`{"uris":["sip:x@y"]}`, `{"duration":10}`, `{"duration":10,"uris":[]}`, `{"duration":10,"uris":"sip:x@y"}`, `{"duration":10,"uris":["x"]}`, `{"duration":10,"uris":[null]}`} {
		dana.post(subscriptions, body).wants(400, "BadRequest", "ParameterValidationFailure")
	}
	dana.post("/people/subscribeToGroupPresence?duration=10&groupId=nobody", "").wants(400, "BadRequest", "ParameterValidationFailure")
}

// TestAddressBook changes contacts and groups by the API, and is told of it.
func TestAddressBook(t *testing.T) {
	w := newWorld(t, func(c *ucwatest.Config) { c.Expiry = time.Hour })
	w.server.AddUser(ucwatest.User{Name: "Lene", URI: "sip:lene@contoso.com"})
	a := w.create(w.server.AddUser(ucwatest.User{URI: "sip:dana@contoso.com", Contacts: []string{"sip:lene@contoso.com"}, Groups: []ucwatest.Group{{Name: "Friends", Members: []string{"sip:lene@contoso.com", "sip:lee@fabrikam.com"}}}}), 0)
	second := w.create(a.token, 1)
	contacts := func() (uris []string) {
		for _, r := range embedded(a.get("/people/myContacts").wants(200).json()) {
			uris = append(uris, r["uri"].(string))
		}
		return uris
	}
	if d := cmp.Diff([]string{"sip:lene@contoso.com", "sip:lee@fabrikam.com"}, contacts()); d != "" {
		t.Error(d)
	}
	links := a.get("/people/myContacts?expand=false").wants(200).json()
	if links["_embedded"] != nil || len(links["_links"].(map[string]any)["contact"].([]any)) != 2 {
		t.Errorf("%v", links)
	}
	a.post("/people/myContactsAndGroupsSubscription/startOrRefreshSubscriptionToContactsAndGroups", `{"duration":10}`).wants(201)
	a.wantsTold("people: myContactsAndGroupsSubscription updated")
	a.post("/people/myGroups", `{"displayName":"Family"}`).wants(204)
	a.post("/people/myGroups", `{"displayName":"family"}`).wants(409, "Conflict", "AlreadyExists")
	a.wantsTold("people: group added in myGroups")
	var family string
	for name, r := range embedded(a.get("/people/myGroups").wants(200).json()) {
		if r["name"] == "Family" && name == "group" {
			family = r["id"].(string)
		}
	}
	path := "/people/groups/" + family
	made := a.post("/people/myGroupMemberships", `{"contactUri":"sip:kim@fabrikam.com","groupId":"`+family+`"}`).wants(201)
	a.post("/people/myGroupMemberships?contactUri=sip:KIM@fabrikam.com&groupId="+family, "").wants(409, "Conflict", "AlreadyExists")
	a.wantsTold("people: contact added in group", "people: contact added in myContacts")
	a.put(path, `{"name":"Relatives"}`, a.get(path).tag()).wants(200)
	a.wantsTold("people: group updated")
	a.do("DELETE", path, "").wants(204)
	a.wantsTold("people: group deleted in myGroups", "people: contact added in defaultGroup")
	if got := contacts(); !slices.Contains(got, "sip:kim@fabrikam.com") {
		t.Errorf("a contact was lost with its group: %q", got)
	}
	a.send(request("DELETE", made.link("self"), a.token, "")).wants(404) // as the group is gone
	a.post("/people/removeContactFromAllGroups", `{"contactUri":"sip:lene@contoso.com"}`).wants(204)
	a.wantsTold("people: contact deleted in defaultGroup", "people: contact deleted in group", "people: contact deleted in myContacts")
	a.post("/people/removeContactFromAllGroups", `{"contactUri":"sip:lene@contoso.com"}`).wants(404)
	second.wantsTold()
	w.clock.Advance(10 * time.Minute)
	a.wantsTold("people: myContactsAndGroupsSubscription updated")
	for _, body := range []string{`{"contactUri":""}`, `{"contactUri":"kim"}`, `{}`, `{"contactUri":"sip:x@y","groupId":"nobody"}`, `{"contactUri":5}`} {
		a.post("/people/myGroupMemberships", body).wants(400, "BadRequest", "ParameterValidationFailure")
	}
	for _, fixed := range []string{"pinnedGroup", "defaultGroup"} {
		a.do("DELETE", "/people/myGroups/"+fixed, "").wants(405)
	}
}

// TestLargeGroup has ten thousand members: it is served whole, subscribed to, and bounded.
func TestLargeGroup(t *testing.T) {
	var members []string
	for i := range 10_000 {
		members = append(members, fmt.Sprintf("sip:user%d@contoso.com", i))
	}
	w := newWorld(t)
	a := w.create(w.server.AddUser(ucwatest.User{URI: "sip:dana@contoso.com", Groups: []ucwatest.Group{{Name: "All", Members: members}}}), 0)
	w.server.AddUser(ucwatest.User{URI: members[4711]})
	all := a.get("/people/myGroups").wants(200).inside("group")
	got := a.send(request("GET", all["_links"].(map[string]any)["groupContacts"].(map[string]any)["href"].(string), a.token, "")).wants(200).json()
	if n := len(got["_embedded"].(map[string]any)["contact"].([]any)); n != 10_000 {
		t.Errorf("%d members", n)
	}
	a.post("/people/subscribeToGroupPresence?duration=30&groupId="+url.QueryEscape(all["id"].(string)), "").wants(201)
	a.wantsTold("people: presenceSubscription added", "people: contact added in subscribedContacts", "people: contactPresence updated in contact")
	a.post("/people/myGroupMemberships", `{"contactUri":"sip:one@more.example"}`).wants(403, "Forbidden", "LimitExceeded")
	a.post(subscriptions, `{"duration":10,"uris":["sip:one@more.example"]}`).wants(403, "Forbidden", "LimitExceeded")
}

// TestPolicies are what a deployment does not let a user do.
func TestPolicies(t *testing.T) {
	w := newWorld(t)
	a := w.create(w.server.AddUser(ucwatest.User{URI: "sip:dana@contoso.com", NoPhoto: true, Modalities: []string{"PhoneAudio"}}), 0)
	lene := w.lene("Online")
	if r := a.get("/communication").json()["_links"].(map[string]any); r["startMessaging"] != nil {
		t.Errorf("%v", r)
	}
	a.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com"}`).wants(403, "Forbidden")
	a.get("/photos/dana@contoso.com").wants(404)
	lene.get("/photos/dana@contoso.com").wants(404)
	if got := a.get("/policies").at("photos"); got != "Disabled" {
		t.Errorf("photos %s", got)
	}
	for _, path := range []string{"/me", "/people/contacts/sip:dana@contoso.com"} {
		for _, one := range []*app{a, lene} {
			if strings.Contains(one.get(path).wants(200).Body.String(), "photos/dana") {
				t.Errorf("%s links to a photo", path)
			}
		}
	}
	guest := w.create(w.server.AddUser(ucwatest.User{URI: "sip:guest@contoso.com", Anonymous: true}), 3)
	guest.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com"}`).wants(403, "Forbidden", "AnonymousNotAllowed")
	guest.get("/people/myContacts").wants(403, "Forbidden", "AnonymousNotAllowed")
	// but he can come to a meeting
	meeting := lene.post("/onlineMeetings/myOnlineMeetings", `{"accessLevel":"Everyone"}`).wants(200).at("onlineMeetingUri")
	guest.post("/communication/joinOnlineMeeting", `{"onlineMeetingUri":"`+meeting+`"}`).wants(201)
	guest.post(guest.in("/messaging/addMessaging"), "").wants(201)
}

// TestPut holds each resource that a PUT can change to the rules of "Payload format".
func TestPut(t *testing.T) {
	tried := map[string]bool{}
	for state, prepare := range states {
		if state == "new" || state == "anonymous" || state == "a guest in a meeting" { // who may not
			continue
		}
		rels := prepare(newWorld(t)).crawl(func(string, string, *reply) {})
		for href, rel := range rels {
			of, _ := pageOf(rel)
			op, puts := of.Operation("PUT")
			if !puts || tried[rel] {
				continue
			}
			tried[rel] = true
			a := prepare(newWorld(t))
			path := href[len(a.href):]
			before := a.get(path).wants(200)
			whole := before.Body.String()
			a.do("PUT", path, whole).wants(428, "PreconditionRequired")
			a.do("PUT", path, whole, "If-Match", `"1"`).wants(412, "PreconditionFailed")
			a.do("PUT", path, strings.Replace(whole, putName(before.json()), "x", 1), "If-Match", "*").wants(400, "BadRequest", "ParameterValidationFailure")
			a.do("PUT", path, `{`, "If-Match", "*").wants(400, "BadRequest", "DeserializationFailure")
			for _, p := range op.Body {
				if p.Values != nil && !p.Array {
					a.do("PUT", path, `{"`+putName(before.json())+`":"`+putValue+`","`+p.Name+`":"Other"}`, "If-Match", "*").wants(400)
				}
			}
			if after := a.get(path); after.Body.String() != whole {
				t.Errorf("%s: what was refused has changed it: %s", rel, after.Body)
			}
			same := a.do("PUT", path, whole, "If-Match", before.tag()).wants(200) // with its links
			if same.at("rel") != before.at("rel") || same.Header().Get("ETag") != same.tag() {
				t.Errorf("%s: %s", rel, same.Body)
			}
		}
	}
	if len(tried) != 9 {
		t.Errorf("%d resources can be changed, want 9: %v", len(tried), tried)
	}
}

// TestMemory runs an hour in which one conversation after the other is held, and one subscription
// after the other made: what has ended is not kept.
func TestMemory(t *testing.T) {
	w, dana, lene := pair(t)
	round := func() {
		dana.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com","message":"data:,`+strings.Repeat("x", 10_000)+`"}`).wants(201)
		lene.answer("accept")
		dana.say(strings.Repeat("y", 100_000))
		dana.post(dana.in("/messaging/stopMessaging"), "").wants(204)
		dana.post(subscriptions, `{"duration":10,"uris":["sip:lene@contoso.com"]}`).wants(201)
		meeting := dana.post("/onlineMeetings/myOnlineMeetings", `{}`).wants(200)
		dana.post("/communication/joinOnlineMeeting", `{"onlineMeetingUri":"`+meeting.at("onlineMeetingUri")+`"}`).wants(201)
		dana.do("DELETE", dana.in(""), "").wants(204)
		dana.send(request("DELETE", meeting.link("self"), dana.token, "")).wants(204)
		w.clock.Advance(36 * time.Second)
		dana.told()
		lene.told()
	}
	for range 20 {
		round()
	}
	before := ucwatest.Kept(w.server)
	for range 80 {
		round()
	}
	if after := ucwatest.Kept(w.server); after != before {
		t.Errorf("kept is %v, and was %v", after, before)
	}
}

// TestStaysAway has a client not fetch its events: what is kept for it is bounded, and it is told
// to begin anew.
func TestStaysAway(t *testing.T) {
	_, dana, lene := pair(t)
	dana.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com"}`).wants(201)
	lene.answer("accept")
	dana.told()
	path := dana.in("/messaging/sendMessage")
	failed := 0
	for range 40 {
		dana.do("POST", path, strings.Repeat("x", 1_000_000), "Content-Type", "text/plain").wants(201)
		for _, line := range dana.told() {
			if line == "conversation: message completed, Outgoing, Failure, RemoteFailure Unreachable" {
				failed++
			}
		}
	}
	if failed != 24 { // of 40 MB, in a room of 16 MiB
		t.Errorf("%d messages failed, want 24", failed)
	}
	if n := len(lene.told()); n < 16 {
		t.Errorf("%d events", n)
	}
	dana.say("again")
	if told := lene.told(); len(told) != 1 {
		t.Errorf("%q", told)
	}
}
