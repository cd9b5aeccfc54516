package ucwa_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// application is the application resource that the document shows, without what
// is wrong with its JSON, and with a property that no documentation knows.
const application = `{
	"culture": "en-US",
	"userAgent": "UCWA Samples",
	"flavour": {"of": ["the", "month", 12]},
	"_links": {
		"self": {"href": "/ucwa/oauth/v1/applications/101", "revision": "2"},
		"policies": {"href": "/ucwa/oauth/v1/applications/101/policies"},
		"batch": {"href": "/ucwa/oauth/v1/applications/101/batch"},
		"events": {"href": "/ucwa/oauth/v1/applications/101/events?ack=1"}
	},
	"_embedded": {
		"me": {
			"name": "Dana Birkby",
			"uri": "sip:Dana@contoso.com",
			"emailAddresses": ["Dana@contoso.com"],
			"_links": {
				"self": {"href": "/ucwa/oauth/v1/applications/101/me"},
				"presence": {"href": "/ucwa/oauth/v1/applications/101/me/presence"}
			},
			"rel": "me"
		},
		"people": {"rel": "people"},
		"phone": [{"rel": "phone", "number": "tel:+1"}, {"rel": "phone", "number": "tel:+2"}]
	},
	"rel": "application",
	"etag": "1234567890"
}`

func TestParseResource(t *testing.T) {
	app, err := ucwa.ParseResource(pool, []byte(application))
	if err != nil {
		t.Fatal(err)
	}
	me := app.Embed("me")
	for _, test := range []struct {
		name      string
		got, want any
	}{
		{"rel", app.Rel, "application"},
		{"etag", app.Etag, "1234567890"},
		{"string", app.String("culture"), "en-US"},
		{"string that is none", app.String("flavour"), ""},
		{"string that is not there", app.String("type"), ""},
		{"properties, unknown ones too", app.Properties, map[string]any{
			"culture": "en-US", "userAgent": "UCWA Samples", "flavour": map[string]any{"of": []any{"the", "month", json.Number("12")}}}},
		{"rels of the links", slices.Sorted(maps.Keys(app.Links)), []string{"batch", "events", "policies", "self"}},
		{"href as served", app.Link("events").Href, "/ucwa/oauth/v1/applications/101/events?ack=1"},
		{"rel of a link", app.Link("events").Rel, "events"},
		{"attributes of a link", app.Link("self").Attributes, map[string]any{"revision": "2"}},
		{"no attributes", app.Link("batch").Attributes, map[string]any(nil)},
		{"has a link", app.HasLink("batch"), true},
		{"has not a link", app.HasLink("makeMeAvailable"), false},
		{"rel of an embedded resource", me.Rel, "me"},
		{"property of an embedded resource", me.Properties["emailAddresses"], []any{"Dana@contoso.com"}},
		{"link of an embedded resource", me.Link("presence").Href, "/ucwa/oauth/v1/applications/101/me/presence"},
		{"length of an embedded list", len(app.Embedded["phone"]), 2},
		{"first of an embedded list", app.Embed("phone").String("number"), "tel:+1"},
		{"last of an embedded list", app.Embedded["phone"][1].String("number"), "tel:+2"},
		{"embedded resource that is not there", app.Embed("communication"), (*ucwa.Resource)(nil)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !reflect.DeepEqual(test.got, test.want) {
				t.Errorf("got %#v, want %#v", test.got, test.want)
			}
		})
	}
	if u, err := me.Link("presence").URL(); err != nil || u.String() != pool.String()+"/me/presence" {
		t.Errorf("the presence link of me leads to %v, %v", u, err)
	}
}

