package ucwatest

import (
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Paths of the sign-in. The first two are the same resource.
const (
	discoverPath = "/"
	rootPath     = "/Autodiscover/AutodiscoverService.svc/root"
	userPath     = "/Autodiscover/AutodiscoverService.svc/root/oauth/user"
	tokenPath    = "/WebTicket/oauthtoken"
)

// SignIn is how users get from a SIP address to the applications: Autodiscover at
// every host, the user resource, and the token endpoint. The zero value serves all of
// it at whatever host is asked, with relative links.
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

	// Users is the origin of the user resource; Pool is the origin of the
	// applications, which no other host then serves. Empty: where the client is.
	Users, Pool string

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
	c.Meetings = maps.Clone(i.Meetings)
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
	only := func(method string, f func(*http.Request) (answer, error)) {
		found = true
		if err = s.admit(r); err != nil {
			return
		}
		if r.Method == method {
			a, err = f(r)
		} else {
			err = methodNotAllowed(methods{method: nil})
		}
	}
	switch r.URL.Path {
	case discoverPath, rootPath:
		only(http.MethodGet, s.getRoot)
	case userPath:
		only(http.MethodGet, s.getUser)
	case tokenPath:
		only(http.MethodPost, s.postToken)
	}
	return a, found, err
}

// getRoot serves the root resource, to anyone.
func (s *Server) getRoot(r *http.Request) (answer, error) {
	if s.signIn.SecureOnly && r.TLS == nil {
		return redirectTo("https://" + hostOf(r) + r.URL.RequestURI()), nil
	}
	links := object{{"self", href(rootPath)}}
	if to := s.signIn.Redirect; to != "" && !at(r, to) {
		links = append(links, member{"redirect", href(to + rootPath)})
	} else {
		links = append(links, member{"user", href(s.signIn.Users + userPath)})
	}
	return represent(r, object{{"_links", append(links, member{"xframe", href(framePath)})}})
}

// getUser serves the user resource, to those who have a token.
func (s *Server) getUser(r *http.Request) (answer, error) {
	to := s.signIn.UsersRedirect
	last := to == "" || at(r, to)
	if !at(r, s.signIn.Users) && (to == "" || !last) {
		return answer{}, notFound()
	}
	if _, err := s.authenticate(r); err != nil {
		return answer{}, err
	}
	if !last {
		return redirectTo(to + userPath), nil
	}
	return represent(r, object{{"_links", object{
		{"self", href(userPath)},
		{"applications", href(s.signIn.Pool + root)},
		{"xframe", href(framePath)},
	}}})
}

func represent(r *http.Request, content object) (answer, error) {
	mediaType := negotiate(r.Header)
	if mediaType == "" {
		return answer{}, refuse(http.StatusNotAcceptable, "NotAcceptable", "Only JSON and XML are served.")
	}
	a := ok(content)
	a.mediaType = mediaType + utf8Charset
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
