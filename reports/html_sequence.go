package reports

import (
	"fmt"
	"slices"
	"strings"
)

// The sequence is drawn on a grid of these measures, in pixels.
const (
	seqWidth  = 960
	seqHead   = 56 // names of the lifelines
	seqRow    = 25
	seqGroup  = 30
	seqClient = 64
	seqLast   = 800 // the lifeline furthest right
	seqLabel  = 62  // characters
)

// sequence is the diagram of what was asked of whom: lifelines from left to right, an
// arrow for every exchange from top to bottom, grouped by step.
type sequence struct {
	Width, Height, Foot int
	Client              int
	Lanes               []lane
	Groups              []seqHeading
	Rows                []seqArrow
	Gaps                []seqHeading
	Drawn, Of           int
}

// lane is the lifeline of one role on the server's side.
type lane struct {
	Name, Hosts string
	X           int
}

// seqHeading is a line of text between arrows.
type seqHeading struct {
	Y, Height int
	Title     string
	Shade     bool
}

// seqArrow is one exchange.
type seqArrow struct {
	*htmlExchange
	Y, To int
	Label string
	Style string // class of the verdict; "none" if none rests on it
	Gone  bool   // no answer came
}

// Top is where the row begins that can be clicked.
func (a seqArrow) Top() int { return a.Y - seqRow + 8 }

// Role is what the exchange plays, where its address does not say it.
func (a seqArrow) Role() string {
	if strings.Contains(a.Label, a.Step) {
		return ""
	}
	return cut(a.Step, 24)
}

// Status is the answer in the room that there is.
func (a seqArrow) Status() string {
	if a.Gone {
		return "none"
	}
	return a.answer()
}

// laneNames is the roles in the order of a task; a client passes from left to right.
var laneNames = []string{"Autodiscover", "Token service", "Pool", "Event channel"}

// role tells by the address whom a request was for.
func role(url string) string {
	lower, _, _ := strings.Cut(strings.ToLower(url), "?")
	switch {
	case strings.HasSuffix(lower, "/oauthtoken"), strings.Contains(lower, "/webticket/"):
		return "Token service"
	case strings.Contains(lower, "/autodiscover/"), strings.Contains(lower, "://lyncdiscover"):
		return "Autodiscover"
	case strings.HasSuffix(lower, "/events"):
		return "Event channel"
	}
	return "Pool"
}

// sequenceOf draws the exchanges, or if there are too many to read, the first that
// carry a step out or have verdicts; nil if there are none.
func sequenceOf(r *Report, all []*htmlExchange) *sequence {
	if len(all) == 0 {
		return nil
	}
	titles := stepTitles(r)
	drawn := chosen(all, func(x *htmlExchange) bool { return titles.main[x.Number] != "" })
	s := &sequence{Width: seqWidth, Client: seqClient, Drawn: len(drawn), Of: len(r.Exchanges)}
	s.lanes(drawn)
	y := seqHead
	group, before := "", 0
	shade := false
	for _, x := range drawn {
		title := titles.of(x)
		if title == "" {
			title = group // what nobody looked at belongs to what was going on
		}
		if before != 0 && skipped(all, before, x.Number) > 0 {
			s.Gaps = append(s.Gaps, seqHeading{Y: y, Height: seqRow, Title: fmt.Sprintf("%d exchanges are not drawn", skipped(all, before, x.Number))})
			y += seqRow
		}
		if title != group {
			s.Groups = append(s.Groups, seqHeading{Y: y, Title: cut(title, 110), Shade: shade})
			shade = !shade
			y += seqGroup
		}
		group, before = title, x.Number
		style := "none"
		if x.Worst != "" {
			style = class(x.Worst)
		}
		s.Rows = append(s.Rows, seqArrow{x, y + seqRow - 7, s.at(role(x.Exchange.Request.URL)),
			cut(x.Exchange.Request.Method, 12) + " " + shortPath(x.Exchange.Request.URL, seqLabel), style, x.Exchange.Response == nil})
		y += seqRow
	}
	for i := range s.Groups {
		end := y
		if i+1 < len(s.Groups) {
			end = s.Groups[i+1].Y
		}
		s.Groups[i].Height = end - s.Groups[i].Y
	}
	s.Foot, s.Height = y+4, y+10
	return s
}

