package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// journal keeps what clients did, each client apart. A client is a user with an
// application, or one who tried to sign in and did not come so far.
//
// What belongs to whom is told by the token and by the application in the path. What is
// asked without either, on the way to a token, belongs to the token that is asked for
// next by the same program: on the same connection, or else from the same address by the
// same User-Agent.
type journal struct {
	limits journalLimits
	users  map[string]string // by token: those that were handed out beforehand

	mu       sync.Mutex
	number   int // of the last exchange
	bytes    int // of all that is kept of clients
	waiting  int // bytes in the lobbies
	signIns  map[signInKey]*signIn
	tokens   map[string]*signIn
	visitors map[visitor]*lobby
	order    []visitor // oldest first
	clients  []*client // in the order in which they appeared
	byID     map[string]*client
	refused  int // clients that came when there were too many
}

// journalLimits bound what is kept of clients that never end, or never end to come.
type journalLimits struct {
	clients   int
	exchanges int // of a client
	bytes     int // of a client
	all       int // bytes, together
	visitors  int
	lobby     int // exchanges of a visitor without a token
	waiting   int // bytes of these, of all visitors
	word      int // bytes of one
}

// usualLimits: 500 clients is what one judgement takes without pain.
var usualLimits = journalLimits{clients: 500, exchanges: 2000, bytes: 4 << 20, all: 256 << 20, visitors: 200, lobby: 2000, waiting: 32 << 20, word: 8 << 10}

// visitor is a program on a machine.
type visitor struct{ address, agent string }

type signInKey struct {
	visitor
	user string
}

// lobby holds what a visitor asked without a token.
type lobby struct {
	waiting []kept
	claimed map[string]claimed // the last of each kind that a sign-in took
	seen    int
}

type claimed struct {
	kept
	by *client
}

// kept is an exchange in the journal.
type kept struct {
	cassettes.Exchange
	connection string
	stale      bool // an attempt began after it, perhaps of another client
	lent       bool // to a client on another connection, which may not be whose it is
}

// kind tells apart what is asked on the way to a token.
func (k kept) kind() string {
	return fmt.Sprint(k.Request.Method, " ", k.Request.URL, " ", k.Response.Code)
}

// root reports whether an exchange begins an attempt to sign in.
func (k kept) root() bool {
	path := strings.ToLower(pathOf(k))
	return k.Request.Method == http.MethodGet && (strings.Trim(path, "/") == "" || strings.HasSuffix(path, "/root"))
}

// signIn is a user's way to applications, by one program.
type signIn struct {
	visitor   visitor
	user      string          // SIP address, or what stands in its place
	client    *client         // that it leads to now, nil before the first
	attempted map[string]bool // token endpoints that were asked for this client
}

// client is one client.
type client struct {
	Number    int
	User      string
	Agent     string
	ID        string // of the application, "" if it has none
	Ended     bool
	visitor   visitor
	exchanges []kept
	bytes     int
	dropped   int
	changed   int // grows with every exchange
}

func newJournal(limits journalLimits) *journal {
	return &journal{limits: limits, users: map[string]string{}, signIns: map[signInKey]*signIn{}, tokens: map[string]*signIn{},
		visitors: map[visitor]*lobby{}, byID: map[string]*client{}}
}

// keep files an exchange, and returns its number and the client whose it is, nil if that
// is not known yet.
func (j *journal) keep(x cassettes.Exchange, user func(form url.Values) string) (int, *client) {
	address, _, err := net.SplitHostPort(x.Request.RemoteAddr)
	if err != nil {
		address = x.Request.RemoteAddr
	}
	who := visitor{address, strings.Join(x.Request.Headers["User-Agent"], " ")}
	k := kept{Exchange: x, connection: x.Request.RemoteAddr}
	x.Request.RemoteAddr = ""

	j.mu.Lock()
	defer j.mu.Unlock()
	j.number++
	k.ID = j.number
	return j.number, j.file(who, k, user)
}

