package cassettes

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shown is an exchange with an identity of each kind.
func shown() Exchange {
	x := get("https://pool01.fabrikam.de/ucwa/oauth/v1/applications/10310350990/me", `{"name":"Quentin Zebrowski","uri":"sip:quentinz@fabrikam.de",`+
		`"number":"tel:+4930901820345","endpointId":"6f9619ff-8b86-4d01-b42d-00cf4fc964ff","title":"Chief Ophirist",`+
		`"onlineMeetingUri":"sip:quentinz@fabrikam.de;gruu;opaque=app:conf:focus:id:QZ7K9X2M",`+
		`"_embedded":{"note":{"message":"Gone to Ophir"}},"_links":{"self":{"href":"/ucwa/oauth/v1/applications/10310350990/me"}}}`)
	x.Request.Headers = http.Header{"Authorization": {"Bearer cwt=AAEBsecret"}}
	x.Response.Headers = http.Header{"X-Ms-Server-Fqdn": {"fe02.fabrikam.de"}, "Content-Type": {"application/json"}}
	return x
}

func TestAnonymized(t *testing.T) {
	c := tape(shown())
	before := c.Exchanges[0].clone()
	hidden, err := c.Anonymized(AnonymizeOptions{Key: []byte("a key for tests")})
	if err != nil {
		t.Fatal(err)
	}
	if was, is := string(encode(t, tape(before))), string(encode(t, c)); was != is {
		t.Error("the original was changed")
	}
	const want = `{"name":"name-26c0b9b9d3","uri":"sip:user-08d2c9bb9e@host-2fb5f8b9a0.example.invalid"`
	got := hidden.Exchanges[0]
	shape := strings.NewReplacer("0", "#", "1", "#", "2", "#", "3", "#", "4", "#", "5", "#", "6", "#", "7", "#", "8", "#", "9", "#",
		"a", "#", "b", "#", "c", "#", "d", "#", "e", "#", "f", "#").Replace
	if !strings.HasPrefix(shape(got.Response.Body), shape(want)) {
		t.Errorf("the body became\n%s\nexpected the shape of\n%s", got.Response.Body, want)
	}
	u, err := url.Parse(got.Request.URL)
	if err != nil || !strings.HasSuffix(u.Host, ".example.invalid") || !strings.Contains(got.Response.Body, `"href":"`+u.Path+`"`) {
		t.Errorf("the link of the body is not that of the URL %s:\n%s", u, got.Response.Body)
	}
	if r := hidden.Provenance.Redaction; r.Version != 6 || fmt.Sprint(r.Rules) != "[addresses applications authorization conferences cookies hosts identifiers images names passwords phones tokens words]" {
		t.Errorf("the provenance says %+v", r)
	}
	if same, _ := c.Anonymized(AnonymizeOptions{Key: []byte("a key for tests")}); !bytes.Equal(encode(t, same), encode(t, hidden)) {
		t.Error("the same key gives other pseudonyms")
	}
	if other, _ := c.Anonymized(AnonymizeOptions{}); other.Exchanges[0].Request.URL == got.Request.URL {
		t.Error("another key gives the same pseudonyms")
	}
	if kept := hidden.Redacted(); !bytes.Equal(encode(t, kept), encode(t, hidden)) {
		t.Errorf("Redacted changes it:\n%s", encode(t, kept))
	}
}

