package prove

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// What follows are the changes of which rules are made.

// together makes several changes, in order.
func together(changes ...func(*exchange)) func(*exchange) {
	return func(x *exchange) {
		for _, change := range changes {
			change(x)
		}
	}
}

// status answers with another status; one that has no content loses it.
func status(code int) func(*exchange) {
	return func(x *exchange) {
		x.status = code
		if code == http.StatusNoContent {
			x.body = nil
			x.header.Del("Content-Type")
		}
	}
}

func body(text string) func(*exchange) { return func(x *exchange) { x.body = []byte(text) } }

// content answers with a success and its content.
func content(code int, text string) func(*exchange) {
	return together(status(code), body(text), field("Content-Type", jsonType))
}

func html(x *exchange) { together(body(page401), field("Content-Type", "text/html"))(x) }

// behind writes content behind a status that has none.
func behind(text string) func(*exchange) {
	return func(x *exchange) { x.body, x.hidden = []byte(text), true }
}

// behindInChunks does the same without saying how long it is.
func behindInChunks(text string) func(*exchange) {
	return func(x *exchange) { behind(text)(x); x.chunked = true }
}

// field sets a header field; "" takes it away.
func field(name, value string) func(*exchange) {
	return func(x *exchange) {
		if x.header.Del(name); value != "" {
			x.header.Set(name, value)
		} else {
			x.header[http.CanonicalHeaderKey(name)] = nil // net/http adds no Date or Content-Type of its own then
		}
	}
}

// fieldReplaced replaces text in a header field.
func fieldReplaced(name, old, new string) func(*exchange) {
	return func(x *exchange) {
		for i, value := range x.header.Values(name) {
			x.header.Values(name)[i] = strings.Replace(value, old, new, 1)
		}
	}
}

// put gives the member at a path, "a.b.0.c", of the JSON body a value.
func put(path string, value any) func(*exchange) {
	return alter(path, func(holder any, name string) {
		switch h := holder.(type) {
		case map[string]any:
			h[name] = value
		case []any:
			if i, err := strconv.Atoi(name); err == nil && i < len(h) {
				h[i] = value
			}
		}
	})
}

// without takes the member at a path away.
func without(path string) func(*exchange) {
	return alter(path, func(holder any, name string) {
		if h, ok := holder.(map[string]any); ok {
			delete(h, name)
		}
	})
}

// alter lets f change the member of that name in the object or list that holds it.
// Where the path leads nowhere nothing is changed.
func alter(path string, f func(holder any, name string)) func(*exchange) {
	names := strings.Split(path, ".")
	return asObject(func(root map[string]any) {
		var at any = root
		for _, name := range names[:len(names)-1] {
			switch h := at.(type) {
			case map[string]any:
				at = h[name]
			case []any:
				i, err := strconv.Atoi(name)
				if err != nil || i >= len(h) {
					return
				}
				at = h[i]
			}
		}
		f(at, names[len(names)-1])
	})
}

// asObject changes the JSON object in the body; what is none stays.
func asObject(f func(root map[string]any)) func(*exchange) {
	return func(x *exchange) {
		root, ok := x.object()
		if !ok {
			return
		}
		f(root)
		x.encode(root)
	}
}

func (x *exchange) object() (map[string]any, bool) {
	d := json.NewDecoder(bytes.NewReader(x.body))
	d.UseNumber()
	var root map[string]any
	return root, d.Decode(&root) == nil && root != nil
}

func (x *exchange) encode(root any) {
	if data, err := json.Marshal(root); err == nil {
		x.body = data
	}
}

// text replaces text in the body.
func text(old, new string) func(*exchange) {
	return func(x *exchange) { x.body = []byte(strings.Replace(string(x.body), old, new, 1)) }
}

// href lets a link lead elsewhere.
func linkTo(path, href string) func(*exchange) { return put(path, map[string]any{"href": href}) }

// elsewhere are the ways in which a link can lead where it must not.
const (
	anotherHost        = "https://elsewhere.example/ucwa/oauth/v1/applications/101"
	anotherApplication = "/ucwa/oauth/v1/applications/99999999999"
)

// events changes every event of a package, and returns it, or nil to drop it.
func events(f func(x *exchange, sender, event map[string]any) map[string]any) func(*exchange) {
	return func(x *exchange) {
		asObject(func(root map[string]any) {
			senders, isPackage := root["sender"].([]any)
			if !isPackage { // a refusal, or a link to where events go on
				return
			}
			var left []any
			for _, s := range senders {
				sender, _ := s.(map[string]any)
				list, _ := sender["events"].([]any)
				var kept []any
				for _, e := range list {
					event, _ := e.(map[string]any)
					if event = f(x, sender, event); event != nil {
						kept = append(kept, event)
					}
				}
				if sender["events"] = kept; len(kept) > 0 {
					left = append(left, sender)
				}
			}
			root["sender"] = append([]any{}, left...)
		})(x)
	}
}

// of limits a change of events to those about one rel.
func of(rel string, f func(sender, event map[string]any) map[string]any) func(*exchange) {
	return events(func(_ *exchange, sender, event map[string]any) map[string]any {
		if link, _ := event["link"].(map[string]any); link["rel"] == rel {
			return f(sender, event)
		}
		return event
	})
}

// asObjectOf is asObject for changes that look at the exchange too.
func asObjectOf(f func(x *exchange, root map[string]any)) func(*exchange) {
	return func(x *exchange) { asObject(func(root map[string]any) { f(x, root) })(x) }
}

// page401 is a page for people.
const page401 = `<!DOCTYPE html><html><head><title>401 - Unauthorized</title></head><body><h1>Unauthorized</h1></body></html>`

func newBody(text string) io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }
