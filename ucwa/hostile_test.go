package ucwa_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// links is a resource with these links, rel and href in turn.
func links(pairs ...string) string {
	var members []string
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, fmt.Sprintf("%q:{\"href\":%q}", pairs[i], pairs[i+1]))
	}
	return `{"_links":{` + strings.Join(members, ",") + `}}`
}

func redirect(status int, to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	}
}

func page(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// endless writes blanks until nobody listens.
func endless(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		for blanks := []byte(strings.Repeat(" ", 64<<10)); ; {
			if _, err := w.Write(blanks); err != nil {
				return
			}
		}
	}
}

// evil is who must not be asked, at every name but those of the deployment.
const evil = "evil.example"

func evilNetwork(t *testing.T, good http.Handler) *network {
	t.Helper()
	n := newNetwork(t)
	never := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s%s was asked for", r.Method, r.Host, r.RequestURI)
	})
	n.serve(never, evil, "contoso.com.evil.example", "evilcontoso.com")
	n.servePlain(never, evil, "lyncweb.contoso.com")
	n.serve(good, external, "lyncweb.contoso.com", "pool.fabrikam.com")
	n.address["lyncweb.contoso.com:4443"] = n.address[evil+":443"]
	n.address[external+":8443"] = n.address[evil+":443"]
	return n
}

// badTargets are where no link and no redirect may lead.
var badTargets = map[string]string{
	"outside the domain":     "https://evil.example/x",
	"a longer domain":        "https://contoso.com.evil.example/x",
	"a look-alike domain":    "https://evilcontoso.com/x",
	"a dot more":             "https://lyncweb.contoso.com./x",
	"http":                   "http://lyncweb.contoso.com/x",
	"http on the same port":  "http://" + external + ":443/x",
	"another port":           "https://lyncweb.contoso.com:4443/x",
	"own host, another port": "https://" + external + ":8443/x",
	"user information":       "https://lyncweb.contoso.com@evil.example/x",
	"port before an @":       "https://lyncweb.contoso.com:443@evil.example/x",
	"password":               "https://a:b@lyncweb.contoso.com/x",
	"fragment":               "https://evil.example#@lyncweb.contoso.com/x",
	"backslash":              `https://evil.example\@lyncweb.contoso.com/x`,
	"no host":                "https:///x",
	"a port that is none":    "https://lyncweb.contoso.com:443.evil.example/x",
	"another scheme":         "ftp://evil.example/x",
	"script":                 "javascript:alert(1)",
	"a scheme-relative @":    "//lyncweb.contoso.com:443@evil.example/x",
	"an @ after a newline":   "https://lyncweb.contoso.com\n@evil.example/x",
	"empty":                  "",
}

func TestDiscoverRefuses(t *testing.T) {
	for name, target := range badTargets {
		for kind, handler := range map[string]http.Handler{
			"user link":     page(200, "application/json", links("user", target)),
			"redirect link": page(200, "application/json", links("redirect", target)),
			"redirect":      redirect(302, strings.ReplaceAll(target, "\n", "")),
		} {
			if kind == "redirect" && strings.Contains(target, "\n") {
				continue
			}
			t.Run(kind+" "+name, func(t *testing.T) {
				n := evilNetwork(t, handler)
				s := signInTo(n, byPassword)
				s.Start = discoverer
				_, err := s.Discover(t.Context())
				e := (*ucwa.DiscoveryError)(nil)
				if !errors.As(err, &e) || len(e.Trail) != 1 || e.Trail[0].URL != discoverer || e.Trail[0].Err == nil {
					t.Fatalf("%v", err)
				}
				if strings.Contains(err.Error(), "a:b@") {
					t.Errorf("a password is shown: %v", err)
				}
			})
		}
	}
}