func (j *journal) file(who visitor, k kept, user func(form url.Values) string) *client {
	s := j.bearer(who, k.Request.Headers)
	id, below := applicationIn(pathOf(k))
	ok, post := k.Response.Code/100 == 2, k.Request.Method == http.MethodPost
	if c := j.byID[id]; c != nil && (s == nil || s.user == c.User) { // else it is somebody else's
		j.addTo(c, k)
		c.Ended = c.Ended || k.Request.Method == http.MethodDelete && below == "" && ok
		return c
	}
	switch {
	case id == "" && post && strings.Contains(k.Request.Body, "grant_type="):
		form, _ := url.ParseQuery(k.Request.Body) // as far as it can be read
		return j.attempt(who, k, user(form))
	case s == nil:
		j.wait(who, k)
		return nil
	case ok && id == "" && post && createdIn(k.Exchange) != "":
		return j.create(s, createdIn(k.Exchange), k)
	case ok && id != "": // created where nobody saw it
		return j.create(s, id, k)
	}
	if s.client == nil {
		s.client = j.newClient(s, "")
	}
	j.addTo(s.client, k)
	return s.client
}

// bearer finds the sign-in whose token a request carries, in whatever form.
func (j *journal) bearer(who visitor, h http.Header) *signIn {
	words := strings.Fields(strings.Join(h["Authorization"], " "))
	if len(words) == 0 {
		return nil
	}
	token := words[len(words)-1]
	if !strings.HasPrefix(token, tokenKind) {
		token = tokenKind + token
	}
	if s := j.tokens[token]; s != nil {
		return s
	}
	if user := j.users[token]; user != "" {
		s := j.signIn(who, user)
		j.rememberToken(token, s)
		return s
	}
	return nil
}

// tokenKind is how the tokens of UCWA begin.
const tokenKind = "cwt="

// rememberToken bounds the tokens: those of one who asks for ever more are not known.
func (j *journal) rememberToken(token string, s *signIn) {
	if token != "" && len(j.tokens) < 20*j.limits.clients {
		j.tokens[token] = s
	}
}

func (j *journal) signIn(who visitor, user string) *signIn {
	key := signInKey{who, user}
	s := j.signIns[key]
	if s == nil {
		s = &signIn{visitor: who, user: user, attempted: map[string]bool{}}
		if len(j.signIns) < 4*j.limits.clients {
			j.signIns[key] = s
		}
	}
	return s
}

// attempt files a request for a token, with what led to it. The same token endpoint
// again, after what begins a sign-in, is the next run of the program: another client. So
// is one that begins at a root when the application of the last run has ended.
func (j *journal) attempt(who visitor, k kept, user string) *client {
	s := j.signIn(who, user)
	endpoint := strings.ToLower(k.Request.URL)
	again := s.attempted[endpoint] || s.client != nil && s.client.Ended
	led := j.claim(s, k, again)
	next := slices.ContainsFunc(led, kept.root)
	if s.client != nil && s.client.ID != "" && !s.client.Ended {
		next = len(led) > 0
	}
	if s.client == nil || again && next {
		s.client = j.newClient(s, "")
		clear(s.attempted)
	}
	if len(s.attempted) < 100 {
		s.attempted[endpoint] = true
	}
	j.rememberToken(issuedIn(k.Exchange), s)
	l := j.visitors[who]
	for _, earlier := range led {
		j.addTo(s.client, earlier)
		if l != nil {
			l.claimed[earlier.kind()] = claimed{earlier, s.client}
		}
	}
	j.addTo(s.client, k)
	return s.client
}

