package mask

// To keep a header field, add it to headersOf under the form of its value; a new form needs a constant and a case in header.go. Its words go
// into headerWords. To type a member or a parameter, add it to membersOf; to keep its name alone, to membersBeside. A value or a relation
// goes into wordsBeside, a segment of a path into pathWords, a sentence of X-Ms-diagnostics into reasons, a word of our own errors into
// failureWords. Then raise Version. A name that marks a credential is known by its end: kindOf in vocabulary.go.

// The table: what stays in a message of UCWA 2.0 besides the names and values of the API reference (package api). Whatever stands
// neither there nor here is replaced. Names and values come from Microsoft's documentation of UCWA 2.0 (CC BY 4.0), from HTTP, and
// from what servers and proxies put into header fields.

// kind is what the values of a member, a parameter or a header field are.
type kind uint8

const (
	free    kind = iota // text: only a word of the protocol stays
	number              // at most 7 digits
	date                // of JSON, ISO 8601 or HTTP
	span                // a duration
	culture             // a language, with a script and a region
	link                // a URL or a reference to one
	host                // with or without a port
	account             // of a user: SIP or e-mail address, DOMAIN\user
	phone
	name
	id
	agent  // User-Agent and userAgent
	token  // equal ones stay equal
	secret // a password: all become the same
)

// credential tells whether the values are secret.
func (k kind) credential() bool { return k == token || k == secret }

// membersOf are the members of JSON and of forms, and the parameters of queries, that are more than text, besides those that the API
// reference says to be numbers, dates or URIs.
var membersOf = map[kind]string{
	number:  "ack duration expires_in limit low medium priority revision ringDelay timeout",
	date:    "expirationTime expires",
	culture: "culture languages",
	link:    "error_uri href joinUrl ms_rtc_passiveauthuri onlineFeedbackUrl resource sendFeedbackUrl",
	host:    "host ip ipv4 ipv6 originalDomain",
	account: "attendees contactUri contactUris delegator emailAddresses leaders legacyOnlineMeetingUri " +
		"ms_rtc_conferenceuri onlineMeetingUri organizerUri sipUri sipuser smtpAddress to uri uris username",
	phone: "emergencyDialMask emergencyDialString emergencyNumbers number phoneNumber target tollFreeNumbers " +
		"tollNumber",
	name: "anonymousDisplayName company department displayName name organizerName title",
	id: "applicationSharingSourceId audioBypassId audioSourceId bandwidthControlId chassisID client_id " +
		"conferenceId endpointId etag groupId id instanceId mac mediaEndpoint msAcceptedContentId onlineMeetingId " +
		"operationId panoramicVideoSourceId portID remoteEndpoint result rssi sessionContext subnetID threadId " +
		"videoSourceId wapBSSID",
	agent:  "userAgent",
	token:  "access_token refresh_token",
	secret: "participantPassCode password",
}

// membersBeside are names of members that the API reference does not list: those of links, events, errors and tokens.
const membersBeside = `
	_embedded _links access_token ack client_id debugInfo error error_codes error_description error_uri etag expires
	expires_in grant_type href in link message ms_rtc_conferenceuri ms_rtc_identityscope ms_rtc_passiveauthuri
	ms_rtc_renew originalDomain parameters refresh_token rel resource revision scope sender sipuser templated token_type
	username value
`

// wordsBeside are values and relations that it does not list.
const wordsBeside = `
	Available Bearer Desktop Failure Presenting Success Tablet access_denied failure false full insufficient_scope
	invalid_client invalid_grant invalid_request invalid_scope invalid_token link next oauthtoken resync self server_error
	success temporarily_unavailable text/html text/plain true unauthorized_client unsupported_grant_type
	urn:microsoft.rtc:anonmeeting urn:microsoft.rtc:conform urn:microsoft.rtc:passive urn:microsoft.rtc:windows
`

// phrases are values that are several words.
var phrases = []string{"Be Right Back", "Do Not Disturb", "In a call", "In a conference call", "In a meeting", "Off Work", "Out of Office", "Urgent interruptions only", "please pass this in a PUT request"}

