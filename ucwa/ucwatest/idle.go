package ucwatest

import (
	"strings"
	"time"
)

// defaultIdle is how long nothing is done before a user is idle, unless
// makeMeAvailable says otherwise by inactiveTimeout. After as long again the user
// is away. What counts as doing something is makeMeAvailable, reportMyActivity, and
// setting the presence. Source: API reference, makeMeAvailable and reportMyActivity;
// of being away they do not say when.
const defaultIdle = 5 * time.Minute

// How idle a user is.
const (
	busy     = iota // with something
	inactive        // for as long as makes him idle
	away            // for twice as long
)

// act notes that the user has done something.
func (a *application) act() {
	a.active = a.server.clock.Now()
	a.renew()
}

// idleness is how idle the user is in this application, which must be available.
func (a *application) idleness() int {
	if a.scripted {
		return busy
	}
	return int(min(a.server.clock.Now().Sub(a.active)/a.available.idle, away))
}

// nextIdle is when the user is idler than now, if ever.
func (a *application) nextIdle() (at time.Time, more bool) {
	if a.available == nil {
		return time.Time{}, false
	}
	level := a.idleness()
	return a.active.Add(time.Duration(level+1) * a.available.idle), level < away
}

// whenIdle is what is seen of an idle user. Who has said that he is away, or is not
// to be disturbed, is seen as that.
func whenIdle(p presence, idle int) presence {
	if idle == busy || p.availability != "Online" && p.availability != "Busy" {
		return p
	}
	if idle == away {
		return presence{"Away", "Away"}
	}
	return presence{"Idle" + p.availability, "Inactive"}
}

// span is the value of an optional time span, as XML Schema and .NET write it: PT5M
// or 00:05:00. It is at least a second, at most a day.
func (f *fields) span(name string, absent time.Duration) time.Duration {
	given := f.text(name)
	if given == "" {
		return absent
	}
	var d time.Duration
	var err error
	if rest, iso := strings.CutPrefix(given, "PT"); iso && strings.Trim(rest, "0123456789.HMS") == "" {
		d, err = time.ParseDuration(strings.ToLower(rest))
	} else {
		var at time.Time
		at, err = time.Parse(time.TimeOnly, given)
		d = at.Sub(at.Truncate(24 * time.Hour))
	}
	if err != nil || d < time.Second || d > 24*time.Hour {
		f.reject(name, "is no time span from a second to a day, such as PT5M or 00:05:00")
		return absent
	}
	return d
}
