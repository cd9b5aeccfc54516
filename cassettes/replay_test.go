package cassettes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

const app = "https://ucwa.example/ucwa/oauth/v1/applications/104"

// play sends "METHOD URL BODY" and returns the body of the answer, or the error in brackets.
func play(t *testing.T, transport http.RoundTripper, line string) string {
	t.Helper()
	parts := strings.SplitN(line+"  ", " ", 3)
	resp, err := transport.RoundTrip(request(t, parts[0], parts[1], strings.TrimSpace(parts[2])))
	if err != nil {
		return "[" + err.Error() + "]"
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return string(body) + "[" + err.Error() + "]"
	}
	return string(body)
}

func TestURLsThatAreTheSame(t *testing.T) {
	for _, test := range []struct {
		recorded, sent string
		same           bool
	}{
		{"https://ucwa.example/a", "HTTPS://UCWA.Example:443/a", true},
		{"http://ucwa.example:80/a", "http://ucwa.example/a", true},
		{"https://ucwa.example:80/a", "https://ucwa.example/a", false},
		{"https://ucwa.example", "https://ucwa.example/", true},
		{"https://ucwa.example/a#top", "https://ucwa.example/a", true},
		{"https://u:p@ucwa.example/a", "https://ucwa.example/a", true},
		{"https://ucwa.example/a=b;c", "https://ucwa.example/a%3db%3Bc", true},
		{"https://ucwa.example/%7Ejo%20e", "https://ucwa.example/~jo%20e", true},
		{"https://ucwa.example/a%2Fb", "https://ucwa.example/a/b", false},
		{"https://ucwa.example/a%2Fb", "https://ucwa.example/a%2fb", true},
		{"https://ucwa.example/a%252Fb", "https://ucwa.example/a%2Fb", false},
		{"https://ucwa.example/a%253db", "https://ucwa.example/a%3db", false},
		{"https://ucwa.example/A", "https://ucwa.example/a", false},
		{"https://ucwa.example/a/", "https://ucwa.example/a", false},
		{"https://ucwa.example/?a=1&b=2", "https://ucwa.example/?b=2&a=1", true},
		{"https://ucwa.example/?a=%3d", "https://ucwa.example/?a==", true},
		{"https://ucwa.example/?a=1&a=2", "https://ucwa.example/?a=2&a=1", false},
		{"https://ucwa.example/?a=1%26b=2", "https://ucwa.example/?a=1&b=2", false},
		{"https://ucwa.example/?a=1;b=2&c=%zz", "https://ucwa.example/?c=%zz&a=1;b=2", true},
		{"https://ucwa.example/?", "https://ucwa.example/", true},
	} {
		got := play(t, NewReplayer(tape(get(test.recorded, "answer"))), "GET "+test.sent)
		if (got == "answer") != test.same {
			t.Errorf("%s recorded, %s sent: same is %v, want %v", test.recorded, test.sent, got == "answer", test.same)
		}
	}
}

