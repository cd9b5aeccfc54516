package ucwatest_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

const (
	rootPath  = "/Autodiscover/AutodiscoverService.svc/root"
	userPath  = "/Autodiscover/AutodiscoverService.svc/root/oauth/user"
	tokenPath = "/WebTicket/oauthtoken"
	meeting   = "sip:dana@contoso.com;gruu;opaque=app:conf:focus:id:4V7XYDQL"
	web       = "https://lyncweb.contoso.com"
	pool      = "https://pool.contoso.com"
)

func signInWorld(t *testing.T, signIn ucwatest.SignIn) *world {
	w := newWorld(t, func(c *ucwatest.Config) { c.SignIn = &signIn })
	u := dana
	u.Password, u.Windows = "pass", `CONTOSO\dana`
	w.server.AddUser(u)
	return w
}

// form posts a form to a host's token endpoint; headers as for request.
func (w *world) form(host string, form url.Values, headers ...string) *reply {
	w.Helper()
	headers = append([]string{"Authorization", "", "Content-Type", "application/x-www-form-urlencoded"}, headers...)
	return w.send(request("POST", host+tokenPath, "", form.Encode(), headers...))
}

func (w *world) signIn(host string) string {
	w.Helper()
	return w.form(host, url.Values{"grant_type": {"password"}, "username": {"dana@contoso.com"}, "password": {"pass"}}).wants(200).at("access_token")
}

func (w *world) get(target, token string, headers ...string) *reply {
	if token == "" {
		headers = append(headers, "Authorization", "")
	}
	return w.send(request("GET", target, token, "", headers...))
}

func TestAutodiscover(t *testing.T) {
	w := signInWorld(t, ucwatest.SignIn{})
	for _, path := range []string{"/", rootPath, rootPath + "?originalDomain=contoso.com"} {
		r := w.get(web+path, "").wants(200)
		_, query, _ := strings.Cut(path, "?")
		if query != "" {
			query = "?" + query
		}
		if r.link("user") != web+userPath+query || r.link("self") != web+rootPath+query || r.link("redirect") != "" {
			t.Errorf("%s: %s", path, r.Body)
		}
		w.get(r.link("xframe"), "").wants(200)
	}
	// Paths have no casing, but all their slashes.
	w.get(web+strings.ToLower(rootPath), "").wants(200)
	w.get(web+"/"+rootPath, "").wants(404)
	w.get(web+"//", "").wants(404)
	// Clients ask for no more than the head, and for what else there is.
	w.send(request("HEAD", web+rootPath, "", "")).wants(200)
	if head := w.send(request("HEAD", web+userPath, "", "", "Authorization", "")).wants(401); len(head.Header().Values("WWW-Authenticate")) != 2 || head.Body.Len() > 0 {
		t.Errorf("%v %q", head.Header(), head.Body)
	}
	w.send(request("HEAD", web+tokenPath, "", "")).wants(405)
	if options := w.send(request("OPTIONS", web+userPath, "", "")).wants(204); options.Header().Get("Allow") != "GET" {
		t.Errorf("%v", options.Header())
	}
	// Lync's clients read another XML.
	for accept, contentType := range map[string]string{
		"application/vnd.microsoft.rtc.autodiscover+xml;v=1": "application/vnd.microsoft.rtc.autodiscover+xml;v=1", "application/xml": "application/xml; charset=utf-8",
	} {
		r := w.get(web+"/", "", "Accept", accept).wants(200)
		if want := `<AutodiscoverResponse AccessLocation="External"><Root><Link token="Self" href="` + web + rootPath + `"/><Link token="OAuth" href="` + web + userPath + `"/>`; !strings.Contains(r.Body.String(), want) ||
			r.Header().Get("Content-Type") != contentType {
			t.Errorf("%s: %v %s", accept, r.Header(), r.Body)
		}
	}
	w.send(request("POST", web+"/", "", "")).wants(405)
	if r := w.send(request("GET", web+tokenPath, "", "")).wants(405); r.Header().Get("Allow") != "POST" {
		t.Errorf("Allow %q", r.Header().Get("Allow"))
	}
	w.get(web+"/", "", "Accept", "text/html").wants(406)
	w.get(web+"/", "", "X-Ms-Origin", "http://evil.example").wants(403)
	w.get(web+"/Autodiscover", "").wants(404)

	w = signInWorld(t, ucwatest.SignIn{Redirect: "https://lyncdiscover.fabrikam.com", Users: web, SecureOnly: true})
	if r := w.get("https://lyncdiscover.contoso.com/", "").wants(200); r.link("redirect") != "https://lyncdiscover.fabrikam.com"+rootPath || r.link("user") != "" {
		t.Errorf("%s", r.Body)
	}
	if r := w.get("https://lyncdiscover.fabrikam.com"+rootPath, "").wants(200); r.link("user") != web+userPath || r.link("redirect") != "" {
		t.Errorf("%s", r.Body)
	}
	if r := w.get("http://lyncdiscover.contoso.com:8080/x?y", "").wants(404); r.Header().Get("Location") != "" {
		t.Error("redirected")
	}
	if r := w.get("http://lyncdiscover.contoso.com:80/?y", "").wants(302); r.Header().Get("Location") != "https://lyncdiscover.contoso.com/?y" {
		t.Errorf("Location %q", r.Header().Get("Location"))
	}
	w.get("https://lyncdiscover.contoso.com"+userPath, "").wants(404)
}

