package suite

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// The roles that exchanges play in "Create an application".
const (
	partRoot      = "autodiscover"
	partChallenge = "challenge"
	partToken     = "token"
	partUser      = "user"
	partCreate    = "create"
	partAgain     = "create-again"
)

// The rels of what is asked before there is an application. Nobody serves a link to
// the first, and that to the last stands in a challenge.
const (
	relRoot  = "autodiscover"
	relUser  = "user"
	relToken = "oauthtoken"
)

// rootPath is where the documentation has the root, if not at the host itself.
var rootPath = regexp.MustCompile(`(?i)/autodiscover/autodiscoverservice\.svc/root/?$`)

// findSignIn finds what was asked before there was an application: the Autodiscover
// roots, the user resources, and the token endpoints. It goes from answer to answer,
// since redirects and challenges lead on as links do.
func (e *Evidence) findSignIn() {
	e.signIn = map[string]string{}
	user := false
	for _, x := range e.Exchanges {
		key := linkKey(x.url)
		get := x.Request.Method == http.MethodGet
		switch {
		case e.signIn[key] != "":
		case get && (isRoot(x.url) || x.servesRoot() || e.signedIn && !user && x.Probe == ""):
			e.signIn[key] = relRoot
		case x.asksForToken():
			e.signIn[key] = relToken
		}
		user = user || e.signIn[key] == relUser
		for rel, u := range x.leadsOn(e.signIn[key]) {
			if rel == relRoot && e.signIn[key] == relUser && e.servesUser(u) {
				rel = relUser
			}
			if e.signIn[linkKey(u)] == "" {
				e.signIn[linkKey(u)] = rel
			}
		}
		if issuer := issuerOf(x); issuer != nil {
			e.signIn[linkKey(issuer.url)] = relToken
		}
	}
}

// servesUser reports whether what the evidence shows of u is a user resource: a challenge, or the applications.
func (e *Evidence) servesUser(u *url.URL) bool {
	key := linkKey(u)
	return slices.ContainsFunc(e.Exchanges, func(x *Exchange) bool {
		object, _ := x.object()
		_, applications := dig(object, "_links", "applications")
		return linkKey(x.url) == key && (applications || issuerOf(x) != nil)
	})
}

func isRoot(u *url.URL) bool {
	return rootPath.MatchString(u.Path) || strings.HasPrefix(strings.ToLower(u.Host), "lyncdiscover") && strings.Trim(u.Path, "/") == ""
}

// servesRoot reports whether x asked a host itself, whatever its name, and was answered
// with an Autodiscover root: links to itself, to the user and to the frame.
func (x *Exchange) servesRoot() bool {
	if strings.Trim(x.url.Path, "/") != "" || !x.succeeded() {
		return false
	}
	object, _ := x.object()
	return !slices.ContainsFunc([]string{"self", "user", "xframe"}, func(rel string) bool {
		_, there := dig(object, "_links", rel, "href")
		return !there
	})
}

// leadsOn returns where the answer of a root, or of a user resource, leads. A redirect link leads to the root
// of the home pool, from either ([MS-OCDISCWS] 2.2.5.5).
func (x *Exchange) leadsOn(rel string) map[string]*url.URL {
	if rel != relRoot && rel != relUser || x.Failure != "" {
		return nil
	}
	to := map[string]*url.URL{}
	note := func(rel string, href string) {
		if u, err := ucwa.Resolve(x.url, href); err == nil {
			to[rel] = u
		}
	}
	if x.Response.Code/100 == 3 {
		note(rel, strings.Join(cassettes.HeaderValues(x.Response.Headers, "Location"), ""))
		return to
	}
	object, err := x.object()
	if err != nil || !x.succeeded() {
		return nil
	}
	links := map[string]string{"redirect": relRoot}
	if rel == relRoot {
		links["user"] = relUser
	}
	for name, rel := range links {
		href, _ := dig(object, "_links", name, "href")
		text, _ := href.(string)
		note(rel, text)
	}
	return to
}

// issuer is what a challenge tells: where tokens are to be had, and by which grants.
type issuer struct {
	url    *url.URL
	grants []string
}