func TestReplayOrder(t *testing.T) {
	c := tape(
		get(app, "before"),                                  // 1
		get(app+"/events?ack=1", "event 1"),                 // 2
		exchange("POST", app+"/me/presence", "{}", 204, ""), // 3
		get(app+"/events?ack=2", "event 2"),                 // 4
		get(app, "after"),                                   // 5
		get(app+"/events?ack=1", "event 1 again"),           // 6
		get("https://other.example/events?ack=9", "other"),  // 7
	)
	for _, test := range []struct {
		name   string
		sends  []string
		want   []string
		played []int
	}{
		{"as recorded",
			[]string{"GET " + app, "GET " + app + "/events?ack=1", "POST " + app + "/me/presence {}", "GET " + app + "/events?ack=2", "GET " + app, "GET " + app + "/events?ack=1"},
			[]string{"before", "event 1", "", "event 2", "after", "event 1 again"}, []int{1, 2, 3, 4, 5, 6}},
		{"links do not wait for each other",
			[]string{"POST " + app + "/me/presence {}", "GET " + app, "GET " + app, "GET https://other.example/events?ack=9"},
			[]string{"", "before", "after", "other"}, []int{3, 1, 5, 7}},
		{"a channel runs in order",
			[]string{"GET " + app + "/events?ack=2", "GET " + app + "/events?ack=1", "GET " + app + "/events?ack=1", "GET " + app + "/events?ack=2", "GET " + app + "/events?ack=1"},
			[]string{"miss", "event 1", "miss", "event 2", "event 1 again"}, []int{2, 4, 6}},
		{"each is played once",
			[]string{"GET https://other.example/events?ack=9", "GET https://other.example/events?ack=9"},
			[]string{"other", "miss"}, []int{7}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := NewReplayer(c)
			for i, line := range test.sends {
				got := play(t, r, line)
				if strings.Contains(got, "no recorded answer") {
					got = "miss"
				}
				if got != test.want[i] {
					t.Errorf("%d. %s: got %q, want %q", i+1, line, got, test.want[i])
				}
			}
			if got := r.Played(); !slices.Equal(got, test.played) {
				t.Errorf("played %v, want %v", got, test.played)
			}
			var left []int
			for _, x := range r.Unplayed() {
				left = append(left, x.ID)
			}
			for _, n := range test.played {
				if slices.Contains(left, n) {
					t.Errorf("unplayed are %v, though %d was played", left, n)
				}
			}
			if len(left)+len(test.played) != len(c.Exchanges) {
				t.Errorf("unplayed are %v, played %v, of %d", left, test.played, len(c.Exchanges))
			}
		})
	}
}

