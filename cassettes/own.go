package cassettes

import (
	"bytes"
	"encoding/base64"
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
//
// Told to compare, it changes nothing: it is odd, too, if what it reads is not what is there.
type ownReader struct {
	rest    []byte
	odd     bool
	compare bool
	buffer  []byte            // the scalar in hand, if it had escapes
	words   map[string]string // the short texts so far: most occur in every exchange
}

// ownFile splits a file as it is written here into its head, which is YAML of its own, and the list of its exchanges. It returns
// nil if the file is not of that form; [ownReader] tells whether the list is.
func ownFile(content []byte) (head, list []byte) {
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
	return content[:at+len("version: 2\n")], content[at+len(lists):]
}

func newOwnReader(list []byte) *ownReader { return &ownReader{rest: list, words: map[string]string{}} }

// ownExchanges reads a list of exchanges. It returns nil if it has none, or is not of the form in which one is written here.
func ownExchanges(list []byte) []Exchange {
	var exchanges []Exchange
	o := newOwnReader(list)
	for len(o.rest) > 0 {
		x := Exchange{Interaction: new(Interaction)}
		o.exchange(x)
		exchanges = append(exchanges, x)
	}
	if o.odd {
		return nil
	}
	return exchanges
}

// end makes the reader odd if anything is left.
func (o *ownReader) end() { o.odd = o.odd || len(o.rest) > 0 }

func (o *ownReader) exchange(x Exchange) {
	o.int(0, "- id", &x.ID)
	o.request(&x.Request)
	o.response(&x.Response)
}

func (o *ownReader) request(r *cassette.Request) {
	o.mapping(2, "request")
	o.text("proto", &r.Proto)
	o.int(inMessage, "proto_major", &r.ProtoMajor)
	o.int(inMessage, "proto_minor", &r.ProtoMinor)
	o.number(inMessage, "content_length", &r.ContentLength)
	o.list("transfer_encoding", &r.TransferEncoding)
	o.values("trailer", (*map[string][]string)(&r.Trailer))
	o.text("host", &r.Host)
	o.text("remote_addr", &r.RemoteAddr)
	o.text("request_uri", &r.RequestURI)
	o.text("body", &r.Body)
	o.values("form", (*map[string][]string)(&r.Form))
	o.values("headers", (*map[string][]string)(&r.Headers))
	o.text("url", &r.URL)
	o.text("method", &r.Method)
	if u, err := url.Parse(r.URL); err != nil || u.Scheme == "" || u.Host == "" || r.Method == "" {
		o.giveUp()
	}
}

func (o *ownReader) response(r *cassette.Response) {
	o.mapping(2, "response")
	o.text("proto", &r.Proto)
	o.int(inMessage, "proto_major", &r.ProtoMajor)
	o.int(inMessage, "proto_minor", &r.ProtoMinor)
	o.list("transfer_encoding", &r.TransferEncoding)
	o.values("trailer", (*map[string][]string)(&r.Trailer))
	o.number(inMessage, "content_length", &r.ContentLength)
	uncompressed := string(o.plain(inMessage, "uncompressed"))
	set(o, &r.Uncompressed, uncompressed == "true")
	o.text("body", &r.Body)
	o.values("headers", (*map[string][]string)(&r.Headers))
	o.text("status", &r.Status)
	o.int(inMessage, "code", &r.Code)
	took := r.Duration.String() // as it is written, if that is compared
	o.text("duration", &took)
	duration, err := time.ParseDuration(took)
	set(o, &r.Duration, duration)
	if err != nil || duration < 0 || r.Code < 100 || r.Code > 999 || !r.Uncompressed && uncompressed != "false" {
		o.giveUp()
	}
}

// set keeps what was read, or compares it.
func set[T comparable](o *ownReader, field *T, read T) {
	switch {
	case !o.compare:
		*field = read
	case *field != read:
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
func (o *ownReader) number(indent int, name string, field *int64) {
	text := o.plain(indent, name)
	n, err := strconv.ParseInt(string(text), 10, 64)
	var form [20]byte
	if err != nil || !bytes.Equal(strconv.AppendInt(form[:0], n, 10), text) {
		o.giveUp()
	}
	set(o, field, n)
}

func (o *ownReader) int(indent int, name string, field *int) {
	n := int64(*field)
	o.number(indent, name, &n)
	if int64(int(n)) != n {
		o.giveUp()
	}
	set(o, field, int(n))
}

func (o *ownReader) text(name string, field *string) {
	o.key(inMessage, name)
	o.need(" ")
	o.into(field)
	o.need("\n")
}

func (o *ownReader) list(name string, field *[]string) {
	o.key(inMessage, name)
	o.items(inMessage, field)
}

// items reads the list that stands behind a key.
func (o *ownReader) items(indent int, field *[]string) {
	list := *field
	n := 0
	if !o.has(" []\n") {
		o.need("\n")
		for ; o.item(indent); n++ {
			if o.compare && n == len(list) {
				o.giveUp()
				return
			}
			if !o.compare {
				list = append(list, "")
			}
			o.into(&list[n])
			o.need("\n")
		}
		if n == 0 {
			o.giveUp()
		}
	}
	switch {
	case !o.compare && n == 0:
		*field = []string{}
	case !o.compare:
		*field = list
	case n < len(list):
		o.giveUp()
	}
}

// item tells whether the next line is an item, and reads up to its text.
func (o *ownReader) item(indent int) bool {
	if len(o.rest) < indent+2 || o.rest[indent] != '-' {
		return false
	}
	return o.has(spaces[:indent]) && o.has("- ")
}

func (o *ownReader) values(name string, field *map[string][]string) {
	o.key(inMessage, name)
	values := *field
	if !o.compare {
		values = map[string][]string{}
		*field = values
	}
	n := 0
	if !o.has(" {}\n") {
		o.need("\n")
		const indent = inMessage + 2
		for last := ""; o.has(spaces[:indent]); n++ {
			before := len(o.rest)
			name := o.word(o.scalar())
			list, known := values[name]
			if long := before-len(o.rest) > longestKey; long || known != o.compare || n > 0 && name <= last {
				o.giveUp()
			}
			o.need(":")
			o.items(indent, &list)
			if !o.compare {
				values[name] = list
			}
			last = name
		}
		if n == 0 {
			o.giveUp()
		}
	}
	if n != len(values) {
		o.giveUp()
	}
}

// into reads a text into a field, or compares it.
func (o *ownReader) into(field *string) {
	switch text := o.scalar(); {
	case !o.compare:
		*field = o.word(text)
	case string(text) != *field:
		o.giveUp()
	}
}

// scalar reads the double-quoted form of a text. What it returns stands only until the next call.
func (o *ownReader) scalar() []byte {
	binary := o.has("!!binary ")
	text := o.quoted()
	if binary {
		decoded, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil {
			o.giveUp()
		}
		return decoded
	}
	return text
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
		case asIs[b]:
			i++
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
