package cassettes

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// writings are the ways in which a server, by mistake or not, may repeat what it was told. Those of letters return "" where they
// do not have them.
var writings = []struct {
	name  string
	write func(string) string
}{
	{"as it is", func(s string) string { return s }},
	{"decomposed", norm.NFD.String},
	{"Latin-1", latin1},
	{"Latin-1 in percent codes", func(s string) string { return percentCodes(latin1(s)) }},
	{"UTF-8 taken for Latin-1", misread},
	{"percent codes", percentCodes},
	{"percent codes in lower case, four times", func(s string) string {
		return strings.ToLower(url.QueryEscape(url.QueryEscape(url.QueryEscape(percentCodes(s)))))
	}},
	{"a form", url.QueryEscape},
	{"JSON escapes", func(s string) string { return jsonEscapes(s) }},
	{"JSON escapes of what is decomposed", func(s string) string { return jsonEscapes(norm.NFD.String(s)) }},
	{"JSON in JSON", func(s string) string { return quote(`"` + jsonEscapes(s) + `"`) }},
	{"some JSON escapes", func(s string) string {
		var b strings.Builder
		for i, r := range []rune(s) {
			if i%2 == 0 {
				b.WriteString(jsonEscapes(string(r)))
			} else {
				b.WriteString(quote(string(r)))
			}
		}
		return b.String()
	}},
	{"HTML", html.EscapeString},
	{"references of HTML", func(s string) string {
		var b strings.Builder
		for _, r := range s {
			fmt.Fprintf(&b, "&#x%X;", r)
		}
		return b.String()
	}},
	{"HTML of HTML", func(s string) string { return html.EscapeString(html.EscapeString(s)) }},
	{"soft hyphens", func(s string) string { return strings.Join(strings.Split(s, ""), "\u00ad") }},
	{"quoted-printable", func(s string) string {
		var b strings.Builder
		w := quotedprintable.NewWriter(&b)
		_, _ = w.Write([]byte(strings.Repeat("é", 11) + " " + s))
		w.Close()
		return b.String()
	}},
	{"hexadecimal digits", func(s string) string { return hex.EncodeToString([]byte(s)) }},
	{"hexadecimal digits in upper case", func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }},
	{"UTF-16", func(s string) string { return inOrder(s, binary.LittleEndian) }},
	{"base64", func(s string) string { return b64("for " + s + "!") }},
	{"base64 of Latin-1", func(s string) string {
		if s = latin1(s); s == "" {
			return ""
		}
		return b64("for " + s + "!")
	}},
	{"base64 of UTF-16", func(s string) string { return b64(inOrder("for "+s+"!", binary.LittleEndian)) }},
	{"base64 of UTF-16, the other order", func(s string) string { return b64(inOrder("for "+s+"!", binary.BigEndian)) }},
	{"base64 of UTF-16, off by one", func(s string) string { return b64("x" + inOrder("for "+s+"!", binary.LittleEndian)) }},
	{"base64 for URLs, without padding", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("x?>" + s + "~")) }},
	{"base64 in percent codes", func(s string) string { return percentCodes(b64("for " + s)) }},
	{"base64 behind letters", func(s string) string { return "token" + b64("a rather long text before: "+s) }},
	{"base64 in lines", func(s string) string {
		encoded := b64(strings.Repeat("before it ", 5) + s + strings.Repeat(" after it", 9))
		var lines []string
		for ; len(encoded) > 76; encoded = encoded[76:] {
			lines = append(lines, encoded[:76])
		}
		return strings.Join(append(lines, encoded), "\r\n")
	}},
	{"base64 of JSON escapes", func(s string) string { return b64(`{"a":"` + jsonEscapes(s) + `"}`) }},
	{"base64 of base64", func(s string) string { return b64("a=" + b64("for "+s)) }},
	{"base64 of base64 of base64", func(s string) string { return b64(b64(b64(s + "!"))) }},
	{"base64 of hexadecimal digits", func(s string) string { return b64(hex.EncodeToString([]byte(s))) }},
	{"base64 of gzip", func(s string) string { return b64(zipped("for " + s)) }},
	{"gzip", func(s string) string { return zipped("for " + s) }},
	{"Basic", func(s string) string { return "Basic " + b64("dana@contoso.com:"+s) }},
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func latin1(s string) string {
	encoded, err := charmap.Windows1252.NewEncoder().String(s)
	if err != nil {
		return ""
	}
	return encoded
}

