package prove

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// applications is where the reference server has its applications.
const applications = "/ucwa/oauth/v1/applications"

// signInServerFaults are what servers get wrong before there is an application that does not follow from a check on a field.
func signInServerFaults() []Fault {
	var list []Fault
	server := under("server", &list)
	on := func(roles ...string) []string { return roles }

	const create = "create-application."
	server(create+"1.status", "status", on("autodiscover"), // all roots have it: a client goes on to another
		edited("root-202", "the Autodiscover root is answered with 202", status(202)),
		edited("root-500", "the Autodiscover root fails", together(status(500), html)),
		edited("root-401", "the Autodiscover root wants a token", together(status(401), html)))
	offers := func(requirement, name, breaks string, lines ...string) {
		server(create+requirement, "header WWW-Authenticate", on("challenge"), edited(name, breaks, func(x *exchange) {
			if x.header.Del("WWW-Authenticate"); x.status == http.StatusUnauthorized {
				x.header["Www-Authenticate"] = lines
			}
		}))
	}
	const issuer, id = `MsRtcOAuth href="https://webdir.contoso.com/WebTicket/oauthtoken"`, `Bearer trusted_issuers="", client_id="00000004-0000-0ff1-ce00-000000000000"`
	offers("2.challenge", "user-challenge-missing", "the 401 has no challenge but Bearer", id)
	offers("2.challenge", "user-challenge-bare", "the challenge does not say where tokens are to be had", id, `MsRtcOAuth grant_type="password"`)
	offers("2.challenge", "user-challenge-http", "the challenge sends passwords over plain http", id, `MsRtcOAuth href="http://webdir.contoso.com/WebTicket/oauthtoken",grant_type="password"`)
	offers("2.grants", "user-grants-missing", "the challenge names no grant type", id, issuer)
	offers("2.grants", "user-grants-unknown", "the challenge names grant types of its own", id, issuer+`,grant_type="urn:microsoft.rtc:window,pasword"`)
	offers("2.bearer", "user-bearer-missing", "the 401 has no challenge but MsRtcOAuth", issuer+`,grant_type="password"`)
	offers("2.bearer", "user-bearer-bare", "the Bearer challenge says nothing", "Bearer", issuer+`,grant_type="password"`)
	server(create+"2.html", "header Content-Type", on("challenge"),
		edited("user-challenge-media", "the page of the 401 is served as JSON", field("Content-Type", jsonType)),
		edited("user-challenge-text", "the 401 has words that are neither a page nor an error of UCWA", together(body("Unauthorized"), field("Content-Type", "text/plain"))))
	redirects := func(href string) func(*exchange) {
		return put("_links", map[string]any{"self": map[string]any{"href": "user"}, "redirect": map[string]any{"href": href}})
	}
	server(create+"4.link.applications", "_links.redirect", on("user"),
		edited("user-redirect-empty", "the href of the redirect to the home pool is empty", redirects("")),
		edited("user-redirect-http", "the redirect to the home pool leads to plain http", redirects("http://lyncweb.contoso.com/root")))
	server(create+"5.status", "status", on("create"),
		edited("create-casing-400", "names of properties are taken in lower case alone", sending(`"EndpointId"`, content(400, `{"code":"BadRequest","subcode":"ParameterValidationFailure"}`))))
	server(create+"5.communication.put", "_embedded.communication", on("create"),
		edited("create-put-missing", "the communication of a new application lacks the property to pass in a PUT request", asObject(func(root map[string]any) {
			embedded, _ := root["_embedded"].(map[string]any)
			resource, _ := embedded["communication"].(map[string]any)
			for name, value := range resource {
				if value == "please pass this in a PUT request" {
					delete(resource, name)
				}
			}
		})))
	cookies(server, create+"5", "create", "create-")
	server(create+"5.again", "status", on("create-again"),
		edited("create-again-casing-400", "names of properties are taken as the page prints them alone", sending(`"endpointId"`, content(400, `{"code":"BadRequest","subcode":"ParameterValidationFailure"}`))),
		edited("create-again-409", "the same endpoint again is a conflict", content(409, `{"code":"Conflict"}`)))
	server(create+"5.again", "_links.self", on("create-again"),
		edited("create-again-another", "the same endpoint again gets another application", linkTo("_links.self", applications+"/99999999999")))
	server(create+"refusal.token-elsewhere", "status", on("create-elsewhere"), // which needs two hosts
		edited("create-elsewhere-201", "the pool takes the token of another host", content(201, `{"rel":"application"}`)),
		edited("create-elsewhere-404", "the pool answers 404 to the token of another host", content(404, `{"code":"NotFound"}`)))
	return list
}