// TestTopologies: where the links of the sign-in lead, whatever name the server is asked by.
func TestTopologies(t *testing.T) {
	const alias, home = "https://lyncdiscover.contoso.com:8443", "https://home.contoso.com:8443"
	pool := pool + ":8443"
	for name, c := range map[string]struct {
		signIn            ucwatest.SignIn
		asked, root, apps string // where Autodiscover leads, and where the applications are
	}{
		"one host":     {ucwatest.SignIn{}, alias, alias, alias},
		"an alias":     {ucwatest.SignIn{Aliases: map[string]string{"lyncdiscover.contoso.com": "pool.contoso.com"}}, "https://LyncDiscover.contoso.com:8443", pool, pool},
		"no alias":     {ucwatest.SignIn{Aliases: map[string]string{"lyncdiscover.contoso.com": "pool.contoso.com"}}, home, home, home},
		"a pool":       {ucwatest.SignIn{Users: pool, Pool: pool}, alias, pool, pool},
		"three hosts":  {ucwatest.SignIn{Users: web, Pool: pool}, alias, web, pool},
		"another pool": {ucwatest.SignIn{Users: pool, Home: home}, alias, pool, home},
	} {
		t.Run(name, func(t *testing.T) {
			w := signInWorld(t, c.signIn)
			body := `{"userAgent":"UCWA Samples","endpointId":"node","culture":"en-US"}`
			user := func(asked, origin string) *reply {
				t.Helper()
				r := w.get(asked+"/", "").wants(200)
				for rel, path := range map[string]string{"self": rootPath, "user": userPath, "xframe": "/Autodiscover/XFrame/XFrame.html"} {
					if got := r.link(rel); got != origin+path {
						t.Errorf("%s of %s leads to %s, want %s", rel, asked, got, origin+path)
					}
				}
				token := w.signIn(origin)
				r = w.get(r.link("user"), token).wants(200)
				if got := r.link("self"); got != origin+rootPath+"/user" || w.get(got, token).wants(200).Body.String() != r.Body.String() {
					t.Errorf("self of the user: %s", got)
				}
				if apps := origin + root; origin != c.apps && c.signIn.Home != "" {
					w.send(request("POST", apps, token, body)).wants(404)
					w.send(request("POST", c.apps+root, token, body)).wants(403) // where it is not known
				}
				return r
			}
			r := user(c.asked, c.root)
			if to := r.link("redirect"); c.signIn.Home != "" {
				if to != c.apps+rootPath || r.link("applications") != "" {
					t.Fatalf("%s", r.Body)
				}
				r = user(c.apps, c.apps)
			}
			if r.link("redirect") != "" || r.link("applications") != c.apps+root {
				t.Fatalf("%s", r.Body)
			}
			if self := w.send(request("POST", c.apps+root, w.signIn(c.apps), body)).wants(201).link("self"); self != root+"/101" {
				t.Errorf("self %s", self)
			}
		})
	}
}

// TestAudience: a token is good at one host, for a while.
func TestAudience(t *testing.T) {
	for _, html := range []bool{false, true} {
		w := signInWorld(t, ucwatest.SignIn{Users: web, Pool: pool, WrongHost500: html})
		r := w.get(web+userPath, "").wants(401)
		if challenge := r.Header().Values("WWW-Authenticate"); len(challenge) != 2 ||
			challenge[1] != `MsRtcOAuth href="https://lyncweb.contoso.com/WebTicket/oauthtoken",grant_type="password"` {
			t.Errorf("%q", challenge)
		}
		token := w.signIn(web)
		r = w.get(web+userPath, token).wants(200)
		if r.link("applications") != pool+root || r.link("self") == "" || r.link("xframe") == "" {
			t.Errorf("%s", r.Body)
		}
		r = w.send(request("POST", pool+root, token, `{}`))
		status, code := 403, "28055"
		if html {
			status, code = 500, "28032"
		}
		if r.Code != status || !strings.HasPrefix(r.Header().Get("X-Ms-Diagnostics"), code+";source=") || (r.Header().Get("Content-Type") == "text/html") != html {
			t.Errorf("%d %v %s", r.Code, r.Header(), r.Body)
		}
		w.send(request("POST", web+root, token, `{}`)).wants(404) // not the pool
		other := w.signIn(pool)
		body := `{"userAgent":"UCWA Samples","endpointId":"` + endpoint + `","culture":"en-US"}`
		app := w.send(request("POST", pool+root, other, body)).wants(201)
		if again := w.send(request("POST", pool+root, other, body)).wants(200); again.link("self") != app.link("self") {
			t.Errorf("%s", again.Body)
		}
		w.clock.Advance(28000*time.Second - 1)
		w.get(web+userPath, token).wants(200)
		w.clock.Advance(1)
		w.get(web+userPath, token).wants(401)
		w.get(pool+app.link("self"), other).wants(401)
	}
}

