package cassettes

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The documentation's own exchanges, with its errata mended.
func TestDocumentedSetPresence(t *testing.T) {
	c, err := Open("documentation/set-presence")
	if err != nil {
		t.Fatal(err)
	}
	if c.Provenance.SHA256 != c.SHA256 || c.SHA256 == "" {
		t.Errorf("checksum %s, the file says %s", c.SHA256, c.Provenance.SHA256)
	}
	if p := c.Provenance; p.Kind != "documentation" || p.Task != "" || len(p.Repairs) != 9 || p.RecordedAt.Format("2006-01-02") != "2013-01-17" {
		t.Errorf("provenance %+v", p)
	}
	var lines []string
	ids := make(map[string]bool)
	for _, x := range c.Exchanges {
		lines = append(lines, x.Request.Method+" "+x.Request.URL+" "+x.Request.Body+" "+x.Response.Status)
		for _, id := range regexp.MustCompile(`applications/(\d+)`).FindAllStringSubmatch(x.Request.URL+x.Response.Body+x.Response.Headers.Get("Set-Cookie"), -1) {
			ids[id[1]] = true
		}
		for _, message := range []struct {
			body   string
			length int64
			header string
		}{{x.Request.Body, x.Request.ContentLength, x.Request.Headers.Get("Content-Length")}, {x.Response.Body, x.Response.ContentLength, x.Response.Headers.Get("Content-Length")}} {
			if message.length != int64(len(message.body)) || message.body != "" && message.header != strconv.Itoa(len(message.body)) {
				t.Errorf("exchange %d: lengths %d and %q of a body of %d bytes", x.ID, message.length, message.header, len(message.body))
			}
			if message.body != "" && !json.Valid([]byte(message.body)) {
				t.Errorf("exchange %d: not JSON: %s", x.ID, message.body)
			}
		}
		header := x.Request.Headers
		got := []string{x.Request.Host, header.Get("Host"), header.Get("Authorization"), header.Get("X-Ms-Origin"), header.Get("Referer")}
		want := []string{"lyncweb.contoso.com", "lyncweb.contoso.com", "Bearer cwt=AAEB...buHc", "http://app.contoso.com", "https://lyncweb.contoso.com/Autodiscover/XFrame/XFrame.html"}
		if !slices.Equal(got, want) || x.Response.Duration != 0 {
			t.Errorf("exchange %d: %q, want %q", x.ID, got, want)
		}
	}
	want := []string{
		`POST https://lyncweb.contoso.com/ucwa/oauth/v1/applications/104/me/makeMeAvailable {"SupportedModalities":["Messaging"]} 204 No Content`,
		`GET https://lyncweb.contoso.com/ucwa/oauth/v1/applications/104  200 OK`,
		`POST https://lyncweb.contoso.com/ucwa/oauth/v1/applications/104/me/presence {"availability":"Online"} 204 No Content`,
	}
	if !slices.Equal(lines, want) {
		t.Errorf("exchanges are\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if len(ids) != 1 || !ids["104"] {
		t.Errorf("application ids %v, want 104 alone", ids)
	}
	var application struct {
		Embedded map[string]struct {
			Rel   string
			Links map[string]struct{ Href string } `json:"_links"`
		} `json:"_embedded"`
	}
	if err := json.Unmarshal([]byte(c.Exchanges[1].Response.Body), &application); err != nil {
		t.Fatal(err)
	}
	for _, rel := range []string{"me", "people", "onlineMeetings", "communication"} {
		if e := application.Embedded[rel]; e.Rel != rel || e.Links["self"].Href == "" {
			t.Errorf("embedded %s: %+v, want its rel and a self link", rel, e)
		}
	}
}

// The exchanges that lead to an application, as the page prints them but for its repairs.
func TestDocumentedCreateApplication(t *testing.T) {
	c, err := Open("documentation/create-application")
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Provenance; p.SHA256 != c.SHA256 || p.Kind != "documentation" || p.Task != "" || len(p.Repairs) != 7 || p.RecordedAt.Format("2006-01-02") != "2013-01-12" {
		t.Errorf("provenance %+v of a file with the checksum %s", p, c.SHA256)
	}
	page, err := os.ReadFile("../suite/testdata/create-an-application.txt")
	if err != nil {
		t.Fatal(err)
	}
	printed := strings.NewReplacer("\n GET ", "\nGET ", "\n Pragma", "\nPragma", "secure;\n\nHttpOnly", "secure; HttpOnly", "104082042405", "105",
		"\"en-US\",\n}", "\"en-US\"\n}").Replace(string(page))
	has := func(id int, line string) {
		if !strings.Contains(printed, "\n"+line+"\n") {
			t.Errorf("exchange %d: the page does not print %q", id, line)
		}
	}
	lines := 0
	for _, x := range c.Exchanges {
		has(x.ID, x.Request.Method+" "+x.Request.URL+" HTTP/1.1")
		has(x.ID, "HTTP/1.1 "+x.Response.Status)
		for _, message := range []struct {
			headers map[string][]string
			body    string
			length  int64
		}{{x.Request.Headers, x.Request.Body, x.Request.ContentLength}, {x.Response.Headers, x.Response.Body, x.Response.ContentLength}} {
			if message.length != int64(len(message.body)) {
				t.Errorf("exchange %d: a length of %d, and a body of %d bytes", x.ID, message.length, len(message.body))
			}
			for name, values := range message.headers {
				for _, value := range values {
					lines++
					if name == "Content-Length" {
						if value != strconv.Itoa(len(message.body)) {
							t.Errorf("exchange %d: Content-Length is %s, the body has %d bytes", x.ID, value, len(message.body))
						}
					} else if !regexp.MustCompile(`(?i)\n` + regexp.QuoteMeta(name) + `: ` + regexp.QuoteMeta(value) + `\n`).MatchString(printed) {
						t.Errorf("exchange %d: the page does not print %s: %s", x.ID, name, value)
					}
				}
			}
			if !strings.HasPrefix(message.body, "<") { // the page of the 401 is not printed
				has(x.ID, message.body)
			}
		}
	}
	if len(c.Exchanges) != 5 || lines != 110 {
		t.Errorf("%d exchanges with %d header fields, want those of the page: 5 and 110", len(c.Exchanges), lines)
	}
}
