package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/ucwa-conform/ucwa-conform/suite"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// signInFlags say how to get from a SIP address to an application.
type signInFlags struct {
	sip          string
	domain       string
	autodiscover string
	username     string
	passwordFile string
	grant        string
	meeting      string
	kerberos     bool
	krb5Config   string
	keytab       string
	ccache       string
	trust        []string
	foreignToken bool
}

// grantNames are the short names of the grant types.
var grantNames = map[string]string{
	"password":    ucwa.GrantPassword,
	"windows":     ucwa.GrantWindows,
	"anonmeeting": ucwa.GrantAnonMeeting,
	"passive":     ucwa.GrantPassive,
}

// signInOnly are the flags that mean nothing without one of those that begin a sign-in.
var signInOnly = []string{"username", "password-file", "grant", "meeting", "kerberos", "krb5-config", "keytab", "ccache", "trust", "foreign-token"}

func (f *signInFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.sip, "sip", "", "certify the deployment of this SIP address, such as sip:dana@contoso.com")
	flags.StringVar(&f.domain, "domain", "", "like --sip, for a domain and the --username of somebody in it")
	flags.StringVar(&f.autodiscover, "autodiscover", "", "URL of the Autodiscover service, where DNS does not lead to it; with --sip or --username")
	flags.StringVar(&f.username, "username", "", `whom to sign in as, if not the SIP address: dana@contoso.com or CONTOSO\dana`)
	flags.StringVar(&f.passwordFile, "password-file", "", "file with the password, or a meeting's key; else CONFORM_PASSWORD, the system's keyring, or a prompt")
	flags.StringVar(&f.grant, "grant", "", "how to sign in: password, windows, anonmeeting or passive; by default what the server offers")
	flags.StringVar(&f.meeting, "meeting", "", "join this meeting (its URI) without an account, with its key as password")
	flags.BoolVar(&f.kerberos, "kerberos", false, "sign in to Windows by Kerberos, with the password, --keytab or --ccache")
	flags.StringVar(&f.krb5Config, "krb5-config", "", "krb5.conf; by default KRB5_CONFIG or /etc/krb5.conf")
	flags.StringVar(&f.keytab, "keytab", "", "keytab with the user's key, for Kerberos")
	flags.StringVar(&f.ccache, "ccache", "", "credential cache as kinit makes it, for Kerberos")
	flags.StringSliceVar(&f.trust, "trust", nil, "domains, beyond the user's own, to which Autodiscover may lead, and which then get the credentials")
	complete(cmd, "grant", func() []string { return []string{"password", "windows", "anonmeeting", "passive"} })
	for _, name := range []string{"sip", "domain", "autodiscover", "username", "meeting", "trust"} {
		complete(cmd, name, func() []string { return nil })
	}
}

func (f *signInFlags) given() bool { return f.sip != "" || f.domain != "" || f.autodiscover != "" }

// signIn reads the flags. The password is still missing.
func (f *signInFlags) signIn() (*ucwa.SignIn, error) {
	if f.sip != "" && f.domain != "" {
		return nil, usage("--sip and --domain exclude each other: the address has its domain in it")
	}
	if f.sip != "" && !strings.Contains(f.sip, "@") {
		return nil, usage("--sip: expected an address such as sip:dana@contoso.com; for a domain alone there is --domain")
	}
	sign := &ucwa.SignIn{Address: cmp.Or(f.sip, f.domain), Start: f.autodiscover, Trust: f.trust}
	if err := sign.Check(); err != nil {
		return nil, usage("%s", strings.Replace(err.Error(), "a domain to trust:", "--trust:", 1))
	}
	c := &sign.Credentials
	if f.grant != "" {
		c.Grant = cmp.Or(grantNames[strings.ToLower(f.grant)], grantNames[strings.TrimPrefix(f.grant, "urn:microsoft.rtc:")])
		if c.Grant == "" {
			return nil, usage("--grant: unknown%s; there are password, windows, anonmeeting and passive",
				suite.Nearest(f.grant, []string{"password", "windows", "anonmeeting", "passive"}))
		}
	}
	c.Conference = f.meeting
	if c.Grant == ucwa.GrantAnonMeeting && c.Conference == "" {
		return nil, usage("--grant anonmeeting: which meeting? Add --meeting URI")
	}
	if c.Username = f.username; c.Username == "" && f.meeting == "" {
		c.Username = account(f.sip)
	}
	if f.kerberos || f.keytab != "" || f.ccache != "" {
		c.Kerberos = &ucwa.Kerberos{Config: f.krb5Config, Keytab: f.keytab, Cache: f.ccache}
	}
	if c.Username == "" && f.meeting == "" && c.Grant != ucwa.GrantPassive && f.ccache == "" {
		return nil, usage("whom to sign in as? Add --username, or give the whole address with --sip")
	}
	return sign, nil
}

// account is the user's name in a SIP address, which is one: without the scheme, in any casing,
// without parameters, and without the dot that may end a domain. A wrong name would be tried.
func account(address string) string {
	address = strings.TrimSpace(address)
	if _, rest, found := strings.Cut(address, ":"); found {
		address = rest
	}
	address, _, _ = strings.Cut(address, ";")
	return strings.TrimSuffix(address, ".")
}

// needsPassword: a ticket, a key or a browser is in its place.
func (f *signInFlags) needsPassword() bool {
	return f.keytab == "" && f.ccache == "" && !strings.HasSuffix(strings.ToLower(f.grant), "passive")
}

// password finds the password. In the keyring it stands under the user's name.
func (f *signInFlags) password(ctx context.Context, from terminal, account, variable string) (string, error) {
	what, need := "password of "+account, "signing in needs a password: set CONFORM_PASSWORD, or give --password-file FILE"
	if f.meeting != "" {
		what = "key of the meeting"
	}
	return secret{what: what, flag: "--password-file", file: f.passwordFile, variable: variable, account: account, need: need}.
		read(ctx, from, func(where, value string) (string, error) {
			value = strings.TrimRight(value, "\r\n")
			if value == "" || strings.ContainsAny(value, "\r\n") {
				return "", usage("%s: expected one password, on one line", where)
			}
			return value, nil
		})
}

// fit prepares a transport for the sign-in: NTLM and Negotiate belong to a connection,
// which HTTP/2 shares among requests.
func (f *signInFlags) fit(transport *http.Transport) {
	if !slices.Contains([]string{"password", "anonmeeting"}, strings.ToLower(f.grant)) {
		transport.ForceAttemptHTTP2 = false
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
}
