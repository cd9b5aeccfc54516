package ucwatest

import (
	"slices"
	"sync"
	"time"
)

// A Clock tells the time and calls back later. The server asks nothing else of
// time, so a test that brings a [ManualClock] never waits.
type Clock interface {
	Now() time.Time

	// AfterFunc calls f, from whatever goroutine it likes, once d has passed.
	// After stop it calls f no more, unless f has begun already.
	AfterFunc(d time.Duration, f func()) (stop func())
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) (stop func()) {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

// ManualClock is a [Clock] that stands still until it is told to advance.
type ManualClock struct {
	mu     sync.Mutex
	change sync.Cond
	now    time.Time
	alarms []*alarm // by time, then by age
}

type alarm struct {
	at time.Time
	f  func()
}

// NewManualClock returns a clock that shows start.
func NewManualClock(start time.Time) *ManualClock {
	c := &ManualClock{now: start}
	c.change.L = &c.mu
	return c
}

// Now returns the time the clock shows.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc has Advance call f when it comes to d from now. A d that is not
// positive is due at the next Advance, even one by nothing.
func (c *ManualClock) AfterFunc(d time.Duration, f func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &alarm{at: c.now.Add(d), f: f}
	i := slices.IndexFunc(c.alarms, func(other *alarm) bool { return other.at.After(a.at) })
	if i < 0 {
		i = len(c.alarms)
	}
	c.alarms = slices.Insert(c.alarms, i, a)
	c.change.Broadcast()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.alarms = slices.DeleteFunc(c.alarms, func(other *alarm) bool { return other == a })
	}
}

// Advance moves the clock on by d and calls what falls due on the way, in
// order, each with the clock showing its time, before it returns.
func (c *ManualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	target := c.now.Add(d)
	for len(c.alarms) > 0 && !c.alarms[0].at.After(target) {
		due := c.alarms[0]
		c.alarms = c.alarms[1:]
		if due.at.After(c.now) {
			c.now = due.at
		}
		// What is called asks the clock for the time and for more alarms.
		c.mu.Unlock()
		due.f()
		c.mu.Lock()
	}
	if target.After(c.now) {
		c.now = target
	}
}

// BlockUntil waits until at least n alarms are set. A [Server] keeps one for
// each live application, one more for each pending GET that it holds, and a
// third while such a GET waits for its events to gather company.
func (c *ManualClock) BlockUntil(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.alarms) < n {
		c.change.Wait()
	}
}
