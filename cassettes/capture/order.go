package capture

import (
	"cmp"
	"container/heap"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// inOrder sorts what a HAR or an archive holds into the order in which it happened, and returns what a reader must know of
// how that was found. Causes come first: a token, an application, an ack is quoted after it was answered, whatever the clocks
// of the file say. Then come the times: when a request was sent, and when a pending GET was answered. (The duration of other
// exchanges is no help: some tools count the handshake of the connection in, and begin after it.) Then comes the order of the
// file; where that is all there is, a link is followed after it was served, and an application ends last.
func inOrder(kept []found) (notes []string) {
	slices.SortStableFunc(kept, func(a, b found) int { return cmp.Compare(a.position, b.position) })
	notes = readable(kept)
	keys := keysOf(kept)
	order := make([]int, len(kept))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return keys[a].Compare(keys[b]) })
	rank := make([]int, len(kept))
	for at, i := range order {
		rank[i] = at
	}
	q := &queue{rank: rank}
	needs := causes(kept, keys, rank)
	placed, forced := make([]bool, len(kept)), 0 // forced counts what is looked at when two exchanges quote each other
	for i := range kept {
		if needs.open[i] == 0 {
			heap.Push(q, i)
		}
	}
	sorted := make([]found, 0, len(kept))
	for len(sorted) < len(kept) {
		if q.Len() == 0 { // two that quote each other: the times decide
			for placed[order[forced]] {
				forced++
			}
			needs.open[order[forced]] = 0
			heap.Push(q, order[forced])
		}
		i := heap.Pop(q).(int)
		placed[i] = true
		sorted = append(sorted, kept[i])
		for _, next := range needs.met(i) {
			heap.Push(q, next)
		}
	}
	moved := 0
	for at, x := range sorted {
		if x.position != kept[order[at]].position {
			moved++
		}
	}
	if moved > 0 {
		notes = append(notes, fmt.Sprintf("the times of the file contradict what the exchanges quote of each other: %d were put in the order of cause and effect", moved))
	}
	copy(kept, sorted)
	return notes
}

// readable forgets times that cannot be right, as those of the year 1 or 1970 among others of today, and says so.
func readable(kept []found) (notes []string) {
	var known []time.Time
	for _, x := range kept {
		if !x.begin.IsZero() {
			known = append(known, x.begin)
		}
	}
	if len(known) == 0 {
		if len(kept) > 1 {
			notes = append(notes, "no time of the file can be read: the exchanges are in the order of the file")
		}
		return notes
	}
	slices.SortFunc(known, time.Time.Compare)
	const far = 366 * 24 * time.Hour // no capture goes on for a year
	median, unreadable := known[len(known)/2], 0
	for i := range kept {
		x := &kept[i]
		if !x.begin.IsZero() && x.begin.Sub(median).Abs() > far {
			x.begin, x.end = time.Time{}, time.Time{}
		}
		if x.begin.IsZero() {
			unreadable++
		}
	}
	if unreadable > 0 {
		notes = append(notes, fmt.Sprintf("the times of %d of %d exchanges cannot be read: they stand behind the one before them in the file", unreadable, len(kept)))
	}
	if len(known) > 1 && known[0].Equal(known[len(known)-1]) {
		notes = append(notes, "all exchanges of the file have the same time: they are in the order of the file")
	}
	return notes
}

// keysOf returns the time by which each exchange is sorted: when the request was sent or, of a pending GET, when it was
// answered: before its ack was used, and before the application ended. Where a tool wrote whole seconds, what happened within
// one has no order by time.
func keysOf(kept []found) []time.Time {
	used := map[string]time.Time{} // by ack and application: when it was asked for; the end of the application has none
	for _, x := range kept {
		app, ack := applicationIn(x.Request.URL), ackOf(x.Request.URL)
		if ends := x.Response.Code/100 == 2 && endsApplication(x, app); app == "" || !ends && ack == "" {
			continue
		}
		if at, known := used[app+" "+ack]; !x.begin.IsZero() && (!known || x.begin.Before(at)) {
			used[app+" "+ack] = x.begin
		}
	}
	answered := func(x found) time.Time {
		end := x.end
		for _, m := range find(onward(), x.Response.Body, "ack=") {
			for _, ack := range []string{ackOf(strings.ReplaceAll(m[1], `\/`, "/")), ""} {
				if at, known := used[applicationIn(x.Request.URL)+" "+ack]; known && ack != ackOf(x.Request.URL) && at.Before(end) {
					end = at.Add(-time.Nanosecond)
				}
			}
		}
		return end
	}
	coarse := !slices.ContainsFunc(kept, func(x found) bool { return !x.begin.IsZero() && x.begin.Nanosecond() != 0 })
	keys := make([]time.Time, len(kept))
	last := time.Time{}
	for i, x := range kept {
		key := x.begin
		if key.IsZero() {
			key = last
		} else if isPending(x) {
			if end := answered(x); end.After(key) {
				key = end
			}
		}
		if coarse {
			key = key.Truncate(time.Second)
		}
		if !x.begin.IsZero() {
			last = x.begin
		}
		keys[i] = key.UTC()
	}
	for i := len(kept) - 1; i >= 0; i-- { // those before the first that has a time
		if keys[i].IsZero() && i+1 < len(keys) {
			keys[i] = keys[i+1]
		}
	}
	return keys
}

