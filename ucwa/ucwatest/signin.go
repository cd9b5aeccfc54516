package ucwatest

import (
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Paths of the sign-in, taken in any casing. The first two are the same resource, and so are
// the two after them: links lead to the one, and the resource calls itself the other.
const (
	discoverPath = "/"
	rootPath     = "/Autodiscover/AutodiscoverService.svc/root"
	userPath     = rootPath + "/oauth/user"
	userSelfPath = rootPath + "/user"
	tokenPath    = "/WebTicket/oauthtoken"
)

// SignIn is how users get from a SIP address to the applications: Autodiscover at
// every host, the user resource, and the token endpoint. The zero value serves all of
// it at whatever host is asked. Its links are absolute, as the documentation prints them;
// below an application they are relative.
//
// In the documented topology Autodiscover's name is an alias: Users and Pool are one origin,
// and the root leads there whatever name it is asked by.
//
// One server stands for a whole deployment. Which host is meant is told by the Host
// header, so a deployment of three hosts is one server on one socket, with a client
// that dials that socket for every name. A token is good at the host that handed it
// out, and at no other; those of [Server.AddUser] are good everywhere.
//
// What the documentation leaves open and was decided here: the reasons behind the
// numbers in X-Ms-Diagnostics; that a parameter given twice is invalid_request, as
// RFC 6749 has it; that any scope is invalid_scope.
type SignIn struct {
	// Redirect is the origin to which Autodiscover sends clients on, by a redirect
	// link instead of a user link, such as "https://lyncdiscover.fabrikam.com".
	Redirect string

	// Users is the origin of the user resource, to which every root leads; Pool is the
	// origin of the applications, which no other host then serves. Empty: where the client is.
	Users, Pool string

	// Aliases are names of the server that stand for another of its names: where there is no
	// Users, the root that is asked at the one leads to the other, by the same scheme and port.
	Aliases map[string]string

	// Home is the origin of the pool on which the users are homed, if it is not that of Users.
	// The user resource at Users then sends them on, by a redirect link, to the root at Home,
	// where there are a user resource, tokens and applications of its own. Pool is not heeded.
	Home string

	// UsersRedirect is the origin of another user resource, to which the one at
	// Users sends clients on by an HTTP redirect, once they have a token.
	UsersRedirect string

	// SecureOnly redirects what asks Autodiscover over plain http to https.
	SecureOnly bool

	// TokenLife is how long tokens live; zero is 28,000 seconds. Those of
	// anonymous users live for an hour, or for that if it is less.
	TokenLife time.Duration

	// WrongHost500 answers a token of another host with 500, HTML and 28032, as
	// some deployments do, rather than with 403 and 28055.
	WrongHost500 bool

	// Meetings are those that may be joined without an account: conference keys
	// by conference URI.
	Meetings map[string]string

	// FrontEndUser names the header in which a front end says who the Windows
	// user is: an httpd that does NTLM or Kerberos before it passes a request on.
	// Clients could send the header too, so set it only where they reach the
	// server through such a front end alone. Empty: no grant
	// urn:microsoft.rtc:windows.
	FrontEndUser string

	// Passive is the URL where a person can sign in with a browser. Empty: no
	// grant urn:microsoft.rtc:passive.
	Passive string
}

func (i *SignIn) clone() *SignIn {
	c := *i
	c.Meetings, c.Aliases = maps.Clone(i.Meetings), maps.Clone(i.Aliases)
	if c.Home != "" {
		c.Pool = c.Home
	}
	if c.TokenLife <= 0 {
		c.TokenLife = 28000 * time.Second
	}
	return &c
}

// grants are the types that the challenge lists.
func (i *SignIn) grants() string {
	var list []string
	if i.FrontEndUser != "" {
		list = append(list, grantWindows)
	}
	if i.Meetings != nil {
		list = append(list, grantMeeting)
	}
	if i.Passive != "" {
		list = append(list, grantPassive)
	}
	return strings.Join(append(list, grantPassword), ",")
}

// serveSignIn answers what belongs to the sign-in, and tells whether it was that.
func (s *Server) serveSignIn(r *http.Request) (a answer, found bool, err error) {
	for _, resource := range []struct {
		paths  []string
		method string
		answer func(*http.Request) (answer, error)
	}{
		{[]string{discoverPath, rootPath}, http.MethodGet, s.getRoot},
		{[]string{userPath, userSelfPath}, http.MethodGet, s.getUser},
		{[]string{tokenPath}, http.MethodPost, s.postToken},
	} {
		if !slices.ContainsFunc(resource.paths, func(path string) bool { return strings.EqualFold(path, r.URL.Path) }) {
			continue
		}
		if err := s.admit(r); err != nil {
			return answer{}, true, err
		}
		switch r.Method {
		case resource.method:
		case http.MethodOptions:
			return options(methods{resource.method: nil}), true, nil
		case http.MethodHead:
			if resource.method == http.MethodGet { // clients fetch the challenge by it
				break
			}
			fallthrough
		default:
			return answer{}, true, methodNotAllowed(methods{resource.method: nil})
		}
		a, err := resource.answer(r)
		return a, true, err
	}
	return answer{}, false, nil
}

// base is the origin to which the links of a root lead.
func (s *Server) base(r *http.Request) string {
	home, alias := s.signIn.Home, s.signIn.Aliases[hostOf(r)]
	switch {
	case home != "" && at(r, home):
		return home
	case s.signIn.Users != "":
		return s.signIn.Users
	case alias != "":
		return strings.Replace(strings.ToLower(originOf(r)), hostOf(r), alias, 1)
	}
	return originOf(r)
}

// getRoot serves the root resource, to anyone.
func (s *Server) getRoot(r *http.Request) (answer, error) {
	if s.signIn.SecureOnly && r.TLS == nil {
		return redirectTo("https://" + hostOf(r) + r.URL.RequestURI()), nil
	}
	base, query := s.base(r), ""
	if domain := parameters(r.URL.Query()).Get("originaldomain"); domain != "" {
		query = "?" + url.Values{"originalDomain": {domain}}.Encode()
	}
	on := member{"user", href(base + userPath + query)}
	if to := s.signIn.Redirect; to != "" && !at(r, to) {
		base, on = originOf(r), member{"redirect", href(to + rootPath)}
	}
	return represent(r, "Root", object{{"self", href(base + rootPath + query)}, on, {"xframe", href(base + framePath)}})
}

// getUser serves the user resource, to those who have a token.
func (s *Server) getUser(r *http.Request) (answer, error) {
	to := s.signIn.UsersRedirect
	home := s.signIn.Home
	atHome := home != "" && at(r, home)
	last := to == "" || at(r, to)
	if !atHome && !at(r, s.signIn.Users) && (to == "" || !last) {
		return answer{}, notFound()
	}
	if _, err := s.authenticate(r); err != nil {
		return answer{}, err
	}
	here := originOf(r)
	self := member{"self", href(here + userSelfPath)}
	switch {
	case home != "" && !atHome:
		return represent(r, "User", object{self, {"redirect", href(home + rootPath)}})
	case !last:
		return redirectTo(to + userPath), nil
	}
	pool := s.signIn.Pool
	if pool == "" {
		pool = here
	}
	return represent(r, "User", object{self, {"applications", href(pool + root)}, {"xframe", href(here + framePath)}})
}

// Autodiscover's own media types. Lync's clients, which knew no other, are answered in XML
// that is not UCWA's. Source: [MS-OCDISCWS].
const discoverType = "application/vnd.microsoft.rtc.autodiscover+xml"

// tokens are the names of links in Autodiscover's XML.
var tokens = map[string]string{"self": "Self", "user": "OAuth", "xframe": "XFrame", "redirect": "Redirect", "applications": "Ucwa"}

// represent answers with the links of a root or a user resource.
func represent(r *http.Request, element string, links object) (answer, error) {
	a := ok(object{{"_links", links}})
	a.header = http.Header{"Expires": {"-1"}, "Pragma": {"no-cache"}}
	a.mediaType = choose(r.Header, append(slices.Clone(resourceTypes), discoverType))
	switch a.mediaType {
	case "":
		return answer{}, refuse(http.StatusNotAcceptable, "NotAcceptable", "Only JSON and XML are served.")
	case xmlType, discoverType:
		a.raw, a.content = discoverXML(element, links), nil
		if a.mediaType == discoverType {
			a.mediaType += ";v=1"
			return a, nil
		}
	}
	a.mediaType += utf8Charset
	return a, nil
}

func redirectTo(to string) answer {
	return answer{status: http.StatusFound, header: http.Header{"Location": {to}}}
}

// hostOf is the name by which the client knows the server, without the port.
func hostOf(r *http.Request) string {
	name := r.Host
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	return strings.ToLower(name)
}

// at tells whether the request was sent to the host of an origin. None is any.
func at(r *http.Request, origin string) bool {
	u, err := url.Parse(origin)
	return origin == "" || err == nil && strings.EqualFold(u.Hostname(), hostOf(r))
}
