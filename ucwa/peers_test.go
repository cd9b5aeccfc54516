//go:build unix

package ucwa_test

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest/peers"
)

// frontEnd starts a reference server, and an httpd before it that asks at the token
// endpoint who the user is. It returns the httpd's URL.
func frontEnd(t *testing.T, httpd peers.Httpd) string {
	t.Helper()
	server := ucwatest.New(ucwatest.Config{SignIn: &ucwatest.SignIn{FrontEndUser: peers.UserHeader}})
	server.AddUser(dana)
	server.AddUser(ucwatest.User{URI: "sip:lee@contoso.com", Windows: "lee@" + peers.Realm})
	behind, err := ucwatest.Start(server, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(behind.Close)
	httpd.Behind = behind.URL
	_, port, _ := net.SplitHostPort(httpd.Start(t))
	return "http://localhost:" + port
}

// passingOn is a network that a front end's clients reach by its real address.
func passingOn(t *testing.T) *network {
	n := newNetwork(t)
	n.real = true
	return n
}

func TestNTLMPeer(t *testing.T) {
	front := frontEnd(t, peers.Httpd{NTLM: "CONTOSO:dana:" + password})

	n := passingOn(t)
	third := regexp.MustCompile(`Authorization:\[(NTLM|Negotiate) TlRMTVNTUAAD`)
	t.Run("right password", func(t *testing.T) {
		n.reset()
		s := signInTo(n, ucwa.Credentials{Grant: ucwa.GrantWindows, Username: `CONTOSO\dana`, Password: password})
		s.Start = front
		client, applications, err := s.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		app, err := client.Create(t.Context(), applications, ucwa.NewApplication{UserAgent: "UCWA Samples"})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.End(t.Context(), app); err != nil {
			t.Error(err)
		}
		post := "POST " + front + tokenPath + " " + ucwa.GrantWindows
		n.wants("GET "+front+" 200", "GET "+front+userPath+" 401", post+" 401", post+" +token 401", post+" +token 200",
			"GET "+front+userPath+" +token 200", "POST "+front+appsPath+" +token 201", "DELETE "+front+app.Link("self").Href+" +token 204")
		if all := n.all.String(); len(third.FindAllString(all, -1)) != 1 || strings.Contains(all, password) || strings.Contains(all, "Basic ") {
			t.Errorf("sent %s", all)
		}
		// The connection that was signed in is gone: the next request is nobody's.
		issuer := &ucwa.Issuer{URL: parseURL(front + tokenPath)}
		s = signInTo(n, ucwa.Credentials{})
		res, err := s.Post(t.Context(), issuer, url.Values{"grant_type": {ucwa.GrantWindows}})
		if err != nil || res.Status != 401 {
			t.Errorf("%v, %v", res, err)
		}
	})
	t.Run("nothing between it and the network", func(t *testing.T) {
		s := signInTo(n, ucwa.Credentials{Grant: ucwa.GrantWindows, Username: `CONTOSO\dana`, Password: password})
		s.Start = front
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		s.Client.HTTP = &http.Client{Transport: transport}
		if _, _, err := s.Open(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		n.reset()
		s := signInTo(n, ucwa.Credentials{Grant: ucwa.GrantWindows, Username: `CONTOSO\dana`, Password: "wrong"})
		s.Start = front
		for range 3 {
			_, _, err := s.Open(t.Context())
			if e := (*ucwa.TokenError)(nil); !errors.As(err, &e) || e.Status != 401 || !e.Refused() || !strings.Contains(err.Error(), "password") {
				t.Fatal(err)
			}
		}
		if got := len(third.FindAllString(n.all.String(), -1)); got != 1 {
			t.Errorf("the password was tried %d times", got)
		}
	})
	t.Run("Kerberos comes first", func(t *testing.T) {
		n.reset()
		c := ucwa.Credentials{Grant: ucwa.GrantWindows, Username: `CONTOSO\dana`, Password: password, Kerberos: &ucwa.Kerberos{Config: "/nowhere"}}
		s := signInTo(n, c)
		s.Start = front
		// This httpd offers Negotiate too, which is taken at its word.
		if _, _, err := s.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "kerberos") {
			t.Error(err)
		}
		if strings.Contains(n.all.String(), "Authorization") {
			t.Errorf("sent %s", &n.all)
		}
	})
}

func TestKerberosPeer(t *testing.T) {
	kdc := peers.StartKDC(t, "lee", password, "localhost")
	front := frontEnd(t, peers.Httpd{Kerberos: kdc})
	config := kdc.Config

	n := passingOn(t)
	for _, test := range []struct {
		name        string
		credentials ucwa.Credentials
	}{
		{"password", ucwa.Credentials{Username: "lee@contoso.test", Password: password, Kerberos: &ucwa.Kerberos{Config: config}}},
		{"keytab", ucwa.Credentials{Username: "lee", Kerberos: &ucwa.Kerberos{Config: config, Keytab: kdc.Keytab}}},
		{"cache", ucwa.Credentials{Kerberos: &ucwa.Kerberos{Config: config, Cache: kdc.Cache(t)}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			n.reset()
			s := signInTo(n, test.credentials)
			s.Start = front
			client, applications, err := s.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			app, err := client.Create(t.Context(), applications, ucwa.NewApplication{UserAgent: "UCWA Samples"})
			if err != nil {
				t.Fatal(err)
			}
			if err := client.End(t.Context(), app); err != nil {
				t.Error(err)
			}
			post := "POST " + front + tokenPath + " " + ucwa.GrantWindows
			n.wants("GET "+front+" 200", "GET "+front+userPath+" 401", post+" 401", post+" +token 200",
				"GET "+front+userPath+" +token 200", "POST "+front+appsPath+" +token 201", "DELETE "+front+app.Link("self").Href+" +token 204")
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		n.reset()
		s := signInTo(n, ucwa.Credentials{Username: "lee", Password: "wrong", Kerberos: &ucwa.Kerberos{Config: config}})
		s.Start = front
		for range 3 {
			_, _, err := s.Open(t.Context())
			if e := (*ucwa.TokenError)(nil); !errors.As(err, &e) || !e.Refused() {
				t.Fatal(err)
			}
		}
		log, err := os.ReadFile(kdc.Log)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(log), "PREAUTH_FAILED"); got != 1 {
			t.Errorf("the password was tried %d times: %s", got, log)
		}
		if strings.Contains(n.all.String(), "Authorization") {
			t.Errorf("sent %s", &n.all)
		}
	})
	t.Run("no such user", func(t *testing.T) {
		s := signInTo(n, ucwa.Credentials{Username: "nobody", Password: "x", Kerberos: &ucwa.Kerberos{Config: config}})
		s.Start = front
		if _, _, err := s.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "UNKNOWN") {
			t.Error(err)
		}
	})
	t.Run("no such service", func(t *testing.T) {
		s := signInTo(n, ucwa.Credentials{Username: "lee", Password: password, Kerberos: &ucwa.Kerberos{Config: config, Service: "HTTP/nowhere"}})
		s.Start = front
		if _, _, err := s.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "HTTP/nowhere") {
			t.Error(err)
		}
	})
}
