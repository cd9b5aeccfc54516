package suite

import (
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// navigation is how a client finds its way.
func navigation() clause {
	return clause{Clause: Clause{ID: "nav", Quotes: []string{
		"Setting a user's presence involves resource navigation from application to me to presence.",
	}}, Checks: []Check{
		client("nav.links", must, tracing(
			"Compare the URL of each request below the application, or with its token, with the "+
				"links of all answers before it; the application's own URL is given.", followsLinks),
			"Every URL that the client asks was served to it before, as the href of a link or the "+
				"Location of an answer; a query that stands there is kept.",
			"A client that appends /me/presence to the application's path."),
		client("nav.order", must, tracing(
			"Look for a request on presence that comes before the accepted makeMeAvailable.", asksInOrder),
			"The client asks for presence only after makeMeAvailable was accepted.",
			"A client that keeps the presence link of an earlier application or session."),
	}}
}

// clientRequests is what the pages show of the header of each request.
func clientRequests() clause {
	return clause{Clause: Clause{ID: "1.request", Quotes: []string{"Send a POST request on the makeMeAvailable resource."}, Shows: []string{
		"Accept", "Content-Type", "Authorization", "X-Ms-Origin", "X-Requested-With", "Referer",
		"Accept-Language", "Accept-Encoding", "User-Agent", "Host", "Content-Length", "Connection",
		"Cache-Control",
	}}, Checks: []Check{
		client("request.authorization", must, tracing(
			"Look at the Authorization field of every request on the application and below it.", sendsToken),
			"Every request carries Authorization with the scheme Bearer and a token that begins with "+
				"cwt=.",
			"A client that signs in for the first request only, or puts the token into the URL."),
		client("request.token-origin", must,
			tracing("Collect the origins to which each token was sent.", keepsToken),
			"The client sends a token to one origin only.",
			"A client that follows a link or redirect to another host with the token still on."),
		client("request.content-type", must,
			tracing("Look at Content-Type of every request of the task that has a body.", typesBodies),
			"A request with a body says that it is JSON, or XML of UCWA, and in no charset that it is "+
				"not in.",
			"An HTTP library that sends text/plain or a form by default."),
		client("request.content-length", must,
			tracing("Count the bytes of each request body in the evidence and compare.", countsBodies),
			"Content-Length is the number of bytes in the request's body.",
			"Counting characters instead of bytes, or measuring before the JSON is minified."),
		client("request.host", must,
			tracing("Compare the Host field of every request with its URL.", namesHost),
			"The Host field names the host of the request's URL.",
			"A hand-written Host field that outlives a move to another pool."),
		client("request.accept", should,
			requestHeader("Accept", stringThat("a list with application/json or another media type of UCWA", acceptsUCWA)).
				of("the requests of the client", (*check).clientRequests),
			"The client asks for a media type that UCWA serves.",
			"A browser default such as Accept: text/html."),
		client("request.x-ms-origin", must,
			crossDomain("X-Ms-Origin", stringThat("an origin, scheme://host", webOrigin.MatchString)),
			"A cross-domain browser application sends X-Ms-Origin, the origin of its page, with every "+
				"request.",
			"A frame that adds the field to some verbs only, or sends a whole URL for an origin."),
		client("request.x-requested-with", must,
			crossDomain("X-Requested-With", beOneOf("XMLHttpRequest")),
			"A cross-domain browser application sends X-Requested-With: XMLHttpRequest with every "+
				"request.",
			"A fetch polyfill in place of XMLHttpRequest."),
		client("request.referer", must, crossDomain("Referer", wants(framed)),
			"A cross-domain browser application sends the XFrame page of the server as Referer.",
			"A referrer policy that cuts the path or drops the field."),
		client("request.accept-language", may,
			mayHave("Accept-Language", "a list of language tags", languageList),
			"Accept-Language, if sent, lists language tags.",
			"A culture name with an underscore."),
		client("request.accept-encoding", may,
			mayHave("Accept-Encoding", "a list of content codings", codingList),
			"Accept-Encoding, if sent, lists content codings.",
			"A hand-written list with semicolons for commas."),
		client("request.user-agent", may,
			mayHave("User-Agent", "a product, perhaps with a version and comments", product),
			"User-Agent, if sent, begins with a product.",
			"An empty field."),
		client("request.connection", may, mayHave("Connection", "a list of tokens", tokenList),
			"Connection, if sent, is a list of tokens.",
			"A proxy that copies the field of another hop."),
		client("request.cache-control", may,
			mayHave("Cache-Control", "a list of directives", directiveList),
			"Cache-Control, if sent, is a list of directives.",
			"A value copied from a Pragma field with quotes around it."),
	}}
}

func followsLinks(c *check) {
	judged := false
	var lost *Exchange
	for _, r := range c.clientRequests() {
		if r.is("application") && c.own(r.url) || !c.sawApplication(r) {
			continue // given to the client, or evidence that begins in the middle
		}
		served := c.servedBefore(r)
		if x := c.mayHaveServed(r.Exchange); x != nil && !served {
			lost = x
			continue
		}
		judged = true
		c.Expect(r.URL()).To(matcher{expected: "the URL of a link that was served before", matches: func(Field) bool { return served }})
	}
	if !judged && lost != nil {
		c.unseen(lost)
	}
	if !judged {
		c.notExercised("the evidence shows no request after an answer with links")
	}

}

func asksInOrder(c *check) {
	judged := false
	available := false
	for _, r := range c.clientRequests() {
		available = available || c.mayBeAvailable(r) || r.Part == partAfter || r.Part == partMake && r.succeeded() || r.Response.Code == http.StatusConflict && r.is("makeMeAvailable")
		if !r.is("presence") || !available && !strings.HasSuffix(r.Part, "-before") {
			continue
		}
		judged = true
		order := "before makeMeAvailable was accepted"
		if available {
			order = "after makeMeAvailable was accepted"
		}
		c.Expect(r.field("request order", order, true)).To(beOneOf("after makeMeAvailable was accepted"))
	}
	if !judged {
		c.notExercised("the evidence shows no request on presence together with makeMeAvailable")
	}

}

func sendsToken(c *check) {
	requests := c.clientRequests()
	if masked(requests) {
		c.notExercised("no request has a token, yet the server served them: it was taken out of this evidence")
	}
	for _, r := range requests {
		c.Expect(r.RequestHeader("Authorization")).To(stringThat("Bearer cwt=…", bearer.MatchString))
	}

}

func keepsToken(c *check) {
	home, placeholders, masked := map[string]string{}, c.placeholders(), false
	for _, x := range c.Exchanges {
		r := answer{x, c}
		token := r.RequestHeader("Authorization")
		if token.Absent || x.Probe != "" || x.Response.Code == 0 || !bearer.MatchString(token.observed()) {
			continue
		}
		if placeholders[bearerOf(x.Exchange)] {
			masked = true
			continue
		}
		origin := ucwa.Origin(r.url)
		first, seen := home[token.observed()]
		if !seen {
			first = origin
			home[token.observed()] = origin
		}
		c.Expect(r.field("request URL", origin, true)).To(beOneOf(first))
	}
	away := map[string][]*Exchange{} // of all that were asked elsewhere, by home
	for _, token := range slices.Sorted(maps.Keys(home)) {
		at := home[token]
		if _, known := away[at]; !known {
			away[at] = c.awayFrom(at)
		}
		c.expectAtHome(token, at, away[at])
	}
	if len(home) == 0 && masked {
		c.notExercised(placeholderReason)
	}
	if len(home) == 0 {
		c.notExercised("no request has a token of UCWA in Authorization")
	}

}

func typesBodies(c *check) {
	judged := false
	for _, r := range c.clientRequests() {
		// Other resources have media types of their own: a message can be text.
		if r.Request.Body != "" && slices.ContainsFunc(ofTask, r.is) {
			judged = true
			c.Expect(r.RequestHeader("Content-Type")).To(stringThat("a media type of UCWA, such as application/json, and no charset that the body is not in",
				func(s string) bool {
					return s != "" && (isJSONMedia(s) && inCharset(s, r.Request.Body) || isXMLMedia(s))
				}))
		}
	}
	if !judged {
		c.notExercised("no request has a body")
	}

}

func countsBodies(c *check) {
	judged, inChunks := false, false
	for _, r := range c.clientRequests() {
		length := r.RequestHeader("Content-Length")
		if r.bodyLost() {
			continue
		}
		framed := strings.Contains(strings.ToLower(strings.Join(append(r.requestHeader("Transfer-Encoding"), r.Request.TransferEncoding...), ",")), "chunked") || r.Request.ProtoMajor >= 2
		if length.Absent && (r.Request.Body == "" || framed) {
			inChunks = inChunks || r.Request.Body != ""
			continue
		}
		judged = true
		c.Expect(length).To(beOneOf(fmt.Sprint(len(r.Request.Body))))
	}
	if !judged && inChunks {
		c.notApplicable("every body is sent in chunks or frames, which say where it ends")
	}
	if !judged {
		c.notExercised("no request tells its length")
	}

}

func namesHost(c *check) {
	judged := false
	for _, r := range c.clientRequests() {
		if host := r.RequestHeader("Host"); !host.Absent {
			judged = true
			c.Expect(host).To(stringThat(r.url.Host, func(s string) bool {
				return ucwa.Origin(&url.URL{Scheme: r.url.Scheme, Host: s}) == ucwa.Origin(r.url)
			}))
		}
	}
	if !judged {
		c.notExercised("the evidence does not keep the Host field")
	}

}

// crossDomain is a header field of requests that a browser sends through the frame of the server.
func crossDomain(name string, w want) fields {
	return requestHeader(name, w).of("the requests of a cross-domain browser application", func(c *check) []answer {
		requests := c.clientRequests()
		if !slices.ContainsFunc(requests, isCrossDomain) {
			c.notApplicable("the client is no cross-domain browser application: it does not speak through the XFrame page")
		}
		return requests
	})
}

// framed is the frame of the host that is asked.
func framed(_ *check, r answer) matcher {
	return stringThat("the XFrame page on "+ucwa.Origin(r.url), func(s string) bool {
		u, err := url.Parse(s)
		return err == nil && ucwa.Origin(u) == ucwa.Origin(r.url) && isFrame(u)
	})
}

// mayHave is a header field that a request can do without.
func mayHave(name, expected string, form *regexp.Regexp) items {
	return items{"request header " + name + " of each request of the client", "", func(c *check) []Field {
		var list []Field
		for _, r := range c.clientRequests() {
			if f := r.RequestHeader(name); !f.Absent {
				list = append(list, f)
			}
		}
		if len(list) == 0 {
			c.notApplicable("the client does not send " + name)
		}
		return list
	}, func(Field) matcher { return stringThat(expected, form.MatchString) }}
}

// awayFrom returns what the client asked of other origins, but for tokens.
func (c *check) awayFrom(home string) []*Exchange {
	return slices.DeleteFunc(slices.Clone(c.Exchanges), func(x *Exchange) bool {
		return ucwa.Origin(x.url) == home || x.Probe != "" || x.Response.Code == 0 || x.is(relToken)
	})
}

// expectAtHome expects that a request to another origin has the token nowhere: not in its
// URL, its body or another header field. It may be renewed where tokens are to be had.
func (c *check) expectAtHome(authorization, home string, away []*Exchange) {
	_, token, _ := strings.Cut(authorization, " ")
	for _, x := range away {
		if field := x.shows(token); field != "" {
			r := answer{x, c}
			c.Expect(r.field(field, "the token, sent to "+ucwa.Origin(x.url), true)).To(matcher{expected: "the token at " + home + " only", matches: func(Field) bool { return false }})
		}
	}
}

// Forms of header fields (RFC 9110 and 9111), as strict as a may needs.
const (
	token  = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
	weight = `(?:\s*;\s*q=[01](?:\.[0-9]{0,3})?)?`
)

var (
	webOrigin     = regexp.MustCompile(`^https?://[^/?#@\s]+$`)
	languageList  = listOf(`(?:\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)` + weight)
	codingList    = listOf(token + weight)
	tokenList     = listOf(token)
	directiveList = listOf(token + `(?:=(?:` + token + `|"[^"]*"))?`)
	product       = regexp.MustCompile(`^` + token + `(?:/` + token + `)?(?:\s|$)`)
	zeroOrOne     = regexp.MustCompile(`^[01]$`)
)

func listOf(item string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:` + item + `)?(?:\s*,\s*(?:` + item + `)?)*$`)
}

// ofTask are the resources of the task that take a body of UCWA's media types, or none.
var ofTask = []string{"application", "makeMeAvailable", "presence", "note", "location", "reportMyActivity"}

// inCharset reports whether a body of JSON can be in the charset that its media type
// names, if it does. All that are common agree on ASCII, but for the wide ones.
func inCharset(contentType, body string) bool {
	_, parameters, err := mime.ParseMediaType(contentType)
	charset := strings.ToLower(parameters["charset"])
	if err != nil || charset == "" || charset == "utf-8" || charset == "utf8" {
		return true
	}
	ascii := !strings.ContainsFunc(body, func(r rune) bool { return r > unicode.MaxASCII })
	return ascii && !strings.HasPrefix(charset, "utf-") && !strings.HasPrefix(charset, "ucs-")
}

// isCrossDomain reports whether a request shows that the client speaks through
// the server's cross-domain frame: then that is its Referer, or a browser sends the
// origin of a page. X-Requested-With alone shows nothing, since many libraries send it,
// and neither does X-Ms-Origin, which programs copy from the samples.
func isCrossDomain(r answer) bool {
	u, err := url.Parse(strings.Join(r.requestHeader("Referer"), ""))
	browser := len(r.requestHeader("Sec-Fetch-Mode")) > 0 || strings.HasPrefix(strings.Join(r.requestHeader("User-Agent"), ""), "Mozilla/")
	return err == nil && isFrame(u) || browser && len(r.requestHeader("X-Ms-Origin")) > 0
}

func isFrame(u *url.URL) bool {
	p := strings.ToLower(u.Path)
	return strings.HasSuffix(p, "/xframe.html") || strings.HasSuffix(p, "/xframe")
}

// gets returns the client's GETs on the application, of which step 3 speaks, and with
// them those of the same kind on the presence and the event channel.
func (c *check) gets() []answer {
	list := c.requests("GET", "application")
	for _, r := range c.clientRequests() {
		if r.Request.Method == http.MethodGet && (r.is("presence") || r.is("events")) {
			list = append(list, r)
		}
	}
	return list
}

// servedBefore reports whether an answer before r served the link that r follows.
func (c *check) servedBefore(r answer) bool {
	return slices.ContainsFunc(c.served[linkKey(r.url)], func(s serving) bool {
		return c.Exchanges[s.by].ID < r.ID && (r.is("events") || follows(r.url, s.url)) // of ack set-presence.event.follow speaks
	})
}

// mayBeAvailable reports whether a makeMeAvailable before r was asked for, and nobody knows what came of it.
func (c *check) mayBeAvailable(r answer) bool {
	return slices.ContainsFunc(within(c.index.unsettled, 0, r.ID), func(x *Exchange) bool { return x.is("makeMeAvailable") })
}

// sawApplication reports whether an answer before r held the application, from
// which all links come.
func (c *check) sawApplication(r answer) bool {
	return c.index.application > 0 && c.index.application < r.ID
}
