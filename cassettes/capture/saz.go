package capture

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
)

const (
	maxArchive  = 256 << 20 // bytes of an archive that comes through a pipe, so that it must be held in memory
	maxSessions = 200_000
	maxMember   = 16 << 20 // bytes of a file in an archive; a longer one is passed over
	maxUnpacked = 2 << 30  // bytes of all
)

// session is one of Fiddler's: the names of its files end with its number, and a letter for the client's request, the
// server's response, and what Fiddler knows of both.
type session struct {
	number                int
	client, server, about *zip.File
}

// sessions reads the sessions that Fiddler saved.
func (z *bundle) sessions(name string, sessions []*session) (*Capture, error) {
	s := &saz{sieve: newSieve(name), bundle: z}
	for i, one := range sessions {
		x, err := s.read(one)
		switch {
		case errors.Is(err, errUnpacked):
			return nil, err
		case err != nil:
			s.note("session %d cannot be read (%v): it is not judged", one.number, err)
		case x != nil:
			x.position = i
			if err := s.offer(*x, false); err != nil {
				return nil, err
			}
		}
	}
	return s.capture(&cassettes.Cassette{Name: name, Provenance: cassettes.Provenance{Kind: "capture", Tool: "Fiddler"}}), nil
}

// openArchive reads the directory of a zip. It stands at the end, so a pipe is read whole.
func openArchive(name string, in *bufio.Reader, whole io.Reader) (*zip.Reader, error) {
	at, size := io.ReaderAt(nil), int64(0)
	if file, ok := whole.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			at, size = file, info.Size()
		}
	}
	if at == nil {
		content, err := io.ReadAll(io.LimitReader(in, maxArchive+1))
		if err != nil {
			return nil, fmt.Errorf("%s: cannot read the archive: %w", name, err)
		}
		if len(content) > maxArchive {
			return nil, fmt.Errorf("%s: is an archive of more than %d MiB, the most that is read from a pipe: give the file itself", name, maxArchive>>20)
		}
		at, size = bytes.NewReader(content), int64(len(content))
	}
	archive, err := zip.NewReader(at, size)
	if err != nil {
		return nil, fmt.Errorf("%s: is an archive (zip) that cannot be read (%w), as if cut off: save it again, or export as HAR", name, err)
	}
	return archive, nil
}

