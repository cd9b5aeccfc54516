package suite

import (
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/reports"
)

const applicationGone = `{"code":"NotFound","subcode":"ApplicationNotFound","message":"The application does not exist."}`

// pendingAtEnd returns a session whose last pending GET ends with the application: it is
// answered 404, before the DELETE's own answer comes or after it.
func pendingAtEnd(t *testing.T, before bool) *cassettes.Cassette {
	t.Helper()
	session := someone(t)
	end := len(session) - 1
	for session[end].Request.Method != "DELETE" {
		end--
	}
	session = session[:end+1]
	var pending cassettes.Exchange
	for _, x := range session {
		if x.Request.Method == "GET" && strings.Contains(x.Request.URL, "/events?") {
			pending = (&cassettes.Cassette{Exchanges: []cassettes.Exchange{x}}).Redacted().Exchanges[0]
			next := ackIn.FindAllString(x.Response.Body, -1)
			pending.Request.URL = ackIn.ReplaceAllString(x.Request.URL, next[len(next)-1])
		}
	}
	pending.Response.Code, pending.Response.Status, pending.Response.Body = 404, "404 Not Found", applicationGone
	pending.Response.ContentLength = int64(len(applicationGone))
	delete(pending.Response.Headers, "Content-Length")
	c := &cassettes.Cassette{Name: "race", Exchanges: session}
	if before {
		c.Exchanges = append(session[:end:end], pending, session[end])
	} else {
		c.Exchanges = append(c.Exchanges, pending)
	}
	return c
}

// TestPendingAtEnd holds that a pending GET which ends with the application is held
// against nobody, whichever answer comes first.
func TestPendingAtEnd(t *testing.T) {
	want := verdictsOn(t, locateAll(t, pendingAtEnd(t, false))[0])
	for id, v := range want {
		if v == reports.Fail || v == reports.Warn || v == reports.Error || v == reports.Blocked {
			t.Errorf("answered after the DELETE: %s: %s", id, v)
		}
	}
	for id, v := range verdictsOn(t, locateAll(t, pendingAtEnd(t, true))[0]) {
		if v != want[id] {
			t.Errorf("answered before the DELETE: %s: %s, after it %s", id, v, want[id])
		}
	}
}
