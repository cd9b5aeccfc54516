package ucwatest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

const signedIn = "me: me updated, me: presence added, me: note added, me: location added, communication: communication updated"

func TestEventsAfterMakeMeAvailable(t *testing.T) {
	a := newWorld(t).dana(false)
	came := a.pending("/events?ack=1", 2)
	a.makeAvailable("")
	r := (<-came).wants(200)
	want := `{"_links":{"self":{"href":"` + a.href + `/events?ack=1"},"next":{"href":"` + a.href + `/events?ack=2"}},"sender":[` +
		`{"rel":"me","href":"` + a.href + `/me","events":[` +
		`{"link":{"rel":"me","href":"` + a.href + `/me"},"type":"updated"},` +
		`{"link":{"rel":"presence","href":"` + a.href + `/me/presence"},"type":"added"},` +
		`{"link":{"rel":"note","href":"` + a.href + `/me/note"},"type":"added"},` +
		`{"link":{"rel":"location","href":"` + a.href + `/me/location"},"type":"added"}]},` +
		`{"rel":"communication","href":"` + a.href + `/communication","events":[` +
		`{"link":{"rel":"communication","href":"` + a.href + `/communication"},"type":"updated"}]}],"rel":"events"}`
	if got := r.Body.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if r.events() != signedIn {
		t.Errorf("told %q", r.events())
	}
}

func TestAcknowledging(t *testing.T) {
	a := newWorld(t).dana(true)
	position := func(want string) {
		t.Helper()
		if got := a.get("").link("events"); got != a.href+"/events?ack="+want {
			t.Errorf("the application links %s, want ack=%s", got, want)
		}
	}
	position("1")
	first := a.get("/events?ack=1").wants(200)
	position("1") // told is not acknowledged
	a.post("/me/presence", `{"availability":"Busy"}`).wants(204)
	if again := a.get("/events?ack=1").wants(200); again.Body.String() != first.Body.String() {
		t.Errorf("told %s first and %s again", first.Body, again.Body)
	}
	second := a.send(request("GET", first.link("next"), a.token, "")).wants(200)
	if second.events() != "me: presence updated" || second.link("self") != a.href+"/events?ack=2" {
		t.Errorf("%s", second.Body)
	}
	position("2")
	came := a.pending("/events?ack=3", 2)
	position("3")
	a.post("/me/presence", ``).wants(204)
	if got := (<-came).wants(200).events(); got != "me: presence updated" {
		t.Errorf("told %q", got)
	}
}

func TestTimeout(t *testing.T) {
	a := newWorld(t, func(c *ucwatest.Config) { c.EventTimeout = 200 * time.Second }).dana(false)
	want := func(came <-chan *reply, after time.Duration, body string) {
		t.Helper()
		a.clock.Advance(after - 1)
		select {
		case r := <-came:
			t.Fatalf("too early: %s", r.Body)
		default:
		}
		a.clock.Advance(1)
		if got := (<-came).wants(200).Body.String(); got != body {
			t.Errorf("got  %s\nwant %s", got, body)
		}
	}
	nothing := func(self, next string) string {
		return `{"_links":{"self":{"href":"` + a.href + "/events?ack=" + self + `"},"next":{"href":"` + a.href + "/events?ack=" + next + `"}},"sender":[],"rel":"events"}`
	}
	want(a.pending("/events?ack=1", 2), 200*time.Second, nothing("1", "2"))
	want(a.pending("/events?ack=1", 2), 200*time.Second, nothing("1", "2")) // nothing is not repeated
	want(a.pending("/events?ack=2&timeout=180", 2), 180*time.Second, nothing("2", "3"))
	want(a.pending("/events?ack=3", 2), 180*time.Second, nothing("3", "4")) // remembered
	want(a.pending("/events?ack=4&timeout=1800", 2), 1800*time.Second, nothing("4", "5"))
}

func TestDefaultTimeout(t *testing.T) {
	a := newWorld(t).dana(false)
	came := a.pending("/events?ack=1", 2)
	a.clock.Advance(180 * time.Second)
	(<-came).wants(200)
}

// longAlarms is a clock that counts the alarms that are as far away as the time-out of a
// pending GET.
type longAlarms struct {
	ucwatest.Clock
	set *int
}

func (c longAlarms) AfterFunc(d time.Duration, f func()) (stop func()) {
	if d == 180*time.Second {
		*c.set++
	}
	return c.Clock.AfterFunc(d, f)
}

