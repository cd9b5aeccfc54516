package prove

import (
	"net/http"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// memory is what a proxy knows of the exchanges that passed: the role of each, and what rules want to remember.
type memory struct {
	follower suite.Follower
	mu       sync.Mutex
	counts   map[string]int    // of exchanges, by role
	notes    map[string]string // what rules want to remember
}

// maxCounts bounds the roles that are counted, of which a client can name some.
const maxCounts = 1000

// maxBody bounds a request, in bytes.
const maxBody = 1 << 20

// recorded is a request as the suite sees it.
func recorded(r *http.Request, sent []byte) cassettes.Exchange {
	u := *r.URL
	if u.Host == "" {
		u.Scheme, u.Host = "https", r.Host
	}
	x := new(cassettes.Interaction)
	x.Request.Method, x.Request.URL, x.Request.Host, x.Request.Headers, x.Request.Body = r.Method, u.String(), r.Host, r.Header.Clone(), string(sent)
	x.Request.ContentLength = int64(len(sent))
	return cassettes.Exchange{Interaction: x}
}

// follow finds the role of what is asked.
func (m *memory) follow(x *exchange, asked cassettes.Exchange) {
	x.part = m.follower.Role(asked)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counts == nil {
		m.counts, m.notes = map[string]int{}, map[string]string{}
	}
	if x.nth = 1; len(m.counts) < maxCounts || m.counts[x.part] > 0 {
		m.counts[x.part]++
		x.nth = m.counts[x.part]
	}
}

// learn learns from an answer, which may show another role than the request did.
func (m *memory) learn(x *exchange, asked cassettes.Exchange) {
	answered := *asked.Interaction
	answered.Response.Code, answered.Response.Headers, answered.Response.Body = x.status, x.header.Clone(), string(x.body)
	asked.Interaction = &answered
	x.part = m.follower.Role(asked)
	m.follower.Learn(asked, x.part)
}

// remember notes a value under a name, unless one is noted there, and returns
// what is noted.
func (m *memory) remember(name, value string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, noted := m.notes[name]; !noted {
		m.notes[name] = value
	}
	return m.notes[name]
}

// swap notes a value under a name and returns the one before, "" if there was none.
func (m *memory) swap(name, value string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.notes[name]
	m.notes[name] = value
	return before
}
