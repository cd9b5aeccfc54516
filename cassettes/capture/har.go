package capture

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"golang.org/x/text/encoding/unicode"
)

// readHAR reads an HTTP Archive, version 1.1 or 1.2, as Chrome, Firefox, Fiddler, mitmproxy and Charles write it.
func readHAR(name string, in *bufio.Reader, whole io.Reader) (*Capture, error) {
	source := io.Reader(in)
	switch head, _ := in.Peek(3); {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")): // as a redirection of PowerShell's writes it
		source = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(in)
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3)
	}
	h := &har{scanner: newScanner(source), sieve: newSieve(name)}
	h.beside, _ = whole.(*bundle)
	err := h.file()
	switch {
	case err == nil && !h.found:
		return nil, fmt.Errorf("%s: is JSON, but no HAR: expected an object \"log\" with a list \"entries\"", name)
	case err == nil:
	case errors.Is(err, io.ErrUnexpectedEOF):
		if h.entries == 0 {
			return nil, fmt.Errorf("%s: is a HAR that is cut off before the end of its first entry: save it again", name)
		}
		h.note("the HAR is cut off after entry %d: what came behind it is not judged", h.entries)
	case errors.As(err, new(malformed)):
		if h.entries == 0 {
			return nil, fmt.Errorf("%s: is no HAR: %w", name, err)
		}
		h.note("the HAR is broken after entry %d (%s): what stands behind it is not judged", h.entries, err)
	default:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := h.capture(&cassettes.Cassette{Name: name, Provenance: cassettes.Provenance{Kind: "capture", Tool: h.tool()}})
	c.Format = strings.TrimSpace("HAR " + h.version)
	return c, nil
}

// har reads one file.
type har struct {
	*scanner
	*sieve
	found            bool // the list of entries
	entries          int
	creator, browser string
	beside           *bundle // the archive that the HAR is in, nil if it is in none
	version          string
}

func (h *har) file() error {
	return h.object(func(name string) error {
		if c, err := h.peek(); err != nil || name != "log" || c != '{' {
			return orSkip(h.scanner, err)
		}
		return h.object(h.log)
	})
}

func orSkip(s *scanner, err error) error {
	if err != nil {
		return err
	}
	if _, err = s.value(); errors.Is(err, errTooLarge) {
		return nil
	}
	return err
}

// log reads a member of the log.
func (h *har) log(name string) error {
	c, err := h.peek()
	if err != nil {
		return err
	}
	switch {
	case name == "entries" && c == '[':
		h.found = true
		return h.items('[', ']', h.entry)
	case name == "creator" || name == "browser" || name == "version":
		value, err := h.value()
		if err != nil {
			return err
		}
		var tool struct{ Name, Version text }
		_ = json.Unmarshal(value, &tool) // for "version" it stays empty
		switch name {
		case "creator":
			h.creator = strings.TrimSpace(string(tool.Name + " " + tool.Version))
		case "browser":
			h.browser = strings.TrimSpace(string(tool.Name + " " + tool.Version))
		default:
			_ = json.Unmarshal(value, (*text)(&h.version))
		}
		return nil
	}
	return orSkip(h.scanner, nil)
}

// tool names what made the capture, as it names itself.
func (h *har) tool() string {
	const most = 100
	tool := h.creator
	if !strings.HasPrefix(h.browser, strings.Split(h.creator+" ", " ")[0]) {
		tool = strings.TrimSpace(strings.TrimSuffix(h.creator+", "+h.browser, ", "))
	}
	if len(tool) > most {
		tool = strings.ToValidUTF8(tool[:most], "")
	}
	return tool
}

