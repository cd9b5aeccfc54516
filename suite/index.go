package suite

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// index is what is asked of the whole evidence again and again, found once. A capture
// can be of whole days: whoever looks through all exchanges for each of them is too slow.
// Numbers are those of exchanges, 0 where there is none.
type index struct {
	lastOwn     int                        // the last success on the application, but for its end
	lastEnd     int                        // the last DELETE of the application that was one
	lastMake    int                        // the last makeMeAvailable that was accepted
	lastSignIn  int                        // the last success on a user resource or the applications
	application int                        // the first answer that held an application
	lastWith    map[string]int             // the last success, by the credentials that it carried
	accepted    map[string]bool            // fields of requests, but probes, that succeeded: name and value
	origins     map[string]map[string]bool // where they succeeded, by credentials
	bearers     map[string]bool            // tokens of requests that succeeded
	sent        bool                       // some request has a token of UCWA
	carries     bool                       // and some such request succeeded
	lastAsked   map[question]int           // the last success, by what was asked
	lastAnswer  map[repeatable]int         // the last answer, by all that was asked
	issued      map[string]string          // the origin that issued a token
	challenges  []challenge                // in their order
	refused     int                        // the first 401
	masked      map[string]bool            // see placeholders; nil until it is asked for
	told        map[string][]string        // see tells; nil until it is asked for
	timed       bool                       // some exchange has a time
	clients     []*Exchange                // see clientRequests
	hosts       bool                       // some request has a host
	unseen      []*Exchange                // see mayServe
	unsettled   []*Exchange                // may have changed what the user sets, and nobody knows: unanswered, or a batch that is not whole
}

type question struct{ method, url string }

type repeatable struct{ probe, method, url, body string }

// challenge is an answer that tells where tokens are to be had.
type challenge struct {
	by int // the exchange
	at string
	*issuer
}

func indexOf(e *Evidence) *index {
	i := &index{lastWith: map[string]int{}, accepted: map[string]bool{}, origins: map[string]map[string]bool{}, bearers: map[string]bool{},
		lastAsked: map[question]int{}, issued: map[string]string{}, clients: e.clientRequests()}
	failed := slices.ContainsFunc(e.Exchanges, func(x *Exchange) bool { return x.Failure != "" || x.between() })
	if failed {
		i.lastAnswer = map[repeatable]int{}
	}
	for _, x := range e.Exchanges {
		i.hosts = i.hosts || x.Request.Host != ""
		i.timed = i.timed || !x.Began.IsZero()
		if i.refused == 0 && x.Response.Code == http.StatusUnauthorized {
			i.refused = x.ID
		}
		if issuer := issuerOf(x); issuer != nil {
			i.challenges = append(i.challenges, challenge{x.ID, ucwa.Origin(x.url), issuer})
		}
		i.sent = i.sent || bearer.MatchString(x.authorization())
		changes := x.Request.Method == http.MethodPost && (x.is(roleOf(partMake).rel) || slices.ContainsFunc(x.rels, isMine))
		if !e.Driven && (x.partial || changes && (x.Failure != "" || x.between())) {
			i.unsettled = append(i.unsettled, x)
		}
		if e.mayServe(x) {
			i.unseen = append(i.unseen, x)
		}
		if failed && x.Failure == "" && !x.between() {
			i.lastAnswer[x.asks()] = x.ID
		}
		if x.succeeded() {
			i.add(e, x)
		}
	}
	return i
}

// add notes a success.
func (i *index) add(e *Evidence, x *Exchange) {
	credentials, origin := x.authorization(), ucwa.Origin(x.url)
	own, post := e.own(x.url), x.Request.Method == http.MethodPost
	switch {
	case own && x.is("application") && x.Request.Method == http.MethodDelete:
		i.lastEnd = x.ID
	case own:
		i.lastOwn = x.ID
	}
	if post && x.is("makeMeAvailable") {
		i.lastMake = x.ID
	}
	if x.is(relUser) || x.is("applications") {
		i.lastSignIn = x.ID
	}
	if object, err := x.object(); err == nil && i.application == 0 && x.Probe == "" && object["rel"] == "application" {
		i.application = x.ID
	}
	i.lastWith[credentials] = x.ID
	if i.origins[credentials] == nil {
		i.origins[credentials] = map[string]bool{}
	}
	i.origins[credentials][origin] = true
	if x.Probe == "" {
		i.accepted["Authorization: "+credentials] = true
		i.accepted["X-Ms-Origin: "+fieldKey(x.requestHeader("X-Ms-Origin"))] = true
	}
	i.bearers[bearerOf(x.Exchange)] = true
	i.carries = i.carries || bearer.MatchString(x.authorization())
	i.lastAsked[question{x.Request.Method, x.Request.URL}] = x.ID
	if x.is(relToken) {
		if object, err := x.object(); err == nil {
			if token, _ := object["access_token"].(string); token != "" && i.issued[token] == "" {
				i.issued[token] = origin
			}
		}
	}
}

