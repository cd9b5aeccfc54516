package capture

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

const (
	maxKept      = 64 << 20 // bytes of UCWA's exchanges in one capture
	maxExchanges = 20_000   // of UCWA
	maxPending   = 16 << 20 // bytes of those of which it is not known yet whether they are UCWA's
	maxHosts     = 1000     // names that are remembered
)

// found is an exchange where it stands in a capture.
type found struct {
	cassettes.Exchange
	begin, end time.Time // zero if the capture does not tell
	position   int       // in the file, from 0
	lost       string    // why its answer's body is not there, "" if it is or if nobody knows
}

// sieve tells UCWA's exchanges from all others, one after another. What stands on a host of which nothing is known yet waits
// until that host has served UCWA, or is forgotten at the end.
type sieve struct {
	name    string
	seen    int
	hosts   map[string]int // exchanges by host
	serves  map[string]bool
	kept    []found
	size    int
	pending map[string][]found
	waiting int            // bytes of those that are pending
	lost    map[string]int // that found no room while they were, by host
	notes   []string
}

func newSieve(name string) *sieve {
	return &sieve{name: name, hosts: map[string]int{}, serves: map[string]bool{}, pending: map[string][]found{}, lost: map[string]int{}}
}

// offer keeps an exchange, lets it wait or drops it. All that is ours is kept.
func (s *sieve) offer(x found, ours bool) error {
	u, err := url.Parse(x.Request.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil // data:, blob:, an extension of the browser: it reached no server
	}
	s.seen++
	host := strings.ToLower(u.Host)
	if len(s.hosts) < maxHosts || s.hosts[host] > 0 {
		s.hosts[host]++
	}
	switch size := sizeOf(x.Exchange); {
	case servedByUCWA(x.Exchange, u):
		if err := s.keep(x); err != nil {
			return err
		}
		return s.learn(x.Exchange, u)
	case ours || s.serves[host] || carriesToken(x.Exchange):
		return s.keep(x)
	case worthless(x.Exchange):
	case s.waiting+size > maxPending:
		if len(s.lost) < maxHosts || s.lost[host] > 0 {
			s.lost[host]++
		}
	default:
		s.waiting += size
		s.pending[host] = append(s.pending[host], x)
	}
	return nil
}

func (s *sieve) keep(x found) error {
	if x.lost != "" && x.lost != bodyNotKept { // of that, the verdicts speak
		s.note("exchange %d of the file, %s %s: %s", x.position+1, x.Request.Method, pathOf(x), x.lost)
	}
	if s.size += sizeOf(x.Exchange); s.size > maxKept || len(s.kept) == maxExchanges {
		return fmt.Errorf("%s: there are more than %d exchanges of UCWA in it, or more than %d MiB of them, the most that is read: capture less at once, or split the file",
			s.name, maxExchanges, maxKept>>20)
	}
	s.kept = append(s.kept, x)
	return nil
}

// learn marks the host that served UCWA, and those to which its answer leads.
func (s *sieve) learn(x cassettes.Exchange, u *url.URL) error {
	hosts := []string{u.Host}
	lead := func(href string) {
		if to, err := u.Parse(href); err == nil && to.Host != "" {
			hosts = append(hosts, to.Host)
		}
	}
	if !strings.HasSuffix(strings.ToLower(u.Path), ".html") { // a page of a frame leads anywhere
		for _, location := range cassettes.HeaderValues(x.Response.Headers, "Location") {
			lead(location)
		}
		for _, m := range leads().FindAllStringSubmatch(x.Response.Body, 1000) {
			lead(strings.ReplaceAll(m[1], `\/`, "/"))
		}
	}
	for _, host := range hosts {
		host = strings.ToLower(host)
		if s.serves[host] {
			continue
		}
		s.serves[host] = true
		for _, waiting := range s.pending[host] {
			s.waiting -= sizeOf(waiting.Exchange)
			if err := s.keep(waiting); err != nil {
				return err
			}
		}
		delete(s.pending, host)
	}
	return nil
}