// wait puts an exchange into the lobby of a visitor.
func (j *journal) wait(who visitor, k kept) {
	l := j.visitors[who]
	if l == nil {
		if len(j.order) >= j.limits.visitors {
			j.leave(j.visitors[j.order[0]], 0, len(j.visitors[j.order[0]].waiting))
			delete(j.visitors, j.order[0])
			j.order = j.order[1:]
		}
		l = &lobby{claimed: map[string]claimed{}}
		j.visitors[who], j.order = l, append(j.order, who)
	}
	l.seen++
	if k.root() && len(l.waiting) > 0 && !l.waiting[len(l.waiting)-1].root() {
		for i := range l.waiting {
			l.waiting[i].stale = true
		}
	}
	n := size(k.Exchange)
	if n > j.limits.word { // nobody says so much without a token
		return
	}
	if len(l.waiting) >= j.limits.lobby || j.waiting+n > j.limits.waiting {
		j.leave(l, 0, min(1, len(l.waiting)))
	}
	if j.waiting+n <= j.limits.waiting {
		l.waiting = append(l.waiting, k)
		j.waiting += n
	}
}

// leave takes the exchanges from i to before end out of a lobby.
func (j *journal) leave(l *lobby, i, end int) {
	for _, k := range l.waiting[i:end] {
		j.waiting -= size(k.Exchange)
	}
	l.waiting = slices.Delete(l.waiting, i, end)
}

// claim takes from the lobby what led to a request for a token: what came on the same
// connection; what this visitor asked on others, one of a kind, unless the client has
// that kind already and is just asking another host; and, where that is missing, since
// several clients of one program sign in at once and cannot be told apart, what one of
// them asked. What came on another connection is lent: who asks for a token on that one
// finds it there.
func (j *journal) claim(s *signIn, token kept, again bool) []kept {
	l := j.visitors[s.visitor]
	if l == nil {
		return nil
	}
	has := map[string]bool{}
	if s.client != nil && !again {
		for _, k := range s.client.exchanges {
			has[k.kind()] = true
		}
	}
	var led []kept
	take := func(wanted func(k kept) bool) {
		for i := len(l.waiting) - 1; i >= 0; i-- {
			k := l.waiting[i]
			if !wanted(k) {
				continue
			}
			led, has[k.kind()] = append(led, k), true
			if l.waiting[i].lent = true; k.connection == token.connection {
				j.leave(l, i, i+1)
			}
		}
	}
	take(func(k kept) bool { return k.connection == token.connection })
	take(func(k kept) bool { return !k.stale && !k.lent && !has[k.kind()] })
	take(func(k kept) bool {
		return k.stale && !k.lent && !has[k.kind()] && k.Request.Method == http.MethodGet && !again && s.client == nil
	})
	for kind, c := range l.claimed {
		if !has[kind] && c.Request.Method == http.MethodGet && c.by != nil && c.by.ID == "" && c.by.User != s.user {
			led = append(led, c.kept)
		}
	}
	return led
}

// create gives a client its application.
func (j *journal) create(s *signIn, id string, k kept) *client {
	c := j.byID[id]
	switch {
	case s.client != nil && s.client.ID == "" && (c == nil || c.User == s.user):
		if c != nil { // an earlier run left it, and this one came for it by its endpointId
			c.Ended = true
		}
		c = s.client
		c.ID = id
	case c != nil:
	default: // a further application, by the same sign-in
		if c = j.newClient(s, id); c != nil && s.client != nil {
			for _, earlier := range s.client.exchanges {
				if other, _ := applicationIn(pathOf(earlier)); other == "" && createdIn(earlier.Exchange) == "" {
					j.addTo(c, earlier)
				}
			}
		}
	}
	if c != nil && (j.byID[id] != nil || len(j.byID) < 10*j.limits.clients) {
		j.byID[id] = c
	}
	s.client = c
	j.addTo(c, k)
	return c
}

func (j *journal) newClient(s *signIn, id string) *client {
	if len(j.clients) >= j.limits.clients {
		j.refused++
		return nil
	}
	c := &client{Number: len(j.clients) + 1, User: s.user, Agent: s.visitor.agent, ID: id, visitor: s.visitor}
	j.clients = append(j.clients, c)
	return c
}

