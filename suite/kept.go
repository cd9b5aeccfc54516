package suite

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// What others recorded need not be whole: a browser keeps no header of some requests, and a
// tool leaves out bodies. Whoever hands it on takes the secrets out before, each in their own
// way: the values, the fields or the whole bodies. Nobody is held to have sent what nobody
// kept, and what is not there any more is no mistake of the client or the server: what needs
// it is an error, and what may follow from it is not judged. A driver's recording is whole;
// it is redacted by us, and keeps its shape.

// headersLost reports whether the evidence keeps no header of the request, but perhaps for the host, which
// recorders keep beside it. Each has one.
func (x *Exchange) headersLost() bool { return len(x.Request.Headers) == 0 && x.batch == nil }

// provisional reports whether the evidence keeps of the request only what a browser meant to send: it has no
// host, and others have one.
func (e *Evidence) provisional(x *Exchange) bool { return x.Request.Host == "" && e.index.hosts }

// answerHeadersLost reports whether it keeps no header of the answer, but for the media type, which HAR keeps beside it.
func (x *Exchange) answerHeadersLost() bool {
	if x.Response.Code == 0 || len(x.Response.Headers) > 1 || x.batch != nil { // of what is in a batch the header is in the body
		return false
	}
	return len(x.Response.Headers) == 0 || len(cassettes.HeaderValues(x.Response.Headers, "Content-Type")) > 0
}

// bodyLost reports whether the request had a body that the evidence does not keep, or may have had one.
func (x *Exchange) bodyLost() bool { return x.Request.Body == "" && x.Request.ContentLength != 0 }

// losesAnswer reports whether the answer had a body that the evidence does not keep whole: it
// is shorter than the answer says. One that was redacted is shorter, too, and yet is JSON.
func losesAnswer(x *Exchange) bool {
	r := x.Response
	if x.Failure != "" || r.Code == 0 || x.Request.Method == http.MethodHead || r.Code/100 == 1 || r.Code == http.StatusNoContent || r.Code == http.StatusNotModified {
		return false
	}
	length := r.ContentLength
	if told := cassettes.HeaderValues(r.Headers, "Content-Length"); len(told) == 1 && !r.Uncompressed && len(cassettes.HeaderValues(r.Headers, "Content-Encoding")) == 0 {
		if n, err := strconv.ParseInt(strings.TrimSpace(told[0]), 10, 64); err == nil {
			length = max(length, n)
		}
	}
	media := strings.Join(cassettes.HeaderValues(r.Headers, "Content-Type"), "")
	if r.Body == "" && r.Code/100 != 3 && (r.Uncompressed || length < 0 && isJSONMedia(media) && len(r.TransferEncoding) == 0 && len(cassettes.HeaderValues(r.Headers, "Transfer-Encoding")) == 0) {
		return true // nothing is not worth to be compressed, or to be called JSON
	}
	if length <= int64(len(r.Body)) {
		return false
	}
	return r.Body == "" || isJSONMedia(media) && !json.Valid([]byte(r.Body)) || strings.HasPrefix(strings.ToLower(media), "multipart/")
}

// lostBody is why a spec that needs the body of an answer ends with an error.
func (x *Exchange) lostBody() string {
	return fmt.Sprintf("the capture does not hold the body of exchange %d, %s %s", x.ID, x.Request.Method, x.Request.URL)
}

// mayServe reports whether x may have served links that the evidence does not show: its body
// was lost, its answer is in the cache of the browser, or nobody knows it.
func (e *Evidence) mayServe(x *Exchange) bool {
	if e.Driven || !e.own(x.url) && len(x.rels) == 0 {
		return false
	}
	switch {
	case x.isPhoto() || slices.ContainsFunc(x.rels, isLinkless):
		return false
	case x.is("events") && x.Failure != "":
		return false // nothing came: a client gives pending GETs up as a matter of course
	}
	return x.lost || x.partial || x.Failure != "" || x.Response.Code == http.StatusNotModified
}

// isLinkless reports whether the API reference gives a resource no links, but to itself. What holds other resources has theirs.
func isLinkless(rel string) bool {
	r, known := api.ResourceOf(rel)
	return known && !slices.Contains([]string{"applications", "events", "batch"}, rel) &&
		!slices.ContainsFunc(r.Links, func(l api.Link) bool { return l.Rel != "self" })
}

// mayHaveServed returns the last exchange before r that may have served links which the evidence does
// not show, nil if there is none.
func (e *Evidence) mayHaveServed(r *Exchange) *Exchange {
	list := e.index.unseen
	n, _ := slices.BinarySearchFunc(list, r.ID, func(x *Exchange, id int) int { return x.ID - id })
	if n == 0 {
		return nil
	}
	return list[n-1]
}

// unseen ends a spec of which nothing could be judged, since what would show it may have stood in x.
func (c *check) unseen(x *Exchange) {
	reason := x.lostBody()
	switch {
	case x.Failure != "":
		reason = fmt.Sprintf("the capture does not hold the answer of exchange %d, %s %s: %s", x.ID, x.Request.Method, x.Request.URL, x.Failure)
	case x.partial:
		reason = fmt.Sprintf("the capture does not hold all of the batch in exchange %d, %s %s", x.ID, x.Request.Method, x.Request.URL)
	case !x.lost:
		reason = fmt.Sprintf("exchange %d, %s %s, was answered from a cache, which the capture does not hold", x.ID, x.Request.Method, x.Request.URL)
	}
	c.stop(reports.Error, reason+": what was looked for may have stood there")
}

