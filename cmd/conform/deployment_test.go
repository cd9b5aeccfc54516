package main

import (
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// The hosts of a deployment: Autodiscover leads from the first to the second, and the
// pool is the third.
const (
	discoverHost = "lyncdiscoverinternal.contoso.com"
	webHost      = "webdir.contoso.com"
	poolHost     = "lyncweb.contoso.com"

	externalHost = "lyncdiscover.contoso.com" // asked where the first does not answer
	partnerHost  = "pool.fabrikam.com"        // of another domain
)

const danasPassword = "Passw0rd-of-Dana"

// deployment is a pool with the way to it, from a SIP address on.
type deployment struct {
	*pool
	address string // of the socket that all hosts share
	cacert  string
}

// newDeployment puts one on a TLS socket, behind what middle makes of it.
func newDeployment(t *testing.T, middle func(http.Handler) http.Handler, change func(*ucwatest.SignIn)) *deployment {
	t.Helper()
	way := &ucwatest.SignIn{Redirect: "https://" + webHost, Pool: "https://" + poolHost}
	if change != nil {
		change(way)
	}
	d := &deployment{pool: newPoolOf(t, ucwatest.Config{Host: strings.TrimPrefix(way.Pool, "https://"), SignIn: way})}
	var handler http.Handler = d.server
	if middle != nil {
		handler = middle(handler)
	}
	running, err := ucwatest.StartTLS(handler, ucwatest.Options{Hosts: []string{discoverHost, externalHost, webHost, poolHost, partnerHost}, ErrorLog: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Close)
	u, err := url.Parse(running.URL)
	if err != nil {
		t.Fatal(err)
	}
	d.address, d.cacert = u.Host, filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(d.cacert, running.Certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	return d
}

// args are what the command needs to find it.
func (d *deployment) args() []string {
	return []string{"--sip", "sip:dana@contoso.com", "--cacert", d.cacert, "--resolve", "*:443:" + d.address, "--resolve", "*:80:127.0.0.1:1"}
}

// certify runs the command on it.
func (d *deployment) certify(args ...string) ran {
	d.t.Helper()
	return certify(d.t, []string{"CONFORM_PASSWORD=" + danasPassword}, []string{danasPassword, "AAEB"}, append(d.args(), args...)...)
}

// drive does the same in this process, without judging.
func (d *deployment) drive(change func(*liveFlags)) *suite.Evidence {
	d.t.Helper()
	d.t.Setenv("CONFORM_PASSWORD", danasPassword)
	f := liveFlags{timeout: 8 * time.Second, eventWait: 300 * time.Millisecond, retryWait: 2 * time.Second}
	f.signIn.sip = "sip:dana@contoso.com"
	f.connection = connectionFlags{cacert: d.cacert, perRequest: 700 * time.Millisecond, resolve: []string{"*:443:" + d.address, "*:80:127.0.0.1:1"}}
	if change != nil {
		change(&f)
	}
	return driveHere(d.t, &f)
}
