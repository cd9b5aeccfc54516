package ucwatest

import (
	"encoding/json"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// object is a JSON object whose members keep their order, so that resources
// read as the documentation prints them and are the same bytes every time.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) { return appendJSON(nil, o) }

// appendJSON writes a value after b. What resources consist of is written here: encoding/json would check again, at each level,
// what a level below has written.
func appendJSON(b []byte, value any) ([]byte, error) {
	var err error
	switch v := value.(type) {
	case object:
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendJSON(b, m.name); err != nil {
				return nil, err
			}
			if b, err = appendJSON(append(b, ':'), m.value); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	case []object:
		if v == nil {
			return append(b, "null"...), nil
		}
		b = append(b, '[')
		for i, o := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendJSON(b, o); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case string:
		if !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r >= utf8.RuneSelf || strings.ContainsRune(`"\\<>&`, r) }) {
			return append(append(append(b, '"'), v...), '"'), nil
		}
	}
	plain, err := json.Marshal(value)
	return append(b, plain...), err
}

// moment is a time as resources have it: in JSON "\/Date(1358380800000)\/", in XML by ISO 8601.
type moment struct{ time.Time }

func (m moment) MarshalJSON() ([]byte, error) {
	return []byte(`"\/Date(` + strconv.FormatInt(m.UnixMilli(), 10) + `)\/"`), nil
}

func (m moment) String() string { return m.UTC().Format(time.RFC3339) }

// resource puts a resource together in the order the documentation prints:
// properties, links, embedded resources, rel, etag.
func resource(rel string, properties, links, embedded object) object {
	o := append(object{}, properties...)
	o = append(o, member{"_links", links})
	if len(embedded) > 0 {
		o = append(o, member{"_embedded", embedded})
	}
	o = append(o, member{"rel", rel})
	return append(o, member{"etag", etag(o)})
}

// etag is a decimal string, as in every real server's bodies. It is taken from
// the content: it changes when the resource does and needs no bookkeeping.
func etag(o object) string {
	h := fnv.New32a()
	b, err := o.MarshalJSON()
	if err != nil {
		panic(err) // resources hold strings, lists and objects only
	}
	_, _ = h.Write(b)
	return strconv.FormatUint(uint64(h.Sum32()), 10)
}

// get is the value of a member, nil if there is none.
func (o object) get(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

func (o object) text(name string) string {
	s, _ := o.get(name).(string)
	return s
}

func (o object) object(name string) object {
	inner, _ := o.get(name).(object)
	return inner
}

// first is the first of a list of which something holds; nil if there is none.
func first[T any](list []*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i]
	}
	return nil
}

// without is a list without one of its members.
func without[T comparable](list []T, one T) []T {
	return slices.DeleteFunc(list, func(other T) bool { return other == one })
}

func href(to string) object { return object{{"href", to}} }

// many is one member that holds a list, or none for an empty one.
func many(rel string, list []object) object {
	if len(list) == 0 {
		return nil
	}
	return object{{rel, list}}
}

// sorted are the members of a set in their order.
func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