func percentCodes(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func jsonEscapes(s string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, `\u%04X`, unit)
	}
	return b.String()
}

func inOrder(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	w.Close()
	return b.String()
}

// passwords are such as people have, the last two as few should have.
var passwords = []string{"Hunter2-Secret-Word", `hun"ter/22 <Canary> & 'so'+`, "Größe-Übermäßig7", "Łódź-żółw-2026", "Пароль-Секрет", "密碼是秘密的", "p@ss 😀 word", "Ab3$x", "q7Z"}

// everyWriting plants a password in every writing in the middle of a text, and in every field.
func everyWriting(t *testing.T, password string, do func(name, written string)) {
	for _, w := range writings {
		if len(password) < 4 && (strings.Contains(w.name, "base64") || strings.Contains(w.name, "hexa") || w.name == "Basic") {
			continue // so few bytes are found by chance everywhere
		}
		if digits := hex.EncodeToString([]byte(password)); strings.Contains(w.name, "hexa") && decimal(digits) && len(digits) < 16 {
			continue // it passes for a number
		}
		if written := w.write(password); written != "" {
			do(w.name, written)
		}
	}
}

// TestCredentialsWithNamesKept holds that no writing of a credential gets through, that all names stay, and that the scan
// alone finds each.
func TestCredentialsWithNamesKept(t *testing.T) {
	for _, password := range passwords {
		watch, err := newAnonymizer(tape(shown()), AnonymizeOptions{Secrets: []string{password}, KeepNames: true}, "secrets")
		if err != nil {
			t.Fatal(err)
		}
		everyWriting(t, password, func(name, written string) {
			x := get("https://pool01.fabrikam.de/x?u="+url.QueryEscape(written), written)
			if name != "gzip" {
				x.Response.Body = "<p>for Quentin Zebrowski: " + written + " is wrong</p>"
			}
			x.Response.Headers = http.Header{"x-oDD": {written}, "Set-Cookie": {"a=b; path=/" + written}}
			x.Request.Body = "--b\r\nContent-Type: application/http\r\n\r\nGET / HTTP/1.1\r\nX-A: " + written + "\r\n\r\n--b--"
			c := tape(shown(), x)
			hidden, err := c.Anonymized(AnonymizeOptions{Secrets: []string{password}, KeepNames: true})
			if err != nil {
				t.Errorf("%s, %s: %v", password, name, err)
				return
			}
			got := hidden.Exchanges[1]
			for place, text := range map[string]string{"body": got.Response.Body, "header": got.Response.Headers["x-oDD"][0], "cookie": got.Response.Headers["Set-Cookie"][0],
				"batch": got.Request.Body, "URL": got.Request.URL} {
				if name == "gzip" && place != "body" {
					continue // only a whole text is decompressed
				}
				if strings.Contains(text, written) || strings.Contains(text, url.QueryEscape(written)) {
					t.Errorf("%s, %s: the %s became %q", password, name, place, text)
				}
			}
			if body := got.Response.Body; name != "gzip" && !strings.Contains(body, "Quentin Zebrowski") || !strings.HasPrefix(got.Request.URL, "https://pool01.fabrikam.de/x") {
				t.Errorf("%s, %s: a name is gone: %s %q", password, name, got.Request.URL, body)
			}
			again, err := hidden.Anonymized(AnonymizeOptions{KeepNames: true})
			if err != nil || !bytes.Equal(encode(t, again), encode(t, hidden)) {
				t.Errorf("%s, %s: to do it again changes it: %v", password, name, err)
			}
			if err := watch.Check([]byte("at " + written)); !errors.Is(err, ErrLeak) && !strings.Contains(written, "\n") && name != "gzip" {
				t.Errorf("%s, %s: the scan lets it through: %q", password, name, written)
			}
		})
	}
}

