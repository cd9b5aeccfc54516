package ucwa

import (
	"regexp"
	"strings"
)

// Challenge is one challenge of a 401 (RFC 9110, 11.6.1). UCWA's is MsRtcOAuth
// with the parameters href, where tokens are handed out, and grant_type, a
// comma-separated list of the ways to get one.
type Challenge struct {
	Scheme string
	Params map[string]string // names in lower case; values without their quotes
}

// ParseChallenges reads every WWW-Authenticate line of a response. Servers write
// several challenges in one line or in one line each, and parameters with or
// without quotes. What cannot be read is left out, and so is what Negotiate and
// NTLM write instead of parameters.
func ParseChallenges(lines []string) []Challenge {
	var all []Challenge
	for _, line := range lines {
		s := scanner{line}
		for s.skip(" \t,"); s.rest != ""; s.skip(" \t,") {
			word := s.token()
			ends := s.rest == "" || strings.ContainsAny(s.rest[:1], " \t,")
			s.skip(" \t")
			switch {
			case word != "" && strings.HasPrefix(s.rest, "="):
				s.rest = s.rest[1:]
				s.skip(" \t")
				value := s.value()
				if len(all) > 0 { // else a parameter of nothing
					all[len(all)-1].Params[strings.ToLower(word)] = value
				}
			case word != "" && ends:
				all = append(all, Challenge{Scheme: word, Params: map[string]string{}})
				s.rest = s.rest[len(token68.FindString(s.rest)):]
			default: // something no grammar allows here
				s.value()
			}
		}
	}
	return all
}

// token68 is what may stand after a scheme instead of parameters (RFC 9110, 11.2).
var token68 = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*[ \t]*(,|$)`)

type scanner struct{ rest string }

func (s *scanner) skip(chars string) { s.rest = strings.TrimLeft(s.rest, chars) }

// token reads a name, as of a scheme or a parameter (RFC 9110, 5.6.2); it may be
// empty.
func (s *scanner) token() string {
	after := strings.TrimLeft(s.rest, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	word := strings.TrimSuffix(s.rest, after)
	s.rest = after
	return word
}

// value reads a quoted string, or what stands before the next comma or space.
func (s *scanner) value() string {
	if !strings.HasPrefix(s.rest, `"`) {
		end := strings.IndexAny(s.rest, ", \t")
		if end < 0 {
			end = len(s.rest)
		}
		word := s.rest[:end]
		s.rest = s.rest[end:]
		return word
	}
	var b strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return b.String()
		case c == '\\' && i+1 < len(s.rest):
			i++
			b.WriteByte(s.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	s.rest = ""
	return b.String()
}
