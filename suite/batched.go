package suite

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// unfolded puts behind each batch that was answered the requests in it, each with its answer, as if they had been sent alone: with
// the number of the batch, and those fields of its header that a part has not. Source: "Batching requests".
func unfolded(all []*Exchange) []*Exchange {
	if !slices.ContainsFunc(all, (*Exchange).isBatch) {
		return all
	}
	var list []*Exchange
	for _, x := range all {
		list = append(list, x)
		if x.isBatch() && x.Response.Code/100 != 4 {
			x.inside = x.batched()
			list = append(list, x.inside...)
		}
	}
	return list
}

// folded returns exchanges as they were sent: batches in place of what was in them. A batch may be another application's.
func folded(all []*Exchange) []*Exchange {
	var list []*Exchange
	for _, x := range all {
		switch {
		case x.batch == nil:
			list = append(list, x)
		case len(list) == 0 || list[len(list)-1].ID != x.ID:
			list = append(list, x.batch)
		}
	}
	return list
}

const batchMedia = "multipart/batching"

// isBatch reports whether x is a batch, by its media type.
func (x *Exchange) isBatch() bool {
	return x.Request.Method == http.MethodPost && boundaryOf(x.Request.Headers) != ""
}

// boundaryOf returns the boundary that a batch names in its header, "" if it is none.
func boundaryOf(h http.Header) string {
	media, parameters, err := mime.ParseMediaType(strings.Join(cassettes.HeaderValues(h, "Content-Type"), ""))
	if err != nil || media != batchMedia {
		return ""
	}
	return parameters["boundary"]
}

// batched returns the requests in a batch that can be read, with the answers that stand in the same places. Where there are more of
// the one than of the other nobody knows which answer is whose.
func (x *Exchange) batched() []*Exchange {
	asked, answered := partsOf(x.Request.Headers, x.Request.Body), partsOf(x.Response.Headers, x.Response.Body)
	if x.partial = len(asked) == 0 || len(asked) != len(answered); x.partial {
		return nil
	}
	var list []*Exchange
	for i := range asked {
		q, err := http.ReadRequest(bufio.NewReader(strings.NewReader(asked[i])))
		if err != nil {
			continue
		}
		a, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answered[i])), q) //nolint:bodyclose // its body is a part of a string, and read from there
		if err != nil {
			continue
		}
		u, err := ucwa.Resolve(x.url, q.RequestURI)
		if err != nil || a.StatusCode < 200 || a.StatusCode > 599 {
			continue
		}
		one := &cassettes.Interaction{ID: x.ID}
		one.Request, one.Response = x.Request, x.Response
		one.Request.Method, one.Request.URL = q.Method, u.String()
		one.Request.Headers, one.Request.Body = fieldsOf(x.Request.Headers, q.Header), bodyOf(asked[i])
		one.Request.ContentLength, one.Request.Form = int64(len(one.Request.Body)), url.Values{}
		one.Response.Status, one.Response.Code = a.Status, a.StatusCode
		one.Response.Headers, one.Response.Body = fieldsOf(x.Response.Headers, a.Header), bodyOf(answered[i])
		one.Response.ContentLength, one.Response.TransferEncoding = int64(len(one.Response.Body)), nil
		list = append(list, &Exchange{Exchange: cassettes.Exchange{Interaction: one, Began: x.Began}, Probe: x.Probe, url: u, batching: batching{batch: x, place: i + 1}})
	}
	x.partial = len(list) < len(asked)
	unorder(list)
	return list
}

// unorder notes of what is in one batch which requests depend on others: they can be processed in any order.
func unorder(list []*Exchange) {
	changes, turns := map[string]int{}, 0
	turn := func(x *Exchange) bool {
		app := applicationOf(x.url)
		return x.Request.Method == http.MethodPost && strings.HasSuffix(lowerPath(x.url.Path), "/"+strings.ToLower(roleOf(partMake).rel)) ||
			x.Request.Method == http.MethodDelete && app != nil && linkKey(app) == linkKey(x.url)
	}
	for _, x := range list {
		if turn(x) {
			turns++
		} else if x.Request.Method != http.MethodGet {
			changes[linkKey(x.url)]++
		}
	}
	for _, x := range list {
		n := changes[linkKey(x.url)]
		x.apart, x.mixed, x.split = turns > 0 && !turn(x), x.Request.Method == http.MethodGet && n > 0, n > 1
	}
}

// names is the name of a field of x in the exchange that a report shows.
func (x *Exchange) names(field string) string {
	if x.batch == nil {
		return field
	}
	return fmt.Sprintf("part %d %s", x.place, field)
}

// fieldsOf is the header of a part: its own fields, and those of the batch but for what describes the body of that.
func fieldsOf(batch, part http.Header) http.Header {
	h := maps.Clone(batch)
	own := []string{"Transfer-Encoding", "Etag", "Location", "Retry-After", "Set-Cookie", "Www-Authenticate"}
	maps.DeleteFunc(h, func(name string, _ []string) bool {
		name = http.CanonicalHeaderKey(name)
		return strings.HasPrefix(name, "Content-") || slices.Contains(own, name) || part[name] != nil
	})
	maps.Copy(h, part)
	return h
}

// emptyLine is what ends a header, with the line ends that net/http takes.
var emptyLine = regexp.MustCompile(`\r?\n\r?\n`)

// partsOf returns the HTTP messages in a batch, each with the empty line behind its header.
func partsOf(h http.Header, body string) []string {
	var list []string
	r := multipart.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff")), boundaryOf(h))
	for {
		p, err := r.NextRawPart()
		if err != nil {
			return list // what was read until then
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return list
		}
		if content = bytes.TrimLeft(content, "\r\n"); !emptyLine.Match(content) {
			content = append(bytes.TrimRight(content, "\r\n"), "\r\n\r\n"...)
		}
		list = append(list, string(content))
	}
}

// bodyOf returns what stands behind the header of a message, without the byte order mark that servers write there, or what recorders
// make of it.
func bodyOf(message string) string {
	body := message[emptyLine.FindStringIndex(message)[1]:]
	for _, mark := range []string{"\ufeff", "ï»¿", "\ufffd", "?"} {
		if rest, found := strings.CutPrefix(body, mark); found && strings.HasPrefix(strings.TrimSpace(rest), "{") {
			body = rest
		}
	}
	return strings.TrimSpace(body)
}