func TestDiscoverFails(t *testing.T) {
	hop := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, links("redirect", discoverer+"/"+strings.Repeat("x", len(r.URL.Path))))
	}
	for _, test := range []struct {
		name    string
		handler http.Handler
		trail   int
		says    string
	}{
		{"HTML", page(200, "text/html", "<html><title>Welcome</title></html>"), 1, "the body is no resource"},
		{"HTML and 500", page(500, "text/html", "<html><title>Oops</title></html>"), 1, `500 Internal Server Error; not a UCWA error: "Oops"`},
		{"no links", page(200, "application/json", `{}`), 1, "neither a user nor a redirect link"},
		{"a list", page(200, "application/json", `[]`), 1, "found array"},
		{"without end", endless(200), 1, "longer than 4194304 bytes"},
		{"an error without end", endless(404), 1, "longer than 4194304 bytes"},
		{"a redirect without end", http.HandlerFunc(hop), 6, "more than 5 redirects"},
		{"to itself", page(200, "application/json", links("redirect", discoverer)), 1, "a loop"},
		{"in a circle", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			redirect(301, map[string]string{"": "/a", "/": "/a", "/a": "/b", "/b": "/a"}[r.URL.Path])(w, r)
		}), 3, "a loop"},
		{"nowhere", page(302, "text/plain", ""), 1, "Location"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := evilNetwork(t, test.handler)
			s := signInTo(n, byPassword)
			s.Start = discoverer
			_, err := s.Discover(t.Context())
			e := (*ucwa.DiscoveryError)(nil)
			if !errors.As(err, &e) || len(e.Trail) != test.trail || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestForgedHTTP: an answer over http may lead within the domain only.
func TestForgedHTTP(t *testing.T) {
	inside := page(200, "application/json", links("user", web+userPath))
	for name, test := range map[string]struct {
		plain http.Handler
		trust []string
		ok    bool
	}{
		"redirect within":            {redirect(302, web+"/"), nil, true},
		"redirect outside":           {redirect(302, "https://"+evil+"/"), nil, false},
		"redirect to a suffix":       {redirect(302, "https://contoso.com.evil.example/"), nil, false},
		"redirect to a look-alike":   {redirect(302, "https://evilcontoso.com/"), nil, false},
		"redirect to a trusted one":  {redirect(302, apps+"/"), []string{"fabrikam.com"}, true},
		"user link within":           {inside, nil, true},
		"user link outside":          {page(200, "application/json", links("user", "https://"+evil+"/")), nil, false},
		"user link over http":        {page(200, "application/json", links("user", "/user")), nil, false},
		"redirect link outside":      {page(200, "application/json", links("redirect", "https://"+evil+"/")), nil, false},
		"redirect over http":         {redirect(302, "/there"), nil, false},
		"redirect to http elsewhere": {redirect(302, "http://"+evil+"/"), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := evilNetwork(t, inside)
			delete(n.address, external+":443")
			n.servePlain(test.plain, external)
			s := signInTo(n, byPassword)
			s.Trust = test.trust
			found, err := s.Discover(t.Context())
			if (err == nil) != test.ok {
				t.Fatal(err)
			}
			if err == nil {
				u, err := found.User.URL()
				if err != nil || u.Scheme != "https" {
					t.Errorf("%v, %v", u, err)
				}
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	n := newNetwork(t)
	for address, domain := range map[string]string{
		"sip:dana@contoso.com": "contoso.com", "dana@Contoso.com": "contoso.com", "contoso.com": "contoso.com", "SIP:dana@contoso.com;gruu": "contoso.com",
		"sip:dana@bücher.example": "xn--bcher-kva.example", "contoso.com.": "contoso.com",
		"": "", "sip:": "", "dana@": "", "@contoso.com": "", "localhost": "", "contoso.com:443": "", "contoso.com/x": "", "https://contoso.com": "",
		"dana@evil.com/@contoso.com": "", "dana@a@contoso.com": "", "dana@contoso.com#x": "", "dana@contoso.com?x": "", "a b.com": "", "mailto:dana@contoso.com": "",
	} {
		s := &ucwa.SignIn{Address: address, Client: n.client()}
		_, err := s.Discover(t.Context())
		e := (*ucwa.DiscoveryError)(nil)
		if is := errors.As(err, &e); is != (domain != "") || is && e.Trail[2].URL != "https://lyncdiscover."+domain+"/" {
			t.Errorf("%q: %v", address, err)
		}
	}
	n.reset()
	for _, start := range []string{"lyncweb.contoso.com", "http://lyncweb.contoso.com/", "https://a@lyncweb.contoso.com/", "ftp://x/", ":", "/x"} {
		if _, err := (&ucwa.SignIn{Start: start, Client: n.client()}).Discover(t.Context()); err == nil {
			t.Errorf("%q was taken for a URL", start)
		}
	}
	n.wants()
}

// TestChallengeRefused: nothing is posted where the challenge leads astray.
func TestChallengeRefused(t *testing.T) {
	good := `MsRtcOAuth href="` + discoverer + `/t",grant_type="password"`
	for name, lines := range map[string][]string{
		"none":              nil,
		"another scheme":    {"Negotiate", "NTLM", `Bearer authorization_uri="https://login.example/"`},
		"no href":           {`MsRtcOAuth grant_type="password"`},
		"no grants":         {`MsRtcOAuth href="/t"`},
		"an unusable grant": {`MsRtcOAuth href="/t",grant_type="urn:x"`},
		"another host":      {strings.Replace(good, external, evil, 1)},
		"http":              {strings.Replace(good, "https", "http", 1)},
		"another port":      {strings.Replace(good, external, external+":8443", 1)},
		"user information":  {strings.Replace(good, external, external+"@"+evil, 1)},
		"a fragment":        {strings.Replace(good, external, evil+"#@"+external, 1)},
		"a longer name":     {strings.Replace(good, external, external+".evil.example", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			n := evilNetwork(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/user" {
					io.WriteString(w, links("user", "/user"))
					return
				}
				w.Header()["Www-Authenticate"] = lines
				w.WriteHeader(401)
			}))
			s := signInTo(n, byPassword)
			s.Start = discoverer
			if _, _, err := s.Open(t.Context()); err == nil {
				t.Error("no error")
			}
			n.wants("GET "+discoverer+" 200", "GET "+discoverer+"/user 401")
		})
	}
	t.Run("in all forms", func(t *testing.T) {
		for _, lines := range [][]string{
			{`MsRtcOAuth href="https://` + external + `/t",grant_type="urn:microsoft.rtc:windows,password,urn:microsoft.rtc:windows"`},
			{`Bearer trusted_issuers="", client_id="x", MsRtcOAuth href=https://` + external + `/t,grant_type="password"`},
			{`msrtcoauth HREF="https://LYNCDISCOVER.contoso.com:443/t", Grant_Type="Password, urn:microsoft.rtc:windows"`},
			{`MsRtcOAuth href="https://` + evil + `/t",grant_type="password"`, `MsRtcOAuth href="/t",grant_type=password`},
		} {
			res := &ucwa.Response{Status: 401, Header: http.Header{"Www-Authenticate": lines}, URL: parseURL(discoverer + "/user")}
			i, err := res.Issuer()
			if err != nil || ucwa.Origin(i.URL) != discoverer || i.URL.Path != "/t" || !i.Offers("password") || len(i.Grants) > 2 {
				t.Errorf("%q: %+v, %v", lines, i, err)
			}
		}
	})
}

// TestTokenRefused: the password goes out once, whatever comes back.
func TestTokenRefused(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.Handler
		says   string
	}{
		"redirect 307":         {redirect(307, "https://"+evil+"/t"), "307"},
		"redirect 302":         {redirect(302, discoverer+"/t2"), "302"},
		"HTML":                 {page(200, "text/html", "<title>cwt=AAEB</title>"), "no token"},
		"HTML and 500":         {page(500, "text/html", "<title>Runtime Error</title>"), `500: not the documented JSON but 28 bytes of "text/html"; the server failed`},
		"HTML and 401":         {page(401, "text/html", "no"), "check the user name"},
		"server_error":         {page(400, "application/json", `{"error":"server_error"}`), "server_error"},
		"invalid_grant":        {page(400, "application/json", `{"error":"invalid_grant","error_description":"bad"}`), "invalid_grant: \"bad\"; check"},
		"unsupported":          {page(400, "application/json", `{"error":"unsupported_grant_type"}`), "choose one"},
		"no JSON":              {page(400, "application/json", `{"error":`), "not the documented JSON"},
		"error is no string":   {page(400, "application/json", `{"error":{}}`), "not the documented JSON"},
		"empty":                {page(200, "application/json", ""), "empty"},
		"a list":               {page(200, "application/json", "[]"), "found array"},
		"no token":             {page(200, "application/json", "{}"), "found null"},
		"an empty token":       {page(200, "application/json", `{"access_token":""}`), "access_token"},
		"a token of two lines": {page(200, "application/json", `{"access_token":"cwt=AAEB\r\nX: y"}`), "access_token"},
		"another type":         {page(200, "application/json", `{"access_token":"cwt=AAEB","token_type":"mac"}`), "token_type"},
		"expired":              {page(200, "application/json", `{"access_token":"cwt=AAEB","expires_in":0}`), "expires_in"},
		"expires in words":     {page(200, "application/json", `{"access_token":"cwt=AAEB","expires_in":"soon"}`), "expires_in"},
		"two tokens":           {page(200, "application/json", `{"access_token":"cwt=AAEB","access_token":"cwt=AAEC"}`), "twice"},
		"without end":          {endless(200), "longer than"},
		"an error without end": {endless(401), "longer than"},
		"passive, no URL":      {page(400, "application/json", `{"error":"invalid_grant","ms_rtc_passiveauthuri":"javascript:x"}`), "no URL to sign in"},
	} {
		t.Run(name, func(t *testing.T) {
			n := evilNetwork(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/user":
					w.Header().Set("WWW-Authenticate", `MsRtcOAuth href="/t",grant_type="password"`)
					w.WriteHeader(401)
				case "/t":
					test.answer.ServeHTTP(w, r)
				default:
					io.WriteString(w, links("user", "/user"))
				}
			}))
			s := signInTo(n, byPassword)
			s.Start = discoverer
			_, _, err := s.Open(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "AAEB") || strings.Contains(err.Error(), password) {
				t.Errorf("%v", err)
			}
			if got := strings.Count(n.all.String(), url.QueryEscape(password)); got != 1 {
				t.Errorf("the password was sent %d times", got)
			}
		})
	}
}

