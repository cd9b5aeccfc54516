package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// pace watches whether this process gets to run. If another process takes the processor, or there is more work than it can do, a beat
// comes late, and servers that answer in the meantime seem to be slow.
type pace struct {
	sync.Mutex
	stalls []stall
	began  time.Time
	before spent
	over   chan struct{}
}

// stall is a time in which the process did not run.
type stall struct{ from, to time.Time }

const (
	beat     = 50 * time.Millisecond
	tardy    = 20 * time.Millisecond // that a beat may be late
	maxStall = 20_000                // that are kept, the latest: those of some 20 minutes at a tenth of a processor
)

// keepPace begins to watch; stop ends it.
func keepPace() *pace {
	p := &pace{began: time.Now(), before: used(), over: make(chan struct{})}
	go func() {
		tick := time.NewTicker(beat)
		defer tick.Stop()
		last := p.began
		for {
			select {
			case <-p.over:
				return
			case <-tick.C:
			}
			now := time.Now()
			p.note(last.Add(beat), now)
			last = now
		}
	}()
	return p
}

func (p *pace) stop() { close(p.over) }

// tooSlow begins the reason of what is an error since the process did not get to run.
const tooSlow = "this machine was too slow"

// note keeps a stall, if it is one.
func (p *pace) note(from, to time.Time) {
	if to.Sub(from) < tardy {
		return
	}
	p.Lock()
	defer p.Unlock()
	if len(p.stalls) >= 2*maxStall {
		p.stalls = append(p.stalls[:0], p.stalls[maxStall:]...)
	}
	p.stalls = append(p.stalls, stall{from, to})
}

// lost is for how long the process stood still in a time.
func (p *pace) lost(from, to time.Time) (lost time.Duration) {
	p.Lock()
	defer p.Unlock()
	first, _ := slices.BinarySearchFunc(p.stalls, from, func(s stall, at time.Time) int { return s.to.Compare(at) })
	for _, s := range p.stalls[first:] {
		if s.from.After(to) {
			break
		}
		if s.from.Before(from) {
			s.from = from
		}
		if s.to.After(to) {
			s.to = to
		}
		lost += s.to.Sub(s.from)
	}
	return lost
}

// leastStall is as much as must be lost of a short time: a process may always have to wait a little for its turn.
const leastStall = 250 * time.Millisecond

// tooSlowIn tells whether in a time this process could not run for half of it.
func (p *pace) tooSlowIn(from, to time.Time) bool {
	return p.lost(from, to) >= max(leastStall, to.Sub(from)/2)
}

// why says of a run from one time to another that this machine was too slow.
func (p *pace) why(began, ended time.Time) string {
	text := fmt.Sprintf(tooSlow+", so nothing shows that the server was: of %s the run stood still for %s", round(ended.Sub(began)), round(p.lost(began, ended)))
	spent := used()
	if held := spent.throttled - p.before.throttled; held > 0 {
		text += fmt.Sprintf(" (its group of processes was held back for %s since it had used its share of the processor)", round(held))
	} else if spent.cpu > 0 {
		text += fmt.Sprintf(" (in %s it got %s of %s)", round(time.Since(p.began)), round(spent.cpu-p.before.cpu), number(runtime.GOMAXPROCS(0), "processors"))
	}
	return text + "; give it more processor time, or have it do less at once with --concurrency"
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}
