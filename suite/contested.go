package suite

import (
	"fmt"
	"math"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// A user has one presence and one note. Two runs that set them at the same time each read what the other set, which is no fault of the
// server; a real fault shows when a run has the user for itself. So a driver that reads another value than it set listens for a while:
// a change that an event reports now was made by another client.

// hearOthers listens for events of somebody else, if what was read is not what the driver set. It returns the link with which to go on.
func (s *session) hearOthers(p *personal, link, events ucwa.Link, set, read string) ucwa.Link {
	if len(p.readAs(set)) > 0 && !p.repeats(read, set) && !p.repeats(set, read) && s.surprises < maxSurprises {
		s.surprises++
		events, _ = s.listen(s.eventWait()/10, 2, p, link, events, "")
	}
	return events
}

// maxSurprises bounds how often a driver listens for others: a server that stores nothing surprises each time.
const maxSurprises = 10

// contested says that the value which a driver read after a change may be what somebody else set: before it changed anything
// again, the event channel told of a change. It is "" if nothing shows that.
func (c *check) contested(last observation) string {
	x := last.x
	if c.Evidence == nil || !c.Driven {
		return "" // in a capture others are looked for before: see inDoubt
	}
	for _, l := range Ledgers() {
		p := l.page.sets
		if p == nil || x.Part != p.read || last.Name != p.member {
			continue
		}
		object, _ := x.object()
		if text, isText := object[p.member].(string); !isText || !p.takes(text) {
			return "" // which no client can set
		}
		var before *Exchange // the driver's last change
		next := math.MaxInt
		for _, part := range []string{p.set, p.reset, p.unread} {
			for _, y := range c.parts[part] {
				switch {
				case y.ID > x.ID:
					next = min(next, y.ID)
				case before == nil || y.ID > before.ID:
					before = y
				}
			}
		}
		if before == nil {
			return "" // what makeMeAvailable changed is told then
		}
		if len(c.toldBetween(p, before.ID, x.ID)) == 0 {
			return "" // the next event may be of its own change
		}
		told := c.toldBetween(p, x.ID, next)
		if len(told) > 0 {
			return fmt.Sprintf("another client changed this user's %s during the run: see exchange %d. Run again, with a user that no other run or client uses at that time",
				p.rel, told[0].x.ID)
		}
		return ""
	}
	return ""
}
