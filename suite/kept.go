package suite

import (
	"net/http"
	"slices"
	"strings"
)

// What others recorded need not be whole: a browser keeps no header of some requests, a
// tool leaves out bodies, and what is handed on has its tokens taken away. Nobody is held
// to have sent what nobody kept.

// headersLost reports whether the evidence keeps no header of the request. Each has one.
func (x *Exchange) headersLost() bool { return len(x.Request.Headers) == 0 && x.Request.Host == "" }

// bodyLost reports whether the request had a body that the evidence does not keep.
func (x *Exchange) bodyLost() bool { return x.Request.Body == "" && x.Request.ContentLength > 0 }

// unkept reports whether the field is one that the evidence does not keep.
func (f Field) unkept() bool {
	switch {
	case f.x == nil || f.check == nil || f.check.Driven: // a driver's recording is whole
		return false
	case strings.HasPrefix(f.Name, "request header"):
		return f.Absent && f.x.headersLost()
	case strings.HasPrefix(f.Name, "request body"):
		return f.x.bodyLost()
	}
	return false
}

// mayHaveMissed reports whether there may have been more before x than the evidence shows.
func (e *Evidence) mayHaveMissed(x answer) bool {
	return e.Exchanges[0] == x.Exchange || slices.ContainsFunc(e.Exchanges, func(y *Exchange) bool { return y.ID < x.ID && y.Failure != "" })
}

// unexplained reports whether x was refused, and the evidence does not keep what the
// refusal may be for.
func (e *Evidence) unexplained(x *Exchange) bool {
	if x.Response.Code/100 != 4 || issuerOf(x) != nil { // a challenge explains itself
		return false
	}
	refused := x.Response.Code == http.StatusUnauthorized || x.Response.Code == http.StatusForbidden
	return x.headersLost() || x.bodyLost() || refused && x.authorization() == "" && e.tokensTaken()
}

// tokensTaken reports whether the server served the application without any token: they
// were taken out of the evidence.
func (e *Evidence) tokensTaken() bool {
	return e.index.lastOwn+e.index.lastEnd > 0 && !e.index.sent
}