func TestParseResourceReadsLinkLists(t *testing.T) {
	r, err := ucwa.ParseResource(pool, []byte(`{"_links":{"phone":[{"href":"/1"},{"href":"/2"}],"none":[],"photo":{"href":"/3"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var hrefs []string
	for _, link := range r.Links["phone"] {
		hrefs = append(hrefs, link.Rel+link.Href)
	}
	if want := []string{"phone/1", "phone/2"}; !slices.Equal(hrefs, want) {
		t.Errorf("got %q, want %q", hrefs, want)
	}
	if got := r.Link("phone").Href; got != "/1" {
		t.Errorf("the first is %q", got)
	}
	if r.HasLink("none") {
		t.Error("an empty list serves a link")
	}
}

func TestParseResourceShapes(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"an empty object", `{}`, ""},
		{"null as a property", `{"title":null}`, ""},
		{"empty links and embedded", `{"_links":{},"_embedded":{}}`, ""},
		{"an embedded empty list", `{"_embedded":{"phone":[]}}`, ""},

		{"empty", ``, "no JSON: the body is empty"},
		{"null", `null`, "expected a resource (object), found null"},
		{"a list", `[{}]`, "expected a resource (object), found array"},
		{"a string", `"me"`, "expected a resource (object), found string"},
		{"a number", `1`, "expected a resource (object), found number"},
		{"a boolean", `false`, "expected a resource (object), found boolean"},

		{"a member twice", `{"_links":{"self":{"href":"/a","href":"/b"}}}`, `the member "href" occurs twice at /_links/self/href (byte 37)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := ucwa.ParseResource(pool, []byte(test.body))
			if got := message(err); got != test.want {
				t.Errorf("got the error %q, want %q", got, test.want)
			}
			if fault := (*ucwa.JSONError)(nil); err != nil && (r != nil || !errors.As(err, &fault)) {
				t.Errorf("got %v and an error of type %T", r, err)
			}
		})
	}
}

// What is no link and no resource is left out, and the rest is read: a client can
// do without what it does not need.
func TestParseResourceLeavesOut(t *testing.T) {
	for _, test := range []struct{ name, body, kept string }{
		{"rel null", `{"rel":null}`, ""},
		{"rel a list", `{"rel":["me"],"_links":{"self":{"href":"/a"}}}`, "self=/a"},
		{"links null", `{"_links":null}`, ""},
		{"links a list", `{"_links":[]}`, ""},
		{"a link null", `{"_links":{"self":null,"next":{"href":"/n"}}}`, "next=/n"},
		{"a link a string", `{"_links":{"self":"/me"}}`, ""},
		{"a link in a list null", `{"_links":{"phone":[null,{"href":"/1"}]}}`, "phone=/1"},
		{"a list in a list of links", `{"_links":{"phone":[[]]}}`, ""},
		{"an href null", `{"_links":{"self":{"href":null}}}`, ""},
		{"an href an object", `{"_links":{"phone":[{"href":{}}]}}`, ""},
		{"embedded null", `{"_embedded":null,"_links":{"self":{"href":"/a"}}}`, "self=/a"},
		{"an embedded resource null", `{"_embedded":{"me":null,"people":{}}}`, "people"},
		{"an embedded resource a string", `{"_embedded":{"phone":["tel:",{}]}}`, "phone"},
		{"a link of an embedded resource", `{"_embedded":{"me":{"_links":{"self":{"href":1}}}}}`, "me"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := ucwa.ParseResource(pool, []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			var kept []string
			for rel, links := range r.Links {
				kept = append(kept, rel+"="+links[0].Href)
			}
			for rel, embedded := range r.Embedded {
				if len(embedded) != 1 || len(embedded[0].Links) != 0 {
					t.Errorf("%s: %d resources embedded, the first with %d links", rel, len(embedded), len(embedded[0].Links))
				}
				kept = append(kept, rel)
			}
			if got := strings.Join(kept, " "); got != test.kept {
				t.Errorf("kept %q, want %q", got, test.kept)
			}
		})
	}
	for body, want := range map[string]string{`{"etag":12}`: "12", `{"etag":"12"}`: "12", `{"etag":{}}`: ""} {
		if r, err := ucwa.ParseResource(pool, []byte(body)); err != nil || r.Etag != want {
			t.Errorf("%s: etag %q, %v, want %q", body, r.Etag, err, want)
		}
	}
}

