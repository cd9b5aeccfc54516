package ucwatest

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// root is the path of the applications resource. It is where the document
// certified has it; clients are to follow links all the same.
const root = "/ucwa/oauth/v1/applications"

// Config is what a [Server] is made of. The zero value is a server that works.
type Config struct {
	// Host is the name that the server calls itself, in X-MS-Server-Fqdn, in
	// the challenge of a 401 and in its certificate; the default is
	// "ucwatest.example". Hrefs do not contain it.
	Host string

	// Origins is the allow list for X-Ms-Origin, a header that only
	// cross-domain browser applications send, by the frame that the server
	// serves at /Autodiscover/XFrame/XFrame.html and /xframe. Nil allows none.
	Origins []string

	// Clock is the server's only source of time. Nil is the system's clock.
	Clock Clock

	// Aggregation is how long an event waits for company before it ends a
	// pending GET, until the client asks for something else with the medium
	// parameter. Zero tells at once.
	Aggregation time.Duration

	// EventTimeout is how long a pending GET is held with nothing to tell,
	// until the client asks for something else with the timeout parameter.
	// Zero is the documented 180 seconds.
	EventTimeout time.Duration

	// Expiry is how long an application lives without a pending GET. Zero is
	// the documented 15 minutes. A channel that has been silent for more than
	// half of it is answered with resume.
	Expiry time.Duration

	// SignIn makes the server hand out tokens, as [SignIn] says. Nil: tokens come
	// from AddUser alone, and nothing leads to the applications.
	SignIn *SignIn

	// IDs names applications; real names have 11 or 12 decimal digits. A name
	// in use is passed over and IDs asked again. It is called by one goroutine
	// at a time. Nil draws them at random. With IDs set, tokens and cookies
	// are not random either, so that a session can be repeated to the byte.
	IDs func() string
}

// Server is a UCWA 2.0 server in memory. It is an http.Handler, safe for any
// number of requests at once, and needs no socket.
type Server struct {
	host        string
	origins     []string
	clock       Clock
	aggregation time.Duration
	timeout     time.Duration
	expiry      time.Duration
	ids         func() string // nil: random
	signIn      *SignIn       // nil: not served

	// mu guards the maps. Where a user's lock is needed too, that comes first.
	mu           sync.RWMutex
	tokens       map[string]ticket
	issued       int                     // tokens, ever
	users        map[string]*user        // by URI in lower case
	applications map[string]*application // live ones, by id
}

// New returns a server without users.
func New(cfg Config) *Server {
	s := &Server{
		host:         cfg.Host,
		origins:      slices.Clone(cfg.Origins),
		clock:        cfg.Clock,
		aggregation:  cfg.Aggregation,
		timeout:      cfg.EventTimeout,
		expiry:       cfg.Expiry,
		ids:          cfg.IDs,
		tokens:       map[string]ticket{},
		users:        map[string]*user{},
		applications: map[string]*application{},
	}
	if cfg.SignIn != nil {
		s.signIn = cfg.SignIn.clone()
	}
	if s.host == "" {
		s.host = "ucwatest.example"
	}
	if s.clock == nil {
		s.clock = systemClock{}
	}
	if s.timeout <= 0 {
		s.timeout = 180 * time.Second
	}
	if s.expiry <= 0 {
		s.expiry = 15 * time.Minute
	}
	return s
}

// call is a request on its way to its operation.
type call struct {
	server  *Server
	request *http.Request
	user    *user
	app     *application // nil for the applications resource
	path    string       // below the application
	name    string       // what the path names where its row has a *
	body    []byte       // of a batch
	fields  *fields      // of any other POST or PUT
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := s.serve(r)
	var no *refusal
	if errors.As(err, &no) { // no other errors are made here
		mediaType := negotiate(r.Header)
		if !isXML(mediaType) {
			mediaType = jsonType // in which an error is for those who take nothing, too
		}
		a = no.answer(mediaType)
	}
	s.write(w, r, a)
}

