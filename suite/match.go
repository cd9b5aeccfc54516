package suite

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/onsi/gomega/types"
	"github.com/ucwa-conform/ucwa-conform/ucwa"
)

// matcher is the one Gomega matcher of this package: what is expected of a
// field, in words, and whether it is so. It leaves what it saw with the check,
// on a pass too.
type matcher struct {
	expected string
	matches  func(Field) bool
	bad      []sample // what is wrong where this is expected
	only     bool     // and nothing else is
}

// but adds values that are wrong where this is expected.
func (m matcher) but(bad ...sample) matcher {
	m.bad = append(slices.Clip(m.bad), bad...)
	return m
}

var _ types.GomegaMatcher = matcher{}

// Match implements types.GomegaMatcher.
func (m matcher) Match(actual any) (bool, error) {
	f, ok := actual.(Field)
	if !ok {
		return false, fmt.Errorf("expected a suite.Field, got %T", actual)
	}
	if f.unkept() {
		f.check.unkept = cmp.Or(f.check.unkept, f.x)
		return true, nil
	}
	if f.check != nil {
		f.check.look(m.expected, f)
	}
	return m.matches(f), nil
}

// FailureMessage implements types.GomegaMatcher.
func (m matcher) FailureMessage(actual any) string {
	f := actual.(Field)
	where := f.Name
	if f.x != nil {
		where = fmt.Sprintf("exchange %d, %s %s: %s", f.x.ID, f.x.Request.Method, f.x.Request.URL, f.Name)
	}
	return fmt.Sprintf("%s\nexpected %s\nobserved %s", where, m.expected, f.observed())
}

// NegatedFailureMessage implements types.GomegaMatcher.
func (m matcher) NegatedFailureMessage(actual any) string {
	return strings.Replace(m.FailureMessage(actual), "expected ", "expected anything but ", 1)
}

// butOnly makes these values all that is wrong where this is expected: of the rest other requirements speak.
func (m matcher) butOnly(bad ...sample) matcher {
	m.bad, m.only = bad, true
	return m
}

// satisfy matches a present field whose value fulfils what the words say.
func satisfy(expected string, fulfils func(value any) bool) matcher {
	return matcher{expected: expected, matches: func(f Field) bool { return !f.Absent && fulfils(f.Value) }, bad: []sample{isNull}}
}

// beOneOf matches a field that has one of the given values.
func beOneOf(values ...any) matcher {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = Field{Name: "status", Value: v}.observed()
		if _, isStatus := v.(int); !isStatus {
			words[i] = fmt.Sprint(v)
		}
	}
	expected := strings.Join(words, " or ")
	return satisfy(expected, func(value any) bool {
		return slices.ContainsFunc(values, func(v any) bool { return reflect.DeepEqual(v, value) })
	}).but(sample{"other", "is another value", "conform"}, asEmpty)
}

// beOneOfNames does the same for the values of an enumeration.
func beOneOfNames[T ~string](names []T) matcher {
	values := make([]any, len(names))
	for i, n := range names {
		values[i] = string(n)
	}
	return beOneOf(values...)
}

// beAbsent matches a field that is not there; beEmpty says so of a body.
func beAbsent() matcher {
	return matcher{expected: "absent", matches: func(f Field) bool { return f.Absent }, bad: []sample{linkTo("present", "is there", "/conform")}, only: true}
}
func beEmpty() matcher {
	return matcher{expected: "no content", matches: beAbsent().matches, bad: []sample{{"present", "is there", "{}"}}, only: true}
}

// beObject matches a JSON object.
func beObject() matcher {
	return satisfy("one JSON object", func(value any) bool { _, ok := value.(map[string]any); return ok }).but(asList, asText)
}

// beProperties matches a JSON object in which no name stands twice, in whatever casing.
func beProperties() matcher {
	return satisfy("one JSON object, with no name twice in different casing", func(value any) bool {
		object, ok := value.(map[string]any)
		return ok && twice(object) == ""
	})
}

// beText matches a string that is not empty.
func beText() matcher {
	return satisfy("a string that is not empty", func(value any) bool { s, ok := value.(string); return ok && strings.TrimSpace(s) != "" }).but(asEmpty, asNone)
}

// stringThat matches a string that fulfils what the words say.
func stringThat(expected string, fulfils func(string) bool) matcher {
	return satisfy(expected, func(value any) bool { s, ok := value.(string); return ok && fulfils(s) }).but(asEmpty, asNone)
}

// leadToOrigin matches a link whose href resolves within the origin that served
// it, and not below another application.
func leadToOrigin() matcher {
	return leadTo("a link whose href resolves on the server's own origin, and not below another application",
		func(*url.URL) bool { return true })
}

// leadTo matches such a link that leads to where want says, in words.
func leadTo(expected string, want func(u *url.URL) bool) matcher {
	return matcher{expected: expected, matches: func(f Field) bool {
		u, err := resolveOwn(f.Value, f.x.url)
		return err == nil && want(u)
	}}
}

// leadSomewhere matches a link whose href resolves within the origin that served
// it: events name the resources of others too.
func leadSomewhere() matcher {
	return matcher{expected: "a link whose href resolves on the server's own origin", matches: func(f Field) bool {
		_, err := resolveLink(f.Value, f.x.url)
		return err == nil
	}}
}

// leadAnywhere matches a link whose href is a URL: pictures may lie on another host.
func leadAnywhere() matcher {
	return matcher{expected: "a link whose href is a URL", matches: func(f Field) bool {
		href, _ := dig(f.Value, "href")
		text, _ := href.(string)
		_, err := ucwa.Resolve(f.x.url, text)
		return err == nil
	}}
}

// beLink matches a link, wherever it leads: an object, or a list of them, as HAL allows.
func beLink() matcher {
	return satisfy("a link (an object)", func(value any) bool { _, ok := linkOf(value); return ok }).butOnly(missing, isNull, asText)
}

// linkOf returns the link that a value is, or the first of a list of links.
func linkOf(value any) (map[string]any, bool) {
	if list, ok := value.([]any); ok && len(list) > 0 {
		value = list[0]
	}
	object, ok := value.(map[string]any)
	return object, ok
}

// resolveLink reads a value as a HAL link, or a list that begins with one, and
// resolves its href within the origin of base.
func resolveLink(value any, base *url.URL) (*url.URL, error) {
	object, ok := linkOf(value)
	if !ok {
		return nil, errors.New("no link")
	}
	href, ok := object["href"].(string)
	if !ok {
		return nil, errors.New("a link without an href")
	}
	u, err := ucwa.Resolve(base, href)
	if err != nil {
		return nil, err
	}
	if ucwa.Origin(u) != ucwa.Origin(base) {
		return nil, errors.New("a link to another origin")
	}
	return u, nil
}

// resolveOwn does the same for a link that must not lead below another application.
func resolveOwn(value any, base *url.URL) (*url.URL, error) {
	u, err := resolveLink(value, base)
	if err == nil && belongsElsewhere(u, base) {
		return nil, errors.New("a link below another application")
	}
	return u, err
}