// TestNoAlarmForTheAnswered: who waits for the alarm of a pending GET is not woken by a
// GET that is answered at once, so [ucwatest.ManualClock.BlockUntil] means what it says.
func TestNoAlarmForTheAnswered(t *testing.T) {
	set := 0
	a := newWorld(t, func(c *ucwatest.Config) { c.Clock = longAlarms{c.Clock, &set} }).dana(false)
	a.makeAvailable("")
	if got := a.get("/events?ack=1").wants(200).events(); got != signedIn {
		t.Fatalf("told %q", got)
	}
	if set != 0 {
		t.Errorf("%d alarms were set for a GET that was answered at once", set)
	}
	came := a.pending("/events?ack=2", 2)
	a.clock.Advance(180 * time.Second)
	(<-came).wants(200)
	if set != 1 {
		t.Errorf("%d alarms were set for the GET that was held, expected 1", set)
	}
}

func TestAggregation(t *testing.T) {
	a := newWorld(t, func(c *ucwatest.Config) { c.Aggregation = 2 * time.Second }).dana(false)
	set := func(availability string) {
		t.Helper()
		a.post("/me/presence", `{"availability":"`+availability+`"}`).wants(204)
	}
	came := a.pending("/events?ack=1", 2)
	a.makeAvailable("")
	set("Busy") // added and updated is added
	a.clock.BlockUntil(3)
	a.clock.Advance(2*time.Second - 1)
	select {
	case r := <-came:
		t.Fatalf("too early: %s", r.Body)
	default:
	}
	a.clock.Advance(1)
	if got := (<-came).wants(200).events(); got != signedIn {
		t.Errorf("told %q", got)
	}

	came = a.pending("/events?ack=2&medium=5", 2)
	set("Away")
	a.clock.BlockUntil(3)
	a.clock.Advance(4 * time.Second)
	a.post("/me/note", `{"message":"x"}`).wants(204)
	set("Busy")
	a.clock.Advance(time.Second) // the window opened with the first
	if got := (<-came).wants(200).events(); got != "me: presence updated, me: note updated" {
		t.Errorf("told %q", got)
	}

	// The same without a GET to see it.
	set("Away")
	a.clock.Advance(4 * time.Second)
	a.post("/me/note", `{"message":"y"}`).wants(204)
	a.clock.Advance(time.Second)
	if got := a.get("/events?ack=3").wants(200).events(); got != "me: presence updated, me: note updated" {
		t.Errorf("told %q", got)
	}

	// What has waited already need not wait for a GET that comes late; what
	// has not, waits for the rest of its time. The client's 5 s are remembered.
	set("BeRightBack")
	a.clock.Advance(5 * time.Second)
	a.get("/events?ack=4").wants(200)
	set("Busy")
	a.clock.Advance(3 * time.Second)
	came = a.pending("/events?ack=5", 3)
	a.clock.Advance(2 * time.Second)
	if got := (<-came).wants(200).events(); got != "me: presence updated" {
		t.Errorf("told %q", got)
	}
}

func TestTimeoutTellsWhatIsWaiting(t *testing.T) {
	a := newWorld(t).dana(false)
	came := a.pending("/events?ack=1&medium=1800&timeout=180", 2)
	a.makeAvailable("")
	a.clock.Advance(180 * time.Second)
	if got := (<-came).wants(200).events(); got != signedIn {
		t.Errorf("told %q", got)
	}
}

func TestSecondGETReplacesTheFirst(t *testing.T) {
	a := newWorld(t).dana(false)
	first := a.pending("/events?ack=1", 2)
	// One that is refused replaces nothing.
	a.get("/events?ack=1&low=1").wants(400)
	a.do("GET", "/events?ack=1", "", "Accept", "text/html").wants(406)
	select {
	case r := <-first:
		t.Fatalf("released: %s", r.Body)
	default:
	}
	// Which of two is the later one, their priority says: none is 0.
	a.get("/events?ack=1&Priority=-1").wants(409, "Conflict", "PGetReplaced")
	second := make(chan *reply, 1)
	go func() { second <- a.get("/events?ACK=1&priority=2") }()
	(<-first).wants(409, "Conflict", "PGetReplaced")
	a.clock.BlockUntil(2)
	a.get("/events?ack=1").wants(409, "Conflict", "PGetReplaced")
	a.makeAvailable("")
	if got := (<-second).wants(200).events(); got != signedIn {
		t.Errorf("told %q", got)
	}
}

func TestResync(t *testing.T) {
	for name, query := range map[string]string{
		"beyond": "?ack=9", "next, before this was told": "?ack=2", "zero": "?ack=0", "negative": "?ack=-1", "no number": "?ack=one",
		"padded": "?ack=01", "signed": "?ack=%2B1", "huge": "?ack=99999999999999999999", "twice": "?ack=1&ack=1", "none": "", "empty": "?ack=",
	} {
		t.Run(name, func(t *testing.T) {
			a := newWorld(t).dana(true)
			r := a.get("/events" + query).wants(200)
			want := `{"_links":{"self":{"href":"` + a.href + `/events?ack=1"},"resync":{"href":"` + a.href + `/events?ack=1"}},"sender":[],"rel":"events"}`
			if r.Body.String() != want {
				t.Errorf("got  %s\nwant %s", r.Body, want)
			}
			// What was waiting is told there.
			if r := a.get("/events?ack=1").wants(200); !strings.Contains(r.events(), "me: presence added") || r.link("next") != a.href+"/events?ack=2" {
				t.Errorf("%s", r.Body)
			}
		})
	}
}

