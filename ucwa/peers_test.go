//go:build unix

package ucwa_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// The windows grant is tried against programs that others wrote: Apache httpd with
// mod_auth_gssapi in front of the reference token endpoint, for NTLM with gss-ntlmssp
// and for Kerberos with a KDC of MIT's. On Debian they are in the packages apache2,
// libapache2-mod-auth-gssapi, gss-ntlmssp, krb5-kdc, krb5-admin-server and krb5-user.

const (
	apacheModules = "/usr/lib/apache2/modules"
	realm         = "CONTOSO.TEST"
)

// program returns the path of a program, or skips the test.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, directory := range []string{"", "/usr/sbin/", "/usr/bin/", "/sbin/"} {
		if path, err := exec.LookPath(directory + name); err == nil {
			return path
		}
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// installed skips the test unless a file exists.
func installed(t *testing.T, pattern string) {
	t.Helper()
	if found, _ := filepath.Glob(pattern); len(found) == 0 {
		t.Skipf("%s is not installed", pattern)
	}
}

// directory is one that the httpd can read too, which is not root.
func directory(t *testing.T) string {
	t.Helper()
	d, err := os.MkdirTemp("", "ucwa-peer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(d) })
	if err := os.Chmod(d, 0o755); err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// freeAddress is one on loopback where nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// daemon runs a program in the foreground until the test ends, and waits until it
// accepts connections.
func daemon(t *testing.T, address string, cmd *exec.Cmd) {
	t.Helper()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an httpd that ends ends its whole group
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); <-ended })
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", cmd.Path, &output)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not listen at %s: %s", cmd.Path, address, &output)
}

func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", cmd, err, output)
	}
}

// frontEnd starts a reference server, and an httpd before it that asks at the token
// endpoint who the user is. It returns the httpd's URL.
func frontEnd(t *testing.T, gssapi string, environment ...string) string {
	t.Helper()
	apache := program(t, "apache2")
	for _, module := range []string{"mod_auth_gssapi.so", "mod_mpm_prefork.so", "mod_proxy_http.so"} {
		installed(t, filepath.Join(apacheModules, module))
	}
	server := ucwatest.New(ucwatest.Config{SignIn: &ucwatest.SignIn{FrontEndUser: "X-Front-End-User"}})
	server.AddUser(dana)
	server.AddUser(ucwatest.User{URI: "sip:lee@contoso.com", Windows: "lee@" + realm})
	behind, err := ucwatest.Start(server, ucwatest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(behind.Close)

	d, address := directory(t), freeAddress(t)
	var conf strings.Builder
	fmt.Fprintf(&conf, "ServerRoot %q\nPidFile %q\nErrorLog %q\nLogLevel info\nListen %s\nServerName localhost\n",
		d, filepath.Join(d, "pid"), filepath.Join(d, "error.log"), address)
	if os.Getuid() == 0 {
		conf.WriteString("User www-data\nGroup www-data\n")
	}
	for _, module := range []string{"mpm_prefork", "authn_core", "authz_core", "authz_user", "auth_gssapi", "headers", "proxy", "proxy_http"} {
		fmt.Fprintf(&conf, "LoadModule %s_module %s/mod_%s.so\n", module, apacheModules, module)
	}
	fmt.Fprintf(&conf, `StartServers 2
Mutex file:%s default
ProxyPreserveHost On
ProxyPass / %s/
RequestHeader unset X-Front-End-User early
<Location /WebTicket/>
	AuthType GSSAPI
	AuthName "Web ticket"
	%s
	Require valid-user
	RequestHeader set X-Front-End-User "expr=%%{REMOTE_USER}"
</Location>
`, d, behind.URL, gssapi)
	write(t, filepath.Join(d, "httpd.conf"), conf.String())
	cmd := exec.Command(apache, "-f", filepath.Join(d, "httpd.conf"), "-D", "FOREGROUND")
	cmd.Env = append(os.Environ(), environment...)
	daemon(t, address, cmd)
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(d, "error.log"))
			t.Logf("the httpd says\n%s", log)
		}
	})
	_, port, _ := net.SplitHostPort(address)
	return "http://localhost:" + port
}

// passingOn is a network that a front end's clients reach by its real address.
func passingOn(t *testing.T) *network {
	n := newNetwork(t)
	n.real = true
	return n
}

