// Package api is the UCWA 2.0 API reference as data: which resources there are,
// with their links, properties, events and operations, and which values an
// enumeration has.
//
// It says what Microsoft's reference says, without judging it. What a page leaves
// open, such as the type of a property, is empty here. The data is shared: callers
// must not change it.
package api

import (
	"sort"
	"strings"
)

//go:generate go test -count=1 -run ^TestData$ . -update

// XMLNamespace is that of UCWA's XML.
const XMLNamespace = "http://schemas.microsoft.com/rtc/2012/03/ucwa"

// Resource is one page of the reference.
type Resource struct {
	// Name is that of the page: the rel of the links that lead to the resource.
	// The page of a second revision has a 2 after it, as in search2.
	Name string
	// Rel is what the resource calls itself in its body: localParticipant is a
	// participant, search2 a search.
	Rel string
	// Scopes are the permissions that Azure AD has for the resource.
	Scopes     []string
	Sample     bool // the page shows the resource
	Links      []Link
	Properties []Property
	Events     []Event
	Operations []Operation
}

// Link is what a resource links to or embeds.
type Link struct {
	Rel              string
	Linked, Embedded Cardinality // in the page's sample
	SampleOnly       bool        // the sample has it, and the page's table of links does not
}

// Cardinality is how often the sample of a page has something under one rel.
type Cardinality uint8

// The values of Cardinality: One is an object, Many an array of objects.
const (
	None Cardinality = iota
	One
	Many
)

// Property is a property of a resource.
type Property struct {
	Name       string
	Type       string // in JSON: string, number, boolean or array
	Of         string // the type of the members of an array
	Enum       string // the enumeration that the value, or each member of an array, is of
	URI        string // the scheme of a value that is a URI: sip, tel or http
	Date       bool   // the value is a date
	MaxLength  int    // in characters, 0 where there is no bound
	SampleOnly bool   // the sample has it, and the page's table of properties does not
}

// Event is an event that the event channel reports.
type Event struct {
	Sender   string // the rel of who reports it
	Resource string // the rel of what it is about
	Type     string // added, updated, deleted, started or completed
	Priority string // High, Medium or Low
}

// Operation is what a method does with a resource.
type Operation struct {
	Method      string
	Query, Body []Parameter
	Status      int     // of success; 0 where the page has none
	Response    string  // the name of the resource that success answers with
	Location    bool    // the sample of the response has a Location header
	ETag        bool    // the sample of the response has an ETag header
	Errors      []Error // that the page lists; any operation can meet the generic ones
}

// Parameter is a parameter of the query, or a property of the body, of a request.
type Parameter struct {
	Name            string
	Required        bool
	Type            string // String, Boolean, Int32, TimeSpan, DateTime, Byte, ExternalResource, or the name of an enumeration
	Array, Nullable bool
	Min, Max        int      // of a number, or of the characters of a string; no bounds where Max is 0
	Values          []string // that the page lists, in its order; they can be more than those of the enumeration
}

// Number tells whether the parameter is a number: then Min and Max bound its value, and
// else the characters of a string.
func (p *Parameter) Number() bool { return p.Type == "Int32" || p.Min > 0 }

// Error is an error that an operation can be refused with.
type Error struct {
	Code    string // an ErrorCode
	Status  int
	Subcode string // an ErrorSubcode; empty where there is none
}

// Enumeration is a type whose values have names.
type Enumeration struct {
	Name   string
	Values []string
}

// Resources returns every resource, by name.
func Resources() []Resource { return resources }

// ResourceOf returns the resource of a name.
func ResourceOf(name string) (*Resource, bool) {
	i, found := sort.Find(len(resources), func(i int) int { return strings.Compare(name, resources[i].Name) })
	if !found {
		return nil, false
	}
	return &resources[i], true
}

// Newest returns the page of the latest revision of a resource that is linked to by a rel.
func Newest(rel string) (*Resource, bool) {
	if r, found := ResourceOf(rel + "2"); found {
		return r, true
	}
	return ResourceOf(rel)
}

// Named returns the resources whose body has a rel: participant is that of
// participant, localParticipant, from and more.
func Named(rel string) []*Resource {
	var named []*Resource
	for i := range resources {
		if resources[i].Rel == rel {
			named = append(named, &resources[i])
		}
	}
	return named
}

// Enumerations returns every enumeration, by name.
func Enumerations() []Enumeration { return enumerations }

// Values returns the values of an enumeration, nil if there is no such enumeration.
func Values(enumeration string) []string {
	if e, found := find(enumerations, func(e *Enumeration) bool { return e.Name == enumeration }); found {
		return e.Values
	}
	return nil
}

// Accepted returns the values that the page of a resource lists for a parameter of
// its operations, in its order; nil if it lists none.
func Accepted(resource, parameter string) []string {
	if r, found := ResourceOf(resource); found {
		if p, found := r.Parameter(parameter); found {
			return p.Values
		}
	}
	return nil
}

// EventOf returns the event of a sender, the resource that it is about and a type.
func EventOf(sender, resource, kind string) (*Event, bool) {
	for i := range resources {
		if e, found := find(resources[i].Events, func(e *Event) bool {
			return e.Sender == sender && e.Resource == resource && e.Type == kind
		}); found {
			return e, true
		}
	}
	return nil, false
}

// Revision returns the revision of the resource: 1 or 2.
func (r *Resource) Revision() int {
	if r.Name == r.Rel+"2" {
		return 2
	}
	return 1
}

// Link returns the link of a rel.
func (r *Resource) Link(rel string) (*Link, bool) {
	return find(r.Links, func(l *Link) bool { return l.Rel == rel })
}

// Property returns the property of a name.
func (r *Resource) Property(name string) (*Property, bool) {
	return find(r.Properties, func(p *Property) bool { return p.Name == name })
}

// Operation returns the operation of a method.
func (r *Resource) Operation(method string) (*Operation, bool) {
	return find(r.Operations, func(o *Operation) bool { return o.Method == method })
}

// Parameter returns the parameter of a name, of the first operation that has it.
func (r *Resource) Parameter(name string) (*Parameter, bool) {
	for i := range r.Operations {
		if p, found := r.Operations[i].Parameter(name); found {
			return p, true
		}
	}
	return nil, false
}

// Parameter returns the parameter of a name: that of the body if the query has one, too.
func (o *Operation) Parameter(name string) (*Parameter, bool) {
	is := func(p *Parameter) bool { return p.Name == name }
	if p, found := find(o.Body, is); found {
		return p, true
	}
	return find(o.Query, is)
}

func find[T any](list []T, is func(*T) bool) (*T, bool) {
	for i := range list {
		if is(&list[i]) {
			return &list[i], true
		}
	}
	return nil, false
}
