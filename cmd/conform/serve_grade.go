package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/suite"
)

// evidence makes of what a client did what it can be judged by. What is not of the protocol is masked, and what is secret.
func (h *host) evidence(s state) (*suite.Evidence, error) {
	name := "client of " + s.User
	if s.ID != "" {
		name += ", application " + s.ID
	}
	if s.Agent != "" {
		name += ", " + cut(s.Agent, 100)
	}
	recording := &cassettes.Cassette{Name: name, Exchanges: s.exchanges, Provenance: cassettes.Provenance{
		Kind: "reference", RecordedAt: h.began, Tool: "conform " + version, Server: "ucwatest", Source: name}}
	list, err := suite.LocateMasked(recording, h.masked, h.config.tasks...)
	if err != nil {
		return nil, err
	}
	e := list[0]
	for _, other := range list[1:] {
		if s.ID != "" && strings.HasSuffix(other.Application(), "/"+s.ID) {
			e = other
		}
	}
	for _, other := range list {
		if other != e {
			e.Notes = append(e.Notes, fmt.Sprintf("the client also asked for an application that is not its own, %s (exchange %d): that is not judged", other.Application(), other.Exchanges[0].ID))
		}
	}
	e.Notes = append(e.Notes, "the client spoke with conform's own reference server, which is strict: this does not show how it takes the answers of a Skype for Business Server")
	if s.ID == "" {
		e.Notes = append(e.Notes, "the client signed in and created no application")
	}
	if s.dropped > 0 {
		e.Notes = append(e.Notes, fmt.Sprintf("the client went on for %d exchanges more than the %d that were kept (at most %d, and %d MiB, of a client): those are not judged",
			s.dropped, len(s.exchanges), h.config.limits.exchanges, h.config.limits.bytes>>20))
	}
	for _, f := range h.config.faults {
		e.Notes = append(e.Notes, "the server had a fault on purpose: "+f.Name+", "+f.Breaks)
	}
	if len(h.config.variations) > 0 {
		var names []string
		for _, v := range h.config.variations {
			names = append(names, v.Name)
		}
		e.Notes = append(e.Notes, "the server differed from its usual self in what the documentation leaves open: "+strings.Join(names, ", "))
	}
	return e, nil
}

// masker returns what masks what clients did: the names are those of the users file.
func (h *host) masker() *mask.Masker {
	o := mask.Options{Keeps: mask.Names}
	for _, u := range h.config.users {
		if u.Password != "" {
			o.Secrets = append(o.Secrets, u.Password)
		}
	}
	return mask.New(o)
}

// sum gives evidence the checksum of its recording.
func sum(e *suite.Evidence) {
	if content, err := e.Recording.Encode(); err == nil {
		if kept, err := cassettes.Read(e.Recording.Name, bytes.NewReader(content)); err == nil {
			e.SHA256 = kept.SHA256
		}
	}
}

// grade is what is known of a client so far.
type grade struct {
	state   state
	results []reports.Result // of the requirements that it is graded by
	parts   map[int]string   // of exchanges in the task
}

// grader grades clients while they work. It takes at most a fifth of one processor: the
// clients come first.
type grader struct {
	host  *host
	woken chan struct{}
	done  chan struct{}
	ended sync.WaitGroup

	mu      sync.Mutex
	grades  map[int]*grade // by the client's number
	version int            // grows with every change that a page would show
}

func newGrader(h *host) *grader {
	g := &grader{host: h, woken: make(chan struct{}, 1), done: make(chan struct{}), grades: map[int]*grade{}}
	g.ended.Go(g.run)
	return g
}

func (g *grader) wake() {
	select {
	case g.woken <- struct{}{}:
	default:
	}
}

func (g *grader) stop() {
	close(g.done)
	g.ended.Wait()
	g.round() // what came last
}

func (g *grader) run() {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-g.done:
			return
		case <-pause.C:
		}
		select {
		case <-g.done:
			return
		case <-g.woken:
		}
		began := time.Now()
		g.round()
		pause.Reset(max(100*time.Millisecond, 4*time.Since(began)))
	}
}

// round grades the clients that did something.
func (g *grader) round() {
	for _, c := range g.host.journal.list() {
		s := g.host.journal.state(c)
		g.mu.Lock()
		before := g.grades[c.Number]
		g.mu.Unlock()
		if before != nil && before.state.changed == s.changed {
			continue
		}
		now, err := g.grade(s)
		if err != nil {
			g.host.config.tell(fmt.Sprintf("%s cannot be graded: %v", c.label(), err))
			now = &grade{state: s}
		}
		g.mu.Lock()
		g.grades[c.Number] = now
		g.version++
		g.mu.Unlock()
		for _, r := range now.broken() {
			if before == nil || !slices.ContainsFunc(before.broken(), func(b reports.Result) bool { return b.Requirement == r.Requirement }) {
				g.host.config.tell(brokenLine(s.label(), r))
			}
		}
	}
}

func (g *grader) grade(s state) (*grade, error) {
	e, err := g.host.evidence(s)
	if err != nil {
		return nil, err
	}
	results, err := suite.Examine(e)
	if err != nil {
		return nil, err
	}
	now := &grade{state: s, parts: map[int]string{}}
	for _, r := range results {
		if g.host.config.selected[r.Requirement] {
			now.results = append(now.results, r)
		}
	}
	for _, x := range e.Exchanges {
		now.parts[x.ID] = x.Part
	}
	return now, nil
}

// broken are the requirements that the client broke.
func (g *grade) broken() []reports.Result { return g.with(reports.Fail, reports.Warn) }

func (g *grade) with(verdicts ...reports.Verdict) []reports.Result {
	var list []reports.Result
	for _, r := range g.results {
		if slices.Contains(verdicts, r.Verdict) {
			list = append(list, r)
		}
	}
	return list
}

// brokenLine is a broken requirement in a line. What a client sent stands on one line, so
// that it cannot write lines of its own.
func brokenLine(who string, r reports.Result) string {
	at := ""
	if len(r.Evidence) > 0 {
		at = fmt.Sprintf(" (exchange %d, %s)", r.Evidence[0].Exchange, r.Evidence[0].Field)
	}
	text := fmt.Sprintf("%s %s  %s%s: expected %s, found %s", mark(r.Verdict), who, r.Requirement, at, cut(r.Expected, 200), cut(r.Observed, 200))
	return strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(text)
}

func mark(v reports.Verdict) string {
	switch v {
	case reports.Pass:
		return "✓"
	case reports.Fail:
		return "✗"
	case reports.Warn:
		return "!"
	}
	return "·"
}
