package cassettes

import (
	"encoding/base64"
	"encoding/binary"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// labelled is a text and the name of its field.
type labelled struct{ field, text string }

// collect notes every identity in a text, which may be the value of a field with that name.
func (a *Anonymizer) collect(field, text string) {
	if text == "" {
		return
	}
	key := labelled{field, text}
	if a.collected[key] {
		return
	}
	a.collected[key] = true
	a.inField(field, text)
	for _, v := range bareView(text).layers() {
		a.inText(v.text)
	}
	if isQuotedPrintable(text) {
		for _, v := range bareView(text).otherwise(false) {
			a.inText(v.text)
		}
	}
	for _, chunk := range encodedChunks(text) {
		if ntlm := strings.Contains(chunk.plain, "NTLMSSP\x00"); ntlm || len(chunk.plain) >= shortestChunk && !notText(chunk.plain) {
			a.inBlob(chunk.plain) // else it was base64 by chance, and what it shows too
		}
	}
}

// inField collects what a text is by the name of its field.
func (a *Anonymizer) inField(field, text string) {
	name := strings.ToLower(field)
	switch {
	case field == "":
		return
	case slices.Contains([]string{"username", "user", "login", "login_hint", "upn", "account"}, name):
		a.addAccount(text)
	case name == "authorization" || name == "proxy-authorization":
		if scheme, blob, ok := strings.Cut(text, " "); ok && strings.EqualFold(scheme, "Basic") {
			if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(blob)); err == nil {
				user, _, _ := strings.Cut(string(raw), ":")
				a.addAccount(user)
			}
		}
	case name == "www-authenticate" || name == "proxy-authenticate" || name == "authentication-info":
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
			if len(word) >= 16 && strings.Trim(word, base64Alphabet) == "" && !isPseudonym(word) {
				a.put("secrets", word, 0, 0, anything, fixed(a.names.of("blob", word)))
			}
		}
	case strings.HasSuffix(name, "fqdn") || name == "via" || strings.HasSuffix(name, "-host") || name == "host" || strings.HasPrefix(name, "x-forwarded") ||
		name == "forwarded" || name == "x-feserver" || name == "x-beserver" || strings.HasSuffix(name, "-server") || strings.HasSuffix(name, "-ip"):
		if strings.HasSuffix(name, "fqdn") && !hostShape(text) && !strings.Contains(text, "://") {
			a.addMalformed("hosts", text)
		}
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;=\"()", r) }) {
			word, _, _ = strings.Cut(word, "/")
			if host, _, err := net.SplitHostPort(word); err == nil {
				word = host
			}
			if hostShape(word) && !decimal(strings.ReplaceAll(word, ".", "0")) || net.ParseIP(strings.Trim(word, "[]")) != nil {
				a.addHost(word)
			}
		}
	case name == "set-cookie":
		for attribute := range strings.SplitSeq(text, ";") {
			if key, value, _ := strings.Cut(strings.TrimSpace(attribute), "="); strings.EqualFold(key, "domain") {
				a.addHost(strings.Trim(value, ". "))
			}
		}
	}
}

// isEscape tells whether what follows a backslash is a character as JSON writes it, u0026, and no account.
func isEscape(s string) bool {
	_, err := strconv.ParseUint(strings.TrimPrefix(s, "u"), 16, 16)
	return len(s) >= 5 && s[0] == 'u' && err == nil
}

