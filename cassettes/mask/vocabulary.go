package mask

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// vocabulary is what the protocol knows: the API reference and the table.
var vocabulary = sync.OnceValue(func() *known {
	v := &known{words: map[string]bool{}, members: map[string]kind{}, parts: map[string]bool{}, mixed: map[string]bool{}, headers: map[string]form{}, guids: map[string]bool{}}
	word := func(text string) {
		v.words[squeezed(text)] = true
		if !strings.Contains(text, " ") {
			for _, part := range camel(text) {
				v.parts[part] = true
			}
		}
	}
	member := func(name string, k kind) {
		lower := strings.ToLower(name)
		for _, part := range camel(name) {
			v.parts[part] = true
		}
		if k != free || v.members[lower] == 0 {
			v.members[lower] = k
		}
	}
	for _, e := range api.Enumerations() {
		for _, value := range e.Values {
			word(value)
		}
	}
	for _, r := range api.Resources() {
		word(r.Name)
		word(r.Rel)
		for _, l := range r.Links {
			word(l.Rel)
		}
		for _, e := range r.Events {
			word(e.Sender)
			word(e.Type)
		}
		for _, p := range r.Properties {
			member(p.Name, ofProperty(p))
			v.mixed[strings.ToLower(p.Name)] = v.mixed[strings.ToLower(p.Name)] || p.Enum != ""
		}
		for _, o := range r.Operations {
			for _, list := range [][]api.Parameter{o.Query, o.Body} {
				for _, p := range list {
					member(p.Name, ofParameter(p))
					for _, value := range p.Values {
						word(value)
					}
				}
			}
			for _, e := range o.Errors {
				word(e.Code)
				word(e.Subcode)
			}
		}
	}
	for k, names := range membersOf {
		for name := range strings.FieldsSeq(names) {
			member(name, k)
		}
	}
	for name := range strings.FieldsSeq(membersBeside) {
		member(name, v.members[strings.ToLower(name)])
	}
	for text := range strings.FieldsSeq(wordsBeside + pathWords) {
		word(text)
	}
	for _, text := range phrases {
		word(text)
	}
	for _, text := range own {
		word(text)
	}
	for f, names := range headersOf {
		for name := range strings.FieldsSeq(names) {
			v.headers[strings.ToLower(name)] = f
		}
	}
	for g := range strings.FieldsSeq(guids) {
		v.guids[strings.ReplaceAll(g, "-", "")] = true
	}
	delete(v.words, "")
	v.listed, v.numeric, v.hosts, v.sip = setOf(headerWords), setOf(numeric), setOf(hostLabels), setOf(sipWords)
	v.challenge, v.cookie, v.methods = setOf(challengeWords), setOf(cookieWords), setOf(methods)
	v.failures = setOf(failureWords)
	v.languages, v.scripts, v.regions, v.probes = setOf(languages), setOf(scripts), setOf(regions), setOf(probeWords)
	return v
})

// known is the vocabulary. All of it is in lower case, words without blanks and hyphens.
type known struct {
	words   map[string]bool
	members map[string]kind
	parts   map[string]bool // the words that names of members, relations and values consist of
	mixed   map[string]bool // members that have values of an enumeration, whatever else they have
	headers map[string]form
	guids   map[string]bool

	listed, numeric, hosts, sip, challenge, cookie, methods map[string]bool
	languages, scripts, regions, probes, failures           map[string]bool
}

func ofProperty(p api.Property) kind {
	switch {
	case p.URI == "http":
		return link
	case p.URI == "tel":
		return phone
	case p.URI != "":
		return account
	case p.Date:
		return date
	case p.Type == "number":
		return number
	}
	return free
}

func ofParameter(p api.Parameter) kind {
	switch p.Type {
	case "Int32":
		return number
	case "DateTime":
		return date
	case "TimeSpan":
		return span
	}
	return free
}

func setOf(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[strings.ToLower(word)] = true
	}
	return set
}

// squeezed returns a text in lower case without blanks and hyphens.
func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// isWord tells whether a text is a word of the protocol.
func (v *known) isWord(s string) bool {
	return len(s) < 100 && (v.words[squeezed(s)] || v.named(s))
}

// isMark tells whether a text can be the mark of a request that the driver means to be refused, or the name of a task or a role.
func (v *known) isMark(s string) bool {
	return len(s) < 60 && in(strings.Split(strings.ToLower(s), "-"), v.parts, v.words, v.probes)
}

// in tells whether each word is in one of the sets.
func in(words []string, sets ...map[string]bool) bool {
	return !slices.ContainsFunc(words, func(word string) bool {
		return !slices.ContainsFunc(sets, func(set map[string]bool) bool { return set[word] })
	})
}

// named tells whether a text is the name of a member.
func (v *known) named(s string) bool { _, ok := v.members[strings.ToLower(s)]; return ok }

// isName tells whether a name can be one of the protocol, as a later revision may have it: it consists of words of names that are
// known.
func (v *known) isName(s string) bool {
	if len(s) > 60 {
		return false
	}
	if v.isWord(s) {
		return true
	}
	parts := camel(strings.TrimPrefix(s, "_"))
	return len(parts) > 0 && in(parts, v.parts)
}

// camel splits a name into its words, in lower case: startMessaging is start and messaging.
func camel(name string) []string {
	var list []string
	begin := 0
	for i, r := range name {
		if unicode.IsUpper(r) || r == '_' {
			if i > begin {
				list = append(list, strings.ToLower(name[begin:i]))
			}
			if begin = i; r == '_' {
				begin = i + 1
			}
		}
	}
	if begin < len(name) {
		list = append(list, strings.ToLower(name[begin:]))
	}
	return list
}

// kindOf returns what the values of a member or a parameter are.
func (v *known) kindOf(name string) kind {
	lower := strings.ToLower(name)
	if k, ok := v.members[lower]; ok {
		return k
	}
	if v.words[lower] { // such as mediaRelayAccessToken, which is a link
		return free
	}
	for _, word := range []string{"cwt", "token", "ticket", "assertion", "wresult", "samlresponse"} {
		if strings.HasSuffix(lower, word) {
			return token
		}
	}
	for _, word := range []string{"secret", "password", "passwd", "pwd"} {
		if strings.HasSuffix(lower, word) {
			return secret
		}
	}
	return free
}

// IsSecret tells whether the value of a header field, a member or a parameter of that name is a credential.
func IsSecret(name string) bool {
	v := vocabulary()
	f, k := v.headers[strings.ToLower(name)], v.kindOf(name)
	return f == credentials || f == cookie || f == setCookie || k.credential()
}

// Secrets returns a message without the credentials that show themselves in it.
func Secrets(message string) string { return New(Options{Keeps: AllButSecret}).Message(message) }
