package suite

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// signing is the transport of the sign-in. It does for a request what the session does
// for its own: it tells of it, waits for the limiter, gives the answer so much time and
// no more, and asks again where the server says when.
type signing struct{ *session }

// RoundTrip implements http.RoundTripper.
func (t signing) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		_ = req.Body.Close()
	}
	for {
		res, err := t.once(req, body)
		// A leg of NTLM is one of its connection, a ticket is good once, and a password
		// that is sent often can lock the account.
		if err != nil || !isLater(res.StatusCode, res.Header) || carriesCredentials(req, body) ||
			!t.patience.again(t.session, request{req.UserAgent(), req.Method, req.URL}, res.StatusCode, res.Header) {
			return res, err
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, ucwa.MaxBody))
		_ = res.Body.Close()
	}
}

func carriesCredentials(req *http.Request, body []byte) bool {
	scheme, _, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "NTLM") || strings.EqualFold(scheme, "Negotiate") || bytes.Contains(body, []byte("password="))
}

func (t signing) once(req *http.Request, body []byte) (*http.Response, error) {
	limit := cmp.Or(t.target.RequestTimeout, 10*time.Second)
	if t.hurries() {
		limit = min(limit, hurry)
	}
	if req.UserAgent() == userAgent {
		t.stepOfSignIn(req.Method)
	}
	t.tell(req.UserAgent(), fmt.Sprintf("%s %s%s", req.Method, ucwa.Origin(req.URL), req.URL.Path), limit)
	if err := t.pace(); err != nil {
		return nil, err
	}
	ctx, cancel := t.timed(req.Context(), limit)
	sent := req.WithContext(ctx)
	if body != nil {
		sent.Body = io.NopCloser(bytes.NewReader(body))
	}
	res, err := t.transport.RoundTrip(sent)
	if err != nil {
		defer cancel()
		if errors.Is(context.Cause(ctx), errPatience) {
			err = errPatience
		}
		return nil, err
	}
	t.answered = true
	res.Body = cancelling{res.Body, cancel}
	return res, nil
}

// cancelling is a body with which a request ends.
type cancelling struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c cancelling) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}
