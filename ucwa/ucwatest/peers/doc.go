// Package peers starts real programs of other people's to test against: Apache httpd with
// mod_auth_gssapi before a token endpoint, for NTLM with gss-ntlmssp and for Kerberos
// with a KDC of MIT's; Chromium, and mitmproxy between it and a server. On Debian they are
// in the packages apache2, libapache2-mod-auth-gssapi, gss-ntlmssp, krb5-kdc,
// krb5-admin-server, krb5-user, chromium and mitmproxy. A test that asks for one that is
// not installed is skipped, and says so; with CONFORM_PEERS=required it fails.
//
// It is for Unix; elsewhere the package is empty.
package peers
