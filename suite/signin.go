package suite

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// What exchanges show of the sign-in: where its roots, its user resources and its token endpoints are.

// The rels of what is asked before there is an application. Nobody serves a link to
// the first, and that to the last stands in a challenge.
const (
	relRoot  = "autodiscover"
	relUser  = "user"
	relToken = "oauthtoken"
)

// bearer is how a request carries a token.
var bearer = regexp.MustCompile(`^(?i:Bearer) cwt=\S+$`)

// rootPath is where the documentation has the root, if not at the host itself.
var rootPath = regexp.MustCompile(`(?i)/autodiscover/autodiscoverservice\.svc/root/?$`)

// findSignIn finds what was asked before there was an application: the Autodiscover
// roots, the user resources, and the token endpoints. It goes from answer to answer,
// since redirects and challenges lead on as links do.
func (e *Evidence) findSignIn() {
	e.signIn = map[string]string{}
	user, served := false, sync.OnceValue(e.usersServed)
	for _, x := range e.Exchanges {
		key := linkKey(x.url)
		get := x.Request.Method == http.MethodGet
		switch {
		case e.signIn[key] != "":
		case get && (isRoot(x.url) || x.servesRoot() || e.signedIn && !user && x.Probe == "" && applicationOf(x.url) == nil):
			e.signIn[key] = relRoot
		case x.asksForToken():
			e.signIn[key] = relToken
		}
		user = user || e.signIn[key] == relUser
		for rel, u := range x.leadsOn(e.signIn[key]) {
			if rel == relRoot && e.signIn[key] == relUser && served()[linkKey(u)] {
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

// usersServed are the URLs of which the evidence shows that they are user resources: by a challenge, or by the applications.
func (e *Evidence) usersServed() map[string]bool {
	served := map[string]bool{}
	for _, x := range e.Exchanges {
		object, _ := x.object()
		if _, applications := dig(object, "_links", "applications"); applications || issuerOf(x) != nil {
			served[linkKey(x.url)] = true
		}
	}
	return served
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

// knownGrants are the grant types that the documentation names.
var knownGrants = []string{ucwa.GrantWindows, ucwa.GrantAnonMeeting, ucwa.GrantPassive, ucwa.GrantPassword}

// isAuthorized reports whether a request had a token. A recorder may have taken that away, or masked it: then the answer shows it.
func (x *Exchange) isAuthorized() bool {
	return x.hasLinks() || bearer.MatchString(strings.Join(x.requestHeader("Authorization"), ""))
}

// hasLinks reports whether the answer is a resource.
func (x *Exchange) hasLinks() bool {
	object, err := x.object()
	return err == nil && x.succeeded() && object["_links"] != nil
}

func windowsLeg(x *Exchange) bool {
	return slices.ContainsFunc(ucwa.ParseChallenges(cassettes.HeaderValues(x.Response.Headers, "WWW-Authenticate")), func(c ucwa.Challenge) bool {
		return strings.EqualFold(c.Scheme, "NTLM") || strings.EqualFold(c.Scheme, "Negotiate")
	})
}

// errorOf returns the error of a token endpoint's answer.
func errorOf(x *Exchange) string {
	object, _ := x.object()
	text, _ := object["error"].(string)
	return text
}

// endpointOf returns the endpointId of a POST on applications.
func endpointOf(x *Exchange) string {
	object, _ := x.requestObject()
	value, _ := member(object, "endpointId")
	text, _ := value.(string)
	return text
}

// authorization returns the credentials of a request, its scheme written as the documentation writes it: schemes have no case.
func (x *Exchange) authorization() string {
	text := strings.Join(x.requestHeader("Authorization"), "")
	if token, ok := bearerIn(text); ok {
		return "Bearer " + token
	}
	return text
}

// bearerIn returns the token of credentials whose scheme, in any casing, is Bearer.
func bearerIn(credentials string) (token string, ok bool) {
	scheme, token, ok := strings.Cut(credentials, " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// isDiscovery reports whether u is asked before there is an application, and perhaps
// again: the client knows it from elsewhere.
func isDiscovery(u *url.URL) bool {
	return isApplications(u) || strings.Contains(lowerPath(u.Path), "/autodiscover/") || isRoot(u)
}
