package cassettes

import (
	"strings"
	"testing"
)

// signed holds that what a pattern finds in a text has the signs without which that pattern is not tried.
func signed(t *testing.T, text string) {
	t.Helper()
	s := signsIn(text)
	for i := range len(text) {
		if text[i] >= 0x80 {
			return // of another casing's letters, only those that are ASCII in lower case count, as ever
		}
	}
	for _, p := range inMarkup {
		if p.MatchString(text) && !s.word {
			t.Errorf("%q: %s finds a secret, and there is no sign of it: %+v", text, p, s)
		}
	}
	if inMember.MatchString(text) && !s.member || inPair.MatchString(text) && !s.assigned || inTicket.MatchString(text) && !s.kind {
		t.Errorf("%q holds a secret, and there is no sign of it: %+v", text, s)
	}
}

var signedTexts = []string{
	`{"access_token":"x"}`, `{"Password" : "x"}`, "{\"ticket\"\r\n\t\f :\n\"x\"}", `{"token":{"secret":"x"}}`, `a=1&TICKET=x`, `grant?wresult=x`, `<a:Assertion b="c">x</a:Assertion>`, `<UserPassword>x</UserPassword>`,
	`<property name="token">x</property>`, `<input type="hidden" name='SAMLResponse' value="x">`, `CWT=x`, `cwt_ucwa%253dx`, `tokentoken=x`, `ttoken=x`, `passwpwd=x`,
	`ms_rtc_renew=x`, `MS_RTC_RENEW":"x`, `x-ms-client-secret=x`, "pwd=", "token", "cwt", "cw", "", "K\u212aen=x", "to\u212aen=x", "t\u0130cket=x",
}

func TestSigns(t *testing.T) {
	for _, text := range signedTexts {
		signed(t, text)
		signed(t, strings.ToUpper(text))
		signed(t, "..."+text+"...")
	}
	if s := signsIn(`{"people":[{"name":"Dana","note":"toke","getToken":{"href":"/"},"link":"/ucwa/oauth/v1/applications/101"}]}`); s.member || s.assigned || s.kind {
		t.Errorf("a text without secrets has signs of them: %+v", s)
	}
	if got := inText("to\u212aen=x", func(string) string { return "REDACTED" }); got != "to\u212aen=REDACTED" {
		t.Errorf("a name with the sign of Kelvin for its k: %q", got)
	}
}

func FuzzSigns(f *testing.F) {
	for _, text := range signedTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { signed(t, text) })
}
