package suite

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// Locate finds the steps of the named tasks in recorded traffic, by any client: by
// the rel under which a link was served, else (evidence that begins in the middle)
// by the documented ending of the path. Without a name it is the tasks for which a
// driver made the recording, or "set-presence"; or "create-application", where nothing
// of an application was asked; of a transcript of the documentation, those that it shows. Traffic of several applications gives one Evidence each,
// in the order in which they appear.
func Locate(c *cassettes.Cassette, names ...string) ([]*Evidence, error) {
	if len(names) == 0 {
		names = tasksOf(c)
	}
	shown := slices.Contains(names, Shown) || len(names) == 0 && c.Provenance.Kind == "documentation"
	if len(names) == 0 {
		signs := onlySignsIn(c)
		names = tasksThat(func(p *page) bool { return p.always && (p.signsIn != nil) == signs })
	} else if shown {
		names = tasksThat(func(p *page) bool { return p.always })
	}
	if _, err := ledgersOf(names); err != nil {
		return nil, err
	}
	for _, capability := range c.Provenance.Absent {
		if capabilities()[capability] == "" {
			return nil, fmt.Errorf("%s: conform.absent: %q is not a known capability%s; expected one of %s", c.Name, capability,
				Nearest(capability, capabilityNames()), strings.Join(capabilityNames(), ", "))
		}
	}
	for i, x := range c.Exchanges {
		if x.Interaction == nil {
			return nil, fmt.Errorf("%s: exchange %d of %d is empty: give one with its request, or leave it out", c.Name, i+1, len(c.Exchanges))
		}
	}
	c = c.Decompressed()
	list := locate(c, exchanges(c.Exchanges, c.Provenance.Task != ""), names)
	for _, e := range list {
		if shown {
			e.addShown()
		}
	}
	return list, nil
}

// Shown is given to [Locate] in place of the name of a task. It stands for "create-application" and "set-presence", and for each other task that the
// traffic shows: somebody sent the request that it is about.
const Shown = "shown"

// addShown adds the tasks that the evidence shows. Of a transcript of the documentation they are all that there is.
func (e *Evidence) addShown() {
	var shown []string
	for _, l := range Ledgers() {
		roles := []string{l.page.about}
		if p := l.page.sets; p != nil && l.page.about == p.set { // what must be refused shows that somebody meant to
			roles = append(roles, p.wrong, p.notJSON, p.media)
		}
		if slices.ContainsFunc(roles, func(role string) bool { return len(e.parts[role]) > 0 }) {
			shown = append(shown, l.Task)
		}
	}
	if e.Kind == "documentation" && len(shown) > 0 {
		e.Tasks = nil
	}
	e.Tasks = slices.DeleteFunc(slices.Clone(taskNames), func(name string) bool {
		return !slices.Contains(e.Tasks, name) && !slices.Contains(shown, name)
	})
}

// onlySignsIn reports whether a recording shows how an application is created, and nothing that was asked of it.
func onlySignsIn(c *cassettes.Cassette) bool {
	creates := false
	for _, x := range c.Exchanges {
		if x.Interaction == nil {
			continue // Locate says so
		}
		u, err := url.Parse(x.Request.URL)
		switch {
		case err != nil:
		case applicationOf(u) != nil:
			return false
		case x.Request.Method == http.MethodPost && isApplications(u):
			creates = true
		}
	}
	return creates
}

// locate finds the steps in the exchanges of a recording.
func locate(c *cassettes.Cassette, all []*Exchange, names []string) []*Evidence {
	var list []*Evidence
	groups := byApplication(unfolded(all), c.Provenance.Task != "")
	for _, group := range groups {
		list = append(list, evidenceOf(c, group, names, len(groups) > 1))
	}
	return list
}

