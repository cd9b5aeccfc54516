package suite

import (
	"net/http"
	"slices"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// asides are the reasons for which an exchange plays no role, whatever it asks for: the first that holds is the one. They may look at
// what came later, which roles do not.
var asides = []struct {
	why    string // for people
	others bool   // only in the traffic of others, and not of a probe
	is     func(s *state, x *Exchange) bool
}{
	{why: "answered with \"later\" or \"as before\": the answer to the same request counts", is: func(s *state, x *Exchange) bool { return s.e.putOff(x) }},
	{why: "sent after the token or the application was lost", is: func(s *state, x *Exchange) bool { return s.e.isLost(x) }},
	{why: "in a batch with a request on which it depends: batches have no order of execution", is: func(_ *state, x *Exchange) bool { return x.apart }},
	{why: "in a batch, which must not hold a batch, an event channel or a picture", is: func(_ *state, x *Exchange) bool {
		return x.batch != nil && (x.is("events") || x.isBatch() || x.isPhoto())
	}},
	{why: "sent by the browser or a cache by itself", others: true, is: func(_ *state, x *Exchange) bool { return byItself(x) }},
	{why: "given up by the client, or sent again and answered then", others: true, is: func(s *state, x *Exchange) bool { return s.e.forgotten(x) }},
	{why: "refused, and the capture does not keep what may be the reason", others: true, is: func(s *state, x *Exchange) bool { return s.e.unexplained(x) }},
	{why: "asks another application", others: true, is: func(s *state, x *Exchange) bool { return s.e.ofAnother(x) }}, // whether a client may, its requirements say
}

// putAside returns why x is put aside, "" if it is not.
func (s *state) putAside(x *Exchange, others bool) string {
	for _, a := range asides {
		if a.others == others && a.is(s, x) {
			return a.why
		}
	}
	return ""
}

// byItself reports whether x is a request that browsers and caches make beside those of
// the client: what is allowed, and whether something is there.
func byItself(x *Exchange) bool {
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

// ofAnother reports whether x asks for another application than that of the evidence.
func (e *Evidence) ofAnother(x *Exchange) bool {
	app := applicationOf(x.url)
	return app != nil && e.application != nil && !e.own(x.url) && lowerPath(app.Path) != lowerPath(e.application.Path)
}
