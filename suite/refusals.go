package suite

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// refusalRoles are the roles of what a server must refuse, but for what one resource refuses.
func refusalRoles() []role {
	makes := func(name string) func(*state, *Exchange) bool { return by((*state).makeMeAvailable, name) }
	anywhere := func(name string, status int, mistake func(*state, *Exchange) bool) role {
		return role{name: name, rel: "application", too: "presence", is: notByItself, mistake: mistake, after: partBefore, ready: sound, status: status}
	}
	gone := anywhere(partGone, http.StatusNotFound, func(s *state, x *Exchange) bool {
		return s.ended && (x.Response.Code != http.StatusUnauthorized || s.e.isGood(x))
	})
	gone.title, gone.after, gone.ready = "request on the application after its DELETE (which --keep-application leaves out)", partEnd, ended
	gone.subcodes = []string{ucwa.SubcodeApplicationNotFound}
	return []role{
		{name: partMadeAgain, rel: "makeMeAvailable", method: http.MethodPost, is: makes(partMadeAgain), status: http.StatusConflict, after: partMake, ready: accepted,
			mistake:  func(s *state, x *Exchange) bool { return x.Request.Method == http.MethodPost && s.available },
			subcodes: []string{ucwa.SubcodeAlreadyExists}, then: func(s *state, _ *Exchange) { s.available = true }},
		{name: partModality, rel: "makeMeAvailable", method: http.MethodPost, is: makes(partModality), status: http.StatusForbidden, mistake: asAnother,
			needs: "--restricted-application"},
		{name: partAnonymous, rel: "makeMeAvailable", method: http.MethodPost, is: makes(partAnonymous), status: http.StatusForbidden, mistake: asAnother,
			needs: "--anonymous-application", subcodes: []string{ucwa.SubcodeAnonymousNotAllowed}},
		{name: "method-makeMeAvailable", rel: "makeMeAvailable", status: http.StatusMethodNotAllowed, mistake: bySituation, after: partMake, ready: accepted,
			is: func(_ *state, x *Exchange) bool { return otherMethod(x.Request.Method, http.MethodGet, "so") != "" }},
		gone,
		anywhere(partNoToken, http.StatusUnauthorized, func(_ *state, x *Exchange) bool { return len(x.requestHeader("Authorization")) == 0 }),
		anywhere(partBadToken, http.StatusUnauthorized, unaccepted("Authorization")),
		anywhere(partOrigin, http.StatusForbidden, unaccepted("X-Ms-Origin")),
	}
}