// evidenceOf finds the steps in the traffic of one application, which is a part of a recording or all of it.
func evidenceOf(c *cassettes.Cassette, group []*Exchange, names []string, part bool) *Evidence {
	e := &Evidence{signedIn: signInAmong(tasksOf(c)) != nil, Tasks: names, Source: c.Name, SHA256: c.SHA256, Driven: c.Provenance.Task != "",
		Absent: c.Provenance.Absent, Exchanges: group, Recording: c}
	if part {
		e.Recording, e.SHA256 = recordingOf(c, group), ""
	}
	e.locate()
	e.describe(c.Provenance)
	if gaps := c.Gaps(); gaps != "" {
		e.note("the recording is a part of a longer one: it lacks the exchanges " + gaps)
	}
	return e
}

// LocateMasked is [Locate] on masked traffic. Verdicts are drawn from the received traffic, which is kept until then; only what is masked is
// shown. Without a Masker it is Locate.
func LocateMasked(c *cassettes.Cassette, m *mask.Masker, names ...string) ([]*Evidence, error) {
	c = c.Decompressed() // once for both
	received, err := Locate(c, names...)
	if err != nil || m == nil {
		return received, err
	}
	found := m.Found()
	masked := c.Masked(m)
	found = m.Found() - found
	all := exchanges(masked.Exchanges, c.Provenance.Task != "")
	var list []*Evidence
	for _, r := range received {
		group := all
		if len(received) > 1 { // those that Locate found to belong together
			of := map[int]bool{}
			for _, x := range r.Exchanges {
				of[x.ID] = true
			}
			group = slices.DeleteFunc(slices.Clone(all), func(x *Exchange) bool { return !of[x.ID] })
		}
		e := evidenceOf(masked, unfolded(group), r.Tasks, len(received) > 1)
		e.received, e.masker, e.found = r, m, found
		list = append(list, e)
	}
	return list, nil
}

// recordingOf returns the part of a recording that is one evidence.
func recordingOf(c *cassettes.Cassette, group []*Exchange) *cassettes.Cassette {
	part := *c
	part.SHA256, part.Provenance.SHA256, part.Exchanges = "", "", nil
	for _, x := range folded(group) {
		part.Exchanges = append(part.Exchanges, x.Exchange)
	}
	return &part
}

// tasksOf returns the tasks for which a driver made a recording.
func tasksOf(c *cassettes.Cassette) []string {
	return strings.FieldsFunc(c.Provenance.Task, func(r rune) bool { return r == ',' || r == ' ' })
}

// describe says where the evidence comes from, and what its reader must know.
func (e *Evidence) describe(p cassettes.Provenance) {
	e.Kind, e.Server, e.RecordedAt = cmp.Or(p.Kind, "capture"), e.serverName(), p.RecordedAt
	if e.Kind == "live" { // it was; only the run itself may say so
		e.Kind = "capture"
		if p.Source != e.Source {
			e.Source += ", recorded from " + p.Source
		}
	}
	for _, x := range e.Exchanges {
		if x.Probe != "" || !x.is("application") {
			continue
		}
		if date := cassettes.HeaderValues(x.Response.Headers, "Date"); e.RecordedAt.IsZero() && len(date) > 0 {
			e.RecordedAt, _ = http.ParseTime(date[0])
		}
	}
	switch {
	case e.SHA256 == "" || p.Kind == "":
	case p.SHA256 == "":
		e.note("the recording carries no checksum: nothing shows that it is as it was recorded")
	case p.Covers == "":
		e.note("the checksum of this recording does not cover its head (kind, server, time): record it again, or keep in mind that those can have been changed")
	}
	if e.Driven && len(e.parts[partBefore]) == 0 && len(e.parts[partAfter]) > 0 {
		e.note("the user was available already when the run began, so that step 1 could not be done: give an application that was made for the run")
	}
	for _, repair := range p.Repairs {
		e.note("repaired in this transcript: " + repair)
	}
}

// serverName returns what the server of the application called itself in its answers, or the first that named itself where
// that did not; "" if none did. What is written in the head of a recording proves nothing.
func (e *Evidence) serverName() string {
	first := ""
	for _, x := range e.Exchanges {
		name := cassettes.HeaderValues(x.Response.Headers, "Server")
		if len(name) == 0 || x.Probe != "" {
			continue
		}
		if e.own(x.url) {
			return name[0]
		}
		first = cmp.Or(first, name[0])
	}
	return first
}

