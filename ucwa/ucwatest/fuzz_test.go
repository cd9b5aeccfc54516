package ucwatest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// FuzzHandler sends what it likes to an application, twice: nothing may panic,
// answer 5xx but for a GET given up, or answer with content that is not what it says.
func FuzzHandler(f *testing.F) {
	f.Add("GET", "", "Accept: application/json\nAccept-Encoding: gzip;q=0.1", "")
	f.Add("POST", "/me/makeMeAvailable", "Content-Type: application/json", `{"SupportedModalities": ["Messaging"]}`)
	f.Add("POST", "/me/presence", "Content-Type: application/json; charset=utf-8", `{"availability":"Online"}`)
	f.Add("POST", "/me/note", "Content-Type: application/vnd.microsoft.com.ucwa+json", `{"message":"\ud800"}`)
	f.Add("GET", "/events?ack=1&low=5&medium=5&timeout=180&priority=low", "Accept: */*;q=0.3,text/html", "")
	f.Add("GET", "/events?ack=9", "X-Ms-Origin: http://app.contoso.com", "")
	f.Add("GET", "/photos/Dana@contoso.com", "Cookie: cwt_ucwa=x", "")
	f.Add("POST", "/../applications", "Content-Type: application/json", `{"userAgent":"x","culture":"en","endpointId":"22222222-2222-2222-2222-000000000001"}`)
	f.Add("DELETE", "", "", "")
	f.Add("OPTIONS", "/me", "", "")
	f.Add("HEAD", "/me", "X-MS-RequiresMinResourceVersion: 2", "")
	f.Add("POST", "/me/note?message=x", "Content-Type: application/xml\nAccept: application/xml", `<input xmlns="http://schemas.microsoft.com/rtc/2012/03/ucwa"><property name="message">x</property></input>`)
	f.Add("POST", "/batch", "Content-Type: multipart/batching;boundary=x\nAccept: multipart/batching", batchOf("GET "+root+"/101/me HTTP/1.1\r\n\r\n"))
	f.Add("PUT", "/communication", "Content-Type: application/json\nIf-Match: *", `{"supportedModalities":["Messaging"],"conversationHistory":"Enabled"}`)
	f.Add("PUT", "/me/callForwardingSettings", `If-Match: "1", W/"2"`, `{}`)
	f.Add("POST", "/me/callForwardingSettings/unansweredCallSettings/unansweredCallToContact?target=sip:x@y&ringDelay=5", "", "")
	f.Add("POST", "/me/phones/home/changeNumber", "Content-Type: application/json", `{"number":"+14255550123","includeInContactCard":true}`)
	f.Add("POST", "/onlineMeetings/myOnlineMeetings", "Content-Type: application/json", `{"subject":"x","attendees":["sip:x@y"],"expirationTime":"2013-01-17T00:00:00Z"}`)
	f.Add("GET", "/people/search?query=dana&limit=1", "Accept: application/vnd.microsoft.com.ucwa+xml", "")
	f.Add("POST", "/communication/startMessaging", "Content-Type: application/xml", `<input xmlns="http://schemas.microsoft.com/rtc/2012/03/ucwa"><property name="to">sip:x@y</property><link rel="message" href="data:,x"/></input>`)
	f.Add("POST", "/people/presenceSubscriptions", "Content-Type: application/json", `{"duration":11,"Uris":["sip:x@y","tel:+1"]}`)
	f.Add("POST", "/people/myGroupMemberships?contactUri=sip:a%20b@c", "Content-Type: application/json", `{"groupId":"pinnedGroup"}`)
	f.Add("POST", "/people/subscribeToGroupPresence?groupId=defaultGroup&duration=30", "", "")
	f.Add("POST", "/communication/startOnlineMeeting", "Content-Type: application/json", `{"subject":"x","operationId":"1","importance":"Urgent"}`)
	f.Add("GET", "/people/contacts/sip:dana@contoso.com/contactNote", "", "")
	f.Add("POST", "/communication/startMessaging", "Content-Type: application/json", `{"to":"sip:x@y","operationId":"1"}`)
	f.Fuzz(func(t *testing.T, method, path, headers, body string) {
		target, err := url.Parse(root + "/101" + path)
		if err != nil {
			t.Skip()
		}
		if path == "/../applications" {
			target.Path = root
		}
		server := ucwatest.New(ucwatest.Config{Clock: ucwatest.NewManualClock(start), IDs: counter(), Origins: []string{origin}})
		w := &world{T: t, server: server}
		a := w.create(server.AddUser(dana), 0)
		a.makeAvailable("")
		given, cancel := context.WithCancel(t.Context())
		cancel() // no GET is held
		for range 2 {
			r := (&http.Request{Method: method, URL: target, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}).WithContext(given)
			r.Header.Set("Authorization", "Bearer "+a.token)
			for line := range strings.SplitSeq(headers, "\n") {
				name, value, _ := strings.Cut(line, ":")
				r.Header.Add(name, strings.TrimSpace(value))
			}
			rec := httptest.NewRecorder()
			server.ServeHTTP(rec, r)
			switch mediaType := rec.Header().Get("Content-Type"); {
			case rec.Code >= 500 && !strings.HasPrefix(path, "/events"):
				t.Errorf("%d: %s", rec.Code, rec.Body)
			case rec.Code == 204, rec.Code == 201 && rec.Header().Get("Location") != "" && mediaType == "":
				if rec.Body.Len() > 0 {
					t.Errorf("%d with %q", rec.Code, rec.Body)
				}
			case mediaType == "image/jpeg", mediaType == "text/html" && rec.Code == 401:
			case strings.HasPrefix(mediaType, "multipart/batching; boundary=") && rec.Code == 200:
			case !strings.HasSuffix(mediaType, "json; charset=utf-8") && !strings.HasSuffix(mediaType, "xml; charset=utf-8"):
				t.Errorf("%d %s", rec.Code, mediaType)
			case rec.Header().Get("Content-Encoding") != "" || method == "HEAD":
			case strings.HasSuffix(mediaType, "xml; charset=utf-8"):
				if err := xml.Unmarshal(rec.Body.Bytes(), new(struct{})); err != nil {
					t.Errorf("%d: %v: %q", rec.Code, err, rec.Body)
				}
			case !json.Valid(rec.Body.Bytes()) || !bytes.HasPrefix(rec.Body.Bytes(), []byte("{")):
				t.Errorf("%d: %q", rec.Code, rec.Body)
			}
		}
	})
}
