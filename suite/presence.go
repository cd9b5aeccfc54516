package suite

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// The roles that exchanges on the presence play.
const (
	partPresence = "presence"
	partRead     = "presence read"
	partReset    = "reset"
	partUnread   = "presence, unread" // what it leaves is not known: the body is not kept, or a batch changes the same twice
)

// myPresence is what the pages on the presence set and read.
var myPresence = &personal{
	rel: "presence", member: "availability", set: partPresence, read: partRead, reset: partReset, unread: partUnread,
	wrong: "availability", notJSON: "not-json", media: "media-type", method: "method-presence", null: "null-body",
	received: "set-presence.6.received", signInAs: "signInAs",
	takes: func(text string) bool { return ucwa.PreferredAvailability(text).Valid() },
	readAs: func(text string) []any {
		switch idle := ucwa.Availability("Idle" + text); {
		case text == string(ucwa.PreferOffwork):
			return nil // it reads back as another value
		case idle.Valid():
			return []any{text, string(idle)} // the user may be idle
		}
		return []any{text}
	},
	task: "set-presence", early: string(early), witness: myNote,
	doubt: fmt.Sprintf("the first presence that was read is %s, which the run had asked for too early, and been refused: if the user was not %s before, the server stored what it refused, "+
		"and the presence that was there is not known; look at it with another client", early, early),
	lost: "the presence could not be given back to the server, which computes it",
	restore: func(before string) posting {
		if !ucwa.PreferredAvailability(before).Valid() {
			return posting{}
		}
		return setTo(ucwa.PreferredAvailability(before))
	},
	drive: func(p *personal, now string) []posting {
		var list []posting
		for _, value := range settable(p, now) {
			list = append(list, setTo(value))
		}
		refused := func(probe string, bodies ...string) {
			for _, body := range bodies {
				list = append(list, posting{probe: probe, body: body})
			}
		}
		list = append(list, posting{probe: partMadeAgain, made: true,
			body: `{"supportedModalities":["Messaging"]}`},
			posting{probe: "method-makeMeAvailable", made: true, method: http.MethodGet},
			posting{probe: "method-presence", method: http.MethodDelete}, posting{probe: "method-presence",
				method: http.MethodPut, body: `{"availability":{now}}`})
		// More than one of each: a server may know one value, and take all others.
		refused("availability", `{"availability":"IdleOnline"}`, `{"availability":"Offline"}`,
			`{"availability":"conform"}`)
		refused("not-json", `{"availability":`, "availability=Away")
		for _, media := range []string{"text/plain", "application/x-www-form-urlencoded"} {
			list = append(list, posting{probe: "media-type", edit: typed(media), body: `{"availability":"Away"}`})
		}
		// Nothing is open below the application that is closed at its door. What is set is
		// there already, so that a server which takes it does no harm.
		for _, mistake := range mistakes {
			list = append(list, posting{probe: mistake.name, edit: mistake.make, body: `{"availability":{now}}`})
		}
		// A reset has no body: without a media type, and with one, as the page on it prints it.
		return append(list, posting{read: true}, posting{probe: "null-body", body: "null"}, posting{},
			setTo(ucwa.PreferBusy), posting{edit: typed("application/json")})
	},
}

// setTo sets the presence.
func setTo(value ucwa.PreferredAvailability) posting {
	return posting{body: fmt.Sprintf(`{"availability":%q}`, value), value: string(value)}
}

// settable returns the presences to set: that of the document's own step 5, then each other that a user may set, and last
// one that no server computes by itself, so that the reset shows. What is there already raises no event, so it is set again
// when it is there no more; and Offwork, which may be read as Away, does not stand beside that.
func settable(p *personal, current string) []ucwa.PreferredAvailability {
	values := []ucwa.PreferredAvailability{ucwa.PreferOnline, ucwa.PreferAway, ucwa.PreferBusy, ucwa.PreferOffwork,
		ucwa.PreferBeRightBack, ucwa.PreferDoNotDisturb}
	if p.repeats(current, string(values[0])) {
		values = slices.Insert(values, 2, values[0])
	}
	return values
}
