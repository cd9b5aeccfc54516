package prove

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// The media types of UCWA.
const (
	jsonType = "application/json"
	ucwaType = "application/vnd.microsoft.com.ucwa+json"
)

// Paths in an application.
const (
	me      = "_embedded.me"
	meLinks = "_embedded.me._links."
)

// Variation is one difference that correct servers show: something on which the
// documentation is silent, or which deployments were seen to do. A client must not
// come to rely on how it is, and a suite must not hold it against a server.
type Variation struct {
	Name   string // as in "absolute-hrefs"
	Allows string // what such a server does, in a sentence
	rule   rule
	wrap   func(http.Handler) http.Handler // or a change of what is sent as a whole
	last   bool                            // that change comes after all others
	prefix string                          // where the applications are, if elsewhere
	deploy func(*ucwatest.SignIn)          // which hosts there are
}

// Vary returns h with all those variations together.
func Vary(h http.Handler, list ...Variation) http.Handler {
	rw := &proxy{next: h}
	h = rw
	for _, last := range []bool{false, true} {
		for _, v := range list {
			switch {
			case v.last != last:
			case v.wrap != nil:
				h = v.wrap(h)
			default:
				rw.rules = append(rw.rules, v.rule)
			}
		}
	}
	return h
}

// Application returns where the application of that href, as the [ucwatest.Server] names it,
// is under the variation.
func (v Variation) Application(href string) string {
	if v.prefix == "" {
		return href
	}
	return strings.Replace(href, applications, v.prefix, 1)
}

// Deploy changes which hosts a deployment has, if that is what the variation is about.
func (v Variation) Deploy(s *ucwatest.SignIn) {
	if v.deploy != nil && s != nil {
		v.deploy(s)
	}
}