func (e *Evidence) note(text string) { e.Notes = append(e.Notes, text) }

// exchanges reads what locating needs from every exchange once. Marks of probes count
// in a driver's recording only: anybody can write one.
func exchanges(recorded []cassettes.Exchange, driven bool) []*Exchange {
	all := make([]*Exchange, 0, len(recorded))
	for _, r := range recorded {
		x := &Exchange{Exchange: r}
		x.url, _ = url.Parse(r.Request.URL)
		if x.url == nil {
			x.url = &url.URL{}
		}
		if m := probeMark.FindStringSubmatch(strings.Join(x.requestHeader("User-Agent"), " ")); m != nil && driven {
			x.Probe = m[1]
		}
		x.lost = !driven && losesAnswer(x)
		all = append(all, x)
	}
	return all
}

// A probe says so in its User-Agent: whoever reads the server's log sees why a
// request is odd, and no recorder takes it for a client's mistake.
var probeMark = regexp.MustCompile(`^` + userAgent + ` \(probe ([A-Za-z-]+)\)`)

// applicationOf returns the URL of the application below which u lies, nil if
// the path does not show it.
func applicationOf(u *url.URL) *url.URL {
	const collection = "/applications/"
	i := strings.LastIndex(lowerPath(u.Path), collection)
	if i < 0 {
		return nil
	}
	end := i + len(collection)
	id, _, _ := strings.Cut(u.Path[end:], "/")
	if id == "" {
		return nil
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path[:end+len(id)]}
}

// locate gives every exchange its rels and its part.
func (e *Evidence) locate() {
	e.findSignIn()
	e.findApplication()
	e.served, e.relsAt, e.relsServed, e.inMe = map[string][]serving{}, map[string][]string{}, map[string]bool{}, nil
	noted := map[servedLink]bool{}
	for i, x := range e.Exchanges {
		if x.succeeded() {
			e.collectLinks(i, x, noted)
		}
	}
	for _, x := range e.Exchanges {
		x.rels = e.relsOf(x)
	}
	e.index = indexOf(e)
	e.findLoss()
	e.parts, e.declined = map[string][]*Exchange{}, map[string][]declined{}
	s := state{e: e}
	for _, x := range e.Exchanges {
		x.Part = s.part(x)
		e.parts[x.Part] = append(e.parts[x.Part], x)
		s.after(x)
	}
	e.offers = offersOf(e)
}

// findApplication finds the URL of the application: the first that a driver
// asks, else the first whose path or resource says so.
func (e *Evidence) findApplication() {
	if e.Driven && !e.signedIn && len(e.Exchanges) > 0 {
		e.application = e.Exchanges[0].url
		return
	}
	if e.Driven {
		e.application = e.created()
		return
	}
	for _, x := range e.Exchanges {
		if x.Probe != "" {
			continue
		}
		if object, err := x.object(); err == nil && object["rel"] == "application" {
			if u := selfOf(object, x.url); u != nil {
				e.application = u
				return
			}
		}
	}
	for _, x := range e.Exchanges {
		if app := applicationOf(x.url); app != nil {
			e.application = app
			return
		}
	}
}

// created returns the URL of the application that a driver's sign-in led to, nil if
// it led to none.
func (e *Evidence) created() *url.URL {
	for _, x := range e.Exchanges {
		if x.Probe == "" && x.Request.Method == http.MethodPost && x.succeeded() && endpointOf(x) != "" {
			return createdBy(x)
		}
	}
	return nil
}

func selfOf(object map[string]any, base *url.URL) *url.URL {
	href, _ := dig(object, "_links", "self", "href")
	text, _ := href.(string)
	u, err := ucwa.Resolve(base, text)
	if err != nil {
		return nil
	}
	return u
}
