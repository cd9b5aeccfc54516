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
	if got := strings.Join(parts, ", "); got != ", part 1 makeMeAvailable, part 2 , part 3 " {
		t.Errorf("the roles are %s", got)
	}
	for _, r := range examined(t, list[0]) {
		if r.Verdict == reports.Fail {
			t.Errorf("%s: %s, observed %s", r.Requirement, r.Verdict, r.Observed)
		}
	}
}
