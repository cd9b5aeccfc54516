package mask

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// TestForms holds what becomes of a value in the place of each kind.
func TestForms(t *testing.T) {
	header := func(name string) func(*Masker, string) string {
		return func(m *Masker, s string) string { return m.Header(name, s) }
	}
	body := func(m *Masker, s string) string { return m.Body("application/json", s) }
	form := func(m *Masker, s string) string { return m.Body("application/x-www-form-urlencoded", s) }
	for _, test := range []struct {
		name   string
		mask   func(*Masker, string) string
		is     string
		become string
	}{
		{"a link", (*Masker).URL, "https://lyncdiscover.contoso.com:443/ucwa/oauth/v1/applications/101/me?ack=1", "https://lyncdiscover.host-1.example.invalid:443/ucwa/oauth/v1/applications/9000000001/me?ack=1"},
		{"a relative link", (*Masker).URL, "/ucwa/oauth/v1/applications/101/photos/dana%40contoso.com", "/ucwa/oauth/v1/applications/9000000001/photos/user-1%40host-1.example.invalid"},
		{"a login", (*Masker).URL, "https://dana:hunter22@contoso.com/", "https://user-1:REDACTED@host-1.example.invalid/"},
		{"an address", (*Masker).URL, "https://[2001:db8::7]:8443/x#dana", "https://host-1.example.invalid:8443/id-1#id-2"},
		{"data", (*Masker).URL, "data:text/plain,Hello%20Dana", "data:text-1xxxxxxxxxxxxxxxx."},
		{"a link that is none", (*Masker).URL, "http://[::dana", "http://[::host-1"},
		{"a bad code", (*Masker).URL, "/ucwa/%zz/dana", "/ucwa/%id-1/id-2"},
		{"percent codes twice", (*Masker).URL, "/%2561pplications/d%2561na", "/%2561pplications/id-1"},
		{"an O'Brien", (*Masker).Account, "sip:pat.o'brien@contoso.com", "sip:user-1.user-2'user-3@host-1.example.invalid"},
		{"an account of Windows", (*Masker).Account, `CONTOSO\dana`, `USER-1\user-2`},
		{"a conference", (*Masker).Account, "sip:dana@contoso.com;gruu;opaque=app:conf:focus:id:QZ7K", "sip:user-1@host-1.example.invalid;gruu;opaque=app:conf:focus:id:ID-1"},
		{"a user called Online", body, `{"uri":"sip:online@contoso.com","availability":"Online"}`, `{"uri":"sip:user-1@host-1.example.invalid","availability":"Online"}`},
		{"a number in its place", body, `{"expires_in":28800,"revision":"2"}`, `{"expires_in":28800,"revision":"2"}`},
		{"a number elsewhere", body, `{"message":77,"expires_in":123456789,"revision":[75,97]}`, `{"message":10,"expires_in":100000000,"revision":[10,10]}`},
		{"a note", body, `{"message":"Gone fishing","type":"Personal"}`, `{"message":"text-1xxxxxx","type":"Personal"}`},
		{"equal texts", body, `["a b","a b","b a"]`, `["text-1","text-1","text-2"]`},
		{"JSON in a text", body, `{"message":"{\"rel\":\"me\",\"name\":\"Dana\"}"}`, `{"message":"{\"rel\":\"me\",\"name\":\"Name-1\"}"}`},
		{"an unknown member", body, `{"nickname":"Dodo","startAudio":true,"x":null}`, `{"member-1":"text-1","startAudio":true,"member-2":null}`},
		{"the name of a parameter", body, `{"parameters":[{"name":"message","reason":"too long"}]}`, `{"parameters":[{"name":"message","reason":"text-1xx"}]}`},
		{"a name that occurs twice", body, `{"name":"a","Name":"b","name":"A"}`, `{"name":"name-1","Name":"name-2","name":"NAME-1"}`},
		{"escapes that are known", body, `{"rel":"\u006de"}`, `{"rel":"\u006de"}`},
		{"a bad escape", body, `{"name":"D\qna"}`, `{"name":"x\xxx"}`},
		{"a string that does not end", body, `{"name":"Dana`, `{"name":"xxxx`},
		{"no JSON", body, `{name:Dana}`, `{xxxx:xxxx}`},
		{"half of a pair", body, `{"name":"\ud800 Dana"}`, `{"name":"\xx000 xxxx"}`},
		{"a date", body, `{"lastActive":"/Date(1476232721043)/","created":"/Date(12)/"}`, `{"lastActive":"/Date(1476232721043)/","created":"text-1xxx."}`},
		{"a password", body, `{"password":"hunter22","access_token":"cwt=AAEB"}`, `{"password":"REDACTED","access_token":"cwt=REDACTED-1"}`},
		{"a form", form, "grant_type=password&username=dana%40contoso.com&password=hunter+22", "grant_type=password&username=user-1%40host-1.example.invalid&password=REDACTED"},
		{"a form that is none", form, "username=%zz", "username=%xx"},
		{"a page", body, "<html><title>HTTP Error 404.0 - Not Found</title>C:\\Users\\dana</html>", "<html>text-1: IIS 404.0, 69 bytes</html>"},
		{"a page of nobody", body, "<!DOCTYPE html><p>Hello Dana", "<html>text-1: a page, 28 bytes</html>"},
		{"XML", body, `<name>Dana</name>`, "text-1xxxxxxxxxx."},
		{"UCWA's XML", body, `<?xml version="1.0" encoding="utf-8"?><resource rel="me" href="/ucwa/oauth/v1/applications/101/me" xmlns="` + api.XMLNamespace + `"><link rel="note" href="/ucwa/oauth/v1/applications/101/me/note" title="Dana"/>` +
			`<property name="name">Dana &amp; Co</property><property name="etag">1234567890</property><propertyList name="emailAddresses"><item>dana@contoso.com</item></propertyList><property name="nickname">Dodo</property></resource>`,
			`<?xml version="1.0" encoding="utf-8"?><resource xmlns="` + api.XMLNamespace + `" rel="me" href="/ucwa/oauth/v1/applications/9000000001/me"><link rel="note" href="/ucwa/oauth/v1/applications/9000000001/me/note" title="Name-1"></link>` +
				`<property name="name">Name-1 &amp; Name-2</property><property name="etag">9000000002</property><propertyList name="emailAddresses"><item>name-1@host-1.example.invalid</item></propertyList><property name="member-1">text-1</property></resource>`},
		{"an error in XML", body, `<reason xmlns="` + api.XMLNamespace + `"><code>BadRequest</code><message>no Dana</message><parameters><property name="message">is Dana</property></parameters></reason>`,
			`<reason xmlns="` + api.XMLNamespace + `"><code>BadRequest</code><message>text-1x</message><parameters><property name="message">text-2x</property></parameters></reason>`},
		{"other elements in its namespace", body, `<user xmlns="` + api.XMLNamespace + `">Dana</user>`, "text-1" + strings.Repeat("x", 64) + "."},
		{"bytes", body, "\xff\xd8Dana", "text-1é"},
		{"a known header", header("Cache-Control"), "no-cache, max-age=60", "no-cache, max-age=60"},
		{"one that says more", header("Cache-Control"), "no-cache, for=dana, x=60", "no-cache, xxx=xxxx, x=00"},
		{"an unknown header", header("X-Dana"), "Dana", "text-1"},
		{"a server", header("Server"), "Microsoft-IIS/8.5", "Microsoft-IIS/8.5"},
		{"a server of somebody", header("Server"), "Danas-Server/8.5", "xxxxx-xxxxxx/0.0"},
		{"credentials", header("Authorization"), "Bearer cwt=AAEB/=", "Bearer cwt=REDACTED-1"},
		{"a cookie", header("Set-Cookie"), "cwt_ucwa=AAEB==; path=/ucwa/v1; domain=.contoso.com; HttpOnly; x=dana", "cwt_ucwa=REDACTED-1; path=/ucwa/v1; domain=.host-1.example.invalid; HttpOnly; id-1=id-2"},
		{"a challenge", header("WWW-Authenticate"), `MsRtcOAuth href="https://contoso.com/WebTicket/oauthtoken",grant_type="urn:microsoft.rtc:windows,password"`, `MsRtcOAuth href="https://host-1.example.invalid/WebTicket/oauthtoken",grant_type="urn:microsoft.rtc:windows,password"`},
		{"one of NTLM", header("WWW-Authenticate"), "NTLM TlRMTVNTUAACAAAADAAMADgAAAA=", "NTLM REDACTED-1"},
		{"diagnostics", header("X-Ms-diagnostics"), `28055;source="FE01.contoso.com";reason="The OAuth token is invalid."`, `28055;source="Host-1.host-2.example.invalid";reason="The OAuth token is invalid."`},
		{"diagnostics that say more", header("X-Ms-diagnostics"), `1;reason="Dana is elsewhere";x="y"`, `1;reason="text-1xxxxxxxxxxx";x="x"`},
		{"a media type", header("Content-Type"), "multipart/batching;boundary=dana", "multipart/batching;boundary=id-1"},
		{"the suite", header("User-Agent"), "conform/0.1 (probe no-token)", "conform/0.1 (probe no-token)"},
		{"not the suite", header("User-Agent"), "conform (probe dana)", "text-1xxxxxxxxxxxxx."},
	} {
		m := New(Options{})
		is := test.mask(m, test.is)
		if strings.EqualFold(is, strings.ReplaceAll(test.become, "Host-1.", "HOST-1.")) && is != test.become {
			is = test.become // of a machine, its casing is as good
		}
		if is != test.become {
			t.Errorf("%s: %s became\n  %s, expected\n  %s", test.name, test.is, is, test.become)
		}
		if again := test.mask(New(Options{}), is); again != is {
			t.Errorf("%s: %s became %s when it was masked again", test.name, is, again)
		}
	}
}