func TestTokenEndpoint(t *testing.T) {
	w := signInWorld(t, ucwatest.SignIn{FrontEndUser: "X-User", Meetings: map[string]string{meeting: "K3Y"}, Passive: "https://sts.contoso.com/adfs/ls"})
	if c := w.get(web+userPath, "").wants(401).Header().Values("WWW-Authenticate")[1]; !strings.Contains(c,
		`grant_type="urn:microsoft.rtc:windows,urn:microsoft.rtc:anonmeeting,urn:microsoft.rtc:passive,password"`) {
		t.Errorf("%s", c)
	}
	type form = url.Values
	guest := form{"grant_type": {"urn:microsoft.rtc:anonmeeting"}, "password": {"K3Y"}, "ms_rtc_conferenceuri": {meeting}}
	for _, test := range []struct {
		form    form
		headers []string
		error   string
	}{
		{form{"grant_type": {"password"}, "username": {"SIP:Dana@contoso.com"}, "password": {"pass"}}, nil, ""},
		{form{"grant_type": {"password"}, "username": {`contoso\DANA`}, "password": {"pass"}}, nil, ""},
		{form{"grant_type": {"password"}, "username": {`contoso\DANA`}, "password": {"Pass"}}, nil, "invalid_grant"},
		{form{"grant_type": {"password"}, "username": {"dana@contoso.com"}}, nil, "invalid_request"},
		{form{"grant_type": {"password"}, "username": {"dana@contoso.com"}, "password": {"pass", "pass"}}, nil, "invalid_request"},
		{form{"grant_type": {"password"}, "username": {"dana@contoso.com"}, "password": {"pass"}}, []string{"Content-Type", "application/json"}, "invalid_request"},
		{form{"grant_type": {"PASSWORD"}}, nil, "unsupported_grant_type"},
		{form{"grant_type": {"password"}, "scope": {"x"}}, nil, "invalid_scope"},
		{form{"grant_type": {"urn:microsoft.rtc:windows"}}, []string{"X-User", `contoso\Dana`}, ""},
		{form{"grant_type": {"urn:microsoft.rtc:windows"}}, []string{"X-User", `CONTOSO\lee`}, "invalid_grant"},
		{form{"grant_type": {"urn:microsoft.rtc:passive"}}, nil, "invalid_grant"},
		{guest, nil, ""},
		{form{"grant_type": {"urn:microsoft.rtc:anonmeeting"}, "password": {"key"}, "ms_rtc_conferenceuri": {meeting}}, nil, "invalid_grant"},
		{form{"grant_type": {"urn:microsoft.rtc:anonmeeting"}, "password": {"K3Y"}, "ms_rtc_conferenceuri": {"sip:x"}}, nil, "invalid_grant"},
		{form{"grant_type": {"urn:microsoft.rtc:anonmeeting"}, "password": {"K3Y"}}, nil, "invalid_request"},
	} {
		r := w.form(web, test.form, test.headers...)
		if test.error == "" {
			r.wants(200)
			if !strings.HasPrefix(r.at("access_token"), "cwt=AAEB") || r.at("token_type") != "Bearer" || r.at("ms_rtc_identityscope") == "" || r.json()["expires_in"] == nil {
				t.Errorf("%v: %s", test.form, r.Body)
			}
		} else if r.wants(400); r.at("error") != test.error || r.Header().Get("X-Ms-Diagnostics") == "" {
			t.Errorf("%v: %v %s, want %s", test.form, r.Header(), r.Body, test.error)
		}
		if r.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("Cache-Control %q", r.Header().Get("Cache-Control"))
		}
		if passive := r.at("ms_rtc_passiveauthuri"); (passive != "") != (test.form.Get("grant_type") == "urn:microsoft.rtc:passive") {
			t.Errorf("%v: %s", test.form, r.Body)
		}
	}
	w.form(web, form{"grant_type": {"urn:microsoft.rtc:windows"}}).wants(401) // past the front end

	// A guest renews, as the same one, while the token is good.
	body := `{"userAgent":"UCWA Samples","endpointId":"` + endpoint + `","culture":"en-US"}`
	first := w.form(web, guest).wants(200).at("access_token")
	self := w.send(request("POST", web+root, first, body)).wants(201).link("self")
	other := w.form(web, guest).wants(200).at("access_token")
	w.get(web+self, other).wants(404)
	renew := form{"grant_type": {"urn:microsoft.rtc:anonmeeting"}, "ms_rtc_renew": {first}}
	w.form(pool, renew).wants(400) // another host
	second := w.form(web, renew).wants(200).at("access_token")
	w.get(web+self, second).wants(200)
	w.clock.Advance(time.Hour)
	w.get(web+self, second).wants(401)
	w.form(web, renew).wants(400)
	w.form(web, form{"grant_type": {"urn:microsoft.rtc:anonmeeting"}, "ms_rtc_renew": {w.signIn(web)}}).wants(400) // no guest's
}

// TestSignInOff: a server that was not told to serves none of it.
func TestSignInOff(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", rootPath, userPath, tokenPath} {
		w.get(path, "").wants(404)
	}
}
