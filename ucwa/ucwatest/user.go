package ucwatest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// User is someone who has an account on the server, or who has joined a
// meeting without one.
type User struct {
	Name       string
	URI        string // "sip:dana@contoso.com"; the scheme may be left out
	Email      string
	Title      string
	Department string

	// Password is what the user signs in with, by URI, SIP address or Windows
	// name. Users without one get no token by the password grant.
	Password string

	// Windows is the user's name in Windows, as in `CONTOSO\dana` or
	// "dana@CONTOSO.COM", for the grant urn:microsoft.rtc:windows.
	Windows string

	// Anonymous users may create applications, but have neither presence nor
	// phones: makeMeAvailable answers 403 AnonymousNotAllowed.
	Anonymous bool

	Contacts []string // SIP URIs of those in the user's list, in its default group
	Groups   []Group  // further groups of the list

	// NoPhoto users have no photo, and are shown none.
	NoPhoto bool

	// Script makes the user somebody who is signed in without a client, and does with
	// invitations what the one of [Scripts] of that name says.
	Script string

	// Modalities are those that the deployment allows the user, by their
	// ModalityType names. Nil allows all; makeMeAvailable with another one
	// answers 403.
	Modalities []string
}

// user is a User with what belongs to the person rather than to one
// application.
type user struct {
	User
	server *Server
	cookie string // what the cookies of the user's applications are made from

	// What follows is guarded by the server's state: presence is made from all of the
	// user's applications, and a change of it is told to all of them.
	applications []*application // live ones, by age
	preferred    string         // set by POST presence; empty: computed
	shared       presence       // what was told last
	message      string         // of the note
	location     string
	phones       map[string]phone // by type
	forwarding   forwarding
	meetings     []*meeting // by age
	assigned     *meeting   // nil until somebody asks for it
	held         []*meeting // that somebody is in
	groups       []*group
	distribution []*Group              // those in the user's list
	privacy      map[string]string     // the PrivacyRelationshipLevel of contacts for whom one is set
	watchers     map[*application]bool // of others, that have subscribed to the user
	missed       int                   // conversations
	left         time.Time             // when the last application ended
	named        int                   // things, ever
	tokens       []string              // the first first; guarded by the server's lock, as its tokens are
}

// next names something that the user has. As with all that is issued, names are the same
// again where a session is to be repeatable.
func (u *user) next(kind string) string {
	u.named++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", u.cookie, kind, u.named))
	return fmt.Sprintf("%x", sum[:8])
}

// AddUser gives a user an account and returns a token for it, which requests
// carry as "Authorization: Bearer " + token. The same URI again, in any
// casing, yields a further token for the account that is there.
func (s *Server) AddUser(u User) (token string) {
	s.mu.Lock()
	account := s.add(u)
	token = s.token(ticket{user: account}, strings.ToLower(account.URI))
	s.mu.Unlock()
	s.do(func() {
		account.signIn()
		account.awaited()
	})
	return token
}

// add finds the account of a user, or opens one. The server's lock must be held.
func (s *Server) add(u User) *user {
	if !strings.HasPrefix(strings.ToLower(u.URI), "sip:") {
		u.URI = "sip:" + u.URI
	}
	u.Modalities = slices.Clone(u.Modalities)
	key := strings.ToLower(u.URI)
	account := s.users[key]
	if account == nil {
		account = &user{User: u, server: s, cookie: s.secret("cookie " + key), shared: offline, groups: newGroups(&u)}
		s.users[key] = account
	}
	return account
}

// maxTokens bounds the tokens that one user has at a time: whoever asks for more loses
// the first of them, as if it had expired.
const maxTokens = 4096

// token makes a token. The server's lock must be held.
func (s *Server) token(t ticket, purpose string) string {
	token := "cwt=" + s.secret(fmt.Sprintf("token %d %s", s.issued, purpose))
	s.issued++
	s.tokens[token] = t
	if t.user.tokens = append(t.user.tokens, token); len(t.user.tokens) > maxTokens {
		delete(s.tokens, t.user.tokens[0])
		t.user.tokens = t.user.tokens[1:]
	}
	return token
}

// account finds a user by what somebody calls himself; nil if it is nobody.
func (s *Server) account(is func(*user) bool) *user {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, u := range s.users {
		if is(u) {
			return u
		}
	}
	return nil
}

// secret is random, unless the session is to be repeatable: then it is made
// from what it is for. All that a real server issues begins like this.
func (s *Server) secret(purpose string) string {
	if s.ids == nil {
		return "AAEB" + rand.Text() + rand.Text()
	}
	return "AAEB" + digest(purpose)
}

func digest(of string) string {
	sum := sha256.Sum256([]byte(of))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// guid is a name in the form of a GUID, made from what it is for.
func guid(of string) string {
	sum := sha256.Sum256([]byte(of))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// card is the user as properties of a resource.
func (u *user) card() object {
	properties := object{{"name", u.Name}, {"uri", u.URI}}
	if u.Email != "" {
		properties = append(properties, member{"emailAddresses", []string{u.Email}})
	}
	if u.Title != "" {
		properties = append(properties, member{"title", u.Title})
	}
	if u.Department != "" {
		properties = append(properties, member{"department", u.Department})
	}
	return properties
}

// address is the user's e-mail address or, for want of one, SIP address: it is
// what photos are named for.
func (u *user) address() string {
	if u.Email != "" {
		return u.Email
	}
	return u.URI[len("sip:"):]
}
