package ucwatest

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"
)

const unauthorizedPage = `<!DOCTYPE html>
<html><head><title>401 - Unauthorized</title></head>
<body><h2>401 - Unauthorized: Access is denied due to invalid credentials.</h2></body></html>
`

const serverErrorPage = `<!DOCTYPE html>
<html><head><title>500 - Internal server error.</title></head>
<body><h2>500 - Internal server error.</h2></body></html>
`

// ticket is what a token stands for.
type ticket struct {
	user    *user
	host    string    // that takes it; empty: any
	expires time.Time // zero: never
}

// authenticate finds the user whose token the request carries.
func (s *Server) authenticate(r *http.Request) (*user, error) {
	given := r.Header.Values("Authorization")
	if len(given) == 1 {
		scheme, token, _ := strings.Cut(given[0], " ")
		if strings.EqualFold(scheme, "Bearer") {
			s.mu.RLock()
			t := s.tokens[strings.TrimSpace(token)]
			s.mu.RUnlock()
			switch {
			case t.user == nil || !t.expires.IsZero() && !s.clock.Now().Before(t.expires):
			case t.host != "" && t.host != hostOf(r):
				return nil, s.anotherHost()
			default:
				return t.user, nil
			}
		}
	}
	return nil, s.unauthorized(r)
}

// unauthorized says where tokens are to be had, in two challenges as IIS sends
// them. The page is HTML: in a real deployment it is not UCWA that answers.
func (s *Server) unauthorized(request *http.Request) *refusal {
	origin, grants := "https://"+s.host, "urn:microsoft.rtc:windows,urn:microsoft.rtc:anonmeeting,password"
	if s.signIn != nil && request != nil {
		// The host that challenges is the one that hands out its tokens.
		origin, grants = originOf(request), s.signIn.grants()
	}
	r := refuse(http.StatusUnauthorized, "", "No valid token was given.").
		with("WWW-Authenticate", `Bearer trusted_issuers="", client_id="00000004-0000-0ff1-ce00-000000000000"`).
		with("WWW-Authenticate", `MsRtcOAuth href="`+origin+tokenPath+`",grant_type="`+grants+`"`)
	r.page = unauthorizedPage
	return r
}

// anotherHost refuses a token that another host of the deployment handed out.
func (s *Server) anotherHost() *refusal {
	if s.signIn != nil && s.signIn.WrongHost500 {
		r := refuse(http.StatusInternalServerError, "", "").
			with("X-Ms-Diagnostics", `28032;source="`+s.host+`";reason="The web ticket is invalid."`)
		r.page = serverErrorPage
		return r
	}
	return refuse(http.StatusForbidden, "", "The token is for another host.").
		with("X-Ms-Diagnostics", `28055;source="`+s.host+`";reason="The OAuth token is not valid for this host."`)
}

// photoCookie tells whether the request carries the application's cookie. It
// exists because an img element cannot send an Authorization header, and so is
// good for the photos alone.
func photoCookie(r *http.Request, a *application) bool {
	c, err := r.Cookie(cookieName)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(a.cookie)) == 1
}

// admit refuses a page of an origin that the administrator has not listed. Only
// a cross-domain browser application says where it comes from; whoever does not
// say is no browser and is not asked.
func (s *Server) admit(r *http.Request) error {
	for _, origin := range r.Header.Values("X-Ms-Origin") {
		listed := slices.ContainsFunc(s.origins, func(o string) bool { return strings.EqualFold(o, origin) })
		if !listed {
			return refuse(http.StatusForbidden, "", "The origin is not on the allow list.").
				with("X-Ms-Diagnostics", `28070;source="`+s.host+
					`";reason="Service does not allow a cross domain request from this origin."`)
		}
	}
	return nil
}

// originOf is the origin at which a request arrived.
func originOf(r *http.Request) string {
	if r.TLS == nil {
		return "http://" + r.Host
	}
	return "https://" + r.Host
}
