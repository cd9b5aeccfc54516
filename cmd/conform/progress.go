package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress shows on a terminal what a live run waits for, from the first second on.
type progress struct {
	sync.Mutex
	what  string
	done  chan struct{}
	ended sync.WaitGroup
}

// showProgress begins to show, if on.
func showProgress(w io.Writer, on bool) *progress {
	p := &progress{done: make(chan struct{})}
	if !on {
		return p
	}
	p.ended.Go(func() {
		began := time.Now()
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-p.done:
				fmt.Fprint(w, "\r\x1b[K")
				return
			case <-tick.C:
				p.Lock()
				fmt.Fprintf(w, "\r\x1b[K%s  %s", time.Since(began).Round(time.Second), p.what)
				p.Unlock()
			}
		}
	})
	return p
}

// set says what the run waits for now.
func (p *progress) set(what string) {
	p.Lock()
	defer p.Unlock()
	p.what = what
}

func (p *progress) stop() {
	close(p.done)
	p.ended.Wait()
}
