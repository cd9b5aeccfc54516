package reports

import (
	"slices"
	"strings"
	"testing"
)

// What each run has anew is no change, and hides none.
func TestVolatileValues(t *testing.T) {
	const a, b, c = "host-0123456789.example.invalid", "host-abcdef0123.example.invalid", "host-9999999999.example.invalid"
	long := strings.Repeat(`{"href":"/ucwa/oauth/v1/applications/ID/me"},`, 40)
	for _, test := range []struct {
		name                 string
		expected, observed   string // before
		expected2, observed2 string // after
		want                 string // what is said of the change, "" for none
	}{
		{"another pseudonym", a, a, b, b, ""},
		{"and another port", a + ":443", a, b + ":8443", b, ""},
		{"not the same host any more", a, a, b, c, "observed: <host 1> → <host 2>"},
		{"a person", "", "sip:user-0123456789@" + a, "", "sip:user-9876543210@" + b, ""},
		{"an application", "", "/applications/101/me", "", "/applications/90123456789/me", ""},
		{"below another", "", "/applications/101/me", "", "/applications/102/you", "observed: <application 1>/me → <application 1>/you"},
		{"a GUID", "", "00000000-1481-4c1e-83c3-38d76202f13c", "", "00000000-D917-4e4b-8748-2e9eedb0115c", ""},
		{"no GUID", "", "00000000-1481-4c1e-83c3-38d76202f13c", "", "00000000-d917-4e4b-8748", "observed: <guid 1> → 00000000-d917-4e4b-8748"},
		{"an ETag", "", `"1785632821"`, "", `"369146530012"`, ""},
		{"a short ETag in a body", "", `{"etag":"12814337","rel":"me"}`, "", `{"etag":"1785632821","rel":"me"}`, ""},
		{"the length of what was cut", "", `{"rel":"application",… (4288 bytes)`, "", `{"rel":"application",… (4287 bytes)`, ""},
		{"a secret", "", "cwt=REDACTED-5", "", "cwt=REDACTED-12", ""},
		{"a moment", "", "Thu, 01 Jan 2026 00:00:00 GMT", "", "Fri, 02 Jan 2026 10:00:00 GMT", ""},
		{"no moment", "", "Thu, 01 Jan 2026 00:00:00 GMT", "", "2026-01-01 00:00:00", "observed: <moment 1> → 2026-01-01 00:00:00"},
		{"a local port", "", "http://127.0.0.1:4711/", "", "http://127.0.0.1:4712/", ""},
		{"the port of a server", "", "https://pool.example:443/", "", "https://pool.example:444/", "observed: https://pool.example:443/ → https://pool.example:444/"},
		{"an age", "", "max-age=31536000", "", "max-age=31536001", "observed: max-age=31536000 → max-age=31536001"},
		{"deep in a body", "", strings.ReplaceAll(long, "ID", "91234") + "true", "", strings.ReplaceAll(long, "ID", "98765") + "false", `"},true → … `},
	} {
		before, after := conformant(), conformant()
		before.Results[0].Expected, before.Results[0].Observed = test.expected, test.observed
		after.Results[0].Expected, after.Results[0].Observed = test.expected2, test.observed2
		comparison := Compare(before, after)
		var said []string
		for _, change := range comparison.Changes {
			for _, line := range change.said() {
				said = append(said, line[0]+": "+line[1])
			}
		}
		if test.want == "" && said != nil || test.want != "" && (len(said) != 1 || !strings.Contains(said[0], test.want)) {
			t.Errorf("%s: it says %q, expected %q", test.name, said, test.want)
		}
	}
	before, after := everything(), everything()
	before.Evidence.Source, after.Evidence.Source = "https://"+a, "https://"+b
	if notes := Compare(before, after).Notes; len(notes) == 0 || !strings.Contains(notes[0], "they may be the same, or not") || slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(n, "other targets") }) {
		t.Errorf("of two pseudonyms it says %q", notes)
	}
}
