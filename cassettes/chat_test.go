package cassettes

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestChatIsHidden plants what people write to each other wherever UCWA carries it: nothing of it is left, short words outside of
// it stay what they are, and what is no chat is as it was.
func TestChatIsHidden(t *testing.T) {
	const app = "https://pool.contoso.com/ucwa/oauth/v1/applications/101"
	for _, said := range []string{"We close the Canary plant in May", "Canary", "Canary? Größe \"7\" & <b>don't</b>, 100%", "canary\r\nin two lines"} {
		text := url.PathEscape(said)
		event := `{"sender":[{"rel":"conversation","events":[{"_embedded":{"message":{"direction":"Incoming","_links":{"plainMessage":{"href":"data:text/plain;charset=utf-8,` + text +
			`"},"htmlMessage":{"href":"data:text/html;charset=utf-8;base64,` + base64.StdEncoding.EncodeToString([]byte(said)) + `"}}}}}]}]}`
		chat := func(method, path, media, body, answer string) Exchange {
			x := exchange(method, app+path, body, 200, answer)
			x.Request.Headers = http.Header{"content-type": {media}}
			return x
		}
		c := tape(get(app+"/events?ack=1", event),
			chat("POST", "/communication/conversations/1/messaging/messages", "text/plain; charset=utf-8", said, ""),
			chat("POST", "/communication/conversations/1/messaging/messages", "TEXT/HTML", said, ""),
			chat("POST", "/communication/messagingInvitations", "application/json", `{"subject":"Canary talk","_links":{"message":{"href":"data:text/plain,`+text+`"}}}`, ""),
			chat("POST", "/batch", `multipart/batching;boundary="b"`, "--b\r\nContent-Type: application/http\r\n\r\nPOST /ucwa/oauth/v1/applications/101/communication/conversations/1/messaging/messages HTTP/1.1\r\n"+
				"Content-Type: text/plain\r\n\r\n"+said+"\r\n--b--\r\n", ""),
			chat("POST", "/me/makeMeAvailable", "text/plain", `{"SupportedModalities":["Messaging"]}`, ""))
		hidden, err := c.Anonymized(AnonymizeOptions{})
		if err != nil {
			t.Errorf("%q: %v", said, err)
			continue
		}
		content := string(encode(t, hidden))
		if strings.Contains(strings.ToLower(content), "canary") || strings.Contains(content, base64.StdEncoding.EncodeToString([]byte(said))) {
			t.Errorf("%q is left in\n%s", said, content)
		}
		if got := hidden.Exchanges[0].Response.Body; !strings.Contains(got, `"href":"data:text/plain;charset=utf-8,name-`) || !strings.Contains(got, `"direction":"Incoming"`) {
			t.Errorf("the event became %s", got)
		}
		if got := hidden.Exchanges[5].Request.Body; got != `{"SupportedModalities":["Messaging"]}` {
			t.Errorf("a body that is no chat became %s", got)
		}
		if again, err := hidden.Anonymized(AnonymizeOptions{}); err != nil || string(encode(t, again)) != content {
			t.Errorf("%q: to hide it again changes it: %v", said, err)
		}
	}
}

// TestChatOfAWord holds that a message of one word hides that word nowhere else.
func TestChatOfAWord(t *testing.T) {
	c := tape(get("https://pool.contoso.com/ucwa/oauth/v1/applications/101/events?ack=1", `{"plainMessage":{"href":"data:text/plain,Online"},"availability":"Online","rel":"events"}`))
	hidden, err := c.Anonymized(AnonymizeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := hidden.Exchanges[0].Response.Body; !strings.Contains(got, `"availability":"Online","rel":"events"`) || !strings.Contains(got, `"data:text/plain,name-`) {
		t.Errorf("it became %s", got)
	}
}