// leads finds where links lead that name a host.
var leads = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"href"\s*:\s*"(https?:(?:\\?/){2}[^"\\/]+)`) })

// paths are pieces of the addresses at which UCWA and its sign-in are found, in lower case.
var paths = []string{"/ucwa/", "/autodiscover/autodiscoverservice.svc", "/webticket/", "/makemeavailable", "/autodiscover/xframe"}

// servedByUCWA tells by the exchange alone whether UCWA answered it, or would have.
func servedByUCWA(x cassettes.Exchange, u *url.URL) bool {
	path := strings.ToLower(u.Path)
	if strings.HasPrefix(strings.ToLower(u.Host), "lyncdiscover") || slices.ContainsFunc(paths, func(part string) bool { return strings.Contains(path, part) }) {
		return true
	}
	if len(cassettes.HeaderValues(x.Response.Headers, "X-MS-Server-Fqdn")) > 0 || strings.Contains(strings.Join(cassettes.HeaderValues(x.Response.Headers, "WWW-Authenticate"), ","), "MsRtcOAuth") {
		return true
	}
	if strings.Contains(strings.Join(cassettes.HeaderValues(x.Response.Headers, "Content-Type"), ","), "vnd.microsoft.com.ucwa") {
		return true
	}
	return strings.Contains(x.Request.Body, "grant_type=urn%3Amicrosoft.rtc") || strings.Contains(x.Request.Body, "grant_type=urn:microsoft.rtc") ||
		strings.Contains(x.Response.Body, `"_links"`) && (strings.Contains(x.Response.Body, `"makeMeAvailable"`) ||
			strings.Contains(x.Response.Body, `"user"`) && strings.Contains(x.Response.Body, `"xframe"`)) // the application, or a root
}

// token finds a compact web ticket, as it is, percent-encoded once or twice, or escaped as in JSON.
var token = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)cwt(?:=|%(?:25){0,2}3d|\\u003d)`) })

// carriesToken tells whether an exchange shows a token of UCWA anywhere: where it does not belong it is a finding.
func carriesToken(x cassettes.Exchange) bool {
	shows := func(text string) bool {
		return (strings.Contains(text, "cwt") || strings.Contains(text, "CWT")) && token().MatchString(text)
	}
	if shows(x.Request.URL) || shows(x.Request.Body) || shows(x.Response.Body) {
		return true
	}
	for _, h := range []http.Header{x.Request.Headers, x.Response.Headers} {
		for _, list := range h {
			if slices.ContainsFunc(list, shows) {
				return true
			}
		}
	}
	return false
}

// worthless: no answer of UCWA is of that kind, so the exchange does not wait.
func worthless(x cassettes.Exchange) bool {
	kind := strings.ToLower(strings.Join(cassettes.HeaderValues(x.Response.Headers, "Content-Type"), ""))
	return slices.ContainsFunc([]string{"image/", "font/", "video/", "audio/", "text/css", "text/javascript", "application/javascript", "application/x-javascript",
		"application/font", "application/wasm"}, func(prefix string) bool { return strings.HasPrefix(kind, prefix) })
}

func sizeOf(x cassettes.Exchange) int {
	size := 512 + len(x.Request.URL) + len(x.Request.Body) + len(x.Response.Body)
	for _, h := range []http.Header{x.Request.Headers, x.Response.Headers} {
		for name, list := range h {
			size += len(name)
			for _, value := range list {
				size += len(value)
			}
		}
	}
	return size
}

// note keeps what must be said, up to a few dozen: a file can be wrong throughout.
func (s *sieve) note(format string, args ...any) {
	const most = 20
	switch {
	case len(s.notes) < most:
		s.notes = append(s.notes, fmt.Sprintf(format, args...))
	case len(s.notes) == most:
		s.notes = append(s.notes, "and more of the kind")
	}
}

// capture returns what was kept, in the order in which it happened.
func (s *sieve) capture(of *cassettes.Cassette) *Capture {
	if len(of.Exchanges) > 0 { // of a cassette: a recorder wrote them in their order
		slices.SortStableFunc(s.kept, func(a, b found) int { return cmp.Compare(a.position, b.position) })
	} else {
		for _, text := range inOrder(s.kept) {
			s.note("%s", text)
		}
	}
	copied := *of
	all := len(s.kept) == len(of.Exchanges) // of a cassette: then its numbers stay
	copied.Exchanges = nil
	for i, x := range s.kept {
		if !all {
			x.ID = i + 1
		}
		x.Began = x.begin
		copied.Exchanges = append(copied.Exchanges, x.Exchange)
		if begin := x.begin; copied.Provenance.Task == "" && !begin.IsZero() && (copied.Provenance.RecordedAt.IsZero() || begin.Before(copied.Provenance.RecordedAt)) {
			copied.Provenance.RecordedAt = begin.UTC()
		}
	}
	hosts := slices.SortedFunc(maps.Keys(s.hosts), func(a, b string) int { return cmp.Or(cmp.Compare(s.hosts[b], s.hosts[a]), cmp.Compare(a, b)) })
	for _, host := range slices.Sorted(maps.Keys(s.lost)) {
		if s.serves[host] {
			s.note("%d exchanges on %s are not judged: they stand before the first that shows UCWA there, and were too many to wait for it", s.lost[host], host)
		}
	}
	return &Capture{Cassette: &copied, Seen: s.seen, Hosts: hosts, Notes: s.notes}
}
