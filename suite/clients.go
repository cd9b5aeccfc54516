package suite

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// appClient is one client in recorded traffic: all that is about one application, or all of
// a user who signed in and created none.
type appClient struct {
	application string // its linkKey, "" if there is none
	exchanges   []*Exchange
	tokens      map[string]bool // the values of Authorization with which it is asked
	spoken      spoken          // its exchanges
	number      int             // in the order in which the clients appear
}

// byApplication splits traffic by application: each is another client, also where one
// user has several. A driver's recording is about one, whatever other applications its
// probes needed.
func byApplication(all []*Exchange, driven bool) [][]*Exchange {
	if driven {
		return [][]*Exchange{all}
	}
	clients, loose := clientsIn(all)
	clients, loose = usersIn(clients, loose)
	if len(clients) <= 1 {
		return [][]*Exchange{all}
	}
	deal(clients, loose, all)
	var split [][]*Exchange
	for _, c := range clients {
		slices.SortStableFunc(c.exchanges, func(a, b *Exchange) int { return a.ID - b.ID })
		split = append(split, c.exchanges)
	}
	return split
}

// clientsIn finds the applications in traffic, in the order in which they appear, and
// what is about none of them.
func clientsIn(all []*Exchange) (own []*appClient, loose []*Exchange) {
	var clients []*appClient
	known := map[string]*appClient{}
	homes := map[string]string{} // of applications, by path and token: one that is asked elsewhere with its token went astray
	for _, x := range all {
		app := applicationOf(x.url)
		if app == nil && x.Response.Code == http.StatusCreated {
			if created := createdBy(x); created != nil {
				app = applicationOf(created)
			}
		}
		if app == nil {
			loose = append(loose, x)
			continue
		}
		key := linkKey(app)
		token := x.authorization()
		if token != "" {
			home := lowerPath(app.Path) + " " + token
			homes[home] = cmp.Or(homes[home], key)
			key = homes[home]
		}
		c := known[key]
		if c == nil {
			c = &appClient{application: key, tokens: map[string]bool{}}
			known[key] = c
			clients = append(clients, c)
		}
		c.exchanges = append(c.exchanges, x)
		if token != "" && x.succeeded() {
			c.tokens[token] = true
		}
	}
	accepted := map[string]int{} // by how many applications, for each token
	for _, c := range clients {
		for token := range c.tokens {
			accepted[token]++
		}
	}
	for _, c := range clients {
		if len(clients) == 1 || !c.trespasses(accepted) && (c.asked() || c.another(accepted)) {
			own = append(own, c)
		} else {
			loose = append(loose, c.exchanges...)
		}
	}
	slices.SortStableFunc(loose, func(a, b *Exchange) int { return a.ID - b.ID })
	return own, loose
}

// asked: more is known of the application than a path: a link may lead astray.
func (c *appClient) asked() bool {
	return slices.ContainsFunc(c.exchanges, func(x *Exchange) bool {
		return linkKey(x.url) == c.application || x.Response.Code == http.StatusCreated && len(c.exchanges) > 1
	})
}

// trespasses: the application served nothing, and was asked with tokens alone that others
// accepted. So it is no client, but where the clients went to whom the tokens belong.
func (c *appClient) trespasses(accepted map[string]int) bool {
	return len(c.tokens) == 0 && !slices.ContainsFunc(c.exchanges, func(x *Exchange) bool {
		token := x.authorization()
		return x.succeeded() || token == "" || accepted[token] == 0
	})
}

// another: its token was accepted, and by no other application. So it is another client,
// of which the traffic begins in the middle.
func (c *appClient) another(accepted map[string]int) bool {
	for token := range c.tokens {
		if accepted[token] > 1 {
			return false
		}
	}
	return len(c.tokens) > 0
}