// own are the texts that the driver of this suite sets.
var own = []string{"conform", "conform sets this note", "conform sets this note in the query",
	"conform sets 'quotes', <b>tags</b> & signs, café, 会議\nand a second line"}

// ownNumber is what the driver sends where a text belongs.
const ownNumber = "42"

// pathWords are words of the paths of UCWA, Autodiscover and the web ticket service.
const pathWords = `
	ucwa oauth v1 v2 autodiscover autodiscoverservice svc root user domain webticket webticketservice oauthtoken xframe
	html reach applications anonapplications sip data policies photos
`

// hostLabels are labels that say what a host is for.
const hostLabels = `
	lyncdiscover lyncdiscoverinternal localhost
`

// sipWords are the names and values of the parameters of SIP URIs.
const sipWords = `
	gruu opaque app conf focus id user phone transport tls tcp ext
`

// probeWords are words of the marks of requests that the driver means to be refused, besides those of names.
const probeWords = `
	 again anonymous availability bad before body create elsewhere end get gone grant invalid issuer json location make makemeavailable media method missing modality no not note null origin own post presence restore setup stray token type unsupported
`

// languages, scripts and regions are what a culture consists of.
const languages = `
	ar bg ca cs da de el en es et eu fa fi fr gl he hi hr hu id is it ja kk ko lt lv ms nb nl nn no pl pt ro ru sk sl sr
	sv th tr uk vi zh
`

// scripts: see languages.
const scripts = `
	Hans Hant Latn Cyrl
`

// regions: see languages.
const regions = `
	AE AR AT AU BE BG BR CA CH CL CN CO CZ DE DK EE EG ES FI FR GB GR HK HR HU ID IE IL IN IS IT JP KR KZ LT LU LV MX MY
	NL NO NZ PE PH PL PT RO RS RU SA SE SG SI SK TH TR TW UA US VN ZA
`

// headerWords are words of header fields, challenges and media types.
const headerWords = `
	http msgtype request response
	brave burp charles chrome edge fiddler firefox har httptoolkit insomnia mitmproxy mozilla playwright postman proxyman
	puppeteer safari selenium webinspector wireshark
	accept accept-encoding accept-language adma android apache apng application asp asp.net audio authorization avif b3
	batching block boundary br brand cache-control charset chromium chunked close cn com compress conform connect content-encoding
	encoding content-length content-type cookie cors cp cross-site css cur date deflate delete deny document empty en en-us
	us es etag false font form-data fr gb get gif gzip head host html idc identity if-match if-none-match iframe image
	immutable includesubdomains ios iso iso-8859-1 it ja javascript jp jpeg json jxl keep-alive ko level linux location
	macos max max-age microsoft microsoft-httpapi microsoft-iis mixed mode multipart must-revalidate navigate net nginx nl
	no-cache no-cors no-referrer no-store no-transform none nosniff not octet-stream options origin origin-when-cross-origin
	origin patch pl plain png post preload private proxy-revalidate pt public put q related rtcext rtcint ru s-maxage
	same-origin same-site sameorigin sdp server session-based-authentication sha256 signed-exchange squid strict-origin
	strict-origin-when-cross-origin sv svg text timeout trace trailers true type ucwa ucwatest unsafe-url us us-ascii
	user-agent utf utf-16 utf-8 utf8 version video vnd vnd.microsoft.com.ucwa webp websocket windows x-ms-origin
	x-requested-with x-www-form-urlencoded xhtml xml xmlhttprequest zh zstd our bus a
`

// numeric are the parameters of header fields whose value is a number.
const numeric = `
	max-age s-maxage q timeout max level v version charset
`

// challengeWords are schemes and names of the parameters of challenges.
const challengeWords = `
	Bearer Basic Digest Negotiate NTLM Kerberos MsRtcOAuth WebTicket cwt href grant_type trusted_issuers client_id
	authorization_uri realm error error_description scope resource charset ms_rtc_anonmeeting
`

// cookieWords are names and attributes of cookies.
const cookieWords = `
	cwt_ucwa path domain expires max-age secure httponly samesite lax strict none version
`

