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
	links := []string{"conversations", "startMessaging", "startOnlineMeeting", "joinOnlineMeeting", "mediaPolicies", "mediaRelayAccessToken", "missedItems"}
	if said == nil {
		said = &availability{}
	}
	if slices.Contains(said.modalities, "PhoneAudio") {
		links = append(links, "startPhoneAudio")
	}
	formats := said.messageFormats
	if len(formats) == 0 {
		formats = []string{"Plain"}
	}
	history := "Disabled"
	if said.history == "Enabled" {
		history = said.history
		links = append(links, "conversationLogs")
	}
	properties := object{
		a.putProperty("/communication"),
		{"supportedModalities", append([]string{}, said.modalities...)},
		{"supportedMessageFormats", formats},
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

// putCommunication says anew what makeMeAvailable said first. What is absent
// becomes what it is without having been said. Source: API reference,
// communication.
func putCommunication(c *call) (answer, error) {
	a, f := c.app, c.fields
	if err := c.matches(a.communication()); err != nil {
		return answer{}, err
	}
	said := &availability{
		modalities:     f.someOf("communication", "supportedModalities"),
		messageFormats: f.someOf("communication", "supportedMessageFormats"),
		audioRoute:     f.oneOf("communication", "audioPreference"),
		phoneNumber:    f.text("phoneNumber"),
		history:        f.oneOf("communication", "conversationHistory"),
	}
	if err := f.err(); err != nil {
		return answer{}, err
	}
	if a.available == nil {
		return answer{}, makeMeAvailableRequired()
	}
	if !a.user.allows(said.modalities) {
		return answer{}, refuse(http.StatusForbidden, "", "The deployment does not allow a modality.")
	}
	before := etag(a.communication())
	said.signInAs, said.idle = a.available.signInAs, a.available.idle
	a.available = said
	if etag(a.communication()) != before {
		a.queue("communication", "communication", "updated")
	}
	a.user.settle()
	return ok(a.communication()), nil
}

// starts is a POST that would begin a conversation, of which there are none here:
// once it is well formed, it is refused in a way that the reference has for it, before
// makeMeAvailable as after.
func starts(no *refusal, required ...string) operation {
	return func(c *call) (answer, error) {
		c.query("to", "onlineMeetingUri")
		for _, name := range required {
			c.fields.required("startMessaging", name)
		}
		c.fields.oneOf("startMessaging", "importance")
		for _, name := range []string{"operationId", "subject", "threadId", "phoneNumber", "onlineMeetingUri"} {
			c.fields.text(name)
		}
		if err := c.fields.err(); err != nil {
			return answer{}, err
		}
		return answer{}, no
	}
}
