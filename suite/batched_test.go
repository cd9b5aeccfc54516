package suite

import (
	"strconv"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

// TestBatched holds that what is sent in a batch plays the role, and has the verdicts, that it has when it is sent alone, and that
// what is broken in it is shown at its part.
func TestBatched(t *testing.T) {
	open := func(edit func(*cassettes.Interaction)) *Evidence {
		c, err := cassettes.Open("testdata/batch.yaml")
		if err != nil {
			t.Fatal(err)
		}
		edit(c.Exchanges[3].Interaction)
		list, err := Locate(c, "set-presence", "get-note", "set-note", "get-presence")
		if err != nil || len(list) != 1 {
			t.Fatal(len(list), err)
		}
		return list[0]
	}
	e := open(func(*cassettes.Interaction) {})
	var parts []string
	for _, x := range e.Exchanges {
		parts = append(parts, x.Part)
	}
	if got := strings.Join(parts, ", "); got != "makeMeAvailable, application, note, , note read, presence read, presence" {
		t.Errorf("the roles are %s", got)
	}
	sound := verdictsOn(t, e)
	for id, v := range sound {
		if v != reports.Pass && v != reports.NotExercised && v != reports.NotApplicable {
			t.Errorf("%s: %s", id, v)
		}
	}
	for _, test := range []struct {
		old, new, id string
		field        string
	}{
		{"working working working", "something else", "set-note.6.received", "part 1 message"},
		{`"availability":"Online"`, `"availability":"Offwork"`, "set-presence.6.availability", "part 2 availability"},
		{"HTTP/1.1 204 No Content", "HTTP/1.1 200 OK", "set-presence.6.status", "part 3 status"},
		{"\r\n\r\n\ufeff", "\r\n\r\n", "", ""},
	} {
		broken := open(func(x *cassettes.Interaction) {
			if !strings.Contains(x.Response.Body, test.old) {
				t.Fatalf("no %q in %q", test.old, x.Response.Body)
			}
			x.Response.Body = strings.Replace(x.Response.Body, test.old, test.new, 1)
		})
		for _, r := range examined(t, broken) {
			switch {
			case r.Requirement == test.id:
				if r.Verdict != reports.Fail || r.Evidence[0] != (reports.Pointer{Exchange: 4, Field: test.field}) {
					t.Errorf("%s: %s at %v, %s", r.Requirement, r.Verdict, r.Evidence, r.Reason)
				}
			case r.Verdict != sound[r.Requirement]:
				t.Logf("%s: also %s is %s and not %s: %s %s", test.id, r.Requirement, r.Verdict, sound[r.Requirement], r.Observed, r.Reason)
			}
		}
	}
	for _, id := range []string{"set-note.6.received", "get-note.6.status", "get-note.6.message", "set-presence.6.read", "set-presence.6.availability", "set-presence.6.status", "set-presence.6.body",
		"set-presence.5.body.availability"} {
		if sound[id] != reports.Pass {
			t.Errorf("%s is %s", id, sound[id])
		}
	}
}

// TestBatchedOrder holds that of what stands in a batch beside makeMeAvailable nothing is judged, since nobody knows which was done
// first, and that a part needs no more header than the documentation gives it.
func TestBatchedOrder(t *testing.T) {
	c, err := cassettes.Open("testdata/batch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	x := c.Exchanges[3].Interaction
	const note = "GET /ucwa/oauth/v1/applications/101/me/note HTTP/1.1\r\n"
	made := strings.Replace(strings.Replace(note, "GET", "POST", 1), "note", "makeMeAvailable", 1) + "Content-Type: application/json\r\n"
	first, rest, found := strings.Cut(x.Request.Body, note)
	head, rest, there := strings.Cut(rest, "\r\n\r\n")
	if !found || !there {
		t.Fatalf("no note in %q", x.Request.Body)
	}
	x.Request.Body = first + made + head + "\r\n\r\n" + `{"supportedModalities":["Messaging"]}` + rest
	x.Request.Headers.Set("Content-Length", strconv.Itoa(len(x.Request.Body)))
	boundary := boundaryOf(x.Response.Headers)
	const part = "\r\nContent-Type: application/http; msgtype=response\r\n\r\nHTTP/1.1 "
	conflict := part + "409 Conflict\r\nContent-Type: application/json\r\n\r\n" + `{"code":"Conflict","subcode":"MakeMeAvailableRequired","message":"not yet"}` + "\r\n--"
	x.Response.Body = "--" + boundary + part + "204 No Content\r\n\r\n\r\n--" + boundary + conflict + boundary + conflict + boundary + "--\r\n"
	c.Exchanges = c.Exchanges[3:]
	list, err := Locate(c, "set-presence", "get-note", "set-note", "get-presence")
	if err != nil || len(list) != 1 {
		t.Fatal(len(list), err)
	}
	var parts []string
	for _, x := range list[0].Exchanges {
		parts = append(parts, x.names(x.Part))
	}
	if why := list[0].Exchanges[0].report().Aside; !strings.HasPrefix(why, "part 2 in a batch with a request on which it depends") {
		t.Errorf("the report says of the batch: %q", why)
	}
	if got := strings.Join(parts, ", "); got != ", part 1 makeMeAvailable, part 2 , part 3 " {
		t.Errorf("the roles are %s", got)
	}
	for _, r := range examined(t, list[0]) {
		if r.Verdict == reports.Fail {
			t.Errorf("%s: %s, observed %s", r.Requirement, r.Verdict, r.Observed)
		}
	}
}

// TestBatchedAnyOrder holds that nothing is held against anyone for the order in which what is in a batch was done, nor for what the
// evidence does not keep of one, and that what is told apart from that is judged.
func TestBatchedAnyOrder(t *testing.T) {
	const app = "/ucwa/oauth/v1/applications/101"
	busy, away := `{"rel":"presence","availability":"Busy","_links":{"self":{"href":"`+app+`/me/presence"}}}`, `{"rel":"presence","availability":"Away","_links":{"self":{"href":"`+app+`/me/presence"}}}`
	type part struct{ asked, sent, status, body string } // "POST /me/presence", what is sent, "204 No Content", what is answered
	set := func(value string) part {
		return part{"POST /me/presence", `{"availability":"` + value + `"}`, "204 No Content", ""}
	}
	read := func(body string) part { return part{"GET /me/presence", "", "200 OK", body} }
	join := func(parts []string, kind string) string {
		text := ""
		for _, p := range parts {
			text += "--b1\r\nContent-Type: application/http; msgtype=" + kind + "\r\n\r\n" + p + "\r\n"
		}
		return text + "--b1--\r\n"
	}
	for _, test := range []struct {
		name   string
		list   [][]part // each sent in one batch, or alone where it is one
		edit   func(batch *cassettes.Interaction)
		judged string // must pass all the same
		fails  string // the one that must fail
	}{
		{name: "read beside what sets it", list: [][]part{{set("Away")}, {set("Busy"), read(busy)}}, judged: "set-presence.6.read"},
		{name: "and the other way round", list: [][]part{{set("Away")}, {read(away), set("Busy")}, {read(busy)}}, judged: "set-presence.6.received"},
		{name: "two changes", list: [][]part{{set("Busy"), set("Away")}, {read(busy)}}, judged: "set-presence.6.read"},
		{name: "a batch whose answer is lost", list: [][]part{{set("Away")}, {set("Busy"), set("Busy")}, {read(busy)}}, judged: "set-presence.6.read",
			edit: func(x *cassettes.Interaction) { x.Response.Body, x.Response.ContentLength = "", -1 }},
		{name: "an answer too few", list: [][]part{{set("Away")}, {set("Busy"), read(busy)}, {read(busy)}}, judged: "set-presence.6.read",
			edit: func(x *cassettes.Interaction) {
				x.Response.Body = join([]string{"HTTP/1.1 204 No Content\r\n\r\n"}, "response")
			}},
		{name: "a mark before the first part", list: [][]part{{read(away), set("Busy")}}, judged: "set-presence.6.status",
			edit: func(x *cassettes.Interaction) { x.Response.Body = "\ufeff" + x.Response.Body }},
		{name: "marks as recorders leave them", list: [][]part{{read("?\r\n" + away), {"GET /me", "", "200 OK", `{"rel":"me"}`}}}, judged: "set-presence.6.read"},
		{name: "the event channel, which no batch holds", list: [][]part{{{"GET /events?ack=1", "", "403 Forbidden", `{"code":"Forbidden"}`}, read(busy)}}, judged: "set-presence.6.read"},
		{name: "a wrong value after a batch", list: [][]part{{{"GET /me", "", "200 OK", `{"rel":"me"}`}, set("Busy")}, {read(away)}}, fails: "set-presence.6.received"},
		{name: "a wrong status in one", list: [][]part{{{"POST /me/presence", `{"availability":"Busy"}`, "200 OK", ""}, read(busy)}}, fails: "set-presence.6.status"},
	} {
		c, err := cassettes.Open("testdata/batch.yaml")
		if err != nil {
			t.Fatal(err)
		}
		model := *c.Exchanges[2].Interaction
		c.Exchanges = c.Exchanges[:2]
		for _, parts := range test.list {
			x := model
			x.ID = len(c.Exchanges) + 1
			x.Request.Headers, x.Response.Headers = model.Request.Headers.Clone(), model.Response.Headers.Clone()
			var asked, answered []string
			for _, p := range parts {
				method, path, _ := strings.Cut(p.asked, " ")
				x.Request.Method, x.Request.URL, x.Request.Body = method, "https://lyncweb.contoso.com"+app+path, p.sent
				status, _, _ := strings.Cut(p.status, " ")
				x.Response.Status, x.Response.Body = p.status, p.body
				x.Response.Code, _ = strconv.Atoi(status)
				if p.sent == "" {
					x.Request.Headers.Del("Content-Type")
					x.Request.Headers.Del("Content-Length")
				}
				if p.body != "" {
					x.Response.Headers.Set("Content-Type", "application/json")
					p.status += "\r\nContent-Type: application/json"
				}
				asked = append(asked, p.asked[:len(method)]+" "+app+path+" HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"+p.sent)
				answered = append(answered, "HTTP/1.1 "+p.status+"\r\n\r\n"+p.body)
			}
			if len(parts) > 1 {
				x.Request.Method, x.Request.URL, x.Request.Body = "POST", "https://lyncweb.contoso.com"+app+"/batch", join(asked, "request")
				x.Response.Code, x.Response.Status, x.Response.Body = 200, "200 OK", join(answered, "response")
				x.Request.Headers.Set("Content-Type", `multipart/batching; boundary="b1"`)
				x.Response.Headers.Set("Content-Type", "multipart/batching; boundary=b1")
				if test.edit != nil {
					test.edit(&x)
				}
			}
			if x.Request.Body != "" {
				x.Request.Headers.Set("Content-Length", strconv.Itoa(len(x.Request.Body)))
			}
			c.Exchanges = append(c.Exchanges, cassettes.Exchange{Interaction: &x})
		}
		located, err := Locate(c, "set-presence")
		if err != nil || len(located) != 1 {
			t.Fatal(test.name, len(located), err)
		}
		found := map[string]reports.Verdict{}
		for _, r := range examined(t, located[0]) {
			found[r.Requirement] = r.Verdict
			if r.Verdict == reports.Fail && r.Requirement != test.fails {
				t.Errorf("%s: %s fails: expected %s, observed %s", test.name, r.Requirement, r.Expected, r.Observed)
			}
		}
		if test.judged != "" && found[test.judged] != reports.Pass {
			t.Errorf("%s: %s is %s", test.name, test.judged, found[test.judged])
		}
		if test.fails != "" && found[test.fails] != reports.Fail {
			t.Errorf("%s: %s is %s", test.name, test.fails, found[test.fails])
		}
	}
}