// refusalSteps is what a server must refuse, and the reset, which looks like a mistake and is none.
func refusalSteps() step {
	return step{ID: "refusal", Title: "What the server must refuse", clauses: []clause{
		{Clause: Clause{ID: "refusals", Reference: "UCWA 2.0 API reference: makeMeAvailable, presence, note, location, application; Web links and " +
			"errors"}, Checks: []Check{
			server("refusal.presence-get-before", must, refused("presence-get-before", http.StatusConflict,
				"Ask the presence resource of an application that is not available yet."),
				"GET presence before makeMeAvailable is refused with 409 Conflict.",
				"404, since the resource is made on demand."),
			server("refusal.presence-post-before", must, refused("presence-post-before", http.StatusConflict,
				"Set the presence of an application that is not available yet."),
				"POST presence before makeMeAvailable is refused with 409 Conflict.",
				"A server that makes the user available on the way."),
			server("refusal.note-get-before", must, refused("note-get-before", http.StatusConflict,
				"Ask the note resource of an application that is not available yet."),
				"GET note before makeMeAvailable is refused with 409 Conflict.",
				"An empty note, served with 200."),
			server("refusal.note-post-before", must, refused("note-post-before", http.StatusConflict,
				"Set the note of an application that is not available yet."),
				"POST note before makeMeAvailable is refused with 409 Conflict.",
				"A server that makes the user available on the way."),
			server("refusal.location-get-before", must, refused("location-get-before", http.StatusConflict,
				"Ask the location resource of an application that is not available yet."),
				"GET location before makeMeAvailable is refused with 409 Conflict.",
				"An empty location, served with 200."),
			server("refusal.location-post-before", must, refused("location-post-before", http.StatusConflict,
				"Set the location of an application that is not available yet."),
				"POST location before makeMeAvailable is refused with 409 Conflict.",
				"A server that makes the user available on the way."),
			server("refusal.make-again", must, refused(partMadeAgain, http.StatusConflict,
				"POST once more to the link that step 1 used."),
				"makeMeAvailable a second time is refused with 409 Conflict.",
				"An idempotent implementation that answers 204 again."),
			server("refusal.modality", must, refused(partModality, http.StatusForbidden,
				"For a user whose policy forbids a modality, POST makeMeAvailable with every modality. "+
					"Not applicable where no such user was given."),
				"makeMeAvailable with a modality that the deployment does not allow is refused with 403 "+
					"Forbidden.",
				"A server that drops the modality in silence."),
			server("refusal.anonymous", must, refused(partAnonymous, http.StatusForbidden,
				"POST makeMeAvailable in the application of a meeting guest. Not applicable where no "+
					"such user was given."),
				"makeMeAvailable by an anonymous user is refused with 403 Forbidden.",
				"401, which makes the guest's client sign in again and again."),
			server("refusal.availability", must, refused("availability", http.StatusBadRequest,
				"POST availabilities that can be read but not set, and one that there is not."),
				"An availability that is no PreferredAvailability is refused with 400 and a UCWA error.",
				"A server that stores any string."),
			server("refusal.not-json", must, refused("not-json", http.StatusBadRequest,
				"POST a cut-off JSON text, and a form, to presence as JSON."),
				"A body that is not JSON is refused with 400 and a UCWA error.",
				"500 from the parser's exception, or 204 since the body is taken for empty."),
			server("refusal.media-type", must, refused("media-type", http.StatusUnsupportedMediaType,
				"POST sound JSON to presence as text/plain, and as a form."),
				"A Content-Type that is not supported is refused with 415 UnsupportedMediaType.",
				"400, or a server that does not look at Content-Type."),
			server("refusal.method-makeMeAvailable", must, refused("method-makeMeAvailable", http.StatusMethodNotAllowed,
				"GET the link that step 1 used."),
				"GET makeMeAvailable is refused with 405 MethodNotAllowed.",
				"404 from a router that knows the path for POST only."),
			server("refusal.method-presence", must,
				refused("method-presence", http.StatusMethodNotAllowed, "DELETE the presence link."),
				"DELETE presence is refused with 405 MethodNotAllowed.",
				"204 from a framework that maps every verb."),
			server("refusal.gone", must, refused(partGone, http.StatusNotFound,
				"DELETE the application, then GET it, and POST its presence."),
				"An application that was deleted is answered with 404 NotFound.",
				"A cache that still serves it, or 404 without a UCWA error."),
			server("refusal.no-token", must, refused(partNoToken, http.StatusUnauthorized,
				"GET the application, and POST the presence, without Authorization."),
				"A request without a token is refused with 401.",
				"A redirect to a sign-in page."),
			server("refusal.bad-token", must, refused(partBadToken, http.StatusUnauthorized,
				"GET the application, and POST the presence, with a made-up token."),
				"A request with a token that was never issued is refused with 401.",
				"500 from the decoder, or 403."),
			server("refusal.challenge", must,
				header("WWW-Authenticate", challengeThat(tokenChallenge, isTokenChallenge)).
					of("each 401", func(c *check) []answer { return c.refused(isUnauthorized) }),
				"A 401 carries a WWW-Authenticate challenge MsRtcOAuth with href and grant_type.",
				"A gateway that replaces the challenge by its own."),
			server("refusal.subcode", should, tracing(
				"Look at subcode of the refusals before makeMeAvailable, of a second one, of an "+
					"anonymous user, and of a deleted application; one that no document knows may be new.", saysWhy),
				"A refusal for which the API reference lists a subcode has one, and not that of another "+
					"refusal.",
				"A framework that answers with the status alone."),
			server("refusal.origin", must, refused(partOrigin, http.StatusForbidden,
				"GET the application, and POST the presence, with an X-Ms-Origin that cannot be registered, "+
					"below .invalid."),
				"A request whose X-Ms-Origin is not on the allow list is refused with 403.",
				"An allow list that is checked in the frame only, or not at all."),
			server("refusal.origin-diagnostics", must,
				header("X-Ms-Diagnostics", beText()).plays(partOrigin).unless(otherwise),
				"The refusal of an origin says why in X-Ms-diagnostics.",
				"A proxy that drops header fields that it does not know."),
			server("refusal.json", must,
				all(resourceBody(), errorMember("code", beText())).
					of("each 400, 404, 405, 409 and 415", func(c *check) []answer { return c.refused(answeredByUCWA) }),
				"An error that UCWA itself answers is a JSON object with code.",
				"A framework's own error page."),
			server("refusal.code", must,
				tracing("Compare code with the status of every JSON error.", namesStatus),
				"The code of a UCWA error names the HTTP status.",
				"One code for all errors, such as ServiceFailure."),
			server("refusal.parameters", must,
				errorMember("parameters", wants(onlyOfBadRequests)).of("each error of UCWA", (*check).errors),
				"A UCWA error names parameters only on 400, in a list.",
				"An error class that always writes all its fields."),
		}},
		{Clause: Clause{ID: "unchanged", Reference: "RFC 9110, sections 9.3.3 and 15.5: a status of 4xx says that the request was not fulfilled"}, Checks: []Check{
			server("refusal.unchanged", should, tracing(
				"GET presence after the refusals of an available user and compare availability with "+
					"the value set before them; and look in the first one for what was refused before "+
					"makeMeAvailable, if the note that was refused then is there too.", func(c *check) {
					c.storedEarly()
					c.readBack(myPresence, "", nil, true)
				}),
				"A request that is refused changes nothing; the presence that was set before is still read.",
				"Validation after storing, or a DELETE that is answered with 405 and done."),
		}},
		{Clause: Clause{ID: "refusals"}, Checks: []Check{
			server("reset.status", must, all(status(http.StatusNoContent), noContent()).plays(partReset).asked(
				"POST nothing to presence."),
				"A POST on presence with an empty body is answered with 204 and no content.",
				"400, since the body is no JSON, or 411."),
			server("reset.value", must, tracing(
				"GET presence after the accepted reset and compare with the value set before and the "+
					"value read before that.", (*check).fallsBack),
				"After a reset the presence is the computed one again, not the one that was set.",
				"A reset that is accepted and does nothing."),
		}},
	}}
}

