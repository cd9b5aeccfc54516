package cassettes

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// anonymizationVersion grows with each change of what an [Anonymizer] replaces.
const anonymizationVersion = 3

// ErrLeak marks the refusal to hand out what still shows a secret or an identity.
var ErrLeak = errors.New("it is not handed out")

// AnonymizeOptions say how to anonymize. The zero value is what nearly everybody wants.
type AnonymizeOptions struct {
	Words []string // more texts to hide, of 3 characters or more, in any casing: a project, a site, a nickname
	Key   []byte   // the key of the pseudonyms, for recordings that belong together; nil: a new one that nobody learns
}

// Anonymizer hides who was recorded: besides the secrets that [Cassette.Redacted] hides, hosts, SIP URIs and e-mail
// addresses, phone numbers, names and what people wrote, GUIDs, applications and conferences. All are found in one
// recording first, then replaced wherever they stand, in that recording or in any other text, in every encoding.
//
// What stands for them has their shape, and is the same wherever the same stood: a link still leads where it led.
// It is safe for concurrent use.
type Anonymizer struct {
	source    *Cassette // to be anonymized: its bodies decompressed, its secrets still there
	redacted  *Cassette
	secrets   *secrets
	names     pseudonyms
	index     *index
	own       map[string]bool // domains of the deployment
	members   map[string]bool // names of members, in lower case
	collected map[string]bool
	off       map[string]bool // rules that tests switch off

	mu     sync.Mutex
	hidden map[string]map[string]bool // by kind: the pseudonyms that were put in
}

// NewAnonymizer finds the secrets and identities of a recording, which stays as it is. It returns an error if a word is too short,
// and if a body is compressed in a way that cannot be looked into.
func NewAnonymizer(c *Cassette, o AnonymizeOptions) (*Anonymizer, error) {
	return newAnonymizer(c, o)
}

// Anonymized returns a deep copy of which nobody can tell whose it is: see [Anonymizer]. To anonymize again changes nothing. The
// provenance names the rules. It returns the errors of [NewAnonymizer] and of [Anonymizer.Cassette].
func (c *Cassette) Anonymized(o AnonymizeOptions) (*Cassette, error) {
	a, err := NewAnonymizer(c, o)
	if err != nil {
		return nil, err
	}
	return a.Cassette()
}

func newAnonymizer(c *Cassette, o AnonymizeOptions, off ...string) (*Anonymizer, error) {
	key := o.Key
	if key == nil {
		key = make([]byte, 32)
		rand.Read(key) // never fails
	}
	a := &Anonymizer{names: pseudonyms{key}, index: newIndex(), own: map[string]bool{}, members: map[string]bool{},
		collected: map[string]bool{}, off: map[string]bool{}, hidden: map[string]map[string]bool{}}
	for _, rule := range off {
		a.off[rule] = true
	}
	for _, word := range o.Words {
		if utf8.RuneCountInString(strings.TrimSpace(word)) < 3 {
			return nil, errors.New("a word to hide has fewer than 3 characters: so short a text stands in too many others")
		}
	}
	source, err := c.decompressed()
	if err != nil {
		return nil, err
	}
	a.source = source
	a.redacted, a.secrets = source.redact()
	if a.off["secrets"] {
		a.redacted = source.clone()
	}
	a.ownHosts(source)
	source.clone().change(a.ownWords)
	for _, word := range o.Words {
		word = strings.TrimSpace(word)
		for _, form := range []string{word, strings.ToLower(word), strings.ToUpper(word)} {
			a.put("words", form, 0, 0, anything, a.fixed(a.names.of("word", strings.ToLower(word))))
		}
	}
	a.gather(source)
	a.gather(a.redacted) // what a secret stood before can be seen now
	a.putSecrets()
	return a, nil
}

// gather collects from every text of a recording.
func (a *Anonymizer) gather(c *Cassette) {
	collect := func(name, text string) string { a.collect(name, text); return text }
	c.clone().change(collect)
	collect("", c.Name)
	for _, x := range c.Exchanges {
		collect("Host", x.Request.RemoteAddr)
		collect("Host", x.Request.Host)
	}
}

// putSecrets adds the secrets to what is looked for. Those that are words of the protocol are hidden in their fields only.
func (a *Anonymizer) putSecrets() {
	for secret, name := range a.secrets.names {
		if len(secret) >= 4 && !a.constant(secret) && !isPseudonym(secret) {
			edge := anything
			if len(secret) < 6 {
				edge = wordEdge
			}
			a.put("secrets", secret, 0, 0, edge, a.fixed(name))
		}
	}
}

