package cassettes

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// ownReader reads a list of interactions as [emitter] writes it, key by key, and nothing else: it is the emitter backwards,
// and some twenty times as fast as a reader of YAML. What departs from that form in the least, if only by a space, makes it
// odd; then it is for the reader of YAML, which also has the messages. What it accepts, it reads as that one does.
type ownReader struct {
	rest   []byte
	odd    bool
	buffer []byte            // the scalar in hand, if it had escapes
	words  map[string]string // the short texts so far: most occur in every exchange
}

// ownFile splits a file as it is written here into its head, which is YAML of its own, and its exchanges. It returns nil if
// the file is not of that form.
func ownFile(content []byte) (head []byte, exchanges []Exchange) {
	const lists = "version: 2\ninteractions:\n"
	at := bytes.Index(content, []byte(lists))
	if at < 0 {
		return nil, nil
	}
	head = content[:at]
	for n, line := 0, head; len(line) > 0; n++ { // each is the first, "conform:", or stands under it
		end := bytes.IndexByte(line, '\n') + 1
		if end == 0 || n == 0 && string(line[:end]) != "conform:\n" || n > 0 && !bytes.HasPrefix(line, []byte("  ")) {
			return nil, nil
		}
		line = line[end:]
	}
	o := ownReader{rest: content[at+len(lists):], words: map[string]string{}}
	for len(o.rest) > 0 {
		exchanges = append(exchanges, o.exchange())
	}
	if o.odd {
		return nil, nil
	}
	return content[:at+len("version: 2\n")], exchanges
}

func (o *ownReader) exchange() Exchange {
	x := Exchange{Interaction: new(Interaction)}
	x.ID = o.int(0, "- id")
	o.request(&x.Request)
	o.response(&x.Response)
	return x
}

func (o *ownReader) request(r *cassette.Request) {
	o.mapping(2, "request")
	r.Proto = o.text("proto")
	r.ProtoMajor = o.int(inMessage, "proto_major")
	r.ProtoMinor = o.int(inMessage, "proto_minor")
	r.ContentLength = o.number(inMessage, "content_length")
	r.TransferEncoding = o.list("transfer_encoding")
	r.Trailer = o.values("trailer")
	r.Host = o.text("host")
	r.RemoteAddr = o.text("remote_addr")
	r.RequestURI = o.text("request_uri")
	r.Body = o.text("body")
	r.Form = url.Values(o.values("form"))
	r.Headers = o.values("headers")
	r.URL = o.text("url")
	r.Method = o.text("method")
	if u, err := url.Parse(r.URL); err != nil || u.Scheme == "" || u.Host == "" || r.Method == "" {
		o.giveUp()
	}
}

func (o *ownReader) response(r *cassette.Response) {
	o.mapping(2, "response")
	r.Proto = o.text("proto")
	r.ProtoMajor = o.int(inMessage, "proto_major")
	r.ProtoMinor = o.int(inMessage, "proto_minor")
	r.TransferEncoding = o.list("transfer_encoding")
	r.Trailer = o.values("trailer")
	r.ContentLength = o.number(inMessage, "content_length")
	uncompressed := o.plain(inMessage, "uncompressed")
	r.Uncompressed = string(uncompressed) == "true"
	r.Body = o.text("body")
	r.Headers = o.values("headers")
	r.Status = o.text("status")
	r.Code = o.int(inMessage, "code")
	duration, err := time.ParseDuration(o.text("duration"))
	r.Duration = duration
	if err != nil || duration < 0 || r.Code < 100 || r.Code > 999 || !r.Uncompressed && string(uncompressed) != "false" {
		o.giveUp()
	}
}

// giveUp makes the reader odd and ends the text, so that what is still asked for ends soon.
func (o *ownReader) giveUp() { o.odd, o.rest = true, nil }

// has reads the expected text if it comes next.
func (o *ownReader) has(expected string) bool {
	if len(o.rest) < len(expected) || string(o.rest[:len(expected)]) != expected {
		return false
	}
	o.rest = o.rest[len(expected):]
	return true
}

func (o *ownReader) need(expected string) {
	if !o.has(expected) {
		o.giveUp()
	}
}

const (
	spaces    = "        "
	inMessage = 4 // the indentation of what stands in a request or a response
)

func (o *ownReader) key(indent int, name string) {
	o.need(spaces[:indent])
	o.need(name)
	o.need(":")
}

func (o *ownReader) mapping(indent int, name string) {
	o.key(indent, name)
	o.need("\n")
}

