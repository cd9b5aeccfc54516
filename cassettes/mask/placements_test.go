package mask

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// planted is what must not be shown. The words of each are looked for, too.
var planted = map[string]string{
	"a password":     `hün"ter/22 &Z`,
	"a plain one":    "swordfishes",
	"a token":        "AAEBAW9fb3JhbmdlLXNlY3JldC8rPT0",
	"an address":     "sip:quentin.zebrowski@fabrikam-hq.de",
	"an O'Brien":     "pádraig.o'brien@fabrikam-hq.de",
	"an X.500 name":  "/o=Fabrikam-HQ/ou=Leipzig/cn=zebrowski7",
	"a host":         "lyncfe77.fabrikam-hq.local",
	"an address 6":   "fd12:3456:789a:77::c0de",
	"a path":         `C:\Users\zebrowski7\ucwa`,
	"a phone":        "+49 (30) 9018-20345",
	"a GUID":         "6f9619ff8b864d01b42d00cf4fc964ff",
	"a name":         "Zebrowski, Quentin",
	"a note":         "Gone fishing at Lake Ophîr",
	"another script": "Квентин Зебровски",
}

// writings are the encodings in which it can stand.
var writings = map[string]func(s string) string{
	"plain":          func(s string) string { return s },
	"upper":          strings.ToUpper,
	"percent":        url.QueryEscape,
	"each percent":   func(s string) string { return each(s, "%%%02x") },
	"percent twice":  func(s string) string { return strings.ReplaceAll(each(s, "%%%02X"), "%", "%25") },
	"JSON":           func(s string) string { q, _ := json.Marshal(s); return string(q[1 : len(q)-1]) },
	"each escape":    func(s string) string { return eachUnit(s, `\u%04x`) },
	"HTML":           html.EscapeString,
	"each reference": func(s string) string { return eachRune(s, "&#%d;") },
	"no semicolon":   func(s string) string { return eachRune(s, "&#%d") },
	"hex reference":  func(s string) string { return eachRune(s, "&#x%x;") },
	"numbers":        func(s string) string { return eachRune(s, "%d,") },
	"base64":         func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 shifted": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("x" + s)) },
	"hexadecimal":    func(s string) string { return hex.EncodeToString([]byte(s)) },
	"quoted":         func(s string) string { return each(s, "=%02X") },
	"UTF-16":         func(s string) string { return wide(s, 0) },
	"UTF-16, big":    func(s string) string { return wide(s, 1) },
	"base64 of UTF-8": func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(s))))
	},
}

func each(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

func eachRune(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

func eachUnit(s, format string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, format, u)
	}
	return b.String()
}

func wide(s string, first int) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		two := []byte{byte(u), byte(u >> 8)}
		b = append(b, two[first], two[1-first])
	}
	return string(b)
}

