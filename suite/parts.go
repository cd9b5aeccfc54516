package suite

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
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
	partUnread   = "presence, unread" // the evidence does not keep what is set, or whether it is a reset
	partEnd      = "end"
)

// state is what is known of the application while its exchanges pass by.
type state struct {
	e         *Evidence
	seen      bool // the application, before or after
	asked     bool // makeMeAvailable, whatever came of it
	available bool
	ended     bool
	rooted    bool      // whether root is found
	root      *Exchange // see findRoot
}

// part says what x is, given all that came before it.
func (s *state) part(x *Exchange) string {
	if s.e.putOff(x) || s.e.isLost(x) {
		return ""
	}
	if x.Probe != "" {
		return s.probed(x)
	}
	part := s.played(x)
	if why := s.e.declines(x, part); why != "" {
		of := s.situation(x)
		if of == "anonymous" || of == "modality" {
			of = partMake
		}
		s.e.declined[of] = append(s.e.declined[of], declined{x, why})
		const most = 10 // for people to read
		if len(s.e.declined[of]) <= most && !s.e.Driven {
			s.e.note(fmt.Sprintf("exchange %d, %s %s, was answered with %d, as the documentation allows, and is not held against the server: %s", x.ID, x.Request.Method, x.Request.URL, x.Response.Code, why))
		}
		if part == of {
			return ""
		}
	}
	return part
}

// played says what an ordinary request is.
func (s *state) played(x *Exchange) string {
	// A driver marks what it does wrong on purpose; others meet refusals by chance.
	if !s.e.Driven {
		if aside(x) || s.e.forgotten(x) || s.e.unexplained(x) {
			return ""
		}
		if s.e.ofAnother(x) {
			return "" // what the client may ask of it, the specs of the client say
		}
		if part := s.refused(x); part != "" {
			return part
		}
	}
	return s.situation(x)
}

// situation says what x is by what it asks, and when.
func (s *state) situation(x *Exchange) string {
	method := x.Request.Method
	if part, known := s.signingIn(x); known {
		return part
	}
	switch {
	case x.is("applications") && method == "POST":
		part := s.creation(x)
		if created := createdBy(x); part == partCreate && created != nil && s.e.application != nil && linkKey(created) != linkKey(s.e.application) {
			return "" // another one
		}
		return part
	case x.is("application"):
		return s.application(x, method)
	case x.is("makeMeAvailable"):
		return s.makeMeAvailable(x, method)
	case x.is("presence"):
		return s.presence(x, method)
	case x.is("note"), x.is("location"):
		return s.beforehand(x, method)
	case x.is("events") && method == "GET":
		if !s.e.Driven && x.Response.Code == 400 && mistakenOptions(x.url.Query()) {
			return "events refused"
		}
		return partEvents
	}
	return ""
}

// createdBy returns the URL of the application that x created, nil if it tells none. A
// load balancer can have its own idea of the host in Location; the link has not.
func createdBy(x *Exchange) *url.URL {
	object, _ := x.object()
	self := selfOf(object, x.url)
	if location := cassettes.HeaderValues(x.Response.Headers, "Location"); len(location) > 0 {
		if u, err := ucwa.Resolve(x.url, location[0]); err == nil && (self == nil || ucwa.Origin(u) == ucwa.Origin(x.url)) {
			return u
		}
	}
	return self
}

// aside reports whether x is a request that browsers and caches make beside those of
// the client: what is allowed, and whether something is there.
func aside(x *Exchange) bool {
	return x.Request.Method == http.MethodOptions || x.Request.Method == http.MethodHead
}

// forgotten reports whether nobody knows what came of x, and nobody cared: the client
// broke it off, or asked the same again and was answered. Of pending GETs the specs of
// the event channel speak.
func (e *Evidence) forgotten(x *Exchange) bool {
	if x.Failure == "" || x.is("events") {
		return false
	}
	return x.givenUp() || e.index.lastAnswer[x.asks()] > x.ID
}

