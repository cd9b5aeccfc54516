package cassettes

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// ErrLeak marks the refusal to hand out what still shows a secret or an identity.
var ErrLeak = errors.New("output withheld: it still contains a secret")

// hider looks for texts that are known, in any text and in every encoding, and replaces them. There is no other search:
// secrets and names, recordings, reports and messages are all hidden by it. It is safe for concurrent use once all texts are put in.
type hider struct {
	index *index
	names pseudonyms
	off   map[string]bool // kinds that tests switch off

	mu     sync.Mutex
	hidden map[string]map[string]bool // by kind: the pseudonyms that were put in
	clean  map[string]bool            // runs in which nothing is encoded that is looked for
	aged   map[string]bool            // those before them: what is still met among them is remembered on
}

func newHider(names pseudonyms) *hider {
	return &hider{index: newIndex(), names: names, off: map[string]bool{}, hidden: map[string]map[string]bool{}}
}

// ownText begins the texts that the driver of package suite sets, which are nobody's.
const ownText = "conform sets"

// put notes what to look for. Of the text, the first skip and the last tail bytes are context, and stay.
func (h *hider) put(kind, text string, skip, tail int, edge edge, pseudonym func(string) string) {
	if strings.TrimSpace(text) == "" || kind == "names" && strings.HasPrefix(strings.ToLower(text), ownText) {
		return
	}
	h.clean, h.aged = nil, nil // more is looked for now
	h.index.add(&identity{kind, folded(text), skip, tail, edge, pseudonym})
	if !ascii(text) {
		h.index.add(&identity{kind, folded(misread(text)), skip, tail, edge, pseudonym})
	}
}

// putSecret notes a secret. A short one is looked for only where it stands as a word, and not at all if it is one of the protocol, of
// dates, an ordinary word or a placeholder, or a number as they stand in dates, lengths and ports: then it is hidden where a rule
// finds it.
func (h *hider) putSecret(secret, name string) {
	edge := anything
	switch n := len([]rune(secret)); {
	case n < shortestSecret || known(secret) || inDates(secret) || isWord(secret) || isPseudonym(secret) || n < 5 && decimal(secret):
		return
	case n < 6:
		edge = wordEdge
	}
	h.put("secrets", secret, 0, 0, edge, fixed(name))
}

// inDates tells whether a word stands in the dates of HTTP.
func inDates(word string) bool {
	return len(word) == 3 && strings.Contains("mon tue wed thu fri sat sun jan feb mar apr may jun jul aug sep oct nov dec gmt", strings.ToLower(word))
}

// isWord tells whether a text is an ordinary word, or what people put in place of a secret: "REDACTED", "access_token",
// "<your token>", "xxx", "***". Such a text stands in too many others, our own among them, and whoever reads it there learns
// nothing.
func isWord(text string) bool {
	bare := strings.TrimFunc(text, func(r rune) bool { return r < utf8.RuneSelf && !alphanumeric(byte(r)) })
	switch {
	case bare == "" || strings.Count(bare, bare[:1]) == len(bare):
		return true
	case len(bare) > longestWord:
		return false
	case secretName(bare) || len(text)-len(bare) > 1 && strings.ContainsAny(text[:1], "<[{$%("):
		return words().MatchString(bare)
	}
	return word().MatchString(bare)
}

// longestWord is the length from where on letters alone may be a secret that was drawn by lot.
const longestWord = 24

var (
	word  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:[A-Z]?[a-z]+|[A-Z]+)$`) })
	words = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:[A-Za-z][a-z]+(?:[A-Z][a-z]+)*|(?:[A-Z]?[a-z]+|[A-Z]+)(?:[-_. ]+(?:[A-Z]?[a-z]+|[A-Z]+))*)$`)
	})
)

// shortestSecret is the shortest secret that is looked for elsewhere than where a rule finds it.
const shortestSecret = 3

func fixed(stands string) func(string) string { return func(string) string { return stands } }

// hide replaces what is known in a text.
func (h *hider) hide(text string) string {
	return h.newGlance().hide(text, maxNested)
}

// glance is one look at a text. It has an end, whatever the text is.
type glance struct {
	*hider
	budget int // how many bytes may still be decompressed
}

const (
	maxNested   = 4       // how deep base64 in base64 is looked into
	maxInflated = 8 << 20 // bounds what is decompressed of all that a text holds, in bytes
)

