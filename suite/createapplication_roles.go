package suite

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// partChallenge is the role of the request that is answered with where tokens are to be had.
const partChallenge = "challenge"

// partAgain is the role of one that creates an application which there is.
const partAgain = "create-again"

// signInRoles are the roles of what is asked before there is an application, and of what creates it.
func signInRoles() []role {
	token := func(name string) role {
		return role{name: name, rel: relToken, is: by((*state).tokenRequest, name), after: partChallenge, ready: challenges, status: http.StatusBadRequest, mistake: bySituation}
	}
	creation := func(name string) role {
		return role{name: name, rel: "applications", method: http.MethodPost, is: by((*state).creation, name), after: partUser, ready: offersApplications}
	}
	refused := func(name string, mistake func(*state, *Exchange) bool) role {
		r := creation(name)
		r.is, r.status, r.mistake = notByItself, http.StatusUnauthorized, mistake
		return r
	}
	given, create, again, invalid, elsewhere := token(partToken), creation(partCreate), creation(partAgain), token("grant-invalid"), refused(partElsewhere, elsewhereToken)
	given.title, given.status, given.mistake = "POST on a token endpoint", http.StatusOK, nil
	create.title, create.status, create.holds, create.once = "POST that created the application", http.StatusCreated, "application", true
	create.then = func(s *state, x *Exchange) { s.seen = s.seen || x.succeeded() && hasLink(x, "makeMeAvailable") }
	again.title, again.after, again.ready, again.mistake = "POST on applications with an existing endpointId", partCreate, sound, bySituation
	invalid.mistake = wrongPassword
	elsewhere.status, elsewhere.needs = 0, "--foreign-token"
	return []role{
		given, token("grant-missing"), token("grant-unsupported"), invalid,
		{name: partChallenge, title: "GET on the user resource without a token", rel: relUser, method: http.MethodGet, once: true, status: http.StatusUnauthorized,
			is:    func(_ *state, x *Exchange) bool { return x.Response.Code/100 != 3 && !x.isAuthorized() },
			after: partRoot, ready: offersUser},
		{name: partUser, title: "GET on the user resource with a token", rel: relUser, method: http.MethodGet, status: http.StatusOK,
			is:    func(_ *state, x *Exchange) bool { return x.Response.Code/100 != 3 },
			after: partToken, ready: givesToken},
		{name: partRoot, title: "GET on an Autodiscover root", rel: relRoot, method: http.MethodGet, status: http.StatusOK,
			is: func(s *state, x *Exchange) bool { return x == s.foundRoot() }},
		create, again, creation("create refused"),
		refused(partCreateNoToken, withoutToken), elsewhere,
		refused(partCreateBadToken, func(s *state, x *Exchange) bool { return isCreation(x) && unaccepted("Authorization")(s, x) }),
	}
}

// foundRoot finds the root once.
func (s *state) foundRoot() *Exchange {
	if !s.rooted {
		s.root, s.rooted = s.e.findRoot(), true
	}
	return s.root
}

// findRoot returns the root that the client went on with; if it could not go on with any,
// the first that was a success, or the last that answered.
func (e *Evidence) findRoot() *Exchange {
	var first, last *Exchange // first: a success
	for _, x := range e.Exchanges {
		if !x.is(relRoot) || x.Probe != "" || x.Response.Code == 0 || x.Response.Code/100 == 3 {
			continue
		}
		last = x
		if first == nil && x.succeeded() {
			first = x
		}
		if object, err := x.object(); err == nil && x.succeeded() {
			if _, leads := dig(object, "_links", "user"); leads {
				return x
			}
		}
	}
	return cmp.Or(first, last)
}

// tokenRequest says what a request on the token endpoint is.
func (s *state) tokenRequest(x *Exchange) string {
	_, err := x.form()
	grant, takenOut := s.e.grantOf(x)
	switch {
	case x.Response.Code == http.StatusUnauthorized && windowsLeg(x) && !s.e.gaveUp(x):
		return "" // on the way: NTLM and Negotiate take several requests
	case !s.e.Driven && (x.Request.Method != http.MethodPost || s.e.astray(x) || !isForm(x)):
		return "" // the client's mistake, which says nothing of the server
	case err != nil || x.Request.Body == "" || takenOut:
		return partToken
	case grant == "":
		return "grant-missing"
	case !slices.Contains(knownGrants, grant):
		return "grant-unsupported"
	case x.Response.Code == http.StatusBadRequest && errorOf(x) == "invalid_grant" && strings.Contains(x.Response.Body, "ms_rtc_passiveauthuri"):
		return "" // a person has to sign in first
	case !s.e.Driven && x.Response.Code == http.StatusBadRequest && errorOf(x) == "invalid_grant":
		return "grant-invalid"
	case !s.e.Driven && x.Response.Code == http.StatusBadRequest:
		return "" // nobody can tell what the server misses
	}
	return partToken
}

