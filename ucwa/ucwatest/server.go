package ucwatest

import (
	"encoding/json"
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

	// Groups are the distribution groups of the deployment, each with its URI.
	Groups []Group

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
	groups      []Group
	ids         func() string // nil: random
	signIn      *SignIn       // nil: not served

	// state guards what users and their applications are and do: any of them can take part
	// in a conversation with any other, so one does something at a time.
	state   sync.Mutex
	touched []*application // those with news that nobody has looked at yet

	// mu guards the maps. Where state is needed too, that comes first.
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
		groups:       slices.Clone(cfg.Groups),
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
	row     *row         // the resource that is asked for
	method  string       // GET for a HEAD
	path    string       // below the application
	names   []string     // what the path names where its row has a *
	body    []byte       // where it is no resource: a batch, or a message
	fields  *fields      // what was sent as properties, in the body or the query

	revision float64 // the least that the client takes, 0 if it does not say
}

// name is what the path names first.
func (c *call) name() string { return c.names[0] }

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
	there, path, names, found := find(segments)
	c := &call{server: s, request: r, method: r.Method, row: there, path: path, names: names, fields: &fields{values: map[string]json.RawMessage{}}}
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
		c.row = applications
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
	if c.method == http.MethodHead && c.path != "/events" {
		c.method = http.MethodGet // as in all of HTTP; of the event channel it would take events away unseen
	}
	table := c.row.methods
	run, allowed := table[c.method]
	switch {
	case c.method == http.MethodOptions && (id != "" || mediaType == ""):
		return options(table), nil
	case c.method == http.MethodOptions: // whose content the reference calls metadata, and does not show
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
	if c.revision, err = version(r.Header); err != nil {
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
	if c.tagged() && a.content != nil {
		a.header = http.Header{"Etag": {quoted(a.content)}}
		if c.method == http.MethodGet && has(r.Header, "If-None-Match", quoted(a.content)) {
			return answer{status: http.StatusNotModified, header: a.header}, nil
		}
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
	case err != nil:
		return err
	case c.request.Method != http.MethodPost && c.request.Method != http.MethodPut:
		return c.fields.query(c.request)
	case c.path == "/batch" && !isBatch(h.Get("Content-Type")):
		return refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The body must be "+batchType+" with a boundary.")
	case c.path == "/batch":
		c.body = body
		return nil
	case c.row.page == "sendMessage":
		c.body = body
		return c.fields.query(c.request)
	case len(body) > 0 && !supported(h):
		return refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The body must be "+jsonType+" or "+xmlType+".")
	}
	if c.fields, err = parse(h, body); err != nil {
		return err
	}
	return c.fields.query(c.request)
}

// run carries the operation out, alone, once what was sent is what the reference allows.
func (c *call) run(op operation) (a answer, err error) {
	c.server.do(func() {
		switch {
		case c.app != nil && c.app.ended:
			err = applicationNotFound()
		case c.user.Anonymous && personal(c.path):
			err = anonymousNotAllowed()
		default:
			if err = c.check(); err == nil {
				a, err = op(c)
			}
		}
	})
	return a, err
}

// do does something, alone, and then lets the pending GETs go for which there is news.
func (s *Server) do(something func()) {
	s.state.Lock()
	defer s.state.Unlock()
	something()
	touched := s.touched
	s.touched = nil
	for _, a := range touched {
		a.flush()
	}
}

// later does something after d, alone, unless it is stopped before.
func (s *Server) later(d time.Duration, something func()) (stop func()) {
	stopped := false
	cancel := s.clock.AfterFunc(d, func() {
		s.do(func() {
			if !stopped {
				something()
			}
		})
	})
	return func() { stopped = true; cancel() }
}