// putOff reports whether x was answered by no more than "later". A driver asks the very
// same again next, and for a probe any other answer is one; what it asks later on it asks
// for another reason. In the traffic of others it may also be "as before", or, by one who
// stands between, "not now" to what then is answered.
func (e *Evidence) putOff(x *Exchange) bool {
	if !e.Driven {
		return e.putOffAnother(x)
	}
	if !x.later() {
		return false
	}
	for _, y := range e.Exchanges {
		switch {
		case y.ID <= x.ID:
		case y.asks() != x.asks():
			return false
		case !y.later():
			return x.Probe != "" || y.succeeded()
		}
	}
	return false
}

func (e *Evidence) putOffAnother(x *Exchange) bool {
	switch x.Response.Code {
	case http.StatusNotModified:
		return len(x.requestHeader("If-None-Match")) > 0 || len(x.requestHeader("If-Modified-Since")) > 0
	case http.StatusTooManyRequests:
		return x.later()
	}
	return x.later() || x.between() && e.index.lastAnswer[x.asks()] > x.ID
}

// between reports whether one who stands between, a reverse proxy or a front end, answered that
// the server cannot be had just now.
func (x *Exchange) between() bool {
	return slices.Contains([]int{http.StatusRequestTimeout, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, x.Response.Code)
}

// later reports whether x was answered with "ask again later".
func (x *Exchange) later() bool {
	return (x.Response.Code == 429 || x.Response.Code == 503) && len(cassettes.HeaderValues(x.Response.Headers, "Retry-After")) > 0
}

// refused finds the refusals that any resource can meet.
func (s *state) refused(x *Exchange) string {
	authorization := x.requestHeader("Authorization")
	own := s.e.own(x.url)
	switch {
	case x.Response.Code == 406 && !acceptsUCWA(strings.Join(x.requestHeader("Accept"), ",")):
		return "not acceptable"
	case s.e.refusesOrigin(x):
		return "origin"
	case x.Response.Code == 404 && own && subcodeOf(x) == ucwa.SubcodeApplicationNotFound && (s.ended || s.seen && !s.e.livesAfter(x)):
		return "gone" // deleted, or ended by silence
	case s.ended && x.is("events") && x.succeeded():
		return "pending when the application ended"
	case s.ended && own && x.Response.Code == http.StatusUnauthorized:
		return "bad-token" // which may have expired meanwhile
	case s.ended && own:
		return "gone"
	case (x.Response.Code == 403 || x.Response.Code == 500) && s.e.tokenFromElsewhere(x):
		return "token of another host"
	case x.is(relToken) || x.is(relUser) || x.is(relRoot):
		return "" // before there is an application
	case len(authorization) == 0 && (x.Response.Code/100 == 3 || x.Response.Code == 403) && (own || x.is("applications")) && s.e.index.carries:
		return "no-token" // refused in a way of its own
	case x.Response.Code == 401 && (own || x.is("applications")):
		switch {
		case len(authorization) == 0:
			return "no-token"
		case s.e.index.lastWith[x.authorization()] <= x.ID:
			return "bad-token" // or one that has expired
		}
	}
	return ""
}

// own reports whether u is the application or lies below it.
func (e *Evidence) own(u *url.URL) bool {
	if e.application == nil {
		return false
	}
	key, app := linkKey(u), linkKey(e.application)
	return key == app || strings.HasPrefix(key, app+"/")
}

// ofAnother reports whether x asks for another application than that of the evidence.
func (e *Evidence) ofAnother(x *Exchange) bool {
	app := applicationOf(x.url)
	return app != nil && e.application != nil && !e.own(x.url) && lowerPath(app.Path) != lowerPath(e.application.Path)
}

func subcodeOf(x *Exchange) string {
	object, _ := x.object()
	subcode, _ := member(object, "subcode")
	text, _ := subcode.(string)
	return text
}

// beforehand finds note and location asked before makeMeAvailable.
func (s *state) beforehand(x *Exchange, method string) string {
	if !s.seen || !s.early(x) || method != "GET" && method != "POST" {
		return ""
	}
	rel := "note"
	if x.is("location") {
		rel = "location"
	}
	return fmt.Sprintf("%s-%s-before", rel, strings.ToLower(method))
}

// probes are the refusals that a driver asks for: the rel of the resource that it
// asks, and what makes the request the mistake that it is marked as. A marked
// request that is none says nothing of how the server takes one.
var probes = withCreateProbes(map[string]probe{
	"presence-get-before":    {"presence", tooEarly("GET"), ""},
	"presence-post-before":   {"presence", tooEarly("POST"), ""},
	"note-get-before":        {"note", tooEarly("GET"), ""},
	"note-post-before":       {"note", tooEarly("POST"), ""},
	"location-get-before":    {"location", tooEarly("GET"), ""},
	"location-post-before":   {"location", tooEarly("POST"), ""},
	"make-again":             {"makeMeAvailable", func(s *state, x *Exchange) bool { return x.Request.Method == "POST" && s.available }, ""},
	"modality":               {"makeMeAvailable", asAnother, ""},
	"anonymous":              {"makeMeAvailable", asAnother, ""},
	"availability":           {"presence", bySituation, ""},
	"not-json":               {"presence", bySituation, ""},
	"media-type":             {"presence", bySituation, ""},
	"method-makeMeAvailable": {"makeMeAvailable", bySituation, ""},
	"method-presence":        {"presence", bySituation, ""},
	"gone":                   {"application", func(s *state, x *Exchange) bool { return s.ended && (x.Response.Code != 401 || s.e.isGood(x)) }, "presence"},
	"no-token":               {"application", func(_ *state, x *Exchange) bool { return len(x.requestHeader("Authorization")) == 0 }, "presence"},
	"bad-token":              {"application", unaccepted("Authorization"), "presence"},
	"origin":                 {"application", unaccepted("X-Ms-Origin"), "presence"},
})

// probe is a refusal that a driver asks for.
type probe struct {
	rel      string
	mistaken func(s *state, x *Exchange) bool
	too      string // another resource that is asked for the same
}

func withCreateProbes(m map[string]probe) map[string]probe {
	maps.Copy(m, createProbes)
	return m
}

// probeRestore marks what a driver sends to give back the presence that was there.
// It is no part of the task.
const probeRestore = "restore"

// probeEnd marks the second DELETE of the application, where the first came to
// nothing. It is no part of the task either.
const probeEnd = "end-again"

// probeToken marks the request by which a driver looks whether its token is still good, where
// it was refused once the application was gone. It is no part of the task.
const probeToken = "token"

// isGood reports whether the token of x was good after it: then x was refused for another reason.
func (e *Evidence) isGood(x *Exchange) bool {
	return slices.ContainsFunc(e.Exchanges, func(y *Exchange) bool {
		return y.ID > x.ID && y.Probe == probeToken && y.Failure == "" && y.Response.Code != http.StatusUnauthorized && y.authorization() == x.authorization()
	})
}

// cleaning are the probes that only clean up, whatever happened before, or look whether that went well.
var cleaning = []string{probeRestore, probeEnd, probeStray, probeToken}

func tooEarly(method string) func(*state, *Exchange) bool {
	return func(s *state, x *Exchange) bool { return x.Request.Method == method && !s.available }
}

// asAnother: the application is another user's.
func asAnother(s *state, x *Exchange) bool { return x.Request.Method == "POST" && !s.e.own(x.url) }

// bySituation: without its mark the request would play the same part.
func bySituation(s *state, x *Exchange) bool { return s.situation(x) == x.Probe }

// unaccepted: the header field has a value that no ordinary request succeeds with.
func unaccepted(name string) func(*state, *Exchange) bool {
	return func(s *state, x *Exchange) bool {
		values := x.requestHeader(name)
		if name == "Authorization" {
			values = []string{x.authorization()}
		}
		return strings.Join(values, "") != "" && !s.e.accepts(name, values)
	}
}

// probed returns the refusal that a marked request is for, if it is on the
// resource that it should be on, and the mistake that it should be.
func (s *state) probed(x *Exchange) string {
	p, known := probes[x.Probe]
	if !known || !p.mistaken(s, x) || !x.is(p.rel) && !x.is(p.too) && !granted(x) {
		return ""
	}
	return x.Probe
}

// granted reports whether x, which came before its link was served, was answered as
// by the resource, though the link that is served later is another: a server may know
// a path in several forms.
func granted(x *Exchange) bool {
	return strings.HasSuffix(x.Probe, "-before") && (x.succeeded() || x.Response.Code == http.StatusConflict && subcodeOf(x) == ucwa.SubcodeMakeMeAvailableRequired)
}

func (s *state) application(x *Exchange, method string) string {
	switch {
	case method == "DELETE":
		return partEnd
	case method != "GET":
		return ""
	case s.available || (!s.e.Driven || !s.seen || s.asked) && hasLink(x, "presence") && !hasLink(x, "makeMeAvailable"):
		return partAfter // perhaps made available where nobody recorded it, or in spite of an error
	}
	return partBefore
}

func (s *state) makeMeAvailable(x *Exchange, method string) string {
	switch {
	case method != "POST":
		return otherMethod(method, "GET", "method-makeMeAvailable")
	case s.available, x.Response.Code == 409 && !s.seen:
		return "make-again"
	case x.Response.Code == 403 && subcodeOf(x) == ucwa.SubcodeAnonymousNotAllowed:
		return "anonymous"
	case x.Response.Code == 403 && s.e.acceptsLater(x):
		return "modality"
	case !s.e.Driven && (x.Response.Code == 400 || x.Response.Code == 415) && (s.e.acceptsLater(x) || mistakenMake(x)):
		return "makeMeAvailable refused" // for what the client did wrong
	}
	return partMake
}

// mistakenMake reports whether the body of a makeMeAvailable, or what the request
// says of it, is none that a server has to take.
func mistakenMake(x *Exchange) bool {
	media := strings.Join(x.requestHeader("Content-Type"), "")
	if isXMLMedia(media) || strings.TrimSpace(x.Request.Body) == "" {
		return false
	}
	object, err := x.requestObject()
	if media == "" || !isJSONMedia(media) || err != nil || twice(object) != "" {
		return true
	}
	given, ok := member(object, "supportedModalities")
	names, isList := given.([]any)
	return ok && given != nil && (!isList || slices.ContainsFunc(names, func(name any) bool {
		text, _ := name.(string)
		return !ucwa.ModalityType(text).Valid()
	}))
}

func (s *state) presence(x *Exchange, method string) string {
	switch {
	case method == "GET" && s.early(x) && (s.seen || x.Response.Code == 409):
		return "presence-get-before"
	case method == "GET":
		return partRead
	case method != "POST":
		return otherMethod(method, "DELETE", "method-presence")
	case s.early(x) && (s.seen || x.Response.Code == 409):
		return "presence-post-before"
	case x.bodyLost() && !s.e.Driven:
		return partUnread
	case x.onlyInQuery("availability"):
		return partUnread // where input may stand, and the reference lists none
	case strings.TrimSpace(x.Request.Body) == "":
		return partReset
	}
	media := strings.Join(x.requestHeader("Content-Type"), "")
	switch {
	case isXMLMedia(media):
		return partPresence
	case !isJSONMedia(media), media == "" && x.Response.Code == 415:
		return "media-type"
	}
	object, err := x.requestObject()
	if err != nil {
		if json.Valid([]byte(x.Request.Body)) && strings.HasPrefix(strings.TrimSpace(x.Request.Body), "{") {
			return "" // a name stands there twice: what that means is up to the server
		}
		return "not-json"
	}
	if twice(object) != "" {
		return "" // what that means is up to the server, too
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

// early reports whether the user is not available yet, as far as is known. In the traffic of
// others makeMeAvailable may be what the capture lost: then what the server granted was not too
// early, unless a makeMeAvailable after it was the first.
func (s *state) early(x *Exchange) bool {
	return !s.available && (s.e.Driven || !x.succeeded() || s.e.acceptsLater(x))
}

// otherMethod returns the refusal that a method is for which the resource has not. Of
// OPTIONS and the like no document says that it is refused.
func otherMethod(method, documented, part string) string {
	if method == documented || method == http.MethodPut || method == http.MethodPatch || method == http.MethodDelete {
		return part
	}
	return ""
}

// mistakenOptions reports whether a pending GET asks for more, or less, than it may.
func mistakenOptions(query url.Values) bool {
	return slices.ContainsFunc(eventOptions, func(o eventOption) bool {
		value := query.Get(o.name)
		return value != "" && !o.allows(value)
	})
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

// hasLink reports whether the answer has an application whose me has that link.
func hasLink(x *Exchange, rel string) bool {
	object, err := x.object()
	if err != nil {
		return false
	}
	_, ok := dig(object, "_embedded", "me", "_links", rel)
	return ok
}
