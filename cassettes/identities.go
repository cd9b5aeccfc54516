package cassettes

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// identityRules names what an [Anonymizer] replaces besides the secrets. A rule's name is the kind of what it finds.
var identityRules = []string{"addresses", "applications", "conferences", "hosts", "identifiers", "images", "names", "phones", "words"}

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
		a.put("hosts", host, 0, 0, wordEdge, fixed(a.names.host(bare)))
		a.put("hosts", bare, 0, 0, wordEdge, fixed(a.names.host(bare)))
		return
	}
	if !hostShape(host) || isPseudonym(host) || decimal(host) {
		return
	}
	if !strings.Contains(host, ".") {
		replace := fixed(a.names.host(host))
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
		replace := fixed(a.names.of("user", folded(local)))
		for _, d := range []string{domain, a.names.host(domain)} {
			a.put("addresses", local+"@"+d, 0, len(folded(d))+1, wordEdge, replace)
		}
		a.addUser(local)
	}
	a.addHost(domain)
}

// addUser notes the name by which an account is known.
func (a *Anonymizer) addUser(user string) {
	if user = strings.Trim(user, ". "); user == "" || isPseudonym(user) || strings.HasPrefix(strings.ToLower(user), "redacted-") ||
		len(user) < 5 && decimal(user) { // which is a length, a port or a time elsewhere
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
	replace := fixed(a.names.number("tel", digits, len(digits)))
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
	if isPseudonym(guid) || strings.Trim(guid, "0-") == "" || strings.HasPrefix(guid, "0000000") && strings.HasSuffix(guid, "-0000-0ff1-ce00-000000000000") {
		return
	}
	stands := a.names.guid(guid)
	a.put("identifiers", guid, 0, 0, hexEdge, fixed(stands))
	a.put("identifiers", strings.ReplaceAll(guid, "-", ""), 0, 0, hexEdge, fixed(strings.ReplaceAll(stands, "-", "")))
}

func (a *Anonymizer) addApplication(id string) {
	if isNumber(id) || isPseudonym(id) || strings.HasPrefix(id, "{") {
		return
	}
	stands := a.names.of("app", id)
	if decimal(id) {
		stands = a.names.number("app", id, len(id))
	} else if expressions().guid.FindString(id) == id {
		return // an identifier already
	}
	a.put("applications", "applications/"+id, len("applications/"), 0, wordEdge, fixed(stands))
	if len(id) >= 8 && !a.constant(id) {
		a.put("applications", id, 0, 0, wordEdge, fixed(stands))
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
	a.put("conferences", ":id:"+id, 4, 0, wordEdge, fixed(stands))
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
		a.put(kind, form, 0, 0, edge, fixed(stands))
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
