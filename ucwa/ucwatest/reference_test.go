package ucwatest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// untold says which enumeration a property has of which the facts have the type alone.
var untold = map[string]string{
	"immediateForwardSettings.target":  "ImmediateForwardSettingsTarget",
	"myOnlineMeeting.onlineMeetingRel": "OnlineMeetingRel", "myAssignedOnlineMeeting.onlineMeetingRel": "OnlineMeetingRel",
	"onlineMeetingDefaultValues.defaultOnlineMeetingRel": "OnlineMeetingRel",
	"onlineMeetingEligibleValues.accessLevels":           "AccessLevel", "onlineMeetingEligibleValues.automaticLeaderAssignments": "AutomaticLeaderAssignment",
	"onlineMeetingEligibleValues.eligibleOnlineMeetingRels": "OnlineMeetingRel", "onlineMeetingEligibleValues.entryExitAnnouncements": "EntryExitAnnouncement",
	"onlineMeetingEligibleValues.lobbyBypassForPhoneUsersSettings": "LobbyBypassForPhoneUsers",
	"onlineMeetingPolicies.entryExitAnnouncement":                  "EntryExitAnnouncement", "onlineMeetingPolicies.phoneUserAdmission": "PhoneUserAdmission",
	"onlineMeetingPolicies.externalUserMeetingRecording": "GenericPolicy", "onlineMeetingPolicies.meetingRecording": "GenericPolicy",
	"onlineMeetingPolicies.voipAudio": "GenericPolicy",
	"policies.emoticons":              "GenericPolicy", "policies.exchangeUnifiedMessaging": "GenericPolicy", "policies.htmlMessaging": "GenericPolicy",
	"policies.messageArchiving": "GenericPolicy", "policies.messagingUrls": "GenericPolicy", "policies.photos": "GenericPolicy",
	"policies.saveMessagingHistory": "GenericPolicy",
}

// fits tells whether a value is of the type that the reference has for the property.
func fits(of *api.Resource, p *api.Property, v any) bool {
	enumeration := p.Enum
	if enumeration == "" {
		enumeration = untold[of.Name+"."+p.Name]
	}
	values := api.Values(enumeration)
	for _, o := range of.Operations { // whose list of the same is longer, once
		for _, b := range o.Body {
			if b.Name == p.Name {
				values = append(slices.Clip(values), b.Values...)
			}
		}
	}
	text, isText := v.(string)
	switch {
	case p.Type == "array":
		list, isList := v.([]any)
		return isList && !slices.ContainsFunc(list, func(v any) bool {
			s, is := v.(string)
			return !is || enumeration != "" && !slices.Contains(values, s)
		})
	case p.Type == "boolean":
		_, is := v.(bool)
		return is
	case p.Type == "number":
		_, is := v.(float64)
		return is
	case p.Date:
		return isText && regexp.MustCompile(`^/Date\(\d+\)/$`).MatchString(text)
	}
	return isText && (enumeration == "" || slices.Contains(values, text))
}

// pageOf is the page of the reference that the server serves under a rel: the latest
// revision, but for those whose second revision it does not have.
func pageOf(rel string) (*api.Resource, bool) {
	switch rel {
	case "makeMeAvailable", "startMessaging", "startPhoneAudio":
		return api.ResourceOf(rel)
	case "organizer": // whose own page has nothing
		rel = "contact"
	}
	return api.Newest(rel)
}

