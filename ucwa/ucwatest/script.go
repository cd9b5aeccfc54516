package ucwatest

import "slices"

// Script is what a user does who has no client.
type Script struct{ Name, Does string }

// Scripts returns what [User].Script can be.
func Scripts() []Script {
	return []Script{
		{"echo", "takes every invitation, and sends back what comes"},
		{"accept", "takes every invitation"},
		{"decline", "declines every invitation"},
		{"silent", "lets every invitation ring"},
	}
}

// A user with a script has somebody to talk to for those who write clients and have one account.
// Source: none; it is what tests need.

// signIn has a user with a script signed in, without a client.
func (u *user) signIn() {
	if u.Script == "" || len(u.applications) > 0 {
		return
	}
	a, _, err := u.create("script", "en-US", "script")
	if err != nil {
		return // there are no names left for applications: nobody else can come, either
	}
	a.channel.stopAlarm()
	a.scripted, a.channel.stopAlarm = true, nil
	a.available = &availability{signInAs: "Online", modalities: []string{"Messaging"}, messageFormats: []string{"Plain", "Html"}, idle: defaultIdle}
	u.settle()
}

// answerByScript does with an invitation what the script of the one who is invited says.
func (u *user) answerByScript(i *invitation) {
	if u.Script == "" || u.Script == "silent" {
		return
	}
	u.server.later(0, func() {
		for _, r := range slices.Clone(i.rung) {
			switch {
			case r.state != "Connecting":
			case u.Script == "decline":
				r.refuse("Global")
			default:
				r.accept()
				if v := r.conversation; v.meeting != nil && v.state == "Conferenced" {
					v.connect()
				}
			}
		}
	})
}

// echo sends back what came, if that is the user's script.
func (u *user) echo(v *conversation, data string) {
	if u.Script == "echo" && v.meeting == nil { // where two of them would go on for ever
		u.server.later(0, func() {
			if v.messaging == "Connected" {
				v.say(data, "")
			}
		})
	}
}