func (h *har) entry() error {
	value, err := h.value()
	if errors.Is(err, errTooLarge) {
		h.entries++
		h.note("entry %d %s: it is not judged", h.entries, err)
		return nil
	}
	if err != nil {
		return err
	}
	h.entries++
	e := harEntry{Request: harRequest{BodySize: -1}, Response: harResponse{BodySize: -1}} // what a tool does not say, is not known
	e.Response.Content.Size = -1
	if err := json.Unmarshal(value, &e); err != nil {
		h.note("entry %d cannot be read (%v): it is not judged", h.entries, err)
		return nil
	}
	if e.WebSocket != nil || e.Response.Status == 101 {
		return nil // it is no exchange of UCWA
	}
	if e.FromCache != "" { // it reached no server, yet the client may follow the links in it
		e.Response = harResponse{Error: fromCache}
	}
	if e.Request.Method == "" || e.Request.URL == "" {
		h.note("entry %d has no request: it is not judged", h.entries)
		return nil
	}
	h.attach(&e)
	return h.offer(e.found(h.entries-1), false)
}

// attach reads the bodies that are in files of their own. One that cannot be read is one that the capture does not hold.
func (h *har) attach(e *harEntry) {
	if h.beside == nil {
		return
	}
	if post := e.Request.PostData; post != nil && post.File != "" && (post.Text == nil || *post.Text == "") {
		if body, err := h.beside.attached(string(post.File)); err == nil {
			post.Text = (*text)(&body)
		}
	}
	if content := &e.Response.Content; content.File != "" && (content.Text == nil || *content.Text == "") {
		if body, err := h.beside.attached(string(content.File)); err == nil {
			content.Text = (*text)(&body)
		}
	}
}

// harEntry is one entry, as far as it is used. The types of its members differ between tools.
type harEntry struct {
	Started   text        `json:"startedDateTime"`
	Time      number      `json:"time"`
	FromCache text        `json:"_fromCache"`         // Chrome: memory or disk
	WebSocket []ignored   `json:"_webSocketMessages"` // Chrome
	Error     text        `json:"_error"`             // Chrome, older
	Request   harRequest  `json:"request"`
	Response  harResponse `json:"response"`
}

type harRequest struct {
	Method   text
	URL      text
	Version  text `json:"httpVersion"`
	Headers  harFields
	BodySize number
	PostData *struct {
		Text     *text
		MimeType text
		Encoding text // Charles and some proxies: base64, though HAR has it for responses only
		Params   harFields
		File     text `json:"_file"`
	}
}

type harResponse struct {
	Status     number
	StatusText text
	Version    text `json:"httpVersion"`
	Headers    harFields
	BodySize   number
	Error      text `json:"_error"` // Chrome: as in net::ERR_ABORTED
	Content    struct {
		Size     number
		MimeType text
		Text     *text
		Encoding text
		File     text `json:"_file"` // Playwright: the body is in a file of this name, beside the HAR
	}
}

// harFields are header fields, or parameters of a form.
type harFields []struct{ Name, Value text }

// ignored takes any value.
type ignored struct{}

func (*ignored) UnmarshalJSON([]byte) error { return nil }

// text is a string, or what a tool wrote in place of one.
type text string

func (t *text) UnmarshalJSON(value []byte) error {
	switch {
	case value[0] == '"':
		return json.Unmarshal(value, (*string)(t))
	case value[0] != '{' && value[0] != '[' && string(value) != "null":
		*t = text(value)
	}
	return nil
}

// number is a number, also in quotes; 0 in place of anything else.
type number float64

func (n *number) UnmarshalJSON(value []byte) error {
	f, err := strconv.ParseFloat(string(bytes.Trim(value, `" `)), 64)
	if err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
		*n = number(f)
	}
	return nil
}

// found turns the entry into an exchange.
func (e *harEntry) found(position int) found {
	x := found{position: position, Exchange: cassettes.Exchange{Interaction: new(cassettes.Interaction)}}
	x.begin = parseTime(string(e.Started))
	const day = 24 * 60 * 60 * 1000
	took := time.Duration(min(max(float64(e.Time), 0), day) * float64(time.Millisecond))
	if x.end = x.begin; !x.begin.IsZero() {
		x.end = x.begin.Add(took)
	}
	e.request(&x.Exchange)
	x.lost = e.response(&x.Exchange)
	if x.Response.Code != 0 {
		x.Response.Duration = took
	}
	return x
}

// parseTime reads the times of all tools: ISO 8601, with and without a colon in the zone, a zone, or fractions.
func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1900 && t.Year() < 9999 {
			return t
		}
	}
	return time.Time{}
}

