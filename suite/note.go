package suite

import (
	"encoding/json"
	"fmt"
	"strings"
)

// myNote is what the pages on the note set and read.
var myNote = &personal{
	rel: "note", member: "message", set: "note", read: "note read", reset: "note reset", unread: "note, unread",
	wrong: "note-type", notJSON: "note-not-json", media: "note-media-type", received: "set-note.6.received",
	blank: true, query: true,
	takes:  func(string) bool { return true },
	readAs: func(text string) []any { return []any{text} },
	mark:   "type", as: "Personal", other: "OutOfOffice",
	why:  "the user has an out-of-office note, which is shown in place of what is set",
	task: "set-note", early: earlyNote,
	doubt: fmt.Sprintf("the note is %q, which the run sent before makeMeAvailable: the server accepted it, or stored it in spite of its refusal. "+
		"If the note that was there could be read at that time it is set again, else reset: check it with another client", earlyNote),
	lost: "the note could not be cleared",
	restore: func(before string) posting {
		if before == "" {
			return posting{}
		}
		return noteOf(before)
	},
	drive: func(*personal, string) []posting {
		// Each form of a note, and each of a reset; the last has no body, as the page prints it.
		list := []posting{noteOf("conform sets this note"), {body: `{"message":""}`},
			{query: "Message=conform%20sets%20this%20note%20in%20the%20query",
				value: "conform sets this note in the query"}, {query: "message="},
			noteOf("conform sets 'quotes', <b>tags</b> & signs, café, 会議\nand a second line")}
		for _, body := range []string{`{"message":42}`, `{"message":{"text":"conform"}}`} {
			list = append(list, posting{probe: "note-type", body: body})
		}
		for _, body := range []string{`{"message":`, "message=conform"} {
			list = append(list, posting{probe: "note-not-json", body: body})
		}
		for _, media := range []string{"text/plain", "application/x-www-form-urlencoded"} {
			list = append(list, posting{probe: "note-media-type", edit: typed(media), body: `{"message":"conform"}`})
		}
		return append(list, posting{read: true}, posting{})
	},
}

func noteOf(text string) posting {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // markup goes as it is
	_ = e.Encode(map[string]string{"message": text})
	return posting{body: strings.TrimSpace(b.String()), value: text}
}