// signInClientFaults are what clients get wrong before there is an application.
func signInClientFaults() []Fault {
	var list []Fault
	client := under("client", &list)
	on := func(parts ...string) []string { return parts }
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

	client("create-application.1.order", "request order", on("autodiscover"),
		asking("external-first", "the external address is asked before the internal one", more(func(r *http.Request) {
			u := *r.URL
			u.Host = strings.Replace(u.Host, "lyncdiscoverinternal.", "lyncdiscover.", 1)
			r.URL, r.Host = &u, u.Host
		})))
	client("create-application.1.no-token", "request header Authorization", on("autodiscover"),
		asking("root-token", "the root is asked with a token", sends("Authorization", "Bearer cwt=AAEB")))
	client("create-application.2.referer", "request header Referer", on("challenge"),
		asking("user-referer-first-host", "the user resource is asked from the frame of another host", sends("Referer", "https://lyncdiscover.contoso.com/xframe")),
		asking("user-referer-missing", "the user resource is asked without Referer", func(x *exchange) { x.request.Header.Del("Referer") }))
	client("create-application.3.endpoint", "request URL", on("token"),
		asking("token-endpoint-built", "a token is asked for at an address that no challenge named",
			more(posts("/WebTicket/WebTicketService.svc", url.Values{"grant_type": {"password"}, "username": {"dana"}, "password": {"REDACTED-0"}}))))
	client("create-application.3.form", "request method", on("token"),
		asking("token-put", "a token is asked for by PUT", more(func(r *http.Request) {
			posts(issuer, url.Values{"grant_type": {"password"}, "username": {"dana"}, "password": {"REDACTED-0"}})(r)
			r.Method = http.MethodPut
		})))
	client("create-application.3.form", "request header Content-Type", on("token"),
		asking("token-json", "a token request says that it is JSON", sends("Content-Type", jsonType)))
	client("create-application.3.grant", "request body.grant_type", on("token"),
		asking("grant-not-offered", "a grant is used that the challenge did not offer",
			more(posts(issuer, url.Values{"grant_type": {ucwa.GrantWindows}}))))
	client("create-application.3.fields", "request body.password", on("token"),
		asking("password-missing", "a token request has no password", form(func(v url.Values) { v.Del("password") })))
	client("create-application.3.fields", "request body.username", on("token"),
		asking("username-empty", "the user name in a token request is empty", form(func(v url.Values) { v.Set("username", "") })))
	client("create-application.3.query", "request URL.query", on("token"),
		asking("credentials-in-url", "the user name is in the URL of a token request", func(x *exchange) {
			u := *x.request.URL
			u.RawQuery = "username=dana"
			x.request.URL = &u
		}))
	client("create-application.4.token-host", "request URL", on("user"),
		asking("token-to-pool", "the token of one host is sent to another", more(func(r *http.Request) {
			u := *r.URL
			u.Host, u.Path = "lyncweb.contoso.com", applications
			r.URL, r.Host = &u, u.Host
		}), "set-presence.request.token-origin"))
	client("create-application.4.authorization", "request header Authorization", on("user"),
		asking("user-token-bare", "the user resource is asked with the token alone, without its scheme", more(func(r *http.Request) {
			r.Header.Set("Authorization", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		})))
	create := on("create")
	client("create-application.5.link", "request URL", create,
		asking("applications-built", "the application is asked for at a path that no link led to", more(func(r *http.Request) {
			const text = `{"userAgent":"conform","endpointId":"3fa85f64-5717-4562-b3fc-2c963f66afb9","culture":"en-US"}`
			toPath(r, "/ucwa/v1/applications")
			r.Header.Set("Content-Type", jsonType)
			r.Method, r.Body, r.ContentLength = http.MethodPost, newBody(text), int64(len(text))
		})))
	client("create-application.5.content-type", "request header Content-Type", create,
		asking("create-type-text", "the application is asked for in text/plain", sends("Content-Type", "text/plain")))
	says := func(text string) func(*exchange) { return func(x *exchange) { x.sent = []byte(text) } }
	client("create-application.5.body.json", "request body", create,
		asking("create-form", "the application is asked for by a form", says("userAgent=conform&culture=en-US")))
	client("create-application.5.body.userAgent", "request body.userAgent", create,
		asking("create-nameless", "the client does not tell its name", says(`{"endpointId":"3fa85f64-5717-4562-b3fc-2c963f66afb9","culture":"en-US"}`)),
		asking("create-name-long", "the name of the client has 101 characters", says(`{"userAgent":"`+strings.Repeat("n", 101)+`","endpointId":"3fa85f64-5717-4562-b3fc-2c963f66afb9","culture":"en-US"}`)))
	client("create-application.5.body.endpointId", "request body.endpointId", create,
		asking("create-endpoint-missing", "the client does not tell its endpoint", says(`{"userAgent":"conform","culture":"en-US"}`)),
		asking("create-endpoint-empty", "the endpoint is an empty string", says(`{"userAgent":"conform","endpointId":"","culture":"en-US"}`)),
		asking("create-endpoint-long", "the endpoint has 101 characters", says(`{"userAgent":"conform","endpointId":"`+strings.Repeat("e", 101)+`","culture":"en-US"}`)))
	client("create-application.5.body.culture", "request body.culture", create,
		asking("create-culture-underscore", "the culture has an underscore", says(`{"userAgent":"conform","endpointId":"3fa85f64-5717-4562-b3fc-2c963f66afb9","culture":"en_US"}`)))
	return list
}

// signInTask begins the ids of what can be seen only where somebody signs in.
const signInTask = "create-application."
