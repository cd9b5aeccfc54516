package suite

import (
	"fmt"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// stray is an application that the server let the run create besides its own: it takes
// the same endpoint for another, or a probe for somebody, or its answer names two places.
type stray struct {
	link ucwa.Link
	made func(*http.Request) // what was odd about the request that created it
}

// probeStray marks the DELETE of a stray, which is no part of the task.
const probeStray = "end-stray"

// create asks for an application, and remembers every one that the answer tells of,
// probes included: what the run has made it must take away. It returns the link to it;
// without an href there is none.
func (s *session) create(c *ucwa.Client, applications ucwa.Link, body any) ucwa.Link {
	if s.err != nil || s.Err() != nil {
		return ucwa.Link{}
	}
	s.unbroken = true // an application of which nobody hears could not be deleted
	defer func() { s.unbroken = false }()
	ctx := s.Context
	var sent atomic.Bool // else nothing can have been created
	s.Context = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	res := s.do(c, http.MethodPost, applications, body)
	s.Context = ctx
	links := applicationsIn(res)
	if s.answer = 0; res != nil {
		s.answer = res.Status
	}
	switch {
	case res == nil && sent.Load() && c.UserAgent != userAgent:
		s.note("no answer came to a request that should create no application: if it created one all the same, it is not known, and the server ends it when it has been silent for 15 minutes")
	case len(links) == 0 && (res == nil && sent.Load() || res != nil && res.Status/100 == 2):
		s.note("an application may have been created, of which the answer does not tell: it cannot be deleted, and the server ends it when it has been silent for 15 minutes")
	case len(links) > 0:
		first := links[0]
		if s.target.Keep {
			links = links[:1] // another name of the one that is to stay
		}
		for _, link := range links {
			s.strays = append(s.strays, stray{link, c.Before})
		}
		return first
	}
	return ucwa.Link{}
}

// applicationsIn returns the links to the application that an answer created: its own,
// and that of the header, where they differ. One that leaves the origin is none: what is
// there would get the token.
func applicationsIn(res *ucwa.Response) []ucwa.Link {
	if res == nil || res.Status/100 != 2 {
		return nil
	}
	var links []ucwa.Link
	note := func(href string) {
		u, err := ucwa.Resolve(res.URL, href)
		if err != nil || ucwa.Origin(u) != ucwa.Origin(res.URL) || linkKey(u) == linkKey(res.URL) {
			return
		}
		link, err := ucwa.Begin(u.String())
		if err == nil && !slices.ContainsFunc(links, func(other ucwa.Link) bool { return sameLink(other, link) }) {
			links = append(links, link)
		}
	}
	note(resource(res).Link("self").Href)
	note(res.Header.Get("Location"))
	return links
}

func sameLink(a, b ucwa.Link) bool {
	u, err := a.URL()
	v, err2 := b.URL()
	return err == nil && err2 == nil && linkKey(u) == linkKey(v)
}

// endStrays deletes what the run created beside its application: as the user of the
// run, and if that may not, as whoever the server took the probe for.
func (s *session) endStrays() {
	home := s.home
	defer func() { s.home = home }()
	var done []ucwa.Link
	if s.begin.Href != "" {
		done = append(done, s.begin) // which has an end of its own, or is to stay
	}
	for _, x := range s.strays {
		if slices.ContainsFunc(done, func(link ucwa.Link) bool { return sameLink(link, x.link) }) {
			continue
		}
		done = append(done, x.link)
		s.home, _ = x.link.URL()
		s.afterwards(func(limit time.Duration) {
			res, err := s.clean(limit, probeStray, http.MethodDelete, x.link, nil)
			if x.made != nil && (res == nil || res.Status/100 == 4) {
				s.err = nil
				if as, again := s.within(limit, s.probe(probeStray, x.made), http.MethodDelete, x.link, nil); again == nil && as != nil && as.Status/100 == 2 {
					res, err = as, nil
				}
			}
			s.err = nil // the note says it
			if res == nil || res.Status/100 != 2 && res.Status != http.StatusNotFound {
				s.note(fmt.Sprintf("an application that the server created for a request which should have created none could not be deleted%s: delete %s by hand, "+
					"or leave it alone: a server ends one that is silent for 15 minutes", unanswered(res, err), strings.TrimSuffix(s.home.String(), "/")))
			}
		})
	}
}
