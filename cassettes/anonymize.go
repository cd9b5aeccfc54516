package cassettes

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// anonymizationVersion grows with each change of what an [Anonymizer] replaces.
const anonymizationVersion = 6

// AnonymizeOptions say how to anonymize. The zero value is what nearly everybody wants.
type AnonymizeOptions struct {
	Words     []string // more texts to hide, of 3 characters or more, in any casing: a project, a site, a nickname
	Secrets   []string // credentials that are known: they are hidden also where no rule would find them
	KeepNames bool     // hide nothing but secrets
	Key       []byte   // the key of the pseudonyms, for recordings that belong together; nil: a new one that nobody learns
}

// Anonymizer hides who was recorded: besides the secrets that [Cassette.Redacted] hides, hosts, SIP URIs and e-mail
// addresses, phone numbers, names and what people wrote, GUIDs, applications and conferences. All are found in one
// recording first, then replaced wherever they stand, in that recording or in any other text, in every encoding.
//
// What stands for them has their shape, and is the same wherever the same stood: a link still leads where it led.
// It is safe for concurrent use.
type Anonymizer struct {
	*hider
	redacted  *Cassette // what is anonymized; nil once it is
	secrets   *secrets
	keepNames bool
	own       map[string]bool // domains of the deployment
	members   map[string]bool // names of members, in lower case
	collected map[labelled]bool
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
	a := &Anonymizer{hider: newHider(pseudonyms{key}), keepNames: o.KeepNames, own: map[string]bool{}, members: map[string]bool{}, collected: map[labelled]bool{}}
	for _, rule := range off {
		a.off[rule] = true
	}
	for _, word := range o.Words {
		if utf8.RuneCountInString(strings.TrimSpace(word)) < 3 {
			return nil, errors.New("a word to hide has fewer than 3 characters: so short a text stands in too many others")
		}
	}
	source, err := c.decompressed(true)
	if err == nil {
		err = source.readable()
	}
	if err != nil {
		return nil, err
	}
	a.redacted, a.secrets, _ = source.redact(o.Secrets)
	if a.off["secrets"] {
		a.redacted = source.clone()
	}
	a.secrets.putInto(a.hider)
	if a.keepNames {
		return a, nil
	}
	a.ownHosts(source)
	source = source.clone() // in which nothing is changed, but each text is put back
	source.change(a.ownWords)
	for _, word := range o.Words {
		word = strings.TrimSpace(word)
		for _, form := range []string{word, strings.ToLower(word), strings.ToUpper(word)} {
			a.put("words", form, 0, 0, anything, fixed(a.names.of("word", strings.ToLower(word))))
		}
	}
	a.gather(source)
	a.gather(a.redacted) // what a secret stood before can be seen now
	a.collected = nil    // which keeps the texts as they were
	return a, nil
}

// gather collects from every text of a recording, which is nobody else's.
func (a *Anonymizer) gather(c *Cassette) {
	collect := func(name, text string) string { a.collect(name, text); return text }
	c.change(collect)
	collect("", c.Name)
	for _, x := range c.Exchanges {
		for _, m := range x.messages() {
			if body := strings.TrimSpace(*m.body); m.chat(&x) && strings.Contains(body, " ") && len(body) >= shortestSentence {
				a.put("names", body, 0, 0, anything, fixed(a.names.of("name", body)))
			}
		}
		collect("Host", x.Request.RemoteAddr)
		collect("Host", x.Request.Host)
	}
}

// Cassette returns the recording without its secrets and identities. It returns an error that is [ErrLeak], and no recording,
// if one of them is left in it or in the bytes of its file; the error tells the place and the kind, and not what stands there.
// The recording is the caller's, and returned once: of a thousand that are held each would be there twice. A second call is an error.
func (a *Anonymizer) Cassette() (*Cassette, error) {
	a.mu.Lock()
	c := a.redacted
	a.redacted, a.secrets.plain = nil, nil
	a.mu.Unlock()
	if c == nil {
		return nil, errors.New("the recording without its identities was returned before: keep it, or make another Anonymizer")
	}
	for i := range c.Exchanges {
		x := &c.Exchanges[i]
		a.hideImages(x)
		a.hideChat(x)
		if x.Failure != "" {
			changeBody(&x.Response.Body, &x.Response.ContentLength, x.Response.Headers, func(_, body string) string { return a.hideCut(body) })
		}
	}
	c.change(remembered(a.hide))
	for i := range c.Exchanges {
		x := &c.Exchanges[i]
		x.Request.RemoteAddr = a.hide(x.Request.RemoteAddr)
		for _, values := range []map[string][]string{x.Request.Headers, x.Request.Trailer, x.Response.Headers, x.Response.Trailer} {
			changeNames(values, func(_, name string) string { return a.hide(name) })
		}
	}
	c.Name, c.SHA256, c.Provenance.SHA256 = a.hide(c.Name), "", "" // what the original had would show that it is the original
	if !a.keepNames {
		c.Provenance.Redaction = Redaction{Version: anonymizationVersion, Rules: slices.Sorted(slices.Values(slices.Concat(redactionRules, identityRules)))}
	}
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

// hideImages replaces pictures: a photo shows a person.
func (a *Anonymizer) hideImages(x *Exchange) {
	for _, m := range x.messages() {
		if m.image() && !a.keepNames && !a.off["images"] {
			stands := a.names.of("image", *m.body)
			a.note("images", stands)
			changeBody(m.body, m.length, m.header, func(_, _ string) string { return stands })
		}
	}
}

// hideChat replaces what people wrote to each other.
func (a *Anonymizer) hideChat(x *Exchange) {
	for _, m := range x.messages() {
		if !a.keepNames && !a.off["names"] && m.chat(x) {
			stands := a.names.of("name", strings.TrimSpace(*m.body))
			a.note("names", stands)
			changeBody(m.body, m.length, m.header, func(_, _ string) string { return stands })
		}
	}
}

// Hide replaces the secrets and identities of the recording in any text: a report, a line of a log, the message of an error. What
// is a token or a password by what stands before it goes too, though the recording does not have it.
func (a *Anonymizer) Hide(text string) string { return hideSecrets(a.hide(text)) }

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

// inspect looks at every text of a recording that is about to be handed out: for what is known, and with the same rules
// for what they missed.
func (a *Anonymizer) inspect(c *Cassette) error {
	fresh := &Anonymizer{hider: newHider(a.names), own: a.own, members: a.members, collected: map[labelled]bool{}}
	checked := map[string]string{}
	look := func(name, text string) string {
		kind, done := checked[text]
		if !done {
			if kind = a.leak(text); kind == "" && !a.keepNames && !a.silent() {
				fresh.collect(name, text)
				if found := fresh.seen(fresh.views(bareView(text).layers()), true); found != nil {
					kind = found.kind
				}
			}
			if len(text) <= maxRemembered {
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
			if m.image() && !a.keepNames {
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