func saysWhy(c *check) {
	judged := false
	var list []answer
	listed := map[string]bool{} // for any refusal
	for _, r := range roles().refusals() {
		list = append(list, c.optional(r.name)...)
		for _, subcode := range r.subcodes {
			listed[subcode] = true
		}
	}
	for _, a := range inOrderOf(list) {
		subcode, refusal := a.Error("subcode"), roleOf(a.Part)
		if a.Response.Code != refusal.status || a.Error("code").Absent {
			continue // of which others speak
		}
		if judged = true; subcode.Value == nil || subcode.Value == "" {
			subcode.Absent = true
		}
		if subcode.Absent && refusal.status == http.StatusBadRequest {
			continue // the reference lists none for the operation
		}
		c.Expect(subcode).To(stringThat(strings.Join(refusal.subcodes, " or ")+", or one that is new", func(s string) bool {
			return slices.Contains(refusal.subcodes, s) || !listed[s]
		}))
	}
	if !judged || len(c.looks) == 0 {
		c.notExercised("the evidence contains no refusal for which a subcode is listed")
	}
}

func namesStatus(c *check) {
	judged := false
	for _, a := range c.errors() {
		if !ucwa.HasCode(a.Response.Code) {
			continue // 401, for one, has no name among the codes
		}
		judged = true
		c.Expect(a.Error("code")).To(stringThat(fmt.Sprintf("the code that names %d", a.Response.Code),
			func(s string) bool { return ucwa.CodeStatus(s) == a.Response.Code }))
	}
	if !judged {
		c.notExercised("the evidence holds no UCWA error whose status has a code")
	}

}

// refused is the status of an answer to what a server must refuse.
func refused(part string, code int, how string) fields {
	return status(code).plays(part).asked(how).after(func(c *check) {
		if verdict, reason := c.blockedBy(part); reason != "" {
			c.stop(verdict, reason) // the answer may be for that reason
		}
	})
}

// challengeThat is a WWW-Authenticate of which one challenge is such, for what was asked for.
func challengeThat(expected string, fulfils func(c ucwa.Challenge, asked *url.URL) bool) wants {
	return func(_ *check, a answer) matcher {
		return matcher{expected: expected, matches: func(Field) bool {
			challenges := ucwa.ParseChallenges(cassettes.HeaderValues(a.Response.Headers, "WWW-Authenticate"))
			return slices.ContainsFunc(challenges, func(c ucwa.Challenge) bool { return fulfils(c, a.url) })
		}}
	}
}

const tokenChallenge = `MsRtcOAuth href="https://…",grant_type="…"`

func isUnauthorized(status int) bool { return status == http.StatusUnauthorized }

// onlyOfBadRequests is the parameters of an error, which only a 400 has.
func onlyOfBadRequests(_ *check, a answer) matcher {
	allowed, words := 0, "absent, or empty"
	if a.Response.Code == http.StatusBadRequest {
		allowed, words = math.MaxInt, "absent, or a list"
	}
	return matcher{expected: words, matches: func(f Field) bool {
		list, isList := f.Value.([]any)
		return f.Absent || f.Value == nil || isList && len(list) <= allowed
	}}
}

