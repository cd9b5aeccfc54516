package ucwatest

import "strings"

// Settings for forwarding calls: what happens at once, what rings besides, and what
// happens to calls that nobody answers. They are the user's, and no call ever comes
// of them. Source: API reference, callForwardingSettings and what it links to.

const maxRing = 60 // seconds that a phone rings before something else does; the documentation has no bound

// forwarding is what the user has set; its zero value forwards nothing.
type forwarding struct {
	setting    string // a CallForwardingState; empty: None
	period     string // an ActivePeriod; empty: Always
	immediate  diversion
	ring       diversion
	unanswered diversion
	handled    bool // calls that nobody answers go to unanswered
}

// diversion is where calls go to, and after how long.
type diversion struct {
	target  string // Contact, Voicemail and so on; empty: None
	contact string // the SIP or telephone URI, for Contact
	delay   int    // seconds
}

func getForwarding(c *call) (answer, error) { return ok(c.forwarding()), nil }

func (c *call) forwarding() object {
	f := &c.user.forwarding
	unanswered := "Disabled"
	if f.handled {
		unanswered = "Enabled"
	}
	return c.app.node(c.path, "callForwardingSettings",
		object{c.app.putProperty(c.path), {"activePeriod", orElse(f.period, "Always")}, {"activeSetting", orElse(f.setting, "None")}, {"unansweredCallHandling", unanswered}},
		"turnOffCallForwarding", "immediateForwardSettings", "simultaneousRingSettings", "unansweredCallSettings")
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func putForwarding(c *call) (answer, error) {
	if err := c.matches(c.forwarding()); err != nil {
		return answer{}, err
	}
	period, setting, handled := c.fields.text("activePeriod"), c.fields.text("activeSetting"), c.fields.text("unansweredCallHandling")
	f := c.user.forwarding
	// Nothing can be made active that leads nowhere.
	if setting == "ImmediateForward" && f.immediate.target == "" || setting == "SimultaneousRing" && f.ring.target == "" {
		c.fields.reject("activeSetting", "has no target: set one by the links of immediateForwardSettings or simultaneousRingSettings")
	}
	if err := c.fields.err(); err != nil {
		return answer{}, err
	}
	f.period, f.setting, f.handled = period, setting, handled == "Enabled"
	c.user.forwarding = f
	return getForwarding(c)
}

func turnOffForwarding(c *call) (answer, error) {
	c.user.forwarding.setting = ""
	return noContent(), nil
}

func getImmediate(c *call) (answer, error) {
	return ok(c.diversion("immediateForwardSettings", c.user.forwarding.immediate, false,
		"immediateForwardToContact", "immediateForwardToDelegates", "immediateForwardToVoicemail")), nil
}

func getSimultaneous(c *call) (answer, error) { return ok(c.simultaneous()), nil }
func getUnanswered(c *call) (answer, error)   { return ok(c.unanswered()), nil }

func (c *call) simultaneous() object {
	return c.diversion("simultaneousRingSettings", c.user.forwarding.ring, true,
		"simultaneousRingToContact", "simultaneousRingToDelegates", "simultaneousRingToTeam")
}

func (c *call) unanswered() object {
	return c.diversion("unansweredCallSettings", c.user.forwarding.unanswered, true,
		"resetUnansweredCallSettings", "unansweredCallToContact", "unansweredCallToVoicemail")
}

// diversion is the resource: a target if there is one, and if the server knows the
// contact that it names, a link to it.
func (c *call) diversion(rel string, d diversion, delays bool, children ...string) object {
	var properties object
	if delays { // only those can be replaced
		properties = append(properties, c.app.putProperty(c.path))
	}
	if d.target != "" {
		properties = append(properties, member{"target", d.target})
	}
	if delays {
		properties = append(properties, member{"ringDelay", d.delay})
	}
	links := object{{"self", c.app.link(c.path)}}
	if d.target == "Contact" && c.user.knows(d.contact) {
		links = append(links, member{"contact", c.app.link(contactPath(d.contact))})
	}
	for _, child := range children {
		links = append(links, member{child, c.app.link(c.path + "/" + child)})
	}
	return resource(rel, properties, links, nil)
}

// forwardTo sets where calls go to, and makes that the active setting.
func forwardTo(setting, target string) operation {
	return func(c *call) (answer, error) {
		f := &c.user.forwarding
		d := &f.immediate
		if setting == "SimultaneousRing" {
			d = &f.ring
		}
		if err := c.divert(d, target); err != nil {
			return answer{}, err
		}
		f.setting = setting
		return noContent(), nil
	}
}

func unansweredTo(target string) operation {
	return func(c *call) (answer, error) {
		if err := c.divert(&c.user.forwarding.unanswered, target); err != nil {
			return answer{}, err
		}
		c.user.forwarding.handled = true
		return noContent(), nil
	}
}

func resetUnanswered(c *call) (answer, error) {
	c.user.forwarding.unanswered, c.user.forwarding.handled = diversion{}, false
	return noContent(), nil
}

// divert takes over what was sent, all or nothing.
func (c *call) divert(d *diversion, target string) error {
	to := diversion{target: target, delay: c.fields.number("ringDelay")}
	if target == "Contact" {
		to.contact = c.fields.text("target")
		if !isAddress(to.contact) {
			c.fields.reject("target", "is missing, or no sip: or tel: URI")
		}
	}
	if err := c.fields.err(); err != nil {
		return err
	}
	*d = to
	return nil
}

// isAddress tells whether somebody can be called under a URI.
func isAddress(uri string) bool {
	scheme, rest, _ := strings.Cut(uri, ":")
	return !strings.Contains(uri, "/") && (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "tel")) && rest != "" && len(uri) <= maxURI
}

func putSimultaneous(c *call) (answer, error) {
	return c.putDiversion(c.simultaneous, &c.user.forwarding.ring)
}

func putUnanswered(c *call) (answer, error) {
	return c.putDiversion(c.unanswered, &c.user.forwarding.unanswered)
}

// putDiversion changes the delay, and the target to one that needs no more to be
// said: to whom calls go, only the links that set a contact can tell.
func (c *call) putDiversion(now func() object, d *diversion) (answer, error) {
	if err := c.matches(now()); err != nil {
		return answer{}, err
	}
	to := diversion{target: c.fields.text("target"), contact: d.contact}
	c.fields.take("ringDelay", &to.delay, "a number")
	switch {
	case to.delay < 0 || to.delay > maxRing:
		c.fields.reject("ringDelay", "is no number of seconds from 0 to 60")
	case to.target == "None":
		to.target = ""
	case to.target == "Contact" && d.target != "Contact":
		c.fields.reject("target", "is a contact, and whom must be said by a POST on the link for it")
	}
	if err := c.fields.err(); err != nil {
		return answer{}, err
	}
	switch to.target {
	case "Team":
		return answer{}, noTeam
	case "Delegates":
		return answer{}, noDelegates
	}
	*d = to
	return ok(now()), nil
}
