package ucwatest

import "strings"

// Presence returns what others see of the user with that SIP address: an Availability,
// "" if there is no such user.
func (s *Server) Presence(uri string) string {
	u := s.account(func(u *user) bool { return u.named(strings.TrimSpace(uri)) })
	if u == nil {
		return ""
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.presence().availability
}