// states are what an application can be like when it is looked at.
var states = map[string]func(*world) *app{
	"new": func(w *world) *app { return w.dana(false) },
	"available": func(w *world) *app {
		a := w.dana(false)
		a.post("/me/makeMeAvailable", `{"supportedModalities":["Messaging","PhoneAudio"],"supportedMessageFormats":["Plain"],"audioPreference":"PhoneAudio","phoneNumber":"tel:+14255550123"}`).wants(204)
		return a
	},
	"busy": func(w *world) *app {
		lene := w.lene("Busy")
		lene.post("/me/note", `{"message":"a < b & \"c\"\u0001"}`).wants(204)
		a := w.dana(true)
		a.post("/me/phones/work/changeNumber", `{"number":"+1 (425) 555-0123","includeInContactCard":true}`).wants(204)
		a.post("/onlineMeetings/myOnlineMeetings", `{"subject":"x","attendees":["sip:lene@contoso.com"],"expirationTime":"2013-02-01T00:00:00Z"}`).wants(200)
		forward := "/me/callForwardingSettings/"
		a.post(forward+"immediateForwardSettings/immediateForwardToContact", `{"target":"sip:lene@contoso.com"}`).wants(204)
		a.post(forward+"simultaneousRingSettings/simultaneousRingToContact", `{"target":"sip:lene@contoso.com","ringDelay":5}`).wants(204)
		a.post(forward+"unansweredCallSettings/unansweredCallToVoicemail", `{"ringDelay":20}`).wants(204)
		a.put("/communication", `{"supportedModalities":["Messaging"],"conversationHistory":"Enabled"}`, "*").wants(200)
		return a
	},
	"with an address book": func(w *world) *app {
		w.lene("Online")
		w.server.AddUser(ucwatest.User{URI: "sip:lee@contoso.com", Department: "R&D"})
		of := dana
		of.Department = "R&D"
		a := w.create(w.server.AddUser(of), 0)
		a.makeAvailable("")
		a.post("/people/myGroups", `{"displayName":"Friends & others"}`).wants(204)
		for _, group := range []string{"", `,"groupId":"pinnedGroup"`, `,"groupId":"` + a.get("/people/myGroups").id("group") + `"`} {
			a.post("/people/myGroupMemberships", `{"contactUri":"sip:lene@contoso.com"`+group+`}`).wants(201)
		}
		a.post("/people/myGroupMemberships", `{"contactUri":"sip:a stranger@elsewhere.example"}`).wants(201)
		a.post("/people/distributionGroups/sip:sales@contoso.com/addToContactList", `{"displayName":"Sales","smtpAddress":"sales@contoso.com"}`).wants(204)
		privacy := "/people/contacts/sip:lene@contoso.com/contactPrivacyRelationship"
		a.put(privacy, `{"relationshipLevel":"Workgroup"}`, "*").wants(200)
		a.post("/people/presenceSubscriptions", `{"duration":11,"uris":["sip:lene@contoso.com","sip:nobody@contoso.com"]}`).wants(201)
		a.post("/people/subscribeToGroupPresence?groupId=defaultGroup&duration=10", "").wants(201)
		a.post("/people/myContactsAndGroupsSubscription/startOrRefreshSubscriptionToContactsAndGroups?duration=10", "").wants(201)
		a.post("/onlineMeetings/myAssignedOnlineMeeting/onlineMeetingExtensions", `{"id":"x y","type":"RoamedOrganizerData"}`).wants(201)
		return a
	},
	"inviting": func(w *world) *app {
		w.lene("Online")
		a := w.dana(true)
		a.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com","subject":"a < b","operationId":"1"}`).wants(201)
		return a
	},
	"invited": func(w *world) *app {
		a := w.dana(true)
		w.lene("Online").post("/communication/startMessaging", `{"to":"sip:dana@contoso.com","message":"data:text/plain,a+%26+b"}`).wants(201)
		return a
	},
	"in conversation": func(w *world) *app {
		lene, a := w.lene("Online"), w.dana(true)
		a.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com","operationId":"1"}`).wants(201)
		lene.answer("accept")
		lene.say("Hi\r\n")
		a.say("a & b")
		return a
	},
	"in a meeting": func(w *world) *app {
		lene, a := w.lene("Online"), w.dana(true)
		a.post("/communication/startOnlineMeeting", `{"subject":"x","operationId":"1"}`).wants(201)
		a.post("/communication/addParticipant?conversation="+a.conversation(), `{"to":"sip:lene@contoso.com","operationId":"2"}`).wants(201)
		lene.answer("accept")
		for _, one := range []*app{a, lene} {
			one.post("/communication/conversations/"+one.conversation()+"/messaging/addMessaging", `{"operationId":"3"}`).wants(201)
		}
		lene.say("Hi")
		lee := w.create(w.server.AddUser(ucwatest.User{Name: "Lee", URI: "sip:lee@contoso.com"}), 2)
		lee.post("/communication/joinOnlineMeeting", `{"onlineMeetingUri":"`+a.get(a.in("/onlineMeeting")).at("onlineMeetingUri")+`"}`).wants(201)
		in := "/communication/conversations/" + a.conversation()
		a.post(in+"/participants/lene@contoso.com/promote", "").wants(204)
		a.post(in+"/disableAudienceMessaging", "").wants(204)
		a.post(in+"/enableAudienceMuteLock", "").wants(204)
		return a
	},
	"in a lobby": func(w *world) *app {
		lene, a := w.lene("Online"), w.dana(true)
		meeting := lene.post("/onlineMeetings/myOnlineMeetings", `{"accessLevel":"Locked"}`).wants(200)
		lene.post("/communication/joinOnlineMeeting", `{"onlineMeetingUri":"`+meeting.at("onlineMeetingUri")+`"}`).wants(201)
		a.post("/communication/joinOnlineMeeting", `{"onlineMeetingUri":"`+meeting.at("onlineMeetingUri")+`"}`).wants(201)
		return lene
	},
	"a guest in a meeting": func(w *world) *app {
		lene := w.lene("Online")
		meeting := lene.post("/onlineMeetings/myOnlineMeetings", `{"accessLevel":"Everyone"}`).wants(200).at("onlineMeetingUri")
		lene.post("/communication/joinOnlineMeeting", `{"onlineMeetingUri":"`+meeting+`"}`).wants(201)
		guest := w.create(w.server.AddUser(ucwatest.User{Name: "Guest", URI: "sip:guest@contoso.com", Anonymous: true}), 3)
		guest.post("/communication/joinOnlineMeeting", `{"onlineMeetingUri":"`+meeting+`"}`).wants(201)
		for _, one := range []*app{lene, guest} {
			one.post(one.in("/messaging/addMessaging"), "").wants(201)
			one.say("Hi")
		}
		return guest
	},
	"anonymous": func(w *world) *app {
		return w.create(w.server.AddUser(ucwatest.User{URI: "sip:guest@contoso.com", Anonymous: true}), 0)
	},
}

