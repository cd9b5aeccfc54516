package cassettes

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// emitter writes the YAML of a cassette. It exists since yaml.Marshal picks a style for each string, and some styles do
// not read back: a leading line feed is lost, a leading tab or a key "<<" does not load. Here every string is a
// double-quoted scalar on one line, and the same cassette always gives the same bytes.
type emitter struct{ yaml []byte }

func (e *emitter) key(indent int, name string) {
	e.yaml = append(append(append(e.yaml, spaces[:indent]...), name...), ':')
}

func (e *emitter) mapping(indent int, name string) {
	e.key(indent, name)
	e.yaml = append(e.yaml, '\n')
}

func (e *emitter) plain(indent int, name, value string) {
	e.key(indent, name)
	e.yaml = append(append(append(e.yaml, ' '), value...), '\n')
}

func (e *emitter) number(indent int, name string, value int64) {
	e.key(indent, name)
	e.yaml = append(strconv.AppendInt(append(e.yaml, ' '), value, 10), '\n')
}

func (e *emitter) text(indent int, name, value string) {
	e.key(indent, name)
	e.yaml = append(appendScalar(append(e.yaml, ' '), value), '\n')
}

func (e *emitter) list(indent int, name string, values []string) {
	if len(values) == 0 {
		e.plain(indent, name, "[]")
		return
	}
	e.mapping(indent, name)
	e.items(indent, values)
}

func (e *emitter) items(indent int, values []string) {
	for _, value := range values {
		e.yaml = append(append(e.yaml, spaces[:indent]...), "- "...)
		e.yaml = append(appendScalar(e.yaml, value), '\n')
	}
}

// longestKey is how many characters YAML allows before the colon of a key that is not marked with "?", less a margin.
const longestKey = 1000

func (e *emitter) values(indent int, name string, values map[string][]string) {
	if len(values) == 0 {
		e.plain(indent, name, "{}")
		return
	}
	e.mapping(indent, name)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		quoted := string(appendScalar(nil, name))
		if len(quoted) <= longestKey {
			e.list(indent+2, quoted, values[name])
			continue
		}
		spaces := strings.Repeat(" ", indent+2)
		e.yaml = fmt.Appendf(e.yaml, "%s? %s\n%s:", spaces, quoted, spaces)
		if len(values[name]) == 0 {
			e.yaml = append(e.yaml, " []\n"...)
			continue
		}
		e.yaml = append(e.yaml, '\n')
		e.items(indent+2, values[name])
	}
}

// appendScalar appends the double-quoted form of s. What is not printable is escaped, since YAML forbids some of it and
// folds the rest; what is not UTF-8 is written as !!binary, which go-vcr reads back as the same bytes.
func appendScalar(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		dst = append(dst, `!!binary "`...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(s))
		return append(dst, '"')
	}
	dst = append(dst, '"')
	from := 0 // where what is not appended begins
	for i := 0; i < len(s); {
		if asIs[s[i]] {
			i++
			continue
		}
		r, length := utf8.DecodeRuneInString(s[i:])
		dst = append(dst, s[from:i]...)
		i += length
		from = i
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case unicode.IsPrint(r):
			dst = utf8.AppendRune(dst, r)
		case r <= 0xFFFF:
			dst = fmt.Appendf(dst, `\u%04X`, r)
		default:
			dst = fmt.Appendf(dst, `\U%08X`, r)
		}
	}
	return append(append(dst, s[from:]...), '"')
}

// asIs are the characters that stand for themselves between quotation marks.
var asIs = func() (table [256]bool) {
	for c := ' '; c <= '~'; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// exchange writes one that was answered.
func (e *emitter) exchange(x Exchange) {
	e.number(0, "- id", int64(x.ID))
	e.request(2, &x.Request)
	e.response(2, &x.Response)
}

// provenance writes the first key of the file, with the exchanges that failed.
func (e *emitter) provenance(p Provenance, exchanges []Exchange) {
	text := func(name, value string) {
		if value != "" {
			e.text(2, name, value)
		}
	}
	list := func(indent int, name string, values []string) {
		if len(values) > 0 {
			e.list(indent, name, values)
		}
	}
	e.mapping(0, "conform")
	text("kind", p.Kind)
	if !p.RecordedAt.IsZero() {
		text("recordedAt", p.RecordedAt.UTC().Format(time.RFC3339Nano))
	}
	text("tool", p.Tool)
	text("server", p.Server)
	text("source", p.Source)
	text("task", p.Task)
	text("ledger", p.Ledger)
	list(2, "absent", p.Absent)
	list(2, "repairs", p.Repairs)
	if p.Redaction.Version != 0 || len(p.Redaction.Rules) > 0 {
		e.mapping(2, "redaction")
		e.number(4, "version", int64(p.Redaction.Version))
		list(4, "rules", p.Redaction.Rules)
	}
	e.failures(exchanges)
	text("covers", p.Covers)
	text("sha256", p.SHA256)
}

func (e *emitter) failures(exchanges []Exchange) {
	if !slices.ContainsFunc(exchanges, Exchange.failed) {
		return
	}
	e.mapping(2, "failures")
	for _, x := range exchanges {
		if x.Failure == "" {
			continue
		}
		e.number(2, "- id", int64(x.ID))
		e.text(4, "failure", x.Failure)
		e.request(4, &x.Request)
		if x.Response.Code != 0 {
			e.response(4, &x.Response)
		}
	}
}

func (x Exchange) failed() bool { return x.Failure != "" }

func (e *emitter) request(indent int, r *cassette.Request) {
	e.mapping(indent, "request")
	indent += 2
	e.text(indent, "proto", r.Proto)
	e.number(indent, "proto_major", int64(r.ProtoMajor))
	e.number(indent, "proto_minor", int64(r.ProtoMinor))
	e.number(indent, "content_length", r.ContentLength)
	e.list(indent, "transfer_encoding", r.TransferEncoding)
	e.values(indent, "trailer", r.Trailer)
	e.text(indent, "host", r.Host)
	e.text(indent, "remote_addr", r.RemoteAddr)
	e.text(indent, "request_uri", r.RequestURI)
	e.text(indent, "body", r.Body)
	e.values(indent, "form", r.Form)
	e.values(indent, "headers", r.Headers)
	e.text(indent, "url", r.URL)
	e.text(indent, "method", r.Method)
}

func (e *emitter) response(indent int, r *cassette.Response) {
	e.mapping(indent, "response")
	indent += 2
	e.text(indent, "proto", r.Proto)
	e.number(indent, "proto_major", int64(r.ProtoMajor))
	e.number(indent, "proto_minor", int64(r.ProtoMinor))
	e.list(indent, "transfer_encoding", r.TransferEncoding)
	e.values(indent, "trailer", r.Trailer)
	e.number(indent, "content_length", r.ContentLength)
	e.plain(indent, "uncompressed", strconv.FormatBool(r.Uncompressed))
	e.text(indent, "body", r.Body)
	e.values(indent, "headers", r.Headers)
	e.text(indent, "status", r.Status)
	e.number(indent, "code", int64(r.Code))
	e.text(indent, "duration", r.Duration.String())
}
