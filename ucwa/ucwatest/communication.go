package ucwatest

import (
	"net/http"
	"slices"
)

func getCommunication(c *call) (answer, error) { return ok(c.app.communication()), nil }

// communication shows what makeMeAvailable said. A conversation can be started without that,
// in plain text, but not accepted.
func (a *application) communication() object {
	said := a.available
	links := []string{"conversations", "startOnlineMeeting", "joinOnlineMeeting", "mediaPolicies", "mediaRelayAccessToken", "missedItems"}
	if a.user.allows([]string{"Messaging"}) {
		links = slices.Insert(links, 1, "startMessaging")
	}
	if said == nil {
		said = &availability{}
	}
	if slices.Contains(said.modalities, "PhoneAudio") {
		links = append(links, "startPhoneAudio")
	}
	history := "Disabled"
	if said.history == "Enabled" {
		history = said.history
		links = append(links, "conversationLogs")
	}
	properties := object{
		a.putProperty("/communication"),
		{"supportedModalities", append([]string{}, said.modalities...)},
		{"supportedMessageFormats", a.formats()},
		{"conversationHistory", history},
	}
	if said.audioRoute != "" {
		properties = append(properties, member{"audioPreference", said.audioRoute})
	}
	if said.phoneNumber != "" {
		properties = append(properties, member{"phoneNumber", said.phoneNumber})
	}
	return a.node("/communication", "communication", properties, links...)
}

func (a *application) tellCommunication() {
	a.queue(event{rel: "communication", path: "/communication", kind: "updated"})
}

// putCommunication says anew what makeMeAvailable said first. What is absent
// becomes what it is without having been said. Source: API reference,
// communication.
func putCommunication(c *call) (answer, error) {
	a, f := c.app, c.fields
	if err := c.matches(a.communication()); err != nil {
		return answer{}, err
	}
	said := &availability{
		modalities:     f.list("supportedModalities"),
		messageFormats: f.list("supportedMessageFormats"),
		audioRoute:     f.text("audioPreference"),
		phoneNumber:    f.text("phoneNumber"),
		history:        f.text("conversationHistory"),
	}
	switch {
	case a.available == nil:
		return answer{}, makeMeAvailableRequired()
	case !a.user.allows(said.modalities):
		return answer{}, refuse(http.StatusForbidden, "", "The deployment does not allow a modality.")
	}
	before := etag(a.communication())
	said.signInAs, said.idle = a.available.signInAs, a.available.idle
	a.available = said
	if etag(a.communication()) != before {
		a.tellCommunication()
	}
	a.user.settle()
	return ok(a.communication()), nil
}

func getMissedItems(c *call) (answer, error) {
	return ok(c.app.node(c.path, "missedItems", object{
		{"conversationLogsCount", 0},
		{"conversationLogsNotifications", "Disabled"},
		{"missedConversationsCount", c.user.missed},
		{"unreadMissedConversationsCount", c.user.missed},
		{"unreadVoicemailsCount", 0},
		{"voiceMailsCount", 0},
	})), nil
}