func TestBodiesThatAreTheSame(t *testing.T) {
	for _, test := range []struct {
		recorded, sent string
		same           bool
	}{
		{`{"a":1,"b":[true,null]}`, ` { "b" : [ true , null ], "a" : 1.0 } `, true},
		{`{"etag":"1","n":18446744073709551615}`, `{"n":18446744073709551615,"etag":"1"}`, true},
		{`{"n":18446744073709551615}`, `{"n":18446744073709551614}`, false},
		{`{"n":1e2}`, `{"n":100}`, true},
		{`{"n":1e999}`, `{"n":2e999}`, false},
		{`{"a":"1"}`, `{"a":1}`, false},
		{`{"a":1}`, `{"A":1}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`{"a":1}`, `{"a":1}{"b":2}`, false},
		{"a=1&b=2", "b=2&a=1", false},
		{"plain", "plain", true},
		{"plain", "", false},
		{"", "plain", false},
		{"\xff", "\xfe", false},
	} {
		got := play(t, NewReplayer(tape(exchange("POST", app, test.recorded, 200, "answer"))), "POST "+app+" "+test.sent)
		if (got == "answer") != test.same {
			t.Errorf("%s recorded, %s sent: got %s, want the same: %v", test.recorded, test.sent, got, test.same)
		}
	}
	lost := exchange("POST", app, "", 200, "answer")
	lost.Request.ContentLength = 5
	if got := play(t, NewReplayer(tape(lost)), "POST "+app+" hello"); got != "answer" {
		t.Errorf("a record that lost its body: got %s, want its answer", got)
	}
}

func TestReplayedResponse(t *testing.T) {
	x := get(app, "body")
	x.Response = cassette.Response{Code: 418, Body: "body", ContentLength: 99, Headers: http.Header{"content-type": {"a"}, "CONTENT-TYPE": {"b"}, "set-cookie": {"x=y"}}}
	unknown := get(app, "body")
	unknown.Response.ContentLength = -1
	head := exchange("HEAD", app, "", 200, "")
	head.Response.ContentLength = 3754
	r := NewReplayer(tape(x, unknown, head))
	for _, test := range []struct {
		method string
		want   http.Response
	}{
		{"GET", http.Response{Status: "418 I'm a teapot", StatusCode: 418, Proto: "HTTP/1.1", ContentLength: 4, Header: http.Header{"Content-Type": {"b", "a"}, "Set-Cookie": {"x=y"}}}},
		{"GET", http.Response{Status: "OK", StatusCode: 200, Proto: "HTTP/1.1", ContentLength: -1, Header: http.Header{"Content-Type": {"application/json"}}}},
		{"HEAD", http.Response{Status: "OK", StatusCode: 200, Proto: "HTTP/1.1", ContentLength: 3754, Header: http.Header{"Content-Type": {"application/json"}}}},
	} {
		req := request(t, test.method, app, "")
		got, err := r.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		short := http.Response{Status: got.Status, StatusCode: got.StatusCode, Proto: got.Proto, ContentLength: got.ContentLength, Header: got.Header}
		if diff := cmp.Diff(fmt.Sprint(test.want), fmt.Sprint(short)); diff != "" || got.Request != req || got.Close {
			t.Errorf("close %v, (-want +got):\n%s", got.Close, diff)
		}
		got.Header["Content-Type"][0] = "changed"
		got.Header["Set-Cookie"] = nil
	}
	if x.Response.Headers["set-cookie"][0] != "x=y" || unknown.Response.Headers.Get("Content-Type") != "application/json" {
		t.Error("the client changed the recording")
	}
}

func TestReplaysFailures(t *testing.T) {
	cut := get(app+"/cut", "half")
	cut.Failure = "unexpected EOF"
	c := tape(failed(get(app+"/refused", ""), "dial tcp: connection refused"), failed(get(app+"/cancelled", ""), "context canceled"), cut)
	r := NewReplayer(c)
	for _, test := range []struct {
		path, want string
		is         error
	}{
		{"/refused", "[tape: exchange 1 failed when it was recorded: dial tcp: connection refused]", nil},
		{"/cut", "half[tape: exchange 3 failed when it was recorded: unexpected EOF]", nil},
	} {
		if got := play(t, r, "GET "+app+test.path); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
	if _, err := r.RoundTrip(request(t, "GET", app+"/cancelled", "")); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled request replays as %v, want context.Canceled", err)
	}
}

func TestReplayHonoursTheRequest(t *testing.T) {
	r := NewReplayer(tape(exchange("POST", app, "x", 200, "answer")))
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	body := &closeCounter{Reader: strings.NewReader("x")}
	req := request(t, "POST", app, "").WithContext(ctx)
	req.Body = body
	if _, err := r.RoundTrip(req); !errors.Is(err, reason) || len(r.Played()) != 0 {
		t.Errorf("a request that was cancelled: %v, played %v", err, r.Played())
	}
	if body.closed == 0 {
		t.Error("the request's body was not closed")
	}
	req.Body = io.NopCloser(broken{io.ErrClosedPipe})
	if _, err := r.RoundTrip(req); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a body that cannot be read: %v", err)
	}
	if _, err := r.RoundTrip(&http.Request{}); err == nil {
		t.Error("a request without a URL was answered")
	}
}

func TestReplayerInUseByMany(t *testing.T) {
	const users, each = 8, 50
	var list []Exchange
	for n := range each {
		for user := range users {
			list = append(list, get(fmt.Sprintf("%s/%d/events?ack=%d", app, user, n), fmt.Sprint(n)))
		}
	}
	r := NewReplayer(tape(list...))
	var group sync.WaitGroup
	for user := range users {
		group.Go(func() {
			for n := range each {
				if got := play(t, r, fmt.Sprintf("GET %s/%d/events?ack=%d", app, user, n)); got != fmt.Sprint(n) {
					t.Errorf("user %d, ack %d: got %s", user, n, got)
				}
				r.Unplayed()
			}
		})
	}
	group.Wait()
	if got := len(r.Played()); got != users*each {
		t.Errorf("%d were played, want %d", got, users*each)
	}
}

func TestMiss(t *testing.T) {
	presence := exchange("POST", app+"/me/presence", `{"availability":"Online","password":"hunter22","n":1}`, 204, "")
	c := func() *Cassette {
		return tape(
			get(app, "{}"), presence, get(app+"/events?ack=1&timeout=180", "{}"), get(app+"/events?ack=2&timeout=180", "{}"),
			exchange("POST", app+"/form", "grant_type=password&password=hunter2", 200, "{}"), exchange("POST", app+"/me/reset", "", 204, ""),
			get("https://ucwa.example/token?access_token=one", "{}"), get("https://ucwa.example/twice", "1"), get("https://ucwa.example/twice", "2"))
	}
	for _, test := range []struct {
		name   string
		before []string
		send   string
		want   string
	}{
		{"path", nil, "GET " + app + "/me", "tape: no recorded answer to GET " + app + "/me; nearest is exchange 1, GET " + app +
			": path: recorded /ucwa/oauth/v1/applications/104, sent /ucwa/oauth/v1/applications/104/me; 9 of 9 exchanges are unplayed: send what was recorded, or record again"},
		{"method", nil, "DELETE " + app, "nearest is exchange 1, GET " + app + ": method: recorded GET, sent DELETE; 9 of 9"},
		{"host and scheme", nil, "GET " + strings.Replace(app, "https://ucwa", "http://pool", 1), "exchange 1, GET " + app + ": scheme: recorded https, sent http; host: recorded ucwa.example, sent pool.example; 9 of 9"},
		{"body", nil, "POST " + app + `/me/presence {"availability":"Busy","password":"letmein1","x":null}`, "exchange 2, POST " + app + `/me/presence: ` +
			`body: "availability": recorded "Online", sent "Busy"; body: "n": recorded 1, not sent; body: "password": recorded a secret, sent a secret; body: "x": not recorded, sent null; 9 of 9`},
		{"form", nil, "POST " + app + "/form grant_type=password&password=letmein", "body: recorded 36 bytes, sent 36, first different at byte 30; 9 of 9"},
		{"body not sent", nil, "POST " + app + "/form", "exchange 5, POST " + app + "/form: body: recorded 36 bytes, sent none; 9 of 9"},
		{"body not recorded", nil, "POST " + app + "/me/reset {}", "exchange 6, POST " + app + "/me/reset: body: recorded none, sent 2 bytes; 9 of 9"},
		{"already played", []string{"GET " + app}, "GET " + app, "exchange 1, GET " + app + ": it was already played; 8 of 9"},
		{"already played twice", []string{"GET https://ucwa.example/twice", "GET https://ucwa.example/twice"}, "GET https://ucwa.example/twice", "exchange 9, GET https://ucwa.example/twice: it was already played; 7 of 9"},
		{"query", nil, "GET " + app + "/events?ack=1&priority=2", "exchange 3, GET " + app + "/events?ack=1&timeout=180: query priority: not recorded, sent 2; query timeout: recorded 180, not sent; 9 of 9"},
		{"channel out of order", nil, "GET " + app + "/events?ack=2&timeout=180", "exchange 4, GET " + app + "/events?ack=2&timeout=180: it is out of order: the next on its event channel is exchange 3 (ack=1); 9 of 9"},
		{"channel, not recorded", []string{"GET " + app + "/events?ack=1&timeout=180"}, "GET " + app + "/events?ack=3&timeout=180", "exchange 4, GET " + app + "/events?ack=2&timeout=180: query ack: recorded 2, sent 3; 8 of 9"},
		{"tokens", nil, "GET https://ucwa.example/cwt=letmein1?cwt=letmein2", "GET https://ucwa.example/cwt=REDACTED-1?cwt=REDACTED-2; nearest is exchange 8, GET https://ucwa.example/twice: " +
			"path: recorded /twice, sent /cwt=REDACTED-1; query cwt: not recorded, sent a secret; 9 of 9"},
		{"secret in a query", nil, "GET https://ucwa.example/token?access_token=two", "GET https://ucwa.example/token?access_token=REDACTED-1; nearest is exchange 7, GET https://ucwa.example/token?access_token=REDACTED-1: query access_token: recorded a secret, sent a secret; 9 of 9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := NewReplayer(c())
			for _, line := range test.before {
				play(t, r, line)
			}
			parts := strings.SplitN(test.send+"  ", " ", 3)
			client := &http.Client{Transport: r}
			_, err := client.Do(request(t, parts[0], parts[1], strings.TrimSpace(parts[2])))
			var miss *Miss
			if !errors.As(err, &miss) {
				t.Fatalf("got %v, want a *Miss", err)
			}
			if got := miss.Error(); !strings.Contains(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if got := len(r.Played()); got != len(test.before) {
				t.Errorf("a miss played an exchange: %v", r.Played())
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(miss.Error(), "letmein") {
				t.Errorf("shows a secret: %v", err)
			}
		})
	}
	empty := NewReplayer(tape())
	if got, want := play(t, empty, "GET "+app), "[tape: no recorded answer to GET "+app+"; 0 of 0 exchanges are unplayed: send what was recorded, or record again]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
