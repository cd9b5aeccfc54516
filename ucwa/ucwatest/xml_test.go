package ucwatest_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

const namespace = "http://schemas.microsoft.com/rtc/2012/03/ucwa"

// input is a request in XML that sets an availability.
func input(availability string) string {
	return `<?xml version="1.0" encoding="utf-8"?><input xmlns="` + namespace + `"><property name="availability">` + availability + `</property></input>`
}

// xml reads an answer in XML.
func (r *reply) xml() any {
	r.Helper()
	value, err := ucwa.DecodeXML(r.Body.Bytes())
	if err != nil {
		r.Fatalf("%s: %v\n%s", r.asked, err, r.Body)
	}
	return value
}

// sameInXML compares what an answer says in JSON and in XML, which is the same, but that XML
// does not tell a list of one from a single thing where the reference has no list.
func sameInXML(t *testing.T, name string, inJSON, inXML *reply) {
	t.Helper()
	value, err := ucwa.DecodeJSON(inJSON.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(single(value), single(inXML.xml()), cmp.Comparer(sameButForXML)); d != "" {
		t.Errorf("%s: JSON and XML differ: %s", name, d)
	}
}

// single is a value in which each list of one object is that object.
func single(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = single(v[name])
		}
	case []any:
		for i := range v {
			v[i] = single(v[i])
		}
		if len(v) == 1 {
			if one, is := v[0].(map[string]any); is {
				return one
			}
		}
	}
	return v
}

func TestRequestsInXML(t *testing.T) {
	a := newWorld(t).dana(true)
	post := func(body string) *reply {
		return a.do("POST", "/me/presence", body, "Content-Type", "application/vnd.microsoft.com.ucwa+xml; charset=utf-8")
	}
	post(input("Busy")).wants(204)
	if got := a.availability(); got != "Busy" {
		t.Errorf("availability %s", got)
	}
	post(`<resource xmlns="` + namespace + `" rel="presence"><link rel="self" href="x"/><!-- comment --><property name="Availability">Do<!-- in it -->NotDisturb</property><resource><property name="availability">Away</property></resource></resource>`).wants(204)
	if got := a.availability(); got != "DoNotDisturb" {
		t.Errorf("availability %s", got)
	}
	post(``).wants(204)
	if got := a.availability(); got != "Online" {
		t.Errorf("availability %s", got)
	}
	open, end := `<input xmlns="`+namespace+`">`, `</input>`
	for name, body := range map[string]string{
		"no XML":                `{"availability":"Online"}`,
		"cut":                   input("Busy")[:80],
		"another namespace":     strings.Replace(input("Busy"), "2012", "2013", 1),
		"no namespace":          `<input><property name="availability">Busy</property></input>`,
		"another element":       `<output xmlns="` + namespace + `"/>`,
		"two":                   input("Busy") + open + end,
		"a document type":       `<!DOCTYPE input [<!ENTITY e "Busy">]>` + input("&e;"),
		"a type inside":         open + `<!DOCTYPE x>` + end,
		"an entity":             input("&e;"),
		"twice":                 open + `<property name="availability">Busy</property><property name="AVAILABILITY">Busy</property>` + end,
		"no name":               open + `<property>Busy</property>` + end,
		"an element in a value": open + `<property name="availability"><b>Busy</b></property>` + end,
		"text":                  open + `Busy` + end,
		"no item":               open + `<propertyList name="x"><property name="y"/></propertyList>` + end,
		"another charset":       `<?xml version="1.0" encoding="utf-16"?>` + open + end,
		"not UTF-8":             input("\xff"),
		"too deep":              open + strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200) + end,
		"a character":           input("&#1;"),
	} {
		if r := post(body); r.Code != 400 || r.at("subcode") != "DeserializationFailure" {
			t.Errorf("%s: %d %s", name, r.Code, r.Body)
		}
	}
	if r := post(input("Offline")); r.Code != 400 || r.at("subcode") != "ParameterValidationFailure" {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	if got := a.availability(); got != "Online" {
		t.Errorf("availability %s", got)
	}
}