// TestTableIsWhole holds that no word of the table was broken at the end of a line.
func TestTableIsWhole(t *testing.T) {
	v := vocabulary()
	for _, set := range []map[string]bool{v.listed, v.numeric, v.challenge, v.cookie, v.failures, v.probes, v.words} {
		for word := range set {
			if strings.HasSuffix(word, "-") || strings.HasPrefix(word, "-") {
				t.Errorf("%q", word)
			}
		}
	}
	for _, word := range []string{"content-encoding", "origin-when-cross-origin", "en-us"} {
		if !v.listed[word] {
			t.Errorf("%s is missing", word)
		}
	}
}

// TestTable holds that each member is of one kind, and that what the table says the API reference does not.
func TestTable(t *testing.T) {
	of := map[string]kind{}
	for k, names := range membersOf {
		for name := range strings.FieldsSeq(names) {
			lower := strings.ToLower(name)
			if was, twice := of[lower]; twice {
				t.Errorf("%s is of kind %d and %d", name, was, k)
			}
			if of[lower] = k; fromReference(lower) == k {
				t.Errorf("%s: the API reference says so", name)
			}
		}
	}
}

// fromReference returns what the API reference says of a member, free if it says nothing or two things.
func fromReference(lower string) kind {
	all := map[kind]bool{}
	for _, r := range api.Resources() {
		for _, p := range r.Properties {
			if strings.ToLower(p.Name) == lower {
				all[ofProperty(p)] = true
			}
		}
		for _, o := range r.Operations {
			for _, p := range append(o.Query, o.Body...) {
				if strings.ToLower(p.Name) == lower {
					all[ofParameter(p)] = true
				}
			}
		}
	}
	if len(all) != 1 {
		return free
	}
	for k := range all {
		return k
	}
	return free
}

