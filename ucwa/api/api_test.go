package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestAccess looks up what is there and what is not.
func TestAccess(t *testing.T) {
	if n := len(Resources()); n != 238 {
		t.Errorf("%d resources, want 238", n)
	}
	operations := 0
	for _, r := range Resources() {
		operations += len(r.Operations)
		if found, ok := ResourceOf(r.Name); !ok || found.Name != r.Name {
			t.Errorf("%s is not found", r.Name)
		}
		if rel, numbered := strings.CutSuffix(r.Name, "2"); numbered != (r.Revision() == 2) || numbered && rel != r.Rel {
			t.Errorf("%s is revision %d of %s", r.Name, r.Revision(), r.Rel)
		}
		for _, p := range r.Properties {
			if p.Enum != "" && Values(p.Enum) == nil {
				t.Errorf("%s of %s is of %s, which is no enumeration", p.Name, r.Name, p.Enum)
			}
		}
		for _, o := range r.Operations {
			if _, known := ResourceOf(o.Response); o.Response != "" && !known {
				t.Errorf("%s %s answers with %s, which is no resource", o.Method, r.Name, o.Response)
			}
			for _, p := range o.Body {
				if values := Values(p.Type); (p.Values != nil) != (values != nil) {
					t.Errorf("%s of %s %s is of %s and has the values %s", p.Name, o.Method, r.Name, p.Type, p.Values)
				}
			}
			for _, e := range o.Errors {
				if !slices.Contains(Values("ErrorCode"), e.Code) || http.StatusText(e.Status) == "" {
					t.Errorf("%s %s: %d %s is no error", o.Method, r.Name, e.Status, e.Code)
				}
			}
		}
	}
	if operations != 263 {
		t.Errorf("%d operations, want 263", operations)
	}
	if !slices.IsSortedFunc(Enumerations(), func(a, b Enumeration) int { return strings.Compare(a.Name, b.Name) }) || len(Enumerations()) != 56 {
		t.Errorf("%d enumerations, in whatever order", len(Enumerations()))
	}

	search, found := ResourceOf("search2")
	if !found || search.Rel != "search" {
		t.Fatal("search2 is no search")
	}
	limit, found := search.Parameter("limit")
	if !found || limit.Min != 1 || limit.Max != 100 {
		t.Errorf("the limit of search is %v", limit)
	}
	if l, found := search.Link("contact"); !found || l.Embedded != Many {
		t.Errorf("search embeds %v", l)
	}
	if p, found := search.Property("moreResultsAvailable"); !found || p.Type != "boolean" {
		t.Errorf("a property of search is %v", p)
	}
	if get, found := search.Operation("GET"); !found || get.Status != 200 || !slices.Contains(get.Errors, Error{"Gone", 410, "CannotRedirect"}) {
		t.Errorf("search has the operation %v", get)
	}
	if e, found := EventOf("me", "presence", "added"); !found || e.Priority != "Medium" {
		t.Errorf("presence is reported by %v", e)
	}
	var names []string
	for _, r := range Named("participant") {
		names = append(names, r.Name)
	}
	if want := "acceptedByParticipant applicationSharer failedDeliveryParticipant from localParticipant participant videoLockedOnParticipant"; strings.Join(names, " ") != want {
		t.Errorf("participants are %s", names)
	}
	if values := Accepted("presence", "availability"); !slices.Equal(slices.Sorted(slices.Values(values)), Values("PreferredAvailability")) || values[0] != "Online" {
		t.Errorf("presence accepts %s", values)
	}

	_, resource := ResourceOf("nothing")
	_, operation := search.Operation("PUT")
	_, property := search.Property("nothing")
	_, parameter := search.Parameter("nothing")
	_, event := EventOf("me", "presence", "started")
	if resource || operation || property || parameter || event || Values("Nothing") != nil || Accepted("nothing", "x") != nil || Accepted("presence", "x") != nil {
		t.Error("something is found that is not there")
	}
}
