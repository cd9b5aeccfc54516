package ucwatest

import (
	"slices"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// presence is what others see: an Availability, and in words what it means.
type presence struct{ availability, activity string }

var offline = presence{"Offline", "Offline"}

// seen says how a preferred availability reads back. All are Availability
// values of the same name but Offwork, which is being away for a reason.
func seen(preferred string) presence {
	switch preferred {
	case "Online":
		return presence{"Online", "Available"}
	case "DoNotDisturb":
		return presence{"DoNotDisturb", "Do not disturb"}
	case "BeRightBack":
		return presence{"BeRightBack", "Be right back"}
	case "Offwork":
		return presence{"Away", "Off work"}
	default:
		return presence{preferred, preferred}
	}
}

// getPresence serves the user's presence, not the application's: there is one,
// made from all of the user's applications. Source: API reference, presence.
func getPresence(c *call) (answer, error) {
	if c.app.available == nil {
		return answer{}, makeMeAvailableRequired()
	}
	p := c.user.presence()
	return ok(resource("presence",
		object{{"availability", p.availability}, {"activity", p.activity}},
		object{{"self", c.app.link("/me/presence")}}, nil)), nil
}

// postPresence sets the presence, or without an availability resets it to the
// computed one.
func postPresence(c *call) (answer, error) {
	if c.app.available == nil {
		return answer{}, makeMeAvailableRequired()
	}
	c.user.preferred = c.fields.text("availability")
	c.app.act()
	c.user.settle()
	return noContent(), nil
}

// presence is what was set last, by whichever application, or else computed:
// the most available of what the applications signed in as. A user with no
// available application is offline whatever was set, and one who does nothing in
// any of them is idle.
func (u *user) presence() presence {
	ranks := api.Accepted("presence", "availability") // the most available first
	best, idle := -1, away
	for _, a := range u.applications {
		if a.available == nil {
			continue
		}
		idle = min(idle, a.idleness())
		if rank := slices.Index(ranks, a.available.signInAs); best < 0 || rank < best {
			best = rank
		}
	}
	switch {
	case best < 0:
		return offline
	case u.preferred != "":
		return whenIdle(seen(u.preferred), idle)
	default:
		return whenIdle(seen(ranks[best]), idle)
	}
}

// settle ends every operation that may have changed something: it tells the
// user's applications, and those of others who have subscribed to it, of a presence
// that is no longer the one told last.
func (u *user) settle() {
	now := u.presence()
	if now != u.shared {
		u.shared = now
		u.announce("presence")
		u.tellWatchers("contactPresence")
	}
	if now == offline {
		u.preferred = "" // the next sign-in starts afresh
	}
}

// announce queues the update of one of the user's own resources in every
// available application.
func (u *user) announce(rel string) {
	for _, a := range u.applications {
		if a.available != nil {
			a.queue(event{rel: rel, path: a.mine(rel), kind: "updated"})
		}
	}
}
