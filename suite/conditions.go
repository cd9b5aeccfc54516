package suite

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/reports"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// blockedBy says which earlier failure is the reason that a part is missing, ""
// if there is none, and what that makes of the spec: what a capture lost is an error.
func (e *Evidence) blockedBy(name string) (verdict reports.Verdict, reason string) {
	p := roleOf(name)
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
				return reports.NotExercised, fmt.Sprintf("the user resource of exchange %d redirects to the home pool of the user, %s, and the client did not go on there: follow its redirect link to that Autodiscover root, and sign in again", x.ID, home)
			}
			continue
		}
		if x.Failure != "" {
			why = fmt.Sprintf("exchange %d, the %s, got no whole answer: %s", x.ID, roleOf(p.after).describe(), x.Failure)
		} else if x.later() {
			why = laterReason(x)
		} else if id := p.blocks(e, x); id != "" {
			why = reports.BlockedBy(id, x.ID)
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

// blocks returns the requirement that x, which comes before the role, breaks, so that there is no way to it: it is ready, or
// sound and has a link of its own that can be followed.
func (r role) blocks(e *Evidence, x *Exchange) string {
	if r.ready != nil {
		return r.ready(e, x)
	}
	if id := sound(e, x); id != "" {
		return id
	}
	object, _ := x.object()
	link, _ := dig(object, strings.Split(r.lead, ".")...)
	if _, err := resolveOwn(link, x.url); err != nil {
		return e.broken(x, r.lead)
	}
	return ""
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