// crawl follows every link from the application downwards, and returns under which
// rel each href was served.
func (a *app) crawl(visit func(rel, href string, got *reply)) map[string]string {
	a.Helper()
	rels := map[string]string{}
	var follow func(rel, href string)
	links := func(r map[string]any) {
		all := r["_links"].(map[string]any)
		for _, rel := range slices.Sorted(maps.Keys(all)) {
			v := all[rel]
			list, isList := v.([]any)
			if !isList {
				list = []any{v}
			}
			for _, l := range list {
				if rel != "self" {
					follow(rel, l.(map[string]any)["href"].(string))
				}
			}
		}
	}
	follow = func(rel, href string) {
		a.Helper()
		if strings.HasPrefix(href, "data:") {
			return // the content itself
		}
		of, known := pageOf(rel)
		if !known || !strings.HasPrefix(href, a.href) {
			a.Fatalf("%s is served under %s, which is not in the reference", href, rel)
		}
		get, gets := of.Operation("GET")
		if gets && slices.ContainsFunc(get.Query, func(p api.Parameter) bool { return p.Name == "query" }) {
			href += "?query=CONTOSO&limit=1"
		}
		if before, seen := rels[href]; seen {
			if was, _ := pageOf(before); was.Rel != of.Rel && !strings.HasSuffix(strings.ToLower(rel), "photo") {
				a.Fatalf("%s is served under %s and %s", href, before, rel)
			}
			return
		}
		rels[href] = rel
		if rel == "events" || !gets {
			return // something to do, or to wait for, rather than to read
		}
		got := a.send(request("GET", href, a.token, "")).wants(200)
		if got.Header().Get("Content-Type") == "image/jpeg" {
			return
		}
		visit(rel, href, got)
		links(got.json())
		for inner, r := range embedded(got.json()) {
			follow(inner, r["_links"].(map[string]any)["self"].(map[string]any)["href"].(string))
			links(r)
		}
	}
	follow("application", a.href)
	for _, e := range a.happened() {
		links(map[string]any{"_links": map[string]any{e.rel: map[string]any{"href": e.href}}})
		for rel, r := range embedded(e.event) {
			visit(rel, "", &reply{T: a.T, told: r})
			links(r)
			for inner, r := range embedded(r) {
				follow(inner, r["_links"].(map[string]any)["self"].(map[string]any)["href"].(string))
			}
		}
	}
	return rels
}

