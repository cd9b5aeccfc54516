package ucwa_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// inXML is a body in UCWA's XML.
func inXML(s string) string { return strings.Replace(s, ">", ` xmlns="`+ucwa.XMLNamespace+`">`, 1) }

// TestDecodeXML reads each form into what the same is in JSON.
func TestDecodeXML(t *testing.T) {
	for name, c := range map[string]struct{ xml, json string }{
		"a resource": {inXML(`<resource rel="phone" href="/p"><link rel="changeNumber" href="/p/c" title="T" revision="2"/><property name="includeInContactCard">true</property><property name="number">+1</property></resource>`),
			`{"rel":"phone","_links":{"self":{"href":"/p"},"changeNumber":{"href":"/p/c","title":"T","revision":"2"}},"includeInContactCard":true,"number":"+1"}`},
		"lists, numbers and dates": {inXML(`<resource rel="conversation" href="/c"><propertyList name="activeModalities"><item>Messaging</item></propertyList><property name="participantCount">2</property><property name="created">2013-01-17T00:00:00Z</property></resource>`),
			`{"rel":"conversation","_links":{"self":{"href":"/c"}},"activeModalities":["Messaging"],"participantCount":2,"created":"/Date(1358380800000)/"}`},
		"a list of one link": {inXML(`<resource rel="conversations" href="/c"><link rel="conversation" href="/1"/></resource>`),
			`{"rel":"conversations","_links":{"self":{"href":"/c"},"conversation":[{"href":"/1"}]}}`},
		"a role": {inXML(`<resource rel="messagingInvitation" href="/i"><resource rel="from" href="/p"><property name="anonymous">false</property></resource></resource>`),
			`{"rel":"messagingInvitation","_links":{"self":{"href":"/i"}},"_embedded":{"from":{"rel":"participant","_links":{"self":{"href":"/p"}},"anonymous":false}}}`},
		"an input": {inXML(`<input><property name="UserAgent">a &amp; b</property><link rel="message" href="data:,x"/></input>`), `{"UserAgent":"a & b","_links":{"message":{"href":"data:,x"}}}`},
		"an error": {inXML(`<reason><code>BadRequest</code><parameters><property name="to">is missing</property></parameters></reason>`),
			`{"code":"BadRequest","parameters":[{"name":"to","reason":"is missing"}]}`},
		"events": {inXML(`<events href="/e?ack=1"><link rel="next" href="/e?ack=2"/><sender rel="people" href="/p"><updated rel="contactPresence" href="/c/p"><in rel="contact" href="/c"/></updated></sender>` +
			`<sender rel="communication" href="/o"><completed rel="messagingInvitation" href="/i" status="Failure"><reason><code>RemoteFailure</code></reason><resource rel="messagingInvitation" href="/i"/></completed></sender></events>`),
			`{"rel":"events","_links":{"self":{"href":"/e?ack=1"},"next":{"href":"/e?ack=2"}},"sender":[{"rel":"people","href":"/p","events":[{"type":"updated","link":{"rel":"contactPresence","href":"/c/p"},"in":{"rel":"contact","href":"/c"}}]},` +
				`{"rel":"communication","href":"/o","events":[{"type":"completed","status":"Failure","link":{"rel":"messagingInvitation","href":"/i"},"reason":{"code":"RemoteFailure"},"_embedded":{"messagingInvitation":{"rel":"messagingInvitation","_links":{"self":{"href":"/i"}}}}}]}]}`},
	} {
		got, err := ucwa.DecodeXML([]byte(c.xml))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, err := ucwa.DecodeJSON([]byte(c.json))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	for name, body := range map[string]string{
		"nothing": "", "JSON": "{}", "HTML": "<html></html>", "another namespace": `<resource xmlns="x"/>`, "another element": inXML("<user></user>"),
		"cut": inXML("<resource>"), "two": inXML("<input></input>") + "<a/>", "a document type": "<!DOCTYPE x>" + inXML("<input></input>"),
		"a name twice": inXML(`<input><property name="a">1</property><property name="a">2</property></input>`), "no name": inXML(`<input><property>1</property></input>`),
		"a name of ours": inXML(`<input><property name="_links">1</property></input>`), "too deep": inXML("<input>" + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</input>"),
		"too long": inXML("<input>" + strings.Repeat(" ", ucwa.MaxBody) + "</input>"),
	} {
		if value, err := ucwa.DecodeXML([]byte(body)); err == nil {
			t.Errorf("%s is read: %v", name, value)
		}
	}
}

// FuzzDecodeXML reads what it likes: it does not panic, and what it reads can be written in JSON.
func FuzzDecodeXML(f *testing.F) {
	f.Add(inXML(`<resource rel="contact" href="/c"><property name="type">User</property><propertyList name="x"><item/></propertyList><resource rel="contact" href="/d"/></resource>`))
	f.Add(inXML(`<events href="/e"><link rel="next" href="/f"/><sender rel="me" href="/m"><added rel="note" href="/n"/></sender></events>`))
	f.Add(inXML(`<reason><code>x</code><debugInfo><property name="a">b</property></debugInfo></reason>`))
	f.Fuzz(func(t *testing.T, body string) {
		value, err := ucwa.DecodeXML([]byte(body))
		if err != nil {
			return
		}
		written, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ucwa.DecodeJSON(written); err != nil {
			t.Errorf("%q became %s: %v", body, written, err)
		}
	})
}
