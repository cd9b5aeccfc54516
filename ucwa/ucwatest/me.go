package ucwatest

import (
	"net/http"
	"net/url"
	"slices"
	"time"
)

// availability is what makeMeAvailable said.
type availability struct {
	signInAs       string // a PreferredAvailability
	modalities     []string
	messageFormats []string
	audioRoute     string // an AudioPreference
	phoneNumber    string
	history        string        // a GenericPolicy; empty: Disabled
	idle           time.Duration // of no activity that make the user idle
}

func getMe(c *call) (answer, error) { return ok(c.app.me()), nil }

func (a *application) me() object {
	return resource("me", append(a.user.card(), a.user.numbers(false)...), a.meLinks(), nil)
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
	if !a.user.NoPhoto {
		links = append(links, member{"photo", a.link(photosPath + url.PathEscape(a.user.address()))})
	}
	return links
}

// postMakeMeAvailable signs the application in. Source: API reference,
// makeMeAvailable. That of its time spans which is about calls has no effect.
func postMakeMeAvailable(c *call) (answer, error) {
	a, f := c.app, c.fields
	if a.available != nil {
		return answer{}, refuse(http.StatusConflict, "AlreadyExists", "The application has used makeMeAvailable before.")
	}
	said := &availability{
		signInAs:       f.text("signInAs"),
		modalities:     f.list("supportedModalities"),
		messageFormats: f.list("supportedMessageFormats"),
		audioRoute:     f.text("audioPreference"),
		phoneNumber:    f.text("phoneNumber"),
	}
	said.idle = f.span("inactiveTimeout", defaultIdle)
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
	a.act()
	a.announceAvailability()
	a.user.settle()
	return noContent(), nil
}

func (u *user) allows(asked []string) bool {
	return u.Modalities == nil || !slices.ContainsFunc(asked, func(m string) bool { return !slices.Contains(u.Modalities, m) })
}

// announceAvailability queues what the event channel tells of makeMeAvailable.
func (a *application) announceAvailability() {
	a.queue(event{rel: "me", path: "/me", kind: "updated"})
	for _, rel := range []string{"presence", "note", "location"} {
		a.queue(event{rel: rel, path: a.mine(rel), kind: "added"})
	}
	a.tellCommunication()
	a.user.tellWatchers("contactSupportedModalities")
}

// mine is the path of one of the user's own resources.
func (a *application) mine(rel string) string {
	if rel == "me" {
		return "/me"
	}
	return "/me/" + rel
}

// postReportMyActivity takes notice that the user is there: whoever was idle is no
// longer, and that is told.
func postReportMyActivity(c *call) (answer, error) {
	if c.app.available == nil {
		return answer{}, makeMeAvailableRequired()
	}
	c.app.act()
	c.user.settle()
	return noContent(), nil
}