// happened is an event, and who told it.
type happened struct {
	sender, rel, href, kind string
	event                   map[string]any
}

// happened returns all events that wait for the application, each with a sender, a resource and
// a type that stand together in the reference.
func (a *app) happened() (all []happened) {
	a.Helper()
	for href := a.get("").link("events"); ; {
		ctx, giveUp := context.WithCancel(context.Background())
		giveUp()
		told := a.send(request("GET", href, a.token, "").WithContext(ctx))
		if told.Code == http.StatusServiceUnavailable {
			return all
		}
		for _, sender := range told.wants(200).json()["sender"].([]any) {
			for _, e := range sender.(map[string]any)["events"].([]any) {
				event := e.(map[string]any)
				link := event["link"].(map[string]any)
				one := happened{sender.(map[string]any)["rel"].(string), link["rel"].(string), link["href"].(string), event["type"].(string), event}
				what := one.sender + " " + one.rel + " " + one.kind
				if _, known := api.EventOf(one.sender, one.rel, one.kind); !known && !slices.Contains(completed, what) {
					a.Errorf("%s is not in the reference", what)
				}
				all = append(all, one)
			}
		}
		href = told.link("next")
	}
}

// embedded yields the resources that are whole in another, by rel.
func embedded(r map[string]any) iter.Seq2[string, map[string]any] {
	return func(yield func(string, map[string]any) bool) {
		inside, _ := r["_embedded"].(map[string]any)
		for _, rel := range slices.Sorted(maps.Keys(inside)) {
			v := inside[rel]
			list, isList := v.([]any)
			if !isList {
				list = []any{v}
			}
			for _, inner := range list {
				if !yield(rel, inner.(map[string]any)) {
					return
				}
			}
		}
	}
}