// astray reports whether a token was asked for elsewhere than a challenge said, where
// there was one.
func (e *Evidence) astray(x *Exchange) bool {
	return len(e.index.challenges) > 0 && !slices.ContainsFunc(e.index.challenges, func(c challenge) bool { return linkKey(c.url) == linkKey(x.url) })
}

func isForm(x *Exchange) bool {
	media, _, _ := strings.Cut(strings.Join(x.requestHeader("Content-Type"), ""), ";")
	media = strings.TrimSpace(media)
	return media == "" || strings.EqualFold(media, "application/x-www-form-urlencoded")
}

// gaveUp: after this answer the driver did not ask that endpoint any more. What it had
// to show for itself was refused, and no leg of a handshake.
func (e *Evidence) gaveUp(x *Exchange) bool {
	return e.Driven && x.Probe == "" && !slices.ContainsFunc(e.Exchanges, func(later *Exchange) bool {
		return later.ID > x.ID && later.Request.Method == http.MethodPost && linkKey(later.url) == linkKey(x.url)
	})
}

// creation says what a POST on applications is.
func (s *state) creation(x *Exchange) string {
	id := endpointOf(x)
	again := id != "" && slices.ContainsFunc(s.e.parts[partCreate], func(y *Exchange) bool {
		return y.succeeded() && strings.EqualFold(endpointOf(y), id) && ucwa.Origin(y.url) == ucwa.Origin(x.url)
	})
	switch {
	case again:
		return partAgain
	case !s.e.Driven && x.Response.Code/100 == 4 && (mistakenCreation(x) || !s.e.servedAs("applications", x.url) && s.e.serves("applications")):
		return "create refused" // for what the client did wrong
	}
	if created := createdBy(x); created != nil && s.e.application != nil && linkKey(created) != linkKey(s.e.application) {
		return "" // another one
	}
	return partCreate
}

// mistakenCreation reports whether the body of a POST on applications lacks what it
// must have.
func mistakenCreation(x *Exchange) bool {
	object, err := x.requestObject()
	media := strings.Join(x.requestHeader("Content-Type"), "")
	if isXMLMedia(media) && err != nil {
		return false // nobody knows
	}
	if err != nil || !isJSONMedia(media) && !isXMLMedia(media) {
		return true
	}
	for _, property := range creation {
		value, _ := member(object, property.name)
		if text, _ := value.(string); !property.form(text) {
			return true
		}
	}
	return false
}

// creation is what a client says of itself when it creates an application.
var creation = []property{
	{"userAgent", "a string of 1 to 100 characters that is not blank", isName},
	{"endpointId", "a string of 1 to 100 characters that is not blank", isName},
	{"culture", "a language tag of at most 100 characters", func(s string) bool { return isName(s) && languageTag.MatchString(s) }},
}

type property struct {
	name, expected string
	form           func(string) bool
}

// isName tells what can stand for a client: the API reference allows each at most 100 characters.
func isName(s string) bool { return strings.TrimSpace(s) != "" && utf8.RuneCountInString(s) <= 100 }

// servedAs reports whether a link of that rel leads to u.
func (e *Evidence) servedAs(rel string, u *url.URL) bool {
	return slices.Contains(e.relsAt[linkKey(u)], rel)
}

// The probes of the sign-in: what each must be, to be the mistake that it is marked as.
func isCreation(x *Exchange) bool { return x.Request.Method == http.MethodPost }

func withoutToken(s *state, x *Exchange) bool {
	return isCreation(x) && len(x.requestHeader("Authorization")) == 0
}

func elsewhereToken(s *state, x *Exchange) bool {
	origin := s.e.issuedAt(bearerOf(x.Exchange))
	return isCreation(x) && origin != "" && origin != ucwa.Origin(x.url)
}

func wrongPassword(_ *state, x *Exchange) bool {
	form, err := x.form()
	return err == nil && (x.Response.Code != http.StatusUnauthorized || !windowsLeg(x)) && form.Get("grant_type") == ucwa.GrantPassword
}