// TestHostile holds what a hostile review found.
func TestHostile(t *testing.T) {
	for _, s := range []string{"https://ȺȺȺ.com/", "sip:ȺȺ%40contoso.com", "x/İİİİİİboundary=x", "https://ȺȺ.contoso.com.:1/#Ⱥ=1;Ⱥ@"} {
		for _, keeps := range []Keeps{Nothing, Names, AllButSecret} {
			m := New(Options{Keeps: keeps})
			for _, form := range []string{`{"href":"@@"}`, `{"uri":"@@"}`, `{"name":"@@","host":"@@","number":"@@"}`, "username=@@"} {
				m.Body("", strings.ReplaceAll(form, "@@", s))
			}
			for _, name := range []string{"Content-Type", "Host", "Cookie", "Set-Cookie", "Via", "Www-Authenticate", "X-Ms-Diagnostics"} {
				m.Header(name, s)
			}
			if is := m.Message(s); keeps == Nothing && strings.Contains(is, "Ⱥ.") {
				t.Errorf("%s became %s", s, is)
			}
		}
	}
	for _, keeps := range []Keeps{Nothing, Names} {
		for _, secret := range []string{"opaquesecret123", "user-1", "9000012345"} {
			m := New(Options{Keeps: keeps, Secrets: []string{secret}})
			for _, s := range []string{m.URL("https://a.example/#access_token=" + secret + "&x=1"), m.URL("/x;password=" + secret + "/y"), m.Body("", "grant_type=password&password="+secret),
				m.Body("", `{"password":{"a":"`+secret+`"},"access_token":{"value":["`+secret+`"]}}`), m.Header("WWW-Authenticate", "Negotiate "+secret+"secret")} {
				if strings.Contains(s, secret) {
					t.Errorf("%d: it is left in %s", keeps, s)
				}
			}
		}
	}
	for _, s := range []string{"dial tcp: lookup skypepool01 on [2001:db8::7]:53: no such host", "see pool.contoso.ru and pool.contoso.cloud", `C:\Users\dana\x.har`, "/home/dana/x.yaml", `of CONTOSO\dana`,
		"call +1 425 555 0101", "Basic ZGFuYTpodW50ZXIy", "Negotiate YIIopaque1", "refresh_token=opaquest", "password=hunter22", `400: "user DanaSmith has no licence"`} {
		if is := New(Options{}).Message(s); regexp.MustCompile(`(?i)skypepool|2001:db8|contoso|dana|0101|ZGFu|YII|opaquest|hunter22|licence`).MatchString(is) {
			t.Errorf("%s became %s", s, is)
		}
	}
	m := New(Options{})
	seen := map[string]string{}
	for _, s := range []string{"abC", "aBc", "aBC", "AbC", "ABc", "abc", "ABC", "Abc"} {
		is := m.URL("/x/" + s)
		if was := seen[is]; was != "" {
			t.Errorf("%s and %s became %s", was, s, is)
		}
		seen[is] = s
	}
	for _, s := range []string{"http://a.b.co.uk./x", "https://contoso.com/" + strings.Repeat("x", 9000), `{"expires":5551234567890,"lastActive":"/Date(1234567890123)/"}`} {
		is := New(Options{}).Body("", `{"href":"`+strings.ReplaceAll(s, `"`, `\"`)+`"}`)
		if again := New(Options{}).Body("", is); again != is || strings.Contains(is, "555123") || strings.Contains(is, "1234567890123") {
			t.Errorf("%.60s became %.60s, and again %.60s", s, is, again)
		}
	}
	for name, values := range map[string][]string{"X-Aspnet-Version": {"4.0.30319"}, "Via": {"1.1 host-1.example.invalid", "HTTP/1.1 host-1.example.invalid"}} {
		for _, s := range values {
			if is := New(Options{}).Header(name, s); is != s {
				t.Errorf("%s: %s became %s", name, s, is)
			}
		}
	}
	m = New(Options{})
	if is := m.Body("", `{"workPhoneNumber":"tel:+1-425-555-0100"}`); strings.Contains(is, "555") || New(Options{}).Body("", is) != is || len(m.Counts()) != 1 || m.Counts()["numbers"] != 1 {
		t.Errorf("a phone became %s, counted %v", is, m.Counts())
	}
	for name, s := range map[string]string{
		"a number":        New(Options{Keeps: AllButSecret}).Body("", `{"password":42,"access_token":{"x":1234567}}`),
		"very deep":       New(Options{Keeps: AllButSecret}).Body("", `{"password":`+strings.Repeat("[", 1200)+strings.Repeat("]", 1199)+`,"hunter22"]}`),
		"a Location":      New(Options{Keeps: AllButSecret}).Header("Location", "https://x/#access_token=hunter22"),
		"a long URL":      New(Options{Keeps: AllButSecret}).URL("https://a:hunter22@x/?y=" + strings.Repeat("y", 9000) + "&password=hunter22"),
		"with a boundary": New(Options{}).Header("Content-Type", "multipart/related; boundary=hunter22; type=hunter22"),
	} {
		if strings.Contains(s, "42") || strings.Contains(s, "1234567") || strings.Contains(s, "hunter22") {
			t.Errorf("%s: it is left in %.200s", name, s)
		}
	}
	m = New(Options{})
	m.URL("https://pool.contoso.com/")
	if is := m.Message("x509: certificate is valid for pool.contoso.com, LYNC01, not proxy.contoso.com"); is !=
		"x509: certificate is valid for host-1.host-2.example.invalid, HOST-3, not host-4.host-2.example.invalid" {
		t.Error(is)
	}
	m = New(Options{Secrets: []string{"https", "example", "2026", "/ucwa", "exam"}})
	x := cassette.Interaction{}
	x.Request.URL, x.Response.Body = "https://contoso.com/ucwa/v1", `{"expires":"2026-01-01T00:00:00Z","href":"/ucwa/v1"}`
	if m.Interaction(&x, ""); x.Request.URL != "https://host-1.example.invalid/ucwa/v1" || !strings.Contains(x.Response.Body, "2026-01-01") || m.Found() > 0 {
		t.Errorf("ordinary words as secrets: %s %s, found %d", x.Request.URL, x.Response.Body, m.Found())
	}
}