func TestResourceDecode(t *testing.T) {
	r, err := ucwa.ParseResource(pool, []byte(`{
		"rel": "me", "etag": "7", "_links": {"self": {"href": "/me"}},
		"name": "Dana <Birkby> & é", "count": 9007199254740993, "ratio": 0.10, "list": ["a", null], "TITLE": "Dr", "inner": {"deep": true}
	}`))
	if err != nil {
		t.Fatal(err)
	}

	t.Run("into a struct", func(t *testing.T) {
		type inner struct{ Deep bool }
		type properties struct {
			Name  string
			Count int64
			Ratio json.Number
			List  []*string
			Title string
			Inner inner
			Rel   string // no property: what has a field in Resource is read there
		}
		a := "a"
		want := properties{"Dana <Birkby> & é", 9007199254740993, "0.10", []*string{&a, nil}, "Dr", inner{true}, ""}
		var got properties
		if err := r.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})

	t.Run("into a map and back", func(t *testing.T) {
		var raw map[string]json.RawMessage
		if err := r.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(raw)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ucwa.ParseResource(pool, body)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(again.Properties, r.Properties) {
			t.Errorf("got %#v, want %#v", again.Properties, r.Properties)
		}
	})

	t.Run("into the wrong type", func(t *testing.T) {
		var fault *json.UnmarshalTypeError
		if err := r.Decode(&struct{ Name int }{}); !errors.As(err, &fault) || fault.Value != "string" {
			t.Errorf("got %v, want an error about a string", err)
		}
	})
}

// A client reads app.Embed("me").Link("presence") without looking at each step.
func TestNilResource(t *testing.T) {
	var none *ucwa.Resource
	if none.Embed("me") != nil || none.HasLink("self") || none.String("name") != "" {
		t.Error("a resource that is not there has something")
	}
	if err := none.Decode(new(any)); err == nil {
		t.Error("a resource that is not there can be decoded")
	}
}

func TestJSONType(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "object", `[]`: "array", `""`: "string", `0`: "number", `true`: "boolean", `null`: "null",
	} {
		value, err := ucwa.DecodeJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := ucwa.JSONType(value); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// checkLink fails if a link leads away from the origin of base.
func checkLink(t *testing.T, link ucwa.Link) {
	t.Helper()
	u, err := link.URL()
	if err != nil {
		return
	}
	again, err := url.Parse(u.String()) // as a request is made from it
	if err != nil || ucwa.Origin(u) != ucwa.Origin(pool) || ucwa.Origin(again) != ucwa.Origin(pool) || u.User != nil {
		t.Fatalf("the href %q leads to %q, %v", link.Href, u, err)
	}
}

// checkResource fails if r holds a link that leads away or a nil resource.
func checkResource(t *testing.T, r *ucwa.Resource) {
	t.Helper()
	if r == nil {
		t.Fatal("no resource, and no error")
	}
	for _, links := range r.Links {
		for _, link := range links {
			checkLink(t, link)
		}
	}
	for _, list := range r.Embedded {
		for _, inner := range list {
			checkResource(t, inner)
		}
	}
	var properties map[string]json.RawMessage
	if err := r.Decode(&properties); err != nil || len(properties) != len(r.Properties) {
		t.Fatalf("of %d properties %d are decoded, %v", len(r.Properties), len(properties), err)
	}
}

// FuzzParseResource: no link of any body leads away, every error tells where.
func FuzzParseResource(f *testing.F) {
	for _, seed := range []string{
		application, `{}`, `null`, `[]`, `{"rel":1}`, `{"etag":"1","rel":"me"}`, `{"_links":{"self":null}}`, `{"_links":{"phone":[{"href":"/1"},{}]}}`,
		`{"_links":{"a":{"href":"//evil.com/"},"b":{"href":"https://lyncweb.contoso.com:443/%3d"},"c":{"href":"https:\\\\evil"},"d":{"href":"https://a@b/"}}}`,
		`{"_embedded":{"me":{"_embedded":{"x":[{"_links":{"y":{"href":"?a=b","rel":"z"}}}]}}}}`, `{"a":1,"a":2}`, "\xef\xbb\xbf{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := ucwa.ParseResource(pool, body)
		if err != nil {
			if fault := (*ucwa.JSONError)(nil); r != nil || !errors.As(err, &fault) || fault.Problem == "" {
				t.Fatalf("%v and the error %#v", r, err)
			}
			return
		}
		checkResource(t, r)
		if again, err := ucwa.ParseResource(pool, bytes.Clone(body)); err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("read twice: %#v and %#v, %v", r, again, err)
		}
	})
}
