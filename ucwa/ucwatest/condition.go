package ucwatest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/ucwa-conform/ucwa-conform/ucwa/api"
)

// matches refuses a PUT that does not say, in If-Match, which state of the resource
// it replaces: the etag of its body, in quotes, or * for any. It rejects one without the
// property that a PUT must have.
func (c *call) matches(current object) error {
	for _, m := range current {
		if _, sent := c.fields.values[strings.ToLower(m.name)]; m.value == any(putValue) && !sent {
			c.fields.reject(m.name, "is missing: a PUT sends back every property that was read")
		}
	}
	if strings.TrimSpace(strings.Join(c.request.Header.Values("If-Match"), "")) == "" {
		return refuse(http.StatusPreconditionRequired, "", "A PUT needs If-Match, with the etag of the resource in quotes.")
	}
	if has(c.request.Header, "If-Match", quoted(current)) {
		return c.fields.err()
	}
	return refuse(http.StatusPreconditionFailed, "", "The resource has another etag than If-Match says: it has changed since it was read.").
		with("ETag", quoted(current))
}

// has tells whether a header field lists an entity tag, or is * for any.
func has(h http.Header, field, tag string) bool {
	for one := range strings.SplitSeq(strings.Join(h.Values(field), ","), ",") {
		if one = strings.TrimSpace(one); one == "*" || one == tag {
			return true
		}
	}
	return false
}

// tagged tells whether the answer has its etag as a header field, too: where a PUT will need it, and where the
// reference shows it. It shows it of the application as well, whose etag says nothing of what it embeds: a client
// that kept that would not see the user change.
func (c *call) tagged() bool {
	if _, changes := c.row.methods[http.MethodPut]; changes {
		return true
	}
	page, known := api.ResourceOf(c.row.page)
	if !known || page.Name == "application" || c.method != http.MethodGet {
		return false
	}
	op, there := page.Operation(http.MethodGet)
	return there && op.ETag
}

// quoted is the etag of a resource as header fields carry it.
func quoted(o object) string { return `"` + o.text("etag") + `"` }

// putValue is the value of a property of every resource that can be replaced by a PUT. Its
// name is a GUID, and a PUT must have it: so a client shows that it sends back what it does
// not understand. Source: "Payload format" and "Create an application".
const putValue = "please pass this in a PUT request"

// putProperty is that property of the resource at a path below the application.
func (a *application) putProperty(path string) member { return member{guid(a.cookie + path), putValue} }

// newest is the revision in which the newest resources are served.
const newest = 2

// version refuses a client that needs a later revision of a resource than there is. A number
// that is none later is taken at every resource, as some clients send one with each request.
func version(h http.Header) (least float64, err error) {
	asked := h.Get("X-Ms-Requiresminresourceversion")
	if asked == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(asked), 64)
	switch {
	case err != nil || !(n >= 0):
		return 0, refuse(http.StatusBadRequest, "", "X-MS-RequiresMinResourceVersion is no revision: it must be a number.")
	case n > newest:
		return 0, refuse(http.StatusNotFound, "APIVersionNotSupported", "The resource is served in revision 2 at most.")
	}
	return n, nil
}