func (e *harEntry) request(x *cassettes.Exchange) {
	r := &x.Request
	r.Method, r.URL = string(e.Request.Method), string(e.Request.URL)
	if before, _, ok := strings.Cut(r.URL, "#"); ok {
		r.URL = before // of a fragment no server learns
	}
	r.Proto, r.ProtoMajor, r.ProtoMinor = protocol(string(e.Request.Version))
	r.Headers, r.Host = e.Request.Headers.header()
	if host := cassettes.HeaderValues(r.Headers, "Host"); r.Host == "" && len(host) > 0 {
		r.Host = host[0]
	}
	switch post := e.Request.PostData; {
	case post == nil:
	case post.Text != nil && (*post.Text != "" || len(post.Params) == 0):
		r.Body = unmarked(decodeBase64(string(*post.Text), string(post.Encoding)), string(post.MimeType))
	case !isForm(string(post.MimeType)): // a text that the tool took for a form, and cut where it has a = or &
		if text := post.Params.joined(func(s string) string { return s }); json.Valid([]byte(text)) {
			r.Body = text
		}
	default: // the form that the parameters make; nobody knows how the client encoded it
		r.Body = post.Params.joined(escapeForm)
		drop(r.Headers, "Content-Length")
	}
	known := int64(e.Request.BodySize)
	if e.Request.PostData != nil && known == 0 || !slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, r.Method) {
		known = max(known, 0)
	}
	lengthOfRequest(x, known)
}

