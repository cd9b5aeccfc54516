package prove

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// clientFaults are what clients get wrong.
func clientFaults() []Fault {
	var list []Fault
	client := under("client", &list)
	on := func(parts ...string) []string { return parts }

	client("set-presence.nav.links", "request URL", on("presence"),
		asking("path-built", "the path of presence is built, where another was served", func(x *exchange) {
			u := *x.request.URL
			u.Path = strings.Replace(u.Path, "/me/", "/communication/", 1)
			x.request.URL = &u
		}))
	client("set-presence.nav.links", "request URL", on("application"),
		asking("path-guessed", "a resource is asked that no link leads to", func(x *exchange) {
			x.again(func(r *http.Request) { toPath(r, r.URL.Path+"/contacts") })
		}),
		asking("path-outside", "a resource outside the application is asked with its token", func(x *exchange) {
			x.again(func(r *http.Request) { toPath(r, "/ucwa/oauth/v1/users/dana") })
		}))
	client("set-presence.nav.order", "request order", on("makeMeAvailable"),
		asking("presence-first", "presence is set before makeMeAvailable", func(x *exchange) {
			x.again(func(r *http.Request) {
				toPath(r, strings.Replace(r.URL.Path, "makeMeAvailable", "presence", 1))
				presenceBody(r, `{"availability":"Online"}`)
				r.ContentLength = 25
			})
		}, "set-presence.nav.links"))
	header := func(requirement, name string, on []string, faults ...Fault) {
		client("set-presence.request."+requirement, "request header "+name, on, faults...)
	}
	sends := func(name, value string) func(*exchange) {
		return func(x *exchange) {
			if x.request.Header.Del(name); value != "" {
				x.request.Header.Set(name, value)
			}
		}
	}
	header("authorization", "Authorization", on("presence read"),
		asking("token-missing", "a request has no token", sends("Authorization", "")),
		asking("token-basic", "a request has a password instead of a token", sends("Authorization", "Basic ZGFuYTpzZWNyZXQ=")),
		asking("token-bare", "a request has the token without its scheme", func(x *exchange) {
			sends("Authorization", strings.TrimPrefix(x.request.Header.Get("Authorization"), "Bearer "))(x)
		}),
		asking("token-prefix", "a request has the token without its cwt=", func(x *exchange) {
			sends("Authorization", strings.Replace(x.request.Header.Get("Authorization"), "cwt=", "", 1))(x)
		}))
	client("set-presence.request.token-origin", "request URL", on("application"),
		asking("token-to-another-host", "the token goes to another host", func(x *exchange) {
			x.again(func(r *http.Request) { r.URL.Host, r.Host = "elsewhere.example", "elsewhere.example" })
		}, "set-presence.nav.links", "set-presence.request.referer"))
	header("content-type", "Content-Type", on("makeMeAvailable", "presence"),
		asking("type-missing", "a body has no media type", sends("Content-Type", "")),
		asking("type-form", "a body of JSON is called a form", sends("Content-Type", "application/x-www-form-urlencoded")),
		asking("type-text", "a body of JSON is called text", sends("Content-Type", "text/plain")),
		asking("type-charset", "a body in UTF-8 is said to be in UTF-16", sends("Content-Type", "application/json; charset=utf-16")))
	header("host", "Host", nil,
		asking("host-other", "the Host field names another host", func(x *exchange) { x.request.Host = "contoso.com" }))
	header("accept", "Accept", nil,
		asking("accept-html", "only pages are asked for", sends("Accept", "text/html")),
		asking("accept-unwanted", "JSON is listed as what is not wanted", sends("Accept", "text/html, application/json;q=0")),
		asking("accept-missing", "no media type is asked for", sends("Accept", "")))
	header("x-ms-origin", "X-Ms-Origin", on("presence", "application"),
		asking("origin-missing", "some requests do not say which page speaks", sends("X-Ms-Origin", "")),
		asking("origin-page", "X-Ms-Origin is a page, not an origin", sends("X-Ms-Origin", "http://app.contoso.com/page")))
	header("x-requested-with", "X-Requested-With", nil,
		asking("requested-with-missing", "X-Requested-With is not sent", sends("X-Requested-With", "")),
		asking("requested-with-other", "X-Requested-With is another library", sends("X-Requested-With", "fetch")))
	header("referer", "Referer", on("presence", "application"), // that it is a browser, the others tell
		asking("referer-missing", "Referer is not sent", sends("Referer", "")),
		asking("referer-page", "Referer is the page, not the frame", sends("Referer", "http://app.contoso.com/")),
		asking("referer-another-host", "Referer is the frame of another host", sends("Referer", "https://elsewhere.example/Autodiscover/XFrame/XFrame.html")))
	header("accept-language", "Accept-Language", nil, asking("language-underscore", "a language is written with an underscore", sends("Accept-Language", "en_US")))
	header("accept-encoding", "Accept-Encoding", nil, asking("encoding-space", "content codings stand without commas", sends("Accept-Encoding", "gzip deflate")))
	header("user-agent", "User-Agent", nil, asking("user-agent-comment", "User-Agent is a comment only", sends("User-Agent", "(nobody)")))
	header("connection", "Connection", nil, asking("connection-space", "Connection holds no list of tokens", sends("Connection", "keep alive")))
	header("cache-control", "Cache-Control", on("presence"), asking("cache-control-quoted", "a directive is quoted", sends("Cache-Control", `"no-cache"`)))
	header("dnt", "DNT", nil, asking("dnt-null", "DNT is null", sends("DNT", "null")))

	sent := func(text string) func(*exchange) { return func(x *exchange) { x.sent = []byte(text) } }
	client("set-presence.1.body.json", "request body", on("makeMeAvailable"),
		asking("make-form", "the body of makeMeAvailable is a form", sent("supportedModalities=Messaging")),
		asking("make-list", "the body of makeMeAvailable is a list", sent(`["Messaging"]`)),
		asking("make-twice", "a property of makeMeAvailable stands twice, in different casing", sent(`{"supportedModalities":["Messaging"],"SupportedModalities":["Messaging"]}`)),
		asking("make-empty", "makeMeAvailable has no body", sent("")))
	client("set-presence.1.body.modalities", "request body.supportedModalities.0", on("makeMeAvailable"),
		asking("modality-unknown", "a modality is asked for that there is not", sent(`{"supportedModalities":["Message"]}`)),
		asking("modality-case", "a modality is written in lower case", sent(`{"supportedModalities":["messaging"]}`)))
	client("set-presence.1.body.modalities", "request body.supportedModalities", on("makeMeAvailable"),
		asking("modality-text", "one modality stands without its list", sent(`{"supportedModalities":"Messaging"}`)))
	client("set-presence.3.request.body", "request body", on("application"),
		asking("get-body", "the GET on the application has a body", sent("{}"), "set-presence.request.content-type"))
	client("set-presence.3.request.content-type", "request header Content-Type", on("application"),
		asking("get-content-type", "the GET on the application has a Content-Type", sends("Content-Type", "application/json")))
	client("set-presence.3.request.body", "request body", on("presence read"),
		asking("read-body", "a GET on presence has a body", sent("{}"), "set-presence.request.content-type"))
	client("set-presence.3.request.content-type", "request header Content-Type", on("presence read"),
		asking("read-content-type", "a GET on presence has a Content-Type", sends("Content-Type", "application/json")))
	client("set-presence.5.body.json", "request body", on("presence"),
		asking("presence-text", "the availability stands alone in the body", sent("Online")),
		asking("presence-cut", "the body of presence is cut", sent(`{"availability":`)),
		asking("presence-blank", "a reset has a body of white space", sent(" ")),
		asking("presence-twice", "the availability stands twice, in different casing", sent(`{"availability":"DoNotDisturb","Availability":"Busy"}`)),
		asking("presence-list", "the body of presence is a list", sent(`["Online"]`)))
	client("set-presence.5.body.availability", "request body.availability", on("presence"),
		asking("availability-computed", "an availability is set that is only computed", sent(`{"availability":"IdleOnline"}`)),
		asking("availability-offline", "an availability is set that cannot be", sent(`{"availability":"Offline"}`)),
		asking("availability-spaces", "an availability is written as people read it", sent(`{"availability":"Do not disturb"}`)))
	asks := func(edit func(q url.Values)) func(*exchange) {
		return func(x *exchange) {
			u := *x.request.URL
			q := u.Query()
			edit(q)
			u.RawQuery = q.Encode()
			x.request.URL = &u
		}
	}
	client("set-presence.event.follow", "request URL.ack", on("events"),
		asking("ack-counted", "ack is counted by the client", func(x *exchange) {
			if x.nth > 1 {
				asks(func(q url.Values) { n, _ := strconv.Atoi(q.Get("ack")); q.Set("ack", strconv.Itoa(n+1)) })(x)
			}
		}),
		asking("ack-forgotten", "the first events link is asked again and again", asks(func(q url.Values) { q.Set("ack", "1") })),
		asking("ack-dropped", "ack is left out", asks(func(q url.Values) { q.Del("ack") })))
	client("set-presence.event.options", "request URL.timeout", on("events"),
		asking("timeout-long", "a pending GET asks to be held for hours", asks(func(q url.Values) { q.Set("timeout", "7200") })),
		asking("timeout-short", "a pending GET asks to be held for a moment", asks(func(q url.Values) { q.Set("timeout", "10") })))
	client("set-presence.event.options", "request URL.low", on("events"),
		asking("low-short", "events of low priority are asked for at once", asks(func(q url.Values) { q.Set("low", "1") })))
	return list
}

// toPath asks another path with the same header.
func toPath(r *http.Request, path string) {
	u := *r.URL
	u.Path, u.RawQuery = path, ""
	r.Method, r.URL = http.MethodGet, &u
	r.Body, r.ContentLength = http.NoBody, 0
	r.Header = r.Header.Clone()
	r.Header.Del("Content-Type")
}
