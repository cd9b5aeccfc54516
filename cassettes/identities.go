package cassettes

import (
	"encoding/base64"
	"encoding/binary"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"golang.org/x/net/publicsuffix"
)

// identityRules names what an [Anonymizer] replaces besides the secrets. A rule's name is the kind of what it finds.
var identityRules = []string{"addresses", "applications", "conferences", "hosts", "identifiers", "images", "names", "phones", "words"}

// expressions are those that find identities. They are compiled when they are first needed: who only judges a recording
// of ours needs none.
var expressions = sync.OnceValue(func() (e struct {
	authority, dotted, inner, ip4, labelled, source, hostLine                      *regexp.Regexp
	address, sip, login, account, profile                                          *regexp.Regexp
	tel, phone, guid, application, opaque, focus, meeting, conference              *regexp.Regexp
	name, element, property, message, uri, emails, quoted, jwt, headerLine, member *regexp.Regexp
}) {
	m := regexp.MustCompile
	e.authority = m(`(?i)[a-z][a-z0-9+.-]*://(?:[^/?#\s"'<>@]*@)?(\[[0-9a-f:.%]+\]|[\pL\pN_.*-]+)`)
	e.dotted = m(`(?i)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?)+`)
	e.inner = m(`[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.(?:local|lan|corp|internal|intranet|intra|home|priv|ad|localdomain)\b`)
	e.ip4 = m(`(?:^|[^\w./-])((?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3})(?:$|[^\w.]|\.(?:\s|$))`)
	e.labelled = m(`(?i)\b(?:server|machine|host|computer)(?:[ _-]?name)?\s*(?:[:=]|is\b)\s*(?:</?\w+>\s*)*["']?([a-z0-9][a-z0-9_.-]+)`)
	e.source = m(`(?i)\bsource\s*=\s*"([^"]*)"`)
	e.hostLine = m(`(?im)^(?:host|x-ms-server-fqdn|x-forwarded-host|x-forwarded-server):[ \t]*(\S+?)(?::\d+)?[ \t]*\r?$`)
	e.address = m(`([\pL\pN._+~!#$-]+)@(\[[0-9A-Fa-f:.]+\]|[\pL\pN](?:[\pL\pN_-]*[\pL\pN])?(?:\.[\pL\pN](?:[\pL\pN_-]*[\pL\pN])?)*)`)
	e.sip = m(`(?i)\bsips?:([^\s@;:?"'<>,\\&%/#]+)(@?)`)
	e.login = m(`(?i)(?:^|[?&\s"])(?:username|user_name|user|login|login_hint|loginhint|upn|account|sam_?account_?name|useralias)=([^&#\s"<>]+)`)
	e.account = m(`\b([A-Za-z][A-Za-z0-9-]{1,14})\\+([A-Za-z][\w.-]+)`)
	e.profile = m(`(?i)[a-z]:\\+users\\+([^\\"'<>\s]+)`)
	e.tel = m(`(?i)\btel:(\+?[0-9().-]*[0-9][0-9().-]*)(?:;(?:ext|phone-context)=(\+?[\w.-]+))?`)
	e.phone = m(`(?i)"\w*(?:phone|phonenumber|number|fax|mobile|lineuri)\w*"\s*:\s*"((?:tel:)?\+?[0-9][0-9 ().x/-]{4,})"`)
	e.guid = m(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	e.application = m(`(?i)/applications/([^/?#"'\s<>&;,%\\]+)`)
	e.opaque = m(`(?i);opaque=([^;"'\s&<>?,\\]+)`)
	e.focus = m(`(?i)\b(?:conf|meet)[\w:.-]*:id:([A-Za-z0-9-]+)`)
	e.meeting = m(`(?i)://(?:meet|join|dialin)[\w.-]*(?::\d+)?/(?:[\w.-]+/)*?([\w.-]+)/([A-Za-z0-9]{6,})\b`)
	e.conference = m(`(?i)"(?:\w*conference(?:id|key)|onlinemeetingid|meetingid|leaderpin|\w*pin|threadid)"\s*:\s*"([^"\\]+)"`)
	e.name = m(`(?i)"(name|\w*displayname|givenname|firstname|lastname|surname|title|jobtitle|department|company|companyname|office|officelocation|location|alias|subject|homeaddress|workaddress|streetaddress|city|attendeename|organizername|sendername|description|importancecontext|customactivity|nickname)"\s*:\s*"((?:[^"\\]|\\.)*)"`)
	e.member = m(`"([A-Za-z_][\w.-]*)"\s*:`)
	e.element = m(`(?i)<(?:[\w.-]+:)?(?:name|displayname|givenname|surname|title|department|company|office|location|alias|subject|note)(?:\s[^<>]*)?>([^<]+)</(?:[\w.-]+:)?(?:name|displayname|givenname|surname|department|company|office|location|alias|subject|note)\s*>`)
	e.property = m(`(?i)<property\s[^<>]*\bname\s*=\s*["'](?:name|displayname|givenname|surname|title|department|company|office|location|alias|subject|message|note)["'][^<>]*>([^<]+)`)
	e.message = m(`(?i)"(?:message|note|personalmessage)"\s*:\s*"((?:[^"\\]|\\.)*)"`)
	e.uri = m(`(?i)"(?:uri|\w*sipuri|sipaddress|useruri|contacturi)"\s*:\s*"((?:[^"\\]|\\.)*)"`)
	e.emails = m(`(?i)"(?:emailaddresses|emailaddress|email|mail)"\s*:\s*(?:\[([^\[\]]*)\]|("(?:[^"\\]|\\.)*"))`)
	e.quoted = m(`"((?:[^"\\]|\\.)*)"`)
	e.jwt = m(`\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*`)
	e.headerLine = m(`(?im)^(?:(?:proxy-)?authorization:[ \t]*\w+[ \t]+([^\s,;]{4,})|(?:set-)?cookie:[ \t]*[^=\r\n]+=([^;\r\n]+))`)
	return e
})

// collect notes every identity in a text, which may be the value of a field with that name.
func (a *Anonymizer) collect(field, text string) {
	if text == "" {
		return
	}
	if len(text) <= mostRemembered {
		key := field + "\x00" + text
		if a.collected[key] {
			return
		}
		a.collected[key] = true
	}
	a.inField(field, text)
	for _, v := range layers(text) {
		a.inText(v.text)
	}
	for _, chunk := range encodedChunks(text) {
		a.inBlob(chunk.plain)
	}
}

// mostRemembered bounds the texts that are remembered as done: short ones occur again and again.
const mostRemembered = 512

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
				user, password, _ := strings.Cut(string(raw), ":")
				a.addAccount(user)
				a.addSecret(password)
			}
		}
	case name == "www-authenticate" || name == "proxy-authenticate" || name == "authentication-info":
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
			if len(word) >= 16 && strings.Trim(word, base64Alphabet) == "" && !isPseudonym(word) {
				a.put("secrets", word, 0, 0, anything, a.fixed(a.names.of("blob", word)))
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
			if len(m[1]) > 1 && !known(m[1]) && !known(m[2]) {
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
	if has("authorization:", "cookie:") {
		each(e.headerLine, func(m []string) { a.addSecret(m[1]); a.addSecret(m[2]) })
	}
	if has("eyj") {
		each(e.jwt, func(m []string) { a.addSecret(m[0]) })
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
				a.put("addresses", "sip:"+m[1], 4, 0, wordEdge, a.fixed(a.names.of("user", folded(m[1]))))
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

func hostShape(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || !alphanumeric(label[0]) && label[0] != '_' || !alphanumeric(label[len(label)-1]) || strings.ContainsFunc(label, func(r rune) bool {
			return r < 0x80 && !alphanumeric(byte(r)) && r != '-' && r != '_'
		}) {
			return false
		}
	}
	return true
}

// public tells whether a dotted word is a name in the public DNS: only some words of programs end as those do.
func public(name string) bool {
	suffix, icann := publicsuffix.PublicSuffix(strings.ToLower(name))
	return icann && len(suffix) < len(name) && !programming[suffix]
}

// programming are suffixes of hosts that are as often those of files.
var programming = map[string]bool{"aspx": true, "py": true, "sh": true, "md": true, "rs": true, "zip": true, "mov": true, "js": true, "cs": true}

// common are the domains of documents and schemas, which are nobody's deployment.
var common = []string{"w3.org", "microsoft.com", "xmlsoap.org", "oasis-open.org", "ietf.org", "openxmlformats.org", "json-schema.org", "iana.org",
	"asp.net", "iis.net", "golang.org", "creativecommons.org", "mozilla.org", "google.com"}

func domainOf(host string) string {
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return domain
	}
	return host
}

// addHost notes a host: all of its domain is then the deployment's.
func (a *Anonymizer) addHost(host string) {
	host = strings.ToLower(strings.Trim(host, "*. "))
	if bare := strings.Trim(host, "[]"); net.ParseIP(bare) != nil {
		a.put("hosts", host, 0, 0, wordEdge, a.fixed(a.names.host(bare)))
		a.put("hosts", bare, 0, 0, wordEdge, a.fixed(a.names.host(bare)))
		return
	}
	if !hostShape(host) || isPseudonym(host) || decimal(host) {
		return
	}
	if !strings.Contains(host, ".") {
		replace := a.fixed(a.names.host(host))
		a.put("hosts", "//"+host, 2, 0, wordEdge, replace)
		a.put("hosts", "@"+host, 1, 0, wordEdge, replace)
		if len(host) >= 3 && !a.constant(host) {
			a.put("hosts", host, 0, 0, wordEdge, replace)
		} else {
			a.put("hosts", host, 0, 0, valueEdge, replace)
		}
		return
	}
	domain := domainOf(host)
	if slices.Contains(common, domain) && !a.own[domain] {
		return
	}
	a.put("hosts", domain, 0, 0, hostEdge, a.names.host)
	a.put("hosts", host, 0, 0, hostEdge, a.names.host) // also where the domain is none of its own
	first, _, _ := strings.Cut(host, ".")
	if host != domain && len(first) >= 4 && strings.ContainsAny(first, "0123456789-") {
		a.addWord("hosts", first, a.names.of("host", first))
	}
	if organisation, _, _ := strings.Cut(domain, "."); len(organisation) >= 4 {
		a.addWord("hosts", organisation, a.names.of("host", organisation))
	}
}

func (a *Anonymizer) addAddress(local, domain string) {
	if isPseudonym(domain) && isPseudonym(local) {
		return
	}
	if !isPseudonym(local) {
		replace := a.fixed(a.names.of("user", folded(local)))
		for _, d := range []string{domain, a.names.host(domain)} {
			a.put("addresses", local+"@"+d, 0, len(d)+1, wordEdge, replace)
		}
		a.addUser(local)
	}
	a.addHost(domain)
}

// addUser notes the name by which an account is known.
func (a *Anonymizer) addUser(user string) {
	if user = strings.Trim(user, ". "); user == "" || isPseudonym(user) || strings.HasPrefix(strings.ToLower(user), "redacted-") {
		return
	}
	a.addWord("addresses", user, a.names.of("user", folded(user)))
}

// addAccount takes user@domain, DOMAIN\user and a user alone.
func (a *Anonymizer) addAccount(account string) {
	for _, scheme := range []string{"sip:", "sips:"} { // which stays
		if len(account) > len(scheme) && strings.EqualFold(account[:len(scheme)], scheme) {
			account = account[len(scheme):]
		}
	}
	if domain, user, ok := strings.Cut(strings.ReplaceAll(account, "\\\\", "\\"), "\\"); ok {
		a.addHost(domain)
		a.addUser(user)
		return
	}
	if local, domain, ok := strings.Cut(account, "@"); ok {
		a.addAddress(local, domain)
		return
	}
	a.addUser(account)
}

// addSecret notes a secret that is one by its place in a message within a message.
func (a *Anonymizer) addSecret(secret string) {
	if secret = strings.TrimSpace(secret); len(secret) >= 4 && !isPseudonym(secret) {
		a.secrets.name(strings.TrimPrefix(secret, kind))
	}
}

func (a *Anonymizer) addPhone(number string) {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	if isNumber(digits) || digits == "" {
		return
	}
	replace := a.fixed(a.names.number("tel", digits, len(digits)))
	number = strings.TrimPrefix(number, "+")
	a.put("phones", "tel:"+number, 4, 0, wordEdge, replace)
	a.put("phones", "tel:+"+number, 5, 0, wordEdge, replace)
	a.put("phones", ";ext="+number, 5, 0, wordEdge, replace)
	if len(digits) >= 7 {
		a.put("phones", number, 0, 0, wordEdge, replace)
		a.put("phones", digits, 0, 0, wordEdge, replace)
	}
}

func (a *Anonymizer) addGUID(guid string) {
	guid = strings.ToLower(guid)
	// Zeros are nobody's, nor is what Microsoft gave to its own programs.
	if strings.HasPrefix(guid, "00000000-") || strings.HasPrefix(guid, "0000000") && strings.HasSuffix(guid, "-0000-0ff1-ce00-000000000000") {
		return
	}
	stands := a.names.guid(guid)
	a.put("identifiers", guid, 0, 0, hexEdge, a.fixed(stands))
	a.put("identifiers", strings.ReplaceAll(guid, "-", ""), 0, 0, hexEdge, a.fixed(strings.ReplaceAll(stands, "-", "")))
}

func (a *Anonymizer) addApplication(id string) {
	if isNumber(id) || isPseudonym(id) || strings.HasPrefix(id, "{") || strings.HasPrefix(id, "00000000-") {
		return
	}
	stands := a.names.of("app", id)
	if decimal(id) {
		stands = a.names.number("app", id, len(id))
	} else if expressions().guid.FindString(id) == id {
		return // an identifier already
	}
	a.put("applications", "applications/"+id, len("applications/"), 0, wordEdge, a.fixed(stands))
	if len(id) >= 8 && !a.constant(id) {
		a.put("applications", id, 0, 0, wordEdge, a.fixed(stands))
	}
}

func (a *Anonymizer) addConference(id string) {
	if isPseudonym(id) {
		return
	}
	stands := a.names.of("conf", folded(id))
	if decimal(id) {
		stands = a.names.number("conf", id, len(id))
	}
	a.put("conferences", ":id:"+id, 4, 0, wordEdge, a.fixed(stands))
	a.addWord("conferences", id, stands)
}

// addName notes what people call somebody or something.
func (a *Anonymizer) addName(name string) {
	name = strings.TrimSpace(name)
	if name == "" || isPseudonym(name) || strings.Contains(name, "://") {
		return
	}
	stands := a.names.of("name", folded(name))
	a.addWord("names", name, stands)
	if first, last, ok := strings.Cut(name, " "); ok && first != "" && last != "" && len(name) < 60 {
		for _, form := range []string{last + ", " + first, last + " " + first, first + "." + last} {
			a.addWord("names", form, stands)
		}
	}
}

// addSurname notes the last word of a person's name, by which others call him.
func (a *Anonymizer) addSurname(name string) {
	words := strings.Fields(name)
	if n := len(words); n >= 2 && n <= 4 && len(words[n-1]) >= 5 && strings.ToLower(words[n-1]) != words[n-1] {
		a.addWord("names", words[n-1], a.names.of("name", folded(name)))
	}
}

func (a *Anonymizer) addMalformed(kind, value string) {
	if value = strings.TrimSpace(value); value != "" && !isPseudonym(value) {
		a.addWord(kind, value, mask(value))
	}
}

// addWord notes what stands by itself: a short one only as a whole value.
func (a *Anonymizer) addWord(kind, word, stands string) {
	if a.constant(word) || isPseudonym(word) {
		return
	}
	edge := wordEdge
	if strings.Contains(word, " ") && len(word) >= 8 {
		edge = anything
	} else if len(word) < 4 || decimal(word) && len(word) < 7 {
		edge = valueEdge
	}
	for _, form := range []string{word, strings.ToLower(word), strings.ToUpper(word)} {
		a.put(kind, form, 0, 0, edge, a.fixed(stands))
	}
}

func (a *Anonymizer) fixed(stands string) func(string) string {
	return func(string) string { return stands }
}

func (a *Anonymizer) put(kind, text string, skip, tail int, edge edge, pseudonym func(string) string) {
	if strings.TrimSpace(text) != "" {
		a.index.add(&identity{kind, folded(text), skip, tail, edge, pseudonym})
	}
}

// ownHosts notes which domains are the deployment's, though they may be common ones.
func (a *Anonymizer) ownHosts(c *Cassette) {
	for _, x := range c.Exchanges {
		if u, err := url.Parse(x.Request.URL); err == nil && u.Hostname() != "" {
			a.own[domainOf(strings.ToLower(u.Hostname()))] = true
		}
	}
}

// ownWords notes the words of the protocol that the recording itself shows: the names of members.
func (a *Anonymizer) ownWords(_, text string) string {
	if strings.Contains(text, `":`) || strings.Contains(text, `" :`) {
		for _, m := range expressions().member.FindAllStringSubmatch(text, -1) {
			if len(a.members) < mostMembers {
				a.members[strings.ToLower(m[1])] = true
			}
		}
	}
	return text
}

const mostMembers = 10_000

// constant tells whether a text is a word of the protocol, which no person is known by.
func (a *Anonymizer) constant(text string) bool {
	return known(text) || a.members[strings.ToLower(text)]
}

func known(text string) bool { return constants()[strings.ToLower(strings.TrimSpace(text))] }

// constants are the values and paths of UCWA and HTTP. None of them is an identity, wherever it stands.
var constants = sync.OnceValue(func() map[string]bool {
	words := make(map[string]bool)
	for word := range strings.FieldsSeq(constantWords) {
		words[word] = true
	}
	for _, code := range []int{200, 201, 204, 302, 304, 400, 401, 403, 404, 405, 409, 410, 412, 415, 428, 429, 500, 501, 502, 503, 504} {
		words[strings.ToLower(http.StatusText(code))] = true
	}
	for _, phrase := range []string{"be right back", "do not disturb", "off work", "in a meeting", "in a call", "in a conference call", "out of office", "urgent interruptions only"} {
		words[phrase] = true
	}
	return words
})

const constantWords = `
conform conform.absent ucwatest reference documentation capture live
available away berightback busy busyidle donotdisturb idleonline offline offwork online onlineidle none null true false unknown
phoneaudio messaging audio video applicationsharing panoramicvideo conversation desktop mobile web tablet other
me people communication onlinemeetings application applications presence note location reportmyactivity makemeavailable events next resync resume
added updated deleted started completed success failure pending succeeded failed self user users xframe redirect link links sender rel href
ucwa oauth autodiscover autodiscoverservice webticket oauthtoken service root data v1 v2 api
policies batch photo photos phones callforwardingsettings contact contacts group groups conversations messaginginvitation
error errors code subcode message reason details conflict notfound badrequest forbidden unauthorized gone conflict serviceunavailable
get post put delete patch head options http https sip sips tel host server status url body form headers header method request response
proto trailer interactions version kind recordedat source task ledger repairs redaction rules failures failure duration uncompressed
application/json text/html text/plain application/xml json xml html utf-8 gzip deflate no-cache no-store private public keep-alive close
bearer basic negotiate ntlm digest microsoft windows office skype lync business personal public home work pool meet join dialin www
en-us en de-de fr-fr everyone default test example localdomain client name title user-agent ucwa samples date cookie path secure httponly
sha256 identity chunked accept mozilla chrome safari
`
