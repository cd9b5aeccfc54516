package prove

import (
	"regexp"
	"sync"
)

// reviewed are the mutants that nothing need catch, by their names, and why.
var reviewed = sync.OnceValue(func() []review {
	return []review{
		{regexp.MustCompile(`: \w+ header (Server|Vary|X-Content-Type-Options|Allow|Date|Expires|Pragma|X-Ms-Server-Fqdn)$`),
			"HTTP, IIS or a proxy writes it; of Date and X-MS-Server-Fqdn the document shows the form, in step 2"},
		{regexp.MustCompile(`: \w+ header Cache-Control$`), "the document shows it in the answers of steps 2, 4 and 6"},
		{regexp.MustCompile(`: drop header Content-Type$`), "recorders lose it; the document shows it in step 4"},
		{regexp.MustCompile(`^(no-token|bad-token|origin|anonymous|modality): garble header Content-Type$`), "on 401 and 403 an intermediary may answer, in HTML"},
		{regexp.MustCompile(`^application before: garble header Content-Type$`), "the media type is judged where the document shows it, in step 4"},
		{regexp.MustCompile(`^application( before)?: \w+ header Set-Cookie$`), "the cookie may be left out, and another may be sent"},
		{regexp.MustCompile(`^origin: garble header X-Ms-Diagnostics$`), "its text is for people"},
		{regexp.MustCompile(`^end: `), "how an application is deleted is in another document"},
		{regexp.MustCompile(`^application before: \w+ body (culture|userAgent|rel|etag|_links\.(policies|batch|events|reportMyNetwork)|_embedded\.(people|onlineMeetings|communication)|_embedded\.me\.(name|rel|uri|emailAddresses|etag|_links\.(self|phones|photo|callForwardingSettings)))\b`),
			"judged in step 4, where the document shows it"},
		{regexp.MustCompile(`^application: \w+ body (etag|_embedded\.(me\.etag|(communication|people|onlineMeetings)\.(_links|etag|supportedModalities|supportedMessageFormats|conversationHistory|[0-9a-f-]{36})))\b`),
			"the document abbreviates the resource to {...}, and has no etag"},
		{regexp.MustCompile(`^application: (drop|rename) body _embedded\.me\.(emailAddresses|_links\.(self|phones|photo|callForwardingSettings))$`), "may be left out"},
		{regexp.MustCompile(`^application: empty body _embedded\.me\.emailAddresses$`), "a user may have no address"},
		{regexp.MustCompile(`: \w+ body (message|parameters)\b`), "an optional member of an error, for people"},
		{regexp.MustCompile(`^(availability|not-json|note-type|note-not-json): \w+ body subcode$`), "an error may do without its subcode here"},
		{regexp.MustCompile(`^(modality|media-type|note-media-type|null-body|method-\w+): \w+ body subcode$`), "no subcode is documented for it"},
		{regexp.MustCompile(`^(anonymous|modality|origin): \w+ body code$`), "on 403 an intermediary may answer, without a code"},
		{regexp.MustCompile(`^(no-token|bad-token|origin|anonymous|modality): \w+ body$`), "on 401 and 403 an intermediary may answer, with any page or none"},
		{regexp.MustCompile(`^presence read: \w+ body (_links|activity|etag)\b`), "of the presence resource only rel and availability are named"},
		{regexp.MustCompile(`^note read: (\w+ body etag|(null|drop|rename) body type)$`), "no document has an etag of a note, and without a note it has no type"},
		{regexp.MustCompile(`^null-body: status 204 status$`), "null may be taken for an empty body"},
		{regexp.MustCompile(`^create: \w+ body _embedded\.people\._links\.\w+\.revision$`), "a link may tell a revision"},
		{regexp.MustCompile(`^events: double$`), "the same ack is answered the same again, and a client may begin anew"},
		{regexp.MustCompile(`^events: \w+ body rel$`), "no document gives an event package a rel"},
		{regexp.MustCompile(`^events: (null|empty|drop|rename) body sender$`), "nothing to tell: a time-out"},
		{regexp.MustCompile(`^events: (null|empty|drop|rename) body sender\.\d\.events$`), "a sender may have nothing to tell"},
		{regexp.MustCompile(`^makeMeAvailable: \w+ request body SupportedModalities$`), "no modality is required"},
		{regexp.MustCompile(`^presence: (null|drop|rename) request body availability$`), "a POST without an availability is a reset"},
		{regexp.MustCompile(`^note( reset)?: (null|empty|drop|rename) request body message$`), "a POST without a message is a reset"},
		{regexp.MustCompile(`^(application before|application|presence read|note read): double$`), "a client may read twice"},
		{regexp.MustCompile(`^(presence|reset|note|note reset): double$`), "a value may be set, or reset, to what it is"},
		{regexp.MustCompile(`^(` + asked + `): double$`), "what is refused once is refused again"},
		{regexp.MustCompile(`^(` + asked + `): swap$`), "neither of the two mistakes depends on the other"},
		{regexp.MustCompile(`^(application|presence read|note read|events): swap$`), "a GET on what the user sets and one on the event channel can come in any order"},
		{regexp.MustCompile(`^(presence|note): swap$`), "the event can be told before the POST is answered"},
		{regexp.MustCompile(`^(presence read|presence|note read|note|note-\w[a-z-]*|method-presence|events|availability|not-json|media-type|no-token|bad-token|origin|gone): drop$`), "there is another of its kind"},
		{regexp.MustCompile(`^(autodiscover|challenge|token|user|create): \w+ request header (Accept|Accept-Encoding|Accept-Language|Cache-Control|Content-Length|Host|User-Agent|X-Ms-Origin|X-Requested-With)$`),
			"judged on the requests to the application, where the document shows it"},
		{regexp.MustCompile(`^(autodiscover|token|create): \w+ request header Referer$`), "judged on the user resource and on the requests to the application"},
		{regexp.MustCompile(`^create: \w+ body (etag|_embedded\.(me\.(etag|emailAddresses|_links\.(phones|photo|callForwardingSettings))|(people|onlineMeetings)\.etag|communication\.(conversationHistory|_links\.(mediaPolicies|mediaRelayAccessToken|missedItems))))\b`),
			"judged where the application is read, or shown by no page"},
		{regexp.MustCompile(`^create: (drop|rename) body _embedded\.onlineMeetings\._links\.myAssignedOnlineMeeting$`), "may be left out"},
		{regexp.MustCompile(`^(application|create): \w+ body _links\.reportMyNetwork\b`), "no page shows it"},
		{regexp.MustCompile(`^create: rename body _embedded\.communication\.[0-9a-f-]{36}$`), "the property to pass in a PUT request may have any name"},
		{regexp.MustCompile(`^create-again: \w+ body (etag|rel|culture|userAgent|_embedded|_links\.(policies|batch|events|reportMyNetwork))\b`), "all that counts is which application it is"},
		{regexp.MustCompile(`^create(-again)?: \w+ header (Location|Set-Cookie|Content-Type)$`), "the self link tells where the application is; recorders lose the media type, and a cookie may be sent"},
		{regexp.MustCompile(`^create-(no-token|bad-token|elsewhere): \w+ (body|header)\b`), "on 401, 403 and 500 an intermediary may answer, with any page or none"},
		{regexp.MustCompile(`^challenge: ((cut|drop) body|status 302 status)$`), "a page for people, or none; and a user resource may redirect"},
		{regexp.MustCompile(`^token: \w+ body ms_rtc_identityscope$`), "may be left out"},
		{regexp.MustCompile(`^(autodiscover|challenge|token|user|create|create-[a-z-]+|grant-\w+): (double|swap)$`), "may be asked twice; and no mistake depends on another"},
		{regexp.MustCompile(`^user: status 302 status$`), "a user resource may redirect"},
		{regexp.MustCompile(`^application before: swap$`), "the application may be asked for before it is created again"},
		{regexp.MustCompile(`: drop request header (Accept-Language|Accept-Encoding|User-Agent|Cache-Control|Content-Length|Host)$`), "may be left out, or is framing"},
	}
})

// asked are the mistakes that a driver makes on purpose.
const asked = `(presence|note|location)-(get|post)-before|make-again|method-makeMeAvailable|method-presence|availability|not-json|media-type|note-type|note-not-json|note-media-type|null-body|` +
	`no-token|bad-token|origin|anonymous|modality|gone`

type review struct {
	name *regexp.Regexp
	why  string
}

// tolerated says why nothing need catch a mutant, "" if something must.
func (m mutant) tolerated() string {
	for _, r := range reviewed() {
		if r.name.MatchString(m.name()) {
			return r.why
		}
	}
	return ""
}
