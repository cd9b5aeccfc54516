package ucwa

import "testing"

// TestTrustedHosts holds that only what can be a host is in the domain of the user.
func TestTrustedHosts(t *testing.T) {
	s := &SignIn{Address: "sip:dana@contoso.com"}
	for host, trusted := range map[string]bool{"contoso.com": true, "lyncweb.contoso.com": true, "LyncWeb.Contoso.com": true, "a_b.contoso.com": true,
		"evil.com,.contoso.com": false, ".contoso.com": false, "evil.com#.contoso.com": false, "a b.contoso.com": false, "evilcontoso.com": false, "a..contoso.com": false, "": false} {
		if is := s.trusts(host); is != trusted {
			t.Errorf("%q is trusted: %t, expected %t", host, is, trusted)
		}
	}
}
