package ucwatest

import (
	"net/http"
	"strconv"
	"strings"
)

// matches refuses a PUT that does not say, in If-Match, which state of the resource
// it replaces: the etag of its body, in quotes, or * for any.
func (c *call) matches(current object) error {
	given := c.request.Header.Values("If-Match")
	if strings.TrimSpace(strings.Join(given, "")) == "" {
		return refuse(http.StatusPreconditionRequired, "", "A PUT needs If-Match, with the etag of the resource in quotes.")
	}
	for tag := range strings.SplitSeq(strings.Join(given, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == quoted(current) {
			return nil
		}
	}
	return refuse(http.StatusPreconditionFailed, "", "The resource has another etag than If-Match says: it has changed since it was read.").
		with("ETag", quoted(current))
}

// quoted is the etag of a resource as header fields carry it.
func quoted(o object) string { return `"` + o.text("etag") + `"` }

// version refuses a client that needs a later revision of a resource than there
// is: all are served in their first.
func version(h http.Header) error {
	asked := h.Get("X-Ms-Requiresminresourceversion")
	if asked == "" {
		return nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(asked))
	switch {
	case err != nil || n < 0:
		return refuse(http.StatusBadRequest, "", "X-MS-RequiresMinResourceVersion is no revision: it must be a number.")
	case n > 1:
		return refuse(http.StatusNotFound, "APIVersionNotSupported", "The resource is served in revision 1 only.")
	}
	return nil
}