// TestApplicationsRefused: with a token in hand no host is entered that may not be.
func TestApplicationsRefused(t *testing.T) {
	for _, rel := range []string{"applications", "redirect", "302"} {
		for name, target := range badTargets {
			if strings.Contains(target, "\n") {
				continue
			}
			t.Run(rel+" "+name, func(t *testing.T) {
				n := evilNetwork(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					switch {
					case r.URL.Path == "/t":
						io.WriteString(w, `{"access_token":"cwt=AAEBsecret","token_type":"bearer","expires_in":"28000"}`)
					case r.URL.Path != "/user":
						io.WriteString(w, links("user", "/user"))
					case r.Header.Get("Authorization") == "":
						w.Header().Set("WWW-Authenticate", `MsRtcOAuth href="/t",grant_type="password"`)
						w.WriteHeader(401)
					case rel == "302":
						redirect(302, target)(w, r)
					default:
						io.WriteString(w, links(rel, target))
					}
				}))
				s := signInTo(n, byPassword)
				s.Start = discoverer
				_, _, err := s.Open(t.Context())
				if err == nil || strings.Contains(err.Error(), "AAEBsecret") {
					t.Errorf("%v", err)
				}
				status := map[string]string{"302": "302"}[rel]
				n.wants("GET "+discoverer+" 200", "GET "+discoverer+"/user 401", "POST "+discoverer+"/t password 200", "GET "+discoverer+"/user +token "+cmp.Or(status, "200"))
			})
		}
	}
}

// TestCross: no other link leads to another host.
func TestCross(t *testing.T) {
	s := &ucwa.SignIn{Address: "sip:dana@contoso.com"}
	r, err := ucwa.ParseResource(parseURL(discoverer), []byte(links("self", web, "events", web, "applications", web, "xframe", web, "user", "/u")))
	if err != nil {
		t.Fatal(err)
	}
	for rel, want := range map[string]string{"applications": web, "user": discoverer + "/u"} {
		link, err := s.Cross(r.Link(rel))
		if err != nil {
			t.Fatal(err)
		}
		if u, err := link.URL(); err != nil || u.String() != want {
			t.Errorf("%s: %v, %v", rel, u, err)
		}
	}
	for _, rel := range []string{"self", "events", "xframe"} {
		if _, err := s.Cross(r.Link(rel)); !errors.As(err, new(*ucwa.OriginError)) {
			t.Errorf("%s: %v", rel, err)
		}
	}
	if _, err := s.Cross(ucwa.Link{Rel: "user", Href: web}); !errors.Is(err, ucwa.ErrNotServed) {
		t.Error(err)
	}
}
