package ucwatest

import "strings"

// Presence returns what others see of the user with that SIP address: an Availability,
// "" if there is no such user.
func (s *Server) Presence(uri string) string {
	u := s.account(func(u *user) bool { return u.isCalled(strings.TrimSpace(uri)) })
	if u == nil {
		return ""
	}
	s.state.Lock()
	defer s.state.Unlock()
	return u.presence().availability
}