func isPending(x found) bool {
	return x.Request.Method == http.MethodGet && ackOf(x.Request.URL) != "" && strings.HasSuffix(strings.ToLower(pathOf(x)), "/events")
}

// queue holds what may come next, the earliest first.
type queue struct {
	rank []int
	list []int
}

func (q *queue) Len() int           { return len(q.list) }
func (q *queue) Less(a, b int) bool { return q.rank[q.list[a]] < q.rank[q.list[b]] }
func (q *queue) Swap(a, b int)      { q.list[a], q.list[b] = q.list[b], q.list[a] }
func (q *queue) Push(i any)         { q.list = append(q.list, i.(int)) }
func (q *queue) Pop() any {
	i := q.list[len(q.list)-1]
	q.list = q.list[:len(q.list)-1]
	return i
}

// wants are what exchanges wait for: each thing is there with the first exchange that gives it, or, of what all must have
// come before, with the last.
type wants struct {
	open    []int            // things that an exchange still waits for
	waiting map[string][]int // by thing
	gives   [][]string       // by exchange
	left    map[string]int   // how many that give it must still come
}

func (w *wants) need(i int, thing string) {
	w.open[i]++
	w.waiting[thing] = append(w.waiting[thing], i)
}

// met returns those that wait for nothing more, now that an exchange has its place.
func (w *wants) met(i int) (ready []int) {
	for _, thing := range w.gives[i] {
		if w.left[thing]--; w.left[thing] > 0 {
			continue
		}
		for _, next := range w.waiting[thing] {
			if w.open[next]--; w.open[next] == 0 {
				ready = append(ready, next)
			}
		}
		delete(w.waiting, thing)
	}
	return ready
}

