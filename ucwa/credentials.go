package ucwa

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Credentials are what a user signs in with. Printed they show no secret.
type Credentials struct {
	// Grant is the way to sign in, one of the Grant constants. Empty chooses what
	// the server offers and the other fields allow, in this order: anonmeeting
	// (with Conference), windows (with Kerberos), password, windows, passive.
	Grant string

	Username string // "dana@contoso.com" or `CONTOSO\dana`
	Password string // the user's, or the conference key of a meeting

	// Conference is the URI of the meeting to join without an account, as in
	// "sip:dana@contoso.com;gruu;opaque=app:conf:focus:id:4V7XYDQL".
	Conference string

	// Kerberos makes the windows grant use Kerberos where the server offers
	// Negotiate. Nil, or a server that offers NTLM alone: NTLM.
	Kerberos *Kerberos
}

func (c Credentials) String() string {
	secret := "without"
	if c.Password != "" {
		secret = "with"
	}
	return fmt.Sprintf("credentials of %s %s a password", cmp.Or(c.Username, c.Conference, "nobody"), secret)
}

// GoString keeps the password from %#v.
func (c Credentials) GoString() string { return c.String() }

// Form is what the credentials post to the issuer: the grant type and what belongs
// to it. It fails where the issuer offers no grant that they are enough for.
func (c Credentials) Form(i *Issuer) (url.Values, error) {
	grant, err := c.choose(i)
	if err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {grant}}
	switch grant {
	case GrantPassword:
		form.Set("username", c.Username)
		form.Set("password", c.Password)
	case GrantAnonMeeting:
		form.Set("password", c.Password)
		form.Set("ms_rtc_conferenceuri", c.Conference)
	}
	return form, nil
}

func (c Credentials) choose(i *Issuer) (string, error) {
	whole := c.Username != "" && c.Password != ""
	windows := whole || c.Kerberos != nil
	enough := map[string]bool{
		GrantPassword:    whole,
		GrantWindows:     windows,
		GrantAnonMeeting: c.Conference != "",
		GrantPassive:     true,
	}
	grants := slices.Clone(i.Grants)
	for n, grant := range grants {
		if _, known := enough[grant]; !known {
			grants[n] = strconv.Quote(grant)
		}
	}
	offers := strings.Join(grants, ", ")
	if c.Grant != "" {
		switch can, known := enough[c.Grant]; {
		case !known:
			return "", fmt.Errorf("grant %q is unknown: expected %s, %s, %s or %s", c.Grant, GrantPassword, GrantWindows, GrantAnonMeeting, GrantPassive)
		case !can:
			return "", fmt.Errorf("grant %s: the credentials are not complete", c.Grant)
		case !i.Offers(c.Grant):
			return "", fmt.Errorf("%s does not offer the grant %s, but %s", i.URL.Redacted(), c.Grant, offers)
		}
		return c.Grant, nil
	}
	order := []string{GrantPassword, GrantWindows, GrantPassive}
	switch {
	case c.Conference != "":
		order = []string{GrantAnonMeeting}
	case c.Kerberos != nil:
		order = []string{GrantWindows, GrantPassword, GrantPassive}
	}
	for _, grant := range order {
		if enough[grant] && i.Offers(grant) {
			return grant, nil
		}
	}
	if !windows && c.Conference == "" {
		return "", errors.New("no credentials were given: a user name and a password are needed, or Kerberos, or a meeting's URI and key")
	}
	return "", fmt.Errorf("%s offers %s: none of them can be used with the %v", i.URL.Redacted(), offers, c)
}
