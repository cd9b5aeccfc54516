package ucwa_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// pool is where the responses of these tests come from.
var pool = parseURL("https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101")

func parseURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// served returns the link that a response from base serves with this href.
func served(t *testing.T, base *url.URL, href string) ucwa.Link {
	t.Helper()
	r, err := ucwa.ParseResource(base, fmt.Appendf(nil, `{"_links":{"presence":{"href":%q}}}`, href))
	if err != nil {
		t.Fatal(err)
	}
	return r.Link("presence")
}

func TestLinkURL(t *testing.T) {
	for _, test := range []struct{ name, href, want string }{
		{"path", "/ucwa/oauth/v1/applications/101/me/presence", "https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/me/presence"},
		{"path with query", "/ucwa/oauth/v1/applications/101/events?ack=1", "https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/events?ack=1"},
		{"relative path", "101/me", "https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/me"},
		{"dots", "../x/./y", "https://lyncweb.contoso.com/ucwa/oauth/v1/x/y"},
		{"query alone", "?ack=2", "https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101?ack=2"},
		{"the other path of UCWA", "/ucwa/v1/applications/101", "https://lyncweb.contoso.com/ucwa/v1/applications/101"},
		{"absolute", "https://lyncweb.contoso.com/ucwa/me", "https://lyncweb.contoso.com/ucwa/me"},
		{"absolute with the scheme's own port", "https://lyncweb.contoso.com:443/ucwa/me", "https://lyncweb.contoso.com:443/ucwa/me"},
		{"absolute with an empty port", "https://lyncweb.contoso.com:/ucwa/me", "https://lyncweb.contoso.com:/ucwa/me"},
		{"absolute in capitals", "HTTPS://LyncWeb.Contoso.COM/ucwa/me", "https://LyncWeb.Contoso.COM/ucwa/me"},
		{"protocol-relative, same host", "//lyncweb.contoso.com/ucwa/me", "https://lyncweb.contoso.com/ucwa/me"},
		{"%3d stays", "/photos/a%3db", "https://lyncweb.contoso.com/photos/a%3db"},
		{"= stays", "/photos/a=b", "https://lyncweb.contoso.com/photos/a=b"},
		{"%2F stays", "/a%2Fb%20c", "https://lyncweb.contoso.com/a%2Fb%20c"},
		{"%40 and @ in a path", "/photos/Dana@contoso.com/%40", "https://lyncweb.contoso.com/photos/Dana@contoso.com/%40"},
		{"a number sign in a path, escaped", "/a%23b", "https://lyncweb.contoso.com/a%23b"},
		{"three slashes are a path", "///evil.com/me", "https://lyncweb.contoso.com///evil.com/me"},
		{"backslashes are a path", `/\evil.com/me`, "https://lyncweb.contoso.com/%5Cevil.com/me"},
	} {
		t.Run(test.name, func(t *testing.T) {
			u, err := served(t, pool, test.href).URL()
			if err != nil {
				t.Fatal(err)
			}
			if u.String() != test.want {
				t.Errorf("got %s, want %s", u, test.want)
			}
		})
	}
}

func TestLinkURLStaysOnItsOrigin(t *testing.T) {
	for _, test := range []struct{ name, base, href, leads string }{
		{"other host", pool.String(), "https://evil.com/me", "https://evil.com/me"},
		{"protocol-relative", pool.String(), "//evil.com/me", "https://evil.com/me"},
		{"protocol-relative without a path", pool.String(), "//evil.com", "https://evil.com"},
		{"other port", pool.String(), "https://lyncweb.contoso.com:8443/me", "https://lyncweb.contoso.com:8443/me"},
		{"port that begins alike", pool.String(), "https://lyncweb.contoso.com:4433/me", "https://lyncweb.contoso.com:4433/me"},
		{"port of the other scheme", pool.String(), "https://lyncweb.contoso.com:80/me", "https://lyncweb.contoso.com:80/me"},
		{"port with a zero before it", pool.String(), "https://lyncweb.contoso.com:0443/me", "https://lyncweb.contoso.com:0443/me"},
		{"port 443 over http", "http://lyncweb.contoso.com/app", "http://lyncweb.contoso.com:443/me", "http://lyncweb.contoso.com:443/me"},
		{"to http", pool.String(), "http://lyncweb.contoso.com/me", "http://lyncweb.contoso.com/me"},
		{"to http at the port of https", pool.String(), "http://lyncweb.contoso.com:443/me", "http://lyncweb.contoso.com:443/me"},
		{"to https", "http://lyncweb.contoso.com/app", "https://lyncweb.contoso.com/me", "https://lyncweb.contoso.com/me"},
		{"host that begins alike", pool.String(), "https://lyncweb.contoso.com.evil.com/me", "https://lyncweb.contoso.com.evil.com/me"},
		{"host that ends alike", pool.String(), "https://evil-lyncweb.contoso.com/me", "https://evil-lyncweb.contoso.com/me"},
		{"host above", pool.String(), "https://contoso.com/me", "https://contoso.com/me"},
		{"host with a dot at its end", pool.String(), "https://lyncweb.contoso.com./me", "https://lyncweb.contoso.com./me"},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := parseURL(test.base)
			u, err := served(t, base, test.href).URL()
			var left *ucwa.OriginError
			if !errors.As(err, &left) {
				t.Fatalf("got %v and the error %v, want an *OriginError", u, err)
			}
			want := ucwa.OriginError{Rel: "presence", URL: test.leads, Expected: ucwa.Origin(base)}
			if *left != want {
				t.Errorf("got %+v, want %+v", *left, want)
			}
		})
	}
}

