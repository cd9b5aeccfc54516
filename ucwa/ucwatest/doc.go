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
// Served are applications, application, me and all that me links to, the event
// channel, policies, and people, onlineMeetings and communication as resources
// that can only be read. What is behind those (contacts, meetings,
// conversations) is not served and therefore not linked. batch is linked, as
// the documentation demands, and answers 403 OperationNotSupported.
//
// The server is strict: what the documentation does not allow it refuses, so
// that a client which gets along with it is a correct one. Time comes from
// [Config.Clock] and names from [Config.IDs]; with both given, the same session
// yields the same bytes.
//
// Sources: "Set my presence information", "Create an application", "Events"
// and the API reference of UCWA 2.0 (Microsoft,
// https://learn.microsoft.com/skype-sdk/ucwa/ucwa2_0), and for what they
// leave open, what real deployments were seen to do. Where both are silent the
// comment at the place says what was decided.
package ucwatest