// Variations returns the differences, in no order that matters: any of them go together.
func Variations() []Variation {
	edit := func(name, allows string, edit func(*exchange), on ...string) Variation {
		return Variation{Name: name, Allows: allows, rule: rule{on: on, edit: edit}}
	}
	wrap := func(name, allows string, wrap func(http.Handler) http.Handler) Variation {
		return Variation{Name: name, Allows: allows, wrap: wrap}
	}
	inJSON := func(f func(x *exchange)) func(*exchange) {
		return func(x *exchange) {
			if strings.HasPrefix(x.header.Get("Content-Type"), "application/") {
				f(x)
			}
		}
	}
	return []Variation{
		{Name: "header-lower-case", Allows: "writes the names of header fields in lower case", wrap: onWriting(lowerCase), last: true},
		edit("challenges-in-one-line", "joins its challenges in one line", func(x *exchange) {
			x.header.Set("WWW-Authenticate", strings.Join(x.header.Values("WWW-Authenticate"), ", "))
		}, "no-token", "bad-token"),
		edit("challenge-unquoted", "does not quote the href of its challenge", fieldReplaced("WWW-Authenticate", `href="https://lyncweb.contoso.com/WebTicket/oauthtoken"`, `href=https://lyncweb.contoso.com/WebTicket/oauthtoken`), "no-token", "bad-token"),
		edit("challenge-order", "offers MsRtcOAuth before Bearer", func(x *exchange) { slices.Reverse(x.header.Values("WWW-Authenticate")) }, "no-token", "bad-token"),
		edit("header-more", "sends P3P, Via, HSTS, X-Powered-By and X-AspNet-Version", together(field("P3P", `CP="IDC CUR ADM OUR NOR STA NID"`), field("Via", "1.1 proxy"),
			field("Strict-Transport-Security", "max-age=31536000"), field("X-Powered-By", "ARR/2.5"), field("X-AspNet-Version", "4.0.30319"), field("Server", "Microsoft-IIS/8.5"))),
		edit("front-ends", "answers from another front end each time", func(x *exchange) {
			x.header.Set("X-MS-Server-Fqdn", "fe"+strconv.Itoa(x.nth%3)+".contoso.com")
		}),
		edit("fqdn-missing", "does not tell its front end", field("X-MS-Server-Fqdn", "")),
		edit("date-back", "has front ends whose clocks differ", func(x *exchange) {
			if x.nth%2 == 0 {
				x.header.Set("Date", "Thu, 17 Jan 2013 00:00:00 GMT")
			}
		}),
		edit("date-missing", "sends no Date", field("Date", "")),
		edit("cache-no-store", "says no-store, and more", field("Cache-Control", "private, no-store, max-age=0")),
		edit("charset-missing", "names no charset", inJSON(field("Content-Type", jsonType))),
		edit("charset-upper", "writes the charset in its own way", inJSON(field("Content-Type", `application/json;charset="UTF-8"`))),
		edit("media-ucwa", "answers in UCWA's own media type", inJSON(field("Content-Type", ucwaType+"; charset=utf-8"))),
		wrap("chunked", "sends in chunks", onWriting(inChunks)),
		wrap("gzip", "compresses all that it may", compressed),
		edit("json-indented", "indents its JSON", inJSON(func(x *exchange) {
			var b bytes.Buffer
			if json.Indent(&b, x.body, "\r\n", "\t") == nil {
				x.body = b.Bytes()
			}
		})),
		edit("json-escaped", "escapes slashes in its JSON", inJSON(func(x *exchange) { x.body = bytes.ReplaceAll(x.body, []byte("/"), []byte(`\/`)) })),
		edit("unauthorized-bare", "answers 401 without a page", func(x *exchange) { body("")(x); field("Content-Type", "")(x) }, "no-token", "bad-token"),
		edit("forbidden-html", "answers 403 with a page", html, "origin", "anonymous-page", "modality"),
		edit("debug-info", "adds debugInfo to its errors", func(x *exchange) {
			if x.status >= 400 {
				put("debugInfo", map[string]any{"diagnosticsCode": "1"})(x)
			}
		}),
		edit("error-bare", "sends errors of code and subcode alone", func(x *exchange) {
			if x.status >= 400 {
				without("message")(x)
			}
		}),
		edit("error-nulls", "sends null for what an error does not have", func(x *exchange) {
			if x.status >= 400 && x.status != 400 {
				together(put("parameters", nil), put("link", nil), put("debugInfo", nil))(x)
			}
		}),
		edit("phones-missing", "has me without phones", without(meLinks+"phones")),
		edit("callForwardingSettings-missing", "has me without callForwardingSettings", without(meLinks+"callForwardingSettings")),
		edit("photo-missing", "has me without photo", without(meLinks+"photo")),
		edit("photo-elsewhere", "keeps photos on another host", linkTo(meLinks+"photo", "https://photos.contoso.com/dana"), "application"),
		edit("emailAddresses-missing", "has me without emailAddresses", without(me+".emailAddresses")),
		edit("application-more", "has more properties in an application", together(put("id", "1"), put("type", "Browser"), put("instanceId", "x"), put("expires", "2026-11-24T00:00:00Z"), put("revision", 2)), "application before", "application"),
		edit("links-more", "serves links that are not documented", together(linkTo("_links.onlineMeetings", "x"), linkTo(meLinks+"settings", "me/settings")), "application before", "application"),
		edit("link-attributes", "adds attributes to links", put("_links.self.revision", "2"), "application"),
		edit("etag-number", "sends an etag as a number", asObject(func(root map[string]any) {
			if etag, ok := root["etag"].(string); ok {
				root["etag"] = json.Number(etag)
			}
		})),
		edit("etag-missing", "sends no etag", without("etag")),
		edit("hrefs-absolute", "serves absolute hrefs", inJSON(func(x *exchange) {
			scheme := "https://"
			if host, _, _ := net.SplitHostPort(x.request.Host); x.request.TLS == nil && (host == "localhost" || net.ParseIP(host).IsLoopback()) {
				scheme = "http://" // as a server without TLS, which is none but a test's
			}
			x.body = bytes.ReplaceAll(x.body, []byte(`"href":"/`), []byte(`"href":"`+scheme+x.request.Host+`/`))
		})),
		edit("hrefs-escaped", "escapes in a path what it need not", inJSON(func(x *exchange) {
			x.body = bytes.ReplaceAll(x.body, []byte(`/me/presence"`), []byte(`/%6De/presence"`))
		})),
		{Name: "path-v1", Allows: "keeps its applications under /ucwa/v1", prefix: "/ucwa/v1/applications",
			wrap: renamed(applications, "/ucwa/v1/applications")},
		wrap("makeMeAvailable-elsewhere", "serves makeMeAvailable under communication", renamed("/me/makeMeAvailable", "/communication/makeMeAvailable")),
		wrap("reportMyActivity-elsewhere", "serves reportMyActivity under the application", renamed("/me/reportMyActivity", "/reportMyActivity")),
		{Name: "alias", Allows: "has one pool, to which the alias of Autodiscover leads", deploy: func(s *ucwatest.SignIn) { s.Users = s.Pool }},
		{Name: "two-pools", Allows: "sends the user on to the root of the home pool", deploy: func(s *ucwatest.SignIn) { s.Home = s.Pool }},
		edit("cookie-missing", "sets no cookie", field("Set-Cookie", "")),
		edit("cookie-more", "sets a cookie of its load balancer", func(x *exchange) { x.header.Add("Set-Cookie", "BIGip=1; path=/") }),
		edit("activity-missing", "tells presence without activity", without("activity"), "presence read"),
		edit("note-absent", "serves no message and no type where there is no note", withoutNote(func(root map[string]any) {
			delete(root, "message")
			delete(root, "type")
		}), "note read"),
		edit("note-null", "serves null where there is no note", withoutNote(func(root map[string]any) { root["message"], root["type"] = nil, nil }), "note read"),
		edit("note-out-of-office", "shows the user's out-of-office note in place of the one that is set", together(put("message", "Out until Monday"), put("type", "OutOfOffice")), "note read"),
		edit("note-event-added", "tells a changed note as added", of("note", func(_, event map[string]any) map[string]any {
			event["type"] = "added"
			return event
		}), "events"),
		edit("senders-reversed", "tells senders in another order", asObject(func(root map[string]any) {
			if list, ok := root["sender"].([]any); ok {
				slices.Reverse(list)
			}
		}), "events"),
		{Name: "events-embedded", Allows: "embeds the resource in its event", rule: rule{ask: func(x *exchange) {
			var sent struct{ Availability string }
			if x.part == "presence" && json.Unmarshal(x.sent, &sent) == nil {
				x.task.swap("presence", sent.Availability)
			} else if x.part == "reset" {
				x.task.swap("presence", "")
			}
		}, edit: events(func(x *exchange, _, event map[string]any) map[string]any {
			if link, _ := event["link"].(map[string]any); link["rel"] == "presence" && event["type"] == "updated" {
				now := x.task.swap("presence", "")
				if x.task.swap("presence", now); now == "" {
					return event // what was reset to, only the server knows
				}
				event["_embedded"] = map[string]any{"presence": map[string]any{"rel": "presence", "availability": now}}
			}
			return event
		})}},
		edit("event-added", "tells a changed presence as added", of("presence", func(_, event map[string]any) map[string]any {
			event["type"] = "added"
			return event
		}), "events"),
		edit("event-in", "says in which collection a resource is", of("note", func(_, event map[string]any) map[string]any {
			event["in"] = map[string]any{"rel": "me", "href": "../me"}
			return event
		}), "events"),
		edit("contacts-linked", "serves contacts as links, where the pages have them whole", asObject(func(root map[string]any) {
			inside, _ := root["_embedded"].(map[string]any)
			list, _ := inside["contact"].([]any)
			if list == nil {
				return
			}
			links, _ := root["_links"].(map[string]any)
			to := []any{}
			for _, contact := range list {
				if o, is := contact.(map[string]any); is {
					own, _ := o["_links"].(map[string]any)
					to = append(to, own["self"])
				}
			}
			links["contact"] = to
			delete(inside, "contact")
		})),
		edit("contact-single", "serves one contact as an object, not as a list of one", asObject(func(root map[string]any) {
			inside, _ := root["_embedded"].(map[string]any)
			if list, _ := inside["contact"].([]any); len(list) == 1 {
				inside["contact"] = list[0]
			}
		})),
		edit("titles-empty", "leaves the titles of links in events empty", events(func(_ *exchange, _, event map[string]any) map[string]any {
			if link, is := event["link"].(map[string]any); is && link["title"] != nil {
				link["title"] = ""
			}
			return event
		})),
		edit("conversation-bare", "reports conversations and participants without embedding them", events(func(_ *exchange, _, event map[string]any) map[string]any {
			if link, is := event["link"].(map[string]any); is && (link["rel"] == "conversation" || link["rel"] == "localParticipant") {
				delete(event, "_embedded")
			}
			return event
		})),
		edit("created-201", "answers 201 where a meeting is planned or a subscription extended", func(x *exchange) {
			path := x.request.URL.Path
			if x.request.Method == http.MethodPost && x.status == http.StatusOK && (strings.HasSuffix(path, "/myOnlineMeetings") || strings.Contains(path, "/presenceSubscriptions/")) {
				x.status = http.StatusCreated
			}
		}),
		{Name: "ack-far", Allows: "begins ack anywhere, and counts in its own steps", rule: rule{on: []string{"events"}, ask: askReal, edit: pretend(func(asked, next int) string {
			return strconv.Itoa(max(asked, next) + 1000*next)
		})}},
		{Name: "timeout-first", Allows: "lets a pending GET end with nothing to tell", rule: rule{on: []string{"events"}, ask: emptyFirst, edit: func(*exchange) {}}},
		{Name: "timeout-no-sender", Allows: "leaves the senders out with nothing to tell", rule: rule{on: []string{"events"}, edit: asObject(func(root map[string]any) {
			if list, _ := root["sender"].([]any); len(list) == 0 {
				delete(root, "sender")
			}
		})}},
	}
}

