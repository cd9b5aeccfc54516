package ucwatest

import "time"

// A relay carries media past firewalls. There is none here, and its credentials open nothing; clients ask
// for them when they sign in. Source: API reference, mediaRelayAccessToken and mediaRelay.

const relayLife = 8 * time.Hour // of a token; the documentation has no number

func getRelayToken(c *call) (answer, error) {
	return ok(resource("mediaRelayAccessToken", object{{"duration", int(relayLife.Minutes())}, {"userName", c.app.id},
		{"password", c.server.secret("relay " + c.app.cookie)}, {"validUntil", moment{c.server.clock.Now().Add(relayLife)}}},
		object{{"self", c.app.link(c.path)}}, object{{"mediaRelay", []object{c.app.relay()}}})), nil
}

func getRelay(c *call) (answer, error) { return ok(c.app.relay()), nil }

func (a *application) relay() object {
	return a.node("/communication/mediaRelayAccessToken/mediaRelay", "mediaRelay", object{{"host", a.server.host}, {"ipv4", "192.0.2.1"}, // of no machine: RFC 5737
		{"location", "Internet"}, {"tcpPort", 443}, {"udpPort", 3478}})
}
