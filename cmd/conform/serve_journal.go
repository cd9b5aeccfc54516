package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
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
// application, or one who signed in and did not come so far.
//
// What belongs to whom is told by the token and by the application in the path. What is
// asked without either, on the way to a token, belongs to the token that is issued next
// to the same program: on the same connection, or else from the same address by the same
// User-Agent.
type journal struct {
	limits journalLimits
	users  map[string]string // by token: those that were handed out beforehand

	mu       sync.Mutex
	number   int // of the last exchange
	bytes    int // of all that is kept
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
	lobby     int // exchanges of a visitor that has no token
}

// usualLimits: 500 clients is what one judgement takes without pain.
var usualLimits = journalLimits{clients: 500, exchanges: 2000, bytes: 4 << 20, all: 256 << 20, visitors: 1000, lobby: 64}

// visitor is a program on a machine.
type visitor struct{ address, agent string }

type signInKey struct {
	visitor
	user string
}

// lobby holds what a visitor asked without a token.
type lobby struct {
	waiting []kept
	claimed []kept  // lately, by a sign-in that is still on its way
	by      *signIn // which
	seen    int
}

// kept is an exchange in the journal.
type kept struct {
	cassettes.Exchange
	connection string
}

// signIn is a user's way to applications, one after the other.
type signIn struct {
	visitor visitor
	user    string // SIP address, or what stands in its place
	current []kept // what was asked since the last application was created
	issued  bool   // in that time a token was handed out
	last    *client
}

// client is one client.
type client struct {
	Number    int
	User      string
	Agent     string
	ID        string // of the application, "" if it has none
	Ended     bool
	exchanges []kept
	bytes     int
	dropped   int
	changed   int // grows with every exchange
	signIn    *signIn
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
	k := kept{x, x.Request.RemoteAddr}
	x.Request.RemoteAddr = ""
	u, err := url.Parse(x.Request.URL)
	if err != nil {
		u = &url.URL{}
	}

	j.mu.Lock()
	defer j.mu.Unlock()
	j.number++
	k.ID = j.number
	s := j.bearer(who, x.Request.Headers)
	id, below := applicationIn(u.Path)
	ok := x.Response.Code/100 == 2
	switch {
	case x.Request.Method == http.MethodPost && ok && issuedIn(x) != "":
		s = j.signIn(who, user(x.Request.Form))
		j.rememberToken(issuedIn(x), s)
		j.claim(s, k)
		s.issued = true
		j.add(&s.current, k)
	case s != nil && x.Request.Method == http.MethodPost && ok && id == "" && createdIn(x) != "":
		return j.number, j.create(s, createdIn(x), k)
	case id != "":
		c := j.byID[id]
		if c == nil || s != nil && s.user != c.User { // somebody else's, or nobody's
			return j.number, j.astray(s, who, k)
		}
		j.addTo(c, k)
		c.Ended = c.Ended || x.Request.Method == http.MethodDelete && below == "" && ok
		return j.number, c
	default:
		return j.number, j.astray(s, who, k)
	}
	return j.number, nil
}

// astray files what belongs to no application: to the sign-in whose token it carries, or
// to the lobby.
func (j *journal) astray(s *signIn, who visitor, k kept) *client {
	if s == nil {
		j.wait(who, k)
		return nil
	}
	if s.last != nil && !s.issued { // not on the way to another application
		j.addTo(s.last, k)
		return s.last
	}
	j.add(&s.current, k)
	return nil
}

