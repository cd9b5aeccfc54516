package suite

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/cassettes/mask"
	"github.com/ucwa-conform/ucwa-conform/reports"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// The canaries: what a deployment must not show to others.
const (
	canaryHost     = "lyncweb-fe01.fabrikam-hq.de"
	canaryDomain   = "fabrikam-hq.de"
	canaryUser     = "quentin.zebrowski"
	canaryAddress  = canaryUser + "@" + canaryDomain
	canaryName     = "Quentin Zebrowski"
	canaryPhone    = "+4930901820345"
	canaryGUID     = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
	canaryMeeting  = "QZ7K9X2MWV"
	canaryToken    = "CANARY/tok+en==9"
	canaryPassword = `hün"ter/22 Canäry&`
	canaryNote     = "Gone fishing at Lake Ophîr"
	canaryWord     = "Ophirproject"
	canaryID       = "10310350990"
)

// canaries are what must not be found, in the form in which people read it.
var canaries = []string{canaryHost, canaryDomain, "lyncweb-fe01", canaryUser, canaryAddress, canaryName, "Zebrowski", canaryPhone[1:], canaryGUID,
	canaryMeeting, canaryToken, canaryPassword, canaryNote, canaryWord, canaryID}

// codes are the encodings in which a canary can stand.
var codes = []struct {
	name   string
	encode func(string) string
}{
	{"plain", func(s string) string { return s }},
	{"upper case", strings.ToUpper},
	{"for a query", url.QueryEscape},
	{"for a path", url.PathEscape},
	{"each byte in percent codes, lower case", func(s string) string { return eachByte(s, "%%%02x") }},
	{"each byte in percent codes, upper case", func(s string) string { return eachByte(s, "%%%02X") }},
	{"percent codes twice", func(s string) string { return url.QueryEscape(url.QueryEscape(s)) }},
	{"percent codes three times", func(s string) string { return url.QueryEscape(url.QueryEscape(url.QueryEscape(s))) }},
	{"each character as in JSON", func(s string) string { return eachByte(s, `\u%04x`) }},
	{"every other character as in JSON", func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			if i%2 == 1 {
				fmt.Fprintf(&b, `\u%04X`, s[i])
			} else {
				b.WriteByte(s[i])
			}
		}
		return b.String()
	}},
	{"slashes as in JSON", func(s string) string { return strings.ReplaceAll(quoteJSON(s), "/", `\/`) }},
	{"JSON in JSON", func(s string) string { return quoteJSON(quoteJSON(s)) }},
	{"for HTML", html.EscapeString},
	{"decimal references of HTML", func(s string) string { return eachByte(s, "&#%d;") }},
	{"hexadecimal references of HTML", func(s string) string { return eachByte(s, "&#x%x;") }},
	{"base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte("for " + s)) }},
	{"base64 of UTF-16", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(utf16le("for " + s))) }},
	{"base64 for URLs, without padding", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("x:" + s)) }},
	{"base64 of base64", func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte("of " + base64.StdEncoding.EncodeToString([]byte("for "+s))))
	}},
	{"hexadecimal digits", func(s string) string { return eachByte(s, "%02x") }},
	{"decomposed", norm.NFD.String},
	{"Latin-1 in percent codes", func(s string) string { return eachByte(latin1(s), "%%%02X") }},
	{"base64 of UTF-16, the other order", func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte("\x00" + utf16le("for "+s)))
	}},
	{"a URL in a query in JSON", func(s string) string {
		return quoteJSON("https://" + canaryHost + "/?next=" + url.QueryEscape("https://h/?u="+url.QueryEscape(s)))
	}},
}

