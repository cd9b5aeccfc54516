package mask

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/dnaeon/go-vcr.v3/cassette"
)

// Interaction masks an exchange, whose fields are the caller's to change, and the text of its failure.
func (m *Masker) Interaction(x *cassette.Interaction, failure string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	q, a := &x.Request, &x.Response
	q.Method = m.method(q.Method)
	q.URL, q.RequestURI = m.url(q.URL), m.url(q.RequestURI)
	q.Host, q.RemoteAddr = m.host(q.Host), m.host(q.RemoteAddr)
	medium := mediumOf(q.Headers)
	q.Headers, q.Trailer = m.fields(q.Headers), m.fields(q.Trailer)
	m.bodyOf(medium, q.Headers, &q.Body, &q.ContentLength)
	form := make(map[string][]string, len(q.Form))
	for _, key := range slices.Sorted(maps.Keys(q.Form)) {
		for _, value := range q.Form[key] {
			masked := m.member(key, value)
			name := m.memberName(key, key)
			form[name] = append(form[name], masked)
		}
	}
	q.Form = form
	medium = mediumOf(a.Headers)
	a.Headers, a.Trailer = m.fields(a.Headers), m.fields(a.Trailer)
	m.bodyOf(medium, a.Headers, &a.Body, &a.ContentLength)
	if code, phrase, ok := strings.Cut(a.Status, " "); ok && !isPhrase(code, phrase) && m.keeps != AllButSecret {
		a.Status = code
	}
	if code := strings.SplitN(a.Status, " ", 2)[0]; len(code) != 3 || !digits(code) {
		a.Status = crossed(a.Status)
	}
	for _, proto := range []*string{&q.Proto, &a.Proto} {
		if !protocol.MatchString(*proto) {
			*proto = crossed(*proto)
		}
	}
	for _, list := range [][]string{q.TransferEncoding, a.TransferEncoding} {
		for i := range list {
			list[i] = m.header("Transfer-Encoding", list[i])
		}
	}
	for _, text := range []*string{&q.URL, &q.RequestURI, &q.Host, &q.RemoteAddr, &q.Body, &a.Body} {
		*text = m.guard.clean(*text, true)
	}
	for _, h := range []http.Header{q.Headers, a.Headers, q.Trailer, a.Trailer, http.Header(q.Form)} {
		for _, values := range h {
			for i := range values {
				values[i] = m.guard.clean(values[i], true)
			}
		}
	}
	return m.failure(failure)
}

// fields masks a header.
func (m *Masker) fields(h http.Header) http.Header {
	masked := make(http.Header, len(h))
	for _, key := range slices.Sorted(maps.Keys(h)) {
		name := m.headerName(key)
		for _, value := range h[key] {
			masked[name] = append(masked[name], m.header(key, value))
		}
		if len(h[key]) == 0 {
			masked[name] = []string{}
		}
	}
	return masked
}

func mediumOf(h http.Header) string {
	for key, values := range h {
		if strings.EqualFold(key, "Content-Type") && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// bodyOf masks a body, and moves its lengths by what that changes.
func (m *Masker) bodyOf(contentType string, h http.Header, body *string, length *int64) {
	was := len(*body)
	*body = m.body(contentType, *body, 0)
	by := len(*body) - was
	if by == 0 {
		return
	}
	if *length > 0 {
		*length = max(0, *length+int64(by))
	}
	for key, values := range h {
		if strings.EqualFold(key, "Content-Length") {
			for i, value := range values {
				values[i] = shifted(value, by)
			}
		}
	}
}

func (m *Masker) method(s string) string {
	if m.keeps == AllButSecret || vocabulary().methods[strings.ToLower(s)] {
		return s
	}
	return words(s, func(word string) string { return strings.ToUpper(m.word("id", word)) })
}

// isPhrase tells whether a text is what HTTP says of a status.
func isPhrase(code, phrase string) bool {
	n, err := strconv.Atoi(code)
	return err == nil && strings.EqualFold(http.StatusText(n), phrase)
}

// plainNumbers are those of 127.0.0.1, and the ports of DNS, http and https.
var plainNumbers = []string{"127", "0", "1", "53", "80", "443"}

// failure keeps of the text of an error what this suite and the standard library say.
func (m *Masker) failure(s string) string {
	if s == "" || m.keeps == AllButSecret {
		return m.tickets(s)
	}
	m.settled = true
	defer func() { m.settled = false }()
	v := vocabulary()
	s = strings.ReplaceAll(s, "HTTP/1.x", "HTTP") // as net/http calls it
	return words(m.message(s), func(word string) string {
		lower := strings.ToLower(word)
		switch {
		case isGUID(word) && m.keeps == Nothing:
			return m.guid(word)
		case v.hosts[lower] || slices.Contains(plainNumbers, word):
			return word // of a host that has a pseudonym otherwise, of the loopback address, or a port that says nothing
		case in(strings.Split(lower, "-"), v.failures) || v.isWord(word) || v.methods[lower] || m.taken[unsuffixed(lower)] || m.keeps == Names && isGUID(word):
			return word
		}
		return crossed(word)
	})
}

// Task masks the names of tasks, roles and revisions: words of the protocol and numbers stay.
func (m *Masker) Task(s string) string {
	v := vocabulary()
	return words(s, func(word string) string {
		if !v.isMark(word) && (!digits(word) || len(word) > 4) {
			return crossed(word)
		}
		return word
	})
}

// Tool masks what a recording program calls itself: its name and its version.
func (m *Masker) Tool(s string) string {
	v := vocabulary()
	fields := strings.Split(s, " ")
	for i, field := range fields {
		if m.keeps != AllButSecret && !v.listed[strings.ToLower(field)] && (i == 0 || !versionNumber.MatchString(field)) {
			fields[i] = crossed(field)
		}
	}
	return strings.Join(fields, " ")
}

var versionNumber = regexp.MustCompile(`^v?\d{1,5}(?:[.-](?:\d{1,5}|dev|rc|beta|alpha))*$`)

// Source masks what a recording is said to be of: the URL or the address of a user, or what else somebody wrote there.
func (m *Masker) Source(s string) string { return m.locked(m.source, s) }

func (m *Masker) source(s string) string {
	switch {
	case m.keeps != Nothing:
		return m.message(s)
	case strings.ContainsAny(s, " \\"):
		return m.text(s)
	case strings.Contains(s, "://"):
		return m.url(s)
	case strings.Contains(s, "@"):
		return m.account(s)
	}
	return m.text(s)
}

func (m *Masker) locked(mask func(string) string, s string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return mask(s)
}

// Text masks a text of which nothing is known.
func (m *Masker) Text(s string) string { return m.locked(m.text, s) }

// Field masks the name of a field of an exchange, such as response.body._links.self.
func (m *Masker) Field(s string) string {
	v := vocabulary()
	return words(s, func(word string) string {
		if lower := strings.ToLower(word); v.isName(word) || v.listed[lower] || v.headers[lower] != unlisted || digits(word) && len(word) < 6 {
			return word
		}
		return crossed(word)
	})
}

// URL masks a URL or the address of a user.
func (m *Masker) URL(s string) string { return m.locked(m.url, s) }

// Account masks the address of a user.
func (m *Masker) Account(s string) string { return m.locked(m.account, s) }

// Header masks the value of a header field.
func (m *Masker) Header(name, s string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.header(name, s)
}
