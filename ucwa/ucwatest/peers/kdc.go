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

// Realm is that of a [KDC].
const Realm = "CONTOSO.TEST"

// KDC is one of MIT's, with one user, and services for HTTP.
type KDC struct {
	Config string // name of the krb5.conf that leads to it
	Keytab string // of the file with the user's key
	Log    string // of the file in which it notes what it was asked

	keytab         string // of the services
	user, password string
}

// StartKDC starts a KDC on loopback until the test ends, which knows a user and the
// httpds of these hosts.
func StartKDC(t testing.TB, user, password string, hosts ...string) *KDC {
	t.Helper()
	server, util, admin := program(t, "krb5kdc"), program(t, "kdb5_util"), program(t, "kadmin.local")
	d, address := directory(t), freeAddress(t)
	k := &KDC{Config: filepath.Join(d, "krb5.conf"), Keytab: filepath.Join(d, "user.keytab"), Log: filepath.Join(d, "kdc.log"),
		keytab: filepath.Join(d, "http.keytab"), user: user, password: password}
	var domains strings.Builder
	for _, host := range hosts {
		fmt.Fprintf(&domains, "\t%s = %s\n", host, Realm)
	}
	write(t, k.Config, fmt.Sprintf(`[libdefaults]
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
%[3]s`, Realm, address, &domains))
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
	kdc = FILE:%[4]s
`, Realm, address, d, k.Log))
	environment := append(os.Environ(), "KRB5_CONFIG="+k.Config, "KRB5_KDC_PROFILE="+filepath.Join(d, "kdc.conf"))
	tool := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env = environment
		run(t, cmd)
	}
	tool(util, "create", "-s", "-r", Realm, "-P", "master")
	tool(admin, "-q", `addprinc +requires_preauth -pw "`+password+`" `+user)
	for _, host := range hosts {
		tool(admin, "-q", "addprinc -randkey HTTP/"+host)
		tool(admin, "-q", "ktadd -k "+k.keytab+" HTTP/"+host)
	}
	tool(admin, "-q", "ktadd -norandkey -k "+k.Keytab+" "+user)
	if err := os.Chmod(k.keytab, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(server, "-n", "-P", filepath.Join(d, "kdc.pid"))
	cmd.Env = environment
	daemon(t, address, cmd)
	return k
}

// Cache signs the user in with kinit and returns the name of the credential cache.
func (k *KDC) Cache(t testing.TB) string {
	t.Helper()
	cache := filepath.Join(directory(t), "cache")
	cmd := exec.Command(program(t, "kinit"), "-c", "FILE:"+cache, k.user)
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+k.Config)
	cmd.Stdin = strings.NewReader(k.password + "\n")
	run(t, cmd)
	return cache
}