// unkept reports whether the field is one that the evidence does not keep.
func (f Field) unkept() bool {
	switch {
	case f.x == nil || f.check == nil || f.check.Driven: // a driver's recording is whole
		return false
	case strings.HasPrefix(f.Name, "request header"):
		return f.Absent && (f.x.headersLost() || f.check.provisional(f.x))
	case strings.HasPrefix(f.Name, "header "):
		return f.Absent && f.x.answerHeadersLost()
	case strings.HasPrefix(f.Name, "request body"):
		return f.x.bodyLost()
	}
	return false
}

// mayHaveMissed reports whether there may have been more before x than the evidence shows.
func (e *Evidence) mayHaveMissed(x answer) bool {
	return e.Exchanges[0] == x.Exchange || slices.ContainsFunc(e.Exchanges, func(y *Exchange) bool {
		return y.ID < x.ID && (y.Failure != "" || y.lost || y.headersLost() && y.Request.Host == "" || y.answerHeadersLost())
	})
}

// unexplained reports whether x was refused, and the evidence does not keep what the
// refusal may be for.
func (e *Evidence) unexplained(x *Exchange) bool {
	if x.Response.Code/100 != 4 || issuerOf(x) != nil { // a challenge explains itself
		return false
	}
	refused := x.Response.Code == http.StatusUnauthorized || x.Response.Code == http.StatusForbidden
	return x.headersLost() || x.bodyLost() || x.lost && x.Response.Code == http.StatusNotFound || refused && x.authorization() == "" && e.tokensTaken()
}

// tokensTaken reports whether the server served the application without any token: they
// were taken out of the evidence.
func (e *Evidence) tokensTaken() bool {
	return e.index.lastOwn+e.index.lastEnd > 0 && !e.index.sent
}

// masked: the server served requests of which none has a token as it must be, so
// what stands there is what a recorder put in its place.
func masked(requests []answer) bool {
	served := false
	for _, r := range requests {
		if bearer.MatchString(strings.Join(r.requestHeader("Authorization"), "")) {
			return false
		}
		served = served || r.succeeded()
	}
	return served
}

// placeholders returns the tokens that several hosts issued, or asked for and then
// accepted. A token is good for one host, so the same word stands for several there.
func (e *Evidence) placeholders() map[string]bool {
	if e.index.masked == nil {
		e.index.masked = e.findPlaceholders()
	}
	return e.index.masked
}

func (e *Evidence) findPlaceholders() map[string]bool {
	masked := map[string]bool{}
	if e.Driven {
		return masked
	}
	asks := map[string]bool{} // origins that ask for a token of their own
	for _, x := range e.Exchanges {
		if issuerOf(x) != nil || x.is(relToken) {
			asks[ucwa.Origin(x.url)] = true
		}
	}
	good := map[string]string{} // where a token is good
	for _, x := range e.Exchanges {
		here := ucwa.Origin(x.url)
		if !x.succeeded() || !asks[here] {
			continue
		}
		token := bearerOf(x.Exchange)
		if x.is(relToken) {
			object, _ := x.object()
			token, _ = object["access_token"].(string)
		}
		if token == "" {
			continue
		}
		if there, known := good[token]; known && there != here {
			masked[token] = true
		}
		good[token] = here
	}
	return masked
}

// placeholderReason is why requests with such a token are not judged.
const placeholderReason = "one placeholder stands for the tokens of several hosts: the tokens were removed before this evidence was handed over"

// isToken tells what looks like a token of UCWA.
func isToken(s string) bool { return len(s) > len("cwt=") && strings.HasPrefix(s, "cwt=") }

// withheld reports whether the token was taken out of the answer of a token endpoint:
// none is there, yet the client went on to be served.
func (e *Evidence) withheld(x *Exchange) bool {
	if e.Driven || !x.succeeded() {
		return false
	}
	object, _ := x.object()
	token, _ := object["access_token"].(string)
	i := e.index
	return !isToken(token) && max(i.lastSignIn, i.lastOwn, i.lastEnd) > x.ID && (token == "" || !i.bearers[token] || e.placeholders()[token])
}

// withheldFrom ends a spec about an answer whose token was taken out, if all of it was, or
// the member that the spec is about.
func (c *check) withheldFrom(a answer, member string) {
	if !c.withheld(a.Exchange) {
		return
	}
	if _, err := a.object(); err != nil || member == "access_token" {
		c.notExercised(withheldReason)
	}
}

// withheldReason is why an answer with a token is not judged.
const withheldReason = "the token was removed from this capture before it was handed over: none is in the answer, yet the server served the client that got it"

// grantOf returns the grant type of a token request, and whether it was taken out: the
// server gave a token for it, and what stands there is none that the documentation names.
func (e *Evidence) grantOf(x *Exchange) (grant string, takenOut bool) {
	form, _ := x.form()
	grant = form.Get("grant_type")
	return grant, !e.Driven && x.succeeded() && x.Request.Method == http.MethodPost &&
		!slices.ContainsFunc(knownGrants, func(known string) bool { return strings.EqualFold(known, grant) })
}

// takenOutReason is why token requests of which something is missing are not judged.
const takenOutReason = "the requests do not show what the server issued a token for: it was removed from this evidence"