// Cassette returns the recording without its secrets and identities. It returns an error that is [ErrLeak], and no recording,
// if one of them is left in it or in the bytes of its file; the error tells the place and the kind, and not what stands there.
func (a *Anonymizer) Cassette() (*Cassette, error) {
	c := a.redacted.clone()
	for i := range c.Exchanges {
		a.hideImages(&c.Exchanges[i])
	}
	done := map[string]string{}
	c.change(func(_, text string) string {
		hidden, ok := done[text]
		if !ok {
			if hidden = a.Hide(text); len(text) <= mostRemembered {
				done[text] = hidden
			}
		}
		return hidden
	})
	for i := range c.Exchanges {
		x := &c.Exchanges[i]
		x.Request.RemoteAddr = a.Hide(x.Request.RemoteAddr)
		for _, values := range []map[string][]string{x.Request.Headers, x.Request.Trailer, x.Response.Headers, x.Response.Trailer} {
			changeNames(values, func(_, name string) string { return a.Hide(name) })
		}
	}
	c.Name, c.SHA256, c.Provenance.SHA256 = a.Hide(c.Name), "", "" // what the original had would show that it is the original
	c.Provenance.Redaction = Redaction{Version: anonymizationVersion, Rules: slices.Sorted(slices.Values(slices.Concat(redactionRules, identityRules)))}
	if err := a.inspect(c); err != nil {
		return nil, err
	}
	content, err := c.Encode()
	if errors.Is(err, ErrEmpty) {
		return c, nil // which cannot be saved either
	}
	if err != nil {
		return nil, err
	}
	if err := a.Check(content); err != nil {
		return nil, err
	}
	return c, nil
}

// message is a request or a response of an exchange.
type message struct {
	header http.Header
	body   *string
	length *int64
}

func (x *Exchange) messages() []message {
	return []message{{x.Request.Headers, &x.Request.Body, &x.Request.ContentLength}, {x.Response.Headers, &x.Response.Body, &x.Response.ContentLength}}
}

// image tells whether the body is a picture.
func (m message) image() bool {
	if *m.body == "" || isPseudonym(*m.body) {
		return false
	}
	for name, values := range m.header {
		if strings.EqualFold(name, "Content-Type") && slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(strings.ToLower(strings.TrimSpace(v)), "image/") }) {
			return true
		}
	}
	return false
}

// hideImages replaces pictures: a photo shows a person.
func (a *Anonymizer) hideImages(x *Exchange) {
	for _, m := range x.messages() {
		if m.image() && !a.off["images"] {
			stands := a.names.of("image", *m.body)
			a.note("images", stands)
			changeBody(m.body, m.length, m.header, func(_, _ string) string { return stands })
		}
	}
}

// Hide replaces the secrets and identities of the recording in any text: a report, a line of a log, the message of an error.
func (a *Anonymizer) Hide(text string) string {
	if text == "" {
		return ""
	}
	text = a.hideEncoded(text)
	// The innermost layer first: only there it is clear where a host begins behind "%2F%2F".
	for level := mostLayers; level >= 0; level-- {
		views := layers(text)
		if level >= len(views) {
			level = len(views) - 1
		}
		text = a.hideIn(text, views[level])
	}
	return text
}

func (a *Anonymizer) hideIn(text string, v view) string {
	hits := a.index.find(folded(v.text))
	if len(hits) == 0 {
		return text
	}
	var b strings.Builder
	end := 0
	for _, h := range hits {
		if a.off[h.kind] {
			continue
		}
		first, last := v.original(h.start, h.end)
		if first < end {
			continue
		}
		stands := h.pseudonym(v.text[h.start:h.end])
		a.note(h.kind, stands)
		b.WriteString(text[end:first] + stands)
		end = last
	}
	return b.String() + text[end:]
}

func (a *Anonymizer) note(kind, stands string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hidden[kind] == nil {
		a.hidden[kind] = map[string]bool{}
	}
	a.hidden[kind][stands] = true
}

// Counts tells how many secrets and identities of each kind were hidden so far.
func (a *Anonymizer) Counts() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	counts := map[string]int{}
	for kind, stands := range a.hidden {
		counts[kind] = len(stands)
	}
	if n := len(a.secrets.names); n > counts["secrets"] {
		counts["secrets"] = n
	}
	return counts
}

