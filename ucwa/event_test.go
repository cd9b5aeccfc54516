package ucwa_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// eventPackage is what a server says after makeMeAvailable and an invitation:
// bare events, one with its resource, one of a collection, one with a reason.
const eventPackage = `{
	"_links": {
		"self": {"href": "/ucwa/oauth/v1/applications/101/events?ack=1"},
		"next": {"href": "/ucwa/oauth/v1/applications/101/events?ack=2"}
	},
	"sender": [
		{"rel": "me", "href": "/ucwa/oauth/v1/applications/101/me", "events": [
			{"link": {"rel": "me", "href": "/ucwa/oauth/v1/applications/101/me"}, "type": "updated"},
			{"link": {"rel": "presence", "href": "/ucwa/oauth/v1/applications/101/me/presence"}, "type": "added",
				"_embedded": {"presence": [{"rel": "presence", "availability": "Online"}, {"rel": "presence", "availability": "Busy"}]}}
		]},
		{"rel": "people", "href": "/ucwa/oauth/v1/applications/101/people", "events": []},
		{"rel": "communication", "href": "/ucwa/oauth/v1/applications/101/communication", "events": [
			{"link": {"rel": "contact", "href": "/ucwa/oauth/v1/applications/101/people/1"}, "type": "deleted",
				"in": {"rel": "myContacts", "href": "/ucwa/oauth/v1/applications/101/people/contacts", "revision": 3},
				"_embedded": {"other": {"rel": "other"}}},
			{"link": {"rel": "messagingInvitation", "href": "/ucwa/oauth/v1/applications/101/invitations/1"}, "type": "completed",
				"status": "Failure", "reason": {"code": "LocalFailure", "subcode": "Ended"}}
		]}
	]
}`

func TestParseEvents(t *testing.T) {
	p, err := ucwa.ParseEvents(pool, []byte(eventPackage))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Self.Rel + " " + p.Self.Href; got != "self /ucwa/oauth/v1/applications/101/events?ack=1" {
		t.Errorf("Self is %q", got)
	}
	if got := p.Continue.Rel + " " + p.Continue.Href; got != "next /ucwa/oauth/v1/applications/101/events?ack=2" {
		t.Errorf("Continue is %q", got)
	}

	type event struct {
		Sender, Link, In, Type, Resource string
		Reason                           any
	}
	var got []event
	for _, e := range p.Events {
		availability := e.Resource.String("availability")
		got = append(got, event{e.Sender.Rel, e.Link.Rel, e.In.Rel, e.Type, availability, e.Reason})
	}
	want := []event{
		{"me", "me", "", "updated", "", nil},
		{"me", "presence", "", "added", "Online", nil},
		{"communication", "contact", "myContacts", "deleted", "", nil},
		{"communication", "messagingInvitation", "", "completed", "", map[string]any{"code": "LocalFailure", "subcode": "Ended"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	for i, bare := range []bool{true, false, true, true} { // the third embeds something else than it speaks of
		if (p.Events[i].Resource == nil) != bare {
			t.Errorf("event %d: the resource is %v", i, p.Events[i].Resource)
		}
	}
	if got := p.Events[2].In.Attributes["revision"]; got != json.Number("3") {
		t.Errorf("the revision of the collection is %v", got)
	}

	// Each link of an event was served, so it can be followed.
	for _, link := range []ucwa.Link{p.Self, p.Continue, p.Events[1].Sender, p.Events[1].Link, p.Events[2].In} {
		if _, err := link.URL(); err != nil {
			t.Error(err)
		}
	}
}

func TestParseEventsContinue(t *testing.T) {
	for _, test := range []struct{ name, body, rel, href string }{
		{"next", `{"_links":{"next":{"href":"?ack=2"}}}`, "next", "?ack=2"},
		{"resync", `{"_links":{"self":{"href":"?ack=9"},"resync":{"href":"?ack=3"}}}`, "resync", "?ack=3"},
		{"resume", `{"_links":{"resume":{"href":"?ack=4"}},"sender":[]}`, "resume", "?ack=4"},
		{"next before the others", `{"_links":{"resume":{"href":"?ack=4"},"resync":{"href":"?ack=3"},"next":{"href":"?ack=2"}}}`, "next", "?ack=2"},
		{"time-out: no sender", `{"_links":{"self":{"href":"?ack=1"},"next":{"href":"?ack=2"}}}`, "next", "?ack=2"},
		{"time-out: an empty list of senders", `{"_links":{"next":{"href":"?ack=2"}},"sender":[]}`, "next", "?ack=2"},
		{"time-out: sender null", `{"_links":{"next":{"href":"?ack=2"}},"sender":null}`, "next", "?ack=2"},
		{"a sender without events", `{"_links":{"next":{"href":"?ack=2"}},"sender":[{"rel":"me","href":"/me"}]}`, "next", "?ack=2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := ucwa.ParseEvents(pool, []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if p.Continue.Rel != test.rel || p.Continue.Href != test.href {
				t.Errorf("got %s %s, want %s %s", p.Continue.Rel, p.Continue.Href, test.rel, test.href)
			}
			if len(p.Events) != 0 {
				t.Errorf("got %d events", len(p.Events))
			}
		})
	}
}

func TestParseEventsShapes(t *testing.T) {
	const noLink = "expected a link next, resync or resume with an href, found none at /_links"
	for _, test := range []struct{ name, body, want string }{
		{"empty", ``, "no JSON: the body is empty"},
		{"a list", `[]`, "expected a resource (object), found array"},
		{"no links", `{}`, noLink},
		{"self alone", `{"_links":{"self":{"href":"?ack=1"}}}`, noLink},
		{"next without an href", `{"_links":{"next":{}}}`, noLink},
		{"next an empty list", `{"_links":{"next":[]}}`, noLink},
		{"next null", `{"_links":{"next":null}}`, noLink},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := ucwa.ParseEvents(pool, []byte(test.body))
			if got := message(err); got != test.want {
				t.Errorf("got the error %q, want %q", got, test.want)
			}
			if fault := (*ucwa.JSONError)(nil); p != nil || !errors.As(err, &fault) {
				t.Errorf("got %v and an error of type %T", p, err)
			}
		})
	}
}

