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
		{"its kind in upper case", func(x *Interaction) {
			x.Request.Headers.Set("Authorization", "Bearer CWT="+secret)
		}, []string{`"Bearer CWT=REDACTED-1"`}},
		{"names in lower case", func(x *Interaction) { x.Request.Headers["authorization"] = []string{"Bearer " + secret} }, []string{`"Bearer REDACTED-1"`}},
		{"proxy", func(x *Interaction) { x.Request.Headers.Set("Proxy-Authorization", "Basic "+secret) }, []string{`"Basic REDACTED-1"`}},
		{"a space, and no scheme", func(x *Interaction) { x.Request.Headers.Set("Authorization", "cwt="+secret+" hunter22") }, []string{`"cwt=REDACTED-2 REDACTED-1"`}},
		{"no scheme", func(x *Interaction) { x.Request.Headers.Set("Authorization", secret) }, []string{`"REDACTED-1"`}},
		{"cookies sent", func(x *Interaction) { x.Request.Headers.Set("Cookie", "a="+secret+"; b=other-value; c=") }, []string{`"a=REDACTED-1; b=REDACTED-2; c="`}},
		{"cookie without a name", func(x *Interaction) { x.Request.Headers.Set("Cookie", "other-value; a="+url.QueryEscape(secret)) },
			[]string{`"REDACTED-1; a=REDACTED-2"`}},
		{"cookie encoded", func(x *Interaction) {
			x.Request.Headers.Set("Authorization", "Bearer cwt="+secret)
			x.Request.Headers.Set("Cookie", "a=cwt%3d"+url.QueryEscape(secret))
		}, []string{`"Bearer cwt=REDACTED-1"`, `"a=cwt=REDACTED-1"`}},
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
		{"UCWA's token in any field", func(x *Interaction) {
			x.Request.Headers.Set("X-Foo", "t cwt="+secret)
			x.Request.Headers.Set("Referer", "https://ucwa.example/?x=CWT%3d"+url.QueryEscape(secret)+"&y=1")
			x.Request.Trailer = http.Header{"X-Bar": {"(cwt=" + secret + ")"}}
			x.Request.Form = url.Values{"x": {"cwt=" + secret}, "cwt=" + secret: {""}}
			x.Request.RequestURI = "/#cwt%253d" + url.QueryEscape(url.QueryEscape(secret))
			x.Response.Status = "401 cwt=" + secret
			x.Response.Body = `Use cwt=` + secret + `. Set cwt_ucwa=other-value; cwt= and cwt=... are none`
		}, []string{
			`"t cwt=REDACTED-1"`, `"https://ucwa.example/?x=CWT%3dREDACTED-1&y=1"`, `"(cwt=REDACTED-1)"`, `"/#cwt%253dREDACTED-1"`,
			`"401 cwt=REDACTED-1"`, `"Use cwt=REDACTED-1. Set cwt_ucwa=REDACTED-2; cwt= and cwt=... are none"`,
			"form:\n      \"cwt=REDACTED-1\":\n      - \"\"\n      \"x\":\n      - \"cwt=REDACTED-1\"",
		}},
		{"named in a query", func(x *Interaction) {
			x.Request.URL += "?access_token=token77&token=cwt%3dAAEB%2f%2bx%3d%3dbuHc&Ticket=cwt=" + secret + "&ticket_id=7"
		}, []string{`?access_token=REDACTED-1&token=cwt=REDACTED-2&Ticket=cwt=REDACTED-2&ticket_id=7"`}},
		{"a query with all that must be encoded", func(x *Interaction) { x.Request.URL += "?token=%20a%26other-value+" },
			[]string{`?token=REDACTED-1"`}},
		{"named in JSON", func(x *Interaction) {
			x.Response.Body = `{"token":"token77","accessToken":"cwt=` + secret + `","webTicket":"hunter22","ms_rtc_renew":"other-value","token_type":"Bearer"}`
		}, []string{`{\"token\":\"REDACTED-1\",\"accessToken\":\"cwt=REDACTED-2\",\"webTicket\":\"REDACTED-3\",\"ms_rtc_renew\":\"REDACTED-4\",\"token_type\":\"Bearer\"}`}},
		{"behind escapes in JSON", func(x *Interaction) {
			x.Response.Body = `{"href":"https:\/\/dana:hunter22@ucwa.example\/?token=token77\u0026x=1","text":"{\"password\":\"uote7\"}","b":"\/"}`
		}, []string{`\"https://dana:REDACTED-2@ucwa.example/?token=REDACTED-1\\u0026x=1\",\"text\":\"{\\\"password\\\":\\\"REDACTED-3\\\"}\",\"b\":\"\\/\"}`}},
		{"cut off in JSON", func(x *Interaction) {
			x.Response.Headers.Set("X-Foo", "cwt=AAEB/+x==buH")
			x.Response.Body = `{"text":"cwt=AAEB\/+x==buH`
			x.Request.Body = `{"password":"hunter22`
		}, []string{`{\"text\":\"cwt=REDACTED-2"`, `{\"password\":\"REDACTED-1"`, `- "cwt=REDACTED-2"`}},
		{"escapes that are not JSON's", func(x *Interaction) { x.Response.Body = `say "\d cwt=` + secret + `"` },
			[]string{`"say \"\\d cwt=REDACTED-1\""`}},
		{"seen once another is gone", func(x *Interaction) {
			x.Response.Body = `<input title="cwt=` + secret + `\/" name="token" value="token77">`
		}, []string{`name=\"token\" value=\"REDACTED-2\"`}},
		{"named in the midst of a text", func(x *Interaction) {
			x.Response.Body = `<a href="?x=1&amp;token=token77">, pwd=hunter22; or ?ticket=other-value.`
		}, []string{`x=1&amp;token=REDACTED-1\">, pwd=REDACTED-2; or ?ticket=REDACTED-3."`}},
		{"a login, and nothing named", func(x *Interaction) {
			x.Request.Headers.Set("Referer", "https://dana:hunter22@ucwa.example/")
		}, []string{`"https://dana:REDACTED-1@ucwa.example/"`}},
		{"named in XML", func(x *Interaction) {
			x.Response.Body = `<access_token>cwt=` + secret + `</access_token><o:Password Type="x">hunter22</o:Password><property a="b" name="access_token">token77</property><token a="b"/>text`
		}, []string{`<access_token>cwt=REDACTED-1</access_token><o:Password Type=\"x\">REDACTED-2</o:Password><property a=\"b\" name=\"access_token\">REDACTED-3</property><token a=\"b\"/>text`}},
		{"sign-on with assertions", func(x *Interaction) {
			x.Request.Body = `<saml:Assertion ID="_1"><saml:Subject>token77</saml:Subject></saml:Assertion>`
			x.Response.Body = `<input type="hidden" name="wresult" value="&lt;token77>" /><input name="wctx" value="kept"/>`
		}, []string{`<saml:Assertion ID=\"_1\">REDACTED-1</saml:Assertion>`, `name=\"wresult\" value=\"REDACTED-2>\"`, `value=\"kept\"`}},
		{"named in a form", func(x *Interaction) {
			x.Request.Body = "grant_type=urn:x&ms_rtc_renew=" + url.QueryEscape(secret)
			x.Request.Form = url.Values{"ms_rtc_renew": {secret}, "grant_type": {"urn:x"}}
		}, []string{`"grant_type=urn:x&ms_rtc_renew=REDACTED-1"`, "\"ms_rtc_renew\":\n      - \"REDACTED-1\""}},
		{"a text taken for a form", func(x *Interaction) {
			x.Request.Form = url.Values{`{"password":"hunter22"}`: {""}}
		}, []string{`"{\"password\":\"REDACTED-1\"}":`}},
		{"named in a header", func(x *Interaction) { x.Request.Headers.Set("X-Auth-Token", "token77") }, []string{`"REDACTED-1"`}},
		{"a challenge is none", func(x *Interaction) {
			x.Response.Headers.Set("WWW-Authenticate", `MsRtcOAuth href="https://ucwa.example/WebTicket/oauthtoken",grant_type="urn:microsoft.rtc:windows,password"`)
		}, []string{`"MsRtcOAuth href=\"https://ucwa.example/WebTicket/oauthtoken\",grant_type=\"urn:microsoft.rtc:windows,password\""`}},
		{"a password like a placeholder", func(x *Interaction) {
			x.Request.Headers.Set("Cookie", "a=REDACTED; b=other-value")
		}, []string{`"a=REDACTED-1; b=REDACTED-2"`}},
		{"the same secret, the same name", func(x *Interaction) {
			x.Request.Headers.Set("Authorization", "Bearer "+secret)
			x.Request.Headers.Set("Cookie", "a="+secret+"; b=other-value")
		}, []string{`"Bearer REDACTED-1"`, `"a=REDACTED-1; b=REDACTED-2"`}},
		{"the longer first", func(x *Interaction) {
			x.Request.Headers.Set("Cookie", "a=s3cret; b=s3cret-longer")
			x.Response.Body = "s3cret-longer,s3cret"
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
		{"nothing secret", func(*Interaction) {}, []string{"redaction:\n    version: 2\n    rules:\n    - \"authorization\"\n    - \"cookies\""}},
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
	c.Provenance.Repairs = []string{"cwt=secret-one is made up"}
	redacted := c.Redacted()
	if content := string(encode(t, redacted)); strings.Contains(content, "secret-one") || strings.Count(content, "REDACTED-1") != 5 {
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

func TestRedactedWithoutAnExchange(t *testing.T) {
	c := tape(failed(get("https://ucwa.example/", ""), `Get "https://ucwa.example/?token=secret-one": refused`))
	c.Provenance.Server = "cwt=secret-two"
	redacted := c.Redacted()
	if got, want := redacted.Exchanges[0].Failure, `Get "https://ucwa.example/?token=REDACTED-1": refused`; got != want {
		t.Errorf("the failure became %s, want %s", got, want)
	}
	if got := redacted.Provenance.Server; got != "cwt=REDACTED-2" {
		t.Errorf("the server became %s, want cwt=REDACTED-2", got)
	}
}

// FuzzRedacted holds that no text around a token of UCWA's hides it.
func FuzzRedacted(f *testing.F) {
	const secret = "AAEBHAEFA+/x=="
	for _, around := range [][2]string{
		{"", ""}, {`{"a":"b\"c`, `\u0026","b":`}, {`<token>`, `</token>`}, {"https://u:", "@h/?token=x"}, {"grant_type=password&assertion=x", "&b"},
		{`"password":"\\`, `"`}, {"<assertion>", "</assertion>"}, {"cwt=REDACTED-1", "%2f.. "},
	} {
		f.Add(around[0], around[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		for _, encoded := range []string{"cwt=" + secret, "Cwt%3d" + url.QueryEscape(secret)} {
			text := before + encoded + after
			c := tape(get("https://ucwa.example/", text))
			c.Exchanges[0].Response.Headers.Set("X-Foo", text)
			redacted := c.Redacted().Exchanges[0].Response
			for _, got := range []string{redacted.Body, redacted.Headers.Get("X-Foo")} {
				if strings.Contains(got, secret) || strings.Contains(got, url.QueryEscape(secret)) {
					t.Errorf("%q became %q", text, got)
				}
			}
		}
	})
}
