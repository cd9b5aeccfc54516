package prove

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestLive holds that the faults of servers are caught on a server that is only
// known by its address, too, and that nothing is left on it.
func TestLive(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{EventTimeout: eventTimeout})
	absolute := Variations()[0]
	for _, v := range Variations() {
		if v.Name == "hrefs-absolute" {
			absolute = v
		}
	}
	live := liveOn(t, server, Vary(server, absolute).ServeHTTP)
	// Another application of the user, who is busy there.
	href, err := server.CreateApplication(live.Token, "conform", "en-US", "3fa85f64-5717-4562-b3fc-2c963f66afa6")
	if err != nil {
		t.Fatal(err)
	}
	begin, err := ucwa.Begin(strings.TrimSuffix(live.Applications, "/ucwa/oauth/v1/applications") + href)
	if err != nil {
		t.Fatal(err)
	}
	client := &ucwa.Client{Token: live.Token, HTTP: &http.Client{Transport: live.Transport}}
	me := func() *ucwa.Resource {
		app, err := client.Get(t.Context(), begin)
		if err != nil {
			t.Fatal(err)
		}
		return app.Embed("me")
	}
	if err := client.MakeMeAvailable(t.Context(), me()); err != nil {
		t.Fatal(err)
	}
	if err := client.SetPresence(t.Context(), me(), ucwa.PreferBusy); err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		t.Skip("it drives hundreds of faults")
	}
	p, err := Run(context.Background(), Options{Live: live, Names: oneOfEach()})
	if err != nil {
		t.Fatal(err)
	}
	caught := 0
	for _, x := range p.Trials {
		switch {
		case x.Kind != "server":
			t.Errorf("%s is no fault of a server", x.Name)
		case x.Problem != "":
			t.Errorf("%s (%s): %s", x.Name, x.Does, x.Problem)
		case x.Skipped == "":
			caught++
		}
	}
	// Without other users, and without an origin, some refusals cannot be had.
	if caught < 150 {
		t.Errorf("only %d faults were caught", caught)
	}
	if n := server.Applications(); n != 1 {
		t.Errorf("%d applications are left on the server, expected the user's own", n)
	}
	if now, err := client.Presence(t.Context(), me()); now != ucwa.Busy || len(p.Unsound) > 0 {
		t.Errorf("the user was Busy before, and is %q, %v; without a fault it fails %v", now, err, p.Unsound)
	}
}

// oneOfEach names every fault that a person wrote, and of those that follow from checks one for each step and what is wrong there.
// With CONFORM_PROVE=all, as in .ci/run, it names all.
func oneOfEach() []string {
	if os.Getenv("CONFORM_PROVE") == "all" {
		return nil
	}
	var names []string
	tried := map[string]bool{}
	for _, f := range Faults() {
		_, what, _ := strings.Cut(f.Name, "/")
		of := strings.Join(append(strings.SplitN(f.Requirement, ".", 3)[:2], what), " ")
		if f.derived == nil || !tried[of] {
			names = append(names, f.Name)
		}
		tried[of] = true
	}
	return names
}

// TestLiveRefused holds that a server which cannot be proved on is an error.
func TestLiveRefused(t *testing.T) {
	running, err := ucwatest.Start(http.NotFoundHandler(), ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	for url, says := range map[string]string{
		running.URL + "/applications": "creating an application",
		"pool.contoso.com":            "absolute http or https URL",
		"https://dana:secret@pool/":   "user information",
	} {
		_, err := Run(context.Background(), Options{Live: &Live{Applications: url, Token: "cwt=AAEB"}})
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, expected an error that says %q", url, err, says)
		}
	}
}

// TestLiveBroken holds that what could not be tried is no proof.
func TestLiveBroken(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{EventTimeout: eventTimeout})
	const secret = "access_token=SECRETQ"
	live := liveOn(t, server, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		server.ServeHTTP(w, r)
	})
	live.Applications += "?" + secret
	p, err := Run(context.Background(), Options{Live: live})
	if err != nil {
		t.Fatal(err)
	}
	proved, _ := p.Proved()
	if len(p.Unsound) == 0 || p.Tried() > 10 || proved > p.Tried() {
		t.Errorf("every GET fails, and %d faults were tried, %d requirements proved; without a fault it fails %v", p.Tried(), proved, p.Unsound)
	}
	for _, format := range Formats() {
		var b strings.Builder
		if err := Write(&b, p, format); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); !strings.Contains(text, "not tried") && format != "json" || strings.Contains(text, "SECRETQ") || strings.Contains(text, "go generate") {
			t.Errorf("%s does not say what was not tried, shows the query of the URL, or passes for the published page:\n%s", format, text)
		}
	}
}

// TestLiveEscaped holds that a server whose absolute hrefs are escaped in JSON can be
// proved on, and TestLive that the user keeps the presence of before.
func TestLiveEscaped(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{EventTimeout: eventTimeout})
	var list []Variation
	for _, v := range Variations() {
		if v.Name == "hrefs-absolute" || v.Name == "json-escaped" {
			list = append(list, v)
		}
	}
	live := liveOn(t, server, Vary(server, list...).ServeHTTP)
	p, err := Run(context.Background(), Options{Live: live, Names: []string{"set-presence.6.status/200", "4.links.self/another", "me.uri/"}})
	if err != nil || len(p.Unsound) > 0 || len(p.Problems()) > 0 || p.Tried() < 4 {
		t.Fatalf("%v; %d tried; without a fault it fails %v; %v", err, p.Tried(), p.Unsound, p.Problems())
	}
}