func TestNTLMPeer(t *testing.T) {
	installed(t, "/usr/lib/*/gssntlmssp/gssntlmssp.so")
	users := filepath.Join(directory(t), "users")
	write(t, users, "CONTOSO:dana:"+password+"\n")
	front := frontEnd(t, "GssapiAllowedMech ntlmssp\n\tGssapiConnectionBound On", "NTLM_USER_FILE="+users)

	n := passingOn(t)
	third := regexp.MustCompile(`Authorization:\[(NTLM|Negotiate) TlRMTVNTUAAD`)
	t.Run("right password", func(t *testing.T) {
		n.reset()
		s := signInTo(n, ucwa.Credentials{Grant: ucwa.GrantWindows, Username: `CONTOSO\dana`, Password: password})
		s.Start = front
		client, applications, err := s.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		app, err := client.Create(t.Context(), applications, ucwa.NewApplication{UserAgent: "UCWA Samples"})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.End(t.Context(), app); err != nil {
			t.Error(err)
		}
		post := "POST " + front + tokenPath + " " + ucwa.GrantWindows
		n.wants("GET "+front+" 200", "GET "+front+userPath+" 401", post+" 401", post+" +token 401", post+" +token 200",
			"GET "+front+userPath+" +token 200", "POST "+front+appsPath+" +token 201", "DELETE "+front+app.Link("self").Href+" +token 204")
		if all := n.all.String(); len(third.FindAllString(all, -1)) != 1 || strings.Contains(all, password) || strings.Contains(all, "Basic ") {
			t.Errorf("sent %s", all)
		}
		// The connection that was signed in is gone: the next request is nobody's.
		issuer := &ucwa.Issuer{URL: parseURL(front + tokenPath)}
		s = signInTo(n, ucwa.Credentials{})
		res, err := s.Post(t.Context(), issuer, url.Values{"grant_type": {ucwa.GrantWindows}})
		if err != nil || res.Status != 401 {
			t.Errorf("%v, %v", res, err)
		}
	})
	t.Run("nothing between it and the network", func(t *testing.T) {
		s := signInTo(n, ucwa.Credentials{Grant: ucwa.GrantWindows, Username: `CONTOSO\dana`, Password: password})
		s.Start = front
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		s.Client.HTTP = &http.Client{Transport: transport}
		if _, _, err := s.Open(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		n.reset()
		s := signInTo(n, ucwa.Credentials{Grant: ucwa.GrantWindows, Username: `CONTOSO\dana`, Password: "wrong"})
		s.Start = front
		for range 3 {
			_, _, err := s.Open(t.Context())
			if e := (*ucwa.TokenError)(nil); !errors.As(err, &e) || e.Status != 401 || !e.Refused() || !strings.Contains(err.Error(), "password") {
				t.Fatal(err)
			}
		}
		if got := len(third.FindAllString(n.all.String(), -1)); got != 1 {
			t.Errorf("the password was tried %d times", got)
		}
	})
	t.Run("Kerberos comes first", func(t *testing.T) {
		n.reset()
		c := ucwa.Credentials{Grant: ucwa.GrantWindows, Username: `CONTOSO\dana`, Password: password, Kerberos: &ucwa.Kerberos{Config: "/nowhere"}}
		s := signInTo(n, c)
		s.Start = front
		// This httpd offers Negotiate too, which is taken at its word.
		if _, _, err := s.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "kerberos") {
			t.Error(err)
		}
		if strings.Contains(n.all.String(), "Authorization") {
			t.Errorf("sent %s", &n.all)
		}
	})
}

