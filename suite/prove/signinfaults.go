package prove

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// applications is where the reference server has its applications.
const applications = "/ucwa/oauth/v1/applications"

// signInServerFaults are what servers get wrong before there is an application.
func signInServerFaults() []Fault {
	var list []Fault
	server := under("server", "create-application", &list)
	on := func(parts ...string) []string { return parts }
	fault := func(name, breaks string, edit func(*exchange), also ...string) Fault {
		return Fault{Name: name, Breaks: breaks, edit: edit, Also: also}
	}

	discovery := on("autodiscover")
	server("1.status", "status", discovery,
		fault("root-202", "the Autodiscover root is answered with 202", status(202)),
		fault("root-500", "the Autodiscover root fails", together(status(500), html)),
		fault("root-401", "the Autodiscover root wants a token", together(status(401), html)))
	server("1.json", "header Content-Type", discovery,
		fault("root-media", "the root is served as text/plain", field("Content-Type", "text/plain")))
	server("1.json", "body", discovery,
		fault("root-html", "a page for people is at the Autodiscover root", html),
		fault("root-cut", "the body of the root is cut in the middle", func(x *exchange) { x.body = x.body[:len(x.body)/2] }))
	server("1.json", "_links", discovery,
		fault("root-links-list", "the links of the root are a list", set("_links", []any{}), "1.link.user", "1.link.self", "1.link.xframe"))
	server("1.link.user", "_links.user", discovery,
		fault("root-user-missing", "the root has no user link", without("_links.user")),
		fault("root-user-null", "the user link of the root is null", set("_links.user", nil)),
		fault("root-user-empty", "the href of the user link is empty", linkTo("_links.user", "")),
		fault("root-user-http", "the user link leads to plain http", linkTo("_links.user", "http://webdir.contoso.com/user")),
		fault("root-user-password", "the user link has user information", linkTo("_links.user", "https://webdir.contoso.com@elsewhere.example/user")))
	server("1.link.self", "_links.self", discovery,
		fault("root-self-missing", "the root has no self link", without("_links.self")),
		fault("root-self-empty", "the href of the root's self link is empty", linkTo("_links.self", "")),
		fault("root-self-http", "the self link of the root leads to plain http", linkTo("_links.self", "http://webdir.contoso.com/root")))
	server("1.link.xframe", "_links.xframe", discovery,
		fault("root-xframe-missing", "the root has no xframe link", without("_links.xframe")))

	challenge := on("challenge")
	server("2.status", "status", challenge,
		fault("user-403", "the user resource without a token is answered with 403", status(403)),
		fault("user-200", "the user resource without a token is answered with 200 and a page to sign in at", together(status(200), html)))
	offers := func(name, breaks string, lines ...string) Fault {
		return fault(name, breaks, func(x *exchange) {
			if x.header.Del("WWW-Authenticate"); x.status == http.StatusUnauthorized {
				x.header["Www-Authenticate"] = lines
			}
		})
	}
	const issuer, id = `MsRtcOAuth href="https://webdir.contoso.com/WebTicket/oauthtoken"`, `Bearer trusted_issuers="", client_id="00000004-0000-0ff1-ce00-000000000000"`
	server("2.challenge", "header WWW-Authenticate", challenge,
		offers("user-challenge-missing", "the 401 has no challenge but Bearer", id),
		offers("user-challenge-bare", "the challenge does not say where tokens are to be had", id, `MsRtcOAuth grant_type="password"`),
		offers("user-challenge-http", "the challenge sends passwords over plain http", id, `MsRtcOAuth href="http://webdir.contoso.com/WebTicket/oauthtoken",grant_type="password"`))
	server("2.grants", "header WWW-Authenticate", challenge,
		offers("user-grants-missing", "the challenge names no grant type", id, issuer),
		offers("user-grants-unknown", "the challenge names grant types of its own", id, issuer+`,grant_type="urn:microsoft.rtc:window,pasword"`))
	server("2.bearer", "header WWW-Authenticate", challenge,
		offers("user-bearer-missing", "the 401 has no challenge but MsRtcOAuth", issuer+`,grant_type="password"`),
		offers("user-bearer-bare", "the Bearer challenge says nothing", "Bearer", issuer+`,grant_type="password"`))
	server("2.html", "header Content-Type", challenge,
		fault("user-challenge-media", "the page of the 401 is served as JSON", field("Content-Type", jsonType)),
		fault("user-challenge-text", "the 401 has words that are neither a page nor an error of UCWA", together(body("Unauthorized"), field("Content-Type", "text/plain"))))

	token := on("token")
	server("3.status", "status", token,
		fault("token-201", "a token is answered with 201", status(201)),
		fault("token-500", "the token endpoint fails", together(status(500), html)))
	server("3.json", "header Content-Type", token,
		fault("token-media", "the token is served as text/html", field("Content-Type", "text/html")))
	server("3.json", "body", token,
		fault("token-text", "the token comes as bare text", together(body("cwt=AAEBAAAA"), field("Content-Type", "text/plain"))),
		fault("token-form", "the token comes as a form", body("access_token=cwt%3DAAEB&token_type=Bearer")),
		fault("token-html", "a page comes in place of the token", html))
	server("3.access_token", "access_token", token,
		fault("token-absent", "the answer has no token", without("access_token")),
		fault("token-null", "the token is null", set("access_token", nil)),
		fault("token-empty", "the token is empty", set("access_token", "")))
	server("3.token_type", "token_type", token,
		fault("token-type-missing", "the token has no type", without("token_type")),
		fault("token-type-mac", "the token is of another type", set("token_type", "MAC")))
	server("3.expires_in", "expires_in", token,
		fault("token-life-missing", "the token does not say how long it lives", without("expires_in")),
		fault("token-life-zero", "the token lives for no second", set("expires_in", 0)),
		fault("token-life-date", "the token has a date for a duration", set("expires_in", "2026-01-01T07:46:40Z")))
	server("3.cache", "header Cache-Control", token,
		fault("token-cache-missing", "the token may be stored", field("Cache-Control", "")),
		fault("token-cache-private", "the token may be stored by the client", field("Cache-Control", "private")))

	user := on("user")
	server("4.status", "status", user,
		fault("user-202", "the user resource is answered with 202", status(202)),
		fault("user-403-token", "the user resource is refused in spite of the token", together(status(403), html)))
	server("4.json", "body", user,
		fault("user-html", "a page for people is at the user resource", html))
	server("4.json", "_links", user,
		fault("user-links-null", "the links of the user resource are null", set("_links", nil), "4.link.self", "4.link.xframe", "4.link.applications"))
	server("4.link.applications", "_links.applications", user,
		fault("applications-missing", "the user resource has no applications link", without("_links.applications")),
		fault("applications-empty", "the href of the applications link is empty", linkTo("_links.applications", "")),
		fault("applications-http", "the applications link leads to plain http", linkTo("_links.applications", "http://lyncweb.contoso.com"+applications)))
	redirects := func(href string) func(*exchange) {
		return set("_links", map[string]any{"self": map[string]any{"href": "user"}, "redirect": map[string]any{"href": href}})
	}
	server("4.link.applications", "_links.redirect", user,
		fault("user-redirect-empty", "the href of the redirect to the home pool is empty", redirects("")),
		fault("user-redirect-http", "the redirect to the home pool leads to plain http", redirects("http://lyncweb.contoso.com/root")))
	server("4.link.self", "_links.self", user,
		fault("user-self-missing", "the user resource has no self link", without("_links.self")),
		fault("user-self-empty", "the href of the user resource's self link is empty", linkTo("_links.self", "")),
		fault("user-self-http", "the self link of the user resource leads to plain http", linkTo("_links.self", "http://webdir.contoso.com/user")))
	server("4.link.xframe", "_links.xframe", user,
		fault("user-xframe-missing", "the user resource has no xframe link", without("_links.xframe")))

	create := on("create")
	server("5.status", "status", create,
		fault("create-200", "a new application is answered with 200", status(200)),
		fault("create-202", "a new application is answered with 202", status(202)),
		fault("create-casing-400", "names of properties are taken in lower case alone", sending(`"EndpointId"`, content(400, `{"code":"BadRequest","subcode":"ParameterValidationFailure"}`))),
		fault("create-500", "the application is created, and 500 answered", together(status(500), html)))
	server("5.json", "body", create,
		fault("create-empty", "a new application is answered without content", body("")),
		fault("create-html", "a new application is answered with a page", html))
	server("5.json", "header Content-Type", create,
		fault("create-media", "a new application is served as text/html", field("Content-Type", "text/html")))
	server("5.rel", "rel", create,
		fault("create-rel-missing", "a new application has no rel", without("rel")),
		fault("create-rel-plural", "a new application calls itself applications", set("rel", "applications")))
	server("5.link.self", "_links.self", create,
		fault("create-self-missing", "a new application has no self link", without("_links.self")),
		fault("create-self-another-host", "the self link of a new application leads to another host", linkTo("_links.self", "https://frontend1.contoso.local/ucwa/oauth/v1/applications/101")))
	server("5.link.events", "_links.events", create,
		fault("create-events-missing", "a new application has no events link", without("_links.events")),
		fault("create-events-another-host", "the events link of a new application leads to another host", linkTo("_links.events", "https://frontend1.contoso.local/events?ack=1")))
	for _, rel := range []string{"policies", "batch"} {
		server("5.link."+rel, "_links."+rel, create,
			fault("create-"+rel+"-missing", "a new application has no "+rel+" link", without("_links."+rel)),
			fault("create-"+rel+"-another-host", "the "+rel+" link of a new application leads to another host", linkTo("_links."+rel, "https://frontend1.contoso.local/"+rel)))
	}
	server("5.link.events-ack", "_links.events", create,
		fault("create-events-no-ack", "the events link of a new application has no ack", func(x *exchange) { x.body = bytes.Replace(x.body, []byte("?ack=1"), nil, 1) }))
	for _, rel := range []string{"people", "onlineMeetings", "communication"} {
		at := "_embedded." + rel
		server("5.embedded."+rel, at, create,
			fault("create-"+rel+"-missing", "a new application does not embed "+rel, without(at)))
		server("5.embedded."+rel, at+".rel", create,
			fault("create-"+rel+"-rel", "a new application embeds a "+rel+" of another rel", set(at+".rel", "resource")))
		server("5.embedded."+rel, at+"._links.self", create,
			fault("create-"+rel+"-self", "a new application embeds a "+rel+" without a self link", without(at+"._links.self")))
	}
	for _, group := range []struct {
		rel, id string
		links   []string
	}{
		{"me", "self", []string{"self"}},
		{"people", "links", []string{"presenceSubscriptions", "subscribedContacts", "presenceSubscriptionMemberships", "myGroups", "myContacts", "search"}},
		{"people", "more", []string{"myGroupMemberships", "myPrivacyRelationships", "myContactsAndGroupsSubscription"}},
		{"onlineMeetings", "links", []string{"myOnlineMeetings", "onlineMeetingDefaultValues", "onlineMeetingEligibleValues", "onlineMeetingPolicies"}},
		{"onlineMeetings", "more", []string{"onlineMeetingInvitationCustomization", "phoneDialInInformation"}},
		{"communication", "links", []string{"conversations"}},
		{"communication", "start", []string{"startMessaging", "startOnlineMeeting", "joinOnlineMeeting"}},
	} {
		for _, link := range group.links {
			at := "_embedded." + group.rel + "._links." + link
			server("5."+group.rel+"."+group.id, at, create,
				fault("create-"+group.rel+"-"+link+"-missing", "the "+group.rel+" of a new application has no "+link+" link", without(at)))
		}
	}
	server("5.onlineMeetings.assigned", "_embedded.onlineMeetings._links.myAssignedOnlineMeeting", create,
		fault("create-assigned-another-host", "the assigned meeting of a new application is on another host", linkTo("_embedded.onlineMeetings._links.myAssignedOnlineMeeting", "https://frontend1.contoso.local/meeting")))
	const me, communication = "_embedded.me.", "_embedded.communication."
	server("5.me.rel", me+"rel", create, fault("create-me-rel", "the me of a new application calls itself user", set(me+"rel", "user")))
	server("5.me.name", me+"name", create, fault("create-me-nameless", "the me of a new application has an empty name", set(me+"name", "")))
	server("5.me.uri", me+"uri", create, fault("create-me-address", "the me of a new application has an address for a URI", set(me+"uri", "dana@contoso.com")))
	server("5.communication.modalities", communication+"supportedModalities", create,
		fault("create-modalities-null", "the supportedModalities of a new application are null", set(communication+"supportedModalities", nil)))
	server("5.communication.formats", communication+"supportedMessageFormats", create,
		fault("create-formats-none", "the supportedMessageFormats of a new application are an empty list", set(communication+"supportedMessageFormats", []any{})))
	server("5.communication.put", "_embedded.communication", create,
		fault("create-put-missing", "the communication of a new application lacks the property to pass in a PUT request", asObject(func(root map[string]any) {
			embedded, _ := root["_embedded"].(map[string]any)
			resource, _ := embedded["communication"].(map[string]any)
			for name, value := range resource {
				if value == "please pass this in a PUT request" {
					delete(resource, name)
				}
			}
		})))
	server("5.communication.etag", communication+"etag", create,
		fault("create-etag-missing", "the communication of a new application has no etag", without(communication+"etag")),
		fault("create-etag-quoted", "the etag of a new application's communication is quoted", set(communication+"etag", `"1"`)))
	cookie := func(id string, faults ...Fault) { server("5.cookie."+id, "header Set-Cookie", create, faults...) }
	cookie("secure", fault("create-cookie-insecure", "the cookie of a new application may go over plain http", fieldReplaced("Set-Cookie", "; secure", "")))
	cookie("httpOnly", fault("create-cookie-scripts", "scripts can read the cookie of a new application", fieldReplaced("Set-Cookie", "; HttpOnly", "")))
	cookie("path",
		fault("create-cookie-application", "the cookie of a new application is good for the whole application", fieldReplaced("Set-Cookie", "/photos", "")),
		fault("create-cookie-domain", "the cookie of a new application goes to every host of the domain", fieldReplaced("Set-Cookie", "; secure", "; domain=contoso.com; secure")))
	server("5.headers.cache", "header Cache-Control", create,
		fault("create-cacheable", "a new application may be cached", field("Cache-Control", "max-age=60")))
	server("5.embedded.me", "_embedded.me", create,
		fault("create-me-missing", "a new application does not embed me", without("_embedded.me"), "set-presence.1.link.present"),
		fault("create-me-list", "a new application embeds a list of me", set("_embedded.me", []any{}), "set-presence.1.link.present"))
	server("5.culture", "culture", create,
		fault("create-culture-other", "a new application has another culture than was asked for", set("culture", "de-DE")),
		fault("create-culture-missing", "a new application has no culture", without("culture")))
	server("5.userAgent", "userAgent", create,
		fault("create-userAgent-other", "a new application has the name of the HTTP client", set("userAgent", "Mozilla/5.0")),
		fault("create-userAgent-missing", "a new application has no userAgent", without("userAgent")))
	again := on("create-again")
	server("5.again", "status", again,
		fault("create-again-casing-400", "names of properties are taken as the page prints them alone", sending(`"endpointId"`, content(400, `{"code":"BadRequest","subcode":"ParameterValidationFailure"}`))),
		fault("create-again-409", "the same endpoint again is a conflict", content(409, `{"code":"Conflict"}`)))
	server("5.again", "_links.self", again,
		fault("create-again-another", "the same endpoint again gets another application", linkTo("_links.self", applications+"/99999999999")))

	end := on("end")
	server("6.status", "status", end,
		fault("end-200", "the DELETE is answered with 200", status(200)),
		fault("end-202", "the DELETE is answered with 202", status(202)))
	server("6.body", "header Content-Length", end,
		fault("end-204-body", "content follows the 204 to the DELETE", behind("{}")))

	for _, grant := range []struct{ part, code, wrong string }{
		{"grant-unsupported", "unsupported_grant_type", "invalid_request"},
		{"grant-missing", "invalid_request", "invalid_grant"},
		{"grant-invalid", "invalid_grant", "access_denied"},
	} {
		part := on(grant.part)
		server("refusal."+grant.part, "status", part,
			fault(grant.part+"-401", "a token request is refused with 401 ("+grant.part+")", status(401)))
		server("refusal."+grant.part, "error", part,
			fault(grant.part+"-error", "a token request is refused with "+grant.wrong+", where "+grant.code+" is due", set("error", grant.wrong)))
	}
	server("refusal.grant-invalid", "header Content-Type", on("grant-invalid"),
		fault("grant-invalid-media", "a refused token request is served as text/html", field("Content-Type", "text/html")))
	refused := on("grant-unsupported", "grant-missing", "grant-invalid")
	server("refusal.diagnostics", "header X-Ms-Diagnostics", refused,
		fault("grant-diagnostics-missing", "a refused token request does not say why", field("X-Ms-Diagnostics", "")),
		fault("grant-diagnostics-bare", "a refused token request says why by a number alone", field("X-Ms-Diagnostics", "28020")))
	server("refusal.no-token", "status", on("create-no-token"),
		fault("create-no-token-403", "applications without a token is answered with 403", status(403)))
	server("refusal.no-token", "header WWW-Authenticate", on("create-no-token"),
		fault("create-no-token-challenge", "the 401 to applications has no challenge", field("WWW-Authenticate", ""), "set-presence.refusal.challenge"))
	server("refusal.bad-token", "status", on("create-bad-token"),
		fault("create-bad-token-500", "applications fails at a token that nobody handed out", together(status(500), html)),
		fault("create-bad-token-201", "applications takes a token that nobody handed out", content(201, `{"rel":"application"}`)))
	server("refusal.token-elsewhere", "status", on("create-elsewhere"),
		fault("create-elsewhere-201", "the pool takes the token of another host", content(201, `{"rel":"application"}`)),
		fault("create-elsewhere-404", "the pool answers 404 to the token of another host", content(404, `{"code":"NotFound"}`)))
	return list
}