// TestValuesInXML reads lists, numbers and booleans out of text, which JSON that has
// them as text does not get by with.
func TestValuesInXML(t *testing.T) {
	a := newWorld(t).dana(false)
	send := func(path, properties string) *reply {
		return a.do("POST", path, `<input xmlns="`+namespace+`">`+properties+`</input>`, "Content-Type", "application/xml")
	}
	send("/me/makeMeAvailable", `<propertyList name="supportedModalities"><item>Messaging</item> <item>Audio</item></propertyList>`).wants(204)
	if d := cmp.Diff([]any{"Messaging", "Audio"}, a.get("/communication").json()["supportedModalities"]); d != "" {
		t.Error(d)
	}
	const ring = "/me/callForwardingSettings/unansweredCallSettings/unansweredCallToVoicemail"
	send(ring, `<property name="ringDelay">20</property>`).wants(204)
	if got := a.get("/me/callForwardingSettings/unansweredCallSettings").json()["ringDelay"]; got != 20.0 {
		t.Errorf("ringDelay %v", got)
	}
	send(ring, `<property name="ringDelay">long</property>`).wants(400, "BadRequest", "ParameterValidationFailure")
	send("/me/phones/home/changeVisibility", `<property name="includeInContactCard">true</property>`).wants(204)
	if got := a.get("/me/phones/home").json()["includeInContactCard"]; got != true {
		t.Errorf("includeInContactCard %v", got)
	}
	a.post(ring, `{"ringDelay":"20"}`).wants(400, "BadRequest", "ParameterValidationFailure")
	a.post("/me/phones/home/changeVisibility?includeInContactCard=false", "").wants(204)
	if got := a.get("/me/phones/home").json()["includeInContactCard"]; got != false {
		t.Errorf("includeInContactCard %v", got)
	}
	a.post("/me/phones/home/changeVisibility?includeInContactCard=false&includeInContactCard=true", "").wants(400)
}

func TestErrorsInXML(t *testing.T) {
	a := newWorld(t).dana(true)
	r := a.do("POST", "/me/presence", `{"availability":"<>"}`, "Accept", "application/vnd.microsoft.com.ucwa+xml").wants2(400, "application/vnd.microsoft.com.ucwa+xml; charset=utf-8")
	want := `<reason xmlns="` + namespace + `"><code>BadRequest</code><subcode>ParameterValidationFailure</subcode>` +
		`<message>A parameter is missing or not valid.</message><parameters><property name="availability">is none of Online, Busy, DoNotDisturb, BeRightBack, Away, Offwork</property></parameters></reason>`
	if got := strings.TrimPrefix(r.Body.String(), xml.Header); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	a.do("GET", "/nothing", "", "Accept", "application/xml").wants2(404, "application/xml; charset=utf-8")
	a.do("GET", "/me", "", "Accept", "text/html").wants2(406, "application/json; charset=utf-8")
}

// wants2 is wants for answers that are not in JSON.
func (r *reply) wants2(status int, contentType string) *reply {
	r.Helper()
	if r.Code != status || r.Header().Get("Content-Type") != contentType {
		r.Fatalf("%s: %d %s, want %d %s\n%s", r.asked, r.Code, r.Header().Get("Content-Type"), status, contentType, r.Body)
	}
	return r
}

func TestEventsInXML(t *testing.T) {
	a := newWorld(t).dana(false)
	a.makeAvailable("")
	r := a.do("GET", "/events?ack=1", "", "Accept", "application/xml").wants(200)
	href := root + "/101"
	want := `<events href="` + href + `/events?ack=1" xmlns="` + namespace + `">` +
		`<link rel="next" href="` + href + `/events?ack=2"/><sender rel="me" href="` + href + `/me"><updated rel="me" href="` + href + `/me"/>` +
		`<added rel="presence" href="` + href + `/me/presence"/><added rel="note" href="` + href + `/me/note"/><added rel="location" href="` + href + `/me/location"/></sender>` +
		`<sender rel="communication" href="` + href + `/communication"><updated rel="communication" href="` + href + `/communication"/></sender></events>`
	if got := strings.TrimPrefix(r.Body.String(), xml.Header); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	// A second reading, in JSON, tells the same.
	if got := a.get("/events?ack=1").events(); got != "me: me updated, me: presence added, me: note added, me: location added, communication: communication updated" {
		t.Error(got)
	}
}

// FuzzXML sends what it likes as XML: it is taken or refused, and what is taken is
// told again as it was said.
func FuzzXML(f *testing.F) {
	f.Add(input("Online"))
	f.Add(`<input xmlns="` + namespace + `"><property name="message">x&amp;&#x20AC;<!-- --><![CDATA[<y>]]></property><propertyList name="y"><item/></propertyList></input>`)
	f.Add(`<a:resource xmlns:a="` + namespace + `"><a:property name='message'>x</a:property><a:link rel="x"><b/></a:link></a:resource>`)
	f.Add(`<!DOCTYPE a><a/>`)
	f.Fuzz(func(t *testing.T, body string) {
		w := &world{T: t, server: ucwatest.New(ucwatest.Config{Clock: ucwatest.NewManualClock(start), IDs: counter()})}
		a := w.create(w.server.AddUser(dana), 0)
		a.makeAvailable("")
		r := a.do("POST", "/me/note", body, "Content-Type", "application/xml")
		if r.Code == 400 || body == "" {
			return
		}
		r.wants(204)
		note := a.get("/me/note").wants(200)
		if got := a.do("GET", "/me/note", "", "Accept", "application/xml").xml().(map[string]any)["message"]; got != note.at("message") {
			t.Errorf("%q, in XML %q", note.at("message"), got)
		}
	})
}
