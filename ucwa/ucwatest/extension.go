package ucwatest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Extensions are what applications keep with a meeting of the user's. Source: API reference,
// onlineMeetingExtensions and onlineMeetingExtension.

// maxExtensions bounds what one meeting can make the server keep; the documentation has no number.
const maxExtensions = 50

type extension struct{ id, kind string }

func (a *application) extension(m *meeting, x *extension) object {
	path := m.path() + "/onlineMeetingExtensions/" + url.PathEscape(x.id)
	return a.node(path, "onlineMeetingExtension", object{a.putProperty(path), {"id", x.id}, {"type", x.kind}})
}

var getExtensions = ofMeeting(func(c *call, m *meeting) (answer, error) {
	var list []object
	for _, x := range m.extensions {
		list = append(list, c.app.extension(m, x))
	}
	return ok(resource("onlineMeetingExtensions", nil, object{{"self", c.app.link(c.path)}}, many("onlineMeetingExtension", list))), nil
})

var postExtensions = ofMeeting(func(c *call, m *meeting) (answer, error) {
	x := &extension{orElse(c.fields.text("id"), c.user.next("extension")), orElse(c.fields.text("type"), "Undefined")}
	if strings.Contains(x.id, "/") || len(x.id) > maxURI {
		c.fields.reject("id", "has a slash, or is too long to be part of a URL")
		return answer{}, c.fields.err()
	}
	switch {
	case slices.ContainsFunc(m.extensions, func(other *extension) bool { return other.id == x.id }):
		return answer{}, refuse(http.StatusConflict, "AlreadyExists", "The meeting has an extension of that id.")
	case len(m.extensions) >= maxExtensions:
		return answer{}, full(http.StatusConflict, "", maxExtensions, "extensions of a meeting")
	}
	m.extensions = append(m.extensions, x)
	return created(c.app.extension(m, x)), nil
})

// ofExtension is an operation on the extension that the path names last.
func ofExtension(do func(*call, *meeting, *extension) (answer, error)) operation {
	return ofMeeting(func(c *call, m *meeting) (answer, error) {
		x := first(m.extensions, func(x *extension) bool { return x.id == c.names[len(c.names)-1] })
		if x == nil {
			return answer{}, notFound()
		}
		return do(c, m, x)
	})
}

var (
	getExtension = ofExtension(func(c *call, m *meeting, x *extension) (answer, error) { return ok(c.app.extension(m, x)), nil })

	putExtension = ofExtension(func(c *call, m *meeting, x *extension) (answer, error) {
		if err := c.matches(c.app.extension(m, x)); err != nil {
			return answer{}, err
		}
		x.kind = orElse(c.fields.text("type"), "Undefined")
		return ok(c.app.extension(m, x)), nil
	})

	deleteExtension = ofExtension(func(_ *call, m *meeting, x *extension) (answer, error) {
		m.extensions = without(m.extensions, x)
		return noContent(), nil
	})
)