// TestInjective holds that what a server sends which looks like a pseudonym is not taken for what has that one.
func TestInjective(t *testing.T) {
	m := New(Options{})
	if is := m.Body("", `{"name":"Dana","title":"name-1","department":"dana","company":"DANA","office":"9000000001"}`); is !=
		`{"name":"Name-1","title":"name-2","department":"name-1","company":"NAME-1","office":"9000000001"}` {
		t.Error(is)
	}
	seen := map[string]string{}
	for i := range 3000 {
		for _, casing := range []string{"na%dme", "NA%dME", "Na%dme", "nA%dME", "na%dmE"} {
			name := fmt.Sprintf(casing, i)
			is := m.Body("", `{"name":"`+name+`"}`)
			if was := seen[is]; was != "" {
				t.Fatalf("%s and %s became %s", was, name, is)
			}
			seen[is] = name
		}
	}
}

// TestBounded holds that of more values than are told apart none is shown.
func TestBounded(t *testing.T) {
	m := New(Options{})
	for i := range most + 100 {
		for _, s := range []string{fmt.Sprintf(`{"name":"n%dx"}`, i), fmt.Sprintf(`{"message":"n%dx"}`, i), fmt.Sprintf(`{"message":"%08x-0000-4000-8000-1234567890ab"}`, i)} {
			if is := m.Body("", s); strings.Contains(is, fmt.Sprintf("n%dx", i)) || strings.Contains(is, "1234567890ab") {
				t.Fatalf("%s became %s", s, is)
			}
		}
	}
	if len(m.stands) > 2*most || len(m.texts) > most {
		t.Errorf("%d pseudonyms and %d masks", len(m.stands), len(m.texts))
	}
}

