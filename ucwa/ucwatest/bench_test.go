package ucwatest_test

import (
	"fmt"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// BenchmarkMessage sends one message, and reads of it, with few and with many conversations that go on:
// what it costs does not grow with them.
func BenchmarkMessage(b *testing.B) {
	for _, conversations := range []int{1, 1000} {
		b.Run(fmt.Sprint(conversations, " conversations"), func(b *testing.B) {
			server := ucwatest.New(ucwatest.Config{Clock: ucwatest.NewManualClock(start)})
			w := &world{T: new(testing.T), server: server}
			dana := w.create(server.AddUser(dana), 0)
			lene := w.create(server.AddUser(ucwatest.User{URI: "sip:lene@contoso.com"}), 1)
			lene.makeAvailable("")
			for range conversations {
				dana.post("/communication/startMessaging", `{"to":"sip:lene@contoso.com"}`)
				for _, e := range lene.happened() {
					if e.rel == "messagingInvitation" && e.kind == "started" {
						lene.send(request("POST", e.href+"/accept", lene.token, ""))
					}
				}
			}
			path := dana.in("/messaging/sendMessage")
			dana.happened()
			lene.happened()
			href := lene.get("").link("events")
			for b.Loop() {
				dana.do("POST", path, "Hi", "Content-Type", "text/plain")
				href = lene.send(request("GET", href, lene.token, "")).link("next")
			}
		})
	}
}