// TestNamesInEveryWriting holds the same of names, and that their casing does not matter.
func TestNamesInEveryWriting(t *testing.T) {
	for _, name := range []string{"Jürgen Müßig", "Łukasz Żółw", "Ολυμπία Παπαδοπούλου"} {
		x := get("https://pool01.fabrikam.de/x", `{"name":"`+name+`"}`)
		a, err := NewAnonymizer(tape(x), AnonymizeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			everyWriting(t, form, func(writing, written string) {
				if got := a.Hide(written); strings.Contains(got, written) {
					t.Errorf("%s, %s: it became %q", form, writing, got)
				} else if again := a.Hide(got); again != got {
					t.Errorf("%s, %s: it became %q, and then %q", form, writing, got, again)
				}
			})
		}
	}
}

// TestSecretsThatAreCut holds that of an answer which broke off in the middle of a password no part of it is kept.
func TestSecretsThatAreCut(t *testing.T) {
	const password = "Hunter2-Secret/Word"
	for _, end := range []string{"Hunter2", "Hunt", `Hunter2-Secret\u002`, "Hunter2-Secret%2", "Hunter2-Secret&#x2", `\u0048\u0075\u006e\u0074\u0065`, strings.TrimRight(b64("for Hunter2-S"), "=")} {
		x := get("https://pool01.fabrikam.de/x", "for Quentin: "+end)
		x.Failure = "unexpected EOF"
		hidden, err := tape(shown(), x).Anonymized(AnonymizeOptions{Secrets: []string{password}, KeepNames: true})
		if err != nil {
			t.Fatal(err)
		}
		if body := hidden.Exchanges[1].Response.Body; body != "for Quentin: REDACTED-1" && body != "for Quentin: REDACTED-2" {
			t.Errorf("%s became %q", end, body)
		}
	}
	for _, whole := range []string{"for Quentin: Hun", "at https://pool01.fabrikam.de/application"} {
		x := get("https://pool01.fabrikam.de/x", whole)
		x.Failure = "unexpected EOF"
		hidden, err := tape(x).Anonymized(AnonymizeOptions{Secrets: []string{password, "applications-7"}, KeepNames: true})
		if err != nil || hidden.Exchanges[0].Response.Body != whole {
			t.Errorf("%s became %+v, %v", whole, hidden, err)
		}
	}
}

