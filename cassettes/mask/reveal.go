package mask

import (
	"regexp"
	"strings"
	"sync"
)

// inRevealed finds pseudonyms, and hosts that end as masked ones do.
var inRevealed = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:(?:host|user|name|phone|id|member|header)-[1-9]\d{0,5}|9\d{9}|` + ownGUIDs + `\d{12})(?:é|\b)(?:` + regexp.QuoteMeta(reserved) + `)?`)
})

// Reveal returns a masked text with names, hosts, addresses and ids in place of their pseudonyms. It is for the terminal of the person who made the
// evidence; no file may have it. Credentials and other texts stay masked.
func (m *Masker) Reveal(s string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.revealed == nil || m.revealedOf != len(m.stands) {
		m.revealed, m.revealedOf = make(map[string]string, len(m.stands)), len(m.stands)
		for word, p := range m.stands {
			if !strings.HasPrefix(word, "redacted:") && !p.original {
				m.revealed[p.text] = p.first
				for casing, is := range p.casings {
					m.revealed[is] = casing
				}
			}
		}
	}
	return m.withoutSecrets(inRevealed().ReplaceAllStringFunc(s, func(found string) string {
		bare := found
		if strings.HasSuffix(strings.ToLower(found), reserved) {
			bare = found[:len(found)-len(reserved)]
		}
		word, known := m.revealed[unsuffixed(bare)]
		if !known {
			word, known = m.revealed[unsuffixed(strings.ToLower(bare))]
		}
		switch {
		case !known:
			return found
		case !strings.Contains(word, "."): // a label of a host, whose domain is known or has a pseudonym of its own
			return word + found[len(bare):]
		}
		return word
	}))
}

// WithoutSecrets returns the message of an error as it was, but for the credentials that are known. It is for the same terminal as [Masker.Reveal].
func (m *Masker) WithoutSecrets(s string) string { return m.locked(m.withoutSecrets, s) }

func (m *Masker) withoutSecrets(s string) string {
	found := m.guard.found
	s = m.tickets(m.guard.clean(s, false))
	m.guard.found = found // it may be there
	return s
}
