package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cmd/conform/internal/network"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// certificateNotice is how long before its end a certificate is warned of.
const certificateNotice = 21 * 24 * time.Hour

// place is what is known of one origin: what was found on the way to it, and why
// nothing can be asked there.
type place struct {
	findings []Finding
	err      error
}

// names are the addresses of a host, looked up once.
type names struct {
	addresses []netip.Addr
	err       error
}

// look goes to an origin as a client would, by DNS, TCP and TLS, without asking
// anything there.
func (w *Walk) look(u *url.URL) *place {
	p := &place{}
	defer func() {
		for i, f := range p.findings {
			p.findings[i] = w.ended(f)
		}
	}()
	host, port := strings.TrimSuffix(u.Hostname(), "."), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	at := net.JoinHostPort(host, port)
	w.Progress(at)
	if proxy := w.proxy(u); proxy != "" {
		p.findings = append(p.findings, Finding{Check: "proxy", Target: at, Status: OK, Detail: "asked through " + proxy + ", so DNS and TCP are its own"})
		if u.Scheme == "https" {
			w.tunnel(p, u, at, proxy)
		}
		return p
	}
	addresses := w.addresses(p, host, at, port)
	if p.err != nil {
		return p
	}
	conn := w.connect(p, at, addresses)
	if p.err != nil {
		return p
	}
	defer func() { _ = conn.Close() }()
	w.Reached = true
	if u.Scheme == "https" {
		w.handshake(p, conn, host, at)
	}
	return p
}

func (w *Walk) proxy(u *url.URL) string {
	if w.Transport.Proxy == nil {
		return ""
	}
	proxy, err := w.Transport.Proxy(&http.Request{URL: u})
	if err != nil || proxy == nil {
		return ""
	}
	return ucwa.Origin(proxy)
}

// addresses says where the host is: by --resolve, by itself, or by DNS.
func (w *Walk) addresses(p *place, host, at, port string) []string {
	found := Finding{Check: "dns", Target: host, Status: OK}
	if list := w.Book.Of(at); list != nil {
		found.Detail = strings.Join(list, ", ") + ", as --resolve says"
		w.named[host] = true
		p.findings = append(p.findings, found)
		return list
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{at}
	}
	known, asked := w.names[host]
	if !asked {
		began := time.Now()
		ctx, cancel := context.WithTimeout(w.ctx, w.Patience)
		known = &names{}
		known.addresses, known.err = net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		cancel()
		w.names[host] = known
		found.took(time.Since(began))
	}
	if p.err = known.err; p.err != nil {
		if asked || w.named[host] { // and told, or --resolve has it at another port
			return nil
		}
		found.Status, found.Detail = Problem, "the name could not be looked up: "+p.err.Error()
		found.Advice = "look at the DNS of this machine, or say where the host is: --resolve " + at + ":ADDRESS"
		if e := (*net.DNSError)(nil); errors.As(p.err, &e) && e.IsNotFound {
			found.missing, found.Detail = true, "DNS knows no such name"
			found.Advice = "add it to the DNS that this machine asks, or say where the host is: --resolve " + at + ":ADDRESS"
		}
		p.findings = append(p.findings, found)
		return nil
	}
	w.named[host] = true
	var list, shown []string
	for _, address := range known.addresses {
		list, shown = append(list, net.JoinHostPort(address.Unmap().String(), port)), append(shown, address.Unmap().String())
	}
	if !asked {
		found.Detail = strings.Join(shown, ", ")
		p.findings = append(p.findings, found)
	}
	return list
}