// methods are those of HTTP.
const methods = `
	GET HEAD POST PUT DELETE PATCH OPTIONS CONNECT TRACE
`

// reasons are sentences of X-Ms-diagnostics.
var reasons = []string{
	"No valid security token.",
	"Authentication type not allowed.",
	"The web ticket is invalid.",
	"The web ticket has expired.",
	"The OAuth token is invalid.",
	"The OAuth token has expired.",
	"The ticket presented could not be verified, a new ticket is required.",
	"Invalid Audience in the web ticket.",
	"No user principal name is found in JWT security token.",
	"Service does not allow a cross domain request from this origin.",
	"The grant type is not supported.",
	"The request is malformed.",
}

// failureWords are words of the errors of net, net/http, crypto/tls and of this suite. What else stands in the text of a failure is not kept.
const failureWords = `
	net x a accept access actively address alert an and another answer answered application are as at authenticate
	authentication authority bad be because been before body broken buffer by bytes canceled cannot certificate chain
	chunk chunked client client's close closed code common compressed conform connect connection content context copy
	could created current data deadline delete dial different dns document does domain encoding ended eof error errors
	example exceeded excessive expected expired failed field file first flate for forcibly format found from gateway gave
	get given gzip handshake handshake's has header host host's hosts http https i idle in incompatible incorrect internal
	internal_error invalid io ip is it its key later leads left legacy length like line local location longer look looked
	looks lookup made malformed many matching message method mime misbehaving missing more most name names network no not
	nothing number o of ok on one only open or other out outside overflow packet parse peer pipe port post prematurely
	protocol proxy proxyconnect put read reading record recorded refused relies remote request required reset resolve
	response right route san sans sent server server's service short signed size socks statement status stream string such
	system take tcp temporary that that's the them there this time timeout times tls to token too transfer transport trust
	type udp unable unavailable unexpected unknown unreachable unsupported url user using valid validate value verify
	version waiting was which while with without write written wrong x509 yet your
`

// guids are Microsoft's own, and the one that is zero.
const guids = `
	00000000-0000-0000-0000-000000000000 00000004-0000-0ff1-ce00-000000000000
`

// headersOf are the header fields whose form is known.
var headersOf = map[form]string{
	media: "Content-Type Accept",
	listed: "Accept-Encoding Accept-Language Content-Encoding Content-Language Transfer-Encoding Te Vary " +
		"Cache-Control Pragma Connection Keep-Alive Proxy-Connection Upgrade Allow Server X-Powered-By " +
		"X-Aspnet-Version X-Content-Type-Options X-Frame-Options X-Xss-Protection X-Requested-With Dnt " +
		"Upgrade-Insecure-Requests Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-Ch-Ua " +
		"Sec-Ch-Ua-Mobile Sec-Ch-Ua-Platform Referrer-Policy Strict-Transport-Security " +
		"Access-Control-Allow-Methods Access-Control-Allow-Headers Access-Control-Expose-Headers " +
		"Access-Control-Allow-Credentials Access-Control-Max-Age Access-Control-Request-Method " +
		"Access-Control-Request-Headers Accept-Ranges Persistent-Auth Proxy-Support X-Ms-Ucwaversion " +
		"X-Ms-Requiresminresourceversion Warning P3p Expect Trailer Priority",
	length:      "Content-Length Age Retry-After",
	httpDate:    "Date Expires Last-Modified If-Modified-Since If-Unmodified-Since",
	tag:         "Etag If-Match If-None-Match X-Ms-Correlation-Id X-Ms-Request-Id Client-Request-Id Request-Id",
	address:     "Location Content-Location Referer Origin X-Ms-Origin Access-Control-Allow-Origin",
	server:      "Host X-Ms-Server-Fqdn X-Ms-Namespace",
	credentials: "Authorization",
	challenge:   "Www-Authenticate Proxy-Authenticate",
	cookie:      "Cookie",
	setCookie:   "Set-Cookie",
	program:     "User-Agent",
	diagnostics: "X-Ms-Diagnostics",
	via:         "Via",
}
