package suite

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

// TestFollowsAsItLocates holds that an exchange that passes by plays the role that it plays in the whole recording, at every
// prefix of it; that of one which is set aside, only the future tells.
func TestFollowsAsItLocates(t *testing.T) {
	for _, name := range []string{"reference/set-presence"} {
		e := located(t, name)
		var f Follower
		for _, x := range e.Exchanges {
			role := f.Role(x.Exchange)
			if role != x.Part {
				t.Errorf("%s: exchange %d, %s %s, plays %q as it passes by, and %q in the recording", name, x.ID, x.Request.Method, x.Request.URL, role, x.Part)
			}
			f.Learn(x.Exchange, role)
		}
	}
}

// TestFollowsSoMany holds that what is remembered of applications is bounded, that
// paths which somebody makes up take no room, and that a client at work is not forgotten.
func TestFollowsSoMany(t *testing.T) {
	var f Follower
	ask := func(id string, code int) {
		app := "/ucwa/oauth/v1/applications/" + id
		x := cassettes.Exchange{Interaction: new(cassettes.Interaction)}
		x.Request.Method, x.Request.URL, x.Response.Code = http.MethodGet, "https://pool.contoso.com"+app, code
		x.Response.Headers = http.Header{"Content-Type": {"application/json"}}
		x.Response.Body = fmt.Sprintf(`{"rel":"application","_links":{"self":{"href":"%s"},"events":{"href":"%[1]s/events?ack=1"}}}`, app)
		f.Learn(x, f.Role(x))
	}
	for i := range maxFollowed + 100 {
		ask(fmt.Sprint(i), http.StatusOK)
		ask(fmt.Sprint("made-up-", i), http.StatusNotFound)
	}
	if len(f.states) != maxFollowed || len(f.order) != maxFollowed || len(f.e.relsAt) != 2*maxFollowed {
		t.Errorf("%d applications are followed, in an order of %d, by %d links; expected %d", len(f.states), len(f.order), len(f.e.relsAt), maxFollowed)
	}
	if f.states[fmt.Sprint("/ucwa/oauth/v1/applications/", maxFollowed+99)] == nil {
		t.Error("the last is not followed")
	}
}