func TestResyncReleasesThePending(t *testing.T) {
	a := newWorld(t).dana(false)
	came := a.pending("/events?ack=1", 2)
	a.get("/events?ack=7").wants(200)
	(<-came).wants(409, "Conflict", "PGetReplaced")
}

func TestResyncBeyondAnAcknowledgedPosition(t *testing.T) {
	a := newWorld(t).dana(true)
	a.get("/events?ack=1").wants(200)
	came := a.pending("/events?ack=2", 2) // nothing has been told here
	if r := a.get("/events?ack=3").wants(200); r.link("resync") == "" {
		t.Errorf("%s", r.Body)
	}
	(<-came).wants(409)
	if a.get("/events?ack=1").wants(200).link("resync") != a.href+"/events?ack=2" {
		t.Error("an acknowledged position is in range")
	}
}

func TestResume(t *testing.T) {
	a := newWorld(t, func(c *ucwatest.Config) { c.Expiry = 10 * time.Minute }).dana(true)
	// A channel that was never opened has not fallen silent.
	a.clock.Advance(9 * time.Minute)
	a.get("/events?ack=1").wants(200)
	a.post("/me/presence", `{"availability":"Busy"}`).wants(204)
	a.clock.Advance(5 * time.Minute)
	if r := a.get("/events?ack=2").wants(200); r.link("next") == "" {
		t.Errorf("silent too soon: %s", r.Body)
	}
	a.post("/me/presence", `{"availability":"Away"}`).wants(204)
	a.clock.Advance(5*time.Minute + 1)
	want := `{"_links":{"self":{"href":"` + a.href + `/events?ack=3"},"resume":{"href":"` + a.href + `/events?ack=4"}},"sender":[],"rel":"events"}`
	if r := a.get("/events?ack=3").wants(200); r.Body.String() != want {
		t.Errorf("got  %s\nwant %s", r.Body, want)
	}
	// The application and its presence are there, the waiting event is not.
	if a.availability() != "Away" {
		t.Error("the presence is gone")
	}
	came := a.pending("/events?ack=4", 2)
	a.post("/me/note", `{"message":"x"}`).wants(204)
	if got := (<-came).wants(200).events(); got != "me: note updated" {
		t.Errorf("told %q", got)
	}
}

// TestLongHoldIsNoSilence has a GET pending for longer than the silence that
// resume stands for.
func TestLongHoldIsNoSilence(t *testing.T) {
	a := newWorld(t).dana(false)
	came := a.pending("/events?ack=1&timeout=1800", 2)
	a.clock.Advance(25 * time.Minute)
	second := make(chan *reply, 1)
	go func() { second <- a.get("/events?ack=1") }()
	(<-came).wants(409)
	a.clock.BlockUntil(2)
	a.makeAvailable("")
	if r := (<-second).wants(200); r.link("next") == "" {
		t.Errorf("%s", r.Body)
	}
}

func TestEndReleasesThePending(t *testing.T) {
	a := newWorld(t).dana(false)
	came := a.pending("/events?ack=1", 2)
	a.do("DELETE", "", "").wants(204)
	(<-came).wants(404, "NotFound", "ApplicationNotFound")
	a.clock.Advance(time.Hour) // sets nothing off
}

func TestHangingUpFreesThePending(t *testing.T) {
	a := newWorld(t).dana(false)
	ctx, hangUp := context.WithCancel(t.Context())
	came := a.pendingWith(ctx, "/events?ack=1", 2)
	hangUp()
	(<-came).wants(503, "ServiceUnavailable", "")
	// Nobody was told, so nothing is lost.
	a.makeAvailable("")
	if got := a.get("/events?ack=1").wants(200).events(); got != signedIn {
		t.Errorf("told %q", got)
	}
}

// TestHangingUpCountsAsHeard has the lease run from when the client hung up,
// not from when its GET would have ended.
func TestHangingUpCountsAsHeard(t *testing.T) {
	a := newWorld(t).dana(false)
	ctx, hangUp := context.WithCancel(t.Context())
	came := a.pendingWith(ctx, "/events?ack=1", 2)
	a.clock.Advance(time.Minute)
	hangUp()
	(<-came).wants(503)
	a.clock.Advance(15*time.Minute - 1)
	a.get("").wants(200)
	a.clock.Advance(1)
	a.get("").wants(404)
}
