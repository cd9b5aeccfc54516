package prove

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestLive holds that the faults of servers are caught on a server that is only
// known by its address, too, and that nothing is left on it.
func TestLive(t *testing.T) {
	server := ucwatest.New(ucwatest.Config{EventTimeout: eventTimeout})
	absolute := ucwatest.Variations()[0]
	for _, v := range ucwatest.Variations() {
		if v.Name == "hrefs-absolute" {
			absolute = v
		}
	}
	running, err := ucwatest.StartTLS(ucwatest.Vary(server, absolute), ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	live := &Live{Applications: running.URL + "/ucwa/oauth/v1/applications", Transport: running.Client().Transport,
		Token: server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com"}), EventWait: patience}
	p, err := Run(context.Background(), Options{Live: live})
	if err != nil {
		t.Fatal(err)
	}
	caught := 0
	for _, x := range p.Trials {
		switch {
		case x.Kind != "server":
			t.Errorf("%s is no fault of a server", x.Name)
		case x.Problem != "":
			t.Errorf("%s (%s): %s", x.Name, x.Does, x.Problem)
		case x.Tolerated == "":
			caught++
		}
	}
	// Without other users, and without an origin, some refusals cannot be had.
	if caught < 240 {
		t.Errorf("only %d faults were caught", caught)
	}
	if n := server.Applications(); n != 0 {
		t.Errorf("%d applications are left on the server", n)
	}
}

// TestLiveRefused holds that a server which cannot be proved on is an error.
func TestLiveRefused(t *testing.T) {
	running, err := ucwatest.Start(http.NotFoundHandler(), ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	for url, says := range map[string]string{
		running.URL + "/applications": "creating an application",
		"pool.contoso.com":            "absolute http or https URL",
		"https://dana:secret@pool/":   "user information",
	} {
		_, err := Run(context.Background(), Options{Live: &Live{Applications: url, Token: "cwt=AAEB"}})
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, expected an error that says %q", url, err, says)
		}
	}
}