// isForm reports whether a media type is that of a form, or not known.
func isForm(mimeType string) bool {
	media, _, _ := strings.Cut(mimeType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "" || strings.HasSuffix(media, "form-urlencoded") || strings.HasPrefix(media, "multipart/")
}

// joined returns the text of which a tool made the parameters.
func (fields harFields) joined(encode func(string) string) string {
	var pairs []string
	for _, p := range fields {
		pair := encode(string(p.Name))
		if p.Value != "" || !strings.HasPrefix(string(p.Name), "{") {
			pair += "=" + encode(string(p.Value))
		}
		pairs = append(pairs, pair)
	}
	return strings.Join(pairs, "&")
}

// escapeForm encodes a parameter, unless the tool left it encoded.
func escapeForm(s string) string {
	if strings.Contains(s, "%") && !strings.ContainsAny(s, " &=") {
		if _, err := url.QueryUnescape(s); err == nil {
			return s
		}
	}
	return url.QueryEscape(s)
}

// lengthOfRequest tells how long the body of a request is. A length without a body says that the capture lost it, and -1 that
// nobody knows whether there was one.
func lengthOfRequest(x *cassettes.Exchange, known int64) {
	r := &x.Request
	if length := cassettes.HeaderValues(r.Headers, "Content-Length"); len(length) == 1 {
		if n, err := strconv.ParseInt(strings.TrimSpace(length[0]), 10, 64); err == nil && n >= 0 {
			known = n
		}
	}
	if r.Body == tooLong {
		r.Body, known = "", max(known, maxText)
	}
	r.ContentLength = max(known, -1)
	if r.Body != "" {
		r.ContentLength = int64(len(r.Body))
	}
}

// response reads the answer, and says why its body is not there, if it is not.
func (e *harEntry) response(x *cassettes.Exchange) (lost string) {
	r, from := &x.Response, &e.Response
	code := int(from.Status)
	if code < 100 || code > 999 {
		x.Failure = failure(string(cmp.Or(from.Error, e.Error)))
		return ""
	}
	r.Code, r.Status = code, strings.TrimSpace(fmt.Sprintf("%d %s", code, from.StatusText))
	r.Proto, r.ProtoMajor, r.ProtoMinor = protocol(string(cmp.Or(from.Version, e.Request.Version)))
	r.Headers, _ = from.Headers.header()
	if len(cassettes.HeaderValues(r.Headers, "Content-Type")) == 0 && len(from.Headers) == 0 && from.Content.MimeType != "" && from.Content.MimeType != "x-unknown" {
		r.Headers["Content-Type"] = []string{string(from.Content.MimeType)} // a tool that keeps no headers
	}
	body, size := "", max(int64(from.Content.Size), int64(from.BodySize), 0)
	if from.Content.Text != nil {
		body = decodeBase64(string(*from.Content.Text), string(from.Content.Encoding))
	} else if from.Content.Size < 0 && from.BodySize != 0 && size == 0 {
		size = unknownLength // no text, and nothing says that there was none
	}
	if err := string(from.Error); err != "" {
		x.Failure = failure(err)
	}
	if body == tooLong {
		body, size = "", max(size, maxText)
	}
	if from.Content.Encoding == "" {
		body = unmarked(narrow(body), string(from.Content.MimeType))
	}
	return setBody(x, body, size)
}

// fromCache is why an exchange has no answer of the server.
const fromCache = "the browser answered it from its cache"

// failure says why there is no answer. What the client itself broke off says nothing of the server, and is told in the
// words in which Go's own clients tell it.
func failure(reason string) string {
	switch {
	case reason == "":
		return "the capture holds no answer: it was broken off or blocked (context canceled)"
	case reason == fromCache:
		return reason + " (context canceled)" // which says nothing of the server either
	case strings.Contains(reason, "ABORTED") || strings.Contains(reason, "BLOCKED_BY_CLIENT"):
		return "broken off by the client: " + reason + " (context canceled)"
	}
	return "the capture holds no whole answer: " + reason
}

// header returns the fields, without those that HTTP/2 has in place of a request line, and the host among these.
func (fields harFields) header() (h map[string][]string, host string) {
	h = map[string][]string{}
	for _, f := range fields {
		name := string(f.Name)
		switch {
		case strings.EqualFold(name, ":authority"):
			host = string(f.Value)
		case name == "" || strings.HasPrefix(name, ":"):
		default:
			for _, line := range strings.Split(string(f.Value), "\n") { // as Chrome joins Set-Cookie
				h[name] = append(h[name], strings.TrimRight(line, "\r"))
			}
		}
	}
	return h, host
}

// protocol reads a version as tools write it: HTTP/1.1, http/2.0, h2, HTTP/3.
func protocol(version string) (name string, major, minor int) {
	v := strings.ToLower(strings.TrimPrefix(strings.ToLower(version), "http/"))
	switch {
	case strings.HasPrefix(v, "2"), v == "h2", v == "spdy":
		return "HTTP/2.0", 2, 0
	case strings.HasPrefix(v, "3"), strings.HasPrefix(v, "h3"), strings.Contains(v, "quic"):
		return "HTTP/3.0", 3, 0
	case v == "1.0":
		return "HTTP/1.0", 1, 0
	}
	return "HTTP/1.1", 1, 1
}

func decodeBase64(s, encoding string) string {
	if !strings.EqualFold(encoding, "base64") || s == tooLong {
		return s
	}
	clean := strings.TrimRight(strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, s), "=")
	decoded, err := base64.RawStdEncoding.DecodeString(clean)
	if err != nil {
		return s
	}
	return string(decoded)
}

// unmarked decodes JSON that a tool wrote in base64 and did not say so.
func unmarked(body, mimeType string) string {
	if !strings.Contains(strings.ToLower(mimeType), "json") || body == "" || json.Valid([]byte(body)) {
		return body
	}
	if decoded := decodeBase64(body, "base64"); json.Valid([]byte(decoded)) {
		return decoded
	}
	return body
}

// narrow undoes what tools do that read a body in UTF-16 byte by byte: each second character is a NUL then.
func narrow(body string) string {
	trimmed := strings.TrimPrefix(strings.TrimPrefix(body, "ÿþ"), "\ufffd\ufffd")
	if len(trimmed) < 4 || len(trimmed)%2 != 0 || !utf8.ValidString(trimmed) {
		return body
	}
	for i := 0; i < len(trimmed); i += 2 {
		if trimmed[i] == 0 || trimmed[i] >= utf8.RuneSelf || trimmed[i+1] != 0 {
			return body
		}
	}
	return strings.ReplaceAll(trimmed, "\x00", "")
}
