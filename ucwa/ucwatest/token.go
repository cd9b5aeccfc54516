package ucwatest

import (
	"crypto/subtle"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Grant types.
const (
	grantPassword = "password"
	grantWindows  = "urn:microsoft.rtc:windows"
	grantMeeting  = "urn:microsoft.rtc:anonmeeting"
	grantPassive  = "urn:microsoft.rtc:passive"
)

// guestLife is how long the token of an anonymous user lives.
const guestLife = time.Hour

// tokenRefusal is an error of the token endpoint (RFC 6749, 5.2).
type tokenRefusal struct{ code, diagnostics, passive string }

func (e *tokenRefusal) Error() string { return e.code }

// postToken hands out a token for the host that is asked.
func (s *Server) postToken(r *http.Request) (answer, error) {
	body, err := readBody(r)
	if err != nil {
		return answer{}, err
	}
	form, refused := readForm(r.Header, body)
	if refused == nil {
		grant := form.Get("grant_type")
		if grant == grantWindows && s.signIn.FrontEndUser != "" && r.Header.Get(s.signIn.FrontEndUser) == "" {
			return answer{}, s.unauthorized(r) // the front end has let somebody through unasked
		}
		var u *user
		if u, refused = s.grant(r, grant, form); refused == nil {
			return s.issue(r, u), nil
		}
	}
	content := object{{"error", refused.code}}
	if refused.passive != "" {
		content = append(content, member{"ms_rtc_passiveauthuri", refused.passive})
	}
	return answer{status: http.StatusBadRequest, mediaType: jsonType + utf8Charset, content: content, header: http.Header{
		"Cache-Control":    {"no-store"},
		"X-Ms-Diagnostics": {strings.Replace(refused.diagnostics, ";", `;source="`+s.host+`";`, 1)},
	}}, nil
}

func readForm(h http.Header, body []byte) (url.Values, *tokenRefusal) {
	bad := &tokenRefusal{code: "invalid_request", diagnostics: `28000;reason="The request is malformed."`}
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return nil, bad
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, bad
	}
	for _, values := range form {
		if len(values) > 1 {
			return nil, bad
		}
	}
	if form.Get("grant_type") == "" {
		return nil, bad
	}
	if form.Get("scope") != "" {
		return nil, &tokenRefusal{code: "invalid_scope", diagnostics: `28000;reason="The scope is unknown."`}
	}
	return form, nil
}

// grant finds out whose token is asked for.
func (s *Server) grant(r *http.Request, grant string, form url.Values) (*user, *tokenRefusal) {
	incomplete := &tokenRefusal{code: "invalid_request", diagnostics: `28000;reason="A parameter is missing."`}
	wrong := &tokenRefusal{code: "invalid_grant", diagnostics: `28020;reason="No valid security token."`}
	switch {
	case grant == grantPassword:
		name, password := form.Get("username"), form.Get("password")
		if name == "" || password == "" {
			return nil, incomplete
		}
		u := s.account(func(u *user) bool {
			return u.Password != "" && (u.isCalled(name) || u.Windows != "" && strings.EqualFold(u.Windows, name))
		})
		if u == nil || subtle.ConstantTimeCompare([]byte(u.Password), []byte(password)) != 1 {
			return nil, wrong
		}
		return u, nil
	case grant == grantWindows && s.signIn.FrontEndUser != "":
		name := r.Header.Get(s.signIn.FrontEndUser)
		u := s.account(func(u *user) bool { return u.Windows != "" && strings.EqualFold(u.Windows, name) })
		if u == nil {
			return nil, wrong
		}
		return u, nil
	case grant == grantMeeting && s.signIn.Meetings != nil:
		return s.guest(r, form, incomplete, wrong)
	case grant == grantPassive && s.signIn.Passive != "":
		return nil, &tokenRefusal{code: "invalid_grant", passive: s.signIn.Passive,
			diagnostics: `28020;reason="Passive authentication is needed."`}
	}
	return nil, &tokenRefusal{code: "unsupported_grant_type", diagnostics: `28000;reason="The grant type is not supported."`}
}

// guest finds the anonymous user who renews a token, or makes one who joins.
func (s *Server) guest(r *http.Request, form url.Values, incomplete, wrong *tokenRefusal) (*user, *tokenRefusal) {
	if old := form.Get("ms_rtc_renew"); old != "" {
		s.mu.RLock()
		t := s.tokens[old]
		s.mu.RUnlock()
		if t.user == nil || !t.user.Anonymous || t.host != hostOf(r) || !s.clock.Now().Before(t.expires) {
			return nil, wrong
		}
		return t.user, nil
	}
	uri, key := form.Get("ms_rtc_conferenceuri"), form.Get("password")
	if uri == "" || key == "" {
		return nil, incomplete
	}
	want, there := s.signIn.Meetings[uri]
	if !there || subtle.ConstantTimeCompare([]byte(want), []byte(key)) != 1 {
		return nil, wrong
	}
	_, domain, _ := strings.Cut(strings.SplitN(uri, ";", 2)[0], "@")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued++ // or two who join at once would be one
	return s.add(User{Name: "Guest", URI: fmt.Sprintf("sip:guest%d@%s", s.issued, domain), Anonymous: true}), nil
}

// isCalled tells whether the user has that SIP address, with the scheme or without.
func (u *user) isCalled(name string) bool {
	return strings.EqualFold(u.URI, name) || strings.EqualFold(u.URI, "sip:"+name)
}

// issue hands out a token for the user at the host that was asked.
func (s *Server) issue(r *http.Request, u *user) answer {
	life := s.signIn.TokenLife
	if u.Anonymous {
		life = min(life, guestLife)
	}
	host := hostOf(r)
	s.mu.Lock()
	s.expire()
	token := s.token(ticket{user: u, host: host, expires: s.clock.Now().Add(life)}, u.URI+" "+host)
	s.mu.Unlock()
	return answer{
		status:    http.StatusOK,
		mediaType: jsonType + utf8Charset,
		header:    http.Header{"Cache-Control": {"no-store"}},
		content: object{
			{"access_token", token},
			{"expires_in", int(life.Seconds())},
			{"ms_rtc_identityscope", "local"},
			{"token_type", "Bearer"},
		},
	}
}

// expire forgets the tokens that have expired. The server's lock must be held.
func (s *Server) expire() {
	now := s.clock.Now()
	maps.DeleteFunc(s.tokens, func(_ string, t ticket) bool { return !t.expires.IsZero() && !now.Before(t.expires) })
}
