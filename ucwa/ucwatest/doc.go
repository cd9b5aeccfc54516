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
// Served is what one or two people can do who have no telephone and no camera. They find
// each other ([User].Contacts, groups, search), subscribe to each other's presence, write to
// each other, and meet: application, batch, the event channel, me, people, communication,
// conversations, onlineMeetings, and what those lead to. A [User] with a Script is there
// without a client, for those who have one account. Audio, video, sharing, delegation and
// the history of conversations are not served: no link leads there. Every link that is
// served leads to something: what can be done there, the reference says. Representations
// are JSON or XML, as the client asks.
//
// What a request may hold, the package [github.com/ucwa-conform/ucwa-conform/ucwa/api] says:
// every bound and enumeration is enforced by it, before an operation runs.
//
// The server is strict: what the documentation does not allow it refuses, so
// that a client which gets along with it is a correct one. What one user can
// make it keep is bounded. Time comes from [Config.Clock] and names from
// [Config.IDs]; with both given, the same session yields the same bytes.
//
// Sources: the task pages and the API reference of UCWA 2.0 (Microsoft,
// https://learn.microsoft.com/skype-sdk/ucwa/ucwa2_0), and for what they
// leave open, what real deployments were seen to do. Where both are silent the
// comment at the place says what was decided.
package ucwatest
