package ucwatest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

func TestManualClock(t *testing.T) {
	c := ucwatest.NewManualClock(start)
	var rang []string
	set := func(d time.Duration, name string) func() {
		return c.AfterFunc(d, func() { rang = append(rang, name+" "+c.Now().Sub(start).String()) })
	}
	set(2*time.Second, "second")
	set(time.Second, "first")
	set(2*time.Second, "third")
	stop := set(time.Second, "stopped")
	c.AfterFunc(time.Second, func() { set(500*time.Millisecond, "set on the way") })
	set(-time.Hour, "overdue")
	stop()
	stop()
	c.BlockUntil(5)
	c.Advance(3 * time.Second)
	want := []string{"overdue 0s", "first 1s", "set on the way 1.5s", "second 2s", "third 2s"}
	if d := cmp.Diff(want, rang); d != "" {
		t.Error(d)
	}
	if got := c.Now(); !got.Equal(start.Add(3 * time.Second)) {
		t.Errorf("the clock shows %v", got)
	}
	woke := make(chan struct{})
	go func() { c.BlockUntil(1); close(woke) }()
	set(time.Second, "one")
	<-woke
}

// TestSystemClock holds the one GET of these tests that waits for real.
func TestSystemClock(t *testing.T) {
	s := ucwatest.New(ucwatest.Config{EventTimeout: time.Millisecond})
	w := &world{T: t, server: s}
	a := w.create(s.AddUser(dana), 0)
	if r := a.get("/events?ack=1").wants(200); r.link("next") == "" || r.events() != "" {
		t.Errorf("%s", r.Body)
	}
	a.do("DELETE", "", "").wants(204)
	if host := a.get("").Header().Get("X-MS-Server-Fqdn"); host != "ucwatest.example" {
		t.Errorf("the server calls itself %q", host)
	}
}
