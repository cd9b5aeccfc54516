package reports

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// What each run has anew says nothing of the server: its pseudonyms (host-7.example.invalid, REDACTED-3),
// GUIDs, etags, long numbers such as the id of an application, moments, how long a body is that was cut, and the ports of servers that are started for a test.
var volatile = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?P<pseudonym>\b(?i:host|user|name|id|member|header|word|text|conf|blob|image|app)-(?:[0-9a-f]{10}|[0-9]{1,6}x*)\b(?:\.example\.invalid\b(?::[0-9]{1,5}\b)?)?|\bREDACTED-[0-9]+\b)` +
		`|(?P<guid>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b)` +
		`|(?P<moment>\b[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT\b|\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?Z?)` +
		`|(?P<application>/applications/[0-9]+\b)` +
		`|(?P<etag>"etag":"[^"]{1,64}")` +
		`|(?P<length>… \([0-9]+ bytes\)$)` + // of what was cut
		`|(?P<number>\b[0-9]{9,}\b)` +
		`|(?P<local>(?:\blocalhost|\b127\.0\.0\.1|\[::1\]):[0-9]{1,5}\b)`)
})

// folded is values without what each run has anew, which is its kind and a number there. The same text has the same
// number in all of them: where two were of one host and are of two now, that is a change.
func folded(values ...string) []string {
	numbers, kinds := map[string]int{}, map[string]int{}
	pattern := volatile()
	names := pattern.SubexpNames()
	return each(values, func(s string) string {
		var b strings.Builder
		end := 0
		for _, at := range pattern.FindAllStringSubmatchIndex(s, -1) {
			text, kind := s[at[0]:at[1]], ""
			for i := 1; i < len(names); i++ {
				if at[2*i] >= 0 {
					kind = names[i]
				}
			}
			if kind == "pseudonym" { // which begins with its kind; the port of a host is no part of it
				text, _, _ = strings.Cut(text, ":")
				kind, _, _ = strings.Cut(strings.ToLower(text), "-")
			}
			if numbers[text] == 0 {
				kinds[kind]++
				numbers[text] = kinds[kind]
			}
			fmt.Fprintf(&b, "%s<%s %d>", s[end:at[0]], kind, numbers[text])
			end = at[1]
		}
		return b.String() + s[end:]
	})
}

// A difference is seen with so much of what is alike before it.
const alikeRunes = 60

// apart is two values from shortly before they begin to differ, where they are too long to be shown whole.
func apart(was, is string) (string, string) {
	if max(utf8.RuneCountInString(was), utf8.RuneCountInString(is)) <= shownRunes {
		return was, is
	}
	same := 0
	for same < len(was) && same < len(is) && was[same] == is[same] {
		same++
	}
	for n := 0; same > 0 && (n < alikeRunes || same < len(was) && !utf8.RuneStart(was[same])); n++ {
		same--
	}
	if same == 0 {
		return was, is
	}
	return "… " + was[same:], "… " + is[same:]
}
