package cassettes

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestRedacted(t *testing.T) {
	const secret = "AAEB/+x==buHc"
	for _, test := range []struct {
		name   string
		change func(*Interaction)
		want   []string // all must be found in the encoded copy
	}{
		{"bearer token, its kind kept", func(x *Interaction) { x.Request.Headers.Set("Authorization", "Bearer cwt="+secret) }, []string{`"Bearer cwt=REDACTED-1"`}},
		{"names in lower case", func(x *Interaction) { x.Request.Headers["authorization"] = []string{"Bearer " + secret} }, []string{`"Bearer REDACTED-1"`}},
		{"proxy", func(x *Interaction) { x.Request.Headers.Set("Proxy-Authorization", "Basic "+secret) }, []string{`"Basic REDACTED-1"`}},
		{"no scheme", func(x *Interaction) { x.Request.Headers.Set("Authorization", secret) }, []string{`"REDACTED-1"`}},
		{"cookies sent", func(x *Interaction) { x.Request.Headers.Set("Cookie", "a="+secret+"; b=other-value; c=") }, []string{`"a=REDACTED-1; b=REDACTED-2; c="`}},
		{"cookie set, attributes kept", func(x *Interaction) {
			x.Response.Headers["set-cookie"] = []string{"cwt_ucwa=" + secret + "; path=/ucwa; secure; HttpOnly"}
		}, []string{`"cwt_ucwa=REDACTED-1; path=/ucwa; secure; HttpOnly"`}},
		{"short cookie, in its place only", func(x *Interaction) {
			x.Response.Headers.Set("Set-Cookie", "on=1; Max-Age=1")
		}, []string{`"on=REDACTED-1; Max-Age=1"`, `content_length: 1`}},
		{"token answer", func(x *Interaction) {
			x.Response.Body = `{"access_token": "cwt=AAEB\/+x==buHc","expires_in":"28","refresh_token":"q\"uote7"}`
		}, []string{`{\"access_token\": \"cwt=REDACTED-1\",\"expires_in\":\"28\",\"refresh_token\":\"REDACTED-2\"}`}},
		{"form, in body and form", func(x *Interaction) {
			x.Request.Body = "grant_type=password&username=dana&password=" + url.QueryEscape(secret)
			x.Request.Form = url.Values{"password": {secret}, "username": {"dana"}}
		}, []string{`"grant_type=password&username=dana&password=REDACTED-1"`, "\"password\":\n      - \"REDACTED-1\"", `- "dana"`}},
		{"URL", func(x *Interaction) {
			x.Request.URL = "https://dana:" + url.QueryEscape(secret) + "@ucwa.example/?access_token=token77&x=1"
		}, []string{`"https://dana:REDACTED-2@ucwa.example/?access_token=REDACTED-1&x=1"`}},
		{"everywhere else, in every encoding", func(x *Interaction) {
			x.Request.Headers.Set("Authorization", "Bearer "+secret)
			x.Request.URL += "?t=" + url.QueryEscape(secret) + "&l=AAEB%2f%2bx%3d%3dbuHc"
			x.Response.Headers.Set("Location", "/"+url.PathEscape(secret)+"#"+secret)
			x.Response.Body = `["` + strings.ReplaceAll(secret, "/", `\/`) + `","QUFFQi8reD09YnVIYw=="]`
		}, []string{`?t=REDACTED-1&l=REDACTED-1"`, `"/REDACTED-1#REDACTED-1"`, `[\"REDACTED-1\",\"REDACTED-1\"]`}},
		{"the same secret, the same name", func(x *Interaction) {
			x.Request.Headers.Set("Authorization", "Bearer "+secret)
			x.Request.Headers.Set("Cookie", "a="+secret+"; b=other-value")
		}, []string{`"Bearer REDACTED-1"`, `"a=REDACTED-1; b=REDACTED-2"`}},
		{"the longer first", func(x *Interaction) {
			x.Request.Headers.Set("Cookie", "a=secret; b=secret-longer")
			x.Response.Body = "secret-longer,secret"
		}, []string{`"a=REDACTED-1; b=REDACTED-2"`, `"REDACTED-2,REDACTED-1"`}},
		{"lengths that were true", func(x *Interaction) {
			x.Request.Body = `{"password":"hunter22"}`
			x.Request.ContentLength = int64(len(x.Request.Body))
			x.Request.Headers["content-length"] = []string{"23"}
		}, []string{"content_length: 25", "\"content-length\":\n      - \"25\""}},
		{"lengths that were not", func(x *Interaction) {
			x.Request.Body = `{"password":"hunter22"}`
			x.Request.ContentLength = 7
			x.Request.Headers.Set("Content-Length", "7")
		}, []string{"content_length: 7", "\"Content-Length\":\n      - \"7\""}},
		{"nothing secret", func(*Interaction) {}, []string{"redaction:\n    version: 1\n    rules:\n    - \"authorization\"\n    - \"cookies\""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := tape(get("https://ucwa.example/", "1"))
			test.change(c.Exchanges[0].Interaction)
			before := c.Exchanges[0].clone()
			redacted := c.Redacted()
			if !reflect.DeepEqual(before, c.Exchanges[0].clone()) || c.Provenance.Redaction.Version != 0 {
				t.Error("the original was changed")
			}
			content := string(encode(t, redacted))
			for _, want := range test.want {
				if !strings.Contains(content, want) {
					t.Errorf("no %s in\n%s", want, content)
				}
			}
			for _, left := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), "hunter22", "uote7", "token77", "other-value"} {
				if strings.Contains(content, left) {
					t.Errorf("%s is left in\n%s", left, content)
				}
			}
			if again := string(encode(t, redacted.Redacted())); again != content {
				t.Errorf("redacted again:\n%s\nwant\n%s", again, content)
			}
		})
	}
}

func TestRedactedAcrossExchanges(t *testing.T) {
	c := tape(get("https://ucwa.example/?t=secret-one", ""), get("https://ucwa.example/", `{"access_token":"secret-one"}`),
		failed(get("https://ucwa.example/", ""), "no answer to secret-one"))
	c.Provenance.Source = "https://ucwa.example/?t=secret-one"
	redacted := c.Redacted()
	if content := string(encode(t, redacted)); strings.Contains(content, "secret-one") || strings.Count(content, "REDACTED-1") != 4 {
		t.Errorf("redacted as\n%s", content)
	}
	// What is added to a redacted recording gets numbers of its own.
	more := get("https://ucwa.example/", "")
	more.Request.Headers = http.Header{"Cookie": {"a=secret-two"}}
	redacted.Exchanges = slices.Insert(redacted.Exchanges, 0, more)
	if got := redacted.Redacted().Exchanges[0].Request.Headers.Get("Cookie"); got != "a=REDACTED-2" {
		t.Errorf("a later secret became %s, want REDACTED-2", got)
	}
}

func TestRedactedReplaysWithItself(t *testing.T) {
	c := tape(get("https://ucwa.example/", `{"access_token":"secret-one","href":"/next?t=secret-one"}`), get("https://ucwa.example/next?t=secret-one", "end"))
	r := NewReplayer(c.Redacted())
	body := play(t, r, "GET https://ucwa.example/")
	_, href, _ := strings.Cut(strings.TrimSuffix(body, `"}`), `"href":"`)
	if got := play(t, r, "GET https://ucwa.example"+href); got != "end" {
		t.Errorf("following the link in the redacted answer: %s", got)
	}
}
