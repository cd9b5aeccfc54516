package suite

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// The parts that an exchange can play in "Set my presence information". The
// refusals have the last element of their requirement's id as their part.
const (
	partCreate   = "create"
	partBefore   = "application before"
	partMake     = "makeMeAvailable"
	partAfter    = "application"
	partPresence = "presence"
	partRead     = "presence read"
	partEvents   = "events"
	partReset    = "reset"
	partEnd      = "end"
)

// state is what is known of the application while its exchanges pass by.
type state struct {
	e         *Evidence
	seen      bool // the application, before or after
	asked     bool // makeMeAvailable, whatever came of it
	available bool
	ended     bool
}

// part says what x is, given all that came before it.
func (s *state) part(i int, x *Exchange) string {
	if x.Probe != "" {
		return s.probed(x)
	}
	// A driver marks what it does wrong on purpose; others meet refusals by chance.
	if !s.e.Driven {
		if part := s.refused(x); part != "" {
			return part
		}
	}
	method := x.Request.Method
	switch {
	case x.is("applications") && method == "POST":
		if created := createdBy(x); created != nil && s.e.application != nil && linkKey(created) != linkKey(s.e.application) {
			return "" // another one
		}
		return partCreate
	case x.is("application"):
		return s.application(x, method)
	case x.is("makeMeAvailable"):
		return s.makeMeAvailable(i, x, method)
	case x.is("presence"):
		return s.presence(x, method)
	case x.is("note"), x.is("location"):
		return s.beforehand(x, method)
	case x.is("events") && method == "GET":
		return partEvents
	}
	return ""
}

// createdBy returns the URL of the application that x created, nil if it tells none.
func createdBy(x *Exchange) *url.URL {
	if location := header(x.Response.Headers, "Location"); len(location) > 0 {
		if u, err := ucwa.Resolve(x.url, location[0]); err == nil {
			return u
		}
	}
	object, _ := x.object()
	return selfOf(object, x.url)
}

// refused finds the refusals that any resource can meet.
func (s *state) refused(x *Exchange) string {
	authorization, origin := x.requestHeader("Authorization"), x.requestHeader("X-Ms-Origin")
	switch {
	case x.Response.Code == 404 && (s.ended || s.seen) && s.e.own(x.url) && subcodeOf(x) == ucwa.SubcodeApplicationNotFound:
		return "gone" // deleted, or ended by silence
	case s.ended && x.is("events") && x.succeeded():
		return "pending when the application ended"
	case s.ended && s.e.own(x.url):
		return "gone"
	case (x.Response.Code == 403 || x.Response.Code == 500) && len(authorization) > 0 && !s.e.worksElsewhere("Authorization", authorization) && s.e.anyWorks():
		return "token of another host"
	case x.Response.Code == 401 && len(authorization) > 0 && !s.e.worksLater(x, authorization):
		return "bad-token" // or one that has expired
	case x.Response.Code == 401 && len(authorization) == 0:
		return "no-token"
	case x.Response.Code == 403 && len(origin) > 0 && !s.e.worksElsewhere("X-Ms-Origin", origin) &&
		len(header(x.Response.Headers, "X-Ms-Diagnostics")) > 0:
		return "origin"
	}
	return ""
}

// worksLater reports whether a request after x with that token succeeded.
func (e *Evidence) worksLater(x *Exchange, token []string) bool {
	return slices.ContainsFunc(e.Exchanges, func(y *Exchange) bool {
		return y.ID > x.ID && y.succeeded() && slices.Equal(y.requestHeader("Authorization"), token)
	})
}

// anyWorks reports whether any request on the application was served.
func (e *Evidence) anyWorks() bool {
	return slices.ContainsFunc(e.Exchanges, func(x *Exchange) bool { return x.succeeded() && e.own(x.url) })
}

// own reports whether u is the application or lies below it.
func (e *Evidence) own(u *url.URL) bool {
	if e.application == nil {
		return false
	}
	key, app := linkKey(u), linkKey(e.application)
	return key == app || strings.HasPrefix(key, app+"/")
}

func subcodeOf(x *Exchange) string {
	object, _ := x.object()
	subcode, _ := object["subcode"].(string)
	return subcode
}

// worksElsewhere reports whether a request with that very header field succeeded:
// then the field was not the reason for a refusal.
func (e *Evidence) worksElsewhere(name string, values []string) bool {
	return slices.ContainsFunc(e.Exchanges, func(x *Exchange) bool {
		return x.succeeded() && slices.Equal(x.requestHeader(name), values)
	})
}