// TestLiveHangs holds that the first failure ends all, in the time that was given for
// one answer, and that it does not show the query of the URL.
func TestLiveHangs(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{EventTimeout: eventTimeout})
	var made atomic.Int32
	live := liveOn(t, server, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/applications") && made.Add(1) > 3 {
			<-r.Context().Done()
			return
		}
		server.ServeHTTP(w, r)
	})
	live.Applications += "?access_token=SECRETQ"
	live.RequestTimeout = 200 * time.Millisecond
	_, err := Run(context.Background(), Options{Live: live, Names: []string{"6.status/20", "6.read/"}})
	if err == nil || strings.Contains(err.Error(), "SECRETQ") || !strings.Contains(err.Error(), "creating an application") {
		t.Errorf("%v", err)
	}
	if n := made.Load(); n > 6 { // the fault at which it hung, and what gives the presence back
		t.Errorf("%d applications were asked for, though the server hung at the fourth", n)
	}
}

// liveOn serves a handler, and names it as somebody's server with one user.
func liveOn(t *testing.T, server *ucwatest.Server, h http.HandlerFunc) *Live {
	t.Helper()
	running, err := ucwatest.StartTLS(h, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	return &Live{Applications: running.URL + "/ucwa/oauth/v1/applications", Transport: running.Client().Transport,
		Token: server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com"}), EventWait: patience}
}

// TestLiveUsers holds that several users are used at the same time, that each has back what was theirs, and that an interrupt keeps what was tried.
func TestLiveUsers(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{EventTimeout: eventTimeout})
	var mu sync.Mutex
	there, most := map[string]int{}, 0 // applications of each user, and how many users had one at the same time
	live := liveOn(t, server, func(w http.ResponseWriter, r *http.Request) {
		token, begins := r.Header.Get("Authorization"), r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/applications")
		if begins || r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/applications/") && strings.Count(r.URL.Path, "/") == 5 {
			mu.Lock()
			if begins {
				there[token]++
			} else if there[token]--; there[token] <= 0 {
				delete(there, token)
			}
			most = max(most, len(there))
			mu.Unlock()
		}
		server.ServeHTTP(w, r)
	})
	users := []string{live.Token}
	for _, name := range []string{"lee", "kim"} {
		users = append(users, server.AddUser(ucwatest.User{Name: name, URI: "sip:" + name + "@contoso.com"}))
	}
	live.Others = users[1:]
	presence := func(token string, set ucwa.PreferredAvailability) ucwa.Availability {
		href, err := server.CreateApplication(token, "conform", "en-US", "3fa85f64-5717-4562-b3fc-2c963f66afa6")
		if err != nil {
			t.Fatal(err)
		}
		begin, err := ucwa.Begin(strings.TrimSuffix(live.Applications, "/ucwa/oauth/v1/applications") + href)
		if err != nil {
			t.Fatal(err)
		}
		client := &ucwa.Client{Token: token, HTTP: &http.Client{Transport: live.Transport}}
		me := func() *ucwa.Resource {
			app, err := client.Get(t.Context(), begin)
			if err != nil {
				t.Fatal(err)
			}
			return app.Embed("me")
		}
		_ = client.MakeMeAvailable(t.Context(), me()) // refused where the user is available already
		if set != "" {
			if err := client.SetPresence(t.Context(), me(), set); err != nil {
				t.Fatal(err)
			}
		}
		now, err := client.Presence(t.Context(), me())
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	had := []ucwa.Availability{presence(users[0], ucwa.PreferBusy), presence(users[1], ucwa.PreferAway), presence(users[2], ucwa.PreferDoNotDisturb)}
	before := server.Applications()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, err := Run(ctx, Options{Live: live, Names: []string{"set-presence.6."}, Progress: func(done, _ int) {
		if done == 6 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || p == nil || !p.Interrupted {
		t.Fatalf("%v, %+v", err, p)
	}
	tried := 0
	for _, x := range p.Trials {
		if x.Problem != "" {
			t.Errorf("%s: %s", x.Name, x.Problem)
		}
		if x.Skipped == "" {
			tried++
		}
	}
	if tried < 1 || tried == len(p.Trials) || tried != p.Tried() {
		t.Errorf("%d of %d trials were made", tried, len(p.Trials))
	}
	if most < 2 {
		t.Errorf("%d user had an application at a time", most)
	}
	if n := server.Applications(); n != before {
		t.Errorf("%d applications are there, and %d were before", n, before)
	}
	for i, token := range users {
		if now := presence(token, ""); now != had[i] {
			t.Errorf("user %d was %s, and is %s", i+1, had[i], now)
		}
	}
	var b strings.Builder
	if err := Write(&b, p, "text"); err != nil || !strings.Contains(b.String(), "interrupted after ") {
		t.Errorf("%v: %s", err, b.String())
	}
	live.Others = []string{live.Token}
	if _, err := Run(t.Context(), Options{Live: live, Names: []string{"set-presence.6."}}); err == nil || !strings.Contains(err.Error(), "two of the tokens are the same") {
		t.Errorf("one token twice: %v", err)
	}
}
