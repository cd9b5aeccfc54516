package suite

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// Evidence is what was seen of one application: a numbered list of exchanges,
// each knowing which part it plays in the task. It is all that a spec may look at:
// no network, no clock, no mode.
type Evidence struct {
	Tasks      []string // that it is judged by
	Kind       string   // live, reference, documentation, capture
	Source     string   // a URL, a file, the name of an embedded recording
	Server     string   // what answered, as it called itself
	RecordedAt time.Time
	SHA256     string   // of the recording, "" for a live run
	Driven     bool     // gathered by the task's driver, which reads on until the event comes or its patience ends
	Absent     []string // capabilities that whoever ran it declared not to be there: anonymous, modality
	Notes      []string // what a reader of the report must know
	Exchanges  []*Exchange
	Recording  *cassettes.Cassette // the same, redacted, as it can be kept

	signedIn    bool              // by a driver: it begins with the sign-in
	signIn      map[string]string // the rels of what is asked before there is an application, by linkKey
	masker      *mask.Masker      // made it of what was received; nil if that is shown as it is
	found       int               // by the second line of the Masker, in the recording
	received    *Evidence         // the same before it was masked, which has a vote in each verdict; nil if nothing was
	application *url.URL
	index       *index
	served      map[string][]serving // by linkKey, each link once
	relsAt      map[string][]string  // the rels under which a URL was served, by linkKey
	relsServed  map[string]bool      // anywhere
	inMe        []serving            // every link in me, but that to itself
	offers      map[string][]offer   // see offersOf
	parts       map[string][]*Exchange
	declined    map[string][]declined // ordinary requests, by the part that they would have played
	unfinished  string
	cut         bool                            // see CutShort
	starved     func(from, to time.Time) string // see Starve
	lost        *Exchange                       // the first of those that say nothing of the server; see loss.go
}

// Unfinished says why the driver that gathered this evidence ended before it had done
// all, "" if it did not, or if no driver gathered it.
func (e *Evidence) Unfinished() string { return e.unfinished }

// CutShort tells whether its driver's context ended, by an interrupt or for want of time,
// before all was asked. What was seen by then is judged, and never conformant.
func (e *Evidence) CutShort() bool { return e.cut }

// Starve gives the evidence what knows whether the machine that drove was too slow from one time to another: it returns why, "" if it was
// not. A time that ends at zero ends with the run. An answer or an event that did not come in such a time proves nothing about the
// server, and the verdict is an error for that reason. Call it before [Judge].
func (e *Evidence) Starve(why func(from, to time.Time) string) {
	if e.starved = why; e.received != nil {
		e.received.starved = why
	}
}

// tooSlow is the reason of Starve, if what was waited for from one exchange to the end of another was waited for in such a time.
func (e *Evidence) tooSlow(from, to *Exchange) string {
	if e == nil || e.starved == nil {
		return ""
	}
	var end time.Time
	if to.Response.Code != 0 {
		end = to.Began.Add(to.Response.Duration)
	} else if next := firstWithin(e.Exchanges, to.ID+1, math.MaxInt); next != nil { // how long no answer came is not recorded
		end = next.Began
	}
	return e.starved(from.Began, end)
}

// batching is what it means for an exchange that it was sent in a batch, or is one.
type batching struct {
	batch   *Exchange // in which it was sent, nil if it was sent alone
	place   int       // there, from 1
	apart   bool      // there, with what it depends on; unorder sets this and the next two
	mixed   bool      // there, with something that changes the same
	split   bool      // there, and others change the same, too
	partial bool      // it is a batch of which the evidence does not show all that was asked and answered
}

// Exchange is one exchange of an Evidence.
type Exchange struct {
	cassettes.Exchange
	Part  string // what it is in the task, "" if nothing; see roles.go
	Probe string // the name that a deliberately odd request carries, "" for an ordinary one

	aside string // why it plays no role, whatever it asks for; see asides.go
	batching
	inside   []*Exchange // of a batch, what is in it
	lost     bool        // the evidence does not keep the body of the answer; see kept.go
	url      *url.URL
	rels     []string // under which its URL was served, or which the documentation gives it
	request  document
	response document
	links    []foundLink // of the answer, where many evidences hold it (see Variants), else nil
}

// document is a body decoded once.
type document struct {
	done  bool
	value any
	err   error
}

// decode returns the body as one JSON value. What is in UCWA's XML is the value that it has in JSON.
func (d *document) decode(body string) (any, error) {
	if !d.done {
		d.done = true
		if strings.HasPrefix(strings.TrimSpace(body), "<") && strings.Contains(body, ucwa.XMLNamespace) {
			d.value, d.err = ucwa.DecodeXML([]byte(body))
		} else {
			d.value, d.err = ucwa.DecodeJSON([]byte(body))
		}
	}
	return d.value, d.err
}

// object returns the body if it is a JSON object, else the reason why not.
func (d *document) object(body string) (map[string]any, error) {
	value, err := d.decode(body)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected a JSON object, found %s", ucwa.JSONType(value))
	}
	return object, nil
}