// fieldKey is the values of a field as one key.
func fieldKey(values []string) string { return strings.Join(values, "\n") }

// asks is all that a request asks.
func (x *Exchange) asks() repeatable {
	return repeatable{x.Probe, x.Request.Method, x.Request.URL, x.Request.Body}
}

// accepts reports whether a request with that very header field succeeded, other
// than a probe: then the field was not the reason for a refusal.
func (e *Evidence) accepts(name string, values []string) bool {
	return e.index.accepted[name+": "+fieldKey(values)]
}

// livesAfter reports whether the application answered after x: then it was not gone. A
// pending GET may end with it: that the DELETE was answered behind it shows no life.
func (e *Evidence) livesAfter(x *Exchange) bool {
	return e.index.lastOwn > x.ID || !x.is("events") && e.index.lastEnd > x.ID
}

// acceptsLater reports whether a makeMeAvailable after x was accepted.
func (e *Evidence) acceptsLater(x *Exchange) bool { return e.index.lastMake > x.ID }

// tokenFromElsewhere reports whether the token of x is that of another host: issued
// or accepted there.
func (e *Evidence) tokenFromElsewhere(x *Exchange) bool {
	_, token, _ := strings.Cut(x.authorization(), " ")
	here := ucwa.Origin(x.url)
	at := e.index.origins[x.authorization()]
	if token == "" || at[here] {
		return false
	}
	return len(at) > 0 || slices.ContainsFunc(e.tells(token), func(there string) bool { return there != here })
}

// tells returns the origins of which an answer holds the token, between quotes.
func (e *Evidence) tells(token string) []string {
	if e.index.told == nil {
		e.index.told = map[string][]string{}
		shown := map[string]bool{}
		for _, x := range e.Exchanges {
			_, token, _ := strings.Cut(x.authorization(), " ")
			shown[token] = token != ""
		}
		for _, x := range e.Exchanges {
			if !x.succeeded() {
				continue
			}
			origin := ucwa.Origin(x.url)
			for text := range strings.SplitSeq(x.Response.Body, `"`) {
				if shown[text] && !slices.Contains(e.index.told[text], origin) {
					e.index.told[text] = append(e.index.told[text], origin)
				}
			}
		}
	}
	return e.index.told[token]
}

// issuedAt returns the origin whose token endpoint issued a token, "" if it is not known.
func (e *Evidence) issuedAt(token string) string { return e.index.issued[token] }

// offer is a link by which me offered a resource.
type offer struct {
	by  int // the exchange
	url *url.URL
}

// offersOf returns, by rel, the links by which me offered resources, in the order of
// their exchanges, and one of an exchange. Events and contacts name the resources of
// others too, and a resource's link to itself offers nothing.
func offersOf(e *Evidence) map[string][]offer {
	offers := map[string][]offer{}
	for _, s := range e.inMe {
		x := e.Exchanges[s.by]
		if x.Part == partEvents || ucwa.Origin(s.url) != ucwa.Origin(x.url) || belongsElsewhere(s.url, x.url) {
			continue
		}
		list := offers[s.rel]
		if n := len(list); n > 0 && list[n-1].by == x.ID {
			if s.url.String() < list[n-1].url.String() {
				list[n-1].url = s.url
			}
			continue
		}
		offers[s.rel] = append(list, offer{x.ID, s.url})
	}
	return offers
}

// lastServed returns the URL of the link of that rel which me offered last before r,
// nil if it did not.
func (c *check) lastServed(rel string, r answer) *url.URL {
	list := c.offers[rel]
	n, _ := slices.BinarySearchFunc(list, r.ID, func(o offer, id int) int { return o.by - id })
	if n == 0 {
		return nil
	}
	return list[n-1].url
}

// span returns those of a part whose numbers lie between two others.
func (e *Evidence) span(part string, from, to int) []*Exchange {
	return within(e.parts[part], from, to)
}

func within(list []*Exchange, from, to int) []*Exchange {
	number := func(x *Exchange, id int) int { return x.ID - id }
	first, _ := slices.BinarySearchFunc(list, from+1, number)
	last, _ := slices.BinarySearchFunc(list, to, number)
	return list[first:max(first, last)]
}

// firstWithin returns the first exchange of a list from one number to another, nil if there is none.
func firstWithin(list []*Exchange, from, to int) *Exchange {
	i, _ := slices.BinarySearchFunc(list, from, func(x *Exchange, id int) int { return x.ID - id })
	if i == len(list) || list[i].ID > to {
		return nil
	}
	return list[i]
}
