package suite

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// exercise sets and resets what the user sets of himself. It belongs to the user, so this waits for the user's turn. What was made
// when the user became available, the first events tell.
func (s *session) exercise(list []*personal, made *personal, me *ucwa.Resource, events ucwa.Link) {
	defer s.turns.take(s, ucwa.Origin(s.home)+" "+cmp.Or(me.String("uri"), s.target.Token))()
	wait := s.eventWait()
	before := make([]string, len(list))
	known := make([]bool, len(list))
	for i, p := range list { // first of all: what comes in between may fail
		s.at(p.task, "5")
		before[i], known[i] = s.read(p, me.Link(p.rel))
		if p.witness != nil && s.early && before[i] == p.early {
			s.do(s.client(), http.MethodGet, me.Link(p.witness.rel), nil)
			s.note(p.doubt)
		}
	}
	if _, err := s.made.URL(); err == nil {
		// What makeMeAvailable had to tell comes first, so that it is not taken for the confirmation.
		events, _ = s.listen(wait/3, maxPending, made, me.Link(made.rel), events, "")
	}
	for i, p := range list {
		s.at(p.task, "5")
		events = s.setAndReset(p, me.Link(p.rel), before[i], known[i], events, wait)
	}
}

func (s *session) eventWait() time.Duration { return cmp.Or(s.target.EventWait, 30*time.Second) }

// setAndReset sends the changes of one, waits for the event of each, asks between for what is refused, and in the end gives
// back what was there.
func (s *session) setAndReset(p *personal, link ucwa.Link, before string, known bool, events ucwa.Link, wait time.Duration) ucwa.Link {
	if p.blank && !known {
		if before, known = s.read(p, link); !known {
			if s.err != nil { // which says why
				return events
			}
			s.note("the " + p.rel + " was not set: what the user has set could not be read, or something else is shown in its place, so that it could not be given back")
			return events
		}
	}
	if p.witness == nil && s.early && before == p.early { // which is no other's
		s.note(p.doubt)
		s.restore(p, link, s.earlier)
		return events
	}
	now := before
	unknown := false // what is there, after a change of which nobody knows what came
	defer func() {
		if now != before || unknown {
			s.restore(p, link, before)
		}
	}()
	for _, c := range p.drive(p, before) {
		was, knew := now, known
		switch {
		case c.read: // none of that changed it
			if text, read := s.read(p, link); read && known {
				events = s.hearOthers(p, link, events, now, text)
			}
			continue
		case c.probe != "":
			at := link
			if c.made {
				at = s.made
			}
			s.do(s.probe(c.probe, c.edit), cmp.Or(c.method, http.MethodPost), at, c.content(now))
			continue
		}
		if _, err := link.URL(); err != nil || s.err != nil || s.Err() != nil {
			break // nothing is sent any more
		}
		now, known = c.value, c.value != ""
		taken := s.change(link, c)
		if unknown = taken == nil; unknown {
			break
		}
		if taken.Status/100 != 2 || c.value == "" { // one value may be refused, and the next not; what a reset comes to, the server says
			now, known = s.read(p, link)
			unknown = !known
		}
		if taken.Status/100 == 2 && knew && known && !p.repeats(was, now) { // else no event need come
			told := false
			if events, told = s.listen(wait/s.haste(), maxPending/int(s.haste()), p, link, events, now); !told {
				s.untold++
			}
		}
		if taken.Status/100 == 2 && c.value != "" {
			if text, read := s.read(p, link); read {
				events = s.hearOthers(p, link, events, c.value, text)
			}
		}
	}
	return events
}

// haste is by how much shorter it waits for an event: where two were missed the verdict is clear, and what else is missing shows sooner.
func (s *session) haste() time.Duration {
	if s.untold >= 2 {
		return 3
	}
	return 1
}

// read returns what is there, and whether that is known.
func (s *session) read(p *personal, link ucwa.Link) (text string, known bool) {
	r := resource(s.do(s.client(), http.MethodGet, link, nil))
	if r == nil || p.mark != "" && r.String(p.mark) == p.other {
		return "", false
	}
	text = r.String(p.member)
	return text, text != "" || p.blank
}

// change sends what changes it. An interrupt leaves it time to be answered: a server that does it once
// it was given back would keep it.
func (s *session) change(link ucwa.Link, c posting) *ucwa.Response {
	s.unbroken = true
	defer func() { s.unbroken = false }()
	client := s.client()
	client.Before = func(r *http.Request) {
		if c.query != "" {
			r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&"+c.query, "&")
		}
		if c.edit != nil {
			c.edit(r)
		}
	}
	return s.do(client, http.MethodPost, link, c.content(""))
}

// content is the body of a change, nil if it has none.
func (c posting) content(now string) any {
	if c.body == "" {
		return nil
	}
	return []byte(strings.ReplaceAll(c.body, "{now}", strconv.Quote(now)))
}

// restore gives back what was there: as it was set, or, if no client can have set it so, by a reset.
func (s *session) restore(p *personal, link ucwa.Link, before string) {
	c := p.restore(before)
	s.afterwards(func(limit time.Duration) {
		body, _ := c.content("").([]byte)
		res, err := s.clean(limit, probeRestore, http.MethodPost, link, body)
		if s.err = err; res == nil || res.Status/100 != 2 {
			what := p.lost
			if body != nil {
				what = "the " + p.rel + " could not be set back to " + before
			}
			s.note(what + unanswered(res, err) + ": look at it with another client, and set or reset it there")
		}
	})
}

// listen sends pending GETs until one tells of what lies at a link with that value ("": any),
// the limit has passed, it has sent so many, or there is no way on. It returns the link with which to go on, and whether one did.
func (s *session) listen(limit time.Duration, most int, p *personal, at, link ucwa.Link, value string) (onward ucwa.Link, told bool) {
	before := s.waiting
	s.at(p.task, "event")
	defer func() { s.waiting = before }()
	deadline := time.Now().Add(limit)
	for range most {
		res, err := s.patiently(time.Until(deadline), s.client(), http.MethodGet, link, nil)
		if err != nil && !isTimeout(err) {
			s.err = err
		}
		if res == nil {
			break // also where the patience ended, which is no failure of the network
		}
		events, err := ucwa.ParseEvents(res.URL, res.Body)
		if err != nil {
			break
		}
		link = events.Continue
		if tellsOf(p, at, events, value) {
			return link, true
		}
	}
	return link, false
}

// maxPending bounds the pending GETs of one wait, for a server that answers each
// at once with nothing to say.
const maxPending = 60

// tellsOf reports whether an event tells of what the user sets. One that embeds another
// value tells of an earlier change, and contacts have a presence too.
func tellsOf(p *personal, at ucwa.Link, events *ucwa.EventPackage, value string) bool {
	return slices.ContainsFunc(events.Events, func(e ucwa.Event) bool {
		embedded, read := e.Resource.String(p.member), p.readAs(value)
		return e.Link.Rel == p.rel && (e.Sender.Rel == "me" || sameLink(e.Link, at)) && (e.Type == "added" || e.Type == "updated") &&
			(value == "" || embedded == "" || len(read) == 0 || slices.Contains(read, any(embedded)))
	})
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
				gone := []*ucwa.Response{s.do(s.probe(partGone, nil), http.MethodGet, s.begin, nil)}
				if s.beyond != nil {
					gone = append(gone, s.beyond())
				}
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