// TestResourcesAreOfTheReference looks at all that the server serves: every link
// resolves, and leads to a resource of its rel, whose properties, links and values
// stand in the reference. XML tells the same.
func TestResourcesAreOfTheReference(t *testing.T) {
	served := map[string]bool{}
	for state, prepare := range states {
		a := prepare(newWorld(t))
		check := func(rel string, r map[string]any) {
			t.Helper()
			of, known := pageOf(rel)
			if !known || r["rel"] != of.Rel {
				t.Fatalf("%s: %s has the rel %v", state, rel, r["rel"])
			}
			if etag, _ := r["etag"].(string); etag == "" || strings.Trim(etag, "0123456789") != "" {
				t.Errorf("%s: %s has the etag %q", state, rel, r["etag"])
			}
			for name := range r["_links"].(map[string]any) {
				l, known := of.Link(name)
				if is, _ := pageOf(of.Rel); !known && is != nil {
					l, known = is.Link(name) // of what it is, whatever its role
				}
				if _, content := of.Property(name); name != "self" && !content && (!known || l.SampleOnly) {
					t.Errorf("%s: %s links to %s, which is not in the reference", state, rel, name)
				}
			}
			for name := range embedded(r) {
				if _, known := of.Link(name); !known {
					t.Errorf("%s: %s embeds %s, which is not in the reference", state, rel, name)
				}
			}
			for name, v := range r {
				if slices.Contains([]string{"_links", "_embedded", "rel", "etag"}, name) || v == putValue {
					continue
				}
				p, known := of.Property(name)
				if rel == "onlineMeeting" && known && p.Type == "" { // of which the page has no sample
					planned, _ := api.ResourceOf("myOnlineMeeting")
					if same, known := planned.Property(name); known {
						p = same
					}
				}
				if !known || p.SampleOnly {
					t.Errorf("%s: %s has the property %s, which is not in the reference", state, rel, name)
				} else if !fits(of, p, v) {
					t.Errorf("%s: %s of %s is %v, which is no %s %s", state, name, rel, v, p.Type, p.Enum)
				}
			}
			_, changes := of.Operation("PUT")
			if name := putName(r); changes != (name != "") || changes && !guid.MatchString(name) {
				t.Errorf("%s: %s can be changed: %t, and has the property %q for that", state, rel, changes, name)
			}
		}
		rels := a.crawl(func(rel, href string, got *reply) {
			if got.told != nil { // in an event
				check(rel, got.told)
				return
			}
			r := got.json()
			check(rel, r)
			if got.link("self") != href && rel != "search" {
				t.Errorf("%s: %s has the self link %s", state, href, got.link("self"))
			}
			for inner, e := range embedded(r) {
				check(inner, e)
				self := e["_links"].(map[string]any)["self"].(map[string]any)["href"].(string)
				if d := cmp.Diff(a.send(request("GET", self, a.token, "")).json(), e); d != "" {
					t.Errorf("%s: %s is embedded as something else: %s", state, inner, d)
				}
			}
			of, _ := pageOf(rel)
			_, changes := of.Operation("PUT")
			if read, _ := of.Operation("GET"); read != nil && read.ETag && rel != "application" {
				changes = true
				a.send(request("GET", href, a.token, "", "If-None-Match", `"1", `+got.Header().Get("ETag"))).wants(304)
				a.send(request("GET", href, a.token, "", "If-None-Match", `"1"`)).wants(200)
			}
			if tag, want := got.Header().Get("ETag"), strconv.Quote(got.at("etag")); changes && tag != want || !changes && tag != "" {
				t.Errorf("%s: ETag of %s is %s, that of the body %s", state, rel, tag, want)
			}
			inXML := a.send(request("GET", href, a.token, "", "Accept", "application/xml")).wants(200)
			if rel != "onlineMeeting" { // of which the reference does not say that it has a date
				sameInXML(t, state+": "+rel, got, inXML)
			}
		})
		for _, rel := range rels {
			served[rel] = true
		}
	}
	// What is newly served has come to be known here, and what was served still is.
	if len(served) != 124 {
		t.Errorf("%d resources are served below an application, want 124: %s", len(served), slices.Sorted(maps.Keys(served)))
	}
}

// completed are operations whose last event the pages show, and the reference does not have.
var completed = []string{"communication participantInvitation completed", "communication onlineMeetingInvitation completed", "conversation message completed"}

// sameButForXML compares text of which XML cannot have every character.
func sameButForXML(a, b string) bool {
	clean := func(s string) string { return strings.ReplaceAll(s, "\u0001", "\ufffd") }
	return clean(a) == clean(b)
}

// shownAs200 are rels of which a task page shows a POST that is answered with 200, where the
// reference has 201: "Schedule an online meeting", and "Extend a presence subscription".
// A group that is subscribed to is answered so again.
var shownAs200 = []string{"myOnlineMeetings", "presenceSubscription", "subscribeToGroupPresence"}

// anywhere are subcodes that any operation can be refused with. Source: "Generic synchronous
// errors"; anonymous users are refused more than the reference says.
var anywhere = []string{"ParameterValidationFailure", "AnonymousNotAllowed"}

// sound is a body with what the operation requires.
func sound(op *api.Operation) map[string]any {
	body := map[string]any{}
	for _, b := range op.Body {
		switch name := b.Name; {
		case !b.Required:
		case b.Array:
			body[name] = []string{"sip:lene@contoso.com"}
		case b.Number():
			body[name] = b.Min
		case b.Values != nil:
			body[name] = b.Values[0]
		case name == "groupId":
			body[name] = "defaultGroup"
		default:
			body[name] = "sip:lene@contoso.com"
		}
	}
	return body
}