// TestShortSecretsInOtherScripts holds that a short password, which is hidden as a word, is found between characters of scripts
// without spaces, such as those which letters in UTF-16 make at an odd place.
func TestShortSecretsInOtherScripts(t *testing.T) {
	a, err := NewAnonymizer(&Cassette{}, AnonymizeOptions{Secrets: []string{"Łódź-"}, KeepNames: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"before " + inOrder("Łódź-", binary.LittleEndian) + " after", "密码Łódź-是"} {
		if got := a.Hide(text); !strings.Contains(got, "REDACTED-1") {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// TestShortSecretsLeaveNumbers holds that a password that is a year, a port or a word of the protocol changes no date and no link.
func TestShortSecretsLeaveNumbers(t *testing.T) {
	x := get("https://pool01.fabrikam.de:5061/x", `{"availability":"Online","year":2026,"etag":"1012345678"}`)
	x.Response.Headers = http.Header{"Date": {"Sat, 17 Jan 2026 09:00:00 GMT"}, "Content-Length": {"1234"}}
	before := x.clone()
	for _, password := range []string{"2026", "5061", "1234", "online", "17", "x", "GMT", "jan"} {
		hidden, err := tape(x).Anonymized(AnonymizeOptions{Secrets: []string{password}, KeepNames: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := hidden.Exchanges[0]; !reflect.DeepEqual(before.Request, got.Request) || !reflect.DeepEqual(before.Response, got.Response) {
			t.Errorf("%s: it became %+v %+v", password, got.Request, got.Response)
		}
	}
}

// TestWordsAreNoSecretToHunt holds that a word or a placeholder in the place of a secret is hidden there, and nowhere else; and
// that what may be drawn by lot is looked for everywhere.
func TestWordsAreNoSecretToHunt(t *testing.T) {
	for secret, hunted := range map[string]bool{
		"REDACTED": false, "redacted": false, "token": false, "Token": false, "<TOKEN-HERE>": false, "xxx": false, "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX": false, "***": false,
		"0000000000": false, "Bearer": false, "access_token": false, "accessToken": false, "<your-token-here>": false, "{{ token }}": false, "[Filtered]": false,
		"${ACCESS_TOKEN}": false, "%TOKEN%": false, "presence": false, "...": false, "Sommer": false,
		"hunter2": true, "secret-one": true, "AAEBsecret": true, "aBcDeFgH": true, "Größe": true, "correct horse battery staple": true, "abcdefghijklmnopqrstuvwxyz": true,
	} {
		x := get("https://ucwa.example/", `{"access_token":"`+secret+`","said":"of `+secret+`!"}`)
		x.Request.Headers = http.Header{"Authorization": {"Bearer " + secret}}
		hidden, anonymizer := tape(x).Redact()
		got := hidden.Exchanges[0]
		if a, b := got.Request.Headers.Get("Authorization"), got.Response.Body; a != "Bearer REDACTED-1" || !strings.HasPrefix(b, `{"access_token":"REDACTED-1",`) {
			t.Errorf("%s is left in its place: %s, %s", secret, a, b)
		}
		if kept := strings.Contains(got.Response.Body, `"of `+secret+`!"`); kept == hunted {
			t.Errorf("%s: kept elsewhere %v: %s", secret, kept, got.Response.Body)
		}
		if err := anonymizer.Check([]byte("of " + secret + "!")); (err != nil) != hunted {
			t.Errorf("%s in a text of ours: %v", secret, err)
		}
	}
}

// TestDecompressionEnds holds that what grows without end when it is decompressed is hidden and not looked through.
func TestDecompressionEnds(t *testing.T) {
	bomb := b64(zipped(strings.Repeat("\x00", maxInflated+1)))
	a, err := NewAnonymizer(&Cassette{}, AnonymizeOptions{Secrets: []string{"Hunter2-Secret"}, KeepNames: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Hide(strings.Repeat(bomb+" ", 40)); got != strings.Repeat("blob-0000000000 ", 40) {
		t.Errorf("it became %.300q", got)
	}
}

// FuzzWritings holds that every credential is found in every writing, whatever stands around it, and that to hide again changes
// nothing.
func FuzzWritings(f *testing.F) {
	for i, password := range passwords {
		for j := range writings {
			f.Add(password, "before", "after", uint(i+j))
		}
	}
	for i, w := range writings {
		if w.name == "base64 of UTF-16, the other order" { // behind what looks like a line of base64
			f.Add("Größe-Übe", "bef"+strings.Repeat("R", 600)+"ore", "after", uint(i))
		}
	}
	f.Add("Hunter2-Größe", `{"a":"`, `\u0026"}`, uint(12))
	f.Add("Hunter2-Größe", "\xff\x00", "%", uint(20))
	f.Fuzz(func(t *testing.T, password, before, after string, which uint) {
		password = strings.TrimSpace(strings.ToValidUTF8(password, ""))
		password = strings.Join(strings.FieldsFunc(password, func(r rune) bool { return foldedRune(r) < 0 || r < ' ' || r == 0xfffd }), "")
		w := writings[which%uint(len(writings))]
		written := w.write(password)
		if utf8.RuneCountInString(password) < 8 || len(password) > 100 || strings.ContainsAny(password, `%\&=+`) || known(password) || isPseudonym(strings.ToLower(password)) || written == "" || w.name == "gzip" {
			return
		}
		if strings.Contains(w.name, "UTF-16") && strings.ContainsFunc(password, func(r rune) bool { return r > 0xff }) {
			return // much of another alphabet is not told from data: docs/redaction.md
		}
		a, err := NewAnonymizer(&Cassette{}, AnonymizeOptions{Secrets: []string{password}, KeepNames: true})
		if err != nil {
			t.Fatal(err)
		}
		text := before + " " + written + " " + after
		got := a.Hide(text)
		if strings.Contains(got, written) {
			t.Errorf("%s: %q became %q", w.name, text, got)
		}
		if err := a.Check([]byte(strings.ReplaceAll(got, "\n", " "))); err != nil {
			t.Errorf("%s: %q became %q: %v", w.name, text, got, err)
		}
		if again := a.Hide(got); again != got {
			t.Errorf("%s: %q became %q, and then %q", w.name, text, got, again)
		}
	})
}

// TestCleanRunsAreForgotten holds that what was found to hold nothing is looked into again when more is looked for, and that no
// more is remembered of it than is allowed.
func TestCleanRunsAreForgotten(t *testing.T) {
	h := newHider(pseudonyms{})
	h.putSecret("another secret", "REDACTED-1")
	text := "x=" + base64.StdEncoding.EncodeToString([]byte("Zebr0wski is it"))
	if got := h.hide(text); got != text {
		t.Fatalf("%s became %s", text, got)
	}
	h.putSecret("Zebr0wski", "REDACTED-2")
	if got := h.hide(text); got == text {
		t.Error("what is looked for since is not found in a run that was clean before")
	}
	for i := range maxClean + 100 {
		h.hide(fmt.Sprintf("word%07d", i))
	}
	h.hide(strings.Repeat("w", maxCleanLength+1))
	for run := range h.clean {
		if len(run) > maxCleanLength {
			t.Errorf("a run of %d bytes is remembered", len(run))
		}
	}
	if n := len(h.clean); n == 0 || n > maxClean {
		t.Errorf("%d runs are remembered, expected at most %d", n, maxClean)
	}
}

// TestCheckLongFile holds that a leak is found wherever it stands in a long file, the first of several, with its place.
func TestCheckLongFile(t *testing.T) {
	h := newHider(pseudonyms{})
	h.putSecret("Sesame-4711", "REDACTED-1")
	const lines = 40_000 // of 30 bytes: several blocks
	file := func(leaks ...int) []byte {
		var b bytes.Buffer
		for n := 1; n <= lines; n++ {
			switch {
			case slices.Contains(leaks, n):
				b.WriteString("  body: \"Sesame-4711 is open\"\n")
			case n%100 == 1:
				fmt.Fprintf(&b, "- id: %-8d", n/100+1)
				b.Truncate(len(bytes.TrimRight(b.Bytes(), " ")))
				b.WriteByte('\n')
			default:
				fmt.Fprintf(&b, "  field: \"nothing, line %d\"\n", n)
			}
		}
		return b.Bytes()
	}
	if err := h.Check(file()); err != nil {
		t.Error(err)
	}
	for _, leaks := range [][]int{{2}, {20_050}, {lines}, {39_990, 12_345, 30_000}} {
		first := slices.Min(leaks)
		want := fmt.Sprintf("exchange %d, line %d of the file", (first-1)/100+1, first)
		if err := h.Check(file(leaks...)); !errors.Is(err, ErrLeak) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestCompressedIsShort holds that a secret is found where it is compressed, and so shorter than it is.
func TestCompressedIsShort(t *testing.T) {
	secret := strings.Repeat("0123456789abcdef", 16)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(secret)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"base64":           base64.StdEncoding.EncodeToString(b.Bytes()),
		"base64 of base64": base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(b.Bytes()))),
		"hexadecimal":      hex.EncodeToString(b.Bytes()),
	} {
		if len(text) >= len(secret) {
			t.Fatalf("%s is not shorter", name)
		}
		h := newHider(pseudonyms{})
		h.putSecret(secret, "REDACTED-1")
		if h.leak(text) == "" {
			t.Errorf("%s: not found", name)
		}
		if hidden := h.hide(`{"state":"` + text + `"}`); strings.Contains(hidden, text) {
			t.Errorf("%s: not hidden", name)
		}
	}
}
