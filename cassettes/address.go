package cassettes

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// address is a URL in normal form: two URLs that a server must treat alike have the same address. The scheme and the host
// are in lower case, the scheme's own port is left out, the path and the query are decoded ("=" and "%3d" are equal), and the
// parameters are sorted by name. Fragment and user are not part of it.
type address struct {
	scheme, host, path string
	query              []parameter
}

type parameter struct{ name, value string }

func normal(u *url.URL) address {
	a := address{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(u.Host), path: normalPath(u), query: parameters(u.RawQuery)}
	switch a.scheme {
	case "http":
		a.host = strings.TrimSuffix(a.host, ":80")
	case "https":
		a.host = strings.TrimSuffix(a.host, ":443")
	}
	return a
}

// normalPath decodes all but an encoded slash, which does not divide segments, and the percent sign, so that what was
// encoded twice stays different.
func normalPath(u *url.URL) string {
	if u.RawPath == "" { // the usual case: the path has one way of being written
		return cmp.Or(strings.ReplaceAll(u.Path, "%", "%25"), "/")
	}
	segments := strings.Split(u.EscapedPath(), "/")
	for i, segment := range segments {
		if decoded, err := url.PathUnescape(segment); err == nil {
			segments[i] = segmentEscaper.Replace(decoded)
		}
	}
	return strings.Join(segments, "/")
}

var segmentEscaper = strings.NewReplacer("%", "%25", "/", "%2F")

// parameters decodes a query. Unlike url.ParseQuery it fails on nothing: what cannot be decoded stays as it is.
func parameters(raw string) []parameter {
	if raw == "" {
		return nil
	}
	var list []parameter
	for pair := range strings.SplitSeq(raw, "&") {
		if pair != "" {
			name, value, _ := strings.Cut(pair, "=")
			list = append(list, parameter{decodeQuery(name), decodeQuery(value)})
		}
	}
	slices.SortStableFunc(list, func(a, b parameter) int { return cmp.Compare(a.name, b.name) })
	return list
}

func decodeQuery(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// key is what must be equal for a recorded exchange to answer a request.
func (a address) key(method string) string {
	method = cmp.Or(method, "GET")
	if len(a.query) == 0 {
		return method + " " + a.scheme + "://" + a.host + a.path
	}
	var b strings.Builder
	b.WriteString(method + " " + a.scheme + "://" + a.host + a.path)
	separator := byte('?')
	for _, p := range a.query {
		b.WriteByte(separator)
		b.WriteString(url.QueryEscape(p.name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(p.value))
		separator = '&'
	}
	return b.String()
}

// resource is the address without its query.
func (a address) resource() string { return a.scheme + "://" + a.host + a.path }

// ack returns the number of the last event that a request on an event channel acknowledges. Only those requests have one.
func (a address) ack() (string, bool) {
	for _, p := range a.query {
		if p.name == "ack" {
			return p.value, true
		}
	}
	return "", false
}