// connect tries every address: of a pool that DNS balances, one may be down.
func (w *Walk) connect(p *place, at string, addresses []string) net.Conn {
	began := time.Now()
	ctx, cancel := context.WithTimeout(w.ctx, w.Patience)
	defer cancel()
	conns, errs := make([]net.Conn, len(addresses)), make([]error, len(addresses))
	var tries sync.WaitGroup
	for i, address := range addresses {
		tries.Go(func() { conns[i], errs[i] = new(net.Dialer).DialContext(ctx, "tcp", address) })
	}
	tries.Wait()
	var first net.Conn
	var dead []string
	for i, conn := range conns {
		switch {
		case conn != nil && first == nil:
			first = conn
		case conn != nil:
			_ = conn.Close()
		case p.err == nil || !errors.Is(errs[i], syscall.ENETUNREACH):
			p.err = errs[i]
		}
		// That this machine has no IPv6, or no IPv4, is no fault of the host.
		if conn == nil && !errors.Is(errs[i], syscall.ENETUNREACH) {
			dead = append(dead, addresses[i])
		}
	}
	found := Finding{Check: "tcp", Target: at, Status: OK}
	found.took(time.Since(began))
	switch {
	case first == nil:
		found.Status, found.Detail, found.Advice = Problem, "no connection: "+p.err.Error(), refusedAdvice(p.err)
	case len(dead) > 0:
		found.Status = Warning
		found.Detail = fmt.Sprintf("%s answers, but not %s", first.RemoteAddr(), strings.Join(dead, ", "))
		found.Advice = "start what is down, or take its address out of DNS: clients that are sent there wait"
		p.err = nil
	default:
		found.Detail = first.RemoteAddr().String() + " answers"
		if len(addresses) > 1 {
			found.Detail = fmt.Sprintf("%s answers, and so do all %d addresses that can be reached from here", first.RemoteAddr(), len(addresses))
		}
		p.err = nil
	}
	p.findings = append(p.findings, found)
	return first
}

func refusedAdvice(err error) string {
	if e := net.Error(nil); errors.As(err, &e) && e.Timeout() {
		return "nothing comes back: look for a firewall in between, a wrong address in DNS, or a proxy that must be used (HTTPS_PROXY)"
	}
	if advice := network.Advice(err.Error()); advice != "" {
		return advice
	}
	return "look at the network between this machine and that address"
}

// handshake does TLS as the client will, and looks at the certificate more closely.
func (w *Walk) handshake(p *place, conn net.Conn, host, at string) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(w.ctx, w.Patience)
	defer cancel()
	config := w.Transport.TLSClientConfig.Clone()
	config.ServerName = host
	secure := tls.Client(conn, config)
	p.err = secure.HandshakeContext(ctx)
	state := secure.ConnectionState()
	found := w.judge(p.err, &state, host, at)
	found.took(time.Since(began))
	p.findings = append(p.findings, found)
}

// tunnel does the same through a proxy, with a request that asks for nothing.
func (w *Walk) tunnel(p *place, u *url.URL, at, proxy string) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(w.ctx, w.Patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, ucwa.Origin(u)+"/", nil)
	if err != nil {
		p.err = err
		return
	}
	var through atomic.Bool // as far as TLS
	trace := &httptrace.ClientTrace{TLSHandshakeStart: func() { through.Store(true) }}
	res, err := w.Transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	p.err = err
	var found Finding
	switch {
	case err == nil:
		res.Body.Close()
		w.Reached = true
		found = w.judge(nil, res.TLS, u.Hostname(), at)
	case through.Load():
		w.Reached = true
		found = w.judge(err, nil, u.Hostname(), at)
	default:
		p.findings = nil // which said that the proxy was asked
		found = Finding{Check: "proxy", Target: at, Status: Problem, Detail: proxy + " does not connect to it: " + err.Error(),
			Advice: "look at the rules and the log of the proxy (HTTPS_PROXY), or do without: NO_PROXY=" + u.Hostname()}
	}
	found.took(time.Since(began))
	p.findings = append(p.findings, found)
}

