package cassettes

import (
	"net/http"
	"slices"
	"strings"
)

// HeaderValues returns the values of a header field, whose name recorders and captures write in any
// casing, and not always in the same: those under the name that sorts first come first.
func HeaderValues(h http.Header, name string) []string {
	first, more := "", []string(nil)
	for key := range h {
		switch {
		case len(key) != len(name) || !strings.EqualFold(key, name):
		case first == "":
			first = key
		default:
			more = append(more, key)
		}
	}
	if more == nil {
		return h[first]
	}
	var values []string
	for _, key := range slices.Sorted(slices.Values(append(more, first))) {
		values = append(values, h[key]...)
	}
	return values
}