// places returns the places of an exchange, by a grammar of HTTP and of what it carries: each puts a text there.
func places() map[string]func(x *cassette.Interaction, s string) {
	list := map[string]func(x *cassette.Interaction, s string){}
	in := func(name string, of func(x *cassette.Interaction) *string, form string) {
		list[name] = func(x *cassette.Interaction, s string) { *of(x) = strings.ReplaceAll(form, "@@", s) }
	}
	URL := func(x *cassette.Interaction) *string { return &x.Request.URL }
	for name, form := range map[string]string{"host": "https://@@/x", "label": "https://@@.contoso.com/x", "port": "https://contoso.com:@@/x", "user": "https://@@@contoso.com/x",
		"password": "https://a:@@@contoso.com/", "segment": "https://contoso.com/ucwa/@@/me", "end": "https://contoso.com/ucwa/@@", "suffix": "https://contoso.com/ucwa/me.@@",
		"query": "https://contoso.com/?ack=@@", "parameter": "https://contoso.com/?@@=1", "pair": "https://contoso.com/?x&@@", "fragment": "https://contoso.com/#@@",
		"scheme": "@@://contoso.com/", "all": "@@", "nested": "https://contoso.com/?u=https%3A%2F%2F@@%2Fx", "token": "https://contoso.com/?access_token=@@"} {
		in("URL "+name, URL, form)
		in("target "+name, func(x *cassette.Interaction) *string { return &x.Request.RequestURI }, form)
	}
	for name, of := range map[string]func(x *cassette.Interaction) *string{
		"method": func(x *cassette.Interaction) *string { return &x.Request.Method }, "proto": func(x *cassette.Interaction) *string { return &x.Response.Proto },
		"status": func(x *cassette.Interaction) *string { return &x.Response.Status }, "peer": func(x *cassette.Interaction) *string { return &x.Request.RemoteAddr },
		"host": func(x *cassette.Interaction) *string { return &x.Request.Host }} {
		in(name, of, "@@")
		in(name+", behind", of, "200 @@")
	}
	headers := []string{"X-Unknown", "Subject", "X-Forwarded-For", "X-Ms-Diagnostics-2", "Sec-Websocket-Key", "Proxy-Authorization", "X-Auth-Token"}
	for _, names := range headersOf {
		headers = append(headers, strings.Fields(names)...)
	}
	for _, name := range headers {
		for how, form := range map[string]string{"": "@@", " in quotes": `"@@"`, " as a parameter": "no-cache; x=@@", " as a known one": `Bearer href="@@", realm="@@"`, " as a list": "1, @@, 28032;source=\"@@\";reason=\"@@\"",
			" as a word": "gzip/@@ (@@)", " as a cookie": "cwt_ucwa=@@; path=/@@; domain=@@; @@"} {
			list["header "+name+how] = func(x *cassette.Interaction, s string) {
				x.Response.Headers[name] = []string{strings.ReplaceAll(form, "@@", s)}
				x.Request.Headers[name] = x.Response.Headers[name]
			}
		}
	}
	list["name of a header"] = func(x *cassette.Interaction, s string) { x.Response.Headers[s] = []string{"x"} }
	list["name of a trailer"] = func(x *cassette.Interaction, s string) { x.Response.Trailer = http.Header{s: {s}} }
	list["form"] = func(x *cassette.Interaction, s string) { x.Request.Form = url.Values{s: {s}, "username": {s}} }
	list["transfer"] = func(x *cassette.Interaction, s string) { x.Response.TransferEncoding = []string{s} }
	bodies := map[string]string{"text": "@@", "mark": "\ufeff@@", "JSON name": `{"@@":1}`, "JSON top": `"@@"`, "JSON array": `["@@",["@@"]]`, "JSON, no quotes": `{"a":@@}`, "JSON, cut": `{"message":"@@`,
		"JSON, behind": `{"a":1} @@`, "JSON, comment": `{/*@@*/"a":1}`, "JSON in JSON": `{"message":"{\"name\":\"@@\"}"}`, "JSON number": `{"revision":@@}`, "JSON, single quotes": `{'name':'@@'}`,
		"parameters": `{"parameters":[{"name":"@@","reason":"@@"}]}`, "link": `{"_links":{"@@":{"href":"/ucwa/@@","title":"@@"}}}`, "embedded": `{"_embedded":{"me":{"rel":"@@"}}}`,
		"form value": "username=@@&password=@@", "form name": "@@=x", "XML": `<r a="@@">@@<!--@@--><![CDATA[@@]]></r>`, "XML name": "<@@/>", "HTML": `<html><!--@@--><title>@@</title><script>"@@"</script><a href="@@">@@</a></html>`,
		"IIS": "<html>HTTP Error 404.0 - @@</html>", "IIS number": "<html>HTTP Error 404.@@</html>", "masked page": "<html>text-1: @@, 12 bytes</html>", "mask": "text-1@@",
		"parts": "@@--b\r\n@@: @@\r\n\r\n@@\r\n--b@@\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 @@\r\nLocation: @@\r\n\r\n{\"name\":\"@@\"}\r\n--b\r\n\r\nGET @@ HTTP/@@\r\n\r\n@@--b--@@", "picture": "\xff\xd8\xff@@", "gzip": "\x1f\x8b@@"}
	for _, r := range api.Resources() {
		for _, p := range r.Properties {
			bodies["member "+p.Name] = `{"` + p.Name + `":"@@"}`
			bodies["members "+p.Name] = `{"` + p.Name + `":["@@"]}`
		}
	}
	for _, names := range membersOf {
		for name := range strings.FieldsSeq(names) {
			bodies["member "+name] = `{"` + name + `":"@@"}`
			bodies["parameter "+name] = name + "=@@"
		}
	}
	for name, form := range bodies {
		for _, medium := range []string{"", "application/json", "application/x-www-form-urlencoded", "multipart/batching; boundary=b", "text/html", "image/jpeg"} {
			if strings.HasPrefix(name, "member") && medium != "" {
				continue
			}
			list["body "+name+" as "+medium] = func(x *cassette.Interaction, s string) {
				x.Response.Headers["Content-Type"] = []string{medium}
				x.Response.Body = strings.ReplaceAll(form, "@@", s)
				x.Request.Headers["Content-Type"], x.Request.Body = x.Response.Headers["Content-Type"], x.Response.Body
			}
		}
	}
	return list
}

var every = flag.Int("every", 20, "try one in `N` placements, chosen at random")

// TestPlacements plants everything everywhere in every encoding, and holds that nothing is left.
func TestPlacements(t *testing.T) {
	all := places()
	n, leaks := 0, 0
	for place, put := range all {
		for what, value := range planted {
			for writing, encode := range writings {
				n++
				if n%*every > 0 {
					continue
				}
				text := encode(value)
				x := cassette.Interaction{}
				x.Request.URL, x.Request.Headers, x.Response.Headers = "https://contoso.com/", http.Header{}, http.Header{}
				put(&x, text)
				m := New(Options{Keeps: Nothing})
				failure := m.Interaction(&x, text)
				shown := fmt.Sprintf("%+v %+v %s", x.Request, x.Response, failure)
				for _, trace := range tracesOf(value, text) {
					if strings.Contains(shown, trace) {
						if leaks++; leaks < 30 {
							t.Errorf("%s, %s, %s: %q is left in %s", place, what, writing, trace, shown)
						}
						break
					}
				}
			}
		}
	}
	t.Logf("%d placements: %d places, %d values, %d encodings; one in %d tried: %d leaks", n, len(all), len(planted), len(writings), *every, leaks)
}

// tracesOf returns what shows a value: its words, if they are none of the protocol or of the place, and the same as it was written.
func tracesOf(value, text string) []string {
	list := []string{text}
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(` .,:;/\"'()&@=+-`, r) }) {
		if len(word) >= 4 && !slices.Contains([]string{"Users", "ucwa", "Gone", "Lake", "local"}, word) {
			list = append(list, word)
		}
	}
	for _, s := range slices.Clone(list) { // as a text is shown here
		q := fmt.Sprintf("%q", s)
		list = append(list, q[1:len(q)-1])
	}
	return list
}
