package suite

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// condition says what must have gone well for a part to be there.
type condition struct {
	title string
	after string                                // the part before it, "" if none
	ready func(e *Evidence, x *Exchange) string // the requirement that x, of that part, broke; "" if the way is clear
}

var conditions = map[string]condition{
	partRoot:      {title: "GET on an Autodiscover root"},
	partChallenge: {"GET on the user resource without a token", partRoot, offersUser},
	partToken:     {"POST on a token endpoint", partChallenge, challenges},
	partUser:      {"GET on the user resource with a token", partToken, givesToken},
	partCreate:    {"POST that created the application", partUser, offersApplications},
	partAgain:     {"POST with the endpointId of an application that there is", partCreate, sound},
	partBefore:    {"GET on the application before makeMeAvailable", partCreate, sound},
	partMake:      {"POST on makeMeAvailable", partBefore, offers("_embedded.me._links.makeMeAvailable")},
	partAfter:     {"GET on the application after makeMeAvailable", partMake, accepted},
	partPresence:  {"POST on presence", partAfter, offers("_embedded.me._links.presence")},
	partRead:      {"GET on presence after makeMeAvailable", partAfter, offers("_embedded.me._links.presence")},
	partEvents:    {"answer on the event channel", partAfter, offers("_links.events")},
	partReset:     {"POST on presence with an empty body", partAfter, offers("_embedded.me._links.presence")},
	partEnd:       {"DELETE on the application", partCreate, sound},
	"gone":        {"request on the application after its DELETE (which --keep-application leaves out)", partEnd, ended},
}

// conditionOf returns the condition of any part, the refusals included.
func conditionOf(part string) condition {
	if c, ok := conditions[part]; ok {
		return c
	}
	c := condition{title: "request that must be refused so"}
	switch rel := probes[part].rel; {
	case part == "modality" || part == "anonymous":
		// These need an application of another user, not a step of this one.
	case rel == relToken:
		c.after, c.ready = partChallenge, challenges
	case strings.HasPrefix(part, "create-"):
		c.after, c.ready = partUser, offersApplications
	case strings.HasSuffix(part, "-before") || rel == "application":
		c.after, c.ready = partBefore, sound
	case rel == "makeMeAvailable":
		c.after, c.ready = partMake, accepted
	case rel == "presence":
		c.after, c.ready = partAfter, offers("_embedded.me._links.presence")
	}
	return c
}

// blockedBy says which earlier failure is the reason that a part is missing, ""
// if there is none, and what that makes of the spec: what a capture lost is an error.
func (e *Evidence) blockedBy(name string) (verdict reports.Verdict, reason string) {
	p := conditionOf(name)
	if p.after == "" {
		return "", ""
	}
	before := e.parts[p.after]
	if len(before) == 0 {
		return e.blockedBy(p.after)
	}
	verdict = reports.Blocked
	for i, x := range before {
		why := ""
		if home := x.redirectsTo(); home != "" && p.after == partUser {
			if i == len(before)-1 && reason == "" {
				return reports.NotExercised, fmt.Sprintf("the user resource of exchange %d redirects to the home pool of the user, %s, and nobody went on there: follow its redirect link to that Autodiscover root, and sign in again", x.ID, home)
			}
			continue
		}
		if x.Failure != "" {
			why = fmt.Sprintf("exchange %d, the %s, got no whole answer: %s", x.ID, conditionOf(p.after).title, x.Failure)
		} else if x.later() {
			why = laterReason(x)
		} else if id := p.ready(e, x); id != "" {
			why = fmt.Sprintf("%s: see exchange %d", id, x.ID)
			if x.succeeded() && x.lost || x.answerHeadersLost() && !e.Driven {
				verdict, why = reports.Error, x.lostBody()
			}
			if e.withheld(x) {
				verdict, why = reports.NotExercised, withheldReason
			}
		}
		if why == "" {
			return "", ""
		}
		reason = cmp.Or(reason, why)
	}
	return verdict, reason
}

// sound: the answer is a success with a JSON object in it.
func sound(_ *Evidence, x *Exchange) string {
	p := owners()[x.Part]
	if !x.succeeded() {
		return p.status
	}
	if _, err := x.object(); err != nil {
		return p.json
	}
	return ""
}

// accepted: the answer says that the server did what it was asked.
func accepted(_ *Evidence, x *Exchange) string {
	if x.succeeded() || x.Response.Code == http.StatusConflict {
		return ""
	}
	return owners()[x.Part].status
}

// ended: the application is gone.
func ended(e *Evidence, x *Exchange) string {
	if accepted(e, x) == "" {
		return ""
	}
	return "DELETE on the application"
}

// offers: the answer is sound, and has a link of its own at a path that can be followed.
func offers(path string) func(*Evidence, *Exchange) string {
	names := strings.Split(path, ".")
	return func(e *Evidence, x *Exchange) string {
		if id := sound(e, x); id != "" {
			return id
		}
		object, _ := x.object()
		link, _ := dig(object, names...)
		if _, err := resolveOwn(link, x.url); err != nil {
			return e.broken(x, path)
		}
		return ""
	}
}

// offersUser: the root leads on to a user resource.
func offersUser(e *Evidence, x *Exchange) string {
	if id := sound(e, x); id != "" || x.leadsOn(relRoot)[relUser] != nil {
		return id
	}
	return e.broken(x, "_links.user")
}

// challenges: the answer tells where tokens are to be had.
func challenges(e *Evidence, x *Exchange) string {
	switch {
	case x.Response.Code != http.StatusUnauthorized:
		return owners()[x.Part].status
	case issuerOf(x) == nil:
		return e.broken(x, "header WWW-Authenticate")
	}
	return ""
}

// givesToken: the answer has a token in it.
func givesToken(e *Evidence, x *Exchange) string {
	if id := sound(e, x); id != "" {
		return id
	}
	object, _ := x.object()
	if text, _ := object["access_token"].(string); text == "" {
		return e.broken(x, "access_token")
	}
	return ""
}

// redirectsTo returns where a user resource sends on a user who is homed on another pool, "" if it does not.
func (x *Exchange) redirectsTo() string {
	object, _ := x.object()
	href, _ := dig(object, "_links", "redirect", "href")
	text, _ := href.(string)
	if u, err := ucwa.Resolve(x.url, text); err == nil && text != "" && x.succeeded() {
		return ucwa.Origin(u)
	}
	return ""
}

// offersApplications: the user resource leads on to the applications.
func offersApplications(e *Evidence, x *Exchange) string {
	if id := sound(e, x); id != "" {
		return id
	}
	object, _ := x.object()
	href, _ := dig(object, "_links", "applications", "href")
	text, _ := href.(string)
	if _, err := ucwa.Resolve(x.url, text); err != nil {
		return e.broken(x, "_links.applications")
	}
	return ""
}