func (h *hider) newGlance() *glance { return &glance{h, maxInflated} }

func (l *glance) hide(text string, nested int) string {
	if text == "" {
		return ""
	}
	if found := l.compressed(text, nested); found != nil && !l.off[found.kind] {
		return l.inPlaceOf(found, text)
	}
	text = l.hideEncoded(text, nested)
	views := l.views(view{text: text}.layers())
	// The innermost layer first: only there it is clear where a host begins behind "%2F%2F".
	for level := len(views) - 1; level >= 0; level-- {
		if level >= len(views) {
			continue
		}
		if changed := l.hideIn(text, views[level]); changed != text {
			text, views = changed, l.views(view{text: changed}.layers())
		}
	}
	return text
}

// views returns all ways in which a text can be read, of which the layers are known.
func (h *hider) views(layers []view) []view {
	views := layers
	for _, v := range layers {
		views = append(views, v.otherwise(h.index.wide)...)
	}
	return views
}

func (h *hider) hideIn(text string, v view) string {
	v = alike(v)
	hits := h.index.find(v)
	if len(hits) == 0 {
		return text
	}
	var b strings.Builder
	end := 0
	for _, hit := range hits {
		if h.off[hit.kind] {
			continue
		}
		first, last := v.original(hit.start, hit.end)
		if first < end {
			continue
		}
		stands := hit.pseudonym(v.text[hit.start:hit.end])
		h.note(hit.kind, stands)
		b.WriteString(text[end:first] + stands)
		end = last
	}
	return b.String() + text[end:]
}

func (h *hider) note(kind, stands string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hidden[kind] == nil {
		h.hidden[kind] = map[string]bool{}
	}
	h.hidden[kind][stands] = true
}

// hideEncoded replaces in what is base64 or hexadecimal. What is a text in it stays one; else all of it goes, and so does what
// is encoded besides.
func (l *glance) hideEncoded(text string, nested int) string {
	if nested == 0 {
		return text
	}
	for level, views := 0, (view{text: text}).layers(); level < len(views); level++ {
		v := views[level]
		var b strings.Builder
		end := 0
		for c, found := range l.encoded(v.text, nested) {
			first, last := v.original(c.start, c.end)
			if first < end || l.off[found.kind] {
				continue
			}
			stands := l.hide(c.plain, nested-1)
			padding := len(text[last:]) - len(strings.TrimLeft(text[last:], "="))
			switch {
			case stands != c.plain && isPseudonym(stands):
			case level == 0 && !notText(c.plain) && l.search(stands, nested-1) == nil:
				if stands = c.encode(stands); padding > 0 {
					stands = padded(stands)
				}
			default:
				stands = l.inPlaceOf(found, c.plain)
			}
			last += padding
			b.WriteString(text[end:first] + stands)
			end = last
		}
		if end > 0 {
			text = b.String() + text[end:]
			views = view{text: text}.layers()
		}
	}
	return text
}

// inPlaceOf returns what stands for all that an identity was found in.
func (h *hider) inPlaceOf(found *identity, whole string) string {
	stands := ""
	if found.kind == "secrets" {
		stands = found.pseudonym("")
	} else {
		stands = h.names.of("blob", whole)
	}
	h.note("secrets", stands)
	return stands
}

func padded(s string) string { return s + strings.Repeat("=", (4-len(s)%4)%4) }

// search returns an identity that stands in a text, nil if there is none.
func (l *glance) search(text string, nested int) *identity {
	if found := l.compressed(text, nested); found != nil {
		return found
	}
	can := l.index.canStandIn(text)
	if !can && nested == 0 {
		return nil
	}
	layers := bareView(text).layers()
	if can {
		if found := l.seen(l.views(layers), nested == maxNested); found != nil {
			return found
		}
	}
	if nested == 0 {
		return nil
	}
	for _, v := range layers {
		for _, found := range l.encoded(v.text, nested) {
			return found
		}
	}
	return nil
}

// encoded yields the parts of a text that show an identity once they are decoded.
func (l *glance) encoded(text string, nested int) iter.Seq2[chunk, *identity] {
	return func(yield func(chunk, *identity) bool) {
		for _, r := range encodedRuns(text) {
			whole := text[r.start:r.end]
			outermost := nested == maxNested && len(whole) <= maxCleanLength // else it is remembered with what it stands in
			if outermost && l.isClean(whole) {
				continue
			}
			clean := true
			for _, c := range inRun(text, r.start, r.end) {
				found := l.search(c.plain, nested-1)
				if found == nil {
					continue
				}
				if clean = false; !yield(c, found) {
					return
				}
			}
			if clean && outermost {
				l.setClean(whole)
			}
		}
	}
}