// TestAnonymizedByChance holds that nothing is refused because the name of a server stands in a pseudonym by chance: with this
// key, fe02 in that of a GUID.
func TestAnonymizedByChance(t *testing.T) {
	key := make([]byte, 16)
	binary.LittleEndian.PutUint64(key, 87889)
	hidden, err := tape(shown()).Anonymized(AnonymizeOptions{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if body := hidden.Exchanges[0].Response.Body; !strings.Contains(body, `"00000000-fe02-4`) {
		t.Errorf("the key gives other pseudonyms now; look for one that gives a GUID with fe02 again:\n%s", body)
	}
}

// TestForeignGUIDIsNoPseudonym holds that a GUID that only looks like a pseudonym is hidden as any other.
func TestForeignGUIDIsNoPseudonym(t *testing.T) {
	const guid = "00000000-dead-4bee-8fee-005056ab12cd"
	body := `{"state":"` + guid + `"}`
	for name, options := range map[string]AnonymizeOptions{
		"as a GUID":           {},
		"as a word":           {Words: []string{guid}},
		"its end as a word":   {Words: []string{"005056ab12cd"}},
		"as a secret":         {Secrets: []string{guid}, KeepNames: true},
		"its end as a secret": {Secrets: []string{"005056ab12cd"}, KeepNames: true},
	} {
		hidden, err := tape(get("https://pool.example/", body)).Anonymized(options)
		if err != nil {
			t.Fatal(err)
		}
		if got := hidden.Exchanges[0].Response.Body; strings.Contains(got, "005056ab12cd") {
			t.Errorf("%s: %s", name, got)
		}
	}
	x := get("https://pool.example/", body)
	x.Request.Headers = http.Header{"Authorization": {"Bearer " + guid}}
	if got := tape(x).Redacted().Exchanges[0].Response.Body; strings.Contains(got, guid) {
		t.Errorf("as a token: %s", got)
	}
}

// TestAnonymizedKeeps holds that what is nobody's stays.
func TestAnonymizedKeeps(t *testing.T) {
	for _, text := range []string{
		`{"availability":"Online","activity":"Be right back","rel":"presence","etag":"2434591966"}`,
		`{"code":"NotFound","subcode":"ApplicationNotFound","message":"There is no such application."}`,
		`xmlns="http://www.w3.org/1999/xhtml" and http://schemas.microsoft.com/rtc`,
		`client_id="00000004-0000-0ff1-ce00-000000000000", 00000000-0000-0000-0000-000000000000`,
		`Mozilla/5.0 Chrome/120.0.0.0 Microsoft-IIS/8.5 ASP.NET 4.0.30319`,
		`urn:microsoft.rtc:windows,urn:microsoft.rtc:anonmeeting,password`,
		`{"culture":"en-US","supportedModalities":["Messaging","PhoneAudio"],"type":"updated"}`,
		`application/vnd.microsoft.com.ucwa+json; charset=utf-8`,
		`{"message":"conform"}`,
		`W/"2434591966" max-age=0, 30`,
	} {
		x := get("https://pool01.fabrikam.de/x", text)
		x.Response.Headers = http.Header{"X-A": {text}}
		hidden, err := tape(shown(), x).Anonymized(AnonymizeOptions{})
		if err != nil {
			t.Error(err)
			continue
		}
		if got := hidden.Exchanges[1].Response; got.Body != text || got.Headers["X-A"][0] != text {
			t.Errorf("%s\nbecame %s", text, got.Body)
		}
	}
}

// TestAnonymizedMalformed holds that what is not well formed does not become so.
func TestAnonymizedMalformed(t *testing.T) {
	x := get("https://pool01.fabrikam.de/x", `{"uri":"Fritz Ophir","emailAddresses":["fritz at ophir","@ophir.de"]}`)
	x.Response.Headers = http.Header{"X-Ms-Server-Fqdn": {"fe 03 ophir de"}}
	hidden, err := tape(x).Anonymized(AnonymizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := hidden.Exchanges[0].Response
	if !strings.HasPrefix(got.Body, `{"uri":"xxxxx xxxxx","emailAddresses":["xxxxx xx xxxxx","@`) {
		t.Errorf("the body became %s", got.Body)
	}
	if fqdn := got.Headers.Get("X-Ms-Server-Fqdn"); fqdn != "xx 00 xxxxx xx" {
		t.Errorf("the name of the server became %q", fqdn)
	}
}

// TestEveryRuleIsWatched switches off one rule after another, and holds that the recording is then refused, without showing what
// is left in it.
func TestEveryRuleIsWatched(t *testing.T) {
	photo := get("https://pool01.fabrikam.de/photo", "\xff\xd8\xff of Quentin Zebrowski")
	photo.Response.Headers = http.Header{"Content-Type": {"image/jpeg"}, "X-A": {"the ophirist's"}}
	for _, rule := range append([]string{"secrets"}, identityRules...) {
		c := tape(shown(), photo)
		a, err := newAnonymizer(c, AnonymizeOptions{Words: []string{"Ophirist"}}, rule)
		if err != nil {
			t.Fatal(err)
		}
		hidden, err := a.Cassette()
		if !errors.Is(err, ErrLeak) || hidden != nil {
			t.Errorf("without the rule %s nothing is refused: %v", rule, err)
			continue
		}
		if !strings.Contains(err.Error(), "exchange ") || !strings.Contains(err.Error(), "one of the "+rule) {
			t.Errorf("without the rule %s: %v", rule, err)
		}
		for _, value := range []string{"fabrikam", "Quentin", "quentinz", "4930", "6f9619ff", "10310350990", "QZ7K9X2M", "AAEB", "Ophir"} {
			if strings.Contains(err.Error(), value) {
				t.Errorf("without the rule %s the error shows %s: %v", rule, value, err)
			}
		}
		// The bytes of a file are refused too, whoever wrote them.
		content := encode(t, c)
		if err := a.Check(content); !errors.Is(err, ErrLeak) || !strings.Contains(err.Error(), "exchange 1, line ") {
			t.Errorf("without the rule %s the file is let through: %v", rule, err)
		}
	}
}

func TestAnonymizedRefuses(t *testing.T) {
	brotli := get("https://pool01.fabrikam.de/", "\x8b\x02\x80\xff\xfe")
	brotli.Response.Headers = http.Header{"content-encoding": {"br"}}
	torn := get("https://pool01.fabrikam.de/", "\x1f\x8b\x08 torn")
	for _, test := range []struct {
		c     *Cassette
		words []string
		says  string
	}{
		{tape(brotli), nil, "exchange 1: a body is compressed (br)"},
		{tape(torn), nil, "exchange 1: a compressed body cannot be read"},
		{tape(shown()), []string{" ab "}, "fewer than 3 characters"},
		{tape(shown()), []string{"applications"}, ""},
	} {
		_, err := test.c.Anonymized(AnonymizeOptions{Words: test.words})
		if test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%v, expected an error that says %q", err, test.says)
		}
	}
}

func TestAnonymizedUnzips(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	fmt.Fprint(w, `{"name":"Quentin Zebrowski"}`)
	w.Close()
	x := get("https://pool01.fabrikam.de/", zipped.String())
	x.Response.Headers = http.Header{"content-encoding": {"gzip"}, "content-length": {fmt.Sprint(zipped.Len())}}
	x.Response.ContentLength = int64(zipped.Len())
	hidden, err := tape(x).Anonymized(AnonymizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := hidden.Exchanges[0].Response
	if !strings.HasPrefix(got.Body, `{"name":"name-`) || got.Headers["content-encoding"] != nil || got.Headers["content-length"][0] != fmt.Sprint(len(got.Body)) || got.ContentLength != int64(len(got.Body)) {
		t.Errorf("the answer became %+v", got)
	}
}

// TestAnonymizerHides holds that the same is hidden in texts that are not of the recording.
func TestAnonymizerHides(t *testing.T) {
	a, err := NewAnonymizer(tape(shown()), AnonymizeOptions{Words: []string{"Lake Ophir"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"dial tcp: lookup fe03.FABRIKAM.de: no such host", "QUENTINZ was refused", "Zebrowski, Quentin", `{"a":"quentinz\u0040fabrikam.de"}`,
		"cwt=AAEBsecret", "at lake%20ophir", "at lake+ophir", "x " + base64.StdEncoding.EncodeToString([]byte("I am quentinz@fabrikam.de")), "FE02 is down", "=?Quentin Zebrowski's",
	} {
		got := a.Hide(text)
		for _, value := range []string{"fabrikam", "quentin", "zebrowski", "aaeb", "ophir", "fe03", "iam"} {
			if strings.Contains(strings.ToLower(got), value) {
				t.Errorf("%s became %s", text, got)
			}
		}
		if again := a.Hide(got); again != got {
			t.Errorf("%s became %s at the second time", got, again)
		}
		if err := a.Check([]byte(text)); err == nil && text != "FE02 is down" {
			t.Errorf("%s is let through", text)
		}
		if err := a.Check([]byte(got)); err != nil {
			t.Errorf("%s is refused: %v", got, err)
		}
	}
	if got := a.Hide("nothing of interest at 12:30"); got != "nothing of interest at 12:30" {
		t.Errorf("an innocent text became %s", got)
	}
	if c, err := a.Cassette(); c == nil || err != nil {
		t.Errorf("no recording: %v", err)
	}
	if c, err := a.Cassette(); c != nil || err == nil || !strings.Contains(err.Error(), "returned before") {
		t.Errorf("the recording is returned twice: %v", err)
	}
	if counts := a.Counts(); counts["names"] < 3 || counts["hosts"] < 2 || counts["secrets"] != 1 || counts["identifiers"] != 1 {
		t.Errorf("the counts are %v", counts)
	}
}

func TestAnonymizedSaves(t *testing.T) {
	hidden, err := tape(shown()).Anonymized(AnonymizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := hidden.Save(path); err != nil {
		t.Fatal(err)
	}
	content, _ := os.ReadFile(path)
	read, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := read.Anonymized(AnonymizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Save(path); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(path); !bytes.Equal(content, second) {
		t.Errorf("to anonymize the file again changes it:\n%s", second)
	}
}

// FuzzAnonymized holds that no text around a known identity hides it, in any encoding, and that to anonymize again changes nothing.
func FuzzAnonymized(f *testing.F) {
	for i, around := range [][2]string{
		{"", ""}, {`{"a":"b\"c`, `\u0026","b":`}, {`<token>`, `</token>`}, {"https://u:", "@h/?token=x"}, {"%25", "%"}, {`\`, `\`}, {"&#", ";"},
		{"name-0123456789", "host-0123456789.example.invalid"}, {`"name":"`, `"`}, {"sip:", "@x.y"}, {"quoted-printable=", "=\r\n"}, {"QUJD", "=="}, {"\x00", "\xff"},
		{"--b\r\nHost: ", "\r\n"}, {"tel:+", "0"}, {"/applications/", "/me"}, {";opaque=", ":id:x"}, {`"message":"`, `","code":"x"`},
	} {
		f.Add(around[0], around[1], i)
	}
	secrets := []string{"quentinz@fabrikam.de", "pool01.fabrikam.de", "Quentin Zebrowski", "AAEBsecret", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "Gone to Ophir"}
	f.Fuzz(func(t *testing.T, before, after string, code int) {
		var planted []string
		for _, s := range secrets {
			switch code % 6 {
			case 1, -1:
				s = url.QueryEscape(s)
			case 2, -2:
				s = strings.ToUpper(s)
			case 3, -3:
				s = quote(quote(s))
			case 4, -4:
				s = strings.ReplaceAll(url.QueryEscape(s), "%", "%25")
			}
			planted = append(planted, s)
		}
		text := before + " " + strings.Join(planted, " ") + " " + after
		x := get("https://pool01.fabrikam.de/x", text)
		x.Response.Headers = http.Header{"X-Foo": {text}}
		hidden, err := tape(shown(), x).Anonymized(AnonymizeOptions{Key: []byte("key")})
		if err != nil {
			if errors.Is(err, ErrLeak) {
				t.Fatalf("%q: %v", text, err)
			}
			return // what cannot be saved, or not be looked into
		}
		for _, got := range []string{hidden.Exchanges[1].Response.Body, hidden.Exchanges[1].Response.Headers["X-Foo"][0]} {
			for _, s := range planted {
				if strings.Contains(strings.ToLower(got), strings.ToLower(s)) {
					t.Errorf("%q became %q", text, got)
				}
			}
		}
		again, err := hidden.Anonymized(AnonymizeOptions{Key: []byte("another key")})
		if err != nil {
			t.Fatalf("again: %q: %v", text, err)
		}
		if was, is := hidden.Exchanges[1].Response.Body, again.Exchanges[1].Response.Body; was != is {
			t.Errorf("%q became %q, and then %q", text, was, is)
		}
	})
}

// BenchmarkAnonymized tells what an exchange costs: it must not grow with their number.
func BenchmarkAnonymized(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		c := tape()
		for i := range n {
			x := shown()
			for _, text := range []*string{&x.Request.URL, &x.Response.Body} {
				*text = strings.NewReplacer("quentinz", fmt.Sprint("user", i), "Quentin", fmt.Sprint("Quentin", i), "10310350990", fmt.Sprint(10310350990+i)).Replace(*text)
			}
			c.Exchanges = append(c.Exchanges, x)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Anonymized(AnonymizeOptions{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/exchange")
		})
	}
}