// bearer finds the sign-in whose token a request carries.
func (j *journal) bearer(who visitor, h http.Header) *signIn {
	_, token, _ := strings.Cut(strings.Join(h["Authorization"], " "), " ")
	token = strings.TrimSpace(token)
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

// rememberToken bounds the tokens: who asks for one again and again is forgotten.
func (j *journal) rememberToken(token string, s *signIn) {
	if len(j.tokens) < 20*j.limits.clients {
		j.tokens[token] = s
	}
}

func (j *journal) signIn(who visitor, user string) *signIn {
	key := signInKey{who, user}
	s := j.signIns[key]
	if s == nil {
		s = &signIn{visitor: who, user: user}
		if len(j.signIns) < 4*j.limits.clients {
			j.signIns[key] = s
		}
	}
	return s
}

// wait puts an exchange into the lobby of a visitor.
func (j *journal) wait(who visitor, k kept) {
	l := j.visitors[who]
	if l == nil {
		if len(j.order) >= j.limits.visitors {
			delete(j.visitors, j.order[0])
			j.order = j.order[1:]
		}
		l = &lobby{}
		j.visitors[who], j.order = l, append(j.order, who)
	}
	l.seen++
	if size(k.Exchange) > j.limits.bytes/64 { // nobody says so much without a token
		return
	}
	if len(l.waiting) >= j.limits.lobby {
		l.waiting = l.waiting[1:]
	}
	l.waiting = append(l.waiting, k)
}

// claim gives a sign-in what was asked on the way to a token. Several that run at once
// and open a connection for every request cannot be told apart: they share it.
func (j *journal) claim(s *signIn, token kept) {
	l := j.visitors[s.visitor]
	if l == nil {
		return
	}
	mine := func(k kept) bool { return k.connection == token.connection }
	if !slices.ContainsFunc(l.waiting, mine) {
		mine = func(kept) bool { return true }
	}
	var claimed, rest []kept
	for _, k := range l.waiting {
		if mine(k) {
			claimed = append(claimed, k)
		} else {
			rest = append(rest, k)
		}
	}
	l.waiting = rest
	if len(claimed) == 0 && l.by != nil && l.by != s && l.by.last == nil {
		claimed = l.claimed
	} else {
		l.claimed, l.by = claimed, s
	}
	for _, k := range claimed {
		j.add(&s.current, k)
	}
}

// add files an exchange of a sign-in.
func (j *journal) add(list *[]kept, k kept) {
	if len(*list) < j.limits.exchanges/4 && j.bytes+size(k.Exchange) <= j.limits.all {
		*list = append(*list, k)
		j.bytes += size(k.Exchange)
	}
}

// create makes a client of an application, or finds the one that has it.
func (j *journal) create(s *signIn, id string, k kept) *client {
	c := j.byID[id]
	if c == nil {
		if c = j.newClient(s, id); c == nil {
			return nil
		}
		j.byID[id] = c
	}
	for _, earlier := range s.current {
		j.bytes -= size(earlier.Exchange) // counted anew
		j.addTo(c, earlier)
	}
	if !s.issued && s.last != nil && s.last != c { // the sign-in of the application before served for this one, too
		for _, earlier := range s.last.exchanges {
			if earliest, _ := applicationIn(pathOf(earlier)); earliest == "" && createdIn(earlier.Exchange) == "" {
				j.addTo(c, earlier)
			}
		}
	}
	s.current, s.issued, s.last = nil, false, c
	if l := j.visitors[s.visitor]; l != nil { // the answers to its first tries, without a token
		var rest []kept
		for _, w := range l.waiting {
			if w.connection == k.connection {
				j.addTo(c, w)
			} else {
				rest = append(rest, w)
			}
		}
		l.waiting = rest
	}
	j.addTo(c, k)
	return c
}

func (j *journal) newClient(s *signIn, id string) *client {
	if len(j.clients) >= j.limits.clients {
		j.refused++
		return nil
	}
	c := &client{Number: len(j.clients) + 1, User: s.user, Agent: s.visitor.agent, ID: id, signIn: s}
	j.clients = append(j.clients, c)
	return c
}

// addTo files an exchange of a client. The first ones are kept: a gap among them would
// hide where links come from.
func (j *journal) addTo(c *client, k kept) {
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

// close makes clients of those who signed in and have no application to show for it.
func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	var open []*signIn
	for _, s := range j.signIns {
		if len(s.current) > 0 {
			open = append(open, s)
		}
	}
	slices.SortFunc(open, func(a, b *signIn) int { return cmp.Compare(a.current[0].ID, b.current[0].ID) })
	for _, s := range open {
		c := s.last
		if c == nil || s.issued {
			if c = j.newClient(s, ""); c == nil {
				continue
			}
		}
		for _, k := range s.current {
			j.bytes -= size(k.Exchange)
			j.addTo(c, k)
		}
		s.current, s.last = nil, c
	}
}

// strangers are those who asked for something and never got a token.
func (j *journal) strangers() map[visitor]int {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := map[visitor]int{}
	for who, l := range j.visitors {
		signedIn := slices.ContainsFunc(j.clients, func(c *client) bool { return c.signIn.visitor == who })
		if !signedIn {
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
	_, rest, found := strings.Cut(path, "/applications/")
	if !found {
		return "", ""
	}
	id, below, _ = strings.Cut(rest, "/")
	return id, below
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
