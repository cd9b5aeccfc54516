package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"golang.org/x/time/rate"
)

// TestPageAnswersNoOtherSite holds that the live page is shown to a person at it alone: not through the cross-domain frame, nor to another
// page, nor to who names no host; also where it is open to all.
func TestPageAnswersNoOtherSite(t *testing.T) {
	for _, open := range []string{"local", "any"} {
		h := newHost(hostConfig{page: open, names: []string{"localhost"}})
		t.Cleanup(h.close)
		for name, test := range map[string]struct {
			edit func(*http.Request)
			code int
		}{
			"a person":        {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, 200},
			"its own script":  {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }, 200},
			"no browser":      {func(*http.Request) {}, 200},
			"the frame":       {func(r *http.Request) { r.Header.Set("X-Ms-Origin", "https://evil.example") }, 403},
			"another site":    {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
			"a sister domain": {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, 403},
			"no host":         {func(r *http.Request) { r.Host = "" }, 403},
		} {
			r := httptest.NewRequest(http.MethodGet, "https://localhost"+pagePath, nil)
			r.RemoteAddr = "127.0.0.1:5000"
			test.edit(r)
			w := httptest.NewRecorder()
			h.handler.ServeHTTP(w, r)
			if w.Code != test.code {
				t.Errorf("page %s, %s: %d, expected %d", open, name, w.Code, test.code)
			}
		}
	}
}

// TestLogShowsNoSecret holds that neither the log nor the page shows the password of a user or a token, wherever a client puts it.
func TestLogShowsNoSecret(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	h := newHost(hostConfig{page: "any", exchanges: true, tell: func(line string) { mu.Lock(); lines = append(lines, line); mu.Unlock() }, users: []ucwatest.User{builtIn}})
	t.Cleanup(h.close)
	const password, token = "Passw0rd-of-Dana", "AAEBAW9fb3JhbmdlLXNlY3JldC8rPT0tdG9rZW4tb2YtRGFuYQ"
	for _, path := range []string{"/" + password, "/x/" + url.PathEscape(url.PathEscape(password)), "/cwt=" + token, "/ucwa/" + token + "/me", "/" + strings.ReplaceAll(token, "A", "%41"), "/%2563wt%253D" + token} {
		for _, agent := range []string{"ok/1.0", password, "x/" + password} {
			r := httptest.NewRequest(http.MethodGet, "https://localhost"+path, nil)
			r.Header.Set("User-Agent", agent)
			h.handler.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "https://localhost"+pagePath, nil)
	r.RemoteAddr = "127.0.0.1:5000"
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	mu.Lock()
	defer mu.Unlock()
	shown := strings.Join(lines, "\n") + w.Body.String()
	if len(lines) < 18 || strings.Contains(shown, password) || strings.Contains(shown, token[10:30]) {
		t.Errorf("%d lines show\n%s", len(lines), shown)
	}
}

// TestGuessesAreSlow holds that answers which refuse a token wait for their turn, and others do not.
func TestGuessesAreSlow(t *testing.T) {
	for status, waits := range map[int]bool{http.StatusBadRequest: true, http.StatusOK: false} {
		guesses := rate.NewLimiter(rate.Every(time.Hour), 1)
		w := &slowWriter{httptest.NewRecorder(), t.Context(), guesses}
		w.WriteHeader(status)
		if left := guesses.Tokens() >= 1; left == waits {
			t.Errorf("%d: it waits %t, expected %t", status, !left, waits)
		}
	}
}

// TestUsersOfOthers holds that a users file which others can write is refused.
func TestUsersOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has no modes")
	}
	path := filepath.Join(t.TempDir(), "users.yaml")
	if err := os.WriteFile(path, []byte("- {sip: sip:dana@contoso.com, password: Passw0rd-of-Dana}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := usersFrom(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := usersFrom(path); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
		t.Errorf("%v", err)
	}
}
