package ucwa_test

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

func TestParseChallenges(t *testing.T) {
	type params = map[string]string
	const issuers = "00000002-0000-0ff1-ce00-000000000000@contoso.com"
	const href = "https://lyncweb.contoso.com/WebTicket/oauthtoken"
	const grants = "urn:microsoft.rtc:windows,urn:microsoft.rtc:anonmeeting,password"
	both := []ucwa.Challenge{
		{Scheme: "Bearer", Params: params{"trusted_issuers": issuers, "client_id": "00000004-0000-0ff1-ce00-000000000000"}},
		{Scheme: "MsRtcOAuth", Params: params{"href": href, "grant_type": grants}},
	}
	for _, test := range []struct {
		name  string
		lines []string
		want  []ucwa.Challenge
	}{
		{"none", nil, nil},
		{"an empty line", []string{""}, nil},
		{"one", []string{`MsRtcOAuth href="` + href + `",grant_type="` + grants + `"`}, both[1:]},
		{"two in one line", []string{`Bearer trusted_issuers="` + issuers + `", client_id="00000004-0000-0ff1-ce00-000000000000", ` +
			`MsRtcOAuth href="` + href + `",grant_type="` + grants + `"`}, both},
		{"two in two lines", []string{`Bearer trusted_issuers="` + issuers + `", client_id="00000004-0000-0ff1-ce00-000000000000"`,
			`MsRtcOAuth href="` + href + `",grant_type="` + grants + `"`}, both},
		{"a challenge over two lines", []string{`MsRtcOAuth href="` + href + `"`, `grant_type="` + grants + `"`}, both[1:]},
		{"href without quotes", []string{`MsRtcOAuth href=` + href + `,grant_type="` + grants + `"`}, both[1:]},
		{"nothing quoted", []string{`MsRtcOAuth grant_type=password, href=https://a/b?c=d%3d`},
			[]ucwa.Challenge{{Scheme: "MsRtcOAuth", Params: params{"grant_type": "password", "href": "https://a/b?c=d%3d"}}}},
		{"repeated grant types stay as they are", []string{`MsRtcOAuth href="x",grant_type="urn:microsoft.rtc:windows,password,urn:microsoft.rtc:windows"`},
			[]ucwa.Challenge{{Scheme: "MsRtcOAuth", Params: params{"href": "x", "grant_type": "urn:microsoft.rtc:windows,password,urn:microsoft.rtc:windows"}}}},
		{"a parameter twice: the last counts", []string{`MsRtcOAuth grant_type="a",grant_type="b"`},
			[]ucwa.Challenge{{Scheme: "MsRtcOAuth", Params: params{"grant_type": "b"}}}},
		{"names in capitals", []string{`MSRTCOAUTH HREF="X"`}, []ucwa.Challenge{{Scheme: "MSRTCOAUTH", Params: params{"href": "X"}}}},
		{"blanks around =", []string{"A b = \"c\" ,\td\t=\te"}, []ucwa.Challenge{{Scheme: "A", Params: params{"b": "c", "d": "e"}}}},
		{"escapes in quotes", []string{`A b="c \"d\" \\ , E f=g"`}, []ucwa.Challenge{{Scheme: "A", Params: params{"b": `c "d" \ , E f=g`}}}},
		{"an empty value", []string{`A b="", c=d`}, []ucwa.Challenge{{Scheme: "A", Params: params{"b": "", "c": "d"}}}},
		{"no blank after a comma", []string{`A b="c",D e="f"`},
			[]ucwa.Challenge{{Scheme: "A", Params: params{"b": "c"}}, {Scheme: "D", Params: params{"e": "f"}}}},
		{"schemes alone", []string{"Negotiate", "NTLM"}, []ucwa.Challenge{{Scheme: "Negotiate", Params: params{}}, {Scheme: "NTLM", Params: params{}}}},
		{"schemes alone in one line", []string{"Negotiate, NTLM,"}, []ucwa.Challenge{{Scheme: "Negotiate", Params: params{}}, {Scheme: "NTLM", Params: params{}}}},
		{"one scheme twice", []string{`A b=c, A b=d`}, []ucwa.Challenge{{Scheme: "A", Params: params{"b": "c"}}, {Scheme: "A", Params: params{"b": "d"}}}},
		{"a message of NTLM", []string{"NTLM TlRMTVNTUAACAAAA", `MsRtcOAuth href="x"`},
			[]ucwa.Challenge{{Scheme: "NTLM", Params: params{}}, {Scheme: "MsRtcOAuth", Params: params{"href": "x"}}}},
		{"a message of Negotiate", []string{"Negotiate oYG+/A==, NTLM"}, []ucwa.Challenge{{Scheme: "Negotiate", Params: params{}}, {Scheme: "NTLM", Params: params{}}}},

		{"garbage", []string{`=,"",;@ {x}`, "\x00\xff"}, nil},
		{"garbage between", []string{`A b=c, (comment), D e=f`}, []ucwa.Challenge{{Scheme: "A", Params: params{"b": "c"}}, {Scheme: "D", Params: params{"e": "f"}}}},
		{"a parameter of nothing", []string{`href="https://evil.com/"`}, nil},
		{"a parameter of nothing, then one", []string{`href="x", A b=c`}, []ucwa.Challenge{{Scheme: "A", Params: params{"b": "c"}}}},
		{"a URL alone", []string{"https://evil.com/x"}, nil},
		{"a quote that does not end", []string{`A b="c, D e=f`, `G`}, []ucwa.Challenge{{Scheme: "A", Params: params{"b": "c, D e=f"}}, {Scheme: "G", Params: params{}}}},
		{"a backslash at the end", []string{`A b="c\`}, []ucwa.Challenge{{Scheme: "A", Params: params{"b": `c\`}}}},
		{"nothing after =", []string{`A b=c, d=`}, []ucwa.Challenge{{Scheme: "A", Params: params{"b": "c", "d": ""}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := ucwa.ParseChallenges(test.lines); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// FuzzParseChallenges: what is read is well formed, and is read again from how RFC 9110 writes it.
func FuzzParseChallenges(f *testing.F) {
	for _, seed := range []string{
		``, `MsRtcOAuth href="https://a/b",grant_type="urn:microsoft.rtc:windows,password"`, `Bearer a="b", c=d, MsRtcOAuth href=https://x`,
		"Negotiate oYG+/A==\nNTLM", `=,"",;@ {x}`, `A b="c\`, `A b="\"\\", C`, "A b = c ,\td= ", `href="x"`, `a=b=c`, "A\n\nB=c", "İ ı=K",
	} {
		f.Add(seed)
	}
	name := regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")
	f.Fuzz(func(t *testing.T, text string) {
		challenges := ucwa.ParseChallenges(strings.Split(text, "\n"))
		var written []string
		for _, c := range challenges {
			if !name.MatchString(c.Scheme) || c.Params == nil {
				t.Fatalf("got the challenge %q", c)
			}
			line := c.Scheme
			for i, param := range slices.Sorted(maps.Keys(c.Params)) {
				if !name.MatchString(param) || param != strings.ToLower(param) {
					t.Fatalf("got the parameter %q", param)
				}
				if i > 0 {
					line += ","
				}
				line += fmt.Sprintf(` %s="%s"`, param, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(c.Params[param]))
			}
			written = append(written, line)
		}
		if again := ucwa.ParseChallenges(written); !reflect.DeepEqual(again, challenges) {
			t.Fatalf("read %q, written %q, read %q", challenges, written, again)
		}
		if again := ucwa.ParseChallenges([]string{strings.Join(written, ", ")}); !reflect.DeepEqual(again, challenges) {
			t.Fatalf("read %q, in one line %q", challenges, again)
		}
	})
}
