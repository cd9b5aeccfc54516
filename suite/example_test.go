package suite_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// TestMyServer shows how a server that is written in Go certifies itself in its
// own tests. (The first line is for this binary only, where Ginkgo runs elsewhere too.)
func TestMyServer(t *testing.T) {
	if suite.OwnProcess(t) {
		return
	}
	server := startMyServer(t)
	suite.Certify(t, suite.Target{Application: server.application, Token: server.token, Transport: server.transport})
}

type myServer struct {
	application, token string
	transport          http.RoundTripper
}

// startMyServer stands for your own: here it is the reference server.
func startMyServer(t *testing.T) myServer {
	t.Helper()
	server := ucwatest.New(ucwatest.Config{})
	running, err := ucwatest.StartTLS(server, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	token := server.AddUser(ucwatest.User{Name: "Dana Birkby", URI: "sip:dana@contoso.com"})
	application, err := server.CreateApplication(token, "my tests", "en-US", "3fa85f64-5717-4562-b3fc-2c963f66afa6")
	if err != nil {
		t.Fatal(err)
	}
	return myServer{running.URL + application, token, running.Client().Transport}
}

// failing notes what a test is told instead of failing.
type failing struct {
	testing.TB
	said strings.Builder
}

func (f *failing) Errorf(_ string, args ...any) {
	for _, a := range args {
		if s, ok := a.(string); ok {
			f.said.WriteString(s)
		}
	}
}

// TestCertifyFails holds that Certify fails the test of a server that is not
// conformant, and shows the report.
func TestCertifyFails(t *testing.T) {
	if suite.OwnProcess(t) {
		return
	}
	running, err := ucwatest.Start(http.NotFoundHandler(), ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	f := &failing{TB: t}
	suite.Certify(f, suite.Target{Application: running.URL + "/ucwa/oauth/v1/applications/101", Token: "cwt=AAEB"})
	if said := f.said.String(); !strings.Contains(said, "set-presence.pre.self") || !strings.Contains(said, "404") {
		t.Errorf("expected a report with the failure, got %q", said)
	}
}
