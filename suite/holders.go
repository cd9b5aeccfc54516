package suite

import (
	"iter"
	"net/url"
	"slices"
	"strings"
)

// holders finds the clients that hold a token: how long that takes depends on what is looked at, and not on how many
// clients there are.
type holders struct {
	byAuthorization, byToken map[string][]*appClient
	tokens                   map[string][]string // in a form in which they stand in texts
	lengths                  [256][]int          // of those forms, by their first byte
}

func holdersOf(clients []*appClient) *holders {
	h := &holders{byAuthorization: map[string][]*appClient{}, byToken: map[string][]*appClient{}, tokens: map[string][]string{}}
	for i, c := range clients {
		c.number = i
		for authorization := range c.tokens {
			h.note(c, authorization)
		}
	}
	return h
}

// add gives a client a token.
func (h *holders) add(c *appClient, authorization string) {
	if !c.tokens[authorization] {
		c.tokens[authorization] = true
		h.note(c, authorization)
	}
}

func (h *holders) note(c *appClient, authorization string) {
	h.byAuthorization[authorization] = append(h.byAuthorization[authorization], c)
	_, token, _ := strings.Cut(authorization, " ")
	if token == "" {
		return
	}
	h.byToken[token] = append(h.byToken[token], c)
	if len(h.byToken[token]) > 1 {
		return
	}
	for _, form := range formsOf(token) {
		h.tokens[form] = append(h.tokens[form], token)
		if lengths := &h.lengths[form[0]]; !slices.Contains(*lengths, len(form)) {
			*lengths = append(*lengths, len(form))
		}
	}
}

// ofAny returns the clients that hold any of some tokens, in the order in which they appear.
func (h *holders) ofAny(authorizations iter.Seq[string]) []*appClient {
	var list []*appClient
	for authorization := range authorizations {
		list = append(list, h.byAuthorization[authorization]...)
	}
	return inOrder(list)
}

// owning returns the clients whose token x carries, or yields.
func (h *holders) owning(x *Exchange) []*appClient {
	owners := slices.Clone(h.byAuthorization[x.authorization()])
	for text := range strings.SplitSeq(x.Response.Body, `"`) { // all that stands between quotes in the answer
		owners = append(owners, h.byToken[text]...)
	}
	shown := map[string]bool{}
	for text := range x.mayShow() {
		for token := range h.in(text) {
			if !shown[token] && x.shows(token) != "" {
				owners = append(owners, h.byToken[token]...)
			}
			shown[token] = true
		}
	}
	return inOrder(owners)
}

// in yields the tokens that stand in a text; of one it may be just the beginning of another.
func (h *holders) in(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(text) {
			for _, length := range h.lengths[text[i]] {
				if i+length > len(text) {
					continue
				}
				for _, token := range h.tokens[text[i:i+length]] {
					if !yield(token) {
						return
					}
				}
			}
		}
	}
}

func inOrder(list []*appClient) []*appClient {
	slices.SortFunc(list, func(a, b *appClient) int { return a.number - b.number })
	return slices.Compact(list)
}

// mayShow yields the texts of a request in which a token can stand, besides Authorization.
func (x *Exchange) mayShow() iter.Seq[string] {
	return func(yield func(string) bool) {
		for name, values := range x.Request.Headers {
			for _, value := range values {
				if !strings.EqualFold(name, "Authorization") && !yield(value) {
					return
				}
			}
		}
		_ = yield(x.Request.URL) && yield(x.Request.Body)
	}
}

// formsOf returns how a token stands in a text: as it is, and percent-encoded.
func formsOf(token string) []string {
	secret := strings.TrimPrefix(token, "cwt=") // what stands before it is encoded in many ways
	if len(secret) < 6 {
		secret = token
	}
	if escaped := url.QueryEscape(secret); escaped != secret {
		return []string{secret, escaped}
	}
	return []string{secret}
}
