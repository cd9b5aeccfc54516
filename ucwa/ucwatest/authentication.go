package ucwatest

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
)

const unauthorizedPage = `<!DOCTYPE html>
<html><head><title>401 - Unauthorized</title></head>
<body><h2>401 - Unauthorized: Access is denied due to invalid credentials.</h2></body></html>
`

// authenticate finds the user whose token the request carries.
func (s *Server) authenticate(r *http.Request) (*user, error) {
	given := r.Header.Values("Authorization")
	if len(given) == 1 {
		scheme, token, _ := strings.Cut(given[0], " ")
		if strings.EqualFold(scheme, "Bearer") {
			s.mu.RLock()
			u := s.tokens[strings.TrimSpace(token)]
			s.mu.RUnlock()
			if u != nil {
				return u, nil
			}
		}
	}
	return nil, s.unauthorized()
}

// unauthorized says where tokens are to be had, in two challenges as IIS sends
// them. The page is HTML: in a real deployment it is not UCWA that answers.
func (s *Server) unauthorized() *refusal {
	r := refuse(http.StatusUnauthorized, "", "No valid token was given.").
		with("WWW-Authenticate", `MsRtcOAuth href="https://`+s.host+`/WebTicket/oauthtoken",`+
			`grant_type="urn:microsoft.rtc:windows,urn:microsoft.rtc:anonmeeting,password"`).
		with("WWW-Authenticate", `Bearer trusted_issuers="", client_id="00000004-0000-0ff1-ce00-000000000000"`)
	r.html = true
	return r
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
