package suite

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// driveSetPresence does the documented steps on an application, and asks for the refusals before,
// between and after them. It follows links; where a probe must ask for a resource
// that is not served yet, it is marked as a probe.
func driveSetPresence(s *session) {
	client := s.client()
	begin := s.begin
	s.at("set-presence", "pre")
	first := s.do(client, http.MethodGet, begin, nil)
	if first != nil && (first.Status == http.StatusUnauthorized || first.Status == http.StatusForbidden || first.Status == http.StatusNotFound) {
		if s.tokens == nil { // what was given is no application of ours: nothing to ask, and nothing to clean up
			s.open, s.refused = false, first.Status
		}
		return
	}
	app := resource(first)
	s.probeBefore(app.Embed("me"))

	// Step 1, and 3: the application again.
	s.at("set-presence", "1")
	makeMeAvailable := app.Embed("me").Link("makeMeAvailable")
	s.do(client, http.MethodPost, makeMeAvailable, []byte(`{"SupportedModalities": ["Messaging"]}`)) // as the page prints it
	s.at("set-presence", "3")
	if again := resource(s.do(client, http.MethodGet, begin, nil)); again != nil {
		app = again
	}

	s.setAndReset(client, app, makeMeAvailable)

	s.probeAnywhere(begin)
	s.probeParty("anonymous", s.target.Anonymous)
	s.probeParty("modality", s.target.Restricted)
}

// setAndReset does step 5 and waits for the event, asks for the refusals that an
// available user meets, and gives the presence back. Presence belongs to the
// user, so this waits for the user's turn.
func (s *session) setAndReset(client *ucwa.Client, app *ucwa.Resource, makeMeAvailable ucwa.Link) {
	me := app.Embed("me")
	defer s.turns.take(s, ucwa.Origin(s.home)+" "+cmp.Or(me.String("uri"), s.target.Token))()
	s.at("set-presence", "5")
	wait := cmp.Or(s.target.EventWait, 30*time.Second)
	presence, events := me.Link("presence"), app.Link("events")
	s.presence = presence
	read := func() string { return resource(s.do(client, http.MethodGet, presence, nil)).String("availability") }
	before := read()
	now := before
	if before == string(early) && s.early {
		s.do(client, http.MethodGet, me.Link("note"), nil) // which tells the two apart: nobody has that note
		s.note(fmt.Sprintf("the first presence that was read is %s, which the run had asked for too early, and in vain: if the user was not %s before, the server stored what it refused, "+
			"and the presence that was there is not known; look at it with another client", early, early))
	}
	defer func() {
		if now != before {
			s.restore(presence, before)
		}
	}()
	if _, err := makeMeAvailable.URL(); err == nil {
		// What makeMeAvailable had to tell comes first, so that it is not taken for the confirmation.
		events = s.listen(wait/3, client, events, "")
	}
	for _, value := range settable(before) {
		was := now
		now = string(value)
		taken := s.set(client, presence, []byte(fmt.Sprintf(`{"availability":%q}`, value)))
		if taken == nil {
			break
		}
		if taken.Status/100 != 2 {
			now = read() // one value may be refused, and the next not
			continue
		}
		if was != "" && !myPresence.repeats(was, now) { // else no event need come
			events = s.listen(wait, client, events, now)
		}
		read()
	}
	s.probeAvailable(makeMeAvailable, presence, now)
	read() // none of that changed it
	s.set(client, presence, nil)
	now = read()
}

// set sends what changes the presence. An interrupt leaves it time to be answered: a server that does it once
// the presence was given back would keep it.
func (s *session) set(client *ucwa.Client, presence ucwa.Link, body []byte) *ucwa.Response {
	s.unbroken = true
	defer func() { s.unbroken = false }()
	if body == nil {
		return s.do(client, http.MethodPost, presence, nil)
	}
	return s.do(client, http.MethodPost, presence, body)
}

// settable returns the presences to set: that of the document's own step 5, then each other that a user may set, and last
// one that no server computes by itself, so that the reset shows. What is there already raises no event, so it is set again
// when it is there no more; and Offwork, which may be read as Away, does not stand beside that.
func settable(current string) []ucwa.PreferredAvailability {
	values := []ucwa.PreferredAvailability{ucwa.PreferOnline, ucwa.PreferAway, ucwa.PreferBusy, ucwa.PreferOffwork, ucwa.PreferBeRightBack, ucwa.PreferDoNotDisturb}
	if myPresence.repeats(current, string(values[0])) {
		values = slices.Insert(values, 2, values[0])
	}
	return values
}

// restore gives the presence back that was there: as it was set, or, if no client
// can have set it so, for the server to compute.
func (s *session) restore(presence ucwa.Link, before string) {
	var body []byte
	if p := ucwa.PreferredAvailability(before); p.Valid() {
		body = []byte(fmt.Sprintf(`{"availability":%q}`, p))
	}
	s.afterwards(func(limit time.Duration) {
		res, err := s.clean(limit, probeRestore, http.MethodPost, presence, body)
		if s.err = err; res == nil || res.Status/100 != 2 {
			what := "the presence could not be given back to the server, which computes it"
			if body != nil {
				what = "the presence could not be set back to " + before
			}
			s.note(what + unanswered(res, err) + ": look at it with another client, and set or reset it there")
		}
	})
}

