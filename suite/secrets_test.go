package suite

import (
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
	"golang.org/x/text/unicode/norm"
)

// TestEchoedPassword holds that a token endpoint which repeats the password, whole or
// where a message would be cut, puts it into no note, with the names hidden or kept; and
// that one which puts clients off gets it once.
func TestEchoedPassword(t *testing.T) {
	const password = "Hunter2-<Größe>-Word"
	for name, answer := range map[string]func(http.ResponseWriter){
		"cut": func(w http.ResponseWriter) {
			w.WriteHeader(403)
			_, _ = io.WriteString(w, "<html>"+strings.Repeat("x", 178)+password)
		},
		"whole": func(w http.ResponseWriter) { w.WriteHeader(403); _, _ = io.WriteString(w, "<html>bad "+password) },
		"described": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"error":"invalid_grant","error_description":"`+password+` is wrong"}`)
		},
		"in other writings": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
			w.WriteHeader(403)
			_, _ = io.WriteString(w, strings.Join(echoes(password), "\n"))
		},
		"later": func(w http.ResponseWriter) { w.Header().Set("Retry-After", "0"); w.WriteHeader(503) },
	} {
		server := ucwatest.New(ucwatest.Config{SignIn: &ucwatest.SignIn{}})
		sent := 0
		running, err := ucwatest.StartTLS(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/oauthtoken") {
				server.ServeHTTP(w, r)
				return
			}
			sent++
			answer(w)
		}), ucwatest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, keep := range []bool{false, true} {
			sent = 0
			e := Gather(t.Context(), Target{KeepNames: keep, Transport: running.Client().Transport, SignIn: &ucwa.SignIn{
				Start: "https://lyncdiscover.contoso.com/", Credentials: ucwa.Credentials{Username: "dana@contoso.com", Password: password}}})[0]
			if content, err := e.Recording.Encode(); err != nil {
				t.Errorf("%s, names kept %v: %v", name, keep, err)
			} else if named := strings.Contains(string(content), "contoso.com"); named != keep {
				t.Errorf("%s, names kept %v: names shown: %v", name, keep, named)
			} else {
				for _, echo := range echoes(password) {
					if strings.Contains(string(content), strings.ReplaceAll(echo, `\`, `\\`)) {
						t.Errorf("%s, names kept %v: the evidence shows %q", name, keep, echo)
					}
				}
			}
			notes := strings.Join(e.Notes, "\n")
			if !strings.Contains(notes, "the sign-in ended here") || strings.Contains(notes, password[:6]) {
				t.Errorf("%s, names kept %v: %s", name, keep, notes)
			}
			if sent != 1 {
				t.Errorf("%s: the password was sent %d times, expected once", name, sent)
			}
		}
		running.Close()
	}
}

// echoes are some of the ways in which a server may repeat a password; package cassettes proves more.
func echoes(password string) []string {
	return []string{password, html.EscapeString(password), url.QueryEscape(url.QueryEscape(password)), eachByte(latin1(password), "%%%02x"), eachByte(latin1(password), `\u%04x`),
		base64.StdEncoding.EncodeToString([]byte(utf16le(password))), norm.NFD.String(password)}
}