// serve asks in this order: who calls, from where, for what, with which method,
// wanting which representation, sending what. The first that fails decides. The
// frame and the sign-in, which need no token, ask from where before all else.
func (s *Server) serve(r *http.Request) (answer, error) {
	if isFrame(r) {
		return s.getFrame(r)
	}
	if s.signIn != nil {
		if a, found, err := s.serveSignIn(r); found || err != nil {
			return a, err
		}
	}
	id, segments, found := locate(r.URL)
	if !found {
		return answer{}, notFound()
	}
	table, path, name, found := find(segments)
	c := &call{server: s, request: r, path: path, name: name}
	photo := strings.HasPrefix(c.path, photosPath)
	app := s.application(id)
	var err error
	if app != nil && photo && photoCookie(r, app) {
		c.user = app.user
	} else if c.user, err = s.authenticate(r); err != nil {
		return answer{}, err
	}
	if err := s.admit(r); err != nil {
		return answer{}, err
	}
	if s.signIn != nil && !at(r, s.signIn.Pool) {
		return answer{}, notFound()
	}

	if id == "" {
		table = applications
	} else {
		// To others it is as if the application did not exist.
		if app == nil || app.user != c.user {
			return answer{}, applicationNotFound()
		}
		if c.app = app; !found {
			return answer{}, notFound()
		}
	}
	mediaType := negotiate(r.Header)
	run, allowed := table.operation(r.Method, c.path)
	switch {
	case r.Method == http.MethodOptions && (id != "" || mediaType == ""):
		return options(table), nil
	case r.Method == http.MethodOptions: // whose content the reference calls metadata, and does not show
		a := options(table)
		a.status, a.content = http.StatusOK, object{{"_links", object{{"self", href(root)}}}, {"rel", "applications"}}
		a.mediaType = mediaType + utf8Charset
		return a, nil
	case !allowed:
		return answer{}, methodNotAllowed(table)
	// A batch is answered as one whatever is accepted: no source says otherwise.
	case mediaType == "" && !photo && c.path != "/batch":
		return answer{}, refuse(http.StatusNotAcceptable, "NotAcceptable", "Served are "+strings.Join(resourceTypes, ", ")+".")
	}
	if err := version(r.Header); err != nil {
		return answer{}, err
	}
	if err := c.read(); err != nil {
		return answer{}, err
	}
	a, err := c.run(run)
	if err != nil {
		return answer{}, err
	}
	if a.held != nil {
		if a, err = c.wait(a.held); err != nil {
			return answer{}, err
		}
	}
	if a.batch != nil {
		return c.answerBatch(a.batch), nil
	}
	if _, changes := table[http.MethodPut]; changes && a.content != nil {
		a.header = http.Header{"Etag": {quoted(a.content)}} // what If-Match will want
	}
	if a.mediaType == "" {
		a.mediaType = mediaType + utf8Charset
	}
	return a, nil
}

// locate splits a path into an application's id, empty for the applications
// resource itself, and the segments below it. They are compared decoded: some
// clients escape more than others. On IIS paths have no casing, but two slashes are not one.
func locate(u *url.URL) (id string, below []string, found bool) {
	path := u.EscapedPath()
	if len(path) < len(root) || !strings.EqualFold(path[:len(root)], root) {
		return "", nil, false
	}
	rest := path[len(root):]
	if rest == "" {
		return "", nil, true
	}
	segments := strings.Split(rest, "/")
	for i, segment := range segments {
		decoded, err := url.PathUnescape(segment)
		if err != nil || strings.Contains(decoded, "/") || (decoded == "") != (i == 0) {
			return "", nil, false
		}
		segments[i] = decoded
	}
	return segments[1], segments[2:], true
}

// read reads the body. That of a GET or DELETE has no meaning, and that of batch
// has no properties.
func (c *call) read() error {
	body, err := readBody(c.request)
	h := c.request.Header
	switch {
	case err != nil || c.request.Method != http.MethodPost && c.request.Method != http.MethodPut:
		return err
	case c.path == "/batch" && !isBatch(h.Get("Content-Type")):
		return refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The body must be "+batchType+" with a boundary.")
	case c.path == "/batch":
		c.body = body
		return nil
	case len(body) > 0 && !supported(h):
		return refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The body must be "+jsonType+" or "+xmlType+".")
	}
	c.fields, err = parse(h, body)
	return err
}

// run carries the operation out, alone among all that concern this user.
func (c *call) run(op operation) (answer, error) {
	c.user.mu.Lock()
	defer c.user.mu.Unlock()
	if c.app != nil && c.app.ended {
		return answer{}, applicationNotFound()
	}
	if c.user.Anonymous && personal(c.path) {
		return answer{}, anonymousNotAllowed()
	}
	return op(c)
}