// listen sends pending GETs until one tells of the presence with that value ("": any),
// the limit has passed, or there is no way on. It returns the link with which to go on.
func (s *session) listen(limit time.Duration, client *ucwa.Client, link ucwa.Link, value string) ucwa.Link {
	step := s.waiting.Step
	s.at("set-presence", "event")
	defer func() { s.waiting.Step = step }()
	deadline := time.Now().Add(limit)
	for range mostPending {
		res, err := s.patiently(time.Until(deadline), client, http.MethodGet, link, nil)
		if err != nil && !isTimeout(err) {
			s.err = err
		}
		if res == nil {
			break // also where the patience ended, which is no failure of the network
		}
		p, err := ucwa.ParseEvents(res.URL, res.Body)
		if err != nil {
			break
		}
		link = p.Continue
		if s.tellsOfPresence(p, value) {
			break
		}
	}
	return link
}

// mostPending bounds the pending GETs of one wait, for a server that answers each
// at once with nothing to say.
const mostPending = 60

// tellsOfPresence reports whether an event tells of the user's. One that embeds another
// value tells of an earlier change, and contacts have a presence too.
func (s *session) tellsOfPresence(p *ucwa.EventPackage, value string) bool {
	return slices.ContainsFunc(p.Events, func(e ucwa.Event) bool {
		embedded := e.Resource.String("availability")
		return e.Link.Rel == "presence" && (e.Sender.Rel == "me" || sameLink(e.Link, s.presence)) && (e.Type == "added" || e.Type == "updated") &&
			(value == "" || embedded == "" || embedded == value || embedded == "Idle"+value || value == string(ucwa.PreferOffwork))
	})
}

// early is what is set before that is allowed: a presence that no server computes, and
// that few people have when a run begins.
const early = ucwa.PreferBeRightBack

// earlyNote is set besides, and nobody has it.
const earlyNote = "conform"

// probeBefore asks for what is refused until makeMeAvailable. Nobody has served
// these links yet, so they are made from that of me; if it turns out later that
// the server keeps the resources elsewhere, the answers say nothing.
func (s *session) probeBefore(me *ucwa.Resource) {
	if me == nil || !me.HasLink("makeMeAvailable") {
		return // available already
	}
	// The siblings of makeMeAvailable, where me does not tell its own place.
	link, below := me.Link("makeMeAvailable"), path.Dir
	if me.HasLink("self") {
		link, below = me.Link("self"), path.Clean
	}
	for _, p := range []struct{ rel, body string }{
		{"presence", fmt.Sprintf(`{"availability":%q}`, early)}, // whether it is there later, is looked at
		{"note", fmt.Sprintf(`{"message":%q}`, earlyNote)},
		{"location", `{"location":"conform"}`},
	} {
		ask := func(r *http.Request) { r.URL.Path, r.URL.RawPath = below(r.URL.Path)+"/"+p.rel, "" }
		s.do(s.probe(p.rel+"-get-before", ask), http.MethodGet, link, nil)
		s.do(s.probe(p.rel+"-post-before", ask), http.MethodPost, link, []byte(p.body))
		s.early = true
	}
}

// probeAvailable asks for what is refused of an available user, who has set a presence.
func (s *session) probeAvailable(makeMeAvailable, presence ucwa.Link, now string) {
	s.do(s.probe("make-again", nil), http.MethodPost, makeMeAvailable, []byte(`{"supportedModalities":["Messaging"]}`))
	s.do(s.probe("method-makeMeAvailable", nil), http.MethodGet, makeMeAvailable, nil)
	s.do(s.probe("method-presence", nil), http.MethodDelete, presence, nil)
	// More than one of each: a server may know one value, and take all others.
	for _, value := range []string{"IdleOnline", "Offline", "conform"} {
		s.do(s.probe("availability", nil), http.MethodPost, presence, []byte(fmt.Sprintf(`{"availability":%q}`, value)))
	}
	for _, body := range []string{`{"availability":`, "availability=Away"} {
		s.do(s.probe("not-json", nil), http.MethodPost, presence, []byte(body))
	}
	for _, media := range []string{"text/plain", "application/x-www-form-urlencoded"} {
		s.do(s.probe("media-type", func(r *http.Request) { r.Header.Set("Content-Type", media) }),
			http.MethodPost, presence, []byte(`{"availability":"Away"}`))
	}
	// Nothing is open below the application that is closed at its door. What is set is
	// there already, so that a server which takes it does no harm.
	for _, mistake := range mistakes {
		s.do(s.probe(mistake.name, mistake.make), http.MethodPost, presence, []byte(fmt.Sprintf(`{"availability":%q}`, now)))
	}
}