// TestBoundsAreOfTheReference sends, for every parameter that the reference bounds or
// enumerates, values that are just allowed, and values that just are not.
func TestBoundsAreOfTheReference(t *testing.T) {
	bounds, enumerations := map[string]bool{}, map[string]bool{}
	for state, prepare := range states {
		if state == "anonymous" || state == "a guest in a meeting" { // who are refused before
			continue
		}
		rels := prepare(newWorld(t)).crawl(func(string, string, *reply) {})
		for _, href := range slices.Sorted(maps.Keys(rels)) {
			of, _ := pageOf(rels[href])
			for i := range of.Operations {
				op := &of.Operations[i]
				for _, inQuery := range []bool{false, true} {
					list := op.Body
					if inQuery {
						list = op.Query
					}
					for _, p := range list {
						key := fmt.Sprint(of.Name, op.Method, p.Name, inQuery)
						good, bad := edges(&p, inQuery)
						if same, _ := op.Parameter(p.Name); inQuery && same.Type != "" {
							good, bad = edges(same, inQuery)
						}
						if len(bad) == 0 || bounds[key] || enumerations[key] {
							continue
						}
						if p.Values != nil {
							enumerations[key] = true
						} else {
							bounds[key] = true
						}
						for n, value := range append(good, bad...) {
							a := prepare(newWorld(t))
							body, target := sound(op), href
							if rels[href] == "search" {
								target = strings.Split(href, "?")[0] + map[bool]string{true: "?query=x", false: ""}[p.Name == "limit"]
							}
							if inQuery {
								delete(body, p.Name)
								target += map[bool]string{true: "&", false: "?"}[strings.Contains(target, "?")] + p.Name + "=" + url.QueryEscape(fmt.Sprint(value))
							} else {
								body[p.Name] = value
							}
							if op.Method == "PUT" {
								body[putName(a.send(request("GET", href, a.token, "")).wants(200).json())] = putValue
							}
							sent, err := json.Marshal(body)
							if err != nil {
								t.Fatal(err)
							}
							r := a.send(request(op.Method, target, a.token, string(sent), "If-Match", "*"))
							refused := r.Code == 400 && r.at("subcode") == "ParameterValidationFailure" && strings.Contains(r.Body.String(), `{"name":"`+p.Name+`"`)
							if n < len(good) && refused && ofBounds.MatchString(r.Body.String()) || n >= len(good) && !refused {
								t.Errorf("%s %s, %s in query %t = %.60v: %d %.200s", op.Method, of.Name, p.Name, inQuery, value, r.Code, r.Body)
							}
						}
					}
				}
			}
		}
	}
	if len(bounds) != 50 || len(enumerations) != 40 {
		t.Errorf("%d bounds and %d enumerations were tried, want 50 and 40", len(bounds), len(enumerations))
	}
}

// ofBounds is what is said of a value that is out of bounds, and not wrong for another reason.
var ofBounds = regexp.MustCompile(`has more than|is no number|is none of [A-Z]|has a member`)

// edges are the last values that a parameter allows, and the first that it does not.
func edges(p *api.Parameter, inQuery bool) (good, bad []any) {
	text := func(n int) any { return "sip:" + strings.Repeat("é", max(n-4, 0)) }
	switch {
	case p.Values != nil && p.Array:
		return []any{[]string{p.Values[0], p.Values[len(p.Values)-1]}}, []any{[]string{p.Values[0], "Other"}, []string{strings.ToLower(p.Values[0])}}
	case p.Values != nil:
		return []any{p.Values[0], p.Values[len(p.Values)-1]}, []any{"Other", strings.ToLower(p.Values[0]) + " "}
	case p.Max == 0:
		return nil, nil
	case p.Number():
		bad = []any{p.Min - 1, p.Max + 1, 11.5}
		if inQuery {
			bad = append(bad, "x", "1e1")
		}
		return []any{p.Min, p.Max}, bad
	}
	return []any{text(p.Max)}, []any{text(p.Max + 1)}
}

