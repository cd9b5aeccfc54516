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
	"slices"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/cassettes"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// unfolded puts behind each batch that was answered the requests in it, each with its answer, as if they had been sent alone: with
// the number of the batch, and those fields of its header that a part has not. Source: "Batching requests".
func unfolded(all []*Exchange) []*Exchange {
	if !slices.ContainsFunc(all, isBatch) {
		return all
	}
	var list []*Exchange
	for _, x := range all {
		list = append(list, x)
		if isBatch(x) {
			x.inside = x.batched()
			list = append(list, x.inside...)
		}
	}
	return list
}

const batchMedia = "multipart/batching"

// isBatch reports whether x is a batch, and its answer too.
func isBatch(x *Exchange) bool {
	return x.Request.Method == http.MethodPost && x.succeeded() && boundaryOf(x.Request.Headers) != "" && boundaryOf(x.Response.Headers) != ""
}

// boundaryOf returns the boundary that a batch names in its header, "" if it is none.
func boundaryOf(h http.Header) string {
	media, parameters, err := mime.ParseMediaType(strings.Join(cassettes.HeaderValues(h, "Content-Type"), ""))
	if err != nil || media != batchMedia {
		return ""
	}
	return parameters["boundary"]
}

// batched returns the requests in a batch that can be read, with the answers that stand in the same places.
func (x *Exchange) batched() []*Exchange {
	asked, answered := partsOf(x.Request.Headers, x.Request.Body), partsOf(x.Response.Headers, x.Response.Body)
	var list []*Exchange
	for i := range min(len(asked), len(answered)) {
		q, err := http.ReadRequest(bufio.NewReader(strings.NewReader(asked[i])))
		if err != nil {
			continue
		}
		a, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answered[i])), q) //nolint:bodyclose // its body is a part of a string, and read from there
		if err != nil {
			continue
		}
		u, err := ucwa.Resolve(x.url, q.RequestURI)
		if err != nil {
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
		list = append(list, &Exchange{Exchange: cassettes.Exchange{Interaction: one, Began: x.Began}, Probe: x.Probe, url: u, batch: x, place: i + 1})
	}
	return list
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
	maps.DeleteFunc(h, func(name string, _ []string) bool {
		name = http.CanonicalHeaderKey(name)
		return strings.HasPrefix(name, "Content-") || name == "Transfer-Encoding" || part[name] != nil
	})
	maps.Copy(h, part)
	return h
}

// partsOf returns the HTTP messages in a batch, each with the empty line behind its header.
func partsOf(h http.Header, body string) []string {
	var list []string
	r := multipart.NewReader(strings.NewReader(body), boundaryOf(h))
	for {
		p, err := r.NextRawPart()
		if err != nil {
			return list // what was read until then
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return list
		}
		if content = bytes.TrimLeft(content, "\r\n"); !bytes.Contains(content, []byte("\r\n\r\n")) && !bytes.Contains(content, []byte("\n\n")) {
			content = append(bytes.TrimRight(content, "\r\n"), "\r\n\r\n"...)
		}
		list = append(list, string(content))
	}
}

// bodyOf returns what stands behind the header of a message, without the byte order mark that servers write there.
func bodyOf(message string) string {
	_, body, found := strings.Cut(message, "\r\n\r\n")
	if !found {
		_, body, _ = strings.Cut(message, "\n\n")
	}
	return strings.TrimSpace(strings.TrimPrefix(body, "\ufeff"))
}
