package mask

import (
	"regexp"
	"strings"
	"sync"
)

// inRevealed finds pseudonyms, and hosts that end as masked ones do.
var inRevealed = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:(?:host|user|name|phone|id|member|header|word)-[1-9]\d{0,5}é?|9\d{9}|` + ownGUIDs + `\d{12})(?:` + regexp.QuoteMeta(reserved) + `)?`)
})

// Reveal returns a masked text with the names, hosts, addresses and ids in place of their pseudonyms, in lower case, for the eyes of whoever made
// the evidence: no file may have it. Credentials and other texts stay masked.
func (m *Masker) Reveal(s string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.revealed == nil || len(m.revealed) < len(m.stands) {
		m.revealed = make(map[string]string, len(m.stands))
		for word, p := range m.stands {
			if !strings.HasPrefix(word, "redacted:") && !p.original {
				m.revealed[p.text] = word
			}
		}
	}
	return inRevealed().ReplaceAllStringFunc(s, func(found string) string {
		bare := strings.TrimSuffix(strings.ToLower(found), reserved)
		word, known := m.revealed[unsuffixed(bare)]
		switch {
		case !known:
			return found
		case !strings.Contains(word, "."): // a label of a host, whose domain is known or has a pseudonym of its own
			return word + found[len(bare):]
		}
		return word
	})
}
