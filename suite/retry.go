package suite

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// patience decides whether a driver that was told "later" (429 or 503 with
// Retry-After) waits and asks the same again.
type patience interface {
	again(s *session, asked request, status int, header http.Header) bool
}

// request is what tells a request from another, for those who ask again.
type request struct {
	agent, method string
	url           *url.URL
}

// isLater knows the answers that say when to come again.
func isLater(status int, header http.Header) bool {
	return (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && header.Get("Retry-After") != ""
}

// patiently does what within does, and asks again where the server asks for that.
// The recording keeps every answer. So it does with probes: "later" is not the refusal
// that they ask for.
func (s *session) patiently(limit time.Duration, c *ucwa.Client, method string, link ucwa.Link, body any) (*ucwa.Response, error) {
	for {
		res, err := s.within(limit, c, method, link, body)
		if err != nil || res == nil || !isLater(res.Status, res.Header) {
			return res, err
		}
		asked, err := link.URL()
		if err != nil || !s.patience.again(s, request{c.UserAgent, method, asked}, res.Status, res.Header) {
			return res, nil
		}
	}
}

// budget is the patience with a live server: so much waiting in all of a run.
type budget struct {
	left, all time.Duration
	times     int
}

// maxRetries bounds how often one driver asks again, for a server that says "at once" for ever.
const maxRetries = 20

func patienceOf(wait time.Duration) *budget {
	switch {
	case wait == 0:
		wait = 30 * time.Second
	case wait < 0:
		wait = 0
	}
	return &budget{left: wait, all: wait}
}

func (b *budget) again(s *session, asked request, status int, header http.Header) bool {
	what := fmt.Sprintf("%s %s was answered with %d and Retry-After: ", asked.method, asked.url.Path, status)
	wait, err := retryAfter(header, time.Now())
	if err != nil {
		s.note(what + err.Error() + "; it was not asked again")
		return false
	}
	left := b.left
	if s.hurries() {
		left = min(left, hurry)
	}
	b.times++
	switch {
	case wait > left:
		s.note(fmt.Sprintf("%s%s, longer than what is left of the %s to wait in all (--retry-wait); it was not asked again", what, wait, b.all))
		return false
	case b.times > maxRetries:
		s.note(fmt.Sprintf("%s%s, after %d such answers; it was not asked again", what, wait, maxRetries))
		return false
	}
	b.left -= wait
	s.tell(userAgent, fmt.Sprintf("the server, which asks to come again later (%d)", status), wait)
	if s.over != nil && !s.interrupted() {
		_ = sleep(s.over, wait) // an interrupt has it ask at once
		return true
	}
	return sleep(s.Context, wait) == nil
}

// retryAfter reads a delay in seconds, or a date.
func retryAfter(h http.Header, now time.Time) (time.Duration, error) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, nil
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0, fmt.Errorf("%q, which is neither seconds nor a date", shown(value))
	}
	// By the server's own clock, if it tells it: the two may differ.
	if told, err := http.ParseTime(h.Get("Date")); err == nil {
		now = told
	}
	return max(0, date.Sub(now).Round(time.Second)), nil
}

// shown is a value short enough for a message.
func shown(value string) string {
	if len(value) > 60 {
		return strings.ToValidUTF8(value[:60], "") + "…"
	}
	return value
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// recordedPatience asks again where the recording did, and does not wait.
type recordedPatience struct{ *cassettes.Replayer }

func (p *recordedPatience) again(_ *session, asked request, _ int, _ http.Header) bool {
	left := p.Unplayed()
	if len(left) == 0 {
		return false
	}
	next := left[0].Request
	return next.Method == asked.method && next.URL == asked.url.String() && strings.Join(cassettes.HeaderValues(next.Headers, "User-Agent"), "") == asked.agent
}
