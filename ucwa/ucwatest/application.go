package ucwatest

import (
	"crypto/rand"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"time"
)

const (
	cookieName = "cwt_ucwa"

	// maxApplications bounds what one user can make the server keep. The
	// documentation has the subcode, TooManyApplications, but no number.
	maxApplications = 1000
)

// application is one client of one user. Source: API reference, application.
type application struct {
	server     *Server
	user       *user // what changes below is guarded by the server's state
	id         string
	culture    string
	userAgent  string
	endpointID string // in lower case
	cookie     string

	scripted  bool          // it has no client
	available *availability // nil before makeMeAvailable
	active    time.Time     // when the user last did something, once available
	ended     bool
	channel   channel

	subscriptions []*subscription // to the presence of others
	stopContacts  func()          // the end of the subscription to contacts and groups; nil: there is none
	conversations []*conversation // by age
	keeps         int             // bytes of messages that can be looked at
	invitations   []*invitation   // those that go on, and those that have just ended
}

// CreateApplication does what a POST on the applications resource does, for
// tests that begin where an application is at hand. It returns the
// application's href.
func (s *Server) CreateApplication(token, userAgent, culture, endpointID string) (href string, err error) {
	s.mu.RLock()
	u := s.tokens[token].user
	s.mu.RUnlock()
	if u == nil {
		return "", s.unauthorized(nil)
	}
	body, err := json.Marshal(map[string]string{"userAgent": userAgent, "culture": culture, "endpointId": endpointID})
	if err != nil {
		return "", err
	}
	c := &call{server: s, user: u, row: applications, method: http.MethodPost}
	if c.fields, err = parseFields(body); err != nil {
		return "", err
	}
	a, err := c.run(createApplication)
	if err != nil {
		return "", err
	}
	return a.header.Get("Location"), nil
}

// Applications is how many applications are live.
func (s *Server) Applications() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.applications)
}

func (s *Server) application(id string) *application {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.applications[id]
}

// createApplication answers 201, or 200 to an endpoint that has an application
// already: the client gets that one back, as it was created.
func createApplication(c *call) (answer, error) {
	a, created, err := c.user.create(c.fields.text("userAgent"), c.fields.text("culture"), c.fields.text("endpointId"))
	if err != nil {
		return answer{}, err
	}
	answer := a.answer()
	answer.header.Set("Location", a.href(""))
	if created {
		answer.status = http.StatusCreated
	}
	return answer, nil
}

func getApplication(c *call) (answer, error) { return c.app.answer(), nil }

func deleteApplication(c *call) (answer, error) {
	c.app.end()
	return noContent(), nil
}

// answer serves the application, and with it the cookie that opens its photos
// and nothing else.
func (a *application) answer() answer {
	answer := ok(a.resource())
	answer.header = http.Header{"Set-Cookie": {cookieName + "=" + a.cookie + "; path=" + a.href("/photos") + "; secure; HttpOnly"}}
	return answer
}

func (a *application) resource() object {
	return resource("application",
		object{{"culture", a.culture}, {"userAgent", a.userAgent}},
		object{
			{"self", a.link("")},
			{"policies", a.link("/policies")},
			{"batch", a.link("/batch")},
			{"events", href(a.eventsHref(a.channel.ack))},
			{"reportMyNetwork", a.link("/reportMyNetwork")},
		},
		object{
			{"me", a.me()},
			{"people", a.people()},
			{"onlineMeetings", a.onlineMeetings()},
			{"communication", a.communication()},
		})
}

// href is where something below the application is: relative, so that it holds
// under whatever name the client has for the server.
func (a *application) href(path string) string { return root + "/" + a.id + path }

func (a *application) link(path string) object { return href(a.href(path)) }

// create returns the endpoint's application, or a new one.
func (u *user) create(userAgent, culture, endpointID string) (a *application, created bool, err error) {
	endpointID = strings.ToLower(endpointID)
	for _, a := range u.applications {
		if a.endpointID == endpointID {
			return a, false, nil
		}
	}
	if len(u.applications) >= maxApplications {
		return nil, false, refuse(http.StatusGone, "TooManyApplications", "The user has too many applications.")
	}
	a = &application{server: u.server, user: u, culture: culture, userAgent: userAgent, endpointID: endpointID}
	a.channel = channel{ack: 1}
	if err := u.server.register(a); err != nil {
		return nil, false, err
	}
	a.cookie = "AAEB" + digest(u.cookie+a.id)
	u.applications = append(u.applications, a)
	a.hear()
	return a, true, nil
}

// register names an application and makes it known.
func (s *Server) register(a *application) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range 1000 { // a Config.IDs that has run out must not hang the server
		id := randomID()
		if s.ids != nil {
			id = s.ids()
		}
		if _, taken := s.applications[id]; !taken && id != "" {
			a.id = id
			s.applications[id] = a
			return nil
		}
	}
	return refuse(http.StatusInternalServerError, "", "There are no names left for applications.")
}

func randomID() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1e12-1e10))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return n.Add(n, big.NewInt(1e10)).String() // 11 or 12 digits
}

// end takes the application away, tells the GET that it may have pending, and
// tells the user's other applications if the presence is another without it.
func (a *application) end() {
	a.ended = true
	if a.channel.held != nil {
		a.release(outcome{err: applicationNotFound()})
	}
	if a.channel.stopAlarm != nil {
		a.channel.stopAlarm()
	}
	a.forget()
	a.user.applications = without(a.user.applications, a)
	if a.available != nil {
		a.user.left = a.server.clock.Now()
		a.user.tellWatchers("contactSupportedModalities")
	}
	a.server.mu.Lock()
	delete(a.server.applications, a.id)
	a.server.mu.Unlock()
	a.user.settle()
}

// postReportMyNetwork takes what a client says of its network, for which nothing here asks.
func postReportMyNetwork(*call) (answer, error) { return answer{status: http.StatusCreated}, nil }

// forget ends what does not outlast the client's silence: subscriptions and conversations.
func (a *application) forget() {
	for len(a.subscriptions) > 0 {
		a.unsubscribe(a.subscriptions[0])
	}
	a.endContacts()
	for len(a.conversations) > 0 {
		a.conversations[0].leave("Ended")
	}
}

// hear notes that the client has shown itself on the event channel, the only
// sign of life that counts, and gives the application another lease.
func (a *application) hear() {
	a.channel.heard = a.server.clock.Now()
	a.renew()
}

// renew sets the application's one alarm, for whatever is due first.
func (a *application) renew() {
	if a.scripted {
		return // it goes on by itself
	}
	if a.channel.stopAlarm != nil {
		a.channel.stopAlarm()
	}
	now := a.server.clock.Now()
	next := a.channel.heard.Add(a.server.expiry)
	if a.channel.held != nil && !next.After(now) {
		next = now.Add(a.server.expiry)
	}
	if idle, more := a.nextIdle(); more && idle.Before(next) {
		next = idle
	}
	a.channel.stopAlarm = a.server.later(next.Sub(now), a.due)
}

// due ends the application if it has not been heard of for too long, and else looks
// who is idle.
func (a *application) due() {
	switch {
	case a.channel.held == nil && !a.server.clock.Now().Before(a.channel.heard.Add(a.server.expiry)):
		a.end()
	default:
		a.renew()
		a.user.settle()
	}
}