// usersIn finds out by the token endpoints which tokens are of one user. All of them belong
// to the clients that use one of them; a user of whom no client does is one without an
// application.
func usersIn(clients []*appClient, loose []*Exchange) (all []*appClient, rest []*Exchange) {
	tokens, asking := map[string]map[string]bool{}, map[string][]*Exchange{}
	var names []string
	for _, x := range loose {
		name, token := x.signsIn()
		if name == "" {
			continue
		}
		if tokens[name] == nil {
			tokens[name] = map[string]bool{}
			names = append(names, name)
		}
		tokens[name]["Bearer "+token] = true
		asking[name] = append(asking[name], x)
	}
	own := map[*Exchange]bool{}
	unknown := slices.ContainsFunc(clients, func(c *appClient) bool { return len(c.tokens) == 0 }) // whose tokens are, since they were taken out
	holders := holdersOf(clients)
	for _, name := range names {
		known := false
		for _, c := range holders.ofAny(maps.Keys(tokens[name])) {
			known = true
			for token := range tokens[name] {
				holders.add(c, token)
			}
		}
		if known || unknown || len(clients) == 0 && len(names) == 1 {
			continue
		}
		all = append(all, &appClient{exchanges: asking[name], tokens: tokens[name]})
		for _, x := range asking[name] {
			own[x] = true
		}
	}
	return append(clients, all...), slices.DeleteFunc(loose, func(x *Exchange) bool { return own[x] })
}

// signsIn returns the name with which x asks for a token, and the token that it got; ""
// if it does not, or if either was taken out.
func (x *Exchange) signsIn() (name, token string) {
	if !x.asksForToken() || !x.succeeded() {
		return "", ""
	}
	form, _ := x.form()
	object, _ := x.object()
	token, _ = object["access_token"].(string)
	if name = form.Get("username"); !isToken(token) {
		return "", ""
	}
	return strings.ToLower(name), token
}

// deal gives the clients what is about none of their applications, by the token that it
// carries or yields. Of the sign-in each client of that user has a copy. What shows no
// token goes to whoever signs in next, or speaks to that host.
func deal(clients []*appClient, loose, all []*Exchange) {
	signIn := &Evidence{Exchanges: all}
	signIn.findSignIn()
	isSignIn := func(x *Exchange) bool { return signIn.signIn[linkKey(x.url)] != "" || issuerOf(x) != nil }
	holders, heard := holdersOf(clients), heardOf(clients, all)
	give := func(x *Exchange, to []*appClient) {
		for i, c := range to {
			if i > 0 {
				x = &Exchange{Exchange: x.Exchange, Probe: x.Probe, lost: x.lost, url: x.url, batching: x.batching}
			}
			c.exchanges = append(c.exchanges, x)
			c.spoken.note(x)
			heard.note(x, c)
		}
	}
	// From the last to the first: whose an exchange is, the next may tell.
	var waiting []*signingIn // the next first
	next := func(of []*appClient, first int) {
		i := slices.IndexFunc(waiting, func(w *signingIn) bool { return slices.Equal(w.clients, of) })
		w := &signingIn{clients: of, has: map[string]bool{}}
		if i >= 0 {
			w = waiting[i]
			waiting = slices.Delete(waiting, i, i+1)
		}
		w.first = cmp.Or(first, w.first)
		waiting = slices.Insert(waiting, 0, w)
	}
	starts := map[*Exchange]*appClient{}
	isLoose := map[*Exchange]bool{}
	for _, x := range loose {
		isLoose[x] = true
	}
	for _, c := range clients {
		starts[c.exchanges[0]] = c
		for _, x := range c.exchanges {
			if c.application == "" {
				starts[x] = c
			}
		}
	}
	for _, x := range slices.Backward(all) {
		if c := starts[x]; c != nil {
			first := 0
			if c.application == "" {
				first = x.ID
			}
			next([]*appClient{c}, first)
			continue
		}
		if !isLoose[x] {
			continue
		}
		owners := holders.owning(x)
		switch {
		case len(owners) > 0 && isSignIn(x):
			next(owners, x.ID)
			give(x, owners)
		case len(owners) > 0:
			give(x, []*appClient{busiest(owners, x)})
		case isSignIn(x) && len(waiting) > 0:
			to := waitingFor(waiting, x)
			for _, c := range to {
				if token := x.authorization(); token != "" {
					holders.add(c, token) // of a host that leads on to the application's
				}
			}
			give(x, to)
		default:
			give(x, []*appClient{heard.busiest(x)})
		}
	}
}

