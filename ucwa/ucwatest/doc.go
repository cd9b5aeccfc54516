// Package ucwatest is a strict reference server of UCWA 2.0, the web API of
// Skype for Business Server, in memory. It is to package ucwa what
// net/http/httptest is to net/http.
//
// A [Server] is an http.Handler, usable without sockets; [Start] and
// [StartTLS] put one on a loopback socket. Its users come from
// [Server.AddUser], which hands out the token that a real deployment would
// have issued. With [Config.SignIn] the way to a token is served too:
// Autodiscover, the user resource and the token endpoint, at one host or several.
//
// Served are applications, application, batch, the event channel, and me, people,
// onlineMeetings and communication with what a client touches on its way through
// them: presence, note, location, phones and the forwarding of calls can be set,
// meetings planned, the other accounts of the server found and looked at. Nobody has
// a list of contacts, and there are no conversations: those collections are empty,
// and what would begin a conversation or a subscription is refused in a way that the
// reference has for it. Every link that is served resolves. Representations are JSON
// or XML, as the client asks.
//
// The server is strict: what the documentation does not allow it refuses, so
// that a client which gets along with it is a correct one. What one user can
// make it keep is bounded. Time comes from [Config.Clock] and names from
// [Config.IDs]; with both given, the same session yields the same bytes.
//
// Sources: "Set my presence information", "Create an application", "Events",
// "Batch requests" and the API reference of UCWA 2.0 (Microsoft,
// https://learn.microsoft.com/skype-sdk/ucwa/ucwa2_0), and for what they
// leave open, what real deployments were seen to do. Where both are silent the
// comment at the place says what was decided.
package ucwatest