// beforehand finds note and location asked before makeMeAvailable.
func (s *state) beforehand(x *Exchange, method string) string {
	if !s.seen || s.available || method != "GET" && method != "POST" {
		return ""
	}
	rel := "note"
	if x.is("location") {
		rel = "location"
	}
	return fmt.Sprintf("%s-%s-before", rel, strings.ToLower(method))
}

// probes are the refusals that a driver asks for, and the rel of the resource
// that it asks.
var probes = map[string]string{
	"presence-get-before":    "presence",
	"presence-post-before":   "presence",
	"note-get-before":        "note",
	"note-post-before":       "note",
	"location-get-before":    "location",
	"location-post-before":   "location",
	"make-again":             "makeMeAvailable",
	"modality":               "makeMeAvailable",
	"anonymous":              "makeMeAvailable",
	"availability":           "presence",
	"not-json":               "presence",
	"media-type":             "presence",
	"method-makeMeAvailable": "makeMeAvailable",
	"method-presence":        "presence",
	"gone":                   "application",
	"no-token":               "application",
	"bad-token":              "application",
	"origin":                 "application",
}

// probed returns the refusal that a marked request is for, if it is on the
// resource that it should be on.
func (s *state) probed(x *Exchange) string {
	if rel, known := probes[x.Probe]; !known || !x.is(rel) {
		return ""
	}
	return x.Probe
}

func (s *state) application(x *Exchange, method string) string {
	switch {
	case method == "DELETE":
		return partEnd
	case method != "GET":
		return ""
	case s.available || (!s.seen || s.asked) && hasLink(x, "presence") && !hasLink(x, "makeMeAvailable"):
		return partAfter // perhaps made available before the evidence begins, or in spite of an error
	}
	return partBefore
}

func (s *state) makeMeAvailable(i int, x *Exchange, method string) string {
	switch {
	case method != "POST":
		return "method-makeMeAvailable"
	case s.available, x.Response.Code == 409 && !s.seen:
		return "make-again"
	case x.Response.Code == 403 && subcodeOf(x) == ucwa.SubcodeAnonymousNotAllowed:
		return "anonymous"
	case x.Response.Code == 403 && s.e.acceptsLater(i):
		return "modality"
	case (x.Response.Code == 400 || x.Response.Code == 415) && s.e.acceptsLater(i):
		return "makeMeAvailable refused" // for what the client did wrong
	}
	return partMake
}

func (s *state) presence(x *Exchange, method string) string {
	switch {
	case method == "GET" && s.available:
		return partRead
	case method == "GET" && (s.seen || x.Response.Code == 409):
		return "presence-get-before"
	case method == "GET":
		return partRead
	case method != "POST":
		return "method-presence"
	case !s.available && (s.seen || x.Response.Code == 409):
		return "presence-post-before"
	case strings.TrimSpace(x.Request.Body) == "":
		return partReset
	case !isJSONMedia(strings.Join(x.requestHeader("Content-Type"), "")) && !isXMLMedia(strings.Join(x.requestHeader("Content-Type"), "")), len(x.requestHeader("Content-Type")) == 0 && x.Response.Code == 415:
		return "media-type"
	}
	object, err := x.requestObject()
	if err != nil {
		if isXMLMedia(strings.Join(x.requestHeader("Content-Type"), "")) {
			return partPresence
		}
		return "not-json"
	}
	value, ok := member(object, "availability")
	if !ok || value == nil {
		return partReset
	}
	if text, _ := value.(string); !ucwa.PreferredAvailability(text).Valid() {
		return "availability"
	}
	return partPresence
}

// after notes what x did to the application.
func (s *state) after(x *Exchange) {
	switch x.Part {
	case partCreate:
		s.seen = s.seen || x.succeeded() && hasLink(x, "makeMeAvailable")
	case partBefore:
		s.seen = s.seen || x.Failure == ""
	case partAfter:
		s.seen, s.available = true, true
	case partMake:
		// 409 says that the user is available already, and many clients go on.
		s.seen, s.asked = true, true
		s.available = s.available || x.succeeded() || x.Failure == "" && x.Response.Code == 409
	case "make-again":
		s.available = true
	case partEnd:
		s.ended = x.succeeded()
	}
}

// acceptsLater reports whether a makeMeAvailable after exchange i was accepted.
func (e *Evidence) acceptsLater(i int) bool {
	return slices.ContainsFunc(e.Exchanges[i+1:], func(x *Exchange) bool {
		return x.is("makeMeAvailable") && x.Request.Method == "POST" && x.succeeded()
	})
}

// hasLink reports whether the answer has an application whose me has that link.
func hasLink(x *Exchange, rel string) bool {
	object, err := x.object()
	if err != nil {
		return false
	}
	_, ok := dig(object, "_embedded", "me", "_links", rel)
	return ok
}