// kdc starts a KDC with the user lee, and returns its directory.
func kdc(t *testing.T) string {
	t.Helper()
	server, util, admin := program(t, "krb5kdc"), program(t, "kdb5_util"), program(t, "kadmin.local")
	d, address := directory(t), freeAddress(t)
	write(t, filepath.Join(d, "krb5.conf"), fmt.Sprintf(`[libdefaults]
	default_realm = %[1]s
	dns_lookup_kdc = false
	dns_lookup_realm = false
	rdns = false
	dns_canonicalize_hostname = false
[realms]
	%[1]s = {
		kdc = %[2]s
	}
[domain_realm]
	localhost = %[1]s
`, realm, address))
	write(t, filepath.Join(d, "kdc.conf"), fmt.Sprintf(`[kdcdefaults]
	kdc_listen = %[2]s
	kdc_tcp_listen = %[2]s
[realms]
	%[1]s = {
		database_name = %[3]s/principal
		key_stash_file = %[3]s/stash
		acl_file = %[3]s/acl
		max_life = 10h
	}
[logging]
	kdc = FILE:%[3]s/kdc.log
`, realm, address, d))
	environment := append(os.Environ(), "KRB5_CONFIG="+filepath.Join(d, "krb5.conf"), "KRB5_KDC_PROFILE="+filepath.Join(d, "kdc.conf"))
	tool := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env = environment
		run(t, cmd)
	}
	tool(util, "create", "-s", "-r", realm, "-P", "master")
	tool(admin, "-q", `addprinc +requires_preauth -pw "`+password+`" lee`)
	tool(admin, "-q", "addprinc -randkey HTTP/localhost")
	tool(admin, "-q", "ktadd -k "+filepath.Join(d, "http.keytab")+" HTTP/localhost")
	tool(admin, "-q", "ktadd -norandkey -k "+filepath.Join(d, "lee.keytab")+" lee")
	if err := os.Chmod(filepath.Join(d, "http.keytab"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(server, "-n", "-P", filepath.Join(d, "kdc.pid"))
	cmd.Env = environment
	daemon(t, address, cmd)
	return d
}

func TestKerberosPeer(t *testing.T) {
	kinit := program(t, "kinit")
	d := kdc(t)
	config := filepath.Join(d, "krb5.conf")
	front := frontEnd(t, "GssapiAllowedMech krb5\n\tGssapiCredStore keytab:"+filepath.Join(d, "http.keytab"), "KRB5_CONFIG="+config)

	cache := filepath.Join(d, "cache")
	cmd := exec.Command(kinit, "-c", "FILE:"+cache, "lee")
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+config)
	cmd.Stdin = strings.NewReader(password + "\n")
	run(t, cmd)

	n := passingOn(t)
	for _, test := range []struct {
		name        string
		credentials ucwa.Credentials
	}{
		{"password", ucwa.Credentials{Username: "lee@contoso.test", Password: password, Kerberos: &ucwa.Kerberos{Config: config}}},
		{"keytab", ucwa.Credentials{Username: "lee", Kerberos: &ucwa.Kerberos{Config: config, Keytab: filepath.Join(d, "lee.keytab")}}},
		{"cache", ucwa.Credentials{Kerberos: &ucwa.Kerberos{Config: config, Cache: cache}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			n.reset()
			s := signInTo(n, test.credentials)
			s.Start = front
			client, applications, err := s.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			app, err := client.Create(t.Context(), applications, ucwa.NewApplication{UserAgent: "UCWA Samples"})
			if err != nil {
				t.Fatal(err)
			}
			if err := client.End(t.Context(), app); err != nil {
				t.Error(err)
			}
			post := "POST " + front + tokenPath + " " + ucwa.GrantWindows
			n.wants("GET "+front+" 200", "GET "+front+userPath+" 401", post+" 401", post+" +token 200",
				"GET "+front+userPath+" +token 200", "POST "+front+appsPath+" +token 201", "DELETE "+front+app.Link("self").Href+" +token 204")
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		n.reset()
		s := signInTo(n, ucwa.Credentials{Username: "lee", Password: "wrong", Kerberos: &ucwa.Kerberos{Config: config}})
		s.Start = front
		for range 3 {
			_, _, err := s.Open(t.Context())
			if e := (*ucwa.TokenError)(nil); !errors.As(err, &e) || !e.Refused() {
				t.Fatal(err)
			}
		}
		log, err := os.ReadFile(filepath.Join(d, "kdc.log"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(log), "PREAUTH_FAILED"); got != 1 {
			t.Errorf("the password was tried %d times: %s", got, log)
		}
		if strings.Contains(n.all.String(), "Authorization") {
			t.Errorf("sent %s", &n.all)
		}
	})
	t.Run("no such user", func(t *testing.T) {
		s := signInTo(n, ucwa.Credentials{Username: "nobody", Password: "x", Kerberos: &ucwa.Kerberos{Config: config}})
		s.Start = front
		if _, _, err := s.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "UNKNOWN") {
			t.Error(err)
		}
	})
	t.Run("no such service", func(t *testing.T) {
		s := signInTo(n, ucwa.Credentials{Username: "lee", Password: password, Kerberos: &ucwa.Kerberos{Config: config, Service: "HTTP/nowhere"}})
		s.Start = front
		if _, _, err := s.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "HTTP/nowhere") {
			t.Error(err)
		}
	})
}
