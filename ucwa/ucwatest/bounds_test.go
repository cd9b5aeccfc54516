package ucwatest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestFollowsSoMany holds that what a rewriter remembers of applications is bounded, that
// paths which somebody makes up take no room, and that a client at work is not forgotten.
func TestFollowsSoMany(t *testing.T) {
	fault, known := FaultNamed("presence-200")
	if !known {
		fault = Faults()[0]
	}
	rw := fault.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "made-up") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		app := applicationPath.FindString(r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"rel":"application","_links":{"self":{"href":"%s"},"events":{"href":"%[1]s/events?ack=1"}}}`, app)
	})).(*rewriter)
	ask := func(id string) {
		r := httptest.NewRequest(http.MethodGet, "/ucwa/oauth/v1/applications/"+id, nil)
		r.Header.Set("User-Agent", "x (probe "+strings.Repeat("a", len(id))+")")
		rw.ServeHTTP(httptest.NewRecorder(), r)
	}
	for i := range mostFollowed + 100 {
		ask(fmt.Sprint(i))
		ask(fmt.Sprint("made-up-", i))
	}
	if len(rw.state) != mostFollowed || len(rw.order) != mostFollowed {
		t.Errorf("%d applications are followed, in an order of %d; expected %d", len(rw.state), len(rw.order), mostFollowed)
	}
	last := rw.state["/ucwa/oauth/v1/applications/"+fmt.Sprint(mostFollowed+99)]
	if last == nil || len(last.rels) == 0 {
		t.Error("the last is not followed")
	}
}

// TestTokensAreBounded holds that one user cannot fill the server with tokens, and that
// the latest ones are good.
func TestTokensAreBounded(t *testing.T) {
	s := New(Config{})
	u := User{Name: "Dana", URI: "sip:dana@contoso.com"}
	first := s.AddUser(u)
	other := s.AddUser(User{Name: "Lee", URI: "sip:lee@contoso.com"})
	last := ""
	for range mostTokens {
		last = s.AddUser(u)
	}
	if len(s.tokens) != mostTokens+1 {
		t.Errorf("%d tokens, expected %d", len(s.tokens), mostTokens+1)
	}
	for token, want := range map[string]bool{first: false, last: true, other: true} {
		if _, good := s.tokens[token]; good != want {
			t.Errorf("a token is good: %t, expected %t", good, want)
		}
	}
}