// object returns the JSON object in the response.
func (x *Exchange) object() (map[string]any, error) { return x.response.object(x.Response.Body) }

// requestObject returns the JSON object in the request.
func (x *Exchange) requestObject() (map[string]any, error) { return x.request.object(x.Request.Body) }

// inQuery returns a parameter of the query, whose name may be in any casing. Source: Query
// parameters, "input can be specified in the request body or as one or more query parameters".
func (x *Exchange) inQuery(name string) (string, bool) {
	for key, values := range x.url.Query() {
		if strings.EqualFold(key, name) {
			return values[0], true
		}
	}
	return "", false
}

// onlyInQuery reports whether the query has that parameter, and there is no body.
func (x *Exchange) onlyInQuery(name string) bool {
	_, given := x.inQuery(name)
	return given && strings.TrimSpace(x.Request.Body) == ""
}

// member returns the member of a JSON object that has the given name in any
// casing, as UCWA matches the properties of requests.
func member(object map[string]any, name string) (any, bool) {
	if v, ok := object[name]; ok {
		return v, true
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if strings.EqualFold(key, name) {
			return object[key], true
		}
	}
	return nil, false
}

// twice returns a name that a JSON object has in two casings, "" if there is none:
// to UCWA they are one, and readers differ in which they believe.
func twice(object map[string]any) string {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if seen[strings.ToLower(name)] {
			return name
		}
		seen[strings.ToLower(name)] = true
	}
	return ""
}

// succeeded reports whether a whole answer came, with a status of 2xx.
func (x *Exchange) succeeded() bool { return x.Failure == "" && x.Response.Code/100 == 2 }

// timedOut reports whether the driver waited as long as it should, and no answer came.
func (x *Exchange) timedOut() bool { return strings.Contains(x.Failure, errPatience.Error()) }

// givenUp reports whether the client wanted no answer any more: that says nothing
// of the server.
func (x *Exchange) givenUp() bool {
	return strings.Contains(x.Failure, context.DeadlineExceeded.Error()) || strings.Contains(x.Failure, context.Canceled.Error())
}

func (x *Exchange) is(rel string) bool {
	for _, r := range x.rels {
		if r == rel {
			return true
		}
	}
	return false
}

// requestHeader returns a request's header field. What recorders keep beside the
// header, Host and Content-Length, is found there.
func (x *Exchange) requestHeader(name string) []string {
	values := cassettes.HeaderValues(x.Request.Headers, name)
	if len(values) > 0 {
		return values
	}
	switch name {
	case "Host":
		if x.Request.Host != "" {
			return []string{x.Request.Host}
		}
	case "Content-Length":
		if x.Request.ContentLength > 0 {
			return []string{fmt.Sprint(x.Request.ContentLength)}
		}
	}
	return nil
}

// Application returns the URL of the application that the evidence is about, ""
// if it shows none.
func (e *Evidence) Application() string {
	if e.application == nil {
		return ""
	}
	return e.application.String()
}

// User returns the SIP URI of the application's user, or of who signed in and created
// none; "" if the evidence does not show it.
func (e *Evidence) User() string {
	for _, x := range e.Exchanges {
		object, err := x.object()
		if err != nil || x.Probe != "" || !e.own(x.url) && !x.is("applications") {
			continue
		}
		uri, ok := dig(object, "_embedded", "me", "uri")
		if !ok && x.is("me") {
			uri = object["uri"]
		}
		if text, _ := uri.(string); text != "" {
			return text
		}
	}
	for _, x := range e.Exchanges {
		if name, _ := x.signsIn(); strings.Contains(name, "@") && x.Probe == "" {
			return "sip:" + strings.TrimPrefix(name, "sip:")
		}
	}
	return ""
}

// Hide masks a text of ours that goes with the evidence, such as the message of an error, as the evidence is masked.
func (e *Evidence) Hide(text string) string {
	if e.masker == nil {
		return text
	}
	return e.masker.Message(text)
}

// Received returns the exchanges of the evidence as they were received, for the eyes of who runs this alone: no report and no file may show
// them.
func (e *Evidence) Received() []*Exchange {
	if e.received != nil {
		e = e.received
	}
	return folded(e.Exchanges)
}

// Found returns how many values the second line of its Masker removed from the recording: they should have been masked before.
func (e *Evidence) Found() int { return e.found }

// Masker returns what masked the evidence, nil if nothing did.
func (e *Evidence) Masker() *mask.Masker { return e.masker }

// dig follows a path of names into a JSON value.
func dig(value any, path ...string) (any, bool) {
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = object[name]; !ok {
			return nil, false
		}
	}
	return value, true
}

// isXMLMedia reports whether a media type is XML as UCWA knows it.
func isXMLMedia(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "application/xml", "application/vnd.microsoft.com.ucwa+xml":
		return true
	}
	return false
}

// isJSONMedia reports whether a media type is JSON as UCWA knows it. An absent
// one is taken for it, since a recorder may not have kept it.
func isJSONMedia(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "", "application/json", "application/vnd.microsoft.com.ucwa+json":
		return true
	}
	return false
}