// withoutNote changes a note that has no text.
func withoutNote(f func(root map[string]any)) func(*exchange) {
	return asObject(func(root map[string]any) {
		if root["message"] == "" {
			f(root)
		}
	})
}

// onWriting lets f write what was answered.
func onWriting(f func(w http.ResponseWriter, answer *httptest.ResponseRecorder)) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			f(w, answer)
		})
	}
}

func lowerCase(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		if name != "Content-Length" { // net/http counts, and would say it a second time
			w.Header()[strings.ToLower(name)] = values
		}
	}
	// What net/http would add by itself.
	w.Header()["Date"], w.Header()["Content-Type"] = nil, nil
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func inChunks(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), answer.Header())
	if answer.Body.Len() == 0 {
		w.WriteHeader(answer.Code)
		return
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(answer.Code)
	for chunk := range slices.Chunk(answer.Body.Bytes(), 100) {
		_, _ = w.Write(chunk)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
}

// compressed compresses every body for clients that take it.
func compressed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		maps.Copy(w.Header(), answer.Header())
		data := answer.Body.Bytes()
		if len(data) > 0 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && answer.Header().Get("Content-Encoding") == "" {
			data = zipped(data)
			w.Header().Set("Content-Encoding", "gzip")
		}
		if len(data) > 0 {
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(data)
	})
}

