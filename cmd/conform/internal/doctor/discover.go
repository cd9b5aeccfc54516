package doctor

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cmd/conform/internal/network"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// discover asks Autodiscover as clients do, and tells of every address on the way.
func (w *Walk) discover(sign *ucwa.SignIn) *ucwa.Discovery {
	w.gathering = true
	found, err := sign.Discover(w.ctx)
	w.gathering = false
	var trail []ucwa.Attempt
	if e := (*ucwa.DiscoveryError)(nil); errors.As(err, &e) {
		trail = e.Trail
	} else if found != nil {
		trail = found.Trail
	}
	for i, a := range trail {
		u, err := url.Parse(a.URL)
		if err != nil {
			continue
		}
		of := attempt{Attempt: a, url: u, answered: found != nil, given: sign.Start != ""}
		if i < len(w.exchanges) {
			of.exchange = w.exchanges[i] // each attempt is one request
		}
		p := w.places[ucwa.Origin(u)]
		if p == nil {
			continue
		}
		w.tellOf(of, p)
		if p.err != nil { // and said
			continue
		}
		f := of.finding()
		if found != nil && i == len(trail)-1 {
			f.Detail += ", the user resource is at " + found.User.Href
		}
		w.put(w.grade(of, f))
	}
	w.told = len(w.exchanges)
	if found == nil && len(trail) > 0 && !slices.ContainsFunc(w.Findings, func(f Finding) bool { return f.Check == "autodiscover" }) {
		w.skip("nothing answered at any of its addresses", "autodiscover")
	}
	if found == nil && len(trail) == 0 && err != nil { // it was cut short
		for _, x := range w.exchanges {
			w.tellOf(attempt{url: x.url}, w.places[ucwa.Origin(x.url)])
		}
		w.put(Finding{Check: "autodiscover", Target: sign.Address + sign.Start, Status: Problem, Detail: err.Error(), Advice: refusedAdvice(err)})
	}
	return found
}

// tellOf adds what was found on the way to an address, once.
func (w *Walk) tellOf(a attempt, p *place) {
	for _, f := range p.findings {
		w.Add(w.grade(a, f))
	}
	p.findings = nil
}

// attempt is one step of Autodiscover, and how the whole of it ended.
type attempt struct {
	ucwa.Attempt
	url      *url.URL
	exchange exchange
	answered bool // somewhere an answer was found
	given    bool // the address was given by hand, so there is no other
}

func (a attempt) finding() Finding {
	f := Finding{Check: "autodiscover", Target: a.url.Redacted(), Status: OK, Detail: fmt.Sprint(a.Status)}
	f.took(a.exchange.took)
	switch {
	case a.Err != nil:
		f.Status, f.Detail = Problem, a.Err.Error()
		f.Advice = a.advice()
		if html(a.exchange) && a.Status == http.StatusOK {
			f.Detail = fmt.Sprintf("%d, but it is a web page (%s), not the JSON of Autodiscover", a.Status, a.exchange.header.Get("Content-Type"))
		}
	case a.To != "":
		f.Detail = fmt.Sprintf("%d, leads to %s", a.Status, a.To)
	}
	return f
}

func (a attempt) advice() string {
	text := a.Err.Error()
	switch {
	case strings.Contains(text, "a loop"), strings.Contains(text, "redirects"):
		return "the redirects lead in a circle: look at the rules of the reverse proxy, and at the external web services URL of the pool"
	case strings.Contains(text, "not followed"):
		return "look at where Autodiscover leads; if it is right, give that URL with --autodiscover, or the domain with --trust"
	case html(a.exchange) && a.Status == http.StatusOK:
		return "something else than Autodiscover answers, such as the start page of a web server, a sign-on page or a captive portal: publish the web services of the pool there"
	case strings.Contains(text, "neither a user nor"):
		return "it is JSON, but not of Autodiscover: look at what is published under this name"
	case a.Status >= http.StatusInternalServerError:
		return "the server failed: look into its event log, and at the pool behind the reverse proxy"
	case a.Status == http.StatusNotFound:
		return "publish the path / and /Autodiscover of the external web site there, or give the right URL with --autodiscover"
	case a.Status >= http.StatusBadRequest:
		return "Autodiscover answers anyone: take the authentication before it away, at the reverse proxy"
	}
	if advice := network.Advice(text); advice != "" {
		return advice
	}
	return "look at what answers there: it should be the Autodiscover service"
}

func html(x exchange) bool {
	return strings.Contains(strings.ToLower(x.header.Get("Content-Type")), "html")
}

// grade says how bad it is. There are four addresses, and one that leads on is enough:
// inside a company the one, outside the other.
func (w *Walk) grade(a attempt, f Finding) Finding {
	if f.Status != Problem || a.given {
		return f
	}
	internal := strings.HasPrefix(a.url.Host, "lyncdiscoverinternal.")
	external := strings.HasPrefix(a.url.Host, "lyncdiscover.")
	_, domain, _ := strings.Cut(a.url.Host, ".")
	other := "lyncdiscoverinternal." + domain
	if internal {
		other = "lyncdiscover." + domain
	}
	otherThere := w.named[other] || w.names[other] == nil // or it was not its turn yet
	switch {
	case f.missing && internal && (a.answered || otherThere):
		f.Status, f.Detail, f.Advice = OK, "DNS knows no such name, as is usual outside the company", ""
	case f.missing && internal:
		f.Status, f.Advice = Warning, "add it to the DNS inside the company; outside it may be missing"
	case f.missing && external && otherThere:
		f.Status, f.Advice = Warning, "add it to the public DNS: clients outside the company ask for it"
	case a.answered, a.url.Scheme == "http": // which is the last resort, after https
		f.Status = Warning
	}
	return f
}
