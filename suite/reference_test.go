package suite

import (
	"bytes"
	"context"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

var update = flag.Bool("update", false, "write the reference recording anew")

const referenceFile = "../cassettes/reference/set-presence.yaml"

// TestReferenceRecording drives the reference server over TLS, with fixed time
// and fixed ids, and holds that the embedded recording is what comes of it, byte
// for byte. With -update it writes the recording.
func TestReferenceRecording(t *testing.T) {
	recorded, err := recordReference(t, "https://lyncweb.contoso.com").Redacted().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(referenceFile, recorded, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, recorded) {
		t.Errorf("%s is not what the reference server and the driver make today; look at the difference after\n\tgo generate ./suite", referenceFile)
	}
}

// recordReference drives the reference server, the pool at lyncweb.contoso.com, where the user resource has that origin.
func recordReference(t *testing.T, users string) *cassettes.Cassette {
	t.Helper()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ids := []string{"10100000002", "10100000003", "10100000001"} // of the other users, then of the one to certify
	server := ucwatest.New(ucwatest.Config{
		Host:    "lyncweb.contoso.com",
		Origins: []string{"http://app.contoso.com"},
		Clock:   ucwatest.NewManualClock(start),
		IDs:     func() string { id := ids[0]; ids = ids[1:]; return id },
		SignIn:  &ucwatest.SignIn{Users: users, Pool: "https://lyncweb.contoso.com"},
	})
	dana := ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com", Email: "dana@contoso.com", Password: "Passw0rd-of-Dana"}
	server.AddUser(dana)
	target := othersOf(t, server, "https://lyncweb.contoso.com")
	target.SignIn = &ucwa.SignIn{Address: dana.URI, Credentials: ucwa.Credentials{Username: dana.URI, Password: dana.Password}}
	target.EndpointID, target.ForeignToken = "3fa85f64-5717-4562-b3fc-2c963f66afa6", true
	running, err := ucwatest.StartTLS(server, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	target.Kind, target.WebOrigin = "reference", "http://app.contoso.com"
	target.Transport = running.Client().Transport
	ticks := start
	target.Now = func() time.Time { ticks = ticks.Add(500 * time.Microsecond); return ticks }
	c := Record(context.Background(), target)
	c.Provenance.RecordedAt = start
	return c
}

// partiesOf gives a server three users, each with an application: the one to
// certify, a meeting guest, and one whose policy allows messaging only.
func partiesOf(t testing.TB, server *ucwatest.Server, base string, user ucwatest.User) Target {
	t.Helper()
	own := partyOf(t, server, base, user, "3fa85f64-5717-4562-b3fc-2c963f66afa6")
	target := othersOf(t, server, base)
	target.Application, target.Token = own.Application, own.Token
	return target
}

func othersOf(t testing.TB, server *ucwatest.Server, base string) Target {
	t.Helper()
	return Target{
		Anonymous: partyOf(t, server, base, ucwatest.User{Name: "Guest", URI: "sip:guest@contoso.com", Anonymous: true}, "3fa85f64-5717-4562-b3fc-2c963f66afa7"),
		Restricted: partyOf(t, server, base, ucwatest.User{Name: "Lee Gu", URI: "sip:lee@contoso.com", Modalities: []string{"Messaging"}},
			"3fa85f64-5717-4562-b3fc-2c963f66afa8"),
	}
}

func partyOf(t testing.TB, server *ucwatest.Server, base string, u ucwatest.User, endpoint string) *Party {
	t.Helper()
	token := server.AddUser(u)
	href, err := server.CreateApplication(token, "conform", "en-US", endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return &Party{base + href, token}
}
