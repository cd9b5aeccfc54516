package suite

import (
	"fmt"
	"net/http"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// Waiting is what a driver waits for now, for whoever shows how a run is getting on.
type Waiting struct {
	Task string        // such as "set-presence"
	Step string        // as its ledger numbers it: "5", "event", "refusal"
	For  string        // such as "POST presence" or "event channel"
	Most time.Duration // then it goes on without
}

// at says which step of which task comes next.
func (s *session) at(task, step string) { s.waiting.Task, s.waiting.Step = task, step }

// tell tells of a request before it is sent, and as whom.
func (s *session) tell(agent, what string, most time.Duration) {
	if s.target.Progress == nil || s.over != nil { // it may be what panicked
		return
	}
	w := s.waiting
	w.For, w.Most = what, most
	if agent != userAgent { // a probe
		w.Step = "refusal"
	}
	s.target.Progress(w)
}

// requestTo names a request for people.
func (s *session) requestTo(method string, link ucwa.Link) string {
	if s.waiting.Step == "event" && method == http.MethodGet {
		return "event channel"
	}
	return fmt.Sprintf("%s %s", method, link.Rel)
}