// signInClientFaults are what clients get wrong before there is an application.
func signInClientFaults() []Fault {
	var list []Fault
	client := under("client", "create-application", &list)
	on := func(parts ...string) []string { return parts }
	fault := func(name, breaks string, ask func(*exchange), also ...string) Fault {
		return Fault{Name: name, Breaks: breaks, ask: ask, Also: also}
	}
	sends := func(name, value string) func(*exchange) {
		return func(x *exchange) { x.request.Header.Set(name, value) }
	}
	// more sends another request before the one that is due.
	more := func(edit func(*http.Request)) func(*exchange) {
		return func(x *exchange) {
			if x.nth == 1 {
				x.again(edit)
			}
		}
	}
	form := func(edit func(url.Values)) func(*exchange) {
		return func(x *exchange) {
			if values, err := url.ParseQuery(string(x.sent)); err == nil {
				edit(values)
				x.sent = []byte(values.Encode())
			}
		}
	}
	const issuer = "/WebTicket/oauthtoken" // of the reference server
	posts := func(path string, values url.Values) func(*http.Request) {
		return func(r *http.Request) {
			toPath(r, path)
			r.Method, r.Body, r.ContentLength = http.MethodPost, newBody(values.Encode()), int64(len(values.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}

	client("1.order", "request order", on("autodiscover"),
		fault("external-first", "the external address is asked before the internal one", more(func(r *http.Request) {
			u := *r.URL
			u.Host = strings.Replace(u.Host, "lyncdiscoverinternal.", "lyncdiscover.", 1)
			r.URL, r.Host = &u, u.Host
		})))
	client("1.no-token", "request header Authorization", on("autodiscover"),
		fault("root-token", "the root is asked with a token", sends("Authorization", "Bearer cwt=AAEB")))
	client("2.referer", "request header Referer", on("challenge"),
		fault("user-referer-first-host", "the user resource is asked from the frame of another host", sends("Referer", "https://lyncdiscover.contoso.com/xframe")),
		fault("user-referer-missing", "the user resource is asked without Referer", func(x *exchange) { x.request.Header.Del("Referer") }))
	client("3.endpoint", "request URL", on("token"),
		fault("token-endpoint-built", "a token is asked for at an address that no challenge named",
			more(posts("/WebTicket/WebTicketService.svc", url.Values{"grant_type": {"password"}, "username": {"dana"}, "password": {"REDACTED-0"}}))))
	client("3.form", "request method", on("token"),
		fault("token-put", "a token is asked for by PUT", more(func(r *http.Request) {
			posts(issuer, url.Values{"grant_type": {"password"}, "username": {"dana"}, "password": {"REDACTED-0"}})(r)
			r.Method = http.MethodPut
		})))
	client("3.form", "request header Content-Type", on("token"),
		fault("token-json", "a token request says that it is JSON", sends("Content-Type", jsonType)))
	client("3.grant", "request body.grant_type", on("token"),
		fault("grant-not-offered", "a grant is used that the challenge did not offer",
			more(posts(issuer, url.Values{"grant_type": {ucwa.GrantWindows}}))))
	client("3.fields", "request body.password", on("token"),
		fault("password-missing", "a token request has no password", form(func(v url.Values) { v.Del("password") })))
	client("3.fields", "request body.username", on("token"),
		fault("username-empty", "the user name in a token request is empty", form(func(v url.Values) { v.Set("username", "") })))
	client("3.query", "request URL.query", on("token"),
		fault("credentials-in-url", "the user name stands in the URL of a token request", func(x *exchange) {
			u := *x.request.URL
			u.RawQuery = "username=dana"
			x.request.URL = &u
		}))
	client("4.token-host", "request URL", on("user"),
		fault("token-to-pool", "the token of one host is sent to another", more(func(r *http.Request) {
			u := *r.URL
			u.Host, u.Path = "lyncweb.contoso.com", applications
			r.URL, r.Host = &u, u.Host
		}), "set-presence.request.token-origin"))
	client("4.authorization", "request header Authorization", on("user"),
		fault("user-token-bare", "the user resource is asked with the token alone, without its scheme", more(func(r *http.Request) {
			r.Header.Set("Authorization", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		})))
	create := on("create")
	client("5.link", "request URL", create,
		fault("applications-built", "the application is asked for at a path that no link led to", more(func(r *http.Request) {
			const text = `{"userAgent":"conform","endpointId":"3fa85f64-5717-4562-b3fc-2c963f66afb9","culture":"en-US"}`
			toPath(r, "/ucwa/v1/applications")
			r.Header.Set("Content-Type", jsonType)
			r.Method, r.Body, r.ContentLength = http.MethodPost, newBody(text), int64(len(text))
		})))
	client("5.content-type", "request header Content-Type", create,
		fault("create-type-text", "the application is asked for in text/plain", sends("Content-Type", "text/plain")))
	says := func(text string) func(*exchange) { return func(x *exchange) { x.sent = []byte(text) } }
	client("5.body.json", "request body", create,
		fault("create-form", "the application is asked for by a form", says("userAgent=conform&culture=en-US")))
	client("5.body.userAgent", "request body.userAgent", create,
		fault("create-nameless", "the client does not tell its name", says(`{"endpointId":"3fa85f64-5717-4562-b3fc-2c963f66afb9","culture":"en-US"}`)),
		fault("create-name-long", "the name of the client has 101 characters", says(`{"userAgent":"`+strings.Repeat("n", 101)+`","endpointId":"3fa85f64-5717-4562-b3fc-2c963f66afb9","culture":"en-US"}`)))
	client("5.body.endpointId", "request body.endpointId", create,
		fault("create-endpoint-missing", "the client does not tell its endpoint", says(`{"userAgent":"conform","culture":"en-US"}`)),
		fault("create-endpoint-empty", "the endpoint is an empty string", says(`{"userAgent":"conform","endpointId":"","culture":"en-US"}`)),
		fault("create-endpoint-long", "the endpoint has 101 characters", says(`{"userAgent":"conform","endpointId":"`+strings.Repeat("e", 101)+`","culture":"en-US"}`)))
	client("5.body.culture", "request body.culture", create,
		fault("create-culture-underscore", "the culture has an underscore", says(`{"userAgent":"conform","endpointId":"3fa85f64-5717-4562-b3fc-2c963f66afb9","culture":"en_US"}`)))
	return list
}