// inText collects what shows itself in any text, one layer of encoding at a time.
func (a *Anonymizer) inText(text string) {
	e := expressions()
	lower := strings.ToLower(text)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(lower, word) })
	}
	each := func(expression *regexp.Regexp, do func(groups []string)) {
		for _, m := range expression.FindAllStringSubmatch(text, -1) {
			do(m)
		}
	}
	if has("://") {
		each(e.authority, func(m []string) { a.addHost(m[1]) })
		if has("://meet", "://join", "://dialin") {
			each(e.meeting, func(m []string) { a.addUser(m[1]); a.addConference(m[2]) })
		}
	}
	if has(".local", ".lan", ".corp", ".int", ".home", ".priv", ".ad") {
		each(e.inner, func(m []string) { a.addHost(m[0]) })
	}
	html := has("<html", "<body", "<h1", "<h2", "<title", "<!doctype")
	if html || has("dial ", "lookup ", "x509", "certificate", "read tcp", "write tcp") {
		each(e.dotted, func(m []string) {
			if public(m[0]) {
				a.addHost(m[0])
			}
		})
		each(e.ip4, func(m []string) { a.addHost(m[1]) })
	}
	if html {
		each(e.labelled, func(m []string) { a.addHost(m[1]) })
		each(e.account, func(m []string) {
			if len(m[1]) > 1 && !known(m[1]) && !known(m[2]) && !isEscape(m[2]) {
				a.addWord("hosts", m[1], a.names.of("host", strings.ToLower(m[1])))
				a.addUser(m[2])
			}
		})
	}
	if has(`:\users\`, `:\\users\\`) {
		each(e.profile, func(m []string) { a.addUser(m[1]) })
	}
	if has("source") {
		each(e.source, func(m []string) {
			if hostShape(m[1]) {
				a.addHost(m[1])
			}
		})
	}
	if has("host:", "fqdn:", "forwarded-server:") {
		each(e.hostLine, func(m []string) { a.addHost(m[1]) })
	}
	if has("@") {
		each(e.address, func(m []string) { a.addAddress(m[1], m[2]) })
	}
	if has("sip:", "sips:") {
		each(e.sip, func(m []string) {
			if m[2] == "" && strings.Contains(m[1], ".") && hostShape(m[1]) {
				a.addHost(m[1])
			} else if !isPseudonym(m[1]) {
				a.addUser(m[1])
				a.put("addresses", "sip:"+m[1], 4, 0, wordEdge, fixed(a.names.of("user", folded(m[1]))))
			}
		})
	}
	if has("user", "login", "upn", "account") {
		each(e.login, func(m []string) { a.addAccount(decodeQuery(m[1])) })
	}
	if has("tel:") {
		each(e.tel, func(m []string) { a.addPhone(m[1]); a.addPhone(m[2]) })
	}
	if has(`phone`, `number"`, `fax`, `mobile`, `lineuri`) {
		each(e.phone, func(m []string) { a.addPhone(strings.TrimPrefix(strings.ToLower(m[1]), "tel:")) })
	}
	if strings.Count(text, "-") >= 4 {
		each(e.guid, func(m []string) { a.addGUID(m[0]) })
	}
	if has("/applications/") {
		each(e.application, func(m []string) { a.addApplication(m[1]) })
	}
	if has("opaque=", ":id:") {
		each(e.opaque, func(m []string) { a.addConference(m[1][strings.LastIndexByte(m[1], ':')+1:]) })
		each(e.focus, func(m []string) { a.addConference(m[1]) })
	}
	if has("conference", "meetingid", `pin"`, "threadid") {
		each(e.conference, func(m []string) { a.addConference(m[1]) })
	}
	if has(`"`) {
		each(e.name, func(m []string) {
			name := unquote(m[2])
			a.addName(name)
			if member := strings.ToLower(m[1]); member == "name" || strings.HasSuffix(member, "displayname") {
				a.addSurname(name)
			}
		})
		a.inMessages(text)
		each(e.uri, func(m []string) {
			if value := unquote(m[1]); !strings.Contains(value, "@") && !strings.Contains(value, "/") && !strings.Contains(strings.ToLower(value), "tel:") {
				a.addMalformed("addresses", value)
			}
		})
		each(e.emails, func(m []string) {
			for _, item := range e.quoted.FindAllStringSubmatch(m[1]+m[2], -1) {
				if value := unquote(item[1]); !strings.Contains(value, "@") {
					a.addMalformed("addresses", value)
				}
			}
		})
	}
	if has("data:text/") {
		each(e.dataText, func(m []string) { a.addSaid(m[1], m[2], "") })
	}
	if has("/messag") {
		each(e.batched, func(m []string) { a.addSaid(m[1], m[2], m[3]) })
	}
	if has("</") {
		each(e.element, func(m []string) { a.addName(m[1]) })
		each(e.property, func(m []string) { a.addName(m[1]) })
	}
}

// inMessages collects what people wrote, but not what a server says of an error, which the reader of a recording needs.
func (a *Anonymizer) inMessages(text string) {
	for _, m := range expressions().message.FindAllStringSubmatchIndex(text, -1) {
		begin := strings.LastIndexByte(text[:m[0]], '{') + 1
		end := strings.IndexAny(text[m[1]:], "{}")
		if end < 0 {
			end = len(text) - m[1]
		}
		if around := text[begin : m[1]+end]; !strings.Contains(around, `"code"`) && !strings.Contains(around, `"subcode"`) {
			a.addName(unquote(text[m[2]:m[3]]))
		}
	}
}

// addSaid notes what people wrote to each other by what stands around it, so that "ok" is hidden there alone; and a sentence
// wherever it stands.
func (a *Anonymizer) addSaid(before, said, after string) {
	if isPseudonym(said) {
		return
	}
	plain := said
	if decoded, err := url.PathUnescape(said); err == nil {
		plain = decoded
	}
	if raw, err := base64.StdEncoding.DecodeString(plain); err == nil && strings.Contains(strings.ToLower(before), ";base64") {
		plain = string(raw)
	}
	plain = strings.TrimSpace(plain)
	stands := fixed(a.names.of("name", plain))
	if whole := before + said + after; len(folded(whole)) == len(whole) && len(folded(before)) == len(before) {
		a.put("names", whole, len(before), len(after), anything, stands)
	} else {
		a.put("names", said, 0, 0, anything, stands)
	}
	if strings.ContainsAny(plain, " \u00a0") && len(plain) >= shortestSentence {
		a.put("names", plain, 0, 0, anything, stands)
	}
}

// shortestSentence is the shortest text of a message that is looked for elsewhere, in bytes.
const shortestSentence = 10

// inBlob collects what the messages of NTLM say of the user, his machine and the server.
func (a *Anonymizer) inBlob(blob string) {
	at := strings.Index(blob, "NTLMSSP\x00")
	if at < 0 {
		a.inText(blob)
		return
	}
	blob = blob[at:]
	field := func(offset int) string {
		if len(blob) < offset+8 {
			return ""
		}
		length := int(binary.LittleEndian.Uint16([]byte(blob[offset:])))
		start := int(binary.LittleEndian.Uint32([]byte(blob[offset+4:])))
		if start < 0 || start > len(blob) || length > len(blob)-start {
			return ""
		}
		return fromUTF16(blob[start : start+length])
	}
	if len(blob) < 12 {
		return
	}
	switch blob[8] {
	case 2:
		a.addHost(field(12))
	case 3:
		a.addHost(field(28))
		a.addUser(field(36))
		a.addHost(field(44))
	}
}

func fromUTF16(s string) string {
	units := make([]uint16, 0, len(s)/2)
	for i := 0; i+1 < len(s); i += 2 {
		units = append(units, binary.LittleEndian.Uint16([]byte(s[i:])))
	}
	return string(utf16.Decode(units))
}
