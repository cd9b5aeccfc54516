package cassettes

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
)

// Miss is the error of a [Replayer] for a request that nothing recorded answers. It shows no secret.
type Miss struct {
	Cassette    string
	Method, URL string   // what was asked for
	Nearest     int      // number of the recorded exchange most like it; 0 if nothing is recorded
	Recorded    string   // method and URL of that exchange
	Differences []string // each way in which the request differs from it, or why it cannot be played
	Unplayed    int      // exchanges not played so far
	Total       int
}

// Error says what was asked for, what is recorded instead and what to do.
func (m *Miss) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: no recorded answer to %s %s", m.Cassette, m.Method, m.URL)
	if m.Nearest > 0 {
		fmt.Fprintf(&b, "; nearest is exchange %d, %s: %s", m.Nearest, m.Recorded, strings.Join(m.Differences, "; "))
	}
	fmt.Fprintf(&b, "; %d of %d exchanges are unplayed: send what was recorded, or record again", m.Unplayed, m.Total)
	return b.String()
}

// miss describes the request beside the exchange at position i, or beside none if i is negative.
func (r *Replayer) miss(req *http.Request, a address, body []byte, i int) *Miss {
	m := &Miss{
		Cassette: r.cassette.Name,
		Method:   cmp.Or(req.Method, http.MethodGet),
		URL:      show(req.URL),
		Total:    len(r.cassette.Exchanges),
		Unplayed: len(r.cassette.Exchanges) - len(r.played),
	}
	if i < 0 {
		return m
	}
	recorded := &r.cassette.Exchanges[i].Request
	m.Nearest = r.numbers[i]
	m.Recorded = recorded.Method + " " + shownURL(recorded.URL)
	was := recordedAddress(recorded)
	if recorded.Method != m.Method {
		m.Differences = append(m.Differences, "method: "+difference(recorded.Method, m.Method))
	}
	for _, part := range [][3]string{{"scheme", was.scheme, a.scheme}, {"host", was.host, a.host}, {"path", was.path, a.path}} {
		if part[1] != part[2] {
			m.Differences = append(m.Differences, part[0]+": "+difference(mask.Secrets(part[1]), mask.Secrets(part[2])))
		}
	}
	m.Differences = append(m.Differences, queryDifferences(was.query, a.query)...)
	if !sameBody(recorded, body) {
		m.Differences = append(m.Differences, bodyDifferences([]byte(recorded.Body), body)...)
	}
	if slices.Contains(r.played, i) {
		m.Differences = append(m.Differences, "it was already played")
	} else if next, ok := r.nextOnChannel(was); ok && next != i {
		due := recordedAddress(&r.cassette.Exchanges[next].Request)
		ack, _ := due.ack()
		m.Differences = append(m.Differences,
			fmt.Sprintf("it is out of order: the next on its event channel is exchange %d (ack=%s)", r.numbers[next], shorten(ack)))
	}
	return m
}

// nextOnChannel returns the position of the exchange that is due on the event channel of an address.
func (r *Replayer) nextOnChannel(a address) (int, bool) {
	if _, ok := a.ack(); !ok || len(r.channels[a.resource()]) == 0 {
		return 0, false
	}
	return r.channels[a.resource()][0], true
}

// window bounds how many recorded exchanges are looked at to explain a miss, on each side of the last one played.
const window = 5000

// nearest returns the position of the recorded exchange that differs least from the request, or -1 if there is none. An
// exchange still to be played wins over one that was, and then the earlier one; but of those for the very same link, all
// played, it is the last.
func (r *Replayer) nearest(req *http.Request, a address) int {
	if next, ok := r.nextOnChannel(a); ok && !r.wasPlayed(req, a) {
		return next
	}
	last := 0
	played := make(map[int]bool, len(r.played))
	for _, i := range r.played {
		played[i] = true
		last = i
	}
	best, least := -1, 0
	for i := max(0, last-window); i < min(len(r.cassette.Exchanges), last+window); i++ {
		recorded := &r.cassette.Exchanges[i].Request
		d := distance(recordedAddress(recorded), a)
		if recorded.Method != cmp.Or(req.Method, http.MethodGet) {
			d += 40
		}
		if d > 0 && played[i] {
			d += 5
		}
		if best < 0 || d < least || d == 0 && least == 0 {
			best, least = i, d
		}
	}
	return best
}

func (r *Replayer) wasPlayed(req *http.Request, a address) bool {
	_, known := r.links[a.key(req.Method)]
	return known
}

// distance weighs how far two addresses are apart; 0 is equal.
func distance(a, b address) int {
	d := 10 * len(queryDifferences(a.query, b.query))
	if a.scheme != b.scheme {
		d += 20
	}
	if a.host != b.host {
		d += 60
	}
	if a.path != b.path {
		one, other := strings.Split(a.path, "/"), strings.Split(b.path, "/")
		for i := range max(len(one), len(other)) {
			if i >= len(one) || i >= len(other) || one[i] != other[i] {
				d += 30
			}
		}
	}
	return d
}

// queryDifferences compares two sorted queries by name. A name that occurs several times is compared as a whole.
func queryDifferences(recorded, sent []parameter) []string {
	if slices.Equal(recorded, sent) {
		return nil
	}
	was, is := byName(recorded), byName(sent)
	names := maps.Clone(was)
	maps.Copy(names, is)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !slices.Equal(was[name], is[name]) {
			list = append(list, "query "+shorten(name)+": "+difference(showValues(name, was[name]), showValues(name, is[name])))
		}
	}
	return list
}

func byName(list []parameter) map[string][]string {
	values := make(map[string][]string, len(list))
	for _, p := range list {
		values[p.name] = append(values[p.name], p.value)
	}
	return values
}

func showValues(name string, values []string) string {
	if len(values) == 0 {
		return ""
	}
	text := strings.Join(values, ", ")
	if mask.IsSecret(name) {
		return "a secret"
	}
	return cmp.Or(shorten(text), `""`)
}

// show returns a URL for a message, without secrets.
func show(u *url.URL) string { return shownURL(u.String()) }

func shownURL(s string) string { return mask.New(mask.Options{Keeps: mask.AllButSecret}).URL(s) }
