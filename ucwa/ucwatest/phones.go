package ucwatest

import (
	"net/http"
	"slices"
	"strings"
)

// phoneTypes are the phones that every user has; a number is optional. Source:
// API reference, phone, whose type is one of these.
var phoneTypes = []string{"work", "mobile", "home", "other"}

// normal is a telephone number without what people put between the digits. It is
// one only if it needs no dialling rules to be understood.
func normal(given string) (number string, is bool) {
	number = strings.NewReplacer("-", "", ".", "", " ", "", "(", "", ")", "").Replace(given)
	digits, international := strings.CutPrefix(strings.TrimPrefix(number, "tel:"), "+")
	return number, international && len(digits) >= 3 && len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
}

// phone is a number of the user's, and whether others see it.
type phone struct {
	number string
	shown  bool
}

// getPhones links to the phones and embeds none.
func getPhones(c *call) (answer, error) {
	var list []object
	for _, kind := range phoneTypes {
		list = append(list, c.app.link("/me/phones/"+kind))
	}
	return ok(resource("phones", nil, object{{"self", c.app.link("/me/phones")}, {"phone", list}}, nil)), nil
}

func getPhone(c *call) (answer, error) {
	kind := strings.ToLower(c.name())
	if !slices.Contains(phoneTypes, kind) {
		return answer{}, notFound()
	}
	p := c.user.phones[kind]
	properties := object{{"type", kind}, {"includeInContactCard", p.shown}}
	if p.number != "" {
		properties = append(properties, member{"number", p.number})
	}
	return ok(c.app.node("/me/phones/"+kind, "phone", properties, "changeNumber", "changeVisibility")), nil
}

// changeNumber sets the number, or without one clears it.
func changeNumber(c *call) (answer, error) {
	return c.changePhone(func(p *phone) error {
		given, is := normal(c.fields.text("number"))
		if given != "" && !is {
			return refuse(http.StatusBadRequest, "NormalizationFailed", "The number is not of the form +14255550123.")
		}
		p.number = given
		return nil
	})
}

func changeVisibility(c *call) (answer, error) {
	return c.changePhone(func(p *phone) error {
		return nil
	})
}

// changePhone changes a phone. me shows its number, so me changes with it.
func (c *call) changePhone(change func(*phone) error) (answer, error) {
	kind := strings.ToLower(c.name())
	if !slices.Contains(phoneTypes, kind) {
		return answer{}, notFound()
	}
	before := c.user.phones[kind]
	p := before
	c.fields.take("includeInContactCard", &p.shown, "true or false")
	if err := c.fields.err(); err != nil {
		return answer{}, err
	}
	if err := change(&p); err != nil {
		return answer{}, err
	}
	if c.user.phones == nil {
		c.user.phones = map[string]phone{}
	}
	c.user.phones[kind] = p
	if p.number != before.number {
		c.user.announce("me")
	}
	return noContent(), nil
}

// numbers are the phones as properties of me, or those that others see, of a contact.
func (u *user) numbers(shown bool) object {
	var o object
	for _, kind := range phoneTypes {
		if p := u.phones[kind]; p.number != "" && (p.shown || !shown) {
			o = append(o, member{kind + "PhoneNumber", p.number})
		}
	}
	return o
}
