package ucwa

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/krberror"
	"github.com/jcmturner/gokrb5/v8/spnego"
)

// Kerberos is how the windows grant gets its ticket: with a credential cache, a
// keytab, or else the password of [Credentials]. All may stay empty.
type Kerberos struct {
	Config  string // path of krb5.conf; by default $KRB5_CONFIG, else /etc/krb5.conf
	Realm   string // of the user; by default what follows the @ of the user name, else the default realm
	Keytab  string // path of a keytab with the user's key
	Cache   string // path of a credential cache, as kinit makes it; the user name is in it
	Service string // principal of the server; by default "HTTP/" and the host
}

// kerberos sends the request again, with a ticket for the server.
func (s *SignIn) kerberos(req *http.Request, body []byte) (*Response, error) {
	k := s.Credentials.Kerberos
	user, err := s.Credentials.kerberosClient()
	if err != nil {
		return nil, fmt.Errorf("kerberos: %w", err)
	}
	defer user.Destroy()
	again := req.Clone(req.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	service := cmp.Or(k.Service, "HTTP/"+strings.ToLower(again.URL.Hostname()))
	if err := user.AffirmLogin(); err != nil {
		e := krberror.Krberror{}
		if errors.As(err, &e) && e.RootCause == krberror.NetworkingError {
			return nil, fmt.Errorf("kerberos: %w", err)
		}
		return nil, &TokenError{URL: req.URL.Redacted(), Grant: GrantWindows, Problem: "Kerberos: " + err.Error(), refused: true}
	}
	if err := spnego.SetSPNEGOHeader(user, again, service); err != nil {
		return nil, fmt.Errorf("kerberos: no ticket for %s: %w; is the server known to the domain by this name?", service, err)
	}
	return s.Client.alone(again)
}

// kerberosClient makes a client that has not yet asked for anything.
func (c Credentials) kerberosClient() (*client.Client, error) {
	k := c.Kerberos
	cfg, err := config.Load(cmp.Or(k.Config, os.Getenv("KRB5_CONFIG"), "/etc/krb5.conf"))
	if err != nil {
		return nil, err
	}
	// Active Directory does not know what this would negotiate.
	plain := client.DisablePAFXFAST(true)
	if k.Cache != "" {
		cache, err := credentials.LoadCCache(k.Cache)
		if err != nil {
			return nil, err
		}
		return client.NewFromCCache(cache, cfg, plain)
	}
	name, realm, _ := strings.Cut(c.Username, "@")
	if _, after, found := strings.Cut(name, `\`); found {
		name = after
	}
	realm = cmp.Or(k.Realm, strings.ToUpper(realm), cfg.LibDefaults.DefaultRealm)
	switch {
	case name == "" || realm == "":
		return nil, fmt.Errorf("a user name and a realm are needed, found %q and %q", name, realm)
	case k.Keytab != "":
		keys, err := keytab.Load(k.Keytab)
		if err != nil {
			return nil, err
		}
		return client.NewWithKeytab(name, realm, keys, cfg, plain), nil
	case c.Password == "":
		return nil, errors.New("a password, a keytab or a credential cache is needed")
	}
	return client.NewWithPassword(name, realm, c.Password, cfg, plain), nil
}
