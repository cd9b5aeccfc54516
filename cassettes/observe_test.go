package cassettes_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// observed serves h on a TLS socket, and returns a client that dials it for every name,
// and what was kept so far.
func observed(t *testing.T, h http.HandlerFunc) (*ucwatest.Running, func() []cassettes.Exchange, *sync.WaitGroup) {
	t.Helper()
	var mu sync.Mutex
	var list []cassettes.Exchange
	handler := cassettes.Observed(h, func(x cassettes.Exchange) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, x)
	})
	serving := new(sync.WaitGroup)
	running, err := ucwatest.StartTLS(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serving.Add(1)
		defer serving.Done()
		handler.ServeHTTP(w, r)
	}), ucwatest.Options{ErrorLog: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	return running, func() []cassettes.Exchange {
		mu.Lock()
		defer mu.Unlock()
		return list
	}, serving
}

// TestObserved: what the server saw stands in the record before the client has its
// answer, and the client has the answer that the handler gave.
func TestObserved(t *testing.T) {
	running, kept, _ := observed(t, func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Added", "by the handler")
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusCreated)
		w.WriteHeader(http.StatusTeapot) // too late
		_, _ = w.Write(append([]byte("you said "), body...))
		w.Header().Set("X-Late", "not sent")
	})
	r, err := http.NewRequest(http.MethodPost, running.URL+"/a%2fb?q=1", strings.NewReader("grant_type=password&password=x"))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "contoso.com"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := running.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	list := kept() // no waiting: it was kept first
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || res.StatusCode != 201 || string(body) != "you said grant_type=password&password=x" {
		t.Errorf("the client got %s, %q, %v", res.Status, body, err)
	}
	if len(list) != 1 {
		t.Fatalf("%d exchanges, expected 1", len(list))
	}
	x := list[0]
	// TLS tells where the client meant to go; the Host field stands beside it.
	if x.Request.URL != "https://localhost/a%2fb?q=1" || x.Request.Host != "contoso.com" || x.Request.Method != "POST" ||
		x.Request.Body != "grant_type=password&password=x" || x.Request.Form.Get("password") != "x" || x.Request.Headers.Get("X-Added") != "" {
		t.Errorf("request %+v", x.Request)
	}
	if x.Response.Code != 201 || x.Response.Body != string(body) || x.Response.Headers.Get("X-Late") != "" || x.Response.Headers.Get("Content-Type") != "text/plain" || x.Failure != "" {
		t.Errorf("response %+v, failure %q", x.Response, x.Failure)
	}
}

// TestObservedEnds: what does not come to a whole answer, or is too long to keep, is told.
func TestObservedEnds(t *testing.T) {
	for name, c := range map[string]struct {
		serve   http.HandlerFunc
		send    string
		failure string // in the record
		body    string // of the request, in the record
		status  int    // that the client sees, 0 if none
	}{
		"nothing said":      {func(http.ResponseWriter, *http.Request) {}, "", "", "", 200},
		"body not read":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, "unread", "", "unread", 403},
		"body much too big": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(413) }, strings.Repeat("x", 1<<20), "", "", 413},
		"broken off":        {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "", "broke the connection off", "", 0},
		"answer too long": {func(w http.ResponseWriter, _ *http.Request) {
			for range 5 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		}, "", "longer than", "", 200},
		"behind the back": {func(w http.ResponseWriter, _ *http.Request) {
			connection, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(connection, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
				_ = connection.Close()
			}
		}, "", "where it is not recorded", "", 204},
	} {
		running, kept, serving := observed(t, c.serve)
		res, err := running.Client().Post(running.URL, "text/plain", strings.NewReader(c.send))
		status := 0
		if err == nil {
			status = res.StatusCode
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		running.Close() // the record of what breaks off may come after the client knows
		serving.Wait()  // and nobody waits for a handler that took its connection
		list := kept()
		if len(list) != 1 {
			t.Errorf("%s: %d exchanges, expected 1", name, len(list))
			continue
		}
		x := list[0]
		if status != c.status || (x.Failure == "") != (c.failure == "") || !strings.Contains(x.Failure, c.failure) || x.Request.Body != c.body || len(x.Response.Body) > cassettes.MaxBody {
			t.Errorf("%s: the client saw %d (expected %d), failure %q, body of %d bytes", name, status, c.status, x.Failure, len(x.Request.Body))
		}
	}
}

// TestObservedHangUp: a client that does not wait leaves an exchange without an answer.
func TestObservedHangUp(t *testing.T) {
	began, gone := make(chan struct{}), make(chan struct{})
	running, kept, _ := observed(t, func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		<-gone // an answer between the client's last word and its end would still reach it
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, running.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = running.Client().Do(r)
	close(gone)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, expected the client to give up", err)
	}
	running.Close()
	if list := kept(); len(list) != 1 || !strings.Contains(list[0].Failure, context.Canceled.Error()) {
		t.Errorf("%+v, expected one exchange that was given up", list)
	}
}

// TestObservedHost: whatever a client calls the server, the record has a URL.
func TestObservedHost(t *testing.T) {
	for _, host := range []string{"", "[::1", "a b", "%zz", "x:y:z"} {
		plain, err := ucwatest.Start(cassettes.Observed(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), func(x cassettes.Exchange) {
			c := &cassettes.Cassette{Name: "host", Exchanges: []cassettes.Exchange{x}}
			if _, err := c.Encode(); err != nil {
				t.Errorf("Host %q: %v", host, err)
			}
		}), ucwatest.Options{ErrorLog: log.New(io.Discard, "", 0)})
		if err != nil {
			t.Fatal(err)
		}
		connection, err := net.Dial("tcp", strings.TrimPrefix(plain.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(connection, "GET /x HTTP/1.0\r\nHost: "+host+"\r\n\r\n")
		_, _ = io.ReadAll(connection)
		_ = connection.Close()
		plain.Close()
	}
}