func TestLinkURLRefuses(t *testing.T) {
	for _, test := range []struct{ name, href, want string }{
		{"empty", "", `link "presence": its href is empty`},
		{"user information", "https://lyncweb.contoso.com@evil.com/me", `link "presence": its href "https://lyncweb.contoso.com@evil.com/me" holds user information`},
		{"user information on the same host", "https://dana@lyncweb.contoso.com/me", `link "presence": its href "https://dana@lyncweb.contoso.com/me" holds user information`},
		{"empty user information", "//@lyncweb.contoso.com/me", `link "presence": its href "https://@lyncweb.contoso.com/me" holds user information`},
		{"password", "https://dana:s3cret@lyncweb.contoso.com/me", `link "presence": its href "https://dana:xxxxx@lyncweb.contoso.com/me" holds user information`},
		{"fragment", "/me#presence", `link "presence": its href "/me#presence" holds a fragment`},
		{"empty fragment", "/me#", `link "presence": its href "/me#" holds a fragment`},
		{"fragment alone", "#", `link "presence": its href "#" holds a fragment`},
		{"no host", "https:///me", `link "presence": its href "https:///me" leads to no http or https URL`},
		{"no slashes", "https:evil.com/me", `link "presence": its href "https:evil.com/me" leads to no http or https URL`},
		{"other scheme", "ftp://lyncweb.contoso.com/me", `link "presence": its href "ftp://lyncweb.contoso.com/me" leads to no http or https URL`},
		{"script", "javascript:alert(1)", `link "presence": its href "javascript:alert(1)" leads to no http or https URL`},
		{"SIP", "sip:dana@contoso.com", `link "presence": its href "sip:dana@contoso.com" leads to no http or https URL`},
		{"broken escape", "/me/%zz", `link "presence": its href "/me/%zz" is no URL: parse "/me/%zz": invalid URL escape "%zz"`},
		{"line end", "/me\r\nX: y", `link "presence": its href "/me\r\nX: y" is no URL: parse "/me\r\nX: y": net/url: invalid control character in URL`},
		{"port that is no number", "https://lyncweb.contoso.com:x/me", `link "presence": its href "https://lyncweb.contoso.com:x/me" is no URL: parse "https://lyncweb.contoso.com:x/me": invalid port ":x" after host`},
	} {
		t.Run(test.name, func(t *testing.T) {
			u, err := served(t, pool, test.href).URL()
			if got := message(err); got != test.want {
				t.Errorf("got %v and the error\n%s\nwant\n%s", u, got, test.want)
			}
		})
	}
}

func TestLinkThatNoResponseServed(t *testing.T) {
	unknownOrigin, err := ucwa.ParseResource(nil, []byte(`{"_links":{"presence":{"href":"https://lyncweb.contoso.com/me"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		link ucwa.Link
	}{
		{"made by hand", ucwa.Link{Rel: "presence", Href: "https://lyncweb.contoso.com/me"}},
		{"not in the resource", (&ucwa.Resource{}).Link("presence")},
		{"of no resource", (*ucwa.Resource)(nil).Link("presence")},
		{"of a body that came from nowhere", unknownOrigin.Link("presence")},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.link.URL()
			if !errors.Is(err, ucwa.ErrNotServed) {
				t.Fatalf("got %v, want ErrNotServed", err)
			}
			if !strings.Contains(err.Error(), `"presence"`) {
				t.Errorf("%v: does not say which link", err)
			}
		})
	}
}

func TestOrigin(t *testing.T) {
	for _, test := range []struct{ url, want string }{
		{"https://lyncweb.contoso.com/ucwa?x=1", "https://lyncweb.contoso.com"},
		{"https://LYNCWEB.contoso.com:443", "https://lyncweb.contoso.com"},
		{"http://lyncweb.contoso.com:80/", "http://lyncweb.contoso.com"},
		{"http://lyncweb.contoso.com:443/", "http://lyncweb.contoso.com:443"},
		{"https://lyncweb.contoso.com:80/", "https://lyncweb.contoso.com:80"},
		{"https://lyncweb.contoso.com:/", "https://lyncweb.contoso.com"},
		{"https://[::1]:443/", "https://[::1]"},
		{"https://[::1]:8443/", "https://[::1]:8443"},
		{"https://dana@lyncweb.contoso.com/", "https://lyncweb.contoso.com"},
	} {
		if got := ucwa.Origin(parseURL(test.url)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.url, got, test.want)
		}
	}
}

func TestOriginErrorSaysWhatAndWhy(t *testing.T) {
	err := &ucwa.OriginError{Rel: "presence", URL: "https://evil.com/me", Expected: "https://lyncweb.contoso.com"}
	want := "the presence link leads to https://evil.com/me, which is not on https://lyncweb.contoso.com: " +
		"not followed, since the token is good for that origin only"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
