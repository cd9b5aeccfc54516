package cassettes

import (
	"regexp"
	"sync"
)

// expressions are those that find identities. They are compiled when they are first needed: who only judges a recording
// of ours needs none.
var expressions = sync.OnceValue(func() (e struct {
	authority, dotted, inner, ip4, labelled, source, hostLine                                         *regexp.Regexp
	address, sip, login, account, profile                                                             *regexp.Regexp
	tel, phone, guid, application, opaque, focus, meeting, conference                                 *regexp.Regexp
	name, element, property, message, dataText, batched, uri, emails, quoted, jwt, headerLine, member *regexp.Regexp
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
	e.dataText = m(`(?i)(data:text/(?:plain|html)[ !#-+.-;=?-~-]*,)((?:[^"<>\\]|\\.)+)`)
	e.batched = m(`(?is)((?:^|\n)post[ \t]+\S*/messag\S*[ \t]+http/1\.\d\r?\n(?:[^\r\n]+\r?\n)*\r?\n)(.+?)(\r?\n--)`)
	e.uri = m(`(?i)"(?:uri|\w*sipuri|sipaddress|useruri|contacturi)"\s*:\s*"((?:[^"\\]|\\.)*)"`)
	e.emails = m(`(?i)"(?:emailaddresses|emailaddress|email|mail)"\s*:\s*(?:\[([^\[\]]*)\]|("(?:[^"\\]|\\.)*"))`)
	e.quoted = m(`"((?:[^"\\]|\\.)*)"`)
	e.jwt = m(`\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*`)
	e.headerLine = m(`(?im)^(?:(?:proxy-)?authorization:[ \t]*\w+[ \t]+([^\s,;]{4,})|(?:set-)?cookie:[ \t]*[^=\r\n]+=([^;\r\n]+))`)
	return e
})
