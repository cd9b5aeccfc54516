package capture

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// archiveOf packs files as Fiddler does, in the given order: a name, then what stands in it.
func archiveOf(files ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i+1 < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = io.WriteString(f, files[i+1])
		}
		if err != nil {
			panic(err) // into memory: impossible
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// aboutSession is what Fiddler writes into N_m.xml.
func aboutSession(begin, done string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<Session SID="7" BitFlags="1059">
  <SessionTimers ClientConnected="2026-03-02T10:15:00.0000000+01:00" ClientBeginRequest="%s" GotRequestHeaders="0001-01-01T00:00:00" ClientDoneRequest="0001-01-01T00:00:00" GatewayTime="0" DNSTime="0" TCPConnectTime="0" HTTPSHandshakeTime="0" ServerConnected="0001-01-01T00:00:00" FiddlerBeginRequest="0001-01-01T00:00:00" ServerGotRequest="0001-01-01T00:00:00" ServerBeginResponse="0001-01-01T00:00:00" GotResponseHeaders="0001-01-01T00:00:00" ServerDoneResponse="%s" ClientBeginResponse="0001-01-01T00:00:00" ClientDoneResponse="%s" />
  <PipeInfo />
  <SessionFlags><SessionFlag N="x-processinfo" V="chrome:1234" /><SessionFlag N="x-clientport" V="50123" /></SessionFlags>
</Session>`, begin, done, done)
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func deflated(s string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func chunked(s string) string { return fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(s), s) }

const at = "2026-03-02T10:15:0%d.0000000+01:00"

func times(begin, done int) string {
	return aboutSession(fmt.Sprintf(at, begin), fmt.Sprintf(at, done))
}

func TestReadSAZ(t *testing.T) {
	const app = "https://lyncweb.contoso.com/ucwa/oauth/v1/applications/101"
	content := archiveOf(
		"[Content_Types].xml", "<Types/>", "_index.htm", "<html></html>",
		`..\..\raw\99_c.txt`, "GET https://evil.example/ucwa/ HTTP/1.1\r\n\r\n", // no session: its name leads out
		"raw/01_c.txt", "CONNECT lyncweb.contoso.com:443 HTTP/1.1\r\nHost: lyncweb.contoso.com:443\r\n\r\n", "raw/01_s.txt", "HTTP/1.1 200 Connection Established\r\n\r\n",
		`RAW\02_C.TXT`, "GET "+app+"/events?ack=1 HTTP/1.1\r\nHost: lyncweb.contoso.com\r\n\r\n", `RAW\02_M.XML`, times(1, 9), `RAW\02_S.TXT`,
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"+chunked(zipped(`{"sender":[]}`)),
		"raw/03_c.txt", "POST /ucwa/oauth/v1/applications/101/me/presence HTTP/1.1\r\nHost: lyncweb.contoso.com\r\nContent-Length: 23\r\nAccept: a,\r\n b\r\n\r\n{\"availability\":\"Busy\"}", "raw/03_m.xml", times(2, 3),
		"raw/03_s.txt", "HTTP/1.1 204 No Content\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n",
		"raw/04_c.txt", "GET "+app+"/me HTTP/1.1\r\nHost: lyncweb.contoso.com\r\n\r\n", "raw/04_m.xml", times(3, 4),
		"raw/04_s.txt", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\n\x1b\x02\x00\x90",
		"raw/05_c.txt", "GET "+app+"/people HTTP/1.1\r\nHost: lyncweb.contoso.com\r\n\r\n", "raw/05_m.xml", times(4, 4), "raw/05_s.txt", "",
		"raw/06_c.txt", "GET "+app+"/people HTTP/1.1\r\nHost: lyncweb.contoso.com\r\n\r\n", "raw/06_m.xml", times(5, 5),
		"raw/06_s.txt", "HTTP/1.1 502 Fiddler - Connection Failed\r\nContent-Length: 9\r\n\r\n[Fiddler]",
		"raw/07_c.txt", "GET "+app+"/people HTTP/1.1\r\nHost: lyncweb.contoso.com\r\n\r\n", "raw/07_m.xml", times(6, 6),
		"raw/07_s.txt", "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n"+deflated(`{"rel":"people"}`),
		"raw/08_c.txt", "GET "+app+"/cut HTTP/1.1\r\nHost: lyncweb.contoso.com\r\n\r\n", "raw/08_m.xml", times(7, 7),
		"raw/08_s.txt", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"rel\":",
		"raw/09_c.txt", "\x00\x00\x00", "raw/09_s.txt", "",
		"raw/10_s.txt", "HTTP/1.1 200 OK\r\n\r\n",
		"raw/11_c.txt", "GET "+app+"/gzip HTTP/1.1\r\nHost: lyncweb.contoso.com\r\n\r\n", "raw/11_m.xml", times(8, 8),
		"raw/11_s.txt", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"+zipped(`{"rel":"people"}`)[:14],
	)
	c, err := Read("session.saz", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"POST " + app + "/me/presence → 204",
		"  HTTP/1.1 lyncweb.contoso.com [Accept: a, b; Content-Length: 23; Host: lyncweb.contoso.com] 23 {\"availability\":\"Busy\"}",
		"  HTTP/1.1 1s [Set-Cookie: a=1 | b=2] -1 ",
		"GET " + app + "/me → 200",
		"  HTTP/1.1 lyncweb.contoso.com [Host: lyncweb.contoso.com] 0 ",
		"  HTTP/1.1 1s [] 4 ",
		"GET " + app + "/people → 0 (the capture holds no answer: it was broken off or blocked (context canceled))",
		"  HTTP/1.1 lyncweb.contoso.com [Host: lyncweb.contoso.com] 0 ",
		"   0s [] 0 ",
		"GET " + app + "/people → 0 (no answer came, so Fiddler made one up)",
		"  HTTP/1.1 lyncweb.contoso.com [Host: lyncweb.contoso.com] 0 ",
		"   0s [] 0 ",
		"GET " + app + "/people → 200",
		"  HTTP/1.1 lyncweb.contoso.com [Host: lyncweb.contoso.com] 0 ",
		"  HTTP/1.1 0s [] -1 {\"rel\":\"people\"}",
		"GET " + app + "/cut → 200",
		"  HTTP/1.1 lyncweb.contoso.com [Host: lyncweb.contoso.com] 0 ",
		"  HTTP/1.1 0s [] 100 {\"rel\":",
		"GET " + app + "/gzip → 200",
		"  HTTP/1.1 lyncweb.contoso.com [Host: lyncweb.contoso.com] 0 ",
		"  HTTP/1.1 0s [] 14 ",
		"GET " + app + "/events?ack=1 → 200", // begun first, answered last
		"  HTTP/1.1 lyncweb.contoso.com [Host: lyncweb.contoso.com] 0 ",
		"  HTTP/1.1 8s [Content-Type: application/json] -1 {\"sender\":[]}",
	}
	if d := cmp.Diff(want, lines(c)); d != "" {
		t.Error(d)
	}
	notes := []string{"exchange 4 of the file, GET " + app + "/me: the body of the answer cannot be read: it is compressed by br, which is not read here: capture without it, or let the tool decode",
		"exchange 8 of the file, GET " + app + "/cut: the capture holds 7 bytes of a body of 100",
		"session 9 cannot be read (its request has no request line): it is not judged", "session 10 cannot be read (its request is missing): it is not judged",
		"exchange 11 of the file, GET " + app + "/gzip: the body of the answer cannot be read: gzip: unexpected EOF"}
	if d := cmp.Diff(notes, c.Notes); d != "" {
		t.Error(d)
	}
}

func TestSAZRefused(t *testing.T) {
	encrypted := archiveOf("raw/1_c.txt", "secret")
	for _, signature := range []string{"PK\x01\x02", "PK\x03\x04"} {
		at := bytes.Index(encrypted, []byte(signature))
		encrypted[at+map[string]int{"PK\x01\x02": 8, "PK\x03\x04": 6}[signature]] |= 1
	}
	good := archiveOf("raw/1_c.txt", "GET https://lyncdiscover.contoso.com/ HTTP/1.1\r\n\r\n")
	for _, test := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"encrypted", encrypted, "is encrypted: save it from Fiddler without a password"},
		{"another archive", archiveOf("word/document.xml", "<x/>"), "is an archive (zip) without a capture: expected a HAR, Fiddler's sessions, with files such as raw/1_c.txt, or a SAZ; it holds word/document.xml: give the capture itself"},
		{"cut off", good[:len(good)-30], "cannot be read (zip: not a valid zip file), as if cut off"},
	} {
		if _, err := Read("x.saz", bytes.NewReader(test.content)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestSAZBomb unpacks what a small archive promises no further than it may.
func TestSAZBomb(t *testing.T) {
	zeros := strings.Repeat("\x00", maxMember+1)
	files := []string{"raw/1_c.txt", "GET https://lyncdiscover.contoso.com/ HTTP/1.1\r\n\r\n", "raw/1_s.txt", zeros}
	c, err := Read("bomb.saz", bytes.NewReader(archiveOf(files...)))
	if err != nil || len(c.Exchanges) != 1 || !strings.Contains(c.Exchanges[0].Failure, "longer than 16 MiB") {
		t.Errorf("%v %v", lines(c), err)
	}
	files[3] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + zipped(strings.Repeat("\x00", 5<<20))
	c, err = Read("bomb.saz", bytes.NewReader(archiveOf(files...)))
	if err != nil || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "longer than 4 MiB") || c.Exchanges[0].Response.Body != "" {
		t.Errorf("%s %v", c.Exchanges[0].Failure, err)
	}
	s := &saz{sieve: newSieve("x"), bundle: &bundle{left: 100}}
	archive, _ := zip.NewReader(bytes.NewReader(archiveOf("raw/1_c.txt", zeros)), int64(len(archiveOf("raw/1_c.txt", zeros))))
	if _, err := s.unpack(archive.File[0]); err != errUnpacked {
		t.Errorf("unpacked more than is allowed: %v", err)
	}
}
