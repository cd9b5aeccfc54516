package ucwatest

import (
	"bytes"
	"encoding/json"
	"hash/fnv"
	"strconv"
)

// object is a JSON object whose members keep their order, so that resources
// read as the documentation prints them and are the same bytes every time.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

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

func href(to string) object { return object{{"href", to}} }