const (
	maxClean       = 1 << 15 // bounds how many runs are remembered as clean, and how many as aged
	maxCleanLength = 256     // bounds how long each may be, in bytes
)

// isClean tells whether nothing that is looked for is encoded in a run. Most are words of the protocol and parts of links, which
// occur again and again, and each is base64 of something.
func (h *hider) isClean(run string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.clean[run] && h.aged[run] {
		h.remember(run)
	}
	return h.clean[run]
}

func (h *hider) setClean(run string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remember(run)
}

// remember notes a clean run. Where many clients were recorded most runs are of one of them, and go; the words of the protocol stay.
func (h *hider) remember(run string) {
	if h.clean == nil || len(h.clean) >= maxClean {
		h.clean, h.aged = map[string]bool{}, h.clean
	}
	h.clean[strings.Clone(run)] = true // a copy, which does not keep the text that it stands in
}

// seen returns an identity that can be seen. A short one stands by chance in what only may be base64.
func (h *hider) seen(views []view, short bool) *identity {
	for _, v := range views {
		for _, hit := range h.index.find(alike(v)) {
			if short || len(hit.text) >= 4 {
				return hit.identity
			}
		}
	}
	return nil
}

// compressed returns an identity that stands in what a text is when it is decompressed. Of what is too long nobody can tell, so
// it is taken for a secret.
func (l *glance) compressed(text string, nested int) *identity {
	if nested == 0 {
		return nil
	}
	plain, err := inflated(text, l.budget)
	if l.budget -= len(plain); errors.Is(err, errTooLong) {
		l.budget = 0
		return &identity{kind: "secrets", pseudonym: fixed("blob-0000000000")}
	}
	if plain == "" {
		return nil
	}
	return l.search(plain, nested-1)
}

// leak returns the kind of an identity that stands in a text, "" if there is none.
func (h *hider) leak(text string) string {
	if found := h.newGlance().search(text, maxNested); found != nil {
		return found.kind
	}
	return ""
}

// Check looks for the secrets and identities of the recording in the bytes of a file, in every encoding. It returns an error that
// is [ErrLeak] if one is there; the error tells the line and the kind, and not what stands there. A long file is looked through by
// all processors.
func (h *hider) Check(content []byte) error {
	blocks := blocksOf(content, 256<<10)
	leaks := make([]error, len(blocks))
	var next atomic.Int64
	look := func() {
		for {
			n := int(next.Add(1)) - 1
			if n >= len(blocks) {
				return
			}
			leaks[n] = h.checkBlock(content, blocks[n])
		}
	}
	var wait sync.WaitGroup
	for range min(len(blocks), runtime.GOMAXPROCS(0)) - 1 {
		wait.Go(look)
	}
	look()
	wait.Wait()
	for _, err := range leaks {
		if err != nil {
			return err
		}
	}
	return nil
}

// block is a part of a file that consists of whole lines.
type block struct{ start, end int }

func blocksOf(content []byte, least int) []block {
	var blocks []block
	for start := 0; start < len(content); {
		end := len(content)
		if start+least < end {
			if n := bytes.IndexByte(content[start+least:], '\n'); n >= 0 {
				end = start + least + n + 1
			}
		}
		blocks = append(blocks, block{start, end})
		start = end
	}
	return blocks
}

func (h *hider) checkBlock(content []byte, b block) error {
	at := b.start
	for line := range bytes.Lines(content[b.start:b.end]) {
		if kind := h.leak(string(bytes.TrimSuffix(line, []byte("\n")))); kind != "" {
			exchange := ""
			if before := exchangeLine().FindAllSubmatch(content[:at+len(line)], -1); before != nil {
				exchange = fmt.Sprintf("exchange %s, ", before[len(before)-1][1])
			}
			return fmt.Errorf("%sline %d of the file: one of the %s is still there: %w", exchange, bytes.Count(content[:at], []byte("\n"))+1, kind, ErrLeak)
		}
		at += len(line)
	}
	return nil
}

var exchangeLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^ *- id: (\d+)$`) })
