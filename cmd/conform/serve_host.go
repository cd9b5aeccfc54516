package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/suite/prove"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"golang.org/x/time/rate"
)

// hostConfig is what a host is made of.
type hostConfig struct {
	server      ucwatest.Config
	users       []ucwatest.User
	faults      []prove.Fault
	variations  []prove.Variation
	certificate *tls.Certificate // nil: plain http
	page        string           // who may look: local, any, off
	names       []string         // of the server, besides those of this machine
	limits      journalLimits
	selected    map[string]bool // the ids of the requirements that clients are graded by
	tasks       []string
	tell        func(line string) // the log; nil: none
	exchanges   bool              // every exchange is logged, not only what is wrong
}

// host is the reference server on its sockets, with what its clients did.
type host struct {
	config  hostConfig
	server  *ucwatest.Server
	journal *journal
	grader  *grader
	handler http.Handler
	began   time.Time
	secrets *mask.Masker // looks for the passwords of its users in what is shown
	masked  *mask.Masker // masks the evidence of all clients: to prepare the search for 500 passwords takes longer than to grade one
	mu      sync.Mutex
	running []*ucwatest.Running
}

// newHost makes a host that listens nowhere yet.
func newHost(config hostConfig) *host {
	if config.limits == (journalLimits{}) {
		config.limits = usualLimits
	}
	if config.tell == nil {
		config.tell = func(string) {}
	}
	if len(config.tasks) == 0 {
		config.tasks = []string{suite.Shown}
	}
	h := &host{config: config, server: ucwatest.New(config.server), journal: newJournal(config.limits), began: time.Now()}
	h.secrets, h.masked = h.masker(), h.masker()
	for _, u := range config.users {
		h.journal.users[h.server.AddUser(u)] = u.URI
	}
	var ucwa http.Handler = h.server
	if len(config.variations) > 0 {
		ucwa = prove.Vary(ucwa, config.variations...)
	}
	for _, f := range config.faults {
		ucwa = f.Handler(ucwa)
	}
	h.grader = newGrader(h)
	h.handler = patient(h.withPage(cassettes.Observed(bounded(slowed(ucwa)), h.keep)))
	return h
}

// listen serves on a listener, and returns where: scheme, address and port.
func (h *host) listen(listener net.Listener) (*ucwatest.Running, error) {
	options := ucwatest.Options{Listener: listener, Certificate: h.config.certificate, ErrorLog: log.New(io.Discard, "", 0)}
	start := ucwatest.Start
	if h.config.certificate != nil {
		start = ucwatest.StartTLS
	}
	running, err := start(h.handler, options)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running = append(h.running, running)
	return running, nil
}

// listenAll serves on all of them, or on none and is closed.
func (h *host) listenAll(listeners []net.Listener) error {
	for i, listener := range listeners {
		if _, err := h.listen(listener); err != nil {
			for _, unserved := range listeners[i:] {
				_ = unserved.Close()
			}
			h.close()
			return err
		}
	}
	return nil
}

// close ends the pending GETs, the connections and the grading. What the clients did
// stays in the journal.
func (h *host) close() {
	var all sync.WaitGroup
	h.mu.Lock()
	for _, running := range h.running {
		all.Go(running.Close)
	}
	h.running = nil
	h.mu.Unlock()
	all.Wait()
	h.grader.stop()
}

// keep files an exchange, and logs it.
func (h *host) keep(x cassettes.Exchange) {
	number, c := h.journal.keep(x, h.userOf)
	if h.config.exchanges {
		h.config.tell(h.secrets.Clean(exchangeLine(number, c, x)))
	}
	h.grader.wake()
}

// userOf names the user who was given a token for a form.
func (h *host) userOf(form url.Values) string {
	name := form.Get("username")
	for _, u := range h.config.users {
		if strings.EqualFold(u.URI, name) || strings.EqualFold(u.URI, "sip:"+name) || u.Windows != "" && strings.EqualFold(u.Windows, name) {
			return u.URI
		}
	}
	return cmp.Or(name, "a guest")
}

// How long a client may take to send a body, and to take an answer, and how long a body
// may be. What UCWA has to say is short.
const (
	sendPatience = 30 * time.Second
	takePatience = 30 * time.Second
	maxSent      = 256 << 10
)

// patient gives a client so much time and no more: one that sends its body byte by byte,
// or does not read, must not keep a connection for ever. A pending GET may take as long
// as it likes.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if r.Body != http.NoBody {
			_ = control.SetReadDeadline(time.Now().Add(sendPatience))
			r.Body = &timedBody{r.Body, control}
		}
		next.ServeHTTP(&timedWriter{w, control}, r)
	})
}

// timedBody lifts the deadline once all is read: net/http goes on to read, to notice a
// client that hangs up.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// timedWriter sets the deadline when the answer is there.
type timedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *timedWriter) WriteHeader(status int) {
	_ = w.control.SetWriteDeadline(time.Now().Add(takePatience))
	w.ResponseWriter.WriteHeader(status)
}

func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// slowed makes clients that try passwords wait: of the answers that refuse a token twenty come at once, and then two a second.
func slowed(next http.Handler) http.Handler {
	guesses := rate.NewLimiter(2, 20)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(strings.ToLower(r.URL.Path), "/oauthtoken") {
			w = &slowWriter{w, r.Context(), guesses}
		}
		next.ServeHTTP(w, r)
	})
}

type slowWriter struct {
	http.ResponseWriter
	ctx     context.Context
	guesses *rate.Limiter
}

func (w *slowWriter) WriteHeader(status int) {
	if status/100 == 4 {
		_ = w.guesses.Wait(w.ctx) // an error means that the client has gone
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *slowWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// bounded refuses bodies that are longer than anything in UCWA.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > maxSent {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			fmt.Fprintf(w, `{"code":"EntityTooLarge","message":"The body is longer than %d bytes."}`, maxSent)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxSent)
		next.ServeHTTP(w, r)
	})
}