// renamed serves a part of all paths under another name.
func renamed(old, new string) func(http.Handler) http.Handler {
	was, is := regexp.MustCompile("(?i)"+regexp.QuoteMeta(old)), regexp.MustCompile("(?i)"+regexp.QuoteMeta(new))
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			u := *r.URL
			if is.MatchString(u.Path) {
				u.Path, u.RawPath = is.ReplaceAllLiteralString(u.Path, old), ""
			} else if old != applications {
				u.Path, u.RawPath = was.ReplaceAllLiteralString(u.Path, "/nothing"), ""
			}
			inner := r.Clone(r.Context())
			inner.URL = &u
			inner.Header.Del("Accept-Encoding")
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, inner)
			maps.Copy(w.Header(), answer.Header())
			for i, cookie := range w.Header().Values("Set-Cookie") {
				w.Header().Values("Set-Cookie")[i] = strings.Replace(cookie, old, new, 1)
			}
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.Code)
			text := bytes.ReplaceAll(answer.Body.Bytes(), []byte(old), []byte(new))
			escaped := func(s string) []byte { return []byte(strings.ReplaceAll(s, "/", `\/`)) }
			_, _ = w.Write(bytes.ReplaceAll(text, escaped(old), escaped(new)))
		})
	}
}

// emptyFirst answers every pending GET once with nothing to tell.
func emptyFirst(x *exchange) {
	href := x.request.URL.RequestURI()
	if u, err := url.Parse(href); err != nil || x.task.swap("empty "+u.RawQuery, "yes") == "yes" {
		return
	}
	data, _ := json.Marshal(map[string]any{"_links": map[string]any{"self": map[string]any{"href": href}, "next": map[string]any{"href": href}}, "rel": "events"})
	x.status, x.header, x.body = http.StatusOK, http.Header{"Content-Type": {jsonType}, "Cache-Control": {"no-cache"}}, data
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data) // into memory
	_ = w.Close()
	return b.Bytes()
}