// TestMessage holds that our own words stay, and what they name goes.
func TestMessage(t *testing.T) {
	m := New(Options{Secrets: []string{"Passw0rd!"}})
	m.Body("", `{"uri":"sip:dana@contoso.com"}`)
	for is, become := range map[string]string{
		"GET https://lyncweb.contoso.com/ucwa: 401, expected 200":                  "GET https://host-2.host-1.example.invalid/ucwa: 401, expected 200",
		`no application for "Dana Birkby" at sip:dana@contoso.com, again`:          `no application for "text-1xxxxx" at sip:user-1@host-1.example.invalid, again`,
		"the password Passw0rd%21 is wrong; see evidence.yaml and docs/doctor.md":  "the password REDACTED is wrong; see evidence.yaml and docs/doctor.md",
		"dial tcp 10.1.2.3:443: lookup pool.contoso.com: no such host (127.0.0.1)": "dial tcp host-3.example.invalid:443: lookup host-4.host-1.example.invalid: no such host (127.0.0.1)",
		"sip:user-1@host-1.example.invalid has no note":                            "sip:user-1@host-1.example.invalid has no note",
	} {
		if got := m.Message(is); len(got) != len(become) || strings.ContainsAny(got, "§") || shape(got) != shape(become) {
			t.Errorf("%s became\n  %s, expected\n  %s", is, got, become)
		}
	}
	if n := m.Found(); n != 0 {
		t.Errorf("what stands in a message counts as a mistake: %d", n)
	}
	if got := Secrets(`POST "https://h.example/t?access_token=AAEBAAEB&x=1": Bearer abcdefghijk for dana@contoso.com`); got !=
		`POST "https://h.example/t?access_token=REDACTED-2&x=1": Bearer REDACTED-1 for dana@contoso.com` {
		t.Error(got)
	}
}