// chunk is a part of a text that is base64 of something.
type chunk struct {
	start, end int
	plain      string
	encoding   *base64.Encoding
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"

// shortestChunk is the shortest base64 that is looked into.
const shortestChunk = 8

// encodedChunks returns the parts of a text that can be base64: whole runs of its characters, and the segments of a run
// between slashes, as in paths.
func encodedChunks(text string) []chunk {
	var chunks []chunk
	try := func(start, end int) {
		run := strings.TrimRight(text[start:end], "=")
		if len(run) < shortestChunk || len(run)%4 == 1 {
			return
		}
		encoding := base64.RawStdEncoding
		if strings.ContainsAny(run, "-_") {
			encoding = base64.RawURLEncoding
		}
		if plain, err := encoding.DecodeString(run); err == nil {
			chunks = append(chunks, chunk{start, start + len(run), string(plain), encoding})
		}
	}
	for i := 0; i < len(text); {
		if !inBase64(text[i]) {
			i++
			continue
		}
		end := i
		segmented := false
		for end < len(text) && inBase64(text[end]) {
			segmented = segmented || text[end] == '/' || text[end] == '-' || text[end] == '_' || text[end] == '='
			end++
		}
		try(i, end)
		if segmented && end-i >= shortestChunk {
			for start, j := i, i; j <= end; j++ {
				if j == end || strings.IndexByte("/=-_", text[j]) >= 0 {
					if j-start < end-i {
						try(start, j)
					}
					start = j + 1
				}
			}
		}
		i = end
	}
	return chunks
}

func inBase64(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '=' || c == '-' || c == '_'
}

// hideEncoded replaces in what is base64. What is a text in it stays one; else all of it goes.
func (a *Anonymizer) hideEncoded(text string) string {
	var b strings.Builder
	end := 0
	for _, c := range encodedChunks(text) {
		if c.start < end || !a.found(c.plain) {
			continue
		}
		views := layers(c.plain)
		changed := a.hideIn(c.plain, views[len(views)-1])
		stands := c.encoding.EncodeToString([]byte(changed))
		last := c.end
		if strings.HasPrefix(text[last:], "=") {
			for last < len(text) && text[last] == '=' {
				last++
			}
			stands = padded(stands)
		}
		if !utf8.ValidString(c.plain) || strings.ContainsRune(c.plain, 0) || a.found(changed) && changed == c.plain {
			if len(a.off) > 0 && changed == c.plain {
				continue
			}
			stands = a.names.of("blob", c.plain)
			a.note("secrets", stands)
		}
		b.WriteString(text[end:c.start] + stands)
		end = last
	}
	return b.String() + text[end:]
}

func padded(s string) string { return s + strings.Repeat("=", (4-len(s)%4)%4) }

// found tells whether an identity stands in any layer of a text.
func (a *Anonymizer) found(text string) bool { return a.leak(text, false) != "" }

// leak returns the kind of an identity that stands in a text, "" if there is none.
func (a *Anonymizer) leak(text string, within bool) string {
	for _, v := range layers(text) {
		if hits := a.index.find(folded(v.text)); len(hits) > 0 {
			return hits[0].kind
		}
	}
	if within {
		for _, c := range encodedChunks(text) {
			if kind := a.leak(c.plain, false); kind != "" {
				return kind
			}
		}
	}
	return ""
}

// inspect looks at every text of a recording that is about to be handed out: for what is known, and with the same rules
// for what they missed.
func (a *Anonymizer) inspect(c *Cassette) error {
	fresh := &Anonymizer{secrets: &secrets{names: map[string]string{}}, names: a.names, index: newIndex(), own: a.own, members: a.members,
		collected: map[string]bool{}, hidden: map[string]map[string]bool{}}
	checked := map[string]string{}
	look := func(name, text string) string {
		kind, done := checked[text]
		if !done {
			if kind = a.leak(text, true); kind == "" {
				fresh.collect(name, text)
				if !a.silent() {
					kind = fresh.leak(text, false)
				}
			}
			if len(text) <= mostRemembered {
				checked[text] = kind
			}
		}
		return kind
	}
	place := func(x *Exchange, field, kind string) error {
		return fmt.Errorf("exchange %d, %s: one of the %s is still there: %w; please report it with the kind and the field", x.ID, field, kind, ErrLeak)
	}
	for i := range c.Exchanges {
		x := &c.Exchanges[i]
		for _, m := range x.messages() {
			if m.image() {
				return place(x, "a body", "images")
			}
		}
		for _, f := range x.fields() {
			for _, value := range f.values {
				if kind := look(f.field, value); kind != "" {
					return place(x, f.where, kind)
				}
			}
		}
	}
	provenance := &Cassette{Name: c.Name, Provenance: c.Provenance.clone()}
	failed := look("", c.Name)
	provenance.change(func(name, text string) string {
		if kind := look(name, text); kind != "" && failed == "" {
			failed = kind
		}
		return text
	})
	if failed != "" {
		return fmt.Errorf("the provenance: one of the %s is still there: %w", failed, ErrLeak)
	}
	return nil
}

// silent: a test has switched a rule off, to see that the search for what is known finds it.
func (a *Anonymizer) silent() bool { return len(a.off) > 0 }

type field struct {
	where, field string
	values       []string
}

// fields returns all the texts of an exchange, with their names.
func (x *Exchange) fields() []field {
	list := []field{
		{"the URL", "", []string{x.Request.URL, x.Request.RequestURI}},
		{"the host", "Host", []string{x.Request.Host, x.Request.RemoteAddr}},
		{"the request's body", "", []string{x.Request.Body}},
		{"the response's body", "", []string{x.Response.Body}},
		{"the status", "", []string{x.Response.Status}},
		{"the failure", "", []string{x.Failure}},
	}
	for _, values := range []struct {
		where  string
		values map[string][]string
	}{{"the form", x.Request.Form}, {"the request's header", x.Request.Headers}, {"the request's trailer", x.Request.Trailer},
		{"the response's header", x.Response.Headers}, {"the response's trailer", x.Response.Trailer}} {
		for _, name := range slices.Sorted(maps.Keys(values.values)) {
			list = append(list, field{values.where + " " + name, name, values.values[name]}, field{values.where + ", a name", "", []string{name}})
		}
	}
	return list
}

var exchangeLine = regexp.MustCompile(`(?m)^ *- id: (\d+)$`)

// Check looks for the secrets and identities of the recording in the bytes of a file, in every encoding. It returns an error that
// is [ErrLeak] if one is there; the error tells the line and the kind, and not what stands there.
func (a *Anonymizer) Check(content []byte) error {
	exchange := ""
	number := 0
	for line := range bytes.Lines(content) {
		number++
		text := strings.TrimSuffix(string(line), "\n")
		if m := exchangeLine.FindStringSubmatch(text); m != nil {
			exchange = "exchange " + m[1] + ", "
		}
		if kind := a.leak(text, true); kind != "" {
			return fmt.Errorf("%sline %d of the file: one of the %s is still there: %w", exchange, number, kind, ErrLeak)
		}
	}
	return nil
}

// clone returns a deep copy.
func (c *Cassette) clone() *Cassette {
	copied := *c
	copied.Provenance = c.Provenance.clone()
	copied.Exchanges = make([]Exchange, 0, len(c.Exchanges))
	for _, x := range c.Exchanges {
		copied.Exchanges = append(copied.Exchanges, x.clone())
	}
	return &copied
}

// decompressed returns a copy in which the bodies can be read that a recorder kept compressed. What an answer says of its encoding
// goes, as net/http does it.
func (c *Cassette) decompressed() (*Cassette, error) {
	copied := c.clone()
	left := mostDecompressed
	for i := range copied.Exchanges {
		x := &copied.Exchanges[i]
		for _, m := range x.messages() {
			zipped := strings.HasPrefix(*m.body, "\x1f\x8b")
			other := ""
			for name, values := range m.header {
				if strings.EqualFold(name, "Content-Encoding") && !zipped && *m.body != "" && !utf8.ValidString(*m.body) {
					other = strings.Join(values, ", ")
				}
			}
			if other != "" {
				return nil, fmt.Errorf("%s: exchange %d: a body is compressed (%s) and nobody can see what it shows: record without compression, or leave the exchange out",
					c.Name, x.ID, shorten(other))
			}
			if !zipped {
				continue
			}
			body, err := unzip(*m.body, left)
			if err != nil {
				return nil, fmt.Errorf("%s: exchange %d: a compressed body cannot be read, so nobody can see what it shows: %w", c.Name, x.ID, err)
			}
			left -= len(body)
			*m.body = body
			maps.DeleteFunc(m.header, func(name string, _ []string) bool { return strings.EqualFold(name, "Content-Encoding") })
			for name, values := range m.header {
				if strings.EqualFold(name, "Content-Length") {
					m.header[name] = slices.Repeat([]string{fmt.Sprint(len(body))}, len(values))
				}
			}
			if *m.length >= 0 {
				*m.length = int64(len(body))
			}
			if m.body == &x.Response.Body {
				x.Response.Uncompressed = true
			}
		}
	}
	return copied, nil
}

const mostDecompressed = 256 << 20

func unzip(zipped string, most int) (string, error) {
	r, err := gzip.NewReader(strings.NewReader(zipped))
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err != nil {
		return "", err
	}
	if len(body) > most {
		return "", fmt.Errorf("the bodies hold more than %d MiB", mostDecompressed>>20)
	}
	return string(body), nil
}