func (o *ownReader) plain(indent int, name string) []byte {
	o.key(indent, name)
	o.need(" ")
	end := bytes.IndexByte(o.rest, '\n')
	if end < 0 {
		o.giveUp()
		return nil
	}
	value := o.rest[:end]
	o.rest = o.rest[end+1:]
	return value
}

// number reads a whole number in the one form in which it is written; YAML has others.
func (o *ownReader) number(indent int, name string) int64 {
	text := o.plain(indent, name)
	n, err := strconv.ParseInt(string(text), 10, 64)
	var form [20]byte
	if err != nil || !bytes.Equal(strconv.AppendInt(form[:0], n, 10), text) {
		o.giveUp()
	}
	return n
}

func (o *ownReader) int(indent int, name string) int {
	n := o.number(indent, name)
	if int64(int(n)) != n {
		o.giveUp()
	}
	return int(n)
}

func (o *ownReader) text(name string) string {
	o.key(inMessage, name)
	o.need(" ")
	text := o.scalar()
	o.need("\n")
	return text
}

func (o *ownReader) list(name string) []string {
	o.key(inMessage, name)
	return o.items(inMessage)
}

// items reads the list that stands behind a key.
func (o *ownReader) items(indent int) []string {
	if o.has(" []\n") {
		return []string{}
	}
	o.need("\n")
	list := make([]string, 0, 1)
	for o.item(indent) {
		list = append(list, o.scalar())
		o.need("\n")
	}
	if len(list) == 0 {
		o.giveUp()
	}
	return list
}

// item tells whether the next line is an item, and reads up to its text.
func (o *ownReader) item(indent int) bool {
	if len(o.rest) < indent+2 || o.rest[indent] != '-' {
		return false
	}
	return o.has(spaces[:indent]) && o.has("- ")
}

func (o *ownReader) values(name string) http.Header {
	o.key(inMessage, name)
	if o.has(" {}\n") {
		return http.Header{}
	}
	o.need("\n")
	values := http.Header{}
	const indent = inMessage + 2
	for o.has(spaces[:indent]) {
		before := len(o.rest)
		name := o.scalar()
		if long := before-len(o.rest) > longestKey; long || values[name] != nil {
			o.giveUp()
		}
		o.need(":")
		values[name] = o.items(indent)
	}
	if len(values) == 0 {
		o.giveUp()
	}
	return values
}

// scalar reads the double-quoted form of a text.
func (o *ownReader) scalar() string {
	binary := o.has("!!binary ")
	text := o.quoted()
	if binary {
		decoded, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil {
			o.giveUp()
		}
		return string(decoded)
	}
	return o.word(text)
}

// word returns the text as a string, a short one always as the same.
func (o *ownReader) word(text []byte) string {
	const longest, most = 64, 4096
	if len(text) > longest {
		return string(text)
	}
	word, known := o.words[string(text)]
	if !known {
		word = string(text)
		if len(o.words) < most {
			o.words[word] = word
		}
	}
	return word
}

// quoted returns what stands between two quotation marks, and only until the next call.
func (o *ownReader) quoted() []byte {
	o.need(`"`)
	o.buffer = o.buffer[:0]
	from := 0 // where what is not copied begins
	for i := 0; i < len(o.rest); {
		switch b := o.rest[i]; {
		case b == '"':
			text := o.rest[from:i]
			if from > 0 {
				o.buffer = append(o.buffer, text...)
				text = o.buffer
			}
			o.rest = o.rest[i+1:]
			return text
		case b == '\\':
			o.buffer = append(o.buffer, o.rest[from:i]...)
			r, length := unescape(o.rest[i:])
			if length == 0 {
				o.giveUp()
				return nil
			}
			o.buffer = utf8.AppendRune(o.buffer, r)
			i += length
			from = i
		case ' ' <= b && b <= '~':
			i++
		default:
			r, length := utf8.DecodeRune(o.rest[i:])
			if length == 1 || !unicode.IsPrint(r) {
				o.giveUp()
				return nil
			}
			i += length
		}
	}
	o.giveUp()
	return nil
}

// unescape returns the character that a text with a backslash begins with, and the length of its escape; 0 if it is not one
// that is written here.
func unescape(text []byte) (r rune, length int) {
	if len(text) < 2 {
		return 0, 0
	}
	switch text[1] {
	case '"', '\\':
		return rune(text[1]), 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		length = 6
	case 'U':
		length = 10
	}
	if len(text) < length || length == 0 {
		return 0, 0
	}
	code, err := strconv.ParseUint(string(text[2:length]), 16, 32)
	if err != nil || code > unicode.MaxRune || !utf8.ValidRune(rune(code)) {
		return 0, 0
	}
	return rune(code), length
}