// sessionsIn finds the sessions by the names of their files, whose case and slashes differ between the tools that pack them. They
// are in a folder raw/, which can be in another where somebody packed them again.
func sessionsIn(archive *zip.Reader) (map[string][]*session, error) {
	member := regexp.MustCompile(`(?i)^((?:.*/)?raw)/0*(\d{1,9})_([csm])\.(?:txt|xml)$`)
	found := map[string]map[int]*session{}
	for _, file := range archive.File {
		m := member.FindStringSubmatch(strings.ReplaceAll(file.Name, `\`, "/"))
		if m == nil || strings.HasPrefix(m[1], "__MACOSX/") || strings.Contains(m[1], "..") {
			continue
		}
		folder := strings.ToLower(m[1])
		sessions := found[folder]
		if sessions == nil {
			sessions = map[int]*session{}
			found[folder] = sessions
		}
		number, _ := strconv.Atoi(m[2]) // nine digits
		s := sessions[number]
		if s == nil {
			s = &session{number: number}
			sessions[number] = s
		}
		switch strings.ToLower(m[3]) {
		case "c":
			s.client = file
		case "s":
			s.server = file
		default:
			s.about = file
		}
		if s.about != file && file.Flags&1 != 0 {
			return nil, errors.New("is encrypted: save it from Fiddler without a password")
		}
	}
	folders := map[string][]*session{}
	for folder, sessions := range found {
		if len(sessions) > maxSessions {
			return nil, fmt.Errorf("holds %d sessions, and %d are the most that is read: save the sessions of UCWA alone", len(sessions), maxSessions)
		}
		folders[folder] = slices.SortedFunc(maps.Values(sessions), func(a, b *session) int { return cmp.Compare(a.number, b.number) })
	}
	return folders, nil
}

// saz reads the sessions of one archive.
type saz struct {
	*sieve
	*bundle
}

var errUnpacked = fmt.Errorf("holds more than %d MiB when it is unpacked, the most that is read: save the sessions of UCWA alone", maxUnpacked>>20)

// about is what Fiddler writes of a session.
type about struct {
	Timers struct {
		Begin      string `xml:"ClientBeginRequest,attr"`
		Connected  string `xml:"ClientConnected,attr"`
		ServerDone string `xml:"ServerDoneResponse,attr"`
		ClientDone string `xml:"ClientDoneResponse,attr"`
	} `xml:"SessionTimers"`
	Flags []struct {
		Name  string `xml:"N,attr"`
		Value string `xml:"V,attr"`
	} `xml:"SessionFlags>SessionFlag"`
}

// flag returns the value of one of Fiddler's own flags.
func (a *about) flag(name string) string {
	for _, f := range a.Flags {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// read returns the exchange of a session, nil if it is none, as the tunnels are that the others go through.
func (s *saz) read(of *session) (*found, error) {
	if of.client == nil {
		return nil, errors.New("its request is missing")
	}
	request, err := s.unpack(of.client)
	if err != nil {
		return nil, err
	}
	known, err := s.unpack(of.about)
	if err != nil {
		return nil, err
	}
	var a about
	if len(known) > 0 {
		decoder := xml.NewDecoder(bytes.NewReader(known))
		decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
		_ = decoder.Decode(&a) // it says what may be known besides
	}
	x := &found{Exchange: cassettes.Exchange{Interaction: new(cassettes.Interaction)}}
	if err := setRequest(&x.Exchange, request, &a); err != nil || x.Request.Method == "CONNECT" {
		return nil, err
	}
	x.begin = parseTime(cmp.Or(validTime(a.Timers.Begin), a.Timers.Connected))
	x.end = parseTime(cmp.Or(validTime(a.Timers.ServerDone), validTime(a.Timers.ClientDone)))
	if x.end.Before(x.begin) {
		x.end = x.begin
	}
	response, err := s.unpack(of.server)
	if errors.Is(err, errUnpacked) {
		return nil, err
	}
	if err != nil {
		x.Failure = fmt.Sprintf("the answer cannot be read: %v", err)
		return x, nil
	}
	x.lost = setResponse(&x.Exchange, response)
	if x.Response.Code == 101 {
		return nil, nil // a WebSocket
	}
	if x.Response.Code != 0 && !x.begin.IsZero() {
		x.Response.Duration = min(x.end.Sub(x.begin), 24*time.Hour)
	}
	return x, nil
}

// validTime returns a time that Fiddler knew: it writes the year 1 for others.
func validTime(s string) string {
	if parseTime(s).IsZero() {
		return ""
	}
	return s
}

// setRequest reads a request as it was sent to the proxy, or by it.
func setRequest(x *cassettes.Exchange, content []byte, a *about) error {
	line, header, body, err := splitMessage(content)
	if err != nil {
		return fmt.Errorf("its request: %w", err)
	}
	parts := strings.Fields(line)
	if len(parts) < 2 || len(parts[0]) > 40 {
		return errors.New("its request has no request line")
	}
	r := &x.Request
	r.Method, r.Headers = parts[0], header
	r.Proto, r.ProtoMajor, r.ProtoMinor = protocol(strings.Join(parts[2:], ""))
	if host := cassettes.HeaderValues(header, "Host"); len(host) > 0 {
		r.Host = host[0]
	}
	r.URL = parts[1]
	if strings.HasPrefix(r.URL, "/") {
		scheme := "https" // of what is decrypted; Fiddler notes the others
		if strings.EqualFold(a.flag("x-scheme"), "http") || strings.HasSuffix(r.Host, ":80") {
			scheme = "http"
		}
		r.URL = scheme + "://" + r.Host + r.URL
	}
	r.URL, _, _ = strings.Cut(r.URL, "#")
	plain, _ := dechunked(header, body)
	r.Body = string(plain)
	if len(cassettes.HeaderValues(header, "Transfer-Encoding")) > 0 {
		r.TransferEncoding = []string{"chunked"}
	}
	if strings.Contains(r.URL, "://") && len(r.Body) > cassettes.MaxBody {
		r.Body = tooLong
	}
	lengthOfRequest(x, 0)
	return nil
}

// setResponse reads an answer as it came from the server, if one came, and says why its body is not there, if it is not.
func setResponse(x *cassettes.Exchange, content []byte) (lost string) {
	line, header, body, err := finalAnswer(content)
	if len(bytes.TrimSpace(content)) == 0 || err == nil && line == "" {
		x.Failure = failure("")
		return ""
	}
	parts := strings.SplitN(line, " ", 3)
	code := 0
	if err == nil && len(parts) > 1 {
		code, _ = strconv.Atoi(parts[1])
	}
	if code < 100 || code > 999 {
		x.Failure = "the capture holds an answer without a status line"
		return ""
	}
	if strings.Contains(line, " Fiddler - ") || bytes.HasPrefix(body, []byte("[Fiddler]")) {
		x.Failure = "no answer came, so Fiddler made one up"
		return ""
	}
	r := &x.Response
	r.Code, r.Status, r.Headers = code, strings.TrimSpace(strings.Join(parts[1:], " ")), header
	r.Proto, r.ProtoMajor, r.ProtoMinor = protocol(parts[0])
	plain, whole := dechunked(header, body)
	size := int64(0)
	if !whole {
		size = int64(len(plain)) + unknownLength
	}
	announced, err := strconv.ParseInt(strings.TrimSpace(strings.Join(cassettes.HeaderValues(header, "Content-Length"), "")), 10, 64)
	lost = setBody(x, string(plain), size)
	if lost == "" && err == nil && whole && announced > int64(len(plain)) && hasBody(x.Request.Method, code) && len(cassettes.HeaderValues(header, "Content-Encoding")) == 0 {
		lost, r.ContentLength = fmt.Sprintf("the capture holds %d bytes of a body of %d", len(plain), announced), announced
	}
	return lost
}

// finalAnswer splits an answer, without those that only say to go on (100 Continue) before it.
func finalAnswer(content []byte) (line string, header map[string][]string, body []byte, err error) {
	for range 5 {
		if line, header, body, err = splitMessage(content); err != nil {
			break
		}
		if parts := strings.Fields(line); len(parts) < 2 || !strings.HasPrefix(parts[1], "1") || parts[1] == "101" {
			break
		}
		content = body
	}
	return line, header, body, err
}

// splitMessage splits a message into its first line, its header and its body. It is laxer than net/http, which refuses what
// somebody may have sent after all.
func splitMessage(content []byte) (line string, header map[string][]string, body []byte, err error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	head, body, found := bytes.Cut(content, []byte("\r\n\r\n"))
	if other, rest, lf := bytes.Cut(content, []byte("\n\n")); lf && (!found || len(other) < len(head)) {
		head, body = other, rest
	}
	const most = 1 << 20
	if len(head) > most {
		return "", nil, nil, errors.New("its header is longer than 1 MiB")
	}
	header = map[string][]string{}
	last := ""
	for i, text := range strings.Split(string(head), "\n") {
		text = strings.TrimRight(text, "\r")
		name, value, ok := strings.Cut(text, ":")
		switch {
		case i == 0:
			line = text
		case strings.HasPrefix(text, ":"): // of HTTP/2
		case last != "" && (strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\t")): // folded
			lines := header[last]
			lines[len(lines)-1] += " " + strings.TrimSpace(text)
		case ok && strings.TrimSpace(name) != "":
			last = strings.TrimSpace(name)
			header[last] = append(header[last], strings.TrimSpace(value))
		}
	}
	return line, header, body, nil
}
