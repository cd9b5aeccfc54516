package suite

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// errPatience is the cause of a request that ended since the driver had waited for
// its answer as long as it should. It stands in recordings: a run that was
// interrupted, or had no time left, proves no silence of the server.
var errPatience error = patienceError{}

type patienceError struct{}

func (patienceError) Error() string   { return "no answer in the time that was given for one" }
func (patienceError) Timeout() bool   { return true } // with the next, a net.Error
func (patienceError) Temporary() bool { return true }

// isTimeout knows patience that ended, and a recording of it.
func isTimeout(err error) bool { return strings.Contains(err.Error(), errPatience.Error()) }

type patienceKey struct{}

// withPatience returns a context that ends with errPatience after the limit, unless
// an answer has come to [patient] by then.
func withPatience(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limit, func() { cancel(errPatience) })
	return context.WithValue(ctx, patienceKey{}, timer), func() { timer.Stop(); cancel(nil) }
}

// hasten leaves a request with patience little more time, once over has ended, unless
// it has less. What it returns puts an end to that.
func hasten(ctx context.Context, limit time.Duration, over context.Context) (stop func() bool) {
	timer, end := ctx.Value(patienceKey{}).(*time.Timer), time.Now().Add(limit)
	return context.AfterFunc(over, func() { timer.Reset(min(hurry, time.Until(end))) })
}

// patient decides whether an answer came in time, at one place for the recorder and
// the client above it: an answer that one of them took and the other did not would be
// a package of events that the driver has never seen, and yet does not follow.
type patient struct{ next http.RoundTripper }

func (p patient) RoundTrip(req *http.Request) (*http.Response, error) {
	next := p.next
	if next == nil {
		next = http.DefaultTransport
	}
	res, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, ucwa.MaxBody+1))
	timer, ok := req.Context().Value(patienceKey{}).(*time.Timer)
	if ok && res.StatusCode/100 != 3 && !timer.Stop() { // after a redirect it still runs
		_ = res.Body.Close()
		return nil, errPatience
	}
	rest := io.Reader(res.Body) // of an answer that is too long
	if err != nil {
		rest = broken{err}
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), rest), res.Body}
	return res, nil
}

// broken is the end of a body that was cut off.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// outlasting returns a context that ends a little after ctx: time for an answer that is
// on its way.
func outlasting(ctx context.Context) context.Context {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(hurry, cancel) })
	return longer
}