// signingIn are the clients of one user whose sign-in is being gone through, and what of
// it they have got of what does not show whose it is.
type signingIn struct {
	clients []*appClient
	has     map[string]bool
	first   int // the first exchange of the sign-in that shows whose it is, 0 if none does
}

// waitingFor returns the clients whose sign-in x belongs to: those that sign in next. Where
// others sign in at the same time, and those have the like of it already, it is theirs.
func waitingFor(waiting []*signingIn, x *Exchange) []*appClient {
	like := fmt.Sprint(x.Request.Method, " ", linkKey(x.url), " ", x.Response.Code, " ", len(x.authorization()) > 0)
	done := waiting[0].clients[0].exchanges[0].ID // the sign-in of the next is over then
	i := slices.IndexFunc(waiting, func(w *signingIn) bool { return (w == waiting[0] || w.first > 0 && w.first < done) && !w.has[like] })
	w := waiting[max(i, 0)]
	w.has[like] = true
	return w.clients
}

// shows returns the field of a request that has a token in it, besides Authorization, ""
// if none has.
func (x *Exchange) shows(token string) string {
	for _, name := range slices.Sorted(maps.Keys(x.Request.Headers)) {
		if !strings.EqualFold(name, "Authorization") && slices.ContainsFunc(x.Request.Headers[name], func(v string) bool { return hasToken(v, token) }) {
			return "request header " + name
		}
	}
	switch {
	case hasToken(x.Request.URL, token):
		return "request URL"
	case hasToken(x.Request.Body, token):
		return "request body"
	}
	return ""
}

// hasToken reports whether a text has a token in it, as it is or percent-encoded, and not just the
// beginning of another.
func hasToken(text, token string) bool {
	for _, form := range formsOf(token) {
		for rest := text; form != ""; {
			_, behind, found := strings.Cut(rest, form)
			if !found {
				break
			}
			if behind == "" || behind[0] < '0' || behind[0] > '9' {
				return true
			}
			rest = behind
		}
	}
	return false
}

// isPhoto reports whether x asks for a picture of somebody, which a cookie opens, and which is no resource.
func (x *Exchange) isPhoto() bool {
	return x.is("photo") || x.is("contactPhoto") || strings.Contains(lowerPath(x.url.Path), "/photos/")
}

// clientRequests finds them, once an evidence.
func (e *Evidence) clientRequests() []*Exchange {
	var list []*Exchange
	tokens := map[string]bool{}
	for _, x := range e.Exchanges {
		if x.Probe != "" || byItself(x) || x.Response.Code == 0 || x.Response.Code/100 == 3 || x.isPhoto() || x.is("batch") || x.isBatch() {
			continue
		}
		token := x.authorization()
		below := applicationOf(x.url) != nil || e.own(x.url)
		tokens[token] = tokens[token] || below && bearer.MatchString(token)
		if below || tokens[token] && !isDiscovery(x.url) && !slices.ContainsFunc([]string{relRoot, relUser, relToken, "applications"}, x.is) {
			list = append(list, x)
		}
	}
	return list
}

// clientRequests returns every request with which the client speaks to the
// application, or to anything else in its name, and that was answered; those which
// ask for a refusal on purpose say nothing of the client, of those without an answer
// nobody knows what arrived, and a redirect is followed by the HTTP library. A photo
// is fetched by its cookie, and a batch is a message of its own kind, as is what stands in it.
func (c *check) clientRequests() []answer {
	list := make([]answer, 0, len(c.index.clients))
	for _, x := range c.index.clients {
		if x.batch == nil {
			list = append(list, answer{x, c})
		}
	}
	if len(list) == 0 {
		c.notExercised("the evidence holds no request on the application")
	}
	return list
}

// requests returns the client's own requests with that method on that rel.
func (c *check) requests(method, rel string) []answer {
	var list []answer
	for _, x := range c.index.clients {
		if x.Request.Method == method && x.is(rel) {
			list = append(list, answer{x, c})
		}
	}
	if len(list) == 0 {
		c.displaced(rel)
		c.notExercised(fmt.Sprintf("the evidence holds no %s on %s by the client itself", method, rel))
	}
	return list
}