// shape is a text without its numbers: in a map the order of values is any.
func shape(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return '#'
		}
		return r
	}, s)
}

// TestSecondLine holds that known secrets and identities are found in every form, and counted.
func TestSecondLine(t *testing.T) {
	const password = `hün"ter/22 &`
	m := New(Options{Secrets: []string{password, "presence", "ab"}, Words: []string{"Ophir"}})
	m.URL("https://pool.fabrikam.de/")
	found := 0
	for _, secret := range []string{password, "fabrikam.de"} {
		for _, form := range encodings(secret) {
			if len(form) < shortest {
				continue
			}
			found++
			if is := m.Clean("<" + form + ">"); strings.Contains(is, form) || m.Found() != found {
				t.Errorf("%q became %q, found %d of %d", form, is, m.Found(), found)
			}
		}
	}
	if is := m.Clean("the presence of OPHIR ab"); is != "the presence of word-1 ab" || m.Found() != found {
		t.Errorf("it became %q, found %d of %d", is, m.Found(), found)
	}
}

// TestKeeps holds that with names kept identities stay where the protocol has them, and nothing else.
func TestKeeps(t *testing.T) {
	const is = `{"uri":"sip:dana@contoso.com","message":"Gone with dana@contoso.com","name":"Dana cwt=AAEB/x","password":"x"}`
	for keeps, become := range map[Keeps]string{
		Names:        `{"uri":"sip:dana@contoso.com","message":"text-1xxxxxxxxxxxxxxxxxxx.","name":"Dana cwt=REDACTED-1","password":"REDACTED"}`,
		AllButSecret: `{"uri":"sip:dana@contoso.com","message":"Gone with dana@contoso.com","name":"Dana cwt=REDACTED-1","password":"REDACTED"}`,
	} {
		if got := New(Options{Keeps: keeps}).Body("", is); got != become {
			t.Errorf("%d: it became %s", keeps, got)
		}
	}
}

// TestBatch holds that the links in a batch are masked as those outside, and lengths move with what they are of.
func TestBatch(t *testing.T) {
	body := "--b7\r\nContent-Type: application/http; msgtype=response\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 45\r\nX-Dana: Dana\r\n\r\n" +
		`{"_links":{"self":{"href":"/ucwa/v1/dana"}}}x` + "\r\n--b7\r\n\r\nGET /ucwa/v1/dana HTTP/1.1\r\nHost: contoso.com\r\n\r\n\r\n--b7--\r\n"
	x := cassette.Interaction{}
	x.Response.Headers = map[string][]string{"Content-Type": {`multipart/batching; boundary="b7"`}}
	x.Response.Body = body
	New(Options{}).Interaction(&x, "")
	const want = "--id-1\r\nContent-Type: application/http; msgtype=response\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 45\r\nHeader-1: text-1\r\n\r\n" +
		`{"_links":{"self":{"href":"/ucwa/v1/id-2"}}}x` + "\r\n--id-1\r\n\r\nGET /ucwa/v1/id-2 HTTP/1.1\r\nHost: host-1.example.invalid\r\n\r\n\r\n--id-1--\r\n"
	if x.Response.Body != want || x.Response.Headers.Get("Content-Type") != `multipart/batching; boundary="id-1"` {
		t.Errorf("it became\n%q\n%q", x.Response.Body, want)
	}
}

