package cassettes

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// hideCut replaces the beginning of a secret with which a text ends that was cut, be it that the connection broke or that no more
// is recorded: a part of a password is nobody's business either.
func (h *hider) hideCut(text string) string {
	at, found := h.cut(text)
	if found == nil || h.off[found.kind] {
		return text
	}
	stands := found.pseudonym("")
	h.note(found.kind, stands)
	return text[:at] + stands
}

// cut tells where the beginning of a secret stands with which a text ends, and of which; nil if of none.
func (h *hider) cut(text string) (int, *identity) {
	ends := strings.TrimSuffix(text, cutCode().FindString(text[max(0, len(text)-16):]))
	views := view{text: ends}.layers()
	for _, v := range views {
		v = alike(v)
		if at, found := h.index.cut(v.text); found != nil {
			first, _ := v.original(at, len(v.text))
			return first, found
		}
	}
	for _, v := range views {
		for _, c := range slices.Backward(encodedChunks(v.text)) {
			if c.end < len(strings.TrimRight(v.text, "=")) {
				break
			}
			if _, found := h.index.cut(folded(c.plain)); found != nil {
				first, _ := v.original(c.start, c.end)
				return first, found
			}
		}
	}
	return 0, nil
}

// shortestCut is the shortest beginning of a secret that is taken for one.
const shortestCut = 4

// cut returns where the longest beginning of a secret begins with which a text ends.
func (x *index) cut(text string) (int, *identity) {
	for _, secret := range x.secrets {
		for n := min(len(secret.text)-1, len(text)); n >= shortestCut; n-- {
			if strings.HasSuffix(text, secret.text[:n]) && !known(secret.text[:n]) {
				return len(text) - n, secret
			}
		}
	}
	return 0, nil
}

// cutCode finds the beginning of a code at the end of a text.
var cutCode = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:\\+(?:u[0-9A-Fa-f]{0,3})?|%[0-9A-Fa-f]?|&[#\w]{0,8})$`)
})
