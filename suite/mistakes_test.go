package suite_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
)

// TestMistakesInPages puts mistakes into the literals of the pages: a check that is weaker or stricter than the document, at
// another place, of another role or level. Each must be found by something that does not follow from the check: a recording
// of the document or of the reference server, the proof (whose faults come from the API reference, and whose variations
// a person wrote), or, of a level, the published proof.
func TestMistakesInPages(t *testing.T) {
	if testing.Short() || suite.Race {
		t.Skip("it proves two dozen pages")
	}
	published, err := os.ReadFile("../docs/proof.md")
	if err != nil {
		t.Fatal(err)
	}
	var variations []string
	for _, v := range prove.Variations() {
		variations = append(variations, v.Name)
	}
	for _, m := range []struct {
		what, id string
		edit     func(*suite.Check)
		by       string // what must find it
	}{
		{"a 204 is any success", "set-presence.2.status", suite.Statuses(200, 202, 204), "fault"},
		{"a token comes with any success", "create-application.3.status", suite.Statuses(200, 201, 203, 204), "fault"},
		{"a challenge is any answer", "create-application.2.status", suite.Statuses(200, 401, 404, 500), "fault"},
		{"a user resource comes with any success", "create-application.4.status", suite.Statuses(200, 202, 203), "fault"},
		{"a root comes with any success", "create-application.1.status", suite.Statuses(200, 204, 404), "fault"},
		{"a refusal is any error", "set-presence.refusal.media-type", suite.Plays("not-json"), "recording"},
		{"a 200 is any success", "set-presence.4.status", suite.Statuses(200, 203), "fault"},
		{"a rel is any text", "set-presence.4.rel", suite.Wants("a text"), "fault"},
		{"a rel is one of two", "create-application.5.me.rel", suite.Wants("people or me"), "fault"},
		{"a link is any object", "set-presence.4.links.batch", suite.Wants("an object"), "fault"},
		{"a link leads below any application", "set-presence.4.links.events", suite.Wants("a link to the host"), "fault"},
		{"a link leads anywhere", "set-presence.4.me.links.presence", suite.Wants("a URL"), "fault"},
		{"an availability is any text", "set-presence.6.availability", suite.Wants("a text"), "fault"},
		{"a name is anything", "set-presence.4.me.name", suite.Wants("anything"), "fault"},
		{"caching is not looked at", "set-presence.4.headers.cache", suite.Wants("anything"), "fault"},
		{"what is required may be left out", "set-presence.4.userAgent", suite.Optional, "change"},
		{"an enumeration lacks a value", "set-presence.6.availability", suite.Wants("Online or Away"), "recording"},
		{"a picture lies on the server", "set-presence.4.me.links.photo", suite.Wants("a link of one's own"), "variation"},
		{"what may be left out is required", "set-presence.4.me.emailAddresses", suite.Required, "variation"},
		{"a status is another", "set-presence.6.status", suite.Statuses(200), "document"},
		{"a link is a text", "set-presence.4.links.policies", suite.Wants("upper case"), "document"},
		{"another path", "set-presence.4.culture", suite.Looks("Culture"), "document"},
		{"the path of another resource", "set-presence.4.me.uri", suite.Looks("_embedded.people.uri"), "document"},
		{"another role", "set-presence.6.rel", suite.Plays("presence"), "document"},
		{"the role before", "set-presence.4.links.self", suite.Plays("create"), "recording"},
		{"an error is judged by its content", "set-presence.2.headers.cache", suite.Unguarded, "fault"},
		{"the 204 of a template is a 200", "set-note.6.status", suite.Statuses(200), "document"},
		{"a note comes with any success", "get-note.6.status", suite.Statuses(200, 203), "fault"},
		{"a note always has a text", "get-note.6.message", suite.Wants("a text"), "recording"},
		{"the type of a note is any text", "get-note.6.type", suite.Wants("a text"), "fault"},
		{"a presence links to any application", "get-presence.6.link.self", suite.Wants("a link to the host"), "fault"},
		{"a refused value is the reset", "set-note.refusal.type", suite.Plays("note reset"), "recording"},
		{"a reset is answered with any success", "reset-note.6.status", suite.Statuses(200, 202, 204), "fault"},
		{"an activity is always there", "get-presence.6.activity", suite.Required, "document"},
		{"a must is a may", "set-presence.2.status", suite.At("may"), "published"},
		{"a should is a must", "set-presence.refusal.subcode", suite.At("must"), "published"},
		{"it is the client's", "set-presence.4.rel", suite.Of("client"), "published"},
	} {
		t.Run(m.what, func(t *testing.T) {
			undo := suite.Mistake(m.id, m.edit)
			defer undo()
			r, _, err := suite.RequirementOf(m.id)
			if err != nil {
				t.Fatal(err)
			}
			var by string
			switch {
			case wrongOn(t, "documentation/"+strings.SplitN(m.id, ".", 2)[0], m.id):
				by = "document"
			case wrongOn(t, "reference/set-presence", m.id):
				by = "recording"
			case !strings.Contains(string(published), "| `"+m.id+"` | "+r.Level+" "+r.Subject+" |"):
				by = "published"
			default:
				// What is tried first costs least: the faults of the requirement itself, of its step, variations, small changes.
				step := strings.Join(strings.SplitN(m.id, ".", 3)[:2], ".") + "."
				for _, names := range [][]string{{m.id + "/"}, {step}, variations, {": drop body"}} {
					if by = foundBy(t, names); by != "nothing" {
						break
					}
				}
			}
			if by != m.by {
				t.Errorf("%s: found by %s, want %s", m.id, by, m.by)
			}
		})
	}
}

// foundBy returns the kind of trial that shows that something is wrong: a fault, a variation of a correct server, or a small
// change of a recording.
func foundBy(t *testing.T, names []string) string {
	t.Helper()
	p, err := prove.Run(context.Background(), prove.Options{Names: names, Combinations: -1})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, problem := range p.Problems() {
		kinds[problem.Kind] = true
	}
	switch {
	case kinds["server"]:
		return "fault"
	case kinds["variation"]:
		return "variation"
	case kinds["recording"]:
		return "change"
	}
	return "nothing"
}

// wrongOn reports whether a requirement does not pass on a recording on which it should.
func wrongOn(t *testing.T, name, id string) bool {
	t.Helper()
	return slices.ContainsFunc(examined(t, name), func(r reports.Result) bool {
		fine := r.Verdict == reports.Pass || r.Verdict == reports.NotApplicable || strings.HasPrefix(name, "documentation/") && r.Verdict == reports.NotExercised
		return r.Requirement == id && !fine
	})
}
