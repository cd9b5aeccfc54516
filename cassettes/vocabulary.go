package cassettes

import (
	"net/http"
	"strings"
	"sync"
)

// ownWords notes the words of the protocol that the recording itself shows: the names of members.
func (a *Anonymizer) ownWords(_, text string) string {
	if strings.Contains(text, `":`) || strings.Contains(text, `" :`) {
		for _, m := range expressions().member.FindAllStringSubmatch(text, -1) {
			if len(a.members) < maxMembers {
				a.members[strings.ToLower(m[1])] = true
			}
		}
	}
	return text
}

const maxMembers = 10_000

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
sha256 identity chunked accept mozilla chrome safari ack low medium timeout
`
