package ucwa_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// inMemory hands requests to a handler without a socket, so that a test's time can
// stand still, and notes the forms posted to the token endpoint.
type inMemory struct {
	http.Handler
	posted []url.Values
	down   bool
}

func (m *inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.down {
		return nil, errors.New("the network is down")
	}
	asked := r
	r = r.Clone(r.Context())
	r.Host, r.RequestURI, r.TLS = r.URL.Host, r.URL.RequestURI(), &tls.ConnectionState{}
	r.URL, _ = url.ParseRequestURI(r.RequestURI)
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		if form, _ := url.ParseQuery(string(body)); form.Get("grant_type") != "" {
			m.posted = append(m.posted, form)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	res := w.Result()
	res.Request = asked
	return res, nil
}

// TestFreshToken: a client that lives on has a good token at all times, and asks for
// no more of them than it needs.
func TestFreshToken(t *testing.T) {
	for name, credentials := range map[string]ucwa.Credentials{
		"password": byPassword,
		"guest":    {Conference: meeting, Password: "K3Y"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := ucwatest.New(ucwatest.Config{SignIn: &ucwatest.SignIn{TokenLife: time.Hour, Meetings: map[string]string{meeting: "K3Y"}}})
				server.AddUser(dana)
				m := &inMemory{Handler: server}
				s := &ucwa.SignIn{Start: web, Credentials: credentials, Client: ucwa.Client{HTTP: &http.Client{Transport: m}}}
				client, applications, err := s.Open(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				ask := func(tokens int, fails bool) {
					t.Helper()
					res, err := client.Do(t.Context(), "POST", applications, map[string]string{})
					if failed := err != nil; failed != fails || !failed && res.Status != 400 { // signed in, and then asked for its parameters
						t.Fatalf("%v, %v", res, err)
					}
					if len(m.posted) != tokens {
						t.Fatalf("%d tokens were asked for, want %d", len(m.posted), tokens)
					}
				}
				ask(1, false)
				time.Sleep(54 * time.Minute)
				ask(1, false)
				time.Sleep(2 * time.Minute)
				ask(2, false)
				ask(2, false)
				if renewed := m.posted[1].Get("ms_rtc_renew") != ""; renewed != (name == "guest") {
					t.Errorf("posted %v", m.posted[1])
				}
				time.Sleep(24 * time.Hour) // the machine slept
				ask(3, false)
				if m.posted[2].Get("ms_rtc_renew") != "" {
					t.Error("an expired token was to be renewed")
				}

				// While the old token is good, a failure to get a fresh one does not show.
				time.Sleep(56 * time.Minute)
				old, err := s.TokenFor(t.Context(), applications)
				if err != nil || len(m.posted) != 4 {
					t.Fatal(err)
				}
				time.Sleep(56 * time.Minute)
				m.down = true
				now, err := s.TokenFor(t.Context(), applications)
				if err != nil || now.Value != old.Value {
					t.Errorf("%v, %v", now, err)
				}
				m.down = false
				ask(4, false) // not at once again
				time.Sleep(61 * time.Second)
				ask(5, false)
				m.down = true
				time.Sleep(2 * time.Hour)
				ask(5, true)
				m.down = false
				ask(6, false)
			})
		})
	}
}

// TestPasswordChanged: a password that is refused once is not sent again.
func TestPasswordChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := ucwatest.New(ucwatest.Config{SignIn: &ucwatest.SignIn{TokenLife: time.Hour}})
		server.AddUser(dana)
		m := &inMemory{Handler: server}
		s := &ucwa.SignIn{Start: web, Credentials: byPassword, Client: ucwa.Client{HTTP: &http.Client{Transport: m}}}
		_, applications, err := s.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		changed := ucwatest.New(ucwatest.Config{SignIn: &ucwatest.SignIn{}})
		m.Handler = changed
		time.Sleep(56 * time.Minute)
		for range 10 {
			if _, err := s.TokenFor(t.Context(), applications); err != nil { // the old one is good still
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Hour)
		for range 10 {
			if _, err := s.TokenFor(t.Context(), applications); !errors.As(err, new(*ucwa.TokenError)) {
				t.Fatal(err)
			}
		}
		if len(m.posted) != 2 {
			t.Errorf("%d requests for tokens", len(m.posted))
		}
	})
}