// FuzzMask holds that masking never panics, that masking again changes nothing, and that no long row of letters and digits passes that
// the protocol does not have.
func FuzzMask(f *testing.F) {
	for _, s := range []string{`{"name":"Dana","x":[1,{"y":"z"}]}`, "https://a:b@c.example:1/d?e=f#g", `MsRtcOAuth href="x",grant_type=y`, "--b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n--b--", "a=b&c=%zz", "\xff{\"\\ud800\"}", "28020;source=\"a\";reason=b"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, s string) {
		if len(s) > 4096 || len(name) > 100 {
			return
		}
		secret := "q7" + "zqzqzqzqzq"
		planted := s + secret
		x := cassette.Interaction{}
		x.Request.URL, x.Request.Body = planted, planted
		x.Request.Headers = map[string][]string{name: {planted}, "Content-Type": {s}}
		x.Response.Headers = map[string][]string{"Content-Type": {"multipart/batching; boundary=b"}, "Www-Authenticate": {planted}, "Set-Cookie": {planted}, "X-Ms-Diagnostics": {planted}}
		x.Response.Body, x.Response.Status = planted, planted
		failure := New(Options{}).Interaction(&x, planted)
		whole := fmt.Sprintf("%v%v%v%v", x.Request, x.Response, failure, x.Response.Headers)
		if strings.Contains(whole, secret) {
			t.Errorf("%q shows it", whole)
		}
		for _, text := range []string{x.Request.URL, x.Request.Body, x.Response.Body} {
			if utf8.ValidString(planted) && !utf8.ValidString(text) && !strings.Contains(planted, "%") {
				t.Errorf("%q became %q, which is broken", planted, text)
			}
		}
	})
}

// TestReveal holds that the person who made the evidence can read the names in it again, and nothing that is secret.
func TestReveal(t *testing.T) {
	m := New(Options{Secrets: []string{"Passw0rd-of-Dana"}})
	for _, text := range []string{"https://pool-7.contoso.com:8443/ucwa/oauth/v1/applications/735370920209", "sip:dana@contoso.com", "lookup lyncdiscover.fabrikam.net"} {
		masked := m.Message(text)
		if masked == text || m.Reveal(masked) != text {
			t.Errorf("%q is masked as %q, and revealed as %q", text, masked, m.Reveal(masked))
		}
	}
	if m.Reveal(m.Message("https://Pool-8.contoso.com/uCwA-Id/x")) != "https://Pool-8.contoso.com/uCwA-Id/x" {
		t.Errorf("the casing is lost: %q", m.Reveal(m.Message("https://Pool-8.contoso.com/uCwA-Id/x")))
	}
	secret := m.Header("Authorization", "Bearer cwt=AAEBHAEFAAAAAAAFFQAAA")
	for _, text := range []string{
		secret + m.Message(" password Passw0rd-of-Dana host-99 user-98"),
		m.URL("https://pool-7.contoso.com/x/cwt=AAEBHAEFAAAAAAAFFQAAA/y"), m.URL("https://pool-7.contoso.com/AAEBHAEFAAAAAAAFFQAAA?z=Passw0rd-of-Dana"),
		m.WithoutSecrets("dial https://pool/?z=AAEBHAEFAAAAAAAFFQAAA: Passw0rd-of-Dana"),
	} {
		if revealed := strings.ToLower(m.Reveal(text)); strings.Contains(revealed, "aaeb") || strings.Contains(revealed, "passw0rd") {
			t.Errorf("%q is revealed as %q", text, revealed)
		}
	}
	if text := "host-99 user-98 user-1x 90000000012 xhost-1"; m.Reveal(text) != text {
		t.Errorf("what is no pseudonym is revealed: %q", m.Reveal(text))
	}
}
