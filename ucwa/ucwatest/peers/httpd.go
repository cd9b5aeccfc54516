//go:build unix

package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const apacheModules = "/usr/lib/apache2/modules"

// UserHeader is the header in which an [Httpd] tells who the user is.
const UserHeader = "X-Front-End-User"

// Httpd is an Apache httpd before a server. At the token endpoint, below /WebTicket/,
// it asks who the user is, by NTLM or by Kerberos.
type Httpd struct {
	Behind      string // the URL of the server
	NTLM        string // who may come in, as DOMAIN:user:password
	Kerberos    *KDC   // where tickets come from, in place of NTLM
	Certificate string // name of a PEM file with a certificate and its key: it then speaks https
}

// Start starts it on loopback until the test ends, and returns its host and port.
func (h Httpd) Start(t testing.TB) (address string) {
	t.Helper()
	apache := program(t, "apache2")
	modules := []string{"mpm_prefork", "authn_core", "authz_core", "authz_user", "auth_gssapi", "headers", "proxy", "proxy_http"}
	if h.Certificate != "" {
		modules = append(modules, "ssl")
	}
	for _, module := range modules {
		installed(t, filepath.Join(apacheModules, "mod_"+module+".so"))
	}
	d := directory(t)
	environment, gssapi := h.gssapi(t, d)
	address = freeAddress(t)

	var conf strings.Builder
	fmt.Fprintf(&conf, "ServerRoot %q\nPidFile %q\nErrorLog %q\nLogLevel info\nListen %s\nServerName localhost\n",
		d, filepath.Join(d, "pid"), filepath.Join(d, "error.log"), address)
	if os.Getuid() == 0 {
		conf.WriteString("User www-data\nGroup www-data\n")
	}
	for _, module := range modules {
		fmt.Fprintf(&conf, "LoadModule %s_module %s/mod_%s.so\n", module, apacheModules, module)
	}
	fmt.Fprintf(&conf, "StartServers 8\nMutex file:%s default\n", d)
	if h.Certificate != "" {
		fmt.Fprintf(&conf, "SSLEngine on\nSSLCertificateFile %q\nSSLSessionCache none\n", h.Certificate)
	}
	fmt.Fprintf(&conf, `ProxyPreserveHost On
ProxyPass / %s/
RequestHeader unset %[2]s early
<Location /WebTicket/>
	AuthType GSSAPI
	AuthName "Web ticket"
	%[3]s
	Require valid-user
	RequestHeader set %[2]s "expr=%%{REMOTE_USER}"
</Location>
`, h.Behind, UserHeader, gssapi)
	write(t, filepath.Join(d, "httpd.conf"), conf.String())
	cmd := exec.Command(apache, "-f", filepath.Join(d, "httpd.conf"), "-D", "FOREGROUND")
	cmd.Env = append(os.Environ(), environment)
	daemon(t, address, cmd)
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(d, "error.log"))
			t.Logf("the httpd says\n%s", log)
		}
	})
	return address
}

// gssapi returns what the httpd must be told so that it knows its users.
func (h Httpd) gssapi(t testing.TB, d string) (environment, directives string) {
	t.Helper()
	if h.Kerberos != nil {
		return "KRB5_CONFIG=" + h.Kerberos.Config, "GssapiAllowedMech krb5\n\tGssapiCredStore keytab:" + h.Kerberos.keytab
	}
	installed(t, "/usr/lib/*/gssntlmssp/gssntlmssp.so")
	users := filepath.Join(d, "users")
	write(t, users, h.NTLM+"\n")
	// NTLM signs in a connection.
	return "NTLM_USER_FILE=" + users, "GssapiAllowedMech ntlmssp\n\tGssapiConnectionBound On"
}
