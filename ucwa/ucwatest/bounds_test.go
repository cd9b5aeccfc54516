package ucwatest

import (
	"testing"
)

// TestTokensAreBounded holds that one user cannot fill the server with tokens, and that
// the latest ones are good.
func TestTokensAreBounded(t *testing.T) {
	s := New(Config{})
	u := User{Name: "Dana", URI: "sip:dana@contoso.com"}
	first := s.AddUser(u)
	other := s.AddUser(User{Name: "Lee", URI: "sip:lee@contoso.com"})
	last := ""
	for range maxTokens {
		last = s.AddUser(u)
	}
	if len(s.tokens) != maxTokens+1 {
		t.Errorf("%d tokens, expected %d", len(s.tokens), maxTokens+1)
	}
	for token, want := range map[string]bool{first: false, last: true, other: true} {
		if _, good := s.tokens[token]; good != want {
			t.Errorf("a token is good: %t, expected %t", good, want)
		}
	}
}
