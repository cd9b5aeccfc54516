package ucwatest_test

import (
	"encoding/json"
	"iter"
	"maps"
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

// states are what an application can be like when it is looked at.
var states = map[string]func(*world) *app{
	"new": func(w *world) *app { return w.dana(false) },
	"available": func(w *world) *app {
		a := w.dana(false)
		a.post("/me/makeMeAvailable", `{"supportedModalities":["Messaging","PhoneAudio"],"supportedMessageFormats":["Plain"],"audioPreference":"PhoneAudio","phoneNumber":"tel:+14255550123"}`).wants(204)
		return a
	},
	"busy": func(w *world) *app {
		lene := w.create(w.server.AddUser(ucwatest.User{Name: "Lene <Aaling>", URI: "sip:lene@contoso.com", Title: "R&D"}), 1)
		lene.makeAvailable("Busy")
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
		for rel, v := range r["_links"].(map[string]any) {
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
		of, known := api.ResourceOf(rel)
		if !known || !strings.HasPrefix(href, a.href) {
			a.Fatalf("%s is served under %s, which is not in the reference", href, rel)
		}
		get, gets := of.Operation("GET")
		if gets && slices.ContainsFunc(get.Query, func(p api.Parameter) bool { return p.Name == "query" }) {
			href += "?query=CONTOSO&limit=1"
		}
		if before, seen := rels[href]; seen {
			if before != rel && !strings.HasSuffix(strings.ToLower(rel), "photo") {
				a.Fatalf("%s is served under %s and %s", href, before, rel)
			}
			return
		}
		rels[href] = rel
		if _, post := of.Operation("POST"); rel == "events" || post && len(of.Operations) == 1 {
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
	return rels
}

// embedded yields the resources that are whole in another, by rel.
func embedded(r map[string]any) iter.Seq2[string, map[string]any] {
	return func(yield func(string, map[string]any) bool) {
		inside, _ := r["_embedded"].(map[string]any)
		for rel, v := range inside {
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
			of, known := api.ResourceOf(rel)
			if r["rel"] != rel || !known {
				t.Fatalf("%s: %s has the rel %v", state, rel, r["rel"])
			}
			if etag, _ := r["etag"].(string); etag == "" || strings.Trim(etag, "0123456789") != "" {
				t.Errorf("%s: %s has the etag %q", state, rel, r["etag"])
			}
			for name := range r["_links"].(map[string]any) {
				if l, known := of.Link(name); name != "self" && (!known || l.SampleOnly) {
					t.Errorf("%s: %s links to %s, which is not in the reference", state, rel, name)
				}
			}
			for name, v := range r {
				if slices.Contains([]string{"_links", "_embedded", "rel", "etag"}, name) || v == putValue {
					continue
				}
				if p, known := of.Property(name); !known || p.SampleOnly {
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
			of, _ := api.ResourceOf(rel)
			_, changes := of.Operation("PUT")
			if tag, want := got.Header().Get("ETag"), strconv.Quote(got.at("etag")); changes && tag != want || !changes && tag != "" {
				t.Errorf("%s: ETag of %s is %s, that of the body %s", state, rel, tag, want)
			}
			inXML := a.send(request("GET", href, a.token, "", "Accept", "application/xml")).wants(200)
			if d := cmp.Diff(asText(r), inXML.xml(), cmp.Comparer(sameButForXML)); d != "" {
				t.Errorf("%s: JSON and XML of %s differ: %s", state, rel, d)
			}
		})
		for _, rel := range rels {
			served[rel] = true
		}
	}
	// What is newly served has come to be known here, and what was served still is.
	if len(served) != 71 {
		t.Errorf("%d resources are served, want 71: %s", len(served), slices.Sorted(maps.Keys(served)))
	}
}

// sameButForXML compares text of which XML cannot have every character.
func sameButForXML(a, b string) bool {
	clean := func(s string) string { return strings.ReplaceAll(s, "\u0001", "\ufffd") }
	return clean(a) == clean(b)
}

// TestOperationsAreOfTheReference tries every operation that the reference has of
// what is served, with what it requires: it is answered with the status that stands
// there, or a refusal that does. What the reference does not have is not allowed.
func TestOperationsAreOfTheReference(t *testing.T) {
	tried := map[string]bool{}
	for state, prepare := range states {
		rels := prepare(newWorld(t)).crawl(func(string, string, *reply) {})
		for href, rel := range rels {
			of, _ := api.ResourceOf(rel)
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
				body := map[string]any{}
				for _, b := range op.Body {
					switch name := b.Name; {
					case !b.Required:
					case strings.HasSuffix(name, "ris"):
						body[name] = []string{"sip:lene@contoso.com"}
					case name == "duration":
						body[name] = 10
					default:
						body[name] = "sip:lene@contoso.com"
					}
				}
				if method == "PUT" {
					body[putName(a.send(request("GET", href, a.token, "")).wants(200).json())] = putValue
				}
				sent, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				headers := []string{"If-Match", "*"}
				if rel == "batch" {
					headers = append(headers, "Content-Type", "multipart/batching;boundary=x", "Accept", "multipart/batching")
					sent = []byte(batchOf("GET " + a.href + "/me HTTP/1.1\r\n\r\n"))
				}
				r := a.send(request(method, href, a.token, string(sent), headers...))
				switch {
				case r.Code == op.Status, rel == "myOnlineMeetings" && r.Code == 200: // as "Schedule an online meeting" has it
				case r.Code < 400:
					t.Errorf("%s: %s %s: %d, want %d", state, method, rel, r.Code, op.Status)
				default:
					early := r.at("subcode") == "MakeMeAvailableRequired" && state != "available" && state != "busy"
					if !slices.ContainsFunc(op.Errors, func(e api.Error) bool {
						return e.Status == r.Code && e.Code == r.at("code") && (e.Subcode == r.at("subcode") || e.Subcode == "")
					}) && !early {
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