// addTo files an exchange of a client. The first ones are kept: a gap among them would
// hide where links come from.
func (j *journal) addTo(c *client, k kept) {
	if c == nil { // one too many
		return
	}
	n := size(k.Exchange)
	if c.dropped > 0 || len(c.exchanges) >= j.limits.exchanges || c.bytes+n > j.limits.bytes || j.bytes+n > j.limits.all {
		c.dropped++
		return
	}
	c.exchanges = append(c.exchanges, k)
	c.bytes += n
	j.bytes += n
	c.changed++
}

// strangers are those who asked for something and never for a token.
func (j *journal) strangers() map[visitor]int {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := map[visitor]int{}
	for who, l := range j.visitors {
		if !slices.ContainsFunc(j.clients, func(c *client) bool { return c.visitor == who }) {
			list[who] = l.seen
		}
	}
	return list
}

// state is a client as it is now.
type state struct {
	client
	exchanges []cassettes.Exchange
}

// list returns the clients as they are now, without their exchanges.
func (j *journal) list() []*client {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.clients)
}

// state returns a client as it is now.
func (j *journal) state(c *client) state {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := state{client: *c}
	for _, k := range c.exchanges {
		s.exchanges = append(s.exchanges, k.Exchange)
	}
	slices.SortStableFunc(s.exchanges, func(a, b cassettes.Exchange) int { return cmp.Compare(a.ID, b.ID) })
	s.exchanges = slices.CompactFunc(s.exchanges, func(a, b cassettes.Exchange) bool { return a.ID == b.ID })
	return s
}

// count returns how many exchanges there were.
func (j *journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.number
}

// size is about what an exchange takes in memory.
func size(x cassettes.Exchange) int {
	n := 1000 + len(x.Request.URL) + 2*len(x.Request.Body) + len(x.Response.Body) + len(x.Failure)
	for _, h := range []http.Header{x.Request.Headers, x.Response.Headers} {
		for name, values := range h {
			n += 50 + len(name)
			for _, value := range values {
				n += 20 + len(value)
			}
		}
	}
	return n
}

// applicationIn returns the id of the application that a path names, and the path below it.
func applicationIn(path string) (id, below string) {
	segments := strings.Split(path, "/")
	at := slices.IndexFunc(segments, func(s string) bool { return strings.EqualFold(s, "applications") })
	if at < 0 || at+1 == len(segments) {
		return "", ""
	}
	return segments[at+1], strings.Join(segments[at+2:], "/")
}

func pathOf(k kept) string {
	u, err := url.Parse(k.Request.URL)
	if err != nil {
		return ""
	}
	return u.Path
}

// createdIn returns the id of the application that an answer to a POST tells of, "" if
// it tells of none.
func createdIn(x cassettes.Exchange) string {
	if x.Request.Method != http.MethodPost {
		return ""
	}
	if id, _ := applicationIn(x.Response.Headers.Get("Location")); id != "" {
		return id
	}
	var resource struct {
		Rel   string `json:"rel"`
		Links struct {
			Self struct {
				Href string `json:"href"`
			} `json:"self"`
		} `json:"_links"`
	}
	if json.Unmarshal(plainBody(x), &resource) != nil || resource.Rel != "application" {
		return ""
	}
	id, _ := applicationIn(resource.Links.Self.Href)
	return id
}

// issuedIn returns the token in an answer, "" if it holds none.
func issuedIn(x cassettes.Exchange) string {
	var answer struct {
		Token string `json:"access_token"`
	}
	if !strings.Contains(x.Request.Body, "grant_type") || json.Unmarshal(plainBody(x), &answer) != nil {
		return ""
	}
	return answer.Token
}

// plainBody is the body of an answer, which the server may have compressed.
func plainBody(x cassettes.Exchange) []byte {
	body := []byte(x.Response.Body)
	if !strings.EqualFold(x.Response.Headers.Get("Content-Encoding"), "gzip") {
		return body
	}
	unzip, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body
	}
	plain, err := io.ReadAll(io.LimitReader(unzip, ucwa.MaxBody))
	if err != nil {
		return body
	}
	return plain
}