// refused returns the answers whose status is such an error.
func (c *check) refused(isSuch func(status int) bool) []answer {
	var list []answer
	for _, x := range c.Exchanges {
		if x.Failure == "" && !byItself(x) && !x.isPhoto() && isSuch(x.Response.Code) && (len(x.rels) > 0 || x.Part != "") && !x.is(relToken) && !x.is(relUser) && !x.is(relRoot) {
			list = append(list, answer{x, c})
		}
	}
	if len(list) == 0 {
		c.notExercised("the evidence holds no such error")
	}
	return list
}

// answeredByUCWA: with another status it may be an intermediary or IIS that speaks.
func answeredByUCWA(status int) bool {
	return slices.Contains([]int{400, 404, 405, 409, 415}, status)
}

// errors returns the answers that hold a UCWA error, whatever their status.
func (c *check) errors() []answer {
	list := c.refused(func(status int) bool { return status >= 400 })
	list = slices.DeleteFunc(list, func(a answer) bool { return a.Error("code").Absent })
	if len(list) == 0 {
		c.notExercised("the evidence holds no UCWA error")
	}
	return list
}

// isTokenChallenge: it tells where and how to get a token, and not over a
// weaker channel than the request's.
func isTokenChallenge(c ucwa.Challenge, asked *url.URL) bool {
	href, err := url.Parse(c.Params["href"])
	return strings.EqualFold(c.Scheme, "MsRtcOAuth") && c.Params["grant_type"] != "" &&
		err == nil && href.Host != "" && (href.Scheme == "https" || href.Scheme == asked.Scheme && href.Scheme == "http")
}

// fallsBack compares what is read after a reset with what was set before it.
func (c *check) fallsBack() {
	judged := false
	settings := c.settings(myPresence)
	for _, reset := range c.all(partReset) {
		c.success(reset, "set-presence.reset.status")
		var set *setting
		for i := range settings {
			if settings[i].ID < reset.ID {
				set = &settings[i]
			}
		}
		if set == nil || set.value == set.before {
			continue
		}
		for _, a := range c.reads(myPresence) {
			if a.ID < reset.ID || !c.Driven && (!c.isRead(myPresence, a.Exchange, reset.Exchange) || c.between(reset.ID, a.ID, partUnread) || c.changedUnseen(myPresence, reset.ID, a.ID)) ||
				slices.ContainsFunc(settings, func(s setting) bool { return s.ID > reset.ID && s.ID < a.ID }) {
				continue
			}
			read := a.JSON("availability")
			if read.Absent {
				c.blocked("set-presence.6.availability", a.Exchange)
			}
			if read.Value == set.value && !onlySet(set.value) {
				continue // perhaps it is what the server computes
			}
			judged = true
			c.Expect(read).To(satisfy("another value than "+set.value+", which was set before the reset",
				func(v any) bool { return v != set.value }))
			if !c.Driven {
				break // later somebody else may have set it
			}
		}
	}
	if !judged {
		c.notExercised("the evidence holds no GET on presence after the reset of a value that a server would not compute")
	}
}

// onlySet reports whether a presence is only ever set by people: the others a
// server computes from calendar and activity.
func onlySet(value string) bool {
	return value == string(ucwa.PreferBeRightBack) || value == string(ucwa.PreferDoNotDisturb)
}

// mistakes are refused of any request.
var mistakes = []struct {
	name string
	make func(*http.Request)
}{
	{partNoToken, func(r *http.Request) { r.Header.Del("Authorization") }},
	{partBadToken, func(r *http.Request) { r.Header.Set("Authorization", "Bearer cwt=nobody-handed-out-this-token") }},
	{partOrigin, func(r *http.Request) { r.Header.Set("X-Ms-Origin", "https://nobody.invalid") }},
}

// probeAnywhere asks for what is refused of any request.
func (s *session) probeAnywhere(application ucwa.Link) {
	for _, mistake := range mistakes {
		s.do(s.probe(mistake.name, mistake.make), http.MethodGet, application, nil)
	}
}

// probeParty asks for makeMeAvailable as another user, with every modality.
func (s *session) probeParty(name string, party *Party) {
	if party == nil {
		return
	}
	link, err := ucwa.Begin(party.Application)
	if err != nil {
		return
	}
	home := s.home
	defer func() { s.home = home }()
	s.home, _ = link.URL()
	as := func(probe string) *ucwa.Client {
		c := s.probe(probe, nil)
		c.Token, c.TokenSource = party.Token, nil
		return c
	}
	app := resource(s.do(as("setup"), http.MethodGet, link, nil))
	s.do(as(name), http.MethodPost, app.Embed("me").Link("makeMeAvailable"), map[string]any{"supportedModalities": ucwa.ModalityTypes()})
}
