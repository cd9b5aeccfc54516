package ucwatest

import "fmt"

// Kept counts what the server keeps, for tests that have it go on for long.
func Kept(s *Server) string {
	s.state.Lock()
	defer s.state.Unlock()
	conversations, invitations, messages, subscriptions, waiting, watchers, meetings := 0, 0, 0, 0, 0, 0, 0
	for _, u := range s.users {
		watchers += len(u.watchers)
		meetings += len(u.meetings) + len(u.held)
		for _, a := range u.applications {
			conversations += len(a.conversations)
			invitations += len(a.invitations)
			subscriptions += len(a.subscriptions)
			waiting += len(a.channel.waiting) + len(a.channel.latest)
			for _, v := range a.conversations {
				messages += len(v.kept)
			}
		}
	}
	alarms := 0
	if c, is := s.clock.(*ManualClock); is {
		c.mu.Lock()
		alarms = len(c.alarms)
		c.mu.Unlock()
	}
	return fmt.Sprint(conversations, " conversations, ", invitations, " invitations, ", messages, " messages, ", subscriptions, " subscriptions, ", waiting, " events, ",
		watchers, " watchers, ", meetings, " meetings, ", alarms, " alarms")
}

// KeptText is how many bytes of messages the server keeps to be looked at.
func KeptText(s *Server) (n int) {
	s.state.Lock()
	defer s.state.Unlock()
	for _, a := range s.applications {
		for _, v := range a.conversations {
			for _, m := range v.kept {
				n += len(m.data)
			}
		}
	}
	return n
}