var (
	issuedTokens = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"access_token"\s*:\s*"([^"\\]+)"`) })
	hrefs        = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`"href"\s*:\s*"((?:[^"\\]|\\/)+)"`) })
	onward       = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`"(?:next|resume|resync|events)"\s*:\s*\{\s*"href"\s*:\s*"((?:[^"\\]|\\/)+)"`)
	})
	ownPath = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)/applications/[^/?#]+`) })
	acks    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)[?&]ack=(\d+)`) })
)

// find returns the first matches in a text, which must have a word that all of them have.
func find(form *regexp.Regexp, text, word string) [][]string {
	if !strings.Contains(text, word) {
		return nil
	}
	return form.FindAllStringSubmatch(text, 4)
}

func ackOf(address string) string {
	if m := acks().FindStringSubmatch(address); m != nil {
		return m[1]
	}
	return ""
}

func applicationIn(address string) string { return strings.ToLower(ownPath().FindString(address)) }

// causes finds what each exchange quotes of the answers of others.
func causes(kept []found, keys []time.Time, rank []int) *wants {
	w := &wants{open: make([]int, len(kept)), waiting: map[string][]int{}, gives: make([][]string, len(kept)), left: map[string]int{}}
	first := map[string]int{}        // by thing: the one that gives it first, by the times
	giver := map[string]int{}        // by thing: the one that gave it last
	served := map[string]time.Time{} // by place: when a link to it was served first
	give := func(i int, thing string) {
		if j, known := first[thing]; !known || rank[i] < rank[j] {
			first[thing] = i
		}
		if by, given := giver[thing]; !given || by != i { // exchanges come one after the other
			w.gives[i], w.left[thing], giver[thing] = append(w.gives[i], thing), 1, i
		}
	}
	all := func(i int, thing string) { // what is there once all that give it have come
		w.gives[i] = append(w.gives[i], thing)
		w.left[thing]++
	}
	instant := func(i int) string { return keys[i].Format(time.RFC3339Nano) }
	at := map[time.Time]int{}
	for _, key := range keys {
		at[key]++
	}
	tied := func(i int) bool { return at[keys[i]] > 1 } // else its time tells where it stands among those that are not quoted
	for i, x := range kept {
		body, ok := x.Response.Body, x.Failure == "" && x.Response.Code/100 == 2
		if !ok {
			continue
		}
		carried := credentials(x)
		for _, m := range find(issuedTokens(), body, `"access_token"`) {
			if token := m[1]; token != carried && !strings.Contains(x.Request.Body, token) { // one that is renewed may be the same
				give(i, "token "+token)
			}
		}
		if x.Response.Code == http.StatusCreated && strings.HasSuffix(strings.ToLower(pathOf(x)), "/applications") {
			for _, text := range append(cassettes.HeaderValues(x.Response.Headers, "Location"), firstHref(body)) {
				if app := applicationIn(text); app != "" {
					give(i, "application "+app)
				}
			}
		}
		asked := ackOf(x.Request.URL)
		for _, m := range find(onward(), body, "ack=") {
			href := strings.ReplaceAll(m[1], `\/`, "/")
			if ack := ackOf(href); ack != "" && ack != asked {
				give(i, "ack "+applicationIn(href)+" "+ack)
			}
		}
		if !tied(i) {
			continue
		}
		itself := placeOf(x.Request.URL)
		for _, m := range hrefs().FindAllStringSubmatch(body, 1000) {
			place := placeOf(strings.ReplaceAll(m[1], `\/`, "/"))
			if place == itself { // who asks for it knows it
				continue
			}
			give(i, "link "+instant(i)+" "+place)
			if first, known := served[place]; !known || keys[i].Before(first) {
				served[place] = keys[i]
			}
		}
		app := applicationIn(x.Request.URL)
		own := instant(i) + " " + app
		switch {
		case app == "":
			continue
		case endsApplication(x, app):
			give(i, "end "+own)
		default:
			all(i, "alive "+own)
		}
		switch {
		case x.Request.Method == http.MethodPost && isMake(x):
			give(i, "available "+own)
		case strings.Contains(body, `"makeMeAvailable"`):
			all(i, "idle "+own)
		}
	}
	// In the order of the times: then that of what waits for the same.
	for _, i := range byRank(rank) {
		x, at := kept[i], instant(i)
		alone := !tied(i)
		need := func(thing string) {
			if by, given := first[thing]; given && by != i {
				w.need(i, thing)
			}
		}
		needAll := func(thing string) {
			if w.left[thing] > 0 && !slices.Contains(w.gives[i], thing) {
				w.need(i, thing)
			}
		}
		app := applicationIn(x.Request.URL)
		ok := x.Failure == "" && x.Response.Code/100 == 2
		if token := credentials(x); token != "" {
			need("token " + token)
		}
		if app != "" {
			need("application " + app)
			if ack := ackOf(x.Request.URL); ack != "" && !strings.Contains(x.Response.Body, `"resync"`) { // else the client made it up
				need("ack " + app + " " + ack)
			}
		}
		if alone {
			continue
		}
		if place := placeOf(x.Request.URL); ok && !served[place].Before(keys[i]) { // else nothing is to be derived
			need("link " + at + " " + place)
		}
		own := at + " " + app
		switch {
		case app == "":
		case ok && endsApplication(x, app):
			needAll("alive " + own)
		case x.Response.Code == http.StatusNotFound && strings.Contains(x.Response.Body, ucwa.SubcodeApplicationNotFound):
			need("end " + own)
		case ok && isMake(x):
			needAll("idle " + own)
		case ok && (strings.Contains(x.Response.Body, `"reportMyActivity"`) || isMine(x)):
			need("available " + own)
		}
	}
	return w
}

func byRank(rank []int) []int {
	list := make([]int, len(rank))
	for i, at := range rank {
		list[at] = i
	}
	return list
}

// credentials returns the token that a request carries.
func credentials(x found) string {
	_, token, _ := strings.Cut(strings.Join(cassettes.HeaderValues(x.Request.Headers, "Authorization"), ""), " ")
	return strings.TrimSpace(token)
}

func firstHref(body string) string {
	if _, after, found := strings.Cut(body, `"self"`); found {
		if m := hrefs().FindStringSubmatch(after[:min(len(after), 4096)]); m != nil {
			return strings.ReplaceAll(m[1], `\/`, "/")
		}
	}
	return ""
}

// pathOf returns the path of a request.
func pathOf(x found) string {
	path, _, _ := strings.Cut(x.Request.URL, "?")
	return strings.TrimRight(path, "/")
}

// endsApplication reports whether x is the DELETE of that application.
func endsApplication(x found, app string) bool {
	return x.Request.Method == http.MethodDelete && strings.HasSuffix(strings.ToLower(pathOf(x)), app)
}

// placeOf returns the path to which a URL or an href leads, from the applications on: relative and absolute ones are the same then.
func placeOf(href string) string {
	path, _, _ := strings.Cut(strings.ToLower(href), "?")
	path = strings.TrimRight(path, "/")
	if i := strings.Index(path, "/applications/"); i >= 0 {
		return path[i:]
	}
	return path
}

func isMake(x found) bool {
	return strings.HasSuffix(strings.ToLower(pathOf(x)), "/makemeavailable")
}

// isMine reports whether x asks for what is there once the user is available.
func isMine(x found) bool {
	path := strings.ToLower(pathOf(x))
	return slices.ContainsFunc([]string{"/me/presence", "/me/note", "/me/location"}, func(end string) bool { return strings.HasSuffix(path, end) })
}
