package suite

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"golang.org/x/time/rate"
)

// TestSigningPace holds that requests of the sign-in are told of, and wait for the
// limiter, as all others.
func TestSigningPace(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{SignIn: &ucwatest.SignIn{}})
	server.AddUser(ucwatest.User{Name: "Dana", URI: "sip:dana@contoso.com", Password: "Passw0rd-of-Dana"})
	var mu sync.Mutex
	var asked []time.Time
	running, err := ucwatest.Start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, time.Now())
		mu.Unlock()
		server.ServeHTTP(w, r)
	}), ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	const pause = 10 * time.Millisecond
	var told []string
	e := Gather(context.Background(), Target{
		Tasks:    []string{"create-application"},
		SignIn:   &ucwa.SignIn{Start: running.URL, Credentials: ucwa.Credentials{Username: "dana@contoso.com", Password: "Passw0rd-of-Dana"}},
		Limiter:  rate.NewLimiter(rate.Every(pause), 1),
		Progress: func(w Waiting) { told = append(told, w.Task+" "+w.Step+": "+w.For) },
	})[0]
	mu.Lock()
	defer mu.Unlock()
	if len(asked) != len(e.Exchanges) || len(asked) < 10 || server.Applications() != 0 {
		t.Fatalf("%d requests, %d exchanges, %d applications left: %q", len(asked), len(e.Exchanges), server.Applications(), e.Notes)
	}
	if took := asked[len(asked)-1].Sub(asked[0]); took < time.Duration(len(asked)-2)*pause {
		t.Errorf("%d requests within %s", len(asked), took)
	}
	for _, want := range []string{"create-application 1: GET " + running.URL, "create-application 2: GET ", "create-application 4: GET ", "create-application 3: POST " + running.URL + "/WebTicket/oauthtoken",
		"create-application 5: POST applications", "create-application refusal: POST "} {
		if !strings.Contains(strings.Join(told, "\n"), want) {
			t.Errorf("nothing tells of %s: %q", want, told)
		}
	}
	if strings.Contains(strings.Join(told, "\n"), "Passw0rd") {
		t.Errorf("the password is told: %q", told)
	}
}
