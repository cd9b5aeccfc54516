package suite

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"golang.org/x/time/rate"
)

// later puts the first n requests of each kind off.
func later(status, n int, after func() string) func(http.Handler) http.Handler {
	var mu sync.Mutex
	seen := map[string]int{}
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			key := r.Method + r.URL.Path
			off := r.UserAgent() == userAgent && seen[key] < n
			seen[key]++
			mu.Unlock()
			if !off {
				h.ServeHTTP(w, r)
				return
			}
			if value := after(); value != "" {
				w.Header().Set("Retry-After", value)
			}
			http.Error(w, "later", status)
		})
	}
}

// TestPatience holds that a driver comes again when it is told to, and no later;
// that the put-off request is held against nobody; and that the recording is
// replayed without waiting.
func TestPatience(t *testing.T) {
	seconds := func() string { return "0" }
	for _, test := range []struct {
		name   string
		wait   time.Duration
		middle func(http.Handler) http.Handler
		passes bool
		note   string
	}{
		{"429 in seconds", 0, later(429, 1, seconds), true, ""},
		{"503 three times", 0, later(503, 2, seconds), true, ""},
		{"503 until a date", 0, later(503, 1, func() string { return time.Now().UTC().Format(http.TimeFormat) }), true, ""},
		{"a second each", 1500 * time.Millisecond, later(503, 1, func() string { return "1" }), false, "longer than what is left of the 1.5s"},
		{"too long", 0, later(503, 1, func() string { return "3600" }), false, "Retry-After: 1h0m0s, longer than what is left of the 30s"},
		{"none wanted", -1, later(503, 1, func() string { return "1" }), false, "left of the 0s"},
		{"no number", 0, later(503, 1, func() string { return "soon" }), false, `", which is neither seconds nor a date`},
		{"for ever", 0, later(503, 1000, seconds), false, "after 20 such answers"},
		{"not said", 0, later(503, 1, func() string { return "" }), false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			target := live(t, false, test.middle)
			target.RetryWait, target.EventWait = test.wait, time.Second
			began := time.Now()
			e := Gather(context.Background(), target)[0]
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("it took %s", took)
			}
			results, err := Examine(e)
			if err != nil {
				t.Fatal(err)
			}
			if got := reports.OutcomeOf(results, false) == reports.Conformant; got != test.passes {
				t.Errorf("conformant: %t, expected %t; notes %q", got, test.passes, e.Notes)
				for _, r := range results {
					if r.Verdict == reports.Fail && test.passes {
						t.Errorf("%s: expected %s, observed %s", r.Requirement, r.Expected, r.Observed)
					}
				}
			}
			if notes := strings.Join(e.Notes, "\n"); !strings.Contains(notes, test.note) || test.passes && strings.Contains(notes, "Retry-After") {
				t.Errorf("the notes are %q, expected %q in them", notes, test.note)
			}
			began = time.Now()
			if difference := rehearse(context.Background(), e.Recording); difference != "" {
				t.Errorf("its recording is not what the driver makes of it: %s", difference)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("the replay took %s", took)
			}
		})
	}
}

// TestPutOff holds that a server which says "later" to the end, whatever it is asked, is
// not held to be wrong, and that the reason says what it said.
func TestPutOff(t *testing.T) {
	for _, place := range []string{"/root", "/user", "/oauthtoken", "/applications", "/makeMeAvailable", "/presence", "/events"} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			target, server := careless(t, func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, place) || place == "/root" && r.URL.Path == "/" {
						w.Header().Set("Retry-After", "3600")
						http.Error(w, "later", http.StatusServiceUnavailable)
						return
					}
					h.ServeHTTP(w, r)
				})
			})
			e := Gather(context.Background(), target)[0]
			results := examined(t, e)
			reason := ""
			for _, r := range results {
				if r.Verdict == reports.Fail || r.Verdict == reports.Warn {
					t.Errorf("%s %s: expected %s, observed %s", r.Verdict, r.Requirement, r.Expected, r.Observed)
				}
				reason += r.Reason
			}
			if got := reports.OutcomeOf(results, false); got != reports.Incomplete || !strings.Contains(reason, "come again later") {
				t.Errorf("the outcome is %s, for the reasons %s", got, reason)
			}
			if server.Applications() != 0 {
				t.Errorf("%d applications are left", server.Applications())
			}
			if place == "/applications" && e.Unfinished() == "" {
				t.Error("no application was created, and the run counts as finished")
			}
		})
	}
}

// TestRetryAfter holds how the header is read.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-1": -1, "1.5": -1, "": -1, "99999999999999": -1,
		now.Add(9 * time.Second).Format(http.TimeFormat): 9 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		got, err := retryAfter(http.Header{"Retry-After": {value}}, now)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q is read as %s (%v), expected %s", value, got, err, want)
		}
	}
	skewed := http.Header{"Retry-After": {now.Add(5 * time.Second).Format(http.TimeFormat)}, "Date": {now.Format(http.TimeFormat)}}
	if got, err := retryAfter(skewed, now.Add(-time.Hour)); got != 5*time.Second || err != nil {
		t.Errorf("by the server's clock it is %s (%v), expected 5s", got, err)
	}
}

// TestLimiter holds that a driver is no faster than it is told.
func TestLimiter(t *testing.T) {
	target := live(t, false, untouched)
	target.Limiter = rate.NewLimiter(50, 1)
	began := time.Now()
	n := len(Record(context.Background(), target).Exchanges)
	if took, least := time.Since(began), time.Duration(n-1)*time.Second/50; took < least {
		t.Errorf("%d exchanges in %s, expected %s or more", n, took, least)
	}
}

// TestPanic holds that a panic in the driver costs neither the evidence nor the
// cleaning up.
func TestPanic(t *testing.T) {
	for at := 1; at < 30; at += 4 {
		target, presence := busyUser(t, untouched)
		n := 0
		target.Progress = func(Waiting) {
			if n++; n >= at {
				panic("injected")
			}
		}
		e := Gather(context.Background(), target)[0]
		if p := presence(); p != "Busy" {
			t.Errorf("after a panic at request %d the user is %s, was Busy", at, p)
		}
		if !strings.Contains(fmt.Sprint(e.Notes), "the driver panicked") || !strings.Contains(fmt.Sprint(e.Notes), "injected") {
			t.Errorf("the notes do not tell of the panic at request %d: %q", at, e.Notes)
		}
		if last := e.Exchanges[len(e.Exchanges)-1]; last.Request.Method != "DELETE" && last.Probe != "gone" {
			t.Errorf("after a panic at request %d the last request is %s %s", at, last.Request.Method, last.Request.URL)
		}
	}
}

// TestCouldNotCleanUp holds that the report tells what a run leaves behind.
func TestCouldNotCleanUp(t *testing.T) {
	for _, status := range []int{401, 500} {
		target, _ := busyUser(t, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "DELETE" && !strings.Contains(r.URL.Path, "presence") || strings.Contains(r.UserAgent(), "restore") {
					http.Error(w, "no", status)
					return
				}
				h.ServeHTTP(w, r)
			})
		})
		target.KeepNames = true
		notes := strings.Join(Gather(context.Background(), target)[0].Notes, "\n")
		for _, want := range []string{
			fmt.Sprintf("the presence could not be set back to Busy (the server answered %d)", status),
			fmt.Sprintf("the application could not be deleted (the server answered %d): delete %s", status, target.Application),
		} {
			if !strings.Contains(notes, want) {
				t.Errorf("the notes do not say %q: %s", want, notes)
			}
		}
	}
}
