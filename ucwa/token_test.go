package ucwa_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

func TestParseToken(t *testing.T) {
	for body, life := range map[string]time.Duration{
		`{"access_token":"cwt=AAEB","token_type":"Bearer","expires_in":28056,"ms_rtc_identityscope":"local"}`: 28056 * time.Second,
		`{"access_token":"cwt=AAEB","expires_in":"3600"}`:                                                     time.Hour,
		`{"access_token":"cwt=AAEB","expires_in":1e300}`:                                                      10 * 365 * 24 * time.Hour,
		`{"access_token":"cwt=AAEB","expires_in":1e999}`:                                                      10 * 365 * 24 * time.Hour,
		`{"access_token":"cwt=AAEB"}`:                                                                         0,
	} {
		got, err := ucwa.ParseToken(&ucwa.Response{Status: 200, Body: []byte(body), URL: parseURL(web + tokenPath)}, "password")
		if err != nil || got.Value != "cwt=AAEB" || got.Origin != web || !got.Valid() || life > 0 && got.Expires.Sub(got.Issued) != life || life == 0 && !got.Expires.IsZero() {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}

func TestParseDiagnostics(t *testing.T) {
	for value, want := range map[string]ucwa.Diagnostics{
		`28055;source="pool.contoso.com";reason="The token is; well, \"wrong\"."`: {Code: "28055", Source: "pool.contoso.com", Reason: `The token is; well, "wrong".`},
		`28020; Reason=No valid token; source=a`:                                  {Code: "28020", Source: "a", Reason: "No valid token"},
		"28032":                                                                   {Code: "28032"},
		"":                                                                        {},
		"x28032;source=a":                                                         {},
		"28032a;source=a":                                                         {},
		`1;;;="x";{};source="a"`:                                                  {Code: "1", Source: "a"},
		`1;reason="cut`:                                                           {Code: "1", Reason: "cut"},
	} {
		if got := ucwa.ParseDiagnostics(value); got != want {
			t.Errorf("%q: %+v, want %+v", value, got, want)
		}
	}
}

// FuzzParseToken: what is taken for a token a header can carry, and what is not is
// an error that shows none.
func FuzzParseToken(f *testing.F) {
	for _, body := range []string{`{"access_token":"cwt=AAEB","token_type":"Bearer","expires_in":28056}`, `{"access_token":"cwt=AAEB","expires_in":"NaN"}`,
		`{"error":"invalid_grant","ms_rtc_passiveauthuri":"https://sts/"}`, `{"error":"x"}`, `[]`, ``, `{"access_token":"a b"}`, `<html>`} {
		f.Add(200, body, `28055;source="a";reason="b"`)
		f.Add(400, body, "1;reason=b;")
	}
	sound := regexp.MustCompile(`^[\x21-\x7e]+$`)
	f.Fuzz(func(t *testing.T, status int, body, diagnostics string) {
		token, err := ucwa.ParseToken(&ucwa.Response{Status: status, Body: []byte(body), URL: parseURL(web), Header: http.Header{"X-Ms-Diagnostics": {diagnostics}}}, "password")
		switch {
		case err == nil && (status != 200 || !sound.MatchString(token.Value) || token.Type != "Bearer" || !token.Expires.IsZero() && !token.Valid()):
			t.Fatalf("%+v", token)
		case err != nil && token != (ucwa.Token{}):
			t.Fatalf("%+v with %v", token, err)
		case err != nil && !errors.As(err, new(*ucwa.TokenError)):
			t.Fatalf("%T", err)
		}
	})
}

func TestCredentials(t *testing.T) {
	all := []string{ucwa.GrantWindows, ucwa.GrantAnonMeeting, ucwa.GrantPassive, ucwa.GrantPassword}
	for _, test := range []struct {
		credentials ucwa.Credentials
		offers      []string
		want        string
	}{
		{byPassword, all, ucwa.GrantPassword},
		{byPassword, []string{"URN:microsoft.rtc:Windows"}, ucwa.GrantWindows},
		{byPassword, []string{ucwa.GrantPassive}, ucwa.GrantPassive},
		{byPassword, []string{ucwa.GrantAnonMeeting}, ""},
		{byPassword, nil, ""},
		{ucwa.Credentials{Username: "dana", Password: "x", Kerberos: &ucwa.Kerberos{}}, all, ucwa.GrantWindows},
		{ucwa.Credentials{Kerberos: &ucwa.Kerberos{}}, all, ucwa.GrantWindows},
		{ucwa.Credentials{Kerberos: &ucwa.Kerberos{}}, []string{ucwa.GrantPassword}, ""},
		{ucwa.Credentials{Conference: meeting, Password: "K3Y"}, all, ucwa.GrantAnonMeeting},
		{ucwa.Credentials{Conference: meeting, Password: "K3Y"}, []string{ucwa.GrantPassword}, ""},
		{ucwa.Credentials{}, all, ucwa.GrantPassive},
		{ucwa.Credentials{}, []string{ucwa.GrantPassword}, ""},
		{ucwa.Credentials{Grant: ucwa.GrantPassword}, all, ""},
		{ucwa.Credentials{Grant: "urn:x", Username: "a", Password: "b"}, []string{"urn:x"}, ""},
		{ucwa.Credentials{Grant: ucwa.GrantWindows, Username: "a", Password: "b"}, []string{ucwa.GrantPassword}, ""},
		{ucwa.Credentials{Grant: ucwa.GrantWindows, Username: "a", Password: "b"}, all, ucwa.GrantWindows},
	} {
		form, err := test.credentials.Form(&ucwa.Issuer{URL: parseURL(web), Grants: test.offers})
		if form.Get("grant_type") != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%v, offered %q: %v, %v", test.credentials, test.offers, form, err)
		}
		if form.Has("password") != (test.want == ucwa.GrantPassword || test.want == ucwa.GrantAnonMeeting) {
			t.Errorf("%v: the form is %v", test.credentials, form)
		}
		if err != nil && test.credentials.Password != "" && strings.Contains(err.Error(), test.credentials.Password+" ") {
			t.Errorf("the password is shown: %v", err)
		}
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", byPassword, byPassword, byPassword, &ucwa.Credentials{Password: password}); strings.Contains(shown, password) {
		t.Errorf("shown as %s", shown)
	}
}

func TestNewEndpointID(t *testing.T) {
	a, b := ucwa.NewEndpointID(), ucwa.NewEndpointID()
	if a == b || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(a) {
		t.Errorf("%s %s", a, b)
	}
}