// mistakes are refused of any request.
var mistakes = []struct {
	name string
	make func(*http.Request)
}{
	{"no-token", func(r *http.Request) { r.Header.Del("Authorization") }},
	{"bad-token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer cwt=nobody-handed-out-this-token") }},
	{"origin", func(r *http.Request) { r.Header.Set("X-Ms-Origin", "https://nobody.invalid") }},
}

// probeAnywhere asks for what is refused of any request.
func (s *session) probeAnywhere(application ucwa.Link) {
	for _, mistake := range mistakes {
		s.do(s.probe(mistake.name, mistake.make), http.MethodGet, application, nil)
	}
}

// probeParty asks for makeMeAvailable as another user, with every modality.
func (s *session) probeParty(name string, party *Party) {
	if party == nil {
		return
	}
	link, err := ucwa.Begin(party.Application)
	if err != nil {
		return
	}
	home := s.home
	defer func() { s.home = home }()
	s.home, _ = link.URL()
	as := func(probe string) *ucwa.Client {
		c := s.probe(probe, nil)
		c.Token, c.TokenSource = party.Token, nil
		return c
	}
	app := resource(s.do(as("setup"), http.MethodGet, link, nil))
	s.do(as(name), http.MethodPost, app.Embed("me").Link("makeMeAvailable"), map[string]any{"supportedModalities": ucwa.ModalityTypes()})
}

// clean sends a request that leaves the server as it was. Where the token is not good
// any more, a run that can sign in again does so, for this alone: that others may have
// revoked the token is no reason to leave anything behind.
func (s *session) clean(limit time.Duration, probe, method string, link ucwa.Link, body []byte) (*ucwa.Response, error) {
	client := s.probe(probe, nil)
	res, err := s.within(limit, client, method, link, body)
	if err != nil || res == nil || res.Status != http.StatusUnauthorized || s.renew == nil {
		return res, err
	}
	fresh, err := s.renew(probe)
	if err != nil {
		return res, nil
	}
	client.Token, client.TokenSource = fresh, nil
	return s.within(limit, client, method, link, body)
}

// end deletes the application, also after a failure or an interrupt, and asks
// for it once more.
func (s *session) end() {
	s.cut = s.Err() != nil
	if s.target.Keep || !s.open {
		return
	}
	s.afterwards(func(limit time.Duration) {
		res, err := s.patiently(limit, s.client(), http.MethodDelete, s.begin, nil)
		s.cut = s.interrupted()
		if s.err = err; res != nil && res.Status/100 == 2 {
			if !s.hurries() {
				gone := []*ucwa.Response{s.do(s.probe("gone", nil), http.MethodGet, s.begin, nil),
					s.do(s.probe("gone", nil), http.MethodPost, s.presence, []byte(`{"availability":"Away"}`))}
				if slices.ContainsFunc(gone, func(res *ucwa.Response) bool { return res != nil && res.Status == http.StatusUnauthorized }) {
					s.probeOwnToken()
				}
			}
			return
		}
		if err != nil && s.answered || res != nil && (res.Status/100 == 5 || res.Status == http.StatusUnauthorized && s.renew != nil) {
			// What broke may be whole again. This is to clean up, and no part of the task.
			s.err = nil // after which nothing would be sent
			again, failed := s.clean(limit, probeEnd, http.MethodDelete, s.begin, nil)
			if res, s.err = again, err; failed != nil {
				s.err = failed
			}
		}
		if res != nil && (res.Status == http.StatusUnauthorized || res.Status == http.StatusNotFound) {
			s.lost = res.Status
		}
		// Of a server that never answered nobody knows that there is an application.
		if s.answered && (res == nil || res.Status/100 != 2 && res.Status != http.StatusNotFound) {
			s.note("the application could not be deleted" + unanswered(res, s.err) + ": delete " + s.home.String() +
				" by hand, or leave it alone: a server ends one that is silent for 15 minutes")
		}
	})
}

// probeOwnToken looks whether the token is good that was refused once the application was gone: one that has expired
// meanwhile is refused for that reason. Nobody serves a link to what it asks: the collection in which the application was.
func (s *session) probeOwnToken() {
	s.do(s.probe(probeToken, func(r *http.Request) {
		if app := applicationOf(r.URL); app != nil {
			r.URL.Path, r.URL.RawPath, r.URL.RawQuery = path.Dir(app.Path), "", ""
		}
	}), http.MethodOptions, s.begin, nil)
}

// unanswered says in a few words how a request that cleans up went wrong.
func unanswered(res *ucwa.Response, err error) string {
	switch {
	case res != nil:
		return fmt.Sprintf(" (the server answered %d)", res.Status)
	case err != nil && isTimeout(err):
		return " (no answer came in time)"
	case err != nil:
		if fault := (*url.Error)(nil); errors.As(err, &fault) {
			err = fault.Err // the rest is said around it
		}
		return " (" + err.Error() + ")"
	}
	return ""
}