func eachByte(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

func quoteJSON(s string) string {
	data, _ := json.Marshal(s)
	return string(data[1 : len(data)-1])
}

func utf16le(s string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return string(b)
}

func latin1(s string) string {
	encoded, err := charmap.ISO8859_1.NewEncoder().String(s)
	if err != nil {
		panic(err) // the canaries are such
	}
	return encoded
}

// ntlm is a message of type 3, with domain, user and machine.
func ntlm() string {
	message := []byte("NTLMSSP\x00\x03\x00\x00\x00" + strings.Repeat("\x00", 52))
	for offset, text := range map[int]string{28: "FABRIKAM-HQ", 36: canaryUser, 44: "LAPTOP-ZEB7"} {
		encoded := utf16le(text)
		binary.LittleEndian.PutUint16(message[offset:], uint16(len(encoded)))
		binary.LittleEndian.PutUint32(message[offset+4:], uint32(len(message)))
		message = append(message, encoded...)
	}
	return base64.StdEncoding.EncodeToString(message)
}

// deployment is the reference recording as a real deployment would have given it.
func deployment(t testing.TB) *cassettes.Cassette {
	c := open(t, "reference/set-presence")
	rename := strings.NewReplacer("lyncweb.contoso.com", canaryHost, "contoso.com", canaryDomain, "Dana Birkby", canaryName, "dana@", canaryUser+"@",
		"10100000001", canaryID, "cwt=REDACTED-1", "cwt="+canaryToken, "REDACTED-2", "cookie-CANARY-2").Replace
	for _, x := range c.Exchanges {
		for _, text := range []*string{&x.Request.URL, &x.Request.Host} {
			*text = rename(*text)
		}
		setBody(x, rename(x.Response.Body))
		for _, h := range []http.Header{x.Request.Headers, x.Response.Headers} {
			for _, values := range h {
				for i := range values {
					values[i] = rename(values[i])
				}
			}
		}
	}
	c.Name = rename("https://lyncweb.contoso.com/ucwa/oauth/v1/applications/10100000001")
	c.SHA256, c.Provenance.Kind, c.Provenance.Source, c.Provenance.SHA256, c.Provenance.Redaction = "", "live", c.Name, "", cassettes.Redaction{}
	return c
}

// setBody sets the body of a response, and the lengths that were true.
func setBody(x cassettes.Exchange, body string) {
	was := strconv.Itoa(len(x.Response.Body))
	if x.Response.ContentLength == int64(len(x.Response.Body)) {
		x.Response.ContentLength = int64(len(body))
	}
	if x.Response.Headers.Get("Content-Length") == was {
		x.Response.Headers.Set("Content-Length", strconv.Itoa(len(body)))
	}
	x.Response.Body = body
}

// plant puts canaries in one place more: in the last exchange, or anywhere.
type plant struct {
	name  string
	where func(c *cassettes.Cassette)
}

// showing is an exchange that shows the canaries as servers do.
func showing(c *cassettes.Cassette) cassettes.Exchange {
	x := cassettes.Exchange{Interaction: &cassettes.Interaction{ID: len(c.Exchanges) + 1}}
	x.Request.Method, x.Request.URL = "POST", "https://"+canaryHost+"/other"
	x.Request.Headers = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "User-Agent": {"conform (probe setup)"}}
	x.Request.Form = url.Values{"grant_type": {"password"}, "username": {canaryAddress}, "password": {canaryPassword}}
	x.Request.Body = x.Request.Form.Encode()
	x.Response.Code, x.Response.Status = 200, "200 OK"
	x.Response.Headers = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer cwt=" + canaryToken}}
	x.Response.Body = `{"name":"` + canaryName + `","uri":"sip:` + canaryAddress + `","workPhoneNumber":"tel:` + canaryPhone + `","endpointId":"` + canaryGUID +
		`","onlineMeetingUri":"sip:` + canaryAddress + `;gruu;opaque=app:conf:focus:id:` + canaryMeeting + `","x":{"message":"` + canaryNote + `","rel":"note"}}`
	return x
}

