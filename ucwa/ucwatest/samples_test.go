package ucwatest_test

import (
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestSamples sends the bodies that the task pages print, byte for byte, in the order of a client
// that goes through them, and wants the status that the page prints. What cannot be taken as it is
// printed says so in mended: the page's own mistake, or what only the server can know.
func TestSamples(t *testing.T) {
	w := newWorld(t) // its clock stands at the time of the pages
	lene := w.create(w.server.AddUser(ucwatest.User{Name: "Lene Aaling", URI: "sip:lenea@contoso.com"}), 1)
	lene.makeAvailable("")
	for _, uri := range []string{"sip:SaraD@contoso.com", "sip:Chris@contoso.com", "sip:Alex@contoso.com"} {
		w.server.AddUser(ucwatest.User{URI: uri})
	}
	a := w.create(w.server.AddUser(ucwatest.User{Name: "Tosh Meston", URI: "sip:toshm@contoso.com", Contacts: []string{"sip:lenea@contoso.com"}}), 0)
	var meeting *reply
	link := func(r *reply, rel string) string { return r.link(rel)[len(a.href):] }
	const jsonType = "application/json"
	for _, c := range []struct {
		page, method string
		path         func() string // below the application; nil: the applications resource
		contentType  string
		body         string
		status       int
		mended       string
	}{
		{"Create an application, 9", "POST", nil, jsonType, "{\n\"UserAgent\":\"UCWA Samples\",\n\"EndpointId\":\"a917c6f4-976c-4cf3-847d-cdfffa28ccdf\",\n\"Culture\":\"en-US\"\n}", 201,
			"the page has a comma after the last property, which is no JSON"},
		{"Multi-tab support", "POST", nil, jsonType, "{\n \"culture\": \"en-us\",\n \"endpointId\": \"123\",\n \"type\": \"Browser\",\n \"userAgent\": \"foo\",\n \"instanceId\": \"abc\"\n}", 201, ""},
		{"Set my presence information, 1", "POST", func() string { return link(a.get("/me"), "makeMeAvailable") }, jsonType, `{"SupportedModalities": ["Messaging"]}`, 204, ""},
		{"Set my presence information, 5", "POST", func() string { return link(a.get("/me"), "presence") }, jsonType, `{"availability":"Online"}`, 204, ""},
		{"Reset my presence information, 5", "POST", func() string { return link(a.get("/me"), "presence") }, jsonType, "", 204, ""},
		{"Set my note information, 5", "POST", func() string { return link(a.get("/me"), "note") }, jsonType, `{"message": "working working working"}`, 204, ""},
		{"Query parameters, body", "POST", func() string { return link(a.get("/me"), "note") }, jsonType, `{"message":"I'm away from the office today"}`, 204, ""},
		{"Query parameters, query", "POST", func() string { return link(a.get("/me"), "note") + "?Message=I'm%20away%20today" }, "", "", 204, "the page has a space behind the question mark"},
		{"Reset my note information, 5", "POST", func() string { return link(a.get("/me"), "note") }, "", "", 204, ""},
		{"Query parameters, GET", "GET", func() string { return link(a.get("/people"), "search") + "?query=jdoe@contoso.com&limit=3" }, "", "", 200, "the page has a space behind the question mark"},
		{"Subscribe to the presence of a group of contacts, 3", "POST", func() string {
			group := a.get("/people/myGroups").inside("defaultGroup")["_links"].(map[string]any)["subscribeToGroupPresence"].(map[string]any)["href"].(string)
			return group[len(a.href):] + "&duration=11"
		}, "", "", 201, ""},
		{"Subscribe to the presence of selected contacts, 1", "POST", func() string { return link(a.get("/people"), "presenceSubscriptions") }, jsonType, `{"duration":11,"Uris": ["sip:SaraD@contoso.com"]}`, 201,
			"the page has no Content-Type"},
		{"Extend a presence subscription, 2", "POST", func() string {
			return "/people/presenceSubscriptions/" + a.get("/people/presenceSubscriptions").id("presenceSubscription") + "?duration=11"
		}, "", "", 200, ""},
		{"Delete a presence subscription, 1", "DELETE", func() string {
			return "/people/presenceSubscriptions/" + a.get("/people/presenceSubscriptions").id("presenceSubscription")
		}, "", "", 204, ""},
		{"Send an IM, 1", "POST", func() string { return link(a.get("/communication"), "startMessaging") }, jsonType,
			"{\n\"importance\":\"Normal\",\n\"sessionContext\":\"33dc0ef6-0570-4467-bb7e-49fcbea8e944\",\n\"subject\":\"Task Sample\",\n\"telemetryId\":null,\n\"to\":\"sip:lenea@contoso.com\",\n\"operationId\":\"5028e824-2268-4b14-9e59-1abad65ff393\"\n}", 201, ""},
		{"Send an IM, 9", "POST", func() string {
			lene.answer("accept")
			return link(a.get(a.in("/messaging")), "sendMessage") + "?OperationContext=6b6ce55c-d4b9-4303-a61f-5813ecb2d7b1"
		}, "text/plain", "What's up?", 201, ""},
		{"Send an IM, 13", "POST", func() string { return link(a.get(a.in("/messaging")), "stopMessaging") }, "", "", 204, ""},
		{"Schedule an online meeting, 1", "POST", func() string { return link(a.get("/onlineMeetings"), "myOnlineMeetings") }, jsonType,
			"{\n\"attendanceAnnouncementsStatus\":\"Disabled\",\n\"description\":\"hey guys let's do a musical!\",\n\"subject\":\"holiday party\",\n\"attendees\": [\"sip:Chris@contoso.com\",\"sip:Alex@contoso.com\"],\n\"leaders\": []\n}", 200, ""},
		{"Update an online meeting, 1", "PUT", func() string { return link(meeting, "self") }, jsonType,
			`{
"accessLevel":"SameEnterprise",
"entryExitAnnouncement":"Disabled",
"attendees": ["sip:Chris@contoso.com","sip:Alex@contoso.com"],
"automaticLeaderAssignment":"Disabled",
"description":"Weekly meeting",
"expirationTime":"2013-02-07T01:17:18.000Z",
"leaders": [],
"onlineMeetingId":"PYC58WSY",
"onlineMeetingUri":"sip:Dana@contoso.com;gruu;opaque=app:conf:focus:id:PYC58WSY",
"onlineMeetingRel":"myOnlineMeetings",
"organizerUri":"sip:Dana@contoso.com",
"phoneUserAdmission":"Disabled",
"lobbyBypassForPhoneUsers":"Disabled",
"subject":"Important details",
"joinUrl":"https://meet.contoso.com/danab/PYC58WSY",
"56de7bbf-1081-43e6-bbf2-1cabf3224c83":"please pass this in a PUT request",
"_links":{
"self":{"href":"/ucwa/oauth/v1/applications/103985322388/onlineMeetings/myOnlineMeetings/PYC58WSY"},
"onlineMeetingExtensions":{"href":"/ucwa/oauth/v1/applications/103985322388/onlineMeetings/myOnlineMeetings/PYC58WSY/extensions"}
},
"rel":"myOnlineMeeting",
"etag":"3109609770",
"attendanceAnnouncementsStatus":"Disabled"
}`, 200, "the name of its property, and the etag, are the server's to say"},
		{"Operation resource", "POST", func() string { return link(a.get("/communication"), "joinOnlineMeeting") }, jsonType,
			"{\n \"importance\":\"Normal\",\n \"operationId\":\"123\",\n \"onlineMeetingUri\":\"sip:user@contoso.com;gruu;opaque=app:conf:focus:id:ABCDE\"\n}", 201, "there is no meeting of that URI"},
		{"Batching requests", "POST", func() string { return link(a.get(""), "batch") }, "multipart/batching;boundary=77f2569d-c005-442b-b856-782305305e5f", "", 200,
			"the application of the page is 103, and its contacts are elsewhere"},
	} {
		target, body, headers := root, c.body, []string{"Content-Type", c.contentType}
		if c.path != nil {
			target = a.href + c.path()
		}
		switch {
		case c.method == "PUT":
			body = strings.Replace(body, "56de7bbf-1081-43e6-bbf2-1cabf3224c83", putName(meeting.json()), 1)
			headers = append(headers, "If-Match", meeting.tag())
		case c.page == "Operation resource":
			body = strings.Replace(body, "sip:user@contoso.com;gruu;opaque=app:conf:focus:id:ABCDE", meeting.at("onlineMeetingUri"), 1)
		case strings.HasSuffix(target, "/batch"):
			headers = append(headers, "Accept", "multipart/batching")
			for _, path := range []string{"/people/myContacts", "/me"} {
				body += "--77f2569d-c005-442b-b856-782305305e5f\r\nContent-Type: application/http; msgtype=request\r\n\r\nGET " + a.href + path + " HTTP/1.1\r\nHost: lyncweb.contoso.com\r\nAccept: application/json\r\n\r\n"
			}
			body += "--77f2569d-c005-442b-b856-782305305e5f--"
		}
		r := a.send(request(c.method, target, a.token, body, headers...))
		if r.Code != c.status {
			t.Errorf("%s: %d, want %d (mended: %s): %s", c.page, r.Code, c.status, c.mended, r.Body)
		}
		if strings.HasPrefix(c.page, "Schedule") {
			meeting = r
		}
	}
}