// judge says what a handshake shows.
func (w *Walk) judge(err error, state *tls.ConnectionState, host, at string) Finding {
	found := Finding{Check: "tls", Target: at, Status: OK}
	var chain []*x509.Certificate
	untrusted := (*tls.CertificateVerificationError)(nil)
	switch {
	case errors.As(err, &untrusted) && len(untrusted.UnverifiedCertificates) > 0:
		chain = untrusted.UnverifiedCertificates
	case err == nil && state != nil && len(state.PeerCertificates) > 0:
		chain = state.PeerCertificates
	default:
		found.Status, found.Detail, found.Advice = Problem, "the TLS handshake failed", "look at what serves this port, and at which versions of TLS it speaks: 1.2 is the least"
		if err != nil {
			found.Detail += ": " + err.Error()
			if advice := network.Advice(err.Error()); advice != "" {
				found.Advice = advice
			}
		}
		return found
	}
	problems, advice, soonest := w.certificate(chain, host)
	left := time.Until(soonest)
	about := fmt.Sprintf("certificate by %s, until %s", cmp.Or(chain[0].Issuer.String(), "an authority without a name"), soonest.UTC().Format(time.DateOnly))
	switch {
	case len(problems) > 0:
		found.Status, found.Detail, found.Advice = Problem, strings.Join(problems, "; "), strings.Join(advice, "; ")
		if err == nil {
			found.Status, found.Detail = Warning, found.Detail+" (let pass, as --insecure says)"
		}
	case err != nil:
		found.Status, found.Detail, found.Advice = Problem, err.Error(), network.Advice(err.Error())
	case left < certificateNotice:
		found.Status = Warning
		found.Detail = fmt.Sprintf("%s; %s: it ends in %d days", tls.VersionName(state.Version), about, int(left.Hours()/24))
		found.Advice = "renew it before that, on every server of the pool and on the reverse proxy"
	default:
		found.Detail = fmt.Sprintf("%s; %s (%d days)", tls.VersionName(state.Version), about, int(left.Hours()/24))
	}
	return found
}

// certificate looks at time, name and chain on their own: a client says one thing only
// that is wrong, and a certificate is ordered anew for each.
func (w *Walk) certificate(chain []*x509.Certificate, host string) (problems, advice []string, soonest time.Time) {
	leaf, now := chain[0], time.Now()
	soonest = leaf.NotAfter
	say := func(todo, format string, args ...any) {
		problems, advice = append(problems, fmt.Sprintf(format, args...)), append(advice, todo)
	}
	at := now // so that a wrong time does not hide what is wrong with the chain
	switch {
	case now.After(leaf.NotAfter):
		at = leaf.NotAfter
		say("renew the certificate, or set the clock of this machine if that is wrong", "the certificate expired at %s, %d days ago",
			leaf.NotAfter.UTC().Format(time.RFC3339), int(now.Sub(leaf.NotAfter).Hours()/24))
	case now.Before(leaf.NotBefore):
		at = leaf.NotBefore
		say("set the clock of this machine, or of the authority that issued it", "the certificate is not valid before %s", leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	if err := leaf.VerifyHostname(host); err != nil {
		say("put "+host+" among the names (SAN) of the certificate, or have DNS lead to the server that has it",
			"the certificate is for another name: it is for %s, not %s", strings.Join(namesOf(leaf), ", "), host)
	}
	others := x509.NewCertPool()
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: w.Transport.TLSClientConfig.RootCAs, Intermediates: others, CurrentTime: at})
	unknown := x509.UnknownAuthorityError{}
	switch {
	case errors.As(err, &unknown):
		todo := "trust the authority here: give it with --cacert FILE, or add it to this system"
		if len(chain) == 1 && leaf.Issuer.String() != leaf.Subject.String() {
			todo += "; the server sends no intermediate certificate: if there is one, it must"
		}
		say(todo, "the certificate is of an authority that is not trusted here: %s", chain[len(chain)-1].Issuer)
	case err != nil:
		say("renew what is wrong in the chain of the certificate", "the chain of the certificate: %v", err)
	default:
		for _, c := range chains[0] {
			if c.NotAfter.Before(soonest) {
				soonest = c.NotAfter
			}
		}
	}
	return problems, advice, soonest
}

func namesOf(c *x509.Certificate) []string {
	list := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		list = append(list, ip.String())
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) == 0 {
		return []string{"no name"}
	}
	if most := 8; len(list) > most {
		list = append(list[:most], fmt.Sprintf("%d more", len(list)-most))
	}
	return list
}