// bare is an exchange to plant in, which shows no canary; nothing in it is judged.
func bare(c *cassettes.Cassette) cassettes.Exchange {
	x := cassettes.Exchange{Interaction: &cassettes.Interaction{ID: len(c.Exchanges) + 1}}
	x.Request.Method, x.Request.URL, x.Request.Headers = "POST", "https://other.invalid/more", http.Header{"User-Agent": {"conform (probe setup)"}}
	x.Response.Code, x.Response.Status, x.Response.Headers = 200, "200 OK", http.Header{}
	return x
}

// plants returns what is planted, a list for each recording. What [showing] shows can be planted in many places of one; of what
// shows more, as servers do, each has its own, so that nothing is found because it stands elsewhere too.
func plants() [][]plant {
	var list []plant
	add := func(name string, where func(c *cassettes.Cassette)) { list = append(list, plant{name, where}) }
	last := func(c *cassettes.Cassette) *cassettes.Interaction { return c.Exchanges[len(c.Exchanges)-1].Interaction }
	all := []string{canaryHost, canaryAddress, canaryName, canaryPhone, canaryGUID, canaryMeeting, canaryToken, canaryPassword, canaryNote, canaryWord}
	for _, code := range codes {
		var values []string
		for _, canary := range all {
			values = append(values, code.encode(canary))
		}
		add("unknown header, "+code.name, func(c *cassettes.Cassette) { c.Exchanges[0].Response.Headers["x-uNKNOWN "+code.name] = values })
		add("body, "+code.name, func(c *cassettes.Cassette) { last(c).Response.Body += "\n" + strings.Join(values, "\n") })
		add("request body, "+code.name, func(c *cassettes.Cassette) { last(c).Request.Body = "x=" + strings.Join(values, "&y=") })
		add("failure, "+code.name, func(c *cassettes.Cassette) { last(c).Response.Status = "200 " + strings.Join(values, " ") })
		add("HTML, "+code.name, func(c *cassettes.Cassette) {
			last(c).Response.Body = "<html><title>x</title><p>" + strings.Join(values, "</p>\n<p>") + "</p></html>"
		})
		add("batch, "+code.name, func(c *cassettes.Cassette) {
			last(c).Response.Body = "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nX-A: " + strings.Join(values, "\r\nX-A: ") + "\r\n\r\n{\"a\":\"" + strings.Join(values, `","b":"`) + "\"}\r\n--b--"
		})
	}
	encoded := list
	list = nil
	header := func(name string, values ...string) {
		add("header "+name+" "+values[0][:min(20, len(values[0]))], func(c *cassettes.Cassette) {
			last(c).Response.Headers[name] = values
			last(c).Request.Headers[name] = values
		})
	}
	header("x-mS-sErver-fQdn", canaryHost)
	header("X-Ms-Server-Fqdn", "LYNCFE77."+canaryDomain)
	header("X-MS-Diagnostics", `28032;source="LYNCFE77.`+canaryDomain+`";reason="`+canaryAddress+`"`)
	header("x-ms-origin", "https://"+canaryHost)
	header("REFERER", "https://"+canaryHost+"/Autodiscover/XFrame/XFrame.html?u="+url.QueryEscape(canaryAddress)+"#"+canaryUser)
	header("www-authenticate", `MsRtcOAuth href=https://`+canaryHost+`/WebTicket/oauthtoken,grant_type="password"`, `Bearer trusted_issuers="00000002-0000-0ff1-ce00-000000000000@`+canaryDomain+`", client_id="`+canaryGUID+`"`)
	header("WWW-Authenticate", "NTLM "+ntlm())
	header("Authorization", "NTLM "+ntlm())
	header("aUTHORIZATION", "Basic "+base64.StdEncoding.EncodeToString([]byte(canaryAddress+":"+canaryPassword)))
	header("AUTHORIZATION", "Negotiate "+ntlm())
	header("sEt-cOOkie", "cwt_ucwa="+canaryToken+"; path=/ucwa; domain=."+canaryDomain+"; secure", "a="+url.QueryEscape(canaryToken))
	header("COOKIE", "a=b; session="+canaryToken)
	header("Location", "HTTPS://"+strings.ToUpper(canaryHost)+":443/ucwa/oauth/v1/applications/"+canaryID)
	header("Via", "1.1 LYNCFE77."+canaryDomain+":8080 (proxy)")
	header("X-Forwarded-For", "10.77.88.99, 10.77.88.98")
	header("Subject", "=?utf-8?Q?Quentin=20Zebrowski?= quoted-printable")
	body := func(name, body string) {
		add(name, func(c *cassettes.Cassette) { last(c).Response.Body = body })
	}
	body("an IIS error", `<!DOCTYPE html><html><head><title>500 - Internal server error.</title></head><body><h2>Server: LYNCFE77</h2><table><tr><th>Requested URL</th><td>https://`+canaryHost+`:443/ucwa</td></tr>
<tr><th>Physical Path</th><td>C:\Users\`+canaryUser+`\ucwa</td></tr><tr><th>Logon User</th><td>FABRIKAM-HQ\`+canaryUser+`</td></tr></table>from LYNCFE77 and lyncfe78.`+canaryDomain+`<!-- 10.77.88.99 --></body></html>`)
	body("XML", `<resource rel="me" href="/ucwa/v1/applications/`+canaryID+`/me"><property name="name">`+canaryName+`</property><property name="uri">sip:`+canaryAddress+`</property><property name="department">`+canaryNote+`</property></resource>`)
	body("a batch", "--b\r\nContent-Type: application/http; msgtype=request\r\n\r\nGET /ucwa/v1/applications/"+canaryID+"/me HTTP/1.1\r\nHost: "+canaryHost+"\r\nAuthorization: Bearer other-"+canaryToken+"\r\n\r\n\r\n--b--\r\n")
	body("quoted-printable", "Content-Transfer-Encoding: quoted-printable\r\n\r\nquentin=2Ezebr=\r\nowski=40fabrikam-=\r\nhq.de Que=\r\nntin Zebrowski")
	body("duplicates", `{"name":"a","name":"`+canaryName+`","NAME":"`+canaryName+`","name":"`+canaryName+`"}`)
	body("name the other way round", `Zebrowski, Quentin and `+canaryName+`s and quentin.zebrowski_x`)
	body("a joining URL", `{"joinUrl":"https://meet.`+canaryDomain+`/`+canaryUser+`/`+canaryMeeting+`"}`)
	body("in UTF-16", utf16le(`{"name":"`+canaryName+`","uri":"sip:`+canaryAddress+`"}`))
	body("a photo", canaryName)
	list[len(list)-1].where = func(c *cassettes.Cassette) {
		last(c).Response.Headers.Set("content-type", "image/jpeg")
		last(c).Response.Headers = http.Header{"content-type": {"image/jpeg"}}
		last(c).Response.Body = "\xff\xd8\xff" + canaryName
	}
	add("a failure", func(c *cassettes.Cassette) {
		c.Exchanges[len(c.Exchanges)-1].Failure = `Get "https://` + canaryHost + `/": dial tcp: lookup lyncfe79.` + canaryDomain + ` on 10.77.88.99:53: x509: certificate is valid for *.` + canaryDomain + `, not ` + canaryHost
		*last(c) = cassettes.Interaction{ID: last(c).ID, Request: last(c).Request}
	})
	add("the URL", func(c *cassettes.Cassette) {
		last(c).Request.URL = "https://" + canaryHost + "/x?u=" + url.QueryEscape(canaryAddress) + "&token=" + url.QueryEscape(canaryToken) + "#" + canaryUser
		last(c).Request.RequestURI = "/x?u=" + url.QueryEscape(url.QueryEscape(canaryAddress))
		last(c).Request.RemoteAddr = "10.77.88.99:51234"
	})
	add("a URL with a login", func(c *cassettes.Cassette) {
		last(c).Request.URL = "https://" + canaryUser + ":" + url.QueryEscape(canaryPassword) + "@" + canaryHost + "/x"
	})
	add("the form only", func(c *cassettes.Cassette) {
		last(c).Request.Form = url.Values{canaryAddress: {canaryPassword, canaryName}}
	})
	add("trailers", func(c *cassettes.Cassette) { last(c).Response.Trailer = http.Header{"x": {canaryAddress}} })
	add("the name of a header", func(c *cassettes.Cassette) { last(c).Response.Headers["X-"+canaryWord] = []string{"x"} })
	add("the provenance", func(c *cassettes.Cassette) {
		c.Provenance.Server = "IIS on " + canaryHost
		c.Provenance.Repairs = []string{canaryName + " was misspelt"}
		c.Provenance.Tool = "of " + canaryAddress
	})
	recordings := [][]plant{encoded, nil}
	for _, p := range list {
		recordings = append(recordings, []plant{p})
	}
	return recordings
}

// traces are the canaries in each of the codes, in lower case; readable are those in which
// people read them.
var traces, readable = tracesIn(len(codes)), tracesIn(4)

func tracesIn(first int) map[string]string {
	traces := map[string]string{}
	for _, canary := range append([]string{"LYNCFE77", "lyncfe78", "lyncfe79", "10.77.88.9", "LAPTOP-ZEB", "Zebrowski, Q"}, canaries...) {
		for _, code := range codes[:first] {
			encoded := code.encode(canary)
			switch code.name {
			case "a URL in a query in JSON":
				continue // it has no code of its own
			case "base64", "base64 of UTF-16", "base64 of UTF-16, the other order", "base64 for URLs, without padding", "base64 of base64":
				encoded = encoded[:len(encoded)-6] // what comes next may share the last letters
			}
			for _, form := range []string{encoded, quoteJSON(encoded), html.EscapeString(encoded)} {
				traces[strings.ToLower(form)] = canary + " (" + code.name + ")"
			}
		}
	}
	return traces
}

// leaks returns what of the canaries is in a text.
func leaks(text string, traces map[string]string) []string {
	lower := strings.ToLower(text)
	var found []string
	for trace, name := range traces {
		if strings.Contains(lower, trace) {
			found = append(found, name)
		}
	}
	return found
}

// TestNoCanarySurvives plants what must not be shown in every place and encoding,
// and holds that none is left in the recording and in every form of its report, and
// that no verdict depends on it.
func TestNoCanarySurvives(t *testing.T) {
	slow(t)
	if race {
		t.Skip("nothing in it runs at once, and it would take minutes")
	}
	if ownProcess(t) {
		return
	}
	var evidence []*Evidence
	var names []string
	var before []map[string]reports.Verdict
	placements := 0
	for _, planted := range plants() {
		c := deployment(t)
		c.Exchanges = append(c.Exchanges, showing(c))
		first := len(c.Exchanges)
		for _, p := range planted {
			c.Exchanges = append(c.Exchanges, bare(c))
			whole := func() string {
				return fmt.Sprint(c.Exchanges[0].Interaction, c.Exchanges[len(c.Exchanges)-1], *c.Exchanges[len(c.Exchanges)-1].Interaction, c.Provenance)
			}
			was := whole()
			if p.where(c); was == whole() {
				t.Errorf("%s: nothing is planted", p.name)
			}
		}
		placements += len(planted)
		name := fmt.Sprintf("%d placements", len(planted))
		if len(planted) == 1 {
			name = planted[0].name
		}
		m := mask.New(mask.Options{Words: []string{canaryWord}})
		hidden := c.Masked(m)
		if n := m.Found(); n > 0 {
			t.Errorf("%s: the second line found %d", name, n)
		}
		content, err := hidden.Encode()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if found := leaks(string(content), traces); len(found) > 0 {
			t.Errorf("%s: the file shows %.100q", name, found)
			for i, p := range planted {
				if found := leaks(fmt.Sprint(hidden.Exchanges[first+i].Interaction), traces); len(found) > 0 {
					t.Errorf("%s: the exchange shows %.100q", p.name, found)
				}
			}
		}
		again := hidden.Masked(mask.New(mask.Options{}))
		if second, _ := again.Encode(); !bytes.Equal(content, second) {
			t.Errorf("%s: to mask again changes it:\n%s", name, firstDifference(string(content), string(second)))
		}
		before = append(before, verdictsOf(t, c))
		evidence = append(evidence, locatedFrom(t, hidden))
		names = append(names, name)
	}
	t.Logf("%d placements in %d recordings", placements, len(names))
	for i, r := range judge(t, Options{}, evidence...) {
		if d := cmp.Diff(before[i], verdicts(r)); d != "" {
			t.Errorf("%s: verdicts with names (-) and without (+):\n%s", names[i], d)
		}
		for _, format := range reports.Formats() {
			var b bytes.Buffer
			if err := reports.Write(&b, r, format, reports.Options{Verbose: true, Color: true, Width: 100}); err != nil {
				t.Fatal(err)
			}
			if found := leaks(b.String(), readable); len(found) > 0 {
				t.Errorf("%s: the report as %s shows %q", names[i], format, found)
			}
		}
	}
}

func firstDifference(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return fmt.Sprintf("%q\n%q", a[max(0, i-60):min(len(a), i+80)], b[max(0, i-60):min(len(b), i+80)])
}

func locatedFrom(t testing.TB, c *cassettes.Cassette) *Evidence {
	t.Helper()
	list, err := Locate(c)
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func verdictsOf(t testing.TB, c *cassettes.Cassette) map[string]reports.Verdict {
	t.Helper()
	return verdictsOn(t, locatedFrom(t, c))
}

// TestAnonymousReplays holds that the driver finds in an anonymized recording what it found in the recording, and follows each
// of its links.
func TestAnonymousReplays(t *testing.T) {
	hidden := deployment(t).Masked(mask.New(mask.Options{}))
	if difference := rehearse(context.Background(), hidden); difference != "" {
		t.Error(difference)
	}
}

// TestLiveIsAnonymous holds that a live run shows nobody's names unless it is told to, and that the verdicts are the same.
func TestLiveIsAnonymous(t *testing.T) {
	named, hidden := live(t, true, nil), live(t, true, nil)
	named.KeepNames = true
	list := Gather(t.Context(), named, hidden)
	verdicts := make([]map[string]reports.Verdict, 2)
	for i, e := range list {
		results, err := Examine(e)
		if err != nil {
			t.Fatal(err)
		}
		verdicts[i] = map[string]reports.Verdict{}
		for _, r := range results {
			verdicts[i][r.Requirement] = r.Verdict
		}
		text := fmt.Sprint(e.Source, e.Notes, e.Application())
		for _, x := range e.Exchanges {
			text += fmt.Sprint(x.Request, x.Response, x.Failure)
		}
		shown := strings.Contains(text, "contoso.com") && strings.Contains(text, "Dana Birkby")
		if some := strings.Contains(text, "contoso") || strings.Contains(text, "Birkby"); shown != (i == 0) || some != (i == 0) {
			t.Errorf("target %d: names shown: all %v, some %v; expected %v", i+1, shown, some, i == 0)
		}
		if said := strings.Contains(strings.Join(e.Notes, "\n"), "--keep-names: "); said != (i == 0) {
			t.Errorf("target %d: %q", i+1, e.Notes)
		}
	}
	if d := cmp.Diff(verdicts[0], verdicts[1]); d != "" {
		t.Errorf("with names (-) and without (+):\n%s", d)
	}
	if got := list[1].Hide("for \"Dana Birkby\" at DANA@contoso.com"); strings.Contains(got, "irkby") || strings.Contains(strings.ToLower(got), "dana") {
		t.Errorf("a note became %s", got)
	}
	if slices.Contains(list[1].Recording.Provenance.Redaction.Rules, "identities") == slices.Contains(list[0].Recording.Provenance.Redaction.Rules, "identities") {
		t.Error("the provenance does not tell the two apart")
	}
}