// chosen is what is drawn where there is too much: what is main, then what has
// problems, then what has verdicts, then the rest.
func chosen(all []*htmlExchange, main func(*htmlExchange) bool) []*htmlExchange {
	if len(all) <= htmlRows {
		return all
	}
	var list []*htmlExchange
	taken := map[int]bool{}
	for _, wanted := range []func(*htmlExchange) bool{
		main,
		func(x *htmlExchange) bool { return x.Worst != "" && x.Worst != Pass },
		func(x *htmlExchange) bool { return x.Worst == Pass },
		func(*htmlExchange) bool { return true },
	} {
		for _, x := range all {
			if len(list) < htmlRows && !taken[x.Number] && wanted(x) {
				taken[x.Number] = true
				list = append(list, x)
			}
		}
	}
	slices.SortFunc(list, func(a, b *htmlExchange) int { return a.Number - b.Number })
	return list
}

// skipped counts the exchanges between two.
func skipped(all []*htmlExchange, before, after int) int {
	at := func(number int) int {
		return slices.IndexFunc(all, func(x *htmlExchange) bool { return x.Number == number })
	}
	return at(after) - at(before) - 1
}

func (s *sequence) lanes(drawn []*htmlExchange) {
	hosts := map[string][]string{}
	for _, x := range drawn {
		name := role(x.Exchange.Request.URL)
		if host := hostOf(x.Exchange.Request.URL); !slices.Contains(hosts[name], host) {
			hosts[name] = append(hosts[name], host)
		}
	}
	for _, name := range laneNames {
		if list := hosts[name]; list != nil {
			text := cut(list[0], 28)
			if n := len(list) - 1; n > 0 {
				text = fmt.Sprintf("%s +%d", cut(list[0], 24), n)
			}
			s.Lanes = append(s.Lanes, lane{Name: name, Hosts: text})
		}
	}
	for i := range s.Lanes {
		s.Lanes[i].X = seqClient + (i+1)*(seqLast-seqClient)/len(s.Lanes)
	}
}

func (s *sequence) at(name string) int {
	for _, l := range s.Lanes {
		if l.Name == name {
			return l.X
		}
	}
	return seqLast
}

// titlesOfSteps knows to which step an exchange belongs.
type titlesOfSteps struct {
	main map[int]string // by the exchange that carries the step out
	seen map[int]string // by the first that a result looked at
}

func stepTitles(r *Report) titlesOfSteps {
	t := titlesOfSteps{map[int]string{}, map[int]string{}}
	names := map[[2]string]string{}
	for _, s := range r.Steps {
		name := s.Title
		if s.ID != "" && s.ID[0] >= '0' && s.ID[0] <= '9' {
			name = s.ID + "  " + s.Title
		}
		names[[2]string{s.Task, s.ID}] = name
		if s.Exchange > 0 && t.main[s.Exchange] == "" {
			t.main[s.Exchange] = name
		}
	}
	for _, result := range r.Results {
		for _, at := range result.Evidence[:min(1, len(result.Evidence))] {
			if t.seen[at.Exchange] == "" {
				t.seen[at.Exchange] = names[[2]string{result.Task, result.Step}]
			}
		}
	}
	return t
}

func (t titlesOfSteps) of(x *htmlExchange) string {
	if title := t.main[x.Number]; title != "" {
		return title
	}
	return t.seen[x.Number]
}

func hostOf(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return "unknown host"
	}
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// shortPath is the end of the path, which tells more than its beginning.
func shortPath(url string, runes int) string {
	p := path(url)
	main, query, asked := strings.Cut(p, "?")
	if parts := strings.Split(main, "/"); len(parts) > 4 {
		main = "…/" + strings.Join(parts[len(parts)-2:], "/")
	}
	if asked {
		main += "?" + query
	}
	return cut(main, runes)
}

// cut is the beginning of a text, where there is no room to say how long it is.
func cut(s string, runes int) string {
	if list := []rune(s[:min(len(s), 4*runes+4)]); len(list) > runes {
		return string(list[:runes-1]) + "…"
	}
	return s
}
