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

// asking is an exchange of a client that marks nothing.
func asking(method, path string, header http.Header, code int, body string) cassettes.Exchange {
	x := cassettes.Exchange{Interaction: new(cassettes.Interaction)}
	x.Request.Method, x.Request.URL, x.Request.Headers, x.Response.Code = method, "https://pool.contoso.com"+path, header, code
	x.Response.Headers = http.Header{"Content-Type": {"application/json"}}
	x.Response.Body = body
	return x
}

// TestFollowsClients holds that the refusals which a client meets by chance play the roles that a driver's probes play.
func TestFollowsClients(t *testing.T) {
	const app = "/ucwa/oauth/v1/applications/1"
	token, origin := http.Header{"Authorization": {"Bearer cwt=AAEB"}}, http.Header{"X-Ms-Diagnostics": {`28070;source="x";reason="y"`}}
	var f Follower
	follow := func(x cassettes.Exchange, want string) {
		t.Helper()
		role := f.Role(x)
		if role != want {
			t.Errorf("%s %s, answered with %d, plays %q, want %q", x.Request.Method, x.Request.URL, x.Response.Code, role, want)
		}
		f.Learn(x, role)
	}
	served := fmt.Sprintf(`{"rel":"application","_links":{"self":{"href":"%s"}},"_embedded":{"me":{"rel":"me","_links":{"makeMeAvailable":{"href":"%[1]s/me/makeMeAvailable"}}}}}`, app)
	challenge := asking("GET", app+"/nowhere", nil, 401, "")
	challenge.Response.Headers = http.Header{"Www-Authenticate": {`MsRtcOAuth href="https://pool.contoso.com/WebTicket/oauthtoken",grant_type="password"`}}
	follow(challenge, "no-token") // of a place that is not known
	follow(asking("GET", app, nil, 401, ""), "no-token")
	follow(asking("GET", app, token, 401, ""), "bad-token")
	follow(asking("POST", "/ucwa/oauth/v1/applications", nil, 401, ""), "create-no-token")
	follow(asking("GET", app, token, 200, served), partBefore)
	refused := asking("GET", app, token, 403, "")
	refused.Response.Headers = origin
	follow(refused, "origin")
	follow(asking("POST", app+"/me/makeMeAvailable", token, 403, `{"code":"Forbidden"}`), "modality")
	follow(asking("POST", app+"/me/makeMeAvailable", token, 403, `{"code":"Forbidden","subcode":"AnonymousNotAllowed"}`), "anonymous")
	follow(asking("POST", app+"/me/makeMeAvailable", token, 204, ""), partMake)
	follow(asking("POST", app+"/me/makeMeAvailable", token, 409, ""), "make-again")
	follow(asking("DELETE", app, token, 204, ""), partEnd)
	follow(asking("GET", app, token, 404, ""), "gone")
}

// TestFollowsSoMany holds that what is remembered is bounded, that paths and values which somebody makes up take no room, and
// that a client at work is not forgotten.
func TestFollowsSoMany(t *testing.T) {
	var f Follower
	ask := func(id string, code int) {
		app := "/ucwa/oauth/v1/applications/" + id
		x := asking("GET", app, http.Header{"X-Ms-Origin": {"https://" + id}}, code,
			fmt.Sprintf(`{"rel":"application","_links":{"self":{"href":"%s"},"events":{"href":"%[1]s/events?ack=1"}},"_embedded":{"me":{"_links":{"presence":{"href":"%[1]s/me/odd"}}}}}`, app))
		f.Learn(x, f.Role(x))
	}
	root := asking("GET", "/Autodiscover/AutodiscoverService.svc/root", nil, 200, `{"_links":{"user":{"href":"/user"}}}`)
	f.Learn(root, f.Role(root))
	for i := range maxFollowed + 100 {
		ask(fmt.Sprint(i), http.StatusOK)
		ask("0", http.StatusOK) // which is at work
		ask(fmt.Sprint("made-up-", i), http.StatusNotFound)
		x := asking("GET", fmt.Sprintf("/%d/Autodiscover/AutodiscoverService.svc/root", i), nil, 404, "")
		f.Learn(x, f.Role(x))
	}
	for name, n := range map[string]int{"applications": len(f.apps) - 1, "in their order": len(f.order), "links of me": len(f.e.inMe), "places of the sign-in": len(f.e.signIn),
		"accepted values": len(f.e.index.accepted), "questions": len(f.e.index.lastAsked), "links": len(f.e.relsAt) / 3} {
		if n > maxFollowed {
			t.Errorf("%s: %d are remembered, want %d at most", name, n, maxFollowed)
		}
	}
	for _, id := range []string{"0", fmt.Sprint(maxFollowed + 99)} {
		if role := f.Role(asking("GET", "/ucwa/oauth/v1/applications/"+id+"/me/odd", nil, 0, "")); role == "" {
			t.Errorf("the presence of application %s is not known any more", id)
		}
	}
}
