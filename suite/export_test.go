package suite

import (
	"strings"
	"sync"
)

// OwnProcess is for the example, which lies in another package.
var OwnProcess = ownProcess

// Race says that the race detector runs: what does nothing at once is left out then.
const Race = race

// Mistake puts a mistake into the literal of a page, at one requirement, and returns what takes it back.
func Mistake(id string, edit func(*Check)) (undo func()) {
	before, known := ledgers, owners
	mistaken := func(of func() *page) func() *page {
		return func() *page {
			p := of()
			for _, s := range p.Steps {
				for _, c := range s.clauses {
					for i := range c.Checks {
						if p.Task+"."+c.Checks[i].id == id {
							edit(&c.Checks[i])
						}
					}
				}
			}
			return p
		}
	}
	ledgers = nil
	for _, of := range literals {
		ledgers = append(ledgers, bound(mistaken(of)))
	}
	owners = sync.OnceValue(findOwners)
	return func() { ledgers, owners = before, known }
}

// The mistakes that a page can have.
func At(level string) func(*Check)   { return func(c *Check) { c.level = level } }
func Of(subject string) func(*Check) { return func(c *Check) { c.subject = subject } }
func Plays(role string) func(*Check) {
	return func(c *Check) { c.kind = c.kind.(fields).plays(role) }
}
func Statuses(codes ...any) func(*Check) { return func(c *Check) { c.kind = status(codes...) } }
func Optional(c *Check)                  { c.kind = c.kind.(fields).ifSent() }
func Required(c *Check) {
	f := c.kind.(fields)
	f.optional = false
	c.kind = f
}
func Unguarded(c *Check) {
	f := c.kind.(fields)
	f.guards = nil
	c.kind = f
}

// Wants changes what a check accepts at its first place.
func Wants(what string) func(*Check) {
	w := map[string]matcher{
		"anything": {expected: "anything", matches: func(Field) bool { return true }},
		"a text":   beText(), "an object": beObject(), "a link": beLink(), "a link to the host": leadSomewhere(), "a link of one's own": leadToOrigin(), "a URL": leadAnywhere(),
		"a number": satisfy("a number", func(v any) bool { _, ok := v.(string); return !ok }), "upper case": stringThat("upper case", func(s string) bool { return s == strings.ToUpper(s) }),
		"Online or Away": beOneOf("Online", "Away"), "people or me": beOneOf("people", "me"),
	}[what]
	return func(c *Check) {
		f := c.kind.(fields)
		f.list = append([]fieldAt{}, f.list...)
		f.list[0].want = w
		c.kind = f
	}
}

// Looks changes where a check looks.
func Looks(path string) func(*Check) {
	return func(c *Check) {
		f := c.kind.(fields)
		f.list = append([]fieldAt{}, f.list...)
		f.list[0].place = memberPlace(path)
		c.kind = f
	}
}
