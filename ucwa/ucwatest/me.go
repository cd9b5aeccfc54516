package ucwatest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// photoPath stands for /photos/<address>, whoever's address it is.
const photoPath = "/photos/"

var (
	modalities     = []string{"Audio", "Video", "PhoneAudio", "ApplicationSharing", "Messaging", "DataCollaboration", "PanoramicVideo"}
	messageFormats = []string{"Plain", "Html"}
	audioRoutes    = []string{"PhoneAudio", "VoipAudio"}
)

// availability is what makeMeAvailable said.
type availability struct {
	signInAs       string // a PreferredAvailability
	modalities     []string
	messageFormats []string
	audioRoute     string // an AudioPreference
	phoneNumber    string
}

func getMe(c *call) (answer, error) { return ok(c.app.me()), nil }

func (a *application) me() object {
	u := a.user
	properties := object{{"name", u.Name}, {"uri", u.URI}}
	if u.Email != "" {
		properties = append(properties, member{"emailAddresses", []string{u.Email}})
	}
	if u.Title != "" {
		properties = append(properties, member{"title", u.Title})
	}
	if u.Department != "" {
		properties = append(properties, member{"department", u.Department})
	}
	return resource("me", properties, a.meLinks(), nil)
}

// meLinks are makeMeAvailable until it has been used, and then what it makes
// available instead.
func (a *application) meLinks() object {
	links := object{{"self", a.link("/me")}}
	if a.available == nil {
		links = append(links, member{"makeMeAvailable", a.link("/me/makeMeAvailable")})
	} else {
		links = append(links,
			member{"note", a.link("/me/note")},
			member{"presence", a.link("/me/presence")},
			member{"location", a.link("/me/location")},
			member{"reportMyActivity", a.link("/me/reportMyActivity")})
	}
	if !a.user.Anonymous {
		links = append(links,
			member{"callForwardingSettings", a.link("/me/callForwardingSettings")},
			member{"phones", a.link("/me/phones")})
	}
	return append(links, member{"photo", a.link(photoPath + url.PathEscape(a.user.address()))})
}

// postMakeMeAvailable signs the application in. Source: API reference,
// makeMeAvailable. Its time spans are accepted and have no effect: nobody is
// ever idle here.
func postMakeMeAvailable(c *call) (answer, error) {
	a, f := c.app, c.fields
	if a.user.Anonymous {
		return answer{}, anonymousNotAllowed()
	}
	if a.available != nil {
		return answer{}, refuse(http.StatusConflict, "AlreadyExists", "The application has used makeMeAvailable before.")
	}
	said := &availability{
		signInAs:       f.oneOf("signInAs", preferredAvailabilities),
		modalities:     f.someOf("supportedModalities", modalities),
		messageFormats: f.someOf("supportedMessageFormats", messageFormats),
		audioRoute:     f.oneOf("audioPreference", audioRoutes),
		phoneNumber:    f.text("phoneNumber"),
	}
	f.text("inactiveTimeout")
	f.text("voipFallbackToPhoneAudioTimeOut")
	if err := f.err(); err != nil {
		return answer{}, err
	}
	if !a.user.allows(said.modalities) {
		return answer{}, refuse(http.StatusForbidden, "", "The deployment does not allow a modality.")
	}
	if said.signInAs == "" {
		said.signInAs = "Online"
	}
	a.available = said
	a.announceAvailability()
	a.user.settle()
	return noContent(), nil
}

func (u *user) allows(asked []string) bool {
	return u.Modalities == nil || !slices.ContainsFunc(asked, func(m string) bool { return !slices.Contains(u.Modalities, m) })
}

// announceAvailability queues what the event channel tells of makeMeAvailable.
func (a *application) announceAvailability() {
	a.queue("me", "me", "updated")
	a.queue("me", "presence", "added")
	a.queue("me", "note", "added")
	a.queue("me", "location", "added")
	a.queue("communication", "communication", "updated")
}

// postReportMyActivity takes notice that the user is there. It raises no
// event: nobody is ever idle here.
func postReportMyActivity(c *call) (answer, error) {
	if c.user.Anonymous {
		return answer{}, anonymousNotAllowed()
	}
	if c.app.available == nil {
		return answer{}, makeMeAvailableRequired()
	}
	return noContent(), nil
}

// Phones and the settings for forwarding calls are there to be read, and say
// that the user has none.

func getPhones(c *call) (answer, error) {
	if c.user.Anonymous {
		return answer{}, anonymousNotAllowed()
	}
	return ok(resource("phones", nil, object{{"self", c.app.link("/me/phones")}}, nil)), nil
}

func getCallForwardingSettings(c *call) (answer, error) {
	if c.user.Anonymous {
		return answer{}, anonymousNotAllowed()
	}
	return ok(resource("callForwardingSettings",
		object{{"activePeriod", "Always"}, {"activeSetting", "None"}, {"unansweredCallHandling", "Disabled"}},
		object{{"self", c.app.link("/me/callForwardingSettings")}}, nil)), nil
}

// getPhoto serves the user's own photo; others' are not there.
func getPhoto(c *call) (answer, error) {
	_, whose, _ := strings.Cut(c.request.URL.Path, photoPath)
	if !strings.EqualFold(whose, c.user.address()) {
		return answer{}, notFound()
	}
	return answer{status: http.StatusOK, mediaType: "image/png", raw: photo}, nil
}

// photo is eight by eight pixels of blue.
var photo = func() []byte {
	picture := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.RGBA{0x00, 0x78, 0xd4, 0xff}})
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		panic(err) // a picture of one colour can be encoded
	}
	return b.Bytes()
}()
