package ucwatest

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Person is an account as others see it.
type Person struct {
	Name, URI    string
	Availability string // an Availability
	Note         string
}

// Conversation is a conversation that goes on, or an online meeting.
type Conversation struct {
	Subject  string
	Meeting  bool
	Since    time.Time
	Messages int // ever sent in it
	People   []Participant
}

// Participant is an application in a conversation.
type Participant struct {
	Name   string
	State  string // a ConversationState: Incoming for one who is being invited
	Role   string // in a meeting: Leader or Attendee
	Typing bool
}

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

// Standing returns everybody who has an account, by SIP address, and the conversations that
// go on, the oldest first.
func (s *Server) Standing() (people []Person, conversations []Conversation) {
	s.state.Lock()
	defer s.state.Unlock()
	all := s.search(func(*user) bool { return true })
	sides := map[*session][]*conversation{}
	s.mu.RLock()
	for _, a := range s.applications {
		for _, v := range a.conversations {
			sides[v.session] = append(sides[v.session], v)
		}
	}
	s.mu.RUnlock()
	for _, u := range all {
		people = append(people, Person{u.Name, u.URI, u.presence().availability, u.message})
	}
	for talk, in := range sides {
		slices.SortFunc(in, func(a, b *conversation) int { return cmp.Compare(a.user().Name+a.id, b.user().Name+b.id) })
		c := Conversation{Subject: talk.subject, Meeting: talk.meeting != nil, Since: talk.created, Messages: talk.messages}
		for _, v := range in {
			c.People = append(c.People, Participant{v.user().Name, v.state, v.role, typing(v)})
		}
		conversations = append(conversations, c)
	}
	slices.SortFunc(conversations, func(a, b Conversation) int { return a.Since.Compare(b.Since) })
	return people, conversations
}
