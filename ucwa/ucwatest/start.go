package ucwatest

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options are for [Start] and [StartTLS]. The zero value will do.
type Options struct {
	Address  string      // to listen on; the default is "127.0.0.1:0"
	Hosts    []string    // what else the certificate is valid for
	HTTP2    bool        // over TLS, offer HTTP/2 besides HTTP/1.1
	ErrorLog *log.Logger // for failed handshakes and the like; nil is the standard logger

	// Listener is served on, and closed, instead of one on Address.
	Listener net.Listener

	// Certificate is shown by StartTLS instead of one made on the spot.
	Certificate *tls.Certificate
}

// Running is a handler on a socket.
type Running struct {
	URL         string // "https://127.0.0.1:port", without a path
	Certificate []byte // in PEM, to be trusted by clients; nil without TLS

	address   string
	http      *http.Server
	client    *http.Client
	transport *http.Transport
	giveUp    context.CancelFunc // of all requests
	work      sync.WaitGroup     // the accepting goroutine, and every connection
}

// Start serves h, which may be a [Server] or a handler around one, on a plain
// socket.
func Start(h http.Handler, o Options) (*Running, error) {
	return start(h, o, nil)
}

// StartTLS serves h on a TLS socket, with a certificate made on the spot. It
// is valid for 127.0.0.1, ::1, localhost, o.Hosts and, if h is a [Server], for
// what that calls itself.
func StartTLS(h http.Handler, o Options) (*Running, error) {
	if o.Certificate != nil {
		return start(h, o, o.Certificate)
	}
	hosts := append([]string{"localhost", "127.0.0.1", "::1"}, o.Hosts...)
	if s, is := h.(*Server); is {
		hosts = append(hosts, s.host)
	}
	certificate, err := newCertificate(hosts)
	if err != nil {
		return nil, err
	}
	return start(h, o, certificate)
}

func start(h http.Handler, o Options, certificate *tls.Certificate) (*Running, error) {
	address := o.Address
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener := o.Listener
	if listener == nil {
		var err error
		if listener, err = net.Listen("tcp", address); err != nil {
			return nil, err
		}
	}

	r := &Running{URL: "http://" + listener.Addr().String(), address: listener.Addr().String()}
	requests, giveUp := context.WithCancel(context.Background())
	r.giveUp = giveUp

	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(o.HTTP2 && certificate != nil)
	r.http = &http.Server{
		Handler:           asWritten(h),
		BaseContext:       func(net.Listener) context.Context { return requests },
		ConnState:         r.count,
		Protocols:         protocols,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          o.ErrorLog,
	}
	r.transport = &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, r.address)
		},
		Protocols: protocols,
	}
	r.client = &http.Client{Transport: r.transport}

	serve := func() { _ = r.http.Serve(listener) }
	if certificate != nil {
		r.URL = "https://" + r.address
		r.Certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(r.Certificate)
		// All hosts are this one, and it shows this certificate.
		r.transport.TLSClientConfig = &tls.Config{RootCAs: trusted, ServerName: "localhost", MinVersion: tls.VersionTLS12}
		r.http.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12}
		serve = func() { _ = r.http.ServeTLS(listener, "", "") }
	}
	r.work.Go(serve)
	return r, nil
}

// wireName is a header field's name as IIS writes it, which net/http would write otherwise.
func wireName(name string) string {
	switch name {
	case "Etag":
		return "ETag"
	case "P3p":
		return "P3P"
	case "Www-Authenticate":
		return "WWW-Authenticate"
	case "X-Aspnet-Version":
		return "X-AspNet-Version"
	case "X-Ms-Diagnostics":
		return "X-Ms-diagnostics"
	case "X-Ms-Server-Fqdn":
		return "X-MS-Server-Fqdn"
	}
	return name
}

// asWritten gives the header fields their names at the last moment: all else looks for them
// as net/http has them. HTTP/2 has no casing.
func asWritten(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 {
			w = &wireWriter{ResponseWriter: w}
		}
		h.ServeHTTP(w, r)
	})
}

type wireWriter struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *wireWriter) WriteHeader(status int) {
	h := w.Header()
	for name, values := range maps.Clone(h) {
		if wire := wireName(name); wire != name {
			delete(h, name)
			h[wire] = values
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *wireWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher.
func (w *wireWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Hijack implements http.Hijacker.
func (w *wireWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// count lets Close wait for the connections. A new one is counted by the
// accepting goroutine, so never after Close has found that one gone.
func (r *Running) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		r.work.Add(1)
	case http.StateClosed, http.StateHijacked:
		r.work.Done()
	}
}

// Client returns a client that trusts the server and dials it whatever host a
// URL names, so that a recording may speak of https://lyncweb.contoso.com. Over
// TLS it must speak https, else http.
func (r *Running) Client() *http.Client { return r.client }

// Close stops listening, has the pending GETs answered with 503, and returns
// when every connection is closed.
func (r *Running) Close() {
	r.giveUp()
	r.transport.CloseIdleConnections()
	// Answers under way may go out, but a client that does not read them, or
	// has connected and said nothing, is not waited for.
	grace, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if r.http.Shutdown(grace) != nil {
		_ = r.http.Close()
	}
	r.work.Wait()
	r.transport.CloseIdleConnections()
}