// TestOperationsAreOfTheReference tries every operation that the reference has of
// what is served, with what it requires: it is answered with the status that stands
// there, or a refusal that does. What the reference does not have is not allowed.
func TestOperationsAreOfTheReference(t *testing.T) {
	tried := map[string]bool{}
	for state, prepare := range states {
		rels := prepare(newWorld(t)).crawl(func(string, string, *reply) {})
		for href, rel := range rels {
			of, _ := pageOf(rel)
			if rel == "participants" || rel == "typingParticipants" {
				prepared := prepare(newWorld(t)) // the reference has no operation, and clients read them all the same
				prepared.send(request("GET", href, prepared.token, "")).wants(200)
				continue
			}
			var methods []string
			for _, o := range of.Operations {
				methods = append(methods, o.Method)
			}
			wantAllow := strings.Join(methods, ", ")
			for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
				op, there := of.Operation(method)
				a := prepare(newWorld(t)) // as if nothing had been done before
				if !there {
					allow := a.send(request(method, href, a.token, "")).wants(405, "MethodNotAllowed").Header().Get("Allow")
					if allow != wantAllow {
						t.Errorf("Allow of %s is %s, want %s", rel, allow, wantAllow)
					}
					continue
				}
				if rel == "events" {
					continue
				}
				body := sound(op)
				if method == "PUT" {
					body[putName(a.send(request("GET", href, a.token, "")).wants(200).json())] = putValue
				}
				sent, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				headers := []string{"If-Match", "*"}
				if rel == "sendMessage" {
					headers = append(headers, "Content-Type", "text/plain")
				}
				if rel == "batch" {
					headers = append(headers, "Content-Type", "multipart/batching;boundary=x", "Accept", "multipart/batching")
					sent = []byte(batchOf("GET " + a.href + "/me HTTP/1.1\r\n\r\n"))
				}
				r := a.send(request(method, href, a.token, string(sent), headers...))
				switch {
				case r.Code == op.Status, r.Code == 200 && slices.Contains(shownAs200, rel):
				case r.Code < 400:
					t.Errorf("%s: %s %s: %d, want %d", state, method, rel, r.Code, op.Status)
				default:
					early := r.at("subcode") == "MakeMeAvailableRequired" && state != "available" && state != "busy"
					if !slices.ContainsFunc(op.Errors, func(e api.Error) bool {
						return e.Status == r.Code && e.Code == r.at("code") && (e.Subcode == r.at("subcode") || e.Subcode == "")
					}) && !early && !slices.Contains(anywhere, r.at("subcode")) {
						t.Errorf("%s: %s %s: %d %s is none of %v", state, method, rel, r.Code, r.at("subcode"), op.Errors)
					}
					if !slices.Contains(api.Values("ErrorCode"), r.at("code")) ||
						r.at("subcode") != "" && !slices.Contains(api.Values("ErrorSubcode"), r.at("subcode")) {
						t.Errorf("%s: %s %s: %s", state, method, rel, r.Body)
					}
				}
				tried[method+" "+rel] = true
			}
			options := prepare(newWorld(t))
			r := options.send(request("OPTIONS", href, options.token, "")).wants(204)
			if allow := r.Header().Get("Allow"); allow != wantAllow {
				t.Errorf("OPTIONS %s: Allow %s, want %s", rel, allow, wantAllow)
			}
		}
	}
	if len(tried) < 60 {
		t.Errorf("only %d operations were tried", len(tried))
	}
}

// TestHead holds that HEAD tells what GET would, and sends none of it.
func TestHead(t *testing.T) {
	a := newWorld(t).dana(true)
	for _, path := range []string{"", "/me", "/people/search?query=" + url.QueryEscape("dana"), "/photos/" + dana.Email, "/communication"} {
		get, head := a.get(path).wants(200), a.do("HEAD", path, "").wants(200)
		if d := cmp.Diff(get.Header(), head.Header()); d != "" || head.Body.Len() > 0 {
			t.Errorf("%s: %s, body %q", path, d, head.Body)
		}
	}
	for _, path := range []string{"/events?ack=1", "/me/reportMyActivity"} {
		if head := a.do("HEAD", path, "").wants(405); head.Body.Len() > 0 {
			t.Errorf("%s: body %q", path, head.Body)
		}
	}
}
