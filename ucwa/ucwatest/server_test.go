package ucwatest_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestRefusals has a row, at least, for each that the documentation has.
func TestRefusals(t *testing.T) {
	const online = `{"availability":"Online"}`
	big := `{"message":"` + strings.Repeat("x", 1<<20) + `"}`
	for _, c := range []struct {
		name         string
		available    bool
		method, path string
		body         string
		headers      []string
		status       int
		names        []string
	}{
		{"GET presence too early", false, "GET", "/me/presence", "", nil, 409, []string{"Conflict", "MakeMeAvailableRequired"}},
		{"POST presence too early", false, "POST", "/me/presence", online, nil, 409, []string{"Conflict", "MakeMeAvailableRequired"}},
		{"GET note too early", false, "GET", "/me/note", "", nil, 409, []string{"Conflict", "MakeMeAvailableRequired"}},
		{"POST note too early", false, "POST", "/me/note", `{}`, nil, 409, []string{"Conflict", "MakeMeAvailableRequired"}},
		{"GET location too early", false, "GET", "/me/location", "", nil, 409, []string{"Conflict", "MakeMeAvailableRequired"}},
		{"POST location too early", false, "POST", "/me/location", `{}`, nil, 409, []string{"Conflict", "MakeMeAvailableRequired"}},
		{"reportMyActivity too early", false, "POST", "/me/reportMyActivity", "", nil, 409, []string{"Conflict", "MakeMeAvailableRequired"}},
		{"makeMeAvailable again", true, "POST", "/me/makeMeAvailable", `{}`, nil, 409, []string{"Conflict", "AlreadyExists"}},
		{"unknown modality", false, "POST", "/me/makeMeAvailable", `{"supportedModalities":["Telepathy"]}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"modality in another casing", false, "POST", "/me/makeMeAvailable", `{"supportedModalities":["messaging"]}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"modalities that are no array", false, "POST", "/me/makeMeAvailable", `{"supportedModalities":"Messaging"}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"a null among the modalities", false, "POST", "/me/makeMeAvailable", `{"supportedModalities":[null]}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"signInAs Offline", false, "POST", "/me/makeMeAvailable", `{"signInAs":"Offline"}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"modality not allowed", false, "POST", "/me/makeMeAvailable", `{"supportedModalities":["Video"]}`, nil, 403, []string{"Forbidden", ""}},

		{"Offline is not preferred", true, "POST", "/me/presence", `{"availability":"Offline"}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"availability in lower case", true, "POST", "/me/presence", `{"availability":"online"}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"empty availability", true, "POST", "/me/presence", `{"availability":""}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"availability that is a number", true, "POST", "/me/presence", `{"availability":1}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"note too long", true, "POST", "/me/note", `{"message":"` + strings.Repeat("x", 4097) + `"}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},

		{"no JSON", true, "POST", "/me/presence", `availability=Online`, nil, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"no object", true, "POST", "/me/presence", `["Online"]`, nil, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"null", true, "POST", "/me/presence", `null`, nil, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"trailing comma", true, "POST", "/me/presence", `{"availability":"Online",}`, nil, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"trailing garbage", true, "POST", "/me/presence", online + `}`, nil, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"two values", true, "POST", "/me/presence", online + online, nil, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"a name twice", true, "POST", "/me/presence", `{"availability":"Online","availability":"Busy"}`, nil, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"a name twice, in two casings", true, "POST", "/me/presence", `{"availability":"Online","Availability":"Busy"}`, nil, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"a name twice, escaped", true, "POST", "/me/presence", `{"availability":"Online","\u0061vailability":"Busy"}`, nil, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"a name twice, further down", true, "POST", "/me/presence", `{"x":[{"y":1,"y":2}]}`, nil, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"not UTF-8", true, "POST", "/me/note", "{\"message\":\"\xff\"}", nil, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"too deep", true, "POST", "/me/note", strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000), nil, 400, []string{"BadRequest", "DeserializationFailure"}},

		{"form", true, "POST", "/me/presence", online, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, []string{"UnsupportedMediaType", "UnsupportedMediaType"}},
		{"JSON said to be XML", true, "POST", "/me/presence", online, []string{"Content-Type", "application/xml"}, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"XML of another name", true, "POST", "/me/presence", input("Online"), []string{"Content-Type", "text/xml"}, 415, []string{"UnsupportedMediaType"}},
		{"no Content-Type", true, "POST", "/me/presence", online, []string{"Content-Type", ""}, 415, []string{"UnsupportedMediaType"}},
		{"compressed body", true, "POST", "/me/presence", online, []string{"Content-Encoding", "gzip"}, 415, []string{"UnsupportedMediaType"}},
		{"body too large", true, "POST", "/me/note", big, nil, 413, []string{"EntityTooLarge"}},
		{"body of a GET too large", true, "GET", "/me/note", big, nil, 413, []string{"EntityTooLarge"}},

		{"GET makeMeAvailable", false, "GET", "/me/makeMeAvailable", "", nil, 405, []string{"MethodNotAllowed"}},
		{"DELETE presence", true, "DELETE", "/me/presence", "", nil, 405, []string{"MethodNotAllowed"}},
		{"PUT presence", true, "PUT", "/me/presence", online, nil, 405, []string{"MethodNotAllowed"}},
		{"TRACE application", true, "TRACE", "", "", nil, 405, []string{"MethodNotAllowed"}},

		{"nothing there", true, "GET", "/me/nothing", "", nil, 404, []string{"NotFound", ""}},
		{"trailing slash", true, "GET", "/me/", "", nil, 404, []string{"NotFound", ""}},
		{"escaped slash", true, "GET", "/me%2Fpresence", "", nil, 404, []string{"NotFound", ""}},
		{"another's photo", true, "GET", "/photos/lene@contoso.com", "", nil, 404, []string{"NotFound", ""}},
		{"contact of nobody", true, "GET", "/people/contacts/sip:nobody@contoso.com", "", nil, 404, []string{"NotFound", ""}},
		{"part of nobody", true, "GET", "/people/contacts/sip:nobody@contoso.com/contactNote", "", nil, 404, []string{"NotFound", ""}},
		{"contact of no name", true, "GET", "/people/contacts/*", "", nil, 404, []string{"NotFound", ""}},
		{"phone of no kind", true, "GET", "/me/phones/car", "", nil, 404, []string{"NotFound", ""}},
		{"number of no phone", true, "POST", "/me/phones/car/changeNumber", `{}`, nil, 404, []string{"NotFound", ""}},
		{"meeting of nobody", true, "DELETE", "/onlineMeetings/myOnlineMeetings/1", "", nil, 404, []string{"NotFound", ""}},
		{"nothing accepted", true, "GET", "/me", "", []string{"Accept", "text/xml"}, 406, []string{"NotAcceptable"}},
		{"later revision", true, "GET", "/me", "", []string{"X-MS-RequiresMinResourceVersion", "3"}, 404, []string{"NotFound", "APIVersionNotSupported"}},
		{"no revision", true, "GET", "/me", "", []string{"X-MS-RequiresMinResourceVersion", "two"}, 400, []string{"BadRequest", ""}},
		{"PUT without If-Match", true, "PUT", "/communication", `{}`, nil, 428, []string{"PreconditionRequired", ""}},
		{"PUT with a stale etag", true, "PUT", "/communication", `{}`, []string{"If-Match", `"1"`}, 412, []string{"PreconditionFailed", ""}},
		{"PUT with a weak etag", true, "PUT", "/communication", `{}`, []string{"If-Match", `W/*`}, 412, []string{"PreconditionFailed", ""}},
		{"PUT of no JSON", true, "PUT", "/communication", `{`, []string{"If-Match", `*`}, 400, []string{"BadRequest", "DeserializationFailure"}},
		{"PUT without its property", true, "PUT", "/communication", `{}`, []string{"If-Match", `*`}, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"idle at once", false, "POST", "/me/makeMeAvailable", `{"inactiveTimeout":"PT0S"}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"idle some time", false, "POST", "/me/makeMeAvailable", `{"inactiveTimeout":"soon"}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"number that is none", true, "POST", "/me/phones/home/changeNumber", `{"number":"555"}`, nil, 400, []string{"BadRequest", "NormalizationFailed"}},
		{"nobody to forward to", true, "POST", "/me/callForwardingSettings/immediateForwardSettings/immediateForwardToContact", ``, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"forward to nowhere", true, "PUT", "/me/callForwardingSettings", `{"activeSetting":"ImmediateForward"}`, []string{"If-Match", "*"}, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"ring for hours", true, "PUT", "/me/callForwardingSettings/simultaneousRingSettings", `{"ringDelay":61}`, []string{"If-Match", "*"}, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"search for nothing", true, "GET", "/people/search", "", nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"search for too much", true, "GET", "/people/search?query=x&limit=101", "", nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"a meeting for nobody", true, "POST", "/onlineMeetings/myOnlineMeetings", `{"attendees":["lene"]}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"a meeting some time", true, "POST", "/onlineMeetings/myOnlineMeetings", `{"expirationTime":"tomorrow"}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"talk to nobody", true, "POST", "/communication/startMessaging", `{}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"join nothing", false, "POST", "/communication/joinOnlineMeeting", `{}`, nil, 400, []string{"BadRequest", "ParameterValidationFailure"}},
		{"join what is not held", false, "POST", "/communication/joinOnlineMeeting", `{"onlineMeetingUri":"sip:lene@contoso.com;gruu;opaque=app:conf:focus:id:1"}`, nil, 404, []string{"NotFound", "DestinationNotFound"}},
		{"two slashes", true, "GET", "//me", "", nil, 404, []string{"NotFound", ""}},
		{"JSON not accepted", true, "GET", "/me", "", []string{"Accept", "application/json;q=0, application/*;q=0.0, text/html"}, 406, []string{"NotAcceptable"}},
		{"origin not listed", true, "GET", "/me", "", []string{"X-Ms-Origin", "http://evil.example"}, 403, []string{"Forbidden", ""}},
		{"query cannot be read", true, "GET", "/events?ack=%zz", "", nil, 400, []string{"BadRequest", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			lean := dana
			lean.Modalities = []string{"Messaging"}
			a := w.create(w.server.AddUser(lean), 0)
			if c.available {
				a.makeAvailable("")
			}
			r := a.do(c.method, c.path, c.body, c.headers...).wants(c.status, c.names...)

			if got := r.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
				t.Errorf("Content-Type %q", got)
			}
			if r.at("message") == "" {
				t.Errorf("no message: %s", r.Body)
			}
			_, parameters := r.json()["parameters"]
			if want := r.at("subcode") == "ParameterValidationFailure"; parameters != want {
				t.Errorf("parameters present: %v, want %v: %s", parameters, want, r.Body)
			}
			if allow := r.Header().Get("Allow"); (allow != "") != (c.status == 405) {
				t.Errorf("Allow %q on %d", allow, c.status)
			}
			if c.available && a.availability() != "Online" {
				t.Error("what was refused has had an effect")
			}
		})
	}
}

func TestAllowNamesTheMethods(t *testing.T) {
	a := newWorld(t).dana(true)
	for path, want := range map[string]string{"": "DELETE, GET", "/me/presence": "GET, POST", "/me/makeMeAvailable": "POST"} {
		if got := a.do("PATCH", path, "").wants(405).Header().Get("Allow"); got != want {
			t.Errorf("%q: Allow %q, want %q", path, got, want)
		}
	}
}

func TestParametersAreNamed(t *testing.T) {
	long := strings.Repeat("x", 101)
	w := newWorld(t)
	a := w.dana(false)
	for _, c := range []struct {
		method, target, body string
		want                 []string
	}{
		{"POST", root, `{}`, []string{"culture", "endpointId", "userAgent"}},
		{"POST", root, ``, []string{"culture", "endpointId", "userAgent"}},
		{"POST", root, `{"userAgent":" ","culture":"","endpointId":null}`, []string{"culture", "endpointId", "userAgent"}},
		{"POST", root, `{"userAgent":"` + long + `","culture":"` + long + `","endpointId":"` + long + `"}`, []string{"culture", "endpointId", "userAgent"}},
		{"POST", a.href + "/me/makeMeAvailable", `{"signInAs":"x","supportedModalities":1,"supportedMessageFormats":["Rtf"],"audioPreference":"x","phoneNumber":1,"inactiveTimeout":5,"voipFallbackToPhoneAudioTimeOut":5}`,
			[]string{"audioPreference", "inactiveTimeout", "phoneNumber", "signInAs", "supportedMessageFormats", "supportedModalities", "voipFallbackToPhoneAudioTimeOut"}},
		{"GET", a.href + "/events?ack=1&low=4&medium=1801&timeout=179&priority=High", "", []string{"low", "medium", "timeout", "priority"}},
		{"GET", a.href + "/events?ack=1&low=5&low=5&medium=&timeout=1e3&priority=1&priority=1", "", []string{"low", "medium", "timeout", "priority"}},
	} {
		r := w.send(request(c.method, c.target, a.token, c.body)).wants(400, "BadRequest", "ParameterValidationFailure")
		var e struct {
			Parameters []struct{ Name, Reason string }
		}
		if err := json.Unmarshal(r.Body.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range e.Parameters {
			got = append(got, p.Name)
			if p.Reason == "" {
				t.Errorf("%s: no reason", p.Name)
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s %s: %s", c.method, c.target, d)
		}
	}
}

func TestNoTokenIsRefusedByWhatStandsBefore(t *testing.T) {
	w := newWorld(t)
	a := w.dana(true)
	for name, header := range map[string]string{
		"none": "", "unknown": "Bearer cwt=AAEBxxxx", "scheme": "Basic " + a.token, "bare": a.token, "no token": "Bearer",
	} {
		for _, target := range []string{root, a.href, a.href + "/nothing", root + "/1", a.href + "/photos/" + dana.Email} {
			r := w.send(request("GET", target, "", "", "Authorization", header)).wants(401)
			challenges := r.Header().Values("WWW-Authenticate")
			want := []string{
				`Bearer trusted_issuers="", client_id="00000004-0000-0ff1-ce00-000000000000"`,
				`MsRtcOAuth href="https://lyncweb.contoso.com/WebTicket/oauthtoken",grant_type="urn:microsoft.rtc:windows,urn:microsoft.rtc:anonmeeting,password"`,
			}
			if d := cmp.Diff(want, challenges); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			if ct := r.Header().Get("Content-Type"); ct != "text/html" || json.Valid(r.Body.Bytes()) {
				t.Errorf("%s: %q body %q", name, ct, r.Body)
			}
		}
	}
	twice := request("GET", a.href, a.token, "")
	twice.Header.Add("Authorization", "Bearer cwt=other")
	w.send(twice).wants(401)
	a.do("GET", "", "", "Authorization", "bearer "+a.token).wants(200) // schemes have no casing
	if _, err := w.server.CreateApplication("cwt=other", "x", "en-US", endpoint); err == nil {
		t.Error("CreateApplication takes any token")
	}
}

func TestOrigins(t *testing.T) {
	a := newWorld(t).dana(true)
	a.do("GET", "/me", "", "X-Ms-Origin", origin).wants(200)
	a.do("GET", "/me", "", "X-Ms-Origin", "HTTP://APP.contoso.com").wants(200)
	a.do("GET", "/me", "", "X-Ms-Origin", origin+".evil.example").wants(403)
	r := a.do("POST", "/me/presence", `{"availability":"Busy"}`, "X-Ms-Origin", "null").wants(403, "Forbidden")
	want := `28070;source="lyncweb.contoso.com";reason="Service does not allow a cross domain request from this origin."`
	if got := r.Header().Get("X-Ms-Diagnostics"); got != want {
		t.Errorf("X-Ms-diagnostics %s, want %s", got, want)
	}
	if a.availability() != "Online" {
		t.Error("the refused request has had an effect")
	}

	none := newWorld(t, func(c *ucwatest.Config) { c.Origins = nil }).dana(true)
	none.do("GET", "/me", "", "X-Ms-Origin", origin).wants(403)
	empty := request("GET", none.href, none.token, "")
	empty.Header["X-Ms-Origin"] = []string{""}
	none.send(empty).wants(403)
}

func TestAnothersApplicationIsNotThere(t *testing.T) {
	w := newWorld(t)
	a := w.dana(true)
	lene := w.server.AddUser(ucwatest.User{URI: "lene@contoso.com"})
	for _, method := range []string{"GET", "POST", "DELETE"} {
		for _, path := range []string{"", "/me/presence", "/events?ack=1", "/nothing"} {
			theirs := w.send(request(method, a.href+path, lene, "")).wants(404, "NotFound", "ApplicationNotFound")
			nobodys := w.send(request(method, root+"/999"+path, lene, "")).wants(404)
			if theirs.Body.String() != nobodys.Body.String() {
				t.Errorf("%s %s tells that it exists", method, path)
			}
		}
	}
	a.get("").wants(200)
}

func TestAnonymous(t *testing.T) {
	w := newWorld(t)
	a := w.create(w.server.AddUser(ucwatest.User{URI: "sip:guest@contoso.com", Anonymous: true}), 0)
	a.post("/me/makeMeAvailable", `{}`).wants(403, "Forbidden", "AnonymousNotAllowed")
	a.post("/me/reportMyActivity", ``).wants(403, "Forbidden", "AnonymousNotAllowed")
	a.get("/me/phones").wants(403, "Forbidden", "AnonymousNotAllowed")
	a.get("/me/callForwardingSettings").wants(403, "Forbidden", "AnonymousNotAllowed")
	a.get("/me/presence").wants(409)
	me := a.get("/me").wants(200)
	if me.link("makeMeAvailable") == "" || me.link("phones") != "" {
		t.Errorf("me: %s", me.Body)
	}
}

func TestMeShowsWhatTheUserHas(t *testing.T) {
	w := newWorld(t)
	lean := w.create(w.server.AddUser(ucwatest.User{URI: "lean@contoso.com"}), 0).get("/me").json()
	full := w.create(w.server.AddUser(ucwatest.User{URI: "full@contoso.com", Title: "R&D <lead>", Department: "Sales"}), 0).get("/me").json()
	if full["title"] != "R&D <lead>" || full["department"] != "Sales" || full["uri"] != "sip:full@contoso.com" {
		t.Errorf("me: %v", full)
	}
	for _, property := range []string{"title", "department", "emailAddresses"} {
		if v, there := lean[property]; there {
			t.Errorf("%s is %v", property, v)
		}
	}
	w.send(request("GET", root+"/101/photos/lean@contoso.com", "", "", "Authorization", "")).wants(401)
}

func TestPathsOutside(t *testing.T) {
	w := newWorld(t)
	a := w.dana(true)
	for _, target := range []string{"/", "/ucwa/oauth/v1", root + "s", root + "/", root + "//me", root + "/101//me", "/" + root, root + "/101/me/"} {
		w.send(request("GET", target, a.token, "")).wants(404, "NotFound", "")
	}
	// Segments are compared decoded, and paths have no casing; links are as the server writes them.
	for _, path := range []string{"/Me/PHONES/Work", "/people/Contacts/sip:dana@contoso.com/CONTACTNOTE"} {
		shown := w.send(request("GET", strings.ToUpper(root)+"/101"+path, a.token, "")).wants(200)
		if as := w.send(request("GET", shown.link("self"), a.token, "")).wants(200); as.Body.String() != shown.Body.String() {
			t.Errorf("%s: %s", path, shown.Body)
		}
	}
	a.get("/Photos/Dana@contoso.com").wants(200)
	a.get("/%6de/presence").wants(200)
	a.get("/photos/Dana%40contoso.com").wants(200)
}

func TestHeaders(t *testing.T) {
	a := newWorld(t).dana(false)
	for _, r := range []*reply{
		a.get(""), a.post("/me/makeMeAvailable", `{}`), a.get("/me/presence"), a.post("/me/presence", ""),
		a.get("/nothing"), a.do("GET", "", "", "Authorization", ""), a.get("/photos/" + dana.Email), a.do("DELETE", "", ""),
	} {
		cached := "no-cache"
		if r.Header().Get("Content-Type") == "image/jpeg" {
			cached = "private"
		}
		for name, want := range map[string]string{
			"Cache-Control":          cached,
			"Date":                   "Thu, 17 Jan 2013 00:00:00 GMT",
			"X-MS-Server-Fqdn":       "lyncweb.contoso.com",
			"Server":                 "ucwatest",
			"X-Content-Type-Options": "nosniff",
		} {
			if got := r.Header().Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", r.asked, name, got, want)
			}
		}
		if r.Code == 204 {
			if r.Body.Len() > 0 || r.Header().Get("Content-Type") != "" || r.Header().Get("Content-Length") != "" {
				t.Errorf("%s: 204 with content: %v %q", r.asked, r.Header(), r.Body)
			}
		} else if got := r.Header().Get("Content-Length"); got != fmt.Sprint(r.Body.Len()) {
			t.Errorf("%s: Content-Length %s of %d", r.asked, got, r.Body.Len())
		}
	}
}

func TestContentTypes(t *testing.T) {
	a := newWorld(t).dana(true)
	for _, accepted := range []string{
		"application/json", "Application/JSON; Charset=UTF-8", "application/vnd.microsoft.com.ucwa+json", "application/json;odata=verbose", "application/json;charset",
	} {
		a.do("POST", "/me/presence", `{"AVAILABILITY":"Busy","unknown":[{}]}`, "Content-Type", accepted).wants(204)
	}
	// Without a body there is nothing to be of a type.
	a.do("POST", "/me/presence", ``, "Content-Type", "text/plain").wants(204)
}

func TestAccept(t *testing.T) {
	a := newWorld(t).dana(true)
	const plain, vendor = "application/json; charset=utf-8", "application/vnd.microsoft.com.ucwa+json; charset=utf-8"
	for accept, want := range map[string]string{
		"":                                       plain,
		"*/*":                                    plain,
		"application/*":                          plain,
		"application/json, text/javascript, */*": plain,
		"application/json, text/javascript, */*; q=0.01": plain,
		"APPLICATION/JSON":                                                        plain,
		"application/vnd.microsoft.com.ucwa+json":                                 vendor,
		"application/json;q=0.1, application/vnd.microsoft.com.ucwa+json":         vendor,
		"application/json;q=0, */*":                                               vendor,
		"application/vnd.microsoft.com.ucwa+xml, application/json;charset=utf-16": plain,
	} {
		if got := a.do("GET", "/me", "", "Accept", accept).wants(200).Header().Get("Content-Type"); got != want {
			t.Errorf("Accept %q: %q, want %q", accept, got, want)
		}
	}
	for accept, want := range map[string]string{
		"application/xml":                                                        "application/xml; charset=utf-8",
		"application/vnd.microsoft.com.ucwa+xml":                                 "application/vnd.microsoft.com.ucwa+xml; charset=utf-8",
		"application/json;q=0.5, application/xml":                                "application/xml; charset=utf-8",
		"application/xml;q=0.5, application/*":                                   plain,
		"application/json;q=0, application/vnd.microsoft.com.ucwa+json;q=0, */*": "application/xml; charset=utf-8",
	} {
		r := a.do("GET", "/me", "", "Accept", accept).wants(200)
		if got := r.Header().Get("Content-Type"); got != want || strings.HasPrefix(r.Body.String(), "<?xml") != strings.Contains(want, "xml") {
			t.Errorf("Accept %q: %q, want %q: %s", accept, got, want, r.Body)
		}
	}
	for _, accept := range []string{"text/html", "text/xml", "application/json;q=0", "garbage", "*/*;q=0"} {
		a.do("GET", "/me", "", "Accept", accept).wants(406)
	}
	a.do("GET", "/photos/"+dana.Email, "", "Accept", "image/*").wants(200)
}

func TestRevisions(t *testing.T) {
	a := newWorld(t).dana(true)
	for _, revision := range []string{"1", "2", "2.0"} {
		a.do("GET", "/me/presence", "", "X-MS-RequiresMinResourceVersion", revision).wants(200)
	}
	if got := a.get("/people").at("_links", "search", "revision"); got != "2" {
		t.Errorf("search is served in revision %q", got)
	}
}

func TestGzip(t *testing.T) {
	a := newWorld(t).dana(true)
	plain := a.get("").wants(200)
	for accepts, want := range map[string]bool{
		"":                          false,
		"identity":                  false,
		"deflate, br":               false,
		"gzip;q=0":                  false,
		"gzip;q=0, *":               false,
		"*;q=0":                     false,
		"gzip;q=0.5, identity;q=1":  false,
		"gzip, deflate":             true,
		"GZIP;q=0.001":              true,
		"deflate, x-gzip":           true,
		"*":                         true,
		"br;q=1.0, gzip;q=0.8, *;q": true,
	} {
		r := a.do("GET", "", "", "Accept-Encoding", accepts).wants(200)
		if r.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: Vary %q", accepts, r.Header().Get("Vary"))
		}
		if got := r.Header().Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("%q: compressed %v, want %v", accepts, got, want)
			continue
		}
		if got := r.Header().Get("Content-Length"); got != fmt.Sprint(r.Body.Len()) {
			t.Errorf("%q: Content-Length %s of %d", accepts, got, r.Body.Len())
		}
		body := io.Reader(r.Body)
		if want {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		if got, err := io.ReadAll(body); err != nil || string(got) != plain.Body.String() {
			t.Errorf("%q: %v %q", accepts, err, got)
		}
	}
	for path, want := range map[string]string{"/me/note": "gzip", "/photos/" + dana.Email: ""} { // the one is small, the other compressed as it is
		if got := a.do("GET", path, "", "Accept-Encoding", "gzip").wants(200).Header().Get("Content-Encoding"); got != want {
			t.Errorf("%s: Content-Encoding %q, want %q", path, got, want)
		}
	}
}

func TestPhotoOpensToTheCookie(t *testing.T) {
	w := newWorld(t)
	a := w.dana(false)
	set := a.get("").wants(200).Header().Get("Set-Cookie")
	value, attributes, _ := strings.Cut(set, "; ")
	if !strings.HasPrefix(value, "cwt_ucwa=AAEB") || attributes != "path="+a.href+"/photos; secure; HttpOnly" {
		t.Errorf("Set-Cookie: %s", set)
	}
	photo := a.href + "/photos/Dana@contoso.com"
	w.send(httptest.NewRequest("GET", photo, nil)).wants(401)
	r := httptest.NewRequest("GET", photo, nil)
	r.Header.Set("Cookie", value)
	if got := w.send(r).wants(200); got.Header().Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(got.Body.String(), "\xff\xd8\xff") ||
		got.Header().Get("Cache-Control") != "private" || got.Header().Get("Expires") != "Thu, 17 Jan 2013 01:00:00 GMT" {
		t.Errorf("%v", got.Header())
	} else {
		r := httptest.NewRequest("GET", photo+"?size=HR64x64", nil)
		r.Header.Set("Cookie", value)
		r.Header.Set("If-None-Match", got.Header().Get("ETag"))
		if again := w.send(r).wants(304); again.Body.Len() > 0 || again.Header().Get("ETag") != got.Header().Get("ETag") {
			t.Errorf("%v %q", again.Header(), again.Body)
		}
	}
	for _, target := range []string{a.href, a.href + "/me", w.create(a.token, 1).href + "/photos/Dana@contoso.com"} {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("Cookie", value)
		w.send(r).wants(401)
	}
}

// TestRepeatable runs a session twice and wants the same bytes.
func TestRepeatable(t *testing.T) {
	session := func() (log []string) {
		w := newWorld(t)
		note := func(r *reply) {
			log = append(log, fmt.Sprint(r.asked, " ", r.Code, " ", r.Header(), " ", r.Body))
		}
		token := w.server.AddUser(dana)
		log = append(log, token, w.server.AddUser(dana), w.server.AddUser(ucwatest.User{URI: "lene@contoso.com"}))
		body := `{"userAgent":"UCWA Samples","culture":"en-US","endpointId":"` + endpoint + `"}`
		note(w.send(request("POST", root, token, body)))
		a := &app{w, token, root + "/101"}
		note(a.get("/events?ack=1&priority=x"))
		note(a.post("/me/makeMeAvailable", `{"supportedModalities":["Audio","Messaging"],"audioPreference":"VoipAudio","phoneNumber":"tel:+1"}`))
		note(a.do("GET", "", "", "Accept-Encoding", "gzip"))
		note(a.get("/events?ack=1"))
		w.clock.Advance(1)
		for _, path := range []string{"/me", "/me/presence", "/me/note", "/communication", "/policies", "/photos/" + dana.Email} {
			note(a.get(path))
		}
		note(a.do("DELETE", "", ""))
		return log
	}
	first, second := session(), session()
	if d := cmp.Diff(first, second); d != "" {
		t.Error(d)
	}
	if slices.Contains(first[1:3], first[0]) || first[1] == first[2] {
		t.Errorf("tokens are not distinct: %q", first[:3])
	}
}

func TestRandomNames(t *testing.T) {
	w := newWorld(t, func(c *ucwatest.Config) { c.IDs = nil })
	token := w.server.AddUser(dana)
	if token == w.server.AddUser(dana) || !strings.HasPrefix(token, "cwt=AAEB") {
		t.Error("tokens are not random")
	}
	a, b := w.create(token, 0), w.create(token, 1)
	id := strings.TrimPrefix(a.href, root+"/")
	if len(id) < 11 || len(id) > 12 || strings.Trim(id, "0123456789") != "" || a.href == b.href {
		t.Errorf("%s, %s", a.href, b.href)
	}
}
