//go:build unix

package peers

import (
	"runtime"
	"testing"
)

// TestMissing holds that a program which is not there skips a test, or fails it where all must be there.
func TestMissing(t *testing.T) {
	for setting, want := range map[string]string{"": "skipped", "required": "failed"} {
		t.Setenv("CONFORM_PEERS", setting)
		outcome := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			program(outcome, "no-such-program")
			outcome.was = "found"
		}()
		<-done
		if outcome.was != want {
			t.Errorf("CONFORM_PEERS=%q: %s, expected %s", setting, outcome.was, want)
		}
	}
}

// recorder is a test that goes no further than it says.
type recorder struct {
	testing.TB
	was string
}

func (r *recorder) Fatalf(string, ...any) { r.was = "failed"; runtime.Goexit() }
func (r *recorder) Skipf(string, ...any)  { r.was = "skipped"; runtime.Goexit() }