// What is no sender and no event is left out, and the channel goes on.
func TestParseEventsLeavesOut(t *testing.T) {
	senders := func(list string) string { return `{"_links":{"next":{"href":"?ack=2"}},"sender":` + list + `}` }
	events := func(list string) string {
		return senders(`[{"rel":"people","href":"/people"},{"rel":"me","href":"/me","events":` + list + `}]`)
	}
	for _, test := range []struct{ name, body, want string }{
		{"sender a string", senders(`"me"`), ""},
		{"a sender null", senders(`[null,{"rel":"me","href":"/me","events":[{"type":"added","link":{"rel":"note","href":"/n"}}]}]`), "me added note"},
		{"a sender without a rel", senders(`[{"href":"/me","events":[{"type":"added","link":{"rel":"note","href":"/n"}}]}]`), " added note"},
		{"an event a string", events(`["added",{"type":"updated","link":{"rel":"me","href":"/me"}}]`), "me updated me"},
		{"an event without a link", events(`[{"type":"added"}]`), "me added "},
		{"an event without a type", events(`[{"link":{"rel":"me","href":"/me"}}]`), "me  me"},
		{"in null", events(`[{"link":{"rel":"me","href":"/me"},"type":"added","in":null}]`), "me added me"},
		{"embedded null", events(`[{"link":{"rel":"me","href":"/me"},"type":"added","_embedded":{"me":null}}]`), "me added me"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := ucwa.ParseEvents(pool, []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, e := range p.Events {
				told = append(told, e.Sender.Rel+" "+e.Type+" "+e.Link.Rel)
			}
			if got := strings.Join(told, ", "); got != test.want || p.Continue.Href != "?ack=2" {
				t.Errorf("told %q, goes on with %q; want %q", got, p.Continue.Href, test.want)
			}
		})
	}
}

// FuzzParseEvents: a package always tells how to go on, and no link of it leads away.
func FuzzParseEvents(f *testing.F) {
	for _, seed := range []string{
		eventPackage, `{}`, `[]`, `{"_links":{"next":{"href":"?ack=2"}}}`, `{"_links":{"resync":{"href":"?ack=2"}},"sender":null}`,
		`{"_links":{"resume":[{"href":"//evil.com/"}]},"sender":[{"rel":"me","href":"https://evil.com"}]}`,
		`{"_links":{"next":{"href":"?"}},"sender":[{"rel":"me","events":[{"link":{"rel":""},"type":"","in":{"rel":"a"},"reason":[1],"_embedded":{"":[{},{}]}}]}]}`,
		`{"_links":{"next":{}},"sender":[{"rel":1,"events":[[]]}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := ucwa.ParseEvents(pool, body)
		if err != nil {
			if fault := (*ucwa.JSONError)(nil); p != nil || !errors.As(err, &fault) || fault.Problem == "" {
				t.Fatalf("%v and the error %#v", p, err)
			}
			return
		}
		if p.Continue.Href == "" || !slices.Contains([]string{"next", "resync", "resume"}, p.Continue.Rel) {
			t.Fatalf("goes on with %+v", p.Continue)
		}
		checkLink(t, p.Continue)
		checkLink(t, p.Self)
		for _, event := range p.Events {
			checkLink(t, event.Sender)
			checkLink(t, event.Link)
			checkLink(t, event.In)
			if event.Resource != nil {
				checkResource(t, event.Resource)
			}
		}
	})
}