// issuerOf reads the MsRtcOAuth challenge of an answer, nil if there is none.
func issuerOf(x *Exchange) *issuer {
	for _, c := range ucwa.ParseChallenges(cassettes.HeaderValues(x.Response.Headers, "WWW-Authenticate")) {
		if !strings.EqualFold(c.Scheme, "MsRtcOAuth") {
			continue
		}
		if u, err := ucwa.Resolve(x.url, c.Params["href"]); err == nil {
			return &issuer{u, grantList(c.Params["grant_type"])}
		}
	}
	return nil
}

func grantList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == ' ' })
}

// asksForToken reports whether x looks like a request for a token, wherever it is sent.
func (x *Exchange) asksForToken() bool {
	if x.Request.Method != http.MethodPost || !strings.Contains(x.Request.Body, "grant_type=") {
		return false
	}
	form, err := x.form()
	return err == nil && form.Get("grant_type") != ""
}

// form reads the body of a request as a form.
func (x *Exchange) form() (url.Values, error) { return url.ParseQuery(x.Request.Body) }

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
	given, create, again, invalid, elsewhere := token(partToken), creation(partCreate), creation(partAgain), token("grant-invalid"), refused("create-elsewhere", elsewhereToken)
	given.title, given.status, given.mistake = "POST on a token endpoint", http.StatusOK, nil
	create.title, create.status, create.holds, create.once = "POST that created the application", http.StatusCreated, "application", true
	create.then = func(s *state, x *Exchange) { s.seen = s.seen || x.succeeded() && hasLink(x, "makeMeAvailable") }
	again.title, again.after, again.ready, again.mistake = "POST with the endpointId of an application that there is", partCreate, sound, bySituation
	invalid.mistake = wrongPassword
	elsewhere.status, elsewhere.needs = 0, "--foreign-token, Target.ForeignToken"
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
		refused("create-no-token", withoutToken), elsewhere,
		refused("create-bad-token", func(s *state, x *Exchange) bool { return isCreation(x) && unaccepted("Authorization")(s, x) }),
	}
}

// isAuthorized reports whether a request had a token. A recorder may have taken that away, or masked it: then the answer shows it.
func (x *Exchange) isAuthorized() bool {
	return x.hasLinks() || bearer.MatchString(strings.Join(x.requestHeader("Authorization"), ""))
}

// hasLinks reports whether the answer is a resource.
func (x *Exchange) hasLinks() bool {
	object, err := x.object()
	return err == nil && x.succeeded() && object["_links"] != nil
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

// knownGrants are the grant types that the documentation names.
var knownGrants = []string{ucwa.GrantWindows, ucwa.GrantAnonMeeting, ucwa.GrantPassive, ucwa.GrantPassword}

func windowsLeg(x *Exchange) bool {
	return slices.ContainsFunc(ucwa.ParseChallenges(cassettes.HeaderValues(x.Response.Headers, "WWW-Authenticate")), func(c ucwa.Challenge) bool {
		return strings.EqualFold(c.Scheme, "NTLM") || strings.EqualFold(c.Scheme, "Negotiate")
	})
}

// gaveUp: after this answer the driver did not ask that endpoint any more. What it had
// to show for itself was refused, and no leg of a handshake.
func (e *Evidence) gaveUp(x *Exchange) bool {
	return e.Driven && x.Probe == "" && !slices.ContainsFunc(e.Exchanges, func(later *Exchange) bool {
		return later.ID > x.ID && later.Request.Method == http.MethodPost && linkKey(later.url) == linkKey(x.url)
	})
}

// errorOf returns the error of a token endpoint's answer.
func errorOf(x *Exchange) string {
	object, _ := x.object()
	text, _ := object["error"].(string)
	return text
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
	if err != nil || !isJSONMedia(media) {
		return !isXMLMedia(media)
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

// endpointOf returns the endpointId of a POST on applications.
func endpointOf(x *Exchange) string {
	object, _ := x.requestObject()
	value, _ := member(object, "endpointId")
	text, _ := value.(string)
	return text
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
