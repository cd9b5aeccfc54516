package capture

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// playwrightOf is a HAR with one exchange of UCWA, whose content is as given.
func playwrightOf(post, content string) string {
	return `{"log":{"version":"1.2","creator":{"name":"Playwright","version":"1"},"entries":[{"startedDateTime":"2026-03-02T09:15:00Z","time":1,` +
		`"request":{"method":"POST","url":"https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/me/presence","headers":[]` + post + `},` +
		`"response":{"status":200,"headers":[],"content":` + content + `}}]}}`
}

// TestReadZip reads the archives that people have: each holds one capture.
func TestReadZip(t *testing.T) {
	const body = `{"rel":"presence"}`
	text, _ := json.Marshal(body)
	har := playwrightOf("", `{"size":18,"mimeType":"application/json","text":`+string(text)+`}`)
	attached := playwrightOf(`,"postData":{"mimeType":"application/json","_file":"q.json"}`, `{"size":18,"mimeType":"application/json","_file":"a.json"}`)
	session := []string{"raw/1_c.txt", "POST https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101/me/presence HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
		"raw/1_s.txt", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n" + body}
	saz := string(archiveOf(session...))
	bomb := string(archiveOf("x.zip", string(archiveOf("zeros", strings.Repeat("\x00", 1<<20)))))
	inFolder := []string{"My session/raw/1_c.txt", session[1], `My session\raw\1_s.txt`, session[3], "__MACOSX/My session/raw/1_c.txt", "x"}
	for _, test := range []struct {
		name, format, sent string
		content            []byte
	}{
		{"Playwright's", "HAR 1.2", "", archiveOf("har.har", har)},
		{"Playwright's, with the bodies beside it", "HAR 1.2", "{}", archiveOf("a.json", body, "har.har", attached, "q.json", "{}")},
		{"in a folder, with the bodies beside it", "HAR 1.2", "{}", archiveOf("logs/", "", "logs/a.json", body, "a.json", "wrong", "logs/q.json", "{}", "logs/x.HAR", attached)},
		{"beside what is none", "HAR 1.2", "", archiveOf("session.har", har, "__MACOSX/._session.har", "x", "notes.txt", "x", "bomb.zip", bomb)},
		{"a SAZ", "Fiddler's archive (SAZ)", "{}", []byte(saz)},
		{"a SAZ packed again", "Fiddler's archive (SAZ)", "{}", archiveOf("today/x.saz", saz, "readme.txt", "x")},
		{"a SAZ called zip, packed again", "Fiddler's archive (SAZ)", "{}", archiveOf("x.zip", saz)},
		{"a HAR packed twice", "HAR 1.2", "", archiveOf("x.har.zip", string(archiveOf("har.har", har)))},
		{"a SAZ unpacked, and its folder packed", "Fiddler's archive (SAZ)", "{}", archiveOf(inFolder...)},
	} {
		c, err := Read("x.zip", bytes.NewReader(test.content))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if len(c.Exchanges) != 1 || c.Format != test.format || c.Name != "x.zip" || c.Exchanges[0].Response.Body != body || c.Exchanges[0].Request.Body != test.sent || c.Exchanges[0].Failure != "" {
			t.Errorf("%s: read as %s: %s", test.name, c.Format, strings.Join(lines(c), "\n"))
		}
	}
	// A body that is in no file of the archive is lost, wherever its name leads.
	c, err := Read("x.zip", bytes.NewReader(archiveOf("a.json", body, "logs/har.har", strings.ReplaceAll(attached, "a.json", "../a.json"))))
	if err != nil || len(c.Exchanges) != 1 || c.Exchanges[0].Response.Body != "" {
		t.Errorf("%v: a body was taken from elsewhere", err)
	}
}

// TestZipRefused holds that what is in no archive of one capture is told, with what to do.
func TestZipRefused(t *testing.T) {
	har := playwrightOf("", `{"size":0}`)
	saz := string(archiveOf("raw/1_c.txt", "GET https://lyncdiscover.contoso.com/ HTTP/1.1\r\n\r\n"))
	locked := archiveOf("har.har", har)
	for _, signature := range []string{"PK\x01\x02", "PK\x03\x04"} {
		locked[bytes.Index(locked, []byte(signature))+map[string]int{"PK\x01\x02": 8, "PK\x03\x04": 6}[signature]] |= 1
	}
	for _, test := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"all kinds", archiveOf("a.har", har, "b.saz", saz, "c/raw/1_c.txt", "x", "bomb.zip", strings.Repeat("\x00", 1<<20)),
			"is an archive (zip) with several captures, and one is read: unpack it, and give those that you mean; they are Fiddler's sessions in c/raw, a.har, b.saz"},
		{"two of Fiddler's", archiveOf("a/raw/1_c.txt", "x", "b/raw/1_c.txt", "x"), "they are Fiddler's sessions in a/raw, Fiddler's sessions in b/raw"},
		{"many", archiveOf("1.har", "", "2.har", "", "3.har", "", "4.har", "", "5.har", "", "6.har", "", "7.har", ""), "they are 1.har, 2.har, 3.har, 4.har, 5.har, and 2 more"},
		{"none", archiveOf("a.txt", "", "b.txt", ""), "without a capture: expected a HAR, Fiddler's sessions, with files such as raw/1_c.txt, or a SAZ; it holds a.txt, b.txt: give the capture itself"},
		{"nothing", archiveOf(), "it holds nothing"},
		{"thrice", archiveOf("a.zip", string(archiveOf("b.zip", string(archiveOf("c.har", har))))), "a.zip in it: is an archive in an archive in an archive: unpack it, and give b.zip"},
		{"a broken SAZ", archiveOf("a.saz", saz[:len(saz)-30]), "a.saz in it cannot be read (zip: not a valid zip file): unpack it, and give that file"},
		{"encrypted", locked, "har.har in it is encrypted: unpack it first"},
		{"no HAR", archiveOf("a.har", "[]"), "is no HAR"},
	} {
		_, err := Read("x.zip", bytes.NewReader(test.content))
		if err == nil || !strings.HasPrefix(err.Error(), "x.zip: ") || strings.Count(err.Error(), "x.zip") != 1 || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestZippedHARBomb holds that of a HAR which a small archive promises no more is unpacked than may be, nor of the bodies beside it.
func TestZippedHARBomb(t *testing.T) {
	z := &bundle{left: 1000}
	_, err := readHAR("x.zip", bufferOf(&unpacking{strings.NewReader(`{"log":{"entries":[` + strings.Repeat(" ", 1<<20)), z}), z)
	if err == nil || !strings.Contains(err.Error(), errUnpacked.Error()) {
		t.Errorf("a HAR without end: %v", err)
	}
	attached := playwrightOf("", fmt.Sprintf(`{"size":%d,"mimeType":"application/json","_file":"a.json"}`, maxMember+1))
	c, err := Read("x.zip", bytes.NewReader(archiveOf("har.har", attached, "a.json", strings.Repeat("\x00", maxMember+1))))
	if err != nil || len(c.Exchanges) != 1 || c.Exchanges[0].Response.Body != "" {
		t.Errorf("a body without end: %v", err)
	}
}

func bufferOf(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 64<<10) }
